// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: all tables, read over nfnetlink
 *
 * Tables, chains, sets, elements and rules are separate dumps. They belong together when the ruleset's
 * generation is the same before the first and after the last one.
 */
#include "foreign/private.h"
#include <errno.h>
#include <time.h>

#define REQUEST_LEN 512
#define REPLY_LEN   (64u << 10) /* dumps come in pieces of 32 KiB at most */
#define ELEMS_MAX   65536
#define TRIES       5

struct reader {
	struct foreign_ruleset *rs;
	const char *skip;
	struct foreign_set *set; /* whose elements are read */
	int fd;
	uint32_t seq;
	char *buf; /* REPLY_LEN bytes */
};
typedef void (*reader_fn)(struct reader *d, const struct nlmsghdr *h);

/* The attribute of a message. */
static const struct nlattr *msg_attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

static const char *msg_string(const struct nlmsghdr *h, uint16_t type)
{
	return foreign_attr_string(msg_attr(h, type));
}

static uint32_t msg_u32(const struct nlmsghdr *h, uint16_t type, uint32_t fallback)
{
	const struct nlattr *a = msg_attr(h, type);

	return a && mnl_attr_get_payload_len(a) == 4 ? ntohl(mnl_attr_get_u32(a)) : fallback;
}

static uint8_t msg_family(const struct nlmsghdr *h)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family;
}

static struct nlmsghdr *request(struct reader *d, void *buf, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++d->seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

/* mnl_nlmsg_ok takes lengths above INT_MAX for negative ones */
static bool message_ok(const struct nlmsghdr *h, int left)
{
	return left >= (int)sizeof(*h) && h->nlmsg_len >= sizeof(*h) && h->nlmsg_len <= (uint32_t)left;
}

/* Sends and reads the whole answer. Return: 0 or a negative errno; -EINTR: it changed meanwhile. */
static int talk(struct reader *d, const struct nlmsghdr *req, reader_fn fn)
{
	int r = 0;

	if (send(d->fd, req, req->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(d->fd, d->buf, REPLY_LEN, 0);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (const struct nlmsghdr *h = (const void *)d->buf; message_ok(h, left);
		     h = mnl_nlmsg_next(h, &left)) {
			const int *err = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_seq != req->nlmsg_seq)
				continue;
			if (h->nlmsg_flags & NLM_F_DUMP_INTR)
				r = -EINTR;
			if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
				return mnl_nlmsg_get_payload_len(h) >= sizeof(*err) && *err < 0 ? *err : r;
			if (mnl_nlmsg_get_payload_len(h) >= sizeof(struct nfgenmsg))
				fn(d, h);
		}
	}
}

static int dump(struct reader *d, uint16_t type, reader_fn fn)
{
	char buf[REQUEST_LEN] __attribute__((aligned(NLMSG_ALIGNTO)));

	return talk(d, request(d, buf, type, NLM_F_DUMP, NFPROTO_UNSPEC), fn);
}

static struct foreign_table *table_of(struct reader *d, const struct nlmsghdr *h, uint16_t attr)
{
	const char *name = msg_string(h, attr);

	return name ? foreign_table_find(d->rs, msg_family(h), name, false) : NULL;
}

static void on_generation(struct reader *d, const struct nlmsghdr *h)
{
	d->rs->generation = msg_u32(h, NFTA_GEN_ID, 0);
}

static void on_table(struct reader *d, const struct nlmsghdr *h)
{
	const char *name = msg_string(h, NFTA_TABLE_NAME);

	if (name)
		foreign_table_add(d->rs, msg_family(h), name, false);
}

static void chain_hook(struct foreign_chain *c, const struct nlattr *hook)
{
	const char *dev = foreign_attr_string(foreign_attr(hook, NFTA_HOOK_DEV));

	c->base = true;
	c->hook = foreign_attr_u32(hook, NFTA_HOOK_HOOKNUM, 0);
	c->priority = (int32_t)foreign_attr_u32(hook, NFTA_HOOK_PRIORITY, 0);
	if (dev)
		snprintf(c->device, sizeof(c->device), "%s", dev);
}

static void on_chain(struct reader *d, const struct nlmsghdr *h)
{
	struct foreign_table *t = table_of(d, h, NFTA_CHAIN_TABLE);
	const char *name = msg_string(h, NFTA_CHAIN_NAME), *type = msg_string(h, NFTA_CHAIN_TYPE);
	struct foreign_chain *c = t && name ? foreign_chain_add(d->rs, t, name) : NULL;
	const struct nlattr *hook = msg_attr(h, NFTA_CHAIN_HOOK);

	if (!c)
		return;
	if (hook)
		chain_hook(c, hook);
	c->nat = type && strcmp(type, "nat") == 0;
	c->policy = (int)msg_u32(h, NFTA_CHAIN_POLICY, NF_ACCEPT);
}

static void set_fields(struct foreign_set *s, const struct nlattr *desc)
{
	const struct nlattr *concat = foreign_attr(desc, NFTA_SET_DESC_CONCAT), *field;

	if (!concat)
		return;
	mnl_attr_for_each_nested(field, concat)
	{
		if (s->field_cnt < ARRAY_LEN(s->field_len))
			s->field_len[s->field_cnt++] =
				(uint8_t)foreign_attr_u32(field, NFTA_SET_FIELD_LEN, 0);
	}
}

static void on_set(struct reader *d, const struct nlmsghdr *h)
{
	struct foreign_table *t = table_of(d, h, NFTA_SET_TABLE);
	const char *name = msg_string(h, NFTA_SET_NAME);
	struct foreign_set *s = t && name ? foreign_set_add(d->rs, t, name) : NULL;

	if (!s)
		return;
	s->flags = msg_u32(h, NFTA_SET_FLAGS, 0);
	s->key_len = msg_u32(h, NFTA_SET_KEY_LEN, 0);
	s->data_len = msg_u32(h, NFTA_SET_DATA_LEN, 0);
	s->verdicts = msg_u32(h, NFTA_SET_DATA_TYPE, 0) == NFT_DATA_VERDICT;
	set_fields(s, msg_attr(h, NFTA_SET_DESC));
}

/* The value below an element's key or data, copied; NULL: none. Its length stands in the byte before it. */
static const uint8_t *elem_value(struct reader *d, const struct nlattr *item, uint16_t type, uint32_t len)
{
	const struct nlattr *v = foreign_attr(foreign_attr(item, type), NFTA_DATA_VALUE);
	uint8_t *p;

	if (!v || len == 0 || len > FOREIGN_REGS_LEN || mnl_attr_get_payload_len(v) != len)
		return NULL;
	p = foreign_alloc(d->rs, len + 1);
	if (!p)
		return NULL;
	*p = (uint8_t)len;
	memcpy(p + 1, mnl_attr_get_payload(v), len);
	return p + 1;
}

/* A counter or a time stamp lets all pass that finds the element; limits do not. */
static bool only_counts(const struct nlattr *expr)
{
	const char *name = foreign_attr_string(foreign_attr(expr, NFTA_EXPR_NAME));

	return name && (strcmp(name, "counter") == 0 || strcmp(name, "last") == 0);
}

static bool elem_limited(const struct nlattr *item)
{
	const struct nlattr *one = foreign_attr(item, NFTA_SET_ELEM_EXPR);
	const struct nlattr *list = foreign_attr(item, NFTA_SET_ELEM_EXPRESSIONS), *expr;
	bool limited = one && !only_counts(one);

	if (list)
		mnl_attr_for_each_nested(expr, list) limited |= !only_counts(expr);
	return limited;
}

static void elem_add(struct reader *d, const struct nlattr *item)
{
	struct foreign_set *s = d->set;
	uint32_t flags = foreign_attr_u32(item, NFTA_SET_ELEM_FLAGS, 0);
	struct foreign_elem *el;
	const char *chain = NULL;

	if (s->elem_cnt == s->elem_room) {
		uint32_t room = s->elem_room ? s->elem_room * 2 : 16;
		struct foreign_elem *more =
			room <= ELEMS_MAX ? foreign_alloc(d->rs, room * sizeof(*more)) : NULL;

		if (!more) {
			s->cut = true;
			return;
		}
		if (s->elem_cnt)
			memcpy(more, s->elems, s->elem_cnt * sizeof(*more));
		s->elems = more;
		s->elem_room = room;
	}
	el = &s->elems[s->elem_cnt];
	el->catchall = flags & NFT_SET_ELEM_CATCHALL;
	el->interval_end = flags & NFT_SET_ELEM_INTERVAL_END;
	el->sometimes = elem_limited(item);
	el->key = elem_value(d, item, NFTA_SET_ELEM_KEY, s->key_len);
	el->end = elem_value(d, item, NFTA_SET_ELEM_KEY_END, s->key_len);
	if (s->verdicts && foreign_attr_verdict(foreign_attr(item, NFTA_SET_ELEM_DATA), &el->verdict, &chain))
		el->target_name = chain ? foreign_string(d->rs, chain, strlen(chain)) : NULL;
	else
		el->data = elem_value(d, item, NFTA_SET_ELEM_DATA, s->data_len);
	if (el->key || el->catchall)
		s->elem_cnt++;
}

static void on_elems(struct reader *d, const struct nlmsghdr *h)
{
	const struct nlattr *list = msg_attr(h, NFTA_SET_ELEM_LIST_ELEMENTS), *item;

	if (!list)
		return;
	mnl_attr_for_each_nested(item, list) elem_add(d, item);
}

static int read_elems(struct reader *d)
{
	char buf[REQUEST_LEN] __attribute__((aligned(NLMSG_ALIGNTO)));
	int r = 0;

	for (struct nd_map_node *n = nd_map_first(&d->rs->sets); n && r == 0;
	     n = nd_map_next(&d->rs->sets, n)) {
		struct nlmsghdr *h;

		d->set = container_of(n, struct foreign_set, node);
		if (d->skip && strcmp(d->set->table->name, d->skip) == 0)
			continue;
		h = request(d, buf, NFT_MSG_GETSETELEM, NLM_F_DUMP, d->set->table->family);
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, d->set->table->name);
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, d->set->name);
		r = talk(d, h, on_elems);
	}
	return r;
}

/* A comment of nft's: attributes of one byte type and one byte length. */
static void rule_comment(struct reader *d, struct foreign_rule *r, const struct nlattr *userdata)
{
	const uint8_t *p = userdata ? mnl_attr_get_payload(userdata) : NULL;
	size_t left = userdata ? mnl_attr_get_payload_len(userdata) : 0;

	while (left >= 2 && left >= 2u + p[1]) {
		if (p[0] == 0 && p[1] > 0) /* NFTNL_UDATA_RULE_COMMENT, with its NUL */
			r->comment = foreign_string(d->rs, (const char *)p + 2,
						    strnlen((const char *)p + 2, p[1]));
		left -= 2u + p[1];
		p += 2u + p[1];
	}
}

static void on_rule(struct reader *d, const struct nlmsghdr *h)
{
	struct foreign_table *t = table_of(d, h, NFTA_RULE_TABLE);
	const char *chain = msg_string(h, NFTA_RULE_CHAIN);
	struct foreign_chain *c = t && chain ? foreign_chain_find(d->rs, t, chain) : NULL;
	struct foreign_rule *r = c ? foreign_rule_add(d->rs, c) : NULL;
	const struct nlattr *handle = msg_attr(h, NFTA_RULE_HANDLE);

	if (!r)
		return;
	if (handle && mnl_attr_get_payload_len(handle) == 8)
		r->handle = be64toh(mnl_attr_get_u64(handle));
	rule_comment(d, r, msg_attr(h, NFTA_RULE_USERDATA));
	foreign_expr_read(d->rs, r, msg_attr(h, NFTA_RULE_EXPRESSIONS));
}

static int read_generation(struct reader *d)
{
	char buf[REQUEST_LEN] __attribute__((aligned(NLMSG_ALIGNTO)));

	return talk(d, request(d, buf, NFT_MSG_GETGEN, NLM_F_ACK, NFPROTO_UNSPEC), on_generation);
}

static int read_all(struct reader *d)
{
	uint32_t before;
	int r = read_generation(d);

	before = d->rs->generation;
	r = r ? r : dump(d, NFT_MSG_GETTABLE, on_table);
	r = r ? r : dump(d, NFT_MSG_GETCHAIN, on_chain);
	r = r ? r : dump(d, NFT_MSG_GETSET, on_set);
	r = r ? r : read_elems(d);
	r = r ? r : dump(d, NFT_MSG_GETRULE, on_rule);
	r = r ? r : read_generation(d);
	/* what was deleted between two dumps is ENOENT */
	return r == -ENOENT || (r == 0 && d->rs->generation != before) ? -EINTR : r;
}

static int read_once(struct reader *d, struct foreign_ruleset **ret, struct nd_error *e)
{
	int r;

	d->rs = foreign_ruleset_new();
	if (!d->rs)
		return nd_fail(e, ND_MEMORY, "ruleset");
	r = read_all(d);
	if (r == 0) {
		foreign_legacy_read(d->rs);
		foreign_sort(d->rs);
	}
	if (r == 0 && !d->rs->bad) {
		*ret = d->rs;
		return 0;
	}
	if (r == -EINTR)
		nd_fail(e, ND_OVERRUN, "it changed while it was read");
	else if (r < 0)
		nd_fail_sys(e, -r, NULL, "nf_tables");
	else
		nd_fail(e, ND_MEMORY, "it is too large");
	foreign_ruleset_free(d->rs);
	return e ? e->code : ND_SYSTEM;
}

int foreign_read(const char *skip_elements, struct foreign_ruleset **ret, struct nd_error *e)
{
	nd_autofree char *buf = malloc(REPLY_LEN);
	nd_autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct reader d = { .skip = skip_elements, .fd = fd, .buf = buf };
	struct nd_error last = ND_ERROR_INIT;

	if (!buf)
		return nd_fail(e, ND_MEMORY, "the ruleset");
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "the ruleset: netlink socket");
	for (int i = 0; i < TRIES; i++) {
		nd_error_reset(&last);
		if (read_once(&d, ret, &last) == 0)
			return 0;
		if (last.code != ND_OVERRUN)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000L << i }, NULL);
	}
	if (e)
		nd_error_copy(e, &last);
	return nd_wrap_code(e, last.code, "the ruleset");
}

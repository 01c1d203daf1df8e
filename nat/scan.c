/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: reading the tables back
 *
 * Objects are asked for by name, rules and elements dumped per table and set, so a host with thousands of
 * other people's chains costs nothing. A table is intact when the kernel counts as many chains and sets in it
 * as we make, and the fingerprints of those and of all rules, in their order, add up to what we would build.
 * The counters in the rules and elements are not part of it.
 */
#include "nat/scan.h"
#include "base/mem.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#define REQUEST_LEN 512
#define REPLY_LEN   (64u << 10) /* dumps come in pieces of 32 KiB at most */

struct scan {
	struct nat_batch *b;
	nat_scan_fn on_elem;
	void *arg;
	struct nd_error *e;
	int code; /* of on_elem, ends the scan */
	uint64_t sum;
	unsigned index[NAT_CHAIN_CNT];
	enum nat_table table;
	enum nat_set set;
	struct nat_scan_table *ret;
	bool good; /* the set being read is as we make it */
	char *buf; /* REPLY_LEN bytes */
};

/* A request about one of our tables; name_attr of 0: no second name. */
static struct nlmsghdr *request(struct scan *s, void *buf, uint16_t type, uint16_t flags, uint16_t name_attr,
				const char *name)
{
	struct nlmsghdr *h =
		nftnl_nlmsg_build_hdr(buf, type, nat_table_rows[s->table].family, flags, nat_batch_seq(s->b));

	_Static_assert((int)NFTA_TABLE_NAME == (int)NFTA_CHAIN_TABLE &&
			       (int)NFTA_TABLE_NAME == (int)NFTA_SET_TABLE &&
			       (int)NFTA_TABLE_NAME == (int)NFTA_RULE_TABLE &&
			       (int)NFTA_TABLE_NAME == (int)NFTA_SET_ELEM_LIST_TABLE,
		       "the table's name is the same attribute everywhere");
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, NAT_TABLE_NAME);
	if (name_attr)
		mnl_attr_put_strz(h, name_attr, name);
	return h;
}

/* Takes in one reply. Return: whether it was the last. *r: the first failure, as talk's. */
static bool reply_take(struct scan *s, const struct nlmsghdr *h, mnl_cb_t on_reply, int *r)
{
	const int *err = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_flags & NLM_F_DUMP_INTR && *r == 0)
		*r = -EINTR;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		if (mnl_nlmsg_get_payload_len(h) >= sizeof(*err) && *err < 0 && *r == 0)
			*r = *err;
		return true;
	}
	if (*r == 0 && mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
		*r = -EBADMSG;
	if (*r == 0 && on_reply(h, s) < 0)
		*r = -ENOMEM;
	return false;
}

/*
 * Sends and reads the whole answer, to its end also after a failure: a dump that is left running would make
 * the next one fail. Return: 0, or a negative errno: -ENOENT absent, -EINTR a dump that somebody changed
 * meanwhile.
 */
static int talk(struct scan *s, const struct nlmsghdr *h, mnl_cb_t on_reply)
{
	int fd = nat_batch_fd(s->b), r = 0;
	bool ended = false;

	if (send(fd, h, h->nlmsg_len, 0) < 0)
		return -errno;
	while (!ended) {
		ssize_t n = recv(fd, s->buf, REPLY_LEN, 0);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (const struct nlmsghdr *m = (const void *)s->buf; !ended && nat_message_ok(m, left);
		     m = mnl_nlmsg_next(m, &left))
			if (m->nlmsg_seq == h->nlmsg_seq)
				ended = reply_take(s, m, on_reply, &r);
	}
	return r;
}

static int on_table(const struct nlmsghdr *h, void *arg)
{
	struct scan *s = arg;
	struct nftnl_table *t = nftnl_table_alloc();

	if (!t || nftnl_table_nlmsg_parse(h, t) < 0) {
		nftnl_table_free(t);
		return MNL_CB_ERROR;
	}
	s->ret->exists = true;
	s->ret->flags = nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS);
	s->ret->owner = nftnl_table_get_u32(t, NFTNL_TABLE_OWNER);
	s->ret->intact = nftnl_table_get_u32(t, NFTNL_TABLE_USE) == nat_table_use(s->table);
	nftnl_table_free(t);
	return MNL_CB_OK;
}

static int on_chain(const struct nlmsghdr *h, void *arg)
{
	struct scan *s = arg;
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c || nftnl_chain_nlmsg_parse(h, c) < 0) {
		nftnl_chain_free(c);
		return MNL_CB_ERROR;
	}
	s->sum += nat_chain_print(c);
	nftnl_chain_free(c);
	return MNL_CB_OK;
}

static int on_set(const struct nlmsghdr *h, void *arg)
{
	struct scan *s = arg;
	struct nftnl_set *have = nftnl_set_alloc(), *want = nat_set_build(s->set);
	int r = MNL_CB_ERROR;

	if (have && want && nftnl_set_nlmsg_parse(h, have) == 0) {
		uint64_t print = nat_set_print(have);

		s->sum += print;
		s->good = print == nat_set_print(want);
		r = MNL_CB_OK;
	}
	nftnl_set_free(have);
	nftnl_set_free(want);
	return r;
}

static int on_rule(const struct nlmsghdr *h, void *arg)
{
	struct scan *s = arg;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	enum nat_chain chain;

	if (!rule || nftnl_rule_nlmsg_parse(h, rule) < 0) {
		nftnl_rule_free(rule);
		return MNL_CB_ERROR;
	}
	chain = nat_chain_find(s->table, nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	if (chain < NAT_CHAIN_CNT)
		s->sum += nat_rule_print(rule, s->index[chain]++);
	nftnl_rule_free(rule);
	return MNL_CB_OK;
}

/* The nested attribute of that type, or NULL. */
static const struct nlattr *attr_find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

/* The value of a key or of data; NULL unless it is len bytes long. */
static const void *value_read(const struct nlattr *item, uint16_t type, size_t len)
{
	const struct nlattr *a = attr_find(item, type);

	a = a ? attr_find(a, NFTA_DATA_VALUE) : NULL;
	return a && mnl_attr_get_payload_len(a) == len ? mnl_attr_get_payload(a) : NULL;
}

/* A number of an element's own expression; 0: it has none. */
static uint32_t parameter_read(const struct nlattr *item, enum nat_data data)
{
	const struct nlattr *a = attr_find(item, NFTA_SET_ELEM_EXPR);

	a = a ? attr_find(a, NFTA_EXPR_DATA) : NULL;
	a = a ? attr_find(a, data == NAT_DATA_RATE ? NFTA_LIMIT_RATE : NFTA_CONNLIMIT_COUNT) : NULL;
	if (a && data == NAT_DATA_RATE && mnl_attr_get_payload_len(a) == sizeof(uint64_t))
		return (uint32_t)be64toh(mnl_attr_get_u64(a));
	return a && mnl_attr_get_payload_len(a) == sizeof(uint32_t) ? ntohl(mnl_attr_get_u32(a)) : 0;
}

/* The key of a whole interval; one without its end ends where it begins. */
static bool key_read(enum nat_set set, const struct nlattr *item, struct nat_elem *ret)
{
	bool interval = nat_set_rows[set].interval;
	size_t len = interval ? ret->key_len / 2 : ret->key_len;
	const void *key = value_read(item, NFTA_SET_ELEM_KEY, len), *end = key;

	if (interval && attr_find(item, NFTA_SET_ELEM_KEY_END))
		end = value_read(item, NFTA_SET_ELEM_KEY_END, len);
	if (!key || !end)
		return false;
	memcpy(ret->key, key, len);
	if (interval)
		memcpy(ret->key + len, end, len);
	return true;
}

static bool elem_read(enum nat_set set, const struct nlattr *item, struct nat_elem *ret)
{
	const struct nat_set_row *row = &nat_set_rows[set];
	uint32_t v;

	memset(ret, 0, sizeof(*ret));
	ret->set = (uint8_t)set;
	ret->key_len = nat_set_key_len(set);
	if (!key_read(set, item, ret))
		return false;
	if (row->data == NAT_DATA_VALUE) {
		const void *data = value_read(item, NFTA_SET_ELEM_DATA, row->data_len);

		if (!data)
			return false;
		memcpy(ret->data, data, row->data_len);
	} else if (row->data == NAT_DATA_RATE || row->data == NAT_DATA_CONNECTIONS) {
		v = parameter_read(item, row->data);
		memcpy(ret->data, &v, sizeof(v));
	}
	return true;
}

static int on_elems(const struct nlmsghdr *h, void *arg)
{
	struct scan *s = arg;
	const struct nlattr *list, *item;
	struct nat_elem elem;

	mnl_attr_for_each(list, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(item, list)
		{
			if (!elem_read(s->set, item, &elem))
				continue;
			s->code = s->on_elem(&elem, s->arg, s->e);
			if (s->code < 0)
				return MNL_CB_ERROR;
		}
	}
	return MNL_CB_OK;
}

/* Absent objects just do not add to the sum. Return: 0 or a negative errno. */
static int scan_skeleton(struct scan *s)
{
	char req[REQUEST_LEN] __attribute__((aligned(NLMSG_ALIGNTO)));
	int r = talk(s, request(s, req, NFT_MSG_GETRULE, NLM_F_DUMP, 0, NULL), on_rule);

	for (unsigned i = 0; i < NAT_CHAIN_CNT && (r == 0 || r == -ENOENT); i++)
		if (nat_chain_rows[i].table == s->table)
			r = talk(s,
				 request(s, req, NFT_MSG_GETCHAIN, NLM_F_ACK, NFTA_CHAIN_NAME,
					 nat_chain_rows[i].name),
				 on_chain);
	return r == -ENOENT ? 0 : r;
}

static int scan_set(struct scan *s)
{
	char req[REQUEST_LEN] __attribute__((aligned(NLMSG_ALIGNTO)));
	const char *name = nat_set_rows[s->set].name;
	int r = talk(s, request(s, req, NFT_MSG_GETSET, NLM_F_ACK, NFTA_SET_NAME, name), on_set);

	if (r == 0 && s->good)
		r = talk(s, request(s, req, NFT_MSG_GETSETELEM, NLM_F_DUMP, NFTA_SET_ELEM_LIST_SET, name),
			 on_elems);
	return r == -ENOENT ? 0 : r;
}

static int scan_table(struct scan *s)
{
	char req[REQUEST_LEN] __attribute__((aligned(NLMSG_ALIGNTO)));
	uint64_t want = nat_table_print(s->table);
	int r;

	s->sum = 0;
	memset(s->index, 0, sizeof(s->index));
	r = talk(s, request(s, req, NFT_MSG_GETTABLE, NLM_F_ACK, 0, NULL), on_table);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = scan_skeleton(s);
	for (unsigned i = 0; r == 0 && i < NAT_SET_CNT; i++) {
		if (nat_set_rows[i].table != s->table)
			continue;
		s->set = (enum nat_set)i;
		s->good = false;
		r = scan_set(s);
	}
	s->ret->intact = s->ret->intact && want && s->sum == want;
	return r;
}

int nat_scan(struct nat_batch *b, struct nat_scan_table ret[NAT_TABLE_CNT], nat_scan_fn on_elem, void *arg,
	     struct nd_error *e)
{
	struct scan s = { .b = b, .on_elem = on_elem, .arg = arg, .e = e };
	nd_autofree char *buf = malloc(REPLY_LEN);
	int r = 0;

	if (!buf)
		return nd_fail(e, ND_MEMORY, "read the nftables tables");
	s.buf = buf;
	for (unsigned i = 0; r == 0 && i < NAT_TABLE_CNT; i++) {
		s.table = (enum nat_table)i;
		s.ret = &ret[i];
		ret[i] = (struct nat_scan_table){ .exists = false };
		r = scan_table(&s);
	}
	if (s.code < 0)
		return s.code;
	if (r == -EINTR)
		return nd_fail(e, ND_OVERRUN, "the nftables tables changed while they were read");
	if (r < 0)
		return nd_fail_sys(e, -r, NULL, "read %s", nat_table_rows[s.table].label);
	return 0;
}

struct packets {
	uint64_t cnt;
	bool found;
};

static int on_packets(const struct nlmsghdr *h, void *arg)
{
	struct scan *s = arg;
	struct packets *ret = s->arg;
	const struct nlattr *list, *item, *a;

	mnl_attr_for_each(list, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(item, list)
		{
			a = attr_find(item, NFTA_SET_ELEM_EXPR);
			a = a ? attr_find(a, NFTA_EXPR_DATA) : NULL;
			a = a ? attr_find(a, NFTA_COUNTER_PACKETS) : NULL;
			if (!a || mnl_attr_get_payload_len(a) != sizeof(uint64_t))
				continue;
			ret->cnt = be64toh(mnl_attr_get_u64(a));
			ret->found = true;
		}
	}
	return MNL_CB_OK;
}

int nat_scan_packets(struct nat_batch *b, const struct nat_elem *elem, uint64_t *ret, struct nd_error *e)
{
	char req[REQUEST_LEN] __attribute__((aligned(NLMSG_ALIGNTO))), label[NAT_LABEL_LEN];
	struct packets packets = { .found = false };
	struct scan s = { .b = b, .arg = &packets, .table = nat_set_rows[elem->set].table };
	nd_autofree char *buf = malloc(REPLY_LEN);
	struct nlattr *list, *item;
	struct nlmsghdr *h;
	int r;

	if (!buf)
		return nd_fail(e, ND_MEMORY, "%s", nat_elem_label(elem, label));
	s.buf = buf;
	h = request(&s, req, NFT_MSG_GETSETELEM, NLM_F_ACK, NFTA_SET_ELEM_LIST_SET,
		    nat_set_rows[elem->set].name);
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	item = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	nat_elem_key_put(h, elem);
	mnl_attr_nest_end(h, item);
	mnl_attr_nest_end(h, list);
	r = talk(&s, h, on_packets);
	if (r == -ENOENT || (r == 0 && !packets.found))
		return nd_fail(e, ND_NOT_FOUND, "%s", nat_elem_label(elem, label));
	if (r < 0)
		return nd_fail_sys(e, -r, NULL, "%s", nat_elem_label(elem, label));
	*ret = packets.cnt;
	return 0;
}

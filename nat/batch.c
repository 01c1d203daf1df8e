/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: operations into one nfnetlink transaction
 *
 * A transaction is one sendmsg, from NFNL_MSG_BATCH_BEGIN to _END; the kernel works it off within the call.
 * Only the last message asks for an acknowledgement. Refusals come back without being asked for, in the order
 * of the messages and before that acknowledgement, so a commit is two system calls, and an answer that is
 * missing means that the kernel dropped the batch.
 *
 * Elements are written with libmnl straight into the buffer, since they are what every network start and port
 * attach sends; the skeleton goes through libnftnl's objects. Each message is noted with the row or element
 * it came from, so that a refusal's sequence number names it.
 */
#include "nat/batch.h"
#include "base/bytes.h"
#include "base/mem.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nfnetlink.h>

#ifndef NLM_F_ACK_TLVS /* linux/netlink.h has them since 4.12 */
#error "kernel headers older than 4.12"
#endif

#define BATCH_MAX    (64u << 20) /* bytes; 4,000 networks with 20 ports each take a quarter */
#define BATCH_KEEP   (256u << 10)
#define ELEM_ROOM    512u  /* bytes of the longest element message */
#define OBJECT_ROOM  8192u /* of the longest skeleton message; libmnl does not check */
#define RCVBUF_BYTES (1 << 20)

/* What a message came from. */
enum ref_kind { REF_TRANSACTION, REF_TABLE, REF_SET, REF_CHAIN, REF_RULE, REF_ELEM };
struct ref {
	enum ref_kind kind;
	uint32_t row; /* of its table; REF_ELEM: none */
	uint32_t op;  /* index into ops */
};

struct nat_batch {
	struct mnl_socket *sock;
	uint32_t port, seq;
	int sndbuf;
	struct nd_buf buf;
	struct nd_buf refs; /* of struct ref, by sequence number - first_seq */
	uint32_t first_seq; /* of the batch's begin message */
	size_t last;        /* offset of the last message in buf */
	uint32_t op;        /* being written */
};

int nat_batch_new(struct nat_batch **ret, struct nd_error *e)
{
	struct nat_batch *b = calloc(1, sizeof(*b));
	int rcvbuf = RCVBUF_BYTES, on = 1;

	if (!b)
		return nd_fail(e, ND_MEMORY, "nftables socket");
	b->buf.max = b->refs.max = BATCH_MAX;
	b->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!b->sock || mnl_socket_bind(b->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int err = errno;

		nat_batch_free(b);
		return nd_fail_sys(e, err, NULL, "nftables socket");
	}
	b->port = mnl_socket_get_portid(b->sock);
	/* Without these the kernel's text and room for many refusals are missing, nothing else. */
	mnl_socket_setsockopt(b->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(b->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(nat_batch_fd(b), SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf));
	*ret = b;
	return 0;
}

void nat_batch_free(struct nat_batch *b)
{
	if (!b)
		return;
	if (b->sock)
		mnl_socket_close(b->sock);
	nd_buf_done(&b->buf);
	nd_buf_done(&b->refs);
	free(b);
}

int nat_batch_fd(const struct nat_batch *b)
{
	return mnl_socket_get_fd(b->sock);
}

uint32_t nat_batch_port(const struct nat_batch *b)
{
	return b->port;
}

uint32_t nat_batch_seq(struct nat_batch *b)
{
	return ++b->seq;
}

/* Starts a message with room bytes. Return: NULL when out of memory. End with msg_end. */
static struct nlmsghdr *msg_begin(struct nat_batch *b, size_t room, uint16_t type, uint8_t family,
				  uint16_t flags, uint16_t res_id, enum ref_kind kind, uint32_t row)
{
	struct ref ref = { kind, row, b->op };
	struct nlmsghdr *h = nd_buf_reserve(&b->buf, room);
	struct nfgenmsg *g;

	if (!h)
		return NULL;
	nd_buf_append(&b->refs, &ref, sizeof(ref));
	h = mnl_nlmsg_put_header(h);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = nat_batch_seq(b);
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res_id);
	return h;
}

static void msg_end(struct nat_batch *b, struct nlmsghdr *h)
{
	b->last = b->buf.len;
	b->buf.len += MNL_ALIGN(h->nlmsg_len);
}

static struct nlmsghdr *nft_begin(struct nat_batch *b, size_t room, uint16_t type, enum nat_table table,
				  uint16_t flags, enum ref_kind kind, uint32_t row)
{
	return msg_begin(b, room, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), nat_table_rows[table].family,
			 flags, 0, kind, row);
}

static bool frame_put(struct nat_batch *b, uint16_t type)
{
	struct nlmsghdr *h =
		msg_begin(b, ELEM_ROOM, type, AF_UNSPEC, 0, NFNL_SUBSYS_NFTABLES, REF_TRANSACTION, 0);

	if (!h)
		return false;
	msg_end(b, h);
	return true;
}

static void value_put(struct nlmsghdr *h, uint16_t type, const void *p, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(h, type);

	mnl_attr_put(h, NFTA_DATA_VALUE, len, p);
	mnl_attr_nest_end(h, nest);
}

void nat_elem_key_put(struct nlmsghdr *h, const struct nat_elem *elem)
{
	size_t len = nat_set_rows[elem->set].interval ? elem->key_len / 2 : elem->key_len;

	value_put(h, NFTA_SET_ELEM_KEY, elem->key, len);
	if (len < elem->key_len)
		value_put(h, NFTA_SET_ELEM_KEY_END, elem->key + len, len);
}

/* Bursts of a second: what a guest does once in a while is not what the limit is for. */
static void rate_put(struct nlmsghdr *h, uint32_t v)
{
	mnl_attr_put_u64(h, NFTA_LIMIT_RATE, htobe64(v));
	mnl_attr_put_u64(h, NFTA_LIMIT_UNIT, htobe64(1));
	mnl_attr_put_u32(h, NFTA_LIMIT_BURST, htonl(v));
	mnl_attr_put_u32(h, NFTA_LIMIT_TYPE, htonl(NFT_LIMIT_PKTS));
	mnl_attr_put_u32(h, NFTA_LIMIT_FLAGS, htonl(NFT_LIMIT_F_INV));
}

static void connections_put(struct nlmsghdr *h, uint32_t v)
{
	mnl_attr_put_u32(h, NFTA_CONNLIMIT_COUNT, htonl(v));
	mnl_attr_put_u32(h, NFTA_CONNLIMIT_FLAGS, htonl(NFT_CONNLIMIT_F_INV));
}

static void data_put(struct nlmsghdr *h, const struct nat_elem *elem)
{
	bool rate = nat_set_rows[elem->set].data == NAT_DATA_RATE;
	struct nlattr *expr, *data;
	uint32_t v;

	if (nat_set_rows[elem->set].data == NAT_DATA_VALUE) {
		value_put(h, NFTA_SET_ELEM_DATA, elem->data, nat_set_data_len((enum nat_set)elem->set));
		return;
	}
	memcpy(&v, elem->data, sizeof(v));
	expr = mnl_attr_nest_start(h, NFTA_SET_ELEM_EXPR);
	mnl_attr_put_strz(h, NFTA_EXPR_NAME, rate ? "limit" : "connlimit");
	data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	(rate ? rate_put : connections_put)(h, v);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, expr);
}

static bool elem_put(struct nat_batch *b, const struct nat_elem *elem, bool add)
{
	const struct nat_set_row *row = &nat_set_rows[elem->set];
	struct nlmsghdr *h = nft_begin(b, ELEM_ROOM, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
				       row->table, add ? NLM_F_CREATE : 0, REF_ELEM, 0);
	struct nlattr *list, *item;

	if (!h)
		return false;
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, NAT_TABLE_NAME);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, row->name);
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	item = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	nat_elem_key_put(h, elem);
	if (add && row->data != NAT_DATA_NONE && row->data != NAT_DATA_COUNTER)
		data_put(h, elem);
	mnl_attr_nest_end(h, item);
	mnl_attr_nest_end(h, list);
	msg_end(b, h);
	return true;
}

static bool table_delete_put(struct nat_batch *b, enum nat_table table)
{
	struct nlmsghdr *h = nft_begin(b, ELEM_ROOM, NFT_MSG_DELTABLE, table, 0, REF_TABLE, table);

	if (!h)
		return false;
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, NAT_TABLE_NAME);
	msg_end(b, h);
	return true;
}

static bool table_put(struct nat_batch *b, enum nat_table table, uint32_t flags)
{
	char comment[48];
	struct nftnl_table *t;
	struct nlmsghdr *h;

	snprintf(comment, sizeof(comment), "netd's own, version %016llx",
		 (unsigned long long)nat_table_print(table));
	t = nat_table_build(table, flags, comment);
	if (!t)
		return false;
	h = nft_begin(b, OBJECT_ROOM, NFT_MSG_NEWTABLE, table, NLM_F_CREATE, REF_TABLE, table);
	if (h) {
		nftnl_table_nlmsg_build_payload(h, t);
		msg_end(b, h);
	}
	nftnl_table_free(t);
	return h;
}

static bool set_put(struct nat_batch *b, enum nat_set set)
{
	struct nftnl_set *s = nat_set_build(set);
	struct nlmsghdr *h;

	if (!s)
		return false;
	h = nft_begin(b, OBJECT_ROOM, NFT_MSG_NEWSET, nat_set_rows[set].table, NLM_F_CREATE | NLM_F_EXCL,
		      REF_SET, set);
	if (h) {
		nftnl_set_nlmsg_build_payload(h, s);
		msg_end(b, h);
	}
	nftnl_set_free(s);
	return h;
}

static bool chain_put(struct nat_batch *b, enum nat_chain chain)
{
	struct nftnl_chain *c = nat_chain_build(chain);
	struct nlmsghdr *h;

	if (!c)
		return false;
	h = nft_begin(b, OBJECT_ROOM, NFT_MSG_NEWCHAIN, nat_chain_rows[chain].table,
		      NLM_F_CREATE | NLM_F_EXCL, REF_CHAIN, chain);
	if (h) {
		nftnl_chain_nlmsg_build_payload(h, c);
		msg_end(b, h);
	}
	nftnl_chain_free(c);
	return h;
}

static bool rule_put(struct nat_batch *b, size_t row)
{
	struct nftnl_rule *r = nat_rule_build(nat_rule_at(row));
	struct nlmsghdr *h;

	if (!r)
		return false;
	h = nft_begin(b, OBJECT_ROOM, NFT_MSG_NEWRULE, nat_chain_rows[nat_rule_at(row)->chain].table,
		      NLM_F_CREATE | NLM_F_APPEND, REF_RULE, (uint32_t)row);
	if (h) {
		nftnl_rule_nlmsg_build_payload(h, r);
		msg_end(b, h);
	}
	nftnl_rule_free(r);
	return h;
}

/* A table and all in it: sets and chains before the rules that name them. */
static bool skeleton_put(struct nat_batch *b, enum nat_table table, uint32_t flags)
{
	bool ok = table_put(b, table, flags);

	for (unsigned i = 0; ok && i < NAT_SET_CNT; i++)
		ok = nat_set_rows[i].table != table || set_put(b, (enum nat_set)i);
	for (unsigned i = 0; ok && i < NAT_CHAIN_CNT; i++)
		ok = nat_chain_rows[i].table != table || chain_put(b, (enum nat_chain)i);
	for (size_t i = 0; ok && i < nat_rule_cnt(); i++)
		ok = nat_chain_rows[nat_rule_at(i)->chain].table != table || rule_put(b, i);
	return ok;
}

static bool op_put(struct nat_batch *b, const struct nat_op *op, uint32_t flags)
{
	switch (op->kind) {
	case NAT_OP_DROP: return table_delete_put(b, op->table);
	case NAT_OP_TAKE: return table_put(b, op->table, flags);
	case NAT_OP_BUILD: return skeleton_put(b, op->table, flags);
	case NAT_OP_ADD: return elem_put(b, op->elem, true);
	case NAT_OP_DELETE: return elem_put(b, op->elem, false);
	}
	return false;
}

static void ref_label(const struct ref *ref, const struct nat_op *ops, char buf[NAT_LABEL_LEN])
{
	switch (ref->kind) {
	case REF_TRANSACTION: snprintf(buf, NAT_LABEL_LEN, "nftables transaction"); return;
	case REF_TABLE: snprintf(buf, NAT_LABEL_LEN, "%s", nat_table_rows[ref->row].label); return;
	case REF_SET:
		snprintf(buf, NAT_LABEL_LEN, "set %s of %s", nat_set_rows[ref->row].name,
			 nat_table_rows[nat_set_rows[ref->row].table].label);
		return;
	case REF_CHAIN:
		snprintf(buf, NAT_LABEL_LEN, "chain %s of %s", nat_chain_rows[ref->row].name,
			 nat_table_rows[nat_chain_rows[ref->row].table].label);
		return;
	case REF_RULE:
		snprintf(buf, NAT_LABEL_LEN, "rule '%s' of chain %s of %s", nat_rule_at(ref->row)->label,
			 nat_chain_rows[nat_rule_at(ref->row)->chain].name,
			 nat_table_rows[nat_chain_rows[nat_rule_at(ref->row)->chain].table].label);
		return;
	case REF_ELEM: nat_elem_label(ops[ref->op].elem, buf); return;
	}
}

/* The kernel's words in an error message, or NULL. Copied into buf. */
static const char *kernel_text(const struct nlmsghdr *h, char *buf, size_t size)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(h);
	unsigned skip = sizeof(*err);
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if (h->nlmsg_len < NLMSG_HDRLEN + skip)
		return NULL;
	mnl_attr_for_each(a, h, skip)
	{
		if (mnl_attr_get_type(a) != NLMSGERR_ATTR_MSG ||
		    mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0)
			continue;
		snprintf(buf, size, "%s", mnl_attr_get_str(a));
		return buf;
	}
	return NULL;
}

/* What the kernel has answered so far. */
struct answer {
	const struct nat_op *ops;
	uint32_t last_seq; /* whose answer ends the batch */
	bool ended;
	int code; /* the first refusal's */
	int sys;
	uint32_t index; /* of the refused message in the batch */
	struct nd_error *e;
};

static void answer_take(struct nat_batch *b, struct answer *a, const struct nlmsghdr *h)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(h);
	char label[NAT_LABEL_LEN], text[128];
	uint32_t index;

	if (h->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(h) < sizeof(*err))
		return;
	index = err->msg.nlmsg_seq - b->first_seq;
	if (index >= b->refs.len / sizeof(struct ref))
		return; /* of an earlier, broken-off call */
	a->ended |= err->msg.nlmsg_seq == a->last_seq;
	if (err->error == 0 || a->code)
		return;
	const struct ref *ref = (const struct ref *)b->refs.p + index;
	ref_label(ref, a->ops, label);
	a->index = index;
	a->sys = -err->error;
	a->code = nd_fail_sys(a->e, -err->error, kernel_text(h, text, sizeof(text)), "%s", label);
}

static int answers_read(struct nat_batch *b, struct answer *a)
{
	char buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool overrun = false;

	while (!a->ended) {
		ssize_t n = recv(nat_batch_fd(b), buf, sizeof(buf), MSG_DONTWAIT);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		/* More refusals than fit: told before those that did. */
		if (n < 0 && errno == ENOBUFS && !overrun) {
			overrun = true;
			continue;
		}
		if (n < 0)
			break;
		for (const struct nlmsghdr *h = (const void *)buf; nat_message_ok(h, left);
		     h = mnl_nlmsg_next(h, &left))
			answer_take(b, a, h);
	}
	if (a->code)
		return a->code;
	if (overrun || !a->ended)
		return nd_fail(a->e, ND_INTERNAL, "nftables transaction: no answer from the kernel");
	return 0;
}

/* The whole batch must fit into the socket's send buffer. */
static void sndbuf_fit(struct nat_batch *b)
{
	int need = (int)b->buf.len + 4096;

	if (need <= b->sndbuf)
		return;
	if (setsockopt(nat_batch_fd(b), SOL_SOCKET, SO_SNDBUFFORCE, &need, sizeof(need)) == 0)
		b->sndbuf = need;
}

static int batch_send(struct nat_batch *b, struct nd_error *e)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { b->buf.p, b->buf.len };
	struct msghdr msg = {
		.msg_name = (void *)&kernel, .msg_namelen = sizeof(kernel), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n;

	sndbuf_fit(b);
	do
		n = sendmsg(nat_batch_fd(b), &msg, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "nftables transaction of %zu bytes", b->buf.len);
	return 0;
}

/* A large batch's memory is given back. */
static void batch_reset(struct nat_batch *b)
{
	if (b->buf.size > BATCH_KEEP) {
		nd_buf_done(&b->buf);
		nd_buf_done(&b->refs);
		b->buf.max = b->refs.max = BATCH_MAX;
	}
	nd_buf_reset(&b->buf);
	nd_buf_reset(&b->refs);
	b->buf.bad = b->refs.bad = false;
	b->op = 0;
}

static int batch_run(struct nat_batch *b, struct answer *a)
{
	int r = batch_send(b, a->e);

	return r < 0 ? r : answers_read(b, a);
}

int nat_batch_commit(struct nat_batch *b, const struct nat_op *ops, size_t cnt, uint32_t flags,
		     struct nd_error *e)
{
	struct answer a = { .ops = ops, .e = e };
	size_t last;
	bool ok;
	int r;

	b->first_seq = b->seq + 1;
	ok = frame_put(b, NFNL_MSG_BATCH_BEGIN);
	for (; ok && b->op < cnt; b->op++)
		ok = op_put(b, &ops[b->op], flags);
	last = b->last;
	b->op = 0;
	ok = ok && frame_put(b, NFNL_MSG_BATCH_END) && !b->buf.bad && !b->refs.bad;
	if (ok) {
		struct nlmsghdr *h = (struct nlmsghdr *)(b->buf.p + last);

		h->nlmsg_flags |= NLM_F_ACK;
		a.last_seq = h->nlmsg_seq;
		r = batch_run(b, &a);
	} else {
		r = nd_fail(e, ND_MEMORY, "nftables transaction of %zu operations", cnt);
	}
	batch_reset(b);
	return r;
}

/* A table of another name, with the flags or to be deleted. */
static bool probe_put(struct nat_batch *b, uint16_t type, uint32_t flags)
{
	struct nlmsghdr *h =
		nft_begin(b, ELEM_ROOM, type, NAT_TABLE_INET,
			  type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : NLM_F_ACK, REF_TRANSACTION, 0);

	if (!h)
		return false;
	if (type == NFT_MSG_NEWTABLE) {
		mnl_attr_put_strz(h, NFTA_TABLE_NAME, NAT_TABLE_NAME "-probe");
		mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, htonl(flags));
	} else {
		mnl_attr_put_strz(h, NFTA_TABLE_NAME, NAT_TABLE_NAME "-absent");
	}
	msg_end(b, h);
	return true;
}

/*
 * The second message always fails (ENOENT); the first one only when the kernel does not know the flags:
 * EOPNOTSUPP, before 5.13 EINVAL.
 */
int nat_batch_probe(struct nat_batch *b, uint32_t flags, bool *ret, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	struct answer a = { .e = &sub };
	int r;

	b->first_seq = b->seq + 1;
	if (frame_put(b, NFNL_MSG_BATCH_BEGIN) && probe_put(b, NFT_MSG_NEWTABLE, flags) &&
	    probe_put(b, NFT_MSG_DELTABLE, 0)) {
		a.last_seq = b->seq;
		r = frame_put(b, NFNL_MSG_BATCH_END) ? batch_run(b, &a)
						     : nd_fail(&sub, ND_MEMORY, "nftables transaction");
	} else {
		r = nd_fail(&sub, ND_MEMORY, "nftables transaction");
	}
	batch_reset(b);
	if (r < 0 && a.sys == ENOENT && a.index == 2) {
		*ret = true;
		return 0;
	}
	if (r < 0 && a.index == 1 && (a.sys == EOPNOTSUPP || a.sys == EINVAL)) {
		*ret = false;
		return 0;
	}
	if (r == 0)
		return nd_fail(e, ND_INTERNAL, "nftables transaction: a probe succeeded");
	nd_error_copy(e, &sub);
	return r;
}

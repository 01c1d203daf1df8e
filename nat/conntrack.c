/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: deleting tracked connections (see conntrack.h)
 *
 * The table is dumped, and each entry that matches is deleted by its original tuple and id, so that another one
 * which took its place meanwhile stays. The answers are compared here: the kernel can filter a dump by mark and
 * status, not by address.
 */
#include "nat/conntrack.h"
#include "base/mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define BUF_LEN   (64u << 10)
#define DUMPS_MAX 3 /* one that others' changes interrupted is begun again */
#define TUPLE_MAX 256

struct nat_conntrack {
	struct mnl_socket *dump, *change;
	uint32_t seq;
	char *buf; /* BUF_LEN bytes */
};

struct entry {
	uint8_t family, protocol;
	struct nd_ip orig_src, orig_dst, reply_src, reply_dst;
	uint16_t orig_dst_port, reply_src_port;
	uint32_t status, id;
	uint16_t zone;
	bool has_id, has_zone;
	const struct nlattr *tuple; /* the original one, as the kernel sent it */
};

static void address(struct nd_ip *ret, int family, const struct nlattr *a, unsigned len)
{
	if (mnl_attr_get_payload_len(a) != len)
		return;
	ret->family = (uint8_t)family;
	memcpy(ret->b, mnl_attr_get_payload(a), len);
}

static uint16_t port(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) == 2 ? ntohs(mnl_attr_get_u16(a)) : 0;
}

struct tuple {
	struct nd_ip src, dst;
	uint8_t protocol;
	uint16_t src_port, dst_port;
};

static void parse_ip(const struct nlattr *nest, struct tuple *t)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		switch (mnl_attr_get_type(a)) {
		case CTA_IP_V4_SRC: address(&t->src, AF_INET, a, 4); break;
		case CTA_IP_V4_DST: address(&t->dst, AF_INET, a, 4); break;
		case CTA_IP_V6_SRC: address(&t->src, AF_INET6, a, 16); break;
		case CTA_IP_V6_DST: address(&t->dst, AF_INET6, a, 16); break;
		default: break;
		}
	}
}

static void parse_proto(const struct nlattr *nest, struct tuple *t)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		switch (mnl_attr_get_type(a)) {
		case CTA_PROTO_NUM:
			t->protocol = mnl_attr_get_payload_len(a) == 1 ? mnl_attr_get_u8(a) : 0;
			break;
		case CTA_PROTO_SRC_PORT: t->src_port = port(a); break;
		case CTA_PROTO_DST_PORT: t->dst_port = port(a); break;
		default: break;
		}
	}
}

static void parse_tuple(const struct nlattr *nest, struct tuple *t)
{
	const struct nlattr *a;

	memset(t, 0, sizeof(*t));
	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == CTA_TUPLE_IP)
			parse_ip(a, t);
		else if (mnl_attr_get_type(a) == CTA_TUPLE_PROTO)
			parse_proto(a, t);
	}
}

static uint32_t number(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) == 4 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

static void parse_entry(const struct nlmsghdr *h, struct entry *ret)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(h);
	struct tuple orig = { .protocol = 0 }, reply = { .protocol = 0 };
	const struct nlattr *a;

	memset(ret, 0, sizeof(*ret));
	ret->family = nfg->nfgen_family;
	mnl_attr_for_each(a, h, sizeof(*nfg))
	{
		switch (mnl_attr_get_type(a)) {
		case CTA_TUPLE_ORIG:
			parse_tuple(a, &orig);
			ret->tuple = a;
			break;
		case CTA_TUPLE_REPLY: parse_tuple(a, &reply); break;
		case CTA_STATUS: ret->status = number(a); break;
		case CTA_ID:
			ret->id = number(a);
			ret->has_id = true;
			break;
		case CTA_ZONE:
			ret->zone = port(a);
			ret->has_zone = true;
			break;
		default: break;
		}
	}
	ret->protocol = orig.protocol;
	ret->orig_src = orig.src;
	ret->orig_dst = orig.dst;
	ret->orig_dst_port = orig.dst_port;
	ret->reply_src = reply.src;
	ret->reply_dst = reply.dst;
	ret->reply_src_port = reply.src_port;
}

static bool ip_fits(const struct nd_ip *want, const struct nd_ip *have)
{
	return !want->family || nd_ip_equal(want, have);
}

static bool any_fits(const struct nd_ip *want, const struct entry *x)
{
	return !want->family || nd_ip_equal(want, &x->orig_src) || nd_ip_equal(want, &x->orig_dst) ||
	       nd_ip_equal(want, &x->reply_src) || nd_ip_equal(want, &x->reply_dst);
}

static bool fits(const struct nat_connections *w, const struct entry *x)
{
	return (!w->protocol || w->protocol == x->protocol) && ip_fits(&w->orig_dst, &x->orig_dst) &&
	       (!w->orig_dst_port || w->orig_dst_port == x->orig_dst_port) &&
	       ip_fits(&w->reply_src, &x->reply_src) &&
	       (!w->reply_src_port || w->reply_src_port == x->reply_src_port) && any_fits(&w->any, x) &&
	       (!w->translated || x->status & IPS_DST_NAT);
}

/* Its own buffer is another than the dump's. ENOENT: it ended by itself. */
static int delete_entry(struct nat_conntrack *t, const struct entry *x, size_t *cnt, struct nd_error *e)
{
	char buf[TUPLE_MAX + 256], answer[1024];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	ssize_t len;

	if (!x->tuple || mnl_attr_get_len(x->tuple) > TUPLE_MAX)
		return 0;
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = ++t->seq;
	nfg = mnl_nlmsg_put_extra_header(h, sizeof(*nfg));
	nfg->nfgen_family = x->family;
	nfg->version = NFNETLINK_V0;
	mnl_attr_put(h, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(x->tuple),
		     mnl_attr_get_payload(x->tuple));
	if (x->has_id)
		mnl_attr_put_u32(h, CTA_ID, htonl(x->id));
	if (x->has_zone)
		mnl_attr_put_u16(h, CTA_ZONE, htons(x->zone));
	len = mnl_socket_sendto(t->change, h, h->nlmsg_len);
	if (len >= 0)
		len = mnl_socket_recvfrom(t->change, answer, sizeof(answer));
	if (len >= 0 &&
	    mnl_cb_run(answer, (size_t)len, h->nlmsg_seq, mnl_socket_get_portid(t->change), NULL, NULL) >= 0)
		++*cnt;
	else if (errno != ENOENT)
		return nd_fail_sys(e, errno, NULL, "delete a tracked connection");
	return 0;
}

struct run {
	struct nat_conntrack *t;
	const struct nat_connections *what;
	size_t cnt, ended;
	struct nd_error *e;
};

static int on_entry(const struct nlmsghdr *h, void *arg)
{
	struct run *r = arg;
	struct entry x;

	if (h->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
		return MNL_CB_OK;
	parse_entry(h, &x);
	for (size_t i = 0; i < r->cnt; i++)
		if (fits(&r->what[i], &x))
			return delete_entry(r->t, &x, &r->ended, r->e) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
	return MNL_CB_OK;
}

/* errno EINTR: others changed the table meanwhile, entries may have been missed. */
static int dump(struct nat_conntrack *t, struct run *r, struct nd_error *e)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(t->buf);
	struct nfgenmsg *nfg;
	unsigned seq = ++t->seq;
	int more = 1;

	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(h, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	if (mnl_socket_sendto(t->dump, h, h->nlmsg_len) < 0)
		return nd_fail_sys(e, errno, NULL, "list tracked connections");
	while (more > 0) {
		ssize_t len = mnl_socket_recvfrom(t->dump, t->buf, BUF_LEN);

		more = len < 0 ? -1
			       : mnl_cb_run(t->buf, (size_t)len, seq, mnl_socket_get_portid(t->dump),
					    on_entry, r);
	}
	if (e->code)
		return e->code;
	return more < 0 && errno != EINTR ? nd_fail_sys(e, errno, NULL, "list tracked connections") : more;
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		s = NULL;
	}
	return s;
}

int nat_conntrack_delete(struct nat_conntrack *t, const struct nat_connections *what, size_t cnt,
			 size_t *ret_cnt, struct nd_error *e)
{
	struct nd_error own = ND_ERROR_INIT;
	struct run run = { .t = t, .what = what, .cnt = cnt, .e = &own };
	int r = -1;

	for (unsigned i = 0; cnt && i < DUMPS_MAX && r < 0 && !own.code; i++) {
		if (i > 0) { /* what is left of the last dump goes with its socket */
			mnl_socket_close(t->dump);
			t->dump = open_socket();
		}
		r = t->dump ? dump(t, &run, &own) : nd_fail_sys(&own, errno, NULL, "netlink socket");
	}
	if (ret_cnt)
		*ret_cnt = run.ended;
	/* A kernel without connection tracking has none. */
	if (!own.code || own.sys == EINVAL || own.sys == EOPNOTSUPP)
		return 0;
	if (e)
		nd_error_copy(e, &own);
	return own.code;
}

int nat_conntrack_new(struct nat_conntrack **ret, struct nd_error *e)
{
	struct nat_conntrack *t = calloc(1, sizeof(*t));

	if (!t)
		return nd_fail(e, ND_MEMORY, "connection tracking");
	t->buf = malloc(BUF_LEN);
	t->dump = open_socket();
	t->change = open_socket();
	if (!t->buf || !t->dump || !t->change) {
		int err = t->buf ? nd_fail_sys(e, errno, NULL, "netlink socket")
				 : nd_fail(e, ND_MEMORY, "connection tracking");

		nat_conntrack_free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void nat_conntrack_free(struct nat_conntrack *t)
{
	if (!t)
		return;
	if (t->dump)
		mnl_socket_close(t->dump);
	if (t->change)
		mnl_socket_close(t->change);
	free(t->buf);
	free(t);
}

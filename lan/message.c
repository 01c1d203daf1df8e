// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the kernel's messages, kept whole and said again of another link
 *
 * What is not known here is moved too: a message is copied attribute by attribute, and only what names the link, what the kernel tells but does not take, and
 * what it computes is changed. So metrics, preferred sources, onlink, protocols, port ranges of rules, and attributes of kernels to come are carried along.
 *
 * Lifetimes stay as they were read; lan_op_age takes off what has passed when a request is sent later.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "lan/private.h"
#include <arpa/inet.h>
#include <assert.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <stdarg.h>

#define USER_HZ 100 /* in which the kernel tells a route's expiry: include/asm-generic/param.h */

struct message_row {
	uint16_t make, del;
	size_t header;
	const char *noun;
};
static const struct message_row message_rows[] = {
	{ RTM_NEWADDR, RTM_DELADDR, sizeof(struct ifaddrmsg), "address" },
	{ RTM_NEWROUTE, RTM_DELROUTE, sizeof(struct rtmsg), "route" },
	{ RTM_NEWNEXTHOP, RTM_DELNEXTHOP, sizeof(struct nhmsg), "next hop" },
	{ RTM_NEWRULE, RTM_DELRULE, sizeof(struct fib_rule_hdr), "rule" },
	{ RTM_NEWNEIGH, RTM_DELNEIGH, sizeof(struct ndmsg), "neighbour" },
};

static const struct message_row *row_of(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(message_rows); i++)
		if (message_rows[i].make == type)
			return &message_rows[i];
	return NULL;
}

static struct nlattr *first_attr(const struct lan_message *m, int *ret_len)
{
	size_t header = NLA_ALIGN(row_of(m->type)->header);
	*ret_len = (int)(m->len - header);
	return (struct nlattr *)(m->data + header);
}

struct nlattr *lan_message_attr(const struct lan_message *m, int type)
{
	int len;
	struct nlattr *first = first_attr(m, &len);
	return nla_find(first, len, type);
}

bool lan_message_is_ip6(const struct lan_message *m)
{
	return m->data[0] == AF_INET6; /* every header begins with the family */
}

bool lan_message_is_multipath(const struct lan_message *m)
{
	return lan_message_attr(m, RTA_MULTIPATH) != NULL;
}

static const char *attr_ip(const struct lan_message *m, int type, char buf[ND_IP_STRLEN])
{
	const struct nlattr *a = lan_message_attr(m, type);
	bool six = lan_message_is_ip6(m);
	if (!a || nla_len(a) < (six ? 16 : 4) || !inet_ntop(m->data[0], nla_data(a), buf, ND_IP_STRLEN))
		return NULL;
	return buf;
}

static uint32_t attr_u32(const struct lan_message *m, int type, uint32_t fallback)
{
	const struct nlattr *a = lan_message_attr(m, type);
	return a && nla_len(a) >= 4 ? nla_get_u32(a) : fallback;
}

static void describe(struct lan_message *m)
{
	char ip[ND_IP_STRLEN], via[ND_IP_STRLEN];
	const char *s;
	switch (m->type) {
	case RTM_NEWADDR:
		s = attr_ip(m, lan_message_attr(m, IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS, ip);
		snprintf(m->text, sizeof m->text, "address %s/%u", s ? s : "?",
			 ((struct ifaddrmsg *)m->data)->ifa_prefixlen);
		return;
	case RTM_NEWROUTE:
		s = attr_ip(m, RTA_DST, ip);
		snprintf(m->text, sizeof m->text, "route %s", s ? s : "default");
		if (s)
			snprintf(m->text + strlen(m->text), 8, "/%u", ((struct rtmsg *)m->data)->rtm_dst_len);
		s = attr_ip(m, RTA_GATEWAY, via);
		if (s)
			snprintf(m->text + strlen(m->text), sizeof m->text - strlen(m->text), " via %s", s);
		return;
	case RTM_NEWNEXTHOP: snprintf(m->text, sizeof m->text, "next hop %u", attr_u32(m, NHA_ID, 0)); return;
	case RTM_NEWRULE: snprintf(m->text, sizeof m->text, "rule %u", attr_u32(m, FRA_PRIORITY, 0)); return;
	default: s = attr_ip(m, NDA_DST, ip); snprintf(m->text, sizeof m->text, "neighbour %s", s ? s : "?");
	}
}

void lan_messages_done(struct lan_messages *all)
{
	for (size_t i = 0; i < all->cnt; i++)
		free(all->list[i].data);
	free(all->list);
	*all = (struct lan_messages){ 0 };
}

int lan_messages_add(struct lan_messages *all, const struct nlmsghdr *msg, struct nd_error *e)
{
	const struct message_row *row = row_of(msg->nlmsg_type);
	size_t len = msg->nlmsg_len - NLMSG_HDRLEN;
	if (!row || len < NLA_ALIGN(row->header))
		return nd_fail(e, ND_PARSE, "rtnetlink message of type %u", msg->nlmsg_type);
	if (all->cnt == all->size) {
		size_t size = all->size ? all->size * 2 : 16;
		struct lan_message *list = realloc(all->list, size * sizeof *list);
		if (!list)
			return nd_fail(e, ND_MEMORY, "%ss", row->noun);
		all->list = list;
		all->size = size;
	}
	struct lan_message *m = &all->list[all->cnt];
	*m = (struct lan_message){ .type = msg->nlmsg_type, .data = malloc(len), .len = len };
	if (!m->data)
		return nd_fail(e, ND_MEMORY, "%ss", row->noun);
	memcpy(m->data, NLMSG_DATA(msg), len);
	describe(m);
	all->cnt++;
	return 0;
}

/* ---- requests ---- */

struct making {
	struct nl_msg *msg;
	const struct lan_message *m;
	const struct lan_place *from, *to;
	enum lan_verb verb;
	bool bad;
};

static void copy(struct making *k, const struct nlattr *a)
{
	k->bad |= nla_put(k->msg, a->nla_type, nla_len(a), nla_data(a)) < 0;
}

static int mapped_index(const struct making *k, int ifindex)
{
	return ifindex == k->from->ifindex ? k->to->ifindex : ifindex;
}

static void put_index(struct making *k, const struct nlattr *a)
{
	int ifindex = nla_len(a) >= 4 ? (int)nla_get_u32(a) : 0;
	k->bad |= nla_put_u32(k->msg, nla_type(a), (uint32_t)mapped_index(k, ifindex)) < 0;
}

/* A link's name, or its name and something behind a colon: labels of old aliases ("eth0:1"). */
static void put_name(struct making *k, const struct nlattr *a)
{
	char was[ND_IFNAMSIZ], name[2 * ND_IFNAMSIZ];
	size_t len = strlen(k->from->name);
	nd_strcpyn(was, sizeof was, nla_data(a), strnlen(nla_data(a), (size_t)nla_len(a)));
	if (!strncmp(was, k->from->name, len) && (!was[len] || was[len] == ':')) {
		snprintf(name, sizeof name, "%s%s", k->to->name, was + len);
		name[ND_IFNAMSIZ - 1] = '\0';
	} else {
		snprintf(name, sizeof name, "%s", was);
	}
	k->bad |= nla_put_string(k->msg, nla_type(a), name) < 0;
}

#define ADDRESS_FLAGS4 (IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)
#define ADDRESS_FLAGS6                                                                                     \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | \
	 IFA_F_OPTIMISTIC)

static void address_attr(struct making *k, const struct nlattr *a)
{
	if (nla_type(a) == IFA_LABEL)
		put_name(k, a);
	else if (nla_type(a) != IFA_FLAGS && nla_type(a) != IFA_TARGET_NETNSID)
		copy(k, a);
}

/*
 * An address that was in use needs no detection of duplicates, which would keep it from being used for a second; the flag that says so goes again with a
 * replacing message. One that had failed it, or not passed it yet, has to.
 */
static void address_head(struct making *k, void *header)
{
	struct ifaddrmsg *h = header;
	uint32_t flags = attr_u32(k->m, IFA_FLAGS, h->ifa_flags);
	bool tested = !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
	h->ifa_index = (unsigned)mapped_index(k, (int)h->ifa_index);
	h->ifa_flags = 0;
	flags &= h->ifa_family == AF_INET6 ? ADDRESS_FLAGS6 : ADDRESS_FLAGS4;
	if (h->ifa_family == AF_INET6 && tested && k->verb == LAN_ADD_QUIET)
		flags |= IFA_F_NODAD;
	k->bad |= nla_put_u32(k->msg, IFA_FLAGS, flags) < 0;
}

static void multipath(struct making *k, const struct nlattr *a)
{
	struct nlattr *out = nla_reserve(k->msg, nla_type(a), nla_len(a));
	if (!out) {
		k->bad = true;
		return;
	}
	memcpy(nla_data(out), nla_data(a), (size_t)nla_len(a));
	for (int left = nla_len(a), at = 0; left >= (int)sizeof(struct rtnexthop);) {
		struct rtnexthop *hop = (struct rtnexthop *)((char *)nla_data(out) + at);
		int len = (int)RTNH_ALIGN(hop->rtnh_len);
		if (hop->rtnh_len < sizeof *hop)
			break;
		hop->rtnh_ifindex = mapped_index(k, hop->rtnh_ifindex);
		hop->rtnh_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
		left -= len;
		at += len;
	}
}

static void route_attr(struct making *k, const struct nlattr *a)
{
	switch (nla_type(a)) {
	case RTA_OIF: put_index(k, a); break;
	case RTA_MULTIPATH: multipath(k, a); break;
	case RTA_CACHEINFO: {
		const struct rta_cacheinfo *c = nla_data(a);
		if (lan_message_is_ip6(k->m) && nla_len(a) >= (int)sizeof *c && (int)c->rta_expires > 0)
			k->bad |= nla_put_u32(k->msg, RTA_EXPIRES, c->rta_expires / USER_HZ + 1) < 0;
		break;
	}
	default: copy(k, a);
	}
}

static void route_head(struct making *k, void *header)
{
	((struct rtmsg *)header)->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
}

static void nexthop_attr(struct making *k, const struct nlattr *a)
{
	if (nla_type(a) == NHA_OIF)
		put_index(k, a);
	else
		copy(k, a);
}

static void nexthop_head(struct making *k, void *header)
{
	struct nhmsg *h = header;
	h->nh_flags &= RTNH_F_ONLINK;
	h->nh_scope = 0; /* the kernel's own to say */
}

static void rule_attr(struct making *k, const struct nlattr *a)
{
	if (nla_type(a) == FRA_IIFNAME || nla_type(a) == FRA_OIFNAME)
		put_name(k, a);
	else
		copy(k, a);
}

/* Without a priority the kernel would choose one; it tells none where it is 0. */
static void rule_head(struct making *k, void *header)
{
	((struct fib_rule_hdr *)header)->flags &= FIB_RULE_INVERT;
	if (!lan_message_attr(k->m, FRA_PRIORITY))
		k->bad |= nla_put_u32(k->msg, FRA_PRIORITY, 0) < 0;
}

static void neighbour_attr(struct making *k, const struct nlattr *a)
{
	if (nla_type(a) == NDA_DST || nla_type(a) == NDA_LLADDR)
		copy(k, a);
}

static void neighbour_head(struct making *k, void *header)
{
	struct ndmsg *h = header;
	h->ndm_ifindex = mapped_index(k, h->ndm_ifindex);
	h->ndm_state = h->ndm_state & NUD_PERMANENT ? NUD_PERMANENT : NUD_STALE;
	h->ndm_flags &= NTF_ROUTER;
}

static const struct {
	void (*head)(struct making *k, void *header);
	void (*attr)(struct making *k, const struct nlattr *a);
} makers[] = {
	{ address_head, address_attr }, { route_head, route_attr },         { nexthop_head, nexthop_attr },
	{ rule_head, rule_attr },       { neighbour_head, neighbour_attr },
};
static_assert(ARRAY_LEN(makers) == ARRAY_LEN(message_rows), "one maker per message");

static uint16_t request_flags(const struct lan_message *m, enum lan_verb verb)
{
	if (verb == LAN_DELETE)
		return 0;
	if (verb == LAN_REPLACE || m->type == RTM_NEWNEIGH)
		return NLM_F_CREATE | NLM_F_REPLACE;
	if (m->type ==
	    RTM_NEWROUTE) /* never in another's place: two links may have a route of the same prefix and metric */
		return NLM_F_CREATE | NLM_F_APPEND;
	return m->type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE | NLM_F_REPLACE;
}

int lan_message_request(const struct lan_message *m, enum lan_verb verb, const struct lan_place *from,
			const struct lan_place *to, struct lan_op *ret, struct nd_error *e)
{
	size_t kind = (size_t)(row_of(m->type) - message_rows);
	size_t header = message_rows[kind].header;
	struct nl_msg *msg = nlmsg_alloc_size(m->len + 256);
	struct making k = { .msg = msg, .m = m, .from = from, .to = to, .verb = verb };
	struct nlattr *a;
	int left;
	uint16_t type = verb == LAN_DELETE ? message_rows[kind].del : m->type;
	struct nlmsghdr *hdr = msg ? nlmsg_put(msg, 0, 0, type, (int)header, request_flags(m, verb)) : NULL;
	if (!hdr) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "%s", m->text);
	}
	memcpy(nlmsg_data(hdr), m->data, header);
	makers[kind].head(&k, nlmsg_data(hdr));
	a = first_attr(m, &left);
	for (; nla_ok(a, left); a = nla_next(a, &left))
		makers[kind].attr(&k, a);
	if (k.bad) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "%s", m->text);
	}
	return lan_op_from_msg(ret, msg, e);
}

int lan_op_from_msg(struct lan_op *ret, struct nl_msg *msg, struct nd_error *e)
{
	const struct nlmsghdr *hdr = msg ? nlmsg_hdr(msg) : NULL;
	size_t len = hdr ? hdr->nlmsg_len - NLMSG_HDRLEN : 0;
	uint8_t *data = hdr ? malloc(len) : NULL;
	if (!data) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "netlink request");
	}
	memcpy(data, NLMSG_DATA(hdr), len);
	*ret = (struct lan_op){ .kind = LAN_OP_NETLINK,
				.type = hdr->nlmsg_type,
				.flags = hdr->nlmsg_flags,
				.data = data,
				.len = len };
	nlmsg_free(msg);
	return 0;
}

int lan_op_text(struct lan_op *ret, int kind, const char *key, const char *value, struct nd_error *e)
{
	*ret = (struct lan_op){
		.kind = kind, .key = strdup(key), .data = (uint8_t *)strdup(value), .len = strlen(value)
	};
	if (ret->key && ret->data)
		return 0;
	lan_op_done(ret);
	return nd_fail(e, ND_MEMORY, "%s", key);
}

void lan_op_done(struct lan_op *op)
{
	free(op->key);
	free(op->data);
	*op = (struct lan_op){ .kind = LAN_OP_NONE };
}

/* 0 would be refused or mean for ever: what ran out meanwhile lives for one more second. */
static void age(uint32_t *v, uint64_t elapsed_s)
{
	if (*v != UINT32_MAX && *v != 0)
		*v = *v > elapsed_s ? *v - (uint32_t)elapsed_s : 1;
}

void lan_op_age(struct lan_op *op, uint64_t elapsed_s)
{
	const struct message_row *row = op->kind == LAN_OP_NETLINK ? row_of(op->type) : NULL;
	size_t header = row ? NLA_ALIGN(row->header) : 0;
	int left = (int)(op->len - header);
	if (!row || op->len < header)
		return;
	for (struct nlattr *a = (struct nlattr *)(op->data + header); nla_ok(a, left);
	     a = nla_next(a, &left)) {
		struct ifa_cacheinfo *c = nla_data(a);
		if (op->type == RTM_NEWADDR && nla_type(a) == IFA_CACHEINFO && nla_len(a) >= (int)sizeof *c) {
			age(&c->ifa_valid, elapsed_s);
			age(&c->ifa_prefered, elapsed_s);
			if (c->ifa_prefered > c->ifa_valid)
				c->ifa_prefered = c->ifa_valid;
		} else if (op->type == RTM_NEWROUTE && nla_type(a) == RTA_EXPIRES && nla_len(a) >= 4) {
			age(nla_data(a), elapsed_s);
		}
	}
}

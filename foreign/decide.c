// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a ruleset does with a described packet (see decide.h)
 *
 * The registers are bytes, each known or not. Headers are built once from the description, so that a payload
 * expression of any offset is a copy. A test on bytes of which some are not known still gives an answer where
 * the known ones settle it.
 */
#include "foreign/decide.h"
#include "foreign/private.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

#define DEPTH_MAX 17       /* NFT_JUMP_STACK_SIZE, and one */
#define RULES_MAX 1000000u /* a decision walks at most */

enum truth { NO, YES, MAYBE };

struct bytes {
	uint8_t v[FOREIGN_REGS_LEN];
	bool known[FOREIGN_REGS_LEN];
};
struct walk {
	const struct foreign_ruleset *rs;
	struct foreign_packet *p;
	const struct foreign_routes *routes;
	struct foreign_decision *ret;
	struct bytes regs;
	struct bytes link, net, transport; /* headers */
	enum foreign_layer layer;
	unsigned hook, rules;
	bool maybe;      /* in a chain that may have been entered: verdicts are only remembered */
	bool may_accept; /* something in this base chain may have accepted */
	bool translated;
};
enum end { GO_ON, RETURNED, DECIDED };
struct result {
	enum end end;
	enum foreign_outcome outcome;
	const struct foreign_rule *rule;
};

/* ---- bytes ---- */

static void put(struct bytes *b, int at, const void *v, size_t len)
{
	for (size_t i = 0; i < len && (size_t)at + i < FOREIGN_REGS_LEN; i++) {
		b->v[at + (int)i] = ((const uint8_t *)v)[i];
		b->known[at + (int)i] = true;
	}
}

/* Registers hold multiples of four bytes, what is left of a value is 0. */
static void store(struct walk *w, int reg, const void *v, size_t len)
{
	static const uint8_t zero[4];

	if (reg < 0)
		return;
	put(&w->regs, reg, v, len);
	if (len % 4)
		put(&w->regs, reg + (int)len, zero, 4 - len % 4);
}

static void forget(struct walk *w, int reg, size_t len)
{
	for (size_t i = 0; reg >= 0 && i < len && (size_t)reg + i < FOREIGN_REGS_LEN; i++)
		w->regs.known[reg + (int)i] = false;
}

/* a against b. Unknown bytes leave open what is equal before them. *ret: as memcmp. Return: whether it is known. */
static bool compare(const struct bytes *a, int at, const uint8_t *b, size_t len, int *ret)
{
	*ret = 0;
	for (size_t i = 0; i < len; i++) {
		if ((size_t)at + i >= FOREIGN_REGS_LEN || !a->known[at + (int)i])
			return false;
		if (a->v[at + (int)i] != b[i]) {
			*ret = a->v[at + (int)i] < b[i] ? -1 : 1;
			return true;
		}
	}
	return true;
}

static enum truth equal(const struct bytes *a, int at, const uint8_t *b, size_t len)
{
	enum truth t = YES;

	for (size_t i = 0; i < len; i++) {
		if ((size_t)at + i >= FOREIGN_REGS_LEN || !a->known[at + (int)i])
			t = MAYBE;
		else if (a->v[at + (int)i] != b[i])
			return NO;
	}
	return t;
}

static enum truth within(const struct bytes *a, int at, const uint8_t *lo, const uint8_t *hi, size_t len)
{
	int low, high;

	if (!compare(a, at, lo, len, &low) || !compare(a, at, hi, len, &high))
		return MAYBE;
	return low >= 0 && high <= 0 ? YES : NO;
}

static enum truth negate(enum truth t, bool really)
{
	return !really || t == MAYBE ? t : t == YES ? NO : YES;
}

static enum truth truth_of(bool known, bool yes)
{
	return !known ? MAYBE : yes ? YES : NO;
}

/* ---- headers ---- */

static void put_u16(struct bytes *b, int at, uint16_t v)
{
	uint16_t be = htons(v);

	put(b, at, &be, sizeof(be));
}

static void build_ip4(struct walk *w)
{
	const struct foreign_packet *p = w->p;

	put(&w->net, 0, "\x45", 1);
	put(&w->net, 6, "\0\0", 2); /* no fragment */
	if (p->proto)
		put(&w->net, 9, &p->proto, 1);
	if (p->saddr.family)
		put(&w->net, 12, p->saddr.b, 4);
	if (p->daddr.family)
		put(&w->net, 16, p->daddr.b, 4);
}

static void build_ip6(struct walk *w)
{
	const struct foreign_packet *p = w->p;

	put(&w->net, 0, "\x60", 1);
	if (p->proto)
		put(&w->net, 6, &p->proto, 1);
	if (p->saddr.family)
		put(&w->net, 8, p->saddr.b, 16);
	if (p->daddr.family)
		put(&w->net, 24, p->daddr.b, 16);
}

static void build_headers(struct walk *w)
{
	const struct foreign_packet *p = w->p;

	w->link = w->net = w->transport = (struct bytes){ .known = { false } };
	if (!nd_mac_is_zero(&p->ether_daddr))
		put(&w->link, 0, p->ether_daddr.b, 6);
	if (!nd_mac_is_zero(&p->ether_saddr))
		put(&w->link, 6, p->ether_saddr.b, 6);
	put_u16(&w->link, 12, p->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);
	if (p->family == AF_INET6)
		build_ip6(w);
	else
		build_ip4(w);
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		put(&w->transport, 0, &p->icmp_type, 1);
		put(&w->transport, 1, "\0", 1);
		return;
	}
	if (p->sport)
		put_u16(&w->transport, 0, p->sport);
	if (p->dport)
		put_u16(&w->transport, 2, p->dport);
	if (p->proto == IPPROTO_TCP && p->ct & FOREIGN_CT_NEW)
		put(&w->transport, 13, "\x02", 1); /* SYN */
}

/* ---- loads ---- */

/* PACKET_HOST, or PACKET_OTHERHOST of a frame that a bridge passes on. Return: false when it is not known. */
static bool packet_type(const struct walk *w, uint8_t *ret)
{
	const struct nd_ip *to = &w->p->daddr;

	if (w->layer == FOREIGN_BRIDGE) {
		*ret = PACKET_OTHERHOST;
		return !nd_mac_is_zero(&w->p->ether_daddr) && !nd_mac_is_multicast(&w->p->ether_daddr);
	}
	*ret = PACKET_HOST;
	return to->family == AF_INET6 ? to->b[0] != 0xff : to->family == AF_INET && to->b[0] < 224;
}

static void load_name(struct walk *w, int reg, const char *name)
{
	char buf[ND_IFNAMSIZ] = "";

	snprintf(buf, sizeof(buf), "%s", name);
	store(w, reg, buf, sizeof(buf));
}

static void load_u32(struct walk *w, int reg, uint32_t v, bool known)
{
	if (known)
		store(w, reg, &v, sizeof(v));
	else
		forget(w, reg, sizeof(v));
}

static void load_meta(struct walk *w, const struct foreign_expr *x)
{
	const struct foreign_packet *p = w->p;
	uint16_t protocol = htons(p->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP), type = ARPHRD_ETHER;
	uint8_t nfproto = p->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4, pkttype = 0;
	bool bridge = w->layer == FOREIGN_BRIDGE;

	switch (x->key) {
	case NFT_META_IIFNAME: load_name(w, x->dreg, bridge ? p->physin : p->iif); return;
	case NFT_META_OIFNAME: load_name(w, x->dreg, bridge ? p->physout : p->oif); return;
	case NFT_META_BRI_IIFNAME: load_name(w, x->dreg, p->iif); return;
	case NFT_META_BRI_OIFNAME: load_name(w, x->dreg, p->oif); return;
	case NFT_META_IIF:
		load_u32(w, x->dreg, (uint32_t)p->iifindex, !bridge && (p->iifindex || !p->iif[0]));
		return;
	case NFT_META_OIF:
		load_u32(w, x->dreg, (uint32_t)p->oifindex, !bridge && (p->oifindex || !p->oif[0]));
		return;
	case NFT_META_NFPROTO:
		if (bridge)
			nfproto = NFPROTO_BRIDGE;
		store(w, x->dreg, &nfproto, 1);
		return;
	case NFT_META_L4PROTO:
		if (p->proto)
			store(w, x->dreg, &p->proto, 1);
		else
			forget(w, x->dreg, 4);
		return;
	case NFT_META_PROTOCOL: store(w, x->dreg, &protocol, 2); return;
	case NFT_META_MARK: load_u32(w, x->dreg, p->mark, !p->mark_unknown); return;
	case NFT_META_IIFTYPE:
	case NFT_META_OIFTYPE:
		if (strcmp(x->key == NFT_META_IIFTYPE ? p->iif : p->oif, "lo") == 0)
			type = ARPHRD_LOOPBACK;
		store(w, x->dreg, &type, 2);
		return;
	case NFT_META_PKTTYPE:
		if (packet_type(w, &pkttype))
			store(w, x->dreg, &pkttype, 1);
		else
			forget(w, x->dreg, 4);
		return;
	}
	forget(w, x->dreg, 16);
}

static void load_ct(struct walk *w, const struct foreign_expr *x)
{
	static const struct {
		uint32_t ours, state, status;
	} rows[] = {
		/* NF_CT_STATE_BIT and IPS_ bits */
		{ FOREIGN_CT_INVALID, 1 << 0, 0 },   { FOREIGN_CT_ESTABLISHED, 1 << 1, 1 << 1 },
		{ FOREIGN_CT_RELATED, 1 << 2, 1 },   { FOREIGN_CT_NEW, 1 << 3, 0 },
		{ FOREIGN_CT_UNTRACKED, 1 << 6, 0 }, { FOREIGN_CT_SNAT, 0, 1 << 4 },
		{ FOREIGN_CT_DNAT, 0, 1 << 5 },
	};
	uint32_t state = 0, status = 0;
	uint8_t reply = w->p->reply;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (w->p->ct & rows[i].ours) {
			state |= rows[i].state;
			status |= rows[i].status;
		}
	if (w->p->ct && x->key == NFT_CT_STATE)
		store(w, x->dreg, &state, 4);
	else if (w->p->ct && x->key == NFT_CT_STATUS)
		store(w, x->dreg, &status, 4);
	else if (w->p->ct && x->key == NFT_CT_DIRECTION)
		store(w, x->dreg, &reply, 1);
	else
		forget(w, x->dreg, 16);
}

static void load_fib(struct walk *w, const struct foreign_expr *x)
{
	const struct nd_ip *ip = x->flags & NFTA_FIB_F_SADDR ? &w->p->saddr : &w->p->daddr;
	const struct foreign_routes *r = w->routes;
	char name[ND_IFNAMSIZ] = "";
	uint32_t type = 0;
	int ifindex = 0;

	forget(w, x->dreg, 16);
	if (!r || !ip->family)
		return;
	if (x->key == NFT_FIB_RESULT_ADDRTYPE) {
		if (!(x->flags & (NFTA_FIB_F_IIF | NFTA_FIB_F_OIF)) && r->type && r->type(r->arg, ip, &type))
			store(w, x->dreg, &type, 4);
		return;
	}
	if (!r->oif || !r->oif(r->arg, ip, "", &ifindex, name))
		return;
	/* with the interface given, a route through another one is none */
	if (x->flags & NFTA_FIB_F_IIF && strcmp(name, w->p->iif) != 0) {
		ifindex = 0;
		name[0] = '\0';
	}
	if (x->flags & NFTA_FIB_F_PRESENT)
		store(w, x->dreg, &(uint8_t){ ifindex != 0 }, 1);
	else if (x->key == NFT_FIB_RESULT_OIFNAME)
		load_name(w, x->dreg, name);
	else
		load_u32(w, x->dreg, (uint32_t)ifindex, true);
}

static void load_payload(struct walk *w, const struct foreign_expr *x)
{
	const struct bytes *from = x->base == NFT_PAYLOAD_LL_HEADER          ? &w->link
				   : x->base == NFT_PAYLOAD_NETWORK_HEADER   ? &w->net
				   : x->base == NFT_PAYLOAD_TRANSPORT_HEADER ? &w->transport
									     : NULL;

	for (uint32_t i = 0; i < (x->len + 3) / 4 * 4; i++) {
		size_t at = (size_t)x->dreg + i, src = (size_t)x->offset + i;

		if (at >= FOREIGN_REGS_LEN)
			break;
		w->regs.known[at] = i >= x->len || (from && src < FOREIGN_REGS_LEN && from->known[src]);
		w->regs.v[at] = i < x->len && w->regs.known[at] ? from->v[src] : 0;
	}
}

static void bitwise(struct walk *w, const struct foreign_expr *x)
{
	for (uint32_t i = 0; i < x->len; i++) {
		size_t from = (size_t)x->sreg + i, to = (size_t)x->dreg + i;

		if (from >= FOREIGN_REGS_LEN || to >= FOREIGN_REGS_LEN)
			break;
		w->regs.known[to] = w->regs.known[from] || x->data[i] == 0;
		w->regs.v[to] = (uint8_t)((w->regs.v[from] & x->data[i]) ^ x->data2[i]);
	}
}

static void byteorder(struct walk *w, const struct foreign_expr *x)
{
	const uint16_t one = 1;
	struct bytes from = w->regs;
	bool little = *(const uint8_t *)&one == 1;

	for (uint32_t i = 0; i < x->len; i++) {
		uint32_t word = i / x->offset * x->offset;
		uint32_t k = little ? word + x->offset - 1 - (i - word) : i;

		if ((size_t)x->sreg + k >= FOREIGN_REGS_LEN || (size_t)x->dreg + i >= FOREIGN_REGS_LEN)
			break;
		w->regs.v[x->dreg + (int)i] = from.v[x->sreg + (int)k];
		w->regs.known[x->dreg + (int)i] = from.known[x->sreg + (int)k];
	}
}

/* ---- tests ---- */

static enum truth test_cmp(const struct walk *w, const struct foreign_expr *x)
{
	enum truth eq = equal(&w->regs, x->sreg, x->data, x->data_len);
	int d;

	if (x->op == NFT_CMP_EQ || x->op == NFT_CMP_NEQ)
		return negate(eq, x->op == NFT_CMP_NEQ);
	if (!compare(&w->regs, x->sreg, x->data, x->data_len, &d))
		return MAYBE;
	switch (x->op) {
	case NFT_CMP_LT: return d < 0 ? YES : NO;
	case NFT_CMP_LTE: return d <= 0 ? YES : NO;
	case NFT_CMP_GT: return d > 0 ? YES : NO;
	}
	return d >= 0 ? YES : NO;
}

/* Concatenated ranges: each field within its own. */
static enum truth within_fields(const struct walk *w, const struct foreign_expr *x,
				const struct foreign_elem *el)
{
	const struct foreign_set *s = x->set;
	enum truth t = YES;
	uint32_t at = 0;

	for (uint8_t f = 0; f < s->field_cnt && at + s->field_len[f] <= s->key_len; f++) {
		enum truth one =
			within(&w->regs, x->sreg + (int)at, el->key + at, el->end + at, s->field_len[f]);

		if (one == NO)
			return NO;
		if (one == MAYBE)
			t = MAYBE;
		at += (s->field_len[f] + 3u) / 4 * 4;
	}
	return t;
}

static enum truth elem_test(const struct walk *w, const struct foreign_expr *x, const struct foreign_elem *el)
{
	if (el->end && x->set->field_cnt > 1)
		return within_fields(w, x, el);
	if (el->end)
		return within(&w->regs, x->sreg, el->key, el->end, x->set->key_len);
	return equal(&w->regs, x->sreg, el->key, x->set->key_len);
}

/* Intervals as starts and ends: the last element at or before the key decides. */
static enum truth find_interval(const struct walk *w, const struct foreign_expr *x,
				const struct foreign_elem **ret)
{
	const struct foreign_set *s = x->set;
	const struct foreign_elem *last = NULL;

	for (uint32_t i = 0; i < s->elem_cnt && !s->elems[i].catchall; i++) {
		int d;

		if (!compare(&w->regs, x->sreg, s->elems[i].key, s->key_len, &d))
			return MAYBE;
		if (d < 0)
			break;
		last = &s->elems[i];
	}
	if (!last || last->interval_end)
		return NO;
	*ret = last;
	return YES;
}

static enum truth find_elem(const struct walk *w, const struct foreign_expr *x,
			    const struct foreign_elem **ret)
{
	const struct foreign_set *s = x->set;
	bool maybe = false;

	if (s->flags & NFT_SET_INTERVAL && s->field_cnt <= 1 && s->elem_cnt && !s->elems[0].end) {
		enum truth t = find_interval(w, x, ret);

		if (t != NO)
			return t;
	}
	for (uint32_t i = 0; i < s->elem_cnt; i++) {
		const struct foreign_elem *el = &s->elems[i];
		enum truth t = el->catchall ? (maybe ? MAYBE : YES) : NO;

		if (!el->catchall && (el->end || !(s->flags & NFT_SET_INTERVAL)))
			t = elem_test(w, x, el);
		maybe |= t == MAYBE;
		if (t == YES) {
			*ret = el;
			return YES;
		}
	}
	return maybe || s->cut ? MAYBE : NO;
}

static bool ip_within(const struct nd_ip *ip, const struct nd_ip *lo, const struct nd_ip *hi)
{
	size_t len = ip->family == AF_INET6 ? 16 : 4;

	return ip->family == lo->family && memcmp(ip->b, lo->b, len) >= 0 && memcmp(ip->b, hi->b, len) <= 0;
}

static enum truth test_type(const struct walk *w, const struct nd_ip *ip, uint32_t types)
{
	uint32_t type;

	if (!types)
		return YES;
	if (!ip->family || !w->routes || !w->routes->type || !w->routes->type(w->routes->arg, ip, &type))
		return MAYBE;
	return types & 1u << type ? YES : NO;
}

static enum truth both(enum truth a, enum truth b)
{
	return a == NO || b == NO ? NO : a == MAYBE || b == MAYBE ? MAYBE : YES;
}

static enum truth test_port(const struct foreign_match *m, uint16_t port)
{
	if (!port)
		return MAYBE;
	for (size_t i = 0; i < m->port_cnt; i++)
		if (port >= m->ports[i][0] && port <= m->ports[i][1])
			return YES;
	return NO;
}

static enum truth test_ports(const struct walk *w, const struct foreign_match *m)
{
	enum truth src = m->a & 1 ? test_port(m, w->p->sport) : NO;
	enum truth dst = m->a & 2 ? test_port(m, w->p->dport) : NO;

	if (w->p->proto == IPPROTO_ICMP || w->p->proto == IPPROTO_ICMPV6)
		return NO;
	return src == YES || dst == YES ? YES : src == MAYBE || dst == MAYBE ? MAYBE : NO;
}

static bool name_fits(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	return len && pattern[len - 1] == '+' ? strncmp(pattern, name, len - 1) == 0
					      : strcmp(pattern, name) == 0;
}

static enum truth test_physdev(const struct walk *w, const struct foreign_match *m)
{
	const struct foreign_packet *p = w->p;

	if (m->a) /* only of frames that stay in their bridge */
		return p->physin[0] && p->physout[0] && strcmp(p->iif, p->oif) == 0 ? MAYBE : NO;
	if (m->name[0])
		return p->physin[0] ? (name_fits(m->name, p->physin) ? YES : NO) : MAYBE;
	return p->physout[0] ? (name_fits(m->name2, p->physout) ? YES : NO) : MAYBE;
}

static enum truth test_match(const struct walk *w, const struct foreign_match *m)
{
	const struct foreign_packet *p = w->p;

	switch (m->kind) {
	case FOREIGN_MATCH_CTSTATE: return truth_of(p->ct != 0, m->a & p->ct);
	case FOREIGN_MATCH_ADDRTYPE:
		return both(test_type(w, &p->saddr, m->a), test_type(w, &p->daddr, m->b));
	case FOREIGN_MATCH_PORTS: return test_ports(w, m);
	case FOREIGN_MATCH_PHYSDEV: return test_physdev(w, m);
	case FOREIGN_MATCH_ADDRESSES:
		return truth_of((m->a ? p->daddr : p->saddr).family != 0,
				ip_within(m->a ? &p->daddr : &p->saddr, &m->lo, &m->hi));
	case FOREIGN_MATCH_MAC:
		return truth_of(!nd_mac_is_zero(&p->ether_saddr), nd_mac_equal(&p->ether_saddr, &m->mac));
	case FOREIGN_MATCH_MARK: return truth_of(!p->mark_unknown, (p->mark & m->b) == m->a);
	case FOREIGN_MATCH_ICMP: return m->a == 255 || m->a == p->icmp_type ? YES : NO;
	case FOREIGN_MATCH_PROTO: return truth_of(p->proto != 0, m->a == p->proto);
	case FOREIGN_MATCH_IFNAME: return name_fits(m->name, m->a ? p->oif : p->iif) ? YES : NO;
	case FOREIGN_MATCH_TEXT: return YES;
	}
	return MAYBE;
}

/* ---- rules ---- */

static void remember(struct walk *w, const struct foreign_rule *r, enum foreign_outcome outcome)
{
	struct foreign_decision *d = w->ret;

	if (outcome == FOREIGN_ACCEPT)
		w->may_accept = true;
	for (size_t i = 0; i < d->uncertain_cnt; i++)
		if (d->uncertain[i] == r)
			return;
	if (outcome != FOREIGN_ACCEPT)
		d->certain = false;
	if (d->uncertain_cnt < FOREIGN_UNCERTAIN_MAX)
		d->uncertain[d->uncertain_cnt++] = r;
}

/* A translation's target is in registers: of a destination it changes where the packet goes. */
static void translate(struct walk *w, const struct foreign_expr *x)
{
	struct foreign_packet *p = w->p;
	size_t len = p->family == AF_INET6 ? 16 : 4;
	int port = (int)x->base;

	w->translated = true;
	p->ct |= x->key ? FOREIGN_CT_DNAT : FOREIGN_CT_SNAT;
	if (!x->key)
		return;
	if (x->sreg >= 0 && w->regs.known[x->sreg]) {
		memcpy(p->daddr.b, &w->regs.v[x->sreg], len);
		p->daddr.family = p->family;
	} else if (x->sreg >= 0 || strcmp(x->name, "redir") != 0) {
		p->daddr.family = 0; /* somewhere */
	}
	if (port >= 0 && w->regs.known[port])
		p->dport = (uint16_t)(w->regs.v[port] << 8 | w->regs.v[port + 1]);
	build_headers(w);
}

static struct result walk_chain(struct walk *w, const struct foreign_chain *c, unsigned depth);

static struct result verdict(struct walk *w, const struct foreign_rule *r, int code,
			     const struct foreign_chain *target, unsigned depth)
{
	struct result res = { .end = DECIDED, .rule = r };

	switch (code) {
	case NFT_CONTINUE: return (struct result){ GO_ON };
	case NFT_BREAK: return (struct result){ GO_ON };
	case NFT_RETURN: return (struct result){ RETURNED };
	case NFT_JUMP:
	case NFT_GOTO:
		res = target ? walk_chain(w, target, depth + 1) : (struct result){ GO_ON };
		if (res.end == DECIDED)
			return res;
		res.end = code == NFT_GOTO ? RETURNED : GO_ON;
		return res;
	}
	res.outcome = (code & NF_VERDICT_MASK) == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT;
	if ((code & NF_VERDICT_MASK) == NF_QUEUE)
		remember(w, r, FOREIGN_DROP); /* a program decides */
	return res;
}

/* A rule that may match: what it would decide is remembered. */
static void maybe_verdict(struct walk *w, const struct foreign_rule *r, int code,
			  const struct foreign_chain *target, unsigned depth, enum foreign_outcome outcome)
{
	bool was = w->maybe;

	if (code == NFT_JUMP || code == NFT_GOTO) {
		w->maybe = true;
		if (target)
			walk_chain(w, target, depth + 1);
		w->maybe = was;
	} else if (code == NFT_RETURN) {
		remember(w, r, FOREIGN_ACCEPT); /* what follows may not be reached */
	} else if (code != NFT_CONTINUE && code != NFT_BREAK) {
		remember(w, r, outcome);
	}
}

/* One expression that tests or loads. Those that decide are walk_rule's. */
static enum truth step(struct walk *w, const struct foreign_expr *x)
{
	switch (x->kind) {
	case FOREIGN_META: load_meta(w, x); return YES;
	case FOREIGN_META_SET:
		if (x->key == NFT_META_MARK && x->sreg >= 0) {
			w->p->mark_unknown = !w->regs.known[x->sreg];
			memcpy(&w->p->mark, &w->regs.v[x->sreg], 4);
		}
		return YES;
	case FOREIGN_PAYLOAD:
		load_payload(w, x);
		/* a header of another protocol is not there */
		return x->base == NFT_PAYLOAD_TRANSPORT_HEADER && !w->p->proto ? MAYBE : YES;
	case FOREIGN_CT: load_ct(w, x); return YES;
	case FOREIGN_FIB: load_fib(w, x); return YES;
	case FOREIGN_LOAD_UNKNOWN: forget(w, x->dreg, x->len < 16 ? 16 : x->len); return YES;
	case FOREIGN_IMMEDIATE: store(w, x->dreg, x->data, x->data_len); return YES;
	case FOREIGN_CMP: return test_cmp(w, x);
	case FOREIGN_RANGE:
		return negate(within(&w->regs, x->sreg, x->data, x->data2, x->data_len),
			      x->op == NFT_RANGE_NEQ);
	case FOREIGN_BITWISE: bitwise(w, x); return YES;
	case FOREIGN_BYTEORDER: byteorder(w, x); return YES;
	case FOREIGN_MATCH: return negate(test_match(w, x->match), x->match->invert);
	case FOREIGN_UNKNOWN: return MAYBE;
	case FOREIGN_LOOKUP:
	case FOREIGN_VERDICT:
	case FOREIGN_REJECT:
	case FOREIGN_NAT:
	case FOREIGN_IGNORED:
	case FOREIGN_KIND_CNT_: break;
	}
	return YES;
}

/* A map's value, or that of one of its possible elements. */
static struct result apply_map(struct walk *w, const struct foreign_rule *r, const struct foreign_expr *x,
			       enum truth t, const struct foreign_elem *el, unsigned depth)
{
	struct result none = { GO_ON };

	if (t == YES && el && x->dreg >= 0 && el->data) {
		store(w, x->dreg, el->data, x->set->data_len);
		return none;
	}
	if (x->dreg >= 0) {
		forget(w, x->dreg, x->set->data_len);
		return none;
	}
	if (t == YES && el && !w->maybe)
		return verdict(w, r, el->verdict, el->target, depth);
	for (uint32_t i = 0; t == MAYBE && i < x->set->elem_cnt; i++) {
		const struct foreign_elem *one = &x->set->elems[i];

		if (!one->interval_end && (one->catchall || elem_test(w, x, one) != NO))
			maybe_verdict(w, r, one->verdict, one->target, depth,
				      one->verdict == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT);
	}
	if (t == YES && el)
		maybe_verdict(w, r, el->verdict, el->target, depth,
			      el->verdict == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT);
	return none;
}

/* The end of a rule: what it decides. */
static struct result decide(struct walk *w, const struct foreign_rule *r, const struct foreign_expr *x,
			    enum truth t, unsigned depth)
{
	struct result res = { .end = DECIDED, .rule = r };

	if (x->kind == FOREIGN_VERDICT) {
		if (t == YES && !w->maybe)
			return verdict(w, r, x->verdict, x->target, depth);
		maybe_verdict(w, r, x->verdict, x->target, depth,
			      (x->verdict & NF_VERDICT_MASK) == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT);
		return (struct result){ GO_ON };
	}
	res.outcome = x->kind == FOREIGN_REJECT ? FOREIGN_REJECTED : FOREIGN_ACCEPT;
	if (t != YES || w->maybe) {
		remember(w, r, res.outcome);
		return (struct result){ GO_ON };
	}
	if (x->kind == FOREIGN_NAT)
		translate(w, x);
	return res;
}

static struct result walk_rule(struct walk *w, const struct foreign_rule *r, unsigned depth)
{
	const char *without = w->rs->without;
	enum truth all = YES;

	if (without && r->comment && strncmp(r->comment, without, strlen(without)) == 0)
		return (struct result){ GO_ON };
	for (size_t i = 0; i < r->expr_cnt; i++) {
		const struct foreign_expr *x = &r->exprs[i];
		const struct foreign_elem *el = NULL;
		enum truth t;

		if (x->kind == FOREIGN_VERDICT || x->kind == FOREIGN_REJECT || x->kind == FOREIGN_NAT)
			return decide(w, r, x, all, depth);
		if (x->kind != FOREIGN_LOOKUP) {
			t = step(w, x);
		} else {
			t = negate(find_elem(w, x, &el), x->flags & NFT_LOOKUP_F_INV);
			if (x->key && t != NO) {
				struct result res = apply_map(w, r, x, both(all, t), el, depth);

				if (res.end != GO_ON)
					return res;
			}
		}
		all = both(all, t);
		if (all == NO)
			break;
	}
	return (struct result){ GO_ON };
}

static struct result walk_chain(struct walk *w, const struct foreign_chain *c, unsigned depth)
{
	if (depth >= DEPTH_MAX)
		return (struct result){ GO_ON };
	for (const struct foreign_rule *r = c->rules; r; r = r->next) {
		struct result res;

		if (w->rules++ > RULES_MAX) {
			w->ret->certain = false;
			break;
		}
		res = walk_rule(w, r, depth);
		if (res.end == RETURNED)
			break;
		if (res.end == DECIDED)
			return res;
	}
	return (struct result){ GO_ON };
}

static struct result walk_base(struct walk *w, const struct foreign_chain *c)
{
	struct result res;

	w->regs = (struct bytes){ .known = { false } };
	w->may_accept = w->translated = false;
	res = walk_chain(w, c, 0);
	if (res.end != DECIDED)
		res.outcome = c->policy == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT;
	return res;
}

static bool chain_applies(const struct foreign_chain *c, const struct walk *w, bool only_foreign)
{
	uint8_t family = c->table->family;

	if (c->hook != w->hook || (only_foreign && strcmp(c->table->name, "netd") == 0))
		return false;
	if (w->layer == FOREIGN_BRIDGE)
		return family == NFPROTO_BRIDGE;
	return family == NFPROTO_INET || family == (w->p->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
}

void foreign_decide(const struct foreign_ruleset *rs, enum foreign_layer layer, unsigned hook,
		    bool only_foreign, struct foreign_packet *p, const struct foreign_routes *routes,
		    struct foreign_decision *ret)
{
	struct walk w = { .rs = rs, .p = p, .routes = routes, .ret = ret, .layer = layer, .hook = hook };
	bool translated = false;

	*ret = (struct foreign_decision){ .outcome = FOREIGN_ACCEPT, .certain = true };
	build_headers(&w);
	for (const struct foreign_chain *c = rs->bases; c; c = c->next_base) {
		struct foreign_step *s;
		struct result res;

		/* connections are translated at their first packet, and once */
		if (!chain_applies(c, &w, only_foreign) ||
		    (c->nat && (translated || !(p->ct & FOREIGN_CT_NEW))))
			continue;
		res = walk_base(&w, c);
		translated |= w.translated;
		s = &ret->steps[ret->step_cnt < FOREIGN_STEPS_MAX ? ret->step_cnt++ : FOREIGN_STEPS_MAX - 1];
		*s = (struct foreign_step){ c, res.rule, res.outcome, w.translated };
		if (res.outcome == FOREIGN_ACCEPT)
			continue;
		ret->outcome = res.outcome;
		ret->certain = !w.may_accept;
		return;
	}
}

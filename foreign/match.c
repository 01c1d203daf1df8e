// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what one expression does to a described packet
 *
 * The registers are bytes, each known or not. Headers are built once from the description, so that a payload
 * expression of any offset is a copy. A test on bytes of which some are not known still gives an answer where
 * the known ones settle it.
 */
#include "foreign/walk.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

/* ---- bytes ---- */

static void put(struct bytes *b, int at, const void *v, size_t len)
{
	for (size_t i = 0; i < len && (size_t)at + i < FOREIGN_REGS_LEN; i++) {
		b->v[at + (int)i] = ((const uint8_t *)v)[i];
		b->known[at + (int)i] = true;
	}
}

/* Registers hold multiples of four bytes, what is left of a value is 0. */
void foreign_store(struct walk *w, int reg, const void *v, size_t len)
{
	static const uint8_t zero[4];

	if (reg < 0)
		return;
	put(&w->regs, reg, v, len);
	if (len % 4)
		put(&w->regs, reg + (int)len, zero, 4 - len % 4);
}

void foreign_forget(struct walk *w, int reg, size_t len)
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

enum truth foreign_negate(enum truth t, bool really)
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

void foreign_headers_build(struct walk *w)
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
	foreign_store(w, reg, buf, sizeof(buf));
}

static void load_u32(struct walk *w, int reg, uint32_t v, bool known)
{
	if (known)
		foreign_store(w, reg, &v, sizeof(v));
	else
		foreign_forget(w, reg, sizeof(v));
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
		foreign_store(w, x->dreg, &nfproto, 1);
		return;
	case NFT_META_L4PROTO:
		if (p->proto)
			foreign_store(w, x->dreg, &p->proto, 1);
		else
			foreign_forget(w, x->dreg, 4);
		return;
	case NFT_META_PROTOCOL: foreign_store(w, x->dreg, &protocol, 2); return;
	case NFT_META_MARK: load_u32(w, x->dreg, p->mark, !p->mark_unknown); return;
	case NFT_META_IIFTYPE:
	case NFT_META_OIFTYPE:
		if (strcmp(x->key == NFT_META_IIFTYPE ? p->iif : p->oif, "lo") == 0)
			type = ARPHRD_LOOPBACK;
		foreign_store(w, x->dreg, &type, 2);
		return;
	case NFT_META_PKTTYPE:
		if (packet_type(w, &pkttype))
			foreign_store(w, x->dreg, &pkttype, 1);
		else
			foreign_forget(w, x->dreg, 4);
		return;
	}
	foreign_forget(w, x->dreg, 16);
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
		foreign_store(w, x->dreg, &state, 4);
	else if (w->p->ct && x->key == NFT_CT_STATUS)
		foreign_store(w, x->dreg, &status, 4);
	else if (w->p->ct && x->key == NFT_CT_DIRECTION)
		foreign_store(w, x->dreg, &reply, 1);
	else
		foreign_forget(w, x->dreg, 16);
}

static void load_fib(struct walk *w, const struct foreign_expr *x)
{
	const struct nd_ip *ip = x->flags & NFTA_FIB_F_SADDR ? &w->p->saddr : &w->p->daddr;
	const struct foreign_routes *r = w->routes;
	char name[ND_IFNAMSIZ] = "";
	uint32_t type = 0;
	int ifindex = 0;

	foreign_forget(w, x->dreg, 16);
	if (!r || !ip->family)
		return;
	if (x->key == NFT_FIB_RESULT_ADDRTYPE) {
		if (!(x->flags & (NFTA_FIB_F_IIF | NFTA_FIB_F_OIF)) && r->type && r->type(r->arg, ip, &type))
			foreign_store(w, x->dreg, &type, 4);
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
		foreign_store(w, x->dreg, &(uint8_t){ ifindex != 0 }, 1);
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
		return foreign_negate(eq, x->op == NFT_CMP_NEQ);
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

enum truth foreign_elem_test(const struct walk *w, const struct foreign_expr *x,
			     const struct foreign_elem *el)
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

enum truth foreign_elem_find(const struct walk *w, const struct foreign_expr *x,
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
			t = foreign_elem_test(w, x, el);
		if (t == YES && el->sometimes)
			t = MAYBE;
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

enum truth foreign_both(enum truth a, enum truth b)
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
		return foreign_both(test_type(w, &p->saddr, m->a), test_type(w, &p->daddr, m->b));
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

/* One expression that tests or loads. Those that decide are walk_rule's. */
enum truth foreign_step(struct walk *w, const struct foreign_expr *x)
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
	case FOREIGN_LOAD_UNKNOWN: foreign_forget(w, x->dreg, x->len < 16 ? 16 : x->len); return YES;
	case FOREIGN_IMMEDIATE: foreign_store(w, x->dreg, x->data, x->data_len); return YES;
	case FOREIGN_CMP: return test_cmp(w, x);
	case FOREIGN_RANGE:
		return foreign_negate(within(&w->regs, x->sreg, x->data, x->data2, x->data_len),
				      x->op == NFT_RANGE_NEQ);
	case FOREIGN_BITWISE: bitwise(w, x); return YES;
	case FOREIGN_BYTEORDER: byteorder(w, x); return YES;
	case FOREIGN_MATCH: return foreign_negate(test_match(w, x->match), x->match->invert);
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

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: matches and targets of xtables, as iptables-nft puts them into nf_tables
 *
 * The info is the kernel's struct of that match and revision. Those without a row here keep their name and
 * may match. Source: uapi linux/netfilter/xt_*.h.
 */
#include "foreign/private.h"
#include <limits.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_physdev.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>

struct xt {
	struct foreign_ruleset *rs;
	struct foreign_rule *r;
	struct foreign_match *m;
	uint8_t family;
};

/* XT_CONNTRACK_STATE_ and xt_state's bits are the same. */
static uint32_t ct_bits(uint32_t mask)
{
	static const struct {
		uint32_t xt, ours;
	} rows[] = {
		{ XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED), FOREIGN_CT_ESTABLISHED },
		{ XT_CONNTRACK_STATE_BIT(IP_CT_RELATED), FOREIGN_CT_RELATED },
		{ XT_CONNTRACK_STATE_BIT(IP_CT_NEW), FOREIGN_CT_NEW },
		{ XT_CONNTRACK_STATE_INVALID, FOREIGN_CT_INVALID },
		{ XT_CONNTRACK_STATE_SNAT, FOREIGN_CT_SNAT },
		{ XT_CONNTRACK_STATE_DNAT, FOREIGN_CT_DNAT },
		{ XT_CONNTRACK_STATE_UNTRACKED, FOREIGN_CT_UNTRACKED },
	};
	uint32_t bits = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (mask & rows[i].xt)
			bits |= rows[i].ours;
	return bits;
}

static bool xt_conntrack(struct xt *t, const void *info)
{
	const struct xt_conntrack_mtinfo3 *i = info;

	if (i->match_flags & ~(XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS))
		return false;
	t->m->kind = FOREIGN_MATCH_CTSTATE;
	t->m->a = ct_bits(i->state_mask);
	t->m->invert = i->invert_flags & XT_CONNTRACK_STATE;
	return i->match_flags & XT_CONNTRACK_STATE;
}

static bool xt_state(struct xt *t, const void *info)
{
	t->m->kind = FOREIGN_MATCH_CTSTATE;
	t->m->a = ct_bits(((const struct xt_state_info *)info)->statemask);
	return true;
}

static bool xt_addrtype(struct xt *t, const void *info)
{
	const struct xt_addrtype_info_v1 *i = info;

	t->m->kind = FOREIGN_MATCH_ADDRTYPE;
	t->m->a = i->source;
	t->m->b = i->dest;
	t->m->invert = i->flags & (XT_ADDRTYPE_INVERT_SOURCE | XT_ADDRTYPE_INVERT_DEST);
	return !(i->flags & (XT_ADDRTYPE_LIMIT_IFACE_IN | XT_ADDRTYPE_LIMIT_IFACE_OUT)) &&
	       !(i->source && i->dest && t->m->invert);
}

static bool xt_multiport(struct xt *t, const void *info)
{
	const struct xt_multiport_v1 *i = info;

	t->m->kind = FOREIGN_MATCH_PORTS;
	t->m->a = i->flags == XT_MULTIPORT_SOURCE ? 1 : i->flags == XT_MULTIPORT_DESTINATION ? 2 : 3;
	t->m->invert = i->invert;
	for (uint8_t k = 0; k < i->count && k < XT_MULTI_PORTS; k++) {
		uint16_t *range = t->m->ports[t->m->port_cnt++];

		range[0] = range[1] = i->ports[k];
		if (i->pflags[k] && k + 1 < XT_MULTI_PORTS)
			range[1] = i->ports[++k];
	}
	return true;
}

static bool xt_physdev(struct xt *t, const void *info)
{
	const struct xt_physdev_info *i = info;

	t->m->kind = FOREIGN_MATCH_PHYSDEV;
	t->m->a = (i->bitmask & XT_PHYSDEV_OP_BRIDGED) != 0;
	if (i->bitmask & XT_PHYSDEV_OP_IN)
		snprintf(t->m->name, sizeof(t->m->name), "%.*s", IFNAMSIZ - 1, i->physindev);
	if (i->bitmask & XT_PHYSDEV_OP_OUT)
		snprintf(t->m->name2, sizeof(t->m->name2), "%.*s", IFNAMSIZ - 1, i->physoutdev);
	t->m->invert = i->invert != 0;
	/* more than one of them inverted, or only whether there is a port */
	return (i->bitmask & (i->bitmask - 1)) == 0 && i->bitmask <= XT_PHYSDEV_OP_BRIDGED;
}

static bool xt_iprange(struct xt *t, const void *info)
{
	const struct xt_iprange_mtinfo *i = info;
	bool dst = i->flags & IPRANGE_DST;
	size_t len = t->family == NFPROTO_IPV6 ? 16 : 4;

	t->m->kind = FOREIGN_MATCH_ADDRESSES;
	t->m->a = dst;
	t->m->invert = i->flags & (dst ? IPRANGE_DST_INV : IPRANGE_SRC_INV);
	t->m->lo.family = t->m->hi.family = len == 16 ? AF_INET6 : AF_INET;
	memcpy(t->m->lo.b, dst ? &i->dst_min : &i->src_min, len);
	memcpy(t->m->hi.b, dst ? &i->dst_max : &i->src_max, len);
	return !dst || !(i->flags & IPRANGE_SRC);
}

static bool xt_mac(struct xt *t, const void *info)
{
	const struct xt_mac_info *i = info;

	t->m->kind = FOREIGN_MATCH_MAC;
	memcpy(t->m->mac.b, i->srcaddr, sizeof(t->m->mac.b));
	t->m->invert = i->invert != 0;
	return true;
}

static bool xt_mark(struct xt *t, const void *info)
{
	const struct xt_mark_mtinfo1 *i = info;

	t->m->kind = FOREIGN_MATCH_MARK;
	t->m->a = i->mark;
	t->m->b = i->mask;
	t->m->invert = i->invert;
	return true;
}

static bool xt_comment(struct xt *t, const void *info)
{
	const struct xt_comment_info *i = info;

	t->m->kind = FOREIGN_MATCH_TEXT;
	t->r->comment = foreign_string(t->rs, i->comment, strnlen(i->comment, sizeof(i->comment)));
	return true;
}

/* tcp and udp begin with the same two ranges of ports. */
static bool ports_of(struct xt *t, const uint16_t src[2], const uint16_t dst[2], uint8_t inv)
{
	bool any_src = src[0] == 0 && src[1] == UINT16_MAX, any_dst = dst[0] == 0 && dst[1] == UINT16_MAX;
	const uint16_t *range = any_src ? dst : src;

	if (any_src && any_dst) {
		t->m->kind = FOREIGN_MATCH_TEXT;
		return true;
	}
	t->m->kind = FOREIGN_MATCH_PORTS;
	t->m->a = any_src ? 2 : 1;
	t->m->port_cnt = 1;
	t->m->ports[0][0] = range[0];
	t->m->ports[0][1] = range[1];
	t->m->invert = inv & (any_src ? 2 : 1);
	return any_src || any_dst;
}

static bool xt_tcp(struct xt *t, const void *info)
{
	const struct xt_tcp *i = info;

	return !i->flg_mask && !i->option && ports_of(t, i->spts, i->dpts, i->invflags);
}

static bool xt_udp(struct xt *t, const void *info)
{
	const struct xt_udp *i = info;

	return ports_of(t, i->spts, i->dpts, i->invflags);
}

static bool xt_icmp(struct xt *t, const void *info)
{
	const struct ipt_icmp *i = info;

	t->m->kind = FOREIGN_MATCH_ICMP;
	t->m->a = i->type;
	t->m->invert = i->invflags & IPT_ICMP_INV;
	return i->type == 255 || (i->code[0] == 0 && i->code[1] == 255);
}

static const struct {
	const char *name;
	uint32_t rev_min, rev_max;
	size_t len;
	bool (*read)(struct xt *t, const void *info);
} match_rows[] = {
	{ "conntrack", 3, 3, sizeof(struct xt_conntrack_mtinfo3), xt_conntrack },
	{ "conntrack", 2, 2, sizeof(struct xt_conntrack_mtinfo2),
	  xt_conntrack }, /* the same but for the upper ports */
	{ "state", 0, 0, sizeof(struct xt_state_info), xt_state },
	{ "addrtype", 1, 1, sizeof(struct xt_addrtype_info_v1), xt_addrtype },
	{ "multiport", 1, 1, sizeof(struct xt_multiport_v1), xt_multiport },
	{ "physdev", 0, 0, sizeof(struct xt_physdev_info), xt_physdev },
	{ "iprange", 1, 1, sizeof(struct xt_iprange_mtinfo), xt_iprange },
	{ "mac", 0, 0, sizeof(struct xt_mac_info), xt_mac },
	{ "mark", 1, 1, sizeof(struct xt_mark_mtinfo1), xt_mark },
	{ "comment", 0, 0, sizeof(struct xt_comment_info), xt_comment },
	{ "tcp", 0, 0, sizeof(struct xt_tcp), xt_tcp },
	{ "udp", 0, 0, sizeof(struct xt_udp), xt_udp },
	{ "icmp", 0, 0, sizeof(struct ipt_icmp), xt_icmp },
	{ "icmp6", 0, 0, sizeof(struct ipt_icmp), xt_icmp }, /* the same layout */
};

bool foreign_xt_match(struct foreign_ruleset *rs, struct foreign_expr *x, const char *name, uint32_t rev,
		      const uint8_t *info, size_t len, uint8_t family, struct foreign_rule *r)
{
	for (size_t i = 0; i < ARRAY_LEN(match_rows); i++) {
		struct xt t = { .rs = rs, .r = r, .family = family };
		uint8_t *copy;

		if (strcmp(match_rows[i].name, name) != 0 || rev < match_rows[i].rev_min ||
		    rev > match_rows[i].rev_max || len < match_rows[i].len)
			continue;
		/* aligned, as the attribute may not be */
		copy = foreign_alloc(rs, len);
		t.m = foreign_alloc(rs, sizeof(*t.m));
		if (!copy || !t.m)
			return false;
		memcpy(copy, info, len);
		x->kind = FOREIGN_MATCH;
		x->match = t.m;
		return match_rows[i].read(&t, copy);
	}
	return false;
}

/* What a target does to the packet, as far as it is a verdict. */
static const struct {
	const char *name;
	enum foreign_kind kind;
	int verdict;
} target_rows[] = {
	{ "REJECT", FOREIGN_REJECT, NF_DROP },
	{ "LOG", FOREIGN_IGNORED, 0 },
	{ "NFLOG", FOREIGN_IGNORED, 0 },
	{ "AUDIT", FOREIGN_IGNORED, 0 },
	{ "CT", FOREIGN_IGNORED, 0 },
	{ "NOTRACK", FOREIGN_IGNORED, 0 },
	{ "CONNMARK", FOREIGN_IGNORED, 0 },
	{ "CHECKSUM", FOREIGN_IGNORED, 0 },
	{ "TCPMSS", FOREIGN_IGNORED, 0 },
	{ "CLASSIFY", FOREIGN_IGNORED, 0 },
	{ "DSCP", FOREIGN_IGNORED, 0 },
	{ "SET", FOREIGN_IGNORED, 0 },
	{ "TEE", FOREIGN_IGNORED, 0 },
	{ "MASQUERADE", FOREIGN_NAT, 0 },
	{ "SNAT", FOREIGN_NAT, 0 },
	{ "DNAT", FOREIGN_NAT, 1 },
	{ "REDIRECT", FOREIGN_NAT, 1 },
	{ "NFQUEUE", FOREIGN_VERDICT, NF_QUEUE },
};

bool foreign_xt_target(struct foreign_expr *x, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(target_rows); i++) {
		if (strcmp(target_rows[i].name, name) != 0)
			continue;
		x->kind = target_rows[i].kind;
		x->verdict = target_rows[i].verdict;
		x->key = target_rows[i].kind == FOREIGN_NAT && target_rows[i].verdict == 1;
		x->sreg = -1; /* to where is not read */
		x->base = UINT32_MAX;
		return true;
	}
	return false;
}

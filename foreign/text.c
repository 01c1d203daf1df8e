// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a rule in one line, for people
 *
 * Each register remembers what was loaded into it, so that a test reads as nft(8) would write it. What has no
 * words here stands in "<>" by the kernel's name: the line tells which rule it is, it is not meant to be read
 * back.
 */
#include "foreign/private.h"
#include <linux/rtnetlink.h>
#include <stdarg.h>

#define REGS 20 /* of four bytes */

enum form {
	FORM_NUMBER,
	FORM_HOST,
	FORM_NAME,
	FORM_IP,
	FORM_MAC,
	FORM_PROTO,
	FORM_STATE,
	FORM_TYPE,
	FORM_HEX
};
struct loaded {
	const char *what; /* NULL: nothing */
	enum form form;
};
struct line {
	char *buf;
	size_t size, used;
	struct loaded regs[REGS];
	uint8_t family;
	const uint8_t *mask; /* of the last bitwise */
	uint32_t mask_len;
};

static void say(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->used, l->size - l->used, fmt, ap);
	va_end(ap);
	l->used = n < 0 || (size_t)n >= l->size - l->used ? l->size - 1 : l->used + (size_t)n;
}

static const struct {
	uint32_t key;
	const char *what;
	enum form form;
} meta_rows[] = {
	{ NFT_META_IIFNAME, "iifname", FORM_NAME },
	{ NFT_META_OIFNAME, "oifname", FORM_NAME },
	{ NFT_META_IIF, "iif", FORM_HOST },
	{ NFT_META_OIF, "oif", FORM_HOST },
	{ NFT_META_L4PROTO, "meta l4proto", FORM_PROTO },
	{ NFT_META_NFPROTO, "meta nfproto", FORM_NUMBER },
	{ NFT_META_MARK, "meta mark", FORM_HEX },
	{ NFT_META_PROTOCOL, "meta protocol", FORM_HEX },
	{ NFT_META_PKTTYPE, "meta pkttype", FORM_NUMBER },
	{ NFT_META_SKUID, "meta skuid", FORM_HOST },
	{ NFT_META_BRI_IIFNAME, "meta ibrname", FORM_NAME },
	{ NFT_META_BRI_OIFNAME, "meta obrname", FORM_NAME },
};
static const struct {
	uint32_t key;
	const char *what;
	enum form form;
} ct_rows[] = {
	{ NFT_CT_STATE, "ct state", FORM_STATE },
	{ NFT_CT_STATUS, "ct status", FORM_HEX },
	{ NFT_CT_MARK, "ct mark", FORM_HEX },
	{ NFT_CT_DIRECTION, "ct direction", FORM_NUMBER },
};
static const struct {
	uint8_t family; /* 0: any */
	uint32_t base, offset, len;
	const char *what;
	enum form form;
} payload_rows[] = {
	{ NFPROTO_IPV4, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, "ip saddr", FORM_IP },
	{ NFPROTO_IPV4, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, "ip daddr", FORM_IP },
	{ NFPROTO_IPV4, NFT_PAYLOAD_NETWORK_HEADER, 9, 1, "ip protocol", FORM_PROTO },
	{ NFPROTO_IPV6, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, "ip6 saddr", FORM_IP },
	{ NFPROTO_IPV6, NFT_PAYLOAD_NETWORK_HEADER, 24, 16, "ip6 daddr", FORM_IP },
	{ NFPROTO_IPV6, NFT_PAYLOAD_NETWORK_HEADER, 6, 1, "ip6 nexthdr", FORM_PROTO },
	{ 0, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, "th sport", FORM_NUMBER },
	{ 0, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, "th dport", FORM_NUMBER },
	{ 0, NFT_PAYLOAD_LL_HEADER, 6, 6, "ether saddr", FORM_MAC },
	{ 0, NFT_PAYLOAD_LL_HEADER, 0, 6, "ether daddr", FORM_MAC },
	{ 0, NFT_PAYLOAD_LL_HEADER, 12, 2, "ether type", FORM_HEX },
};
static const struct {
	uint32_t ours, nft;
	const char *word;
} state_words[] = {
	{ FOREIGN_CT_INVALID, 1 << 0, "invalid" },
	{ FOREIGN_CT_ESTABLISHED, 1 << 1, "established" },
	{ FOREIGN_CT_RELATED, 1 << 2, "related" },
	{ FOREIGN_CT_NEW, 1 << 3, "new" },
	{ FOREIGN_CT_UNTRACKED, 1 << 6, "untracked" },
	{ FOREIGN_CT_DNAT, 0, "DNAT" },
	{ FOREIGN_CT_SNAT, 0, "SNAT" },
};

static struct loaded *loaded_at(struct line *l, int reg)
{
	return reg >= 0 && reg / 4 < REGS ? &l->regs[reg / 4] : NULL;
}

static void set_loaded(struct line *l, int reg, const char *what, enum form form)
{
	struct loaded *at = loaded_at(l, reg);

	if (at)
		*at = (struct loaded){ what, form };
	l->mask = NULL;
}

static void text_load(struct line *l, const struct foreign_expr *x)
{
	const char *what = x->kind == FOREIGN_FIB ? "fib daddr type" : x->name;
	enum form form = x->kind == FOREIGN_FIB ? FORM_TYPE : FORM_HEX;
	uint8_t family = l->family;

	/* in the inet family the row of the field's offset tells; IPv4's come first */
	for (size_t i = 0; x->kind == FOREIGN_META && i < ARRAY_LEN(meta_rows); i++)
		if (meta_rows[i].key == x->key) {
			what = meta_rows[i].what;
			form = meta_rows[i].form;
		}
	for (size_t i = 0; x->kind == FOREIGN_CT && i < ARRAY_LEN(ct_rows); i++)
		if (ct_rows[i].key == x->key) {
			what = ct_rows[i].what;
			form = ct_rows[i].form;
		}
	for (size_t i = 0; x->kind == FOREIGN_PAYLOAD && i < ARRAY_LEN(payload_rows); i++)
		if (payload_rows[i].base == x->base && payload_rows[i].offset == x->offset &&
		    payload_rows[i].len >= x->len &&
		    (!payload_rows[i].family || payload_rows[i].family == family || family == NFPROTO_INET)) {
			what = payload_rows[i].what;
			form = payload_rows[i].form;
			break;
		}
	if (x->kind == FOREIGN_FIB && x->flags & NFTA_FIB_F_SADDR)
		what = "fib saddr";
	set_loaded(l, x->dreg, what, form);
}

static const char *protocol_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_ICMPV6: return "ipv6-icmp";
	}
	return NULL;
}

static void say_ip(struct line *l, const uint8_t *v, size_t len)
{
	struct nd_ip ip = { .family = len > 4 ? AF_INET6 : AF_INET };
	char buf[ND_IP_STRLEN];

	memcpy(ip.b, v, len);
	say(l, "%s", nd_ip_to_string(&ip, buf));
	if (len < 4 || (len > 4 && len < 16)) /* a prefix is loaded as its first bytes */
		say(l, "/%zu", len * 8);
}

static void say_states(struct line *l, uint32_t bits, bool ours)
{
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_LEN(state_words); i++)
		if (bits & (ours ? state_words[i].ours : state_words[i].nft)) {
			say(l, "%s%s", comma, state_words[i].word);
			comma = ",";
		}
}

static void say_number(struct line *l, const uint8_t *v, size_t len, bool host)
{
	uint32_t n = 0;

	if (host && len == 4) {
		memcpy(&n, v, 4);
	} else {
		for (size_t i = 0; i < len && i < 4; i++)
			n = n << 8 | v[i];
	}
	say(l, "%u", n);
}

static void say_value(struct line *l, enum form form, const uint8_t *v, size_t len)
{
	struct nd_mac mac;
	char buf[ND_MAC_STRLEN];
	uint32_t n = 0;

	memcpy(&n, v, len < 4 ? len : 4);
	switch (form) {
	case FORM_NUMBER: say_number(l, v, len, false); return;
	case FORM_HOST: say_number(l, v, len, true); return;
	case FORM_NAME: say(l, "\"%.*s%s\"", (int)len, (const char *)v, memchr(v, 0, len) ? "" : "*"); return;
	case FORM_IP: say_ip(l, v, len); return;
	case FORM_MAC:
		memcpy(mac.b, v, len < 6 ? len : 6);
		if (len == 6)
			say(l, "%s", nd_mac_to_string(&mac, buf));
		return;
	case FORM_PROTO:
		if (protocol_name(v[0]))
			say(l, "%s", protocol_name(v[0]));
		else
			say(l, "%u", v[0]);
		return;
	case FORM_STATE: say_states(l, n, false); return;
	case FORM_TYPE:
		say(l, "%s",
		    n == RTN_LOCAL       ? "local"
		    : n == RTN_BROADCAST ? "broadcast"
		    : n == RTN_MULTICAST ? "multicast"
		    : n == RTN_UNICAST   ? "unicast"
					 : "?");
		return;
	case FORM_HEX: say(l, "0x%x", len == 2 ? ntohs((uint16_t)n) : n); return;
	}
}

static void text_cmp(struct line *l, const struct foreign_expr *x)
{
	static const char *const ops[] = {
		[NFT_CMP_EQ] = "",     [NFT_CMP_NEQ] = "!= ", [NFT_CMP_LT] = "< ",
		[NFT_CMP_LTE] = "<= ", [NFT_CMP_GT] = "> ",   [NFT_CMP_GTE] = ">= "
	};
	const struct loaded *at = loaded_at(l, x->sreg);
	const char *what = at && at->what ? at->what : "<register>";
	static const uint8_t zero[64];

	/* "ct state & bits != 0" is written without the rest */
	if (l->mask && x->op == NFT_CMP_NEQ && memcmp(x->data, zero, x->data_len) == 0) {
		say(l, "%s ", what);
		say_value(l, at ? at->form : FORM_HEX, l->mask, l->mask_len);
		say(l, " ");
		return;
	}
	say(l, "%s %s", what, ops[x->op]);
	say_value(l, at ? at->form : FORM_HEX, x->data, x->data_len);
	if (l->mask && at && at->form == FORM_IP && x->data_len == 4) {
		uint32_t mask;

		memcpy(&mask, l->mask, 4);
		if (nd_ip4_mask_len(ntohl(mask)) >= 0)
			say(l, "/%d", nd_ip4_mask_len(ntohl(mask)));
	}
	say(l, " ");
}

static void text_lookup(struct line *l, const struct foreign_expr *x)
{
	const struct loaded *at = loaded_at(l, x->sreg);
	const struct foreign_set *s = x->set;
	bool anonymous = strncmp(s->name, "__", 2) == 0;
	const char *comma = "";
	uint32_t cnt = 0;

	say(l, "%s%s%s ", at && at->what ? at->what : "<register>",
	    x->key ? (x->dreg < 0 ? " vmap" : " map") : "", x->flags & NFT_LOOKUP_F_INV ? " !=" : "");
	if (!anonymous || s->field_cnt > 1 || x->key) {
		say(l, "%s%s ", anonymous ? "" : "@", anonymous ? "{…}" : s->name);
		return;
	}
	say(l, "{ ");
	for (uint32_t i = 0; i < s->elem_cnt && cnt < 8; i++) {
		if (s->elems[i].interval_end || s->elems[i].catchall)
			continue;
		say(l, "%s", comma);
		say_value(l, at ? at->form : FORM_HEX, s->elems[i].key, s->key_len);
		comma = ", ";
		cnt++;
	}
	say(l, "%s } ", cnt == 8 ? ", …" : "");
}

static void text_ports(struct line *l, const struct foreign_match *m)
{
	say(l, "%s%s ", m->a == 1 ? "sport" : m->a == 2 ? "dport" : "port", m->invert ? " !=" : "");
	for (size_t i = 0; i < m->port_cnt; i++)
		say(l, m->ports[i][0] == m->ports[i][1] ? "%s%u" : "%s%u:%u", i ? "," : "", m->ports[i][0],
		    m->ports[i][1]);
	say(l, " ");
}

static void text_match(struct line *l, const struct foreign_match *m)
{
	const char *not = m->invert ? "!= " : "";
	char a[ND_IP_STRLEN], b[ND_IP_STRLEN], mac[ND_MAC_STRLEN];

	switch (m->kind) {
	case FOREIGN_MATCH_CTSTATE:
		say(l, "ct state %s", not );
		say_states(l, m->a, true);
		say(l, " ");
		return;
	case FOREIGN_MATCH_ADDRTYPE:
		say(l, "fib %s type %s", m->b ? "daddr" : "saddr", not );
		for (uint32_t t = 0; t < 12; t++)
			if ((m->b ? m->b : m->a) & 1u << t)
				say_value(l, FORM_TYPE, (const uint8_t *)&t, 4);
		say(l, " ");
		return;
	case FOREIGN_MATCH_PORTS: text_ports(l, m); return;
	case FOREIGN_MATCH_PHYSDEV:
		say(l, "physdev %s%s%s ", not,
		    m->name[0]    ? "in "
		    : m->name2[0] ? "out "
				  : "bridged",
		    m->name[0] ? m->name : m->name2);
		return;
	case FOREIGN_MATCH_ADDRESSES:
		say(l, "ip %s %s%s-%s ", m->a ? "daddr" : "saddr", not, nd_ip_to_string(&m->lo, a),
		    nd_ip_to_string(&m->hi, b));
		return;
	case FOREIGN_MATCH_MAC: say(l, "ether saddr %s%s ", not, nd_mac_to_string(&m->mac, mac)); return;
	case FOREIGN_MATCH_MARK:
		say(l, "meta mark & 0x%x %s 0x%x ", m->b, m->invert ? "!=" : "==", m->a);
		return;
	case FOREIGN_MATCH_ICMP: say(l, "icmp type %s%u ", not, m->a); return;
	case FOREIGN_MATCH_PROTO: say(l, "protocol %s%u ", not, m->a); return;
	case FOREIGN_MATCH_IFNAME: say(l, "%s %s\"%s\" ", m->a ? "oifname" : "iifname", not, m->name); return;
	case FOREIGN_MATCH_TEXT: return;
	}
}

static void text_verdict(struct line *l, const struct foreign_expr *x)
{
	switch (x->verdict) {
	case NFT_JUMP: say(l, "jump %s ", x->target ? x->target->name : "?"); return;
	case NFT_GOTO: say(l, "goto %s ", x->target ? x->target->name : "?"); return;
	case NFT_RETURN: say(l, "return "); return;
	case NFT_CONTINUE:
	case NFT_BREAK: return;
	}
	switch (x->verdict & NF_VERDICT_MASK) {
	case NF_DROP: say(l, "drop "); return;
	case NF_QUEUE: say(l, "queue "); return;
	}
	say(l, "accept ");
}

static void text_expr(struct line *l, const struct foreign_rule *r, const struct foreign_expr *x)
{
	switch (x->kind) {
	case FOREIGN_META:
	case FOREIGN_PAYLOAD:
	case FOREIGN_CT:
	case FOREIGN_FIB:
	case FOREIGN_LOAD_UNKNOWN: text_load(l, x); return;
	case FOREIGN_META_SET: say(l, "meta set "); return;
	case FOREIGN_IMMEDIATE: set_loaded(l, x->dreg, "<value>", FORM_HEX); return;
	case FOREIGN_CMP: text_cmp(l, x); return;
	case FOREIGN_RANGE: {
		const struct loaded *at = loaded_at(l, x->sreg);

		say(l, "%s %s", at && at->what ? at->what : "<register>",
		    x->op == NFT_RANGE_NEQ ? "!= " : "");
		say_value(l, at ? at->form : FORM_HEX, x->data, x->data_len);
		say(l, "-");
		say_value(l, at ? at->form : FORM_HEX, x->data2, x->data_len);
		say(l, " ");
		return;
	}
	case FOREIGN_BITWISE:
		l->mask = x->data;
		l->mask_len = x->len;
		return;
	case FOREIGN_BYTEORDER: return;
	case FOREIGN_LOOKUP: text_lookup(l, x); return;
	case FOREIGN_VERDICT: text_verdict(l, x); return;
	case FOREIGN_REJECT: say(l, "reject "); return;
	case FOREIGN_NAT:
		say(l, "%s ", strncmp(x->name, "nat", 3) ? x->name : x->key ? "dnat" : "snat");
		return;
	case FOREIGN_MATCH: text_match(l, x->match); return;
	case FOREIGN_UNKNOWN: say(l, "<%s> ", x->name ? x->name : "?"); return;
	case FOREIGN_IGNORED:
		if (x->name && strcmp(x->name, "log") == 0)
			say(l, "log ");
		return;
	case FOREIGN_KIND_CNT_: return;
	}
}

const char *foreign_rule_text(const struct foreign_rule *r, char *buf, size_t size)
{
	struct line l = { .buf = buf, .size = size, .family = r->chain->table->family };

	buf[0] = '\0';
	if (r->text) {
		snprintf(buf, size, "%s", r->text);
		return buf;
	}
	for (size_t i = 0; i < r->expr_cnt; i++)
		text_expr(&l, r, &r->exprs[i]);
	if (r->comment && r->comment[0])
		say(&l, "comment \"%s\" ", r->comment);
	while (l.used > 0 && buf[l.used - 1] == ' ')
		buf[--l.used] = '\0';
	return buf;
}

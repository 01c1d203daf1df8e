/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: words into nf_tables expressions
 *
 * One row per word: the expression's name and the function that sets its attributes. All numbers the kernel
 * compares with packet bytes are written in network order, those it compares with its own integers (conntrack
 * state, mark) in host order.
 */
#include "nat/expr.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "nat/rules.h"
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_nat.h>
#include <netinet/tcp.h>

/* Return: the value's bytes as the register holds them. */
static const void *value_bytes(const struct nat_word *w, uint32_t len, uint8_t buf[4])
{
	if (w->c) {
		memcpy(buf, &w->value, 4);
		return buf;
	}
	for (uint32_t i = 0; i < len && i < 4; i++)
		buf[i] = (uint8_t)(w->value >> (8 * (len - 1 - i)));
	return buf;
}

static void build_meta(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, REG(w->b));
}

static void build_ct(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, REG(0));
}

static void build_payload(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, w->b);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, w->c);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, REG(w->value));
}

static void build_extension(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_DREG, REG(0));
	nftnl_expr_set_u8(x, NFTNL_EXPR_EXTHDR_TYPE, (uint8_t)w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OFFSET, w->b);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_LEN, w->c ? w->c : 1);
	if (!w->c)
		nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
}

static void build_fib(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_DREG, REG(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_RESULT, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_FLAGS, w->b);
}

static void build_mask(struct nftnl_expr *x, const struct nat_word *w)
{
	static const uint32_t zero;
	uint8_t buf[4];

	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, REG(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, REG(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, w->b);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, value_bytes(w, w->b, buf), w->b);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, &zero, w->b);
}

static void build_cmp(struct nftnl_expr *x, const struct nat_word *w)
{
	uint8_t buf[4];

	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, REG(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, w->a);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, value_bytes(w, w->b, buf), w->b);
}

static void build_set_reg(struct nftnl_expr *x, const struct nat_word *w)
{
	uint8_t buf[4];

	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, REG(w->a));
	nftnl_expr_set(x, NFTNL_EXPR_IMM_DATA, value_bytes(w, w->b, buf), w->b);
}

static void build_set_meta(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_SREG, REG(0));
}

static void build_lookup(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, REG(0));
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, nat_set_rows[w->a].name);
	/* Zero, too: the kernel always tells them, and both must compare equal. */
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, w->b);
	if (w->c)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, REG(w->c - 1));
}

static void build_verdict(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, w->value);
	if ((int32_t)w->value == NFT_JUMP || (int32_t)w->value == NFT_GOTO)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, nat_chain_rows[w->b].name);
}

static void build_reject(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(x, NFTNL_EXPR_REJECT_CODE, (uint8_t)w->a);
}

static void build_masquerade(struct nftnl_expr *x, const struct nat_word *w)
{
	if (!w->a)
		return;
	/* Without the flag the kernel takes the registers and ignores them. */
	nftnl_expr_set_u32(x, NFTNL_EXPR_MASQ_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	nftnl_expr_set_u32(x, NFTNL_EXPR_MASQ_REG_PROTO_MIN, REG(w->a));
	nftnl_expr_set_u32(x, NFTNL_EXPR_MASQ_REG_PROTO_MAX, REG(w->b));
}

/* The flags are what the kernel works out by itself, and tells. */
static void build_translate(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_TYPE, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_FAMILY, w->b);
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_ADDR_MIN, REG(w->c));
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_ADDR_MAX, REG(w->value));
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_FLAGS,
			   NF_NAT_RANGE_MAP_IPS | (w->d ? NF_NAT_RANGE_PROTO_SPECIFIED : 0));
	if (!w->d)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_PROTO_MIN, REG(w->d));
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_PROTO_MAX, REG(w->f));
}

static void build_route_mss(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
	nftnl_expr_set_u32(x, NFTNL_EXPR_RT_DREG, REG(0));
}

static void build_to_network_order(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_SREG, REG(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_DREG, REG(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_LEN, 2);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_SIZE, 2);
}

static void build_write_mss(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_SREG, REG(0));
	nftnl_expr_set_u8(x, NFTNL_EXPR_EXTHDR_TYPE, TCPOPT_MAXSEG);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_LEN, 2);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
}

static const struct {
	const char *name;
	void (*build)(struct nftnl_expr *x, const struct nat_word *w);
} word_rows[] = {
	[NAT_WORD_META] = { "meta", build_meta },
	[NAT_WORD_CT] = { "ct", build_ct },
	[NAT_WORD_PAYLOAD] = { "payload", build_payload },
	[NAT_WORD_EXTENSION] = { "exthdr", build_extension },
	[NAT_WORD_FIB] = { "fib", build_fib },
	[NAT_WORD_MASK] = { "bitwise", build_mask },
	[NAT_WORD_CMP] = { "cmp", build_cmp },
	[NAT_WORD_SET_REG] = { "immediate", build_set_reg },
	[NAT_WORD_SET_META] = { "meta", build_set_meta },
	[NAT_WORD_LOOKUP] = { "lookup", build_lookup },
	[NAT_WORD_VERDICT] = { "immediate", build_verdict },
	[NAT_WORD_REJECT] = { "reject", build_reject },
	[NAT_WORD_MASQUERADE] = { "masq", build_masquerade },
	[NAT_WORD_TRANSLATE] = { "nat", build_translate },
	[NAT_WORD_ROUTE_MSS] = { "rt", build_route_mss },
	[NAT_WORD_TO_NETWORK_ORDER] = { "byteorder", build_to_network_order },
	[NAT_WORD_WRITE_MSS] = { "exthdr", build_write_mss },
};
_Static_assert(ARRAY_LEN(word_rows) == NAT_WORD_CNT, "a row per word");

bool nat_word_build(struct nftnl_rule *r, const struct nat_word *w)
{
	struct nftnl_expr *x = nftnl_expr_alloc(word_rows[w->kind].name);

	if (!x)
		return false;
	word_rows[w->kind].build(x, w);
	nftnl_rule_add_expr(r, x);
	return true;
}

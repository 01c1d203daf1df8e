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
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, w->b);
}

static void build_ct(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, w->b);
}

static void build_payload(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, w->b);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, w->c);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, w->value);
}

static void build_mask(struct nftnl_expr *x, const struct nat_word *w)
{
	static const uint32_t zero;

	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, sizeof(zero));
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, &w->value, sizeof(w->value));
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, &zero, sizeof(zero));
}

static void build_cmp(struct nftnl_expr *x, const struct nat_word *w)
{
	uint8_t buf[4];

	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, w->a);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, value_bytes(w, w->b, buf), w->b);
}

static void build_set_reg(struct nftnl_expr *x, const struct nat_word *w)
{
	uint8_t buf[4];

	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, w->a);
	nftnl_expr_set(x, NFTNL_EXPR_IMM_DATA, value_bytes(w, w->b, buf), w->b);
}

static void build_set_meta(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

static void build_lookup(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, nat_set_rows[w->a].name);
	/* Zero, too: the kernel always tells them, and both must compare equal. */
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, w->b);
	if (w->c)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, w->c - 1);
}

static void build_verdict(struct nftnl_expr *x, const struct nat_word *w)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, w->value);
	if ((int32_t)w->value == NFT_JUMP)
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
	nftnl_expr_set_u32(x, NFTNL_EXPR_MASQ_REG_PROTO_MIN, w->a);
	nftnl_expr_set_u32(x, NFTNL_EXPR_MASQ_REG_PROTO_MAX, w->b);
}

static const struct {
	const char *name;
	void (*build)(struct nftnl_expr *x, const struct nat_word *w);
} word_rows[] = {
	[NAT_WORD_META] = { "meta", build_meta },
	[NAT_WORD_CT] = { "ct", build_ct },
	[NAT_WORD_PAYLOAD] = { "payload", build_payload },
	[NAT_WORD_MASK] = { "bitwise", build_mask },
	[NAT_WORD_CMP] = { "cmp", build_cmp },
	[NAT_WORD_SET_REG] = { "immediate", build_set_reg },
	[NAT_WORD_SET_META] = { "meta", build_set_meta },
	[NAT_WORD_LOOKUP] = { "lookup", build_lookup },
	[NAT_WORD_VERDICT] = { "immediate", build_verdict },
	[NAT_WORD_REJECT] = { "reject", build_reject },
	[NAT_WORD_MASQUERADE] = { "masq", build_masquerade },
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

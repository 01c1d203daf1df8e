/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: fingerprints of tables
 *
 * What we would build and what the kernel dumped go through the same functions: whether a table is ours to
 * the last expression is one comparison of numbers.
 */
#include "base/mem.h"
#include "nat/rules.h"
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <stdio.h>

/* 64-bit FNV-1a. */
static uint64_t print_bytes(uint64_t h, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h;
}
#define PRINT_START 0xcbf29ce484222325u

static uint64_t print_string(uint64_t h, const char *s)
{
	return s ? print_bytes(h, s, strlen(s) + 1) : print_bytes(h, "\1", 2);
}

static uint64_t print_u32(uint64_t h, uint32_t v)
{
	return print_bytes(h, &v, sizeof(v));
}

static int print_set_expr(struct nftnl_expr *x, void *arg)
{
	uint64_t *h = arg;

	*h = print_string(*h, nftnl_expr_get_str(x, NFTNL_EXPR_NAME));
	return 0;
}

uint64_t nat_set_print(const struct nftnl_set *s)
{
	static const uint16_t attrs[] = { NFTNL_SET_KEY_TYPE, NFTNL_SET_KEY_LEN, NFTNL_SET_DATA_TYPE,
					  NFTNL_SET_DATA_LEN };
	/* The kernel tells a set with expressions by a flag of its own, too. */
	uint32_t flags = nftnl_set_get_u32(s, NFTNL_SET_FLAGS) & ~(uint32_t)NFT_SET_EXPR;
	uint64_t h = print_string(PRINT_START, "set");

	h = print_string(h, nftnl_set_get_str(s, NFTNL_SET_NAME));
	h = print_u32(h, flags);
	for (unsigned i = 0; i < ARRAY_LEN(attrs); i++)
		h = print_u32(h, nftnl_set_is_set(s, attrs[i]) ? nftnl_set_get_u32(s, attrs[i]) : 0);
	nftnl_set_expr_foreach(s, print_set_expr, &h);
	return h;
}

uint64_t nat_chain_print(const struct nftnl_chain *c)
{
	static const uint16_t attrs[] = { NFTNL_CHAIN_HOOKNUM, NFTNL_CHAIN_PRIO, NFTNL_CHAIN_POLICY };
	const char *type = nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE);
	uint64_t h = print_string(PRINT_START, "chain");

	h = print_string(h, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME));
	h = print_string(h, type);
	for (unsigned i = 0; type && i < ARRAY_LEN(attrs); i++)
		h = print_u32(h, nftnl_chain_get_u32(c, attrs[i]));
	return h;
}

static int print_rule_expr(struct nftnl_expr *x, void *arg)
{
	char text[256];
	uint64_t *h = arg;

	*h = print_string(*h, nftnl_expr_get_str(x, NFTNL_EXPR_NAME));
	text[0] = '\0';
	nftnl_expr_snprintf(text, sizeof(text), x, NFTNL_OUTPUT_DEFAULT, 0);
	*h = print_string(*h, text);
	return 0;
}

/*
 * libnftnl's debugging text of an expression holds each attribute, and both sides of the comparison come from
 * this process.
 */
uint64_t nat_rule_print(const struct nftnl_rule *r, unsigned index)
{
	uint32_t len = 0;
	const void *comment = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);
	uint64_t h = print_string(PRINT_START, "rule");

	h = print_string(h, nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));
	h = print_u32(h, index);
	h = print_bytes(h, comment, comment ? len : 0);
	nftnl_expr_foreach((struct nftnl_rule *)r, print_rule_expr, &h);
	return h;
}

static bool print_sets(enum nat_table table, uint64_t *sum)
{
	for (unsigned i = 0; i < NAT_SET_CNT; i++) {
		struct nftnl_set *s;

		if (nat_set_rows[i].table != table)
			continue;
		s = nat_set_build((enum nat_set)i);
		if (!s)
			return false;
		*sum += nat_set_print(s);
		nftnl_set_free(s);
	}
	return true;
}

static bool print_chains(enum nat_table table, uint64_t *sum)
{
	for (unsigned i = 0; i < NAT_CHAIN_CNT; i++) {
		struct nftnl_chain *c;

		if (nat_chain_rows[i].table != table)
			continue;
		c = nat_chain_build((enum nat_chain)i);
		if (!c)
			return false;
		*sum += nat_chain_print(c);
		nftnl_chain_free(c);
	}
	return true;
}

static bool print_rules(enum nat_table table, uint64_t *sum)
{
	unsigned index[NAT_CHAIN_CNT] = { 0 };

	for (size_t i = 0; i < nat_rule_cnt(); i++) {
		const struct nat_rule_row *row = nat_rule_at(i);
		struct nftnl_rule *r;

		if (nat_chain_rows[row->chain].table != table)
			continue;
		r = nat_rule_build(row);
		if (!r)
			return false;
		*sum += nat_rule_print(r, index[row->chain]++);
		nftnl_rule_free(r);
	}
	return true;
}

uint64_t nat_table_print(enum nat_table table)
{
	uint64_t sum = 0;

	if (!print_sets(table, &sum) || !print_chains(table, &sum) || !print_rules(table, &sum))
		return 0;
	return sum;
}

uint32_t nat_table_use(enum nat_table table)
{
	uint32_t cnt = 0;

	for (unsigned i = 0; i < NAT_SET_CNT; i++)
		cnt += nat_set_rows[i].table == table;
	for (unsigned i = 0; i < NAT_CHAIN_CNT; i++)
		cnt += nat_chain_rows[i].table == table;
	return cnt;
}

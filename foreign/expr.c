// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the expressions of a rule, one row per kind
 *
 * Registers become byte offsets into one file: NFT_REG_1 … 4 are 16 bytes, NFT_REG32_00 … 15 are four, and
 * both name the same bytes. An expression without a row may match: FOREIGN_UNKNOWN; one whose attributes are
 * not as expected, too.
 */
#include "foreign/private.h"
#include <linux/netfilter/nf_tables_compat.h>

struct parse {
	struct foreign_ruleset *rs;
	struct foreign_rule *r;
	const struct nlattr *data;
};
typedef bool (*parse_fn)(struct parse *p, struct foreign_expr *x);

static int reg_offset(uint32_t reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (int)(reg - NFT_REG_1) * 16;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return (int)(reg - NFT_REG32_00) * 4;
	return -1;
}

static int attr_reg(const struct nlattr *data, uint16_t type)
{
	return reg_offset(foreign_attr_u32(data, type, NFT_REG_VERDICT));
}

/* A value's bytes, copied. Return: its length, 0: none. */
static uint32_t attr_value(struct parse *p, uint16_t type, const uint8_t **ret)
{
	const struct nlattr *v = foreign_attr(foreign_attr(p->data, type), NFTA_DATA_VALUE);
	uint32_t len = v ? mnl_attr_get_payload_len(v) : 0;
	uint8_t *copy = len && len <= 64 ? foreign_alloc(p->rs, len) : NULL;

	if (!copy)
		return 0;
	memcpy(copy, mnl_attr_get_payload(v), len);
	*ret = copy;
	return len;
}

static bool parse_meta(struct parse *p, struct foreign_expr *x)
{
	x->key = foreign_attr_u32(p->data, NFTA_META_KEY, UINT32_MAX);
	x->dreg = attr_reg(p->data, NFTA_META_DREG);
	if (foreign_attr(p->data, NFTA_META_SREG)) {
		x->kind = FOREIGN_META_SET;
		x->sreg = attr_reg(p->data, NFTA_META_SREG);
	}
	return true;
}

static bool parse_payload(struct parse *p, struct foreign_expr *x)
{
	if (foreign_attr(p->data, NFTA_PAYLOAD_SREG)) { /* it writes */
		x->kind = FOREIGN_IGNORED;
		return true;
	}
	x->base = foreign_attr_u32(p->data, NFTA_PAYLOAD_BASE, UINT32_MAX);
	x->offset = foreign_attr_u32(p->data, NFTA_PAYLOAD_OFFSET, 0);
	x->len = foreign_attr_u32(p->data, NFTA_PAYLOAD_LEN, 0);
	x->dreg = attr_reg(p->data, NFTA_PAYLOAD_DREG);
	return x->dreg >= 0 && x->len > 0 && x->len <= 16;
}

static bool parse_ct(struct parse *p, struct foreign_expr *x)
{
	x->key = foreign_attr_u32(p->data, NFTA_CT_KEY, UINT32_MAX);
	x->dreg = attr_reg(p->data, NFTA_CT_DREG);
	if (foreign_attr(p->data, NFTA_CT_SREG))
		x->kind = FOREIGN_IGNORED;
	return true;
}

static bool parse_fib(struct parse *p, struct foreign_expr *x)
{
	x->key = foreign_attr_u32(p->data, NFTA_FIB_RESULT, UINT32_MAX);
	x->flags = foreign_attr_u32(p->data, NFTA_FIB_FLAGS, 0);
	x->dreg = attr_reg(p->data, NFTA_FIB_DREG);
	return x->dreg >= 0;
}

static bool parse_verdict(struct parse *p, struct foreign_expr *x, const struct nlattr *data)
{
	const char *chain = NULL;

	if (!foreign_attr_verdict(data, &x->verdict, &chain))
		return false;
	x->kind = FOREIGN_VERDICT;
	if (chain)
		x->target = foreign_chain_find(p->rs, p->r->chain->table, chain);
	return !chain || x->target;
}

static bool parse_immediate(struct parse *p, struct foreign_expr *x)
{
	x->dreg = attr_reg(p->data, NFTA_IMMEDIATE_DREG);
	if (x->dreg < 0)
		return parse_verdict(p, x, foreign_attr(p->data, NFTA_IMMEDIATE_DATA));
	x->data_len = attr_value(p, NFTA_IMMEDIATE_DATA, &x->data);
	return x->data_len > 0;
}

static bool parse_cmp(struct parse *p, struct foreign_expr *x)
{
	x->sreg = attr_reg(p->data, NFTA_CMP_SREG);
	x->op = foreign_attr_u32(p->data, NFTA_CMP_OP, UINT32_MAX);
	x->data_len = attr_value(p, NFTA_CMP_DATA, &x->data);
	return x->sreg >= 0 && x->data_len > 0 && x->op <= NFT_CMP_GTE;
}

static bool parse_range(struct parse *p, struct foreign_expr *x)
{
	x->sreg = attr_reg(p->data, NFTA_RANGE_SREG);
	x->op = foreign_attr_u32(p->data, NFTA_RANGE_OP, NFT_RANGE_EQ);
	x->data_len = attr_value(p, NFTA_RANGE_FROM_DATA, &x->data);
	return x->sreg >= 0 && x->data_len > 0 && attr_value(p, NFTA_RANGE_TO_DATA, &x->data2) == x->data_len;
}

static bool parse_bitwise(struct parse *p, struct foreign_expr *x)
{
	x->sreg = attr_reg(p->data, NFTA_BITWISE_SREG);
	x->dreg = attr_reg(p->data, NFTA_BITWISE_DREG);
	x->len = foreign_attr_u32(p->data, NFTA_BITWISE_LEN, 0);
	if (x->sreg < 0 || x->dreg < 0 || x->len == 0 || x->len > 64)
		return false;
	if (foreign_attr_u32(p->data, NFTA_BITWISE_OP, NFT_BITWISE_BOOL) != NFT_BITWISE_BOOL ||
	    attr_value(p, NFTA_BITWISE_MASK, &x->data) != x->len ||
	    attr_value(p, NFTA_BITWISE_XOR, &x->data2) != x->len)
		x->kind = FOREIGN_LOAD_UNKNOWN; /* shifts, and what later kernels have */
	return true;
}

static bool parse_byteorder(struct parse *p, struct foreign_expr *x)
{
	x->sreg = attr_reg(p->data, NFTA_BYTEORDER_SREG);
	x->dreg = attr_reg(p->data, NFTA_BYTEORDER_DREG);
	x->len = foreign_attr_u32(p->data, NFTA_BYTEORDER_LEN, 0);
	x->offset = foreign_attr_u32(p->data, NFTA_BYTEORDER_SIZE, 0);
	return x->sreg >= 0 && x->dreg >= 0 && x->len <= 16 && x->offset > 0 && x->offset <= 8;
}

static bool parse_lookup(struct parse *p, struct foreign_expr *x)
{
	const char *name = foreign_attr_string(foreign_attr(p->data, NFTA_LOOKUP_SET));

	x->set = name ? foreign_set_find(p->rs, p->r->chain->table, name) : NULL;
	x->sreg = attr_reg(p->data, NFTA_LOOKUP_SREG);
	x->flags = foreign_attr_u32(p->data, NFTA_LOOKUP_FLAGS, 0);
	x->key = foreign_attr(p->data, NFTA_LOOKUP_DREG) != NULL; /* a map */
	x->dreg = attr_reg(p->data, NFTA_LOOKUP_DREG);            /* -1 of a map: the verdict */
	return x->set && x->sreg >= 0;
}

static bool parse_reject(struct parse *p, struct foreign_expr *x)
{
	x->verdict = NF_DROP;
	return true;
}

static bool parse_nat(struct parse *p, struct foreign_expr *x)
{
	x->key = foreign_attr_u32(p->data, NFTA_NAT_TYPE, NFT_NAT_SNAT) == NFT_NAT_DNAT;
	x->sreg = attr_reg(p->data, NFTA_NAT_REG_ADDR_MIN);
	x->base = (uint32_t)attr_reg(p->data, NFTA_NAT_REG_PROTO_MIN);
	return true;
}

static bool parse_translate(struct parse *p, struct foreign_expr *x)
{
	x->sreg = -1;
	x->base = UINT32_MAX;
	x->key = strcmp(x->name, "redir") == 0;
	return true;
}

static bool parse_counter(struct parse *p, struct foreign_expr *x)
{
	const struct nlattr *a = foreign_attr(p->data, NFTA_COUNTER_PACKETS);

	if (a && mnl_attr_get_payload_len(a) == 8) {
		p->r->packets = be64toh(mnl_attr_get_u64(a));
		p->r->counted = true;
	}
	return true;
}

/* Named counters decide nothing; quotas and limits do. */
static bool parse_objref(struct parse *p, struct foreign_expr *x)
{
	uint32_t type = foreign_attr_u32(p->data, NFTA_OBJREF_IMM_TYPE, 0);

	if (type == NFT_OBJECT_COUNTER || type == NFT_OBJECT_CT_HELPER)
		x->kind = FOREIGN_IGNORED;
	return true;
}

/* Adding to a set always succeeds but for a full one; with a limit in its elements it tests. */
static bool parse_dynset(struct parse *p, struct foreign_expr *x)
{
	return !foreign_attr(p->data, NFTA_DYNSET_EXPR) && !foreign_attr(p->data, NFTA_DYNSET_EXPRESSIONS);
}

static bool parse_queue(struct parse *p, struct foreign_expr *x)
{
	x->verdict = NF_QUEUE;
	return true;
}

static bool parse_load(struct parse *p, struct foreign_expr *x)
{
	/* numgen, hash, socket, rt, osf, tunnel, xfrm: the destination is attribute 1 in all but hash and rt … */
	x->dreg = attr_reg(p->data, 1);
	if (x->dreg < 0)
		x->dreg = attr_reg(p->data, 2); /* … whose it is 2 */
	x->len = 16;
	return x->dreg >= 0;
}

static bool parse_xt_match(struct parse *p, struct foreign_expr *x)
{
	const char *name = foreign_attr_string(foreign_attr(p->data, NFTA_MATCH_NAME));
	const struct nlattr *info = foreign_attr(p->data, NFTA_MATCH_INFO);
	char full[48];

	if (!name || !info)
		return false;
	snprintf(full, sizeof(full), "xt match %s", name);
	x->name = foreign_string(p->rs, full, strlen(full));
	return foreign_xt_match(p->rs, x, name, foreign_attr_u32(p->data, NFTA_MATCH_REV, 0),
				mnl_attr_get_payload(info), mnl_attr_get_payload_len(info),
				p->r->chain->table->family, p->r);
}

static bool parse_xt_target(struct parse *p, struct foreign_expr *x)
{
	const char *name = foreign_attr_string(foreign_attr(p->data, NFTA_TARGET_NAME));
	char full[48];

	if (!name)
		return false;
	snprintf(full, sizeof(full), "xt target %s", name);
	x->name = foreign_string(p->rs, full, strlen(full));
	return foreign_xt_target(x, name);
}

static const struct {
	const char *name;
	enum foreign_kind kind;
	parse_fn parse; /* NULL: nothing to read */
} expr_rows[] = {
	{ "meta", FOREIGN_META, parse_meta },
	{ "payload", FOREIGN_PAYLOAD, parse_payload },
	{ "ct", FOREIGN_CT, parse_ct },
	{ "fib", FOREIGN_FIB, parse_fib },
	{ "immediate", FOREIGN_IMMEDIATE, parse_immediate },
	{ "cmp", FOREIGN_CMP, parse_cmp },
	{ "range", FOREIGN_RANGE, parse_range },
	{ "bitwise", FOREIGN_BITWISE, parse_bitwise },
	{ "byteorder", FOREIGN_BYTEORDER, parse_byteorder },
	{ "lookup", FOREIGN_LOOKUP, parse_lookup },
	{ "reject", FOREIGN_REJECT, parse_reject },
	{ "nat", FOREIGN_NAT, parse_nat },
	{ "masq", FOREIGN_NAT, parse_translate },
	{ "redir", FOREIGN_NAT, parse_translate },
	{ "counter", FOREIGN_IGNORED, parse_counter },
	{ "objref", FOREIGN_UNKNOWN, parse_objref },
	{ "dynset", FOREIGN_IGNORED, parse_dynset },
	{ "queue", FOREIGN_VERDICT, parse_queue },
	{ "log", FOREIGN_IGNORED, NULL },
	{ "last", FOREIGN_IGNORED, NULL },
	{ "notrack", FOREIGN_IGNORED, NULL },
	{ "dup", FOREIGN_IGNORED, NULL },
	{ "flow_offload", FOREIGN_IGNORED, NULL },
	{ "exthdr", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "numgen", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "hash", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "socket", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "rt", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "osf", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "tunnel", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "xfrm", FOREIGN_LOAD_UNKNOWN, parse_load },
	{ "match", FOREIGN_MATCH, parse_xt_match },
	{ "target", FOREIGN_VERDICT, parse_xt_target },
};

static void expr_read(struct parse *p, struct foreign_expr *x, const char *name)
{
	*x = (struct foreign_expr){ .kind = FOREIGN_UNKNOWN, .sreg = -1, .dreg = -1 };
	x->name = foreign_string(p->rs, name, strlen(name));
	if (!x->name)
		return;
	for (size_t i = 0; i < ARRAY_LEN(expr_rows); i++) {
		if (strcmp(expr_rows[i].name, name) != 0)
			continue;
		x->kind = expr_rows[i].kind;
		if (expr_rows[i].parse && !expr_rows[i].parse(p, x))
			x->kind = FOREIGN_UNKNOWN;
		return;
	}
}

void foreign_expr_read(struct foreign_ruleset *rs, struct foreign_rule *r, const struct nlattr *list)
{
	struct parse p = { .rs = rs, .r = r };
	const struct nlattr *item;
	size_t cnt = 0;

	if (!list)
		return;
	mnl_attr_for_each_nested(item, list) cnt++;
	r->exprs = foreign_alloc(rs, cnt * sizeof(*r->exprs));
	if (!r->exprs)
		return;
	mnl_attr_for_each_nested(item, list)
	{
		const char *name = foreign_attr_string(foreign_attr(item, NFTA_EXPR_NAME));

		p.data = foreign_attr(item, NFTA_EXPR_DATA);
		expr_read(&p, &r->exprs[r->expr_cnt++], name ? name : "?");
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: tables and chains, a row each, and their rows and the rules' as the kernel's objects
 */
#include "nat/rules.h"
#include "base/mem.h"
#include "nat/nat.h"
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>

/* Before anyone's own bridge rules: NF_BR_PRI_NAT_DST_BRIDGED is -300. */
#define PRIO_GUARD (-310)

const struct nat_table_row nat_table_rows[NAT_TABLE_CNT] = {
	[NAT_TABLE_INET] = { "table inet " NAT_TABLE_NAME, NFPROTO_INET },
	[NAT_TABLE_BRIDGE] = { "table bridge " NAT_TABLE_NAME, NFPROTO_BRIDGE },
};

#define INET(...)                           \
	{                                   \
		NAT_TABLE_INET, __VA_ARGS__ \
	}
#define BRIDGE(...)                           \
	{                                     \
		NAT_TABLE_BRIDGE, __VA_ARGS__ \
	}

const struct nat_chain_row nat_chain_rows[NAT_CHAIN_CNT] = {
	[NAT_CHAIN_FORWARD] = INET("forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER),
	[NAT_CHAIN_CLAMP] = INET("clamp"),
	[NAT_CHAIN_POLICY] = INET("port_policy"),
	[NAT_CHAIN_INTERNET] = INET("internet"),
	[NAT_CHAIN_LISTED] = INET("listed"),
	[NAT_CHAIN_REFUSE] = INET("refuse"),
	[NAT_CHAIN_TO_GUEST] = INET("to_guest"),
	[NAT_CHAIN_BETWEEN] = INET("between"),
	[NAT_CHAIN_TO_ROUTED] = INET("to_routed"),
	[NAT_CHAIN_FROM_GUEST] = INET("from_guest"),
	/* Before connection tracking turns answers back into what they answer. */
	[NAT_CHAIN_LOOPBACK] = INET("loopback", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW),
	[NAT_CHAIN_PREROUTING] = INET("prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST),
	[NAT_CHAIN_OUTPUT] = INET("output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST),
	[NAT_CHAIN_PUBLISH] = INET("publish"),
	[NAT_CHAIN_POSTROUTING] = INET("postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC),
	[NAT_CHAIN_TRANSLATE] = INET("translate"),
	[NAT_CHAIN_INPUT] = INET("input", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER),
	[NAT_CHAIN_INPUT_POLICY] = INET("input_policy"),
	[NAT_CHAIN_HOST] = INET("host"),
	[NAT_CHAIN_BRIDGE_PREROUTING] = BRIDGE("prerouting", "filter", NF_BR_PRE_ROUTING, PRIO_GUARD),
	[NAT_CHAIN_BRIDGE_IP4] = BRIDGE("from_ip4"),
	[NAT_CHAIN_BRIDGE_SOURCE4] = BRIDGE("source_ip4"),
	[NAT_CHAIN_BRIDGE_ARP] = BRIDGE("from_arp"),
	[NAT_CHAIN_BRIDGE_IP6] = BRIDGE("from_ip6"),
	[NAT_CHAIN_BRIDGE_SOURCE6] = BRIDGE("source_ip6"),
	[NAT_CHAIN_BRIDGE_NEIGHBOUR] = BRIDGE("neighbour"),
	[NAT_CHAIN_BRIDGE_WRAPPED] = BRIDGE("wrapped"),
	[NAT_CHAIN_BRIDGE_FLOOD] = BRIDGE("flood"),
	[NAT_CHAIN_BRIDGE_FORWARD] = BRIDGE("forward", "filter", NF_BR_FORWARD, NF_BR_PRI_FILTER_BRIDGED),
	[NAT_CHAIN_BRIDGE_INPUT] = BRIDGE("input", "filter", NF_BR_LOCAL_IN, NF_BR_PRI_FILTER_BRIDGED),
};

size_t nat_rule_cnt(void)
{
	return nat_inet_rule_cnt + nat_bridge_rule_cnt;
}

const struct nat_rule_row *nat_rule_at(size_t i)
{
	return i < nat_inet_rule_cnt ? &nat_inet_rules[i] : &nat_bridge_rules[i - nat_inet_rule_cnt];
}

enum nat_chain nat_chain_find(enum nat_table table, const char *name)
{
	for (unsigned i = 0; i < NAT_CHAIN_CNT; i++)
		if (name && nat_chain_rows[i].table == table && strcmp(nat_chain_rows[i].name, name) == 0)
			return (enum nat_chain)i;
	return NAT_CHAIN_CNT;
}

/* nft(8) shows it as the object's comment. Return: NULL when out of memory. */
static struct nftnl_udata_buf *comment_new(const char *text)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(NFTNL_UDATA_COMMENT_MAXLEN + 8);

	_Static_assert((int)NFTNL_UDATA_TABLE_COMMENT == (int)NFTNL_UDATA_RULE_COMMENT, "one type for both");
	if (u)
		nftnl_udata_put_strz(u, NFTNL_UDATA_TABLE_COMMENT, text);
	return u;
}

struct nftnl_table *nat_table_build(enum nat_table table, uint32_t flags, const char *comment)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nftnl_udata_buf *u = comment_new(comment);

	if (t && u) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, NAT_TABLE_NAME);
		nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, nat_table_rows[table].family);
		nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, flags);
		nftnl_table_set_data(t, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(u),
				     nftnl_udata_buf_len(u));
	} else if (t) {
		nftnl_table_free(t);
		t = NULL;
	}
	if (u)
		nftnl_udata_buf_free(u);
	return t;
}

struct nftnl_chain *nat_chain_build(enum nat_chain chain)
{
	const struct nat_chain_row *row = &nat_chain_rows[chain];
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c)
		return NULL;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, NAT_TABLE_NAME);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, nat_table_rows[row->table].family);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, row->name);
	if (row->type) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, row->type);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, row->hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, row->prio);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	return c;
}

struct nftnl_rule *nat_rule_build(const struct nat_rule_row *row)
{
	const struct nat_chain_row *chain = &nat_chain_rows[row->chain];
	struct nftnl_udata_buf *u = comment_new(row->label);
	struct nftnl_rule *r = nftnl_rule_alloc();
	bool ok = u && r;

	if (ok) {
		nftnl_rule_set_str(r, NFTNL_RULE_TABLE, NAT_TABLE_NAME);
		nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain->name);
		nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, nat_table_rows[chain->table].family);
		nftnl_rule_set_data(r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	}
	for (unsigned i = 0; ok && i < NAT_RULE_WORDS && row->words[i].kind != NAT_WORD_END; i++)
		ok = nat_word_build(r, &row->words[i]);
	if (u)
		nftnl_udata_buf_free(u);
	if (!ok && r) {
		nftnl_rule_free(r);
		r = NULL;
	}
	return r;
}

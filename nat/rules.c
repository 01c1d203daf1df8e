/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the skeleton: what is the same for every network
 *
 * A forwarded packet meets the rules for its output interface first, then those for its input interface. The
 * other way round one NAT network would reach another one. Each of the chains has the last word on what
 * enters it.
 *
 * Sets with a rule each, and not one map of verdicts: whenever a jump becomes an element, the kernel
 * validates all elements of the map at the commit, which with thousands of networks costs many times the rest
 * of it.
 *
 * same_bridge: with br_netfilter, frames between two guests of one bridge pass these hooks as well, with the
 * bridge as both interfaces.
 *
 * The input interface of a forwarded packet is visible in postrouting since Linux 5.6 (ip_output() passes it
 * on). Locally made packets have none, so the host's own traffic is never masqueraded here. A bridged frame
 * has none there either.
 *
 * Masqueraded TCP and UDP get a source port above 1023: otherwise a guest's root could pass for the host's
 * root with servers that trust low ports (NFS).
 *
 * In the bridge family a frame's input interface is the port. The MAC guard looks the good frame up first, so
 * it costs one lookup; a frame that is not there is dropped, and counted, by its port's element of `guarded`.
 *
 * The DHCP mark is set where a frame is delivered to the bridge itself, not in prerouting: frames that are
 * only bridged, on whosever bridge, keep the mark they have. `meta l4proto` and the transport header do not
 * match later fragments. A mark that somebody else set is left alone.
 */
#include "nat/rules.h"
#include "base/mem.h"
#include "nat/nat.h"
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>

/* nft's type numbers (include/datatype.h there); a concatenation is the numbers side by side, 6 bits each. */
#define TYPE_ETHERADDR 9u
#define TYPE_MARK      19u
#define TYPE_IFNAME    41u
#define CONCAT(x, y)   ((x) << 6 | (y))
#define BYTEORDER_HOST 1u /* enum byteorder there */

#define IFNAME_LEN 16
#define ETHER_LEN  8 /* 6, padded to a register */

/* Before anyone's own bridge rules: NF_BR_PRI_NAT_DST_BRIDGED is -300. */
#define PRIO_GUARD (-310)

#define CT_STATE_BIT(ctinfo) \
	(1u << ((ctinfo) % IP_CT_IS_REPLY + 1)) /* NF_CT_STATE_BIT, which is not in uapi */
#define BOOTPS        67
#define DHCPV6_SERVER 547

const struct nat_table_row nat_table_rows[NAT_TABLE_CNT] = {
	[NAT_TABLE_INET] = { "table inet " NAT_TABLE_NAME, NFPROTO_INET },
	[NAT_TABLE_BRIDGE] = { "table bridge " NAT_TABLE_NAME, NFPROTO_BRIDGE },
};

const struct nat_set_row nat_set_rows[NAT_SET_CNT] = {
	[NAT_SET_SAME_BRIDGE] = { NAT_TABLE_INET, "same_bridge", CONCAT(TYPE_IFNAME, TYPE_IFNAME),
				  2 * IFNAME_LEN },
	[NAT_SET_NAT4] = { NAT_TABLE_INET, "nat4", TYPE_IFNAME, IFNAME_LEN },
	[NAT_SET_ISOLATED] = { NAT_TABLE_INET, "isolated", TYPE_IFNAME, IFNAME_LEN },
	[NAT_SET_DHCP] = { NAT_TABLE_INET, "dhcp", TYPE_IFNAME, IFNAME_LEN },
	[NAT_SET_PORT_MAC] = { NAT_TABLE_BRIDGE, "port_mac", CONCAT(TYPE_IFNAME, TYPE_ETHERADDR),
			       IFNAME_LEN + ETHER_LEN },
	[NAT_SET_GUARDED] = { NAT_TABLE_BRIDGE, "guarded", TYPE_IFNAME, IFNAME_LEN, .counter = true },
	[NAT_SET_PORT_MARK] = { NAT_TABLE_BRIDGE, "port_mark", TYPE_IFNAME, IFNAME_LEN, .mark = true },
};

const struct nat_chain_row nat_chain_rows[NAT_CHAIN_CNT] = {
	[NAT_CHAIN_FORWARD] = { NAT_TABLE_INET, "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER },
	[NAT_CHAIN_TO_NAT] = { NAT_TABLE_INET, "to_nat" },
	[NAT_CHAIN_FROM_NAT] = { NAT_TABLE_INET, "from_nat" },
	[NAT_CHAIN_TO_ISOLATED] = { NAT_TABLE_INET, "to_isolated" },
	[NAT_CHAIN_POSTROUTING] = { NAT_TABLE_INET, "postrouting", "nat", NF_INET_POST_ROUTING,
				    NF_IP_PRI_NAT_SRC },
	[NAT_CHAIN_NAT4] = { NAT_TABLE_INET, "masquerade4" },
	[NAT_CHAIN_INPUT] = { NAT_TABLE_INET, "input", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER },
	[NAT_CHAIN_BRIDGE_PREROUTING] = { NAT_TABLE_BRIDGE, "prerouting", "filter", NF_BR_PRE_ROUTING,
					  PRIO_GUARD },
	[NAT_CHAIN_BRIDGE_INPUT] = { NAT_TABLE_BRIDGE, "input", "filter", NF_BR_LOCAL_IN,
				     NF_BR_PRI_FILTER_BRIDGED },
};

#define L4PROTO(proto) META(NFT_META_L4PROTO, NFT_REG_1), IS(1, proto)
#define SAME_BRIDGE    IIFNAME(NFT_REG_1), OIFNAME(NFT_REG_2), IN(NAT_SET_SAME_BRIDGE)
#define IPV4           META(NFT_META_NFPROTO, NFT_REG_1), IS(1, NFPROTO_IPV4)
#define ABOVE_1023     SET_REG(NFT_REG_1, 2, false, 1024), SET_REG(NFT_REG_2, 2, false, 65535)
#define REFUSE         REJECT(NFT_REJECT_ICMPX_PORT_UNREACH)

const struct nat_rule_row nat_rule_rows[] = {
	{ NAT_CHAIN_FORWARD,
	  "towards NAT networks",
	  { OIFNAME(NFT_REG_1), IN(NAT_SET_NAT4), JUMP(NAT_CHAIN_TO_NAT) } },
	{ NAT_CHAIN_FORWARD,
	  "towards isolated networks",
	  { OIFNAME(NFT_REG_1), IN(NAT_SET_ISOLATED), JUMP(NAT_CHAIN_TO_ISOLATED) } },
	{ NAT_CHAIN_FORWARD,
	  "from NAT networks",
	  { IIFNAME(NFT_REG_1), IN(NAT_SET_NAT4), JUMP(NAT_CHAIN_FROM_NAT) } },
	{ NAT_CHAIN_FORWARD,
	  "nothing from isolated networks",
	  { IIFNAME(NFT_REG_1), IN(NAT_SET_ISOLATED), REFUSE } },

	{ NAT_CHAIN_TO_NAT,
	  "answers to guests",
	  { CT(NFT_CT_STATE), HAS(CT_STATE_BIT(IP_CT_ESTABLISHED) | CT_STATE_BIT(IP_CT_RELATED)), ACCEPT } },
	{ NAT_CHAIN_TO_NAT, "guests of one NAT network", { SAME_BRIDGE, ACCEPT } },
	{ NAT_CHAIN_TO_NAT, "published to the outside", { CT(NFT_CT_STATUS), HAS(IPS_DST_NAT), ACCEPT } },
	{ NAT_CHAIN_TO_NAT, "nothing else towards NAT guests", { REFUSE } },

	{ NAT_CHAIN_TO_ISOLATED, "guests of one isolated network", { SAME_BRIDGE, ACCEPT } },
	{ NAT_CHAIN_TO_ISOLATED, "nothing else towards isolated guests", { REFUSE } },

	{ NAT_CHAIN_FROM_NAT, "IPv4 from guests", { IPV4, ACCEPT } },
	/*
	 * No IPv6 prefix is routed back to such a network: it would leave with addresses that the guest made
	 * up.
	 */
	{ NAT_CHAIN_FROM_NAT, "nothing else from NAT guests", { REFUSE } },

	{ NAT_CHAIN_POSTROUTING, "no masquerade within one bridge", { SAME_BRIDGE, ACCEPT } },
	{ NAT_CHAIN_POSTROUTING,
	  "masquerade NAT networks",
	  { IPV4, IIFNAME(NFT_REG_1), IN(NAT_SET_NAT4), JUMP(NAT_CHAIN_NAT4) } },
	{ NAT_CHAIN_NAT4,
	  "no masquerade of link-local multicast",
	  { IPV4, IP_DADDR(3), IS(3, 0xe00000), RETURN } },
	{ NAT_CHAIN_NAT4, "no masquerade of broadcast", { IPV4, IP_DADDR(4), IS(4, 0xffffffff), RETURN } },
	{ NAT_CHAIN_NAT4,
	  "masquerade TCP",
	  { L4PROTO(IPPROTO_TCP), ABOVE_1023, MASQUERADE_TO(NFT_REG_1, NFT_REG_2) } },
	{ NAT_CHAIN_NAT4,
	  "masquerade UDP",
	  { L4PROTO(IPPROTO_UDP), ABOVE_1023, MASQUERADE_TO(NFT_REG_1, NFT_REG_2) } },
	{ NAT_CHAIN_NAT4, "masquerade", { MASQUERADE } },

	{ NAT_CHAIN_INPUT,
	  "DHCP is served elsewhere",
	  { L4PROTO(IPPROTO_UDP), DPORT, IS(2, BOOTPS), IIFNAME(NFT_REG_1), IN(NAT_SET_DHCP), DROP } },
	{ NAT_CHAIN_INPUT,
	  "DHCPv6 is served elsewhere",
	  { L4PROTO(IPPROTO_UDP), DPORT, IS(2, DHCPV6_SERVER), IIFNAME(NFT_REG_1), IN(NAT_SET_DHCP), DROP } },

	{ NAT_CHAIN_BRIDGE_PREROUTING,
	  "MAC guard",
	  { IIFNAME(NFT_REG_1), ETHER_SADDR(NFT_REG_2), NOT_IN(NAT_SET_PORT_MAC), IIFNAME(NFT_REG_1),
	    IN(NAT_SET_GUARDED), DROP } },
	/* Where the map has no such port the rule ends with the first mark standing. */
	{ NAT_CHAIN_BRIDGE_INPUT,
	  "mark of the DHCP port",
	  { ETHER_TYPE, IS(2, ETH_P_IP), L4PROTO(IPPROTO_UDP), DPORT, IS(2, BOOTPS),
	    META(NFT_META_MARK, NFT_REG_1), IS_HOST(0), SET_REG(NFT_REG_1, 4, true, NAT_MARK_FOREIGN),
	    SET_META(NFT_META_MARK), IIFNAME(NFT_REG_1), MAP(NAT_SET_PORT_MARK), SET_META(NFT_META_MARK) } },
};
const size_t nat_rule_cnt = ARRAY_LEN(nat_rule_rows);

const char *nat_elem_label(const struct nat_elem *elem, char buf[NAT_LABEL_LEN])
{
	const struct nat_set_row *row = &nat_set_rows[elem->set];
	const uint8_t *second = elem->key + IFNAME_LEN;
	char rest[40] = "";

	if (elem->set == NAT_SET_PORT_MAC)
		snprintf(rest, sizeof(rest), " . %02x:%02x:%02x:%02x:%02x:%02x", second[0], second[1],
			 second[2], second[3], second[4], second[5]);
	else if (elem->key_len > IFNAME_LEN)
		snprintf(rest, sizeof(rest), " . %.*s", IFNAME_LEN, (const char *)second);
	snprintf(buf, NAT_LABEL_LEN, "element %.*s%s of %s %s of %s", IFNAME_LEN, (const char *)elem->key,
		 rest, row->mark ? "map" : "set", row->name, nat_table_rows[row->table].label);
	return buf;
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

/* nft(8) reads from it how to list names and marks: in host order, while concatenations have none. */
static bool byteorder_put(struct nftnl_set *s, const struct nat_set_row *row)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(64);

	if (!u)
		return false;
	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER,
			    row->key_type == TYPE_IFNAME ? BYTEORDER_HOST : 0);
	if (row->mark)
		nftnl_udata_put_u32(u, NFTNL_UDATA_SET_DATABYTEORDER, BYTEORDER_HOST);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
	return true;
}

struct nftnl_set *nat_set_build(enum nat_set set)
{
	const struct nat_set_row *row = &nat_set_rows[set];
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_expr *counter = row->counter ? nftnl_expr_alloc("counter") : NULL;

	if (!s || (row->counter && !counter) || !byteorder_put(s, row)) {
		nftnl_set_free(s);
		nftnl_expr_free(counter);
		return NULL;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, NAT_TABLE_NAME);
	nftnl_set_set_str(s, NFTNL_SET_NAME, row->name);
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, nat_table_rows[row->table].family);
	nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)set + 1);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, row->mark ? NFT_SET_MAP : 0);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, row->key_type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, row->key_len);
	if (row->mark) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, TYPE_MARK);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, sizeof(uint32_t));
	}
	if (counter)
		nftnl_set_add_expr(s, counter);
	return s;
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

	for (size_t i = 0; i < nat_rule_cnt; i++) {
		const struct nat_rule_row *row = &nat_rule_rows[i];
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

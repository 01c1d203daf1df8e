/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_RULES_H
#define ND_NAT_RULES_H
/*
 * The skeleton as tables of rows: tables, sets, chains, rules. Private to nat/. An index into a table (enum)
 * is how everything else names a row; the label is how errors and comments in `nft list ruleset` do.
 */
#include "base/addr.h"
#include "nat/expr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAT_TABLE_NAME "netd"

enum nat_table { NAT_TABLE_INET, NAT_TABLE_BRIDGE, NAT_TABLE_CNT };
enum nat_set {
	/* table inet: networks, by bridge */
	NAT_SET_SAME_BRIDGE,
	NAT_SET_BRIDGES,
	NAT_SET_NAT4,
	NAT_SET_NAT6,
	NAT_SET_ROUTE4,
	NAT_SET_ROUTE6,
	NAT_SET_PEERS,
	NAT_SET_UPLINKED,
	NAT_SET_UPLINKS,
	NAT_SET_ISOLATED,
	NAT_SET_CLAMP_MSS,
	NAT_SET_SOURCE4,
	NAT_SET_SOURCE6,
	NAT_SET_SOURCE_PORT_FIRST,
	NAT_SET_SOURCE_PORT_LAST,
	NAT_SET_DHCP,
	NAT_SET_HOST_LIMITED,
	NAT_SET_HOST_NONE,
	/* published ports */
	NAT_SET_PUBLISH4,
	NAT_SET_PUBLISH6,
	NAT_SET_PUBLISH4_ANY,
	NAT_SET_PUBLISH6_ANY,
	/* ports, by mark */
	NAT_SET_CONNECTION_MAX,
	NAT_SET_CONNECTION_DROP,
	NAT_SET_EGRESS_DROP,
	NAT_SET_EGRESS_INTERNET,
	NAT_SET_EGRESS_LIST,
	NAT_SET_EGRESS_ALLOW4,
	NAT_SET_EGRESS_ALLOW6,
	/* table bridge: ports, by interface */
	NAT_SET_PORT_MAC,
	NAT_SET_GUARDED,
	NAT_SET_PORT_IP4,
	NAT_SET_PORT_NET4,
	NAT_SET_IP4_GUARDED,
	NAT_SET_ARP_GUARDED,
	NAT_SET_PORT_IP6,
	NAT_SET_PORT_NET6,
	NAT_SET_IP6_GUARDED,
	NAT_SET_GATEWAY6,
	NAT_SET_DHCP_GUARDED,
	NAT_SET_ROUTER_GUARDED,
	NAT_SET_BROADCAST_RATE,
	NAT_SET_BROADCAST_DROP,
	NAT_SET_MULTICAST_RATE,
	NAT_SET_MULTICAST_DROP,
	NAT_SET_PORT_POLICY,
	NAT_SET_BRIDGED_DROP,
	NAT_SET_PORT_MARK,
	NAT_SET_CNT
};
enum nat_chain {
	NAT_CHAIN_FORWARD,
	NAT_CHAIN_CLAMP,
	NAT_CHAIN_POLICY,
	NAT_CHAIN_INTERNET,
	NAT_CHAIN_LISTED,
	NAT_CHAIN_REFUSE,
	NAT_CHAIN_TO_GUEST,
	NAT_CHAIN_BETWEEN,
	NAT_CHAIN_TO_ROUTED,
	NAT_CHAIN_FROM_GUEST,
	NAT_CHAIN_LOOPBACK,
	NAT_CHAIN_PREROUTING,
	NAT_CHAIN_OUTPUT,
	NAT_CHAIN_PUBLISH,
	NAT_CHAIN_POSTROUTING,
	NAT_CHAIN_TRANSLATE,
	NAT_CHAIN_INPUT,
	NAT_CHAIN_INPUT_POLICY,
	NAT_CHAIN_HOST,
	NAT_CHAIN_BRIDGE_PREROUTING,
	NAT_CHAIN_BRIDGE_IP4,
	NAT_CHAIN_BRIDGE_SOURCE4,
	NAT_CHAIN_BRIDGE_ARP,
	NAT_CHAIN_BRIDGE_IP6,
	NAT_CHAIN_BRIDGE_SOURCE6,
	NAT_CHAIN_BRIDGE_NEIGHBOUR,
	NAT_CHAIN_BRIDGE_WRAPPED,
	NAT_CHAIN_BRIDGE_FLOOD,
	NAT_CHAIN_BRIDGE_FORWARD,
	NAT_CHAIN_BRIDGE_INPUT,
	NAT_CHAIN_CNT
};
struct nftnl_table;
struct nftnl_set;
struct nftnl_chain;
struct nftnl_rule;

struct nat_table_row {
	const char *label; /* "table inet netd" */
	uint8_t family;    /* NFPROTO_ */
};
/* What an element has besides its key. */
enum nat_data {
	NAT_DATA_NONE,
	NAT_DATA_VALUE,       /* a map: data_len bytes */
	NAT_DATA_COUNTER,     /* counts the packets it matched */
	NAT_DATA_RATE,        /* matches above so many packets in a second: 4 bytes, host order */
	NAT_DATA_CONNECTIONS, /* matches above so many tracked connections: the same */
};
#define NAT_FIELDS_MAX 4
struct nat_set_row {
	enum nat_table table;
	const char *name;
	uint32_t key_type;              /* nft(8)'s own numbers, so that it lists keys readably */
	uint8_t fields[NAT_FIELDS_MAX]; /* their bytes, 0-ended */
	bool interval;                  /* of a concatenation: a key is two, first and last */
	enum nat_data data;
	uint32_t data_type;
	uint8_t data_len;   /* of NAT_DATA_VALUE */
	bool data_interval; /* the value is a first and a last one */
};
struct nat_chain_row {
	enum nat_table table;
	const char *name;
	const char *type; /* base chain: "filter", "nat"; NULL: only reached from others */
	uint32_t hook;
	int32_t prio;
};
#define NAT_RULE_WORDS 16 /* at most, an END after them not counted */
struct nat_rule_row {
	enum nat_chain chain;
	const char *label; /* unique */
	struct nat_word words[NAT_RULE_WORDS];
};

extern const struct nat_table_row nat_table_rows[NAT_TABLE_CNT];
extern const struct nat_set_row nat_set_rows[NAT_SET_CNT];
extern const struct nat_chain_row nat_chain_rows[NAT_CHAIN_CNT];
/* In rules-inet.c and rules-bridge.c; the rules of a chain stand in one of them. */
extern const struct nat_rule_row nat_inet_rules[], nat_bridge_rules[];
extern const size_t nat_inet_rule_cnt, nat_bridge_rule_cnt;
size_t nat_rule_cnt(void);
const struct nat_rule_row *nat_rule_at(size_t i); /* of both, below nat_rule_cnt */

/* Bytes of a key: fields, each padded to 4; of an interval's set twice that. */
uint8_t nat_set_key_len(enum nat_set set);
uint8_t nat_set_data_len(enum nat_set set); /* 0: none, or a counter */

#define NAT_KEY_MAX  56
#define NAT_DATA_MAX 40
/* set, key_len and key are hashed and compared as bytes: those behind key_len and the data's length are zero. */
struct nat_elem {
	uint8_t set;     /* enum nat_set */
	uint8_t key_len; /* nat_set_key_len */
	uint8_t key[NAT_KEY_MAX];
	uint8_t data[NAT_DATA_MAX];
};
#define NAT_ELEM_KEY_BYTES (offsetof(struct nat_elem, key) + NAT_KEY_MAX)
/* "element virbr0 . virbr0 of set same_bridge of table inet netd" */
#define NAT_LABEL_LEN 256
const char *nat_elem_label(const struct nat_elem *elem, char buf[NAT_LABEL_LEN]);

/* Index of the chain of that name, NAT_CHAIN_CNT when it is not ours. */
enum nat_chain nat_chain_find(enum nat_table table, const char *name);

/*
 * The rows as libnftnl objects, with all that the kernel needs to build them. The caller frees. NULL: out of
 * memory. flags: of the table, NFT_TABLE_F_; comment: its userdata.
 */
struct nftnl_table *nat_table_build(enum nat_table table, uint32_t flags, const char *comment);
struct nftnl_set *nat_set_build(enum nat_set set);
struct nftnl_chain *nat_chain_build(enum nat_chain chain);
struct nftnl_rule *nat_rule_build(const struct nat_rule_row *row);

/*
 * Fingerprints: a sum over the objects of a table of a hash of what matters in each, so that order between
 * chains and sets is free. Both what we would build and what the kernel dumped go through the same functions.
 * index: of a rule in its chain, from 0.
 */
uint64_t nat_set_print(const struct nftnl_set *s);
uint64_t nat_chain_print(const struct nftnl_chain *c);
uint64_t nat_rule_print(const struct nftnl_rule *r, unsigned index);
/* Of the whole table as built by this version; 0: out of memory. */
uint64_t nat_table_print(enum nat_table table);
/* How many objects the kernel counts in the table (NFTA_TABLE_USE): chains and sets. */
uint32_t nat_table_use(enum nat_table table);
#endif

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
	NAT_SET_SAME_BRIDGE,
	NAT_SET_NAT4,
	NAT_SET_ISOLATED,
	NAT_SET_DHCP,
	NAT_SET_PORT_MAC,
	NAT_SET_GUARDED,
	NAT_SET_PORT_MARK,
	NAT_SET_CNT
};
enum nat_chain {
	NAT_CHAIN_FORWARD,
	NAT_CHAIN_TO_NAT,
	NAT_CHAIN_FROM_NAT,
	NAT_CHAIN_TO_ISOLATED,
	NAT_CHAIN_POSTROUTING,
	NAT_CHAIN_NAT4,
	NAT_CHAIN_INPUT,
	NAT_CHAIN_BRIDGE_PREROUTING,
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
struct nat_set_row {
	enum nat_table table;
	const char *name;
	uint32_t key_type; /* nft(8)'s own numbers, so that it lists keys readably */
	uint8_t key_len;   /* bytes */
	bool mark;         /* a map: each element has a mark */
	bool counter;      /* each element counts the packets it matched */
};
struct nat_chain_row {
	enum nat_table table;
	const char *name;
	const char *type; /* base chain: "filter", "nat"; NULL: only reached from others */
	uint32_t hook;
	int32_t prio;
};
#define NAT_RULE_WORDS 14 /* at most, an END after them not counted */
struct nat_rule_row {
	enum nat_chain chain;
	const char *label; /* unique */
	struct nat_word words[NAT_RULE_WORDS];
};

extern const struct nat_table_row nat_table_rows[NAT_TABLE_CNT];
extern const struct nat_set_row nat_set_rows[NAT_SET_CNT];
extern const struct nat_chain_row nat_chain_rows[NAT_CHAIN_CNT];
extern const struct nat_rule_row nat_rule_rows[];
extern const size_t nat_rule_cnt;

#define NAT_KEY_MAX 32
/* set, key_len and key are hashed and compared as bytes: those behind key_len are zero. */
struct nat_elem {
	uint8_t set;     /* enum nat_set */
	uint8_t key_len; /* bytes of key */
	uint8_t key[NAT_KEY_MAX];
	uint32_t data; /* mark; 0 for sets */
};
#define NAT_ELEM_KEY_BYTES (offsetof(struct nat_elem, key) + NAT_KEY_MAX)
/* "element virbr0 . virbr0 of set same_bridge of table inet netd" */
#define NAT_LABEL_LEN 120
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_RULESET_H
#define ND_FOREIGN_RULESET_H
/*
 * DOC: the host's firewall as plain data
 *
 * Every table of every family, read once and then only looked at: nothing here follows what the kernel does
 * meanwhile. All memory is one arena that ends with the ruleset. What of a rule is not understood is kept by
 * name: a decision that depends on it is uncertain, never wrong. Legacy iptables' tables are read through
 * iptables-legacy-save(8) and look like any other, with `legacy` set.
 *
 * Source: uapi linux/netfilter/nf_tables.h, nf_tables_compat.h, x_tables.h.
 */
#include "base/addr.h"
#include "base/error.h"
#include "base/map.h"
#include "base/strtab.h"
#include <stdbool.h>
#include <stdint.h>

/* What an expression does to a packet's evaluation. */
enum foreign_kind {
	FOREIGN_META,         /* key → dreg */
	FOREIGN_META_SET,     /* sreg → key */
	FOREIGN_PAYLOAD,      /* base, offset, len → dreg */
	FOREIGN_CT,           /* key → dreg */
	FOREIGN_FIB,          /* key (result), flags → dreg */
	FOREIGN_LOAD_UNKNOWN, /* dreg is something that is not known here */
	FOREIGN_IMMEDIATE,    /* data → dreg */
	FOREIGN_CMP,          /* sreg op data */
	FOREIGN_RANGE,        /* sreg op data … data2 */
	FOREIGN_BITWISE,      /* sreg & data ^ data2 → dreg */
	FOREIGN_BYTEORDER,    /* sreg, of `offset` bytes each, turned → dreg */
	FOREIGN_LOOKUP,       /* sreg in set [→ dreg] */
	FOREIGN_VERDICT,
	FOREIGN_REJECT,
	FOREIGN_NAT,     /* key 0: source, 1: destination; sreg: address or -1; base: port's register or -1 */
	FOREIGN_MATCH,   /* of xtables, decoded */
	FOREIGN_UNKNOWN, /* may match or not */
	FOREIGN_IGNORED, /* neither matches nor decides: counter, log */
	FOREIGN_KIND_CNT_
};

/* A match of xtables that is understood. */
enum foreign_match_kind {
	FOREIGN_MATCH_CTSTATE,   /* bits in a */
	FOREIGN_MATCH_ADDRTYPE,  /* a: RTN_ bits of the source, b: of the destination; 0: any */
	FOREIGN_MATCH_PORTS,     /* any of ranges; a: bit 0 source, bit 1 destination */
	FOREIGN_MATCH_PHYSDEV,   /* name in, name2 out; "" any; a: has to be bridged */
	FOREIGN_MATCH_ADDRESSES, /* from lo to hi; a: 0 source, 1 destination */
	FOREIGN_MATCH_MAC,
	FOREIGN_MATCH_MARK,   /* mark & b == a */
	FOREIGN_MATCH_ICMP,   /* type a; 255: any */
	FOREIGN_MATCH_PROTO,  /* a */
	FOREIGN_MATCH_IFNAME, /* name; a: 0 in, 1 out; ends in '+': any that begins so */
	FOREIGN_MATCH_TEXT,   /* comment: always */
};
#define FOREIGN_PORTS_MAX 16
#define FOREIGN_NAME_MAX  128

#define FOREIGN_CT_NEW         (1u << 0)
#define FOREIGN_CT_ESTABLISHED (1u << 1)
#define FOREIGN_CT_RELATED     (1u << 2)
#define FOREIGN_CT_INVALID     (1u << 3)
#define FOREIGN_CT_UNTRACKED   (1u << 4)
#define FOREIGN_CT_DNAT        (1u << 5)
#define FOREIGN_CT_SNAT        (1u << 6)

struct foreign_match {
	enum foreign_match_kind kind;
	bool invert;
	uint32_t a, b;
	char name[ND_IFNAMSIZ + 1], name2[ND_IFNAMSIZ + 1];
	struct nd_ip lo, hi;
	struct nd_mac mac;
	uint16_t ports[FOREIGN_PORTS_MAX][2];
	size_t port_cnt;
};

struct foreign_set;
struct foreign_chain;
struct foreign_expr {
	enum foreign_kind kind;
	const char *name; /* "limit", "xt match recent": the kernel's name */
	uint32_t key, flags, op, base, offset, len;
	int sreg, dreg; /* byte offset of the register in the register file; -1: none */
	const uint8_t *data, *data2;
	uint32_t data_len;
	struct foreign_set *set; /* LOOKUP; NULL: not found */
	int verdict;             /* VERDICT: NF_ACCEPT, NFT_JUMP, …; also REJECT: NF_DROP */
	struct foreign_chain *target;
	const struct foreign_match *match;
};
#define FOREIGN_REGS_LEN 80 /* NFT_REG32_00 … 15 and what of them a key may exceed */

struct foreign_elem {
	const uint8_t *key, *end; /* end NULL: only key */
	const uint8_t *data;      /* of a map */
	bool interval_end, catchall;
	bool sometimes; /* it has a limit of its own, and matches above it alone */
	int verdict;    /* of a verdict map */
	struct foreign_chain *target;
	const char *target_name;
};
struct foreign_table;
struct foreign_set {
	struct nd_map_node node;
	struct foreign_table *table;
	const char *name;
	uint32_t id, flags, key_len, data_len;
	bool verdicts; /* the data are verdicts */
	bool cut;      /* has more elements than were read */
	uint8_t field_len[16];
	uint8_t field_cnt;          /* of a concatenation */
	struct foreign_elem *elems; /* of an interval set: sorted by key, an end before a start */
	uint32_t elem_cnt, elem_room;
};
struct foreign_rule {
	struct foreign_chain *chain;
	struct foreign_rule *next;
	uint64_t handle;   /* 0: of legacy iptables */
	uint32_t position; /* in its chain, from 1 */
	struct foreign_expr *exprs;
	size_t expr_cnt;
	const char *comment; /* NULL: none */
	const char *text;    /* as its owner writes it, where it came as text; else NULL */
	uint64_t packets;
	bool counted;
};
struct foreign_chain {
	struct nd_map_node node;
	struct foreign_table *table;
	struct foreign_chain *next;      /* of the table */
	struct foreign_chain *next_base; /* of the same hook, by priority */
	const char *name;
	bool base, nat;
	uint32_t hook;
	int32_t priority;
	int policy;               /* NF_ACCEPT or NF_DROP */
	char device[ND_IFNAMSIZ]; /* netdev; "" any or several */
	struct foreign_rule *rules, *last;
	uint32_t rule_cnt;
};
struct foreign_table {
	struct foreign_table *next;
	uint8_t family; /* NFPROTO_ */
	const char *name;
	bool legacy;
	struct foreign_chain *chains;
};
struct foreign_ruleset {
	struct foreign_table *tables;
	struct foreign_chain *bases;
	struct nd_map chains, sets;
	uint32_t generation;
	const char *
		without; /* rules whose comment begins so are passed over by decisions; NULL: none. Borrowed */
	char legacy_unread
		[96]; /* why legacy iptables' rules could not be read; "" they were, or there are none */
	struct foreign_block *blocks;
	size_t used; /* bytes of the arena */
	bool bad;    /* out of memory, or of what one ruleset may take */
};

/*
 * Reads everything, in a socket of its own. Blocks: a millisecond for a hundred rules. elements of sets beyond
 * 65,536 are left out (set.cut). The tables of skip_elements (NULL: none), a table's name, come without elements.
 * ND_OVERRUN: others changed it five times while it was read. CAP_NET_ADMIN of the network namespace.
 */
int foreign_read(const char *skip_elements, struct foreign_ruleset **ret, struct nd_error *e);
void foreign_ruleset_free(struct foreign_ruleset *rs); /* NULL-safe */

/* "table ip filter", "iptables-legacy table filter". Return: buf */
const char *foreign_table_label(const struct foreign_table *t, char *buf, size_t size);
/* The rule in one line, as nft(8) or iptables(8) would write it, what is not understood in "<>". Return: buf */
const char *foreign_rule_text(const struct foreign_rule *r, char *buf, size_t size);

/* Whose it is. */
enum foreign_owner {
	FOREIGN_OWNER_OTHER, /* an administrator's, or some program's */
	FOREIGN_OWNER_NETD,
	FOREIGN_OWNER_DOCKER,
	FOREIGN_OWNER_UFW,
	FOREIGN_OWNER_FIREWALLD,
	FOREIGN_OWNER_LIBVIRT,
	FOREIGN_OWNER_CNT_
};
ND_STRTAB_DECLARE(foreign_owner); /* "Docker", …; "" for others */
/* By the names of table and chain; a base chain without either is those whose chains it jumps to, the first known. */
enum foreign_owner foreign_chain_owner(const struct foreign_chain *c);

/* For the readers. All return NULL after setting rs->bad. */
void *foreign_alloc(struct foreign_ruleset *rs, size_t size); /* zeroed, ends with rs */
const char *foreign_string(struct foreign_ruleset *rs, const char *s, size_t len);
struct foreign_table *foreign_table_add(struct foreign_ruleset *rs, uint8_t family, const char *name,
					bool legacy);
struct foreign_table *foreign_table_find(const struct foreign_ruleset *rs, uint8_t family, const char *name,
					 bool legacy);
struct foreign_chain *foreign_chain_add(struct foreign_ruleset *rs, struct foreign_table *t,
					const char *name);
struct foreign_chain *foreign_chain_find(const struct foreign_ruleset *rs, const struct foreign_table *t,
					 const char *name);
struct foreign_set *foreign_set_add(struct foreign_ruleset *rs, struct foreign_table *t, const char *name);
struct foreign_set *foreign_set_find(const struct foreign_ruleset *rs, const struct foreign_table *t,
				     const char *name);
struct foreign_rule *foreign_rule_add(struct foreign_ruleset *rs, struct foreign_chain *c);
/* Puts base chains in their order; once, when all are there. */
void foreign_sort(struct foreign_ruleset *rs);

struct nlattr;
/* The expressions of a rule (NFTA_RULE_EXPRESSIONS) into r. r's table's chains and sets stand. */
void foreign_expr_read(struct foreign_ruleset *rs, struct foreign_rule *r, const struct nlattr *list);
/* A match or target of xtables. Return: false when it is not one that is understood. *x is FOREIGN_MATCH, … then. */
bool foreign_xt_match(struct foreign_ruleset *rs, struct foreign_expr *x, const char *name, uint32_t rev,
		      const uint8_t *info, size_t len, uint8_t family, struct foreign_rule *r);
bool foreign_xt_target(struct foreign_expr *x, const char *name);
/* Adds the tables of legacy iptables, if there are any. What cannot be read is told in rs->legacy_unread. */
void foreign_legacy_read(struct foreign_ruleset *rs);
/* The output of iptables-save, of one family. text: changed. */
void foreign_legacy_parse(struct foreign_ruleset *rs, uint8_t family, char *text);
#endif

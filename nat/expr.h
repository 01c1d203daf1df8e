/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_EXPR_H
#define ND_NAT_EXPR_H
/*
 * A rule is a short list of words; each word is one nf_tables expression. Registers are the kernel's 16-byte
 * ones, 1 to 4; a key of two fields lies in 1 and 2. Private to nat/. Source: uapi
 * linux/netfilter/nf_tables.h.
 */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h otherwise */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stdint.h>

struct nftnl_rule;

enum nat_word_kind {
	NAT_WORD_END, /* also what a zeroed word is */
	NAT_WORD_META,
	NAT_WORD_CT,
	NAT_WORD_PAYLOAD,
	NAT_WORD_MASK,
	NAT_WORD_CMP,
	NAT_WORD_SET_REG,
	NAT_WORD_SET_META,
	NAT_WORD_LOOKUP,
	NAT_WORD_VERDICT,
	NAT_WORD_REJECT,
	NAT_WORD_MASQUERADE,
	NAT_WORD_CNT
};
struct nat_word {
	enum nat_word_kind kind;
	uint32_t a, b, c;
	uint32_t value;
};

#define WORD(name, ...)                              \
	{                                            \
		.kind = NAT_WORD_##name, __VA_ARGS__ \
	}
/* a: key, b: register */
#define META(key, reg) WORD(META, .a = (key), .b = (reg))
#define IIFNAME(reg)   META(NFT_META_IIFNAME, reg)
#define OIFNAME(reg)   META(NFT_META_OIFNAME, reg)
#define CT(key)        WORD(CT, .a = (key), .b = NFT_REG_1)
/* a: base, b: offset, c: length; value: register */
#define PAYLOAD(base, offset, len, reg) WORD(PAYLOAD, .a = (base), .b = (offset), .c = (len), .value = (reg))
#define ETHER_SADDR(reg)                PAYLOAD(NFT_PAYLOAD_LL_HEADER, 6, 6, reg)
#define ETHER_TYPE                      PAYLOAD(NFT_PAYLOAD_LL_HEADER, 12, 2, NFT_REG_1)
#define IP_DADDR(len)                   PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 16, len, NFT_REG_1)
#define DPORT                           PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1)
/* Register 1 & value, host order */
#define MASK(v) WORD(MASK, .value = (v))
/*
 * Register 1 against value: a operator, b length in bytes, c true when value is in host order, else in
 * network order
 */
#define CMP(op, len, host, v) WORD(CMP, .a = (op), .b = (len), .c = (host), .value = (v))
#define IS(len, v)            CMP(NFT_CMP_EQ, len, false, v)
#define IS_HOST(v)            CMP(NFT_CMP_EQ, 4, true, v)
#define HAS(bits)             MASK(bits), CMP(NFT_CMP_NEQ, 4, true, 0)
/* a: register, b: length, c: host order */
#define SET_REG(reg, len, host, v) WORD(SET_REG, .a = (reg), .b = (len), .c = (host), .value = (v))
#define SET_META(key)              WORD(SET_META, .a = (key))
/* a: enum nat_set; b: NFT_LOOKUP_F_; c: 1 + destination register, 0: none. The key starts in register 1. */
#define IN(set)     WORD(LOOKUP, .a = (set))
#define NOT_IN(set) WORD(LOOKUP, .a = (set), .b = NFT_LOOKUP_F_INV)
#define MAP(set)    WORD(LOOKUP, .a = (set), .c = 1 + NFT_REG_1)
/* b: enum nat_chain, of a jump */
#define VERDICT(v)   WORD(VERDICT, .value = (uint32_t)(v))
#define ACCEPT       VERDICT(NF_ACCEPT)
#define DROP         VERDICT(NF_DROP)
#define RETURN       VERDICT(NFT_RETURN)
#define JUMP(chain)  WORD(VERDICT, .b = (chain), .value = (uint32_t)NFT_JUMP)
#define REJECT(code) WORD(REJECT, .a = (code))
/* a, b: first and last register of the port range; 0: keep ports where possible */
#define MASQUERADE_TO(min, max) WORD(MASQUERADE, .a = (min), .b = (max))
#define MASQUERADE              MASQUERADE_TO(0, 0)

/* Appends the word's expression. Return: false when out of memory. */
bool nat_word_build(struct nftnl_rule *r, const struct nat_word *w);
#endif

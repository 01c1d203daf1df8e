/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_EXPR_H
#define ND_NAT_EXPR_H
/*
 * A rule is a short list of words; each word is one nf_tables expression. A register is named by the byte of
 * the key that it begins at, REG(0), REG(4) …: keys lie from byte 0, as their fields follow each other, each
 * padded to 4 bytes. Private to nat/. Source: uapi linux/netfilter/nf_tables.h.
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
	NAT_WORD_EXTENSION,
	NAT_WORD_FIB,
	NAT_WORD_MASK,
	NAT_WORD_CMP,
	NAT_WORD_SET_REG,
	NAT_WORD_SET_META,
	NAT_WORD_LOOKUP,
	NAT_WORD_VERDICT,
	NAT_WORD_REJECT,
	NAT_WORD_MASQUERADE,
	NAT_WORD_TRANSLATE,
	NAT_WORD_ROUTE_MSS,
	NAT_WORD_TO_NETWORK_ORDER,
	NAT_WORD_WRITE_MSS,
	NAT_WORD_CNT
};
struct nat_word {
	enum nat_word_kind kind;
	uint32_t a, b, c;
	uint32_t value;
	uint32_t d, f;
};

/* The kernel tells the registers at multiples of 16 by their old numbers. */
#define REG(offset) ((offset) % 16 == 0 ? NFT_REG_1 + (offset) / 16 : NFT_REG32_00 + (offset) / 4)

#define WORD(name, ...)                              \
	{                                            \
		.kind = NAT_WORD_##name, __VA_ARGS__ \
	}
/* a: key, b: byte of the key */
#define META(key, at)  WORD(META, .a = (key), .b = (at))
#define IIFNAME(at)    META(NFT_META_IIFNAME, at)
#define OIFNAME(at)    META(NFT_META_OIFNAME, at)
#define L4PROTO_TO(at) META(NFT_META_L4PROTO, at)
#define MARK_TO(at)    META(NFT_META_MARK, at)
#define CT(key)        WORD(CT, .a = (key))
/* a: base, b: offset, c: length; value: byte of the key */
#define PAYLOAD(base, offset, len, at) WORD(PAYLOAD, .a = (base), .b = (offset), .c = (len), .value = (at))
#define ETHER_SADDR(at)                PAYLOAD(NFT_PAYLOAD_LL_HEADER, 6, 6, at)
#define ETHER_TYPE                     PAYLOAD(NFT_PAYLOAD_LL_HEADER, 12, 2, 0)
#define ARP_SENDER_MAC(at)             PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 8, 6, at)
#define ARP_SENDER_IP(at)              PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 14, 4, at)
#define IP_SADDR(len, at)              PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 12, len, at)
#define IP_DADDR(len, at)              PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 16, len, at)
#define IP6_SADDR(len, at)             PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 8, len, at)
#define IP6_DADDR(len, at)             PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 24, len, at)
#define ICMP_TYPE                      PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0)
#define ND_TARGET(len, at)             PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 8, len, at)
#define DPORT(at)                      PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, at)
#define TCP_FLAGS                      PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0)
/* Bytes of that extension header of an IPv6 packet that has it; a: its number, b: offset, c: length */
#define EXTENSION(number, offset, len) WORD(EXTENSION, .a = (number), .b = (offset), .c = (len))
/* Whether the packet has it */
#define HAS_EXTENSION(number) EXTENSION(number, 0, 0), IS(1, 1)
/* a: enum nft_fib_result, b: NFTA_FIB_F_; into byte 0 */
#define FIB(result, flags) WORD(FIB, .a = (result), .b = (flags))
/* Byte 0 & value. b: length in bytes, c: host order */
#define MASK(len, host, v) WORD(MASK, .b = (len), .c = (host), .value = (v))
/*
 * Byte 0 against value: a operator, b length in bytes, c true when value is in host order, else in network
 * order
 */
#define CMP(op, len, host, v)    WORD(CMP, .a = (op), .b = (len), .c = (host), .value = (v))
#define IS(len, v)               CMP(NFT_CMP_EQ, len, false, v)
#define IS_NOT(len, v)           CMP(NFT_CMP_NEQ, len, false, v)
#define IS_HOST(v)               CMP(NFT_CMP_EQ, 4, true, v)
#define HAS(bits)                MASK(4, true, bits), CMP(NFT_CMP_NEQ, 4, true, 0)
#define HAS_BIT(bit)             MASK(1, false, bit), IS_NOT(1, 0)
#define IN_NETWORK(len, mask, v) MASK(len, false, mask), IS(len, v)
/* a: byte, b: length, c: host order */
#define SET_REG(at, len, host, v) WORD(SET_REG, .a = (at), .b = (len), .c = (host), .value = (v))
#define SET_META(key)             WORD(SET_META, .a = (key))
/* a: enum nat_set; b: NFT_LOOKUP_F_; c: 1 + byte where a map's value goes; 0: no map. The key begins at byte 0. */
#define IN(set)         WORD(LOOKUP, .a = (set))
#define NOT_IN(set)     WORD(LOOKUP, .a = (set), .b = NFT_LOOKUP_F_INV)
#define MAP_TO(set, at) WORD(LOOKUP, .a = (set), .c = 1 + (at))
#define MAP(set)        MAP_TO(set, 0)
/* b: enum nat_chain, of a jump */
#define VERDICT(v)   WORD(VERDICT, .value = (uint32_t)(v))
#define ACCEPT       VERDICT(NF_ACCEPT)
#define DROP         VERDICT(NF_DROP)
#define RETURN       VERDICT(NFT_RETURN)
#define JUMP(chain)  WORD(VERDICT, .b = (chain), .value = (uint32_t)NFT_JUMP)
#define GOTO(chain)  WORD(VERDICT, .b = (chain), .value = (uint32_t)NFT_GOTO)
#define REJECT(code) WORD(REJECT, .a = (code))
/* a, b: bytes of the first and last port; 0: keep ports where possible */
#define MASQUERADE_TO(first, last) WORD(MASQUERADE, .a = (first), .b = (last))
#define MASQUERADE                 WORD(MASQUERADE, .a = 0)
/* a: NFT_NAT_SNAT or DNAT; b: NFPROTO_; c, value: bytes of the first and last address; d, f: of the first and last port, 0: none */
#define SNAT_TO(family, first, last, port_first, port_last)                                                 \
	WORD(TRANSLATE, .a = NFT_NAT_SNAT, .b = (family), .c = (first), .value = (last), .d = (port_first), \
	     .f = (port_last))
#define DNAT_TO(family, addr, port)                                                                  \
	WORD(TRANSLATE, .a = NFT_NAT_DNAT, .b = (family), .c = (addr), .value = (addr), .d = (port), \
	     .f = (port))
/* The segment size that fits the route, into the TCP option that says it; the kernel never makes it larger. */
#define CLAMP_MSS WORD(ROUTE_MSS), WORD(TO_NETWORK_ORDER), WORD(WRITE_MSS)

/* Appends the word's expression. Return: false when out of memory. */
bool nat_word_build(struct nftnl_rule *r, const struct nat_word *w);
#endif

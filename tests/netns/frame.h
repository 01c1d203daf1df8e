/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_NETNS_FRAME_H
#define ND_TESTS_NETNS_FRAME_H
/*
 * DOC: frames as a cheating guest writes them
 *
 * A description in, bytes out, with every length and checksum right, so that nothing but the guards has a reason to drop them. Each ends with a
 * cookie, or has it as ARP's target MAC, by which a receiver finds it again whatever headers were taken off.
 */
#include <stddef.h>
#include <stdint.h>

enum frame_wrap {
	WRAP_NONE,
	WRAP_8021Q,
	WRAP_8021AD,
	WRAP_PRIORITY,       /* 802.1Q with VLAN 0 */
	WRAP_AD_Q,           /* two tags */
	WRAP_TWO_PRIORITIES, /* two tags of VLAN 0: receivers take both off */
	WRAP_SNAP,           /* RFC 1042: the EtherType behind a length and an LLC header */
	WRAP_Q_SNAP,
};
enum frame_extension {
	EXT_NONE,
	EXT_HOP_BY_HOP,
	EXT_DESTINATION,
	EXT_BOTH,
	EXT_FIRST_FRAGMENT, /* with all of the payload, and said to be followed by more */
	EXT_LATER_FRAGMENT, /* of IPv4 and IPv6 */
	EXT_ATOMIC,         /* a fragment header of the only fragment, RFC 6946 */
};
struct frame_spec {
	uint8_t eth_src,
		eth_dst; /* last byte of 02:00:00:00:00:xx; dst 0: broadcast, 0xff: multicast of the family */
	enum frame_wrap wrap;
	enum frame_extension extension;
	uint16_t ethertype;      /* ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 */
	const char *src, *dst;   /* IP, or ARP's sender and target */
	uint8_t arp_op, arp_mac; /* the sender's MAC inside, as eth_src */
	uint8_t protocol;        /* IPPROTO_ */
	uint16_t sport, dport;   /* of UDP */
	uint8_t type;            /* of ICMP and ICMPv6 */
	const char *target;      /* of neighbour messages, behind 4 bytes; NULL: zeros */
};
struct frame {
	uint8_t b[256];
	size_t len;
};
void frame_build(struct frame *f, const struct frame_spec *spec, uint32_t cookie);
#endif

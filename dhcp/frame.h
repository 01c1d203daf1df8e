/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_FRAME_H
#define ND_DHCP_FRAME_H
/*
 * DOC: Ethernet, IPv4, UDP and ARP around a DHCP message
 *
 * Source: RFC 791, RFC 768, RFC 826, RFC 5227 §2.1.1 (probe).
 */
#include "base/addr.h"
#include "dhcp/packet.h"

#define DHCP_PORT_SERVER   67
#define DHCP_PORT_CLIENT   68
#define DHCP_FRAME_HEADER  42 /* Ethernet, IPv4 without options, UDP */
#define DHCP_ARP_LEN       42 /* Ethernet and ARP for IPv4 */
#define DHCP_IP4_BROADCAST 0xffffffffu

struct dhcp_frame { /* a received one; payload is a view */
	struct nd_mac src;
	uint32_t src_ip4, dst_ip4;
	const uint8_t *payload;
	size_t payload_len;
};
/*
 * checksum_unverified: the UDP checksum is not filled in yet (virtio's partial checksum), do not look at it.
 * Return: DHCP_KEEP or an enum dhcp_drop.
 */
int dhcp_frame_parse(const uint8_t *p, size_t len, bool checksum_unverified, struct dhcp_frame *ret);

struct dhcp_addressee {
	struct nd_mac src, dst;
	uint32_t src_ip4, dst_ip4;
	uint16_t dst_port; /* from port 67 always */
};
/*
 * Writes the headers in front of a payload that already stands at buf + DHCP_FRAME_HEADER, both checksums complete.
 * buf: DHCP_FRAME_HEADER + payload_len bytes at least. Return: the frame's length.
 */
size_t dhcp_frame_build(const struct dhcp_addressee *to, uint8_t *buf, size_t payload_len);

struct dhcp_arp {
	bool is_reply;
	struct nd_mac sender; /* from the ARP message, not the Ethernet header */
	uint32_t sender_ip4, target_ip4;
};
/* Return: DHCP_KEEP, or a drop for what is no well-formed ARP reply or request for IPv4 over Ethernet. */
int dhcp_arp_parse(const uint8_t *p, size_t len, struct dhcp_arp *ret);
/* An RFC 5227 probe: who has target, asked by nobody. Return: DHCP_ARP_LEN. */
size_t dhcp_arp_probe_build(const struct nd_mac *src, uint32_t target_ip4, uint8_t buf[DHCP_ARP_LEN]);
#endif

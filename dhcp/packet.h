/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_PACKET_H
#define ND_DHCP_PACKET_H
/*
 * DOC: the BOOTP message with its options
 *
 * Source: RFC 2131 §2, RFC 2132 §9.3 (overload), RFC 3396 (an option in several parts).
 */
#include "dhcp/engine.h"
#include "dhcp/option.h"

#define DHCP_KEEP           (-1) /* beside enum dhcp_drop: not dropped */
#define DHCP_FLAG_BROADCAST 0x8000
#define DHCP_BOOTREQUEST    1
#define DHCP_BOOTREPLY      2
#define DHCP_HTYPE_ETHERNET 1
#define DHCP_COOKIE         0x63825363u
#define DHCP_CHADDR_LEN     16
#define DHCP_SNAME_LEN      64
#define DHCP_FILE_LEN       128
#define DHCP_BOOTP_LEN      236 /* fixed part, without cookie */
#define DHCP_HEADER_LEN     240 /* with it */
#define DHCP_PAYLOAD_MIN \
	300 /* a BOOTP message's whole length (RFC 951), which relays and old clients insist on */
#define DHCP_BOOTP_MAX \
	300 /* and what a client that speaks BOOTP alone takes (RFC 1542 §2.1: it may have room for no more) */
#define DHCP_DATAGRAM_MIN 576 /* what each client takes (RFC 2131 §2) */
#define DHCP_DATAGRAM_MAX 1500
#define DHCP_IP_UDP_LEN   28

struct dhcp_packet {
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, giaddr;
	struct nd_mac chaddr;
	struct dhcp_asked
		asked; /* type 0: plain BOOTP, perhaps without the cookie; views into the received bytes, or into joined */
	uint8_t joined[DHCP_FRAME_MAX]; /* values that came in parts */
};

/* A UDP payload. Return: DHCP_KEEP, or the enum dhcp_drop that says why not; ret's contents are undefined then. */
int dhcp_packet_parse(const uint8_t *p, size_t len, struct dhcp_packet *ret);

struct dhcp_reply_header { /* all else in a reply is zero or comes from the request */
	uint32_t ciaddr, yiaddr;
	uint16_t flags;
};
/*
 * The reply to req, at least DHCP_PAYLOAD_MIN long, at most what the client takes and size.
 * Return: bytes written, 0: what has to be in it does not fit.
 */
size_t dhcp_packet_build(const struct dhcp_packet *req, const struct dhcp_reply_header *h,
			 const struct dhcp_answer *a, uint8_t *buf, size_t size);
#endif

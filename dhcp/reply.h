/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_REPLY_H
#define ND_DHCP_REPLY_H
/*
 * DOC: what a reply says and to whom it goes (RFC 2131 §4.1, §4.3.1 table 3)
 */
#include "dhcp/frame.h"

struct dhcp_reply {
	uint8_t type;         /* DHCP_OFFER, DHCP_ACK, DHCP_NAK; 0: BOOTP */
	uint32_t yiaddr;      /* 0: none (NAK; ACK of INFORM) */
	uint32_t lease_s;     /* 0: none; DHCP_LEASE_INFINITE */
	uint32_t t1_s, t2_s;  /* 0: none */
	const char *hostname; /* borrowed; NULL or "": none */
	const char *message;  /* NAK: why; borrowed */
	bool rapid_commit;    /* an ACK in an OFFER's place */
};
/* Where the reply to this request goes. */
void dhcp_reply_addressee(const struct dhcp_network *n, const struct dhcp_frame *from,
			  const struct dhcp_packet *req, const struct dhcp_reply *r,
			  struct dhcp_addressee *ret);
/* The whole frame. Return: its length; 0: what has to be in it does not fit the client's maximum. */
size_t dhcp_reply_build(const struct dhcp_network *n, const struct dhcp_frame *from,
			const struct dhcp_packet *req, const struct dhcp_reply *r,
			uint8_t buf[DHCP_FRAME_MAX]);
#endif

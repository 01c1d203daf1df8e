/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_SOCKET_H
#define ND_DHCP_SOCKET_H
/* Receiving from the packet sockets, many frames a system call (private to dhcp/). */
#include "dhcp/engine.h"

#define DHCP_RX_BATCH 64

struct dhcp_rx_frame {
	int ifindex;              /* the interface it came in on: the bridge */
	uint32_t mark;            /* skb mark; 0: none */
	bool checksum_unverified; /* TP_STATUS_CSUMNOTREADY */
	const uint8_t *bytes;     /* borrowed from the receiver until its next use */
	size_t len;               /* at most DHCP_FRAME_MAX; a longer frame is cut */
};
struct dhcp_rx;
/* The buffers of one batch. Return: NULL on ENOMEM. */
struct dhcp_rx *dhcp_rx_new(void);
void dhcp_rx_free(struct dhcp_rx *rx); /* NULL-safe */
/* What waits on fd, at most DHCP_RX_BATCH frames, in one recvmmsg. Return: how many (0: none), or ND_SYSTEM. */
int dhcp_rx_receive(struct dhcp_rx *rx, int fd, struct nd_error *e);
/* i < what receive returned. */
struct dhcp_rx_frame dhcp_rx_get(const struct dhcp_rx *rx, size_t i);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_ENGINE_H
#define ND_DHCP_ENGINE_H
/*
 * DOC: the DHCPv4 server as a function
 *
 * (input, now, state) → outputs. No system call, no clock, no randomness besides its own state: the same in the worker, in unit tests and
 * under the fuzzer. Time is now_ms (boot time); wall_offset_s, given once, makes the expiry that is stored.
 *   frame → DISCOVER: pick (reservation, own lease, requested, free, longest expired), probe by ARP where asked, OFFER
 *   REQUEST → propose (lease + finished ACK frame); the host stores it and sends the frame itself; input STORED binds it in the pool, REFUSED undoes it
 *   RELEASE, DECLINE → propose/release without a frame.
 *   BOOTP (no message type) → for a reservation only: propose, without end
 * A DISCOVER with rapid commit (option 80) is proposed like a REQUEST.
 * A lease under way (proposed, not yet answered) is never given to another. Offers last 60 s… in memory only.
 * Source: RFC 2131, 2132, 1534 (BOOTP), 3046 §2.0 (echo of option 82), 4039, 6842, 5227 (probe).
 */
#include "dhcp/config.h"
#include "dhcp/lease.h"

#define DHCP_FRAME_MAX 1514 /* what is received and sent at most: Ethernet header and 1,500 */
#define DHCP_PROBE_MS  100  /* wait for an answer to an ARP probe */

enum dhcp_drop { /* each has a name (dhcp_drop_to_string) and a counter */
		 DHCP_DROP_SHORT,
		 DHCP_DROP_NOT_IP,
		 DHCP_DROP_IP_HEADER,
		 DHCP_DROP_FRAGMENT,
		 DHCP_DROP_UDP,
		 DHCP_DROP_CHECKSUM,
		 DHCP_DROP_BOOTP,
		 DHCP_DROP_COOKIE,
		 DHCP_DROP_OPTION,
		 DHCP_DROP_NO_TYPE,
		 DHCP_DROP_TYPE,
		 DHCP_DROP_CHADDR,
		 DHCP_DROP_NETWORK,
		 DHCP_DROP_PORT,
		 DHCP_DROP_SERVER_ID,
		 DHCP_DROP_SUBNET,
		 DHCP_DROP_POOL_FULL,
		 DHCP_DROP_PENDING,
		 DHCP_DROP_RATE,
		 DHCP_DROP_CNT_
};
const char *dhcp_drop_to_string(int d);
struct dhcp_counters {
	uint64_t received, discover, request, decline, release, inform, bootp, offer, ack, nak, probe,
		conflict;
	uint64_t drop[DHCP_DROP_CNT_];
};

enum dhcp_input_kind {
	DHCP_INPUT_FRAME, /* Ethernet frame with IPv4 UDP to port 67 */
	DHCP_INPUT_ARP,   /* Ethernet ARP frame (an answer to a probe) */
	DHCP_INPUT_TICK,  /* a deadline passed */
	DHCP_INPUT_STORED,
	DHCP_INPUT_REFUSED, /* outcome of proposal `id` */
};
struct dhcp_input {
	enum dhcp_input_kind kind;
	int ifindex;              /* FRAME, ARP: the bridge it came in on */
	uint32_t mark;            /* FRAME: port's mark, or the foreign one */
	bool checksum_unverified; /* FRAME: TP_STATUS_CSUMNOTREADY: the UDP checksum is not filled in (virtio) */
	const uint8_t *frame;     /* borrowed */
	size_t len;
	uint64_t id; /* STORED, REFUSED */
};
/* All borrowed for the call. frame is a complete Ethernet frame for ifindex. */
struct dhcp_output {
	void *arg;
	void (*send)(void *arg, int ifindex, const uint8_t *frame, size_t len);
	void (*propose)(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
			const uint8_t *ack /*NULL: none*/, size_t len);
	void (*release)(
		void *arg,
		const struct dhcp_lease *lease); /* the client gave it back: delete it from the store */
	void (*notice)(
		void *arg, uint32_t network_id,
		const char
			*text); /* pool full, conflict found, clone client-id: rate-limited by the engine */
};

struct dhcp_engine;
/* seed: spreads T1 and T2 (RFC 2131 §4.4.5), nothing else: addresses are chosen alike after a restart; 0: no spread. Return: NULL on ENOMEM. */
struct dhcp_engine *dhcp_engine_new(uint32_t foreign_mark,
				    int64_t wall_offset_s /* wall = now_ms/1000 + this */, uint64_t seed);
void dhcp_engine_free(struct dhcp_engine *g);
/*
 * New or changed (same id): copied; leases and offers that still fit stay, those that do not are forgotten here (the store keeps them until netd says).
 * An ifindex that another network had is taken from it. Return: 0; ND_INVALID (no id, uuid, address or prefix; a range that ends before it starts);
 * ND_EXISTS (its id or uuid is another network's); ND_LIMIT (ranges, reservations, addresses in ranges); ND_MEMORY. What was set before stands then.
 */
int dhcp_engine_network_set(struct dhcp_engine *g, const struct dhcp_network *n, struct nd_error *e);
void dhcp_engine_network_del(struct dhcp_engine *g, uint32_t id);
int dhcp_engine_port_set(struct dhcp_engine *g, const struct dhcp_port *p, struct nd_error *e);
void dhcp_engine_port_del(struct dhcp_engine *g, uint32_t mark);
/* A stored lease at start or refill. Unknown network or address outside it: ignored. Return: 0, or ND_INVALID (dhcp_lease_check). */
int dhcp_engine_lease_load(struct dhcp_engine *g, const struct dhcp_lease *l, uint64_t now_ms,
			   struct nd_error *e);
/* netd freed it (grace over, lease-release). */
void dhcp_engine_lease_free(struct dhcp_engine *g, const struct nd_uuid *network, uint32_t ip4);
/* Return: the next deadline in now_ms terms for a TICK, UINT64_MAX: none. */
uint64_t dhcp_engine_input(struct dhcp_engine *g, const struct dhcp_input *in, uint64_t now_ms,
			   const struct dhcp_output *out);
const struct dhcp_counters *dhcp_engine_counters(const struct dhcp_engine *g);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_LEASES_H
#define ND_CORE_LEASES_H
/*
 * DOC: leases between the worker and the store
 * proposal → checked → disk thread → stored → ACK frame sent, worker told. They live in the store alone; listing asks the disk thread.
 */
#include "dhcp/dhcp.h"
#include "netd/core/core.h"
#include "netd/core/model.h"

struct leases_done {
	/* leases borrowed for the call; expired ones are left out; ordered by address */
	void (*fn)(void *arg, const struct dhcp_lease *leases, size_t cnt, const struct nd_error *e);
	void *arg;
};
/* mac NULL: all. */
void leases_list(struct core *c, const struct network *n, const struct nd_mac *mac, struct leases_done done);

/*
 * Ends leases before their time: the one of an address (ip4 0: any), or those of a MAC (NULL: any), set-aside addresses among them. Their addresses are free
 * when done is called, with what they were; a port that had one may not use it any more. ND_NOT_FOUND: there was none.
 */
void leases_release(struct core *c, const struct network *n, uint32_t ip4, const struct nd_mac *mac,
		    struct leases_done done);

/* The clock that the ends of leases are told by, in the store and in the worker (leaseclock.h); listings have the wall's. */
uint64_t leases_now_s(const struct leases *l);
int64_t leases_clock_offset_s(const struct leases *l); /* from CLOCK_BOOTTIME to it */
/* Once the store is open and before the loop runs: the clock goes on from where it was, and is kept from now on. Without it, it is the wall clock of leases_new. */
void leases_clock_load(struct leases *l);

struct leases *leases_new(struct core *c);
void leases_free(struct leases *l);
/* From the supervisor. */
void leases_on_proposal(struct leases *l, uint32_t generation, uint64_t id, const struct dhcp_lease *lease,
			int ifindex, const uint8_t *ack, size_t len);
void leases_on_release(struct leases *l, const struct dhcp_lease *lease);
void leases_on_frame(struct leases *l, int ifindex, const uint8_t *frame, size_t len);
/* A port ended: its lease goes after the grace period unless the port comes back (leases_port_back). */
void leases_port_ended(struct leases *l, const struct nd_uuid *network, const struct nd_uuid *port);
void leases_port_back(struct leases *l, const struct nd_uuid *port);
/* The network is gone for good. */
void leases_network_gone(struct leases *l, const struct nd_uuid *network);
#endif

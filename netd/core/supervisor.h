/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_SUPERVISOR_H
#define ND_CORE_SUPERVISOR_H
/*
 * DOC: the DHCP worker's life
 * Opens the packet sockets once (a dup is kept), spawns the worker with them, watches it, and starts it again within a second when it dies, each
 * time with a new generation. Whoever wants the worker to know something compares his object's generation with supervisor_generation.
 */
#include "dhcp/dhcp.h"
#include "netd/core/core.h"
#include "netd/core/model.h"
#include "netd/core/plan.h"

#define SUPERVISOR_COUNTER_NAME 32

/* Spawns the first worker. */
int supervisor_new(struct core *c, struct supervisor **ret, struct nd_error *e);
/* Ends the worker. NULL-safe. */
void supervisor_free(struct supervisor *s);
uint32_t supervisor_generation(const struct supervisor *s); /* from 1; grows with each worker */
const struct plan_host *supervisor_host(const struct supervisor *s);
/*
 * The i-th counter of the DHCP server, summed over all workers' lives: what came, what was answered, and each reason of a dropped frame ("drop-…"). The
 * worker tells every 5 s. s NULL: zeroes. Return: false past the last.
 */
bool supervisor_counter(const struct supervisor *s, size_t i, char name[SUPERVISOR_COUNTER_NAME],
			uint64_t *ret);

/* Tells the worker of a network: its stored leases are read first (on the disk thread), so that it never serves a network whose leases it
 * does not know. No DHCP on it: nothing. Failures restart the worker. */
void supervisor_network_set(struct supervisor *s, struct network *n);
void supervisor_network_del(struct supervisor *s, const struct network *n);
void supervisor_port_set(struct supervisor *s, struct port *p);
void supervisor_port_del(struct supervisor *s, const struct port *p);
void supervisor_stored(struct supervisor *s, uint32_t generation, uint64_t id, bool stored);
void supervisor_lease_free(struct supervisor *s, const struct nd_uuid *network, uint32_t ip4);
/* One frame out, on a bridge. */
int supervisor_send(struct supervisor *s, int ifindex, const uint8_t *frame, size_t len, struct nd_error *e);
#endif

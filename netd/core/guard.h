/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_GUARD_H
#define ND_CORE_GUARD_H
/* What policy.h says of a port, in force. */
#include "netd/core/core.h"
#include "netd/core/model.h"

/* Queues what p has in the nft tables, as policy_port says now; nat_commit sends it. */
int guard_put(struct core *c, struct port *p, struct nd_error *e);
/*
 * The address p's lease gives it, 0 none. What it may send follows at once, and so does what is published to it. Connections of the address it
 * had are ended. An address that another port of the network had is that one's no more.
 */
void guard_set_address(struct core *c, struct port *p, uint32_t ip4);
/* Ends the connections of all single addresses that p had: what takes one of them next must not get its packets. Before its elements go. */
void guard_port_ended(struct core *c, const struct port *p);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_POLICY_H
#define ND_CORE_POLICY_H
/*
 * DOC: what is checked of a port's frames, and where they may go. Pure.
 *
 * The definition's <netd:guards> and <netd:egress>, those of the port's portgroup in place of the network's where it has some; and the addresses
 * that the port may use: its lease, its reservations, the definition's <netd:address>.
 */
#include "netd/core/elements.h"
#include "netd/core/model.h"

/* All that an attached port has in the nft tables; ret is empty before. Nothing while the network does not run. */
void policy_port(const struct port *p, struct elements *ret);
/* Whether `guest` (a port name or MAC, as a definition says it) is this port. */
bool policy_is_guest(const struct port *p, const char *guest);
/*
 * The address of a guest named as a definition does, by port name, MAC or address, in one family: of the lease of its port, else of a
 * reservation. Return: false: it has none (yet).
 */
bool policy_guest_address(const struct network *n, const char *guest, int family, struct nd_ip *ret);
#endif

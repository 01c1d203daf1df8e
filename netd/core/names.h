/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_NAMES_H
#define ND_CORE_NAMES_H
/*
 * DOC: who resolves names for the guests of a network
 *
 * One dnsmasq per network whose plan has names, from its first port on until a while (dns_linger) after its last. It dies with nothing but its
 * network: netd finds it again after a restart. Where it cannot run the network does, degraded, and is told why; DHCP gives the bridge's address as name
 * server only while there is one that answers there.
 */
#include "dhcp/lease.h"
#include "netd/core/converge.h"
#include "netd/core/core.h"
#include "netd/core/model.h"

int names_new(struct core *c, struct names **ret, struct nd_error *e);
/* Servers go on; those on their way out are killed. NULL-safe. Takes itself out of the core. */
void names_free(struct names *s);

/* Rows of a network and of a port. */
enum resource_state names_network_check(const struct core *c, const void *obj);
int names_network_make(struct core *c, void *obj, struct nd_error *e);
int names_network_unmake(struct core *c, void *obj, struct nd_error *e);
enum resource_state names_port_check(const struct core *c, const void *obj);
int names_port_make(struct core *c, void *obj, struct nd_error *e);
int names_port_unmake(struct core *c, void *obj, struct nd_error *e);

/* Its ports, their addresses, or what else is in its bridge changed. */
void names_changed(struct core *c, struct network *n);
/* A lease is stored, or renewed; or the address is free. */
void names_guest(struct core *c, struct network *n, const struct dhcp_lease *lease);
void names_guest_gone(struct core *c, struct network *n, uint32_t ip4);
/* Start-up only, after adoption: servers of networks that are no more end. */
void names_sweep(struct core *c);
/* What keeps the names of an active network from being resolved. Return: e->code; 0: nothing. */
int names_fault(const struct network *n, struct nd_error *e);
/* Whether an address is one of the bridges' of active networks: a resolver there would ask itself. */
bool names_own_address(const struct core *c, const struct nd_ip *ip);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_PLAN_H
#define ND_CORE_PLAN_H
/*
 * DOC: from a definition to the leaf folders' configs. Pure.
 *
 * One row per forward mode says what the mode needs; nothing else in the core asks for the mode.
 */
#include "dhcp/config.h"
#include "netd/core/model.h"

struct network_plan {
	struct bridge_config bridge; /* addresses points into this plan */
	struct nat_config nat;
	bool ip4_forward; /* net.ipv4.ip_forward is needed */
	bool dhcp;        /* plan_dhcp gives something */
	size_t address_cnt;
	struct nd_prefix addresses[];
};
/* live: complete (bridge name, MAC, subnet chosen), as choose_live leaves it. *ret: heap. */
int network_plan(const struct netdef *live, struct network_plan **ret, struct nd_error *e);
void network_plan_free(struct network_plan *p);

/* What of the host the DHCP configuration depends on. */
struct plan_host {
	uint32_t resolver_ip4[DHCP_DNS_MAX]; /* the host's upstream resolvers that a guest can reach */
	uint8_t resolver_cnt;
	bool arp_probe;
};
/*
 * The DHCP server's config of an active network; whether it probes depends on the network's ports as they are now.
 * Arrays are heap, freed by plan_dhcp_done. Return: 0, ND_NOT_FOUND when it has no DHCP, ND_MEMORY.
 */
int plan_dhcp(const struct network *n, const struct plan_host *host, struct dhcp_network *ret,
	      struct nd_error *e);
void plan_dhcp_done(struct dhcp_network *d);
void plan_dhcp_port(const struct port *p, struct dhcp_port *ret);

/* Its master is the bridge as it is now. */
void plan_tap(const struct port *p, struct tap_config *ret);
#endif

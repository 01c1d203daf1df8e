/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_PLAN_H
#define ND_CORE_PLAN_H
/*
 * DOC: from a definition to the leaf folders' configs. Pure.
 *
 * One row per forward mode says what the mode needs; nothing else in the core asks for the mode.
 */
#include "dhcp/config.h"
#include "netd/core/elements.h"
#include "netd/core/model.h"
#include "tap/macvtap.h"

/* What the ports of a portgroup have in common; where a group says nothing, what the network says. */
struct plan_group {
	char *name; /* NULL: of ports without a group */
	bool is_default;
	struct tap_vlan *vlans;
	size_t vlan_cnt;
};
struct network_plan {
	bool own_bridge; /* netd makes it; else ports are plugged into one that is there */
	struct bridge_config
		bridge; /* addresses and routes point into this plan; else only its name counts */
	bool pool;      /* no bridge at all: ports are macvtaps on devices of the host's */
	enum macvtap_mode macvtap_mode; /* of a pool */
	bool vlans;                     /* ports have VLANs: the bridge must filter */
	struct elements elements;       /* of the nft tables */
	struct elements peers;          /* the same, of the networks that may reach this one and are active */
	bool accepts;                   /* there may be peers */
	unsigned sysctls;               /* bits 1 << enum bridge_sysctl: what must be on in the kernel */
	bool ipv6;                      /* the bridge has IPv6 addresses */
	bool strict_arp;
	bool dhcp;     /* plan_dhcp gives something */
	bool dns;      /* names are resolved at the bridge's addresses */
	bool resolves; /* also those that only the host's resolvers know */
	bool names;    /* it needs dnsmasq: for names, or for TFTP */
	bool isolated_ports, fixed_guests;
	bool mtu_auto;               /* it follows the way out: network_plan_mtu */
	uint32_t mtu;                /* what guests are told; 0: nothing */
	char uplink[ND_IFNAMSIZ];    /* the first of those it is forwarded through; "": any */
	struct nd_prefix *addresses; /* bridge.address_cnt of them */
	struct bridge_route *routes; /* bridge.route_cnt of them */
	struct plan_group *groups;   /* the first is the network itself */
	size_t group_cnt;
};
/*
 * live: complete (bridge name, MAC, subnet chosen), as choose_live leaves it. *ret: heap. Return: 0; ND_UNSUPPORTED: no such mode here, an
 * option that is not passed on to dnsmasq; ND_INVALID: an MTU that IPv6 cannot do with, a VLAN that bridges have not; ND_MEMORY.
 */
int network_plan(const struct netdef *live, struct network_plan **ret, struct nd_error *e);
void network_plan_free(struct network_plan *p);
/*
 * With mtu_auto: the MTU of the interface that guests' packets leave by (0: there is none). Below 1500 guests and bridge take it on, ports do not: a
 * guest that does not ask still reaches its neighbours with what it takes for granted. Above, up to jumbo frames, all of them do. was: the plan in
 * force, whose bridge may have to go back to 1500; NULL: none.
 */
void network_plan_mtu(struct network_plan *p, uint32_t egress_mtu, const struct network_plan *was);
/* Fills peers anew from the networks that are active now. Return: whether they differ from before; then *ret_was (the caller's) is what they were. */
bool network_plan_peers(struct network_plan *p, const struct netdef *live, const struct model *m,
			struct elements *ret_was);
/* The group a port of that portgroup is in (""; the default one, or none); NULL: there is no such portgroup. */
const struct plan_group *network_plan_group(const struct network_plan *p, const char *portgroup);
/*
 * What routers elsewhere must know, which netd can neither do nor see: prefixes whose guests are forwarded with their own addresses, as text.
 * Return: false: there are none.
 */
bool network_plan_return_routes(const struct network_plan *p, char *buf, size_t size);

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
/* lower_mtu: of the device below, whose the port's is; 0: not known. */
void plan_macvtap(const struct port *p, uint32_t lower_mtu, struct macvtap_config *ret);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BRIDGE_BRIDGE_H
#define ND_BRIDGE_BRIDGE_H
/*
 * DOC: Linux bridges
 *
 * A bridge is made from a plain config and compared with the record the mirror holds: bridge_diff is pure, bridge_apply sends what differs
 * (nothing when nothing differs). Addresses are always IFA_F_NODAD, so that a bridge without carrier answers on them. The IPv6
 * link-local address is left to the kernel here unless ipv6 is off. Errors do not name the bridge: the caller wraps. All calls are synchronous rtnetlink (0.02-0.5 ms); none dumps.
 * Source: Documentation/networking/bridge.rst; include/uapi/linux/if_link.h IFLA_BR_*.
 */
#include "base/addr.h"
#include "base/error.h"
#include "base/link.h"
#include "base/netlink.h"

/* A static route through a guest of the bridge. */
struct bridge_route {
	struct nd_prefix dst; /* a network address; length 0: the default route */
	struct nd_ip gateway; /* on the bridge's subnet, same family */
	uint32_t metric;
};
struct bridge_config {
	char name[ND_IFNAMSIZ];
	struct nd_mac mac; /* always set: a fixed MAC never follows a port's */
	uint32_t mtu;      /* 0: the kernel's default */
	bool stp;
	uint32_t forward_delay_s; /* used only with stp; moved into the kernel's range 2-30 */
	bool vlan_filtering;      /* false: left as it is */
	char alias[ND_ALIAS_STRLEN];
	const struct nd_prefix *addresses; /* borrowed; interface addresses with their prefix */
	size_t address_cnt;
	const struct bridge_route *routes; /* borrowed */
	size_t route_cnt;
};
enum bridge_diff {
	BRIDGE_SAME = 0,
	BRIDGE_MISSING = 1 << 0,
	BRIDGE_MAC = 1 << 1,
	BRIDGE_MTU = 1 << 2,
	BRIDGE_STP = 1 << 3,
	BRIDGE_DELAY = 1 << 4,
	BRIDGE_ALIAS = 1 << 5,
	BRIDGE_GROUP = 1 << 6,
	BRIDGE_DOWN = 1 << 7,
	BRIDGE_FOREIGN = 1 << 8, /* the name is a link that is not ours: never touched */
	BRIDGE_VLAN = 1 << 9,
};
/* Pure. have NULL: absent. Return: enum bridge_diff bits. */
unsigned bridge_diff(const struct bridge_config *want, const struct nd_link *have);
/*
 * Makes the link be what want says (creates it, or changes what differs) and brings it up. have: the mirror's record or NULL; one that the
 * mirror does not know yet is found and taken over when it is ours.
 * On failure of a fresh creation the link is deleted again. Return: 0; ND_EXISTS when a foreign link holds the name; ND_UNSUPPORTED: vlan_filtering
 * on a kernel without it, which takes the request and does nothing; ND_SYSTEM ….
 */
int bridge_apply(struct nd_nl *nl, const struct bridge_config *want, const struct nd_link *have,
		 int *ret_ifindex, struct nd_error *e);
/* have: the addresses that link has now (borrowed). Adds what is missing, deletes strays of AF_INET and of global AF_INET6 scope; link-local stays. */
int bridge_address_apply(struct nd_nl *nl, int ifindex, const struct bridge_config *want,
			 const struct nd_address *have, size_t have_cnt, struct nd_error *e);
/* Pure: whether bridge_address_apply would do nothing. */
bool bridge_address_same(const struct bridge_config *want, const struct nd_address *have, size_t have_cnt);
/*
 * Pure: whether all that differs is IPv6 addresses that are not told yet. The kernel tells of one from a queue of its own, some ms after its answer and
 * after later events of other things.
 */
bool bridge_address_pending(const struct bridge_config *want, const struct nd_address *have, size_t have_cnt);
/*
 * The same for routes of ND_ROUTE_PROTOCOL over that link; have: the link's (borrowed). Return: 0; ND_EXISTS: somebody else has a route to the same
 * place with the same metric; ND_SYSTEM: ENETUNREACH …: no such gateway there.
 */
int bridge_route_apply(struct nd_nl *nl, int ifindex, const struct bridge_config *want,
		       const struct nd_route *have, size_t have_cnt, struct nd_error *e);
bool bridge_route_same(const struct bridge_config *want, const struct nd_route *have, size_t have_cnt);
/*
 * Out of use, without waiting: down, alias cleared, group DEAD, and renamed to dead-<ifindex>, so that the network can start again under its
 * name before the reaper has deleted the group. Its IPv4 addresses stay until then: who looks for collisions leaves out links of
 * group DEAD. Absent is success.
 */
int bridge_retire(struct nd_nl *nl, int ifindex, struct nd_error *e);

/*
 * Sysctls: claims with a count. The first claim reads the value, and writes ours where it differs; the last release does
 * not put the old value back for forwarding (others may rely on it by now, as libvirt does), which the DOC block of sysctl.c explains.
 */
struct bridge_sysctls;
struct bridge_sysctls *bridge_sysctls_new(void);
void bridge_sysctls_free(struct bridge_sysctls *s);
enum bridge_sysctl { BRIDGE_SYSCTL_IP4_FORWARD, BRIDGE_SYSCTL_IP6_FORWARD, BRIDGE_SYSCTL_CNT_ };
/* *ret_changed: whether this call wrote the kernel's value (then an event is due). */
int bridge_sysctl_claim(struct bridge_sysctls *s, enum bridge_sysctl which, bool *ret_changed,
			struct nd_error *e);
void bridge_sysctl_release(struct bridge_sysctls *s, enum bridge_sysctl which);
/*
 * A claim that came to nothing (its network's start failed): what it wrote since the last bridge_sysctls_settle is put back, where
 * nobody else has a claim; accept_ra goes back with IPv6 forwarding.
 */
void bridge_sysctl_take_back(struct bridge_sysctls *s, enum bridge_sysctl which);
void bridge_sysctls_settle(struct bridge_sysctls *s); /* what was written stays */
/*
 * The kernel told that others turned it off. Return: whether it is claimed; then it does not hold until bridge_sysctl_mend has written it.
 */
bool bridge_sysctl_lost(struct bridge_sysctls *s, enum bridge_sysctl which);
bool bridge_sysctl_holds(const struct bridge_sysctls *s, enum bridge_sysctl which); /* claimed and not lost */
int bridge_sysctl_mend(struct bridge_sysctls *s, enum bridge_sysctl which, bool *ret_changed,
		       struct nd_error *e);
/*
 * Before IPv6 forwarding is turned on: a link that lives from router advertisements goes on to hear them on a forwarding host only with
 * accept_ra=2 (ip-sysctl.rst), and else loses its default route at once. Only where accept_ra is 1: with 0 a daemon of user space hears them.
 */
int bridge_sysctl_keep_ra(struct bridge_sysctls *s, const char *ifname, bool *ret_changed,
			  struct nd_error *e);
const char *bridge_sysctl_key(enum bridge_sysctl which); /* "net/ipv4/ip_forward" */
/*
 * Per bridge, at start: disable_ipv6=1 where the network has no IPv6 address, accept_ra=0, … rows in sysctl.c. strict_arp: on this bridge the host
 * answers and asks with this bridge's addresses only.
 */
int bridge_sysctl_link(const char *ifname, bool ipv6, bool strict_arp, struct nd_error *e);
/* Whether connections of the host to 127.0.0.0/8 may be sent on to guests of the bridge. Off unless something is published there. */
int bridge_sysctl_route_localnet(const char *ifname, bool on, struct nd_error *e);
#endif

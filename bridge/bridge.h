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

struct bridge_config {
	char name[ND_IFNAMSIZ];
	struct nd_mac mac; /* always set: a fixed MAC never follows a port's */
	uint32_t mtu;      /* 0: the kernel's default */
	bool stp;
	uint32_t forward_delay_s; /* used only with stp; moved into the kernel's range 2-30 */
	char alias[ND_ALIAS_STRLEN];
	const struct nd_prefix *addresses; /* borrowed; interface addresses with their prefix */
	size_t address_cnt;
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
};
/* Pure. have NULL: absent. Return: enum bridge_diff bits. */
unsigned bridge_diff(const struct bridge_config *want, const struct nd_link *have);
/*
 * Makes the link be what want says (creates it, or changes what differs) and brings it up. have: the mirror's record or NULL; one that the
 * mirror does not know yet is found and taken over when it is ours.
 * On failure of a fresh creation the link is deleted again. Return: 0; ND_EXISTS when a foreign link holds the name; ND_SYSTEM ….
 */
int bridge_apply(struct nd_nl *nl, const struct bridge_config *want, const struct nd_link *have,
		 int *ret_ifindex, struct nd_error *e);
/* have: the addresses that link has now (borrowed). Adds what is missing, deletes strays of AF_INET and of global AF_INET6 scope; link-local stays. */
int bridge_address_apply(struct nd_nl *nl, int ifindex, const struct bridge_config *want,
			 const struct nd_address *have, size_t have_cnt, struct nd_error *e);
/* Pure: whether bridge_address_apply would do nothing. */
bool bridge_address_same(const struct bridge_config *want, const struct nd_address *have, size_t have_cnt);
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
enum bridge_sysctl { BRIDGE_SYSCTL_IP4_FORWARD, BRIDGE_SYSCTL_CNT_ };
/* *ret_changed: whether this call wrote the kernel's value (then an event is due). */
int bridge_sysctl_claim(struct bridge_sysctls *s, enum bridge_sysctl which, bool *ret_changed,
			struct nd_error *e);
void bridge_sysctl_release(struct bridge_sysctls *s, enum bridge_sysctl which);
const char *bridge_sysctl_key(enum bridge_sysctl which); /* "net/ipv4/ip_forward" */
/* Per bridge, at start: disable_ipv6=1 where the network has no IPv6 address, accept_ra=0, … rows in sysctl.c. */
int bridge_sysctl_link(const char *ifname, bool ipv6, struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_LINK_H
#define ND_BASE_LINK_H
/*
 * DOC: compact records of links, addresses and routes, parsed from rtnetlink messages (events and dumps alike),
 * and the few requests that are not one folder's own.
 * Source: Documentation/netlink/specs/rt-link.yaml, rt-addr.yaml, rt-route.yaml.
 */
#include "base/addr.h"
#include "base/netlink.h"

/* IFLA_GROUP of what netd made ("netd") and of what waits to be deleted by the reaper. */
#define ND_GROUP_LIVE   0x6e657464u
#define ND_GROUP_DEAD   0x6e657465u
#define ND_GROUP_REAPED 0x6e657466u /* of those, what the reaper deletes with its next request */

/* rtm_protocol of the routes netd makes; no routing daemon in rt_protos has it. */
#define ND_ROUTE_PROTOCOL 110

/* Alias of everything netd makes: "netd:<network uuid>[:<port uuid>]". IFLA_IFALIAS is dropped by the kernel in a creating
 * RTM_NEWLINK (not for TAPs, which are created by ioctl), so it goes in the message that sets master and up. */
#define ND_ALIAS_STRLEN (5 + 36 + 1 + 36 + 1)
const char *nd_alias_format(const struct nd_uuid *network, const struct nd_uuid *port /* or NULL */,
			    char buf[ND_ALIAS_STRLEN]);
int nd_alias_parse(const char *alias, struct nd_uuid *ret_network,
		   struct nd_uuid *ret_port /* zero when none */); /* 0 or ND_INVALID */

enum nd_link_kind { ND_LINK_OTHER, ND_LINK_BRIDGE, ND_LINK_TUN, ND_LINK_VETH, ND_LINK_MACVTAP, ND_LINK_IFB };
struct nd_link {
	int ifindex, master;   /* master 0: none */
	uint32_t group, flags; /* flags: IFF_… */
	uint32_t mtu;
	uint32_t tun_owner; /* ND_LINK_TUN: uid, UINT32_MAX: none */
	struct nd_mac mac;
	char name[ND_IFNAMSIZ];
	uint8_t kind; /* enum nd_link_kind */
	bool tun_persist, tun_multi_queue, tun_vnet_hdr;
	bool carrier;
	bool br_stp, br_vlan_filtering; /* bridge: STP on; VLANs kept apart */
	bool br_isolated_port, br_learning_off,
		br_flood_off; /* port: BR_ISOLATED, no BR_LEARNING, no BR_FLOOD */
	bool htb;             /* its root qdisc, when the record was made: no event tells of a change */
	uint16_t tun_queues, tun_disabled_queues;
	uint32_t br_forward_delay_cs; /* bridge: IFLA_BR_FORWARD_DELAY, centiseconds */
	int lower;                    /* IFLA_LINK: the device it is made on (of a veth its peer), 0 none */
	uint32_t macvtap_mode;        /* ND_LINK_MACVTAP: MACVLAN_MODE_… */
	bool has_alias;               /* an alias of netd's form */
	struct nd_uuid alias_network, alias_port;
};
struct nd_address {
	int ifindex;
	struct nd_prefix prefix;
	uint32_t flags; /* IFA_F_… */
	uint8_t scope;
};
struct nd_route {
	struct nd_prefix dst; /* network, no host bits; len 0: default */
	uint32_t table;
	int oif;                       /* 0: none or multipath */
	struct nd_ip gateway;          /* family 0: connected */
	uint8_t protocol, type, scope; /* RTPROT_…, RTN_…, RT_SCOPE_… */
	uint32_t metric;
	uint32_t nh_flags; /* RTNH_F_LINKDOWN … */
};
/*
 * From RTM_NEWLINK/DELLINK, RTM_NEWADDR/DELADDR, RTM_NEWROUTE/DELROUTE. No allocation. Return: 0; ND_PARSE; ND_UNSUPPORTED, e
 * untouched, for what is to be skipped: another family (AF_BRIDGE's message for each port comes beside the AF_UNSPEC one), cloned routes.
 */
int nd_link_parse(const struct nlmsghdr *msg, struct nd_link *ret, struct nd_error *e);
int nd_address_parse(const struct nlmsghdr *msg, struct nd_address *ret, struct nd_error *e);
int nd_route_parse(const struct nlmsghdr *msg, struct nd_route *ret, struct nd_error *e);

/* What the kernel tells of net.ipv4.conf and net.ipv6.conf (RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF). */
struct nd_netconf {
	uint8_t family;
	int ifindex;    /* NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT, or a link's */
	int forwarding; /* 0 or not; -1: not told */
};
/* From RTM_NEWNETCONF. Return: as above. */
int nd_netconf_parse(const struct nlmsghdr *msg, struct nd_netconf *ret, struct nd_error *e);

/* Dumps; fn gets each record, perhaps twice (see netlink.h), and ends the dump with a negative code. */
int nd_link_dump(struct nd_nl *nl, int (*fn)(const struct nd_link *, void *), void *arg, struct nd_error *e);
int nd_address_dump(struct nd_nl *nl, int (*fn)(const struct nd_address *, void *), void *arg,
		    struct nd_error *e);
int nd_route_dump(struct nd_nl *nl, int (*fn)(const struct nd_route *, void *), void *arg,
		  struct nd_error *e);

/* One link by index (RTM_GETLINK). ND_NOT_FOUND when absent. */
int nd_link_get(struct nd_nl *nl, int ifindex, struct nd_link *ret, struct nd_error *e);
int nd_link_get_by_name(struct nd_nl *nl, const char *name, struct nd_link *ret, struct nd_error *e);
int nd_link_set_group(struct nd_nl *nl, int ifindex, uint32_t group, struct nd_error *e);
/* Its name; a link that is up is taken down for it and stays down. ND_EXISTS when the name is taken. */
int nd_link_set_name(struct nd_nl *nl, int ifindex, const char *name, struct nd_error *e);
int nd_link_set_up(struct nd_nl *nl, int ifindex, bool up, struct nd_error *e);
int nd_link_delete(struct nd_nl *nl, int ifindex, struct nd_error *e);          /* absent is success */
int nd_link_delete_group(struct nd_nl *nl, uint32_t group, struct nd_error *e); /* absent is success */
#endif

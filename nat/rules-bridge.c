/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: table bridge: guards at the ports, before anything else sees a frame
 *
 * In this family a frame's input interface is the port. A guard first looks for what is right, so that a good
 * frame costs a lookup; what is not found is dropped, and counted, by the port's element of the guard's own
 * set: that one is both the switch and the counter. `not in` does not count.
 *
 * Protocols are told by `meta protocol`, the packet's own: a frame with a VLAN tag, which the kernel has taken
 * off by then, is checked as the packet that it carries. Behind two tags, or an LLC header with SNAP, the kernel
 * does not look, but receivers do: they take off any number of tags of VLAN 0, and some read SNAP (CVE-2021-27853,
 * -27854, -27861, -27862). From ports with a guard on what is inside such frames are dropped.
 *
 * An IPv4 source must be one of the port's addresses, or 0.0.0.0 to a DHCP server, or in IGMP. In ARP the
 * sender's address must be, or 0.0.0.0 (a probe, RFC 5227), and its MAC is the port's. An IPv6 source must be
 * one of the port's addresses, a link-local one, or :: in ICMPv6 (duplicate address detection, MLD); the target
 * of a neighbour advertisement the same. The gateway's addresses are no guest's, though the prefix that guests
 * make theirs of holds them: they are looked at before. Which link-local address a guest has is
 * its own choice (RFC 7217), so one guest can still pass for another's link-local address, but never for the
 * gateway's.
 *
 * ICMPv6 and DHCPv6 hidden behind a fragment header: nodes ignore fragmented neighbour discovery (RFC 6980);
 * from guarded ports fragments to link-local and multicast destinations, where nothing needs them, are dropped.
 * Other later fragments are data, whatever their bytes look like: kernels differ in whether the transport
 * header of one matches, so they leave before any rule that asks for it.
 *
 * The DHCP mark is set where a frame is delivered to the bridge itself, not in prerouting: frames that are
 * only bridged, on whosever bridge, keep the mark they have. A mark that somebody else set is left alone. The mark of a port with a policy of its
 * own is set in prerouting, for table inet.
 */
#include "base/mem.h"
#include "nat/nat.h"
#include "nat/rules.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define BOOTPS                     67
#define BOOTPC                     68
#define DHCPV6_CLIENT              546
#define ICMP_REDIRECT              5
#define ND_ROUTER_ADVERTISEMENT    134
#define ND_NEIGHBOUR_ADVERTISEMENT 136
#define ND_REDIRECT                137

#define PROTOCOL(ethertype) META(NFT_META_PROTOCOL, 0), IS(2, ethertype)
#define L4PROTO(proto)      L4PROTO_TO(0), IS(1, proto)
#define UDP_TO(port)        L4PROTO(IPPROTO_UDP), DPORT(0), IS(2, port)
#define ICMPV6(type)        L4PROTO(IPPROTO_ICMPV6), ICMP_TYPE, IS(1, type)
#define BY(set)             IIFNAME(0), IN(set)
#define NOT_BY(set)         IIFNAME(0), NOT_IN(set)
#define FLOOD(kind)         META(NFT_META_PKTTYPE, 0), IS(1, kind)
#define LINK_LOCAL          MASK(2, false, 0xffc0), IS(2, 0xfe80)
#define FRAGMENT4           PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 6, 2, 0), MASK(2, false, 0x1fff)
#define FRAGMENT6           EXTENSION(IPPROTO_FRAGMENT, 2, 2), MASK(2, false, 0xfff8)
#define SNAP                0xaaaa /* both of LLC's addresses */

const struct nat_rule_row nat_bridge_rules[] = {
	{ NAT_CHAIN_BRIDGE_PREROUTING,
	  "MAC guard",
	  { IIFNAME(0), ETHER_SADDR(16), NOT_IN(NAT_SET_PORT_MAC), BY(NAT_SET_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_PREROUTING, "IPv4", { PROTOCOL(ETH_P_IP), JUMP(NAT_CHAIN_BRIDGE_IP4) } },
	{ NAT_CHAIN_BRIDGE_PREROUTING, "IPv6", { PROTOCOL(ETH_P_IPV6), JUMP(NAT_CHAIN_BRIDGE_IP6) } },
	{ NAT_CHAIN_BRIDGE_PREROUTING, "ARP", { PROTOCOL(ETH_P_ARP), JUMP(NAT_CHAIN_BRIDGE_ARP) } },
	{ NAT_CHAIN_BRIDGE_PREROUTING,
	  "two tags, 802.1Q",
	  { PROTOCOL(ETH_P_8021Q), JUMP(NAT_CHAIN_BRIDGE_WRAPPED) } },
	{ NAT_CHAIN_BRIDGE_PREROUTING,
	  "two tags, 802.1ad",
	  { PROTOCOL(ETH_P_8021AD), JUMP(NAT_CHAIN_BRIDGE_WRAPPED) } },
	{ NAT_CHAIN_BRIDGE_PREROUTING,
	  "SNAP",
	  { PROTOCOL(ETH_P_802_2), PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 0, 2, 0), IS(2, SNAP),
	    JUMP(NAT_CHAIN_BRIDGE_WRAPPED) } },
	{ NAT_CHAIN_BRIDGE_PREROUTING,
	  "not to one node",
	  { META(NFT_META_PKTTYPE, 0), IS_NOT(1, PACKET_HOST), JUMP(NAT_CHAIN_BRIDGE_FLOOD) } },
	{ NAT_CHAIN_BRIDGE_PREROUTING,
	  "mark of a port with a policy",
	  { MARK_TO(0), IS_HOST(0), IIFNAME(0), MAP(NAT_SET_PORT_POLICY), SET_META(NFT_META_MARK) } },

	{ NAT_CHAIN_BRIDGE_IP4,
	  "IPv4 source",
	  { PROTOCOL(ETH_P_IP), IIFNAME(0), IP_SADDR(4, 16), NOT_IN(NAT_SET_PORT_IP4),
	    JUMP(NAT_CHAIN_BRIDGE_SOURCE4) } },
	{ NAT_CHAIN_BRIDGE_IP4, "later fragments", { PROTOCOL(ETH_P_IP), FRAGMENT4, IS_NOT(2, 0), RETURN } },
	{ NAT_CHAIN_BRIDGE_IP4,
	  "answers of a DHCP server",
	  { UDP_TO(BOOTPC), BY(NAT_SET_DHCP_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_IP4,
	  "redirects",
	  { L4PROTO(IPPROTO_ICMP), ICMP_TYPE, IS(1, ICMP_REDIRECT), BY(NAT_SET_ROUTER_GUARDED), DROP } },

	{ NAT_CHAIN_BRIDGE_SOURCE4, "ports without an IPv4 guard", { NOT_BY(NAT_SET_IP4_GUARDED), RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE4,
	  "one of a prefix",
	  { PROTOCOL(ETH_P_IP), IIFNAME(0), IP_SADDR(4, 16), IN(NAT_SET_PORT_NET4), RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE4,
	  "none yet, to a DHCP server",
	  { PROTOCOL(ETH_P_IP), IP_SADDR(4, 0), IS(4, 0), FRAGMENT4, IS(2, 0), UDP_TO(BOOTPS), RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE4,
	  "none yet, in IGMP",
	  { PROTOCOL(ETH_P_IP), IP_SADDR(4, 0), IS(4, 0), L4PROTO(IPPROTO_IGMP), RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE4, "made-up IPv4 source", { BY(NAT_SET_IP4_GUARDED), DROP } },

	{ NAT_CHAIN_BRIDGE_ARP, "ports without an ARP guard", { NOT_BY(NAT_SET_ARP_GUARDED), RETURN } },
	{ NAT_CHAIN_BRIDGE_ARP,
	  "another MAC inside of ARP",
	  { PROTOCOL(ETH_P_ARP), IIFNAME(0), ARP_SENDER_MAC(16), NOT_IN(NAT_SET_PORT_MAC),
	    BY(NAT_SET_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_ARP,
	  "ARP of its own address",
	  { PROTOCOL(ETH_P_ARP), IIFNAME(0), ARP_SENDER_IP(16), IN(NAT_SET_PORT_IP4), RETURN } },
	{ NAT_CHAIN_BRIDGE_ARP,
	  "ARP of one of a prefix",
	  { PROTOCOL(ETH_P_ARP), IIFNAME(0), ARP_SENDER_IP(16), IN(NAT_SET_PORT_NET4), RETURN } },
	{ NAT_CHAIN_BRIDGE_ARP, "ARP probe", { PROTOCOL(ETH_P_ARP), ARP_SENDER_IP(0), IS(4, 0), RETURN } },
	{ NAT_CHAIN_BRIDGE_ARP, "ARP of another's address", { BY(NAT_SET_ARP_GUARDED), DROP } },

	{ NAT_CHAIN_BRIDGE_IP6,
	  "IPv6 source",
	  { PROTOCOL(ETH_P_IPV6), IIFNAME(0), IP6_SADDR(16, 16), NOT_IN(NAT_SET_PORT_IP6),
	    JUMP(NAT_CHAIN_BRIDGE_SOURCE6) } },
	{ NAT_CHAIN_BRIDGE_IP6,
	  "fragments to link-local destinations",
	  { PROTOCOL(ETH_P_IPV6), HAS_EXTENSION(IPPROTO_FRAGMENT), IP6_DADDR(2, 0), LINK_LOCAL,
	    BY(NAT_SET_ROUTER_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_IP6,
	  "fragments to multicast destinations",
	  { PROTOCOL(ETH_P_IPV6), HAS_EXTENSION(IPPROTO_FRAGMENT), IP6_DADDR(1, 0), IS(1, 0xff),
	    BY(NAT_SET_ROUTER_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_IP6,
	  "later fragments, IPv6",
	  { PROTOCOL(ETH_P_IPV6), FRAGMENT6, IS_NOT(2, 0), RETURN } },
	{ NAT_CHAIN_BRIDGE_IP6,
	  "neighbour advertisements",
	  { ICMPV6(ND_NEIGHBOUR_ADVERTISEMENT), JUMP(NAT_CHAIN_BRIDGE_NEIGHBOUR) } },
	{ NAT_CHAIN_BRIDGE_IP6,
	  "router advertisements",
	  { ICMPV6(ND_ROUTER_ADVERTISEMENT), BY(NAT_SET_ROUTER_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_IP6, "IPv6 redirects", { ICMPV6(ND_REDIRECT), BY(NAT_SET_ROUTER_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_IP6,
	  "answers of a DHCPv6 server",
	  { UDP_TO(DHCPV6_CLIENT), BY(NAT_SET_DHCP_GUARDED), DROP } },

	{ NAT_CHAIN_BRIDGE_SOURCE6,
	  "ports without an IPv6 guard",
	  { PROTOCOL(ETH_P_IPV6), NOT_BY(NAT_SET_IP6_GUARDED), RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE6,
	  "the gateway's own",
	  { PROTOCOL(ETH_P_IPV6), IIFNAME(0), IP6_SADDR(16, 16), IN(NAT_SET_GATEWAY6),
	    BY(NAT_SET_IP6_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_SOURCE6,
	  "one of an IPv6 prefix",
	  { PROTOCOL(ETH_P_IPV6), IIFNAME(0), IP6_SADDR(16, 16), IN(NAT_SET_PORT_NET6), RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE6,
	  "link-local",
	  { PROTOCOL(ETH_P_IPV6), IP6_SADDR(2, 0), LINK_LOCAL, RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE6,
	  "none yet, in ICMPv6",
	  { PROTOCOL(ETH_P_IPV6), IP6_SADDR(4, 0), IS(4, 0), PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 0),
	    IS(4, 0), PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 0), IS(4, 0),
	    PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 20, 4, 0), IS(4, 0), L4PROTO(IPPROTO_ICMPV6), RETURN } },
	{ NAT_CHAIN_BRIDGE_SOURCE6,
	  "made-up IPv6 source",
	  { PROTOCOL(ETH_P_IPV6), BY(NAT_SET_IP6_GUARDED), DROP } },

	{ NAT_CHAIN_BRIDGE_NEIGHBOUR,
	  "advertisers without an IPv6 guard",
	  { PROTOCOL(ETH_P_IPV6), ICMPV6(ND_NEIGHBOUR_ADVERTISEMENT), NOT_BY(NAT_SET_IP6_GUARDED), RETURN } },
	{ NAT_CHAIN_BRIDGE_NEIGHBOUR,
	  "its own address",
	  { PROTOCOL(ETH_P_IPV6), ICMPV6(ND_NEIGHBOUR_ADVERTISEMENT), IIFNAME(0), ND_TARGET(16, 16),
	    IN(NAT_SET_PORT_IP6), RETURN } },
	{ NAT_CHAIN_BRIDGE_NEIGHBOUR,
	  "advertises the gateway",
	  { PROTOCOL(ETH_P_IPV6), ICMPV6(ND_NEIGHBOUR_ADVERTISEMENT), IIFNAME(0), ND_TARGET(16, 16),
	    IN(NAT_SET_GATEWAY6), BY(NAT_SET_IP6_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_NEIGHBOUR,
	  "its own prefix",
	  { PROTOCOL(ETH_P_IPV6), ICMPV6(ND_NEIGHBOUR_ADVERTISEMENT), IIFNAME(0), ND_TARGET(16, 16),
	    IN(NAT_SET_PORT_NET6), RETURN } },
	{ NAT_CHAIN_BRIDGE_NEIGHBOUR,
	  "its own link-local address",
	  { PROTOCOL(ETH_P_IPV6), ICMPV6(ND_NEIGHBOUR_ADVERTISEMENT), ND_TARGET(2, 0), LINK_LOCAL, RETURN } },
	{ NAT_CHAIN_BRIDGE_NEIGHBOUR,
	  "advertises another's address",
	  { PROTOCOL(ETH_P_IPV6), ICMPV6(ND_NEIGHBOUR_ADVERTISEMENT), BY(NAT_SET_IP6_GUARDED), DROP } },

	/* IP where receivers find it and the guards do not look. */
	{ NAT_CHAIN_BRIDGE_WRAPPED, "wrapped IPv4", { BY(NAT_SET_IP4_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_WRAPPED, "wrapped IPv6", { BY(NAT_SET_IP6_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_WRAPPED, "wrapped DHCP", { BY(NAT_SET_DHCP_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_WRAPPED, "wrapped advertisements", { BY(NAT_SET_ROUTER_GUARDED), DROP } },
	{ NAT_CHAIN_BRIDGE_WRAPPED, "wrapped to neighbours", { BY(NAT_SET_BRIDGED_DROP), DROP } },

	{ NAT_CHAIN_BRIDGE_FLOOD,
	  "too many broadcasts",
	  { FLOOD(PACKET_BROADCAST), BY(NAT_SET_BROADCAST_RATE), BY(NAT_SET_BROADCAST_DROP), DROP } },
	{ NAT_CHAIN_BRIDGE_FLOOD,
	  "too many multicasts",
	  { FLOOD(PACKET_MULTICAST), BY(NAT_SET_MULTICAST_RATE), BY(NAT_SET_MULTICAST_DROP), DROP } },

	/* Neighbours are not the Internet, and not on a list. ARP and ND they still hear. */
	{ NAT_CHAIN_BRIDGE_FORWARD,
	  "IPv4 to neighbours",
	  { PROTOCOL(ETH_P_IP), BY(NAT_SET_BRIDGED_DROP), DROP } },
	{ NAT_CHAIN_BRIDGE_FORWARD,
	  "IPv6 to neighbours",
	  { PROTOCOL(ETH_P_IPV6), L4PROTO_TO(0), IS_NOT(1, IPPROTO_ICMPV6), BY(NAT_SET_BRIDGED_DROP),
	    DROP } },

	/* Where the map has no such port the rule ends with the first mark standing. */
	{ NAT_CHAIN_BRIDGE_INPUT,
	  "mark of the DHCP port",
	  { ETHER_TYPE, IS(2, ETH_P_IP), UDP_TO(BOOTPS), MARK_TO(0), IS_HOST(0),
	    SET_REG(0, 4, true, NAT_MARK_FOREIGN), SET_META(NFT_META_MARK), IIFNAME(0),
	    MAP(NAT_SET_PORT_MARK), SET_META(NFT_META_MARK) } },
};
const size_t nat_bridge_rule_cnt = ARRAY_LEN(nat_bridge_rules);

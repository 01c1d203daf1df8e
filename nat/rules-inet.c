/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: table inet: what is forwarded, translated, published, and let in to the host
 *
 * Sets with a rule each, and not one map of verdicts: whenever a jump becomes an element, the kernel
 * validates all elements of the map at the commit, which with thousands of networks costs many times the rest
 * of it.
 *
 * Forwarding. A packet towards a guest is decided by where it goes, then one from a guest by where it comes
 * from: the other way round one NAT network would reach another. Each of the two chains has the last word on
 * what enters it, and begins with what most packets are, a part of a connection that was let through. So an
 * established packet costs one or two lookups, whatever the network's mode. Open networks are in none of the
 * sets.
 *
 * same_bridge: with br_netfilter, frames between two guests of one bridge pass these hooks as well, with the
 * bridge as both interfaces. Where its ports are isolated the bridge keeps guests apart, but one that sends what
 * is for another to the gateway's MAC would have the host carry it: that is refused, but not what is published.
 *
 * A guest may send on only what would be answered to it: the route back to the source goes to its bridge (fib).
 * Routed prefixes behind a guest are routes on the bridge, and so included.
 *
 * Ports with a policy of their own have a mark, set in table bridge: here only new connections are looked at,
 * and answers always pass.
 *
 * Masquerading. The input interface of a forwarded packet is visible in postrouting since Linux 5.6
 * (ip_output() passes it on). Locally made packets have none, so the host's own traffic is never masqueraded
 * here. A bridged frame has none there either. Masqueraded TCP and UDP get a source port above 1023: otherwise
 * a guest's root could pass for the host's root with servers that trust low ports (NFS).
 *
 * Publishing. Two maps a family: ports of one address of the host, and of all but loopback ones. What comes
 * from the host's own 127.0.0.0/8 leaves it with the bridge's address, and is answered there; no guest may
 * send or be answered as 127.0.0.0/8 (chain loopback), which a guest could otherwise do as soon as
 * route_localnet is on.
 */
#include "base/mem.h"
#include "nat/nat.h"
#include "nat/rules.h"
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/rtnetlink.h>

#define CT_STATE_BIT(ctinfo) \
	(1u << ((ctinfo) % IP_CT_IS_REPLY + 1)) /* NF_CT_STATE_BIT, which is not in uapi */
#define BOOTPS        67
#define DHCPV6_SERVER 547
#define DNS           53
#define TFTP          69
#define TCP_SYN       0x02

#define L4PROTO(proto) L4PROTO_TO(0), IS(1, proto)
#define SAME_BRIDGE    IIFNAME(0), OIFNAME(16), IN(NAT_SET_SAME_BRIDGE)
#define FROM(set)      IIFNAME(0), IN(set)
#define TO(set)        OIFNAME(0), IN(set)
#define FAMILY(family) META(NFT_META_NFPROTO, 0), IS(1, family)
#define IPV4           FAMILY(NFPROTO_IPV4)
#define IPV6           FAMILY(NFPROTO_IPV6)
#define REFUSE         REJECT(NFT_REJECT_ICMPX_PORT_UNREACH)
#define ESTABLISHED    CT(NFT_CT_STATE), HAS(CT_STATE_BIT(IP_CT_ESTABLISHED) | CT_STATE_BIT(IP_CT_RELATED))
#define PUBLISHED      CT(NFT_CT_STATUS), HAS(IPS_DST_NAT)
#define IS_PORT        MARK_TO(0), MASK(4, true, NAT_MARK_MASK), IS_HOST(NAT_MARK_BASE)
#define UDP_TO(port)   L4PROTO(IPPROTO_UDP), DPORT(0), IS(2, port)
#define TCP_TO(port)   L4PROTO(IPPROTO_TCP), DPORT(0), IS(2, port)
#define MARKED(set)    MARK_TO(0), IN(set)
#define ABOVE_1023     SET_REG(16, 2, false, 1024), SET_REG(20, 2, false, 65535)
/* Behind the key, which all of these lookups need. */
#define SOURCE4               MAP(NAT_SET_SOURCE4)
#define SOURCE6               MAP(NAT_SET_SOURCE6)
#define HIGH_PORTS            SET_REG(32, 2, false, 1024), SET_REG(48, 2, false, 65535)
#define SOURCE_PORTS          MAP_TO(NAT_SET_SOURCE_PORT_FIRST, 48), MAP_TO(NAT_SET_SOURCE_PORT_LAST, 52)
#define IP_DST(len, mask, v)  IPV4, IP_DADDR(len, 0), IN_NETWORK(len, mask, v)
#define IP6_DST(len, mask, v) IPV6, IP6_DADDR(len, 0), IN_NETWORK(len, mask, v)
#define NOT_INTERNET(text, ...)                                \
	{                                                      \
		NAT_CHAIN_INTERNET, "not the Internet: " text, \
		{                                              \
			__VA_ARGS__, GOTO(NAT_CHAIN_REFUSE)    \
		}                                              \
	}

const struct nat_rule_row nat_inet_rules[] = {
	/* ---- forwarded ---- */
	{ NAT_CHAIN_FORWARD, "ports with a policy", { IS_PORT, JUMP(NAT_CHAIN_POLICY) } },
	{ NAT_CHAIN_FORWARD, "towards networks", { TO(NAT_SET_BRIDGES), JUMP(NAT_CHAIN_TO_GUEST) } },
	{ NAT_CHAIN_FORWARD, "from networks", { FROM(NAT_SET_BRIDGES), JUMP(NAT_CHAIN_FROM_GUEST) } },

	{ NAT_CHAIN_CLAMP, "segment size towards guests", { TO(NAT_SET_CLAMP_MSS), CLAMP_MSS } },
	{ NAT_CHAIN_CLAMP, "segment size from guests", { FROM(NAT_SET_CLAMP_MSS), CLAMP_MSS } },

	{ NAT_CHAIN_TO_GUEST,
	  "handshakes to guests",
	  { L4PROTO(IPPROTO_TCP), TCP_FLAGS, HAS_BIT(TCP_SYN), JUMP(NAT_CHAIN_CLAMP) } },
	{ NAT_CHAIN_TO_GUEST, "connections of guests", { ESTABLISHED, ACCEPT } },
	{ NAT_CHAIN_TO_GUEST, "published to guests of one network", { SAME_BRIDGE, PUBLISHED, ACCEPT } },
	{ NAT_CHAIN_TO_GUEST,
	  "guests isolated from each other",
	  { SAME_BRIDGE, FROM(NAT_SET_ISOLATED), REFUSE } },
	{ NAT_CHAIN_TO_GUEST, "guests of one network", { SAME_BRIDGE, ACCEPT } },
	{ NAT_CHAIN_TO_GUEST, "from other networks", { FROM(NAT_SET_BRIDGES), JUMP(NAT_CHAIN_BETWEEN) } },
	{ NAT_CHAIN_TO_GUEST,
	  "from networks that may",
	  { IIFNAME(0), OIFNAME(16), IN(NAT_SET_PEERS), ACCEPT } },
	{ NAT_CHAIN_TO_GUEST,
	  "through an uplink, where it has some",
	  { TO(NAT_SET_UPLINKED), OIFNAME(0), IIFNAME(16), NOT_IN(NAT_SET_UPLINKS), REFUSE } },
	{ NAT_CHAIN_TO_GUEST, "published to the outside", { PUBLISHED, ACCEPT } },
	{ NAT_CHAIN_TO_GUEST, "nothing else between networks", { FROM(NAT_SET_BRIDGES), REFUSE } },
	{ NAT_CHAIN_TO_GUEST,
	  "to routed networks, IPv4",
	  { IPV4, TO(NAT_SET_ROUTE4), GOTO(NAT_CHAIN_TO_ROUTED) } },
	{ NAT_CHAIN_TO_GUEST,
	  "to routed networks, IPv6",
	  { IPV6, TO(NAT_SET_ROUTE6), GOTO(NAT_CHAIN_TO_ROUTED) } },
	{ NAT_CHAIN_TO_GUEST, "nothing else towards guests", { REFUSE } },

	{ NAT_CHAIN_BETWEEN,
	  "from addresses of the network",
	  { FIB(NFT_FIB_RESULT_OIF, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT), IS_HOST(0),
	    REFUSE } },
	{ NAT_CHAIN_BETWEEN, "NAT networks, IPv4", { IPV4, FROM(NAT_SET_NAT4), RETURN } },
	{ NAT_CHAIN_BETWEEN, "NAT networks, IPv6", { IPV6, FROM(NAT_SET_NAT6), RETURN } },
	{ NAT_CHAIN_BETWEEN, "routed networks, IPv4", { IPV4, FROM(NAT_SET_ROUTE4), RETURN } },
	{ NAT_CHAIN_BETWEEN, "routed networks, IPv6", { IPV6, FROM(NAT_SET_ROUTE6), RETURN } },
	{ NAT_CHAIN_BETWEEN, "isolated networks reach none", { REFUSE } },

	{ NAT_CHAIN_TO_ROUTED,
	  "from the uplinks of the network",
	  { OIFNAME(0), IIFNAME(16), IN(NAT_SET_UPLINKS), ACCEPT } },
	{ NAT_CHAIN_TO_ROUTED, "from nowhere else, where it has uplinks", { TO(NAT_SET_UPLINKED), REFUSE } },
	{ NAT_CHAIN_TO_ROUTED, "from everywhere", { ACCEPT } },

	{ NAT_CHAIN_FROM_GUEST,
	  "handshakes from guests",
	  { L4PROTO(IPPROTO_TCP), TCP_FLAGS, HAS_BIT(TCP_SYN), JUMP(NAT_CHAIN_CLAMP) } },
	{ NAT_CHAIN_FROM_GUEST, "connections to guests", { ESTABLISHED, ACCEPT } },
	{ NAT_CHAIN_FROM_GUEST,
	  "only from addresses whose way back it is",
	  { FIB(NFT_FIB_RESULT_OIF, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT), IS_HOST(0),
	    REFUSE } },
	{ NAT_CHAIN_FROM_GUEST,
	  "through no other link than its uplinks",
	  { FROM(NAT_SET_UPLINKED), IIFNAME(0), OIFNAME(16), NOT_IN(NAT_SET_UPLINKS), REFUSE } },
	{ NAT_CHAIN_FROM_GUEST, "from NAT networks, IPv4", { IPV4, FROM(NAT_SET_NAT4), ACCEPT } },
	{ NAT_CHAIN_FROM_GUEST, "from NAT networks, IPv6", { IPV6, FROM(NAT_SET_NAT6), ACCEPT } },
	{ NAT_CHAIN_FROM_GUEST, "from routed networks, IPv4", { IPV4, FROM(NAT_SET_ROUTE4), ACCEPT } },
	{ NAT_CHAIN_FROM_GUEST, "from routed networks, IPv6", { IPV6, FROM(NAT_SET_ROUTE6), ACCEPT } },
	{ NAT_CHAIN_FROM_GUEST, "nothing else from guests", { REFUSE } },

	/* ---- policies of ports ---- */
	{ NAT_CHAIN_POLICY, "no more to say of connections", { ESTABLISHED, RETURN } },
	{ NAT_CHAIN_POLICY,
	  "too many connections",
	  { MARKED(NAT_SET_CONNECTION_MAX), MARKED(NAT_SET_CONNECTION_DROP), REFUSE } },
	{ NAT_CHAIN_POLICY,
	  "the Internet only",
	  { MARKED(NAT_SET_EGRESS_INTERNET), GOTO(NAT_CHAIN_INTERNET) } },
	{ NAT_CHAIN_POLICY,
	  "listed destinations only",
	  { MARKED(NAT_SET_EGRESS_LIST), GOTO(NAT_CHAIN_LISTED) } },
	{ NAT_CHAIN_POLICY, "nowhere", { MARKED(NAT_SET_EGRESS_DROP), REFUSE } },
	/* RFC 6890 and its registry */
	NOT_INTERNET("this network", IP_DST(1, 0xff, 0)),
	NOT_INTERNET("private, 10/8", IP_DST(1, 0xff, 10)),
	NOT_INTERNET("shared", IP_DST(2, 0xffc0, 100 << 8 | 64)),
	NOT_INTERNET("loopback", IP_DST(1, 0xff, 127)),
	NOT_INTERNET("link-local and metadata", IP_DST(2, 0xffff, 169 << 8 | 254)),
	NOT_INTERNET("private, 172.16/12", IP_DST(2, 0xfff0, 172 << 8 | 16)),
	NOT_INTERNET("protocol assignments", IP_DST(3, 0xffffff, 192 << 16)),
	NOT_INTERNET("private, 192.168/16", IP_DST(2, 0xffff, 192 << 8 | 168)),
	NOT_INTERNET("benchmarks", IP_DST(2, 0xfffe, 198 << 8 | 18)),
	NOT_INTERNET("multicast and reserved", IP_DST(1, 0xe0, 0xe0)),
	NOT_INTERNET("not global unicast", IPV6, IP6_DADDR(1, 0), MASK(1, false, 0xe0), IS_NOT(1, 0x20)),
	{ NAT_CHAIN_LISTED,
	  "listed, IPv4",
	  { IPV4, MARK_TO(0), IP_DADDR(4, 4), L4PROTO_TO(8), DPORT(12), IN(NAT_SET_EGRESS_ALLOW4), RETURN } },
	{ NAT_CHAIN_LISTED,
	  "listed, IPv6",
	  { IPV6, MARK_TO(0), IP6_DADDR(16, 4), L4PROTO_TO(20), DPORT(24), IN(NAT_SET_EGRESS_ALLOW6),
	    RETURN } },
	{ NAT_CHAIN_LISTED, "not listed", { GOTO(NAT_CHAIN_REFUSE) } },
	{ NAT_CHAIN_REFUSE, "counted", { MARKED(NAT_SET_EGRESS_DROP), REFUSE } },

	/* ---- publishing ---- */
	{ NAT_CHAIN_LOOPBACK,
	  "no guest has a loopback address",
	  { IPV4, IP_SADDR(1, 0), IS(1, 127), IIFNAME(0), IIFNAME(16), IN(NAT_SET_SAME_BRIDGE), DROP } },
	{ NAT_CHAIN_LOOPBACK,
	  "nor sends to the host's",
	  { IPV4, IP_DADDR(1, 0), IS(1, 127), IIFNAME(0), IIFNAME(16), IN(NAT_SET_SAME_BRIDGE), DROP } },
	/* Loopback addresses are published to the host's own programs alone: this is before the kernel sees a martian. */
	{ NAT_CHAIN_PREROUTING, "not for loopback addresses from outside", { IP_DST(1, 0xff, 127), RETURN } },
	{ NAT_CHAIN_PREROUTING,
	  "TCP for published ports",
	  { L4PROTO(IPPROTO_TCP), JUMP(NAT_CHAIN_PUBLISH) } },
	{ NAT_CHAIN_PREROUTING,
	  "UDP for published ports",
	  { L4PROTO(IPPROTO_UDP), JUMP(NAT_CHAIN_PUBLISH) } },
	{ NAT_CHAIN_OUTPUT, "the host's own TCP", { L4PROTO(IPPROTO_TCP), JUMP(NAT_CHAIN_PUBLISH) } },
	{ NAT_CHAIN_OUTPUT, "the host's own UDP", { L4PROTO(IPPROTO_UDP), JUMP(NAT_CHAIN_PUBLISH) } },
	{ NAT_CHAIN_PUBLISH,
	  "of one address, IPv4",
	  { IPV4, L4PROTO_TO(0), IP_DADDR(4, 4), DPORT(8), MAP(NAT_SET_PUBLISH4),
	    DNAT_TO(NFPROTO_IPV4, 0, 4) } },
	{ NAT_CHAIN_PUBLISH,
	  "of one address, IPv6",
	  { IPV6, L4PROTO_TO(0), IP6_DADDR(16, 4), DPORT(20), MAP(NAT_SET_PUBLISH6),
	    DNAT_TO(NFPROTO_IPV6, 0, 16) } },
	{ NAT_CHAIN_PUBLISH,
	  "only to the host itself",
	  { FIB(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR), CMP(NFT_CMP_NEQ, 4, true, RTN_LOCAL), RETURN } },
	{ NAT_CHAIN_PUBLISH, "loopback is published by itself", { IP_DST(1, 0xff, 127), RETURN } },
	{ NAT_CHAIN_PUBLISH,
	  "of every address, IPv4",
	  { IPV4, L4PROTO_TO(0), DPORT(4), MAP(NAT_SET_PUBLISH4_ANY), DNAT_TO(NFPROTO_IPV4, 0, 4) } },
	{ NAT_CHAIN_PUBLISH, "IPv6 loopback is not published", { IP6_DST(1, 0xff, 0), RETURN } },
	{ NAT_CHAIN_PUBLISH,
	  "of every address, IPv6",
	  { IPV6, L4PROTO_TO(0), DPORT(4), MAP(NAT_SET_PUBLISH6_ANY), DNAT_TO(NFPROTO_IPV6, 0, 16) } },

	/* ---- translation of sources ---- */
	{ NAT_CHAIN_POSTROUTING,
	  "guests to their own published ports",
	  { SAME_BRIDGE, PUBLISHED, MASQUERADE } },
	{ NAT_CHAIN_POSTROUTING, "no masquerade within one bridge", { SAME_BRIDGE, ACCEPT } },
	{ NAT_CHAIN_POSTROUTING,
	  "the host's loopback to guests",
	  { IPV4, OIFNAME(0), OIFNAME(16), IN(NAT_SET_SAME_BRIDGE), IP_SADDR(1, 0), IS(1, 127),
	    MASQUERADE } },
	{ NAT_CHAIN_POSTROUTING,
	  "sources of NAT networks, IPv4",
	  { IPV4, FROM(NAT_SET_NAT4), JUMP(NAT_CHAIN_TRANSLATE) } },
	{ NAT_CHAIN_POSTROUTING,
	  "sources of NAT networks, IPv6",
	  { IPV6, FROM(NAT_SET_NAT6), JUMP(NAT_CHAIN_TRANSLATE) } },
	{ NAT_CHAIN_TRANSLATE, "not between networks", { TO(NAT_SET_BRIDGES), RETURN } },
	{ NAT_CHAIN_TRANSLATE,
	  "no masquerade of link-local multicast",
	  { IP_DST(3, 0xffffff, 0xe00000), RETURN } },
	{ NAT_CHAIN_TRANSLATE, "no masquerade of broadcast", { IP_DST(4, 0xffffffff, 0xffffffff), RETURN } },
	{ NAT_CHAIN_TRANSLATE, "no masquerade of IPv6 multicast", { IP6_DST(1, 0xff, 0xff), RETURN } },
	{ NAT_CHAIN_TRANSLATE,
	  "TCP to the network's addresses and ports, IPv4",
	  { IPV4, L4PROTO(IPPROTO_TCP), IIFNAME(0), SOURCE_PORTS, SOURCE4,
	    SNAT_TO(NFPROTO_IPV4, 0, 4, 48, 52) } },
	{ NAT_CHAIN_TRANSLATE,
	  "UDP to the network's addresses and ports, IPv4",
	  { IPV4, L4PROTO(IPPROTO_UDP), IIFNAME(0), SOURCE_PORTS, SOURCE4,
	    SNAT_TO(NFPROTO_IPV4, 0, 4, 48, 52) } },
	{ NAT_CHAIN_TRANSLATE,
	  "TCP to the network's addresses, IPv4",
	  { IPV4, L4PROTO(IPPROTO_TCP), IIFNAME(0), SOURCE4, HIGH_PORTS,
	    SNAT_TO(NFPROTO_IPV4, 0, 4, 32, 48) } },
	{ NAT_CHAIN_TRANSLATE,
	  "UDP to the network's addresses, IPv4",
	  { IPV4, L4PROTO(IPPROTO_UDP), IIFNAME(0), SOURCE4, HIGH_PORTS,
	    SNAT_TO(NFPROTO_IPV4, 0, 4, 32, 48) } },
	{ NAT_CHAIN_TRANSLATE,
	  "to the network's addresses, IPv4",
	  { IPV4, IIFNAME(0), SOURCE4, SNAT_TO(NFPROTO_IPV4, 0, 4, 0, 0) } },
	{ NAT_CHAIN_TRANSLATE,
	  "TCP to the network's addresses and ports, IPv6",
	  { IPV6, L4PROTO(IPPROTO_TCP), IIFNAME(0), SOURCE_PORTS, SOURCE6,
	    SNAT_TO(NFPROTO_IPV6, 0, 16, 48, 52) } },
	{ NAT_CHAIN_TRANSLATE,
	  "UDP to the network's addresses and ports, IPv6",
	  { IPV6, L4PROTO(IPPROTO_UDP), IIFNAME(0), SOURCE_PORTS, SOURCE6,
	    SNAT_TO(NFPROTO_IPV6, 0, 16, 48, 52) } },
	{ NAT_CHAIN_TRANSLATE,
	  "TCP to the network's addresses, IPv6",
	  { IPV6, L4PROTO(IPPROTO_TCP), IIFNAME(0), SOURCE6, HIGH_PORTS,
	    SNAT_TO(NFPROTO_IPV6, 0, 16, 32, 48) } },
	{ NAT_CHAIN_TRANSLATE,
	  "UDP to the network's addresses, IPv6",
	  { IPV6, L4PROTO(IPPROTO_UDP), IIFNAME(0), SOURCE6, HIGH_PORTS,
	    SNAT_TO(NFPROTO_IPV6, 0, 16, 32, 48) } },
	{ NAT_CHAIN_TRANSLATE,
	  "to the network's addresses, IPv6",
	  { IPV6, IIFNAME(0), SOURCE6, SNAT_TO(NFPROTO_IPV6, 0, 16, 0, 0) } },
	{ NAT_CHAIN_TRANSLATE,
	  "TCP to the network's ports",
	  { L4PROTO(IPPROTO_TCP), IIFNAME(0), SOURCE_PORTS, MASQUERADE_TO(48, 52) } },
	{ NAT_CHAIN_TRANSLATE,
	  "UDP to the network's ports",
	  { L4PROTO(IPPROTO_UDP), IIFNAME(0), SOURCE_PORTS, MASQUERADE_TO(48, 52) } },
	{ NAT_CHAIN_TRANSLATE,
	  "masquerade TCP",
	  { L4PROTO(IPPROTO_TCP), ABOVE_1023, MASQUERADE_TO(16, 20) } },
	{ NAT_CHAIN_TRANSLATE,
	  "masquerade UDP",
	  { L4PROTO(IPPROTO_UDP), ABOVE_1023, MASQUERADE_TO(16, 20) } },
	{ NAT_CHAIN_TRANSLATE, "masquerade", { MASQUERADE } },

	/* ---- to the host ---- */
	{ NAT_CHAIN_INPUT, "DHCP is served elsewhere", { UDP_TO(BOOTPS), FROM(NAT_SET_DHCP), DROP } },
	{ NAT_CHAIN_INPUT,
	  "DHCPv6 is served elsewhere",
	  { UDP_TO(DHCPV6_SERVER), FROM(NAT_SET_DHCP), DROP } },
	{ NAT_CHAIN_INPUT, "to the host, ports with a policy", { IS_PORT, JUMP(NAT_CHAIN_INPUT_POLICY) } },
	{ NAT_CHAIN_INPUT,
	  "networks that reach little of the host",
	  { FROM(NAT_SET_HOST_LIMITED), JUMP(NAT_CHAIN_HOST) } },

	{ NAT_CHAIN_INPUT_POLICY, "neighbours", { IPV6, L4PROTO(IPPROTO_ICMPV6), RETURN } },
	{ NAT_CHAIN_INPUT_POLICY, "answers to the host", { ESTABLISHED, RETURN } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "too many connections, to the host",
	  { MARKED(NAT_SET_CONNECTION_MAX), MARKED(NAT_SET_CONNECTION_DROP), REFUSE } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "names over UDP, for the Internet",
	  { UDP_TO(DNS), MARKED(NAT_SET_EGRESS_INTERNET), RETURN } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "names over TCP, for the Internet",
	  { TCP_TO(DNS), MARKED(NAT_SET_EGRESS_INTERNET), RETURN } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "names over UDP, for a list",
	  { UDP_TO(DNS), MARKED(NAT_SET_EGRESS_LIST), RETURN } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "names over TCP, for a list",
	  { TCP_TO(DNS), MARKED(NAT_SET_EGRESS_LIST), RETURN } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "listed, of the host, IPv4",
	  { IPV4, MARK_TO(0), IP_DADDR(4, 4), L4PROTO_TO(8), DPORT(12), IN(NAT_SET_EGRESS_ALLOW4), RETURN } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "listed, of the host, IPv6",
	  { IPV6, MARK_TO(0), IP6_DADDR(16, 4), L4PROTO_TO(20), DPORT(24), IN(NAT_SET_EGRESS_ALLOW6),
	    RETURN } },
	{ NAT_CHAIN_INPUT_POLICY,
	  "the policy lets nothing else in",
	  { MARKED(NAT_SET_EGRESS_DROP), REFUSE } },

	{ NAT_CHAIN_HOST, "answers to guests", { ESTABLISHED, RETURN } },
	{ NAT_CHAIN_HOST,
	  "who has an address",
	  { IPV6, L4PROTO(IPPROTO_ICMPV6), ICMP_TYPE, IS(1, 135), RETURN } },
	{ NAT_CHAIN_HOST, "has it", { IPV6, L4PROTO(IPPROTO_ICMPV6), ICMP_TYPE, IS(1, 136), RETURN } },
	{ NAT_CHAIN_HOST, "nothing at all", { FROM(NAT_SET_HOST_NONE), DROP } },
	{ NAT_CHAIN_HOST, "ICMP", { IPV4, L4PROTO(IPPROTO_ICMP), RETURN } },
	{ NAT_CHAIN_HOST, "ICMPv6", { IPV6, L4PROTO(IPPROTO_ICMPV6), RETURN } },
	{ NAT_CHAIN_HOST, "names over UDP", { UDP_TO(DNS), RETURN } },
	{ NAT_CHAIN_HOST, "names over TCP", { TCP_TO(DNS), RETURN } },
	{ NAT_CHAIN_HOST, "TFTP", { UDP_TO(TFTP), RETURN } },
	{ NAT_CHAIN_HOST, "IGMP", { IPV4, L4PROTO(IPPROTO_IGMP), RETURN } },
	{ NAT_CHAIN_HOST, "nothing else of the host", { REFUSE } },
};
const size_t nat_inet_rule_cnt = ARRAY_LEN(nat_inet_rules);

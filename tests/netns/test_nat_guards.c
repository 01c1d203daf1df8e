/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: guards and policies against a guest that cheats
 *
 * Guest A writes frames of its own making (frame.h); guest B, or the host, listens. Of each row the test knows whether the frame arrives and which
 * of the port's counters moves: one reason by one, or none.
 */
#include "base/mem.h"
#include "tests/netns/frame.h"
#include "tests/netns/stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASSES     NAT_DROP_CNT_
#define OWN4       "10.0.0.2"
#define OWN6       "2001:db8::2"
#define LOCAL6     "fe80::aaaa"
#define GATEWAY6   "fe80::5054:ff:fe00:1"
#define NEIGHBOUR6 "2001:db8::3"
#define ALL_NODES  "ff02::1"

static const struct nat_config guarded = { .kind = NAT_PORT,
					   .port = { .name = "ta",
						     .bridge = "virbr0",
						     .mark = NAT_MARK_BASE | 1,
						     .mac = { { 2, 0, 0, 0, 0, 1 } },
						     .mac_guard = true,
						     .ip4_guard = true,
						     .ip6_guard = true,
						     .dhcp_guard = true,
						     .ra_guard = true,
						     .gateway_mac = { { 0x52, 0x54, 0, 0, 0, 1 } } } };
static const struct nat_port *now = &guarded.port; /* as it was put last */
static int sender, receiver;                       /* packet sockets of guests A and B */
static uint32_t cookie = 0x6e65d001;

static int packet_socket(int ns)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd;

	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	ll.sll_ifindex = (int)if_nametoindex("eth0");
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&ll, sizeof(ll)), 0);
	return fd;
}

static void address_put(const char *text, unsigned len, bool add)
{
	struct nat_config cfg = { .kind = NAT_ADDRESS, .address.port = "ta" };

	cfg.address.prefix.len = (uint8_t)len;
	assert_int_equal(nd_ip_from_string(text, &cfg.address.prefix.ip), 0);
	put(stage_nat, add ? NULL : &cfg, add ? &cfg : NULL);
}

static int guards_make(void **state)
{
	if (stage_make(state) != 0)
		return -1;
	for (unsigned i = 0; i < NODE_CNT; i++)
		run(node_ns[i], "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1");
	run(-1, "sysctl -qw net.ipv6.conf.virbr0.disable_ipv6=1");
	sender = packet_socket(node_ns[GUEST_A]);
	receiver = packet_socket(node_ns[GUEST_B]);
	return 0;
}

static int guards_done(void **state)
{
	close(sender);
	close(receiver);
	return stage_done(state);
}

static bool is_there(const uint8_t *p, size_t len, uint32_t what)
{
	return memmem(p, len, &what, sizeof(what)) != NULL;
}

/* Whether the frame with that cookie comes to B, within ms. */
static bool arrives(uint32_t what, int ms)
{
	uint8_t buf[2048];

	for (unsigned i = 0; i < 1000 && readable(receiver, ms); i++) {
		struct sockaddr_ll ll;
		socklen_t size = sizeof(ll);
		ssize_t n = recvfrom(receiver, buf, sizeof(buf), 0, (void *)&ll, &size);

		if (n > 0 && ll.sll_pkttype != PACKET_OUTGOING && is_there(buf, (size_t)n, what))
			return true;
	}
	return false;
}

static void send_frame(const struct frame_spec *spec)
{
	struct frame f;

	frame_build(&f, spec, ++cookie);
	assert_int_equal(send(sender, f.b, f.len, 0), f.len);
}

static void drops_read(uint64_t ret[NAT_DROP_CNT_])
{
	OK(nat_port_drops(stage_nat, now, ret, &e));
}

/* The frame passes through the bridge while send() runs, so nothing is to be waited for. */
struct row {
	const char *name;
	int drop; /* enum nat_drop, or PASSES */
	struct frame_spec spec;
	bool held; /* by reassembly, where bridged frames are shown to it */
};

static void row_check(const struct row *row, enum frame_wrap wrap)
{
	uint64_t before[NAT_DROP_CNT_], after[NAT_DROP_CNT_];
	struct frame_spec spec = row->spec;
	bool came;

	if (wrap)
		spec.wrap = wrap;
	drops_read(before);
	send_frame(&spec);
	came = arrives(cookie, row->drop == PASSES && !row->held ? WAIT_MS : 0);
	if (!row->held && came != (row->drop == PASSES))
		fail_msg("%s, wrap %d: %s", row->name, wrap, came ? "came through" : "did not come");
	drops_read(after);
	for (int i = 0; i < NAT_DROP_CNT_; i++)
		if (after[i] - before[i] != (i == row->drop))
			fail_msg("%s, wrap %d: %u drops by '%s'", row->name, wrap,
				 (unsigned)(after[i] - before[i]), nat_drop_to_string(i));
}

#define ARP(op, mac, sender_, target_)                                                                    \
	{                                                                                                 \
		.eth_src = 1, .ethertype = ETH_P_ARP, .arp_op = (op), .arp_mac = (mac), .src = (sender_), \
		.dst = (target_)                                                                          \
	}
#define UDP4(from, from_port, to, to_port)                                                                 \
	{                                                                                                  \
		.eth_src = 1, .eth_dst = 2, .ethertype = ETH_P_IP, .protocol = IPPROTO_UDP, .src = (from), \
		.sport = (from_port), .dst = (to), .dport = (to_port)                                      \
	}
#define UDP6(from, from_port, to, to_port, ...)                                                              \
	{                                                                                                    \
		.eth_src = 1, .eth_dst = 2, .ethertype = ETH_P_IPV6, .protocol = IPPROTO_UDP, .src = (from), \
		.sport = (from_port), .dst = (to), .dport = (to_port), __VA_ARGS__                           \
	}
#define ICMP6(type_, from, to, ...)                                                                 \
	{                                                                                           \
		.eth_src = 1, .eth_dst = 0xff, .ethertype = ETH_P_IPV6, .protocol = IPPROTO_ICMPV6, \
		.src = (from), .dst = (to), .type = (type_), __VA_ARGS__                            \
	}

static const struct row rows[] = {
	{ "its own", PASSES, UDP4(OWN4, 1000, "10.0.0.3", 2000) },
	{ "another MAC",
	  NAT_DROP_MAC,
	  { .eth_src = 9,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_UDP,
	    .src = OWN4,
	    .dst = "10.0.0.3" } },
	{ "another source", NAT_DROP_IP4, UDP4("10.0.0.3", 1000, "10.0.0.255", 2000) },
	{ "the gateway as source", NAT_DROP_IP4, UDP4("10.0.0.1", 53, "10.0.0.3", 2000) },
	{ "no source, to no DHCP server", NAT_DROP_IP4, UDP4("0.0.0.0", 68, "255.255.255.255", 69) },
	{ "discover", PASSES, UDP4("0.0.0.0", 68, "255.255.255.255", 67) },
	{ "later fragment of no source",
	  NAT_DROP_IP4,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_UDP,
	    .src = "0.0.0.0",
	    .dst = "10.0.0.3",
	    .dport = 67,
	    .sport = 67,
	    .extension = EXT_LATER_FRAGMENT } },
	{ "IGMP without an address",
	  PASSES,
	  { .eth_src = 1,
	    .eth_dst = 0xff,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_IGMP,
	    .src = "0.0.0.0",
	    .dst = "224.0.0.22",
	    .type = 0x99 } },

	{ "ARP request", PASSES, ARP(1, 1, OWN4, "10.0.0.3") },
	{ "ARP announcement", PASSES, ARP(1, 1, OWN4, OWN4) },
	{ "ARP probe", PASSES, ARP(1, 1, "0.0.0.0", "10.0.0.77") },
	{ "ARP as a neighbour", NAT_DROP_ARP, ARP(1, 1, "10.0.0.3", "10.0.0.1") },
	{ "ARP answer as the gateway", NAT_DROP_ARP, ARP(2, 1, "10.0.0.1", "10.0.0.3") },
	{ "gratuitous ARP for another", NAT_DROP_ARP, ARP(2, 1, "10.0.0.3", "10.0.0.3") },
	{ "another MAC inside of ARP", NAT_DROP_MAC, ARP(1, 9, OWN4, "10.0.0.3") },
	{ "another MAC inside of a probe", NAT_DROP_MAC, ARP(1, 9, "0.0.0.0", "10.0.0.3") },

	{ "DHCP answer", NAT_DROP_DHCP_SERVER, UDP4(OWN4, 67, "10.0.0.3", 68) },
	{ "DHCP answer from another port", NAT_DROP_DHCP_SERVER, UDP4(OWN4, 4011, "255.255.255.255", 68) },
	{ "first fragment of a DHCP answer",
	  NAT_DROP_DHCP_SERVER,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_UDP,
	    .src = OWN4,
	    .dst = "10.0.0.3",
	    .sport = 67,
	    .dport = 68,
	    .extension = EXT_FIRST_FRAGMENT } },
	{ "ICMP redirect",
	  NAT_DROP_ROUTER,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_ICMP,
	    .src = OWN4,
	    .dst = "10.0.0.3",
	    .type = ICMP_REDIRECT } },
	{ "first fragment of an ICMP redirect",
	  NAT_DROP_ROUTER,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_ICMP,
	    .src = OWN4,
	    .dst = "10.0.0.3",
	    .type = ICMP_REDIRECT,
	    .extension = EXT_FIRST_FRAGMENT } },
	{ "ICMP echo",
	  PASSES,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_ICMP,
	    .src = OWN4,
	    .dst = "10.0.0.3",
	    .type = ICMP_ECHO } },

	{ "IPv6, its own", PASSES, UDP6(OWN6, 1000, NEIGHBOUR6, 2000) },
	{ "IPv6, its own link-local", PASSES, UDP6(LOCAL6, 546, "ff02::1:2", 547) },
	{ "IPv6, another source", NAT_DROP_IP6, UDP6(NEIGHBOUR6, 1000, "2001:db8::9", 2000) },
	{ "IPv6, the gateway's link-local", NAT_DROP_IP6, UDP6(GATEWAY6, 1000, "fe80::3", 2000) },
	{ "IPv6 without a source, not ICMPv6", NAT_DROP_IP6, UDP6("::", 1000, ALL_NODES, 2000) },
	{ "IPv6 fragment of another source", NAT_DROP_IP6,
	  UDP6(NEIGHBOUR6, 1, "2001:db8::9", 2, .extension = EXT_LATER_FRAGMENT) },
	{ "duplicate address detection", PASSES,
	  ICMP6(ND_NEIGHBOR_SOLICIT, "::", "ff02::1:ff00:2", .target = OWN6) },
	{ "solicitation of its own", PASSES,
	  ICMP6(ND_NEIGHBOR_SOLICIT, OWN6, "ff02::1:ff00:3", .target = NEIGHBOUR6) },
	{ "solicitation from another", NAT_DROP_IP6,
	  ICMP6(ND_NEIGHBOR_SOLICIT, NEIGHBOUR6, "ff02::1:ff00:3", .target = OWN6) },
	{ "MLD without an address", PASSES, ICMP6(143, "::", "ff02::16", .extension = EXT_HOP_BY_HOP) },
	{ "advertisement of its own", PASSES, ICMP6(ND_NEIGHBOR_ADVERT, OWN6, ALL_NODES, .target = OWN6) },
	{ "advertisement of its link-local", PASSES,
	  ICMP6(ND_NEIGHBOR_ADVERT, LOCAL6, ALL_NODES, .target = LOCAL6) },
	{ "advertisement of another's", NAT_DROP_IP6,
	  ICMP6(ND_NEIGHBOR_ADVERT, OWN6, ALL_NODES, .target = NEIGHBOUR6) },
	{ "advertisement of the gateway's", NAT_DROP_IP6,
	  ICMP6(ND_NEIGHBOR_ADVERT, OWN6, ALL_NODES, .target = GATEWAY6) },
	{ "the same behind a header", NAT_DROP_IP6,
	  ICMP6(ND_NEIGHBOR_ADVERT, LOCAL6, ALL_NODES, .target = GATEWAY6, .extension = EXT_DESTINATION) },
	{ "the same behind two", NAT_DROP_IP6,
	  ICMP6(ND_NEIGHBOR_ADVERT, LOCAL6, ALL_NODES, .target = GATEWAY6, .extension = EXT_BOTH) },
	{ "the same in an atomic fragment", NAT_DROP_IP6,
	  ICMP6(ND_NEIGHBOR_ADVERT, LOCAL6, NEIGHBOUR6, .target = GATEWAY6, .extension = EXT_ATOMIC) },

	{ "router solicitation", PASSES, ICMP6(ND_ROUTER_SOLICIT, LOCAL6, "ff02::2") },
	{ "router advertisement", NAT_DROP_ROUTER, ICMP6(ND_ROUTER_ADVERT, LOCAL6, ALL_NODES) },
	{ "router advertisement to one", NAT_DROP_ROUTER,
	  ICMP6(ND_ROUTER_ADVERT, LOCAL6, NEIGHBOUR6, .extension = EXT_ATOMIC) },
	{ "router advertisement behind a header", NAT_DROP_ROUTER,
	  ICMP6(ND_ROUTER_ADVERT, LOCAL6, ALL_NODES, .extension = EXT_HOP_BY_HOP) },
	{ "router advertisement behind two", NAT_DROP_ROUTER,
	  ICMP6(ND_ROUTER_ADVERT, LOCAL6, ALL_NODES, .extension = EXT_BOTH) },
	{ "first fragment of one", NAT_DROP_ROUTER,
	  ICMP6(ND_ROUTER_ADVERT, LOCAL6, ALL_NODES, .extension = EXT_FIRST_FRAGMENT) },
	{ "a later fragment", NAT_DROP_ROUTER,
	  ICMP6(ND_ROUTER_ADVERT, LOCAL6, ALL_NODES, .extension = EXT_LATER_FRAGMENT) },
	{ "a later fragment, to a link-local address", NAT_DROP_ROUTER,
	  ICMP6(ND_ROUTER_ADVERT, LOCAL6, "fe80::3", .extension = EXT_LATER_FRAGMENT) },
	{ "IPv6 redirect", NAT_DROP_ROUTER, ICMP6(ND_REDIRECT, LOCAL6, "fe80::3") },
	{ "DHCPv6 answer", NAT_DROP_DHCP_SERVER, UDP6(LOCAL6, 547, "fe80::3", 546) },
	{ "DHCPv6 answer behind a header", NAT_DROP_DHCP_SERVER,
	  UDP6(LOCAL6, 547, "fe80::3", 546, .extension = EXT_DESTINATION) },
	{ "good fragment", PASSES, UDP6(OWN6, 1000, NEIGHBOUR6, 2000, .extension = EXT_FIRST_FRAGMENT),
	  .held = true },
	{ "data like a DHCP answer",
	  PASSES,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_UDP,
	    .src = OWN4,
	    .dst = "10.0.0.3",
	    .sport = 67,
	    .dport = 68,
	    .extension = EXT_LATER_FRAGMENT },
	  .held = true },
	{ "data like a redirect",
	  PASSES,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_ICMP,
	    .src = OWN4,
	    .dst = "10.0.0.3",
	    .type = ICMP_REDIRECT,
	    .extension = EXT_LATER_FRAGMENT },
	  .held = true },
	{ "data like a router advertisement", PASSES,
	  ICMP6(ND_ROUTER_ADVERT, OWN6, NEIGHBOUR6, .extension = EXT_LATER_FRAGMENT), .held = true },
	{ "good IPv4 fragment",
	  PASSES,
	  { .eth_src = 1,
	    .eth_dst = 2,
	    .ethertype = ETH_P_IP,
	    .protocol = IPPROTO_UDP,
	    .src = OWN4,
	    .dst = "10.0.0.3",
	    .extension = EXT_LATER_FRAGMENT },
	  .held = true },
};

static void addresses_put(bool add)
{
	address_put(OWN4, 32, add);
	address_put(OWN6, 128, add);
}

static const char *const netfilter_modes[] = { "1", "0" };

static void test_frames(void **state)
{
	put(stage_nat, NULL, &guarded);
	addresses_put(true);
	for (size_t m = 0; m < ARRAY_LEN(netfilter_modes); m++) {
		bridge_netfilter(netfilter_modes[m]);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			row_check(&rows[i], WRAP_NONE);
	}
}

/* One tag is taken off before the guards look: what is dropped, and what is not, is the same. */
static void test_tagged(void **state)
{
	static const enum frame_wrap wraps[] = { WRAP_8021Q, WRAP_8021AD, WRAP_PRIORITY };

	for (size_t w = 0; w < ARRAY_LEN(wraps); w++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			row_check(&rows[i], wraps[w]);
}

/* More than one tag, and IP behind an LLC header, no guard looks into: they are dropped by the first of the port's guards. */
static void test_wrapped(void **state)
{
	static const enum frame_wrap wraps[] = { WRAP_AD_Q, WRAP_TWO_PRIORITIES, WRAP_SNAP, WRAP_Q_SNAP };
	struct nat_config open = guarded;
	struct row row = rows[0];

	for (size_t w = 0; w < ARRAY_LEN(wraps); w++) {
		row.drop = NAT_DROP_IP4;
		row_check(&row, wraps[w]);
	}
	open.port.ip4_guard = open.port.ip6_guard = open.port.dhcp_guard = open.port.ra_guard = false;
	put(stage_nat, &guarded, &open);
	for (size_t w = 0; w < ARRAY_LEN(wraps); w++) {
		row.drop = PASSES;
		row_check(&row, wraps[w]);
	}
	put(stage_nat, &open, &guarded);
}

/* Prefixes: their first and last addresses, and none beside them. */
static void test_prefix(void **state)
{
	static const struct row prefix_rows[] = {
		{ "first", PASSES, UDP4("10.0.0.16", 1, "10.0.0.3", 2) },
		{ "last", PASSES, UDP4("10.0.0.31", 1, "10.0.0.3", 2) },
		{ "before", NAT_DROP_IP4, UDP4("10.0.0.15", 1, "10.0.0.3", 2) },
		{ "behind", NAT_DROP_IP4, UDP4("10.0.0.32", 1, "10.0.0.3", 2) },
		{ "host address", PASSES, UDP4(OWN4, 1, "10.0.0.3", 2) },
		{ "ARP of the last", PASSES, ARP(1, 1, "10.0.0.31", "10.0.0.3") },
		{ "ARP behind", NAT_DROP_ARP, ARP(1, 1, "10.0.0.32", "10.0.0.3") },
		{ "first, IPv6", PASSES, UDP6("2001:db8:5::", 1, NEIGHBOUR6, 2) },
		{ "last, IPv6", PASSES, UDP6("2001:db8:5:0:ffff:ffff:ffff:ffff", 1, NEIGHBOUR6, 2) },
		{ "behind, IPv6", NAT_DROP_IP6, UDP6("2001:db8:5:1::", 1, NEIGHBOUR6, 2) },
		{ "advertised", PASSES,
		  ICMP6(ND_NEIGHBOR_ADVERT, OWN6, ALL_NODES, .target = "2001:db8:5::7") },
		{ "advertised behind", NAT_DROP_IP6,
		  ICMP6(ND_NEIGHBOR_ADVERT, OWN6, ALL_NODES, .target = "2001:db8:5:1::7") },
	};
	static const struct row gateway_rows[] = {
		{ "the gateway's of the prefix", NAT_DROP_IP6, UDP6("2001:db8:5::1", 53, NEIGHBOUR6, 2) },
		{ "solicitation from it", NAT_DROP_IP6,
		  ICMP6(ND_NEIGHBOR_SOLICIT, "2001:db8:5::1", "ff02::1:ff00:3", .target = NEIGHBOUR6) },
		{ "advertised", NAT_DROP_IP6,
		  ICMP6(ND_NEIGHBOR_ADVERT, OWN6, ALL_NODES, .target = "2001:db8:5::1") },
		{ "beside it", PASSES, UDP6("2001:db8:5::2", 1, NEIGHBOUR6, 2) },
	};
	struct nat_config gateway = { .kind = NAT_GATEWAY, .address = { .port = "ta", .prefix.len = 128 } };

	assert_int_equal(nd_ip_from_string("2001:db8:5::1", &gateway.address.prefix.ip), 0);
	address_put("10.0.0.16", 28, true);
	address_put("2001:db8:5::", 64, true);
	for (size_t i = 0; i < ARRAY_LEN(prefix_rows); i++)
		row_check(&prefix_rows[i], WRAP_NONE);
	put(stage_nat, NULL, &gateway);
	for (size_t i = 0; i < ARRAY_LEN(gateway_rows); i++)
		row_check(&gateway_rows[i], WRAP_NONE);
	put(stage_nat, &gateway, NULL);
	address_put("10.0.0.16", 28, false);
	address_put("2001:db8:5::", 64, false);
	row_check(&(struct row){ "taken", NAT_DROP_IP4, UDP4("10.0.0.16", 1, "10.0.0.3", 2) }, WRAP_NONE);
	/* All of IPv4. */
	address_put("0.0.0.0", 0, true);
	row_check(&(struct row){ "anything", PASSES, UDP4("8.8.8.8", 1, "10.0.0.3", 2) }, WRAP_NONE);
	address_put("0.0.0.0", 0, false);
}

/* A port without guards is let do everything; and each guard works without the others. */
static void test_each(void **state)
{
	static const size_t offsets[] = {
		offsetof(struct nat_port, mac_guard), offsetof(struct nat_port, ip4_guard),
		offsetof(struct nat_port, ip6_guard), offsetof(struct nat_port, dhcp_guard),
		offsetof(struct nat_port, ra_guard),
	};
	/* By the guard's offset: which reasons are its own. */
	static const unsigned reasons[] = { 1 << NAT_DROP_MAC, 1 << NAT_DROP_IP4 | 1 << NAT_DROP_ARP,
					    1 << NAT_DROP_IP6, 1 << NAT_DROP_DHCP_SERVER,
					    1 << NAT_DROP_ROUTER };
	struct nat_config was = guarded, cfg;

	for (size_t g = 0; g <= ARRAY_LEN(offsets); g++) {
		cfg = guarded;
		for (size_t i = 0; i < ARRAY_LEN(offsets); i++)
			((uint8_t *)&cfg.port)[offsets[i]] = i == g;
		put(stage_nat, &was, &cfg);
		was = cfg;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct row row = rows[i];
			bool in_arp = row.spec.ethertype == ETH_P_ARP && row.spec.arp_mac != 1;

			if (row.held ||
			    in_arp) /* the MAC inside of ARP is looked at where both guards are on */
				continue;
			if (row.drop != PASSES &&
			    (g == ARRAY_LEN(offsets) || !(reasons[g] & 1u << row.drop))) {
				row.drop = PASSES;
				row.held = row.spec.extension != EXT_NONE;
			}
			row_check(&row, WRAP_NONE);
		}
	}
	put(stage_nat, &was, &guarded);
}

/* More in a second than the rate, and its burst of as many: counted, and others' floods are not its business. */
static void check_rate(uint8_t eth_dst, enum nat_drop drop)
{
	struct frame_spec spec = UDP4(OWN4, 1, "10.0.0.255", 2);
	uint64_t before[NAT_DROP_CNT_], after[NAT_DROP_CNT_];

	spec.eth_dst = eth_dst;
	drops_read(before);
	for (unsigned i = 0; i < 100; i++)
		send_frame(&spec);
	drops_read(after);
	assert_in_range(after[drop] - before[drop], 60, 80);
	spec.eth_dst = 2;
	for (unsigned i = 0; i < 100; i++)
		send_frame(&spec);
	drops_read(before);
	assert_int_equal(before[drop], after[drop]);
}

static void test_rates(void **state)
{
	struct nat_config rate = guarded;

	now = &rate.port;
	rate.port.broadcast_pps = 20;
	put(stage_nat, &guarded, &rate);
	check_rate(0, NAT_DROP_BROADCAST);
	struct nat_config was = rate;
	rate.port.broadcast_pps = 0;
	rate.port.multicast_pps = 20;
	put(stage_nat, &was, &rate);
	check_rate(0xff, NAT_DROP_MULTICAST);
	put(stage_nat, &rate, &guarded);
	now = &guarded.port;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames), cmocka_unit_test(test_tagged), cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_prefix), cmocka_unit_test(test_each),   cmocka_unit_test(test_rates),
	};

	return cmocka_run_group_tests_name("netns/nat-guards", tests, guards_make, guards_done);
}

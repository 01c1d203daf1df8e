/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: egress policies and numbers of connections of a port, and published ports, with real connections
 */
#include "base/mem.h"
#include "tests/netns/stage.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#define HOST NODE_CNT

static const struct nat_config plain = {
	.kind = NAT_PORT,
	.port = { .name = "ta", .bridge = "virbr0", .mark = NAT_MARK_BASE | 7 },
};

static int policy_make(void **state)
{
	if (stage_make(state) != 0)
		return -1;
	/* Addresses of the outside that are not of the Internet. */
	run(node_ns[OUTSIDE], "for a in 172.16.0.2 10.9.0.2 192.168.0.2 100.64.0.2 198.18.0.2 "
			      "169.254.169.254 8.8.8.8; do ip address add "
			      "$a/32 dev lo; done");
	run(-1, "for a in 172.16.0.2 10.9.0.2 192.168.0.2 100.64.0.2 198.18.0.2 169.254.169.254 8.8.8.8; do "
		"ip route add "
		"$a via 192.0.2.2; done");
	/* Refusals are answered at a rate. */
	run(-1, "sysctl -qw net.ipv4.icmp_ratelimit=0");
	return 0;
}

static int ns_of(unsigned node)
{
	return node == HOST ? host_ns : node_ns[node];
}

static uint64_t drops_of(const struct nat_config *cfg, enum nat_drop drop)
{
	uint64_t drops[NAT_DROP_CNT_];

	OK(nat_port_drops(stage_nat, &cfg->port, drops, &e));
	return drops[drop];
}

struct way {
	unsigned to; /* whose socket answers: a node or HOST */
	const char *address;
	uint16_t port;
	enum reach want;
	int drop; /* reason, or NAT_DROP_CNT_ */
};

static void check_ways(const struct nat_config *cfg, const struct way *ways, size_t cnt)
{
	put(stage_nat, &plain, cfg);
	for (size_t i = 0; i < cnt; i++) {
		const struct way *w = &ways[i];
		uint64_t before = w->drop < NAT_DROP_CNT_ ? drops_of(cfg, (enum nat_drop)w->drop) : 0;
		enum reach r = ask(socket_in(node_ns[GUEST_A], NULL, 0),
				   socket_in(ns_of(w->to), w->address, w->port), w->address, w->port,
				   w->want == SILENT ? SILENT_MS : WAIT_MS, NULL);

		if (r != w->want)
			fail_msg("policy %d: to %s:%u: %d instead of %d", cfg->port.egress, w->address,
				 w->port, r, w->want);
		if (w->drop < NAT_DROP_CNT_)
			assert_int_equal(drops_of(cfg, (enum nat_drop)w->drop), before + 1);
	}
	put(stage_nat, cfg, &plain);
}

#define GOES(to, address, port)                           \
	{                                                 \
		to, address, port, REACHED, NAT_DROP_CNT_ \
	}
#define REFUSES(to, address, port)                          \
	{                                                   \
		to, address, port, REFUSED, NAT_DROP_EGRESS \
	}
#define HOLDS(to, address, port)                               \
	{                                                      \
		to, address, port, SILENT, NAT_DROP_NEIGHBOURS \
	}

static void test_egress(void **state)
{
	static const struct way any[] = {
		GOES(OUTSIDE, "192.0.2.2", 9999), GOES(OUTSIDE, "172.16.0.2", 9999),
		GOES(GUEST_B, "10.0.0.3", 9999),  GOES(HOST, "10.0.0.1", 9998),
		GOES(HOST, "10.0.0.1", 53),
	};
	static const struct way internet[] = {
		GOES(OUTSIDE, "192.0.2.2", 9999),
		GOES(OUTSIDE, "8.8.8.8", 53),
		REFUSES(OUTSIDE, "172.16.0.2", 9999),
		REFUSES(OUTSIDE, "10.9.0.2", 9999),
		REFUSES(OUTSIDE, "192.168.0.2", 9999),
		REFUSES(OUTSIDE, "100.64.0.2", 9999),
		REFUSES(OUTSIDE, "198.18.0.2", 9999),
		REFUSES(OUTSIDE, "169.254.169.254", 80),
		REFUSES(GUEST_C, "10.0.1.2", 9999),
		HOLDS(GUEST_B, "10.0.0.3", 9999),
		REFUSES(HOST, "10.0.0.1", 9998),
		REFUSES(HOST, "192.0.2.1", 9998),
		GOES(HOST, "10.0.0.1", 53),
	};
	static const struct way none[] = {
		REFUSES(OUTSIDE, "192.0.2.2", 9999), REFUSES(OUTSIDE, "8.8.8.8", 53),
		HOLDS(GUEST_B, "10.0.0.3", 9999),    REFUSES(HOST, "10.0.0.1", 9998),
		REFUSES(HOST, "10.0.0.1", 53),
	};
	struct nat_config cfg = plain;

	for (unsigned m = 0; m < 2; m++) {
		bridge_netfilter(m ? "0" : "1");
		cfg.port.egress = NAT_EGRESS_ANY;
		check_ways(&cfg, any, ARRAY_LEN(any));
		cfg.port.egress = NAT_EGRESS_INTERNET;
		check_ways(&cfg, internet, ARRAY_LEN(internet));
		cfg.port.egress = NAT_EGRESS_NONE;
		check_ways(&cfg, none, ARRAY_LEN(none));
	}
}

static struct nat_config allow(const char *address, uint8_t len, uint8_t protocol, uint16_t first,
			       uint16_t last)
{
	struct nat_config cfg = { .kind = NAT_EGRESS_RULE };

	cfg.egress_rule.mark = plain.port.mark;
	cfg.egress_rule.prefix.len = len;
	assert_int_equal(nd_ip_from_string(address, &cfg.egress_rule.prefix.ip), 0);
	cfg.egress_rule.protocol = protocol;
	cfg.egress_rule.port_first = first;
	cfg.egress_rule.port_last = last;
	return cfg;
}

static void test_list(void **state)
{
	static const struct way ways[] = {
		REFUSES(OUTSIDE, "192.0.2.2", 9009),
		GOES(OUTSIDE, "192.0.2.2", 9010),
		GOES(OUTSIDE, "192.0.2.2", 9019),
		REFUSES(OUTSIDE, "192.0.2.2", 9020),
		GOES(OUTSIDE, "172.16.0.2", 9999),
		REFUSES(OUTSIDE, "10.9.0.2", 9999),
		REFUSES(OUTSIDE, "192.168.0.2", 9999),
		HOLDS(GUEST_B, "10.0.0.3", 9999),
		GOES(HOST, "10.0.0.1", 9998),
		REFUSES(HOST, "10.0.0.1", 9997),
		GOES(HOST, "10.0.0.1", 53),
	};
	const struct nat_config rules[] = {
		allow("192.0.2.2", 32, IPPROTO_UDP, 9010, 9019),
		allow("172.16.0.0", 12, 0, 0, 0),
		allow("10.0.0.1", 32, IPPROTO_UDP, 9998, 9998),
		allow("10.9.0.0", 16, IPPROTO_TCP, 0, 0),
	};
	struct nat_config cfg = plain;

	cfg.port.egress = NAT_EGRESS_LIST;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		put(stage_nat, NULL, &rules[i]);
	check_ways(&cfg, ways, ARRAY_LEN(ways));
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		put(stage_nat, &rules[i], NULL);
}

static struct nat_config publish(const char *host, uint16_t port, const char *guest, uint16_t guest_port)
{
	struct nat_config cfg = { .kind = NAT_PUBLISH };

	cfg.publish.protocol = IPPROTO_UDP;
	if (host)
		assert_int_equal(nd_ip_from_string(host, &cfg.publish.host), 0);
	cfg.publish.port = port;
	assert_int_equal(nd_ip_from_string(guest, &cfg.publish.guest), 0);
	cfg.publish.guest_port = guest_port;
	memcpy(cfg.publish.bridge, "virbr0", 7);
	return cfg;
}

/* From node to address:port, where A's (or another's) socket waits on 9999. */
static void check_published(unsigned from, const char *address, uint16_t port, unsigned guest,
			    enum reach want, const char *seen_as)
{
	struct sockaddr_in seen = { .sin_family = AF_INET };
	char text[INET_ADDRSTRLEN];
	enum reach r = ask(socket_in(ns_of(from), NULL, 0), socket_in(ns_of(guest), NULL, 9999), address,
			   port, want == SILENT ? SILENT_MS : WAIT_MS, &seen);

	if (r != want)
		fail_msg("from %u to %s:%u: %d instead of %d", from, address, port, r, want);
	if (seen_as)
		assert_string_equal(inet_ntop(AF_INET, &seen.sin_addr, text, sizeof(text)), seen_as);
}

/* What a policy refuses is what the guest begins: answers pass. */
static void test_answers(void **state)
{
	struct nat_config cfg = plain, p = publish("192.0.2.1", 7000, "10.0.0.2", 9999);

	cfg.port.egress = NAT_EGRESS_NONE;
	cfg.port.connection_max = 1;
	put(stage_nat, &plain, &cfg);
	put(stage_nat, NULL, &p);
	for (unsigned i = 0; i < 3; i++)
		check_published(OUTSIDE, "192.0.2.1", 7000, GUEST_A, REACHED, "192.0.2.2");
	check_published(HOST, "10.0.0.2", 9999, GUEST_A, REACHED, "10.0.0.1");
	assert_int_equal(drops_of(&cfg, NAT_DROP_EGRESS), 0);
	assert_int_equal(drops_of(&cfg, NAT_DROP_CONNECTIONS), 0);
	put(stage_nat, &p, NULL);
	put(stage_nat, &cfg, &plain);
}

static void test_publish(void **state)
{
	const struct nat_config one = publish("192.0.2.1", 7000, "10.0.0.2", 9999),
				every = publish(NULL, 7001, "10.0.0.2", 9999),
				local = publish("127.0.0.1", 7002, "10.0.0.2", 9999),
				isolated = publish("192.0.2.1", 7003, "10.0.2.2", 9999);
	const struct nat_config *all[] = { &one, &every, &local, &isolated };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		put(stage_nat, NULL, all[i]);
	run(-1, "sysctl -qw net.ipv4.conf.virbr0.route_localnet=1");
	for (unsigned m = 0; m < 2; m++) {
		bridge_netfilter(m ? "0" : "1");
		check_published(OUTSIDE, "192.0.2.1", 7000, GUEST_A, REACHED, "192.0.2.2");
		check_published(OUTSIDE, "192.0.2.1", 7001, GUEST_A, REACHED, "192.0.2.2");
		check_published(OUTSIDE, "192.0.2.1", 7002, GUEST_A, REFUSED, NULL);
		check_published(OUTSIDE, "192.0.2.1", 7003, GUEST_D, REACHED, "192.0.2.2");
		check_published(HOST, "192.0.2.1", 7000, GUEST_A, REACHED, "192.0.2.1");
		check_published(HOST, "10.0.1.1", 7001, GUEST_A, REACHED, NULL);
		check_published(HOST, "127.0.0.1", 7002, GUEST_A, REACHED, "10.0.0.1");
		check_published(HOST, "127.0.0.1", 7001, GUEST_A, REFUSED, NULL);
		check_published(GUEST_C, "192.0.2.1", 7000, GUEST_A, REACHED, "10.0.1.2");
		check_published(GUEST_C, "10.0.1.1", 7001, GUEST_A, REACHED, "10.0.1.2");
		check_published(GUEST_C, "192.0.2.1", 7003, GUEST_D, REACHED, "10.0.1.2");
		/* Siblings: with bridge-nf-call the kernel may bridge it, and the source stays. */
		check_published(GUEST_B, "192.0.2.1", 7000, GUEST_A, REACHED, m ? "10.0.0.1" : NULL);
		if (m) /* else it would have to leave the bridge by the port that it came from */
			check_published(GUEST_A, "10.0.0.1", 7001, GUEST_A, REACHED, "10.0.0.1");
		check_published(GUEST_E, "192.0.2.1", 7003, GUEST_D, REACHED, NULL);
	}
	const struct nat_config nat = { .network = { .bridge = "virbr0",
						     .forward4 = NAT_FORWARD_NAT,
						     .dhcp = true } },
				open = { .network = { .bridge = "virbr0",
						      .forward4 = NAT_FORWARD_OPEN,
						      .forward6 = NAT_FORWARD_OPEN,
						      .dhcp = true } };
	put(stage_nat, &nat, &open);
	check_published(HOST, "127.0.0.1", 7002, GUEST_A, REACHED, "10.0.0.1");
	check_published(OUTSIDE, "192.0.2.1", 7000, GUEST_A, REACHED, "192.0.2.2");
	put(stage_nat, &open, &nat);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		put(stage_nat, all[i], NULL);
	check_published(OUTSIDE, "192.0.2.1", 7000, GUEST_A, REFUSED, NULL);
}

/* A datagram from source, an address of the node's, to where the host's socket waits. */
static void check_loopback(unsigned node, const char *source, int server, const char *address, uint16_t port,
			   bool comes)
{
	struct sockaddr_in a = address_of(address, port);
	int client = socket_in(node_ns[node], source, 0);
	char b[8];

	assert_int_equal(sendto(client, "ping", 4, 0, (void *)&a, sizeof(a)), 4);
	assert_int_equal(readable(server, comes ? WAIT_MS : SILENT_MS), comes);
	if (comes)
		assert_int_equal(recv(server, b, sizeof(b), 0), 4);
	close(client);
}

/*
 * With route_localnet whoever sends to 127.0.0.1 through the link reaches the host's own services, as the outside does here to show that the
 * test tests; but no guest does.
 */
static void test_loopback(void **state)
{
	static const unsigned from[] = { GUEST_A, OUTSIDE };
	int server = socket_in(host_ns, "127.0.0.1", 9111), any = socket_in(host_ns, NULL, 9112);

	run(-1, "sysctl -qw net.ipv4.conf.virbr0.route_localnet=1 net.ipv4.conf.to.route_localnet=1");
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		const struct node *n = &nodes[from[i]];

		run(node_ns[from[i]],
		    "sysctl -qw net.ipv4.conf.all.route_localnet=1 && ip address flush dev lo && ip route "
		    "add 127.0.0.0/8 via "
		    "%s && ip address add 127.0.0.9/32 dev eth0",
		    n->gateway);
		check_loopback(from[i], n->address, server, "127.0.0.1", 9111, from[i] == OUTSIDE);
		check_loopback(from[i], "127.0.0.9", any, n->gateway, 9112, from[i] == OUTSIDE);
	}
	close(server);
	close(any);
}

static void test_connections(void **state)
{
	struct nat_config cfg = plain;
	struct sockaddr_in seen;

	cfg.port.connection_max = 3;
	put(stage_nat, &plain, &cfg);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(reach(GUEST_A, OUTSIDE, (uint16_t)(30000 + i), &seen), REACHED);
	assert_int_equal(reach(GUEST_A, OUTSIDE, 30003, &seen), REFUSED);
	assert_int_equal(drops_of(&cfg, NAT_DROP_CONNECTIONS), 1);
	assert_int_equal(reach(GUEST_A, OUTSIDE, 30001, &seen), REACHED);
	assert_int_equal(reach(GUEST_B, OUTSIDE, 30004, &seen), REACHED);
	assert_int_equal(drops_of(&cfg, NAT_DROP_CONNECTIONS), 1);
	/* Those to the host fill the same table. */
	check_published(GUEST_A, "10.0.0.1", 9999, HOST, REFUSED, NULL);
	assert_int_equal(drops_of(&cfg, NAT_DROP_CONNECTIONS), 2);
	put(stage_nat, &cfg, &plain);
	assert_int_equal(reach(GUEST_A, OUTSIDE, 30005, &seen), REACHED);
	check_published(GUEST_A, "10.0.0.1", 9999, HOST, REACHED, "10.0.0.2");
}

/* A guest that has its neighbour behind the gateway: the host carries it, but not past isolation. */
static void test_isolated(void **state)
{
	static const struct nat_config apart = {
		.network = { .bridge = "virbr0",
			     .forward4 = NAT_FORWARD_NAT,
			     .dhcp = true,
			     .isolated = true },
	};
	struct nat_config whole = apart, p = publish("192.0.2.1", 7004, "10.0.0.3", 9999);
	struct sockaddr_in seen;

	whole.network.isolated = false;
	run(-1, "sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.virbr0.send_redirects=0");
	run(node_ns[GUEST_A], "ip route add 10.0.0.3/32 via 10.0.0.1");
	put(stage_nat, NULL, &p);
	for (unsigned m = 0; m < 2; m++) {
		bridge_netfilter(m ? "0" : "1");
		assert_int_equal(reach(GUEST_A, GUEST_B, 0, &seen), REACHED);
		put(stage_nat, &whole, &apart);
		assert_int_equal(reach(GUEST_A, GUEST_B, 0, &seen), REFUSED);
		check_published(GUEST_A, "192.0.2.1", 7004, GUEST_B, REACHED, m ? "10.0.0.1" : NULL);
		assert_int_equal(reach(GUEST_A, OUTSIDE, 0, &seen), REACHED);
		put(stage_nat, &apart, &whole);
	}
	put(stage_nat, &p, NULL);
	run(node_ns[GUEST_A], "ip route delete 10.0.0.3/32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_egress),   cmocka_unit_test(test_list),
		cmocka_unit_test(test_answers),  cmocka_unit_test(test_connections),
		cmocka_unit_test(test_publish),  cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_isolated),
	};

	return cmocka_run_group_tests_name("netns/nat-policy", tests, policy_make, stage_done);
}

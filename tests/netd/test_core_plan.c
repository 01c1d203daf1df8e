// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what a definition means for bridge, nat, dhcp and tap: one row per forward mode. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define UUID "11111111-1111-4111-8111-111111111111"

static struct netdef *parse(const char *forward, const char *more)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *d;
	char xml[2048];

	snprintf(xml, sizeof(xml),
		 "<network><name>lan</name><uuid>" UUID "</uuid>%s<bridge name='br-lan' stp='on' delay='4'/>"
		 "<mac address='52:54:00:11:22:33'/><mtu size='1400'/>%s</network>",
		 forward, more);
	if (netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, &e) < 0)
		fail_msg("%s", nd_error_text(&e));
	return d;
}

#define DHCP                                                                                               \
	"<domain name='example.org'/><ip address='10.1.1.1' netmask='255.255.255.0'><dhcp>"                \
	"<range start='10.1.1.10' end='10.1.1.20'><lease expiry='5' unit='minutes'/></range>"              \
	"<range start='10.1.1.30' end='10.1.1.40'/>"                                                       \
	"<host mac='52:54:00:00:00:01' name='a' ip='10.1.1.5'/><host name='b' ip='10.1.1.6'/></dhcp></ip>" \
	"<ip address='10.2.2.1' prefix='25'/>"

static void test_network(void **state)
{
	static const struct {
		const char *xml;
		enum nat_forward nat;
		bool forward;
	} rows[] = {
		{ "", NAT_FORWARD_ISOLATED, false },
		{ "<forward mode='nat'/>", NAT_FORWARD_NAT, true },
	};
	struct nd_error e = ND_ERROR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netdef *d = parse(rows[i].xml, DHCP);
		struct network_plan *p;

		assert_int_equal(network_plan(d, &p, &e), 0);
		assert_string_equal(p->bridge.name, "br-lan");
		assert_memory_equal(&p->bridge.mac, &d->mac, sizeof(d->mac));
		assert_true(p->bridge.mtu == 1400 && p->bridge.stp && p->bridge.forward_delay_s == 4);
		assert_string_equal(p->bridge.alias, "netd:" UUID);
		assert_int_equal(p->bridge.address_cnt, 2);
		assert_true(nd_prefix_equal(&p->bridge.addresses[0], &d->ips[0].address));
		assert_true(nd_prefix_equal(&p->bridge.addresses[1], &d->ips[1].address));
		assert_true(p->nat.kind == NAT_NETWORK && p->nat.network.forward4 == rows[i].nat &&
			    p->nat.network.dhcp);
		assert_string_equal(p->nat.network.bridge, "br-lan");
		assert_true(p->dhcp && p->ip4_forward == rows[i].forward);
		netdef_free(d); /* a plan does not need it */
		assert_int_equal(nd_ip_to_ip4(&p->bridge.addresses[0].ip), 0x0a010101);
		network_plan_free(p);
	}
	struct netdef *d = parse("", "");
	struct network_plan *p;
	assert_int_equal(network_plan(d, &p, &e), 0);
	assert_true(!p->dhcp && !p->nat.network.dhcp && p->bridge.address_cnt == 0);
	network_plan_free(p);
	network_plan_free(NULL);
	netdef_free(d);
}

static void test_dhcp(void **state)
{
	const struct plan_host host = { .resolver_ip4 = { 0x08080808, 0x01010101 },
					.resolver_cnt = 2,
					.arp_probe = true };
	struct network n = { .id = 7, .ifindex = 9 };
	struct port p = { .network = &n, .mac_guard = true };
	struct dhcp_network d;
	struct nd_error e = ND_ERROR_INIT;

	nd_list_init(&n.ports);
	nd_list_append(&n.ports, &p.siblings);
	n.live = parse("<forward mode='nat'/>", DHCP);
	n.uuid = n.live->uuid;
	assert_int_equal(plan_dhcp(&n, &host, &d, &e), 0);
	assert_true(d.id == 7 && d.ifindex == 9 && nd_uuid_equal(&d.uuid, &n.uuid));
	assert_true(d.address_ip4 == 0x0a010101 && d.prefix_len == 24 && d.router_ip4 == 0x0a010101);
	assert_true(d.dns_cnt == 2 && d.dns_ip4[0] == 0x08080808 && d.mtu == 1400 && d.lease_s == 3600);
	assert_string_equal(d.domain, "example.org");
	assert_false(d.probe); /* every port is netd's and guarded */
	assert_true(d.range_cnt == 2 && d.ranges[0].first_ip4 == 0x0a01010a &&
		    d.ranges[0].last_ip4 == 0x0a010114);
	assert_true(d.ranges[0].lease_s == 300 && d.ranges[1].lease_s == 0);
	assert_true(d.host_cnt == 2 && d.hosts[0].has_mac && !d.hosts[1].has_mac &&
		    d.hosts[1].ip4 == 0x0a010106);
	assert_string_equal(d.hosts[1].name, "b");
	plan_dhcp_done(&d);
	plan_dhcp_done(&d);
	n.foreign_ports = 1;
	assert_int_equal(plan_dhcp(&n, &host, &d, &e), 0);
	assert_true(d.probe);
	plan_dhcp_done(&d);
	n.foreign_ports = 0;
	p.mac_guard = false;
	assert_int_equal(plan_dhcp(&n, &host, &d, &e), 0);
	assert_true(d.probe);
	plan_dhcp_done(&d);
	netdef_free(n.live);
	n.live = parse("", DHCP); /* no way out: no router, no resolvers */
	assert_int_equal(plan_dhcp(&n, &host, &d, &e), 0);
	assert_true(d.router_ip4 == 0 && d.dns_cnt == 0);
	plan_dhcp_done(&d);
	netdef_free(n.live);
	n.live = parse("<forward mode='nat'/>", "<dns enable='no'/>" DHCP);
	assert_int_equal(plan_dhcp(&n, &host, &d, &e), 0);
	assert_int_equal(d.dns_cnt, 0);
	plan_dhcp_done(&d);
	netdef_free(n.live);
	n.live = parse("", "<ip address='10.1.1.1' prefix='24'/>");
	assert_int_equal(plan_dhcp(&n, &host, &d, &e), ND_NOT_FOUND);
	netdef_free(n.live);
}

static void test_port(void **state)
{
	struct network n = { .id = 7, .ifindex = 9 };
	struct port p = { .network = &n,
			  .name = "guest",
			  .ifname = "vnet0",
			  .mark = NAT_MARK_BASE | 5,
			  .queue_cnt = 2,
			  .vnet_hdr = true,
			  .mac_guard = true,
			  .mac = { { 0x52, 0x54, 0, 1, 2, 3 } } };
	struct dhcp_port d;
	struct tap_config tap;
	char alias[ND_ALIAS_STRLEN];

	n.live = parse("", "");
	n.uuid = n.live->uuid;
	nd_uuid_from_string("22222222-2222-4222-8222-222222222222", &p.uuid);
	plan_dhcp_port(&p, &d);
	assert_true(d.mark == p.mark && d.network_id == 7 && nd_uuid_equal(&d.uuid, &p.uuid) &&
		    nd_mac_equal(&d.mac, &p.mac));
	assert_string_equal(d.name, "guest");
	plan_tap(&p, &tap);
	assert_true(tap.master == 9 && tap.mtu == 1400 && tap.queue_cnt == 2 && tap.vnet_hdr);
	assert_memory_equal(tap.mac.b, "\xfe\x54\x00\x01\x02\x03", 6);
	assert_string_equal(tap.alias, nd_alias_format(&n.uuid, &p.uuid, alias));
	netdef_free(n.live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_dhcp),
		cmocka_unit_test(test_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

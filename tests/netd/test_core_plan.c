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
		 "<network xmlns:netd='urn:netd:network:1'><name>lan</name><uuid>" UUID
		 "</uuid>%s<bridge name='br-lan' stp='on' delay='4'/>"
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

#define IP4 (1u << BRIDGE_SYSCTL_IP4_FORWARD)
#define IP6 (1u << BRIDGE_SYSCTL_IP6_FORWARD)

static void test_network(void **state)
{
	static const struct {
		const char *xml;
		enum nat_forward nat, nat6; /* IPv6: without an address of it */
		enum nat_host host;
		unsigned sysctls;
		bool clamp, strict_arp;
	} rows[] = {
		{ "", NAT_FORWARD_ISOLATED, NAT_FORWARD_ISOLATED, NAT_HOST_SERVICES, 0, false, true },
		{ "<forward mode='nat'/>", NAT_FORWARD_NAT, NAT_FORWARD_ISOLATED, NAT_HOST_ALL, IP4, true,
		  true },
		{ "<forward mode='route'/>", NAT_FORWARD_ROUTE, NAT_FORWARD_ISOLATED, NAT_HOST_ALL, IP4, true,
		  true },
		{ "<forward mode='open'/>", NAT_FORWARD_OPEN, NAT_FORWARD_OPEN, NAT_HOST_ALL, IP4, false,
		  false },
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
		assert_int_equal(p->elements.cnt, 1);
		const struct nat_config *nat = &p->elements.p[0];
		assert_true(nat->kind == NAT_NETWORK && nat->network.dhcp && p->own_bridge && !p->ipv6);
		assert_string_equal(nat->network.bridge, "br-lan");
		assert_int_equal(nat->network.forward4, rows[i].nat);
		assert_int_equal(nat->network.forward6, rows[i].nat6);
		assert_int_equal(nat->network.host, rows[i].host);
		assert_int_equal(nat->network.clamp_mss, rows[i].clamp);
		assert_int_equal(p->strict_arp, rows[i].strict_arp);
		assert_true(p->dhcp && p->sysctls == rows[i].sysctls && p->mtu == 1400 && !p->mtu_auto);
		netdef_free(d); /* a plan does not need it */
		assert_int_equal(nd_ip_to_ip4(&p->bridge.addresses[0].ip), 0x0a010101);
		network_plan_free(p);
	}
	struct netdef *d = parse("", "");
	struct network_plan *p;
	assert_int_equal(network_plan(d, &p, &e), 0);
	assert_true(!p->dhcp && !p->elements.p[0].network.dhcp && p->bridge.address_cnt == 0);
	network_plan_free(p);
	network_plan_free(NULL);
	netdef_free(d);
}

static struct network_plan *plan(const char *forward, const char *more)
{
	struct netdef *d = parse(forward, more);
	struct network_plan *p;
	struct nd_error e = ND_ERROR_INIT;

	if (network_plan(d, &p, &e) < 0)
		fail_msg("%s", nd_error_text(&e));
	netdef_free(d);
	return p;
}

#define ONLY6 "<ip family='ipv6' address='fd00:1::1' prefix='64'/>"
#define BOTH  "<ip address='10.1.1.1' prefix='24'/>" ONLY6

/* Each family by itself: what has no address is not forwarded, and NAT of IPv6 is asked for. */
static void test_families(void **state)
{
	static const struct {
		const char *forward, *ips;
		enum nat_forward nat4, nat6;
		unsigned sysctls;
	} rows[] = {
		{ "", BOTH, NAT_FORWARD_ISOLATED, NAT_FORWARD_ISOLATED, 0 },
		{ "<forward mode='nat'/>", BOTH, NAT_FORWARD_NAT, NAT_FORWARD_ROUTE, IP4 | IP6 },
		{ "<forward mode='nat'><nat ipv6='yes'/></forward>", BOTH, NAT_FORWARD_NAT, NAT_FORWARD_NAT,
		  IP4 | IP6 },
		{ "<forward mode='nat'/>", ONLY6, NAT_FORWARD_ISOLATED, NAT_FORWARD_ROUTE, IP6 },
		{ "<forward mode='route'/>", BOTH, NAT_FORWARD_ROUTE, NAT_FORWARD_ROUTE, IP4 | IP6 },
		{ "<forward mode='route'/>", ONLY6, NAT_FORWARD_ISOLATED, NAT_FORWARD_ROUTE, IP6 },
		{ "<forward mode='open'/>", ONLY6, NAT_FORWARD_OPEN, NAT_FORWARD_OPEN, IP6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct network_plan *p = plan(rows[i].forward, rows[i].ips);
		char prefixes[100];

		assert_int_equal(p->elements.p[0].network.forward4, rows[i].nat4);
		assert_int_equal(p->elements.p[0].network.forward6, rows[i].nat6);
		assert_int_equal(p->sysctls, rows[i].sysctls);
		assert_int_equal(p->ipv6, true);
		assert_int_equal(network_plan_return_routes(p, prefixes, sizeof(prefixes)),
				 rows[i].nat4 == NAT_FORWARD_ROUTE || rows[i].nat6 == NAT_FORWARD_ROUTE);
		if (rows[i].nat4 == NAT_FORWARD_ROUTE)
			assert_string_equal(prefixes, "10.1.1.0/24, fd00:1::/64");
		network_plan_free(p);
	}
	struct netdef *d = parse("", ONLY6);
	struct network_plan *p;
	struct nd_error e = ND_ERROR_INIT;
	d->mtu = 1279;
	assert_int_equal(network_plan(d, &p, &e), ND_INVALID);
	netdef_free(d);
}

static void assert_source(const struct nat_source *s, const char *first, const char *last, uint16_t port)
{
	char text[ND_IP_STRLEN];

	assert_string_equal(s->first.family ? nd_ip_to_string(&s->first, text) : "", first);
	assert_string_equal(s->last.family ? nd_ip_to_string(&s->last, text) : "", last);
	assert_int_equal(s->port_first, port);
}

static void test_nat(void **state)
{
	struct network_plan *p =
		plan("<forward mode='nat' dev='eth0'><nat ipv6='yes'><address start='192.0.2.5' "
		     "end='192.0.2.9'/><port start='2000' end='3000'/></nat></forward>",
		     BOTH);
	const struct nat_network *n = &p->elements.p[0].network;

	assert_source(&n->source4, "192.0.2.5", "192.0.2.9", 2000);
	assert_source(&n->source6, "", "", 2000);
	assert_int_equal(n->source4.port_last, 3000);
	assert_true(n->uplinked && p->elements.cnt == 2 && p->elements.p[1].kind == NAT_UPLINK);
	assert_string_equal(p->elements.p[1].uplink.bridge, "br-lan");
	assert_string_equal(p->elements.p[1].uplink.uplink, "eth0");
	assert_string_equal(p->uplink, "eth0");
	network_plan_free(p);
	p = plan("<forward mode='nat'/>", BOTH "<netd:hostAccess mode='services'/>"
					       "<netd:source address='192.0.2.7'/>");
	n = &p->elements.p[0].network;
	assert_source(&n->source4, "192.0.2.7", "192.0.2.7", 0);
	assert_true(n->host == NAT_HOST_SERVICES && !n->uplinked);
	network_plan_free(p);
	p = plan("", DHCP "<netd:hostAccess mode='none'/>");
	assert_true(p->elements.p[0].network.host == NAT_HOST_NONE && !p->dhcp && !p->bridge.address_cnt);
	network_plan_free(p);
}

/* A bridge that others made: nothing of its own but what its ports get. */
static void test_bridge(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *d = netdef_new();
	struct network_plan *p;

	d->name = strdup("lan");
	d->forward = NETDEF_FORWARD_HOSTDEV;
	assert_int_equal(network_plan(d, &p, &e), ND_UNSUPPORTED);
	d->forward = NETDEF_FORWARD_PASSTHROUGH;
	assert_int_equal(network_plan(d, &p, NULL), 0);
	assert_true(p->pool && p->macvtap_mode == MACVTAP_PASSTHROUGH && !p->own_bridge && !p->elements.cnt);
	network_plan_free(p);
	d->forward = NETDEF_FORWARD_BRIDGE;
	assert_int_equal(network_plan(d, &p, NULL), 0);
	assert_true(p->pool && p->macvtap_mode == MACVTAP_BRIDGE);
	network_plan_free(p);
	nd_strcpy(d->bridge, sizeof(d->bridge), "br0");
	assert_int_equal(network_plan(d, &p, NULL), 0);
	assert_true(!p->pool && !p->own_bridge && !p->elements.cnt && !p->dhcp && !p->sysctls && !p->mtu &&
		    !p->mtu_auto);
	assert_string_equal(p->bridge.name, "br0");
	network_plan_free(p);
	netdef_free(d);
}

static void test_groups(void **state)
{
	struct network_plan *p = plan("", "<vlan><tag id='7'/></vlan>"
					  "<portgroup name='a' default='yes'/>"
					  "<portgroup name='b'><vlan trunk='yes'><tag id='10'/><tag id='11' "
					  "nativeMode='untagged'/></vlan></portgroup>"
					  "<portgroup name='c'><vlan trunk='yes'><tag id='12' "
					  "nativeMode='tagged'/></vlan></portgroup>");
	const struct plan_group *g = network_plan_group(p, NULL);

	assert_true(p->vlans && p->bridge.vlan_filtering);
	assert_string_equal(g->name, "a");
	assert_true(g->vlan_cnt == 1 && g->vlans[0].id == 7 && g->vlans[0].pvid && g->vlans[0].untagged);
	g = network_plan_group(p, "b");
	assert_true(g->vlan_cnt == 2 && !g->vlans[0].pvid && !g->vlans[0].untagged && g->vlans[1].id == 11 &&
		    g->vlans[1].pvid && g->vlans[1].untagged);
	g = network_plan_group(p, "c");
	assert_true(g->vlan_cnt == 1 && g->vlans[0].pvid && !g->vlans[0].untagged);
	assert_null(network_plan_group(p, "d"));
	network_plan_free(p);
	p = plan("", "");
	assert_true(!p->vlans && network_plan_group(p, "") == &p->groups[0]);
	network_plan_free(p);
}

static void test_vlans_that_bridges_have_not(void **state)
{
	static const struct {
		const char *more, *message;
	} rows[] = {
		{ "<vlan><tag id='0'/></vlan>", "<vlan>: tag 0: bridges have VLANs 1 to 4094" },
		{ "<vlan><tag id='1'/></vlan>", NULL },
		{ "<portgroup name='a'><vlan><tag id='4094'/></vlan></portgroup>", NULL },
		{ "<portgroup name='a'><vlan><tag id='4'/><tag id='4095'/></vlan></portgroup>",
		  "<vlan>: tag 4095: bridges have VLANs 1 to 4094" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netdef *d = parse("", rows[i].more);
		struct network_plan *p = NULL;
		struct nd_error e = ND_ERROR_INIT;

		assert_int_equal(network_plan(d, &p, &e), rows[i].message ? ND_INVALID : 0);
		if (rows[i].message)
			assert_string_equal(nd_error_text(&e), rows[i].message);
		network_plan_free(p);
		netdef_free(d);
	}
}

static void test_mtu(void **state)
{
	static const struct {
		uint32_t egress, was, mtu;
	} rows[] = {
		{ 0, 0, 0 },     { 1500, 0, 0 },   { 1400, 0, 1400 },    { 9000, 0, 9000 },
		{ 65536, 0, 0 }, { 500, 0, 1280 }, { 1500, 1400, 1500 }, { 0, 9000, 1500 },
	};
	struct netdef *d = parse("<forward mode='nat'/>", BOTH);
	struct network n = { .id = 7, .ifindex = 9 };
	struct port port = { .network = &n, .queue_cnt = 1 };
	struct tap_config tap;

	d->mtu = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct network_plan *p, *was;

		assert_int_equal(network_plan(d, &p, NULL), 0);
		assert_int_equal(network_plan(d, &was, NULL), 0);
		assert_true(p->mtu_auto);
		network_plan_mtu(was, rows[i].was, NULL);
		network_plan_mtu(p, rows[i].egress, was);
		assert_int_equal(p->mtu, rows[i].mtu);
		assert_int_equal(p->bridge.mtu, rows[i].mtu);
		n.plan = p;
		plan_tap(&port, &tap);
		assert_int_equal(tap.mtu, rows[i].mtu < 1500 ? 0 : rows[i].mtu);
		network_plan_free(p);
		network_plan_free(was);
	}
	netdef_free(d);
	struct network_plan *p = plan("<forward mode='nat'/>", BOTH);
	network_plan_mtu(p, 9000, NULL);
	assert_int_equal(p->mtu, 1400); /* as given */
	network_plan_free(p);
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
	assert_int_equal(network_plan(n.live, &n.plan, &e), 0);
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
	network_plan_free(n.plan);
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

	n.live = parse("", "<portgroup name='a'><vlan><tag id='9'/></vlan></portgroup>");
	n.live->isolated = NETDEF_YES;
	n.live->mac_table = NETDEF_MAC_TABLE_LIBVIRT;
	assert_int_equal(network_plan(n.live, &n.plan, NULL), 0);
	nd_strcpy(n.bridge, sizeof(n.bridge), "br-lan");
	n.uuid = n.live->uuid;
	nd_uuid_from_string("22222222-2222-4222-8222-222222222222", &p.uuid);
	plan_dhcp_port(&p, &d);
	assert_true(d.mark == p.mark && d.network_id == 7 && nd_uuid_equal(&d.uuid, &p.identity) &&
		    nd_mac_equal(&d.mac, &p.mac));
	assert_string_equal(d.name, "guest");
	plan_tap(&p, &tap);
	assert_true(tap.master == 9 && tap.mtu == 1400 && tap.queue_cnt == 2 && tap.vnet_hdr);
	assert_true(tap.isolated && tap.fixed_guest && nd_mac_equal(&tap.guest, &p.mac) && !tap.vlan_cnt);
	assert_memory_equal(tap.mac.b, "\xfe\x54\x00\x01\x02\x03", 6);
	assert_string_equal(tap.alias, nd_alias_format(&n.uuid, &p.uuid, alias));
	nd_strcpy(p.portgroup, sizeof(p.portgroup), "a");
	plan_tap(&p, &tap);
	assert_true(tap.vlan_cnt == 1 && tap.vlans[0].id == 9);
	nd_strcpy(p.portgroup, sizeof(p.portgroup), "gone");
	plan_tap(&p, &tap);
	assert_int_equal(tap.vlan_cnt, 0);
	network_plan_free(n.plan);
	netdef_free(n.live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network), cmocka_unit_test(test_families),
		cmocka_unit_test(test_nat),     cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_groups),  cmocka_unit_test(test_vlans_that_bridges_have_not),
		cmocka_unit_test(test_mtu),     cmocka_unit_test(test_dhcp),
		cmocka_unit_test(test_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

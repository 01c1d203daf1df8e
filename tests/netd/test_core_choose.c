// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: names, MACs and subnets nobody chose. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/choose.h"
#include "netd/core/mirror.h"
#include "netd/core/monitor.h"
#include "tests/netd/core-harness.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#define AUTO                                                                                 \
	"<ip address='192.168.122.1' netmask='255.255.255.0' netd:subnet='auto'><dhcp>"      \
	"<range start='192.168.122.10' end='192.168.122.20'/><host mac='52:54:00:00:00:01' " \
	"ip='192.168.122.5'/>"                                                               \
	"</dhcp></ip>"

static struct netdef *parse(const char *xml)
{
	struct netdef *def;

	CORE_OK(netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &def, &e));
	choose_identity(def);
	CORE_OK(netdef_check(def, &e));
	return def;
}

/* Of a definition; the message on refusal, else the note or "". */
static const char *live_of(struct core_harness *h, const char *xml, const char *last, struct netdef **ret)
{
	static char text[1024];
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *def = parse(xml);
	struct nd_prefix before;
	char *note;

	if (last)
		assert_int_equal(nd_prefix_from_string(last, &before), 0);
	monitor_sync(&h->c);
	*ret = NULL;
	text[0] = '\0';
	if (choose_live(&h->c, def, last ? &before : NULL, ret, &note, &e) < 0)
		nd_error_format(&e, text, sizeof(text));
	else if (note)
		nd_strcpy(text, sizeof(text), note);
	assert_null(e.code ? note : NULL);
	free(note);
	netdef_free(def);
	return text;
}

static int add_link(const char *name, const char *address)
{
	struct nd_link l = { .kind = ND_LINK_VETH, .flags = IFF_UP, .carrier = true };

	nd_strcpy(l.name, sizeof(l.name), name);
	int i = fake_link_add(&l);
	struct nd_address a = { .ifindex = i };
	if (address) {
		assert_int_equal(nd_prefix_from_string(address, &a.prefix), 0);
		assert_int_equal(fake_address_add(&a), 0);
	}
	return i;
}

static const char *ip_text(const struct netdef *d)
{
	static char text[ND_PREFIX_STRLEN];

	return nd_prefix_to_string(&d->ips[0].address, text);
}

static void test_identity(void **state)
{
	struct netdef *a = parse(core_xml("lan", "", "", "")), *b = parse(core_xml("lan", "", "", "")),
		      *other = parse(core_xml("lab", "", "", ""));

	assert_true(nd_uuid_equal(&a->uuid, &b->uuid) && nd_mac_equal(&a->mac, &b->mac));
	assert_false(nd_uuid_equal(&a->uuid, &other->uuid) || nd_mac_equal(&a->mac, &other->mac));
	assert_memory_equal(a->mac.b, "\x52\x54\x00", 3);
	netdef_free(a);
	netdef_free(b);
	netdef_free(other);
}

static void test_subnet(void **state)
{
	struct core_harness *h = *state;
	struct netdef *live;
	char text[ND_IP_STRLEN];

	assert_string_equal(live_of(h, core_xml("a", "", "", AUTO), NULL, &live), "");
	assert_string_equal(ip_text(live), "192.168.122.1/24");
	assert_false(live->ips[0].subnet_auto);
	netdef_free(live);
	add_link("eth0", "192.168.122.77/25");
	assert_string_equal(live_of(h, core_xml("a", "", "", AUTO), NULL, &live),
			    "subnet 192.168.123.0/24 was chosen, since the preferred one collides with route "
			    "192.168.122.0/25 on eth0");
	assert_string_equal(ip_text(live), "192.168.123.1/24");
	assert_string_equal(nd_ip_to_string(&live->ips[0].ranges[0].start, text), "192.168.123.10");
	assert_string_equal(nd_ip_to_string(&live->ips[0].ranges[0].end, text), "192.168.123.20");
	assert_string_equal(nd_ip_to_string(&live->ips[0].hosts[0].ip, text), "192.168.123.5");
	netdef_free(live);
	/* what was chosen last time goes before both, as long as it is free */
	assert_string_equal(live_of(h, core_xml("a", "", "", AUTO), "192.168.200.1/24", &live), "");
	assert_string_equal(ip_text(live), "192.168.200.1/24");
	netdef_free(live);
	assert_string_equal(live_of(h, core_xml("a", "", "", AUTO), "10.0.0.1/16", &live),
			    "subnet 192.168.123.0/24 was chosen, since the preferred one collides with route "
			    "192.168.122.0/25 on eth0"); /* of another length */
	netdef_free(live);
	add_link("eth1", "192.168.0.1/16");
	live_of(h, core_xml("a", "", "", AUTO), NULL, &live);
	assert_string_equal(ip_text(live), "172.16.0.1/24");
	netdef_free(live);
	add_link("eth2", "172.16.0.1/12");
	add_link("eth3", "10.0.0.1/9");
	live_of(h, core_xml("a", "", "", AUTO), NULL, &live);
	assert_string_equal(ip_text(live), "10.128.0.1/24");
	netdef_free(live);
	add_link("eth4", "10.128.0.1/9");
	assert_string_equal(live_of(h, core_xml("a", "", "", AUTO), NULL, &live),
			    "no free /24 subnet is left among the private address blocks");
	assert_null(live);
}

/* The search goes round the block it begins in. */
static void test_subnet_wraps(void **state)
{
	struct core_harness *h = *state;
	struct netdef *live;

	add_link("eth0", "192.168.254.1/23");
	live_of(h, core_xml("a", "", "", "<ip address='192.168.255.1' prefix='24' netd:subnet='auto'/>"),
		NULL, &live);
	assert_string_equal(ip_text(live), "192.168.0.1/24");
	netdef_free(live);
	/* the others come only after the whole block of the preferred one */
	add_link("eth2", "10.255.255.5/24");
	live_of(h, core_xml("a", "", "", "<ip address='10.255.255.1' prefix='24' netd:subnet='auto'/>"), NULL,
		&live);
	assert_string_equal(ip_text(live), "10.0.0.1/24");
	netdef_free(live);
	/* a preferred one outside the private blocks */
	add_link("eth1", "203.0.113.5/24");
	live_of(h, core_xml("a", "", "", "<ip address='203.0.113.1' prefix='24' netd:subnet='auto'/>"), NULL,
		&live);
	assert_string_equal(ip_text(live), "192.168.0.1/24");
	netdef_free(live);
}

static void test_explicit(void **state)
{
	struct core_harness *h = *state;
	struct netdef *live;

	add_link("eth0", "10.1.1.77/24");
	assert_string_equal(
		live_of(h, core_xml("a", "", "10.1.1.1", ""), NULL, &live),
		"subnet 10.1.1.0/24 is already in use by interface eth0, which has connected route "
		"10.1.1.0/24; choose another subnet, or netd:subnet='auto'");
	assert_null(live);
	add_link("eth1", "10.2.2.77/32");
	assert_string_equal(live_of(h, core_xml("a", "", "10.2.2.1", ""), NULL, &live),
			    "subnet 10.2.2.0/24 is already in use by interface eth1, which has address "
			    "10.2.2.77/32; choose another subnet, or netd:subnet='auto'");
	assert_null(live);
	add_link("eth2", "10.3.0.1/16");
	assert_string_equal(
		live_of(h, core_xml("a", "", "10.3.3.1", ""), NULL, &live),
		"subnet 10.3.3.0/24 lies inside the wider route 10.3.0.0/16 on eth2: what that route leads "
		"to there is hidden from this host while the network is active");
	assert_string_equal(ip_text(live), "10.3.3.1/24");
	netdef_free(live);
	struct nd_address six = { .ifindex = fake_link_find("eth2")->ifindex };
	nd_prefix_from_string("fd00:5::77/64", &six.prefix);
	fake_address_add(&six);
	assert_string_equal(
		live_of(h,
			core_xml("a", "", "10.9.9.1", "<ip family='ipv6' address='fd00:5::1' prefix='64'/>"),
			NULL, &live),
		"subnet fd00:5::/64 is already in use by interface eth2, which has connected route "
		"fd00:5::/64; "
		"choose another subnet");
	assert_null(live);
	assert_string_equal(
		live_of(h,
			core_xml("a", "", "10.9.9.1", "<ip family='ipv6' address='fd00:6::1' prefix='64'/>"),
			NULL, &live),
		"");
	netdef_free(live);
	/* a route, not connected, that is part of it: a VPN's */
	struct nd_route r = { .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .oif = 2 };
	nd_prefix_from_string("10.4.4.128/25", &r.dst);
	nd_ip_from_string("10.1.1.1", &r.gateway);
	fake_route_add(&r);
	assert_string_equal(
		live_of(h, core_xml("a", "", "10.4.4.1", ""), NULL, &live),
		"subnet 10.4.4.0/24 holds the route 10.4.4.128/25 on eth0, which stays the better one for "
		"its addresses: guests there are not reached from this host");
	netdef_free(live);
}

static void test_bridge(void **state)
{
	struct core_harness *h = *state;
	struct netdef *live;

	live_of(h, core_xml("a", "", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "virbr0");
	netdef_free(live);
	add_link("virbr0", NULL);
	add_link("virbr1", NULL);
	live_of(h, core_xml("a", "", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "virbr2");
	netdef_free(live);
	struct network *n = core_create(h, core_xml("b", "", "", ""));
	assert_string_equal(n->bridge, "virbr2");
	live_of(h, core_xml("a", "virbr%d", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "virbr3");
	netdef_free(live);
	live_of(h, core_xml("a", "lab%dx", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "lab0x");
	netdef_free(live);
	live_of(h, core_xml("a", "br-a", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "br-a");
	netdef_free(live);
	/* one that bears the network's own alias was left by an earlier run */
	struct netdef *def = parse(core_xml("c", "own%d", "", ""));
	struct nd_link l = {
		.kind = ND_LINK_BRIDGE, .name = "own0", .has_alias = true, .alias_network = def->uuid
	};
	fake_link_add(&l);
	live_of(h, core_xml("c", "own%d", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "own0");
	netdef_free(live);
	netdef_free(def);
	live_of(h, core_xml("d", "own%d", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "own1");
	netdef_free(live);
}

static void test_bridges_used_up(void **state)
{
	struct core_harness *h = *state;
	struct netdef *live;
	char name[ND_IFNAMSIZ];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "thirteenchar%d", i);
		add_link(name, NULL);
		snprintf(name, sizeof(name), "thirteenchars%d", i);
		add_link(name, NULL);
	}
	live_of(h, core_xml("a", "thirteenchar%d", "", ""), NULL, &live);
	assert_string_equal(live->bridge, "thirteenchar100");
	netdef_free(live);
	assert_string_equal(live_of(h, core_xml("a", "thirteenchars%d", "", ""), NULL, &live),
			    "no free name for bridge template 'thirteenchars%d'");
}

static void test_ports(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("a", "", "", ""));
	struct nd_uuid uuid = { { 7 } };
	char name[ND_IFNAMSIZ];
	struct nd_mac first, mac;
	uint32_t mark;
	struct attached a;

	add_link("vnet1", NULL);
	monitor_sync(&h->c);
	choose_tap_name(&h->c, name);
	assert_string_equal(name, "vnet0");
	choose_tap_name(&h->c, name);
	assert_string_equal(name, "vnet2"); /* not a name that was given out before */
	h->model.next_tap = 99999999;
	choose_tap_name(&h->c, name);
	assert_string_equal(name, "vnet99999999");
	choose_tap_name(&h->c, name);
	assert_string_equal(name, "vnet0");
	choose_port_mac(n, &uuid, &first);
	choose_port_mac(n, &uuid, &mac);
	assert_true(nd_mac_equal(&mac, &first));
	char text[ND_MAC_STRLEN];
	core_attach(h, "a", "g", nd_mac_to_string(&first, text), &a);
	choose_port_mac(n, &uuid, &mac);
	assert_false(nd_mac_equal(&mac, &first));
	h->model.next_mark = a.p->mark & ~NAT_MARK_MASK;
	CORE_OK(choose_mark(&h->c, &mark, &e));
	assert_int_equal(mark, a.p->mark + 1);
	h->model.next_mark = NAT_PORT_MAX;
	CORE_OK(choose_mark(&h->c, &mark, &e));
	assert_int_equal(mark, NAT_MARK_BASE | NAT_PORT_MAX);
	assert_true(mark != NAT_MARK_FOREIGN);
	CORE_OK(choose_mark(&h->c, &mark, &e));
	assert_int_equal(mark & ~NAT_MARK_MASK, (a.p->mark & ~NAT_MARK_MASK) == 1 ? 2 : 1);
	core_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_identity, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_subnet, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_subnet_wraps, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_explicit, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bridge, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bridges_used_up, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_ports, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: forward modes, routes, forwarding, MTU and portgroups, over the fake kernel. */
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/change.h"
#include "netd/core/plan.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#define IP4     "<ip address='10.1.1.1' netmask='255.255.255.0'/>"
#define IP6     "<ip family='ipv6' address='fd00:1::1' prefix='64'/>"
#define ROUTE   "<route address='10.9.0.0' prefix='16' gateway='10.1.1.2'/>"
#define ROUTE6  "<route family='ipv6' address='fd00:9::' prefix='48' gateway='fd00:1::2'/>"
#define FORWARD "net/ipv4/ip_forward"
#define ALL6    "net/ipv6/conf/all/forwarding"

static void set_sysctl(const struct core_harness *h, const char *key, const char *value)
{
	char dir[256], *slash;

	nd_strcpy(dir, sizeof(dir), core_path(h, "%s", key));
	slash = strrchr(dir, '/');
	*slash = '\0';
	CORE_OK(nd_dir_make(dir, 0755, &e));
	core_write(h, value, "%s", key);
}

static void assert_sysctl(const char *key, const char *want)
{
	char value[16];

	CORE_OK(nd_sysctl_read(key, value, sizeof(value), &e));
	assert_string_equal(value, want);
}

static void ipv6_host(const struct core_harness *h, const char *bridge)
{
	static const char *const names[] = { "disable_ipv6", "accept_ra", "autoconf" };
	char key[128];

	set_sysctl(h, ALL6, "0\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(key, sizeof(key), "net/ipv6/conf/%s/%s", bridge, names[i]);
		set_sysctl(h, key, "1\n");
	}
}

static int add_link(const char *name, int kind)
{
	struct nd_link l = { .kind = (uint8_t)kind, .flags = IFF_UP, .carrier = true };

	nd_strcpy(l.name, sizeof(l.name), name);
	return fake_link_add(&l);
}

static struct nd_prefix prefix(const char *text)
{
	struct nd_prefix p;

	assert_int_equal(nd_prefix_from_string(text, &p), 0);
	return p;
}

static void add_default(int ifindex, int family, uint8_t protocol)
{
	struct nd_route r = { .dst = { .ip = { .family = (uint8_t)family } },
			      .table = RT_TABLE_MAIN,
			      .oif = ifindex,
			      .protocol = protocol,
			      .type = RTN_UNICAST };

	assert_int_equal(nd_ip_from_string(family == AF_INET ? "192.0.2.1" : "fe80::1", &r.gateway), 0);
	assert_int_equal(fake_route_add(&r), 0);
}

static bool has_route(int oif, const char *dst, const char *gateway)
{
	struct nd_route all[64];
	struct nd_prefix want = prefix(dst);
	size_t cnt = fake_routes(all, ARRAY_LEN(all));
	char text[ND_IP_STRLEN];

	for (size_t i = 0; i < cnt; i++)
		if (all[i].oif == oif && nd_prefix_equal(&all[i].dst, &want))
			return !gateway || (all[i].protocol == ND_ROUTE_PROTOCOL && all[i].metric == 1 &&
					    !strcmp(nd_ip_to_string(&all[i].gateway, text), gateway));
	return false;
}

static void refused(const struct outcome *o, int code, const char *text)
{
	assert_int_equal(o->calls, 1);
	assert_string_equal(o->text, text);
	assert_int_equal(o->e.code, code);
}

/* ---- guards ---- */

/* Where guests make addresses of a prefix, the gateway's in it is not theirs. */
static void test_gateway(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", IP4 IP6 "<netd:guards ip='yes'/>"));
	struct nat_config want;
	struct attached a;

	ipv6_host(h, "br-lan");
	core_start_network(h, n);
	core_attach(h, "lan", "web", NULL, &a);
	memset(&want, 0, sizeof(want));
	want.kind = NAT_GATEWAY;
	nd_strcpy(want.address.port, sizeof(want.address.port), a.p->ifname);
	want.address.prefix = prefix("fd00:1::1/128");
	assert_true(nat_holds(h->c.nat, &want));
	want.kind = NAT_ADDRESS;
	want.address.prefix = prefix("fd00:1::/64");
	assert_true(nat_holds(h->c.nat, &want));
	core_close(&a);
}

/* ---- route mode, both families, static routes ---- */

static void test_route_mode(void **state)
{
	struct core_harness *h = *state;
	struct network *n =
		core_define(h, core_xml("lan", "br-lan", "", "<forward mode='route'/>" IP4 IP6 ROUTE ROUTE6));

	ipv6_host(h, "br-lan");
	core_start_network(h, n);
	assert_sysctl(FORWARD, "1");
	assert_sysctl(ALL6, "1");
	assert_sysctl("net/ipv6/conf/br-lan/disable_ipv6", "0");
	assert_sysctl("net/ipv6/conf/br-lan/accept_ra", "0");
	assert_true(has_route(n->ifindex, "10.9.0.0/16", "10.1.1.2"));
	assert_true(has_route(n->ifindex, "fd00:9::/48", "fd00:1::2"));
	assert_true(core_told(h, "routers outside need a route for 10.1.1.0/24, fd00:1::/64 to this host"));
	assert_false(core_told(h, "repair"));
	/* somebody takes one away */
	struct nd_route all[16];
	size_t cnt = fake_routes(all, 16);
	for (size_t i = 0; i < cnt; i++)
		if (all[i].protocol == ND_ROUTE_PROTOCOL)
			fake_route_del(&all[i]);
	core_forget(h);
	core_turn(h);
	assert_true(has_route(n->ifindex, "10.9.0.0/16", "10.1.1.2"));
	assert_true(has_route(n->ifindex, "fd00:9::/48", "fd00:1::2"));
	assert_true(core_told(h, "repaired lan: routes of br-lan: put back"));
	/* adopted as they are */
	core_forget(h);
	core_stop(h);
	core_start(h);
	core_turn(h);
	assert_int_equal(core_changes(h), 0);
	n = model_network_by_name(&h->model, "lan");
	assert_int_equal(n->sysctls, 3);
	core_destroy(h, n, false);
	assert_int_equal(fake_nft_count(), 0);
	assert_sysctl(FORWARD, "1"); /* others may rely on it by now */
}

static void test_route_taken(void **state)
{
	struct core_harness *h = *state;
	struct network *n =
		core_define(h, core_xml("lan", "br-lan", "", "<forward mode='route'/>" IP4 ROUTE));
	struct nd_route r = { .dst = prefix("10.9.0.0/16"),
			      .table = RT_TABLE_MAIN,
			      .oif = add_link("eth0", ND_LINK_VETH),
			      .type = RTN_UNICAST,
			      .metric = 1 };
	struct outcome o;

	nd_ip_from_string("192.0.2.1", &r.gateway);
	fake_route_add(&r);
	network_start(&h->c, n, core_done(&o));
	refused(&o, ND_CONFLICT,
		"network 'lan': bridge 'br-lan': route 10.9.0.0/16 is already in use by interface eth0; "
		"choose "
		"another metric, or remove that one");
	core_turn(h);
	assert_null(fake_link_find("br-lan"));
	assert_sysctl(FORWARD, "0");
	r.metric = 5;
	fake_route_add(&r);
	r.metric = 1;
	fake_route_del(&r);
	core_start_network(h, n);
	assert_true(has_route(n->ifindex, "10.9.0.0/16", "10.1.1.2"));
}

/* Each call of a start fails once: links, rules, settings and routes are as before. */
static void test_each_call_fails(void **state)
{
	struct core_harness *h = *state;
	int eth0 = add_link("eth0", ND_LINK_VETH);
	struct network *n = core_define(
		h, core_xml("lan", "br-lan", "",
			    "<forward mode='nat' dev='eth0'><nat ipv6='yes'/></forward>" IP4 IP6 ROUTE ROUTE6
			    "<vlan><tag id='7'/></vlan>"));
	struct outcome o;
	unsigned k;

	ipv6_host(h, "br-lan");
	ipv6_host(h, "eth0");
	fake_vlan_filtering(true);
	add_default(eth0, AF_INET6, RTPROT_RA);
	core_turn(h);
	for (k = 1; k < 100; k++) {
		core_forget(h);
		fake_fail_at(k, EIO, "kernel words");
		network_start(&h->c, n, core_done(&o));
		if (!fake_failed_call())
			break;
		fake_fail_at(0, 0, NULL);
		assert_int_equal(o.calls, 1);
		assert_non_null(strstr(o.text, "kernel words"));
		core_turn(h);
		assert_int_equal(fake_link_count(), 2);
		assert_int_equal(fake_nft_count(), 0);
		assert_int_equal(fake_routes(NULL, 0), 1);
		assert_true(!n->live && !n->sysctls && !n->sysctls_fresh);
		assert_sysctl(FORWARD, "0");
		assert_sysctl(ALL6, "0");
		assert_sysctl("net/ipv6/conf/eth0/accept_ra", "1");
		assert_false(core_told(h, "network-started"));
	}
	fake_fail_at(0, 0, NULL);
	assert_true(k > 9 && k < 100 && o.e.code == 0);
	core_turn(h);
	assert_true(fake_link_find("br-lan")->br_vlan_filtering);
	assert_sysctl(ALL6, "1");
	/* the host keeps its own way out */
	assert_sysctl("net/ipv6/conf/eth0/accept_ra", "2");
	assert_true(core_told(h, "sysctl-set lan: net/ipv6/conf/eth0/accept_ra set to 2"));
}

/* A live change of routes, NAT and uplinks; each call fails once, and all is as before. */
static void test_live_change(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", "<forward mode='nat'/>" IP4 ROUTE));
	const char *to = core_xml("lan", "br-lan", "",
				  "<forward mode='nat' dev='eth7'><nat><address start='192.0.2.9' "
				  "end='192.0.2.10'/></nat></forward>" IP4
				  "<route address='10.8.0.0' prefix='16' gateway='10.1.1.3'/>");
	struct outcome o;
	unsigned k;

	core_start_network(h, n);
	unsigned elements = fake_nft_count();
	for (k = 1; k < 100; k++) {
		fake_fail_at(k, EIO, "kernel words");
		change_apply(&h->c, to, strlen(to), false, core_done(&o));
		if (!fake_failed_call())
			break;
		fake_fail_at(0, 0, NULL);
		core_turn(h);
		assert_int_equal(o.calls, 1);
		if (!o.e.code) /* its disk's part ended with the turn */
			break;
		assert_true(has_route(n->ifindex, "10.9.0.0/16", "10.1.1.2"));
		assert_false(has_route(n->ifindex, "10.8.0.0/16", NULL));
		assert_int_equal(fake_nft_count(), elements);
		assert_string_equal(n->plan->uplink, "");
	}
	fake_fail_at(0, 0, NULL);
	core_turn(h);
	assert_true(k > 2 && o.calls == 1 && o.e.code == 0);
	assert_true(has_route(n->ifindex, "10.8.0.0/16", "10.1.1.3"));
	assert_false(has_route(n->ifindex, "10.9.0.0/16", NULL));
	assert_string_equal(n->plan->uplink, "eth7");
	assert_true(elements_hold(h->c.nat, &n->plan->elements));
}

/* ---- forwarding turned off by others ---- */

static void test_forwarding_lost(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", "<forward mode='nat'/>" IP4));

	fake_forwarding(AF_INET, false); /* nobody's business yet */
	core_turn(h);
	core_start_network(h, n);
	core_forget(h);
	set_sysctl(h, FORWARD, "0\n");
	fake_forwarding(AF_INET, false);
	core_turn(h);
	assert_sysctl(FORWARD, "1");
	assert_true(core_told(h, "net/ipv4/ip_forward set to 1 again, after somebody turned it off"));
	core_forget(h);
	fake_forwarding(AF_INET, true);
	fake_forwarding(AF_INET6, false);
	core_turn(h);
	assert_string_equal(h->told, "");
}

/* ---- a bridge that others made ---- */

#define BRIDGED "<forward mode='bridge'/><bridge name='br0'/>"

static void test_bridge_mode(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "", "", BRIDGED)),
		       *two = core_define(h, core_xml("two", "", "", BRIDGED));
	struct outcome o;
	struct attached a;

	network_start(&h->c, n, core_done(&o));
	refused(&o, ND_NOT_FOUND, "network 'lan': bridge 'br0' is not there");
	int link = add_link("br0", ND_LINK_VETH);
	network_start(&h->c, n, core_done(&o));
	refused(&o, ND_INVALID, "network 'lan': 'br0' is no bridge");
	fake_link_del(link);
	int br0 = add_link("br0", ND_LINK_BRIDGE), eth0 = add_link("eth0", ND_LINK_VETH);
	fake_link_by_index(eth0)->master = br0;
	fake_link_changed(eth0);
	core_turn(h);
	core_forget(h);
	core_start_network(h, n);
	core_start_network(h, two);
	assert_int_equal(core_changes(h), 0); /* nothing of it is touched */
	assert_int_equal(fake_nft_count(), 0);
	assert_true(n->ifindex == br0 && n->foreign_ports == 1);
	assert_string_equal(fake_worker_told(), "");
	core_attach(h, "lan", "guest", NULL, &a);
	assert_string_equal(a.text, "");
	core_turn(h);
	assert_int_equal(fake_link_find("vnet0")->master, br0);
	assert_true(fake_nft_count() > 0);
	assert_true(n->foreign_ports == 1 && two->foreign_ports >= 1);
	/* it goes */
	core_forget(h);
	fake_link_del(br0);
	core_turn(h);
	assert_int_equal(n->state, NETWORK_DEGRADED);
	assert_string_equal(n->degraded, "bridge 'br0' is not there");
	assert_int_equal(fake_link_find("vnet0")->master, 0);
	struct attached b;
	core_attach(h, "lan", "second", NULL, &b);
	assert_string_equal(b.text, "network 'lan': its bridge 'br0' is not there");
	/* and is there again */
	br0 = add_link("br0", ND_LINK_BRIDGE);
	core_turn(h);
	assert_int_equal(n->state, NETWORK_ACTIVE);
	assert_true(n->ifindex == br0 && two->ifindex == br0);
	assert_int_equal(fake_link_find("vnet0")->master, br0);
	/* the next daemon finds it so */
	core_stop(h);
	core_start(h);
	core_turn(h);
	n = model_network_by_name(&h->model, "lan");
	assert_true(n->state == NETWORK_ACTIVE && n->ifindex == br0 && n->port_cnt == 1);
	core_forget(h);
	core_destroy(h, n, true);
	core_destroy(h, model_network_by_name(&h->model, "two"), false);
	assert_non_null(fake_link_find("br0"));
	core_close(&a);
	core_turn(h);
	assert_int_equal(fake_nft_count(), 0);
}

static void test_bridge_name_taken(void **state)
{
	struct core_harness *h = *state;
	struct outcome o;

	core_define(h, core_xml("own", "br0", "", ""));
	const char *xml = core_xml("lan", "", "", BRIDGED);
	network_define(&h->c, xml, strlen(xml), NULL, core_done(&o));
	refused(&o, ND_EXISTS, "network 'lan': bridge name 'br0' already in use.");
}

/* ---- networks that let others in ---- */

static void test_accept(void **state)
{
	struct core_harness *h = *state;
	struct network *in = core_define(h,
					 core_xml("in", "br-in", "", IP4 "<netd:accept network='office'/>")),
		       *office = core_define(h, core_xml("office", "br-of", "10.2.2.1", ""));

	core_start_network(h, in);
	assert_int_equal(in->plan->peers.cnt, 0);
	core_start_network(h, office);
	assert_int_equal(in->plan->peers.cnt, 1);
	assert_string_equal(in->plan->peers.p[0].peer.from, "br-of");
	assert_string_equal(in->plan->peers.p[0].peer.to, "br-in");
	assert_true(elements_hold(h->c.nat, &in->plan->peers));
	core_stop(h);
	core_start(h);
	core_turn(h);
	in = model_network_by_name(&h->model, "in");
	office = model_network_by_name(&h->model, "office");
	assert_int_equal(in->plan->peers.cnt, 1);
	assert_true(elements_hold(h->c.nat, &in->plan->peers));
	core_destroy(h, office, false);
	assert_int_equal(in->plan->peers.cnt, 0);
	core_destroy(h, in, false);
	assert_int_equal(fake_nft_count(), 0);
	assert_int_equal(h->model.accepting_cnt, 0);
}

/* ---- MTU ---- */

static void test_mtu_follows(void **state)
{
	struct core_harness *h = *state;
	int eth0 = add_link("eth0", ND_LINK_VETH);
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", "<forward mode='nat'/>" IP4)),
		       *other = core_define(h, core_xml("other", "br-o", "10.3.3.1", ""));
	struct attached a;

	add_default(eth0, AF_INET, RTPROT_STATIC);
	fake_link_by_index(eth0)->mtu = 1400;
	fake_link_changed(eth0);
	core_start_network(h, n);
	core_start_network(h, other);
	assert_int_equal(fake_link_find("br-lan")->mtu, 1400);
	assert_int_equal(fake_link_find("br-o")->mtu, 1500);
	core_attach(h, "lan", "guest", NULL, &a);
	core_turn(h);
	assert_int_equal(fake_link_find("vnet0")->mtu, 1500);
	core_forget(h);
	fake_link_by_index(eth0)->mtu = 9000;
	fake_link_changed(eth0);
	core_turn(h);
	assert_int_equal(fake_link_find("br-lan")->mtu, 9000);
	assert_int_equal(fake_link_find("vnet0")->mtu, 9000);
	assert_true(core_told(h, "lan: its MTU is 9000 now"));
	fake_link_by_index(eth0)->mtu = 1500;
	fake_link_changed(eth0);
	core_turn(h);
	assert_int_equal(fake_link_find("br-lan")->mtu, 1500);
	core_close(&a);
}

/* ---- ports ---- */

static struct attached attach_group(struct core_harness *h, const char *name, const char *portgroup)
{
	struct attach_request req = {
		.network = "lan", .name = name, .portgroup = portgroup, .queue_cnt = 1, .mac_guard = true
	};
	struct attached a;

	core_attach_request(h, &req, &a);
	return a;
}

static void test_portgroup(void **state)
{
	struct core_harness *h = *state;

	fake_vlan_filtering(true);
	core_create(h, core_xml("lan", "br-lan", "",
				"<vlan><tag id='5'/></vlan><port isolated='yes'/>"
				"<portgroup name='dmz'><vlan trunk='yes'><tag id='10'/><tag id='11' "
				"nativeMode='untagged'/></vlan></portgroup>"));
	struct attached a = attach_group(h, "a", NULL), b = attach_group(h, "b", "dmz"),
			c = attach_group(h, "c", "none");
	assert_string_equal(c.text, "network 'lan': it has no portgroup 'none'");
	assert_int_equal(c.e.code, ND_NOT_FOUND);
	assert_string_equal(fake_bridge_log(),
			    "vnet0: no vlan 1\nvnet0: vlan 5 pvid untagged\n"
			    "vnet1: no vlan 1\nvnet1: vlan 10\nvnet1: vlan 11 pvid untagged\n");
	assert_true(fake_link_find("vnet0")->br_isolated_port && fake_link_find("vnet0")->flags & IFF_UP);
	core_turn(h);
	core_stop(h);
	core_start(h);
	core_turn(h);
	struct port *p = model_port_find(&h->model, "b");
	assert_string_equal(p->portgroup, "dmz");
	/* isolation that somebody takes away is put back */
	fake_link_find("vnet0")->br_isolated_port = false;
	fake_link_changed(fake_link_find("vnet0")->ifindex);
	core_turn(h);
	assert_true(fake_link_find("vnet0")->br_isolated_port);
	core_close(&a);
	core_close(&b);
}

static void test_fixed_guests(void **state)
{
	struct core_harness *h = *state;
	struct attached a;
	const char *xml =
		"<network><name>lan</name><bridge name='br-lan' macTableManager='libvirt'/></network>";

	core_create(h, xml);
	core_attach(h, "lan", "a", "52:54:00:00:00:01", &a);
	assert_string_equal(a.text, "");
	const struct nd_link *l = fake_link_find("vnet0");
	assert_true(l->br_learning_off && l->br_flood_off && l->flags & IFF_UP);
	assert_string_equal(fake_bridge_log(), "vnet0: fdb 52:54:00:00:00:01\n");
	/* plugged out of the bridge and in again */
	fake_link_find("vnet0")->master = 0;
	fake_link_find("vnet0")->br_learning_off = fake_link_find("vnet0")->br_flood_off = false;
	fake_link_changed(l->ifindex);
	core_turn(h);
	assert_true(l->master && l->br_learning_off && l->br_flood_off && l->flags & IFF_UP);
	core_close(&a);
}

static void test_no_vlan_filtering(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", "<vlan><tag id='5'/></vlan>"));
	struct outcome o;

	network_start(&h->c, n, core_done(&o));
	refused(&o, ND_UNSUPPORTED,
		"network 'lan': bridge 'br-lan': <vlan>: bridges of this kernel do not filter VLANs: it is "
		"built "
		"without CONFIG_BRIDGE_VLAN_FILTERING");
	core_turn(h);
	assert_null(fake_link_find("br-lan"));
	add_link("br0", ND_LINK_BRIDGE);
	n = core_define(h, core_xml("up", "", "", BRIDGED "<vlan><tag id='5'/></vlan>"));
	network_start(&h->c, n, core_done(&o));
	assert_int_equal(o.e.code, ND_UNSUPPORTED);
	assert_non_null(strstr(o.text, "<vlan>: bridge 'br0' does not filter VLANs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gateway, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_route_mode, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_route_taken, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_each_call_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_live_change, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_forwarding_lost, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bridge_mode, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bridge_name_taken, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_accept, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_mtu_follows, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_portgroup, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_fixed_guests, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_no_vlan_filtering, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

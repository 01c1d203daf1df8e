// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: ports of programs that make their devices themselves: announced, bound, let go, deleted, adopted. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/bind.h"
#include "netd/core/change.h"
#include "netd/core/external.h"
#include "netd/core/mirror.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <linux/if.h>

#define DHCP                                                                         \
	"<forward mode='nat'/><ip address='10.1.1.1' netmask='255.255.255.0'><dhcp>" \
	"<range start='10.1.1.2' end='10.1.1.254'/></dhcp></ip>"
#define ON_ATTACH     "<netd:autostart mode='on-attach'/>"
#define UUID(n)       "b4c95c15-3d9e-4fd0-8e5e-8a5f5e1f5a0" n
#define OWNER(o)      "<owner><name>" o "</name><uuid>3d3db22f-b4aa-49a6-bd5f-d3f6ff4b5dd1</uuid></owner>"
#define MAC           "<mac address='52:54:00:7b:35:93'/>"
#define PORT(n, o, b) "<networkport><uuid>" UUID(n) "</uuid>" OWNER(o) b "</networkport>"

struct made {
	int code;
	struct port *p;
	struct nd_error e;
	char text[1024];
};

static struct made make(struct core_harness *h, struct network *n, const char *xml, bool reclaim)
{
	struct made m = { .p = NULL };
	const struct external_request req = {
		.xml = xml, .len = strlen(xml), .reclaim = reclaim, .uid = 0, .pid = 77
	};

	m.code = external_create(&h->c, n, &req, &m.p, &m.e);
	if (m.code < 0)
		nd_error_format(&m.e, m.text, sizeof(m.text));
	return m;
}

static struct port *make_ok(struct core_harness *h, struct network *n, const char *xml)
{
	struct made m = make(h, n, xml, false);

	if (m.code < 0)
		fail_msg("%s", m.text);
	return m.p;
}

static void refused(struct core_harness *h, struct network *n, const char *xml, bool reclaim, int code,
		    const char *text)
{
	struct made m = make(h, n, xml, reclaim);

	assert_int_equal(m.code, code);
	assert_null(m.p);
	if (!strstr(m.text, text))
		fail_msg("%s", m.text);
}

static int add_tap_to(int master, const char *name, const char *mac)
{
	struct nd_link l = { .kind = ND_LINK_TUN, .master = master };

	nd_strcpy(l.name, sizeof(l.name), name);
	assert_int_equal(nd_mac_from_string(mac, &l.mac), 0);
	return fake_link_add(&l);
}

static int add_tap(const struct network *n, const char *name, const char *mac)
{
	return add_tap_to(n->ifindex, name, mac);
}

static void assert_xml(const struct port *p, const char *part)
{
	struct nd_buf out = { .max = 0 };

	CORE_OK(external_format(p, &out, &e));
	if (!strstr(nd_buf_string(&out), part))
		fail_msg("%s", nd_buf_string(&out));
	nd_buf_done(&out);
}

/* Expected, bound when its TAP joins, let go when that leaves; the TAP is not touched at all. */
static void test_bind(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", DHCP));
	size_t elements = fake_nft_count();

	core_forget(h);
	struct port *p = make_ok(h, n, PORT("1", "vm1", MAC));
	assert_true(p->external && p->state == PORT_EXPECTED && p->ifindex == 0 && p->recorded);
	assert_string_equal(p->name, "vm1");
	assert_true(core_told(h, "port-expected lan: announced for guest 'vm1' by pid 77 (uid 0)\n"));
	assert_non_null(strstr(fake_worker_told(), "port "));
	assert_int_equal(fake_nft_count(), elements);
	assert_xml(p, "  <plug type='network' bridge='br-lan'/>\n");
	assert_ptr_equal(model_port_find(&h->model, UUID("1")), p);

	int other = add_tap(n, "vnet7", "fe:54:00:7b:35:94");
	core_turn(h);
	assert_true(p->ifindex == 0 && n->foreign_ports == 1);
	core_forget(h);
	int i = add_tap(n, "vnet8", "fe:54:00:7b:35:93");
	core_changes(h);
	core_turn(h);
	assert_int_equal(p->ifindex, i);
	assert_string_equal(p->ifname, "vnet8");
	assert_true(p->state == PORT_ATTACHED && n->foreign_ports == 1);
	assert_true(fake_nft_count() > elements);
	assert_non_null(fake_nft_find(NAT_SET_PORT_MARK, "vnet8"));
	assert_true(core_told(h, "port-attached lan: attached as vnet8, another program's device\n"));
	assert_false(core_told(h, "repaired"));

	/* what the holder does with it is not netd's affair */
	struct nd_link *l = fake_link_find("vnet8");
	l->mac.b[5] ^= 1;
	l->flags &= ~(uint32_t)IFF_UP;
	l->tun_persist = true;
	fake_link_changed(i);
	core_changes(h);
	core_turn(h);
	assert_true(core_changes(h) == 0 && p->ifindex == i && !core_told(h, "tampered"));
	l->mac.b[5] ^= 1;
	l->master = 0;
	fake_link_changed(i);
	core_changes(h);
	core_turn(h);
	assert_true(p->ifindex == 0 && p->state == PORT_EXPECTED && n->foreign_ports == 1);
	assert_int_equal(fake_nft_count(), elements);
	assert_true(core_told(h, "port-expected lan: its device vnet8 left the bridge\n"));

	l->master = n->ifindex; /* it comes back, and is lost without an event */
	fake_link_changed(i);
	core_turn(h);
	assert_int_equal(p->ifindex, i);
	fake_link_del(i);
	fake_overrun();
	core_turn(h);
	assert_true(p->ifindex == 0 && p->state == PORT_EXPECTED && n->port_cnt == 1);
	fake_link_del(other);
	core_turn(h);
	assert_int_equal(n->foreign_ports, 0);
	core_destroy(h, n, true);
	assert_int_equal(h->model.port_cnt, 0);
}

/* What cannot be put in place when the device comes is put there by repair. */
static void test_bind_fails(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", DHCP));
	struct port *p = make_ok(h, n, PORT("1", "vm1", MAC));
	size_t elements = fake_nft_count();

	add_tap(n, "vnet8", "fe:54:00:7b:35:93");
	fake_fail_at(1, ENOMEM, NULL);
	core_turn(h);
	assert_non_null(fake_failed_call());
	core_wait(h, 150);
	assert_true(p->ifindex > 0 && p->state == PORT_ATTACHED && p->recorded);
	assert_true(fake_nft_count() > elements);
	core_destroy(h, n, true);
	assert_int_equal(h->model.port_cnt, 0);
}

/* A bridge of the host's: the network uses it, and so may others. */
static void test_host_bridge(void **state)
{
	struct core_harness *h = *state;
	struct nd_link l = { .kind = ND_LINK_BRIDGE, .name = "br0", .flags = IFF_UP };
	int bridge = fake_link_add(&l);

	core_turn(h);
	struct network *n =
		core_create(h, core_xml("lan", "", "", "<forward mode='bridge'/><bridge name='br0'/>"));
	struct port *p = make_ok(h, n, PORT("1", "vm1", MAC));
	assert_xml(p, "  <plug type='bridge' bridge='br0'/>\n");
	int i = add_tap_to(bridge, "vnet8", "fe:54:00:7b:35:93");
	core_turn(h);
	assert_true(p->ifindex == i && n->foreign_ports == 0);
	CORE_OK(attach_end(&h->c, p, &e));
	assert_int_equal(n->foreign_ports, 1);
	core_destroy(h, n, true);
	assert_int_equal(fake_link_by_index(i)->master, bridge);
}

/* The device was there first; deleting the port leaves it in the bridge. */
static void test_delete(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", DHCP));
	int i = add_tap(n, "vnet8", "fe:54:00:7b:35:93");
	size_t elements = fake_nft_count();

	core_turn(h);
	assert_int_equal(n->foreign_ports, 1);
	struct port *p = make_ok(h, n, PORT("1", "vm1", MAC));
	assert_true(p->ifindex == i && n->foreign_ports == 0);
	fake_link_changed(i);
	core_turn(h);
	assert_int_equal(n->foreign_ports, 0);
	core_forget(h);
	CORE_OK(attach_end(&h->c, p, &e));
	core_turn(h);
	assert_true(core_told(h, "port-ended lan: ended: it was deleted\n"));
	assert_int_equal(core_changes(h), 0);
	assert_true(fake_link_by_index(i)->master == n->ifindex && n->foreign_ports == 1);
	assert_true(fake_nft_count() == elements && n->port_cnt == 0);
	core_destroy(h, n, true);
}

static void test_refused(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", DHCP));
	struct network *off = core_define(h, core_xml("off", "br-off", "", ""));
	struct attached a;

	core_attach(h, "lan", "own", "52:54:00:00:00:01", &a);
	make_ok(h, n, PORT("1", "vm1", MAC));
	refused(h, n, PORT("1", "vm2", "<mac address='52:54:00:00:00:02'/>"), false, ND_EXISTS,
		"Network port with UUID " UUID("1") " already exists");
	refused(h, n, PORT("2", "vm2", "<mac address='52:54:00:00:00:01'/>"), false, ND_EXISTS,
		"MAC address 52:54:00:00:00:01 is that of another port: interface vnet0");
	refused(h, n, PORT("2", "vm2", "<mac address='fe:54:00:00:00:01'/>"), false, ND_INVALID,
		"cannot be a guest's");
	refused(h, n, "<networkport/>", false, ND_INVALID, "network port has no uuid");
	refused(h, n, "<networkport>", false, ND_PARSE, "Premature end");
	refused(h, off, PORT("2", "vm2", MAC), false, ND_STATE, "network 'off' is not active");
	refused(h, n, PORT("2", "vm2", MAC), true, ND_INVALID,
		"Port reclaim requested but plug type is none");
	refused(h, n, PORT("2", "vm2", MAC "<plug type='network' bridge='x'/>"), false, ND_INVALID,
		"Port reclaim not requested but plug type is not none");
	refused(h, n, PORT("2", "vm2", MAC "<plug type='direct' dev='x'/>"), true, ND_INVALID,
		"network 'lan' doesn't have dev='x' in use by network port '" UUID("2") "'");
	refused(h, n, PORT("2", "vm2", MAC "<virtualport type='openvswitch'/>"), false, ND_UNSUPPORTED,
		"<virtualport type='openvswitch'> not supported for network 'lan' which uses IP forwarding");
	refused(h, n, PORT("2", "vm2", MAC "<bandwidth><inbound floor='5'/></bandwidth>"), false,
		ND_UNSUPPORTED,
		"Invalid use of 'floor' on interface with MAC address 52:54:00:7b:35:93 - network 'lan' has "
		"no inbound QoS set");
	assert_int_equal(n->port_cnt, 2);
	core_close(&a);

	/* and the other way round */
	core_attach(h, "lan", "vm1", NULL, &a);
	assert_int_equal(a.e.code, ND_EXISTS);
	core_attach(h, "lan", NULL, "52:54:00:7b:35:93", &a);
	assert_int_equal(a.e.code, ND_EXISTS);
	assert_non_null(strstr(a.text, "interface none yet"));
	core_destroy(h, n, true);
}

/* Two devices of one guest, and a guest's port that was never deleted. */
static void test_twins(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", DHCP));
	struct port *a = make_ok(h, n, PORT("1", "vm1", MAC)),
		    *b = make_ok(h, n, PORT("2", "vm1", "<mac address='52:54:00:00:00:02'/>")),
		    *c = make_ok(h, n, PORT("3", "vm 3", MAC));

	assert_string_equal(b->name, "");
	assert_string_equal(c->name, "");
	assert_false(nd_uuid_equal(&a->identity, &a->uuid));
	assert_true(nd_uuid_equal(&c->identity, &c->uuid));
	struct nd_uuid was = a->identity;
	CORE_OK(attach_end(&h->c, a, &e));
	CORE_OK(attach_end(&h->c, c, &e));
	a = make_ok(h, n, PORT("4", "vm1", MAC)); /* the guest starts again: another port, the same leases */
	assert_true(nd_uuid_equal(&a->identity, &was));
	core_destroy(h, n, true);
}

static void test_wake(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", DHCP ON_ATTACH));

	struct port *p = make_ok(h, n, PORT("1", "vm1", MAC));
	assert_true(n->state == NETWORK_ACTIVE && p->network == n);
	core_turn(h);
	core_destroy(h, n, true);
	fake_fail_at(1, EPERM, NULL);
	refused(h, n, PORT("1", "vm1", MAC), false, ND_SYSTEM, "network 'lan': ");
	assert_int_equal(n->state, NETWORK_INACTIVE);
}

/* What the document leaves out comes from the portgroup, else from the network. */
static void test_inherit(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", ""));
	struct netdef_portgroup groups[] = {
		{ .name = (char *)"fast", .bandwidth = { .inbound = { .average = 100, .peak = 200 } } },
		{ .name = (char *)"slow",
		  .is_default = true,
		  .trust_rx_filters = NETDEF_YES,
		  .bandwidth = { .outbound = { .average = 7 } } },
	};
	struct netdef_rare rare = { .portgroups = groups, .portgroup_cnt = ARRAY_LEN(groups) }, *none;
	struct portdef_bandwidth b;

	none = n->live->rare;
	n->live->rare = &rare;
	struct port *p = make_ok(h, n, PORT("1", "vm1", "<group>fast</group>" MAC));
	assert_xml(p, "    <inbound average='100' peak='200'/>\n  </bandwidth>\n");
	assert_ptr_equal(external_portgroup(p), &groups[0]);
	assert_true(p->mac_guard);
	p = make_ok(h, n, PORT("2", "vm2", "<mac address='52:54:00:00:00:02'/>"));
	assert_xml(p, "    <outbound average='7'/>\n  </bandwidth>\n  <rxfilters trustGuest='yes'/>\n");
	assert_false(p->mac_guard);
	p = make_ok(h, n,
		    PORT("3", "vm3",
			 "<group>none</group><mac address='52:54:00:00:00:03'/><port isolated='yes'/>"));
	external_bandwidth(p, &b);
	assert_true(!b.given && !external_portgroup(p));
	struct attached a;
	core_attach(h, "lan", "own", "52:54:00:00:00:04", &a);
	external_bandwidth(a.p, &b);
	assert_true(b.outbound.average == 7 && !b.inbound_given);
	assert_xml(a.p, "  <owner>\n    <name>own</name>\n");
	assert_xml(a.p, "  <plug type='network' bridge='br-lan'/>\n");
	core_close(&a);
	n->live->rare = none;
	core_destroy(h, n, true);
}

static void test_bandwidth(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", ""));
	struct netdef_rare rare = { .bandwidth = { .inbound = { .average = 1000 } } }, *none;
	struct portdef_bandwidth b = { .inbound = { .average = 5, .peak = 6 }, .floor = 600 }, got;
	struct nd_error over = ND_ERROR_INIT;

	none = n->live->rare;
	n->live->rare = &rare;
	struct port *p = make_ok(h, n, PORT("1", "vm1", MAC)),
		    *q = make_ok(h, n,
				 PORT("2", "vm2",
				      "<mac address='52:54:00:00:00:02'/><bandwidth>"
				      "<inbound floor='300'/></bandwidth>"));
	assert_true(p->def->class_id == 0 && q->def->class_id == 3);
	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	assert_xml(p, "  <bandwidth classID='4'>\n    <inbound average='5' peak='6' floor='600'/>\n");
	b.floor = 800;
	assert_int_equal(external_set_bandwidth(&h->c, p, &b, &over), ND_STATE);
	assert_string_equal(nd_error_text(&over),
			    "Cannot plug '52:54:00:7b:35:93' interface into 'br-lan' because new combined "
			    "inbound floor=1100 would overcommit average=1000 on network 'lan'");
	external_bandwidth(p, &got);
	assert_int_equal(got.floor, 600);
	b = (struct portdef_bandwidth){ .inbound = { .peak = 3 }, .outbound = { .average = 7 } };
	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	assert_xml(p, "  <bandwidth>\n    <outbound average='7'/>\n  </bandwidth>\n");
	b = (struct portdef_bandwidth){ .given = false };
	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	assert_xml(p, "  <bandwidth>\n  </bandwidth>\n");

	struct attached a;
	core_attach(h, "lan", "own", "52:54:00:00:00:04", &a);
	b.outbound.average = 9;
	CORE_OK(external_set_bandwidth(&h->c, a.p, &b, &e));
	assert_true(a.p->def && !a.p->external);
	assert_xml(a.p, "    <outbound average='9'/>\n");
	core_close(&a);
	n->live->rare = none;
	core_destroy(h, n, true);
}

/* netd is killed and starts again: the same ports, bound or expected, and no change; those of a network that is gone are gone. */
static void test_adopt(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", DHCP));
	struct portdef_bandwidth b = { .outbound = { .average = 9 } };
	struct attached a;

	core_start_network(h, n);
	struct port *p = make_ok(h, n, PORT("1", "vm &quot;1&apos;", MAC)),
		    *q = make_ok(h, n, PORT("2", "vm2", "<mac address='52:54:00:00:00:02'/>"));
	core_attach(h, "lan", "own", "52:54:00:00:00:04", &a);
	CORE_OK(external_set_bandwidth(&h->c, a.p, &b, &e));
	int i = add_tap(n, "vnet8", "fe:54:00:7b:35:93"), late;
	core_turn(h);
	struct port was = *p;
	assert_true(was.ifindex == i && q->ifindex == 0);
	size_t elements = fake_nft_count();
	core_changes(h);
	int bridge = n->ifindex;
	core_stop(h);
	late = add_tap_to(bridge, "vnet9", "fe:54:00:00:00:02"); /* while netd was away */
	core_changes(h);
	core_forget(h);
	core_start(h);
	core_turn(h);
	assert_int_equal(core_changes(h), 0);
	n = model_network_by_name(&h->model, "lan");
	assert_true(n && n->port_cnt == 3 && n->foreign_ports == 0);
	p = model_port_find(&h->model, UUID("1"));
	assert_true(p && p->external && p->ifindex == i && p->mark == was.mark && p->state == PORT_ATTACHED);
	assert_true(nd_uuid_equal(&p->identity, &was.identity) && p->owner_pid == 77);
	assert_xml(p, "    <name>vm &quot;1&apos;</name>\n");
	q = model_port_find(&h->model, "vm2");
	assert_true(q && q->ifindex == late);
	assert_true(fake_nft_count() > elements);
	assert_xml(model_port_find(&h->model, "own"), "    <outbound average='9'/>\n");
	assert_false(core_told(h, "repaired") || core_told(h, "attached"));

	core_stop(h);
	assert_int_equal(unlink(core_path(h, "etc/networks/lan.xml")), 0);
	char *live = strdup(core_path(h, "run/networks"));
	char command[600];
	snprintf(command, sizeof(command), "rm -f '%s'/*.xml", live);
	assert_int_equal(system(command), 0);
	free(live);
	core_start(h);
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 0);
	core_close(&a);
}

/* A reclaimed port is told the bridge as it is now. */
static void test_reclaim(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", DHCP));

	core_start_network(h, n);
	make_ok(h, n, PORT("1", "vm1", MAC));
	int i = add_tap(n, "vnet8", "fe:54:00:7b:35:93");
	core_turn(h);
	core_destroy(h, n, true);
	assert_int_equal(h->model.port_cnt, 0);
	core_start_network(h, n);
	struct made m = make(h, n, PORT("1", "vm1", MAC "<plug type='network' bridge='virbr7'/>"), true);
	assert_int_equal(m.code, 0);
	assert_xml(m.p, "  <plug type='network' bridge='br-lan'/>\n");
	fake_link_by_index(i)->master = n->ifindex;
	fake_link_changed(i);
	core_turn(h);
	assert_int_equal(m.p->ifindex, i);
	core_destroy(h, n, true);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bind),      TEST(test_bind_fails), TEST(test_host_bridge), TEST(test_delete),
		TEST(test_refused),   TEST(test_twins),      TEST(test_wake),        TEST(test_inherit),
		TEST(test_bandwidth), TEST(test_adopt),      TEST(test_reclaim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

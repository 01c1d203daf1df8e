// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: bandwidth of networks, portgroups and ports: what is asked of shape/, when, and what becomes of it. */
#include "base/mem.h"
#include "netd/core/change.h"
#include "netd/core/external.h"
#include "netd/core/shaping.h"
#include "tests/fake/shape.h"
#include "tests/netd/core-harness.h"

#include <errno.h>

#define MAC_1 "52:54:00:00:00:01"
#define MAC_2 "52:54:00:00:00:02"
#define LIMITS                                                                                \
	"<bandwidth><inbound average='1000' peak='2000' burst='3'/><outbound average='500'/>" \
	"</bandwidth>"
#define GROUPS                                                                                          \
	"<portgroup name='slow' default='yes'><bandwidth><inbound average='7'/><outbound average='8'/>" \
	"</bandwidth></portgroup>"

static struct network *lan(struct core_harness *h, const char *more)
{
	return core_create(h, core_xml("lan", "br-lan", "10.1.1.1", more));
}

static struct port *guest(struct core_harness *h, const char *mac)
{
	struct attached a;

	core_attach(h, "lan", NULL, mac, &a);
	assert_string_equal(a.text, "");
	core_turn(h);
	return a.p;
}

/* Without limits nothing is asked, nothing read. */
static void test_none(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, "");

	guest(h, MAC_1);
	fake_shape_event(n->ifindex);
	core_turn(h);
	core_stop(h);
	core_start(h);
	core_turn(h);
	assert_int_equal(fake_shape_applied(), 0);
	assert_int_equal(fake_shape_read(), 0);
}

static void test_network(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS);
	const struct fake_shape *s = fake_shape_of(n->ifindex);

	assert_non_null(s);
	assert_int_equal(s->config.out.average, 1000000);
	assert_int_equal(s->config.out.peak, 2000000);
	assert_int_equal(s->config.out.burst, 3 * 1024);
	assert_int_equal(s->config.in.average, 500000);
	assert_true(s->config.shared);
	assert_int_equal(fake_shape_applied(), 1);
	core_destroy(h, n, false);
}

static void test_restart(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS GROUPS);
	struct port *p = guest(h, MAC_1);
	struct portdef_bandwidth b = { .inbound = { .average = 9 }, .floor = 5 };
	int bridge = n->ifindex, tap = p->ifindex;

	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	core_stop(h);
	core_start(h);
	core_turn(h);
	p = model_port_by_ifindex(h->c.model, tap);
	assert_non_null(p);
	assert_true(p->def->bandwidth.given);
	assert_int_equal(p->def->bandwidth.inbound.average, 9);
	assert_int_equal(p->def->bandwidth.floor, 5);
	assert_int_equal(fake_shape_of(tap)->config.out.average, 9000);
	assert_int_equal(fake_shape_of(bridge)->floors[0].rate, 5000);
	assert_false(core_told(h, "repaired"));
}

static void test_portgroup(void **state)
{
	struct core_harness *h = *state;
	struct port *p;
	struct shaping_view v;
	struct portdef_bandwidth b = { .given = true };

	lan(h, GROUPS);
	p = guest(h, MAC_1);
	assert_int_equal(fake_shape_of(p->ifindex)->config.out.average, 7000);
	assert_int_equal(fake_shape_of(p->ifindex)->config.in.average, 8000);
	CORE_OK(shaping_port_read(&h->c, p, &v, &e));
	assert_true(v.in_force && !v.own);
	assert_int_equal(v.bandwidth.inbound.average, 7);
	assert_string_equal(v.queue, "bfifo");
	/* Its own takes the group's place, also where that is no limit. */
	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	assert_null(fake_shape_of(p->ifindex));
}

static void test_port_end(void **state)
{
	struct core_harness *h = *state;
	struct attached a;
	int tap;

	lan(h, GROUPS);
	core_attach(h, "lan", NULL, MAC_1, &a);
	tap = a.p->ifindex;
	assert_non_null(fake_shape_of(tap));
	core_turn(h);
	core_close(&a);
	core_turn(h);
	assert_null(fake_shape_of(tap));
}

static void test_floors(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS);
	struct port *p = guest(h, MAC_1), *q = guest(h, MAC_2);
	struct portdef_bandwidth b = { .floor = 1500 };
	struct nd_error refused = ND_ERROR_INIT;

	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	assert_int_equal(fake_shape_of(n->ifindex)->config.floor_cnt, 1);
	assert_int_equal(fake_shape_of(n->ifindex)->floors[0].rate, 1500000);
	assert_memory_equal(&fake_shape_of(n->ifindex)->floors[0].mac, &p->mac, sizeof(p->mac));
	b.floor = 501;
	assert_int_equal(external_set_bandwidth(&h->c, q, &b, &refused), ND_STATE);
	assert_non_null(strstr(nd_error_text(&refused), "would overcommit peak=2000 on network 'lan'"));
	assert_true(!q->def || !q->def->bandwidth.given);
	b.floor = 500;
	CORE_OK(external_set_bandwidth(&h->c, q, &b, &e));
	assert_int_equal(fake_shape_of(n->ifindex)->config.floor_cnt, 2);
	assert_int_not_equal(p->def->class_id, q->def->class_id);
	b.floor = 0;
	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	assert_int_equal(fake_shape_of(n->ifindex)->config.floor_cnt, 1);
}

static void test_floor_refused(void **state)
{
	struct core_harness *h = *state;
	struct portdef_bandwidth b = { .floor = 1 };
	struct nd_error e = ND_ERROR_INIT;
	struct port *p;

	lan(h, "");
	p = guest(h, MAC_1);
	assert_int_equal(external_set_bandwidth(&h->c, p, &b, &e), ND_UNSUPPORTED);
	assert_non_null(strstr(nd_error_text(&e), "network 'lan' has no inbound QoS set"));
	assert_true(!p->def || !p->def->bandwidth.floor);
	assert_int_equal(fake_shape_applied(), 0);
}

/* What cannot be set leaves what was. */
static void test_failure(void **state)
{
	struct core_harness *h = *state;
	struct portdef_bandwidth b = { .inbound = { .average = 5 } };
	struct nd_error e = ND_ERROR_INIT;
	struct port *p;

	lan(h, GROUPS);
	p = guest(h, MAC_1);
	fake_fail_at(1, EBUSY, "kernel words");
	assert_int_equal(external_set_bandwidth(&h->c, p, &b, &e), ND_BUSY);
	assert_string_equal(nd_error_kernel(&e), "kernel words");
	assert_true(!p->def || !p->def->bandwidth.floor);
	assert_int_equal(fake_shape_of(p->ifindex)->config.out.average, 7000);
	nd_error_reset(&e);
	b.inbound.average = UINT64_MAX;
	assert_int_equal(external_set_bandwidth(&h->c, p, &b, &e), ND_INVALID);
	assert_int_equal(fake_shape_of(p->ifindex)->config.out.average, 7000);
}

/* A guest is not let in without the limits it should have. */
static void test_attach_failure(void **state)
{
	struct core_harness *h = *state;
	struct attached a;

	lan(h, GROUPS);
	for (unsigned i = 1;; i++) {
		fake_fail_at(i, EIO, NULL);
		core_attach(h, "lan", NULL, MAC_1, &a);
		if (fake_failed_call() && !strcmp(fake_failed_call(), "shape_apply"))
			break;
		assert_true(i < 100 && fake_failed_call());
		core_turn(h);
		core_close(&a);
		core_turn(h);
	}
	assert_null(a.p);
	assert_non_null(strstr(a.text, "bandwidth of TAP"));
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 0);
}

static void test_lost(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS GROUPS);
	struct port *p = guest(h, MAC_1);
	unsigned applied = fake_shape_applied();

	/* Nothing of it is different: nothing is done, nothing told. */
	fake_shape_event(p->ifindex);
	core_turn(h);
	assert_int_equal(fake_shape_applied(), applied);
	core_forget(h);
	fake_shape_lose(p->ifindex);
	fake_shape_lose(n->ifindex);
	fake_shape_event(p->ifindex);
	fake_shape_event(n->ifindex);
	core_turn(h);
	assert_int_equal(fake_shape_of(p->ifindex)->config.out.average, 7000);
	assert_int_equal(fake_shape_of(n->ifindex)->config.out.average, 1000000);
	assert_true(core_told(h, "repaired lan: bandwidth of br-lan: put back in "));
	assert_true(
		core_told(h, "repaired lan: bandwidth of vnet0: put back; somebody changed traffic control"));
	/* Events may be lost, too. */
	fake_shape_lose(n->ifindex);
	fake_overrun();
	core_turn(h);
	assert_non_null(fake_shape_of(n->ifindex));
}

/* A definition's bandwidth is changed live, and with it that of its ports. */
static void test_live(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS GROUPS);
	struct port *p = guest(h, MAC_1);
	struct outcome o;
	const char *xml =
		core_xml("lan", "br-lan", "10.1.1.1", "<bandwidth><inbound average='3000'/></bandwidth>");

	change_apply(&h->c, xml, strlen(xml), false, core_done(&o));
	core_turn(h);
	assert_string_equal(o.text, "");
	assert_int_equal(fake_shape_of(n->ifindex)->config.out.average, 3000000);
	assert_int_equal(fake_shape_of(n->ifindex)->config.in.average, 0);
	assert_null(fake_shape_of(p->ifindex));
}

/* Floors hold the limit they are shares of. */
static void test_live_refused(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS);
	struct port *p = guest(h, MAC_1);
	struct portdef_bandwidth b = { .floor = 5 };
	const char *xml = core_xml("lan", "br-lan", "10.1.1.1", "");
	struct outcome o;

	CORE_OK(external_set_bandwidth(&h->c, p, &b, &e));
	change_apply(&h->c, xml, strlen(xml), false, core_done(&o));
	core_turn(h);
	assert_non_null(strstr(o.text, "ports have floors, so there must be an inbound average"));
	assert_int_equal(fake_shape_of(n->ifindex)->config.out.average, 1000000);
}

static void test_bridge_deleted(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS);
	int was = n->ifindex;

	fake_link_del(was);
	core_turn(h);
	assert_int_not_equal(n->ifindex, was);
	assert_null(fake_shape_of(was));
	assert_int_equal(fake_shape_of(n->ifindex)->config.out.average, 1000000);
}

/* An external port's device is its program's to limit; its floor is the network's. */
static void test_external(void **state)
{
	static const char xml[] =
		"<networkport><uuid>00000000-0000-4000-8000-000000000001</uuid><owner><name>vm</name>"
		"<uuid>00000000-0000-4000-8000-000000000002</uuid></owner><mac address='" MAC_1 "'/>"
		"<bandwidth><inbound average='9' floor='5'/></bandwidth></networkport>";
	const struct external_request req = { .xml = xml, .len = sizeof(xml) - 1 };
	struct core_harness *h = *state;
	struct network *n = lan(h, LIMITS);
	struct shaping_view v;
	struct nd_link tap = { .kind = ND_LINK_TUN,
			       .name = "vnet9",
			       .master = n->ifindex,
			       .mac = { { 0xfe, 0x54, 0, 0, 0, 1 } } };
	int ifindex = fake_link_add(&tap);
	struct port *p;

	core_turn(h);
	CORE_OK(external_create(&h->c, n, &req, &p, &e));
	core_turn(h);
	assert_int_equal(p->ifindex, ifindex);
	assert_null(fake_shape_of(ifindex));
	assert_int_equal(fake_shape_of(n->ifindex)->config.floor_cnt, 1);
	assert_int_equal(fake_shape_of(n->ifindex)->floors[0].id, 3);
	CORE_OK(shaping_port_read(&h->c, p, &v, &e));
	assert_true(v.in_force && v.own);
	assert_int_equal(v.bandwidth.floor, 5);
	CORE_OK(attach_end(&h->c, p, &e));
	core_turn(h);
	assert_int_equal(fake_shape_of(n->ifindex)->config.floor_cnt, 0);
}

/* A bridge of the host's: it comes back as another one, and only one network can limit it. */
static void test_host_bridge(void **state)
{
	struct core_harness *h = *state;
	struct nd_link br = { .kind = ND_LINK_BRIDGE, .name = "br0" };
	const char *xml = core_xml("lan", "br0", "", "<forward mode='bridge'/>" LIMITS);
	struct outcome o;
	int was = fake_link_add(&br);
	struct network *n;

	core_turn(h);
	n = core_create(h, xml);
	assert_int_equal(n->ifindex, was);
	assert_int_equal(fake_shape_of(was)->config.out.average, 1000000);
	network_create(&h->c, core_xml("two", "br0", "", "<forward mode='bridge'/>" LIMITS),
		       strlen(core_xml("two", "br0", "", "<forward mode='bridge'/>" LIMITS)), NULL,
		       core_done(&o));
	core_turn(h);
	assert_non_null(strstr(o.text, "it is limited by network 'lan' already"));
	assert_int_equal(fake_shape_of(was)->config.out.average, 1000000);
	fake_shape_lose(was);
	fake_shape_event(was);
	core_turn(h);
	assert_non_null(fake_shape_of(was));
	fake_link_del(was);
	core_turn(h);
	assert_null(fake_shape_of(was));
	was = fake_link_add(&br);
	core_turn(h);
	assert_int_equal(n->ifindex, was);
	assert_int_equal(fake_shape_of(was)->config.out.average, 1000000);
	core_destroy(h, n, false);
	assert_null(fake_shape_of(was));
}

/* An ifb whose device is gone was left by a daemon that died. */
static void test_stray_ifb(void **state)
{
	struct core_harness *h = *state;
	struct nd_link ifb = { .kind = ND_LINK_IFB, .group = ND_GROUP_LIVE, .name = "nds4711" },
		       foreign = { .kind = ND_LINK_IFB, .name = "nds4712" };

	core_stop(h);
	fake_link_add(&ifb);
	fake_link_add(&foreign);
	core_start(h);
	core_turn(h);
	assert_null(fake_link_find("nds4711"));
	assert_non_null(fake_link_find("nds4712"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, core_setup, core_teardown)
	const struct CMUnitTest tests[] = {
		T(test_none),           T(test_network),  T(test_restart),       T(test_portgroup),
		T(test_port_end),       T(test_floors),   T(test_floor_refused), T(test_failure),
		T(test_attach_failure), T(test_lost),     T(test_live),          T(test_live_refused),
		T(test_bridge_deleted), T(test_external), T(test_host_bridge),   T(test_stray_ifb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

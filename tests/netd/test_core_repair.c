// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what others take away, change or meddle with, and how it comes back. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/port.h"
#include "netd/core/repair.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <linux/if.h>

struct guests {
	struct network *n;
	struct attached a, b;
};

static struct guests two_guests(struct core_harness *h)
{
	struct guests g;

	g.n = core_create(h, core_xml("lan", "br-lan", "",
				      "<mac address='52:54:00:11:22:33'/><ip address='10.1.1.1' "
				      "netmask='255.255.255.0'><dhcp>"
				      "<range start='10.1.1.2' end='10.1.1.254'/></dhcp></ip>"));
	core_attach(h, "lan", "one", NULL, &g.a);
	core_attach(h, "lan", "two", NULL, &g.b);
	core_turn(h);
	core_forget(h);
	return g;
}

static void close_guests(struct core_harness *h, struct guests *g)
{
	core_close(&g->a);
	core_close(&g->b);
	core_turn(h);
}

static void assert_whole(const struct guests *g)
{
	struct nd_address a;
	const struct nd_link *l = fake_link_find("br-lan");

	assert_true(l && l->flags & IFF_UP && l->ifindex == g->n->ifindex);
	assert_int_equal(g->n->state, NETWORK_ACTIVE);
	assert_int_equal(fake_addresses(l->ifindex, &a, 1), 1);
	assert_int_equal(fake_link_find("vnet0")->master, l->ifindex);
	assert_int_equal(fake_link_find("vnet1")->master, l->ifindex);
}

static void test_pulled_out(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct nd_link *l = fake_link_find("vnet0");

	l->master = 0;
	l->mtu = 1400;
	fake_link_changed(l->ifindex);
	core_turn(h);
	assert_whole(&g);
	assert_true(core_told(h, "repaired lan: TAP vnet0: its bridge was changed; it is put back\n"));
	assert_int_equal(core_told_count(h, "repaired"), 1);
	close_guests(h, &g);
}

static void test_bridge_deleted(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	int was = g.n->ifindex;

	fake_link_del(was);
	core_turn_once(h);
	core_turn_once(h); /* read, and repaired before the next sleep */
	assert_true(g.n->ifindex != was);
	core_turn(h);
	assert_whole(&g);
	assert_int_equal(core_told_count(h, "repaired lan: bridge, addresses of br-lan: put back in "), 1);
	assert_true(core_told(h, "; somebody deleted it\n"));
	assert_string_equal(fake_worker_told(), "network lan\n"); /* it serves by ifindex */
	assert_false(core_told(h, "failed") || core_told(h, "degraded"));
	close_guests(h, &g);
}

static void test_bridge_changed(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct nd_link *l = fake_link_find("br-lan");
	struct nd_address a, extra;

	l->flags &= ~(uint32_t)IFF_UP;
	l->mac.b[5]++;
	fake_link_changed(l->ifindex);
	core_turn(h);
	assert_whole(&g);
	assert_int_equal(l->mac.b[5], 0x33);
	assert_true(core_told(h, "repaired lan: bridge of br-lan: put back in "));
	assert_true(core_told(h, "somebody changed it"));
	core_forget(h);
	fake_addresses(l->ifindex, &a, 1);
	fake_address_del(&a);
	extra = a;
	nd_prefix_from_string("10.9.9.9/24", &extra.prefix);
	fake_address_add(&extra);
	core_turn(h);
	assert_whole(&g);
	fake_addresses(l->ifindex, &a, 1);
	assert_int_equal(nd_ip_to_ip4(&a.prefix.ip), 0x0a010101);
	assert_true(core_told(h, "repaired lan: addresses of br-lan: put back in "));
	assert_true(core_told(h, "somebody changed its addresses"));
	close_guests(h, &g);
}

/* Elements that go, of all objects, come back in one transaction. */
static void test_elements(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	size_t elements = fake_nft_count();
	unsigned commits = fake_nft_commit_count();

	fake_nft_foreign_delete(NAT_SET_PORT_MARK, "vnet0");
	fake_nft_foreign_delete(NAT_SET_PORT_MARK, "vnet1");
	fake_nft_foreign_delete(NAT_SET_DHCP, "br-lan");
	core_turn(h);
	assert_int_equal(fake_nft_count(), elements);
	assert_int_equal(fake_nft_commit_count(), commits + 1);
	assert_true(core_told(h, "repaired : nft ruleset: put back in "));
	assert_true(core_told(h, "nft (pid 4711) removed or changed element of set port_mark"));
	assert_int_equal(core_told_count(h, "repaired"), 1);
	close_guests(h, &g);
}

static void change_mac(const char *name)
{
	struct nd_link *l = fake_link_find(name);

	l->mac.b[5] ^= 0x80;
	fake_link_changed(l->ifindex);
}

static void test_tamper(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct nd_mac mac = fake_link_find("vnet0")->mac;

	change_mac("vnet0");
	core_turn(h);
	assert_memory_equal(&fake_link_find("vnet0")->mac, &mac, sizeof(mac));
	assert_true(core_told(h, "port-tampered lan: somebody changed the device's MAC address (holder: pid "
				 "4242, uid 1001); it is put back\n"));
	/* an owner and persistence go back through the holder's file */
	struct nd_link *l = fake_link_find("vnet1");
	fake_tun_holder(4242);
	l->tun_owner = 1001;
	l->tun_persist = true;
	fake_link_changed(l->ifindex);
	core_turn(h);
	assert_true(l->tun_owner == 0 && !l->tun_persist);
	assert_true(core_told(h, "somebody changed the device's owner, persistence (holder"));
	close_guests(h, &g);
}

static void test_quarantine(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	const struct nd_link *l = fake_link_find("vnet0");

	for (int i = 0; i < 20; i++) {
		change_mac("vnet0");
		core_turn(h);
	}
	assert_int_equal(g.a.p->state, PORT_ATTACHED);
	change_mac("vnet0");
	core_turn(h);
	assert_int_equal(g.a.p->state, PORT_QUARANTINED);
	assert_true(!l->master && !l->carrier);
	assert_true(core_told(h, "changed the device more than 20 times in a second: it is taken out of the "
				 "bridge until it is attached again\n"));
	core_forget(h);
	change_mac("vnet0"); /* whatever it does now */
	repair_mark_all(&h->c, "a test");
	core_turn(h);
	assert_int_equal(l->master, 0);
	assert_int_equal(core_told_count(h, "\n"), 0);
	fake_link_del(g.n->ifindex); /* and whatever happens to its network */
	core_turn(h);
	assert_int_equal(l->master, 0);
	assert_int_equal(fake_link_find("vnet1")->master, g.n->ifindex);
	/* quarantine outlives the daemon */
	core_stop(h);
	core_start(h);
	assert_int_equal(model_port_find(&h->model, "one")->state, PORT_QUARANTINED);
	assert_int_equal(l->master, 0);
	close_guests(h, &g);
	core_turn(h);
	core_attach(h, "lan", "one", NULL, &g.a);
	assert_int_equal(g.a.p->state, PORT_ATTACHED);
	core_close(&g.a);
}

/* A port that could not be put back is tried again without anybody's doing. */
static void test_port_retry(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct nd_link *l = fake_link_find("vnet0");

	l->master = 0;
	fake_link_changed(l->ifindex);
	fake_fail_at(1, ENOBUFS, NULL);
	core_turn(h);
	assert_non_null(fake_failed_call());
	assert_int_equal(l->master, 0);
	core_wait(h, 400);
	assert_int_equal(l->master, g.n->ifindex);
	assert_false(core_told(h, "repair-failed")); /* only what fails twice is told */
	close_guests(h, &g);
}

/* An owner that cannot be put back, since the holder hides, is not left for long; nor is persistence once that holder is gone. */
static void test_hidden_holder(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct nd_link *l = fake_link_find("vnet0");
	int ifindex = l->ifindex;

	l->tun_owner = 1001;
	l->tun_persist = true;
	fake_link_changed(ifindex);
	core_turn(h);
	assert_int_equal(g.a.p->state, PORT_ATTACHED);
	core_wait(h, 400);
	assert_int_equal(g.a.p->state, PORT_QUARANTINED);
	assert_true(!l->master && !l->carrier);
	assert_int_equal(core_told_count(h,
					 "changed the device and that cannot be put back (TAP 'vnet0': tap "
					 "'vnet0': no process seems to hold it): it is taken out of"),
			 1);
	core_forget(h);
	core_wait(h, 1000);
	assert_int_equal(core_told_count(h, "\n"), 0);
	core_close(&g.a);
	fake_tun_sync();
	assert_ptr_equal(fake_link_by_index(ifindex), l); /* it was made persistent, after all */
	core_wait(h, 3000);
	fake_tun_sync();
	core_turn(h);
	assert_null(fake_link_by_index(ifindex));
	assert_true(core_told(h, "port-ended lan: ended: "));
	assert_null(model_port_find(&h->model, "one"));
	core_close(&g.b);
	core_turn(h);
}

/* Its port was detached while the holder lived. */
static void test_stray_left(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct nd_link *l = fake_link_find("vnet0");
	int ifindex = l->ifindex;

	l->tun_persist = true;
	port_end(&h->c, g.a.p, "a test");
	fake_link_changed(ifindex);
	core_turn(h);
	assert_non_null(fake_link_by_index(ifindex));
	core_close(&g.a);
	core_wait(h, 1000);
	fake_tun_sync();
	assert_null(fake_link_by_index(ifindex));
	core_close(&g.b);
	core_turn(h);
}

static void test_degraded(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);

	struct nd_link *l = fake_link_find("br-lan");
	l->mtu = 1400;
	l->flags &= ~(uint32_t)IFF_UP;
	fake_link_changed(l->ifindex);
	fake_fail_at(1, ENOBUFS, "kernel words");
	core_turn(h);
	assert_int_equal(g.n->state, NETWORK_DEGRADED);
	assert_string_equal(g.n->degraded,
			    "bridge 'br-lan': set up: No buffer space available (ENOBUFS): kernel words");
	assert_true(core_told(h, "network-degraded lan: bridge 'br-lan': set up"));
	core_wait(h, 400);
	assert_int_equal(g.n->state, NETWORK_ACTIVE);
	assert_null(g.n->degraded);
	assert_true(core_told(h, "network-recovered lan: everything is in place again\n"));
	assert_whole(&g);
	close_guests(h, &g);
}

/* Marked, then gone before its turn comes. */
static void test_gone_while_marked(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct outcome o;

	repair_mark_all(&h->c, "a test");
	repair_mark_all(&h->c, "a test");
	network_destroy(&h->c, g.n, true, core_done(&o)); /* transient: freed */
	assert_int_equal(o.e.code, 0);
	core_turn(h);
	struct network *n = core_define(h, core_xml("lab", "br-lab", "10.3.3.1", ""));
	core_start_network(h, n);
	fake_link_del(n->ifindex);
	repair_mark_network(&h->c, n, "a test");
	network_destroy(&h->c, n, false, core_done(&o)); /* inactive, but there */
	core_turn(h);
	assert_null(fake_link_find("br-lab"));
	close_guests(h, &g);
	assert_int_equal(fake_link_count(), 1);
}

static void test_worker_restart(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	char want[200], a[ND_MAC_STRLEN], b[ND_MAC_STRLEN];

	fake_worker_restart(h->c.supervisor);
	core_turn(h);
	snprintf(want, sizeof(want), "network lan\nport %s\nport %s\n", nd_mac_to_string(&g.a.p->mac, a),
		 nd_mac_to_string(&g.b.p->mac, b));
	assert_string_equal(fake_worker_told(), want);
	assert_int_equal(core_changes(h), 0);
	assert_false(core_told(h, "repaired"));
	close_guests(h, &g);
}

/* Others' links in the bridge are counted, through lost events too: with the first the worker must probe, with the last no more. */
static void test_foreign_ports(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);
	struct nd_link l = { .kind = ND_LINK_VETH, .name = "veth0", .master = g.n->ifindex }, m = l;

	strcpy(m.name, "veth1");
	int i = fake_link_add(&l);
	core_turn(h);
	assert_int_equal(g.n->foreign_ports, 1);
	assert_string_equal(fake_worker_told(), "network lan\n");
	int j = fake_link_add(&m);
	core_turn(h);
	assert_int_equal(g.n->foreign_ports, 2);
	fake_link_del(i);
	fake_link_find("veth1")->master = 0;
	fake_link_changed(j);
	core_turn(h);
	assert_int_equal(g.n->foreign_ports, 0);
	assert_string_equal(fake_worker_told(), "network lan\nnetwork lan\n");
	fake_worker_forget();
	fake_link_find("veth1")->master = g.n->ifindex;
	fake_link_changed(j);
	fake_overrun();
	core_turn(h);
	assert_int_equal(g.n->foreign_ports, 1);
	assert_string_equal(fake_worker_told(), "network lan\n");
	fake_link_del(j);
	fake_overrun();
	core_turn(h);
	assert_int_equal(g.n->foreign_ports, 0);
	close_guests(h, &g);
}

static void test_lost_events(void **state)
{
	struct core_harness *h = *state;
	struct guests g = two_guests(h);

	core_close(&g.a);
	fake_tun_sync();
	fake_link_del(g.n->ifindex);
	fake_overrun();
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 1);
	assert_true(core_told(h, "port-ended lan: ended: its device is gone\n"));
	assert_true(core_told(h, "repaired lan: bridge, addresses of br-lan: put back"));
	assert_int_equal(fake_link_find("vnet1")->master, g.n->ifindex);
	close_guests(h, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pulled_out, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bridge_deleted, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bridge_changed, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_elements, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_tamper, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_hidden_holder, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_stray_left, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_quarantine, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_port_retry, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_degraded, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_gone_while_marked, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_worker_restart, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_foreign_ports, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_lost_events, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

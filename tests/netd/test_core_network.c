// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the verbs on networks, over the fake kernel: their ends, their refusals, and what a failure leaves. */
#include "base/mem.h"
#include "netd/core/disk.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <linux/if.h>

#define DHCP_IP(a)                                                                           \
	"<ip address='" a ".1' netmask='255.255.255.0'><dhcp><range start='" a ".2' end='" a \
	".254'/></dhcp>"                                                                     \
	"</ip>"
#define AUTO_IP "<ip address='192.168.122.1' netmask='255.255.255.0' netd:subnet='auto'/>"
#define BOOT    "<netd:autostart mode='boot'/>"

static uint32_t address_of(const struct network *n)
{
	struct nd_address a;

	assert_int_equal(fake_addresses(n->ifindex, &a, 1), 1);
	return nd_ip_to_ip4(&a.prefix.ip);
}

/* Nothing of netd's is in the kernel. */
static void assert_empty(struct core_harness *h)
{
	core_turn(h);
	assert_int_equal(fake_link_count(), 1);
	assert_int_equal(fake_nft_count(), 0);
}

static void test_life(void **state)
{
	struct core_harness *h = *state;
	struct network *n =
		core_define(h, core_xml("lan", "br-lan", "", "<forward mode='nat'/>" DHCP_IP("10.1.1")));
	const struct nd_link *l;

	assert_int_equal(n->state, NETWORK_INACTIVE);
	assert_true(core_exists(h, "etc/networks/lan.xml"));
	assert_true(core_told(h, "network-defined lan: defined\n"));
	core_start_network(h, n);
	l = fake_link_find("br-lan");
	assert_true(l && l->flags & IFF_UP && l->group == ND_GROUP_LIVE && l->has_alias);
	assert_true(nd_uuid_equal(&l->alias_network, &n->uuid) && nd_mac_equal(&l->mac, &n->live->mac));
	assert_int_equal(n->ifindex, l->ifindex);
	assert_int_equal(address_of(n), 0x0a010101);
	assert_true(fake_nft_count() > 0);
	assert_string_equal(fake_worker_told(), "network lan\n");
	assert_true(core_told(h, "network-started lan: started on bridge br-lan\n"));
	assert_true(core_told(h, "sysctl-set lan: net/ipv4/ip_forward set to 1"));
	assert_false(core_told(h, "repair"));
	assert_int_equal(h->model.active_cnt, 1);
	core_forget(h);
	core_destroy(h, n, false);
	assert_int_equal(n->state, NETWORK_INACTIVE);
	assert_true(!n->live && !n->plan && !n->bridge[0]);
	assert_string_equal(fake_worker_told(), "no network lan\n");
	assert_int_equal(h->model.active_cnt, 0);
	assert_false(core_told(h, "repair"));
	assert_empty(h);
}

/* The kernel's events of one start are not read yet when the next begins. */
static void test_two_starts_in_a_turn(void **state)
{
	struct core_harness *h = *state;
	struct network *a = core_define(h, core_xml("a", "", "", AUTO_IP BOOT)),
		       *b = core_define(h, core_xml("b", "", "", AUTO_IP BOOT)),
		       *x = core_define(h, core_xml("x", "", "192.168.122.1", BOOT));

	network_autostart(&h->c);
	assert_int_equal(address_of(a), 0xc0a87a01);
	assert_int_equal(address_of(b), 0xc0a87b01);
	assert_int_equal(x->state, NETWORK_INACTIVE); /* the same subnet, explicitly */
	core_turn(h);
	assert_true(core_told(h,
			      "network-subnet b: subnet 192.168.123.0/24 was chosen, since the preferred one "
			      "collides with route 192.168.122.0/24 on virbr0"));
}

static void test_start_after_destroy_in_a_turn(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "10.1.1.1", ""));
	struct outcome o;

	core_start_network(h, n);
	core_forget(h);
	network_destroy(&h->c, n, false, core_done(&o));
	assert_int_equal(o.e.code, 0);
	network_start(&h->c, n, core_done(&o));
	assert_int_equal(o.e.code, 0);
	core_turn(h);
	assert_non_null(fake_link_find("br-lan"));
	assert_int_equal(fake_link_find("br-lan")->ifindex, n->ifindex);
	assert_int_equal(address_of(n), 0x0a010101);
	assert_false(core_told(h, "repair"));
	assert_int_equal(fake_link_count(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_two_starts_in_a_turn, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_start_after_destroy_in_a_turn, core_setup,
						core_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

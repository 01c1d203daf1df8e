/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: tap/tap.c on the fake kernel: each call fails once, and nothing is left
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "tap/tap.h"
#include "tap/tun.h"
#include "tests/fake/fake.h"
#include "tests/fake/tun.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define ALIAS "netd:6ba7b810-9dad-41d1-80b4-00c04fd430c8:6ba7b811-9dad-41d1-80b4-00c04fd430c8"
#define ALL   "set MAC, MTU, group, alias, master, up: "

static struct nd_nl *nl;
static int bridge;

static int setup(void **state)
{
	struct nd_link br = { .kind = ND_LINK_BRIDGE, .flags = IFF_UP, .name = "br0", .mtu = 1500 };

	fake_reset();
	bridge = fake_link_add(&br);
	return bridge > 0 ? nd_nl_new(NETLINK_ROUTE, &nl, NULL) : -1;
}

static int teardown(void **state)
{
	nd_nl_free(nl);
	fake_reset();
	return 0;
}

static struct tap_config config(uint16_t queue_cnt)
{
	struct tap_config c = { .name = "nd0",
				.mac = { { 0xfe, 0x54, 0, 0x12, 0x34, 0x56 } },
				.mtu = 1400,
				.queue_cnt = queue_cnt,
				.vnet_hdr = true,
				.master = bridge,
				.alias = ALIAS };
	return c;
}

static struct nd_link record(const char *name)
{
	struct nd_link *l = fake_link_find(name), none = { 0 };

	assert_non_null(l);
	return l ? *l : none;
}

static void test_open(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle h;

	assert_int_equal(tap_open(nl, &want, &h, NULL), 0);
	struct nd_link l = record("nd0");
	assert_int_equal(h.ifindex, l.ifindex);
	assert_string_equal(h.name, "nd0");
	assert_int_equal(h.fd_cnt, 1);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	assert_true(l.tun_vnet_hdr);
	assert_false(l.tun_multi_queue);
	tap_handle_close(&h);
	fake_tun_sync();
	assert_null(fake_link_find("nd0"));
	tap_handle_close(&h);
	tap_handle_close(NULL);
}

static void test_open_queues(void **state)
{
	struct tap_config want = config(TAP_QUEUES_MAX);
	struct tap_handle h;

	want.vnet_hdr = false;
	want.mtu = 0;
	want.alias[0] = '\0';
	assert_int_equal(tap_open(nl, &want, &h, NULL), 0);
	struct nd_link l = record("nd0");
	assert_int_equal(h.fd_cnt, TAP_QUEUES_MAX);
	assert_int_equal(l.tun_queues, TAP_QUEUES_MAX);
	assert_true(l.tun_multi_queue);
	assert_false(l.tun_vnet_hdr);
	assert_int_equal(l.mtu, 1500);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	tap_handle_close(&h);
	assert_int_equal(fake_tun_queue_count(l.ifindex), 0);
	assert_null(fake_link_find("nd0"));
}

struct failure {
	const char *call;
	int code; /* 0: the failure does not matter */
	const char *text;
};

/* rows: one for each call in its order, ended by a NULL. Every call fails once, with err. */
static void fail_each(uint16_t queue_cnt, int err, const struct failure *rows)
{
	unsigned n = 1;

	for (;; n++, rows++) {
		struct tap_config want = config(queue_cnt);
		struct nd_error e = ND_ERROR_INIT;
		struct tap_handle h;
		char text[ND_ERROR_STORE];

		fake_fail_at(n, err, NULL);
		int rc = tap_open(nl, &want, &h, &e);
		if (!fake_failed_call()) {
			tap_handle_close(&h);
			break;
		}
		assert_non_null(rows->call);
		assert_string_equal(fake_failed_call(), rows->call);
		assert_int_equal(rc, rows->code);
		if (rc == 0) {
			struct nd_link l = record("nd0");
			assert_int_equal(tap_diff(&want, &l), TAP_SAME);
			tap_handle_close(&h);
		} else {
			nd_error_format(&e, text, sizeof(text));
			assert_string_equal(text, rows->text);
		}
		fake_tun_sync();
		assert_null(fake_link_find("nd0"));
		assert_int_equal(fake_link_count(), 2);
	}
	assert_null(rows->call);
	fake_fail_at(0, 0, NULL);
}

static void test_fail_each_single(void **state)
{
	static const struct failure rows[] = {
		{ "open", ND_SYSTEM, "tap 'nd0': open /dev/net/tun: Permission denied (EACCES)" },
		{ "TUNSETIFF", ND_SYSTEM, "tap 'nd0': create: Permission denied (EACCES)" },
		{ "TUNSETOWNER", ND_SYSTEM, "tap 'nd0': set owner 0: Permission denied (EACCES)" },
		{ "SIOCGIFINDEX", ND_SYSTEM, "tap 'nd0': read the index: Permission denied (EACCES)" },
		{ "RTM_NEWLINK", 0, NULL },  /* no IPv6 addresses */
		{ "RTM_NEWQDISC", 0, NULL }, /* no queue */
		{ "RTM_NEWLINK", ND_SYSTEM, "tap 'nd0': " ALL "Permission denied (EACCES)" },
		{ NULL },
	};

	fail_each(1, EACCES, rows);
}

static void test_fail_each_queues(void **state)
{
	static const struct failure rows[] = {
		{ "open", ND_MEMORY, "tap 'nd0': open /dev/net/tun: Cannot allocate memory (ENOMEM)" },
		{ "TUNSETIFF", ND_MEMORY, "tap 'nd0': create: Cannot allocate memory (ENOMEM)" },
		{ "TUNSETOWNER", ND_MEMORY, "tap 'nd0': set owner 0: Cannot allocate memory (ENOMEM)" },
		{ "SIOCGIFINDEX", ND_MEMORY, "tap 'nd0': read the index: Cannot allocate memory (ENOMEM)" },
		{ "open", ND_MEMORY,
		  "tap 'nd0': queue 2 of 3: open /dev/net/tun: Cannot allocate memory (ENOMEM)" },
		{ "TUNSETIFF", ND_MEMORY,
		  "tap 'nd0': queue 2 of 3: attach a queue: Cannot allocate memory (ENOMEM)" },
		{ "open", ND_MEMORY,
		  "tap 'nd0': queue 3 of 3: open /dev/net/tun: Cannot allocate memory (ENOMEM)" },
		{ "TUNSETIFF", ND_MEMORY,
		  "tap 'nd0': queue 3 of 3: attach a queue: Cannot allocate memory (ENOMEM)" },
		/* 9: lo, br0, and a device in each of the six turns before */
		{ "RTM_GETLINK", ND_MEMORY,
		  "tap 'nd0': count the queues: link 9: Cannot allocate memory (ENOMEM)" },
		{ "RTM_NEWLINK", 0, NULL },
		{ "RTM_NEWQDISC", 0, NULL },
		{ "RTM_NEWLINK", ND_MEMORY, "tap 'nd0': " ALL "Cannot allocate memory (ENOMEM)" },
		{ NULL },
	};

	fail_each(3, ENOMEM, rows);
}

static int open_fails(const struct tap_config *want, const char *text)
{
	struct nd_error e = ND_ERROR_INIT;
	struct tap_handle h;
	char got[ND_ERROR_STORE];

	int rc = tap_open(nl, want, &h, &e);
	assert_true(rc < 0);
	nd_error_format(&e, got, sizeof(got));
	assert_string_equal(got, text);
	return rc;
}

static void test_name_taken(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle first;

	assert_int_equal(tap_open(nl, &want, &first, NULL), 0);
	assert_int_equal(open_fails(&want, "tap 'nd0': an interface of this name exists"), ND_EXISTS);
	assert_int_equal(tap_open(nl, &want, &first, NULL), ND_EXISTS);
	nd_strcpy(want.name, sizeof(want.name), "br0");
	assert_int_equal(open_fails(&want, "tap 'br0': an interface of this name exists"), ND_EXISTS);
	assert_int_equal(fake_tun_queue_count(first.ifindex), 1);
	tap_handle_close(&first);
}

static void test_bridge_full(void **state)
{
	struct tap_config want = config(1);
	struct nd_link port = { .kind = ND_LINK_VETH, .master = bridge };

	for (int i = 0; i < 1023; i++) {
		snprintf(port.name, sizeof(port.name), "p%d", i);
		assert_true(fake_link_add(&port) > 0);
	}
	assert_int_equal(open_fails(&want, "tap 'nd0': " ALL "Exchange full (EXFULL)"), ND_LIMIT);
	fake_tun_sync();
	assert_null(fake_link_find("nd0"));
}

/* Whoever attached before the owner was set has a queue, and would get frames. */
static void test_queue_stolen(void **state)
{
	struct tap_config want = config(2);

	fake_tun_steal_queue();
	assert_int_equal(open_fails(&want, "tap 'nd0': another process attached to it: 3 queues, 2 are ours"),
			 ND_BUSY);
	assert_int_equal(fake_call_count(), 8);
}

static void test_queue_limits(void **state)
{
	struct tap_config want = config(0);

	assert_int_equal(open_fails(&want, "tap 'nd0': 0 queues: must be 1 to 64"), ND_INVALID);
	want.queue_cnt = TAP_QUEUES_MAX + 1;
	assert_int_equal(open_fails(&want, "tap 'nd0': 65 queues: must be 1 to 64"), ND_INVALID);
	assert_int_equal(fake_call_count(), 1);
}

static void test_diff(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle h;
	struct nd_link l;

	assert_int_equal(tap_open(nl, &want, &h, NULL), 0);
	const struct nd_link good = record("nd0");
#define CHANGED(change, bit)                                \
	do {                                                \
		l = good;                                   \
		change;                                     \
		assert_int_equal(tap_diff(&want, &l), bit); \
	} while (0)
	CHANGED(l.mac.b[5] ^= 1, TAP_MAC);
	CHANGED(l.mtu = 1500, TAP_MTU);
	CHANGED(l.master = 0, TAP_MASTER);
	CHANGED(l.group = 0, TAP_GROUP);
	CHANGED(l.group = ND_GROUP_DEAD, TAP_GROUP);
	CHANGED(l.has_alias = false, TAP_ALIAS);
	CHANGED(l.alias_network.b[0] ^= 1, TAP_ALIAS);
	CHANGED(l.alias_port.b[0] ^= 1, TAP_ALIAS);
	CHANGED(l.flags &= ~(unsigned)IFF_UP, TAP_DOWN);
	CHANGED(l.tun_owner = 1000, TAP_OWNER);
	CHANGED(l.tun_owner = UINT32_MAX, TAP_OWNER);
	CHANGED(l.tun_persist = true, TAP_PERSIST);
	CHANGED(l.mtu = 1, TAP_MTU);
	want.mtu = 0;
	CHANGED(l.mtu = 1, TAP_SAME);
#undef CHANGED
	tap_handle_close(&h);
}

static void test_restore(void **state)
{
	struct tap_config want = config(1);
	struct nd_error e = ND_ERROR_INIT;
	struct tap_handle h;
	char text[ND_ERROR_STORE];

	assert_int_equal(tap_open(nl, &want, &h, NULL), 0);
	struct nd_link *l = fake_link_find("nd0");
	l->mac.b[5] ^= 1;
	l->master = 0;
	l->flags &= ~(unsigned)IFF_UP;
	unsigned diff = tap_diff(&want, l), calls = fake_call_count();
	assert_int_equal(tap_restore(nl, h.ifindex, &want, diff, NULL), 0);
	assert_int_equal(fake_call_count(), calls + 1);
	assert_int_equal(tap_diff(&want, fake_link_find("nd0")), TAP_SAME);
	assert_int_equal(tap_restore(nl, h.ifindex, &want, TAP_SAME, NULL), 0);
	assert_int_equal(tap_restore(nl, h.ifindex, &want, TAP_OWNER | TAP_PERSIST, NULL), 0);
	assert_int_equal(fake_call_count(), calls + 1);

	fake_fail_at(1, EBUSY, "kernel words");
	assert_int_equal(tap_restore(nl, h.ifindex, &want, TAP_MAC | TAP_DOWN | TAP_OWNER, &e), ND_BUSY);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "tap 'nd0': set MAC, up: Device or resource busy (EBUSY): kernel words");
	tap_handle_close(&h);
}

static void test_drain(void **state)
{
	struct tap_config want = config(1);
	struct nd_error e = ND_ERROR_INIT;
	struct tap_handle h;
	char text[ND_ERROR_STORE], expected[100];

	assert_int_equal(tap_open(nl, &want, &h, NULL), 0);
	fake_fail_at(1, EPERM, NULL);
	assert_int_equal(tap_drain(nl, h.ifindex, &e), ND_SYSTEM);
	nd_error_format(&e, text, sizeof(text));
	snprintf(expected, sizeof(expected), "drain the tap with index %d: Operation not permitted (EPERM)",
		 h.ifindex);
	assert_string_equal(text, expected);

	assert_int_equal(tap_drain(nl, h.ifindex, NULL), 0);
	struct nd_link l = record("nd0");
	assert_int_equal(l.master, 0);
	assert_false(l.carrier);
	assert_int_equal(l.group, ND_GROUP_LIVE);
	assert_int_equal(fake_tun_queue_count(h.ifindex), 1);
	tap_handle_close(&h);
	fake_tun_sync();
	assert_int_equal(tap_drain(nl, h.ifindex, NULL), 0);
}

static void test_special_ports(void **state)
{
	static const struct tap_vlan vlans[] = { { .id = 10 }, { .id = 11, .pvid = true, .untagged = true } };
	struct tap_config want = config(1);
	struct tap_handle h;

	want.isolated = want.fixed_guest = true;
	want.guest = (struct nd_mac){ { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };
	want.vlans = vlans;
	want.vlan_cnt = 2;
	fake_vlan_filtering(true);
	assert_int_equal(tap_open(nl, &want, &h, NULL), 0);
	struct nd_link l = record("nd0");
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	assert_true(l.br_isolated_port && l.br_learning_off && l.br_flood_off && l.flags & IFF_UP);
	assert_string_equal(fake_bridge_log(), "nd0: no vlan 1\nnd0: vlan 10\nnd0: vlan 11 pvid untagged\n"
					       "nd0: fdb 52:54:00:12:34:56\n");
	/* a flag alone */
	fake_link_find("nd0")->br_isolated_port = false;
	l = record("nd0");
	assert_int_equal(tap_diff(&want, &l), TAP_ISOLATED);
	assert_int_equal(tap_restore(nl, h.ifindex, &want, TAP_ISOLATED, NULL), 0);
	assert_true(record("nd0").br_isolated_port);
	/* in another bridge it has none of them: all are given again */
	assert_int_equal(tap_drain(nl, h.ifindex, NULL), 0);
	l = record("nd0");
	assert_int_equal(tap_diff(&want, &l), TAP_MASTER);
	assert_int_equal(tap_restore(nl, h.ifindex, &want, TAP_MASTER, NULL), 0);
	l = record("nd0");
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	assert_non_null(strstr(strstr(fake_bridge_log(), "fdb"), "fdb"));
	/* back to what any port is */
	want.isolated = want.fixed_guest = false;
	assert_int_equal(tap_diff(&want, &l), TAP_ISOLATED | TAP_LEARNING);
	assert_int_equal(tap_restore(nl, h.ifindex, &want, TAP_ISOLATED | TAP_LEARNING, NULL), 0);
	l = record("nd0");
	assert_true(!l.br_isolated_port && !l.br_learning_off && !l.br_flood_off);
	/* without a bridge there is nothing to give */
	want.isolated = true;
	want.master = 0;
	assert_int_equal(tap_drain(nl, h.ifindex, NULL), 0);
	l = record("nd0");
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	tap_handle_close(&h);
	fake_tun_sync();
}

static void test_fail_each_special(void **state)
{
	static const struct tap_vlan vlan = { .id = 10, .pvid = true, .untagged = true };
	struct tap_config want = config(1);
	struct tap_handle h;
	unsigned n;

	want.isolated = want.fixed_guest = true;
	want.vlans = &vlan;
	want.vlan_cnt = 1;
	fake_vlan_filtering(true);
	for (n = 1; n < 50; n++) {
		struct nd_error e = ND_ERROR_INIT;

		fake_fail_at(n, EIO, NULL);
		int rc = tap_open(nl, &want, &h, &e);
		if (!fake_failed_call())
			break;
		fake_fail_at(0, 0, NULL);
		if (rc == 0) { /* a preparation, for speed alone */
			tap_handle_close(&h);
		}
		fake_tun_sync();
		assert_null(fake_link_find("nd0"));
	}
	assert_true(n > 6);
	tap_handle_close(&h);
	fake_tun_sync();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_queues, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fail_each_single, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fail_each_queues, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bridge_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_stolen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diff, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_special_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fail_each_special, setup, teardown),
	};
	return cmocka_run_group_tests_name("tap/tap", tests, NULL, NULL);
}

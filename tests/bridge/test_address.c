/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: bridge/address.c against the fake kernel
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bridge/bridge.h"
#include "tests/fake/fake.h"

#define ADDRESSES_MAX 8

static struct nd_nl *nl;
static int ifindex;

static int open_fake(void **state)
{
	const struct nd_link bridge = { .name = "virbr1", .kind = ND_LINK_BRIDGE, .flags = IFF_UP };
	struct nd_error e = ND_ERROR_INIT;

	fake_reset();
	ifindex = fake_link_add(&bridge);
	return nd_nl_new(NETLINK_ROUTE, &nl, &e);
}

static int close_fake(void **state)
{
	nd_nl_free(nl);
	return 0;
}

/* texts: NULL-ended. */
struct wanted {
	struct bridge_config config;
	struct nd_prefix addresses[ADDRESSES_MAX];
};

static const struct bridge_config *wanted(struct wanted *w, const char *const *texts)
{
	*w = (struct wanted){ .config.name = "virbr1" };
	for (; *texts; texts++)
		assert_int_equal(nd_prefix_from_string(*texts, &w->addresses[w->config.address_cnt++]), 0);
	w->config.addresses = w->addresses;
	return &w->config;
}

static void add_foreign(const char *text, uint8_t scope)
{
	struct nd_address a = { .ifindex = ifindex, .scope = scope };

	assert_int_equal(nd_prefix_from_string(text, &a.prefix), 0);
	assert_int_equal(fake_address_add(&a), 0);
}

static size_t have(struct nd_address list[ADDRESSES_MAX])
{
	return fake_addresses(ifindex, list, ADDRESSES_MAX);
}

static int apply(const struct bridge_config *want, struct nd_error *e)
{
	struct nd_address list[ADDRESSES_MAX];
	size_t cnt = have(list);

	return bridge_address_apply(nl, ifindex, want, list, cnt, e);
}

static bool same(const struct bridge_config *want)
{
	struct nd_address list[ADDRESSES_MAX];
	size_t cnt = have(list);

	return bridge_address_same(want, list, cnt);
}

static const char *const both[] = { "10.1.1.1/24", "fd00::1/64", NULL };
static const char *const none[] = { NULL };

static void test_add(void **state)
{
	struct nd_address list[ADDRESSES_MAX];
	struct nd_error e = ND_ERROR_INIT;
	struct wanted w;
	unsigned calls;

	wanted(&w, both);
	assert_false(same(&w.config));
	assert_int_equal(apply(&w.config, &e), 0);
	assert_true(same(&w.config));
	assert_int_equal(have(list), 2);
	assert_int_equal(list[0].flags, IFA_F_PERMANENT);
	assert_int_equal(list[1].flags, IFA_F_PERMANENT | IFA_F_NODAD);
	calls = fake_call_count();
	assert_int_equal(apply(&w.config, &e), 0);
	assert_int_equal(fake_call_count(), calls);
}

static void test_sweep(void **state)
{
	struct nd_address list[ADDRESSES_MAX];
	struct nd_error e = ND_ERROR_INIT;
	struct wanted w;

	add_foreign("192.168.7.1/24", RT_SCOPE_UNIVERSE);
	add_foreign("fd99::1/64", RT_SCOPE_UNIVERSE);
	add_foreign("fe80::1/64", RT_SCOPE_LINK);
	add_foreign("10.1.1.1/16", RT_SCOPE_UNIVERSE); /* ours, but for the length */
	wanted(&w, both);
	assert_int_equal(apply(&w.config, &e), 0);
	assert_true(same(&w.config));
	assert_int_equal(have(list), 3);
	wanted(&w, none);
	assert_false(same(&w.config));
	assert_int_equal(apply(&w.config, &e), 0);
	assert_int_equal(have(list), 1);
	assert_int_equal(list[0].scope, RT_SCOPE_LINK);
	assert_true(same(&w.config));
}

/* A stray that is the subnet's primary takes ours with it. */
static void test_stray_primary(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct wanted w;

	add_foreign("10.1.1.9/24", RT_SCOPE_UNIVERSE);
	add_foreign("10.1.1.1/24", RT_SCOPE_UNIVERSE);
	wanted(&w, both);
	assert_int_equal(apply(&w.config, &e), 0);
	assert_true(same(&w.config));
}

/* The caller's records are older than the kernel's. */
static void test_stale_records(void **state)
{
	struct nd_address stale = { .ifindex = ifindex };
	struct nd_error e = ND_ERROR_INIT;
	struct wanted w;

	wanted(&w, both);
	assert_int_equal(nd_prefix_from_string("10.7.7.7/24", &stale.prefix), 0);
	assert_int_equal(apply(&w.config, &e), 0);
	assert_int_equal(bridge_address_apply(nl, ifindex, &w.config, &stale, 1, &e), 0);
	assert_true(same(&w.config));
}

static void test_fails(void **state)
{
	static const char *const messages[] = {
		"delete address 192.168.7.1/24: Operation not permitted (EPERM): kernel words",
		"add address 10.1.1.1/24: Operation not permitted (EPERM): kernel words",
		"add address fd00::1/64: Operation not permitted (EPERM): kernel words",
	};
	unsigned n;

	for (n = 1;; n++) {
		struct nd_error e = ND_ERROR_INIT;
		char text[ND_ERROR_STORE];
		struct wanted w;

		close_fake(NULL);
		open_fake(NULL);
		add_foreign("192.168.7.1/24", RT_SCOPE_UNIVERSE);
		wanted(&w, both);
		fake_fail_at(n, EPERM, "kernel words");
		if (apply(&w.config, &e) == 0)
			break;
		nd_error_format(&e, text, sizeof(text));
		assert_true(n <= ARRAY_LEN(messages));
		assert_string_equal(text, messages[n - 1]);
		/* Run again, it ends what it began. */
		assert_int_equal(apply(&w.config, NULL), 0);
		assert_true(same(&w.config));
	}
	assert_int_equal(n, ARRAY_LEN(messages) + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_sweep, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_stray_primary, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_stale_records, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_fails, open_fake, close_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat: the handle over the fake kernel. */
#include "base/mem.h"
#include "base/strtab.h"
#include "nat/nat.h"
#include "tests/fake/fake.h"
#include "tests/fake/nft.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct nat_config lan = {
	.network = { .bridge = "virbr0", .forward4 = NAT_FORWARD_NAT, .dhcp = true }
};
static const struct nat_config lab = {
	.network = { .bridge = "virbr1", .forward4 = NAT_FORWARD_ISOLATED, .dhcp = true }
};
static const struct nat_config port = { .kind = NAT_PORT,
					.port = { .name = "tap0",
						  .mark = NAT_MARK_BASE | 1,
						  .mac = { { 2, 0, 0, 0, 0, 1 } },
						  .mac_guard = true } };

static void ok(int rc, const struct nd_error *e)
{
	char text[ND_ERROR_STORE];

	if (rc == 0)
		return;
	nd_error_format(e, text, sizeof(text));
	fail_msg("%s", text);
}
#define OK(call)                                   \
	do {                                       \
		struct nd_error e = ND_ERROR_INIT; \
		ok(call, &e);                      \
	} while (0)

static struct nat *opened(bool owner)
{
	struct nat *t;

	OK(nat_new(owner, &t, &e));
	OK(nat_open(t, &e));
	return t;
}

static struct nat *started(bool owner)
{
	struct nat *t;

	fake_reset();
	t = opened(owner);
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_put(t, NULL, &port, &e));
	OK(nat_commit(t, &e));
	return t;
}

static void test_commit(void **state)
{
	struct nat *t = started(true);
	struct nat_config isolated = lan;

	assert_true(nat_owned(t));
	assert_int_equal(fake_nft_count(), 7);
	assert_true(nat_holds(t, &lan) && nat_holds(t, &port) && !nat_holds(t, &lab));
	/* Run twice, it changes nothing, and does not ask the kernel. */
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_put(t, &lan, &lan, &e));
	OK(nat_put(t, &lab, NULL, &e));
	OK(nat_commit(t, &e));
	assert_int_equal(fake_nft_commit_count(), 1);
	isolated.network.forward4 = NAT_FORWARD_ISOLATED;
	isolated.network.dhcp = false;
	OK(nat_put(t, &lan, &isolated, &e));
	assert_true(nat_holds(t, &lan)); /* still */
	OK(nat_commit(t, &e));
	assert_true(nat_holds(t, &isolated) && !nat_holds(t, &lan));
	assert_null(fake_nft_find(NAT_SET_NAT4, "virbr0"));
	assert_null(fake_nft_find(NAT_SET_DHCP, "virbr0"));
	OK(nat_put(t, &isolated, NULL, &e));
	OK(nat_put(t, &port, NULL, &e));
	OK(nat_commit(t, &e));
	assert_int_equal(fake_nft_count(), 0);
	nat_free(t);
}

static void test_flags(void **state)
{
	struct nat *t = started(true);

	assert_int_equal(fake_nft_table(NAT_TABLE_INET)->flags, NAT_TABLE_F_BOTH);
	nat_free(t);
	fake_reset();
	fake_nft_flags_known(false);
	t = opened(true);
	assert_false(nat_owned(t));
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_commit(t, &e));
	assert_int_equal(fake_nft_table(NAT_TABLE_INET)->flags, 0);
	nat_free(t);
}

/* As the kernel leaves owned tables when their owner is gone. */
static void orphan(void)
{
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++) {
		fake_nft_table((enum nat_table)i)->flags &= NAT_TABLE_F_PERSIST;
		fake_nft_table((enum nat_table)i)->owner = 0;
	}
}

static void test_adopt(void **state)
{
	struct nat *t = started(true);
	size_t cnt;

	OK(nat_put(t, NULL, &lab, &e));
	OK(nat_commit(t, &e));
	nat_free(t);
	orphan();
	t = opened(true);
	assert_int_equal(fake_nft_table(NAT_TABLE_BRIDGE)->flags, NAT_TABLE_F_BOTH);
	assert_true(nat_holds(t, &lan) && nat_holds(t, &lab) && nat_holds(t, &port));
	nat_sweep_begin(t);
	nat_claim(t, &lan);
	nat_claim(t, &port);
	OK(nat_sweep(t, &cnt, &e));
	assert_int_equal(cnt, 3);
	OK(nat_commit(t, &e));
	assert_true(nat_holds(t, &lan) && !nat_holds(t, &lab) && nat_holds(t, &port));
	nat_free(t);
	/* The setting changed: the table is made anew, with everything in it. */
	orphan();
	t = opened(false);
	assert_false(nat_holds(t, &lan));
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_commit(t, &e));
	assert_true(nat_holds(t, &lan) && nat_holds(t, &port));
	assert_int_equal(fake_nft_table(NAT_TABLE_INET)->flags, 0);
	nat_free(t);
}

static void test_other_owner(void **state)
{
	struct nd_error err = ND_ERROR_INIT;
	struct nat *t = started(true), *second;

	OK(nat_new(true, &second, &e));
	assert_int_equal(nat_open(second, &err), ND_BUSY);
	nat_free(second);
	nat_free(t);
}

static bool readable(struct nat *t)
{
	struct pollfd p = { .fd = nat_fd(t), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_flush(void **state)
{
	struct nat *t = started(false);
	struct nat_change c;

	fake_nft_foreign_flush();
	assert_true(readable(t));
	OK(nat_on_readable(t, &c, &e));
	assert_false(readable(t));
	assert_true(c.lost);
	assert_int_equal(c.pid, 4711);
	assert_string_equal(c.comm, "nft");
	assert_string_equal(c.what, "table inet netd");
	assert_false(nat_holds(t, &lan) || nat_holds(t, &port));
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_put(t, NULL, &port, &e));
	OK(nat_commit(t, &e));
	assert_true(nat_holds(t, &lan) && nat_holds(t, &port));
	assert_int_equal(fake_nft_commit_count(), 2);
	OK(nat_on_readable(t, &c, &e));
	assert_false(c.lost);
	nat_free(t);
	/* An owned table is not to be had. */
	t = started(true);
	fake_nft_foreign_flush();
	assert_false(readable(t));
	nat_free(t);
}

/* One element or one rule: the repair sends just what is missing. */
static void test_tampered(void **state)
{
	struct nat *t = started(false);
	struct nat_elem stray = { .set = NAT_SET_NAT4, .key_len = 16, .key = "eth0" };
	struct nat_change c;

	fake_nft_foreign_delete(NAT_SET_NAT4, "virbr0");
	OK(nat_on_readable(t, &c, &e));
	assert_true(c.lost);
	assert_string_equal(c.what, "element of set nat4");
	assert_true(nat_holds(t, &port) && !nat_holds(t, &lan));
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_commit(t, &e));
	assert_true(nat_holds(t, &lan));

	fake_nft_foreign_add(&stray);
	OK(nat_on_readable(t, &c, &e));
	assert_true(c.lost);
	OK(nat_commit(t, &e));
	assert_null(fake_nft_find(NAT_SET_NAT4, "eth0"));

	fake_nft_foreign_rule(NAT_TABLE_INET);
	OK(nat_on_readable(t, &c, &e));
	assert_true(c.lost);
	assert_false(nat_holds(t, &lan));
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_commit(t, &e));
	assert_true(nat_holds(t, &lan) && nat_holds(t, &port));
	assert_true(fake_nft_table(NAT_TABLE_INET)->intact);
	nat_free(t);
}

static void test_overrun(void **state)
{
	struct nat *t = started(false);
	struct nat_change c;

	fake_nft_overrun();
	OK(nat_on_readable(t, &c, &e));
	assert_false(c.lost);
	fake_nft_foreign_flush();
	fake_nft_overrun();
	OK(nat_on_readable(t, &c, &e));
	assert_true(c.lost);
	assert_int_equal(c.pid, 0);
	assert_string_equal(c.what, "table inet netd");
	nat_free(t);
}

/* The event is still unread when we commit. */
static void test_stale(void **state)
{
	struct nat *t = started(false);
	struct nat_change c;

	fake_nft_foreign_flush();
	OK(nat_put(t, &port, NULL, &e));
	OK(nat_put(t, NULL, &lab, &e));
	OK(nat_commit(t, &e));
	assert_true(nat_holds(t, &lan) && nat_holds(t, &lab));
	assert_int_equal(fake_nft_count(), 7);
	/* It is told all the same. */
	OK(nat_on_readable(t, &c, &e));
	assert_true(c.lost);
	assert_string_equal(c.comm, "nft");
	assert_true(nat_holds(t, &lan) && nat_holds(t, &lab));
	nat_free(t);
}

/* Each call fails once: the view is as before and the message names what was refused. */
static void test_refusals(void **state)
{
	struct nd_error err = ND_ERROR_INIT;
	char text[ND_ERROR_STORE];
	unsigned n;

	for (n = 1; n < 50; n++) {
		struct nat *t = started(false);
		int rc;

		OK(nat_put(t, &port, NULL, &e));
		OK(nat_put(t, NULL, &lab, &e));
		fake_fail_at(n, EINVAL, "kernel words");
		nd_error_reset(&err);
		rc = nat_commit(t, &err);
		if (!fake_failed_call()) {
			assert_int_equal(rc, 0);
			nat_free(t);
			break;
		}
		assert_true(rc < 0);
		nd_error_format(&err, text, sizeof(text));
		assert_non_null(strstr(text, "element "));
		assert_non_null(strstr(text, " of table "));
		assert_non_null(strstr(text, "kernel words"));
		assert_true(nat_holds(t, &lan) && nat_holds(t, &port) && !nat_holds(t, &lab));
		assert_int_equal(fake_nft_count(), 7);
		/* The queue is gone. */
		OK(nat_commit(t, &e));
		assert_int_equal(fake_nft_commit_count(), 2);
		nat_free(t);
	}
	assert_int_equal(n, 3 + 3 + 1);
}

static void test_opening_fails(void **state)
{
	struct nd_error err = ND_ERROR_INIT;
	unsigned n;

	for (n = 1; n < 20; n++) {
		struct nat *t = started(true);
		int rc;

		nat_free(t);
		orphan();
		t = NULL;
		fake_fail_at(n, EPERM, NULL);
		nd_error_reset(&err);
		rc = nat_new(true, &t, &err);
		if (rc == 0)
			rc = nat_open(t, &err);
		if (fake_failed_call())
			assert_int_equal(rc, ND_SYSTEM);
		else
			assert_int_equal(rc, 0);
		nat_free(t);
		if (!fake_failed_call())
			break;
	}
	assert_in_range(n, 4, 19);
}

static void test_drops(void **state)
{
	struct nat *t = started(true);
	struct nat_port other = port.port;
	uint64_t cnt[NAT_DROP_CNT_];

	fake_nft_packets(12);
	OK(nat_port_drops(t, &port.port, cnt, &e));
	assert_int_equal(cnt[NAT_DROP_MAC], 12);
	nd_strcpy(other.name, sizeof(other.name), "tap1");
	OK(nat_port_drops(t, &other, cnt, &e));
	assert_int_equal(cnt[NAT_DROP_MAC], 0);
	nat_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit),        cmocka_unit_test(test_flags),
		cmocka_unit_test(test_adopt),         cmocka_unit_test(test_flush),
		cmocka_unit_test(test_other_owner),   cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_overrun),       cmocka_unit_test(test_stale),
		cmocka_unit_test(test_refusals),      cmocka_unit_test(test_drops),
		cmocka_unit_test(test_opening_fails),
	};
	return cmocka_run_group_tests_name("nat/nat", tests, NULL, NULL);
}

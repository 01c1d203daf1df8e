/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: bridge/bridge.c: the difference row by row, and requests to the fake kernel, each of which fails once
 */
#include <errno.h>
#include <linux/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bridge/bridge.h"
#include "tests/fake/fake.h"

#define ALIAS "netd:6ba7b810-9dad-41d1-80b4-00c04fd430c8"
#define OTHER "netd:6ba7b811-9dad-41d1-80b4-00c04fd430c8"

static const struct bridge_config want = {
	.name = "virbr1",
	.mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
	.mtu = 1400,
	.stp = true,
	.forward_delay_s = 4,
	.alias = ALIAS,
};
static struct nd_nl *nl;

static int open_fake(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	fake_reset();
	return nd_nl_new(NETLINK_ROUTE, &nl, &e);
}

static int close_fake(void **state)
{
	nd_nl_free(nl);
	return 0;
}

static struct nd_link matching(void)
{
	struct nd_link l = { .ifindex = 5,
			     .name = "virbr1",
			     .kind = ND_LINK_BRIDGE,
			     .group = ND_GROUP_LIVE,
			     .flags = IFF_UP,
			     .mtu = 1400,
			     .mac = want.mac,
			     .br_stp = true,
			     .br_forward_delay_cs = 400,
			     .has_alias = true };

	nd_alias_parse(ALIAS, &l.alias_network, &l.alias_port);
	return l;
}

static void spoil_mac(struct nd_link *l)
{
	l->mac.b[5]++;
}

static void spoil_mtu(struct nd_link *l)
{
	l->mtu = 1500;
}

static void spoil_stp(struct nd_link *l)
{
	l->br_stp = false;
}

static void spoil_delay(struct nd_link *l)
{
	l->br_forward_delay_cs = 1500;
}

static void spoil_alias(struct nd_link *l)
{
	l->has_alias = false;
}

static void spoil_group(struct nd_link *l)
{
	l->group = 0;
}

static void spoil_up(struct nd_link *l)
{
	l->flags = 0;
}

static void spoil_kind(struct nd_link *l)
{
	l->kind = ND_LINK_VETH;
}

static void spoil_owner(struct nd_link *l)
{
	nd_alias_parse(OTHER, &l->alias_network, &l->alias_port);
}

static void spoil_mac_and_alias(struct nd_link *l)
{
	spoil_alias(l);
	spoil_mac(l);
}

static void spoil_as_retired(struct nd_link *l)
{
	spoil_alias(l);
	l->group = ND_GROUP_DEAD;
}

static const struct {
	const char *name;
	void (*spoil)(struct nd_link *l);
	unsigned diff;
} diff_rows[] = {
	{ "MAC", spoil_mac, BRIDGE_MAC },
	{ "MTU", spoil_mtu, BRIDGE_MTU },
	{ "STP", spoil_stp, BRIDGE_STP },
	{ "forward delay", spoil_delay, BRIDGE_DELAY },
	{ "alias", spoil_alias, BRIDGE_ALIAS },
	{ "group", spoil_group, BRIDGE_GROUP },
	{ "up", spoil_up, BRIDGE_DOWN },
	{ "kind", spoil_kind, BRIDGE_FOREIGN },
	{ "another network's", spoil_owner, BRIDGE_FOREIGN },
	{ "neither MAC nor alias", spoil_mac_and_alias, BRIDGE_FOREIGN },
	{ "retired", spoil_as_retired, BRIDGE_FOREIGN },
};

static void test_diff(void **state)
{
	struct nd_link have = matching();

	assert_int_equal(bridge_diff(&want, &have), BRIDGE_SAME);
	assert_int_equal(bridge_diff(&want, NULL), BRIDGE_MISSING);
	for (size_t i = 0; i < ARRAY_LEN(diff_rows); i++) {
		have = matching();
		diff_rows[i].spoil(&have);
		if (bridge_diff(&want, &have) != diff_rows[i].diff)
			fail_msg("%s: %x", diff_rows[i].name, bridge_diff(&want, &have));
	}
}

/* What is not asked for is not compared. */
static void test_diff_unset(void **state)
{
	struct bridge_config plain = want;
	struct nd_link have = matching();

	plain.mtu = 0;
	plain.stp = false;
	have.br_stp = false;
	have.mtu = 9000;
	have.br_forward_delay_cs = 1500;
	assert_int_equal(bridge_diff(&plain, &have), BRIDGE_SAME);
}

/* libvirt's <bridge stp='on' delay='0'/> means the shortest delay there is. */
static void test_delay_bounds(void **state)
{
	static const struct {
		uint32_t s, cs;
	} rows[] = { { 0, 200 }, { 2, 200 }, { 30, 3000 }, { 31, 3000 }, { UINT32_MAX, 3000 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		struct bridge_config c = want;
		int ifindex = 0;

		fake_reset();
		c.forward_delay_s = rows[i].s;
		assert_int_equal(bridge_apply(nl, &c, NULL, &ifindex, &e), 0);
		assert_int_equal(fake_link_by_index(ifindex)->br_forward_delay_cs, rows[i].cs);
		assert_int_equal(bridge_diff(&c, fake_link_by_index(ifindex)), BRIDGE_SAME);
	}
}

static int make(void)
{
	struct nd_error e = ND_ERROR_INIT;
	int ifindex = 0;

	assert_int_equal(bridge_apply(nl, &want, NULL, &ifindex, &e), 0);
	return ifindex;
}

static void test_create(void **state)
{
	int ifindex = make(), again = 0;
	const struct nd_link *l = fake_link_by_index(ifindex);
	unsigned calls = fake_call_count();

	assert_string_equal(l->name, "virbr1");
	assert_int_equal(bridge_diff(&want, l), BRIDGE_SAME);
	assert_int_equal(bridge_apply(nl, &want, l, &again, NULL), 0);
	assert_int_equal(again, ifindex);
	assert_int_equal(fake_call_count(), calls);
}

/* Each thing that can differ is put back by one request. */
static void test_change(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(diff_rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		struct nd_link *l;
		unsigned calls;
		int ifindex;

		if (diff_rows[i].diff & BRIDGE_FOREIGN)
			continue;
		fake_reset();
		ifindex = make();
		l = fake_link_by_index(ifindex);
		diff_rows[i].spoil(l);
		calls = fake_call_count();
		assert_int_equal(bridge_apply(nl, &want, l, &ifindex, &e), 0);
		assert_int_equal(bridge_diff(&want, l), BRIDGE_SAME);
		assert_int_equal(fake_call_count(), calls + 1);
	}
}

static void test_foreign(void **state)
{
	struct nd_link foreign = { .name = "virbr1", .kind = ND_LINK_BRIDGE, .mtu = 1500 }, before;
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link *l = fake_link_by_index(fake_link_add(&foreign));
	int ifindex = -7;

	before = *l;
	for (int known = 0; known < 2; known++) {
		nd_error_reset(&e);
		assert_int_equal(bridge_apply(nl, &want, known ? l : NULL, &ifindex, &e), ND_EXISTS);
		assert_string_equal(nd_error_text(&e), "there is a link of this name that is not netd's");
		assert_int_equal(ifindex, -7);
		assert_memory_equal(l, &before, sizeof(before));
	}
}

/* Killed between creation and alias; or the event has not been read yet. */
static void test_take_over(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link half = matching();
	int ifindex = 0;

	spoil_alias(&half);
	spoil_up(&half);
	fake_link_add(&half);
	assert_int_equal(bridge_apply(nl, &want, NULL, &ifindex, &e), 0);
	assert_int_equal(ifindex, half.ifindex);
	assert_int_equal(bridge_diff(&want, fake_link_by_index(ifindex)), BRIDGE_SAME);
	/* A failure now is no reason to delete what was there before. */
	spoil_up(fake_link_by_index(ifindex));
	fake_fail_at(3, EIO, NULL);
	assert_int_equal(bridge_apply(nl, &want, NULL, &ifindex, &e), ND_SYSTEM);
	assert_non_null(fake_link_find("virbr1"));
}

static void test_create_fails(void **state)
{
	static const char *const messages[] = {
		"create: Input/output error (EIO): kernel words",
		"link 'virbr1': Input/output error (EIO): kernel words",
		"set MTU, alias, up: Input/output error (EIO): kernel words",
	};
	unsigned n = 1;

	for (;; n++) {
		struct nd_error e = ND_ERROR_INIT;
		char text[ND_ERROR_STORE];
		int ifindex = -7;

		fake_reset();
		fake_fail_at(n, EIO, "kernel words");
		if (bridge_apply(nl, &want, NULL, &ifindex, &e) == 0)
			break;
		assert_non_null(fake_failed_call());
		nd_error_format(&e, text, sizeof(text));
		assert_true(n <= ARRAY_LEN(messages));
		assert_string_equal(text, messages[n - 1]);
		assert_int_equal(e.sys, EIO);
		assert_int_equal(ifindex, -7);
		assert_int_equal(fake_link_count(), 1);
	}
	assert_int_equal(n, ARRAY_LEN(messages) + 1);
}

static void test_kernel_words(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct bridge_config c = want;
	char text[ND_ERROR_STORE];
	int ifindex = 0;

	c.mtu = 10;
	assert_int_equal(bridge_apply(nl, &c, NULL, &ifindex, &e), ND_SYSTEM);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text,
			    "set MTU, alias, up: Invalid argument (EINVAL): mtu less than device minimum");
	assert_int_equal(fake_link_count(), 1);
	assert_int_equal(bridge_apply(nl, &c, NULL, &ifindex, NULL), ND_SYSTEM);
}

static void test_retire(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	int ifindex = make();
	const struct nd_link *l = fake_link_by_index(ifindex);

	assert_int_equal(bridge_retire(nl, ifindex, &e), 0);
	assert_int_equal(l->group, ND_GROUP_DEAD);
	assert_false(l->has_alias);
	assert_false(l->flags & IFF_UP);
	assert_string_equal(l->name, "dead-2");
	assert_int_not_equal(make(), ifindex); /* the name is free */
	assert_int_equal(nd_link_delete_group(nl, ND_GROUP_DEAD, &e), 0);
	assert_int_equal(bridge_retire(nl, ifindex, &e), 0); /* absent */
}

static void test_retire_fails(void **state)
{
	for (unsigned n = 1; n <= 2; n++) {
		struct nd_error e = ND_ERROR_INIT;
		struct nd_link before;
		int ifindex;

		fake_reset();
		ifindex = make();
		before = *fake_link_by_index(ifindex);
		fake_fail_at(n, EPERM, NULL);
		assert_int_equal(bridge_retire(nl, ifindex, &e), ND_SYSTEM);
		assert_string_equal(nd_error_frame(&e, 0), "retire");
		if (n == 1)
			assert_memory_equal(fake_link_by_index(ifindex), &before, sizeof(before));
		assert_int_equal(bridge_retire(nl, ifindex, NULL), 0);
		assert_null(fake_link_find("virbr1"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_unset),
		cmocka_unit_test_setup_teardown(test_delay_bounds, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_create, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_change, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_foreign, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_take_over, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_create_fails, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_kernel_words, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_retire, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_retire_fails, open_fake, close_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

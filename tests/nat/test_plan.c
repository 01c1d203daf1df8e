/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nat/plan: which elements a configuration has, and which operations make the wanted ones of those that are
 * there.
 */
#include "base/mem.h"
#include "nat/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const bool no_rebuild[NAT_TABLE_CNT];
static const bool all_rebuilt[NAT_TABLE_CNT] = { true, true };

#define NETWORK(name, mode, with_dhcp) \
	((struct nat_config){          \
		.kind = NAT_NETWORK,   \
		.network = { .bridge = name, .forward4 = NAT_FORWARD_##mode, .dhcp = with_dhcp } })
#define PORT(n, m, guard)         \
	((struct nat_config){     \
		.kind = NAT_PORT, \
		.port = { .name = n, .mark = m, .mac = { { 2, 0, 0, 0, 0, 1 } }, .mac_guard = guard } })

static void test_elements(void **state)
{
	static const struct {
		struct nat_config cfg;
		const char *labels[NAT_CONFIG_ELEMS];
	} rows[] = {
		{ { .network = { .bridge = "virbr0", .forward4 = NAT_FORWARD_NAT, .dhcp = true } },
		  { "element virbr0 . virbr0 of set same_bridge of table inet netd",
		    "element virbr0 of set bridges of table inet netd",
		    "element virbr0 of set nat4 of table inet netd",
		    "element virbr0 of set dhcp of table inet netd" } },
		{ { .network = { .bridge = "fifteen-letters" } },
		  { "element fifteen-letters . fifteen-letters of set same_bridge of table inet netd",
		    "element fifteen-letters of set bridges of table inet netd" } },
		{ { .kind = NAT_PORT,
		    .port = { .name = "tap0",
			      .mark = NAT_MARK_BASE | 7,
			      .mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
			      .mac_guard = true } },
		  { "element tap0 of map port_mark of table bridge netd",
		    "element tap0 . 52:54:00:01:02:03 of set port_mac of table bridge netd",
		    "element tap0 of set guarded of table bridge netd" } },
		{ { .kind = NAT_PORT,
		    .port = { .name = "tap0",
			      .mark = NAT_MARK_BASE | 7,
			      .mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
			      .mac_guard = false } },
		  { "element tap0 of map port_mark of table bridge netd" } },
	};
	struct nat_elem elems[NAT_CONFIG_ELEMS];
	char label[NAT_LABEL_LEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t cnt = nat_plan_elems(&rows[i].cfg, elems);

		for (size_t j = 0; j < cnt; j++) {
			assert_non_null(rows[i].labels[j]);
			assert_string_equal(nat_elem_label(&elems[j], label), rows[i].labels[j]);
			if (elems[j].set == NAT_SET_PORT_MARK)
				assert_memory_equal(elems[j].data, &rows[i].cfg.port.mark, 4);
		}
		assert_null(rows[i].labels[cnt]);
	}
}

static void want(struct nat_view *v, struct nat_config cfg, bool wanted)
{
	struct nat_elem elems[NAT_CONFIG_ELEMS];
	size_t cnt = nat_plan_elems(&cfg, elems);

	for (size_t i = 0; i < cnt; i++) {
		if (wanted)
			assert_true(nat_view_want(v, &elems[i]));
		else
			nat_view_unwant(v, &elems[i]);
	}
}

/* Plans, checks how many of each kind there are and that no deletion follows an addition, and commits. */
static void check(struct nat_view *v, const bool *rebuilt, size_t adds, size_t deletes)
{
	nd_autofree struct nat_op *ops = calloc(nat_view_plan_max(v, rebuilt) + 1, sizeof(*ops));
	size_t cnt = nat_view_plan(v, rebuilt, ops), i = 0;

	assert_true(cnt <= nat_view_plan_max(v, rebuilt));
	while (i < cnt && ops[i].kind == NAT_OP_DELETE)
		i++;
	assert_int_equal(i, deletes);
	while (i < cnt && ops[i].kind == NAT_OP_ADD)
		i++;
	assert_int_equal(i, cnt);
	assert_int_equal(cnt, adds + deletes);
	nat_view_committed(v);
	assert_int_equal(v->queue_cnt, 0);
}

static void test_difference(void **state)
{
	struct nat_view v;

	nat_view_init(&v);
	check(&v, no_rebuild, 0, 0);
	want(&v, NETWORK("a", NAT, true), true);
	want(&v, NETWORK("b", ISOLATED, false), true);
	check(&v, no_rebuild, 6, 0);
	/* Nothing differs. */
	want(&v, NETWORK("a", NAT, true), true);
	check(&v, no_rebuild, 0, 0);
	/* Undone before it was sent. */
	want(&v, NETWORK("a", NAT, true), false);
	want(&v, NETWORK("a", NAT, true), true);
	want(&v, NETWORK("c", NAT, true), true);
	want(&v, NETWORK("c", NAT, true), false);
	check(&v, no_rebuild, 0, 0);
	assert_int_equal(v.map.cnt, 6);
	/* Another mode. */
	want(&v, NETWORK("a", NAT, true), false);
	want(&v, NETWORK("a", ISOLATED, true), true);
	check(&v, no_rebuild, 0, 1);
	/* A map's data cannot be changed in place. */
	want(&v, PORT("tap0", 1, true), true);
	check(&v, no_rebuild, 3, 0);
	want(&v, PORT("tap0", 2, true), true);
	check(&v, no_rebuild, 1, 1);
	want(&v, PORT("tap0", 2, true), false);
	want(&v, PORT("tap1", 2, true), true);
	check(&v, no_rebuild, 3, 3);
	/* New tables get all of it. */
	want(&v, NETWORK("b", ISOLATED, false), false);
	want(&v, NETWORK("d", ISOLATED, false), true);
	check(&v, all_rebuilt, 3 + 2 + 3, 0);
	assert_int_equal(v.map.cnt, 8);
	nat_view_done(&v);
}

static void test_reset(void **state)
{
	struct nat_elem elem[NAT_CONFIG_ELEMS];
	struct nat_config old = PORT("tap0", 1, false), new = PORT("tap0", 2, false);
	struct nat_view v;

	nat_view_init(&v);
	want(&v, old, true);
	check(&v, no_rebuild, 1, 0);
	want(&v, new, true);
	want(&v, NETWORK("a", NAT, true), true);
	nat_view_reset(&v);
	assert_int_equal(v.queue_cnt, 0);
	assert_int_equal(v.map.cnt, 1);
	nat_plan_elems(&old, elem);
	assert_true(nat_view_has(&v, elem));
	nat_plan_elems(&new, elem);
	assert_false(nat_view_has(&v, elem));
	nat_view_done(&v);
}

static void test_scan(void **state)
{
	struct nat_elem a[NAT_CONFIG_ELEMS], b[NAT_CONFIG_ELEMS];
	struct nat_config cfg_a = NETWORK("a", ISOLATED, false), cfg_b = NETWORK("b", ISOLATED, false);
	struct nat_view v;

	nat_plan_elems(&cfg_a, a);
	nat_plan_elems(&cfg_b, b);
	nat_view_init(&v);
	/* Adopted: wanted from then on. */
	nat_view_scan_begin(&v);
	assert_true(nat_view_scanned(&v, &a[0], true));
	assert_true(nat_view_scanned(&v, &a[1], true));
	nat_view_scan_end(&v);
	assert_int_equal(v.disturbed, 0);
	check(&v, no_rebuild, 0, 0);
	/* One is gone and a stranger has come. */
	nat_view_scan_begin(&v);
	assert_true(nat_view_scanned(&v, &a[0], false));
	assert_true(nat_view_scanned(&v, &b[0], false));
	nat_view_scan_end(&v);
	assert_int_equal(v.disturbed, 2);
	assert_false(nat_view_has(&v, &a[1]));
	check(&v, no_rebuild, 1, 1);
	assert_true(nat_view_has(&v, &a[1]));
	assert_false(nat_view_has(&v, &b[0]));
	/* What we had queued is no disturbance. */
	nat_view_unwant(&v, &a[1]);
	nat_view_scan_begin(&v);
	assert_true(nat_view_scanned(&v, &a[0], false));
	nat_view_scan_end(&v);
	assert_int_equal(v.disturbed, 0);
	check(&v, no_rebuild, 0, 0);
	nat_view_done(&v);
}

static void test_sweep(void **state)
{
	struct nat_elem a[NAT_CONFIG_ELEMS];
	struct nat_config cfg_a = NETWORK("a", ISOLATED, false);
	size_t cnt = nat_plan_elems(&cfg_a, a);
	struct nat_view v;

	nat_view_init(&v);
	want(&v, cfg_a, true);
	want(&v, NETWORK("b", NAT, true), true);
	check(&v, no_rebuild, 6, 0);
	nat_view_sweep_begin(&v);
	for (size_t i = 0; i < cnt; i++)
		nat_view_claim(&v, &a[i]);
	/* Wanted since the sweep began is claimed. */
	want(&v, NETWORK("c", ISOLATED, false), true);
	assert_int_equal(nat_view_sweep(&v), 4);
	check(&v, no_rebuild, 2, 4);
	assert_true(nat_view_has(&v, &a[0]));
	nat_view_done(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements), cmocka_unit_test(test_difference),
		cmocka_unit_test(test_reset),    cmocka_unit_test(test_scan),
		cmocka_unit_test(test_sweep),
	};
	return cmocka_run_group_tests_name("nat/plan", tests, NULL, NULL);
}

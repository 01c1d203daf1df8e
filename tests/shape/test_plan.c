/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DOC: which classes rates and floors become, and trees compared. */
#include "base/mem.h"
#include "shape/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KB 1000u

static void test_flat(void **state)
{
	const struct shape_rate rate = { .average = 1250 * KB, .peak = 2500 * KB, .burst = 1024 * 1024 };
	struct shape_rate back;
	struct tree t;

	assert_int_equal(tree_plan(&rate, NULL, &t, NULL), 0);
	assert_true(t.ours);
	assert_int_equal(t.default_minor, TREE_TOP);
	assert_int_equal(t.class_cnt, 1);
	assert_int_equal(t.classes[0].rate, 1250 * KB);
	assert_int_equal(t.classes[0].ceil, 2500 * KB);
	assert_true(t.classes[0].leaf);
	/* 1 MiB at 1.25 MB/s take 838.8608 ms. */
	assert_int_equal(t.classes[0].buffer, 838860800 / 64);
	tree_rate(&t, &back);
	assert_int_equal(back.average, rate.average);
	assert_int_equal(back.peak, rate.peak);
	assert_int_equal(back.burst, rate.burst);
	tree_done(&t);
}

/* A burst that is too small to reach the rate is raised, and so is none. */
static void test_least_burst(void **state)
{
	const struct shape_rate small = { .average = 125000 * KB, .burst = 1024 },
				none = { .average = 125000 * KB }, slow = { .average = KB };
	struct shape_rate back;
	struct tree a, b, c;

	assert_int_equal(tree_plan(&small, NULL, &a, NULL), 0);
	assert_int_equal(tree_plan(&none, NULL, &b, NULL), 0);
	assert_int_equal(tree_plan(&slow, NULL, &c, NULL), 0);
	assert_true(tree_same(&a, &b));
	assert_int_equal(a.classes[0].buffer, SHAPE_BURST_MS * 1000000 / 64);
	assert_int_equal(c.classes[0].buffer, 3200ull * 1000000 / 64);
	tree_rate(&a, &back);
	assert_int_equal(back.peak, 0);
	assert_int_equal(back.burst, 0);
	tree_done(&a);
	tree_done(&b);
	tree_done(&c);
}

static void test_shared(void **state)
{
	const struct shape_floor floors[] = {
		{ .id = 0x20, .mac = { { 2, 0, 0, 0, 0, 2 } }, .rate = 300 * KB },
		{ .id = 0x10, .mac = { { 2, 0, 0, 0, 0, 1 } }, .rate = 500 * KB }
	};
	struct shape_config want = { .out = { .average = 1000 * KB, .peak = 2000 * KB },
				     .shared = true,
				     .floors = floors,
				     .floor_cnt = 2 };
	struct tree t, u;

	assert_int_equal(tree_plan(&want.out, &want, &t, NULL), 0);
	assert_int_equal(t.default_minor, TREE_REST);
	assert_int_equal(t.class_cnt, 4);
	assert_false(t.classes[0].leaf);
	assert_int_equal(tree_class(&t, TREE_REST)->rate, 200 * KB);
	assert_int_equal(tree_class(&t, TREE_REST)->ceil, 2000 * KB);
	assert_int_equal(t.classes[2].minor, 0x10);
	assert_int_equal(t.classes[2].rate, 500 * KB);
	assert_int_equal(t.classes[3].parent, TREE_TOP);
	assert_int_equal(t.filter_cnt, 2);
	want.floor_cnt = 1;
	assert_int_equal(tree_plan(&want.out, &want, &u, NULL), 0);
	assert_int_equal(tree_class(&u, TREE_REST)->rate, 700 * KB);
	assert_false(tree_same(&t, &u));
	tree_done(&u);
	tree_done(&t);
}

/* Floors may use up the average, where there is a peak: the rest is not starved. */
static void test_rest(void **state)
{
	const struct shape_floor floor = { .id = 0x10, .mac = { { 2 } }, .rate = 1500 * KB };
	const struct shape_config want = { .out = { .average = 1000 * KB, .peak = 2000 * KB },
					   .shared = true,
					   .floors = &floor,
					   .floor_cnt = 1 };
	struct tree t;

	assert_int_equal(tree_plan(&want.out, &want, &t, NULL), 0);
	assert_int_equal(tree_class(&t, TREE_REST)->rate, 1000);
	tree_done(&t);
}

static void test_refused(void **state)
{
	const struct shape_floor twice[] = { { .id = 0x10, .rate = 1 }, { .id = 0x10, .rate = 1 } },
				 zero = { .id = 0x10 }, low = { .id = TREE_REST, .rate = 1 };
	const struct {
		struct shape_config want;
		const char *text;
	} rows[] = {
		{ { .out = { .average = UINT64_MAX } }, "a rate or burst is above 1125899906842624 bytes" },
		{ { .out = { .average = 1, .burst = UINT64_MAX } },
		  "a rate or burst is above 1125899906842624 bytes" },
		{ { .shared = true, .floors = twice, .floor_cnt = 1 }, "floors without a rate" },
		{ { .out = { .average = 9 }, .shared = true, .floors = twice, .floor_cnt = 2 }, "floor 16" },
		{ { .out = { .average = 9 }, .shared = true, .floors = &zero, .floor_cnt = 1 }, "floor 16" },
		{ { .out = { .average = 9 }, .shared = true, .floors = &low, .floor_cnt = 1 }, "floor 2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		struct tree t;

		assert_int_equal(tree_plan(&rows[i].want.out, &rows[i].want, &t, &e), ND_INVALID);
		assert_string_equal(nd_error_text(&e), rows[i].text);
		tree_done(&t);
	}
}

static void test_wide(void **state)
{
	const struct shape_rate rate = { .average = 12500000000ull, .peak = 25000000000ull };
	struct shape_rate back;
	struct tree t;

	assert_int_equal(tree_plan(&rate, NULL, &t, NULL), 0);
	tree_rate(&t, &back);
	assert_memory_equal(&back, &rate, sizeof(rate));
	tree_done(&t);
}

static void test_names(void **state)
{
	char name[ND_IFNAMSIZ];

	assert_string_equal(shape_ifb_name(2147483647, name), "nds2147483647");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flat),    cmocka_unit_test(test_least_burst),
		cmocka_unit_test(test_shared),  cmocka_unit_test(test_rest),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_wide),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

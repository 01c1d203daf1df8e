// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: enum <-> string tables and bounded copies. */
#include "base/strtab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum colour { COLOUR_RED, COLOUR_NAMELESS, COLOUR_BLUE };
static const char *const colour_names[] = { [COLOUR_RED] = "red", [COLOUR_BLUE] = "blue" };
ND_STRTAB_DECLARE(colour);
ND_STRTAB(colour, colour_names)

static void test_table(void **state)
{
	assert_string_equal(colour_to_string(COLOUR_RED), "red");
	assert_null(colour_to_string(COLOUR_NAMELESS));
	assert_null(colour_to_string(-1));
	assert_null(colour_to_string(3));
	assert_int_equal(colour_from_string("blue"), COLOUR_BLUE);
	assert_int_equal(colour_from_string("Blue"), -1);
	assert_int_equal(colour_from_string(""), -1);
	assert_int_equal(colour_from_string(NULL), -1);
}

static void test_copies(void **state)
{
	char buf[4] = "xxx";

	assert_true(nd_strcpy(buf, sizeof(buf), "abc"));
	assert_string_equal(buf, "abc");
	assert_false(nd_strcpy(buf, sizeof(buf), "abcd"));
	assert_string_equal(buf, "abc");
	assert_true(nd_strcpyn(buf, sizeof(buf), "abcd", 2));
	assert_string_equal(buf, "ab");
	assert_true(nd_strcpyn(buf, sizeof(buf), NULL, 0));
	assert_string_equal(buf, "");
	assert_false(nd_strcpyn(buf, 1, "a", 1));
	assert_string_equal(buf, "");
	buf[0] = 'q';
	assert_false(nd_strcpy(buf, 0, ""));
	assert_int_equal(buf[0], 'q');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

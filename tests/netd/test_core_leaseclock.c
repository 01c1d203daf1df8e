// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: leases last as long as they were given for, whatever the wall clock does. Each test has clocks of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netd/core/leaseclock.h"

#define BOOT_A "6b1a5f0e-0000-4000-8000-000000000001"
#define BOOT_B "6b1a5f0e-0000-4000-8000-000000000002"
#define WALL   UINT64_C(1800000000)

static void test_first(void **state)
{
	struct lease_clock k;

	lease_clock_start(&k, NULL, BOOT_A, 100, WALL);
	assert_true(lease_clock_now(&k, 100) == WALL);
	assert_true(lease_clock_now(&k, 160) == WALL + 60);
	assert_true(lease_clock_look(&k, 160, WALL + 60) == 0);
	assert_true(lease_clock_look(&k, 160, WALL + 61) == 0); /* the two are not read at one instant */
	assert_true(lease_clock_to_wall(&k, WALL + 3600) == WALL + 3600);
	lease_clock_start(&k, "nonsense", BOOT_A, 100, WALL);
	assert_true(lease_clock_now(&k, 100) == WALL);
}

/* Forwards or back: no lease ends sooner or later, and a listing says when by the new time. */
static void test_jump(void **state)
{
	static const int64_t jumps[] = { 86400 * 365, -86400 * 365, 3, -3 };

	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		uint64_t end = WALL + 3600, wall = (uint64_t)((int64_t)WALL + 60 + jumps[i]);
		struct lease_clock k;

		lease_clock_start(&k, NULL, BOOT_A, 100, WALL);
		assert_true(lease_clock_look(&k, 160, wall) == jumps[i]);
		assert_true(lease_clock_look(&k, 160, wall) == 0);
		assert_true(lease_clock_now(&k, 160) == WALL + 60);
		assert_true(end > lease_clock_now(&k, 100 + 3599) && end <= lease_clock_now(&k, 100 + 3600));
		assert_true(lease_clock_to_wall(&k, end) == wall + 3540);
		assert_true(lease_clock_to_wall(&k, UINT64_MAX) == UINT64_MAX);
	}
}

/* netd again in the same boot: the clock goes on exactly, even where the wall clock was set meanwhile. */
static void test_restart(void **state)
{
	char text[LEASE_CLOCK_TEXT];
	struct lease_clock k;

	lease_clock_start(&k, NULL, BOOT_A, 100, WALL);
	lease_clock_format(&k, 200, text);
	lease_clock_start(&k, text, BOOT_A, 300, WALL + 999999);
	assert_true(lease_clock_now(&k, 300) == WALL + 200);
	assert_true(lease_clock_to_wall(&k, WALL + 200) == WALL + 999999);
	lease_clock_format(&k, 300, text);
	lease_clock_start(&k, text, BOOT_A, 400, WALL + 300);
	assert_true(lease_clock_now(&k, 400) == WALL + 300);
}

static void test_reboot(void **state)
{
	char text[LEASE_CLOCK_TEXT];
	struct lease_clock k;

	/* The wall clock had been set back by an hour: its lead is known, and what it says of the time away is right. */
	lease_clock_start(&k, NULL, BOOT_A, 1000, WALL);
	assert_true(lease_clock_look(&k, 1000, WALL - 3600) == -3600);
	lease_clock_format(&k, 1000, text);
	lease_clock_start(&k, text, BOOT_B, 5, WALL - 3600 + 120);
	assert_true(lease_clock_now(&k, 5) == WALL + 120);
	/* No clock that outlives a reboot: the time away is lost, but nothing is given half a century. */
	lease_clock_start(&k, text, BOOT_B, 5, 0);
	assert_true(lease_clock_now(&k, 5) == WALL);
	assert_true(lease_clock_look(&k, 65, WALL) > 0); /* and then somebody knows the time */
	assert_true(lease_clock_now(&k, 65) == WALL + 60);
	assert_true(lease_clock_to_wall(&k, WALL + 60) == WALL);
	/* No boot id (no /proc): by the wall clock, too. */
	lease_clock_format(&k, 65, text);
	lease_clock_start(&k, text, "", 70, WALL + 5);
	assert_true(lease_clock_now(&k, 70) == WALL + 65);
	lease_clock_format(&k, 70, text);
	lease_clock_start(&k, text, "", 70, WALL + 10);
	assert_true(lease_clock_now(&k, 70) == WALL + 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_jump),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_reboot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

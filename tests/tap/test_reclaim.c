/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: tap/reclaim.c where nobody holds the TAP; with a holder it needs the real kernel, see tests/netns/test_tap.c
 */
#include "base/mem.h"
#include "tap/tap.h"

#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_not_found(void **state)
{
	const pid_t hints[] = { 0, -1, getpid(), INT32_MAX };
	struct nd_nl *nl;

	assert_int_equal(nd_nl_new(NETLINK_ROUTE, &nl, NULL), 0);

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		struct nd_error e = ND_ERROR_INIT;
		char text[ND_ERROR_STORE];
		pid_t pid = -7;
		int fd = -7;

		int r = tap_reclaim(nl, INT32_MAX, "nd-no-such", hints[i], &pid, &fd, &e);
		assert_int_equal(pid, -7);
		assert_int_equal(fd, -7);
		if (r == ND_TIMEOUT) /* a machine with many processes, and busy */
			continue;
		assert_int_equal(r, ND_NOT_FOUND);
		nd_error_format(&e, text, sizeof(text));
		assert_string_equal(text, "tap 'nd-no-such': no process seems to hold it");
	}
	nd_nl_free(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_not_found) };

	return cmocka_run_group_tests_name("tap/reclaim", tests, NULL, NULL);
}

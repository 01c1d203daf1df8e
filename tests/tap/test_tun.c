/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: tap/tun.c where no privilege is needed; the rest is in tests/netns/test_tap.c
 */
#include "base/mem.h"
#include "tap/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

static void test_names(void **state)
{
	static const char *const bad[] = { "", "tap%d", "sixteen-letters-" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct nd_error e = ND_ERROR_INIT;
		char text[60];
		int fd = -7;

		assert_int_equal(tun_attach(bad[i], TUN_NEW, &fd, &e), ND_INVALID);
		assert_int_equal(fd, -7);
		snprintf(text, sizeof(text), "'%s' cannot be an interface's name", bad[i]);
		assert_string_equal(nd_error_text(&e), text);
	}
}

/* Any file that is not a TAP: refused with its own words, and told apart without an ioctl. */
static void test_other_files(void **state)
{
	nd_autoclose int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct nd_error e = ND_ERROR_INIT;

	assert_true(fd >= 0);
	assert_false(tun_is(fd, "lo"));
	assert_false(tun_is(-1, "lo"));
	assert_int_equal(tun_set_owner(fd, 12, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENOTTY);
	assert_string_equal(nd_error_text(&e), "set owner 12");
	nd_error_reset(&e);
	assert_int_equal(tun_set_persist(fd, true, &e), ND_SYSTEM);
	assert_string_equal(nd_error_text(&e), "set persist on");
}

static void test_ifindex(void **state)
{
	nd_autoclose int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct nd_error e = ND_ERROR_INIT;
	int ifindex = -7;

	assert_int_equal(tun_ifindex(sock, "lo", &ifindex, &e), 0);
	assert_int_equal(ifindex, 1);
	assert_int_equal(tun_ifindex(sock, "nd-no-such", &ifindex, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENODEV);
	assert_int_equal(ifindex, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_ifindex),
	};
	return cmocka_run_group_tests_name("tap/tun", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the error object: message form, cutting, first cause wins, the code rows' totality. */
#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static const char *text_of(const struct nd_error *e)
{
	static char buf[4096];

	nd_error_format(e, buf, sizeof(buf));
	return buf;
}

static void test_whole_message(void **state)
{
	struct nd_error e = ND_ERROR_INIT, sub = ND_ERROR_INIT;

	assert_int_equal(nd_fail_sys(&e, EINVAL, "mtu less than device minimum", "set %s", "mtu"), ND_SYSTEM);
	assert_int_equal(nd_wrap(&e, "bridge '%s'", "virbr1"), ND_SYSTEM);
	nd_fail_sys(&sub, EBUSY, NULL, "delete");
	assert_int_equal(nd_also(&e, &sub), ND_SYSTEM);
	assert_int_equal(nd_wrap(&e, "network '%s'", "lan"), ND_SYSTEM);
	assert_string_equal(text_of(&e),
			    "network 'lan': bridge 'virbr1': set mtu: Invalid argument (EINVAL): "
			    "mtu less than device minimum; also: delete: Device or resource busy "
			    "(EBUSY)");
	assert_int_equal(e.sys, EINVAL);
	assert_string_equal(nd_error_text(&e), "set mtu");
	assert_string_equal(nd_error_kernel(&e), "mtu less than device minimum");
	assert_string_equal(nd_error_frame(&e, 0), "network 'lan'");
	assert_string_equal(nd_error_frame(&e, 1), "bridge 'virbr1'");
	assert_string_equal(nd_error_frame(&e, 2), "");
	assert_string_equal(nd_error_also(&e, 0), "delete: Device or resource busy (EBUSY)");
	assert_string_equal(nd_error_also(&e, 1), "");
}

static void test_without_errno(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(nd_fail(&e, ND_NOT_FOUND, "network '%s' does not exist", "x"), ND_NOT_FOUND);
	assert_string_equal(text_of(&e), "network 'x' does not exist");
	assert_string_equal(nd_error_kernel(&e), "");
	nd_error_reset(&e);
	assert_int_equal(e.code, 0);
	assert_string_equal(text_of(&e), "no error");
	nd_fail(&e, ND_MEMORY, "%s", "");
	assert_string_equal(text_of(&e), "out of memory");
}

static void test_errno_codes(void **state)
{
	static const struct {
		int err, code;
	} rows[] = {
		{ EEXIST, ND_EXISTS }, { EBUSY, ND_BUSY },    { ENOMEM, ND_MEMORY }, { EXFULL, ND_LIMIT },
		{ EPERM, ND_SYSTEM },  { EACCES, ND_SYSTEM }, { ENOENT, ND_SYSTEM },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;

		assert_int_equal(nd_fail_sys(&e, rows[i].err, NULL, "x"), rows[i].code);
		assert_int_equal(e.sys, rows[i].err);
	}
}

static void test_first_cause_wins(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	nd_fail(&e, ND_BUSY, "first");
	assert_int_equal(nd_fail(&e, ND_INVALID, "second"), ND_INVALID);
	assert_int_equal(nd_fail_sys(&e, EIO, "disk", "third"), ND_SYSTEM);
	assert_int_equal(e.code, ND_BUSY);
	assert_string_equal(text_of(&e), "first; also: second; also: third: Input/output error (EIO): disk");
}

static void test_null_object(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(nd_fail(NULL, ND_LIMIT, "x"), ND_LIMIT);
	assert_int_equal(nd_fail_sys(NULL, EEXIST, NULL, "x"), ND_EXISTS);
	assert_int_equal(nd_wrap(NULL, "x"), ND_INTERNAL);
	assert_int_equal(nd_wrap_code(NULL, ND_LIMIT, "x"), ND_LIMIT);
	nd_fail(&e, ND_BUSY, "x");
	assert_int_equal(nd_wrap_code(&e, ND_LIMIT, "y"), ND_BUSY);
	assert_string_equal(text_of(&e), "y: x");
	assert_int_equal(nd_also(NULL, &e), ND_BUSY);
	assert_int_equal(nd_also(&e, NULL), ND_BUSY);
	nd_error_reset(NULL);
}

static void test_wrong_code_is_a_failure(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(nd_fail(&e, 0, "x"), ND_INTERNAL);
	nd_error_reset(&e);
	assert_int_equal(nd_fail(&e, -ND_CODE_CNT, "x"), ND_INTERNAL);
	nd_error_reset(&e);
	assert_int_equal(nd_wrap(&e, "nothing failed"), ND_INTERNAL);
}

static void test_long_texts_are_cut(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	char big[3000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	nd_fail_sys(&e, EIO, big, "%s", big);
	assert_true(strlen(nd_error_text(&e)) < sizeof(e.store) / 2);
	assert_string_equal(nd_error_text(&e) + strlen(nd_error_text(&e)) - 3, "...");
	assert_string_equal(nd_error_kernel(&e) + strlen(nd_error_kernel(&e)) - 3, "...");
	/* Room is left for what says whose it is. */
	nd_wrap(&e, "network 'lan'");
	assert_string_equal(nd_error_frame(&e, 0), "network 'lan'");
	for (int i = 0; i < 40; i++)
		nd_wrap(&e, "%s", big);
	for (int i = 0; i < 40; i++)
		nd_also(&e, &e);
	assert_true(e.used <= sizeof(e.store));
	assert_true(e.frame_cnt <= ND_ERROR_FRAMES);
	assert_true(e.also_cnt <= ND_ERROR_ALSO);
	assert_true(strlen(text_of(&e)) > 0);
}

static void test_cut_keeps_utf8_whole(void **state)
{
	for (size_t pad = 0; pad < 4; pad++) {
		struct nd_error e = ND_ERROR_INIT;
		char big[1200] = "";
		const char *text;
		size_t len;

		memset(big, 'x', pad);
		while (strlen(big) < sizeof(big) - 4)
			strcat(big, "\xe2\x82\xac"); /* EURO SIGN */
		nd_fail(&e, ND_INVALID, "%s", big);
		text = nd_error_text(&e);
		len = strlen(text);
		assert_string_equal(text + len - 3, "...");
		assert_int_equal((len - 3 - pad) % 3, 0);
		assert_memory_equal(text + len - 6, "\xe2\x82\xac", 3);
	}
}

static void test_many_frames_keep_the_ends(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	nd_fail(&e, ND_INVALID, "x");
	for (int i = 0; i < 20; i++)
		nd_wrap(&e, "f%d", i);
	assert_int_equal(e.frame_cnt, ND_ERROR_FRAMES);
	assert_string_equal(nd_error_frame(&e, 0), "f19");
	assert_string_equal(nd_error_frame(&e, ND_ERROR_FRAMES - 1), "f0");
}

static void test_format_bounds(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	char buf[8];

	nd_fail(&e, ND_INVALID, "0123456789");
	nd_wrap(&e, "ab");
	assert_int_equal(nd_error_format(&e, NULL, 0), 14);
	assert_int_equal(nd_error_format(&e, buf, sizeof(buf)), 14);
	assert_string_equal(buf, "ab: 012");
	assert_int_equal(nd_error_format(&e, buf, 1), 14);
	assert_string_equal(buf, "");
}

static void test_copy(void **state)
{
	struct nd_error e = ND_ERROR_INIT, copy;

	nd_fail_sys(&e, EIO, "k", "t");
	nd_wrap(&e, "f");
	nd_error_copy(&copy, &e);
	nd_error_reset(&e);
	assert_string_equal(text_of(&copy), "f: t: Input/output error (EIO): k");
	nd_error_copy(&copy, &copy);
	assert_string_equal(nd_error_frame(&copy, 0), "f");
}

static void test_code_rows(void **state)
{
	for (int code = 0; code > -ND_CODE_CNT; code--) {
		assert_int_equal(strncmp(nd_code_name(code), "ND_", 3), 0);
		if (code == ND_OK) {
			assert_int_equal(nd_code_exit_status(code), 0);
			continue;
		}
		assert_int_equal(strncmp(nd_code_api_name(code), "io.netd.", 8), 0);
		assert_int_equal(nd_code_from_api_name(nd_code_api_name(code)), code);
		assert_true(nd_code_exit_status(code) != 2 && nd_code_exit_status(code) > 0);
		assert_true(nd_code_exit_status(code) < 125);
		for (int other = ND_OK; other > code; other--) {
			assert_string_not_equal(nd_code_name(code), nd_code_name(other));
			assert_string_not_equal(nd_code_api_name(code), nd_code_api_name(other));
			assert_int_not_equal(nd_code_exit_status(code), nd_code_exit_status(other));
		}
	}
	assert_string_equal(nd_code_api_name(ND_NOT_FOUND), "io.netd.NotFound");
	assert_string_equal(nd_code_name(5), "ND_INTERNAL");
	assert_string_equal(nd_code_name(-100), "ND_INTERNAL");
	assert_int_equal(nd_code_exit_status(ND_INTERNAL), 1);
	assert_int_equal(nd_code_from_api_name("io.netd.Nonsense"), ND_INTERNAL);
	assert_int_equal(nd_code_from_api_name(""), ND_INTERNAL);
	assert_int_equal(nd_code_from_api_name(NULL), ND_INTERNAL);
}

static void test_errno_name(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	assert_string_equal(nd_errno_name(EINVAL), "EINVAL");
	assert_string_equal(nd_errno_name(524), "E?"); /* the kernel's ENOTSUPP, which netlink lets through */
	nd_fail_sys(&e, 524, NULL, "x");
	assert_string_equal(text_of(&e), "x: Unknown error 524 (E?)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_message),
		cmocka_unit_test(test_without_errno),
		cmocka_unit_test(test_errno_codes),
		cmocka_unit_test(test_first_cause_wins),
		cmocka_unit_test(test_null_object),
		cmocka_unit_test(test_wrong_code_is_a_failure),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_cut_keeps_utf8_whole),
		cmocka_unit_test(test_many_frames_keep_the_ends),
		cmocka_unit_test(test_format_bounds),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_code_rows),
		cmocka_unit_test(test_errno_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

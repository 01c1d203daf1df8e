// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: bounded reader and writer, growable buffer: every bound from both sides, stickiness. */
#include "base/bytes.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t counting[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void test_read(void **state)
{
	struct nd_reader r = nd_reader(counting, sizeof(counting));

	assert_int_equal(nd_read_u8(&r), 0x01);
	assert_int_equal(nd_read_be16(&r), 0x0203);
	assert_int_equal(nd_read_be32(&r), 0x04050607);
	assert_true(nd_read_be64(&r) == 0x08090a0b0c0d0e0fu);
	assert_int_equal(nd_reader_left(&r), 0);
	assert_false(r.bad);
	assert_non_null(nd_read_view(&r, 0));
	assert_int_equal(nd_read_u8(&r), 0);
	assert_true(r.bad);
}

static void test_read_overrun_sticks(void **state)
{
	struct nd_reader r = nd_reader(counting, 3);
	uint8_t copy[4] = { 9, 9, 9, 9 };

	assert_int_equal(nd_read_be32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(nd_reader_left(&r), 0);
	assert_int_equal(nd_read_u8(&r), 0);
	assert_null(nd_read_view(&r, 0));
	nd_read_copy(&r, copy, sizeof(copy));
	assert_memory_equal(copy, "\0\0\0\0", 4);
	nd_read_skip(&r, 1);
	assert_true(nd_read_sub(&r, 1).bad);
	assert_int_equal(r.pos, 0);
}

static void test_read_parts(void **state)
{
	struct nd_reader r = nd_reader(counting, sizeof(counting)), sub;
	uint8_t copy[2];

	assert_ptr_equal(nd_read_view(&r, 2), counting);
	nd_read_copy(&r, copy, sizeof(copy));
	assert_memory_equal(copy, "\3\4", 2);
	nd_read_skip(&r, 1);
	sub = nd_read_sub(&r, 2);
	assert_int_equal(nd_reader_left(&sub), 2);
	assert_int_equal(nd_read_be16(&sub), 0x0607);
	nd_read_u8(&sub);
	assert_true(sub.bad);
	assert_false(r.bad);
	assert_int_equal(nd_read_u8(&r), 8);
	assert_true(nd_read_sub(&r, SIZE_MAX).bad);
	assert_true(r.bad);
}

static void test_read_nothing(void **state)
{
	struct nd_reader r = nd_reader(NULL, 0), sub;

	assert_non_null(nd_read_view(&r, 0));
	nd_read_copy(&r, NULL, 0);
	sub = nd_read_sub(&r, 0);
	assert_false(sub.bad);
	assert_false(r.bad);
	assert_int_equal(nd_read_be16(&r), 0);
	assert_true(r.bad);
	r = nd_reader(NULL, 5);
	assert_true(r.bad);
}

static void test_write(void **state)
{
	uint8_t buf[20];
	struct nd_writer w = nd_writer(buf, sizeof(buf));

	nd_write_u8(&w, 0x01);
	nd_write_be16(&w, 0x0203);
	nd_write_be32(&w, 0x04050607);
	nd_write_be64(&w, 0x08090a0b0c0d0e0fu);
	assert_memory_equal(buf, counting, sizeof(counting));
	nd_write_bytes(&w, "ab", 2);
	nd_write_bytes(&w, NULL, 0);
	nd_write_zero(&w, 3);
	assert_int_equal(w.pos, 20);
	assert_false(w.bad);
	assert_memory_equal(buf + 15, "ab\0\0\0", 5);
	nd_write_be16_at(&w, 18, 0x7172);
	assert_memory_equal(buf + 15, "ab\0qr", 5);
	assert_false(w.bad);
	nd_write_be16_at(&w, 19, 1);
	assert_true(w.bad);
}

static void test_write_overrun_sticks(void **state)
{
	uint8_t buf[4] = { 9, 9, 9, 9 };
	struct nd_writer w = nd_writer(buf, 3);

	nd_write_u8(&w, 1);
	nd_write_be32(&w, 2);
	assert_true(w.bad);
	nd_write_u8(&w, 3);
	nd_write_zero(&w, 1);
	nd_write_bytes(&w, "x", 1);
	nd_write_be16_at(&w, 0, 4);
	assert_int_equal(w.pos, 1);
	assert_memory_equal(buf, "\1\x9\x9\x9", 4);
	w = nd_writer(buf, 3);
	nd_write_zero(&w, SIZE_MAX);
	assert_true(w.bad);
	w = nd_writer(NULL, 3);
	nd_write_u8(&w, 1);
	assert_true(w.bad);
	w = nd_writer(buf, 3);
	nd_write_u8(&w, 1);
	nd_write_be16_at(&w, 0, 1); /* one byte written: no room for two */
	assert_true(w.bad);
}

static void test_buf(void **state)
{
	struct nd_buf b = { 0 };
	char *p;

	assert_string_equal(nd_buf_string(&b), "");
	nd_buf_append(&b, NULL, 0);
	nd_buf_append_string(&b, "one ");
	nd_buf_printf(&b, "%d %s", 2, "three");
	assert_string_equal(nd_buf_string(&b), "one 2 three");
	p = nd_buf_reserve(&b, 3);
	assert_non_null(p);
	memcpy(p, " 4!", 3);
	b.len += 3;
	nd_buf_consume(&b, 4);
	nd_buf_consume(&b, 0);
	assert_string_equal(nd_buf_string(&b), "2 three 4!");
	nd_buf_consume(&b, 100);
	assert_int_equal(b.len, 0);
	for (int i = 0; i < 2000; i++)
		nd_buf_printf(&b, "%04d", i);
	assert_int_equal(b.len, 8000);
	assert_memory_equal(nd_buf_string(&b) + 7996, "1999", 5);
	nd_buf_reset(&b);
	assert_string_equal(nd_buf_string(&b), "");
	nd_buf_done(&b);
	assert_null(b.p);
	nd_buf_done(&b);
}

static void test_buf_limit(void **state)
{
	struct nd_buf b = { .max = 300 };

	for (int i = 0; i < 300; i++)
		nd_buf_append(&b, "x", 1);
	assert_false(b.bad);
	assert_int_equal(strlen(nd_buf_string(&b)), 300);
	nd_buf_append(&b, "y", 1);
	assert_true(b.bad);
	assert_int_equal(b.len, 300);
	assert_string_equal(nd_buf_string(&b), "");
	nd_buf_consume(&b, 200);
	nd_buf_append(&b, "y", 1);
	nd_buf_printf(&b, "y");
	assert_null(nd_buf_reserve(&b, 1));
	assert_int_equal(b.len, 100);
	nd_buf_reset(&b);
	assert_non_null(nd_buf_reserve(&b, 300));
	assert_null(nd_buf_reserve(&b, SIZE_MAX));
	nd_buf_done(&b);
	assert_false(b.bad);
	assert_int_equal(b.max, 300);
	b.max = 0;
	assert_null(nd_buf_reserve(&b, 1024 * 1024 + 1));
	nd_buf_reset(&b);
	assert_non_null(nd_buf_reserve(&b, 1024 * 1024));
	nd_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),       cmocka_unit_test(test_read_overrun_sticks),
		cmocka_unit_test(test_read_parts), cmocka_unit_test(test_read_nothing),
		cmocka_unit_test(test_write),      cmocka_unit_test(test_write_overrun_sticks),
		cmocka_unit_test(test_buf),        cmocka_unit_test(test_buf_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the codec: what is written is read back, and what is too short, too long or over a bound is not read
 * at all.
 */
#include "base/mem.h"
#include "netd/libvirt/xdr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int read_buf(const struct nd_buf *b, const char *signature, union xdr_value v[XDR_VALUES_MAX])
{
	return xdr_read(nd_reader(b->p, b->len), signature, v);
}

static void test_numbers(void **state)
{
	union xdr_value v[XDR_VALUES_MAX];
	struct nd_buf b = { 0 };

	xdr_put_int(&b, -5);
	xdr_put_uint(&b, 0xfffffffe);
	xdr_put_hyper(&b, -7);
	assert_int_equal(b.len, 16);
	assert_int_equal(read_buf(&b, "iuh", v), 0);
	assert_int_equal(v[0].i, -5);
	assert_int_equal(v[1].u, 0xfffffffe);
	assert_true(v[2].h == -7);
	xdr_free("iuh", v);
	nd_buf_done(&b);
}

/* RFC 4506 §4.11: length, bytes, zeros up to a multiple of four. */
static void test_string_form(void **state)
{
	static const uint8_t form[] = { 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0 };
	struct nd_buf b = { 0 };

	xdr_put_string(&b, "hello");
	assert_int_equal(b.len, sizeof form);
	assert_memory_equal(b.p, form, sizeof form);
	nd_buf_done(&b);
}

static void test_strings(void **state)
{
	static const char *const texts[] = { "", "a", "ab", "abc", "abcd", "abcde" };
	union xdr_value v[XDR_VALUES_MAX];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct nd_buf b = { 0 };

		xdr_put_string(&b, texts[i]);
		xdr_put_string_or_none(&b, NULL);
		xdr_put_string_or_none(&b, texts[i]);
		assert_int_equal(b.len % 4, 0);
		assert_int_equal(read_buf(&b, "sSS", v), 0);
		assert_string_equal(v[0].s, texts[i]);
		assert_null(v[1].s);
		assert_string_equal(v[2].s, texts[i]);
		xdr_free("sSS", v);
		nd_buf_done(&b);
	}
}

static void test_objects(void **state)
{
	union xdr_value v[XDR_VALUES_MAX];
	struct nd_uuid net, port;
	struct nd_buf b = { 0 };

	nd_uuid_random(&net);
	nd_uuid_random(&port);
	xdr_put_network(&b, "lan", &net);
	xdr_put_uuid(&b, &port);
	assert_int_equal(read_buf(&b, "P", v), 0);
	assert_string_equal(v[0].port.network.name, "lan");
	assert_true(nd_uuid_equal(&v[0].port.network.uuid, &net));
	assert_true(nd_uuid_equal(&v[0].port.uuid, &port));
	xdr_free("P", v);
	assert_int_equal(read_buf(&b, "NU", v), 0);
	assert_true(nd_uuid_equal(&v[1].uuid, &port));
	xdr_free("NU", v);
	assert_int_equal(read_buf(&b, "N", v), ND_PROTOCOL);
	nd_buf_done(&b);
}

static void test_optional_network(void **state)
{
	union xdr_value v[XDR_VALUES_MAX];
	struct nd_uuid net;
	struct nd_buf b = { 0 };

	nd_uuid_random(&net);
	xdr_put_uint(&b, 0);
	xdr_put_uint(&b, 1);
	xdr_put_network(&b, "", &net);
	assert_int_equal(read_buf(&b, "MM", v), 0);
	assert_null(v[0].network.name);
	assert_string_equal(v[1].network.name, "");
	xdr_free("MM", v);
	nd_buf_done(&b);
}

static void test_params(void **state)
{
	union xdr_value v[XDR_VALUES_MAX];
	struct nd_buf b = { 0 };

	xdr_put_uint(&b, 3);
	xdr_put_string(&b, "process-id");
	xdr_put_uint(&b, XDR_PARAM_LLONG);
	xdr_put_hyper(&b, 4711);
	xdr_put_string(&b, "low");
	xdr_put_uint(&b, XDR_PARAM_INT);
	xdr_put_int(&b, -1);
	xdr_put_string(&b, "user-name");
	xdr_put_uint(&b, XDR_PARAM_STRING);
	xdr_put_string(&b, "root");
	assert_int_equal(read_buf(&b, "p", v), 0);
	assert_int_equal(v[0].params.cnt, 3);
	assert_int_equal(v[0].params.list[0].bits, 4711);
	assert_true(v[0].params.list[1].bits == UINT64_MAX);
	assert_string_equal(v[0].params.list[2].string, "root");
	xdr_free("p", v);
	nd_buf_done(&b);
}

/* Every cut of a valid message is refused, and leaves nothing on the heap. */
static void test_cut(void **state)
{
	static const char signature[] = "NSpuU";
	union xdr_value v[XDR_VALUES_MAX];
	struct nd_uuid uuid;
	struct nd_buf b = { 0 };

	nd_uuid_random(&uuid);
	xdr_put_network(&b, "lan", &uuid);
	xdr_put_string_or_none(&b, "text");
	xdr_put_uint(&b, 1);
	xdr_put_string(&b, "name");
	xdr_put_uint(&b, XDR_PARAM_STRING);
	xdr_put_string(&b, "value");
	xdr_put_uint(&b, 1);
	xdr_put_uuid(&b, &uuid);
	for (size_t len = 0; len < b.len; len++) {
		nd_autofree uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, b.p, len);
		assert_int_equal(xdr_read(nd_reader(exact, len), signature, v), ND_PROTOCOL);
	}
	assert_int_equal(read_buf(&b, signature, v), 0);
	xdr_free(signature, v);
	xdr_put_uint(&b, 0);
	assert_int_equal(read_buf(&b, signature, v), ND_PROTOCOL); /* one word too many */
	nd_buf_done(&b);
}

static void refused(const void *p, size_t len, const char *signature)
{
	union xdr_value v[XDR_VALUES_MAX];

	assert_int_equal(xdr_read(nd_reader(p, len), signature, v), ND_PROTOCOL);
}

static void test_bounds(void **state)
{
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
	static const uint8_t over[] = { 0, 0x40, 0, 1, 0, 0, 0, 0 }; /* XDR_STRING_MAX + 1 */
	static const uint8_t nul[] = { 0, 0, 0, 3, 'a', 0, 'b', 0 };
	static const uint8_t two[] = { 0, 0, 0, 2, 0, 0, 0, 0 };
	static const uint8_t many[] = { 0, 0, 0, XDR_PARAMS_MAX + 1 };
	static const uint8_t type[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0 };

	refused(huge, sizeof huge, "s");
	refused(huge, sizeof huge, "p");
	refused(over, sizeof over, "s");
	refused(nul, sizeof nul, "s");
	refused(two, sizeof two, "S"); /* an optional value is there once or not at all */
	refused(many, sizeof many, "p");
	refused(type, sizeof type, "p");
	refused(huge, sizeof huge, "uuuuuuuuu"); /* more than XDR_VALUES_MAX */
	refused(huge, 4, "?");
}

static void test_string_too_long_to_write(void **state)
{
	nd_autofree char *text = malloc(XDR_STRING_MAX + 2);
	struct nd_buf b = { .max = 8 << 20 };

	memset(text, 'x', XDR_STRING_MAX + 1);
	text[XDR_STRING_MAX + 1] = '\0';
	xdr_put_string(&b, text + 1);
	assert_false(b.bad);
	xdr_put_string(&b, text);
	assert_true(b.bad);
	nd_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_string_form),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_optional_network),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_string_too_long_to_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: addresses: what parses, what does not, canonical forms, prefix arithmetic. */
#include "base/addr.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* In -> canonical form; NULL: refused. */
struct row {
	const char *in, *out;
};

static void test_mac(void **state)
{
	static const struct row rows[] = {
		{ "52:54:00:Ab:cD:eF", "52:54:00:ab:cd:ef" },
		{ "52-54-00-ab-cd-ef", "52:54:00:ab:cd:ef" },
		{ "52:54:00-ab:cd:ef", NULL },
		{ "52:54:00:ab:cd", NULL },
		{ "52:54:00:ab:cd:", NULL },
		{ "52:54:00:ab:cd:e", NULL },
		{ "52:54:00:ab:cd:ef:00", NULL },
		{ "52:54:00:ab:cd:ef ", NULL },
		{ "5:54:00:ab:cd:ef", NULL },
		{ "525400abcdef", NULL },
		{ "52:54:00:ab:cd:eg", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_mac m = { { 1 } };
		char buf[ND_MAC_STRLEN];
		int r = nd_mac_from_string(rows[i].in, &m);

		assert_int_equal(r, rows[i].out ? 0 : ND_INVALID);
		assert_string_equal(nd_mac_to_string(&m, buf),
				    rows[i].out ? rows[i].out : "01:00:00:00:00:00");
	}
}

static void test_mac_kinds(void **state)
{
	struct nd_mac zero = { { 0 } }, multicast = { { 1 } }, unicast = { { 2 } };

	assert_true(nd_mac_is_zero(&zero));
	assert_false(nd_mac_is_zero(&unicast));
	assert_true(nd_mac_is_multicast(&multicast));
	assert_false(nd_mac_is_multicast(&unicast));
	assert_false(nd_mac_equal(&zero, &unicast));
	assert_true(nd_mac_equal(&zero, &zero));
}

static void test_uuid(void **state)
{
	static const char canonical[] = "c7a5fdbd-cdaf-9455-926a-d65c16db1809";
	static const struct row rows[] = {
		{ "C7A5FDBD-cdaf-9455-926a-d65c16db1809", canonical },
		{ "c7a5fdbdcdaf9455926ad65c16db1809", canonical },
		{ "c7a5fdbd-cdaf-9455-926a-d65c16db180", NULL },
		{ "c7a5fdbd-cdaf-9455-926a-d65c16db18099", NULL },
		{ "c7a5-fdbdcdaf-9455-926a-d65c16db1809", NULL },
		{ "c7a5fdbd--cdaf-9455-926a-d65c16db1809", NULL },
		{ "c7a5fdbd-cdaf-9455-926a-d65c16db1809-", NULL },
		{ "{7a5fdbd-cdaf-9455-926a-d65c16db1809", NULL },
		{ "", NULL },
	};
	struct nd_uuid zero = { { 0 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_uuid u = zero;
		char buf[ND_UUID_STRLEN];

		assert_int_equal(nd_uuid_from_string(rows[i].in, &u), rows[i].out ? 0 : ND_INVALID);
		assert_int_equal(nd_uuid_is_zero(&u), !rows[i].out);
		if (rows[i].out)
			assert_string_equal(nd_uuid_to_string(&u, buf), rows[i].out);
	}
}

static void test_uuid_made(void **state)
{
	struct nd_uuid a, b, space = { { 1, 2, 3 } };
	char buf[ND_UUID_STRLEN];

	nd_uuid_random(&a);
	nd_uuid_random(&b);
	assert_false(nd_uuid_equal(&a, &b));
	assert_int_equal(a.b[6] >> 4, 4);
	assert_int_equal(a.b[8] >> 6, 2);
	nd_uuid_from_name(&space, "vm1", 3, &a);
	nd_uuid_from_name(&space, "vm1", 3, &b);
	assert_true(nd_uuid_equal(&a, &b));
	nd_uuid_from_name(&space, "vm2", 3, &b);
	assert_false(nd_uuid_equal(&a, &b));
	/* These are on disk: this value never changes. */
	assert_string_equal(nd_uuid_to_string(&a, buf), "9d344862-0f5d-831b-9f11-da690f5d431b");
	/* In place. */
	nd_uuid_from_name(&space, "vm1", 3, &space);
	assert_true(nd_uuid_equal(&a, &space));
}

static void test_ip(void **state)
{
	static const struct row rows[] = {
		{ "192.168.1.1", "192.168.1.1" },
		{ "FD00:0:0::1", "fd00::1" },
		{ "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
		{ "::", "::" },
		{ "1.2.3", NULL },
		{ "1.2.3.256", NULL },
		{ "01.2.3.4", NULL },
		{ "1.2.3.4 ", NULL },
		{ " 1.2.3.4", NULL },
		{ "fe80::1%eth0", NULL },
		{ "1::2::3", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_ip ip = { 0 };
		char buf[ND_IP_STRLEN];

		assert_int_equal(nd_ip_from_string(rows[i].in, &ip), rows[i].out ? 0 : ND_INVALID);
		assert_string_equal(nd_ip_to_string(&ip, buf), rows[i].out ? rows[i].out : "");
	}
}

static void test_ip4(void **state)
{
	struct nd_ip a = nd_ip_from_ip4(0xc0a80102), b, none = { 0 };
	char buf[ND_IP_STRLEN];

	assert_string_equal(nd_ip_to_string(&a, buf), "192.168.1.2");
	assert_string_equal(nd_ip4_to_string(0x01020304, buf), "1.2.3.4");
	assert_int_equal(nd_ip_to_ip4(&a), 0xc0a80102);
	assert_int_equal(nd_ip_from_string("::1", &b), 0);
	assert_int_equal(nd_ip_to_ip4(&b), 0);
	assert_false(nd_ip_equal(&a, &b));
	assert_false(nd_ip_equal(&a, &none));
	assert_true(nd_ip_equal(&none, &none));
	/* Only the first four bytes of an IPv4 address count. */
	b = a;
	b.b[9] = 7;
	assert_true(nd_ip_equal(&a, &b));
}

static void test_prefix(void **state)
{
	static const struct row rows[] = {
		{ "10.0.0.1/8", "10.0.0.1/8" },
		{ "10.0.0.1", "10.0.0.1/32" },
		{ "fd00::1", "fd00::1/128" },
		{ "::/0", "::/0" },
		{ "fd00::/64", "fd00::/64" },
		{ "10.0.0.1/33", NULL },
		{ "::/129", NULL },
		{ "10.0.0.1/", NULL },
		{ "10.0.0.1/08", NULL },
		{ "10.0.0.1/+8", NULL },
		{ "10.0.0.1/ 8", NULL },
		{ "10.0.0.1/4294967304", NULL },
		{ "10.0.0.1/8/8", NULL },
		{ "/8", NULL },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/8", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_prefix p = { 0 };
		char buf[ND_PREFIX_STRLEN];

		assert_int_equal(nd_prefix_from_string(rows[i].in, &p), rows[i].out ? 0 : ND_INVALID);
		assert_string_equal(nd_prefix_to_string(&p, buf), rows[i].out ? rows[i].out : "");
	}
}

static struct nd_prefix prefix(const char *s)
{
	struct nd_prefix p;

	assert_int_equal(nd_prefix_from_string(s, &p), 0);
	return p;
}

static void test_prefix_relations(void **state)
{
	static const struct {
		const char *a, *b;
		bool contains, overlaps;
	} rows[] = {
		{ "10.0.0.0/8", "10.1.2.3/16", true, true },
		{ "10.1.2.3/16", "10.0.0.0/8", false, true },
		{ "10.1.0.0/16", "10.1.255.0/16", true, true },
		{ "10.1.0.0/16", "10.2.0.0/16", false, false },
		{ "10.0.0.0/9", "10.128.0.0/9", false, false },
		{ "0.0.0.0/0", "255.1.2.3/32", true, true },
		{ "0.0.0.0/0", "::/0", false, false },
		{ "fd00::/63", "fd00:0:0:1::/64", true, true },
		{ "fd00::/64", "fd00:0:0:1::/64", false, false },
		{ "1.2.3.4/32", "1.2.3.4/32", true, true },
		{ "1.2.3.4/32", "1.2.3.5/32", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_prefix a = prefix(rows[i].a), b = prefix(rows[i].b);

		assert_int_equal(nd_prefix_contains(&a, &b), rows[i].contains);
		assert_int_equal(nd_prefix_overlaps(&a, &b), rows[i].overlaps);
		assert_int_equal(nd_prefix_overlaps(&b, &a), rows[i].overlaps);
	}
}

static void test_prefix_network(void **state)
{
	static const struct row rows[] = {
		{ "192.168.77.130/25", "192.168.77.128/25" },
		{ "192.168.77.130/24", "192.168.77.0/24" },
		{ "1.2.3.4/0", "0.0.0.0/0" },
		{ "1.2.3.4/32", "1.2.3.4/32" },
		{ "fd00::ff/121", "fd00::80/121" },
		{ "fd00::1/128", "fd00::1/128" },
	};
	struct nd_prefix a = prefix("10.0.0.1/24"), b = prefix("10.0.0.2/24"), none = { 0 };
	struct nd_ip no_ip = { 0 };
	char buf[ND_PREFIX_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_prefix p = prefix(rows[i].in), net = nd_prefix_network(&p);

		assert_string_equal(nd_prefix_to_string(&net, buf), rows[i].out);
		assert_true(nd_prefix_contains_ip(&net, &p.ip));
	}
	assert_false(nd_prefix_equal(&a, &b));
	assert_true(nd_prefix_equal(&a, &a));
	assert_false(nd_prefix_overlaps(&none, &none));
	assert_false(nd_prefix_contains_ip(&none, &no_ip));
	/* A length no family has reads no byte that is not there. */
	a.len = 255;
	assert_true(nd_prefix_contains_ip(&a, &a.ip));
	nd_prefix_network(&a);
}

static void test_mask(void **state)
{
	for (unsigned len = 0; len <= 32; len++)
		assert_int_equal(nd_ip4_mask_len(nd_ip4_mask(len)), len);
	assert_int_equal(nd_ip4_mask(24), 0xffffff00);
	assert_int_equal(nd_ip4_mask_len(0xff00ff00), -1);
	assert_int_equal(nd_ip4_mask_len(1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_mac_kinds),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_uuid_made),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_prefix_relations),
		cmocka_unit_test(test_prefix_network),
		cmocka_unit_test(test_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

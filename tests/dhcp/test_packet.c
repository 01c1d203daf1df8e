// SPDX-License-Identifier: GPL-2.0-or-later
/* BOOTP messages: what is refused and why, options in parts and in three areas, what a reply looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dhcp/packet.h"

#define OPTIONS(bytes) bytes, sizeof(bytes) - 1

static size_t message(uint8_t *buf, const char *options, size_t len)
{
	memset(buf, 0, DHCP_HEADER_LEN);
	memcpy(buf, "\1\1\6\0\x12\x34\x56\x78", 8);
	buf[10] = 0x80;
	memcpy(buf + 12, "\300\250\172\144", 4);
	memcpy(buf + 28, "\x52\x54\0\0\0\1", 6);
	memcpy(buf + 236, "\x63\x82\x53\x63", 4);
	memcpy(buf + DHCP_HEADER_LEN, options, len);
	return DHCP_HEADER_LEN + len;
}

static const struct {
	const char *options;
	size_t len;
	int want;
} rows[] = {
	{ OPTIONS("\65\1\1\377"), DHCP_KEEP },
	{ OPTIONS("\65\1\1"), DHCP_KEEP },               /* no END */
	{ OPTIONS("\0\0\65\1\1\0\377junk"), DHCP_KEEP }, /* nothing counts after END */
	{ OPTIONS("\310\2xx\65\1\1\377"), DHCP_KEEP },   /* unknown ones are passed over */
	{ OPTIONS(""), DHCP_KEEP },                      /* BOOTP */
	{ OPTIONS("\377"), DHCP_KEEP },
	{ OPTIONS("\65\1\0\377"), DHCP_DROP_NO_TYPE },
	{ OPTIONS("\65"), DHCP_DROP_OPTION },   /* no length */
	{ OPTIONS("\65\1"), DHCP_DROP_OPTION }, /* no value */
	{ OPTIONS("\65\1\1\62\4\1\2\3"), DHCP_DROP_OPTION },
	{ OPTIONS("\65\1\1\310\377x"), DHCP_DROP_OPTION },
	{ OPTIONS("\65\2\1\1\377"), DHCP_DROP_OPTION },
	{ OPTIONS("\65\1\1\65\1\3\377"), DHCP_DROP_OPTION }, /* twice is one of length 2 */
	{ OPTIONS("\65\1\1\64\1\0\377"), DHCP_DROP_OPTION }, /* overload 0, 4, of length 2, twice */
	{ OPTIONS("\65\1\1\64\1\4\377"), DHCP_DROP_OPTION },
	{ OPTIONS("\65\1\1\64\2\1\1\377"), DHCP_DROP_OPTION },
	{ OPTIONS("\65\1\1\64\1\1\64\1\1\377"), DHCP_DROP_OPTION },
};

static void test_options(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t buf[600];
		size_t len = message(buf, rows[i].options, rows[i].len);
		nd_autofree uint8_t *exact = malloc(len); /* a byte beyond it is seen */
		struct dhcp_packet p;
		int got;

		memcpy(exact, buf, len);
		got = dhcp_packet_parse(exact, len, &p);
		if (got != rows[i].want)
			fail_msg("row %zu: %d", i, got);
	}
}

static const struct {
	size_t at;
	uint8_t value;
	int want;
} headers[] = {
	{ 0, 2, DHCP_DROP_BOOTP },    { 0, 0, DHCP_DROP_BOOTP },    { 1, 6, DHCP_DROP_BOOTP },
	{ 2, 16, DHCP_DROP_BOOTP },   { 2, 0, DHCP_DROP_BOOTP },    { 28, 1, DHCP_DROP_CHADDR },
	{ 236, 0, DHCP_DROP_COOKIE }, { 239, 0, DHCP_DROP_COOKIE }, { 3, 5, DHCP_KEEP },
};

static void test_header(void **state)
{
	struct dhcp_packet p;
	uint8_t buf[600];
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		len = message(buf, OPTIONS("\65\1\1\377"));
		buf[headers[i].at] = headers[i].value;
		assert_int_equal(dhcp_packet_parse(buf, len, &p), headers[i].want);
	}
	len = message(buf, OPTIONS("\65\1\1\377"));
	memset(buf + 28, 0, 6);
	assert_int_equal(dhcp_packet_parse(buf, len, &p), DHCP_DROP_CHADDR);
	for (size_t n = 0; n < DHCP_HEADER_LEN; n++)
		assert_int_equal(dhcp_packet_parse(buf, n, &p),
				 n < DHCP_BOOTP_LEN ? DHCP_DROP_SHORT : DHCP_DROP_CHADDR);
	message(buf, OPTIONS("\65\1\3"));
	assert_int_equal(dhcp_packet_parse(buf, 243, &p), DHCP_KEEP);
	assert_int_equal(p.xid, 0x12345678);
	assert_int_equal(p.flags, DHCP_FLAG_BROADCAST);
	assert_int_equal(p.ciaddr, 0xc0a87a64);
	assert_int_equal(p.asked.type, DHCP_REQUEST);
}

/* RFC 3396: parts in all areas are one value, in the order options, file, sname. */
static void test_parts(void **state)
{
	struct dhcp_packet p;
	uint8_t buf[600];
	size_t len = message(buf, OPTIONS("\75\2ab\64\1\3\65\1\1\75\1c\14\3web\377"));

	memcpy(buf + 108, "\75\2de\62\4\1\2\3\4\377", 11); /* file */
	memcpy(buf + 44, "\75\1f\377", 4);                 /* sname */
	assert_int_equal(dhcp_packet_parse(buf, len, &p), DHCP_KEEP);
	assert_int_equal(p.asked.client_id.len, 6);
	assert_memory_equal(p.asked.client_id.p, "abcdef", 6);
	assert_int_equal(p.asked.requested_ip4, 0x01020304);
	assert_string_equal(p.asked.hostname, "web");
	/* Not overloaded: the fields are not looked at. Option 52 in them opens no further ones. */
	len = message(buf, OPTIONS("\75\2ab\65\1\1\377"));
	memcpy(buf + 108, "\75\2de\377", 5);
	assert_int_equal(dhcp_packet_parse(buf, len, &p), DHCP_KEEP);
	assert_int_equal(p.asked.client_id.len, 2);
	len = message(buf, OPTIONS("\64\1\1\65\1\1\377"));
	memcpy(buf + 108, "\75\1a\75\377", 5);
	assert_int_equal(dhcp_packet_parse(buf, len, &p), DHCP_DROP_OPTION); /* 61 of length 255 runs over */
	len = message(buf, OPTIONS("\64\1\1\65\1\1\377"));
	memcpy(buf + 108, "\64\1\2\377", 4);
	memcpy(buf + 44, "\62\4\1\2\3\4\377", 7);
	assert_int_equal(dhcp_packet_parse(buf, len, &p), DHCP_KEEP);
	assert_false(p.asked.has_requested);
}

static void test_long_client_id(void **state)
{
	char options[600] = "\65\1\1\75\310";
	struct dhcp_packet p;
	uint8_t buf[900];

	memset(options + 5, 'x', 200);
	memcpy(options + 205, "\75\67", 2);
	memset(options + 207, 'y', 55);
	assert_int_equal(dhcp_packet_parse(buf, message(buf, options, 262), &p), DHCP_KEEP);
	assert_int_equal(p.asked.client_id.len, 255);
	memcpy(options + 205, "\75\70", 2); /* 256 in all */
	assert_int_equal(dhcp_packet_parse(buf, message(buf, options, 263), &p), DHCP_DROP_OPTION);
}

static void test_build(void **state)
{
	struct dhcp_reply_header h = { .yiaddr = 0xc0a87a65, .flags = 0x8000 };
	struct dhcp_answer a = { .type = DHCP_OFFER, .server_ip4 = 1, .lease_s = 60 };
	static char domain[250];
	struct dhcp_packet p;
	uint8_t buf[1472];
	size_t len;

	message(buf, OPTIONS("\65\1\1"));
	assert_int_equal(dhcp_packet_parse(buf, 243, &p), DHCP_KEEP);
	len = dhcp_packet_build(&p, &h, &a, buf, sizeof(buf));
	assert_int_equal(len, DHCP_PAYLOAD_MIN);
	assert_memory_equal(buf, "\2\1\6\0\x12\x34\x56\x78\0\0\x80\0\0\0\0\0\300\250\172\145", 20);
	/* No more than the client takes, whatever it says: 576 to 1,500 with the IP header. */
	memset(domain, 'a', sizeof(domain) - 1);
	a.domain = domain;
	a.client_id = (struct dhcp_view){ (const uint8_t *)domain, 249 };
	p.asked.size_max = 60;
	len = dhcp_packet_build(&p, &h, &a, buf, sizeof(buf));
	assert_in_range(len, DHCP_PAYLOAD_MIN, DHCP_DATAGRAM_MIN - DHCP_IP_UDP_LEN);
	p.asked.size_max = 65535;
	len = dhcp_packet_build(&p, &h, &a, buf, sizeof(buf));
	assert_int_equal(len, 240 + 3 + 6 + 6 + 251 + 251 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options), cmocka_unit_test(test_header),
		cmocka_unit_test(test_parts),   cmocka_unit_test(test_long_client_id),
		cmocka_unit_test(test_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

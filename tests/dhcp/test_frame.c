// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames: each check of Ethernet, IPv4, UDP and ARP, and what we build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dhcp/dhcp.h"
#include "dhcp/frame.h"
#include "tests/dhcp/harness.h"

static size_t good(uint8_t *buf)
{
	struct dhcp_addressee to = { .src = { { 2, 0, 0, 0, 0, 1 } },
				     .dst = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
				     .dst_ip4 = DHCP_IP4_BROADCAST,
				     .dst_port = DHCP_PORT_SERVER };

	memcpy(buf + DHCP_FRAME_HEADER, "payload", 7);
	return dhcp_frame_build(&to, buf, 7);
}

static void fix_ip_sum(uint8_t *f)
{
	uint32_t sum = 0;

	f[24] = f[25] = 0;
	for (size_t i = 14; i < 14u + (f[14] & 0xf) * 4u; i += 2)
		sum += (uint32_t)f[i] << 8 | f[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	f[24] = (uint8_t)(sum >> 8);
	f[25] = (uint8_t)sum;
}

static const struct {
	size_t at;
	uint8_t value;
	bool fix; /* the IP checksum is made right again */
	int want;
} rows[] = {
	{ 0, 0xff, false, DHCP_KEEP },
	{ 13, 6, false, DHCP_DROP_NOT_IP },
	{ 12, 0x81, false, DHCP_DROP_NOT_IP },
	{ 6, 1, false, DHCP_DROP_CHADDR },        /* multicast source */
	{ 14, 0x65, true, DHCP_DROP_IP_HEADER },  /* version 6 */
	{ 14, 0x44, false, DHCP_DROP_IP_HEADER }, /* header of 16 bytes */
	{ 14, 0x4f, false, DHCP_DROP_IP_HEADER }, /* header beyond the datagram */
	{ 17, 36, true, DHCP_DROP_IP_HEADER },    /* a byte more than there is */
	{ 17, 19, true, DHCP_DROP_IP_HEADER },
	{ 17, 27, true, DHCP_DROP_SHORT }, /* no room for UDP */
	{ 17, 34, true, DHCP_DROP_UDP },   /* UDP is longer than the datagram */
	{ 25, 1, false, DHCP_DROP_CHECKSUM },
	{ 20, 0x20, true, DHCP_DROP_FRAGMENT },
	{ 21, 1, true, DHCP_DROP_FRAGMENT },
	{ 23, 6, true, DHCP_DROP_UDP },
	{ 37, 68, false, DHCP_DROP_UDP }, /* to another port */
	{ 39, 7, false, DHCP_DROP_UDP },
	{ 39, 16, false, DHCP_DROP_UDP },
	{ 41, 1, false, DHCP_DROP_CHECKSUM },
	{ 45, 'x', false, DHCP_DROP_CHECKSUM },
	{ 22, 1, true, DHCP_KEEP }, /* time to live */
};

static void test_parse(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t buf[128];
		struct dhcp_frame f;
		size_t len = good(buf);
		int got;

		buf[rows[i].at] = rows[i].value;
		if (rows[i].fix)
			fix_ip_sum(buf);
		got = dhcp_frame_parse(buf, len, false, &f);
		if (got != rows[i].want)
			fail_msg("row %zu: %d", i, got);
	}
}

static void test_lengths(void **state)
{
	uint8_t buf[128] = { 0 };
	size_t len = good(buf);
	struct dhcp_frame f;

	for (size_t n = 0; n < len; n++) {
		nd_autofree uint8_t *cut = malloc(n ? n : 1);

		memcpy(cut, buf, n);
		assert_int_equal(dhcp_frame_parse(cut, n, false, &f),
				 n < 34 ? DHCP_DROP_SHORT : DHCP_DROP_IP_HEADER);
	}
	/* Ethernet padding is not part of the datagram. */
	assert_int_equal(dhcp_frame_parse(buf, len + 20, false, &f), DHCP_KEEP);
	assert_int_equal(f.payload_len, 7);
	assert_memory_equal(f.payload, "payload", 7);
	assert_int_equal(f.dst_ip4, DHCP_IP4_BROADCAST);
	assert_int_equal(f.src.b[5], 1);
}

static void test_checksum(void **state)
{
	uint8_t buf[128];
	size_t len = good(buf);
	struct dhcp_frame f;

	buf[40] ^= 0x55;
	assert_int_equal(dhcp_frame_parse(buf, len, false, &f), DHCP_DROP_CHECKSUM);
	assert_int_equal(dhcp_frame_parse(buf, len, true, &f), DHCP_KEEP);
	buf[40] = buf[41] = 0;
	assert_int_equal(dhcp_frame_parse(buf, len, false, &f), DHCP_KEEP);
}

static void test_ip_options(void **state)
{
	uint8_t buf[128], more[132];
	size_t len = good(buf);
	struct dhcp_frame f;

	memcpy(more, buf, 34);
	memset(more + 34, 1, 4);
	memcpy(more + 38, buf + 34, len - 34);
	more[14] = 0x46;
	more[17] = (uint8_t)(more[17] + 4);
	fix_ip_sum(more);
	assert_int_equal(dhcp_frame_parse(more, len + 4, false, &f), DHCP_KEEP);
	assert_memory_equal(f.payload, "payload", 7);
}

/* A checksum that comes out as zero is sent as 0xffff. */
static void test_zero_checksum(void **state)
{
	uint8_t buf[128];
	struct dhcp_addressee to = { .dst_port = DHCP_PORT_CLIENT };
	bool seen = false;
	struct dhcp_frame f;

	to.src.b[5] = 1;
	for (unsigned v = 0; v < 0x10000; v++) {
		size_t len;

		buf[DHCP_FRAME_HEADER] = (uint8_t)(v >> 8);
		buf[DHCP_FRAME_HEADER + 1] = (uint8_t)v;
		len = dhcp_frame_build(&to, buf, 2);
		assert_int_equal(len, 44);
		assert_int_not_equal(buf[40] << 8 | buf[41], 0);
		seen |= buf[40] == 0xff && buf[41] == 0xff;
	}
	assert_true(seen);
	to.dst_port = DHCP_PORT_SERVER;
	assert_int_equal(dhcp_frame_parse(buf, dhcp_frame_build(&to, buf, 2), false, &f), DHCP_KEEP);
}

static void test_arp(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int want;
	} spoils[] = {
		{ 13, 0, DHCP_DROP_NOT_IP }, { 15, 6, DHCP_DROP_NOT_IP },  { 16, 9, DHCP_DROP_NOT_IP },
		{ 18, 8, DHCP_DROP_NOT_IP }, { 19, 16, DHCP_DROP_NOT_IP }, { 21, 3, DHCP_DROP_NOT_IP },
		{ 22, 1, DHCP_DROP_CHADDR }, { 21, 2, DHCP_KEEP },
	};
	struct nd_mac mac = { { 2, 0, 0, 0, 0, 7 } };
	uint8_t buf[DHCP_ARP_LEN];
	struct dhcp_arp a;

	assert_int_equal(dhcp_arp_probe_build(&mac, 0xc0a87a64, buf), DHCP_ARP_LEN);
	assert_memory_equal(buf, "\377\377\377\377\377\377\2\0\0\0\0\7\10\6\0\1\10\0\6\4\0\1", 22);
	assert_int_equal(dhcp_arp_parse(buf, sizeof(buf), &a), DHCP_KEEP);
	assert_false(a.is_reply);
	assert_int_equal(a.sender_ip4, 0);
	assert_int_equal(a.target_ip4, 0xc0a87a64);
	assert_true(nd_mac_equal(&a.sender, &mac));
	for (size_t n = 0; n < sizeof(buf); n++)
		assert_int_equal(dhcp_arp_parse(buf, n, &a), DHCP_DROP_SHORT);
	for (size_t i = 0; i < ARRAY_LEN(spoils); i++) {
		dhcp_arp_probe_build(&mac, 0xc0a87a64, buf);
		buf[spoils[i].at] = spoils[i].value;
		assert_int_equal(dhcp_arp_parse(buf, sizeof(buf), &a), spoils[i].want);
	}
}

/* The lease time and what follows from it, never longer than it was; the checksum with it. */
static void test_shorten(void **state)
{
	static const uint8_t raw[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 5,  0, 51, 4, 0, 0,  0x0e, 0x10,
				       58,   4,    0,    0,    7,  8, 59, 4, 0,  0, 0, 60, 255 };
	const struct dhcp_addressee to = { .src_ip4 = 0x0a000001, .dst_ip4 = 0x0a000002, .dst_port = 68 };
	uint8_t buf[DHCP_FRAME_HEADER + 300] = { 0 };
	struct answer got;
	size_t len;

	memcpy(buf + DHCP_FRAME_HEADER, "\2\1\6", 3);
	memcpy(buf + DHCP_FRAME_HEADER + DHCP_BOOTP_LEN, raw, sizeof(raw));
	len = dhcp_frame_build(&to, buf, 300);
	assert_int_equal(dhcp_frame_shorten(buf, len, 400, NULL), 0);
	answer_parse(buf, len, &got); /* which checks the sums */
	assert_int_equal(got.lease_s, 400);
	assert_int_equal(got.t1_s, 200);
	assert_int_equal(got.t2_s, 60);
	memset(buf + DHCP_FRAME_HEADER + DHCP_HEADER_LEN, 0, 60);
	assert_int_equal(dhcp_frame_shorten(buf, len, 400, NULL), ND_PROTOCOL);
	assert_int_equal(dhcp_frame_shorten(buf, DHCP_FRAME_HEADER, 400, NULL), ND_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),         cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_checksum),      cmocka_unit_test(test_ip_options),
		cmocka_unit_test(test_zero_checksum), cmocka_unit_test(test_arp),
		cmocka_unit_test(test_shorten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Which frames of a worker netd would send. The sockets themselves are tried in tests/netns/test_dhcp_socket.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "dhcp/dhcp.h"
#include "dhcp/socket.h"
#include <sys/socket.h>

static const struct nd_mac server = { { 0x52, 0x54, 0, 1, 2, 3 } };
#define SERVER_IP4 0xc0a87a01u
#define REPLY_LEN  (14 + 20 + 8 + 300)
#define PROBE_LEN  42

static void make_reply(uint8_t frame[REPLY_LEN])
{
	struct nd_writer w = nd_writer(frame, REPLY_LEN);
	nd_write_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	nd_write_bytes(&w, server.b, 6);
	nd_write_be16(&w, 0x0800);
	nd_write_u8(&w, 0x45);
	nd_write_u8(&w, 0);
	nd_write_be16(&w, REPLY_LEN - 14);
	nd_write_be32(&w, 0);
	nd_write_u8(&w, 64);
	nd_write_u8(&w, 17);
	nd_write_be16(&w, 0);
	nd_write_be32(&w, SERVER_IP4);
	nd_write_be32(&w, UINT32_MAX);
	nd_write_be16(&w, 67);
	nd_write_be16(&w, 68);
	nd_write_be16(&w, REPLY_LEN - 34);
	nd_write_zero(&w, REPLY_LEN - w.pos);
	assert_false(w.bad);
}

static void make_probe(uint8_t frame[PROBE_LEN])
{
	struct nd_writer w = nd_writer(frame, PROBE_LEN);
	nd_write_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	nd_write_bytes(&w, server.b, 6);
	nd_write_be16(&w, 0x0806);
	nd_write_be16(&w, 1);
	nd_write_be16(&w, 0x0800);
	nd_write_be16(&w, 0x0604);
	nd_write_be16(&w, 1);
	nd_write_bytes(&w, server.b, 6);
	nd_write_be32(&w, 0);
	nd_write_zero(&w, 6);
	nd_write_be32(&w, SERVER_IP4 + 9);
	assert_false(w.bad);
}

static int check(const uint8_t *frame, size_t len)
{
	return dhcp_frame_is_server(frame, len, &server, SERVER_IP4, NULL);
}

static void replies(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int want;
		const char *what;
	} cases[] = {
		{ 0, 0x02, 0, "unicast destination" },
		{ 37, 67, 0, "to a relay" },
		{ 11, 9, ND_PROTOCOL, "Ethernet source" },
		{ 12, 0x86, ND_PROTOCOL, "Ethernet type" },
		{ 13, 0x06, ND_PROTOCOL, "IPv4 as ARP" },
		{ 14, 0x46, ND_PROTOCOL, "IPv4 options" },
		{ 14, 0x65, ND_PROTOCOL, "IP version" },
		{ 16, 0xff, ND_PROTOCOL, "total length beyond the frame" },
		{ 20, 0x20, ND_PROTOCOL, "more fragments" },
		{ 21, 0x01, ND_PROTOCOL, "fragment offset" },
		{ 23, 6, ND_PROTOCOL, "TCP" },
		{ 29, 2, ND_PROTOCOL, "IPv4 source" },
		{ 35, 53, ND_PROTOCOL, "UDP source port" },
		{ 37, 53, ND_PROTOCOL, "UDP destination port" },
		{ 39, 1, ND_PROTOCOL, "UDP length" },
	};
	uint8_t frame[REPLY_LEN];
	make_reply(frame);
	assert_int_equal(check(frame, sizeof(frame)), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		make_reply(frame);
		frame[cases[i].at] = cases[i].value;
		if (check(frame, sizeof(frame)) != cases[i].want)
			fail_msg("%s", cases[i].what);
	}
	make_reply(frame);
	for (size_t len = 0; len < sizeof(frame); len++)
		assert_int_equal(check(frame, len), ND_PROTOCOL);
}

static void too_long(void **state)
{
	static uint8_t frame[DHCP_FRAME_MAX + 1];
	make_reply(frame);
	assert_int_equal(check(frame, DHCP_FRAME_MAX), 0); /* padded */
	assert_int_equal(check(frame, DHCP_FRAME_MAX + 1), ND_PROTOCOL);
}

static void probes(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = { { 11, 9 }, { 15, 2 }, { 16, 9 }, { 18, 7 }, { 19, 5 }, { 21, 2 }, { 27, 9 }, { 31, 1 } };
	uint8_t frame[PROBE_LEN];
	make_probe(frame);
	assert_int_equal(check(frame, sizeof(frame)), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		make_probe(frame);
		frame[bad[i].at] = bad[i].value;
		assert_int_equal(check(frame, sizeof(frame)), ND_PROTOCOL);
	}
	make_probe(frame);
	for (size_t len = 0; len < sizeof(frame); len++)
		assert_int_equal(check(frame, len), ND_PROTOCOL);
}

static void errors(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	uint8_t frame[REPLY_LEN];
	make_reply(frame);
	assert_int_equal(dhcp_socket_send(-1, 1, frame, 13, NULL), ND_INVALID);
	assert_int_equal(dhcp_socket_send(-1, 1, frame, sizeof(frame), &e), ND_SYSTEM);
}

/* The receiver on a socket that is no packet socket: what has no link-layer address has interface 0, which is no network's. */
static void receiver_without_addresses(void **state)
{
	struct dhcp_rx *rx = dhcp_rx_new();
	static const uint8_t big[DHCP_FRAME_MAX + 100];
	int fds[2];
	assert_non_null(rx);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(dhcp_rx_receive(rx, fds[0], NULL), 0);
	assert_int_equal(send(fds[1], "abc", 3, 0), 3);
	assert_int_equal(send(fds[1], big, sizeof(big), 0), sizeof(big));
	assert_int_equal(dhcp_rx_receive(rx, fds[0], NULL), 2);
	struct dhcp_rx_frame f = dhcp_rx_get(rx, 0);
	assert_int_equal(f.len, 3);
	assert_memory_equal(f.bytes, "abc", 3);
	assert_int_equal(f.ifindex, 0);
	assert_int_equal(f.mark, 0);
	assert_int_equal(dhcp_rx_get(rx, 1).len, DHCP_FRAME_MAX);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(dhcp_rx_receive(rx, fds[0], NULL), ND_SYSTEM);
	dhcp_rx_free(rx);
	dhcp_rx_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(too_long),
		cmocka_unit_test(probes),
		cmocka_unit_test(errors),
		cmocka_unit_test(receiver_without_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The records: what a receiver lets through, what comes out as it went in, and how they are batched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/sock.h"
#include "dhcp/message.h"
#include <errno.h>
#include <sys/socket.h>

static const enum dhcp_message_side both_sides[] = { DHCP_SIDE_NETD, DHCP_SIDE_WORKER };

static void names_are_total(void **state)
{
	for (int i = 0; i < DHCP_MESSAGE_CNT_; i++)
		assert_non_null(dhcp_message_kind_to_string(i));
	assert_null(dhcp_message_kind_to_string(DHCP_MESSAGE_CNT_));
	assert_null(dhcp_message_kind_to_string(-1));
}

/* One record of `len` zero bytes, cut or not. Return: what dhcp_message_next says. */
static int next_of(unsigned kind, size_t len, size_t cut, enum dhcp_message_side from)
{
	static uint8_t bytes[DHCP_DATAGRAM_MAX];
	struct nd_writer w = nd_writer(bytes, sizeof(bytes));
	struct dhcp_message m = { 0 };
	nd_write_be16(&w, (uint16_t)kind);
	nd_write_be16(&w, (uint16_t)len);
	nd_write_zero(&w, len);
	struct nd_reader r = nd_reader(bytes, w.pos - cut);
	int rc = dhcp_message_next(&r, from, &m, NULL);
	if (rc > 0) {
		assert_int_equal(m.kind, kind);
		assert_int_equal(nd_reader_left(&m.body), len);
	}
	return rc;
}

static void lengths_and_directions(void **state)
{
	static const struct {
		enum dhcp_message_kind kind;
		enum dhcp_message_side from;
		size_t good[2], bad[3];
	} cases[] = {
		{ DHCP_MESSAGE_HELLO, DHCP_SIDE_NETD, { 4, 4 }, { 0, 3, 5 } },
		{ DHCP_MESSAGE_HELLO, DHCP_SIDE_WORKER, { 4, 4 }, { 0, 3, 5 } },
		{ DHCP_MESSAGE_NETWORK_BEGIN,
		  DHCP_SIDE_NETD,
		  { DHCP_WIRE_NETWORK_LEN, DHCP_WIRE_NETWORK_LEN },
		  { 0, DHCP_WIRE_NETWORK_LEN - 1, DHCP_WIRE_NETWORK_LEN + 1 } },
		{ DHCP_MESSAGE_NETWORK_RANGES,
		  DHCP_SIDE_NETD,
		  { 12, 12 * DHCP_RANGES_MAX },
		  { 0, 13, 12 * (DHCP_RANGES_MAX + 1) } },
		{ DHCP_MESSAGE_NETWORK_HOSTS,
		  DHCP_SIDE_NETD,
		  { DHCP_WIRE_HOST_LEN, DHCP_WIRE_HOST_LEN * DHCP_HOSTS_PER_MESSAGE },
		  { 0, DHCP_WIRE_HOST_LEN + 1, DHCP_WIRE_HOST_LEN * (DHCP_HOSTS_PER_MESSAGE + 1) } },
		{ DHCP_MESSAGE_NETWORK_COMMIT, DHCP_SIDE_NETD, { 4, 4 }, { 0, 3, 5 } },
		{ DHCP_MESSAGE_NETWORK_DEL, DHCP_SIDE_NETD, { 4, 4 }, { 0, 3, 5 } },
		{ DHCP_MESSAGE_PORT_SET,
		  DHCP_SIDE_NETD,
		  { DHCP_WIRE_PORT_LEN, DHCP_WIRE_PORT_LEN },
		  { 0, DHCP_WIRE_PORT_LEN - 1, DHCP_WIRE_PORT_LEN + 1 } },
		{ DHCP_MESSAGE_PORT_DEL, DHCP_SIDE_NETD, { 4, 4 }, { 0, 3, 5 } },
		{ DHCP_MESSAGE_LEASE_LOAD,
		  DHCP_SIDE_NETD,
		  { DHCP_WIRE_LEASE_LEN, DHCP_WIRE_LEASE_LEN },
		  { 0, DHCP_WIRE_LEASE_LEN - 1, DHCP_WIRE_LEASE_LEN + 1 } },
		{ DHCP_MESSAGE_LEASE_FREE, DHCP_SIDE_NETD, { 20, 20 }, { 0, 19, 21 } },
		{ DHCP_MESSAGE_STORED, DHCP_SIDE_NETD, { 8, 8 }, { 0, 7, 9 } },
		{ DHCP_MESSAGE_REFUSED, DHCP_SIDE_NETD, { 8, 8 }, { 0, 7, 9 } },
		{ DHCP_MESSAGE_SEND,
		  DHCP_SIDE_WORKER,
		  { 5, 4 + DHCP_FRAME_MAX },
		  { 0, 4, 5 + DHCP_FRAME_MAX } },
		{ DHCP_MESSAGE_PROPOSE,
		  DHCP_SIDE_WORKER,
		  { 12 + DHCP_WIRE_LEASE_LEN, 12 + DHCP_WIRE_LEASE_LEN + DHCP_FRAME_MAX },
		  { 0, 11 + DHCP_WIRE_LEASE_LEN, 13 + DHCP_WIRE_LEASE_LEN + DHCP_FRAME_MAX } },
		{ DHCP_MESSAGE_RELEASE,
		  DHCP_SIDE_WORKER,
		  { DHCP_WIRE_LEASE_LEN, DHCP_WIRE_LEASE_LEN },
		  { 0, DHCP_WIRE_LEASE_LEN - 1, DHCP_WIRE_LEASE_LEN + 1 } },
		{ DHCP_MESSAGE_NOTICE,
		  DHCP_SIDE_WORKER,
		  { 6, 4 + DHCP_NOTICE_MAX },
		  { 0, 5, 5 + DHCP_NOTICE_MAX } },
		{ DHCP_MESSAGE_COUNTERS,
		  DHCP_SIDE_WORKER,
		  { DHCP_WIRE_COUNTERS_LEN, DHCP_WIRE_COUNTERS_LEN },
		  { 0, DHCP_WIRE_COUNTERS_LEN - 8, DHCP_WIRE_COUNTERS_LEN + 8 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t k = 0; k < 2; k++)
			assert_int_equal(next_of(cases[i].kind, cases[i].good[k], 0, cases[i].from), 1);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(next_of(cases[i].kind, cases[i].bad[k], 0, cases[i].from),
					 ND_PROTOCOL);
		assert_int_equal(next_of(cases[i].kind, cases[i].good[1], 1, cases[i].from), ND_PROTOCOL);
		if (cases[i].kind != DHCP_MESSAGE_HELLO)
			assert_int_equal(next_of(cases[i].kind, cases[i].good[0], 0,
						 (DHCP_SIDE_NETD | DHCP_SIDE_WORKER) ^ cases[i].from),
					 ND_PROTOCOL);
	}
	for (size_t i = 0; i < ARRAY_LEN(both_sides); i++) {
		assert_int_equal(next_of(DHCP_MESSAGE_CNT_, 4, 0, both_sides[i]), ND_PROTOCOL);
		assert_int_equal(next_of(UINT16_MAX, 4, 0, both_sides[i]), ND_PROTOCOL);
		assert_int_equal(next_of(DHCP_MESSAGE_HELLO, 4, 6, both_sides[i]), ND_PROTOCOL);
		assert_int_equal(next_of(DHCP_MESSAGE_HELLO, 4, 8, both_sides[i]), 0);
	}
}

static void flags_are_checked(void **state)
{
	static const uint8_t bytes[] = { 0, 1, 2, 0xff };
	bool more;
	struct nd_reader r = nd_reader(bytes, 1);
	assert_int_equal(dhcp_message_open(&r, &more, NULL), 0);
	assert_false(more);
	r = nd_reader(bytes + 1, 1);
	assert_int_equal(dhcp_message_open(&r, &more, NULL), 0);
	assert_true(more);
	r = nd_reader(bytes + 2, 1);
	assert_int_equal(dhcp_message_open(&r, &more, NULL), ND_PROTOCOL);
	r = nd_reader(bytes + 3, 1);
	assert_int_equal(dhcp_message_open(&r, &more, NULL), ND_PROTOCOL);
	r = nd_reader(bytes, 0);
	assert_int_equal(dhcp_message_open(&r, &more, NULL), ND_PROTOCOL);
}

static void lease_round_trip(void **state)
{
	uint8_t bytes[DHCP_WIRE_LEASE_LEN];
	struct dhcp_lease in, out;
	memset(&in, 0, sizeof(in));
	memset(in.network.b, 0x11, sizeof(in.network.b));
	memset(in.port.b, 0x22, sizeof(in.port.b));
	in.ip4 = 0xc0a87a05;
	in.state = DHCP_LEASE_DECLINED;
	in.identity =
		(struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 7, .bytes = { 1, 2, 3 } };
	in.mac = (struct nd_mac){ { 2, 0, 0, 0, 0, 9 } };
	strcpy(in.hostname, "web");
	in.client_id = (struct dhcp_identity){ .kind = DHCP_IDENTITY_CLIENT_ID, .len = 3, .bytes = "abc" };
	in.expiry_s = 0x123456789aull;
	struct nd_writer w = nd_writer(bytes, sizeof(bytes));
	dhcp_wire_put_lease(&w, &in);
	assert_false(w.bad);
	assert_int_equal(w.pos, sizeof(bytes));
	struct nd_reader r = nd_reader(bytes, sizeof(bytes));
	dhcp_wire_get_lease(&r, &out);
	assert_false(r.bad);
	assert_int_equal(nd_reader_left(&r), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void network_round_trip(void **state)
{
	uint8_t bytes[DHCP_WIRE_NETWORK_LEN];
	struct dhcp_network in, out;
	memset(&in, 0, sizeof(in));
	in.id = 7;
	memset(in.uuid.b, 0x33, sizeof(in.uuid.b));
	in.ifindex = 12;
	in.server_mac = (struct nd_mac){ { 0x52, 0x54, 0, 1, 2, 3 } };
	in.address_ip4 = 0x0a000001;
	in.prefix_len = 24;
	in.router_ip4 = 0x0a0000fe;
	in.dns_ip4[0] = 1;
	in.dns_ip4[2] = 3;
	in.dns_cnt = 3;
	strcpy(in.domain, "lab.example");
	in.mtu = 1400;
	in.lease_s = 600;
	in.probe = true;
	in.range_cnt = 2;
	in.host_cnt = 5;
	struct nd_writer w = nd_writer(bytes, sizeof(bytes));
	dhcp_wire_put_network(&w, &in);
	assert_false(w.bad);
	assert_int_equal(w.pos, sizeof(bytes));
	struct nd_reader r = nd_reader(bytes, sizeof(bytes));
	dhcp_wire_get_network(&r, &out);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void small_round_trips(void **state)
{
	uint8_t bytes[512];
	struct dhcp_range range = { 1, 2, 3 }, range_out;
	struct dhcp_host host, host_out;
	struct dhcp_port port, port_out;
	memset(&host, 0, sizeof(host));
	host.has_mac = true;
	host.mac.b[5] = 1;
	strcpy(host.name, "db");
	host.client_id = (struct dhcp_identity){ .kind = DHCP_IDENTITY_CLIENT_ID, .len = 1, .bytes = { 9 } };
	host.ip4 = 5;
	host.lease_s = 6;
	memset(&port, 0, sizeof(port));
	port.mark = 0x4e440001;
	port.network_id = 2;
	port.uuid.b[0] = 3;
	port.mac.b[0] = 2;
	memset(port.name, 'x', sizeof(port.name) - 1);

	struct nd_writer w = nd_writer(bytes, sizeof(bytes));
	dhcp_wire_put_range(&w, &range);
	assert_int_equal(w.pos, DHCP_WIRE_RANGE_LEN);
	dhcp_wire_put_host(&w, &host);
	assert_int_equal(w.pos, DHCP_WIRE_RANGE_LEN + DHCP_WIRE_HOST_LEN);
	dhcp_wire_put_port(&w, &port);
	assert_int_equal(w.pos, DHCP_WIRE_RANGE_LEN + DHCP_WIRE_HOST_LEN + DHCP_WIRE_PORT_LEN);
	struct nd_reader r = nd_reader(bytes, w.pos);
	dhcp_wire_get_range(&r, &range_out);
	dhcp_wire_get_host(&r, &host_out);
	dhcp_wire_get_port(&r, &port_out);
	assert_memory_equal(&range, &range_out, sizeof(range));
	assert_memory_equal(&host, &host_out, sizeof(host));
	assert_memory_equal(&port, &port_out, sizeof(port));
}

static void strings_are_terminated_and_not_leaked(void **state)
{
	uint8_t bytes[DHCP_WIRE_PORT_LEN];
	struct dhcp_port port;
	memset(&port, 'S', sizeof(port)); /* what was in memory behind the name */
	strcpy(port.name, "a");
	struct nd_writer w = nd_writer(bytes, sizeof(bytes));
	dhcp_wire_put_port(&w, &port);
	for (size_t i = sizeof(bytes) - DHCP_HOSTNAME_MAX + 1; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);

	memset(bytes, 'x', sizeof(bytes));
	struct nd_reader r = nd_reader(bytes, sizeof(bytes));
	dhcp_wire_get_port(&r, &port);
	assert_int_equal(strlen(port.name), DHCP_HOSTNAME_MAX - 1);
}

static void counters_round_trip(void **state)
{
	uint8_t bytes[DHCP_WIRE_COUNTERS_LEN];
	struct dhcp_counters in = { .received = 1, .conflict = UINT64_MAX }, out;
	in.drop[DHCP_DROP_CNT_ - 1] = 77;
	struct nd_writer w = nd_writer(bytes, sizeof(bytes));
	dhcp_wire_put_counters(&w, &in);
	assert_int_equal(w.pos, sizeof(bytes));
	struct nd_reader r = nd_reader(bytes, sizeof(bytes));
	dhcp_wire_get_counters(&r, &out);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void hello(void **state)
{
	uint8_t bytes[4] = { 0, 0, 0, DHCP_MESSAGE_VERSION };
	struct nd_reader r = nd_reader(bytes, sizeof(bytes));
	assert_int_equal(dhcp_message_hello_check(&r, NULL), 0);
	bytes[3]++;
	r = nd_reader(bytes, sizeof(bytes));
	assert_int_equal(dhcp_message_hello_check(&r, NULL), ND_PROTOCOL);
}

/* ---- outbox ---- */

static void put_stored(struct dhcp_outbox *o, uint64_t id)
{
	struct nd_writer *w;
	assert_int_equal(dhcp_outbox_begin(o, DHCP_MESSAGE_STORED, 8, &w, NULL), 0);
	nd_write_be64(w, id);
}

static void a_turn_is_one_datagram(void **state)
{
	static uint8_t buf[DHCP_DATAGRAM_MAX];
	struct dhcp_outbox o;
	struct dhcp_message m;
	bool more;
	int fds[2];
	assert_int_equal(nd_sock_seqpacket_pair(fds, NULL), 0);
	dhcp_outbox_init(&o);
	assert_true(dhcp_outbox_is_empty(&o));
	for (uint64_t i = 0; i < 100; i++)
		put_stored(&o, i);
	assert_false(dhcp_outbox_is_empty(&o));
	assert_int_equal(dhcp_outbox_flush(&o, fds[0], NULL), 0);
	assert_true(dhcp_outbox_is_empty(&o));
	assert_int_equal(o.len, 0);
	ssize_t n = dhcp_message_receive(fds[1], buf, sizeof(buf), NULL);
	assert_int_equal(n, 1 + 100 * 12);
	struct nd_reader r = nd_reader(buf, (size_t)n);
	assert_int_equal(dhcp_message_open(&r, &more, NULL), 0);
	assert_false(more);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(dhcp_message_next(&r, DHCP_SIDE_NETD, &m, NULL), 1);
		assert_int_equal(nd_read_be64(&m.body), i);
	}
	assert_int_equal(dhcp_message_next(&r, DHCP_SIDE_NETD, &m, NULL), 0);
	assert_int_equal(dhcp_message_receive(fds[1], buf, sizeof(buf), NULL), 0);
	dhcp_outbox_done(&o);
	close(fds[0]);
	close(fds[1]);
}

/* Everything arrives once and in order, and all datagrams but the last say that more are behind them. */
static void a_slow_reader_gets_all(void **state)
{
	enum { CNT = 100000 };
	static uint8_t buf[DHCP_DATAGRAM_MAX];
	struct dhcp_outbox o;
	struct dhcp_message m;
	uint64_t got = 0;
	bool more = true, waited = false;
	int fds[2];
	assert_int_equal(nd_sock_seqpacket_pair(fds, NULL), 0);
	dhcp_outbox_init(&o);
	for (uint64_t i = 0; i < CNT; i++)
		put_stored(&o, i);
	while (got < CNT) {
		assert_true(more);
		assert_int_equal(dhcp_outbox_flush(&o, fds[0], NULL), 0);
		waited |= !dhcp_outbox_is_empty(&o);
		ssize_t n = dhcp_message_receive(fds[1], buf, sizeof(buf), NULL);
		assert_true(n > 0);
		struct nd_reader r = nd_reader(buf, (size_t)n);
		assert_int_equal(dhcp_message_open(&r, &more, NULL), 0);
		while (dhcp_message_next(&r, DHCP_SIDE_NETD, &m, NULL) > 0)
			assert_int_equal(nd_read_be64(&m.body), got++);
	}
	assert_false(more);
	assert_true(waited);
	assert_true(dhcp_outbox_is_empty(&o));
	dhcp_outbox_done(&o);
	close(fds[0]);
	close(fds[1]);
}

static void the_queue_is_bounded(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct dhcp_outbox o;
	struct nd_writer *w;
	int r;
	dhcp_outbox_init(&o);
	while ((r = dhcp_outbox_begin(&o, DHCP_MESSAGE_NETWORK_HOSTS,
				      DHCP_WIRE_HOST_LEN * DHCP_HOSTS_PER_MESSAGE, &w, &e)) == 0)
		nd_write_zero(w, DHCP_WIRE_HOST_LEN * DHCP_HOSTS_PER_MESSAGE);
	assert_int_equal(r, ND_LIMIT);
	assert_true(o.len <= DHCP_OUTBOX_MAX);
	assert_true(o.len > DHCP_OUTBOX_MAX - DHCP_DATAGRAM_MAX);
	assert_int_equal(dhcp_outbox_room(&o, DHCP_OUTBOX_MAX, NULL), ND_LIMIT);
	dhcp_outbox_done(&o);
	assert_int_equal(dhcp_outbox_room(&o, DHCP_OUTBOX_MAX, NULL), 0);
}

static void a_gone_peer(void **state)
{
	struct dhcp_outbox o;
	uint8_t buf[16];
	int fds[2];
	assert_int_equal(nd_sock_seqpacket_pair(fds, NULL), 0);
	close(fds[1]);
	dhcp_outbox_init(&o);
	put_stored(&o, 1);
	assert_int_equal(dhcp_outbox_flush(&o, fds[0], NULL), ND_NOT_FOUND);
	assert_int_equal(dhcp_message_receive(fds[0], buf, sizeof(buf), NULL), ND_NOT_FOUND);
	dhcp_outbox_done(&o);
	close(fds[0]);
	assert_int_equal(dhcp_message_receive(fds[0], buf, sizeof(buf), NULL), ND_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_total),
		cmocka_unit_test(lengths_and_directions),
		cmocka_unit_test(flags_are_checked),
		cmocka_unit_test(lease_round_trip),
		cmocka_unit_test(network_round_trip),
		cmocka_unit_test(small_round_trips),
		cmocka_unit_test(strings_are_terminated_and_not_leaked),
		cmocka_unit_test(counters_round_trip),
		cmocka_unit_test(hello),
		cmocka_unit_test(a_turn_is_one_datagram),
		cmocka_unit_test(a_slow_reader_gets_all),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(a_gone_peer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

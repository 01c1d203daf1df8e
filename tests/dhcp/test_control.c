// SPDX-License-Identifier: GPL-2.0-or-later
/* netd's end of the channel against a peer that behaves, and against one that was hijacked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/sock.h"
#include "dhcp/dhcp.h"
#include "dhcp/message.h"
#include <fcntl.h>
#include <sys/socket.h>

/* What the ops were called with last, and how often. */
static struct {
	int ready, send, propose, release, notice, counters;
	uint32_t pong;
	int ifindex;
	uint64_t id;
	uint32_t network_id;
	struct dhcp_lease lease;
	bool has_ack;
	uint8_t frame[DHCP_FRAME_MAX];
	size_t len;
	char text[DHCP_NOTICE_MAX];
	struct dhcp_counters values;
} got;

static void got_ready(void *arg)
{
	got.ready++;
}

static void got_send(void *arg, int ifindex, const uint8_t *frame, size_t len)
{
	got.send++;
	got.ifindex = ifindex;
	got.len = len;
	memcpy(got.frame, frame, len);
}

static void got_propose(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
			const uint8_t *ack, size_t len)
{
	got.propose++;
	got.id = id;
	got.lease = *lease;
	got.ifindex = ifindex;
	got.has_ack = ack != NULL;
	got.len = len;
	if (ack)
		memcpy(got.frame, ack, len);
}

static void got_release(void *arg, const struct dhcp_lease *lease)
{
	got.release++;
	got.lease = *lease;
}

static void got_notice(void *arg, uint32_t network_id, const char *text)
{
	got.notice++;
	got.network_id = network_id;
	strcpy(got.text, text);
}

static void got_counters(void *arg, const struct dhcp_counters *c)
{
	got.counters++;
	got.values = *c;
}

static void got_pong(void *arg, uint32_t number)
{
	got.pong = number;
}

static const struct dhcp_control_ops ops = {
	.ready = got_ready,
	.send = got_send,
	.propose = got_propose,
	.release = got_release,
	.notice = got_notice,
	.counters = got_counters,
	.pong = got_pong,
};

/* The channel, and the worker's side of it. */
struct pair {
	struct dhcp_control *control;
	int peer;
	struct dhcp_outbox out;
	uint8_t in[DHCP_DATAGRAM_MAX];
	struct nd_reader datagram; /* what is left of the one received last */
};

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fds[2];
	memset(&got, 0, sizeof(got));
	assert_non_null(p);
	assert_int_equal(nd_sock_seqpacket_pair(fds, NULL), 0);
	assert_int_equal(dhcp_control_new(fds[0], &ops, NULL, &p->control, NULL), 0);
	p->peer = fds[1];
	dhcp_outbox_init(&p->out);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;
	dhcp_control_free(p->control);
	dhcp_outbox_done(&p->out);
	if (p->peer >= 0)
		close(p->peer);
	free(p);
	return 0;
}

static int say(struct pair *p)
{
	assert_int_equal(dhcp_outbox_flush(&p->out, p->peer, NULL), 0);
	assert_true(dhcp_outbox_is_empty(&p->out));
	return dhcp_control_on_readable(p->control, 100, NULL);
}

static void greet(struct pair *p)
{
	assert_int_equal(dhcp_outbox_put_hello(&p->out, NULL), 0);
	assert_int_equal(say(p), 0);
	assert_int_equal(got.ready, 1);
}

static struct nd_writer *record(struct pair *p, enum dhcp_message_kind kind, size_t len)
{
	struct nd_writer *w;
	assert_int_equal(dhcp_outbox_begin(&p->out, kind, len, &w, NULL), 0);
	return w;
}

/* The next record that netd sent. */
static struct dhcp_message hear(struct pair *p, enum dhcp_message_kind kind)
{
	struct dhcp_message m = { 0 };
	bool more;
	if (nd_reader_left(&p->datagram) == 0) {
		assert_int_equal(dhcp_control_on_writable(p->control, NULL), 0);
		ssize_t n = dhcp_message_receive(p->peer, p->in, sizeof(p->in), NULL);
		assert_true(n > 0);
		p->datagram = nd_reader(p->in, (size_t)n);
		assert_int_equal(dhcp_message_open(&p->datagram, &more, NULL), 0);
	}
	assert_int_equal(dhcp_message_next(&p->datagram, DHCP_SIDE_NETD, &m, NULL), 1);
	assert_string_equal(dhcp_message_kind_to_string(m.kind), dhcp_message_kind_to_string(kind));
	return m;
}

static struct dhcp_lease good_lease(void)
{
	struct dhcp_lease l;
	memset(&l, 0, sizeof(l));
	l.network.b[0] = 1;
	l.ip4 = 0xc0a87a05;
	l.identity = (struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 7, .bytes = { 1, 2 } };
	l.mac.b[0] = 2;
	strcpy(l.hostname, "web");
	l.expiry_s = 1000;
	return l;
}

/* ---- a peer that behaves ---- */

static void the_version_comes_first(void **state)
{
	struct pair *p = *state;
	assert_true(dhcp_control_wants_write(p->control));
	assert_int_equal(dhcp_control_stored(p->control, 5, NULL), 0);
	struct dhcp_message m = hear(p, DHCP_MESSAGE_HELLO);
	assert_int_equal(nd_read_be32(&m.body), DHCP_MESSAGE_VERSION);
	m = hear(p, DHCP_MESSAGE_STORED);
	assert_int_equal(nd_read_be64(&m.body), 5);
	assert_false(dhcp_control_wants_write(p->control));
	assert_int_equal(fcntl(dhcp_control_fd(p->control), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

static void everything_the_worker_says(void **state)
{
	static const uint8_t frame[] = "a frame";
	struct pair *p = *state;
	struct dhcp_lease lease = good_lease();
	struct dhcp_counters counters = { .received = 5, .ack = 6 };
	greet(p);

	struct nd_writer *w = record(p, DHCP_MESSAGE_SEND, 4 + sizeof(frame));
	nd_write_be32(w, 3);
	nd_write_bytes(w, frame, sizeof(frame));
	assert_int_equal(say(p), 0);
	assert_int_equal(got.send, 1);
	assert_int_equal(got.ifindex, 3);
	assert_int_equal(got.len, sizeof(frame));
	assert_memory_equal(got.frame, frame, sizeof(frame));

	w = record(p, DHCP_MESSAGE_PROPOSE, 12 + DHCP_WIRE_LEASE_LEN + sizeof(frame));
	nd_write_be64(w, 1ull << 40);
	nd_write_be32(w, 4);
	dhcp_wire_put_lease(w, &lease);
	nd_write_bytes(w, frame, sizeof(frame));
	assert_int_equal(say(p), 0);
	assert_int_equal(got.propose, 1);
	assert_int_equal(got.ifindex, 4);
	assert_true(got.id == 1ull << 40);
	assert_true(got.has_ack);
	assert_int_equal(got.len, sizeof(frame));
	assert_memory_equal(&got.lease, &lease, sizeof(lease));

	w = record(p, DHCP_MESSAGE_PROPOSE, 12 + DHCP_WIRE_LEASE_LEN);
	nd_write_be64(w, 2);
	nd_write_be32(w, 4);
	dhcp_wire_put_lease(w, &lease);
	w = record(p, DHCP_MESSAGE_RELEASE, DHCP_WIRE_LEASE_LEN);
	dhcp_wire_put_lease(w, &lease);
	w = record(p, DHCP_MESSAGE_NOTICE, 4 + sizeof("pool full"));
	nd_write_be32(w, 9);
	nd_write_bytes(w, "pool full", sizeof("pool full"));
	w = record(p, DHCP_MESSAGE_COUNTERS, DHCP_WIRE_COUNTERS_LEN);
	dhcp_wire_put_counters(w, &counters);
	assert_int_equal(say(p), 0);
	assert_int_equal(got.propose, 2);
	assert_false(got.has_ack);
	assert_int_equal(got.release, 1);
	assert_int_equal(got.notice, 1);
	assert_int_equal(got.network_id, 9);
	assert_string_equal(got.text, "pool full");
	assert_int_equal(got.counters, 1);
	assert_int_equal(got.values.ack, 6);
	assert_int_equal(dhcp_control_on_readable(p->control, 100, NULL), 0);
}

static void at_most_max_are_handled(void **state)
{
	struct pair *p = *state;
	greet(p);
	for (int i = 0; i < 10; i++) {
		struct nd_writer *w = record(p, DHCP_MESSAGE_NOTICE, 4 + 2);
		nd_write_be32(w, 1);
		nd_write_bytes(w, "n", 2);
		assert_int_equal(dhcp_outbox_flush(&p->out, p->peer, NULL), 0); /* a datagram each */
	}
	assert_int_equal(dhcp_control_on_readable(p->control, 3, NULL), 0);
	assert_int_equal(got.notice, 3);
	assert_int_equal(dhcp_control_on_readable(p->control, 100, NULL), 0);
	assert_int_equal(got.notice, 10);
}

static void everything_netd_says(void **state)
{
	struct pair *p = *state;
	struct dhcp_lease lease = good_lease(), lease_out;
	struct dhcp_port port = { .mark = 5, .network_id = 6, .name = "eth" }, port_out;
	struct dhcp_message m;
	hear(p, DHCP_MESSAGE_HELLO);
	assert_int_equal(dhcp_control_network_del(p->control, 3, NULL), 0);
	assert_int_equal(dhcp_control_port_set(p->control, &port, NULL), 0);
	assert_int_equal(dhcp_control_port_del(p->control, 5, NULL), 0);
	assert_int_equal(dhcp_control_lease_load(p->control, &lease, NULL), 0);
	assert_int_equal(dhcp_control_lease_free(p->control, &lease.network, lease.ip4, NULL), 0);
	assert_int_equal(dhcp_control_refused(p->control, 8, NULL), 0);
	m = hear(p, DHCP_MESSAGE_NETWORK_DEL);
	assert_int_equal(nd_read_be32(&m.body), 3);
	m = hear(p, DHCP_MESSAGE_PORT_SET);
	dhcp_wire_get_port(&m.body, &port_out);
	assert_int_equal(port_out.mark, 5);
	assert_string_equal(port_out.name, "eth");
	m = hear(p, DHCP_MESSAGE_PORT_DEL);
	assert_int_equal(nd_read_be32(&m.body), 5);
	m = hear(p, DHCP_MESSAGE_LEASE_LOAD);
	dhcp_wire_get_lease(&m.body, &lease_out);
	assert_memory_equal(&lease, &lease_out, sizeof(lease));
	m = hear(p, DHCP_MESSAGE_LEASE_FREE);
	nd_read_skip(&m.body, 16);
	assert_int_equal(nd_read_be32(&m.body), lease.ip4);
	m = hear(p, DHCP_MESSAGE_REFUSED);
	assert_int_equal(nd_read_be64(&m.body), 8);
}

static void a_network_in_many_messages(void **state)
{
	struct pair *p = *state;
	struct dhcp_range ranges[DHCP_RANGES_MAX];
	struct dhcp_host *hosts = calloc(DHCP_HOSTS_MAX, sizeof(*hosts));
	struct dhcp_network n = { .id = 4,
				  .ranges = ranges,
				  .range_cnt = DHCP_RANGES_MAX,
				  .hosts = hosts,
				  .host_cnt = DHCP_HOSTS_MAX },
			    out;
	struct dhcp_message m;
	uint32_t host_cnt = 0;
	assert_non_null(hosts);
	for (uint32_t i = 0; i < DHCP_RANGES_MAX; i++)
		ranges[i] = (struct dhcp_range){ i, i + 1, i + 2 };
	for (uint32_t i = 0; i < DHCP_HOSTS_MAX; i++)
		hosts[i].ip4 = i;
	hear(p, DHCP_MESSAGE_HELLO);
	assert_int_equal(dhcp_control_network_set(p->control, &n, NULL), 0);
	m = hear(p, DHCP_MESSAGE_NETWORK_BEGIN);
	dhcp_wire_get_network(&m.body, &out);
	assert_int_equal(out.id, 4);
	assert_int_equal(out.range_cnt, DHCP_RANGES_MAX);
	assert_int_equal(out.host_cnt, DHCP_HOSTS_MAX);
	m = hear(p, DHCP_MESSAGE_NETWORK_RANGES);
	for (uint32_t i = 0; i < DHCP_RANGES_MAX; i++) {
		struct dhcp_range range;
		dhcp_wire_get_range(&m.body, &range);
		assert_memory_equal(&range, &ranges[i], sizeof(range));
	}
	while (host_cnt < DHCP_HOSTS_MAX) {
		m = hear(p, DHCP_MESSAGE_NETWORK_HOSTS);
		for (; nd_reader_left(&m.body) > 0; host_cnt++) {
			struct dhcp_host host;
			dhcp_wire_get_host(&m.body, &host);
			assert_int_equal(host.ip4, host_cnt);
		}
	}
	m = hear(p, DHCP_MESSAGE_NETWORK_COMMIT);
	assert_int_equal(nd_read_be32(&m.body), 4);
	assert_int_equal(nd_reader_left(&p->datagram), 0);
	assert_false(dhcp_control_wants_write(p->control));
	free(hosts);
}

static void a_network_with_nothing(void **state)
{
	struct pair *p = *state;
	struct dhcp_network n = { .id = 4 };
	hear(p, DHCP_MESSAGE_HELLO);
	assert_int_equal(dhcp_control_network_set(p->control, &n, NULL), 0);
	hear(p, DHCP_MESSAGE_NETWORK_BEGIN);
	hear(p, DHCP_MESSAGE_NETWORK_COMMIT);
}

static void limits(void **state)
{
	struct pair *p = *state;
	struct nd_error e = ND_ERROR_INIT;
	struct dhcp_network n = { .id = 4, .range_cnt = DHCP_RANGES_MAX + 1 };
	int r;
	assert_int_equal(dhcp_control_network_set(p->control, &n, NULL), ND_LIMIT);
	n = (struct dhcp_network){ .id = 4, .host_cnt = DHCP_HOSTS_MAX + 1 };
	assert_int_equal(dhcp_control_network_set(p->control, &n, NULL), ND_LIMIT);
	n = (struct dhcp_network){ .id = 4, .dns_cnt = DHCP_DNS_MAX + 1 };
	assert_int_equal(dhcp_control_network_set(p->control, &n, NULL), ND_LIMIT);

	/* A network that does not fit whole is not queued at all. */
	n = (struct dhcp_network){ .id = 4, .host_cnt = DHCP_HOSTS_MAX };
	struct dhcp_host *hosts = calloc(DHCP_HOSTS_MAX, sizeof(*hosts));
	assert_non_null(hosts);
	n.hosts = hosts;
	int cnt = 0;
	while ((r = dhcp_control_network_set(p->control, &n, &e)) == 0)
		cnt++;
	assert_int_equal(r, ND_LIMIT);
	assert_in_range(cnt, 5, 10);
	free(hosts);
	hear(p, DHCP_MESSAGE_HELLO);
	for (int commits = 0; commits < cnt;) {
		struct dhcp_message m = { 0 };
		bool more;
		if (nd_reader_left(&p->datagram) == 0) {
			assert_int_equal(dhcp_control_on_writable(p->control, NULL), 0);
			ssize_t len = dhcp_message_receive(p->peer, p->in, sizeof(p->in), NULL);
			assert_true(len > 0);
			p->datagram = nd_reader(p->in, (size_t)len);
			assert_int_equal(dhcp_message_open(&p->datagram, &more, NULL), 0);
		}
		assert_int_equal(dhcp_message_next(&p->datagram, DHCP_SIDE_NETD, &m, NULL), 1);
		commits += m.kind == DHCP_MESSAGE_NETWORK_COMMIT;
	}
	assert_int_equal(nd_reader_left(&p->datagram), 0);
	assert_false(dhcp_control_wants_write(p->control));
}

static void the_end_of_stream(void **state)
{
	struct pair *p = *state;
	struct nd_error e = ND_ERROR_INIT;
	greet(p);
	assert_int_equal(dhcp_control_on_readable(p->control, 10, NULL), 0);
	close(take_fd(p->peer));
	assert_int_equal(dhcp_control_on_readable(p->control, 10, &e), ND_NOT_FOUND);
	assert_int_equal(dhcp_control_stored(p->control, 1, NULL), 0);
	assert_int_equal(dhcp_control_on_writable(p->control, NULL), ND_NOT_FOUND);
}

/* ---- a peer that was hijacked ---- */

static void nothing_before_the_hello(void **state)
{
	struct pair *p = *state;
	struct nd_writer *w = record(p, DHCP_MESSAGE_SEND, 5);
	nd_write_be32(w, 1);
	nd_write_u8(w, 0);
	assert_int_equal(say(p), ND_PROTOCOL);
	assert_int_equal(got.send, 0);
}

static void another_version(void **state)
{
	struct pair *p = *state;
	struct nd_error e = ND_ERROR_INIT;
	char text[256];
	nd_write_be32(record(p, DHCP_MESSAGE_HELLO, 4), DHCP_MESSAGE_VERSION + 1);
	assert_int_equal(dhcp_outbox_flush(&p->out, p->peer, NULL), 0);
	assert_int_equal(dhcp_control_on_readable(p->control, 1, &e), ND_PROTOCOL);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "DHCP worker: record 'hello': protocol version 2, ours is 1");
	assert_int_equal(got.ready, 0);
}

static void a_second_hello(void **state)
{
	struct pair *p = *state;
	greet(p);
	assert_int_equal(dhcp_outbox_put_hello(&p->out, NULL), 0);
	assert_int_equal(say(p), ND_PROTOCOL);
	assert_int_equal(got.ready, 1);
}

static void interface_indexes(void **state)
{
	static const uint32_t bad[] = { 0, 0x80000000, UINT32_MAX };
	struct pair *p = *state;
	struct dhcp_lease lease = good_lease();
	greet(p);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct nd_writer *w = record(p, DHCP_MESSAGE_SEND, 5);
		nd_write_be32(w, bad[i]);
		nd_write_u8(w, 0);
		assert_int_equal(say(p), ND_PROTOCOL);
		w = record(p, DHCP_MESSAGE_PROPOSE, 12 + DHCP_WIRE_LEASE_LEN);
		nd_write_be64(w, 1);
		nd_write_be32(w, bad[i]);
		dhcp_wire_put_lease(w, &lease);
		assert_int_equal(say(p), ND_PROTOCOL);
	}
	assert_int_equal(got.send + got.propose, 0);
}

static void break_network(struct dhcp_lease *l)
{
	memset(&l->network, 0, sizeof(l->network));
}
static void break_address(struct dhcp_lease *l)
{
	l->ip4 = UINT32_MAX;
}
static void break_state(struct dhcp_lease *l)
{
	l->state = 9;
}
static void break_identity_kind(struct dhcp_lease *l)
{
	l->identity.kind = 0;
}
static void break_identity_len(struct dhcp_lease *l)
{
	l->identity.len = 255;
}
static void break_client_id_len(struct dhcp_lease *l)
{
	l->client_id = (struct dhcp_identity){ .kind = DHCP_IDENTITY_CLIENT_ID, .len = 65 };
}
static void break_hostname(struct dhcp_lease *l)
{
	strcpy(l->hostname, "a\nb");
}

static void bad_leases(void **state)
{
	static void (*const breaks[])(struct dhcp_lease *) = {
		break_network,      break_address,       break_state,    break_identity_kind,
		break_identity_len, break_client_id_len, break_hostname,
	};
	struct pair *p = *state;
	greet(p);
	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		struct dhcp_lease lease = good_lease();
		breaks[i](&lease);
		dhcp_wire_put_lease(record(p, DHCP_MESSAGE_RELEASE, DHCP_WIRE_LEASE_LEN), &lease);
		assert_int_equal(say(p), ND_PROTOCOL);
		struct nd_writer *w = record(p, DHCP_MESSAGE_PROPOSE, 12 + DHCP_WIRE_LEASE_LEN);
		nd_write_be64(w, 1);
		nd_write_be32(w, 2);
		dhcp_wire_put_lease(w, &lease);
		assert_int_equal(say(p), ND_PROTOCOL);
	}
	assert_int_equal(got.release + got.propose, 0);
}

static void bad_notices(void **state)
{
	static const char *const bad[] = { "ab", "a\nb\0", "\x1b[31m", "\xc3\xa4", "a\0b" };
	static const size_t len[] = { 2, 4, 6, 3, 4 };
	struct pair *p = *state;
	greet(p);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct nd_writer *w = record(p, DHCP_MESSAGE_NOTICE, 4 + len[i]);
		nd_write_be32(w, 1);
		nd_write_bytes(w, bad[i], len[i]);
		assert_int_equal(say(p), ND_PROTOCOL);
	}
	assert_int_equal(got.notice, 0);
}

static void raw_datagrams(void **state)
{
	static uint8_t big[DHCP_DATAGRAM_MAX + 1];
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\0\0", 2 },                            /* half a header */
		{ "\2\0\0\0\4\0\0\0\1", 9 },              /* unknown flag */
		{ "\0\0\0\0\4\0\0\0", 8 },                /* body cut */
		{ "\0\xff\xff\0\0", 5 },                  /* unknown kind */
		{ "\0\0\x0a\0\x08\0\0\0\0\0\0\0\1", 13 }, /* netd's own kind: stored */
	};
	struct pair *p = *state;
	greet(p);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(send(p->peer, cases[i].bytes, cases[i].len, 0), cases[i].len);
		assert_int_equal(dhcp_control_on_readable(p->control, 10, NULL), ND_PROTOCOL);
	}
	assert_int_equal(send(p->peer, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(dhcp_control_on_readable(p->control, 10, NULL), ND_PROTOCOL);
	/* An empty datagram looks like the end of stream, and ends the worker just as well. */
	assert_int_equal(send(p->peer, big, 0, 0), 0);
	assert_int_equal(dhcp_control_on_readable(p->control, 10, NULL), ND_NOT_FOUND);
}

static int open_fds(void)
{
	int cnt = 0;
	for (int fd = 0; fd < 256; fd++)
		cnt += fcntl(fd, F_GETFD) >= 0;
	return cnt;
}

static void descriptors_are_not_taken(void **state)
{
	struct pair *p = *state;
	static const uint8_t bytes[] = { 0, 0, 0, 0, 4, 0, 0, 0, DHCP_MESSAGE_VERSION };
	int fds[] = { 0, 1, 2 };
	assert_int_equal(nd_sock_send(p->peer, bytes, sizeof(bytes), fds, ARRAY_LEN(fds), NULL),
			 sizeof(bytes));
	int before = open_fds();
	assert_int_equal(dhcp_control_on_readable(p->control, 10, NULL), ND_PROTOCOL);
	assert_int_equal(open_fds(), before);
	assert_int_equal(got.ready, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_version_comes_first),
		TEST(everything_the_worker_says),
		TEST(at_most_max_are_handled),
		TEST(everything_netd_says),
		TEST(a_network_in_many_messages),
		TEST(a_network_with_nothing),
		TEST(limits),
		TEST(the_end_of_stream),
		TEST(nothing_before_the_hello),
		TEST(another_version),
		TEST(a_second_hello),
		TEST(interface_indexes),
		TEST(bad_leases),
		TEST(bad_notices),
		TEST(raw_datagrams),
		TEST(descriptors_are_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

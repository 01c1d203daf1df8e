// SPDX-License-Identifier: GPL-2.0-or-later
/* What clients ask for besides an address: rapid commit, BOOTP, routes, search lists; byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dhcp/exchange.h"
#include "tests/dhcp/harness.h"

#define RAW(bytes) .raw = (const uint8_t *)(bytes), .raw_len = sizeof(bytes) - 1

static void start(struct host *h, const struct dhcp_network *n)
{
	host_init(h);
	assert_int_equal(dhcp_engine_network_set(h->g, n, NULL), 0);
	for (unsigned i = 1; i <= 3; i++)
		host_port(h, i);
}

static void discover(struct host *h, const struct ask *a, struct answer *ret)
{
	host_ask(h, T_MARK, a);
	host_expect(h, DHCP_OFFER, ret);
}

/* ---- RFC 4039 ---- */

static void test_rapid_commit(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\1", RAW("\x50\0") };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;
	uint32_t ip4;

	start(&h, &n);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	assert_null(host_out(&h, OUT_SEND)); /* it waits for the disk as any */
	assert_int_equal(got.order[got.order_cnt - 1], DHCP_OPTION_RAPID_COMMIT);
	assert_int_equal(got.option_len[DHCP_OPTION_RAPID_COMMIT], 0);
	assert_int_equal(got.lease_s, 3600);
	ip4 = got.yiaddr;
	assert_int_equal(host_out(&h, OUT_PROPOSE)->lease.ip4, ip4);
	host_ask(&h, T_MARK, &a); /* a retransmission meanwhile */
	host_expect_drop(&h, DHCP_DROP_PENDING);
	host_stored(&h, 1);
	host_ask(&h, T_MARK, &a); /* its ACK was lost */
	host_expect(&h, DHCP_ACK, &got);
	assert_int_equal(got.yiaddr, ip4);
	host_stored(&h, 2);
	/* In a REQUEST it has no meaning (§3: only DISCOVER may carry it). */
	a.type = DHCP_REQUEST;
	a.requested = ip4;
	a.server = T_SERVER;
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	for (size_t i = 0; i < got.order_cnt; i++)
		assert_int_not_equal(got.order[i], DHCP_OPTION_RAPID_COMMIT);
	host_done(&h);
}

/* An address never leased before is probed first, and then committed. */
static void test_rapid_commit_probed(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), RAW("\x50\0") };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;

	n.probe = true;
	start(&h, &n);
	host_ask(&h, T_MARK, &a);
	assert_int_equal(host_out(&h, OUT_SEND)->len, DHCP_ARP_LEN);
	host_tick(&h, DHCP_PROBE_MS);
	host_expect(&h, DHCP_ACK, &got);
	host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
	host_done(&h);
}

static void test_rapid_commit_refused(void **state)
{
	struct dhcp_input refused = { .kind = DHCP_INPUT_REFUSED, .id = 1 };
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), RAW("\x50\0") };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;

	start(&h, &n);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	host_input(&h, &refused);
	assert_int_equal(h.out_cnt, 0);
	a.raw_len = 0;
	discover(&h, &a, &got); /* the address is nobody's */
	host_done(&h);
}

/* ---- BOOTP ---- */

static void test_bootp(void **state)
{
	const struct dhcp_host hosts[] = {
		{ .has_mac = true, .mac = mac_of(1), .name = "old", .ip4 = T_NET + 20 }
	};
	const struct dhcp_boot boot = { DHCP_BOOT_ANY, "boot.0" };
	struct dhcp_network n = host_network();
	struct ask a = { .mac = mac_of(1), .xid = 7 };
	const struct out *o;
	struct answer got;
	struct host h;

	n.hosts = hosts;
	n.host_cnt = 1;
	n.boots = &boot;
	n.boot_cnt = 1;
	n.next_server_ip4 = T_SERVER;
	start(&h, &n);
	host_ask(&h, T_MARK, &a);
	o = host_out(&h, OUT_PROPOSE);
	assert_non_null(o);
	answer_parse(o->frame, o->len, &got);
	assert_int_equal(got.yiaddr, T_NET + 20);
	assert_int_equal(got.xid, 7);
	assert_int_equal(got.payload_len, 300); /* as RFC 951 has it */
	/* The network's parameters, and nothing that is DHCP's. */
	assert_memory_equal(got.order, "\1\3\6\14\17\34", 6);
	assert_int_equal(got.order_cnt, 6);
	assert_string_equal((const char *)o->frame + DHCP_FRAME_HEADER + 108, "boot.0");
	assert_true(o->lease.expiry_s == UINT64_MAX);
	assert_string_equal(o->lease.hostname, "old");
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_PENDING);
	host_stored(&h, o->id);
	host_ask(&h, T_MARK, &a); /* as often as it likes */
	assert_int_equal(host_out(&h, OUT_PROPOSE)->lease.ip4, T_NET + 20);
	assert_int_equal(dhcp_engine_counters(h.g)->bootp, 3);
	/* Others have none. */
	a.mac = mac_of(2);
	host_ask(&h, T_MARK + 1, &a);
	host_expect_drop(&h, DHCP_DROP_NO_TYPE);
	host_done(&h);
}

/* Without so much as the cookie. */
static void test_bootp_bare(void **state)
{
	const struct dhcp_host hosts[] = { { .has_mac = true, .mac = mac_of(1), .ip4 = T_NET + 20 } };
	struct dhcp_network n = host_network();
	struct ask a = { .mac = mac_of(1) };
	uint8_t frame[DHCP_FRAME_MAX];
	struct dhcp_input in = { .kind = DHCP_INPUT_FRAME,
				 .ifindex = T_IFINDEX,
				 .mark = T_MARK,
				 .checksum_unverified = true,
				 .frame = frame };
	struct host h;

	n.hosts = hosts;
	n.host_cnt = 1;
	start(&h, &n);
	in.len = ask_frame(&a, frame);
	memset(frame + DHCP_FRAME_HEADER + DHCP_BOOTP_LEN, 0, in.len - DHCP_FRAME_HEADER - DHCP_BOOTP_LEN);
	host_input(&h, &in);
	assert_int_equal(host_out(&h, OUT_PROPOSE)->lease.ip4, T_NET + 20);
	host_done(&h);
}

/* ---- the pool ---- */

/* Told once when it fills up, and again after it had been well below. */
static void test_high(void **state)
{
	struct dhcp_network n = host_network();
	unsigned told = 0;
	struct host h;
	uint32_t ip4;

	start(&h, &n);
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 95; i++) {
			struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1000 + i), RAW("\x50\0") };

			host_ask(&h, T_FOREIGN, &a);
			if (host_out(&h, OUT_NOTICE)) {
				told++;
				assert_int_equal(i, 89);
				assert_string_equal(host_out(&h, OUT_NOTICE)->text,
						    "90 % of the 100 addresses in its ranges are leased");
			}
			host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
		}
		assert_int_equal(told, round + 1);
		for (unsigned i = 0; i < 100; i++)
			dhcp_engine_lease_free(h.g, &n.uuid, T_NET + 100 + i);
		h.now_ms += 100000;
		host_ask(&h, T_FOREIGN,
			 &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(9), RAW("\x50\0") });
		ip4 = host_out(&h, OUT_PROPOSE)->lease.ip4;
		host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
		dhcp_engine_lease_free(h.g, &n.uuid, ip4);
	}
	host_done(&h);
}

/* Another device that took a machine's MAC, with a client identifier of its own: by the reservation it is that machine. */
static void test_reserved_identity(void **state)
{
	const struct dhcp_host hosts[] = { { .has_mac = true, .mac = mac_of(7), .ip4 = T_NET + 20 },
					   { .client_id = { DHCP_IDENTITY_CLIENT_ID, 3, "abc" },
					     .ip4 = T_NET + 21 } };
	struct dhcp_network n = host_network();
	const struct dhcp_lease *l;
	struct answer got;
	struct host h;
	struct ask a;

	n.hosts = hosts;
	n.host_cnt = 2;
	start(&h, &n);
	/* firmware, then the system */
	assert_int_equal(host_bind(&h, T_FOREIGN, &(struct ask){ .mac = mac_of(7), .client_id = "firm" }),
			 T_NET + 20);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(7), .client_id = "system", RAW("\x50\0") };
	host_ask(&h, T_FOREIGN, &a);
	host_expect(&h, DHCP_ACK, &got);
	l = &host_out(&h, OUT_PROPOSE)->lease;
	assert_int_equal(l->ip4, T_NET + 20);
	assert_int_equal(l->identity.kind, DHCP_IDENTITY_HARDWARE);
	assert_memory_equal(l->client_id.bytes, "system", 6);
	host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
	/* a client identifier, from whatever MAC; but not while another has the address */
	assert_int_equal(host_bind(&h, T_FOREIGN, &(struct ask){ .mac = mac_of(8), .client_id = "abc" }),
			 T_NET + 21);
	assert_int_equal(host_bind(&h, T_FOREIGN, &(struct ask){ .mac = mac_of(9), .client_id = "abc" }),
			 T_NET + 21);
	assert_int_not_equal(host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1), .client_id = "abc" }),
			     T_NET + 21);
	host_done(&h);
}

/* ---- routes and names ---- */

static void test_routes(void **state)
{
	static const struct dhcp_route routes[] = {
		{ 0x0a000000, 8, T_NET + 2 },
		{ 0xc0a86400, 22, T_NET + 3 },
		{ 0xcb007105, 32, T_NET + 3 },
	};
	static const char both[] = "\x08\x0a\xc0\xa8\x7a\x02"
				   "\x16\xc0\xa8\x64\xc0\xa8\x7a\x03"
				   "\x20\xcb\x00\x71\x05\xc0\xa8\x7a\x03"
				   "\x00\xc0\xa8\x7a\x01";
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\1\171\3" };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;

	n.routes = routes;
	n.route_cnt = ARRAY_LEN(routes);
	start(&h, &n);
	discover(&h, &a, &got);
	assert_int_equal(got.option_len[121], sizeof(both) - 1);
	assert_memory_equal(got.option[121], both, sizeof(both) - 1);
	assert_int_equal(got.router, T_SERVER);
	assert_int_equal(got.option_len[249], 0);
	a.parameters = "\1\371";
	discover(&h, &a, &got);
	assert_memory_equal(got.option[249], both, sizeof(both) - 1);
	assert_int_equal(got.option_len[121], 0);
	a.parameters = NULL; /* who asks for nothing knows nothing of it */
	discover(&h, &a, &got);
	assert_int_equal(got.option_len[121] + got.option_len[249], 0);
	/* The gateway itself is not told to send to itself. */
	n.range_cnt = 1;
	n.ranges = &(struct dhcp_range){ T_NET + 3, T_NET + 3, 0 };
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(2), .parameters = "\171" };
	host_ask(&h, T_MARK + 1, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, T_NET + 3);
	assert_int_equal(got.option_len[121], 11);
	assert_memory_equal(got.option[121], "\x08\x0a\xc0\xa8\x7a\x02\x00\xc0\xa8\x7a\x01", 11);
	/* Without a router, the routes alone; without routes, nothing. */
	n = host_network();
	n.routes = routes;
	n.route_cnt = 1;
	n.router_ip4 = 0;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\3\171" };
	discover(&h, &a, &got);
	assert_int_equal(got.option_len[121], 6);
	n.route_cnt = 0;
	n.router_ip4 = T_SERVER;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	discover(&h, &a, &got);
	assert_int_equal(got.option_len[121], 0);
	host_done(&h);
}

/* As many as netd tells of go into one option. */
static void test_many_routes(void **state)
{
	struct dhcp_route routes[DHCP_ROUTES_MAX + 1];
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\171", .size_max = 1500 };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;

	for (uint32_t i = 0; i < ARRAY_LEN(routes); i++)
		routes[i] = (struct dhcp_route){ 0x0a000000 + i, 32, T_NET + 2 };
	n.routes = routes;
	n.route_cnt = DHCP_ROUTES_MAX;
	start(&h, &n);
	discover(&h, &a, &got);
	assert_int_equal(got.option_len[121], DHCP_ROUTES_MAX * 9 + 5);
	n.route_cnt++;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), ND_LIMIT);
	discover(&h, &a, &got); /* it stands as it was */
	assert_int_equal(got.option_len[121], DHCP_ROUTES_MAX * 9 + 5);
	host_done(&h);
}

static const struct {
	const char *domain, *wire;
	size_t len;
} searches[] = {
	{ "lab.test", "\3lab\4test", 10 },
	{ "lab", "\3lab", 5 },
	{ "lab.", "\3lab", 5 },
	{ "", "", 0 },
	{ "a..b", "", 0 },
	{ ".a", "", 0 },
	{ "0123456789012345678901234567890123456789012345678901234567890123.b", "", 0 },
};

static void test_search(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
		struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\167\17" };
		struct dhcp_network n = host_network();
		struct answer got;
		struct host h;

		snprintf(n.domain, sizeof(n.domain), "%s", searches[i].domain);
		start(&h, &n);
		discover(&h, &a, &got);
		assert_int_equal(got.option_len[119], searches[i].len);
		assert_memory_equal(got.option[119], searches[i].wire, searches[i].len);
		a.parameters = NULL;
		discover(&h, &a, &got);
		assert_int_equal(got.option_len[119], 0);
		host_done(&h);
	}
}

/* RFC 8910 is for networks that hold their guests captive. */
static void test_no_portal(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\1\162\52\174\3" };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;

	start(&h, &n);
	discover(&h, &a, &got);
	assert_int_equal(got.option_len[114] + got.option_len[42] + got.option_len[124], 0);
	host_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rapid_commit),
		cmocka_unit_test(test_rapid_commit_probed),
		cmocka_unit_test(test_rapid_commit_refused),
		cmocka_unit_test(test_bootp),
		cmocka_unit_test(test_bootp_bare),
		cmocka_unit_test(test_high),
		cmocka_unit_test(test_reserved_identity),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_many_routes),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_no_portal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

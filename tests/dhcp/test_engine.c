// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine from outside: every message and state, what is dropped and why, and that no address ever has two holders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "dhcp/exchange.h"
#include "tests/dhcp/harness.h"

static void start(struct host *h)
{
	struct dhcp_network n = host_network();

	host_init(h);
	assert_int_equal(dhcp_engine_network_set(h->g, &n, NULL), 0);
	for (unsigned i = 1; i <= 3; i++)
		host_port(h, i);
}

static uint64_t wall_s(const struct host *h)
{
	return T_WALL_S + h->now_ms / 1000;
}

/* ---- the exchange ---- */

static void test_exchange(void **state)
{
	struct host h;
	struct ask a = { .type = DHCP_DISCOVER,
			 .mac = mac_of(1),
			 .xid = 1,
			 .client_id = "\1xyz",
			 .hostname = "web.lab",
			 .parameters = "\1\3\6\17" };
	const struct dhcp_lease *l;
	struct answer got;

	start(&h);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_in_range(got.yiaddr, T_NET + 100, T_NET + 199);
	assert_memory_equal(got.order, "\65\66\1\3\6\17\63\72\73\75", 10);
	assert_int_equal(got.lease_s, 3600);
	assert_int_equal(got.t1_s, 1800);
	assert_int_equal(got.t2_s, 3150);
	assert_int_equal(h.deadline_ms, h.now_ms + 60000);

	a.type = DHCP_REQUEST;
	a.requested = got.yiaddr;
	a.server = T_SERVER;
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	assert_null(host_out(&h, OUT_SEND)); /* netd sends it, after it has stored */
	l = &host_out(&h, OUT_PROPOSE)->lease;
	assert_int_equal(l->ip4, a.requested);
	assert_int_equal(l->state, DHCP_LEASE_BOUND);
	assert_int_equal(l->identity.kind, DHCP_IDENTITY_PORT);
	assert_memory_equal(l->identity.bytes, port_uuid(1).b, 16);
	assert_memory_equal(l->port.b, port_uuid(1).b, 16);
	assert_true(nd_mac_equal(&l->mac, &a.mac));
	assert_string_equal(l->hostname, "web");
	assert_memory_equal(l->client_id.bytes, "\1xyz", 4);
	assert_true(l->expiry_s == wall_s(&h) + 3600);
	assert_true(h.deadline_ms == UINT64_MAX);

	host_ask(&h, T_MARK, &a); /* a retransmission meanwhile */
	host_expect_drop(&h, DHCP_DROP_PENDING);
	host_stored(&h, 1);
	h.now_ms += 1800000;
	a = (struct ask){
		.type = DHCP_REQUEST, .mac = mac_of(1), .ciaddr = a.requested, .dst_ip4 = T_SERVER
	};
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	assert_int_equal(host_out(&h, OUT_PROPOSE)->id, 2);
	assert_true(host_out(&h, OUT_PROPOSE)->lease.expiry_s == wall_s(&h) + 3600);
	assert_int_equal(got.yiaddr, a.ciaddr);
	assert_int_equal(got.ciaddr, a.ciaddr);
	assert_int_equal(dhcp_engine_counters(h.g)->ack, 2);
	host_done(&h);
}

static void test_refused(void **state)
{
	struct dhcp_input refused = { .kind = DHCP_INPUT_REFUSED, .id = 1 };
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1) };
	struct answer got;
	struct host h;
	uint32_t ip4;

	start(&h);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	a.type = DHCP_REQUEST;
	a.requested = got.yiaddr;
	a.server = T_SERVER;
	host_ask(&h, T_MARK, &a);
	host_input(&h, &refused);
	assert_int_equal(h.out_cnt, 0);
	host_ask(&h, T_MARK, &a); /* as if nothing had been: the address is free for it */
	host_expect(&h, DHCP_ACK, &got);
	host_stored(&h, 2);
	ip4 = a.requested;
	a = (struct ask){ .type = DHCP_REQUEST, .mac = mac_of(1), .ciaddr = ip4, .dst_ip4 = T_SERVER };
	h.now_ms += 1000;
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	refused.id = 3;
	host_input(&h, &refused); /* the renewal only: the lease stands with its old end */
	refused.id = 99;
	host_input(&h, &refused);
	h.now_ms += 3599 * 1000;
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(9), .requested = ip4 };
	host_ask(&h, T_FOREIGN, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, ip4); /* expired: the next may have it */
	host_done(&h);
}

/* ---- REQUEST in its four states ---- */

enum had { HAD_NOTHING, HAD_OFFER, HAD_LEASE, HAD_EXPIRED };
#define MINE  1u /* stands for the client's address */
#define FREE  (T_NET + 150)
#define TAKEN 2u /* another client's */
#define OTHER (0x0a000005)
#define OURS  T_SERVER

static const struct {
	const char *name;
	enum had had;
	uint32_t ciaddr, requested, server;
	bool unicast;
	int want; /* message type, or -1 - drop */
} requests[] = {
	{ "selecting", HAD_OFFER, 0, MINE, OURS, false, DHCP_ACK },
	{ "selecting, what it has", HAD_LEASE, 0, MINE, OURS, false, DHCP_ACK },
	{ "selecting another address", HAD_OFFER, 0, FREE, OURS, false, DHCP_NAK },
	{ "selecting, offer forgotten, free", HAD_NOTHING, 0, FREE, OURS, false, DHCP_ACK },
	{ "selecting, offer forgotten, taken", HAD_NOTHING, 0, TAKEN, OURS, false, DHCP_NAK },
	{ "selecting on another net", HAD_OFFER, 0, OTHER, OURS, false, DHCP_NAK },
	{ "selecting out of range", HAD_NOTHING, 0, T_NET + 9, OURS, false, DHCP_NAK },
	{ "selecting the server's own", HAD_NOTHING, 0, T_SERVER, OURS, false, DHCP_NAK },
	{ "selecting another server", HAD_OFFER, 0, MINE, T_NET + 2, false, -1 - DHCP_DROP_SERVER_ID },
	{ "selecting nothing", HAD_OFFER, 0, 0, OURS, false, -1 - DHCP_DROP_OPTION },
	{ "init-reboot", HAD_LEASE, 0, MINE, 0, false, DHCP_ACK },
	{ "init-reboot, expired", HAD_EXPIRED, 0, MINE, 0, false, DHCP_ACK },
	{ "init-reboot, another address", HAD_LEASE, 0, FREE, 0, false, DHCP_NAK },
	{ "init-reboot, wrong net", HAD_LEASE, 0, OTHER, 0, false, DHCP_NAK },
	{ "init-reboot, unknown, wrong net", HAD_NOTHING, 0, OTHER, 0, false, DHCP_NAK },
	{ "init-reboot, unknown", HAD_NOTHING, 0, FREE, 0, false, -1 - DHCP_DROP_SERVER_ID },
	{ "init-reboot, unknown, taken", HAD_NOTHING, 0, TAKEN, 0, false, -1 - DHCP_DROP_SERVER_ID },
	{ "renewing", HAD_LEASE, MINE, 0, 0, true, DHCP_ACK },
	{ "renewing, too late", HAD_EXPIRED, MINE, 0, 0, true, DHCP_ACK },
	{ "renewing, with option 50", HAD_LEASE, MINE, MINE, 0, true, DHCP_ACK },
	{ "renewing, with option 54", HAD_LEASE, MINE, 0, OURS, true, DHCP_ACK },
	{ "renewing another address", HAD_LEASE, FREE, 0, 0, true, DHCP_NAK },
	{ "renewing, unknown, free", HAD_NOTHING, FREE, 0, 0, true, DHCP_ACK },
	{ "renewing, unknown, taken", HAD_NOTHING, TAKEN, 0, 0, true, DHCP_NAK },
	{ "renewing, unknown, not ours", HAD_NOTHING, T_NET + 9, 0, 0, true, DHCP_NAK },
	{ "renewing, wrong net", HAD_NOTHING, OTHER, 0, 0, true, DHCP_NAK },
	{ "rebinding", HAD_LEASE, MINE, 0, 0, false, DHCP_ACK },
	{ "rebinding, unknown, free", HAD_NOTHING, FREE, 0, 0, false, DHCP_ACK },
	{ "rebinding, unknown, taken", HAD_NOTHING, TAKEN, 0, 0, false, DHCP_NAK },
	{ "rebinding, unknown, another server's?", HAD_NOTHING, T_NET + 9, 0, 0, false,
	  -1 - DHCP_DROP_SERVER_ID },
	{ "rebinding, wrong net", HAD_LEASE, OTHER, 0, 0, false, DHCP_NAK },
	{ "nothing at all", HAD_LEASE, 0, 0, 0, false, -1 - DHCP_DROP_OPTION },
};

static void prepare(struct host *h, enum had had, uint32_t *ret_mine)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .requested = T_NET + 120 };
	struct answer got;

	*ret_mine = T_NET + 120;
	if (had == HAD_OFFER) {
		host_ask(h, T_MARK, &a);
		host_expect(h, DHCP_OFFER, &got);
	} else if (had != HAD_NOTHING) {
		*ret_mine = host_bind(h, T_MARK, &a);
	}
	if (had == HAD_EXPIRED)
		h->now_ms += 4000 * 1000;
}

static uint32_t address(uint32_t what, uint32_t mine, uint32_t taken)
{
	return what == MINE ? mine : what == TAKEN ? taken : what;
}

static void test_request(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct ask other = { .mac = mac_of(2) }, a = { .type = DHCP_REQUEST, .mac = mac_of(1) };
		uint32_t mine, taken;
		struct answer got;
		struct host h;

		start(&h);
		taken = host_bind(&h, T_MARK + 1, &other);
		prepare(&h, requests[i].had, &mine);
		a.ciaddr = address(requests[i].ciaddr, mine, taken);
		a.requested = address(requests[i].requested, mine, taken);
		a.server = requests[i].server;
		a.dst_ip4 = requests[i].unicast ? T_SERVER : 0;
		print_message("%s\n", requests[i].name);
		host_ask(&h, T_MARK, &a);
		if (requests[i].want < 0) {
			host_expect_drop(&h, -1 - requests[i].want);
		} else {
			host_expect(&h, (uint8_t)requests[i].want, &got);
			assert_int_equal(got.yiaddr,
					 got.type == DHCP_ACK ? (a.ciaddr ? a.ciaddr : a.requested) : 0);
			assert_int_equal(got.option_len[DHCP_OPTION_LEASE_TIME],
					 got.type == DHCP_ACK ? 4 : 0);
		}
		host_done(&h);
	}
}

/* Another server was chosen: the address is free at once. */
static void test_withdrawn(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1) };
	struct answer got;
	struct host h;

	start(&h);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	a.type = DHCP_REQUEST;
	a.requested = got.yiaddr;
	a.server = T_NET + 2;
	host_ask(&h, T_MARK, &a);
	assert_true(h.deadline_ms == UINT64_MAX);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(2), .requested = got.yiaddr };
	host_ask(&h, T_MARK + 1, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, a.requested);
	/* An offer that nobody takes ends by itself. */
	host_tick(&h, 59999);
	a.mac = mac_of(3);
	host_ask(&h, T_MARK + 2, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_not_equal(got.yiaddr, a.requested);
	host_tick(&h, 1);
	a.mac = mac_of(9);
	host_ask(&h, T_FOREIGN, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, a.requested);
	host_done(&h);
}

/* ---- DECLINE, RELEASE, INFORM ---- */

static void test_decline(void **state)
{
	struct ask a = { .mac = mac_of(1) };
	uint32_t first, ip4;
	struct answer got;
	struct host h;

	start(&h);
	first = host_bind(&h, T_MARK, &a);
	a = (struct ask){
		.type = DHCP_DECLINE, .mac = mac_of(1), .requested = first + 1, .server = T_SERVER
	};
	host_ask(&h, T_MARK, &a); /* not its address */
	host_expect_drop(&h, DHCP_DROP_SERVER_ID);
	a.requested = first;
	a.mac = mac_of(2);
	host_ask(&h, T_MARK + 1, &a); /* not its lease */
	host_expect_drop(&h, DHCP_DROP_SERVER_ID);
	a.mac = mac_of(1);
	host_ask(&h, T_MARK, &a);
	assert_non_null(host_out(&h, OUT_NOTICE));
	assert_int_equal(host_out(&h, OUT_PROPOSE)->len, 0);
	assert_int_equal(host_out(&h, OUT_PROPOSE)->lease.state, DHCP_LEASE_DECLINED);
	assert_int_equal(host_out(&h, OUT_PROPOSE)->lease.ip4, first);
	assert_true(host_out(&h, OUT_PROPOSE)->lease.expiry_s == wall_s(&h) + 3600);
	host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
	ip4 = host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1), .requested = first });
	assert_int_not_equal(ip4, first);
	h.now_ms += 3600 * 1000;
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(2), .requested = first };
	host_ask(&h, T_MARK + 1, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, first);
	host_done(&h);
}

/* One guest cannot empty the pool by declining. */
static void test_decline_limit(void **state)
{
	struct ask a;
	struct host h;

	start(&h);
	for (unsigned i = 0; i < DHCP_PORT_DECLINES; i++) {
		a = (struct ask){ .mac = mac_of(1) };
		a.requested = host_bind(&h, T_MARK, &a);
		a.type = DHCP_DECLINE;
		host_ask(&h, T_MARK, &a);
		host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
	}
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(1) };
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_RATE);
	assert_non_null(host_out(&h, OUT_NOTICE));
	host_bind(&h, T_MARK + 1, &(struct ask){ .mac = mac_of(2) });
	h.now_ms += DHCP_HOUR_MS;
	host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1) });
	/* Foreign clients share a quarter of the pool: 26 of 100. */
	for (unsigned i = 0; i < 30; i++) {
		a = (struct ask){ .mac = mac_of(100 + i) };
		a.requested = host_bind(&h, T_FOREIGN, &a);
		a.type = DHCP_DECLINE;
		host_ask(&h, T_FOREIGN, &a);
		assert_int_equal(host_out(&h, OUT_PROPOSE) != NULL, i < 26);
		if (host_out(&h, OUT_PROPOSE))
			host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
	}
	host_done(&h);
}

static void test_release(void **state)
{
	struct ask a = { .mac = mac_of(1) };
	struct dhcp_network n = host_network();
	uint32_t ip4;
	struct host h;

	start(&h);
	ip4 = host_bind(&h, T_MARK, &a);
	a = (struct ask){ .type = DHCP_RELEASE, .mac = mac_of(1), .ciaddr = ip4 + 1, .server = T_SERVER };
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_SERVER_ID);
	a.ciaddr = ip4;
	a.server = T_NET + 2;
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_SERVER_ID);
	a.server = T_SERVER;
	a.mac = mac_of(2);
	host_ask(&h, T_MARK + 1, &a); /* another port's */
	host_expect_drop(&h, DHCP_DROP_SERVER_ID);
	a.mac = mac_of(1);
	host_ask(&h, T_MARK, &a);
	assert_int_equal(h.out_cnt, 1);
	assert_int_equal(host_out(&h, OUT_RELEASE)->lease.ip4, ip4);
	assert_memory_equal(host_out(&h, OUT_RELEASE)->lease.network.b, n.uuid.b, 16);
	dhcp_engine_lease_free(h.g, &n.uuid, ip4); /* netd has deleted it */
	assert_int_equal(host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1) }),
			 ip4); /* chosen by hash again */
	host_done(&h);
}

/* What netd frees while it is offered or proposed anew is not taken away. */
static void test_free_race(void **state)
{
	struct dhcp_network n = host_network();
	struct ask a = { .mac = mac_of(1) };
	struct answer got;
	uint32_t ip4;
	struct host h;

	start(&h);
	ip4 = host_bind(&h, T_MARK, &a);
	a = (struct ask){ .type = DHCP_REQUEST, .mac = mac_of(1), .ciaddr = ip4, .dst_ip4 = T_SERVER };
	host_ask(&h, T_MARK, &a);
	dhcp_engine_lease_free(h.g, &n.uuid, ip4);
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_PENDING);
	host_stored(&h, 2);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(1) };
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	dhcp_engine_lease_free(h.g, &n.uuid, ip4);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(2), .requested = ip4 };
	host_ask(&h, T_MARK + 1, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_not_equal(got.yiaddr, ip4);
	host_tick(&h, 60000);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(9), .requested = ip4 };
	host_ask(&h, T_FOREIGN, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, ip4);
	host_done(&h);
}

static void test_inform(void **state)
{
	struct ask a = {
		.type = DHCP_INFORM, .mac = mac_of(1), .ciaddr = T_NET + 9, .parameters = "\1\6\63"
	};
	struct answer got;
	struct host h;

	start(&h);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	assert_non_null(host_out(&h, OUT_SEND)); /* nothing to store */
	assert_int_equal(got.yiaddr, 0);
	assert_int_equal(got.ciaddr, a.ciaddr);
	assert_int_equal(got.dst_ip4, a.ciaddr);
	assert_int_equal(got.order_cnt, 4);
	assert_memory_equal(got.order, "\65\66\1\6", 4);
	a.ciaddr = 0;
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_SUBNET);
	a.ciaddr = 0x0a000001;
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_SUBNET);
	host_done(&h);
}

/* ---- who is who ---- */

static void test_identity(void **state)
{
	struct ask a = { .mac = mac_of(1), .client_id = "same" },
		   b = { .mac = mac_of(2), .client_id = "same" };
	uint32_t one, two, nested;
	struct host h;

	start(&h);
	one = host_bind(&h, T_MARK, &a);
	a.client_id = "other"; /* firmware and system of one port */
	assert_int_equal(host_bind(&h, T_MARK, &a), one);
	a.client_id = "same";
	assert_int_equal(host_bind(&h, T_MARK, &a), one);
	/* A clone. */
	b.type = DHCP_DISCOVER;
	host_ask(&h, T_MARK + 1, &b);
	b.type = DHCP_REQUEST;
	b.server = T_SERVER;
	{
		struct answer got;

		host_expect(&h, DHCP_OFFER, &got);
		b.requested = got.yiaddr;
	}
	host_ask(&h, T_MARK + 1, &b);
	two = b.requested;
	assert_int_not_equal(two, one);
	assert_non_null(host_out(&h, OUT_NOTICE));
	assert_non_null(strstr(host_out(&h, OUT_NOTICE)->text, "vm1"));
	assert_non_null(strstr(host_out(&h, OUT_NOTICE)->text, "vm2"));
	host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
	/* Foreign: the client identifier counts, then the MAC. */
	a = (struct ask){ .mac = mac_of(50), .client_id = "same" };
	b = (struct ask){ .mac = mac_of(51), .client_id = "same" };
	one = host_bind(&h, T_FOREIGN, &a);
	assert_int_equal(host_bind(&h, T_FOREIGN, &b), one);
	a.client_id = b.client_id = NULL;
	two = host_bind(&h, T_FOREIGN, &a);
	assert_int_not_equal(host_bind(&h, T_FOREIGN, &b), two);
	/* Another MAC behind a port is not the port. */
	a = (struct ask){ .mac = mac_of(60) };
	nested = host_bind(&h, T_MARK, &a);
	assert_int_not_equal(nested, host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1) }));
	host_done(&h);
}

static const struct {
	const char *name;
	struct ask ask;
	uint32_t mark;
	int ifindex;
	int want;
} strangers[] = {
	{ "chaddr is not the sender",
	  { .mac = { { 2, 1 } }, .src = { { 2, 2 } } },
	  T_MARK,
	  T_IFINDEX,
	  DHCP_DROP_CHADDR },
	{ "chaddr is not the sender, foreign",
	  { .mac = { { 2, 1 } }, .src = { { 2, 2 } } },
	  T_FOREIGN,
	  T_IFINDEX,
	  DHCP_KEEP },
	{ "relayed",
	  { .mac = { { 2, 1 } }, .src = { { 2, 2 } }, .giaddr = T_NET + 2 },
	  T_MARK,
	  T_IFINDEX,
	  DHCP_KEEP },
	{ "relayed for another subnet",
	  { .mac = { { 2, 1 } }, .giaddr = 0x0a000001 },
	  T_FOREIGN,
	  T_IFINDEX,
	  DHCP_DROP_SUBNET },
	{ "relayed by ourselves",
	  { .mac = { { 2, 1 } }, .giaddr = T_SERVER },
	  T_FOREIGN,
	  T_IFINDEX,
	  DHCP_DROP_SUBNET },
	{ "another bridge", { .mac = { { 2, 1 } } }, T_FOREIGN, 99, DHCP_DROP_NETWORK },
	{ "a port of another network", { .mac = { { 2, 1 } } }, T_MARK + 50, T_IFINDEX, DHCP_DROP_NETWORK },
	{ "unknown mark", { .mac = { { 2, 1 } } }, T_MARK + 99, T_IFINDEX, DHCP_DROP_PORT },
	{ "no mark", { .mac = { { 2, 1 } } }, 0, T_IFINDEX, DHCP_DROP_PORT },
	{ "for another server",
	  { .mac = { { 2, 1 } }, .dst_ip4 = T_NET + 5 },
	  T_FOREIGN,
	  T_IFINDEX,
	  DHCP_DROP_SERVER_ID },
	{ "subnet broadcast",
	  { .mac = { { 2, 1 } }, .dst_ip4 = T_NET + 255 },
	  T_FOREIGN,
	  T_IFINDEX,
	  DHCP_KEEP },
	{ "a server's message",
	  { .mac = { { 2, 1 } }, .type = DHCP_OFFER },
	  T_FOREIGN,
	  T_IFINDEX,
	  DHCP_DROP_TYPE },
	{ "message of type 200", { .mac = { { 2, 1 } }, .type = 200 }, T_FOREIGN, T_IFINDEX, DHCP_DROP_TYPE },
};

static void test_strangers(void **state)
{
	struct dhcp_port p = {
		.mark = T_MARK + 50, .network_id = 2, .uuid = port_uuid(50), .mac = { { 2, 1 } }
	};

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		struct ask a = strangers[i].ask;
		uint8_t frame[DHCP_FRAME_MAX];
		struct dhcp_input in = { .kind = DHCP_INPUT_FRAME,
					 .ifindex = strangers[i].ifindex,
					 .mark = strangers[i].mark,
					 .frame = frame };
		struct answer got;
		struct host h;

		start(&h);
		dhcp_engine_port_set(h.g, &p, NULL);
		if (!a.type)
			a.type = DHCP_DISCOVER;
		in.len = ask_frame(&a, frame);
		print_message("%s\n", strangers[i].name);
		host_input(&h, &in);
		if (strangers[i].want == DHCP_KEEP)
			host_expect(&h, DHCP_OFFER, &got);
		else
			host_expect_drop(&h, strangers[i].want);
		host_done(&h);
	}
}

/* Every reason is counted under its own name, for the frame's reasons see test_frame, for the packet's test_packet. */
static void test_drop_names(void **state)
{
	for (int i = 0; i < DHCP_DROP_CNT_; i++)
		assert_non_null(dhcp_drop_to_string(i));
	assert_null(dhcp_drop_to_string(DHCP_DROP_CNT_));
	assert_null(dhcp_drop_to_string(-1));
}

static void test_relay(void **state)
{
	static const uint8_t option_82[] = { 82, 6, 1, 4, 'p', 'o', 'r', 't' };
	struct ask a = { .type = DHCP_DISCOVER,
			 .mac = mac_of(70),
			 .src = mac_of(71),
			 .giaddr = T_NET + 2,
			 .raw = option_82,
			 .raw_len = sizeof(option_82) };
	struct nd_mac relay = mac_of(71);
	struct answer got;
	struct host h;

	start(&h);
	host_ask(&h, T_FOREIGN, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.dst_port, 67);
	assert_int_equal(got.dst_ip4, a.giaddr);
	assert_true(nd_mac_equal(&got.dst, &relay));
	assert_int_equal(got.order[got.order_cnt - 1], 82);
	assert_memory_equal(got.option[82], option_82 + 2, 6);
	host_done(&h);
}

/* A relay behind a port asks for clients of its own, not for other ports' or the ones that a reservation is for. */
static void test_port_relay(void **state)
{
	struct dhcp_host host = { .has_mac = true, .mac = mac_of(70), .ip4 = T_NET + 20 };
	struct ask a = { .type = DHCP_DISCOVER, .src = mac_of(1), .giaddr = T_NET + 2 };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;

	n.hosts = &host;
	n.host_cnt = 1;
	start(&h);
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	a.mac = mac_of(2);
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_CHADDR);
	a.mac = mac_of(70);
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_CHADDR);
	assert_int_equal(dhcp_engine_counters(h.g)->drop[DHCP_DROP_CHADDR], 2);
	host_ask(&h, T_FOREIGN, &a);
	host_expect(&h, DHCP_OFFER, &got);
	a.mac = mac_of(1);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	dhcp_engine_port_del(h.g, T_MARK + 1);
	a.mac = mac_of(2);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	host_done(&h);
}

/* ---- reservations ---- */

static void test_reservation(void **state)
{
	struct dhcp_host host = { .has_mac = true, .mac = mac_of(1), .name = "db.lab", .ip4 = T_NET + 120 };
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .hostname = "liar" };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;
	uint32_t mine;

	start(&h);
	mine = host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1) });
	assert_int_equal(
		host_bind(&h, T_MARK + 1, &(struct ask){ .mac = mac_of(2), .requested = T_NET + 120 }),
		T_NET + 120);
	/* A reservation made now wins over the lease: both are told at their next renewal, the one that has the address first. */
	n.hosts = &host;
	n.host_cnt = 1;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	host_ask(
		&h, T_MARK,
		&(struct ask){ .type = DHCP_REQUEST, .mac = mac_of(1), .ciaddr = mine, .dst_ip4 = T_SERVER });
	host_expect(&h, DHCP_ACK, &got); /* nobody is to have the address twice */
	host_stored(&h, host_out(&h, OUT_PROPOSE)->id);
	host_ask(
		&h, T_MARK + 1,
		&(struct ask){
			.type = DHCP_REQUEST, .mac = mac_of(2), .ciaddr = T_NET + 120, .dst_ip4 = T_SERVER });
	host_expect(&h, DHCP_NAK, &got);
	assert_int_equal(host_out(&h, OUT_RELEASE)->lease.ip4, T_NET + 120);
	host_ask(
		&h, T_MARK,
		&(struct ask){ .type = DHCP_REQUEST, .mac = mac_of(1), .ciaddr = mine, .dst_ip4 = T_SERVER });
	host_expect(&h, DHCP_NAK, &got);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, T_NET + 120);
	assert_memory_equal(got.option[DHCP_OPTION_HOST_NAME], "db", 2);
	a.type = DHCP_REQUEST;
	a.requested = T_NET + 120;
	a.server = T_SERVER;
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	assert_string_equal(host_out(&h, OUT_PROPOSE)->lease.hostname, "db");
	host_done(&h);
}

/* A lease that a client is about to leave for its reservation stands until the new one is stored. */
static void test_move(void **state)
{
	struct dhcp_host host = { .has_mac = true, .mac = mac_of(1), .ip4 = T_NET + 120 };
	struct dhcp_input refused = { .kind = DHCP_INPUT_REFUSED };
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1) };
	struct dhcp_network n = host_network();
	struct answer got;
	struct host h;
	uint32_t old;

	start(&h);
	old = host_bind(&h, T_MARK, &a);
	n.hosts = &host;
	n.host_cnt = 1;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	for (int round = 0; round < 3; round++) {
		a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(1) };
		host_ask(&h, T_MARK, &a);
		host_expect(&h, DHCP_OFFER, &got);
		assert_int_equal(got.yiaddr, host.ip4);
		host_ask(&h, T_MARK + 1,
			 &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(2), .requested = old });
		host_expect(&h, DHCP_OFFER, &got);
		assert_int_not_equal(got.yiaddr, old);
		if (round == 0) {
			host_tick(&h, 60000); /* not taken up: it is the client's again */
			continue;
		}
		a.type = DHCP_REQUEST;
		a.requested = host.ip4;
		a.server = T_SERVER;
		host_ask(&h, T_MARK, &a);
		host_expect(&h, DHCP_ACK, &got);
		refused.id = host_out(&h, OUT_PROPOSE)->id;
		if (round == 1)
			host_input(&h, &refused);
		else
			host_stored(&h, refused.id);
	}
	host_tick(&h, 60000);
	host_ask(&h, T_MARK + 1, &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(2), .requested = old });
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, old);
	/* The reservation goes while its offer is out: the lease before it stays. */
	old = host_bind(&h, T_MARK + 2, &(struct ask){ .mac = mac_of(3) });
	host.mac = mac_of(3);
	host.ip4 = T_NET + 20;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	host_ask(&h, T_MARK + 2, &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(3) });
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, T_NET + 20);
	n.host_cnt = 0;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	host_ask(&h, T_MARK + 2,
		 &(struct ask){ .type = DHCP_REQUEST, .mac = mac_of(3), .ciaddr = old, .dst_ip4 = T_SERVER });
	host_expect(&h, DHCP_ACK, &got);
	host_done(&h);
}

static void test_names(void **state)
{
	struct dhcp_host hosts[] = { { .name = "vm2", .ip4 = T_NET + 20 },
				     { .name = "bare", .ip4 = T_NET + 21 } };
	struct dhcp_network n = host_network();
	struct host h;

	n.hosts = hosts;
	n.host_cnt = 2;
	start(&h);
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	assert_int_equal(host_bind(&h, T_MARK + 1, &(struct ask){ .mac = mac_of(2) }), T_NET + 20);
	assert_int_equal(host_bind(&h, T_FOREIGN, &(struct ask){ .mac = mac_of(9), .hostname = "bare" }),
			 T_NET + 21);
	host_done(&h);
}

/* A name that netd gave to a port is no other's, whoever says to have it; and a port that has a name has no other. */
static void test_claimed_names(void **state)
{
	struct dhcp_host hosts[] = { { .name = "VM2", .ip4 = T_NET + 20 },
				     { .name = "free", .ip4 = T_NET + 21 } };
	struct dhcp_port nameless = {
		.mark = T_MARK + 9, .network_id = 1, .uuid = port_uuid(10), .mac = mac_of(10)
	};
	struct dhcp_network n = host_network();
	struct host h;

	n.hosts = hosts;
	n.host_cnt = 2;
	start(&h);
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	assert_int_equal(dhcp_engine_port_set(h.g, &nameless, NULL), 0);
	/* by the port vm1, its guest, a foreign client, and a port without a name */
	assert_true(host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1), .hostname = "vm2" }) >=
		    T_NET + 100);
	assert_true(host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(30), .hostname = "free" }) >=
		    T_NET + 100);
	assert_true(host_bind(&h, T_FOREIGN, &(struct ask){ .mac = mac_of(31), .hostname = "vm2.lab" }) >=
		    T_NET + 100);
	assert_true(host_bind(&h, T_MARK + 9, &(struct ask){ .mac = mac_of(32), .hostname = "vm2" }) >=
		    T_NET + 100);
	assert_int_equal(host_bind(&h, T_MARK + 1, &(struct ask){ .mac = mac_of(2), .hostname = "free" }),
			 T_NET + 20);
	assert_int_equal(host_bind(&h, T_MARK + 9, &(struct ask){ .mac = mac_of(10), .hostname = "free" }),
			 T_NET + 21);
	/* When the port has gone, or has another name, the name is anybody's. */
	dhcp_engine_lease_free(h.g, &n.uuid, T_NET + 20);
	host_port(&h, 2);
	dhcp_engine_port_del(h.g, T_MARK + 1);
	assert_int_equal(host_bind(&h, T_FOREIGN, &(struct ask){ .mac = mac_of(33), .hostname = "vm2" }),
			 T_NET + 20);
	host_done(&h);
}

/* ---- times ---- */

static const struct {
	uint32_t network, host, asked, want, t1;
} times[] = {
	{ 3600, 0, 0, 3600, 1800 },
	{ 3600, 0, 600, 600, 300 },
	{ 3600, 0, 10, DHCP_LEASE_MIN_S, 60 },
	{ 3600, 0, 7200, 3600, 1800 },
	{ 3600, 0, UINT32_MAX, 3600, 1800 },
	{ 3600, 900, 0, 900, 450 },
	{ 0, 0, 0, DHCP_LEASE_DEFAULT_S, 1800 },
	{ DHCP_LEASE_INFINITE, 0, 0, DHCP_LEASE_INFINITE, 0 },
	{ DHCP_LEASE_INFINITE, 0, 300, 300, 150 },
};

static void test_times(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct dhcp_host host = {
			.has_mac = true, .mac = mac_of(1), .ip4 = T_NET + 20, .lease_s = times[i].host
		};
		struct dhcp_network n = host_network();
		struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .lease_s = times[i].asked };
		struct answer got;
		struct host h;

		n.lease_s = times[i].network;
		n.hosts = &host;
		n.host_cnt = 1;
		start(&h);
		assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
		host_ask(&h, T_MARK, &a);
		host_expect(&h, DHCP_OFFER, &got);
		assert_int_equal(got.lease_s, times[i].want);
		assert_int_equal(got.t1_s, times[i].t1);
		a.type = DHCP_REQUEST;
		a.requested = got.yiaddr;
		a.server = T_SERVER;
		host_ask(&h, T_MARK, &a);
		assert_true(host_out(&h, OUT_PROPOSE)->lease.expiry_s ==
			    (times[i].want == UINT32_MAX ? UINT64_MAX : wall_s(&h) + times[i].want));
		host_done(&h);
	}
}

/* With a seed, T1 and T2 are spread a little, downwards only. */
static void test_fuzz_of_times(void **state)
{
	struct dhcp_network n = host_network();
	unsigned differ = 0;
	struct host h;

	host_init(&h);
	dhcp_engine_free(h.g);
	h.g = dhcp_engine_new(T_FOREIGN, T_WALL_S, 12345);
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	for (unsigned i = 0; i < 50; i++) {
		struct answer got;

		host_ask(&h, T_FOREIGN, &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(i) });
		host_expect(&h, DHCP_OFFER, &got);
		assert_in_range(got.t1_s, 1800 - 3600 / 32, 1800);
		assert_in_range(got.t2_s, 3150 - 3600 / 64, 3150);
		differ += got.t1_s != 1800;
	}
	assert_true(differ > 25);
	host_done(&h);
}

/* ---- probing ---- */

static void start_probing(struct host *h)
{
	struct dhcp_network n = host_network();

	start(h);
	n.probe = true;
	assert_int_equal(dhcp_engine_network_set(h->g, &n, NULL), 0);
}

static uint32_t expect_probe(const struct host *h)
{
	const struct out *o = host_out(h, OUT_SEND);
	struct dhcp_network n = host_network();
	struct dhcp_arp arp;

	assert_non_null(o);
	assert_int_equal(o->len, DHCP_ARP_LEN);
	assert_int_equal(dhcp_arp_parse(o->frame, o->len, &arp), DHCP_KEEP);
	assert_false(arp.is_reply);
	assert_int_equal(arp.sender_ip4, 0);
	assert_true(nd_mac_equal(&arp.sender, &n.server_mac));
	return arp.target_ip4;
}

static void test_probe(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .xid = 5 },
		   b = { .type = DHCP_DISCOVER, .mac = mac_of(2) };
	struct nd_mac self = mac_of(1);
	struct answer got;
	struct host h;
	uint32_t ip4;

	start_probing(&h);
	host_ask(&h, T_MARK, &a);
	ip4 = expect_probe(&h);
	assert_int_equal(h.out_cnt, 1);
	assert_int_equal(h.deadline_ms, h.now_ms + DHCP_PROBE_MS);
	host_ask(&h, T_MARK, &a);
	host_expect_drop(&h, DHCP_DROP_PENDING);
	h.now_ms += 50;
	host_ask(&h, T_MARK + 1, &b); /* nobody waits for another's probe */
	expect_probe(&h);
	a.xid = 6; /* it began anew: no second probe, but the offer is for this one */
	host_ask(&h, T_MARK, &a);
	assert_int_equal(h.out_cnt, 0);
	host_arp(&h, &self, ip4, T_SERVER, true); /* the client itself */
	assert_int_equal(h.out_cnt, 0);
	host_tick(&h, 50);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, ip4);
	assert_int_equal(got.xid, 6);
	host_tick(&h, 50);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(dhcp_engine_counters(h.g)->probe, 2);
	/* A lease that is known is not probed for. */
	a = (struct ask){ .mac = mac_of(1), .xid = 7 };
	host_bind(&h, T_MARK, &a);
	host_bind(&h, T_MARK, &a);
	/* A port that went while its address was probed gets nothing. */
	host_ask(&h, T_MARK + 2, &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(3) });
	dhcp_engine_port_del(h.g, T_MARK + 2);
	host_tick(&h, 100);
	assert_int_equal(h.out_cnt, 0);
	host_done(&h);
}

static void test_conflict(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1) };
	struct nd_mac holder = mac_of(0x999);
	uint32_t first, second, third;
	struct answer got;
	struct host h;

	start_probing(&h);
	host_ask(&h, T_MARK, &a);
	first = expect_probe(&h);
	host_arp(&h, &holder, T_NET + 5, T_NET + 6, true); /* of something else */
	assert_int_equal(h.out_cnt, 0);
	host_arp(&h, &holder, first, T_SERVER, true);
	assert_non_null(host_out(&h, OUT_NOTICE));
	assert_int_equal(host_out(&h, OUT_PROPOSE)->lease.state, DHCP_LEASE_DECLINED);
	assert_int_equal(host_out(&h, OUT_PROPOSE)->lease.ip4, first);
	second = expect_probe(&h);
	assert_int_not_equal(second, first);
	host_stored(&h, host_out(&h, OUT_PROPOSE) ? 1 : 1);
	host_arp(&h, &holder, 0, second, false); /* another host's probe for it */
	third = expect_probe(&h);
	assert_int_not_equal(third, second);
	host_tick(&h, 100);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.yiaddr, third);
	assert_int_equal(dhcp_engine_counters(h.g)->conflict, 2);
	/* Who claims every address is not believed for ever: 26 times of 100 addresses. */
	host_ask(&h, T_MARK + 1, &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(2) });
	for (unsigned i = 0; i < 40 && host_out(&h, OUT_SEND); i++)
		host_arp(&h, &holder, expect_probe(&h), T_SERVER, true);
	assert_int_equal(dhcp_engine_counters(h.g)->conflict, 26);
	host_tick(&h, 100);
	host_expect(&h, DHCP_OFFER, &got);
	host_done(&h);
}

/* ---- limits ---- */

static void test_full(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER };
	struct answer got;
	struct host h;

	start(&h);
	for (unsigned i = 0; i < 100; i++) {
		a.mac = mac_of(100 + i);
		host_ask(&h, T_FOREIGN, &a);
		host_expect(&h, DHCP_OFFER, &got);
	}
	a.mac = mac_of(300);
	host_ask(&h, T_FOREIGN, &a);
	host_expect_drop(&h, DHCP_DROP_RATE); /* as many offers as addresses */
	host_tick(&h, 60000);
	for (unsigned i = 0; i < 100; i++)
		host_bind(&h, T_FOREIGN, &(struct ask){ .mac = mac_of(100 + i) });
	host_ask(&h, T_FOREIGN, &a);
	host_expect_drop(&h, DHCP_DROP_POOL_FULL);
	assert_non_null(host_out(&h, OUT_NOTICE));
	host_ask(&h, T_FOREIGN, &a);
	host_expect_drop(&h, DHCP_DROP_POOL_FULL);
	assert_null(host_out(&h, OUT_NOTICE)); /* not each time */
	host_tick(&h, 3600 * 1000);
	host_ask(&h, T_FOREIGN, &a);
	host_expect(&h, DHCP_OFFER, &got);
	host_done(&h);
}

/* A guest that makes up MACs, or has guests of its own: 26 of 100 addresses within an hour, and itself none the less. */
static void test_made_up(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER };
	struct answer got;
	struct host h;

	start(&h);
	for (unsigned i = 0; i < 40; i++) {
		a.mac = mac_of(100 + i);
		host_ask(&h, T_MARK, &a);
		if (i < 26)
			host_expect(&h, DHCP_OFFER, &got);
		else
			host_expect_drop(&h, DHCP_DROP_RATE);
	}
	host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1) });
	host_tick(&h, DHCP_HOUR_MS);
	host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(500) });
	host_done(&h);
}

/* 100 frames at once and 50 a second from a port; others, and those whose mark says nothing of who they are, are heard still. */
static void test_rate(void **state)
{
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1) };
	struct answer got;
	struct host h;

	start(&h);
	for (unsigned i = 0; i < 1000; i++) {
		host_ask(&h, T_MARK, &a);
		assert_int_equal(h.out_cnt, i < DHCP_PORT_BURST);
	}
	host_expect_drop(&h, DHCP_DROP_RATE);
	assert_int_equal(dhcp_engine_counters(h.g)->drop[DHCP_DROP_RATE], 1000 - DHCP_PORT_BURST);
	assert_int_equal(dhcp_engine_counters(h.g)->discover, DHCP_PORT_BURST);
	host_bind(&h, T_MARK + 1, &(struct ask){ .mac = mac_of(2) });
	a.mac = mac_of(9);
	for (unsigned i = 0; i < 1000; i++) {
		host_ask(&h, T_FOREIGN, &a);
		host_expect(&h, DHCP_OFFER, &got);
	}
	a.mac = mac_of(1);
	h.now_ms += 1000;
	for (unsigned i = 0; i < 60; i++) {
		host_ask(&h, T_MARK, &a);
		assert_int_equal(h.out_cnt, i < 50);
	}
	host_done(&h);
}

/* ---- configuration and leases from the store ---- */

static void test_load(void **state)
{
	struct dhcp_network n = host_network();
	struct dhcp_lease l = { .network = n.uuid,
				.port = port_uuid(1),
				.ip4 = T_NET + 130,
				.mac = mac_of(1),
				.identity = { DHCP_IDENTITY_PORT, 16, { 0 } },
				.expiry_s = T_WALL_S + 5000 };
	struct answer got;
	struct host h;

	start(&h);
	memcpy(l.identity.bytes, l.port.b, 16);
	assert_int_equal(dhcp_engine_lease_load(h.g, &l, h.now_ms, NULL), 0);
	host_ask(&h, T_MARK,
		 &(struct ask){ .type = DHCP_REQUEST, .mac = mac_of(1), .requested = T_NET + 130 });
	host_expect(&h, DHCP_ACK, &got);
	l.network.b[0] = 9;
	assert_int_equal(dhcp_engine_lease_load(h.g, &l, h.now_ms, NULL), 0);
	l.state = 7;
	assert_int_equal(dhcp_engine_lease_load(h.g, &l, h.now_ms, NULL), ND_INVALID);
	host_done(&h);
}

static void test_configuration(void **state)
{
	struct dhcp_network n = host_network(), other = host_network();
	struct dhcp_port p = { .mark = T_FOREIGN, .network_id = 1, .uuid = port_uuid(1) };
	struct answer got;
	struct host h;
	uint32_t ip4;

	start(&h);
	ip4 = host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1) });
	n.lease_s = 7200;
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	host_ask(&h, T_MARK,
		 &(struct ask){ .type = DHCP_REQUEST, .mac = mac_of(1), .ciaddr = ip4, .dst_ip4 = T_SERVER });
	host_expect(&h, DHCP_ACK, &got);
	assert_int_equal(got.lease_s, 7200);
	other.id = 2;
	assert_int_equal(dhcp_engine_network_set(h.g, &other, NULL), ND_EXISTS); /* the same uuid */
	other.uuid.b[0] = 2;
	other.prefix_len = 0;
	assert_int_equal(dhcp_engine_network_set(h.g, &other, NULL), ND_INVALID);
	other.prefix_len = 24;
	assert_int_equal(dhcp_engine_network_set(h.g, &other, NULL), 0); /* took over the interface number */
	host_ask(&h, T_MARK, &(struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(1) });
	host_expect_drop(&h, DHCP_DROP_NETWORK);
	dhcp_engine_network_del(h.g, 2);
	dhcp_engine_network_del(h.g, 2);
	assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	host_stored(&h, 2);
	assert_int_equal(host_bind(&h, T_MARK, &(struct ask){ .mac = mac_of(1) }), ip4);
	dhcp_engine_network_del(h.g, 1); /* with a lease and nothing under way, then an answer to nothing */
	host_stored(&h, 3);
	assert_int_equal(dhcp_engine_port_set(h.g, &p, NULL), ND_INVALID);
	p.mark = 0;
	assert_int_equal(dhcp_engine_port_set(h.g, &p, NULL), ND_INVALID);
	host_done(&h);
}

/* ---- properties ---- */

struct holder { /* what a store would hold */
	bool used;
	struct dhcp_identity identity;
	uint64_t expiry_s;
};
struct model {
	struct host h;
	struct holder holder[256]; /* by the last byte of the address */
	struct out waiting[64];    /* proposals not answered */
	size_t waiting_cnt;
};

#define RESERVED (T_NET + 105)

/*
 * A store that keeps what it is given: nobody gets an address that a lease of another still runs for, but for the reserved one, which a machine may take
 * from itself under another client identifier. An identity's older lease goes.
 */
static void model_store(struct model *m, const struct dhcp_lease *l)
{
	struct holder *there = &m->holder[l->ip4 & 255];

	if (there->used && there->expiry_s > wall_s(&m->h) && l->state == DHCP_LEASE_BOUND &&
	    l->ip4 != RESERVED)
		assert_true(dhcp_identity_equal(&there->identity, &l->identity));
	for (size_t i = 0; i < ARRAY_LEN(m->holder) && l->state == DHCP_LEASE_BOUND; i++)
		if (m->holder[i].used && dhcp_identity_equal(&m->holder[i].identity, &l->identity))
			m->holder[i].used = false;
	*there = (struct holder){ l->state == DHCP_LEASE_BOUND, l->identity, l->expiry_s };
}

static void model_collect(struct model *m)
{
	for (size_t i = 0; i < m->h.out_cnt && i < T_OUTS; i++) {
		const struct out *o = &m->h.out[i];
		struct answer got;

		if (o->kind == OUT_SEND && o->len != DHCP_ARP_LEN)
			answer_parse(o->frame, o->len, &got);
		if (o->kind == OUT_RELEASE)
			m->holder[o->lease.ip4 & 255].used = false;
		if (o->kind != OUT_PROPOSE)
			continue;
		for (size_t k = 0; k < m->waiting_cnt; k++) /* nothing under way is given to another */
			assert_int_not_equal(m->waiting[k].lease.ip4, o->lease.ip4);
		assert_true(m->waiting_cnt < ARRAY_LEN(m->waiting));
		m->waiting[m->waiting_cnt++] = *o;
	}
}

static void model_answer(struct model *m)
{
	struct dhcp_input in = { .kind = random() % 8 ? DHCP_INPUT_STORED : DHCP_INPUT_REFUSED };
	size_t at = (size_t)random() % m->waiting_cnt;
	struct out o = m->waiting[at];

	m->waiting[at] = m->waiting[--m->waiting_cnt];
	in.id = o.id;
	if (in.kind == DHCP_INPUT_STORED)
		model_store(m, &o.lease);
	host_input(&m->h, &in);
}

static void random_ask(struct ask *a)
{
	static const char *const client_ids[] = { NULL, NULL, "a", "b", "c" };
	static const uint8_t types[] = { 1, 1, 1, 3, 3, 3, 3, 4, 7, 8 };
	uint32_t near = T_NET + 100 + (uint32_t)random() % 14;
	unsigned n = (unsigned)random() % 20;

	*a = (struct ask){ .type = types[random() % 10],
			   .mac = mac_of(n ? n : 1),
			   .xid = (uint32_t)random() % 4 };
	a->client_id = client_ids[random() % 5];
	a->flags = random() % 2 ? 0x8000 : 0;
	if (random() % 2)
		a->requested = near;
	if (random() % 3 == 0)
		a->ciaddr = near;
	if (random() % 2)
		a->server = random() % 8 ? T_SERVER : T_NET + 2;
	if (random() % 8 == 0)
		a->giaddr = T_NET + 2;
	if (random() % 2)
		a->dst_ip4 = T_SERVER;
}

static void random_step(struct model *m)
{
	uint8_t frame[DHCP_FRAME_MAX];
	struct dhcp_input in = { .kind = DHCP_INPUT_FRAME, .ifindex = T_IFINDEX, .frame = frame };
	struct ask a;

	random_ask(&a);
	in.mark = T_FOREIGN;
	for (unsigned n = 1; n <= 3; n++)
		if (a.mac.b[5] == n && random() % 8)
			in.mark = T_MARK + n - 1;
	in.len = ask_frame(&a, frame);
	if (random() % 8 == 0) { /* spoilt */
		in.checksum_unverified = true;
		for (unsigned i = 0; i < 3; i++)
			frame[34 + (size_t)random() % (in.len - 34)] = (uint8_t)random();
	}
	if (random() % 32 == 0)
		in.len = (size_t)random() % in.len;
	host_input(&m->h, &in);
}

static void test_random(void **state)
{
	static const struct dhcp_range range = { T_NET + 100, T_NET + 111, 0 };
	struct dhcp_host host = { .has_mac = true, .mac = mac_of(2), .ip4 = RESERVED };
	struct dhcp_network n = host_network();
	const char *again = getenv("ND_TEST_SEED");
	unsigned seed = again ? (unsigned)strtoul(again, NULL, 10) : (unsigned)nd_now_ms();
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	print_message("seed %u\n", seed);
	srandom(seed);
	start(&m->h);
	n.ranges = &range;
	n.hosts = &host;
	n.host_cnt = 1;
	n.probe = true;
	assert_int_equal(dhcp_engine_network_set(m->h.g, &n, NULL), 0);
	for (unsigned i = 0; i < 30000; i++) {
		struct nd_mac other = mac_of(0x777);
		long what = random() % 16;

		m->h.now_ms += (uint64_t)random() % 400;
		if (random() % 500 == 0)
			m->h.now_ms += 4000 * 1000;
		if (what == 0)
			host_tick(&m->h, 100);
		else if (what == 1)
			host_arp(&m->h, &other, T_NET + 100 + (uint32_t)random() % 12, T_SERVER, true);
		else if (what < 6 && m->waiting_cnt)
			model_answer(m);
		else if (m->waiting_cnt < 50)
			random_step(m);
		model_collect(m);
	}
	host_done(&m->h);
	free(m);
}

/* A thousand networks: an idle one is small, and none is searched for. */
static void test_many(void **state)
{
	uint64_t begun = nd_now_ms();
	struct host h;
	unsigned i;

	assert_true(sizeof(struct dhcp_net) + sizeof(struct dhcp_pool_range) + 64 < 2048);
	host_init(&h);
	for (i = 0; i < 4000; i++) {
		struct dhcp_range r = { 0x0a000000 + i * 256 + 10, 0x0a000000 + i * 256 + 200, 0 };
		struct dhcp_network n = host_network();

		n.id = i + 1;
		n.uuid.b[1] = (uint8_t)(i >> 8);
		n.uuid.b[2] = (uint8_t)i;
		n.ifindex = (int)i + 10;
		n.address_ip4 = 0x0a000001 + i * 256;
		n.ranges = &r;
		assert_int_equal(dhcp_engine_network_set(h.g, &n, NULL), 0);
	}
	for (i = 0; i < 20000; i++) {
		uint8_t frame[DHCP_FRAME_MAX];
		struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(i % 5000) };
		struct dhcp_input in = { .kind = DHCP_INPUT_FRAME,
					 .ifindex = (int)(i % 4000) + 10,
					 .mark = T_FOREIGN,
					 .frame = frame };

		in.len = ask_frame(&a, frame);
		host_input(&h, &in);
		assert_int_equal(h.out_cnt, 1);
	}
	print_message("20,000 in %llu ms\n", (unsigned long long)(nd_now_ms() - begun));
	host_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_request),    cmocka_unit_test(test_withdrawn),
		cmocka_unit_test(test_decline),    cmocka_unit_test(test_decline_limit),
		cmocka_unit_test(test_release),    cmocka_unit_test(test_free_race),
		cmocka_unit_test(test_inform),     cmocka_unit_test(test_identity),
		cmocka_unit_test(test_strangers),  cmocka_unit_test(test_drop_names),
		cmocka_unit_test(test_relay),      cmocka_unit_test(test_reservation),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_claimed_names),
		cmocka_unit_test(test_port_relay), cmocka_unit_test(test_move),
		cmocka_unit_test(test_times),      cmocka_unit_test(test_fuzz_of_times),
		cmocka_unit_test(test_probe),      cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_full),       cmocka_unit_test(test_load),
		cmocka_unit_test(test_made_up),    cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_rate),       cmocka_unit_test(test_random),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

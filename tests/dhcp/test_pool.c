// SPDX-License-Identifier: GPL-2.0-or-later
/* The pool alone: order of choice, ranges, reservations, and that its indexes agree after any sequence of calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "dhcp/heap.h"
#include "tests/dhcp/harness.h"

#define NOW 1000

static unsigned forgotten;

static void on_forget(struct dhcp_pool *p, struct dhcp_binding *b)
{
	forgotten++;
}

struct client {
	struct dhcp_identity identity, client_id;
	struct dhcp_who who;
};

/* By MAC; kind HARDWARE. */
static const struct dhcp_who *client(struct client *c, unsigned n)
{
	struct nd_mac mac = mac_of(n);

	*c = (struct client){ .identity = { .kind = DHCP_IDENTITY_HARDWARE, .len = 7, .bytes = { 1 } } };
	memcpy(c->identity.bytes + 1, mac.b, 6);
	c->who = (struct dhcp_who){ &c->identity, &c->client_id, mac, "", "" };
	return &c->who;
}

static void configure(struct dhcp_pool *p, const struct dhcp_range *r, uint32_t r_cnt,
		      const struct dhcp_host *h, uint32_t h_cnt)
{
	struct dhcp_network n = host_network();

	n.ranges = r;
	n.range_cnt = r_cnt;
	n.hosts = h;
	n.host_cnt = h_cnt;
	assert_int_equal(dhcp_pool_configure(p, &n, NULL), 0);
}

static void bind_until(struct dhcp_binding *b, uint64_t expiry_s)
{
	b->state = DHCP_BINDING_BOUND;
	b->lease.expiry_s = expiry_s;
	dhcp_pool_schedule(b);
}

static void test_order(void **state)
{
	static const struct dhcp_range range = { T_NET + 10, T_NET + 13, 0 };
	static const struct dhcp_host host = { .has_mac = true,
					       .mac = { { 0x52, 0x54, 0, 0, 0, 1 } },
					       .ip4 = T_NET + 11 };
	struct dhcp_binding *b[4], *again;
	struct dhcp_pool p;
	struct client c;

	dhcp_pool_init(&p, on_forget);
	configure(&p, &range, 1, &host, 1);
	assert_int_equal(p.size, 4);
	assert_null(p.taken);
	/* requested, if free and nobody's reservation */
	b[0] = dhcp_pool_pick(&p, client(&c, 2), T_NET + 12, NOW);
	assert_int_equal(b[0]->lease.ip4, T_NET + 12);
	assert_true(b[0]->fresh);
	assert_ptr_equal(dhcp_pool_pick(&p, client(&c, 2), T_NET + 10, NOW), b[0]); /* its own goes before */
	b[1] = dhcp_pool_pick(&p, client(&c, 3), T_NET + 12, NOW);
	assert_int_not_equal(b[1]->lease.ip4, T_NET + 12);
	b[2] = dhcp_pool_pick(&p, client(&c, 4), T_NET + 11, NOW);
	assert_non_null(b[2]);
	assert_int_equal(p.free_cnt, 0);
	for (int i = 1; i < 3; i++)
		assert_true(b[i]->lease.ip4 == T_NET + 10 || b[i]->lease.ip4 == T_NET + 13);
	/* the last one is reserved */
	assert_null(dhcp_pool_pick(&p, client(&c, 5), T_NET + 11, NOW));
	b[3] = dhcp_pool_pick(&p, client(&c, 1), T_NET + 10, NOW);
	assert_int_equal(b[3]->lease.ip4, T_NET + 11);
	/* longest expired; nothing before its time, nothing that is offered or under way, no reserved address */
	bind_until(b[0], NOW - 10);
	bind_until(b[1], NOW - 20);
	bind_until(b[2], NOW + 1);
	bind_until(b[3], NOW - 30);
	b[1]->offered = true;
	dhcp_pool_schedule(b[1]);
	again = dhcp_pool_pick(&p, client(&c, 5), 0, NOW);
	assert_int_equal(again->lease.ip4, T_NET + 12);
	assert_false(again->fresh);
	assert_null(dhcp_pool_find_identity(&p, client(&c, 2)->identity));
	assert_null(dhcp_pool_pick(&p, client(&c, 6), 0, NOW));
	b[1]->offered = false;
	b[1]->proposal = 1;
	dhcp_pool_schedule(b[1]);
	assert_null(dhcp_pool_pick(&p, client(&c, 6), b[1]->lease.ip4, NOW));
	b[1]->proposal = 0;
	dhcp_pool_schedule(b[1]);
	assert_non_null(dhcp_pool_pick(&p, client(&c, 6), 0, NOW));
	dhcp_pool_done(&p);
}

/* The same identity gets the same address in an empty pool, whatever came before the restart. */
static void test_stable(void **state)
{
	static const struct dhcp_range range = { T_NET + 10, T_NET + 200, 0 };
	struct dhcp_pool p, q;
	struct client c;
	unsigned same = 0;

	dhcp_pool_init(&p, on_forget);
	dhcp_pool_init(&q, on_forget);
	configure(&p, &range, 1, NULL, 0);
	configure(&q, &range, 1, NULL, 0);
	for (unsigned i = 1; i <= 50; i++)
		dhcp_pool_pick(&p, client(&c, i), 0, NOW);
	for (unsigned i = 50; i >= 1; i--) {
		struct dhcp_binding *b = dhcp_pool_pick(&q, client(&c, i), 0, NOW);

		same += b->lease.ip4 == dhcp_pool_find_identity(&p, &c.identity)->lease.ip4;
	}
	assert_true(same > 35); /* but for those whose place was taken */
	dhcp_pool_done(&p);
	dhcp_pool_done(&q);
}

static void test_never(void **state)
{
	static const struct dhcp_range range = { T_NET, T_NET + 255, 0 };
	struct dhcp_pool p;
	struct client c;
	uint8_t seen[256] = { 0 };

	dhcp_pool_init(&p, on_forget);
	configure(&p, &range, 1, NULL, 0);
	for (unsigned i = 0; i < 253; i++) {
		struct dhcp_binding *b = dhcp_pool_pick(&p, client(&c, i), T_SERVER, NOW);

		assert_non_null(b);
		assert_int_equal(seen[b->lease.ip4 & 255]++, 0);
	}
	assert_null(dhcp_pool_pick(&p, client(&c, 999), 0, NOW));
	assert_int_equal(seen[0] + seen[1] + seen[255], 0); /* network, server, broadcast */
	dhcp_pool_done(&p);
}

static void test_ranges(void **state)
{
	static const struct dhcp_range many[] = { { T_NET + 50, T_NET + 59, 120 },
						  { T_NET + 10, T_NET + 19, 0 },
						  { T_NET + 15, T_NET + 24, 60 },
						  { T_NET + 16, T_NET + 17, 0 } };
	static const struct dhcp_range wrong = { T_NET + 9, T_NET + 8, 0 },
				       huge = { 0x0a000001, 0x0affffff, 0 };
	struct dhcp_network n = host_network();
	struct dhcp_pool p;
	struct client c;

	dhcp_pool_init(&p, on_forget);
	configure(&p, many, 4, NULL, 0);
	assert_int_equal(p.range_cnt, 3);
	assert_int_equal(p.size, 25);
	assert_int_equal(dhcp_pool_lease_s(&p, NULL, T_NET + 55), 120);
	assert_int_equal(dhcp_pool_lease_s(&p, NULL, T_NET + 15), 3600);
	assert_int_equal(dhcp_pool_lease_s(&p, NULL, T_NET + 20), 60);
	for (unsigned i = 0; i < 25; i++)
		assert_non_null(dhcp_pool_pick(&p, client(&c, i), 0, NOW));
	assert_null(dhcp_pool_pick(&p, client(&c, 25), 0, NOW));
	n.range_cnt = 1;
	n.ranges = &wrong;
	assert_int_equal(dhcp_pool_configure(&p, &n, NULL), ND_INVALID);
	n.ranges = &huge;
	assert_int_equal(dhcp_pool_configure(&p, &n, NULL), ND_LIMIT);
	assert_int_equal(p.size, 25); /* as before */
	dhcp_pool_done(&p);
}

static void test_reservations(void **state)
{
	static const struct dhcp_host hosts[] = {
		{ .has_mac = true, .mac = { { 0x52, 0x54, 0, 0, 0, 1 } }, .ip4 = T_NET + 20, .lease_s = 60 },
		{ .client_id = { DHCP_IDENTITY_CLIENT_ID, 3, "abc" }, .ip4 = T_NET + 21 },
		{ .name = "Web.lab", .ip4 = T_NET + 22 },
		{ .name = "vm_1", .ip4 = T_NET + 23 },
		{ .has_mac = true, .mac = { { 0x52, 0x54, 0, 0, 0, 2 } }, .name = "mac2", .ip4 = T_NET + 24 },
	};
	struct dhcp_pool p;
	struct client c;
	struct dhcp_binding *b;

	dhcp_pool_init(&p, on_forget);
	configure(&p, NULL, 0, hosts, ARRAY_LEN(hosts));
	b = dhcp_pool_pick(&p, client(&c, 1), 0, NOW);
	assert_int_equal(b->lease.ip4, T_NET + 20);
	assert_int_equal(dhcp_pool_lease_s(&p, &hosts[0], T_NET + 20), 60);
	/* a client identifier counts more than the MAC */
	client(&c, 1);
	c.client_id = c.identity = hosts[1].client_id;
	assert_int_equal(dhcp_pool_pick(&p, &c.who, 0, NOW)->lease.ip4, T_NET + 21);
	client(&c, 3);
	c.who.hostname = "wEb";
	assert_int_equal(dhcp_pool_pick(&p, &c.who, 0, NOW)->lease.ip4, T_NET + 22);
	client(&c, 4);
	c.who.hostname = "web"; /* held by another of that name */
	assert_null(dhcp_pool_pick(&p, &c.who, 0, NOW));
	c.who.port_name = "vm_1";
	assert_int_equal(dhcp_pool_pick(&p, &c.who, 0, NOW)->lease.ip4, T_NET + 23);
	client(&c, 5);
	c.who.hostname = "mac2"; /* a name beside a MAC does not identify */
	assert_null(dhcp_pool_pick(&p, &c.who, 0, NOW));
	assert_null(dhcp_pool_claim(&p, &c.who, T_NET + 20, NOW));
	/* another of the same MAC: who has the lease keeps it, be it a port or not */
	client(&c, 1);
	c.identity = (struct dhcp_identity){ DHCP_IDENTITY_CLIENT_ID, 1, "x" };
	assert_false(dhcp_pool_may_hold(&p, &c.who, T_NET + 20, NOW));
	assert_null(dhcp_pool_pick(&p, &c.who, 0, NOW));
	client(&c, 1);
	c.identity = (struct dhcp_identity){ DHCP_IDENTITY_PORT, 16, "port" };
	assert_false(dhcp_pool_may_hold(&p, &c.who, T_NET + 20, NOW));
	assert_null(dhcp_pool_pick(&p, &c.who, 0, NOW));
	dhcp_pool_done(&p);
}

/* What a change of configuration leaves and what it forgets. */
static void test_configure(void **state)
{
	static const struct dhcp_range wide = { T_NET + 10, T_NET + 50, 0 },
				       small = { T_NET + 10, T_NET + 20, 0 };
	static const struct dhcp_host host = { .has_mac = true,
					       .mac = { { 0x52, 0x54, 0, 0, 0, 9 } },
					       .ip4 = T_NET + 12 };
	struct dhcp_pool p;
	struct client c;

	dhcp_pool_init(&p, on_forget);
	configure(&p, &wide, 1, NULL, 0);
	for (unsigned i = 0; i < 41; i++)
		bind_until(dhcp_pool_pick(&p, client(&c, 100 + i), T_NET + 10 + i, NOW), NOW + 100);
	forgotten = 0;
	configure(&p, &small, 1, NULL, 0);
	assert_int_equal(forgotten, 30);
	assert_int_equal(p.free_cnt, 0);
	configure(&p, &wide, 1, &host, 1);
	assert_int_equal(forgotten, 30);
	assert_int_equal(p.free_cnt, 30);
	assert_non_null(
		dhcp_pool_find_ip(&p, T_NET + 12)); /* another's now: kept until it ends, and no longer */
	assert_non_null(dhcp_pool_find_ip(&p, T_NET + 13));
	assert_true(dhcp_pool_may_hold(&p, client(&c, 103), T_NET + 13, NOW));
	assert_false(dhcp_pool_may_hold(&p, client(&c, 102), T_NET + 12, NOW));
	assert_false(dhcp_pool_may_hold(&p, client(&c, 9), T_NET + 12, NOW));
	assert_true(dhcp_pool_may_hold(&p, client(&c, 9), T_NET + 30, NOW)); /* something else that long */
	assert_true(dhcp_pool_may_hold(&p, client(&c, 9), T_NET + 12, NOW + 100));
	assert_false(dhcp_pool_may_hold(&p, client(&c, 9), T_NET + 30, NOW + 100));
	assert_int_equal(dhcp_pool_pick(&p, client(&c, 9), 0, NOW + 100)->lease.ip4, T_NET + 12);
	dhcp_pool_done(&p);
}

static void test_load(void **state)
{
	static const struct dhcp_range range = { T_NET + 10, T_NET + 20, 0 };
	struct dhcp_lease l = { .network = { { 1 } }, .ip4 = T_NET + 10, .expiry_s = NOW + 10 };
	struct dhcp_pool p;
	struct dhcp_binding *b;
	struct client c;

	dhcp_pool_init(&p, on_forget);
	configure(&p, &range, 1, NULL, 0);
	l.identity = *client(&c, 1)->identity;
	assert_non_null(dhcp_pool_load(&p, &l));
	l.ip4 = T_NET + 11; /* a later record of the same identity */
	assert_non_null(dhcp_pool_load(&p, &l));
	assert_null(dhcp_pool_find_ip(&p, T_NET + 10));
	assert_int_equal(p.free_cnt, 10);
	l.state = DHCP_LEASE_DECLINED;
	l.ip4 = T_NET + 12;
	assert_non_null(dhcp_pool_load(&p, &l)); /* set aside: belongs to nobody */
	assert_int_equal(dhcp_pool_find_identity(&p, &l.identity)->lease.ip4, T_NET + 11);
	assert_null(dhcp_pool_claim(&p, client(&c, 1), T_NET + 12, NOW));
	assert_non_null(dhcp_pool_claim(&p, client(&c, 2), T_NET + 12, NOW + 10));
	l.ip4 = T_NET + 30;
	assert_null(dhcp_pool_load(&p, &l));
	b = dhcp_pool_find_ip(&p, T_NET + 11);
	b->proposal = 5;
	l.ip4 = T_NET + 11;
	assert_null(dhcp_pool_load(&p, &l)); /* what is under way is newer */
	dhcp_pool_done(&p);
}

/* One machine, whose firmware and system send different client identifiers, is known by its MAC while that has a reservation. */
static void test_reidentify(void **state)
{
	static const struct dhcp_range range = { T_NET + 10, T_NET + 20, 0 };
	static const struct dhcp_host host = { .has_mac = true,
					       .mac = { { 0x52, 0x54, 0, 0, 0, 1 } },
					       .ip4 = T_NET + 12 };
	struct dhcp_lease l = {
		.network = { { 1 } }, .ip4 = T_NET + 12, .mac = mac_of(1), .expiry_s = NOW + 10
	};
	struct dhcp_identity id = { DHCP_IDENTITY_CLIENT_ID, 1, "x" }, by_mac;
	struct dhcp_pool p;
	struct client c;

	dhcp_identity_from_mac(&l.mac, &by_mac);
	l.identity = l.client_id = id;
	dhcp_pool_init(&p, on_forget);
	configure(&p, &range, 1, NULL, 0);
	assert_non_null(dhcp_pool_load(&p, &l));
	assert_non_null(dhcp_pool_find_identity(&p, &id));
	configure(&p, &range, 1, &host, 1);
	assert_null(dhcp_pool_find_identity(&p, &id));
	assert_int_equal(dhcp_pool_find_identity(&p, &by_mac)->lease.ip4, T_NET + 12);
	assert_true(dhcp_pool_may_hold(&p, client(&c, 1), T_NET + 12, NOW));
	dhcp_reserves_identity(&p.reserves, &l.mac, &id, &c.identity);
	assert_true(dhcp_identity_equal(&c.identity, &by_mac));
	assert_non_null(dhcp_pool_load(&p, &l)); /* as it was stored */
	assert_int_equal(dhcp_pool_find_identity(&p, &by_mac)->lease.ip4, T_NET + 12);
	configure(&p, &range, 1, NULL, 0);
	assert_int_equal(dhcp_pool_find_identity(&p, &id)->lease.ip4, T_NET + 12);
	dhcp_reserves_identity(&p.reserves, &l.mac, &id, &c.identity);
	assert_true(dhcp_identity_equal(&c.identity, &id));
	/* A reservation for the client identifier itself counts more. */
	struct dhcp_host both[] = { host, { .client_id = id, .ip4 = T_NET + 13 } };
	configure(&p, &range, 1, both, 2);
	dhcp_reserves_identity(&p.reserves, &l.mac, &id, &c.identity);
	assert_true(dhcp_identity_equal(&c.identity, &id));
	dhcp_pool_done(&p);
}

static void test_above(void **state)
{
	static const struct dhcp_range range = { T_NET + 1, T_NET + 100, 0 }; /* .1 is the server's */
	struct dhcp_pool p;
	struct client c;

	dhcp_pool_init(&p, on_forget);
	configure(&p, &range, 1, NULL, 0);
	assert_false(dhcp_pool_is_above(&p, 90, NOW));
	for (unsigned i = 0; i < 99; i++) {
		assert_int_equal(dhcp_pool_is_above(&p, 90, NOW), i >= 89);
		bind_until(dhcp_pool_pick(&p, client(&c, 100 + i), 0, NOW), NOW + 1 + i);
	}
	for (unsigned i = 0; i < 120; i++) /* one ends in each second */
		assert_int_equal(dhcp_pool_is_above(&p, 90, NOW + i), i <= 10);
	dhcp_pool_done(&p);
}

static void check_pool(const struct dhcp_pool *p)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < p->heap_cnt; i++) {
		struct dhcp_binding *b = p->heap[i];

		assert_int_equal(b->heap_at, i);
		if (i > 0)
			assert_true(p->heap[(i - 1) / 2]->free_at_s <= b->free_at_s);
		assert_ptr_equal(dhcp_pool_find_ip(p, b->lease.ip4), b);
		if (b->has_identity)
			assert_ptr_equal(dhcp_pool_find_identity(p, &b->lease.identity), b);
	}
	assert_int_equal(p->by_ip.cnt, p->heap_cnt);
	for (uint32_t i = 0; p->taken && i < p->size; i++)
		taken += p->taken[i / 64] >> (i % 64) & 1;
	assert_int_equal(p->size - taken, p->free_cnt);
}

static void test_random(void **state)
{
	static const struct dhcp_range ranges[] = { { T_NET + 10, T_NET + 40, 0 },
						    { T_NET + 100, T_NET + 170, 0 } };
	static const struct dhcp_host hosts[] = {
		{ .has_mac = true, .mac = { { 0x52, 0x54, 0, 0, 0, 1 } }, .ip4 = T_NET + 12 },
		{ .has_mac = true, .mac = { { 0x52, 0x54, 0, 0, 0, 2 } }, .ip4 = T_NET + 200 },
	};
	const char *given = getenv("ND_TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)nd_now_ms();
	struct dhcp_pool p;
	struct client c;

	print_message("seed %u\n", seed);
	srandom(seed);
	dhcp_pool_init(&p, on_forget);
	configure(&p, ranges, 2, hosts, 2);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t ip4 = T_NET + (uint32_t)random() % 256;
		struct dhcp_binding *b;

		client(&c, (unsigned)random() % 150);
		b = dhcp_pool_find_identity(&p, &c.identity);
		switch (random() % 8) {
		case 0:
			if (b)
				dhcp_pool_remove(&p, b);
			break;
		case 1: b = dhcp_pool_claim(&p, &c.who, ip4, NOW + i); break;
		case 2:
			configure(&p, ranges, (uint32_t)random() % 2 + 1, hosts, (uint32_t)random() % 3);
			break;
		case 3:
			if (b)
				dhcp_pool_disown(&p, b), b->state = DHCP_BINDING_DECLINED;
			break;
		default:
			b = dhcp_pool_pick(&p, &c.who, ip4, NOW + i);
			if (b)
				bind_until(b, NOW + i + (uint64_t)random() % 500);
		}
		if (i % 16 == 0)
			check_pool(&p);
	}
	dhcp_pool_done(&p);
}

/* 65,536 addresses: filling all of them and finding the last ones stays quick; an idle network is small. */
static void test_large(void **state)
{
	static const struct dhcp_range range = { 0x0a000000, 0x0a00ffff, 0 };
	struct dhcp_network n = host_network();
	uint64_t begun = nd_now_ms();
	struct dhcp_pool p;
	struct client c;

	n.address_ip4 = 0x0a000001;
	n.prefix_len = 16;
	n.ranges = &range;
	dhcp_pool_init(&p, on_forget);
	assert_int_equal(dhcp_pool_configure(&p, &n, NULL), 0);
	for (unsigned i = 0; i < 65533; i++)
		bind_until(dhcp_pool_pick(&p, client(&c, i), 0, NOW), NOW + i);
	assert_int_equal(p.free_cnt, 0);
	assert_null(dhcp_pool_pick(&p, client(&c, 70000), 0, NOW - 1));
	for (unsigned i = 0; i < 65533; i++)
		bind_until(dhcp_pool_pick(&p, client(&c, 70000 + i), 0, NOW + i), NOW + 100000);
	print_message("131,066 choices in %llu ms\n", (unsigned long long)(nd_now_ms() - begun));
	assert_true(nd_now_ms() - begun < 20000); /* with sanitizers, on a busy machine */
	dhcp_pool_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),        cmocka_unit_test(test_stable),
		cmocka_unit_test(test_never),        cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_reservations), cmocka_unit_test(test_configure),
		cmocka_unit_test(test_load),         cmocka_unit_test(test_reidentify),
		cmocka_unit_test(test_above),        cmocka_unit_test(test_random),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What a lease record from outside may hold, and how identities are made and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dhcp/lease.h"
#include <stdint.h>

static struct dhcp_lease good(void)
{
	return (struct dhcp_lease){
		.network = { { 1 } },
		.port = { { 2 } },
		.ip4 = 0xc0a87a64,
		.identity = { DHCP_IDENTITY_PORT, 16, { 2 } },
		.mac = { { 0x52, 0x54, 0, 0, 0, 1 } },
		.hostname = "web-1",
		.client_id = { DHCP_IDENTITY_CLIENT_ID, 3, { 1, 2, 3 } },
		.expiry_s = 1,
	};
}

static void spoil_network(struct dhcp_lease *l)
{
	l->network = (struct nd_uuid){ { 0 } };
}
static void spoil_ip_zero(struct dhcp_lease *l)
{
	l->ip4 = 0;
}
static void spoil_ip_multicast(struct dhcp_lease *l)
{
	l->ip4 = 0xe0000001;
}
static void spoil_state(struct dhcp_lease *l)
{
	l->state = 2;
}
static void spoil_kind(struct dhcp_lease *l)
{
	l->identity.kind = 4;
}
static void spoil_kind_zero(struct dhcp_lease *l)
{
	l->identity.kind = 0;
}
static void spoil_identity_len(struct dhcp_lease *l)
{
	l->identity.len = 15;
}
static void spoil_identity_long(struct dhcp_lease *l)
{
	l->identity.kind = DHCP_IDENTITY_CLIENT_ID;
	l->identity.len = 65;
}
static void spoil_hardware(struct dhcp_lease *l)
{
	l->identity.kind = DHCP_IDENTITY_HARDWARE;
	l->identity.len = 6;
}
static void spoil_port(struct dhcp_lease *l)
{
	l->port.b[0] = 3;
}
static void spoil_client_id_kind(struct dhcp_lease *l)
{
	l->client_id.kind = DHCP_IDENTITY_PORT;
}
static void spoil_client_id_len(struct dhcp_lease *l)
{
	l->client_id.len = 200;
}
static void spoil_mac(struct dhcp_lease *l)
{
	l->mac.b[0] = 1;
}
static void spoil_name_end(struct dhcp_lease *l)
{
	memset(l->hostname, 'a', sizeof(l->hostname));
}
static void spoil_name_char(struct dhcp_lease *l)
{
	l->hostname[0] = '\n';
}
static void spoil_name_dot(struct dhcp_lease *l)
{
	l->hostname[1] = '.';
}
static void spoil_nothing(struct dhcp_lease *l)
{
}
static void spoil_no_name(struct dhcp_lease *l)
{
	l->hostname[0] = '\0';
	l->client_id = (struct dhcp_identity){ 0 };
	l->expiry_s = UINT64_MAX;
	l->state = DHCP_LEASE_DECLINED;
}

static const struct {
	void (*spoil)(struct dhcp_lease *l);
	int want;
} rows[] = {
	{ spoil_nothing, 0 },
	{ spoil_no_name, 0 },
	{ spoil_network, ND_INVALID },
	{ spoil_ip_zero, ND_INVALID },
	{ spoil_ip_multicast, ND_INVALID },
	{ spoil_state, ND_INVALID },
	{ spoil_kind, ND_INVALID },
	{ spoil_kind_zero, ND_INVALID },
	{ spoil_identity_len, ND_INVALID },
	{ spoil_identity_long, ND_INVALID },
	{ spoil_hardware, ND_INVALID },
	{ spoil_port, ND_INVALID },
	{ spoil_client_id_kind, ND_INVALID },
	{ spoil_client_id_len, ND_INVALID },
	{ spoil_mac, ND_INVALID },
	{ spoil_name_end, ND_INVALID },
	{ spoil_name_char, ND_INVALID },
	{ spoil_name_dot, ND_INVALID },
};

static void test_check(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dhcp_lease l = good();
		struct nd_error e = ND_ERROR_INIT;

		rows[i].spoil(&l);
		if (dhcp_lease_check(&l, &e) != rows[i].want)
			fail_msg("row %zu: %s", i, nd_error_text(&e));
	}
}

static void test_identity(void **state)
{
	uint8_t long_id[255];
	struct dhcp_identity a, b;

	memset(long_id, 7, sizeof(long_id));
	dhcp_identity_from_client_id(long_id, 64, &a);
	assert_int_equal(a.kind, DHCP_IDENTITY_CLIENT_ID);
	assert_int_equal(a.len, 64);
	assert_memory_equal(a.bytes, long_id, 64);
	dhcp_identity_from_client_id(long_id, 255, &a);
	dhcp_identity_from_client_id(long_id, 254, &b);
	assert_int_equal(a.len, DHCP_IDENTITY_MAX);
	assert_memory_equal(a.bytes, long_id, 48);
	assert_false(dhcp_identity_equal(&a, &b));
	long_id[254] = 8;
	dhcp_identity_from_client_id(long_id, 255, &b);
	assert_false(dhcp_identity_equal(&a, &b));
	long_id[254] = 7;
	dhcp_identity_from_client_id(long_id, 255, &b);
	assert_true(dhcp_identity_equal(&a, &b));
	b.kind = DHCP_IDENTITY_HARDWARE;
	assert_false(dhcp_identity_equal(&a, &b));
}

/* The hash chooses addresses: its value is part of what stays the same over restarts and versions. */
static void test_hash(void **state)
{
	struct dhcp_identity a = { DHCP_IDENTITY_HARDWARE, 7, { 1, 0x52, 0x54, 0, 0, 0, 1 } }, b = a;
	unsigned used[100] = { 0 }, most = 0;

	assert_int_equal(dhcp_identity_hash(&a), 0xe0f3ed30u);
	b.bytes[6] = 2;
	assert_int_not_equal(dhcp_identity_hash(&a), dhcp_identity_hash(&b));
	for (unsigned i = 0; i < 1000; i++) {
		unsigned at;

		b.bytes[5] = (uint8_t)(i >> 8);
		b.bytes[6] = (uint8_t)i;
		at = dhcp_identity_hash(&b) % 100;
		most = ++used[at] > most ? used[at] : most;
	}
	assert_in_range(most, 10, 30); /* 10 in the mean: neighbours do not cluster */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

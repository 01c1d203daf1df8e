// SPDX-License-Identifier: GPL-2.0-or-later
/* To whom a reply goes (RFC 2131 §4.1), row by row, and what is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dhcp/reply.h"
#include "tests/dhcp/harness.h"

#define LEASED (T_NET + 100)
#define RELAY  (T_NET + 2)

enum to { TO_BROADCAST, TO_CHADDR, TO_SOURCE };

static const struct {
	const char *name;
	struct ask ask;
	uint8_t type;
	uint32_t dst_ip4;
	enum to to;
	uint16_t port, flags;
} rows[] = {
	{ "offer to one without an address",
	  { .type = DHCP_DISCOVER },
	  DHCP_OFFER,
	  LEASED,
	  TO_CHADDR,
	  68,
	  0 },
	{ "offer, broadcast flag",
	  { .type = DHCP_DISCOVER, .flags = 0x8000 },
	  DHCP_OFFER,
	  ~0u,
	  TO_BROADCAST,
	  68,
	  0x8000 },
	{ "ack to a renewing client",
	  { .type = DHCP_REQUEST, .ciaddr = LEASED },
	  DHCP_ACK,
	  LEASED,
	  TO_CHADDR,
	  68,
	  0 },
	{ "ciaddr before the broadcast flag",
	  { .type = DHCP_REQUEST, .ciaddr = LEASED, .flags = 0x8000 },
	  DHCP_ACK,
	  LEASED,
	  TO_CHADDR,
	  68,
	  0x8000 },
	{ "nak", { .type = DHCP_REQUEST }, DHCP_NAK, ~0u, TO_BROADCAST, 68, 0 },
	{ "nak to one with ciaddr",
	  { .type = DHCP_REQUEST, .ciaddr = LEASED },
	  DHCP_NAK,
	  ~0u,
	  TO_BROADCAST,
	  68,
	  0 },
	{ "relayed offer", { .type = DHCP_DISCOVER, .giaddr = RELAY }, DHCP_OFFER, RELAY, TO_SOURCE, 67, 0 },
	{ "relayed, broadcast flag",
	  { .type = DHCP_DISCOVER, .giaddr = RELAY, .flags = 0x8000 },
	  DHCP_OFFER,
	  RELAY,
	  TO_SOURCE,
	  67,
	  0x8000 },
	{ "relayed renewal",
	  { .type = DHCP_REQUEST, .giaddr = RELAY, .ciaddr = LEASED },
	  DHCP_ACK,
	  RELAY,
	  TO_SOURCE,
	  67,
	  0 },
	{ "relayed nak: the relay is to broadcast it",
	  { .type = DHCP_REQUEST, .giaddr = RELAY },
	  DHCP_NAK,
	  RELAY,
	  TO_SOURCE,
	  67,
	  0x8000 },
	{ "inform",
	  { .type = DHCP_INFORM, .ciaddr = LEASED, .flags = 0x8000 },
	  DHCP_ACK,
	  LEASED,
	  TO_CHADDR,
	  68,
	  0x8000 },
	{ "relayed inform",
	  { .type = DHCP_INFORM, .ciaddr = LEASED, .giaddr = RELAY },
	  DHCP_ACK,
	  LEASED,
	  TO_SOURCE,
	  68,
	  0 },
};

static void run(const struct ask *ask, const struct dhcp_network *n, const struct dhcp_reply *r,
		struct answer *ret)
{
	uint8_t in[DHCP_FRAME_MAX], out[DHCP_FRAME_MAX];
	struct dhcp_packet p;
	struct dhcp_frame f;
	size_t len = ask_frame(ask, in);

	assert_int_equal(dhcp_frame_parse(in, len, false, &f), DHCP_KEEP);
	assert_int_equal(dhcp_packet_parse(f.payload, f.payload_len, &p), DHCP_KEEP);
	len = dhcp_reply_build(n, &f, &p, r, out);
	answer_parse(out, len, ret);
}

static void test_addressee(void **state)
{
	static const struct nd_mac broadcast = { { 255, 255, 255, 255, 255, 255 } };
	const struct dhcp_network n = host_network();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ask ask = rows[i].ask;
		struct dhcp_reply r = { .type = rows[i].type,
					.yiaddr = rows[i].type == DHCP_NAK || ask.type == DHCP_INFORM
							  ? 0
							  : LEASED };
		struct nd_mac want[] = { broadcast, mac_of(1), mac_of(9) };
		struct answer got;

		ask.mac = mac_of(1);
		ask.src = mac_of(9);
		ask.xid = 77;
		run(&ask, &n, &r, &got);
		if (got.dst_ip4 != rows[i].dst_ip4 || got.dst_port != rows[i].port ||
		    got.flags != rows[i].flags || !nd_mac_equal(&got.dst, &want[rows[i].to]))
			fail_msg("%s: to %08x port %u, flags %04x", rows[i].name, got.dst_ip4, got.dst_port,
				 got.flags);
		assert_int_equal(got.yiaddr, r.yiaddr);
		assert_int_equal(got.ciaddr, r.type == DHCP_ACK ? ask.ciaddr : 0);
		assert_int_equal(got.giaddr, ask.giaddr);
		assert_int_equal(got.xid, 77);
		assert_int_equal(got.src_ip4, T_SERVER);
	}
}

/* RFC 2131 table 3: a NAK has its reason and what is echoed, nothing of the network. */
static void test_nak(void **state)
{
	static const uint8_t relay[] = { 82, 4, 1, 2, 'a', 'b' };
	const struct dhcp_network n = host_network();
	struct ask ask = { .type = DHCP_REQUEST,
			   .mac = mac_of(1),
			   .client_id = "\1abc",
			   .parameters = "\1\3\6",
			   .raw = relay,
			   .raw_len = sizeof(relay),
			   .giaddr = RELAY };
	struct dhcp_reply r = { .type = DHCP_NAK, .message = "no" };
	struct answer got;

	run(&ask, &n, &r, &got);
	assert_int_equal(got.order_cnt, 5);
	assert_memory_equal(got.order, "\65\66\70\75\122", 5);
	assert_memory_equal(got.option[DHCP_OPTION_CLIENT_ID], "\1abc", 4);
	assert_memory_equal(got.option[DHCP_OPTION_RELAY_INFO], relay + 2, 4);
	assert_memory_equal(got.option[DHCP_OPTION_MESSAGE], "no", 2);
}

static void test_contents(void **state)
{
	struct dhcp_network n = host_network();
	struct ask ask = { .type = DHCP_DISCOVER, .mac = mac_of(1) };
	struct dhcp_reply r = { .type = DHCP_OFFER,
				.yiaddr = LEASED,
				.lease_s = 3600,
				.t1_s = 1800,
				.t2_s = 3150,
				.hostname = "web" };
	struct answer got;

	n.mtu = 1400;
	n.dns_ip4[1] = 0x08080808;
	n.dns_cnt = 2;
	run(&ask, &n, &r, &got);
	assert_int_equal(got.mask, 0xffffff00);
	assert_int_equal(got.router, T_SERVER);
	assert_int_equal(got.server, T_SERVER);
	assert_int_equal(got.lease_s, 3600);
	assert_int_equal(got.t1_s, 1800);
	assert_int_equal(got.t2_s, 3150);
	assert_memory_equal(got.option[DHCP_OPTION_DNS], "\300\250\172\1\10\10\10\10", 8);
	assert_memory_equal(got.option[DHCP_OPTION_DOMAIN], "lab.test", 8);
	assert_memory_equal(got.option[DHCP_OPTION_BROADCAST], "\300\250\172\377", 4);
	assert_memory_equal(got.option[DHCP_OPTION_MTU], "\5\170", 2);
	assert_memory_equal(got.option[DHCP_OPTION_HOST_NAME], "web", 3);
	assert_int_equal(got.payload_len, 315); /* no padding */
	n.router_ip4 = 0;
	n.dns_cnt = 0;
	n.domain[0] = '\0';
	n.mtu = 0;
	r.hostname = "";
	run(&ask, &n, &r, &got);
	assert_int_equal(got.order_cnt, 7);
	assert_int_equal(got.payload_len, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addressee),
		cmocka_unit_test(test_nak),
		cmocka_unit_test(test_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

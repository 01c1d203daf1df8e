// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the questions to a gateway, byte by byte, and what counts as its answer
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "lan/lan.h"

static const struct nd_mac mac = { { 2, 0, 0, 0, 0, 5 } };

static struct lan_gateway gateway(const char *ip, const char *source)
{
	struct lan_gateway g = { 0 };

	assert_int_equal(nd_ip_from_string(ip, &g.ip), 0);
	if (source)
		assert_int_equal(nd_ip_from_string(source, &g.source), 0);
	return g;
}

static void test_arp(void **state)
{
	static const uint8_t want[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,   0,  0,   0, 5, 8, 6, 0, 1, 8, 0,   6,  4,   0,
		1,    2,    0,    0,    0,    0,    5, 198, 51, 100, 2, 0, 0, 0, 0, 0, 0, 198, 51, 100, 1,
	};
	const struct lan_gateway g = gateway("198.51.100.1", "198.51.100.2");
	uint8_t frame[128];

	assert_int_equal(lan_probe_question(&mac, &g, frame, sizeof frame), 60);
	assert_memory_equal(frame, want, sizeof want);
	assert_false(lan_probe_is_answer(&g, frame, 60)); /* our own question */
	frame[21] = 2;
	assert_false(lan_probe_is_answer(&g, frame, 60)); /* somebody else's answer */
	memcpy(frame + 28, want + 38, 4);
	assert_true(lan_probe_is_answer(&g, frame, 60));
	for (size_t len = 0; len < 32; len++)
		assert_false(lan_probe_is_answer(&g, frame, len));
}

static void test_nd(void **state)
{
	const struct lan_gateway g = gateway("fe80::1:2:3", "fe80::5");
	uint8_t frame[128], answer[86] = { 0 };
	uint32_t sum = 32 + 58;

	assert_int_equal(lan_probe_question(&mac, &g, frame, sizeof frame), 86);
	assert_memory_equal(frame, ((uint8_t[]){ 0x33, 0x33, 0xff, 2, 0, 3, 2, 0, 0, 0, 0, 5, 0x86, 0xdd }),
			    14);
	assert_int_equal(frame[21], 255);
	assert_memory_equal(frame + 22, g.source.b, 16);
	assert_int_equal(frame[54], 135);
	assert_memory_equal(frame + 62, g.ip.b, 16);
	for (size_t i = 22; i < 86; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
	assert_false(lan_probe_is_answer(&g, frame, 86));
	memcpy(answer, frame, sizeof answer);
	answer[54] = 136;
	assert_true(lan_probe_is_answer(&g, answer, sizeof answer));
	answer[21] = 64;
	assert_false(lan_probe_is_answer(&g, answer, sizeof answer)); /* from beyond a router */
	for (size_t len = 0; len < 78; len++)
		assert_false(lan_probe_is_answer(&g, frame, len));
	const struct lan_gateway none = gateway("fe80::1", NULL);
	assert_int_equal(lan_probe_question(&mac, &none, frame, sizeof frame), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_arp), cmocka_unit_test(test_nd) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

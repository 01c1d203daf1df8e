/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/mem.h"
#include "cli/placeholder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct placeholder_network networks[] = {
	{ .fds = { 7 }, .fd_cnt = 1, .mac = "52:54:00:00:00:01", .ifname = "nd0", .mtu = 1500 },
	{ .fds = { 8, 10, 11 }, .fd_cnt = 3, .mac = "52:54:00:00:00:02", .ifname = "nd1", .mtu = 9000 },
};

static void test_expand(void **state)
{
	static const struct {
		const char *arg, *want;
	} rows[] = {
		{ "", "" },
		{ "-nographic", "-nographic" },
		{ "tap,id=n0,fd=%{fd}", "tap,id=n0,fd=7" },
		{ "%{fds:}", "7" },
		{ "%{2.fds:}", "8:10:11" },
		{ "[%{2.fds,}]", "[8,10,11]" },
		{ "%{mac}%{2.mac}", "52:54:00:00:00:0152:54:00:00:00:02" },
		{ "mac=%{1.mac},if=%{2.ifname}", "mac=52:54:00:00:00:01,if=nd1" },
		{ "%{q} %{2q} %{2.q} %{2.2q}", "1 2 3 6" },
		{ "%{mtu}/%{2.mtu}", "1500/9000" },
		{ "%%{fd}", "%{fd}" },
		{ "%%%{fd}", "%%{fd}" },
		{ "100%", "100%" },
		{ "%d %% {fd} }", "%d %% {fd} }" },
		{ "%{fd}}", "7}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		nd_autofree char *got = NULL;
		assert_int_equal(placeholder_expand(rows[i].arg, networks, ARRAY_LEN(networks), &got, NULL),
				 0);
		assert_string_equal(got, rows[i].want);
	}
}

static void test_expand_errors(void **state)
{
	static const struct {
		const char *arg, *text;
	} rows[] = {
		{ "a%{fdx}b",
		  "unknown placeholder '%{fdx}': there are fd, fds:, 'fds,', mac, ifname, q, 2q and "
		  "mtu; for a literal %{ write %%{" },
		{ "%{}",
		  "unknown placeholder '%{}': there are fd, fds:, 'fds,', mac, ifname, q, 2q and mtu; for a "
		  "literal %{ write %%{" },
		{ "%{fd", "placeholder '%{fd' has no closing brace" },
		{ "%{3.fd}",
		  "placeholder '%{3.fd}': before the dot stands the number of a --network, 1 to 2" },
		{ "%{0.fd}",
		  "placeholder '%{0.fd}': before the dot stands the number of a --network, 1 to 2" },
		{ "%{.fd}", "placeholder '%{.fd}': before the dot stands the number of a --network, 1 to 2" },
		{ "%{x.fd}",
		  "placeholder '%{x.fd}': before the dot stands the number of a --network, 1 to 2" },
		{ "%{99999999999999999999.fd}", "placeholder '%{99999999999999999999.fd}': before the dot "
						"stands the number of a --network, 1 to 2" },
		{ "%{2.fd}", "placeholder '%{2.fd}' is one of 3 queues: use %{fds:} or %{fds,}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		char *got = NULL;
		assert_int_equal(placeholder_expand(rows[i].arg, networks, ARRAY_LEN(networks), &got, &e),
				 ND_INVALID);
		assert_null(got);
		assert_string_equal(nd_error_text(&e), rows[i].text);
	}
}

static void test_option(void **state)
{
	struct network_option o;
	struct nd_mac mac = { { 0x52, 0x54, 0, 0xab, 0xcd, 0xef } };

	assert_int_equal(network_option_parse("lab", &o, NULL), 0);
	assert_string_equal(o.network, "lab");
	assert_null(o.name);
	assert_false(o.mac_set);
	assert_int_equal(o.queues, 1);
	network_option_done(&o);

	assert_int_equal(network_option_parse(
				 "lab net,queues=64,mac=52:54:00:AB:cd:ef,name=vm1,portgroup=dmz", &o, NULL),
			 0);
	assert_string_equal(o.network, "lab net");
	assert_string_equal(o.name, "vm1");
	assert_true(o.mac_set);
	assert_true(nd_mac_equal(&o.mac, &mac));
	assert_int_equal(o.queues, 64);
	assert_string_equal(o.portgroup, "dmz");
	network_option_done(&o);
	network_option_done(&o);
}

static void test_option_errors(void **state)
{
	static const struct {
		const char *arg, *text;
	} rows[] = {
		{ "", "the network's name is missing" },
		{ ",mac=52:54:00:00:00:01", "the network's name is missing" },
		{ "lab,", "unknown suboption '': there are mac=, name=, portgroup= and queues=" },
		{ "lab,vhost=on",
		  "unknown suboption 'vhost': there are mac=, name=, portgroup= and queues=" },
		{ "lab,mac", "mac needs a value: mac=…" },
		{ "lab,mac=52:54:00:00:00", "mac '52:54:00:00:00' is not a MAC address" },
		{ "lab,mac=01:00:5e:00:00:01", "mac '01:00:5e:00:00:01' is not a unicast address" },
		{ "lab,mac=00:00:00:00:00:00", "mac '00:00:00:00:00:00' is not a unicast address" },
		{ "lab,name=a,name=b", "name is given twice" },
		{ "lab,name=", "name is empty" },
		{ "lab,portgroup=", "portgroup is empty" },
		{ "lab,queues=0", "queues '0' is not a number from 1 to 64" },
		{ "lab,queues=65", "queues '65' is not a number from 1 to 64" },
		{ "lab,queues=", "queues '' is not a number from 1 to 64" },
		{ "lab,queues=2x", "queues '2x' is not a number from 1 to 64" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		struct network_option o;
		char frame[100];
		assert_int_equal(network_option_parse(rows[i].arg, &o, &e), ND_INVALID);
		assert_string_equal(nd_error_text(&e), rows[i].text);
		snprintf(frame, sizeof(frame), "--network %s", rows[i].arg);
		assert_string_equal(nd_error_frame(&e, 0), frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_expand_errors),
		cmocka_unit_test(test_option),
		cmocka_unit_test(test_option_errors),
	};
	return cmocka_run_group_tests_name("cli/placeholder", tests, NULL, NULL);
}

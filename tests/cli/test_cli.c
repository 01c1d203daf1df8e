// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: rows and the manual page, the reading of arguments, and each command's calls and output. */
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "tests/cli/run-line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NETWORK(name)                                                                                    \
	"{\"name\":\"" name "\",\"uuid\":\"3e3fce45-4f53-4fa7-bb32-11f34168b82b\",\"state\":\"active\"," \
	"\"active\":true,\"persistent\":true,\"autostart\":\"boot\",\"bridge\":\"virbr0\",\"forward\":"  \
	"\"nat\","                                                                                       \
	"\"subnets\":[\"192.168.122.1/"                                                                  \
	"24\"],\"subnetChosen\":false,\"dhcpRanges\":[{\"start\":\"192.168.122.2\","                     \
	"\"end\":\"192.168.122.254\"}],\"ports\":2,\"foreignPorts\":0}"
#define REPLY(p) "{\"parameters\":{" p "}}"

static const struct {
	const char *line, *reply, *call, *out;
} commands[] = {
	{ "net-list", REPLY("\"networks\":[" NETWORK("b") "," NETWORK("A") "]"),
	  "ListNetworks\",\"parameters\":{\"filter\":[\"active\"]}}",
	  " Name   State    Autostart   Persistent\n"
	  "-----------------------------------------\n"
	  " A      active   yes         yes\n"
	  " b      active   yes         yes\n\n" },
	{ "net-list --all --persistent --name", REPLY("\"networks\":[" NETWORK("lab") "]"),
	  "ListNetworks\",\"parameters\":{\"filter\":[\"persistent\"]}}", "lab\n\n" },
	{ "net-list --inactive --uuid", REPLY("\"networks\":[" NETWORK("lab") "]"),
	  "ListNetworks\",\"parameters\":{\"filter\":[\"inactive\"]}}",
	  "3e3fce45-4f53-4fa7-bb32-11f34168b82b\n\n" },
	{ "net-info 'lab'", REPLY("\"network\":" NETWORK("lab")),
	  "GetNetwork\",\"parameters\":{\"name\":\"lab\"}}",
	  "Name:           lab\n"
	  "UUID:           3e3fce45-4f53-4fa7-bb32-11f34168b82b\n"
	  "Active:         yes\n"
	  "Persistent:     yes\n"
	  "Autostart:      yes\n"
	  "Bridge:         virbr0\n\n" },
	{ "net-info --details lab", REPLY("\"network\":" NETWORK("lab")),
	  "GetNetwork\",\"parameters\":{\"name\":\"lab\"}}",
	  "Name:           lab\n"
	  "UUID:           3e3fce45-4f53-4fa7-bb32-11f34168b82b\n"
	  "Active:         yes\n"
	  "Persistent:     yes\n"
	  "Autostart:      yes\n"
	  "Bridge:         virbr0\n"
	  "Forward:        nat\n"
	  "Subnet:         192.168.122.1/24\n"
	  "DHCP range:     192.168.122.2 - 192.168.122.254\n"
	  "Ports:          2\n\n" },
	{ "net-dumpxml lab --inactive", REPLY("\"xml\":\"<network/>\\n\""),
	  "DumpNetwork\",\"parameters\":{\"name\":\"lab\",\"inactive\":true}}", "<network/>\n\n" },
	{ "net-dumpxml lab --xpath //bridge/@name --wrap",
	  REPLY("\"xml\":\"<network><bridge name='br0'/><mtu size='1'/></network>\""),
	  "DumpNetwork\",\"parameters\":{\"name\":\"lab\",\"inactive\":false}}",
	  "<nodes name=\"br0\"/>\n\n" },
	{ "net-dumpxml lab --xpath //bridge|//mtu",
	  REPLY("\"xml\":\"<network><bridge name='br0'/><mtu size='1'/></network>\""),
	  "DumpNetwork\",\"parameters\":{\"name\":\"lab\",\"inactive\":false}}",
	  "<bridge name=\"br0\"/>\n<mtu size=\"1\"/>\n\n" },
	{ "net-list --no-autostart --table", REPLY("\"networks\":[]"),
	  "ListNetworks\",\"parameters\":{\"filter\":[\"active\",\"no-autostart\"]}}",
	  " Name   State   Autostart   Persistent\n----------------------------------------\n\n" },
	{ "net-name 3E3FCE45-4f53-4fa7-bb32-11f34168b82b", REPLY("\"network\":" NETWORK("lab")),
	  "GetNetwork\",\"parameters\":{\"name\":\"3e3fce45-4f53-4fa7-bb32-11f34168b82b\"}}", "lab\n\n" },
	{ "net-uuid --network lab", REPLY("\"network\":" NETWORK("lab")),
	  "GetNetwork\",\"parameters\":{\"name\":\"lab\"}}", "3e3fce45-4f53-4fa7-bb32-11f34168b82b\n\n" },
	{ "port-list --name",
	  REPLY("\"ports\":[{\"interface\":\"vnet0\"},{\"interface\":\"vnet1\",\"name\":\"vm1\"}]"),
	  "ListPorts\",\"parameters\":{}}", "vnet0\nvm1\n\n" },
	{ "net-start lab", REPLY("\"network\":" NETWORK("lab")),
	  "StartNetwork\",\"parameters\":{\"name\":\"lab\"}}", "Network lab started\n\n" },
	{ "net-destroy --force lab", "{}",
	  "DestroyNetwork\",\"parameters\":{\"name\":\"lab\",\"force\":true}}", "Network lab destroyed\n\n" },
	{ "net-undefine lab", "{}", "UndefineNetwork\",\"parameters\":{\"name\":\"lab\"}}",
	  "Network lab has been undefined\n\n" },
	{ "net-autostart lab", REPLY("\"network\":" NETWORK("lab")),
	  "SetAutostart\",\"parameters\":{\"name\":\"lab\",\"mode\":\"boot\"}}",
	  "Network lab marked as autostarted\n\n" },
	{ "net-autostart lab --disable", REPLY("\"network\":" NETWORK("lab")),
	  "SetAutostart\",\"parameters\":{\"name\":\"lab\",\"mode\":\"no\"}}",
	  "Network lab unmarked as autostarted\n\n" },
	{ "net-autostart --on-attach lab", REPLY("\"network\":" NETWORK("lab")),
	  "SetAutostart\",\"parameters\":{\"name\":\"lab\",\"mode\":\"on-attach\"}}",
	  "Network lab marked as started on attach\n\n" },
	{ "net-dhcp-leases lab --mac=52:54:00:77:00:01",
	  REPLY("\"leases\":[{\"expiry\":1795236365,\"mac\":\"52:54:00:77:00:01\",\"address\":\"10.7.0.13\","
		"\"prefix\":24,\"state\":\"bound\"},{\"mac\":\"52:54:00:77:00:02\",\"address\":\"10.7.0.14\","
		"\"prefix\":24,\"state\":\"declined\"}]"),
	  "ListLeases\",\"parameters\":{\"name\":\"lab\",\"mac\":\"52:54:00:77:00:01\"}}",
	  " Expiry Time           MAC address         Protocol   IP address     Hostname   Client ID or "
	  "DUID\n"
	  "--------------------------------------------------------------------------------------------------"
	  "-\n"
	  " 2026-11-21 04:46:05   52:54:00:77:00:01   ipv4       10.7.0.13/24   -          -\n\n" },
	{ "net-dhcp-leases lab", REPLY("\"leases\":[]"), "ListLeases\",\"parameters\":{\"name\":\"lab\"}}",
	  " Expiry Time   MAC address   Protocol   IP address   Hostname   Client ID or DUID\n"
	  "-----------------------------------------------------------------------------------\n\n" },
	{ "lease-release lab 10.7.0.13",
	  REPLY("\"leases\":[{\"mac\":\"52:54:00:77:00:01\",\"address\":\"10.7.0.13\",\"state\":\"bound\"}]"),
	  "ReleaseLease\",\"parameters\":{\"name\":\"lab\",\"lease\":\"10.7.0.13\"}}",
	  "Lease of 10.7.0.13 for 52:54:00:77:00:01 released\n\n" },
	{ "port-list --network=lab",
	  REPLY("\"ports\":[{\"interface\":\"vnet0\",\"network\":\"lab\",\"mac\":\"52:54:00:00:00:01\","
		"\"state\":\"attached\"}]"),
	  "ListPorts\",\"parameters\":{\"network\":\"lab\"}}",
	  " Interface   Network   Name   MAC address         IP address   State\n"
	  "-------------------------------------------------------------------------\n"
	  " vnet0       lab       -      52:54:00:00:00:01   -            attached\n\n" },
	{ "port-info vnet0",
	  REPLY("\"port\":{\"interface\":\"vnet0\",\"queues\":2,\"vnetHeader\":true,\"macGuard\":true,"
		"\"drops\":7}"),
	  "GetPort\",\"parameters\":{\"port\":\"vnet0\"}}",
	  "Interface:      vnet0\nQueues:         2\nVnet header:    yes\nMAC guard:      on\nSince:         "
	  " never\nDrops:      "
	  "    7\n\n" },
	{ "port-bandwidth vnet0",
	  REPLY("\"inbound\":{\"average\":1000,\"peak\":0,\"burst\":0,\"floor\":5},\"outbound\":{\"average\":"
		"0,"
		"\"peak\":0,\"burst\":0},\"own\":true,\"inForce\":false,\"queue\":\"bfifo\""),
	  "GetPortBandwidth\",\"parameters\":{\"port\":\"vnet0\"}}",
	  "inbound.average: 1000\ninbound.peak   : 0\ninbound.burst  : 0\ninbound.floor  : 5\n"
	  "outbound.average: 0\noutbound.peak  : 0\noutbound.burst : 0\nqueue          : bfifo\n"
	  "in force       : no\n\n" },
	{ "port-bandwidth vnet0 --inbound 10,,30 --outbound 0",
	  REPLY("\"inbound\":{\"average\":10},\"outbound\":{\"average\":0},\"own\":true,\"inForce\":true"),
	  "SetPortBandwidth\",\"parameters\":{\"port\":\"vnet0\",\"inbound\":{\"average\":10,\"peak\":0,"
	  "\"burst\":30},"
	  "\"outbound\":{\"average\":0}}}",
	  "inbound.average: 10\noutbound.average: 0\n\n" },
	{ "port-detach vnet0", "{}", "Detach\",\"parameters\":{\"port\":\"vnet0\"}}",
	  "Port vnet0 detached\n\n" },
	{ "reload", REPLY("\"broken\":0"), "Reload\"}", "Definitions reloaded\n\n" },
	{ "version", REPLY("\"version\":\"9\""), "GetVersion\"}", "netdctl " NETD_VERSION "\nnetd 9\n" },
};

static void test_commands(void **state)
{
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct stub_row row = { commands[i].reply, 0 };
		struct run r = run_line(commands[i].line, &row, 1, false);
		char call[512];

		snprintf(call, sizeof(call), "{\"method\":\"io.netd.%s\n", commands[i].call);
		assert_string_equal(r.err, "");
		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, commands[i].out);
		assert_string_equal(r.calls, call);
		run_done(&r);
		/* the same as JSON is the reply's parameters */
		r = run_line(commands[i].line, &row, 1, true);
		assert_int_equal(r.status, 0);
		assert_int_equal(r.out[0], '{');
		run_done(&r);
	}
}

static void test_define(void **state)
{
	char path[] = "/tmp/netd-cli-XXXXXX", line[64], expected[128];
	struct stub_row row = { REPLY("\"network\":" NETWORK(
					"lab") ",\"warnings\":[{\"line\":3,\"element\":\"dns\","
					       "\"text\":\"not known\"}]"),
				0 };
	int fd = mkstemp(path);
	struct run r;

	assert_int_equal(write(fd, "<network/>", 10), 10);
	close(fd);
	for (int create = 0; create < 2; create++) {
		snprintf(line, sizeof(line), "net-%s %s", create ? "create" : "define", path);
		r = run_line(line, &row, 1, false);
		snprintf(expected, sizeof(expected), "Network lab %s from %s\n\n",
			 create ? "created" : "defined", path);
		assert_string_equal(r.out, expected);
		snprintf(expected, sizeof(expected), "warning: %s: line 3: <dns>: not known\n", path);
		assert_string_equal(r.err, expected);
		assert_non_null(strstr(r.calls, "\"xml\":\"<network/>\""));
		run_done(&r);
	}
	unlink(path);
	r = run_line(line, NULL, 0, false);
	assert_int_equal(r.status, nd_code_exit_status(ND_NOT_FOUND));
	assert_non_null(strstr(r.err, path));
	run_done(&r);
}

#define EVENT(kind, more)                                                                                 \
	"{\"parameters\":{\"event\":{\"sequence\":1,\"time\":1795236365123456,\"kind\":\"" kind "\"" more \
	"}},\"continues\":true}\0"
static const char events[] = "{\"parameters\":{\"last\":4,\"lost\":2},\"continues\":true}\0" EVENT(
	"network-started", ",\"network\":\"lab\"") EVENT("repaired", ",\"text\":\"table inet netd\"")
	EVENT("network-stopped", ",\"network\":\"lab\"");

static const struct {
	const char *line, *out;
} event_rows[] = {
	{ "net-event --count 3", "event 'lifecycle' for network lab: Started\n"
				 "event 'repaired': table inet netd\n"
				 "event 'lifecycle' for network lab: Stopped\n"
				 "events received: 3\n\n" },
	{ "net-event --event lifecycle --count=2 --timestamp",
	  "2026-11-21 04:46:05.123+0000: event 'lifecycle' for network lab: Started\n"
	  "2026-11-21 04:46:05.123+0000: event 'lifecycle' for network lab: Stopped\n"
	  "events received: 2\n\n" },
	{ "net-event --event repaired --timeout 1",
	  "event 'repaired': table inet netd\nevents received: 1\n\n" },
	{ "net-event --event lifecycle",
	  "event 'lifecycle' for network lab: Started\nevents received: 1\n\n" },
	{ "net-event --event network-stopped --loop --count 1 --network lab",
	  "event 'lifecycle' for network lab: Stopped\nevents received: 1\n\n" },
};

static void test_events(void **state)
{
	const struct stub_row row = { events, 0, sizeof(events) - 1 };

	for (size_t i = 0; i < ARRAY_LEN(event_rows); i++) {
		struct run r = run_line(event_rows[i].line, &row, 1, false);

		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, event_rows[i].out);
		assert_string_equal(r.err, "warning: 2 events before these are not kept any more\n");
		run_done(&r);
	}
}

static const struct {
	const char *line, *err;
	int status;
} mistakes[] = {
	{ "net-lst", "error: unknown command: 'net-lst'; 'netdctl help' lists them\n", 2 },
	{ "net-start",
	  "error: command 'net-start' requires <network> option\nusage: netdctl net-start NETWORK\n", 2 },
	{ "net-start a b", "error: unexpected data 'b'\nusage: netdctl net-start NETWORK\n", 2 },
	{ "net-start --network a b", "error: unexpected data 'b'\nusage: netdctl net-start NETWORK\n", 2 },
	{ "net-start --network",
	  "error: expected syntax: --network <NETWORK>\nusage: netdctl net-start NETWORK\n", 2 },
	{ "net-destroy --farce=1 a",
	  "error: command 'net-destroy' doesn't support option --farce\nusage: netdctl net-destroy NETWORK "
	  "[--force]\n",
	  2 },
	{ "net-destroy --force=1 a",
	  "error: invalid '=' after option --force\nusage: netdctl net-destroy NETWORK [--force]\n", 2 },
	{ "port-list --network",
	  "error: expected syntax: --network <NETWORK>\nusage: netdctl port-list [--network NETWORK] "
	  "[--name]\n",
	  2 },
	{ "net-event --count x", "error: --count: 'x' is not a number between 1 and 2147483647\n", 2 },
	{ "net-event --event odd", "error: unknown event type odd; --list lists them\n", 2 },
	{ "help nothing", "error: unknown command: 'nothing'; 'netdctl help' lists them\n", 2 },
	{ "completion fish", "error: no completion for shell 'fish', only for bash and zsh\n", 2 },
	{ "net-info 'a", "error: a quote (') has no end\n", 2 },
	{ "net-define-as x --subnet 10.1.0.0",
	  "error: --subnet: '10.1.0.0' has no length, as in 10.1.0.0/24\n", 2 },
	{ "net-define-as x --subnet ten", "error: --subnet: 'ten' is neither 'auto' nor ADDRESS/LENGTH\n",
	  2 },
	{ "net-define-as x --subnet 10.1.0.1/32",
	  "error: --subnet: 10.1.0.1/32 has no address for a guest; see --dhcp none\n", 2 },
	{ "net-define-as x --dhcp 10.1.0.1",
	  "error: --dhcp: '10.1.0.1' is neither 'auto', 'none' nor FIRST-LAST\n", 2 },
	{ "net-define-as x --mode vepa", "error: --mode vepa needs --dev, the host's interface\n", 2 },
	{ "net-define-as x --dev eth0",
	  "error: --dev is for the modes macvtap, private, vepa and passthrough\n", 2 },
	{ "net-define-as x --mode macvtap --dev eth0 --subnet auto",
	  "error: --mode macvtap takes neither --subnet, --dhcp nor --bridge\n", 2 },
	{ "net-define-as x --mode bridge", "error: --mode bridge needs --bridge, the host's bridge\n", 2 },
	{ "net-define-as x --mode bridge --bridge b --dhcp none",
	  "error: --mode bridge takes neither --subnet nor --dhcp\n", 2 },
	{ "net-define-as x --mtu 10", "error: --mtu: '10' is not a number between 68 and 65535\n", 2 },
	{ "  # nothing", "", 0 },
};

static void test_mistakes(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct run r = run_line(mistakes[i].line, NULL, 0, false);

		assert_string_equal(r.err, mistakes[i].err);
		assert_string_equal(r.out, "");
		assert_int_equal(r.status, mistakes[i].status);
		run_done(&r);
	}
}

static void test_errors(void **state)
{
	static const struct stub_row row = { "{\"error\":\"io.netd.Busy\",\"parameters\":{\"message\":\"x\","
					     "\"text\":\"set vlan_filtering\",\"errno\":16,"
					     "\"errnoName\":\"EBUSY\",\"kernel\":\"why\",\"frames\":["
					     "\"network 'lan'\",\"bridge 'virbr1'\"],\"also\":[]}}",
					     0 };
	struct run r = run_line("net-start lan", &row, 1, false);

	assert_string_equal(
		r.err,
		"error: Failed to start network lan: network 'lan': bridge 'virbr1': set vlan_filtering: "
		"Device or resource busy (EBUSY): why\n");
	assert_int_equal(r.status, nd_code_exit_status(ND_BUSY));
	run_done(&r);
	r = run_line("net-start lan", &row, 1, true);
	assert_non_null(strstr(
		r.err,
		"{\"error\":\"io.netd.Busy\",\"parameters\":{\"message\":\"Failed to start network lan: "));
	run_done(&r);
}

/* virsh's words for a network that is not there, and for looking up the wrong way round. */
static void test_not_found(void **state)
{
	static const struct stub_row none = {
		"{\"error\":\"io.netd.NotFound\",\"parameters\":{\"message\":\"x\","
		"\"text\":\"Network not found: no network with matching name 'x'\","
		"\"frames\":[],\"also\":[]}}"
	};
	static const struct stub_row lab = { REPLY("\"network\":" NETWORK("lab")) };
	struct run r = run_line("net-start x", &none, 1, false);

	assert_string_equal(r.err, "error: failed to get network 'x': Network not found: no network with "
				   "matching name 'x'\n");
	assert_int_equal(r.status, nd_code_exit_status(ND_NOT_FOUND));
	run_done(&r);
	r = run_line("net-name lab", &lab, 1, false);
	assert_string_equal(r.err, "error: failed to get network 'lab': Network not found: no network with "
				   "matching uuid 'lab'\n");
	run_done(&r);
}

/* --quiet leaves results: no header, no message. */
static void test_quiet(void **state)
{
	static const struct stub_row rows[] = { { REPLY("\"networks\":[" NETWORK("lab") "]") }, { "{}" } };
	struct run r = run_line("-q\nnet-list\nnet-undefine lab", rows, 2, false);

	assert_string_equal(r.out, " lab   active   yes   yes\n");
	run_done(&r);
}

/* Goes on after a failure, and remembers it. */
static void test_lines(void **state)
{
	struct run r = run_line("nonsense\n\nhelp net-start\n", NULL, 0, false);

	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.out, "netdctl net-start NETWORK\n"));
	run_done(&r);
}

static void test_rows_and_manual(void **state)
{
	nd_autofree char *man = NULL;
	struct nd_buf plain = { .max = 1024 * 1024 };

	assert_int_equal(nd_file_read(DOCS_DIR "/netdctl.1", 1024 * 1024, &man, NULL, NULL), 0);
	for (const char *p = man; *p; p++) /* "\-" is a plain "-" */
		if (*p != '\\' || p[1] != '-')
			nd_buf_append(&plain, p, 1);
	for (size_t i = 0; i < cli_command_cnt; i++) {
		const struct cli_command *c = &cli_commands[i];

		assert_true((c->run == NULL) == (c->run_raw != NULL));
		assert_true(c->option_cnt <= CLI_OPTIONS_MAX);
		assert_ptr_equal(cli_command_find(c->name), c);
		assert_non_null(strstr(nd_buf_string(&plain), c->name));
		for (size_t o = 0; o < c->option_cnt; o++) {
			if (!strstr(nd_buf_string(&plain), c->options[o].name))
				print_error("netdctl(1) has no %s of %s\n", c->options[o].name, c->name);
			assert_non_null(strstr(nd_buf_string(&plain), c->options[o].name));
		}
	}
	for (int code = 0; code > -ND_CODE_CNT; code--) {
		char row[16];

		snprintf(row, sizeof(row), "\n%d|", nd_code_exit_status(code));
		assert_non_null(strstr(nd_buf_string(&plain), row));
	}
	nd_buf_done(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),        cmocka_unit_test(test_define),
		cmocka_unit_test(test_events),          cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_errors),          cmocka_unit_test(test_lines),
		cmocka_unit_test(test_not_found),       cmocka_unit_test(test_quiet),

		cmocka_unit_test(test_rows_and_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: lan/ against the real kernel
 *
 * A NIC with what hosts have: addresses of both families with labels, metrics, scopes and lifetimes; routes of several tables, by gateways, onlink, multipath, by
 * next hop objects and as router advertisements leave them; rules by name. Everything the kernel tells of it is compared before and after: after a failure at each
 * step, after a kill at each step, and after the way back. nd_nl_call is wrapped (--wrap), so that the Nth request of a process fails or is its last.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/link.h"
#include "base/mem.h"
#include "lan/private.h"

#define STEPS_MAX 200

static struct nd_nl *nl;

static int calls, fail_at, exit_at; /* counted from 1; 0: never. Dumps and reading do not count. */

int __real_nd_nl_call(struct nd_nl *h, struct nl_msg *req, nd_nl_reply_fn fn, void *arg, struct nd_error *e);
int __wrap_nd_nl_call(struct nd_nl *h, struct nl_msg *req, nd_nl_reply_fn fn, void *arg, struct nd_error *e);
int __wrap_nd_nl_call(struct nd_nl *h, struct nl_msg *req, nd_nl_reply_fn fn, void *arg, struct nd_error *e)
{
	if (req && !fn) {
		calls++;
		if (calls == exit_at)
			_exit(7);
		if (calls == fail_at) {
			nlmsg_free(req);
			return nd_fail_sys(e, EPERM, NULL, "injected");
		}
	}
	return __real_nd_nl_call(h, req, fn, arg, e);
}

static void run(const char *line)
{
	if (system(line) != 0)
		fail_msg("%s", line);
}

static void assert_ok(int rc, const struct nd_error *e)
{
	char text[ND_ERROR_STORE];
	if (rc == 0)
		return;
	nd_error_format(e, text, sizeof text);
	fail_msg("%s", text);
}
#define OK(call)                                   \
	do {                                       \
		struct nd_error e = ND_ERROR_INIT; \
		assert_ok(call, &e);               \
	} while (0)

/* What there is of the NIC, without what passes: seconds, counters, and the router's neighbour states. */
static char *dump(void)
{
	static const char line[] =
		"(ip -d addr show dev eth0; ip -4 route show table all; ip -6 route show table all; ip rule; "
		"ip -6 rule; "
		"ip nexthop; ip -br link show type bridge; for k in addr_gen_mode accept_ra disable_ipv6; do "
		"cat /proc/sys/net/ipv6/conf/eth0/$k; done) | "
		"sed -E 's/(valid_lft|preferred_lft|expires) [0-9]+sec/\\1 N/g; s/ qlen [0-9]+//; "
		"s/promiscuity [0-9]+//; s/allmulti [0-9]+//; "
		"s/ state [A-Z]+//; s/^anycast .*//; s/ pref medium//; /^multicast/d; s/ (linkdown|dead)//g' "
		"| sort";
	char *text = calloc(1, 65536);
	FILE *p = popen(line, "r");
	assert_non_null(p);
	assert_true(fread(text, 1, 65535, p) > 0);
	pclose(p);
	return text;
}

static const char *const host[] = {
	"ip link set lo up",
	"ip link add eth0 address 02:00:00:00:00:05 mtu 1450 type veth peer name peer0",
	"ip link add eth1 type veth peer name peer1",
	"for i in peer0 peer1 eth0 eth1; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done",
	"ip link set peer0 up; ip link set peer1 up; ip link set eth1 up",
	"echo 2 > /proc/sys/net/ipv4/conf/eth0/rp_filter",
	"echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra",
	"ip link set eth0 up",
	"ip addr add 198.51.100.2/24 brd + dev eth0 metric 50",
	"ip addr add 198.51.100.3/24 dev eth0 label eth0:1 valid_lft 3000 preferred_lft 1000",
	"ip addr add 203.0.113.9/32 dev eth0 scope link noprefixroute",
	"ip addr add 10.9.0.1 peer 10.9.0.2/32 dev eth0",
	"ip addr add 192.0.2.1/24 dev eth1",
	"ip addr add 2001:db8::2/64 dev eth0",
	"ip addr add 2001:db8:1::2/64 dev eth0 noprefixroute valid_lft 5000 preferred_lft 600",
	"ip addr add 2001:db8:2::1/64 dev eth1 nodad",
	"ip route add default via 198.51.100.1 dev eth0 proto dhcp src 198.51.100.2 metric 100 mtu lock 1400",
	"ip route add 10.0.0.0/8 via 198.51.100.1 dev eth0 metric 7 initcwnd 20",
	"ip route add 10.1.0.0/16 via 172.16.0.1 dev eth0 onlink",
	"ip route add 10.2.0.0/16 nexthop via 198.51.100.1 dev eth0 weight 2 nexthop via 192.0.2.2 dev eth1",
	"ip route add default via 198.51.100.254 dev eth0 table 100",
	"ip route add local 10.3.0.0/16 dev eth0",
	"ip route add blackhole 10.4.0.0/16",
	"ip route add 10.5.0.0/16 dev eth0 scope link table 200",
	"ip -6 route add default via fe80::1 dev eth0 proto ra metric 1024 expires 1800 pref high",
	"ip -6 route add 2001:db8:10::/48 via 2001:db8::1 dev eth0",
	"ip -6 route add 2001:db8:11::/48 nexthop via 2001:db8::1 nexthop via 2001:db8:2::2",
	"ip -6 route add 2001:db8:1::/64 dev eth0 proto kernel metric 256 expires 5000",
	"ip -6 route add default via fe80::2 dev eth0 table 100",
	"ip nexthop add id 7 via 198.51.100.1 dev eth0 && ip route add 10.6.0.0/16 nhid 7",
	"ip rule add iif eth0 lookup 100 pref 1000",
	"ip rule add oif eth0 fwmark 7 lookup 200 pref 1001",
	"ip rule add not iif eth0 from 10.7.0.0/16 lookup 200 pref 1002",
	"ip -6 rule add iif eth0 lookup 100 pref 1000",
	"ip rule add iif eth1 lookup 100 pref 1003",
	"ip neigh add 198.51.100.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent",
};

static int enter(void **state)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		perror("unshare");
		return -1;
	}
	run("mount --make-rprivate / && mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /tmp");
	for (size_t i = 0; i < ARRAY_LEN(host); i++)
		run(host[i]);
	calls = fail_at = exit_at = 0;
	assert_int_equal(nd_nl_new(NETLINK_ROUTE, &nl, NULL), 0);
	return 0;
}

static int leave(void **state)
{
	nd_nl_free(nl);
	return 0;
}

/* What differs, as diff(1) says it: two dumps are long. */
static void assert_same(const char *before, const char *after)
{
	if (strcmp(before, after) == 0)
		return;
	OK(nd_file_write("/tmp/before", before, strlen(before), 0600, false, &e));
	OK(nd_file_write("/tmp/after", after, strlen(after), 0600, false, &e));
	fail_msg("what the kernel has is not as before (diff: %d)",
		 system("diff /tmp/before /tmp/after >&2"));
}

static struct lan_record *plan(void)
{
	const struct lan_request req = { "br0", "eth0", false, "/nonexistent" };
	struct lan_record *r = NULL;
	OK(lan_create_plan(nl, &req, &r, &e));
	return r;
}

static char *output(const char *line)
{
	char *text = calloc(1, 65536);
	FILE *p = popen(line, "r");
	assert_non_null(p);
	(void)!fread(text, 1, 65535, p);
	pclose(p);
	return text;
}

static void assert_line(const char *command, const char *want)
{
	nd_autofree char *text = output(command);
	if (!strstr(text, want))
		fail_msg("'%s' is not in what '%s' says:\n%s", want, command, text);
}

/* Everything on the bridge that was on the NIC: told by the same dump with names exchanged. */
static void test_there_and_back(void **state)
{
	nd_autofree char *before = dump();
	nd_cleanup(lan_record_freep) struct lan_record *r = plan();
	nd_autofree char *planned = dump();
	assert_same(before, planned);
	OK(lan_apply(nl, r, &e));
	static const struct {
		const char *command, *want;
	} lines[] = {
		{ "ip -d link show br0", "02:00:00:00:00:05" },
		{ "ip -d link show br0", "mtu 1450" },
		{ "ip -d link show br0", "forward_delay 0 " },
		{ "ip -d link show br0", LAN_ALIAS },
		{ "ip link show eth0", "master br0" },
		{ "ip addr show br0", "inet 198.51.100.2/24 metric 50 brd 198.51.100.255 scope global br0" },
		{ "ip addr show br0", "inet 198.51.100.3/24 scope global secondary dynamic br0:1" },
		{ "ip addr show br0", "inet 203.0.113.9/32 scope link noprefixroute br0" },
		{ "ip addr show br0", "inet 10.9.0.1 peer 10.9.0.2/32" },
		{ "ip addr show br0", "inet6 2001:db8::2/64 scope global \n" },
		{ "ip addr show br0", "inet6 2001:db8:1::2/64 scope global dynamic noprefixroute" },
		{ "ip addr show br0", "inet6 fe80::" },
		{ "ip route",
		  "default via 198.51.100.1 dev br0 proto dhcp src 198.51.100.2 metric 100 mtu lock 1400" },
		{ "ip route", "10.0.0.0/8 via 198.51.100.1 dev br0 metric 7 initcwnd 20" },
		{ "ip route", "10.1.0.0/16 via 172.16.0.1 dev br0 onlink" },
		{ "ip route", "nexthop via 198.51.100.1 dev br0 weight 2" },
		{ "ip route", "10.6.0.0/16 nhid 7 via 198.51.100.1 dev br0" },
		{ "ip route show table 100", "default via 198.51.100.254 dev br0" },
		{ "ip route show table 200", "10.5.0.0/16 dev br0 scope link" },
		{ "ip route show table local", "local 10.3.0.0/16 dev br0" },
		{ "ip -6 route", "default via fe80::1 dev br0 proto ra metric 1024 expires" },
		{ "ip -6 route", "2001:db8:10::/48 via 2001:db8::1 dev br0" },
		{ "ip -6 route", "nexthop via 2001:db8::1 dev br0" },
		{ "ip -6 route show table 100", "default via fe80::2 dev br0" },
		{ "ip rule", "1000:	from all iif br0 lookup 100" },
		{ "ip rule", "1001:	from all fwmark 0x7 oif br0 lookup 200" },
		{ "ip rule", "1002:	not from 10.7.0.0/16 iif br0 lookup 200" },
		{ "ip -6 rule", "iif br0 lookup 100" },
		{ "ip neigh show dev br0", "198.51.100.77 lladdr 02:00:00:00:00:77 PERMANENT" },
		{ "cat /proc/sys/net/ipv4/conf/br0/rp_filter", "2" },
		{ "cat /proc/sys/net/ipv6/conf/br0/accept_ra", "0" },
		{ "cat /proc/sys/net/ipv6/conf/br0/addr_gen_mode", "0" },
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_line(lines[i].command, lines[i].want);
	nd_autofree char *left = output("ip -br addr show dev eth0; ip route show table all dev eth0; ip -6 "
					"route show table all dev eth0 | "
					"grep -v ^multicast; ip rule | grep eth0");
	assert_null(strstr(left, "198.51"));
	assert_null(strstr(left, "2001:"));
	assert_null(strstr(left, "fe80::"));
	assert_null(strstr(left, "eth0 lookup"));
	OK(lan_remove_plan(nl, r, &e));
	assert_int_equal(r->phase, LAN_REMOVING);
	OK(lan_apply(nl, r, &e));
	nd_autofree char *after = dump();
	assert_same(before, after);
	/* and once more is no failure: a kill may have come after the last step */
	OK(lan_apply(nl, r, &e));
	nd_autofree char *again = dump();
	assert_same(before, again);
}

static void test_undo(void **state)
{
	nd_autofree char *before = dump();
	nd_cleanup(lan_record_freep) struct lan_record *r = plan();
	OK(lan_apply(nl, r, &e));
	OK(lan_undo(nl, r, &e));
	nd_autofree char *after = dump();
	assert_same(before, after);
	OK(lan_undo(nl, r, &e));
	nd_autofree char *again = dump();
	assert_same(before, again);
}

/* Whichever request fails, all is as it was, and the error says what it was. */
static void test_failure_at_each_step(void **state)
{
	nd_autofree char *before = dump();
	int failed = 0, rc = ND_SYSTEM;
	for (int n = 1; rc != 0 && n < STEPS_MAX; n++) {
		nd_cleanup(lan_record_freep) struct lan_record *r = plan();
		struct nd_error why = ND_ERROR_INIT;
		calls = 0;
		fail_at = n;
		rc = lan_apply(nl, r, &why);
		fail_at = 0;
		if (rc == 0 && calls >= n) { /* one that may fail: a neighbour */
			OK(lan_undo(nl, r, &e));
			rc = ND_SYSTEM;
			continue;
		}
		nd_autofree char *after = rc == 0 ? NULL : dump();
		if (rc == 0) {
			OK(lan_undo(nl, r, &e));
			break;
		}
		failed++;
		assert_string_equal(nd_error_text(&why), "injected");
		assert_true(nd_error_frame(&why, 0)[0]);
		if (strcmp(before, after))
			print_error("after failure of request %d, %s\n", n, nd_error_frame(&why, 0));
		assert_same(before, after);
	}
	assert_int_equal(rc, 0);
	assert_true(failed > 40);
	print_message("%d requests failed, one after the other\n", failed);
}

/* A process that is killed before its Nth request: the next one finds the record on disk and goes back. */
static void test_kill_at_each_step(void **state)
{
	nd_autofree char *before = dump();
	int killed = 0;
	for (int n = 1; n < STEPS_MAX; n += n < 12 ? 1 : 3) {
		nd_cleanup(lan_record_freep) struct lan_record *r = plan();
		nd_autofree char *text = NULL;
		int status;
		OK(lan_record_format(r, &text, &e));
		pid_t pid = fork();
		if (pid == 0) {
			struct nd_nl *own;
			if (nd_nl_new(NETLINK_ROUTE, &own, NULL) < 0)
				_exit(1);
			calls = 0;
			exit_at = n;
			_exit(lan_apply(own, r, NULL) == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		nd_cleanup(lan_record_freep) struct lan_record *found = NULL;
		OK(lan_record_parse(text, strlen(text), &found, &e));
		OK(lan_undo(nl, found, &e));
		nd_autofree char *after = dump();
		assert_same(before, after);
		if (WEXITSTATUS(status) == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), 7);
		killed++;
	}
	assert_true(killed > 15);
}

/* The way back, killed: the next process does it to the end. */
static void test_kill_on_the_way_back(void **state)
{
	nd_autofree char *before = dump();
	for (int n = 1; n < STEPS_MAX; n += 7) {
		nd_cleanup(lan_record_freep) struct lan_record *r = plan();
		int status;
		OK(lan_apply(nl, r, &e));
		OK(lan_remove_plan(nl, r, &e));
		pid_t pid = fork();
		if (pid == 0) {
			struct nd_nl *own;
			calls = 0;
			exit_at = n;
			_exit(nd_nl_new(NETLINK_ROUTE, &own, NULL) == 0 && lan_apply(own, r, NULL) == 0 ? 0
													: 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		OK(lan_apply(nl, r, &e));
		nd_autofree char *after = dump();
		assert_same(before, after);
		if (WEXITSTATUS(status) == 0)
			return;
	}
	fail();
}

/* What a DHCP client puts on the port is moved to the bridge. */
static void test_follow(void **state)
{
	size_t moved = 0;
	nd_cleanup(lan_record_freep) struct lan_record *r = plan();
	OK(lan_apply(nl, r, &e));
	run("ip addr add 198.51.100.3/24 brd + dev eth0 valid_lft 4000 preferred_lft 4000 && "
	    "ip route append default via 198.51.100.1 dev eth0 metric 55");
	OK(lan_follow(nl, r, &moved, &e));
	assert_int_equal(moved, 1);
	assert_line("ip route", "default via 198.51.100.1 dev br0 metric 55");
	assert_line("ip addr show dev br0", "valid_lft 4000sec");
	nd_autofree char *left = output("ip -4 addr show dev eth0");
	assert_string_equal(left, "");
	OK(lan_follow(nl, r, &moved, &e));
	assert_int_equal(moved, 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *prepare, *port;
		int code;
		const char *word;
	} rows[] = {
		{ "true", "lo", ND_UNSUPPORTED, "loopback" },
		{ "true", "none0", ND_NOT_FOUND, "no interface 'none0'" },
		{ "ip link add b1 type bridge && ip link set b1 up", "b1", ND_STATE, "<bridge name='b1'/>" },
		{ "ip link add v1 type veth peer name v2 && ip link set v1 up master b1", "v1", ND_BUSY,
		  "part of 'b1'" },
		{ "ip link add d1 type veth peer name d2", "d1", ND_STATE, "down" },
		{ "ip link set d1 up", "d1", ND_STATE, "carrier" },
		{ "ip link add m1 link eth1 type macvlan && ip link set m1 up", "m1", ND_UNSUPPORTED,
		  "macvlan" },
		{ "true", "eth1", ND_BUSY, "'m1'" },
		{ "ip tuntap add t1 mode tap && ip link set t1 up", "t1", ND_UNSUPPORTED, "TAP" },
		{ "ip tuntap add p1 mode tun && ip link set p1 up", "p1", ND_UNSUPPORTED, "Ethernet" },
		{ "ip link add n1 group 1852142692 type veth peer name n2", "n1", ND_UNSUPPORTED,
		  "netd's own" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct lan_request req = { "br0", rows[i].port, false, "/nonexistent" };
		struct nd_error e = ND_ERROR_INIT;
		struct lan_record *r = NULL;
		char text[ND_ERROR_STORE];
		run(rows[i].prepare);
		int rc = lan_create_plan(nl, &req, &r, &e);
		nd_error_format(&e, text, sizeof text);
		if (rc != rows[i].code || !strstr(text, rows[i].word))
			fail_msg("%s: %d %s", rows[i].port, rc, text);
	}
	const struct lan_request taken = { "b1", "eth0", false, "/nonexistent" },
				 name = { "a/b", "eth0", false, "/nonexistent" };
	struct lan_record *r = NULL;
	assert_int_equal(lan_create_plan(nl, &taken, &r, NULL), ND_EXISTS);
	assert_int_equal(lan_create_plan(nl, &name, &r, NULL), ND_INVALID);
}

/* Somebody else's link that has the index by now is not deleted; a bridge with guests is not taken away. */
static void test_not_ours(void **state)
{
	nd_cleanup(lan_record_freep) struct lan_record *r = plan();
	char line[128];
	snprintf(line, sizeof line, "ip link add other index %d type bridge", r->bridge_index);
	run(line);
	OK(lan_undo(nl, r, &e));
	assert_line("ip link", "other");
	run("ip link del other");
	OK(lan_apply(nl, r, &e));
	run("ip link add v1 type veth peer name v2 && ip link set v1 master br0");
	struct nd_error e = ND_ERROR_INIT;
	char text[ND_ERROR_STORE];
	assert_int_equal(lan_remove_plan(nl, r, &e), ND_BUSY);
	nd_error_format(&e, text, sizeof text);
	assert_non_null(strstr(text, "v1"));
	assert_int_equal(r->phase, LAN_CHANGING);
}

/* A router in another namespace answers both families' question; one that is not there does not. */
static void test_probe(void **state)
{
	run("ip addr add 198.51.100.1/24 dev peer0");
	run("ip -6 addr add fe80::1/64 dev peer0 nodad; ip link set peer0 addrgenmode none");
	nd_cleanup(lan_record_freep) struct lan_record *r = plan();
	struct lan_probe p;
	bool done = false;
	OK(lan_apply(nl, r, &e));
	assert_true(r->gateway_cnt >= 4);
	OK(lan_probe_open(&p, r, &e));
	for (int i = 0; i < 20 && !done; i++) {
		lan_probe_ask(&p);
		usleep(20000);
		done = lan_probe_read(&p);
	}
	/* the router is in the same namespace here, where IPv4 answers are for the daemon's test: its own address asks */
	for (size_t i = 0; i < p.gateway_cnt; i++)
		if (p.gateways[i].ip.family == AF_INET6 && p.gateways[i].ip.b[15] == 1)
			assert_true(p.answered[i]);
		else if (p.gateways[i].ip.family == AF_INET6)
			assert_false(p.answered[i]);
	lan_probe_close(&p);
}

static void test_saved(void **state)
{
	nd_cleanup(lan_record_freep) struct lan_record *r = plan();
	nd_autofree char *first = NULL, *second = NULL;
	struct lan_record *back = NULL;
	OK(lan_record_format(r, &first, &e));
	OK(lan_record_parse(first, strlen(first), &back, &e));
	OK(lan_record_format(back, &second, &e));
	assert_string_equal(first, second);
	lan_record_free(back);
	for (size_t cut = 0; cut < strlen(first); cut += 997) {
		back = NULL;
		assert_int_equal(lan_record_parse(first, cut, &back, NULL), ND_PARSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, enter, leave),
		cmocka_unit_test_setup_teardown(test_undo, enter, leave),
		cmocka_unit_test_setup_teardown(test_failure_at_each_step, enter, leave),
		cmocka_unit_test_setup_teardown(test_kill_at_each_step, enter, leave),
		cmocka_unit_test_setup_teardown(test_kill_on_the_way_back, enter, leave),
		cmocka_unit_test_setup_teardown(test_follow, enter, leave),
		cmocka_unit_test_setup_teardown(test_refused, enter, leave),
		cmocka_unit_test_setup_teardown(test_not_ours, enter, leave),
		cmocka_unit_test_setup_teardown(test_probe, enter, leave),
		cmocka_unit_test_setup_teardown(test_saved, enter, leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

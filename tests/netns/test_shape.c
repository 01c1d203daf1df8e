/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: shape/ against the real kernel, in namespaces of its own, with tc as an observer and with real traffic
 *
 *	host namespace: br0 10.7.0.1/24 ── v0 ═ eth0 10.7.0.2 : guest namespace
 *
 * v0 is a veth and not a TAP, so that the guest has TCP: shape/ knows no kinds of devices.
 */
#include "base/mem.h"
#include "shape/shape.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define ALIAS "netd:6ba7b810-9dad-41d1-80b4-00c04fd430c8:6ba7b811-9dad-41d1-80b4-00c04fd430c8"
#define GUEST_MAC                           \
	{                                   \
		{                           \
			0x02, 0, 0, 0, 0, 2 \
		}                           \
	}
#define HOST       "10.7.0.1"
#define GUEST      "10.7.0.2"
#define MB         1000000u
#define TEXT_MAX   8192
#define FRAME_DATA 1400

static struct nd_nl *nl;
static int port, bridge, host_ns = -1, guest_ns = -1;

static void assert_ok(int rc, const struct nd_error *e)
{
	char text[ND_ERROR_STORE];

	if (rc == 0)
		return;
	nd_error_format(e, text, sizeof(text));
	fail_msg("%s", text);
}
#define OK(call)                                   \
	do {                                       \
		struct nd_error e = ND_ERROR_INIT; \
		assert_ok(call, &e);               \
	} while (0)

static void run(const char *command)
{
	int rc = system(command);

	if (rc)
		fail_msg("%s: %d", command, rc);
}

static const char *output(const char *command)
{
	static char text[TEXT_MAX];
	FILE *f = popen(command, "r");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	pclose(f);
	text[len] = '\0';
	return text;
}

static void assert_output(const char *command, const char *part)
{
	const char *text = output(command);

	if (!strstr(text, part))
		fail_msg("%s: no '%s' in:\n%s", command, part, text);
}

static void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static int namespace_new(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	run("ip link set lo up");
	return fd;
}

static int link_index(const char *name)
{
	struct nd_link l;

	OK(nd_link_get_by_name(nl, name, &l, &e));
	return l.ifindex;
}

static int setup(void **state)
{
	char line[200];

	if (guest_ns < 0)
		guest_ns = namespace_new();
	host_ns = namespace_new();
	if (guest_ns < 0 || host_ns < 0) {
		perror("unshare");
		return -1;
	}
	run("ip link add br0 type bridge && ip addr add " HOST "/24 dev br0 && ip link set br0 up");
	snprintf(line, sizeof(line), "ip link add v0 type veth peer name eth0 netns /proc/self/fd/%d",
		 dup(guest_ns));
	run(line);
	run("ip link set v0 master br0 up");
	enter(guest_ns);
	run("ip link set eth0 address 02:00:00:00:00:02 up && ip addr add " GUEST "/24 dev eth0");
	enter(host_ns);
	OK(nd_nl_new(NETLINK_ROUTE, &nl, &e));
	port = link_index("v0");
	bridge = link_index("br0");
	return 0;
}

static int teardown(void **state)
{
	nd_nl_free(nl);
	run("ip link del v0");
	close(host_ns);
	return 0;
}

static struct shape_config config(uint64_t out, uint64_t in)
{
	return (struct shape_config){ .out = { .average = out }, .in = { .average = in }, .alias = ALIAS };
}

static void apply(int ifindex, const struct shape_config *want, int *ret_retired)
{
	int retired;

	OK(shape_apply(nl, ifindex, want, ret_retired ? ret_retired : &retired, &e));
}

static struct shape_state state_of(int ifindex, const struct shape_config *want)
{
	struct shape_state s;

	OK(shape_read(nl, ifindex, want, &s, &e));
	return s;
}

/* ---- what is there ---- */

static void test_nothing(void **state)
{
	const struct shape_config none = config(0, 0);

	apply(port, &none, NULL);
	assert_true(state_of(port, &none).same);
	assert_output("tc qdisc show dev v0", "noqueue 0: root");
	assert_string_equal(output("ip -br link show type ifb"), "");
}

static void test_both(void **state)
{
	struct shape_config want = config(10 * MB, 5 * MB);
	struct shape_state s;
	struct nd_link ifb;

	want.out.peak = 20 * MB;
	want.out.burst = 1024 * 1024;
	apply(port, &want, NULL);
	s = state_of(port, &want);
	assert_true(s.same);
	assert_int_equal(s.out.average, 10 * MB);
	assert_int_equal(s.out.peak, 20 * MB);
	assert_int_equal(s.out.burst, 1024 * 1024);
	assert_int_equal(s.in.average, 5 * MB);
	assert_int_equal(s.in.peak, 0);
	assert_true(s.queue[0]);
	assert_output("tc class show dev v0", "rate 80Mbit ceil 160Mbit burst 1024Kb");
	assert_output("tc filter show dev v0 ingress", "Egress Redirect to device nds");
	OK(nd_link_get(nl, s.ifb, &ifb, &e));
	assert_int_equal(ifb.group, ND_GROUP_LIVE);
	assert_int_equal(ifb.kind, ND_LINK_IFB);
	assert_true(ifb.has_alias);
}

static void test_live(void **state)
{
	struct shape_config want = config(10 * MB, 5 * MB);
	int ifb;

	apply(port, &want, NULL);
	ifb = state_of(port, &want).ifb;
	want.out.average = 20 * MB;
	want.in.average = 6 * MB;
	assert_false(state_of(port, &want).same);
	apply(port, &want, NULL);
	assert_int_equal(state_of(port, &want).ifb, ifb);
	assert_output("tc class show dev v0", "rate 160Mbit ceil 160Mbit");
	/* Twice changes nothing. */
	apply(port, &want, NULL);
	assert_true(state_of(port, &want).same);
}

static void test_removed(void **state)
{
	const struct shape_config want = config(10 * MB, 5 * MB), none = config(0, 0);
	struct nd_link l;
	int retired;

	apply(port, &want, NULL);
	apply(port, &none, &retired);
	OK(nd_link_get(nl, retired, &l, &e));
	assert_int_equal(l.group, ND_GROUP_DEAD);
	assert_output("tc qdisc show dev v0", "qdisc noqueue ");
	assert_null(strstr(output("tc qdisc show dev v0"), "ingress"));
	/* Its name is free before it is deleted. */
	apply(port, &want, NULL);
	assert_true(state_of(port, &want).same);
}

static void test_others(void **state)
{
	static const char *const deeds[] = {
		"tc qdisc del dev v0 root",
		"tc qdisc del dev v0 ingress",
		"tc filter del dev v0 ingress",
		"tc class change dev v0 classid 6e64:1 htb rate 1mbit",
		"tc qdisc replace dev v0 root handle 1: pfifo",
		"tc qdisc del dev v0 parent 6e64:1",
		"ip link del $(ip -o link show type ifb group 1852142692 | cut -d: -f2)",
		"ip link set $(ip -o link show type ifb group 1852142692 | cut -d: -f2) down",
		"tc qdisc del dev $(ip -o link show type ifb group 1852142692 | cut -d: -f2) root",
	};
	const struct shape_config want = config(10 * MB, 5 * MB);

	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		apply(port, &want, NULL);
		run(deeds[i]);
		if (strstr(deeds[i], " down") == NULL && state_of(port, &want).same)
			fail_msg("not noticed: %s", deeds[i]);
		apply(port, &want, NULL);
		assert_true(state_of(port, &want).same);
	}
}

/* What is an administrator's stays where netd wants nothing, and his ingress filters stay in any case. */
static void test_foreign(void **state)
{
	const struct shape_config none = config(0, 0), in = config(0, 5 * MB);

	run("tc qdisc add dev v0 root handle 1: pfifo");
	run("tc qdisc add dev v0 clsact && tc filter add dev v0 ingress prio 3 u32 match u32 1 0xffffffff at "
	    "0 flowid :1");
	apply(port, &none, NULL);
	assert_output("tc qdisc show dev v0", "qdisc pfifo 1: root");
	apply(port, &in, NULL);
	assert_true(state_of(port, &in).same);
	apply(port, &none, NULL);
	assert_output("tc filter show dev v0 ingress", "pref 3 u32");
	assert_null(strstr(output("tc filter show dev v0 ingress"), "Redirect"));
	run("tc filter del dev v0 ingress");
	apply(port, &in, NULL);
	apply(port, &none, NULL);
	assert_output("tc qdisc show dev v0", "clsact");
}

static void test_floors(void **state)
{
	const struct shape_floor floors[] = {
		{ .id = 0x10, .mac = GUEST_MAC, .rate = 3 * MB },
		{ .id = 0x11, .mac = { { 2, 0, 0, 0, 0, 3 } }, .rate = 2 * MB }
	};
	struct shape_config want = config(10 * MB, 0);

	want.shared = true;
	apply(bridge, &want, NULL);
	assert_true(state_of(bridge, &want).same);
	want.floors = floors;
	want.floor_cnt = 2;
	apply(bridge, &want, NULL);
	assert_true(state_of(bridge, &want).same);
	assert_output("tc class show dev br0", "class htb 6e64:10 parent 6e64:1");
	assert_output("tc class show dev br0", "prio 0 rate 40Mbit ceil 80Mbit");
	run("tc filter del dev br0 parent 6e64:");
	assert_false(state_of(bridge, &want).same);
	apply(bridge, &want, NULL);
	want.floors = floors + 1;
	want.floor_cnt = 1;
	apply(bridge, &want, NULL);
	assert_true(state_of(bridge, &want).same);
	assert_null(strstr(output("tc class show dev br0"), "6e64:10 "));
	want.floor_cnt = 0;
	apply(bridge, &want, NULL);
	assert_true(state_of(bridge, &want).same);
}

static void test_gone(void **state)
{
	const struct shape_config want = config(10 * MB, 5 * MB);
	struct nd_error e = ND_ERROR_INIT;
	char line[80];
	int retired;

	assert_int_equal(shape_apply(nl, 9999, &want, &retired, &e), ND_NOT_FOUND);
	nd_error_reset(&e);
	snprintf(line, sizeof(line), "ip link add nds%d type bridge", port);
	run(line);
	assert_int_equal(shape_apply(nl, port, &want, &retired, &e), ND_EXISTS);
}

/* ---- what gets through ---- */

/* A child in a namespace that sends as fast as it can, until it is killed. */
static pid_t sender(int ns, int type, const char *to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7777) };
	char data[FRAME_DATA * 16] = "";
	size_t len = type == SOCK_DGRAM ? FRAME_DATA : sizeof(data);
	pid_t pid = fork();
	int fd;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter(ns);
	inet_pton(AF_INET, to, &addr.sin_addr);
	fd = socket(AF_INET, type, 0);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		_exit(1);
	for (;;)
		if (send(fd, data, len, 0) < 0 && type == SOCK_STREAM)
			_exit(0);
}

static int listener(int ns, int type)
{
	const struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7777) };
	const int on = 1;
	int fd;

	enter(ns);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 4), 0);
	enter(host_ns);
	return fd;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Bytes of frames per second: each datagram or segment has its headers, 42 of UDP, 66 of TCP with timestamps in 1448 of data. */
static uint64_t receive(int fd, int type, unsigned ms)
{
	static char data[1 << 20];
	const uint64_t begin = now_us(), end = begin + ms * 1000ull;
	uint64_t sum = 0, last = begin;

	while (now_us() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, 100) > 0 ? recv(fd, data, sizeof(data), MSG_DONTWAIT) : 0;

		if (n <= 0)
			continue;
		sum += type == SOCK_DGRAM ? (uint64_t)n + 42 : (uint64_t)n * (1448 + 66) / 1448;
		last = now_us();
	}
	return last > begin ? sum * 1000000 / (last - begin) : 0;
}

/* Towards the guest or from it. Return: bytes/s. */
static uint64_t measure(bool out, int type)
{
	int fd = listener(out ? guest_ns : host_ns, type), data = fd;
	pid_t pid = sender(out ? host_ns : guest_ns, type, out ? GUEST : HOST);
	uint64_t rate;

	if (type == SOCK_STREAM) {
		data = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		assert_true(data >= 0);
	}
	/* The burst, and what a start costs: TCP has to lose a frame first, and what follows that one comes late and at once. */
	receive(data, type, type == SOCK_STREAM ? 1000 : 200);
	rate = receive(data, type, type == SOCK_STREAM ? 1500 : 500);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (data != fd)
		close(data);
	close(fd);
	return rate;
}

/* After a lost segment TCP delivers what came meanwhile at once: up to a whole queue more or less in a short measurement. */
static void assert_rate(bool out, int type, uint64_t want)
{
	uint64_t rate = measure(out, type), slack = type == SOCK_STREAM ? 12 : 5;

	print_message("%s %s: %llu of %llu kB/s\n", out ? "towards" : "from",
		      type == SOCK_DGRAM ? "UDP" : "TCP", (unsigned long long)rate / 1000,
		      (unsigned long long)want / 1000);
	if (rate < want * (100 - slack) / 100 || rate > want * (100 + slack) / 100)
		fail_msg("not near the rate");
}

static void test_rates(void **state)
{
	struct shape_config want = config(5 * MB, 3 * MB);

	apply(port, &want, NULL);
	for (unsigned i = 0; i < 4; i++)
		assert_rate(i & 1, i & 2 ? SOCK_DGRAM : SOCK_STREAM, i & 1 ? 5 * MB : 3 * MB);
	want.out.average = 2 * MB;
	apply(port, &want, NULL);
	assert_rate(true, SOCK_STREAM, 2 * MB);
}

static void test_network_rates(void **state)
{
	struct shape_config want = config(5 * MB, 3 * MB);

	want.shared = true;
	apply(bridge, &want, NULL);
	assert_rate(true, SOCK_STREAM, 5 * MB);
	assert_rate(false, SOCK_STREAM, 3 * MB);
}

/* Others fill the network: the guest with a floor has it all the same. */
static void test_floor_kept(void **state)
{
	const struct shape_floor floor = { .id = 0x10, .mac = GUEST_MAC, .rate = 3 * MB };
	struct shape_config want = config(4 * MB, 0);
	pid_t pid;
	uint64_t with, without;

	run("ip neigh add 10.7.0.9 lladdr 02:00:00:00:00:09 dev br0");
	want.shared = true;
	apply(bridge, &want, NULL);
	pid = sender(host_ns, SOCK_DGRAM, "10.7.0.9");
	without = measure(true, SOCK_DGRAM);
	want.floors = &floor;
	want.floor_cnt = 1;
	apply(bridge, &want, NULL);
	with = measure(true, SOCK_DGRAM);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	print_message("without a floor %llu kB/s, with one of 3000 %llu\n",
		      (unsigned long long)without / 1000, (unsigned long long)with / 1000);
	assert_true(with > 2850000 && without < 2850000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing), T(test_both),          T(test_live),       T(test_removed),
		T(test_others),  T(test_foreign),       T(test_floors),     T(test_gone),
		T(test_rates),   T(test_network_rates), T(test_floor_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

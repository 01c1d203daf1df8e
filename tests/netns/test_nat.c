/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: nat/ against the real kernel, in network namespaces of its own
 *
 * Each test makes its own host namespace. For reachability guests and the outside are namespaces as well,
 * joined to the host by veth pairs; sockets are opened inside them with setns. ip(8) and nft(8) play the
 * administrator.
 */
#include "base/file.h"
#include "base/mem.h"
#include "nat/nat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#define MANY      4000
#define WAIT_MS   2000 /* for what must come */
#define SILENT_MS 150  /* for what must not */

static const struct nat_config lan = {
	.network = { .bridge = "virbr0", .forward4 = NAT_FORWARD_NAT, .dhcp = true }
};
static const struct nat_config lab = {
	.network = { .bridge = "virbr1", .forward4 = NAT_FORWARD_ISOLATED, .dhcp = true }
};
static const struct nat_config tap = { .kind = NAT_PORT,
				       .port = { .name = "tap0",
						 .mark = NAT_MARK_BASE | 1,
						 .mac = { { 2, 0, 0, 0, 0, 1 } },
						 .mac_guard = true } };

static void ok(int rc, const struct nd_error *e)
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
		ok(call, &e);                      \
	} while (0)

static int namespace_enter(void **state)
{
	if (unshare(CLONE_NEWNET) < 0) {
		perror("unshare");
		return -1;
	}
	return system("ip link set lo up");
}

/*
 * Runs a shell command in namespace ns (-1: here). Return: its pid, which has ended; *ret_status as wait's.
 */
static pid_t run_in(int ns, const char *command, int *ret_status)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (ns >= 0 && setns(ns, CLONE_NEWNET) < 0)
			_exit(126);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
	return pid;
}

static pid_t run(int ns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static pid_t run(int ns, const char *fmt, ...)
{
	char command[400];
	va_list ap;
	int status;
	pid_t pid;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	pid = run_in(ns, command, &status);
	if (status != 0)
		fail_msg("%s: status %d", command, status);
	return pid;
}

static struct nat *opened(bool owner)
{
	struct nat *t;

	OK(nat_new(owner, &t, &e));
	OK(nat_open(t, &e));
	return t;
}

static void put(struct nat *t, const struct nat_config *was, const struct nat_config *want)
{
	OK(nat_put(t, was, want, &e));
	OK(nat_commit(t, &e));
}

static struct nat *started(bool owner)
{
	struct nat *t = opened(owner);

	put(t, NULL, &lan);
	put(t, NULL, &tap);
	return t;
}

/* What the kernel has, by another reader. */
static bool kernel_holds(const struct nat_config *cfg)
{
	struct nat *reader;
	bool holds;

	OK(nat_new(false, &reader, &e));
	OK(nat_open(reader, &e));
	holds = nat_holds(reader, cfg);
	nat_free(reader);
	return holds;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void test_commit(void **state)
{
	struct nat *t = started(false);
	struct nat_config isolated = lan;

	assert_true(nat_holds(t, &lan) && nat_holds(t, &tap) && !nat_holds(t, &lab));
	assert_true(kernel_holds(&lan) && kernel_holds(&tap) && !kernel_holds(&lab));
	put(t, NULL, &lan);
	put(t, NULL, &lab);
	isolated.network.forward4 = NAT_FORWARD_ISOLATED;
	put(t, &lan, &isolated);
	assert_true(kernel_holds(&isolated) && kernel_holds(&lab));
	put(t, &isolated, NULL);
	assert_false(kernel_holds(&isolated));
	/* Our own transactions do not wake us. */
	assert_false(readable(nat_fd(t), 0));
	run(-1, "nft list ruleset | grep -q 'oifname @bridges jump to_guest'");
	/* Listed as it is, it can be loaded again. */
	run(-1, "nft list ruleset | grep -v '@th,64,128\\|masquerade to :iifname' > "
		"/dev/shm/nd-test-nat.$PPID && nft flush ruleset && "
		"nft -f /dev/shm/nd-test-nat.$PPID && rm /dev/shm/nd-test-nat.$PPID");
	nat_free(t);
}

static void test_flags(void **state)
{
	struct nat *t = started(true);

	if (!nat_owned(t)) {
		nat_free(t);
		skip();
	}
	/* A foreign flush leaves it, and does not even tell us. */
	run(-1, "nft flush ruleset");
	assert_true(nat_holds(t, &lan));
	assert_false(readable(nat_fd(t), SILENT_MS));
	run(-1, "nft list table inet netd | grep -q virbr0");
	put(t, NULL, &lab);
	nat_free(t);
	/* The first to come takes them over, whole. */
	t = opened(true);
	assert_true(nat_owned(t) && nat_holds(t, &lan) && nat_holds(t, &lab) && nat_holds(t, &tap));
	run(-1, "nft flush ruleset");
	put(t, &lab, NULL);
	assert_true(nat_holds(t, &lan));
	nat_free(t);
	/* Without flags after all, and back. */
	t = opened(false);
	assert_false(nat_holds(t, &lan));
	put(t, NULL, &lan);
	assert_true(kernel_holds(&lan) && kernel_holds(&tap));
	nat_free(t);
	t = opened(true);
	assert_false(nat_holds(t, &tap));
	put(t, NULL, &tap);
	assert_true(nat_holds(t, &lan) && nat_holds(t, &tap));
	run(-1, "nft flush ruleset");
	nat_free(t);
	t = opened(true);
	assert_true(nat_holds(t, &lan) && nat_holds(t, &tap));
	nat_free(t);
}

static void child_dies(bool owner)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		started(owner);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void test_adopt(void **state)
{
	static const bool owners[] = { false, true };

	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		struct nat *t;
		size_t cnt;

		child_dies(owners[i]);
		t = opened(owners[i]);
		assert_true(nat_holds(t, &lan) && nat_holds(t, &tap));
		nat_sweep_begin(t);
		nat_claim(t, &lan);
		OK(nat_sweep(t, &cnt, &e));
		assert_int_equal(cnt, 3);
		OK(nat_commit(t, &e));
		assert_true(nat_holds(t, &lan) && !nat_holds(t, &tap));
		nat_free(t);
	}
}

static void test_other_owner(void **state)
{
	struct nd_error err = ND_ERROR_INIT;
	struct nat *first = opened(false), *second;
	char text[ND_ERROR_STORE];

	put(first, NULL, &lan);
	second = started(true);
	if (!nat_owned(second)) {
		nat_free(second);
		nat_free(first);
		skip();
	}
	/* The refusal names the element. */
	OK(nat_put(first, NULL, &lab, &e));
	assert_int_equal(nat_commit(first, &err), ND_SYSTEM);
	assert_int_equal(err.sys, EPERM);
	nd_error_format(&err, text, sizeof(text));
	assert_non_null(strstr(text, "element virbr1 . virbr1 of set same_bridge of table inet netd"));
	assert_false(nat_holds(first, &lab));
	nat_free(first);
	OK(nat_new(true, &first, &e));
	nd_error_reset(&err);
	assert_int_equal(nat_open(first, &err), ND_BUSY);
	nat_free(first);
	nat_free(second);
}

static struct nat_change changed(struct nat *t)
{
	struct nat_change c;

	assert_true(readable(nat_fd(t), WAIT_MS));
	OK(nat_on_readable(t, &c, &e));
	return c;
}

static void test_flush(void **state)
{
	struct nat *t = started(false);
	struct nat_change c;
	pid_t pid = run(-1, "exec nft flush ruleset");

	c = changed(t);
	assert_true(c.lost);
	/* in another pid namespace than the first the kernel's number means nobody here */
	char ns[32] = "";
	assert_true(readlink("/proc/self/ns/pid", ns, sizeof(ns) - 1) > 0);
	assert_int_equal(c.pid, strcmp(ns, "pid:[4026531836]") == 0 ? pid : 0);
	assert_string_equal(c.comm, "nft");
	assert_string_equal(c.what, "table inet netd");
	assert_false(nat_holds(t, &lan) || nat_holds(t, &tap));
	OK(nat_put(t, NULL, &lan, &e));
	OK(nat_put(t, NULL, &tap, &e));
	OK(nat_commit(t, &e));
	assert_true(kernel_holds(&lan) && kernel_holds(&tap));
	/* Others' tables are none of our business. */
	run(-1, "nft add table inet other && nft add chain inet other netd && nft delete table inet other");
	if (readable(nat_fd(t), 0)) {
		c = changed(t);
		assert_false(c.lost);
	}
	nat_free(t);
}

static void test_tampered(void **state)
{
	static const struct {
		const char *command, *what;
	} rows[] = {
		{ "nft delete element inet netd nat4 { virbr0 }", "element of set nat4" },
		{ "nft add element inet netd nat4 { eth0 }", "element of set nat4" },
		{ "nft flush set bridge netd port_mac", "element of set port_mac" },
		{ "nft flush chain inet netd to_guest", "rule of chain to_guest" },
		{ "nft insert rule inet netd forward accept", "rule of chain forward" },
		{ "nft add chain inet netd mine", "chain mine" },
		{ "nft add set inet netd mine { type ifname\\; }", "set mine" },
		{ "nft add table inet netd { flags dormant\\; }", "table inet netd" },
		{ "nft delete table bridge netd", "table bridge netd" },
		{ "nft add chain inet netd forward { policy drop\\; }", "chain forward" },
	};
	struct nat *t = started(false);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nat_change c;

		run(-1, "%s", rows[i].command);
		c = changed(t);
		assert_string_equal(c.what, rows[i].what);
		assert_true(c.lost);
		OK(nat_put(t, NULL, &lan, &e));
		OK(nat_put(t, NULL, &tap, &e));
		OK(nat_commit(t, &e));
		assert_true(kernel_holds(&lan) && kernel_holds(&tap));
		run(-1, "! nft list ruleset | grep -q 'eth0\\|mine\\|dormant\\|policy drop'");
	}
	nat_free(t);
}

/* Committing before the event was read. */
static void test_stale(void **state)
{
	struct nat *t = started(false);
	struct nat_change c;

	run(-1, "nft delete element inet netd nat4 { virbr0 }");
	put(t, &lan, &lab);
	assert_true(kernel_holds(&lab) && !kernel_holds(&lan));
	run(-1, "nft flush ruleset");
	put(t, &lab, &lan);
	assert_true(kernel_holds(&lan) && kernel_holds(&tap));
	c = changed(t);
	assert_true(c.lost);
	assert_true(nat_holds(t, &lan));
	nat_free(t);
}

/* Reading while somebody keeps changing: dumps are interrupted, and begun again. */
static void test_restless(void **state)
{
	struct nat *t = started(false);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c",
		      "for i in 1 2 3 4 5 6 7 8 9 10; do nft add element inet netd dhcp { x$i }; done",
		      (char *)NULL);
		_exit(127);
	}
	for (unsigned i = 0; i < 1000 && waitpid(pid, &status, WNOHANG) == 0; i++) {
		struct nat_change c;

		if (readable(nat_fd(t), 5))
			OK(nat_on_readable(t, &c, &e));
		OK(nat_commit(t, &e));
	}
	while (readable(nat_fd(t), SILENT_MS))
		changed(t);
	OK(nat_commit(t, &e));
	assert_true(kernel_holds(&lan) && kernel_holds(&tap));
	run(-1, "! nft list set inet netd dhcp | grep -q x");
	nat_free(t);
}

static struct nat_config many(unsigned i)
{
	struct nat_config cfg = { .network = { .forward4 = i % 2 ? NAT_FORWARD_NAT : NAT_FORWARD_ISOLATED,
					       .dhcp = true } };

	snprintf(cfg.network.bridge, sizeof(cfg.network.bridge), "br%u", i);
	return cfg;
}

static void put_many(struct nat *t)
{
	for (unsigned i = 0; i < MANY; i++) {
		struct nat_config cfg = many(i);

		OK(nat_put(t, NULL, &cfg, &e));
	}
	OK(nat_commit(t, &e));
}

static void test_many(void **state)
{
	struct nat *t = opened(false), *reader;
	struct nat_change c;

	put_many(t);
	run(-1, "nft flush ruleset");
	c = changed(t);
	assert_true(c.lost);
	put_many(t);
	assert_false(readable(nat_fd(t), 0));
	reader = opened(false);
	for (unsigned i = 0; i < MANY; i++) {
		struct nat_config cfg = many(i);

		assert_true(nat_holds(reader, &cfg));
	}
	nat_free(reader);
	nat_free(t);
}

/*
 * The reachability stage: bridges virbr0 (NAT, 10.0.0.1/24) with guests A (.2) and B (.3), virbr1 (NAT,
 * 10.0.1.1/24) with C (.2), virbr2 (isolated, 10.0.2.1/24) with D (.2) and E (.3); and the outside,
 * 192.0.2.2, next to the host's 192.0.2.1.
 */
enum { GUEST_A, GUEST_B, GUEST_C, GUEST_D, GUEST_E, OUTSIDE, NODE_CNT };
static const struct {
	const char *name, *bridge, *address, *gateway;
} nodes[NODE_CNT] = {
	[GUEST_A] = { "a", "virbr0", "10.0.0.2", "10.0.0.1" },
	[GUEST_B] = { "b", "virbr0", "10.0.0.3", "10.0.0.1" },
	[GUEST_C] = { "c", "virbr1", "10.0.1.2", "10.0.1.1" },
	[GUEST_D] = { "d", "virbr2", "10.0.2.2", "10.0.2.1" },
	[GUEST_E] = { "e", "virbr2", "10.0.2.3", "10.0.2.1" },
	[OUTSIDE] = { "o", NULL, "192.0.2.2", "192.0.2.1" },
};
static int host_ns, node_ns[NODE_CNT];
static struct nat *stage_nat;

static int ns_here(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static void node_make(unsigned i)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	node_ns[i] = ns_here();
	assert_true(node_ns[i] >= 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	run(node_ns[i],
	    "ip link set lo up && ip link add eth0 address 02:00:00:00:00:0%u type veth peer name t%s netns "
	    "%d && "
	    "ip address add %s/24 dev eth0 && ip link set eth0 up",
	    i + 1, nodes[i].name, getpid(), nodes[i].address);
	run(-1, "ip link set t%s up", nodes[i].name);
	if (nodes[i].bridge)
		run(-1, "ip link set t%s master %s", nodes[i].name, nodes[i].bridge);
	run(node_ns[i], "ip route add default via %s", nodes[i].gateway);
}

static int stage_make(void **state)
{
	if (namespace_enter(state) != 0)
		return -1;
	host_ns = ns_here();
	for (unsigned i = 0; i < 3; i++)
		run(-1,
		    "ip link add virbr%u type bridge && ip address add 10.0.%u.1/24 dev virbr%u && ip link "
		    "set virbr%u up",
		    i, i, i, i);
	for (unsigned i = 0; i < NODE_CNT; i++)
		node_make(i);
	run(-1, "ip address add 192.0.2.1/24 dev to");
	OK(nd_sysctl_write("net/ipv4/ip_forward", "1", &e));
	stage_nat = opened(true);
	for (unsigned i = 0; i < 3; i++) {
		struct nat_config cfg = { .network = { .forward4 = i == 2 ? NAT_FORWARD_ISOLATED
									  : NAT_FORWARD_NAT,
						       .dhcp = true } };

		snprintf(cfg.network.bridge, sizeof(cfg.network.bridge), "virbr%u", i);
		put(stage_nat, NULL, &cfg);
	}
	return 0;
}

static int stage_done(void **state)
{
	nat_free(stage_nat);
	for (unsigned i = 0; i < NODE_CNT; i++)
		close(node_ns[i]);
	close(host_ns);
	return 0;
}

/* A socket made inside ns and bound there (address NULL: any). */
static int socket_in(int ns, const char *address, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, on = 1;

	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	if (address)
		inet_pton(AF_INET, address, &a.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, text, &a.sin_addr);
	return a;
}

enum reach { REACHED, REFUSED, SILENT };
/*
 * A datagram from one node to another's UDP port 9999 and its answer. seen_from: the source as the receiver
 * saw it.
 */
static enum reach reach(unsigned from, unsigned to, uint16_t source_port, struct sockaddr_in *seen_from)
{
	int server = socket_in(node_ns[to], NULL, 9999), client = socket_in(node_ns[from], NULL, source_port);
	struct sockaddr_in a = address_of(nodes[to].address, 9999);
	socklen_t len = sizeof(*seen_from);
	enum reach r = SILENT;
	char b[8];

	assert_int_equal(connect(client, (void *)&a, sizeof(a)), 0);
	assert_int_equal(send(client, "ping", 4, 0), 4);
	/* Both at once: whichever happens first. */
	struct pollfd p[2] = { { server, POLLIN, 0 }, { client, POLLIN, 0 } };
	if (poll(p, 2, WAIT_MS) > 0 && p[0].revents) {
		assert_int_equal(recvfrom(server, b, sizeof(b), 0, (void *)seen_from, &len), 4);
		sendto(server, "pong", 4, 0, (void *)seen_from, len);
		if (readable(client, WAIT_MS) && recv(client, b, sizeof(b), 0) == 4)
			r = REACHED;
	} else if (p[1].revents && recv(client, b, sizeof(b), 0) < 0 && errno == ECONNREFUSED) {
		r = REFUSED;
	}
	close(client);
	close(server);
	return r;
}

static void check_reach(void)
{
	static const struct {
		unsigned from, to;
		enum reach want;
		const char *seen;
	} rows[] = {
		{ GUEST_A, OUTSIDE, REACHED, "192.0.2.1" }, { GUEST_C, OUTSIDE, REACHED, "192.0.2.1" },
		{ GUEST_A, GUEST_B, REACHED, "10.0.0.2" },  { GUEST_D, GUEST_E, REACHED, "10.0.2.2" },
		{ GUEST_A, GUEST_C, REFUSED, NULL },        { GUEST_C, GUEST_A, REFUSED, NULL },
		{ GUEST_D, OUTSIDE, REFUSED, NULL },        { GUEST_D, GUEST_A, REFUSED, NULL },
		{ GUEST_A, GUEST_D, REFUSED, NULL },        { OUTSIDE, GUEST_A, REFUSED, NULL },
		{ OUTSIDE, GUEST_D, REFUSED, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_in seen = { .sin_family = AF_INET };
		enum reach r = reach(rows[i].from, rows[i].to, (uint16_t)(20000 + i), &seen);
		char text[INET_ADDRSTRLEN];

		if (r != rows[i].want)
			fail_msg("%s to %s: %d instead of %d", nodes[rows[i].from].name,
				 nodes[rows[i].to].name, r, rows[i].want);
		if (rows[i].seen)
			assert_string_equal(inet_ntop(AF_INET, &seen.sin_addr, text, sizeof(text)),
					    rows[i].seen);
	}
}

/* Whether br_netfilter shows bridged frames to the inet hooks. A kernel without it has no such key. */
static void bridge_netfilter(const char *value)
{
	static const char *const keys[] = { "net/bridge/bridge-nf-call-iptables",
					    "net/bridge/bridge-nf-call-ip6tables" };
	struct nd_error err;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		nd_error_reset(&err);
		if (nd_sysctl_write(keys[i], value, &err) < 0)
			print_message("no %s here\n", keys[i]);
	}
}

static void test_reach(void **state)
{
	bridge_netfilter("1");
	check_reach();
	bridge_netfilter("0");
	check_reach();
}

/* A guest's low port is not the host's low port. */
static void test_low_port(void **state)
{
	struct sockaddr_in seen = { .sin_family = AF_INET };

	assert_int_equal(reach(GUEST_A, OUTSIDE, 700, &seen), REACHED);
	assert_true(ntohs(seen.sin_port) > 1023);
	assert_int_equal(reach(GUEST_A, OUTSIDE, 7000, &seen), REACHED);
	assert_int_equal(ntohs(seen.sin_port), 7000);
}

/* The host's own traffic keeps its ways. */
static void test_host(void **state)
{
	int server = socket_in(host_ns, "10.0.0.1", 9998), client = socket_in(node_ns[GUEST_A], NULL, 0);
	struct sockaddr_in a = address_of("10.0.0.1", 9998);
	char b[8];

	sendto(client, "ping", 4, 0, (void *)&a, sizeof(a));
	assert_true(readable(server, WAIT_MS));
	assert_int_equal(recv(server, b, sizeof(b), 0), 4);
	close(server);
	close(client);
	/* Except for DHCP, which is served from packet sockets. */
	server = socket_in(host_ns, NULL, 67);
	client = socket_in(node_ns[GUEST_A], NULL, 68);
	a = address_of("10.0.0.1", 67);
	sendto(client, "ping", 4, 0, (void *)&a, sizeof(a));
	assert_false(readable(server, SILENT_MS));
	close(server);
	client = (close(client), socket_in(node_ns[OUTSIDE], NULL, 68));
	server = socket_in(host_ns, NULL, 67);
	a = address_of("192.0.2.1", 67);
	sendto(client, "ping", 4, 0, (void *)&a, sizeof(a));
	assert_true(readable(server, WAIT_MS));
	close(server);
	close(client);
}

/*
 * The mark that a packet socket sees on a datagram that the node sends to port. -1: none came to that
 * interface.
 */
static int64_t mark_of(int packet, unsigned node, uint16_t port)
{
	int client = socket_in(node_ns[node], NULL, 0), ifindex = (int)if_nametoindex(nodes[node].bridge);
	struct sockaddr_in a = address_of("255.255.255.255", port);
	int64_t mark = -1;

	setsockopt(client, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5);
	assert_int_equal(sendto(client, "discover", 8, 0, (void *)&a, sizeof(a)), 8);
	close(client);
	while (mark < 0 && readable(packet, WAIT_MS)) {
		char control[64] __attribute__((aligned(8))), buf[2048] __attribute__((aligned(4)));
		struct sockaddr_ll ll = { .sll_ifindex = 0 };
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = { .msg_name = &ll,
				    .msg_namelen = sizeof(ll),
				    .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(packet, &m, 0);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		struct iphdr *ip = (void *)buf;
		uint32_t v;

		if (n < 28 || ll.sll_ifindex != ifindex || ip->protocol != IPPROTO_UDP ||
		    ((struct udphdr *)(buf + ip->ihl * 4))->dest != htons(port))
			continue;
		assert_non_null(c);
		assert_int_equal(c->cmsg_type, SO_MARK);
		memcpy(&v, CMSG_DATA(c), sizeof(v));
		mark = v;
	}
	return mark;
}

static void test_mark(void **state)
{
	struct nat_config a = {
		.kind = NAT_PORT,
		.port = { .name = "ta", .mark = NAT_MARK_BASE | 0x1234, .mac = { { 0 } }, .mac_guard = false }
	};
	int packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP)), on = 1;

	assert_true(packet >= 0);
	assert_int_equal(setsockopt(packet, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on)), 0);
	put(stage_nat, NULL, &a);
	for (unsigned i = 0; i < 2; i++) {
		bridge_netfilter(i ? "0" : "1");
		assert_int_equal(mark_of(packet, GUEST_A, 67), NAT_MARK_BASE | 0x1234);
		assert_int_equal(mark_of(packet, GUEST_B, 67), NAT_MARK_FOREIGN);
		assert_int_equal(mark_of(packet, GUEST_D, 67), NAT_MARK_FOREIGN);
		/* Only DHCP. */
		assert_int_equal(mark_of(packet, GUEST_A, 68), 0);
	}
	put(stage_nat, &a, NULL);
	assert_int_equal(mark_of(packet, GUEST_A, 67), NAT_MARK_FOREIGN);
	close(packet);
}

static void test_guard(void **state)
{
	struct nat_config a = { .kind = NAT_PORT,
				.port = { .name = "ta",
					  .mark = NAT_MARK_BASE | 1,
					  .mac = { { 2, 0, 0, 0, 0, 1 } },
					  .mac_guard = true } };
	struct sockaddr_in seen;
	uint64_t drops[NAT_DROP_CNT_], more[NAT_DROP_CNT_];

	put(stage_nat, NULL, &a);
	assert_int_equal(reach(GUEST_A, GUEST_B, 21000, &seen), REACHED);
	OK(nat_port_drops(stage_nat, &a.port, drops, &e));
	assert_int_equal(drops[NAT_DROP_MAC], 0);
	/* Guest B is not guarded. */
	run(node_ns[GUEST_B], "ip link set eth0 address 02:00:00:00:00:77");
	run(node_ns[GUEST_A], "ip link set eth0 address 02:00:00:00:00:99 && ip neigh flush dev eth0");
	assert_int_equal(reach(GUEST_A, GUEST_B, 21001, &seen), SILENT);
	OK(nat_port_drops(stage_nat, &a.port, drops, &e));
	assert_true(drops[NAT_DROP_MAC] > 0);
	/* Another port's commit leaves the count. */
	put(stage_nat, NULL, &tap);
	OK(nat_port_drops(stage_nat, &a.port, more, &e));
	assert_true(more[NAT_DROP_MAC] >= drops[NAT_DROP_MAC]);
	run(node_ns[GUEST_A], "ip link set eth0 address 02:00:00:00:00:01 && ip neigh flush dev eth0");
	run(node_ns[GUEST_B], "ip neigh flush dev eth0");
	assert_int_equal(reach(GUEST_A, GUEST_B, 21002, &seen), REACHED);
	put(stage_nat, &a, NULL);
	put(stage_nat, &tap, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_commit, namespace_enter),
		cmocka_unit_test_setup(test_flags, namespace_enter),
		cmocka_unit_test_setup(test_adopt, namespace_enter),
		cmocka_unit_test_setup(test_other_owner, namespace_enter),
		cmocka_unit_test_setup(test_flush, namespace_enter),
		cmocka_unit_test_setup(test_tampered, namespace_enter),
		cmocka_unit_test_setup(test_stale, namespace_enter),
		cmocka_unit_test_setup(test_restless, namespace_enter),
		cmocka_unit_test_setup(test_many, namespace_enter),
	};
	const struct CMUnitTest stage[] = {
		cmocka_unit_test(test_reach), cmocka_unit_test(test_low_port), cmocka_unit_test(test_host),
		cmocka_unit_test(test_mark),  cmocka_unit_test(test_guard),
	};
	int failed = cmocka_run_group_tests_name("netns/nat", tests, NULL, NULL);

	return failed + cmocka_run_group_tests_name("netns/nat-reach", stage, stage_make, stage_done);
}

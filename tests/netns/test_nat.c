/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: nat/ against the real kernel, in network namespaces of its own
 *
 * Each test makes its own host namespace. For reachability guests and the outside are namespaces as well,
 * joined to the host by veth pairs; sockets are opened inside them with setns. ip(8) and nft(8) play the
 * administrator.
 */
#include "base/mem.h"
#include "tests/netns/stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#define MANY 4000

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

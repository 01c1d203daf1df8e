/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: bridge/ against the real kernel, in network namespaces of the test's own
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "bridge/bridge.h"

#define ALIAS         "netd:6ba7b810-9dad-41d1-80b4-00c04fd430c8"
#define ADDRESSES_MAX 16
#define ECHO_PORT     4711

static const struct bridge_config plain = {
	.name = "virbr1",
	.mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
	.mtu = 9000,
	.stp = true,
	.forward_delay_s = 4,
	.alias = ALIAS,
};
static struct nd_nl *nl;

__attribute__((format(printf, 1, 2))) static void ip(const char *fmt, ...)
{
	char line[200] = "ip ";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + 3, sizeof(line) - 3, fmt, ap);
	va_end(ap);
	if (system(line) != 0)
		fail_msg("%s", line);
}

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

/* Each test has a namespace to itself: what it made goes with it. */
static int enter_namespace(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	if (unshare(CLONE_NEWNET) < 0) {
		perror("unshare");
		return -1;
	}
	if (nd_nl_new(NETLINK_ROUTE, &nl, &e) < 0)
		return -1;
	return nd_link_set_up(nl, 1, true, &e);
}

static int leave_namespace(void **state)
{
	nd_nl_free(nl);
	return 0;
}

static struct nd_link record(int ifindex)
{
	struct nd_link l;

	OK(nd_link_get(nl, ifindex, &l, &e));
	return l;
}

static int make(const struct bridge_config *want)
{
	int ifindex = 0;

	OK(bridge_apply(nl, want, NULL, &ifindex, &e));
	return ifindex;
}

struct addresses {
	int ifindex;
	size_t cnt;
	struct nd_address list[ADDRESSES_MAX];
};

static int note_address(const struct nd_address *a, void *arg)
{
	struct addresses *all = arg;

	if (a->ifindex == all->ifindex && all->cnt < ADDRESSES_MAX)
		all->list[all->cnt++] = *a;
	return 0;
}

static struct addresses addresses(int ifindex)
{
	struct addresses all = { .ifindex = ifindex };

	OK(nd_address_dump(nl, note_address, &all, &e));
	return all;
}

static void apply_addresses(const struct bridge_config *want, int ifindex)
{
	struct addresses all = addresses(ifindex);

	OK(bridge_address_apply(nl, ifindex, want, all.list, all.cnt, &e));
	all = addresses(ifindex);
	assert_true(bridge_address_same(want, all.list, all.cnt));
}

static int count_event(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	++*(unsigned *)arg;
	return 0;
}

static void test_create(void **state)
{
	int ifindex = make(&plain);
	struct nd_link l = record(ifindex);

	assert_int_equal(bridge_diff(&plain, &l), BRIDGE_SAME);
	assert_string_equal(l.name, "virbr1");
	assert_int_equal(l.mtu, 9000);
	assert_true(l.br_stp);
	assert_int_equal(l.br_forward_delay_cs, 400);
	assert_int_equal(l.group, ND_GROUP_LIVE);
	assert_true(l.flags & IFF_UP);
	assert_false(l.carrier);
}

static void test_apply_twice(void **state)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0 };
	struct bridge_config want = plain;
	struct nd_prefix prefix;
	struct nd_nl *events;
	struct addresses all;
	struct nd_link l;
	unsigned cnt = 0;
	int ifindex;

	assert_int_equal(nd_prefix_from_string("192.168.122.1/24", &prefix), 0);
	want.addresses = &prefix;
	want.address_cnt = 1;
	ifindex = make(&want);
	apply_addresses(&want, ifindex);
	l = record(ifindex);
	all = addresses(ifindex);
	OK(nd_nl_new(NETLINK_ROUTE, &events, &e));
	OK(nd_nl_subscribe(events, groups, &e));
	OK(bridge_apply(nl, &want, &l, &ifindex, &e));
	OK(bridge_apply(nl, &want, NULL, &ifindex, &e)); /* as when the mirror does not know it yet */
	OK(bridge_address_apply(nl, ifindex, &want, all.list, all.cnt, &e));
	OK(nd_nl_receive(events, 0, count_event, &cnt, &e));
	assert_int_equal(cnt, 0);
	nd_nl_free(events);
}

static void test_plain_defaults(void **state)
{
	struct bridge_config want = plain;
	struct nd_link l;

	want.mtu = 0;
	want.stp = false;
	l = record(make(&want));
	assert_int_equal(bridge_diff(&want, &l), BRIDGE_SAME);
	assert_int_equal(l.mtu, 1500);
	assert_false(l.br_stp);
}

static void test_foreign(void **state)
{
	static const char *const kinds[] = { "bridge", "veth" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct nd_error e = ND_ERROR_INIT;
		struct nd_link before, after;
		int ifindex = -7;

		ip("link add virbr1 type %s", kinds[i]);
		assert_int_equal(nd_link_get_by_name(nl, "virbr1", &before, &e), 0);
		assert_int_equal(bridge_apply(nl, &plain, NULL, &ifindex, &e), ND_EXISTS);
		nd_error_reset(&e);
		assert_int_equal(bridge_apply(nl, &plain, &before, &ifindex, &e), ND_EXISTS);
		after = record(before.ifindex);
		assert_memory_equal(&after, &before, sizeof(before));
		assert_int_equal(ifindex, -7);
		ip("link del virbr1");
	}
}

static void test_put_back(void **state)
{
	static const struct {
		const char *args;
		unsigned diff;
	} rows[] = {
		{ "mtu 1400", BRIDGE_MTU },
		{ "address 52:54:00:09:09:09", BRIDGE_MAC },
		{ "type bridge stp_state 0", BRIDGE_STP },
		{ "type bridge forward_delay 1000", BRIDGE_DELAY },
		{ "alias ''", BRIDGE_ALIAS },
		{ "alias 'mine now'", BRIDGE_ALIAS },
		{ "group 0", BRIDGE_GROUP },
		{ "down", BRIDGE_DOWN },
		{ "mtu 1400 group 7 down", BRIDGE_MTU | BRIDGE_GROUP | BRIDGE_DOWN },
	};
	int ifindex = make(&plain), same = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_link l;

		ip("link set virbr1 %s", rows[i].args);
		l = record(ifindex);
		assert_int_equal(bridge_diff(&plain, &l), rows[i].diff);
		OK(bridge_apply(nl, &plain, &l, &same, &e));
		assert_int_equal(same, ifindex);
		l = record(ifindex);
		assert_int_equal(bridge_diff(&plain, &l), BRIDGE_SAME);
	}
}

/* What the second message is for. */
static void test_port_leaves_mtu(void **state)
{
	int ifindex = make(&plain);

	ip("link add p0 mtu 1500 type veth peer name p1");
	ip("link set p0 master virbr1 up");
	assert_int_equal(record(ifindex).mtu, 9000);
	assert_memory_equal(record(ifindex).mac.b, plain.mac.b, sizeof(plain.mac.b));
}

static void test_kernel_words(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct bridge_config want = plain;
	char text[ND_ERROR_STORE];
	struct nd_link l;
	int ifindex = 0;

	want.mtu = 10;
	assert_int_equal(bridge_apply(nl, &want, NULL, &ifindex, &e), ND_SYSTEM);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text,
			    "set MTU, alias, up: Invalid argument (EINVAL): mtu less than device minimum");
	assert_int_equal(nd_link_get_by_name(nl, "virbr1", &l, NULL), ND_NOT_FOUND);
	l = record(make(&plain));
	nd_error_reset(&e);
	assert_int_equal(bridge_apply(nl, &want, &l, &ifindex, &e), ND_SYSTEM);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "set MTU: Invalid argument (EINVAL): mtu less than device minimum");
	assert_int_equal(record(l.ifindex).mtu, 9000);
}

/* The name can be used again before the reaper has been there, and so can the address. */
static void test_retire(void **state)
{
	struct bridge_config want = plain;
	struct nd_prefix prefix;
	int ifindex, again;
	struct nd_link l;

	assert_int_equal(nd_prefix_from_string("192.168.122.1/24", &prefix), 0);
	want.addresses = &prefix;
	want.address_cnt = 1;
	ifindex = make(&want);
	apply_addresses(&want, ifindex);
	OK(bridge_retire(nl, ifindex, &e));
	l = record(ifindex);
	assert_int_equal(l.group, ND_GROUP_DEAD);
	assert_false(l.has_alias);
	assert_false(l.flags & IFF_UP);
	OK(bridge_retire(nl, ifindex, &e));
	again = make(&want);
	assert_int_not_equal(again, ifindex);
	apply_addresses(&want, again);
	OK(nd_link_delete_group(nl, ND_GROUP_DEAD, &e));
	assert_int_equal(nd_link_get(nl, ifindex, &l, NULL), ND_NOT_FOUND);
	assert_true(record(again).flags & IFF_UP);
	assert_int_equal(system("ip -o route show table local 192.168.122.1 | grep -q virbr1"), 0);
	OK(bridge_retire(nl, ifindex, &e)); /* absent */
}

static const char *const both[] = { "10.1.1.1/24", "fd01::1/64" };

static struct bridge_config with_addresses(struct nd_prefix prefixes[ARRAY_LEN(both)])
{
	struct bridge_config want = plain;

	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		assert_int_equal(nd_prefix_from_string(both[i], &prefixes[i]), 0);
	want.addresses = prefixes;
	want.address_cnt = ARRAY_LEN(both);
	return want;
}

static void test_addresses(void **state)
{
	struct nd_prefix prefixes[ARRAY_LEN(both)];
	struct bridge_config want = with_addresses(prefixes);
	struct addresses all;
	int ifindex = make(&want);

	ip("addr add 10.1.1.9/24 dev virbr1");
	ip("addr add 10.1.1.1/24 dev virbr1"); /* ours, as a secondary: it goes with the stray */
	ip("addr add fd99::1/64 dev virbr1");
	ip("addr add fe80::99/64 dev virbr1");
	apply_addresses(&want, ifindex);
	all = addresses(ifindex);
	assert_int_equal(all.cnt, 3);
	for (size_t i = 0; i < all.cnt; i++)
		if (all.list[i].prefix.ip.family == AF_INET6 && all.list[i].scope == RT_SCOPE_UNIVERSE)
			assert_int_equal(all.list[i].flags & (IFA_F_NODAD | IFA_F_TENTATIVE), IFA_F_NODAD);
	assert_int_equal(system("ip -o addr show dev virbr1 | grep -q 'brd 10.1.1.255'"), 0);
	/* Taken down, a link loses its IPv6 addresses. */
	ip("link set virbr1 down");
	assert_int_equal(addresses(ifindex).cnt, 1);
	make(&want);
	apply_addresses(&want, ifindex);
}

static int udp_socket(int family)
{
	const struct timeval timeout = { .tv_sec = 5 };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
	return fd;
}

static socklen_t socket_address(const struct nd_ip *ip, struct sockaddr_storage *ret)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(ECHO_PORT) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(ECHO_PORT) };

	memcpy(&sin.sin_addr, ip->b, 4);
	memcpy(&sin6.sin6_addr, ip->b, 16);
	if (ip->family == AF_INET)
		memcpy(ret, &sin, sizeof(sin));
	else
		memcpy(ret, &sin6, sizeof(sin6));
	return ip->family == AF_INET ? sizeof(sin) : sizeof(sin6);
}

/* A datagram from client to the bridge's address, and back. */
static void assert_answers(const struct nd_ip *ip_of_bridge, int server, int client)
{
	struct sockaddr_storage to, from;
	socklen_t len = socket_address(ip_of_bridge, &to), from_len = sizeof(from);
	char byte = 0;

	assert_int_equal(bind(server, (struct sockaddr *)&to, len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, len), 0);
	assert_int_equal(send(client, "x", 1, 0), 1);
	assert_int_equal(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &from_len), 1);
	assert_int_equal(sendto(server, "y", 1, 0, (struct sockaddr *)&from, from_len), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	assert_int_equal(byte, 'y');
}

/* A bridge without a port has no carrier; from another namespace, by routing, it answers all the same, at once. */
static void test_answers_without_port(void **state)
{
	struct nd_prefix prefixes[ARRAY_LEN(both)];
	struct bridge_config want = with_addresses(prefixes);
	int host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), client[ARRAY_LEN(both)];

	apply_addresses(&want, make(&want));
	assert_true(host >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0); /* the outside, from here … */
	ip("link add v1 type veth peer name v0 netns /proc/%d/fd/%d", getpid(), host);
	ip("addr add 10.9.9.2/24 dev v1");
	ip("addr add fd09::2/64 nodad dev v1");
	ip("link set v1 up");
	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		client[i] = udp_socket(prefixes[i].ip.family);
	int outside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(host, CLONE_NEWNET), 0); /* … to here */
	ip("addr add 10.9.9.1/24 dev v0");
	ip("addr add fd09::1/64 nodad dev v0");
	ip("link set v0 up");
	assert_int_equal(setns(outside, CLONE_NEWNET), 0);
	ip("route add default via 10.9.9.1");
	ip("route add default via fd09::1");
	assert_int_equal(setns(host, CLONE_NEWNET), 0);
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		int server = udp_socket(prefixes[i].ip.family);

		assert_answers(&prefixes[i].ip, server, client[i]);
		close(server);
		close(client[i]);
	}
	close(outside);
	close(host);
}

static void assert_sysctl(const char *key, const char *want)
{
	char value[16];

	OK(nd_sysctl_read(key, value, sizeof(value), &e));
	assert_string_equal(value, want);
}

/* /proc/sys/net shows the namespace of who looks. */
static void test_sysctls(void **state)
{
	struct bridge_sysctls *s = bridge_sysctls_new();
	bool changed = false;

	make(&plain);
	OK(bridge_sysctl_link("virbr1", false, false, &e));
	assert_sysctl("net/ipv6/conf/virbr1/disable_ipv6", "1");
	OK(bridge_sysctl_link("virbr1", true, false, &e));
	assert_sysctl("net/ipv6/conf/virbr1/disable_ipv6", "0");
	assert_sysctl("net/ipv6/conf/virbr1/accept_ra", "0");
	assert_sysctl("net/ipv6/conf/virbr1/autoconf", "0");
	OK(nd_sysctl_write("net/ipv4/ip_forward", "0", &e));
	OK(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e));
	assert_true(changed);
	assert_sysctl("net/ipv4/ip_forward", "1");
	bridge_sysctl_release(s, BRIDGE_SYSCTL_IP4_FORWARD);
	bridge_sysctls_free(s);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, enter_namespace, leave_namespace)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_create),         ROW(test_apply_twice),
		ROW(test_plain_defaults), ROW(test_foreign),
		ROW(test_put_back),       ROW(test_port_leaves_mtu),
		ROW(test_kernel_words),   ROW(test_retire),
		ROW(test_addresses),      ROW(test_answers_without_port),
		ROW(test_sysctls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

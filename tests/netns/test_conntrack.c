/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real entries of the kernel's: UDP over loopback, tracked because an nft rule asks for it. */
#include "base/mem.h"
#include "nat/conntrack.h"
#include <arpa/inet.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* One datagram to that port makes one entry; nobody needs to listen. */
static void send_one(int family, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(port),
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const void *to = family == AF_INET ? (const void *)&sin : (const void *)&sin6;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(sendto(fd, "x", 1, 0, to, family == AF_INET ? sizeof(sin) : sizeof(sin6)), 1);
	close(fd);
}

static size_t end(struct nat_conntrack *t, const struct nat_connections *what, size_t cnt)
{
	struct nd_error e = ND_ERROR_INIT;
	size_t ended = 99;

	if (nat_conntrack_delete(t, what, cnt, &ended, &e) < 0)
		fail_msg("%s", nd_error_text(&e));
	return ended;
}

static void test_delete(void **state)
{
	struct nat_connections port[] = { { .protocol = IPPROTO_UDP, .orig_dst_port = 4001 },
					  { .protocol = IPPROTO_UDP, .orig_dst_port = 4002 } };
	struct nat_connections tcp = { .protocol = IPPROTO_TCP, .orig_dst_port = 4003 };
	struct nat_connections dnat = { .orig_dst_port = 4003, .translated = true };
	struct nat_connections answered = { .reply_src_port = 5003 };
	struct nat_connections v6 = { .any = { .family = AF_INET6, .b = { [15] = 1 } } };
	struct nat_connections v4 = { .any = nd_ip_from_ip4(0x7f000001) };
	struct nat_conntrack *t;

	assert_int_equal(nat_conntrack_new(&t, NULL), 0);
	assert_int_equal(end(t, port, 2), 0);
	for (uint16_t i = 4000; i < 4008; i++)
		send_one(AF_INET, i);
	send_one(AF_INET6, 4001);
	/* Those asked for and only those, in both families. */
	assert_int_equal(end(t, port, 2), 3);
	assert_int_equal(end(t, port, 2), 0);
	assert_int_equal(end(t, &tcp, 1), 0);
	/* 4003 goes to 5003: known by where it was sent, by who answers, and by being translated. */
	assert_int_equal(end(t, &answered, 1), 1);
	send_one(AF_INET, 4003);
	assert_int_equal(end(t, &dnat, 1), 1);
	dnat.orig_dst_port = 4004;
	assert_int_equal(end(t, &dnat, 1), 0);
	send_one(AF_INET6, 4100);
	assert_int_equal(end(t, &v6, 1), 1);
	assert_int_equal(end(t, &v4, 1), 5);
	assert_int_equal(end(t, NULL, 0), 0);
	nat_conntrack_free(t);
	nat_conntrack_free(NULL);
}

static int setup(void **state)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	run("ip link set lo up && nft 'table inet t { chain o { type nat hook output priority -100; ct state "
	    "new "
	    "udp dport 4003 dnat ip to 127.0.0.1:5003; }; }'");
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_delete) };

	return cmocka_run_group_tests(tests, setup, NULL);
}

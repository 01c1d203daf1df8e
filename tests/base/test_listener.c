/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real sockets of this process, on loopback and on every address. */
#include "base/listener.h"
#include "base/mem.h"
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int open_socket(int type, uint32_t ip4, uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip4) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void test_find(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_listeners l;
	struct nd_ip any = { .family = AF_INET }, any6 = { .family = AF_INET6 };
	struct nd_ip local = nd_ip_from_ip4(0x7f000001), other = nd_ip_from_ip4(0xc0000201);
	const struct nd_listener *s;
	char who[ND_HOLDER_LEN], want[ND_HOLDER_LEN];
	uint16_t tcp, udp;
	int tcp_fd = open_socket(SOCK_STREAM, INADDR_LOOPBACK, &tcp);
	int udp_fd = open_socket(SOCK_DGRAM, INADDR_ANY, &udp);

	assert_int_equal(nd_listeners_read(&l, &e), 0);
	/* Loopback only: it takes nothing that comes from outside. */
	s = nd_listeners_find(&l, IPPROTO_TCP, &local, tcp);
	assert_non_null(s);
	assert_null(nd_listeners_find(&l, IPPROTO_TCP, &any, tcp));
	assert_null(nd_listeners_find(&l, IPPROTO_TCP, &other, tcp));
	assert_null(nd_listeners_find(&l, IPPROTO_UDP, &local, tcp));
	snprintf(want, sizeof(want), " (pid %d)", (int)getpid());
	assert_non_null(strstr(nd_listener_holder(s, who), want));
	assert_non_null(nd_listeners_find(&l, IPPROTO_UDP, &any, udp));
	assert_non_null(nd_listeners_find(&l, IPPROTO_UDP, &other, udp));
	assert_null(nd_listeners_find(&l, IPPROTO_UDP, &any6, udp));
	nd_listeners_done(&l);

	close(tcp_fd);
	close(udp_fd);
	assert_int_equal(nd_listeners_read(&l, &e), 0);
	assert_null(nd_listeners_find(&l, IPPROTO_TCP, &local, tcp));
	assert_null(nd_listeners_find(&l, IPPROTO_UDP, &any, udp));
	nd_listeners_done(&l);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_find) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: see worker.h. Descriptors of sockets are of /dev/null.
 */
#include "tests/fake/worker.h"

#include "base/spawn.h"
#include "dhcp/dhcp.h"
#include "dhcp/message.h"
#include "tests/fake/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

struct worker fake_worker = { .fd = -1 };
static bool fails;

void fake_worker_spawn_fails(bool now)
{
	fails = now;
}

int nd_spawn(const struct nd_spawn *s, pid_t *ret_pid, struct nd_error *e)
{
	if (fails)
		return nd_fail_sys(e, EAGAIN, NULL, "fork");
	if (fake_worker.fd >= 0)
		close(fake_worker.fd);
	fake_worker.fd = fcntl(s->fds[0], F_DUPFD_CLOEXEC, 3);
	assert(fake_worker.fd >= 0);
	int ready[2];
	char none;
	int rc = pipe2(ready, O_CLOEXEC);
	assert(rc == 0);
	pid_t pid = fork();
	assert(pid >= 0);
	if (pid == 0) {
		close_range(3, ~0u, 0); /* among them a guest's TAP */
		for (;;)
			pause();
	}
	close(ready[1]);
	ssize_t n =
		read(ready[0], &none, 1); /* the end of stream: the child holds nothing of ours any more */
	assert(n == 0);
	(void)n;
	(void)rc;
	close(ready[0]);
	fake_worker.spawned++;
	fake_worker.pid = *ret_pid = pid;
	return 0;
}

static int open_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert(fd >= 0);
	return fd;
}

int dhcp_socket_open(uint32_t mark_base, uint32_t mark_mask, int *ret_fd, int *ret_arp_fd, struct nd_error *e)
{
	*ret_fd = open_null();
	*ret_arp_fd = open_null();
	return 0;
}

int dhcp_socket_open_send(int *ret_fd, struct nd_error *e)
{
	*ret_fd = open_null();
	return 0;
}

int dhcp_socket_send(int fd, int ifindex, const uint8_t *frame, size_t len, struct nd_error *e)
{
	return 0;
}

int dhcp_frame_is_server(const uint8_t *frame, size_t len, const struct nd_mac *server_mac,
			 uint32_t server_ip4, struct nd_error *e)
{
	return 0;
}

/* The harness calls it; nothing is kept here. */
void fake_worker_forget(void)
{
}

static char letter(enum dhcp_message_kind kind)
{
	static const char letters[DHCP_MESSAGE_CNT_] = {
		[DHCP_MESSAGE_HELLO] = 'H',          [DHCP_MESSAGE_NETWORK_BEGIN] = 'N',
		[DHCP_MESSAGE_NETWORK_RANGES] = 'r', [DHCP_MESSAGE_NETWORK_HOSTS] = 'h',
		[DHCP_MESSAGE_NETWORK_COMMIT] = 'C', [DHCP_MESSAGE_NETWORK_DEL] = 'D',
		[DHCP_MESSAGE_PORT_SET] = 'P',       [DHCP_MESSAGE_PORT_DEL] = 'Q',
		[DHCP_MESSAGE_LEASE_LOAD] = 'L',     [DHCP_MESSAGE_LEASE_FREE] = 'F',
		[DHCP_MESSAGE_STORED] = 'S',         [DHCP_MESSAGE_REFUSED] = 'R',
	};

	return letters[kind] ? letters[kind] : '.';
}

const char *fake_worker_read(void)
{
	static char text[4096];
	static uint8_t buf[DHCP_DATAGRAM_MAX];
	size_t used = 0;
	ssize_t n;

	while ((n = dhcp_message_receive(fake_worker.fd, buf, sizeof(buf), NULL)) > 0) {
		struct nd_reader r = nd_reader(buf, (size_t)n);
		struct dhcp_message m;
		bool more;

		assert(dhcp_message_open(&r, &more, NULL) == 0);
		while (dhcp_message_next(&r, DHCP_SIDE_NETD, &m, NULL) == 1 && used < sizeof(text) - 1)
			text[used++] = letter(m.kind);
	}
	text[used] = '\0';
	return text;
}

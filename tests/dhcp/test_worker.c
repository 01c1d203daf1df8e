// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worker as a process: its options, its end, and what its sandbox kills. Sockets of the UNIX family stand for the packet sockets; real ones
 * are in tests/netns/test_worker.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/sock.h"
#include "dhcp/dhcp.h"
#include "dhcp/message.h"
#include "dhcp/worker.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* ---- options ---- */

static void options(void **state)
{
	char *good[] = { "--root", "/run/netd/empty", "--uid",     "99", "--gid",
			 "100",    "--foreign-mark",  "0x4e440000" };
	struct dhcp_worker_options o;
	assert_int_equal(dhcp_worker_options_parse(ARRAY_LEN(good), good, &o, NULL), 0);
	assert_string_equal(o.root, "/run/netd/empty");
	assert_int_equal(o.uid, 99);
	assert_int_equal(o.gid, 100);
	assert_int_equal(o.foreign_mark, 0x4e440000);
	assert_int_equal(dhcp_worker_options_parse(0, NULL, &o, NULL), 0);
	assert_null(o.root);
	assert_int_equal(o.uid, (uid_t)-1);
	assert_int_equal(o.gid, (gid_t)-1);
}

static void wrong_options(void **state)
{
	char *bad[][2] = { { "--rot", "/" },           { "root", "/" },
			   { "--uid", "root" },        { "--uid", "-2" },
			   { "--uid", "4294967295" },  { "--gid", "" },
			   { "--foreign-mark", "-1" }, { "--foreign-mark", "4294967296" } };
	struct dhcp_worker_options o;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(dhcp_worker_options_parse(2, bad[i], &o, NULL), ND_INVALID);
	char *half[] = { "--uid" };
	assert_int_equal(dhcp_worker_options_parse(1, half, &o, NULL), ND_INVALID);
	assert_int_equal(dhcp_worker_main(1, half), 2);
}

/* ---- a child with the worker's descriptors ---- */

struct child {
	pid_t pid;
	int control; /* our end */
};

/* Puts the three at 3, 4, 5 and closes everything above. */
static void take_descriptors(const int fds[3])
{
	int high[3];
	for (int i = 0; i < 3; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 100);
	for (int i = 0; i < 3; i++)
		dup2(high[i], 3 + i);
	syscall(SYS_close_range, 6, ~0u, 0);
}

static struct child start(int (*run)(void *arg), void *arg)
{
	struct child c;
	int control[2], packets[2];
	assert_int_equal(nd_sock_seqpacket_pair(control, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, packets), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		take_descriptors((int[]){ control[1], packets[0], packets[1] });
		_exit(run(arg));
	}
	c.control = control[0];
	close(control[1]);
	close(packets[0]);
	close(packets[1]);
	return c;
}

/* Return: the wait status. */
static int finish(struct child *c)
{
	int status;
	if (c->control >= 0)
		close(take_fd(c->control));
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return status;
}

static void assert_exit(struct child *c, int want)
{
	int status = finish(c);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), want);
}

/* ---- the sandbox ---- */

static void allowed(void)
{
	uint8_t buf[16];
	struct iovec iov = { buf, sizeof(buf) };
	struct mmsghdr mm = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	recvmmsg(4, &mm, 1, MSG_DONTWAIT, NULL);
	recvmmsg(5, &mm, 1, MSG_DONTWAIT, NULL);
	recvmsg(3, &mh, MSG_DONTWAIT);
	sendmsg(3, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	void *p = malloc(1 << 22);
	free(realloc(p, 1 << 23));
}

static void sendmsg_on(int fd)
{
	struct iovec iov = { "x", 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	sendmsg(fd, &mh, MSG_DONTWAIT);
}
static void sendmsg_on_packet_socket(void)
{
	sendmsg_on(4);
}
static void sendmsg_on_arp_socket(void)
{
	sendmsg_on(5);
}
static void sendmmsg_on_packet_socket(void)
{
	struct iovec iov = { "x", 1 };
	struct mmsghdr mm = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	sendmmsg(4, &mm, 1, MSG_DONTWAIT);
}
static void sendto_on_packet_socket(void)
{
	send(4, "x", 1, MSG_DONTWAIT);
}
static void write_on_packet_socket(void)
{
	if (write(4, "x", 1) < 0)
		_exit(9);
}
static void writev_on_packet_socket(void)
{
	struct iovec iov = { "x", 1 };
	if (writev(4, &iov, 1) < 0)
		_exit(9);
}
static void splice_to_packet_socket(void)
{
	splice(3, NULL, 4, NULL, 1, SPLICE_F_NONBLOCK);
}
static void dup_packet_socket_over_control(void)
{
	dup2(4, 3);
}
static void open_socket(void)
{
	socket(AF_UNIX, SOCK_STREAM, 0);
}
static void bind_packet_socket(void)
{
	struct sockaddr sa = { 0 };
	bind(4, &sa, sizeof(sa));
}
static void set_option(void)
{
	int one = 1;
	setsockopt(4, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
}
static void execute(void)
{
	char *argv[] = { "sh", NULL };
	execv("/bin/sh", argv);
}
static void make_process(void)
{
	syscall(SYS_fork);
}
static void signal_parent(void)
{
	kill(getppid(), 0);
}
#if !DHCP_WORKER_ASAN /* the sanitizer maps as it likes */
static void executable_memory(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
#endif

static int in_sandbox(void *arg)
{
	void (*const *act)(void) = arg;
	struct dhcp_worker_options o = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (dhcp_worker_sandbox(&o, NULL) < 0)
		return 7;
	(*act)();
	return 0;
}

static void what_the_sandbox_allows(void **state)
{
	void (*act)(void) = allowed;
	struct child c = start(in_sandbox, &act);
	/* Our end stays open until the child has ended: it sends on it. */
	int status;
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	close(c.control);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_the_sandbox_kills(void **state)
{
	static const struct {
		const char *name;
		void (*act)(void);
	} acts[] = {
		{ "sendmsg on the DHCP socket", sendmsg_on_packet_socket },
		{ "sendmsg on the ARP socket", sendmsg_on_arp_socket },
		{ "sendmmsg on the DHCP socket", sendmmsg_on_packet_socket },
		{ "sendto on the DHCP socket", sendto_on_packet_socket },
		{ "write on the DHCP socket", write_on_packet_socket },
		{ "writev on the DHCP socket", writev_on_packet_socket },
		{ "splice to the DHCP socket", splice_to_packet_socket },
		{ "dup2", dup_packet_socket_over_control },
		{ "socket", open_socket },
		{ "bind", bind_packet_socket },
		{ "setsockopt", set_option },
		{ "execve", execute },
		{ "fork", make_process },
		{ "kill", signal_parent },
#if !DHCP_WORKER_ASAN
		{ "executable memory", executable_memory },
#endif
	};
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		void (*act)(void) = acts[i].act;
		struct child c = start(in_sandbox, &act);
		int status = finish(&c);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status 0x%x", acts[i].name, status);
	}
}

/* ---- the whole worker ---- */

static int worker(void *arg)
{
	return dhcp_worker_main(0, NULL);
}

static int worker_in_no_root(void *arg)
{
	char *argv[] = { "--root", "/nonexistent" };
	return dhcp_worker_main(ARRAY_LEN(argv), argv);
}

static void it_ends_with_netd(void **state)
{
	struct child c = start(worker, NULL);
	assert_exit(&c, 0);
}

static void it_ignores_signals(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct child c = start(worker, NULL);
	struct pollfd p = { .fd = c.control, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 5000), 1); /* its hello */
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		assert_int_equal(kill(c.pid, signals[i]), 0);
	assert_exit(&c, 0);
}

static void it_needs_its_root(void **state)
{
	struct child c = start(worker_in_no_root, NULL);
	assert_exit(&c, 1);
}

/* What netd would never send ends it, too. */
static void broken_messages(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\0\0\0\0\4\0\0\0\2", 9 },                      /* another version */
		{ "\0\0\4\0\4\0\0\0\1", 9 },                      /* before the hello */
		{ "\0\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\1", 17 },     /* hello twice */
		{ "\0\0\0\0\4\0\0\0\1\0\x0c\0\5\0\0\0\1\0", 18 }, /* a worker's own kind */
		{ "\0\0\0\0\4\0\0\0\1\0\4\0\4\0\0\0\1", 17 },     /* a network's end without its begin */
		{ "\0\0\0\0\4\0\0\0\1\0\2\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 25 }, /* its ranges, too */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct child c = start(worker, NULL);
		struct pollfd p = { .fd = c.control, .events = 0 };
		assert_int_equal(send(c.control, cases[i].bytes, cases[i].len, 0), cases[i].len);
		assert_int_equal(poll(&p, 1, 5000), 1); /* it has hung up */
		assert_exit(&c, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(what_the_sandbox_allows),
		cmocka_unit_test(what_the_sandbox_kills),
		cmocka_unit_test(it_ends_with_netd),
		cmocka_unit_test(it_ignores_signals),
		cmocka_unit_test(it_needs_its_root),
		cmocka_unit_test(broken_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

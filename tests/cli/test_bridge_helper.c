/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: netd-bridge-helper as QEMU and libvirt run it, against a daemon that only knows its lines. $NETD_BRIDGE_HELPER is its path.
 */
#include "base/mem.h"
#include "tests/cli/stub-server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define ATTACHED                                                                             \
	"{\"parameters\":{\"port\":{\"mac\":\"52:54:00:00:00:01\",\"interface\":\"vnet0\"}," \
	"\"tapFileDescriptors\":[0],\"vhostFileDescriptors\":[]}}"
#define ARGS_MAX   8
#define OUTPUT_LEN 4096
#define HELPER_FD  17 /* what "--fd=17" in the tests means */

struct run {
	int status;
	int sock; /* our end */
	char err[OUTPUT_LEN];
};

static void run_helper(struct run *r, const char *socket_path, const char *const *args)
{
	const char *argv[ARGS_MAX + 2] = { getenv("NETD_BRIDGE_HELPER") };
	int pair[2], err[2], status;
	size_t len = 0;
	ssize_t n;

	assert_non_null(argv[0]);
	for (size_t i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("NETD_SOCKET", socket_path, 1);
		dup2(err[1], STDERR_FILENO);
		dup2(pair[1], HELPER_FD);
		execv(argv[0], (char **)argv);
		_exit(99);
	}
	close(pair[1]);
	close(err[1]);
	while (len < OUTPUT_LEN - 1 && (n = read(err[0], r->err + len, OUTPUT_LEN - 1 - len)) > 0)
		len += (size_t)n;
	r->err[len] = '\0';
	close(err[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r->sock = pair[0];
}

/* As libvirt reads it: one byte 0, one control message, of exactly one descriptor. Return: that. */
static int receive_tap(int sock)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	char bytes[4] = { 'x' };
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int fd = -1;

	assert_int_equal(recvmsg(sock, &msg, 0), 1);
	assert_int_equal(bytes[0], 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	assert_non_null(c);
	assert_int_equal(c->cmsg_type, SCM_RIGHTS);
	assert_int_equal(c->cmsg_len, CMSG_LEN(sizeof(int)));
	assert_null(CMSG_NXTHDR(&msg, c));
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	assert_int_equal(read(sock, bytes, sizeof(bytes)), 0);
	return fd;
}

static void test_gives_tap(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *parameters;
	} cases[] = {
		{ { "--use-vnet", "--fd=17", "--br=lab" }, /* QEMU */
		  "\"network\":\"lab\",\"queues\":1,\"vnetHeader\":true,\"macGuard\":false" },
		{ { "--use-vnet", "--br=lab", "--fd=17" }, /* libvirt, virtio */
		  "\"network\":\"lab\",\"queues\":1,\"vnetHeader\":true,\"macGuard\":false" },
		{ { "--br=lab", "--fd=17" }, /* libvirt, another device */
		  "\"network\":\"lab\",\"queues\":1,\"vnetHeader\":false,\"macGuard\":false" },
		{ { "--net=blue", "--port=vm1", "--mac=52:54:00:AA:bb:01", "--use-vnet", "--fd=17",
		    "--br=br0" },
		  "\"network\":\"blue\",\"queues\":1,\"vnetHeader\":true,\"name\":\"vm1\",\"mac\":\"52:54:00:"
		  "aa:bb:01\"" },
		{ { "--br", "a network's name of more than sixteen letters", "--fd", "17" },
		  "\"network\":\"a network's name of more than sixteen "
		  "letters\",\"queues\":1,\"vnetHeader\":false,\"macGuard\":false" },
	};
	static const struct stub_row rows[] = { { ATTACHED, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stub_server s;
		struct run r;
		char log[OUTPUT_LEN], expected[OUTPUT_LEN], text[8] = "";

		stub_server_start(&s, rows, ARRAY_LEN(rows));
		run_helper(&r, s.path, cases[i].args);
		stub_server_end(&s, log, sizeof(log));
		assert_string_equal(r.err, "");
		assert_int_equal(r.status, 0);
		int fd = receive_tap(r.sock);
		assert_int_equal(read(fd, text, sizeof(text)), 7);
		assert_memory_equal(text, "queue0\n", 7);
		snprintf(expected, sizeof(expected), "{\"method\":\"io.netd.Attach\",\"parameters\":{%s}}\n",
			 cases[i].parameters);
		assert_string_equal(log, expected);
		close(fd);
		close(r.sock);
	}
}

static void expect_failure(const char *path, const char *const *args, const char *err)
{
	struct run r;
	char byte;

	run_helper(&r, path, args);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, err));
	assert_int_equal(read(r.sock, &byte, 1), 0);
	close(r.sock);
}

static void test_usage(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *err;
	} cases[] = {
		{ { NULL }, "netd-bridge-helper: usage: " },
		{ { "--br=lab" }, "netd-bridge-helper: usage: " },
		{ { "--fd=17" }, "netd-bridge-helper: usage: " },
		{ { "--fd=17", "--br=" }, "netd-bridge-helper: usage: " },
		{ { "--fd=17", "--br=lab", "more" }, "netd-bridge-helper: usage: " },
		{ { "--fd=17", "--br=lab", "--speed=9" }, "netd-bridge-helper: usage: " },
		{ { "--fd=x", "--br=lab" }, "netd-bridge-helper: --fd=x: not a file descriptor\n" },
		{ { "--fd=-1", "--br=lab" }, "netd-bridge-helper: --fd=-1: not a file descriptor\n" },
		{ { "--fd=17", "--br=lab", "--mac=01:00:5e:00:00:01" },
		  "netd-bridge-helper: --mac=01:00:5e:00:00:01: not a unicast MAC address\n" },
		{ { "--fd=17", "--br=lab" }, "netd-bridge-helper: cannot reach netd at /no/such/socket: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_failure("/no/such/socket", cases[i].args, cases[i].err);
}

static void test_refused(void **state)
{
	static const struct stub_row rows[] = {
		{ "{\"error\":\"io.netd.Denied\",\"parameters\":{\"message\":\"no\",\"text\":\"uid 7 may "
		  "not\","
		  "\"frames\":[\"network 'lab'\"],\"also\":[]}}" },
	};
	static const char *const args[] = { "--br=lab", "--fd=17", NULL };
	struct stub_server s;
	char log[OUTPUT_LEN];

	stub_server_start(&s, rows, ARRAY_LEN(rows));
	expect_failure(s.path, args, "netd-bridge-helper: network 'lab': uid 7 may not\n");
	stub_server_end(&s, log, sizeof(log));
}

/* Status 0 would make QEMU believe that a TAP came. */
static void test_nobody_to_send_to(void **state)
{
	static const struct stub_row rows[] = { { ATTACHED, 1 } };
	static const char *const args[] = { "--br=lab", "--fd=99", NULL };
	struct stub_server s;
	char log[OUTPUT_LEN];

	stub_server_start(&s, rows, ARRAY_LEN(rows));
	expect_failure(s.path, args, "netd-bridge-helper: send the TAP over file descriptor 99: ");
	stub_server_end(&s, log, sizeof(log));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_tap),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nobody_to_send_to),
	};
	return cmocka_run_group_tests_name("cli/bridge-helper", tests, NULL, NULL);
}

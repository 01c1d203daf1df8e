// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: UNIX sockets: listening over dead and live files, the lock's holder, descriptors in messages. */
#include "base/mem.h"
#include "base/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static char root[] = "/tmp/nd-test-sock-XXXXXX";

static const char *text_of(const struct nd_error *e)
{
	static char buf[2048];

	nd_error_format(e, buf, sizeof(buf));
	return buf;
}

static int setup(void **state)
{
	return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	return rmdir(root);
}

static int fd_cnt(void)
{
	int cnt = 0;

	for (int fd = 0; fd < 256; fd++)
		cnt += fcntl(fd, F_GETFD) >= 0;
	return cnt;
}

static void test_listen(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	int fd = -1, second = -1, client = -1, before = fd_cnt();
	char want[128], comm[17] = "";
	struct nd_peer peer;
	struct stat st;

	prctl(PR_GET_NAME, comm);
	assert_int_equal(nd_sock_listen("s", 0660, getgid(), 8, &fd, &e), 0);
	assert_int_equal(stat("s", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(nd_sock_connect("s", &client, &e), 0);
	assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(nd_sock_peer(client, &peer, &e), 0);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, geteuid());
	close(client);
	assert_int_equal(nd_sock_listen("s", 0660, (gid_t)-1, 8, &second, &e), ND_BUSY);
	snprintf(want, sizeof(want), "listen on s: held by pid %ld (%s)", (long)getpid(), comm);
	assert_string_equal(text_of(&e), want);
	nd_error_reset(&e);
	close(fd);
	/* The file is still there, nobody behind it. */
	assert_int_equal(nd_sock_connect("s", &client, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ECONNREFUSED);
	assert_int_equal(nd_sock_listen("s", 0600, (gid_t)-1, 8, &fd, NULL), 0);
	close(fd);
	unlink("s");
	assert_int_equal(fd_cnt(), before);
}

static void test_listen_full_queue_is_live(void **state)
{
	int fd, second, client[2], before = fd_cnt();

	assert_int_equal(nd_sock_listen("s", 0600, (gid_t)-1, 0, &fd, NULL), 0);
	assert_int_equal(nd_sock_connect("s", &client[0], NULL), 0);
	assert_int_equal(nd_sock_listen("s", 0600, (gid_t)-1, 0, &second, NULL), ND_BUSY);
	close(client[0]);
	close(fd);
	unlink("s");
	assert_int_equal(fd_cnt(), before);
}

static void test_listen_refused(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	int fd = creat("file", 0600), out = -1, before;
	char longest[200];

	close(fd);
	before = fd_cnt();
	assert_int_equal(nd_sock_listen("file", 0600, (gid_t)-1, 8, &out, &e), ND_EXISTS);
	assert_int_equal(access("file", F_OK), 0);
	unlink("file");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(nd_sock_listen(longest, 0600, (gid_t)-1, 8, &out, NULL), ND_INVALID);
	assert_int_equal(nd_sock_connect(longest, &out, NULL), ND_INVALID);
	assert_int_equal(nd_sock_connect("", &out, NULL), ND_INVALID);
	assert_int_equal(nd_sock_lock(longest, &out, NULL), ND_INVALID);
	assert_int_equal(nd_sock_listen("no/such", 0600, (gid_t)-1, 8, &out, NULL), ND_SYSTEM);
	nd_error_reset(&e);
	assert_int_equal(nd_sock_connect("absent", &out, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(out, -1);
	assert_int_equal(fd_cnt(), before);
}

static void test_lock_names_its_holder(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	char name[64], want[128], byte;
	int fd = -1, pair[2], status;
	pid_t pid;

	snprintf(name, sizeof(name), "nd-test-lock-%ld", (long)getpid());
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		int held;

		prctl(PR_SET_NAME, "hol\tder");
		byte = nd_sock_lock(name, &held, NULL) == 0 ? 'y' : 'n';
		if (write(pair[1], &byte, 1) != 1)
			_exit(1);
		close(pair[0]);
		_exit(read(pair[1], &byte, 1) < 0);
	}
	close(pair[1]);
	assert_int_equal(read(pair[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	for (int i = 0; i < 3; i++) {
		nd_error_reset(&e);
		assert_int_equal(nd_sock_lock(name, &fd, &e), ND_BUSY);
		snprintf(want, sizeof(want), "lock '@%s': held by pid %ld (hol?der)", name, (long)pid);
		assert_string_equal(text_of(&e), want);
	}
	assert_int_equal(fd, -1);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(nd_sock_lock(name, &fd, NULL), 0);
	close(fd);
}

static void test_lock_bound_but_not_listening(void **state)
{
	static const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "\0nd-test-bound" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), out = -1;
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(
		bind(fd, (const struct sockaddr *)&addr, offsetof(struct sockaddr_un, sun_path) + 14), 0);
	assert_int_equal(nd_sock_lock("nd-test-bound", &out, &e), ND_EXISTS);
	assert_string_equal(text_of(&e), "lock '@nd-test-bound': held by another process");
	close(fd);
}

/* The name is anyone's to take: who it is decides what that means. */
static void test_lock_of_another_user(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	int pair[2], fd = -1, status;
	char byte, want[128];

	if (geteuid() != 0) {
		skip();
		return;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int held;

		prctl(PR_SET_NAME, "stranger");
		byte = setuid(65534) == 0 && nd_sock_lock("nd-test-other", &held, NULL) == 0 ? 'y' : 'n';
		close(pair[0]);
		_exit(write(pair[1], &byte, 1) != 1 || read(pair[1], &byte, 1) < 0);
	}
	close(pair[1]);
	assert_int_equal(read(pair[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_int_equal(nd_sock_lock("nd-test-other", &fd, &e), ND_EXISTS);
	snprintf(want, sizeof(want), "lock '@nd-test-other': held by pid %ld (stranger), uid 65534",
		 (long)pid);
	assert_string_equal(text_of(&e), want);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fd, -1);
}

static void test_groups(void **state)
{
	static gid_t many[200];
	int pair[2], status;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("needs root: setgroups\n");
		skip();
	}
	pid = fork();
	if (pid == 0) {
		struct nd_peer peer;

		for (size_t i = 0; i < ARRAY_LEN(many); i++)
			many[i] = (gid_t)(1000 + i);
		/* More than fit into the first buffer; the credentials are those of socketpair(2). */
		if (setgroups(ARRAY_LEN(many), many) < 0 || nd_sock_seqpacket_pair(pair, NULL) < 0)
			_exit(1);
		if (nd_sock_peer(pair[0], &peer, NULL) < 0)
			_exit(2);
		if (!nd_sock_peer_in_group(pair[0], &peer, 1199) ||
		    !nd_sock_peer_in_group(pair[0], &peer, 1000) ||
		    !nd_sock_peer_in_group(pair[0], &peer, getgid()))
			_exit(3);
		if (nd_sock_peer_in_group(pair[0], &peer, 1200) || nd_sock_peer_in_group(-1, &peer, 1000))
			_exit(4);
		if (setgroups(1, many) < 0 || nd_sock_seqpacket_pair(pair, NULL) < 0)
			_exit(5);
		_exit(nd_sock_peer_in_group(pair[0], &peer, 1000) &&
				      !nd_sock_peer_in_group(pair[0], &peer, 1001)
			      ? 0
			      : 6);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_bytes_and_fds(void **state)
{
	int pair[2], pipe_fds[2], got[4] = { -1, -1, -1, -1 }, before = fd_cnt();
	size_t cnt = 9;
	bool again;
	char buf[8];

	assert_int_equal(nd_sock_seqpacket_pair(pair, NULL), 0);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(nd_sock_recv(pair[1], buf, sizeof(buf), got, 4, &cnt, &again, NULL), 0);
	assert_true(again);
	assert_int_equal(cnt, 0);
	assert_int_equal(nd_sock_send(pair[0], "abc", 3, pipe_fds, 2, NULL), 3);
	assert_int_equal(nd_sock_recv(pair[1], buf, sizeof(buf), got, 4, &cnt, &again, NULL), 3);
	assert_false(again);
	assert_int_equal(cnt, 2);
	assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(got[1], "x", 1), 1);
	assert_int_equal(read(pipe_fds[0], buf, 1), 1);
	close(got[0]);
	close(got[1]);
	/* More than asked for: closed. None asked for: all closed. */
	assert_int_equal(nd_sock_send(pair[0], "abc", 3, pipe_fds, 2, NULL), 3);
	assert_int_equal(nd_sock_recv(pair[1], buf, sizeof(buf), got, 1, &cnt, &again, NULL), 3);
	assert_int_equal(cnt, 1);
	close(got[0]);
	assert_int_equal(nd_sock_send(pair[0], "abc", 3, pipe_fds, 2, NULL), 3);
	assert_int_equal(nd_sock_recv(pair[1], buf, sizeof(buf), NULL, 0, NULL, NULL, NULL), 3);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(pair[0]);
	assert_int_equal(nd_sock_recv(pair[1], buf, sizeof(buf), got, 4, &cnt, &again, NULL), 0);
	assert_false(again);
	close(pair[1]);
	assert_int_equal(fd_cnt(), before);
}

static void test_most_fds(void **state)
{
	int pair[2], fds[ND_SOCK_FDS_MAX + 1], got[ND_SOCK_FDS_MAX];
	char buf[4];
	size_t cnt;

	assert_int_equal(nd_sock_seqpacket_pair(pair, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = pair[0];
	assert_int_equal(nd_sock_send(pair[0], "x", 1, fds, ARRAY_LEN(fds), NULL), ND_INVALID);
	assert_int_equal(nd_sock_send(pair[0], "x", 0, NULL, 0, NULL), ND_INVALID);
	assert_int_equal(nd_sock_send(pair[0], "x", 1, fds, ND_SOCK_FDS_MAX, NULL), 1);
	assert_int_equal(nd_sock_recv(pair[1], buf, sizeof(buf), got, ARRAY_LEN(got), &cnt, NULL, NULL), 1);
	assert_int_equal(cnt, ND_SOCK_FDS_MAX);
	for (size_t i = 0; i < cnt; i++)
		close(got[i]);
	close(pair[0]);
	close(pair[1]);
}

static void test_message_too_long(void **state)
{
	int pair[2], got[2], one = 1, before = fd_cnt();
	struct nd_error e = ND_ERROR_INIT;
	char buf[4];
	size_t cnt;

	assert_int_equal(nd_sock_seqpacket_pair(pair, NULL), 0);
	assert_int_equal(nd_sock_send(pair[0], "12345", 5, &one, 1, NULL), 5);
	assert_int_equal(nd_sock_recv(pair[1], buf, sizeof(buf), got, 2, &cnt, NULL, &e), ND_PROTOCOL);
	assert_int_equal(cnt, 0);
	assert_string_equal(text_of(&e), "receive: message longer than 4 bytes");
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(fd_cnt(), before);
}

static void test_no_number_for_fds(void **state)
{
	const char *preload = getenv("LD_PRELOAD");
	int pair[2], got[2], one = 1, before = fd_cnt();
	struct rlimit limit, tight;
	ssize_t n;
	char buf[4];
	size_t cnt;

	if (preload && strstr(preload, "vgpreload")) {
		print_message("valgrind hides RLIMIT_NOFILE from the kernel\n");
		skip();
	}
	assert_int_equal(nd_sock_seqpacket_pair(pair, NULL), 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	tight = (struct rlimit){ .rlim_cur = (rlim_t)pair[1] + 1, .rlim_max = limit.rlim_max };
	assert_int_equal(nd_sock_send(pair[0], "1", 1, &one, 1, NULL), 1);
	setrlimit(RLIMIT_NOFILE, &tight);
	n = nd_sock_recv(pair[1], buf, sizeof(buf), got, 2, &cnt, NULL, NULL);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(n, ND_LIMIT);
	assert_int_equal(cnt, 0);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(fd_cnt(), before);
}

static void test_full_and_gone(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	static char big[4096];
	int pair[2];
	ssize_t n;

	assert_int_equal(nd_sock_seqpacket_pair(pair, NULL), 0);
	do
		n = nd_sock_send(pair[0], big, sizeof(big), NULL, 0, &e);
	while (n > 0);
	assert_int_equal(n, 0);
	assert_int_equal(e.code, 0);
	/* What we had not read is lost to the peer: to it that is the end, not an error. */
	close(pair[1]);
	assert_int_equal(nd_sock_recv(pair[0], big, sizeof(big), NULL, 0, NULL, NULL, &e), 0);
	assert_int_equal(nd_sock_send(pair[0], big, 1, NULL, 0, &e), ND_SYSTEM);
	assert_int_equal(e.sys, EPIPE);
	close(pair[0]);
	assert_int_equal(nd_sock_recv(-1, big, 1, NULL, 0, NULL, NULL, NULL), ND_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_listen_full_queue_is_live),
		cmocka_unit_test(test_listen_refused),
		cmocka_unit_test(test_lock_names_its_holder),
		cmocka_unit_test(test_lock_bound_but_not_listening),
		cmocka_unit_test(test_lock_of_another_user),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_bytes_and_fds),
		cmocka_unit_test(test_most_fds),
		cmocka_unit_test(test_message_too_long),
		cmocka_unit_test(test_no_number_for_fds),
		cmocka_unit_test(test_full_and_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

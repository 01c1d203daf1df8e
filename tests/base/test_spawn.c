// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: starting a process. The test executes itself: "--child <what>" looks at what it was given and says so by
 * its exit status.
 */
#include "base/mem.h"
#include "base/spawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SELF "/proc/self/exe"

extern char **environ;

static bool is_null_device(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 && a.st_rdev == b.st_rdev &&
	       S_ISCHR(a.st_mode);
}

/* Descriptors 3 to 3 + cnt - 1 hold pipes with the bytes 'a', 'b', …; nothing is open above. */
static int child_fds(int cnt)
{
	if (!is_null_device(0) || !is_null_device(1) || fcntl(2, F_GETFD) < 0)
		return 10;
	for (int i = 0; i < cnt; i++) {
		char c;

		if (fcntl(3 + i, F_GETFD) != 0 || read(3 + i, &c, 1) != 1 || c != 'a' + i)
			return 20 + i;
	}
	for (int fd = 3 + cnt; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 11;
	return 0;
}

static int child_signals(void)
{
	struct sigaction sa;
	sigset_t mask;

	if (sigprocmask(SIG_BLOCK, NULL, &mask) < 0)
		return 30;
	for (int sig = 1; sig < 32; sig++) {
		if (sigismember(&mask, sig))
			return 31;
		/* What a sanitizer puts in place when it starts is no inheritance. */
		if (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGABRT)
			continue;
		if (sigaction(sig, NULL, &sa) < 0 || sa.sa_handler != SIG_DFL)
			return 32;
	}
	return 0;
}

static int child_main(const char *what)
{
	if (strcmp(what, "env") == 0)
		return environ && environ[0] && strcmp(environ[0], "A=b") == 0 && !environ[1] ? 0 : 40;
	if (strcmp(what, "noenv") == 0)
		return !environ || !environ[0] ? 0 : 41;
	if (strcmp(what, "signals") == 0)
		return child_signals();
	if (strcmp(what, "wait") == 0) {
		pause();
		return 42;
	}
	return child_fds(atoi(what));
}

static int run(struct nd_spawn *s, const char *what)
{
	const char *const argv[] = { "test", "--child", what, NULL };
	struct nd_error e = ND_ERROR_INIT;
	pid_t pid = -1;
	int status;

	s->path = SELF;
	s->argv = argv;
	assert_int_equal(nd_spawn(s, &pid, &e), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A pipe's read end with one byte in it. */
static int pipe_with(char c)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0); /* not CLOEXEC: nd_spawn closes them all the same */
	assert_int_equal(write(fds[1], &c, 1), 1);
	close(fds[1]);
	return fds[0];
}

static void test_no_fds(void **state)
{
	int stray = pipe_with('x');

	assert_int_equal(run(&(struct nd_spawn){ 0 }, "0"), 0);
	close(stray);
}

/* The descriptors stand where others are to go, in every order. */
static void test_fds_in_any_order(void **state)
{
	int fds[4], order[4], moved;

	for (size_t i = 0; i < 4; i++)
		fds[i] = pipe_with((char)('a' + i));
	assert_int_equal(run(&(struct nd_spawn){ .fds = fds, .fd_cnt = 4 }, "4"), 0);
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
	for (size_t i = 0; i < 4; i++)
		fds[i] = pipe_with((char)('a' + 3 - i));
	for (size_t i = 0; i < 4; i++)
		order[i] = fds[3 - i];
	moved = fcntl(order[0], F_DUPFD, 500);
	close(order[0]);
	order[0] = moved;
	assert_int_equal(run(&(struct nd_spawn){ .fds = order, .fd_cnt = 4 }, "4"), 0);
	for (size_t i = 0; i < 4; i++)
		close(order[i]);
}

static void test_most_fds(void **state)
{
	int fds[17];

	for (size_t i = 0; i < 17; i++)
		fds[i] = pipe_with((char)('a' + i));
	assert_int_equal(run(&(struct nd_spawn){ .fds = fds, .fd_cnt = 16 }, "16"), 0);
	assert_int_equal(nd_spawn(&(struct nd_spawn){ .path = SELF, .fds = fds, .fd_cnt = 17 }, NULL, NULL),
			 ND_INVALID);
	for (size_t i = 0; i < 17; i++)
		close(fds[i]);
}

static void test_environment(void **state)
{
	static const char *const env[] = { "A=b", NULL };

	setenv("ND_TEST_STRAY", "1", 1);
	assert_int_equal(run(&(struct nd_spawn){ .envp = env }, "env"), 0);
	assert_int_equal(run(&(struct nd_spawn){ 0 }, "noenv"), 0);
}

static void on_signal(int sig)
{
}

static void test_signals(void **state)
{
	sigset_t mask, before, after;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_signal);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &before);
	assert_int_equal(run(&(struct nd_spawn){ 0 }, "signals"), 0);
	/* Ours are as they were. */
	sigprocmask(SIG_SETMASK, &before, &after);
	assert_true(sigismember(&after, SIGTERM) && sigismember(&after, SIGCHLD));
	assert_false(sigismember(&after, SIGUSR1));
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_IGN);
	assert_ptr_equal(signal(SIGUSR1, SIG_DFL), on_signal);
}

static void test_exec_failure(void **state)
{
	static const char *const argv[] = { "x", NULL };
	struct nd_spawn s = { .path = "/nonexistent/program", .argv = argv, .die_with_parent = true };
	struct nd_error e = ND_ERROR_INIT;
	char text[256];
	pid_t pid = -7;
	int bad = 900;

	assert_int_equal(nd_spawn(&s, &pid, &e), ND_SYSTEM);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "spawn /nonexistent/program: execute: No such file or directory (ENOENT)");
	nd_error_reset(&e);
	s = (struct nd_spawn){ .path = SELF, .argv = argv, .fds = &bad, .fd_cnt = 1 };
	assert_int_equal(nd_spawn(&s, &pid, &e), ND_SYSTEM);
	assert_int_equal(e.sys, EBADF);
	assert_string_equal(nd_error_text(&e), "spawn /proc/self/exe: pass descriptors");
	assert_int_equal(pid, -7);
	/* No child is left behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_die_with_parent(void **state)
{
	static const char *const argv[] = { "test", "--child", "wait", NULL };
	struct pollfd p = { .events = POLLIN };
	int fds[2], status;
	pid_t middle;
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	middle = fork();
	if (middle == 0) {
		struct nd_spawn s = {
			.path = SELF, .argv = argv, .fds = &fds[1], .fd_cnt = 1, .die_with_parent = true
		};
		pid_t pid;

		_exit(nd_spawn(&s, &pid, NULL) < 0);
	}
	close(fds[1]);
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_int_equal(status, 0);
	/* The grandchild holds the only write end: its end is the pipe's. */
	p.fd = fds[0];
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_fds),          cmocka_unit_test(test_fds_in_any_order),
		cmocka_unit_test(test_most_fds),        cmocka_unit_test(test_environment),
		cmocka_unit_test(test_signals),         cmocka_unit_test(test_exec_failure),
		cmocka_unit_test(test_die_with_parent),
	};

	if (argc == 3 && strcmp(argv[1], "--child") == 0)
		_exit(child_main(argv[2]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}

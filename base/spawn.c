// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: starting a process
 *
 * vfork(2): the daemon may be large and must not pay for copying its page tables. The child shares our
 * memory until it has exec'd, so it calls nothing but system calls, writes only to its own frame, and runs
 * with all signals blocked until no handler of ours is left.
 *
 * Descriptors are first copied above the place where they will stand, then put in place: any order and any
 * repetition of fds works. What went wrong in the child comes back through a pipe, which a successful exec
 * closes.
 *
 * die_with_parent is about the calling thread: the kernel sends the signal when that thread ends (prctl(2)).
 */
#include "base/spawn.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD   3
#define FD_MAX     16
#define EXIT_CHILD 1 /* of a child that did not exec; nobody sees it */

enum step { STEP_NONE, STEP_PARENT, STEP_FDS, STEP_EXEC };
static const char *const step_names[] = {
	[STEP_NONE] = "start",
	[STEP_PARENT] = "tie to the parent",
	[STEP_FDS] = "pass descriptors",
	[STEP_EXEC] = "execute",
};

struct report {
	int step; /* enum step */
	int err;
};

/* All the child needs, made ready by the parent. */
struct child {
	const struct nd_spawn *spawn;
	char *const *envp;
	int null_fd, report_fd;
	pid_t parent;
};

static int reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Those libc keeps for itself are refused; exec resets them. */
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Return: the step that failed, errno set. *report_fd may move. */
static enum step child_setup(const struct child *c, int *report_fd)
{
	const struct nd_spawn *s = c->spawn;
	int floor_fd = FIRST_FD + (int)s->fd_cnt, copy[FD_MAX], null_fd;

	*report_fd = fcntl(c->report_fd, F_DUPFD_CLOEXEC, floor_fd);
	if (*report_fd < 0) {
		*report_fd = c->report_fd;
		return STEP_FDS;
	}
	if (s->die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			return STEP_PARENT;
		if (getppid() != c->parent)
			_exit(EXIT_CHILD); /* it ended before the call above: nobody is left to tell */
	}
	null_fd = fcntl(c->null_fd, F_DUPFD_CLOEXEC, floor_fd);
	if (null_fd < 0)
		return STEP_FDS;
	for (size_t i = 0; i < s->fd_cnt; i++) {
		copy[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, floor_fd);
		if (copy[i] < 0)
			return STEP_FDS;
	}
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return STEP_FDS;
	for (size_t i = 0; i < s->fd_cnt; i++)
		if (dup2(copy[i], FIRST_FD + (int)i) < 0)
			return STEP_FDS;
	/* At exec, not now: the report is among them. */
	if (close_range((unsigned)floor_fd, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return STEP_FDS;
	return reset_signals() < 0 ? STEP_EXEC : STEP_NONE;
}

__attribute__((noreturn, noinline)) static void child_main(const struct child *c)
{
	int report_fd = c->report_fd;
	struct report report = { .step = (int)child_setup(c, &report_fd) };

	if (report.step == STEP_NONE) {
		report.step = STEP_EXEC;
		execve(c->spawn->path, (char *const *)c->spawn->argv, c->envp);
	}
	report.err = errno;
	/* A pipe has room for so little; if it failed there would be nobody to tell. */
	if (write(report_fd, &report, sizeof(report)) < 0)
		_exit(EXIT_CHILD);
	_exit(EXIT_CHILD);
}

/* A function of its own: no local of the caller lives across the double return. */
__attribute__((noinline)) static pid_t start(const struct child *c)
{
	pid_t pid = vfork();

	if (pid == 0)
		child_main(c);
	return pid;
}

/* Whether the child exec'd. The write end is closed by now, here and, after exec, there. */
static int read_report(int fd, pid_t pid, const char *path, struct nd_error *e)
{
	struct report report;
	ssize_t n;

	do
		n = read(fd, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	if (n != (ssize_t)sizeof(report) || report.step < 0 || report.step >= (int)ARRAY_LEN(step_names))
		return nd_fail(e, ND_INTERNAL, "spawn %s: no report from the child", path);
	return nd_fail_sys(e, report.err, NULL, "spawn %s: %s", path, step_names[report.step]);
}

int nd_spawn(const struct nd_spawn *s, pid_t *ret_pid, struct nd_error *e)
{
	static char *const empty[] = { NULL };
	nd_autoclose int null_fd = -1, read_fd = -1, write_fd = -1;
	struct child c = { .spawn = s, .envp = s->envp ? (char *const *)s->envp : empty, .parent = getpid() };
	sigset_t all, before;
	int fds[2], err, r;
	pid_t pid;

	if (s->fd_cnt > FD_MAX)
		return nd_fail(e, ND_INVALID, "spawn %s: more than %d descriptors", s->path, FD_MAX);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return nd_fail_sys(e, errno, NULL, "spawn %s: open /dev/null", s->path);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return nd_fail_sys(e, errno, NULL, "spawn %s: pipe", s->path);
	read_fd = fds[0];
	write_fd = fds[1];
	c.null_fd = null_fd;
	c.report_fd = write_fd;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = start(&c);
	err = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return nd_fail_sys(e, err, NULL, "spawn %s: fork", s->path);
	close(take_fd(write_fd));
	r = read_report(read_fd, pid, s->path, e);
	if (r == 0)
		*ret_pid = pid;
	return r;
}

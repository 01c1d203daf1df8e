// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: virsh as a child process
 *
 * Its input, output and errors are files in memory, so that neither side ever waits for the other. How its
 * exec went comes back through a pipe that a successful one closes.
 */
#include "cli/virsh.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (4 * 1024 * 1024)
/* Of what it says on standard error: more than an error holds is of no use. */
#define ERRORS_MAX (64 * 1024)

enum { IN, OUT, ERR, STREAMS };

static void close_all(int fd[STREAMS])
{
	for (int i = 0; i < STREAMS; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

static int open_all(int fd[STREAMS], const char *input, struct nd_error *e)
{
	size_t len = input ? strlen(input) : 0, at = 0;

	for (int i = 0; i < STREAMS; i++) {
		fd[i] = memfd_create("virsh", MFD_CLOEXEC);
		if (fd[i] < 0)
			return nd_fail_sys(e, errno, NULL, "make a file in memory");
	}
	while (at < len) {
		ssize_t n = write(fd[IN], input + at, len - at);

		if (n < 0)
			return nd_fail_sys(e, errno, NULL, "write a file in memory");
		at += (size_t)n;
	}
	if (lseek(fd[IN], 0, SEEK_SET) < 0)
		return nd_fail_sys(e, errno, NULL, "rewind a file in memory");
	return 0;
}

/* In the child. Return: only when it failed; the error's number has been written to report. */
static void become_virsh(char *const *argv, const int fd[STREAMS], int report)
{
	int err;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (dup2(fd[IN], STDIN_FILENO) >= 0 && dup2(fd[OUT], STDOUT_FILENO) >= 0 &&
	    dup2(fd[ERR], STDERR_FILENO) >= 0)
		execvp(argv[0], argv);
	err = errno;
	if (write(report, &err, sizeof err) < 0)
		_exit(126);
}

static int start(char *const *argv, const int fd[STREAMS], pid_t *ret_pid, struct nd_error *e)
{
	int report[2], err = 0;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC) < 0)
		return nd_fail_sys(e, errno, NULL, "make a pipe");
	*ret_pid = fork();
	if (*ret_pid == 0) {
		become_virsh(argv, fd, report[1]);
		_exit(127);
	}
	if (*ret_pid < 0)
		err = errno;
	close(report[1]);
	while (err == 0 && (n = read(report[0], &err, sizeof err)) < 0 && errno == EINTR)
		;
	close(report[0]);
	if (err == 0)
		return 0;
	if (*ret_pid > 0)
		waitpid(*ret_pid, NULL, 0);
	if (err == ENOENT)
		return nd_fail(
			e, ND_NOT_FOUND,
			"virsh is not installed (package libvirt-clients): it is what talks to libvirt");
	return nd_fail_sys(e, err, NULL, "run virsh");
}

/* What was written, as text. */
static int read_all(int fd, size_t max, char **ret, struct nd_error *e)
{
	struct stat st;
	size_t at = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) < 0)
		return nd_fail_sys(e, errno, NULL, "size of virsh's output");
	if ((size_t)st.st_size > max)
		return nd_fail(e, ND_LIMIT, "virsh said more than %zu bytes", max);
	*ret = malloc((size_t)st.st_size + 1);
	if (!*ret)
		return nd_fail(e, ND_MEMORY, "virsh's output");
	while (at < (size_t)st.st_size && n > 0) {
		n = pread(fd, *ret + at, (size_t)st.st_size - at, (off_t)at);
		at += n > 0 ? (size_t)n : 0;
	}
	(*ret)[at] = '\0';
	return 0;
}

/* "error: a\nerror: b\n" as "a: b". */
static void one_line(const char *said, struct nd_buf *out)
{
	static const char prefix[] = "error: ";
	size_t prefix_len = sizeof(prefix) - 1;

	while (*said) {
		size_t len = strcspn(said, "\n");

		if (strncmp(said, prefix, prefix_len) == 0) {
			said += prefix_len;
			len -= prefix_len;
		}
		if (len > 0 && out->len > 0)
			nd_buf_append_string(out, ": ");
		nd_buf_append(out, said, len);
		said += len + (said[len] == '\n');
	}
}

static int failed(int status, int err_fd, struct nd_error *e)
{
	nd_autofree char *said = NULL;
	struct nd_buf text = { .max = ERRORS_MAX };
	int err = read_all(err_fd, ERRORS_MAX, &said, e);

	if (err < 0)
		return err;
	one_line(said, &text);
	if (text.len > 0)
		err = nd_fail(e, ND_STATE, "%s", nd_buf_string(&text));
	else if (WIFSIGNALED(status))
		err = nd_fail(e, ND_STATE, "virsh was ended by signal %d", WTERMSIG(status));
	else
		err = nd_fail(e, ND_STATE, "virsh ended with status %d and said nothing",
			      WEXITSTATUS(status));
	nd_buf_done(&text);
	return err;
}

int virsh_run(const char *uri, const char *const *words, const char *input, char **ret_out,
	      struct nd_error *e)
{
	const char *argv[5 + VIRSH_WORDS_MAX] = { "virsh", "--quiet", "--connect", uri };
	int fd[STREAMS] = { -1, -1, -1 }, status = 0, err = open_all(fd, input, e);
	pid_t pid = 0;

	for (size_t i = 0; i < VIRSH_WORDS_MAX && words[i]; i++)
		argv[4 + i] = words[i];
	if (err == 0)
		err = start((char *const *)argv, fd, &pid, e);
	if (err == 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (status != 0)
			err = failed(status, fd[ERR], e);
		else if (ret_out)
			err = read_all(fd[OUT], OUTPUT_MAX, ret_out, e);
	}
	close_all(fd);
	return err;
}

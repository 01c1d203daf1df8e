/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cli/stub-server.h"

#include "base/mem.h"
#include "base/sock.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define FDS_MAX   16
#define WAIT_MS   20000
#define FRAME_LEN 4096

/* One frame, without its NUL. Return: false at the end of the stream. */
static bool read_frame(int fd, char *frame)
{
	for (size_t at = 0; at < FRAME_LEN; at++) {
		if (read(fd, frame + at, 1) != 1)
			return false;
		if (!frame[at])
			return true;
	}
	return false;
}

static int queue(unsigned number)
{
	char text[16];
	int pair[2];

	int len = snprintf(text, sizeof(text), "queue%u\n", number);
	if (pipe(pair) < 0 || write(pair[1], text, (size_t)len) != len)
		_exit(1);
	close(pair[1]);
	return pair[0];
}

static void answer(int fd, const struct stub_row *row)
{
	size_t len = row->reply_len ? row->reply_len : strlen(row->reply) + 1;
	int fds[FDS_MAX];

	for (unsigned i = 0; i < row->fd_cnt; i++)
		fds[i] = queue(i);
	if (nd_sock_send(fd, row->reply, len, fds, row->fd_cnt, NULL) < 0)
		_exit(1);
	for (unsigned i = 0; i < row->fd_cnt; i++)
		close(fds[i]);
}

static void serve(int listener, int log, const struct stub_row *rows, size_t cnt)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	char frame[FRAME_LEN];

	int fd = poll(&p, 1, WAIT_MS) == 1 ? accept(listener, NULL, NULL) : -1;
	for (size_t i = 0; fd >= 0 && read_frame(fd, frame); i++) {
		dprintf(log, "%s\n", frame);
		if (i >= cnt || !rows[i].reply)
			break;
		answer(fd, &rows[i]);
	}
	_exit(0);
}

void stub_server_start(struct stub_server *s, const struct stub_row *rows, size_t cnt)
{
	int pair[2], listener;

	strcpy(s->dir, "/tmp/netd-stub-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
	assert_int_equal(nd_sock_listen(s->path, 0600, (gid_t)-1, 4, &listener, NULL), 0);
	assert_int_equal(pipe(pair), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		close(pair[0]);
		serve(listener, pair[1], rows, cnt);
	}
	close(listener);
	close(pair[1]);
	s->log = pair[0];
}

void stub_server_end(struct stub_server *s, char *log, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(s->log, log + len, size - 1 - len)) > 0)
		len += (size_t)n;
	log[len] = '\0';
	close(s->log);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
	unlink(s->path);
	rmdir(s->dir);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_CLI_STUB_SERVER_H
#define ND_TESTS_CLI_STUB_SERVER_H
/*
 * DOC: a daemon that only knows its lines
 *
 * Serves one connection in a child process: the n-th call gets the n-th row's reply and that many descriptors, each the reading end of
 * a pipe in which stands "queue0\n", "queue1\n" and so on. Calls are logged as they came, one a line.
 */
#include <stddef.h>
#include <sys/types.h>

struct stub_row {
	const char *reply; /* JSON; NULL: closes the connection instead */
	unsigned fd_cnt;
	size_t reply_len; /* of several frames in one, with all their NULs; 0: up to the first NUL */
};
struct stub_server {
	pid_t pid;
	char dir[32], path[48];
	int log; /* reading end */
};
void stub_server_start(struct stub_server *s, const struct stub_row *rows, size_t cnt);
/* Waits for its end (the client has closed, or all rows are said). *log: what was called. */
void stub_server_end(struct stub_server *s, char *log, size_t size);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_NETD_API_HARNESS_H
#define ND_TESTS_NETD_API_HARNESS_H
/*
 * An API server without a core: a loop, a connection set, and an interface "test.api" of its own:
 *   Echo(text) -> (text)         at once
 *   Later() -> ()                when harness_finish_later is called
 *   Open(count) -> (fds)         with descriptors
 *   Large(length) -> (text)      as long as asked
 *   Stream() -> (text), more     what harness_stream_send gives
 *   Admin() -> ()                needs ADMIN
 * and its clients, at the other ends of socket pairs.
 */
#include "netd/api/call.h"
#include <ev.h>

#define HARNESS_LARGE_MAX (20 * 1024 * 1024)

struct harness {
	struct ev_loop *loop;
	struct conn_set *set;
	struct call_service service;
	struct call *later;  /* the pending Later */
	struct call *stream; /* the open Stream */
	int gone_cnt;        /* streams whose client went */
	int echo_cnt;
};
void harness_init(struct harness *h);
void harness_done(struct harness *h);
void harness_turn(struct harness *h, int turns); /* of the loop, without sleeping */
void harness_finish_later(struct harness *h);
void harness_stream_send(struct harness *h, const char *text);

struct harness_client {
	int fd;        /* the client's end, non-blocking */
	int server_fd; /* the server's end: belongs to the connection */
	struct nd_buf in;
	int fds[8];
	size_t fd_cnt;
	bool eof;
};
/* The connection's peer has this level. */
struct harness_client harness_connect(struct harness *h, enum access_level level);
void harness_disconnect(struct harness_client *cl);
/* As much as the socket takes. Return: bytes. */
size_t harness_write(struct harness_client *cl, const void *p, size_t len);
void harness_call(struct harness_client *cl, const char *json); /* with its NUL */
/* Reads what is there. Return: the next whole frame (caller's), or NULL. */
json_t *harness_reply(struct harness_client *cl);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_API_CONN_H
#define ND_API_CONN_H
/*
 * Connections: frames in, frames and descriptors out, all of it bounded. Knows no method. The DOC block of
 * conn.c has the rules.
 */
#include "base/error.h"
#include "netd/api/api-proto.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONN_STREAM_MAX (1024 * 1024) /* bytes of a stream's replies that may wait for their reader */

struct ev_loop;
struct conn;
struct conn_set;
struct conn_ops {
	/*
	 * One frame, without its NUL: text is borrowed for the call. The next one comes after conn_next,
	 * which may be called in here or later.
	 */
	void (*on_frame)(struct conn *c, void *user, const char *text, size_t len);
	/*
	 * The reader of a stream is too slow: what waited is dropped. Now send the last word and conn_finish.
	 */
	void (*on_overrun)(struct conn *c, void *user);
	/* Closes fd (taken): sent, or not to be sent. It may be a TAP's last, which takes 17 ms. */
	void (*close_fd)(struct conn *c, void *user, int fd);
	/*
	 * Exactly once, never from inside another function of this header except conn_set_free: c is gone
	 * afterwards.
	 */
	void (*on_closed)(struct conn *c, void *user);
};

/* loop and ops: borrowed for the set's life. NULL on ENOMEM. */
struct conn_set *conn_set_new(struct ev_loop *loop, const struct conn_ops *ops);
/* Closes all connections. NULL-safe. */
void conn_set_free(struct conn_set *s);
size_t conn_set_count(const struct conn_set *s);
int conn_set_admit(struct conn_set *s, uid_t uid, bool admin, struct nd_error *e); /* stream_set_admit */

/*
 * fd: taken on success, a connected non-blocking UNIX stream socket, whose peer is uid. user: passed to ops, borrowed until
 * on_closed. NULL on ENOMEM.
 */
struct conn *conn_new(struct conn_set *s, int fd, uid_t uid, void *user);
/* Bytes a frame of the peer may have, API_REQUEST_MAX where nothing is said. Before conn_start. */
void conn_limit(struct conn *c, size_t request_max);
/* Reads what has come already, instead of waiting a turn for the loop to say so. c may be gone afterwards. */
void conn_start(struct conn *c);

/*
 * One frame out, at once if the socket takes it. fds (fd_cnt of them) are `taken`: they leave beside the
 * first byte and are closed here. A frame longer than API_REPLY_MAX is replaced by the error ND_LIMIT,
 * without descriptors.
 */
void conn_send(struct conn *c, const json_t *frame, const int *fds, size_t fd_cnt);
/*
 * One frame of a stream: sent at the end of the loop turn, together with others. After an overrun it is
 * dropped.
 */
void conn_stream(struct conn *c, const json_t *frame);
/* {"error": …, "parameters": …}: a new object, NULL on ENOMEM. */
json_t *conn_error_frame(const struct nd_error *e);
/* The frame given to on_frame is answered: the next may come, in a later turn. */
void conn_next(struct conn *c);
/* Nothing more is read; closes once all is sent, or after STREAM_LINGER_S. */
void conn_finish(struct conn *c);
#endif

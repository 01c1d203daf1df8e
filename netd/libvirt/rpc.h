/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_RPC_H
#define ND_LIBVIRT_RPC_H
/*
 * Connections of libvirt's RPC: messages in, messages out, all of it bounded. Knows headers, no program.
 * rpc.c has the rules. Source: libvirt's docs/kbase/internals/rpc.rst, src/rpc/virnetprotocol.x.
 */
#include "base/bytes.h"
#include "base/error.h"
#include <sys/types.h>

#define RPC_HEADER_LEN  28            /* the length word and six more */
#define RPC_REQUEST_MAX (1024 * 1024) /* bytes of a message in, at most; libvirt's own bound is 32 MiB */
#define RPC_READER_MAX  (16 * 1024)   /* the same from peers that may only read: they send no definitions */
#define RPC_REPLY_MAX   (16 * 1024 * 1024) /* of a message out: what clients older than 2014 take, too */
#define RPC_CALLS_MAX   32            /* of one connection that wait for their end; then it is not read */
#define RPC_EVENTS_MAX  (1024 * 1024) /* bytes that may wait for their reader when an event comes */

enum rpc_type { RPC_CALL, RPC_REPLY, RPC_MESSAGE, RPC_STREAM, RPC_CALL_FDS, RPC_REPLY_FDS, RPC_STREAM_HOLE };
enum rpc_status { RPC_OK, RPC_ERROR, RPC_CONTINUE };

struct rpc_header {
	uint32_t prog, vers;
	uint32_t proc;
	uint32_t type; /* enum rpc_type; from a peer any number */
	uint32_t serial;
	uint32_t status; /* enum rpc_status */
};

struct ev_loop;
struct rpc_conn;
struct rpc_set;
struct rpc_ops {
	/* One message. body: borrowed for the call. It may send, hold, finish and drop. */
	void (*on_message)(struct rpc_conn *c, void *user, const struct rpc_header *h, struct nd_reader body);
	/* A message announces more bytes than the connection may send: say so and rpc_conn_finish. */
	void (*on_too_long)(struct rpc_conn *c, void *user, const struct rpc_header *h, size_t len);
	/*
	 * Exactly once, never from inside another function of this header except rpc_set_free: c is gone
	 * afterwards.
	 */
	void (*on_closed)(struct rpc_conn *c, void *user);
};

/* loop and ops: borrowed for the set's life. NULL on ENOMEM. */
struct rpc_set *rpc_set_new(struct ev_loop *loop, const struct rpc_ops *ops);
void rpc_set_free(struct rpc_set *s); /* closes all connections; NULL-safe */
size_t rpc_set_count(const struct rpc_set *s);
int rpc_set_admit(struct rpc_set *s, uid_t uid, bool admin, struct nd_error *e); /* stream_set_admit */
struct ev_loop *rpc_set_loop(const struct rpc_set *s);

/*
 * fd: taken on success, a connected non-blocking UNIX stream socket, whose peer is uid. user: passed to ops, borrowed until
 * on_closed. request_max: bytes a message in may have, at most RPC_REQUEST_MAX. NULL on ENOMEM.
 */
struct rpc_conn *rpc_conn_new(struct rpc_set *s, int fd, uid_t uid, void *user, size_t request_max);
/* Reads what has come already. c may be gone afterwards. */
void rpc_conn_start(struct rpc_conn *c);
struct rpc_set *rpc_conn_set(const struct rpc_conn *c);
double rpc_conn_heard(const struct rpc_conn *c); /* loop time of the last bytes that came */

/*
 * A message out: begin gives the buffer (the set's: one message at a time, nothing else in between) to append
 * the body to. send sends it at once, if the socket takes it; queue at the end of the loop turn, together
 * with others, and drops the connection instead where RPC_EVENTS_MAX wait already. Both: false, and nothing
 * is sent, where the body became too long or memory ran out.
 */
struct nd_buf *rpc_begin(struct rpc_conn *c, const struct rpc_header *h);
bool rpc_send(struct rpc_conn *c);
bool rpc_queue(struct rpc_conn *c);

/* A call waits for its end, or has come to it. */
void rpc_conn_hold(struct rpc_conn *c);
void rpc_conn_release(struct rpc_conn *c);
/* Nothing more is read; closes once all is sent, or after STREAM_LINGER_S. */
void rpc_conn_finish(struct rpc_conn *c);
/* Closes without more words, soon. */
void rpc_conn_drop(struct rpc_conn *c);
#endif

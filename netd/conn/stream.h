/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CONN_STREAM_H
#define ND_CONN_STREAM_H
/*
 * DOC: what every protocol's connection is made of
 *
 * A UNIX stream socket on the loop with bounded queues of bytes in both directions, and descriptors that leave beside them. A protocol embeds it,
 * says where a frame ends, and encodes its own. stream.c has the rules.
 */
#include "base/bytes.h"
#include "base/log.h"
#include "base/map.h"

#include <ev.h>
#include <sys/types.h>

#define STREAM_READ_LEN 65536 /* bytes taken from one connection in one loop turn */
#define STREAM_LINGER_S 5.0   /* how long a closing connection waits for its last bytes to be read */
#define STREAM_MAX      1024  /* connections of a set */
#define STREAM_RESERVE  64    /* of those, for administrators only */
#define STREAM_UID_MAX  128   /* connections of one user who is none */

struct stream;
struct stream_ops {
	/*
	 * Gives the frame at the front of p to whom it is for, if it is whole. scanned: how many of the bytes an
	 * earlier call was given already, and found no end in. In it the stream may be sent to, held, finished and
	 * dropped. Return: bytes used up, 0 where it is not whole.
	 */
	size_t (*take)(struct stream *s, const uint8_t *p, size_t len, size_t scanned);
	/* Whether take would use anything up; it may say so wrongly, where that is cheaper to know. */
	bool (*is_whole)(const struct stream *s, const uint8_t *p, size_t len, size_t scanned);
	/*
	 * More than queue_max would wait for a reader: its last word, and stream_finish. NULL: it is dropped.
	 */
	void (*on_overrun)(struct stream *s);
	/* Closes fd (taken): sent, or not to be sent. NULL where none are. */
	void (*close_fd)(struct stream *s, int fd);
	/* Exactly once; the protocol frees what it embeds the stream in. */
	void (*on_closed)(struct stream *s);
};

struct stream_set {
	struct ev_loop *loop;
	const struct stream_ops *ops;
	struct nd_list all;
	struct nd_list ready; /* streams with something to do at the end of this turn */
	ev_prepare prepare;
	ev_idle idle;
	size_t cnt;
	struct nd_ratelimit full;
	struct nd_buf frame; /* the frame being encoded; max is the protocol's */
	uint8_t scratch[STREAM_READ_LEN];
};

struct stream_bounds {
	size_t frame_max; /* bytes of a frame that comes */
	size_t out_max;   /* bytes that may wait to be sent, of answers */
	size_t queue_max; /* the same when one more is queued */
	unsigned calls;   /* that wait for their end; then it is not read */
};

struct stream {
	struct nd_list all, ready;
	struct stream_set *set;
	int fd;
	uid_t uid; /* whose it is */
	ev_io reader, writer;
	ev_timer linger;
	ev_tstamp heard; /* loop time of the last bytes that came */
	struct stream_bounds bounds;
	struct nd_buf in;  /* bytes of frames not yet given out */
	size_t in_scanned; /* of these, how many take has seen in vain */
	struct nd_buf out; /* bytes not yet taken by the socket, from out_pos on */
	size_t out_pos;
	int *fds; /* heap; to leave with out's first byte */
	size_t fd_cnt;
	unsigned calls; /* that wait for their end */
	bool eof;       /* the peer sends no more */
	bool closing;   /* stream_finish */
	bool overrun;   /* on_overrun is due */
	bool dead;      /* to be closed */
};

/* loop, ops: borrowed for the set's life. frame_max: bytes of a frame that leaves. */
void stream_set_init(struct stream_set *set, struct ev_loop *loop, const struct stream_ops *ops,
		     size_t frame_max);
void stream_set_done(struct stream_set *set); /* closes all */

/*
 * Whether one more connection has room, of a user who is an administrator or not. Return: 0; ND_LIMIT, which is logged, too,
 * now and then.
 */
int stream_set_admit(struct stream_set *set, uid_t uid, bool admin, struct nd_error *e);

/* s is zeroed. fd: taken, a connected non-blocking UNIX stream socket, whose peer is uid. */
void stream_init(struct stream *s, struct stream_set *set, int fd, uid_t uid,
		 const struct stream_bounds *bounds);
void stream_limit(struct stream *s, size_t frame_max);
/* Reads what has come already, instead of waiting a turn for the loop to say so. s may be gone afterwards. */
void stream_start(struct stream *s);

/* The set's buffer, emptied, for one frame: nothing else in between. */
struct nd_buf *stream_frame(struct stream_set *set);
/*
 * Sends what is in it at once, if the socket takes it, beside fds (fd_cnt, taken); or queues it for the end of the loop
 * turn, together with others.
 */
void stream_send(struct stream *s, const int *fds, size_t fd_cnt);
void stream_queue(struct stream *s);
/* What waits to be sent; *ret_p: its first byte. */
size_t stream_waiting(const struct stream *s, const uint8_t **ret_p);
/* Of that, all behind the first len bytes is forgotten. */
void stream_forget(struct stream *s, size_t len);

/* A call waits for its end, or has come to it. */
void stream_hold(struct stream *s);
void stream_release(struct stream *s);
/* Nothing more is read; closes once all is sent, or after STREAM_LINGER_S. */
void stream_finish(struct stream *s);
/* Closes without more words, soon. */
void stream_drop(struct stream *s);
#endif

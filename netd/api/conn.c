// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: connections
 *
 * A connection reads frames (bytes up to a NUL), gives one at a time to on_frame, and sends what it is given.
 * The rules that keep one client from harming the others, or the daemon:
 *
 * - One recvmsg of CONN_READ_LEN and one frame per connection and loop turn. A second frame that is here
 *   already waits for the next turn: its connection is put on the ready list, which a prepare watcher walks
 *   once per turn, and an idle watcher keeps the loop from sleeping meanwhile.
 * - The next frame is looked at only when the last one is answered and the answer is with the kernel. So
 *   calls are answered in order, at most one answer waits, and a client that sends but never reads stops
 *   itself. Meanwhile at most one frame and one read more are kept of what it sends, then nothing is read.
 * - A frame longer than the connection's request_max is answered with an error and the connection closed;
 *   so is a reader of a stream that lets CONN_STREAM_MAX wait.
 * - Memory: bytes are received in a buffer of the set, frames are encoded in another. A connection has
 *   buffers of its own only while part of a frame is missing, or the socket did not take an answer whole.
 *
 * Descriptors go out with the sendmsg that carries the frame's first byte, and every answer begins with a
 * sendmsg of its own, since nothing else waits then. Descriptors that come in are closed by nd_sock_recv.
 *
 * Life: a connection is freed only by its own watchers and the ready list's walk, never inside conn_send and
 * the like: these only mark it dead. So neither an on_frame up the stack nor a caller with a late answer can
 * lose it under its hands.
 *
 * End of stream: a peer that closed both ways (POLLHUP) is dropped at once; one that only ended its sending
 * (a shell pipe) gets its answers first.
 */
#include "netd/api/conn.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sock.h"

#include <ev.h>
#include <poll.h>

#define FRAME_KEEP (256 * 1024) /* the shared buffers shrink after a frame longer than this */

struct conn_set {
	struct ev_loop *loop;
	const struct conn_ops *ops;
	struct nd_list all;
	struct nd_list ready; /* connections with something to do at the end of this turn */
	ev_prepare prepare;
	ev_idle idle;
	size_t cnt;
	struct nd_buf frame; /* the frame being encoded */
	uint8_t scratch[CONN_READ_LEN];
};

struct conn {
	struct nd_list all, ready;
	struct conn_set *set;
	void *user;
	int fd;
	ev_io reader, writer;
	ev_timer linger;
	size_t request_max; /* bytes of a frame */
	struct nd_buf in;   /* bytes of frames not yet given out */
	size_t in_scanned;  /* of these, how many are known to hold no NUL */
	struct nd_buf out;  /* bytes not yet taken by the socket, from out_pos on */
	size_t out_pos;
	int *fds; /* heap; to leave with out's first byte */
	size_t fd_cnt;
	bool busy;    /* a frame is being answered */
	bool eof;     /* the peer sends no more */
	bool closing; /* conn_finish */
	bool overrun; /* a stream's reader was too slow; on_overrun is due */
	bool dead;    /* to be freed */
};

static void nothing(struct ev_loop *loop, ev_idle *w, int revents)
{
}

/* Has the ready list's walk look at c before the loop sleeps. */
static void wake(struct conn *c)
{
	struct conn_set *s = c->set;

	if (nd_list_linked(&c->ready))
		return;
	nd_list_append(&s->ready, &c->ready);
	ev_prepare_start(s->loop, &s->prepare);
	ev_idle_start(s->loop, &s->idle);
}

static void mark_dead(struct conn *c)
{
	c->dead = true;
	wake(c);
}

static size_t waiting(const struct conn *c)
{
	return c->out.len - c->out_pos;
}

static void drop_fds(struct conn *c)
{
	for (size_t i = 0; i < c->fd_cnt; i++)
		c->set->ops->close_fd(c, c->user, c->fds[i]);
	free(take_ptr(c->fds));
	c->fd_cnt = 0;
}

static void conn_free(struct conn *c)
{
	struct conn_set *s = c->set;

	ev_io_stop(s->loop, &c->reader);
	ev_io_stop(s->loop, &c->writer);
	ev_timer_stop(s->loop, &c->linger);
	nd_list_remove(&c->ready);
	nd_list_remove(&c->all);
	s->cnt--;
	drop_fds(c);
	s->ops->on_closed(c, c->user);
	nd_buf_done(&c->in);
	nd_buf_done(&c->out);
	close(c->fd);
	free(c);
}

/* Sending */

/* Keeps what the socket did not take of a frame: all but n bytes, and while n is 0 the descriptors too. */
static void keep_rest(struct conn *c, const struct nd_buf *frame, size_t n, const int *fds, size_t fd_cnt)
{
	nd_buf_append(&c->out, frame->p + n, frame->len - n);
	if (n == 0 && fd_cnt > 0) {
		c->fds = malloc(fd_cnt * sizeof(*fds));
		if (c->fds) {
			memcpy(c->fds, fds, fd_cnt * sizeof(*fds));
			c->fd_cnt = fd_cnt;
		}
	}
	if (c->out.bad || (n == 0 && fd_cnt > 0 && !c->fds)) {
		mark_dead(c);
		return;
	}
	ev_io_start(c->set->loop, &c->writer);
}

/*
 * The frame as bytes in the set's buffer; where it is too long, an error that says so. Return: false when not
 * even that.
 */
static bool encode(struct conn_set *s, const json_t *frame, bool *ret_replaced)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *error;
	bool ok;

	if (s->frame.size > FRAME_KEEP)
		nd_buf_done(&s->frame);
	nd_buf_reset(&s->frame);
	*ret_replaced = false;
	if (frame && api_frame_append(&s->frame, frame, &e) == 0)
		return true;
	if (!frame)
		nd_fail(&e, ND_MEMORY, "the reply");
	*ret_replaced = true;
	error = conn_error_frame(&e);
	ok = error && api_frame_append(&s->frame, error, NULL) == 0;
	json_decref(error);
	return ok;
}

void conn_send(struct conn *c, const json_t *frame, const int *fds, size_t fd_cnt)
{
	struct nd_buf *bytes = &c->set->frame;
	size_t send_cnt = fd_cnt;
	ssize_t n = 0;
	bool replaced;

	if (c->dead || !encode(c->set, frame, &replaced)) {
		mark_dead(c);
		goto out;
	}
	if (replaced)
		send_cnt = 0;
	if (waiting(c) == 0)
		n = nd_sock_send(c->fd, bytes->p, bytes->len, fds, send_cnt, NULL);
	if (n < 0) {
		mark_dead(c);
		goto out;
	}
	if ((size_t)n < bytes->len) {
		keep_rest(c, bytes, (size_t)n, fds, send_cnt);
		if (c->fd_cnt > 0)
			return; /* they wait with the frame */
	}
out:
	for (size_t i = 0; i < fd_cnt; i++)
		c->set->ops->close_fd(c, c->user, fds[i]);
}

void conn_stream(struct conn *c, const json_t *frame)
{
	bool replaced;

	if (c->dead || c->overrun || c->closing)
		return;
	if (!encode(c->set, frame, &replaced)) {
		mark_dead(c);
		return;
	}
	if (waiting(c) + c->set->frame.len > CONN_STREAM_MAX)
		c->overrun = true;
	else
		nd_buf_append(&c->out, c->set->frame.p, c->set->frame.len);
	if (c->out.bad)
		c->dead = true;
	wake(c);
}

json_t *conn_error_frame(const struct nd_error *e)
{
	json_t *frame = json_object();
	int bad = 0;

	bad |= json_object_set_new_nocheck(frame, "error", json_string(nd_code_api_name(e->code)));
	bad |= json_object_set_new_nocheck(frame, "parameters", api_error_encode(e));
	if (!bad)
		return frame;
	json_decref(frame);
	return NULL;
}

/* One sendmsg of what waits. */
static void flush(struct conn *c)
{
	ssize_t n;

	if (c->dead || waiting(c) == 0)
		return;
	n = nd_sock_send(c->fd, c->out.p + c->out_pos, waiting(c), c->fds, c->fd_cnt, NULL);
	if (n < 0) {
		c->dead = true;
		return;
	}
	if (n > 0)
		drop_fds(c);
	c->out_pos += (size_t)n;
	if (waiting(c) > 0) {
		ev_io_start(c->set->loop, &c->writer);
		return;
	}
	ev_io_stop(c->set->loop, &c->writer);
	nd_buf_done(&c->out);
	c->out_pos = 0;
}

/* Leaves of what waits only the frame the reader may have a part of. */
static void drop_waiting(struct conn *c)
{
	const uint8_t *from = c->out.p + c->out_pos, *end;

	end = waiting(c) > 0 ? memchr(from, 0, waiting(c)) : NULL;
	if (end)
		c->out.len = (size_t)(end - c->out.p) + 1;
}

void conn_finish(struct conn *c)
{
	c->closing = true;
	ev_io_stop(c->set->loop, &c->reader);
	wake(c);
}

/* Receiving */

static void refuse_length(struct conn *c)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *frame;

	nd_fail(&e, ND_LIMIT, "a call is longer than %zu bytes", c->request_max);
	frame = conn_error_frame(&e);
	conn_send(c, frame, NULL, 0);
	json_decref(frame);
	conn_finish(c);
}

static bool can_take(const struct conn *c)
{
	return !c->busy && !c->closing && !c->dead && waiting(c) == 0;
}

/* Gives out the frame at the front of p, if it is whole. Return: bytes used up. */
static size_t give(struct conn *c, const uint8_t *p, size_t len, size_t scanned)
{
	const uint8_t *end = len > scanned ? memchr(p + scanned, 0, len - scanned) : NULL;
	size_t frame_len = end ? (size_t)(end - p) : len;

	if (frame_len > c->request_max) {
		refuse_length(c);
		return len;
	}
	if (!end)
		return 0;
	c->busy = true;
	c->set->ops->on_frame(c, c->user, (const char *)p, frame_len);
	return frame_len + 1;
}

static void take_next(struct conn *c)
{
	size_t used;

	if (!can_take(c) || c->in.len == 0)
		return;
	used = give(c, c->in.p, c->in.len, c->in_scanned);
	nd_buf_consume(&c->in, used);
	c->in_scanned = used ? 0 : c->in.len;
	if (c->in.len == 0)
		nd_buf_done(&c->in);
}

/* The same for bytes that just came; what is left of them is kept. */
static void take_new(struct conn *c, const uint8_t *p, size_t len)
{
	size_t used = c->in.len == 0 && can_take(c) ? give(c, p, len, 0) : 0;

	if (used == len)
		return;
	nd_buf_append(&c->in, p + used, len - used);
	if (c->in.bad)
		c->dead = true;
	else if (used == 0)
		take_next(c);
}

/* Whether the peer closed both directions, not only its sending one. */
static bool hung_up(const struct conn *c)
{
	struct pollfd p = { .fd = c->fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

/* After anything happened: what follows from the state. c may be gone afterwards. */
static void settle(struct conn *c)
{
	struct conn_set *s = c->set;

	if (c->overrun && !c->dead && !c->closing) {
		drop_waiting(c);
		s->ops->on_overrun(c, c->user);
	}
	if (can_take(c) && c->in.len > c->in_scanned)
		wake(c);
	else if (can_take(c) && c->eof)
		c->dead = true; /* all is answered */
	if (c->closing && waiting(c) == 0)
		c->dead = true;
	if (c->dead) {
		conn_free(c);
		return;
	}
	if (c->closing) {
		if (!ev_is_active(&c->linger))
			ev_timer_start(s->loop, &c->linger);
	} else if (!c->eof && c->in.len <= c->request_max) {
		ev_io_start(s->loop, &c->reader);
	} else {
		ev_io_stop(s->loop, &c->reader);
	}
}

static void read_once(struct conn *c)
{
	struct conn_set *s = c->set;
	bool again;
	ssize_t n;

	n = nd_sock_recv(c->fd, s->scratch, sizeof(s->scratch), NULL, 0, NULL, &again, NULL);
	if (n > 0)
		take_new(c, s->scratch, (size_t)n);
	else if (n < 0 || (!again && hung_up(c)))
		c->dead = true;
	else if (!again)
		c->eof = true;
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = container_of(w, struct conn, reader);

	read_once(c);
	settle(c);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = container_of(w, struct conn, writer);

	flush(c);
	settle(c);
}

static void on_linger(struct ev_loop *loop, ev_timer *w, int revents)
{
	conn_free(container_of(w, struct conn, linger));
}

/*
 * The ready list's walk: each connection that is on it now, once. Those put on it meanwhile are for the next
 * turn.
 */
static void on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct conn_set *s = container_of(w, struct conn_set, prepare);
	struct nd_list now;

	nd_list_init(&now);
	ev_prepare_stop(loop, &s->prepare);
	ev_idle_stop(loop, &s->idle);
	while (!nd_list_empty(&s->ready)) {
		struct nd_list *item = s->ready.next;

		nd_list_remove(item);
		nd_list_append(&now, item);
	}
	while (!nd_list_empty(&now)) {
		struct conn *c = container_of(now.next, struct conn, ready);

		nd_list_remove(&c->ready);
		flush(c);
		take_next(c);
		settle(c);
	}
}

/* Life */

struct conn_set *conn_set_new(struct ev_loop *loop, const struct conn_ops *ops)
{
	struct conn_set *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->ops = ops;
	s->frame.max = API_REPLY_MAX + 1;
	nd_list_init(&s->all);
	nd_list_init(&s->ready);
	ev_prepare_init(&s->prepare, on_prepare);
	ev_idle_init(&s->idle, nothing);
	return s;
}

void conn_set_free(struct conn_set *s)
{
	if (!s)
		return;
	while (!nd_list_empty(&s->all))
		conn_free(container_of(s->all.next, struct conn, all));
	ev_prepare_stop(s->loop, &s->prepare);
	ev_idle_stop(s->loop, &s->idle);
	nd_buf_done(&s->frame);
	free(s);
}

size_t conn_set_count(const struct conn_set *s)
{
	return s->cnt;
}

struct conn *conn_new(struct conn_set *s, int fd, void *user)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->set = s;
	c->user = user;
	c->fd = fd;
	conn_limit(c, API_REQUEST_MAX);
	c->out.max = API_REPLY_MAX + CONN_STREAM_MAX + 1;
	nd_list_init(&c->ready);
	nd_list_append(&s->all, &c->all);
	ev_io_init(&c->reader, on_readable, fd, EV_READ);
	ev_io_init(&c->writer, on_writable, fd, EV_WRITE);
	ev_timer_init(&c->linger, on_linger, CONN_LINGER_S, 0);
	s->cnt++;
	return c;
}

void conn_limit(struct conn *c, size_t request_max)
{
	c->request_max = request_max;
	c->in.max = request_max + CONN_READ_LEN + 1;
}

void conn_start(struct conn *c)
{
	read_once(c);
	settle(c);
}

void conn_next(struct conn *c)
{
	c->busy = false;
	if (c->in.len > 0 || c->eof)
		wake(c);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: connections of libvirt's RPC
 *
 * A message is a length word (which counts itself), six header words, and a body. A connection gives whole
 * messages to on_message, one after the other, and sends what it is given; answers may leave in any order,
 * since each has its call's serial. The rules that keep one client from harming the others, or the daemon
 * (those of netd/api/conn.c, for a protocol whose calls overlap):
 *
 * - One recvmsg of RPC_READ_LEN and one message per connection and loop turn. A second one that is here
 *   already waits for the next turn: its connection is on the ready list, which a prepare watcher walks once
 *   per turn, and an idle watcher keeps the loop from sleeping meanwhile.
 * - The next message is looked at only when all answers so far are with the kernel, and fewer than
 *   RPC_CALLS_MAX calls wait for their end. So a client that sends but never reads stops itself. Meanwhile at
 *   most one message and one read more are kept.
 * - A message longer than the connection's bound is answered with an error and the connection closed, as soon
 *   as its header is here.
 * - A client that lets RPC_EVENTS_MAX wait when one more event comes is dropped: it must not believe it has
 *   seen all.
 * - Memory: bytes are received in a buffer of the set, messages are encoded in another. A connection has
 *   buffers of its own only while part of a message is missing, or the socket did not take an answer whole.
 *
 * Descriptors that come in are closed by nd_sock_recv; none go out.
 *
 * Life: a connection is freed only by its own watchers and the ready list's walk, never inside rpc_send and
 * the like: these only mark it dead.
 *
 * End of stream: a peer that closed both ways (POLLHUP) is dropped at once; one that only ended its sending
 * gets its answers first.
 */
#include "netd/libvirt/rpc.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sock.h"

#include <ev.h>
#include <poll.h>

#define FRAME_KEEP (256 * 1024) /* the shared buffer shrinks after a message longer than this */

struct rpc_set {
	struct ev_loop *loop;
	const struct rpc_ops *ops;
	struct nd_list all;
	struct nd_list ready; /* connections with something to do at the end of this turn */
	ev_prepare prepare;
	ev_idle idle;
	size_t cnt;
	struct nd_buf frame; /* the message being encoded */
	uint8_t scratch[RPC_READ_LEN];
};

struct rpc_conn {
	struct nd_list all, ready;
	struct rpc_set *set;
	void *user;
	int fd;
	ev_io reader, writer;
	ev_timer linger;
	ev_tstamp heard;
	struct nd_buf in;  /* bytes of messages not yet given out */
	struct nd_buf out; /* bytes not yet taken by the socket, from out_pos on */
	size_t out_pos;
	size_t request_max; /* bytes of a message in */
	unsigned calls;     /* that wait for their end */
	bool eof;           /* the peer sends no more */
	bool closing;       /* rpc_conn_finish */
	bool dead;          /* to be freed */
};

static void nothing(struct ev_loop *loop, ev_idle *w, int revents)
{
}

/* Has the ready list's walk look at c before the loop sleeps. */
static void wake(struct rpc_conn *c)
{
	struct rpc_set *s = c->set;

	if (nd_list_linked(&c->ready))
		return;
	nd_list_append(&s->ready, &c->ready);
	ev_prepare_start(s->loop, &s->prepare);
	ev_idle_start(s->loop, &s->idle);
}

void rpc_conn_drop(struct rpc_conn *c)
{
	c->dead = true;
	wake(c);
}

static size_t waiting(const struct rpc_conn *c)
{
	return c->out.len - c->out_pos;
}

static void conn_free(struct rpc_conn *c)
{
	struct rpc_set *s = c->set;

	ev_io_stop(s->loop, &c->reader);
	ev_io_stop(s->loop, &c->writer);
	ev_timer_stop(s->loop, &c->linger);
	nd_list_remove(&c->ready);
	nd_list_remove(&c->all);
	s->cnt--;
	s->ops->on_closed(c, c->user);
	nd_buf_done(&c->in);
	nd_buf_done(&c->out);
	close(c->fd);
	free(c);
}

/* ---- sending ---- */

struct nd_buf *rpc_begin(struct rpc_conn *c, const struct rpc_header *h)
{
	const uint32_t words[] = { 0, h->prog, h->vers, h->proc, h->type, h->serial, h->status };
	struct nd_buf *b = &c->set->frame;
	uint8_t head[RPC_HEADER_LEN];
	struct nd_writer w = nd_writer(head, sizeof head);

	if (b->size > FRAME_KEEP)
		nd_buf_done(b);
	nd_buf_reset(b);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		nd_write_be32(&w, words[i]);
	nd_buf_append(b, head, sizeof head);
	return b;
}

/* Writes the length word. Return: false where the message cannot be sent. */
static bool complete(struct nd_buf *b)
{
	struct nd_writer w = nd_writer(b->p, b->len);

	if (b->bad)
		return false;
	nd_write_be32(&w, (uint32_t)b->len);
	return true;
}

bool rpc_send(struct rpc_conn *c)
{
	const struct nd_buf *b = &c->set->frame;
	ssize_t n = 0;

	if (!complete(&c->set->frame))
		return false;
	if (c->dead)
		return true;
	if (waiting(c) == 0)
		n = nd_sock_send(c->fd, b->p, b->len, NULL, 0, NULL);
	if (n >= 0 && (size_t)n < b->len) {
		nd_buf_append(&c->out, b->p + n, b->len - (size_t)n);
		ev_io_start(c->set->loop, &c->writer);
	}
	if (n < 0 || c->out.bad)
		rpc_conn_drop(c);
	return true;
}

bool rpc_queue(struct rpc_conn *c)
{
	const struct nd_buf *b = &c->set->frame;

	if (!complete(&c->set->frame))
		return false;
	if (c->dead || c->closing)
		return true;
	if (waiting(c) + b->len > RPC_EVENTS_MAX)
		c->dead = true;
	else
		nd_buf_append(&c->out, b->p, b->len);
	if (c->out.bad)
		c->dead = true;
	wake(c);
	return true;
}

/* One sendmsg of what waits. */
static void flush(struct rpc_conn *c)
{
	ssize_t n;

	if (c->dead || waiting(c) == 0)
		return;
	n = nd_sock_send(c->fd, c->out.p + c->out_pos, waiting(c), NULL, 0, NULL);
	if (n < 0) {
		c->dead = true;
		return;
	}
	c->out_pos += (size_t)n;
	if (waiting(c) > 0) {
		/*
		 * What left makes room only when it is dropped from the front: now and then, since that moves
		 * the rest.
		 */
		if (c->out_pos > c->out.len / 2) {
			nd_buf_consume(&c->out, c->out_pos);
			c->out_pos = 0;
		}
		ev_io_start(c->set->loop, &c->writer);
		return;
	}
	ev_io_stop(c->set->loop, &c->writer);
	nd_buf_done(&c->out);
	c->out_pos = 0;
}

void rpc_conn_finish(struct rpc_conn *c)
{
	c->closing = true;
	ev_io_stop(c->set->loop, &c->reader);
	wake(c);
}

/* ---- receiving ---- */

static bool can_take(const struct rpc_conn *c)
{
	return c->calls < RPC_CALLS_MAX && !c->closing && !c->dead && waiting(c) == 0;
}

/*
 * The header at the front of r. A message is known by its first word before all of it is here.
 * Return: its length, 0 while the header is not whole.
 */
static size_t read_header(struct nd_reader *r, struct rpc_header *ret)
{
	size_t len;

	if (nd_reader_left(r) < RPC_HEADER_LEN)
		return 0;
	len = nd_read_be32(r);
	ret->prog = nd_read_be32(r);
	ret->vers = nd_read_be32(r);
	ret->proc = nd_read_be32(r);
	ret->type = nd_read_be32(r);
	ret->serial = nd_read_be32(r);
	ret->status = nd_read_be32(r);
	return len;
}

/* Gives out the message at the front of p, if it is whole. Return: bytes used up. */
static size_t give(struct rpc_conn *c, const uint8_t *p, size_t len)
{
	struct nd_reader r = nd_reader(p, len), body;
	struct rpc_header h;
	size_t frame_len = read_header(&r, &h);

	if (frame_len == 0 && len < RPC_HEADER_LEN)
		return 0;
	if (frame_len < RPC_HEADER_LEN) {
		c->dead = true; /* not this protocol */
		return len;
	}
	if (frame_len > c->request_max) {
		c->set->ops->on_too_long(c, c->user, &h, frame_len);
		return len;
	}
	if (frame_len > len)
		return 0;
	body = nd_read_sub(&r, frame_len - RPC_HEADER_LEN);
	c->set->ops->on_message(c, c->user, &h, body);
	return frame_len;
}

/* Whether give() would find a whole message, or one it has to refuse. */
static bool has_message(const struct rpc_conn *c)
{
	struct nd_reader r = nd_reader(c->in.p, c->in.len);
	struct rpc_header h;
	size_t len = read_header(&r, &h);

	return c->in.len >= RPC_HEADER_LEN &&
	       (len <= c->in.len || len < RPC_HEADER_LEN || len > c->request_max);
}

static void take_next(struct rpc_conn *c)
{
	if (!can_take(c) || c->in.len == 0)
		return;
	nd_buf_consume(&c->in, give(c, c->in.p, c->in.len));
	if (c->in.len == 0)
		nd_buf_done(&c->in);
}

/* The same for bytes that just came; what is left of them is kept. */
static void take_new(struct rpc_conn *c, const uint8_t *p, size_t len)
{
	size_t used = c->in.len == 0 && can_take(c) ? give(c, p, len) : 0;

	if (used == len)
		return;
	nd_buf_append(&c->in, p + used, len - used);
	if (c->in.bad)
		c->dead = true;
	else if (used == 0)
		take_next(c);
}

/* Whether the peer closed both directions, not only its sending one. */
static bool hung_up(const struct rpc_conn *c)
{
	struct pollfd p = { .fd = c->fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

/* After anything happened: what follows from the state. c may be gone afterwards. */
static void settle(struct rpc_conn *c)
{
	struct rpc_set *s = c->set;

	if (can_take(c) && has_message(c))
		wake(c);
	else if (can_take(c) && c->eof && c->calls == 0)
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

static void read_once(struct rpc_conn *c)
{
	struct rpc_set *s = c->set;
	bool again;
	ssize_t n;

	n = nd_sock_recv(c->fd, s->scratch, sizeof s->scratch, NULL, 0, NULL, &again, NULL);
	if (n > 0) {
		c->heard = ev_now(s->loop);
		take_new(c, s->scratch, (size_t)n);
	} else if (n < 0 || (!again && hung_up(c))) {
		c->dead = true;
	} else if (!again) {
		c->eof = true;
	}
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct rpc_conn *c = container_of(w, struct rpc_conn, reader);

	read_once(c);
	settle(c);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct rpc_conn *c = container_of(w, struct rpc_conn, writer);

	flush(c);
	settle(c);
}

static void on_linger(struct ev_loop *loop, ev_timer *w, int revents)
{
	conn_free(container_of(w, struct rpc_conn, linger));
}

/*
 * The ready list's walk: each connection that is on it now, once. Those put on it meanwhile are for the next
 * turn.
 */
static void on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct rpc_set *s = container_of(w, struct rpc_set, prepare);
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
		struct rpc_conn *c = container_of(now.next, struct rpc_conn, ready);

		nd_list_remove(&c->ready);
		flush(c);
		take_next(c);
		settle(c);
	}
}

/* ---- life ---- */

struct rpc_set *rpc_set_new(struct ev_loop *loop, const struct rpc_ops *ops)
{
	struct rpc_set *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->loop = loop;
	s->ops = ops;
	s->frame.max = RPC_REPLY_MAX;
	nd_list_init(&s->all);
	nd_list_init(&s->ready);
	ev_prepare_init(&s->prepare, on_prepare);
	ev_idle_init(&s->idle, nothing);
	return s;
}

void rpc_set_free(struct rpc_set *s)
{
	if (!s)
		return;
	while (!nd_list_empty(&s->all))
		conn_free(container_of(s->all.next, struct rpc_conn, all));
	ev_prepare_stop(s->loop, &s->prepare);
	ev_idle_stop(s->loop, &s->idle);
	nd_buf_done(&s->frame);
	free(s);
}

size_t rpc_set_count(const struct rpc_set *s)
{
	return s->cnt;
}

struct ev_loop *rpc_set_loop(const struct rpc_set *s)
{
	return s->loop;
}

struct rpc_conn *rpc_conn_new(struct rpc_set *s, int fd, void *user, size_t request_max)
{
	struct rpc_conn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->set = s;
	c->user = user;
	c->fd = fd;
	c->heard = ev_now(s->loop);
	c->request_max = request_max;
	c->in.max = request_max + RPC_READ_LEN;
	/* Every call that waits may end with its answer behind whole events. */
	c->out.max = RPC_REPLY_MAX * 2;
	nd_list_init(&c->ready);
	nd_list_append(&s->all, &c->all);
	ev_io_init(&c->reader, on_readable, fd, EV_READ);
	ev_io_init(&c->writer, on_writable, fd, EV_WRITE);
	ev_timer_init(&c->linger, on_linger, RPC_LINGER_S, 0);
	s->cnt++;
	return c;
}

void rpc_conn_start(struct rpc_conn *c)
{
	read_once(c);
	settle(c);
}

struct rpc_set *rpc_conn_set(const struct rpc_conn *c)
{
	return c->set;
}

double rpc_conn_heard(const struct rpc_conn *c)
{
	return c->heard;
}

void rpc_conn_hold(struct rpc_conn *c)
{
	c->calls++;
}

void rpc_conn_release(struct rpc_conn *c)
{
	c->calls--;
	if (c->in.len > 0 || c->eof)
		wake(c);
}

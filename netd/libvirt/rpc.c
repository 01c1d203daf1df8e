// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: connections of libvirt's RPC
 *
 * A message is a length word (which counts itself), six header words, and a body. A connection gives whole
 * messages to on_message, one after the other, and sends what it is given; what it keeps and when it reads is
 * netd/conn's. Of that, here:
 *
 * - Answers may leave in any order, since each has its call's serial: RPC_CALLS_MAX calls may wait for their
 *   end.
 * - A message longer than the connection's bound is answered with an error and the connection closed, as soon
 *   as its header is here.
 * - A client that lets RPC_EVENTS_MAX wait when one more event comes is dropped: it must not believe it has
 *   seen all.
 * - No descriptors go out.
 */
#include "netd/libvirt/rpc.h"
#include "base/mem.h"
#include "netd/conn/stream.h"

struct rpc_set {
	struct stream_set set;
	const struct rpc_ops *ops;
};

struct rpc_conn {
	struct stream stream;
	void *user;
};

static struct rpc_conn *conn_of(const struct stream *s)
{
	return (struct rpc_conn *)container_of(s, struct rpc_conn, stream);
}

static const struct rpc_ops *ops_of(const struct rpc_conn *c)
{
	return rpc_conn_set(c)->ops;
}

/* ---- sending ---- */

struct nd_buf *rpc_begin(struct rpc_conn *c, const struct rpc_header *h)
{
	const uint32_t words[] = { 0, h->prog, h->vers, h->proc, h->type, h->serial, h->status };
	struct nd_buf *b = stream_frame(c->stream.set);
	uint8_t head[RPC_HEADER_LEN];
	struct nd_writer w = nd_writer(head, sizeof head);

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
	if (!complete(&c->stream.set->frame))
		return false;
	stream_send(&c->stream, NULL, 0);
	return true;
}

bool rpc_queue(struct rpc_conn *c)
{
	if (!complete(&c->stream.set->frame))
		return false;
	stream_queue(&c->stream);
	return true;
}

void rpc_conn_finish(struct rpc_conn *c)
{
	stream_finish(&c->stream);
}

void rpc_conn_drop(struct rpc_conn *c)
{
	stream_drop(&c->stream);
}

/* ---- receiving ---- */

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

static size_t take(struct stream *s, const uint8_t *p, size_t len, size_t scanned)
{
	struct nd_reader r = nd_reader(p, len), body;
	struct rpc_conn *c = conn_of(s);
	struct rpc_header h;
	size_t frame_len = read_header(&r, &h);

	if (frame_len == 0 && len < RPC_HEADER_LEN)
		return 0;
	if (frame_len < RPC_HEADER_LEN) {
		stream_drop(s); /* not this protocol */
		return len;
	}
	if (frame_len > s->bounds.frame_max) {
		ops_of(c)->on_too_long(c, c->user, &h, frame_len);
		return len;
	}
	if (frame_len > len)
		return 0;
	body = nd_read_sub(&r, frame_len - RPC_HEADER_LEN);
	ops_of(c)->on_message(c, c->user, &h, body);
	return frame_len;
}

static bool is_whole(const struct stream *s, const uint8_t *p, size_t len, size_t scanned)
{
	struct nd_reader r = nd_reader(p, len);
	struct rpc_header h;
	size_t frame_len = read_header(&r, &h);

	return len >= RPC_HEADER_LEN &&
	       (frame_len <= len || frame_len < RPC_HEADER_LEN || frame_len > s->bounds.frame_max);
}

/* ---- life ---- */

static void on_closed(struct stream *s)
{
	struct rpc_conn *c = conn_of(s);

	ops_of(c)->on_closed(c, c->user);
	free(c);
}

static const struct stream_ops stream_ops = { .take = take, .is_whole = is_whole, .on_closed = on_closed };

struct rpc_set *rpc_set_new(struct ev_loop *loop, const struct rpc_ops *ops)
{
	struct rpc_set *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->ops = ops;
	stream_set_init(&s->set, loop, &stream_ops, RPC_REPLY_MAX);
	return s;
}

void rpc_set_free(struct rpc_set *s)
{
	if (!s)
		return;
	stream_set_done(&s->set);
	free(s);
}

size_t rpc_set_count(const struct rpc_set *s)
{
	return s->set.cnt;
}

struct ev_loop *rpc_set_loop(const struct rpc_set *s)
{
	return s->set.loop;
}

int rpc_set_admit(struct rpc_set *s, uid_t uid, bool admin, struct nd_error *e)
{
	return stream_set_admit(&s->set, uid, admin, e);
}

struct rpc_conn *rpc_conn_new(struct rpc_set *s, int fd, uid_t uid, void *user, size_t request_max)
{
	const struct stream_bounds bounds = {
		.frame_max = request_max,
		.out_max = RPC_REPLY_MAX *
			   2, /* every call that waits may end with its answer behind whole events */
		.queue_max = RPC_EVENTS_MAX,
		.calls = RPC_CALLS_MAX,
	};
	struct rpc_conn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->user = user;
	stream_init(&c->stream, &s->set, fd, uid, &bounds);
	return c;
}

void rpc_conn_start(struct rpc_conn *c)
{
	stream_start(&c->stream);
}

struct rpc_set *rpc_conn_set(const struct rpc_conn *c)
{
	return container_of(c->stream.set, struct rpc_set, set);
}

double rpc_conn_heard(const struct rpc_conn *c)
{
	return c->stream.heard;
}

void rpc_conn_hold(struct rpc_conn *c)
{
	stream_hold(&c->stream);
}

void rpc_conn_release(struct rpc_conn *c)
{
	stream_release(&c->stream);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: connections of Varlink
 *
 * A frame is a JSON object and a NUL. A connection gives one frame at a time to on_frame and sends what it is
 * given; what it keeps and when it reads is netd/conn's. Of that, here:
 *
 * - The next frame is looked at only when the last one is answered: calls are answered in order, and at most
 *   one answer waits.
 * - A frame longer than the connection's request_max is answered with an error and the connection closed; so
 *   is a reader of a stream that lets CONN_STREAM_MAX wait: what waited is dropped up to the end of the frame
 *   it may have a part of.
 * - An answer that is too long is replaced by an error that says so.
 */
#include "netd/api/conn.h"
#include "base/mem.h"
#include "netd/conn/stream.h"

struct conn_set {
	struct stream_set set;
	const struct conn_ops *ops;
};

struct conn {
	struct stream stream;
	void *user;
};

static struct conn *conn_of(const struct stream *s)
{
	return (struct conn *)container_of(s, struct conn, stream);
}

static const struct conn_ops *ops_of(const struct conn *c)
{
	return container_of(c->stream.set, struct conn_set, set)->ops;
}

/* Sending */

/*
 * The frame as bytes in the set's buffer; where it is too long, an error that says so. Return: false when not
 * even that.
 */
static bool encode(struct stream_set *set, const json_t *frame, bool *ret_replaced)
{
	struct nd_buf *bytes = stream_frame(set);
	struct nd_error e = ND_ERROR_INIT;
	json_t *error;
	bool ok;

	*ret_replaced = false;
	if (frame && api_frame_append(bytes, frame, &e) == 0)
		return true;
	if (!frame)
		nd_fail(&e, ND_MEMORY, "the reply");
	*ret_replaced = true;
	error = conn_error_frame(&e);
	ok = error && api_frame_append(bytes, error, NULL) == 0;
	json_decref(error);
	return ok;
}

void conn_send(struct conn *c, const json_t *frame, const int *fds, size_t fd_cnt)
{
	size_t send_cnt = fd_cnt;
	bool replaced;

	if (!encode(c->stream.set, frame, &replaced)) {
		stream_drop(&c->stream);
		stream_frame(c->stream.set);
	} else if (replaced) {
		send_cnt = 0;
	}
	for (size_t i = send_cnt; i < fd_cnt; i++)
		ops_of(c)->close_fd(c, c->user, fds[i]);
	stream_send(&c->stream, fds, send_cnt);
}

void conn_stream(struct conn *c, const json_t *frame)
{
	bool replaced;

	if (encode(c->stream.set, frame, &replaced))
		stream_queue(&c->stream);
	else
		stream_drop(&c->stream);
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

void conn_next(struct conn *c)
{
	stream_release(&c->stream);
}

void conn_finish(struct conn *c)
{
	stream_finish(&c->stream);
}

/* Receiving */

static void refuse_length(struct conn *c)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *frame;

	nd_fail(&e, ND_LIMIT, "a call is longer than %zu bytes", c->stream.bounds.frame_max);
	frame = conn_error_frame(&e);
	conn_send(c, frame, NULL, 0);
	json_decref(frame);
	conn_finish(c);
}

static size_t take(struct stream *s, const uint8_t *p, size_t len, size_t scanned)
{
	const uint8_t *end = len > scanned ? memchr(p + scanned, 0, len - scanned) : NULL;
	size_t frame_len = end ? (size_t)(end - p) : len;
	struct conn *c = conn_of(s);

	if (frame_len > s->bounds.frame_max) {
		refuse_length(c);
		return len;
	}
	if (!end)
		return 0;
	stream_hold(s);
	ops_of(c)->on_frame(c, c->user, (const char *)p, frame_len);
	return frame_len + 1;
}

static bool is_whole(const struct stream *s, const uint8_t *p, size_t len, size_t scanned)
{
	return len > scanned; /* take will know */
}

/* Of what waits only the frame is left that the reader may have a part of. */
static void on_overrun(struct stream *s)
{
	struct conn *c = conn_of(s);
	const uint8_t *from, *end;
	size_t len = stream_waiting(s, &from);

	end = len > 0 ? memchr(from, 0, len) : NULL;
	if (end)
		stream_forget(s, (size_t)(end - from) + 1);
	ops_of(c)->on_overrun(c, c->user);
}

static void close_fd(struct stream *s, int fd)
{
	struct conn *c = conn_of(s);

	ops_of(c)->close_fd(c, c->user, fd);
}

static void on_closed(struct stream *s)
{
	struct conn *c = conn_of(s);

	ops_of(c)->on_closed(c, c->user);
	free(c);
}

static const struct stream_ops stream_ops = { take, is_whole, on_overrun, close_fd, on_closed };

/* Life */

struct conn_set *conn_set_new(struct ev_loop *loop, const struct conn_ops *ops)
{
	struct conn_set *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ops = ops;
	stream_set_init(&s->set, loop, &stream_ops, API_REPLY_MAX + 1);
	return s;
}

void conn_set_free(struct conn_set *s)
{
	if (!s)
		return;
	stream_set_done(&s->set);
	free(s);
}

size_t conn_set_count(const struct conn_set *s)
{
	return s->set.cnt;
}

int conn_set_admit(struct conn_set *s, uid_t uid, bool admin, struct nd_error *e)
{
	return stream_set_admit(&s->set, uid, admin, e);
}

struct conn *conn_new(struct conn_set *s, int fd, uid_t uid, void *user)
{
	const struct stream_bounds bounds = {
		.frame_max = API_REQUEST_MAX,
		.out_max = API_REPLY_MAX + CONN_STREAM_MAX + 1,
		.queue_max = CONN_STREAM_MAX,
		.calls = 1,
	};
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->user = user;
	stream_init(&c->stream, &s->set, fd, uid, &bounds);
	return c;
}

void conn_limit(struct conn *c, size_t request_max)
{
	stream_limit(&c->stream, request_max);
}

void conn_start(struct conn *c)
{
	stream_start(&c->stream);
}

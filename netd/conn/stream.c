// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: connections, whatever is spoken on them
 *
 * The rules that keep one client from harming the others, or the daemon:
 *
 * - One recvmsg of STREAM_READ_LEN and one frame per connection and loop turn. A second frame that is here
 *   already waits for the next turn: its stream is put on the ready list, which a prepare watcher walks once
 *   per turn, and an idle watcher keeps the loop from sleeping meanwhile.
 * - The next frame is looked at only when all answers so far are with the kernel, and fewer calls than the
 *   protocol's bound wait for their end. So a client that sends but never reads stops itself. Meanwhile at
 *   most one frame and one read more are kept of what it sends, then nothing is read.
 * - A reader that lets queue_max wait when one more frame is queued has missed something: the protocol says
 *   so and closes, or the stream is dropped.
 * - Of the connections of a set, STREAM_RESERVE are for administrators only, so that nobody without rights can
 *   keep the daemon's masters out; and one such user has STREAM_UID_MAX at most, so that none keeps out the
 *   others, or has an answer wait in each of a thousand.
 * - Memory: bytes are received in a buffer of the set, frames are encoded in another. A stream has buffers of
 *   its own only while part of a frame is missing, or the socket did not take an answer whole.
 *
 * Descriptors go out with the sendmsg that carries the frame's first byte; they are sent only by protocols
 * whose calls do not overlap, so that nothing else waits then. Descriptors that come in are closed by
 * nd_sock_recv.
 *
 * Life: a stream is closed only by its own watchers and the ready list's walk, never inside stream_send and
 * the like: these only mark it dead. So neither a take up the stack nor a caller with a late answer can lose
 * it under its hands.
 *
 * End of stream: a peer that closed both ways (POLLHUP) is dropped at once; one that only ended its sending
 * (a shell pipe) gets its answers first.
 */
#include "netd/conn/stream.h"
#include "base/mem.h"
#include "base/sock.h"

#include <poll.h>

#define LOG_EVERY_MS 60000
#define FRAME_KEEP   (256 * 1024) /* the set's buffer shrinks after a frame longer than this */

static void nothing(struct ev_loop *loop, ev_idle *w, int revents)
{
}

/* Has the ready list's walk look at s before the loop sleeps. */
static void wake(struct stream *s)
{
	struct stream_set *set = s->set;

	if (nd_list_linked(&s->ready))
		return;
	nd_list_append(&set->ready, &s->ready);
	ev_prepare_start(set->loop, &set->prepare);
	ev_idle_start(set->loop, &set->idle);
}

void stream_drop(struct stream *s)
{
	s->dead = true;
	wake(s);
}

size_t stream_waiting(const struct stream *s, const uint8_t **ret_p)
{
	*ret_p = s->out.p + s->out_pos;
	return s->out.len - s->out_pos;
}

void stream_forget(struct stream *s, size_t len)
{
	s->out.len = s->out_pos + len;
}

static bool is_waiting(const struct stream *s)
{
	return s->out.len > s->out_pos;
}

static void close_fds(struct stream *s, const int *fds, size_t fd_cnt)
{
	for (size_t i = 0; i < fd_cnt; i++)
		s->set->ops->close_fd(s, fds[i]);
}

static void drop_fds(struct stream *s)
{
	close_fds(s, s->fds, s->fd_cnt);
	free(take_ptr(s->fds));
	s->fd_cnt = 0;
}

static void stream_close(struct stream *s)
{
	struct stream_set *set = s->set;

	ev_io_stop(set->loop, &s->reader);
	ev_io_stop(set->loop, &s->writer);
	ev_timer_stop(set->loop, &s->linger);
	nd_list_remove(&s->ready);
	nd_list_remove(&s->all);
	set->cnt--;
	drop_fds(s);
	nd_buf_done(&s->in);
	nd_buf_done(&s->out);
	close(s->fd);
	set->ops->on_closed(s);
}

/* ---- sending ---- */

struct nd_buf *stream_frame(struct stream_set *set)
{
	if (set->frame.size > FRAME_KEEP)
		nd_buf_done(&set->frame);
	nd_buf_reset(&set->frame);
	return &set->frame;
}

/* Keeps what the socket did not take: all but n bytes. Return: whether it kept fds, too: while n is 0. */
static bool keep_rest(struct stream *s, const struct nd_buf *frame, size_t n, const int *fds, size_t fd_cnt)
{
	nd_buf_append(&s->out, frame->p + n, frame->len - n);
	if (n == 0 && fd_cnt > 0) {
		s->fds = malloc(fd_cnt * sizeof *fds);
		if (s->fds) {
			memcpy(s->fds, fds, fd_cnt * sizeof *fds);
			s->fd_cnt = fd_cnt;
		}
	}
	if (s->out.bad || (n == 0 && fd_cnt > 0 && !s->fds))
		stream_drop(s);
	else
		ev_io_start(s->set->loop, &s->writer);
	return s->fd_cnt > 0;
}

void stream_send(struct stream *s, const int *fds, size_t fd_cnt)
{
	const struct nd_buf *frame = &s->set->frame;
	bool kept = false;
	ssize_t n = 0;

	if (!s->dead && !is_waiting(s))
		n = nd_sock_send(s->fd, frame->p, frame->len, fds, fd_cnt, NULL);
	if (n < 0)
		stream_drop(s);
	else if (!s->dead && (size_t)n < frame->len)
		kept = keep_rest(s, frame, (size_t)n, fds, fd_cnt);
	if (!kept)
		close_fds(s, fds, fd_cnt);
}

void stream_queue(struct stream *s)
{
	const struct nd_buf *frame = &s->set->frame;

	if (s->dead || s->overrun || s->closing)
		return;
	if (s->out.len - s->out_pos + frame->len > s->bounds.queue_max)
		s->overrun = true;
	else
		nd_buf_append(&s->out, frame->p, frame->len);
	if (s->out.bad || (s->overrun && !s->set->ops->on_overrun))
		s->dead = true;
	wake(s);
}

/* What left makes room only when it is dropped from the front: now and then, since that moves the rest. */
static void compact(struct stream *s)
{
	if (s->out_pos > s->out.len / 2) {
		nd_buf_consume(&s->out, s->out_pos);
		s->out_pos = 0;
	}
}

/* One sendmsg of what waits. */
static void flush(struct stream *s)
{
	const uint8_t *p;
	size_t len = stream_waiting(s, &p);
	ssize_t n;

	if (s->dead || len == 0)
		return;
	n = nd_sock_send(s->fd, p, len, s->fds, s->fd_cnt, NULL);
	if (n < 0) {
		s->dead = true;
		return;
	}
	if (n > 0)
		drop_fds(s);
	s->out_pos += (size_t)n;
	if ((size_t)n < len) {
		compact(s);
		ev_io_start(s->set->loop, &s->writer);
		return;
	}
	ev_io_stop(s->set->loop, &s->writer);
	nd_buf_done(&s->out);
	s->out_pos = 0;
}

void stream_finish(struct stream *s)
{
	s->closing = true;
	ev_io_stop(s->set->loop, &s->reader);
	wake(s);
}

/* ---- receiving ---- */

static bool can_take(const struct stream *s)
{
	return s->calls < s->bounds.calls && !s->closing && !s->dead && !is_waiting(s);
}

static void take_next(struct stream *s)
{
	size_t used;

	if (!can_take(s) || s->in.len == 0)
		return;
	used = s->set->ops->take(s, s->in.p, s->in.len, s->in_scanned);
	nd_buf_consume(&s->in, used);
	s->in_scanned = used ? 0 : s->in.len;
	if (s->in.len == 0)
		nd_buf_done(&s->in);
}

/* The same for bytes that just came; what is left of them is kept. */
static void take_new(struct stream *s, const uint8_t *p, size_t len)
{
	size_t used = s->in.len == 0 && can_take(s) ? s->set->ops->take(s, p, len, 0) : 0;

	if (used == len)
		return;
	nd_buf_append(&s->in, p + used, len - used);
	if (s->in.bad)
		s->dead = true;
	else if (used == 0)
		take_next(s);
}

/* Whether the peer closed both directions, not only its sending one. */
static bool hung_up(const struct stream *s)
{
	struct pollfd p = { .fd = s->fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

static void read_once(struct stream *s)
{
	struct stream_set *set = s->set;
	bool again;
	ssize_t n = nd_sock_recv(s->fd, set->scratch, sizeof set->scratch, NULL, 0, NULL, &again, NULL);

	if (n > 0) {
		s->heard = ev_now(set->loop);
		take_new(s, set->scratch, (size_t)n);
	} else if (n < 0 || (!again && hung_up(s))) {
		s->dead = true;
	} else if (!again) {
		s->eof = true;
	}
}

/* ---- the loop ---- */

/* After anything happened: what follows from the state. s may be gone afterwards. */
static void settle(struct stream *s)
{
	struct stream_set *set = s->set;

	if (s->overrun && !s->dead && !s->closing)
		set->ops->on_overrun(s);
	if (can_take(s) && set->ops->is_whole(s, s->in.p, s->in.len, s->in_scanned))
		wake(s);
	else if (can_take(s) && s->eof && s->calls == 0)
		s->dead = true; /* all is answered */
	if (s->closing && !is_waiting(s))
		s->dead = true;
	if (s->dead) {
		stream_close(s);
		return;
	}
	if (s->closing) {
		if (!ev_is_active(&s->linger))
			ev_timer_start(set->loop, &s->linger);
	} else if (!s->eof && s->in.len <= s->bounds.frame_max) {
		ev_io_start(set->loop, &s->reader);
	} else {
		ev_io_stop(set->loop, &s->reader);
	}
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct stream *s = container_of(w, struct stream, reader);

	read_once(s);
	settle(s);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct stream *s = container_of(w, struct stream, writer);

	flush(s);
	settle(s);
}

static void on_linger(struct ev_loop *loop, ev_timer *w, int revents)
{
	stream_close(container_of(w, struct stream, linger));
}

/*
 * The ready list's walk: each stream that is on it now, once. Those put on it meanwhile are for the next
 * turn.
 */
static void on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct stream_set *set = container_of(w, struct stream_set, prepare);
	struct nd_list now;

	nd_list_init(&now);
	ev_prepare_stop(loop, &set->prepare);
	ev_idle_stop(loop, &set->idle);
	while (!nd_list_empty(&set->ready)) {
		struct nd_list *item = set->ready.next;

		nd_list_remove(item);
		nd_list_append(&now, item);
	}
	while (!nd_list_empty(&now)) {
		struct stream *s = container_of(now.next, struct stream, ready);

		nd_list_remove(&s->ready);
		flush(s);
		take_next(s);
		settle(s);
	}
}

/* ---- life ---- */

void stream_set_init(struct stream_set *set, struct ev_loop *loop, const struct stream_ops *ops,
		     size_t frame_max)
{
	set->loop = loop;
	set->ops = ops;
	set->cnt = 0;
	set->full = (struct nd_ratelimit){ 0 };
	set->frame = (struct nd_buf){ .max = frame_max };
	nd_list_init(&set->all);
	nd_list_init(&set->ready);
	ev_prepare_init(&set->prepare, on_prepare);
	ev_idle_init(&set->idle, nothing);
}

void stream_set_done(struct stream_set *set)
{
	while (!nd_list_empty(&set->all))
		stream_close(container_of(set->all.next, struct stream, all));
	ev_prepare_stop(set->loop, &set->prepare);
	ev_idle_stop(set->loop, &set->idle);
	nd_buf_done(&set->frame);
}

static size_t count_of(const struct stream_set *set, uid_t uid)
{
	const struct stream *s;
	size_t cnt = 0;

	nd_list_foreach(s, &set->all, all)
		cnt += s->uid == uid;
	return cnt;
}

int stream_set_admit(struct stream_set *set, uid_t uid, bool admin, struct nd_error *e)
{
	size_t max = admin ? STREAM_MAX : STREAM_MAX - STREAM_RESERVE;
	unsigned suppressed;
	int r = 0;

	if (set->cnt >= max)
		r = nd_fail(e, ND_LIMIT, "netd has %zu connections open and takes no more: try again later",
			    max);
	else if (!admin && count_of(set, uid) >= STREAM_UID_MAX)
		r = nd_fail(e, ND_LIMIT, "uid %u has %d connections to netd open and may have no more",
			    (unsigned)uid, STREAM_UID_MAX);
	if (r < 0 && nd_ratelimit_pass(&set->full, nd_now_ms(), LOG_EVERY_MS, 1, &suppressed))
		nd_log_error(ND_LOG_WARNING, e, "a connection of uid %u is refused", (unsigned)uid);
	return r;
}

void stream_init(struct stream *s, struct stream_set *set, int fd, uid_t uid,
		 const struct stream_bounds *bounds)
{
	s->set = set;
	s->fd = fd;
	s->uid = uid;
	s->heard = ev_now(set->loop);
	s->bounds = *bounds;
	stream_limit(s, bounds->frame_max);
	s->out.max = bounds->out_max;
	nd_list_init(&s->ready);
	nd_list_append(&set->all, &s->all);
	ev_io_init(&s->reader, on_readable, fd, EV_READ);
	ev_io_init(&s->writer, on_writable, fd, EV_WRITE);
	ev_timer_init(&s->linger, on_linger, STREAM_LINGER_S, 0);
	set->cnt++;
}

void stream_limit(struct stream *s, size_t frame_max)
{
	s->bounds.frame_max = frame_max;
	s->in.max = frame_max + STREAM_READ_LEN + 1;
}

void stream_start(struct stream *s)
{
	read_once(s);
	settle(s);
}

void stream_hold(struct stream *s)
{
	s->calls++;
}

void stream_release(struct stream *s)
{
	s->calls--;
	if (s->in.len > 0 || s->eof)
		wake(s);
}

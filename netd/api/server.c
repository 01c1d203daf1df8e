// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the Varlink server
 *
 * Takes connections up, a few per loop turn and no more than netd/conn has room for. One too many gets an error
 * as its answer and is closed. With no descriptor left for a connection, the listener rests for a moment
 * instead of spinning.
 *
 * Credentials are those of the moment of connect(2) (SO_PEERCRED, unix(7)): a client that drops privileges
 * afterwards keeps what it had.
 */
#include "netd/api/server.h"
#include "base/log.h"
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/reaper.h"

#include <errno.h>
#include <ev.h>
#include <sys/socket.h>

#define ACCEPT_MAX         16   /* per loop turn */
#define OTHERS_REQUEST_MAX 4096 /* bytes of a call: who may not define networks sends no XML */
#define ACCEPT_REST_S      0.1
#define LOG_EVERY_MS       60000

struct api_server {
	struct core *core;
	int fd;
	ev_io listener;
	ev_timer rest;
	struct conn_set *conns;
	struct call_service service;
	struct nd_ratelimit rest_limit;
};

static int allow(void *arg, const struct call_peer *peer, enum access_level need, const char *what,
		 struct nd_error *e)
{
	struct core *c = arg;

	return access_require(c->settings, peer->level, need, &peer->cred, what, e);
}

static void close_off_loop(void *arg, int fd)
{
	reaper_close(((struct core *)arg)->reaper, fd);
}

/* Says why, as far as the socket takes it, and closes. */
static void refuse(int fd, const struct nd_error *e)
{
	struct nd_buf out = { .max = 0 };
	json_t *frame = conn_error_frame(e);

	if (frame && api_frame_append(&out, frame, NULL) == 0)
		nd_sock_send(fd, out.p, out.len, NULL, 0, NULL);
	json_decref(frame);
	nd_buf_done(&out);
	close(fd);
}

static int take(struct api_server *s, int fd, struct nd_error *e)
{
	struct call_session *session;
	struct call_peer peer;
	struct conn *c;
	int r = nd_sock_peer(fd, &peer.cred, e);

	if (r < 0)
		return r;
	peer.level = access_of_peer(s->core->settings, fd, &peer.cred);
	r = conn_set_admit(s->conns, peer.cred.uid, peer.level >= ACCESS_ADMIN, e);
	if (r < 0)
		return r;
	session = call_session_new(&s->service, &peer);
	c = session ? conn_new(s->conns, fd, peer.cred.uid, session) : NULL;
	if (!c) {
		call_session_free(session);
		return nd_fail(e, ND_MEMORY, "a connection");
	}
	if (peer.level < ACCESS_ADMIN)
		conn_limit(
			c,
			OTHERS_REQUEST_MAX); /* else half calls of a user on each connection are a gigabyte */
	conn_start(c);
	return 0;
}

static bool out_of_descriptors(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static void on_connection(struct ev_loop *loop, ev_io *w, int revents)
{
	struct api_server *s = container_of(w, struct api_server, listener);

	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct nd_error e = ND_ERROR_INIT;
		int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), err = errno;
		unsigned suppressed;

		if (fd < 0 && out_of_descriptors(err)) {
			if (nd_ratelimit_pass(&s->rest_limit, nd_now_ms(), LOG_EVERY_MS, 1, &suppressed))
				nd_log(ND_LOG_WARNING, "cannot take a connection up: %s",
				       strerrordesc_np(err));
			ev_io_stop(loop, &s->listener);
			ev_timer_set(&s->rest, ACCEPT_REST_S,
				     0); /* a timer that ran holds what was left: 0 */
			ev_timer_start(loop, &s->rest);
		}
		if (fd < 0)
			return;
		if (take(s, fd, &e) < 0)
			refuse(fd, &e);
	}
}

static void on_rested(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct api_server *s = container_of(w, struct api_server, rest);

	ev_io_start(loop, &s->listener);
}

int api_server_new(struct core *c, int listen_fd, struct api_server **ret, struct nd_error *e)
{
	struct api_server *s = calloc(1, sizeof(*s));

	if (s)
		s->conns = conn_set_new(c->loop, &call_conn_ops);
	if (!s || !s->conns) {
		free(s);
		close(listen_fd);
		return nd_fail(e, ND_MEMORY, "the API's server");
	}
	s->core = c;
	s->fd = listen_fd;
	s->service = (struct call_service){
		.tables = methods_tables,
		.table_cnt = methods_table_cnt,
		.allow = allow,
		.close_fd = close_off_loop,
		.arg = c,
	};
	ev_io_init(&s->listener, on_connection, listen_fd, EV_READ);
	ev_init(&s->rest, on_rested);
	ev_io_start(c->loop, &s->listener);
	*ret = s;
	return 0;
}

void api_server_free(struct api_server *s)
{
	if (!s)
		return;
	ev_io_stop(s->core->loop, &s->listener);
	ev_timer_stop(s->core->loop, &s->rest);
	conn_set_free(s->conns);
	close(s->fd);
	free(s);
}

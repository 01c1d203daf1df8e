// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: one client of libvirt's protocol
 *
 * Three programs are known by their numbers: remote, keepalive, and admin, which is refused with a sentence.
 * A client of the remote program authenticates (AUTH_LIST; nothing is asked of it, since its credentials are
 * known from the socket), opens, works, closes; what comes out of order is answered with libvirt's own
 * errors. Each message is checked against its procedure's row before its function sees anything.
 *
 * A call is answered by its function at once or later; then it goes on without its client where that has gone
 * (proc_call.session NULL), since a definition on its way to the disk cannot be called back.
 *
 * Keepalive: a client with an event loop asks for it (feature 10). From then on it is pinged after
 * KEEPALIVE_S of silence, and given up after KEEPALIVE_PINGS without a byte of it. Its own pings are answered
 * always.
 */
#include "netd/libvirt/session.h"
#include "base/log.h"
#include "base/mem.h"
#include "netd/libvirt/call.h"
#include "netd/libvirt/procs.h"

enum { KEEPALIVE_PING = 1, KEEPALIVE_PONG = 2 };
#define KEEPALIVE_VERSION 1u
#define EVENT_SERIAL      1u /* what libvirt's daemons send; clients do not look at it */

/* ---- answers ---- */

static struct rpc_header answer_to(const struct rpc_header *h, enum rpc_status status)
{
	struct rpc_header answer = *h;

	answer.type = RPC_REPLY;
	answer.status = status;
	return answer;
}

static void send_error(struct rpc_conn *conn, const struct rpc_header *h, const struct libvirt_error *err)
{
	struct rpc_header answer = answer_to(h, RPC_ERROR);

	libvirt_error_put(rpc_begin(conn, &answer), err);
	if (!rpc_send(conn))
		rpc_conn_drop(conn);
}

static struct rpc_header call_header(const struct proc_call *call, enum rpc_status status)
{
	return (struct rpc_header){
		.prog = LIBVIRT_PROGRAM,
		.vers = LIBVIRT_VERSION,
		.proc = call->proc,
		.type = RPC_REPLY,
		.serial = call->serial,
		.status = status,
	};
}

static void call_end(struct proc_call *call)
{
	if (call->session)
		rpc_conn_release(call->session->conn);
	nd_list_remove(&call->link);
	xdr_free(call->row->in, call->in);
	free(call);
}

static void end_with_error(struct proc_call *call, const struct libvirt_error *err)
{
	struct rpc_header h = call_header(call, RPC_ERROR);

	if (call->session)
		send_error(call->session->conn, &h, err);
	call_end(call);
}

void proc_fail(struct proc_call *call, enum libvirt_code code, const char *fmt, ...)
{
	struct libvirt_error err;
	va_list ap;

	va_start(ap, fmt);
	libvirt_error_vset(&err, code, fmt, ap);
	va_end(ap);
	end_with_error(call, &err);
}

static enum libvirt_where where_of(const struct proc_row *row)
{
	return row->flags & PROC_DEFINITION ? LIBVIRT_IN_DEFINITION
	       : row->flags & PROC_UPDATE   ? LIBVIRT_IN_UPDATE
	       : row->flags & PROC_METADATA ? LIBVIRT_IN_METADATA
	       : row->flags & PROC_PORT     ? LIBVIRT_IN_PORT
					    : LIBVIRT_ANYWHERE;
}

void proc_fail_core(struct proc_call *call, const struct nd_error *e)
{
	struct libvirt_error err;

	libvirt_error_from_core(&err, e, where_of(call->row));
	end_with_error(call, &err);
}

struct nd_buf *proc_reply_begin(struct proc_call *call)
{
	struct rpc_header h = call_header(call, RPC_OK);

	return call->session ? rpc_begin(call->session->conn, &h) : NULL;
}

void proc_reply_end(struct proc_call *call)
{
	if (call->session && !rpc_send(call->session->conn))
		proc_fail(call, LIBVIRT_RPC, "the reply to %s is too long", call->row->api);
	else
		call_end(call);
}

void proc_reply_void(struct proc_call *call)
{
	proc_reply_begin(call);
	proc_reply_end(call);
}

void proc_reply_int(struct proc_call *call, int32_t v)
{
	struct nd_buf *b = proc_reply_begin(call);

	if (b)
		xdr_put_int(b, v);
	proc_reply_end(call);
}

void proc_reply_string(struct proc_call *call, const char *s)
{
	struct nd_buf *b = proc_reply_begin(call);

	if (b)
		xdr_put_string(b, s);
	proc_reply_end(call);
}

void proc_reply_network(struct proc_call *call, const struct network *n)
{
	struct nd_buf *b = proc_reply_begin(call);

	if (b)
		xdr_put_network(b, n->name, &n->uuid);
	proc_reply_end(call);
}

/* ---- the remote program ---- */

/* What can be said before the arguments are read. Return: whether the call may go on. */
static bool admit(const struct libvirt_session *s, const struct rpc_header *h, const struct proc_row *row,
		  struct libvirt_error *err)
{
	if (!s->authenticated && !(row && row->flags & PROC_BEFORE_AUTH)) {
		libvirt_error_set(err, LIBVIRT_RPC, "authentication required");
	} else if (!row) {
		libvirt_error_set(err, LIBVIRT_RPC, "unknown procedure: %u", h->proc);
	} else if (!s->opened && !(row->flags & PROC_BEFORE_OPEN)) {
		libvirt_error_set(err, LIBVIRT_INTERNAL, "connection not open");
	} else if (!row->name) {
		libvirt_error_set(err, LIBVIRT_NO_SUPPORT, "procedure %u", h->proc);
	} else if (row->flags & PROC_WRITE && s->read_only) {
		libvirt_error_set(err, LIBVIRT_OPERATION_DENIED, "read only access prevents %s", row->api);
	} else if (!row->call) {
		libvirt_error_set(err, LIBVIRT_NO_SUPPORT, "%s", row->api);
	} else {
		return true;
	}
	return false;
}

static struct proc_call *call_new(struct libvirt_session *s, const struct rpc_header *h,
				  const struct proc_row *row)
{
	struct proc_call *call = calloc(1, sizeof *call);

	if (!call)
		return NULL;
	call->session = s;
	call->core = s->core;
	call->serial = h->serial;
	call->proc = h->proc;
	call->row = row;
	nd_list_append(&s->calls, &call->link);
	rpc_conn_hold(s->conn);
	return call;
}

static void refuse(struct libvirt_session *s, const struct rpc_header *h, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The peer does not speak the protocol as it must: it is told, and that was it. */
static void refuse(struct libvirt_session *s, const struct rpc_header *h, const char *fmt, ...)
{
	struct libvirt_error err;
	va_list ap;

	va_start(ap, fmt);
	libvirt_error_vset(&err, LIBVIRT_RPC, fmt, ap);
	va_end(ap);
	send_error(s->conn, h, &err);
	rpc_conn_finish(s->conn);
}

static void on_remote(struct libvirt_session *s, const struct rpc_header *h, struct nd_reader body)
{
	const struct proc_row *row = proc_row(h->proc);
	struct libvirt_error err;
	struct proc_call *call;

	if (h->type != RPC_CALL || h->status != RPC_OK) {
		refuse(s, h, "Unexpected message type %u", h->type);
		return;
	}
	if (!admit(s, h, row, &err)) {
		send_error(s->conn, h, &err);
		return;
	}
	call = call_new(s, h, row);
	if (!call) {
		rpc_conn_drop(s->conn);
		return;
	}
	proc_dispatch(call, body);
}

/* ---- keepalive ---- */

static void send_keepalive(struct libvirt_session *s, uint32_t proc)
{
	struct rpc_header h = {
		.prog = KEEPALIVE_PROGRAM, .vers = KEEPALIVE_VERSION, .proc = proc, .type = RPC_MESSAGE
	};

	rpc_begin(s->conn, &h);
	if (!rpc_send(s->conn))
		rpc_conn_drop(s->conn);
}

static void on_keepalive(struct libvirt_session *s, const struct rpc_header *h, struct nd_reader body)
{
	if (h->proc == KEEPALIVE_PING && h->type == RPC_MESSAGE)
		send_keepalive(s, KEEPALIVE_PONG);
}

static void on_silence(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct libvirt_session *s = container_of(w, struct libvirt_session, keepalive);
	ev_tstamp silent = ev_now(loop) - rpc_conn_heard(s->conn);
	ev_tstamp next = s->silence_s;

	if (rpc_conn_heard(s->conn) >= s->pinged)
		s->pings = 0;
	if (silent < s->silence_s) {
		next = s->silence_s - silent;
	} else if (s->pings == KEEPALIVE_PINGS) {
		nd_log(ND_LOG_DEBUG, "libvirt client pid %d: no answer to %u pings", (int)s->peer.cred.pid,
		       s->pings);
		rpc_conn_drop(s->conn);
		return;
	} else {
		s->pings++;
		s->pinged = ev_now(loop);
		send_keepalive(s, KEEPALIVE_PING);
	}
	ev_timer_set(&s->keepalive, next, 0);
	ev_timer_start(loop, &s->keepalive);
}

void session_keepalive(struct libvirt_session *s)
{
	if (ev_is_active(&s->keepalive))
		return;
	ev_timer_init(&s->keepalive, on_silence, s->silence_s, 0);
	ev_timer_start(rpc_set_loop(rpc_conn_set(s->conn)), &s->keepalive);
}

/* ---- messages ---- */

/* virt-admin's own socket, and its program on any other. */
static void refuse_admin(struct libvirt_session *s, const struct rpc_header *h)
{
	struct libvirt_error err;

	libvirt_error_set(&err, LIBVIRT_NO_SUPPORT,
			  "netd has no administration protocol for virt-admin; see netdctl(1)");
	send_error(s->conn, h, &err);
}

static const struct program {
	uint32_t number, version;
	void (*on_message)(struct libvirt_session *s, const struct rpc_header *h, struct nd_reader body);
} programs[] = {
	{ LIBVIRT_PROGRAM, LIBVIRT_VERSION, on_remote },
	{ KEEPALIVE_PROGRAM, KEEPALIVE_VERSION, on_keepalive },
};

static void on_message(struct rpc_conn *conn, void *user, const struct rpc_header *h, struct nd_reader body)
{
	struct libvirt_session *s = user;
	struct libvirt_error err;

	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		if (programs[i].number != h->prog || programs[i].version != h->vers)
			continue;
		if (s->peer.socket == SESSION_ADMIN && h->prog != KEEPALIVE_PROGRAM)
			break;
		programs[i].on_message(s, h, body);
		return;
	}
	/* Never an error about what was no call: two such daemons would talk for ever. */
	if (h->type != RPC_CALL) {
		rpc_conn_drop(conn);
	} else if (h->prog == ADMIN_PROGRAM || s->peer.socket == SESSION_ADMIN) {
		refuse_admin(s, h);
	} else {
		libvirt_error_set(&err, LIBVIRT_RPC, "Cannot find program %u version %u", h->prog, h->vers);
		send_error(conn, h, &err);
	}
}

static void on_too_long(struct rpc_conn *conn, void *user, const struct rpc_header *h, size_t len)
{
	refuse(user, h, "a message of %zu bytes is longer than the %zu this client may send", len,
	       session_request_max(&((struct libvirt_session *)user)->peer));
}

/* ---- events ---- */

struct nd_buf *session_event_begin(struct libvirt_session *s, uint32_t proc)
{
	struct rpc_header h = { .prog = LIBVIRT_PROGRAM,
				.vers = LIBVIRT_VERSION,
				.proc = proc,
				.type = RPC_MESSAGE,
				.serial = EVENT_SERIAL };

	return rpc_begin(s->conn, &h);
}

void session_event_end(struct libvirt_session *s)
{
	if (!rpc_queue(s->conn))
		rpc_conn_drop(s->conn);
}

void session_events(struct libvirt_session *s, bool on)
{
	if (on && !s->events.ring)
		events_subscribe(s->core->events, &s->events);
	else if (!on)
		events_unsubscribe(&s->events);
}

/* ---- life ---- */

size_t session_request_max(const struct session_peer *peer)
{
	return peer->level >= ACCESS_ADMIN ? RPC_REQUEST_MAX : RPC_READER_MAX;
}

struct libvirt_session *libvirt_session_new(struct core *c, const struct session_peer *peer)
{
	struct libvirt_session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->core = c;
	s->peer = *peer;
	s->identity = peer->cred;
	s->read_only = peer->socket != SESSION_RW;
	s->silence_s = KEEPALIVE_S;
	s->events.fn = procs_on_event;
	nd_list_init(&s->calls);
	nd_list_init(&s->callbacks);
	nd_list_init(&s->events.link);
	return s;
}

void libvirt_session_start(struct libvirt_session *s, struct rpc_conn *conn)
{
	s->conn = conn;
	rpc_conn_start(conn);
}

void libvirt_session_free(struct libvirt_session *s)
{
	if (!s)
		return;
	procs_event_forget(s);
	if (s->conn)
		ev_timer_stop(rpc_set_loop(rpc_conn_set(s->conn)), &s->keepalive);
	while (!nd_list_empty(&s->calls)) {
		struct proc_call *call = container_of(s->calls.next, struct proc_call, link);

		nd_list_remove(&call->link);
		call->session = NULL;
	}
	free(s->uri);
	free(s);
}

static void on_closed(struct rpc_conn *conn, void *user)
{
	libvirt_session_free(user);
}

const struct rpc_ops libvirt_session_ops = {
	.on_message = on_message,
	.on_too_long = on_too_long,
	.on_closed = on_closed,
};

void libvirt_session_refusal(struct nd_buf *out, const struct nd_error *e)
{
	/* Clients of the remote program begin with AUTH_LIST, serial 0. */
	const uint32_t words[] = { 0, LIBVIRT_PROGRAM, LIBVIRT_VERSION, PROC_AUTH_LIST, RPC_REPLY,
				   0, RPC_ERROR };
	struct libvirt_error err;
	struct nd_writer w;

	libvirt_error_from_core(&err, e, LIBVIRT_ANYWHERE);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		xdr_put_uint(out, words[i]);
	libvirt_error_put(out, &err);
	w = nd_writer(out->p, out->len);
	nd_write_be32(&w, (uint32_t)out->len);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: calls
 *
 * A frame becomes a call in five steps, each with its own refusal: it is JSON; its peer may talk to us at
 * all; its method is known; its parameters fit the row; its peer may call this method. Then the method has
 * the call, and ends it by exactly one of call_reply, call_reply_fds, call_fail…: at once, or from a callback
 * when the core is done.
 *
 * A session is the connection's side of it. While a call is under way it points to it and the call points
 * back, and whichever ends first clears the other's pointer: a late answer to a client that is gone is
 * dropped, with its descriptors closed. Only a stream has to be told that its client is gone, since nothing
 * else would ever end it (call_on_gone).
 */
#include "netd/api/call.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

static_assert((int)API_ACCESS_OBSERVER == (int)ACCESS_OBSERVER && (int)API_ACCESS_USER == (int)ACCESS_USER &&
		      (int)API_ACCESS_ADMIN == (int)ACCESS_ADMIN,
	      "the rows' levels are the core's");

struct call_session {
	const struct call_service *service;
	struct call_peer peer;
	struct conn *conn; /* set with the first frame */
	struct call *call; /* under way, or NULL */
};

struct call {
	struct call_session *session; /* NULL: the client is gone */
	const struct call_service *service;
	struct call_peer peer;
	json_t *frame; /* the call as it came: its parameters are borrowed from here */
	const struct api_signature *sig;
	call_fn method;
	bool oneway;
	void (*gone)(void *arg);
	void *gone_arg;
};

struct call_session *call_session_new(const struct call_service *service, const struct call_peer *peer)
{
	struct call_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->service = service;
	s->peer = *peer;
	return s;
}

void call_session_free(struct call_session *s)
{
	free(s);
}

void *call_arg(const struct call *call)
{
	return call->service->arg;
}

const struct call_service *call_service(const struct call *call)
{
	return call->service;
}

const struct call_peer *call_peer(const struct call *call)
{
	return &call->peer;
}

static void service_close(const struct call_service *service, int fd)
{
	if (service->close_fd)
		service->close_fd(service->arg, fd);
	else
		close(fd);
}

/* Ends the call with a whole frame (taken; NULL on ENOMEM). */
static void answer(struct call *call, json_t *frame, const int *fds, size_t fd_cnt)
{
	struct call_session *s = call->session;

	if (s && !call->oneway) {
		conn_send(s->conn, frame, fds, fd_cnt);
	} else {
		for (size_t i = 0; i < fd_cnt; i++)
			service_close(call->service, fds[i]);
	}
	json_decref(frame);
	if (s) {
		s->call = NULL;
		conn_next(s->conn);
	}
	json_decref(call->frame);
	free(call);
}

static json_t *reply_frame(json_t *out, bool continues)
{
	json_t *frame = json_object();
	int bad = 0;

	if (out)
		bad |= json_object_set_new_nocheck(frame, "parameters", out);
	if (continues)
		bad |= json_object_set_new_nocheck(frame, "continues", json_true());
	if (!bad)
		return frame;
	json_decref(frame);
	return NULL;
}

void call_reply_fds(struct call *call, json_t *out, const int *fds, size_t fd_cnt)
{
	answer(call, reply_frame(out, false), fds, fd_cnt);
}

void call_reply(struct call *call, json_t *out)
{
	call_reply_fds(call, out, NULL, 0);
}

void call_reply_new(struct call *call, json_t *out)
{
	struct nd_error e = ND_ERROR_INIT;

	if (out) {
		call_reply(call, out);
		return;
	}
	nd_fail(&e, ND_MEMORY, "the reply");
	call_fail(call, &e);
}

void call_fail(struct call *call, const struct nd_error *e)
{
	answer(call, conn_error_frame(e), NULL, 0);
}

static json_t *service_error_frame(enum api_service_error error, const char *value)
{
	const struct api_record *r = api_service.errors[error];
	json_t *frame = json_object(), *params;
	int bad = json_object_set_new_nocheck(frame, "error",
					      json_sprintf(API_SERVICE_INTERFACE ".%s", r->name));

	if (r->field_cnt == 1) {
		params = json_object();
		bad |= json_object_set_new_nocheck(params, r->fields[0].name, api_string(value));
		bad |= json_object_set_new_nocheck(frame, "parameters", params);
	}
	if (!bad)
		return frame;
	json_decref(frame);
	return NULL;
}

void call_fail_service(struct call *call, enum api_service_error error, const char *value)
{
	answer(call, service_error_frame(error, value), NULL, 0);
}

void call_fail_parameter(struct call *call, const char *name)
{
	call_fail_service(call, API_SERVICE_INVALID_PARAMETER, name);
}

void call_continue(struct call *call, json_t *out)
{
	json_t *frame = reply_frame(out, true);

	if (call->session && !call->oneway)
		conn_stream(call->session->conn, frame);
	json_decref(frame);
}

void call_on_gone(struct call *call, void (*gone)(void *arg), void *arg)
{
	call->gone = gone;
	call->gone_arg = arg;
}

/* From frame to method */

/* A frame that is no call: the stream cannot be trusted any further. */
static void refuse_frame(struct conn *c, const struct nd_error *e)
{
	json_t *frame = conn_error_frame(e);

	conn_send(c, frame, NULL, 0);
	json_decref(frame);
	conn_finish(c);
}

/* "io.netd.Attach" → its row and function. On failure the call is answered. */
static bool find_method(struct call *call, const char *method)
{
	const char *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) : 0;
	char interface[64];

	for (size_t i = 0; i < call->service->table_cnt; i++) {
		const struct call_table *t = &call->service->tables[i];

		if (strlen(t->interface->name) != len || strncmp(t->interface->name, method, len) != 0)
			continue;
		call->sig = api_signature_find(t->interface, dot + 1);
		if (!call->sig) {
			call_fail_service(call, API_SERVICE_METHOD_NOT_FOUND, method);
			return false;
		}
		call->method = t->methods[call->sig - t->interface->methods];
		return true;
	}
	snprintf(interface, sizeof(interface), "%.*s", (int)(len < 63 ? len : 63), method);
	call_fail_service(call, API_SERVICE_INTERFACE_NOT_FOUND, interface);
	return false;
}

static int allow(const struct call *call, enum access_level need, const char *method, struct nd_error *e)
{
	char what[96];

	snprintf(what, sizeof(what), "call %s", method);
	return call->service->allow(call->service->arg, &call->peer, need, what, e);
}

void call_again(void *arg)
{
	struct call *call = arg;

	call->method(call, json_object_get(call->frame, "parameters"));
}

static void dispatch(struct call *call, const char *method)
{
	const json_t *params = json_object_get(call->frame, "parameters");
	struct nd_error e = ND_ERROR_INIT;
	const char *bad = NULL;

	if (!find_method(call, method))
		return;
	if (!api_fields_check(call->sig->in, call->sig->in_cnt, params, &bad))
		call_fail_parameter(call, bad);
	else if (api_get_bool(call->frame, "upgrade", false))
		call_fail_parameter(call, "upgrade");
	else if (call->sig->more == API_MORE_MUST && !api_get_bool(call->frame, "more", false))
		call_fail_service(call, API_SERVICE_EXPECTED_MORE, NULL);
	else if (allow(call, (enum access_level)call->sig->access, method, &e) < 0)
		call_fail(call, &e);
	else
		call_again(call);
}

static struct call *call_new(struct call_session *s, json_t *frame)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->session = s;
	call->service = s->service;
	call->peer = s->peer;
	call->frame = frame;
	call->oneway = api_get_bool(frame, "oneway", false);
	return call;
}

static void on_frame(struct conn *c, void *user, const char *text, size_t len)
{
	struct call_session *s = user;
	struct nd_error e = ND_ERROR_INIT;
	const char *method;
	struct call *call;
	json_t *frame = NULL;

	s->conn = c;
	if (api_frame_parse(text, len, &frame, &e) < 0) {
		refuse_frame(c, &e);
		return;
	}
	method = api_get_string(frame, "method");
	if (!method) {
		json_decref(frame);
		nd_fail(&e, ND_PROTOCOL, "a message has no method");
		refuse_frame(c, &e);
		return;
	}
	call = call_new(s, frame);
	if (!call) {
		json_decref(frame);
		nd_fail(&e, ND_MEMORY, "a call");
		refuse_frame(c, &e);
		return;
	}
	s->call = call;
	/* Who may call nothing gets to know why, once, and nothing else. */
	if (s->peer.level == ACCESS_NONE && allow(call, ACCESS_OBSERVER, method, &e) < 0) {
		call_fail(call, &e);
		conn_finish(c);
		return;
	}
	dispatch(call, method);
}

static void on_overrun(struct conn *c, void *user)
{
	struct call_session *s = user;
	struct call *call = s->call;
	struct nd_error e = ND_ERROR_INIT;

	if (call) {
		if (call->gone)
			call->gone(call->gone_arg);
		nd_fail(&e, ND_OVERRUN,
			"more than %d bytes waited to be read: what came after the last reply is lost here",
			CONN_STREAM_MAX);
		call_fail(call, &e);
	}
	conn_finish(c);
}

static void on_closed(struct conn *c, void *user)
{
	struct call_session *s = user;
	struct call *call = s->call;

	free(s);
	if (!call)
		return;
	call->session = NULL;
	if (!call->gone)
		return;
	call->gone(call->gone_arg);
	json_decref(call->frame);
	free(call);
}

static void on_close_fd(struct conn *c, void *user, int fd)
{
	service_close(((struct call_session *)user)->service, fd);
}

const struct conn_ops call_conn_ops = { on_frame, on_overrun, on_close_fd, on_closed };

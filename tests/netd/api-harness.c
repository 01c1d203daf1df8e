// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: see api-harness.h. The rows are the smallest that make every path of conn.c and call.c run. */
#include "tests/netd/api-harness.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static const struct api_field text_field[] = { { "text", API_STRING } };
static const struct api_field count_field[] = { { "count", API_INT } };
static const struct api_field length_field[] = { { "length", API_INT } };
static const struct api_field fds_field[] = { { "fds", API_INT, NULL, API_ARRAY } };

enum { ECHO, LATER, OPEN, LARGE, STREAM, ADMIN };
static const struct api_signature signatures[] = {
	[ECHO] = { .name = "Echo",
		   .text = "",
		   .in = text_field,
		   1,
		   .out = text_field,
		   1,
		   API_ACCESS_OBSERVER },
	[LATER] = { .name = "Later", .text = "", .access = API_ACCESS_OBSERVER },
	[OPEN] = { .name = "Open",
		   .text = "",
		   .in = count_field,
		   1,
		   .out = fds_field,
		   1,
		   API_ACCESS_OBSERVER },
	[LARGE] = { .name = "Large",
		    .text = "",
		    .in = length_field,
		    1,
		    .out = text_field,
		    1,
		    API_ACCESS_OBSERVER },
	[STREAM] = { .name = "Stream", .text = "", .out = text_field, 1, API_ACCESS_OBSERVER, API_MORE_MUST },
	[ADMIN] = { .name = "Admin", .text = "", .access = API_ACCESS_ADMIN },
};

static void echo(struct call *call, const json_t *in)
{
	struct harness *h = call_arg(call);

	h->echo_cnt++;
	call_reply(call, json_pack("{s:s}", "text", api_get_string(in, "text")));
}

static void later(struct call *call, const json_t *in)
{
	struct harness *h = call_arg(call);

	assert(!h->later);
	h->later = call;
}

static void open_fds(struct call *call, const json_t *in)
{
	size_t cnt = (size_t)api_get_int(in, "count", 0);
	json_t *list;
	int fds[8];

	if (cnt > ARRAY_LEN(fds)) {
		call_fail_parameter(call, "count");
		return;
	}
	list = json_array();
	for (size_t i = 0; i < cnt; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		json_array_append_new(list, json_integer((json_int_t)i));
	}
	call_reply_fds(call, json_pack("{s:o}", "fds", list), fds, cnt);
}

static void large(struct call *call, const json_t *in)
{
	size_t len = (size_t)api_get_int(in, "length", 0);
	nd_autofree char *text = len <= HARNESS_LARGE_MAX ? malloc(len + 1) : NULL;

	if (!text) {
		call_fail_parameter(call, "length");
		return;
	}
	memset(text, 'x', len);
	text[len] = '\0';
	call_reply(call, json_pack("{s:s}", "text", text));
}

static void gone(void *arg)
{
	struct harness *h = arg;

	h->stream = NULL;
	h->gone_cnt++;
}

static void stream(struct call *call, const json_t *in)
{
	struct harness *h = call_arg(call);

	h->stream = call;
	call_on_gone(call, gone, h);
}

static void admin(struct call *call, const json_t *in)
{
	call_reply(call, NULL);
}

static const call_fn methods[] = {
	[ECHO] = echo,   [LATER] = later,   [OPEN] = open_fds,
	[LARGE] = large, [STREAM] = stream, [ADMIN] = admin,
};
static const struct api_interface interface = {
	.name = "test.api", .text = "", .methods = signatures, .method_cnt = ARRAY_LEN(signatures)
};
static const struct call_table table = { &interface, methods };

static int allow(void *arg, const struct call_peer *peer, enum access_level need, const char *what,
		 struct nd_error *e)
{
	if (peer->level >= need)
		return 0;
	return nd_fail(e, ND_DENIED, "uid %u may not %s", (unsigned)peer->cred.uid, what);
}

void harness_init(struct harness *h)
{
	*h = (struct harness){ .loop = ev_loop_new(EVFLAG_AUTO) };
	h->service = (struct call_service){ .tables = &table, .table_cnt = 1, .allow = allow, .arg = h };
	h->set = conn_set_new(h->loop, &call_conn_ops);
	assert(h->set);
}

void harness_done(struct harness *h)
{
	conn_set_free(h->set);
	harness_finish_later(h);
	ev_loop_destroy(h->loop);
}

void harness_turn(struct harness *h, int turns)
{
	while (turns-- > 0)
		ev_run(h->loop, EVRUN_NOWAIT);
}

void harness_finish_later(struct harness *h)
{
	if (h->later)
		call_reply(take_ptr(h->later), NULL);
}

void harness_stream_send(struct harness *h, const char *text)
{
	if (h->stream)
		call_continue(h->stream, json_pack("{s:s}", "text", text));
}

struct harness_client harness_connect(struct harness *h, enum access_level level)
{
	struct call_peer peer = { .cred = { .uid = 1001 }, .level = level };
	struct call_session *s = call_session_new(&h->service, &peer);
	struct conn *c;
	int pair[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	c = conn_new(h->set, pair[1], peer.cred.uid, s);
	assert(c);
	conn_start(c);
	return (struct harness_client){ .fd = pair[0], .server_fd = pair[1], .in.max = 64 * 1024 * 1024 };
}

void harness_disconnect(struct harness_client *cl)
{
	for (size_t i = 0; i < cl->fd_cnt; i++)
		close(cl->fds[i]);
	cl->fd_cnt = 0;
	nd_closep(&cl->fd);
	cl->fd = -1;
	nd_buf_done(&cl->in);
}

size_t harness_write(struct harness_client *cl, const void *p, size_t len)
{
	ssize_t n = send(cl->fd, p, len, MSG_NOSIGNAL);

	return n > 0 ? (size_t)n : 0;
}

void harness_call(struct harness_client *cl, const char *json)
{
	size_t len = strlen(json) + 1;

	assert(harness_write(cl, json, len) == len);
}

static void read_all(struct harness_client *cl)
{
	char buf[65536];
	bool again = false;
	size_t got;
	ssize_t n;

	while (!again && !cl->eof) {
		n = nd_sock_recv(cl->fd, buf, sizeof(buf), cl->fds + cl->fd_cnt,
				 ARRAY_LEN(cl->fds) - cl->fd_cnt, &got, &again, NULL);
		if (n > 0) {
			cl->fd_cnt += got;
			nd_buf_append(&cl->in, buf, (size_t)n);
		} else if (!again) {
			cl->eof = true;
		}
	}
}

json_t *harness_reply(struct harness_client *cl)
{
	const uint8_t *end;
	json_t *v = NULL;

	read_all(cl);
	end = cl->in.len ? memchr(cl->in.p, 0, cl->in.len) : NULL;
	if (!end)
		return NULL;
	assert(api_frame_parse((const char *)cl->in.p, (size_t)(end - cl->in.p), &v, NULL) == 0);
	nd_buf_consume(&cl->in, (size_t)(end - cl->in.p) + 1);
	return v;
}

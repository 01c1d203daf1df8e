// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the blocking client, implementation
 *
 * A call is one frame out and one frame back, so at most one frame is ever waited for; what came behind it
 * stays in `in` for the next read (a stream's replies come many at a time). Descriptors of a reply come with
 * its first byte, hence with the first recvmsg of that call, which is why nothing is sent ahead.
 *
 * A daemon that refuses a connection writes its reason and closes. Our call may then fail with EPIPE while
 * the reason waits to be read, so a failed send still reads before it gives up.
 */
#include "cli/client.h"
#include "base/mem.h"
#include "base/sock.h"
#include "netd/api/api-proto.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define READ_LEN 65536

volatile sig_atomic_t client_interrupted;

struct client {
	int fd;
	char *path;
	bool broken;
	struct nd_buf in;  /* bytes read, not yet consumed */
	struct nd_buf out; /* the frame being sent */
};

/* What to do about it, by errno of connect(2). */
static const struct {
	int err;
	const char *advice;
} connect_rows[] = {
	{ ENOENT,
	  "netd is not running; start it with 'systemctl start netd', or name its socket with --socket or "
	  "$NETD_SOCKET" },
	{ ECONNREFUSED, "netd is not running any more; look at 'journalctl -u netd', and start it with "
			"'systemctl start netd'" },
	{ EACCES,
	  "only root and the members of netd's group may; 'usermod -aG netd NAME', then log in again" },
	{ EPERM,
	  "only root and the members of netd's group may; 'usermod -aG netd NAME', then log in again" },
	{ EAGAIN, "netd does not take connections up; look at 'journalctl -u netd'" },
};

static int connect_failed(const char *path, const struct nd_error *why, struct nd_error *e)
{
	const char *advice = NULL;
	char line[ND_ERROR_STORE];

	for (size_t i = 0; i < ARRAY_LEN(connect_rows); i++)
		if (connect_rows[i].err == why->sys)
			advice = connect_rows[i].advice;
	if (advice)
		return nd_fail(e, ND_SYSTEM, "cannot reach netd at %s: %s (%s): %s", path, strerror(why->sys),
			       nd_errno_name(why->sys), advice);
	nd_error_format(why, line, sizeof(line));
	return nd_fail(e, why->code, "cannot reach netd at %s: %s", path, line);
}

int client_open(const char *path, struct client **ret, struct nd_error *e)
{
	struct nd_error why = ND_ERROR_INIT;
	struct client *c;

	if (!path)
		path = getenv("NETD_SOCKET");
	if (!path || !*path)
		path = API_SOCKET_DEFAULT;
	c = calloc(1, sizeof(*c));
	if (!c)
		return nd_fail(e, ND_MEMORY, "client");
	c->fd = -1;
	c->in.max = API_REPLY_MAX + READ_LEN + 1;
	c->out.max = API_REQUEST_MAX + 1;
	c->path = strdup(path);
	if (!c->path) {
		client_close(c);
		return nd_fail(e, ND_MEMORY, "client");
	}
	if (nd_sock_connect(path, &c->fd, &why) < 0) {
		client_close(c);
		return connect_failed(path, &why, e);
	}
	*ret = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	nd_closep(&c->fd);
	nd_buf_done(&c->in);
	nd_buf_done(&c->out);
	free(c->path);
	free(c);
}

bool client_broken(const struct client *c)
{
	return c->broken;
}

/* One call on the wire, and what of its reply has come. */
struct exchange {
	struct client *c;
	int *fds;
	size_t fd_max, fd_cnt;
	uint64_t deadline_ms; /* UINT64_MAX: none */
	bool stream;          /* may be interrupted */
	size_t seen;          /* bytes of `in` without a NUL */
};

static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void exchange_close_fds(struct exchange *x)
{
	for (size_t i = 0; i < x->fd_cnt; i++)
		close(x->fds[i]);
	x->fd_cnt = 0;
}

/* How long poll(2) may wait: to the deadline, at most a minute at a time; -1 without one, -2 behind it. */
static int wait_ms(const struct exchange *x)
{
	uint64_t now;

	if (x->deadline_ms == UINT64_MAX)
		return -1;
	now = clock_ms();
	if (now >= x->deadline_ms)
		return -2;
	return x->deadline_ms - now > 60000 ? 60000 : (int)(x->deadline_ms - now);
}

static int wait_readable(struct exchange *x, struct nd_error *e)
{
	struct pollfd p = { .fd = x->c->fd, .events = POLLIN };
	int n, ms;

	do {
		if (x->stream && client_interrupted)
			return nd_fail(e, ND_STATE, "interrupted");
		ms = wait_ms(x);
		if (ms == -2)
			return nd_fail(e, ND_TIMEOUT, "the time is up");
		n = poll(&p, 1, ms);
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? nd_fail_sys(e, errno, NULL, "poll") : 0;
}

static int read_more(struct exchange *x, struct nd_error *e)
{
	struct client *c = x->c;
	bool again = false;
	size_t got = 0;
	ssize_t n;
	void *p;

	if (wait_readable(x, e) < 0)
		return e ? e->code : ND_TIMEOUT;
	p = nd_buf_reserve(&c->in, READ_LEN);
	if (!p)
		return nd_fail(e, ND_LIMIT, "netd's reply is longer than %d bytes", API_REPLY_MAX);
	n = nd_sock_recv(c->fd, p, READ_LEN, x->fds ? x->fds + x->fd_cnt : NULL, x->fd_max - x->fd_cnt, &got,
			 &again, e);
	x->fd_cnt += got;
	if (n < 0)
		return nd_wrap(e, "netd at %s", c->path);
	if (n == 0 && !again)
		return nd_fail(e, ND_PROTOCOL, "netd at %s closed the connection before it answered",
			       c->path);
	c->in.len += (size_t)n;
	return 0;
}

/* The next frame, parsed. Return: 0 and *ret; on failure the connection is broken. */
static int next_frame(struct exchange *x, json_t **ret, struct nd_error *e)
{
	struct client *c = x->c;
	const uint8_t *end;
	int r = 0;

	while (!(end = c->in.len > x->seen ? memchr(c->in.p + x->seen, 0, c->in.len - x->seen) : NULL)) {
		x->seen = c->in.len;
		r = read_more(x, e);
		if (r < 0) {
			c->broken = true;
			return r;
		}
	}
	r = api_frame_parse((const char *)c->in.p, (size_t)(end - c->in.p), ret, e);
	nd_buf_consume(&c->in, (size_t)(end - c->in.p) + 1);
	x->seen = 0;
	if (r < 0) {
		c->broken = true;
		return nd_wrap(e, "netd at %s", c->path);
	}
	return 0;
}

static int send_frame(struct client *c, struct nd_error *e)
{
	size_t at = 0;
	ssize_t n;

	while (at < c->out.len) {
		n = nd_sock_send(c->fd, c->out.p + at, c->out.len - at, NULL, 0, e);
		if (n < 0)
			return (int)n;
		at += (size_t)n;
	}
	return 0;
}

static int build_call(struct client *c, const char *method, json_t *params, bool more, struct nd_error *e)
{
	json_t *call = json_pack("{s:o}", "method", json_sprintf(API_INTERFACE ".%s", method));
	int bad = 0, r;

	if (params)
		bad |= json_object_set_new(call, "parameters", params);
	if (more)
		bad |= json_object_set_new(call, "more", json_true());
	nd_buf_reset(&c->out);
	r = !call || bad ? nd_fail(e, ND_MEMORY, "call of %s", method) : api_frame_append(&c->out, call, e);
	json_decref(call);
	return r;
}

/* Sends the call. Whatever happened to it, a reply may be there to be read. */
static int exchange_start(struct exchange *x, const char *method, json_t *params, bool more,
			  struct nd_error *ret_send_error, struct nd_error *e)
{
	struct client *c = x->c;
	int r;

	if (c->broken) {
		json_decref(params);
		return nd_fail(e, ND_PROTOCOL, "the connection to netd at %s is over", c->path);
	}
	r = build_call(c, method, params, more, e);
	if (r < 0)
		return r;
	if (send_frame(c, ret_send_error) < 0)
		c->broken = true; /* for calls after this one */
	return 0;
}

/* An error reply becomes e. Return: 0 and the parameters (a new reference) otherwise. */
static int take_reply(const json_t *reply, json_t **ret, struct nd_error *e)
{
	const char *name = api_get_string(reply, "error");
	json_t *params = json_object_get(reply, "parameters");

	if (name)
		return api_error_decode(name, params, e);
	*ret = json_is_object(params) ? json_incref(params) : json_object();
	return *ret ? 0 : nd_fail(e, ND_MEMORY, "reply");
}

static int first_frame(struct exchange *x, const char *method, json_t *params, bool more, json_t **ret,
		       struct nd_error *e)
{
	struct nd_error sent = ND_ERROR_INIT;
	int r = exchange_start(x, method, params, more, &sent, e);

	if (r < 0)
		return r;
	if (!sent.code)
		return next_frame(x, ret, e);
	if (next_frame(x, ret, NULL) == 0)
		return 0;
	nd_error_copy(e, &sent);
	return nd_wrap(e, "netd at %s", x->c->path);
}

/* Every number in a list named …FileDescriptors is one of the descriptors that came. */
static bool fds_complete(const json_t *reply, size_t fd_cnt)
{
	static const char suffix[] = "FileDescriptors";
	json_t *o = (json_t *)reply;

	for (void *it = json_object_iter(o); it; it = json_object_iter_next(o, it)) {
		const char *key = json_object_iter_key(it);
		const json_t *list = json_object_iter_value(it);
		size_t len = strlen(key);

		if (len < strlen(suffix) || strcmp(key + len - strlen(suffix), suffix) != 0)
			continue;
		for (size_t i = 0; i < json_array_size(list); i++)
			if ((unsigned long long)json_integer_value(json_array_get(list, i)) >= fd_cnt)
				return false;
	}
	return true;
}

int client_call_fds(struct client *c, const char *method, json_t *params, json_t **ret, int *fds,
		    size_t fd_max, size_t *ret_fd_cnt, struct nd_error *e)
{
	struct exchange x = { .c = c, .fds = fds, .fd_max = fd_max, .deadline_ms = UINT64_MAX };
	json_t *frame = NULL, *reply = NULL;
	int r = first_frame(&x, method, params, false, &frame, e);

	if (r == 0)
		r = take_reply(frame, &reply, e);
	if (r == 0 && fds && !fds_complete(reply, x.fd_cnt))
		r = nd_fail(e, ND_PROTOCOL,
			    "netd at %s sent %zu file descriptors, fewer than its reply names", c->path,
			    x.fd_cnt);
	json_decref(frame);
	if (r < 0) {
		json_decref(reply);
		exchange_close_fds(&x);
		return r;
	}
	if (ret_fd_cnt)
		*ret_fd_cnt = x.fd_cnt;
	if (ret)
		*ret = reply;
	else
		json_decref(reply);
	return 0;
}

int client_call(struct client *c, const char *method, json_t *params, json_t **ret, struct nd_error *e)
{
	return client_call_fds(c, method, params, ret, NULL, 0, NULL, e);
}

int client_stream(struct client *c, const char *method, json_t *params, int timeout_ms,
		  int (*fn)(void *arg, const json_t *reply), void *arg, struct nd_error *e)
{
	struct exchange x = { .c = c,
			      .stream = true,
			      .deadline_ms =
				      timeout_ms < 0 ? UINT64_MAX : clock_ms() + (uint64_t)timeout_ms };
	json_t *frame = NULL, *reply = NULL;
	int r = first_frame(&x, method, params, true, &frame, e);
	bool more;

	while (r == 0) {
		r = take_reply(frame, &reply, e);
		more = api_get_bool(frame, "continues", false);
		json_decref(take_ptr(frame));
		if (r < 0)
			return r;
		if (fn(arg, reply) != 0) {
			c->broken = c->broken || more;
			json_decref(reply);
			return 0;
		}
		json_decref(take_ptr(reply));
		if (!more)
			return 0;
		r = next_frame(&x, &frame, e);
	}
	return r;
}

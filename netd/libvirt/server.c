// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: virtnetworkd's sockets
 *
 * Clients choose by the sockets' names, so there must be exactly libvirt's. Where a living daemon has them
 * they are left to it: asked is the list of the kernel first (/proc/net/unix), since to connect to a socket
 * that systemd holds would start the daemon behind it.
 *
 * All may connect to the read-write socket, to be told by name what would allow them; their credentials
 * decide, those of the moment of connect(2). Connections are taken up a few per loop turn and no more than
 * netd/conn has room for. One too many is told so and closed. With no descriptor left for a connection, the
 * listeners rest for a moment instead of spinning.
 */
#include "netd/libvirt/server.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/libvirt/session.h"

#include <errno.h>
#include <ev.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ACCEPT_MAX     16 /* per listener and loop turn */
#define ACCEPT_REST_S  0.1
#define LOG_EVERY_MS   60000
#define BACKLOG        128
#define DIR_MODE       0755
#define PROC_UNIX_MAX  (4 * 1024 * 1024)
#define LISTENING_FLAG "00010000" /* __SO_ACCEPTCON, as /proc/net/unix shows it */

static const struct socket_row {
	const char *name;
	enum session_socket socket;
	mode_t mode;
} socket_rows[] = {
	{ "virtnetworkd-sock", SESSION_RW, 0666 },
	{ "virtnetworkd-sock-ro", SESSION_RO, 0666 },
	{ "virtnetworkd-admin-sock", SESSION_ADMIN, 0600 },
};

struct listener {
	struct libvirt_server *server;
	const struct socket_row *row;
	ev_io io;
	int fd;
	char *path; /* heap; NULL: the file is not ours */
};

struct libvirt_server {
	struct core *core;
	struct rpc_set *conns;
	struct listener listeners[ARRAY_LEN(socket_rows)];
	size_t listener_cnt;
	ev_timer rest;
	struct nd_ratelimit rest_limit;
};

/* ---- accepting ---- */

/* Says why, as far as the socket takes it, and closes. */
static void refuse(int fd, const struct nd_error *e)
{
	struct nd_buf out = { .max = 0 };

	libvirt_session_refusal(&out, e);
	if (!out.bad)
		nd_sock_send(fd, out.p, out.len, NULL, 0, NULL);
	nd_buf_done(&out);
	close(fd);
}

static int take_connection(const struct listener *l, int fd, struct nd_error *e)
{
	struct libvirt_server *s = l->server;
	struct session_peer peer = { .socket = l->row->socket };
	struct libvirt_session *session;
	struct rpc_conn *conn;
	int r = nd_sock_peer(fd, &peer.cred, e);

	if (r < 0)
		return r;
	peer.level = access_of_peer(s->core->settings, fd, &peer.cred);
	r = rpc_set_admit(s->conns, peer.cred.uid, peer.level >= ACCESS_ADMIN, e);
	if (r < 0)
		return r;
	session = libvirt_session_new(s->core, &peer);
	conn = session ? rpc_conn_new(s->conns, fd, peer.cred.uid, session, session_request_max(&peer))
		       : NULL;
	if (!conn) {
		libvirt_session_free(session);
		return nd_fail(e, ND_MEMORY, "a connection");
	}
	libvirt_session_start(session, conn);
	return 0;
}

static bool out_of_descriptors(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static void rest(struct libvirt_server *s, int err)
{
	unsigned suppressed;

	if (nd_ratelimit_pass(&s->rest_limit, nd_now_ms(), LOG_EVERY_MS, 1, &suppressed))
		nd_log(ND_LOG_WARNING, "cannot take a libvirt client up: %s", strerrordesc_np(err));
	for (size_t i = 0; i < s->listener_cnt; i++)
		ev_io_stop(s->core->loop, &s->listeners[i].io);
	ev_timer_set(&s->rest, ACCEPT_REST_S, 0); /* a timer that ran holds what was left: 0 */
	ev_timer_start(s->core->loop, &s->rest);
}

static void on_rested(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct libvirt_server *s = container_of(w, struct libvirt_server, rest);

	for (size_t i = 0; i < s->listener_cnt; i++)
		ev_io_start(loop, &s->listeners[i].io);
}

static void on_connection(struct ev_loop *loop, ev_io *w, int revents)
{
	struct listener *l = container_of(w, struct listener, io);

	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct nd_error e = ND_ERROR_INIT;
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), err = errno;

		if (fd < 0) {
			if (out_of_descriptors(err))
				rest(l->server, err);
			return;
		}
		if (take_connection(l, fd, &e) < 0)
			refuse(fd, &e);
	}
}

/* ---- listening ---- */

static void add_listener(struct libvirt_server *s, const struct socket_row *row, int fd,
			 char *path /* taken */)
{
	struct listener *l = &s->listeners[s->listener_cnt++];

	*l = (struct listener){ .server = s, .row = row, .fd = fd, .path = path };
	ev_io_init(&l->io, on_connection, fd, EV_READ);
	ev_io_start(s->core->loop, &l->io);
}

/*
 * Whether a line of /proc/net/unix ("address: refs protocol flags type state inode path") is of a listener at
 * path.
 */
static bool is_listener_at(const char *line, const char *path)
{
	const char *end = strchrnul(line, '\n'), *flags = strstr(line, LISTENING_FLAG);
	size_t len = strlen(path);

	return flags && flags < end && (size_t)(end - line) > len && end[-1 - (ptrdiff_t)len] == ' ' &&
	       !strncmp(end - len, path, len);
}

static int check_unheld(const char *path, struct nd_error *e)
{
	nd_autofree char *table = NULL;
	const char *line;

	if (nd_file_read("/proc/net/unix", PROC_UNIX_MAX, &table, NULL, NULL) < 0)
		return 0; /* nd_sock_listen asks the socket itself */
	for (line = table; *line; line = *line ? line + 1 : line) {
		if (is_listener_at(line, path))
			return nd_fail(e, ND_BUSY, "%s is another daemon's", path);
		line = strchrnul(line, '\n');
	}
	return 0;
}

static int listen_at(struct libvirt_server *s, const char *dir, const struct socket_row *row,
		     struct nd_error *e)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *copy;
	int fd, n = snprintf(path, sizeof path, "%s/%s", dir, row->name);

	if (n < 0 || (size_t)n >= sizeof path)
		return nd_fail(e, ND_INVALID, "the folder's name '%s' is too long for a socket", dir);
	if (check_unheld(path, e) < 0 || nd_sock_listen(path, row->mode, (gid_t)-1, BACKLOG, &fd, e) < 0)
		return e->code;
	copy = strdup(path);
	if (!copy) {
		close(fd);
		unlink(path);
		return nd_fail(e, ND_MEMORY, "listen");
	}
	add_listener(s, row, fd, copy);
	return 0;
}

static const struct socket_row *row_of_socket(int fd)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = sizeof addr - 1; /* the path stays terminated */
	const char *name;

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0 || addr.sun_family != AF_UNIX)
		return NULL;
	name = strrchr(addr.sun_path, '/');
	for (size_t i = 0; name && i < ARRAY_LEN(socket_rows); i++)
		if (!strcmp(name + 1, socket_rows[i].name))
			return &socket_rows[i];
	return NULL;
}

bool libvirt_server_wants(int fd)
{
	return row_of_socket(fd) != NULL;
}

int libvirt_server_take(struct libvirt_server *s, int fd, struct nd_error *e)
{
	const struct socket_row *row = row_of_socket(fd);

	if (!row || s->listener_cnt == ARRAY_LEN(s->listeners)) {
		close(fd);
		return nd_fail(e, ND_INVALID, "a socket was passed that is none of virtnetworkd's, or twice");
	}
	add_listener(s, row, fd, NULL);
	return 0;
}

int libvirt_server_new(struct core *c, const char *dir, struct libvirt_server **ret, struct nd_error *e)
{
	struct libvirt_server *s = calloc(1, sizeof *s);
	int r = 0;

	if (s)
		s->conns = rpc_set_new(c->loop, &libvirt_session_ops);
	if (!s || !s->conns) {
		free(s);
		return nd_fail(e, ND_MEMORY, "the server of libvirt's protocol");
	}
	s->core = c;
	ev_init(&s->rest, on_rested);
	if (dir)
		r = nd_dir_make(dir, DIR_MODE, e);
	for (size_t i = 0; dir && r == 0 && i < ARRAY_LEN(socket_rows); i++)
		r = listen_at(s, dir, &socket_rows[i], e);
	if (r < 0) {
		libvirt_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void libvirt_server_free(struct libvirt_server *s)
{
	if (!s)
		return;
	ev_timer_stop(s->core->loop, &s->rest);
	for (size_t i = 0; i < s->listener_cnt; i++) {
		struct listener *l = &s->listeners[i];

		ev_io_stop(s->core->loop, &l->io);
		close(l->fd);
		if (l->path)
			unlink(l->path);
		free(l->path);
	}
	rpc_set_free(s->conns);
	free(s);
}

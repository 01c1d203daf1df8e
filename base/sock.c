// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: UNIX sockets
 *
 * Everything is CLOEXEC and MSG_NOSIGNAL. A listener's file is given its owner and mode before listen(2),
 * and nobody can connect earlier, so there is no moment with a wrong mode.
 *
 * A refused name says who holds it: connect to the holder and ask SO_PEERCRED, which for a listening socket is
 * the process that called listen(2) (unix(7)). Seen from another pid namespace that is 0.
 */
#include "base/sock.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BIND_TRIES 3 /* a dead holder's socket is replaced, and another process may do the same */
/* The holder never accepts: who asks for its name stays in the queue, which the kernel cuts at somaxconn. */
#define LOCK_BACKLOG 4096
#define GROUPS_FIRST 64

struct holder {
	char text[96];  /* "pid 123 (netd)" */
	bool same_user; /* false also when unknown */
};
struct address {
	struct sockaddr_un un;
	socklen_t len;
};

static int address_of_path(const char *path, struct address *ret, struct nd_error *e)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(ret->un.sun_path))
		return nd_fail(e, ND_INVALID, "socket path '%s': must have 1 to %zu bytes", path,
			       sizeof(ret->un.sun_path) - 1);
	*ret = (struct address){ .un.sun_family = AF_UNIX, .len = sizeof(ret->un) };
	memcpy(ret->un.sun_path, path, len);
	return 0;
}

static int address_of_abstract(const char *name, struct address *ret, struct nd_error *e)
{
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof(ret->un.sun_path))
		return nd_fail(e, ND_INVALID, "socket name '@%s': must have 1 to %zu bytes", name,
			       sizeof(ret->un.sun_path) - 1);
	*ret = (struct address){ .un.sun_family = AF_UNIX };
	memcpy(ret->un.sun_path + 1, name, len);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
	return 0;
}

/* The process behind the other end of fd: "pid 123 (netd)", with the uid when it is another user's. */
static void holder_of(int fd, struct holder *h)
{
	nd_autofree char *comm = NULL;
	struct nd_peer peer;
	char path[64], user[32] = "";

	snprintf(h->text, sizeof(h->text), "a process this one cannot see");
	if (nd_sock_peer(fd, &peer, NULL) < 0)
		return;
	h->same_user = peer.uid == geteuid();
	if (!h->same_user)
		snprintf(user, sizeof(user), ", uid %lu", (unsigned long)peer.uid);
	if (peer.pid <= 0) {
		snprintf(h->text, sizeof(h->text), "a process this one cannot see%s", user);
		return;
	}
	snprintf(h->text, sizeof(h->text), "pid %ld%s", (long)peer.pid, user);
	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)peer.pid);
	if (nd_file_read(path, 64, &comm, NULL, NULL) < 0)
		return;
	comm[strcspn(comm, "\n")] = '\0';
	/* A process may call itself anything. */
	for (char *c = comm; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	snprintf(h->text, sizeof(h->text), "pid %ld (%.32s)%s", (long)peer.pid, comm, user);
}

/*
 * Whether somebody listens at the address. Return: 0, with *ret_held and the holder's name, or an errno.
 * Non-blocking: a full queue (EAGAIN) is a listener too, only a nameless one.
 */
static int probe(const struct address *addr, bool *ret_held, struct holder *holder)
{
	nd_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	*ret_held = true;
	*holder = (struct holder){ .text = "another process" };
	if (connect(fd, (const struct sockaddr *)&addr->un, addr->len) == 0) {
		holder_of(fd, holder);
		return 0;
	}
	if (errno == ECONNREFUSED || errno == ENOENT) {
		*ret_held = false;
		return 0;
	}
	return errno == EAGAIN ? 0 : errno;
}

/* Takes away a socket file nobody listens on. */
static int clear_path(const char *path, const struct address *addr, struct nd_error *e)
{
	struct holder holder;
	struct stat st;
	bool held = false;
	int r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : nd_fail_sys(e, errno, NULL, "listen on %s", path);
	if (!S_ISSOCK(st.st_mode))
		return nd_fail(e, ND_EXISTS, "listen on %s: a file that is no socket is in the way", path);
	r = probe(addr, &held, &holder);
	if (r != 0)
		return nd_fail_sys(e, r, NULL, "listen on %s: ask its holder", path);
	if (held)
		return nd_fail(e, ND_BUSY, "listen on %s: held by %s", path, holder.text);
	if (unlink(path) < 0 && errno != ENOENT)
		return nd_fail_sys(e, errno, NULL, "remove the dead socket %s", path);
	return 0;
}

static int bind_path(int fd, const char *path, const struct address *addr, struct nd_error *e)
{
	for (int i = 0; i < BIND_TRIES; i++) {
		int r;

		if (bind(fd, (const struct sockaddr *)&addr->un, addr->len) == 0)
			return 0;
		if (errno != EADDRINUSE)
			break;
		r = clear_path(path, addr, e);
		if (r < 0)
			return r;
		errno = EADDRINUSE;
	}
	return nd_fail_sys(e, errno, NULL, "bind %s", path);
}

int nd_sock_listen(const char *path, mode_t mode, gid_t gid, int backlog, int *ret_fd, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	struct address addr;
	int r = address_of_path(path, &addr, e);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "socket for %s", path);
	r = bind_path(fd, path, &addr, e);
	if (r < 0)
		return r;
	if (gid != (gid_t)-1 && lchown(path, (uid_t)-1, gid) < 0)
		r = nd_fail_sys(e, errno, NULL, "give %s to group %lu", path, (unsigned long)gid);
	else if (chmod(path, mode) < 0)
		r = nd_fail_sys(e, errno, NULL, "set the mode of %s", path);
	else if (listen(fd, backlog) < 0)
		r = nd_fail_sys(e, errno, NULL, "listen on %s", path);
	if (r < 0) {
		unlink(path);
		return r;
	}
	*ret_fd = take_fd(fd);
	return 0;
}

int nd_sock_connect(const char *path, int *ret_fd, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	struct address addr;
	int r = address_of_path(path, &addr, e);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "socket for %s", path);
	do
		r = connect(fd, (const struct sockaddr *)&addr.un, addr.len);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return nd_fail_sys(e, errno, NULL, "connect to %s", path);
	*ret_fd = take_fd(fd);
	return 0;
}

int nd_sock_seqpacket_pair(int ret_fds[2], struct nd_error *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) < 0)
		return nd_fail_sys(e, errno, NULL, "make a socket pair");
	return 0;
}

int nd_sock_lock(const char *name, int *ret_fd, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	struct holder holder = { .text = "another process" };
	struct address addr;
	int r = address_of_abstract(name, &addr, e);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "socket for lock '@%s'", name);
	for (int i = 0; i < BIND_TRIES; i++) {
		bool held = false;

		if (bind(fd, (const struct sockaddr *)&addr.un, addr.len) == 0) {
			if (listen(fd, LOCK_BACKLOG) < 0)
				return nd_fail_sys(e, errno, NULL, "listen on lock '@%s'", name);
			*ret_fd = take_fd(fd);
			return 0;
		}
		if (errno != EADDRINUSE)
			return nd_fail_sys(e, errno, NULL, "bind lock '@%s'", name);
		r = probe(&addr, &held, &holder);
		if (r != 0)
			return nd_fail_sys(e, r, NULL, "lock '@%s': ask its holder", name);
		/* Not held: the holder has just ended, or not yet begun to listen. */
		if (held)
			break;
	}
	return nd_fail(e, holder.same_user ? ND_BUSY : ND_EXISTS, "lock '@%s': held by %s", name,
		       holder.text);
}

int nd_sock_peer(int fd, struct nd_peer *ret, struct nd_error *e)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return nd_fail_sys(e, errno, NULL, "get the peer's credentials");
	*ret = (struct nd_peer){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	return 0;
}

bool nd_sock_peer_in_group(int fd, const struct nd_peer *peer, gid_t gid)
{
	gid_t first[GROUPS_FIRST];
	nd_autofree gid_t *more = NULL;
	gid_t *groups = first;
	socklen_t len = sizeof(first);

	if (peer->gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0) {
		/* ERANGE: len now says how many bytes it takes. */
		if (errno != ERANGE)
			return false;
		groups = more = malloc(len);
		if (!more || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, more, &len) < 0)
			return false;
	}
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* Room for as many descriptors as one message can have. */
union control {
	char buf[CMSG_SPACE(ND_SOCK_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

ssize_t nd_sock_send(int fd, const void *p, size_t len, const int *fds, size_t fd_cnt, struct nd_error *e)
{
	struct iovec iov = { .iov_base = (void *)p, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	/* Descriptors travel with a byte; an empty message would read as the end of the stream. */
	if (len == 0 || fd_cnt > ND_SOCK_FDS_MAX)
		return nd_fail(e, ND_INVALID, "send %zu bytes with %zu descriptors", len, fd_cnt);
	if (fd_cnt > 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(fd_cnt * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_cnt * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_cnt * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "send");
	return n;
}

static void close_all(const int *fds, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		close(fds[i]);
}

/* The descriptors of msg into fds, those beyond max closed. Return: how many. */
static size_t take_fds(struct msghdr *msg, int *fds, size_t max)
{
	size_t cnt = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			if (cnt < max)
				fds[cnt++] = fd;
			else
				close(fd);
		}
	}
	return cnt;
}

ssize_t nd_sock_recv(int fd, void *p, size_t size, int *fds, size_t fd_max, size_t *ret_fd_cnt,
		     bool *ret_again, struct nd_error *e)
{
	struct iovec iov = { .iov_base = p, .iov_len = size };
	union control control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	size_t cnt;
	ssize_t n;

	if (ret_fd_cnt)
		*ret_fd_cnt = 0;
	if (ret_again)
		*ret_again = false;
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		if (ret_again)
			*ret_again = true;
		return 0;
	}
	/* The peer closed without reading all of ours: for who reads, the end. */
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "receive");
	cnt = take_fds(&msg, fds, ret_fd_cnt ? fd_max : 0);
	if (msg.msg_flags & MSG_TRUNC) {
		close_all(fds, cnt);
		return nd_fail(e, ND_PROTOCOL, "receive: message longer than %zu bytes", size);
	}
	/* There was room for all the kernel passes: it had no free descriptor number for us (RLIMIT_NOFILE). */
	if (msg.msg_flags & MSG_CTRUNC) {
		close_all(fds, cnt);
		return nd_fail(e, ND_LIMIT, "receive: descriptors were lost, too many are open");
	}
	if (ret_fd_cnt)
		*ret_fd_cnt = cnt;
	return n;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_SOCK_H
#define ND_BASE_SOCK_H
/* UNIX sockets: listen, connect, peer credentials, file descriptors beside bytes. All fds are CLOEXEC. */
#include "base/error.h"
#include <stdbool.h>
#include <sys/types.h>

#define ND_SOCK_FDS_MAX 253 /* SCM_MAX_FD, include/net/scm.h */

struct nd_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
/* Stream listener, non-blocking; an old socket file nobody listens on is replaced, a live one is ND_BUSY and names
 * its holder, a file that is no socket is ND_EXISTS. gid -1: unchanged. */
int nd_sock_listen(const char *path, mode_t mode, gid_t gid, int backlog, int *ret_fd, struct nd_error *e);
int nd_sock_connect(const char *path, int *ret_fd, struct nd_error *e); /* blocking stream */
int nd_sock_seqpacket_pair(int ret_fds[2], struct nd_error *e);         /* non-blocking both */
/* Abstract name (without the leading NUL) bound and listened on, as a lock per network namespace.
 * ND_BUSY names the holder's pid and command. Anyone may take such a name: ND_EXISTS says that the holder is another user, or unknown. */
int nd_sock_lock(const char *name, int *ret_fd, struct nd_error *e);
int nd_sock_peer(int fd, struct nd_peer *ret, struct nd_error *e); /* SO_PEERCRED */
/* Whether the peer is in group gid: primary or supplementary (SO_PEERGROUPS). */
bool nd_sock_peer_in_group(int fd, const struct nd_peer *peer, gid_t gid);
/* One sendmsg. fds borrowed. len > 0 and fd_cnt <= ND_SOCK_FDS_MAX, else ND_INVALID. Return: bytes sent (>0), 0 for EAGAIN,
 * or negative code. MSG_NOSIGNAL. */
ssize_t nd_sock_send(int fd, const void *p, size_t len, const int *fds, size_t fd_cnt, struct nd_error *e);
/* One recvmsg with MSG_CMSG_CLOEXEC. fds beyond fd_max are closed. *ret_fd_cnt: how many came (taken by the caller).
 * Return: bytes (>0), 0 for end of stream (a reset too), or negative code; *ret_again true for EAGAIN (then returns 0).
 * ND_PROTOCOL: a packet longer than size. ND_LIMIT: descriptors came for which we had no number left. Both close all that came. */
ssize_t nd_sock_recv(int fd, void *p, size_t size, int *fds, size_t fd_max, size_t *ret_fd_cnt,
		     bool *ret_again, struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_SESSION_H
#define ND_LIBVIRT_SESSION_H
/*
 * One client of libvirt's protocol: which programs it may call, whether it is authenticated and has opened,
 * its keepalive, its event callbacks, its calls under way. session.c has the rules.
 */
#include "base/sock.h"
#include "netd/core/access.h"
#include "netd/core/core.h"
#include "netd/core/event.h"
#include "netd/libvirt/rpc.h"

enum session_socket { SESSION_RW, SESSION_RO, SESSION_ADMIN };

struct session_peer {
	struct nd_peer cred;
	enum access_level level; /* when it connected */
	enum session_socket socket;
};
/* A connection's user object; freed when the connection ends. NULL on ENOMEM. */
struct libvirt_session *libvirt_session_new(struct core *c, const struct session_peer *peer);
/* The connection is there. */
void libvirt_session_start(struct libvirt_session *s, struct rpc_conn *conn);
/* Only for one that never got its connection. NULL-safe. */
void libvirt_session_free(struct libvirt_session *s);
extern const struct rpc_ops libvirt_session_ops;
/* Bytes of a message that the peer may send. */
size_t session_request_max(const struct session_peer *peer);
/*
 * One error message as bytes, for a client that is refused before it said anything: it takes it for the
 * answer to its first call.
 */
void libvirt_session_refusal(struct nd_buf *out, const struct nd_error *e);
#endif

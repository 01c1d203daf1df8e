/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_API_CALL_H
#define ND_API_CALL_H
/*
 * One Varlink call: decoded, allowed, checked against its row, handed to its method, and answered now or
 * later.
 */
#include "base/error.h"
#include "base/sock.h"
#include "netd/api/api-proto.h"
#include "netd/api/conn.h"
#include "netd/core/access.h"

struct call;
/*
 * in: the parameters, checked against the row (may be NULL: none); borrowed, valid until the call is
 * answered.
 */
typedef void (*call_fn)(struct call *call, const json_t *in);

struct call_table {
	const struct api_interface *interface;
	const call_fn *methods; /* as interface->methods */
};
struct call_peer {
	struct nd_peer cred;
	enum access_level level; /* when it connected */
};
struct call_service { /* borrowed by all sessions */
	const struct call_table *tables;
	size_t table_cnt;
	/* 0, or ND_DENIED with who would be allowed; what: "call io.netd.Attach" */
	int (*allow)(void *arg, const struct call_peer *peer, enum access_level need, const char *what,
		     struct nd_error *e);
	void (*close_fd)(void *arg,
			 int fd); /* of a reply's descriptors (taken), off the loop; NULL: close(2) */
	void *arg;                /* allow's and the methods' */
};

/* A connection's user object. Freed when the connection ends (call_conn_ops.on_closed). NULL on ENOMEM. */
struct call_session;
struct call_session *call_session_new(const struct call_service *service, const struct call_peer *peer);
void call_session_free(struct call_session *s); /* only for one that never got its connection */
extern const struct conn_ops call_conn_ops;

void *call_arg(const struct call *call);
const struct call_service *call_service(const struct call *call);
const struct call_peer *call_peer(const struct call *call);

/*
 * Each ends the call, which is gone afterwards; where the client is gone, nothing is sent. out: `taken`;
 * NULL: no parameters.
 */
void call_reply(struct call *call, json_t *out);
/* The same where out was just built: NULL is answered with ND_MEMORY. */
void call_reply_new(struct call *call, json_t *out);
/* fds: `taken`, closed here in any case. */
void call_reply_fds(struct call *call, json_t *out, const int *fds, size_t fd_cnt);
void call_fail(struct call *call, const struct nd_error *e /* borrowed */);
void call_fail_parameter(struct call *call, const char *name);
/* An error of org.varlink.service with its one parameter (NULL: none). */
void call_fail_service(struct call *call, enum api_service_error error, const char *value);

/* The method has the call anew, as if it came now. arg: the call; nothing of it was answered. */
void call_again(void *arg);

/* One reply of a stream, others follow. out: `taken`. */
void call_continue(struct call *call, json_t *out);
/*
 * For a stream: gone(arg) is called, at most once, when the client is gone or lets too much wait. It frees
 * what the method keeps; the call itself is ended by the caller and must not be used any more.
 */
void call_on_gone(struct call *call, void (*gone)(void *arg), void *arg);
#endif

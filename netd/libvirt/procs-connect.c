// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the procedures on the connection itself
 *
 * Who the client is was decided by the socket's credentials: AUTH_LIST offers "none", and is where a peer
 * without rights hears why it has none. OPEN is lenient with the URI, since clients that know one socket only
 * (Terraform's, go-libvirt's) say qemu:///system to whatever is behind it.
 */
#include "base/mem.h"
#include "netd/libvirt/procs.h"

#define OPEN_RO 1u
#define LIB_VERSION \
	9000000 /* of the libvirt whose behaviour this is: major * 1000000 + minor * 1000 + release */
#define AUTH_NONE 0

static const char *const uris[] = {
	"network:///system",
	"network:///session",
	"qemu:///system",
	"qemu:///session",
};

static bool uri_known(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(uris); i++)
		if (!strcmp(uri, uris[i]))
			return true;
	return false;
}

void proc_open(struct proc_call *call, struct network *n)
{
	struct libvirt_session *s = call->session;
	const char *uri = call->in[0].s ? call->in[0].s : LIBVIRT_URI;

	if (s->opened) {
		proc_fail(call, LIBVIRT_INTERNAL, "connection already open");
		return;
	}
	if (!uri_known(uri)) {
		proc_fail(call, LIBVIRT_NO_CONNECT, "%s", uri);
		return;
	}
	s->uri = strdup(uri);
	s->opened = true;
	if (call->in[1].u & OPEN_RO)
		s->read_only = true;
	proc_reply_void(call);
}

void proc_close(struct proc_call *call, struct network *n)
{
	struct rpc_conn *conn = call->session->conn;

	proc_reply_void(call);
	rpc_conn_finish(conn);
}

void proc_get_type(struct proc_call *call, struct network *n)
{
	proc_reply_string(call, "network");
}

void proc_get_uri(struct proc_call *call, struct network *n)
{
	proc_reply_string(call, call->session->uri ? call->session->uri : LIBVIRT_URI);
}

void proc_get_lib_version(struct proc_call *call, struct network *n)
{
	struct nd_buf *b = proc_reply_begin(call);

	if (b)
		xdr_put_hyper(b, LIB_VERSION);
	proc_reply_end(call);
}

/* A UNIX socket is. */
void proc_is_secure(struct proc_call *call, struct network *n)
{
	proc_reply_int(call, 1);
}

/* ---- features ---- */

/* libvirt's src/libvirt_internal.h, VIR_DRV_FEATURE_* */
enum {
	FEATURE_FD_PASSING = 8,
	FEATURE_TYPED_PARAM_STRING = 9,
	FEATURE_KEEPALIVE = 10,
	FEATURE_EVENT_CALLBACK = 14,
	FEATURE_CLOSE_CALLBACK = 15,
	FEATURE_NETWORK_UPDATE_ORDER = 16, /* command before section: what a client without it would swap */
};
static const int features[] = {
	FEATURE_FD_PASSING,     FEATURE_TYPED_PARAM_STRING, FEATURE_KEEPALIVE,
	FEATURE_EVENT_CALLBACK, FEATURE_CLOSE_CALLBACK,     FEATURE_NETWORK_UPDATE_ORDER,
};

void proc_supports_feature(struct proc_call *call, struct network *n)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		known = known || features[i] == call->in[0].i;
	if (call->in[0].i == FEATURE_KEEPALIVE)
		session_keepalive(call->session);
	proc_reply_int(call, known);
}

/* ---- authentication ---- */

/* Return: whether the peer may use its socket. If not, the call is answered. */
static bool authenticate(struct proc_call *call)
{
	struct libvirt_session *s = call->session;
	struct nd_error e = ND_ERROR_INIT;

	if (s->peer.socket == SESSION_RW &&
	    access_require(s->core->settings, s->peer.level, ACCESS_ADMIN, &s->peer.cred,
			   "change networks (the read-only socket is open to all)", &e) < 0) {
		proc_fail(call, LIBVIRT_AUTH_FAILED, "%s", nd_error_text(&e));
		return false;
	}
	s->authenticated = true;
	return true;
}

void proc_auth_list(struct proc_call *call, struct network *n)
{
	struct nd_buf *b;

	if (!authenticate(call))
		return;
	b = proc_reply_begin(call);
	if (b) {
		xdr_put_uint(b, 1);
		xdr_put_int(b, AUTH_NONE);
	}
	proc_reply_end(call);
}

void proc_auth_polkit(struct proc_call *call, struct network *n)
{
	if (authenticate(call))
		proc_reply_int(call, 1);
}

void proc_auth_sasl(struct proc_call *call, struct network *n)
{
	proc_fail(call, LIBVIRT_AUTH_FAILED, "SASL is not offered here");
}

/* ---- the client's end of the connection ---- */

void proc_close_callback_register(struct proc_call *call, struct network *n)
{
	if (call->session->close_callback) {
		proc_fail(call, LIBVIRT_OPERATION_INVALID, "A close callback is already registered");
		return;
	}
	call->session->close_callback = true;
	proc_reply_void(call);
}

void proc_close_callback_unregister(struct proc_call *call, struct network *n)
{
	if (!call->session->close_callback) {
		proc_fail(call, LIBVIRT_OPERATION_INVALID, "A different callback was requested");
		return;
	}
	call->session->close_callback = false;
	proc_reply_void(call);
}

/* ---- identity ---- */

static bool is_number(const struct xdr_param *p)
{
	return p->type >= XDR_PARAM_INT && p->type <= XDR_PARAM_ULLONG;
}

/*
 * A daemon in front of us (virtqemud) says whom it works for. That gives nobody more rights than the daemon
 * itself has; it is whom ports are said to belong to. From anybody but an administrator it is taken without
 * effect.
 */
void proc_set_identity(struct proc_call *call, struct network *n)
{
	struct libvirt_session *s = call->session;
	const struct xdr_params *params = &call->in[0].params;

	for (size_t i = 0; i < params->cnt && s->peer.level >= ACCESS_ADMIN; i++) {
		const struct xdr_param *p = &params->list[i];

		if (!strcmp(p->name, "unix-user-id") && is_number(p))
			s->identity.uid = (uid_t)p->bits;
		else if (!strcmp(p->name, "process-id") && is_number(p))
			s->identity.pid = (pid_t)p->bits;
	}
	proc_reply_void(call);
}

/* ---- of what there is none ---- */

void proc_count_none(struct proc_call *call, struct network *n)
{
	proc_reply_int(call, 0);
}

void proc_list_none(struct proc_call *call, struct network *n)
{
	proc_count_none(call, NULL); /* an empty list is a count of 0 */
}

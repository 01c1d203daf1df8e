/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_CALL_H
#define ND_LIBVIRT_CALL_H
/*
 * One call of the remote program, from its row to its answer: what procedures see of their client.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"
#include "netd/libvirt/errors.h"
#include "netd/libvirt/rpc.h"
#include "netd/libvirt/session.h"
#include "netd/libvirt/xdr.h"

#include <ev.h>

#define LIBVIRT_PROGRAM      0x20008086u
#define LIBVIRT_VERSION      1u
#define KEEPALIVE_PROGRAM    0x6b656570u
#define ADMIN_PROGRAM        0x06900690u
#define SESSION_CALLBACK_MAX 256 /* event callbacks of one client */
#define OTHERS_CALLBACK_MAX \
	16 /* the same of one who is no administrator: each event is a message per callback */
/* libvirt's keepalive_interval and keepalive_count */
#define KEEPALIVE_S     5.0 /* of silence before a ping */
#define KEEPALIVE_PINGS 5   /* unanswered before the client is given up */
#define LIBVIRT_URI     "network:///system"

struct proc_row;
struct libvirt_session;

/* Freed by the one function that ends it. session is NULL once the client is gone: then nothing is sent. */
struct proc_call {
	struct nd_list link; /* session.calls */
	struct libvirt_session *session;
	struct core *core;
	uint32_t serial, proc;
	const struct proc_row *row;
	union xdr_value in[XDR_VALUES_MAX]; /* by row->in */
};

/* A client's wish to hear of events. */
struct session_callback {
	struct nd_list link; /* session.callbacks */
	int id;
	int event; /* enum virNetworkEventID */
	bool one;  /* only of network */
	struct nd_uuid network;
};

struct libvirt_session {
	struct core *core;
	struct session_peer peer;
	struct rpc_conn *conn; /* NULL before libvirt_session_start */
	struct nd_list calls;
	bool authenticated, opened;
	bool read_only;      /* the socket, or the client's wish at open */
	bool close_callback; /* it wants to be told of the connection's end, which it sees itself */
	char *uri;           /* as opened, heap */
	/* Whom a daemon in front of us speaks for (SET_IDENTITY); the peer's own before that. */
	struct nd_peer identity;
	struct ev_timer keepalive; /* active once the client asked for it */
	double silence_s;          /* before a ping: KEEPALIVE_S */
	double pinged;             /* loop time of the last one */
	unsigned pings;            /* without a byte since */
	struct nd_list callbacks;
	unsigned callback_cnt;
	int callback_next;
	struct event_subscriber events; /* subscribed while there are callbacks */
};

/* Each ends the call, which is gone afterwards. */
void proc_reply_void(struct proc_call *call);
void proc_reply_int(struct proc_call *call, int32_t v);
void proc_reply_string(struct proc_call *call, const char *s);
void proc_reply_network(struct proc_call *call, const struct network *n);
/*
 * begin gives the buffer to append the results to, NULL when the client is gone; end sends it either way.
 * Nothing may be sent in between.
 */
struct nd_buf *proc_reply_begin(struct proc_call *call);
void proc_reply_end(struct proc_call *call);
void proc_fail(struct proc_call *call, enum libvirt_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void proc_fail_core(struct proc_call *call, const struct nd_error *e);

/* One event's message; it leaves at the end of the loop turn. */
struct nd_buf *session_event_begin(struct libvirt_session *s, uint32_t proc);
void session_event_end(struct libvirt_session *s);
/* The client wants keepalive. */
void session_keepalive(struct libvirt_session *s);
/* From now on (or no more) the session hears the core's events. */
void session_events(struct libvirt_session *s, bool on);
#endif

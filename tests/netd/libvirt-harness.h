/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_NETD_LIBVIRT_HARNESS_H
#define ND_TESTS_NETD_LIBVIRT_HARNESS_H
/*
 * The libvirt facade without what is below the core's verbs: model, events and XML are real; define, start
 * and the like are fakes in a few lines (libvirt-harness.c), which end at once, or later, or fail, as the
 * test says. Clients are at the other ends of socket pairs.
 */
#include "base/bytes.h"
#include "dhcp/dhcp.h"
#include "netd/core/core.h"
#include "netd/core/event.h"
#include "netd/core/model.h"
#include "netd/core/settings.h"
#include "netd/libvirt/procs.h"
#include "netd/libvirt/rpc.h"
#include "netd/libvirt/session.h"

#include <ev.h>

#define LV_LATER_MAX 64

struct lv {
	struct core core;
	struct model model;
	struct settings settings;
	struct rpc_set *set;
	bool later;        /* verbs wait for lv_finish_later */
	int fail;          /* enum nd_code all verbs fail with, 0: they succeed */
	const char *cause; /* the failure's text */
	struct dhcp_lease leases[2];
	size_t lease_cnt;
	bool forced;       /* the last destroy was */
	unsigned verb_cnt; /* verbs that were called */
	char told[200];    /* what the last change was asked: "command section parent targets xml" */
	struct lv_later {
		void (*fn)(struct lv *lv, struct lv_later *l, struct nd_error *e);
		void (*done)(void);
		void *arg;
		struct nd_uuid uuid;
		struct netdef *def;
		int number;
	} waiting[LV_LATER_MAX];
	size_t waiting_cnt;
};
void lv_init(struct lv *lv);
void lv_done(struct lv *lv);
void lv_turn(struct lv *lv, int turns); /* of the loop, without sleeping */
void lv_finish_later(struct lv *lv);

struct lv_client {
	struct lv *lv;
	struct libvirt_session *session; /* the server's, while the connection is */
	int fd;                          /* the client's end, non-blocking */
	struct nd_buf in;                /* what came and was not looked at */
	struct nd_buf out;               /* the message being built */
	struct nd_buf last;              /* the last message that came */
	uint32_t serial;                 /* of the last call */
	bool eof;
};
struct lv_client lv_connect(struct lv *lv, enum session_socket socket, enum access_level level);
/* The same, authenticated and opened: the answers are read. */
struct lv_client lv_open(struct lv *lv, enum session_socket socket);
void lv_disconnect(struct lv_client *cl);
size_t lv_write(struct lv_client *cl, const void *p, size_t len); /* as much as the socket takes */
/* A message: begin, append the body to the buffer, send. A call has the next serial. */
struct nd_buf *lv_begin(struct lv_client *cl, const struct rpc_header *h);
struct nd_buf *lv_call_begin(struct lv_client *cl, uint32_t proc);
void lv_send(struct lv_client *cl);
/*
 * Reads what is there. Return: whether a whole message came; body is a view of it until the next. Aborts on
 * bytes that are none.
 */
bool lv_receive(struct lv_client *cl, struct rpc_header *ret, struct nd_reader *body);
/* Whether body is what signature says, lists included, to its last byte. */
bool lv_body_fits(struct nd_reader body, const char *signature);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_NETD_CORE_HARNESS_H
#define ND_TESTS_NETD_CORE_HARNESS_H
/*
 * DOC: a whole core on the fake kernel
 *
 * Everything below netd/core's headers is real but the kernel (tests/fake), the threads (tests/fake/jobs.c) and the DHCP worker
 * (tests/fake/supervisor.c). Files lie in a folder of the harness's own. core_stop and core_start again are a restart of the daemon: kernel
 * and files stay.
 */
#include "base/error.h"
#include "netd/core/attach.h"
#include "netd/core/core.h"
#include "netd/core/event.h"
#include "netd/core/model.h"
#include "netd/core/network.h"
#include "netd/core/settings.h"
#include "tests/fake/fake.h"
#include "tests/fake/jobs.h"
#include "tests/fake/nft.h"
#include "tests/fake/supervisor.h"
#include "tests/fake/tun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct core_harness {
	struct core c;
	struct model model;
	struct settings settings;
	struct nd_nl *watch; /* sees each change of the fake kernel */
	struct event_subscriber sub;
	char told
		[65536]; /* events since core_forget, one line each: "network-started lan: started on bridge virbr0" */
	size_t told_len;
	char root[64];
};

/* cmocka's: a fresh kernel and folder, the core running; *state is the harness. */
int core_setup(void **state);
int core_teardown(void **state);
void core_start(struct core_harness *h);
void core_stop(struct core_harness *h);
/* The loop, until what is due has happened. */
void core_turn(struct core_harness *h);
/* The same without what needs the time between two turns: one turn. */
void core_turn_once(struct core_harness *h);
/* Turns until ms have gone by. */
void core_wait(struct core_harness *h, unsigned ms);
void core_forget(struct core_harness *h); /* events, worker's log, kernel's changes */
bool core_told(const struct core_harness *h, const char *words);
unsigned core_told_count(const struct core_harness *h, const char *words);
/* Changes of links, addresses and routes since core_forget. */
unsigned core_changes(struct core_harness *h);
/* Path below the harness's folder; valid until the next call. */
const char *core_path(const struct core_harness *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void core_write(const struct core_harness *h, const char *text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool core_exists(const struct core_harness *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* How a verb ended. */
struct outcome {
	unsigned calls; /* must be 1 in the end */
	struct network *n;
	struct nd_error e;
	char text[1024]; /* the whole message, "" on success */
};
struct network_done core_done(struct outcome *o); /* empties o */
/* "<network>…" with bridge ("" none), subnet's own address ("" none: no <ip>), and more elements. Valid until the fourth call from now. */
const char *core_xml(const char *name, const char *bridge, const char *address, const char *more);
/* Each runs the loop until its end. They fail the test unless it succeeds. */
struct network *core_define(struct core_harness *h, const char *xml);
struct network *core_create(struct core_harness *h, const char *xml);
void core_start_network(struct core_harness *h, struct network *n);
void core_destroy(struct core_harness *h, struct network *n, bool force);

struct attached {
	unsigned calls;
	struct port *p;
	int fds[TAP_QUEUES_MAX];
	size_t fd_cnt;
	struct nd_error e;
	char text[1024];
};
/* Not followed by the loop. mac NULL: none given. */
void core_attach(struct core_harness *h, const char *network, const char *name, const char *mac,
		 struct attached *ret);
void core_attach_request(struct core_harness *h, const struct attach_request *req, struct attached *ret);
void core_close(struct attached *a); /* the guest is gone */

void core_assert_ok(int rc, const struct nd_error *e);
#define CORE_OK(call)                              \
	do {                                       \
		struct nd_error e = ND_ERROR_INIT; \
		core_assert_ok(call, &e);          \
	} while (0)
#endif

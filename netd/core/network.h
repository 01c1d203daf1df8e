/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_NETWORK_H
#define ND_CORE_NETWORK_H
/*
 * DOC: the verbs on networks
 *
 * Every verb ends in its done exactly once: now, or later when the disk thread has synced a definition. After done returns the caller
 * must not use pointers it kept. Errors name the network and what was being done. One change at a time per network: a second one while
 * the first waits for the disk is ND_BUSY.
 */
#include "base/bytes.h"
#include "netd/core/core.h"
#include "netd/core/model.h"

struct network_done {
	void (*fn)(void *arg, struct network *n /* borrowed; NULL on failure and after undefine */,
		   const struct nd_error *e);
	void *arg;
};
/* Persistent definition from XML (copied). An existing one of the same name and uuid is redefined: what is running goes on as it is. Without uuid,
 * name decides. Definition warnings go to warn (may be NULL) before done. */
void network_define(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done);
/* Transient: defined and started. */
void network_create(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done);
void network_start(struct core *c, struct network *n, struct network_done done);
/* ND_BUSY with the ports' list unless force: then its ports' devices are drained and the ports end. A transient network is gone afterwards (n NULL). */
void network_destroy(struct core *c, struct network *n, bool force, struct network_done done);
void network_undefine(struct core *c, struct network *n, struct network_done done);
void network_set_autostart(struct core *c, struct network *n, enum netdef_autostart mode,
			   struct network_done done);
/* Reads CONFIG/networks again: new and changed files are defined, those gone are undefined (a running one becomes transient); broken ones are named in
 * events and skipped, and keep what was known. Return: how many were broken. */
size_t network_reload(struct core *c);
/* XML of the live definition (inactive false and it is active), else of the config. Appended. */
void network_format(const struct network *n, bool inactive, struct nd_buf *out);
/* Start-up only. Reads the automatic subnets chosen earlier. */
void network_load_choices(struct core *c);
/* Gives n (inactive) its live definition (taken) and plan; nothing is made yet. Start and adoption use it. */
int network_take_live(struct core *c, struct network *n, struct netdef *live, struct nd_error *e);
/* The pieces the verbs and changes are made of. */
/* Parsed, complete with what a redefinition inherits, checked and unique; *ret the caller's. arg: warn's. */
int network_read(struct core *c, const char *xml, size_t len,
		 void (*warn)(void *arg, const struct netdef_warning *w), void *arg, struct netdef **ret,
		 struct nd_error *e);
/* Writes def (taken) and publishes it when it is synced, then done. Failing at once: done is not called. */
int network_write(struct core *c, struct netdef *def, struct network_done done, struct nd_error *e);
/* Starts n as def (borrowed) says. Its ports, if it has any, are left to repair. */
int network_start_from(struct core *c, struct network *n, const struct netdef *def, struct nd_error *e);
/* n is neither defined nor active any more: its ports end, its leases go, it is freed. */
void network_vanish(struct core *c, struct network *n);
/* Takes down everything but the ports and their devices. */
void network_halt(struct core *c, struct network *n);
/* Starts every inactive network with autostart=boot; failures are events. */
void network_autostart(struct core *c);
#endif

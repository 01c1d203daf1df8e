/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_NETWORK_H
#define ND_CORE_NETWORK_H
/*
 * DOC: the verbs on networks
 *
 * Every verb ends in its done exactly once: now, or later when the disk thread has synced a definition. After done returns the caller
 * must not use pointers it kept. Errors name the network and what was being done. One change at a time per network: one that comes while
 * another waits for the disk waits as well, where its done has an again, else it is ND_BUSY. So is one that comes when too many wait.
 */
#include "base/bytes.h"
#include "netd/core/core.h"
#include "netd/core/event.h"
#include "netd/core/model.h"

struct network_done {
	void (*fn)(void *arg, struct network *n /* borrowed; NULL on failure and after undefine */,
		   const struct nd_error *e);
	void *arg;
	/*
	 * Instead of fn, once: nothing was done, since another change of the network was being written. That is over; the caller looks its network up
	 * anew and calls the verb again. NULL: it would rather hear ND_BUSY.
	 */
	void (*again)(void *arg);
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
/* Gives def what a redefinition inherits, and checks it, and that nobody else has its name, uuid or bridge. */
int network_complete(const struct core *c, struct netdef *def, struct nd_error *e);
/* def (taken, complete) is its network's config from now on. *ret: the network, in the model. ND_MEMORY. */
int network_publish(struct core *c, struct netdef *def, struct network **ret, struct nd_error *e);
/* n's definition is gone from the disk. Return: n, where it goes on, transient; else NULL, it is freed. */
struct network *network_undefined(struct core *c, struct network *n);
/* Gives a definition (complete but for that) without a bridge name of its own the one it runs with, or a free one, as libvirt does at define. */
int network_name_bridge(const struct core *c, struct netdef *def, struct nd_error *e);
/*
 * Writes def (taken) and publishes it when it is synced, then done. kind: EVENT_NETWORK_DEFINED, EVENT_NETWORK_CHANGED (its autostart); any other: the
 * caller says what happened. Failing at once: done is not called.
 */
int network_write(struct core *c, struct netdef *def, enum event_kind kind, struct network_done done,
		  struct nd_error *e);
/* Whether done waits for a change of that network to be written, and will be called again. */
bool network_waits(struct core *c, const struct nd_uuid *uuid, struct network_done done);
/* At the end: those that wait fail. */
void network_give_up(struct core *c);
/* The names of bridges that other networks than own are defined or run with. */
void network_each_bridge(const struct core *c, const struct nd_uuid *own,
			 void (*fn)(void *arg, const char *bridge), void *arg);
/* Starts n as def (borrowed) says. Its ports, if it has any, are left to repair. */
int network_start_from(struct core *c, struct network *n, const struct netdef *def, struct nd_error *e);
/* n is neither defined nor active any more: its ports end, its leases go, it is freed. */
void network_vanish(struct core *c, struct network *n);
/* Takes down everything but the ports and their devices. */
void network_halt(struct core *c, struct network *n);
/* Starts every inactive network with autostart=boot; failures are events. */
void network_autostart(struct core *c);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_DISK_H
#define ND_CORE_DISK_H
/*
 * DOC: waiting for the disk, off the loop
 * Two queues with a thread each: the store (leases and small settings in SQLite, one transaction per batch) and files (definitions). A lease must
 * not wait for somebody's net-define, and a full database must not make a written file look unwritten.
 */
#include "base/jobs.h"
#include "dhcp/dhcp.h"
#include "netd/core/core.h"

struct disk_job {
	struct nd_job job;
	/* On the thread. store is NULL on the file queue. Touches only the job and what it alone owns. */
	int (*run)(struct dhcp_store *store, struct disk_job *j, struct nd_error *e);
	/* On the loop; owns j (frees it). */
	void (*done)(struct disk_job *j, const struct nd_error *e);
};
/* Opens STATE/netd.db, moving a file that is no database aside (told in *ret_warning, heap, NULL: none). */
int disk_new(struct ev_loop *loop, const char *state_dir, struct disk **ret, char **ret_warning,
	     struct nd_error *e);
/* Finishes what is queued. NULL-safe. */
void disk_free(struct disk *d);
void disk_push_store(struct disk *d, struct disk_job *j);
void disk_push_file(struct disk *d, struct disk_job *j);
/* Before the loop runs, and only then: the store itself, for start-up's reads. */
struct dhcp_store *disk_store_at_start(struct disk *d);

/* Before the loop runs, and only then: the store turned out to be damaged (why). It is moved aside, and a new one begun with the leases that can be read.
 * *ret_warning: as disk_new's. */
int disk_salvage(struct disk *d, const struct nd_error *why, char **ret_warning, struct nd_error *e);

/* A definition file: written (text taken) or removed (text NULL), synced. path is copied. */
int disk_file(struct disk *d, const char *path, char *text, struct nd_done done);
/* A setting in the store; value NULL deletes. Failure is logged: nothing waits for it. */
void disk_setting(struct disk *d, const char *key, const char *value);
#endif

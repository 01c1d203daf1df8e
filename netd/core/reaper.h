/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_REAPER_H
#define ND_CORE_REAPER_H
/*
 * DOC: deleting devices, on threads of their own
 * Deleting a bridge takes 20-40 ms of RTNL alone and 16 ms in a group. Links to delete are retired first (down, renamed, ND_GROUP_DEAD),
 * which is quick; the thread then deletes at most REAPER_BATCH of them at a time, so that others get RTNL in between.
 */
#include "netd/core/core.h"

struct reaper;
int reaper_new(struct ev_loop *loop, struct reaper **ret, struct nd_error *e);
void reaper_free(struct reaper *r);                /* finishes what is queued; NULL-safe */
void reaper_delete(struct reaper *r, int ifindex); /* a retired link */
/* Closes fd (taken) where it may be a TAP's last: that takes 17 ms (rcu_barrier), and a client chooses who closes last. */
void reaper_close(struct reaper *r, int fd);
/* Descriptors that wait to be closed: many only where clients attach and vanish. */
size_t reaper_backlog(const struct reaper *r);
#endif

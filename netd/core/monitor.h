/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_MONITOR_H
#define ND_CORE_MONITOR_H
/*
 * DOC: listening to the kernel
 * rtnetlink events go to the mirror, then to whom they concern; nfnetlink events go to nat. Lost events mean a full resync.
 */
#include "netd/core/core.h"

struct monitor;
/* Subscribes (before anything is dumped) and loads the mirror. Nothing is delivered before monitor_start. */
int monitor_new(struct core *c, struct monitor **ret, struct nd_error *e);
/* From now on events are acted on. */
void monitor_start(struct monitor *m);
/*
 * Reads the events that wait. The mirror is kept by events, those of netd's own requests too: whoever decides by it what is free calls this first, or he
 * does not see what an earlier verb of the same loop turn made. Ports may end in it, networks do not.
 */
void monitor_sync(struct core *c);
/* Counts each network's foreign_ports anew, from the mirror. */
void monitor_count_foreign(struct core *c);
void monitor_free(struct monitor *m);
#endif

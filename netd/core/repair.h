/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_REPAIR_H
#define ND_CORE_REPAIR_H
/*
 * DOC: putting back what somebody took away
 * Whoever sees that an object may differ from its plan marks it; once per loop turn, before the loop sleeps, marked objects are converged. What fails is
 * tried again with growing pauses and makes its network degraded.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

int repair_new(struct core *c, struct repair **ret, struct nd_error *e);
void repair_free(struct repair *r); /* NULL-safe */
/* why: what was seen, for the event ("nft (pid 12) deleted table inet netd"). */
void repair_mark_network(struct core *c, struct network *n, const char *why);
void repair_mark_port(struct core *c, struct port *p, const char *why);
/* A persistent TAP of no port was seen: it ends once nobody holds it. */
void repair_mark_strays(struct core *c);
void repair_mark_all(struct core *c, const char *why);
/* At start-up, before the loop: everything at once, nothing told. */
void repair_now(struct core *c);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_CONNECTIONS_H
#define ND_CORE_CONNECTIONS_H
/*
 * DOC: the end of tracked connections that a change made wrong
 * They are found by a dump, which takes as long as the host has connections: a thread's work, what queued meanwhile in one dump.
 */
#include "base/error.h"
#include "nat/conntrack.h"

struct ev_loop;
struct connections;
int connections_new(struct ev_loop *loop, struct connections **ret, struct nd_error *e);
void connections_free(struct connections *t); /* NULL-safe; ends what is queued */
void connections_end(struct connections *t, const struct nat_connections *what);
/* All of one guest's. */
void connections_end_address(struct connections *t, uint32_t ip4);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_CONVERGE_H
#define ND_CORE_CONVERGE_H
/*
 * DOC: the engine: rows of resources × objects → start, repair or stop
 *
 * A row says how one kind of resource of an object is checked, made and undone. The engine knows no object type. START and REPAIR run the rows in order
 * and call apply where check says MISSING; then flush, once per row, for rows that queue (the nft batch). A START that fails undoes, in reverse, what
 * this run made, and the first cause is returned with what failed while undoing in its `also`. STOP runs undo over all rows in reverse.
 */
#include "netd/core/core.h"
#include <stdbool.h>

enum resource_state { RESOURCE_OK, RESOURCE_MISSING };
struct resource {
	const char *name; /* "bridge" */
	enum resource_state (*check)(const struct core *c,
				     const void *obj); /* against mirror and view; no kernel call */
	int (*apply)(struct core *c, void *obj, struct nd_error *e); /* idempotent, from any state */
	int (*undo)(struct core *c, void *obj,
		    struct nd_error *e);                  /* idempotent; NULL: goes with another row */
	int (*flush)(struct core *c, struct nd_error *e); /* NULL: apply and undo act at once */
	bool told;        /* in the kernel, where others can take it away: putting it back is an event */
	bool holds_ports; /* made anew it has none of the ports: they are marked */
};
#define CONVERGE_ROWS_MAX 16
enum converge_goal { CONVERGE_START, CONVERGE_REPAIR, CONVERGE_STOP };
/* *ret_applied (may be NULL): bit i set when row i was applied. */
int converge(struct core *c, const struct resource *rows, size_t row_cnt, void *obj, enum converge_goal goal,
	     unsigned *ret_applied, struct nd_error *e);

/* The rows of networks and of ports, in network-rows.c and port-rows.c. */
extern const struct resource network_rows[];
extern const size_t network_row_cnt;
extern const struct resource port_rows[];
extern const size_t port_row_cnt;
#endif

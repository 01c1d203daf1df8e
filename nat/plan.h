/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_PLAN_H
#define ND_NAT_PLAN_H
/*
 * Configurations into set elements, and the view of elements: what the kernel has and what is wanted once the
 * queue is sent. Pure: no system call. Private to nat/.
 */
#include "base/map.h"
#include "nat/batch.h"
#include "nat/nat.h"

#define NAT_CONFIG_ELEMS 24 /* a configuration's elements at most */

/* The elements of cfg, in no order of meaning. Return: how many. */
size_t nat_plan_elems(const struct nat_config *cfg, struct nat_elem ret[NAT_CONFIG_ELEMS]);

/* An element that the kernel has or that is wanted, or both. `queued` is linked while the two differ. */
struct nat_node {
	struct nd_map_node by_key;
	struct nd_list queued;
	struct nat_elem elem;            /* as wanted, or when not wanted as the kernel has it */
	uint8_t have_data[NAT_DATA_MAX]; /* the kernel's */
	uint32_t claim;                  /* sweep that claimed it */
	uint32_t seen;                   /* scan that saw it */
	bool have, want;
};
struct nat_view {
	struct nd_map map;
	struct nd_list queue; /* nodes whose have and want differ, oldest first */
	size_t queue_cnt;
	uint32_t claim, seen; /* current sweep and scan */
	size_t disturbed; /* settled elements that the current scan found gone, changed or made by others */
	struct nat_elem first; /* the first of them */
};
void nat_view_init(struct nat_view *v);
void nat_view_done(struct nat_view *v);
/* Whether the kernel has it with this data. */
bool nat_view_has(const struct nat_view *v, const struct nat_elem *elem);
/* Wants or no longer wants one. Return: false when out of memory. */
bool nat_view_want(struct nat_view *v, const struct nat_elem *elem);
void nat_view_unwant(struct nat_view *v, const struct nat_elem *elem);
/* Room for ops that nat_view_plan needs: deletions, additions, and a change is both. */
size_t nat_view_plan_max(const struct nat_view *v, const bool rebuilt[NAT_TABLE_CNT]);
/*
 * What makes the kernel's elements the wanted ones, deletions first. rebuilt: tables that the batch makes
 * anew, so all that is wanted in them is added and nothing deleted. ops point into the view. Return: how
 * many.
 */
size_t nat_view_plan(const struct nat_view *v, const bool rebuilt[NAT_TABLE_CNT], struct nat_op *ops);
/* The ops of nat_view_plan were done. */
void nat_view_committed(struct nat_view *v);
/* The queue is dropped: what the kernel has is what is wanted. */
void nat_view_reset(struct nat_view *v);

/*
 * A scan of the kernel: begin (again, when it was broken off), each element, end. Elements that nobody wants
 * become wanted when adopt is true, else they are queued for deletion. Wanted ones that were not seen, or
 * with other data, are queued to be brought back. Return of scanned: false when out of memory.
 */
void nat_view_scan_begin(struct nat_view *v);
bool nat_view_scanned(struct nat_view *v, const struct nat_elem *elem, bool adopt);
void nat_view_scan_end(struct nat_view *v);

/* Sweep: see nat.h. */
void nat_view_sweep_begin(struct nat_view *v);
void nat_view_claim(struct nat_view *v, const struct nat_elem *elem);
size_t nat_view_sweep(struct nat_view *v);
#endif

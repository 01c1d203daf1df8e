// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: start, repair and stop as one walk over rows (see converge.h).
 */
#include "netd/core/converge.h"
#include <assert.h>

static int flush_row(struct core *c, const struct resource *row, struct nd_error *e)
{
	return row->flush ? row->flush(c, e) : 0;
}

/* Undoes the rows of the mask in reverse; failures are gathered in e's also (or in e itself, when nothing failed before). */
static void undo_rows(struct core *c, const struct resource *rows, size_t row_cnt, void *obj, unsigned mask,
		      struct nd_error *e)
{
	for (size_t i = row_cnt; i-- > 0;) {
		struct nd_error failed = ND_ERROR_INIT;
		if (!(mask & 1u << i) || !rows[i].undo)
			continue;
		if (rows[i].undo(c, obj, &failed) == 0 && flush_row(c, &rows[i], &failed) == 0)
			continue;
		if (e && e->code)
			nd_also(e, &failed);
		else if (e)
			nd_error_copy(e, &failed);
	}
}

static int apply_rows(struct core *c, const struct resource *rows, size_t row_cnt, void *obj,
		      unsigned *applied, struct nd_error *e)
{
	for (size_t i = 0; i < row_cnt; i++) {
		if (rows[i].check(c, obj) == RESOURCE_OK)
			continue;
		*applied |= 1u << i; /* also when it fails half-way: undo is idempotent */
		int r = rows[i].apply(c, obj, e);
		if (r == 0)
			r = flush_row(c, &rows[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int converge(struct core *c, const struct resource *rows, size_t row_cnt, void *obj, enum converge_goal goal,
	     unsigned *ret_applied, struct nd_error *e)
{
	unsigned applied = 0;
	struct nd_error local = ND_ERROR_INIT;
	if (!e)
		e = &local;
	assert(row_cnt <= CONVERGE_ROWS_MAX);
	if (goal == CONVERGE_STOP)
		undo_rows(c, rows, row_cnt, obj, ~0u, e);
	else if (apply_rows(c, rows, row_cnt, obj, &applied, e) < 0 && goal == CONVERGE_START)
		undo_rows(c, rows, row_cnt, obj, applied, e);
	if (ret_applied)
		*ret_applied = applied;
	return e->code;
}

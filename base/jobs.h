/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_JOBS_H
#define ND_BASE_JOBS_H
/*
 * DOC: one thread that does slow things in batches
 *
 * The owner (the loop) pushes jobs; the thread takes all that queued, calls begin, run for each, commit, and gives them back; wake()
 * (called from the thread; in netd it is ev_async_send) tells the loop, which calls nd_jobs_collect: that calls each job's done on the
 * loop's thread, in order. If begin or commit fails, every job of the batch ends with that error (a job's own failure in run is
 * then an also of it); if one run fails only that job does.
 * No other state is shared. Jobs of one queue end in the order they were pushed.
 */
#include "base/error.h"
#include "base/map.h"

struct nd_job {
	struct nd_list link;
	void (*done)(struct nd_job *job,
		     const struct nd_error *e); /* on the owner's thread; owns job from here */
	struct nd_error *error; /* set by the thread when it failed (heap); freed by collect */
};
struct nd_job_ops {
	int (*begin)(void *ctx, struct nd_error *e); /* may be NULL */
	int (*run)(void *ctx, struct nd_job *job, struct nd_error *e);
	int (*commit)(void *ctx, struct nd_error *e); /* may be NULL */
	void (*abort)(void *ctx);                     /* after a failed commit; may be NULL */
};
struct nd_jobs;
/* ctx borrowed, used only by the thread from here on. batch_max: jobs a batch takes at most (0: no limit). */
int nd_jobs_new(const char *thread_name, const struct nd_job_ops *ops, void *ctx, size_t batch_max,
		void (*wake)(void *arg), void *wake_arg, struct nd_jobs **ret, struct nd_error *e);
void nd_jobs_push(struct nd_jobs *q, struct nd_job *job /* taken until done */);
size_t nd_jobs_collect(struct nd_jobs *q);       /* Return: how many ended */
size_t nd_jobs_pending(const struct nd_jobs *q); /* pushed and not yet collected */
/*
 * Runs what is queued, joins the thread, collects. NULL-safe. Jobs that a done() pushes meanwhile run too: one that
 * always pushes again never lets it end.
 */
void nd_jobs_free(struct nd_jobs *q);
#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: base/jobs.c without a thread (see jobs.h).
 */
#include "tests/fake/jobs.h"

#include "base/jobs.h"
#include "base/mem.h"
#include "tests/fake/fake.h"

#include <assert.h>
#include <errno.h>

struct nd_jobs {
	struct nd_jobs *next;
	const char *name;
	const struct nd_job_ops *ops;
	void *ctx;
	size_t batch_max;
	void (*wake)(void *arg);
	void *wake_arg;
	struct nd_list queued;
	size_t pending;
};

static struct nd_jobs *queues;
static bool held;
static unsigned batch_cnt;

static void reset(void)
{
	held = false;
	batch_cnt = 0;
}

void fake_jobs_hold(bool hold)
{
	fake_on_reset(reset);
	held = hold;
	for (struct nd_jobs *q = queues; q && !held; q = q->next)
		if (q->pending > 0)
			q->wake(q->wake_arg);
}

unsigned fake_jobs_batches(void)
{
	return batch_cnt;
}

int nd_jobs_new(const char *thread_name, const struct nd_job_ops *ops, void *ctx, size_t batch_max,
		void (*wake)(void *arg), void *wake_arg, struct nd_jobs **ret, struct nd_error *e)
{
	struct nd_jobs *q = calloc(1, sizeof(*q));

	assert(q);
	fake_on_reset(reset);
	*q = (struct nd_jobs){ .next = queues,
			       .name = thread_name,
			       .ops = ops,
			       .ctx = ctx,
			       .batch_max = batch_max,
			       .wake = wake,
			       .wake_arg = wake_arg };
	nd_list_init(&q->queued);
	queues = *ret = q;
	return 0;
}

void nd_jobs_push(struct nd_jobs *q, struct nd_job *job)
{
	job->error = NULL;
	q->pending++;
	nd_list_append(&q->queued, &job->link);
	q->wake(q->wake_arg);
}

static void job_fail(struct nd_job *job, const struct nd_error *e)
{
	if (!job->error)
		job->error = malloc(sizeof(*job->error));
	assert(job->error);
	nd_error_copy(job->error, e);
}

static int begin(struct nd_jobs *q, struct nd_error *e)
{
	return q->ops->begin ? q->ops->begin(q->ctx, e) : 0;
}

static int commit(struct nd_jobs *q, struct nd_error *e)
{
	const char *text;
	int err;

	if (fake_fail_now(q->name, &err, &text))
		return nd_fail_sys(e, err, text, "commit");
	return q->ops->commit ? q->ops->commit(q->ctx, e) : 0;
}

static void run_batch(struct nd_jobs *q, struct nd_list *batch)
{
	struct nd_error failed = ND_ERROR_INIT;
	struct nd_job *job;
	int r = begin(q, &failed);

	batch_cnt++;
	nd_list_foreach(job, batch, link) {
		struct nd_error own = ND_ERROR_INIT;

		if (r == 0 && q->ops->run(q->ctx, job, &own) < 0)
			job_fail(job, &own);
	}
	if (r == 0) {
		r = commit(q, &failed);
		if (r < 0 && q->ops->abort)
			q->ops->abort(q->ctx);
	}
	nd_list_foreach(job, batch, link)
		if (r < 0)
			job_fail(job, &failed);
}

static size_t end_batch(struct nd_jobs *q, struct nd_list *batch)
{
	static const struct nd_error none;
	size_t cnt = 0;

	while (!nd_list_empty(batch)) {
		struct nd_job *job = container_of(batch->next, struct nd_job, link);
		struct nd_error *error = take_ptr(job->error);

		nd_list_remove(&job->link);
		q->pending--;
		cnt++;
		job->done(job, error ? error : &none);
		free(error);
	}
	return cnt;
}

static size_t run_queued(struct nd_jobs *q)
{
	struct nd_list batch;

	nd_list_init(&batch);
	for (size_t i = 0; !nd_list_empty(&q->queued) && (!q->batch_max || i < q->batch_max); i++) {
		struct nd_list *link = q->queued.next;

		nd_list_remove(link);
		nd_list_append(&batch, link);
	}
	if (nd_list_empty(&batch))
		return 0;
	run_batch(q, &batch);
	size_t cnt = end_batch(q, &batch);
	if (!nd_list_empty(&q->queued))
		q->wake(q->wake_arg);
	return cnt;
}

size_t nd_jobs_collect(struct nd_jobs *q)
{
	return held ? 0 : run_queued(q);
}

size_t nd_jobs_pending(const struct nd_jobs *q)
{
	return q->pending;
}

void nd_jobs_free(struct nd_jobs *q)
{
	if (!q)
		return;
	while (q->pending > 0)
		run_queued(q);
	for (struct nd_jobs **p = &queues; *p; p = &(*p)->next)
		if (*p == q) {
			*p = q->next;
			break;
		}
	free(q);
}

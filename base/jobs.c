// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: one thread that does slow things in batches
 *
 * Two lists under one mutex: what is queued (the owner appends, the thread takes) and what has ended (the
 * other way round). A job is on exactly one list, or in the thread's batch, or the owner's; nobody else
 * touches it, so its fields need no lock. pending is the owner's alone.
 *
 * An error that cannot be allocated becomes the one static ND_MEMORY error: a failed job must never read
 * as done.
 */
#include "base/jobs.h"
#include "base/mem.h"
#include "base/strtab.h"

#include <pthread.h>
#include <signal.h>

#define THREAD_NAME_SIZE 16 /* TASK_COMM_LEN, include/linux/sched.h */

struct nd_jobs {
	const struct nd_job_ops *ops; /* borrowed */
	void *ctx;                    /* borrowed, the thread's */
	size_t batch_max;             /* 0: no limit */
	void (*wake)(void *arg);
	void *wake_arg;
	pthread_t thread;
	size_t pending; /* the owner's */

	pthread_mutex_t mutex;
	pthread_cond_t more;   /* something is queued, or stop */
	struct nd_list queued; /* from here on under mutex */
	struct nd_list ended;
	bool stop;
};

static struct nd_error no_memory = { .code = ND_MEMORY };

static struct nd_job *job_of(struct nd_list *link)
{
	return container_of(link, struct nd_job, link);
}

/* Moves the first max members of from (all, 0) behind those of to. */
static void move(struct nd_list *to, struct nd_list *from, size_t max)
{
	for (size_t i = 0; !nd_list_empty(from) && (max == 0 || i < max); i++) {
		struct nd_list *link = from->next;

		nd_list_remove(link);
		nd_list_append(to, link);
	}
}

static void set_error(struct nd_job *job, const struct nd_error *e)
{
	job->error = malloc(sizeof(*job->error));
	if (job->error)
		nd_error_copy(job->error, e);
	else
		job->error = &no_memory;
}

static void free_error(struct nd_error *e)
{
	if (e != &no_memory)
		free(e);
}

/* An op that failed without saying why is a bug, which must not read as success either. */
static bool failed(int r, const char *what, struct nd_error *e)
{
	if (r < 0 && e->code == 0)
		nd_fail(e, r, "%s gave no reason", what);
	return r < 0;
}

/* The batch as a whole failed: all jobs end with its error; one that had failed by itself says so beside it. */
static void fail_batch(struct nd_list *batch, const struct nd_error *e)
{
	struct nd_job *job;

	nd_list_foreach(job, batch, link) {
		struct nd_error *own = job->error;

		set_error(job, e);
		if (own && job->error != &no_memory)
			nd_also(job->error, own);
		free_error(own);
	}
}

static void run_batch(struct nd_jobs *q, struct nd_list *batch)
{
	const struct nd_job_ops *ops = q->ops;
	struct nd_error e = ND_ERROR_INIT;
	struct nd_job *job;

	if (ops->begin && failed(ops->begin(q->ctx, &e), "begin", &e)) {
		fail_batch(batch, &e);
		return;
	}
	nd_list_foreach(job, batch, link) {
		struct nd_error own = ND_ERROR_INIT;

		if (failed(ops->run(q->ctx, job, &own), "run", &own))
			set_error(job, &own);
	}
	if (ops->commit && failed(ops->commit(q->ctx, &e), "commit", &e)) {
		if (ops->abort)
			ops->abort(q->ctx);
		fail_batch(batch, &e);
	}
}

/* Under the mutex. Return: whether there is a batch; false ends the thread. */
static bool next_batch(struct nd_jobs *q, struct nd_list *batch)
{
	while (nd_list_empty(&q->queued) && !q->stop)
		pthread_cond_wait(&q->more, &q->mutex);
	move(batch, &q->queued, q->batch_max);
	return !nd_list_empty(batch);
}

static void *thread_main(void *arg)
{
	struct nd_jobs *q = arg;
	struct nd_list batch;

	nd_list_init(&batch);
	pthread_mutex_lock(&q->mutex);
	while (next_batch(q, &batch)) {
		pthread_mutex_unlock(&q->mutex);
		run_batch(q, &batch);
		pthread_mutex_lock(&q->mutex);
		move(&q->ended, &batch, 0);
		pthread_mutex_unlock(&q->mutex);
		if (q->wake)
			q->wake(q->wake_arg);
		pthread_mutex_lock(&q->mutex);
	}
	pthread_mutex_unlock(&q->mutex);
	return NULL;
}

/* Signals are the loop's: the thread blocks them all. Return: 0 or an errno. */
static int start_thread(struct nd_jobs *q, const char *thread_name)
{
	char name[THREAD_NAME_SIZE];
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&q->thread, NULL, thread_main, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return r;
	nd_strcpy(name, sizeof(name), thread_name);
	pthread_setname_np(q->thread, name);
	return 0;
}

static void release(struct nd_jobs *q)
{
	pthread_cond_destroy(&q->more);
	pthread_mutex_destroy(&q->mutex);
	free(q);
}

int nd_jobs_new(const char *thread_name, const struct nd_job_ops *ops, void *ctx, size_t batch_max,
		void (*wake)(void *arg), void *wake_arg, struct nd_jobs **ret, struct nd_error *e)
{
	struct nd_jobs *q = malloc(sizeof(*q));
	int r;

	if (!q)
		return nd_fail(e, ND_MEMORY, "thread '%s'", thread_name);
	*q = (struct nd_jobs){
		.ops = ops, .ctx = ctx, .batch_max = batch_max, .wake = wake, .wake_arg = wake_arg
	};
	nd_list_init(&q->queued);
	nd_list_init(&q->ended);
	pthread_mutex_init(&q->mutex, NULL);
	pthread_cond_init(&q->more, NULL);
	r = start_thread(q, thread_name);
	if (r != 0) {
		release(q);
		return nd_fail_sys(e, r, NULL, "start thread '%s'", thread_name);
	}
	*ret = q;
	return 0;
}

void nd_jobs_push(struct nd_jobs *q, struct nd_job *job)
{
	job->error = NULL;
	q->pending++;
	pthread_mutex_lock(&q->mutex);
	nd_list_append(&q->queued, &job->link);
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->mutex);
}

size_t nd_jobs_collect(struct nd_jobs *q)
{
	static const struct nd_error none;
	struct nd_list ended;
	size_t cnt = 0;

	nd_list_init(&ended);
	pthread_mutex_lock(&q->mutex);
	move(&ended, &q->ended, 0);
	pthread_mutex_unlock(&q->mutex);
	while (!nd_list_empty(&ended)) {
		struct nd_job *job = job_of(ended.next);
		struct nd_error *error = job->error;

		nd_list_remove(&job->link);
		job->error = NULL;
		q->pending--;
		cnt++;
		job->done(job, error ? error : &none); /* may free the job and push others */
		free_error(error);
	}
	return cnt;
}

size_t nd_jobs_pending(const struct nd_jobs *q)
{
	return q->pending;
}

void nd_jobs_free(struct nd_jobs *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->mutex);
	q->stop = true;
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->mutex);
	pthread_join(q->thread, NULL);
	nd_jobs_collect(q);
	/* What a done() pushed meanwhile runs here: the thread is gone, its lists and ctx are ours. */
	while (q->pending > 0) {
		thread_main(q);
		nd_jobs_collect(q);
	}
	release(q);
}

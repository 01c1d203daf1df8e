// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the batch thread. A gate in begin() holds the thread while a test queues, so that what is in a batch is
 * known. The journal of calls is the thread's until nd_jobs_free() has joined it.
 */
#include "base/jobs.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

#define MANY 2000

struct world {
	sem_t gate, begun, woken;
	atomic_int wakes;
	/* the thread's */
	char calls[256];                   /* B begin, r run, C commit, A abort */
	int fail_begin_at, fail_commit_at; /* the how manieth batch, from 1; 0: none */
	int begins, commits;
	bool gated;
	bool silent; /* fail without a reason */
	char name[32];
	bool signals_blocked;
};

struct job {
	struct nd_job job;
	struct world *w;
	int number;
	bool fails;
	struct nd_jobs *push_again; /* from done() */
};

/* What ended, the owner's. */
static struct {
	int number[16], code[16];
	char text[16][256];
	size_t cnt;
	size_t total;
} ended;

static void note(struct world *w, const char *call)
{
	if (strlen(w->calls) < sizeof(w->calls) - 1)
		strcat(w->calls, call);
}

static int on_begin(void *ctx, struct nd_error *e)
{
	struct world *w = ctx;
	sigset_t mask;

	note(w, "B");
	pthread_getname_np(pthread_self(), w->name, sizeof(w->name));
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	w->signals_blocked = sigismember(&mask, SIGTERM) == 1;
	if (w->gated) {
		sem_post(&w->begun);
		sem_wait(&w->gate);
	}
	if (++w->begins == w->fail_begin_at)
		return nd_fail(e, ND_BUSY, "begin");
	return 0;
}

static int on_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	struct world *w = ctx;

	note(w, "r");
	if (!container_of(job, struct job, job)->fails)
		return 0;
	return w->silent ? ND_LIMIT : nd_fail(e, ND_LIMIT, "run");
}

static int on_commit(void *ctx, struct nd_error *e)
{
	struct world *w = ctx;

	note(w, "C");
	if (++w->commits == w->fail_commit_at)
		return nd_fail_sys(e, EIO, NULL, "commit");
	return 0;
}

static void on_abort(void *ctx)
{
	note(ctx, "A");
}

static const struct nd_job_ops ops = { on_begin, on_run, on_commit, on_abort };
static const struct nd_job_ops run_only = { .run = on_run };

static void on_wake(void *arg)
{
	struct world *w = arg;

	atomic_fetch_add(&w->wakes, 1);
	sem_post(&w->woken);
}

static void on_done(struct nd_job *job, const struct nd_error *e)
{
	struct job *j = container_of(job, struct job, job);

	ended.total++;
	if (ended.cnt < ARRAY_LEN(ended.number)) {
		ended.number[ended.cnt] = j->number;
		ended.code[ended.cnt] = e->code;
		nd_error_format(e, ended.text[ended.cnt], sizeof(ended.text[0]));
		ended.cnt++;
	}
	if (j->push_again) {
		nd_jobs_push(take_ptr(j->push_again), &j->job);
		return;
	}
	free(j); /* the job is the callback's */
}

static struct job *push(struct nd_jobs *q, struct world *w, int number, bool fails)
{
	struct job *j = calloc(1, sizeof(*j));

	assert_non_null(j);
	*j = (struct job){ .job.done = on_done, .w = w, .number = number, .fails = fails };
	nd_jobs_push(q, &j->job);
	return j;
}

static struct nd_jobs *start(struct world *w, const struct nd_job_ops *with, size_t batch_max)
{
	struct nd_jobs *q = NULL;

	sem_init(&w->gate, 0, 0);
	sem_init(&w->begun, 0, 0);
	sem_init(&w->woken, 0, 0);
	memset(&ended, 0, sizeof(ended));
	assert_int_equal(nd_jobs_new("a-name-longer-than-15", with, w, batch_max, on_wake, w, &q, NULL), 0);
	return q;
}

static void test_batch(void **state)
{
	struct world w = { .gated = true };
	struct nd_jobs *q = start(&w, &ops, 0);

	push(q, &w, 1, false);
	sem_wait(&w.begun); /* the first batch has only job 1 */
	for (int i = 2; i <= 4; i++)
		push(q, &w, i, false);
	assert_int_equal(nd_jobs_pending(q), 4);
	assert_int_equal(nd_jobs_collect(q), 0);
	sem_post(&w.gate);
	sem_wait(&w.woken);
	assert_int_equal(nd_jobs_collect(q), 1);
	assert_int_equal(nd_jobs_pending(q), 3);
	sem_post(&w.gate);
	sem_wait(&w.woken);
	assert_int_equal(nd_jobs_collect(q), 3);
	assert_int_equal(nd_jobs_pending(q), 0);
	nd_jobs_free(q);
	assert_string_equal(w.calls, "BrCBrrrC");
	assert_string_equal(w.name, "a-name-longer-t");
	assert_true(w.signals_blocked);
	assert_int_equal(w.wakes, 2);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ended.number[i], i + 1);
		assert_int_equal(ended.code[i], 0);
	}
}

/* Queues five jobs behind a gated first one, opens the gate for good, and ends. */
static void run_five(struct world *w, size_t batch_max, int failing)
{
	struct nd_jobs *q;

	w->gated = true;
	q = start(w, &ops, batch_max);
	push(q, w, 0, false);
	sem_wait(&w->begun);
	for (int i = 1; i <= 5; i++)
		push(q, w, i, i == failing);
	for (int i = 0; i < 10; i++)
		sem_post(&w->gate);
	nd_jobs_free(q);
	assert_int_equal(ended.cnt, 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(ended.number[i], i);
}

static void test_batch_max(void **state)
{
	struct world w = { 0 };

	run_five(&w, 2, 0);
	assert_string_equal(w.calls, "BrCBrrCBrrCBrC");
}

static void test_one_run_fails(void **state)
{
	struct world w = { 0 };

	run_five(&w, 0, 3);
	assert_string_equal(w.calls, "BrCBrrrrrC");
	for (int i = 0; i < 6; i++)
		assert_int_equal(ended.code[i], i == 3 ? ND_LIMIT : 0);
	assert_string_equal(ended.text[3], "run");
}

static void test_run_fails_without_reason(void **state)
{
	struct world w = { .silent = true };

	run_five(&w, 0, 3);
	assert_int_equal(ended.code[3], ND_LIMIT);
	assert_string_equal(ended.text[3], "run gave no reason");
}

static void test_begin_fails(void **state)
{
	struct world w = { .fail_begin_at = 2 };

	run_five(&w, 0, 3);
	assert_string_equal(w.calls, "BrCB");
	for (int i = 1; i < 6; i++) {
		assert_int_equal(ended.code[i], ND_BUSY);
		assert_string_equal(ended.text[i], "begin");
	}
	assert_int_equal(ended.code[0], 0);
}

static void test_commit_fails(void **state)
{
	struct world w = { .fail_commit_at = 2 };

	run_five(&w, 3, 2);
	assert_string_equal(w.calls, "BrCBrrrCABrrC");
	for (int i = 1; i <= 3; i++)
		assert_int_equal(ended.code[i], ND_SYSTEM);
	assert_string_equal(ended.text[1], "commit: Input/output error (EIO)");
	assert_string_equal(ended.text[2], "commit: Input/output error (EIO); also: run");
	assert_int_equal(ended.code[4], 0);
	assert_int_equal(ended.code[5], 0);
}

static void test_push_from_done(void **state)
{
	struct world w = { 0 };
	struct nd_jobs *q = start(&w, &run_only, 0);
	struct job *j = calloc(1, sizeof(*j));

	assert_non_null(j);
	*j = (struct job){ .job.done = on_done, .w = &w, .number = 7, .push_again = q };
	nd_jobs_push(q, &j->job);
	/* Free collects the first end, whose done() pushes: that one runs and ends too. */
	nd_jobs_free(q);
	assert_int_equal(ended.total, 2);
	assert_string_equal(w.calls, "rr");
	nd_jobs_free(NULL);
}

static void test_many(void **state)
{
	struct world w = { 0 };
	struct nd_jobs *q = start(&w, &run_only, 64);
	size_t collected = 0;

	for (int i = 0; i < MANY; i++) {
		push(q, &w, i, i % 100 == 99);
		if (i % 37 == 0)
			collected += nd_jobs_collect(q);
	}
	while (nd_jobs_pending(q) > 0) {
		sem_wait(&w.woken);
		collected += nd_jobs_collect(q);
	}
	assert_int_equal(collected, MANY);
	assert_int_equal(ended.total, MANY);
	nd_jobs_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch),          cmocka_unit_test(test_batch_max),
		cmocka_unit_test(test_one_run_fails),  cmocka_unit_test(test_run_fails_without_reason),
		cmocka_unit_test(test_begin_fails),    cmocka_unit_test(test_commit_fails),
		cmocka_unit_test(test_push_from_done), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

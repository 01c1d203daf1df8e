// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the thread that ends tracked connections (see connections.h)
 *
 * What is to end waits for the end of the loop's turn: by then the nft elements that would let it be made anew are gone.
 */
#include "netd/core/connections.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/mem.h"
#include <ev.h>

#define BATCH 64

struct connections {
	struct ev_loop *loop;
	struct ev_async wake;
	struct ev_prepare turn_end;
	struct nd_list waiting; /* of struct end_job */
	struct nd_jobs *jobs;
	struct nat_conntrack *conntrack; /* the thread's own, as are the next two */
	struct nat_connections what[BATCH];
	size_t cnt;
};
struct end_job {
	struct nd_job job;
	struct nat_connections what;
};

static int end_begin(void *ctx, struct nd_error *e)
{
	((struct connections *)ctx)->cnt = 0;
	return 0;
}

static int end_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	struct connections *t = ctx;
	t->what[t->cnt++] = container_of(job, struct end_job, job)->what;
	return 0;
}

static int end_commit(void *ctx, struct nd_error *e)
{
	struct connections *t = ctx;
	size_t ended = 0;
	int r = nat_conntrack_delete(t->conntrack, t->what, t->cnt, &ended, e);
	if (ended)
		nd_log(ND_LOG_DEBUG, "%zu tracked connections ended", ended);
	return r;
}

static const struct nd_job_ops end_ops = { end_begin, end_run, end_commit, NULL };

static void end_done(struct nd_job *job, const struct nd_error *e)
{
	if (e->code)
		nd_log_error(ND_LOG_WARNING, e, "end tracked connections");
	free(container_of(job, struct end_job, job));
}

static void on_wake(struct ev_loop *loop, struct ev_async *w, int revents)
{
	nd_jobs_collect(container_of(w, struct connections, wake)->jobs);
}

static void push_waiting(struct connections *t)
{
	while (!nd_list_empty(&t->waiting)) {
		struct nd_list *first = t->waiting.next;
		nd_list_remove(first);
		nd_jobs_push(t->jobs, &container_of(first, struct end_job, job.link)->job);
	}
}

static void on_turn_end(struct ev_loop *loop, struct ev_prepare *w, int revents)
{
	push_waiting(container_of(w, struct connections, turn_end));
}

static void wake(void *arg)
{
	struct connections *t = arg;
	ev_async_send(t->loop, &t->wake);
}

int connections_new(struct ev_loop *loop, struct connections **ret, struct nd_error *e)
{
	struct connections *t = calloc(1, sizeof *t);
	if (!t)
		return nd_fail(e, ND_MEMORY, "connection tracking");
	t->loop = loop;
	ev_async_init(&t->wake, on_wake);
	ev_async_start(loop, &t->wake);
	ev_unref(loop);
	nd_list_init(&t->waiting);
	ev_prepare_init(&t->turn_end, on_turn_end);
	ev_set_priority(&t->turn_end, EV_MINPRI); /* behind repair's */
	ev_prepare_start(loop, &t->turn_end);
	ev_unref(loop);
	if (nat_conntrack_new(&t->conntrack, e) < 0 ||
	    nd_jobs_new("netd-conntrack", &end_ops, t, BATCH, wake, t, &t->jobs, e) < 0) {
		int err = nd_wrap(e, "connection tracking");
		connections_free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void connections_free(struct connections *t)
{
	if (!t)
		return;
	if (t->jobs)
		push_waiting(t);
	nd_jobs_free(t->jobs);
	ev_ref(t->loop);
	ev_prepare_stop(t->loop, &t->turn_end);
	nat_conntrack_free(t->conntrack);
	ev_ref(t->loop);
	ev_async_stop(t->loop, &t->wake);
	free(t);
}

void connections_end(struct connections *t, const struct nat_connections *what)
{
	struct end_job *j = t ? calloc(1, sizeof *j) : NULL;
	if (!j)
		return; /* they end by their own timeouts */
	*j = (struct end_job){ .job = { .done = end_done }, .what = *what };
	nd_list_append(&t->waiting, &j->job.link);
}

void connections_end_address(struct connections *t, uint32_t ip4)
{
	connections_end(t, &(struct nat_connections){ .any = nd_ip_from_ip4(ip4) });
}

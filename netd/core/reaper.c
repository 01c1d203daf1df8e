// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the deleting thread (see reaper.h).
 *
 * A batch moves its links into a group of its own and deletes that group: one rcu_barrier for all of them instead of one each.
 * Source: net/core/rtnetlink.c rtnl_group_dellink, net/core/dev.c netdev_run_todo.
 */
#include "netd/core/reaper.h"
#include "base/jobs.h"
#include "base/link.h"
#include "base/log.h"
#include "base/mem.h"
#include <errno.h>
#include <ev.h>

#define REAPER_BATCH 8
#define CLOSERS \
	8 /* closes of TAPs wait for rcu_barrier together: 2.9 ms each from 8 threads, 17 ms from one */

struct reaper {
	struct ev_loop *loop;
	struct ev_async wake;
	struct nd_nl *nl; /* the thread's own */
	bool deletes;     /* the thread's own: this batch has links */
	struct nd_jobs *jobs;
	struct nd_jobs *closers[CLOSERS];
	unsigned next_closer;
};
struct reap_job {
	struct nd_job job;
	int ifindex;
};
struct close_job {
	struct nd_job job;
	int fd;
};

static int reap_begin(void *ctx, struct nd_error *e)
{
	((struct reaper *)ctx)->deletes = false;
	return 0;
}

static int reap_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	struct reaper *r = ctx;
	struct reap_job *j = container_of(job, struct reap_job, job);
	struct nd_error failed = ND_ERROR_INIT;
	int err = nd_link_set_group(r->nl, j->ifindex, ND_GROUP_REAPED, &failed);
	if (failed.sys == ENODEV)
		return 0;
	r->deletes |= err == 0;
	nd_error_copy(e, &failed);
	return err;
}

static int reap_commit(void *ctx, struct nd_error *e)
{
	struct reaper *r = ctx;
	return r->deletes ? nd_link_delete_group(r->nl, ND_GROUP_REAPED, e) : 0;
}

static const struct nd_job_ops reap_ops = { reap_begin, reap_run, reap_commit, NULL };

static void reap_done(struct nd_job *job, const struct nd_error *e)
{
	struct reap_job *j = container_of(job, struct reap_job, job);
	if (e->code)
		nd_log_error(ND_LOG_WARNING, e, "delete link %d", j->ifindex);
	free(j);
}

static int close_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	close(container_of(job, struct close_job, job)->fd);
	return 0;
}

static const struct nd_job_ops close_ops = { NULL, close_run, NULL, NULL };

static void close_done(struct nd_job *job, const struct nd_error *e)
{
	free(container_of(job, struct close_job, job));
}

static void on_wake(struct ev_loop *loop, struct ev_async *w, int revents)
{
	struct reaper *r = container_of(w, struct reaper, wake);
	nd_jobs_collect(r->jobs);
	for (size_t i = 0; i < CLOSERS; i++)
		nd_jobs_collect(r->closers[i]);
}

static void wake(void *arg)
{
	struct reaper *r = arg;
	ev_async_send(r->loop, &r->wake);
}

static int start_threads(struct reaper *r, struct nd_error *e)
{
	if (nd_jobs_new("netd-reaper", &reap_ops, r, REAPER_BATCH, wake, r, &r->jobs, e) < 0)
		return e->code;
	for (size_t i = 0; i < CLOSERS; i++) {
		if (nd_jobs_new("netd-closer", &close_ops, NULL, 0, wake, r, &r->closers[i], e) < 0)
			return e->code;
	}
	return 0;
}

int reaper_new(struct ev_loop *loop, struct reaper **ret, struct nd_error *e)
{
	struct reaper *r = calloc(1, sizeof *r);
	if (!r)
		return nd_fail(e, ND_MEMORY, "deleting thread");
	r->loop = loop;
	ev_async_init(&r->wake, on_wake);
	ev_async_start(loop, &r->wake);
	ev_unref(loop);
	if (nd_nl_new(NETLINK_ROUTE, &r->nl, e) < 0 || start_threads(r, e) < 0) {
		int err = nd_wrap(e, "deleting thread");
		reaper_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

void reaper_free(struct reaper *r)
{
	if (!r)
		return;
	nd_jobs_free(r->jobs);
	for (size_t i = 0; i < CLOSERS; i++)
		nd_jobs_free(r->closers[i]);
	nd_nl_free(r->nl);
	ev_ref(r->loop);
	ev_async_stop(r->loop, &r->wake);
	free(r);
}

void reaper_delete(struct reaper *r, int ifindex)
{
	struct reap_job *j = calloc(1, sizeof *j);
	if (!j)
		return; /* adoption finds it by its group */
	*j = (struct reap_job){ .job = { .done = reap_done }, .ifindex = ifindex };
	nd_jobs_push(r->jobs, &j->job);
}

void reaper_close(struct reaper *r, int fd)
{
	struct close_job *j = r ? calloc(1, sizeof *j) : NULL;
	if (!j) {
		close(fd);
		return;
	}
	*j = (struct close_job){ .job = { .done = close_done }, .fd = fd };
	nd_jobs_push(r->closers[r->next_closer], &j->job);
	r->next_closer = (r->next_closer + 1) % CLOSERS;
}

size_t reaper_backlog(const struct reaper *r)
{
	size_t cnt = 0;
	for (size_t i = 0; i < CLOSERS; i++)
		cnt += nd_jobs_pending(r->closers[i]);
	return cnt;
}

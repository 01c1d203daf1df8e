// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the two threads that wait for the disk (see disk.h).
 */
#include "netd/core/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include <ev.h>

#define STORE_BATCH_MAX 1024 /* jobs per transaction: bounds how long the first of them waits */

struct disk {
	struct ev_loop *loop;
	struct ev_async wake;
	struct dhcp_store *store;
	struct nd_jobs *store_jobs, *file_jobs;
};

static int store_begin(void *ctx, struct nd_error *e)
{
	return dhcp_store_begin(ctx, e);
}
static int store_commit(void *ctx, struct nd_error *e)
{
	return dhcp_store_commit(ctx, e);
}
static void store_abort(void *ctx)
{
	dhcp_store_abort(ctx);
}
static int job_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	struct disk_job *j = container_of(job, struct disk_job, job);
	return j->run(ctx, j, e);
}
static void job_done(struct nd_job *job, const struct nd_error *e)
{
	struct disk_job *j = container_of(job, struct disk_job, job);
	j->done(j, e);
}
static const struct nd_job_ops store_ops = { store_begin, job_run, store_commit, store_abort };
static const struct nd_job_ops file_ops = { NULL, job_run, NULL, NULL };

static void on_wake(struct ev_loop *loop, struct ev_async *w, int revents)
{
	struct disk *d = container_of(w, struct disk, wake);
	nd_jobs_collect(d->store_jobs);
	nd_jobs_collect(d->file_jobs);
}

static void wake(void *arg)
{
	struct disk *d = arg;
	ev_async_send(d->loop, &d->wake);
}

static int open_store(const char *path, struct dhcp_store **ret, char **ret_warning, struct nd_error *e)
{
	struct nd_error first = ND_ERROR_INIT;
	char aside[512], text[1024];
	int r = dhcp_store_open(path, ret, &first);
	if (r != ND_PARSE) {
		if (r < 0)
			nd_error_copy(e, &first);
		return r;
	}
	if (dhcp_store_quarantine(path, aside, sizeof aside, e) < 0)
		return nd_wrap(e, "the lease store is damaged");
	nd_error_format(&first, text, sizeof text);
	if (asprintf(ret_warning, "%s; it was moved to %s and a new one begun: leases are lost", text,
		     aside) < 0)
		*ret_warning = NULL;
	return dhcp_store_open(path, ret, e);
}

int disk_new(struct ev_loop *loop, const char *state_dir, struct disk **ret, char **ret_warning,
	     struct nd_error *e)
{
	char path[512];
	*ret_warning = NULL;
	if ((size_t)snprintf(path, sizeof path, "%s/netd.db", state_dir) >= sizeof path)
		return nd_fail(e, ND_INVALID, "state folder '%s': name too long", state_dir);
	if (nd_dir_make(state_dir, 0700, e) < 0)
		return nd_wrap(e, "state folder");
	struct disk *d = calloc(1, sizeof *d);
	if (!d)
		return nd_fail(e, ND_MEMORY, "disk threads");
	d->loop = loop;
	ev_async_init(&d->wake, on_wake);
	ev_async_start(loop, &d->wake);
	ev_unref(loop);
	if (open_store(path, &d->store, ret_warning, e) < 0 ||
	    nd_jobs_new("netd-store", &store_ops, d->store, STORE_BATCH_MAX, wake, d, &d->store_jobs, e) <
		    0 ||
	    nd_jobs_new("netd-files", &file_ops, NULL, 0, wake, d, &d->file_jobs, e) < 0) {
		int r = nd_wrap(e, "lease store");
		disk_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void disk_free(struct disk *d)
{
	if (!d)
		return;
	nd_jobs_free(d->store_jobs);
	nd_jobs_free(d->file_jobs);
	dhcp_store_close(d->store);
	ev_ref(d->loop);
	ev_async_stop(d->loop, &d->wake);
	free(d);
}

static void push(struct nd_jobs *queue, struct disk_job *j)
{
	j->job.done = job_done;
	nd_jobs_push(queue, &j->job);
}

void disk_push_store(struct disk *d, struct disk_job *j)
{
	push(d->store_jobs, j);
}

void disk_push_file(struct disk *d, struct disk_job *j)
{
	push(d->file_jobs, j);
}

struct dhcp_store *disk_store_at_start(struct disk *d)
{
	return d->store;
}

struct file_job {
	struct disk_job j;
	char *path, *text;
	struct nd_done done;
};

static void file_job_free(struct file_job *f)
{
	free(f->path);
	free(f->text);
	free(f);
}

static int file_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	struct file_job *f = container_of(j, struct file_job, j);
	if (!f->text)
		return nd_file_remove(f->path, true, e);
	return nd_file_write(f->path, f->text, strlen(f->text), 0600, true, e);
}

static void file_done(struct disk_job *j, const struct nd_error *e)
{
	struct file_job *f = container_of(j, struct file_job, j);
	nd_done_call(f->done, e);
	file_job_free(f);
}

int disk_file(struct disk *d, const char *path, char *text, struct nd_done done)
{
	struct file_job *f = calloc(1, sizeof *f);
	if (!f) {
		free(text);
		return ND_MEMORY;
	}
	*f = (struct file_job){
		.j = { .run = file_run, .done = file_done }, .path = strdup(path), .text = text, .done = done
	};
	if (!f->path) {
		file_job_free(f);
		return ND_MEMORY;
	}
	disk_push_file(d, &f->j);
	return 0;
}

struct setting_job {
	struct disk_job j;
	char *key, *value;
};

static int setting_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	struct setting_job *s = container_of(j, struct setting_job, j);
	return dhcp_store_setting_put(store, s->key, s->value, e);
}

static void setting_done(struct disk_job *j, const struct nd_error *e)
{
	struct setting_job *s = container_of(j, struct setting_job, j);
	if (e->code)
		nd_log_error(ND_LOG_WARNING, e, "setting '%s'", s->key);
	free(s->key);
	free(s->value);
	free(s);
}

void disk_setting(struct disk *d, const char *key, const char *value)
{
	struct setting_job *s = calloc(1, sizeof *s);
	if (!s)
		return;
	s->j = (struct disk_job){ .run = setting_run, .done = setting_done };
	s->key = strdup(key);
	s->value = value ? strdup(value) : NULL;
	if (s->key)
		disk_push_store(d, &s->j);
	else
		free(s);
}

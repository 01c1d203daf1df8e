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
	struct dhcp_store *store; /* the store thread's, once the loop runs */
	char path[512];
	struct nd_jobs *store_jobs, *file_jobs;
};

static int store_begin(void *ctx, struct nd_error *e)
{
	return dhcp_store_begin(((struct disk *)ctx)->store, e);
}
static int store_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	struct disk_job *j = container_of(job, struct disk_job, job);
	return j->run(((struct disk *)ctx)->store, j, e);
}
static int store_commit(void *ctx, struct nd_error *e)
{
	return dhcp_store_commit(((struct disk *)ctx)->store, e);
}
static void store_abort(void *ctx)
{
	dhcp_store_abort(((struct disk *)ctx)->store);
}
static int file_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	struct disk_job *j = container_of(job, struct disk_job, job);
	return j->run(NULL, j, e);
}
static void job_done(struct nd_job *job, const struct nd_error *e)
{
	struct disk_job *j = container_of(job, struct disk_job, job);
	j->done(j, e);
}
static const struct nd_job_ops store_ops = { store_begin, store_run, store_commit, store_abort };
static const struct nd_job_ops file_ops = { NULL, file_run, NULL, NULL };

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

/* Moves a damaged file aside and begins a new one. *ret_warning says so. */
static int begin_anew(struct disk *d, const struct nd_error *why, char **ret_warning, struct nd_error *e)
{
	char aside[sizeof d->path + 64], text[1024];
	if (dhcp_store_quarantine(d->path, aside, sizeof aside, e) < 0)
		return nd_wrap(e, "the lease store is damaged");
	nd_error_format(why, text, sizeof text);
	free(*ret_warning);
	if (asprintf(ret_warning, "%s; it was moved to %s and a new one begun with what could be read", text,
		     aside) < 0)
		*ret_warning = NULL;
	return dhcp_store_open(d->path, &d->store, e);
}

static int open_store(struct disk *d, char **ret_warning, struct nd_error *e)
{
	struct nd_error first = ND_ERROR_INIT;
	int r = dhcp_store_open(d->path, &d->store, &first);
	if (r == ND_PARSE)
		return begin_anew(d, &first, ret_warning, e);
	if (r < 0)
		nd_error_copy(e, &first);
	return r;
}

static int salvage_one(const struct dhcp_lease *l, void *arg)
{
	dhcp_store_put(arg, l,
		       NULL); /* a row that does not go in is lost like those that could not be read */
	return 0;
}

int disk_salvage(struct disk *d, const struct nd_error *why, char **ret_warning, struct nd_error *e)
{
	struct dhcp_store *old = take_ptr(d->store);
	*ret_warning = NULL;
	int r = begin_anew(d, why, ret_warning, e);
	if (r == 0)
		r = dhcp_store_begin(d->store, e);
	if (r == 0) {
		dhcp_store_each(old, NULL, salvage_one, d->store, NULL, NULL);
		r = dhcp_store_commit(d->store, e);
	}
	dhcp_store_close(old);
	return r < 0 ? nd_wrap(e, "begin a new lease store") : 0;
}

int disk_new(struct ev_loop *loop, const char *state_dir, struct disk **ret, char **ret_warning,
	     struct nd_error *e)
{
	*ret_warning = NULL;
	if (strlen(state_dir) + sizeof "/netd.db" > sizeof((struct disk *)0)->path)
		return nd_fail(e, ND_INVALID, "state folder '%s': name too long", state_dir);
	if (nd_dir_make(state_dir, 0700, e) < 0)
		return nd_wrap(e, "state folder");
	struct disk *d = calloc(1, sizeof *d);
	if (!d)
		return nd_fail(e, ND_MEMORY, "disk threads");
	d->loop = loop;
	snprintf(d->path, sizeof d->path, "%s/netd.db", state_dir);
	ev_async_init(&d->wake, on_wake);
	ev_async_start(loop, &d->wake);
	ev_unref(loop);
	if (open_store(d, ret_warning, e) < 0 ||
	    nd_jobs_new("netd-store", &store_ops, d, STORE_BATCH_MAX, wake, d, &d->store_jobs, e) < 0 ||
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
	nd_jobs_free(d->file_jobs); /* its ends may push to the store; none the other way */
	nd_jobs_free(d->store_jobs);
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

static int file_job_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
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
	*f = (struct file_job){ .j = { .run = file_job_run, .done = file_done },
				.path = strdup(path),
				.text = text,
				.done = done };
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

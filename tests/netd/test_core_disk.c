// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the two disk threads, real ones, and what each does not do to the other. */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/disk.h"

#include <errno.h>
#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#define WAIT_MS 10000

struct fixture {
	char root[32];
	struct ev_loop *loop;
	struct disk *d;
};

#define OK(call)                                                       \
	do {                                                           \
		struct nd_error e_ = ND_ERROR_INIT, *e = &e_;          \
		if (call != 0)                                         \
			fail_msg("%s: %s", #call, nd_error_text(&e_)); \
	} while (0)

static void open_disk(struct fixture *f, bool damaged)
{
	char *warning = NULL;

	f->loop = ev_loop_new(EVFLAG_AUTO);
	OK(disk_new(f->loop, f->root, &f->d, &warning, e));
	assert_int_equal(warning != NULL, damaged);
	if (damaged) {
		assert_non_null(strstr(warning, "it was moved to"));
		assert_non_null(strstr(warning, "a new one begun"));
	}
	free(warning);
}

static void close_disk(struct fixture *f)
{
	disk_free(f->d);
	f->d = NULL;
	ev_loop_destroy(f->loop);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	nd_log_init("test", ND_LOG_ERR);
	strcpy(f->root, "/tmp/nd-disk-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	open_disk(f, false);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[64];

	if (f->d)
		close_disk(f);
	disk_free(NULL);
	snprintf(command, sizeof(command), "rm -rf %s", f->root);
	free(f);
	return system(command);
}

struct counter {
	unsigned done, failed, next; /* next: number of the job that must end next */
	struct nd_error e;
};
struct job {
	struct disk_job j;
	struct counter *cnt;
	unsigned number;
	struct dhcp_lease lease;
	bool fail;
};

static int run(struct dhcp_store *store, struct disk_job *dj, struct nd_error *e)
{
	struct job *j = container_of(dj, struct job, j);

	if (j->fail)
		return nd_fail_sys(e, ENOSPC, NULL, "this one");
	return store ? dhcp_store_put(store, &j->lease, e) : 0;
}

static void done(struct disk_job *dj, const struct nd_error *e)
{
	struct job *j = container_of(dj, struct job, j);

	assert_int_equal(j->number, j->cnt->next++);
	j->cnt->done++;
	if (e->code) {
		j->cnt->failed++;
		nd_error_copy(&j->cnt->e, e);
	}
	free(j);
}

static struct job *new_job(struct counter *cnt, unsigned number)
{
	struct job *j = calloc(1, sizeof(*j));

	*j = (struct job){ .j = { .run = run, .done = done }, .cnt = cnt, .number = number };
	j->lease = (struct dhcp_lease){ .network = { { 1 } },
					.ip4 = 0x0a000001 + number,
					.expiry_s = UINT64_MAX };
	j->lease.identity =
		(struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 7, .bytes = { 1 } };
	memcpy(j->lease.identity.bytes + 1, &number, sizeof(number));
	return j;
}

static void on_late(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	fail_msg("nothing came from the disk");
}

static void wait_for(struct fixture *f, const unsigned *cnt, unsigned want)
{
	struct ev_timer late;

	ev_timer_init(&late, on_late, WAIT_MS / 1000., 0.);
	ev_timer_start(f->loop, &late);
	while (*cnt < want)
		ev_run(f->loop, EVRUN_ONCE);
	ev_timer_stop(f->loop, &late);
}

static int count_lease(const struct dhcp_lease *l, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static unsigned stored(struct fixture *f)
{
	unsigned cnt = 0;

	OK(dhcp_store_each(disk_store_at_start(f->d), NULL, count_lease, &cnt, NULL, e));
	return cnt;
}

/* More than a batch, in order; one that fails fails alone. */
static void test_store(void **state)
{
	struct fixture *f = *state;
	struct counter cnt = { .done = 0 };

	for (unsigned i = 0; i < 3000; i++) {
		struct job *j = new_job(&cnt, i);

		j->fail = i == 1500;
		disk_push_store(f->d, &j->j);
	}
	wait_for(f, &cnt.done, 3000);
	assert_int_equal(cnt.failed, 1);
	assert_int_equal(cnt.e.sys, ENOSPC);
	close_disk(f);
	open_disk(f, false);
	assert_int_equal(stored(f), 2999);
}

/* What is queued when it ends is written. */
static void test_free_finishes(void **state)
{
	struct fixture *f = *state;
	struct counter cnt = { .done = 0 };

	for (unsigned i = 0; i < 100; i++)
		disk_push_store(f->d, &new_job(&cnt, i)->j);
	close_disk(f);
	assert_int_equal(cnt.done, 100);
	open_disk(f, false);
	assert_int_equal(stored(f), 100);
}

struct file_end {
	struct fixture *f;
	unsigned done;
	struct nd_error e;
	struct counter *then; /* one more job for the store */
};

static void on_file(void *arg, const struct nd_error *e)
{
	struct file_end *end = arg;

	end->done++;
	nd_error_copy(&end->e, e);
	if (end->then)
		disk_push_store(end->f->d, &new_job(end->then, 0)->j);
}

static void test_files(void **state)
{
	struct fixture *f = *state;
	struct file_end end = { .f = f };
	char path[64];
	nd_autofree char *text = NULL;
	size_t len;
	struct stat st;

	snprintf(path, sizeof(path), "%s/a.xml", f->root);
	assert_int_equal(disk_file(f->d, path, strdup("<a/>"), (struct nd_done){ on_file, &end }), 0);
	wait_for(f, &end.done, 1);
	assert_int_equal(end.e.code, 0);
	OK(nd_file_read(path, 100, &text, &len, e));
	assert_string_equal(text, "<a/>");
	assert_int_equal(disk_file(f->d, path, NULL, (struct nd_done){ on_file, &end }), 0);
	wait_for(f, &end.done, 2);
	assert_int_equal(end.e.code, 0);
	assert_int_equal(stat(path, &st), -1);
	snprintf(path, sizeof(path), "%s/none/a.xml", f->root);
	assert_int_equal(disk_file(f->d, path, strdup("<a/>"), (struct nd_done){ on_file, &end }), 0);
	wait_for(f, &end.done, 3);
	assert_int_equal(end.e.sys, ENOENT);
	assert_int_equal(disk_file(f->d, path, NULL, (struct nd_done){ NULL, NULL }), 0);
}

/* A file's end may have something to be stored, also the last one. */
static void test_file_end_pushes(void **state)
{
	struct fixture *f = *state;
	struct counter cnt = { .done = 0 };
	struct file_end end = { .f = f, .then = &cnt };
	char path[64];

	snprintf(path, sizeof(path), "%s/a.xml", f->root);
	assert_int_equal(disk_file(f->d, path, strdup("<a/>"), (struct nd_done){ on_file, &end }), 0);
	close_disk(f);
	assert_true(end.done == 1 && cnt.done == 1 && cnt.failed == 0);
	open_disk(f, false);
	assert_int_equal(stored(f), 1);
}

static void test_settings(void **state)
{
	struct fixture *f = *state;
	nd_autofree char *value = NULL;

	disk_setting(f->d, "subnet:a", "10.0.0.1/24");
	disk_setting(f->d, "subnet:b", "10.0.1.1/24");
	disk_setting(f->d, "subnet:b", NULL);
	disk_setting(f->d, "subnet:c", NULL);
	close_disk(f);
	open_disk(f, false);
	OK(dhcp_store_setting_get(disk_store_at_start(f->d), "subnet:a", &value, e));
	assert_string_equal(value, "10.0.0.1/24");
	char *none;
	assert_int_equal(dhcp_store_setting_get(disk_store_at_start(f->d), "subnet:b", &none, NULL),
			 ND_NOT_FOUND);
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	char path[64];
	char **names;
	size_t cnt = 0;

	close_disk(f);
	snprintf(path, sizeof(path), "%s/netd.db", f->root);
	OK(nd_file_write(path, "this is no database, and long enough to be looked at", 52, 0600, false, e));
	open_disk(f, true);
	assert_int_equal(stored(f), 0);
	OK(nd_dir_list(f->root, NULL, &names, e));
	for (char **n = names; *n; n++)
		cnt += strstr(*n, "netd.db.corrupt-") == *n;
	nd_strv_free(names);
	assert_true(cnt >= 1);
}

static void test_cannot_open(void **state)
{
	struct fixture *f = *state;
	struct disk *d = NULL;
	char dir[64], text[500], long_name[600];
	char *warning;
	struct nd_error failed = ND_ERROR_INIT;

	snprintf(dir, sizeof(dir), "%s/other/netd.db", f->root);
	OK(nd_dir_make(dir, 0700, e));
	snprintf(dir, sizeof(dir), "%s/other", f->root);
	assert_true(disk_new(f->loop, dir, &d, &warning, &failed) < 0);
	nd_error_format(&failed, text, sizeof(text));
	assert_non_null(strstr(text, "lease store: "));
	assert_null(d);
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[0] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	nd_error_reset(&failed);
	assert_int_equal(disk_new(f->loop, long_name, &d, &warning, &failed), ND_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_finishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_end_pushes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_open, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: virtnetworkd's sockets in a folder of the test's own: made, left to others, removed, passed in; and
 * more clients than there is room for.
 */
#include "base/mem.h"
#include "base/sock.h"
#include "netd/libvirt/server.h"
#include "tests/netd/libvirt-harness.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define CLIENTS 1024 /* SERVER_CONN_MAX */

static const char *const names[] = { "virtnetworkd-sock", "virtnetworkd-sock-ro", "virtnetworkd-admin-sock" };

struct fixture {
	struct lv lv;
	char dir[64];
};

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof *f);

	lv_init(&f->lv);
	strcpy(f->dir, "/tmp/netd-libvirt.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rmdir(f->dir);
	lv_done(&f->lv);
	free(f);
	return 0;
}

static const char *path(const struct fixture *f, const char *name)
{
	static char buf[128];

	snprintf(buf, sizeof buf, "%s/%s", f->dir, name);
	return buf;
}

static struct libvirt_server *serve(struct fixture *f)
{
	struct libvirt_server *s = NULL;
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(libvirt_server_new(&f->lv.core, f->dir, &s, &e), 0);
	return s;
}

static void expect_files(const struct fixture *f, bool there)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(access(path(f, names[i]), F_OK), there ? 0 : -1);
}

static void test_files(void **state)
{
	struct fixture *f = *state;
	struct libvirt_server *s = serve(f);
	struct stat st;

	expect_files(f, true);
	assert_int_equal(stat(path(f, names[0]), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_int_equal(stat(path(f, names[2]), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	libvirt_server_free(s);
	expect_files(f, false);
	libvirt_server_free(NULL);
}

static void test_dead_files(void **state)
{
	struct fixture *f = *state;
	struct nd_error e = ND_ERROR_INIT;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(nd_sock_listen(path(f, names[i]), 0666, (gid_t)-1, 1, &fd, &e), 0);
		close(fd);
	}
	libvirt_server_free(serve(f));
	expect_files(f, false);
}

/* Whichever socket is another's: it is not connected to, and nothing of ours is left beside it. */
static void test_held(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct nd_error e = ND_ERROR_INIT;
		struct libvirt_server *s = NULL;
		int fd;

		assert_int_equal(nd_sock_listen(path(f, names[i]), 0666, (gid_t)-1, 1, &fd, &e), 0);
		assert_int_equal(libvirt_server_new(&f->lv.core, f->dir, &s, &e), ND_BUSY);
		assert_null(s);
		assert_int_equal(accept(fd, NULL, NULL), -1);
		assert_int_equal(errno, EAGAIN);
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			assert_int_equal(access(path(f, names[k]), F_OK), k == i ? 0 : -1);
		unlink(path(f, names[i]));
		close(fd);
	}
}

static void test_bad_folders(void **state)
{
	static const char long_dir[] =
		"/tmp/netd-libvirt-a-folder-whose-name-is-longer-than-a-socket-address-can-be/"
		"because-it-goes-on-and-on";
	struct fixture *f = *state;
	struct libvirt_server *s = NULL;
	struct nd_error e = ND_ERROR_INIT;

	assert_true(libvirt_server_new(&f->lv.core, "/proc/none", &s, &e) < 0);
	nd_error_reset(&e);
	assert_int_equal(libvirt_server_new(&f->lv.core, long_dir, &s, &e), ND_INVALID);
	rmdir(long_dir);
	rmdir("/tmp/netd-libvirt-a-folder-whose-name-is-longer-than-a-socket-address-can-be");
	assert_null(s);
}

static void test_passed(void **state)
{
	struct fixture *f = *state;
	struct nd_error e = ND_ERROR_INIT;
	struct libvirt_server *s;
	int fds[3];

	assert_int_equal(nd_sock_listen(path(f, "netd.sock"), 0666, (gid_t)-1, 1, &fds[0], &e), 0);
	assert_false(libvirt_server_wants(fds[0]));
	assert_false(libvirt_server_wants(0));
	close(fds[0]);
	unlink(path(f, "netd.sock"));
	assert_int_equal(libvirt_server_new(&f->lv.core, NULL, &s, &e), 0);
	expect_files(f, false);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		assert_int_equal(nd_sock_listen(path(f, names[i]), 0666, (gid_t)-1, 1, &fds[i], &e), 0);
		assert_true(libvirt_server_wants(fds[i]));
		assert_int_equal(libvirt_server_take(s, fds[i], &e), 0);
	}
	libvirt_server_free(s);
	expect_files(f, true);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		unlink(path(f, names[i]));
}

/* The last 64 are for administrators; run by root, all clients are. */
static size_t room(void)
{
	return geteuid() == 0 ? CLIENTS : CLIENTS - 64;
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	struct libvirt_server *s = serve(f);
	struct rlimit lim = { 4 * CLIENTS, 4 * CLIENTS };
	int *fds = calloc(CLIENTS + 1, sizeof *fds), last;
	struct nd_error e = ND_ERROR_INIT;
	uint8_t buf[1000] = { 0 };
	struct nd_reader r;

	if (setrlimit(RLIMIT_NOFILE, &lim) < 0) {
		getrlimit(RLIMIT_NOFILE, &lim);
		lim.rlim_cur = lim.rlim_max;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
	}
	for (size_t i = 0; i < room(); i++) {
		assert_int_equal(nd_sock_connect(path(f, names[1]), &fds[i], &e), 0);
		lv_turn(&f->lv, 1);
	}
	assert_int_equal(nd_sock_connect(path(f, names[1]), &last, &e), 0);
	lv_turn(&f->lv, 2);
	r = nd_reader(buf, (size_t)read(last, buf, sizeof buf));
	assert_int_equal(nd_read_be32(&r), r.len);
	assert_int_equal(nd_read_be32(&r), LIBVIRT_PROGRAM);
	nd_read_skip(&r, 4);
	assert_int_equal(nd_read_be32(&r), 66);
	nd_read_skip(&r, 8);
	assert_int_equal(nd_read_be32(&r), RPC_ERROR);
	assert_true(lv_body_fits(nd_read_sub(&r, nd_reader_left(&r)), "iiSiuSSSiiu"));
	assert_int_equal(read(last, buf, sizeof buf), 0);
	close(last);
	for (size_t i = 0; i < room(); i++)
		close(fds[i]);
	lv_turn(&f->lv, 5);
	assert_int_equal(nd_sock_connect(path(f, names[1]), &last, &e), 0);
	lv_turn(&f->lv, 2);
	assert_int_equal(recv(last, buf, sizeof buf, MSG_DONTWAIT), -1);
	close(last);
	free(fds);
	libvirt_server_free(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_files),       T(test_dead_files), T(test_held),
		T(test_bad_folders), T(test_passed),     T(test_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: files, in a folder of the test's own. Failing writes come from RLIMIT_FSIZE, which needs no privilege. */
#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char root[] = "/tmp/nd-test-file-XXXXXX";

static const char *in_root(const char *name)
{
	static char path[16][256];
	static unsigned next;
	char *p = path[next++ % 16];

	snprintf(p, sizeof(path[0]), "%s/%s", root, name);
	return p;
}

static const char *text_of(const struct nd_error *e)
{
	static char buf[2048];

	nd_error_format(e, buf, sizeof(buf));
	return buf;
}

static int setup(void **state)
{
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	nd_autofree char *cmd = NULL;

	return asprintf(&cmd, "rm -rf '%s'", root) > 0 ? system(cmd) : -1;
}

/* Everything in a folder, dot files too. */
static size_t entry_cnt(const char *path)
{
	nd_autofree char *cmd = NULL;
	size_t cnt = 0;
	FILE *f;

	assert_true(asprintf(&cmd, "ls -A '%s'", path) > 0);
	f = popen(cmd, "r");
	assert_non_null(f);
	for (int c = fgetc(f); c != EOF; c = fgetc(f))
		cnt += c == '\n';
	pclose(f);
	return cnt;
}

static void test_write_and_read(void **state)
{
	const char *path = in_root("a.xml");
	nd_autofree char *text = NULL;
	struct nd_error e = ND_ERROR_INIT;
	struct stat st;
	mode_t mask = umask(077);
	size_t len = 0;

	assert_int_equal(nd_file_write(path, "hello", 5, 0644, true, &e), 0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(nd_file_read(path, 5, &text, &len, &e), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "hello");
	assert_int_equal(nd_file_write(path, NULL, 0, 0600, false, &e), 0);
	free(take_ptr(text));
	assert_int_equal(nd_file_read(path, 0, &text, NULL, &e), 0);
	assert_string_equal(text, "");
	assert_int_equal(nd_file_remove(path, true, &e), 0);
	assert_int_equal(nd_file_remove(path, true, &e), 0);
	assert_int_equal(entry_cnt(root), 0);
}

static void test_read_refused(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	const char *path = in_root("big");
	char *text = NULL;

	assert_int_equal(nd_file_read(in_root("absent"), 10, &text, NULL, &e), ND_NOT_FOUND);
	assert_int_equal(e.code, ND_NOT_FOUND);
	assert_int_equal(e.sys, ENOENT);
	assert_non_null(strstr(text_of(&e), "/absent: No such file"));
	nd_error_reset(&e);
	assert_int_equal(nd_file_write(path, "0123456789a", 11, 0600, false, &e), 0);
	assert_int_equal(nd_file_read(path, 10, &text, NULL, &e), ND_LIMIT);
	assert_non_null(strstr(text_of(&e), path));
	nd_error_reset(&e);
	assert_int_equal(nd_file_read(root, 10, &text, NULL, &e), ND_INVALID);
	assert_int_equal(mkfifo(in_root("fifo"), 0600), 0);
	assert_int_equal(nd_file_read(in_root("fifo"), 10, &text, NULL, NULL), ND_INVALID);
	assert_int_equal(nd_file_read(in_root("absent"), 10, &text, NULL, NULL), ND_NOT_FOUND);
	assert_null(text);
	unlink(in_root("fifo"));
	unlink(path);
}

static void test_read_large_and_proc(void **state)
{
	nd_autofree char *big = malloc(100000), *text = NULL, *status = NULL;
	const char *path = in_root("large");
	size_t len;

	memset(big, 'x', 100000);
	assert_int_equal(nd_file_write(path, big, 100000, 0600, false, NULL), 0);
	assert_int_equal(nd_file_read(path, SIZE_MAX, &text, &len, NULL), 0);
	assert_int_equal(len, 100000);
	assert_memory_equal(text, big, len);
	/* A /proc file, whose size reads as 0. */
	assert_int_equal(nd_file_read("/proc/self/status", 65536, &status, &len, NULL), 0);
	assert_true(len > 100);
	unlink(path);
}

static void test_failed_write_keeps_the_old(void **state)
{
	const char *path = in_root("kept");
	nd_autofree char *big = calloc(1, 5000), *text = NULL;
	struct nd_error e = ND_ERROR_INIT;
	struct rlimit before, small;
	int r;

	assert_int_equal(nd_file_write(path, "old", 3, 0600, false, &e), 0);
	getrlimit(RLIMIT_FSIZE, &before);
	small = (struct rlimit){ .rlim_cur = 4096, .rlim_max = before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	r = nd_file_write(path, big, 5000, 0600, true, &e);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(r, ND_SYSTEM);
	assert_int_equal(e.sys, EFBIG);
	assert_non_null(strstr(text_of(&e), path));
	assert_int_equal(nd_file_read(path, 10, &text, NULL, NULL), 0);
	assert_string_equal(text, "old");
	assert_int_equal(entry_cnt(root), 1);
	unlink(path);
}

static void test_write_refused(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	char longest[5000];

	assert_int_equal(nd_file_write(in_root("no/such/dir"), "x", 1, 0600, false, &e), ND_NOT_FOUND);
	assert_non_null(strstr(text_of(&e), "no/such/dir"));
	nd_error_reset(&e);
	/* A folder stands where the file should. */
	assert_int_equal(nd_dir_make(in_root("d/e"), 0700, &e), 0);
	assert_int_equal(nd_file_write(in_root("d"), "x", 1, 0600, false, &e), ND_SYSTEM);
	assert_int_equal(entry_cnt(root), 1);
	nd_error_reset(&e);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(nd_file_write(longest, "x", 1, 0600, false, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENAMETOOLONG);
	assert_int_equal(nd_dir_make(longest, 0700, NULL), ND_SYSTEM);
	assert_int_equal(nd_file_remove(in_root("d"), false, NULL), ND_SYSTEM);
	rmdir(in_root("d/e"));
	rmdir(in_root("d"));
}

static void test_dir_make(void **state)
{
	mode_t mask = umask(077);
	struct nd_error e = ND_ERROR_INIT;
	struct stat st;

	assert_int_equal(nd_dir_make(in_root("x/y//z/"), 0755, &e), 0);
	umask(mask);
	assert_int_equal(stat(in_root("x/y/z"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(nd_dir_make(in_root("x/y/z"), 0700, &e), 0);
	assert_int_equal(stat(in_root("x/y/z"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(nd_file_write(in_root("x/file"), "", 0, 0600, false, &e), 0);
	assert_int_equal(nd_dir_make(in_root("x/file"), 0700, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENOTDIR);
	assert_int_equal(nd_dir_make(in_root("x/file/below"), 0700, NULL), ND_SYSTEM);
	assert_int_equal(nd_dir_make("/", 0700, NULL), 0);
}

static void test_dir_list(void **state)
{
	static const char *const names[] = { "b.xml", "a.xml", ".hidden.xml", "c.json", "xml" };
	struct nd_error e = ND_ERROR_INIT;
	char **v, name[32];

	assert_int_equal(nd_dir_make(in_root("list"), 0700, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof(name), "list/%s", names[i]);
		assert_int_equal(nd_file_write(in_root(name), "", 0, 0600, false, &e), 0);
	}
	assert_int_equal(nd_dir_list(in_root("list"), ".xml", &v, &e), 0);
	assert_string_equal(v[0], "a.xml");
	assert_string_equal(v[1], "b.xml");
	assert_null(v[2]);
	nd_strv_free(v);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "list/n%03d", i);
		assert_int_equal(nd_file_write(in_root(name), "", 0, 0600, false, &e), 0);
	}
	assert_int_equal(nd_dir_list(in_root("list"), NULL, &v, &e), 0);
	for (size_t i = 0; i < 104; i++)
		assert_non_null(v[i]);
	assert_null(v[104]);
	nd_strv_free(v);
	assert_int_equal(nd_dir_list(in_root("absent"), NULL, &v, &e), 0);
	assert_null(v[0]);
	nd_strv_free(v);
	assert_int_equal(nd_dir_list(in_root("list/xml"), NULL, &v, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENOTDIR);
	nd_strv_free(NULL);
}

/* What a killed writer leaves behind goes; whatever else lies there stays, editors' temporaries too. */
static void test_dir_sweep(void **state)
{
	static const char *const names[] = { "lan.xml",      "..lan.xml~aB3dEf", ".lan.xml.aB3dEf",
					     ".lan.xml.swp", "lan.xml~aB3dEf",   ".~lock.lan.xml#",
					     ".lan.xml~",    ".lan~a.cdef" };
	struct nd_error e = ND_ERROR_INIT;
	char name[64];

	assert_int_equal(nd_dir_sweep(in_root("absent"), &e), 0);
	assert_int_equal(nd_dir_make(in_root("sweep/.dir~aB3dEf"), 0700, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof(name), "sweep/%s", names[i]);
		assert_int_equal(nd_file_write(in_root(name), "", 0, 0600, false, &e), 0);
	}
	assert_int_equal(nd_dir_sweep(in_root("sweep"), &e), 0);
	assert_int_equal(entry_cnt(in_root("sweep")), (int)ARRAY_LEN(names)); /* one less, and the folder */
	assert_int_equal(access(in_root("sweep/..lan.xml~aB3dEf"), F_OK), -1);
	assert_int_equal(nd_dir_sweep(in_root("sweep/lan.xml"), &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENOTDIR);
}

static void test_lock(void **state)
{
	const char *path = in_root("lock");
	nd_autofree char *text = NULL;
	struct nd_error e = ND_ERROR_INIT;
	char want[64];
	int fd = -1, other = -1;

	assert_int_equal(nd_file_lock(path, &fd, &e), 0);
	snprintf(want, sizeof(want), "%ld\n", (long)getpid());
	assert_int_equal(nd_file_read(path, 64, &text, NULL, &e), 0);
	assert_string_equal(text, want);
	assert_int_equal(nd_file_lock(path, &other, &e), ND_BUSY);
	assert_int_equal(other, -1);
	snprintf(want, sizeof(want), "lock %s: held by pid %ld", path, (long)getpid());
	assert_string_equal(text_of(&e), want);
	/* The holder has not written its number yet. */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(nd_file_lock(path, &other, NULL), ND_BUSY);
	close(fd);
	assert_int_equal(nd_file_lock(path, &other, NULL), 0);
	close(other);
	assert_int_equal(nd_file_lock(in_root("no/lock"), &other, NULL), ND_NOT_FOUND);
}

static void test_lock_not_a_file(void **state)
{
	static const char *names[] = { "lock-link", "lock-fifo", "lock-dir", "lock-dev" };
	char want[400];
	int fd = -1;

	assert_int_equal(symlink(in_root("lock"), in_root("lock-link")), 0);
	assert_int_equal(mkfifo(in_root("lock-fifo"), 0600), 0);
	assert_int_equal(mkdir(in_root("lock-dir"), 0700), 0);
	assert_int_equal(symlink("/dev/null", in_root("lock-dev")), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct nd_error e = ND_ERROR_INIT;

		const char *path = in_root(names[i]);
		assert_int_equal(nd_file_lock(path, &fd, &e), ND_INVALID);
		snprintf(want, sizeof(want), "open %s: not a regular file", path);
		assert_string_equal(text_of(&e), want);
	}
	assert_int_equal(fd, -1);
}

static void test_sysctl(void **state)
{
	static char sys[sizeof(root) + 8];
	struct nd_error e = ND_ERROR_INIT;
	char value[8];

	snprintf(sys, sizeof(sys), "%s/sys", root);
	nd_sysctl_root(sys);
	assert_int_equal(nd_dir_make(in_root("sys/net/ipv4"), 0700, &e), 0);
	assert_int_equal(nd_file_write(in_root("sys/net/ipv4/ip_forward"), "100\n", 4, 0600, false, &e), 0);
	assert_int_equal(nd_sysctl_read("net/ipv4/ip_forward", value, sizeof(value), &e), 0);
	assert_string_equal(value, "100");
	assert_int_equal(nd_sysctl_read("net/ipv4/ip_forward", value, 4, &e), 0);
	assert_int_equal(nd_sysctl_read("net/ipv4/ip_forward", value, 3, NULL), ND_LIMIT);
	assert_int_equal(nd_sysctl_write("net/ipv4/ip_forward", "1", &e), 0);
	assert_int_equal(nd_sysctl_read("net/ipv4/ip_forward", value, sizeof(value), &e), 0);
	assert_string_equal(value, "1");
	assert_int_equal(nd_sysctl_read("net/ipv4/none", value, sizeof(value), &e), ND_NOT_FOUND);
	nd_error_reset(&e);
	assert_int_equal(nd_sysctl_write("net/ipv4/none", "1", &e), ND_NOT_FOUND);
	assert_non_null(strstr(text_of(&e), "net/ipv4/none"));
	assert_int_equal(nd_sysctl_write("../x", "1", NULL), ND_INVALID);
	assert_int_equal(nd_sysctl_read("net/../../x", value, sizeof(value), NULL), ND_INVALID);
	assert_int_equal(nd_sysctl_read("/etc/x", value, sizeof(value), NULL), ND_INVALID);
	assert_int_equal(nd_sysctl_read("", value, sizeof(value), NULL), ND_INVALID);
	nd_sysctl_root("/proc/sys");
	assert_int_equal(nd_sysctl_read("kernel/ostype", value, sizeof(value), NULL), 0);
	assert_string_equal(value, "Linux");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_read_large_and_proc),
		cmocka_unit_test(test_failed_write_keeps_the_old),
		cmocka_unit_test(test_write_refused),
		cmocka_unit_test(test_dir_make),
		cmocka_unit_test(test_dir_list),
		cmocka_unit_test(test_dir_sweep),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_lock_not_a_file),
		cmocka_unit_test(test_sysctl),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: starting, finding again, telling and burying a server. This program is its own launcher, and dnsmasq is a script. */
#include "base/file.h"
#include "base/mem.h"
#include "dns/dns.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 10000

static char root[] = "/tmp/nd-dns-XXXXXX";
static char dir[64], program[64];

static void write_program(const char *text)
{
	assert_int_equal(nd_file_write(program, text, strlen(text), 0755, false, NULL), 0);
	assert_int_equal(chmod(program, 0755), 0);
}

static struct dns_process launch(void)
{
	const struct dns_launch l = { .dnsmasq = program, .dir = dir, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct dns_process p;
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(dns_launch(&l, &p, &e), 0);
	return p;
}

static void wait_end(struct dns_process *p)
{
	struct pollfd f = { .fd = p->fd, .events = POLLIN };

	assert_int_equal(poll(&f, 1, WAIT_MS), 1);
	waitpid(p->pid, NULL, 0);
	dns_process_close(p);
}

static bool exists(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0;
}

static void wait_file(const char *name)
{
	for (int i = 0; i < WAIT_MS && !exists(name); i++)
		usleep(1000);
	assert_true(exists(name));
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "%s/server", root);
	return nd_dir_make(dir, 0755, NULL);
}

static int teardown(void **state)
{
	dns_dir_remove(dir);
	return 0;
}

/* It stays itself: an argument with the folder, and the same pid. */
#define SERVES "#!/bin/sh\ndir=${1#--conf-file=}\ntouch ${dir%/conf}/ready\nwhile :; do sleep 0.01; done\n"

static void test_life(void **state)
{
	struct dns_process p, again;
	char text[200];

	assert_int_equal(dns_find(dir, &again, NULL), ND_NOT_FOUND);
	write_program(SERVES);
	p = launch();
	wait_file("ready");
	assert_int_equal(dns_find(dir, &again, NULL), 0);
	assert_int_equal(again.pid, p.pid);
	assert_int_equal(dns_find("/tmp/nd-dns-elsewhere", &again, NULL), ND_NOT_FOUND);
	dns_signal(&again, SIGTERM);
	dns_process_close(&again);
	dns_process_close(&again);
	wait_end(&p);
	assert_int_equal(dns_find(dir, &again, NULL), ND_NOT_FOUND);
	dns_signal(&p, SIGTERM);
	assert_string_equal(dns_last_words(dir, text, sizeof(text)), "");
	dns_dir_remove(dir);
	assert_false(exists("."));
}

static void test_limits(void **state)
{
	struct dns_process p;
	char text[200];

	write_program("#!/bin/sh\ngrep NoNewPrivs /proc/self/status >&2\n(ulimit -c; ulimit -n) >&2\n"
		      "unshare -n true 2>/dev/null || echo filtered >&2\n");
	p = launch();
	wait_end(&p);
	assert_string_equal(dns_last_words(dir, text, sizeof(text)), "filtered");
}

static void test_last_words(void **state)
{
	struct dns_process p;
	char text[200];

	write_program("#!/bin/sh\necho >&2\necho 'dnsmasq: no' >&2\nexit 2\n");
	p = launch();
	wait_end(&p);
	assert_string_equal(dns_last_words(dir, text, sizeof(text)), "dnsmasq: no");
	unlink(program);
	p = launch();
	wait_end(&p);
	assert_non_null(
		strstr(dns_last_words(dir, text, sizeof(text)), "No such file or directory (ENOENT)"));
}

/* The number of a process that is another one now. */
static void test_stale(void **state)
{
	char path[128], text[64];
	struct dns_process p;

	snprintf(path, sizeof(path), "%s/pid", dir);
	snprintf(text, sizeof(text), "%d 1\n", (int)getpid());
	assert_int_equal(nd_file_write(path, text, strlen(text), 0644, false, NULL), 0);
	assert_int_equal(dns_find(dir, &p, NULL), ND_NOT_FOUND);
	assert_int_equal(nd_file_write(path, "1 1\n", 4, 0644, false, NULL), 0);
	assert_int_equal(dns_find(dir, &p, NULL), ND_NOT_FOUND);
	assert_int_equal(nd_file_write(path, "nonsense", 8, 0644, false, NULL), 0);
	assert_int_equal(dns_find(dir, &p, NULL), ND_NOT_FOUND);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
	};
	if (argc > 2 && strcmp(argv[1], "--worker") == 0)
		dns_launch_main(argc - 2, argv + 2);
	if (geteuid() != 0)
		return 77; /* it could keep no capability */
	if (!mkdtemp(root))
		return 1;
	snprintf(program, sizeof(program), "%s/program", root);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(program);
	rmdir(root);
	return failed;
}

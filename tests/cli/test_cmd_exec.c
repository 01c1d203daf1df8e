/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: cmd_exec against a daemon that only knows its lines; what it becomes is a shell that tells what it got
 */
#include "base/mem.h"
#include "cli/cmd-exec.h"
#include "tests/cli/stub-server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PORT(mac, ifname)                                                               \
	"{\"parameters\":{\"port\":{\"mac\":\"" mac "\",\"interface\":\"" ifname "\"}," \
	"\"tapFileDescriptors\":"
#define ONE        PORT("52:54:00:00:00:01", "vnet0") "[0],\"vhostFileDescriptors\":[]}}"
#define MTU(mtu)   "{\"parameters\":{\"network\":{\"name\":\"lab\"" mtu "}}}"
#define USAGE      "usage: " CMD_EXEC_USAGE "\n"
#define ARGS_MAX   12
#define OUTPUT_LEN 4096

struct run {
	int status;
	char out[OUTPUT_LEN], err[OUTPUT_LEN];
};

static void read_all(int fd, char *buf)
{
	size_t len = 0;
	ssize_t n;

	while (len < OUTPUT_LEN - 1 && (n = read(fd, buf + len, OUTPUT_LEN - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fd);
}

/* argv: NULL-ended. close_stdin: to see that no queue becomes a standard file. */
static void run_exec(struct run *r, const char *socket, char **argv, bool close_stdin)
{
	int out[2], err[2], argc = 0, status;

	while (argv[argc])
		argc++;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		if (close_stdin)
			close(STDIN_FILENO);
		if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
			_exit(99);
		_exit(cmd_exec(socket, argc, argv));
	}
	close(out[1]);
	close(err[1]);
	read_all(out[0], r->out);
	read_all(err[0], r->err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	r->status = WEXITSTATUS(status);
}

static void test_one(void **state)
{
	static const struct stub_row rows[] = { { ONE, 1 }, { MTU(""), 0 } };
	char *argv[] = { "exec",
			 "--network",
			 "lab",
			 "--",
			 "sh",
			 "-c",
			 "read q </proc/self/fd/%{fd}; echo $q %{mac} %{ifname} %{q} %{2q} %{mtu} %%{fd}; "
			 "read q </proc/self/fd/$NETD_FD; [ $NETD_FD = %{fd} ] && [ $NETD_FDS = %{fds:} ] && "
			 "echo $NETD_MAC $NETD_IFNAME; exit 7",
			 NULL };
	struct stub_server s;
	struct run r;
	char log[OUTPUT_LEN];

	stub_server_start(&s, rows, ARRAY_LEN(rows));
	run_exec(&r, s.path, argv, false);
	stub_server_end(&s, log, sizeof(log));
	assert_string_equal(r.err, "");
	assert_string_equal(r.out, "queue0 52:54:00:00:00:01 vnet0 1 2 1500 %{fd}\n"
				   "52:54:00:00:00:01 vnet0\n");
	assert_int_equal(r.status, 7);
	assert_string_equal(log,
			    "{\"method\":\"io.netd.Attach\",\"parameters\":{\"network\":\"lab\",\"queues\":1,"
			    "\"vnetHeader\":true}}\n"
			    "{\"method\":\"io.netd.GetNetwork\",\"parameters\":{\"name\":\"lab\"}}\n");
}

static void test_several(void **state)
{
	static const struct stub_row rows[] = {
		{ PORT("52:54:00:00:00:01", "vnet0") "[0],\"vhostFileDescriptors\":[1]}}", 2 },
		{ MTU(""), 0 },
		{ PORT("52:54:00:00:00:02", "vnet1") "[2,0,1],\"vhostFileDescriptors\":[]}}", 3 },
		{ MTU(",\"mtu\":9000"), 0 },
	};
	char *argv[] = { "exec",
			 "--network=lab",
			 "--network",
			 "dmz,mac=52:54:00:00:00:02,queues=3,name=vm1",
			 "sh",
			 "-c",
			 "for i in $(echo %{2.fds,} | tr , ' '); do read q </proc/self/fd/$i; echo $q; done; "
			 "echo %{1.mac} %{2.mac} %{2.ifname} %{2.2q} %{2.mtu}; "
			 "[ $NETD_2_FDS = %{2.fds:} ] && echo ${NETD_2_FD:-none} $NETD_2_MAC $NETD_2_IFNAME; "
			 "ls /proc/self/fd | wc -l",
			 NULL };
	struct stub_server s;
	struct run r;
	char log[OUTPUT_LEN];

	setenv("NETD_2_FD", "99", 1); /* of an outer exec */
	stub_server_start(&s, rows, ARRAY_LEN(rows));
	run_exec(&r, s.path, argv, false);
	stub_server_end(&s, log, sizeof(log));
	unsetenv("NETD_2_FD");
	assert_string_equal(r.err, "");
	/* 8 open files: three standard ones, four queues, and the folder that ls reads */
	assert_string_equal(r.out, "queue2\nqueue0\nqueue1\n"
				   "52:54:00:00:00:01 52:54:00:00:00:02 vnet1 6 9000\n"
				   "none 52:54:00:00:00:02 vnet1\n8\n");
	assert_int_equal(r.status, 0);
	assert_non_null(
		strstr(log, "{\"network\":\"dmz\",\"queues\":3,\"vnetHeader\":true,\"name\":\"vm1\",\"mac\":"
			    "\"52:54:00:00:00:02\"}"));
}

/* With standard input closed, the connection or a queue gets descriptor 0; a VMM takes none below 3. */
static void test_no_standard_file(void **state)
{
	static const struct stub_row rows[] = { { ONE, 1 }, { MTU(""), 0 } };
	char *argv[] = { "exec", "--network", "lab",
			 "sh",   "-c",        "[ %{fd} -ge 3 ] && read q </proc/self/fd/%{fd} && echo $q",
			 NULL };
	struct stub_server s;
	struct run r;
	char log[OUTPUT_LEN];

	stub_server_start(&s, rows, ARRAY_LEN(rows));
	run_exec(&r, s.path, argv, true);
	stub_server_end(&s, log, sizeof(log));
	assert_string_equal(r.out, "queue0\n");
}

static void test_cannot_run(void **state)
{
	static const struct stub_row rows[] = { { ONE, 1 }, { MTU(""), 0 } };
	static const struct {
		const char *command;
		int status;
		const char *err;
	} cases[] = {
		{ "/no/such/command", 127,
		  "error: run '/no/such/command': No such file or directory (ENOENT)\n" },
		{ "/tmp", 126, "error: run '/tmp': Permission denied (EACCES)\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[] = { "exec", "--network", "lab", "--", (char *)cases[i].command, NULL };
		struct stub_server s;
		struct run r;
		char log[OUTPUT_LEN];

		stub_server_start(&s, rows, ARRAY_LEN(rows));
		run_exec(&r, s.path, argv, false);
		stub_server_end(&s, log, sizeof(log));
		assert_int_equal(r.status, cases[i].status);
		assert_string_equal(r.err, cases[i].err);
	}
}

static void test_daemon_refuses(void **state)
{
	static const struct {
		struct stub_row rows[2];
		const char *err;
	} cases[] = {
		{ { { "{\"error\":\"io.netd.NotFound\",\"parameters\":{\"message\":\"no network "
		      "'lab'\",\"text\":"
		      "\"no network 'lab'\",\"frames\":[],\"also\":[]}}" } },
		  "error: no network 'lab'\n" },
		{ { { PORT("52:54:00:00:00:01", "vnet0") "[0,1]}}", 2 } },
		  "error: network 'lab': netd's reply has no port with 1 queues in it\n" },
		{ { { PORT("52:54:00:00:00:01", "much-too-long-a-name") "[0]}}", 1 } },
		  "error: network 'lab': netd's reply has no port with 1 queues in it\n" },
		{ { { "{\"parameters\":{}}", 1 } },
		  "error: network 'lab': netd's reply has no port with 1 queues in it\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[] = { "exec", "--network", "lab", "echo", "ran", NULL };
		struct stub_server s;
		struct run r;
		char log[OUTPUT_LEN];

		stub_server_start(&s, cases[i].rows, 1);
		run_exec(&r, s.path, argv, false);
		stub_server_end(&s, log, sizeof(log));
		assert_int_equal(r.status, 125);
		assert_string_equal(r.err, cases[i].err);
		assert_string_equal(r.out, "");
	}
}

/* Refused before netd is asked: there is none at that path. */
static void test_usage(void **state)
{
	static const struct {
		char *argv[ARGS_MAX];
		const char *err;
	} cases[] = {
		{ { "exec" }, "error: no --network is given\n" USAGE },
		{ { "exec", "true" }, "error: no --network is given\n" USAGE },
		{ { "exec", "--network" }, "error: --network needs a value\n" USAGE },
		{ { "exec", "--network", "lab" }, "error: no command is given\n" USAGE },
		{ { "exec", "--network", "lab", "--" }, "error: no command is given\n" USAGE },
		{ { "exec", "--networks", "lab", "true" }, "error: unknown option '--networks'\n" USAGE },
		{ { "exec", "-n", "lab", "true" }, "error: unknown option '-n'\n" USAGE },
		{ { "exec", "--network", "lab,queues=0", "true" },
		  "error: --network lab,queues=0: queues '0' is not a number from 1 to 64\n" USAGE },
		{ { "exec", "--network", "lab", "true", "%{fd" },
		  "error: placeholder '%{fd' has no closing brace\n" },
		{ { "exec", "--network", "lab,queues=2", "true", "%{fd}" },
		  "error: placeholder '%{fd}' is one of 2 queues: use %{fds:} or %{fds,}\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run r;

		run_exec(&r, "/no/such/socket", (char **)cases[i].argv, false);
		assert_int_equal(r.status, 125);
		assert_string_equal(r.err, cases[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_no_standard_file),
		cmocka_unit_test(test_cannot_run),
		cmocka_unit_test(test_daemon_refuses),
		cmocka_unit_test(test_usage),
	};
	return cmocka_run_group_tests_name("cli/cmd-exec", tests, NULL, NULL);
}

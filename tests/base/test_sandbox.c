// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the sandbox, proved from inside: each test forks a child that enters it and tries what it must not be able
 * to do. CHECK ends the child with a message; the parent wants exit status 0, or death by SIGSYS.
 * What needs root is skipped without, visibly.
 *
 * Children end by leave(): before a call that does not return, AddressSanitizer makes system calls of its own,
 * which the filters under test do not have.
 */
#include "base/mem.h"
#include "base/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ANY_ID 54321 /* an id nobody has */

#define CHECK(cond)                                                               \
	do {                                                                      \
		if (!(cond)) {                                                    \
			dprintf(STDERR_FILENO, "line %d: %s\n", __LINE__, #cond); \
			leave(1);                                                 \
		}                                                                 \
	} while (0)

static void leave(int status)
{
	syscall(SYS_exit_group, status);
}

static char root[] = "/tmp/nd-test-sandbox-XXXXXX";

static int setup(void **state)
{
	return mkdtemp(root) && chmod(root, 0755) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	return rmdir(root);
}

/* Return: the wait status of a child that ran fn. */
static int in_child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fn();
		leave(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
}

static void enter(const struct nd_sandbox *s)
{
	struct nd_error e = ND_ERROR_INIT;
	char text[512];

	if (nd_sandbox_enter(s, &e) == 0)
		return;
	nd_error_format(&e, text, sizeof(text));
	dprintf(STDERR_FILENO, "%s\n", text);
	leave(2);
}

static void check_no_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &header, data) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(data[i].effective == 0 && data[i].permitted == 0 && data[i].inheritable == 0);
	for (int cap = 0; cap < (int)cap_max_bits(); cap++) {
		CHECK(prctl(PR_CAPBSET_READ, cap) == 0);
		CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 0);
	}
}

static void child_privilege(void)
{
	gid_t some[] = { 1, 2, 3 };
	uid_t u[3];
	gid_t g[3];

	CHECK(setgroups(3, some) == 0);
	enter(&(struct nd_sandbox){ .root = root, .uid = ANY_ID, .gid = ANY_ID + 1 });
	CHECK(getresuid(&u[0], &u[1], &u[2]) == 0 && getresgid(&g[0], &g[1], &g[2]) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(u[i] == ANY_ID && g[i] == ANY_ID + 1);
	CHECK(getgroups(0, NULL) == 0);
	check_no_capability();
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	/* What it adds up to. */
	CHECK(setuid(0) < 0 && errno == EPERM);
	CHECK(setgid(0) < 0 && errno == EPERM);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	CHECK(chroot("/") < 0 && errno == EPERM);
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(open("/../../etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(open("/file", O_CREAT | O_WRONLY, 0600) < 0 && errno == EACCES);
}

static void test_privilege(void **state)
{
	need_root();
	assert_int_equal(in_child(child_privilege), 0);
}

/* As after nd_capabilities_limit: without CAP_SETPCAP the bounding set stays, everything else goes. */
static void child_without_setpcap(void)
{
	static const int keep[] = { CAP_SETUID, CAP_SETGID, CAP_SYS_CHROOT, CAP_NET_RAW };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK(nd_capabilities_limit(keep, ARRAY_LEN(keep), NULL) == 0);
	CHECK(prctl(PR_CAPBSET_READ, CAP_NET_RAW) == 1);
	CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0);
	CHECK(syscall(SYS_capget, &header, data) == 0);
	CHECK(data[0].permitted ==
	      (1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_SYS_CHROOT | 1u << CAP_NET_RAW));
	CHECK(data[0].effective == data[0].permitted && data[0].inheritable == 0);
	CHECK(data[1].permitted == 0);
	/* Again: nothing is left to drop, so nothing is refused. */
	CHECK(nd_capabilities_limit(keep, ARRAY_LEN(keep), NULL) == 0);
	enter(&(struct nd_sandbox){ .root = root, .uid = ANY_ID, .gid = ANY_ID });
	CHECK(syscall(SYS_capget, &header, data) == 0);
	CHECK(data[0].permitted == 0 && data[0].effective == 0);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
}

static void test_without_setpcap(void **state)
{
	need_root();
	assert_int_equal(in_child(child_without_setpcap), 0);
}

static void child_limit_refused(void)
{
	static const int keep[] = { CAP_NET_RAW };
	struct nd_error e = ND_ERROR_INIT;
	cap_t none = cap_init();

	CHECK(cap_set_proc(none) == 0);
	CHECK(nd_capabilities_limit(keep, 1, &e) == ND_SYSTEM);
	CHECK(e.sys == EPERM);
}

static void test_limit_refused(void **state)
{
	need_root();
	assert_int_equal(in_child(child_limit_refused), 0);
}

static void child_keep_ids(void)
{
	static const struct nd_sandbox_rule rules[] = {
		{ SCMP_SYS(exit_group), -1, 0 },
		{ SCMP_SYS(write), 0, STDERR_FILENO },
		{ SCMP_SYS(getuid), -1, 0 },
	};
	uid_t uid = getuid();

	enter(&(struct nd_sandbox){
		.uid = (uid_t)-1, .gid = (gid_t)-1, .rules = rules, .rule_cnt = ARRAY_LEN(rules) });
	CHECK(getuid() == uid);
	/* EPERM, and the process goes on. */
	CHECK(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY) < 0 && errno == EPERM);
	CHECK(syscall(SYS_getpid) < 0 && errno == EPERM);
	/* Allowed for one argument only. */
	CHECK(syscall(SYS_write, STDERR_FILENO, "", 0) == 0);
	CHECK(syscall(SYS_write, STDOUT_FILENO, "", 0) < 0 && errno == EPERM);
}

static void test_filter_refuses(void **state)
{
	assert_int_equal(in_child(child_keep_ids), 0);
}

/* Two values of one argument: both pass. */
static void child_two_values(void)
{
	static const struct nd_sandbox_rule rules[] = {
		{ SCMP_SYS(exit_group), -1, 0 },
		{ SCMP_SYS(write), 0, 1 },
		{ SCMP_SYS(write), 0, 2 },
		{ SCMP_SYS(fcntl), 1, F_GETFD },
	};

	enter(&(struct nd_sandbox){ .uid = (uid_t)-1,
				    .gid = (gid_t)-1,
				    .rules = rules,
				    .rule_cnt = ARRAY_LEN(rules),
				    .kill = true });
	CHECK(syscall(SYS_write, 1, "", 0) == 0);
	CHECK(syscall(SYS_write, 2, "", 0) == 0);
	CHECK(syscall(SYS_fcntl, 2, F_GETFD) == 0);
}

static void test_several_values(void **state)
{
	assert_int_equal(in_child(child_two_values), 0);
}

static const struct nd_sandbox_rule only_exit[] = { { SCMP_SYS(exit_group), -1, 0 } };

static void child_killed(void)
{
	enter(&(struct nd_sandbox){
		.uid = (uid_t)-1, .gid = (gid_t)-1, .rules = only_exit, .rule_cnt = 1, .kill = true });
	syscall(SYS_getpid);
	leave(3);
}

static void child_kill_not_needed(void)
{
	enter(&(struct nd_sandbox){
		.uid = (uid_t)-1, .gid = (gid_t)-1, .rules = only_exit, .rule_cnt = 1, .kill = true });
	leave(0);
}

static void test_filter_kills(void **state)
{
	int status = in_child(child_killed);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_int_equal(in_child(child_kill_not_needed), 0);
}

static void child_whole(void)
{
	static const struct nd_sandbox_rule rules[] = {
		{ SCMP_SYS(exit_group), -1, 0 },
		{ SCMP_SYS(geteuid), -1, 0 },
		{ SCMP_SYS(write), 0, STDERR_FILENO },
	};

	enter(&(struct nd_sandbox){ .root = root,
				    .uid = ANY_ID,
				    .gid = ANY_ID,
				    .rules = rules,
				    .rule_cnt = ARRAY_LEN(rules),
				    .kill = true });
	CHECK(geteuid() == ANY_ID);
}

static void child_whole_opens(void)
{
	child_whole();
	syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY);
	leave(3);
}

static void test_everything_at_once(void **state)
{
	int status;

	need_root();
	assert_int_equal(in_child(child_whole), 0);
	status = in_child(child_whole_opens);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* What becomes of another program: one capability through an exec, and a filter of what is refused. */
static void child_keeps(void)
{
	static const int keep[] = { CAP_NET_BIND_SERVICE };
	static const struct nd_sandbox_rule refused[] = { { .syscall = SCMP_SYS(unshare), .arg = -1 } };
	static char *const argv[] = {
		"sh", "-c",
		"test $(sed -n 's/^CapPrm:[^0-9a-f]*//p' /proc/self/status) = 0000000000000400 &&"
		"test $(sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status) = 0000000000000400 &&"
		"test $(sed -n 's/^CapBnd:[^0-9a-f]*//p' /proc/self/status) = 0000000000000400 &&"
		"test $(id -u) = 65000",
		NULL
	};

	enter(&(struct nd_sandbox){ .uid = 65000,
				    .gid = 65000,
				    .rules = refused,
				    .rule_cnt = ARRAY_LEN(refused),
				    .deny = true,
				    .keep = keep,
				    .keep_cnt = ARRAY_LEN(keep) });
	CHECK(unshare(0) < 0 && errno == EPERM);
	CHECK(getppid() > 0);
	execv("/bin/sh", argv);
	leave(3);
}

static void test_keep_and_deny(void **state)
{
	need_root();
	assert_int_equal(in_child(child_keeps), 0);
}

static void child_death_signal(void)
{
	int sig = 0;

	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	enter(&(struct nd_sandbox){ .uid = ANY_ID, .gid = ANY_ID });
	CHECK(prctl(PR_GET_PDEATHSIG, &sig) == 0 && sig == SIGKILL);
}

static void test_death_signal_stays(void **state)
{
	need_root();
	assert_int_equal(in_child(child_death_signal), 0);
}

static void child_errors(void)
{
	static const struct nd_sandbox_rule bad = { SCMP_SYS(read), 6, 0 };
	struct nd_error e = ND_ERROR_INIT;
	char text[256];

	CHECK(nd_sandbox_enter(
		      &(struct nd_sandbox){ .root = "/nonexistent", .uid = (uid_t)-1, .gid = (gid_t)-1 },
		      &e) == ND_SYSTEM);
	nd_error_format(&e, text, sizeof(text));
	CHECK(strncmp(text, "sandbox: chroot to /nonexistent: ", 33) == 0);
	CHECK(nd_sandbox_enter(
		      &(struct nd_sandbox){ .root = "/nonexistent", .uid = (uid_t)-1, .gid = (gid_t)-1 },
		      NULL) == ND_SYSTEM);
	CHECK(nd_sandbox_enter(
		      &(struct nd_sandbox){
			      .uid = (uid_t)-1, .gid = (gid_t)-1, .rules = &bad, .rule_cnt = 1 },
		      NULL) == ND_INVALID);
	/* By now without capabilities: no other uid. */
	CHECK(nd_sandbox_enter(&(struct nd_sandbox){ .uid = ANY_ID, .gid = ANY_ID }, NULL) == ND_SYSTEM);
}

static void test_errors(void **state)
{
	assert_int_equal(in_child(child_errors), 0);
}

static void test_users(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	uid_t uid = 1;
	gid_t gid = 1;

	assert_int_equal(nd_user_find("root", &uid, &gid, &e), 0);
	assert_true(uid == 0 && gid == 0);
	gid = 1;
	assert_int_equal(nd_group_find("root", &gid, &e), 0);
	assert_int_equal(gid, 0);
	assert_int_equal(nd_group_find("no-such-group", &gid, NULL), ND_NOT_FOUND);
	assert_int_equal(nd_user_find("no-such-user", &uid, &gid, &e), ND_NOT_FOUND);
	assert_string_equal(nd_error_text(&e), "user 'no-such-user' does not exist");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privilege),
		cmocka_unit_test(test_without_setpcap),
		cmocka_unit_test(test_limit_refused),
		cmocka_unit_test(test_filter_refuses),
		cmocka_unit_test(test_several_values),
		cmocka_unit_test(test_filter_kills),
		cmocka_unit_test(test_everything_at_once),
		cmocka_unit_test(test_keep_and_deny),
		cmocka_unit_test(test_death_signal_stays),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

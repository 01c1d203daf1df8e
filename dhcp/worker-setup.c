// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the DHCP worker's options and its sandbox
 *
 * The sandbox allows sending on the control descriptor only. A packet socket's owner could otherwise inject frames anywhere on the host: there
 * is no write, sendto, sendmmsg or splice in the list, and sendmsg is bound to descriptor 3. Memory is never executable (mmap's protection is compared, mprotect is
 * not allowed). A call that is not in the list kills the process.
 */
#include "base/mem.h"
#include "base/sandbox.h"
#include "dhcp/worker.h"
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>

/* ---- options ---- */

enum { OPTION_ROOT, OPTION_UID, OPTION_GID, OPTION_FOREIGN_MARK, OPTION_CLOCK_OFFSET, OPTION_CNT };
static const struct {
	const char *name;
	bool number;
	int64_t min, max;
} option_rows[OPTION_CNT] = {
	[OPTION_ROOT] = { "--root", false },
	[OPTION_UID] = { "--uid", true, -1, UINT32_MAX - 1 },
	[OPTION_GID] = { "--gid", true, -1, UINT32_MAX - 1 },
	[OPTION_CLOCK_OFFSET] = { "--clock-offset", true, INT64_MIN / 2, INT64_MAX / 2 },
	[OPTION_FOREIGN_MARK] = { "--foreign-mark", true, 0, UINT32_MAX },
};

static int option_find(const char *name)
{
	int k = 0;
	while (k < OPTION_CNT && strcmp(name, option_rows[k].name))
		k++;
	return k;
}

static int option_number(int k, const char *s, int64_t *ret, struct nd_error *e)
{
	char *end;
	errno = 0;
	long long v = strtoll(s, &end, 0);
	if (errno || end == s || *end || v < option_rows[k].min || v > option_rows[k].max)
		return nd_fail(e, ND_INVALID, "%s %s", option_rows[k].name, s);
	*ret = v;
	return 0;
}

int dhcp_worker_options_parse(int argc, char **argv, struct dhcp_worker_options *ret, struct nd_error *e)
{
	const char *root = NULL;
	int64_t numbers[OPTION_CNT] = { [OPTION_UID] = -1, [OPTION_GID] = -1 };
	for (int i = 0; i < argc; i += 2) {
		int k = option_find(argv[i]);
		if (k == OPTION_CNT)
			return nd_fail(e, ND_INVALID, "unknown option %s", argv[i]);
		if (i + 1 == argc)
			return nd_fail(e, ND_INVALID, "%s without a value", argv[i]);
		if (option_rows[k].number) {
			int r = option_number(k, argv[i + 1], &numbers[k], e);
			if (r < 0)
				return r;
		} else {
			root = argv[i + 1];
		}
	}
	*ret = (struct dhcp_worker_options){ .root = root,
					     .uid = (uid_t)numbers[OPTION_UID],
					     .gid = (gid_t)numbers[OPTION_GID],
					     .foreign_mark = (uint32_t)numbers[OPTION_FOREIGN_MARK],
					     .clock_offset_s = numbers[OPTION_CLOCK_OFFSET] };
	return 0;
}

/* ---- sandbox ---- */

#define ANY(x)                                    \
	{                                         \
		.syscall = SCMP_SYS(x), .arg = -1 \
	}
#define ONLY(x, n, v)                                            \
	{                                                        \
		.syscall = SCMP_SYS(x), .arg = (n), .value = (v) \
	}
static const struct nd_sandbox_rule sandbox_rules[] = {
	/* what it lives for */
	ONLY(recvmmsg, 0, DHCP_WORKER_DHCP_FD),
	ONLY(recvmmsg, 0, DHCP_WORKER_ARP_FD),
	ONLY(recvmsg, 0, DHCP_WORKER_CONTROL_FD),
	ONLY(sendmsg, 0, DHCP_WORKER_CONTROL_FD),
	ONLY(write, 0, STDERR_FILENO),
	/* libev */
	ANY(epoll_ctl),
	ANY(epoll_wait),
	ANY(epoll_pwait),
	ANY(clock_gettime),
	ANY(gettimeofday),
	/* memory, never executable */
	ANY(brk),
	ONLY(mmap, 2, PROT_READ | PROT_WRITE),
	ANY(mremap),
	ANY(munmap),
	ANY(madvise),
	ANY(futex),
	ANY(getrandom),
	/* the end */
	ANY(close),
	ANY(exit_group),
	ANY(rt_sigreturn),
	ANY(restart_syscall),
#if DHCP_WORKER_ASAN
	/* the sanitizer's shadow, its reports and its signal stack */
	ANY(mmap),
	ANY(mprotect),
	ANY(getpid),
	ANY(gettid),
	ANY(openat),
	ANY(read),
	ANY(readlink),
	ANY(newfstatat),
	ANY(sched_yield),
	ANY(sigaltstack),
	ANY(rt_sigaction),
	ANY(rt_sigprocmask),
	ANY(prlimit64),
#endif
};

int dhcp_worker_sandbox(const struct dhcp_worker_options *o, struct nd_error *e)
{
	struct nd_sandbox s = { .root = o->root,
				.uid = o->uid,
				.gid = o->gid,
				.rules = sandbox_rules,
				.rule_cnt = ARRAY_LEN(sandbox_rules),
				.kill = true };
	return nd_sandbox_enter(&s, e);
}

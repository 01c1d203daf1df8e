// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: giving up privilege, implementation
 *
 * Steps are a table, in the only order that works: each takes away what an earlier one needed. To be called
 * while there is one thread: capabilities and the filter are a thread's own.
 *
 * - The bounding set goes before the uid, since CAP_SETPCAP goes with the uid. A caller that never had
 *   CAP_SETPCAP keeps its bounding set; it gives nothing without file capabilities, which no_new_privs rules
 *   out.
 * - A change of uid clears the parent-death signal and the dumpable flag's value (commit_creds(),
 *   kernel/cred.c): both are set after it.
 * - libseccomp only compiles the filter. It is installed by hand, as the very last thing, because from then
 *   on even free(3) might ask for a system call the list does not have.
 */
#include "base/sandbox.h"
#include "base/mem.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define KEEP       ((uid_t)-1)
#define FILTER_MAX BPF_MAXINSNS /* 4096 instructions, linux/bpf_common.h */

static int enter_root(const struct nd_sandbox *s, struct nd_error *e)
{
	if (!s->root)
		return 0;
	if (chroot(s->root) < 0)
		return nd_fail_sys(e, errno, NULL, "chroot to %s", s->root);
	if (chdir("/") < 0)
		return nd_fail_sys(e, errno, NULL, "chdir to the new root");
	return 0;
}

static bool have_setpcap(void)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t v = CAP_CLEAR;

	if (caps) {
		cap_get_flag(caps, CAP_SETPCAP, CAP_EFFECTIVE, &v);
		cap_free(caps);
	}
	return v == CAP_SET;
}

static bool listed(const int *caps, size_t cnt, int cap)
{
	for (size_t i = 0; i < cnt; i++)
		if (caps[i] == cap)
			return true;
	return false;
}

static int limit_bounding(const int *caps, size_t cnt, struct nd_error *e)
{
	for (int cap = 0; cap < (int)cap_max_bits(); cap++) {
		if (listed(caps, cnt, cap) || cap_get_bound(cap) <= 0)
			continue;
		if (cap_drop_bound(cap) < 0)
			return nd_fail_sys(e, errno, NULL, "drop capability %d from the bounding set", cap);
	}
	return 0;
}

static int drop_bounding(const struct nd_sandbox *s, struct nd_error *e)
{
	return have_setpcap() ? limit_bounding(s->keep, s->keep_cnt, e) : 0;
}

static int change_ids(const struct nd_sandbox *s, struct nd_error *e)
{
	if (s->uid == KEEP && s->gid == (gid_t)KEEP)
		return 0;
	/* A change from uid 0 empties the permitted set otherwise (capabilities(7)); exec clears the flag. */
	if (s->keep_cnt && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return nd_fail_sys(e, errno, NULL, "keep capabilities");
	if (setgroups(0, NULL) < 0)
		return nd_fail_sys(e, errno, NULL, "drop supplementary groups");
	if (setresgid(s->gid, s->gid, s->gid) < 0)
		return nd_fail_sys(e, errno, NULL, "become gid %lu", (unsigned long)s->gid);
	if (setresuid(s->uid, s->uid, s->uid) < 0)
		return nd_fail_sys(e, errno, NULL, "become uid %lu", (unsigned long)s->uid);
	return 0;
}

/* The parent-death signal survives; a parent that ended while it was cleared is found by its number. */
static int become(const struct nd_sandbox *s, struct nd_error *e)
{
	pid_t parent = getppid();
	int sig = 0, r;

	if (prctl(PR_GET_PDEATHSIG, &sig) < 0)
		return nd_fail_sys(e, errno, NULL, "get the parent-death signal");
	r = change_ids(s, e);
	if (r < 0 || sig == 0)
		return r;
	if (prctl(PR_SET_PDEATHSIG, sig) < 0)
		return nd_fail_sys(e, errno, NULL, "set the parent-death signal");
	if (getppid() != parent)
		return nd_fail(e, ND_STATE, "the parent has ended");
	return 0;
}

/*
 * Sets all three sets of the process to what is kept; an emptied inheritable set empties the ambient one. What is in the ambient set
 * must be permitted and inheritable before (capabilities(7)).
 */
static int drop_capabilities(const struct nd_sandbox *s, struct nd_error *e)
{
	static const cap_flag_t flags[] = { CAP_PERMITTED, CAP_EFFECTIVE, CAP_INHERITABLE };
	cap_t caps = cap_init();
	int r = 0;

	if (!caps)
		return nd_fail_sys(e, errno, NULL, "make an empty capability set");
	for (size_t i = 0; i < s->keep_cnt; i++) {
		cap_value_t cap = s->keep[i];

		for (size_t k = 0; k < ARRAY_LEN(flags); k++)
			cap_set_flag(caps, flags[k], 1, &cap, CAP_SET);
	}
	if (cap_set_proc(caps) < 0)
		r = nd_fail_sys(e, errno, NULL, "drop all %scapabilities", s->keep_cnt ? "other " : "");
	cap_free(caps);
	for (size_t i = 0; r == 0 && i < s->keep_cnt; i++)
		if (cap_set_ambient(s->keep[i], CAP_SET) < 0)
			r = nd_fail_sys(e, errno, NULL, "keep capability %d", s->keep[i]);
	return r;
}

static int no_new_privileges(const struct nd_sandbox *s, struct nd_error *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return nd_fail_sys(e, errno, NULL, "set no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return nd_fail_sys(e, errno, NULL, "clear the dumpable flag");
	return 0;
}

static int add_rule(scmp_filter_ctx ctx, uint32_t action, const struct nd_sandbox_rule *rule,
		    struct nd_error *e)
{
	const struct scmp_arg_cmp cmp = { .arg = (unsigned)rule->arg,
					  .op = SCMP_CMP_EQ,
					  .datum_a = rule->value };
	int r;

	if (rule->arg < -1 || rule->arg > 5)
		return nd_fail(e, ND_INVALID, "system call %d has no argument %d", rule->syscall, rule->arg);
	r = seccomp_rule_add_array(ctx, action, rule->syscall, rule->arg < 0 ? 0 : 1, &cmp);
	if (r < 0)
		return nd_fail_sys(e, -r, NULL, "rule of system call %d", rule->syscall);
	return 0;
}

/* The compiled filter into prog, through a file in memory: libseccomp writes only to descriptors. */
static int export_filter(scmp_filter_ctx ctx, struct sock_filter *insns, unsigned short *ret_cnt,
			 struct nd_error *e)
{
	nd_autoclose int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t n;
	int r;

	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "create a file in memory");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return nd_fail_sys(e, -r, NULL, "compile the system call filter");
	n = pread(fd, insns, FILTER_MAX * sizeof(*insns), 0);
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "read the system call filter");
	*ret_cnt = (unsigned short)((size_t)n / sizeof(*insns));
	return 0;
}

static int compile_filter(const struct nd_sandbox *s, struct sock_filter *insns, unsigned short *ret_cnt,
			  struct nd_error *e)
{
	uint32_t refuse = s->kill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
	scmp_filter_ctx ctx = seccomp_init(s->deny ? SCMP_ACT_ALLOW : refuse);
	int r = 0;

	if (!ctx)
		return nd_fail(e, ND_MEMORY, "make a system call filter");
	for (size_t i = 0; r == 0 && i < s->rule_cnt; i++)
		r = add_rule(ctx, s->deny ? refuse : SCMP_ACT_ALLOW, &s->rules[i], e);
	if (r == 0)
		r = export_filter(ctx, insns, ret_cnt, e);
	seccomp_release(ctx);
	return r;
}

static int filter_system_calls(const struct nd_sandbox *s, struct nd_error *e)
{
	struct sock_filter insns[FILTER_MAX];
	struct sock_fprog prog = { .filter = insns };
	int r;

	if (!s->rules)
		return 0;
	r = compile_filter(s, insns, &prog.len, e);
	if (r < 0)
		return r;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return nd_fail_sys(e, errno, NULL, "install the system call filter");
	return 0;
}

static int (*const enter_steps[])(const struct nd_sandbox *s, struct nd_error *e) = {
	enter_root, drop_bounding, become, drop_capabilities, no_new_privileges, filter_system_calls,
};

int nd_sandbox_enter(const struct nd_sandbox *s, struct nd_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(enter_steps); i++) {
		int r = enter_steps[i](s, e);

		if (r < 0)
			return nd_wrap_code(e, r, "sandbox");
	}
	return 0;
}

/* Keeps of the permitted set what is listed, makes exactly that effective and nothing inheritable. */
static int limit_process(const int *keep, size_t cnt, struct nd_error *e)
{
	cap_t have = cap_get_proc(), want = cap_init();
	int r = 0;

	if (!have || !want) {
		r = nd_fail_sys(e, errno, NULL, "get the process's capabilities");
		goto out;
	}
	for (size_t i = 0; i < cnt; i++) {
		cap_value_t cap = keep[i];
		cap_flag_value_t v = CAP_CLEAR;

		if (cap_get_flag(have, cap, CAP_PERMITTED, &v) < 0 || v != CAP_SET)
			continue;
		cap_set_flag(want, CAP_PERMITTED, 1, &cap, CAP_SET);
		cap_set_flag(want, CAP_EFFECTIVE, 1, &cap, CAP_SET);
	}
	if (cap_set_proc(want) < 0)
		r = nd_fail_sys(e, errno, NULL, "set the process's capabilities");
out:
	cap_free(have);
	cap_free(want);
	return r;
}

int nd_capabilities_limit(const int *caps, size_t cnt, struct nd_error *e)
{
	int r = limit_bounding(caps, cnt, e);

	return r < 0 ? r : limit_process(caps, cnt, e);
}

int nd_user_find(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct nd_error *e)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw)
		return nd_fail(e, ND_NOT_FOUND, "user '%s' does not exist", name);
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
}

int nd_group_find(const char *name, gid_t *ret_gid, struct nd_error *e)
{
	const struct group *gr = getgrnam(name);

	if (!gr)
		return nd_fail(e, ND_NOT_FOUND, "group '%s' does not exist", name);
	*ret_gid = gr->gr_gid;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_SANDBOX_H
#define ND_BASE_SANDBOX_H
/*
 * DOC: giving up privilege
 * The DHCP worker: an empty root (chroot to an unlinked or empty folder), uid/gid of its own with no supplementary groups, no
 * capability in any set, no_new_privs, not dumpable, a seccomp allow-list. Order: chroot, setgroups, gid, uid, capabilities, no_new_privs, seccomp.
 * All of it is to be called while the process has one thread, and needs no more than CAP_SYS_CHROOT, CAP_SETGID and
 * CAP_SETUID; with CAP_SETPCAP the bounding set is emptied too. A parent-death signal that is set stays set.
 * Source: capabilities(7), seccomp(2), seccomp_rule_add(3).
 */
#include "base/error.h"
#include <stdint.h>
#include <sys/types.h>

/* One allowed (with deny: refused) system call. arg: which argument is compared (0-5), -1: any arguments. */
struct nd_sandbox_rule {
	int syscall; /* SCMP_SYS(x) */
	int8_t arg;
	uint64_t value; /* argument must equal it */
};
struct nd_sandbox {
	const char *root; /* folder to chroot into, borrowed; NULL: none */
	uid_t uid;
	gid_t gid;                           /* both (uid_t)-1: keep (tests without root) */
	const struct nd_sandbox_rule *rules; /* NULL: no seccomp */
	size_t rule_cnt;
	bool kill; /* KILL_PROCESS on violation (true), else EPERM */
	bool deny; /* the rules are what is refused, and all else goes: for programs of others */
	/* CAP_* values that stay, in the ambient set too, so that an exec keeps them; NULL: none. The caller has them. */
	const int *keep;
	size_t keep_cnt;
};
int nd_sandbox_enter(const struct nd_sandbox *s, struct nd_error *e);
/*
 * The daemon: bounding, permitted and effective sets down to these CAP_* values; missing ones are not an error.
 * What CAP_SETPCAP is not there to drop from the bounding set is (ND_SYSTEM, EPERM).
 */
int nd_capabilities_limit(const int *caps, size_t cnt, struct nd_error *e);
/* Name → ids through getpwnam; ND_NOT_FOUND when absent. */
int nd_user_find(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct nd_error *e);
int nd_group_find(const char *name, gid_t *ret_gid, struct nd_error *e);
#endif

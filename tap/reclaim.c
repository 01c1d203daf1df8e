/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: putting back what only a holder can
 *
 * Whoever holds a TAP's file can change its owner and its persistence without any capability (TUNSETOWNER, TUNSETPERSIST). The way back is the
 * same ioctl on the same open file: rtnetlink has no attribute for it, and a second open of a single-queue TAP is EBUSY. So netd borrows
 * the file from a process that has it: /proc/PID/fdinfo/N tells "iff:\tNAME", pidfd_getfd(2) gives a duplicate.
 *
 * Between reading fdinfo and borrowing, process and descriptor may have become others; only what the borrowed file says about itself counts
 * (tun_is). Not found are files in flight in an unread socket, and those of a thread that unshared its descriptors.
 *
 * The caller's loop stands meanwhile, and a holder may hide the file among half a million others, in many processes: the search ends after SEARCH_MS.
 *
 * Needs CAP_SYS_PTRACE; CAP_DAC_READ_SEARCH does not help with /proc/PID/fd. A group that the holder set stays, harmlessly: with both set, both must match.
 */
#include "tap/tap.h"

#include "base/log.h"
#include "base/mem.h"
#include "tap/tun.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#define PROC_PATH_LEN 64   /* bytes of "/proc/PID/fdinfo/N" */
#define FDINFO_LEN    1024 /* bytes; a TAP's is about 60 */
#define SEARCH_MS     20   /* some 1,000 device files, or 10,000 sockets */

struct search {
	const char *name;
	uint64_t until_ms;
	bool over;          /* not all was looked at */
	struct nd_error *e; /* the first refusal */
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* A decimal name of a /proc entry, or -1. */
static int entry_number(const char *s)
{
	char *end;

	if (!isdigit((unsigned char)s[0]))
		return -1;
	errno = 0;
	long v = strtol(s, &end, 10);
	return *end || errno || v > INT_MAX ? -1 : (int)v;
}

/* Whether the link of a descriptor starts with '/': sockets, pipes and anonymous inodes cannot be a TAP and are most of what there is. */
static bool maybe_device(DIR *fds, const char *entry)
{
	char first;

	return readlinkat(dirfd(fds), entry, &first, 1) == 1 && first == '/';
}

static bool fdinfo_names(pid_t pid, int number, const char *name)
{
	char path[PROC_PATH_LEN], wanted[ND_IFNAMSIZ + 8], text[FDINFO_LEN];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, number);
	nd_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return false;
	text[len] = '\0';
	snprintf(wanted, sizeof(wanted), "\niff:\t%s\n", name);
	return strstr(text, wanted) != NULL;
}

/*
 * Return: a duplicate of the holder's descriptor, the caller's, or -1. A process that ended, or let go of the file, is no error; e gets the first
 * refusal of another kind.
 */
static int borrow(pid_t pid, int number, const char *name, struct nd_error *e)
{
	nd_autoclose int pidfd = pidfd_open(pid, 0);
	nd_autoclose int fd = pidfd >= 0 ? pidfd_getfd(pidfd, number, 0) : -1;

	if (fd >= 0)
		return tun_is(fd, name) ? take_fd(fd) : -1;
	if (errno != ESRCH && errno != EBADF && !e->code)
		nd_fail_sys(e, errno, NULL, "borrow file descriptor %d of process %d", number, (int)pid);
	return -1;
}

static bool time_is_over(struct search *s)
{
	s->over = nd_now_ms() >= s->until_ms;
	return s->over;
}

static int borrow_from(pid_t pid, struct search *s)
{
	char path[PROC_PATH_LEN];
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	nd_cleanup(closedirp) DIR *fds = opendir(path);
	for (struct dirent *d; fds && fd < 0 && !time_is_over(s) && (d = readdir(fds));) {
		int number = entry_number(d->d_name);
		if (number >= 0 && maybe_device(fds, d->d_name) && fdinfo_names(pid, number, s->name))
			fd = borrow(pid, number, s->name, s->e);
	}
	return fd;
}

/* The hint first, then every process. Return: the TAP's file, the caller's, or -1. */
static int find_holder(struct search *s, pid_t hint, pid_t *ret_pid)
{
	int fd = -1;

	if (hint > 0) {
		*ret_pid = hint;
		fd = borrow_from(hint, s);
	}
	nd_cleanup(closedirp) DIR *proc = fd < 0 ? opendir("/proc") : NULL;
	for (struct dirent *d; proc && fd < 0 && !s->over && (d = readdir(proc));) {
		*ret_pid = entry_number(d->d_name);
		if (*ret_pid > 0)
			fd = borrow_from(*ret_pid, s);
	}
	return fd;
}

int tap_reclaim(struct nd_nl *nl, int ifindex, const char *name, pid_t holder_hint, pid_t *ret_pid,
		int *ret_fd, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	struct search s = { .name = name, .until_ms = nd_now_ms() + SEARCH_MS, .e = &sub };
	pid_t pid = 0;
	int free_fd = -1, rc;

	nd_autoclose int fd = find_holder(&s, holder_hint, &pid);
	if (fd >= 0) {
		nd_error_reset(&sub); /* one process may have refused before another one gave */
		rc = tun_set_owner(fd, 0, &sub);
		if (rc == 0)
			rc = tun_set_persist(fd, false, &sub);
	} else if (tap_release(nl, ifindex, &free_fd, NULL) == 0) {
		nd_error_reset(&sub);
		pid = 0;
		rc = 0;
	} else if (s.over) {
		nd_error_reset(&sub);
		rc = nd_fail(&sub, ND_TIMEOUT, "its holder was not found within %d ms", SEARCH_MS);
	} else {
		rc = sub.code ? sub.code : nd_fail(&sub, ND_NOT_FOUND, "no process seems to hold it");
	}
	if (rc < 0) {
		nd_wrap(&sub, "tap '%s'", name);
		if (e)
			nd_error_copy(e, &sub);
		return rc;
	}
	*ret_pid = pid;
	*ret_fd = free_fd;
	return 0;
}

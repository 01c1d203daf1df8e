// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: finding a server again, telling it, and its folder
 *
 * A number of a process says nothing once that has ended. What is found must have started when the file says, in clock ticks since the boot
 * (proc(5), stat field 22), and name the folder among its arguments: the launcher and what it becomes both do. It is pinned by a pidfd first
 * and looked at then, so that it cannot be another one afterwards.
 */
#include "dns/process.h"
#include "base/file.h"
#include "base/mem.h"
#include "dns/dns.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STAT_MAX 4096
#define ARGS_MAX (64 * 1024)
#define LOG_MAX  (2 << 20)

/* Return: 0 when there is no such process, or what is left of it only waits for its parent. */
static unsigned long long start_time(pid_t pid)
{
	char path[64];
	nd_autofree char *text = NULL;
	size_t len;
	unsigned long long start;
	char state;
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (nd_file_read(path, STAT_MAX, &text, &len, NULL) < 0)
		return 0;
	p = strrchr(text, ')'); /* the name may hold anything */
	if (!p ||
	    sscanf(p, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : start;
}

int dns_pid_write(const char *dir, struct nd_error *e)
{
	char path[DNS_PATH_MAX], text[64];

	snprintf(path, sizeof(path), "%s/" DNS_PID, dir);
	snprintf(text, sizeof(text), "%d %llu\n", (int)getpid(), start_time(getpid()));
	return nd_file_write(path, text, strlen(text), 0644, false, e);
}

static bool read_pid(const char *dir, pid_t *ret_pid, unsigned long long *ret_start)
{
	char path[DNS_PATH_MAX];
	nd_autofree char *text = NULL;
	size_t len;
	int pid;

	snprintf(path, sizeof(path), "%s/" DNS_PID, dir);
	if (nd_file_read(path, 64, &text, &len, NULL) < 0 || sscanf(text, "%d %llu", &pid, ret_start) != 2 ||
	    pid <= 1 || *ret_start == 0)
		return false;
	*ret_pid = pid;
	return true;
}

/* An argument that is the folder, or a file in it after a '='. */
static bool names_dir(pid_t pid, const char *dir)
{
	char path[64];
	nd_autofree char *text = NULL;
	size_t len, dir_len = strlen(dir);

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if (nd_file_read(path, ARGS_MAX, &text, &len, NULL) < 0)
		return false;
	for (const char *arg = text; arg < text + len; arg += strlen(arg) + 1) {
		const char *value = strchr(arg, '=') ? strchr(arg, '=') + 1 : arg;

		if (strncmp(value, dir, dir_len) == 0 && (value[dir_len] == '\0' || value[dir_len] == '/'))
			return true;
	}
	return false;
}

int dns_find(const char *dir, struct dns_process *ret, struct nd_error *e)
{
	struct dns_process p = { .fd = -1 };
	unsigned long long start;

	if (!read_pid(dir, &p.pid, &start))
		return nd_fail(e, ND_NOT_FOUND, "no dnsmasq was started in %s", dir);
	p.fd = (int)syscall(SYS_pidfd_open, p.pid, 0);
	if (p.fd >= 0 && start_time(p.pid) == start && names_dir(p.pid, dir)) {
		*ret = p;
		return 0;
	}
	dns_process_close(&p);
	return nd_fail(e, ND_NOT_FOUND, "dnsmasq %d has ended", (int)p.pid);
}

void dns_signal(const struct dns_process *p, int sig)
{
	if (p->fd >= 0)
		syscall(SYS_pidfd_send_signal, p->fd, sig, NULL, 0);
}

void dns_process_close(struct dns_process *p)
{
	if (p)
		nd_closep(&p->fd);
}

/* "dnsmasq: failed to create listening socket …", a line with others around it that are empty. */
const char *dns_last_words(const char *dir, char *buf, size_t size)
{
	char path[DNS_PATH_MAX];
	nd_autofree char *text = NULL;
	size_t len;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "%s/" DNS_LOG, dir);
	if (nd_file_read(path, LOG_MAX, &text, &len, NULL) < 0)
		return buf;
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		snprintf(buf, size, "%s", line);
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	return buf;
}

void dns_dir_remove(const char *dir)
{
	char path[DNS_PATH_MAX + 256];
	char **names = NULL;

	if (nd_dir_list(dir, NULL, &names, NULL) < 0)
		return;
	for (char **name = names; *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *name);
		nd_file_remove(path, false, NULL);
	}
	nd_strv_free(names);
	rmdir(dir);
}

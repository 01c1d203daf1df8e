// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: bridge-nf-call in the tests' namespaces
 *
 * br_netfilter, where it is loaded, is on in every new network namespace. The suite runs with it on and off: NETD_TEST_BRNF=1 or 0. The tests are linked
 * with --wrap=unshare, so that each namespace has the setting from its beginning; without the variable the kernel's own stays.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __real_unshare(int flags);
int __wrap_unshare(int flags);

static void set(const char *name, const char *value)
{
	char path[128];
	snprintf(path, sizeof path, "/proc/sys/net/bridge/bridge-nf-call-%s", name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		printf("%s cannot be set\n", path);
	if (fd >= 0)
		close(fd);
}

int __wrap_unshare(int flags)
{
	const char *value = getenv("NETD_TEST_BRNF");
	int r = __real_unshare(flags);
	if (r == 0 && (flags & CLONE_NEWNET) && value) {
		set("iptables", value);
		set("ip6tables", value);
		set("arptables", value);
	}
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_WORKER_H
#define ND_DHCP_WORKER_H
/* The worker in parts, for its tests (private to dhcp/). */
#include "base/error.h"
#include <stdint.h>
#include <sys/types.h>

enum { DHCP_WORKER_CONTROL_FD = 3, DHCP_WORKER_DHCP_FD = 4, DHCP_WORKER_ARP_FD = 5 };

/* The address sanitizer needs system calls of its own in the sandbox. gcc and clang tell of it differently. */
#if defined(__SANITIZE_ADDRESS__)
#define DHCP_WORKER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DHCP_WORKER_ASAN 1
#endif
#endif
#ifndef DHCP_WORKER_ASAN
#define DHCP_WORKER_ASAN 0
#endif

struct dhcp_worker_options {
	const char *root; /* NULL: no chroot */
	uid_t uid;
	gid_t gid; /* both -1: keep */
	uint32_t foreign_mark;
	int64_t clock_offset_s; /* what the ends of leases are told by = CLOCK_BOOTTIME + this */
};
/* argv after "--worker dhcp". 0 or ND_INVALID. */
int dhcp_worker_options_parse(int argc, char **argv, struct dhcp_worker_options *ret, struct nd_error *e);
/* Gives up everything but receiving on descriptors 4 and 5 and talking on 3. There is no way back. */
int dhcp_worker_sandbox(const struct dhcp_worker_options *o, struct nd_error *e);
#endif

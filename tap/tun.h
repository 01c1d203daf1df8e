/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TAP_TUN_H
#define ND_TAP_TUN_H
/*
 * DOC: the calls that have no netlink form: /dev/net/tun and its ioctls
 *
 * Private to tap/, and the seam behind which tests put a fake. Each function is one or two system calls of a few microseconds; only
 * tun_attach with TUN_NEW, which registers a device, takes longer (0.06-0.12 ms).
 * Source: Documentation/networking/tuntap.rst, include/uapi/linux/if_tun.h.
 */
#include "base/error.h"
#include <stdbool.h>
#include <sys/types.h>

enum tun_flag {
	TUN_VNET_HDR = 1 << 0,    /* frames carry struct virtio_net_hdr */
	TUN_MULTI_QUEUE = 1 << 1, /* must be the same in every attach to one device */
	TUN_NEW = 1 << 2,         /* make the device; without it, one more queue of an existing device */
};
/*
 * Opens /dev/net/tun (close-on-exec, blocking: the VMM chooses) and attaches it as a TAP without packet information.
 * name: exact, no '%' (the kernel would take it for a pattern). flags: enum tun_flag bits. The device belongs to the network namespace of the
 * calling thread; needs CAP_NET_ADMIN there. *ret_fd: the caller's, written on success.
 * Return: 0; ND_EXISTS: TUN_NEW and any device has the name; ND_INVALID: no such name is possible; ND_BUSY: no queue is free; ND_SYSTEM.
 */
int tun_attach(const char *name, unsigned flags, int *ret_fd, struct nd_error *e);
/*
 * The same for an open file of a macvtap's own character device, which is attached already: only its flags are set (TUN_NEW means nothing).
 * Return: 0 or ND_SYSTEM.
 */
int tun_set_flags(int fd, unsigned flags, struct nd_error *e);
/* Who may attach besides CAP_NET_ADMIN. Can be changed, but never taken away. Raises RTM_NEWLINK where the device is up. Return: 0 or ND_SYSTEM. */
int tun_set_owner(int fd, uid_t owner, struct nd_error *e);
/* Whether the device outlives its last open file. Return: 0 or ND_SYSTEM. */
int tun_set_persist(int fd, bool on, struct nd_error *e);
/* sock: any socket of the device's network namespace, borrowed. Return: 0 or ND_SYSTEM (sys ENODEV: absent). */
int tun_ifindex(int sock, const char *name, int *ret_ifindex, struct nd_error *e);
/* Whether fd, which may be any open file at all, is attached to the device `name` of the calling thread's network namespace. */
bool tun_is(int fd, const char *name);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TAP_TAP_H
#define ND_TAP_TAP_H
/*
 * DOC: TAP devices
 *
 * The fd is the lease on the device: tap_open makes the device complete (vnet header, MAC, MTU, alias, master, group, up) before the fds leave, the caller
 * hands them over and closes its own. Nothing here remembers a device. A TAP is never deleted under a running holder: tap_drain takes it out of
 * its bridge with carrier off. Owner is set (0) at creation, since a single-queue TAP's owner cannot be put back by anyone but its holder.
 * Source: Documentation/networking/tuntap.rst, drivers/net/tun.c.
 */
#include "base/addr.h"
#include "base/error.h"
#include "base/link.h"
#include "base/netlink.h"

/* Per port. The kernel's MAX_TAP_QUEUES is 256, one SCM_RIGHTS message carries 253. */
#define TAP_QUEUES_MAX 64

/* A VLAN of the port, on a bridge that filters. */
struct tap_vlan {
	uint16_t id;
	bool pvid;     /* of frames that come without a tag */
	bool untagged; /* its frames leave without a tag */
};
struct tap_config {
	char name[ND_IFNAMSIZ]; /* exact name, no '%'; choosing one is the caller's */
	struct nd_mac mac;      /* the host side: the guest's with 0xfe first, so that no bridge takes it */
	uint32_t mtu;           /* 0: leave (1500) */
	uint16_t queue_cnt;     /* 1: a single-queue TAP; >1: IFF_MULTI_QUEUE, five times the kernel memory */
	bool vnet_hdr;
	int master;                   /* bridge ifindex */
	bool isolated;                /* it reaches no other isolated port of the bridge */
	bool fixed_guest;             /* the bridge knows guest here, and neither learns nor guesses others */
	struct nd_mac guest;          /* with fixed_guest: the guest's own MAC */
	const struct tap_vlan *vlans; /* borrowed; instead of the bridge's default one */
	size_t vlan_cnt;
	char alias[ND_ALIAS_STRLEN]; /* of nd_alias_format; "": leave */
};
struct tap_handle {
	char name[ND_IFNAMSIZ];
	int ifindex;
	int fds[TAP_QUEUES_MAX]; /* queue_cnt of them, the caller's */
	uint16_t fd_cnt;
};
/*
 * Makes the device and opens its queues (close-on-exec, blocking). nl: a handle for requests in the calling thread's network namespace.
 * 0.1-0.5 ms; a failure after the device was made costs its closing, 17 ms. Needs CAP_NET_ADMIN. *ret is written on success only.
 * Return: 0; ND_EXISTS: the name is taken (the caller takes the next); ND_LIMIT: bridge full (EXFULL); ND_BUSY: a process attached itself to
 * the new device; ND_INVALID: name or queue_cnt; ND_SYSTEM: no /dev/net/tun, no such bridge, …. Nothing is left on failure.
 */
int tap_open(struct nd_nl *nl, const struct tap_config *want, struct tap_handle *ret, struct nd_error *e);
/* Closes the fds that are left; entries of -1 were handed over. NULL-safe. The last close of a device takes 17 ms. */
void tap_handle_close(struct tap_handle *h);

enum tap_diff {
	TAP_SAME = 0,
	TAP_MAC = 1 << 0,
	TAP_MTU = 1 << 1,
	TAP_MASTER = 1 << 2,
	TAP_GROUP = 1 << 3,
	TAP_ALIAS = 1 << 4,
	TAP_DOWN = 1 << 5,
	TAP_OWNER = 1 << 6,
	TAP_PERSIST = 1 << 7,
	TAP_ISOLATED = 1 << 8,
	TAP_LEARNING = 1 << 9,
	TAP_MODE = 1 << 10, /* of a macvtap alone */
};
/* Pure. Return: enum tap_diff bits. */
unsigned tap_diff(const struct tap_config *want, const struct nd_link *have);
/*
 * Puts back what rtnetlink can, in one message: MAC, MTU, master, group, alias, up; in more of them what a port of the bridge is given once it is one
 * (isolation, learning, VLANs, the guest's MAC). Owner and persist it cannot: TAP_OWNER|TAP_PERSIST are put
 * back through the holder's own open file (tap_reclaim); alone they are nothing to do here.
 * diff: of tap_diff. Return: 0; ND_LIMIT: bridge full; ND_SYSTEM (sys ENODEV: the device is gone).
 */
int tap_restore(struct nd_nl *nl, int ifindex, const struct tap_config *want, unsigned diff,
		struct nd_error *e);
/*
 * Finds a process that holds the TAP (first holder_hint, then /proc/PID/fdinfo "iff:"), borrows its open file with pidfd_getfd(2) (CAP_SYS_PTRACE)
 * and sets owner and persist back. Where no process is found and nobody holds it either, tap_release does so.
 * nl: as for tap_open. holder_hint: 0: none known. On success *ret_pid gets the holder and *ret_fd -1, or *ret_pid 0 and *ret_fd what tap_release
 * gives. May take 20 ms: rare.
 * Return: 0; ND_NOT_FOUND: somebody holds it who is no process that can be seen, or the device is gone; ND_TIMEOUT: not looked at all processes;
 * ND_SYSTEM: the holder's file could not be borrowed or changed.
 */
int tap_reclaim(struct nd_nl *nl, int ifindex, const char *name, pid_t holder_hint, pid_t *ret_pid,
		int *ret_fd, struct nd_error *e);
/*
 * Takes a TAP that nobody holds: owner and persist are set back, and with *ret_fd, the caller's and its only file, the device goes. Closing that
 * takes 17 ms. nl: as for tap_open. 0.1 ms. *ret_fd is written on success only.
 * Return: 0; ND_BUSY: somebody holds it; ND_NOT_FOUND: no such link; ND_INVALID: no TAP; ND_SYSTEM.
 */
int tap_release(struct nd_nl *nl, int ifindex, int *ret_fd, struct nd_error *e);
/* Out of the bridge, carrier off, group kept: quarantine, or a forced end. The holder's fd stays valid. Absent is success. Return: 0 or ND_SYSTEM. */
int tap_drain(struct nd_nl *nl, int ifindex, struct nd_error *e);
#endif

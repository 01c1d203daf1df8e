/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TAP_MACVTAP_H
#define ND_TAP_MACVTAP_H
/*
 * DOC: macvtap devices
 *
 * A guest's own MAC address on a device of the host's, with a character device of its own whose open files are the guest's queues, like a TAP's. Unlike a
 * TAP it does not go with its last file, and no netlink event tells of that; who made it must look (macvtap_held) and delete it. The kernel does not
 * let the host itself talk to its guests over the same device.
 * Source: drivers/net/macvlan.c, macvtap.c, tap.c; Documentation/admin-guide/devices.txt.
 */
#include "tap/tap.h"
#include <linux/if_link.h>
#include <sys/types.h>

enum macvtap_mode {
	MACVTAP_PRIVATE = MACVLAN_MODE_PRIVATE, /* guests do not reach each other */
	MACVTAP_VEPA = MACVLAN_MODE_VEPA,       /* they do, where the switch sends frames back */
	MACVTAP_BRIDGE = MACVLAN_MODE_BRIDGE,   /* they do */
	MACVTAP_PASSTHROUGH =
		MACVLAN_MODE_PASSTHRU, /* one guest has the device, which takes its MAC meanwhile */
};
struct macvtap_config {
	char name[ND_IFNAMSIZ]; /* exact name, no '%' */
	struct nd_mac mac;      /* the guest's own */
	uint32_t mtu;           /* 0: leave (the lower device's) */
	uint16_t queue_cnt;     /* 1 to TAP_QUEUES_MAX */
	bool vnet_hdr;
	int lower; /* ifindex of the device it is made on */
	enum macvtap_mode mode;
	char alias[ND_ALIAS_STRLEN]; /* of nd_alias_format; "": leave */
};

#define MACVTAP_PATH_MAX 256 /* bytes with NUL; a longer node_dir is refused (ND_INVALID) */
/*
 * The character device's node: /dev/tap<ifindex>, which devtmpfs makes, where it is that device's; else one that is made in node_dir (0700, made when
 * absent), which needs CAP_MKNOD and a file system that is not mounted nodev. node_dir: borrowed.
 * Return: 0; ND_NOT_FOUND: no such macvtap in sysfs, which must be that of the network namespace; ND_SYSTEM: no node, and none can be made.
 */
int macvtap_node(const char *node_dir, const char *name, int ifindex, char ret_path[MACVTAP_PATH_MAX],
		 dev_t *ret_dev, struct nd_error *e);
/* Removes the node from node_dir, if it is one of that. */
void macvtap_node_remove(const char *node_dir, int ifindex);

/*
 * Makes the device, opens its queues (close-on-exec, blocking) and brings it up. nl, ret: as for tap_open; tap_handle_close closes the files, the
 * device stays. Needs CAP_NET_ADMIN.
 * Return: 0; ND_EXISTS: the name is taken; ND_BUSY: the lower device is a bridge's or bond's port, or another's alone (passthrough); ND_INVALID: name or
 * queue_cnt; what macvtap_node gives; ND_SYSTEM. Nothing is left on failure.
 */
int macvtap_open(struct nd_nl *nl, const char *node_dir, const struct macvtap_config *want,
		 struct tap_handle *ret, struct nd_error *e);
/* Pure. Return: of enum tap_diff TAP_MAC, TAP_MTU, TAP_GROUP, TAP_ALIAS, TAP_DOWN, TAP_MODE. */
unsigned macvtap_diff(const struct macvtap_config *want, const struct nd_link *have);
/* Puts back those of diff, in one message. Return: 0 or ND_SYSTEM (sys ENODEV: the device is gone). */
int macvtap_restore(struct nd_nl *nl, int ifindex, const struct macvtap_config *want, unsigned diff,
		    struct nd_error *e);

/* A character device, and who is asked first. */
struct macvtap_file {
	dev_t dev;
	pid_t hint; /* 0: none */
	bool held;  /* set by macvtap_held where a process has it open, never cleared */
};
/*
 * Looks for the cnt devices among the open files of all processes (/proc/PID/fd; CAP_SYS_PTRACE), the hints first: that is enough where they have them all.
 * Otherwise some 20 us per process. Files in flight in an unread socket are not seen. only_hints: no more than those.
 */
void macvtap_held(struct macvtap_file *files, size_t cnt, bool only_hints);
#endif

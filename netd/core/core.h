/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_CORE_H
#define ND_CORE_CORE_H
/*
 * The services every part of the core uses, as pointers set once by main and never changed.
 * A reference to `struct core` is passed down; nothing here is global.
 */
#include "base/error.h"
#include <stdint.h>

struct ev_loop;
struct nd_nl;
struct nat;
struct bridge_sysctls;
struct mirror;
struct monitor;
struct disk;
struct reaper;
struct supervisor;
struct events;
struct model;
struct repair;
struct leases;
struct names;
struct records;
struct hostbridges;
struct foreign;
struct connections;
struct holders;
struct settings;

struct core {
	struct ev_loop *loop;
	const struct settings *settings;
	struct nd_nl *nl; /* rtnetlink requests */
	struct nat *nat;
	struct bridge_sysctls *sysctls;
	struct mirror *mirror;         /* the kernel's links, addresses, routes */
	struct monitor *monitor;       /* who keeps the mirror */
	struct disk *disk;             /* the thread that waits for the disk */
	struct reaper *reaper;         /* the thread that deletes devices */
	struct supervisor *supervisor; /* of the DHCP worker */
	struct events *events;
	struct model *model; /* networks and ports */
	struct repair *repair;
	struct leases *leases;
	struct names *names;             /* who resolves names for guests; NULL: nobody */
	struct foreign *foreign;         /* the host's other firewalls; NULL before they are looked at */
	struct hostbridges *hostbridges; /* NICs that netd put into bridges */
	struct records *records;         /* the journal of ports */
	struct connections *connections; /* the thread that ends tracked connections */
	struct holders *holders;         /* who looks after macvtaps */
};
#endif

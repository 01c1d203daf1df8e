/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_SHAPE_SHAPE_H
#define ND_SHAPE_SHAPE_H
/*
 * DOC: bandwidth of a device: what the kernel's traffic control lets through it in each direction
 *
 * A device is a port's TAP or a network's bridge. What it sends (`out`: towards the guests, for both) goes through an HTB at its root; what it
 * receives (`in`: from the guests) is redirected through an ifb device of its own with the same HTB: shaped, not policed, so that TCP reaches
 * the rate. All state is the kernel's: nothing here remembers a device. Where a direction asks for nothing, nothing is there and nothing is paid.
 *
 * A bridge device passes only what goes between guests and host (and what is forwarded by it), so a network's rates do not count guest to guest.
 * Its ports' floors are classes below its `out` that get at least their rate when the network's is all used.
 *
 * Errors do not name the device: the caller wraps. All calls are synchronous rtnetlink and need CAP_NET_ADMIN.
 * Source: tc-htb(8), tc-u32(8), tc-mirred(8), drivers/net/ifb.c.
 */
#include "base/addr.h"
#include "base/error.h"
#include "base/link.h"
#include "base/netlink.h"

/* Bytes of Ethernet frames, without preamble and checksum, as tc counts. */
struct shape_rate {
	uint64_t average; /* bytes/s; 0: no limit, and the others are 0 */
	uint64_t peak;    /* bytes/s at which a burst goes; 0: average */
	uint64_t
		burst; /* bytes that may go at peak after a pause; 0, or less than the rate needs: SHAPE_BURST_MS of it */
};
/* What a device has at once even without a burst: less would lose time to timers. */
#define SHAPE_BURST_MS 5

#define SHAPE_FLOOR_ID_MIN 3u /* libvirt begins with it, too */
#define SHAPE_FLOOR_ID_MAX 0xfffu
struct shape_floor {
	uint16_t
		id; /* of the class: SHAPE_FLOOR_ID_MIN to _MAX, unique in the device; the caller's choice, kept while the port lives */
	struct nd_mac mac; /* frames to it */
	uint64_t rate;     /* bytes/s, not 0 */
};
struct shape_config {
	struct shape_rate out, in;
	bool shared; /* out may have floors; fixed while out has a rate: else a change makes it anew */
	const struct shape_floor
		*floors; /* borrowed; need out.average and shared; their sum may pass out.average */
	size_t floor_cnt;
	char alias[ND_ALIAS_STRLEN]; /* of the ifb, of nd_alias_format */
};

/* Whether it asks for anything. */
bool shape_wanted(const struct shape_config *want);

/*
 * Makes it so, from whatever is there, by the least requests: none when nothing differs, classes alone when rates change (what is queued stays).
 * Of a device that is gone nothing is what is wanted where nothing is; its ifb is retired. Another root qdisc is replaced where out is wanted, and left where it is not. Then it is read back: what the kernel does not have as wanted is an
 * error. nl: a handle for requests in the device's network namespace. 0.03 ms when nothing differs, 0.1 ms an HTB, 0.2 ms with an ifb.
 * *ret_retired: an ifb that is not needed any more, out of use, in group ND_GROUP_DEAD; deleting it takes 16 ms and is the caller's. 0: none.
 * On failure it is written too; what was made stays, and the next call goes on from there.
 *
 * Return: 0; ND_INVALID: a rate or a floor's id out of range; ND_EXISTS: a foreign link has the ifb's name; ND_NOT_FOUND: no such device;
 * ND_UNSUPPORTED: this kernel lacks something, which is named; ND_MEMORY; ND_SYSTEM.
 */
int shape_apply(struct nd_nl *nl, int ifindex, const struct shape_config *want, int *ret_retired,
		struct nd_error *e);

/* What the kernel has. A rate's burst is 0 where it is no more than the rate needs. */
struct shape_state {
	struct shape_rate out, in; /* average 0: not netd's limit */
	int ifb;                   /* its ifindex, 0: none */
	char queue[16]; /* kind of the qdisc in which frames wait: "fq_codel", "bfifo"; "" without rates */
	bool same;      /* as wanted, in all, floors included */
};
/* Compares with want and reads. Return: 0; ND_NOT_FOUND: no such device; ND_MEMORY; ND_PARSE; ND_SYSTEM. */
int shape_read(struct nd_nl *nl, int ifindex, const struct shape_config *want, struct shape_state *ret,
	       struct nd_error *e);

/* The name of the ifb of a device; there is none twice, as there is no ifindex twice. */
const char *shape_ifb_name(int ifindex, char buf[ND_IFNAMSIZ]);
/* Whether msg, an event of RTNLGRP_TC, is about traffic control that this could have made. *ret_ifindex: the device it is on (an ifb perhaps). */
bool shape_event(const struct nlmsghdr *msg, int *ret_ifindex);
#endif

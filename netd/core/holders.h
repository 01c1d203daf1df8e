/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_HOLDERS_H
#define ND_CORE_HOLDERS_H
/*
 * DOC: whether macvtaps are still held
 * A macvtap that nobody has open any more is deleted, and its port, if it has one still, ends.
 */
#include "netd/core/core.h"
#include <stdint.h>
#include <sys/types.h>

struct holders;
int holders_new(struct core *c, struct holders **ret, struct nd_error *e);
void holders_free(struct holders *h); /* NULL-safe; leaves the devices */
/* The folder for nodes of character devices that /dev has not. Borrowed. */
const char *holders_nodes(const struct holders *h);
/*
 * Looks after a macvtap. hint: a process that may have it, 0 none. queue_cnt: files that were handed out; 0: not known.
 * Return: 0; ND_MEMORY; what macvtap_node gives; ND_SYSTEM: it cannot be watched.
 */
int holders_watch(struct holders *h, const char *name, int ifindex, pid_t hint, uint16_t queue_cnt,
		  struct nd_error *e);
/* It is gone, or about to be. Unknown is fine. */
void holders_forget(struct holders *h, int ifindex);
/* Takes what is to be told now; ends ports. */
void holders_sync(struct holders *h);
/* At start: what happened to those that are watched while nobody did. Those that nobody seems to hold go a second later. */
void holders_check(struct holders *h);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_PORT_H
#define ND_CORE_PORT_H
/*
 * DOC: the life of a port after attach made it, and its end
 * The kernel says when its device is gone; then everything of the port goes, and its lease after the grace period.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

/* Its link vanished: the port ends. why: a sentence without its end, for the event. p is freed. */
void port_end(struct core *c, struct port *p, const char *why);
/* Puts back what its holder or anyone changed on the device; too often within a second: quarantine. Called by repair.
 * Return: whether it is as planned now (false: try again soon). */
bool port_repair(struct core *c, struct port *p);
/* Ends a TAP that is persistent and that nobody holds: quarantined, or of no port any more. Return: false: it is held, try again later. */
bool port_release(struct core *c, int ifindex);
/* What its guards dropped, by reason (enum nat_drop), from the kernel. ND_NOT_FOUND: it has no device yet. */
int port_drops(struct core *c, const struct port *p, uint64_t ret[NAT_DROP_CNT_], struct nd_error *e);
#endif

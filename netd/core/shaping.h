/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_SHAPING_H
#define ND_CORE_SHAPING_H
/*
 * DOC: bandwidth of networks and ports: from definitions to shape/, and back
 *
 * A network's <bandwidth> is in force on its bridge device, so for what goes between its guests and everything outside; guests among each other pass
 * the bridge without it. A port's is in force on its TAP, for all its frames: its own, else its portgroup's; the network's is not passed on to ports.
 * A port's floor is its share of the network's inbound. An external port's device is limited by its own program (libvirt does), its floor is netd's.
 *
 * Units are libvirt's, as it hands them to tc: rates in 1000 bytes/s, bursts in 1024 bytes.
 */
#include "netd/core/converge.h"
#include "netd/core/model.h"

struct mirror_change;

/* Rows of networks and ports: see converge.h. */
enum resource_state shaping_network_check(const struct core *c, const void *obj);
int shaping_network_make(struct core *c, void *obj, struct nd_error *e);
int shaping_network_unmake(struct core *c, void *obj, struct nd_error *e);
enum resource_state shaping_port_check(const struct core *c, const void *obj);
int shaping_port_make(struct core *c, void *obj, struct nd_error *e);
int shaping_port_unmake(struct core *c, void *obj, struct nd_error *e);
/* n's bridge was made anew, n->ifindex is still that of the old one: what is left of its limits goes. */
void shaping_bridge_gone(struct core *c, struct network *n);

struct shaping_view {
	struct portdef_bandwidth bandwidth; /* where it is not as wanted: what the kernel has */
	bool own;                           /* the port's, not its portgroup's */
	bool in_force;                      /* the kernel has all as wanted */
	char queue[16];                     /* kind of the qdisc in which frames wait, "" without limits */
};
/*
 * What the kernel has for a port; an external one's device is limited by whom it belongs to, only its floor is looked at. Return: 0 or what
 * shape_read gives.
 */
int shaping_port_read(struct core *c, const struct port *p, struct shaping_view *ret, struct nd_error *e);

/* Return: whether msg was about traffic control. One that others caused has the device compared, and repaired where it differs. */
bool shaping_on_event(struct core *c, const struct nlmsghdr *msg);
/* The link of an ifb changed. */
void shaping_on_ifb(struct core *c, const struct mirror_change *ch);
/* After lost events: all that have limits are compared. */
void shaping_verify_all(struct core *c);
/* Marks what must be read of the adopted networks and ports, and deletes ifbs of none. */
void shaping_adopt(struct core *c);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_MIRROR_H
#define ND_CORE_MIRROR_H
/*
 * DOC: the kernel's links, addresses and routes, kept by events
 * Loaded once by dumps (and again after lost events), then changed by each event. Everything that asks "what is there" asks here: no verb dumps.
 */
#include "base/link.h"
#include <stdbool.h>

struct mirror;
struct mirror *mirror_new(void);
void mirror_free(struct mirror *m);
/* Drops what is known and dumps again. */
int mirror_load(struct mirror *m, struct nd_nl *nl, struct nd_error *e);

struct mirror_change {
	enum { MIRROR_NONE, MIRROR_LINK, MIRROR_ADDRESS, MIRROR_ROUTE } what;
	bool gone;           /* deleted */
	bool had;            /* `was` is valid: the record before */
	struct nd_link link; /* LINK: as it is, or as it was last when gone */
	struct nd_link was;
	int ifindex; /* LINK, ADDRESS, ROUTE */
};
/* One event message. *ret says what changed. 0, ND_MEMORY, or ND_PARSE. */
int mirror_update(struct mirror *m, const struct nlmsghdr *msg, struct mirror_change *ret,
		  struct nd_error *e);

const struct nd_link *mirror_link(const struct mirror *m, int ifindex);
const struct nd_link *mirror_link_by_name(const struct mirror *m, const char *name);
/* Calls fn for each link, in no order; fn must not change the mirror. */
void mirror_each_link(const struct mirror *m, void (*fn)(const struct nd_link *l, void *arg), void *arg);
/* Addresses of a link: *ret borrowed until the next update. */
size_t mirror_addresses(const struct mirror *m, int ifindex, const struct nd_address **ret);
/* Routes over a link that are netd's (ND_ROUTE_PROTOCOL): *ret borrowed until the next update. */
size_t mirror_routes(const struct mirror *m, int ifindex, const struct nd_route **ret);
/* The link of the default route (IPv4's, else IPv6's; the best metric of the main table); NULL: none. */
const struct nd_link *mirror_egress(const struct mirror *m);
/* Whether the kernel or a daemon took an IPv6 address or the default route of the link from router advertisements. */
bool mirror_lives_from_ra(const struct mirror *m, int ifindex);

struct mirror_collision {
	enum { COLLISION_NONE, COLLISION_ADDRESS, COLLISION_CONNECTED, COLLISION_ROUTE } kind;
	struct nd_prefix prefix;  /* the address or route it collides with */
	uint32_t metric;          /* of a route */
	char ifname[ND_IFNAMSIZ]; /* "" when the route has no interface */
};
/* Rule for an explicit subnet: it equals or contains an address or connected route. own_ifindex: this link's entries do not count (0: none). */
bool mirror_refuses(const struct mirror *m, const struct nd_prefix *subnet, int own_ifindex,
		    struct mirror_collision *ret);
/* Rule for an automatic one: any overlap with an address or route in any table but local, default routes excepted. */
bool mirror_overlaps(const struct mirror *m, const struct nd_prefix *subnet, int own_ifindex,
		     struct mirror_collision *ret);
/* Rule for a static route: dst (a network address) is a connected subnet already, or has a route of that metric in the main table. */
bool mirror_has_route(const struct mirror *m, const struct nd_prefix *dst, uint32_t metric, int own_ifindex,
		      struct mirror_collision *ret);
#endif

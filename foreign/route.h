/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_ROUTE_H
#define ND_FOREIGN_ROUTE_H
/* How the host routes an address: RTM_GETROUTE, asked of the kernel each time. */
#include "base/netlink.h"
#include "foreign/decide.h"

struct foreign_route {
	uint32_t type; /* RTN_UNICAST, RTN_LOCAL, RTN_UNREACHABLE … */
	int oifindex;
	char oif[ND_IFNAMSIZ];
	struct nd_ip gateway, prefsrc; /* family 0: none */
	uint32_t table;
	uint32_t mtu; /* of the route; 0: the link's */
};
/*
 * to: the destination. from (family 0: none) and iif ("" none: from the host) as of a packet that came in there. ND_NOT_FOUND: no route,
 * with the kernel's errno.
 */
int foreign_route_get(struct nd_nl *nl, const struct nd_ip *to, const struct nd_ip *from, const char *iif,
		      struct foreign_route *ret, struct nd_error *e);
/* The answers for foreign_decide, asked over nl (borrowed). */
struct foreign_routes foreign_routes(struct nd_nl *nl);
#endif

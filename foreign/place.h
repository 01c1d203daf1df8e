/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_PLACE_H
#define ND_FOREIGN_PLACE_H
/*
 * DOC: netd's accepts where other firewalls want such rules
 *
 * Docker leaves the chain DOCKER-USER to the administrator, ufw the chains of its user rules. Both are xtables' chains,
 * made by iptables of either backend, so the rules go in by the iptables(8) of the same backend: the owners' tools show
 * them. They stand first and bear the comment "netd: NETWORK". They are in the running rules only: where the owner
 * loads its own anew they are gone, and whoever watches puts them back.
 *
 * Source: https://docs.docker.com/engine/network/packet-filtering-firewalls/, ufw-framework(8).
 */
#include "foreign/ruleset.h"

#define FOREIGN_TAG "netd: " /* what the comment of each begins with */

struct foreign_accept {
	uint8_t family;                          /* AF_INET, AF_INET6 */
	bool input;                              /* to the host itself, else forwarded */
	char iif[ND_IFNAMSIZ], oif[ND_IFNAMSIZ]; /* "" any */
	uint16_t udp_port;                       /* only UDP to it; 0: any */
	bool answers; /* only established and related connections, and those that were translated to a guest */
	char network[64]; /* for the comment; what is no letter, digit, '-', '_' or '.' is replaced */
};
/*
 * The chain for an accept, in the table that base (its owner's base chain) is of: NULL where this owner has none, or it is not reached from base.
 */
const struct foreign_chain *foreign_place_find(const struct foreign_ruleset *rs,
					       const struct foreign_chain *base);
/*
 * Makes the tagged rules of every place what want says (of `places`, wanted[i] goes to places[i]): adds and removes. Runs iptables(8) once per rule that
 * differs; blocks some ms each. Goes on after a failure. *ret_changed counts. Return: 0 or the first failure.
 */
int foreign_place_apply(const struct foreign_ruleset *rs, const struct foreign_accept *want,
			const struct foreign_chain *const *places, size_t cnt, size_t *ret_changed,
			struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_NAMES_TEXT_H
#define ND_CORE_NAMES_TEXT_H
/*
 * DOC: from a network to what its name server reads. Pure but for the clock that is given.
 *
 * A name has one holder. What the definition says goes before all: <host> of <dns>, then reservations. Then come the names of ports, then those that guests
 * give themselves by DHCP; within a kind who had it first keeps it, as long as that one is there. Of an address, the name that comes first so is the
 * answer to who it is.
 */
#include "base/bytes.h"
#include "netd/core/model.h"

/* A guest that said its name by DHCP. */
struct names_guest {
	struct nd_map_node by_ip4;
	struct nd_list link; /* names_guests.list, who came first is first */
	uint32_t ip4;
	uint64_t expiry_s; /* wall clock; UINT64_MAX: never */
	char name[];
};
struct names_guests {
	struct nd_list list;
	struct nd_map map;
};
void names_guests_init(struct names_guests *g);
void names_guests_done(struct names_guests *g);
/* name "" or not fit for DNS: it has none. Return: whether names are others now; false on ENOMEM too. */
bool names_guests_put(struct names_guests *g, uint32_t ip4, const char *name, uint64_t expiry_s);

/* The configuration of an active network's server whose folder is dir; servers_file: the host's resolvers. Appended. ND_UNSUPPORTED, ND_INVALID, ND_MEMORY. */
int names_config_text(const struct network *n, const char *dir, const char *servers_file, struct nd_buf *out,
		      struct nd_error *e);
/* The hosts file, appended. *ret_next_s: when the first of its names expires, UINT64_MAX never. */
int names_hosts_text(const struct network *n, const struct names_guests *g, uint64_t now_s,
		     struct nd_buf *out, uint64_t *ret_next_s);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_CHOOSE_H
#define ND_CORE_CHOOSE_H
/*
 * DOC: what the definition or the client left open
 * Names count up or take the lowest free; MACs and uuids are derived (from the network's uuid, the port's name), so that the same definition gives the same
 * network again; the subnet is the preferred one or the next free /24.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

/* Fills uuid and MAC of a new definition, from this machine's id and the name. */
void choose_identity(struct netdef *def);
/* Puts the lowest free name in place of none, or of a template (ND_LIMIT: all are taken); leaves any other name, and modes without a bridge of ours. */
int choose_bridge(const struct core *c, struct netdef *def, struct nd_error *e);
/* Whether name (may be "") is one that choose_bridge could have given def, which has none yet. */
bool choose_bridge_fits(const struct netdef *def, const char *name);
/* Makes a live definition of def (heap, caller's): bridge name and automatic subnet. last_subnet: the one chosen earlier, NULL none.
 * *ret_note (heap or NULL): what is worth telling about the subnet. Return: ND_CONFLICT naming address or route and its interface. */
int choose_live(const struct core *c, const struct netdef *def, const struct nd_prefix *last_subnet,
		struct netdef **ret, char **ret_note, struct nd_error *e);
/* TAP name, free in the mirror: vnet%d, counting up. */
void choose_tap_name(struct core *c, char name[ND_IFNAMSIZ]);
/* 52:54:00 and three bytes from the port's uuid, changed until no other port of the network has it. */
void choose_port_mac(const struct network *n, const struct nd_uuid *port, struct nd_mac *ret);
/* A free mark; ND_LIMIT when all are taken. */
int choose_mark(struct core *c, uint32_t *ret, struct nd_error *e);
#endif

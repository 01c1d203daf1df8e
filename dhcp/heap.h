/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_HEAP_H
#define ND_DHCP_HEAP_H
/*
 * DOC: a pool's bindings in a binary heap by free_at_s: the address that has been free longest is on top.
 */
#include "dhcp/pool.h"

bool dhcp_heap_insert(struct dhcp_pool *p, struct dhcp_binding *b); /* false: no memory */
void dhcp_heap_remove(struct dhcp_pool *p, struct dhcp_binding *b);
void dhcp_heap_move(struct dhcp_pool *p, struct dhcp_binding *b, uint64_t free_at_s);
/* How many are free at now_s; no further than max. */
uint32_t dhcp_heap_count(const struct dhcp_pool *p, uint64_t now_s, uint32_t max);
struct dhcp_binding *dhcp_heap_top(const struct dhcp_pool *p); /* NULL: empty */
#endif

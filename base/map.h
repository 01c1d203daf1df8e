/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_MAP_H
#define ND_BASE_MAP_H
/*
 * Intrusive doubly linked list and intrusive hash map. Neither owns its members. The hash is SipHash-free: keys
 * are mixed with a per-process random seed (getrandom), enough against chosen names and MACs.
 */
#include "base/mem.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nd_list {
	struct nd_list *prev, *next;
};
#define ND_LIST_INIT(l)    \
	{                  \
		&(l), &(l) \
	}
static inline void nd_list_init(struct nd_list *l)
{
	l->prev = l->next = l;
}
static inline bool nd_list_empty(const struct nd_list *l)
{
	return l->next == l;
}
static inline bool nd_list_linked(const struct nd_list *l)
{
	return l->next && l->next != l;
}
void nd_list_append(struct nd_list *head, struct nd_list *item);
void nd_list_remove(struct nd_list *item); /* safe on an item that is in no list; re-initialises it */
#define nd_list_foreach(pos, head, member)                                                       \
	for (pos = container_of((head)->next, __typeof__(*pos), member); &pos->member != (head); \
	     pos = container_of(pos->member.next, __typeof__(*pos), member))
#define nd_list_foreach_safe(pos, tmp, head, member)                        \
	for (pos = container_of((head)->next, __typeof__(*pos), member),    \
	    tmp = container_of(pos->member.next, __typeof__(*pos), member); \
	     &pos->member != (head);                                        \
	     pos = tmp, tmp = container_of(tmp->member.next, __typeof__(*tmp), member))

struct nd_map_node {
	struct nd_map_node *next;
	uint32_t hash;
};
/* Whether node's key equals key. */
typedef bool (*nd_map_equal_fn)(const struct nd_map_node *node, const void *key);
struct nd_map {
	struct nd_map_node **bucket; /* NULL until the first insert */
	uint32_t bucket_cnt;         /* a power of two */
	uint32_t cnt;
	nd_map_equal_fn equal;
};
void nd_map_init(struct nd_map *m, nd_map_equal_fn equal);
void nd_map_done(struct nd_map *m); /* frees the buckets, not the members */
/* The caller has checked that the key is absent. Return: false on ENOMEM. */
bool nd_map_insert(struct nd_map *m, struct nd_map_node *node, uint32_t hash);
struct nd_map_node *nd_map_find(const struct nd_map *m, const void *key, uint32_t hash);
void nd_map_remove(struct nd_map *m, struct nd_map_node *node); /* must be in m */
/* Walk in no order; the current node may be removed. */
struct nd_map_node *nd_map_first(const struct nd_map *m);
struct nd_map_node *nd_map_next(const struct nd_map *m, const struct nd_map_node *node);

uint32_t nd_hash_bytes(const void *p, size_t len);
uint32_t nd_hash_string(const char *s);
uint32_t nd_hash_u32(uint32_t v);
#endif

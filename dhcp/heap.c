// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the heap of a pool
 *
 * Each binding knows its place, so that a renewal moves it in O(log n). Room is taken when a binding is made, never later: a
 * change of state cannot fail.
 */
#include "dhcp/heap.h"
#include <stdlib.h>

#define HEAP_FIRST 4

static void put(struct dhcp_pool *p, uint32_t at, struct dhcp_binding *b)
{
	p->heap[at] = b;
	b->heap_at = at;
}

static void sift_up(struct dhcp_pool *p, uint32_t at)
{
	struct dhcp_binding *b = p->heap[at];

	while (at > 0 && p->heap[(at - 1) / 2]->free_at_s > b->free_at_s) {
		put(p, at, p->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(p, at, b);
}

static void sift_down(struct dhcp_pool *p, uint32_t at)
{
	struct dhcp_binding *b = p->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= p->heap_cnt)
			break;
		if (child + 1 < p->heap_cnt && p->heap[child + 1]->free_at_s < p->heap[child]->free_at_s)
			child++;
		if (p->heap[child]->free_at_s >= b->free_at_s)
			break;
		put(p, at, p->heap[child]);
		at = child;
	}
	put(p, at, b);
}

bool dhcp_heap_insert(struct dhcp_pool *p, struct dhcp_binding *b)
{
	if (p->heap_cnt == p->heap_size) {
		uint32_t size = p->heap_size ? p->heap_size * 2 : HEAP_FIRST;
		struct dhcp_binding **grown = reallocarray(p->heap, size, sizeof(*grown));

		if (!grown)
			return false;
		p->heap = grown;
		p->heap_size = size;
	}
	put(p, p->heap_cnt++, b);
	sift_up(p, b->heap_at);
	return true;
}

void dhcp_heap_remove(struct dhcp_pool *p, struct dhcp_binding *b)
{
	struct dhcp_binding *last = p->heap[--p->heap_cnt];
	uint32_t at = b->heap_at;

	if (last == b)
		return;
	put(p, at, last);
	sift_up(p, at);
	sift_down(p, last->heap_at);
}

void dhcp_heap_move(struct dhcp_pool *p, struct dhcp_binding *b, uint64_t free_at_s)
{
	b->free_at_s = free_at_s;
	sift_up(p, b->heap_at);
	sift_down(p, b->heap_at);
}

/* They are a tree at the top: walked in order of depth first, by places alone. */
uint32_t dhcp_heap_count(const struct dhcp_pool *p, uint64_t now_s, uint32_t max)
{
	uint32_t cnt = 0;
	uint64_t at = 0;

	while (cnt < max) {
		if (at < p->heap_cnt && p->heap[at]->free_at_s <= now_s) {
			cnt++;
			at = 2 * at + 1;
			continue;
		}
		while (at > 0 && at % 2 == 0) /* a right child: its parent is done */
			at = (at - 1) / 2;
		if (at == 0)
			break;
		at++;
	}
	return cnt;
}

struct dhcp_binding *dhcp_heap_top(const struct dhcp_pool *p)
{
	return p->heap_cnt ? p->heap[0] : NULL;
}

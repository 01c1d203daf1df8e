// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: intrusive list and hash map
 *
 * The map chains its members in buckets; the bucket count is a power of two and doubles when there is more
 * than one member per bucket. It never shrinks and a removed node keeps its next pointer, so the current
 * node of a walk may be removed.
 *
 * The hash is a multiply-and-fold over 8-byte words with a secret start and a secret odd
 * factor. Guests choose MACs and users choose names, but neither sees a hash or can time a lookup.
 * The secret is drawn before main(): the DHCP worker hashes inside its sandbox, without getrandom(2).
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

#define BUCKETS_FIRST 16
#define BUCKETS_MAX   (1u << 30)

static struct {
	uint64_t start, factor;
} seed;

__attribute__((constructor)) static void seed_init(void)
{
	/* Not blocking: early in boot the kernel's own 16 random bytes for this process do as well. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
		const void *from_kernel = (const void *)getauxval(AT_RANDOM);

		if (from_kernel)
			memcpy(&seed, from_kernel, sizeof(seed));
	}
	seed.factor |= 1;
}

void nd_list_append(struct nd_list *head, struct nd_list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

void nd_list_remove(struct nd_list *item)
{
	if (item->next) {
		item->next->prev = item->prev;
		item->prev->next = item->next;
	}
	nd_list_init(item);
}

void nd_map_init(struct nd_map *m, nd_map_equal_fn equal)
{
	*m = (struct nd_map){ .equal = equal };
}

void nd_map_done(struct nd_map *m)
{
	free(m->bucket);
	*m = (struct nd_map){ .equal = m->equal };
}

static struct nd_map_node **bucket_of(const struct nd_map *m, uint32_t hash)
{
	return &m->bucket[hash & (m->bucket_cnt - 1)];
}

static bool grow(struct nd_map *m)
{
	struct nd_map old = *m;

	m->bucket_cnt = old.bucket_cnt ? old.bucket_cnt * 2 : BUCKETS_FIRST;
	m->bucket = calloc(m->bucket_cnt, sizeof(struct nd_map_node *));
	if (!m->bucket) {
		*m = old;
		return false;
	}
	for (uint32_t i = 0; i < old.bucket_cnt; i++) {
		for (struct nd_map_node *node = old.bucket[i], *next; node; node = next) {
			struct nd_map_node **b = bucket_of(m, node->hash);

			next = node->next;
			node->next = *b;
			*b = node;
		}
	}
	free(old.bucket);
	return true;
}

bool nd_map_insert(struct nd_map *m, struct nd_map_node *node, uint32_t hash)
{
	struct nd_map_node **b;

	/* A map that cannot grow still works, with longer chains. */
	if (m->cnt >= m->bucket_cnt && m->bucket_cnt < BUCKETS_MAX && !grow(m) && !m->bucket)
		return false;
	b = bucket_of(m, hash);
	node->hash = hash;
	node->next = *b;
	*b = node;
	m->cnt++;
	return true;
}

struct nd_map_node *nd_map_find(const struct nd_map *m, const void *key, uint32_t hash)
{
	if (!m->bucket)
		return NULL;
	for (struct nd_map_node *node = *bucket_of(m, hash); node; node = node->next)
		if (node->hash == hash && m->equal(node, key))
			return node;
	return NULL;
}

void nd_map_remove(struct nd_map *m, struct nd_map_node *node)
{
	struct nd_map_node **at = bucket_of(m, node->hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	m->cnt--;
}

static struct nd_map_node *first_from(const struct nd_map *m, uint32_t i)
{
	for (; i < m->bucket_cnt; i++)
		if (m->bucket[i])
			return m->bucket[i];
	return NULL;
}

struct nd_map_node *nd_map_first(const struct nd_map *m)
{
	return first_from(m, 0);
}

struct nd_map_node *nd_map_next(const struct nd_map *m, const struct nd_map_node *node)
{
	return node->next ? node->next : first_from(m, (node->hash & (m->bucket_cnt - 1)) + 1);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * seed.factor;
	return h ^ h >> 32;
}

/* The length goes in first, so that trailing zero bytes count. */
uint32_t nd_hash_bytes(const void *p, size_t len)
{
	const uint8_t *at = p;
	uint64_t h = mix(seed.start, len), word;

	for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		h = mix(h, word);
	}
	if (len > 0) {
		word = 0;
		memcpy(&word, at, len);
		h = mix(h, word);
	}
	return (uint32_t)mix(h, seed.start);
}

uint32_t nd_hash_string(const char *s)
{
	return nd_hash_bytes(s, strlen(s));
}

uint32_t nd_hash_u32(uint32_t v)
{
	return (uint32_t)mix(mix(seed.start, v), seed.start);
}

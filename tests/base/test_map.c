// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: list and hash map: order, growth, removal during a walk, spread of the hash. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MANY 5000

struct item {
	struct nd_map_node node;
	struct nd_list link;
	uint32_t key;
	unsigned seen;
};

static struct item items[MANY];

static bool item_equal(const struct nd_map_node *node, const void *key)
{
	return container_of(node, struct item, node)->key == *(const uint32_t *)key;
}

static struct item *lookup(const struct nd_map *m, uint32_t key)
{
	struct nd_map_node *node = nd_map_find(m, &key, nd_hash_u32(key));

	return node ? container_of(node, struct item, node) : NULL;
}

static void fill(struct nd_map *m)
{
	memset(items, 0, sizeof(items));
	for (uint32_t i = 0; i < MANY; i++) {
		items[i].key = i * 64;
		assert_true(nd_map_insert(m, &items[i].node, nd_hash_u32(items[i].key)));
	}
}

static void test_list(void **state)
{
	struct nd_list head = ND_LIST_INIT(head);
	struct item a = { .key = 1 }, b = { .key = 2 }, c = { .key = 3 }, *pos, *tmp;
	uint32_t sum = 0;

	assert_true(nd_list_empty(&head));
	assert_false(nd_list_linked(&a.link));
	nd_list_remove(&a.link); /* zeroed, in no list */
	nd_list_append(&head, &a.link);
	nd_list_append(&head, &b.link);
	nd_list_append(&head, &c.link);
	nd_list_foreach(pos, &head, link)
		sum = sum * 10 + pos->key;
	assert_int_equal(sum, 123);
	nd_list_foreach_safe(pos, tmp, &head, link)
		if (pos->key != 2)
			nd_list_remove(&pos->link);
	assert_ptr_equal(head.next, &b.link);
	assert_ptr_equal(head.prev, &b.link);
	assert_false(nd_list_linked(&a.link));
	assert_true(nd_list_linked(&b.link));
	nd_list_remove(&b.link);
	nd_list_remove(&b.link);
	assert_true(nd_list_empty(&head));
}

static void test_map_empty(void **state)
{
	struct nd_map m;
	struct item a = { .key = 7 };

	nd_map_init(&m, item_equal);
	assert_null(lookup(&m, 7));
	assert_null(nd_map_first(&m));
	assert_true(nd_map_insert(&m, &a.node, nd_hash_u32(7)));
	assert_ptr_equal(lookup(&m, 7), &a);
	assert_null(lookup(&m, 8));
	nd_map_remove(&m, &a.node);
	assert_null(nd_map_first(&m));
	nd_map_done(&m);
	assert_null(lookup(&m, 7));
	nd_map_done(&m);
}

static void test_map_many(void **state)
{
	struct nd_map m;

	nd_map_init(&m, item_equal);
	fill(&m);
	assert_int_equal(m.cnt, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		assert_ptr_equal(lookup(&m, i * 64), &items[i]);
	for (struct nd_map_node *n = nd_map_first(&m); n; n = nd_map_next(&m, n))
		container_of(n, struct item, node)->seen++;
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(items[i].seen, 1);
	nd_map_done(&m);
}

static void test_map_remove_in_walk(void **state)
{
	struct nd_map m;
	uint32_t walked = 0;

	nd_map_init(&m, item_equal);
	fill(&m);
	for (struct nd_map_node *n = nd_map_first(&m); n; n = nd_map_next(&m, n)) {
		walked++;
		if (container_of(n, struct item, node)->key % 128)
			nd_map_remove(&m, n);
	}
	assert_int_equal(walked, MANY);
	assert_int_equal(m.cnt, MANY / 2);
	for (uint32_t i = 0; i < MANY; i++)
		assert_ptr_equal(lookup(&m, i * 64), i % 2 ? NULL : &items[i]);
	nd_map_done(&m);
}

static void test_same_hash(void **state)
{
	struct nd_map m;
	uint32_t one = 1, two = 2, three = 3;
	struct item a = { .key = 1 }, b = { .key = 2 };

	nd_map_init(&m, item_equal);
	nd_map_insert(&m, &a.node, 5);
	nd_map_insert(&m, &b.node, 5);
	assert_ptr_equal(nd_map_find(&m, &one, 5), &a.node);
	assert_ptr_equal(nd_map_find(&m, &two, 5), &b.node);
	assert_null(nd_map_find(&m, &three, 5));
	nd_map_remove(&m, &a.node);
	assert_ptr_equal(nd_map_find(&m, &two, 5), &b.node);
	nd_map_done(&m);
}

/* Keys that differ by a power of two must not fall into few buckets. */
static void test_hash_spread(void **state)
{
	static unsigned bucket[1024];
	unsigned worst = 0;
	char name[16];

	for (uint32_t i = 0; i < 1024; i++)
		bucket[nd_hash_u32(i << 16) % 1024]++;
	for (uint32_t i = 0; i < 1024; i++) {
		snprintf(name, sizeof(name), "virbr%u", i);
		bucket[nd_hash_string(name) % 1024]++;
	}
	for (size_t i = 0; i < 1024; i++)
		worst = bucket[i] > worst ? bucket[i] : worst;
	assert_true(worst < 20); /* 2 expected; 20 by chance: 1e-13 per bucket */
}

static void test_hash_bytes(void **state)
{
	assert_int_equal(nd_hash_string("abc"), nd_hash_bytes("abc", 3));
	assert_int_not_equal(nd_hash_bytes("abc\0", 4), nd_hash_bytes("abc", 3));
	assert_int_equal(nd_hash_bytes(NULL, 0), nd_hash_bytes("", 0));
	for (size_t len = 1; len < 20; len++) {
		char a[20] = "0123456789012345678", b[20] = "0123456789012345678";

		b[len - 1] ^= 1;
		assert_int_equal(nd_hash_bytes(a, len - 1), nd_hash_bytes(b, len - 1));
		assert_int_not_equal(nd_hash_bytes(a, len), nd_hash_bytes(b, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),       cmocka_unit_test(test_map_empty),
		cmocka_unit_test(test_map_many),   cmocka_unit_test(test_map_remove_in_walk),
		cmocka_unit_test(test_same_hash),  cmocka_unit_test(test_hash_spread),
		cmocka_unit_test(test_hash_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

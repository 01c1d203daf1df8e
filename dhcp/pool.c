// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the pool
 *
 * Three maps (address, identity, client identifier of ports), a heap by the time an address may go to another, and a bitmap of the
 * addresses in ranges that are bound or kept back. Every step of choosing is O(1) or O(log n) but the search for the next free bit, which
 * goes by words: 1,024 of them for 65,536 addresses, and only while there is a free one.
 *
 * A bit is set ⇔ the address has a binding, is reserved, or is the server's, the network's or the broadcast address.
 * A reserved address is given only to a client it is reserved for. Another one's lease from before the reservation stands in its way until it ends.
 */
#include "dhcp/pool.h"
#include "base/mem.h"
#include "dhcp/heap.h"
#include <assert.h>

#define WORD_BITS 64u
#define NO_INDEX  UINT32_MAX

/* ---- maps ---- */

static bool ip_equal(const struct nd_map_node *n, const void *key)
{
	return container_of(n, struct dhcp_binding, by_ip)->lease.ip4 == *(const uint32_t *)key;
}

static bool identity_equal(const struct nd_map_node *n, const void *key)
{
	return dhcp_identity_equal(&container_of(n, struct dhcp_binding, by_identity)->lease.identity, key);
}

static bool client_id_equal(const struct nd_map_node *n, const void *key)
{
	return dhcp_identity_equal(&container_of(n, struct dhcp_binding, by_client_id)->lease.client_id, key);
}

static uint32_t identity_hash(const struct dhcp_identity *id)
{
	return nd_hash_bytes(id->bytes, id->len);
}

struct dhcp_binding *dhcp_pool_find_ip(const struct dhcp_pool *p, uint32_t ip4)
{
	struct nd_map_node *n = nd_map_find(&p->by_ip, &ip4, nd_hash_u32(ip4));

	return n ? container_of(n, struct dhcp_binding, by_ip) : NULL;
}

struct dhcp_binding *dhcp_pool_find_identity(const struct dhcp_pool *p, const struct dhcp_identity *id)
{
	struct nd_map_node *n = nd_map_find(&p->by_identity, id, identity_hash(id));

	return n ? container_of(n, struct dhcp_binding, by_identity) : NULL;
}

struct dhcp_binding *dhcp_pool_find_client_id(const struct dhcp_pool *p,
					      const struct dhcp_identity *client_id)
{
	struct nd_map_node *n = nd_map_find(&p->by_client_id, client_id, identity_hash(client_id));

	return n ? container_of(n, struct dhcp_binding, by_client_id) : NULL;
}

/* ---- ranges and their bitmap ---- */

static const struct dhcp_pool_range *range_of(const struct dhcp_pool *p, uint32_t ip4)
{
	for (uint32_t i = 0; i < p->range_cnt; i++)
		if (ip4 >= p->range[i].first_ip4 && ip4 <= p->range[i].last_ip4)
			return &p->range[i];
	return NULL;
}

static uint32_t index_of(const struct dhcp_pool *p, uint32_t ip4)
{
	const struct dhcp_pool_range *r = range_of(p, ip4);

	return r ? r->index + (ip4 - r->first_ip4) : NO_INDEX;
}

static uint32_t ip_at(const struct dhcp_pool *p, uint32_t index)
{
	const struct dhcp_pool_range *r = &p->range[p->range_cnt - 1];

	while (r->index > index)
		r--;
	return r->first_ip4 + (index - r->index);
}

/* Kept back from those it is not reserved for. */
static bool is_kept_back(const struct dhcp_pool *p, uint32_t ip4)
{
	return ip4 == p->server_ip4 || ip4 == p->network_ip4 || ip4 == p->broadcast_ip4 ||
	       dhcp_reserves_find_ip(&p->reserves, ip4);
}

static bool is_dynamic(const struct dhcp_pool *p, uint32_t ip4)
{
	return range_of(p, ip4) && !is_kept_back(p, ip4);
}

bool dhcp_pool_is_ours(const struct dhcp_pool *p, uint32_t ip4)
{
	return range_of(p, ip4) || dhcp_reserves_find_ip(&p->reserves, ip4);
}

static void bit_set(struct dhcp_pool *p, uint32_t ip4)
{
	uint32_t i = index_of(p, ip4);

	if (i == NO_INDEX || !p->taken || p->taken[i / WORD_BITS] >> (i % WORD_BITS) & 1)
		return;
	p->taken[i / WORD_BITS] |= UINT64_C(1) << (i % WORD_BITS);
	p->free_cnt--;
}

static void bit_clear(struct dhcp_pool *p, uint32_t ip4)
{
	uint32_t i = index_of(p, ip4);

	if (i == NO_INDEX || !p->taken || is_kept_back(p, ip4) ||
	    !(p->taken[i / WORD_BITS] >> (i % WORD_BITS) & 1))
		return;
	p->taken[i / WORD_BITS] &= ~(UINT64_C(1) << (i % WORD_BITS));
	p->free_cnt++;
}

static size_t bitmap_words(uint32_t size)
{
	return (size + WORD_BITS - 1) / WORD_BITS;
}

/* Fills an all-zero bitmap. */
static void bitmap_mark(struct dhcp_pool *p)
{
	p->free_cnt = p->size;
	p->kept_cnt = 0;
	if (!p->taken)
		return;
	bit_set(p, p->server_ip4);
	bit_set(p, p->network_ip4);
	bit_set(p, p->broadcast_ip4);
	for (struct nd_map_node *n = nd_map_first(&p->reserves.by_ip); n;
	     n = nd_map_next(&p->reserves.by_ip, n))
		bit_set(p, dhcp_reserves_ip(n));
	p->kept_cnt = p->size - p->free_cnt;
	for (uint32_t i = 0; i < p->heap_cnt; i++)
		bit_set(p, p->heap[i]->lease.ip4);
}

static bool bitmap_ensure(struct dhcp_pool *p)
{
	if (p->taken || p->size == 0)
		return true;
	p->taken = calloc(bitmap_words(p->size), sizeof(*p->taken));
	if (p->taken)
		bitmap_mark(p);
	return p->taken;
}

/* First zero bit at or after start, wrapping round. There is one. */
static uint32_t bitmap_next_free(const struct dhcp_pool *p, uint32_t start)
{
	size_t words = bitmap_words(p->size), at = start / WORD_BITS;
	uint64_t below = (UINT64_C(1) << (start % WORD_BITS)) - 1;

	for (size_t i = 0; i <= words; i++, at = (at + 1) % words, below = 0) {
		uint64_t set = p->taken[at] | below;
		uint32_t bit;

		if (set == UINT64_MAX)
			continue;
		bit = (uint32_t)(at * WORD_BITS) + (uint32_t)__builtin_ctzll(~set);
		if (bit < p->size)
			return bit;
	}
	return NO_INDEX;
}

/* ---- bindings ---- */

static void client_id_drop(struct dhcp_pool *p, struct dhcp_binding *b)
{
	if (b->has_client_id)
		nd_map_remove(&p->by_client_id, &b->by_client_id);
	b->has_client_id = false;
}

void dhcp_pool_disown(struct dhcp_pool *p, struct dhcp_binding *b)
{
	client_id_drop(p, b);
	if (b->has_identity)
		nd_map_remove(&p->by_identity, &b->by_identity);
	b->has_identity = false;
	b->replaced_ip4 = 0;
}

void dhcp_pool_set_client_id(struct dhcp_pool *p, struct dhcp_binding *b,
			     const struct dhcp_identity *client_id)
{
	if (dhcp_identity_equal(&b->lease.client_id, client_id) && b->has_client_id)
		return;
	client_id_drop(p, b);
	b->lease.client_id = *client_id;
	/* The index only serves to tell clones, and the first of them is enough for that. */
	if (client_id->len == 0 || b->lease.identity.kind != DHCP_IDENTITY_PORT ||
	    dhcp_pool_find_client_id(p, client_id))
		return;
	b->has_client_id = nd_map_insert(&p->by_client_id, &b->by_client_id, identity_hash(client_id));
}

void dhcp_pool_schedule(struct dhcp_binding *b)
{
	bool at_rest = (b->state == DHCP_BINDING_BOUND || b->state == DHCP_BINDING_DECLINED) && !b->offered &&
		       !b->proposal;

	/* Only what anybody may have can be taken from the top of the heap. */
	dhcp_heap_move(b->pool, b,
		       at_rest && is_dynamic(b->pool, b->lease.ip4) ? b->lease.expiry_s : DHCP_NEVER);
}

static void binding_free(struct dhcp_pool *p, struct dhcp_binding *b)
{
	dhcp_pool_disown(p, b);
	dhcp_heap_remove(p, b);
	free(b->request);
	free(b);
}

void dhcp_pool_settle(struct dhcp_pool *p, struct dhcp_binding *b, bool stored)
{
	struct dhcp_binding *old = b->replaced_ip4 ? dhcp_pool_find_ip(p, b->replaced_ip4) : NULL;

	b->replaced_ip4 = 0;
	if (!old || old == b || old->has_identity || old->state != DHCP_BINDING_BOUND ||
	    !dhcp_identity_equal(&old->lease.identity, &b->lease.identity))
		return;
	if (stored) {
		dhcp_pool_remove(p, old);
		return;
	}
	dhcp_pool_disown(p, b);
	old->has_identity =
		nd_map_insert(&p->by_identity, &old->by_identity, identity_hash(&old->lease.identity));
}

void dhcp_pool_remove(struct dhcp_pool *p, struct dhcp_binding *b)
{
	p->forget(p, b);
	dhcp_pool_settle(p, b, false);
	nd_map_remove(&p->by_ip, &b->by_ip);
	bit_clear(p, b->lease.ip4);
	binding_free(p, b);
}

/* The address has no binding; the identity has none either, or it is not owned by it (an address set aside). */
static struct dhcp_binding *binding_new(struct dhcp_pool *p, uint32_t ip4,
					const struct dhcp_identity *identity, bool owned)
{
	struct dhcp_binding *b = bitmap_ensure(p) ? calloc(1, sizeof(*b)) : NULL;

	if (!b)
		return NULL;
	b->pool = p;
	b->state = DHCP_BINDING_OFFERED;
	b->free_at_s = DHCP_NEVER;
	b->lease.ip4 = ip4;
	b->lease.identity = *identity;
	nd_list_init(&b->timer);
	if (!dhcp_heap_insert(p, b)) {
		free(b);
		return NULL;
	}
	b->has_identity = owned && nd_map_insert(&p->by_identity, &b->by_identity, identity_hash(identity));
	if (b->has_identity != owned || !nd_map_insert(&p->by_ip, &b->by_ip, nd_hash_u32(ip4))) {
		binding_free(p, b);
		return NULL;
	}
	bit_set(p, ip4);
	return b;
}

/* ---- choosing ---- */

static bool is_expired(const struct dhcp_binding *b, uint64_t now_s)
{
	return (b->state == DHCP_BINDING_BOUND || b->state == DHCP_BINDING_DECLINED) && !b->offered &&
	       !b->proposal && b->lease.expiry_s <= now_s;
}

/* Its own, or the lease that it is about to leave. */
static bool is_of(const struct dhcp_binding *b, const struct dhcp_who *who)
{
	return b->state != DHCP_BINDING_DECLINED && dhcp_identity_equal(&b->lease.identity, who->identity);
}

/* Whether the binding b of a reserved address gives way to a client that it is reserved for. Who has the lease was told that the address is its own
 * until it ends: it is refused when it renews, and only then. */
static bool gives_way(const struct dhcp_binding *b, const struct dhcp_who *who, uint64_t now_s)
{
	return is_expired(b, now_s) || is_of(b, who);
}

static bool reservation_usable(const struct dhcp_pool *p, const struct dhcp_host *host,
			       const struct dhcp_who *who, uint64_t now_s)
{
	const struct dhcp_binding *b = dhcp_pool_find_ip(p, host->ip4);

	return host->ip4 != p->server_ip4 && (!b || gives_way(b, who, now_s));
}

bool dhcp_pool_may_hold(const struct dhcp_pool *p, const struct dhcp_who *who, uint32_t ip4, uint64_t now_s)
{
	const struct dhcp_host *host = dhcp_reserves_find(&p->reserves, who);

	if (host && reservation_usable(p, host, who, now_s))
		return host->ip4 == ip4;
	return is_dynamic(p, ip4);
}

/* The client leaves its binding for another. A lease that still runs stands until the new one is stored: only nobody's.
 * Return: its address, 0: none. */
static uint32_t leave(struct dhcp_pool *p, struct dhcp_binding *mine, uint64_t now_s)
{
	uint32_t ip4 = mine->replaced_ip4;

	if (mine->state == DHCP_BINDING_BOUND && mine->lease.expiry_s > now_s) {
		dhcp_pool_disown(p, mine);
		return mine->lease.ip4;
	}
	mine->replaced_ip4 = 0;
	dhcp_pool_remove(p, mine);
	return ip4;
}

/* The address becomes the client's: what stood in its way goes, and the client leaves its other one. */
static struct dhcp_binding *take(struct dhcp_pool *p, const struct dhcp_who *who, uint32_t ip4,
				 uint64_t now_s)
{
	struct dhcp_binding *mine = dhcp_pool_find_identity(p, who->identity), *there, *b;
	uint32_t left_ip4;

	if (mine && mine->replaced_ip4 == ip4) {
		dhcp_pool_remove(p, mine); /* back to the lease it was about to leave */
		mine = dhcp_pool_find_identity(p, who->identity);
	}
	if (mine && mine->lease.ip4 == ip4)
		return mine;
	left_ip4 = mine ? leave(p, mine, now_s) : 0;
	there = dhcp_pool_find_ip(p, ip4);
	if (there)
		dhcp_pool_remove(p, there);
	b = binding_new(p, ip4, who->identity, true);
	if (b) {
		b->fresh = !there;
		b->lease.mac = who->mac;
		b->replaced_ip4 = left_ip4;
	}
	return b;
}

struct dhcp_binding *dhcp_pool_claim(struct dhcp_pool *p, const struct dhcp_who *who, uint32_t ip4,
				     uint64_t now_s)
{
	const struct dhcp_binding *there = dhcp_pool_find_ip(p, ip4);

	if (!dhcp_pool_may_hold(p, who, ip4, now_s))
		return NULL;
	/* Of a reserved address may_hold() has seen to it. */
	if (there && is_dynamic(p, ip4) && !is_expired(there, now_s) && !is_of(there, who))
		return NULL;
	return take(p, who, ip4, now_s);
}

static struct dhcp_binding *pick_dynamic(struct dhcp_pool *p, const struct dhcp_who *who, uint64_t now_s)
{
	struct dhcp_binding *oldest;

	if (!bitmap_ensure(p))
		return NULL;
	if (p->free_cnt) {
		uint32_t at = bitmap_next_free(p, dhcp_identity_hash(who->identity) % p->size);

		assert(at != NO_INDEX);
		return take(p, who, ip_at(p, at), now_s);
	}
	oldest = dhcp_heap_top(p);
	if (oldest && oldest->free_at_s <= now_s)
		return take(p, who, oldest->lease.ip4, now_s);
	return NULL;
}

struct dhcp_binding *dhcp_pool_pick(struct dhcp_pool *p, const struct dhcp_who *who, uint32_t requested_ip4,
				    uint64_t now_s)
{
	const struct dhcp_host *host = dhcp_reserves_find(&p->reserves, who);
	struct dhcp_binding *mine = dhcp_pool_find_identity(p, who->identity);

	if (host && reservation_usable(p, host, who, now_s))
		return take(p, who, host->ip4, now_s);
	if (mine && is_dynamic(p, mine->lease.ip4))
		return mine;
	if (requested_ip4 && is_dynamic(p, requested_ip4)) {
		const struct dhcp_binding *there = dhcp_pool_find_ip(p, requested_ip4);

		if (!there || is_expired(there, now_s))
			return take(p, who, requested_ip4, now_s);
	}
	return pick_dynamic(p, who, now_s);
}

bool dhcp_pool_is_above(const struct dhcp_pool *p, unsigned percent, uint64_t now_s)
{
	uint32_t size = p->size - p->kept_cnt, taken = size - p->free_cnt;
	uint64_t limit = (uint64_t)size * percent / 100;

	if (!p->taken || taken < limit || size == 0)
		return false;
	/* Previous leases are taken, too, but can be had. */
	return taken - dhcp_heap_count(p, now_s, taken - (uint32_t)limit + 1) >= limit;
}

uint32_t dhcp_pool_lease_s(const struct dhcp_pool *p, const struct dhcp_host *host, uint32_t ip4)
{
	const struct dhcp_pool_range *r = range_of(p, ip4);

	if (host && host->ip4 == ip4 && host->lease_s)
		return host->lease_s;
	if (r && r->lease_s)
		return r->lease_s;
	return p->lease_s ? p->lease_s : DHCP_LEASE_DEFAULT_S;
}

/* ---- configuration ---- */

/* Whether a lease is of an address that is given out here, be it now to others. */
static bool fits(const struct dhcp_pool *p, const struct dhcp_lease *l)
{
	return is_dynamic(p, l->ip4) ||
	       (l->ip4 != p->server_ip4 && dhcp_reserves_find_ip(&p->reserves, l->ip4));
}

/* Reservations decide by what a client that is no port is known. */
static void identity_now(const struct dhcp_pool *p, const struct dhcp_lease *l, struct dhcp_identity *ret)
{
	*ret = l->identity;
	if (l->state == DHCP_LEASE_BOUND &&
	    (l->identity.kind == DHCP_IDENTITY_CLIENT_ID ||
	     (l->identity.kind == DHCP_IDENTITY_HARDWARE && l->client_id.len)))
		dhcp_reserves_identity(&p->reserves, &l->mac, &l->client_id, ret);
}

/* After reservations have changed. Return: false when another binding is that client's already. */
static bool reidentify(struct dhcp_pool *p, struct dhcp_binding *b)
{
	struct dhcp_identity now;

	identity_now(p, &b->lease, &now);
	if (!b->has_identity || dhcp_identity_equal(&now, &b->lease.identity))
		return true;
	if (dhcp_pool_find_identity(p, &now))
		return false;
	nd_map_remove(&p->by_identity, &b->by_identity);
	b->lease.identity = now;
	b->has_identity = nd_map_insert(&p->by_identity, &b->by_identity, identity_hash(&now));
	return b->has_identity;
}

struct dhcp_binding *dhcp_pool_load(struct dhcp_pool *p, const struct dhcp_lease *l)
{
	bool owned = l->state == DHCP_LEASE_BOUND;
	struct dhcp_binding *there = dhcp_pool_find_ip(p, l->ip4), *mine, *b;
	struct dhcp_identity identity;

	identity_now(p, l, &identity);
	mine = owned ? dhcp_pool_find_identity(p, &identity) : NULL;
	/* What is under way is newer than any record. */
	if (!fits(p, l) || (there && there->proposal) || (mine && mine->proposal))
		return NULL;
	/* Twice, where the one it has was about to replace another. */
	while (owned && (mine = dhcp_pool_find_identity(p, &identity)))
		dhcp_pool_remove(p, mine);
	there = dhcp_pool_find_ip(p, l->ip4);
	if (there)
		dhcp_pool_remove(p, there);
	b = binding_new(p, l->ip4, &identity, owned);
	if (!b)
		return NULL;
	b->lease = *l;
	b->lease.identity = identity;
	b->lease.client_id.len = 0; /* set_client_id() compares with it */
	dhcp_pool_set_client_id(p, b, &l->client_id);
	b->state = owned ? DHCP_BINDING_BOUND : DHCP_BINDING_DECLINED;
	dhcp_pool_schedule(b);
	return b;
}

static int range_compare(const void *a, const void *b)
{
	const struct dhcp_pool_range *x = a, *y = b;

	return x->first_ip4 < y->first_ip4 ? -1 : x->first_ip4 > y->first_ip4;
}

/* Sorted copies without overlaps; *ret_size: addresses in them. */
static int ranges_copy(const struct dhcp_network *n, struct dhcp_pool_range **ret, uint32_t *ret_cnt,
		       uint32_t *ret_size, struct nd_error *e)
{
	nd_autofree struct dhcp_pool_range *v = calloc(n->range_cnt ? n->range_cnt : 1, sizeof(*v));
	uint64_t next = 0, size = 0;
	uint32_t cnt = 0;

	if (!v)
		return nd_fail(e, ND_MEMORY, "out of memory");
	for (uint32_t i = 0; i < n->range_cnt; i++) {
		const struct dhcp_range *r = &n->ranges[i];

		if (r->first_ip4 > r->last_ip4)
			return nd_fail(e, ND_INVALID, "range %u ends before it starts", i);
		v[i] = (struct dhcp_pool_range){ r->first_ip4, r->last_ip4, r->lease_s, 0 };
	}
	qsort(v, n->range_cnt, sizeof(*v), range_compare);
	for (uint32_t i = 0; i < n->range_cnt; i++) {
		struct dhcp_pool_range r = v[i];

		if (r.last_ip4 < next)
			continue;
		if (r.first_ip4 < next)
			r.first_ip4 = (uint32_t)next;
		r.index = (uint32_t)size;
		next = (uint64_t)r.last_ip4 + 1;
		size += next - r.first_ip4;
		if (size > DHCP_POOL_SIZE_MAX)
			return nd_fail(e, ND_LIMIT, "more than %u addresses in ranges", DHCP_POOL_SIZE_MAX);
		v[cnt++] = r;
	}
	*ret = take_ptr(v);
	*ret_cnt = cnt;
	*ret_size = (uint32_t)size;
	return 0;
}

/* After ranges and reservations were replaced, and taken is NULL. */
static void bindings_refit(struct dhcp_pool *p)
{
	struct nd_map_node *node = nd_map_first(&p->by_ip), *next;

	for (; node; node = next) {
		struct dhcp_binding *b = container_of(node, struct dhcp_binding, by_ip);

		next = nd_map_next(&p->by_ip, node);
		if (fits(p, &b->lease) && reidentify(p, b))
			dhcp_pool_schedule(b);
		else
			dhcp_pool_remove(p, b);
	}
}

int dhcp_pool_configure(struct dhcp_pool *p, const struct dhcp_network *n, struct nd_error *e)
{
	nd_autofree struct dhcp_pool_range *range = NULL;
	nd_autofree uint64_t *taken = NULL;
	struct dhcp_reserves reserves;
	uint32_t range_cnt = 0, size = 0, mask = nd_ip4_mask(n->prefix_len);
	int r = ranges_copy(n, &range, &range_cnt, &size, e);

	if (r)
		return r;
	if (p->heap_cnt && size) {
		taken = calloc(bitmap_words(size), sizeof(*taken));
		if (!taken)
			return nd_fail(e, ND_MEMORY, "out of memory");
	}
	dhcp_reserves_init(&reserves);
	r = dhcp_reserves_set(&reserves, n->hosts, n->host_cnt, e);
	if (r)
		return r;

	dhcp_reserves_done(&p->reserves);
	p->reserves = reserves;
	free(p->range);
	p->range = take_ptr(range);
	p->range_cnt = range_cnt;
	p->size = size;
	p->server_ip4 = n->address_ip4;
	p->network_ip4 = n->address_ip4 & mask;
	p->broadcast_ip4 = n->address_ip4 | ~mask;
	p->lease_s = n->lease_s;
	free(p->taken);
	p->taken = NULL;
	bindings_refit(p);
	p->taken = take_ptr(taken);
	bitmap_mark(p);
	return 0;
}

void dhcp_pool_init(struct dhcp_pool *p, void (*forget)(struct dhcp_pool *p, struct dhcp_binding *b))
{
	*p = (struct dhcp_pool){ .forget = forget };
	nd_map_init(&p->by_ip, ip_equal);
	nd_map_init(&p->by_identity, identity_equal);
	nd_map_init(&p->by_client_id, client_id_equal);
	dhcp_reserves_init(&p->reserves);
}

void dhcp_pool_done(struct dhcp_pool *p)
{
	while (p->heap_cnt)
		dhcp_pool_remove(p, p->heap[p->heap_cnt - 1]);
	nd_map_done(&p->by_ip);
	nd_map_done(&p->by_identity);
	nd_map_done(&p->by_client_id);
	dhcp_reserves_done(&p->reserves);
	free(p->heap);
	free(p->taken);
	free(p->range);
}

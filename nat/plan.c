/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: configurations into elements, wanted against had into operations
 *
 * An element of a configuration is a row of elem_rows, with the condition that asks for it. The view holds
 * every element that the kernel has or that is wanted. Each one whose two sides differ is on the queue, so a
 * commit touches only those, and a change that is undone before it was sent costs nothing.
 *
 * Invariant: a node is in the map while have or want is true, on the queue while it is not settled (see
 * node_settled). All lookups are O(1).
 */
#include "nat/plan.h"
#include "base/mem.h"

static bool is_always(const struct nat_config *cfg)
{
	return true;
}

static bool is_nat(const struct nat_config *cfg)
{
	return cfg->network.forward4 == NAT_FORWARD_NAT;
}

static bool is_isolated(const struct nat_config *cfg)
{
	return cfg->network.forward4 == NAT_FORWARD_ISOLATED;
}

static bool is_dhcp(const struct nat_config *cfg)
{
	return cfg->network.dhcp;
}

static bool is_guarded(const struct nat_config *cfg)
{
	return cfg->port.mac_guard;
}

/* What follows the interface's name in the key. */
enum second { SECOND_NONE, SECOND_NAME, SECOND_MAC };
static const struct {
	enum nat_kind kind;
	enum nat_set set;
	enum second second;
	bool (*when)(const struct nat_config *cfg);
} elem_rows[] = {
	{ NAT_NETWORK, NAT_SET_SAME_BRIDGE, SECOND_NAME, is_always },
	{ NAT_NETWORK, NAT_SET_NAT4, SECOND_NONE, is_nat },
	{ NAT_NETWORK, NAT_SET_ISOLATED, SECOND_NONE, is_isolated },
	{ NAT_NETWORK, NAT_SET_DHCP, SECOND_NONE, is_dhcp },
	{ NAT_PORT, NAT_SET_PORT_MARK, SECOND_NONE, is_always },
	{ NAT_PORT, NAT_SET_PORT_MAC, SECOND_MAC, is_guarded },
	{ NAT_PORT, NAT_SET_GUARDED, SECOND_NONE, is_guarded },
};
_Static_assert(ARRAY_LEN(elem_rows) <= NAT_CONFIG_ELEMS, "room for every row");

size_t nat_plan_elems(const struct nat_config *cfg, struct nat_elem ret[NAT_CONFIG_ELEMS])
{
	const char *name = cfg->kind == NAT_NETWORK ? cfg->network.bridge : cfg->port.name;
	size_t cnt = 0;

	for (size_t i = 0; i < ARRAY_LEN(elem_rows); i++) {
		struct nat_elem *elem = &ret[cnt];

		if (elem_rows[i].kind != cfg->kind || !elem_rows[i].when(cfg))
			continue;
		*elem = (struct nat_elem){ .set = (uint8_t)elem_rows[i].set,
					   .key_len = nat_set_rows[elem_rows[i].set].key_len,
					   .data = nat_set_rows[elem_rows[i].set].mark ? cfg->port.mark : 0 };
		memcpy(elem->key, name, strnlen(name, ND_IFNAMSIZ - 1));
		if (elem_rows[i].second == SECOND_NAME)
			memcpy(elem->key + ND_IFNAMSIZ, name, strnlen(name, ND_IFNAMSIZ - 1));
		else if (elem_rows[i].second == SECOND_MAC)
			memcpy(elem->key + ND_IFNAMSIZ, cfg->port.mac.b, sizeof(cfg->port.mac.b));
		cnt++;
	}
	return cnt;
}

static bool key_equal(const struct nd_map_node *node, const void *key)
{
	const struct nat_node *n = container_of(node, struct nat_node, by_key);

	return memcmp(&n->elem, key, NAT_ELEM_KEY_BYTES) == 0;
}

static uint32_t key_hash(const struct nat_elem *elem)
{
	return nd_hash_bytes(elem, offsetof(struct nat_elem, key) + elem->key_len);
}

void nat_view_init(struct nat_view *v)
{
	*v = (struct nat_view){ .claim = 1 };
	nd_map_init(&v->map, key_equal);
	nd_list_init(&v->queue);
}

void nat_view_done(struct nat_view *v)
{
	struct nd_map_node *p, *next;

	for (p = nd_map_first(&v->map); p; p = next) {
		next = nd_map_next(&v->map, p);
		nd_map_remove(&v->map, p);
		free(container_of(p, struct nat_node, by_key));
	}
	nd_map_done(&v->map);
}

static struct nat_node *node_find(const struct nat_view *v, const struct nat_elem *elem)
{
	struct nd_map_node *p = nd_map_find(&v->map, elem, key_hash(elem));

	return p ? container_of(p, struct nat_node, by_key) : NULL;
}

static struct nat_node *node_make(struct nat_view *v, const struct nat_elem *elem)
{
	struct nat_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->elem = *elem;
	nd_list_init(&n->queued);
	if (!nd_map_insert(&v->map, &n->by_key, key_hash(elem))) {
		free(n);
		return NULL;
	}
	return n;
}

static bool node_settled(const struct nat_node *n)
{
	return n->have == n->want && (!n->have || n->have_data == n->elem.data);
}

/* Restores the invariant after a change of have, want or data. May free n. */
static void node_sort(struct nat_view *v, struct nat_node *n)
{
	bool queued = nd_list_linked(&n->queued), settled = node_settled(n);

	if (queued && settled) {
		nd_list_remove(&n->queued);
		v->queue_cnt--;
	} else if (!queued && !settled) {
		nd_list_append(&v->queue, &n->queued);
		v->queue_cnt++;
	}
	if (!n->have && !n->want) {
		nd_map_remove(&v->map, &n->by_key);
		free(n);
	}
}

bool nat_view_has(const struct nat_view *v, const struct nat_elem *elem)
{
	const struct nat_node *n = node_find(v, elem);

	return n && n->have && n->have_data == elem->data;
}

bool nat_view_want(struct nat_view *v, const struct nat_elem *elem)
{
	struct nat_node *n = node_find(v, elem);

	if (!n)
		n = node_make(v, elem);
	if (!n)
		return false;
	n->elem.data = elem->data;
	n->want = true;
	n->claim = v->claim;
	node_sort(v, n);
	return true;
}

void nat_view_unwant(struct nat_view *v, const struct nat_elem *elem)
{
	struct nat_node *n = node_find(v, elem);

	if (!n || !n->want)
		return;
	n->want = false;
	node_sort(v, n);
}

static bool any_rebuilt(const bool rebuilt[NAT_TABLE_CNT])
{
	bool any = false;

	for (unsigned i = 0; i < NAT_TABLE_CNT; i++)
		any |= rebuilt[i];
	return any;
}

size_t nat_view_plan_max(const struct nat_view *v, const bool rebuilt[NAT_TABLE_CNT])
{
	return 2 * v->queue_cnt + (any_rebuilt(rebuilt) ? v->map.cnt : 0);
}

static size_t plan_deletions(const struct nat_view *v, const bool rebuilt[NAT_TABLE_CNT], struct nat_op *ops)
{
	const struct nat_node *n;
	size_t cnt = 0;

	nd_list_foreach(n, &v->queue, queued) {
		if (n->have && !rebuilt[nat_set_rows[n->elem.set].table])
			ops[cnt++] = (struct nat_op){ .kind = NAT_OP_DELETE, .elem = &n->elem };
	}
	return cnt;
}

size_t nat_view_plan(const struct nat_view *v, const bool rebuilt[NAT_TABLE_CNT], struct nat_op *ops)
{
	const struct nat_node *n;
	size_t cnt = plan_deletions(v, rebuilt, ops);

	nd_list_foreach(n, &v->queue, queued) {
		if (n->want && !rebuilt[nat_set_rows[n->elem.set].table])
			ops[cnt++] = (struct nat_op){ .kind = NAT_OP_ADD, .elem = &n->elem };
	}
	for (struct nd_map_node *p = any_rebuilt(rebuilt) ? nd_map_first(&v->map) : NULL; p;
	     p = nd_map_next(&v->map, p)) {
		n = container_of(p, struct nat_node, by_key);
		if (n->want && rebuilt[nat_set_rows[n->elem.set].table])
			ops[cnt++] = (struct nat_op){ .kind = NAT_OP_ADD, .elem = &n->elem };
	}
	return cnt;
}

static void node_done(struct nat_view *v, struct nat_node *n)
{
	n->have = n->want;
	n->have_data = n->elem.data;
	node_sort(v, n);
}

/* fn may free the node it is given. */
static void view_walk(struct nat_view *v, void (*fn)(struct nat_view *v, struct nat_node *n))
{
	struct nd_map_node *next;

	for (struct nd_map_node *p = nd_map_first(&v->map); p; p = next) {
		next = nd_map_next(&v->map, p);
		fn(v, container_of(p, struct nat_node, by_key));
	}
}

static void queue_walk(struct nat_view *v, void (*fn)(struct nat_view *v, struct nat_node *n))
{
	struct nat_node *n, *tmp;

	nd_list_foreach_safe(n, tmp, &v->queue, queued) {
		fn(v, n);
	}
}

void nat_view_committed(struct nat_view *v)
{
	queue_walk(v, node_done);
}

static void node_reset(struct nat_view *v, struct nat_node *n)
{
	n->want = n->have;
	n->elem.data = n->have_data;
	node_sort(v, n);
}

void nat_view_reset(struct nat_view *v)
{
	queue_walk(v, node_reset);
}

void nat_view_scan_begin(struct nat_view *v)
{
	v->seen++;
	v->disturbed = 0;
}

static void view_disturbed(struct nat_view *v, const struct nat_node *n)
{
	if (v->disturbed++ == 0)
		v->first = n->elem;
}

bool nat_view_scanned(struct nat_view *v, const struct nat_elem *elem, bool adopt)
{
	struct nat_node *n = node_find(v, elem);
	bool was_settled = !n || node_settled(n);

	if (!n) {
		n = node_make(v, elem);
		if (!n)
			return false;
		n->want = adopt;
	}
	n->have = true;
	n->have_data = elem->data;
	n->seen = v->seen;
	if (was_settled && !node_settled(n))
		view_disturbed(v, n);
	node_sort(v, n);
	return true;
}

/* A node that was not seen stays wanted, so that the next commit brings it back. */
static void node_unseen(struct nat_view *v, struct nat_node *n)
{
	if (!n->have || n->seen == v->seen)
		return;
	if (node_settled(n))
		view_disturbed(v, n);
	n->have = false;
	node_sort(v, n);
}

void nat_view_scan_end(struct nat_view *v)
{
	view_walk(v, node_unseen);
}

void nat_view_sweep_begin(struct nat_view *v)
{
	v->claim++;
}

void nat_view_claim(struct nat_view *v, const struct nat_elem *elem)
{
	struct nat_node *n = node_find(v, elem);

	if (n)
		n->claim = v->claim;
}

size_t nat_view_sweep(struct nat_view *v)
{
	struct nd_map_node *next;
	size_t cnt = 0;

	for (struct nd_map_node *p = nd_map_first(&v->map); p; p = next) {
		struct nat_node *n = container_of(p, struct nat_node, by_key);

		next = nd_map_next(&v->map, p);
		if (n->claim == v->claim || !n->want)
			continue;
		cnt++;
		n->want = false;
		node_sort(v, n);
	}
	return cnt;
}

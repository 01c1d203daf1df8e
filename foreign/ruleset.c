// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the ruleset as data: its arena, its indexes, whose things are (see ruleset.h)
 *
 * One arena, because a ruleset is built once and thrown away whole. It is bounded: whoever lets millions of
 * elements stand in a table must not make netd swap.
 */
#include "base/strtab.h"
#include "foreign/private.h"

#define ARENA_MAX   (192u << 20)
#define BLOCK_BYTES (64u << 10)

struct foreign_block {
	struct foreign_block *next;
	size_t used, room;
	max_align_t bytes[];
};

void *foreign_alloc(struct foreign_ruleset *rs, size_t size)
{
	struct foreign_block *b = rs->blocks;
	char *p;

	size = (size + 15) & ~(size_t)15;
	if (!b || b->room - b->used < size) {
		size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		b = rs->used + room <= ARENA_MAX ? calloc(1, sizeof(*b) + room) : NULL;
		if (!b) {
			rs->bad = true;
			return NULL;
		}
		b->room = room;
		b->next = rs->blocks;
		rs->blocks = b;
		rs->used += room;
	}
	p = (char *)b->bytes + b->used;
	b->used += size;
	return p;
}

const char *foreign_string(struct foreign_ruleset *rs, const char *s, size_t len)
{
	char *p = foreign_alloc(rs, len + 1);

	if (p)
		memcpy(p, s, len);
	return p;
}

void foreign_ruleset_free(struct foreign_ruleset *rs)
{
	struct foreign_block *next;

	if (!rs)
		return;
	for (struct foreign_block *b = rs->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	nd_map_done(&rs->chains);
	nd_map_done(&rs->sets);
	free(rs);
}

struct named {
	const struct foreign_table *table;
	const char *name;
};

static uint32_t hash_named(const struct foreign_table *t, const char *name)
{
	return nd_hash_string(name) ^ nd_hash_bytes(&t, sizeof(t));
}

static bool equal_chain(const struct nd_map_node *node, const void *key)
{
	const struct foreign_chain *c = container_of(node, const struct foreign_chain, node);
	const struct named *k = key;

	return c->table == k->table && strcmp(c->name, k->name) == 0;
}

static bool equal_set(const struct nd_map_node *node, const void *key)
{
	const struct foreign_set *s = container_of(node, const struct foreign_set, node);
	const struct named *k = key;

	return s->table == k->table && strcmp(s->name, k->name) == 0;
}

struct foreign_ruleset *foreign_ruleset_new(void)
{
	struct foreign_ruleset *rs = calloc(1, sizeof(*rs));

	if (rs) {
		nd_map_init(&rs->chains, equal_chain);
		nd_map_init(&rs->sets, equal_set);
	}
	return rs;
}

struct foreign_table *foreign_table_find(const struct foreign_ruleset *rs, uint8_t family, const char *name,
					 bool legacy)
{
	for (struct foreign_table *t = rs->tables; t; t = t->next)
		if (t->family == family && t->legacy == legacy && strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

struct foreign_table *foreign_table_add(struct foreign_ruleset *rs, uint8_t family, const char *name,
					bool legacy)
{
	struct foreign_table *t = foreign_alloc(rs, sizeof(*t));

	if (!t)
		return NULL;
	t->family = family;
	t->legacy = legacy;
	t->name = foreign_string(rs, name, strlen(name));
	if (!t->name)
		return NULL;
	t->next = rs->tables;
	rs->tables = t;
	return t;
}

struct foreign_chain *foreign_chain_find(const struct foreign_ruleset *rs, const struct foreign_table *t,
					 const char *name)
{
	struct nd_map_node *n = nd_map_find(&rs->chains, &(struct named){ t, name }, hash_named(t, name));

	return n ? container_of(n, struct foreign_chain, node) : NULL;
}

struct foreign_chain *foreign_chain_add(struct foreign_ruleset *rs, struct foreign_table *t, const char *name)
{
	struct foreign_chain *c = foreign_chain_find(rs, t, name);

	if (c)
		return c;
	c = foreign_alloc(rs, sizeof(*c));
	if (!c)
		return NULL;
	c->table = t;
	c->policy = NF_ACCEPT;
	c->name = foreign_string(rs, name, strlen(name));
	if (!c->name || !nd_map_insert(&rs->chains, &c->node, hash_named(t, name))) {
		rs->bad = true;
		return NULL;
	}
	c->next = t->chains;
	t->chains = c;
	return c;
}

struct foreign_set *foreign_set_find(const struct foreign_ruleset *rs, const struct foreign_table *t,
				     const char *name)
{
	struct nd_map_node *n = nd_map_find(&rs->sets, &(struct named){ t, name }, hash_named(t, name));

	return n ? container_of(n, struct foreign_set, node) : NULL;
}

struct foreign_set *foreign_set_add(struct foreign_ruleset *rs, struct foreign_table *t, const char *name)
{
	struct foreign_set *s = foreign_set_find(rs, t, name);

	if (s)
		return s;
	s = foreign_alloc(rs, sizeof(*s));
	if (!s)
		return NULL;
	s->table = t;
	s->name = foreign_string(rs, name, strlen(name));
	if (!s->name || !nd_map_insert(&rs->sets, &s->node, hash_named(t, name))) {
		rs->bad = true;
		return NULL;
	}
	return s;
}

struct foreign_rule *foreign_rule_add(struct foreign_ruleset *rs, struct foreign_chain *c)
{
	struct foreign_rule *r = foreign_alloc(rs, sizeof(*r));

	if (!r)
		return NULL;
	r->chain = c;
	r->position = ++c->rule_cnt;
	if (c->last)
		c->last->next = r;
	else
		c->rules = r;
	c->last = r;
	return r;
}

/* Keys of one set have one length, which stands before the first byte of each. */
static int compare_elems(const void *pa, const void *pb)
{
	const struct foreign_elem *a = pa, *b = pb;
	int d = 0;

	if (a->catchall != b->catchall)
		return a->catchall ? 1 : -1;
	if (!a->catchall)
		d = memcmp(a->key, b->key, a->key[-1]);
	return d ? d : (int)b->interval_end - (int)a->interval_end;
}

static void sort_sets(struct foreign_ruleset *rs)
{
	for (struct nd_map_node *n = nd_map_first(&rs->sets); n; n = nd_map_next(&rs->sets, n)) {
		struct foreign_set *s = container_of(n, struct foreign_set, node);

		if (s->elem_cnt > 1)
			qsort(s->elems, s->elem_cnt, sizeof(*s->elems), compare_elems);
		for (uint32_t i = 0; i < s->elem_cnt; i++)
			if (s->elems[i].target_name)
				s->elems[i].target =
					foreign_chain_find(rs, s->table, s->elems[i].target_name);
	}
}

static void insert_base(struct foreign_ruleset *rs, struct foreign_chain *c)
{
	struct foreign_chain **at = &rs->bases;

	while (*at && (*at)->priority <= c->priority)
		at = &(*at)->next_base;
	c->next_base = *at;
	*at = c;
}

/*
 * Chains of one priority run in the order of their making, which a dump does not tell; the lists here are built at the front, so they are walked from
 * the oldest to keep what the kernel's order of tables and chains tells.
 */
static void insert_chains(struct foreign_ruleset *rs, struct foreign_chain *c)
{
	if (!c)
		return;
	insert_chains(rs, c->next);
	if (c->base)
		insert_base(rs, c);
}

static void insert_tables(struct foreign_ruleset *rs, struct foreign_table *t)
{
	if (!t)
		return;
	insert_tables(rs, t->next);
	insert_chains(rs, t->chains);
}

void foreign_sort(struct foreign_ruleset *rs)
{
	sort_sets(rs);
	insert_tables(rs, rs->tables);
}

/* ---- whose it is ---- */

static const char *const owner_names[FOREIGN_OWNER_CNT_] = {
	[FOREIGN_OWNER_OTHER] = "",
	[FOREIGN_OWNER_NETD] = "netd",
	[FOREIGN_OWNER_DOCKER] = "Docker",
	[FOREIGN_OWNER_UFW] = "ufw",
	[FOREIGN_OWNER_FIREWALLD] = "firewalld",
	[FOREIGN_OWNER_LIBVIRT] = "libvirt",
};
ND_STRTAB(foreign_owner, owner_names)

/* The beginnings of their names. */
static const struct {
	const char *table, *chain; /* NULL: any */
	enum foreign_owner owner;
} owner_rows[] = {
	{ "netd", NULL, FOREIGN_OWNER_NETD },
	{ "firewalld", NULL, FOREIGN_OWNER_FIREWALLD },
	{ "libvirt_network", NULL, FOREIGN_OWNER_LIBVIRT },
	{ "docker-", NULL, FOREIGN_OWNER_DOCKER },
	{ NULL, "DOCKER", FOREIGN_OWNER_DOCKER },
	{ NULL, "ufw-", FOREIGN_OWNER_UFW },
	{ NULL, "ufw6-", FOREIGN_OWNER_UFW },
	{ NULL, "LIBVIRT_", FOREIGN_OWNER_LIBVIRT },
};

static enum foreign_owner owner_by_name(const struct foreign_chain *c)
{
	for (size_t i = 0; i < ARRAY_LEN(owner_rows); i++) {
		const char *name = owner_rows[i].table ? c->table->name : c->name;
		const char *begin = owner_rows[i].table ? owner_rows[i].table : owner_rows[i].chain;

		if (strncmp(name, begin, strlen(begin)) == 0)
			return owner_rows[i].owner;
	}
	return FOREIGN_OWNER_OTHER;
}

enum foreign_owner foreign_chain_owner(const struct foreign_chain *c)
{
	enum foreign_owner owner = owner_by_name(c);

	if (owner != FOREIGN_OWNER_OTHER || !c->base)
		return owner;
	for (const struct foreign_rule *r = c->rules; r; r = r->next)
		for (size_t i = 0; i < r->expr_cnt; i++) {
			const struct foreign_chain *to = r->exprs[i].target;

			owner = to ? owner_by_name(to) : FOREIGN_OWNER_OTHER;
			/* libvirt's chains in a table say nothing of who set its policy */
			if (owner != FOREIGN_OWNER_OTHER && owner != FOREIGN_OWNER_LIBVIRT)
				return owner;
		}
	return FOREIGN_OWNER_OTHER;
}

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET: return "inet";
	case NFPROTO_IPV4: return "ip";
	case NFPROTO_IPV6: return "ip6";
	case NFPROTO_ARP: return "arp";
	case NFPROTO_BRIDGE: return "bridge";
	case NFPROTO_NETDEV: return "netdev";
	}
	return "?";
}

const char *foreign_table_label(const struct foreign_table *t, char *buf, size_t size)
{
	if (t->legacy)
		snprintf(buf, size, "%s-legacy table %s",
			 t->family == NFPROTO_IPV6 ? "ip6tables" : "iptables", t->name);
	else
		snprintf(buf, size, "table %s %s", family_name(t->family), t->name);
	return buf;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the indexes of networks and ports. Every key is unique; callers check before they add.
 */
#include "netd/core/model.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/plan.h"

static bool network_uuid_equal(const struct nd_map_node *node, const void *key)
{
	return nd_uuid_equal(&container_of(node, struct network, by_uuid)->uuid, key);
}
static bool network_name_equal(const struct nd_map_node *node, const void *key)
{
	return !strcmp(container_of(node, struct network, by_name)->name, key);
}
static bool network_id_equal(const struct nd_map_node *node, const void *key)
{
	return container_of(node, struct network, by_id)->id == *(const uint32_t *)key;
}
static bool network_bridge_equal(const struct nd_map_node *node, const void *key)
{
	return !strcmp(container_of(node, struct network, by_bridge)->bridge, key);
}
static bool port_uuid_equal(const struct nd_map_node *node, const void *key)
{
	return nd_uuid_equal(&container_of(node, struct port, by_uuid)->uuid, key);
}
static bool port_identity_equal(const struct nd_map_node *node, const void *key)
{
	return nd_uuid_equal(&container_of(node, struct port, by_identity)->identity, key);
}
static bool port_ifindex_equal(const struct nd_map_node *node, const void *key)
{
	return container_of(node, struct port, by_ifindex)->ifindex == *(const int *)key;
}
static bool port_mark_equal(const struct nd_map_node *node, const void *key)
{
	return container_of(node, struct port, by_mark)->mark == *(const uint32_t *)key;
}

static uint32_t uuid_hash(const struct nd_uuid *u)
{
	return nd_hash_bytes(u->b, sizeof u->b);
}

void model_init(struct model *m)
{
	*m = (struct model){ .next_id = 1, .next_mark = 1 };
	nd_map_init(&m->networks_by_uuid, network_uuid_equal);
	nd_map_init(&m->networks_by_name, network_name_equal);
	nd_map_init(&m->networks_by_id, network_id_equal);
	nd_map_init(&m->networks_by_bridge, network_bridge_equal);
	nd_map_init(&m->ports_by_uuid, port_uuid_equal);
	nd_map_init(&m->ports_by_identity, port_identity_equal);
	nd_map_init(&m->ports_by_ifindex, port_ifindex_equal);
	nd_map_init(&m->ports_by_mark, port_mark_equal);
	nd_list_init(&m->networks);
	nd_list_init(&m->plugged);
	nd_list_init(&m->pooled);
	nd_list_init(&m->broken);
	nd_list_init(&m->defining);
	nd_list_init(&m->waiting);
}

void model_done(struct model *m)
{
	struct network *n, *next;
	nd_list_foreach_safe(n, next, &m->networks, all) {
		struct port *p, *q;
		nd_list_foreach_safe(p, q, &n->ports, siblings) {
			model_port_remove(m, p);
			model_port_free(p);
		}
		model_network_remove(m, n);
		model_network_free(n);
	}
	model_broken_forget(m, NULL);
	nd_map_done(&m->networks_by_uuid);
	nd_map_done(&m->networks_by_name);
	nd_map_done(&m->networks_by_id);
	nd_map_done(&m->networks_by_bridge);
	nd_map_done(&m->ports_by_uuid);
	nd_map_done(&m->ports_by_identity);
	nd_map_done(&m->ports_by_ifindex);
	nd_map_done(&m->ports_by_mark);
}

struct network *model_network_new(const struct nd_uuid *uuid, const char *name)
{
	struct network *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->uuid = *uuid;
	n->name = strdup(name);
	nd_list_init(&n->all);
	nd_list_init(&n->plugged);
	nd_list_init(&n->dirty);
	nd_list_init(&n->ports);
	if (!n->name) {
		free(n);
		return NULL;
	}
	return n;
}

void model_network_free(struct network *n)
{
	if (!n)
		return;
	nd_list_remove(&n->dirty);
	netdef_free(n->config);
	netdef_free(n->live);
	network_plan_free(n->plan);
	elements_done(&n->published);
	free(n->degraded);
	free(n->dhcp_failed);
	free(n->foreign);
	free(n->shaping.floors);
	free(n->name);
	free(n);
}

int model_network_add(struct model *m, struct network *n)
{
	n->id = m->next_id++;
	if (!nd_map_insert(&m->networks_by_uuid, &n->by_uuid, uuid_hash(&n->uuid)))
		return ND_MEMORY;
	if (!nd_map_insert(&m->networks_by_name, &n->by_name, nd_hash_string(n->name)))
		goto no_name;
	if (!nd_map_insert(&m->networks_by_id, &n->by_id, nd_hash_u32(n->id)))
		goto no_id;
	nd_list_append(&m->networks, &n->all);
	m->network_cnt++;
	return 0;
no_id:
	nd_map_remove(&m->networks_by_name, &n->by_name);
no_name:
	nd_map_remove(&m->networks_by_uuid, &n->by_uuid);
	return ND_MEMORY;
}

void model_network_remove(struct model *m, struct network *n)
{
	model_network_set_bridge(m, n, "");
	nd_map_remove(&m->networks_by_uuid, &n->by_uuid);
	nd_map_remove(&m->networks_by_name, &n->by_name);
	nd_map_remove(&m->networks_by_id, &n->by_id);
	nd_list_remove(&n->all);
	nd_list_remove(&n->dirty);
	m->network_cnt--;
}

bool model_network_set_bridge(struct model *m, struct network *n, const char *bridge)
{
	if (nd_list_linked(&n->plugged))
		nd_list_remove(&n->plugged);
	else if (n->bridge[0])
		nd_map_remove(&m->networks_by_bridge, &n->by_bridge);
	nd_strcpy(n->bridge, sizeof n->bridge, bridge);
	if (!bridge[0] || nd_map_insert(&m->networks_by_bridge, &n->by_bridge, nd_hash_string(bridge)))
		return true;
	n->bridge[0] = '\0';
	return false;
}

void model_network_plug(struct model *m, struct network *n, const char *bridge)
{
	model_network_set_bridge(m, n, "");
	nd_strcpy(n->bridge, sizeof n->bridge, bridge);
	nd_list_append(&m->plugged, &n->plugged);
}

void model_network_pool(struct model *m, struct network *n)
{
	model_network_set_bridge(m, n, "");
	nd_list_append(&m->pooled, &n->plugged);
}

struct network *model_network_by_uuid(const struct model *m, const struct nd_uuid *uuid)
{
	struct nd_map_node *x = nd_map_find(&m->networks_by_uuid, uuid, uuid_hash(uuid));
	return x ? container_of(x, struct network, by_uuid) : NULL;
}

struct network *model_network_by_name(const struct model *m, const char *name)
{
	struct nd_map_node *x = nd_map_find(&m->networks_by_name, name, nd_hash_string(name));
	return x ? container_of(x, struct network, by_name) : NULL;
}

struct network *model_network_by_id(const struct model *m, uint32_t id)
{
	struct nd_map_node *x = nd_map_find(&m->networks_by_id, &id, nd_hash_u32(id));
	return x ? container_of(x, struct network, by_id) : NULL;
}

struct network *model_network_by_bridge(const struct model *m, const char *bridge)
{
	struct nd_map_node *x = nd_map_find(&m->networks_by_bridge, bridge, nd_hash_string(bridge));
	return x ? container_of(x, struct network, by_bridge) : NULL;
}

struct network *model_network_find(const struct model *m, const char *key)
{
	struct nd_uuid uuid;
	struct network *n = NULL;
	if (nd_uuid_from_string(key, &uuid) == 0)
		n = model_network_by_uuid(m, &uuid);
	return n ? n : model_network_by_name(m, key);
}

/* ---- files of definitions that could not be taken ---- */

struct broken {
	struct nd_list link; /* model.broken */
	char *name, *why;
};

static void broken_free(struct broken *b)
{
	nd_list_remove(&b->link);
	free(b->name);
	free(b->why);
	free(b);
}

void model_broken_put(struct model *m, const char *name, const char *why)
{
	struct broken *b = calloc(1, sizeof *b);
	if (!b)
		return;
	nd_list_append(&m->broken, &b->link);
	b->name = strdup(name);
	b->why = strdup(why);
	if (!b->name || !b->why)
		broken_free(b);
}

void model_broken_forget(struct model *m, const char *name)
{
	struct broken *b, *next;
	nd_list_foreach_safe(b, next, &m->broken, link) {
		if (!name || !strcmp(b->name, name))
			broken_free(b);
	}
}

const char *model_broken_find(const struct model *m, const char *name)
{
	const struct broken *b;
	nd_list_foreach(b, &m->broken, link) {
		if (!strcmp(b->name, name))
			return b->why;
	}
	return NULL;
}

int model_network_absent(const struct model *m, const char *key, struct nd_error *e)
{
	const char *why = model_broken_find(m, key);
	return nd_fail(e, ND_NOT_FOUND, "Network not found: no network with matching name '%.64s'%s%s", key,
		       why ? ": its definition is broken: " : "", why ? why : "");
}

/* ---- ports ---- */

struct port *model_port_new(const struct nd_uuid *uuid)
{
	struct port *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->uuid = p->identity = *uuid;
	nd_list_init(&p->siblings);
	nd_list_init(&p->dirty);
	return p;
}

void model_port_free(struct port *p)
{
	if (!p)
		return;
	nd_list_remove(&p->dirty);
	elements_done(&p->elements);
	portdef_free(p->def);
	free(p);
}

int model_port_add(struct model *m, struct network *n, struct port *p)
{
	if (!nd_map_insert(&m->ports_by_uuid, &p->by_uuid, uuid_hash(&p->uuid)))
		return ND_MEMORY;
	if (!nd_map_insert(&m->ports_by_identity, &p->by_identity, uuid_hash(&p->identity)))
		goto no_identity;
	if (p->ifindex &&
	    !nd_map_insert(&m->ports_by_ifindex, &p->by_ifindex, nd_hash_u32((uint32_t)p->ifindex)))
		goto no_ifindex;
	if (!nd_map_insert(&m->ports_by_mark, &p->by_mark, nd_hash_u32(p->mark)))
		goto no_mark;
	p->network = n;
	nd_list_append(&n->ports, &p->siblings);
	n->port_cnt++;
	m->port_cnt++;
	return 0;
no_mark:
	if (p->ifindex)
		nd_map_remove(&m->ports_by_ifindex, &p->by_ifindex);
no_ifindex:
	nd_map_remove(&m->ports_by_identity, &p->by_identity);
no_identity:
	nd_map_remove(&m->ports_by_uuid, &p->by_uuid);
	return ND_MEMORY;
}

void model_port_remove(struct model *m, struct port *p)
{
	nd_map_remove(&m->ports_by_uuid, &p->by_uuid);
	nd_map_remove(&m->ports_by_identity, &p->by_identity);
	if (p->ifindex)
		nd_map_remove(&m->ports_by_ifindex, &p->by_ifindex);
	nd_map_remove(&m->ports_by_mark, &p->by_mark);
	nd_list_remove(&p->siblings);
	nd_list_remove(&p->dirty);
	p->network->port_cnt--;
	m->port_cnt--;
}

struct port *model_port_by_uuid(const struct model *m, const struct nd_uuid *uuid)
{
	struct nd_map_node *x = nd_map_find(&m->ports_by_uuid, uuid, uuid_hash(uuid));
	return x ? container_of(x, struct port, by_uuid) : NULL;
}

bool model_port_set_device(struct model *m, struct port *p, int ifindex, const char *ifname)
{
	if (p->ifindex)
		nd_map_remove(&m->ports_by_ifindex, &p->by_ifindex);
	p->ifindex = ifindex;
	nd_strcpy(p->ifname, sizeof p->ifname, ifname);
	if (!ifindex || nd_map_insert(&m->ports_by_ifindex, &p->by_ifindex, nd_hash_u32((uint32_t)ifindex)))
		return true;
	p->ifindex = 0;
	p->ifname[0] = '\0';
	return false;
}

struct port *model_port_by_identity(const struct model *m, const struct nd_uuid *identity)
{
	struct nd_map_node *x = nd_map_find(&m->ports_by_identity, identity, uuid_hash(identity));
	return x ? container_of(x, struct port, by_identity) : NULL;
}

struct port *model_port_by_ifindex(const struct model *m, int ifindex)
{
	struct nd_map_node *x = nd_map_find(&m->ports_by_ifindex, &ifindex, nd_hash_u32((uint32_t)ifindex));
	return x ? container_of(x, struct port, by_ifindex) : NULL;
}

struct port *model_port_by_mark(const struct model *m, uint32_t mark)
{
	struct nd_map_node *x = nd_map_find(&m->ports_by_mark, &mark, nd_hash_u32(mark));
	return x ? container_of(x, struct port, by_mark) : NULL;
}

static bool port_has_name(const struct port *p, const void *key)
{
	return !strcmp(p->name, key);
}
static bool port_has_ifname(const struct port *p, const void *key)
{
	return !strcmp(p->ifname, key);
}
static bool port_has_mac(const struct port *p, const void *key)
{
	return nd_mac_equal(&p->mac, key);
}

static struct port *first_port(const struct model *m, bool (*is)(const struct port *p, const void *key),
			       const void *key)
{
	struct network *n;
	struct port *p;
	nd_list_foreach(n, &m->networks, all) {
		nd_list_foreach(p, &n->ports, siblings) {
			if (is(p, key))
				return p;
		}
	}
	return NULL;
}

struct port *model_port_find(const struct model *m, const char *key)
{
	struct nd_uuid uuid;
	struct nd_mac mac;
	struct port *p = NULL;
	if (!*key) /* ports without a name are many */
		return NULL;
	if (nd_uuid_from_string(key, &uuid) == 0)
		p = model_port_by_uuid(m, &uuid);
	if (!p)
		p = first_port(m, port_has_name, key);
	if (!p)
		p = first_port(m, port_has_ifname, key);
	if (!p && nd_mac_from_string(key, &mac) == 0)
		p = first_port(m, port_has_mac, &mac);
	return p;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: reservations
 *
 * Four hash maps over one array, so that 65,536 reservations cost the same per packet as one. The array is replaced as a whole
 * when the network changes, never edited: nodes may therefore live inside it.
 */
#include "dhcp/reserve.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "dhcp/option.h"

struct dhcp_reserve {
	struct nd_map_node by_ip, by_mac, by_client_id, by_name;
	struct dhcp_host host;
	char name_key[DHCP_HOSTNAME_MAX]; /* lower case: RFC 1035 §2.3.3 */
};

static bool ip_equal(const struct nd_map_node *n, const void *key)
{
	return container_of(n, struct dhcp_reserve, by_ip)->host.ip4 == *(const uint32_t *)key;
}

static bool mac_equal(const struct nd_map_node *n, const void *key)
{
	return nd_mac_equal(&container_of(n, struct dhcp_reserve, by_mac)->host.mac, key);
}

static bool client_id_equal(const struct nd_map_node *n, const void *key)
{
	return dhcp_identity_equal(&container_of(n, struct dhcp_reserve, by_client_id)->host.client_id, key);
}

static bool name_equal(const struct nd_map_node *n, const void *key)
{
	return strcmp(container_of(n, struct dhcp_reserve, by_name)->name_key, key) == 0;
}

static uint32_t mac_hash(const struct nd_mac *m)
{
	return nd_hash_bytes(m->b, sizeof(m->b));
}

static uint32_t client_id_hash(const struct dhcp_identity *id)
{
	return nd_hash_bytes(id->bytes, id->len);
}

void dhcp_reserve_name_key(const char *name, char key[DHCP_HOSTNAME_MAX])
{
	if (!dhcp_hostname_clean((const uint8_t *)name, strnlen(name, DHCP_HOSTNAME_MAX), key))
		nd_strcpy(key, DHCP_HOSTNAME_MAX, name);
	for (char *c = key; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 'a' - 'A');
}

void dhcp_reserves_init(struct dhcp_reserves *r)
{
	r->item = NULL;
	r->cnt = 0;
	nd_map_init(&r->by_ip, ip_equal);
	nd_map_init(&r->by_mac, mac_equal);
	nd_map_init(&r->by_client_id, client_id_equal);
	nd_map_init(&r->by_name, name_equal);
}

void dhcp_reserves_done(struct dhcp_reserves *r)
{
	nd_map_done(&r->by_ip);
	nd_map_done(&r->by_mac);
	nd_map_done(&r->by_client_id);
	nd_map_done(&r->by_name);
	free(r->item);
	dhcp_reserves_init(r);
}

/* A name beside a MAC or a client identifier is what the guest is called, not who it is. */
bool dhcp_host_by_name(const struct dhcp_host *h)
{
	return !h->has_mac && !h->client_id.len && h->name[0];
}

static bool index_add(struct nd_map *m, struct nd_map_node *node, const void *key, uint32_t hash)
{
	return nd_map_find(m, key, hash) || nd_map_insert(m, node, hash);
}

static bool reserve_index(struct dhcp_reserves *r, struct dhcp_reserve *v)
{
	const struct dhcp_host *h = &v->host;
	bool ok = index_add(&r->by_ip, &v->by_ip, &h->ip4, nd_hash_u32(h->ip4));

	if (h->has_mac)
		ok = ok && index_add(&r->by_mac, &v->by_mac, &h->mac, mac_hash(&h->mac));
	if (h->client_id.len)
		ok = ok && index_add(&r->by_client_id, &v->by_client_id, &h->client_id,
				     client_id_hash(&h->client_id));
	if (dhcp_host_by_name(h)) {
		dhcp_reserve_name_key(h->name, v->name_key);
		ok = ok && index_add(&r->by_name, &v->by_name, v->name_key, nd_hash_string(v->name_key));
	}
	return ok;
}

int dhcp_reserves_set(struct dhcp_reserves *r, const struct dhcp_host *hosts, uint32_t cnt,
		      struct nd_error *e)
{
	dhcp_reserves_done(r);
	if (cnt == 0)
		return 0;
	r->item = calloc(cnt, sizeof(*r->item));
	if (!r->item)
		return nd_fail(e, ND_MEMORY, "out of memory");
	for (uint32_t i = 0; i < cnt; i++) {
		r->item[i].host = hosts[i];
		if (!reserve_index(r, &r->item[i])) {
			dhcp_reserves_done(r);
			return nd_fail(e, ND_MEMORY, "out of memory");
		}
	}
	r->cnt = cnt;
	return 0;
}

static const struct dhcp_host *find_name(const struct dhcp_reserves *r, const char *name)
{
	char key[DHCP_HOSTNAME_MAX];
	struct nd_map_node *n;

	if (!name[0] || r->by_name.cnt == 0)
		return NULL;
	dhcp_reserve_name_key(name, key);
	n = nd_map_find(&r->by_name, key, nd_hash_string(key));
	return n ? &container_of(n, struct dhcp_reserve, by_name)->host : NULL;
}

static struct nd_map_node *find_client_id(const struct dhcp_reserves *r, const struct dhcp_identity *id)
{
	return r->by_client_id.cnt && id->len ? nd_map_find(&r->by_client_id, id, client_id_hash(id)) : NULL;
}

const struct dhcp_host *dhcp_reserves_find(const struct dhcp_reserves *r, const struct dhcp_who *who)
{
	const struct dhcp_host *named;
	struct nd_map_node *n;

	if (r->cnt == 0)
		return NULL;
	n = find_client_id(r, who->client_id);
	if (n)
		return &container_of(n, struct dhcp_reserve, by_client_id)->host;
	n = nd_map_find(&r->by_mac, &who->mac, mac_hash(&who->mac));
	if (n)
		return &container_of(n, struct dhcp_reserve, by_mac)->host;
	/* The port's name is netd's own word; the host name is only the guest's, and who made `who` decides whether it counts. */
	named = find_name(r, who->port_name);
	return named ? named : find_name(r, who->hostname);
}

void dhcp_reserves_identity(const struct dhcp_reserves *r, const struct nd_mac *mac,
			    const struct dhcp_identity *client_id, struct dhcp_identity *ret)
{
	if (client_id->len && (find_client_id(r, client_id) || !dhcp_reserves_has_mac(r, mac)))
		*ret = *client_id;
	else
		dhcp_identity_from_mac(mac, ret);
}

bool dhcp_reserves_has_mac(const struct dhcp_reserves *r, const struct nd_mac *mac)
{
	return r->cnt && nd_map_find(&r->by_mac, mac, mac_hash(mac));
}

uint32_t dhcp_reserves_ip(const struct nd_map_node *n)
{
	return container_of(n, struct dhcp_reserve, by_ip)->host.ip4;
}

const struct dhcp_host *dhcp_reserves_find_ip(const struct dhcp_reserves *r, uint32_t ip4)
{
	struct nd_map_node *n = r->cnt ? nd_map_find(&r->by_ip, &ip4, nd_hash_u32(ip4)) : NULL;

	return n ? &container_of(n, struct dhcp_reserve, by_ip)->host : NULL;
}

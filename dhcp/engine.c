// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the engine: its networks, ports and leases, and its inputs
 *
 * Each input first ends what is over (probes, offers), then is handled by its row, then the next deadline is given back. Nothing is
 * allocated per packet but a binding for a client that is new, and the copy of a DISCOVER while its address is probed.
 *
 * Invariants: an address of a network belongs to at most one binding, an identity has at most one; a binding with a proposal is not
 * given to anybody else, nor does it answer, until its outcome is told.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "dhcp/exchange.h"

static const char *const drop_names[] = {
	[DHCP_DROP_SHORT] = "short",
	[DHCP_DROP_NOT_IP] = "not-ip",
	[DHCP_DROP_IP_HEADER] = "ip-header",
	[DHCP_DROP_FRAGMENT] = "fragment",
	[DHCP_DROP_UDP] = "udp",
	[DHCP_DROP_CHECKSUM] = "checksum",
	[DHCP_DROP_BOOTP] = "bootp",
	[DHCP_DROP_COOKIE] = "cookie",
	[DHCP_DROP_OPTION] = "option",
	[DHCP_DROP_NO_TYPE] = "no-type",
	[DHCP_DROP_TYPE] = "type",
	[DHCP_DROP_CHADDR] = "chaddr",
	[DHCP_DROP_NETWORK] = "network",
	[DHCP_DROP_PORT] = "port",
	[DHCP_DROP_SERVER_ID] = "server-id",
	[DHCP_DROP_SUBNET] = "subnet",
	[DHCP_DROP_POOL_FULL] = "pool-full",
	[DHCP_DROP_PENDING] = "pending",
	[DHCP_DROP_RATE] = "rate",
};
_Static_assert(ARRAY_LEN(drop_names) == DHCP_DROP_CNT_, "a name for each reason");

const char *dhcp_drop_to_string(int d)
{
	return nd_strtab_to_string(drop_names, ARRAY_LEN(drop_names), d);
}

/* ---- indexes ---- */

static bool id_equal(const struct nd_map_node *n, const void *key)
{
	return container_of(n, struct dhcp_net, by_id)->config.id == *(const uint32_t *)key;
}

static bool uuid_equal(const struct nd_map_node *n, const void *key)
{
	return nd_uuid_equal(&container_of(n, struct dhcp_net, by_uuid)->config.uuid, key);
}

static bool ifindex_equal(const struct nd_map_node *n, const void *key)
{
	return container_of(n, struct dhcp_net, by_ifindex)->config.ifindex == *(const int *)key;
}

static bool mark_equal(const struct nd_map_node *n, const void *key)
{
	return container_of(n, struct dhcp_member, by_mark)->config.mark == *(const uint32_t *)key;
}

struct name_ref { /* a key of member_by_name */
	uint32_t network_id;
	const char *key;
};

static bool name_equal(const struct nd_map_node *n, const void *key)
{
	const struct dhcp_member *m = container_of(n, struct dhcp_member, by_name);
	const struct name_ref *ref = key;

	return m->config.network_id == ref->network_id && strcmp(m->name_key, ref->key) == 0;
}

static uint32_t name_hash(uint32_t network_id, const char *key)
{
	return nd_hash_string(key) ^ nd_hash_u32(network_id);
}

struct mac_ref { /* a key of member_by_mac */
	uint32_t network_id;
	const struct nd_mac *mac;
};

static bool mac_equal(const struct nd_map_node *n, const void *key)
{
	const struct dhcp_port *p = &container_of(n, struct dhcp_member, by_mac)->config;
	const struct mac_ref *ref = key;

	return p->network_id == ref->network_id && nd_mac_equal(&p->mac, ref->mac);
}

static uint32_t mac_hash(uint32_t network_id, const struct nd_mac *mac)
{
	return nd_hash_bytes(mac->b, sizeof(mac->b)) ^ nd_hash_u32(network_id);
}

static bool proposal_equal(const struct nd_map_node *n, const void *key)
{
	return container_of(n, struct dhcp_binding, by_proposal)->proposal == *(const uint64_t *)key;
}

static uint32_t uuid_hash(const struct nd_uuid *u)
{
	return nd_hash_bytes(u->b, sizeof(u->b));
}

static struct dhcp_net *find_id(const struct dhcp_engine *g, uint32_t id)
{
	struct nd_map_node *n = nd_map_find(&g->net_by_id, &id, nd_hash_u32(id));

	return n ? container_of(n, struct dhcp_net, by_id) : NULL;
}

static struct dhcp_net *find_uuid(const struct dhcp_engine *g, const struct nd_uuid *uuid)
{
	struct nd_map_node *n = nd_map_find(&g->net_by_uuid, uuid, uuid_hash(uuid));

	return n ? container_of(n, struct dhcp_net, by_uuid) : NULL;
}

struct dhcp_net *dhcp_engine_find_ifindex(const struct dhcp_engine *g, int ifindex)
{
	struct nd_map_node *n = nd_map_find(&g->net_by_ifindex, &ifindex, nd_hash_u32((uint32_t)ifindex));

	return n ? container_of(n, struct dhcp_net, by_ifindex) : NULL;
}

struct dhcp_member *dhcp_engine_find_member(const struct dhcp_engine *g, uint32_t mark)
{
	struct nd_map_node *n = nd_map_find(&g->member_by_mark, &mark, nd_hash_u32(mark));

	return n ? container_of(n, struct dhcp_member, by_mark) : NULL;
}

bool dhcp_engine_has_port_mac(const struct dhcp_engine *g, uint32_t network_id, const struct nd_mac *mac)
{
	struct mac_ref ref = { network_id, mac };

	return nd_map_find(&g->member_by_mac, &ref, mac_hash(network_id, mac));
}

bool dhcp_engine_has_port_name(const struct dhcp_engine *g, uint32_t network_id, const char *name)
{
	char key[DHCP_HOSTNAME_MAX];
	struct name_ref ref = { network_id, key };

	if (!name[0])
		return false;
	dhcp_reserve_name_key(name, key);
	return nd_map_find(&g->member_by_name, &ref, name_hash(network_id, key));
}

/* ---- networks ---- */

static void ifindex_drop(struct dhcp_engine *g, struct dhcp_net *net)
{
	if (net->has_ifindex)
		nd_map_remove(&g->net_by_ifindex, &net->by_ifindex);
	net->has_ifindex = false;
}

/* What net->config holds of its own. */
static void config_done(struct dhcp_network *config)
{
	free((void *)config->routes);
	free((void *)config->boots);
}

static void net_free(struct dhcp_engine *g, struct dhcp_net *net)
{
	dhcp_pool_done(&net->pool);
	config_done(&net->config);
	ifindex_drop(g, net);
	nd_map_remove(&g->net_by_id, &net->by_id);
	nd_map_remove(&g->net_by_uuid, &net->by_uuid);
	free(net);
}

/* A net that is in the maps by id and uuid, without configuration. NULL: no memory. */
static struct dhcp_net *net_new(struct dhcp_engine *g, const struct dhcp_network *n)
{
	struct dhcp_net *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->engine = g;
	net->config.id = n->id;
	net->config.uuid = n->uuid;
	dhcp_pool_init(&net->pool, dhcp_binding_forget);
	if (!nd_map_insert(&g->net_by_id, &net->by_id, nd_hash_u32(n->id))) {
		free(net);
		return NULL;
	}
	if (!nd_map_insert(&g->net_by_uuid, &net->by_uuid, uuid_hash(&n->uuid))) {
		nd_map_remove(&g->net_by_id, &net->by_id);
		free(net);
		return NULL;
	}
	return net;
}

static int network_check(const struct dhcp_engine *g, const struct dhcp_network *n, struct nd_error *e)
{
	const struct dhcp_net *same_id = find_id(g, n->id), *same_uuid = find_uuid(g, &n->uuid);

	if (n->id == 0 || nd_uuid_is_zero(&n->uuid) || n->address_ip4 == 0 || n->prefix_len == 0 ||
	    n->prefix_len > 32)
		return nd_fail(e, ND_INVALID, "DHCP network without id, uuid, address or prefix");
	if (n->dns_cnt > DHCP_DNS_MAX || strnlen(n->domain, DHCP_DOMAIN_MAX) == DHCP_DOMAIN_MAX)
		return nd_fail(e, ND_INVALID, "DHCP network with too many name servers or too long a domain");
	if (n->route_cnt > DHCP_ROUTES_MAX || n->boot_cnt > DHCP_BOOT_CNT_)
		return nd_fail(e, ND_LIMIT, "%u routes and %u boot files are too many", n->route_cnt,
			       n->boot_cnt);
	if (n->host_cnt > DHCP_HOSTS_MAX || n->range_cnt > DHCP_RANGES_MAX)
		return nd_fail(e, ND_LIMIT, "%u reservations and %u ranges are too many", n->host_cnt,
			       n->range_cnt);
	if (same_id != same_uuid)
		return nd_fail(e, ND_EXISTS, "DHCP network %u: its id or uuid is another's", n->id);
	return 0;
}

static int copy_of(const void *p, size_t len, void **ret, struct nd_error *e)
{
	*ret = NULL;
	if (len == 0)
		return 0;
	*ret = malloc(len);
	if (!*ret)
		return nd_fail(e, ND_MEMORY, "out of memory");
	memcpy(*ret, p, len);
	return 0;
}

/* A copy with routes and boot files of its own, but without what is the pool's. */
static int config_copy(const struct dhcp_network *n, struct dhcp_network *ret, struct nd_error *e)
{
	void *routes, *boots;

	if (copy_of(n->routes, n->route_cnt * sizeof(*n->routes), &routes, e) < 0)
		return ND_MEMORY;
	if (copy_of(n->boots, n->boot_cnt * sizeof(*n->boots), &boots, e) < 0) {
		free(routes);
		return ND_MEMORY;
	}
	*ret = *n;
	ret->ranges = NULL;
	ret->hosts = NULL;
	ret->routes = routes;
	ret->boots = boots;
	return 0;
}

int dhcp_engine_network_set(struct dhcp_engine *g, const struct dhcp_network *n, struct nd_error *e)
{
	struct dhcp_net *net, *was;
	int r = network_check(g, n, e);
	struct dhcp_network config;
	bool is_new;

	if (r)
		return r;
	net = find_id(g, n->id);
	is_new = !net;
	if (is_new)
		net = net_new(g, n);
	if (!net)
		return nd_fail(e, ND_MEMORY, "out of memory");
	r = config_copy(n, &config, e);
	if (r == 0) {
		r = dhcp_pool_configure(&net->pool, n, e);
		if (r)
			config_done(&config);
	}
	if (r) {
		if (is_new)
			net_free(g, net);
		return r;
	}
	ifindex_drop(g, net);
	config_done(&net->config);
	net->config = config;
	/* The kernel may have given a deleted bridge's number to a new one: the newest word counts. */
	was = dhcp_engine_find_ifindex(g, n->ifindex);
	if (was)
		ifindex_drop(g, was);
	net->has_ifindex =
		nd_map_insert(&g->net_by_ifindex, &net->by_ifindex, nd_hash_u32((uint32_t)n->ifindex));
	return net->has_ifindex ? 0 : nd_fail(e, ND_MEMORY, "out of memory");
}

void dhcp_engine_network_del(struct dhcp_engine *g, uint32_t id)
{
	struct dhcp_net *net = find_id(g, id);

	if (net)
		net_free(g, net);
}

/* ---- ports ---- */

static void member_unindex(struct dhcp_engine *g, struct dhcp_member *m)
{
	if (m->has_name)
		nd_map_remove(&g->member_by_name, &m->by_name);
	if (m->has_mac)
		nd_map_remove(&g->member_by_mac, &m->by_mac);
	m->has_name = m->has_mac = false;
}

static bool member_index(struct dhcp_engine *g, struct dhcp_member *m)
{
	const struct dhcp_port *p = &m->config;

	m->has_mac = nd_map_insert(&g->member_by_mac, &m->by_mac, mac_hash(p->network_id, &p->mac));
	if (!m->has_mac || !p->name[0])
		return m->has_mac;
	dhcp_reserve_name_key(m->config.name, m->name_key);
	m->has_name =
		nd_map_insert(&g->member_by_name, &m->by_name, name_hash(m->config.network_id, m->name_key));
	return m->has_name;
}

int dhcp_engine_port_set(struct dhcp_engine *g, const struct dhcp_port *p, struct nd_error *e)
{
	struct dhcp_member *m = dhcp_engine_find_member(g, p->mark);

	if (p->mark == 0 || p->mark == g->foreign_mark || nd_uuid_is_zero(&p->uuid) ||
	    strnlen(p->name, sizeof(p->name)) == sizeof(p->name))
		return nd_fail(e, ND_INVALID, "DHCP port without a mark of its own, a uuid or a proper name");
	if (!m) {
		m = calloc(1, sizeof(*m));
		if (!m)
			return nd_fail(e, ND_MEMORY, "out of memory");
		if (!nd_map_insert(&g->member_by_mark, &m->by_mark, nd_hash_u32(p->mark))) {
			free(m);
			return nd_fail(e, ND_MEMORY, "out of memory");
		}
	}
	member_unindex(g, m);
	m->config = *p;
	m->hostname[0] = '\0';
	dhcp_hostname_clean((const uint8_t *)p->name, strlen(p->name), m->hostname);
	if (!member_index(g, m)) {
		dhcp_engine_port_del(g, p->mark);
		return nd_fail(e, ND_MEMORY, "out of memory");
	}
	return 0;
}

void dhcp_engine_port_del(struct dhcp_engine *g, uint32_t mark)
{
	struct dhcp_member *m = dhcp_engine_find_member(g, mark);

	if (!m)
		return;
	member_unindex(g, m);
	nd_map_remove(&g->member_by_mark, &m->by_mark);
	free(m);
}

/* ---- leases ---- */

int dhcp_engine_lease_load(struct dhcp_engine *g, const struct dhcp_lease *l, uint64_t now_ms,
			   struct nd_error *e)
{
	struct dhcp_net *net;
	int r = dhcp_lease_check(l, e);

	if (r)
		return r;
	net = find_uuid(g, &l->network);
	if (net)
		dhcp_pool_load(&net->pool, l);
	return 0;
}

void dhcp_engine_lease_free(struct dhcp_engine *g, const struct nd_uuid *network, uint32_t ip4)
{
	struct dhcp_net *net = find_uuid(g, network);
	struct dhcp_binding *b = net ? dhcp_pool_find_ip(&net->pool, ip4) : NULL;

	if (b)
		dhcp_binding_freed(b);
}

/* ---- inputs ---- */

static void on_frame(const struct dhcp_turn *t, const struct dhcp_input *in)
{
	struct dhcp_exchange x;
	int drop;

	t->g->counters.received++;
	drop = dhcp_exchange_rate_pass(t, in->mark) ? dhcp_exchange_open(&x, t, in) : DHCP_DROP_RATE;
	if (drop == DHCP_KEEP)
		drop = dhcp_serve(&x);
	if (drop != DHCP_KEEP)
		t->g->counters.drop[drop]++;
}

/* RFC 5227 §2.1.1: a conflict is any ARP message from the address, or another host's probe for it, while ours is under way. */
static void on_arp(const struct dhcp_turn *t, const struct dhcp_input *in)
{
	struct dhcp_net *net = dhcp_engine_find_ifindex(t->g, in->ifindex);
	struct dhcp_binding *b;
	struct dhcp_arp arp;

	if (!net || dhcp_arp_parse(in->frame, in->len, &arp) != DHCP_KEEP)
		return;
	if (arp.sender_ip4 == 0 && arp.is_reply)
		return;
	b = dhcp_pool_find_ip(&net->pool, arp.sender_ip4 ? arp.sender_ip4 : arp.target_ip4);
	if (!b || b->state != DHCP_BINDING_PROBING || nd_mac_equal(&arp.sender, &b->lease.mac) ||
	    nd_mac_equal(&arp.sender, &net->config.server_mac))
		return;
	dhcp_serve_conflict(t, b, &arp.sender);
}

/* What is due is done before each input. */
static void on_tick(const struct dhcp_turn *t, const struct dhcp_input *in)
{
}

static void on_stored(const struct dhcp_turn *t, const struct dhcp_input *in)
{
	dhcp_binding_stored(t->g, in->id);
}

static void on_refused(const struct dhcp_turn *t, const struct dhcp_input *in)
{
	dhcp_binding_refused(t->g, in->id);
}

static void (*const input_rows[])(const struct dhcp_turn *t, const struct dhcp_input *in) = {
	[DHCP_INPUT_FRAME] = on_frame,   [DHCP_INPUT_ARP] = on_arp,         [DHCP_INPUT_TICK] = on_tick,
	[DHCP_INPUT_STORED] = on_stored, [DHCP_INPUT_REFUSED] = on_refused,
};

/* The list's first binding, NULL: none. */
static struct dhcp_binding *first_of(const struct nd_list *list)
{
	return nd_list_empty(list) ? NULL : container_of(list->next, struct dhcp_binding, timer);
}

static void run_due(const struct dhcp_turn *t)
{
	struct dhcp_binding *b;

	while ((b = first_of(&t->g->probes)) && b->deadline_ms <= t->now_ms)
		dhcp_serve_probed(t, b);
	while ((b = first_of(&t->g->offers)) && b->deadline_ms <= t->now_ms)
		dhcp_binding_withdraw(b);
}

static uint64_t next_deadline(const struct dhcp_engine *g)
{
	const struct dhcp_binding *probe = first_of(&g->probes), *offer = first_of(&g->offers);
	uint64_t next = probe ? probe->deadline_ms : UINT64_MAX;

	return offer && offer->deadline_ms < next ? offer->deadline_ms : next;
}

uint64_t dhcp_engine_input(struct dhcp_engine *g, const struct dhcp_input *in, uint64_t now_ms,
			   const struct dhcp_output *out)
{
	int64_t wall_s = (int64_t)(now_ms / 1000) + g->wall_offset_s;
	struct dhcp_turn t = {
		.g = g, .out = out, .now_ms = now_ms, .now_s = wall_s > 0 ? (uint64_t)wall_s : 0
	};

	run_due(&t);
	input_rows[in->kind](&t, in);
	return next_deadline(g);
}

const struct dhcp_counters *dhcp_engine_counters(const struct dhcp_engine *g)
{
	return &g->counters;
}

/* ---- life cycle ---- */

struct dhcp_engine *dhcp_engine_new(uint32_t foreign_mark, int64_t wall_offset_s, uint64_t seed)
{
	struct dhcp_engine *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->foreign_mark = foreign_mark;
	g->wall_offset_s = wall_offset_s;
	g->random = seed;
	nd_map_init(&g->net_by_id, id_equal);
	nd_map_init(&g->net_by_uuid, uuid_equal);
	nd_map_init(&g->net_by_ifindex, ifindex_equal);
	nd_map_init(&g->member_by_mark, mark_equal);
	nd_map_init(&g->member_by_name, name_equal);
	nd_map_init(&g->member_by_mac, mac_equal);
	nd_map_init(&g->proposals, proposal_equal);
	nd_list_init(&g->offers);
	nd_list_init(&g->probes);
	return g;
}

void dhcp_engine_free(struct dhcp_engine *g)
{
	struct nd_map_node *n;

	if (!g)
		return;
	while ((n = nd_map_first(&g->net_by_id)))
		net_free(g, container_of(n, struct dhcp_net, by_id));
	while ((n = nd_map_first(&g->member_by_mark)))
		dhcp_engine_port_del(g, container_of(n, struct dhcp_member, by_mark)->config.mark);
	nd_map_done(&g->net_by_id);
	nd_map_done(&g->net_by_uuid);
	nd_map_done(&g->net_by_ifindex);
	nd_map_done(&g->member_by_mark);
	nd_map_done(&g->member_by_name);
	nd_map_done(&g->member_by_mac);
	nd_map_done(&g->proposals);
	free(g);
}

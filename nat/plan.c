/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: configurations into elements, wanted against had into operations
 *
 * Each kind of configuration has a function that gathers its elements. The view holds
 * every element that the kernel has or that is wanted. Each one whose two sides differ is on the queue, so a
 * commit touches only those, and a change that is undone before it was sent costs nothing.
 *
 * Invariant: a node is in the map while have or want is true, on the queue while it is not settled (see
 * node_settled). All lookups are O(1).
 */
#include "nat/plan.h"
#include "base/mem.h"
#include <arpa/inet.h>

/* The elements of one configuration as they are gathered. */
struct gather {
	struct nat_elem *elems;
	size_t cnt;
	size_t used; /* bytes of the last one's key */
};

static void begin(struct gather *g, enum nat_set set)
{
	memset(&g->elems[g->cnt], 0, sizeof(g->elems[0]));
	g->elems[g->cnt].set = (uint8_t)set;
	g->elems[g->cnt].key_len = nat_set_key_len(set);
	g->cnt++;
	g->used = 0;
}

/* The next field of the key. */
static void field(struct gather *g, const void *p, size_t len)
{
	struct nat_elem *elem = &g->elems[g->cnt - 1];

	memcpy(elem->key + g->used, p, len);
	g->used += (len + 3) & ~(size_t)3;
}

static void name_field(struct gather *g, const char *name)
{
	char text[ND_IFNAMSIZ] = "";

	memcpy(text, name, strnlen(name, sizeof(text) - 1));
	field(g, text, sizeof(text));
}

static void number_field(struct gather *g, uint32_t v)
{
	field(g, &v, sizeof(v));
}

static void port_field(struct gather *g, uint16_t port)
{
	uint16_t v = htons(port);

	field(g, &v, sizeof(v));
}

static size_t ip_len(const struct nd_ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

static void ip_field(struct gather *g, const struct nd_ip *ip)
{
	field(g, ip->b, ip_len(ip));
}

static void number_data(struct gather *g, uint32_t v)
{
	memcpy(g->elems[g->cnt - 1].data, &v, sizeof(v));
}

/* Bytes of an address, or a port in 4, behind each other. */
static size_t data_put(struct gather *g, size_t at, const void *p, size_t len)
{
	memcpy(g->elems[g->cnt - 1].data + at, p, len);
	return at + ((len + 3) & ~(size_t)3);
}

static size_t port_put(struct gather *g, size_t at, uint16_t port)
{
	uint16_t v = htons(port);

	return data_put(g, at, &v, sizeof(v));
}

static void by_name(struct gather *g, enum nat_set set, const char *name)
{
	begin(g, set);
	name_field(g, name);
}

static void by_names(struct gather *g, enum nat_set set, const char *first, const char *second)
{
	by_name(g, set, first);
	name_field(g, second);
}

static void by_mark(struct gather *g, enum nat_set set, uint32_t mark)
{
	begin(g, set);
	number_field(g, mark);
}

/* ---- networks ---- */

static void port_elem(struct gather *g, enum nat_set set, const char *name, uint16_t port)
{
	by_name(g, set, name);
	port_put(g, 0, port);
}

static void source_elems(struct gather *g, const struct nat_network *n, const struct nat_source *s)
{
	bool v4 = s->first.family == AF_INET;

	if (!s->first.family)
		return;
	by_name(g, v4 ? NAT_SET_SOURCE4 : NAT_SET_SOURCE6, n->bridge);
	data_put(g, data_put(g, 0, s->first.b, ip_len(&s->first)), s->last.b, ip_len(&s->first));
}

/* Of both families: a definition has one range of ports. */
static void source_port_elems(struct gather *g, const struct nat_network *n)
{
	const struct nat_source *s = n->forward4 == NAT_FORWARD_NAT ? &n->source4 : &n->source6;

	if (!s->port_first)
		return;
	port_elem(g, NAT_SET_SOURCE_PORT_FIRST, n->bridge, s->port_first);
	port_elem(g, NAT_SET_SOURCE_PORT_LAST, n->bridge, s->port_last);
}

static void forward_elem(struct gather *g, const struct nat_network *n, enum nat_forward forward,
			 enum nat_set nat, enum nat_set route)
{
	if (forward == NAT_FORWARD_NAT)
		by_name(g, nat, n->bridge);
	else if (forward == NAT_FORWARD_ROUTE)
		by_name(g, route, n->bridge);
}

static void network_elems(const struct nat_config *cfg, struct gather *g)
{
	const struct nat_network *n = &cfg->network;

	by_names(g, NAT_SET_SAME_BRIDGE, n->bridge, n->bridge);
	if (n->forward4 != NAT_FORWARD_OPEN && n->forward6 != NAT_FORWARD_OPEN)
		by_name(g, NAT_SET_BRIDGES, n->bridge);
	forward_elem(g, n, n->forward4, NAT_SET_NAT4, NAT_SET_ROUTE4);
	forward_elem(g, n, n->forward6, NAT_SET_NAT6, NAT_SET_ROUTE6);
	if (n->forward4 == NAT_FORWARD_NAT)
		source_elems(g, n, &n->source4);
	if (n->forward6 == NAT_FORWARD_NAT)
		source_elems(g, n, &n->source6);
	if (n->forward4 == NAT_FORWARD_NAT || n->forward6 == NAT_FORWARD_NAT)
		source_port_elems(g, n);
	if (n->uplinked)
		by_name(g, NAT_SET_UPLINKED, n->bridge);
	if (n->isolated)
		by_name(g, NAT_SET_ISOLATED, n->bridge);
	if (n->clamp_mss)
		by_name(g, NAT_SET_CLAMP_MSS, n->bridge);
	if (n->dhcp)
		by_name(g, NAT_SET_DHCP, n->bridge);
	if (n->host != NAT_HOST_ALL)
		by_name(g, NAT_SET_HOST_LIMITED, n->bridge);
	if (n->host == NAT_HOST_NONE)
		by_name(g, NAT_SET_HOST_NONE, n->bridge);
}

static void uplink_elems(const struct nat_config *cfg, struct gather *g)
{
	by_names(g, NAT_SET_UPLINKS, cfg->uplink.bridge, cfg->uplink.uplink);
}

static void peer_elems(const struct nat_config *cfg, struct gather *g)
{
	by_names(g, NAT_SET_PEERS, cfg->peer.from, cfg->peer.to);
}

/* ---- ports ---- */

/* The link-local address that the kernel gives a bridge: RFC 4291, appendix A. */
static void gateway_elem(struct gather *g, const struct nat_port *p)
{
	const uint8_t *m = p->gateway_mac.b;
	const uint8_t ip[16] = { 0xfe,     0x80, 0,    0,    0,    0,    0,    0,
				 m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5] };

	if (nd_mac_is_zero(&p->gateway_mac))
		return;
	by_name(g, NAT_SET_GATEWAY6, p->name);
	field(g, ip, sizeof(ip));
}

static void rate_elems(struct gather *g, const struct nat_port *p, uint32_t rate, enum nat_set over,
		       enum nat_set drop)
{
	if (!rate)
		return;
	by_name(g, over, p->name);
	number_data(g, rate);
	by_name(g, drop, p->name);
}

static void policy_elems(struct gather *g, const struct nat_port *p)
{
	if (p->egress == NAT_EGRESS_ANY && !p->connection_max)
		return;
	by_name(g, NAT_SET_PORT_POLICY, p->name);
	number_data(g, p->mark);
	if (p->connection_max) {
		by_mark(g, NAT_SET_CONNECTION_MAX, p->mark);
		number_data(g, p->connection_max);
		by_mark(g, NAT_SET_CONNECTION_DROP, p->mark);
	}
	if (p->egress == NAT_EGRESS_ANY)
		return;
	by_mark(g, NAT_SET_EGRESS_DROP, p->mark);
	by_name(g, NAT_SET_BRIDGED_DROP, p->name);
	if (p->egress == NAT_EGRESS_INTERNET)
		by_mark(g, NAT_SET_EGRESS_INTERNET, p->mark);
	else if (p->egress == NAT_EGRESS_LIST)
		by_mark(g, NAT_SET_EGRESS_LIST, p->mark);
}

static void port_elems(const struct nat_config *cfg, struct gather *g)
{
	const struct nat_port *p = &cfg->port;

	by_name(g, NAT_SET_PORT_MARK, p->name);
	number_data(g, p->mark);
	if (p->mac_guard) {
		by_name(g, NAT_SET_PORT_MAC, p->name);
		field(g, p->mac.b, sizeof(p->mac.b));
		by_name(g, NAT_SET_GUARDED, p->name);
	}
	if (p->ip4_guard) {
		by_name(g, NAT_SET_IP4_GUARDED, p->name);
		by_name(g, NAT_SET_ARP_GUARDED, p->name);
	}
	if (p->ip6_guard) {
		by_name(g, NAT_SET_IP6_GUARDED, p->name);
		gateway_elem(g, p);
	}
	if (p->dhcp_guard)
		by_name(g, NAT_SET_DHCP_GUARDED, p->name);
	if (p->ra_guard)
		by_name(g, NAT_SET_ROUTER_GUARDED, p->name);
	rate_elems(g, p, p->broadcast_pps, NAT_SET_BROADCAST_RATE, NAT_SET_BROADCAST_DROP);
	rate_elems(g, p, p->multicast_pps, NAT_SET_MULTICAST_RATE, NAT_SET_MULTICAST_DROP);
	policy_elems(g, p);
}

/* First and last address of a prefix. */
static void prefix_range(const struct nd_prefix *prefix, struct nd_ip *first, struct nd_ip *last)
{
	size_t len = ip_len(&prefix->ip);

	*first = *last = nd_prefix_network(prefix).ip;
	for (size_t i = 0; i < len; i++) {
		int bits = (int)prefix->len - (int)(8 * i);

		last->b[i] |= (uint8_t)(bits >= 8 ? 0 : bits <= 0 ? 0xff : 0xff >> bits);
	}
}

static void address_elems(const struct nat_config *cfg, struct gather *g)
{
	const struct nat_address *a = &cfg->address;
	bool v4 = a->prefix.ip.family == AF_INET;
	struct nd_ip first, last;

	if (a->prefix.len == (v4 ? 32 : 128)) {
		by_name(g, v4 ? NAT_SET_PORT_IP4 : NAT_SET_PORT_IP6, a->port);
		ip_field(g, &a->prefix.ip);
		return;
	}
	prefix_range(&a->prefix, &first, &last);
	by_name(g, v4 ? NAT_SET_PORT_NET4 : NAT_SET_PORT_NET6, a->port);
	ip_field(g, &first);
	name_field(g, a->port);
	ip_field(g, &last);
}

static void gateway_elems(const struct nat_config *cfg, struct gather *g)
{
	by_name(g, NAT_SET_GATEWAY6, cfg->address.port);
	ip_field(g, &cfg->address.prefix.ip);
}

static void allow_half(struct gather *g, uint32_t mark, const struct nd_ip *ip, uint8_t protocol,
		       uint16_t port)
{
	number_field(g, mark);
	ip_field(g, ip);
	field(g, &protocol, sizeof(protocol));
	port_field(g, port);
}

static void egress_rule_elems(const struct nat_config *cfg, struct gather *g)
{
	const struct nat_egress_rule *r = &cfg->egress_rule;
	struct nd_ip first, last;

	prefix_range(&r->prefix, &first, &last);
	begin(g, first.family == AF_INET ? NAT_SET_EGRESS_ALLOW4 : NAT_SET_EGRESS_ALLOW6);
	allow_half(g, r->mark, &first, r->protocol, r->port_first);
	allow_half(g, r->mark, &last, r->protocol ? r->protocol : UINT8_MAX,
		   r->port_first ? r->port_last : UINT16_MAX);
}

/* ---- published ports ---- */

static void publish_elems(const struct nat_config *cfg, struct gather *g)
{
	const struct nat_publish *p = &cfg->publish;
	bool v4 = p->guest.family == AF_INET;

	if (p->host.family)
		begin(g, v4 ? NAT_SET_PUBLISH4 : NAT_SET_PUBLISH6);
	else
		begin(g, v4 ? NAT_SET_PUBLISH4_ANY : NAT_SET_PUBLISH6_ANY);
	field(g, &p->protocol, sizeof(p->protocol));
	if (p->host.family)
		ip_field(g, &p->host);
	port_field(g, p->port);
	port_put(g, data_put(g, 0, p->guest.b, ip_len(&p->guest)), p->guest_port);
}

static void (*const kind_rows[])(const struct nat_config *cfg, struct gather *g) = {
	[NAT_NETWORK] = network_elems, [NAT_UPLINK] = uplink_elems,   [NAT_PEER] = peer_elems,
	[NAT_PORT] = port_elems,       [NAT_ADDRESS] = address_elems, [NAT_EGRESS_RULE] = egress_rule_elems,
	[NAT_PUBLISH] = publish_elems, [NAT_GATEWAY] = gateway_elems,
};

size_t nat_plan_elems(const struct nat_config *cfg, struct nat_elem ret[NAT_CONFIG_ELEMS])
{
	struct gather g = { .elems = ret };

	kind_rows[cfg->kind](cfg, &g);
	return g.cnt;
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

static bool data_equal(const uint8_t a[NAT_DATA_MAX], const uint8_t b[NAT_DATA_MAX])
{
	return memcmp(a, b, NAT_DATA_MAX) == 0;
}

static bool node_settled(const struct nat_node *n)
{
	return n->have == n->want && (!n->have || data_equal(n->have_data, n->elem.data));
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

	return n && n->have && data_equal(n->have_data, elem->data);
}

bool nat_view_want(struct nat_view *v, const struct nat_elem *elem)
{
	struct nat_node *n = node_find(v, elem);

	if (!n)
		n = node_make(v, elem);
	if (!n)
		return false;
	memcpy(n->elem.data, elem->data, NAT_DATA_MAX);
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
	memcpy(n->have_data, n->elem.data, NAT_DATA_MAX);
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
	memcpy(n->elem.data, n->have_data, NAT_DATA_MAX);
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
	memcpy(n->have_data, elem->data, NAT_DATA_MAX);
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

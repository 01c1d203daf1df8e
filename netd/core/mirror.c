// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what the kernel holds, indexed.
 *
 * Links by ifindex and by name; each link's addresses hang off it. IPv4 subnets in use (addresses as /32, the subnets they imply, and routes) stand in one
 * array sorted by (first address, length), so that an overlap search is a few binary searches whatever the number of networks. Entries
 * whose link waits to be deleted (ND_GROUP_DEAD, ND_GROUP_REAPED) do not count.
 */
#include "netd/core/mirror.h"
#include "base/map.h"
#include "base/mem.h"
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

struct entry {
	struct nd_map_node by_index, by_name;
	struct nd_link link;
	struct nd_address *addresses;
	uint32_t address_cnt;
};

enum net_kind { NET_ADDRESS, NET_SUBNET, NET_CONNECTED, NET_ROUTE };
struct net {
	uint32_t first;
	uint8_t len;
	uint8_t kind;
	uint16_t tag; /* route: of table and metric, which tell routes to one place apart; else 0 */
	int ifindex;
};

struct mirror {
	struct nd_map by_index, by_name;
	struct net *nets; /* sorted by first, then len */
	size_t net_cnt, net_size;
};

static bool index_equal(const struct nd_map_node *node, const void *key)
{
	return container_of(node, struct entry, by_index)->link.ifindex == *(const int *)key;
}
static bool name_equal(const struct nd_map_node *node, const void *key)
{
	return !strcmp(container_of(node, struct entry, by_name)->link.name, key);
}

struct mirror *mirror_new(void)
{
	struct mirror *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	nd_map_init(&m->by_index, index_equal);
	nd_map_init(&m->by_name, name_equal);
	return m;
}

static void mirror_clear(struct mirror *m)
{
	for (struct nd_map_node *x = nd_map_first(&m->by_index), *next; x; x = next) {
		next = nd_map_next(&m->by_index, x);
		struct entry *entry = container_of(x, struct entry, by_index);
		nd_map_remove(&m->by_name, &entry->by_name);
		nd_map_remove(&m->by_index, x);
		free(entry->addresses);
		free(entry);
	}
	m->net_cnt = 0;
}

void mirror_free(struct mirror *m)
{
	if (!m)
		return;
	mirror_clear(m);
	nd_map_done(&m->by_index);
	nd_map_done(&m->by_name);
	free(m->nets);
	free(m);
}

static struct entry *find(const struct mirror *m, int ifindex)
{
	struct nd_map_node *x = nd_map_find(&m->by_index, &ifindex, nd_hash_u32((uint32_t)ifindex));
	return x ? container_of(x, struct entry, by_index) : NULL;
}

/* ---- subnets in use ---- */

static int net_compare(const struct net *a, uint32_t first, uint8_t len)
{
	if (a->first != first)
		return a->first < first ? -1 : 1;
	return (int)a->len - (int)len;
}

/* The first entry that is not before (first, len). */
static size_t net_lower(const struct mirror *m, uint32_t first, uint8_t len)
{
	size_t lo = 0, hi = m->net_cnt;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (net_compare(&m->nets[mid], first, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Where exactly this entry stands, or net_cnt. */
static size_t net_find(const struct mirror *m, const struct net *want)
{
	for (size_t i = net_lower(m, want->first, want->len);
	     i < m->net_cnt && net_compare(&m->nets[i], want->first, want->len) == 0; i++) {
		const struct net *net = &m->nets[i];
		if (net->kind == want->kind && net->ifindex == want->ifindex && net->tag == want->tag)
			return i;
	}
	return m->net_cnt;
}

static int net_add(struct mirror *m, struct net net)
{
	if (net_find(m, &net) < m->net_cnt)
		return 0;
	if (m->net_cnt == m->net_size) {
		size_t size = m->net_size ? m->net_size * 2 : 64;
		struct net *p = realloc(m->nets, size * sizeof *p);
		if (!p)
			return ND_MEMORY;
		m->nets = p;
		m->net_size = size;
	}
	size_t at = net_lower(m, net.first, net.len);
	memmove(&m->nets[at + 1], &m->nets[at], (m->net_cnt - at) * sizeof *m->nets);
	m->nets[at] = net;
	m->net_cnt++;
	return 0;
}

static void net_del(struct mirror *m, struct net net)
{
	size_t at = net_find(m, &net);
	if (at == m->net_cnt)
		return;
	m->net_cnt--;
	memmove(&m->nets[at], &m->nets[at + 1], (m->net_cnt - at) * sizeof *m->nets);
}

/* The kernel removes the routes of a link that goes down or away without a message each. */
static void net_del_link(struct mirror *m, int ifindex, bool addresses)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->net_cnt; i++) {
		const struct net *net = &m->nets[i];
		bool route = net->kind == NET_CONNECTED || net->kind == NET_ROUTE;
		if (net->ifindex != ifindex || !(route || addresses))
			m->nets[kept++] = *net;
	}
	m->net_cnt = kept;
}

/* The route that the new one replaces, wherever it led. */
static void net_del_replaced(struct mirror *m, const struct net *new)
{
	for (size_t i = net_lower(m, new->first, new->len);
	     i < m->net_cnt && net_compare(&m->nets[i], new->first, new->len) == 0; i++) {
		struct net net = m->nets[i];
		if ((net.kind == NET_CONNECTED || net.kind == NET_ROUTE) && net.tag == new->tag) {
			net_del(m, net);
			return;
		}
	}
}

static struct net net_of(uint32_t ip4, uint8_t len, enum net_kind kind, int ifindex)
{
	return (struct net){ .first = ip4 & nd_ip4_mask(len), .len = len, .kind = kind, .ifindex = ifindex };
}

/* ---- records ---- */

static int put_link(struct mirror *m, const struct nd_link *link, struct mirror_change *ret)
{
	struct entry *entry = find(m, link->ifindex);
	ret->link = *link;
	if (entry) {
		ret->had = true;
		ret->was = entry->link;
		if ((ret->was.flags & IFF_UP) && !(link->flags & IFF_UP))
			net_del_link(m, link->ifindex, false);
		bool renamed = strcmp(entry->link.name, link->name) != 0;
		if (renamed)
			nd_map_remove(&m->by_name, &entry->by_name);
		entry->link = *link;
		if (renamed && !nd_map_insert(&m->by_name, &entry->by_name, nd_hash_string(link->name)))
			return ND_MEMORY;
		return 0;
	}
	entry = calloc(1, sizeof *entry);
	if (!entry)
		return ND_MEMORY;
	entry->link = *link;
	if (!nd_map_insert(&m->by_index, &entry->by_index, nd_hash_u32((uint32_t)link->ifindex))) {
		free(entry);
		return ND_MEMORY;
	}
	if (!nd_map_insert(&m->by_name, &entry->by_name, nd_hash_string(link->name))) {
		nd_map_remove(&m->by_index, &entry->by_index);
		free(entry);
		return ND_MEMORY;
	}
	return 0;
}

static void drop_link(struct mirror *m, int ifindex, struct mirror_change *ret)
{
	struct entry *entry = find(m, ifindex);
	if (!entry)
		return;
	ret->had = true;
	ret->was = entry->link;
	ret->link = entry->link;
	net_del_link(m, ifindex, true);
	nd_map_remove(&m->by_name, &entry->by_name);
	nd_map_remove(&m->by_index, &entry->by_index);
	free(entry->addresses);
	free(entry);
}

/* The address itself, and the subnet it implies. */
static int address_nets(struct mirror *m, const struct nd_address *a)
{
	if (a->prefix.ip.family != AF_INET)
		return 0;
	uint32_t ip4 = nd_ip_to_ip4(&a->prefix.ip);
	int r = net_add(m, net_of(ip4, 32, NET_ADDRESS, a->ifindex));
	return r < 0 || a->prefix.len == 32 ? r
					    : net_add(m, net_of(ip4, a->prefix.len, NET_SUBNET, a->ifindex));
}

static int put_address(struct mirror *m, const struct nd_address *a)
{
	struct entry *entry = find(m, a->ifindex);
	if (!entry)
		return 0; /* its link's event comes first; a link that is gone already has no addresses */
	for (uint32_t i = 0; i < entry->address_cnt; i++) {
		if (nd_prefix_equal(&entry->addresses[i].prefix, &a->prefix)) {
			entry->addresses[i] = *a;
			return 0;
		}
	}
	struct nd_address *p = realloc(entry->addresses, (entry->address_cnt + 1) * sizeof *p);
	if (!p)
		return ND_MEMORY;
	entry->addresses = p;
	p[entry->address_cnt++] = *a;
	return address_nets(m, a);
}

static void drop_address(struct mirror *m, const struct nd_address *a)
{
	struct entry *entry = find(m, a->ifindex);
	for (uint32_t i = 0; entry && i < entry->address_cnt; i++) {
		if (!nd_prefix_equal(&entry->addresses[i].prefix, &a->prefix))
			continue;
		entry->addresses[i] = entry->addresses[--entry->address_cnt];
		if (a->prefix.ip.family == AF_INET) {
			uint32_t ip4 = nd_ip_to_ip4(&a->prefix.ip);
			net_del(m, net_of(ip4, 32, NET_ADDRESS, a->ifindex));
			net_del(m, net_of(ip4, a->prefix.len, NET_SUBNET, a->ifindex));
		}
		/* Others may be of the same subnet; there is room, since two went. */
		for (i = 0; i < entry->address_cnt; i++)
			address_nets(m, &entry->addresses[i]);
		return;
	}
}

/* Default routes never collide, nor do the two halves into which VPNs split one; table local repeats the addresses; broadcast, multicast and such are no places. */
static bool route_counts(const struct nd_route *r)
{
	return r->dst.ip.family == AF_INET && r->dst.len > 1 && r->table != RT_TABLE_LOCAL &&
	       r->type != RTN_BROADCAST && r->type != RTN_MULTICAST && r->type != RTN_LOCAL;
}

static struct net net_of_route(const struct nd_route *r)
{
	bool connected = r->gateway.family == 0 && r->scope == RT_SCOPE_LINK;
	struct net net =
		net_of(nd_ip_to_ip4(&r->dst.ip), r->dst.len, connected ? NET_CONNECTED : NET_ROUTE, r->oif);
	net.tag = (uint16_t)nd_hash_u32(r->table ^ nd_hash_u32(r->metric));
	return net;
}

static int load_link(const struct nd_link *l, void *arg)
{
	struct mirror_change change;
	return put_link(arg, l, &change);
}
static int load_address(const struct nd_address *a, void *arg)
{
	return put_address(arg, a);
}
static int load_route(const struct nd_route *r, void *arg)
{
	return route_counts(r) ? net_add(arg, net_of_route(r)) : 0;
}

int mirror_load(struct mirror *m, struct nd_nl *nl, struct nd_error *e)
{
	mirror_clear(m);
	if (nd_link_dump(nl, load_link, m, e) < 0)
		return nd_wrap(e, "list links");
	if (nd_address_dump(nl, load_address, m, e) < 0)
		return nd_wrap(e, "list addresses");
	if (nd_route_dump(nl, load_route, m, e) < 0)
		return nd_wrap(e, "list routes");
	return 0;
}

static int update_link(struct mirror *m, const struct nlmsghdr *msg, struct mirror_change *ret,
		       struct nd_error *e)
{
	struct nd_link link;
	int r = nd_link_parse(msg, &link, e);
	if (r < 0)
		return r == ND_UNSUPPORTED ? 0 : r;
	ret->what = MIRROR_LINK;
	ret->ifindex = link.ifindex;
	ret->gone = msg->nlmsg_type == RTM_DELLINK;
	if (ret->gone)
		drop_link(m, link.ifindex, ret);
	else if (put_link(m, &link, ret) < 0)
		return nd_fail(e, ND_MEMORY, "link '%s'", link.name);
	return 0;
}

static int update_address(struct mirror *m, const struct nlmsghdr *msg, struct mirror_change *ret,
			  struct nd_error *e)
{
	struct nd_address address;
	int r = nd_address_parse(msg, &address, e);
	if (r < 0)
		return r == ND_UNSUPPORTED ? 0 : r;
	ret->what = MIRROR_ADDRESS;
	ret->ifindex = address.ifindex;
	ret->gone = msg->nlmsg_type == RTM_DELADDR;
	if (ret->gone)
		drop_address(m, &address);
	else if (put_address(m, &address) < 0)
		return nd_fail(e, ND_MEMORY, "address of link %d", address.ifindex);
	return 0;
}

static int update_route(struct mirror *m, const struct nlmsghdr *msg, struct mirror_change *ret,
			struct nd_error *e)
{
	struct nd_route route;
	int r = nd_route_parse(msg, &route, e);
	if (r < 0)
		return r == ND_UNSUPPORTED ? 0 : r;
	if (!route_counts(&route))
		return 0;
	ret->what = MIRROR_ROUTE;
	ret->ifindex = route.oif;
	ret->gone = msg->nlmsg_type == RTM_DELROUTE;
	struct net net = net_of_route(&route);
	if (ret->gone)
		net_del(m, net);
	else if (msg->nlmsg_flags & NLM_F_REPLACE)
		net_del_replaced(m, &net);
	if (!ret->gone && net_add(m, net) < 0)
		return nd_fail(e, ND_MEMORY, "a route");
	return 0;
}

int mirror_update(struct mirror *m, const struct nlmsghdr *msg, struct mirror_change *ret, struct nd_error *e)
{
	*ret = (struct mirror_change){ .what = MIRROR_NONE };
	switch (msg->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK: return update_link(m, msg, ret, e);
	case RTM_NEWADDR:
	case RTM_DELADDR: return update_address(m, msg, ret, e);
	case RTM_NEWROUTE:
	case RTM_DELROUTE: return update_route(m, msg, ret, e);
	default: return 0;
	}
}

const struct nd_link *mirror_link(const struct mirror *m, int ifindex)
{
	const struct entry *entry = find(m, ifindex);
	return entry ? &entry->link : NULL;
}

const struct nd_link *mirror_link_by_name(const struct mirror *m, const char *name)
{
	struct nd_map_node *x = nd_map_find(&m->by_name, name, nd_hash_string(name));
	return x ? &container_of(x, struct entry, by_name)->link : NULL;
}

void mirror_each_link(const struct mirror *m, void (*fn)(const struct nd_link *l, void *arg), void *arg)
{
	for (struct nd_map_node *x = nd_map_first(&m->by_index); x; x = nd_map_next(&m->by_index, x))
		fn(&container_of(x, struct entry, by_index)->link, arg);
}

size_t mirror_addresses(const struct mirror *m, int ifindex, const struct nd_address **ret)
{
	const struct entry *entry = find(m, ifindex);
	*ret = entry ? entry->addresses : NULL;
	return entry ? entry->address_cnt : 0;
}

/* ---- collisions ---- */

static bool net_dead(const struct mirror *m, const struct net *net)
{
	const struct nd_link *l = net->ifindex ? mirror_link(m, net->ifindex) : NULL;
	return l && (l->group == ND_GROUP_DEAD || l->group == ND_GROUP_REAPED);
}

static bool collide(const struct mirror *m, const struct net *net, int own_ifindex,
		    struct mirror_collision *ret)
{
	if ((own_ifindex && net->ifindex == own_ifindex) || net_dead(m, net))
		return false;
	const struct nd_link *l = mirror_link(m, net->ifindex);
	*ret = (struct mirror_collision){
		.kind = net->kind == NET_ADDRESS ? COLLISION_ADDRESS
			: net->kind == NET_ROUTE ? COLLISION_ROUTE
						 : COLLISION_CONNECTED,
		.prefix = { .ip = nd_ip_from_ip4(net->first), .len = net->len },
	};
	if (l)
		memcpy(ret->ifname, l->name, sizeof ret->ifname);
	return true;
}

bool mirror_refuses(const struct mirror *m, const struct nd_prefix *subnet, int own_ifindex,
		    struct mirror_collision *ret)
{
	if (subnet->ip.family != AF_INET)
		return false;
	uint32_t first = nd_ip_to_ip4(&subnet->ip) & nd_ip4_mask(subnet->len);
	uint32_t last = first | ~nd_ip4_mask(subnet->len);
	for (size_t i = net_lower(m, first, subnet->len); i < m->net_cnt && m->nets[i].first <= last; i++) {
		if (m->nets[i].kind != NET_ROUTE && m->nets[i].len >= subnet->len &&
		    collide(m, &m->nets[i], own_ifindex, ret))
			return true;
	}
	return false;
}

bool mirror_overlaps(const struct mirror *m, const struct nd_prefix *subnet, int own_ifindex,
		     struct mirror_collision *ret)
{
	if (subnet->ip.family != AF_INET)
		return false;
	uint32_t ip4 = nd_ip_to_ip4(&subnet->ip), first = ip4 & nd_ip4_mask(subnet->len);
	uint32_t last = first | ~nd_ip4_mask(subnet->len);
	for (size_t i = net_lower(m, first, 0); i < m->net_cnt && m->nets[i].first <= last; i++) {
		if (collide(m, &m->nets[i], own_ifindex, ret))
			return true;
	}
	for (uint8_t len = 2; len < subnet->len; len++) {
		uint32_t wider = ip4 & nd_ip4_mask(len);
		for (size_t i = net_lower(m, wider, len);
		     i < m->net_cnt && net_compare(&m->nets[i], wider, len) == 0; i++) {
			if (collide(m, &m->nets[i], own_ifindex, ret))
				return true;
		}
	}
	return false;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what the kernel holds, indexed.
 *
 * Links by ifindex and by name; each link's addresses, and the routes over it that are netd's, hang off it. Subnets in use (addresses alone,
 * the subnets they imply, and routes; of IPv6 nothing link-local) and default routes stand in one array sorted by (family, first address, length),
 * so that an overlap search is a few binary searches whatever the number of networks. Entries whose link waits to be deleted (ND_GROUP_DEAD,
 * ND_GROUP_REAPED) do not count.
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
	struct nd_route *routes; /* of ND_ROUTE_PROTOCOL */
	uint32_t address_cnt, route_cnt;
};

enum net_kind { NET_ADDRESS, NET_SUBNET, NET_CONNECTED, NET_ROUTE, NET_DEFAULT };
struct net {
	struct nd_ip first;
	uint8_t len;
	uint8_t kind;
	bool ra; /* a router advertisement brought it */
	int ifindex;
	uint32_t table, metric; /* routes: they tell those to one place apart; else 0 */
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
		free(entry->routes);
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

static int ip_compare(const struct nd_ip *a, const struct nd_ip *b)
{
	return a->family != b->family ? (int)a->family - (int)b->family : memcmp(a->b, b->b, sizeof a->b);
}

static int net_compare(const struct net *a, const struct nd_ip *first, uint8_t len)
{
	int order = ip_compare(&a->first, first);
	return order ? order : (int)a->len - (int)len;
}

/* The first entry that is not before (first, len). */
static size_t net_lower(const struct mirror *m, const struct nd_ip *first, uint8_t len)
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
	for (size_t i = net_lower(m, &want->first, want->len);
	     i < m->net_cnt && net_compare(&m->nets[i], &want->first, want->len) == 0; i++) {
		const struct net *net = &m->nets[i];
		if (net->kind == want->kind && net->ifindex == want->ifindex && net->table == want->table &&
		    net->metric == want->metric)
			return i;
	}
	return m->net_cnt;
}

static int net_add(struct mirror *m, struct net net)
{
	size_t known = net_find(m, &net);
	if (known < m->net_cnt) {
		m->nets[known].ra |= net.ra;
		return 0;
	}
	if (m->net_cnt == m->net_size) {
		size_t size = m->net_size ? m->net_size * 2 : 64;
		struct net *p = realloc(m->nets, size * sizeof *p);
		if (!p)
			return ND_MEMORY;
		m->nets = p;
		m->net_size = size;
	}
	size_t at = net_lower(m, &net.first, net.len);
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

static bool is_route(const struct net *net)
{
	return net->kind == NET_CONNECTED || net->kind == NET_ROUTE || net->kind == NET_DEFAULT;
}

/* The kernel removes the routes of a link that goes down or away without a message each. */
static void net_del_link(struct mirror *m, int ifindex, bool addresses)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->net_cnt; i++) {
		const struct net *net = &m->nets[i];
		if (net->ifindex != ifindex || !(is_route(net) || addresses))
			m->nets[kept++] = *net;
	}
	m->net_cnt = kept;
}

static void drop_route(struct mirror *m, int ifindex, const struct nd_prefix *dst, uint32_t metric);

/* The route that the new one replaces, wherever it led. */
static void net_del_replaced(struct mirror *m, const struct net *new)
{
	for (size_t i = net_lower(m, &new->first, new->len);
	     i < m->net_cnt && net_compare(&m->nets[i], &new->first, new->len) == 0; i++) {
		struct net net = m->nets[i];
		if (is_route(&net) && net.table == new->table && net.metric == new->metric) {
			const struct nd_prefix dst = { .ip = net.first, .len = net.len };
			drop_route(m, net.ifindex, &dst, net.metric);
			net_del(m, net);
			return;
		}
	}
}

static struct net net_of(const struct nd_prefix *p, uint8_t len, enum net_kind kind, int ifindex)
{
	const struct nd_prefix whole = { .ip = p->ip, .len = len };
	return (struct net){
		.first = nd_prefix_network(&whole).ip, .len = len, .kind = (uint8_t)kind, .ifindex = ifindex
	};
}

static uint8_t ip_bits(const struct nd_ip *ip)
{
	return ip->family == AF_INET ? 32 : 128;
}

/* Each link has its own of these: they are never in each other's way. */
static bool is_link_local(const struct nd_ip *ip)
{
	return ip->family == AF_INET6 &&
	       (ip->b[0] == 0xff || (ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80));
}

/* ---- records ---- */

static int put_link(struct mirror *m, const struct nd_link *link, struct mirror_change *ret)
{
	struct entry *entry = find(m, link->ifindex);
	ret->link = *link;
	if (entry) {
		ret->had = true;
		ret->was = entry->link;
		if ((ret->was.flags & IFF_UP) && !(link->flags & IFF_UP)) {
			net_del_link(m, link->ifindex, false);
			entry->route_cnt = 0;
		}
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
	free(entry->routes);
	free(entry);
}

/* The address itself, and the subnet it implies. */
static int address_nets(struct mirror *m, const struct nd_address *a)
{
	uint8_t bits = ip_bits(&a->prefix.ip);
	if (is_link_local(&a->prefix.ip))
		return 0;
	int r = net_add(m, net_of(&a->prefix, bits, NET_ADDRESS, a->ifindex));
	return r < 0 || a->prefix.len == bits
		       ? r
		       : net_add(m, net_of(&a->prefix, a->prefix.len, NET_SUBNET, a->ifindex));
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
		net_del(m, net_of(&a->prefix, ip_bits(&a->prefix.ip), NET_ADDRESS, a->ifindex));
		net_del(m, net_of(&a->prefix, a->prefix.len, NET_SUBNET, a->ifindex));
		/* Others may be of the same subnet; there is room, since two went. */
		for (i = 0; i < entry->address_cnt; i++)
			address_nets(m, &entry->addresses[i]);
		return;
	}
}

/* Table local repeats the addresses; broadcast, multicast and such are no places. */
static bool route_counts(const struct nd_route *r)
{
	return r->table != RT_TABLE_LOCAL && r->type != RTN_BROADCAST && r->type != RTN_MULTICAST &&
	       r->type != RTN_LOCAL && r->type != RTN_ANYCAST && !is_link_local(&r->dst.ip);
}

/* Default routes never collide, nor do the two halves into which VPNs split one. */
static enum net_kind route_kind(const struct nd_route *r)
{
	bool ip4 = r->dst.ip.family == AF_INET;
	if (r->dst.len <= 1)
		return NET_DEFAULT;
	if (r->gateway.family || r->type != RTN_UNICAST || !r->oif)
		return NET_ROUTE;
	return !ip4 || r->scope == RT_SCOPE_LINK ? NET_CONNECTED : NET_ROUTE;
}

static struct net net_of_route(const struct nd_route *r)
{
	struct net net = net_of(&r->dst, r->dst.len, route_kind(r), r->oif);
	net.table = r->table;
	net.metric = r->metric;
	net.ra = r->protocol == RTPROT_RA;
	return net;
}

static void drop_route(struct mirror *m, int ifindex, const struct nd_prefix *dst, uint32_t metric)
{
	struct entry *entry = ifindex ? find(m, ifindex) : NULL;
	for (uint32_t i = 0; entry && i < entry->route_cnt; i++) {
		if (entry->routes[i].metric == metric && nd_prefix_equal(&entry->routes[i].dst, dst)) {
			entry->routes[i] = entry->routes[--entry->route_cnt];
			return;
		}
	}
}

/* Of netd's own routes all of it is kept. */
static int put_route(struct mirror *m, const struct nd_route *r)
{
	struct entry *entry = r->oif && r->protocol == ND_ROUTE_PROTOCOL ? find(m, r->oif) : NULL;
	if (!entry)
		return 0;
	drop_route(m, r->oif, &r->dst, r->metric);
	struct nd_route *p = realloc(entry->routes, (entry->route_cnt + 1) * sizeof *p);
	if (!p)
		return ND_MEMORY;
	entry->routes = p;
	p[entry->route_cnt++] = *r;
	return 0;
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
	if (!route_counts(r))
		return 0;
	int err = put_route(arg, r);
	return err < 0 ? err : net_add(arg, net_of_route(r));
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
	if (ret->gone) {
		net_del(m, net);
		drop_route(m, route.oif, &route.dst, route.metric);
		return 0;
	}
	if (msg->nlmsg_flags & NLM_F_REPLACE)
		net_del_replaced(m, &net);
	if (put_route(m, &route) < 0 || net_add(m, net) < 0)
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

size_t mirror_routes(const struct mirror *m, int ifindex, const struct nd_route **ret)
{
	const struct entry *entry = find(m, ifindex);
	*ret = entry ? entry->routes : NULL;
	return entry ? entry->route_cnt : 0;
}

/* ---- default routes ---- */

static const struct nd_link *default_link(const struct mirror *m, uint8_t family)
{
	const struct nd_ip zero = { .family = family };
	const struct net *best = NULL;
	for (size_t i = net_lower(m, &zero, 0); i < m->net_cnt && net_compare(&m->nets[i], &zero, 0) == 0;
	     i++) {
		const struct net *net = &m->nets[i];
		if (net->kind == NET_DEFAULT && net->table == RT_TABLE_MAIN && net->ifindex &&
		    (!best || net->metric < best->metric))
			best = net;
	}
	return best ? mirror_link(m, best->ifindex) : NULL;
}

const struct nd_link *mirror_egress(const struct mirror *m)
{
	const struct nd_link *l = default_link(m, AF_INET);
	return l ? l : default_link(m, AF_INET6);
}

static bool has_ra_route(const struct mirror *m, int ifindex)
{
	const struct nd_ip zero = { .family = AF_INET6 };
	for (size_t i = net_lower(m, &zero, 0); i < m->net_cnt && net_compare(&m->nets[i], &zero, 0) == 0;
	     i++) {
		if (m->nets[i].ifindex == ifindex && m->nets[i].ra)
			return true;
	}
	return false;
}

/* The kernel's own have a lifetime. */
static bool has_ra_address(const struct entry *entry)
{
	for (uint32_t i = 0; i < entry->address_cnt; i++) {
		const struct nd_address *a = &entry->addresses[i];
		if (a->prefix.ip.family == AF_INET6 && a->scope == RT_SCOPE_UNIVERSE &&
		    !(a->flags & IFA_F_PERMANENT))
			return true;
	}
	return false;
}

bool mirror_lives_from_ra(const struct mirror *m, int ifindex)
{
	const struct entry *entry = find(m, ifindex);
	return entry && (has_ra_address(entry) || has_ra_route(m, ifindex));
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
	if (net->kind == NET_DEFAULT || (own_ifindex && net->ifindex == own_ifindex) || net_dead(m, net))
		return false;
	const struct nd_link *l = mirror_link(m, net->ifindex);
	*ret = (struct mirror_collision){
		.kind = net->kind == NET_ADDRESS ? COLLISION_ADDRESS
			: net->kind == NET_ROUTE ? COLLISION_ROUTE
						 : COLLISION_CONNECTED,
		.prefix = { .ip = net->first, .len = net->len },
		.metric = net->metric,
	};
	if (l)
		memcpy(ret->ifname, l->name, sizeof ret->ifname);
	return true;
}

/* The first and last address of a subnet. */
static struct nd_ip range_of(const struct nd_prefix *subnet, struct nd_ip *ret_last)
{
	struct nd_ip first = nd_prefix_network(subnet).ip;
	*ret_last = first;
	for (unsigned bit = subnet->len; bit < ip_bits(&first); bit++)
		ret_last->b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return first;
}

bool mirror_refuses(const struct mirror *m, const struct nd_prefix *subnet, int own_ifindex,
		    struct mirror_collision *ret)
{
	struct nd_ip last, first = range_of(subnet, &last);
	for (size_t i = net_lower(m, &first, subnet->len);
	     i < m->net_cnt && ip_compare(&m->nets[i].first, &last) <= 0; i++) {
		if (m->nets[i].kind != NET_ROUTE && m->nets[i].len >= subnet->len &&
		    collide(m, &m->nets[i], own_ifindex, ret))
			return true;
	}
	return false;
}

bool mirror_overlaps(const struct mirror *m, const struct nd_prefix *subnet, int own_ifindex,
		     struct mirror_collision *ret)
{
	struct nd_ip last, first = range_of(subnet, &last);
	for (size_t i = net_lower(m, &first, 0); i < m->net_cnt && ip_compare(&m->nets[i].first, &last) <= 0;
	     i++) {
		if (collide(m, &m->nets[i], own_ifindex, ret))
			return true;
	}
	for (uint8_t len = 2; len < subnet->len; len++) {
		const struct nd_prefix wider = { .ip = subnet->ip, .len = len };
		struct nd_ip at = nd_prefix_network(&wider).ip;
		for (size_t i = net_lower(m, &at, len);
		     i < m->net_cnt && net_compare(&m->nets[i], &at, len) == 0; i++) {
			if (collide(m, &m->nets[i], own_ifindex, ret))
				return true;
		}
	}
	return false;
}

bool mirror_has_route(const struct mirror *m, const struct nd_prefix *dst, uint32_t metric, int own_ifindex,
		      struct mirror_collision *ret)
{
	for (size_t i = net_lower(m, &dst->ip, dst->len);
	     i < m->net_cnt && net_compare(&m->nets[i], &dst->ip, dst->len) == 0; i++) {
		struct net net = m->nets[i];
		bool same = net.kind == NET_ROUTE || net.kind == NET_DEFAULT
				    ? net.table == RT_TABLE_MAIN && net.metric == metric
				    : true;
		if (net.kind == NET_DEFAULT)
			net.kind = NET_ROUTE; /* to be compared like any other here */
		if (same && collide(m, &net, own_ifindex, ret))
			return true;
	}
	return false;
}

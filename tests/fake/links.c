/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the fake kernel's links, addresses and routes
 *
 * As in the kernel (6.18): a link that goes down loses its IPv6 addresses with events, and its IPv4 routes without; deleting an IPv4
 * address deletes its secondaries; a bridge has carrier when a port has. Not as in the kernel: the local table, and a
 * bridge's MTU following its ports, are not there.
 */
#include <assert.h>
#include <errno.h>
#include <linux/netconf.h>

#include "base/mem.h"
#include "tests/fake/kernel.h"

#define METRIC_IP6 256

struct fake_kernel fake_kernel;

void *fake_grow(void *p, size_t cnt, size_t size)
{
	p = realloc(p, cnt * size);
	assert(p);
	return p;
}

static int ip_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

static void raise_link(int type, const struct nd_link *l)
{
	fake_event_raise(RTNLGRP_LINK, fake_link_message(type, l));
}

static void raise_address(int type, const struct nd_address *a)
{
	fake_event_raise(a->prefix.ip.family == AF_INET ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR,
			 fake_address_message(type, a));
}

void fake_address_announce(const struct nd_address *a)
{
	raise_address(RTM_NEWADDR, a);
}

static void raise_route(int type, const struct nd_route *r)
{
	fake_event_raise(r->dst.ip.family == AF_INET ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE,
			 fake_route_message(type, r));
}

static bool is_same_route(const struct nd_route *a, const struct nd_route *b)
{
	return a->table == b->table && a->metric == b->metric && nd_prefix_equal(&a->dst, &b->dst) &&
	       (a->dst.ip.family == AF_INET || a->oif == b->oif);
}

int fake_route_add(const struct nd_route *r)
{
	fake_kernel_ready();
	for (size_t i = 0; i < fake_kernel.route_cnt; i++)
		if (is_same_route(&fake_kernel.routes[i], r))
			return -EEXIST;
	fake_kernel.routes = fake_grow(fake_kernel.routes, fake_kernel.route_cnt + 1, sizeof(*r));
	fake_kernel.routes[fake_kernel.route_cnt++] = *r;
	raise_route(RTM_NEWROUTE, r);
	return 0;
}

static void remove_route(size_t i, bool silent)
{
	struct nd_route gone = fake_kernel.routes[i];

	fake_kernel.routes[i] = fake_kernel.routes[--fake_kernel.route_cnt];
	if (!silent)
		raise_route(RTM_DELROUTE, &gone);
}

int fake_route_del(const struct nd_route *r)
{
	fake_kernel_ready();
	for (size_t i = 0; i < fake_kernel.route_cnt; i++)
		if (is_same_route(&fake_kernel.routes[i], r)) {
			remove_route(i, false);
			return 0;
		}
	return -ESRCH;
}

size_t fake_routes(struct nd_route *ret, size_t max)
{
	fake_kernel_ready();
	for (size_t i = 0; i < fake_kernel.route_cnt && i < max; i++)
		ret[i] = fake_kernel.routes[i];
	return fake_kernel.route_cnt;
}

static void remove_link_routes(int ifindex)
{
	for (size_t i = fake_kernel.route_cnt; i-- > 0;)
		if (fake_kernel.routes[i].oif == ifindex)
			remove_route(i, fake_kernel.routes[i].dst.ip.family == AF_INET);
}

static struct nd_route connected_route(const struct nd_address *a)
{
	const struct nd_link *l = fake_link_by_index(a->ifindex);
	bool ip4 = a->prefix.ip.family == AF_INET;

	return (struct nd_route){ .dst = nd_prefix_network(&a->prefix),
				  .table = RT_TABLE_MAIN,
				  .oif = a->ifindex,
				  .protocol = RTPROT_KERNEL,
				  .type = RTN_UNICAST,
				  .scope = ip4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
				  .metric = ip4 ? 0 : METRIC_IP6,
				  .nh_flags = l && !l->carrier ? RTNH_F_LINKDOWN : 0 };
}

static void add_connected_route(const struct nd_address *a)
{
	const struct nd_link *l = fake_link_by_index(a->ifindex);
	struct nd_route r = connected_route(a);

	if (l && l->flags & IFF_UP && a->prefix.len < ip_bits(a->prefix.ip.family))
		fake_route_add(&r);
}

static bool is_same_subnet(const struct nd_address *a, const struct nd_address *b)
{
	struct nd_prefix x = nd_prefix_network(&a->prefix), y = nd_prefix_network(&b->prefix);

	return a->ifindex == b->ifindex && nd_prefix_equal(&x, &y);
}

struct nd_address *fake_address_find(const struct nd_address *a)
{
	for (size_t i = 0; i < fake_kernel.address_cnt; i++)
		if (fake_kernel.addresses[i].ifindex == a->ifindex &&
		    nd_prefix_equal(&fake_kernel.addresses[i].prefix, &a->prefix))
			return &fake_kernel.addresses[i];
	return NULL;
}

int fake_address_add(const struct nd_address *a)
{
	struct nd_address new = *a;

	fake_kernel_ready();
	if (!fake_link_by_index(a->ifindex))
		return -ENODEV;
	if (fake_address_find(a))
		return -EEXIST;
	new.flags |= IFA_F_PERMANENT;
	for (size_t i = 0; i < fake_kernel.address_cnt && a->prefix.ip.family == AF_INET; i++)
		if (is_same_subnet(&fake_kernel.addresses[i], a))
			new.flags |= IFA_F_SECONDARY;
	fake_kernel.addresses = fake_grow(fake_kernel.addresses, fake_kernel.address_cnt + 1, sizeof(new));
	fake_kernel.addresses[fake_kernel.address_cnt++] = new;
	raise_address(RTM_NEWADDR, &new);
	add_connected_route(&new);
	return 0;
}

static void remove_address(size_t i)
{
	struct nd_address gone = fake_kernel.addresses[i];

	fake_kernel.addresses[i] = fake_kernel.addresses[--fake_kernel.address_cnt];
	raise_address(RTM_DELADDR, &gone);
}

int fake_address_del(const struct nd_address *a)
{
	struct nd_address *found, gone;
	struct nd_route r;

	fake_kernel_ready();
	found = fake_address_find(a);
	if (!found)
		return -EADDRNOTAVAIL;
	gone = *found;
	if (gone.prefix.ip.family == AF_INET && !(gone.flags & IFA_F_SECONDARY))
		for (size_t i = fake_kernel.address_cnt; i-- > 0;)
			if (&fake_kernel.addresses[i] != found &&
			    is_same_subnet(&fake_kernel.addresses[i], &gone))
				fake_kernel.addresses[i].flags &=
					~IFA_F_PERMANENT; /* marks it for the sweep below */
	for (size_t i = fake_kernel.address_cnt; i-- > 0;)
		if ((fake_kernel.addresses[i].ifindex == gone.ifindex &&
		     nd_prefix_equal(&fake_kernel.addresses[i].prefix, &gone.prefix)) ||
		    !(fake_kernel.addresses[i].flags & IFA_F_PERMANENT))
			remove_address(i);
	r = connected_route(&gone);
	if (!(gone.flags & IFA_F_SECONDARY))
		fake_route_del(&r);
	return 0;
}

size_t fake_addresses(int ifindex, struct nd_address *ret, size_t max)
{
	size_t cnt = 0;

	fake_kernel_ready();
	for (size_t i = 0; i < fake_kernel.address_cnt; i++)
		if (!ifindex || fake_kernel.addresses[i].ifindex == ifindex) {
			if (cnt < max)
				ret[cnt] = fake_kernel.addresses[i];
			cnt++;
		}
	return cnt;
}

/* family 0: both. */
static void remove_link_addresses(int ifindex, uint8_t family)
{
	for (size_t i = fake_kernel.address_cnt; i-- > 0;)
		if (fake_kernel.addresses[i].ifindex == ifindex &&
		    (!family || fake_kernel.addresses[i].prefix.ip.family == family))
			remove_address(i);
}

struct nd_link *fake_link_find(const char *name)
{
	fake_kernel_ready();
	for (size_t i = 0; i < fake_kernel.link_cnt; i++)
		if (strcmp(fake_kernel.links[i]->name, name) == 0)
			return fake_kernel.links[i];
	return NULL;
}

struct nd_link *fake_link_by_index(int ifindex)
{
	fake_kernel_ready();
	for (size_t i = 0; i < fake_kernel.link_cnt; i++)
		if (fake_kernel.links[i]->ifindex == ifindex)
			return fake_kernel.links[i];
	return NULL;
}

size_t fake_link_count(void)
{
	fake_kernel_ready();
	return fake_kernel.link_cnt;
}

size_t fake_link_ports(int master)
{
	size_t cnt = 0;

	for (size_t i = 0; i < fake_kernel.link_cnt; i++)
		cnt += fake_kernel.links[i]->master == master;
	return cnt;
}

static void refresh_flags(struct nd_link *l)
{
	if (l->kind == ND_LINK_BRIDGE) {
		l->carrier = false;
		for (size_t i = 0; i < fake_kernel.link_cnt; i++)
			if (fake_kernel.links[i]->master == l->ifindex &&
			    fake_kernel.links[i]->flags & IFF_RUNNING)
				l->carrier = true;
	}
	l->flags &= ~(uint32_t)(IFF_RUNNING | IFF_LOWER_UP);
	if (l->flags & IFF_UP && l->carrier)
		l->flags |= IFF_RUNNING | IFF_LOWER_UP;
}

void fake_link_refresh_master(int ifindex)
{
	struct nd_link *l = ifindex ? fake_link_by_index(ifindex) : NULL;
	uint32_t flags;

	if (!l)
		return;
	flags = l->flags;
	refresh_flags(l);
	if (l->flags != flags)
		raise_link(RTM_NEWLINK, l);
}

int fake_link_add(const struct nd_link *l)
{
	struct nd_link *new;

	fake_kernel_ready();
	if (fake_link_find(l->name) || (l->ifindex && fake_link_by_index(l->ifindex)))
		return -EEXIST;
	new = fake_grow(NULL, 1, sizeof(*new));
	*new = *l;
	if (!new->ifindex)
		new->ifindex = fake_kernel.next_ifindex;
	if (new->ifindex >= fake_kernel.next_ifindex)
		fake_kernel.next_ifindex = new->ifindex + 1;
	if (!new->mtu)
		new->mtu = FAKE_MTU_DEFAULT;
	refresh_flags(new);
	fake_kernel.links = fake_grow(fake_kernel.links, fake_kernel.link_cnt + 1, sizeof(struct nd_link *));
	fake_kernel.links[fake_kernel.link_cnt++] = new;
	raise_link(RTM_NEWLINK, new);
	fake_link_refresh_master(new->master);
	return new->ifindex;
}

void fake_link_changed(int ifindex)
{
	struct nd_link *l = fake_link_by_index(ifindex);

	assert(l);
	refresh_flags(l);
	raise_link(RTM_NEWLINK, l);
	fake_link_refresh_master(l->master);
}

void fake_link_del(int ifindex)
{
	struct nd_link *gone = fake_link_by_index(ifindex);

	if (!gone)
		return;
	for (size_t i = 0; i < fake_kernel.link_cnt; i++)
		if (fake_kernel.links[i]->master == ifindex) {
			fake_kernel.links[i]->master = 0;
			fake_kernel.links[i]->br_isolated_port = false;
			fake_kernel.links[i]->br_learning_off = false;
			fake_kernel.links[i]->br_flood_off = false;
			raise_link(RTM_NEWLINK, fake_kernel.links[i]);
		}
	remove_link_routes(ifindex);
	remove_link_addresses(ifindex, 0);
	for (size_t i = 0; i < fake_kernel.link_cnt; i++)
		if (fake_kernel.links[i] == gone) {
			memmove(&fake_kernel.links[i], &fake_kernel.links[i + 1],
				(fake_kernel.link_cnt - i - 1) * sizeof(struct nd_link *));
			fake_kernel.link_cnt--;
			break;
		}
	raise_link(RTM_DELLINK, gone);
	fake_link_refresh_master(gone->master);
	free(gone);
}

void fake_link_on_up(const struct nd_link *l)
{
	for (size_t i = 0; i < fake_kernel.address_cnt; i++)
		if (fake_kernel.addresses[i].ifindex == l->ifindex)
			add_connected_route(&fake_kernel.addresses[i]);
}

void fake_link_on_down(const struct nd_link *l)
{
	remove_link_routes(l->ifindex);
	remove_link_addresses(l->ifindex, AF_INET6);
}

void fake_vlan_filtering(bool built)
{
	fake_kernel_ready();
	fake_kernel.vlan_filtering = built;
}

const char *fake_bridge_log(void)
{
	return fake_kernel.bridge_log;
}

void fake_forwarding(int family, bool on)
{
	struct netconfmsg ncm = { .ncm_family = (uint8_t)family };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWNETCONF, 0);

	assert(msg && nlmsg_append(msg, &ncm, sizeof(ncm), NLMSG_ALIGNTO) == 0);
	nla_put_u32(msg, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	nla_put_u32(msg, NETCONFA_FORWARDING, on);
	fake_event_raise(family == AF_INET ? RTNLGRP_IPV4_NETCONF : RTNLGRP_IPV6_NETCONF, msg);
}

static void reset(void)
{
	const struct nd_link lo = { .name = "lo",
				    .flags = IFF_LOOPBACK | IFF_UP,
				    .mtu = 65536,
				    .carrier = true,
				    .tun_owner = UINT32_MAX };

	for (size_t i = 0; i < fake_kernel.link_cnt; i++)
		free(fake_kernel.links[i]);
	free(fake_kernel.links);
	free(fake_kernel.addresses);
	free(fake_kernel.routes);
	fake_kernel.links = NULL;
	fake_kernel.addresses = NULL;
	fake_kernel.routes = NULL;
	fake_kernel.link_cnt = fake_kernel.address_cnt = fake_kernel.route_cnt = 0;
	fake_kernel.next_ifindex = 1;
	fake_kernel.vlan_filtering = false;
	fake_kernel.bridge_log[0] = '\0';
	fake_link_add(&lo);
	fake_event_drop_all();
}

static void free_state(void)
{
	reset();
	free(fake_kernel.links[0]);
	free(fake_kernel.links);
}

void fake_kernel_ready(void)
{
	if (fake_kernel.ready)
		return;
	fake_kernel.ready = true;
	fake_on_reset(reset);
	atexit(free_state);
	reset();
}

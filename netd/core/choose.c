// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: names, MACs, uuids, marks and subnets nobody chose (see choose.h).
 */
#include "netd/core/choose.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/mirror.h"
#include "netd/core/network.h"

#define BRIDGE_TEMPLATE "virbr%d"
#define TAP_TEMPLATE    "vnet%u"
#define NUMBER_MAX      65536 /* bridges tried for a template */

static struct nd_uuid machine_uuid(void)
{
	static struct nd_uuid id; /* the machine's: the same for the whole run */
	nd_autofree char *text = NULL;
	size_t len;
	if (!nd_uuid_is_zero(&id))
		return id;
	char word[ND_UUID_STRLEN];
	if (nd_file_read("/etc/machine-id", 256, &text, &len, NULL) == 0 &&
	    nd_strcpyn(word, sizeof word, text, strcspn(text, "\n")))
		nd_uuid_from_string(word, &id);
	if (nd_uuid_is_zero(&id))
		nd_uuid_from_name(&id, "netd", 4, &id);
	return id;
}

/* 52:54:00 is what QEMU and libvirt use for guests and bridges: locally administered. */
static struct nd_mac mac_from_uuid(const struct nd_uuid *uuid, uint32_t salt)
{
	struct nd_uuid hash;
	nd_uuid_from_name(uuid, &salt, sizeof salt, &hash);
	return (struct nd_mac){ { 0x52, 0x54, 0x00, hash.b[0], hash.b[1], hash.b[2] } };
}

void choose_identity(struct netdef *def)
{
	if (!def->uuid_set) {
		struct nd_uuid machine = machine_uuid();
		nd_uuid_from_name(&machine, def->name, strlen(def->name), &def->uuid);
		def->uuid_set = true;
	}
	if (!def->mac_set && netdef_forward_is_virtual(def->forward)) {
		def->mac = mac_from_uuid(&def->uuid, 0);
		def->mac_set = true;
	}
}

/* A bridge that carries our own alias is this network's, left by an earlier run. */
static bool link_taken(const struct core *c, const char *name, const struct nd_uuid *own)
{
	const struct nd_link *l = mirror_link_by_name(c->mirror, name);
	return l && !(l->has_alias && nd_uuid_equal(&l->alias_network, own));
}

/* Templates have one %d and no other %, which the definition's check made sure of. */
static bool number_name(const char *template, unsigned number, char name[ND_IFNAMSIZ])
{
	const char *mark = strstr(template, "%d");
	return snprintf(name, ND_IFNAMSIZ, "%.*s%u%s", (int)(mark - template), template, number, mark + 2) <
	       ND_IFNAMSIZ;
}

static const char *bridge_template(const struct netdef *def)
{
	return def->bridge[0] ? def->bridge : BRIDGE_TEMPLATE;
}

/* The number in name that template (with %d) gave it; -1: it is not of the template. */
static int number_in(const char *template, const char *name)
{
	const char *mark = strstr(template, "%d");
	size_t before = (size_t)(mark - template), digits;
	if (strncmp(name, template, before))
		return -1;
	digits = strspn(name + before, "0123456789");
	if (digits == 0 || digits > 5 || strcmp(name + before + digits, mark + 2))
		return -1;
	return atoi(name + before);
}

static bool has_template(const struct netdef *def)
{
	return netdef_forward_is_virtual(def->forward) && strstr(bridge_template(def), "%d");
}

bool choose_bridge_fits(const struct netdef *def, const char *name)
{
	return has_template(def) && number_in(bridge_template(def), name) >= 0;
}

struct bridge_numbers {
	const char *template;
	uint8_t used[NUMBER_MAX / 8]; /* a bit each */
};

static void mark_used(void *arg, const char *bridge)
{
	struct bridge_numbers *numbers = arg;
	int i = number_in(numbers->template, bridge);
	if (i >= 0 && i < NUMBER_MAX)
		numbers->used[i / 8] |= (uint8_t)(1u << i % 8);
}

int choose_bridge(const struct core *c, struct netdef *def, struct nd_error *e)
{
	char template[ND_IFNAMSIZ], name[ND_IFNAMSIZ];
	if (!has_template(def))
		return 0;
	nd_strcpy(template, sizeof template, bridge_template(def));
	struct bridge_numbers numbers = { .template = template };
	network_each_bridge(c, &def->uuid, mark_used, &numbers);
	for (unsigned i = 0; i < NUMBER_MAX && number_name(template, i, name); i++) {
		if (numbers.used[i / 8] & 1u << i % 8 || link_taken(c, name, &def->uuid))
			continue;
		nd_strcpy(def->bridge, sizeof def->bridge, name);
		return 0;
	}
	return nd_fail(e, ND_LIMIT, "no free name for bridge template '%s'", template);
}

/* The same host part in another /24: address, ranges and hosts move together. */
static void move_ip(struct netdef_ip *ip, uint32_t network)
{
	uint32_t mask = nd_ip4_mask(ip->address.len);
	struct nd_ip *all = &ip->address.ip;
	*all = nd_ip_from_ip4(network | (nd_ip_to_ip4(all) & ~mask));
	for (size_t i = 0; i < ip->range_cnt; i++) {
		ip->ranges[i].start = nd_ip_from_ip4(network | (nd_ip_to_ip4(&ip->ranges[i].start) & ~mask));
		ip->ranges[i].end = nd_ip_from_ip4(network | (nd_ip_to_ip4(&ip->ranges[i].end) & ~mask));
	}
	for (size_t i = 0; i < ip->host_cnt; i++)
		ip->hosts[i].ip = nd_ip_from_ip4(network | (nd_ip_to_ip4(&ip->hosts[i].ip) & ~mask));
}

static bool subnet_free(const struct core *c, uint32_t network, uint8_t len, int own,
			struct mirror_collision *why)
{
	struct nd_prefix p = { .ip = nd_ip_from_ip4(network), .len = len };
	return !mirror_overlaps(c->mirror, &p, own, why);
}

/* Where an automatic subnet is looked for: in the block of the preferred one, upwards and round, then in the others. Source: RFC 1918 §3. */
static const struct pool {
	uint32_t first, last;
} pools[] = {
	{ 0xc0a80000, 0xc0a8ffff }, /* 192.168.0.0/16 */
	{ 0xac100000, 0xac1fffff }, /* 172.16.0.0/12 */
	{ 0x0a000000, 0x0affffff }, /* 10.0.0.0/8 */
};

static bool in_pool(const struct pool *pool, uint32_t ip4)
{
	return ip4 >= pool->first && ip4 <= pool->last;
}

static bool search_pool(const struct core *c, const struct pool *pool, uint32_t wanted, uint8_t len, int own,
			uint32_t *ret)
{
	uint32_t step = ~nd_ip4_mask(len) + 1;
	bool inside = in_pool(pool, wanted);
	uint32_t start = inside ? wanted : pool->first;
	uint32_t cnt = (pool->last - pool->first + 1) / step;
	struct mirror_collision why;
	for (uint32_t k = inside ? 1 : 0; k < cnt; k++) {
		uint64_t at = (uint64_t)start + (uint64_t)k * step;
		if (at > pool->last)
			at -= (uint64_t)cnt * step;
		if (subnet_free(c, (uint32_t)at, len, own, &why)) {
			*ret = (uint32_t)at;
			return true;
		}
	}
	return false;
}

static bool search_pools(const struct core *c, uint32_t wanted, uint8_t len, int own, uint32_t *ret)
{
	for (int inside = 1; inside >= 0; inside--) {
		for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
			if (in_pool(&pools[i], wanted) == inside &&
			    search_pool(c, &pools[i], wanted, len, own, ret))
				return true;
		}
	}
	return false;
}

static void tell_move(char **ret_note, const struct netdef_ip *ip, const struct mirror_collision *why)
{
	char subnet[ND_PREFIX_STRLEN], other[ND_PREFIX_STRLEN];
	struct nd_prefix network = nd_prefix_network(&ip->address);
	if (asprintf(ret_note, "subnet %s was chosen, since the preferred one collides with %s %s on %s",
		     nd_prefix_to_string(&network, subnet),
		     why->kind == COLLISION_ADDRESS ? "address" : "route",
		     nd_prefix_to_string(&why->prefix, other),
		     why->ifname[0] ? why->ifname : "no interface") < 0)
		*ret_note = NULL;
}

static int choose_subnet(const struct core *c, struct netdef_ip *ip, const struct nd_prefix *last, int own,
			 char **ret_note, struct nd_error *e)
{
	uint32_t mask = nd_ip4_mask(ip->address.len);
	uint32_t wanted = nd_ip_to_ip4(&ip->address.ip) & mask, network;
	struct mirror_collision why = { .kind = COLLISION_NONE };
	if (last && last->len == ip->address.len && last->ip.family == AF_INET) {
		network = nd_ip_to_ip4(&last->ip) & mask;
		if (subnet_free(c, network, ip->address.len, own, &why)) {
			move_ip(ip, network);
			return 0;
		}
	}
	if (subnet_free(c, wanted, ip->address.len, own, &why))
		return 0;
	if (!search_pools(c, wanted, ip->address.len, own, &network))
		return nd_fail(e, ND_CONFLICT, "no free /%u subnet is left among the private address blocks",
			       ip->address.len);
	move_ip(ip, network);
	tell_move(ret_note, ip, &why);
	return 0;
}

/* An explicit subnet that is legal all the same. */
static void tell_overlap(char **ret_note, const char *text, const struct nd_prefix *subnet,
			 const struct mirror_collision *why)
{
	char other[ND_PREFIX_STRLEN];
	bool wider = why->prefix.len < subnet->len;
	free(*ret_note);
	if (asprintf(ret_note, "subnet %s %s %s%s%s%s", text,
		     wider ? "lies inside the wider route" : "holds the route",
		     nd_prefix_to_string(&why->prefix, other), why->ifname[0] ? " on " : "", why->ifname,
		     wider ? ": what that route leads to there is hidden from this host while the network is "
			     "active"
			   : ", which stays the better one for its addresses: guests there are not reached "
			     "from "
			     "this host") < 0)
		*ret_note = NULL;
}

static int check_subnet(const struct core *c, const struct netdef_ip *ip, int own, char **ret_note,
			struct nd_error *e)
{
	struct mirror_collision why;
	struct nd_prefix subnet = nd_prefix_network(&ip->address);
	char a[ND_PREFIX_STRLEN], b[ND_PREFIX_STRLEN];
	nd_prefix_to_string(&subnet, a);
	if (mirror_refuses(c->mirror, &subnet, own, &why)) {
		nd_prefix_to_string(&why.prefix, b);
		return nd_fail(e, ND_CONFLICT,
			       "subnet %s is already in use by interface %s, which has %s %s; choose another "
			       "subnet%s",
			       a, why.ifname, why.kind == COLLISION_ADDRESS ? "address" : "connected route",
			       b, subnet.ip.family == AF_INET ? ", or netd:subnet='auto'" : "");
	}
	if (mirror_overlaps(c->mirror, &subnet, own, &why))
		tell_overlap(ret_note, a, &subnet, &why);
	return 0;
}

static int choose_ips(const struct core *c, struct netdef *live, const struct nd_prefix *last,
		      char **ret_note, struct nd_error *e)
{
	const struct network *n = model_network_by_uuid(c->model, &live->uuid);
	const struct nd_link *l = mirror_link_by_name(c->mirror, live->bridge);
	int own = n && n->ifindex ? n->ifindex
		  : l             ? l->ifindex
				  : 0; /* a running one may be about to change its bridge's name */
	for (size_t i = 0; i < live->ip_cnt; i++) {
		struct netdef_ip *ip = &live->ips[i];
		int r = ip->subnet_auto ? choose_subnet(c, ip, last, own, ret_note, e)
					: check_subnet(c, ip, own, ret_note, e);
		if (r < 0)
			return r;
		ip->subnet_auto = false; /* the live definition shows what was chosen */
	}
	return 0;
}

int choose_live(const struct core *c, const struct netdef *def, const struct nd_prefix *last_subnet,
		struct netdef **ret, char **ret_note, struct nd_error *e)
{
	struct netdef *live = netdef_copy(def);
	*ret_note = NULL;
	if (!live)
		return nd_fail(e, ND_MEMORY, "live definition");
	choose_identity(live);
	int r = choose_bridge(c, live, e);
	if (r == 0)
		r = choose_ips(c, live, last_subnet, ret_note, e);
	if (r < 0) {
		netdef_free(live);
		free(*ret_note);
		*ret_note = NULL;
		return r;
	}
	*ret = live;
	return 0;
}

void choose_tap_name(struct core *c, char name[ND_IFNAMSIZ])
{
	do {
		snprintf(name, ND_IFNAMSIZ, TAP_TEMPLATE, c->model->next_tap);
		c->model->next_tap = (c->model->next_tap + 1) % 100000000u; /* fits 15 characters */
	} while (mirror_link_by_name(c->mirror, name));
}

static bool mac_taken(const struct network *n, const struct nd_mac *mac)
{
	const struct port *p;
	nd_list_foreach(p, &n->ports, siblings) {
		if (nd_mac_equal(&p->mac, mac))
			return true;
	}
	return false;
}

void choose_port_mac(const struct network *n, const struct nd_uuid *port, struct nd_mac *ret)
{
	uint32_t salt = 0;
	do
		*ret = mac_from_uuid(port, salt++);
	while (mac_taken(n, ret));
}

int choose_mark(struct core *c, uint32_t *ret, struct nd_error *e)
{
	for (uint32_t tries = 0; tries < NAT_PORT_MAX; tries++) {
		uint32_t mark = NAT_MARK_BASE | c->model->next_mark;
		c->model->next_mark = c->model->next_mark % NAT_PORT_MAX + 1;
		if (!model_port_by_mark(c->model, mark)) {
			*ret = mark;
			return 0;
		}
	}
	return nd_fail(e, ND_LIMIT, "all %u port numbers are taken", NAT_PORT_MAX);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: guards, egress and addresses of ports (see policy.h).
 *
 * Addresses are guarded where netd gives them: then what a guest was given is known. With an IPv6 prefix and no server for it guests make their own
 * addresses of it, so all of the prefix is theirs but the gateway's address.
 */
#include "netd/core/policy.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/device.h"
#include "netd/core/external.h"
#include "netd/core/plan.h"
#include <netinet/in.h>

static const struct netdef_guards *guards_of(const struct port *p)
{
	const struct netdef_portgroup *g = external_portgroup(p);
	return g && g->policy.guards.given ? &g->policy.guards
					   : &netdef_rare(p->network->live)->policy.guards;
}

static const struct netdef_policy *egress_of(const struct port *p)
{
	const struct netdef_portgroup *g = external_portgroup(p);
	return g && g->policy.egress ? &g->policy : &netdef_rare(p->network->live)->policy;
}

static bool is_on(uint8_t said, bool otherwise)
{
	return said == NETDEF_UNSAID ? otherwise : said == NETDEF_YES;
}

static const enum nat_egress egress_rows[] = {
	[NETDEF_EGRESS_UNSAID] = NAT_EGRESS_ANY,
	[NETDEF_EGRESS_ANY] = NAT_EGRESS_ANY,
	[NETDEF_EGRESS_INTERNET_ONLY] = NAT_EGRESS_INTERNET,
	[NETDEF_EGRESS_LIST] = NAT_EGRESS_LIST,
	[NETDEF_EGRESS_NONE] = NAT_EGRESS_NONE,
};

static struct nat_config config(enum nat_kind kind)
{
	struct nat_config cfg;
	memset(&cfg, 0, sizeof cfg); /* they are compared as bytes */
	cfg.kind = kind;
	return cfg;
}

static void add_port(const struct port *p, struct elements *ret)
{
	const struct netdef *live = p->network->live;
	const struct netdef_guards *g = guards_of(p);
	struct nat_config cfg = config(NAT_PORT);
	struct nat_port *np = &cfg.port;
	bool ip = is_on(g->ip, p->network->plan->dhcp);
	nd_strcpy(np->name, sizeof np->name, p->ifname);
	nd_strcpy(np->bridge, sizeof np->bridge, p->network->bridge);
	np->mark = p->mark;
	np->mac = p->mac;
	np->gateway_mac = live->mac;
	np->mac_guard = p->mac_guard && is_on(g->mac, true);
	np->ip4_guard = ip;
	/* Where guests may speak IPv6 with addresses of their own choice there is nothing to compare with. */
	np->ip6_guard = ip && (!live->ipv6 || g->ip == NETDEF_YES);
	np->dhcp_guard = is_on(g->dhcp, true);
	np->ra_guard = is_on(g->ra, true);
	np->broadcast_pps = g->broadcast;
	np->multicast_pps = g->multicast;
	np->connection_max = g->connections;
	np->egress = egress_rows[egress_of(p)->egress];
	elements_add(ret, &cfg);
}

/*
 * The kernel refuses an interval that lies in another one. So of the two the wider one alone stands, whichever came first.
 */
static void add_wider(struct elements *l, const struct nat_config *cfg,
		      bool (*covers)(const struct nat_config *wide, const struct nat_config *narrow))
{
	size_t kept = 0;
	for (size_t i = 0; i < l->cnt; i++) {
		if (l->p[i].kind == cfg->kind && covers(&l->p[i], cfg))
			return;
	}
	for (size_t i = 0; i < l->cnt; i++) {
		if (l->p[i].kind != cfg->kind || !covers(cfg, &l->p[i]))
			l->p[kept++] = l->p[i];
	}
	l->cnt = kept;
	elements_add(l, cfg);
}

static bool address_covers(const struct nat_config *wide, const struct nat_config *narrow)
{
	return nd_prefix_contains(&wide->address.prefix, &narrow->address.prefix);
}

static bool rule_covers(const struct nat_config *wide, const struct nat_config *narrow)
{
	const struct nat_egress_rule *w = &wide->egress_rule, *n = &narrow->egress_rule;
	return nd_prefix_contains(&w->prefix, &n->prefix) && (!w->protocol || w->protocol == n->protocol) &&
	       (!w->port_first ||
		(n->port_first && w->port_first <= n->port_first && w->port_last >= n->port_last));
}

static void add_prefix(const struct port *p, enum nat_kind kind, const struct nd_prefix *prefix,
		       struct elements *ret)
{
	struct nat_config cfg = config(kind);
	nd_strcpy(cfg.address.port, sizeof cfg.address.port, p->ifname);
	cfg.address.prefix = nd_prefix_network(prefix);
	add_wider(ret, &cfg, address_covers);
}

static void add_address(const struct port *p, const struct nd_prefix *prefix, struct elements *ret)
{
	add_prefix(p, NAT_ADDRESS, prefix, ret);
}

static void add_ip(const struct port *p, const struct nd_ip *ip, struct elements *ret)
{
	add_address(p, &(struct nd_prefix){ *ip, ip->family == AF_INET ? 32 : 128 }, ret);
}

/* A reservation without a MAC is by name. */
static bool is_reserved(const struct netdef_host *h, const struct nd_mac *mac, const char *name)
{
	if (h->client_id) /* the guest's own word: it has the address when it has the lease */
		return false;
	return h->has_mac ? mac && nd_mac_equal(&h->mac, mac) : h->name && name && !strcmp(h->name, name);
}

static void add_addresses(const struct port *p, struct elements *ret)
{
	const struct netdef *live = p->network->live;
	const struct netdef_rare *x = netdef_rare(live);
	struct nd_ip lease = nd_ip_from_ip4(p->ip4);
	if (p->ip4)
		add_ip(p, &lease, ret);
	for (size_t i = 0; i < live->ip_cnt; i++) {
		const struct netdef_ip *ip = &live->ips[i];
		if (ip->address.ip.family == AF_INET6)
			add_prefix(p, NAT_GATEWAY, &(struct nd_prefix){ ip->address.ip, 128 }, ret);
		if (ip->address.ip.family == AF_INET6 && !ip->dhcp)
			add_address(p, &ip->address, ret);
		for (size_t j = 0; j < ip->host_cnt; j++) {
			if (is_reserved(&ip->hosts[j], &p->mac, p->name) && ip->hosts[j].ip.family &&
			    !nd_ip_equal(&ip->hosts[j].ip, &lease))
				add_ip(p, &ip->hosts[j].ip, ret);
		}
	}
	for (size_t i = 0; i < x->allowed_cnt; i++) {
		if (policy_is_guest(p, x->allowed[i].guest))
			add_address(p, &x->allowed[i].address, ret);
	}
}

static uint8_t protocol_of(uint8_t said)
{
	return said == NETDEF_PROTOCOL_TCP ? IPPROTO_TCP : said == NETDEF_PROTOCOL_UDP ? IPPROTO_UDP : 0;
}

static void add_egress(const struct port *p, struct elements *ret)
{
	const struct netdef_policy *policy = egress_of(p);
	for (size_t i = 0; policy->egress == NETDEF_EGRESS_LIST && i < policy->rule_cnt; i++) {
		const struct netdef_egress_rule *r = &policy->rules[i];
		struct nat_config cfg = config(NAT_EGRESS_RULE);
		cfg.egress_rule.mark = p->mark;
		cfg.egress_rule.prefix = nd_prefix_network(&r->address);
		cfg.egress_rule.protocol = protocol_of(r->protocol);
		cfg.egress_rule.port_first = (uint16_t)r->port;
		cfg.egress_rule.port_last = (uint16_t)(r->port_end ? r->port_end : r->port);
		add_wider(ret, &cfg, rule_covers);
	}
}

void policy_port(const struct port *p, struct elements *ret)
{
	if (!p->network->live || !p->ifname[0] || (!p->external && !device_of(p)->rules))
		return;
	add_port(p, ret);
	if (ret->bad)
		return;
	if (ret->p[0].port.ip4_guard || ret->p[0].port.ip6_guard)
		add_addresses(p, ret);
	add_egress(p, ret);
}

bool policy_is_guest(const struct port *p, const char *guest)
{
	struct nd_mac mac;
	switch (netdef_guest_kind(guest, &mac, NULL)) {
	case NETDEF_GUEST_MAC: return nd_mac_equal(&mac, &p->mac);
	case NETDEF_GUEST_NAME: return !strcmp(guest, p->name);
	default: return false;
	}
}

static bool reserved_address(const struct network *n, const struct nd_mac *mac, const char *name, int family,
			     struct nd_ip *ret)
{
	for (size_t i = 0; i < n->live->ip_cnt; i++) {
		const struct netdef_ip *ip = &n->live->ips[i];
		for (size_t j = 0; ip->address.ip.family == family && j < ip->host_cnt; j++) {
			if (is_reserved(&ip->hosts[j], mac, name)) {
				*ret = ip->hosts[j].ip;
				return true;
			}
		}
	}
	return false;
}

bool policy_guest_address(const struct network *n, const char *guest, int family, struct nd_ip *ret)
{
	struct nd_mac mac;
	struct nd_ip ip;
	int kind = netdef_guest_kind(guest, &mac, &ip);
	const struct port *p;
	if (kind == NETDEF_GUEST_ADDRESS) {
		*ret = ip;
		return ip.family == family;
	}
	nd_list_foreach(p, &n->ports, siblings) {
		if (!policy_is_guest(p, guest))
			continue;
		if (family == AF_INET && p->ip4) {
			*ret = nd_ip_from_ip4(p->ip4);
			return true;
		}
		return reserved_address(n, &p->mac, p->name, family, ret);
	}
	return reserved_address(n, kind == NETDEF_GUEST_MAC ? &mac : NULL,
				kind == NETDEF_GUEST_NAME ? guest : NULL, family, ret);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a definition means for bridge, nat, dhcp and tap.
 *
 * The TAP's own MAC is the guest's with 0xfe as its first byte, as libvirt and QEMU's helper do: it is higher than any other, so a bridge without a
 * fixed MAC would not take it, and it differs from the guest's, which the bridge must learn on this port.
 */
#include "netd/core/plan.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "dns/dns.h"

#define MTU_DEFAULT  1500 /* ETH_DATA_LEN: what a TAP has when it is made */
#define MTU_MIN_IP6  1280 /* RFC 8200 section 5; below, the kernel turns IPv6 off on the link */
#define MTU_AUTO_MAX 9216 /* jumbo frames; loopback and the like have more and are no way out */
#define VLAN_MAX     4094

static const struct forward_row {
	bool here;             /* netd has this mode */
	bool own_bridge;       /* netd makes it, with all that hangs on it */
	enum nat_forward nat4; /* where the family has an address */
	enum nat_forward nat6;
	enum nat_forward none; /* where it has none */
	enum nat_host host;    /* unless the definition says otherwise */
	bool forward;          /* the kernel must forward the families that have an address */
	bool router; /* guests get us as their router and the host's resolvers: there is a way out */
	enum macvtap_mode pool; /* ports are macvtaps, unless a bridge is named; 0: they are not */
	bool rules;             /* netd says what is forwarded: uplinks, segment sizes; and how ARP goes */
} forward_rows[] = {
	[NETDEF_FORWARD_NONE] = { .here = true,
				  .own_bridge = true,
				  .nat4 = NAT_FORWARD_ISOLATED,
				  .nat6 = NAT_FORWARD_ISOLATED,
				  .none = NAT_FORWARD_ISOLATED,
				  .host = NAT_HOST_SERVICES,
				  .rules = true },
	[NETDEF_FORWARD_NAT] = { .here = true,
				 .own_bridge = true,
				 .nat4 = NAT_FORWARD_NAT,
				 .nat6 = NAT_FORWARD_ROUTE, /* NAT where <nat ipv6='yes'/> */
				 .none = NAT_FORWARD_ISOLATED,
				 .host = NAT_HOST_ALL,
				 .forward = true,
				 .router = true,
				 .rules = true },
	[NETDEF_FORWARD_ROUTE] = { .here = true,
				   .own_bridge = true,
				   .nat4 = NAT_FORWARD_ROUTE,
				   .nat6 = NAT_FORWARD_ROUTE,
				   .none = NAT_FORWARD_ISOLATED,
				   .host = NAT_HOST_ALL,
				   .forward = true,
				   .router = true,
				   .rules = true },
	[NETDEF_FORWARD_OPEN] = { .here = true,
				  .own_bridge = true,
				  .nat4 = NAT_FORWARD_OPEN,
				  .nat6 = NAT_FORWARD_OPEN,
				  .none = NAT_FORWARD_OPEN,
				  .host = NAT_HOST_ALL,
				  .forward = true,
				  .router = true },
	[NETDEF_FORWARD_BRIDGE] = { .here = true, .pool = MACVTAP_BRIDGE },
	[NETDEF_FORWARD_PRIVATE] = { .here = true, .pool = MACVTAP_PRIVATE },
	[NETDEF_FORWARD_VEPA] = { .here = true, .pool = MACVTAP_VEPA },
	[NETDEF_FORWARD_PASSTHROUGH] = { .here = true, .pool = MACVTAP_PASSTHROUGH },
	[NETDEF_FORWARD_HOSTDEV] = { .here = false },
};

static const struct netdef_ip *dhcp_ip(const struct netdef *d)
{
	for (size_t i = 0; i < d->ip_cnt; i++) {
		if (d->ips[i].dhcp && d->ips[i].address.ip.family == AF_INET)
			return &d->ips[i];
	}
	return NULL;
}

/* A bridge without any address is out of reach for guests, and there is nobody to serve them. */
static bool has_host(const struct netdef *live)
{
	return netdef_rare(live)->host_access != NETDEF_HOST_ACCESS_NONE;
}

static bool has_tftp(const struct netdef *live)
{
	for (size_t i = 0; i < live->ip_cnt; i++) {
		if (live->ips[i].tftp_root)
			return true;
	}
	return false;
}

static bool has_family(const struct network_plan *p, uint8_t family)
{
	for (size_t i = 0; i < p->bridge.address_cnt; i++) {
		if (p->addresses[i].ip.family == family)
			return true;
	}
	return false;
}

static int plan_addresses(struct network_plan *p, const struct netdef *live)
{
	const struct netdef_rare *x = netdef_rare(live);
	p->addresses = calloc(live->ip_cnt + 1, sizeof *p->addresses);
	p->routes = calloc(x->route_cnt + 1, sizeof *p->routes);
	if (!p->addresses || !p->routes)
		return ND_MEMORY;
	for (size_t i = 0; has_host(live) && i < live->ip_cnt; i++)
		p->addresses[p->bridge.address_cnt++] = live->ips[i].address;
	for (size_t i = 0; i < x->route_cnt; i++) {
		const struct netdef_route *r = &x->routes[i];
		p->routes[p->bridge.route_cnt++] =
			(struct bridge_route){ .dst = nd_prefix_network(&r->address),
					       .gateway = r->gateway,
					       .metric = r->metric ? r->metric : 1 };
	}
	p->bridge.addresses = p->addresses;
	p->bridge.routes = p->routes;
	p->ipv6 = has_family(p, AF_INET6);
	return 0;
}

/* A single tag is the port's own; with a trunk frames carry theirs, but for the native one's. */
static int plan_vlans(struct plan_group *g, const struct netdef_vlan *vlan)
{
	bool access = vlan->trunk != NETDEF_YES && vlan->tag_cnt == 1;
	if (!vlan->tag_cnt)
		return 0;
	g->vlans = calloc(vlan->tag_cnt, sizeof *g->vlans);
	if (!g->vlans)
		return ND_MEMORY;
	for (size_t i = 0; i < vlan->tag_cnt; i++) {
		const struct netdef_tag *tag = &vlan->tags[i];
		g->vlans[g->vlan_cnt++] =
			(struct tap_vlan){ .id = (uint16_t)tag->id,
					   .pvid = access || tag->native != NETDEF_NATIVE_NONE,
					   .untagged = access || tag->native == NETDEF_NATIVE_UNTAGGED };
	}
	return 0;
}

static int plan_groups(struct network_plan *p, const struct netdef *live)
{
	const struct netdef_rare *x = netdef_rare(live);
	p->groups = calloc(x->portgroup_cnt + 1, sizeof *p->groups);
	if (!p->groups)
		return ND_MEMORY;
	p->group_cnt = 1;
	if (plan_vlans(&p->groups[0], &x->vlan) < 0)
		return ND_MEMORY;
	for (size_t i = 0; i < x->portgroup_cnt; i++) {
		const struct netdef_portgroup *from = &x->portgroups[i];
		struct plan_group *g = &p->groups[p->group_cnt++];
		g->name = strdup(from->name);
		g->is_default = from->is_default;
		if (!g->name || plan_vlans(g, from->vlan.tag_cnt ? &from->vlan : &x->vlan) < 0)
			return ND_MEMORY;
	}
	for (size_t i = 0; i < p->group_cnt; i++)
		p->vlans |= p->groups[i].vlan_cnt > 0;
	return 0;
}

/* <netd:source> of the family, else the range of <nat> (IPv4 alone has one); the ports are for both. */
static struct nat_source source_of(const struct netdef_rare *x, uint8_t family)
{
	struct nat_source s = { .port_first = (uint16_t)x->nat_port_start,
				.port_last = (uint16_t)x->nat_port_end };
	if (family == AF_INET && x->nat_start.family) {
		s.first = x->nat_start;
		s.last = x->nat_end.family ? x->nat_end : x->nat_start;
	}
	for (size_t i = 0; i < x->source_cnt; i++) {
		if (x->sources[i].address.family == family)
			s.first = s.last = x->sources[i].address;
	}
	return s;
}

static enum nat_host host_of(const struct forward_row *row, const struct netdef_rare *x)
{
	static const enum nat_host hosts[] = {
		[NETDEF_HOST_ACCESS_ALL] = NAT_HOST_ALL,
		[NETDEF_HOST_ACCESS_SERVICES] = NAT_HOST_SERVICES,
		[NETDEF_HOST_ACCESS_NONE] = NAT_HOST_NONE,
	};
	return x->host_access == NETDEF_HOST_ACCESS_UNSAID ? row->host : hosts[x->host_access];
}

/* Configurations are compared as bytes, so they begin zeroed. */
static struct nat_config new_config(enum nat_kind kind)
{
	struct nat_config cfg;
	memset(&cfg, 0, sizeof cfg);
	cfg.kind = kind;
	return cfg;
}

static void plan_uplinks(struct network_plan *p, const struct netdef_rare *x)
{
	for (size_t i = 0; i < x->uplink_cnt; i++) {
		struct nat_config cfg = new_config(NAT_UPLINK);
		nd_strcpy(cfg.uplink.bridge, sizeof cfg.uplink.bridge, p->bridge.name);
		nd_strcpy(cfg.uplink.uplink, sizeof cfg.uplink.uplink, x->uplinks[i].dev);
		elements_add(&p->elements, &cfg);
	}
	if (x->uplink_cnt)
		nd_strcpy(p->uplink, sizeof p->uplink, x->uplinks[0].dev);
}

static int plan_nat(struct network_plan *p, const struct netdef *live, const struct forward_row *row)
{
	const struct netdef_rare *x = netdef_rare(live);
	struct nat_config cfg = new_config(NAT_NETWORK);
	struct nat_network *n = &cfg.network;
	nd_strcpy(n->bridge, sizeof n->bridge, p->bridge.name);
	n->forward4 = has_family(p, AF_INET) ? row->nat4 : row->none;
	n->forward6 = has_family(p, AF_INET6) ? row->nat6 : row->none;
	if (n->forward6 == NAT_FORWARD_ROUTE && row->nat4 == NAT_FORWARD_NAT && x->nat_ipv6 == NETDEF_YES)
		n->forward6 = NAT_FORWARD_NAT;
	n->host = host_of(row, x);
	n->dhcp = p->dhcp;
	n->uplinked = row->rules && x->uplink_cnt > 0;
	n->clamp_mss = row->rules && row->forward;
	n->isolated = p->isolated_ports;
	if (n->forward4 == NAT_FORWARD_NAT)
		n->source4 = source_of(x, AF_INET);
	if (n->forward6 == NAT_FORWARD_NAT)
		n->source6 = source_of(x, AF_INET6);
	elements_add(&p->elements, &cfg);
	if (n->uplinked)
		plan_uplinks(p, x);
	p->accepts = x->accept_cnt > 0;
	if (row->forward && has_family(p, AF_INET))
		p->sysctls |= 1u << BRIDGE_SYSCTL_IP4_FORWARD;
	if (row->forward && has_family(p, AF_INET6))
		p->sysctls |= 1u << BRIDGE_SYSCTL_IP6_FORWARD;
	return p->elements.bad ? ND_MEMORY : 0;
}

static int plan_own(struct network_plan *p, const struct netdef *live, const struct forward_row *row)
{
	p->bridge.mac = live->mac;
	p->bridge.mtu = p->mtu = live->mtu;
	p->bridge.stp = live->stp;
	p->bridge.forward_delay_s = live->delay_s;
	p->bridge.vlan_filtering = p->vlans;
	nd_alias_format(&live->uuid, NULL, p->bridge.alias);
	p->mtu_auto = !live->mtu && row->forward && row->rules;
	p->strict_arp = row->rules;
	if (plan_addresses(p, live) < 0)
		return ND_MEMORY;
	p->dhcp = has_host(live) && dhcp_ip(live);
	p->dns = live->dns_enable && p->bridge.address_cnt > 0;
	p->resolves = row->router;
	p->names = p->dns || (p->bridge.address_cnt > 0 && has_tftp(live));
	return plan_nat(p, live, row);
}

static bool mtu_fits(const struct network_plan *p, struct nd_error *e)
{
	if (!p->ipv6 || !p->mtu || p->mtu >= MTU_MIN_IP6)
		return true;
	nd_fail(e, ND_INVALID, "<mtu size='%u'>: IPv6 needs %d or more", p->mtu, MTU_MIN_IP6);
	return false;
}

static bool options_pass(const struct netdef *live, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(live);
	for (size_t i = 0; i < x->option_cnt; i++) {
		if (dns_option_check(x->options[i].value, e) < 0)
			return false;
	}
	return true;
}

/* 0 and 4095 are reserved (IEEE 802.1Q, table 9-2): definitions may have them, bridges do not. */
static bool vlans_fit(const struct network_plan *p, struct nd_error *e)
{
	for (size_t i = 0; i < p->group_cnt; i++)
		for (size_t j = 0; j < p->groups[i].vlan_cnt; j++) {
			unsigned id = p->groups[i].vlans[j].id;
			if (id < 1 || id > VLAN_MAX) {
				nd_fail(e, ND_INVALID, "<vlan>: tag %u: bridges have VLANs 1 to %d", id,
					VLAN_MAX);
				return false;
			}
		}
	return true;
}

int network_plan(const struct netdef *live, struct network_plan **ret, struct nd_error *e)
{
	const struct forward_row *row =
		live->forward < ARRAY_LEN(forward_rows) ? &forward_rows[live->forward] : NULL;
	if (!row || !row->here || (!row->own_bridge && !row->pool && !live->bridge[0]))
		return nd_fail(e, ND_UNSUPPORTED, "<forward mode='%s'>: not supported by this netd yet",
			       netdef_forward_to_string(live->forward));
	struct network_plan *p = calloc(1, sizeof *p);
	if (!p)
		return nd_fail(e, ND_MEMORY, "plan of the network");
	p->own_bridge = row->own_bridge;
	p->pool = row->pool && !live->bridge[0];
	p->macvtap_mode = row->pool;
	p->isolated_ports = live->isolated == NETDEF_YES;
	p->fixed_guests = live->mac_table == NETDEF_MAC_TABLE_LIBVIRT;
	nd_strcpy(p->bridge.name, sizeof p->bridge.name, live->bridge);
	if (row->own_bridge && !options_pass(live, e)) {
		network_plan_free(p);
		return e->code;
	}
	if (plan_groups(p, live) < 0 || (row->own_bridge && plan_own(p, live, row) < 0))
		nd_fail(e, ND_MEMORY, "plan of the network");
	else if (mtu_fits(p, e) && vlans_fit(p, e)) {
		*ret = p;
		return 0;
	}
	network_plan_free(p);
	return e->code;
}

void network_plan_free(struct network_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->group_cnt; i++) {
		free(p->groups[i].name);
		free(p->groups[i].vlans);
	}
	free(p->groups);
	free(p->addresses);
	free(p->routes);
	elements_done(&p->elements);
	elements_done(&p->peers);
	free(p);
}

void network_plan_mtu(struct network_plan *p, uint32_t egress_mtu, const struct network_plan *was)
{
	bool was_set = was && was->bridge.mtu; /* was may be p */
	if (!p->mtu_auto)
		return;
	if (egress_mtu && egress_mtu < MTU_MIN_IP6)
		egress_mtu = MTU_MIN_IP6;
	if (egress_mtu > MTU_AUTO_MAX || egress_mtu == MTU_DEFAULT)
		egress_mtu = 0;
	p->mtu = p->bridge.mtu = egress_mtu;
	if (!egress_mtu && was_set)
		p->mtu = p->bridge.mtu = MTU_DEFAULT;
}

bool network_plan_peers(struct network_plan *p, const struct netdef *live, const struct model *m,
			struct elements *ret_was)
{
	const struct netdef_rare *x = netdef_rare(live);
	struct elements now = { .cnt = 0 };
	for (size_t i = 0; p->own_bridge && i < x->accept_cnt; i++) {
		const struct network *other = model_network_by_name(m, x->accepts[i].network);
		struct nat_config cfg = new_config(NAT_PEER);
		if (!other || !other->plan || !other->plan->own_bridge || !other->bridge[0])
			continue;
		nd_strcpy(cfg.peer.from, sizeof cfg.peer.from, other->bridge);
		nd_strcpy(cfg.peer.to, sizeof cfg.peer.to, p->bridge.name);
		elements_add(&now, &cfg);
	}
	if (elements_equal(&now, &p->peers)) {
		elements_done(&now);
		return false;
	}
	*ret_was = p->peers;
	p->peers = now;
	return true;
}

const struct plan_group *network_plan_group(const struct network_plan *p, const char *portgroup)
{
	for (size_t i = 1; i < p->group_cnt; i++) {
		if (portgroup && *portgroup ? !strcmp(p->groups[i].name, portgroup) : p->groups[i].is_default)
			return &p->groups[i];
	}
	return portgroup && *portgroup ? NULL : &p->groups[0];
}

bool network_plan_return_routes(const struct network_plan *p, char *buf, size_t size)
{
	const struct nat_network *n = p->elements.cnt ? &p->elements.p[0].network : NULL;
	size_t used = 0;
	buf[0] = '\0';
	for (size_t i = 0; n && i < p->bridge.address_cnt; i++) {
		const struct nd_prefix subnet = nd_prefix_network(&p->addresses[i]);
		bool ip4 = subnet.ip.family == AF_INET;
		char text[ND_PREFIX_STRLEN];
		if ((ip4 ? n->forward4 : n->forward6) == NAT_FORWARD_ROUTE && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
						 nd_prefix_to_string(&subnet, text));
	}
	return used > 0;
}

static int copy_ranges(const struct netdef_ip *ip, struct dhcp_network *d)
{
	struct dhcp_range *ranges = calloc(ip->range_cnt + 1, sizeof *ranges);
	if (!ranges)
		return ND_MEMORY;
	for (size_t i = 0; i < ip->range_cnt; i++) {
		ranges[i] = (struct dhcp_range){
			.first_ip4 = nd_ip_to_ip4(&ip->ranges[i].start),
			.last_ip4 = nd_ip_to_ip4(&ip->ranges[i].end),
			.lease_s = ip->ranges[i].lease_s,
		};
	}
	d->ranges = ranges;
	d->range_cnt = (uint32_t)ip->range_cnt;
	return 0;
}

static int copy_hosts(const struct netdef_ip *ip, struct dhcp_network *d)
{
	struct dhcp_host *hosts = calloc(ip->host_cnt + 1, sizeof *hosts);
	if (!hosts)
		return ND_MEMORY;
	for (size_t i = 0; i < ip->host_cnt; i++) {
		const struct netdef_host *h = &ip->hosts[i];
		hosts[i] = (struct dhcp_host){
			.has_mac = h->has_mac,
			.mac = h->mac,
			.ip4 = nd_ip_to_ip4(&h->ip),
			.lease_s = h->lease_s,
		};
		nd_strcpy(hosts[i].name, sizeof hosts[i].name, h->name ? h->name : "");
		uint8_t id[255];
		size_t id_len = h->client_id ? netdef_client_id(h->client_id, id) : 0;
		if (id_len)
			dhcp_identity_from_client_id(id, id_len, &hosts[i].client_id);
	}
	d->hosts = hosts;
	d->host_cnt = (uint32_t)ip->host_cnt;
	return 0;
}

/* What guests can reach by a gateway on their own network; more than an option holds are not told. */
static int copy_routes(const struct netdef *live, struct dhcp_network *d)
{
	const struct netdef_rare *x = netdef_rare(live);
	struct dhcp_route *routes = calloc(DHCP_ROUTES_MAX, sizeof *routes);
	if (!routes)
		return ND_MEMORY;
	uint32_t mask = nd_ip4_mask(d->prefix_len), cnt = 0;
	for (size_t i = 0; i < x->route_cnt && cnt < DHCP_ROUTES_MAX; i++) {
		const struct netdef_route *r = &x->routes[i];
		if (r->address.ip.family != AF_INET || r->gateway.family != AF_INET)
			continue;
		uint32_t gateway = nd_ip_to_ip4(&r->gateway);
		if (((gateway ^ d->address_ip4) & mask) == 0)
			routes[cnt++] = (struct dhcp_route){ .ip4 = nd_ip_to_ip4(&r->address.ip) &
								    nd_ip4_mask(r->address.len),
							     .prefix_len = r->address.len,
							     .gateway_ip4 = gateway };
	}
	d->routes = routes;
	d->route_cnt = cnt;
	return 0;
}

_Static_assert((int)NETDEF_BOOT_CNT_ == (int)DHCP_BOOT_CNT_ && (int)NETDEF_BOOT_IPXE == (int)DHCP_BOOT_IPXE &&
		       (int)NETDEF_BOOT_BIOS == (int)DHCP_BOOT_BIOS &&
		       (int)NETDEF_BOOT_ARM64_HTTP == (int)DHCP_BOOT_ARM64_HTTP,
	       "kinds of boot files are the same in both");

static int copy_boots(const struct netdef_ip *ip, struct dhcp_network *d)
{
	struct dhcp_boot *boots = calloc(ip->boot_cnt + 1, sizeof *boots);
	if (!boots)
		return ND_MEMORY;
	if (ip->bootp_file)
		nd_strcpy(boots[d->boot_cnt++].file, DHCP_BOOT_FILE_MAX, ip->bootp_file);
	for (size_t i = 0; i < ip->boot_cnt; i++, d->boot_cnt++) {
		boots[d->boot_cnt].kind = ip->boots[i].arch;
		nd_strcpy(boots[d->boot_cnt].file, DHCP_BOOT_FILE_MAX, ip->boots[i].file);
	}
	d->boots = boots;
	if (d->boot_cnt)
		d->next_server_ip4 =
			ip->bootp_server.family ? nd_ip_to_ip4(&ip->bootp_server) : d->address_ip4;
	return 0;
}

/* Whether every port is netd's and sends with no MAC but its own. */
static bool all_guarded(const struct network *n)
{
	const struct port *p;
	nd_list_foreach(p, &n->ports, siblings) {
		if (!p->mac_guard)
			return false;
	}
	return n->foreign_ports == 0;
}

int plan_dhcp(const struct network *n, const struct plan_host *host, struct dhcp_network *ret,
	      struct nd_error *e)
{
	const struct netdef *live = n->live;
	const struct netdef_ip *ip = dhcp_ip(live);
	const struct forward_row *row = &forward_rows[live->forward];
	if (!ip || !has_host(live))
		return nd_fail(e, ND_NOT_FOUND, "no DHCP on this network");
	struct dhcp_network d = {
		.id = n->id,
		.uuid = n->uuid,
		.ifindex = n->ifindex,
		.server_mac = live->mac,
		.address_ip4 = nd_ip_to_ip4(&ip->address.ip),
		.prefix_len = ip->address.len,
		.mtu = (uint16_t)n->plan->mtu,
		.lease_s = DHCP_LEASE_DEFAULT_S,
		/* With every port netd's and guarded nobody can hold an address that was never leased. */
		.probe = host->arp_probe && !all_guarded(n),
	};
	if (row->router)
		d.router_ip4 = d.address_ip4;
	if (n->dns_serves && n->plan->dns)
		d.dns_ip4[d.dns_cnt++] = d.address_ip4;
	for (size_t i = 0; row->router && live->dns_enable && !n->dns_serves && i < host->resolver_cnt; i++)
		d.dns_ip4[d.dns_cnt++] = host->resolver_ip4[i];
	nd_strcpy(d.domain, sizeof d.domain, live->domain ? live->domain : "");
	if (copy_ranges(ip, &d) < 0 || copy_hosts(ip, &d) < 0 || copy_routes(live, &d) < 0 ||
	    copy_boots(ip, &d) < 0) {
		plan_dhcp_done(&d);
		return nd_fail(e, ND_MEMORY, "DHCP configuration");
	}
	*ret = d;
	return 0;
}

void plan_dhcp_done(struct dhcp_network *d)
{
	free((void *)d->ranges);
	free((void *)d->hosts);
	free((void *)d->routes);
	free((void *)d->boots);
	d->ranges = NULL;
	d->hosts = NULL;
	d->routes = NULL;
	d->boots = NULL;
}

void plan_dhcp_port(const struct port *p, struct dhcp_port *ret)
{
	*ret = (struct dhcp_port){
		.mark = p->mark, .network_id = p->network->id, .uuid = p->identity, .mac = p->mac
	};
	nd_strcpy(ret->name, sizeof ret->name, p->name);
}

/* Ports of a network whose guests are told less can do 1500 all the same. */
static uint32_t port_mtu(const struct network_plan *p)
{
	return p->mtu_auto && p->mtu < MTU_DEFAULT ? 0 : p->mtu;
}

/* A portgroup that is gone leaves its ports to the network's own settings. */
static void plan_tap_network(const struct port *p, const struct network_plan *plan, struct tap_config *ret)
{
	const struct plan_group *g = network_plan_group(plan, p->portgroup);
	if (!g)
		g = &plan->groups[0];
	ret->mtu = port_mtu(plan);
	ret->isolated = plan->isolated_ports;
	ret->fixed_guest = plan->fixed_guests;
	ret->guest = p->mac;
	ret->vlans = g->vlans;
	ret->vlan_cnt = g->vlan_cnt;
}

void plan_tap(const struct port *p, struct tap_config *ret)
{
	*ret = (struct tap_config){
		.mac = p->mac,
		.queue_cnt = p->queue_cnt,
		.vnet_hdr = p->vnet_hdr,
		.master = p->network->ifindex,
	};
	if (p->network->plan)
		plan_tap_network(p, p->network->plan, ret);
	ret->mac.b[0] = 0xfe;
	nd_strcpy(ret->name, sizeof ret->name, p->ifname);
	nd_alias_format(&p->network->uuid, &p->uuid, ret->alias);
}

void plan_macvtap(const struct port *p, uint32_t lower_mtu, struct macvtap_config *ret)
{
	*ret = (struct macvtap_config){
		.mac = p->mac,
		.mtu = lower_mtu,
		.queue_cnt = p->queue_cnt,
		.vnet_hdr = p->vnet_hdr,
		.lower = p->lower,
		.mode = p->network->plan ? p->network->plan->macvtap_mode : MACVTAP_PRIVATE,
	};
	nd_strcpy(ret->name, sizeof ret->name, p->ifname);
	nd_alias_format(&p->network->uuid, &p->uuid, ret->alias);
}

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

static const struct forward_row {
	enum nat_forward nat;
	bool ip4_forward; /* the kernel must forward IPv4 */
	bool router;      /* guests get us as their router and the resolvers: there is a way out */
} forward_rows[] = {
	[NETDEF_FORWARD_NONE] = { NAT_FORWARD_ISOLATED, false, false },
	[NETDEF_FORWARD_NAT] = { NAT_FORWARD_NAT, true, true },
};

static const struct netdef_ip *dhcp_ip(const struct netdef *d)
{
	for (size_t i = 0; i < d->ip_cnt; i++) {
		if (d->ips[i].dhcp && d->ips[i].address.ip.family == AF_INET)
			return &d->ips[i];
	}
	return NULL;
}

int network_plan(const struct netdef *live, struct network_plan **ret, struct nd_error *e)
{
	const struct forward_row *row = &forward_rows[live->forward];
	struct network_plan *p = calloc(1, sizeof *p + live->ip_cnt * sizeof p->addresses[0]);
	if (!p)
		return nd_fail(e, ND_MEMORY, "plan of the network");
	for (size_t i = 0; i < live->ip_cnt; i++)
		p->addresses[p->address_cnt++] = live->ips[i].address;
	p->bridge = (struct bridge_config){
		.mac = live->mac,
		.mtu = live->mtu,
		.stp = live->stp,
		.forward_delay_s = live->delay_s,
		.addresses = p->addresses,
		.address_cnt = p->address_cnt,
	};
	nd_strcpy(p->bridge.name, sizeof p->bridge.name, live->bridge);
	nd_alias_format(&live->uuid, NULL, p->bridge.alias);
	p->dhcp = dhcp_ip(live) != NULL;
	p->ip4_forward = row->ip4_forward;
	p->nat = (struct nat_config){
		.kind = NAT_NETWORK,
		.network = { .forward4 = row->nat, .dhcp = p->dhcp },
	};
	nd_strcpy(p->nat.network.bridge, sizeof p->nat.network.bridge, live->bridge);
	*ret = p;
	return 0;
}

void network_plan_free(struct network_plan *p)
{
	free(p);
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
	}
	d->hosts = hosts;
	d->host_cnt = (uint32_t)ip->host_cnt;
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
	if (!ip)
		return nd_fail(e, ND_NOT_FOUND, "no DHCP on this network");
	struct dhcp_network d = {
		.id = n->id,
		.uuid = n->uuid,
		.ifindex = n->ifindex,
		.server_mac = live->mac,
		.address_ip4 = nd_ip_to_ip4(&ip->address.ip),
		.prefix_len = ip->address.len,
		.mtu = (uint16_t)live->mtu,
		.lease_s = DHCP_LEASE_DEFAULT_S,
		/* With every port netd's and guarded nobody can hold an address that was never leased. */
		.probe = host->arp_probe && !all_guarded(n),
	};
	if (row->router) {
		d.router_ip4 = d.address_ip4;
		for (size_t i = 0; live->dns_enable && i < host->resolver_cnt; i++)
			d.dns_ip4[d.dns_cnt++] = host->resolver_ip4[i];
	}
	nd_strcpy(d.domain, sizeof d.domain, live->domain ? live->domain : "");
	if (copy_ranges(ip, &d) < 0 || copy_hosts(ip, &d) < 0) {
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
	d->ranges = NULL;
	d->hosts = NULL;
}

void plan_dhcp_port(const struct port *p, struct dhcp_port *ret)
{
	*ret = (struct dhcp_port){
		.mark = p->mark, .network_id = p->network->id, .uuid = p->uuid, .mac = p->mac
	};
	nd_strcpy(ret->name, sizeof ret->name, p->name);
}

void plan_tap(const struct port *p, struct tap_config *ret)
{
	*ret = (struct tap_config){
		.mac = p->mac,
		.mtu = p->network->live ? p->network->live->mtu : 0,
		.queue_cnt = p->queue_cnt,
		.vnet_hdr = p->vnet_hdr,
		.master = p->network->ifindex,
	};
	ret->mac.b[0] = 0xfe;
	nd_strcpy(ret->name, sizeof ret->name, p->ifname);
	nd_alias_format(&p->network->uuid, &p->uuid, ret->alias);
}

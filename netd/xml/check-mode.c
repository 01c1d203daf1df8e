// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what the forward mode needs and excludes, and what refers to another part
 *
 * One row per forward mode says what may stand in such a network; the rules below ask it. Networks of the
 * virtual modes have a bridge of their own, made by netd, with all that hangs on it; those of the others plug
 * guests into something that is there. Texts are libvirt's.
 */
#include "netd/xml/rows.h"

static const struct mode_row {
	bool needs_ip;
	bool own;         /* has a bridge of its own: addresses, DNS, MTU, MAC, STP */
	bool bridge_name; /* may name a bridge */
	bool dev;         /* forward interfaces, or @dev */
	bool pool;        /* several of them, or a PF */
	bool vlan;        /* tags its ports' frames; own bridges as libvirt does since 11.0 */
} modes[] = {
	[NETDEF_FORWARD_NONE] = { .own = true, .bridge_name = true, .vlan = true },
	[NETDEF_FORWARD_NAT] = { .needs_ip = true,
				 .own = true,
				 .bridge_name = true,
				 .dev = true,
				 .vlan = true },
	[NETDEF_FORWARD_ROUTE] = { .needs_ip = true,
				   .own = true,
				   .bridge_name = true,
				   .dev = true,
				   .vlan = true },
	[NETDEF_FORWARD_OPEN] = { .needs_ip = true, .own = true, .bridge_name = true, .vlan = true },
	[NETDEF_FORWARD_BRIDGE] = { .bridge_name = true, .dev = true, .pool = true, .vlan = true },
	[NETDEF_FORWARD_PRIVATE] = { .dev = true, .pool = true },
	[NETDEF_FORWARD_VEPA] = { .dev = true, .pool = true },
	[NETDEF_FORWARD_PASSTHROUGH] = { .dev = true, .pool = true, .vlan = true },
	[NETDEF_FORWARD_HOSTDEV] = { .dev = true, .pool = true, .vlan = true },
};

const char *netdef_mode_name(const struct netdef *d)
{
	return d->forward == NETDEF_FORWARD_NONE ? "none" : netdef_forward_to_string(d->forward);
}

static int check_uplinks(const struct netdef *d, const struct mode_row *m, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);

	if (x->uplink_cnt && !m->dev)
		return nd_fail(e, ND_INVALID,
			       "forward dev not allowed for network '%s' with forward mode='%s'", d->name,
			       netdef_mode_name(d));
	if (x->uplink_cnt > 1 && !m->pool)
		return nd_fail(
			e, ND_INVALID,
			"multiple forwarding interfaces specified for network '%s', only one is supported",
			d->name);
	for (size_t i = 0; i < x->uplink_cnt; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(x->uplinks[i].dev, x->uplinks[j].dev) == 0)
				return nd_fail(e, ND_INVALID,
					       "interface '%s' can only be listed once in network %s",
					       x->uplinks[i].dev, d->name);
	return 0;
}

static int check_pool(const struct netdef *d, const struct mode_row *m, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	bool hostdev = d->forward == NETDEF_FORWARD_HOSTDEV;

	if ((x->uplink_cnt > 0) + (x->pci_cnt > 0) + (x->pf[0] != '\0') > 1)
		return nd_fail(
			e, ND_INVALID,
			"<address>, <interface>, and <pf> elements of <forward> in network %s are mutually "
			"exclusive",
			d->name);
	if (hostdev && x->uplink_cnt)
		return nd_fail(e, ND_INVALID,
			       "hostdev network '%s' lists '%s' in the device pool, but hostdev networks "
			       "require all "
			       "devices to be listed by PCI address, not network device name",
			       d->name, x->uplinks[0].dev);
	if (!hostdev && x->pci_cnt)
		return nd_fail(
			e, ND_INVALID,
			"network '%s' has forward mode '%s' but lists a device by PCI address in the device "
			"pool. This is only supported for networks with forward mode 'hostdev'",
			d->name, netdef_mode_name(d));
	if (x->pf[0] && !m->pool)
		return nd_fail(e, ND_INVALID, "Unsupported <pf> element in network %s with forward mode='%s'",
			       d->name, netdef_mode_name(d));
	if (x->driver && !hostdev)
		return nd_fail(e, ND_INVALID,
			       "Unsupported <driver> element in network %s with forward mode='%s'", d->name,
			       netdef_mode_name(d));
	return 0;
}

static int check_bridge(const struct netdef *d, const struct mode_row *m, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);

	if (!m->own && (d->stp || d->delay_s || x->zone))
		return nd_fail(e, ND_INVALID,
			       "bridge delay/stp/zone options only allowed in route, nat, and isolated mode, "
			       "not in %s "
			       "(network '%s')",
			       netdef_mode_name(d), d->name);
	if (d->bridge[0] && !m->bridge_name)
		return nd_fail(e, ND_INVALID, "bridge name not allowed in %s mode (network '%s')",
			       netdef_mode_name(d), d->name);
	if (d->mac_table && !m->bridge_name)
		return nd_fail(e, ND_INVALID,
			       "bridge macTableManager setting not allowed in %s mode (network '%s')",
			       netdef_mode_name(d), d->name);
	if (!m->own && d->bridge[0] && (x->uplink_cnt || x->pf[0]))
		return nd_fail(e, ND_INVALID,
			       "A network with forward mode='%s' can specify a bridge name or a forward dev, "
			       "but not "
			       "both (network '%s')",
			       netdef_mode_name(d), d->name);
	if (d->mtu && !m->own)
		return nd_fail(e, ND_INVALID,
			       "mtu size only allowed in open, route, nat, and isolated mode, not in %s "
			       "(network '%s')",
			       netdef_mode_name(d), d->name);
	return 0;
}

/* What only a bridge of its own can have. */
static int check_own(const struct netdef *d, const struct mode_row *m, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	const struct {
		bool given;
		const char *element;
	} owns[] = {
		{ d->mac_set, "mac" },
		{ d->ip_cnt > 0, "ip" },
		{ x->txt_cnt || x->dns_host_cnt || x->srv_cnt || x->forwarder_cnt, "dns" },
		{ d->domain != NULL, "domain" },
		{ x->route_cnt > 0, "route" },
	};

	for (size_t i = 0; i < ARRAY_LEN(owns) && !m->own; i++)
		if (owns[i].given)
			return nd_fail(e, ND_INVALID,
				       "Unsupported <%s> element in network %s with forward mode='%s'",
				       owns[i].element, d->name, netdef_mode_name(d));
	return 0;
}

static bool has_bandwidth(const struct netdef_bandwidth *b)
{
	return b->inbound.average || b->outbound.average;
}

static int check_bandwidth(const struct netdef *d, const struct mode_row *m, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);

	if (m->own || d->bridge[0])
		return 0;
	if (has_bandwidth(&x->bandwidth))
		return nd_fail(
			e, ND_INVALID,
			"Unsupported network-wide <bandwidth> element in network %s with forward mode='%s'",
			d->name, netdef_mode_name(d));
	for (size_t i = 0; i < x->portgroup_cnt; i++)
		if (has_bandwidth(&x->portgroups[i].bandwidth))
			return nd_fail(e, ND_INVALID,
				       "Unsupported <bandwidth> element in network '%s' in portgroup '%s' "
				       "with forward "
				       "mode='%s'",
				       d->name, x->portgroups[i].name, netdef_mode_name(d));
	return 0;
}

int netdef_check_mode(const struct netdef *d, struct nd_error *e)
{
	static int (*const checks[])(const struct netdef *d, const struct mode_row *m, struct nd_error *e) = {
		check_uplinks, check_pool, check_bridge, check_own, check_bandwidth,
	};
	const struct netdef_rare *x = netdef_rare(d);
	const struct mode_row *m = &modes[d->forward];
	int err = 0;

	if (m->needs_ip && d->ip_cnt == 0)
		return nd_fail(e, ND_INVALID,
			       "%s forwarding requested, but no IP address provided for network '%s'",
			       netdef_mode_name(d), d->name);
	for (size_t i = 0; i < ARRAY_LEN(checks) && err == 0; i++)
		err = checks[i](d, m, e);
	if (err == 0 && !d->dns_enable && (x->forwarder_cnt || x->txt_cnt || x->srv_cnt || x->dns_host_cnt))
		return nd_fail(e, ND_INVALID, "Extra data in disabled network '%s'", d->name);
	return err;
}

static bool is_reachable(const struct netdef *d, const struct nd_ip *gateway)
{
	for (size_t i = 0; i < d->ip_cnt; i++)
		if (nd_prefix_contains_ip(&d->ips[i].address, gateway))
			return true;
	return false;
}

static int check_portgroups(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	const struct netdef_portgroup *first_default = NULL;

	for (size_t i = 0; i < x->portgroup_cnt; i++) {
		const struct netdef_portgroup *p = &x->portgroups[i];

		if (p->is_default && first_default)
			return nd_fail(e, ND_INVALID,
				       "network '%s' has multiple default <portgroup> elements (%s and %s), "
				       "but only one "
				       "default is allowed",
				       d->name, first_default->name, p->name);
		if (p->is_default)
			first_default = p;
		for (size_t j = 0; j < i; j++)
			if (strcmp(p->name, x->portgroups[j].name) == 0)
				return nd_fail(e, ND_INVALID,
					       "multiple <portgroup> elements with the same name (%s) in "
					       "network '%s'",
					       p->name, d->name);
	}
	return 0;
}

static int check_vlans(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	bool used = x->vlan.tag_cnt > 0;

	for (size_t i = 0; i < x->portgroup_cnt; i++)
		used = used || x->portgroups[i].vlan.tag_cnt > 0;
	if (used && !modes[d->forward].vlan)
		return nd_fail(e, ND_INVALID,
			       "<vlan> element specified for network %s, whose type doesn't support vlan "
			       "configuration",
			       d->name);
	return 0;
}

int netdef_check_links(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	char gateway[ND_IP_STRLEN];
	int err;

	for (size_t i = 0; i < x->route_cnt; i++)
		if (!is_reachable(d, &x->routes[i].gateway))
			return nd_fail(e, ND_INVALID,
				       "unreachable static route gateway '%s' specified for network '%s'",
				       nd_ip_to_string(&x->routes[i].gateway, gateway), d->name);
	err = check_portgroups(d, e);
	return err < 0 ? err : check_vlans(d, e);
}

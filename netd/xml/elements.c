// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what the parts of one element must be to each other
 *
 * The rules that the parser applies to an element while it has its line: after its attributes (done), or at
 * its end, when its children are known (end). What needs more of the definition than that is in check.c.
 * Texts are libvirt's where it has the rule.
 */
#include "netd/xml/rows.h"

#define NET ROW_NAME_MARK

/* The subnet length: at most one of the two ways to write it, the class's where there is none. */
ROW_RULE(netdef_ip_done)
{
	struct netdef_ip *ip = obj;
	bool v6 = ip->address.ip.family == AF_INET6;
	char text[ND_IP_STRLEN];

	nd_ip_to_string(&ip->address.ip, text);
	if (v6 && ip->family != NETDEF_FAMILY_IPV6)
		return nd_fail(e, ND_INVALID,
			       "%s family specified for non-IPv4 address '%s' in network '" NET "'",
			       ip->family == NETDEF_FAMILY_IPV4 ? "ipv4" : "no", text);
	if (!v6 && ip->family == NETDEF_FAMILY_IPV6)
		return nd_fail(e, ND_INVALID,
			       "Family 'ipv6' specified for non-IPv6 address '%s' in network '" NET "'",
			       text);
	if (v6 && ip->netmask_given)
		return nd_fail(e, ND_INVALID,
			       "netmask not allowed for IPv6 address '%s' in network '" NET "'", text);
	if (ip->prefix_given && ip->netmask_given)
		return nd_fail(e, ND_INVALID,
			       "Network '" NET "' IP address cannot have both a prefix and a netmask");
	if (!ip->prefix_given && !ip->netmask_given)
		ip->address.len = netdef_classful_len(&ip->address.ip);
	return 0;
}

/* libvirt keeps BOOTP only where there is DHCP for it, and a file. */
ROW_RULE(netdef_ip_end)
{
	struct netdef_ip *ip = obj;
	bool v4 = ip->address.ip.family == AF_INET;

	if (!v4 && ip->tftp_root)
		return nd_fail(e, ND_INVALID,
			       "Unsupported <tftp> element in an IPv6 element in network '" NET "'");
	if (ip->boot_cnt && !(v4 && ip->dhcp))
		return nd_fail(e, ND_INVALID,
			       "<netd:boot> without IPv4 ranges and hosts beside it in network '" NET "'");
	if (ip->bootp_file || ip->bootp_server.family) {
		if (v4 && ip->dhcp && (ip->bootp_file || ip->boot_cnt))
			return 0;
		free(ip->bootp_file);
		ip->bootp_file = NULL;
		memset(&ip->bootp_server, 0, sizeof ip->bootp_server);
		*note = "<bootp> without a file, or without IPv4 ranges and hosts, has no effect";
	}
	return 0;
}

static int add_uplink(struct netdef *d, struct nd_error *e)
{
	struct netdef_uplink *first = row_list_append(row_find("network/forward/interface"), d);

	if (!first)
		return nd_fail(e, ND_MEMORY, "forward interface");
	nd_strcpy(first->dev, sizeof first->dev, d->rare->forward_dev);
	return 0;
}

/* forward@dev and the first <interface> are two ways to say one thing. */
ROW_RULE(netdef_forward_end)
{
	struct netdef *d = obj;
	struct netdef_rare *x = d->rare;
	int err = 0;

	if (!x)
		return 0;
	if (x->forward_dev[0] && x->uplink_cnt == 0)
		err = add_uplink(d, e);
	else if (x->forward_dev[0] && strcmp(x->forward_dev, x->uplinks[0].dev) != 0)
		err = nd_fail(e, ND_INVALID,
			      "<forward dev='%s'> must match first <interface dev='%s'/> in network " NET,
			      x->forward_dev, x->uplinks[0].dev);
	x->forward_dev[0] = '\0';
	if (d->forward != NETDEF_FORWARD_HOSTDEV && x->managed) {
		x->managed = false;
		*note = "managed='yes' is for mode 'hostdev'";
	}
	return err;
}

ROW_RULE(netdef_nat_done)
{
	const struct netdef *d = obj;

	if (d->forward != NETDEF_FORWARD_NAT)
		return nd_fail(
			e, ND_INVALID,
			"The <nat> element can only be used when <forward> 'mode' is 'nat' in network " NET);
	return 0;
}

ROW_RULE(netdef_nat_address_done)
{
	const struct netdef_rare *x = netdef_rare(obj);
	char a[ND_IP_STRLEN], b[ND_IP_STRLEN];

	nd_ip_to_string(&x->nat_start, a);
	nd_ip_to_string(&x->nat_end, b);
	if (x->nat_start.family != AF_INET)
		return nd_fail(e, ND_INVALID,
			       "Bad ipv4 start address '%s' in <nat> in <forward> in network '" NET "'", a);
	if (x->nat_end.family != AF_INET)
		return nd_fail(e, ND_INVALID,
			       "Bad ipv4 end address '%s' in <nat> in <forward> in network '" NET "'", b);
	if (nd_ip_to_ip4(&x->nat_start) > nd_ip_to_ip4(&x->nat_end))
		return nd_fail(e, ND_INVALID, "range %s - %s is reversed ", a, b);
	return 0;
}

ROW_RULE(netdef_nat_port_done)
{
	const struct netdef_rare *x = netdef_rare(obj);

	if (x->nat_port_end < x->nat_port_start)
		return nd_fail(
			e, ND_INVALID,
			"Missing or invalid 'end' attribute in <port> in <nat> in <forward> in network " NET);
	return 0;
}

ROW_RULE(netdef_forwarder_done)
{
	const struct netdef_forwarder *f = obj;

	if (!f->domain && !f->addr.family)
		return nd_fail(e, ND_INVALID,
			       "Invalid forwarder element, must contain at least one of addr or domain");
	return 0;
}

ROW_RULE(netdef_srv_done)
{
	const struct netdef_srv *s = obj;
	const char *alone = s->port ? "port" : s->priority ? "priority" : s->weight ? "weight" : NULL;

	if (!s->target && alone)
		return nd_fail(
			e, ND_INVALID,
			"DNS SRV %s attribute not permitted without target for service '%s' in network "
			"'" NET "'",
			alone, s->service ? s->service : "");
	return 0;
}

static int route_family(const struct netdef_route *r, const char *address, struct nd_error *e)
{
	bool v6 = r->address.ip.family == AF_INET6, gateway_v6 = r->gateway.family == AF_INET6;
	const char *said = r->family == NETDEF_FAMILY_IPV4 ? "IPv4" : "No";
	char gateway[ND_IP_STRLEN];

	nd_ip_to_string(&r->gateway, gateway);
	if (r->family == NETDEF_FAMILY_IPV6) {
		if (!v6)
			return nd_fail(
				e, ND_INVALID,
				NET ": ipv6 family specified for non-IPv6 address '%s' in route definition",
				address);
		if (r->netmask_given)
			return nd_fail(
				e, ND_INVALID,
				NET ": Specifying netmask invalid for IPv6 address '%s' in route definition",
				address);
		if (!gateway_v6)
			return nd_fail(
				e, ND_INVALID,
				NET ": ipv6 specified for non-IPv6 gateway address '%s' in route definition",
				gateway);
	} else if (v6) {
		return nd_fail(e, ND_INVALID,
			       NET ": %s family specified for non-IPv4 address '%s' in route definition",
			       said, address);
	} else if (gateway_v6) {
		return nd_fail(e, ND_INVALID,
			       NET ": %s family specified for non-IPv4 gateway '%s' in route definition",
			       said, gateway);
	}
	return 0;
}

/* Without a length it is 0, thus the default route; any other address then has host bits. */
ROW_RULE(netdef_route_done)
{
	const struct netdef_route *route = obj;
	struct nd_prefix network = nd_prefix_network(&route->address);
	char address[ND_IP_STRLEN];

	nd_ip_to_string(&route->address.ip, address);
	if (route_family(route, address, e) < 0)
		return ND_INVALID;
	if (route->prefix_given && route->netmask_given)
		return nd_fail(e, ND_INVALID,
			       NET ": Route definition cannot have both a prefix and a netmask");
	if (!nd_ip_equal(&network.ip, &route->address.ip))
		return nd_fail(e, ND_INVALID,
			       NET ": Address '%s' in route definition is not a network address", address);
	return 0;
}

ROW_RULE(netdef_vlan_end)
{
	struct netdef_vlan *vlan = row_field(r, obj);
	unsigned native = 0;

	for (size_t i = 0; i < vlan->tag_cnt; i++)
		native += vlan->tags[i].native != NETDEF_NATIVE_NONE;
	if (native > 1)
		return nd_fail(e, ND_INVALID, "duplicate native vlan setting");
	if (vlan->trunk == NETDEF_NO && vlan->tag_cnt > 1)
		return nd_fail(e, ND_INVALID,
			       "invalid \"trunk='no'\" in <vlan> - trunk='yes' is required for more than one "
			       "vlan tag");
	if (vlan->trunk == NETDEF_NO && native)
		return nd_fail(
			e, ND_INVALID,
			"invalid configuration in <vlan> - \"trunk='no'\" is not allowed with a native "
			"vlan id");
	vlan->trunk = vlan->tag_cnt > 1 || vlan->trunk == NETDEF_YES ? NETDEF_YES : NETDEF_UNSAID;
	return 0;
}

/* Which parameters each type has. */
enum {
	HAS_8021QBG = 1, /* managerid, typeid, typeidversion, instanceid */
	HAS_PROFILE = 2,
	HAS_INTERFACE = 4,
};
static const unsigned virtualport_has[] = {
	[NETDEF_VIRTUALPORT_NONE] = HAS_8021QBG | HAS_PROFILE | HAS_INTERFACE,
	[NETDEF_VIRTUALPORT_8021QBG] = HAS_8021QBG,
	[NETDEF_VIRTUALPORT_8021QBH] = HAS_PROFILE,
	[NETDEF_VIRTUALPORT_OPENVSWITCH] = HAS_PROFILE | HAS_INTERFACE,
	[NETDEF_VIRTUALPORT_MIDONET] = HAS_INTERFACE,
};

#define PROFILE_8021QBH_MAX 39

ROW_RULE(netdef_virtualport_end)
{
	const struct netdef_virtualport *v = row_field(r, obj);
	const struct {
		const char *name;
		bool given;
		unsigned of;
	} parameters[] = {
		{ "managerid", v->managerid_given, HAS_8021QBG },
		{ "typeid", v->typeid_given, HAS_8021QBG },
		{ "typeidversion", v->typeidversion_given, HAS_8021QBG },
		{ "instanceid", v->instanceid_given, HAS_8021QBG },
		{ "profileid", v->profileid != NULL, HAS_PROFILE },
		{ "interfaceid", v->interfaceid_given, HAS_INTERFACE },
	};
	char scratch[ROW_SCRATCH_LEN];

	for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
		if (parameters[i].given && !(virtualport_has[v->type] & parameters[i].of))
			return nd_fail(e, ND_INVALID, "extra %s unsupported in <virtualport type='%s'>",
				       parameters[i].name, r[1].type->format(&r[1], obj, scratch));
	if (v->type == NETDEF_VIRTUALPORT_8021QBH && v->profileid &&
	    strlen(v->profileid) > PROFILE_8021QBH_MAX)
		return nd_fail(e, ND_INVALID, "profileid parameter too long");
	return 0;
}

static const char *const protocol_needed = "a port needs protocol='tcp' or protocol='udp'";

int netdef_egress_rule_check(const struct netdef_egress_rule *r, struct nd_error *e)
{
	if (r->port_end && !r->port)
		return nd_fail(e, ND_INVALID, "end='%u' needs a port to begin with", r->port_end);
	if (r->port && !r->protocol)
		return nd_fail(e, ND_INVALID, "%s", protocol_needed);
	if (r->port_end && r->port_end < r->port)
		return nd_fail(e, ND_INVALID, "ports %u to %u are reversed", r->port, r->port_end);
	return 0;
}

ROW_RULE(netdef_allow_done)
{
	return netdef_egress_rule_check(obj, e);
}

ROW_RULE(netdef_egress_end)
{
	const struct netdef_policy *policy = row_field(r, obj);

	if (policy->rule_cnt && policy->egress != NETDEF_EGRESS_LIST)
		return nd_fail(e, ND_INVALID, "<netd:allow> needs policy='list', not '%s'",
			       netdef_egress_policy_to_string(policy->egress));
	return 0;
}

ROW_RULE(netdef_publish_done)
{
	return netdef_publish_check(obj, e);
}

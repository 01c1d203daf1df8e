// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what netd's own elements must be to the rest of the definition
 *
 * An element that the network's mode could not put in force is refused, as libvirt refuses its own: what
 * protects guests must not be there in writing only. Filters at the port need a TAP, thus a bridge; what is
 * filtered or translated while it is forwarded needs a bridge of netd's own.
 */
#include "netd/xml/rows.h"

/* What is given anywhere, of policies that networks and portgroups have. */
struct policies {
	bool guards, egress;
};

static struct policies policies_of(const struct netdef_rare *x)
{
	struct policies p = { x->policy.guards.given, x->policy.egress != NETDEF_EGRESS_UNSAID };

	for (size_t i = 0; i < x->portgroup_cnt; i++) {
		p.guards = p.guards || x->portgroups[i].policy.guards.given;
		p.egress = p.egress || x->portgroups[i].policy.egress != NETDEF_EGRESS_UNSAID;
	}
	return p;
}

static int check_places(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	struct policies p = policies_of(x);
	bool own = netdef_forward_is_virtual(d->forward), tap = own || d->bridge[0];
	const struct {
		bool given, allowed;
		const char *element;
	} places[] = {
		{ x->host_access != NETDEF_HOST_ACCESS_UNSAID, own, "netd:hostAccess" },
		{ x->source_cnt > 0, d->forward == NETDEF_FORWARD_NAT, "netd:source" },
		{ x->accept_cnt > 0, own, "netd:accept" },
		{ p.guards, tap, "netd:guards" },
		{ p.egress, own, "netd:egress" },
		{ x->allowed_cnt > 0, tap, "netd:address" },
		{ x->publish_cnt > 0, own, "netd:forward" },
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].given && !places[i].allowed)
			return nd_fail(e, ND_INVALID,
				       "Unsupported <%s> element in network %s with forward mode='%s'",
				       places[i].element, d->name, netdef_mode_name(d));
	return 0;
}

/* Without an address of the bridge's the host is no router: nothing is forwarded to or from the guests. */
static int check_host_access(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	const char *what = d->forward != NETDEF_FORWARD_NONE ? "<forward>"
			   : x->accept_cnt                   ? "<netd:accept>"
			   : x->publish_cnt                  ? "<netd:forward>"
							     : NULL;

	if (x->host_access != NETDEF_HOST_ACCESS_NONE || !what)
		return 0;
	return nd_fail(e, ND_INVALID,
		       "<netd:hostAccess mode='none'> in network '%s' leaves its bridge without an address, "
		       "which %s needs",
		       d->name, what);
}

static int check_source(const struct netdef *d, const struct netdef_source *s, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	bool v6 = s->address.family == AF_INET6;
	char text[ND_IP_STRLEN];

	nd_ip_to_string(&s->address, text);
	if (!netdef_is_host_address(&s->address))
		return nd_fail(e, ND_INVALID,
			       "<netd:source address='%s'> in network '%s': not a unicast host address", text,
			       d->name);
	if (!v6 && x->nat_start.family)
		return nd_fail(e, ND_INVALID,
			       "<netd:source address='%s'> and <address> in <nat> of network '%s' say two "
			       "sources for IPv4",
			       text, d->name);
	if (v6 && x->nat_ipv6 != NETDEF_YES)
		return nd_fail(
			e, ND_INVALID,
			"<netd:source address='%s'> in network '%s' needs <nat ipv6='yes'>: IPv6 is not "
			"translated without it",
			text, d->name);
	return 0;
}

static int check_sources(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	int err = 0;

	for (size_t i = 0; i < x->source_cnt && err == 0; i++) {
		err = check_source(d, &x->sources[i], e);
		for (size_t j = 0; j < i && err == 0; j++)
			if (x->sources[i].address.family == x->sources[j].address.family)
				err = nd_fail(e, ND_INVALID,
					      "<netd:source> is given more than once for %s in network '%s'",
					      x->sources[i].address.family == AF_INET6 ? "IPv6" : "IPv4",
					      d->name);
	}
	return err;
}

static int check_accepts(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);

	for (size_t i = 0; i < x->accept_cnt; i++) {
		const char *name = x->accepts[i].network, *why = netdef_name_why(name);

		if (why)
			return nd_fail(e, ND_INVALID, "<netd:accept> in network '%s': %s", d->name, why);
		if (strcmp(name, d->name) == 0)
			return nd_fail(e, ND_INVALID, "<netd:accept network='%s'> names its own network",
				       name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(name, x->accepts[j].network) == 0)
				return nd_fail(
					e, ND_INVALID,
					"<netd:accept network='%s'> is given more than once in network '%s'",
					name, d->name);
	}
	return 0;
}

struct span {
	uint32_t first, last;
};

static struct span ports_of(const struct netdef_egress_rule *r)
{
	uint32_t last = r->port_end ? r->port_end : r->port;

	return r->port ? (struct span){ r->port, last } : (struct span){ 0, UINT16_MAX };
}

/* Whether a says all that b does. */
static bool rule_covers(const struct netdef_egress_rule *a, const struct netdef_egress_rule *b)
{
	struct span x = ports_of(a), y = ports_of(b);

	return nd_prefix_contains(&a->address, &b->address) && (!a->protocol || a->protocol == b->protocol) &&
	       x.first <= y.first && x.last >= y.last;
}

/* The kernel keeps rules as intervals, which lie in each other or beside each other. */
static bool rules_cross(const struct netdef_egress_rule *a, const struct netdef_egress_rule *b)
{
	struct span x = ports_of(a), y = ports_of(b);
	bool overlap = nd_prefix_overlaps(&a->address, &b->address) &&
		       (!a->protocol || !b->protocol || a->protocol == b->protocol) && x.first <= y.last &&
		       y.first <= x.last;

	return overlap && !rule_covers(a, b) && !rule_covers(b, a);
}

static int check_crossing(const struct netdef_policy *p, struct nd_error *e)
{
	char a[ND_PREFIX_STRLEN], b[ND_PREFIX_STRLEN];

	for (size_t i = 0; i < p->rule_cnt; i++)
		for (size_t j = 0; j < i; j++)
			if (rules_cross(&p->rules[i], &p->rules[j]))
				return nd_fail(
					e, ND_INVALID,
					"<netd:allow address='%s'> and <netd:allow address='%s'> overlap in "
					"part: give each destination and port once",
					nd_prefix_to_string(&p->rules[j].address, a),
					nd_prefix_to_string(&p->rules[i].address, b));
	return 0;
}

/* group NULL: the network's. */
static int check_policy(const struct netdef *d, const struct netdef_policy *p, const char *group,
			struct nd_error *e)
{
	int err = 0;

	if (p->rule_cnt && p->egress != NETDEF_EGRESS_LIST)
		err = nd_fail(e, ND_INVALID, "<netd:allow> needs policy='list'");
	for (size_t i = 0; i < p->rule_cnt && err == 0; i++)
		err = netdef_egress_rule_check(&p->rules[i], e);
	if (err == 0)
		err = check_crossing(p, e);
	if (err < 0 && group)
		nd_wrap(e, "<netd:egress> of portgroup '%s' in network '%s'", group, d->name);
	else if (err < 0)
		nd_wrap(e, "<netd:egress> in network '%s'", d->name);
	return err;
}

static int check_policies(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	int err = check_policy(d, &x->policy, NULL, e);

	for (size_t i = 0; i < x->portgroup_cnt && err == 0; i++)
		err = check_policy(d, &x->portgroups[i].policy, x->portgroups[i].name, e);
	return err;
}

static int by_guest(const void *a, const void *b)
{
	const struct netdef_allowed *x = *(const struct netdef_allowed *const *)a,
				    *y = *(const struct netdef_allowed *const *)b;
	int order = strcmp(x->guest, y->guest);

	if (order)
		return order;
	if (x->address.ip.family != y->address.ip.family)
		return x->address.ip.family - y->address.ip.family;
	if (x->address.len != y->address.len)
		return x->address.len - y->address.len;
	return memcmp(x->address.ip.b, y->address.ip.b, x->address.ip.family == AF_INET6 ? 16 : 4);
}

static int check_allowed(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	nd_autofree const struct netdef_allowed **sorted = NULL;
	char text[ND_PREFIX_STRLEN];

	if (x->allowed_cnt == 0)
		return 0;
	sorted = calloc(x->allowed_cnt, sizeof(*sorted));
	if (!sorted)
		return nd_fail(e, ND_MEMORY, "order of %zu addresses", x->allowed_cnt);
	for (size_t i = 0; i < x->allowed_cnt; i++) {
		const struct netdef_allowed *a = &x->allowed[i];
		int kind = netdef_guest_kind(a->guest, NULL, NULL);

		sorted[i] = a;
		if (kind < 0 || kind == NETDEF_GUEST_ADDRESS)
			return nd_fail(
				e, ND_INVALID,
				"<netd:address> in network '%s': guest is a port's name or a MAC address",
				d->name);
	}
	qsort(sorted, x->allowed_cnt, sizeof(*sorted), by_guest);
	for (size_t i = 1; i < x->allowed_cnt; i++)
		if (by_guest(&sorted[i - 1], &sorted[i]) == 0)
			return nd_fail(e, ND_INVALID,
				       "<netd:address guest='%s' address='%s'> is given more than once in "
				       "network '%s'",
				       sorted[i]->guest, nd_prefix_to_string(&sorted[i]->address, text),
				       d->name);
	return 0;
}

/* A guest named by its address must have it wherever the network starts. */
static int check_guest_address(const struct netdef *d, const struct nd_ip *guest, struct nd_error *e)
{
	char text[ND_IP_STRLEN];

	nd_ip_to_string(guest, text);
	for (size_t i = 0; i < d->ip_cnt; i++) {
		const struct netdef_ip *ip = &d->ips[i];

		if (nd_ip_equal(&ip->address.ip, guest))
			return nd_fail(e, ND_INVALID, "guest '%s' is the bridge's own address", text);
		if (!nd_prefix_contains_ip(&ip->address, guest))
			continue;
		if (ip->subnet_auto)
			return nd_fail(e, ND_INVALID,
				       "guest '%s' lies in a subnet that netd may move (netd:subnet='auto'); "
				       "name its port or MAC address",
				       text);
		return 0;
	}
	return nd_fail(e, ND_INVALID, "guest '%s' lies in no subnet of the network", text);
}

static int check_publish(const struct netdef *d, const struct netdef_publish *p, struct nd_error *e)
{
	char text[NETDEF_PUBLISH_STRLEN];
	struct nd_ip guest;
	int err = netdef_publish_check(p, e);

	if (err == 0 && netdef_guest_kind(p->guest, NULL, &guest) == NETDEF_GUEST_ADDRESS)
		err = check_guest_address(d, &guest, e);
	if (err < 0)
		nd_wrap(e, "<netd:forward> of %s in network '%s'", netdef_publish_to_string(p, text),
			d->name);
	return err;
}

static int check_publishes(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	const struct netdef_publish *both[2] = { NULL, NULL };
	char a[NETDEF_PUBLISH_STRLEN], b[NETDEF_PUBLISH_STRLEN];
	int err = 0;

	for (size_t i = 0; i < x->publish_cnt && err == 0; i++)
		err = check_publish(d, &x->publishes[i], e);
	if (err == 0)
		err = netdef_publish_overlap(d, both, e);
	if (err == ND_EXISTS && both[0] && both[1])
		err = nd_fail(e, ND_INVALID,
			      "network '%s' publishes %s to '%s' and %s to '%s': both cannot be", d->name,
			      netdef_publish_to_string(both[0], a), both[0]->guest,
			      netdef_publish_to_string(both[1], b), both[1]->guest);
	return err;
}

int netdef_check_netd(const struct netdef *d, struct nd_error *e)
{
	static int (*const checks[])(const struct netdef *d, struct nd_error *e) = {
		check_places,   check_host_access, check_sources,   check_accepts,
		check_policies, check_allowed,     check_publishes,
	};
	int err = 0;

	if (!d->rare)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(checks) && err == 0; i++)
		err = checks[i](d, e);
	return err;
}

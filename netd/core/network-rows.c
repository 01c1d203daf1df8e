// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a network is made of
 *
 * One row per resource, in the order in which they are made: bridge, its settings, addresses, routes, forwarding, nft elements, DHCP configuration,
 * names, record. A network on a bridge that others made has the first and the last: its bridge is looked up, and nothing of it is touched. One of macvtaps has
 * no bridge, but its pool of interfaces.
 * A check reads the mirror, the nft view, or what this run did; it makes no system call.
 */
#include "base/log.h"
#include "base/mem.h"
#include "bridge/bridge.h"
#include "nat/nat.h"
#include "netd/core/converge.h"
#include "netd/core/event.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"
#include "netd/core/names.h"
#include "netd/core/plan.h"
#include "netd/core/pool.h"
#include "netd/core/publish.h"
#include "netd/core/reaper.h"
#include "netd/core/records.h"
#include "netd/core/shaping.h"
#include "netd/core/supervisor.h"

#define ADDRESS_PENDING_MS 1000 /* the kernel's own queue takes some ms */

/* Somebody gave it another name: rules and routes know it by ours. */
static bool bridge_renamed(const struct core *c, const struct network *n)
{
	const struct nd_link *have = n->ifindex ? mirror_link(c->mirror, n->ifindex) : NULL;
	return have && strcmp(have->name, n->bridge) != 0;
}

static enum resource_state bridge_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	const struct nd_link *have = n->ifindex ? mirror_link(c->mirror, n->ifindex) : NULL;
	if (n->plan->pool)
		return RESOURCE_OK;
	if (!n->plan->own_bridge) /* others made it, and may change it as they like */
		return have && !bridge_renamed(c, n) ? RESOURCE_OK : RESOURCE_MISSING;
	return bridge_diff(&n->plan->bridge, have) == BRIDGE_SAME && !bridge_renamed(c, n) ? RESOURCE_OK
											   : RESOURCE_MISSING;
}

/* Without the old name the link is found by none, and bridge_apply looks for itself. */
static int bridge_name_back(struct core *c, struct network *n, struct nd_error *e)
{
	return bridge_renamed(c, n) ? nd_link_set_name(c->nl, n->ifindex, n->bridge, e) : 0;
}

static void count_foreign(const struct nd_link *l, void *arg)
{
	struct network *n = arg;
	n->foreign_ports += l->master == n->ifindex && !(l->has_alias && !nd_uuid_is_zero(&l->alias_port));
}

static int bridge_find(struct core *c, struct network *n, struct nd_error *e)
{
	const struct nd_link *have = mirror_link_by_name(c->mirror, n->bridge);
	if (!have || have->ifindex != n->ifindex)
		shaping_bridge_gone(c, n);
	n->ifindex = 0; /* ports of a bridge that is gone are left alone until it is back */
	if (!have)
		return nd_fail(e, ND_NOT_FOUND, "bridge '%s' is not there", n->bridge);
	if (have->kind != ND_LINK_BRIDGE)
		return nd_fail(e, ND_INVALID, "'%s' is no bridge", n->bridge);
	if (n->plan->vlans && !have->br_vlan_filtering)
		return nd_fail(e, ND_UNSUPPORTED,
			       "<vlan>: bridge '%s' does not filter VLANs; turn it on with: ip link set %s "
			       "type bridge vlan_filtering 1 (the kernel needs CONFIG_BRIDGE_VLAN_FILTERING)",
			       n->bridge, n->bridge);
	n->ifindex = have->ifindex;
	n->foreign_ports = 0;
	mirror_each_link(c->mirror, count_foreign, n);
	return 0;
}

static int bridge_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	int ifindex = 0;
	if (!n->plan->own_bridge)
		return bridge_find(c, n, e);
	const struct nd_link *have = mirror_link_by_name(c->mirror, n->bridge);
	if (bridge_name_back(c, n, e) < 0 || bridge_apply(c->nl, &n->plan->bridge, have, &ifindex, e) < 0) {
		if (e->code == ND_UNSUPPORTED)
			nd_wrap(e, "<vlan>");
		return nd_wrap(e, "bridge '%s'", n->bridge);
	}
	if (ifindex != n->ifindex) {
		shaping_bridge_gone(c, n);
		n->ifindex = ifindex;
		n->link_sysctl_done = false;
		n->worker_generation = 0; /* the worker serves by ifindex */
	}
	return 0;
}

static int bridge_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	int ifindex = n->ifindex;
	n->ifindex = 0;
	if (!ifindex || !n->plan->own_bridge)
		return 0;
	if (bridge_retire(c->nl, ifindex, e) < 0)
		return nd_wrap(e, "bridge '%s'", n->bridge);
	reaper_delete(c->reaper, ifindex);
	return 0;
}

/* Before the addresses: where IPv6 is off by default, a bridge takes none of its. */
static enum resource_state link_sysctl_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	return !n->plan->own_bridge || n->link_sysctl_done ? RESOURCE_OK : RESOURCE_MISSING;
}

static int link_sysctl_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	if (bridge_sysctl_link(n->bridge, n->plan->ipv6, n->plan->strict_arp, e) < 0)
		return nd_wrap(e, "bridge '%s'", n->bridge);
	n->link_sysctl_done = true;
	return 0;
}

static int link_sysctl_unmake(struct core *c, void *obj, struct nd_error *e)
{
	((struct network *)obj)->link_sysctl_done = false;
	return 0;
}

static enum resource_state address_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	const struct nd_address *have;
	size_t cnt = mirror_addresses(c->mirror, n->ifindex, &have);
	if (!n->plan->own_bridge || bridge_address_same(&n->plan->bridge, have, cnt))
		return RESOURCE_OK;
	bool fresh = nd_now_ms() - n->addresses_ms < ADDRESS_PENDING_MS;
	return fresh && bridge_address_pending(&n->plan->bridge, have, cnt) ? RESOURCE_OK : RESOURCE_MISSING;
}

static int address_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	const struct nd_address *have;
	size_t cnt = mirror_addresses(c->mirror, n->ifindex, &have);
	if (bridge_address_apply(c->nl, n->ifindex, &n->plan->bridge, have, cnt, e) < 0)
		return nd_wrap(e, "bridge '%s'", n->bridge);
	n->addresses_ms = nd_now_ms();
	return 0;
}

static enum resource_state route_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	const struct nd_route *have;
	size_t cnt = mirror_routes(c->mirror, n->ifindex, &have);
	return !n->plan->own_bridge || bridge_route_same(&n->plan->bridge, have, cnt) ? RESOURCE_OK
										      : RESOURCE_MISSING;
}

/* Told before the kernel says no more than that it exists. */
static int refuse_taken_route(const struct core *c, const struct network *n, struct nd_error *e)
{
	for (size_t i = 0; i < n->plan->bridge.route_cnt; i++) {
		const struct bridge_route *r = &n->plan->routes[i];
		struct mirror_collision why;
		char text[ND_PREFIX_STRLEN];
		if (mirror_has_route(c->mirror, &r->dst, r->metric, n->ifindex, &why))
			return nd_fail(e, ND_CONFLICT,
				       "route %s is already in use by interface %s; choose another metric, "
				       "or remove that one",
				       nd_prefix_to_string(&r->dst, text),
				       why.ifname[0] ? why.ifname : "(none)");
	}
	return 0;
}

static int route_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	const struct nd_route *have;
	size_t cnt = mirror_routes(c->mirror, n->ifindex, &have);
	if (refuse_taken_route(c, n, e) < 0 ||
	    bridge_route_apply(c->nl, n->ifindex, &n->plan->bridge, have, cnt, e) < 0)
		return nd_wrap(e, "bridge '%s'", n->bridge);
	return 0;
}

static enum resource_state sysctl_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	for (unsigned i = 0; i < BRIDGE_SYSCTL_CNT_; i++) {
		if (n->plan->sysctls & 1u << i &&
		    !(n->sysctls & 1u << i && bridge_sysctl_holds(c->sysctls, (enum bridge_sysctl)i)))
			return RESOURCE_MISSING;
	}
	return n->sysctls & ~n->plan->sysctls ? RESOURCE_MISSING : RESOURCE_OK;
}

struct keep_ra {
	struct core *c;
	struct network *n;
	struct nd_error *e;
};

static void keep_ra(const struct nd_link *l, void *arg)
{
	struct keep_ra *k = arg;
	bool changed = false;
	if (k->e->code || l->group == ND_GROUP_LIVE || !mirror_lives_from_ra(k->c->mirror, l->ifindex))
		return;
	if (bridge_sysctl_keep_ra(k->c->sysctls, l->name, &changed, k->e) < 0)
		nd_wrap(k->e, "uplink '%s'", l->name);
	else if (changed)
		events_say(k->c->events, EVENT_SYSCTL, k->n, NULL,
			   "net/ipv6/conf/%s/accept_ra set to 2: it has its address or default route from "
			   "router "
			   "advertisements, which a host that forwards IPv6 ignores with 1",
			   l->name);
}

/* The host must not lose its own way out by forwarding for others. */
static int keep_uplinks(struct core *c, struct network *n, struct nd_error *e)
{
	struct keep_ra k = { c, n, e };
	mirror_each_link(c->mirror, keep_ra, &k);
	return e->code;
}

static int claim_sysctl(struct core *c, struct network *n, enum bridge_sysctl which, struct nd_error *e)
{
	unsigned bit = 1u << which;
	bool changed = false, again = n->sysctls & bit;
	int r = 0;
	if (which == BRIDGE_SYSCTL_IP6_FORWARD && !bridge_sysctl_holds(c->sysctls, which) &&
	    keep_uplinks(c, n, e) < 0)
		return e->code;
	if (!again)
		r = bridge_sysctl_claim(c->sysctls, which, &changed, e);
	else if (!bridge_sysctl_holds(c->sysctls, which))
		r = bridge_sysctl_mend(c->sysctls, which, &changed, e);
	if (r < 0)
		return nd_wrap(e, "forwarding");
	if (!again)
		n->sysctls_fresh |= bit;
	n->sysctls |= bit;
	if (changed)
		events_say(c->events, EVENT_SYSCTL, n, NULL,
			   "%s set to 1%s: guests of this network are forwarded", bridge_sysctl_key(which),
			   again ? " again, after somebody turned it off" : "");
	return 0;
}

/* A start that fails leaves the settings as they were; one that worked leaves them on. */
static void release_sysctl(struct core *c, struct network *n, enum bridge_sysctl which)
{
	unsigned bit = 1u << which;
	if (n->sysctls_fresh & bit)
		bridge_sysctl_take_back(c->sysctls, which);
	else if (n->sysctls & bit)
		bridge_sysctl_release(c->sysctls, which);
	n->sysctls &= ~bit;
	n->sysctls_fresh &= ~bit;
}

static int sysctl_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	for (unsigned i = 0; i < BRIDGE_SYSCTL_CNT_; i++) {
		if (!(n->plan->sysctls & 1u << i))
			release_sysctl(c, n, (enum bridge_sysctl)i);
		else if (claim_sysctl(c, n, (enum bridge_sysctl)i, e) < 0)
			return e->code;
	}
	return 0;
}

static int sysctl_unmake(struct core *c, void *obj, struct nd_error *e)
{
	for (unsigned i = 0; i < BRIDGE_SYSCTL_CNT_; i++)
		release_sysctl(c, obj, (enum bridge_sysctl)i);
	return 0;
}

static enum resource_state nat_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	return elements_hold(c->nat, &n->plan->elements) && elements_hold(c->nat, &n->plan->peers)
		       ? RESOURCE_OK
		       : RESOURCE_MISSING;
}

static int nat_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	int r = elements_put(c->nat, NULL, &n->plan->elements, e);
	return r < 0 ? r : elements_put(c->nat, NULL, &n->plan->peers, e);
}

static int nat_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	int r = elements_put(c->nat, &n->plan->elements, NULL, e);
	return r < 0 ? r : elements_put(c->nat, &n->plan->peers, NULL, e);
}

static int nat_flush(struct core *c, struct nd_error *e)
{
	return nat_commit(c->nat, e) < 0 ? nd_wrap(e, "nftables") : 0;
}

static enum resource_state forwards_check(const struct core *c, const void *obj)
{
	return publish_check(c, obj);
}

static int forwards_make(struct core *c, void *obj, struct nd_error *e)
{
	return publish_apply(c, obj, e);
}

static int forwards_unmake(struct core *c, void *obj, struct nd_error *e)
{
	return publish_undo(c, obj, e);
}

static enum resource_state dhcp_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	return !n->plan->dhcp || (n->worker_generation == supervisor_generation(c->supervisor) &&
				  !n->dhcp_failed)
		       ? RESOURCE_OK
		       : RESOURCE_MISSING;
}

static int dhcp_make(struct core *c, void *obj, struct nd_error *e)
{
	const struct network *n = obj;
	supervisor_network_set(c->supervisor, obj);
	/* They are read on another thread; whether that went well is seen the next time. */
	return n->dhcp_failed ? nd_fail(e, ND_SYSTEM, "dhcp: leases cannot be read: %s", n->dhcp_failed) : 0;
}

static int dhcp_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	supervisor_network_del(c->supervisor, n);
	n->worker_generation = 0;
	free(n->dhcp_failed);
	n->dhcp_failed = NULL;
	return 0;
}

static enum resource_state record_check(const struct core *c, const void *obj)
{
	return ((const struct network *)obj)->recorded ? RESOURCE_OK : RESOURCE_MISSING;
}

static int record_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	if (records_live_write(c, n, e) < 0)
		return e->code;
	n->recorded = true;
	return 0;
}

static int record_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	records_live_remove(c, n);
	n->recorded = false;
	return 0;
}

const struct resource network_rows[] = {
	{ "bridge", bridge_check, bridge_make, bridge_unmake, NULL, .told = true, .holds_ports = true },
	{ "interfaces", pool_check, pool_make, NULL, NULL },
	{ "bridge settings", link_sysctl_check, link_sysctl_make, link_sysctl_unmake, NULL },
	{ "addresses", address_check, address_make, NULL, NULL, .told = true }, /* they go with the bridge */
	{ "routes", route_check, route_make, NULL, NULL, .told = true },        /* so do they */
	{ "forwarding", sysctl_check, sysctl_make, sysctl_unmake, NULL },
	{ "nft elements", nat_check, nat_make, nat_unmake, nat_flush, .told = true },
	/* After the rules that keep guests from the host's loopback. */
	{ "published ports", forwards_check, forwards_make, forwards_unmake, nat_flush },
	{ "DHCP configuration", dhcp_check, dhcp_make, dhcp_unmake, NULL },
	{ "names", names_network_check, names_network_make, names_network_unmake, NULL },
	{ "bandwidth", shaping_network_check, shaping_network_make, shaping_network_unmake, NULL,
	  .told = true },
	{ "record", record_check, record_make, record_unmake, NULL },
};
const size_t network_row_cnt = ARRAY_LEN(network_rows);

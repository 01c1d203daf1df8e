// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a network is made of
 *
 * One row per resource, in the order in which they are made: bridge, addresses, kernel settings, nft elements, DHCP configuration, record.
 * A check reads the mirror, the nft view, or what this run did; it makes no system call.
 */
#include "base/mem.h"
#include "bridge/bridge.h"
#include "nat/nat.h"
#include "netd/core/converge.h"
#include "netd/core/event.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"
#include "netd/core/plan.h"
#include "netd/core/reaper.h"
#include "netd/core/records.h"
#include "netd/core/supervisor.h"

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
	return bridge_diff(&n->plan->bridge, have) == BRIDGE_SAME && !bridge_renamed(c, n) ? RESOURCE_OK
											   : RESOURCE_MISSING;
}

/* Without the old name the link is found by none, and bridge_apply looks for itself. */
static int bridge_name_back(struct core *c, struct network *n, struct nd_error *e)
{
	return bridge_renamed(c, n) ? nd_link_set_name(c->nl, n->ifindex, n->bridge, e) : 0;
}

static int bridge_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	int ifindex = 0;
	const struct nd_link *have = mirror_link_by_name(c->mirror, n->bridge);
	if (bridge_name_back(c, n, e) < 0 || bridge_apply(c->nl, &n->plan->bridge, have, &ifindex, e) < 0)
		return nd_wrap(e, "bridge '%s'", n->bridge);
	if (ifindex != n->ifindex) {
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
	if (!ifindex)
		return 0;
	if (bridge_retire(c->nl, ifindex, e) < 0)
		return nd_wrap(e, "bridge '%s'", n->bridge);
	reaper_delete(c->reaper, ifindex);
	return 0;
}

static enum resource_state address_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	const struct nd_address *have;
	size_t cnt = mirror_addresses(c->mirror, n->ifindex, &have);
	return bridge_address_same(&n->plan->bridge, have, cnt) ? RESOURCE_OK : RESOURCE_MISSING;
}

static int address_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	const struct nd_address *have;
	size_t cnt = mirror_addresses(c->mirror, n->ifindex, &have);
	if (bridge_address_apply(c->nl, n->ifindex, &n->plan->bridge, have, cnt, e) < 0)
		return nd_wrap(e, "bridge '%s'", n->bridge);
	return 0;
}

static enum resource_state sysctl_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	bool forward = !n->plan->ip4_forward || n->sysctl_claimed;
	return forward && n->link_sysctl_done ? RESOURCE_OK : RESOURCE_MISSING;
}

static bool has_ipv6(const struct network *n)
{
	for (size_t i = 0; i < n->plan->address_cnt; i++) {
		if (n->plan->addresses[i].ip.family == AF_INET6)
			return true;
	}
	return false;
}

static int sysctl_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	bool changed = false;
	if (!n->link_sysctl_done) {
		if (bridge_sysctl_link(n->bridge, has_ipv6(n), e) < 0)
			return nd_wrap(e, "bridge '%s'", n->bridge);
		n->link_sysctl_done = true;
	}
	if (!n->plan->ip4_forward || n->sysctl_claimed)
		return 0;
	if (bridge_sysctl_claim(c->sysctls, BRIDGE_SYSCTL_IP4_FORWARD, &changed, e) < 0)
		return nd_wrap(e, "IPv4 forwarding");
	n->sysctl_claimed = true;
	if (changed)
		events_say(c->events, EVENT_SYSCTL, n, NULL,
			   "%s set to 1: guests of this network are forwarded",
			   bridge_sysctl_key(BRIDGE_SYSCTL_IP4_FORWARD));
	return 0;
}

static int sysctl_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	if (n->sysctl_claimed)
		bridge_sysctl_release(c->sysctls, BRIDGE_SYSCTL_IP4_FORWARD);
	n->sysctl_claimed = false;
	n->link_sysctl_done = false;
	return 0;
}

static enum resource_state nat_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	return nat_holds(c->nat, &n->plan->nat) ? RESOURCE_OK : RESOURCE_MISSING;
}

static int nat_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	return nat_put(c->nat, NULL, &n->plan->nat, e);
}

static int nat_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	return nat_put(c->nat, &n->plan->nat, NULL, e);
}

static int nat_flush(struct core *c, struct nd_error *e)
{
	return nat_commit(c->nat, e) < 0 ? nd_wrap(e, "nftables") : 0;
}

static enum resource_state dhcp_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	return !n->plan->dhcp || n->worker_generation == supervisor_generation(c->supervisor)
		       ? RESOURCE_OK
		       : RESOURCE_MISSING;
}

static int dhcp_make(struct core *c, void *obj, struct nd_error *e)
{
	supervisor_network_set(c->supervisor, obj);
	return 0;
}

static int dhcp_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	supervisor_network_del(c->supervisor, n);
	n->worker_generation = 0;
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
	{ "addresses", address_check, address_make, NULL, NULL, .told = true }, /* they go with the bridge */
	{ "kernel settings", sysctl_check, sysctl_make, sysctl_unmake, NULL },
	{ "nft elements", nat_check, nat_make, nat_unmake, nat_flush, .told = true },
	{ "DHCP configuration", dhcp_check, dhcp_make, dhcp_unmake, NULL },
	{ "record", record_check, record_make, record_unmake, NULL },
};
const size_t network_row_cnt = ARRAY_LEN(network_rows);

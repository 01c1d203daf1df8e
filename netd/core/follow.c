// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: networks follow each other and the host's way out (see follow.h).
 *
 * Rules know networks by the names of their bridges, which are chosen at a start. So the configuration of one that lets the guests of others in is
 * made anew whenever another starts or stops: only the difference is sent.
 */
#include "netd/core/follow.h"
#include "base/log.h"
#include "nat/nat.h"
#include "netd/core/converge.h"
#include "netd/core/event.h"
#include "netd/core/mirror.h"
#include "netd/core/repair.h"
#include "netd/core/supervisor.h"

static uint32_t egress_mtu(const struct core *c, const struct network_plan *p)
{
	const struct nd_link *l =
		p->uplink[0] ? mirror_link_by_name(c->mirror, p->uplink) : mirror_egress(c->mirror);
	return l ? l->mtu : 0;
}

int follow_plan(const struct core *c, const struct netdef *live, const struct network_plan *was,
		struct network_plan **ret, struct nd_error *e)
{
	struct elements none;
	if (network_plan(live, ret, e) < 0)
		return e->code;
	network_plan_mtu(*ret, egress_mtu(c, *ret), was);
	if (network_plan_peers(*ret, live, c->model, &none))
		elements_done(&none);
	return 0;
}

/* Return: whether something is queued. */
static bool follow_peers(struct core *c, struct network *n)
{
	struct elements was;
	if (!network_plan_peers(n->plan, n->live, c->model, &was))
		return false;
	if (elements_put(c->nat, &was, &n->plan->peers, NULL) < 0)
		repair_mark_network(c, n, "it could not be told of another network");
	elements_done(&was);
	return true;
}

void follow_networks(struct core *c)
{
	struct network *n;
	struct nd_error e = ND_ERROR_INIT;
	bool changed = false;
	if (!c->model->accepting_cnt)
		return;
	nd_list_foreach(n, &c->model->networks, all) {
		if (n->plan && n->plan->accepts)
			changed |= follow_peers(c, n);
	}
	if (!changed || nat_commit(c->nat, &e) == 0)
		return;
	nd_log_error(ND_LOG_WARNING, &e, "networks that let others in");
	nd_list_foreach(n, &c->model->networks, all) {
		if (n->plan && n->plan->accepts)
			repair_mark_network(c, n, "it could not be told of another network");
	}
}

static void follow_mtu(struct core *c, struct network *n)
{
	struct nd_error e = ND_ERROR_INIT;
	struct port *p;
	uint32_t was = n->plan->mtu;
	network_plan_mtu(n->plan, egress_mtu(c, n->plan), n->plan);
	if (n->plan->mtu == was)
		return;
	if (converge(c, network_rows, network_row_cnt, n, CONVERGE_REPAIR, NULL, &e) < 0)
		repair_mark_network(c, n, "the MTU of its way out changed");
	if (n->plan->dhcp)
		supervisor_network_set(c->supervisor, n);
	nd_list_foreach(p, &n->ports, siblings)
		repair_mark_port(c, p, "the MTU of the network's way out changed");
	events_say(c->events, EVENT_NETWORK_CHANGED, n, NULL,
		   "its MTU is %u now, that of its way out; guests hear of it when they renew their leases",
		   n->plan->mtu);
}

void follow_egress(struct core *c)
{
	struct network *n;
	nd_list_foreach(n, &c->model->networks, all) {
		if (n->plan && n->plan->mtu_auto)
			follow_mtu(c, n);
	}
}

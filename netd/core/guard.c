// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: ports' guards follow their leases (see guard.h).
 *
 * A guest that has its ACK sends at once: the elements are there before the ACK leaves.
 */
#include "netd/core/guard.h"
#include "base/log.h"
#include "netd/core/connections.h"
#include "netd/core/names.h"
#include "netd/core/policy.h"
#include "netd/core/repair.h"

int guard_put(struct core *c, struct port *p, struct nd_error *e)
{
	struct elements want = { .cnt = 0 };
	policy_port(p, &want);
	int r = elements_put(c->nat, &p->elements, &want, e);
	if (r < 0) {
		elements_done(&want);
		return r;
	}
	elements_done(&p->elements);
	p->elements = want;
	return 0;
}

static int set(struct core *c, struct port *p, uint32_t ip4, struct nd_error *e)
{
	if (p->ip4)
		connections_end_address(c->connections, p->ip4);
	p->ip4 = ip4;
	return guard_put(c, p, e);
}

void guard_port_ended(struct core *c, const struct port *p)
{
	if (p->ip4)
		connections_end_address(c->connections, p->ip4);
	for (size_t i = 0; i < p->elements.cnt; i++) {
		const struct nat_config *cfg = &p->elements.p[i];
		const struct nd_prefix *a = &cfg->address.prefix;
		if (cfg->kind != NAT_ADDRESS || a->len != (a->ip.family == AF_INET ? 32 : 128))
			continue;
		if (a->ip.family != AF_INET || nd_ip_to_ip4(&a->ip) != p->ip4)
			connections_end(c->connections, &(struct nat_connections){ .any = a->ip });
	}
}

static int take_from_others(struct core *c, const struct port *p, uint32_t ip4, struct nd_error *e)
{
	struct port *other;
	nd_list_foreach(other, &p->network->ports, siblings) {
		if (other != p && other->ip4 == ip4 && set(c, other, 0, e) < 0)
			return e->code;
	}
	return 0;
}

void guard_set_address(struct core *c, struct port *p, uint32_t ip4)
{
	struct nd_error e = ND_ERROR_INIT;
	if (p->ip4 == ip4)
		return;
	if ((ip4 && take_from_others(c, p, ip4, &e) < 0) || set(c, p, ip4, &e) < 0 ||
	    nat_commit(c->nat, &e) < 0) {
		nd_log_error(ND_LOG_WARNING, &e, "guard of port '%s'", p->ifname);
		repair_mark_port(c, p, "its address changed");
	}
	if (p->name[0])
		names_changed(c, p->network);
	/* A restart that failed leaves ports on a network that does not run. */
	if (p->network->live && netdef_rare(p->network->live)->publish_cnt)
		repair_mark_network(c, p->network, "a guest's address changed");
}

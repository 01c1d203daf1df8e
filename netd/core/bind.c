// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: external ports and their devices (see bind.h).
 *
 * A link is bound when it joins the bridge, or when the port is made and it is there already, and let go when it leaves: gone, or moved to another
 * bridge. Another MAC address meanwhile does not matter, since what its holder may send is known by the port.
 */
#include "netd/core/bind.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/converge.h"
#include "netd/core/event.h"
#include "netd/core/names.h"
#include "netd/core/plan.h"
#include "netd/core/repair.h"
#include "netd/core/supervisor.h"

static struct network *network_of_bridge(const struct core *c, int ifindex)
{
	const struct nd_link *l = ifindex ? mirror_link(c->mirror, ifindex) : NULL;
	struct network *n = l ? model_network_by_bridge(c->model, l->name) : NULL;
	return n && n->ifindex == ifindex ? n : NULL;
}

static void count(struct core *c, struct network *n, int delta)
{
	bool had = n->foreign_ports > 0;
	if (delta < 0 && !had)
		return;
	n->foreign_ports += (uint32_t)delta;
	names_changed(c, n);
	if (had != (n->foreign_ports > 0) && n->plan && n->plan->dhcp)
		supervisor_network_set(c->supervisor, n);
}

void bind_count_foreign(struct core *c, int bridge, int delta)
{
	struct network *own = network_of_bridge(c, bridge), *n;
	if (own)
		count(c, own, delta);
	nd_list_foreach(n, &c->model->plugged, plugged) {
		if (n->ifindex && n->ifindex == bridge)
			count(c, n, delta);
	}
}

static bool has_port_alias(const struct nd_link *l)
{
	return l->has_alias && !nd_uuid_is_zero(&l->alias_port);
}

/* All but the first byte, which is the guest's own on one side and fe on the other. */
static bool fits(const struct port *p, const struct nd_link *l)
{
	return p->external && p->network->ifindex && l->master == p->network->ifindex && !has_port_alias(l) &&
	       memcmp(p->mac.b + 1, l->mac.b + 1, sizeof p->mac.b - 1) == 0;
}

static struct port *find_port_of(const struct network *n, const struct nd_link *l)
{
	struct port *p;
	nd_list_foreach(p, &n->ports, siblings) {
		if (!p->ifindex && fits(p, l))
			return p;
	}
	return NULL;
}

/* Of the network whose bridge the link is in, or of those that use it. */
static struct port *find_port(const struct core *c, const struct nd_link *l)
{
	const struct network *n = network_of_bridge(c, l->master);
	struct port *p = n ? find_port_of(n, l) : NULL;
	if (!l->master)
		return NULL;
	nd_list_foreach(n, &c->model->plugged, plugged) {
		if (!p && n->ifindex == l->master)
			p = find_port_of(n, l);
	}
	return p;
}

struct search {
	const struct core *c;
	const struct port *port;
	const struct nd_link *found;
};

static void on_candidate(const struct nd_link *l, void *arg)
{
	struct search *s = arg;
	if (!s->found && fits(s->port, l) && !model_port_by_ifindex(s->c->model, l->ifindex))
		s->found = l;
}

/* NULL: it is not there. */
static const struct nd_link *find_link(const struct core *c, const struct port *p)
{
	struct search s = { c, p, NULL };
	mirror_each_link(c->mirror, on_candidate, &s);
	return s.found;
}

/* Rules, DHCP and record as the port is now. What fails is tried again by repair. */
static void put_in_place(struct core *c, struct port *p)
{
	struct nd_error e = ND_ERROR_INIT;
	p->recorded = false;
	if (converge(c, port_rows, port_row_cnt, p, CONVERGE_REPAIR, NULL, &e) == 0)
		return;
	nd_log_error(ND_LOG_WARNING, &e, "device of an external port");
	repair_mark_port(c, p, "an external port's device changed");
}

static bool take(struct core *c, struct port *p, const struct nd_link *l)
{
	if (!model_port_set_device(c->model, p, l->ifindex, l->name))
		return false;
	p->state = PORT_ATTACHED;
	return true;
}

static bool bind_link(struct core *c, struct port *p, const struct nd_link *l)
{
	if (!take(c, p, l)) {
		nd_log(ND_LOG_WARNING, "device %s of an external port: no memory", l->name);
		return false;
	}
	put_in_place(c, p);
	events_say(c->events, EVENT_PORT_ATTACHED, NULL, p, "attached as %s, another program's device",
		   p->ifname);
	return true;
}

/* What goes by the device's name is undone while it has it. */
static void let_go(struct core *c, struct port *p)
{
	struct nd_error e = ND_ERROR_INIT;
	char name[ND_IFNAMSIZ];
	nd_strcpy(name, sizeof name, p->ifname);
	if (converge(c, port_rows, port_row_cnt, p, CONVERGE_STOP, NULL, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "device %s of an external port", name);
	model_port_set_device(c->model, p, 0, "");
	p->state = PORT_EXPECTED;
	put_in_place(c, p);
	events_say(c->events, EVENT_PORT_EXPECTED, NULL, p, "its device %s left the bridge", name);
}

struct port *bind_on_link(struct core *c, const struct mirror_change *ch)
{
	struct port *p = model_port_by_ifindex(c->model, ch->ifindex);
	if (p && !ch->gone && ch->link.master == p->network->ifindex)
		return p;
	if (p)
		let_go(c, p);
	p = ch->gone ? NULL : find_port(c, &ch->link);
	return p && bind_link(c, p, &ch->link) ? p : NULL;
}

void bind_find(struct core *c, struct port *p)
{
	const struct nd_link *l = find_link(c, p);
	if (l && bind_link(c, p, l))
		bind_count_foreign(c, l->master, -1);
}

void bind_adopt(struct core *c, struct port *p)
{
	const struct nd_link *l = find_link(c, p);
	if (l)
		take(c, p, l);
}

void bind_check(struct core *c, struct port *p)
{
	const struct nd_link *l = p->ifindex ? mirror_link(c->mirror, p->ifindex) : NULL;
	if (l && l->master == p->network->ifindex)
		return;
	if (p->ifindex)
		let_go(c, p);
	l = find_link(c, p);
	if (l)
		bind_link(c, p, l);
}

void bind_release(struct core *c, struct port *p)
{
	const struct nd_link *l = p->ifindex ? mirror_link(c->mirror, p->ifindex) : NULL;
	if (l && l->master == p->network->ifindex)
		bind_count_foreign(c, l->master, 1);
}

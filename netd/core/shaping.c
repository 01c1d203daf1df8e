// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: bandwidth of networks and ports (see shaping.h).
 *
 * What the kernel has is known by what this run put there; it is read after adoption, and when an event says that somebody else changed
 * traffic control on a device with limits. So a check makes no system call, and networks and ports without limits cost none at all.
 *
 * Floors are a network's: giving one to a port, or ending it, applies the network's limits anew. Their class ids are in the ports' records, so a
 * restarted daemon finds the classes it left.
 */
#include "netd/core/shaping.h"
#include "base/log.h"
#include "base/mem.h"
#include "netd/core/event.h"
#include "netd/core/external.h"
#include "netd/core/mirror.h"
#include "netd/core/plan.h"
#include "netd/core/reaper.h"
#include "netd/core/repair.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>

#define RATE_UNIT  1000u /* libvirt gives them to tc as kbps, which are 1000 bytes/s */
#define BURST_UNIT 1024u /* and bursts as kb, which are 1024 bytes */
#define WHY        "somebody changed traffic control"

/* ---- wanted ---- */

static uint64_t scaled(uint64_t v, unsigned unit)
{
	return v > UINT64_MAX / unit ? UINT64_MAX : v * unit; /* shape/ refuses what is too much */
}

static struct shape_rate to_rate(const struct netdef_rate *r)
{
	if (!r->average)
		return (struct shape_rate){ .average = 0 };
	return (struct shape_rate){ .average = scaled(r->average, RATE_UNIT),
				    .peak = scaled(r->peak, RATE_UNIT),
				    .burst = scaled(r->burst, BURST_UNIT) };
}

static struct netdef_rate from_rate(const struct shape_rate *r)
{
	return (struct netdef_rate){ .average = r->average / RATE_UNIT,
				     .peak = r->peak / RATE_UNIT,
				     .burst = r->burst / BURST_UNIT };
}

static void plan_port(const struct port *p, struct shape_config *ret)
{
	struct portdef_bandwidth b;
	external_bandwidth(p, &b);
	*ret = (struct shape_config){ .out = to_rate(&b.inbound), .in = to_rate(&b.outbound) };
	nd_alias_format(&p->network->uuid, &p->uuid, ret->alias);
}

/* A port that is ending has none any more. */
static bool has_floor(const struct port *p)
{
	return p->def && p->def->class_id && p->def->bandwidth.floor;
}

/* floors: of which there are as many as ports with a floor; borrowed by ret. */
static void plan_network(const struct network *n, struct shape_floor *floors, struct shape_config *ret)
{
	const struct netdef_bandwidth *b = &netdef_rare(n->live)->bandwidth;
	const struct port *p;
	*ret = (struct shape_config){
		.out = to_rate(&b->inbound), .in = to_rate(&b->outbound), .shared = true, .floors = floors
	};
	nd_list_foreach(p, &n->ports, siblings) {
		if (has_floor(p))
			floors[ret->floor_cnt++] = (struct shape_floor){
				.id = (uint16_t)p->def->class_id,
				.mac = p->mac,
				.rate = scaled(p->def->bandwidth.floor, RATE_UNIT),
			};
	}
	nd_alias_format(&n->uuid, NULL, ret->alias);
}

/* Heap; at least one, so that NULL means no memory. */
static struct shape_floor *room_for_floors(const struct network *n)
{
	const struct port *p;
	size_t cnt = 1;
	nd_list_foreach(p, &n->ports, siblings)
		cnt += has_floor(p);
	return calloc(cnt, sizeof(struct shape_floor));
}

static bool rate_equal(const struct shape_rate *a, const struct shape_rate *b)
{
	return a->average == b->average && a->peak == b->peak && a->burst == b->burst;
}

static bool floor_equal(const struct shape_floor *a, const struct shape_floor *b)
{
	return a->id == b->id && a->rate == b->rate && nd_mac_equal(&a->mac, &b->mac);
}

static bool is_known(const struct shaping *s, const struct shape_config *want)
{
	if (s->unsure || !rate_equal(&s->out, &want->out) || !rate_equal(&s->in, &want->in) ||
	    s->floor_cnt != want->floor_cnt)
		return false;
	for (size_t i = 0; i < s->floor_cnt; i++) {
		if (!floor_equal(&s->floors[i], &want->floors[i]))
			return false;
	}
	return true;
}

static bool has_any(const struct shaping *s)
{
	return s->unsure || s->out.average || s->in.average;
}

/* ---- putting it there ---- */

static void know(struct shaping *s, const struct shape_config *want, struct shape_floor *floors)
{
	free(s->floors);
	*s = (struct shaping){
		.out = want->out, .in = want->in, .floors = floors, .floor_cnt = want->floor_cnt
	};
}

static int put(struct core *c, int ifindex, struct shaping *s, const struct shape_config *want,
	       struct nd_error *e)
{
	int retired, r = shape_apply(c->nl, ifindex, want, &retired, e);
	if (retired)
		reaper_delete(c->reaper, retired);
	if (r < 0)
		s->unsure = true;
	return r;
}

static int clear(struct core *c, int ifindex, struct shaping *s, struct nd_error *e)
{
	const struct shape_config none = { .shared = false };
	int r = has_any(s) && ifindex ? put(c, ifindex, s, &none, e) : 0;
	know(s, &none, NULL);
	return r;
}

enum resource_state shaping_network_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	struct shape_floor *floors = room_for_floors(n);
	struct shape_config want;
	if (!floors)
		return RESOURCE_MISSING;
	plan_network(n, floors, &want);
	bool ok = is_known(&n->shaping, &want);
	free(floors);
	return ok ? RESOURCE_OK : RESOURCE_MISSING;
}

/* A bridge that others made may be that of several networks; one of them can limit it. */
static int check_alone(const struct core *c, const struct network *self, struct nd_error *e)
{
	const struct network *n;
	nd_list_foreach(n, &c->model->plugged, plugged) {
		if (n != self && n->ifindex == self->ifindex && has_any(&n->shaping))
			return nd_fail(e, ND_CONFLICT, "it is limited by network '%s' already", n->name);
	}
	return 0;
}

int shaping_network_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	struct shape_floor *floors = room_for_floors(n);
	struct shape_config want;
	int r;
	if (!floors)
		return nd_fail(e, ND_MEMORY, "bandwidth");
	plan_network(n, floors, &want);
	if (want.floor_cnt && !want.out.average)
		r = nd_fail(e, ND_STATE, "bandwidth: ports have floors, so there must be an inbound average");
	else if ((r = shape_wanted(&want) ? check_alone(c, n, e) : 0) < 0 ||
		 (r = put(c, n->ifindex, &n->shaping, &want, e)) < 0)
		nd_wrap_code(e, r, "bandwidth of bridge '%s'", n->bridge);
	if (r == 0)
		know(&n->shaping, &want, floors);
	else
		free(floors);
	return r;
}

int shaping_network_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	int r = clear(c, n->ifindex, &n->shaping, e);
	return r < 0 ? nd_wrap_code(e, r, "bandwidth of bridge '%s'", n->bridge) : 0;
}

void shaping_bridge_gone(struct core *c, struct network *n)
{
	struct nd_error e = ND_ERROR_INIT;
	if (clear(c, n->ifindex, &n->shaping, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "bandwidth of bridge '%s'", n->bridge);
}

/* ---- ports ---- */

/* A quarantined device is left alone, and so is one of others. */
static bool is_shaped(const struct port *p)
{
	return p->state == PORT_ATTACHED && !p->external && p->ifindex > 0;
}

static bool port_known(const struct port *p)
{
	struct shape_config want;
	plan_port(p, &want);
	return !is_shaped(p) || is_known(&p->shaping, &want);
}

/* Floors are checked as a whole, where a port has or had one. */
static bool floors_known(const struct core *c, const struct port *p)
{
	const struct network *n = p->network;
	if (!n->live || !n->ifindex || (!has_floor(p) && !n->shaping.floor_cnt))
		return true;
	return shaping_network_check(c, n) == RESOURCE_OK;
}

enum resource_state shaping_port_check(const struct core *c, const void *obj)
{
	return port_known(obj) && floors_known(c, obj) ? RESOURCE_OK : RESOURCE_MISSING;
}

int shaping_port_make(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	bool lost = p->shaping.lost;
	struct shape_config want;
	int r = floors_known(c, p) ? 0 : shaping_network_make(c, p->network, e);
	plan_port(p, &want);
	if (r == 0 && !port_known(p)) {
		r = put(c, p->ifindex, &p->shaping, &want, e);
		if (r == 0)
			know(&p->shaping, &want, NULL);
		else
			nd_wrap_code(e, r, "bandwidth of TAP '%s'", p->ifname);
	}
	if (r == 0 && lost)
		events_say(c->events, EVENT_REPAIRED, NULL, p, "bandwidth of %s: put back; " WHY, p->ifname);
	return r;
}

int shaping_port_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	struct network *n = p->network;
	bool had_floor = has_floor(p);
	int r = clear(c, p->ifindex, &p->shaping, e);
	if (had_floor)
		p->def->class_id = 0;
	if (r == 0 && had_floor && n->live && n->ifindex)
		return shaping_network_make(c, n, e);
	return r < 0 ? nd_wrap_code(e, r, "bandwidth of TAP '%s'", p->ifname) : 0;
}

int shaping_port_read(struct core *c, const struct port *p, struct shaping_view *ret, struct nd_error *e)
{
	struct shaping_view v = { .own = p->def && p->def->bandwidth.given, .in_force = floors_known(c, p) };
	struct shape_state s;
	struct shape_config want;
	external_bandwidth(p, &v.bandwidth);
	if (!is_shaped(p)) {
		*ret = v;
		return 0;
	}
	plan_port(p, &want);
	int r = shape_read(c->nl, p->ifindex, &want, &s, e);
	if (r < 0)
		return nd_wrap_code(e, r, "bandwidth of TAP '%s'", p->ifname);
	if (!s.same) {
		v.bandwidth.inbound = from_rate(&s.out);
		v.bandwidth.outbound = from_rate(&s.in);
	}
	v.in_force = v.in_force && s.same;
	memcpy(v.queue, s.queue, sizeof v.queue);
	*ret = v;
	return 0;
}

/* ---- what others do ---- */

/* Return: whether it is as wanted, or not to be known: then its own end is on the way. */
static bool read_same(struct core *c, int ifindex, const struct shape_config *want)
{
	struct nd_error e = ND_ERROR_INIT;
	struct shape_state s;
	if (shape_read(c->nl, ifindex, want, &s, &e) == 0)
		return s.same;
	if (e.code != ND_NOT_FOUND)
		nd_log_error(ND_LOG_WARNING, &e, "bandwidth");
	return e.code == ND_NOT_FOUND;
}

static void verify_port(struct core *c, struct port *p)
{
	struct shape_config want;
	plan_port(p, &want);
	if (!is_shaped(p) || p->shaping.unsure || !has_any(&p->shaping) || read_same(c, p->ifindex, &want))
		return;
	p->shaping.unsure = p->shaping.lost = true;
	repair_mark_port(c, p, WHY);
}

static void verify_network(struct core *c, struct network *n)
{
	struct shape_floor *floors = n->live && n->ifindex && !n->shaping.unsure && has_any(&n->shaping)
					     ? room_for_floors(n)
					     : NULL;
	struct shape_config want;
	if (!floors)
		return;
	plan_network(n, floors, &want);
	if (!read_same(c, n->ifindex, &want)) {
		n->shaping.unsure = true;
		repair_mark_network(c, n, WHY);
	}
	free(floors);
}

/* The device an ifb belongs to. 0: it is none of ours, by its name. */
static int ifb_owner(const struct nd_link *ifb)
{
	char name[ND_IFNAMSIZ];
	int ifindex, end = 0;
	if (ifb->kind != ND_LINK_IFB || sscanf(ifb->name, "nds%d%n", &ifindex, &end) != 1 ||
	    strcmp(shape_ifb_name(ifindex, name), ifb->name) != 0)
		return 0;
	return ifindex;
}

static bool has_limits(const struct network *n)
{
	const struct netdef_bandwidth *b = &netdef_rare(n->live)->bandwidth;
	return b->inbound.average || b->outbound.average;
}

/* With limits, where the bridge is one that others made. */
static struct network *network_of(const struct core *c, int ifindex)
{
	const struct nd_link *l = mirror_link(c->mirror, ifindex);
	struct network *n = l ? model_network_by_bridge(c->model, l->name) : NULL;
	if (n && n->ifindex == ifindex)
		return n;
	nd_list_foreach(n, &c->model->plugged, plugged) {
		if (n->ifindex == ifindex && (has_any(&n->shaping) || has_limits(n)))
			return n;
	}
	return NULL;
}

static void verify_device(struct core *c, int ifindex)
{
	struct port *p = model_port_by_ifindex(c->model, ifindex);
	struct network *n = p ? NULL : network_of(c, ifindex);
	if (p)
		verify_port(c, p);
	else if (n)
		verify_network(c, n);
}

bool shaping_on_event(struct core *c, const struct nlmsghdr *msg)
{
	const struct nd_link *l;
	int ifindex;
	if (!shape_event(msg, &ifindex))
		return false;
	if (msg->nlmsg_pid == nd_nl_port(c->nl))
		return true;
	l = mirror_link(c->mirror, ifindex);
	verify_device(c, l && ifb_owner(l) ? ifb_owner(l) : ifindex);
	return true;
}

void shaping_on_ifb(struct core *c, const struct mirror_change *ch)
{
	int owner = ifb_owner(ch->had ? &ch->was : &ch->link);
	bool whole = !ch->gone && ch->link.flags & IFF_UP && ch->link.group == ND_GROUP_LIVE &&
		     ifb_owner(&ch->link) == owner;
	if (owner && !whole)
		verify_device(c, owner);
}

void shaping_verify_all(struct core *c)
{
	struct network *n;
	struct port *p;
	nd_list_foreach(n, &c->model->networks, all) {
		verify_network(c, n);
		nd_list_foreach(p, &n->ports, siblings)
			verify_port(c, p);
	}
}

/* ---- adoption ---- */

static bool may_have_limits(const struct core *c, int ifindex)
{
	const struct nd_link *l = mirror_link(c->mirror, ifindex);
	char name[ND_IFNAMSIZ];
	return l && (l->htb || mirror_link_by_name(c->mirror, shape_ifb_name(ifindex, name)));
}

static void adopt_ifb(const struct nd_link *l, void *arg)
{
	struct core *c = arg;
	bool ours = l->kind == ND_LINK_IFB && (l->has_alias || l->group == ND_GROUP_LIVE ||
					       l->group == ND_GROUP_DEAD || l->group == ND_GROUP_REAPED);
	int owner = ifb_owner(l);
	if (ours && !(owner && (model_port_by_ifindex(c->model, owner) || network_of(c, owner))))
		reaper_delete(c->reaper, l->ifindex);
}

void shaping_adopt(struct core *c)
{
	struct network *n;
	struct port *p;
	nd_list_foreach(n, &c->model->networks, all) {
		n->shaping.unsure = n->live && n->ifindex && may_have_limits(c, n->ifindex) &&
				    (n->plan->own_bridge || has_limits(n));
		nd_list_foreach(p, &n->ports, siblings)
			p->shaping.unsure = is_shaped(p) && may_have_limits(c, p->ifindex);
	}
	mirror_each_link(c->mirror, adopt_ifb, c);
}

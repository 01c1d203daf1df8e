// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: kernel events → mirror → port, network, repair (see monitor.h).
 *
 * An event only marks; whether anything differs is asked when the marked objects are converged, with all events read. So the states a device passes
 * through while netd itself makes it are no alarm.
 */
#include "netd/core/monitor.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "bridge/bridge.h"
#include "nat/nat.h"
#include "netd/core/bind.h"
#include "netd/core/device.h"
#include "netd/core/event.h"
#include "netd/core/follow.h"
#include "netd/core/holders.h"
#include "netd/core/hostbridge.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"
#include "netd/core/plan.h"
#include "netd/core/pool.h"
#include "netd/core/port.h"
#include "netd/core/repair.h"
#include "netd/core/shaping.h"
#include "netd/core/supervisor.h"
#include <ev.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#define RESYNC_AGAIN_S     0.1
#define DATAGRAMS_PER_TURN 4096

struct monitor {
	struct core *c;
	struct nd_nl *nl;
	struct ev_io rtnl, nft;
	struct ev_timer again; /* a resync that failed */
	int egress;            /* link of the way out, and its MTU, when they were last looked at */
	uint32_t egress_mtu;
	bool mtu_changed; /* some link's */
};

/* The network whose bridge the link is. */
static struct network *network_of_link(const struct core *c, int ifindex)
{
	const struct nd_link *l = ifindex ? mirror_link(c->mirror, ifindex) : NULL;
	struct network *n = l ? model_network_by_bridge(c->model, l->name) : NULL;
	return n && n->ifindex == ifindex ? n : NULL;
}

/*
 * Links that others put into a netd bridge: with them an address may be held by somebody netd never leased it to. was_bound, is_bound: whether it is an
 * external port's device.
 */
static void count_foreign(struct core *c, const struct mirror_change *ch, bool was_bound, bool is_bound)
{
	int was = ch->had && !was_bound ? ch->was.master : 0,
	    now = !ch->gone && !is_bound ? ch->link.master : 0;
	if (was == now || (ch->link.has_alias && !nd_uuid_is_zero(&ch->link.alias_port)))
		return;
	bind_count_foreign(c, was, -1);
	bind_count_foreign(c, now, 1);
}

static void count_link(const struct nd_link *l, void *arg)
{
	struct core *c = arg;
	struct network *n = network_of_link(c, l->master);
	if (!l->master || model_port_by_ifindex(c->model, l->ifindex))
		return;
	if (n)
		n->foreign_ports++;
	nd_list_foreach(n, &c->model->plugged, plugged)
		n->foreign_ports += n->ifindex == l->master;
}

void monitor_count_foreign(struct core *c)
{
	struct network *n;
	nd_list_foreach(n, &c->model->networks, all)
		n->foreign_ports = 0;
	mirror_each_link(c->mirror, count_link, c);
}

/* Rules know a port by its interface's name. */
static void rename_port(struct core *c, struct port *p, const char *name)
{
	elements_put(c->nat, &p->elements, NULL, NULL); /* goes with the commit that brings the new ones */
	elements_done(&p->elements);
	nd_strcpy(p->ifname, sizeof p->ifname, name);
	repair_mark_port(c, p, "a TAP was renamed");
}

static void on_port_link(struct core *c, struct port *p, const struct mirror_change *ch)
{
	if (!ch->gone && strcmp(p->ifname, ch->link.name))
		rename_port(c, p, ch->link.name);
	if (ch->gone)
		port_end(c, p, "its last descriptor was closed, or its device was deleted");
	else if (p->state == PORT_ATTACHED && device_of(p)->diff(c, p, &ch->link) != TAP_SAME)
		repair_mark_port(c, p, "a TAP was changed");
	else if (p->state == PORT_QUARANTINED && ch->link.tun_persist && !p->repair_fails)
		repair_mark_port(c, p, "a TAP was made persistent");
}

static void on_bridge_link(struct core *c, struct network *n, const struct mirror_change *ch)
{
	char why[96];
	bool renamed = strcmp(ch->link.name, n->bridge) != 0;
	if (!n->plan || (!ch->gone && !renamed && bridge_diff(&n->plan->bridge, &ch->link) == BRIDGE_SAME))
		return;
	snprintf(why, sizeof why, "somebody %s it", ch->gone ? "deleted" : "changed");
	repair_mark_network(c, n, why);
}

/* A bridge that others made is theirs: only whether it is there counts. */
static void on_plugged_link(struct core *c, const struct mirror_change *ch)
{
	struct network *n;
	char why[96];
	nd_list_foreach(n, &c->model->plugged, plugged) {
		bool named = !ch->gone && !strcmp(ch->link.name, n->bridge);
		if (named == (n->ifindex == ch->ifindex))
			continue;
		snprintf(why, sizeof why, "bridge %s %s", n->bridge, named ? "is there again" : "is gone");
		repair_mark_network(c, n, why);
	}
}

/* A device below macvtaps: whether it is there counts, and its MTU, which is theirs. */
static void on_pool_link(struct core *c, const struct mirror_change *ch)
{
	struct network *n;
	struct port *p;
	char why[96];
	bool renamed = ch->had && strcmp(ch->was.name, ch->link.name) != 0;
	nd_list_foreach(n, &c->model->pooled, plugged) {
		bool named = pool_has(n, ch->link.name) || (renamed && pool_has(n, ch->was.name));
		snprintf(why, sizeof why, "interface %s %s", ch->link.name, ch->gone ? "is gone" : "changed");
		if (named && (ch->gone || renamed || !ch->had))
			repair_mark_network(c, n, why);
		nd_list_foreach(p, &n->ports, siblings) {
			if (p->lower == ch->ifindex && ch->had && ch->was.mtu != ch->link.mtu)
				repair_mark_port(c, p, why);
		}
	}
}

static void on_link(struct core *c, const struct mirror_change *ch)
{
	struct port *p = model_port_by_ifindex(c->model, ch->ifindex);
	if (ch->link.kind == ND_LINK_MACVTAP && ch->gone)
		holders_forget(c->holders, ch->ifindex);
	if (ch->link.kind == ND_LINK_IFB) {
		shaping_on_ifb(c, ch);
		return;
	}
	bool was_bound = p && p->external;
	if (!p || was_bound)
		p = bind_on_link(c, ch);
	count_foreign(c, ch, was_bound, p && p->external);
	c->monitor->mtu_changed |= ch->link.group != ND_GROUP_LIVE && ch->had && ch->was.mtu != ch->link.mtu;
	if (p && p->external) {
		if (strcmp(p->ifname, ch->link.name))
			rename_port(c, p, ch->link.name);
		return;
	}
	if (p) {
		on_port_link(c, p, ch);
		return;
	}
	if (!ch->gone && ch->link.tun_persist)
		repair_mark_strays(c);
	on_plugged_link(c, ch);
	on_pool_link(c, ch);
	struct network *n = model_network_by_bridge(c->model, ch->link.name);
	if (!n && ch->had) /* renamed */
		n = model_network_by_bridge(c->model, ch->was.name);
	if (n && n->ifindex == ch->ifindex)
		on_bridge_link(c, n, ch);
}

static void on_address(struct core *c, const struct mirror_change *ch)
{
	hostbridge_on_address(c, ch->ifindex);
	struct network *n = network_of_link(c, ch->ifindex);
	const struct nd_address *have;
	if (!n || !n->plan)
		return;
	size_t cnt = mirror_addresses(c->mirror, ch->ifindex, &have);
	if (!bridge_address_same(&n->plan->bridge, have, cnt))
		repair_mark_network(c, n, "somebody changed its addresses");
}

static void on_route(struct core *c, const struct mirror_change *ch)
{
	struct network *n = network_of_link(c, ch->ifindex);
	const struct nd_route *have;
	if (!n || !n->plan)
		return;
	size_t cnt = mirror_routes(c->mirror, ch->ifindex, &have);
	if (!bridge_route_same(&n->plan->bridge, have, cnt))
		repair_mark_network(c, n, "somebody changed its routes");
}

/* Forwarding for all interfaces; the writes that netd makes itself turn it on. */
static int on_netconf(struct core *c, const struct nlmsghdr *msg, struct nd_error *e)
{
	struct nd_netconf conf;
	struct network *n;
	char why[96];
	int r = nd_netconf_parse(msg, &conf, e);
	if (r < 0)
		return r == ND_UNSUPPORTED ? 0 : r;
	enum bridge_sysctl which =
		conf.family == AF_INET ? BRIDGE_SYSCTL_IP4_FORWARD : BRIDGE_SYSCTL_IP6_FORWARD;
	if (conf.ifindex != NETCONFA_IFINDEX_ALL || conf.forwarding != 0 ||
	    !bridge_sysctl_lost(c->sysctls, which))
		return 0;
	snprintf(why, sizeof why, "somebody set %s to 0", bridge_sysctl_key(which));
	nd_list_foreach(n, &c->model->networks, all) {
		if (n->sysctls & 1u << which)
			repair_mark_network(c, n, why);
	}
	return 0;
}

static int on_event(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct monitor *m = arg;
	struct mirror_change ch;
	if (msg->nlmsg_type == RTM_NEWNETCONF)
		return on_netconf(m->c, msg, e);
	if (shaping_on_event(m->c, msg))
		return 0;
	if (mirror_update(m->c->mirror, msg, &ch, e) < 0)
		return e->code;
	if (ch.what == MIRROR_LINK)
		on_link(m->c, &ch);
	else if (ch.what == MIRROR_ADDRESS)
		on_address(m->c, &ch);
	else if (ch.what == MIRROR_ROUTE)
		on_route(m->c, &ch);
	return 0;
}

/* Ports whose link is gone end; everything else is compared. */
static void resync(struct monitor *m, const char *why)
{
	struct core *c = m->c;
	struct nd_error e = ND_ERROR_INIT;
	struct network *n;
	struct port *p, *next;
	nd_log(ND_LOG_WARNING, "%s; reading the kernel's state anew", why);
	if (mirror_load(c->mirror, c->nl, &e) < 0) {
		nd_log_error(ND_LOG_ERR, &e, "resync");
		ev_timer_stop(c->loop, &m->again);
		ev_timer_set(&m->again, RESYNC_AGAIN_S, 0.);
		ev_timer_start(c->loop, &m->again);
		return;
	}
	nd_list_foreach(n, &c->model->networks, all) {
		nd_list_foreach_safe(p, next, &n->ports, siblings) {
			if (p->external)
				bind_check(c, p);
			else if (!mirror_link(c->mirror, p->ifindex))
				port_end(c, p, "its device is gone");
		}
	}
	monitor_count_foreign(c);
	nd_list_foreach(n, &c->model->networks, all) {
		if (n->plan && n->plan->dhcp) /* whether to probe depends on the count */
			supervisor_network_set(c->supervisor, n);
	}
	shaping_verify_all(c);
	repair_mark_all(c, why);
}

/* The default route's interface, or the MTU of that or of another that a network goes out by. */
static void check_egress(struct monitor *m)
{
	const struct nd_link *l = mirror_egress(m->c->mirror);
	int egress = l ? l->ifindex : 0;
	uint32_t mtu = l ? l->mtu : 0;
	if (egress == m->egress && mtu == m->egress_mtu && !m->mtu_changed)
		return;
	m->egress = egress;
	m->egress_mtu = mtu;
	m->mtu_changed = false;
	follow_egress(m->c);
}

void monitor_sync(struct core *c)
{
	struct monitor *m = c->monitor;
	struct nd_error e = ND_ERROR_INIT;
	int r = nd_nl_receive(m->nl, DATAGRAMS_PER_TURN, on_event, m, &e);
	if (r < 0) {
		if (r != ND_OVERRUN)
			nd_log_error(ND_LOG_ERR, &e, "kernel events");
		resync(m, "kernel events were lost");
	}
	check_egress(m);
}

static void on_rtnl(struct ev_loop *loop, struct ev_io *w, int revents)
{
	monitor_sync(container_of(w, struct monitor, rtnl)->c);
}

static void on_again(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	resync(container_of(w, struct monitor, again), "an earlier resync failed");
}

static void on_nft(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct monitor *m = container_of(w, struct monitor, nft);
	struct nd_error e = ND_ERROR_INIT;
	struct nat_change change = { .lost = false };
	char why[160];
	if (nat_on_readable(m->c->nat, &change, &e) < 0)
		nd_log_error(ND_LOG_ERR, &e, "nft events");
	if (!change.lost)
		return;
	if (change.pid)
		snprintf(why, sizeof why, "%s (pid %d) removed or changed %s", change.comm, (int)change.pid,
			 change.what);
	else
		snprintf(why, sizeof why, "%s removed or changed %s",
			 change.comm[0] ? change.comm : "somebody", change.what);
	repair_mark_all(m->c, why);
}

int monitor_new(struct core *c, struct monitor **ret, struct nd_error *e)
{
	static const int groups[] = { RTNLGRP_LINK,         RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_NETCONF,
				      RTNLGRP_IPV6_NETCONF, RTNLGRP_TC,          0 };
	struct monitor *m = calloc(1, sizeof *m);
	if (!m)
		return nd_fail(e, ND_MEMORY, "monitor");
	m->c = c;
	ev_init(&m->rtnl, on_rtnl);
	ev_init(&m->nft, on_nft);
	ev_init(&m->again, on_again);
	if (nd_nl_new(NETLINK_ROUTE, &m->nl, e) < 0 || nd_nl_subscribe(m->nl, groups, e) < 0 ||
	    mirror_load(c->mirror, c->nl, e) < 0) {
		int r = nd_wrap(e, "the kernel's state");
		monitor_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void monitor_start(struct monitor *m)
{
	ev_io_set(&m->rtnl, nd_nl_fd(m->nl), EV_READ);
	ev_io_set(&m->nft, nat_fd(m->c->nat), EV_READ);
	ev_io_start(m->c->loop, &m->rtnl);
	ev_io_start(m->c->loop, &m->nft);
}

void monitor_free(struct monitor *m)
{
	if (!m)
		return;
	ev_io_stop(m->c->loop, &m->rtnl);
	ev_io_stop(m->c->loop, &m->nft);
	ev_timer_stop(m->c->loop, &m->again);
	nd_nl_free(m->nl);
	free(m);
}

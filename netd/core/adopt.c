// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: adoption (see adopt.h).
 *
 * A network was active when its live definition stands in RUN; a port is where a TAP carries its alias. A bridge with our alias and no record was
 * being started when netd died: it goes. External ports stand in the
 * journal alone. A TAP without a record had not been handed out, and is gone with its descriptor; should one be
 * there all the same it is drained and left to its holder; without one, it ends.
 */
#include "netd/core/adopt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "bridge/bridge.h"
#include "nat/nat.h"
#include "netd/core/bind.h"
#include "netd/core/disk.h"
#include "netd/core/event.h"
#include "netd/core/external.h"
#include "netd/core/follow.h"
#include "netd/core/holders.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"
#include "netd/core/monitor.h"
#include "netd/core/names.h"
#include "netd/core/network.h"
#include "netd/core/plan.h"
#include "netd/core/reaper.h"
#include "netd/core/records.h"
#include "netd/core/repair.h"
#include "netd/core/settings.h"
#include "netd/core/shaping.h"
#include "tap/tap.h"
#include <linux/if.h>

/* ---- networks ---- */

static int adopt_network(struct core *c, struct netdef *live, struct nd_error *e)
{
	/* One that a newer netd wrote, say. */
	if (netdef_supported(live, e) < 0) {
		netdef_free(live);
		return e->code;
	}
	struct network *n = model_network_by_uuid(c->model, &live->uuid);
	if (!n) { /* transient */
		n = model_network_by_name(c->model, live->name) ? NULL
								: model_network_new(&live->uuid, live->name);
		if (!n || model_network_add(c->model, n) < 0) {
			model_network_free(n);
			netdef_free(live);
			return nd_fail(e, ND_EXISTS, "its name or memory is taken");
		}
	}
	if (network_take_live(c, n, live, e) < 0)
		return e->code;
	const struct nd_link *l = mirror_link_by_name(c->mirror, n->bridge);
	/* Also one without an alias yet: netd was killed while it put it back. */
	bool there = l && (n->plan->own_bridge ? !(bridge_diff(&n->plan->bridge, l) & BRIDGE_FOREIGN)
					       : l->kind == ND_LINK_BRIDGE);
	n->ifindex = there ? l->ifindex : 0;
	n->state = NETWORK_ACTIVE;
	n->recorded = true;
	return 0;
}

static void adopt_record(struct core *c, const char *path)
{
	nd_autofree char *text = NULL;
	size_t len;
	struct netdef *live = NULL;
	struct nd_error e = ND_ERROR_INIT;
	if (nd_file_read(path, NETDEF_XML_MAX * 2, &text, &len, &e) == 0 &&
	    netdef_parse(text, len, path, NULL, NULL, &live, &e) == 0 && adopt_network(c, live, &e) == 0)
		return;
	nd_log_error(ND_LOG_ERR, &e, "record %s is removed", path);
	nd_file_remove(path, false, NULL);
}

static int adopt_networks(struct core *c, struct nd_error *e)
{
	char dir[RECORD_PATH_MAX], path[RECORD_PATH_MAX + 256];
	char **names = NULL;
	snprintf(dir, sizeof dir, "%s/networks", c->settings->run_dir);
	if (nd_dir_list(dir, ".xml", &names, e) < 0)
		return nd_wrap(e, "live definitions");
	for (char **name = names; *name; name++) {
		snprintf(path, sizeof path, "%s/%s", dir, *name);
		adopt_record(c, path);
	}
	nd_strv_free(names);
	return 0;
}

/* ---- ports and strays ---- */

struct links {
	struct core *c;
	struct port_records records;
	struct nd_link *strays;
	size_t cnt, size;
};

static void add_stray(struct links *s, const struct nd_link *l)
{
	if (s->cnt == s->size) {
		size_t size = s->size ? s->size * 2 : 16;
		struct nd_link *p = realloc(s->strays, size * sizeof *p);
		if (!p)
			return;
		s->strays = p;
		s->size = size;
	}
	s->strays[s->cnt++] = *l;
}

/* Looked after whether or not it is a port's: who has detached a guest has not closed its files. */
static void watch_macvtap(struct core *c, const struct nd_link *l, const struct port *p)
{
	struct nd_error e = ND_ERROR_INIT;
	if (holders_watch(c->holders, l->name, l->ifindex, p ? p->owner_pid : 0, p ? p->queue_cnt : 0, &e) <
	    0)
		nd_log_error(ND_LOG_WARNING, &e, "link %s", l->name);
}

static void take_macvtap(struct core *c, struct port *p, const struct nd_link *l)
{
	const struct nd_link *lower = mirror_link(c->mirror, l->lower);
	p->device = PORT_DEVICE_MACVTAP;
	p->lower = l->lower;
	nd_strcpy(p->dev, sizeof p->dev, lower ? lower->name : "");
	watch_macvtap(c, l, p);
}

/* One that netd was making when it died has the group, but no alias yet. */
static bool is_port_device(const struct nd_link *l)
{
	bool aliased = l->has_alias && !nd_uuid_is_zero(&l->alias_port);
	return (l->kind == ND_LINK_TUN && aliased) ||
	       (l->kind == ND_LINK_MACVTAP && (aliased || l->group == ND_GROUP_LIVE));
}

static bool adopt_port(struct links *s, const struct nd_link *l)
{
	struct core *c = s->c;
	struct nd_uuid network;
	struct network *n = model_network_by_uuid(c->model, &l->alias_network);
	struct port *p =
		n && n->live ? records_port_take(&s->records, &l->alias_port, l->ifindex, &network) : NULL;
	if (!p)
		return false;
	nd_strcpy(p->ifname, sizeof p->ifname, l->name);
	if (l->kind == ND_LINK_MACVTAP)
		take_macvtap(c, p, l);
	if (nd_uuid_equal(&network, &n->uuid) && !model_port_by_mark(c->model, p->mark) &&
	    !model_port_by_uuid(c->model, &p->uuid) && model_port_add(c->model, n, p) == 0)
		return true;
	model_port_free(p);
	return false;
}

/* Where its network is gone, so is it. */
static void adopt_external(struct core *c, struct port *p, const struct nd_uuid *network)
{
	struct network *n = model_network_by_uuid(c->model, network);
	p->ifindex = 0;
	p->state = PORT_EXPECTED;
	if (n && n->live) {
		external_identify(c, n, p);
		if (!model_port_by_mark(c->model, p->mark) && !model_port_by_uuid(c->model, &p->uuid) &&
		    model_port_add(c->model, n, p) == 0) {
			bind_adopt(c, p);
			return;
		}
	}
	model_port_free(p);
}

static void adopt_externals(struct links *s)
{
	struct nd_uuid network;
	struct port *p;
	while ((p = records_port_next_external(&s->records, &network)))
		adopt_external(s->c, p, &network);
}

static void on_adopt_link(const struct nd_link *l, void *arg)
{
	struct links *s = arg;
	struct core *c = s->c;
	if (l->kind == ND_LINK_BRIDGE) {
		const struct network *n = model_network_by_bridge(c->model, l->name);
		bool ours = l->has_alias || l->group == ND_GROUP_LIVE || l->group == ND_GROUP_DEAD ||
			    l->group == ND_GROUP_REAPED;
		if (ours && !(n && n->ifindex == l->ifindex))
			add_stray(s, l);
	} else if (is_port_device(l)) {
		if (!adopt_port(s, l))
			add_stray(s, l);
	}
}

static void remove_stray(struct core *c, const struct nd_link *l)
{
	struct nd_error e = ND_ERROR_INIT;
	nd_log(ND_LOG_NOTICE, "link %s is netd's but belongs to no network or port: %s", l->name,
	       l->kind == ND_LINK_BRIDGE ? "deleted"
	       : l->kind == ND_LINK_TUN  ? "taken out of its bridge"
					 : "set down, and deleted once nobody holds it");
	if (l->kind == ND_LINK_MACVTAP) {
		holders_forget(c->holders, l->ifindex);
		watch_macvtap(c, l, NULL);
		if (nd_link_set_up(c->nl, l->ifindex, false, &e) < 0)
			nd_log_error(ND_LOG_WARNING, &e, "link %s", l->name);
		return;
	}
	if (l->kind != ND_LINK_BRIDGE) {
		if (tap_drain(c->nl, l->ifindex, &e) < 0)
			nd_log_error(ND_LOG_WARNING, &e, "link %s", l->name);
		return;
	}
	if (bridge_retire(c->nl, l->ifindex, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "link %s", l->name);
	else
		reaper_delete(c->reaper, l->ifindex);
}

static int adopt_links(struct core *c, struct nd_error *e)
{
	struct links s = { .c = c };
	if (records_ports_read(c, &s.records, e) < 0)
		return e->code;
	mirror_each_link(c->mirror, on_adopt_link, &s);
	adopt_externals(&s);
	for (size_t i = 0; i < s.cnt; i++)
		remove_stray(c, &s.strays[i]);
	free(s.strays);
	monitor_sync(c); /* what was taken away holds its name no more */
	monitor_count_foreign(c);
	records_ports_done(c, &s.records);
	shaping_adopt(c);
	return 0;
}

/* ---- nft, leases ---- */

static int sweep_elements(struct core *c, struct nd_error *e)
{
	struct network *n;
	struct port *p;
	size_t cnt = 0;
	nat_sweep_begin(c->nat);
	nd_list_foreach(n, &c->model->networks, all) {
		if (n->plan) {
			elements_claim(c->nat, &n->plan->elements);
			elements_claim(c->nat, &n->plan->peers);
			elements_claim(c->nat, &n->published);
		}
		nd_list_foreach(p, &n->ports, siblings) {
			elements_claim(c->nat, &p->elements);
		}
	}
	if (nat_sweep(c->nat, &cnt, e) < 0 || nat_commit(c->nat, e) < 0)
		return nd_wrap(e, "remove nft elements of nobody");
	if (cnt)
		nd_log(ND_LOG_NOTICE, "removed %zu nft elements that belonged to nobody", cnt);
	return 0;
}

/* Ports know their addresses before anything is put right. One that ended while netd was away: its grace begins now. */
static int adopt_lease(const struct dhcp_lease *l, void *arg)
{
	struct core *c = arg;
	struct port *p = model_port_by_identity(c->model, &l->port);
	if (l->state != DHCP_LEASE_BOUND || nd_uuid_is_zero(&l->port))
		return 0;
	if (!p)
		leases_port_ended(c->leases, &l->network, &l->port);
	else if (l->expiry_s > leases_now_s(c->leases))
		p->ip4 = l->ip4;
	return 0;
}

static int adopt_leases(struct core *c, struct nd_error *e)
{
	struct nd_error damaged = ND_ERROR_INIT;
	size_t corrupt = 0;
	char *warning;
	int r = dhcp_store_each(disk_store_at_start(c->disk), NULL, adopt_lease, c, &corrupt, &damaged);
	if (corrupt)
		nd_log(ND_LOG_WARNING, "%zu rows of the lease store are damaged and were left out", corrupt);
	if (r != ND_PARSE) {
		nd_error_copy(e, &damaged);
		return r;
	}
	if (disk_salvage(c->disk, &damaged, &warning, e) < 0)
		return e->code;
	nd_log(ND_LOG_ERR, "%s", warning ? warning : "the lease store was damaged");
	free(warning);
	return 0;
}

int adopt(struct core *c, struct nd_error *e)
{
	network_reload(c);
	network_load_choices(c);
	if (adopt_networks(c, e) < 0)
		return e->code;
	follow_networks(c);
	if (adopt_links(c, e) < 0)
		return e->code;
	/* From the first repair on the store belongs to its thread. */
	if (adopt_leases(c, e) < 0)
		return nd_wrap(e, "leases");
	holders_check(c->holders);
	repair_mark_all(c, "netd started");
	repair_now(c);
	names_sweep(c);
	return sweep_elements(c, e);
}

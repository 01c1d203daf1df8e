// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: define, create, start, destroy, undefine (see network.h)
 *
 * Whatever must be on disk is written by the file thread first; the model changes when it is. A definition under way stands in model.defining, so that
 * a second one cannot take its name, uuid or bridge. Who comes for the same network meanwhile waits in model.waiting and calls again: clients see one
 * change after the other, in the order in which they came.
 */
#include "netd/core/network.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/attach.h"
#include "netd/core/choose.h"
#include "netd/core/converge.h"
#include "netd/core/disk.h"
#include "netd/core/event.h"
#include "netd/core/follow.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "netd/core/monitor.h"
#include "netd/core/plan.h"
#include "netd/core/pool.h"
#include "netd/core/records.h"
#include "netd/core/repair.h"
#include "netd/core/settings.h"

#define SUBNET_KEY_MAX (7 + ND_UUID_STRLEN)
#define BUSY_TEXT      "another change of it is being written; try again"
#define WAITING_MAX    1024 /* changes that wait, of all networks */

static void end_ok(struct network_done done, struct network *n)
{
	struct nd_error none = ND_ERROR_INIT;
	done.fn(done.arg, n, &none);
}

static void end_bad(struct network_done done, const struct nd_error *e)
{
	done.fn(done.arg, NULL, e);
}

static int check_not_busy(const struct network *n, struct nd_error *e)
{
	return n->busy ? nd_fail(e, ND_BUSY, BUSY_TEXT) : 0;
}

struct define_op {
	struct nd_list link; /* model.defining */
	struct core *c;
	struct netdef *def;
	struct nd_uuid uuid; /* of the network that is redefined, undefined or changed */
	enum event_kind kind;
	struct network_done done;
};

/* ---- one change after the other ---- */

struct waiting {
	struct nd_list link; /* model.waiting */
	struct nd_uuid uuid;
	struct network_done done;
};

/* A network that is not in the model yet may have its first definition waiting. */
static bool is_busy(const struct core *c, const struct nd_uuid *uuid)
{
	const struct network *n = model_network_by_uuid(c->model, uuid);
	const struct define_op *op;
	if (n)
		return n->busy;
	nd_list_foreach(op, &c->model->defining, link) {
		if (nd_uuid_equal(&op->uuid, uuid))
			return true;
	}
	return false;
}

bool network_waits(struct core *c, const struct nd_uuid *uuid, struct network_done done)
{
	if (!done.again || !is_busy(c, uuid) || c->model->waiting_cnt == WAITING_MAX)
		return false;
	struct waiting *w = malloc(sizeof *w);
	if (!w)
		return false;
	*w = (struct waiting){ .uuid = *uuid, .done = done };
	nd_list_append(&c->model->waiting, &w->link);
	c->model->waiting_cnt++;
	return true;
}

static struct network_done end_waiting(struct core *c, struct waiting *w)
{
	struct network_done done = w->done;
	nd_list_remove(&w->link);
	c->model->waiting_cnt--;
	free(w);
	return done;
}

/* Those who must wait on are behind the others again, in their order. */
static void wake(struct core *c, const struct nd_uuid *uuid)
{
	struct nd_list woken;
	struct waiting *w, *next;
	nd_list_init(&woken);
	nd_list_foreach_safe(w, next, &c->model->waiting, link) {
		if (!nd_uuid_equal(&w->uuid, uuid))
			continue;
		nd_list_remove(&w->link);
		nd_list_append(&woken, &w->link);
	}
	while (!nd_list_empty(&woken)) {
		struct network_done done = end_waiting(c, container_of(woken.next, struct waiting, link));
		done.again(done.arg);
	}
}

void network_give_up(struct core *c)
{
	struct nd_error e = ND_ERROR_INIT;
	nd_fail(&e, ND_STATE, "netd ends");
	while (!nd_list_empty(&c->model->waiting))
		end_bad(end_waiting(c, container_of(c->model->waiting.next, struct waiting, link)), &e);
}

/* ---- uniqueness ---- */

/* Any number of networks may use a bridge that others made. */
static int bridge_conflict(const struct netdef *def, const struct netdef *other, const char *bridge,
			   const struct nd_uuid *uuid, struct nd_error *e)
{
	if (!other ||
	    (!netdef_forward_is_virtual(def->forward) && !netdef_forward_is_virtual(other->forward)))
		return 0;
	if (!def->bridge[0] || strchr(def->bridge, '%') || strcmp(def->bridge, bridge) ||
	    nd_uuid_equal(&def->uuid, uuid))
		return 0;
	return nd_fail(e, ND_EXISTS, "bridge name '%s' already in use.", def->bridge);
}

static int identity_conflict(const struct netdef *def, const char *name, const struct nd_uuid *uuid,
			     struct nd_error *e)
{
	char text[ND_UUID_STRLEN];
	bool same_name = !strcmp(def->name, name), same_uuid = nd_uuid_equal(&def->uuid, uuid);
	if (same_name && !same_uuid)
		return nd_fail(e, ND_EXISTS, "network '%s' already exists with uuid %s", name,
			       nd_uuid_to_string(uuid, text));
	if (same_uuid && !same_name)
		return nd_fail(e, ND_EXISTS, "network '%s' is already defined with uuid %s", name,
			       nd_uuid_to_string(uuid, text));
	return 0;
}

/* def has its uuid. */
static int check_unique(const struct core *c, const struct netdef *def, struct nd_error *e)
{
	const struct network *n = model_network_by_name(c->model, def->name);
	const struct define_op *op;
	if (n && identity_conflict(def, n->name, &n->uuid, e) < 0)
		return e->code;
	n = model_network_by_uuid(c->model, &def->uuid);
	if (n && identity_conflict(def, n->name, &n->uuid, e) < 0)
		return e->code;
	nd_list_foreach(op, &c->model->defining, link) {
		if (op->def && (identity_conflict(def, op->def->name, &op->def->uuid, e) < 0 ||
				bridge_conflict(def, op->def, op->def->bridge, &op->def->uuid, e) < 0))
			return e->code;
	}
	if (!def->bridge[0])
		return 0;
	nd_list_foreach(n, &c->model->networks, all) {
		if ((n->config && bridge_conflict(def, n->config, n->config->bridge, &n->uuid, e) < 0) ||
		    bridge_conflict(def, n->live, n->bridge, &n->uuid, e) < 0)
			return e->code;
	}
	return 0;
}

void network_each_bridge(const struct core *c, const struct nd_uuid *own,
			 void (*fn)(void *arg, const char *bridge), void *arg)
{
	const struct define_op *op;
	const struct network *n;
	nd_list_foreach(op, &c->model->defining, link) {
		if (op->def && op->def->bridge[0] && !nd_uuid_equal(&op->uuid, own))
			fn(arg, op->def->bridge);
	}
	nd_list_foreach(n, &c->model->networks, all) {
		if (nd_uuid_equal(&n->uuid, own))
			continue;
		if (n->config && n->config->bridge[0])
			fn(arg, n->config->bridge);
		if (n->bridge[0])
			fn(arg, n->bridge);
	}
}

/* What a redefinition leaves out stays as it was: uuid, MAC, bridge name, autostart. */
static void inherit(const struct core *c, struct netdef *def)
{
	const struct network *n = def->uuid_set ? model_network_by_uuid(c->model, &def->uuid)
						: model_network_by_name(c->model, def->name);
	const struct netdef *old = n ? (n->config ? n->config : n->live) : NULL;
	if (n && !def->uuid_set) {
		def->uuid = n->uuid;
		def->uuid_set = true;
	}
	if (old && !def->mac_set && old->mac_set && netdef_forward_is_virtual(def->forward)) {
		def->mac = old->mac;
		def->mac_set = true;
	}
	if (old && choose_bridge_fits(def, old->bridge))
		nd_strcpy(def->bridge, sizeof def->bridge, old->bridge);
	if (n && !def->autostart_set && n->autostart != NETDEF_AUTOSTART_NO) {
		def->autostart = n->autostart;
		def->autostart_set = true;
	}
	choose_identity(def);
}

int network_complete(const struct core *c, struct netdef *def, struct nd_error *e)
{
	inherit(c, def);
	return netdef_check(def, e) < 0 ? e->code : check_unique(c, def, e);
}

/* ---- publishing a definition ---- */

int network_publish(struct core *c, struct netdef *def, struct network **ret, struct nd_error *e)
{
	struct network *n = model_network_by_uuid(c->model, &def->uuid);
	if (!n) {
		n = model_network_new(&def->uuid, def->name);
		if (!n || model_network_add(c->model, n) < 0) {
			model_network_free(n);
			netdef_free(def);
			return nd_fail(e, ND_MEMORY, "network");
		}
	}
	model_broken_forget(c->model, n->name);
	netdef_free(n->config);
	n->config = def;
	n->autostart = def->autostart;
	*ret = n;
	return 0;
}

static void op_free(struct define_op *op)
{
	nd_list_remove(&op->link);
	netdef_free(op->def);
	free(op);
}

static struct define_op *op_new(struct core *c, const struct nd_uuid *uuid, enum event_kind kind,
				struct network_done done)
{
	struct define_op *op = calloc(1, sizeof *op);
	if (!op)
		return NULL;
	op->c = c;
	op->uuid = *uuid;
	op->kind = kind;
	op->done = done;
	nd_list_append(&c->model->defining, &op->link);
	return op;
}

/* The change is over: who waited for it is next. */
static void op_end(struct define_op *op)
{
	struct core *c = op->c;
	struct nd_uuid uuid = op->uuid;
	op_free(op);
	wake(c, &uuid);
}

static void say_written(struct core *c, enum event_kind kind, struct network *n)
{
	if (kind == EVENT_NETWORK_DEFINED)
		events_say(c->events, kind, n, NULL, "defined");
	else if (kind == EVENT_NETWORK_CHANGED)
		events_say(c->events, kind, n, NULL, "autostart: %s",
			   netdef_autostart_to_string(n->autostart));
}

static void on_defined(void *arg, const struct nd_error *failed)
{
	struct define_op *op = arg;
	struct network *n = model_network_by_uuid(op->c->model, &op->uuid);
	struct nd_error e = ND_ERROR_INIT;
	if (n)
		n->busy = false;
	if (failed->code) {
		nd_error_copy(&e, failed);
		nd_wrap(&e, "network '%s'", op->def->name);
	} else if (network_publish(op->c, take_ptr(op->def), &n, &e) == 0) {
		say_written(op->c, op->kind, n);
	}
	if (e.code)
		end_bad(op->done, &e);
	else
		end_ok(op->done, n);
	op_end(op);
}

/* Writes def and publishes it when it is synced. def: taken. */
int network_write(struct core *c, struct netdef *def, enum event_kind kind, struct network_done done,
		  struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	struct nd_buf xml = { .max = NETDEF_XML_MAX * 2 };
	struct network *n = model_network_by_uuid(c->model, &def->uuid);
	struct define_op *op = NULL;
	int r = is_busy(c, &def->uuid) ? nd_fail(e, ND_BUSY, BUSY_TEXT) : 0;
	if (r == 0)
		r = records_config_path(c, def->name, path, e);
	if (r == 0) {
		netdef_format(def, &xml);
		nd_buf_append(&xml, "", 1);
		op = op_new(c, &def->uuid, kind, done);
		r = !op || xml.bad ? nd_fail(e, ND_MEMORY, "definition") : 0;
	}
	if (r < 0) {
		netdef_free(def);
		nd_buf_done(&xml);
		if (op)
			op_free(op);
		return r;
	}
	op->def = def;
	if (disk_file(c->disk, path, (char *)xml.p, (struct nd_done){ on_defined, op }) < 0) {
		op_free(op);
		return nd_fail(e, ND_MEMORY, "definition");
	}
	if (n)
		n->busy = true;
	return 0;
}

/* Parsed, checked, complete and unique; the caller's. */
int network_read(struct core *c, const char *xml, size_t len,
		 void (*warn)(void *arg, const struct netdef_warning *w), void *arg, struct netdef **ret,
		 struct nd_error *e)
{
	struct netdef *def = NULL;
	if (netdef_parse(xml, len, NULL, warn, arg, &def, e) < 0)
		return e->code;
	int r = network_complete(c, def, e);
	if (r < 0) {
		nd_wrap(e, "network '%s'", def->name);
		netdef_free(def);
		return r;
	}
	*ret = def;
	return 0;
}

int network_name_bridge(const struct core *c, struct netdef *def, struct nd_error *e)
{
	const struct network *n = model_network_by_uuid(c->model, &def->uuid);
	if (n && choose_bridge_fits(def, n->bridge))
		nd_strcpy(def->bridge, sizeof def->bridge, n->bridge);
	return choose_bridge(c, def, e);
}

void network_define(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *def = NULL;
	nd_autofree char *name = NULL;
	if (network_read(c, xml, len, warn, done.arg, &def, &e) == 0) {
		if (network_waits(c, &def->uuid, done)) {
			netdef_free(def);
			return;
		}
		name = strdup(def->name);
		if (network_name_bridge(c, def, &e) < 0)
			netdef_free(def);
		else
			network_write(c, def, EVENT_NETWORK_DEFINED, done, &e);
		if (e.code)
			nd_wrap(&e, "network '%s'", name ? name : "");
	}
	if (e.code)
		end_bad(done, &e);
}

/* ---- start ---- */

static const char *subnet_key(const struct network *n, char key[SUBNET_KEY_MAX])
{
	char uuid[ND_UUID_STRLEN];
	snprintf(key, SUBNET_KEY_MAX, "subnet:%s", nd_uuid_to_string(&n->uuid, uuid));
	return key;
}

/* Start-up only: reads the store itself. */
static void load_last_subnet(struct core *c, struct network *n)
{
	char key[SUBNET_KEY_MAX];
	nd_autofree char *value = NULL;
	if (dhcp_store_setting_get(disk_store_at_start(c->disk), subnet_key(n, key), &value, NULL) == 0)
		nd_prefix_from_string(value, &n->last_subnet);
}

void network_load_choices(struct core *c)
{
	struct network *n;
	nd_list_foreach(n, &c->model->networks, all) {
		for (size_t i = 0; n->config && i < n->config->ip_cnt; i++) {
			if (n->config->ips[i].subnet_auto)
				load_last_subnet(c, n);
		}
	}
}

/* Remembers an automatic choice; leases of another subnet are worth nothing. */
static void remember_subnet(struct core *c, struct network *n, const struct netdef *def,
			    const struct netdef *live)
{
	char key[SUBNET_KEY_MAX], value[ND_PREFIX_STRLEN];
	for (size_t i = 0; i < def->ip_cnt; i++) {
		struct nd_prefix was = nd_prefix_network(&n->last_subnet),
				 now = nd_prefix_network(&live->ips[i].address);
		if (!def->ips[i].subnet_auto || nd_prefix_equal(&live->ips[i].address, &n->last_subnet))
			continue;
		if (n->last_subnet.ip.family && !nd_prefix_equal(&was, &now)) {
			leases_network_gone(c->leases, &n->uuid);
			events_say(c->events, EVENT_NETWORK_SUBNET, n, NULL,
				   "the subnet is another one than last time; its old leases are dropped");
		}
		n->last_subnet = live->ips[i].address;
		disk_setting(c->disk, subnet_key(n, key), nd_prefix_to_string(&n->last_subnet, value));
	}
}

static void forget_live(struct core *c, struct network *n)
{
	if (n->plan && (n->bridge[0] || n->plan->pool)) {
		c->model->active_cnt--;
		c->model->accepting_cnt -= n->plan->accepts;
	}
	nd_list_remove(&n->dirty); /* nothing to repair any more */
	model_network_set_bridge(c->model, n, "");
	netdef_free(n->live);
	network_plan_free(n->plan);
	free(n->degraded);
	free(n->foreign);
	n->foreign = NULL;
	n->live = NULL;
	n->plan = NULL;
	n->degraded = NULL;
	n->foreign_ports = 0;
	n->repair_fails = 0;
	n->state = NETWORK_INACTIVE;
}

/* live: taken. Also adoption's way to an active network. */
int network_take_live(struct core *c, struct network *n, struct netdef *live, struct nd_error *e)
{
	n->live = live;
	if (follow_plan(c, live, NULL, &n->plan, e) < 0) {
		forget_live(c, n);
		return e->code;
	}
	if (n->plan->pool) {
		model_network_pool(c->model, n);
	} else if (!n->plan->own_bridge) {
		model_network_plug(c->model, n, live->bridge);
	} else if (!model_network_set_bridge(c->model, n, live->bridge)) {
		forget_live(c, n);
		return nd_fail(e, ND_MEMORY, "bridge name");
	}
	c->model->active_cnt++;
	c->model->accepting_cnt += n->plan->accepts;
	return 0;
}

static void say_started(struct core *c, struct network *n)
{
	char prefixes[160];
	if (n->plan->pool)
		events_say(c->events, EVENT_NETWORK_STARTED, n, NULL, "started on %s",
			   pool_names(n, prefixes, sizeof prefixes));
	else if (network_plan_return_routes(n->plan, prefixes, sizeof prefixes))
		events_say(c->events, EVENT_NETWORK_STARTED, n, NULL,
			   "started on bridge %s; guests are forwarded with their own addresses, so routers "
			   "outside "
			   "need a route for %s to this host, which netd cannot check",
			   n->bridge, prefixes);
	else
		events_say(c->events, EVENT_NETWORK_STARTED, n, NULL, "started on bridge %s", n->bridge);
}

/* def: what the start uses, borrowed. */
int network_start_from(struct core *c, struct network *n, const struct netdef *def, struct nd_error *e)
{
	enum network_state next;
	struct netdef *live;
	char *note = NULL;
	/* A change that is being written does a start no harm; who cannot wait for it is a guest's attach. */
	if (lifecycle_network(n->state, NETWORK_EVENT_START, &next, e) < 0 || netdef_supported(def, e) < 0)
		return e->code;
	monitor_sync(c);
	if (choose_live(c, def, n->last_subnet.ip.family ? &n->last_subnet : NULL, &live, &note, e) < 0)
		return e->code;
	if (network_take_live(c, n, live, e) < 0) {
		free(note);
		return e->code;
	}
	remember_subnet(c, n, def, live);
	if (converge(c, network_rows, network_row_cnt, n, CONVERGE_START, NULL, e) < 0) {
		forget_live(c, n);
		free(note);
		return e->code;
	}
	n->state = next;
	if (pool_check(c, n) != RESOURCE_OK)
		repair_mark_network(c, n, "an interface is not there");
	n->sysctls_fresh = 0;
	bridge_sysctls_settle(c->sysctls);
	if (note)
		events_say(c->events, EVENT_NETWORK_SUBNET, n, NULL, "%s", note);
	free(note);
	say_started(c, n);
	follow_networks(c);
	return 0;
}

void network_start(struct core *c, struct network *n, struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	if (network_waits(c, &n->uuid, done))
		return;
	if (!n->config)
		nd_fail(&e, ND_STATE, "network is already active"); /* a transient one is never inactive */
	else
		network_start_from(c, n, n->config, &e);
	if (e.code) {
		nd_wrap(&e, "network '%s'", n->name);
		end_bad(done, &e);
	} else {
		end_ok(done, n);
	}
}

static int create(struct core *c, struct netdef *def, struct network **ret, struct nd_error *e)
{
	struct network *n = model_network_by_uuid(c->model, &def->uuid);
	if (n) {
		/* libvirt too: a defined network is started as the given XML says, its definition stays. */
		if (network_start_from(c, n, def, e) < 0)
			return e->code;
		*ret = n;
		return 0;
	}
	n = model_network_new(&def->uuid, def->name);
	if (!n || model_network_add(c->model, n) < 0) {
		model_network_free(n);
		return nd_fail(e, ND_MEMORY, "network");
	}
	if (network_start_from(c, n, def, e) < 0) {
		model_network_remove(c->model, n);
		model_network_free(n);
		return e->code;
	}
	*ret = n;
	return 0;
}

void network_create(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *def = NULL;
	struct network *n = NULL;
	bool waits = false;
	if (network_read(c, xml, len, warn, done.arg, &def, &e) == 0) {
		waits = network_waits(c, &def->uuid, done);
		if (!waits && create(c, def, &n, &e) < 0)
			nd_wrap(&e, "network '%s'", def->name);
	}
	netdef_free(def);
	if (waits)
		return;
	if (e.code)
		end_bad(done, &e);
	else
		end_ok(done, n);
}

/* ---- stop ---- */

static int refuse_live_ports(const struct network *n, struct nd_error *e)
{
	char list[256] = "", uuid[ND_UUID_STRLEN];
	size_t used = 0;
	const struct port *p;
	nd_list_foreach(p, &n->ports, siblings) {
		const char *name = p->name[0]     ? p->name
				   : p->ifname[0] ? p->ifname
						  : nd_uuid_to_string(&p->uuid, uuid);
		if (used + strlen(name) + 8 > sizeof list) {
			used += (size_t)snprintf(list + used, sizeof list - used, ", ...");
			break;
		}
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", name);
	}
	return nd_fail(e, ND_BUSY, "it has %u live port%s: %s; --force disconnects them", n->port_cnt,
		       n->port_cnt == 1 ? "" : "s", list);
}

static void end_ports(struct core *c, struct network *n)
{
	struct port *p, *next;
	nd_list_foreach_safe(p, next, &n->ports, siblings) {
		struct nd_error failed = ND_ERROR_INIT;
		if (attach_end(c, p, &failed) < 0)
			nd_log_error(ND_LOG_WARNING, &failed, "network '%s'", n->name);
	}
}

void network_halt(struct core *c, struct network *n)
{
	struct nd_error failed = ND_ERROR_INIT;
	if (converge(c, network_rows, network_row_cnt, n, CONVERGE_STOP, NULL, &failed) < 0)
		nd_log_error(ND_LOG_WARNING, &failed, "network '%s': stop", n->name);
	forget_live(c, n);
	follow_networks(c);
}

static int stop(struct core *c, struct network *n, bool force, struct nd_error *e)
{
	enum network_state next;
	if (check_not_busy(n, e) < 0 || lifecycle_network(n->state, NETWORK_EVENT_STOP, &next, e) < 0)
		return e->code;
	if (n->port_cnt && !force)
		return refuse_live_ports(n, e);
	end_ports(c, n);
	network_halt(c, n);
	n->state = next;
	events_say(c->events, EVENT_NETWORK_STOPPED, n, NULL, "stopped");
	return 0;
}

/* The network is neither defined nor active any more. */
void network_vanish(struct core *c, struct network *n)
{
	char key[SUBNET_KEY_MAX];
	end_ports(c, n);
	leases_network_gone(c->leases, &n->uuid);
	if (n->last_subnet.ip.family)
		disk_setting(c->disk, subnet_key(n, key), NULL);
	model_network_remove(c->model, n);
	model_network_free(n);
}

void network_destroy(struct core *c, struct network *n, bool force, struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	if (network_waits(c, &n->uuid, done))
		return;
	if (stop(c, n, force, &e) < 0) {
		nd_wrap(&e, "network '%s'", n->name);
		end_bad(done, &e);
		return;
	}
	if (!n->config) {
		network_vanish(c, n);
		n = NULL;
	}
	end_ok(done, n);
}

/* ---- undefine, autostart ---- */

struct network *network_undefined(struct core *c, struct network *n)
{
	events_say(c->events, EVENT_NETWORK_UNDEFINED, n, NULL, "undefined%s",
		   n->live ? "; it goes on until it is stopped" : "");
	netdef_free(n->config);
	n->config = NULL;
	n->autostart = NETDEF_AUTOSTART_NO;
	if (n->live)
		return n;
	network_vanish(c, n);
	return NULL;
}

static void on_undefined(void *arg, const struct nd_error *failed)
{
	struct define_op *op = arg;
	struct network *n = model_network_by_uuid(op->c->model, &op->uuid);
	struct nd_error e = ND_ERROR_INIT;
	if (n)
		n->busy = false;
	if (failed->code) {
		nd_error_copy(&e, failed);
		nd_wrap(&e, "network '%s'", n ? n->name : "?");
		end_bad(op->done, &e);
	} else {
		end_ok(op->done, n ? network_undefined(op->c, n) : NULL);
	}
	op_end(op);
}

static int begin_undefine(struct core *c, struct network *n, struct network_done done, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	if (check_not_busy(n, e) < 0)
		return e->code;
	if (!n->config)
		return nd_fail(e, ND_STATE, "can't undefine transient network");
	if (records_config_path(c, n->name, path, e) < 0)
		return e->code;
	struct define_op *op = op_new(c, &n->uuid, EVENT_NETWORK_UNDEFINED, done);
	if (!op || disk_file(c->disk, path, NULL, (struct nd_done){ on_undefined, op }) < 0) {
		if (op)
			op_free(op);
		return nd_fail(e, ND_MEMORY, "undefine");
	}
	n->busy = true;
	return 0;
}

void network_undefine(struct core *c, struct network *n, struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	if (network_waits(c, &n->uuid, done))
		return;
	if (begin_undefine(c, n, done, &e) < 0) {
		nd_wrap(&e, "network '%s'", n->name);
		end_bad(done, &e);
	}
}

void network_set_autostart(struct core *c, struct network *n, enum netdef_autostart mode,
			   struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	if (network_waits(c, &n->uuid, done))
		return;
	struct netdef *def = n->config ? netdef_copy(n->config) : NULL;
	if (!n->config) {
		nd_fail(&e, ND_STATE, "cannot set autostart for transient network");
	} else if (!def) {
		nd_fail(&e, ND_MEMORY, "definition");
	} else {
		def->autostart = mode;
		def->autostart_set = mode != NETDEF_AUTOSTART_NO;
		if (network_write(c, def, EVENT_NETWORK_CHANGED, done, &e) == 0)
			return;
	}
	nd_wrap(&e, "network '%s'", n->name);
	end_bad(done, &e);
}

void network_format(const struct network *n, bool inactive, struct nd_buf *out)
{
	const struct netdef *def = inactive || !n->live ? n->config : n->live;
	netdef_format(def ? def : n->live, out);
}

static void on_autostarted(void *arg, struct network *n, const struct nd_error *e)
{
	if (e->code)
		nd_log_error(ND_LOG_ERR, e, "autostart");
}

void network_autostart(struct core *c)
{
	struct network *n, *next;
	nd_list_foreach_safe(n, next, &c->model->networks, all) {
		if (n->autostart == NETDEF_AUTOSTART_BOOT && n->state == NETWORK_INACTIVE)
			network_start(c, n, (struct network_done){ on_autostarted, NULL });
	}
}

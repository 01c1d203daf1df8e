// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: live changes (see change.h).
 *
 * The change class of each field comes from the definition's rows (netdef_diff). A live change swaps definition and plan, tells the nft table and the worker
 * what differs, and converges; what does not come about is swapped back the same way.
 */
#include "netd/core/change.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "nat/nat.h"
#include "netd/core/choose.h"
#include "netd/core/converge.h"
#include "netd/core/event.h"
#include "netd/core/follow.h"
#include "netd/core/plan.h"
#include "netd/core/publish.h"
#include "netd/core/repair.h"
#include "netd/core/supervisor.h"

/* ---- putting a definition in force ---- */

static int refuse_restart(const char *fields, struct nd_error *e)
{
	return nd_fail(e, ND_STATE, "%s can change only by a restart of the network", fields);
}

/* Makes live and plan those of n, and everything else follow. What was is left in the arguments. */
static int swap(struct core *c, struct network *n, struct netdef **live, struct network_plan **plan,
		struct nd_error *e)
{
	struct netdef *was = n->live;
	struct network_plan *was_plan = n->plan;
	struct port *p;
	n->live = *live;
	n->plan = *plan;
	*live = was;
	*plan = was_plan;
	n->recorded = false;
	if (was_plan->ipv6 != n->plan->ipv6)
		n->link_sysctl_done = false;
	c->model->accepting_cnt += n->plan->accepts;
	c->model->accepting_cnt -= was_plan->accepts;
	if (elements_put(c->nat, &was_plan->elements, &n->plan->elements, e) < 0 ||
	    elements_put(c->nat, &was_plan->peers, &n->plan->peers, e) < 0 || nat_commit(c->nat, e) < 0)
		return nd_wrap(e, "nftables");
	if (converge(c, network_rows, network_row_cnt, n, CONVERGE_REPAIR, NULL, e) < 0)
		return e->code;
	if (was_plan->dhcp && !n->plan->dhcp)
		supervisor_network_del(c->supervisor, n);
	else if (n->plan->dhcp)
		supervisor_network_set(c->supervisor, n);
	/* At once and not by repair, which would tell what it finds as somebody's doing. */
	nd_list_foreach(p, &n->ports, siblings) {
		if (converge(c, port_rows, port_row_cnt, p, CONVERGE_REPAIR, NULL, NULL) < 0)
			repair_mark_port(c, p, "the network was changed");
	}
	return 0;
}

/* def: taken; complete, as a live definition is. */
static int put_in_force(struct core *c, struct network *n, struct netdef *def, struct nd_error *e)
{
	struct nd_buf fields = { .max = 0 };
	struct network_plan *plan = NULL;
	enum netdef_change class = netdef_diff(n->live, def, &fields);
	if (class >= NETDEF_CHANGE_RESTART)
		refuse_restart(nd_buf_string(&fields), e);
	else if (follow_plan(c, def, n->plan, &plan, e) == 0 && swap(c, n, &def, &plan, e) < 0) {
		struct nd_error failed = ND_ERROR_INIT;
		if (swap(c, n, &def, &plan, &failed) < 0)
			nd_also(e, &failed);
	}
	n->sysctls_fresh = 0;
	bridge_sysctls_settle(c->sysctls);
	nd_buf_done(&fields);
	network_plan_free(plan);
	netdef_free(def);
	return e->code;
}

/* What the running network looks like with def's settings: the choices of its start stay. *ret: the caller's. */
static int live_from(const struct core *c, const struct network *n, const struct netdef *def,
		     struct netdef **ret, struct nd_error *e)
{
	char *note = NULL;
	const struct nd_prefix *last = n->last_subnet.ip.family ? &n->last_subnet : NULL;
	struct netdef *wanted = netdef_copy(def);
	if (!wanted)
		return nd_fail(e, ND_MEMORY, "live definition");
	if (!wanted->bridge[0] || strchr(wanted->bridge, '%'))
		nd_strcpy(wanted->bridge, sizeof wanted->bridge, n->bridge);
	int r = choose_live(c, wanted, last, ret, &note, e);
	netdef_free(wanted);
	free(note);
	return r;
}

/* ---- plan and apply ---- */

static struct network *find_same(const struct core *c, const struct netdef *def)
{
	return model_network_by_uuid(c->model, &def->uuid);
}

static int fill_plan(const struct core *c, const struct netdef *def, struct change_plan *ret,
		     struct nd_error *e)
{
	const struct network *n = find_same(c, def);
	struct nd_buf fields = { .max = 0 };
	struct netdef *live = NULL;
	*ret = (struct change_plan){ .is_new = !n || !n->config };
	if (n && n->config)
		ret->config = netdef_diff(n->config, def, n->live ? NULL : &fields);
	if (n && n->live) {
		if (live_from(c, n, def, &live, e) < 0)
			return e->code;
		ret->live = netdef_diff(n->live, live, &fields);
		ret->ports = n->port_cnt;
		netdef_free(live);
	}
	if (fields.len)
		ret->fields = strdup(nd_buf_string(&fields));
	bool bad = fields.bad || (fields.len && !ret->fields);
	nd_buf_done(&fields);
	return bad ? nd_fail(e, ND_MEMORY, "plan of the change") : 0;
}

int change_plan(struct core *c, const char *xml, size_t len, struct change_plan *ret, struct nd_error *e)
{
	struct netdef *def = NULL;
	if (network_read(c, xml, len, NULL, NULL, &def, e) < 0)
		return e->code;
	int r = fill_plan(c, def, ret, e);
	if (r < 0)
		nd_wrap(e, "network '%s'", def->name);
	netdef_free(def);
	return r;
}

void change_plan_done(struct change_plan *p)
{
	free(p->fields);
	p->fields = NULL;
}

/* A restart that cannot come up goes back to what ran; its ports are plugged in again by repair either way. */
static int restart(struct core *c, struct network *n, const struct netdef *def, struct nd_error *e)
{
	struct netdef *was = netdef_copy(n->live);
	struct nd_error failed = ND_ERROR_INIT;
	struct port *p;
	if (!was)
		return nd_fail(e, ND_MEMORY, "live definition");
	network_halt(c, n);
	bool runs = network_start_from(c, n, def, e) == 0;
	if (!runs && !(runs = network_start_from(c, n, was, &failed) == 0))
		nd_also(e, &failed);
	netdef_free(was);
	if (!runs && !n->config) {
		network_vanish(c, n); /* a transient network that does not run is none */
		return e->code;
	}
	nd_list_foreach(p, &n->ports, siblings)
		repair_mark_port(c, p, "the network was restarted");
	return e->code;
}

static int apply_live(struct core *c, struct network *n, const struct netdef *def, bool may_restart,
		      struct nd_error *e)
{
	struct netdef *live;
	struct nd_buf fields = { .max = 0 };
	if (live_from(c, n, def, &live, e) < 0)
		return e->code;
	enum netdef_change class = netdef_diff(n->live, live, &fields);
	if (class >= NETDEF_CHANGE_RESTART && may_restart) {
		netdef_free(live);
		restart(c, n, def, e);
	} else {
		put_in_force(c, n, live, e);
	}
	nd_buf_done(&fields);
	return e->code;
}

/* ---- the file, last ---- */

struct write_op {
	struct core *c;
	struct nd_uuid uuid;
	struct netdef *was; /* the live definition before; NULL: nothing was changed live */
	struct event *said; /* when it is written; heap, NULL: network_write says it */
	struct network_done done;
};

static void write_op_free(struct write_op *op)
{
	netdef_free(op->was);
	free(op->said);
	free(op);
}

/* The definition could not be written: what runs goes back to what it was. */
static void take_back(struct write_op *op, struct network *n, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	if (apply_live(op->c, n, op->was, true, &failed) < 0)
		nd_also(e, &failed);
}

static void on_written(void *arg, struct network *n, const struct nd_error *e)
{
	struct write_op *op = arg;
	struct nd_error told = ND_ERROR_INIT;
	nd_error_copy(&told, e);
	struct network *same = model_network_by_uuid(op->c->model, &op->uuid);
	if (e->code && op->was && same && same->live)
		take_back(op, same, &told);
	if (!e->code && op->said)
		events_emit(op->c->events, op->said);
	op->done.fn(op->done.arg, n, &told);
	write_op_free(op);
}

/* def, was: taken. said: what is said when it is written, copied; NULL: that it is defined. Ends in done. */
static void write_last(struct core *c, struct netdef *def, struct netdef *was, const struct event *said,
		       struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct write_op *op = calloc(1, sizeof *op);
	struct event *copy = said ? malloc(sizeof *copy) : NULL;
	if (copy)
		*copy = *said;
	if (!op || (said && !copy)) {
		nd_fail(&e, ND_MEMORY, "definition");
		free(copy);
		free(op);
		netdef_free(was);
		netdef_free(def);
		done.fn(done.arg, NULL, &e);
		return;
	}
	*op = (struct write_op){ .c = c, .uuid = def->uuid, .was = was, .said = copy, .done = done };
	if (network_write(c, def, said ? EVENT_KIND_CNT_ : EVENT_NETWORK_DEFINED,
			  (struct network_done){ on_written, op }, &e) < 0)
		on_written(op, NULL, &e);
}

/* The part that runs; *ret_was (the caller's): the live definition before, NULL: none runs. */
static int apply_running(struct core *c, struct network *n, const struct netdef *def, bool may_restart,
			 struct netdef **ret_was, struct nd_error *e)
{
	if (n && n->busy)
		return nd_fail(e, ND_BUSY, "another change of it is being written; try again");
	if (!n || !n->live)
		return 0;
	*ret_was = netdef_copy(n->live);
	return *ret_was ? apply_live(c, n, def, may_restart, e) : nd_fail(e, ND_MEMORY, "live definition");
}

void change_apply(struct core *c, const char *xml, size_t len, bool may_restart, struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *def = NULL, *was = NULL;
	if (network_read(c, xml, len, NULL, NULL, &def, &e) == 0) {
		if (network_waits(c, &def->uuid, done)) {
			netdef_free(def);
			return;
		}
		if (network_name_bridge(c, def, &e) < 0 ||
		    apply_running(c, find_same(c, def), def, may_restart, &was, &e) < 0)
			nd_wrap(&e, "network '%s'", def->name);
	}
	if (e.code == 0) {
		write_last(c, def, was, NULL, done);
		return;
	}
	netdef_free(def);
	netdef_free(was);
	done.fn(done.arg, NULL, &e);
}

/* ---- one record, one text ---- */

struct edit {
	int (*fn)(struct netdef *def, const void *what, struct nd_error *e);
	const void *what;
	unsigned targets;
};

static int edit_update(struct netdef *def, const void *what, struct nd_error *e)
{
	const struct change_update *u = what;
	return netdef_update(def, (enum netdef_section)u->section, (enum netdef_command)u->command, u->parent,
			     u->xml, e);
}

static int edit_metadata(struct netdef *def, const void *what, struct nd_error *e)
{
	const struct change_metadata *m = what;
	return netdef_metadata_set(def, (enum netdef_metadata)m->type, m->value, m->key, m->uri, e);
}

/* libvirt's rules and texts. *ret: CHANGE_ bits, never 0. */
static int find_targets(const struct network *n, unsigned targets, unsigned *ret, struct nd_error *e)
{
	if (targets & ~(unsigned)(CHANGE_LIVE | CHANGE_CONFIG))
		return nd_fail(e, ND_INVALID, "unknown flags %#x", targets);
	if (!targets)
		targets = n->live ? CHANGE_LIVE : CHANGE_CONFIG;
	if (targets & CHANGE_LIVE && !n->live)
		return nd_fail(e, ND_STATE, "network is not running");
	if (targets & CHANGE_CONFIG && !n->config)
		return nd_fail(e, ND_STATE, "cannot change persistent config of a transient network");
	*ret = targets;
	return 0;
}

static int edited(const struct netdef *def, const struct edit *edit, struct netdef **ret, struct nd_error *e)
{
	*ret = netdef_copy(def);
	return *ret ? edit->fn(*ret, edit->what, e) : nd_fail(e, ND_MEMORY, "definition");
}

/* Both copies are edited before either is used. */
static int edit_copies(const struct network *n, const struct edit *edit, unsigned targets,
		       struct netdef **ret_live, struct netdef **ret_config, struct nd_error *e)
{
	if (n->busy)
		return nd_fail(e, ND_BUSY, "another change of it is being written; try again");
	if (targets & CHANGE_CONFIG && edited(n->config, edit, ret_config, e) < 0)
		return nd_wrap(e, "persistent definition");
	if (targets & CHANGE_LIVE && edited(n->live, edit, ret_live, e) < 0)
		return e->code;
	return 0;
}

/* said: what is said when it worked. */
static void change(struct core *c, struct network *n, const struct edit *edit, struct event *said,
		   struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *live = NULL, *config = NULL, *was = NULL;
	unsigned targets = 0;
	if (network_waits(c, &n->uuid, done))
		return;
	nd_strcpy(said->network, sizeof said->network, n->name);
	said->network_uuid = n->uuid;
	if (find_targets(n, edit->targets, &targets, &e) == 0 &&
	    edit_copies(n, edit, targets, &live, &config, &e) == 0 && live) {
		was = netdef_copy(n->live);
		if (was)
			put_in_force(c, n, take_ptr(live), &e);
		else
			nd_fail(&e, ND_MEMORY, "live definition");
	}
	netdef_free(live);
	if (e.code == 0 && config) {
		write_last(c, config, was, said, done);
		return;
	}
	netdef_free(config);
	netdef_free(was);
	if (e.code)
		nd_wrap(&e, "network '%s'", n->name);
	else
		events_emit(c->events, said);
	done.fn(done.arg, e.code ? NULL : n, &e);
}

void change_update(struct core *c, struct network *n, const struct change_update *u, struct network_done done)
{
	struct event said = { .kind = EVENT_NETWORK_CHANGED };
	const char *section = netdef_section_to_string(u->section);
	const char *command = netdef_command_to_string(u->command);
	snprintf(said.text, sizeof said.text, "%s: %s", section ? section : "?", command ? command : "?");
	change(c, n, &(struct edit){ edit_update, u, u->targets }, &said, done);
}

static const char *const metadata_kinds[] = {
	[CHANGE_DESCRIPTION] = "description",
	[CHANGE_TITLE] = "title",
	[CHANGE_ELEMENT] = "metadata",
};

void change_metadata(struct core *c, struct network *n, const struct change_metadata *m,
		     struct network_done done)
{
	struct event said = { .kind = EVENT_NETWORK_METADATA, .metadata = m->type };
	const char *uri = m->uri ? m->uri : "";
	nd_strcpy(said.uri, sizeof said.uri, uri);
	snprintf(said.text, sizeof said.text, "%s%s%.150s %s", metadata_kinds[m->type], *uri ? " of " : "",
		 uri, m->value ? "set" : "removed");
	change(c, n, &(struct edit){ edit_metadata, m, m->targets }, &said, done);
}

static int edit_publish(struct netdef *def, const void *what, struct nd_error *e)
{
	const struct change_publish *p = what;
	return p->remove ? netdef_publish_remove(def, p->publish, e) : netdef_publish_add(def, p->publish, e);
}

void change_publish(struct core *c, struct network *n, const struct change_publish *p,
		    struct network_done done)
{
	struct event said = { .kind = EVENT_NETWORK_CHANGED };
	struct nd_error e = ND_ERROR_INIT;
	unsigned targets = p->targets;
	if (!targets)
		targets = (n->live ? CHANGE_LIVE : 0) | (n->config ? CHANGE_CONFIG : 0);
	if (!p->remove && n->live && targets & CHANGE_LIVE && publish_refused(c, n, p->publish, &e) < 0) {
		nd_wrap(&e, "network '%s'", n->name);
		done.fn(done.arg, NULL, &e);
		return;
	}
	snprintf(said.text, sizeof said.text, "%s port %u %s",
		 netdef_protocol_to_string(p->publish->protocol), (unsigned)p->publish->port,
		 p->remove ? "is published no more" : "is published");
	change(c, n, &(struct edit){ edit_publish, p, targets }, &said, done);
}

int change_metadata_get(const struct network *n, enum change_metadata_type type, const char *uri,
			unsigned targets, char **ret, struct nd_error *e)
{
	unsigned which = 0;
	if (find_targets(n, targets, &which, e) < 0)
		return e->code;
	if (which == (CHANGE_LIVE | CHANGE_CONFIG))
		return nd_fail(e, ND_INVALID, "ask for the live or the persistent definition, not both");
	return netdef_metadata_get(which == CHANGE_LIVE ? n->live : n->config, (enum netdef_metadata)type,
				   uri, ret, e);
}

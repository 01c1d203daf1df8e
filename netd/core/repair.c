// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: repair, once per loop turn (see repair.h).
 *
 * All nft elements that marked objects lack go in one transaction first, so that a flushed ruleset is back at one instant and not network by network.
 */
#include "netd/core/repair.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "nat/nat.h"
#include "netd/core/converge.h"
#include "netd/core/event.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"
#include "netd/core/names.h"
#include "netd/core/plan.h"
#include "netd/core/port.h"
#include <ev.h>

#define RETRY_MS     100
#define RETRY_MAX_MS 10000

struct repair {
	struct core *c;
	struct ev_prepare prepare;
	struct ev_timer retry;
	struct nd_list networks, ports; /* marked */
	uint64_t marked_ms;             /* when the first of them was */
	unsigned fails;
	bool running;
	bool strays;      /* marked: persistent TAPs of no port */
	bool strays_held; /* tried again by the timer only: a holder could ask for it all the time */
	bool nft_lost;    /* the marked objects' elements went back in one batch */
	char why[160];
};

/*
 * What happened to a network says more than what that did to its ports, and the last says most: a deleted bridge lets go of its ports first, then of
 * its addresses.
 */
static void note(struct repair *r, const char *why, bool network)
{
	if (r->running)
		return; /* what a repair marks belongs to the same cause */
	if (nd_list_empty(&r->networks) && nd_list_empty(&r->ports)) {
		r->marked_ms = nd_now_ms();
		r->why[0] = '\0';
	}
	if (network || !r->why[0])
		nd_strcpy(r->why, sizeof r->why, why);
}

void repair_mark_network(struct core *c, struct network *n, const char *why)
{
	if (!n->live)
		return;
	note(c->repair, why, true);
	if (!nd_list_linked(&n->dirty))
		nd_list_append(&c->repair->networks, &n->dirty);
}

void repair_mark_port(struct core *c, struct port *p, const char *why)
{
	if (nd_list_linked(&p->dirty))
		return;
	note(c->repair, why, false);
	nd_list_append(&c->repair->ports, &p->dirty);
}

void repair_mark_strays(struct core *c)
{
	if (!c->repair->strays_held)
		c->repair->strays = true;
}

void repair_mark_all(struct core *c, const char *why)
{
	struct network *n;
	struct port *p;
	repair_mark_strays(c);
	nd_list_foreach(n, &c->model->networks, all) {
		if (!n->live)
			continue;
		repair_mark_network(c, n, why);
		nd_list_foreach(p, &n->ports, siblings)
			repair_mark_port(c, p, why);
	}
}

/* Everything the kernel lacks of the marked objects, in one transaction. What fails here is told by the single rows. */
static void put_elements(struct repair *r)
{
	struct nd_error e = ND_ERROR_INIT;
	struct network *n;
	struct port *p;
	size_t missing = 0;
	nd_list_foreach(n, &r->networks, dirty) {
		if (elements_hold(r->c->nat, &n->plan->elements) &&
		    elements_hold(r->c->nat, &n->plan->peers) && elements_hold(r->c->nat, &n->published))
			continue;
		missing++;
		elements_put(r->c->nat, NULL, &n->plan->elements, NULL);
		elements_put(r->c->nat, NULL, &n->plan->peers, NULL);
		elements_put(r->c->nat, NULL, &n->published, NULL);
	}
	nd_list_foreach(p, &r->ports, dirty) {
		if (elements_hold(r->c->nat, &p->elements))
			continue;
		missing++;
		elements_put(r->c->nat, NULL, &p->elements, NULL);
	}
	r->nft_lost = false;
	if (!missing)
		return;
	if (nat_commit(r->c->nat, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "put back the ruleset at once");
	else
		r->nft_lost = true;
}

static void set_degraded(struct core *c, struct network *n, const struct nd_error *e)
{
	char text[512];
	nd_error_format(e, text, sizeof text);
	bool same = n->degraded && !strcmp(n->degraded, text);
	free(n->degraded);
	n->degraded = strdup(text);
	lifecycle_network(n->state, NETWORK_EVENT_FAULT, &n->state, NULL);
	if (!same)
		events_say(c->events, EVENT_NETWORK_DEGRADED, n, NULL, "%s", text);
}

static void clear_degraded(struct core *c, struct network *n)
{
	if (n->state != NETWORK_DEGRADED)
		return;
	free(n->degraded);
	n->degraded = NULL;
	lifecycle_network(n->state, NETWORK_EVENT_CLEARED, &n->state, NULL);
	events_say(c->events, EVENT_NETWORK_RECOVERED, n, NULL, "everything is in place again");
}

static void after_repair(struct repair *r, struct network *n, unsigned applied, bool tell)
{
	char rows[128] = "";
	size_t used = 0;
	struct port *p;
	for (size_t i = 0; i < network_row_cnt; i++) {
		if (!(applied & 1u << i))
			continue;
		/* A bridge that others made came back by itself. */
		if (network_rows[i].told && n->plan->own_bridge && used < sizeof rows)
			used += (size_t)snprintf(rows + used, sizeof rows - used, "%s%s", used ? ", " : "",
						 network_rows[i].name);
		if (!network_rows[i].holds_ports)
			continue;
		nd_list_foreach(p, &n->ports, siblings)
			repair_mark_port(r->c, p, r->why);
	}
	if (used && tell)
		events_say(r->c->events, EVENT_REPAIRED, n, NULL, "%s of %s: put back in %llu ms; %s", rows,
			   n->bridge, (unsigned long long)(nd_now_ms() - r->marked_ms), r->why);
}

/* Return: whether it is as planned now. */
static bool repair_network(struct repair *r, struct network *n, bool tell)
{
	struct core *c = r->c;
	struct nd_error e = ND_ERROR_INIT;
	unsigned applied;
	if (converge(c, network_rows, network_row_cnt, n, CONVERGE_REPAIR, &applied, &e) < 0) {
		set_degraded(c, n, &e);
		return false;
	}
	n->sysctls_fresh = 0; /* it runs, as after a start */
	/* Whoever serves its names tries again by itself. */
	if (names_fault(n, &e) < 0)
		set_degraded(c, n, &e);
	else
		clear_degraded(c, n);
	after_repair(r, n, applied, tell);
	return true;
}

static void retry_later(struct repair *r)
{
	unsigned ms = RETRY_MS << (r->fails < 7 ? r->fails : 7);
	r->fails++;
	ev_timer_stop(r->c->loop, &r->retry);
	ev_timer_set(&r->retry, (ms > RETRY_MAX_MS ? RETRY_MAX_MS : ms) / 1000., 0.);
	ev_timer_start(r->c->loop, &r->retry);
}

static void release_stray(const struct nd_link *l, void *arg)
{
	struct repair *r = arg;
	if (l->kind == ND_LINK_TUN && l->tun_persist && l->has_alias && !nd_uuid_is_zero(&l->alias_port) &&
	    !model_port_by_ifindex(r->c->model, l->ifindex))
		r->strays_held |= !port_release(r->c, l->ifindex);
}

/* TAPs of ended ports whose holders made them persistent. Return: whether none is held any more. */
static bool release_strays(struct repair *r)
{
	r->strays = r->strays_held = false;
	mirror_each_link(r->c->mirror, release_stray, r);
	return !r->strays_held;
}

static void run(struct repair *r, bool tell)
{
	bool failed = false; /* those are found again by their state */
	r->running = true;
	put_elements(r);
	if (r->nft_lost && tell)
		events_say(r->c->events, EVENT_REPAIRED, NULL, NULL, "nft ruleset: put back in %llu ms; %s",
			   (unsigned long long)(nd_now_ms() - r->marked_ms), r->why);
	while (!nd_list_empty(&r->networks)) {
		struct network *n = container_of(r->networks.next, struct network, dirty);
		nd_list_remove(&n->dirty);
		failed |= n->live && !repair_network(r, n, tell);
	}
	while (!nd_list_empty(&r->ports)) {
		struct port *p = container_of(r->ports.next, struct port, dirty);
		nd_list_remove(&p->dirty);
		failed |= !port_repair(r->c, p);
	}
	if (r->strays)
		failed |= !release_strays(r);
	r->running = false;
	if (failed)
		retry_later(r);
	else
		r->fails = 0;
}

static void on_retry(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct repair *r = container_of(w, struct repair, retry);
	struct network *n;
	struct port *p;
	r->strays |= r->strays_held;
	nd_list_foreach(n, &r->c->model->networks, all) {
		if (n->state == NETWORK_DEGRADED)
			repair_mark_network(r->c, n, "an earlier repair had failed");
		nd_list_foreach(p, &n->ports, siblings) {
			if (p->repair_fails)
				repair_mark_port(r->c, p, "an earlier repair had failed");
		}
	}
}

static void on_prepare(struct ev_loop *loop, struct ev_prepare *w, int revents)
{
	struct repair *r = container_of(w, struct repair, prepare);
	if (!nd_list_empty(&r->networks) || !nd_list_empty(&r->ports) || r->strays)
		run(r, true);
}

void repair_now(struct core *c)
{
	run(c->repair, false);
}

int repair_new(struct core *c, struct repair **ret, struct nd_error *e)
{
	struct repair *r = calloc(1, sizeof *r);
	if (!r)
		return nd_fail(e, ND_MEMORY, "repair");
	r->c = c;
	nd_list_init(&r->networks);
	nd_list_init(&r->ports);
	ev_prepare_init(&r->prepare, on_prepare);
	ev_prepare_start(c->loop, &r->prepare);
	ev_unref(c->loop);
	ev_init(&r->retry, on_retry);
	*ret = r;
	return 0;
}

void repair_free(struct repair *r)
{
	if (!r)
		return;
	ev_ref(r->c->loop);
	ev_prepare_stop(r->c->loop, &r->prepare);
	ev_timer_stop(r->c->loop, &r->retry);
	while (!nd_list_empty(&r->networks)) /* they outlive the lists */
		nd_list_remove(r->networks.next);
	while (!nd_list_empty(&r->ports))
		nd_list_remove(r->ports.next);
	free(r);
}

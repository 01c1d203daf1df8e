// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a binding's life
 *
 *            probe          offer           propose          stored
 *   (new) ─────────► PROBING ─────► OFFERED ───────► PROPOSED ──────► BOUND ◄─┐ propose, stored: renewal
 *                       │ conflict     │ withdraw        │ refused      │ └──┘
 *                       ▼              ▼                 ▼              │ set_aside (DECLINE)
 *                    DECLINED        (gone)            (gone)           ▼
 *                                                                    DECLINED
 *
 * A BOUND one may be offered again or be under renewal; when that comes to nothing it is what it was. Past its expiry it stays BOUND:
 * the pool hands its address out when it needs it. All timers of one kind have the same length, so each list is in order of deadline by itself.
 */
#include "dhcp/exchange.h"

static bool is_unstored(const struct dhcp_binding *b)
{
	return b->state == DHCP_BINDING_PROBING || b->state == DHCP_BINDING_OFFERED ||
	       b->state == DHCP_BINDING_PROPOSED;
}

/* To be called before the state changes: what the timer was for is told by it. */
static void timer_stop(struct dhcp_binding *b)
{
	struct dhcp_net *net = dhcp_net_of(b->pool);

	if (b->state == DHCP_BINDING_PROBING && nd_list_linked(&b->timer))
		net->engine->probe_cnt--;
	nd_list_remove(&b->timer);
	b->offered = false;
}

static void timer_start(struct dhcp_binding *b, struct nd_list *list, uint64_t deadline_ms)
{
	nd_list_remove(&b->timer);
	b->deadline_ms = deadline_ms;
	nd_list_append(list, &b->timer);
}

static void state_set(struct dhcp_binding *b, enum dhcp_binding_state state)
{
	struct dhcp_net *net = dhcp_net_of(b->pool);

	net->unstored_cnt -= b->counted;
	b->state = (uint8_t)state;
	b->counted = is_unstored(b);
	net->unstored_cnt += b->counted;
	dhcp_pool_schedule(b);
}

static void proposal_end(struct dhcp_engine *g, struct dhcp_binding *b)
{
	if (b->proposal)
		nd_map_remove(&g->proposals, &b->by_proposal);
	b->proposal = 0;
}

void dhcp_binding_forget(struct dhcp_pool *p, struct dhcp_binding *b)
{
	struct dhcp_net *net = dhcp_net_of(p);

	timer_stop(b);
	proposal_end(net->engine, b);
	net->unstored_cnt -= b->counted;
}

void dhcp_binding_probe(const struct dhcp_turn *t, struct dhcp_binding *b, struct dhcp_saved *saved)
{
	b->request = saved;
	state_set(b, DHCP_BINDING_PROBING);
	timer_start(b, &t->g->probes, t->now_ms + DHCP_PROBE_MS);
	t->g->probe_cnt++;
}

void dhcp_binding_offer(const struct dhcp_turn *t, struct dhcp_binding *b)
{
	timer_stop(b);
	free(b->request);
	b->request = NULL;
	b->fresh = false;
	b->offered = true;
	state_set(b, b->state == DHCP_BINDING_BOUND ? DHCP_BINDING_BOUND : DHCP_BINDING_OFFERED);
	timer_start(b, &t->g->offers, t->now_ms + DHCP_OFFER_MS);
}

void dhcp_binding_withdraw(struct dhcp_binding *b)
{
	if (b->state != DHCP_BINDING_BOUND) {
		dhcp_pool_remove(b->pool, b);
		return;
	}
	timer_stop(b);
	dhcp_pool_schedule(b);
}

uint64_t dhcp_binding_propose(const struct dhcp_turn *t, struct dhcp_binding *b, uint64_t expiry_s)
{
	struct dhcp_engine *g = t->g;
	uint64_t id = g->proposal + 1;

	if (!nd_map_insert(&g->proposals, &b->by_proposal, nd_hash_bytes(&id, sizeof(id))))
		return 0;
	g->proposal = b->proposal = id;
	timer_stop(b);
	b->fresh = false;
	b->stored_expiry_s = b->lease.expiry_s;
	b->lease.expiry_s = expiry_s;
	state_set(b, b->state == DHCP_BINDING_BOUND || b->state == DHCP_BINDING_DECLINED
			     ? b->state
			     : DHCP_BINDING_PROPOSED);
	return id;
}

static struct dhcp_binding *proposal_find(const struct dhcp_engine *g, uint64_t id)
{
	struct nd_map_node *n = nd_map_find(&g->proposals, &id, nd_hash_bytes(&id, sizeof(id)));

	return n ? container_of(n, struct dhcp_binding, by_proposal) : NULL;
}

void dhcp_binding_stored(struct dhcp_engine *g, uint64_t id)
{
	struct dhcp_binding *b = proposal_find(g, id);

	if (!b)
		return;
	proposal_end(g, b);
	if (b->state != DHCP_BINDING_DECLINED)
		dhcp_pool_settle(b->pool, b, true);
	state_set(b, b->state == DHCP_BINDING_DECLINED ? DHCP_BINDING_DECLINED : DHCP_BINDING_BOUND);
}

void dhcp_binding_refused(struct dhcp_engine *g, uint64_t id)
{
	struct dhcp_binding *b = proposal_find(g, id);

	if (!b)
		return;
	proposal_end(g, b);
	if (b->state == DHCP_BINDING_PROPOSED) {
		dhcp_pool_remove(b->pool, b);
		return;
	}
	/* That an address is in use stays true if it could not be written down. */
	if (b->state == DHCP_BINDING_BOUND)
		b->lease.expiry_s = b->stored_expiry_s;
	dhcp_pool_schedule(b);
}

void dhcp_binding_set_aside(const struct dhcp_turn *t, struct dhcp_binding *b)
{
	struct dhcp_net *net = dhcp_net_of(b->pool);
	uint64_t id;

	timer_stop(b);
	dhcp_pool_settle(b->pool, b, false);
	dhcp_pool_disown(b->pool, b);
	b->lease.state = DHCP_LEASE_DECLINED;
	state_set(b, DHCP_BINDING_DECLINED);
	id = dhcp_binding_propose(t, b, t->now_s + DHCP_DECLINED_S);
	if (id)
		t->out->propose(t->out->arg, id, &b->lease, net->config.ifindex, NULL, 0);
	else
		dhcp_pool_remove(b->pool, b);
}

void dhcp_binding_release(const struct dhcp_turn *t, struct dhcp_binding *b)
{
	timer_stop(b);
	b->lease.expiry_s = t->now_s;
	dhcp_pool_schedule(b);
	t->out->release(t->out->arg, &b->lease);
}

void dhcp_binding_freed(struct dhcp_binding *b)
{
	/* An offer or a proposal of the same address is newer than what was deleted. */
	if (!b->proposal && !b->offered &&
	    (b->state == DHCP_BINDING_BOUND || b->state == DHCP_BINDING_DECLINED))
		dhcp_pool_remove(b->pool, b);
	else if (b->state == DHCP_BINDING_BOUND)
		state_set(b, b->proposal ? DHCP_BINDING_PROPOSED : DHCP_BINDING_OFFERED);
}

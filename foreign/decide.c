// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a ruleset does with a described packet (see decide.h)
 *
 * The walk over base chains, rules and jumps; what one expression does is match.c's. A rule whose tests leave
 * open whether it matches decides nothing, and is remembered where its verdict would change the outcome.
 */
#include "foreign/decide.h"
#include "foreign/walk.h"

#define DEPTH_MAX 17       /* NFT_JUMP_STACK_SIZE, and one */
#define RULES_MAX 1000000u /* a decision walks at most */

enum end { GO_ON, RETURNED, DECIDED };
struct result {
	enum end end;
	enum foreign_outcome outcome;
	const struct foreign_rule *rule;
};

/* ---- rules ---- */

static void remember(struct walk *w, const struct foreign_rule *r, enum foreign_outcome outcome)
{
	struct foreign_decision *d = w->ret;

	if (outcome == FOREIGN_ACCEPT)
		w->may_accept = true;
	for (size_t i = 0; i < d->uncertain_cnt; i++)
		if (d->uncertain[i] == r)
			return;
	if (outcome != FOREIGN_ACCEPT)
		d->certain = false;
	if (d->uncertain_cnt < FOREIGN_UNCERTAIN_MAX)
		d->uncertain[d->uncertain_cnt++] = r;
}

/* A translation's target is in registers: of a destination it changes where the packet goes. */
static void translate(struct walk *w, const struct foreign_expr *x)
{
	struct foreign_packet *p = w->p;
	size_t len = p->family == AF_INET6 ? 16 : 4;
	int port = (int)x->base;

	w->translated = true;
	p->ct |= x->key ? FOREIGN_CT_DNAT : FOREIGN_CT_SNAT;
	if (!x->key)
		return;
	if (x->sreg >= 0 && w->regs.known[x->sreg]) {
		memcpy(p->daddr.b, &w->regs.v[x->sreg], len);
		p->daddr.family = p->family;
	} else if (x->sreg >= 0 || strcmp(x->name, "redir") != 0) {
		p->daddr.family = 0; /* somewhere */
	}
	if (port >= 0 && w->regs.known[port])
		p->dport = (uint16_t)(w->regs.v[port] << 8 | w->regs.v[port + 1]);
	foreign_headers_build(w);
}

static struct result walk_chain(struct walk *w, const struct foreign_chain *c, unsigned depth);

static struct result verdict(struct walk *w, const struct foreign_rule *r, int code,
			     const struct foreign_chain *target, unsigned depth)
{
	struct result res = { .end = DECIDED, .rule = r };

	switch (code) {
	case NFT_CONTINUE: return (struct result){ GO_ON };
	case NFT_BREAK: return (struct result){ GO_ON };
	case NFT_RETURN: return (struct result){ RETURNED };
	case NFT_JUMP:
	case NFT_GOTO:
		res = target ? walk_chain(w, target, depth + 1) : (struct result){ GO_ON };
		if (res.end == DECIDED)
			return res;
		res.end = code == NFT_GOTO ? RETURNED : GO_ON;
		return res;
	}
	res.outcome = (code & NF_VERDICT_MASK) == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT;
	if ((code & NF_VERDICT_MASK) == NF_QUEUE)
		remember(w, r, FOREIGN_DROP); /* a program decides */
	return res;
}

/* A rule that may match: what it would decide is remembered. */
static void maybe_verdict(struct walk *w, const struct foreign_rule *r, int code,
			  const struct foreign_chain *target, unsigned depth, enum foreign_outcome outcome)
{
	bool was = w->maybe;

	if (code == NFT_JUMP || code == NFT_GOTO) {
		w->maybe = true;
		if (target)
			walk_chain(w, target, depth + 1);
		w->maybe = was;
	} else if (code == NFT_RETURN) {
		remember(w, r, FOREIGN_ACCEPT); /* what follows may not be reached */
	} else if (code != NFT_CONTINUE && code != NFT_BREAK) {
		remember(w, r, outcome);
	}
}

/* A map's value, or that of one of its possible elements. */
static struct result apply_map(struct walk *w, const struct foreign_rule *r, const struct foreign_expr *x,
			       enum truth t, const struct foreign_elem *el, unsigned depth)
{
	struct result none = { GO_ON };

	if (t == YES && el && x->dreg >= 0 && el->data) {
		foreign_store(w, x->dreg, el->data, x->set->data_len);
		return none;
	}
	if (x->dreg >= 0) {
		foreign_forget(w, x->dreg, x->set->data_len);
		return none;
	}
	if (t == YES && el && !w->maybe)
		return verdict(w, r, el->verdict, el->target, depth);
	for (uint32_t i = 0; t == MAYBE && i < x->set->elem_cnt; i++) {
		const struct foreign_elem *one = &x->set->elems[i];

		if (!one->interval_end && (one->catchall || foreign_elem_test(w, x, one) != NO))
			maybe_verdict(w, r, one->verdict, one->target, depth,
				      one->verdict == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT);
	}
	if (t == YES && el)
		maybe_verdict(w, r, el->verdict, el->target, depth,
			      el->verdict == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT);
	return none;
}

/* The end of a rule: what it decides. */
static struct result decide(struct walk *w, const struct foreign_rule *r, const struct foreign_expr *x,
			    enum truth t, unsigned depth)
{
	struct result res = { .end = DECIDED, .rule = r };

	if (x->kind == FOREIGN_VERDICT) {
		if (t == YES && !w->maybe)
			return verdict(w, r, x->verdict, x->target, depth);
		maybe_verdict(w, r, x->verdict, x->target, depth,
			      (x->verdict & NF_VERDICT_MASK) == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT);
		return (struct result){ GO_ON };
	}
	res.outcome = x->kind == FOREIGN_REJECT ? FOREIGN_REJECTED : FOREIGN_ACCEPT;
	if (t != YES || w->maybe) {
		remember(w, r, res.outcome);
		return (struct result){ GO_ON };
	}
	if (x->kind == FOREIGN_NAT)
		translate(w, x);
	return res;
}

static struct result walk_rule(struct walk *w, const struct foreign_rule *r, unsigned depth)
{
	const char *without = w->rs->without;
	enum truth all = YES;

	if (without && r->comment && strncmp(r->comment, without, strlen(without)) == 0)
		return (struct result){ GO_ON };
	for (size_t i = 0; i < r->expr_cnt; i++) {
		const struct foreign_expr *x = &r->exprs[i];
		const struct foreign_elem *el = NULL;
		enum truth t;

		if (x->kind == FOREIGN_VERDICT || x->kind == FOREIGN_REJECT || x->kind == FOREIGN_NAT)
			return decide(w, r, x, all, depth);
		if (x->kind != FOREIGN_LOOKUP) {
			t = foreign_step(w, x);
		} else {
			t = foreign_negate(foreign_elem_find(w, x, &el), x->flags & NFT_LOOKUP_F_INV);
			if (x->key && t != NO) {
				struct result res = apply_map(w, r, x, foreign_both(all, t), el, depth);

				if (res.end != GO_ON)
					return res;
			}
		}
		all = foreign_both(all, t);
		if (all == NO)
			break;
	}
	return (struct result){ GO_ON };
}

static struct result walk_chain(struct walk *w, const struct foreign_chain *c, unsigned depth)
{
	if (depth >= DEPTH_MAX)
		return (struct result){ GO_ON };
	for (const struct foreign_rule *r = c->rules; r; r = r->next) {
		struct result res;

		if (w->rules++ > RULES_MAX) {
			w->ret->certain = false;
			break;
		}
		res = walk_rule(w, r, depth);
		if (res.end == RETURNED)
			break;
		if (res.end == DECIDED)
			return res;
	}
	return (struct result){ GO_ON };
}

static struct result walk_base(struct walk *w, const struct foreign_chain *c)
{
	struct result res;

	w->regs = (struct bytes){ .known = { false } };
	w->may_accept = w->translated = false;
	res = walk_chain(w, c, 0);
	if (res.end != DECIDED)
		res.outcome = c->policy == NF_DROP ? FOREIGN_DROP : FOREIGN_ACCEPT;
	return res;
}

static bool chain_applies(const struct foreign_chain *c, const struct walk *w, bool only_foreign)
{
	uint8_t family = c->table->family;

	if (c->hook != w->hook || (only_foreign && strcmp(c->table->name, "netd") == 0))
		return false;
	if (w->layer == FOREIGN_BRIDGE)
		return family == NFPROTO_BRIDGE;
	return family == NFPROTO_INET || family == (w->p->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
}

void foreign_decide(const struct foreign_ruleset *rs, enum foreign_layer layer, unsigned hook,
		    bool only_foreign, struct foreign_packet *p, const struct foreign_routes *routes,
		    struct foreign_decision *ret)
{
	struct walk w = { .rs = rs, .p = p, .routes = routes, .ret = ret, .layer = layer, .hook = hook };
	bool translated = false;

	*ret = (struct foreign_decision){ .outcome = FOREIGN_ACCEPT, .certain = true };
	foreign_headers_build(&w);
	for (const struct foreign_chain *c = rs->bases; c; c = c->next_base) {
		struct foreign_step *s;
		struct result res;

		/* connections are translated at their first packet, and once */
		if (!chain_applies(c, &w, only_foreign) ||
		    (c->nat && (translated || !(p->ct & FOREIGN_CT_NEW))))
			continue;
		res = walk_base(&w, c);
		translated |= w.translated;
		s = &ret->steps[ret->step_cnt < FOREIGN_STEPS_MAX ? ret->step_cnt++ : FOREIGN_STEPS_MAX - 1];
		*s = (struct foreign_step){ c, res.rule, res.outcome, w.translated };
		if (res.outcome == FOREIGN_ACCEPT)
			continue;
		ret->outcome = res.outcome;
		ret->certain = !w.may_accept;
		return;
	}
}

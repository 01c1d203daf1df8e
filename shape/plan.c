// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: from rates to HTB classes, and trees compared. Pure.
 *
 *	not shared:  root ── 1 (average, peak), a leaf
 *	shared:      root ── 1 (average, peak) ─┬─ 2 (average less all floors; up to peak), frames without a floor
 *	                                        └─ id (floor; up to peak), one for each floor, frames to its MAC
 *
 * A class sends at its own rate whatever the others do, and borrows what its parent has left: so floors are kept, and together all get the
 * average. Where the floors use up the average, class 2 keeps REST_MIN: its frames must not stand still for ever.
 *
 * A class without a parent never borrows: it sends `average`, and after a pause `burst` bytes at `peak`. That is what libvirt has tc do.
 * Source: net/sched/sch_htb.c, tc-htb(8).
 */
#include "base/mem.h"
#include "shape/tree.h"

#define NS_PER_S    1000000000u
#define NS_PER_TICK 64u                 /* include/net/pkt_sched.h PSCHED_SHIFT */
#define RATE_MAX    (UINT64_C(1) << 50) /* bytes/s: 9 Pbit/s, far from where the sums overflow */
#define BURST_MIN   3200u               /* two full frames */
#define REST_MIN    1000u               /* bytes/s */
#define QUANTUM_MIN 1600u               /* more than a frame, as HTB wants it */
#define QUANTUM_MAX 200000u             /* above, the kernel complains */
#define QUEUE_MS    50
#define QUEUE_MIN   (128u * 1024) /* two segmentation-offloaded frames */
#define QUEUE_MAX   (16u * 1024 * 1024)

static uint64_t least_burst(uint64_t rate)
{
	uint64_t burst = rate / 1000 * SHAPE_BURST_MS;

	return burst > BURST_MIN ? burst : BURST_MIN;
}

static uint32_t ticks(uint64_t bytes, uint64_t rate)
{
	unsigned __int128 n = (unsigned __int128)bytes * NS_PER_S / NS_PER_TICK / rate;

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static uint32_t clamp(uint64_t v, uint32_t min, uint32_t max)
{
	return v < min ? min : v > max ? max : (uint32_t)v;
}

uint32_t tree_queue_bytes(const struct tree_class *cl)
{
	return clamp((cl->ceil > cl->rate ? cl->ceil : cl->rate) / 1000 * QUEUE_MS, QUEUE_MIN, QUEUE_MAX);
}

static struct tree_class make_class(uint16_t minor, uint16_t parent, uint64_t rate, uint64_t ceil,
				    uint64_t burst)
{
	uint64_t least = least_burst(rate);

	return (struct tree_class){
		.minor = minor,
		.parent = parent,
		.rate = rate,
		.ceil = ceil,
		.buffer = ticks(burst > least ? burst : least, rate),
		.cbuffer = ticks(least_burst(ceil), ceil),
		.quantum = clamp(rate / 500, QUANTUM_MIN, QUANTUM_MAX),
		.leaf = true,
	};
}

static void *grown(void *p, size_t cnt, size_t *size, size_t item)
{
	size_t want = *size ? *size * 2 : 4;

	if (cnt < *size)
		return p;
	p = realloc(p, want * item);
	if (p)
		*size = want;
	return p;
}

int tree_add_class(struct tree *t, const struct tree_class *cl)
{
	struct tree_class *p = grown(t->classes, t->class_cnt, &t->class_size, sizeof(*p));
	size_t at = t->class_cnt;

	if (!p)
		return ND_MEMORY;
	t->classes = p;
	for (; at > 0 && p[at - 1].minor > cl->minor; at--)
		p[at] = p[at - 1];
	p[at] = *cl;
	t->class_cnt++;
	return 0;
}

int tree_add_filter(struct tree *t, const struct tree_filter *f)
{
	struct tree_filter *p = grown(t->filters, t->filter_cnt, &t->filter_size, sizeof(*p));

	if (!p)
		return ND_MEMORY;
	t->filters = p;
	p[t->filter_cnt++] = *f;
	return 0;
}

void tree_done(struct tree *t)
{
	free(t->classes);
	free(t->filters);
	*t = (struct tree){ .ours = false };
}

static int check_rate(const struct shape_rate *r, struct nd_error *e)
{
	if (r->average > RATE_MAX || r->peak > RATE_MAX || r->burst > RATE_MAX)
		return nd_fail(e, ND_INVALID, "a rate or burst is above %llu bytes",
			       (unsigned long long)RATE_MAX);
	return 0;
}

static int plan_floor(struct tree *t, const struct shape_floor *f, uint64_t ceil, struct nd_error *e)
{
	struct tree_class cl;
	struct tree_filter filter = { .minor = f->id, .mac = f->mac };

	if (f->id < SHAPE_FLOOR_ID_MIN || f->id > SHAPE_FLOOR_ID_MAX || tree_class(t, f->id) || !f->rate ||
	    f->rate > RATE_MAX)
		return nd_fail(e, ND_INVALID, "floor %u", f->id);
	cl = make_class(f->id, TREE_TOP, f->rate, ceil > f->rate ? ceil : f->rate, 0);
	if (tree_add_class(t, &cl) < 0 || tree_add_filter(t, &filter) < 0)
		return nd_fail(e, ND_MEMORY, "floors");
	return 0;
}

static int plan_shared(struct tree *t, const struct shape_rate *rate, const struct shape_config *want,
		       struct nd_error *e)
{
	uint64_t floors = 0, ceil = rate->peak ? rate->peak : rate->average;
	struct tree_class cl;

	t->classes[0].leaf = false;
	t->default_minor = TREE_REST;
	for (size_t i = 0; i < want->floor_cnt; i++) {
		if (plan_floor(t, &want->floors[i], ceil, e) < 0)
			return e ? e->code : ND_INVALID;
		floors += want->floors[i].rate;
	}
	cl = make_class(TREE_REST, TREE_TOP,
			rate->average > floors + REST_MIN ? rate->average - floors : REST_MIN, ceil,
			rate->burst);
	return tree_add_class(t, &cl) < 0 ? nd_fail(e, ND_MEMORY, "classes") : 0;
}

int tree_plan(const struct shape_rate *rate, const struct shape_config *want, struct tree *ret,
	      struct nd_error *e)
{
	struct tree_class top;

	*ret = (struct tree){ .ours = rate->average != 0 };
	if (!rate->average)
		return want && want->floor_cnt ? nd_fail(e, ND_INVALID, "floors without a rate") : 0;
	if (check_rate(rate, e) < 0)
		return ND_INVALID;
	top = make_class(TREE_TOP, 0, rate->average, rate->peak ? rate->peak : rate->average, rate->burst);
	ret->default_minor = TREE_TOP;
	if (tree_add_class(ret, &top) < 0)
		return nd_fail(e, ND_MEMORY, "classes");
	return want && want->shared ? plan_shared(ret, rate, want, e) : 0;
}

const struct tree_class *tree_class(const struct tree *t, uint16_t minor)
{
	for (size_t i = 0; i < t->class_cnt; i++)
		if (t->classes[i].minor == minor)
			return &t->classes[i];
	return NULL;
}

const struct tree_filter *tree_filter(const struct tree *t, const struct tree_filter *f)
{
	for (size_t i = 0; i < t->filter_cnt; i++)
		if (!t->filters[i].odd && t->filters[i].minor == f->minor &&
		    nd_mac_equal(&t->filters[i].mac, &f->mac))
			return &t->filters[i];
	return NULL;
}

/* An inner class has no quantum. */
bool tree_class_same(const struct tree_class *a, const struct tree_class *b)
{
	return a->minor == b->minor && a->parent == b->parent && a->rate == b->rate && a->ceil == b->ceil &&
	       a->buffer == b->buffer && a->cbuffer == b->cbuffer && a->leaf == b->leaf &&
	       (!a->leaf || a->quantum == b->quantum);
}

bool tree_same(const struct tree *want, const struct tree *have)
{
	if (!want->ours)
		return !have->ours;
	if (!have->ours || want->default_minor != have->default_minor || want->class_cnt != have->class_cnt ||
	    want->filter_cnt != have->filter_cnt)
		return false;
	for (size_t i = 0; i < want->class_cnt; i++)
		if (!tree_class_same(&want->classes[i], &have->classes[i]))
			return false;
	for (size_t i = 0; i < want->filter_cnt; i++)
		if (!tree_filter(have, &want->filters[i]))
			return false;
	return true;
}

void tree_rate(const struct tree *t, struct shape_rate *ret)
{
	const struct tree_class *top = t->ours ? tree_class(t, TREE_TOP) : NULL;

	*ret = (struct shape_rate){ .average = 0 };
	if (!top || !top->rate)
		return;
	ret->average = top->rate;
	ret->peak = top->ceil == top->rate ? 0 : top->ceil;
	if (top->buffer != ticks(least_burst(top->rate), top->rate))
		ret->burst = (uint64_t)((unsigned __int128)top->buffer * NS_PER_TICK * top->rate / NS_PER_S);
}

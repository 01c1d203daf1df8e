// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: lists of nft configurations (see elements.h).
 *
 * A configuration is compared as bytes, and so zeroed before it is filled.
 */
#include "netd/core/elements.h"
#include "base/mem.h"

void elements_add(struct elements *l, const struct nat_config *cfg)
{
	if (l->cnt == l->size) {
		size_t size = l->size ? l->size * 2 : 4;
		struct nat_config *p = realloc(l->p, size * sizeof *p);
		if (!p) {
			l->bad = true;
			return;
		}
		l->p = p;
		l->size = size;
	}
	memcpy(&l->p[l->cnt++], cfg, sizeof *cfg);
}

void elements_done(struct elements *l)
{
	if (!l)
		return;
	free(l->p);
	*l = (struct elements){ .cnt = 0 };
}

bool elements_hold(const struct nat *t, const struct elements *l)
{
	for (size_t i = 0; i < l->cnt; i++) {
		if (!nat_holds(t, &l->p[i]))
			return false;
	}
	return !l->bad;
}

int elements_put(struct nat *t, const struct elements *was, const struct elements *want, struct nd_error *e)
{
	if (want && want->bad)
		return nd_fail(e, ND_MEMORY, "nft elements");
	for (size_t i = 0; was && i < was->cnt; i++) {
		if (nat_put(t, &was->p[i], NULL, e) < 0)
			return e->code;
	}
	for (size_t i = 0; want && i < want->cnt; i++) {
		if (nat_put(t, NULL, &want->p[i], e) < 0)
			return e->code;
	}
	return 0;
}

void elements_claim(struct nat *t, const struct elements *l)
{
	for (size_t i = 0; i < l->cnt; i++)
		nat_claim(t, &l->p[i]);
}

bool elements_same(const struct nat_config *a, const struct nat_config *b)
{
	const unsigned char *x = (const void *)a, *y = (const void *)b;
	return memcmp(x, y, sizeof *a) == 0;
}

bool elements_equal(const struct elements *a, const struct elements *b)
{
	return a->cnt == b->cnt && !a->bad && !b->bad &&
	       (a->cnt == 0 || memcmp(a->p, b->p, a->cnt * sizeof a->p[0]) == 0);
}

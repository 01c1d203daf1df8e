/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_ELEMENTS_H
#define ND_CORE_ELEMENTS_H
/*
 * DOC: all that one object has in the nft tables, as a list of configurations
 * No element belongs to two objects, so what an object no longer wants can go. Changes are queued; nat_commit sends them.
 */
#include "nat/nat.h"

struct elements {
	struct nat_config *p; /* heap */
	size_t cnt, size;
	bool bad; /* out of memory while adding: elements_put says so */
};
void elements_add(struct elements *l, const struct nat_config *cfg); /* copied */
void elements_done(struct elements *l);                              /* NULL-safe, and again an empty list */
/* Whether all stand in the view. Pure. */
bool elements_hold(const struct nat *t, const struct elements *l);
/* Queues was → want; either may be NULL. What is in both costs nothing. ND_MEMORY: what was queued is not to be sent. */
int elements_put(struct nat *t, const struct elements *was, const struct elements *want, struct nd_error *e);
void elements_claim(struct nat *t, const struct elements *l); /* for nat_sweep */
/* Whether two configurations are the same, byte for byte. */
bool elements_same(const struct nat_config *a, const struct nat_config *b);
bool elements_equal(const struct elements *a, const struct elements *b); /* the same in the same order */
#endif

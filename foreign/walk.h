/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_WALK_H
#define ND_FOREIGN_WALK_H
/* One packet's way through one hook: what decide.c and match.c share. */
#include "foreign/decide.h"
#include "foreign/private.h"

enum truth { NO, YES, MAYBE };

struct bytes {
	uint8_t v[FOREIGN_REGS_LEN];
	bool known[FOREIGN_REGS_LEN];
};
struct walk {
	const struct foreign_ruleset *rs;
	struct foreign_packet *p;
	const struct foreign_routes *routes;
	struct foreign_decision *ret;
	struct bytes regs;
	struct bytes link, net, transport; /* headers */
	enum foreign_layer layer;
	unsigned hook, rules;
	bool maybe;      /* in a chain that may have been entered: verdicts are only remembered */
	bool may_accept; /* something in this base chain may have accepted */
	bool translated;
};
/* The headers of w->p, anew after it changed. */
void foreign_headers_build(struct walk *w);
/* A register's value, and that it is not known any more. reg -1: nothing. */
void foreign_store(struct walk *w, int reg, const void *v, size_t len);
void foreign_forget(struct walk *w, int reg, size_t len);
enum truth foreign_negate(enum truth t, bool really);
enum truth foreign_both(enum truth a, enum truth b);
/* The element that x's key finds in x's set; *ret only with YES. */
enum truth foreign_elem_find(const struct walk *w, const struct foreign_expr *x,
			     const struct foreign_elem **ret);
/* Whether x's key is that element's, not of sets of starts and ends. */
enum truth foreign_elem_test(const struct walk *w, const struct foreign_expr *x,
			     const struct foreign_elem *el);
/* One expression that tests or loads; those that decide are decide.c's. */
enum truth foreign_step(struct walk *w, const struct foreign_expr *x);
#endif

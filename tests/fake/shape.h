/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_SHAPE_H
#define ND_TESTS_FAKE_SHAPE_H
/* DOC: stands in for shape/shape.c: remembers what was asked for each device, and can lose it as if somebody had removed it. */
#include "shape/shape.h"

#define FAKE_SHAPE_FLOORS 8
struct fake_shape {
	int ifindex;
	struct shape_config config; /* floors: those below */
	struct shape_floor floors[FAKE_SHAPE_FLOORS];
};
/* NULL: it has no limits. */
const struct fake_shape *fake_shape_of(int ifindex);
/* Somebody removes them; no event says so: fake_shape_event. */
void fake_shape_lose(int ifindex);
/* Somebody changed traffic control there: raises RTM_DELQDISC. */
void fake_shape_event(int ifindex);
/* shape_apply calls, since fake_reset. */
unsigned fake_shape_applied(void);
/* shape_read calls, since fake_reset. */
unsigned fake_shape_read(void);
#endif

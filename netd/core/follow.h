/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_FOLLOW_H
#define ND_CORE_FOLLOW_H
/*
 * DOC: what a running network takes from others: who may reach it, by the names of their bridges, and the MTU of the way out
 */
#include "netd/core/core.h"
#include "netd/core/model.h"
#include "netd/core/plan.h"

/* network_plan with what it takes from others as they are now. was: the plan in force or NULL. */
int follow_plan(const struct core *c, const struct netdef *live, const struct network_plan *was,
		struct network_plan **ret, struct nd_error *e);
/* A network started, stopped or changed: networks that let its guests in are told. */
void follow_networks(struct core *c);
/* The way out, or its MTU, changed. */
void follow_egress(struct core *c);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_ADOPT_H
#define ND_CORE_ADOPT_H
/*
 * DOC: start-up: files + kernel → objects
 * Definitions and records are read, links with our alias are matched to them, everything is converged (which changes nothing where nothing differs), and
 * what is ours by its mark but belongs to nobody is removed. Called once, with lock and nft table held, before the loop runs.
 */
#include "netd/core/core.h"

int adopt(struct core *c, struct nd_error *e);
#endif

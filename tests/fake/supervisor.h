/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_SUPERVISOR_H
#define ND_TESTS_FAKE_SUPERVISOR_H
/*
 * DOC: a DHCP worker that only listens
 *
 * tests/fake/supervisor.c stands in for netd/core/supervisor.c: no process, no packet socket. What the worker is told, and what is sent to guests,
 * is kept as text, one line each, in order:
 *	network lan · no network lan · port 52:54:00:… · no port 52:54:00:… · stored 7 · refused 7 · free 192.168.1.2 · send 4 342
 */
#include "netd/core/supervisor.h"

/* What was said since fake_worker_forget or supervisor_new. */
const char *fake_worker_told(void);
void fake_worker_forget(void);
/* The worker died and a new one serves, which knows nothing. */
void fake_worker_restart(struct supervisor *s);
/* The bridge cannot be sent on. */
void fake_worker_deaf(struct supervisor *s, bool deaf);
#endif

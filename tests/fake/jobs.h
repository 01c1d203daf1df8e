/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_JOBS_H
#define ND_TESTS_FAKE_JOBS_H
/*
 * DOC: batches without a thread
 *
 * tests/fake/jobs.c stands in for base/jobs.c: a batch runs inside nd_jobs_collect, so that what runs when is the test's choice and the fakes
 * need no lock. Each batch is one call that fake_fail_at can hit, named by its thread ("netd-store"): then the commit failed.
 */
#include <stdbool.h>

/* While held, nothing queued runs: a slow disk. */
void fake_jobs_hold(bool hold);
/* Batches that ran, since fake_reset. */
unsigned fake_jobs_batches(void);
#endif

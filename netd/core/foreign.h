/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_FOREIGN_H
#define ND_CORE_FOREIGN_H
/*
 * DOC: living with the host's other firewalls
 *
 * After networks start and stop and after others change the ruleset, all of it is read and each network's needs are probed, on a thread of its own and at
 * most once a second: no verb waits for it. What is dropped is told in an event and stands at the network (network.foreign). With foreign_firewall = auto
 * netd's accepts go where the owner documents a place for them (foreign/place.h, foreign/firewalld.h), as long as they are needed. With off nothing is
 * looked at. In every mode what an earlier netd added and is wanted no more is removed.
 *
 * The thread also runs what else is slow and looks at the host: doctor and explain.
 */
#include "base/jobs.h"
#include "netd/core/core.h"
#include "netd/core/probe.h"

struct foreign;
/* After adoption: the model stands. */
int foreign_new(struct core *c, struct foreign **ret, struct nd_error *e);
void foreign_free(struct foreign *f); /* NULL-safe; before the model ends */
/* Looks anew soon. */
void foreign_check(struct foreign *f);

/* Runs on the thread; done on the loop. */
struct foreign_job {
	struct nd_job job; /* job.done is called with &job */
	int (*run)(struct foreign_job *j, struct nd_nl *nl /* rtnetlink, the thread's */, struct nd_error *e);
};
void foreign_push(struct foreign *f, struct foreign_job *j /* taken until done */);
/* Snapshots of all active networks with a bridge of netd's, or of one. Return: heap, NULL when there is none or no memory. */
struct probe_net *foreign_snapshot(const struct core *c, const struct network *only, size_t *ret_cnt);
#endif

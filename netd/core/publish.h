/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_PUBLISH_H
#define ND_CORE_PUBLISH_H
/*
 * DOC: published ports: what a definition's <netd:forward> asks for, in force
 *
 * A guest is named by port name, MAC or address, and a name or MAC stands for the address of its lease or reservation as it is now. A port that one
 * of the host's processes listens on, or that another network publishes, is left to them, and said.
 */
#include "netd/core/converge.h"
#include "netd/core/model.h"

/* The resource row's verbs. Ports that are not published any more have their connections ended. */
enum resource_state publish_check(const struct core *c, const struct network *n);
int publish_apply(struct core *c, struct network *n, struct nd_error *e); /* queues; nat_commit sends */
int publish_undo(struct core *c, struct network *n, struct nd_error *e);

/* Whether p could be published: ND_EXISTS naming the network, ND_BUSY naming the process that has one of its ports. */
int publish_refused(struct core *c, const struct network *n, const struct netdef_publish *p,
		    struct nd_error *e);

enum publish_state {
	PUBLISH_INACTIVE, /* the network does not run */
	PUBLISH_ACTIVE,
	PUBLISH_WAITING, /* the guest has no address yet */
	PUBLISH_TAKEN,
};
const char *publish_state_to_string(int v);
struct publish_status {
	const struct netdef_publish *publish; /* borrowed */
	enum publish_state state;
	struct nd_ip guest; /* family 0: none */
	char why[160];      /* with TAKEN: by whom */
};
/* Each published port or range, in the definition's order. ms where one is taken: its holder is looked for. */
void publish_each(struct core *c, const struct network *n,
		  void (*fn)(void *arg, const struct publish_status *s), void *arg);
#endif

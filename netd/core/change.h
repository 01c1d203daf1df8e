/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_CHANGE_H
#define ND_CORE_CHANGE_H
/*
 * DOC: changing networks that are defined or running
 *
 * A change is made on copies of the config and live definitions, checked whole, then put in force: plan swapped, converged; on failure swapped back and
 * converged again. The file is written last; if that fails the live change is taken back. All or nothing.
 */
#include "netd/core/network.h"

enum change_target { CHANGE_LIVE = 1, CHANGE_CONFIG = 2 }; /* bits; 0: live where it is active, else config */

struct change_update {   /* libvirt's net-update */
	int command;     /* enum netdef_command */
	int section;     /* enum netdef_section */
	int parent;      /* index of the <ip> or <portgroup>; -1: the one that fits */
	const char *xml; /* NUL-terminated; borrowed for the call */
	unsigned targets;
};
void change_update(struct core *c, struct network *n, const struct change_update *u,
		   struct network_done done);

enum change_metadata_type {
	CHANGE_DESCRIPTION = 0,
	CHANGE_TITLE = 1,
	CHANGE_ELEMENT = 2
}; /* libvirt's numbers */
struct change_metadata {
	enum change_metadata_type type;
	const char *value; /* NULL: remove */
	const char *key;   /* prefix for ELEMENT */
	const char *uri;   /* namespace of ELEMENT */
	unsigned targets;
};
void change_metadata(struct core *c, struct network *n, const struct change_metadata *m,
		     struct network_done done);

/* Publishes a port of the host to a guest, or no longer. ND_EXISTS, ND_BUSY: whose it is already. ND_NOT_FOUND: it is not published. */
struct change_publish {
	bool remove;
	const struct netdef_publish *publish; /* borrowed for the call, copied */
	unsigned targets;                     /* 0: what runs and the definition, those that there are */
};
void change_publish(struct core *c, struct network *n, const struct change_publish *p,
		    struct network_done done);

/* *ret: heap, the caller's. ND_NOT_FOUND where there is none. */
int change_metadata_get(const struct network *n, enum change_metadata_type type, const char *uri,
			unsigned targets, char **ret, struct nd_error *e);

/* What applying a document would do. */
struct change_plan {
	bool is_new;               /* not defined yet */
	enum netdef_change config; /* of the persistent definition */
	enum netdef_change live;   /* of what runs: LIVE now, RESTART only by a restart; NONE when inactive */
	char *fields;              /* comma separated names of what differs; heap, NULL none */
	uint32_t ports;            /* live ports that a restart would cut off for a moment */
};
int change_plan(struct core *c, const char *xml, size_t len, struct change_plan *ret, struct nd_error *e);
void change_plan_done(struct change_plan *p);
/* Defines it, and puts in force on the running network what can be changed live. What only a restart can do is refused (ND_STATE, naming the
 * fields) before anything is touched, unless restart. A restart keeps the ports: their TAPs are plugged in again. */
void change_apply(struct core *c, const char *xml, size_t len, bool restart, struct network_done done);
#endif

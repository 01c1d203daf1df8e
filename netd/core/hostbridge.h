/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_HOSTBRIDGE_H
#define ND_CORE_HOSTBRIDGE_H
/*
 * DOC: bridges of the host that netd put a NIC into (see lan/lan.h)
 * The loop decides and waits: for the gateway's answer, for the administrator's word. Everything that blocks is done on the file thread, one thing at a time.
 * A bridge that is not confirmed in time, whose gateway does not answer, or that a killed netd left half made, goes as if it had never been.
 */
#include "lan/lan.h"
#include "netd/core/core.h"

struct hostbridges;
/*
 * Reads the records in STATE/host-bridges and goes back, or to the end, where a netd before this one was stopped in the middle; before the mirror is loaded. A
 * record that cannot be taken is logged, and stays.
 */
int hostbridges_new(struct core *c, struct hostbridges **ret, struct nd_error *e);
/* Clocks of bridges that wait for confirmation go on; what is on their NICs is looked at. */
void hostbridges_start(struct hostbridges *h);
/* Whoever waits for an answer gets one. What waits for its gateway goes back; the others stay as they are, and the next netd goes on with them. NULL-safe. */
void hostbridges_free(struct hostbridges *h);

/* r: borrowed; NULL with an error. */
struct hostbridge_done {
	void (*fn)(void *arg, const struct lan_record *r, const struct nd_error *e);
	void *arg;
};
struct hostbridge_request {
	const char *bridge, *port; /* copied */
	unsigned confirm_s;        /* 0: it stays as soon as the gateway has answered */
	bool dry_run, persist;
};
/* Ends when the gateway has answered, or all is as before. ND_TIMEOUT: it did not answer. See lan_create_plan and lan_apply for the others. */
void hostbridge_create(struct core *c, const struct hostbridge_request *req, struct hostbridge_done done);
/* ND_NOT_FOUND; ND_STATE: it is confirmed already; ND_BUSY: it is being changed. */
void hostbridge_confirm(struct core *c, const char *bridge, struct hostbridge_done done);
void hostbridge_remove(struct core *c, const char *bridge, struct hostbridge_done done);

struct hostbridge_info {
	const char *bridge, *port;
	const struct lan_record *record; /* NULL while it is being changed */
	const char *state;               /* lan_phase_to_string's, or "absent": the link is not there */
	unsigned left_s;                 /* until it goes, when not confirmed; 0: it stays */
};
void hostbridge_each(struct core *c, void (*fn)(const struct hostbridge_info *i, void *arg), void *arg);
/* An address came to, or left, this link. */
void hostbridge_on_address(struct core *c, int ifindex);
#endif

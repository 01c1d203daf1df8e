/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_EXPLAIN_H
#define ND_CORE_EXPLAIN_H
/*
 * DOC: what happens to a packet, stage by stage
 *
 * Bridge, rules before routing, routing, rules of forwarding or of the host, rules after routing, and the answers' way back: the whole ruleset, netd's own
 * tables included, is asked about a described packet, and at each stage the rule that decides is named. Nothing is sent.
 */
#include "netd/core/foreign.h"

enum explain_verdict { EXPLAIN_PASS, EXPLAIN_DROP, EXPLAIN_REJECT, EXPLAIN_UNSURE, EXPLAIN_VERDICT_CNT_ };
ND_STRTAB_DECLARE(explain_verdict); /* "pass" "drop" "reject" "unsure" */
struct explain_stage {
	const char *
		name; /* "bridge", "prerouting", "routing", "forward", "host", "postrouting", "answers"; static */
	enum explain_verdict verdict;
	char text[480];
};
#define EXPLAIN_STAGES_MAX 64
struct explain_result {
	struct explain_stage stages[EXPLAIN_STAGES_MAX];
	size_t cnt;
	enum explain_verdict verdict;
	char text[640]; /* the sentence */
};
struct explain_request {
	const char *from; /* "outside", "host", a port (uuid, name, interface, MAC) or an address; borrowed */
	const char *to;   /* "outside", "host", a port or an address */
	uint8_t proto;    /* IPPROTO_TCP, _UDP; IPPROTO_ICMP: ping */
	uint16_t port;    /* of to; 0 with ICMP */
};
struct explain_done {
	void (*fn)(void *arg, const struct explain_result *r /* borrowed; NULL on failure */,
		   const struct nd_error *e);
	void *arg;
};
/* Ends in done on the loop, once. ND_NOT_FOUND: no such port; ND_INVALID: families that do not fit, a port without an address. */
void explain(struct core *c, const struct explain_request *req, struct explain_done done);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_DOCTOR_H
#define ND_CORE_DOCTOR_H
/*
 * DOC: what is wrong with the host or a network, and the command that mends it
 *
 * Checks are rows: those of the host once, those of a network for each that is active. They run on the thread of core/foreign, since some of them wait: a
 * DISCOVER is really sent into the bridge, a question to a resolver. With fix, what is netd's own claim is made again first: kernel settings, and
 * everything that repair compares.
 */
#include "netd/core/foreign.h"

enum doctor_result_kind { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED, DOCTOR_RESULT_CNT_ };
ND_STRTAB_DECLARE(doctor_result_kind); /* "ok" "warning" "failed" */
struct doctor_result {
	const char *name; /* of the check, static */
	char network[64]; /* "" the host */
	enum doctor_result_kind kind;
	bool fixed;
	char text[480];
	char command[240]; /* "" none */
};
struct doctor_done {
	/* results: borrowed. Once, on the loop. */
	void (*fn)(void *arg, const struct doctor_result *results, size_t cnt, const struct nd_error *e);
	void *arg;
};
/* only: NULL, all. */
void doctor(struct core *c, const struct network *only, bool fix, struct doctor_done done);

/* ---- for the rows ---- */

#define DOCTOR_RESOLVERS_MAX 4
struct doctor_job {
	struct foreign_job j;
	struct foreign *service;
	struct doctor_done done;
	bool fix, nft_owned, legacy_owner_off;
	char duplicate[160]; /* two guests with one MAC, "" none */
	struct nd_ip resolvers[DOCTOR_RESOLVERS_MAX];
	size_t resolver_cnt;
	enum { RESOLVER_UNASKED, RESOLVER_ANSWERS, RESOLVER_SILENT } resolver_state[DOCTOR_RESOLVERS_MAX];
	char degraded[64][200];
	struct probe_net *nets;
	size_t cnt;
	struct nd_nl *nl;           /* the thread's */
	struct foreign_ruleset *rs; /* NULL: could not be read */
	char rs_failed[200];
	const char *name;            /* of the check that runs */
	const struct probe_net *net; /* of it, NULL: of the host */
	struct doctor_result *results;
	size_t result_cnt;
};
void doctor_say(struct doctor_job *d, enum doctor_result_kind kind, const char *command, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct doctor_check {
	const char *name, *what;
	void (*run)(struct doctor_job *d);
};
extern const struct doctor_check doctor_network_checks[];
extern const size_t doctor_network_check_cnt;
/* Whether a key holds a number of at least min; -1 absent. */
int doctor_sysctl(const char *key);
#endif

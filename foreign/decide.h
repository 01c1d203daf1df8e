/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_DECIDE_H
#define ND_FOREIGN_DECIDE_H
/*
 * DOC: what a ruleset does with a described packet
 *
 * The base chains of a hook are walked in the order of their priorities. Each rule matches, does not match,
 * or may match: it asks for something that the description leaves open or that only the kernel knows. A rule
 * that may match is remembered where its verdict matters, and the walk goes on as if it had not matched.
 * An accept ends only its own base chain; a drop or reject ends all.
 */
#include "foreign/ruleset.h"

enum foreign_layer {
	FOREIGN_IP,     /* families ip or ip6, and inet */
	FOREIGN_BRIDGE, /* frames between ports of a bridge */
};
struct foreign_packet {
	uint8_t family;                                 /* AF_INET, AF_INET6 */
	char iif[ND_IFNAMSIZ], oif[ND_IFNAMSIZ];        /* "" none */
	int iifindex, oifindex;                         /* 0: not known */
	char physin[ND_IFNAMSIZ], physout[ND_IFNAMSIZ]; /* bridge ports, "" none or not known */
	struct nd_mac ether_saddr, ether_daddr;         /* zero: not known */
	struct nd_ip saddr, daddr;                      /* family 0: not known */
	uint8_t proto;                                  /* IPPROTO_; 0: not known */
	uint16_t sport, dport;                          /* 0: not known */
	uint8_t icmp_type;
	uint32_t mark;
	bool mark_unknown;
	uint32_t ct; /* FOREIGN_CT_ bits; 0: as in a hook before tracking */
	bool reply;  /* direction of the connection */
};
enum foreign_outcome { FOREIGN_ACCEPT, FOREIGN_DROP, FOREIGN_REJECTED };

/* Answers of the host's routing. Either may be NULL: not known. Return: false when not known. */
struct foreign_routes {
	bool (*type)(void *arg, const struct nd_ip *ip, uint32_t *ret_rtn);
	bool (*oif)(void *arg, const struct nd_ip *ip, const char *iif, int *ret_ifindex,
		    char ret_name[ND_IFNAMSIZ]);
	void *arg;
};
#define FOREIGN_STEPS_MAX     32
#define FOREIGN_UNCERTAIN_MAX 8
struct foreign_step { /* what a base chain decided */
	const struct foreign_chain *chain;
	const struct foreign_rule *rule; /* NULL: its policy, or the end of its rules */
	enum foreign_outcome outcome;
	bool translated; /* an address or port was changed */
};
struct foreign_decision {
	enum foreign_outcome outcome;
	bool certain;
	struct foreign_step steps[FOREIGN_STEPS_MAX]; /* the last one decided, when it is no accept */
	size_t step_cnt;
	const struct foreign_rule
		*uncertain[FOREIGN_UNCERTAIN_MAX]; /* may match, and then decide otherwise */
	size_t uncertain_cnt;
};
/*
 * hook: NF_INET_PRE_ROUTING …, the numbers are the bridge's too. only_foreign: netd's own tables are left out. p: NAT changes it. routes: borrowed, NULL: nothing
 * is known. Pure but for routes.
 */
void foreign_decide(const struct foreign_ruleset *rs, enum foreign_layer layer, unsigned hook,
		    bool only_foreign, struct foreign_packet *p, const struct foreign_routes *routes,
		    struct foreign_decision *ret);
#endif

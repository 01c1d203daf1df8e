/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_NETNS_STAGE_H
#define ND_TESTS_NETNS_STAGE_H
/*
 * DOC: what the nft tests share
 *
 * A host namespace of the test's own, and on the stage guests and the outside as namespaces as well, joined to the host by veth pairs: bridges virbr0
 * (NAT, 10.0.0.1/24, 52:54:00:00:00:01) with guests A (.2) and B (.3), virbr1 (NAT, 10.0.1.1/24) with C (.2), virbr2 (isolated, 10.0.2.1/24) with
 * D (.2) and E (.3); and the outside, 192.0.2.2, next to the host's 192.0.2.1. A guest's host end is "t" and its name, its MAC 02:00:00:00:00:01 and on.
 * Whatever does not work fails the test.
 */
#include "nat/nat.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WAIT_MS   2000 /* for what must come */
#define SILENT_MS 150  /* for what must not */

void ok(int rc, const struct nd_error *e);
#define OK(call)                                   \
	do {                                       \
		struct nd_error e = ND_ERROR_INIT; \
		ok(call, &e);                      \
	} while (0)

int namespace_enter(void **state);
/* Runs a shell command in namespace ns (-1: here) to its end. Return: what its pid was. */
pid_t run(int ns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct nat *opened(bool owner);
void put(struct nat *t, const struct nat_config *was, const struct nat_config *want); /* and commits */
bool readable(int fd, int ms);

enum { GUEST_A, GUEST_B, GUEST_C, GUEST_D, GUEST_E, OUTSIDE, NODE_CNT };
struct node {
	const char *name, *bridge, *address, *gateway;
};
extern const struct node nodes[NODE_CNT];
extern int host_ns, node_ns[NODE_CNT];
extern struct nat *stage_nat;

int stage_make(void **state);
int stage_done(void **state);
/* A UDP socket made inside ns and bound there (address NULL: any). The caller closes. */
int socket_in(int ns, const char *address, uint16_t port);
struct sockaddr_in address_of(const char *text, uint16_t port);

enum reach { REACHED, REFUSED, SILENT };
/*
 * A datagram to address:port, where server waits up to wait_ms, and its answer. seen_from, may be NULL: the source
 * as the receiver saw it. Closes both.
 */
enum reach ask(int client, int server, const char *address, uint16_t port, int wait_ms,
	       struct sockaddr_in *seen_from);
/* From one node to another's UDP port 9999. */
enum reach reach(unsigned from, unsigned to, uint16_t source_port, struct sockaddr_in *seen_from);
/* Whether br_netfilter shows bridged frames to the inet hooks. A kernel without it has no such key. */
void bridge_netfilter(const char *value);
#endif

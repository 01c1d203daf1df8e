/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_WATCH_H
#define ND_NAT_WATCH_H
/* Events of nf_tables: did somebody else touch our tables, and who? Private to nat/. */
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nat_event {
	bool touched; /* a whole transaction of another process named our tables */
	pid_t pid;    /* of the first such process */
	char comm[17];
	char what[64]; /* the first object it touched: "table inet netd", "set nat4" */
};
/* What is known of a transaction whose end has not been read. */
struct nat_digest {
	struct nat_event open;
	bool open_table; /* open.what is a table */
	struct nat_event done;
};
/* Takes in one datagram of events. Messages of own_port are skipped. Trusts no length in it. */
void nat_digest_feed(struct nat_digest *d, const void *p, size_t len, uint32_t own_port);

struct nat_watch;
/* own_port: netlink port whose events the kernel need not even deliver. */
int nat_watch_new(uint32_t own_port, struct nat_watch **ret, struct nd_error *e);
void nat_watch_free(struct nat_watch *w);
int nat_watch_fd(const struct nat_watch *w);
/* Reads all there is, without blocking. ND_OVERRUN: events were lost, *ret is what the others told. */
int nat_watch_read(struct nat_watch *w, struct nat_event *ret, struct nd_error *e);
#endif

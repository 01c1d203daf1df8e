/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_CONNTRACK_H
#define ND_NAT_CONNTRACK_H
/*
 * DOC: tracked connections that a change made wrong
 *
 * A connection that was translated goes on so until it ends: a removed forward still reaches its guest, a new guest with the old one's
 * address gets its packets. Those entries are deleted, and only those. ctnetlink over libmnl.
 * Source: uapi linux/netfilter/nfnetlink_conntrack.h.
 */
#include "base/addr.h"
#include "base/error.h"

/* What an entry must be; fields that are 0 or of family 0 are not compared. All given ones must match. */
struct nat_connections {
	uint8_t protocol;      /* IPPROTO_ */
	struct nd_ip orig_dst; /* where the client sent it: a published address */
	uint16_t orig_dst_port;
	struct nd_ip reply_src; /* who answers: the guest that it was sent on to */
	uint16_t reply_src_port;
	struct nd_ip any; /* this address as any of the four */
	bool translated;  /* only entries with destination NAT */
};
struct nat_conntrack;
int nat_conntrack_new(struct nat_conntrack **ret, struct nd_error *e);
void nat_conntrack_free(struct nat_conntrack *t); /* NULL-safe */
/*
 * Deletes the entries that match one of the cnt descriptions, with one dump. *ret_cnt (may be NULL): how many. No conntrack in the kernel, or
 * no entry: 0 of them. 1 ms for each few thousand entries: a caller with several changes asks once.
 */
int nat_conntrack_delete(struct nat_conntrack *t, const struct nat_connections *what, size_t cnt,
			 size_t *ret_cnt, struct nd_error *e);
#endif

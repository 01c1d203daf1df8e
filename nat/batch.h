/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_BATCH_H
#define ND_NAT_BATCH_H
/*
 * Elements, and one transaction of operations on them. The socket lives as long as the daemon: tables are
 * owned by its netlink port. Private to nat/; the tests' fake kernel stands behind this header, scan.h and
 * watch.h.
 */
#include "base/error.h"
#include "nat/rules.h"
#include <libmnl/libmnl.h>

/* linux/netfilter/nf_tables.h, since 6.9: the table outlives its owner */
#define NAT_TABLE_F_PERSIST 0x4u
#define NAT_TABLE_F_OWNER   ((uint32_t)NFT_TABLE_F_OWNER)
#define NAT_TABLE_F_BOTH    (NAT_TABLE_F_OWNER | NAT_TABLE_F_PERSIST)

enum nat_op_kind {
	NAT_OP_DROP,  /* table: delete it whole */
	NAT_OP_TAKE,  /* table: become the owner of an orphan */
	NAT_OP_BUILD, /* table with all its sets, chains and rules */
	NAT_OP_ADD,   /* elem, copied nowhere: lives until the call returns */
	NAT_OP_DELETE,
};
struct nat_op {
	enum nat_op_kind kind;
	enum nat_table table; /* the first three */
	const struct nat_elem *elem;
};

/* Whether h, of left bytes, is a whole message: mnl_nlmsg_ok() alone takes lengths above INT_MAX for negative ones. */
static inline bool nat_message_ok(const struct nlmsghdr *h, int left)
{
	return mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (unsigned)left;
}

/* The element's key, both of an interval. */
void nat_elem_key_put(struct nlmsghdr *h, const struct nat_elem *elem);

struct nat_batch;
int nat_batch_new(struct nat_batch **ret, struct nd_error *e);
void nat_batch_free(struct nat_batch *b);
int nat_batch_fd(const struct nat_batch *b);
uint32_t nat_batch_port(const struct nat_batch *b);
uint32_t nat_batch_seq(struct nat_batch *b); /* a fresh sequence number */
/*
 * All of ops in one transaction, in this order: done entirely or not at all. flags: those of tables built or
 * taken. Return: 0, or the first refusal with the row's or element's label, errno and kernel text.
 */
int nat_batch_commit(struct nat_batch *b, const struct nat_op *ops, size_t cnt, uint32_t flags,
		     struct nd_error *e);
/* Whether this kernel knows table flags: a transaction that is made to fail, so nothing changes. */
int nat_batch_probe(struct nat_batch *b, uint32_t flags, bool *ret, struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_SCAN_H
#define ND_NAT_SCAN_H
/* What the kernel holds: the tables, whether they are the skeleton, and the elements. Private to nat/. */
#include "nat/batch.h"

struct nat_scan_table {
	bool exists;
	uint32_t flags; /* NFT_TABLE_F_ */
	uint32_t owner; /* netlink port, 0: none */
	bool intact;    /* exactly what nat_table_build and its kin make */
};
/* Return: 0 to go on, or a negative code that ends the scan with it. elem: borrowed. */
typedef int (*nat_scan_fn)(const struct nat_elem *elem, void *arg, struct nd_error *e);
/*
 * Reads both tables. Elements come only from intact sets of ours. Blocking; dumps that a change interrupts
 * are begun again, a few times.
 */
int nat_scan(struct nat_batch *b, struct nat_scan_table ret[NAT_TABLE_CNT], nat_scan_fn on_elem, void *arg,
	     struct nd_error *e);
/* Packets that matched the element of a set with counters. ND_NOT_FOUND: no such element. */
int nat_scan_packets(struct nat_batch *b, const struct nat_elem *elem, uint64_t *ret, struct nd_error *e);
#endif

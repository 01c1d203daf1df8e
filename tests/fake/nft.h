/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_NFT_H
#define ND_TESTS_FAKE_NFT_H
/*
 * DOC: fake nf_tables
 *
 * Stands in for nat/batch.c, nat/scan.c and nat/watch.c: two tables, their elements, and events of what
 * "others" do. Transactions are all or nothing; of N operations each is a call that fake_fail_at can hit.
 * fake_reset() empties it.
 */
#include "nat/batch.h"
#include "nat/scan.h"

struct nat_scan_table *fake_nft_table(enum nat_table table); /* to look at, or to change before an event */
size_t fake_nft_count(void);                                 /* elements, of both tables */
const struct nat_elem *fake_nft_find(enum nat_set set, const char *name);
unsigned fake_nft_commit_count(void);  /* transactions that were sent, since fake_reset */
void fake_nft_flags_known(bool known); /* whether the kernel has owner and persist; true at first */
/* Packets that an element of a counting set has matched. */
void fake_nft_packets(uint64_t cnt);

/* What another process, 4711 "nft", does; each is a transaction with its event. */
void fake_nft_foreign_flush(void); /* both tables, unless they are owned */
void fake_nft_foreign_delete(enum nat_set set, const char *name);
void fake_nft_foreign_add(const struct nat_elem *elem);
void fake_nft_foreign_rule(enum nat_table table); /* a rule is deleted */
/* The events that were raised and not read are lost, and the next read tells so. */
void fake_nft_overrun(void);
#endif

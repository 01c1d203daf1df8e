/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_WATCH_H
#define ND_FOREIGN_WATCH_H
/*
 * That somebody changed some rule of nf_tables: the message that ends a transaction, and no other, is
 * delivered. Legacy iptables tells nobody of its changes.
 */
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct foreign_watch;
/* own_port: netlink port whose transactions are not told. */
int foreign_watch_new(uint32_t own_port, struct foreign_watch **ret, struct nd_error *e);
void foreign_watch_free(struct foreign_watch *w); /* NULL-safe */
int foreign_watch_fd(const struct foreign_watch *w);
/* Reads all there is, without blocking. Return: whether there was a change; lost messages are one. */
bool foreign_watch_read(struct foreign_watch *w);
#endif

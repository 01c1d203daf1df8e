/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_NETLINK_H
#define ND_BASE_NETLINK_H
/*
 * DOC: netlink requests with the kernel's own words
 *
 * Messages are built with libnl's nlmsg_/nla_ calls; sending and receiving is done here with raw errno and the extended-ACK
 * text (NETLINK_EXT_ACK, NETLINK_CAP_ACK), which libnl folds away. Requests are synchronous: rtnetlink answers within the send. Dumps are strict-checked
 * (NETLINK_GET_STRICT_CHK). One that others' changes interrupted (NLM_F_DUMP_INTR) is started again twice at most: then a record comes more
 * than once. A handle belongs to one thread, and a callback must not use the handle that called it.
 * Source: Documentation/userspace-api/netlink/intro.rst.
 */
#include "base/error.h"
#include <linux/netlink.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nd_nl;
/* protocol: NETLINK_ROUTE, … */
int nd_nl_new(int protocol, struct nd_nl **ret, struct nd_error *e);
void nd_nl_free(struct nd_nl *nl); /* NULL-safe */
int nd_nl_fd(const struct nd_nl *nl);
uint32_t nd_nl_port(const struct nd_nl *nl); /* our netlink port id: tells our own echoes */

/* Each reply message that is not ACK or DONE. Return 0 to go on; a negative code ends the call with it. */
typedef int (*nd_nl_reply_fn)(const struct nlmsghdr *msg, void *arg, struct nd_error *e);
/* One request (NLM_F_DUMP in its flags makes it a dump). req: taken, freed always; NULL (allocation failed) gives ND_MEMORY. on_reply may be NULL.
 * The caller wraps: the error here is "<errno text>: <kernel text>" with e->sys set. */
int nd_nl_call(struct nd_nl *nl, struct nl_msg *req, nd_nl_reply_fn on_reply, void *arg, struct nd_error *e);
/* cnt requests, 64 in one sendmsg, each acknowledged; the kernel runs them in order and does not stop at a failure.
 * reqs: all taken. *ret_failed (may be NULL) gets the index of the first that failed. Return: the first failure. */
int nd_nl_batch(struct nd_nl *nl, struct nl_msg **reqs, size_t cnt, size_t *ret_failed, struct nd_error *e);

/* Events: a socket used only for this. Groups are RTNLGRP_… numbers, 0-ended. Receive buffer 8 MiB (SO_RCVBUFFORCE, else SO_RCVBUF). */
int nd_nl_subscribe(struct nd_nl *nl, const int *groups, struct nd_error *e);
/* Reads what is there (non-blocking, at most max_msgs datagrams; 0: all). ND_OVERRUN on ENOBUFS: the caller resyncs. */
int nd_nl_receive(struct nd_nl *nl, size_t max_datagrams, nd_nl_reply_fn on_event, void *arg,
		  struct nd_error *e);
#endif

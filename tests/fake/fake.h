/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_FAKE_H
#define ND_TESTS_FAKE_FAKE_H
/*
 * DOC: the fake kernel
 *
 * Fakes stand behind the headers of files that touch the kernel: an executable that compiles tests/fake/netlink.c takes its nd_nl_*
 * instead of base's, since objects go before archives. All share one state and one call counter, so that "fail call N"
 * works over every seam at once:
 *
 *	for (unsigned n = 1;; n++) {
 *		fake_reset();
 *		... set up ...
 *		fake_fail_at(n, EBUSY, "kernel words");
 *		rc = the_function(...);
 *		if (!fake_failed_call())
 *			break;		it ran to its end: every call has failed once
 *		... assert rc, the message, and that the state is as before ...
 *	}
 *
 * In meson: executable('test_x', files('test_x.c') + fake_netlink_sources, …).
 * Single-threaded. Running out of memory aborts: it is the tests' own.
 */
#include "base/link.h"

/*
 * Asked by a fake at each call that could fail. what: borrowed for ever, names the call ("RTM_NEWLINK", "TUNSETIFF").
 * Return: whether it must fail now; then *ret_errno and *ret_text (may be NULL; the text is borrowed, may be NULL) are set.
 */
bool fake_fail_now(const char *what, int *ret_errno, const char **ret_text);
/* The n-th call from now (1: the next) fails once. n 0: none. text: borrowed, or NULL. Forgets what failed before. */
void fake_fail_at(unsigned n, int err, const char *text);
/* Which call fake_fail_at hit; NULL: none yet. */
const char *fake_failed_call(void);
/* Calls since fake_reset. */
unsigned fake_call_count(void);
/* An empty kernel: every fake's state as at the start (only "lo" is there), no failure pending, counter 0. Open handles stay valid;
 * events queued in them are dropped. */
void fake_reset(void);
/* A fake registers its part of fake_reset, any number of times. */
void fake_on_reset(void (*fn)(void));

/*
 * Links (netlink.c). Each change raises the event the kernel would raise. Records are the fake's, valid until the link is deleted or
 * another is added.
 */
/* l: copied; ifindex 0: the next free one. Return: the ifindex, or -EEXIST when name or ifindex is taken. */
int fake_link_add(const struct nd_link *l);
struct nd_link *fake_link_find(const char *name); /* NULL: absent */
struct nd_link *fake_link_by_index(int ifindex);  /* NULL: absent */
/* After a test or a fake changed the record in place: carrier and running flags follow, RTM_NEWLINK is raised. */
void fake_link_changed(int ifindex);
/* With its addresses and routes; ports of a bridge are released. Absent is nothing. */
void fake_link_del(int ifindex);
size_t fake_link_count(void);

/* Addresses and routes. An address brings its connected route while the link is up, as in the kernel. */
int fake_address_add(const struct nd_address *a); /* 0, -EEXIST, -ENODEV */
int fake_address_del(const struct nd_address *a); /* 0, -EADDRNOTAVAIL */
/* The link's addresses (ifindex 0: all). Return: how many there are; at most max are written. */
size_t fake_addresses(int ifindex, struct nd_address *ret, size_t max);
int fake_route_add(const struct nd_route *r); /* 0, -EEXIST */
int fake_route_del(const struct nd_route *r); /* 0, -ESRCH */
size_t fake_routes(struct nd_route *ret, size_t max);

/* Whether bridges can filter VLANs; after fake_reset they cannot. */
void fake_vlan_filtering(bool built);
/*
 * What ports of bridges were told of VLANs and guests since fake_reset, one line each: "vnet0: no vlan 1", "vnet0: vlan 10 pvid untagged",
 * "vnet0: fdb 52:54:00:00:00:01".
 */
const char *fake_bridge_log(void);
/* As when net.ipv4.ip_forward or net.ipv6.conf.all.forwarding is written: the event alone. */
void fake_forwarding(int family, bool on);

/* Every subscribed handle loses what is queued, and its next nd_nl_receive gives ND_OVERRUN. */
void fake_overrun(void);
#endif

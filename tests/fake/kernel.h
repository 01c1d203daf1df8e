/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_KERNEL_H
#define ND_TESTS_FAKE_KERNEL_H
/*
 * DOC: what the files of the fake rtnetlink share; tests use fake.h
 *
 * links.c keeps the state, messages.c writes it as rtnetlink does, requests.c changes it as asked, netlink.c has the handles and
 * their event queues. A call goes netlink → requests → links → (event) → netlink.
 */
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include "tests/fake/fake.h"

#define FAKE_MTU_MIN          68u /* ETH_MIN_MTU */
#define FAKE_MTU_MAX          65535u
#define FAKE_MTU_DEFAULT      1500u
#define FAKE_DELAY_DEFAULT_CS 1500
#define FAKE_BRIDGE_PORTS_MAX 1023 /* net/bridge/br_private.h BR_MAX_PORTS less one */

struct fake_kernel {
	bool ready;
	struct nd_link **links; /* each on its own, so that a record stays where it is */
	size_t link_cnt;
	struct nd_address *addresses;
	size_t address_cnt;
	struct nd_route *routes;
	size_t route_cnt;
	int next_ifindex;
	bool vlan_filtering;   /* built with CONFIG_BRIDGE_VLAN_FILTERING */
	char bridge_log[4096]; /* fake_bridge_log */
};
extern struct fake_kernel fake_kernel;

/* links.c: lo is there after it. Each entry from outside calls it. */
void fake_kernel_ready(void);
/* realloc that cannot fail. */
void *fake_grow(void *p, size_t cnt, size_t size);
struct nd_address *fake_address_find(const struct nd_address *a); /* by ifindex and prefix; NULL: absent */
/* RTM_NEWADDR for one that stays as it is. */
void fake_address_announce(const struct nd_address *a);
size_t fake_link_ports(int master);
/* A bridge's carrier follows its ports. Raises an event when that changed it. 0: nothing. */
void fake_link_refresh_master(int ifindex);
/* What follows from IFF_UP being set or cleared: connected routes; IPv6 addresses lost. */
void fake_link_on_up(const struct nd_link *l);
void fake_link_on_down(const struct nd_link *l);

/* messages.c. kind: enum nd_link_kind; NULL for ND_LINK_OTHER. */
const char *fake_kind_name(int kind);
struct nl_msg *fake_link_message(int type, const struct nd_link *l);
struct nl_msg *fake_address_message(int type, const struct nd_address *a);
struct nl_msg *fake_route_message(int type, const struct nd_route *r);

/* requests.c: answers msg, whose port and seq are set. Failure as nd_nl_call's. */
int fake_request_answer(const struct nlmsghdr *msg, nd_nl_reply_fn on_reply, void *arg, struct nd_error *e);

/* netlink.c. msg: taken. group: RTNLGRP_…. */
void fake_event_raise(int group, struct nl_msg *msg);
/* The request being answered: its port and seq are in the events it causes. NULL: none. */
void fake_event_cause(const struct nlmsghdr *request);
void fake_event_drop_all(void);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: base/netlink.c against the real kernel, in a network namespace of the test's own (a user namespace too, when not root)
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/netlink.h"

#define LO 1

static struct nd_nl *nl;

static int enter_namespace(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		print_message("no network namespace: %s\n", strerror(errno));
		return 0;
	}
	return nd_nl_new(NETLINK_ROUTE, &nl, &e);
}

static int leave_namespace(void **state)
{
	nd_nl_free(nl);
	return 0;
}

static void need_namespace(void)
{
	if (!nl)
		skip();
}

static struct nl_msg *link_request(int type, int flags, int ifindex)
{
	const struct ifinfomsg ifi = { .ifi_index = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO), 0);
	return msg;
}

static struct nl_msg *mtu_request(int ifindex, uint32_t mtu)
{
	struct nl_msg *msg = link_request(RTM_SETLINK, 0, ifindex);

	nla_put_u32(msg, IFLA_MTU, mtu);
	return msg;
}

static struct nl_msg *bridge_request(unsigned i)
{
	struct nl_msg *msg = link_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "br%u", i);
	nla_put_string(msg, IFLA_IFNAME, name);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "bridge");
	nla_nest_end(msg, info);
	return msg;
}

static int count_reply(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	assert_int_equal(msg->nlmsg_type, RTM_NEWLINK);
	++*(unsigned *)arg;
	return 0;
}

static int refuse_reply(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	return nd_fail(e, ND_LIMIT, "enough");
}

static unsigned count_links(void)
{
	struct nd_error e = ND_ERROR_INIT;
	unsigned cnt = 0;

	assert_int_equal(nd_nl_call(nl, link_request(RTM_GETLINK, NLM_F_DUMP, 0), count_reply, &cnt, &e), 0);
	return cnt;
}

static void assert_text(const struct nd_error *e, const char *want)
{
	char text[ND_ERROR_STORE];

	nd_error_format(e, text, sizeof(text));
	assert_string_equal(text, want);
}

static void test_one_call(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	unsigned cnt = 0;

	need_namespace();
	assert_int_equal(nd_nl_call(nl, link_request(RTM_GETLINK, 0, LO), count_reply, &cnt, &e), 0);
	assert_int_equal(cnt, 1);
	assert_int_equal(nd_nl_call(nl, link_request(RTM_GETLINK, 0, 4711), count_reply, &cnt, &e),
			 ND_SYSTEM);
	assert_int_equal(e.sys, ENODEV);
	assert_int_equal(cnt, 1);
	assert_true(nd_nl_port(nl) != 0);
}

static void test_no_memory(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nl_msg *reqs[2];
	size_t failed = 9;

	need_namespace();
	assert_int_equal(nd_nl_call(nl, NULL, NULL, NULL, &e), ND_MEMORY);
	nd_error_reset(&e);
	reqs[0] = mtu_request(LO, 1234);
	reqs[1] = NULL;
	assert_int_equal(nd_nl_batch(nl, reqs, 2, &failed, &e), ND_MEMORY);
	assert_int_equal(failed, 0);
}

static void test_kernel_text(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	need_namespace();
	assert_int_equal(nd_nl_batch(nl, (struct nl_msg *[]){ bridge_request(0) }, 1, NULL, &e), 0);
	assert_int_equal(nd_nl_call(nl, mtu_request(LO + 1, 10), NULL, NULL, &e), ND_SYSTEM);
	assert_int_equal(e.sys, EINVAL);
	assert_text(&e, "Invalid argument (EINVAL): mtu less than device minimum");
	nd_error_reset(&e);
	assert_int_equal(nd_nl_call(nl, link_request(RTM_DELLINK, 0, LO + 1), NULL, NULL, &e), 0);
}

/* A dump's refusal comes before the dump and has words too (NETLINK_GET_STRICT_CHK). */
static void test_strict_dump(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	unsigned cnt = 0;

	need_namespace();
	assert_int_equal(nd_nl_call(nl, link_request(RTM_GETLINK, NLM_F_DUMP, 7), count_reply, &cnt, &e),
			 ND_SYSTEM);
	assert_int_equal(e.sys, EINVAL);
	assert_true(strlen(nd_error_kernel(&e)) > 0);
	assert_int_equal(cnt, 0);
	assert_int_equal(count_links(), 1);
}

/* nf_tables names the attribute by its offset and says nothing. */
static void test_offset(void **state)
{
	const struct nfgenmsg nf = { .nfgen_family = AF_INET };
	struct nd_error e = ND_ERROR_INIT;
	struct nd_nl *nfnl;
	struct nl_msg *msg;

	need_namespace();
	assert_int_equal(nd_nl_new(NETLINK_NETFILTER, &nfnl, &e), 0);
	msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0);
	nlmsg_append(msg, (void *)&nf, sizeof(nf), NLMSG_ALIGNTO);
	nla_put_string(msg, NFTA_TABLE_NAME, "absent");
	assert_int_equal(nd_nl_call(nfnl, msg, NULL, NULL, &e), ND_SYSTEM);
	assert_text(&e, "No such file or directory (ENOENT): attribute 1 at byte 20 of the request");
	nd_nl_free(nfnl);
}

/* More than one sendmsg holds; one in the middle fails, the others are done. */
static void test_batch(void **state)
{
	struct nl_msg *reqs[70];
	struct nd_error e = ND_ERROR_INIT;
	size_t failed = 0;

	need_namespace();
	for (unsigned i = 0; i < ARRAY_LEN(reqs); i++)
		reqs[i] = i == 5 || i == 66 ? mtu_request(LO + 4711, 10) : bridge_request(i);
	assert_int_equal(nd_nl_batch(nl, reqs, ARRAY_LEN(reqs), &failed, &e), ND_SYSTEM);
	assert_int_equal(failed, 5);
	assert_int_equal(e.sys, ENODEV);
	assert_int_equal(count_links(), 1 + ARRAY_LEN(reqs) - 2);
}

/* A dump of several datagrams that its reader ends must not be in the way of the next one. */
static void test_reader_ends_dump(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	unsigned before, cnt = 0;

	need_namespace();
	before = count_links();
	assert_int_equal(nd_nl_call(nl, link_request(RTM_GETLINK, NLM_F_DUMP, 0), refuse_reply, &cnt, &e),
			 ND_LIMIT);
	assert_text(&e, "enough");
	assert_int_equal(count_links(), before);
}

static bool is_readable(const struct nd_nl *events)
{
	struct pollfd p = { .fd = nd_nl_fd(events), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static struct nd_nl *subscribe(void)
{
	static const int groups[] = { RTNLGRP_LINK, 0 };
	struct nd_error e = ND_ERROR_INIT;
	struct nd_nl *events;

	assert_int_equal(nd_nl_new(NETLINK_ROUTE, &events, &e), 0);
	assert_int_equal(nd_nl_subscribe(events, groups, &e), 0);
	return events;
}

static void set_mtu(uint32_t mtu)
{
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(nd_nl_call(nl, mtu_request(LO, mtu), NULL, NULL, &e), 0);
}

static int note_port(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	*(uint32_t *)arg = msg->nlmsg_pid;
	return 0;
}

static void test_events(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_nl *events;
	unsigned cnt = 0;
	uint32_t port = 0;

	need_namespace();
	events = subscribe();
	assert_int_equal(nd_nl_receive(events, 0, count_reply, &cnt, &e), 0);
	assert_int_equal(cnt, 0);
	for (unsigned i = 0; i < 5; i++)
		set_mtu(2000 + i);
	assert_true(is_readable(events));
	assert_int_equal(nd_nl_receive(events, 2, count_reply, &cnt, &e), 0);
	assert_int_equal(cnt, 2);
	assert_int_equal(nd_nl_receive(events, 0, count_reply, &cnt, &e), 0);
	assert_int_equal(cnt, 5);
	assert_false(is_readable(events));
	set_mtu(3000);
	set_mtu(3001);
	assert_int_equal(nd_nl_receive(events, 1, refuse_reply, NULL, &e), ND_LIMIT);
	assert_int_equal(nd_nl_receive(events, 0, note_port, &port, NULL), 0);
	assert_true(port == 0 || port == nd_nl_port(nl));
	nd_nl_free(events);
}

/* What is left in an overrun queue is older than the caller's next dump: it must be gone, and later events must come. */
static void test_overrun(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_nl *events;
	const int size = 2048;
	unsigned cnt = 0;

	need_namespace();
	events = subscribe();
	assert_int_equal(setsockopt(nd_nl_fd(events), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (unsigned i = 0; i < 50; i++)
		set_mtu(4000 + i);
	assert_int_equal(nd_nl_receive(events, 0, count_reply, &cnt, &e), ND_OVERRUN);
	assert_false(is_readable(events));
	set_mtu(5000);
	cnt = 0;
	assert_int_equal(nd_nl_receive(events, 0, count_reply, &cnt, NULL), 0);
	assert_int_equal(cnt, 1);
	nd_nl_free(events);
}

static void test_new_and_free(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_nl *none = NULL;

	nd_nl_free(NULL);
	assert_int_equal(nd_nl_new(99, &none, &e), ND_SYSTEM);
	assert_int_equal(e.sys, EPROTONOSUPPORT);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_call),         cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_kernel_text),      cmocka_unit_test(test_strict_dump),
		cmocka_unit_test(test_offset),           cmocka_unit_test(test_batch),
		cmocka_unit_test(test_reader_ends_dump), cmocka_unit_test(test_events),
		cmocka_unit_test(test_overrun),          cmocka_unit_test(test_new_and_free),
	};

	return cmocka_run_group_tests(tests, enter_namespace, leave_namespace);
}

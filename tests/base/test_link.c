/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: base/link.c: records from hand-made messages, and requests to the fake kernel
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/link.h"
#include "base/mem.h"
#include "tests/fake/fake.h"

#define NETWORK "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
#define PORT    "6ba7b811-9dad-41d1-80b4-00c04fd430c8"

static struct nd_nl *nl;

static int open_fake(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	fake_reset();
	return nd_nl_new(NETLINK_ROUTE, &nl, &e);
}

static int close_fake(void **state)
{
	nd_nl_free(nl);
	return 0;
}

static void test_alias(void **state)
{
	static const struct {
		const char *text;
		bool good, port;
	} rows[] = {
		{ "netd:" NETWORK, true, false },
		{ "netd:" NETWORK ":" PORT, true, true },
		{ "netd:" NETWORK ":", false, false },
		{ "netd:" NETWORK ":" NETWORK "x", false, false },
		{ "netd:" NETWORK "x", false, false },
		{ "netd:6ba7b8109dad41d180b400c04fd430c8", false, false },
		{ "netd:", false, false },
		{ "xetd:" NETWORK, false, false },
		{ "", false, false },
	};
	char buf[ND_ALIAS_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_uuid network, port;

		assert_int_equal(nd_alias_parse(rows[i].text, &network, &port),
				 rows[i].good ? 0 : ND_INVALID);
		if (!rows[i].good)
			continue;
		assert_int_equal(nd_uuid_is_zero(&port), !rows[i].port);
		assert_string_equal(nd_alias_format(&network, rows[i].port ? &port : NULL, buf),
				    rows[i].text);
	}
}

static struct nl_msg *message(int type, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, (void *)header, len, NLMSG_ALIGNTO), 0);
	return msg;
}

static struct nl_msg *link_message(uint8_t family)
{
	const struct ifinfomsg ifi = { .ifi_family = family, .ifi_index = 7, .ifi_flags = IFF_UP };

	return message(RTM_NEWLINK, &ifi, sizeof(ifi));
}

static int parse_link(struct nl_msg *msg, struct nd_link *ret)
{
	int rc = nd_link_parse(nlmsg_hdr(msg), ret, NULL);

	nlmsg_free(msg);
	return rc;
}

static void test_link_minimal(void **state)
{
	struct nl_msg *msg = link_message(AF_UNSPEC);
	struct nd_link l;

	nla_put_string(msg, IFLA_IFNAME, "eth0");
	assert_int_equal(parse_link(msg, &l), 0);
	assert_int_equal(l.ifindex, 7);
	assert_int_equal(l.flags, IFF_UP);
	assert_string_equal(l.name, "eth0");
	assert_int_equal(l.kind, ND_LINK_OTHER);
	assert_int_equal(l.tun_owner, UINT32_MAX);
	assert_false(l.has_alias);
}

/* The kind may come after what it explains, a tunnel's address is no MAC, an alias of somebody else's is none. */
static void test_link_odd(void **state)
{
	struct nl_msg *msg = link_message(AF_UNSPEC);
	struct nlattr *info, *data;
	struct nd_link l;

	nla_put_string(msg, IFLA_IFNAME, "fifteen-chars-x");
	nla_put(msg, IFLA_ADDRESS, 4, "\x0a\0\0\x01");
	nla_put_string(msg, IFLA_IFALIAS,
		       "uplink to the rack, second from the left, and a text longer than any of netd's");
	info = nla_nest_start(msg, IFLA_LINKINFO);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_BR_STP_STATE, 2);
	nla_put_u32(msg, IFLA_BR_FORWARD_DELAY, 400);
	nla_nest_end(msg, data);
	nla_put_string(msg, IFLA_INFO_KIND, "bridge");
	nla_nest_end(msg, info);
	assert_int_equal(parse_link(msg, &l), 0);
	assert_true(nd_mac_is_zero(&l.mac));
	assert_string_equal(l.name, "fifteen-chars-x");
	assert_int_equal(l.kind, ND_LINK_BRIDGE);
	assert_true(l.br_stp);
	assert_int_equal(l.br_forward_delay_cs, 400);
	assert_false(l.has_alias);
}

/* A port of something else has other attributes under the same numbers. */
static void test_link_port(void **state)
{
	static const char *const masters[] = { "bridge", "bond" };

	for (size_t i = 0; i < ARRAY_LEN(masters); i++) {
		struct nl_msg *msg = link_message(AF_UNSPEC);
		struct nlattr *info, *data;
		struct nd_link l;

		nla_put_string(msg, IFLA_IFNAME, "p");
		nla_put_u32(msg, IFLA_MASTER, 3);
		info = nla_nest_start(msg, IFLA_LINKINFO);
		nla_put_string(msg, IFLA_INFO_SLAVE_KIND, masters[i]);
		data = nla_nest_start(msg, IFLA_INFO_SLAVE_DATA);
		nla_put_u8(msg, IFLA_BRPORT_ISOLATED, 1);
		nla_put_u8(msg, IFLA_BRPORT_LEARNING, 0);
		nla_put_u8(msg, IFLA_BRPORT_UNICAST_FLOOD, 1);
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
		assert_int_equal(parse_link(msg, &l), 0);
		assert_int_equal(l.master, 3);
		assert_int_equal(l.br_isolated_port, i == 0);
		assert_int_equal(l.br_learning_off, i == 0);
		assert_false(l.br_flood_off);
	}
}

static void test_link_refused(void **state)
{
	const struct ifaddrmsg ifa = { .ifa_family = AF_INET },
			       long_ifa = { .ifa_family = AF_INET, .ifa_prefixlen = 33 };
	const struct rtmsg long_rtm = { .rtm_family = AF_INET6, .rtm_dst_len = 129 };
	const struct ifinfomsg no_index = { .ifi_family = AF_UNSPEC };
	struct nd_error e = ND_ERROR_INIT;
	struct nl_msg *msg = link_message(AF_UNSPEC);
	struct nd_link l = { .ifindex = 99 };
	struct nd_address a;
	struct nd_route r;

	assert_int_equal(parse_link(link_message(AF_UNSPEC), &l), ND_PARSE); /* no name */
	nla_put_string(msg, IFLA_IFNAME, "eth0");
	nla_put_u8(msg, IFLA_MTU, 1);
	assert_int_equal(nd_link_parse(nlmsg_hdr(msg), &l, &e), ND_PARSE);
	assert_string_equal(nd_error_text(&e), "rtnetlink attribute 4 has length 1");
	nlmsg_free(msg);
	msg = link_message(AF_UNSPEC);
	nla_put_string(msg, IFLA_IFNAME, "sixteen-chars-xx");
	assert_int_equal(parse_link(msg, &l), ND_PARSE);
	msg = message(RTM_NEWLINK, &no_index, sizeof(no_index));
	nla_put_string(msg, IFLA_IFNAME, "eth0");
	assert_int_equal(parse_link(msg, &l), ND_PARSE);
	msg = message(RTM_NEWADDR, &long_ifa, sizeof(long_ifa));
	assert_int_equal(nd_address_parse(nlmsg_hdr(msg), &a, NULL), ND_PARSE);
	nlmsg_free(msg);
	msg = message(RTM_NEWROUTE, &long_rtm, sizeof(long_rtm));
	assert_int_equal(nd_route_parse(nlmsg_hdr(msg), &r, NULL), ND_PARSE);
	nlmsg_free(msg);
	assert_int_equal(parse_link(message(RTM_NEWADDR, &ifa, sizeof(ifa)), &l), ND_PARSE);
	assert_int_equal(parse_link(message(RTM_NEWLINK, &ifa, sizeof(ifa)), &l), ND_PARSE); /* cut off */
	nd_error_reset(&e);
	msg = link_message(AF_BRIDGE);
	assert_int_equal(nd_link_parse(nlmsg_hdr(msg), &l, &e), ND_UNSUPPORTED);
	assert_int_equal(e.code, 0);
	nlmsg_free(msg);
	assert_int_equal(l.ifindex, 99); /* written on success only */
}

static void test_address(void **state)
{
	const struct ifaddrmsg ifa = { .ifa_family = AF_INET,
				       .ifa_prefixlen = 32,
				       .ifa_index = 3,
				       .ifa_flags = IFA_F_PERMANENT,
				       .ifa_scope = RT_SCOPE_LINK };
	const struct ifaddrmsg other = { .ifa_family = AF_BRIDGE };
	struct nl_msg *msg = message(RTM_DELADDR, &ifa, sizeof(ifa));
	char text[ND_PREFIX_STRLEN];
	struct nd_address a;

	nla_put(msg, IFA_ADDRESS, 4, "\x0a\0\0\x02"); /* the peer's */
	nla_put(msg, IFA_LOCAL, 4, "\x0a\0\0\x01");
	nla_put_u32(msg, IFA_FLAGS, IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE);
	assert_int_equal(nd_address_parse(nlmsg_hdr(msg), &a, NULL), 0);
	nlmsg_free(msg);
	assert_string_equal(nd_prefix_to_string(&a.prefix, text), "10.0.0.1/32");
	assert_int_equal(a.ifindex, 3);
	assert_int_equal(a.flags, IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE);
	assert_int_equal(a.scope, RT_SCOPE_LINK);
	msg = message(RTM_NEWADDR, &other, sizeof(other));
	assert_int_equal(nd_address_parse(nlmsg_hdr(msg), &a, NULL), ND_UNSUPPORTED);
	nlmsg_free(msg);
}

static void test_route(void **state)
{
	struct rtmsg rtm = { .rtm_family = AF_INET,
			     .rtm_dst_len = 24,
			     .rtm_table = RT_TABLE_COMPAT,
			     .rtm_protocol = RTPROT_STATIC,
			     .rtm_type = RTN_UNICAST,
			     .rtm_flags = RTNH_F_LINKDOWN };
	_Alignas(struct rtvia) uint8_t via[sizeof(struct rtvia) + 16] = { [2] = 0xfe, 0x80, [17] = 1 };
	struct nl_msg *msg = message(RTM_NEWROUTE, &rtm, sizeof(rtm));
	char text[ND_PREFIX_STRLEN];
	struct nd_route r;

	((struct rtvia *)via)->rtvia_family = AF_INET6;
	nla_put(msg, RTA_DST, 4, "\x0a\x01\x02\0");
	nla_put_u32(msg, RTA_TABLE, 1000);
	nla_put_u32(msg, RTA_OIF, 4);
	nla_put_u32(msg, RTA_PRIORITY, 50);
	nla_put(msg, RTA_VIA, sizeof(via), via);
	assert_int_equal(nd_route_parse(nlmsg_hdr(msg), &r, NULL), 0);
	nlmsg_free(msg);
	assert_string_equal(nd_prefix_to_string(&r.dst, text), "10.1.2.0/24");
	assert_string_equal(nd_ip_to_string(&r.gateway, text), "fe80::1");
	assert_int_equal(r.table, 1000);
	assert_int_equal(r.oif, 4);
	assert_int_equal(r.metric, 50);
	assert_int_equal(r.nh_flags, RTNH_F_LINKDOWN);
	msg = message(RTM_NEWROUTE, &rtm, sizeof(rtm));
	assert_int_equal(nd_route_parse(nlmsg_hdr(msg), &r, NULL), 0);
	assert_int_equal(r.gateway.family, 0);
	nlmsg_free(msg);
	rtm.rtm_flags = RTM_F_CLONED;
	msg = message(RTM_NEWROUTE, &rtm, sizeof(rtm));
	assert_int_equal(nd_route_parse(nlmsg_hdr(msg), &r, NULL), ND_UNSUPPORTED);
	nlmsg_free(msg);
}

static void test_netconf(void **state)
{
	const struct netconfmsg ip6 = { .ncm_family = AF_INET6 }, mpls = { .ncm_family = AF_MPLS };
	struct nl_msg *msg = message(RTM_NEWNETCONF, &ip6, sizeof(ip6));
	struct nd_netconf c;

	nla_put_u32(msg, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	assert_int_equal(nd_netconf_parse(nlmsg_hdr(msg), &c, NULL), 0);
	assert_true(c.family == AF_INET6 && c.ifindex == NETCONFA_IFINDEX_ALL && c.forwarding == -1);
	nla_put_u32(msg, NETCONFA_FORWARDING, 0);
	assert_int_equal(nd_netconf_parse(nlmsg_hdr(msg), &c, NULL), 0);
	assert_int_equal(c.forwarding, 0);
	nla_put_u8(msg, NETCONFA_FORWARDING, 1);
	assert_int_equal(nd_netconf_parse(nlmsg_hdr(msg), &c, NULL), ND_PARSE);
	nlmsg_free(msg);
	msg = message(RTM_NEWNETCONF, &mpls, sizeof(mpls));
	assert_int_equal(nd_netconf_parse(nlmsg_hdr(msg), &c, NULL), ND_UNSUPPORTED);
	nlmsg_free(msg);
	msg = message(RTM_NEWLINK, &ip6, sizeof(ip6));
	assert_int_equal(nd_netconf_parse(nlmsg_hdr(msg), &c, NULL), ND_PARSE);
	nlmsg_free(msg);
}

static struct nd_link tap_record(void)
{
	struct nd_link l = { .name = "tap0",
			     .kind = ND_LINK_TUN,
			     .group = ND_GROUP_LIVE,
			     .mtu = 1400,
			     .tun_owner = 107,
			     .mac = { { 0xfe, 0x54, 0, 1, 2, 3 } },
			     .tun_persist = true,
			     .tun_multi_queue = true,
			     .tun_vnet_hdr = true,
			     .tun_queues = 2,
			     .tun_disabled_queues = 1,
			     .has_alias = true };

	nd_uuid_from_string(NETWORK, &l.alias_network);
	nd_uuid_from_string(PORT, &l.alias_port);
	return l;
}

static void test_get(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link tap = tap_record(), l;
	int ifindex = fake_link_add(&tap);

	assert_int_equal(nd_link_get(nl, ifindex, &l, &e), 0);
	assert_memory_equal(&l, fake_link_by_index(ifindex), sizeof(l));
	assert_int_equal(nd_link_get_by_name(nl, "tap0", &l, &e), 0);
	assert_int_equal(l.ifindex, ifindex);
	assert_int_equal(nd_link_get(nl, 4711, &l, &e), ND_NOT_FOUND);
	assert_string_equal(nd_error_text(&e), "there is no link 4711");
	nd_error_reset(&e);
	assert_int_equal(nd_link_get_by_name(nl, "absent", &l, &e), ND_NOT_FOUND);
	assert_string_equal(nd_error_text(&e), "there is no link 'absent'");
	nd_error_reset(&e);
	fake_fail_at(1, EPERM, "no");
	assert_int_equal(nd_link_get(nl, ifindex, &l, &e), ND_SYSTEM);
	assert_int_equal(e.sys, EPERM);
	assert_string_equal(nd_error_frame(&e, 0), "link 2");
}

static int count_link(const struct nd_link *l, void *arg)
{
	return ++*(int *)arg == 3 ? ND_LIMIT : 0;
}

static int count_address(const struct nd_address *a, void *arg)
{
	++*(int *)arg;
	return 0;
}

static int count_route(const struct nd_route *r, void *arg)
{
	++*(int *)arg;
	return 0;
}

static void test_dumps(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link l = { .name = "a", .flags = IFF_UP };
	struct nd_address a = { .ifindex = fake_link_add(&l) };
	char text[ND_ERROR_STORE];
	int cnt = 0;

	nd_prefix_from_string("10.0.0.1/24", &a.prefix);
	assert_int_equal(fake_address_add(&a), 0);
	assert_int_equal(nd_link_dump(nl, count_link, &cnt, &e), 0);
	assert_int_equal(cnt, 2);
	cnt = 0;
	assert_int_equal(nd_address_dump(nl, count_address, &cnt, &e), 0);
	assert_int_equal(cnt, 1);
	cnt = 0;
	assert_int_equal(nd_route_dump(nl, count_route, &cnt, &e), 0);
	assert_int_equal(cnt, 1); /* the connected one */
	strcpy(l.name, "b");
	fake_link_add(&l);
	cnt = 0;
	assert_int_equal(nd_link_dump(nl, count_link, &cnt, &e), ND_LIMIT);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "dump of links: stopped by its reader");
}

static void test_changes(void **state)
{
	const struct nd_link taken = { .name = "br0", .kind = ND_LINK_BRIDGE };
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link tap = tap_record();
	int ifindex = fake_link_add(&tap);
	const struct nd_link *l = fake_link_by_index(ifindex);

	fake_link_add(&taken);
	assert_int_equal(nd_link_set_up(nl, ifindex, true, &e), 0);
	assert_true(l->flags & IFF_UP);
	assert_int_equal(nd_link_set_up(nl, ifindex, false, &e), 0);
	assert_false(l->flags & IFF_UP);
	assert_int_equal(nd_link_set_group(nl, ifindex, ND_GROUP_DEAD, &e), 0);
	assert_int_equal(l->group, ND_GROUP_DEAD);
	assert_int_equal(nd_link_set_name(nl, ifindex, "tap7", &e), 0);
	assert_string_equal(l->name, "tap7");
	assert_int_equal(nd_link_set_name(nl, ifindex, "br0", &e), ND_EXISTS);
	assert_string_equal(nd_error_frame(&e, 0), "set name");
}

static void test_delete(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link tap = tap_record();
	int ifindex = fake_link_add(&tap);

	assert_int_equal(nd_link_delete(nl, ifindex, &e), 0);
	assert_int_equal(fake_link_count(), 1);
	assert_int_equal(nd_link_delete(nl, ifindex, &e), 0);
	fake_link_add(&tap);
	assert_int_equal(nd_link_delete_group(nl, ND_GROUP_DEAD, &e), 0);
	assert_int_equal(fake_link_count(), 2);
	assert_int_equal(nd_link_delete_group(nl, ND_GROUP_LIVE, &e), 0);
	assert_int_equal(fake_link_count(), 1);
	assert_int_equal(nd_link_delete_group(nl, 0, &e), ND_SYSTEM);
	assert_string_equal(nd_error_frame(&e, 0), "delete group of links");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_link_minimal),
		cmocka_unit_test(test_link_odd),
		cmocka_unit_test(test_link_port),
		cmocka_unit_test(test_link_refused),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_netconf),
		cmocka_unit_test_setup_teardown(test_get, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_dumps, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_changes, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_delete, open_fake, close_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: bridge/route.c against the fake kernel
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bridge/bridge.h"
#include "tests/fake/fake.h"

static struct nd_nl *nl;
static int ifindex;

static int open_fake(void **state)
{
	const struct nd_link bridge = { .name = "virbr1", .kind = ND_LINK_BRIDGE, .flags = IFF_UP };
	struct nd_error e = ND_ERROR_INIT;

	fake_reset();
	ifindex = fake_link_add(&bridge);
	return nd_nl_new(NETLINK_ROUTE, &nl, &e);
}

static int close_fake(void **state)
{
	nd_nl_free(nl);
	return 0;
}

static struct bridge_route route(const char *dst, const char *gateway, uint32_t metric)
{
	struct bridge_route r = { .metric = metric };

	assert_int_equal(nd_prefix_from_string(dst, &r.dst), 0);
	assert_int_equal(nd_ip_from_string(gateway, &r.gateway), 0);
	return r;
}

/* The fake's routes over the bridge that are netd's. */
static size_t have_routes(struct nd_route ret[16])
{
	struct nd_route all[16];
	size_t cnt = fake_routes(all, 16), mine = 0;

	for (size_t i = 0; i < cnt; i++)
		if (all[i].oif == ifindex && all[i].protocol == ND_ROUTE_PROTOCOL)
			ret[mine++] = all[i];
	return mine;
}

static int apply(const struct bridge_route *routes, size_t cnt, struct nd_error *e)
{
	const struct bridge_config want = { .name = "virbr1", .routes = routes, .route_cnt = cnt };
	struct nd_route have[16];
	size_t have_cnt = have_routes(have);
	int rc = bridge_route_apply(nl, ifindex, &want, have, have_cnt, e);

	have_cnt = have_routes(have);
	assert_int_equal(bridge_route_same(&want, have, have_cnt), rc == 0);
	return rc;
}

static void test_apply(void **state)
{
	const struct bridge_route routes[] = { route("10.9.0.0/16", "10.1.1.2", 1),
					       route("fd00:9::/48", "fd00:1::2", 7),
					       route("0.0.0.0/0", "10.1.1.3", 1) };
	struct nd_route have[16];
	struct nd_error e = ND_ERROR_INIT;
	unsigned calls;

	assert_int_equal(apply(routes, 3, &e), 0);
	assert_int_equal(have_routes(have), 3);
	assert_true(have[0].table == RT_TABLE_MAIN && have[0].type == RTN_UNICAST && have[1].metric == 7);
	calls = fake_call_count();
	assert_int_equal(apply(routes, 3, &e), 0);
	assert_int_equal(fake_call_count(), calls); /* nothing to do */
	assert_int_equal(apply(routes + 1, 1, &e), 0);
	assert_int_equal(have_routes(have), 1);
	const struct bridge_route moved = route("fd00:9::/48", "fd00:1::3", 7);
	assert_int_equal(apply(&moved, 1, &e), 0);
	assert_int_equal(have_routes(have), 1);
	assert_true(nd_ip_equal(&have[0].gateway, &moved.gateway));
	assert_int_equal(apply(NULL, 0, &e), 0);
	assert_int_equal(have_routes(have), 0);
}

/* Somebody else's is not replaced; a stray that is gone meanwhile is no failure. */
static void test_failures(void **state)
{
	const struct bridge_route r = route("10.9.0.0/16", "10.1.1.2", 1);
	struct nd_route theirs = { .dst = r.dst, .table = RT_TABLE_MAIN, .metric = 1, .type = RTN_UNICAST };
	struct nd_route gone = { .dst = r.dst,
				 .gateway = r.gateway,
				 .table = 400,
				 .metric = 1,
				 .oif = ifindex,
				 .protocol = ND_ROUTE_PROTOCOL };
	const struct bridge_config none = { .name = "virbr1" };
	struct nd_error e = ND_ERROR_INIT;
	char text[400];

	assert_int_equal(fake_route_add(&theirs), 0);
	assert_int_equal(apply(&r, 1, &e), ND_EXISTS);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "add route 10.9.0.0/16 via 10.1.1.2: File exists (EEXIST)");
	assert_int_equal(bridge_route_apply(nl, ifindex, &none, &gone, 1, NULL), 0);
	fake_fail_at(1, EPERM, NULL);
	nd_error_reset(&e);
	assert_true(bridge_route_apply(nl, ifindex, &none, &gone, 1, &e) < 0);
	nd_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "delete route 10.9.0.0/16 via 10.1.1.2: Operation not permitted (EPERM)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_apply, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(test_failures, open_fake, close_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

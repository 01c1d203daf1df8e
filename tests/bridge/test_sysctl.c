/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: bridge/sysctl.c below a root of the test's own
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "bridge/bridge.h"

static char root[] = "/tmp/nd-sysctl-XXXXXX";

static void put(const char *key, const char *value)
{
	char path[128], *slash;
	struct nd_error e = ND_ERROR_INIT;

	snprintf(path, sizeof(path), "%s/%s", root, key);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(nd_dir_make(path, 0755, &e), 0);
	*slash = '/';
	assert_int_equal(nd_file_write(path, value, strlen(value), 0644, false, &e), 0);
}

static void assert_value(const char *key, const char *want)
{
	struct nd_error e = ND_ERROR_INIT;
	char value[16];

	assert_int_equal(nd_sysctl_read(key, value, sizeof(value), &e), 0);
	assert_string_equal(value, want);
}

static int make_root(void **state)
{
	if (!mkdtemp(root))
		return -1;
	nd_sysctl_root(root);
	return 0;
}

static int remove_root(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void test_claim(void **state)
{
	struct bridge_sysctls *s = bridge_sysctls_new();
	const char *key = bridge_sysctl_key(BRIDGE_SYSCTL_IP4_FORWARD);
	struct nd_error e = ND_ERROR_INIT;
	bool changed = false;

	assert_string_equal(key, "net/ipv4/ip_forward");
	put(key, "0\n");
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e), 0);
	assert_true(changed);
	assert_value(key, "1");
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e), 0);
	assert_false(changed);
	bridge_sysctl_release(s, BRIDGE_SYSCTL_IP4_FORWARD);
	bridge_sysctl_release(s, BRIDGE_SYSCTL_IP4_FORWARD);
	bridge_sysctl_release(s, BRIDGE_SYSCTL_IP4_FORWARD);
	assert_value(key, "1"); /* others may rely on it by now */
	put(key, "0\n");
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e), 0);
	assert_true(changed);
	bridge_sysctls_free(s);
	bridge_sysctls_free(NULL);
}

/* On already: nothing is written, so that a read-only /proc/sys is no obstacle. A failure is not a claim. */
static void test_claim_as_it_is(void **state)
{
	struct bridge_sysctls *s = bridge_sysctls_new();
	const char *key = bridge_sysctl_key(BRIDGE_SYSCTL_IP4_FORWARD);
	struct nd_error e = ND_ERROR_INIT;
	bool changed = true;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, key);
	assert_int_equal(nd_file_remove(path, false, &e), 0);
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e), ND_NOT_FOUND);
	assert_true(changed);
	put(key, "1\n");
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, NULL), 0);
	assert_false(changed);
	assert_value(key, "1");
	bridge_sysctls_free(s);
}

/* What a start that failed wrote goes back, unless another has a claim; what stays is not put back later. */
static void test_take_back(void **state)
{
	struct bridge_sysctls *s = bridge_sysctls_new();
	const char *key = bridge_sysctl_key(BRIDGE_SYSCTL_IP6_FORWARD);
	struct nd_error e = ND_ERROR_INIT;
	bool changed = false;

	put(key, "0\n");
	put("net/ipv6/conf/eth0/accept_ra", "1\n");
	put("net/ipv6/conf/eth1/accept_ra", "0\n");
	assert_int_equal(bridge_sysctl_keep_ra(s, "eth0", &changed, &e), 0);
	assert_true(changed);
	assert_int_equal(bridge_sysctl_keep_ra(s, "eth1", &changed, &e), 0);
	assert_false(changed); /* a daemon hears them */
	assert_int_equal(bridge_sysctl_keep_ra(s, "eth2", &changed, &e), ND_NOT_FOUND);
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP6_FORWARD, &changed, NULL), 0);
	assert_value("net/ipv6/conf/eth0/accept_ra", "2");
	bridge_sysctl_take_back(s, BRIDGE_SYSCTL_IP6_FORWARD);
	assert_value(key, "0");
	assert_value("net/ipv6/conf/eth0/accept_ra", "1");
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP6_FORWARD, &changed, NULL), 0);
	bridge_sysctls_settle(s);
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP6_FORWARD, &changed, NULL), 0);
	bridge_sysctl_take_back(s, BRIDGE_SYSCTL_IP6_FORWARD);
	bridge_sysctl_take_back(s, BRIDGE_SYSCTL_IP6_FORWARD);
	assert_value(key, "1");
	bridge_sysctls_free(s);
}

static void test_lost(void **state)
{
	struct bridge_sysctls *s = bridge_sysctls_new();
	const char *key = bridge_sysctl_key(BRIDGE_SYSCTL_IP4_FORWARD);
	struct nd_error e = ND_ERROR_INIT;
	bool changed = false;

	put(key, "1\n");
	assert_false(bridge_sysctl_lost(s, BRIDGE_SYSCTL_IP4_FORWARD)); /* nobody's */
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e), 0);
	assert_true(bridge_sysctl_holds(s, BRIDGE_SYSCTL_IP4_FORWARD));
	put(key, "0\n");
	assert_true(bridge_sysctl_lost(s, BRIDGE_SYSCTL_IP4_FORWARD));
	assert_false(bridge_sysctl_holds(s, BRIDGE_SYSCTL_IP4_FORWARD));
	assert_int_equal(bridge_sysctl_mend(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e), 0);
	assert_true(changed && bridge_sysctl_holds(s, BRIDGE_SYSCTL_IP4_FORWARD));
	assert_value(key, "1");
	/* a start that fails later puts nothing back that it found so */
	bridge_sysctl_release(s, BRIDGE_SYSCTL_IP4_FORWARD);
	assert_int_equal(bridge_sysctl_claim(s, BRIDGE_SYSCTL_IP4_FORWARD, &changed, &e), 0);
	assert_false(changed);
	bridge_sysctl_take_back(s, BRIDGE_SYSCTL_IP4_FORWARD);
	assert_value(key, "1");
	bridge_sysctls_free(s);
}

static void test_link(void **state)
{
	static const char *const keys[] = { "net/ipv6/conf/virbr1/disable_ipv6",
					    "net/ipv6/conf/virbr1/accept_ra",
					    "net/ipv6/conf/virbr1/autoconf" };
	static const char *const initial[] = { "0\n", "1\n", "1\n" }, *const off[] = { "1", "1", "1" },
				 *const on[] = { "0", "0", "0" };
	struct nd_error e = ND_ERROR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		put(keys[i], initial[i]);
	assert_int_equal(bridge_sysctl_link("virbr1", false, false, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_value(keys[i], off[i]);
	assert_int_equal(bridge_sysctl_link("virbr1", true, false, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_value(keys[i], on[i]);
}

/* A kernel without IPv6. */
static void test_link_without_ipv6(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(bridge_sysctl_link("virbr2", false, false, &e), 0);
	assert_int_equal(bridge_sysctl_link("virbr2", true, false, &e), ND_NOT_FOUND);
}

static void test_link_ip4(void **state)
{
	struct nd_error e = ND_ERROR_INIT;

	put("net/ipv4/conf/virbr3/arp_ignore", "0\n");
	put("net/ipv4/conf/virbr3/arp_announce", "0\n");
	put("net/ipv4/conf/virbr3/route_localnet", "0\n");
	assert_int_equal(bridge_sysctl_link("virbr3", false, false, &e), 0);
	assert_value("net/ipv4/conf/virbr3/arp_ignore", "0");
	assert_int_equal(bridge_sysctl_link("virbr3", false, true, &e), 0);
	assert_value("net/ipv4/conf/virbr3/arp_ignore", "1");
	assert_value("net/ipv4/conf/virbr3/arp_announce", "2");
	assert_int_equal(bridge_sysctl_route_localnet("virbr3", true, &e), 0);
	assert_value("net/ipv4/conf/virbr3/route_localnet", "1");
	assert_int_equal(bridge_sysctl_route_localnet("virbr3", false, &e), 0);
	assert_value("net/ipv4/conf/virbr3/route_localnet", "0");
	assert_int_equal(bridge_sysctl_route_localnet("virbr4", true, &e), ND_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_claim_as_it_is),
		cmocka_unit_test(test_take_back),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_link_ip4),
		cmocka_unit_test(test_link_without_ipv6),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}

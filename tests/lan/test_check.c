// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: which NICs are refused, and that the reason says what to do instead
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "lan/private.h"
#include <linux/if.h>
#include <linux/if_arp.h>

#define RUNNING (IFF_UP | IFF_LOWER_UP)

static char sysfs[] = "/tmp/netd-test.XXXXXX";

static const struct {
	struct lan_snapshot s;
	int code;
	const char *words[2];
} rows[] = {
	{ { .name = "eth0", .flags = RUNNING, .hw_type = ARPHRD_ETHER }, 0, { "", "" } },
	{ { .name = "bond0", .kind = "bond", .flags = RUNNING, .hw_type = ARPHRD_ETHER }, 0, { "", "" } },
	{ { .name = "eth0.7", .kind = "vlan", .flags = RUNNING, .hw_type = ARPHRD_ETHER }, 0, { "", "" } },
	{ { .name = "lo", .flags = RUNNING | IFF_LOOPBACK, .hw_type = ARPHRD_LOOPBACK },
	  ND_UNSUPPORTED,
	  { "loopback", "LAN" } },
	{ { .name = "virbr0", .kind = "bridge", .is_netd = true, .flags = RUNNING, .hw_type = ARPHRD_ETHER },
	  ND_UNSUPPORTED,
	  { "netd's own", "physical" } },
	{ { .name = "br1", .kind = "bridge", .flags = RUNNING, .hw_type = ARPHRD_ETHER },
	  ND_STATE,
	  { "is a bridge already", "<bridge name='br1'/>" } },
	{ { .name = "wlan0", .flags = RUNNING, .hw_type = ARPHRD_ETHER },
	  ND_UNSUPPORTED,
	  { "Wi-Fi", "mode='nat'" } },
	{ { .name = "wlan1", .flags = RUNNING, .hw_type = ARPHRD_ETHER },
	  ND_UNSUPPORTED,
	  { "Wi-Fi", "macvtap" } },
	{ { .name = "ppp0",
	    .kind = "ppp",
	    .flags = RUNNING | IFF_POINTOPOINT | IFF_NOARP,
	    .hw_type = ARPHRD_PPP },
	  ND_UNSUPPORTED,
	  { "ARP (ppp)", "mode='route'" } },
	{ { .name = "wg0", .kind = "wireguard", .flags = RUNNING | IFF_NOARP, .hw_type = ARPHRD_NONE },
	  ND_UNSUPPORTED,
	  { "wireguard", "Ethernet" } },
	{ { .name = "ib0", .flags = RUNNING, .hw_type = ARPHRD_INFINIBAND },
	  ND_UNSUPPORTED,
	  { "Ethernet", "mode='nat'" } },
	{ { .name = "mv0", .kind = "macvlan", .flags = RUNNING, .hw_type = ARPHRD_ETHER },
	  ND_UNSUPPORTED,
	  { "macvlan", "below" } },
	{ { .name = "eth1", .master = 7, .master_name = "bond0", .flags = RUNNING, .hw_type = ARPHRD_ETHER },
	  ND_BUSY,
	  { "part of 'bond0'", "the bond itself" } },
	{ { .name = "eth0", .upper = "mt0", .flags = RUNNING, .hw_type = ARPHRD_ETHER },
	  ND_BUSY,
	  { "'mt0'", "macvtap" } },
	{ { .name = "eth0", .flags = 0, .hw_type = ARPHRD_ETHER },
	  ND_STATE,
	  { "is down", "ip link set 'eth0' up" } },
	{ { .name = "eth0", .flags = IFF_UP, .hw_type = ARPHRD_ETHER }, ND_STATE, { "no carrier", "cable" } },
};

static void test_rows(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		int rc = lan_check(&rows[i].s, "br0", sysfs, &e);

		assert_int_equal(rc, rows[i].code);
		for (size_t k = 0; rc && k < ARRAY_LEN(rows[i].words); k++)
			if (!strstr(nd_error_text(&e), rows[i].words[k]))
				fail_msg("%s: '%s' is not in: %s", rows[i].s.name, rows[i].words[k],
					 nd_error_text(&e));
	}
}

static int setup(void **state)
{
	char path[128];

	assert_non_null(mkdtemp(sysfs));
	snprintf(path, sizeof path, "%s/class/net/wlan0/wireless", sysfs);
	assert_int_equal(nd_dir_make(path, 0755, NULL), 0);
	snprintf(path, sizeof path, "%s/class/net/wlan1/phy80211", sysfs);
	return nd_dir_make(path, 0755, NULL);
}

static int teardown(void **state)
{
	char line[128];

	snprintf(line, sizeof line, "rm -r '%s'", sysfs);
	return system(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, setup, teardown);
}

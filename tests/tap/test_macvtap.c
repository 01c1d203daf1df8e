/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: comparing a macvtap with what is wanted, and finding who holds a device
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "tap/macvtap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct nd_mac mac = { { 0x52, 0x54, 0, 0, 0, 1 } };

static struct macvtap_config wanted(void)
{
	struct macvtap_config want = { .mac = mac, .mtu = 1500, .queue_cnt = 1, .mode = MACVTAP_BRIDGE };
	struct nd_uuid network = { { 1 } }, port = { { 2 } };

	nd_strcpy(want.name, sizeof(want.name), "vnet0");
	nd_alias_format(&network, &port, want.alias);
	return want;
}

static struct nd_link same(void)
{
	return (struct nd_link){ .ifindex = 7,
				 .kind = ND_LINK_MACVTAP,
				 .group = ND_GROUP_LIVE,
				 .flags = IFF_UP,
				 .mtu = 1500,
				 .mac = mac,
				 .macvtap_mode = MACVLAN_MODE_BRIDGE,
				 .has_alias = true,
				 .alias_network = { { 1 } },
				 .alias_port = { { 2 } } };
}

static void test_diff(void **state)
{
	struct macvtap_config want = wanted();
	struct nd_link have = same();

	assert_int_equal(macvtap_diff(&want, &have), TAP_SAME);
	have.mac.b[5]++;
	have.mtu = 1400;
	have.group = 0;
	have.flags = 0;
	have.alias_port.b[0]++;
	have.macvtap_mode = MACVLAN_MODE_PRIVATE;
	assert_int_equal(macvtap_diff(&want, &have),
			 TAP_MAC | TAP_MTU | TAP_GROUP | TAP_DOWN | TAP_ALIAS | TAP_MODE);
	want.mtu = 0;
	assert_false(macvtap_diff(&want, &have) & TAP_MTU);
}

static void test_queues_refused(void **state)
{
	struct macvtap_config want = wanted();
	struct tap_handle h;

	want.queue_cnt = 0;
	assert_int_equal(macvtap_open(NULL, "/nowhere", &want, &h, NULL), ND_INVALID);
	want.queue_cnt = TAP_QUEUES_MAX + 1;
	assert_int_equal(macvtap_open(NULL, "/nowhere", &want, &h, NULL), ND_INVALID);
}

static void test_no_such_device(void **state)
{
	char path[MACVTAP_PATH_MAX];
	dev_t dev;

	assert_int_equal(macvtap_node("/nowhere", "ndnone0", 1, path, &dev, NULL), ND_NOT_FOUND);
}

/* /dev/null is as good as any other device: this process has one, and nobody has the made-up one. */
static void test_held(void **state)
{
	struct stat st;
	nd_autoclose int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	struct macvtap_file files[] = { { .dev = st.st_rdev, .hint = getpid() }, { .dev = (dev_t)~0u >> 1 } };
	macvtap_held(files, 2, true);
	assert_true(files[0].held);
	assert_false(files[1].held);
	files[0] = (struct macvtap_file){ .dev = st.st_rdev };
	macvtap_held(files, 2, false);
	assert_true(files[0].held);
	assert_false(files[1].held);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_queues_refused),
		cmocka_unit_test(test_no_such_device),
		cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

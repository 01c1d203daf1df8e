/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: tap/macvtap against the real kernel, in a network namespace of its own: guests are this process's files, the LAN is the other end of a veth.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "tap/macvtap.h"
#include "tap/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES     "/tmp/netd-test-macvtap"
#define FRAME_LEN 64
#define WAIT_MS   500 /* for a frame that comes */
#define QUIET_MS  100 /* for one that must not */

static struct nd_nl *nl;
static int lower;

static void ip(const char *command)
{
	char line[200];

	snprintf(line, sizeof(line), "ip %s", command);
	assert_int_equal(system(line), 0);
}

static void assert_ok(int rc, const struct nd_error *e)
{
	char text[ND_ERROR_STORE];

	if (rc == 0)
		return;
	nd_error_format(e, text, sizeof(text));
	fail_msg("%s", text);
}
#define OK(call)                                   \
	do {                                       \
		struct nd_error e = ND_ERROR_INIT; \
		assert_ok(call, &e);               \
	} while (0)

/* sysfs shows the namespace it is mounted in. */
static int namespace_enter(void **state)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) < 0) {
		perror("namespace");
		return -1;
	}
	ip("link set lo up");
	ip("link add name eth0 type veth peer name lan0");
	ip("link set eth0 up");
	ip("link set lan0 up");
	OK(nd_nl_new(NETLINK_ROUTE, &nl, &e));
	OK(tun_ifindex(nd_nl_fd(nl), "eth0", &lower, &e));
	return 0;
}

static int namespace_leave(void **state)
{
	nd_nl_free(nl);
	return 0;
}

static struct macvtap_config config(unsigned number, enum macvtap_mode mode)
{
	struct macvtap_config want = { .mac = { { 0x52, 0x54, 0, 0, 0, (uint8_t)number } },
				       .queue_cnt = 1,
				       .lower = lower,
				       .mode = mode };
	struct nd_uuid network = { { 1 } }, port = { { (uint8_t)number } };

	snprintf(want.name, sizeof(want.name), "ndmt%u", number);
	nd_alias_format(&network, &port, want.alias);
	return want;
}

static void end(struct tap_handle *h)
{
	tap_handle_close(h);
	OK(nd_link_delete(nl, h->ifindex, &e));
}

static void send_frame(int fd, const struct macvtap_config *from, const struct macvtap_config *to)
{
	uint8_t frame[FRAME_LEN] = { 0 };
	struct ethhdr *eth = (struct ethhdr *)frame;

	memcpy(eth->h_source, from->mac.b, ETH_ALEN);
	memcpy(eth->h_dest, to->mac.b, ETH_ALEN);
	eth->h_proto = htons(ETH_P_802_EX1);
	assert_int_equal(write(fd, frame, sizeof(frame)), sizeof(frame));
}

/* Whether a frame of that sender comes in time; others (the host's multicast) are passed over. */
static bool got_frame(int fd, const struct macvtap_config *from, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t frame[2048];

	while (poll(&p, 1, wait_ms) == 1)
		if (read(fd, frame, sizeof(frame)) > 0 &&
		    memcmp(frame + ETH_ALEN, from->mac.b, ETH_ALEN) == 0)
			return true;
	return false;
}

static void test_open(void **state)
{
	struct macvtap_config want = config(1, MACVTAP_BRIDGE);
	struct tap_handle h, second;
	struct nd_link have;

	want.mtu = 1400;
	OK(macvtap_open(nl, NODES, &want, &h, &e));
	OK(nd_link_get(nl, h.ifindex, &have, &e));
	assert_int_equal(macvtap_diff(&want, &have), TAP_SAME);
	assert_int_equal(have.kind, ND_LINK_MACVTAP);
	assert_int_equal(have.lower, lower);
	assert_int_equal(macvtap_open(nl, NODES, &want, &second, NULL), ND_EXISTS);

	ip("link set ndmt1 down address 52:54:00:00:00:99 mtu 1300 group 0");
	OK(nd_link_get(nl, h.ifindex, &have, &e));
	unsigned diff = macvtap_diff(&want, &have);
	assert_int_equal(diff, TAP_MAC | TAP_MTU | TAP_GROUP | TAP_DOWN);
	OK(macvtap_restore(nl, h.ifindex, &want, diff, &e));
	OK(nd_link_get(nl, h.ifindex, &have, &e));
	assert_int_equal(macvtap_diff(&want, &have), TAP_SAME);
	end(&h);
}

static void reach(enum macvtap_mode mode, bool wanted)
{
	struct macvtap_config a = config(1, mode), b = config(2, mode);
	struct tap_handle ha, hb;

	OK(macvtap_open(nl, NODES, &a, &ha, &e));
	OK(macvtap_open(nl, NODES, &b, &hb, &e));
	send_frame(ha.fds[0], &a, &b);
	assert_int_equal(got_frame(hb.fds[0], &a, wanted ? WAIT_MS : QUIET_MS), wanted);
	end(&ha);
	end(&hb);
}

static void test_reach(void **state)
{
	reach(MACVTAP_BRIDGE, true);
	reach(MACVTAP_PRIVATE, false);
	reach(MACVTAP_VEPA, false); /* the other end of a veth sends nothing back */
}

static void test_queues(void **state)
{
	struct macvtap_config want = config(1, MACVTAP_BRIDGE);
	struct tap_handle h;

	want.queue_cnt = 4;
	want.vnet_hdr = true;
	OK(macvtap_open(nl, NODES, &want, &h, &e));
	assert_int_equal(h.fd_cnt, 4);
	end(&h);
}

static void lower_mac(struct nd_mac *ret)
{
	struct nd_link have;

	OK(nd_link_get(nl, lower, &have, &e));
	*ret = have.mac;
}

static void test_passthrough(void **state)
{
	struct macvtap_config want = config(1, MACVTAP_PASSTHROUGH), other = config(2, MACVTAP_PASSTHROUGH);
	struct nd_mac was, during, after;
	struct tap_handle h, second;

	lower_mac(&was);
	OK(macvtap_open(nl, NODES, &want, &h, &e));
	lower_mac(&during);
	assert_true(nd_mac_equal(&during, &want.mac));
	assert_int_equal(macvtap_open(nl, NODES, &other, &second, NULL), ND_BUSY);
	end(&h);
	lower_mac(&after);
	assert_true(nd_mac_equal(&after, &was));
}

/* What tells that a guest ended: the last close of a file raises one event on the device's node, whoever had duplicates of it. */
static void test_close_is_told(void **state)
{
	struct macvtap_config want = config(1, MACVTAP_BRIDGE);
	nd_autoclose int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[MACVTAP_PATH_MAX], event[512];
	struct tap_handle h;
	dev_t dev;

	OK(macvtap_open(nl, NODES, &want, &h, &e));
	OK(macvtap_node(NODES, want.name, h.ifindex, path, &dev, &e));
	assert_true(inotify_add_watch(watch, path, IN_CLOSE_WRITE) >= 0);
	int copy = dup(h.fds[0]);
	close(h.fds[0]);
	h.fds[0] = -1;
	assert_int_equal(read(watch, event, sizeof(event)), -1);
	struct macvtap_file file = { .dev = dev };
	macvtap_held(&file, 1, false);
	assert_true(file.held);
	close(copy);
	assert_true(read(watch, event, sizeof(event)) >= (ssize_t)sizeof(struct inotify_event));
	file.held = false;
	macvtap_held(&file, 1, false);
	assert_false(file.held);
	end(&h);
}

/* As where /dev is no devtmpfs. */
static void test_own_node(void **state)
{
	struct macvtap_config want = config(1, MACVTAP_BRIDGE);
	char path[MACVTAP_PATH_MAX];
	struct tap_handle h;
	struct stat st;
	dev_t dev;

	assert_int_equal(mount("none", "/dev", "tmpfs", 0, NULL), 0);
	OK(macvtap_open(nl, NODES, &want, &h, &e));
	OK(macvtap_node(NODES, want.name, h.ifindex, path, &dev, &e));
	assert_memory_equal(path, NODES, sizeof(NODES) - 1);
	assert_int_equal(stat(NODES, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	end(&h);
	macvtap_node_remove(NODES, h.ifindex);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(NODES);
	assert_int_equal(umount("/dev"), 0);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_open),          cmocka_unit_test(test_reach),
		cmocka_unit_test(test_queues),        cmocka_unit_test(test_passthrough),
		cmocka_unit_test(test_close_is_told), cmocka_unit_test(test_own_node),
	};

	return cmocka_run_group_tests(all, namespace_enter, namespace_leave);
}

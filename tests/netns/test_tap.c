/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: tap/ against the real kernel, in a network namespace of its own. A child without any capability plays the VMM that holds the file and
 * turns against the host.
 */
#include "base/log.h"
#include "base/mem.h"
#include "tap/tap.h"
#include "tap/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define NOBODY         65534
#define TAP_NAME       "ndtap0"
#define TAP_ALIAS_TEXT "netd:6ba7b810-9dad-41d1-80b4-00c04fd430c8:6ba7b811-9dad-41d1-80b4-00c04fd430c8"

static struct nd_nl *nl;
static int bridge;

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

static int namespace_enter(void **state)
{
	if (unshare(CLONE_NEWNET) < 0) {
		perror("unshare");
		return -1;
	}
	ip("link set lo up");
	ip("link add br0 address 52:54:00:00:00:01 type bridge");
	ip("link set br0 up");
	OK(nd_nl_new(NETLINK_ROUTE, &nl, &e));
	OK(tun_ifindex(nd_nl_fd(nl), "br0", &bridge, &e));
	return 0;
}

static int namespace_leave(void **state)
{
	nd_nl_free(nl);
	return 0;
}

static struct tap_config config(uint16_t queue_cnt)
{
	struct tap_config c = { .name = TAP_NAME,
				.mac = { { 0xfe, 0x54, 0, 0x12, 0x34, 0x56 } },
				.mtu = 1400,
				.queue_cnt = queue_cnt,
				.vnet_hdr = true,
				.master = bridge,
				.alias = TAP_ALIAS_TEXT };
	return c;
}

static struct nd_link record(int ifindex)
{
	struct nd_link l;

	OK(nd_link_get(nl, ifindex, &l, &e));
	return l;
}

static bool absent(int ifindex)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link l;

	return nd_link_get(nl, ifindex, &l, &e) == ND_NOT_FOUND;
}

/* --- the holder --- */

struct order {
	unsigned long request; /* 0: end */
	unsigned long value;
};
struct holder {
	pid_t pid;
	int sock;
};

/* SIOCSIFHWADDR takes a struct ifreq; the other orders are plain numbers. */
static int obey(int fd, const struct order *o)
{
	struct ifreq req = { .ifr_hwaddr = { .sa_family = ARPHRD_ETHER,
					     .sa_data = { 0x52, 0x54, 0, 1, 2, 3 } } };

	int rc = o->request == SIOCSIFHWADDR ? ioctl(fd, SIOCSIFHWADDR, &req)
					     : ioctl(fd, o->request, o->value);
	return rc < 0 ? errno : 0;
}

static void holder_run(int sock, int fd)
{
	struct order o;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		_exit(1);
	while (read(sock, &o, sizeof(o)) == sizeof(o) && o.request) {
		int err = obey(fd, &o);
		if (write(sock, &err, sizeof(err)) != sizeof(err))
			break;
	}
	_exit(0);
}

/* fd: taken. */
static struct holder holder_start(int fd)
{
	int pair[2];
	struct holder h;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	h.pid = fork();
	assert_true(h.pid >= 0);
	if (h.pid == 0)
		holder_run(pair[1], fd);
	close(pair[1]);
	close(fd);
	h.sock = pair[0];
	return h;
}

static void holder_does(const struct holder *h, unsigned long request, unsigned long value)
{
	struct order o = { request, value };
	int err = -1;

	assert_int_equal(write(h->sock, &o, sizeof(o)), sizeof(o));
	assert_int_equal(read(h->sock, &err, sizeof(err)), sizeof(err));
	assert_int_equal(err, 0);
}

static void holder_end(struct holder *h)
{
	struct order o = { 0, 0 };

	assert_int_equal(write(h->sock, &o, sizeof(o)), sizeof(o));
	assert_int_equal(waitpid(h->pid, NULL, 0), h->pid);
	close(h->sock);
}

static struct holder hand_over(struct tap_handle *h)
{
	assert_int_equal(h->fd_cnt, 1);
	struct holder holder = holder_start(take_fd(h->fds[0]));
	tap_handle_close(h);
	return holder;
}

/* --- tests --- */

static int count_address(const struct nd_address *a, void *arg)
{
	int *ifindex_cnt = arg;

	ifindex_cnt[1] += a->ifindex == ifindex_cnt[0];
	return 0;
}

static void test_complete_when_handed_over(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle h;

	OK(tap_open(nl, &want, &h, &e));
	assert_string_equal(h.name, TAP_NAME);
	struct nd_link l = record(h.ifindex);
	assert_string_equal(l.name, TAP_NAME);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	assert_int_equal(l.kind, ND_LINK_TUN);
	assert_true(l.carrier);
	assert_true(l.tun_vnet_hdr);
	assert_false(l.tun_multi_queue);
	assert_false(l.tun_persist);
	assert_int_equal(l.tun_owner, 0);
	assert_true(fcntl(h.fds[0], F_GETFD) & FD_CLOEXEC);

	int ifindex_cnt[2] = { h.ifindex, 0 };
	OK(nd_address_dump(nl, count_address, ifindex_cnt, &e));
	assert_int_equal(ifindex_cnt[1], 0);

	tap_handle_close(&h);
	assert_int_equal(h.fd_cnt, 0);
	assert_true(absent(h.ifindex));
}

static void test_plain(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle h;
	struct ifreq req = { 0 };

	want.vnet_hdr = false;
	want.mtu = 0;
	OK(tap_open(nl, &want, &h, &e));
	struct nd_link l = record(h.ifindex);
	assert_int_equal(l.mtu, 1500);
	assert_false(l.tun_vnet_hdr);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	assert_int_equal(ioctl(h.fds[0], TUNGETIFF, &req), 0);
	assert_int_equal(req.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE),
			 IFF_TAP | IFF_NO_PI);
	tap_handle_close(&h);
}

static void test_queues(void **state)
{
	struct tap_config want = config(4);
	struct tap_handle h;

	OK(tap_open(nl, &want, &h, &e));
	assert_int_equal(h.fd_cnt, 4);
	struct nd_link l = record(h.ifindex);
	assert_true(l.tun_multi_queue);
	assert_int_equal(l.tun_queues, 4);
	/* The kernel's default, a queue for each of 256, would cost 6.5 MiB. */
	assert_int_equal(system("ip link show dev " TAP_NAME " | grep -q ' qdisc noqueue '"), 0);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	for (int i = 0; i < 4; i++)
		assert_true(tun_is(h.fds[i], TAP_NAME));

	int ifindex = h.ifindex;
	int last = take_fd(h.fds[3]);
	tap_handle_close(&h);
	assert_int_equal(record(ifindex).tun_queues, 1);
	close(last);
	assert_true(absent(ifindex));
}

static void expect_exists(const struct tap_config *want)
{
	struct nd_error e = ND_ERROR_INIT;
	struct tap_handle h;
	char text[ND_ERROR_STORE], expected[200];

	assert_int_equal(tap_open(nl, want, &h, &e), ND_EXISTS);
	nd_error_format(&e, text, sizeof(text));
	snprintf(expected, sizeof(expected), "tap '%s': an interface of this name exists", want->name);
	assert_string_equal(text, expected);
}

static void test_name_taken(void **state)
{
	struct tap_config want = config(1);

	/* A TAP nobody holds is attachable, and must all the same not be taken for ours. */
	ip("tuntap add mode tap name " TAP_NAME);
	expect_exists(&want);
	want.queue_cnt = 2;
	expect_exists(&want);
	ip("link del " TAP_NAME);
	ip("link add " TAP_NAME " type bridge");
	expect_exists(&want);
	ip("link del " TAP_NAME);
}

static void test_bad_master_leaves_nothing(void **state)
{
	struct tap_config want = config(1);
	struct nd_error e = ND_ERROR_INIT;
	struct tap_handle h;
	int ifindex;

	want.master = 1; /* lo is no bridge */
	assert_int_equal(tap_open(nl, &want, &h, &e), ND_SYSTEM);
	assert_string_equal(nd_error_frame(&e, 0), "tap '" TAP_NAME "'");
	assert_string_equal(nd_error_frame(&e, 1), "set MAC, MTU, group, alias, master, up");
	nd_error_reset(&e);
	assert_true(tun_ifindex(nd_nl_fd(nl), TAP_NAME, &ifindex, &e) < 0);
	assert_int_equal(e.sys, ENODEV);
}

static void test_mac_theft(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle h;

	OK(tap_open(nl, &want, &h, &e));
	struct holder holder = hand_over(&h);
	holder_does(&holder, SIOCSIFHWADDR, 0);
	struct nd_link l = record(h.ifindex);
	assert_int_equal(tap_diff(&want, &l), TAP_MAC);
	OK(tap_restore(nl, h.ifindex, &want, TAP_MAC, &e));
	l = record(h.ifindex);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	holder_end(&holder);
	assert_true(absent(h.ifindex));
}

static void test_restore_all(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle h;

	OK(tap_open(nl, &want, &h, &e));
	ip("link set " TAP_NAME " down nomaster mtu 1300 group 7 alias mine address 52:54:00:09:09:09");
	struct nd_link l = record(h.ifindex);
	unsigned diff = tap_diff(&want, &l);
	assert_int_equal(diff, TAP_MAC | TAP_MTU | TAP_MASTER | TAP_GROUP | TAP_ALIAS | TAP_DOWN);
	OK(tap_restore(nl, h.ifindex, &want, diff, &e));
	l = record(h.ifindex);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	tap_handle_close(&h);

	struct nd_error e = ND_ERROR_INIT;
	assert_true(tap_restore(nl, h.ifindex, &want, TAP_MTU, &e) < 0);
	assert_string_equal(nd_error_frame(&e, 1), "set MTU");
}

/* hint: whether the holder is known; without, /proc is searched. */
static void reclaim_from(bool hint)
{
	struct tap_config want = config(1);
	struct tap_handle h;
	pid_t pid = 0;
	int fd = -7;

	OK(tap_open(nl, &want, &h, &e));
	struct holder holder = hand_over(&h);
	holder_does(&holder, TUNSETOWNER, NOBODY);
	struct nd_link l = record(h.ifindex);
	assert_int_equal(tap_diff(&want, &l), TAP_OWNER);
	holder_does(&holder, TUNSETPERSIST, 1);
	l = record(h.ifindex);
	assert_int_equal(tap_diff(&want, &l), TAP_OWNER | TAP_PERSIST);

	OK(tap_restore(nl, h.ifindex, &want, TAP_OWNER | TAP_PERSIST, &e));
	OK(tap_reclaim(nl, h.ifindex, TAP_NAME, hint ? holder.pid : getpid(), &pid, &fd, &e));
	assert_int_equal(pid, holder.pid);
	assert_int_equal(fd, -1);
	l = record(h.ifindex);
	assert_int_equal(tap_diff(&want, &l), TAP_SAME);
	holder_end(&holder);
	assert_true(absent(h.ifindex));
}

static void test_reclaim_hint(void **state)
{
	reclaim_from(true);
}

static void test_reclaim_search(void **state)
{
	reclaim_from(false);
}

/* Held by nobody, and not to be found: whoever made it persistent has exited. */
static void test_reclaim_left(void **state)
{
	for (uint16_t queue_cnt = 1; queue_cnt <= 2; queue_cnt++) {
		struct tap_config want = config(queue_cnt);
		struct tap_handle h;
		pid_t pid = -7;
		int fd = -1;

		OK(tap_open(nl, &want, &h, &e));
		OK(tun_set_owner(h.fds[0], NOBODY, &e));
		OK(tun_set_persist(h.fds[0], true, &e));
		tap_handle_close(&h);
		struct nd_link l = record(h.ifindex);
		assert_int_equal(tap_diff(&want, &l), TAP_OWNER | TAP_PERSIST);
		OK(tap_reclaim(nl, h.ifindex, TAP_NAME, 0, &pid, &fd, &e));
		assert_int_equal(pid, 0);
		l = record(h.ifindex);
		assert_int_equal(tap_diff(&want, &l), TAP_SAME);
		close(fd);
		assert_true(absent(h.ifindex));
	}
}

/* What somebody holds is left alone, and so is what is gone. */
static void test_release_refused(void **state)
{
	for (uint16_t queue_cnt = 1; queue_cnt <= 2; queue_cnt++) {
		struct tap_config want = config(queue_cnt);
		struct tap_handle h;
		int fd = -7;

		OK(tap_open(nl, &want, &h, &e));
		OK(tun_set_persist(h.fds[0], true, &e));
		assert_int_equal(tap_release(nl, h.ifindex, &fd, NULL), ND_BUSY);
		assert_true(record(h.ifindex).tun_persist);
		OK(tun_set_persist(h.fds[0], false, &e));
		tap_handle_close(&h);
		assert_int_equal(tap_release(nl, h.ifindex, &fd, NULL), ND_NOT_FOUND);
		assert_int_equal(tap_release(nl, bridge, &fd, NULL), ND_INVALID);
		assert_int_equal(fd, -7);
	}
}

static void test_reclaim_not_found(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	pid_t pid = -7;
	int fd = -7;

	assert_int_equal(tap_reclaim(nl, INT32_MAX, TAP_NAME, 0, &pid, &fd, &e), ND_NOT_FOUND);
	assert_string_equal(nd_error_frame(&e, 0), "tap '" TAP_NAME "'");
	assert_int_equal(pid, -7);
	assert_int_equal(fd, -7);
}

/* A process full of device files holds the search up no longer than a loop may stand. */
static void test_reclaim_hidden(void **state)
{
	struct rlimit lim;
	pid_t pid = -7;
	int ready[2], fd = -7;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		lim.rlim_cur = lim.rlim_max < 20000 ? lim.rlim_max : 20000;
		setrlimit(RLIMIT_NOFILE, &lim);
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		for (int i = 0; i < 20000 && dup(null) >= 0; i++)
			;
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	uint64_t started = nd_now_ms();
	assert_int_equal(tap_reclaim(nl, INT32_MAX, TAP_NAME, child, &pid, &fd, NULL), ND_TIMEOUT);
	assert_true(nd_now_ms() - started < 200);
	assert_int_equal(pid, -7);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

/* The same name in another namespace is another device: its holder is left alone. */
static void test_reclaim_other_namespace(void **state)
{
	nd_autoclose int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd = -1, free_fd = -7;
	pid_t pid = -7;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	OK(tun_attach(TAP_NAME, TUN_NEW, &fd, &e));
	OK(tun_set_owner(fd, 4711, &e));
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	assert_int_equal(tap_reclaim(nl, INT32_MAX, TAP_NAME, getpid(), &pid, &free_fd, NULL), ND_NOT_FOUND);
	assert_int_equal(pid, -7);
	close(fd);
}

static void test_drain(void **state)
{
	struct tap_config want = config(1);
	struct tap_handle h;

	OK(tap_open(nl, &want, &h, &e));
	OK(tap_drain(nl, h.ifindex, &e));
	struct nd_link l = record(h.ifindex);
	assert_int_equal(l.master, 0);
	assert_false(l.carrier);
	assert_int_equal(l.group, ND_GROUP_LIVE);
	assert_int_equal(tap_diff(&want, &l), TAP_MASTER);
	assert_true(tun_is(h.fds[0], TAP_NAME));

	/* The VMM goes on unharmed: writing works as on any link without carrier, and reading finds nothing. */
	char frame[74] = { 0 };
	assert_int_equal(write(h.fds[0], frame, sizeof(frame)), sizeof(frame));
	assert_int_equal(fcntl(h.fds[0], F_SETFL, O_NONBLOCK), 0);
	OK(tap_drain(nl, h.ifindex, &e));

	tap_handle_close(&h);
	assert_true(absent(h.ifindex));
	OK(tap_drain(nl, h.ifindex, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete_when_handed_over),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_name_taken),
		cmocka_unit_test(test_bad_master_leaves_nothing),
		cmocka_unit_test(test_mac_theft),
		cmocka_unit_test(test_restore_all),
		cmocka_unit_test(test_reclaim_hint),
		cmocka_unit_test(test_reclaim_search),
		cmocka_unit_test(test_reclaim_left),
		cmocka_unit_test(test_release_refused),
		cmocka_unit_test(test_reclaim_not_found),
		cmocka_unit_test(test_reclaim_hidden),
		cmocka_unit_test(test_reclaim_other_namespace),
		cmocka_unit_test(test_drain),
	};
	return cmocka_run_group_tests_name("netns/tap", tests, namespace_enter, namespace_leave);
}

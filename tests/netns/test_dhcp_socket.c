// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the packet sockets against the real kernel, in a network namespace of its own
 *
 * A bridge with one port, a veth; frames are sent from the veth's other end as a guest would. nft marks what comes in at the port, by its Ethernet source.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "dhcp/dhcp.h"
#include "dhcp/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#define MARK_BASE 0x4e440000u
#define MARK_MASK 0xffff0000u
#define MARK      (MARK_BASE | 7)

static const struct nd_mac bridge_mac = { { 0x02, 0, 0, 0, 0, 0xb0 } };
static const struct nd_mac marked = { { 0x02, 0, 0, 0, 0, 1 } };
static const struct nd_mac other_mark = { { 0x02, 0, 0, 0, 0, 2 } };
static const struct nd_mac no_mark = { { 0x02, 0, 0, 0, 0, 3 } };

static int dhcp_fd = -1, arp_fd = -1, out_fd = -1;
static int bridge, guest;
static struct dhcp_rx *rx;

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

/* ---- frames ---- */

struct frame {
	uint8_t bytes[4096];
	size_t len;
};

static struct frame request(const struct nd_mac *from)
{
	struct frame f = { 0 };
	struct nd_writer w = nd_writer(f.bytes, sizeof(f.bytes));
	nd_write_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	nd_write_bytes(&w, from->b, 6);
	nd_write_be16(&w, 0x0800);
	nd_write_be32(&w, 0x45000000 | (20 + 8 + 300));
	nd_write_be32(&w, 0);
	nd_write_be32(&w, 0x40110000);
	nd_write_be32(&w, 0);
	nd_write_be32(&w, UINT32_MAX);
	nd_write_be32(&w, 68 << 16 | 67);
	nd_write_be32(&w, (8 + 300) << 16);
	nd_write_zero(&w, 300);
	assert_false(w.bad);
	f.len = w.pos;
	return f;
}

static struct frame arp(unsigned oper, uint32_t target_ip4)
{
	struct frame f = { 0 };
	struct nd_writer w = nd_writer(f.bytes, sizeof(f.bytes));
	nd_write_bytes(&w, bridge_mac.b, 6);
	nd_write_bytes(&w, no_mark.b, 6);
	nd_write_be16(&w, 0x0806);
	nd_write_be32(&w, 0x00010800);
	nd_write_be16(&w, 0x0604);
	nd_write_be16(&w, (uint16_t)oper);
	nd_write_bytes(&w, no_mark.b, 6);
	nd_write_be32(&w, 0xc0a87a09);
	nd_write_bytes(&w, bridge_mac.b, 6);
	nd_write_be32(&w, target_ip4);
	f.len = w.pos;
	return f;
}

static struct frame tagged(struct frame f)
{
	memmove(f.bytes + 16, f.bytes + 12, f.len - 12);
	memcpy(f.bytes + 12, "\x81\x00\x00\x05", 4);
	f.len += 4;
	return f;
}

/* br_netfilter, where there is one, drops IPv4 with a wrong header checksum before anyone else sees it. */
static void fill_ip_checksum(struct frame *f)
{
	size_t len = (f->bytes[14] & 15) * 4u;
	uint32_t sum = 0;
	f->bytes[24] = f->bytes[25] = 0;
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)f->bytes[14 + i] << 8 | f->bytes[15 + i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	f->bytes[24] = (uint8_t)(sum >> 8);
	f->bytes[25] = (uint8_t)sum;
}

static void say(struct frame *f)
{
	if (f->bytes[12] == 8 && f->bytes[13] == 0)
		fill_ip_checksum(f);
	OK(dhcp_socket_send(out_fd, guest, f->bytes, f->len, &e));
}

/* veth delivers within the send, so what has not come by then does not come. */
static int heard(int fd)
{
	int n = dhcp_rx_receive(rx, fd, NULL);
	assert_true(n >= 0);
	return n;
}

/* The bridge learns of the port's carrier some time after the port is up. */
static void wait_for_port(void)
{
	struct frame f = request(&marked);
	struct pollfd p = { .fd = dhcp_fd, .events = POLLIN };
	int tries = 0;
	do {
		assert_true(tries++ < 100);
		say(&f);
	} while (poll(&p, 1, 20) == 0);
	assert_int_equal(heard(dhcp_fd), 1);
}

static int namespace_enter(void **state)
{
	static const char *const commands[] = {
		"ip link set lo up",
		"ip link add ndbr address 02:00:00:00:00:b0 mtu 9000 type bridge",
		"ip link add ndport mtu 9000 type veth peer name ndguest mtu 9000",
		"ip link set ndport master ndbr up",
		"ip link set ndguest up",
		"ip link set ndbr up",
		"nft 'add table bridge t; add chain bridge t c { type filter hook prerouting priority -300; "
		"};"
		" add rule bridge t c ether saddr 02:00:00:00:00:01 meta mark set 0x4e440007;"
		" add rule bridge t c ether saddr 02:00:00:00:00:02 meta mark set 0x4e450007'",
	};
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("SKIP: cannot make a network namespace\n");
		exit(77);
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		assert_int_equal(system(commands[i]), 0);
	bridge = (int)if_nametoindex("ndbr");
	guest = (int)if_nametoindex("ndguest");
	OK(dhcp_socket_open(MARK_BASE, MARK_MASK, &dhcp_fd, &arp_fd, &e));
	OK(dhcp_socket_open_send(&out_fd, &e));
	rx = dhcp_rx_new();
	assert_non_null(rx);
	wait_for_port();
	return 0;
}

static int namespace_leave(void **state)
{
	dhcp_rx_free(rx);
	close(dhcp_fd);
	close(arp_fd);
	close(out_fd);
	return 0;
}

/* ---- tests ---- */

static void a_request_is_heard_once(void **state)
{
	struct frame f = request(&marked);
	say(&f);
	assert_int_equal(heard(dhcp_fd), 1);
	struct dhcp_rx_frame got = dhcp_rx_get(rx, 0);
	assert_int_equal(got.ifindex, bridge);
	assert_int_equal(got.mark, MARK);
	assert_false(got.checksum_unverified);
	assert_int_equal(got.len, f.len);
	assert_memory_equal(got.bytes, f.bytes, f.len);
	assert_int_equal(heard(dhcp_fd), 0);
	assert_int_equal(heard(arp_fd), 0);
}

static void many_in_one_call(void **state)
{
	struct frame f = request(&marked);
	for (int i = 0; i < DHCP_RX_BATCH + 10; i++)
		say(&f);
	assert_int_equal(heard(dhcp_fd), DHCP_RX_BATCH);
	for (size_t i = 0; i < DHCP_RX_BATCH; i++) {
		assert_int_equal(dhcp_rx_get(rx, i).mark, MARK);
		assert_int_equal(dhcp_rx_get(rx, i).len, f.len);
	}
	assert_int_equal(heard(dhcp_fd), 10);
}

static void what_is_not_heard(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} cases[] = {
		{ 13, 0xdd, "Ethernet type" }, { 23, 6, "TCP" },      { 20, 0x20, "first fragment" },
		{ 21, 1, "later fragment" },   { 37, 68, "port 68" }, { 36, 1, "port 323" },
	};
	struct frame f;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		f = request(&marked);
		f.bytes[cases[i].at] = cases[i].value;
		say(&f);
		if (heard(dhcp_fd) != 0)
			fail_msg("%s", cases[i].what);
	}
	f = request(&other_mark);
	say(&f);
	f = request(&no_mark);
	say(&f);
	f = request(&marked);
	fill_ip_checksum(&f);
	f = tagged(f);
	say(&f);
	f = request(&marked);
	f.len = 36; /* ends before the port */
	f.bytes[16] = 0;
	f.bytes[17] = 22;
	say(&f);
	assert_int_equal(heard(dhcp_fd), 0);
}

static void ip_options_move_the_port(void **state)
{
	struct frame f = request(&marked);
	memmove(f.bytes + 38, f.bytes + 34, f.len - 34);
	memset(f.bytes + 34, 1, 4);
	f.bytes[14] = 0x46;
	f.len += 4;
	f.bytes[17] += 4;
	say(&f);
	assert_int_equal(heard(dhcp_fd), 1);
	f.bytes[41] = 68;
	say(&f);
	assert_int_equal(heard(dhcp_fd), 0);
}

static void a_long_frame_is_cut(void **state)
{
	struct frame f = request(&marked);
	f.len = 4000;
	f.bytes[16] = (4000 - 14) >> 8;
	f.bytes[17] = (uint8_t)(4000 - 14);
	say(&f);
	assert_int_equal(heard(dhcp_fd), 1);
	assert_int_equal(dhcp_rx_get(rx, 0).len, DHCP_FRAME_MAX);
}

static void our_own_frames_are_not_heard(void **state)
{
	struct frame f = request(&marked);
	OK(dhcp_socket_send(out_fd, bridge, f.bytes, f.len, &e));
	assert_int_equal(heard(dhcp_fd), 0);
}

/* A UDP socket leaves the checksum to the device, and a veth has none that would fill it in. */
static void an_unfilled_checksum_is_told(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(67),
				  .sin_addr.s_addr = INADDR_BROADCAST };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;
	assert_true(fd >= 0);
	assert_int_equal(system("ip link set ndguest address 02:00:00:00:00:01"), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "ndguest", 8), 0);
	assert_int_equal(sendto(fd, "abc", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	close(fd);
	assert_int_equal(heard(dhcp_fd), 1);
	assert_true(dhcp_rx_get(rx, 0).checksum_unverified);
}

static void answers_to_probes(void **state)
{
	struct frame f = arp(2, 0);
	say(&f);
	assert_int_equal(heard(arp_fd), 1);
	assert_int_equal(dhcp_rx_get(rx, 0).ifindex, bridge);
	assert_memory_equal(dhcp_rx_get(rx, 0).bytes, f.bytes, f.len);
	f = arp(1, 0);
	say(&f);
	f = arp(2, 0xc0a87a01);
	say(&f);
	f = tagged(arp(2, 0));
	say(&f);
	assert_int_equal(heard(arp_fd), 0);
	assert_int_equal(heard(dhcp_fd), 0);
}

static void the_filters_are_locked(void **state)
{
	int dummy = 0;
	assert_int_equal(setsockopt(dhcp_fd, SOL_SOCKET, SO_DETACH_FILTER, &dummy, sizeof(dummy)), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(setsockopt(arp_fd, SOL_SOCKET, SO_DETACH_FILTER, &dummy, sizeof(dummy)), -1);
	assert_int_equal(errno, EPERM);
}

static void the_sender_hears_nothing(void **state)
{
	struct frame f = request(&marked);
	say(&f);
	assert_int_equal(heard(out_fd), 0);
	assert_int_equal(heard(dhcp_fd), 1);
}

static void errors_of_the_device(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct frame f = request(&marked);
	assert_int_equal(dhcp_socket_send(out_fd, 9999, f.bytes, f.len, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENXIO);
	nd_error_reset(&e);
	assert_int_equal(system("ip link set ndguest down"), 0);
	assert_int_equal(dhcp_socket_send(out_fd, guest, f.bytes, f.len, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENETDOWN);
	assert_int_equal(system("ip link set ndguest up"), 0);
}

static void without_an_arp_socket(void **state)
{
	int fd = -1;
	OK(dhcp_socket_open(MARK_BASE, MARK_MASK, &fd, NULL, &e));
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_heard_once),
		cmocka_unit_test(many_in_one_call),
		cmocka_unit_test(what_is_not_heard),
		cmocka_unit_test(ip_options_move_the_port),
		cmocka_unit_test(a_long_frame_is_cut),
		cmocka_unit_test(our_own_frames_are_not_heard),
		cmocka_unit_test(an_unfilled_checksum_is_told),
		cmocka_unit_test(answers_to_probes),
		cmocka_unit_test(the_filters_are_locked),
		cmocka_unit_test(the_sender_hears_nothing),
		cmocka_unit_test(errors_of_the_device),
		cmocka_unit_test(without_an_arp_socket),
	};
	return cmocka_run_group_tests(tests, namespace_enter, namespace_leave);
}

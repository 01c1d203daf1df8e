// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the DHCP worker with real sockets, in a network namespace of its own
 *
 * A bridge with two veth ports; the other ends are the guests, which speak by hand. nft marks what comes in at the first port with that port's number and at the second with
 * the mark of foreign ports. The test plays netd: it opens the sockets, spawns the worker, answers proposals, and sends the frames after the checks
 * that netd does.
 */
#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "dhcp/dhcp.h"

#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#define MARK_BASE  0x4e440000u
#define MARK_MASK  0xffff0000u
#define PORT_MARK  (MARK_BASE | 7)
#define FOREIGN    (MARK_BASE | 0xffff)
#define SERVER_IP4 0xc0a84d01u
#define FIRST_IP4  0xc0a84d0au
#define LAST_IP4   0xc0a84d0fu
#define NOBODY     "65534"
#define WAIT_MS    5000

static const struct nd_mac bridge_mac = { { 0x02, 0, 0, 0, 0, 0xb0 } };
static const struct nd_mac port_mac = { { 0x02, 0, 0, 0, 0, 1 } };
static const struct nd_mac foreign_mac = { { 0x02, 0, 0, 0, 0, 2 } };
static const struct nd_uuid network_uuid = { { 0xaa } };
static const struct nd_uuid port_uuid = { { 0x01 } };

static const char *worker_path;
static int bridge, port_guest, foreign_guest;
static int dhcp_fd = -1, arp_fd = -1, out_fd = -1;

/* What the worker said last, and how often. */
static struct {
	int ready, send, propose, release, notice, counters;
	uint32_t pong;
	uint8_t frame[DHCP_FRAME_MAX];
	size_t len;
	uint64_t id;
	struct dhcp_lease lease;
	struct dhcp_counters values;
	char text[256];
} got;

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

/* ---- netd's part ---- */

static void keep_frame(int ifindex, const uint8_t *frame, size_t len)
{
	assert_int_equal(ifindex, bridge);
	OK(dhcp_frame_is_server(frame, len, &bridge_mac, SERVER_IP4, &e));
	memcpy(got.frame, frame, len);
	got.len = len;
}

static void got_ready(void *arg)
{
	got.ready++;
}

static void got_send(void *arg, int ifindex, const uint8_t *frame, size_t len)
{
	got.send++;
	keep_frame(ifindex, frame, len);
}

static void got_propose(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
			const uint8_t *ack, size_t len)
{
	got.propose++;
	got.id = id;
	got.lease = *lease;
	if (ack)
		keep_frame(ifindex, ack, len);
}

static void got_release(void *arg, const struct dhcp_lease *lease)
{
	got.release++;
	got.lease = *lease;
}

static void got_notice(void *arg, uint32_t network_id, const char *text)
{
	got.notice++;
	snprintf(got.text, sizeof(got.text), "%s", text);
}

static void got_counters(void *arg, const struct dhcp_counters *c)
{
	got.counters++;
	got.values = *c;
}

static void got_pong(void *arg, uint32_t number)
{
	got.pong = number;
}

static const struct dhcp_control_ops ops = {
	.ready = got_ready,
	.send = got_send,
	.propose = got_propose,
	.release = got_release,
	.notice = got_notice,
	.counters = got_counters,
	.pong = got_pong,
};

struct served {
	struct dhcp_control *control;
	pid_t pid;
};

/* Serves the channel until *what is at least `want`. */
static void wait_until(struct served *s, const int *what, int want)
{
	uint64_t end_ms = nd_now_ms() + 2 * WAIT_MS;
	while (*what < want) {
		struct pollfd p = { .fd = dhcp_control_fd(s->control), .events = POLLIN };
		if (dhcp_control_wants_write(s->control))
			p.events |= POLLOUT;
		assert_true(nd_now_ms() < end_ms);
		assert_true(poll(&p, 1, WAIT_MS) >= 0);
		if (p.revents & POLLOUT)
			OK(dhcp_control_on_writable(s->control, &e));
		if (p.revents & (POLLIN | POLLHUP))
			OK(dhcp_control_on_readable(s->control, 100, &e));
	}
}

static void serve_for(struct served *s, uint64_t ms)
{
	uint64_t now_ms, end_ms = nd_now_ms() + ms;
	OK(dhcp_control_on_writable(s->control, &e));
	while ((now_ms = nd_now_ms()) < end_ms) {
		struct pollfd p = { .fd = dhcp_control_fd(s->control), .events = POLLIN };
		if (poll(&p, 1, (int)(end_ms - now_ms)) > 0)
			OK(dhcp_control_on_readable(s->control, 100, &e));
	}
}

static void flush(struct served *s)
{
	OK(dhcp_control_on_writable(s->control, &e));
	assert_false(dhcp_control_wants_write(s->control));
}

/* Queued only. */
static void queue_network(struct served *s, bool probe)
{
	const struct dhcp_range range = { FIRST_IP4, LAST_IP4, 0 };
	struct dhcp_network n = { .id = 1,
				  .uuid = network_uuid,
				  .ifindex = bridge,
				  .server_mac = bridge_mac,
				  .address_ip4 = SERVER_IP4,
				  .prefix_len = 24,
				  .router_ip4 = SERVER_IP4,
				  .lease_s = DHCP_LEASE_DEFAULT_S,
				  .probe = probe,
				  .ranges = &range,
				  .range_cnt = 1 };
	const struct dhcp_port port = {
		.mark = PORT_MARK, .network_id = 1, .uuid = port_uuid, .mac = port_mac, .name = "vm"
	};
	OK(dhcp_control_network_set(s->control, &n, &e));
	OK(dhcp_control_port_set(s->control, &port, &e));
}

static void tell_network(struct served *s, bool probe)
{
	queue_network(s, probe);
	flush(s);
}

static int setup(void **state)
{
	struct served *s = calloc(1, sizeof(*s));
	char mark[16], root[] = "/tmp/netd-root-XXXXXX";
	int fds[2];
	assert_non_null(s);
	memset(&got, 0, sizeof(got));
	assert_non_null(mkdtemp(root));
	OK(dhcp_socket_open(MARK_BASE, MARK_MASK, &dhcp_fd, &arp_fd, &e));
	OK(nd_sock_seqpacket_pair(fds, &e));
	snprintf(mark, sizeof(mark), "%u", FOREIGN);
	char offset[24];
	snprintf(offset, sizeof(offset), "%lld", (long long)nd_wall_s() - (long long)(nd_now_ms() / 1000));
	const char *argv[] = { worker_path, "--root",         root, "--uid",          NOBODY, "--gid",
			       NOBODY,      "--foreign-mark", mark, "--clock-offset", offset, NULL };
	const int given[] = { fds[1], dhcp_fd, arp_fd };
	const struct nd_spawn spawn = {
		.path = worker_path, .argv = argv, .fds = given, .fd_cnt = 3, .die_with_parent = true
	};
	OK(nd_spawn(&spawn, &s->pid, &e));
	close(fds[1]);
	OK(dhcp_control_new(fds[0], &ops, NULL, &s->control, &e));
	wait_until(s, &got.ready, 1);
	/* It is in its empty root by now. */
	assert_int_equal(rmdir(root), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct served *s = *state;
	int status;
	dhcp_control_free(s->control);
	close(take_fd(dhcp_fd));
	close(take_fd(arp_fd));
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	free(s);
	return 0;
}

/* ---- the guests' part ---- */

struct frame {
	uint8_t bytes[DHCP_FRAME_MAX];
	size_t len;
};

static void fill_ip_checksum(struct frame *f)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < 20; i += 2)
		sum += (uint32_t)f->bytes[14 + i] << 8 | f->bytes[15 + i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	f->bytes[24] = (uint8_t)(sum >> 8);
	f->bytes[25] = (uint8_t)sum;
}

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, RELEASE = 7 };

/* ciaddr is the address that a RELEASE gives back; requested is option 50, with the server identifier. 0: none. */
static struct frame message(const struct nd_mac *from, uint8_t type, uint32_t ciaddr, uint32_t requested)
{
	struct frame f = { .len = 14 + 20 + 8 + 300 };
	struct nd_writer w = nd_writer(f.bytes, f.len);
	nd_write_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	nd_write_bytes(&w, from->b, 6);
	nd_write_be16(&w, 0x0800);
	nd_write_be32(&w, 0x45000000 | (20 + 8 + 300));
	nd_write_be32(&w, 0);
	nd_write_be32(&w, 0x40110000);
	nd_write_be32(&w, ciaddr);
	nd_write_be32(&w, ciaddr ? SERVER_IP4 : UINT32_MAX);
	nd_write_be32(&w, 68 << 16 | 67);
	nd_write_be32(&w, (8 + 300) << 16);
	nd_write_be32(&w, 0x01010600);
	nd_write_be32(&w, 0x1234); /* xid */
	nd_write_be32(&w, 0);
	nd_write_be32(&w, ciaddr);
	nd_write_zero(&w, 12);
	nd_write_bytes(&w, from->b, 6);
	nd_write_zero(&w, 10 + 64 + 128);
	nd_write_be32(&w, 0x63825363);
	nd_write_bytes(&w, (uint8_t[]){ 53, 1, type }, 3);
	if (requested) {
		nd_write_bytes(&w, (uint8_t[]){ 50, 4 }, 2);
		nd_write_be32(&w, requested);
	}
	if (requested || ciaddr) {
		nd_write_bytes(&w, (uint8_t[]){ 54, 4 }, 2);
		nd_write_be32(&w, SERVER_IP4);
	}
	nd_write_u8(&w, 255);
	nd_write_zero(&w, f.len - w.pos);
	assert_false(w.bad);
	fill_ip_checksum(&f);
	return f;
}

static void say(int guest, struct frame f)
{
	OK(dhcp_socket_send(out_fd, guest, f.bytes, f.len, &e));
}

/* Type and yiaddr of the reply kept last. */
static uint8_t reply_type(void)
{
	struct nd_reader r = nd_reader(got.frame, got.len);
	nd_read_skip(&r, 42 + 240);
	for (;;) {
		uint8_t code = nd_read_u8(&r);
		uint8_t len = nd_read_u8(&r);
		if (code == 53)
			return nd_read_u8(&r);
		nd_read_skip(&r, len);
		assert_false(r.bad);
	}
}

static uint32_t reply_address(void)
{
	struct nd_reader r = nd_reader(got.frame, got.len);
	nd_read_skip(&r, 42 + 16);
	return nd_read_be32(&r);
}

/* DISCOVER to ACK. Return: the address. */
static uint32_t obtain(struct served *s, int guest, const struct nd_mac *mac)
{
	int sent = got.send, proposed = got.propose;
	say(guest, message(mac, DISCOVER, 0, 0));
	wait_until(s, &got.send, sent + 1);
	assert_int_equal(reply_type(), OFFER);
	uint32_t ip4 = reply_address();
	assert_in_range(ip4, FIRST_IP4, LAST_IP4);
	say(guest, message(mac, REQUEST, 0, ip4));
	wait_until(s, &got.propose, proposed + 1);
	assert_int_equal(reply_type(), ACK);
	assert_int_equal(reply_address(), ip4);
	assert_int_equal(got.lease.ip4, ip4);
	assert_memory_equal(got.lease.network.b, network_uuid.b, 16);
	assert_memory_equal(got.lease.mac.b, mac->b, 6);
	assert_in_range(got.lease.expiry_s, nd_wall_s() + DHCP_LEASE_DEFAULT_S - 10,
			nd_wall_s() + DHCP_LEASE_DEFAULT_S + 10);
	OK(dhcp_control_stored(s->control, got.id, &e));
	flush(s);
	return ip4;
}

/* ---- tests ---- */

static void it_is_confined(void **state)
{
	static const char *const want[] = { "Uid:\t65534\t65534\t65534\t65534\n",
					    "Gid:\t65534\t65534\t65534\t65534\n",
					    "Groups:\t \n",
					    "CapEff:\t0000000000000000\n",
					    "CapPrm:\t0000000000000000\n",
					    "CapBnd:\t0000000000000000\n",
					    "NoNewPrivs:\t1\n",
					    "Seccomp:\t2\n" };
	struct served *s = *state;
	char path[64], text[4096];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)s->pid);
	nd_cleanup(nd_fclosep) FILE *f = fopen(path, "re");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (!strstr(text, want[i]))
			fail_msg("%s is missing in:\n%s", want[i], text);
}

static void a_port_gets_its_lease(void **state)
{
	struct served *s = *state;
	tell_network(s, false);
	uint32_t ip4 = obtain(s, port_guest, &port_mac);
	assert_int_equal(got.lease.identity.kind, DHCP_IDENTITY_PORT);
	assert_memory_equal(got.lease.port.b, port_uuid.b, 16);
	/* The frame that netd was given is one it can send. */
	OK(dhcp_socket_send(out_fd, bridge, got.frame, got.len, &e));
	/* Asked again it is the same address. */
	assert_int_equal(obtain(s, port_guest, &port_mac), ip4);
	assert_int_equal(got.release, 0);
	say(port_guest, message(&port_mac, RELEASE, ip4, 0));
	wait_until(s, &got.release, 1);
	assert_int_equal(got.lease.ip4, ip4);
}

static void a_foreign_port_is_known_by_its_mac(void **state)
{
	struct served *s = *state;
	tell_network(s, false);
	uint32_t ip4 = obtain(s, foreign_guest, &foreign_mac);
	assert_int_equal(got.lease.identity.kind, DHCP_IDENTITY_HARDWARE);
	assert_true(nd_uuid_is_zero(&got.lease.port));
	assert_int_not_equal(obtain(s, port_guest, &port_mac), ip4);
}

/* What is queued in one turn is known before the first request is answered, though the request waits already. */
static void stored_leases_come_first(void **state)
{
	struct served *s = *state;
	int status;
	assert_int_equal(kill(s->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(s->pid, &status, WUNTRACED), s->pid);
	say(foreign_guest, message(&foreign_mac, DISCOVER, 0, 0));
	queue_network(s, false);
	for (uint32_t ip4 = FIRST_IP4; ip4 < LAST_IP4; ip4++) { /* all but the last are others' */
		struct dhcp_lease l = { .network = network_uuid,
					.ip4 = ip4,
					.mac = { { 2, 9, (uint8_t)ip4 } } };
		l.identity = (struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE,
						     .len = 7,
						     .bytes = { 1, 2, 9, (uint8_t)ip4 } };
		l.expiry_s = nd_wall_s() + 1000;
		OK(dhcp_control_lease_load(s->control, &l, &e));
	}
	flush(s);
	assert_int_equal(kill(s->pid, SIGCONT), 0);
	wait_until(s, &got.send, 1);
	assert_int_equal(reply_address(), LAST_IP4);
}

static void a_refused_proposal_is_undone(void **state)
{
	struct served *s = *state;
	tell_network(s, false);
	say(foreign_guest, message(&foreign_mac, DISCOVER, 0, 0));
	wait_until(s, &got.send, 1);
	say(foreign_guest, message(&foreign_mac, REQUEST, 0, reply_address()));
	wait_until(s, &got.propose, 1);
	OK(dhcp_control_refused(s->control, got.id, &e));
	flush(s);
	obtain(s, foreign_guest, &foreign_mac);
}

static void a_network_that_is_gone(void **state)
{
	struct served *s = *state;
	tell_network(s, false);
	obtain(s, foreign_guest, &foreign_mac);
	int sent = got.send;
	OK(dhcp_control_network_del(s->control, 1, &e));
	serve_for(s, 50);
	say(foreign_guest, message(&foreign_mac, DISCOVER, 0, 0));
	serve_for(s, 200);
	assert_int_equal(got.send, sent);
}

/* The first address that is tried belongs to somebody netd knows nothing of. */
static void an_address_in_use_is_not_offered(void **state)
{
	struct served *s = *state;
	tell_network(s, true);
	say(foreign_guest, message(&foreign_mac, DISCOVER, 0, 0));
	wait_until(s, &got.send, 1);
	assert_int_equal(got.frame[13], 0x06); /* an ARP probe */
	struct nd_reader r = nd_reader(got.frame + 38, 4);
	uint32_t probed = nd_read_be32(&r);
	struct frame f = { .len = 42 };
	struct nd_writer w = nd_writer(f.bytes, f.len);
	nd_write_bytes(&w, bridge_mac.b, 6);
	nd_write_bytes(&w, port_mac.b, 6);
	nd_write_be16(&w, 0x0806);
	nd_write_be32(&w, 0x00010800);
	nd_write_be32(&w, 0x06040002);
	nd_write_bytes(&w, port_mac.b, 6);
	nd_write_be32(&w, probed);
	nd_write_bytes(&w, bridge_mac.b, 6);
	nd_write_be32(&w, 0);
	say(port_guest, f);
	while (got.frame[12] != 8 || got.frame[13] != 0) /* further probes, then the OFFER */
		wait_until(s, &got.send, got.send + 1);
	assert_int_equal(reply_type(), OFFER);
	assert_int_not_equal(reply_address(), probed);
}

static void counters_come_by_themselves(void **state)
{
	struct served *s = *state;
	tell_network(s, false);
	obtain(s, foreign_guest, &foreign_mac);
	wait_until(s, &got.counters, 1);
	/* The bridge floods to the other guest, which is in this namespace, too: heard there with its mark, and of no network. */
	assert_int_equal(got.values.received - got.values.drop[DHCP_DROP_NETWORK], 2);
	assert_int_equal(got.values.discover, 1);
	assert_int_equal(got.values.request, 1);
	assert_int_equal(got.values.offer, 1);
}

/* ---- the namespace ---- */

/* The bridge learns of a port's carrier some time after the port is up. */
static void wait_for_port(int guest, const struct nd_mac *mac)
{
	int fd = -1, tries = 0;
	OK(dhcp_socket_open(MARK_BASE, MARK_MASK, &fd, NULL, &e));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	do {
		assert_true(tries++ < 100);
		say(guest, message(mac, DISCOVER, 0, 0));
	} while (poll(&p, 1, 20) == 0);
	close(fd);
}

static int namespace_enter(void **state)
{
	static const char *const commands[] = {
		"ip link set lo up",
		"ip link add ndbr address 02:00:00:00:00:b0 type bridge",
		"ip link add ndp0 type veth peer name ndg0",
		"ip link add ndp1 type veth peer name ndg1",
		"ip link set ndp0 master ndbr up",
		"ip link set ndp1 master ndbr up",
		"ip link set ndg0 up",
		"ip link set ndg1 up",
		"ip link set ndbr up",
		"nft 'add table bridge t; add chain bridge t c { type filter hook prerouting priority -300; "
		"};"
		" add rule bridge t c iifname ndp0 udp dport 67 meta mark set 0x4e440007;"
		" add rule bridge t c iifname ndp1 udp dport 67 meta mark set 0x4e44ffff'",
	};
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("SKIP: cannot make a network namespace\n");
		exit(77);
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		assert_int_equal(system(commands[i]), 0);
	bridge = (int)if_nametoindex("ndbr");
	port_guest = (int)if_nametoindex("ndg0");
	foreign_guest = (int)if_nametoindex("ndg1");
	OK(dhcp_socket_open_send(&out_fd, &e));
	wait_for_port(port_guest, &port_mac);
	wait_for_port(foreign_guest, &foreign_mac);
	return 0;
}

static int namespace_leave(void **state)
{
	close(out_fd);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_confined),
		TEST(a_port_gets_its_lease),
		TEST(a_foreign_port_is_known_by_its_mac),
		TEST(stored_leases_come_first),
		TEST(a_refused_proposal_is_undone),
		TEST(a_network_that_is_gone),
		TEST(an_address_in_use_is_not_offered),
		TEST(counters_come_by_themselves),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: %s WORKER\n", argv[0]);
		return 2;
	}
	worker_path = argv[1];
	return cmocka_run_group_tests(tests, namespace_enter, namespace_leave);
}

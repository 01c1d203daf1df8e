/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the stage of the nft tests (see stage.h)
 *
 * ip(8) plays the administrator.
 */
#include "tests/netns/stage.h"
#include "base/file.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void ok(int rc, const struct nd_error *e)
{
	char text[ND_ERROR_STORE];

	if (rc == 0)
		return;
	nd_error_format(e, text, sizeof(text));
	fail_msg("%s", text);
}
int namespace_enter(void **state)
{
	if (unshare(CLONE_NEWNET) < 0) {
		perror("unshare");
		return -1;
	}
	return system("ip link set lo up");
}

static pid_t run_in(int ns, const char *command, int *ret_status)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (ns >= 0 && setns(ns, CLONE_NEWNET) < 0)
			_exit(126);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
	return pid;
}

pid_t run(int ns, const char *fmt, ...)
{
	char command[400];
	va_list ap;
	int status;
	pid_t pid;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	pid = run_in(ns, command, &status);
	if (status != 0)
		fail_msg("%s: status %d", command, status);
	return pid;
}

struct nat *opened(bool owner)
{
	struct nat *t;

	OK(nat_new(owner, &t, &e));
	OK(nat_open(t, &e));
	return t;
}

void put(struct nat *t, const struct nat_config *was, const struct nat_config *want)
{
	OK(nat_put(t, was, want, &e));
	OK(nat_commit(t, &e));
}

bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

const struct node nodes[NODE_CNT] = {
	[GUEST_A] = { "a", "virbr0", "10.0.0.2", "10.0.0.1" },
	[GUEST_B] = { "b", "virbr0", "10.0.0.3", "10.0.0.1" },
	[GUEST_C] = { "c", "virbr1", "10.0.1.2", "10.0.1.1" },
	[GUEST_D] = { "d", "virbr2", "10.0.2.2", "10.0.2.1" },
	[GUEST_E] = { "e", "virbr2", "10.0.2.3", "10.0.2.1" },
	[OUTSIDE] = { "o", NULL, "192.0.2.2", "192.0.2.1" },
};
int host_ns, node_ns[NODE_CNT];
struct nat *stage_nat;

static int ns_here(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static void node_make(unsigned i)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	node_ns[i] = ns_here();
	assert_true(node_ns[i] >= 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	run(node_ns[i],
	    "ip link set lo up && ip link add eth0 address 02:00:00:00:00:0%u type veth peer name t%s netns "
	    "%d && "
	    "ip address add %s/24 dev eth0 && ip link set eth0 up",
	    i + 1, nodes[i].name, getpid(), nodes[i].address);
	run(-1, "ip link set t%s up", nodes[i].name);
	if (nodes[i].bridge)
		run(-1, "ip link set t%s master %s", nodes[i].name, nodes[i].bridge);
	run(node_ns[i], "ip route add default via %s", nodes[i].gateway);
}

int stage_make(void **state)
{
	if (namespace_enter(state) != 0)
		return -1;
	host_ns = ns_here();
	for (unsigned i = 0; i < 3; i++)
		run(-1,
		    "ip link add virbr%u type bridge && ip address add 10.0.%u.1/24 dev virbr%u && ip link "
		    "set virbr%u up",
		    i, i, i, i);
	run(-1, "ip link set virbr0 address 52:54:00:00:00:01");
	for (unsigned i = 0; i < NODE_CNT; i++)
		node_make(i);
	run(-1, "ip address add 192.0.2.1/24 dev to");
	OK(nd_sysctl_write("net/ipv4/ip_forward", "1", &e));
	stage_nat = opened(true);
	for (unsigned i = 0; i < 3; i++) {
		struct nat_config cfg = { .network = { .forward4 = i == 2 ? NAT_FORWARD_ISOLATED
									  : NAT_FORWARD_NAT,
						       .dhcp = true } };

		snprintf(cfg.network.bridge, sizeof(cfg.network.bridge), "virbr%u", i);
		put(stage_nat, NULL, &cfg);
	}
	return 0;
}

int stage_done(void **state)
{
	nat_free(stage_nat);
	for (unsigned i = 0; i < NODE_CNT; i++)
		close(node_ns[i]);
	close(host_ns);
	return 0;
}

int socket_in(int ns, const char *address, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, on = 1;

	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	if (address)
		inet_pton(AF_INET, address, &a.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, text, &a.sin_addr);
	return a;
}

enum reach ask(int client, int server, const char *address, uint16_t port, int wait_ms,
	       struct sockaddr_in *seen_from)
{
	struct sockaddr_in a = address_of(address, port), from;
	struct sockaddr_in *seen = seen_from ? seen_from : &from;
	socklen_t len = sizeof(*seen);
	enum reach r = SILENT;
	char b[8];

	assert_int_equal(connect(client, (void *)&a, sizeof(a)), 0);
	assert_int_equal(send(client, "ping", 4, 0), 4);
	/* Both at once: whichever happens first. */
	struct pollfd p[2] = { { server, POLLIN, 0 }, { client, POLLIN, 0 } };
	if (poll(p, 2, wait_ms) > 0 && p[0].revents) {
		assert_int_equal(recvfrom(server, b, sizeof(b), 0, (void *)seen, &len), 4);
		sendto(server, "pong", 4, 0, (void *)seen, len);
		if (readable(client, WAIT_MS) && recv(client, b, sizeof(b), 0) == 4)
			r = REACHED;
	} else if (p[1].revents && recv(client, b, sizeof(b), 0) < 0 && errno == ECONNREFUSED) {
		r = REFUSED;
	}
	close(client);
	close(server);
	return r;
}

enum reach reach(unsigned from, unsigned to, uint16_t source_port, struct sockaddr_in *seen_from)
{
	return ask(socket_in(node_ns[from], NULL, source_port), socket_in(node_ns[to], NULL, 9999),
		   nodes[to].address, 9999, WAIT_MS, seen_from);
}

void bridge_netfilter(const char *value)
{
	static const char *const keys[] = { "net/bridge/bridge-nf-call-iptables",
					    "net/bridge/bridge-nf-call-ip6tables" };
	struct nd_error err;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		nd_error_reset(&err);
		if (nd_sysctl_write(keys[i], value, &err) < 0)
			print_message("no %s here\n", keys[i]);
	}
}

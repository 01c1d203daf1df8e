// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a guest that costs little
 *
 * Takes the place of a VMM with virtio-net: it is exec'ed with a TAP of netd's and carries frames between it and an interface eth0 with the guest's MAC
 * in a network namespace of its own. Both ends have virtio-net headers and all offloads, so segments of 64 KiB pass in one piece, as from a guest.
 *
 *   guest FD MAC             prints "ready"; until it is killed
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FRAME_MAX 65700 /* a segment of 64 KiB, its headers and virtio-net's */
#define TURN      64    /* frames one way before the other is looked at */

static _Noreturn void die(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void offload(int fd)
{
	int len = sizeof(struct virtio_net_hdr_v1);
	if (ioctl(fd, TUNSETVNETHDRSZ, &len) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("offloads");
}

static void set_mac(struct ifreq *ifr, const char *mac)
{
	unsigned char *b = (unsigned char *)ifr->ifr_hwaddr.sa_data;
	ifr->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6)
		die("MAC address");
}

static int make_guest(const char *mac)
{
	struct ifreq ifr = { .ifr_name = "eth0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	if (unshare(CLONE_NEWNET) < 0)
		die("unshare");
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC),
	    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sock < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die("/dev/net/tun");
	set_mac(&ifr, mac);
	if (ioctl(sock, SIOCSIFHWADDR, &ifr) < 0)
		die("MAC address");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr) < 0)
		die("up");
	close(sock);
	return fd;
}

/* What the other end has no room for is lost, as on a wire. */
static void carry(int from, int to)
{
	static unsigned char buf[FRAME_MAX];
	for (unsigned i = 0; i < TURN; i++) {
		ssize_t n = read(from, buf, sizeof buf);
		if (n <= 0 || (write(to, buf, (size_t)n) < 0 && errno == EBADFD))
			return;
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("see the head of guest.c\n", stderr);
		return 2;
	}
	int tap = atoi(argv[1]), guest = make_guest(argv[2]);
	struct pollfd p[2] = { { .fd = tap, .events = POLLIN }, { .fd = guest, .events = POLLIN } };
	offload(tap);
	offload(guest);
	puts("ready");
	fflush(stdout);
	while (poll(p, 2, -1) >= 0 || errno == EINTR) {
		if (p[0].revents)
			carry(tap, guest);
		if (p[1].revents)
			carry(guest, tap);
	}
	return 1;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a cheap guest
 *
 * Takes the place of a VMM: it is exec'ed with a TAP queue of netd's, and carries frames between it and an interface eth0 with the guest's MAC in a
 * network namespace of its own, where real DHCP clients and ping run. As a VMM does, it holds the descriptor until it dies, and like a bad one it
 * changes the device through it when told so on standard input: one command a line, answered by one line "ok" or "failed: …".
 *
 *   holder FD MAC            then: mac MAC | owner UID | persist 0|1 | carrier 0|1 | leave UID (owner, persist, exit)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FRAME_MAX 65550 /* the largest MTU and an Ethernet header */
#define VNET_MAX  64    /* room for any virtio-net header */

struct holder {
	int tap, guest;
	size_t vnet_len; /* bytes before each frame of the TAP */
};

static _Noreturn void die(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool parse_mac(const char *text, struct sockaddr *ret)
{
	unsigned b[6];
	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->sa_family = ARPHRD_ETHER;
	for (int i = 0; i < 6; i++)
		ret->sa_data[i] = (char)b[i];
	return true;
}

static void adopt_tap(struct holder *h, int fd)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	int len = 0;
	h->tap = fd;
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		die("TUNGETIFF");
	if (ifr.ifr_flags & IFF_VNET_HDR) {
		if (ioctl(fd, TUNGETVNETHDRSZ, &len) < 0 || len < 0 || len > VNET_MAX)
			die("TUNGETVNETHDRSZ");
		/* Whole frames with whole checksums, as a guest without offloads wants them. */
		if (ioctl(fd, TUNSETOFFLOAD, 0) < 0)
			die("TUNSETOFFLOAD");
	}
	h->vnet_len = (size_t)len;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("fcntl");
}

static void set_up(int sock, const char *name)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	strcpy(ifr.ifr_name, name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) < 0)
		die("SIOCGIFFLAGS");
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr) < 0)
		die("SIOCSIFFLAGS");
}

static void make_guest(struct holder *h, const char *mac)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	strcpy(ifr.ifr_name, "eth0");
	if (unshare(CLONE_NEWNET) < 0)
		die("unshare");
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	h->guest = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (sock < 0 || h->guest < 0 || ioctl(h->guest, TUNSETIFF, &ifr) < 0)
		die("/dev/net/tun");
	if (!parse_mac(mac, &ifr.ifr_hwaddr) || ioctl(sock, SIOCSIFHWADDR, &ifr) < 0)
		die("MAC address");
	set_up(sock, "lo");
	set_up(sock, "eth0");
	close(sock);
}

/* One frame each way per call; a device that somebody took away gives errors for ever, so those end the turn with a pause. */
static void carry(int from, size_t from_vnet, int to, size_t to_vnet)
{
	static unsigned char buf[VNET_MAX + FRAME_MAX];
	ssize_t n = read(from, buf + VNET_MAX - from_vnet, from_vnet + FRAME_MAX);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		usleep(10000);
	if (n <= (ssize_t)from_vnet)
		return;
	memset(buf + VNET_MAX - to_vnet, 0, to_vnet);
	n = write(to, buf + VNET_MAX - to_vnet, (size_t)n - from_vnet + to_vnet);
	(void)n; /* a full queue loses frames, as a wire does */
}

static int tamper(struct holder *h, const char *line)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	char word[32];
	unsigned number = 0;
	if (sscanf(line, "mac %31s", word) == 1)
		return parse_mac(word, &ifr.ifr_hwaddr) ? ioctl(h->tap, SIOCSIFHWADDR, &ifr)
							: (errno = EINVAL, -1);
	if (sscanf(line, "owner %u", &number) == 1)
		return ioctl(h->tap, TUNSETOWNER, (unsigned long)number);
	if (sscanf(line, "persist %u", &number) == 1)
		return ioctl(h->tap, TUNSETPERSIST, (unsigned long)number);
	if (sscanf(line, "leave %u", &number) == 1) {
		if (ioctl(h->tap, TUNSETOWNER, (unsigned long)number) == 0 &&
		    ioctl(h->tap, TUNSETPERSIST, 1ul) == 0)
			_exit(0);
		return -1;
	}
	if (sscanf(line, "carrier %u", &number) == 1)
		return ioctl(h->tap, TUNSETCARRIER, &number);
	errno = EINVAL;
	return -1;
}

static bool obey(struct holder *h)
{
	char line[128];
	if (!fgets(line, sizeof line, stdin))
		return false;
	if (tamper(h, line) < 0)
		printf("failed: %s\n", strerror(errno));
	else
		printf("ok\n");
	return true;
}

int main(int argc, char **argv)
{
	struct holder h = { .tap = -1 };
	struct pollfd p[3] = { { .events = POLLIN }, { .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	if (argc != 3) {
		fprintf(stderr, "usage: holder FD MAC\n");
		return 2;
	}
	adopt_tap(&h, atoi(argv[1]));
	make_guest(&h, argv[2]);
	puts("ready");
	p[0].fd = h.tap;
	p[1].fd = h.guest;
	while (poll(p, 3, -1) >= 0 || errno == EINTR) {
		if (p[0].revents)
			carry(h.tap, h.vnet_len, h.guest, 0);
		if (p[1].revents)
			carry(h.guest, 0, h.tap, h.vnet_len);
		if (p[2].revents && !obey(&h))
			p[2].fd = -1;
	}
	return 1;
}

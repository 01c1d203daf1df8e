// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a UDP round trip, timed
 *
 *   udp echo ADDRESS PORT         sends back what comes, for ever
 *   udp ping ADDRESS PORT COUNT   COUNT round trips, one at a time; their microseconds as a JSON list on standard output
 *
 * Both ends sleep in their socket, as programs do: what is timed is the whole way, four crossings of the stack and two wake-ups. A round
 * trip that takes longer than a second counts as lost and fails the run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_LEN 64

static void die(const char *what)
{
	fprintf(stderr, "udp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void echo(int fd, const struct sockaddr_in *here)
{
	char buf[2048];
	struct sockaddr_in peer;
	socklen_t len;
	if (bind(fd, (const struct sockaddr *)here, sizeof *here) < 0)
		die("bind");
	for (;;) {
		len = sizeof peer;
		ssize_t n = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&peer, &len);
		if (n < 0 || sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&peer, len) < 0)
			die("echo");
	}
}

static int ping(int fd, const struct sockaddr_in *there, unsigned count)
{
	char buf[PAYLOAD_LEN] = "";
	struct timeval patience = { .tv_sec = 1 };
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
	    connect(fd, (const struct sockaddr *)there, sizeof *there) < 0)
		die("connect");
	for (unsigned i = 0; i <= count; i++) { /* the first makes the flow's state */
		double t0 = now_us();
		if (send(fd, buf, sizeof buf, 0) < 0 || recv(fd, buf, sizeof buf, 0) < 0)
			die("round trip");
		if (i > 0)
			printf("%s%.2f", i > 1 ? "," : "[", now_us() - t0);
	}
	puts("]");
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (argc < 4 || inet_pton(AF_INET, argv[2], &a.sin_addr) != 1) {
		fputs("see the head of udp.c\n", stderr);
		return 2;
	}
	a.sin_port = htons((uint16_t)atoi(argv[3]));
	if (!strcmp(argv[1], "ping") && argc == 5)
		return ping(fd, &a, (unsigned)atoi(argv[4]));
	echo(fd, &a);
	return 1;
}

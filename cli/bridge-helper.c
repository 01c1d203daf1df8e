/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: netd-bridge-helper, in place of qemu-bridge-helper
 *
 * QEMU (-netdev bridge, -netdev tap,helper=) and libvirt's session mode (bridge_helper in qemu.conf) run a helper to get a TAP that they may not make themselves:
 *
 *	HELPER [--use-vnet] --br=NAME --fd=N        libvirt; --use-vnet only for a virtio device
 *	HELPER --use-vnet --fd=N --br=NAME          QEMU
 *	HELPER --net=NAME … --use-vnet --fd=N …     QEMU, with words of the user's before: helper="HELPER --net=NAME"
 *
 * It sends one byte 0 with exactly one descriptor over fd N and ends with status 0. Anything else must end with another status: QEMU believes 0 even
 * when nothing was sent, and takes its own standard input for the TAP.
 *
 * Unlike the original it needs no capability and is not setuid: it is a client of netd, which decides by the caller's credentials. What
 * QEMU calls a bridge is a network of netd's.
 */
#include "base/mem.h"
#include "base/sock.h"
#include "cli/attach.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>

struct helper {
	struct network_option what;
	const char *bridge; /* --br; --net goes before it */
	int fd;
	bool vnet_header;
};

enum { OPT_USE_VNET, OPT_BR, OPT_FD, OPT_NET, OPT_PORT, OPT_MAC };

static const struct option options[] = {
	{ "use-vnet", no_argument, NULL, OPT_USE_VNET },
	{ "br", required_argument, NULL, OPT_BR },
	{ "fd", required_argument, NULL, OPT_FD },
	{ "net", required_argument, NULL, OPT_NET },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "mac", required_argument, NULL, OPT_MAC },
	{ NULL, 0, NULL, 0 },
};

#define USAGE                                                                                            \
	"usage: netd-bridge-helper [--net=NETWORK] [--port=NAME] [--mac=MAC] [--use-vnet] --br=NETWORK " \
	"--fd=N"

static int set_fd(struct helper *h, const char *value, struct nd_error *e)
{
	char *end;

	errno = 0;
	long v = strtol(value, &end, 10);
	if (!*value || *end || errno || v < 0 || v > INT_MAX)
		return nd_fail(e, ND_INVALID, "--fd=%s: not a file descriptor", value);
	h->fd = (int)v;
	return 0;
}

static int set_mac(struct helper *h, const char *value, struct nd_error *e)
{
	if (nd_mac_from_string(value, &h->what.mac) < 0 || nd_mac_is_multicast(&h->what.mac))
		return nd_fail(e, ND_INVALID, "--mac=%s: not a unicast MAC address", value);
	h->what.mac_set = true;
	return 0;
}

static int set_string(char **field, const char *value, struct nd_error *e)
{
	free(*field);
	*field = strdup(value);
	return *field ? 0 : nd_fail(e, ND_MEMORY, "option");
}

static int set_option(struct helper *h, int option, const char *value, struct nd_error *e)
{
	switch (option) {
	case OPT_USE_VNET: h->vnet_header = true; return 0;
	case OPT_BR: h->bridge = value; return 0;
	case OPT_FD: return set_fd(h, value, e);
	case OPT_NET: return set_string(&h->what.network, value, e);
	case OPT_PORT: return set_string(&h->what.name, value, e);
	case OPT_MAC: return set_mac(h, value, e);
	}
	return nd_fail(e, ND_INVALID, USAGE); /* getopt_long has said why */
}

static int parse_arguments(struct helper *h, int argc, char **argv, struct nd_error *e)
{
	int option, rc = 0;

	while (rc == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = set_option(h, option, optarg, e);
	if (rc < 0)
		return rc;
	if (!h->what.network && h->bridge)
		rc = set_string(&h->what.network, h->bridge, e);
	h->what.mac_unknown = !h->what.mac_set; /* QEMU tells its helper nothing of the guest */
	if (rc == 0 && (optind < argc || !h->what.network || !h->what.network[0] || h->fd < 0))
		rc = nd_fail(e, ND_INVALID, USAGE);
	return rc;
}

/* Blocking or not, the caller's socket has room for one byte; if it has not, that is a failure like any other. */
static int hand_over(int sock, int tap, struct nd_error *e)
{
	ssize_t n = nd_sock_send(sock, "", 1, &tap, 1, e);

	if (n == 0)
		n = nd_fail(e, ND_TIMEOUT, "it takes nothing");
	if (n > 0)
		return 0;
	nd_wrap(e, "send the TAP over file descriptor %d", sock);
	return (int)n;
}

static int run(struct helper *h, int argc, char **argv, struct nd_error *e)
{
	struct placeholder_network n = { .fd_cnt = 0 };
	struct client *c = NULL;

	int rc = parse_arguments(h, argc, argv, e);
	if (rc == 0)
		rc = client_open(NULL, &c, e);
	if (rc == 0)
		rc = attach_call(c, &h->what, h->vnet_header, &n, e);
	if (rc == 0)
		rc = hand_over(h->fd, n.fds[0], e);
	attach_close(&n);
	client_close(c);
	return rc;
}

int main(int argc, char **argv)
{
	struct helper h = { .what = { .queues = 1 }, .fd = -1 };
	struct nd_error e = ND_ERROR_INIT;
	char line[2 * ND_ERROR_STORE];

	int rc = run(&h, argc, argv, &e);
	network_option_done(&h.what);
	if (rc == 0)
		return EXIT_SUCCESS;
	nd_error_format(&e, line, sizeof(line));
	fprintf(stderr, "netd-bridge-helper: %s\n", line);
	return EXIT_FAILURE;
}

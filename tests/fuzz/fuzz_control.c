// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: any bytes as what a hijacked DHCP worker says
 *
 * Input: a byte whose lowest bit says whether a proper hello goes first, then datagrams, each with its length in two bytes. What netd is called with must have
 * passed the checks that dhcp.h promises; what breaks the protocol must be refused.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "base/sock.h"
#include "dhcp/dhcp.h"

#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_control: %s\n", what);
	abort();
}

/* Touches every byte, for the sanitizers. */
static unsigned sum(const uint8_t *p, size_t len)
{
	unsigned s = 0;
	for (size_t i = 0; i < len; i++)
		s += p[i];
	return s;
}

static bool is_ready;
static volatile unsigned sink;

static void got_ready(void *arg)
{
	must(!is_ready, "ready twice");
	is_ready = true;
}

static void got_send(void *arg, int ifindex, const uint8_t *frame, size_t len)
{
	static const struct nd_mac mac;
	must(is_ready, "send before ready");
	must(ifindex > 0 && len > 0 && len <= DHCP_FRAME_MAX, "send");
	sink += sum(frame, len);
	(void)dhcp_frame_is_server(frame, len, &mac, 0, NULL);
}

static void got_propose(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
			const uint8_t *ack, size_t len)
{
	must(is_ready, "propose before ready");
	must(dhcp_lease_check(lease, NULL) == 0, "proposed lease");
	must(ifindex > 0 && len <= DHCP_FRAME_MAX && (ack != NULL) == (len > 0), "propose");
	sink += sum(ack, len);
}

static void got_release(void *arg, const struct dhcp_lease *lease)
{
	must(is_ready, "release before ready");
	must(dhcp_lease_check(lease, NULL) == 0, "released lease");
}

static void got_notice(void *arg, uint32_t network_id, const char *text)
{
	must(is_ready, "notice before ready");
	must(strlen(text) > 0 && strlen(text) < 256, "notice");
	for (const char *c = text; *c; c++)
		must(*c >= ' ' && *c <= '~', "byte of a notice");
}

static void got_counters(void *arg, const struct dhcp_counters *c)
{
	must(is_ready, "counters before ready");
	sink += (unsigned)c->drop[DHCP_DROP_CNT_ - 1];
}

static void got_pong(void *arg, uint32_t number)
{
	must(is_ready, "pong before ready");
	sink += number;
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

/* Return: what the channel says of it, or 0 when the datagram was not sent. */
static int say(struct dhcp_control *c, int peer, const uint8_t *p, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	if (send(peer, p, len, MSG_NOSIGNAL) != (ssize_t)len)
		return 0;
	int r = dhcp_control_on_readable(c, 1000, &e);
	must(r == e.code, "code and error differ");
	must(r == 0 || r == ND_PROTOCOL || r == ND_NOT_FOUND, "code");
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t hello[] = { 0, 0, 0, 0, 4, 0, 0, 0, 1 };
	struct nd_reader in = nd_reader(data, len);
	struct dhcp_control *c;
	int fds[2];

	is_ready = false;
	must(nd_sock_seqpacket_pair(fds, NULL) == 0, "socket pair");
	must(dhcp_control_new(fds[0], &ops, NULL, &c, NULL) == 0, "channel");
	int r = nd_read_u8(&in) & 1 ? say(c, fds[1], hello, sizeof(hello)) : 0;
	while (r == 0 && nd_reader_left(&in) > 2) {
		size_t n = nd_read_be16(&in);
		if (n > nd_reader_left(&in))
			n = nd_reader_left(&in);
		r = say(c, fds[1], nd_read_view(&in, n), n);
	}
	dhcp_control_free(c);
	close(fds[1]);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what netlink says, to those who read it
 *
 * The kernel's words are trusted less than it deserves: a newer one sends attributes, kinds and lengths that nobody here has seen. Input: one byte of
 * who reads, then datagrams: length (2 bytes), bytes. Readers:
 *   0  the mirror, events of rtnetlink     2  the mirror, answers to its dumps
 *   1  nat, events of nf_tables            3  nat, answers to the reading of a counter
 * The other answers of nf_tables are parsed by libnftnl, which trusts the kernel (it calls exit(3) where a length is not as it knows it), and are left out.
 * recvmsg(2) and recv(2) are stood in for: each call gets the next datagram, with the number and port of the request under way put into its messages, as an
 * answer has them; when there is none left the socket is empty, or fails where an answer is waited for.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "nat/scan.h"
#include "nat/watch.h"
#include "netd/core/mirror.h"

#include <errno.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LINKS_MAX 4096 /* no input has room for more */

static struct {
	struct nd_reader in;
	uint32_t seq, port; /* of the first request sent last */
} wire;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_netlink: %s\n", what);
	abort();
}

/* Return: its length; -1: none left. */
static ssize_t next_datagram(void *buf, size_t size, bool answer)
{
	size_t len = nd_read_be16(&wire.in);
	const uint8_t *bytes = nd_read_view(&wire.in, len < size ? len : size);

	if (wire.in.bad || !bytes)
		return -1;
	len = len < size ? len : size;
	memcpy(buf, bytes, len);
	for (size_t at = 0; answer && at + sizeof(struct nlmsghdr) <= len;) {
		struct nlmsghdr h;

		memcpy(&h, (uint8_t *)buf + at, sizeof(h));
		h.nlmsg_seq = wire.seq;
		h.nlmsg_pid = wire.port;
		memcpy((uint8_t *)buf + at, &h, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len - at)
			break;
		at += NLMSG_ALIGN(h.nlmsg_len);
	}
	return (ssize_t)len;
}

static void note_request(const void *p, size_t len)
{
	struct nlmsghdr h;

	must(len >= sizeof(h), "a request without a header");
	memcpy(&h, p, sizeof(h));
	must(h.nlmsg_len >= sizeof(h) && h.nlmsg_len <= NLMSG_ALIGN(len), "a request longer than it is");
	wire.seq = h.nlmsg_seq;
	wire.port = h.nlmsg_pid;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n = next_datagram(msg->msg_iov->iov_base, msg->msg_iov->iov_len, !(flags & MSG_DONTWAIT));

	if (n < 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(msg->msg_name, &kernel, sizeof(kernel));
	msg->msg_namelen = sizeof(kernel);
	msg->msg_flags = 0;
	return n;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	note_request(msg->msg_iov->iov_base, msg->msg_iov->iov_len);
	return (ssize_t)msg->msg_iov->iov_len;
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	ssize_t n = next_datagram(buf, size, true);

	if (n < 0)
		errno = ENODATA;
	return n;
}

ssize_t send(int fd, const void *p, size_t len, int flags)
{
	note_request(p, len);
	return (ssize_t)len;
}

/* ---- the mirror ---- */

struct walk {
	const struct mirror *m;
	size_t cnt;
};

static void check_link(const struct nd_link *l, void *arg)
{
	struct walk *w = arg;
	const struct nd_address *have;
	size_t cnt = mirror_addresses(w->m, l->ifindex, &have);

	must(++w->cnt <= LINKS_MAX, "more links than were told");
	must(l->ifindex > 0 && l->name[0] && strnlen(l->name, sizeof(l->name)) < sizeof(l->name),
	     "a link's record");
	must(mirror_link(w->m, l->ifindex) == l, "a link that is not found by its index");
	for (size_t i = 0; i < cnt; i++)
		must(have[i].ifindex == l->ifindex &&
			     have[i].prefix.len <= (have[i].prefix.ip.family == AF_INET ? 32 : 128),
		     "an address's record");
}

static void check_mirror(const struct mirror *m)
{
	struct walk w = { .m = m };
	struct mirror_collision why;
	struct nd_prefix p;

	mirror_each_link(m, check_link, &w);
	nd_prefix_from_string("192.168.122.0/24", &p);
	if (mirror_refuses(m, &p, 0, &why))
		must(mirror_overlaps(m, &p, 0, &why), "refused, but without an overlap");
}

static int on_event(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct mirror_change change;

	if (mirror_update(arg, msg, &change, NULL) == 0 && change.what == MIRROR_LINK && !change.gone)
		must(mirror_link(arg, change.ifindex) != NULL, "a link that was told is not there");
	return 0;
}

static void read_route(bool events)
{
	struct mirror *m = mirror_new();
	struct nd_nl *nl = NULL;

	must(m && nd_nl_new(NETLINK_ROUTE, &nl, NULL) == 0, "a netlink socket");
	if (events)
		nd_nl_receive(nl, 0, on_event, m, NULL);
	else
		mirror_load(m, nl, NULL);
	check_mirror(m);
	nd_nl_free(nl);
	mirror_free(m);
}

/* ---- nat ---- */

static void read_nat_events(void)
{
	struct nat_digest digest = { .open_table = false };
	uint8_t *buf = malloc(UINT16_MAX + 1);
	ssize_t n;

	must(buf != NULL, "memory");
	while ((n = next_datagram(buf, UINT16_MAX, false)) >= 0) {
		/* of its own size, so that a byte read beyond it is seen */
		uint8_t *exact = malloc(n ? (size_t)n : 1);

		must(exact != NULL, "memory");
		memcpy(exact, buf, (size_t)n);
		nat_digest_feed(&digest, exact, (size_t)n, 1);
		free(exact);
		must(memchr(digest.done.comm, 0, sizeof(digest.done.comm)) &&
			     memchr(digest.done.what, 0, sizeof(digest.done.what)) &&
			     memchr(digest.open.what, 0, sizeof(digest.open.what)),
		     "a text without an end");
	}
	free(buf);
}

static void read_nat_counter(void)
{
	const struct nat_elem guard = { .set = NAT_SET_GUARDED, .key_len = ND_IFNAMSIZ, .key = "vnet0" };
	struct nat_batch *b = NULL;
	uint64_t packets;

	must(nat_batch_new(&b, NULL) == 0, "a netfilter socket");
	nat_scan_packets(b, &guard, &packets, NULL);
	nat_batch_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	wire.in = nd_reader(data, len);
	wire.seq = wire.port = 0;
	switch (nd_read_u8(&wire.in) & 3) {
	case 0: read_route(true); break;
	case 1: read_nat_events(); break;
	case 2: read_route(false); break;
	case 3: read_nat_counter(); break;
	}
	return 0;
}

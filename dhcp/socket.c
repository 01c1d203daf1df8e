// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the packet sockets
 *
 * One AF_PACKET socket hears the DHCP requests of all networks, another the answers to ARP probes. Both are opened and filtered by netd and used by the
 * worker, which can only receive on them. They are never bound to an interface: closing a packet socket costs milliseconds of RCU, so
 * one per network is out of the question; the bridge a frame came through is in its sll_ifindex, the port it came through in its mark.
 *
 * The filters run on every IPv4 or ARP frame the host receives. Hence their order: first the test that fails for nearly all. They are attached before
 * the socket is given a protocol, so that no unfiltered frame is ever queued, and locked (SO_LOCK_FILTER), so that the worker cannot take them off.
 *
 * VLAN-tagged frames are not netd's. The kernel takes the tag off before a filter sees the frame, and leaves only this trace: a frame of a VLAN that the bridge has no
 * device for is PACKET_OTHERHOST (__netif_receive_skb_core, net/core/dev.c).
 *
 * netd sends through a third socket, without a protocol, which receives nothing; before that it makes sure with dhcp_frame_is_server that a frame from
 * the worker is one a DHCP server may send.
 *
 * Source: packet(7), Documentation/networking/filter.rst, RFC 826, RFC 5227 §1.1.
 */
#include "dhcp/socket.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "dhcp/dhcp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER (4 << 20)
#define PORT_SERVER    67
#define PORT_CLIENT    68

/* Offsets in an Ethernet frame with IPv4 or ARP. */
#define AT_ETHERTYPE 12
#define AT_IP        14
#define AT_FRAGMENT  (AT_IP + 6) /* flags and offset */
#define AT_PROTOCOL  (AT_IP + 9)
#define AT_ARP       14
#define AT_ARP_OPER  (AT_ARP + 6)
#define AT_ARP_TPA   (AT_ARP + 24)
#define FRAGMENT     0x3fffu /* more-fragments and the offset */

/* ---- opening ---- */

static int set_option(int fd, int level, int name, int value, const char *what, struct nd_error *e)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		return nd_fail_sys(e, errno, NULL, "set %s", what);
	return 0;
}

static int open_packet(uint16_t protocol, int *ret_fd, struct nd_error *e)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(protocol));
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "open packet socket");
	*ret_fd = fd;
	return 0;
}

/* Everything that must be in place before the first frame: the caller binds afterwards. */
static int prepare(int fd, const struct sock_fprog *filter, struct nd_error *e)
{
	static const struct {
		int level, name, value;
		const char *what;
	} options[] = {
		{ SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING" },
		{ SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA" },
		{ SOL_SOCKET, SO_RCVMARK, 1, "SO_RCVMARK" },
	};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof(*filter)) < 0)
		return nd_fail_sys(e, errno, NULL, "attach filter");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		int r = set_option(fd, options[i].level, options[i].name, options[i].value, options[i].what,
				   e);
		if (r < 0)
			return r;
	}
	/* Beyond net.core.rmem_max only with CAP_NET_ADMIN; a smaller buffer works, too. */
	if (set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER, "SO_RCVBUFFORCE", NULL) < 0)
		(void)set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER, "SO_RCVBUF", NULL);
	return set_option(fd, SOL_SOCKET, SO_LOCK_FILTER, 1, "SO_LOCK_FILTER", e);
}

static int open_filtered(uint16_t protocol, const struct sock_fprog *filter, int *ret_fd, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	int r = open_packet(0, &fd, e);
	if (r < 0)
		return r;
	r = prepare(fd, filter, e);
	if (r < 0)
		return r;
	struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	if (bind(fd, (struct sockaddr *)&all, sizeof(all)) < 0)
		return nd_fail_sys(e, errno, NULL, "bind packet socket");
	*ret_fd = take_fd(fd);
	return 0;
}

static int open_dhcp(uint32_t mark_base, uint32_t mark_mask, int *ret_fd, struct nd_error *e)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_MARK)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mark_mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mark_base, 0, 12),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 10, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_ETHERTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_FRAGMENT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FRAGMENT, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, AT_IP), /* X = header length */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, AT_IP + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PORT_SERVER, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			 DHCP_FRAME_MAX), /* a longer one is cut, which its IPv4 length shows */
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = ARRAY_LEN(code), .filter = code };
	return open_filtered(ETH_P_IP, &filter, ret_fd, e);
}

/* The answer to a probe goes to sender address 0, which nothing else on a network uses (RFC 5227 §1.1). */
static int open_arp(int *ret_fd, struct nd_error *e)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_ARP_OPER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_ARP_TPA),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, DHCP_FRAME_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = ARRAY_LEN(code), .filter = code };
	return open_filtered(ETH_P_ARP, &filter, ret_fd, e);
}

int dhcp_socket_open(uint32_t mark_base, uint32_t mark_mask, int *ret_fd, int *ret_arp_fd, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	int r = open_dhcp(mark_base, mark_mask, &fd, e);
	if (r == 0 && ret_arp_fd)
		r = open_arp(ret_arp_fd, e);
	if (r < 0)
		return nd_wrap_code(e, r, "DHCP socket");
	*ret_fd = take_fd(fd);
	return 0;
}

int dhcp_socket_open_send(int *ret_fd, struct nd_error *e)
{
	int r = open_packet(0, ret_fd, e);
	return r < 0 ? nd_wrap_code(e, r, "DHCP socket") : 0;
}

/* ---- sending ---- */

int dhcp_socket_send(int fd, int ifindex, const uint8_t *frame, size_t len, struct nd_error *e)
{
	struct nd_reader r = nd_reader(frame, len);
	nd_read_skip(&r, AT_ETHERTYPE);
	uint16_t type = nd_read_be16(&r);
	if (r.bad)
		return nd_fail(e, ND_INVALID, "frame of %zu bytes", len);
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = ifindex,
				  .sll_protocol = htons(type) };
	ssize_t n;
	do
		n = sendto(fd, frame, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "send frame on interface %d", ifindex);
	return 0;
}

/* A UDP datagram from the server's address and port to a client, or to a relay (RFC 2131 §4.1). */
static const char *check_ip(struct nd_reader *r, uint32_t server_ip4)
{
	size_t left = nd_reader_left(r);
	uint8_t version = nd_read_u8(r);
	nd_read_skip(r, 1);
	uint16_t total = nd_read_be16(r);
	nd_read_skip(r, 2);
	uint16_t fragment = nd_read_be16(r);
	nd_read_skip(r, 1);
	uint8_t protocol = nd_read_u8(r);
	nd_read_skip(r, 2);
	uint32_t source = nd_read_be32(r);
	nd_read_skip(r, 4);
	uint16_t sport = nd_read_be16(r);
	uint16_t dport = nd_read_be16(r);
	uint16_t udp_len = nd_read_be16(r);
	if (r->bad)
		return "short";
	if (version != 0x45 || total > left || total < 28 || fragment & FRAGMENT)
		return "IPv4 header";
	if (protocol != IPPROTO_UDP || udp_len != total - 20)
		return "not UDP";
	if (source != server_ip4)
		return "foreign IPv4 source";
	if (sport != PORT_SERVER || (dport != PORT_CLIENT && dport != PORT_SERVER))
		return "UDP ports";
	return NULL;
}

/* A probe: a request from our MAC and no address (RFC 5227 §1.1), which enters nobody's cache. */
static const char *check_arp(struct nd_reader *r, const struct nd_mac *server_mac)
{
	uint16_t hardware = nd_read_be16(r);
	uint16_t protocol = nd_read_be16(r);
	uint16_t sizes = nd_read_be16(r);
	uint16_t oper = nd_read_be16(r);
	struct nd_mac sender;
	nd_read_copy(r, sender.b, sizeof(sender.b));
	uint32_t sender_ip4 = nd_read_be32(r);
	nd_read_skip(r, 6 + 4);
	if (r->bad)
		return "short";
	if (hardware != ARPHRD_ETHER || protocol != ETH_P_IP || sizes != 0x0604 || oper != ARPOP_REQUEST)
		return "no ARP probe";
	if (!nd_mac_equal(&sender, server_mac) || sender_ip4 != 0)
		return "foreign ARP sender";
	return NULL;
}

int dhcp_frame_is_server(const uint8_t *frame, size_t len, const struct nd_mac *server_mac,
			 uint32_t server_ip4, struct nd_error *e)
{
	struct nd_reader r = nd_reader(frame, len);
	struct nd_mac source;
	nd_read_skip(&r, 6);
	nd_read_copy(&r, source.b, sizeof(source.b));
	uint16_t type = nd_read_be16(&r);
	const char *why = "Ethernet type";
	if (r.bad || len > DHCP_FRAME_MAX)
		why = "length";
	else if (!nd_mac_equal(&source, server_mac))
		why = "foreign Ethernet source";
	else if (type == ETH_P_IP)
		why = check_ip(&r, server_ip4);
	else if (type == ETH_P_ARP)
		why = check_arp(&r, server_mac);
	if (why)
		return nd_fail(e, ND_PROTOCOL, "frame is not a DHCP server's: %s", why);
	return 0;
}

/* ---- receiving ---- */

#define RX_CONTROL_LEN (CMSG_SPACE(sizeof(struct tpacket_auxdata)) + CMSG_SPACE(sizeof(uint32_t)))

struct rx_slot {
	struct sockaddr_ll from;
	struct iovec iov;
	_Alignas(struct cmsghdr) uint8_t control[RX_CONTROL_LEN];
	uint8_t frame[DHCP_FRAME_MAX];
};

struct dhcp_rx {
	struct mmsghdr msgs[DHCP_RX_BATCH];
	struct rx_slot slots[DHCP_RX_BATCH];
};

struct dhcp_rx *dhcp_rx_new(void)
{
	struct dhcp_rx *rx = calloc(1, sizeof(*rx));
	if (!rx)
		return NULL;
	for (size_t i = 0; i < DHCP_RX_BATCH; i++) {
		struct rx_slot *s = &rx->slots[i];
		s->iov = (struct iovec){ .iov_base = s->frame, .iov_len = sizeof(s->frame) };
		rx->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &s->from, .msg_iov = &s->iov, .msg_iovlen = 1, .msg_control = s->control
		};
	}
	return rx;
}

void dhcp_rx_free(struct dhcp_rx *rx)
{
	free(rx);
}

int dhcp_rx_receive(struct dhcp_rx *rx, int fd, struct nd_error *e)
{
	int n;
	for (size_t i = 0; i < DHCP_RX_BATCH; i++) {
		rx->msgs[i].msg_hdr.msg_namelen = sizeof(rx->slots[i].from);
		rx->msgs[i].msg_hdr.msg_controllen = sizeof(rx->slots[i].control);
	}
	do
		n = recvmmsg(fd, rx->msgs, DHCP_RX_BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "receive frames");
	return n;
}

struct dhcp_rx_frame dhcp_rx_get(const struct dhcp_rx *rx, size_t i)
{
	const struct mmsghdr *m = &rx->msgs[i];
	const struct rx_slot *s = &rx->slots[i];
	struct dhcp_rx_frame f = { .bytes = s->frame, .len = m->msg_len };
	if (m->msg_hdr.msg_namelen >= sizeof(s->from) - sizeof(s->from.sll_addr) &&
	    s->from.sll_family == AF_PACKET)
		f.ifindex = s->from.sll_ifindex;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->msg_hdr); c;
	     c = CMSG_NXTHDR((struct msghdr *)&m->msg_hdr, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK) {
			memcpy(&f.mark, CMSG_DATA(c), sizeof(f.mark));
		} else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			struct tpacket_auxdata aux;
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			f.checksum_unverified = aux.tp_status & TP_STATUS_CSUMNOTREADY;
		}
	}
	return f;
}

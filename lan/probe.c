// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: does the gateway answer?
 *
 * An ARP request (RFC 826) or a neighbour solicitation (RFC 4861 section 4.3) to each gateway of a default route, by a packet socket on the bridge: the kernel's
 * own neighbour entries say nothing about now. An answer is one from the gateway's address, whatever its MAC: it may have moved to another router.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "lan/private.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define FRAME_MAX    1514
#define FRAMES_MAX   1024 /* in one go: the loop has other things to do */
#define ND_SOLICIT   135
#define ND_ADVERTISE 136

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static size_t arp_question(const struct nd_mac *mac, const struct lan_gateway *g, struct nd_writer *w)
{
	nd_write_bytes(w, broadcast, 6);
	nd_write_bytes(w, mac->b, 6);
	nd_write_be16(w, ETH_P_ARP);
	nd_write_be16(w, 1); /* Ethernet */
	nd_write_be16(w, ETH_P_IP);
	nd_write_u8(w, 6);
	nd_write_u8(w, 4);
	nd_write_be16(w, 1); /* request */
	nd_write_bytes(w, mac->b, 6);
	nd_write_bytes(w, g->source.b, 4); /* none: 0.0.0.0, a probe (RFC 5227), which is answered too */
	nd_write_zero(w, 6);
	nd_write_bytes(w, g->ip.b, 4);
	nd_write_zero(w, ETH_ZLEN - w->pos);
	return w->bad ? 0 : w->pos;
}

/* RFC 4443 section 2.3: over a pseudo header of both addresses, length and next header. */
static uint16_t checksum(const uint8_t *addresses, const uint8_t *icmp, size_t len)
{
	struct nd_reader a = nd_reader(addresses, 32), b = nd_reader(icmp, len);
	uint32_t sum = (uint32_t)len + IPPROTO_ICMPV6;
	while (nd_reader_left(&a))
		sum += nd_read_be16(&a);
	while (nd_reader_left(&b))
		sum += nd_read_be16(&b);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* To the solicited-node multicast address (RFC 4291 section 2.7.1). */
static size_t nd_question(const struct nd_mac *mac, const struct lan_gateway *g, struct nd_writer *w)
{
	uint8_t to[16] = { 0xff, 2, [11] = 1, [12] = 0xff };
	if (!g->source.family)
		return 0; /* without an address of ours the answer would go to everybody, or nowhere */
	memcpy(to + 13, g->ip.b + 13, 3);
	nd_write_be16(w, 0x3333);
	nd_write_bytes(w, to + 12, 4);
	nd_write_bytes(w, mac->b, 6);
	nd_write_be16(w, ETH_P_IPV6);
	nd_write_be32(w, 6u << 28);
	nd_write_be16(w, 32);
	nd_write_u8(w, IPPROTO_ICMPV6);
	nd_write_u8(w, 255);
	nd_write_bytes(w, g->source.b, 16);
	nd_write_bytes(w, to, 16);
	nd_write_u8(w, ND_SOLICIT);
	nd_write_u8(w, 0);
	nd_write_be16(w, 0);
	nd_write_be32(w, 0);
	nd_write_bytes(w, g->ip.b, 16);
	nd_write_u8(w, 1); /* source link-layer address */
	nd_write_u8(w, 1);
	nd_write_bytes(w, mac->b, 6);
	if (w->bad)
		return 0;
	nd_write_be16_at(w, 56, checksum(w->base + 22, w->base + 54, 32));
	return w->pos;
}

size_t lan_probe_question(const struct nd_mac *mac, const struct lan_gateway *g, uint8_t *frame, size_t size)
{
	struct nd_writer w = nd_writer(frame, size);
	return g->ip.family == AF_INET ? arp_question(mac, g, &w) : nd_question(mac, g, &w);
}

static bool is_arp_answer(const struct lan_gateway *g, struct nd_reader *r)
{
	nd_read_skip(r, 6);
	uint16_t op = nd_read_be16(r);
	nd_read_skip(r, 6);
	const uint8_t *sender = nd_read_view(r, 4);
	return !r->bad && op == 2 && !memcmp(sender, g->ip.b, 4);
}

static bool is_nd_answer(const struct lan_gateway *g, struct nd_reader *r)
{
	nd_read_skip(r, 6);
	uint8_t next = nd_read_u8(r), hops = nd_read_u8(r);
	nd_read_skip(r, 32);
	uint8_t type = nd_read_u8(r);
	nd_read_skip(r, 7);
	const uint8_t *target = nd_read_view(r, 16);
	/* RFC 4861 section 7.1.2: a hop limit of 255 came from no router beyond */
	return !r->bad && next == IPPROTO_ICMPV6 && hops == 255 && type == ND_ADVERTISE &&
	       !memcmp(target, g->ip.b, 16);
}

bool lan_probe_is_answer(const struct lan_gateway *g, const uint8_t *frame, size_t len)
{
	struct nd_reader r = nd_reader(frame, len);
	nd_read_skip(&r, 12);
	uint16_t protocol = nd_read_be16(&r);
	if (g->ip.family == AF_INET)
		return protocol == ETH_P_ARP && is_arp_answer(g, &r);
	return protocol == ETH_P_IPV6 && is_nd_answer(g, &r);
}

/* ARP, and ICMPv6 without extension headers: the rest of a busy NIC's traffic must not come up here. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 3),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

int lan_probe_open(struct lan_probe *p, const struct lan_record *r, struct nd_error *e)
{
	const struct sock_fprog program = { ARRAY_LEN(filter), (struct sock_filter *)filter };
	struct sockaddr_ll where = { .sll_family = AF_PACKET,
				     .sll_protocol = htons(ETH_P_ALL),
				     .sll_ifindex = r->bridge_index };
	*p = (struct lan_probe){ .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
				 .ifindex = r->bridge_index,
				 .mac = r->mac,
				 .gateways = r->gateways,
				 .gateway_cnt = r->gateway_cnt };
	if (p->fd >= 0 && setsockopt(p->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
	    bind(p->fd, (struct sockaddr *)&where, sizeof where) == 0)
		return 0;
	int err = errno;
	lan_probe_close(p);
	return nd_fail_sys(e, err, NULL, "socket on '%s'", r->bridge);
}

void lan_probe_close(struct lan_probe *p)
{
	nd_closep(&p->fd);
	p->fd = -1;
}

void lan_probe_ask(struct lan_probe *p)
{
	uint8_t frame[128];
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = p->ifindex, .sll_halen = 6 };
	for (size_t i = 0; i < p->gateway_cnt; i++) {
		size_t len = p->answered[i]
				     ? 0
				     : lan_probe_question(&p->mac, &p->gateways[i], frame, sizeof frame);
		if (len && sendto(p->fd, frame, len, 0, (struct sockaddr *)&to, sizeof to) < 0)
			continue; /* asked again soon */
	}
}

static bool is_content(const struct lan_probe *p)
{
	bool has[2] = { false }, answered[2] = { false };
	for (size_t i = 0; i < p->gateway_cnt; i++) {
		size_t family = p->gateways[i].ip.family == AF_INET6;
		has[family] = true;
		answered[family] |= p->answered[i];
	}
	return (!has[0] || answered[0]) && (!has[1] || answered[1]);
}

bool lan_probe_read(struct lan_probe *p)
{
	uint8_t frame[FRAME_MAX];
	for (unsigned n = 0; n < FRAMES_MAX; n++) {
		ssize_t len = recv(p->fd, frame, sizeof frame, 0);
		if (len < 0)
			break;
		for (size_t i = 0; i < p->gateway_cnt; i++)
			p->answered[i] |= lan_probe_is_answer(&p->gateways[i], frame, (size_t)len);
	}
	return is_content(p);
}

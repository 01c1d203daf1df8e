// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: frames
 *
 * A frame is read once, by bounded readers, and refused for anything that a second reader might understand differently: a
 * length that does not fit, a fragment, a wrong checksum. IP options are skipped. Sent frames are atomic datagrams: DF set, identification 0
 * (RFC 6864 §4.1), and carry a complete UDP checksum, since guests that read with a packet socket verify it in user space.
 */
#include "dhcp/frame.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "dhcp/dhcp.h"

#define ETHERTYPE_IP4   0x0800
#define ETHERTYPE_ARP   0x0806
#define ETHER_LEN       14
#define IP_LEN          20
#define UDP_LEN         8
#define IP_TTL          64
#define IP_DF           0x4000
#define IP_FRAGMENT     0x3fff /* more fragments, or an offset */
#define IP_PROTOCOL_UDP 17
#define ARP_ETHERNET    1
#define ARP_REQUEST     1
#define ARP_REPLY       2

/* RFC 1071: sum of 16-bit words, an odd byte padded with zero; sum carries on over pieces of even length. */
static uint32_t checksum_add(uint32_t sum, const uint8_t *p, size_t len)
{
	struct nd_reader r = nd_reader(p, len);

	while (nd_reader_left(&r) >= 2)
		sum += nd_read_be16(&r);
	if (nd_reader_left(&r))
		sum += (uint32_t)nd_read_u8(&r) << 8;
	return sum;
}

static uint16_t checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t checksum_pseudo(uint32_t src_ip4, uint32_t dst_ip4, size_t udp_len)
{
	return (src_ip4 >> 16) + (src_ip4 & 0xffff) + (dst_ip4 >> 16) + (dst_ip4 & 0xffff) + IP_PROTOCOL_UDP +
	       (uint32_t)udp_len;
}

static int udp_parse(struct nd_reader *r, bool checksum_unverified, struct dhcp_frame *ret)
{
	struct nd_reader whole = *r;
	uint16_t dst_port, len, checksum;

	nd_read_skip(r, 2); /* source port: relays use 67, some clients any */
	dst_port = nd_read_be16(r);
	len = nd_read_be16(r);
	checksum = nd_read_be16(r);
	if (r->bad)
		return DHCP_DROP_SHORT;
	if (dst_port != DHCP_PORT_SERVER || len < UDP_LEN || len > nd_reader_left(&whole))
		return DHCP_DROP_UDP;
	/* Zero: the sender made none (RFC 768). */
	if (checksum && !checksum_unverified) {
		uint32_t sum = checksum_pseudo(ret->src_ip4, ret->dst_ip4, len);

		if (checksum_fold(checksum_add(sum, nd_read_view(&whole, len), len)) != 0)
			return DHCP_DROP_CHECKSUM;
	}
	ret->payload_len = len - UDP_LEN;
	ret->payload = nd_read_view(r, ret->payload_len);
	return DHCP_KEEP;
}

static int ip_parse(struct nd_reader *r, bool checksum_unverified, struct dhcp_frame *ret)
{
	struct nd_reader whole = *r, body;
	uint8_t version = nd_read_u8(r), protocol;
	size_t header_len = (version & 0xf) * 4u, total_len, left = nd_reader_left(&whole);
	uint16_t fragment;

	nd_read_skip(r, 1); /* type of service */
	total_len = nd_read_be16(r);
	nd_read_skip(r, 2); /* identification */
	fragment = nd_read_be16(r);
	nd_read_skip(r, 1); /* time to live */
	protocol = nd_read_u8(r);
	nd_read_skip(r, 2); /* checksum, looked at with the whole header */
	ret->src_ip4 = nd_read_be32(r);
	ret->dst_ip4 = nd_read_be32(r);
	if (r->bad)
		return DHCP_DROP_SHORT;
	if (version >> 4 != 4 || header_len < IP_LEN || total_len < header_len || total_len > left)
		return DHCP_DROP_IP_HEADER;
	if (checksum_fold(checksum_add(0, nd_read_view(&whole, header_len), header_len)) != 0)
		return DHCP_DROP_CHECKSUM;
	if (fragment & IP_FRAGMENT)
		return DHCP_DROP_FRAGMENT;
	if (protocol != IP_PROTOCOL_UDP)
		return DHCP_DROP_UDP;
	body = nd_read_sub(&whole, total_len - header_len); /* what follows is Ethernet padding */
	return udp_parse(&body, checksum_unverified, ret);
}

int dhcp_frame_parse(const uint8_t *p, size_t len, bool checksum_unverified, struct dhcp_frame *ret)
{
	struct nd_reader r = nd_reader(p, len);
	uint16_t type;

	nd_read_skip(&r, sizeof(struct nd_mac));
	nd_read_copy(&r, ret->src.b, sizeof(ret->src.b));
	type = nd_read_be16(&r);
	if (r.bad)
		return DHCP_DROP_SHORT;
	if (type != ETHERTYPE_IP4)
		return DHCP_DROP_NOT_IP;
	if (nd_mac_is_zero(&ret->src) || nd_mac_is_multicast(&ret->src))
		return DHCP_DROP_CHADDR;
	return ip_parse(&r, checksum_unverified, ret);
}

size_t dhcp_frame_build(const struct dhcp_addressee *to, uint8_t *buf, size_t payload_len)
{
	struct nd_writer w = nd_writer(buf, DHCP_FRAME_HEADER);
	size_t udp_len = UDP_LEN + payload_len;
	uint16_t checksum;

	nd_write_bytes(&w, to->dst.b, sizeof(to->dst.b));
	nd_write_bytes(&w, to->src.b, sizeof(to->src.b));
	nd_write_be16(&w, ETHERTYPE_IP4);
	nd_write_u8(&w, 0x45); /* version 4, header of five words */
	nd_write_u8(&w, 0);
	nd_write_be16(&w, (uint16_t)(IP_LEN + udp_len));
	nd_write_be16(&w, 0);
	nd_write_be16(&w, IP_DF);
	nd_write_u8(&w, IP_TTL);
	nd_write_u8(&w, IP_PROTOCOL_UDP);
	nd_write_be16(&w, 0);
	nd_write_be32(&w, to->src_ip4);
	nd_write_be32(&w, to->dst_ip4);
	nd_write_be16_at(&w, ETHER_LEN + 10, checksum_fold(checksum_add(0, buf + ETHER_LEN, IP_LEN)));
	nd_write_be16(&w, DHCP_PORT_SERVER);
	nd_write_be16(&w, to->dst_port);
	nd_write_be16(&w, (uint16_t)udp_len);
	nd_write_be16(&w, 0);
	checksum = checksum_fold(checksum_add(checksum_pseudo(to->src_ip4, to->dst_ip4, udp_len),
					      buf + ETHER_LEN + IP_LEN, udp_len));
	/* A sum of zero is sent as its other form: zero means "none" (RFC 768). */
	nd_write_be16_at(&w, ETHER_LEN + IP_LEN + 6, checksum ? checksum : 0xffff);
	return DHCP_FRAME_HEADER + payload_len;
}

/* Where each option of a list stands in the options behind the cookie; 0: not there, or not of four bytes. */
static void find_times(const uint8_t *frame, size_t len, const uint8_t *codes, size_t *ret_at, size_t cnt)
{
	struct nd_reader r = nd_reader(frame, len);

	nd_read_skip(&r, DHCP_FRAME_HEADER + DHCP_HEADER_LEN);
	while (nd_reader_left(&r)) {
		uint8_t code = nd_read_u8(&r), option_len;

		if (code == DHCP_OPTION_END)
			return;
		if (code == DHCP_OPTION_PAD)
			continue;
		option_len = nd_read_u8(&r);
		for (size_t i = 0; i < cnt; i++)
			if (codes[i] == code && option_len == 4 && nd_reader_left(&r) >= 4)
				ret_at[i] = r.pos;
		nd_read_skip(&r, option_len);
	}
}

int dhcp_frame_shorten(uint8_t *frame, size_t len, uint32_t lease_s, struct nd_error *e)
{
	static const uint8_t codes[] = { DHCP_OPTION_LEASE_TIME, DHCP_OPTION_T1, DHCP_OPTION_T2 };
	const uint32_t times[] = { lease_s, lease_s / 2, (uint32_t)((uint64_t)lease_s * 7 / 8) };
	size_t at[ARRAY_LEN(codes)] = { 0 }, udp_len;
	struct nd_reader ips;
	uint32_t src_ip4, dst_ip4;
	struct nd_writer w;
	uint16_t checksum;

	find_times(frame, len, codes, at, ARRAY_LEN(codes));
	if (!at[0])
		return nd_fail(e, ND_PROTOCOL, "a DHCP answer without a lease time");
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct nd_reader r = nd_reader(frame + at[i], 4);

		w = nd_writer(frame + at[i], 4);
		if (at[i] && nd_read_be32(&r) > times[i])
			nd_write_be32(&w, times[i]);
	}
	ips = nd_reader(frame, len);
	nd_read_skip(&ips, ETHER_LEN + 12);
	src_ip4 = nd_read_be32(&ips);
	dst_ip4 = nd_read_be32(&ips);
	udp_len = len - ETHER_LEN - IP_LEN;
	w = nd_writer(frame, len);
	w.pos = len;
	nd_write_be16_at(&w, ETHER_LEN + IP_LEN + 6, 0);
	checksum = checksum_fold(checksum_add(checksum_pseudo(src_ip4, dst_ip4, udp_len),
					      frame + ETHER_LEN + IP_LEN, udp_len));
	nd_write_be16_at(&w, ETHER_LEN + IP_LEN + 6, checksum ? checksum : 0xffff);
	return 0;
}

int dhcp_arp_parse(const uint8_t *p, size_t len, struct dhcp_arp *ret)
{
	struct nd_reader r = nd_reader(p, len);
	uint16_t ethertype, hardware, protocol, lengths, op;

	nd_read_skip(&r, 2 * sizeof(struct nd_mac));
	ethertype = nd_read_be16(&r);
	hardware = nd_read_be16(&r);
	protocol = nd_read_be16(&r);
	lengths = nd_read_be16(&r);
	op = nd_read_be16(&r);
	nd_read_copy(&r, ret->sender.b, sizeof(ret->sender.b));
	ret->sender_ip4 = nd_read_be32(&r);
	nd_read_skip(&r, sizeof(struct nd_mac));
	ret->target_ip4 = nd_read_be32(&r);
	if (r.bad)
		return DHCP_DROP_SHORT;
	if (ethertype != ETHERTYPE_ARP || hardware != ARP_ETHERNET || protocol != ETHERTYPE_IP4 ||
	    lengths != 0x0604 || (op != ARP_REPLY && op != ARP_REQUEST))
		return DHCP_DROP_NOT_IP;
	if (nd_mac_is_zero(&ret->sender) || nd_mac_is_multicast(&ret->sender))
		return DHCP_DROP_CHADDR;
	ret->is_reply = op == ARP_REPLY;
	return DHCP_KEEP;
}

size_t dhcp_arp_probe_build(const struct nd_mac *src, uint32_t target_ip4, uint8_t buf[DHCP_ARP_LEN])
{
	static const struct nd_mac broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	struct nd_writer w = nd_writer(buf, DHCP_ARP_LEN);

	nd_write_bytes(&w, broadcast.b, sizeof(broadcast.b));
	nd_write_bytes(&w, src->b, sizeof(src->b));
	nd_write_be16(&w, ETHERTYPE_ARP);
	nd_write_be16(&w, ARP_ETHERNET);
	nd_write_be16(&w, ETHERTYPE_IP4);
	nd_write_be16(&w, 0x0604); /* lengths of the two addresses */
	nd_write_be16(&w, ARP_REQUEST);
	nd_write_bytes(&w, src->b, sizeof(src->b));
	nd_write_be32(&w, 0); /* sender's address: none, so that no cache learns one */
	nd_write_zero(&w, sizeof(src->b));
	nd_write_be32(&w, target_ip4);
	return w.pos;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: replies
 *
 * The network's parameters go into OFFER and ACK; a NAK carries nothing but its reason (RFC 2131 table 3). Client identifier and relay
 * information are echoed in all three, as they came (RFC 6842 §3, RFC 3046 §2.2).
 */
#include "dhcp/reply.h"
#include "dhcp/boot.h"

static const struct nd_mac mac_broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

void dhcp_reply_addressee(const struct dhcp_network *n, const struct dhcp_frame *from,
			  const struct dhcp_packet *req, const struct dhcp_reply *r,
			  struct dhcp_addressee *ret)
{
	bool inform = req->asked.type == DHCP_INFORM;

	*ret = (struct dhcp_addressee){ .src = n->server_mac,
					.dst = req->giaddr ? from->src : req->chaddr,
					.src_ip4 = n->address_ip4,
					.dst_port = DHCP_PORT_CLIENT };
	if (req->giaddr && !inform) {
		/* "If giaddr is not zero, to the server port of the relay." By the Ethernet source: who relays need not answer ARP yet. */
		ret->dst_ip4 = req->giaddr;
		ret->dst_port = DHCP_PORT_SERVER;
	} else if (r->type == DHCP_NAK) {
		/* "In all cases when giaddr is zero, NAKs are broadcast": the client's address is what is wrong. */
		ret->dst_ip4 = DHCP_IP4_BROADCAST;
		ret->dst = mac_broadcast;
	} else if (req->ciaddr) {
		/* "If giaddr is zero and ciaddr is not, unicast to ciaddr"; an INFORM always (§4.3.5). */
		ret->dst_ip4 = req->ciaddr;
	} else if (req->flags & DHCP_FLAG_BROADCAST) {
		/* It cannot take unicast before it is configured. */
		ret->dst_ip4 = DHCP_IP4_BROADCAST;
		ret->dst = mac_broadcast;
	} else {
		/* To the client's hardware address and the address it is going to have; no ARP. */
		ret->dst_ip4 = r->yiaddr;
	}
}

static void answer_fill(const struct dhcp_network *n, const struct dhcp_packet *req,
			const struct dhcp_reply *r, struct dhcp_answer *a)
{
	struct dhcp_boot_choice boot;

	*a = (struct dhcp_answer){ .type = r->type,
				   .server_ip4 = r->type ? n->address_ip4 : 0,
				   .message = r->message,
				   .client_id = req->asked.client_id,
				   .relay_info = req->asked.relay_info };
	if (r->type == DHCP_NAK)
		return;
	a->lease_s = r->lease_s;
	a->t1_s = r->t1_s;
	a->t2_s = r->t2_s;
	a->prefix_len = n->prefix_len;
	a->broadcast_ip4 = n->address_ip4 | ~nd_ip4_mask(n->prefix_len);
	a->router_ip4 = n->router_ip4;
	a->dns_ip4 = n->dns_ip4;
	a->dns_cnt = n->dns_cnt;
	a->domain = n->domain;
	a->hostname = r->hostname;
	a->mtu = n->mtu;
	a->rapid_commit = r->rapid_commit;
	a->routes = n->routes;
	a->route_cnt = n->route_cnt;
	a->client_ip4 = r->yiaddr ? r->yiaddr : req->ciaddr;
	dhcp_boot_choose(n, &req->asked, &boot);
	if (!boot.file)
		return;
	a->boot_file = boot.file;
	a->next_server_ip4 = n->next_server_ip4;
	a->boot_class = boot.class;
	a->boot_pxe = boot.is_pxe;
	if (boot.class)
		a->machine_id = req->asked.machine_id;
}

size_t dhcp_reply_build(const struct dhcp_network *n, const struct dhcp_frame *from,
			const struct dhcp_packet *req, const struct dhcp_reply *r,
			uint8_t buf[DHCP_FRAME_MAX])
{
	struct dhcp_reply_header h = { .ciaddr = r->type == DHCP_ACK || !r->type ? req->ciaddr : 0,
				       .yiaddr = r->yiaddr,
				       .flags = req->flags };
	struct dhcp_addressee to;
	struct dhcp_answer a;
	size_t len;

	/* §4.3.2: a relay broadcasts a NAK only when told to by this bit. */
	if (r->type == DHCP_NAK && req->giaddr)
		h.flags |= DHCP_FLAG_BROADCAST;
	answer_fill(n, req, r, &a);
	len = dhcp_packet_build(req, &h, &a, buf + DHCP_FRAME_HEADER, DHCP_FRAME_MAX - DHCP_FRAME_HEADER);
	if (len == 0)
		return 0;
	dhcp_reply_addressee(n, from, req, r, &to);
	return dhcp_frame_build(&to, buf, len);
}

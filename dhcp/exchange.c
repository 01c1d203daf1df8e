// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: from a frame to who sent it
 *
 * A frame is served when it is well-formed, came in on a network of ours with the mark of a port of that network or the foreign one, and
 * says nothing that its sender cannot be. What the mark says is netd's own word; what the packet says is the guest's.
 */
#include "dhcp/exchange.h"
#include <stdarg.h>

#define TEXT_MAX 256

bool dhcp_hourly_is_full(const struct dhcp_hourly *h, uint64_t now_ms, uint32_t max)
{
	return h->cnt >= max && now_ms - h->since_ms < DHCP_HOUR_MS;
}

bool dhcp_hourly_add(struct dhcp_hourly *h, uint64_t now_ms, uint32_t max)
{
	if (dhcp_hourly_is_full(h, now_ms, max))
		return false;
	if (h->cnt == 0 || now_ms - h->since_ms >= DHCP_HOUR_MS)
		*h = (struct dhcp_hourly){ .since_ms = now_ms };
	h->cnt++;
	return true;
}

void dhcp_turn_notice(const struct dhcp_turn *t, struct dhcp_net *net, enum dhcp_notice_kind kind,
		      const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	if (!nd_ratelimit_pass(&net->notice[kind], t->now_ms, DHCP_NOTICE_MS, 1, NULL))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->out->notice(t->out->arg, net->config.id, text);
}

bool dhcp_exchange_on_subnet(const struct dhcp_exchange *x, uint32_t ip4)
{
	uint32_t mask = nd_ip4_mask(x->net->config.prefix_len);

	return ((ip4 ^ x->net->config.address_ip4) & mask) == 0;
}

static int find_place(struct dhcp_exchange *x, const struct dhcp_turn *t, const struct dhcp_input *in)
{
	x->net = dhcp_engine_find_ifindex(t->g, in->ifindex);
	if (!x->net)
		return DHCP_DROP_NETWORK;
	x->member = dhcp_engine_find_member(t->g, in->mark);
	if (!x->member)
		return in->mark == t->g->foreign_mark ? DHCP_KEEP : DHCP_DROP_PORT;
	return x->member->config.network_id == x->net->config.id ? DHCP_KEEP : DHCP_DROP_NETWORK;
}

/* Another server's client, whose unicast only passes through the host. */
static bool is_for_us(const struct dhcp_exchange *x)
{
	const struct dhcp_network *n = &x->net->config;
	uint32_t dst = x->frame.dst_ip4;

	return dst == DHCP_IP4_BROADCAST || dst == n->address_ip4 ||
	       dst == (n->address_ip4 | ~nd_ip4_mask(n->prefix_len));
}

/* Whether a port relays for a client that is known not to be behind it: another port, or one that a reservation is for. */
static bool relays_for_others(const struct dhcp_exchange *x)
{
	const struct nd_mac *mac = &x->packet.chaddr;

	if (!x->member || !x->packet.giaddr || nd_mac_equal(&x->member->config.mac, mac))
		return false;
	return dhcp_engine_has_port_mac(x->t->g, x->net->config.id, mac) ||
	       dhcp_reserves_has_mac(&x->net->pool.reserves, mac);
}

static int check_sender(const struct dhcp_exchange *x)
{
	const struct dhcp_packet *p = &x->packet;

	if (!is_for_us(x))
		return DHCP_DROP_SERVER_ID;
	/* A relay that is on none of our addresses asks for clients of a subnet that we do not serve. */
	if (p->giaddr && (!dhcp_exchange_on_subnet(x, p->giaddr) || p->giaddr == x->net->config.address_ip4))
		return DHCP_DROP_SUBNET;
	if (x->member && !p->giaddr && !nd_mac_equal(&p->chaddr, &x->frame.src))
		return DHCP_DROP_CHADDR;
	return relays_for_others(x) ? DHCP_DROP_CHADDR : DHCP_KEEP;
}

/* The host name, where a reservation may be had by it: netd names its ports itself, and a name of theirs is nobody else's to claim. */
static const char *believed_hostname(const struct dhcp_exchange *x)
{
	const char *name = x->packet.asked.hostname;

	if (x->member && x->member->config.name[0])
		return "";
	return dhcp_engine_has_port_name(x->t->g, x->net->config.id, name) ? "" : name;
}

/*
 * RFC 2131 §4.2: the client identifier, else hardware type and address. Deviations: a netd port with its own MAC is itself whatever
 * identifier it sends, since images are cloned with theirs; and so is who an address is reserved for by MAC.
 */
static void identify(struct dhcp_exchange *x)
{
	const struct dhcp_view *id = &x->packet.asked.client_id;
	const struct dhcp_port *port = x->member ? &x->member->config : NULL;
	bool own = port && nd_mac_equal(&port->mac, &x->packet.chaddr);

	x->port = (struct nd_uuid){ { 0 } };
	x->identity = x->client_id = (struct dhcp_identity){ .kind = 0 };
	if (id->len)
		dhcp_identity_from_client_id(id->p, id->len, &x->client_id);
	if (own) {
		x->port = port->uuid;
		x->identity.kind = DHCP_IDENTITY_PORT;
		x->identity.len = sizeof(port->uuid.b);
		memcpy(x->identity.bytes, port->uuid.b, sizeof(port->uuid.b));
	} else {
		dhcp_reserves_identity(&x->net->pool.reserves, &x->packet.chaddr, &x->client_id,
				       &x->identity);
	}
	x->who = (struct dhcp_who){ .identity = &x->identity,
				    .client_id = &x->client_id,
				    .mac = x->packet.chaddr,
				    .hostname = believed_hostname(x),
				    .port_name = own ? port->name : "" };
}

/*
 * A token bucket kept as the time that its frames take up. The foreign mark has none: a relay, or a bridge's uplink, has many clients behind it.
 * What remains: a frame that is dropped here has come through the packet socket, which all ports share. Only a limit in the kernel, before the
 * socket, keeps one port from filling its buffer.
 */
bool dhcp_exchange_rate_pass(const struct dhcp_turn *t, uint32_t mark)
{
	struct dhcp_member *m = dhcp_engine_find_member(t->g, mark);
	uint64_t from;

	if (!m)
		return true;
	from = m->busy_until_ms > t->now_ms ? m->busy_until_ms : t->now_ms;
	if (from - t->now_ms > (DHCP_PORT_BURST - 1) * DHCP_PORT_FRAME_MS)
		return false;
	m->busy_until_ms = from + DHCP_PORT_FRAME_MS;
	return true;
}

int dhcp_exchange_open(struct dhcp_exchange *x, const struct dhcp_turn *t, const struct dhcp_input *in)
{
	int r;

	x->t = t;
	x->bytes = in->frame;
	x->len = in->len;
	x->mark = in->mark;
	r = find_place(x, t, in);
	if (r == DHCP_KEEP)
		r = dhcp_frame_parse(in->frame, in->len, in->checksum_unverified, &x->frame);
	if (r == DHCP_KEEP)
		r = dhcp_packet_parse(x->frame.payload, x->frame.payload_len, &x->packet);
	if (r == DHCP_KEEP)
		r = check_sender(x);
	if (r == DHCP_KEEP)
		identify(x);
	return r;
}

int dhcp_exchange_reply(const struct dhcp_exchange *x, const struct dhcp_reply *r)
{
	struct dhcp_engine *g = x->t->g;
	const struct dhcp_network *n = &x->net->config;
	size_t len = dhcp_reply_build(n, &x->frame, &x->packet, r, g->frame);

	if (len == 0)
		return DHCP_DROP_OPTION;
	if (r->type == DHCP_OFFER)
		g->counters.offer++;
	else if (r->type == DHCP_NAK)
		g->counters.nak++;
	else
		g->counters.ack++;
	x->t->out->send(x->t->out->arg, n->ifindex, g->frame, len);
	return DHCP_KEEP;
}

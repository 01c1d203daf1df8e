// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the messages, one row each
 *
 * DISCOVER, DECLINE, RELEASE and INFORM each have a row in message_rows; a REQUEST comes from one of four states of the client, which
 * are told apart by what it carries (RFC 2131 §4.3.2, table 4) and have rows of their own: they differ in where the address stands
 * and in what is said to a client that we do not know. Above each branch stands what the RFC says, in short.
 *
 * Limits against a guest that floods: see DHCP_*_MAX and DHCP_*_DECLINES in exchange.h. Whatever a guest sends costs at most the addresses of
 * its own network, and a port's own MAC has one address.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "dhcp/exchange.h"

/* ---- what a lease is made of ---- */

static const struct dhcp_host *reservation_of(const struct dhcp_exchange *x, uint32_t ip4)
{
	const struct dhcp_host *h = dhcp_reserves_find(&x->net->pool.reserves, &x->who);

	return h && h->ip4 == ip4 ? h : NULL;
}

/* "" when there is none that a host may have. */
static void reserved_name(const struct dhcp_host *host, char ret[DHCP_HOSTNAME_MAX])
{
	ret[0] = '\0';
	if (host)
		dhcp_hostname_clean((const uint8_t *)host->name, strnlen(host->name, DHCP_HOSTNAME_MAX), ret);
}

/* Writes into the binding who has asked for it now. */
static void describe(const struct dhcp_exchange *x, struct dhcp_binding *b)
{
	struct dhcp_lease *l = &b->lease;
	const char *names[2] = { x->packet.asked.hostname,
				 nd_uuid_is_zero(&x->port) ? "" : x->member->hostname };

	l->network = x->net->config.uuid;
	l->port = x->port;
	l->mac = x->packet.chaddr;
	b->mark = x->mark;
	/* The reservation's word, else the guest's, else the port's. */
	reserved_name(reservation_of(x, l->ip4), l->hostname);
	for (size_t i = 0; i < ARRAY_LEN(names) && !l->hostname[0]; i++)
		nd_strcpy(l->hostname, sizeof(l->hostname), names[i]);
	dhcp_pool_set_client_id(&x->net->pool, b, &x->client_id);
}

static uint64_t random_below(struct dhcp_engine *g, uint32_t limit)
{
	if (limit == 0)
		return 0;
	g->random ^= g->random << 13; /* xorshift64 */
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return g->random % limit;
}

/* The time the client asks for, if it is shorter than ours, but not so short that renewals become a load. */
static uint32_t lease_time(const struct dhcp_exchange *x, uint32_t ip4)
{
	uint32_t ours = dhcp_pool_lease_s(&x->net->pool, reservation_of(x, ip4), ip4);
	uint32_t asked = x->packet.asked.lease_s;

	if (asked == 0 || asked >= ours)
		return ours;
	if (asked < DHCP_LEASE_MIN_S)
		return ours < DHCP_LEASE_MIN_S ? ours : DHCP_LEASE_MIN_S;
	return asked;
}

/* RFC 2131 §4.4.5: T1 half and T2 seven eighths of the time, with some fuzz, lest guests started together renew together. */
static void reply_lease(const struct dhcp_exchange *x, const struct dhcp_binding *b,
			char name[DHCP_HOSTNAME_MAX], struct dhcp_reply *r)
{
	r->yiaddr = b->lease.ip4;
	r->lease_s = lease_time(x, b->lease.ip4);
	reserved_name(reservation_of(x, b->lease.ip4), name);
	r->hostname = name;
	if (r->lease_s == DHCP_LEASE_INFINITE)
		return;
	r->t1_s = r->lease_s / 2 - (uint32_t)random_below(x->t->g, r->lease_s / 32);
	r->t2_s = (uint32_t)((uint64_t)r->lease_s * 7 / 8) - (uint32_t)random_below(x->t->g, r->lease_s / 64);
}

/* ---- DISCOVER ---- */

static int propose(const struct dhcp_exchange *x, struct dhcp_binding *b);

/* RFC 4039 §3.1: with option 80 in the DISCOVER, the lease and its ACK at once. The ACK waits for the disk as any. */
static int offer(const struct dhcp_exchange *x, struct dhcp_binding *b)
{
	struct dhcp_reply r = { .type = DHCP_OFFER };
	char name[DHCP_HOSTNAME_MAX];
	int drop;

	if (x->packet.asked.rapid_commit)
		return propose(x, b);
	dhcp_binding_offer(x->t, b);
	reply_lease(x, b, name, &r);
	drop = dhcp_exchange_reply(x, &r);
	if (drop != DHCP_KEEP)
		dhcp_binding_withdraw(b);
	return drop;
}

static struct dhcp_saved *save_request(const struct dhcp_exchange *x)
{
	struct dhcp_saved *s = malloc(sizeof(*s) + x->len);

	if (!s)
		return NULL;
	s->len = x->len;
	s->xid = x->packet.xid;
	s->mark = x->mark;
	memcpy(s->frame, x->bytes, x->len);
	return s;
}

/* RFC 2131 §3.1 step 2: the server SHOULD check that an address it has not allocated before is free; by ARP, as RFC 5227 §2.1.1. */
static int probe(const struct dhcp_exchange *x, struct dhcp_binding *b)
{
	struct dhcp_engine *g = x->t->g;
	struct dhcp_saved *saved = g->probe_cnt < DHCP_PROBES_MAX ? save_request(x) : NULL;
	const struct dhcp_network *n = &x->net->config;
	uint8_t arp[DHCP_ARP_LEN];

	if (!saved) {
		dhcp_pool_remove(&x->net->pool, b);
		return DHCP_DROP_RATE;
	}
	dhcp_binding_probe(x->t, b, saved);
	g->counters.probe++;
	x->t->out->send(x->t->out->arg, n->ifindex, arp,
			dhcp_arp_probe_build(&n->server_mac, b->lease.ip4, arp));
	return DHCP_KEEP;
}

/* A retransmission waits for the same probe; a new exchange (another xid) has the OFFER sent to it. */
static int probe_again(const struct dhcp_exchange *x, struct dhcp_binding *b)
{
	const struct dhcp_saved *old = b->request;
	struct dhcp_saved *saved;

	if (old->xid == x->packet.xid)
		return DHCP_DROP_PENDING;
	saved = save_request(x);
	if (!saved)
		return DHCP_DROP_RATE;
	free(b->request);
	b->request = saved;
	return DHCP_KEEP;
}

static int refuse_full(const struct dhcp_exchange *x)
{
	const struct dhcp_pool *p = &x->net->pool;
	char mac[ND_MAC_STRLEN];

	/* A network of reservations only has nothing for others: that is no news. */
	if (p->size)
		dhcp_turn_notice(x->t, x->net, DHCP_NOTICE_FULL,
				 "no free address for %s: all %u of the ranges are taken",
				 nd_mac_to_string(&x->packet.chaddr, mac), p->size);
	return DHCP_DROP_POOL_FULL;
}

static int refuse_declines(const struct dhcp_exchange *x)
{
	const struct dhcp_port *port = &x->member->config;
	char uuid[ND_UUID_STRLEN];

	dhcp_turn_notice(
		x->t, x->net, DHCP_NOTICE_RATE, "port %s declined %u addresses within an hour: refused",
		port->name[0] ? port->name : nd_uuid_to_string(&port->uuid, uuid), DHCP_PORT_DECLINES);
	return DHCP_DROP_RATE;
}

/* Addresses of a pool that may go within an hour by the word of those who are no port's own MAC. */
static uint32_t hourly_max(const struct dhcp_net *net)
{
	uint32_t quarter = net->pool.size / 4 + 1;

	return quarter < DHCP_NETWORK_HOURLY ? quarter : DHCP_NETWORK_HOURLY;
}

/*
 * Whether a client without a binding may have one. A port's own MAC always may: there is one for each port. For others there is a bound on what is
 * neither stored nor free, and for those behind a port (a nested guest, or one that makes up MACs) on how many come within an hour.
 */
static bool admit(const struct dhcp_exchange *x)
{
	const struct dhcp_net *net = x->net;
	uint64_t most = (uint64_t)net->pool.size + net->pool.reserves.cnt;

	if (!nd_uuid_is_zero(&x->port))
		return true;
	if (net->unstored_cnt >= (most < DHCP_UNSTORED_MAX ? most : DHCP_UNSTORED_MAX)) {
		dhcp_turn_notice(x->t, x->net, DHCP_NOTICE_RATE,
				 "%u addresses are offered and not taken: no offers to new foreign clients",
				 net->unstored_cnt);
		return false;
	}
	if (!x->member || dhcp_hourly_add(&x->member->strangers, x->t->now_ms, hourly_max(net)))
		return true;
	dhcp_turn_notice(x->t, x->net, DHCP_NOTICE_RATE,
			 "more than %u clients behind port %s within an hour: refused", hourly_max(net),
			 x->member->config.name);
	return false;
}

static int on_discover(struct dhcp_exchange *x)
{
	struct dhcp_pool *p = &x->net->pool;
	struct dhcp_binding *b = dhcp_pool_find_identity(p, &x->identity);

	if (b && b->proposal)
		return DHCP_DROP_PENDING;
	if (x->member && dhcp_hourly_is_full(&x->member->declines, x->t->now_ms, DHCP_PORT_DECLINES))
		return refuse_declines(x);
	if (b && b->state == DHCP_BINDING_PROBING)
		return probe_again(x, b);
	if (!b && !admit(x))
		return DHCP_DROP_RATE;
	b = dhcp_pool_pick(p, &x->who, x->packet.asked.requested_ip4, x->t->now_s);
	if (!b)
		return refuse_full(x);
	if (b->state != DHCP_BINDING_BOUND)
		describe(x, b);
	/* A reservation is the administrator's word that the address is the client's. */
	if (b->fresh && x->net->config.probe && !reservation_of(x, b->lease.ip4))
		return probe(x, b);
	return offer(x, b);
}

/* The message that a probe held up, once more. Return: false when it is not served any more: its port may have gone. */
static bool reopen(struct dhcp_exchange *x, const struct dhcp_turn *t, const struct dhcp_net *net,
		   const struct dhcp_saved *saved)
{
	struct dhcp_input in = { .kind = DHCP_INPUT_FRAME,
				 .ifindex = net->config.ifindex,
				 .mark = saved->mark,
				 .checksum_unverified = true, /* it was verified when it came */
				 .frame = saved->frame,
				 .len = saved->len };

	return dhcp_exchange_open(x, t, &in) == DHCP_KEEP && x->net == net;
}

void dhcp_serve_probed(const struct dhcp_turn *t, struct dhcp_binding *b)
{
	nd_autofree struct dhcp_saved *saved = take_ptr(b->request);
	struct dhcp_exchange x;

	if (!reopen(&x, t, dhcp_net_of(b->pool), saved))
		dhcp_pool_remove(b->pool, b);
	else
		offer(&x, b);
}

void dhcp_serve_conflict(const struct dhcp_turn *t, struct dhcp_binding *b, const struct nd_mac *holder)
{
	struct dhcp_net *net = dhcp_net_of(b->pool);
	nd_autofree struct dhcp_saved *saved = NULL;
	char ip[ND_IP_STRLEN], mac[ND_MAC_STRLEN];
	struct dhcp_exchange x;

	/* A guest that claims every address would else empty the pool. */
	if (!dhcp_hourly_add(&net->declines, t->now_ms, hourly_max(net))) {
		dhcp_turn_notice(t, net, DHCP_NOTICE_RATE,
				 "too many address conflicts within an hour: probes are not heeded");
		return;
	}
	t->g->counters.conflict++;
	dhcp_turn_notice(t, net, DHCP_NOTICE_CONFLICT,
			 "%s is in use by %s, which has no lease for it: set aside",
			 nd_ip4_to_string(b->lease.ip4, ip), nd_mac_to_string(holder, mac));
	saved = take_ptr(b->request);
	dhcp_binding_set_aside(t, b);
	if (reopen(&x, t, net, saved))
		on_discover(&x);
}

/* ---- REQUEST ---- */

enum request_state { REQUEST_SELECTING, REQUEST_INIT_REBOOT, REQUEST_RENEWING, REQUEST_REBINDING };
enum unknown_client {
	UNKNOWN_CLAIM,      /* gets the address if it is free for it, else a NAK */
	UNKNOWN_CLAIM_OURS, /* the same, but silence about an address that we do not give out */
	UNKNOWN_SILENT,
};
/*
 * SELECTING: the server identifier names us, the address is in option 50, ciaddr is 0. A client we know nothing of has an offer that is older than a
 * minute, or than this process: it may have the address if it is free still.
 * INIT-REBOOT: no server identifier, option 50, ciaddr 0. "If the server has no record of this client, it MUST remain silent."
 * RENEWING: no server identifier, no option 50, ciaddr, sent to us alone: so we gave the address, or it is wrong.
 * REBINDING: the same, but broadcast: an address that we do not give out may be right and another server's.
 */
static const struct {
	bool by_ciaddr;
	enum unknown_client unknown;
} request_rows[] = {
	[REQUEST_SELECTING] = { false, UNKNOWN_CLAIM },
	[REQUEST_INIT_REBOOT] = { false, UNKNOWN_SILENT },
	[REQUEST_RENEWING] = { true, UNKNOWN_CLAIM },
	[REQUEST_REBINDING] = { true, UNKNOWN_CLAIM_OURS },
};

/* RFC 2131 §4.3.2, table 4. Clients exist that repeat their address in option 50 or name the server when they renew: ciaddr decides.
 * Return: enum request_state, or -1: none of the four. */
static int request_classify(const struct dhcp_exchange *x)
{
	const struct dhcp_packet *p = &x->packet;

	if (p->ciaddr)
		return x->frame.dst_ip4 == x->net->config.address_ip4 ? REQUEST_RENEWING : REQUEST_REBINDING;
	if (!p->asked.has_requested)
		return -1;
	return p->asked.has_server ? REQUEST_SELECTING : REQUEST_INIT_REBOOT;
}

static int refuse(const struct dhcp_exchange *x, const char *why)
{
	struct dhcp_reply r = { .type = DHCP_NAK, .message = why };

	return dhcp_exchange_reply(x, &r);
}

/* Two ports with one client identifier: an image was cloned with its machine-id. They get two addresses, but should know. */
static void tell_clones(const struct dhcp_exchange *x, const struct dhcp_binding *b)
{
	const struct dhcp_binding *other = NULL;
	const struct dhcp_member *theirs;
	char mac[2][ND_MAC_STRLEN];

	if (x->client_id.len && !nd_uuid_is_zero(&x->port))
		other = dhcp_pool_find_client_id(&x->net->pool, &x->client_id);
	if (!other || other == b)
		return;
	theirs = dhcp_engine_find_member(x->t->g, other->mark);
	dhcp_turn_notice(x->t, x->net, DHCP_NOTICE_CLONE,
			 "ports %s (%s) and %s (%s) send the same client identifier: a cloned machine-id?",
			 theirs ? theirs->config.name : "", nd_mac_to_string(&other->lease.mac, mac[0]),
			 x->member->config.name, nd_mac_to_string(&x->packet.chaddr, mac[1]));
}

/* Once for each time that a pool fills up. Previous leases are counted only where they make the difference, and seldom. */
static void tell_usage(const struct dhcp_exchange *x)
{
	struct dhcp_net *net = x->net;
	const struct dhcp_pool *p = &net->pool;
	uint64_t free = (uint64_t)p->free_cnt * 100, size = p->size - p->kept_cnt;

	if (free > size * (100 - DHCP_HIGH_PERCENT)) {
		net->is_high = net->is_high && free <= size * (100 - DHCP_LOW_PERCENT);
		return;
	}
	if (net->usage_ms && x->t->now_ms - net->usage_ms < DHCP_USAGE_MS)
		return;
	net->usage_ms = x->t->now_ms;
	if (net->is_high) {
		net->is_high = dhcp_pool_is_above(p, DHCP_LOW_PERCENT, x->t->now_s);
		return;
	}
	net->is_high = dhcp_pool_is_above(p, DHCP_HIGH_PERCENT, x->t->now_s);
	if (net->is_high)
		dhcp_turn_notice(x->t, net, DHCP_NOTICE_HIGH,
				 "%u %% of the %u addresses in its ranges are leased", DHCP_HIGH_PERCENT,
				 p->size - p->kept_cnt);
}

/* The lease and its finished ACK go to netd, which stores the one before it sends the other (RFC 2131 §3.1 step 4). */
static int propose(const struct dhcp_exchange *x, struct dhcp_binding *b)
{
	struct dhcp_engine *g = x->t->g;
	bool bootp = !x->packet.asked.type;
	struct dhcp_reply r = { .type = bootp ? 0 : DHCP_ACK,
				.rapid_commit = x->packet.asked.type == DHCP_DISCOVER };
	char name[DHCP_HOSTNAME_MAX];
	uint64_t expiry_s, id = 0;
	size_t len;

	reply_lease(x, b, name, &r);
	if (bootp) /* which knows no time, so that its address is its own for good */
		r.lease_s = DHCP_LEASE_INFINITE;
	expiry_s = r.lease_s == DHCP_LEASE_INFINITE ? UINT64_MAX : x->t->now_s + r.lease_s;
	if (bootp)
		r.lease_s = r.t1_s = r.t2_s = 0;
	len = dhcp_reply_build(&x->net->config, &x->frame, &x->packet, &r, g->frame);
	if (len)
		id = dhcp_binding_propose(x->t, b, expiry_s);
	if (!id) {
		if (b->state == DHCP_BINDING_OFFERED || b->state == DHCP_BINDING_PROBING)
			dhcp_pool_remove(&x->net->pool, b);
		return len ? DHCP_DROP_RATE : DHCP_DROP_OPTION;
	}
	describe(x, b);
	tell_clones(x, b);
	if (b->state == DHCP_BINDING_PROPOSED)
		tell_usage(x);
	g->counters.ack++;
	x->t->out->propose(x->t->out->arg, id, &b->lease, x->net->config.ifindex, g->frame, len);
	return DHCP_KEEP;
}

static int request_unknown(const struct dhcp_exchange *x, enum unknown_client unknown, uint32_t ip4)
{
	struct dhcp_pool *p = &x->net->pool;
	struct dhcp_binding *b;

	if (unknown == UNKNOWN_SILENT || (unknown == UNKNOWN_CLAIM_OURS && !dhcp_pool_is_ours(p, ip4)))
		return DHCP_DROP_SERVER_ID;
	if (!admit(x))
		return DHCP_DROP_RATE;
	b = dhcp_pool_claim(p, &x->who, ip4, x->t->now_s);
	return b ? propose(x, b) : refuse(x, "address is not free");
}

/* A reservation wins over the lease. An address reserved for somebody else is free from here: who hears a NAK stops using it at once (§3.2 step 4). */
static int refuse_reserved(const struct dhcp_exchange *x, struct dhcp_binding *b)
{
	if (b->state == DHCP_BINDING_BOUND && dhcp_reserves_find_ip(&x->net->pool.reserves, b->lease.ip4))
		dhcp_binding_release(x->t, b);
	return refuse(x, "address is reserved, or the client has a reservation");
}

static int on_request(struct dhcp_exchange *x)
{
	const struct dhcp_asked *asked = &x->packet.asked;
	struct dhcp_binding *b = dhcp_pool_find_identity(&x->net->pool, &x->identity);
	int state = request_classify(x);
	uint32_t ip4;

	/* "If the server identifier names another server, the client has declined our offer." */
	if (asked->has_server && asked->server_ip4 != x->net->config.address_ip4) {
		if (b && b->offered)
			dhcp_binding_withdraw(b);
		return DHCP_DROP_SERVER_ID;
	}
	if (state < 0)
		return DHCP_DROP_OPTION;
	if (b && (b->proposal || b->state == DHCP_BINDING_PROBING))
		return DHCP_DROP_PENDING;
	ip4 = request_rows[state].by_ciaddr ? x->packet.ciaddr : asked->requested_ip4;
	/* "If the client is on the wrong net, the server SHOULD send a NAK": known or not, in every state. */
	if (!dhcp_exchange_on_subnet(x, ip4))
		return refuse(x, "wrong network");
	if (!b)
		return request_unknown(x, request_rows[state].unknown, ip4);
	/* "If the server detects that the requested address is incorrect, it SHOULD send a NAK." */
	if (b->lease.ip4 != ip4)
		return refuse(x, "another address is leased to this client");
	if (!dhcp_pool_may_hold(&x->net->pool, &x->who, ip4, x->t->now_s))
		return refuse_reserved(x, b);
	return propose(x, b);
}

/* ---- DECLINE, RELEASE, INFORM ---- */

/* The binding a DECLINE or RELEASE speaks of: the sender's own, of that address, and of this server. */
static int find_own(const struct dhcp_exchange *x, uint32_t ip4, struct dhcp_binding **ret)
{
	const struct dhcp_asked *asked = &x->packet.asked;
	struct dhcp_binding *b = dhcp_pool_find_identity(&x->net->pool, &x->identity);

	if (asked->has_server && asked->server_ip4 != x->net->config.address_ip4)
		return DHCP_DROP_SERVER_ID;
	if (!b || b->lease.ip4 != ip4 || b->state == DHCP_BINDING_PROBING)
		return DHCP_DROP_SERVER_ID;
	if (b->proposal)
		return DHCP_DROP_PENDING;
	*ret = b;
	return DHCP_KEEP;
}

/* §4.3.3: the address is in use by somebody else: not available, and the administrator is told. */
static int on_decline(struct dhcp_exchange *x)
{
	struct dhcp_hourly *hourly = x->member ? &x->member->declines : &x->net->declines;
	uint32_t max = x->member ? DHCP_PORT_DECLINES : hourly_max(x->net);
	char ip[ND_IP_STRLEN], mac[ND_MAC_STRLEN];
	struct dhcp_binding *b;
	int drop;

	if (!x->packet.asked.has_requested)
		return DHCP_DROP_OPTION;
	drop = find_own(x, x->packet.asked.requested_ip4, &b);
	if (drop != DHCP_KEEP)
		return drop;
	if (!dhcp_hourly_add(hourly, x->t->now_ms, max))
		return DHCP_DROP_RATE;
	x->t->g->counters.conflict++;
	dhcp_turn_notice(x->t, x->net, DHCP_NOTICE_CONFLICT,
			 "%s was declined by %s, which found it in use: set aside",
			 nd_ip4_to_string(b->lease.ip4, ip), nd_mac_to_string(&x->packet.chaddr, mac));
	dhcp_binding_set_aside(x->t, b);
	return DHCP_KEEP;
}

/* §4.3.4: not allocated any more, but kept as the client's previous address. */
static int on_release(struct dhcp_exchange *x)
{
	struct dhcp_binding *b;
	int drop = find_own(x, x->packet.ciaddr, &b);

	if (drop != DHCP_KEEP)
		return drop;
	if (b->state != DHCP_BINDING_BOUND)
		return DHCP_DROP_SERVER_ID;
	dhcp_binding_release(x->t, b);
	return DHCP_KEEP;
}

/* §4.3.5: parameters for a client that has its address from elsewhere: no yiaddr, no lease time. */
static int on_inform(struct dhcp_exchange *x)
{
	struct dhcp_reply r = { .type = DHCP_ACK };
	char name[DHCP_HOSTNAME_MAX];

	if (x->packet.ciaddr == 0 || !dhcp_exchange_on_subnet(x, x->packet.ciaddr))
		return DHCP_DROP_SUBNET;
	reserved_name(reservation_of(x, x->packet.ciaddr), name);
	r.hostname = name;
	return dhcp_exchange_reply(x, &r);
}

/* RFC 1534 §2: a client without message types cannot renew, decline or give back: it is served where an address is its own anyway. */
static int on_bootp(struct dhcp_exchange *x)
{
	const struct dhcp_host *host = dhcp_reserves_find(&x->net->pool.reserves, &x->who);
	struct dhcp_binding *b = dhcp_pool_find_identity(&x->net->pool, &x->identity);

	if (!host)
		return DHCP_DROP_NO_TYPE;
	if (b && b->proposal)
		return DHCP_DROP_PENDING;
	b = dhcp_pool_claim(&x->net->pool, &x->who, host->ip4, x->t->now_s);
	return b ? propose(x, b) : DHCP_DROP_POOL_FULL;
}

/* By enum dhcp_message_type, BOOTP first; those of servers have no row. */
static const struct {
	int (*serve)(struct dhcp_exchange *x);
	size_t counter; /* in struct dhcp_counters */
} message_rows[] = {
	[0] = { on_bootp, offsetof(struct dhcp_counters, bootp) },
	[DHCP_DISCOVER] = { on_discover, offsetof(struct dhcp_counters, discover) },
	[DHCP_REQUEST] = { on_request, offsetof(struct dhcp_counters, request) },
	[DHCP_DECLINE] = { on_decline, offsetof(struct dhcp_counters, decline) },
	[DHCP_RELEASE] = { on_release, offsetof(struct dhcp_counters, release) },
	[DHCP_INFORM] = { on_inform, offsetof(struct dhcp_counters, inform) },
};

int dhcp_serve(struct dhcp_exchange *x)
{
	uint8_t type = x->packet.asked.type;

	if (type >= ARRAY_LEN(message_rows) || !message_rows[type].serve)
		return DHCP_DROP_TYPE;
	++*(uint64_t *)((char *)&x->t->g->counters + message_rows[type].counter);
	return message_rows[type].serve(x);
}

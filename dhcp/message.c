// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the private messages between netd and its DHCP worker
 *
 * Owns the record format, the table of kinds with their lengths and directions, the encoders, and the outgoing queue; knows nothing of what
 * a message does. Both ends are the same executable (the worker is exec'd from /proc/self/exe), so a version that differs ends the channel.
 *
 * netd distrusts the worker: it parses what guests send. A record is only handed out when its kind is one the sender may use and its body has a length of
 * the kind's row; what the fields say is checked by the handlers in control.c. The worker applies the same rules to netd, as a guard against bugs.
 *
 * A datagram says whether more were waiting behind it. The worker takes in no frame meanwhile, so that what netd queues in one turn - a network and its
 * thousand stored leases - is known whole before the first request for it is answered.
 *
 * Limits: DHCP_DATAGRAM_MAX bytes in a datagram, DHCP_OUTBOX_MAX bytes waiting at each end.
 */
#include "dhcp/message.h"
#include "base/mem.h"
#include "base/strtab.h"
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#define HEADER_LEN 4
#define FLAG_MORE  0x01

struct message_row {
	uint8_t from;      /* enum dhcp_message_side bits */
	uint16_t min, max; /* body length */
	uint16_t step;     /* what comes beyond min is a multiple of this; 0: anything */
};
#define EXACT(n) .min = (n), .max = (n)

static const struct message_row rows[] = {
	[DHCP_MESSAGE_HELLO] = { DHCP_SIDE_NETD | DHCP_SIDE_WORKER, EXACT(4) },
	[DHCP_MESSAGE_NETWORK_BEGIN] = { DHCP_SIDE_NETD, EXACT(DHCP_WIRE_NETWORK_LEN) },
	[DHCP_MESSAGE_NETWORK_RANGES] = { DHCP_SIDE_NETD, .min = DHCP_WIRE_RANGE_LEN,
					  .max = DHCP_WIRE_RANGE_LEN * DHCP_RANGES_MAX,
					  .step = DHCP_WIRE_RANGE_LEN },
	[DHCP_MESSAGE_NETWORK_HOSTS] = { DHCP_SIDE_NETD, .min = DHCP_WIRE_HOST_LEN,
					 .max = DHCP_WIRE_HOST_LEN * DHCP_HOSTS_PER_MESSAGE,
					 .step = DHCP_WIRE_HOST_LEN },
	[DHCP_MESSAGE_NETWORK_ROUTES] = { DHCP_SIDE_NETD, .min = DHCP_WIRE_ROUTE_LEN,
					  .max = DHCP_WIRE_ROUTE_LEN * DHCP_ROUTES_MAX,
					  .step = DHCP_WIRE_ROUTE_LEN },
	[DHCP_MESSAGE_NETWORK_BOOTS] = { DHCP_SIDE_NETD, .min = DHCP_WIRE_BOOT_LEN,
					 .max = DHCP_WIRE_BOOT_LEN * DHCP_BOOT_CNT_,
					 .step = DHCP_WIRE_BOOT_LEN },
	[DHCP_MESSAGE_NETWORK_COMMIT] = { DHCP_SIDE_NETD, EXACT(4) },
	[DHCP_MESSAGE_NETWORK_DEL] = { DHCP_SIDE_NETD, EXACT(4) },
	[DHCP_MESSAGE_PORT_SET] = { DHCP_SIDE_NETD, EXACT(DHCP_WIRE_PORT_LEN) },
	[DHCP_MESSAGE_PORT_DEL] = { DHCP_SIDE_NETD, EXACT(4) },
	[DHCP_MESSAGE_LEASE_LOAD] = { DHCP_SIDE_NETD, EXACT(DHCP_WIRE_LEASE_LEN) },
	[DHCP_MESSAGE_LEASE_FREE] = { DHCP_SIDE_NETD, EXACT(16 + 4) },
	[DHCP_MESSAGE_PING] = { DHCP_SIDE_NETD, EXACT(4) },
	[DHCP_MESSAGE_STORED] = { DHCP_SIDE_NETD, EXACT(8) },
	[DHCP_MESSAGE_REFUSED] = { DHCP_SIDE_NETD, EXACT(8) },
	[DHCP_MESSAGE_SEND] = { DHCP_SIDE_WORKER, .min = 4 + 1, .max = 4 + DHCP_FRAME_MAX },
	[DHCP_MESSAGE_PROPOSE] = { DHCP_SIDE_WORKER, .min = 8 + 4 + DHCP_WIRE_LEASE_LEN,
				   .max = 8 + 4 + DHCP_WIRE_LEASE_LEN + DHCP_FRAME_MAX },
	[DHCP_MESSAGE_RELEASE] = { DHCP_SIDE_WORKER, EXACT(DHCP_WIRE_LEASE_LEN) },
	[DHCP_MESSAGE_NOTICE] = { DHCP_SIDE_WORKER, .min = 4 + 2, .max = 4 + DHCP_NOTICE_MAX },
	[DHCP_MESSAGE_COUNTERS] = { DHCP_SIDE_WORKER, EXACT(DHCP_WIRE_COUNTERS_LEN) },
	[DHCP_MESSAGE_PONG] = { DHCP_SIDE_WORKER, EXACT(4) },
};
static_assert(ARRAY_LEN(rows) == DHCP_MESSAGE_CNT_, "one row per kind");

static const char *const kind_names[] = {
	[DHCP_MESSAGE_HELLO] = "hello",
	[DHCP_MESSAGE_NETWORK_BEGIN] = "network-begin",
	[DHCP_MESSAGE_NETWORK_RANGES] = "network-ranges",
	[DHCP_MESSAGE_NETWORK_HOSTS] = "network-hosts",
	[DHCP_MESSAGE_NETWORK_ROUTES] = "network-routes",
	[DHCP_MESSAGE_NETWORK_BOOTS] = "network-boots",
	[DHCP_MESSAGE_NETWORK_COMMIT] = "network-commit",
	[DHCP_MESSAGE_NETWORK_DEL] = "network-del",
	[DHCP_MESSAGE_PORT_SET] = "port-set",
	[DHCP_MESSAGE_PORT_DEL] = "port-del",
	[DHCP_MESSAGE_LEASE_LOAD] = "lease-load",
	[DHCP_MESSAGE_LEASE_FREE] = "lease-free",
	[DHCP_MESSAGE_PING] = "ping",
	[DHCP_MESSAGE_STORED] = "stored",
	[DHCP_MESSAGE_REFUSED] = "refused",
	[DHCP_MESSAGE_SEND] = "send",
	[DHCP_MESSAGE_PROPOSE] = "propose",
	[DHCP_MESSAGE_RELEASE] = "release",
	[DHCP_MESSAGE_NOTICE] = "notice",
	[DHCP_MESSAGE_COUNTERS] = "counters",
	[DHCP_MESSAGE_PONG] = "pong",
};
static_assert(ARRAY_LEN(kind_names) == DHCP_MESSAGE_CNT_, "one name per kind");

const char *dhcp_message_kind_to_string(int kind)
{
	return nd_strtab_to_string(kind_names, ARRAY_LEN(kind_names), kind);
}

struct datagram {
	struct nd_list link;
	struct nd_writer w;
	uint8_t bytes[DHCP_DATAGRAM_MAX];
};

/* ---- records ---- */

int dhcp_message_open(struct nd_reader *datagram, bool *ret_more, struct nd_error *e)
{
	uint8_t flags = nd_read_u8(datagram);
	if (datagram->bad || flags & ~FLAG_MORE)
		return nd_fail(e, ND_PROTOCOL, "datagram with flags 0x%02x", flags);
	*ret_more = flags & FLAG_MORE;
	return 0;
}

int dhcp_message_next(struct nd_reader *datagram, enum dhcp_message_side from, struct dhcp_message *ret,
		      struct nd_error *e)
{
	if (nd_reader_left(datagram) == 0)
		return 0;
	uint16_t kind = nd_read_be16(datagram);
	uint16_t len = nd_read_be16(datagram);
	struct nd_reader body = nd_read_sub(datagram, len);
	if (datagram->bad)
		return nd_fail(e, ND_PROTOCOL, "record cut short");
	if (kind >= ARRAY_LEN(rows) || !(rows[kind].from & from))
		return nd_fail(e, ND_PROTOCOL, "record of kind %u from the wrong side", kind);
	const struct message_row *row = &rows[kind];
	if (len < row->min || len > row->max || (row->step && (len - row->min) % row->step))
		return nd_fail(e, ND_PROTOCOL, "record '%s' of %u bytes", kind_names[kind], len);
	*ret = (struct dhcp_message){ .kind = kind, .body = body };
	return 1;
}

ssize_t dhcp_message_receive(int fd, uint8_t *buf, size_t size, struct nd_error *e)
{
	/* Without room for control messages the kernel drops descriptors instead of installing them. */
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	do
		n = recvmsg(fd, &mh, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return nd_fail(e, ND_NOT_FOUND, "the peer is gone");
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "receive");
	if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return nd_fail(e, ND_PROTOCOL, "datagram too long or with file descriptors");
	return n;
}

/* ---- parts of bodies ---- */

static void put_identity(struct nd_writer *w, const struct dhcp_identity *id)
{
	nd_write_u8(w, id->kind);
	nd_write_u8(w, id->len);
	nd_write_bytes(w, id->bytes, sizeof(id->bytes));
}

static void get_identity(struct nd_reader *r, struct dhcp_identity *ret)
{
	ret->kind = nd_read_u8(r);
	ret->len = nd_read_u8(r);
	nd_read_copy(r, ret->bytes, sizeof(ret->bytes));
}

/* What follows the NUL is zeroed on the way out: bytes of netd's memory are none of the worker's business. */
static void put_string(struct nd_writer *w, const char *s, size_t size)
{
	size_t len = strnlen(s, size - 1);
	nd_write_bytes(w, s, len);
	nd_write_zero(w, size - len);
}

static void get_string(struct nd_reader *r, char *ret, size_t size)
{
	nd_read_copy(r, ret, size);
	ret[size - 1] = '\0';
}

void dhcp_wire_put_lease(struct nd_writer *w, const struct dhcp_lease *l)
{
	nd_write_bytes(w, l->network.b, sizeof(l->network.b));
	nd_write_bytes(w, l->port.b, sizeof(l->port.b));
	nd_write_be32(w, l->ip4);
	nd_write_u8(w, l->state);
	put_identity(w, &l->identity);
	nd_write_bytes(w, l->mac.b, sizeof(l->mac.b));
	put_string(w, l->hostname, sizeof(l->hostname));
	put_identity(w, &l->client_id);
	nd_write_be64(w, l->expiry_s);
}

void dhcp_wire_get_lease(struct nd_reader *r, struct dhcp_lease *ret)
{
	memset(ret, 0, sizeof(*ret));
	nd_read_copy(r, ret->network.b, sizeof(ret->network.b));
	nd_read_copy(r, ret->port.b, sizeof(ret->port.b));
	ret->ip4 = nd_read_be32(r);
	ret->state = nd_read_u8(r);
	get_identity(r, &ret->identity);
	nd_read_copy(r, ret->mac.b, sizeof(ret->mac.b));
	get_string(r, ret->hostname, sizeof(ret->hostname));
	get_identity(r, &ret->client_id);
	ret->expiry_s = nd_read_be64(r);
}

void dhcp_wire_put_network(struct nd_writer *w, const struct dhcp_network *n)
{
	nd_write_be32(w, n->id);
	nd_write_bytes(w, n->uuid.b, sizeof(n->uuid.b));
	nd_write_be32(w, (uint32_t)n->ifindex);
	nd_write_bytes(w, n->server_mac.b, sizeof(n->server_mac.b));
	nd_write_be32(w, n->address_ip4);
	nd_write_u8(w, n->prefix_len);
	nd_write_be32(w, n->router_ip4);
	for (size_t i = 0; i < DHCP_DNS_MAX; i++)
		nd_write_be32(w, n->dns_ip4[i]);
	nd_write_u8(w, n->dns_cnt);
	put_string(w, n->domain, sizeof(n->domain));
	nd_write_be16(w, n->mtu);
	nd_write_be32(w, n->lease_s);
	nd_write_u8(w, n->probe);
	nd_write_be32(w, n->range_cnt);
	nd_write_be32(w, n->host_cnt);
	nd_write_be32(w, n->route_cnt);
	nd_write_be32(w, n->boot_cnt);
	nd_write_be32(w, n->next_server_ip4);
}

void dhcp_wire_get_network(struct nd_reader *r, struct dhcp_network *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->id = nd_read_be32(r);
	nd_read_copy(r, ret->uuid.b, sizeof(ret->uuid.b));
	ret->ifindex = (int)nd_read_be32(r);
	nd_read_copy(r, ret->server_mac.b, sizeof(ret->server_mac.b));
	ret->address_ip4 = nd_read_be32(r);
	ret->prefix_len = nd_read_u8(r);
	ret->router_ip4 = nd_read_be32(r);
	for (size_t i = 0; i < DHCP_DNS_MAX; i++)
		ret->dns_ip4[i] = nd_read_be32(r);
	ret->dns_cnt = nd_read_u8(r);
	get_string(r, ret->domain, sizeof(ret->domain));
	ret->mtu = nd_read_be16(r);
	ret->lease_s = nd_read_be32(r);
	ret->probe = nd_read_u8(r) != 0;
	ret->range_cnt = nd_read_be32(r);
	ret->host_cnt = nd_read_be32(r);
	ret->route_cnt = nd_read_be32(r);
	ret->boot_cnt = nd_read_be32(r);
	ret->next_server_ip4 = nd_read_be32(r);
}

void dhcp_wire_put_range(struct nd_writer *w, const struct dhcp_range *range)
{
	nd_write_be32(w, range->first_ip4);
	nd_write_be32(w, range->last_ip4);
	nd_write_be32(w, range->lease_s);
}

void dhcp_wire_get_range(struct nd_reader *r, struct dhcp_range *ret)
{
	ret->first_ip4 = nd_read_be32(r);
	ret->last_ip4 = nd_read_be32(r);
	ret->lease_s = nd_read_be32(r);
}

void dhcp_wire_put_host(struct nd_writer *w, const struct dhcp_host *h)
{
	nd_write_u8(w, h->has_mac);
	nd_write_bytes(w, h->mac.b, sizeof(h->mac.b));
	put_string(w, h->name, sizeof(h->name));
	put_identity(w, &h->client_id);
	nd_write_be32(w, h->ip4);
	nd_write_be32(w, h->lease_s);
}

void dhcp_wire_get_host(struct nd_reader *r, struct dhcp_host *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->has_mac = nd_read_u8(r) != 0;
	nd_read_copy(r, ret->mac.b, sizeof(ret->mac.b));
	get_string(r, ret->name, sizeof(ret->name));
	get_identity(r, &ret->client_id);
	ret->ip4 = nd_read_be32(r);
	ret->lease_s = nd_read_be32(r);
}

void dhcp_wire_put_route(struct nd_writer *w, const struct dhcp_route *route)
{
	nd_write_be32(w, route->ip4);
	nd_write_u8(w, route->prefix_len);
	nd_write_be32(w, route->gateway_ip4);
}

void dhcp_wire_get_route(struct nd_reader *r, struct dhcp_route *ret)
{
	ret->ip4 = nd_read_be32(r);
	ret->prefix_len = nd_read_u8(r);
	ret->gateway_ip4 = nd_read_be32(r);
}

void dhcp_wire_put_boot(struct nd_writer *w, const struct dhcp_boot *boot)
{
	nd_write_u8(w, boot->kind);
	put_string(w, boot->file, sizeof(boot->file));
}

void dhcp_wire_get_boot(struct nd_reader *r, struct dhcp_boot *ret)
{
	ret->kind = nd_read_u8(r);
	get_string(r, ret->file, sizeof(ret->file));
}

void dhcp_wire_put_port(struct nd_writer *w, const struct dhcp_port *p)
{
	nd_write_be32(w, p->mark);
	nd_write_be32(w, p->network_id);
	nd_write_bytes(w, p->uuid.b, sizeof(p->uuid.b));
	nd_write_bytes(w, p->mac.b, sizeof(p->mac.b));
	put_string(w, p->name, sizeof(p->name));
}

void dhcp_wire_get_port(struct nd_reader *r, struct dhcp_port *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->mark = nd_read_be32(r);
	ret->network_id = nd_read_be32(r);
	nd_read_copy(r, ret->uuid.b, sizeof(ret->uuid.b));
	nd_read_copy(r, ret->mac.b, sizeof(ret->mac.b));
	get_string(r, ret->name, sizeof(ret->name));
}

/* dhcp_counters is nothing but uint64_t, so it crosses as an array of them whatever rows it gains. */
static_assert(sizeof(struct dhcp_counters) % sizeof(uint64_t) == 0, "only 64-bit counters");
#define COUNTER_CNT (sizeof(struct dhcp_counters) / sizeof(uint64_t))

void dhcp_wire_put_counters(struct nd_writer *w, const struct dhcp_counters *c)
{
	uint64_t v[COUNTER_CNT];
	memcpy(v, c, sizeof(v));
	for (size_t i = 0; i < COUNTER_CNT; i++)
		nd_write_be64(w, v[i]);
}

void dhcp_wire_get_counters(struct nd_reader *r, struct dhcp_counters *ret)
{
	uint64_t v[COUNTER_CNT];
	for (size_t i = 0; i < COUNTER_CNT; i++)
		v[i] = nd_read_be64(r);
	memcpy(ret, v, sizeof(v));
}

/* ---- the outgoing queue ---- */

void dhcp_outbox_init(struct dhcp_outbox *o)
{
	*o = (struct dhcp_outbox){ 0 };
	nd_list_init(&o->datagrams);
}

void dhcp_outbox_done(struct dhcp_outbox *o)
{
	struct datagram *d, *next;
	nd_list_foreach_safe(d, next, &o->datagrams, link)
		free(d);
	free(o->spare);
	dhcp_outbox_init(o);
}

bool dhcp_outbox_is_empty(const struct dhcp_outbox *o)
{
	return nd_list_empty(&o->datagrams);
}

size_t dhcp_message_len(size_t body_len)
{
	return HEADER_LEN + body_len;
}

int dhcp_outbox_room(const struct dhcp_outbox *o, size_t len, struct nd_error *e)
{
	if (len <= DHCP_OUTBOX_MAX - o->len)
		return 0;
	return nd_fail(e, ND_LIMIT, "%zu bytes wait for the peer already", o->len);
}

static struct datagram *last_datagram(const struct dhcp_outbox *o)
{
	return nd_list_empty(&o->datagrams) ? NULL : container_of(o->datagrams.prev, struct datagram, link);
}

static struct datagram *add_datagram(struct dhcp_outbox *o)
{
	struct datagram *d = o->spare ? take_ptr(o->spare) : malloc(sizeof(*d));
	if (!d)
		return NULL;
	d->link = (struct nd_list){ NULL, NULL };
	d->w = nd_writer(d->bytes, sizeof(d->bytes));
	nd_write_u8(&d->w, 0); /* the flags, known when it is sent */
	nd_list_append(&o->datagrams, &d->link);
	o->len += d->w.pos;
	o->end = d->w.pos;
	return d;
}

int dhcp_outbox_begin(struct dhcp_outbox *o, enum dhcp_message_kind kind, size_t body_len,
		      struct nd_writer **ret, struct nd_error *e)
{
	assert(body_len >= rows[kind].min && body_len <= rows[kind].max);
	size_t len = dhcp_message_len(body_len);
	int r = dhcp_outbox_room(o, len, e);
	if (r < 0)
		return r;
	struct datagram *d = last_datagram(o);
	assert(!d || d->w.pos == o->end);
	if (!d || d->w.size - d->w.pos < len)
		d = add_datagram(o);
	if (!d)
		return nd_fail(e, ND_MEMORY, "message to the peer");
	nd_write_be16(&d->w, (uint16_t)kind);
	nd_write_be16(&d->w, (uint16_t)body_len);
	o->end = d->w.pos + body_len;
	o->len += len;
	*ret = &d->w;
	return 0;
}

static void drop_datagram(struct dhcp_outbox *o, struct datagram *d)
{
	o->len -= d->w.pos;
	nd_list_remove(&d->link);
	if (o->spare)
		free(d);
	else
		o->spare = d;
}

int dhcp_outbox_flush(struct dhcp_outbox *o, int fd, struct nd_error *e)
{
	struct datagram *d, *next;
	nd_list_foreach_safe(d, next, &o->datagrams, link) {
		struct iovec iov = { .iov_base = d->bytes, .iov_len = d->w.pos };
		d->bytes[0] = d->link.next == &o->datagrams ? 0 : FLAG_MORE;
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;
		do
			n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return nd_fail(e, ND_NOT_FOUND, "the peer is gone");
		if (n < 0)
			return nd_fail_sys(e, errno, NULL, "send");
		drop_datagram(o, d);
	}
	return 0;
}

int dhcp_outbox_put_hello(struct dhcp_outbox *o, struct nd_error *e)
{
	struct nd_writer *w;
	int r = dhcp_outbox_begin(o, DHCP_MESSAGE_HELLO, 4, &w, e);
	if (r < 0)
		return r;
	nd_write_be32(w, DHCP_MESSAGE_VERSION);
	return 0;
}

int dhcp_message_hello_check(struct nd_reader *body, struct nd_error *e)
{
	uint32_t version = nd_read_be32(body);
	if (version == DHCP_MESSAGE_VERSION)
		return 0;
	return nd_fail(e, ND_PROTOCOL, "protocol version %u, ours is %u", version, DHCP_MESSAGE_VERSION);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: netd's end of the channel to the DHCP worker
 *
 * Life cycle: dhcp_control_new takes a connected SOCK_SEQPACKET and queues the version; the worker answers with its own, which raises ops->ready; from then on
 * its records go to the ops, one call each. A channel that fails is freed by its owner, who kills the worker and starts another.
 *
 * The worker parses guests' packets and must be taken for hijacked: every field it sends is checked here before an op sees it. What an op must still check
 * is what only netd knows: that the network exists, the address is in its ranges, the interface is its bridge, and the frame is the server's own
 * (dhcp_frame_is_server).
 *
 * Typed sends only queue. The owner flushes with dhcp_control_on_writable at the end of its loop turn, so that all answers of one commit leave in one
 * datagram, and registers for writability while something is left.
 */
#include "base/mem.h"
#include "dhcp/dhcp.h"
#include "dhcp/message.h"
#include <assert.h>

struct dhcp_control {
	int fd;
	const struct dhcp_control_ops *ops; /* borrowed */
	void *arg;
	struct dhcp_outbox out;
	bool ready; /* the worker's version came */
	uint8_t in[DHCP_DATAGRAM_MAX];
};

static int wrap(struct nd_error *e, int r)
{
	return r < 0 ? nd_wrap_code(e, r, "DHCP worker") : r;
}

/* ---- what the worker says ---- */

static int on_hello(struct dhcp_control *c, struct nd_reader *body, struct nd_error *e)
{
	if (c->ready)
		return nd_fail(e, ND_PROTOCOL, "second hello");
	int r = dhcp_message_hello_check(body, e);
	if (r < 0)
		return r;
	c->ready = true;
	c->ops->ready(c->arg);
	return 0;
}

/* Return: the index, positive, or ND_PROTOCOL. */
static int read_ifindex(struct nd_reader *body, struct nd_error *e)
{
	uint32_t v = nd_read_be32(body);
	if (v == 0 || v > INT32_MAX)
		return nd_fail(e, ND_PROTOCOL, "interface index %u", v);
	return (int)v;
}

static int read_lease(struct nd_reader *body, struct dhcp_lease *ret, struct nd_error *e)
{
	struct nd_error why = ND_ERROR_INIT;
	char text[256];
	dhcp_wire_get_lease(body, ret);
	if (dhcp_lease_check(ret, &why) == 0)
		return 0;
	nd_error_format(&why, text, sizeof(text));
	return nd_fail(e, ND_PROTOCOL, "lease: %s", text);
}

static int on_send(struct dhcp_control *c, struct nd_reader *body, struct nd_error *e)
{
	int ifindex = read_ifindex(body, e);
	if (ifindex < 0)
		return ifindex;
	size_t len = nd_reader_left(body);
	c->ops->send(c->arg, ifindex, nd_read_view(body, len), len);
	return 0;
}

static int on_propose(struct dhcp_control *c, struct nd_reader *body, struct nd_error *e)
{
	struct dhcp_lease lease;
	uint64_t id = nd_read_be64(body);
	int ifindex = read_ifindex(body, e);
	if (ifindex < 0)
		return ifindex;
	int r = read_lease(body, &lease, e);
	if (r < 0)
		return r;
	size_t len = nd_reader_left(body);
	c->ops->propose(c->arg, id, &lease, ifindex, len ? nd_read_view(body, len) : NULL, len);
	return 0;
}

static int on_release(struct dhcp_control *c, struct nd_reader *body, struct nd_error *e)
{
	struct dhcp_lease lease;
	int r = read_lease(body, &lease, e);
	if (r < 0)
		return r;
	c->ops->release(c->arg, &lease);
	return 0;
}

static int on_notice(struct dhcp_control *c, struct nd_reader *body, struct nd_error *e)
{
	uint32_t network_id = nd_read_be32(body);
	size_t len = nd_reader_left(body);
	const char *text = (const char *)nd_read_view(body, len);
	for (size_t i = 0; i + 1 < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return nd_fail(e, ND_PROTOCOL, "notice with byte 0x%02x", (unsigned char)text[i]);
	if (text[len - 1] != '\0')
		return nd_fail(e, ND_PROTOCOL, "notice without an end");
	c->ops->notice(c->arg, network_id, text);
	return 0;
}

static int on_counters(struct dhcp_control *c, struct nd_reader *body, struct nd_error *e)
{
	struct dhcp_counters counters;
	dhcp_wire_get_counters(body, &counters);
	c->ops->counters(c->arg, &counters);
	return 0;
}

static int on_pong(struct dhcp_control *c, struct nd_reader *body, struct nd_error *e)
{
	c->ops->pong(c->arg, nd_read_be32(body));
	return 0;
}

static int (*const handlers[DHCP_MESSAGE_CNT_])(struct dhcp_control *, struct nd_reader *,
						struct nd_error *) = {
	[DHCP_MESSAGE_HELLO] = on_hello,     [DHCP_MESSAGE_SEND] = on_send,
	[DHCP_MESSAGE_PROPOSE] = on_propose, [DHCP_MESSAGE_RELEASE] = on_release,
	[DHCP_MESSAGE_NOTICE] = on_notice,   [DHCP_MESSAGE_COUNTERS] = on_counters,
	[DHCP_MESSAGE_PONG] = on_pong,
};

static int handle(struct dhcp_control *c, struct dhcp_message *m, struct nd_error *e)
{
	if (!c->ready && m->kind != DHCP_MESSAGE_HELLO)
		return nd_fail(e, ND_PROTOCOL, "before the hello");
	return handlers[m->kind](c, &m->body, e);
}

static int handle_datagram(struct dhcp_control *c, size_t len, size_t *cnt, struct nd_error *e)
{
	struct nd_reader datagram = nd_reader(c->in, len);
	struct dhcp_message m;
	bool more; /* concerns only the worker */
	int r = dhcp_message_open(&datagram, &more, e);
	if (r < 0)
		return r;
	while ((r = dhcp_message_next(&datagram, DHCP_SIDE_WORKER, &m, e)) > 0) {
		r = handle(c, &m, e);
		if (r < 0)
			return nd_wrap_code(e, r, "record '%s'", dhcp_message_kind_to_string(m.kind));
		++*cnt;
	}
	return r;
}

int dhcp_control_on_readable(struct dhcp_control *c, size_t max, struct nd_error *e)
{
	for (size_t cnt = 0; cnt < max;) {
		ssize_t n = dhcp_message_receive(c->fd, c->in, sizeof(c->in), e);
		int r = n > 0 ? handle_datagram(c, (size_t)n, &cnt, e) : (int)n;
		if (n <= 0 || r < 0)
			return wrap(e, r);
	}
	return 0;
}

/* ---- life cycle ---- */

int dhcp_control_new(int fd, const struct dhcp_control_ops *ops, void *arg, struct dhcp_control **ret,
		     struct nd_error *e)
{
	struct dhcp_control *c = malloc(sizeof(*c));
	if (!c) {
		close(fd);
		return nd_fail(e, ND_MEMORY, "channel to the DHCP worker");
	}
	c->fd = fd;
	c->ops = ops;
	c->arg = arg;
	c->ready = false;
	dhcp_outbox_init(&c->out);
	int r = dhcp_outbox_put_hello(&c->out, e);
	if (r < 0) {
		dhcp_control_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void dhcp_control_free(struct dhcp_control *c)
{
	if (!c)
		return;
	dhcp_outbox_done(&c->out);
	close(c->fd);
	free(c);
}

int dhcp_control_fd(const struct dhcp_control *c)
{
	return c->fd;
}

bool dhcp_control_wants_write(const struct dhcp_control *c)
{
	return !dhcp_outbox_is_empty(&c->out);
}

int dhcp_control_on_writable(struct dhcp_control *c, struct nd_error *e)
{
	return wrap(e, dhcp_outbox_flush(&c->out, c->fd, e));
}

/* ---- what netd says ---- */

static int begin(struct dhcp_control *c, enum dhcp_message_kind kind, size_t body_len, struct nd_writer **ret,
		 struct nd_error *e)
{
	return wrap(e, dhcp_outbox_begin(&c->out, kind, body_len, ret, e));
}

static int put_u32(struct dhcp_control *c, enum dhcp_message_kind kind, uint32_t v, struct nd_error *e)
{
	struct nd_writer *w;
	int r = begin(c, kind, 4, &w, e);
	if (r < 0)
		return r;
	nd_write_be32(w, v);
	return 0;
}

static int put_u64(struct dhcp_control *c, enum dhcp_message_kind kind, uint64_t v, struct nd_error *e)
{
	struct nd_writer *w;
	int r = begin(c, kind, 8, &w, e);
	if (r < 0)
		return r;
	nd_write_be64(w, v);
	return 0;
}

static int put_ranges(struct dhcp_control *c, const struct dhcp_network *n, struct nd_error *e)
{
	struct nd_writer *w;
	if (n->range_cnt == 0)
		return 0;
	int r = begin(c, DHCP_MESSAGE_NETWORK_RANGES, n->range_cnt * DHCP_WIRE_RANGE_LEN, &w, e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < n->range_cnt; i++)
		dhcp_wire_put_range(w, &n->ranges[i]);
	return 0;
}

static int put_hosts(struct dhcp_control *c, const struct dhcp_network *n, struct nd_error *e)
{
	struct nd_writer *w;
	for (uint32_t done = 0; done < n->host_cnt;) {
		uint32_t cnt = n->host_cnt - done;
		if (cnt > DHCP_HOSTS_PER_MESSAGE)
			cnt = DHCP_HOSTS_PER_MESSAGE;
		int r = begin(c, DHCP_MESSAGE_NETWORK_HOSTS, cnt * DHCP_WIRE_HOST_LEN, &w, e);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < cnt; i++)
			dhcp_wire_put_host(w, &n->hosts[done + i]);
		done += cnt;
	}
	return 0;
}

static int put_routes(struct dhcp_control *c, const struct dhcp_network *n, struct nd_error *e)
{
	struct nd_writer *w;
	if (n->route_cnt == 0)
		return 0;
	int r = begin(c, DHCP_MESSAGE_NETWORK_ROUTES, n->route_cnt * DHCP_WIRE_ROUTE_LEN, &w, e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < n->route_cnt; i++)
		dhcp_wire_put_route(w, &n->routes[i]);
	return 0;
}

static int put_boots(struct dhcp_control *c, const struct dhcp_network *n, struct nd_error *e)
{
	struct nd_writer *w;
	if (n->boot_cnt == 0)
		return 0;
	int r = begin(c, DHCP_MESSAGE_NETWORK_BOOTS, n->boot_cnt * DHCP_WIRE_BOOT_LEN, &w, e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < n->boot_cnt; i++)
		dhcp_wire_put_boot(w, &n->boots[i]);
	return 0;
}

/* An upper bound of a network's records, so that it is queued whole or not at all. */
static size_t network_len(const struct dhcp_network *n)
{
	return dhcp_message_len(DHCP_WIRE_NETWORK_LEN) +
	       dhcp_message_len((size_t)n->range_cnt * DHCP_WIRE_RANGE_LEN) +
	       n->host_cnt * dhcp_message_len(DHCP_WIRE_HOST_LEN) +
	       dhcp_message_len((size_t)n->route_cnt * DHCP_WIRE_ROUTE_LEN) +
	       dhcp_message_len((size_t)n->boot_cnt * DHCP_WIRE_BOOT_LEN) + dhcp_message_len(4);
}

int dhcp_control_network_set(struct dhcp_control *c, const struct dhcp_network *n, struct nd_error *e)
{
	struct nd_writer *w;
	if (n->range_cnt > DHCP_RANGES_MAX || n->host_cnt > DHCP_HOSTS_MAX || n->dns_cnt > DHCP_DNS_MAX)
		return nd_fail(e, ND_LIMIT, "%u ranges, %u reservations, %u DNS servers", n->range_cnt,
			       n->host_cnt, n->dns_cnt);
	if (n->route_cnt > DHCP_ROUTES_MAX || n->boot_cnt > DHCP_BOOT_CNT_)
		return nd_fail(e, ND_LIMIT, "%u routes, %u boot files", n->route_cnt, n->boot_cnt);
	int r = wrap(e, dhcp_outbox_room(&c->out, network_len(n), e));
	if (r < 0)
		return r;
	r = begin(c, DHCP_MESSAGE_NETWORK_BEGIN, DHCP_WIRE_NETWORK_LEN, &w, e);
	if (r < 0)
		return r;
	dhcp_wire_put_network(w, n);
	r = put_ranges(c, n, e);
	if (r < 0)
		return r;
	r = put_hosts(c, n, e);
	if (r < 0)
		return r;
	r = put_routes(c, n, e);
	if (r < 0)
		return r;
	r = put_boots(c, n, e);
	if (r < 0)
		return r;
	return put_u32(c, DHCP_MESSAGE_NETWORK_COMMIT, n->id, e);
}

int dhcp_control_network_del(struct dhcp_control *c, uint32_t id, struct nd_error *e)
{
	return put_u32(c, DHCP_MESSAGE_NETWORK_DEL, id, e);
}

int dhcp_control_port_set(struct dhcp_control *c, const struct dhcp_port *p, struct nd_error *e)
{
	struct nd_writer *w;
	int r = begin(c, DHCP_MESSAGE_PORT_SET, DHCP_WIRE_PORT_LEN, &w, e);
	if (r < 0)
		return r;
	dhcp_wire_put_port(w, p);
	return 0;
}

int dhcp_control_port_del(struct dhcp_control *c, uint32_t mark, struct nd_error *e)
{
	return put_u32(c, DHCP_MESSAGE_PORT_DEL, mark, e);
}

int dhcp_control_lease_load(struct dhcp_control *c, const struct dhcp_lease *l, struct nd_error *e)
{
	struct nd_writer *w;
	int r = begin(c, DHCP_MESSAGE_LEASE_LOAD, DHCP_WIRE_LEASE_LEN, &w, e);
	if (r < 0)
		return r;
	dhcp_wire_put_lease(w, l);
	return 0;
}

int dhcp_control_lease_free(struct dhcp_control *c, const struct nd_uuid *network, uint32_t ip4,
			    struct nd_error *e)
{
	struct nd_writer *w;
	int r = begin(c, DHCP_MESSAGE_LEASE_FREE, sizeof(network->b) + 4, &w, e);
	if (r < 0)
		return r;
	nd_write_bytes(w, network->b, sizeof(network->b));
	nd_write_be32(w, ip4);
	return 0;
}

int dhcp_control_ping(struct dhcp_control *c, uint32_t number, struct nd_error *e)
{
	return put_u32(c, DHCP_MESSAGE_PING, number, e);
}

int dhcp_control_stored(struct dhcp_control *c, uint64_t id, struct nd_error *e)
{
	return put_u64(c, DHCP_MESSAGE_STORED, id, e);
}

int dhcp_control_refused(struct dhcp_control *c, uint64_t id, struct nd_error *e)
{
	return put_u64(c, DHCP_MESSAGE_REFUSED, id, e);
}

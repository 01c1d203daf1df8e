/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_MESSAGE_H
#define ND_DHCP_MESSAGE_H
/*
 * DOC: what netd and the DHCP worker say to each other (private to dhcp/)
 *
 * A datagram of the SOCK_SEQPACKET channel is a flag byte and one or more records: kind (2 bytes), body length (2 bytes), body. Bodies are fixed fields in
 * network order, each kind with one row of lengths and directions. Both ends are the same program, so there is one version and no negotiation.
 */
#include "base/bytes.h"
#include "base/map.h"
#include "dhcp/config.h"
#include "dhcp/engine.h"
#include "dhcp/lease.h"
#include <sys/types.h>

#define DHCP_MESSAGE_VERSION   1u
#define DHCP_DATAGRAM_MAX      65536 /* a third of the default socket buffer, net.core.wmem_default */
#define DHCP_NOTICE_MAX        256   /* with the NUL */
#define DHCP_HOSTS_PER_MESSAGE 64
#define DHCP_OUTBOX_MAX        (64u << 20) /* bytes that may wait for the peer */

/* Bytes of the parts as written by the encoders below. */
#define DHCP_WIRE_IDENTITY_LEN (2 + DHCP_IDENTITY_MAX)
#define DHCP_WIRE_LEASE_LEN \
	(16 + 16 + 4 + 1 + DHCP_WIRE_IDENTITY_LEN + 6 + DHCP_HOSTNAME_MAX + DHCP_WIRE_IDENTITY_LEN + 8)
#define DHCP_WIRE_NETWORK_LEN \
	(4 + 16 + 4 + 6 + 4 + 1 + 4 + 4 * DHCP_DNS_MAX + 1 + DHCP_DOMAIN_MAX + 2 + 4 + 1 + 4 + 4 * 4)
#define DHCP_WIRE_RANGE_LEN    (4 + 4 + 4)
#define DHCP_WIRE_HOST_LEN     (1 + 6 + DHCP_HOSTNAME_MAX + DHCP_WIRE_IDENTITY_LEN + 4 + 4)
#define DHCP_WIRE_ROUTE_LEN    (4 + 1 + 4)
#define DHCP_WIRE_BOOT_LEN     (1 + DHCP_BOOT_FILE_MAX)
#define DHCP_WIRE_PORT_LEN     (4 + 4 + 16 + 6 + DHCP_HOSTNAME_MAX)
#define DHCP_WIRE_COUNTERS_LEN (sizeof(struct dhcp_counters))

enum dhcp_message_kind {
	DHCP_MESSAGE_HELLO,         /* first, both ways: version */
	DHCP_MESSAGE_NETWORK_BEGIN, /* netd: the network with the counts of what follows */
	DHCP_MESSAGE_NETWORK_RANGES,
	DHCP_MESSAGE_NETWORK_HOSTS,
	DHCP_MESSAGE_NETWORK_COMMIT, /* id: all there, take it up */
	DHCP_MESSAGE_NETWORK_DEL,    /* id */
	DHCP_MESSAGE_PORT_SET,
	DHCP_MESSAGE_PORT_DEL, /* mark */
	DHCP_MESSAGE_LEASE_LOAD,
	DHCP_MESSAGE_LEASE_FREE, /* network uuid, address */
	DHCP_MESSAGE_STORED,     /* proposal */
	DHCP_MESSAGE_REFUSED,    /* proposal */
	DHCP_MESSAGE_SEND,       /* worker: ifindex, frame */
	DHCP_MESSAGE_PROPOSE,    /* proposal, ifindex, lease, ACK frame or nothing */
	DHCP_MESSAGE_RELEASE,    /* lease */
	DHCP_MESSAGE_NOTICE,     /* network id, text with NUL */
	DHCP_MESSAGE_COUNTERS,
	DHCP_MESSAGE_NETWORK_ROUTES, /* netd: between BEGIN and COMMIT, too */
	DHCP_MESSAGE_NETWORK_BOOTS,
	DHCP_MESSAGE_PING, /* number */
	DHCP_MESSAGE_PONG, /* worker: the PING's number */
	DHCP_MESSAGE_CNT_
};
const char *dhcp_message_kind_to_string(int kind);

enum dhcp_message_side { DHCP_SIDE_NETD = 1, DHCP_SIDE_WORKER = 2 };

/* One record of a datagram: a view into the receive buffer. */
struct dhcp_message {
	enum dhcp_message_kind kind;
	struct nd_reader body;
};
/* Takes the flag byte off a datagram. *ret_more: the sender had more waiting when it sent this one. 0 or ND_PROTOCOL. */
int dhcp_message_open(struct nd_reader *datagram, bool *ret_more, struct nd_error *e);
/*
 * The next record of a datagram sent by `from`. The kind is one that side may send, and the body's length fits its row, so that reading the row's fixed
 * fields never overruns. Return: 1 with *ret set, 0 at the datagram's end, ND_PROTOCOL.
 */
int dhcp_message_next(struct nd_reader *datagram, enum dhcp_message_side from, struct dhcp_message *ret,
		      struct nd_error *e);
/* One datagram, non-blocking. Return: its length, 0 when none waits, ND_NOT_FOUND at the end of stream, ND_PROTOCOL for one that is too long or
 * carries file descriptors (which are never installed here), ND_SYSTEM. */
ssize_t dhcp_message_receive(int fd, uint8_t *buf, size_t size, struct nd_error *e);

/* Parts of bodies. The readers copy and zero on overrun; strings come out terminated; nothing else is checked. */
void dhcp_wire_put_lease(struct nd_writer *w, const struct dhcp_lease *l);
void dhcp_wire_get_lease(struct nd_reader *r, struct dhcp_lease *ret);
void dhcp_wire_put_network(struct nd_writer *w, const struct dhcp_network *n);
/* The arrays of ret are NULL; their counts are what the sender announced. */
void dhcp_wire_get_network(struct nd_reader *r, struct dhcp_network *ret);
void dhcp_wire_put_range(struct nd_writer *w, const struct dhcp_range *range);
void dhcp_wire_get_range(struct nd_reader *r, struct dhcp_range *ret);
void dhcp_wire_put_host(struct nd_writer *w, const struct dhcp_host *h);
void dhcp_wire_get_host(struct nd_reader *r, struct dhcp_host *ret);
void dhcp_wire_put_route(struct nd_writer *w, const struct dhcp_route *route);
void dhcp_wire_get_route(struct nd_reader *r, struct dhcp_route *ret);
void dhcp_wire_put_boot(struct nd_writer *w, const struct dhcp_boot *boot);
void dhcp_wire_get_boot(struct nd_reader *r, struct dhcp_boot *ret);
void dhcp_wire_put_port(struct nd_writer *w, const struct dhcp_port *p);
void dhcp_wire_get_port(struct nd_reader *r, struct dhcp_port *ret);
void dhcp_wire_put_counters(struct nd_writer *w, const struct dhcp_counters *c);
void dhcp_wire_get_counters(struct nd_reader *r, struct dhcp_counters *ret);

/*
 * What waits to be sent, in datagrams that are filled up before a new one is begun: a loop turn's records cost one system call.
 * Only dhcp_outbox_flush sends.
 */
struct dhcp_outbox {
	struct nd_list datagrams; /* oldest first */
	size_t len;               /* bytes of all datagrams */
	size_t end;               /* where the record begun last must end in the last datagram */
	void *spare;              /* one empty datagram kept for the next turn */
};
void dhcp_outbox_init(struct dhcp_outbox *o);
void dhcp_outbox_done(struct dhcp_outbox *o);
bool dhcp_outbox_is_empty(const struct dhcp_outbox *o);
/* Whether `len` bytes of records (headers included) may still wait. 0 or ND_LIMIT. */
int dhcp_outbox_room(const struct dhcp_outbox *o, size_t len, struct nd_error *e);
/* Begins a record; the caller writes exactly body_len bytes to *ret at once. Return: 0, ND_LIMIT, ND_MEMORY. */
int dhcp_outbox_begin(struct dhcp_outbox *o, enum dhcp_message_kind kind, size_t body_len,
		      struct nd_writer **ret, struct nd_error *e);
/* Sends until the socket is full. Return: 0 (all sent, or the rest waits), ND_NOT_FOUND when the peer is gone, ND_SYSTEM. */
int dhcp_outbox_flush(struct dhcp_outbox *o, int fd, struct nd_error *e);
/* Bytes of a record with this body. */
size_t dhcp_message_len(size_t body_len);
/* The version, as the first record. Return: as dhcp_outbox_begin. */
int dhcp_outbox_put_hello(struct dhcp_outbox *o, struct nd_error *e);
/* 0 or ND_PROTOCOL. */
int dhcp_message_hello_check(struct nd_reader *body, struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_DHCP_H
#define ND_DHCP_DHCP_H
/*
 * DOC: the DHCP server as netd sees it
 *
 * Four things: the packet sockets (dhcp_socket_*), netd's end of the channel to the worker (dhcp_control_*), the lease store (dhcp_store_*, blocking,
 * knows no thread), and the worker's main (dhcp_worker_main). What the worker sends is checked here before netd sees it: length, kind, lease_check; a worker that
 * breaks the protocol is killed and restarted by its supervisor.
 */
#include "dhcp/config.h"
#include "dhcp/engine.h"
#include "dhcp/lease.h"

/* ---- packet sockets ---- */
/* Receive-only DHCP socket for all networks: AF_PACKET SOCK_RAW ETH_P_IP unbound, PACKET_IGNORE_OUTGOING, PACKET_AUXDATA, SO_RCVMARK, BPF filter = IPv4 UDP to port 67,
 * not a fragment, of no VLAN, to us, (mark & mask) == base; SO_LOCK_FILTER. Non-blocking, the caller's to close. *ret_arp: a second one for answers to ARP probes
 * (filter: op reply to target address 0, RFC 5227 §1.1), NULL-able. Needs CAP_NET_RAW. */
int dhcp_socket_open(uint32_t mark_base, uint32_t mark_mask, int *ret_fd, int *ret_arp_fd,
		     struct nd_error *e);
/* netd's sending socket (protocol 0: receives nothing). */
int dhcp_socket_open_send(int *ret_fd, struct nd_error *e);
/* One finished frame; never blocks. ND_SYSTEM with ENETDOWN, ENXIO, ENOBUFS, EAGAIN is for the caller to count; ND_INVALID: shorter than an Ethernet header. */
int dhcp_socket_send(int fd, int ifindex, const uint8_t *frame, size_t len, struct nd_error *e);
/* What netd checks before it sends a worker's frame: Ethernet from server_mac, and IPv4 from server_ip4 UDP source port 67, or an ARP probe/request with
 * sender MAC server_mac and sender address 0. To port 68 or, for a relay, 67. 0 or ND_PROTOCOL. */
int dhcp_frame_is_server(const uint8_t *frame, size_t len, const struct nd_mac *server_mac,
			 uint32_t server_ip4, struct nd_error *e);

/* A finished ACK is given lease_s seconds where it says more (options 51, 58, 59; the checksum follows). frame has passed dhcp_frame_is_server. Return: 0, or
 * ND_PROTOCOL when it is no ACK with a lease time; then it is as it was. */
int dhcp_frame_shorten(uint8_t *frame, size_t len, uint32_t lease_s, struct nd_error *e);

/* ---- netd's end of the channel ---- */
struct dhcp_control;
/* Called from dhcp_control_on_readable; pointers are borrowed for the call. An op may queue messages, but not free the channel. */
struct dhcp_control_ops {
	void (*ready)(void *arg); /* worker is up, same protocol version */
	void (*send)(void *arg, int ifindex, const uint8_t *frame, size_t len);
	void (*propose)(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
			const uint8_t *ack /*NULL*/, size_t len);
	void (*release)(void *arg, const struct dhcp_lease *lease);
	void (*notice)(void *arg, uint32_t network_id, const char *text);
	void (*counters)(void *arg, const struct dhcp_counters *c); /* every 5 s when changed */
	void (*pong)(void *arg, uint32_t number); /* of a ping: all that was queued before it is done */
};
/* fd: taken, also on failure; non-blocking SOCK_SEQPACKET. ops, arg: borrowed. Messages wait in a queue (bounded at 64 MiB) until dhcp_control_on_writable: call it
 * at the end of the loop's turn, so that what a turn queued leaves in one datagram, and register for writability while dhcp_control_wants_write.
 * First message queued: the version. */
int dhcp_control_new(int fd, const struct dhcp_control_ops *ops, void *arg, struct dhcp_control **ret,
		     struct nd_error *e);
void dhcp_control_free(struct dhcp_control *c);
int dhcp_control_fd(const struct dhcp_control *c);
bool dhcp_control_wants_write(const struct dhcp_control *c);
/* Sends until the socket is full. Return: 0 (what is left waits), ND_NOT_FOUND when the worker is gone, ND_SYSTEM. */
int dhcp_control_on_writable(struct dhcp_control *c, struct nd_error *e);
/* At most max messages, but a datagram begun is finished (64 KiB). Return: 0, ND_PROTOCOL (kill it), ND_NOT_FOUND for end of stream. */
int dhcp_control_on_readable(struct dhcp_control *c, size_t max, struct nd_error *e);
/* Typed sends: they queue, and copy. ND_LIMIT when the queue is full, ND_MEMORY. network_set carries ranges and hosts in as many messages as needed.
 * The worker answers no guest between what was queued in one turn: queue a network and its stored leases together, then none of them is offered to another. */
int dhcp_control_network_set(struct dhcp_control *c, const struct dhcp_network *n, struct nd_error *e);
int dhcp_control_network_del(struct dhcp_control *c, uint32_t id, struct nd_error *e);
int dhcp_control_port_set(struct dhcp_control *c, const struct dhcp_port *p, struct nd_error *e);
int dhcp_control_port_del(struct dhcp_control *c, uint32_t mark, struct nd_error *e);
int dhcp_control_lease_load(struct dhcp_control *c, const struct dhcp_lease *l, struct nd_error *e);
int dhcp_control_lease_free(struct dhcp_control *c, const struct nd_uuid *network, uint32_t ip4,
			    struct nd_error *e);
/* A worker that hangs does not answer (ops->pong). */
int dhcp_control_ping(struct dhcp_control *c, uint32_t number, struct nd_error *e);
int dhcp_control_stored(struct dhcp_control *c, uint64_t id, struct nd_error *e);
int dhcp_control_refused(struct dhcp_control *c, uint64_t id, struct nd_error *e);

/* ---- the worker ---- */
/* argv after "--worker dhcp". Descriptors: 3 control, 4 DHCP packet socket, 5 ARP socket. Enters the sandbox (chroot to `root`, uid/gid), then serves until control closes.
 * Once in the sandbox it ends the process itself (_exit): 0 when netd closed its end, 1 when the channel or memory failed. Returns only before: 2 for wrong options,
 * 1 when the sandbox cannot be entered. SIGTERM, SIGINT and SIGHUP are ignored. Options: --root DIR --uid N --gid N (-1: keep) --foreign-mark N --clock-offset SECONDS
 * (from CLOCK_BOOTTIME to the clock that the ends of leases are told by). */
int dhcp_worker_main(int argc, char **argv);

/* ---- the lease store ---- */
/* SQLite, WAL, synchronous=FULL. Blocking: used only on the disk thread (and at start). Rows that are corrupt are skipped and counted, never fatal.
 * Errors: ND_SYSTEM with ENOSPC for a full disk (dhcp_store_abort, then it may be tried again), ND_PARSE for a damaged file, ND_BUSY, ND_MEMORY. */
struct dhcp_store;
/* Creates the file (0600) and its tables when absent. ND_PARSE: it is no database, or not ours, or damaged: dhcp_store_quarantine, then open again.
 * ND_UNSUPPORTED: written by another version of netd; it is left alone. */
int dhcp_store_open(const char *path, struct dhcp_store **ret, struct nd_error *e);
/* Renames path and its -wal and -shm to "<path>.corrupt-<time>[-n]"; the store must be closed. ret_new gets the new name. Return: 0, ND_LIMIT (ret_new too
 * small), ND_EXISTS, ND_SYSTEM. */
int dhcp_store_quarantine(const char *path, char *ret_new, size_t size, struct nd_error *e);
void dhcp_store_close(struct dhcp_store *s); /* NULL-safe */
int dhcp_store_begin(struct dhcp_store *s, struct nd_error *e);
int dhcp_store_commit(struct dhcp_store *s, struct nd_error *e); /* synced when it returns 0 */
void dhcp_store_abort(struct dhcp_store *s);
/* Inserts or replaces by (network, ip4); an older lease of the same identity on that network goes. */
int dhcp_store_put(struct dhcp_store *s, const struct dhcp_lease *l, struct nd_error *e);
/* The lease of an address. ND_NOT_FOUND; ND_PARSE for a corrupt row. */
int dhcp_store_find(struct dhcp_store *s, const struct nd_uuid *network, uint32_t ip4, struct dhcp_lease *ret,
		    struct nd_error *e);
int dhcp_store_delete(struct dhcp_store *s, const struct nd_uuid *network, uint32_t ip4, struct nd_error *e);
int dhcp_store_delete_port(struct dhcp_store *s, const struct nd_uuid *network, const struct nd_uuid *port,
			   uint32_t *ret_ip4 /*one of them; 0: none*/, struct nd_error *e);
int dhcp_store_delete_network(struct dhcp_store *s, const struct nd_uuid *network, struct nd_error *e);
int dhcp_store_delete_expired(struct dhcp_store *s, uint64_t before_s, struct nd_error *e);
/* network NULL: all. fn (which must not use the store) returns 0 to go on. ret_corrupt (may be NULL): rows skipped so far, also set on failure. ND_PARSE: the file is
 * damaged; what fn got before is good. */
int dhcp_store_each(struct dhcp_store *s, const struct nd_uuid *network,
		    int (*fn)(const struct dhcp_lease *l, void *arg), void *arg, size_t *ret_corrupt,
		    struct nd_error *e);
/* Small key-value table for netd's own choices ("subnet:<uuid>" → "192.168.123.1/24"). get: ND_NOT_FOUND; *ret heap. */
int dhcp_store_setting_put(struct dhcp_store *s, const char *key, const char *value /*NULL: delete*/,
			   struct nd_error *e);
int dhcp_store_setting_get(struct dhcp_store *s, const char *key, char **ret, struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_LISTENER_H
#define ND_BASE_LISTENER_H
/*
 * DOC: who of this host's processes listens on a port
 * TCP sockets in LISTEN and UDP sockets that are bound and not connected, of this network namespace.
 * Source: sock_diag(7), uapi linux/inet_diag.h.
 */
#include "base/addr.h"
#include "base/error.h"
#include <stddef.h>
#include <sys/types.h>

struct nd_listener {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	bool any;         /* bound to no address of its own */
	bool only6;       /* with any and AF_INET6: IPV6_V6ONLY */
	struct nd_ip ip;  /* 0.0.0.0 or :: with any */
	uint16_t port;
	uint32_t inode;
};
struct nd_listeners {
	struct nd_listener *p; /* heap */
	size_t cnt, size;
};
/* Four dumps, about 0.1 ms and what there is. *ret is the caller's, nd_listeners_done. ND_SYSTEM, ND_MEMORY. */
int nd_listeners_read(struct nd_listeners *ret, struct nd_error *e);
void nd_listeners_done(struct nd_listeners *l); /* NULL-safe */
/*
 * One that gets what is sent to ip:port. ip of the family asked for; with all zero bytes: any of its addresses but loopback ones. NULL: none.
 */
const struct nd_listener *nd_listeners_find(const struct nd_listeners *l, uint8_t protocol,
					    const struct nd_ip *ip, uint16_t port);
#define ND_HOLDER_LEN 64
/* "dnsmasq (pid 812)", or "a process that cannot be seen" where none has the socket open. Reads /proc: ms. Return: buf. */
const char *nd_listener_holder(const struct nd_listener *l, char buf[ND_HOLDER_LEN]);
#endif

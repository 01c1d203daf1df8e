/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_RESERVE_H
#define ND_DHCP_RESERVE_H
/*
 * DOC: a network's reservations, found by who asks and by address
 */
#include "base/map.h"
#include "dhcp/config.h"

/* Who asks for an address. Views and strings are borrowed. */
struct dhcp_who {
	const struct dhcp_identity *identity;
	const struct dhcp_identity *client_id; /* len 0: none sent */
	struct nd_mac mac;
	const char *hostname;  /* as sent, sanitised; "" none, or not to be believed */
	const char *port_name; /* "" none */
};

struct dhcp_reserves {
	struct dhcp_reserve *item; /* copies */
	uint32_t cnt;
	struct nd_map by_ip, by_mac, by_client_id, by_name;
};
void dhcp_reserves_init(struct dhcp_reserves *r);
void dhcp_reserves_done(struct dhcp_reserves *r);
/* hosts: copied. ND_MEMORY; r is then as init left it. Of two with one key the first one counts. */
int dhcp_reserves_set(struct dhcp_reserves *r, const struct dhcp_host *hosts, uint32_t cnt,
		      struct nd_error *e);
/* The reservation of this client: by client identifier, else MAC, else name. NULL: none. */
const struct dhcp_host *dhcp_reserves_find(const struct dhcp_reserves *r, const struct dhcp_who *who);
/* Who a client that is no port is here: its client identifier, if one is reserved for; its MAC, if one is reserved for that; else the client identifier it
 * sends, else its MAC. */
void dhcp_reserves_identity(const struct dhcp_reserves *r, const struct nd_mac *mac,
			    const struct dhcp_identity *client_id /* len 0: none */,
			    struct dhcp_identity *ret);
/* Whether one is for this MAC. */
bool dhcp_reserves_has_mac(const struct dhcp_reserves *r, const struct nd_mac *mac);
/* What names are compared by: the label that a guest of this name would be called, or the whole where it is no host name. */
void dhcp_reserve_name_key(const char *name, char ret[DHCP_HOSTNAME_MAX]);
/* The address of a node of by_ip. */
uint32_t dhcp_reserves_ip(const struct nd_map_node *n);
/* The first reservation of an address; NULL: it is not reserved. */
const struct dhcp_host *dhcp_reserves_find_ip(const struct dhcp_reserves *r, uint32_t ip4);
/* Whether a reservation is for a name only. */
bool dhcp_host_by_name(const struct dhcp_host *h);
#endif

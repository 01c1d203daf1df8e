/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_PROBE_H
#define ND_CORE_PROBE_H
/*
 * DOC: whether others' rules drop what a network needs
 *
 * A network's needs are rows: guests to the outside, the answers, connections from outside where it is routed or something is published. Each becomes a
 * described packet, sent through the ruleset on paper. A snapshot of the network is all that is needed, so this runs on a thread.
 */
#include "foreign/decide.h"
#include "foreign/place.h"
#include "netd/core/model.h"

#define PROBE_UPLINKS_MAX 4
#define PROBE_PUBLISH_MAX 8
struct probe_published {
	uint8_t protocol;
	struct nd_ip guest;
	uint16_t port;
};
struct probe_net {
	char name[64];
	struct nd_uuid uuid;
	char bridge[ND_IFNAMSIZ];
	int ifindex;
	bool out;  /* guests reach the outside */
	bool open; /* what is forwarded is not for netd to say */
	bool in;   /* the outside reaches guests, not only what is published */
	bool nat4, nat6;
	bool dhcp;
	uint32_t mtu;                                 /* 0: 1500 */
	struct nd_prefix address4, address6;          /* the bridge's; family 0: none */
	char uplinks[PROBE_UPLINKS_MAX][ND_IFNAMSIZ]; /* the only ones it is forwarded through; none: any */
	size_t uplink_cnt;
	struct probe_published published[PROBE_PUBLISH_MAX];
	size_t published_cnt;
	char zone[64]; /* <bridge zone=>, "" none */
};
/* Of an active network. */
void probe_net_take(const struct network *n, struct probe_net *ret);
/* An address that a guest of it could have; family 0: it has none of that family. */
struct nd_ip probe_guest(const struct probe_net *n, uint8_t family);

struct probe_drop {
	const char *what; /* "from guests to the outside" */
	uint8_t family;
	bool certain;
	enum foreign_owner owner;
	const struct foreign_chain *base; /* of the ruleset */
	char text[400];                   /* who drops what: table, chain, rule */
	char fix[200];                    /* the command that lets it pass */
	struct foreign_accept accept;     /* what netd would add where the owner has a place for it */
};
#define PROBE_DROPS_MAX 12
/* nl: for questions of routing. Return: how many of ret's PROBE_DROPS_MAX. */
size_t probe_network(const struct foreign_ruleset *rs, struct nd_nl *nl, const struct probe_net *n,
		     struct probe_drop *ret);
/* "table ip filter, chain FORWARD, rule 3 (handle 12): … (Docker)". Return: buf */
const char *probe_step_text(const struct foreign_step *s, char *buf, size_t size);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_EVENT_H
#define ND_CORE_EVENT_H
/*
 * DOC: events
 * What happened, numbered from 1, kept in a ring (EVENT_RING); subscribers are called once per event, on the loop, in order.
 * Kinds have stable names (event_kind_to_string), documented in docs/events.md.
 */
#include "base/addr.h"
#include "base/map.h"
#include <stdint.h>

#define EVENT_RING 1024

enum event_kind {
	EVENT_NETWORK_DEFINED,
	EVENT_NETWORK_UNDEFINED,
	EVENT_NETWORK_CHANGED,  /* a part of its definitions, not by a new definition */
	EVENT_NETWORK_METADATA, /* its title, description or an element of its metadata */
	EVENT_NETWORK_STARTED,
	EVENT_NETWORK_STOPPED,
	EVENT_NETWORK_DEGRADED,
	EVENT_NETWORK_RECOVERED,
	EVENT_NETWORK_SUBNET, /* an automatic subnet was chosen, or something about the subnet is worth saying */
	EVENT_PORT_EXPECTED, /* an external port was made, or its device left */
	EVENT_PORT_ATTACHED,
	EVENT_PORT_ENDED,
	EVENT_PORT_TAMPERED, /* its holder changed the device; it was put back or quarantined */
	EVENT_LEASE_ADDED,
	EVENT_LEASE_RENEWED,
	EVENT_LEASE_RELEASED, /* given back, grace over, or expired */
	EVENT_LEASE_REFUSED,  /* could not be stored */
	EVENT_DHCP_NOTICE,    /* pool full, conflict, cloned client-id */
	EVENT_REPAIRED,       /* something of ours that was gone or changed is back */
	EVENT_REPAIR_FAILED,
	EVENT_SYSCTL, /* a kernel setting was changed by netd */
	EVENT_WORKER_STARTED,
	EVENT_WORKER_DIED,
	EVENT_DNS_STARTED,
	EVENT_DNS_STOPPED, /* nobody needs it any more */
	EVENT_DNS_DIED,
	EVENT_DEFINITION_BROKEN,
	EVENT_FORWARD_TAKEN,           /* a port is not published: a process or another network has it */
	EVENT_FOREIGN_DROP,            /* another firewall of the host drops what a network needs */
	EVENT_FOREIGN_CLEARED,         /* none does any more */
	EVENT_FOREIGN_ACCEPT,          /* netd's accepts in others' places were set or removed */
	EVENT_HOST_BRIDGE_CREATED,     /* a NIC of the host is in a bridge of netd's making */
	EVENT_HOST_BRIDGE_CONFIRMED,   /* and stays */
	EVENT_HOST_BRIDGE_ROLLED_BACK, /* the NIC has what it had before, and why */
	EVENT_HOST_BRIDGE_REMOVED,
	EVENT_KIND_CNT_
};
const char *event_kind_to_string(int k); /* "network-started" … */
int event_kind_from_string(const char *s);

#define EVENT_URI_MAX 256 /* bytes with NUL; longer ones are cut */
struct event {
	uint64_t seq;     /* set by events_emit */
	uint64_t time_us; /* wall clock; set by events_emit */
	enum event_kind kind;
	char network[64]; /* name (cut), "" none */
	struct nd_uuid network_uuid;
	char port[64]; /* name or uuid, "" none */
	char ifname[ND_IFNAMSIZ];
	char mac[ND_MAC_STRLEN];
	char address[ND_IP_STRLEN];
	int metadata;            /* of EVENT_NETWORK_METADATA: enum change_metadata_type */
	char uri[EVENT_URI_MAX]; /* of EVENT_NETWORK_METADATA: the element's namespace, "" none */
	char text[256];          /* the sentence for people: what, to what, by whom, in how many ms */
};
struct events;
struct event_subscriber {
	struct nd_list link;
	struct events *ring; /* NULL: not subscribed */
	void (*fn)(struct event_subscriber *s, const struct event *ev);
};
struct events *events_new(void);
void events_free(struct events *r);
void events_emit(struct events *r, struct event *ev);
/* The same from parts; any may be NULL. network and port are names. */
struct network;
struct port;
void events_say(struct events *r, enum event_kind kind, const struct network *n, const struct port *p,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void events_subscribe(struct events *r, struct event_subscriber *s);
void events_unsubscribe(struct event_subscriber *s);
uint64_t events_last(const struct events *r);
uint64_t events_epoch(
	const struct events *r); /* microseconds since 1970 of events_new: which run the numbers are of */
/* Calls fn for each event after `after` that is still in the ring. Return: how many were already lost (0: none). */
uint64_t events_since(struct events *r, uint64_t after, void (*fn)(const struct event *ev, void *arg),
		      void *arg);
#endif

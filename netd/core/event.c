// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the ring of events and its subscribers.
 *
 * A ring slot is a heap copy, freed when it is overwritten, so that an idle daemon holds nothing. Each event is also one log line: an event is how
 * netd says what it did without being asked. A subscriber may unsubscribe itself (or be unsubscribed) while it is called.
 */
#include "netd/core/event.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/model.h"
#include <stdarg.h>
#include <time.h>

static const char *const event_kinds[EVENT_KIND_CNT_] = {
	[EVENT_NETWORK_DEFINED] = "network-defined",
	[EVENT_NETWORK_UNDEFINED] = "network-undefined",
	[EVENT_NETWORK_CHANGED] = "network-changed",
	[EVENT_NETWORK_METADATA] = "network-metadata",
	[EVENT_NETWORK_STARTED] = "network-started",
	[EVENT_NETWORK_STOPPED] = "network-stopped",
	[EVENT_NETWORK_DEGRADED] = "network-degraded",
	[EVENT_NETWORK_RECOVERED] = "network-recovered",
	[EVENT_NETWORK_SUBNET] = "network-subnet",
	[EVENT_PORT_EXPECTED] = "port-expected",
	[EVENT_PORT_ATTACHED] = "port-attached",
	[EVENT_PORT_ENDED] = "port-ended",
	[EVENT_PORT_TAMPERED] = "port-tampered",
	[EVENT_LEASE_ADDED] = "lease-added",
	[EVENT_LEASE_RENEWED] = "lease-renewed",
	[EVENT_LEASE_RELEASED] = "lease-released",
	[EVENT_LEASE_REFUSED] = "lease-refused",
	[EVENT_DHCP_NOTICE] = "dhcp-notice",
	[EVENT_REPAIRED] = "repaired",
	[EVENT_REPAIR_FAILED] = "repair-failed",
	[EVENT_SYSCTL] = "sysctl-set",
	[EVENT_WORKER_STARTED] = "worker-started",
	[EVENT_WORKER_DIED] = "worker-died",
	[EVENT_DNS_STARTED] = "dns-started",
	[EVENT_DNS_STOPPED] = "dns-stopped",
	[EVENT_DNS_DIED] = "dns-died",
	[EVENT_DEFINITION_BROKEN] = "definition-broken",
	[EVENT_FORWARD_TAKEN] = "forward-taken",
	[EVENT_FOREIGN_DROP] = "foreign-drop",
	[EVENT_FOREIGN_CLEARED] = "foreign-cleared",
	[EVENT_FOREIGN_ACCEPT] = "foreign-accept",
	[EVENT_HOST_BRIDGE_CREATED] = "host-bridge-created",
	[EVENT_HOST_BRIDGE_CONFIRMED] = "host-bridge-confirmed",
	[EVENT_HOST_BRIDGE_ROLLED_BACK] = "host-bridge-rolled-back",
	[EVENT_HOST_BRIDGE_REMOVED] = "host-bridge-removed",
};
ND_STRTAB(event_kind, event_kinds)

/* An emit under way. A subscriber may emit too: then there are several. */
struct walk {
	struct walk *outer;
	struct nd_list *next; /* the subscriber it calls next */
};

struct events {
	struct event *ring[EVENT_RING]; /* slot = seq % EVENT_RING; NULL: never used */
	uint64_t last, epoch;
	struct nd_list subscribers;
	struct walk *walks; /* innermost first */
};

static uint64_t wall_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

struct events *events_new(void)
{
	struct events *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	nd_list_init(&r->subscribers);
	r->epoch = wall_us();
	return r;
}

void events_free(struct events *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < EVENT_RING; i++)
		free(r->ring[i]);
	free(r);
}

static void log_event(const struct event *ev)
{
	bool bad = ev->kind == EVENT_HOST_BRIDGE_ROLLED_BACK || ev->kind == EVENT_NETWORK_DEGRADED ||
		   ev->kind == EVENT_REPAIR_FAILED || ev->kind == EVENT_WORKER_DIED ||
		   ev->kind == EVENT_DNS_DIED || ev->kind == EVENT_PORT_TAMPERED ||
		   ev->kind == EVENT_DEFINITION_BROKEN || ev->kind == EVENT_FOREIGN_DROP ||
		   ev->kind == EVENT_LEASE_REFUSED;
	nd_log(bad ? ND_LOG_WARNING : ND_LOG_INFO, "%s%s%s%s%s: %s", event_kind_to_string(ev->kind),
	       ev->network[0] ? " network=" : "", ev->network, ev->port[0] ? " port=" : "", ev->port,
	       ev->text);
}

void events_emit(struct events *r, struct event *ev)
{
	ev->seq = ++r->last;
	ev->time_us = wall_us();
	log_event(ev);
	struct event **slot = &r->ring[ev->seq % EVENT_RING];
	if (!*slot)
		*slot = malloc(sizeof **slot);
	if (*slot)
		**slot = *ev;
	struct walk walk = { .outer = r->walks, .next = r->subscribers.next };
	r->walks = &walk;
	while (walk.next != &r->subscribers) {
		struct event_subscriber *s = container_of(walk.next, struct event_subscriber, link);
		walk.next = walk.next->next;
		s->fn(s, ev);
	}
	r->walks = walk.outer;
}

static void name_port(struct event *ev, const struct port *p)
{
	char uuid[ND_UUID_STRLEN];
	nd_strcpy(ev->port, sizeof ev->port, p->name[0] ? p->name : nd_uuid_to_string(&p->uuid, uuid));
	nd_strcpy(ev->ifname, sizeof ev->ifname, p->ifname);
	nd_mac_to_string(&p->mac, ev->mac);
	if (p->ip4)
		nd_ip4_to_string(p->ip4, ev->address);
}

void events_say(struct events *r, enum event_kind kind, const struct network *n, const struct port *p,
		const char *fmt, ...)
{
	struct event ev = { .kind = kind };
	if (p && !n)
		n = p->network;
	if (n) {
		nd_strcpy(ev.network, sizeof ev.network, n->name);
		ev.network_uuid = n->uuid;
	}
	if (p)
		name_port(&ev, p);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof ev.text, fmt, ap);
	va_end(ap);
	events_emit(r, &ev);
}

void events_subscribe(struct events *r, struct event_subscriber *s)
{
	s->ring = r;
	nd_list_append(&r->subscribers, &s->link);
}

void events_unsubscribe(struct event_subscriber *s)
{
	if (!s->ring)
		return;
	for (struct walk *w = s->ring->walks; w; w = w->outer) {
		if (w->next == &s->link)
			w->next = s->link.next;
	}
	nd_list_remove(&s->link);
	s->ring = NULL;
}

uint64_t events_last(const struct events *r)
{
	return r->last;
}

uint64_t events_epoch(const struct events *r)
{
	return r->epoch;
}

uint64_t events_since(struct events *r, uint64_t after, void (*fn)(const struct event *ev, void *arg),
		      void *arg)
{
	uint64_t first = r->last > EVENT_RING ? r->last - EVENT_RING + 1 : 1, lost = 0;
	if (after >= r->last) /* also a number of an earlier run */
		return 0;
	if (after + 1 < first) {
		lost = first - after - 1;
		after = first - 1;
	}
	for (uint64_t seq = after + 1; seq <= r->last; seq++) {
		const struct event *ev = r->ring[seq % EVENT_RING];
		if (ev && ev->seq == seq)
			fn(ev, arg);
	}
	return lost;
}

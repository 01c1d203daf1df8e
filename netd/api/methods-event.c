// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: Monitor
 *
 * The client says which event it saw last; it gets how many it missed for good, those the ring still has, and
 * then each as it happens. What is sent now and what comes later join without a gap, since nothing else runs
 * between the walk of the ring and the subscription. Numbers begin again with each daemon, so one comes with
 * its epoch: a client that has been there before does not take another daemon's numbers for its own. A client
 * that does not read is told so and cut (conn.c): the ring lets it come back with the number it has.
 */
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/event.h"

struct monitor {
	struct event_subscriber sub;
	struct call *call;
};

static json_t *event_reply(const struct event *ev)
{
	char uuid[ND_UUID_STRLEN];
	struct out event = out_new(), b = out_new();

	out_int(&event, "sequence", (long long)ev->seq);
	out_int(&event, "time", (long long)ev->time_us);
	out_string(&event, "kind", event_kind_to_string(ev->kind));
	out_string(&event, "network", ev->network);
	if (!nd_uuid_is_zero(&ev->network_uuid))
		out_string(&event, "networkUuid", nd_uuid_to_string(&ev->network_uuid, uuid));
	out_string(&event, "port", ev->port);
	out_string(&event, "interface", ev->ifname);
	out_string(&event, "mac", ev->mac);
	out_string(&event, "address", ev->address);
	out_string(&event, "text", ev->text);
	out_object(&b, "event", out_take(&event));
	return out_take(&b);
}

/* Under ENOMEM the event is left out: its number's hole tells the client. */
static void send_event(const struct event *ev, void *arg)
{
	json_t *reply = event_reply(ev);

	if (reply)
		call_continue(arg, reply);
}

static void on_event(struct event_subscriber *s, const struct event *ev)
{
	send_event(ev, container_of(s, struct monitor, sub)->call);
}

static void on_gone(void *arg)
{
	struct monitor *m = arg;

	events_unsubscribe(&m->sub);
	free(m);
}

static void count_event(const struct event *ev, void *arg)
{
}

void method_monitor(struct call *call, const json_t *in)
{
	struct core *c = call_arg(call);
	uint64_t last = events_last(c->events);
	long long after = api_get_int(in, "after", (long long)last);
	long long epoch = (long long)events_epoch(c->events);
	struct monitor *m;
	struct out b;
	json_t *first;

	/* Of another daemon's events this one knows nothing, but of its own the client knows none. */
	if (after > 0 && api_get_int(in, "epoch", epoch) != epoch)
		after = 0;
	if (after < 0) {
		call_fail_parameter(call, "after");
		return;
	}
	m = calloc(1, sizeof(*m));
	b = out_new();
	out_int(&b, "epoch", epoch);
	out_int(&b, "last", (long long)last);
	out_int(&b, "lost", (long long)events_since(c->events, (uint64_t)after, count_event, NULL));
	first = out_take(&b);
	if (!m || !first) {
		free(m);
		json_decref(first);
		call_reply_new(call, NULL);
		return;
	}
	call_continue(call, first);
	events_since(c->events, (uint64_t)after, send_event, call);
	m->call = call;
	m->sub.fn = on_event;
	events_subscribe(c->events, &m->sub);
	call_on_gone(call, on_gone, m);
}

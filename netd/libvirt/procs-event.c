// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: events of networks
 *
 * A client registers callbacks, each for one kind and for all networks or one; it gets one message per event
 * and callback that fits. A row says which event of the core is which of libvirt's; netd's other events have
 * no word there: that a part of a definition was changed, or its autostart, libvirt does not tell either.
 */
#include "base/mem.h"
#include "netd/libvirt/procs.h"

enum event_id { EVENT_ID_LIFECYCLE, EVENT_ID_METADATA_CHANGE, EVENT_ID_CNT };

/* What follows the network in a message. */
static void put_lifecycle(struct nd_buf *b, const struct event *ev, int number)
{
	xdr_put_int(b, number);
	xdr_put_int(b, 0); /* libvirt has no details of networks' events */
}

static void put_metadata(struct nd_buf *b, const struct event *ev, int number)
{
	xdr_put_int(b, ev->metadata);
	xdr_put_string_or_none(b, ev->uri[0] ? ev->uri : NULL);
}

static const struct event_row {
	enum event_kind kind;
	enum event_id id;
	uint32_t proc;
	void (*put)(struct nd_buf *b, const struct event *ev, int number);
	int number; /* enum virNetworkEventLifecycleType */
} event_rows[] = {
	{ EVENT_NETWORK_DEFINED, EVENT_ID_LIFECYCLE, PROC_EVENT_LIFECYCLE, put_lifecycle, 0 },
	{ EVENT_NETWORK_UNDEFINED, EVENT_ID_LIFECYCLE, PROC_EVENT_LIFECYCLE, put_lifecycle, 1 },
	{ EVENT_NETWORK_STARTED, EVENT_ID_LIFECYCLE, PROC_EVENT_LIFECYCLE, put_lifecycle, 2 },
	{ EVENT_NETWORK_STOPPED, EVENT_ID_LIFECYCLE, PROC_EVENT_LIFECYCLE, put_lifecycle, 3 },
	{ EVENT_NETWORK_METADATA, EVENT_ID_METADATA_CHANGE, PROC_EVENT_METADATA_CHANGE, put_metadata, 0 },
};

static void send_event(struct libvirt_session *s, int callback, const struct event_row *row,
		       const struct event *ev)
{
	/* The event's name may be cut; the network is still there when it is undefined. */
	const struct network *n = model_network_by_uuid(s->core->model, &ev->network_uuid);
	struct nd_buf *b = session_event_begin(s, row->proc);

	xdr_put_int(b, callback);
	xdr_put_network(b, n ? n->name : ev->network, &ev->network_uuid);
	row->put(b, ev, row->number);
	session_event_end(s);
}

void procs_on_event(struct event_subscriber *sub, const struct event *ev)
{
	struct libvirt_session *s = container_of(sub, struct libvirt_session, events);
	const struct session_callback *cb;

	for (size_t i = 0; i < ARRAY_LEN(event_rows); i++) {
		if (event_rows[i].kind != ev->kind)
			continue;
		nd_list_foreach(cb, &s->callbacks, link) {
			if (cb->event == (int)event_rows[i].id &&
			    (!cb->one || nd_uuid_equal(&cb->network, &ev->network_uuid)))
				send_event(s, cb->id, &event_rows[i], ev);
		}
	}
}

void proc_event_register(struct proc_call *call, struct network *n)
{
	struct libvirt_session *s = call->session;
	bool one = call->in[1].network.name != NULL;
	struct session_callback *cb;
	unsigned max;

	if (call->in[0].i < 0 || call->in[0].i >= EVENT_ID_CNT) {
		proc_fail(call, LIBVIRT_INTERNAL, "unsupported network event ID %d", call->in[0].i);
		return;
	}
	if (one && !proc_network(call, &call->in[1].network))
		return;
	max = s->peer.level >= ACCESS_ADMIN ? SESSION_CALLBACK_MAX : OTHERS_CALLBACK_MAX;
	if (s->callback_cnt == max) {
		proc_fail(call, LIBVIRT_OPERATION_FAILED, "this client may register %u callbacks at most",
			  max);
		return;
	}
	cb = calloc(1, sizeof *cb);
	if (!cb) {
		proc_fail(call, LIBVIRT_NO_MEMORY, "event callback");
		return;
	}
	cb->id = s->callback_next;
	cb->event = call->in[0].i;
	cb->one = one;
	cb->network = call->in[1].network.uuid;
	nd_list_append(&s->callbacks, &cb->link);
	s->callback_cnt++;
	s->callback_next = s->callback_next == INT32_MAX ? 0 : s->callback_next + 1;
	session_events(s, true);
	proc_reply_int(call, cb->id);
}

static void forget(struct libvirt_session *s, struct session_callback *cb)
{
	nd_list_remove(&cb->link);
	free(cb);
	s->callback_cnt--;
	if (s->callback_cnt == 0)
		session_events(s, false);
}

void proc_event_deregister(struct proc_call *call, struct network *n)
{
	struct libvirt_session *s = call->session;
	struct session_callback *cb;

	nd_list_foreach(cb, &s->callbacks, link) {
		if (cb->id != call->in[0].i)
			continue;
		forget(s, cb);
		proc_reply_void(call);
		return;
	}
	proc_fail(call, LIBVIRT_INTERNAL, "network event callback %d not registered", call->in[0].i);
}

void procs_event_forget(struct libvirt_session *s)
{
	while (!nd_list_empty(&s->callbacks))
		forget(s, container_of(s->callbacks.next, struct session_callback, link));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the methods on published ports
 */
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/change.h"
#include "netd/core/publish.h"

#define PORT_MAX 65535

/* p's guest is borrowed from in. On failure the call has been answered. */
static bool read_publish(struct call *call, const json_t *in, struct netdef_publish *p)
{
	static const struct {
		const char *name;
		size_t offset;
		bool needed;
	} ports[] = {
		{ "port", offsetof(struct netdef_publish, port), true },
		{ "portEnd", offsetof(struct netdef_publish, port_end), false },
		{ "guestPort", offsetof(struct netdef_publish, guest_port), false },
	};
	const char *protocol = api_get_string(in, "protocol"), *address = api_get_string(in, "address");
	int word = protocol ? netdef_protocol_from_string(protocol) : NETDEF_PROTOCOL_TCP;

	*p = (struct netdef_publish){ .protocol = (uint8_t)word,
				      .guest = (char *)api_get_string(in, "guest") };
	if (word <= NETDEF_PROTOCOL_UNSAID) {
		call_fail_parameter(call, "protocol");
		return false;
	}
	if (address && nd_ip_from_string(address, &p->address) < 0) {
		call_fail_parameter(call, "address");
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		long long v = api_get_int(in, ports[i].name, 0);

		if (v < ports[i].needed || v > PORT_MAX) {
			call_fail_parameter(call, ports[i].name);
			return false;
		}
		*(uint32_t *)((char *)p + ports[i].offset) = (uint32_t)v;
	}
	return true;
}

static void change_forward(struct call *call, const json_t *in, bool remove)
{
	struct netdef_publish p;
	struct change_publish what = { .remove = remove, .publish = &p };
	struct network *n;

	if (!read_publish(call, in, &p))
		return;
	what.targets = (api_get_bool(in, "live", false) ? CHANGE_LIVE : 0) |
		       (api_get_bool(in, "config", false) ? CHANGE_CONFIG : 0);
	n = methods_find_network(call, api_get_string(in, "network"));
	if (n)
		change_publish(call_arg(call), n, &what,
			       (struct network_done){ methods_on_network, call, call_again });
}

void method_add_forward(struct call *call, const json_t *in)
{
	change_forward(call, in, false);
}

void method_remove_forward(struct call *call, const json_t *in)
{
	change_forward(call, in, true);
}

struct listing {
	const struct network *n;
	json_t *list;
	bool bad;
};

static void list_one(void *arg, const struct publish_status *s)
{
	const struct netdef_publish *p = s->publish;
	struct listing *l = arg;
	struct out b = out_new();
	char ip[ND_IP_STRLEN];

	out_string(&b, "network", l->n->name);
	out_string(&b, "protocol",
		   netdef_protocol_to_string(p->protocol ? p->protocol : NETDEF_PROTOCOL_TCP));
	if (p->address.family)
		out_string(&b, "address", nd_ip_to_string(&p->address, ip));
	out_int(&b, "port", p->port);
	out_int(&b, "portEnd", p->port_end ? p->port_end : p->port);
	out_string(&b, "guest", p->guest);
	out_int(&b, "guestPort", p->guest_port ? p->guest_port : p->port);
	if (s->guest.family)
		out_string(&b, "guestAddress", nd_ip_to_string(&s->guest, ip));
	out_string(&b, "state", publish_state_to_string(s->state));
	out_string(&b, "reason", s->why);
	l->bad = json_array_append_new(l->list, out_take(&b)) < 0 || l->bad;
}

void method_list_forwards(struct call *call, const json_t *in)
{
	const char *key = api_get_string(in, "network");
	struct core *c = call_arg(call);
	struct listing l = { NULL, json_array(), false };
	struct network *n = NULL;
	struct out b;

	if (key) {
		n = methods_find_network(call, key);
		if (!n) {
			json_decref(l.list);
			return;
		}
		l.n = n;
		publish_each(c, n, list_one, &l);
	} else {
		nd_list_foreach(n, &c->model->networks, all) {
			l.n = n;
			publish_each(c, n, list_one, &l);
		}
	}
	b = out_new();
	b.bad |= l.bad;
	out_object(&b, "forwards", l.list);
	call_reply_new(call, out_take(&b));
}

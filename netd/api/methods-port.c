// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the methods on ports
 *
 * Attach answers with open descriptors: they are the caller's lease on the device, and netd keeps none. They
 * leave beside the reply or are closed with it, so a client that died meanwhile leaves nothing behind.
 */
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/attach.h"
#include "netd/core/external.h"
#include "netd/core/plan.h"
#include "netd/core/port.h"

#define ETHERNET_MTU 1500 /* the kernel's, where the network names none */

json_t *methods_port(const struct port *p)
{
	char uuid[ND_UUID_STRLEN], mac[ND_MAC_STRLEN], ip[ND_IP_STRLEN];
	const struct network_plan *plan = p->network->plan;
	const struct netdef *live = p->network->live;
	struct out b = out_new();

	out_string(&b, "uuid", nd_uuid_to_string(&p->uuid, uuid));
	out_string(&b, "name", p->name);
	out_string(&b, "network", p->network->name);
	out_string(&b, "networkUuid", nd_uuid_to_string(&p->network->uuid, uuid));
	out_string(&b, "mac", nd_mac_to_string(&p->mac, mac));
	out_string(&b, "interface", p->ifname);
	if (p->ifindex)
		out_int(&b, "ifindex", p->ifindex);
	out_string(&b, "lowerDevice", p->external && p->def ? p->def->dev : p->dev);
	if (p->ip4)
		out_string(&b, "address", nd_ip4_to_string(p->ip4, ip));
	out_string(&b, "state", port_state_to_string(p->state));
	uint32_t mtu = plan ? plan->mtu : live ? live->mtu : 0;
	out_bool(&b, "external", p->external);
	if (p->external)
		out_string(&b, "owner", p->def->owner_name);
	out_int(&b, "mtu", mtu ? mtu : ETHERNET_MTU);
	out_int(&b, "queues", p->queue_cnt);
	out_bool(&b, "vnetHeader", p->vnet_hdr);
	out_bool(&b, "macGuard", p->mac_guard);
	out_int(&b, "ownerUid", p->owner_uid);
	out_int(&b, "ownerPid", p->owner_pid);
	out_int(&b, "since", (long long)p->since_s);
	return out_take(&b);
}

static bool append_ports(json_t *list, const struct network *n)
{
	struct port *p;

	nd_list_foreach(p, &n->ports, siblings)
		if (json_array_append_new(list, methods_port(p)) < 0)
			return false;
	return true;
}

void method_list_ports(struct call *call, const json_t *in)
{
	const char *key = api_get_string(in, "network");
	struct core *c = call_arg(call);
	struct network *n = NULL;
	json_t *list;
	struct out b;

	if (key) {
		n = methods_find_network(call, key);
		if (!n)
			return;
	}
	b = out_new();
	list = json_array();
	if (n) {
		b.bad = !append_ports(list, n) || b.bad;
	} else {
		nd_list_foreach(n, &c->model->networks, all)
			b.bad = !append_ports(list, n) || b.bad;
	}
	out_object(&b, "ports", list);
	call_reply_new(call, out_take(&b));
}

struct port *methods_find_port(struct call *call, const char *key)
{
	struct core *c = call_arg(call);
	struct port *p = model_port_find(c->model, key);
	struct nd_error e = ND_ERROR_INIT;

	if (p)
		return p;
	nd_fail(&e, ND_NOT_FOUND, "port '%s': no port has this uuid, name, interface or MAC", key);
	call_fail(call, &e);
	return NULL;
}

/* In all, and those that there are by reason. */
static bool put_drops(struct core *c, const struct port *p, json_t *record)
{
	uint64_t drops[NAT_DROP_CNT_], sum = 0;
	json_t *list;
	bool ok = true;

	if (port_drops(c, p, drops, NULL) < 0)
		return true;
	list = json_array();
	for (unsigned i = 0; i < NAT_DROP_CNT_; i++) {
		struct out b;

		if (!drops[i])
			continue;
		sum += drops[i];
		b = out_new();
		out_string(&b, "name", nat_drop_to_string((int)i));
		out_int(&b, "value", (long long)drops[i]);
		ok = json_array_append_new(list, out_take(&b)) == 0 && ok;
	}
	return json_object_set_new_nocheck(record, "drops", json_integer((json_int_t)sum)) == 0 &&
	       json_object_set_new_nocheck(record, "dropReasons", list) == 0 && ok;
}

void method_get_port(struct call *call, const json_t *in)
{
	struct core *c = call_arg(call);
	struct port *p = methods_find_port(call, api_get_string(in, "port"));
	json_t *record;
	struct out b;

	if (!p)
		return;
	record = methods_port(p);
	b = out_new();
	/*
	 * A port whose rules are just being repaired has no counter; everything else about it is still worth
	 * telling.
	 */
	b.bad = record && !put_drops(c, p, record);
	out_object(&b, "port", record);
	call_reply_new(call, out_take(&b));
}

static json_t *indexes(size_t cnt)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cnt; i++)
		if (json_array_append_new(list, json_integer((json_int_t)i)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static void on_attached(void *arg, struct port *port, int *fds, size_t cnt, const struct nd_error *e)
{
	struct call *call = arg;
	json_t *out;
	struct out b;

	if (e && e->code) {
		call_fail(call, e);
		return;
	}
	b = out_new();
	out_object(&b, "port", methods_port(port));
	out_object(&b, "tapFileDescriptors", indexes(cnt));
	out_object(&b, "vhostFileDescriptors", json_array());
	out = out_take(&b);
	if (out) {
		call_reply_fds(call, out, fds, cnt);
		return;
	}
	for (size_t i = 0; i < cnt; i++)
		close(fds[i]);
	call_reply_new(call, NULL);
}

void method_attach(struct call *call, const json_t *in)
{
	const struct call_peer *peer = call_peer(call);
	long long queues = api_get_int(in, "queues", 1);
	struct attach_request req = {
		.network = api_get_string(in, "network"),
		.name = api_get_string(in, "name"),
		.portgroup = api_get_string(in, "portgroup"),
		.ifname = api_get_string(in, "interfaceName"),
		.vnet_hdr = api_get_bool(in, "vnetHeader", true),
		.mac_guard = api_get_bool(in, "macGuard", true),
		.uid = peer->cred.uid,
		.pid = peer->cred.pid,
	};
	struct nd_error e = ND_ERROR_INIT;

	if (!methods_mac(call, api_get_string(in, "mac"), &req.mac, &req.mac_set))
		return;
	if (queues < 1 || queues > TAP_QUEUES_MAX) {
		nd_fail(&e, ND_INVALID, "queues: %lld is not within 1 and %d", queues, TAP_QUEUES_MAX);
		call_fail(call, &e);
		return;
	}
	req.queue_cnt = (uint16_t)queues;
	attach(call_arg(call), &req, (struct attach_done){ on_attached, call });
}

static void on_warning(void *arg, const struct netdef_warning *w)
{
	struct out b = out_new();

	out_int(&b, "line", w->line);
	out_object(&b, "element", api_string(w->element));
	out_object(&b, "text", api_string(w->text));
	json_array_append_new(arg, out_take(&b));
}

void method_create_port(struct call *call, const json_t *in)
{
	const struct call_peer *peer = call_peer(call);
	const json_t *xml = json_object_get(in, "xml");
	struct external_request req = {
		.xml = json_string_value(xml),
		.len = json_string_length(xml),
		.reclaim = api_get_bool(in, "reclaim", false),
		.validate = api_get_bool(in, "validate", false),
		.warn = on_warning,
		.uid = peer->cred.uid,
		.pid = peer->cred.pid,
	};
	struct network *n = methods_find_network(call, api_get_string(in, "network"));
	struct nd_error e = ND_ERROR_INIT;
	struct port *p = NULL;
	json_t *warnings;
	struct out b;

	if (!n)
		return;
	warnings = json_array();
	req.arg = warnings;
	if (external_create(call_arg(call), n, &req, &p, &e) < 0) {
		json_decref(warnings);
		call_fail(call, &e);
		return;
	}
	b = out_new();
	out_object(&b, "port", methods_port(p));
	out_object(&b, "warnings", warnings);
	call_reply_new(call, out_take(&b));
}

void method_dump_port(struct call *call, const json_t *in)
{
	struct port *p = methods_find_port(call, api_get_string(in, "port"));
	struct nd_buf xml = { .max = 0 };
	struct nd_error e = ND_ERROR_INIT;
	struct out b;

	if (!p)
		return;
	if (external_format(p, &xml, &e) < 0) {
		call_fail(call, &e);
	} else {
		b = out_new();
		b.bad = xml.bad || b.bad;
		out_object(&b, "xml", api_string(nd_buf_string(&xml)));
		call_reply_new(call, out_take(&b));
	}
	nd_buf_done(&xml);
}

void method_detach(struct call *call, const json_t *in)
{
	struct port *p = methods_find_port(call, api_get_string(in, "port"));
	struct nd_error e = ND_ERROR_INIT;

	if (!p)
		return;
	if (attach_end(call_arg(call), p, &e) < 0)
		call_fail(call, &e);
	else
		call_reply(call, NULL);
}

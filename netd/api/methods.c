// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the method table, and the methods about the daemon itself
 *
 * A method is a row in api-rows.c and a function here or in methods-*.c. It gets checked parameters, calls
 * one function of the core, and answers with what came of it; rules live in the core, so that every way in
 * (Varlink, later libvirt's protocol) has the same.
 */
#include "netd/api/methods.h"
#include "base/mem.h"
#include "netd/core/event.h"
#include "netd/core/network.h"
#include "netd/core/supervisor.h"

#include <assert.h>

#define DESCRIPTION_MAX (256 * 1024)

static const call_fn netd_methods[] = {
	[API_GET_VERSION] = method_get_version,
	[API_LIST_NETWORKS] = method_list_networks,
	[API_GET_NETWORK] = method_get_network,
	[API_DUMP_NETWORK] = method_dump_network,
	[API_DEFINE_NETWORK] = method_define_network,
	[API_CREATE_NETWORK] = method_create_network,
	[API_START_NETWORK] = method_start_network,
	[API_DESTROY_NETWORK] = method_destroy_network,
	[API_UNDEFINE_NETWORK] = method_undefine_network,
	[API_SET_AUTOSTART] = method_set_autostart,
	[API_LIST_LEASES] = method_list_leases,
	[API_RELEASE_LEASE] = method_release_lease,
	[API_LIST_PORTS] = method_list_ports,
	[API_GET_PORT] = method_get_port,
	[API_ATTACH] = method_attach,
	[API_CREATE_PORT] = method_create_port,
	[API_DUMP_PORT] = method_dump_port,
	[API_DETACH] = method_detach,
	[API_MONITOR] = method_monitor,
	[API_GET_COUNTERS] = method_get_counters,
	[API_RELOAD] = method_reload,
	[API_UPDATE_NETWORK] = method_update_network,
	[API_GET_METADATA] = method_get_metadata,
	[API_SET_METADATA] = method_set_metadata,
	[API_PLAN_NETWORK] = method_plan_network,
	[API_APPLY_NETWORK] = method_apply_network,
	[API_ADD_FORWARD] = method_add_forward,
	[API_REMOVE_FORWARD] = method_remove_forward,
	[API_LIST_FORWARDS] = method_list_forwards,
	[API_DOCTOR] = method_doctor,
	[API_EXPLAIN] = method_explain,
	[API_CREATE_HOST_BRIDGE] = method_create_host_bridge,
	[API_CONFIRM_HOST_BRIDGE] = method_confirm_host_bridge,
	[API_REMOVE_HOST_BRIDGE] = method_remove_host_bridge,
	[API_LIST_HOST_BRIDGES] = method_list_host_bridges,
	[API_GET_PORT_BANDWIDTH] = method_get_port_bandwidth,
	[API_SET_PORT_BANDWIDTH] = method_set_port_bandwidth,
};
static_assert(ARRAY_LEN(netd_methods) == API_METHOD_CNT_, "every row has its function");

static const call_fn service_methods[] = {
	[API_GET_INFO] = method_get_info,
	[API_GET_INTERFACE_DESCRIPTION] = method_get_interface_description,
};
static_assert(ARRAY_LEN(service_methods) == API_SERVICE_CNT_, "every row has its function");

const struct call_table methods_tables[] = {
	{ &api_netd, netd_methods },
	{ &api_service, service_methods },
};
const size_t methods_table_cnt = ARRAY_LEN(methods_tables);

/* Building replies */

struct out out_new(void)
{
	json_t *o = json_object();

	return (struct out){ o, !o };
}

void out_object(struct out *b, const char *key, json_t *v)
{
	if (json_object_set_new_nocheck(b->o, key, v) < 0)
		b->bad = true;
}

void out_string(struct out *b, const char *key, const char *s)
{
	if (s && *s)
		out_object(b, key, api_string(s));
}

void out_int(struct out *b, const char *key, long long v)
{
	out_object(b, key, json_integer(v));
}

void out_bool(struct out *b, const char *key, bool v)
{
	out_object(b, key, json_boolean(v));
}

json_t *out_take(struct out *b)
{
	if (!b->bad)
		return take_ptr(b->o);
	json_decref(take_ptr(b->o));
	return NULL;
}

struct network *methods_find_network(struct call *call, const char *key)
{
	struct core *c = call_arg(call);
	struct network *n = model_network_find(c->model, key);
	struct nd_error e = ND_ERROR_INIT;

	if (n)
		return n;
	model_network_absent(c->model, key, &e);
	call_fail(call, &e);
	return NULL;
}

bool methods_mac(struct call *call, const char *word, struct nd_mac *ret, bool *ret_set)
{
	struct nd_error e = ND_ERROR_INIT;

	*ret_set = word != NULL;
	if (!word)
		return true;
	if (nd_mac_from_string(word, ret) < 0)
		nd_fail(&e, ND_INVALID, "mac: '%s' is not a MAC address", word);
	else if (nd_mac_is_multicast(ret) || nd_mac_is_zero(ret))
		nd_fail(&e, ND_INVALID, "mac: '%s' is not a unicast address", word);
	if (!e.code)
		return true;
	call_fail(call, &e);
	return false;
}

/* The daemon itself */

void method_get_version(struct call *call, const json_t *in)
{
	struct out b = out_new();

	out_string(&b, "version", NETD_VERSION);
	call_reply_new(call, out_take(&b));
}

void method_get_counters(struct call *call, const json_t *in)
{
	struct core *c = call_arg(call);
	struct out b = out_new();

	out_int(&b, "networks", c->model->network_cnt);
	out_int(&b, "activeNetworks", c->model->active_cnt);
	out_int(&b, "ports", c->model->port_cnt);
	out_int(&b, "lastEvent", (long long)events_last(c->events));
	json_t *list = json_array();
	char name[SUPERVISOR_COUNTER_NAME];
	uint64_t value;
	for (size_t i = 0; supervisor_counter(c->supervisor, i, name, &value); i++) {
		struct out one = out_new();
		out_string(&one, "name", name);
		out_int(&one, "value", (long long)value);
		b.bad = json_array_append_new(list, out_take(&one)) < 0 || b.bad;
	}
	out_object(&b, "dhcp", list);
	call_reply_new(call, out_take(&b));
}

void method_reload(struct call *call, const json_t *in)
{
	struct out b = out_new();

	out_int(&b, "broken", (long long)network_reload(call_arg(call)));
	call_reply_new(call, out_take(&b));
}

/* org.varlink.service */

void method_get_info(struct call *call, const json_t *in)
{
	const struct call_service *s = call_service(call);
	json_t *names = json_array();
	struct out b = out_new();

	for (size_t i = 0; i < s->table_cnt; i++)
		if (json_array_append_new(names, json_string(s->tables[i].interface->name)) < 0)
			b.bad = true;
	out_string(&b, "vendor", "netd");
	out_string(&b, "product", "netd");
	out_string(&b, "version", NETD_VERSION);
	out_object(&b, "url", json_string(""));
	out_object(&b, "interfaces", names);
	call_reply_new(call, out_take(&b));
}

void method_get_interface_description(struct call *call, const json_t *in)
{
	const struct call_service *s = call_service(call);
	const char *name = api_get_string(in, "interface");
	struct nd_buf text = { .max = DESCRIPTION_MAX };
	struct out b = out_new();
	bool found = false;

	for (size_t i = 0; i < s->table_cnt && !found; i++) {
		found = strcmp(s->tables[i].interface->name, name) == 0;
		if (found)
			api_describe(s->tables[i].interface, &text);
	}
	if (found) {
		out_string(&b, "description", nd_buf_string(&text));
		b.bad = b.bad || text.bad;
		call_reply_new(call, out_take(&b));
	} else {
		json_decref(take_ptr(b.o));
		call_fail_service(call, API_SERVICE_INTERFACE_NOT_FOUND, name);
	}
	nd_buf_done(&text);
}

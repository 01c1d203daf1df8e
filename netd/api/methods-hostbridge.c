// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the methods on host bridges: NICs that netd put into a bridge. What is done, and when it is taken back, is hostbridge.h's.
 */
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/hostbridge.h"

#define CONFIRM_MAX_S 86400

static json_t *strings(char *const *list)
{
	json_t *all = json_array();
	int bad = !all;

	for (size_t i = 0; !bad && list && list[i]; i++)
		bad = json_array_append_new(all, api_string(list[i]));
	return all;
}

static json_t *file_paths(const struct lan_record *r)
{
	json_t *all = json_array();

	for (size_t i = 0; r && r->persist && i < r->file_cnt; i++)
		json_array_append_new(all, api_string(r->files[i].path));
	return all;
}

static json_t *info_record(const struct hostbridge_info *i)
{
	const struct lan_record *r = i->record;
	struct out b = out_new();
	char mac[ND_MAC_STRLEN];

	out_string(&b, "name", i->bridge);
	out_string(&b, "port", i->port);
	out_string(&b, "state", i->state);
	out_string(&b, "mac", r ? nd_mac_to_string(&r->mac, mac) : NULL);
	if (i->left_s)
		out_int(&b, "left", i->left_s);
	out_string(&b, "manager", r ? lan_manager_to_string((int)r->manager) : NULL);
	out_object(&b, "files", file_paths(r));
	out_object(&b, "notes", strings(r ? r->notes : NULL));
	return out_take(&b);
}

static json_t *bridge_record(const struct lan_record *r)
{
	const struct hostbridge_info i = {
		.bridge = r->bridge,
		.port = r->port,
		.record = r,
		.state = lan_phase_to_string((int)r->phase),
		.left_s =
			r->phase == LAN_WAITING ? (unsigned)((r->deadline_ms - lan_now_ms()) / 1000) + 1 : 0,
	};

	return info_record(&i);
}

static json_t *steps(const struct lan_record *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->step_cnt; i++)
		if (r->steps[i].make.kind != LAN_OP_NONE)
			json_array_append_new(all, api_string(r->steps[i].what));
	return all;
}

static json_t *files(const struct lan_record *r)
{
	json_t *all = json_array();

	for (size_t i = 0; r->persist && i < r->file_cnt; i++) {
		struct out b = out_new();

		out_string(&b, "path", r->files[i].path);
		out_object(&b, "text", api_string(r->files[i].text));
		out_string(&b, "replaces", r->files[i].was);
		json_array_append_new(all, out_take(&b));
	}
	return all;
}

static json_t *gateways(const struct lan_record *r)
{
	json_t *all = json_array();
	char ip[ND_IP_STRLEN];

	for (size_t i = 0; i < r->gateway_cnt; i++)
		json_array_append_new(all, json_string(nd_ip_to_string(&r->gateways[i].ip, ip)));
	return all;
}

static void on_created(void *arg, const struct lan_record *r, const struct nd_error *e)
{
	struct out b;

	if (e) {
		call_fail(arg, e);
		return;
	}
	b = out_new();
	out_object(&b, "hostBridge", bridge_record(r));
	out_object(&b, "steps", steps(r));
	out_object(&b, "files", files(r));
	out_object(&b, "gateways", gateways(r));
	call_reply_new(arg, out_take(&b));
}

void method_create_host_bridge(struct call *call, const json_t *in)
{
	long long confirm = api_get_int(in, "confirm", 0);
	const struct hostbridge_request req = {
		.bridge = api_get_string(in, "name"),
		.port = api_get_string(in, "port"),
		.confirm_s = (unsigned)confirm,
		.dry_run = api_get_bool(in, "dryRun", false),
		.persist = api_get_bool(in, "persist", true),
	};

	if (confirm < 0 || confirm > CONFIRM_MAX_S)
		call_fail_parameter(call, "confirm");
	else
		hostbridge_create(call_arg(call), &req, (struct hostbridge_done){ on_created, call });
}

static void on_changed(void *arg, const struct lan_record *r, const struct nd_error *e)
{
	struct out b;

	if (e) {
		call_fail(arg, e);
		return;
	}
	b = out_new();
	out_object(&b, "hostBridge", bridge_record(r));
	call_reply_new(arg, out_take(&b));
}

void method_confirm_host_bridge(struct call *call, const json_t *in)
{
	hostbridge_confirm(call_arg(call), api_get_string(in, "name"),
			   (struct hostbridge_done){ on_changed, call });
}

void method_remove_host_bridge(struct call *call, const json_t *in)
{
	hostbridge_remove(call_arg(call), api_get_string(in, "name"),
			  (struct hostbridge_done){ on_changed, call });
}

static void add_info(const struct hostbridge_info *i, void *arg)
{
	json_array_append_new(arg, info_record(i));
}

void method_list_host_bridges(struct call *call, const json_t *in)
{
	struct out b = out_new();
	json_t *all = json_array();

	if (all)
		hostbridge_each(call_arg(call), add_info, all);
	out_object(&b, "hostBridges", all);
	call_reply_new(call, out_take(&b));
}

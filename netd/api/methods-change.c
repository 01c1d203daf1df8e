// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the methods that change networks which are defined or running
 *
 * What a change does to whom is the core's to say (change.h); here it is only put into words.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/api/methods.h"
#include "netd/core/change.h"

/* Which of a network's definitions; 0: what runs, else the definition. */
static unsigned targets(const json_t *in)
{
	return (api_get_bool(in, "live", false) ? CHANGE_LIVE : 0) |
	       (api_get_bool(in, "config", false) ? CHANGE_CONFIG : 0);
}

/* One element */

void method_update_network(struct call *call, const json_t *in)
{
	struct change_update u = {
		.command = netdef_command_from_string(api_get_string(in, "command")),
		.section = netdef_section_from_string(api_get_string(in, "section")),
		.parent = (int)api_get_int(in, "parentIndex", -1),
		.xml = api_get_string(in, "xml"),
		.targets = targets(in),
	};
	struct network *n;

	if (u.command <= NETDEF_COMMAND_NONE || u.section <= NETDEF_SECTION_NONE) {
		call_fail_parameter(call, u.command <= NETDEF_COMMAND_NONE ? "command" : "section");
		return;
	}
	n = methods_find_network(call, api_get_string(in, "name"));
	if (n)
		change_update(call_arg(call), n, &u,
			      (struct network_done){ methods_on_network, call, call_again });
}

/* Title, description, metadata */

static const char *const metadata_words[] = {
	[CHANGE_DESCRIPTION] = "description",
	[CHANGE_TITLE] = "title",
	[CHANGE_ELEMENT] = "element",
};

/* On failure the call has been answered. */
static bool metadata_type(struct call *call, const json_t *in, enum change_metadata_type *ret)
{
	const char *word = api_get_string(in, "type");

	for (size_t i = 0; i < ARRAY_LEN(metadata_words); i++)
		if (strcmp(metadata_words[i], word) == 0) {
			*ret = (enum change_metadata_type)i;
			return true;
		}
	call_fail_parameter(call, "type");
	return false;
}

void method_get_metadata(struct call *call, const json_t *in)
{
	nd_autofree char *value = NULL;
	struct nd_error e = ND_ERROR_INIT;
	enum change_metadata_type type;
	struct network *n;
	struct out b;

	if (!metadata_type(call, in, &type))
		return;
	n = methods_find_network(call, api_get_string(in, "name"));
	if (!n)
		return;
	if (change_metadata_get(n, type, api_get_string(in, "uri"), targets(in), &value, &e) < 0) {
		call_fail(call, &e);
		return;
	}
	b = out_new();
	out_object(&b, "value", api_string(value));
	call_reply_new(call, out_take(&b));
}

void method_set_metadata(struct call *call, const json_t *in)
{
	struct change_metadata m = {
		.value = api_get_string(in, "value"),
		.key = api_get_string(in, "key"),
		.uri = api_get_string(in, "uri"),
		.targets = targets(in),
	};
	struct network *n;

	if (!metadata_type(call, in, &m.type))
		return;
	n = methods_find_network(call, api_get_string(in, "name"));
	if (n)
		change_metadata(call_arg(call), n, &m,
				(struct network_done){ methods_on_network, call, call_again });
}

/* Plan and apply */

static const char *const change_words[] = {
	[NETDEF_CHANGE_NONE] = "none",
	[NETDEF_CHANGE_LIVE] = "live",
	[NETDEF_CHANGE_RESTART] = "restart",
	[NETDEF_CHANGE_RECREATE] = "recreate",
};

/* "mtu@size, ip/dhcp/host" as a list. */
static json_t *names(const char *fields)
{
	json_t *list = json_array();
	int bad = 0;

	for (const char *p = fields; p && *p && !bad;) {
		size_t len = strcspn(p, ",");

		bad = json_array_append_new(list, json_stringn(p, len));
		p += len;
		p += strspn(p, ", ");
	}
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *guests(const struct network *n)
{
	json_t *list = json_array();
	const struct port *p;
	int bad = 0;

	if (n)
		nd_list_foreach(p, &n->ports, siblings)
			bad |= json_array_append_new(list, api_string(p->name[0] ? p->name : p->ifname));
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *plan_record(struct core *c, const struct netdef *def, const struct change_plan *p)
{
	const struct network *n = model_network_by_name(c->model, def->name);
	bool active = n && n->state != NETWORK_INACTIVE;
	struct out b = out_new();

	out_string(&b, "name", def->name);
	out_bool(&b, "new", p->is_new);
	out_bool(&b, "active", active);
	out_object(&b, "config", json_string(change_words[p->config]));
	out_object(&b, "live", json_string(change_words[p->live]));
	out_bool(&b, "start", !active && def->autostart_set && def->autostart == NETDEF_AUTOSTART_BOOT);
	out_object(&b, "fields", names(p->fields));
	out_object(&b, "guests", guests(p->live >= NETDEF_CHANGE_RESTART ? n : NULL));
	return out_take(&b);
}

void method_plan_network(struct call *call, const json_t *in)
{
	const json_t *xml = json_object_get(in, "xml");
	const char *text = json_string_value(xml);
	size_t len = json_string_length(xml);
	struct core *c = call_arg(call);
	struct nd_error e = ND_ERROR_INIT;
	struct change_plan plan;
	struct netdef *def = NULL;
	struct out b;

	if (netdef_parse(text, len, NULL, NULL, NULL, &def, &e) < 0 ||
	    change_plan(c, text, len, &plan, &e) < 0) {
		netdef_free(def);
		call_fail(call, &e);
		return;
	}
	b = out_new();
	out_object(&b, "plan", plan_record(c, def, &plan));
	change_plan_done(&plan);
	netdef_free(def);
	call_reply_new(call, out_take(&b));
}

void method_apply_network(struct call *call, const json_t *in)
{
	const json_t *xml = json_object_get(in, "xml");

	change_apply(call_arg(call), json_string_value(xml), json_string_length(xml),
		     api_get_bool(in, "restart", false),
		     (struct network_done){ methods_on_network, call, call_again });
}

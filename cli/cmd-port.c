// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the commands on ports. virsh has no like of them for people, so columns are the ones of `virsh
 * domiflist`'s kind.
 */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/input.h"

static int print_ports(struct cli *cli, const json_t *list)
{
	static const struct {
		const char *title, *field;
	} columns[] = {
		{ "Interface", "interface" }, { "Network", "network" },    { "Name", "name" },
		{ "MAC address", "mac" },     { "IP address", "address" }, { "State", "state" },
	};
	const char *header[ARRAY_LEN(columns)];
	struct table *t;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		header[i] = columns[i].title;
	t = table_new(header, ARRAY_LEN(header));
	for (size_t i = 0; t && i < json_array_size(list); i++)
		for (size_t c = 0; c < ARRAY_LEN(columns); c++)
			table_add(t, api_get_string(json_array_get(list, i), columns[c].field));
	return cli_table(cli, t);
}

static void print_names(struct cli *cli, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		const char *name = api_get_string(p, "name");

		output_text(cli->out, name ? name : cli_text(p, "interface"));
		fputc('\n', cli->out);
	}
}

int cmd_port_list(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	int status = cli_call(cli, "ListPorts",
			      json_pack("{s:s*}", "network", args->value[PORT_LIST_NETWORK]), &reply);

	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else if (args->set[PORT_LIST_NAME])
		print_names(cli, json_object_get(reply, "ports"));
	else
		status = print_ports(cli, json_object_get(reply, "ports"));
	json_decref(reply);
	return status;
}

/* net-port-list, net-port-delete: virsh's, which knows ports by UUID */

static int print_uuids(struct cli *cli, const json_t *list, bool table)
{
	static const char *const header[] = { "UUID" };
	struct table *t = table_new(header, ARRAY_LEN(header));

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *uuid = cli_text(json_array_get(list, i), "uuid");

		if (!table)
			fprintf(cli->out, "%s\n", uuid);
		else if (t)
			table_add(t, uuid);
	}
	if (table)
		return cli_table(cli, t);
	table_free(t);
	return 0;
}

int cmd_net_port_list(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	int status = cli_call(cli, "ListPorts", json_pack("{s:s}", "network", args->word[0]), &reply);

	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		status = print_uuids(cli, json_object_get(reply, "ports"), !args->set[NET_PORT_LIST_UUID]);
	json_decref(reply);
	return status;
}

/* Whether the port is one of the network, which is given by name or UUID. */
static int check_network(struct cli *cli, const struct cli_args *args, struct nd_error *e)
{
	json_t *reply = NULL;
	const json_t *port;
	bool same;

	if (cli_try(cli, "GetPort", json_pack("{s:s}", "port", args->word[1]), &reply, e) < 0)
		return e->code;
	port = json_object_get(reply, "port");
	same = strcmp(cli_text(port, "network"), args->word[0]) == 0 ||
	       strcasecmp(cli_text(port, "networkUuid"), args->word[0]) == 0;
	json_decref(reply);
	return same ? 0 : nd_fail(e, ND_NOT_FOUND, "network '%s' has no such port", args->word[0]);
}

static void print_warnings(struct cli *cli, const char *file, const json_t *reply)
{
	const json_t *warnings = json_object_get(reply, "warnings");

	for (size_t i = 0; i < json_array_size(warnings); i++) {
		const json_t *w = json_array_get(warnings, i);

		fprintf(cli->err, "warning: %s: line %lld: <%s>: %s\n", file, api_get_int(w, "line", 0),
			cli_text(w, "element"), cli_text(w, "text"));
	}
}

int cmd_net_port_create(struct cli *cli, const struct cli_args *args)
{
	const char *file = args->word[1];
	nd_autofree char *xml = NULL;
	struct nd_error e = ND_ERROR_INIT;
	json_t *params, *reply = NULL;

	if (input_read(file, &xml, &e) < 0)
		return cli_failed(cli, &e);
	params = json_pack("{s:s, s:s, s:b}", "network", args->word[0], "xml", xml, "validate",
			   args->set[NET_PORT_CREATE_VALIDATE] ? 1 : 0);
	if (!params)
		nd_fail(&e, ND_PARSE, "%s is not UTF-8 text", file);
	else
		cli_try(cli, "CreatePort", params, &reply, &e);
	if (e.code) {
		nd_wrap(&e, "Failed to create network port from %s", file);
		return cli_error(cli, &e);
	}
	if (cli->json) {
		cli_print_json(cli, reply);
	} else {
		print_warnings(cli, file, reply);
		cli_say(cli, "Network port %s created from %s\n",
			cli_text(json_object_get(reply, "port"), "uuid"), file);
	}
	json_decref(reply);
	return 0;
}

int cmd_net_port_dumpxml(struct cli *cli, const struct cli_args *args)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *reply = NULL;

	if (check_network(cli, args, &e) < 0 ||
	    cli_try(cli, "DumpPort", json_pack("{s:s}", "port", args->word[1]), &reply, &e) < 0) {
		nd_wrap(&e, "failed to get network port '%s'", args->word[1]);
		return cli_error(cli, &e);
	}
	if (cli->json)
		cli_print_json(cli, reply);
	else
		fputs(cli_text(reply, "xml"), cli->out);
	json_decref(reply);
	return 0;
}

int cmd_net_port_delete(struct cli *cli, const struct cli_args *args)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *reply = NULL;

	if (check_network(cli, args, &e) < 0 ||
	    cli_try(cli, "Detach", json_pack("{s:s}", "port", args->word[1]), &reply, &e) < 0) {
		nd_wrap(&e, "failed to get network port '%s'", args->word[1]);
		return cli_error(cli, &e);
	}
	if (cli->json)
		cli_print_json(cli, reply);
	else
		cli_say(cli, "Network port %s deleted\n", args->word[1]);
	json_decref(reply);
	return 0;
}

static void print_number(struct cli *cli, const char *label, const json_t *object, const char *name)
{
	char buf[32];

	if (!json_is_integer(json_object_get(object, name)))
		return;
	snprintf(buf, sizeof(buf), "%lld", api_get_int(object, name, 0));
	output_line(cli->out, label, buf);
}

/* Only those that were. */
static void print_reasons(struct cli *cli, const json_t *port)
{
	const json_t *reason;
	size_t i;

	json_array_foreach(json_object_get(port, "dropReasons"), i, reason) {
		char label[64];

		snprintf(label, sizeof(label), "Drops, %s", api_get_string(reason, "name"));
		print_number(cli, label, reason, "value");
	}
}

int cmd_port_info(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	const json_t *p;
	char when[OUTPUT_TIME_LEN];
	int status = cli_call(cli, "GetPort", json_pack("{s:s}", "port", args->word[0]), &reply);

	if (status != 0)
		return status;
	p = json_object_get(reply, "port");
	if (cli->json) {
		cli_print_json(cli, reply);
		json_decref(reply);
		return 0;
	}
	output_line(cli->out, "Name", api_get_string(p, "name"));
	output_line(cli->out, "UUID", api_get_string(p, "uuid"));
	output_line(cli->out, "State", api_get_string(p, "state"));
	output_line(cli->out, "Guest", api_get_string(p, "owner"));
	output_line(cli->out, "Network", api_get_string(p, "network"));
	output_line(cli->out, "Interface", api_get_string(p, "interface"));
	output_line(cli->out, "MAC address", api_get_string(p, "mac"));
	output_line(cli->out, "IP address", api_get_string(p, "address"));
	print_number(cli, "MTU", p, "mtu");
	if (!api_get_bool(p, "external", false)) {
		print_number(cli, "Queues", p, "queues");
		output_line(cli->out, "Vnet header", api_get_bool(p, "vnetHeader", false) ? "yes" : "no");
	}
	output_line(cli->out, "MAC guard", api_get_bool(p, "macGuard", false) ? "on" : "off");
	print_number(cli, "Owner UID", p, "ownerUid");
	print_number(cli, "Owner PID", p, "ownerPid");
	output_line(cli->out, "Since", output_time(api_get_int(p, "since", -1), when));
	print_number(cli, "Drops", p, "drops");
	print_reasons(cli, p);
	json_decref(reply);
	return 0;
}

int cmd_port_detach(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	int status = cli_call(cli, "Detach", json_pack("{s:s}", "port", args->word[0]), &reply);

	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		cli_say(cli, "Port %s detached\n", args->word[0]);
	json_decref(reply);
	return 0;
}

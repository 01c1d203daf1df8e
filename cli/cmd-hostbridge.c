// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the commands on host bridges: a NIC of this host becomes the port of a bridge, so that guests can be on its LAN
 */
#include "base/mem.h"
#include "cli/cli.h"

static void print_notes(struct cli *cli, const json_t *bridge)
{
	const json_t *list = json_object_get(bridge, "notes");

	for (size_t i = 0; !cli->quiet && i < json_array_size(list); i++) {
		fputs("note: ", cli->out);
		output_text(cli->out, json_string_value(json_array_get(list, i)));
		fputc('\n', cli->out);
	}
}

/* Files are shown as they are, so that they can be read and compared; their lines have no control characters. */
static void print_text(struct cli *cli, const char *title, const char *path, const char *text)
{
	fprintf(cli->out, "\n%s %s:\n", title, path);
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		nd_autofree char *line = strndup(p, len);

		fputs("    ", cli->out);
		output_text(cli->out, line ? line : "");
		fputc('\n', cli->out);
		p += len + (p[len] == '\n');
	}
}

static void print_plan(struct cli *cli, const json_t *reply)
{
	const json_t *steps = json_object_get(reply, "steps"), *files = json_object_get(reply, "files");

	fputs("Steps:\n", cli->out);
	for (size_t i = 0; i < json_array_size(steps); i++) {
		fputs("    ", cli->out);
		output_text(cli->out, json_string_value(json_array_get(steps, i)));
		fputc('\n', cli->out);
	}
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *f = json_array_get(files, i);
		const char *was = api_get_string(f, "replaces");

		print_text(cli, was ? "Changed file" : "New file", cli_text(f, "path"), cli_text(f, "text"));
		if (was)
			print_text(cli, "It replaces this", cli_text(f, "path"), was);
	}
	fputc('\n', cli->out);
}

static void print_created(struct cli *cli, const json_t *reply, const char *name)
{
	const json_t *b = json_object_get(reply, "hostBridge"),
		     *gateways = json_object_get(reply, "gateways");
	long long left = api_get_int(b, "left", 0);

	cli_say(cli, "Host bridge %s created from %s%s\n", name, cli_text(b, "port"),
		json_array_size(gateways) ? "; the gateway answers" : "");
	if (left)
		cli_say(cli, "It is taken back in %lld s, unless: netdctl host-bridge-confirm %s\n", left,
			name);
}

int cmd_host_bridge_create(struct cli *cli, const struct cli_args *args)
{
	bool dry_run = args->set[HOST_BRIDGE_CREATE_DRY_RUN];
	long long confirm = 0;
	json_t *reply = NULL;
	int status;

	if (!args->set[HOST_BRIDGE_CREATE_PORT]) {
		struct nd_error e = ND_ERROR_INIT;

		nd_fail(&e, ND_INVALID, "--port is missing: the NIC that becomes the bridge's port");
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	if (!cli_number(cli, args, HOST_BRIDGE_CREATE_CONFIRM, 1, 86400, &confirm))
		return CLI_STATUS_USAGE;
	status = cli_call(cli, "CreateHostBridge",
			  json_pack("{s:s, s:s, s:I, s:b, s:b}", "name", args->word[0], "port",
				    args->value[HOST_BRIDGE_CREATE_PORT], "confirm", (json_int_t)confirm,
				    "dryRun", dry_run, "persist", !args->set[HOST_BRIDGE_CREATE_NO_PERSIST]),
			  &reply);
	if (status != 0)
		return status;
	if (cli->json) {
		cli_print_json(cli, reply);
	} else {
		if (dry_run)
			print_plan(cli, reply);
		else
			print_created(cli, reply, args->word[0]);
		print_notes(cli, json_object_get(reply, "hostBridge"));
	}
	json_decref(reply);
	return 0;
}

static int change(struct cli *cli, const struct cli_args *args, const char *method, const char *what)
{
	json_t *reply = NULL;
	int status = cli_call(cli, method, json_pack("{s:s}", "name", args->word[0]), &reply);

	if (status != 0)
		return status;
	if (cli->json) {
		cli_print_json(cli, reply);
	} else {
		cli_say(cli, "Host bridge %s %s\n", args->word[0], what);
		print_notes(cli, json_object_get(reply, "hostBridge"));
	}
	json_decref(reply);
	return 0;
}

int cmd_host_bridge_confirm(struct cli *cli, const struct cli_args *args)
{
	return change(cli, args, "ConfirmHostBridge", "confirmed");
}

int cmd_host_bridge_remove(struct cli *cli, const struct cli_args *args)
{
	return change(cli, args, "RemoveHostBridge", "removed");
}

int cmd_host_bridge_list(struct cli *cli, const struct cli_args *args)
{
	static const char *const header[] = { "Name", "Port", "State", "MAC address", "Configured by" };
	json_t *reply = NULL;
	const json_t *list;
	struct table *t;
	int status = cli_call(cli, "ListHostBridges", NULL, &reply);

	if (status != 0)
		return status;
	if (cli->json) {
		cli_print_json(cli, reply);
		json_decref(reply);
		return 0;
	}
	list = json_object_get(reply, "hostBridges");
	t = table_new(header, ARRAY_LEN(header));
	for (size_t i = 0; t && i < json_array_size(list); i++) {
		const json_t *b = json_array_get(list, i);

		table_add(t, api_get_string(b, "name"));
		table_add(t, api_get_string(b, "port"));
		table_add(t, api_get_string(b, "state"));
		table_add(t, api_get_string(b, "mac"));
		table_add(t,
			  json_array_size(json_object_get(b, "files")) ? api_get_string(b, "manager") : NULL);
	}
	status = cli_table(cli, t);
	json_decref(reply);
	return status;
}

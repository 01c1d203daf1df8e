// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the commands on networks, with virsh's output. */
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "netd/api/api-proto.h"

#include <strings.h>

#define XML_MAX (512 * 1024) /* more than netd takes: it says what is wrong with one that is too long */

static const char *yes_no(const json_t *object, const char *name)
{
	return api_get_bool(object, name, false) ? "yes" : "no";
}

/* virsh knows yes and no; starting on attach is netd's own. */
static const char *autostart_word(const json_t *network)
{
	const char *mode = api_get_string(network, "autostart");

	if (!mode || strcmp(mode, "no") == 0)
		return "no";
	return strcmp(mode, "boot") == 0 ? "yes" : mode;
}

static const char *text(const json_t *object, const char *name)
{
	const char *s = api_get_string(object, name);

	return s ? s : "";
}

/* net-list */

static int by_name(const void *a, const void *b)
{
	return strcasecmp(text(*(json_t *const *)a, "name"), text(*(json_t *const *)b, "name"));
}

static json_t *list_filter(const struct cli_args *args)
{
	json_t *words = json_array();

	if (args->set[NET_LIST_INACTIVE] && !args->set[NET_LIST_ALL])
		json_array_append_new(words, json_string("inactive"));
	if (!args->set[NET_LIST_INACTIVE] && !args->set[NET_LIST_ALL])
		json_array_append_new(words, json_string("active"));
	if (args->set[NET_LIST_PERSISTENT])
		json_array_append_new(words, json_string("persistent"));
	if (args->set[NET_LIST_TRANSIENT])
		json_array_append_new(words, json_string("transient"));
	if (args->set[NET_LIST_AUTOSTART])
		json_array_append_new(words, json_string("autostart"));
	return words;
}

static int print_networks(struct cli *cli, json_t *const *sorted, size_t cnt)
{
	static const char *const header[] = { "Name", "State", "Autostart", "Persistent" };
	struct nd_error e = ND_ERROR_INIT;
	struct table *t = table_new(header, ARRAY_LEN(header));
	int r = t ? 0 : nd_fail(&e, ND_MEMORY, "a table");

	for (size_t i = 0; t && i < cnt; i++) {
		table_add(t, text(sorted[i], "name"));
		table_add(t, text(sorted[i], "state"));
		table_add(t, autostart_word(sorted[i]));
		table_add(t, yes_no(sorted[i], "persistent"));
	}
	if (t)
		r = table_print(t, cli->out, &e);
	table_free(t);
	return r < 0 ? cli_error(cli, &e) : 0;
}

static void print_column(struct cli *cli, json_t *const *sorted, size_t cnt, const struct cli_args *args)
{
	for (size_t i = 0; i < cnt; i++) {
		if (args->set[NET_LIST_UUID])
			output_text(cli->out, text(sorted[i], "uuid"));
		if (args->set[NET_LIST_UUID] && args->set[NET_LIST_NAME])
			fputc(' ', cli->out);
		if (args->set[NET_LIST_NAME])
			output_text(cli->out, text(sorted[i], "name"));
		fputc('\n', cli->out);
	}
	fputc('\n', cli->out);
}

int cmd_net_list(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL, *list;
	nd_autofree json_t **sorted = NULL;
	int status = cli_call(cli, "ListNetworks", json_pack("{s:o}", "filter", list_filter(args)), &reply);
	size_t cnt;

	if (status != 0)
		return status;
	list = json_object_get(reply, "networks");
	cnt = json_array_size(list);
	sorted = calloc(cnt + 1, sizeof(*sorted));
	for (size_t i = 0; sorted && i < cnt; i++)
		sorted[i] = json_array_get(list, i);
	if (sorted)
		qsort(sorted, cnt, sizeof(*sorted), by_name);
	if (cli->json)
		cli_print_json(cli, reply);
	else if (sorted && (args->set[NET_LIST_NAME] || args->set[NET_LIST_UUID]))
		print_column(cli, sorted, cnt, args);
	else
		status = print_networks(cli, sorted, sorted ? cnt : 0);
	json_decref(reply);
	return status;
}

/* net-info */

static void print_ranges(struct cli *cli, const json_t *network)
{
	const json_t *list = json_object_get(network, "dhcpRanges");

	for (size_t i = 0; i < json_array_size(list); i++) {
		char line[128];
		const json_t *r = json_array_get(list, i);

		snprintf(line, sizeof(line), "%s - %s", text(r, "start"), text(r, "end"));
		output_line(cli->out, "DHCP range", line);
	}
}

int cmd_net_info(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	const json_t *n, *subnets;
	int status = cli_call(cli, "GetNetwork", json_pack("{s:s}", "name", args->word[0]), &reply);
	char ports[32];

	if (status != 0)
		return status;
	n = json_object_get(reply, "network");
	subnets = json_object_get(n, "subnets");
	if (cli->json) {
		cli_print_json(cli, reply);
		json_decref(reply);
		return 0;
	}
	output_line(cli->out, "Name", text(n, "name"));
	output_line(cli->out, "UUID", text(n, "uuid"));
	output_line(cli->out, "Active", yes_no(n, "active"));
	output_line(cli->out, "Persistent", yes_no(n, "persistent"));
	output_line(cli->out, "Autostart", autostart_word(n));
	output_line(cli->out, "Bridge", text(n, "bridge"));
	output_line(cli->out, "Degraded", text(n, "degraded"));
	output_line(cli->out, "Forward", text(n, "forward"));
	for (size_t i = 0; i < json_array_size(subnets); i++)
		output_line(cli->out, "Subnet", json_string_value(json_array_get(subnets, i)));
	print_ranges(cli, n);
	snprintf(ports, sizeof(ports), "%lld", api_get_int(n, "ports", 0));
	output_line(cli->out, "Ports", ports);
	fputc('\n', cli->out);
	json_decref(reply);
	return 0;
}

int cmd_net_dumpxml(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	int status = cli_call(
		cli, "DumpNetwork",
		json_pack("{s:s, s:b}", "name", args->word[0], "inactive", args->set[NET_DUMPXML_INACTIVE]),
		&reply);

	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		fputs(text(reply, "xml"), cli->out);
	json_decref(reply);
	return 0;
}

/* net-define, net-create */

static int read_stdin(char **ret, struct nd_error *e)
{
	struct nd_buf b = { .max = XML_MAX };
	char part[4096];
	size_t n;

	while ((n = fread(part, 1, sizeof(part), stdin)) > 0)
		nd_buf_append(&b, part, n);
	if (b.bad) {
		nd_buf_done(&b);
		return nd_fail(e, ND_LIMIT, "standard input has more than %d bytes", XML_MAX);
	}
	*ret = strdup(nd_buf_string(&b));
	nd_buf_done(&b);
	return *ret ? 0 : nd_fail(e, ND_MEMORY, "standard input");
}

static int read_xml(const char *file, json_t **ret, struct nd_error *e)
{
	nd_autofree char *xml = NULL;
	int r = strcmp(file, "-") == 0 ? read_stdin(&xml, e) : nd_file_read(file, XML_MAX, &xml, NULL, e);

	if (r < 0)
		return r;
	*ret = json_pack("{s:s}", "xml", xml);
	return *ret ? 0 : nd_fail(e, ND_PARSE, "%s is not UTF-8 text", file);
}

static int define(struct cli *cli, const char *method, const char *file, const char *verb)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *params = NULL, *reply = NULL, *warnings;
	int status;

	if (read_xml(file, &params, &e) < 0)
		return cli_error(cli, &e);
	status = cli_call(cli, method, params, &reply);
	if (status != 0)
		return status;
	if (cli->json) {
		cli_print_json(cli, reply);
		json_decref(reply);
		return 0;
	}
	warnings = json_object_get(reply, "warnings");
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		const json_t *w = json_array_get(warnings, i);

		fprintf(cli->err, "warning: %s: line %lld: <%s>: %s\n", file, api_get_int(w, "line", 0),
			text(w, "element"), text(w, "text"));
	}
	fprintf(cli->out, "Network %s %s from %s\n\n", text(json_object_get(reply, "network"), "name"), verb,
		file);
	json_decref(reply);
	return 0;
}

int cmd_net_define(struct cli *cli, const struct cli_args *args)
{
	return define(cli, "DefineNetwork", args->word[0], "defined");
}

int cmd_net_create(struct cli *cli, const struct cli_args *args)
{
	return define(cli, "CreateNetwork", args->word[0], "created");
}

/* Changing calls on one network, told in one sentence: "Network %s " and what. */

static int change(struct cli *cli, const char *method, json_t *params, const char *key, const char *what)
{
	json_t *reply = NULL;
	int status = cli_call(cli, method, params, &reply);
	const char *name;

	if (status != 0)
		return status;
	name = api_get_string(json_object_get(reply, "network"), "name");
	if (cli->json)
		cli_print_json(cli, reply);
	else
		fprintf(cli->out, "Network %s %s\n\n", name ? name : key, what);
	json_decref(reply);
	return 0;
}

int cmd_net_start(struct cli *cli, const struct cli_args *args)
{
	return change(cli, "StartNetwork", json_pack("{s:s}", "name", args->word[0]), args->word[0],
		      "started");
}

int cmd_net_destroy(struct cli *cli, const struct cli_args *args)
{
	return change(cli, "DestroyNetwork",
		      json_pack("{s:s, s:b}", "name", args->word[0], "force", args->set[NET_DESTROY_FORCE]),
		      args->word[0], "destroyed");
}

int cmd_net_undefine(struct cli *cli, const struct cli_args *args)
{
	return change(cli, "UndefineNetwork", json_pack("{s:s}", "name", args->word[0]), args->word[0],
		      "has been undefined");
}

int cmd_net_autostart(struct cli *cli, const struct cli_args *args)
{
	static const struct {
		const char *mode, *what;
	} rows[] = {
		{ "boot", "marked as autostarted" },
		{ "no", "unmarked as autostarted" },
		{ "on-attach", "marked as started on attach" },
	};
	int row = args->set[NET_AUTOSTART_DISABLE] ? 1 : args->set[NET_AUTOSTART_ON_ATTACH] ? 2 : 0;

	return change(cli, "SetAutostart",
		      json_pack("{s:s, s:s}", "name", args->word[0], "mode", rows[row].mode), args->word[0],
		      rows[row].what);
}

/* net-dhcp-leases */

static void add_lease(struct table *t, const json_t *l)
{
	char when[OUTPUT_TIME_LEN], address[80];

	snprintf(address, sizeof(address), "%s/%lld", text(l, "address"), api_get_int(l, "prefix", 32));
	table_add(t, output_time(api_get_int(l, "expiry", -1), when));
	table_add(t, text(l, "mac"));
	table_add(t, "ipv4");
	table_add(t, address);
	table_add(t, text(l, "hostname"));
	table_add(t, text(l, "clientId"));
}

int cmd_net_dhcp_leases(struct cli *cli, const struct cli_args *args)
{
	static const char *const header[] = { "Expiry Time", "MAC address", "Protocol",
					      "IP address",  "Hostname",    "Client ID or DUID" };
	struct nd_error e = ND_ERROR_INIT;
	json_t *reply = NULL, *list;
	json_t *params = json_pack("{s:s, s:s*}", "name", args->word[0], "mac", args->word[1]);
	struct table *t;
	int status = cli_call(cli, "ListLeases", params, &reply);

	if (status != 0)
		return status;
	list = json_object_get(reply, "leases");
	t = table_new(header, ARRAY_LEN(header));
	/* A declined address is nobody's lease: only --json shows it. */
	for (size_t i = 0; t && i < json_array_size(list); i++)
		if (strcmp(text(json_array_get(list, i), "state"), "bound") == 0)
			add_lease(t, json_array_get(list, i));
	if (cli->json)
		cli_print_json(cli, reply);
	else if (!t || table_print(t, cli->out, &e) < 0)
		status = e.code ? cli_error(cli, &e) : nd_code_exit_status(ND_MEMORY);
	table_free(t);
	json_decref(reply);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the commands on networks, with virsh's output. */
#include "base/addr.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/xpath.h"

#include <strings.h>

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

/* net-list */

static int by_name(const void *a, const void *b)
{
	return strcasecmp(cli_text(*(json_t *const *)a, "name"), cli_text(*(json_t *const *)b, "name"));
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
	if (args->set[NET_LIST_NO_AUTOSTART])
		json_array_append_new(words, json_string("no-autostart"));
	return words;
}

static int print_networks(struct cli *cli, json_t *const *sorted, size_t cnt)
{
	static const char *const header[] = { "Name", "State", "Autostart", "Persistent" };
	struct table *t = table_new(header, ARRAY_LEN(header));

	for (size_t i = 0; t && i < cnt; i++) {
		table_add(t, cli_text(sorted[i], "name"));
		table_add(t, cli_text(sorted[i], "state"));
		table_add(t, autostart_word(sorted[i]));
		table_add(t, yes_no(sorted[i], "persistent"));
	}
	return cli_table(cli, t);
}

static void print_column(struct cli *cli, json_t *const *sorted, size_t cnt, const struct cli_args *args)
{
	for (size_t i = 0; i < cnt; i++) {
		if (args->set[NET_LIST_UUID])
			output_text(cli->out, cli_text(sorted[i], "uuid"));
		if (args->set[NET_LIST_UUID] && args->set[NET_LIST_NAME])
			fputc(' ', cli->out);
		if (args->set[NET_LIST_NAME])
			output_text(cli->out, cli_text(sorted[i], "name"));
		fputc('\n', cli->out);
	}
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

		snprintf(line, sizeof(line), "%s - %s", cli_text(r, "start"), cli_text(r, "end"));
		output_line(cli->out, "DHCP range", line);
	}
}

static void print_details(struct cli *cli, const json_t *n)
{
	const json_t *subnets = json_object_get(n, "subnets");
	char ports[32];

	output_line(cli->out, "Degraded", cli_text(n, "degraded"));
	output_line(cli->out, "Forward", cli_text(n, "forward"));
	for (size_t i = 0; i < json_array_size(subnets); i++)
		output_line(cli->out, "Subnet", json_string_value(json_array_get(subnets, i)));
	output_line(cli->out, "Routes", cli_text(n, "returnRoutes"));
	print_ranges(cli, n);
	snprintf(ports, sizeof(ports), "%lld", api_get_int(n, "ports", 0));
	output_line(cli->out, "Ports", ports);
}

static void print_moved(struct cli *cli, const json_t *n)
{
	char line[128];

	snprintf(line, sizeof(line), "%s (%s is in use on this host)",
		 json_string_value(json_array_get(json_object_get(n, "subnets"), 0)),
		 cli_text(n, "subnetPreferred"));
	output_line(cli->out, "Subnet", line);
}

int cmd_net_info(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	const json_t *n;
	int status = cli_call(cli, "GetNetwork", json_pack("{s:s}", "name", args->word[0]), &reply);

	if (status != 0)
		return status;
	n = json_object_get(reply, "network");
	if (cli->json) {
		cli_print_json(cli, reply);
		json_decref(reply);
		return 0;
	}
	output_line(cli->out, "Name", cli_text(n, "name"));
	output_line(cli->out, "UUID", cli_text(n, "uuid"));
	output_line(cli->out, "Active", yes_no(n, "active"));
	output_line(cli->out, "Persistent", yes_no(n, "persistent"));
	output_line(cli->out, "Autostart", autostart_word(n));
	output_line(cli->out, "Bridge", cli_text(n, "bridge"));
	if (api_get_string(n, "subnetPreferred")) /* virsh has no such thing to say */
		print_moved(cli, n);
	output_line(cli->out, "Firewall", cli_text(n, "foreignFirewall"));
	if (args->set[NET_INFO_DETAILS])
		print_details(cli, n);
	json_decref(reply);
	return 0;
}

/* net-name, net-uuid: as in virsh, the one takes only a UUID, the other only a name */

static int lookup(struct cli *cli, const char *key, const char *key_field, const char *field)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *reply = NULL;
	const json_t *n;
	int status = cli_call(cli, "GetNetwork", json_pack("{s:s}", "name", key), &reply);

	if (status != 0)
		return status;
	n = json_object_get(reply, "network");
	if (strcasecmp(cli_text(n, key_field), key) != 0) {
		nd_fail(&e, ND_NOT_FOUND, "Network not found: no network with matching %s '%s'", key_field,
			key);
		status = cli_failed(cli, &e);
	} else if (cli->json) {
		cli_print_json(cli, reply);
	} else {
		output_text(cli->out, cli_text(n, field));
		fputc('\n', cli->out);
	}
	json_decref(reply);
	return status;
}

int cmd_net_name(struct cli *cli, const struct cli_args *args)
{
	char plain[ND_UUID_STRLEN];
	struct nd_uuid uuid;

	if (nd_uuid_from_string(args->word[0], &uuid) < 0)
		return lookup(cli, args->word[0], "uuid", "name");
	return lookup(cli, nd_uuid_to_string(&uuid, plain), "uuid", "name");
}

int cmd_net_uuid(struct cli *cli, const struct cli_args *args)
{
	return lookup(cli, args->word[0], "name", "uuid");
}

/* net-dumpxml */

static int print_xml(struct cli *cli, const struct cli_args *args, const char *xml)
{
	const char *expression = args->value[NET_DUMPXML_XPATH];
	struct nd_error e = ND_ERROR_INIT;
	nd_autofree char *found = NULL;
	json_t *reply;

	if (expression && xpath_find(xml, expression, args->set[NET_DUMPXML_WRAP], &found, &e) < 0)
		return cli_error(cli, &e);
	if (found)
		xml = found;
	if (cli->json) {
		reply = json_pack("{s:s}", "xml", xml);
		cli_print_json(cli, reply);
		json_decref(reply);
		return 0;
	}
	fputs(xml, cli->out);
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
	status = print_xml(cli, args, cli_text(reply, "xml"));
	json_decref(reply);
	return status;
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
		cli_say(cli, "Network %s %s\n", name ? name : key, what);
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

	if (row == 1)
		cli->failure = "failed to unmark network * as autostarted";
	return change(cli, "SetAutostart",
		      json_pack("{s:s, s:s}", "name", args->word[0], "mode", rows[row].mode), args->word[0],
		      rows[row].what);
}

/* net-dhcp-leases */

static void add_lease(struct table *t, const json_t *l)
{
	char when[OUTPUT_TIME_LEN], address[80];

	snprintf(address, sizeof(address), "%s/%lld", cli_text(l, "address"), api_get_int(l, "prefix", 32));
	table_add(t, output_time(api_get_int(l, "expiry", -1), when));
	table_add(t, cli_text(l, "mac"));
	table_add(t, "ipv4");
	table_add(t, address);
	table_add(t, cli_text(l, "hostname"));
	table_add(t, cli_text(l, "clientId"));
}

int cmd_net_dhcp_leases(struct cli *cli, const struct cli_args *args)
{
	static const char *const header[] = { "Expiry Time", "MAC address", "Protocol",
					      "IP address",  "Hostname",    "Client ID or DUID" };
	json_t *reply = NULL, *list;
	json_t *params = json_pack("{s:s, s:s*}", "name", args->word[0], "mac", args->word[1]);
	struct table *t;
	int status = cli_call(cli, "ListLeases", params, &reply);

	if (status != 0)
		return status;
	if (cli->json) {
		cli_print_json(cli, reply);
		json_decref(reply);
		return 0;
	}
	list = json_object_get(reply, "leases");
	t = table_new(header, ARRAY_LEN(header));
	/* A declined address is nobody's lease: only --json shows it. */
	for (size_t i = 0; t && i < json_array_size(list); i++)
		if (strcmp(cli_text(json_array_get(list, i), "state"), "bound") == 0)
			add_lease(t, json_array_get(list, i));
	json_decref(reply);
	return cli_table(cli, t);
}

/* lease-release */

int cmd_lease_release(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	json_t *params = json_pack("{s:s, s:s}", "name", args->word[0], "lease", args->word[1]);
	int status = cli_call(cli, "ReleaseLease", params, &reply);
	const json_t *list = json_object_get(reply, "leases");

	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	for (size_t i = 0; !cli->json && i < json_array_size(list); i++)
		cli_say(cli, "Lease of %s for %s released\n", cli_text(json_array_get(list, i), "address"),
			cli_text(json_array_get(list, i), "mac"));
	json_decref(reply);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: port-bandwidth, which takes and prints what `virsh domiftune` does
 */
#include "base/mem.h"
#include "cli/cli.h"

#include <errno.h>

static const char *const fields[] = { "average", "peak", "burst", "floor" };

/* "1000,5000,1024": an empty one between commas is 0. Return: a new object, or NULL with the error. */
static json_t *parse_rate(const char *option, const char *word, size_t field_cnt, struct nd_error *e)
{
	json_t *rate = json_object();
	const char *p = word;

	for (size_t i = 0;; i++) {
		unsigned long long v;
		char *end;

		errno = 0;
		v = *p == ',' ? 0 : strtoull(p, &end, 10);
		if (*p == ',')
			end = (char *)p;
		if (i == field_cnt || errno || v >= 1ull << 53 || (*end && *end != ',') || *p == '-' ||
		    (end == p && *p != ',')) {
			nd_fail(e, ND_INVALID, "%s: '%s' is not %s", option, word,
				field_cnt == ARRAY_LEN(fields) ? "AVERAGE[,PEAK[,BURST[,FLOOR]]]"
							       : "AVERAGE[,PEAK[,BURST]]");
			json_decref(rate);
			return NULL;
		}
		json_object_set_new(rate, fields[i], json_integer((json_int_t)v));
		if (!*end)
			return rate;
		p = end + 1;
	}
}

static void print_rate(struct cli *cli, const char *direction, const json_t *rate)
{
	char label[32];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!json_is_integer(json_object_get(rate, fields[i])))
			continue;
		snprintf(label, sizeof(label), "%s.%s", direction, fields[i]);
		fprintf(cli->out, "%-15s: %lld\n", label, api_get_int(rate, fields[i], 0));
	}
}

static int print(struct cli *cli, const json_t *reply)
{
	if (cli->json)
		return cli_print_json(cli, reply);
	print_rate(cli, "inbound", json_object_get(reply, "inbound"));
	print_rate(cli, "outbound", json_object_get(reply, "outbound"));
	if (api_get_string(reply, "queue"))
		fprintf(cli->out, "%-15s: %s\n", "queue", api_get_string(reply, "queue"));
	if (!api_get_bool(reply, "inForce", true))
		fprintf(cli->out, "%-15s: %s\n", "in force", "no");
	return 0;
}

int cmd_port_bandwidth(struct cli *cli, const struct cli_args *args)
{
	static const struct {
		int option;
		const char *name;
		size_t field_cnt;
	} directions[] = {
		{ PORT_BANDWIDTH_INBOUND, "inbound", 4 },
		{ PORT_BANDWIDTH_OUTBOUND, "outbound", 3 },
	};
	struct nd_error e = ND_ERROR_INIT;
	json_t *params = json_pack("{s:s}", "port", args->word[0]), *reply = NULL;
	bool set = false;
	int status;

	for (size_t i = 0; i < ARRAY_LEN(directions); i++) {
		const char *word = args->value[directions[i].option];
		json_t *rate = NULL;

		if (!word)
			continue;
		rate = parse_rate(cli->command->options[directions[i].option].name, word,
				  directions[i].field_cnt, &e);
		if (!rate) {
			json_decref(params);
			return cli_error(cli, &e);
		}
		json_object_set_new(params, directions[i].name, rate);
		set = true;
	}
	status = cli_call(cli, set ? "SetPortBandwidth" : "GetPortBandwidth", params, &reply);
	if (status == 0) {
		print(cli, reply);
		json_decref(reply);
	}
	return status;
}

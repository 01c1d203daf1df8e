// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: doctor and explain: what netd found, as a table; and a status for scripts. */
#include "base/mem.h"
#include "cli/cli.h"

/* What is behind a line: the command that mends it, below it. */
static void print_checks(struct cli *cli, const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		const char *network = cli_text(one, "network"), *result = cli_text(one, "result");

		if (cli->quiet && strcmp(result, "ok") == 0)
			continue;
		fprintf(cli->out, " %-8s %-14s ", result, cli_text(one, "name"));
		if (*network) {
			output_text(cli->out, network);
			fputs(": ", cli->out);
		}
		output_text(cli->out, cli_text(one, "text"));
		fputs(api_get_bool(one, "fixed", false) ? " (mended)\n" : "\n", cli->out);
		if (*cli_text(one, "command")) {
			fprintf(cli->out, "%25s", "-> ");
			output_text(cli->out, cli_text(one, "command"));
			fputc('\n', cli->out);
		}
	}
}

int cmd_doctor(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL, *in = json_object();
	int status;

	if (args->word[0])
		json_object_set_new(in, "network", api_string(args->word[0]));
	if (args->set[DOCTOR_FIX])
		json_object_set_new(in, "fix", json_true());
	status = cli_call(cli, "Doctor", in, &reply);
	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		print_checks(cli, json_object_get(reply, "checks"));
	status = api_get_int(reply, "failed", 0) > 0 ? CLI_STATUS_FOUND : 0;
	json_decref(reply);
	return status;
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT", "NAME:PORT", or without a port. A MAC or an IPv6 address alone has colons of its own. */
static long long split_port(char *to)
{
	char *colon = strrchr(to, ':'), *end;
	size_t len = strlen(to);
	long long port;

	if (!colon || (to[0] != '[' && strchr(to, ':') != colon))
		return 0;
	port = strtoll(colon + 1, &end, 10);
	if (end == colon + 1 || *end)
		return 0;
	*colon = '\0';
	len = strlen(to);
	if (to[0] == '[' && len > 1 && to[len - 1] == ']') {
		to[len - 1] = '\0';
		memmove(to, to + 1, len - 1);
	}
	return port;
}

int cmd_explain(struct cli *cli, const struct cli_args *args)
{
	nd_autofree char *to = NULL;
	struct nd_error e = ND_ERROR_INIT;
	json_t *reply = NULL, *in;
	const json_t *one;
	long long port;
	size_t i;
	int status;

	if (!args->value[EXPLAIN_FROM] || !args->value[EXPLAIN_TO]) {
		nd_fail(&e, ND_INVALID, "explain wants --from and --to");
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	to = strdup(args->value[EXPLAIN_TO]);
	port = to ? split_port(to) : 0;
	in = json_pack("{s:o, s:o, s:o*, s:o*}", "from", api_string(args->value[EXPLAIN_FROM]), "to",
		       api_string(to ? to : ""), "port", port ? json_integer(port) : NULL, "protocol",
		       args->value[EXPLAIN_PROTO] ? api_string(args->value[EXPLAIN_PROTO]) : NULL);
	status = cli_call(cli, "Explain", in, &reply);
	if (status != 0)
		return status;
	if (cli->json) {
		cli_print_json(cli, reply);
	} else {
		json_array_foreach(json_object_get(reply, "stages"), i, one) {
			fprintf(cli->out, " %-12s %-7s ", cli_text(one, "stage"), cli_text(one, "verdict"));
			output_text(cli->out, cli_text(one, "text"));
			fputc('\n', cli->out);
		}
		output_text(cli->out, cli_text(reply, "text"));
		fputc('\n', cli->out);
	}
	status = strcmp(cli_text(reply, "verdict"), "pass") == 0 ? 0 : CLI_STATUS_FOUND;
	json_decref(reply);
	return status;
}

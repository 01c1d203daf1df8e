// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: from arguments to a command's function, and what the functions share
 *
 * Arguments are read by the command's row: options in any place, "--option=value" or "--option value", "--"
 * ends them. What is wrong with them is told with the usage, and is exit status 2; everything else that fails
 * has an nd_error and the exit status of its code.
 */
#include "cli/cli.h"
#include "base/mem.h"
#include "cli/cmd-exec.h"
#include "cli/words.h"
#include "netd/api/api-proto.h"

void cli_usage(const struct cli_command *cmd, FILE *out)
{
	if (cmd->run_raw) {
		fprintf(out, "%s", CMD_EXEC_USAGE);
		return;
	}
	fprintf(out, "netdctl %s%s%s", cmd->name, *cmd->words ? " " : "", cmd->words);
	for (size_t i = 0; i < cmd->option_cnt; i++)
		fprintf(out, " [%s%s%s]", cmd->options[i].name, cmd->options[i].value ? " " : "",
			cmd->options[i].value ? cmd->options[i].value : "");
}

/* How many words the row wants at least and at most. */
static void count_words(const char *words, int *ret_min, int *ret_max)
{
	*ret_min = *ret_max = 0;
	for (const char *p = words; *p; p++) {
		if (p > words && p[-1] != ' ')
			continue;
		++*ret_max;
		*ret_min += *p != '[';
	}
}

static int find_option(const struct cli_command *cmd, const char *arg)
{
	size_t len = strcspn(arg, "=");

	for (size_t i = 0; i < cmd->option_cnt; i++)
		if (strlen(cmd->options[i].name) == len && strncmp(cmd->options[i].name, arg, len) == 0)
			return (int)i;
	return -1;
}

/* argv[*i] is an option, with its value behind '=' or in the next argument. */
static int parse_option(const struct cli_command *cmd, int argc, char **argv, int *i, struct cli_args *ret,
			struct nd_error *e)
{
	const char *arg = argv[*i], *inside = strchr(arg, '=');
	int o = find_option(cmd, arg);

	if (o < 0)
		return nd_fail(e, ND_INVALID, "command '%s' has no option '%s'", cmd->name, arg);
	ret->set[o] = true;
	if (!cmd->options[o].value) {
		if (inside)
			return nd_fail(e, ND_INVALID, "option '%s' takes no value", cmd->options[o].name);
		return 0;
	}
	if (!inside && *i + 1 >= argc)
		return nd_fail(e, ND_INVALID, "option '%s' needs %s", cmd->options[o].name,
			       cmd->options[o].value);
	ret->value[o] = inside ? inside + 1 : argv[++*i];
	return 0;
}

int cli_args_parse(const struct cli_command *cmd, int argc, char **argv, struct cli_args *ret,
		   struct nd_error *e)
{
	bool options = true;
	int min, max, words = 0, r;

	*ret = (struct cli_args){ 0 };
	count_words(cmd->words, &min, &max);
	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			r = parse_option(cmd, argc, argv, &i, ret, e);
			if (r < 0)
				return r;
		} else if (words == max) {
			return nd_fail(e, ND_INVALID, "command '%s': '%s' is one word too many", cmd->name,
				       argv[i]);
		} else {
			ret->word[words++] = argv[i];
		}
	}
	if (words < min)
		return nd_fail(e, ND_INVALID, "command '%s' needs %s", cmd->name, cmd->words);
	return 0;
}

static int usage_error(struct cli *cli, const struct cli_command *cmd, const struct nd_error *e)
{
	cli_error(cli, e);
	if (cmd && !cli->json) {
		fprintf(cli->err, "usage: ");
		cli_usage(cmd, cli->err);
		fputc('\n', cli->err);
	}
	return CLI_STATUS_USAGE;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	const struct cli_command *cmd = cli_command_find(argv[0]);
	struct nd_error e = ND_ERROR_INIT;
	struct cli_args args;

	if (!cmd) {
		nd_fail(&e, ND_INVALID, "unknown command '%s'; 'netdctl help' lists them", argv[0]);
		return usage_error(cli, NULL, &e);
	}
	if (cmd->run_raw)
		return cmd->run_raw(cli, argc, argv);
	if (cli_args_parse(cmd, argc, argv, &args, &e) < 0)
		return usage_error(cli, cmd, &e);
	return cmd->run(cli, &args);
}

static int run_line(struct cli *cli, const char *line)
{
	struct nd_error e = ND_ERROR_INIT;
	nd_autofree char **words = NULL;
	int cnt;

	if (words_split(line, &words, &cnt, &e) < 0)
		return usage_error(cli, NULL, &e);
	return cnt > 0 ? cli_run(cli, cnt, words) : 0;
}

int cli_run_lines(struct cli *cli, FILE *in, const char *prompt)
{
	nd_autofree char *line = NULL;
	size_t size = 0;
	int status = 0, r;

	for (;;) {
		if (prompt) {
			fputs(prompt, cli->out);
			fflush(cli->out);
		}
		if (getline(&line, &size, in) < 0)
			return status;
		r = run_line(cli, line);
		if (r != 0)
			status = r;
		/* Whoever drives us through a pipe waits for this answer before the next line. */
		fflush(cli->out);
	}
}

void cli_done(struct cli *cli)
{
	client_close(take_ptr(cli->client));
}

int cli_error(struct cli *cli, const struct nd_error *e)
{
	char line[ND_ERROR_STORE * 2];
	json_t *o;

	fflush(cli->out);
	nd_error_format(e, line, sizeof(line));
	o = cli->json ? json_pack("{s:s, s:o}", "error", nd_code_api_name(e->code), "parameters",
				  api_error_encode(e))
		      : NULL;
	if (o) {
		json_dumpf(o, cli->err, JSON_COMPACT);
		fputc('\n', cli->err);
	} else {
		fprintf(cli->err, "error: %s\n", line);
	}
	json_decref(o);
	return nd_code_exit_status(e->code);
}

struct client *cli_client(struct cli *cli, int *ret_status)
{
	struct nd_error e = ND_ERROR_INIT;

	if (cli->client && client_broken(cli->client))
		cli_done(cli);
	if (!cli->client && client_open(cli->socket, &cli->client, &e) < 0)
		*ret_status = cli_error(cli, &e);
	return cli->client;
}

int cli_call(struct cli *cli, const char *method, json_t *params, json_t **ret)
{
	struct nd_error e = ND_ERROR_INIT;
	struct client *c;
	int status = 0;

	c = cli_client(cli, &status);
	if (!c) {
		json_decref(params);
		return status;
	}
	return client_call(c, method, params, ret, &e) < 0 ? cli_error(cli, &e) : 0;
}

int cli_print_json(struct cli *cli, const json_t *reply)
{
	json_dumpf(reply, cli->out, JSON_INDENT(2));
	fputc('\n', cli->out);
	return 0;
}

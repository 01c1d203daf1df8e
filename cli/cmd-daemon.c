// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: commands about netd and netdctl themselves. */
#include "base/mem.h"
#include "cli/cli.h"

int cmd_reload(struct cli *cli, const struct cli_args *args)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *reply = NULL;
	int status = cli_call(cli, "Reload", NULL, &reply);
	long long broken;

	if (status != 0)
		return status;
	broken = api_get_int(reply, "broken", 0);
	if (cli->json)
		cli_print_json(cli, reply);
	json_decref(reply);
	if (broken > 0) {
		nd_fail(&e, ND_INVALID,
			"%lld of the definitions could not be read and are as they were; netd's log names "
			"them",
			broken);
		return cli_error(cli, &e);
	}
	if (!cli->json)
		cli_say(cli, "Definitions reloaded\n");
	return 0;
}

int cmd_counters(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL, *one;
	size_t i;
	int status = cli_call(cli, "GetCounters", NULL, &reply);

	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		json_array_foreach(json_object_get(reply, "dhcp"), i, one)
			if (api_get_int(one, "value", 0) > 0)
				fprintf(cli->out, "%-20s %lld\n", api_get_string(one, "name"),
					api_get_int(one, "value", 0));
	json_decref(reply);
	return 0;
}

int cmd_version(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	int status;

	if (!cli->json)
		fprintf(cli->out, "netdctl %s\n", NETD_VERSION);
	status = cli_call(cli, "GetVersion", NULL, &reply);
	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		fprintf(cli->out, "netd %s\n", api_get_string(reply, "version"));
	json_decref(reply);
	return 0;
}

static void help_one(struct cli *cli, const struct cli_command *cmd)
{
	fprintf(cli->out, "  %s - %s\n\n  ", cmd->name, cmd->text);
	cli_usage(cmd, cli->out);
	fprintf(cli->out, "\n\n");
	for (size_t i = 0; i < cmd->option_cnt; i++) {
		const struct cli_option *o = &cmd->options[i];
		int at = fprintf(cli->out, "    %s%s%s", o->name, o->value ? " " : "",
				 o->value ? o->value : "");

		fprintf(cli->out, "%*s%s\n", at < 24 ? 24 - at : 2, "", o->text);
	}
	if (cmd->option_cnt > 0)
		fputc('\n', cli->out);
}

static json_t *option_json(const struct cli_option *o)
{
	return json_pack("{s:s, s:s*, s:s}", "name", o->name, "value", o->value, "text", o->text);
}

static json_t *command_json(const struct cli_command *cmd)
{
	json_t *options = json_array();

	for (size_t i = 0; i < cmd->option_cnt; i++)
		json_array_append_new(options, option_json(&cmd->options[i]));
	return json_pack("{s:s, s:s, s:s, s:o}", "name", cmd->name, "words", cmd->words, "text", cmd->text,
			 "options", options);
}

static int help_json(struct cli *cli, const struct cli_command *only)
{
	json_t *list = json_array(), *all;

	for (size_t i = 0; i < cli_command_cnt; i++)
		if (!only || only == &cli_commands[i])
			json_array_append_new(list, command_json(&cli_commands[i]));
	all = json_pack("{s:o}", "commands", list);
	cli_print_json(cli, all);
	json_decref(all);
	return 0;
}

static int help_all(struct cli *cli)
{
	fprintf(cli->out, "netdctl [--socket PATH] [--json] [--quiet] COMMAND [ARGUMENT]...\n\n");
	for (size_t i = 0; i < cli_command_cnt; i++)
		fprintf(cli->out, "  %-19s %s\n", cli_commands[i].name, cli_commands[i].text);
	fprintf(cli->out,
		"\n'netdctl help COMMAND' tells more. Without a command, they are read from standard "
		"input, one a line.\n");
	return 0;
}

int cmd_help(struct cli *cli, const struct cli_args *args)
{
	const struct cli_command *cmd = args->word[0] ? cli_command_find(args->word[0]) : NULL;
	struct nd_error e = ND_ERROR_INIT;

	if (args->word[0] && !cmd) {
		nd_fail(&e, ND_INVALID, "unknown command: '%s'; 'netdctl help' lists them", args->word[0]);
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	if (cli->json)
		return help_json(cli, cmd);
	if (!cmd)
		return help_all(cli);
	help_one(cli, cmd);
	return 0;
}

int cmd_quit(struct cli *cli, const struct cli_args *args)
{
	cli->quit = true;
	if (!cli->json)
		return 0;
	fputs("{}\n", cli->out);
	return 0;
}

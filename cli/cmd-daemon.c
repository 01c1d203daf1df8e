// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: commands about netd and netdctl themselves. */
#include "base/mem.h"
#include "cli/cli.h"
#include "netd/api/api-proto.h"

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
		fprintf(cli->out, "Definitions reloaded\n\n");
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

int cmd_help(struct cli *cli, const struct cli_args *args)
{
	struct nd_error e = ND_ERROR_INIT;
	const struct cli_command *cmd;

	if (args->word[0]) {
		cmd = cli_command_find(args->word[0]);
		if (cmd) {
			help_one(cli, cmd);
			return 0;
		}
		nd_fail(&e, ND_INVALID, "unknown command '%s'; 'netdctl help' lists them", args->word[0]);
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	fprintf(cli->out, "netdctl [--socket PATH] [--json] COMMAND [ARGUMENT]...\n\n");
	for (size_t i = 0; i < cli_command_cnt; i++)
		fprintf(cli->out, "  %-16s %s\n", cli_commands[i].name, cli_commands[i].text);
	fprintf(cli->out,
		"\n'netdctl help COMMAND' tells more. Without a command, they are read from standard "
		"input, one a line.\n");
	return 0;
}

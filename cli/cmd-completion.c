// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: scripts that make bash and zsh complete netdctl's command lines, written from the command rows
 *
 * What a word is, is in the script; which networks and ports there are, the script asks netdctl.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "cli/cli.h"

/* bash: a function that says for a command and a word's number, or an option, what completes it */

static const char bash_tail[] =
	"_netdctl_ask() {\n"
	"\tlocal -a at=()\n"
	"\t[[ -n $socket ]] && at=(--socket \"$socket\")\n"
	"\tnetdctl \"${at[@]}\" --quiet \"$@\" 2>/dev/null </dev/null\n"
	"}\n"
	"_netdctl_offer() {\n"
	"\tlocal IFS=$'\\n'\n"
	"\tCOMPREPLY+=($(compgen -W \"$1\" -- \"$cur\"))\n"
	"}\n"
	"_netdctl_values() {\n"
	"\tcase $1 in\n"
	"\tnetworks) _netdctl_offer \"$(_netdctl_ask net-list --all --name)\" ;;\n"
	"\tports) _netdctl_offer \"$(_netdctl_ask port-list --name)\" ;;\n"
	"\tfiles) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
	"\tcommands) _netdctl_offer \"$(printf '%s\\n' $_netdctl_commands)\" ;;\n"
	"\tlist) shift; _netdctl_offer \"$(printf '%s\\n' \"$@\")\" ;;\n"
	"\tesac\n"
	"}\n"
	"_netdctl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} cmd= socket= what= i word at=0\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ -n $what ]]; then\n"
	"\t\t\twhat=\n"
	"\t\telif [[ -z $cmd && $word == --socket ]]; then\n"
	"\t\t\tsocket=${COMP_WORDS[++i]}\n"
	"\t\telif [[ -z $cmd && $word != -* ]]; then\n"
	"\t\t\tcmd=$word\n"
	"\t\telif [[ $word == -* ]]; then\n"
	"\t\t\twhat=$(_netdctl_kind \"$cmd\" \"$word\")\n"
	"\t\telse\n"
	"\t\t\t((++at))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ -n $what ]]; then\n"
	"\t\t_netdctl_values $what\n"
	"\telif [[ -z $cmd && $cur == -* ]]; then\n"
	"\t\t_netdctl_values list --socket --json --quiet --help --version\n"
	"\telif [[ -z $cmd ]]; then\n"
	"\t\t_netdctl_values commands\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\t_netdctl_values list $(_netdctl_options \"$cmd\") --json\n"
	"\telse\n"
	"\t\t_netdctl_values $(_netdctl_kind \"$cmd\" $at)\n"
	"\tfi\n"
	"}\n"
	"complete -F _netdctl netdctl\n";

static const char *const kinds[] = {
	[CLI_FROM_NOWHERE] = "nothing", [CLI_FROM_NETWORKS] = "networks", [CLI_FROM_PORTS] = "ports",
	[CLI_FROM_FILES] = "files",     [CLI_FROM_COMMANDS] = "commands", [CLI_FROM_LIST] = "list",
};

static void bash_kind(struct nd_buf *out, const struct cli_command *cmd, const char *at, const char *value)
{
	const struct cli_value *v = cli_value_find(cmd, value);

	nd_buf_printf(out, "\t%s\\ %s) echo %s%s%s ;;\n", cmd->name, at, kinds[v->source], v->list ? " " : "",
		      v->list ? v->list : "");
}

static void bash_kinds(struct nd_buf *out, const struct cli_command *cmd)
{
	struct cli_word w;
	char at[16];

	for (int i = 0; cli_word_at(cmd, i, &w); i++) {
		snprintf(at, sizeof(at), "%d", i);
		bash_kind(out, cmd, w.option, w.name);
		bash_kind(out, cmd, w.many ? "[0-9]*" : at, w.name);
	}
	for (size_t i = 0; i < cmd->option_cnt; i++)
		if (cmd->options[i].value)
			bash_kind(out, cmd, cmd->options[i].name, cmd->options[i].value);
}

static void bash_script(struct nd_buf *out)
{
	nd_buf_append_string(out, "# bash completion for netdctl, made by 'netdctl completion bash'\n"
				  "_netdctl_commands='");
	for (size_t i = 0; i < cli_command_cnt; i++)
		nd_buf_printf(out, "%s%s", i > 0 ? " " : "", cli_commands[i].name);
	nd_buf_append_string(out, "'\n_netdctl_options() {\n\tcase $1 in\n");
	for (size_t i = 0; i < cli_command_cnt; i++) {
		const struct cli_command *cmd = &cli_commands[i];

		nd_buf_printf(out, "\t%s) echo", cmd->name);
		for (size_t o = 0; o < cmd->option_cnt; o++)
			nd_buf_printf(out, " %s", cmd->options[o].name);
		nd_buf_append_string(out, " ;;\n");
	}
	nd_buf_append_string(out, "\tesac\n}\n_netdctl_kind() {\n\tcase \"$1 $2\" in\n");
	for (size_t i = 0; i < cli_command_cnt; i++)
		bash_kinds(out, &cli_commands[i]);
	nd_buf_append_string(out, "\tesac\n}\n");
	nd_buf_append_string(out, bash_tail);
}

/* zsh: a list of _arguments' specifications for each command */

static const char zsh_tail[] =
	"_netdctl_ask() {\n"
	"\tlocal -a names at\n"
	"\t(( ${+opt_args[--socket]} )) && at=(--socket ${opt_args[--socket]})\n"
	"\tnames=(${(f)\"$(netdctl $at --quiet $@ 2>/dev/null </dev/null)\"})\n"
	"\tcompadd -a names\n"
	"}\n"
	"_netdctl_networks() { _netdctl_ask net-list --all --name }\n"
	"_netdctl_ports() { _netdctl_ask port-list --name }\n"
	"_netdctl_names() { _describe command _netdctl_commands }\n"
	"_netdctl() {\n"
	"\tlocal context state line curcontext=$curcontext\n"
	"\ttypeset -A opt_args\n"
	"\t_arguments -C '--socket[socket of netd]:socket:_files' '--json[replies as JSON]' \\\n"
	"\t\t'(-q --quiet)'{-q,--quiet}'[results only]' '(- *)'{-h,--help}'[help]' \\\n"
	"\t\t'(- *)--version[versions]' '1:command:_netdctl_names' '*::argument:->argument'\n"
	"\t[[ $state == argument ]] && _netdctl_arguments $words[1]\n"
	"}\n"
	"_netdctl \"$@\"\n";

/* Inside '…' and [ ] of a specification. */
static void zsh_text(struct nd_buf *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			nd_buf_append_string(out, "'\\''");
		else if (*p == '[' || *p == ']' || *p == ':' || *p == '\\')
			nd_buf_printf(out, "\\%c", *p);
		else
			nd_buf_append(out, p, 1);
	}
}

static void zsh_action(struct nd_buf *out, const struct cli_command *cmd, const char *value)
{
	static const char *const actions[] = {
		[CLI_FROM_NOWHERE] = " ",
		[CLI_FROM_NETWORKS] = "_netdctl_networks",
		[CLI_FROM_PORTS] = "_netdctl_ports",
		[CLI_FROM_FILES] = "_files",
		[CLI_FROM_COMMANDS] = "_netdctl_names",
	};
	const struct cli_value *v = cli_value_find(cmd, value);

	nd_buf_append_string(out, ":");
	zsh_text(out, value);
	if (v->source == CLI_FROM_LIST)
		nd_buf_printf(out, ":(%s)", v->list);
	else
		nd_buf_printf(out, ":%s", actions[v->source]);
}

static void zsh_command(struct nd_buf *out, const struct cli_command *cmd)
{
	struct cli_word w;

	nd_buf_printf(out, "\t%s) _arguments '--json[replies as JSON]'", cmd->name);
	for (size_t i = 0; i < cmd->option_cnt; i++) {
		nd_buf_printf(out, " '%s[", cmd->options[i].name);
		zsh_text(out, cmd->options[i].text);
		nd_buf_append_string(out, "]");
		if (cmd->options[i].value)
			zsh_action(out, cmd, cmd->options[i].value);
		nd_buf_append_string(out, "'");
	}
	for (int i = 0; cli_word_at(cmd, i, &w); i++) {
		if (w.many)
			nd_buf_append_string(out, " '*");
		else
			nd_buf_printf(out, " '%d%s", i + 1, w.optional ? ":" : "");
		zsh_action(out, cmd, w.name);
		nd_buf_append_string(out, "'");
	}
	nd_buf_append_string(out, " ;;\n");
}

static void zsh_script(struct nd_buf *out)
{
	nd_buf_append_string(out, "#compdef netdctl\n# made by 'netdctl completion zsh'\n"
				  "local -a _netdctl_commands\n_netdctl_commands=(\n");
	for (size_t i = 0; i < cli_command_cnt; i++) {
		nd_buf_printf(out, "\t'%s:", cli_commands[i].name);
		zsh_text(out, cli_commands[i].text);
		nd_buf_append_string(out, "'\n");
	}
	nd_buf_append_string(out, ")\n_netdctl_arguments() {\n\tcase $1 in\n");
	for (size_t i = 0; i < cli_command_cnt; i++)
		zsh_command(out, &cli_commands[i]);
	nd_buf_append_string(out, "\tesac\n}\n");
	nd_buf_append_string(out, zsh_tail);
}

static const struct {
	const char *name;
	void (*script)(struct nd_buf *out);
} shells[] = { { "bash", bash_script }, { "zsh", zsh_script } };

int cmd_completion(struct cli *cli, const struct cli_args *args)
{
	struct nd_buf text = { .max = 0 };
	struct nd_error e = ND_ERROR_INIT;
	json_t *shown;

	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (strcmp(shells[i].name, args->word[0]) == 0)
			shells[i].script(&text);
	if (text.len == 0) {
		nd_fail(&e, ND_INVALID, "no completion for shell '%s', only for bash and zsh", args->word[0]);
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	if (cli->json) {
		shown = json_pack("{s:s}", "script", nd_buf_string(&text));
		cli_print_json(cli, shown);
		json_decref(shown);
	} else {
		fputs(nd_buf_string(&text), cli->out);
	}
	nd_buf_done(&text);
	return 0;
}

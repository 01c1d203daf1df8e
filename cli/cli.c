// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: from arguments to a command's function, and what the functions share
 *
 * Arguments are read by the command's row: options in any place, "--option=value" or "--option value", "--"
 * ends them; a word may be given as an option with its name, too. What is wrong with them is told in virsh's
 * words with the usage, and is exit status 2; everything else that fails has an nd_error and the exit status
 * of its code.
 *
 * As in virsh, an empty line follows what a command prints.
 */
#include "cli/cli.h"
#include "base/mem.h"
#include "cli/cmd-exec.h"
#include "cli/words.h"

#include <ctype.h>
#include <stdarg.h>

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

bool cli_word_at(const struct cli_command *cmd, int i, struct cli_word *ret)
{
	const char *p = cmd->words;
	size_t len, named;

	for (; *p && i > 0; i--) {
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	if (!*p)
		return false;
	*ret = (struct cli_word){ .optional = *p == '[' };
	p += ret->optional;
	len = strcspn(p, " ].");
	ret->many = strncmp(p + len + ret->optional, "...", 3) == 0;
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)len, p);
	named = strcspn(ret->name, "|"); /* FILE|DIR is --file */
	snprintf(ret->option, sizeof(ret->option), "--%.*s", (int)named, ret->name);
	for (char *o = ret->option; *o; o++)
		*o = (char)tolower((unsigned char)*o);
	return true;
}

static bool is_named(const char *arg, const char *name)
{
	size_t len = strcspn(arg, "=");

	return strlen(name) == len && strncmp(name, arg, len) == 0;
}

/* What follows an option: behind its '=', or the next argument. NULL: nothing, with the error. */
static const char *take_value(const char *name, const char *value, int argc, char **argv, int *i,
			      struct nd_error *e)
{
	const char *inside = strchr(argv[*i], '=');

	if (inside)
		return inside + 1;
	if (*i + 1 < argc)
		return argv[++*i];
	nd_fail(e, ND_INVALID, "expected syntax: %s <%s>", name, value);
	return NULL;
}

/* argv[*i] is an option of the row. Return: 1 if so, 0 if it is none of the row's, or the error. */
static int take_option(const struct cli_command *cmd, int argc, char **argv, int *i, struct cli_args *ret,
		       struct nd_error *e)
{
	for (size_t o = 0; o < cmd->option_cnt; o++) {
		const struct cli_option *option = &cmd->options[o];

		if (!is_named(argv[*i], option->name))
			continue;
		ret->set[o] = true;
		if (!option->value && strchr(argv[*i], '='))
			return nd_fail(e, ND_INVALID, "invalid '=' after option %s", option->name);
		if (!option->value)
			return 1;
		ret->value[o] = take_value(option->name, option->value, argc, argv, i, e);
		return ret->value[o] ? 1 : ND_INVALID;
	}
	return 0;
}

static void put_word(struct cli_args *ret, int at, const struct cli_word *w, const char *text)
{
	if (!ret->word[at])
		ret->word[at] = text;
	if (w->many)
		ret->rest[ret->rest_cnt++] = (char *)text;
}

/* argv[*i] is a word given by its name. As take_option. */
static int take_named_word(const struct cli_command *cmd, int argc, char **argv, int *i, struct cli_args *ret,
			   struct nd_error *e)
{
	struct cli_word w;
	const char *text;

	for (int at = 0; cli_word_at(cmd, at, &w); at++) {
		if (!is_named(argv[*i], w.option))
			continue;
		text = take_value(w.option, w.name, argc, argv, i, e);
		if (!text)
			return ND_INVALID;
		put_word(ret, at, &w, text);
		return 1;
	}
	return 0;
}

static int parse_option(const struct cli_command *cmd, int argc, char **argv, int *i, struct cli_args *ret,
			struct nd_error *e)
{
	int r = take_option(cmd, argc, argv, i, ret, e);

	if (r == 0)
		r = take_named_word(cmd, argc, argv, i, ret, e);
	if (r == 0 && strcmp(argv[*i], "--json") == 0) {
		ret->json = true;
		r = 1;
	}
	if (r == 0)
		return nd_fail(e, ND_INVALID, "command '%s' doesn't support option %.*s", cmd->name,
			       (int)strcspn(argv[*i], "="), argv[*i]);
	return r < 0 ? r : 0;
}

/* The next word of the row that is not given yet. */
static int parse_word(const struct cli_command *cmd, const char *text, struct cli_args *ret,
		      struct nd_error *e)
{
	struct cli_word w;

	for (int at = 0; cli_word_at(cmd, at, &w); at++)
		if (!ret->word[at] || w.many) {
			put_word(ret, at, &w, text);
			return 0;
		}
	return nd_fail(e, ND_INVALID, "unexpected data '%s'", text);
}

int cli_args_parse(const struct cli_command *cmd, int argc, char **argv, struct cli_args *ret,
		   struct nd_error *e)
{
	bool options = true;
	struct cli_word w;
	int r = 0;

	*ret = (struct cli_args){ .rest = calloc((size_t)argc + 1, sizeof(char *)) };
	if (!ret->rest)
		return nd_fail(e, ND_MEMORY, "the command's words");
	for (int i = 1; i < argc && r == 0; i++) {
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			r = parse_option(cmd, argc, argv, &i, ret, e);
		else
			r = parse_word(cmd, argv[i], ret, e);
	}
	for (int at = 0; r == 0 && cli_word_at(cmd, at, &w); at++)
		if (!w.optional && !ret->word[at])
			r = nd_fail(e, ND_INVALID, "command '%s' requires <%s> option", cmd->name,
				    w.option + 2);
	return r;
}

void cli_args_done(struct cli_args *args)
{
	free(take_ptr(args->rest));
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

static int run_command(struct cli *cli, const struct cli_command *cmd, const struct cli_args *args)
{
	bool json = cli->json;
	int status;

	cli->command = cmd;
	cli->args = args;
	cli->failure = cmd->failure;
	cli->json = json || args->json;
	status = cmd->run(cli, args);
	if (status == 0 && !cmd->plain && !cli->json)
		cli_say(cli, "\n");
	cli->json = json;
	cli->failure = NULL;
	cli->command = NULL;
	cli->args = NULL;
	return status;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	const struct cli_command *cmd = cli_command_find(argv[0]);
	struct nd_error e = ND_ERROR_INIT;
	struct cli_args args;
	int status;

	if (!cmd) {
		nd_fail(&e, ND_INVALID, "unknown command: '%s'; 'netdctl help' lists them", argv[0]);
		return usage_error(cli, NULL, &e);
	}
	if (cmd->run_raw)
		return cmd->run_raw(cli, argc, argv);
	if (cli_args_parse(cmd, argc, argv, &args, &e) < 0)
		status = usage_error(cli, cmd, &e);
	else
		status = run_command(cli, cmd, &args);
	cli_args_done(&args);
	return status;
}

int cli_run_line(struct cli *cli, const char *line)
{
	struct nd_error e = ND_ERROR_INIT;
	nd_autofree char **words = NULL;
	int cnt;

	if (words_split(line, &words, &cnt, &e) < 0)
		return usage_error(cli, NULL, &e);
	return cnt > 0 ? cli_run(cli, cnt, words) : 0;
}

int cli_run_lines(struct cli *cli, FILE *in)
{
	nd_autofree char *line = NULL;
	size_t size = 0;
	int status = 0, r;

	while (!cli->quit && getline(&line, &size, in) >= 0) {
		r = cli_run_line(cli, line);
		if (r != 0)
			status = r;
		/* Whoever drives us through a pipe waits for this answer before the next line. */
		fflush(cli->out);
	}
	return status;
}

void cli_done(struct cli *cli)
{
	client_close(take_ptr(cli->client));
}

/* Printing */

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

void cli_say(struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	va_start(ap, fmt);
	vfprintf(cli->out, fmt, ap);
	va_end(ap);
}

int cli_table(struct cli *cli, struct table *t)
{
	struct nd_error e = ND_ERROR_INIT;

	if (!t)
		nd_fail(&e, ND_MEMORY, "a table");
	else
		table_print(t, cli->out, !cli->quiet, &e);
	table_free(t);
	return e.code ? cli_error(cli, &e) : 0;
}

int cli_print_json(struct cli *cli, const json_t *reply)
{
	json_dumpf(reply, cli->out, JSON_INDENT(2));
	fputc('\n', cli->out);
	return 0;
}

/* Calling */

int cli_connect(struct cli *cli, struct client **ret, struct nd_error *e)
{
	int r = 0;

	if (cli->client && client_broken(cli->client))
		cli_done(cli);
	if (!cli->client)
		r = client_open(cli->socket, &cli->client, e);
	*ret = cli->client;
	return r;
}

struct client *cli_client(struct cli *cli, int *ret_status)
{
	struct nd_error e = ND_ERROR_INIT;
	struct client *c;

	if (cli_connect(cli, &c, &e) < 0)
		*ret_status = cli_error(cli, &e);
	return c;
}

int cli_try(struct cli *cli, const char *method, json_t *params, json_t **ret, struct nd_error *e)
{
	struct client *c;
	int r = cli_connect(cli, &c, e);

	if (r == 0)
		return client_call(c, method, params, ret, e);
	json_decref(params);
	return r;
}

/* The command's words for its failure, with its first word in the place of '*'. */
static void wrap_failure(const char *failure, const char *word, struct nd_error *e)
{
	const char *star = strchr(failure, '*');

	if (star)
		nd_wrap(e, "%.*s%s%s", (int)(star - failure), failure, word ? word : "", star + 1);
	else
		nd_wrap(e, "%s", failure);
}

int cli_failed(struct cli *cli, struct nd_error *e)
{
	const char *word = cli->args ? cli->args->word[0] : NULL;
	bool of_network = cli->command && strncmp(cli->command->words, "NETWORK", 7) == 0;

	if (e->code == ND_NOT_FOUND && of_network && strncmp(nd_error_text(e), "Network not", 11) == 0)
		nd_wrap(e, "failed to get network '%s'", word);
	else if (cli->failure)
		wrap_failure(cli->failure, word, e);
	return cli_error(cli, e);
}

int cli_call(struct cli *cli, const char *method, json_t *params, json_t **ret)
{
	struct nd_error e = ND_ERROR_INIT;

	return cli_try(cli, method, params, ret, &e) < 0 ? cli_failed(cli, &e) : 0;
}

bool cli_number(struct cli *cli, const struct cli_args *args, int option, long long min, long long max,
		long long *ret)
{
	const char *word = args->value[option];
	struct nd_error e = ND_ERROR_INIT;
	long long n;
	char *end;

	if (!word)
		return true;
	n = strtoll(word, &end, 10);
	if (*word && !*end && n >= min && n <= max) {
		*ret = n;
		return true;
	}
	nd_fail(&e, ND_INVALID, "%s: '%s' is not a number between %lld and %lld",
		cli->command->options[option].name, word, min, max);
	cli_error(cli, &e);
	return false;
}

const char *cli_text(const json_t *object, const char *name)
{
	const char *s = api_get_string(object, name);

	return s ? s : "";
}

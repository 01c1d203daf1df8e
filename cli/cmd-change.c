// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the commands that change one thing of a network: net-update, net-desc, net-metadata
 *
 * As in virsh, --live changes what runs, --config the definition, both both, and --current (or none) what
 * runs, else the definition.
 */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/edit.h"
#include "cli/input.h"

#include <limits.h>

/* Where the row's first three options say. Return: false after printing what is wrong with them. */
static bool put_targets(struct cli *cli, const struct cli_args *args, json_t *params)
{
	static const struct {
		int option;
		const char *field;
	} rows[] = { { TARGET_LIVE, "live" }, { TARGET_CONFIG, "config" } };
	struct nd_error e = ND_ERROR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!args->set[rows[i].option])
			continue;
		if (args->set[TARGET_CURRENT]) {
			nd_fail(&e, ND_INVALID, "Options --current and --%s are mutually exclusive",
				rows[i].field);
			cli_error(cli, &e);
			return false;
		}
		json_object_set_new(params, rows[i].field, json_true());
	}
	return true;
}

/* net-update */

static bool is_listed(const struct cli *cli, const char *value, const char *word)
{
	const char *list = cli_value_find(cli->command, value)->list;
	size_t len = strlen(word);

	for (const char *p = list; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static int check_words(const struct cli *cli, const struct cli_args *args, struct nd_error *e)
{
	static const struct {
		const char *value, *noun;
		int word;
	} rows[] = { { "COMMAND", "command", 1 }, { "SECTION", "section", 2 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!is_listed(cli, rows[i].value, args->word[rows[i].word]))
			return nd_fail(e, ND_INVALID, "unrecognized %s name '%s'", rows[i].noun,
				       args->word[rows[i].word]);
	return 0;
}

static const char *affected(const struct cli_args *args, const json_t *network)
{
	if (args->set[TARGET_CONFIG])
		return args->set[TARGET_LIVE] ? "persistent config and live state" : "persistent config";
	return args->set[TARGET_LIVE] || api_get_bool(network, "active", false) ? "live state"
										: "persistent config";
}

static int update(struct cli *cli, const struct cli_args *args, json_t *params)
{
	json_t *reply = NULL;
	const json_t *network;
	int status = cli_call(cli, "UpdateNetwork", params, &reply);

	if (status != 0)
		return status;
	network = json_object_get(reply, "network");
	if (cli->json)
		cli_print_json(cli, reply);
	else
		cli_say(cli, "Updated network %s %s", cli_text(network, "name"), affected(args, network));
	json_decref(reply);
	return 0;
}

int cmd_net_update(struct cli *cli, const struct cli_args *args)
{
	nd_autofree char *xml = NULL;
	struct nd_error e = ND_ERROR_INIT;
	long long parent = -1;
	json_t *params;

	if (check_words(cli, args, &e) < 0) {
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	if (!cli_number(cli, args, NET_UPDATE_PARENT, -1, INT_MAX, &parent))
		return CLI_STATUS_USAGE;
	/* The element itself, or the name of its file. */
	if (args->word[3][0] != '<' && input_read(args->word[3], &xml, &e) < 0)
		return cli_failed(cli, &e);
	params = json_pack("{s:s, s:s, s:s, s:s}", "name", args->word[0], "command", args->word[1], "section",
			   args->word[2], "xml", xml ? xml : args->word[3]);
	if (!params) {
		nd_fail(&e, ND_PARSE, "the element is not UTF-8 text");
		return cli_failed(cli, &e);
	}
	if (parent >= 0)
		json_object_set_new(params, "parentIndex", json_integer(parent));
	if (!put_targets(cli, args, params)) {
		json_decref(params);
		return CLI_STATUS_USAGE;
	}
	return update(cli, args, params);
}

/* One text of a network: read, set, edited */

struct text {
	struct cli *cli;
	const struct cli_args *args;
	const char *type, *uri, *key; /* as in SetMetadata */
	const char *suffix;           /* of the file that is edited */
};

/* *ret: NULL on failure, after printing it. */
static json_t *text_params(const struct text *t)
{
	json_t *params =
		json_pack("{s:s, s:s, s:s*}", "name", t->args->word[0], "type", t->type, "uri", t->uri);

	if (params && put_targets(t->cli, t->args, params))
		return params;
	json_decref(params);
	return NULL;
}

/* Return: 0 and *ret (heap), the error; ND_NOT_FOUND with the network's own text where only the text is missing. */
static int text_get(const struct text *t, json_t *params, char **ret, struct nd_error *e)
{
	json_t *reply = NULL;
	int r = cli_try(t->cli, "GetMetadata", params, &reply, e);

	if (r < 0)
		return r;
	*ret = strdup(cli_text(reply, "value"));
	json_decref(reply);
	return *ret ? 0 : nd_fail(e, ND_MEMORY, "the text");
}

static bool is_missing(const struct nd_error *e)
{
	return e->code == ND_NOT_FOUND && strncmp(nd_error_text(e), "Network not", 11) != 0;
}

/* params: taken. value NULL: removed. Return: 0 or the exit status */
static int text_set(const struct text *t, json_t *params, const char *value)
{
	if (value)
		json_object_set_new(params, "value", api_string(value));
	if (t->key)
		json_object_set_new(params, "key", api_string(t->key));
	return cli_call(t->cli, "SetMetadata", params, NULL);
}

/* Some editors end every file with a newline. */
static void strip_newline(char *s)
{
	size_t len = strlen(s);

	if (len > 0 && s[len - 1] == '\n')
		s[len - 1] = '\0';
}

/* params: taken. Return: 0 and *ret_changed, or the exit status */
static int text_edit(const struct text *t, json_t *params, bool *ret_changed)
{
	nd_autofree char *was = NULL, *now = NULL;
	struct nd_error e = ND_ERROR_INIT;
	int r = text_get(t, json_incref(params), &was, &e);

	if (r < 0 && is_missing(&e)) {
		nd_error_reset(&e);
		was = strdup("");
		r = was ? 0 : nd_fail(&e, ND_MEMORY, "the text");
	}
	if (r == 0)
		r = edit_text(was, t->suffix, &now, &e);
	if (r < 0) {
		json_decref(params);
		return cli_failed(t->cli, &e);
	}
	strip_newline(now);
	*ret_changed = strcmp(was, now) != 0;
	if (*ret_changed)
		return text_set(t, params, *now ? now : NULL);
	json_decref(params);
	return 0;
}

static int print_changed(struct cli *cli, bool changed)
{
	json_t *o = json_pack("{s:b}", "changed", changed);

	cli_print_json(cli, o);
	json_decref(o);
	return 0;
}

/* params: taken. What is said where there is no text: format with the network's name; NULL: an error. */
static int text_show(const struct text *t, json_t *params, const char *missing)
{
	nd_autofree char *value = NULL;
	struct nd_error e = ND_ERROR_INIT;
	int r = text_get(t, params, &value, &e);
	json_t *o;

	if (r < 0 && !(missing && is_missing(&e)))
		return cli_failed(t->cli, &e);
	if (t->cli->json) {
		o = json_pack("{s:b, s:s*}", "changed", 0, "value", value);
		cli_print_json(t->cli, o);
		json_decref(o);
	} else if (value) {
		fprintf(t->cli->out, "%s%s", value, missing ? "" : "\n");
	} else {
		cli_say(t->cli, "No %s for network: %s", missing, t->args->word[0]);
	}
	return 0;
}

/* net-desc */

static char *joined(const struct cli_args *args)
{
	struct nd_buf text = { .max = 0 };
	char *ret;

	for (int i = 0; i < args->rest_cnt; i++)
		nd_buf_printf(&text, "%s%s", i > 0 ? " " : "", args->rest[i]);
	ret = text.bad ? NULL : strdup(nd_buf_string(&text));
	nd_buf_done(&text);
	return ret;
}

int cmd_net_desc(struct cli *cli, const struct cli_args *args)
{
	bool title = args->set[NET_DESC_TITLE], changed = true;
	struct text t = { cli, args, title ? "title" : "description", NULL, NULL, ".txt" };
	nd_autofree char *text = joined(args);
	json_t *params = text_params(&t);
	int status;

	if (!params)
		return CLI_STATUS_USAGE;
	if (!args->set[NET_DESC_EDIT] && args->rest_cnt == 0)
		return text_show(&t, params, t.type);
	cli->failure = title ? "Failed to set new network title" : "Failed to set new network description";
	if (args->set[NET_DESC_EDIT])
		status = text_edit(&t, params, &changed);
	else
		status = text_set(&t, params, text && *text ? text : NULL);
	if (status != 0)
		return status;
	if (cli->json)
		return print_changed(cli, changed);
	cli_say(cli, "Network %s %s", t.type, changed ? "updated successfully" : "not changed");
	return 0;
}

/* net-metadata */

static int check_metadata(const struct cli_args *args, struct nd_error *e)
{
	int verbs =
		args->set[NET_METADATA_SET] + args->set[NET_METADATA_REMOVE] + args->set[NET_METADATA_EDIT];

	if (verbs > 1)
		return nd_fail(e, ND_INVALID, "Options --set, --remove and --edit are mutually exclusive");
	if ((args->set[NET_METADATA_SET] || args->set[NET_METADATA_EDIT]) && !args->set[NET_METADATA_KEY])
		return nd_fail(e, ND_INVALID, "namespace key is required when modifying metadata");
	return 0;
}

int cmd_net_metadata(struct cli *cli, const struct cli_args *args)
{
	struct text t = { cli, args, "element", args->word[1], args->value[NET_METADATA_KEY], ".xml" };
	bool remove = args->set[NET_METADATA_REMOVE], changed = true;
	struct nd_error e = ND_ERROR_INIT;
	json_t *params;
	int status;

	if (check_metadata(args, &e) < 0) {
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	params = text_params(&t);
	if (!params)
		return CLI_STATUS_USAGE;
	if (args->set[NET_METADATA_EDIT])
		status = text_edit(&t, params, &changed);
	else if (remove || args->set[NET_METADATA_SET])
		status = text_set(&t, params, args->value[NET_METADATA_SET]);
	else
		return text_show(&t, params, NULL);
	if (status != 0)
		return status;
	if (cli->json)
		return print_changed(cli, changed);
	cli_say(cli, "Metadata %s\n", !changed ? "not changed" : remove ? "removed" : "modified");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: completion
 *
 * Where the cursor is decides what is offered: behind an option that wants a value, its values; at a '-',
 * options; else the values of the row's next word.
 */
#include "cli/complete.h"
#include "base/mem.h"

#include <dirent.h>

struct asked {
	struct cli *cli;
	const char *prefix;
	void (*fn)(void *arg, const char *word);
	void *arg;
};

static void offer(const struct asked *a, const char *word)
{
	if (*word && strncmp(word, a->prefix, strlen(a->prefix)) == 0)
		a->fn(a->arg, word);
}

static void offer_commands(const struct asked *a)
{
	for (size_t i = 0; i < cli_command_cnt; i++)
		offer(a, cli_commands[i].name);
}

static void offer_list(const struct asked *a, const char *list)
{
	nd_autofree char *copy = strdup(list);
	char *save = NULL;

	for (char *w = copy ? strtok_r(copy, " ", &save) : NULL; w; w = strtok_r(NULL, " ", &save))
		offer(a, w);
}

/* The named field of all records in a reply's list; the other one where it is missing. */
static void offer_records(const struct asked *a, const char *method, const char *list, const char *field,
			  const char *other)
{
	json_t *reply = NULL;
	const json_t *records;

	if (cli_try(a->cli, method, NULL, &reply, NULL) < 0)
		return;
	records = json_object_get(reply, list);
	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *r = json_array_get(records, i);
		const char *word = api_get_string(r, field);

		offer(a, word ? word : cli_text(r, other));
	}
	json_decref(reply);
}

static void offer_files(const struct asked *a)
{
	const char *slash = strrchr(a->prefix, '/'), *base = slash ? slash + 1 : a->prefix;
	nd_autofree char *dir = slash ? strndup(a->prefix, (size_t)(base - a->prefix)) : strdup("");
	DIR *d = dir ? opendir(*dir ? dir : ".") : NULL;

	for (struct dirent *f; d && (f = readdir(d));) {
		nd_autofree char *path = NULL;

		if (f->d_name[0] == '.' && base[0] != '.')
			continue;
		if (asprintf(&path, "%s%s%s", dir, f->d_name, f->d_type == DT_DIR ? "/" : "") >= 0)
			offer(a, path);
	}
	if (d)
		closedir(d);
}

static void offer_values(const struct asked *a, const struct cli_command *cmd, const char *name)
{
	const struct cli_value *v = cli_value_find(cmd, name);

	switch (v->source) {
	case CLI_FROM_NOWHERE: break;
	case CLI_FROM_NETWORKS: offer_records(a, "ListNetworks", "networks", "name", "uuid"); break;
	case CLI_FROM_PORTS: offer_records(a, "ListPorts", "ports", "name", "interface"); break;
	case CLI_FROM_FILES: offer_files(a); break;
	case CLI_FROM_COMMANDS: offer_commands(a); break;
	case CLI_FROM_LIST: offer_list(a, v->list); break;
	}
}

static void offer_options(const struct asked *a, const struct cli_command *cmd)
{
	for (size_t i = 0; i < cmd->option_cnt; i++)
		offer(a, cmd->options[i].name);
	offer(a, "--json");
}

/* What the value behind option is called; NULL: it takes none. */
static const char *value_of(const struct cli_command *cmd, const char *option, struct cli_word *w)
{
	for (size_t i = 0; i < cmd->option_cnt; i++)
		if (strcmp(cmd->options[i].name, option) == 0)
			return cmd->options[i].value;
	for (int i = 0; cli_word_at(cmd, i, w); i++)
		if (strcmp(w->option, option) == 0)
			return w->name;
	return NULL;
}

void complete(struct cli *cli, int cnt, char *const *words, const char *prefix,
	      void (*fn)(void *arg, const char *word), void *arg)
{
	struct asked a = { cli, prefix, fn, arg };
	const struct cli_command *cmd;
	const char *value = NULL;
	struct cli_word w;
	int at = 0;

	if (cnt == 0) {
		offer_commands(&a);
		return;
	}
	cmd = cli_command_find(words[0]);
	if (!cmd)
		return;
	for (int i = 1; i < cnt; i++) {
		if (value)
			value = NULL;
		else if (words[i][0] == '-' && words[i][1])
			value = value_of(cmd, words[i], &w);
		else
			at++;
	}
	if (value)
		offer_values(&a, cmd, value);
	else if (prefix[0] == '-')
		offer_options(&a, cmd);
	else if (cli_word_at(cmd, at, &w) || (at > 0 && cli_word_at(cmd, at - 1, &w) && w.many))
		offer_values(&a, cmd, w.name);
}

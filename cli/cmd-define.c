// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the commands that bring documents to netd: net-define, net-create, net-edit, net-apply
 *
 * net-edit is virsh's: nothing is done where nothing changed, a definition that somebody else changed
 * meanwhile is not written over unasked, and what netd refuses can be edited again, with the reason at its
 * line.
 *
 * net-apply tells the whole plan before it touches anything, and touches nothing when one of the documents
 * could not be applied as asked.
 */
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "cli/cli.h"
#include "cli/edit.h"
#include "cli/input.h"

#include <sys/stat.h>

/* {"xml": …} with flag where it is set. *ret: NULL on failure. */
static int xml_params(const char *file, const char *xml, const char *flag, bool set, json_t **ret,
		      struct nd_error *e)
{
	*ret = json_pack("{s:s}", "xml", xml);
	if (!*ret)
		return nd_fail(e, ND_PARSE, "%s is not UTF-8 text", file);
	if (set)
		json_object_set_new(*ret, flag, json_true());
	return 0;
}

static void print_warnings(struct cli *cli, const char *file, const json_t *reply)
{
	const json_t *warnings = json_object_get(reply, "warnings");

	for (size_t i = 0; i < json_array_size(warnings); i++) {
		const json_t *w = json_array_get(warnings, i);

		fprintf(cli->err, "warning: %s: line %lld: <%s>: %s\n", file, api_get_int(w, "line", 0),
			cli_text(w, "element"), cli_text(w, "text"));
	}
}

static const char *network_name(const json_t *reply)
{
	return cli_text(json_object_get(reply, "network"), "name");
}

/* net-define, net-create */

static int define(struct cli *cli, const char *method, const struct cli_args *args, const char *verb)
{
	const char *file = args->word[0];
	nd_autofree char *xml = NULL;
	struct nd_error e = ND_ERROR_INIT;
	json_t *params = NULL, *reply = NULL;
	int status;

	if (input_read(file, &xml, &e) < 0 ||
	    xml_params(file, xml, "validate", args->set[NET_DEFINE_VALIDATE], &params, &e) < 0)
		return cli_failed(cli, &e);
	status = cli_call(cli, method, params, &reply);
	if (status != 0)
		return status;
	if (cli->json) {
		cli_print_json(cli, reply);
	} else {
		print_warnings(cli, file, reply);
		cli_say(cli, "Network %s %s from %s\n", network_name(reply), verb, file);
	}
	json_decref(reply);
	return 0;
}

int cmd_net_define(struct cli *cli, const struct cli_args *args)
{
	return define(cli, "DefineNetwork", args, "defined");
}

int cmd_net_create(struct cli *cli, const struct cli_args *args)
{
	return define(cli, "CreateNetwork", args, "created");
}

/* net-edit */

static int dump_inactive(struct cli *cli, const char *name, char **ret, struct nd_error *e)
{
	json_t *reply = NULL;
	int r = cli_try(cli, "DumpNetwork", json_pack("{s:s, s:b}", "name", name, "inactive", 1), &reply, e);

	if (r < 0)
		return r;
	*ret = strdup(cli_text(reply, "xml"));
	json_decref(reply);
	return *ret ? 0 : nd_fail(e, ND_MEMORY, "the network's XML");
}

struct editing {
	struct cli *cli;
	const char *key; /* as given */
	char *was;       /* the XML before */
	char *xml;       /* as edited */
	char name[256];  /* of the network afterwards */
};

/* Whether nobody changed the definition while the editor was open. */
static int check_same(struct editing *ed, struct nd_error *e)
{
	nd_autofree char *now = NULL;

	if (dump_inactive(ed->cli, ed->key, &now, e) < 0)
		return e->code;
	if (strcmp(now, ed->was) != 0)
		return nd_fail(e, ND_BUSY, "the XML configuration was changed by another user");
	return 0;
}

static int redefine(struct editing *ed, bool force, struct nd_error *e)
{
	json_t *params = NULL, *reply = NULL;

	if ((!force && check_same(ed, e) < 0) || xml_params("it", ed->xml, NULL, false, &params, e) < 0 ||
	    cli_try(ed->cli, "DefineNetwork", params, &reply, e) < 0)
		return e->code;
	if (!ed->cli->json)
		print_warnings(ed->cli, ed->key, reply);
	nd_strcpy(ed->name, sizeof(ed->name), network_name(reply));
	json_decref(reply);
	return 0;
}

/* Editor and redefinition until one of them is content. Return: 0 and *ret_changed, or the exit status. */
static int edit_until_done(struct editing *ed, bool *ret_changed)
{
	enum edit_answer answer = EDIT_AGAIN;
	struct nd_error e = ND_ERROR_INIT;
	nd_autofree char *text = strdup(ed->was);
	nd_autofree char *edited = NULL;

	while (text) {
		nd_error_reset(&e);
		if (answer == EDIT_AGAIN) {
			free(take_ptr(edited));
			if (edit_text(text, ".xml", &edited, &e) < 0)
				return cli_failed(ed->cli, &e);
			free(ed->xml);
			ed->xml = edit_without_note(edited);
		}
		*ret_changed = ed->xml && strcmp(ed->xml, ed->was) != 0;
		if (ed->xml && (!*ret_changed || redefine(ed, answer == EDIT_FORCE, &e) == 0))
			return 0;
		cli_failed(ed->cli, &e);
		answer = edit_ask(ed->cli);
		if (answer == EDIT_THROW_AWAY)
			return nd_code_exit_status(e.code);
		free(text);
		text = ed->xml ? edit_with_note(ed->xml, &e) : NULL;
	}
	return nd_code_exit_status(ND_MEMORY);
}

int cmd_net_edit(struct cli *cli, const struct cli_args *args)
{
	struct editing ed = { .cli = cli, .key = args->word[0] };
	struct nd_error e = ND_ERROR_INIT;
	bool changed = false;
	json_t *reply = NULL;
	int status;

	status = cli_call(cli, "GetNetwork", json_pack("{s:s}", "name", ed.key), &reply);
	if (status != 0)
		return status;
	nd_strcpy(ed.name, sizeof(ed.name), network_name(reply));
	json_decref(take_ptr(reply));
	status = dump_inactive(cli, ed.key, &ed.was, &e) < 0 ? cli_failed(cli, &e)
							     : edit_until_done(&ed, &changed);
	if (status == 0 && cli->json) {
		reply = json_pack("{s:b, s:s}", "changed", changed, "name", ed.name);
		cli_print_json(cli, reply);
		json_decref(reply);
	} else if (status == 0) {
		cli_say(cli, "Network %s XML configuration %s.\n", ed.name,
			changed ? "edited" : "not changed");
	}
	free(ed.was);
	free(ed.xml);
	return status;
}

/* net-apply */

struct document {
	char *file, *xml;
	json_t *plan; /* io.netd Plan */
};
struct documents {
	struct document *list;
	size_t cnt;
};

static void documents_done(struct documents *d)
{
	for (size_t i = 0; i < d->cnt; i++) {
		free(d->list[i].file);
		free(d->list[i].xml);
		json_decref(d->list[i].plan);
	}
	free(d->list);
}

static int add_file(struct documents *d, const char *dir, const char *name, struct nd_error *e)
{
	struct document *bigger = reallocarray(d->list, d->cnt + 1, sizeof(*bigger)), *doc;

	if (!bigger)
		return nd_fail(e, ND_MEMORY, "the list of files");
	d->list = bigger;
	doc = &d->list[d->cnt];
	*doc = (struct document){ 0 };
	if (asprintf(&doc->file, "%s%s%s", dir ? dir : "", dir ? "/" : "", name) < 0) {
		doc->file = NULL;
		return nd_fail(e, ND_MEMORY, "the list of files");
	}
	d->cnt++;
	return input_read(doc->file, &doc->xml, e);
}

/* A file, or all *.xml of a folder. */
static int add_path(struct documents *d, const char *path, struct nd_error *e)
{
	char **names = NULL;
	struct stat st;
	int r;

	if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return add_file(d, NULL, path, e);
	r = nd_dir_list(path, ".xml", &names, e);
	for (size_t i = 0; names && names[i]; i++) {
		if (r == 0)
			r = add_file(d, path, names[i], e);
		free(names[i]);
	}
	free(names);
	return r;
}

static int plan_document(struct cli *cli, struct document *doc, struct nd_error *e)
{
	json_t *params = NULL, *reply = NULL;

	if (xml_params(doc->file, doc->xml, NULL, false, &params, e) < 0 ||
	    cli_try(cli, "PlanNetwork", params, &reply, e) < 0)
		return nd_wrap(e, "%s", doc->file);
	doc->plan = json_incref(json_object_get(reply, "plan"));
	json_decref(reply);
	return 0;
}

static bool needs_restart(const json_t *plan)
{
	const char *live = cli_text(plan, "live");

	return strcmp(live, "restart") == 0 || strcmp(live, "recreate") == 0;
}

/* "define", "change live", … as one phrase. */
static const char *plan_words(const json_t *plan)
{
	bool start = api_get_bool(plan, "start", false);

	if (api_get_bool(plan, "new", false))
		return start ? "define, start" : "define";
	if (needs_restart(plan))
		return cli_text(plan, "live");
	if (strcmp(cli_text(plan, "live"), "live") == 0)
		return "change live";
	if (strcmp(cli_text(plan, "config"), "none") != 0 || json_array_size(json_object_get(plan, "fields")))
		return start ? "redefine, start" : "redefine";
	return start ? "start" : "none";
}

static void add_list(struct table *t, const json_t *list)
{
	struct nd_buf line = { .max = 0 };

	for (size_t i = 0; i < json_array_size(list); i++)
		nd_buf_printf(&line, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(list, i)));
	table_add(t, nd_buf_string(&line));
	nd_buf_done(&line);
}

static int print_plan(struct cli *cli, const struct documents *d)
{
	static const char *const header[] = { "Network", "Change", "Fields", "Guests cut off", "File" };
	struct table *t = table_new(header, ARRAY_LEN(header));

	for (size_t i = 0; t && i < d->cnt; i++) {
		const json_t *plan = d->list[i].plan;

		table_add(t, cli_text(plan, "name"));
		table_add(t, plan_words(plan));
		add_list(t, json_object_get(plan, "fields"));
		add_list(t, json_object_get(plan, "guests"));
		table_add(t, d->list[i].file);
	}
	return cli_table(cli, t);
}

static int apply_document(struct cli *cli, const struct document *doc, bool restart, struct nd_error *e)
{
	json_t *params = NULL, *reply = NULL;
	const char *name = cli_text(doc->plan, "name");

	if (xml_params(doc->file, doc->xml, "restart", restart, &params, e) < 0 ||
	    cli_try(cli, "ApplyNetwork", params, &reply, e) < 0)
		return nd_wrap(e, "%s", doc->file);
	json_decref(reply);
	if (api_get_bool(doc->plan, "start", false) &&
	    cli_try(cli, "StartNetwork", json_pack("{s:s}", "name", name), NULL, e) < 0)
		return nd_wrap(e, "%s", doc->file);
	if (!cli->json)
		cli_say(cli, "Network %s applied from %s\n", name, doc->file);
	return 0;
}

/* What would be refused halfway is refused before anything is touched. */
static int check_restarts(const struct documents *d, struct nd_error *e)
{
	for (size_t i = 0; i < d->cnt; i++)
		if (needs_restart(d->list[i].plan))
			return nd_fail(e, ND_STATE,
				       "%s: network '%s' can change so only by a restart; nothing was "
				       "changed; with --restart it is restarted",
				       d->list[i].file, cli_text(d->list[i].plan, "name"));
	return 0;
}

static void print_apply_json(struct cli *cli, const struct documents *d, bool applied)
{
	json_t *plans = json_array(), *all;

	for (size_t i = 0; i < d->cnt; i++)
		json_array_append(plans, d->list[i].plan);
	all = json_pack("{s:o, s:b}", "plans", plans, "applied", applied);
	cli_print_json(cli, all);
	json_decref(all);
}

static int apply_all(struct cli *cli, const struct documents *d, const struct cli_args *args,
		     struct nd_error *e)
{
	bool restart = args->set[NET_APPLY_RESTART], dry = args->set[NET_APPLY_DRY_RUN];

	if (!cli->json && print_plan(cli, d) != 0)
		return nd_fail(e, ND_MEMORY, "the plan");
	if (!dry && !restart && check_restarts(d, e) < 0)
		return e->code;
	if (!dry && !cli->json)
		cli_say(cli, "\n");
	for (size_t i = 0; i < d->cnt && !dry; i++)
		if (apply_document(cli, &d->list[i], restart, e) < 0)
			return e->code;
	if (cli->json)
		print_apply_json(cli, d, !dry);
	return 0;
}

int cmd_net_apply(struct cli *cli, const struct cli_args *args)
{
	struct documents d = { 0 };
	struct nd_error e = ND_ERROR_INIT;
	int r = 0;

	for (int i = 0; i < args->rest_cnt && r == 0; i++)
		r = add_path(&d, args->rest[i], &e);
	for (size_t i = 0; i < d.cnt && r == 0; i++)
		r = plan_document(cli, &d.list[i], &e);
	if (r == 0)
		r = apply_all(cli, &d, args, &e);
	documents_done(&d);
	return r < 0 ? cli_failed(cli, &e) : 0;
}

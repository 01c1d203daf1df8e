// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the definitions' files, read at start and again when asked (see network.h)
 *
 * People may edit them. A file that cannot be taken is told in an event, its network stays as it was, and where there is none, who asks for it by its
 * name is told what is wrong with the file instead of that there is no such network.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/event.h"
#include "netd/core/network.h"
#include "netd/core/records.h"
#include "netd/core/settings.h"

#define SUFFIX ".xml"

static void warn_log(void *arg, const struct netdef_warning *w)
{
	nd_log(ND_LOG_WARNING, "%s: line %d: <%s>: %s", (const char *)arg, w->line, w->element, w->text);
}

/* Not the change class: what a running network would not notice counts as well. */
static bool same_definition(const struct netdef *a, const struct netdef *b)
{
	struct nd_buf what = { .max = NETDEF_XML_MAX };
	netdef_diff(a, b, &what);
	bool same = what.len == 0 && !what.bad;
	nd_buf_done(&what);
	return same;
}

static int check_file_name(const struct netdef *def, const char *path, const char *file, struct nd_error *e)
{
	size_t len = strlen(def->name);
	if (!strncmp(file, def->name, len) && !strcmp(file + len, SUFFIX))
		return 0;
	return nd_fail(e, ND_INVALID, "%s: <name>: '%s' does not match the file name", path, def->name);
}

/* def: taken. */
static int take(struct core *c, struct netdef *def, const char *path, struct nd_error *e)
{
	struct network *n = model_network_by_uuid(c->model, &def->uuid);
	if (n && (n->busy || (n->config && same_definition(n->config, def)))) {
		netdef_free(def);
		return 0;
	}
	if (network_publish(c, def, &n, e) < 0)
		return e->code;
	events_say(c->events, EVENT_NETWORK_DEFINED, n, NULL, "defined from %s", path);
	return 0;
}

static int load_file(struct core *c, const char *path, const char *file, struct nd_error *e)
{
	nd_autofree char *text = NULL;
	size_t len;
	struct netdef *def = NULL;
	if (nd_file_read(path, NETDEF_XML_MAX, &text, &len, e) < 0 ||
	    netdef_parse(text, len, path, warn_log, (void *)path, &def, e) < 0)
		return e->code;
	if (check_file_name(def, path, file, e) < 0) {
		netdef_free(def);
		return e->code;
	}
	if (network_complete(c, def, e) < 0) {
		netdef_free(def);
		return nd_wrap(e, "%s", path);
	}
	return take(c, def, path, e);
}

static bool file_listed(char *const *names, const char *network)
{
	for (; *names; names++) {
		size_t len = strlen(network);
		if (!strncmp(*names, network, len) && !strcmp(*names + len, SUFFIX))
			return true;
	}
	return false;
}

/* Under the name it was to have. */
static void remember_broken(struct core *c, const char *file, const char *why)
{
	nd_autofree char *name = strndup(file, strlen(file) - strlen(SUFFIX));
	if (name)
		model_broken_put(c->model, name, why);
}

/* Those gone go first: their uuid or bridge may stand in a new file. */
static void forget_gone(struct core *c, char *const *names)
{
	struct network *n, *next;
	nd_list_foreach_safe(n, next, &c->model->networks, all) {
		if (n->config && !n->busy && !file_listed(names, n->name))
			network_undefined(c, n);
	}
}

size_t network_reload(struct core *c)
{
	char dir[RECORD_PATH_MAX], path[RECORD_PATH_MAX + 300], text[sizeof(((struct event *)0)->text)];
	char **names = NULL;
	struct nd_error e = ND_ERROR_INIT;
	size_t broken = 0;
	snprintf(dir, sizeof dir, "%s/networks", c->settings->config_dir);
	if (nd_dir_list(dir, SUFFIX, &names, &e) < 0) {
		nd_log_error(ND_LOG_ERR, &e, "definitions");
		return 1;
	}
	model_broken_forget(c->model, NULL);
	forget_gone(c, names);
	for (char **name = names; *name; name++) {
		nd_error_reset(&e);
		snprintf(path, sizeof path, "%s/%s", dir, *name);
		if (load_file(c, path, *name, &e) == 0)
			continue;
		nd_error_format(&e, text, sizeof text);
		events_say(c->events, EVENT_DEFINITION_BROKEN, NULL, NULL, "%s", text);
		remember_broken(c, *name, text);
		broken++;
	}
	nd_strv_free(names);
	return broken;
}

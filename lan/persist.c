// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: writing it down for whatever configures the host's network at boot
 *
 * One row per manager; the first that manages the NIC plans the files. Nobody's file is changed where one beside it will do. What is planned is what --dry-run
 * shows, byte by byte, and what is written once the bridge stays: a host that is reset before that comes up as it was.
 */
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "lan/private.h"
#include <ctype.h>

#define PATH_MAX_ 1024
#define FILE_MAX_ (1u << 20)

static const struct lan_persist *const managers[] = {
	&lan_persist_network_manager,
	&lan_persist_networkd,
	&lan_persist_ifupdown,
};

char *lan_read(const char *root, const char *path)
{
	char full[PATH_MAX_];
	char *text = NULL;
	size_t len;
	snprintf(full, sizeof full, "%s%s", root, path);
	return nd_file_read(full, FILE_MAX_, &text, &len, NULL) < 0 ? NULL : text;
}

int lan_file_add(struct lan_record *r, const char *root, const char *path, char *text, mode_t mode,
		 struct nd_error *e)
{
	struct lan_file *files = text ? realloc(r->files, (r->file_cnt + 1) * sizeof *files) : NULL;
	char *full = NULL;
	if (files)
		r->files = files;
	if (!files || asprintf(&full, "%s%s", root, path) < 0) {
		free(text);
		return nd_fail(e, ND_MEMORY, "%s", path);
	}
	r->files[r->file_cnt++] = (struct lan_file){ full, text, lan_read(root, path), mode };
	return 0;
}

static char *trimmed(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	char *end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

/* "[Name]" of a line, else NULL. line is changed. */
static const char *section_of(char *line)
{
	line = trimmed(line);
	size_t len = strlen(line);
	if (len < 2 || line[0] != '[' || line[len - 1] != ']')
		return NULL;
	line[len - 1] = '\0';
	return line + 1;
}

static bool is_in(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcasecmp(word, *list))
			return true;
	return false;
}

int lan_ini_rewrite(const char *text, const char *head, const char *const *list, bool keep_named, char **ret,
		    struct nd_error *e)
{
	struct nd_buf out = { .max = 2 * FILE_MAX_ };
	bool keep = false; /* what stands before the first section is a comment on what is not kept */
	nd_buf_append_string(&out, head);
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		nd_autofree char *line = strndup(p, len);
		const char *section = line ? section_of(line) : NULL;
		out.bad |= !line;
		if (section) {
			keep = is_in(section, list) == keep_named;
			if (keep)
				nd_buf_append_string(&out, "\n");
		}
		if (keep && len) {
			nd_buf_append(&out, p, len);
			nd_buf_append_string(&out, "\n");
		}
		p += len + (p[len] == '\n');
	}
	*ret = out.bad ? NULL : strdup(nd_buf_string(&out));
	nd_buf_done(&out);
	return *ret ? 0 : nd_fail(e, ND_MEMORY, "configuration");
}

bool lan_ini_value(const char *text, const char *section, const char *key, char *ret, size_t size)
{
	bool inside = !section;
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		nd_autofree char *line = strndup(p, len), *copy = strndup(p, len);
		const char *name = copy ? section_of(copy) : NULL;
		char *eq = line ? strchr(line, '=') : NULL;
		if (name && section)
			inside = !strcasecmp(name, section);
		p += len + (p[len] == '\n');
		if (!inside || !eq || line[0] == '#')
			continue;
		*eq = '\0';
		if (strcmp(trimmed(line), key) == 0)
			return nd_strcpy(ret, size, trimmed(eq + 1));
	}
	return false;
}

int lan_persist_plan(const char *root, const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(managers); i++) {
		const struct lan_persist *m = managers[i];
		if (!m->manages(root, r))
			continue;
		r->manager = m->manager;
		int err = r->persist ? m->plan(root, s, r, e) : 0;
		if (err == 0 && s->dynamic) {
			char note[400];
			lan_fill(note, sizeof note, m->dynamic_note, r->port, r->bridge);
			err = lan_note(r, e, "%s", note);
		}
		return err < 0 ? nd_wrap_code(e, err, "configuration of %s",
					      lan_manager_to_string((int)m->manager))
			       : 0;
	}
	r->manager = LAN_MANAGER_NONE;
	return lan_note(r, e,
			"no network manager that is known here has %s: the bridge does not survive a reboot; "
			"with systemd-networkd it would by "
			"/etc/systemd/network/00-netd-%s.netdev and .network",
			r->port, r->bridge);
}

/* ---- writing ---- */

/* Whether the file is as told; NULL: absent. */
static bool is_now(const struct lan_file *f, const char *text)
{
	nd_autofree char *now = lan_read("", f->path);
	return text ? now && !strcmp(now, text) : !now;
}

static int write_one(const struct lan_file *f, const char *text, struct nd_error *e)
{
	char dir[PATH_MAX_];
	const char *slash = strrchr(f->path, '/');
	if (!text)
		return nd_file_remove(f->path, true, e);
	nd_strcpyn(dir, sizeof dir, f->path, (size_t)(slash - f->path));
	if (nd_dir_make(dir, 0755, e) < 0)
		return e ? e->code : ND_SYSTEM;
	return nd_file_write(f->path, text, strlen(text), f->mode, true, e);
}

static int restore_some(const struct lan_record *r, size_t cnt, struct nd_error *e)
{
	struct nd_error first = ND_ERROR_INIT;
	for (size_t i = cnt; i-- > 0;) {
		const struct lan_file *f = &r->files[i];
		struct nd_error failed = ND_ERROR_INIT;
		if (is_now(f, f->was))
			continue;
		if (!is_now(f, f->text))
			nd_fail(&failed, ND_CONFLICT, "%s was changed since; it stays as it is", f->path);
		else
			write_one(f, f->was, &failed);
		if (failed.code && first.code)
			nd_also(&first, &failed);
		else if (failed.code)
			nd_error_copy(&first, &failed);
	}
	if (first.code && e && e->code)
		nd_also(e, &first);
	else if (first.code)
		nd_error_copy(e, &first);
	return first.code;
}

int lan_files_write(const struct lan_record *r, struct nd_error *e)
{
	for (size_t i = 0; i < r->file_cnt; i++)
		if (!is_now(&r->files[i], r->files[i].was) && !is_now(&r->files[i], r->files[i].text))
			return nd_fail(e, ND_CONFLICT, "%s was changed since the bridge was made",
				       r->files[i].path);
	for (size_t i = 0; i < r->file_cnt; i++) {
		struct nd_error failed = ND_ERROR_INIT;
		if (write_one(&r->files[i], r->files[i].text, &failed) == 0)
			continue;
		restore_some(r, i, &failed);
		nd_error_copy(e, &failed);
		return failed.code;
	}
	return 0;
}

int lan_files_restore(const struct lan_record *r, struct nd_error *e)
{
	return restore_some(r, r->file_cnt, e);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: for ifupdown
 *
 * The NIC's stanzas become the bridge's, in a file of their own, and are commented out where they stood: ifupdown adds up stanzas of the same name, so a file beside
 * could not take them away. The bridge is made by pre-up lines with ip(8), since bridge_ports needs the package bridge-utils.
 * Source: interfaces(5).
 */
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "lan/private.h"
#include <ctype.h>

#define MAIN   "/etc/network/interfaces"
#define FOLDER "/etc/network/interfaces.d/"
#define MARK   "# netd: "

/* The word-th word of a line: whether it is this. */
static bool word_is(const char *line, int word, const char *want)
{
	for (; word >= 0; word--) {
		line += strspn(line, " \t");
		size_t len = strcspn(line, " \t\n");
		if (word == 0)
			return len == strlen(want) && !strncmp(line, want, len);
		line += len;
	}
	return false;
}

static bool begins_stanza(const char *line)
{
	static const char *const words[] = { "iface",    "mapping", "source",     "source-directory",
					     "template", "rename",  "no-scripts", "no-auto-down" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (word_is(line, 0, words[i]))
			return true;
	return word_is(line, 0, "auto") || !strncmp(line + strspn(line, " \t"), "allow-", 6);
}

/* One file, rewritten. */
struct rewrite {
	const char *port, *bridge;
	struct nd_buf kept;       /* the file without the NIC's stanzas */
	struct nd_buf *moved;     /* the bridge's */
	bool inside, found, made; /* in a stanza of the NIC; there was one; the pre-up lines are written */
};

static void append_rest(struct nd_buf *out, const char *line, size_t len, int skip_words)
{
	const char *end = line + len;
	for (; skip_words > 0; skip_words--) {
		line += strspn(line, " \t");
		line += strcspn(line, " \t\n");
	}
	nd_buf_append(out, line, (size_t)(end - line));
}

static void make_lines(struct rewrite *w, const struct lan_record *r, uint32_t mtu)
{
	char mac[ND_MAC_STRLEN];
	nd_buf_printf(w->moved,
		      "    pre-up ip link add name %s address %s mtu %u type bridge stp_state 0 "
		      "forward_delay 0 || true\n"
		      "    pre-up ip link set dev %s master %s up\n"
		      "    post-down ip link del dev %s\n",
		      r->bridge, nd_mac_to_string(&r->mac, mac), mtu, r->port, r->bridge, r->bridge);
	w->made = true;
}

/* "auto eth0 eth1": the others stay. */
static void auto_line(struct rewrite *w, const char *line, size_t len)
{
	nd_autofree char *copy = strndup(line, len);
	char *save = NULL;
	int others = 0;
	struct nd_buf rest = { .max = 4096 };
	bool ours = false;
	for (char *word = copy ? strtok_r(copy, " \t", &save) : NULL; word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (!strcmp(word, w->port)) {
			ours = true;
			continue;
		}
		nd_buf_printf(&rest, "%s%s", rest.len ? " " : "", word);
		others++;
	}
	nd_buf_printf(&w->kept, "%s%.*s\n", ours ? MARK : "", (int)len, line);
	if (ours && others > 1)
		nd_buf_printf(&w->kept, "%s\n", nd_buf_string(&rest));
	w->kept.bad |= rest.bad || !copy;
	w->found |= ours;
	nd_buf_done(&rest);
}

static void rewrite_line(struct rewrite *w, const char *line, size_t len, const struct lan_record *r,
			 uint32_t mtu)
{
	bool begins = begins_stanza(line);
	size_t blank = strspn(line, " \t");
	if (begins)
		w->inside = word_is(line, 0, "iface") && word_is(line, 1, w->port);
	if (begins && (word_is(line, 0, "auto") || !strncmp(line + blank, "allow-", 6))) {
		auto_line(w, line, len);
	} else if (w->inside && blank < len && line[blank] != '#') {
		w->found = true;
		if (begins) {
			nd_buf_printf(w->moved, "\niface %s", w->bridge);
			append_rest(w->moved, line, len, 2);
		} else {
			nd_buf_append(w->moved, line, len);
		}
		nd_buf_append_string(w->moved, "\n");
		if (begins && !w->made)
			make_lines(w, r, mtu);
		nd_buf_printf(&w->kept, MARK "%.*s\n", (int)len, line);
	} else {
		nd_buf_printf(&w->kept, "%.*s\n", (int)len, line);
	}
}

static int rewrite_file(const char *root, const char *path, struct rewrite *w, const struct lan_snapshot *s,
			struct lan_record *r, struct nd_error *e)
{
	nd_autofree char *text = lan_read(root, path);
	w->kept = (struct nd_buf){ .max = 4u << 20 };
	w->inside = w->found = false;
	for (const char *p = text ? text : ""; *p;) {
		size_t len = strcspn(p, "\n");
		rewrite_line(w, p, len, r, s->mtu);
		p += len + (p[len] == '\n');
	}
	char *copy = w->found && !w->kept.bad ? strdup(nd_buf_string(&w->kept)) : NULL;
	bool bad = w->kept.bad || (w->found && !copy);
	nd_buf_done(&w->kept);
	if (bad)
		return nd_fail(e, ND_MEMORY, "%s", path);
	return copy ? lan_file_add(r, root, path, copy, 0644, e) : 0;
}

/* Calls for the main file and those that it may source. */
static int each_file(const char *root, int (*fn)(const char *path, void *arg), void *arg)
{
	char dir[512], path[512];
	char **names = NULL;
	int err = fn(MAIN, arg);
	snprintf(dir, sizeof dir, "%s" FOLDER, root);
	if (err == 0 && nd_dir_list(dir, NULL, &names, NULL) == 0) {
		for (size_t i = 0; err == 0 && names[i]; i++) {
			snprintf(path, sizeof path, FOLDER "%s", names[i]);
			err = fn(path, arg);
		}
	}
	nd_strv_free(names);
	return err;
}

struct search {
	const char *root, *port;
};

static int has_stanza(const char *path, void *arg)
{
	const struct search *x = arg;
	nd_autofree char *text = lan_read(x->root, path);
	for (const char *p = text ? text : ""; *p;) {
		if (word_is(p, 0, "iface") && word_is(p, 1, x->port))
			return 1;
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return 0;
}

static bool manages(const char *root, const struct lan_record *r)
{
	struct search x = { root, r->port };
	return each_file(root, has_stanza, &x) != 0;
}

static bool sources_folder(const char *root)
{
	nd_autofree char *text = lan_read(root, MAIN);
	for (const char *p = text ? text : ""; *p;) {
		if ((word_is(p, 0, "source") || word_is(p, 0, "source-directory")) &&
		    memmem(p, strcspn(p, "\n"), "interfaces.d", 12))
			return true;
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return false;
}

struct planning {
	const char *root;
	const struct lan_snapshot *s;
	struct lan_record *r;
	struct rewrite w;
	struct nd_error *e;
};

static int plan_file(const char *path, void *arg)
{
	struct planning *p = arg;
	return rewrite_file(p->root, path, &p->w, p->s, p->r, p->e);
}

static int plan(const char *root, const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	struct nd_buf moved = { .max = 1u << 20 };
	struct planning p = { root, s, r, { .port = r->port, .bridge = r->bridge, .moved = &moved }, e };
	char path[128];
	nd_buf_printf(&moved,
		      "# Written by netd for the host bridge %s; netdctl host-bridge-remove takes it "
		      "away.\nauto %s\n\n"
		      "iface %s inet manual\n",
		      r->bridge, r->bridge, r->port);
	int err = each_file(root, plan_file, &p);
	char *text = err == 0 && !moved.bad ? strdup(nd_buf_string(&moved)) : NULL;
	nd_buf_done(&moved);
	if (err < 0)
		return err;
	if (!sources_folder(root)) {
		free(text);
		return nd_fail(e, ND_UNSUPPORTED,
			       MAIN " does not source " FOLDER "*; add 'source " FOLDER "*' to it");
	}
	snprintf(path, sizeof path, FOLDER "netd-%s", r->bridge);
	return lan_file_add(r, root, path, text, 0644, e);
}

const struct lan_persist lan_persist_ifupdown = {
	.manager = LAN_MANAGER_IFUPDOWN,
	.manages = manages,
	.plan = plan,
	.dynamic_note = "the DHCP client that ifupdown started still runs on %s; netd moves what it renews "
			"to %s, and from the next boot on it "
			"runs on the bridge",
};

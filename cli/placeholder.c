/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: placeholders and the --network option
 *
 * `netdctl exec` puts values into a command line that is otherwise not its business. It never rewrites or adds an option: what a VMM calls its
 * options changes, and a wrapper that knows them is wrong with the next version. A word in %{…} that is not known is an error and never left
 * standing, since a VMM that gets it would complain of something else.
 *
 * A new placeholder is a row of words[], a new suboption of --network a row of suboptions[].
 */
#include "cli/placeholder.h"

#include "base/bytes.h"
#include "base/mem.h"

struct word {
	const char *name;
	void (*put)(struct nd_buf *out, const struct placeholder_network *n);
	bool one_queue; /* makes no sense with several */
};

static void put_fd(struct nd_buf *out, const struct placeholder_network *n)
{
	nd_buf_printf(out, "%d", n->fds[0]);
}

static void put_list(struct nd_buf *out, const struct placeholder_network *n, char separator)
{
	for (size_t i = 0; i < n->fd_cnt; i++) {
		if (i > 0)
			nd_buf_append(out, &separator, 1);
		nd_buf_printf(out, "%d", n->fds[i]);
	}
}

static void put_fds_colon(struct nd_buf *out, const struct placeholder_network *n)
{
	put_list(out, n, ':');
}

static void put_fds_comma(struct nd_buf *out, const struct placeholder_network *n)
{
	put_list(out, n, ',');
}

static void put_mac(struct nd_buf *out, const struct placeholder_network *n)
{
	nd_buf_append_string(out, n->mac);
}

static void put_ifname(struct nd_buf *out, const struct placeholder_network *n)
{
	nd_buf_append_string(out, n->ifname);
}

static void put_q(struct nd_buf *out, const struct placeholder_network *n)
{
	nd_buf_printf(out, "%zu", n->fd_cnt);
}

/* cloud-hypervisor counts receive and transmit queues. */
static void put_2q(struct nd_buf *out, const struct placeholder_network *n)
{
	nd_buf_printf(out, "%zu", 2 * n->fd_cnt);
}

static void put_mtu(struct nd_buf *out, const struct placeholder_network *n)
{
	nd_buf_printf(out, "%u", n->mtu);
}

static const struct word words[] = {
	{ "fd", put_fd, true }, { "fds:", put_fds_colon }, { "fds,", put_fds_comma },
	{ "mac", put_mac },     { "ifname", put_ifname },  { "q", put_q },
	{ "2q", put_2q },       { "mtu", put_mtu },
};
#define WORDS_TEXT "fd, fds:, 'fds,', mac, ifname, q, 2q and mtu"

static const struct word *word_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].name) == len && memcmp(words[i].name, name, len) == 0)
			return &words[i];
	return NULL;
}

/* A number with nothing behind it in text[0..len). Return: false when it is none, or above max. */
static bool parse_number(const char *text, size_t len, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text[i] - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return len > 0;
}

/* text[0..len): what stands between the braces. */
static int expand_one(const char *text, size_t len, const struct placeholder_network *networks, size_t cnt,
		      struct nd_buf *out, struct nd_error *e)
{
	const char *dot = memchr(text, '.', len), *name = dot ? dot + 1 : text;
	unsigned k = 1;

	if (dot && (!parse_number(text, (size_t)(dot - text), (unsigned)cnt, &k) || k == 0))
		return nd_fail(
			e, ND_INVALID,
			"placeholder '%%{%.*s}': before the dot stands the number of a --network, 1 to %zu",
			(int)len, text, cnt);
	const struct word *w = word_find(name, len - (size_t)(name - text));
	if (!w)
		return nd_fail(e, ND_INVALID,
			       "unknown placeholder '%%{%.*s}': there are " WORDS_TEXT
			       "; for a literal %%{ write %%%%{",
			       (int)len, text);
	if (w->one_queue && networks[k - 1].fd_cnt > 1)
		return nd_fail(e, ND_INVALID,
			       "placeholder '%%{%.*s}' is one of %zu queues: use %%{fds:} or %%{fds,}",
			       (int)len, text, networks[k - 1].fd_cnt);
	w->put(out, &networks[k - 1]);
	return 0;
}

static int expand_all(const char *arg, const struct placeholder_network *networks, size_t cnt,
		      struct nd_buf *out, struct nd_error *e)
{
	while (*arg) {
		size_t plain = strcspn(arg, "%");

		nd_buf_append(out, arg, plain);
		arg += plain;
		if (strncmp(arg, "%%{", 3) == 0) {
			nd_buf_append_string(out, "%{");
			arg += 3;
		} else if (strncmp(arg, "%{", 2) == 0) {
			size_t len = strcspn(arg + 2, "}");
			if (!arg[2 + len])
				return nd_fail(e, ND_INVALID, "placeholder '%s' has no closing brace", arg);
			int rc = expand_one(arg + 2, len, networks, cnt, out, e);
			if (rc < 0)
				return rc;
			arg += 2 + len + 1;
		} else if (*arg) {
			nd_buf_append(out, arg++, 1);
		}
	}
	nd_buf_append(out, "", 1);
	return out->bad ? nd_fail(e, ND_MEMORY, "argument too long") : 0;
}

int placeholder_expand(const char *arg, const struct placeholder_network *networks, size_t cnt, char **ret,
		       struct nd_error *e)
{
	nd_cleanup(nd_buf_done) struct nd_buf out = { 0 };

	int rc = expand_all(arg, networks, cnt, &out, e);
	if (rc < 0)
		return rc;
	char *text = strdup((const char *)out.p);
	if (!text)
		return nd_fail(e, ND_MEMORY, "argument");
	*ret = text;
	return 0;
}

/* --- --network --- */

struct suboption {
	const char *name;
	int (*set)(struct network_option *o, const char *value, struct nd_error *e);
};

static int set_mac(struct network_option *o, const char *value, struct nd_error *e)
{
	if (nd_mac_from_string(value, &o->mac) < 0)
		return nd_fail(e, ND_INVALID, "mac '%s' is not a MAC address", value);
	if (nd_mac_is_multicast(&o->mac) || nd_mac_is_zero(&o->mac))
		return nd_fail(e, ND_INVALID, "mac '%s' is not a unicast address", value);
	o->mac_set = true;
	return 0;
}

static int set_name(struct network_option *o, const char *value, struct nd_error *e)
{
	if (!*value)
		return nd_fail(e, ND_INVALID, "name is empty");
	o->name = strdup(value);
	return o->name ? 0 : nd_fail(e, ND_MEMORY, "name");
}

static int set_portgroup(struct network_option *o, const char *value, struct nd_error *e)
{
	if (!*value)
		return nd_fail(e, ND_INVALID, "portgroup is empty");
	o->portgroup = strdup(value);
	return o->portgroup ? 0 : nd_fail(e, ND_MEMORY, "portgroup");
}

static int set_queues(struct network_option *o, const char *value, struct nd_error *e)
{
	if (!parse_number(value, strlen(value), NETWORK_QUEUES_MAX, &o->queues) || o->queues == 0)
		return nd_fail(e, ND_INVALID, "queues '%s' is not a number from 1 to %d", value,
			       NETWORK_QUEUES_MAX);
	return 0;
}

static const struct suboption suboptions[] = {
	{ "mac", set_mac }, { "name", set_name }, { "portgroup", set_portgroup }, { "queues", set_queues }
};

/* word: "NAME=VALUE", cut in two here. given: a bit for each row that was there already. */
static int set_suboption(struct network_option *o, char *word, unsigned *given, struct nd_error *e)
{
	char *value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(suboptions); i++) {
		if (strcmp(suboptions[i].name, word) != 0)
			continue;
		if (!value)
			return nd_fail(e, ND_INVALID, "%s needs a value: %s=…", word, word);
		if (*given & 1u << i)
			return nd_fail(e, ND_INVALID, "%s is given twice", word);
		*given |= 1u << i;
		return suboptions[i].set(o, value, e);
	}
	return nd_fail(e, ND_INVALID,
		       "unknown suboption '%s': there are mac=, name=, portgroup= and queues=", word);
}

static int parse_words(char *text, struct network_option *o, struct nd_error *e)
{
	char *word = strsep(&text, ",");
	unsigned given = 0;
	int rc = 0;

	if (!*word)
		return nd_fail(e, ND_INVALID, "the network's name is missing");
	o->network = strdup(word);
	if (!o->network)
		return nd_fail(e, ND_MEMORY, "network");
	while (rc == 0 && (word = strsep(&text, ",")))
		rc = set_suboption(o, word, &given, e);
	return rc;
}

int network_option_parse(const char *text, struct network_option *ret, struct nd_error *e)
{
	struct network_option o = { .queues = 1 };
	nd_autofree char *copy = strdup(text);

	int rc = copy ? parse_words(copy, &o, e) : nd_fail(e, ND_MEMORY, "network");
	if (rc < 0) {
		network_option_done(&o);
		nd_wrap(e, "--network %s", text);
		return rc;
	}
	*ret = o;
	return 0;
}

void network_option_done(struct network_option *o)
{
	free(o->network);
	free(o->name);
	free(o->portgroup);
	*o = (struct network_option){ 0 };
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the daemon's settings, one row per key of netd.conf.
 *
 * A row says where the value goes and what it may be. A broken line is an error that names file, line, key and what was expected: a daemon that
 * starts with a setting it did not understand does something other than what its administrator believes.
 */
#include "netd/core/settings.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include <ctype.h>
#include <errno.h>
#include <stddef.h>

enum setting_type {
	SETTING_STRING,
	SETTING_UINT,
	SETTING_BOOL,
	SETTING_LEVEL,
	SETTING_AUTO,
	SETTING_FOREIGN,
	SETTING_PATH
};

static const struct setting {
	const char *key;
	enum setting_type type;
	size_t offset;
	unsigned min, max; /* UINT */
	const char *expected;
} settings_rows[] = {
	{ "log_level", SETTING_LEVEL, offsetof(struct settings, log_level), 0, 0,
	  "error, warning, notice, info or debug" },
	{ "nft_table_owner", SETTING_AUTO, offsetof(struct settings, nft_table_owner), 0, 0, "auto or no" },
	{ "lease_grace", SETTING_UINT, offsetof(struct settings, lease_grace_s), 0, 86400,
	  "seconds, 0 to 86400" },
	{ "group", SETTING_STRING, offsetof(struct settings, group), 0, 0, "a group name" },
	{ "dhcp_user", SETTING_STRING, offsetof(struct settings, dhcp_user), 0, 0, "a user name" },
	{ "arp_probe", SETTING_BOOL, offsetof(struct settings, arp_probe), 0, 0, "yes or no" },
	{ "dnsmasq", SETTING_PATH, offsetof(struct settings, dnsmasq), 0, 0, "an absolute path" },
	{ "dns_user", SETTING_STRING, offsetof(struct settings, dns_user), 0, 0, "a user name" },
	{ "dns_linger", SETTING_UINT, offsetof(struct settings, dns_linger_s), 0, 86400,
	  "seconds, 0 to 86400" },
	{ "foreign_firewall", SETTING_FOREIGN, offsetof(struct settings, foreign_firewall), 0, 0,
	  "report, auto or off" },
};

void settings_init(struct settings *s)
{
	*s = (struct settings){
		.config_dir = strdup(NETD_SYSCONFDIR_DEFAULT),
		.state_dir = strdup(NETD_STATEDIR_DEFAULT),
		.run_dir = strdup(NETD_RUNDIR_DEFAULT),
		.log_level = ND_LOG_INFO,
		.nft_table_owner = true,
		.lease_grace_s = 60,
		.group = strdup("netd"),
		.dhcp_user = strdup("netd-dhcp"),
		.arp_probe = true,
		.dnsmasq = strdup("/usr/sbin/dnsmasq"),
		.dns_user = strdup("netd-dns"),
		.dns_linger_s = 60,
		.foreign_firewall = SETTINGS_FOREIGN_REPORT,
	};
}

void settings_done(struct settings *s)
{
	free(s->config_dir);
	free(s->state_dir);
	free(s->run_dir);
	free(s->group);
	free(s->dhcp_user);
	free(s->dnsmasq);
	free(s->dns_user);
	*s = (struct settings){ 0 };
}

static int set_uint(const struct setting *row, void *field, const char *value)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(value, &end, 10);
	if (errno || end == value || *end || v < row->min || v > row->max || !isdigit((unsigned char)*value))
		return ND_INVALID;
	*(unsigned *)field = (unsigned)v;
	return 0;
}

static int set_word(bool *field, const char *value, const char *yes, const char *no)
{
	if (strcmp(value, yes) && strcmp(value, no))
		return ND_INVALID;
	*field = !strcmp(value, yes);
	return 0;
}

static int set_string(char **field, const char *value)
{
	char *copy = *value ? strdup(value) : NULL;
	if (!copy)
		return ND_INVALID;
	free(*field);
	*field = copy;
	return 0;
}

static int set_foreign(enum settings_foreign *field, const char *value)
{
	static const char *const words[] = { "off", "report", "auto" }; /* by the enum's values */
	int v = nd_strtab_from_string(words, ARRAY_LEN(words), value);
	if (v < 0)
		return ND_INVALID;
	*field = (enum settings_foreign)v;
	return 0;
}

static int set_value(struct settings *s, const struct setting *row, const char *value)
{
	void *field = (char *)s + row->offset;
	switch (row->type) {
	case SETTING_STRING: return set_string(field, value);
	case SETTING_PATH: return value[0] == '/' ? set_string(field, value) : ND_INVALID;
	case SETTING_UINT: return set_uint(row, field, value);
	case SETTING_BOOL: return set_word(field, value, "yes", "no");
	case SETTING_AUTO: return set_word(field, value, "auto", "no");
	case SETTING_FOREIGN: return set_foreign(field, value);
	case SETTING_LEVEL: return nd_log_level_from_string(value, field);
	}
	return ND_INTERNAL;
}

static char *trim(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	char *end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static int read_line(struct settings *s, char *line, struct nd_error *e)
{
	char *hash = strchr(line, '#');
	if (hash)
		*hash = '\0';
	line = trim(line);
	if (!*line)
		return 0;
	char *eq = strchr(line, '=');
	if (!eq)
		return nd_fail(e, ND_INVALID, "expected 'key = value', got '%s'", line);
	*eq = '\0';
	const char *key = trim(line), *value = trim(eq + 1);
	for (size_t i = 0; i < ARRAY_LEN(settings_rows); i++) {
		if (strcmp(settings_rows[i].key, key))
			continue;
		if (set_value(s, &settings_rows[i], value) < 0)
			return nd_fail(e, ND_INVALID, "%s: '%s': expected %s", key, value,
				       settings_rows[i].expected);
		return 0;
	}
	return nd_fail(e, ND_INVALID, "unknown key '%s'", key);
}

int settings_read(struct settings *s, const char *path, struct nd_error *e)
{
	nd_autofree char *text = NULL;
	size_t len;
	struct nd_error absent = ND_ERROR_INIT;
	int r = nd_file_read(path, 64 * 1024, &text, &len, &absent);
	if (r == ND_NOT_FOUND)
		return 0;
	if (r < 0) {
		nd_error_copy(e, &absent);
		return r;
	}
	int number = 0;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		if (read_line(s, line, e) < 0)
			return nd_wrap(e, "%s: line %d", path, number);
	}
	return 0;
}

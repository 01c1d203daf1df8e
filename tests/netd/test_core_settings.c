// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: netd.conf, its good lines and what is said of its bad ones. */
#include "base/file.h"
#include "base/mem.h"
#include "netd/core/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static char path[] = "/tmp/nd-settings-XXXXXX";

static int read_text(struct settings *s, const char *text, char *message, size_t size)
{
	struct nd_error e = ND_ERROR_INIT;

	settings_init(s);
	assert_int_equal(nd_file_write(path, text, strlen(text), 0600, false, &e), 0);
	int r = settings_read(s, path, &e);
	nd_error_format(&e, message, size);
	return r;
}

static void test_good(void **state)
{
	struct settings s;
	char message[500];

	assert_int_equal(
		read_text(
			&s,
			"# all of them\n\n  log_level = debug  # "
			"loud\nnft_table_owner=no\n\tlease_grace\t=\t0\n"
			"group = admins\ndhcp_user = nobody\narp_probe = no\n"
			"foreign_firewall = auto\ndnsmasq = /opt/dnsmasq\ndns_user = nobody\ndns_linger = 0",
			message, sizeof(message)),
		0);
	assert_int_equal(s.log_level, ND_LOG_DEBUG);
	assert_false(s.nft_table_owner);
	assert_int_equal(s.lease_grace_s, 0);
	assert_string_equal(s.group, "admins");
	assert_string_equal(s.dhcp_user, "nobody");
	assert_false(s.arp_probe);
	assert_int_equal(s.foreign_firewall, SETTINGS_FOREIGN_AUTO);
	assert_string_equal(s.dnsmasq, "/opt/dnsmasq");
	assert_string_equal(s.dns_user, "nobody");
	assert_int_equal(s.dns_linger_s, 0);
	settings_done(&s);
	assert_int_equal(read_text(&s, "", message, sizeof(message)), 0);
	assert_true(s.log_level == ND_LOG_INFO && s.nft_table_owner && s.lease_grace_s == 60 && s.arp_probe);
	assert_int_equal(s.foreign_firewall, SETTINGS_FOREIGN_REPORT);
	assert_string_equal(s.group, "netd");
	assert_string_equal(s.config_dir, "/etc/netd");
	settings_done(&s);
}

static const struct {
	const char *text, *message; /* after "PATH: " */
} bad[] = {
	{ "log_level = loud", "line 1: log_level: 'loud': expected error, warning, notice, info or debug" },
	{ "\n\nlease_grace = -1", "line 3: lease_grace: '-1': expected seconds, 0 to 86400" },
	{ "dnsmasq = dnsmasq", "line 1: dnsmasq: 'dnsmasq': expected an absolute path" },
	{ "lease_grace = 86401", "line 1: lease_grace: '86401': expected seconds, 0 to 86400" },
	{ "lease_grace = 6 0", "line 1: lease_grace: '6 0': expected seconds, 0 to 86400" },
	{ "lease_grace = 99999999999999999999999",
	  "line 1: lease_grace: '99999999999999999999999': expected seconds, 0 to 86400" },
	{ "lease_grace =", "line 1: lease_grace: '': expected seconds, 0 to 86400" },
	{ "group =", "line 1: group: '': expected a group name" },
	{ "arp_probe = true", "line 1: arp_probe: 'true': expected yes or no" },
	{ "nft_table_owner = yes", "line 1: nft_table_owner: 'yes': expected auto or no" },
	{ "foreign_firewall = on", "line 1: foreign_firewall: 'on': expected report, auto or off" },
	{ "colour = red", "line 1: unknown key 'colour'" },
	{ "group netd", "line 1: expected 'key = value', got 'group netd'" },
	{ "= 5", "line 1: unknown key ''" },
};

static void test_bad(void **state)
{
	struct settings s;
	char message[500], want[500];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(read_text(&s, bad[i].text, message, sizeof(message)), ND_INVALID);
		snprintf(want, sizeof(want), "%s: %s", path, bad[i].message);
		assert_string_equal(message, want);
		settings_done(&s);
	}
}

static void test_files(void **state)
{
	struct settings s;
	struct nd_error e = ND_ERROR_INIT;

	settings_init(&s);
	assert_int_equal(settings_read(&s, "/nonexistent/netd.conf", &e), 0);
	assert_true(settings_read(&s, "/tmp", &e) < 0);
	assert_true(e.code < 0);
	settings_done(&s);
}

static int make(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int drop(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, make, drop);
}

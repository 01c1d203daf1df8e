// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: which options of dnsmasq are passed on, and how the others are refused. */
#include "base/mem.h"
#include "dns/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const good[] = { "address=/foo.example/192.0.2.1", "cache-size = 1000", "bogus-priv",
				    "server=/corp.example/192.0.2.2#5353", "host-record=a,192.0.2.3" };
static const struct {
	const char *line;
	int code;
	const char *message;
} bad[] = {
	{ "dhcp-option=42,192.0.2.1", ND_UNSUPPORTED,
	  "<dnsmasq:option>: 'dhcp-option' is not passed on to dnsmasq: netd serves DHCP itself" },
	{ "conf-file=/etc/shadow", ND_UNSUPPORTED,
	  "<dnsmasq:option>: 'conf-file' is not passed on to dnsmasq: no other files are read" },
	{ "log-facility=/etc/passwd", ND_UNSUPPORTED,
	  "<dnsmasq:option>: 'log-facility' is not among the options that are passed on to dnsmasq" },
	{ "dhcp-script=/bin/sh", ND_UNSUPPORTED,
	  "<dnsmasq:option>: 'dhcp-script' is not passed on to dnsmasq: netd serves DHCP itself" },
	{ "Address=/a/1.2.3.4", ND_UNSUPPORTED,
	  "<dnsmasq:option>: 'Address' is not among the options that are passed on to dnsmasq" },
	{ "", ND_INVALID, "<dnsmasq:option>: '' is no option of dnsmasq" },
	{ "=x", ND_INVALID, "<dnsmasq:option>: '=x' is no option of dnsmasq" },
	{ "address=/a/1.2.3.4\nconf-file=/x", ND_INVALID, "<dnsmasq:option>: it has a control character" },
};

static void test_good(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(dns_option_check(good[i], NULL), 0);
}

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct nd_error e = ND_ERROR_INIT;
		char text[500];

		assert_int_equal(dns_option_check(bad[i].line, &e), bad[i].code);
		nd_error_format(&e, text, sizeof(text));
		assert_string_equal(text, bad[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

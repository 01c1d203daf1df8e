// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: nameservers of a resolv.conf. */
#include "base/mem.h"
#include "dns/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text, *want;
} rows[] = {
	{ "", "" },
	{ "nameserver 192.0.2.1\n", "192.0.2.1 " },
	{ "# nameserver 192.0.2.9\nsearch a.example\nnameserver\t192.0.2.1 # one\r\nnameserver 2001:db8::1",
	  "192.0.2.1 2001:db8::1 " },
	{ "nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 127.0.0.1\n", "192.0.2.1 127.0.0.1 " },
	{ "nameserver\n192.0.2.1\nnameservers 192.0.2.2\nnameserver nonsense\nnameserver fe80::1%eth0\n",
	  "" },
	{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"
	  "nameserver 192.0.2.5\nnameserver 192.0.2.6\nnameserver 192.0.2.7\nnameserver 192.0.2.8\n"
	  "nameserver 192.0.2.9\n",
	  "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8 " },
};

static void test_rows(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_ip ips[DNS_RESOLVERS_MAX];
		size_t cnt = dns_resolvers_parse(rows[i].text, ips);
		char have[500] = "", ip[ND_IP_STRLEN];

		for (size_t k = 0; k < cnt; k++) {
			strcat(have, nd_ip_to_string(&ips[k], ip));
			strcat(have, " ");
		}
		assert_string_equal(have, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

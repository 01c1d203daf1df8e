// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: dnsmasq's files as text. */
#include "base/mem.h"
#include "dns/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NO_TFTP "no-dhcp-interface=virbr7\n"
#define FRAME                                                                                  \
	"# Of network 'lab', by netd, which writes this file anew: see netd-network(5).\n"     \
	"keep-in-foreground\npid-file=\ninterface=virbr7\nexcept-interface=lo\nbind-dynamic\n" \
	"no-resolv\nno-poll\nno-hosts\nstrict-order\n"

static struct nd_ip ip_of(const char *text)
{
	struct nd_ip ip;

	assert_int_equal(nd_ip_from_string(text, &ip), 0);
	return ip;
}

static struct nd_prefix prefix_of(const char *text)
{
	struct nd_prefix p;

	assert_int_equal(nd_prefix_from_string(text, &p), 0);
	return p;
}

static void assert_text(const struct dns_config *c, const char *want)
{
	struct nd_buf out = { .max = DNS_CONFIG_MAX };
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(dns_config_text(c, &out, &e), 0);
	assert_string_equal(nd_buf_string(&out), want);
	nd_buf_done(&out);
}

static const struct dns_config small = { .network = "lab",
					 .bridge = "virbr7",
					 .serve = true,
					 .hosts_file = "/r/hosts",
					 .servers_file = "/r/servers" };

static void test_small(void **state)
{
	struct dns_config c = small;

	assert_text(&c, FRAME NO_TFTP "addn-hosts=/r/hosts\nservers-file=/r/servers\n");
	c.servers_file = NULL;
	c.domain = "lab.example";
	c.local_only = c.no_plain = true;
	assert_text(&c, FRAME NO_TFTP "addn-hosts=/r/hosts\ndomain=lab.example\nlocal=/lab.example/\n"
				      "domain-needed\nlocal=//\n");
}

static void test_all(void **state)
{
	const struct dns_forwarder forwarders[] = { { "corp.example", ip_of("192.0.2.53") },
						    { NULL, ip_of("2001:db8::53") },
						    { "home.example", { .family = 0 } } };
	const struct dns_txt txts[] = { { "note", "a \"b\", c\\d" } };
	const struct dns_srv srvs[] = { { "ldap", "tcp", "lab.example", "ds.lab.example", 389, 1, 2 },
					{ "none", "udp", NULL, NULL, 0, 0, 0 } };
	const struct nd_prefix subnets[] = { prefix_of("10.77.0.1/24") };
	const char *const options[] = { "cache-size=10" };
	struct dns_config c = small;

	c.tftp_root = "/srv/tftp";
	c.forwarders = forwarders;
	c.forwarder_cnt = ARRAY_LEN(forwarders);
	c.txts = txts;
	c.txt_cnt = ARRAY_LEN(txts);
	c.srvs = srvs;
	c.srv_cnt = ARRAY_LEN(srvs);
	c.local_ptr = subnets;
	c.local_ptr_cnt = ARRAY_LEN(subnets);
	c.options = options;
	c.option_cnt = ARRAY_LEN(options);
	assert_text(&c, FRAME "enable-tftp\ntftp-no-fail\ntftp-root=/srv/tftp\n"
			      "addn-hosts=/r/hosts\nservers-file=/r/servers\nlocal=/0.77.10.in-addr.arpa/\n"
			      "server=/corp.example/192.0.2.53\nserver=2001:db8::53\nserver=/home.example/#\n"
			      "txt-record=note,\"a \\\"b\\\", c\\\\d\"\n"
			      "srv-host=_ldap._tcp.lab.example,ds.lab.example,389,1,2\nsrv-host=_none._udp\n"
			      "cache-size=10\n");
	c.serve = false;
	assert_text(&c, FRAME "port=0\nenable-tftp\ntftp-no-fail\ntftp-root=/srv/tftp\n");
}

static void test_refused(void **state)
{
	static const struct dns_txt txt = { "a", "b\nconf-file=/etc/shadow" };
	static const char *const option = "dhcp-script=/bin/sh";
	struct nd_buf out = { .max = DNS_CONFIG_MAX };
	struct nd_error e = ND_ERROR_INIT;
	struct dns_config c = small;

	c.txts = &txt;
	c.txt_cnt = 1;
	assert_int_equal(dns_config_text(&c, &out, &e), ND_INVALID);
	nd_error_reset(&e);
	c.txt_cnt = 0;
	c.options = &option;
	c.option_cnt = 1;
	assert_int_equal(dns_config_text(&c, &out, &e), ND_UNSUPPORTED);
	nd_error_reset(&e);
	c.option_cnt = 0;
	c.tftp_root = "/a\nb";
	assert_int_equal(dns_config_text(&c, &out, &e), ND_INVALID);
	nd_buf_done(&out);
}

static void test_hosts(void **state)
{
	const struct dns_name names[] = { { ip_of("10.77.0.5"), "web" },
					  { ip_of("fd00::5"), "web.elsewhere" } };
	const struct nd_ip servers[] = { ip_of("192.0.2.1"), ip_of("2001:db8::1") };
	struct nd_buf out = { .max = DNS_CONFIG_MAX };

	dns_hosts_text(names, ARRAY_LEN(names), "lab.example", &out);
	assert_string_equal(nd_buf_string(&out), "10.77.0.5 web.lab.example web\nfd00::5 web.elsewhere\n");
	nd_buf_reset(&out);
	dns_hosts_text(names, 1, NULL, &out);
	assert_string_equal(nd_buf_string(&out), "10.77.0.5 web\n");
	nd_buf_reset(&out);
	dns_servers_text(servers, ARRAY_LEN(servers), &out);
	assert_string_equal(nd_buf_string(&out), "server=192.0.2.1\nserver=2001:db8::1\n");
	nd_buf_done(&out);
}

static const struct {
	const char *prefix;
	size_t cnt;
	const char *first, *last;
} zone_rows[] = {
	{ "10.77.0.1/24", 1, "0.77.10.in-addr.arpa", "0.77.10.in-addr.arpa" },
	{ "10.77.9.1/16", 1, "77.10.in-addr.arpa", "77.10.in-addr.arpa" },
	{ "10.77.16.1/20", 16, "16.77.10.in-addr.arpa", "31.77.10.in-addr.arpa" },
	{ "10.1.2.3/9", 128, "0.10.in-addr.arpa", "127.10.in-addr.arpa" },
	{ "192.0.2.9/32", 1, "9.2.0.192.in-addr.arpa", "9.2.0.192.in-addr.arpa" },
	{ "0.0.0.0/0", 0, NULL, NULL },
	{ "2001:db8:1::1/48", 1, "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
	{ "2001:db8::/30", 4, "8.b.d.0.1.0.0.2.ip6.arpa", "b.b.d.0.1.0.0.2.ip6.arpa" },
	{ "fd00::1/128", 1, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
	  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa" },
};

static void test_zones(void **state)
{
	char zones[DNS_ZONES_MAX][DNS_ZONE_LEN];

	for (size_t i = 0; i < ARRAY_LEN(zone_rows); i++) {
		struct nd_prefix p = prefix_of(zone_rows[i].prefix);
		size_t cnt = dns_reverse_zones(&p, zones);

		assert_int_equal(cnt, zone_rows[i].cnt);
		if (!cnt)
			continue;
		assert_string_equal(zones[0], zone_rows[i].first);
		assert_string_equal(zones[cnt - 1], zone_rows[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small), cmocka_unit_test(test_all),   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hosts), cmocka_unit_test(test_zones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

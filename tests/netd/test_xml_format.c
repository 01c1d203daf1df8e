// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: tests of the written form
 *
 * The expected documents are libvirt's own dumps (9.0, net-dumpxml after net-define of the same input), but
 * for what netd adds and for STP, which is off here where the definition does not say it.
 */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define UUID_LINE "  <uuid>41a96616-58b0-4567-8e54-309e6dc85c19</uuid>\n"

/* As libvirt dumps them: what is read is what is written. */
static const char *const same[] = {
	"<network>\n"
	"  <name>n</name>\n" UUID_LINE "  <forward mode='nat'/>\n"
	"  <bridge name='virbr0' stp='on' delay='0'/>\n"
	"  <mtu size='9000'/>\n"
	"  <mac address='52:54:00:00:00:02'/>\n"
	"  <domain name='x'/>\n"
	"  <dns enable='yes'/>\n"
	"  <ip family='ipv4' address='10.0.0.1' prefix='24'>\n"
	"    <dhcp>\n"
	"      <range start='10.0.0.2' end='10.0.0.9'>\n"
	"        <lease expiry='120' unit='minutes'/>\n"
	"      </range>\n"
	"      <range start='10.0.0.20' end='10.0.0.29'/>\n"
	"      <host mac='52:54:00:00:00:01' name='a' ip='10.0.0.3'>\n"
	"        <lease expiry='0'/>\n"
	"      </host>\n"
	"      <host name='b' ip='10.0.0.4'>\n"
	"        <lease expiry='7200' unit='seconds'/>\n"
	"      </host>\n"
	"      <host mac='52:54:00:00:00:03' ip='10.0.0.5'/>\n"
	"    </dhcp>\n"
	"  </ip>\n"
	"  <ip address='10.1.0.1' netmask='255.255.0.0'>\n"
	"  </ip>\n"
	"  <ip address='192.168.1.1'>\n"
	"  </ip>\n"
	"</network>\n",
	"<network>\n"
	"  <name>n</name>\n" UUID_LINE "  <title>A &apos;title&apos;</title>\n"
	"  <description>Two lines,\n\tone &lt;indented&gt;</description>\n"
	"  <metadata>\n"
	"    <app:a xmlns:app=\"urn:a\">x</app:a>\n"
	"  </metadata>\n"
	"  <bridge stp='off' delay='0'/>\n"
	"</network>\n",
	"<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>\n"
	"  <name>n</name>\n"
	"  <bridge stp='off' delay='0'/>\n"
	"  <dnsmasq:options>\n"
	"    <dnsmasq:option value='dhcp-option=3'/>\n"
	"    <dnsmasq:option value='a=&quot;b&quot;'/>\n"
	"  </dnsmasq:options>\n"
	"</network>\n",
	"<network>\n"
	"  <name>a&amp;&lt;&gt;&quot;&apos;b</name>\n"
	"  <bridge stp='off' delay='0'/>\n"
	"  <dns enable='no'/>\n"
	"</network>\n",
	"<network xmlns:netd='urn:netd:network:1'>\n"
	"  <name>n</name>\n"
	"  <bridge stp='off' delay='0'/>\n"
	"  <netd:autostart mode='no'/>\n"
	"</network>\n",
	"<network xmlns:netd='urn:netd:network:1'>\n"
	"  <name>n</name>\n"
	"  <bridge stp='off' delay='0'/>\n"
	"  <portgroup name='a'>\n"
	"    <netd:guards/>\n"
	"    <netd:egress policy='none'/>\n"
	"  </portgroup>\n"
	"  <netd:hostAccess mode='services'/>\n"
	"  <netd:source address='203.0.113.5'/>\n"
	"  <netd:source address='2001:db8::5'/>\n"
	"  <netd:accept network='b'/>\n"
	"  <netd:guards mac='no' ip='yes' dhcp='no' ra='no' broadcast='1' multicast='2' connections='3'/>\n"
	"  <netd:egress policy='list'>\n"
	"    <netd:allow address='0.0.0.0/0'/>\n"
	"    <netd:allow address='10.1.0.0/16' protocol='tcp' port='443' end='444'/>\n"
	"    <netd:allow address='2001:db8::1/128' protocol='udp'/>\n"
	"  </netd:egress>\n"
	"  <netd:address guest='52:54:00:00:00:01' address='10.1.2.0/24'/>\n"
	"  <netd:forward protocol='tcp' port='80' guest='web'/>\n"
	"  <netd:forward protocol='udp' address='192.0.2.1' port='7000' end='7009' guest='10.0.0.2' "
	"guestPort='1'/>\n"
	"  <netd:autostart mode='boot'/>\n"
	"</network>\n",
	"<network xmlns:netd='urn:netd:network:1'>\n"
	"  <name>n</name>\n"
	"  <bridge stp='off' delay='0'/>\n"
	"  <ip address='192.168.1.1' netd:subnet='auto'>\n"
	"  </ip>\n"
	"</network>\n",
};

static const struct {
	const char *in, *out;
} rows[] = {
	{ "<network><name>n</name></network>",
	  "<network>\n  <name>n</name>\n  <bridge stp='off' delay='0'/>\n</network>\n" },
	/* A live dump of libvirt's says the port range. */
	{ "<network connections='1'><name>n</name><forward><nat><port start='1024' "
	  "end='65535'/></nat></forward></network>",
	  "<network>\n  <name>n</name>\n  <forward mode='nat'>\n    <nat>\n      <port start='1024' "
	  "end='65535'/>\n"
	  "    </nat>\n  </forward>\n  <bridge stp='off' delay='0'/>\n</network>\n" },
	/* Lengths of networks and the protocol are always written. */
	{ "<network xmlns:netd='urn:netd:network:1'><name>n</name><netd:forward guest='a' port='80'/>"
	  "<netd:address address='10.0.0.1' guest='a'/></network>",
	  "<network xmlns:netd='urn:netd:network:1'>\n  <name>n</name>\n  <bridge stp='off' delay='0'/>\n"
	  "  <netd:address guest='a' address='10.0.0.1/32'/>\n"
	  "  <netd:forward protocol='tcp' port='80' guest='a'/>\n</network>\n" },
	/* The namespace is declared where it is used, under our prefix. */
	{ "<network xmlns:netd='urn:netd:network:1'><name>n</name></network>",
	  "<network>\n  <name>n</name>\n  <bridge stp='off' delay='0'/>\n</network>\n" },
	{ "<network xmlns:q='urn:netd:network:1'><q:autostart mode='boot'/><name>n</name></network>",
	  "<network xmlns:netd='urn:netd:network:1'>\n  <name>n</name>\n  <bridge stp='off' delay='0'/>\n"
	  "  <netd:autostart mode='boot'/>\n</network>\n" },
	{ "<network><name>n</name><ip address='10.0.0.1'><dhcp/></ip></network>",
	  "<network>\n  <name>n</name>\n  <bridge stp='off' delay='0'/>\n  <ip address='10.0.0.1'>\n  "
	  "</ip>\n</network>\n" },
};

static struct netdef *parse(const char *xml, size_t len)
{
	struct netdef *d = NULL;
	struct nd_error e = ND_ERROR_INIT;
	char text[2000];

	if (netdef_parse(xml, len, NULL, NULL, NULL, &d, &e) < 0) {
		nd_error_format(&e, text, sizeof text);
		fail_msg("%s: %s", xml, text);
	}
	return d;
}

static void assert_written(const struct netdef *d, const char *want)
{
	struct nd_buf out = { 0 };

	netdef_format(d, &out);
	assert_string_equal(nd_buf_string(&out), want);
	nd_buf_done(&out);
}

static void test_round_trip(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		struct netdef *d = parse(same[i], strlen(same[i]));

		assert_written(d, same[i]);
		netdef_free(d);
	}
}

static void test_written_form(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netdef *d = parse(rows[i].in, strlen(rows[i].in));

		assert_written(d, rows[i].out);
		netdef_free(d);
	}
}

/* Not from XML: no notation to keep, values must still survive. */
static void test_by_hand(void **state)
{
	struct netdef *d = netdef_new();
	struct netdef_ip *ip = calloc(1, sizeof *ip);

	d->name = strdup("n");
	d->dns_enable = false;
	d->autostart = NETDEF_AUTOSTART_BOOT;
	d->ips = ip;
	d->ip_cnt = 1;
	ip->address = (struct nd_prefix){ .ip = nd_ip_from_ip4(0xc0a80101), .len = 25 };
	ip->hosts = calloc(1, sizeof *ip->hosts);
	ip->host_cnt = 1;
	ip->hosts[0] =
		(struct netdef_host){ .name = strdup("a"), .ip = nd_ip_from_ip4(0xc0a80102), .lease_s = 125 };
	assert_written(d, "<network xmlns:netd='urn:netd:network:1'>\n"
			  "  <name>n</name>\n"
			  "  <bridge stp='off' delay='0'/>\n"
			  "  <dns enable='no'/>\n"
			  "  <ip address='192.168.1.1' prefix='25'>\n"
			  "    <dhcp>\n"
			  "      <host name='a' ip='192.168.1.2'>\n"
			  "        <lease expiry='125' unit='seconds'/>\n"
			  "      </host>\n"
			  "    </dhcp>\n"
			  "  </ip>\n"
			  "  <netd:autostart mode='boot'/>\n"
			  "</network>\n");
	netdef_free(d);
}

/* Whole files: netd's own default network, and libvirt's as distributions ship it. */
static void test_files(void **state)
{
	static const char *const files[] = { DEFAULT_XML, CORPUS_DIR "/stock-default.xml",
					     CORPUS_DIR "/hosts.xml" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		nd_cleanup(nd_fclosep) FILE *f = fopen(files[i], "re");
		struct nd_buf out = { 0 };
		static char xml[NETDEF_XML_MAX];
		struct netdef *d, *again;

		if (!f)
			fail_msg("%s: cannot be opened", files[i]);
		d = parse(xml, fread(xml, 1, sizeof xml, f));
		assert_int_equal(netdef_check(d, NULL), 0);
		netdef_format(d, &out);
		again = parse(nd_buf_string(&out), out.len);
		assert_written(again, nd_buf_string(&out));
		nd_buf_done(&out);
		netdef_free(again);
		netdef_free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_written_form),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

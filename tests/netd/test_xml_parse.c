// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: tests of the definition parser
 *
 * Data rows: a document and the error or warnings it must give. Texts that libvirt has are libvirt's (9.0,
 * tried).
 */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <libxml/xmlmemory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NS        "xmlns:netd='urn:netd:network:1'"
#define NET(body) "<network><name>n</name>" body "</network>"
#define IP(body)  NET("<ip address='10.0.0.1' prefix='24'>" body "</ip>")
#define OWN(b)    "<network " NS "><name>n</name>" b "</network>"
#define ALLOW(a)  OWN("<netd:egress policy='list'><netd:allow " a "/></netd:egress>")
#define DHCP(b)   IP("<dhcp>" b "</dhcp>")

struct bad_row {
	const char *xml;
	int code;
	const char *message;
};

static const struct bad_row bad_rows[] = {
	/* Not well-formed: libxml2's text, with the line. */
	{ "", ND_PARSE, "line 1: Document is empty" },
	{ "<network>\n<name>n</name>\n</netwerk>", ND_PARSE,
	  "network 'n': line 3: Opening and ending tag mismatch: network line 1 and netwerk" },
	{ "<network><name>n</name>", ND_PARSE,
	  "network 'n': line 1: Premature end of data in tag network line 1" },
	{ NET("<ip netd:subnet='auto' address='10.0.0.1'/>"), ND_PARSE,
	  "network 'n': line 1: Namespace prefix netd for subnet on ip is not defined" },
	{ NET("<ip address='1' address='2'/>"), ND_PARSE,
	  "network 'n': line 1: Attribute address redefined" },
	{ "<network><name>&b;</name></network>", ND_PARSE, "line 1: Entity 'b' not defined" },
	/* What is not let in at all. */
	{ "<!DOCTYPE network [<!ENTITY a 'b'>]>\n<network><name>&a;</name></network>", ND_INVALID,
	  "line 1: a document type declaration (DOCTYPE) is not accepted" },
	{ "<!DOCTYPE network SYSTEM 'http://192.0.2.1/x'><network/>", ND_INVALID,
	  "line 1: a document type declaration (DOCTYPE) is not accepted" },
	{ "<domain/>", ND_INVALID, "line 1: <domain>: expecting root element of 'network', not 'domain'" },
	/* Identity. */
	{ "<network/>", ND_INVALID, "line 1: <network>: missing name information" },
	{ "<network><name/></network>", ND_INVALID, "line 1: <name>: missing name information" },
	{ "<network><name>a/b</name></network>", ND_INVALID, "line 1: <name>: invalid char in name: /" },
	{ "<network><name>.a</name></network>", ND_INVALID,
	  "line 1: <name>: invalid char in name: a leading '.'" },
	{ "<network><name>a\nb</name></network>", ND_INVALID,
	  "line 2: <name>: 'a?b' holds a control character" },
	{ NET("\n<name>m</name>"), ND_INVALID, "network 'n': line 2: <name>: given more than once" },
	{ NET("<uuid>zz</uuid>"), ND_INVALID, "network 'n': line 1: <uuid>: malformed uuid element" },
	/* Forward. */
	{ NET("<forward mode='isolated'/>"), ND_INVALID,
	  "network 'n': line 1: <forward>: unknown forwarding type 'isolated'" },
	{ NET("<forward><nat><port start='1024'/></nat></forward>"), ND_INVALID,
	  "network 'n': line 1: <port>: Missing or invalid 'end' attribute in <port> in <nat> in <forward> "
	  "in network n" },
	/* Bridge and what hangs on it. */
	{ NET("<bridge name='veryveryverylong'/>"), ND_INVALID,
	  "network 'n': line 1: <bridge>: attribute 'name': 'veryveryverylong' is not an interface name (at "
	  "most 15 characters "
	  "without blanks, '/' and ':'; one %d for a free number)" },
	{ NET("<bridge stp='yes'/>"), ND_INVALID,
	  "network 'n': line 1: <bridge>: Invalid value for attribute 'stp' in element 'bridge': 'yes'." },
	{ NET("<bridge delay='-1'/>"), ND_INVALID,
	  "network 'n': line 1: <bridge>: Invalid delay value in network 'n'" },
	{ NET("<mac address='53:54:00:00:00:01'/>"), ND_INVALID,
	  "network 'n': line 1: <mac>: Invalid multicast bridge mac address '53:54:00:00:00:01' in network "
	  "'n'" },
	{ NET("<mac address='00:00:00:00:00:00'/>"), ND_INVALID,
	  "network 'n': line 1: <mac>: Invalid bridge mac address '00:00:00:00:00:00' in network 'n'" },
	{ NET("<mtu size='67'/>"), ND_INVALID,
	  "network 'n': line 1: <mtu>: Invalid mtu size '67' in network 'n'" },
	{ NET("<domain name='a&#10;dhcp-script=x'/>"), ND_INVALID,
	  "network 'n': line 1: <domain>: attribute 'name': 'a?dhcp-script=x' holds a control character" },
	{ NET("<dns enable='0'/>"), ND_INVALID,
	  "network 'n': line 1: <dns>: Invalid value for attribute 'enable' in element 'dns': '0'." },
	/* Addresses. */
	{ NET("<ip/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: Missing required address attribute in network 'n'" },
	{ NET("<ip address='300.1.1.1'/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: Invalid address '300.1.1.1' in network 'n'" },
	{ NET("<ip address='fd00::1'/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: no family specified for non-IPv4 address 'fd00::1' in network 'n'" },
	{ NET("<ip address='fd00::1' family='ipv4'/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: ipv4 family specified for non-IPv4 address 'fd00::1' in network 'n'" },
	{ NET("<ip address='10.0.0.1' family='ipv5'/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: Unrecognized family 'ipv5' in network 'n'" },
	{ NET("<ip address='10.0.0.1' prefix='33'/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: Invalid IPv4 prefix '33' in network 'n'" },
	{ NET("<ip address='10.0.0.1' netmask='255.0.255.0'/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: Invalid netmask '255.0.255.0' in network 'n'" },
	{ NET("<ip address='10.0.0.1' prefix='24' netmask='255.255.255.0'/>"), ND_INVALID,
	  "network 'n': line 1: <ip>: Network 'n' IP address cannot have both a prefix and a netmask" },
	{ "<network " NS "><name>n</name><ip address='10.0.0.1' netd:subnet='fixed'/></network>", ND_INVALID,
	  "network 'n': line 1: <ip>: 'fixed' is not 'auto'" },
	/* DHCP. */
	{ DHCP("<range start='10.0.0.2'/>"), ND_INVALID,
	  "network 'n': line 1: <range>: Missing 'end' attribute in dhcp range for network 'n'" },
	{ DHCP("<range end='10.0.0.2'/>"), ND_INVALID,
	  "network 'n': line 1: <range>: Missing 'start' attribute in dhcp range for network 'n'" },
	{ DHCP("<host mac='52:54:00:00:00:01'/>"), ND_INVALID,
	  "network 'n': line 1: <host>: Missing IP address in static host definition for network 'n'" },
	{ DHCP("<host ip='10.0.0.2' name='a'><lease expiry='119' unit='seconds'/></host>"), ND_INVALID,
	  "network 'n': line 1: <lease>: The minimum lease time should be greater than 2 minutes" },
	{ DHCP("<host ip='10.0.0.2' name='a'><lease expiry='1193047' unit='hours'/></host>"), ND_INVALID,
	  "network 'n': line 1: <lease>: a lease time of 1193047 hours is too long; 0 is infinite" },
	{ DHCP("<range start='10.0.0.2' end='10.0.0.3'><lease expiry='5' unit='days'/></range>"), ND_INVALID,
	  "network 'n': line 1: <lease>: Invalid value for attribute 'unit' in element 'lease': 'days'." },
	/* Namespaces. */
	{ "<network " NS "><name>n</name><netd:autostart/></network>", ND_INVALID,
	  "network 'n': line 1: <netd:autostart>: missing attribute 'mode'" },
	{ "<network " NS "><name>n</name><netd:autostart mode='yes'/></network>", ND_INVALID,
	  "network 'n': line 1: <netd:autostart>: 'yes' is not one of 'no', 'boot', 'on-attach'" },
	/* netd's own. */
	{ OWN("<netd:hostAccess/>"), ND_INVALID,
	  "network 'n': line 1: <netd:hostAccess>: missing attribute 'mode'" },
	{ OWN("<netd:hostAccess mode='some'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:hostAccess>: 'some' is not one of 'all', 'services', 'none'" },
	{ OWN("<netd:source/>"), ND_INVALID,
	  "network 'n': line 1: <netd:source>: missing attribute 'address'" },
	{ OWN("<netd:source address='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:source>: Invalid value for attribute 'address' in element "
	  "'netd:source': 'a'." },
	{ OWN("<netd:source address='1.1.1.1'/><netd:source address='1.1.1.2'/><netd:source "
	      "address='1.1.1.3'/>"),
	  ND_INVALID, "network 'n': line 1: <netd:source>: given more than 2 times" },
	{ OWN("<netd:accept network='a/b'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:accept>: invalid char in name: /" },
	{ OWN("<netd:guards mac='maybe'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:guards>: Invalid value for attribute 'mac' in element 'netd:guards': "
	  "'maybe'." },
	{ OWN("<netd:guards broadcast='1000001'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:guards>: Invalid value for attribute 'broadcast' in element "
	  "'netd:guards': '1000001'. Expected non-negative integer value" },
	{ OWN("<netd:guards/><netd:guards/>"), ND_INVALID,
	  "network 'n': line 1: <netd:guards>: given more than once" },
	{ OWN("<netd:egress/>"), ND_INVALID,
	  "network 'n': line 1: <netd:egress>: missing attribute 'policy'" },
	{ OWN("<netd:egress policy='some'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:egress>: 'some' is not one of 'any', 'internet-only', 'list', 'none'" },
	{ OWN("<netd:egress policy='none'><netd:allow address='10.0.0.0/8'/></netd:egress>"), ND_INVALID,
	  "network 'n': line 1: <netd:egress>: <netd:allow> needs policy='list', not 'none'" },
	{ ALLOW(""), ND_INVALID, "network 'n': line 1: <netd:allow>: missing attribute 'address'" },
	{ ALLOW("address='10.0.0.1/8'"), ND_INVALID,
	  "network 'n': line 1: <netd:allow>: attribute 'address': '10.0.0.1/8' is not a network's address, "
	  "alone or with the length of its prefix (10.1.0.0/16)" },
	{ ALLOW("address='10.0.0.0/8' port='1'"), ND_INVALID,
	  "network 'n': line 1: <netd:allow>: a port needs protocol='tcp' or protocol='udp'" },
	{ ALLOW("address='10.0.0.0/8' protocol='icmp'"), ND_INVALID,
	  "network 'n': line 1: <netd:allow>: 'icmp' is not one of 'tcp', 'udp'" },
	{ ALLOW("address='10.0.0.0/8' protocol='tcp' end='3'"), ND_INVALID,
	  "network 'n': line 1: <netd:allow>: end='3' needs a port to begin with" },
	{ ALLOW("address='10.0.0.0/8' protocol='tcp' port='4' end='3'"), ND_INVALID,
	  "network 'n': line 1: <netd:allow>: ports 4 to 3 are reversed" },
	{ OWN("<netd:address guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:address>: missing attribute 'address'" },
	{ OWN("<netd:address guest='10.0.0.1' address='10.0.0.1'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:address>: attribute 'guest': '10.0.0.1' is not a port's name or a "
	  "guest's MAC address" },
	{ OWN("<netd:forward guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: missing attribute 'port'" },
	{ OWN("<netd:forward port='80'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: missing attribute 'guest'" },
	{ OWN("<netd:forward port='80' guest='a b'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: attribute 'guest': 'a b' is not a port's name, or a guest's "
	  "MAC or IP address" },
	{ OWN("<netd:forward port='80' guest='53:54:00:00:00:01'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: attribute 'guest': '53:54:00:00:00:01' is not a port's name, "
	  "or a guest's MAC or IP address" },
	{ OWN("<netd:forward port='0' guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: Invalid value for attribute 'port' in element "
	  "'netd:forward': "
	  "'0'. Expected non-negative integer value" },
	{ OWN("<netd:forward protocol='sctp' port='80' guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: 'sctp' is not one of 'tcp', 'udp'" },
	{ OWN("<netd:forward port='80' end='79' guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: ports 80 to 79 are reversed" },
	{ OWN("<netd:forward port='1' end='1025' guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: ports 1 to 1025 are more than 1024" },
	{ OWN("<netd:forward port='1' end='11' guest='a' guestPort='65526'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: 11 ports from guestPort='65526' on end after 65535" },
	{ OWN("<netd:forward port='1' address='::1' guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: ::1 cannot be published: a packet from ::1 never leaves the "
	  "host's loopback, and IPv6 has no route_localnet; without address= all but loopback is published" },
	{ OWN("<netd:forward port='1' address='0.0.0.0' guest='a'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: '0.0.0.0' is no address of a host; without address= all but "
	  "loopback is published" },
	{ OWN("<netd:forward port='1' address='192.0.2.1' guest='fd00::1'/>"), ND_INVALID,
	  "network 'n': line 1: <netd:forward>: address and guest 'fd00::1' are of different families" },
};

static void assert_refused(const char *xml, size_t len, const char *file, int code, const char *message)
{
	struct netdef *d = NULL;
	struct nd_error e = ND_ERROR_INIT;
	char text[2000];

	if (netdef_parse(xml, len, file, NULL, NULL, &d, &e) == 0)
		fail_msg("accepted: %.200s", xml);
	nd_error_format(&e, text, sizeof text);
	assert_string_equal(text, message);
	assert_int_equal(e.code, code);
	assert_null(d);
	assert_int_equal(netdef_parse(xml, len, file, NULL, NULL, &d, NULL), code);
}

static void test_refusals(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++)
		assert_refused(bad_rows[i].xml, strlen(bad_rows[i].xml), NULL, bad_rows[i].code,
			       bad_rows[i].message);
}

/* UTF-8 and nothing else, whatever the document declares or begins with. */
static void test_encodings(void **state)
{
	static const char utf16[] = "\xff\xfe<\0n\0/\0>\0", utf16_bare[] = "<\0n\0/\0>\0",
			  ebcdic[] = "\x4c\x6f\xa7\x94\x93";
	static const char late_nul[] = "<network>\0</network>",
			  latin1[] = "<?xml version='1.0' encoding='ISO-8859-1'?><n a='\xe9'/>";
	static const char start[] = "line 1: Start tag expected, '<' not found (definitions are UTF-8)";
	struct netdef *d = NULL;

	assert_refused(utf16, sizeof utf16 - 1, NULL, ND_PARSE, start);
	assert_refused(utf16_bare, sizeof utf16_bare - 1, NULL, ND_PARSE, start);
	assert_refused(ebcdic, sizeof ebcdic - 1, NULL, ND_PARSE, start);
	assert_int_equal(netdef_parse(late_nul, sizeof late_nul - 1, NULL, NULL, NULL, &d, NULL), ND_PARSE);
	assert_refused(latin1, sizeof latin1 - 1, NULL, ND_PARSE,
		       "line 1: Input is not proper UTF-8, indicate encoding !");
	assert_int_equal(netdef_parse("\xef\xbb\xbf" NET("<domain name='x'/>"),
				      strlen(NET("<domain name='x'/>")) + 3, NULL, NULL, NULL, &d, NULL),
			 0);
	netdef_free(d);
}

static void test_file_in_message(void **state)
{
	const char *xml = "<network>\n <name>lan</name>\n <ip address='300.1.1.1'/>\n</network>\n";

	assert_refused(xml, strlen(xml), "networks/lan.xml", ND_INVALID,
		       "networks/lan.xml: line 3: <ip>: Invalid address '300.1.1.1' in network 'lan'");
}

/* Each is fine and gives these warnings, as "line <element> text". */
static const struct {
	const char *xml, *warnings;
} good_rows[] = {
	{ NET(""), "" },
	{ "<?xml version='1.0' encoding='UTF-16'?><!-- a --><?pi b?><network><name>n</name></network>", "" },
	{ "<network connections='7' ipv6='no' trustGuestRxFilters='no'><name>n</name></network>", "" },
	{ NET("<forward/>"), "" },
	{ NET("<forward mode='nat' managed='no'><nat ipv6='no'><port start='1024' "
	      "end='65535'/></nat></forward>"),
	  "" },
	{ NET("<bridge name='' macTableManager='kernel'/><mac/><mtu/><domain localOnly='no'/><dns/><port "
	      "isolated='no'/>"),
	  "" },
	{ NET("<dns forwardPlainNames='yes'/>"), "" },
	{ "<network "
	  "xmlns:d='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>n</name><d:options/></network>",
	  "" },
	{ IP("<dhcp/>"), "" },
	{ NET("<title>t</title>\n<description>d</description>\n<metadata><a><b><c/></b></a></metadata>"),
	  "3 <metadata> all but one element in each namespace, not kept\n" },
	{ NET("<foo bar='1'><name>other</name></foo>"), "1 <foo> unknown element, not kept\n" },
	{ NET("<x:ip xmlns:x='urn:other'/>"), "1 <ip> unknown element, not kept\n" },
	{ NET("<mtu size='9000' x='1' xml:lang='en'/>"),
	  "1 <mtu> unknown attribute 'x', not kept\n1 <mtu> unknown attribute 'lang', not kept\n" },
	{ "<network " NS "><name>n</name><netd:later/></network>",
	  "1 <netd:later> unknown element, not kept\n" },
	{ NET("a<mtu size='1500'/>b"), "1 <network> text where there should be none, not kept\n" },
};

static void append_warning(void *arg, const struct netdef_warning *w)
{
	nd_buf_printf(arg, "%d <%s> %s\n", w->line, w->element, w->text);
}

static struct netdef *parse_good(const char *xml, struct nd_buf *warnings)
{
	struct netdef *d = NULL;
	struct nd_error e = ND_ERROR_INIT;
	char text[2000];

	if (netdef_parse(xml, strlen(xml), NULL, warnings ? append_warning : NULL, warnings, &d, &e) < 0) {
		nd_error_format(&e, text, sizeof text);
		fail_msg("%s: %s", xml, text);
	}
	return d;
}

static void test_accepted_and_warned(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good_rows); i++) {
		struct nd_buf warnings = { 0 };
		struct netdef *d = parse_good(good_rows[i].xml, &warnings);

		assert_string_equal(nd_buf_string(&warnings), good_rows[i].warnings);
		assert_string_equal(d->name, "n");
		nd_buf_done(&warnings);
		netdef_free(d);
	}
}

static void count_warning(void *arg, const struct netdef_warning *w)
{
	++*(unsigned *)arg;
	if (*(unsigned *)arg == 33)
		assert_string_equal(w->text, "and more that is not kept");
}

static void test_warnings_are_bounded(void **state)
{
	struct nd_buf xml = { 0 };
	struct netdef *d = NULL;
	unsigned cnt = 0;

	nd_buf_append_string(&xml, "<network><name>n</name>");
	for (int i = 0; i < 1000; i++)
		nd_buf_append_string(&xml, "<a/>");
	nd_buf_append_string(&xml, "</network>");
	assert_int_equal(netdef_parse(nd_buf_string(&xml), xml.len, NULL, count_warning, &cnt, &d, NULL), 0);
	assert_int_equal(cnt, 33);
	netdef_free(d);
	nd_buf_done(&xml);
}

static void test_all_values(void **state)
{
	struct nd_mac mac = { { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc } };
	struct netdef *d = parse_good(
		"<network " NS "><netd:autostart mode='on-attach'/>"
		"<ip address='172.16.0.1' netd:subnet='auto' netmask='255.255.0.0'><dhcp>"
		"<host mac='52:54:00:aa:bb:cc' name='web' ip='172.16.0.9'><lease expiry='0'/></host>"
		"<range start='172.16.1.0' end='172.16.1.9'><lease unit='hours' expiry='2'/></range>"
		"<host name='db' ip='172.16.0.10'/></dhcp></ip><ip address='192.168.9.1'/>"
		"<dns enable='no'/><domain name='lab.example'/><mtu size='9000'/>"
		"<mac address='52:54:00:aa:bb:cc'/><bridge name='lab%d' stp='on' delay='3'/><forward/>"
		"<uuid>41A9661658b04567-8e54-309e6dc85c19</uuid><name>a&amp;b</name></network>",
		NULL);

	assert_string_equal(d->name, "a&b");
	assert_true(d->uuid_set && d->uuid.b[0] == 0x41 && d->uuid.b[15] == 0x19);
	assert_int_equal(d->forward, NETDEF_FORWARD_NAT);
	assert_string_equal(d->bridge, "lab%d");
	assert_true(d->stp && d->delay_s == 3);
	assert_true(d->mac_set && nd_mac_equal(&d->mac, &mac));
	assert_int_equal(d->mtu, 9000);
	assert_string_equal(d->domain, "lab.example");
	assert_true(!d->dns_enable && d->dns_enable_set);
	assert_true(d->autostart_set && d->autostart == NETDEF_AUTOSTART_ON_ATTACH);
	assert_int_equal(d->ip_cnt, 2);
	assert_true(d->ips[0].subnet_auto && d->ips[0].netmask_given && d->ips[0].dhcp);
	assert_int_equal(d->ips[0].address.len, 16);
	assert_int_equal(nd_ip_to_ip4(&d->ips[0].address.ip), 0xac100001);
	assert_int_equal(d->ips[0].range_cnt, 1);
	assert_int_equal(d->ips[0].ranges[0].lease_s, 7200);
	assert_int_equal(nd_ip_to_ip4(&d->ips[0].ranges[0].end), 0xac100109);
	assert_int_equal(d->ips[0].host_cnt, 2);
	assert_true(d->ips[0].hosts[0].has_mac && nd_mac_equal(&d->ips[0].hosts[0].mac, &mac));
	assert_int_equal(d->ips[0].hosts[0].lease_s, UINT32_MAX);
	assert_true(!d->ips[0].hosts[1].has_mac && d->ips[0].hosts[1].lease_s == 0);
	assert_string_equal(d->ips[0].hosts[1].name, "db");
	assert_true(!d->ips[1].dhcp && d->ips[1].address.len == 24);
	netdef_free(d);
}

static void test_defaults(void **state)
{
	struct netdef *d = parse_good(NET(""), NULL);

	assert_true(!d->uuid_set && !d->mac_set && !d->autostart_set && !d->stp && d->dns_enable &&
		    !d->dns_enable_set);
	assert_int_equal(d->forward, NETDEF_FORWARD_NONE);
	assert_int_equal(d->delay_s + d->mtu, 0);
	assert_null(d->domain);
	assert_string_equal(d->bridge, "");
	assert_int_equal(d->ip_cnt, 0);
	netdef_free(d);
}

/* Classes A, B and C, where libvirt takes the length from the address. */
static void test_classful(void **state)
{
	struct netdef *d = parse_good(NET("<ip address='10.0.0.1'/><ip address='172.16.0.1' prefix='0'/>"
					  "<ip address='192.168.0.1'/>"),
				      NULL);

	assert_int_equal(d->ips[0].address.len, 8);
	assert_int_equal(d->ips[1].address.len, 16);
	assert_int_equal(d->ips[2].address.len, 24);
	netdef_free(d);
}

static void repeat(struct nd_buf *b, const char *s, unsigned cnt)
{
	while (cnt-- > 0)
		nd_buf_append_string(b, s);
}

static void assert_repeated_refused(const char *head, const char *s, unsigned cnt, const char *tail,
				    const char *message)
{
	struct nd_buf xml = { 0 };

	nd_buf_append_string(&xml, head);
	repeat(&xml, s, cnt);
	nd_buf_append_string(&xml, tail);
	assert_refused(nd_buf_string(&xml), xml.len, NULL, ND_INVALID, message);
	nd_buf_done(&xml);
}

static void test_bounds(void **state)
{
	static char huge[NETDEF_XML_MAX + 1];

	memset(huge, ' ', sizeof huge);
	assert_refused(huge, sizeof huge, "f", ND_INVALID,
		       "f: 262145 bytes are more than a definition may have (262144)");
	assert_repeated_refused("<network><name>n</name>", "<a>", 16, "",
				"network 'n': line 1: <a>: elements are nested deeper than 16");
	assert_repeated_refused("<network><name>n</name>", "<ip address='10.0.0.1'/>", 17, "</network>",
				"network 'n': line 1: <ip>: given more than 16 times");
	assert_repeated_refused("<network><name>n</name><ip address='10.0.0.1'><dhcp>",
				"<range start='10.0.0.2' end='10.0.0.3'/>", 65, "</dhcp></ip></network>",
				"network 'n': line 1: <range>: given more than 64 times");
	assert_repeated_refused("<network><name>", "n", 201, "</name></network>",
				"line 1: <name>: name is longer than 200 bytes");
	assert_repeated_refused("<network><name>", "n", 100000, "</name></network>",
				"line 1: <name>: text is longer than 1024 bytes");
}

/* 256 KiB of hosts, as full as it can be: memory in proportion, no limit hit. */
static void test_many_hosts(void **state)
{
	struct nd_buf xml = { 0 };
	struct netdef *d = NULL;
	unsigned cnt = 0;

	nd_buf_append_string(&xml, "<network><name>n</name><ip address='10.0.0.1'><dhcp>");
	while (xml.len < NETDEF_XML_MAX - 100) {
		nd_buf_printf(&xml, "<host ip='10.1.%u.%u' name='a'/>", cnt / 250, cnt % 250 + 1);
		cnt++;
	}
	nd_buf_append_string(&xml, "</dhcp></ip></network>");
	assert_int_equal(netdef_parse(nd_buf_string(&xml), xml.len, NULL, NULL, NULL, &d, NULL), 0);
	assert_int_equal(d->ips[0].host_cnt, cnt);
	assert_true(netdef_size(d) < 4 * NETDEF_XML_MAX);
	netdef_free(d);
	nd_buf_done(&xml);
}

static long allocations_left = -1; /* libxml2's; below 0: no end */

static bool allocation_fails(void)
{
	return allocations_left >= 0 && allocations_left-- == 0;
}

static void *count_malloc(size_t size)
{
	return allocation_fails() ? NULL : malloc(size);
}

static void *count_realloc(void *p, size_t size)
{
	return allocation_fails() ? NULL : realloc(p, size);
}

static char *count_strdup(const char *s)
{
	return allocation_fails() ? NULL : strdup(s);
}

/*
 * Each allocation of libxml2 fails once: refused, or the whole definition, never a part of it. libxml2 2.9
 * takes some lacks of memory for a missing name, thus ND_PARSE.
 */
static void test_no_memory(void **state)
{
	const char *xml = "<network " NS "><name>n</name><x/><ip address='10.0.0.1' netd:subnet='auto'><dhcp>"
			  "<host name='a' ip='10.0.0.2'/></dhcp></ip></network>";
	long i = 0;

	for (int code = ND_MEMORY; code < 0 || allocations_left < 0; i++) {
		struct netdef *d = NULL;

		allocations_left = i;
		code = netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, NULL);
		if (code == 0)
			assert_true(d->ip_cnt == 1 && d->ips[0].host_cnt == 1 && d->ips[0].subnet_auto);
		else
			assert_true(code == ND_MEMORY || code == ND_PARSE);
		netdef_free(d);
		assert_true(i < 1000);
	}
	allocations_left = -1;
	assert_true(i > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_file_in_message),
		cmocka_unit_test(test_accepted_and_warned),
		cmocka_unit_test(test_warnings_are_bounded),
		cmocka_unit_test(test_all_values),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_classful),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_many_hosts),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_encodings),
	};

	xmlMemSetup(free, count_malloc, count_realloc, count_strdup);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

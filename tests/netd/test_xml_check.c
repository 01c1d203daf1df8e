// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: tests of the cross-field rules; where libvirt has the rule, its text (9.0, tried). */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NET(body) "<network xmlns:netd='urn:netd:network:1'><name>n</name>" body "</network>"
#define IP(body)  NET("<ip address='10.0.0.1' prefix='24'>" body "</ip>")
#define NAT(f, b) NET("<forward>" f "</forward><ip address='10.0.0.1' prefix='24'/>" b)
#define FORWARDS(b)                                                                    \
	NET("<ip address='10.0.0.1' prefix='24'/><ip family='ipv6' address='fd00::1' " \
	    "prefix='64'/><netd:forward " b "/>")
#define DHCP(b) IP("<dhcp>" b "</dhcp>")

static const struct {
	const char *xml, *message; /* NULL: fine */
} rows[] = {
	{ NET(""), NULL },
	{ NET("<forward/>"), "nat forwarding requested, but no IP address provided for network 'n'" },
	{ NET("<forward/><ip address='10.0.0.1'/>"), NULL },
	{ NET("<ip address='10.0.0.0' prefix='24'/>"),
	  "Invalid address '10.0.0.0' in network 'n': it is the network address of 10.0.0.0/24" },
	{ NET("<ip address='10.0.0.255' prefix='24'/>"),
	  "Invalid address '10.0.0.255' in network 'n': it is the broadcast address of 10.0.0.255/24" },
	{ NET("<ip address='10.0.0.0' prefix='31'/><ip address='10.0.0.5' prefix='32'/>"), NULL },
	{ NET("<ip address='127.0.0.1' prefix='24'/>"),
	  "Invalid address '127.0.0.1' in network 'n': not a unicast host address" },
	{ NET("<ip address='224.0.0.1' prefix='24'/>"),
	  "Invalid address '224.0.0.1' in network 'n': not a unicast host address" },
	{ NET("<ip address='0.0.0.0' prefix='24'/>"),
	  "Invalid address '0.0.0.0' in network 'n': not a unicast host address" },
	{ NET("<ip address='10.0.0.1' prefix='24'/><ip address='10.0.0.1' prefix='16'/>"),
	  "address '10.0.0.1' is given more than once in network 'n'" },
	{ NET("<ip address='10.0.0.1' prefix='24'/><ip address='10.0.0.2' prefix='24'/>"), NULL },
	/* The automatic subnet. */
	{ NET("<ip address='10.0.0.1' prefix='24' netd:subnet='auto'/>"), NULL },
	{ NET("<ip address='10.0.0.1' netd:subnet='auto'/>"),
	  "netd:subnet='auto' in network 'n' needs a subnet from /16 to /30, not 10.0.0.1/8" },
	{ NET("<ip address='10.0.0.1' prefix='24' netd:subnet='auto'/><ip address='10.1.0.1' prefix='24' "
	      "netd:subnet='auto'/>"),
	  "netd:subnet='auto' is given more than once in network 'n'" },
	/* Ranges. */
	{ DHCP("<range start='10.0.0.2' end='10.0.0.254'/>"), NULL },
	{ DHCP("<range start='10.0.0.2' end='10.0.0.2'/>"), NULL },
	{ DHCP("<range start='10.0.1.2' end='10.0.1.9'/>"),
	  "range 10.0.1.2 - 10.0.1.9 is not entirely within network 10.0.0.1/24" },
	{ DHCP("<range start='10.0.0.2' end='10.0.1.9'/>"),
	  "range 10.0.0.2 - 10.0.1.9 is not entirely within network 10.0.0.1/24" },
	{ DHCP("<range start='10.0.0.9' end='10.0.0.2'/>"), "range 10.0.0.9 - 10.0.0.2 is reversed " },
	{ DHCP("<range start='10.0.0.0' end='10.0.0.2'/>"),
	  "start of range 10.0.0.0 - 10.0.0.2 in network 10.0.0.1/24 is the network address" },
	{ DHCP("<range start='10.0.0.2' end='10.0.0.255'/>"),
	  "end of range 10.0.0.2 - 10.0.0.255 in network 10.0.0.1/24 is the broadcast address" },
	{ DHCP("<range start='fd00::1' end='10.0.0.3'/>"),
	  "mismatch of address family in range fd00::1 - 10.0.0.3" },
	{ NET("<ip address='10.0.0.1'><dhcp><range start='10.0.0.2' end='10.1.0.1'/></dhcp></ip>"),
	  "range 10.0.0.2 - 10.1.0.1 is too large (> 65535)" },
	{ NET("<ip address='10.0.0.1'><dhcp><range start='10.0.0.2' end='10.1.0.0'/></dhcp></ip>"), NULL },
	{ NET("<ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.2' end='10.0.0.9'/></dhcp></ip>"
	      "<ip address='10.1.0.1' prefix='24'><dhcp><range start='10.1.0.2' "
	      "end='10.1.0.9'/></dhcp></ip>"),
	  "Multiple IPv4 dhcp sections found -- dhcp is supported only for a single IPv4 address on each "
	  "network" },
	/* Reservations. */
	{ DHCP("<host mac='52:54:00:00:00:01' ip='10.0.0.2'/><host name='a' ip='10.0.0.3'/><host name='a' "
	       "ip='10.0.0.4'/>"),
	  NULL },
	{ DHCP("<host ip='10.0.0.2'/>"),
	  "Static host definition in IPv4 network 'n' must have mac or name attribute" },
	{ DHCP("<host name='a' ip='fd00::1'/>"),
	  "Invalid IP address in static host definition for network 'n'" },
	{ DHCP("<host name='a' ip='10.0.1.2'/>"),
	  "host ip '10.0.1.2' in network 'n' is not a host address within network 10.0.0.1/24" },
	{ DHCP("<host name='a' ip='10.0.0.255'/>"),
	  "host ip '10.0.0.255' in network 'n' is not a host address within network 10.0.0.1/24" },
	{ DHCP("<host name='a' ip='10.0.0.1'/>"),
	  "host ip '10.0.0.1' in network 'n' is the bridge's own address" },
	{ DHCP("<host name='a' ip='10.0.0.3'/><host name='b' ip='10.0.0.2'/><host name='c' ip='10.0.0.3'/>"),
	  "there is more than one host with ip '10.0.0.3' in network 'n'" },
	{ DHCP("<host mac='52:54:00:00:00:01' ip='10.0.0.3'/><host name='b' ip='10.0.0.2'/>"
	       "<host mac='52:54:00:00:00:01' ip='10.0.0.4'/>"),
	  "there is more than one host with mac '52:54:00:00:00:01' in network 'n'" },
	/* netd's own: where the mode has no place for them. */
	{ NET("<forward mode='private' dev='e'/><netd:guards/>"),
	  "Unsupported <netd:guards> element in network n with forward mode='private'" },
	{ NET("<forward mode='bridge'/><bridge name='b'/><netd:guards/><netd:address guest='a' "
	      "address='10.0.0.0/24'/>"),
	  NULL },
	{ NET("<forward mode='bridge' dev='e'/><portgroup name='a'><netd:guards/></portgroup>"),
	  "Unsupported <netd:guards> element in network n with forward mode='bridge'" },
	{ NET("<forward mode='bridge'/><bridge name='b'/><netd:egress policy='none'/>"),
	  "Unsupported <netd:egress> element in network n with forward mode='bridge'" },
	{ NET("<forward mode='bridge'/><bridge name='b'/><netd:forward port='80' guest='a'/>"),
	  "Unsupported <netd:forward> element in network n with forward mode='bridge'" },
	{ NET("<forward mode='bridge'/><bridge name='b'/><netd:hostAccess mode='all'/>"),
	  "Unsupported <netd:hostAccess> element in network n with forward mode='bridge'" },
	{ NET("<forward mode='vepa' dev='e'/><netd:accept network='b'/>"),
	  "Unsupported <netd:accept> element in network n with forward mode='vepa'" },
	{ NET("<forward mode='vepa' dev='e'/><netd:address guest='a' address='10.0.0.1'/>"),
	  "Unsupported <netd:address> element in network n with forward mode='vepa'" },
	{ NET("<netd:source address='192.0.2.1'/>"),
	  "Unsupported <netd:source> element in network n with forward mode='none'" },
	/* The bridge without an address. */
	{ NET("<netd:hostAccess mode='none'/>"), NULL },
	{ NET("<forward/><ip address='10.0.0.1'/><netd:hostAccess mode='none'/>"),
	  "<netd:hostAccess mode='none'> in network 'n' leaves its bridge without an address, which "
	  "<forward> "
	  "needs" },
	{ NET("<netd:hostAccess mode='none'/><netd:forward port='80' guest='a'/>"),
	  "<netd:hostAccess mode='none'> in network 'n' leaves its bridge without an address, which "
	  "<netd:forward> needs" },
	{ NET("<netd:hostAccess mode='none'/><netd:accept network='b'/>"),
	  "<netd:hostAccess mode='none'> in network 'n' leaves its bridge without an address, which "
	  "<netd:accept> needs" },
	/* Sources. */
	{ NAT("", "<netd:source address='192.0.2.1'/>"), NULL },
	{ NAT("<nat ipv6='yes'/>", "<netd:source address='192.0.2.1'/><netd:source address='2001:db8::1'/>"),
	  NULL },
	{ NAT("", "<netd:source address='192.0.2.1'/><netd:source address='192.0.2.2'/>"),
	  "<netd:source> is given more than once for IPv4 in network 'n'" },
	{ NAT("", "<netd:source address='2001:db8::1'/>"),
	  "<netd:source address='2001:db8::1'> in network 'n' needs <nat ipv6='yes'>: IPv6 is not translated "
	  "without it" },
	{ NAT("", "<netd:source address='127.0.0.1'/>"),
	  "<netd:source address='127.0.0.1'> in network 'n': not a unicast host address" },
	{ NAT("<nat><address start='192.0.2.1' end='192.0.2.2'/></nat>",
	      "<netd:source address='192.0.2.1'/>"),
	  "<netd:source address='192.0.2.1'> and <address> in <nat> of network 'n' say two sources for "
	  "IPv4" },
	/* Other networks. */
	{ NET("<netd:accept network='a'/><netd:accept network='b'/>"), NULL },
	{ NET("<netd:accept network='n'/>"), "<netd:accept network='n'> names its own network" },
	{ NET("<netd:accept network='a'/><netd:accept network='a'/>"),
	  "<netd:accept network='a'> is given more than once in network 'n'" },
	/* Addresses that guests may use. */
	{ NET("<netd:address guest='a' address='10.0.0.1'/><netd:address guest='b' address='10.0.0.1'/>"
	      "<netd:address guest='a' address='::/32'/><netd:address guest='a' address='0.0.0.0/32'/>"),
	  NULL },
	{ NET("<netd:address guest='a' address='10.0.0.1'/><netd:address guest='b' address='10.0.0.1'/>"
	      "<netd:address guest='a' address='10.0.0.1/32'/>"),
	  "<netd:address guest='a' address='10.0.0.1/32'> is given more than once in network 'n'" },
	/* Published ports. */
	{ IP(""), NULL },
	{ FORWARDS("port='80' guest='10.0.0.2'"), NULL },
	{ FORWARDS("port='80' guest='10.0.1.2'"),
	  "<netd:forward> of tcp port 80 in network 'n': guest '10.0.1.2' lies in no subnet of the network" },
	{ FORWARDS("port='80' guest='10.0.0.1'"),
	  "<netd:forward> of tcp port 80 in network 'n': guest '10.0.0.1' is the bridge's own address" },
	{ NET("<ip address='10.0.0.1' prefix='24' netd:subnet='auto'/><netd:forward port='80' "
	      "guest='10.0.0.2'/>"),
	  "<netd:forward> of tcp port 80 in network 'n': guest '10.0.0.2' lies in a subnet that netd may "
	  "move "
	  "(netd:subnet='auto'); name its port or MAC address" },
	{ FORWARDS("port='80' guest='a'/><netd:forward port='81' guest='a'/><netd:forward port='80' "
		   "protocol='udp' guest='a'/><netd:forward port='80' address='192.0.2.1' guest='a'/>"
		   "<netd:forward port='80' address='192.0.2.2' guest='a'"),
	  NULL },
	{ FORWARDS("port='80' guest='a'/><netd:forward port='80' guest='b'"),
	  "network 'n' publishes tcp port 80 to 'a' and tcp port 80 to 'b': both cannot be" },
	{ FORWARDS("port='90' guest='c'/><netd:forward port='80' end='89' guest='a'/><netd:forward port='75' "
		   "end='80' guest='b'"),
	  "network 'n' publishes tcp ports 80 to 89 to 'a' and tcp ports 75 to 80 to 'b': both cannot be" },
	{ FORWARDS("port='80' address='192.0.2.1' guest='a'/><netd:forward port='1' end='1000' "
		   "address='192.0.2.1' guest='b'"),
	  "network 'n' publishes tcp port 80 of 192.0.2.1 to 'a' and tcp ports 1 to 1000 of 192.0.2.1 to "
	  "'b': "
	  "both cannot be" },
	/* Without an address: of the guest's family, or both. */
	{ FORWARDS("port='80' guest='10.0.0.2'/><netd:forward port='80' guest='fd00::2'"), NULL },
	{ FORWARDS("port='80' guest='10.0.0.2'/><netd:forward port='80' guest='fd00::2'/><netd:forward "
		   "port='80' guest='a'"),
	  "network 'n' publishes tcp port 80 to '10.0.0.2' and tcp port 80 to 'a': both cannot be" },
	{ FORWARDS("port='70' end='90' guest='fd00::2'/><netd:forward port='80' "
		   "guest='10.0.0.2'/><netd:forward "
		   "port='85' guest='a'"),
	  "network 'n' publishes tcp ports 70 to 90 to 'fd00::2' and tcp port 85 to 'a': both cannot be" },
};

static struct netdef *parse(const char *xml)
{
	struct netdef *d = NULL;
	struct nd_error e = ND_ERROR_INIT;
	char text[2000];

	if (netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, &e) < 0) {
		nd_error_format(&e, text, sizeof text);
		fail_msg("%s: %s", xml, text);
	}
	return d;
}

static void assert_check(const struct netdef *d, const char *message)
{
	struct nd_error e = ND_ERROR_INIT;
	char text[2000];
	int err = netdef_check(d, &e);

	nd_error_format(&e, text, sizeof text);
	assert_string_equal(err < 0 ? text : "", message ? message : "");
	if (err < 0)
		assert_int_equal(err, ND_INVALID);
	assert_int_equal(netdef_check(d, NULL), err);
}

static void test_rules(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netdef *d = parse(rows[i].xml);

		assert_check(d, rows[i].message);
		netdef_free(d);
	}
}

/* What the parser would not let in, in a definition made by hand. */
static void test_by_hand(void **state)
{
	struct netdef *d = netdef_new();

	assert_check(d, "missing name information");
	d->name = strdup("a/b");
	assert_check(d, "invalid char in name: /");
	strcpy(d->name, ".b");
	assert_check(d, "invalid char in name: a leading '.'");
	strcpy(d->name, "a\n");
	assert_check(d, "invalid char in name: a control character");
	strcpy(d->name, "n");
	strcpy(d->bridge, "a/b");
	assert_check(d, "bridge name 'a/b' is not an interface name");
	strcpy(d->bridge, "a%db%d");
	assert_check(d, "bridge name 'a%db%d' is not an interface name");
	strcpy(d->bridge, "a%d");
	assert_check(d, NULL);
	d->mac_set = true;
	d->mac.b[0] = 1;
	assert_check(d, "Invalid multicast bridge mac address '01:00:00:00:00:00' in network 'n'");
	d->mac.b[0] = 2;
	d->domain = strdup("a b");
	assert_check(d, "domain 'a b' is not a domain name");
	netdef_free(d);
}

/* Indentation makes a document longer; what could not be read again is refused before it is stored. */
static void test_length_when_written(void **state)
{
	struct nd_buf xml = { 0 };
	struct netdef *d;
	unsigned cnt = 0;

	nd_buf_append_string(&xml, "<network><name>n</name><ip address='10.0.0.1'><dhcp>");
	while (xml.len < NETDEF_XML_MAX - 100) {
		nd_buf_printf(&xml, "<host ip='10.1.%u.%u' name='a'/>", cnt / 250, cnt % 250 + 1);
		cnt++;
	}
	nd_buf_append_string(&xml, "</dhcp></ip></network>");
	d = parse(nd_buf_string(&xml));
	assert_check(d, "definition of network 'n' is longer than 262144 bytes when written out");
	d->ips[0].host_cnt /= 2;
	assert_check(d, NULL);
	d->ips[0].host_cnt = cnt;
	for (unsigned i = cnt / 2; i < cnt; i++)
		free(d->ips[0].hosts[i].name);
	d->ips[0].host_cnt = cnt / 2;
	netdef_free(d);
	nd_buf_done(&xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_length_when_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

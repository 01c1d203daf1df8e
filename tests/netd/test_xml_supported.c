// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: tests of what netd keeps and shows, but does not put in force yet */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define YET     "not supported by this netd yet"
#define IP(b)   "<ip address='10.0.0.1' prefix='24'>" b "</ip>"
#define DHCP(b) IP("<dhcp>" b "</dhcp>")
#define NETD    "xmlns:netd='urn:netd:network:1'"
#define DNS     "xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'"

/* message NULL: all of it is in force. */
static const struct {
	const char *body, *message, *attributes;
} rows[] = {
	/* In force, or harmless. */
	{ "", NULL },
	{ "", NULL, "ipv6='no' trustGuestRxFilters='no' connections='3'" },
	{ "<title>t</title><description>d</description><metadata><a:b xmlns:a='urn:a'/></metadata>", NULL },
	{ "<forward/>" IP(""), NULL },
	{ "<forward mode='nat'><nat ipv6='no'><port start='1024' end='65535'/></nat></forward>" IP(""),
	  NULL },
	{ "<bridge name='a%d' stp='on' delay='3' macTableManager='kernel'/><mtu size='9000'/>"
	  "<mac address='52:54:00:00:00:01'/><domain name='x' localOnly='no'/>"
	  "<dns enable='yes' forwardPlainNames='yes'/><port isolated='no'/>",
	  NULL },
	{ "<ip family='ipv4' address='10.0.0.1' netmask='255.255.255.0' localPtr='no'><dhcp>"
	  "<range start='10.0.0.2' end='10.0.0.9'><lease expiry='2' unit='hours'/></range>"
	  "<host mac='52:54:00:00:00:01' name='a' ip='10.0.0.10'/></dhcp></ip>",
	  NULL },
	{ "<dnsmasq:options/>", NULL, DNS },
	{ "<dnsmasq:options><dnsmasq:option value='a'/></dnsmasq:options>", NULL, DNS },
	{ "<domain name='a' localOnly='yes'/><dns forwardPlainNames='no'><forwarder addr='1.1.1.1'/>"
	  "<txt name='a' value='b'/><srv service='a' protocol='b'/><host "
	  "ip='1.1.1.1'><hostname>a</hostname></host></dns>"
	  "<ip address='10.0.0.1' localPtr='yes'><tftp root='/a'/></ip>",
	  NULL },
	{ "<netd:hostAccess mode='none'/>", NULL, NETD },
	{ IP("") "<netd:hostAccess mode='all'/><netd:accept network='b'/>", NULL, NETD },
	{ "<forward/>" IP("") "<netd:source address='192.0.2.1'/>", NULL, NETD },
	{ "", NULL, "ipv6='yes'" },
	{ "<forward mode='route' dev='eth0'/>" IP(""), NULL },
	{ "<forward mode='open'/>" IP(""), NULL },
	{ "<forward mode='bridge'/><bridge name='br0' macTableManager='libvirt'/><vlan><tag id='3'/></vlan>",
	  NULL },
	{ "<forward><nat ipv6='yes'><address start='1.2.3.4' end='1.2.3.5'/><port start='1' end='9'/></nat>"
	  "</forward>" IP(""),
	  NULL },
	{ "<port isolated='yes'/>" IP("") "<ip family='ipv6' address='fd00::1' prefix='64'/>"
					  "<route address='10.9.0.0' prefix='16' gateway='10.0.0.2'/>"
					  "<portgroup name='a'><vlan><tag id='3'/></vlan></portgroup>",
	  NULL },
	{ "<portgroup name='a' default='yes' trustGuestRxFilters='no'/>", NULL },
	/* Not yet; the first in the document is named. */
	{ "", "<network trustGuestRxFilters='yes'>: " YET "; supported is 'no'",
	  "trustGuestRxFilters='yes'" },
	{ "<forward mode='vepa'><interface dev='a'/></forward>" },
	{ "<forward mode='passthrough' dev='a'/><vlan><tag id='5'/></vlan>",
	  "<vlan> with <forward mode='passthrough'>: not supported by this netd; list a VLAN interface "
	  "(eth0.10) instead" },
	{ "<forward mode='bridge' dev='a'/><port isolated='yes'/>",
	  "<port isolated='yes'> with <forward mode='bridge'>: not supported by this netd; mode='private' "
	  "keeps guests apart" },
	{ "<forward mode='hostdev'><pf dev='a'/></forward>",
	  "<forward mode='hostdev'>: " YET "; supported are nat, route, open, bridge, private, vepa, "
	  "passthrough and isolated (no <forward>)" },
	{ "<forward mode='bridge'/>",
	  "network 'n' uses a direct mode, but has no forward dev and no interface pool" },
	{ "<forward mode='bridge' dev='a'/>" },
	{ "<bridge zone='public'/>", NULL },
	{ "<ip family='ipv6' address='fd00::1' prefix='64'><dhcp><range start='fd00::2' "
	  "end='fd00::9'/></dhcp></ip>",
	  "<ip family='ipv6'>: <dhcp>: " YET },
	{ DHCP("<host id='01:02' name='a' ip='10.0.0.2'/>"), "<host id='01:02'>: " YET },
	{ DHCP("<host name='a' ip='10.0.0.2'/><bootp file='a'/>"), NULL },
	{ DHCP("<host name='a' ip='10.0.0.2'/><netd:boot arch='ipxe' file='a'/>"), NULL, NETD },
	{ DHCP("<host netd:clientId='ff:0:1a' ip='10.0.0.2'/>"), NULL, NETD },
	{ "<virtualport type='openvswitch'/>", "<virtualport>: " YET },
	{ "<portgroup name='a' trustGuestRxFilters='yes'/>",
	  "<portgroup trustGuestRxFilters='yes'>: " YET "; supported is 'no'" },
	{ "<portgroup name='a'/><portgroup name='b'><bandwidth><outbound "
	  "average='3'/></bandwidth><virtualport type='midonet'/></portgroup>",
	  "<virtualport>: " YET },
	{ "<netd:guards/>", NULL, NETD },
	{ "<portgroup name='a'><netd:guards ip='no'/></portgroup>", NULL, NETD },
	{ "<netd:egress policy='any'/>", NULL, NETD },
	{ "<portgroup name='a'><netd:egress policy='none'/></portgroup>", NULL, NETD },
	{ "<netd:address guest='a' address='10.0.0.9'/>", NULL, NETD },
	{ "<netd:forward port='80' guest='a'/>", NULL, NETD },
};

static struct netdef *parse(const char *body, const char *attributes)
{
	struct netdef *d = NULL;
	struct nd_error e = ND_ERROR_INIT;
	struct nd_buf xml = { 0 };
	char text[2000];

	nd_buf_printf(&xml, "<network %s><name>n</name>%s</network>", attributes ? attributes : "", body);
	if (netdef_parse(nd_buf_string(&xml), xml.len, NULL, NULL, NULL, &d, &e) < 0 ||
	    netdef_check(d, &e) < 0) {
		nd_error_format(&e, text, sizeof text);
		fail_msg("%s: %s", body, text);
	}
	nd_buf_done(&xml);
	return d;
}

static void test_supported(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netdef *d = parse(rows[i].body, rows[i].attributes);
		struct nd_error e = ND_ERROR_INIT;
		char text[2000] = "";
		int err = netdef_supported(d, &e);

		if (err < 0)
			nd_error_format(&e, text, sizeof text);
		assert_string_equal(text, rows[i].message ? rows[i].message : "");
		assert_int_equal(err, rows[i].message ? ND_UNSUPPORTED : 0);
		assert_int_equal(netdef_supported(d, NULL), err);
		netdef_free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_supported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

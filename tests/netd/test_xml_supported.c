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
	{ "<portgroup name='a' default='yes' trustGuestRxFilters='no'/>", NULL },
	/* Not yet; the first in the document is named. */
	{ "", "<network ipv6='yes'>: " YET "; supported is 'no'", "ipv6='yes'" },
	{ "", "<network trustGuestRxFilters='yes'>: " YET "; supported is 'no'",
	  "trustGuestRxFilters='yes'" },
	{ "<forward mode='route'/>" IP(""),
	  "<forward mode='route'>: " YET "; supported are nat and isolated (no <forward>)" },
	{ "<forward mode='open'/>" IP(""),
	  "<forward mode='open'>: " YET "; supported are nat and isolated (no <forward>)" },
	{ "<forward mode='bridge'/><bridge name='br0'/>",
	  "<forward mode='bridge'>: " YET "; supported are nat and isolated (no <forward>)" },
	{ "<forward mode='hostdev'><pf dev='a'/></forward>",
	  "<forward mode='hostdev'>: " YET "; supported are nat and isolated (no <forward>)" },
	{ "<forward mode='nat' dev='eth0'/>" IP(""), "<forward dev='eth0'>: " YET },
	{ "<forward><nat ipv6='yes'/></forward>" IP(""), "<nat ipv6='yes'>: " YET "; supported is 'no'" },
	{ "<forward><nat><address start='1.2.3.4' end='1.2.3.5'/></nat></forward>" IP(""),
	  "<address>: " YET },
	{ "<forward><nat><port start='1' end='65535'/></nat></forward>" IP(""),
	  "<port start='1'>: " YET "; supported is '1024'" },
	{ "<forward><nat><port start='1024' end='65534'/></nat></forward>" IP(""),
	  "<port end='65534'>: " YET "; supported is '65535'" },
	{ "<bridge zone='public'/>", "<bridge zone='public'>: " YET },
	{ "<bridge macTableManager='libvirt'/>",
	  "<bridge macTableManager='libvirt'>: " YET "; supported is 'kernel'" },
	{ "<domain name='a' localOnly='yes'/>", "<domain localOnly='yes'>: " YET "; supported is 'no'" },
	{ "<dns forwardPlainNames='no'/>", "<dns forwardPlainNames='no'>: " YET "; supported is 'yes'" },
	{ "<dns><forwarder addr='1.1.1.1'/></dns>", "<forwarder>: " YET },
	{ "<dns><txt name='a' value='b'/></dns>", "<txt>: " YET },
	{ "<dns><srv service='a' protocol='b'/></dns>", "<srv>: " YET },
	{ "<dns><host ip='1.1.1.1'><hostname>a</hostname></host></dns>", "<host>: " YET },
	{ "<vlan><tag id='3'/></vlan>", "<vlan>: " YET },
	{ "<bandwidth><inbound average='3'/></bandwidth>", "<bandwidth>: " YET },
	{ "<port isolated='yes'/>", "<port isolated='yes'>: " YET "; supported is 'no'" },
	{ "<ip family='ipv6' address='fd00::1' prefix='64'/>",
	  "<ip family='ipv6'>: " YET "; supported is 'ipv4'" },
	{ "<ip address='10.0.0.1' localPtr='yes'/>", "<ip localPtr='yes'>: " YET "; supported is 'no'" },
	{ IP("<tftp root='/a'/>"), "<tftp>: " YET },
	{ DHCP("<host id='01:02' name='a' ip='10.0.0.2'/>"), "<host id='01:02'>: " YET },
	{ DHCP("<host name='a' ip='10.0.0.2'/><bootp file='a'/>"), "<bootp>: " YET },
	{ IP("") "<route address='10.9.0.0' prefix='16' gateway='10.0.0.2'/>", "<route>: " YET },
	{ "<virtualport type='openvswitch'/>", "<virtualport>: " YET },
	{ "<portgroup name='a' trustGuestRxFilters='yes'/>",
	  "<portgroup trustGuestRxFilters='yes'>: " YET "; supported is 'no'" },
	{ "<portgroup name='a'><vlan><tag id='3'/></vlan></portgroup>", "<vlan>: " YET },
	{ "<portgroup name='a'><virtualport type='midonet'/></portgroup>", "<virtualport>: " YET },
	{ "<portgroup name='a'/><portgroup name='b'><bandwidth><outbound "
	  "average='3'/></bandwidth></portgroup>",
	  "<bandwidth>: " YET },
	{ "<dnsmasq:options><dnsmasq:option value='a'/></dnsmasq:options>", "<dnsmasq:option>: " YET, DNS },
	{ "<netd:hostAccess mode='none'/>", "<netd:hostAccess mode='none'>: " YET, NETD },
	{ "<forward/>" IP("") "<netd:source address='192.0.2.1'/>", "<netd:source>: " YET, NETD },
	{ "<netd:accept network='b'/>", "<netd:accept>: " YET, NETD },
	{ "<netd:guards/>", "<netd:guards>: " YET, NETD },
	{ "<portgroup name='a'><netd:guards ip='no'/></portgroup>", "<netd:guards>: " YET, NETD },
	{ "<netd:egress policy='any'/>", "<netd:egress>: " YET, NETD },
	{ "<portgroup name='a'><netd:egress policy='none'/></portgroup>", "<netd:egress>: " YET, NETD },
	{ "<netd:address guest='a' address='10.0.0.9'/>", "<netd:address>: " YET, NETD },
	{ "<netd:forward port='80' guest='a'/>", "<netd:forward>: " YET, NETD },
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

/* An address set by hand says no family, and is none of those in force all the same. */
static void test_by_hand(void **state)
{
	struct netdef *d = parse(IP(""), NULL);

	assert_int_equal(nd_ip_from_string("fd00::1", &d->ips[0].address.ip), 0);
	assert_int_equal(netdef_supported(d, NULL), ND_UNSUPPORTED);
	netdef_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_supported),
		cmocka_unit_test(test_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

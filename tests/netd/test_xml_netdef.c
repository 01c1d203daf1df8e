// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: tests of copy, diff, size, the word tables, and of the rows' own consistency */
#include "base/mem.h"
#include "netd/xml/netdef.h"
#include "netd/xml/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NS       "xmlns:netd='urn:netd:network:1'"
#define NET(b)   "<network " NS "><name>n</name>" b "</network>"
#define IP(a, b) NET("<ip address='" a "'>" b "</ip>")
#define DHCP(b)  IP("10.0.0.1", "<dhcp>" b "</dhcp>")
#define HOST     "<host mac='52:54:00:00:00:01' name='a' ip='10.0.0.3'/>"
#define RANGE    "<range start='10.0.0.2' end='10.0.0.9'/>"

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

static const struct {
	const char *a, *b;
	enum netdef_change change;
	const char *what;
} diffs[] = {
	{ NET(""), NET(""), NETDEF_CHANGE_NONE, "" },
	{ NET(""), "<network><name>m</name></network>", NETDEF_CHANGE_RECREATE, "name" },
	{ NET(""), NET("<uuid>41a96616-58b0-4567-8e54-309e6dc85c19</uuid>"), NETDEF_CHANGE_RECREATE, "uuid" },
	{ NET(""), NET("<forward/>"), NETDEF_CHANGE_RESTART, "forward@mode" },
	{ NET(""), NET("<bridge name='a'/>"), NETDEF_CHANGE_RECREATE, "bridge@name" },
	{ NET(""), NET("<bridge stp='on' delay='2'/>"), NETDEF_CHANGE_LIVE, "bridge@stp, bridge@delay" },
	{ NET(""), NET("<mtu size='9000'/>"), NETDEF_CHANGE_LIVE, "mtu@size" },
	{ NET(""), NET("<mac address='52:54:00:00:00:01'/>"), NETDEF_CHANGE_RESTART, "mac@address" },
	{ NET(""), NET("<domain name='a'/>"), NETDEF_CHANGE_LIVE, "domain@name" },
	{ NET("<domain name='a'/>"), NET("<domain name='b'/>"), NETDEF_CHANGE_LIVE, "domain@name" },
	{ NET(""), NET("<dns enable='no'/>"), NETDEF_CHANGE_LIVE, "dns@enable" },
	{ NET(""), NET("<dns enable='yes'/>"), NETDEF_CHANGE_NONE, "" },
	{ NET(""), NET("<netd:autostart mode='boot'/>"), NETDEF_CHANGE_NONE, "netd:autostart@mode" },
	{ NET(""), NET("<netd:hostAccess mode='services'/>"), NETDEF_CHANGE_LIVE, "netd:hostAccess@mode" },
	{ NET(""), NET("<netd:hostAccess mode='none'/>"), NETDEF_CHANGE_RESTART, "netd:hostAccess@mode" },
	{ NET("<netd:hostAccess mode='none'/>"), NET("<netd:hostAccess mode='all'/>"), NETDEF_CHANGE_RESTART,
	  "netd:hostAccess@mode" },
	{ NET(""), NET("<netd:source address='192.0.2.1'/>"), NETDEF_CHANGE_LIVE, "netd:source" },
	{ NET(""), NET("<netd:accept network='b'/>"), NETDEF_CHANGE_LIVE, "netd:accept" },
	{ NET("<netd:accept network='a'/>"), NET("<netd:accept network='b'/>"), NETDEF_CHANGE_LIVE,
	  "netd:accept@network" },
	{ NET(""), NET("<netd:guards/>"), NETDEF_CHANGE_LIVE, "netd:guards" },
	{ NET("<netd:guards/>"), NET("<netd:guards ip='no' connections='3'/>"), NETDEF_CHANGE_LIVE,
	  "netd:guards@ip, netd:guards@connections" },
	{ NET("<netd:egress policy='any'/>"),
	  NET("<netd:egress policy='list'><netd:allow address='10.0.0.0/8'/></netd:egress>"),
	  NETDEF_CHANGE_LIVE, "netd:egress@policy, netd:egress/netd:allow" },
	{ NET("<netd:egress policy='list'><netd:allow address='10.0.0.0/8'/></netd:egress>"),
	  NET("<netd:egress policy='list'><netd:allow address='10.0.0.0/9' protocol='udp' port='5' "
	      "end='6'/></netd:egress>"),
	  NETDEF_CHANGE_LIVE,
	  "netd:egress/netd:allow@address, netd:egress/netd:allow@protocol, netd:egress/netd:allow@port, "
	  "netd:egress/netd:allow@end" },
	{ NET("<portgroup name='a'/>"), NET("<portgroup name='a'><netd:guards/></portgroup>"),
	  NETDEF_CHANGE_LIVE, "portgroup/netd:guards" },
	{ NET(""), NET("<netd:address guest='a' address='10.0.0.0/24'/>"), NETDEF_CHANGE_LIVE,
	  "netd:address" },
	{ NET(""), NET("<netd:forward port='80' guest='a'/>"), NETDEF_CHANGE_LIVE, "netd:forward" },
	{ NET("<netd:forward port='80' guest='a'/>"),
	  NET("<netd:forward protocol='tcp' port='80' guest='a'/>"), NETDEF_CHANGE_NONE, "" },
	{ NET("<netd:forward port='80' guest='a'/>"),
	  NET("<netd:forward protocol='udp' address='192.0.2.1' port='81' end='82' guest='b' "
	      "guestPort='1'/>"),
	  NETDEF_CHANGE_LIVE,
	  "netd:forward@protocol, netd:forward@address, netd:forward@port, netd:forward@end, "
	  "netd:forward@guest, netd:forward@guestPort" },
	{ NET(""), NET("<title>t</title><description>d</description>"), NETDEF_CHANGE_NONE,
	  "title, description" },
	{ NET(""), NET("<dns><txt name='a' value='b'/></dns>"), NETDEF_CHANGE_LIVE, "dns/txt" },
	{ NET("<dns><txt name='a' value='b'/></dns>"), NET("<dns><txt name='a' value='c'/></dns>"),
	  NETDEF_CHANGE_LIVE, "dns/txt@value" },
	{ NET("<bandwidth><inbound average='1'/></bandwidth>"),
	  NET("<bandwidth><inbound average='2'/></bandwidth>"), NETDEF_CHANGE_LIVE,
	  "bandwidth/inbound@average" },
	{ NET(""), NET("<vlan><tag id='1'/></vlan>"), NETDEF_CHANGE_RESTART, "vlan/tag" },
	{ NET(""), NET("<forward mode='route'/>"), NETDEF_CHANGE_RESTART, "forward@mode" },
	{ NET(""), NET("<forward mode='route' dev='a'/>"), NETDEF_CHANGE_RESTART,
	  "forward@dev, forward@mode, forward/interface" },
	{ NET("<portgroup name='a'/>"), NET("<portgroup name='a'><vlan><tag id='1'/></vlan></portgroup>"),
	  NETDEF_CHANGE_RESTART, "portgroup/vlan/tag" },
	{ NET(""), IP("10.0.0.1", ""), NETDEF_CHANGE_RESTART, "ip" },
	{ IP("10.0.0.1", ""), IP("10.0.0.2", ""), NETDEF_CHANGE_RESTART, "ip@address" },
	{ IP("10.0.0.1", ""), IP("10.0.0.1' prefix='24", ""), NETDEF_CHANGE_RESTART, "ip@prefix" },
	{ IP("10.0.0.1", ""), IP("10.0.0.1' netmask='255.0.0.0", ""), NETDEF_CHANGE_NONE, "" },
	{ IP("10.0.0.1", ""), IP("10.0.0.1' netd:subnet='auto", ""), NETDEF_CHANGE_NONE, "ip@netd:subnet" },
	{ DHCP(RANGE), DHCP(RANGE RANGE), NETDEF_CHANGE_LIVE, "ip/dhcp/range" },
	{ DHCP(RANGE), DHCP("<range start='10.0.0.2' end='10.0.0.8'/>"), NETDEF_CHANGE_LIVE,
	  "ip/dhcp/range@end" },
	{ DHCP(RANGE),
	  DHCP("<range start='10.0.0.2' end='10.0.0.9'><lease expiry='2' unit='hours'/></range>"),
	  NETDEF_CHANGE_LIVE, "ip/dhcp/range/lease@expiry" },
	{ DHCP("<range start='10.0.0.2' end='10.0.0.9'><lease expiry='120'/></range>"),
	  DHCP("<range start='10.0.0.2' end='10.0.0.9'><lease expiry='2' unit='hours'/></range>"),
	  NETDEF_CHANGE_NONE, "" },
	{ DHCP(""), DHCP(HOST), NETDEF_CHANGE_LIVE, "ip/dhcp/host" },
	{ DHCP(HOST), DHCP("<host name='b' ip='10.0.0.4'/>"), NETDEF_CHANGE_LIVE,
	  "ip/dhcp/host@mac, ip/dhcp/host@name, ip/dhcp/host@ip" },
	{ DHCP(HOST), "<network><name>n</name><ip address='10.9.0.1'/><mtu size='1400'/></network>",
	  NETDEF_CHANGE_RESTART, "mtu@size, ip@address, ip/dhcp/host" },
};

static void test_diff(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(diffs); i++) {
		struct netdef *a = parse(diffs[i].a), *b = parse(diffs[i].b);
		struct nd_buf what = { 0 }, back = { 0 };

		assert_int_equal(netdef_diff(a, b, &what), diffs[i].change);
		assert_string_equal(nd_buf_string(&what), diffs[i].what);
		assert_int_equal(netdef_diff(b, a, &back), diffs[i].change);
		assert_string_equal(nd_buf_string(&back), diffs[i].what);
		assert_int_equal(netdef_diff(a, b, NULL), diffs[i].change);
		nd_buf_done(&what);
		nd_buf_done(&back);
		netdef_free(a);
		netdef_free(b);
	}
}

static void test_copy_is_deep(void **state)
{
	struct netdef *d =
		parse(NET("<domain name='a'/><ip address='10.0.0.1'><dhcp>" RANGE HOST HOST "</dhcp></ip>"
			  "<ip address='10.1.0.1'/>"));
	struct netdef *copy = netdef_copy(d);

	assert_int_equal(netdef_diff(d, copy, NULL), NETDEF_CHANGE_NONE);
	assert_int_equal(netdef_size(d), netdef_size(copy));
	assert_ptr_not_equal(d->name, copy->name);
	assert_ptr_not_equal(d->ips[0].hosts[1].name, copy->ips[0].hosts[1].name);
	netdef_free(d);
	assert_string_equal(copy->ips[0].hosts[1].name, "a");
	assert_int_equal(copy->ip_cnt, 2);
	netdef_free(copy);
	d = parse(NET("<portgroup name='a'><netd:guards/><netd:egress policy='list'><netd:allow "
		      "address='10.0.0.0/8'/></netd:egress></portgroup><netd:accept network='b'/>"
		      "<netd:address guest='a' address='10.0.0.1'/><netd:forward port='80' guest='web'/>"));
	copy = netdef_copy(d);
	assert_int_equal(netdef_size(d), netdef_size(copy));
	netdef_free(d);
	assert_string_equal(netdef_rare(copy)->publishes[0].guest, "web");
	assert_string_equal(netdef_rare(copy)->allowed[0].guest, "a");
	assert_string_equal(netdef_rare(copy)->accepts[0].network, "b");
	assert_true(netdef_rare(copy)->portgroups[0].policy.guards.given);
	assert_int_equal(netdef_rare(copy)->portgroups[0].policy.rules[0].address.len, 8);
	netdef_free(copy);
	netdef_free(NULL);
}

static void test_size(void **state)
{
	struct netdef *d = parse(DHCP(RANGE HOST));

	assert_int_equal(netdef_size(d), sizeof *d + sizeof(struct netdef_ip) + sizeof(struct netdef_range) +
						 sizeof(struct netdef_host) + sizeof "n" + sizeof "a");
	netdef_free(d);
}

/* Rare features cost the many networks without them a pointer. */
static void test_rare_is_rare(void **state)
{
	struct netdef *d = parse(DHCP(RANGE HOST)),
		      *rare = parse(NET("<title>t</title><ip address='10.0.0.1'/>"));
	struct netdef *copy = netdef_copy(rare);

	assert_null(d->rare);
	assert_non_null(netdef_rare(d));
	assert_int_equal(netdef_rare(d)->route_cnt, 0);
	assert_non_null(rare->rare);
	assert_ptr_not_equal(rare->rare, copy->rare);
	assert_string_equal(netdef_rare(copy)->title, "t");
	assert_int_equal(netdef_size(rare), netdef_size(copy));
	assert_int_equal(netdef_diff(rare, copy, NULL), NETDEF_CHANGE_NONE);
	assert_true(sizeof(struct netdef) <= 128);
	netdef_free(d);
	netdef_free(rare);
	netdef_free(copy);
}

/* Words of an enum whose 0 is "not given". */
static void assert_total_from_1(const char *(*to_string)(int), int (*from_string)(const char *), int last)
{
	assert_null(to_string(0));
	for (int v = 1; v <= last; v++) {
		assert_non_null(to_string(v));
		assert_int_equal(from_string(to_string(v)), v);
	}
	assert_null(to_string(last + 1));
	assert_int_equal(from_string("?"), -1);
}

static void assert_total(const char *(*to_string)(int), int (*from_string)(const char *), int last)
{
	for (int v = 0; v <= last; v++) {
		assert_non_null(to_string(v));
		assert_int_equal(from_string(to_string(v)), v);
	}
	assert_null(to_string(last + 1));
	assert_int_equal(from_string("?"), -1);
}

static void test_words(void **state)
{
	assert_total(netdef_forward_to_string, netdef_forward_from_string, NETDEF_FORWARD_HOSTDEV);
	assert_total(netdef_autostart_to_string, netdef_autostart_from_string, NETDEF_AUTOSTART_ON_ATTACH);
	assert_total(netdef_unit_to_string, netdef_unit_from_string, NETDEF_UNIT_HOURS);
	assert_total(netdef_section_to_string, netdef_section_from_string, NETDEF_SECTION_DNS_SRV);
	assert_total(netdef_command_to_string, netdef_command_from_string, NETDEF_COMMAND_ADD_FIRST);
	assert_int_equal(netdef_command_from_string("add"), NETDEF_COMMAND_ADD_LAST);
	assert_total_from_1(netdef_host_access_to_string, netdef_host_access_from_string,
			    NETDEF_HOST_ACCESS_NONE);
	assert_total_from_1(netdef_egress_policy_to_string, netdef_egress_policy_from_string,
			    NETDEF_EGRESS_NONE);
	assert_total_from_1(netdef_protocol_to_string, netdef_protocol_from_string, NETDEF_PROTOCOL_UDP);
}

static void check_row(const struct row *r)
{
	bool text = r->kind == ROW_TEXT || r->kind == ROW_VERBATIM, list = r->kind == ROW_LIST;
	bool attr = r->kind == ROW_ATTR || r->kind == ROW_CONTENT;

	assert_true((attr || text) == (r->type != NULL));
	assert_true(!r->type || (r->type->parse && r->type->given && r->type->format && r->type->equal));
	assert_true(row_is_attr(r) == (attr || r->kind == ROW_SILENT || r->kind == ROW_REFUSED));
	assert_true(!list || (r->with && r->size && r->max));
	assert_true(!r->type || r->type != &row_type_word || r->words);
	assert_true(!r->type || r->type != &row_type_string || r->max);
	assert_true(r->kind != ROW_REFUSED || r->bad);
	assert_true(!r->harmless || (r->flags & ROW_NOT_YET));
	assert_true(r->kind != ROW_CONTENT || row_parent(r)->kind == ROW_LIST);
	assert_ptr_equal(row_find(r->path), r);
}

/* Each row's parent comes before it, attributes before children, no path twice: what the walks rely on. */
static void test_rows(void **state)
{
	assert_string_equal(rows[0].path, "network");
	assert_string_equal(row_end(rows)->path, "networkport");
	assert_ptr_equal(row_end(row_end(rows)), rows + row_cnt);
	for (size_t i = 0; i < row_cnt; i++) {
		size_t parents = 0, attrs = 0;

		check_row(&rows[i]);
		for (size_t j = 0; j < row_cnt; j++) {
			assert_true(i == j || strcmp(rows[i].path, rows[j].path) != 0);
			if (row_is_child(&rows[j], &rows[i])) {
				parents++;
				assert_true(j < i && i < (size_t)(row_end(&rows[j]) - rows));
			}
			if (row_is_child(&rows[i], &rows[j]) && row_is_attr(&rows[j]))
				assert_int_equal(j, i + ++attrs);
		}
		assert_int_equal(parents, strchr(rows[i].path, '/') || strchr(rows[i].path, '@') ? 1 : 0);
		assert_true(attrs <= ROWS_ATTRS_MAX);
	}
}

/* netd-network(5) names every element, and every attribute in the paragraph of one. */
static void test_documented(void **state)
{
	nd_cleanup(nd_fclosep) FILE *f = fopen(DOCS_DIR "/netd-network.5", "re");
	static char page[256 * 1024];
	char tag[100];

	assert_non_null(f);
	page[fread(page, 1, sizeof page - 1, f)] = '\0';
	for (size_t i = 0; i < row_cnt; i++) {
		bool attr = row_is_attr(&rows[i]);

		if (rows[i].kind == ROW_CONTENT || strcmp(row_name(&rows[i]), "parameters") == 0)
			continue;
		snprintf(tag, sizeof tag, "%s%s", attr ? "" : "<", row_name(&rows[i]));
		if (!strstr(page, tag))
			fail_msg("%s is not in netd-network(5)", rows[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),       cmocka_unit_test(test_copy_is_deep),
		cmocka_unit_test(test_size),       cmocka_unit_test(test_rare_is_rare),
		cmocka_unit_test(test_words),      cmocka_unit_test(test_rows),
		cmocka_unit_test(test_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

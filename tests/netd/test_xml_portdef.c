// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: <networkport> as libvirt reads and dumps it
 *
 * Each row's outcome was seen on libvirt 9.0 (virsh net-port-create, net-port-dumpxml, and a client that
 * reclaims), but for those marked STRICTER.
 */
#include "base/mem.h"
#include "netd/xml/portdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define UUID   "b4c95c15-3d9e-4fd0-8e5e-8a5f5e1f5a01"
#define OWNER  "<owner><name>vm1</name><uuid>3d3db22f-b4aa-49a6-bd5f-d3f6ff4b5dd1</uuid></owner>"
#define MAC    "<mac address='52:54:00:7b:35:93'/>"
#define DOC(b) "<networkport><uuid>" UUID "</uuid>" OWNER MAC b "</networkport>"
#define HEAD                                                      \
	"<networkport>\n"                                         \
	"  <uuid>" UUID "</uuid>\n"                               \
	"  <owner>\n"                                             \
	"    <name>vm1</name>\n"                                  \
	"    <uuid>3d3db22f-b4aa-49a6-bd5f-d3f6ff4b5dd1</uuid>\n" \
	"  </owner>\n"
#define DUMP(b) HEAD "  <mac address='52:54:00:7b:35:93'/>\n" b "</networkport>\n"

static const struct {
	const char *xml, *dump; /* dump NULL: it is DUMP("") */
} accepted[] = {
	{ DOC(""), NULL },
	{ "<networkport>" MAC OWNER "<uuid>" UUID "</uuid></networkport>", NULL },
	{ DOC("<foo/>"), NULL },
	{ DOC("<plug type='none'/>"), NULL },
	{ DOC("<virtualport/>"), NULL },
	{ DOC("<bandwidth/>"), NULL },
	{ DOC("<group></group>"), NULL },
	{ DOC("<group>fast</group>"),
	  HEAD "  <group>fast</group>\n  <mac address='52:54:00:7b:35:93'/>\n</networkport>\n" },
	{ DOC("<bandwidth><inbound average='0' peak='3'/></bandwidth>"),
	  DUMP("  <bandwidth>\n  </bandwidth>\n") },
	{ DOC("<bandwidth><inbound floor='5'/></bandwidth>"),
	  DUMP("  <bandwidth>\n    <inbound floor='5'/>\n  </bandwidth>\n") },
	{ DOC("<bandwidth classID='7'><outbound average='7'/><inbound burst='6' floor='9' peak='5' "
	      "average='4'/>"
	      "</bandwidth>"),
	  DUMP("  <bandwidth classID='7'>\n    <inbound average='4' peak='5' floor='9' burst='6'/>\n"
	       "    <outbound average='7'/>\n  </bandwidth>\n") },
	{ DOC("<vlan><tag id='4'/></vlan>"), DUMP("  <vlan>\n    <tag id='4'/>\n  </vlan>\n") },
	{ DOC("<vlan><tag id='4'/><tag id='5' nativeMode='tagged'/></vlan>"),
	  DUMP("  <vlan trunk='yes'>\n    <tag id='4'/>\n    <tag id='5' nativeMode='tagged'/>\n"
	       "  </vlan>\n") },
	{ DOC("<port isolated='yes'/><rxfilters trustGuest='no'/>"),
	  DUMP("  <port isolated='yes'/>\n  <rxfilters trustGuest='no'/>\n") },
	{ DOC("<virtualport type='openvswitch'><parameters profileid='p'/></virtualport>"),
	  DUMP("  <virtualport type='openvswitch'>\n    <parameters profileid='p'/>\n  </virtualport>\n") },
	{ DOC("<plug type='network' bridge='virbr9' dev='e0' mode='vepa' managed='yes'/>"),
	  DUMP("  <plug type='network' bridge='virbr9'/>\n") },
	{ DOC("<plug type='bridge' bridge='virbr9' macTableManager='libvirt'/>"),
	  DUMP("  <plug type='bridge' bridge='virbr9' macTableManager='libvirt'/>\n") },
	{ DOC("<plug type='direct' dev='e0'/>"), DUMP("  <plug type='direct' dev='e0' mode='vepa'/>\n") },
	{ DOC("<plug type='direct' dev='e0' mode='passthrough'/>"),
	  DUMP("  <plug type='direct' dev='e0' mode='passthrough'/>\n") },
	{ DOC("<plug type='hostdev-pci' managed='yes'><driver name='vfio'/><address bus='6' function='0x1'/>"
	      "</plug>"),
	  DUMP("  <plug type='hostdev-pci' managed='yes'>\n    <driver name='vfio'/>\n"
	       "    <address domain='0x0000' bus='0x06' slot='0x00' function='0x1'/>\n  </plug>\n") },
	{ "<networkport><uuid>" UUID "</uuid><owner><name>a&lt;'\"&amp;b</name><uuid>" UUID
	  "</uuid></owner>" MAC "</networkport>",
	  "<networkport>\n  <uuid>" UUID "</uuid>\n  <owner>\n    <name>a&lt;&apos;&quot;&amp;b</name>\n"
	  "    <uuid>" UUID "</uuid>\n  </owner>\n  <mac address='52:54:00:7b:35:93'/>\n</networkport>\n" },
};

static const struct {
	const char *xml, *text;
} refused[] = {
	{ "<networkport>" OWNER MAC "</networkport>", "network port has no uuid" },
	{ "<networkport><uuid>zz</uuid>" OWNER MAC "</networkport>", "Unable to parse UUID 'zz'" },
	{ "<networkport><uuid>" UUID "</uuid>" MAC "</networkport>", "network port has no owner name" },
	{ "<networkport><uuid>" UUID "</uuid>" MAC "<owner><uuid>" UUID "</uuid></owner></networkport>",
	  "network port has no owner name" },
	{ "<networkport><uuid>" UUID "</uuid>" MAC "<owner><name/><uuid>" UUID
	  "</uuid></owner></networkport>",
	  "network port has no owner name" },
	{ "<networkport><uuid>" UUID "</uuid>" MAC "<owner><name>a</name></owner></networkport>",
	  "network port has no owner UUID" },
	{ "<networkport><uuid>" UUID "</uuid>" OWNER "</networkport>", "network port has no mac" },
	{ "<networkport><uuid>" UUID "</uuid>" OWNER "<mac/></networkport>", "network port has no mac" },
	{ "<networkport><mac address='zz'/></networkport>", "Unable to parse MAC 'zz'" },
	/* STRICTER: no guest sends from it */
	{ "<networkport><mac address='01:00:5e:00:00:01'/></networkport>",
	  "expected unicast mac address, found multicast '01:00:5e:00:00:01'" },
	{ "<port/>", "expecting root element of 'networkport', not 'port'" },
	{ "<network><name>n</name></network>", "expecting root element of 'networkport', not 'network'" },
	{ DOC("<bandwidth><inbound peak='4'/></bandwidth>"),
	  "Missing mandatory average or floor attributes" },
	{ DOC("<bandwidth><inbound floor='4' peak='4'/></bandwidth>"),
	  "'peak' and 'burst' require 'average' attribute" },
	{ DOC("<bandwidth><inbound average='x'/></bandwidth>"),
	  "could not convert bandwidth average value 'x'" },
	{ DOC("<bandwidth><inbound average='-1'/></bandwidth>"),
	  "could not convert bandwidth average value '-1'" },
	{ DOC("<bandwidth><inbound average='1'/><inbound average='2'/></bandwidth>"),
	  "Only one child <inbound> element allowed" },
	{ DOC("<bandwidth><outbound average='4' floor='5'/></bandwidth>"),
	  "'floor' attribute allowed only in <inbound> element" },
	{ DOC("<bandwidth classID='x'><inbound average='4'/></bandwidth>"), "Unable to parse class id 'x'" },
	{ DOC("<vlan/>"), "missing tag id - each <vlan> must have at least one <tag id='n'/> subelement" },
	{ DOC("<vlan><tag id='9999'/></vlan>"), "vlan tag id 9999 too large (maximum 4095)" },
	{ DOC("<port isolated='x'/>"), "Invalid value for attribute 'isolated' in element 'port': 'x'." },
	{ DOC("<rxfilters trustGuest='x'/>"),
	  "Invalid value for attribute 'trustGuest' in element 'rxfilters': 'x'." },
	{ DOC("<virtualport type='foo'/>"), "unknown virtualport type foo" },
	{ DOC("<plug type='foo'/>"), "Invalid value for attribute 'type' in element 'plug': 'foo'." },
	{ DOC("<plug type='network'/>"), "Missing network port bridge name" },
	{ DOC("<plug type='network' bridge='b' macTableManager='x'/>"),
	  "Invalid macTableManager setting 'x' in network port" },
	{ DOC("<plug type='direct'/>"), "Missing network port link device name" },
	{ DOC("<plug type='direct' dev='e' mode='x'/>"), "Invalid mode setting 'x' in network port" },
	{ DOC("<plug type='hostdev-pci'/>"), "Missing network port PCI address" },
};

static struct portdef *parse(const char *xml, bool validate, struct nd_error *e)
{
	struct portdef *p = NULL;
	int r = portdef_parse(xml, strlen(xml), validate, NULL, NULL, &p, e);

	assert_int_equal(r == 0, p != NULL);
	return p;
}

static void test_accepted(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		const char *want = accepted[i].dump ? accepted[i].dump : DUMP("");
		const char *xml = accepted[i].xml;

		for (int again = 0; again < 2; again++) { /* what was dumped is read as the same */
			struct nd_error e = ND_ERROR_INIT;
			struct nd_buf out = { .max = 0 };
			struct portdef *p = parse(xml, false, &e);

			if (!p)
				fail_msg("%s: %s", xml, nd_error_text(&e));
			portdef_format(p, &out);
			if (again == 0 || !strstr(xml, "<bandwidth>\n  </bandwidth>"))
				assert_string_equal(nd_buf_string(&out), want);
			nd_buf_done(&out);
			portdef_free(p);
			xml = want;
		}
	}
}

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct nd_error e = ND_ERROR_INIT;

		assert_null(parse(refused[i].xml, false, &e));
		assert_int_equal(e.code, ND_INVALID);
		assert_string_equal(nd_error_text(&e), refused[i].text);
	}
}

static void test_validate(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct portdef *p = parse(DOC(""), true, &e);

	assert_non_null(p);
	portdef_free(p);
	assert_null(parse(DOC("<foo/>"), true, &e));
	assert_non_null(strstr(nd_error_text(&e), "XML document failed to validate against schema: "));
}

/* A network's document is not read differently for the second one in the table. */
static void test_network_has_no_port(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *d = NULL;
	const char *xml = DOC("");

	assert_int_equal(netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, &e), ND_INVALID);
	assert_string_equal(nd_error_text(&e), "expecting root element of 'network', not 'networkport'");
}

static void test_copies(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct portdef *p = parse(
			       DOC("<vlan><tag id='4'/><tag id='5'/></vlan><virtualport type='openvswitch'>"
				   "<parameters profileid='p'/></virtualport>"),
			       false, &e),
		       *q = portdef_new();

	assert_true(p && q);
	assert_true(portdef_vlan_copy(&q->vlan, &p->vlan));
	assert_true(portdef_virtualport_copy(&q->virtualport, &p->virtualport));
	assert_true(portdef_virtualport_given(&q->virtualport));
	portdef_free(p);
	assert_int_equal(q->vlan.tag_cnt, 2);
	assert_int_equal(q->vlan.tags[1].id, 5);
	assert_string_equal(q->virtualport.profileid, "p");
	portdef_free(q);
	portdef_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_validate), cmocka_unit_test(test_network_has_no_port),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

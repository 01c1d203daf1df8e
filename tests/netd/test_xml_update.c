// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: tests of updates and metadata
 *
 * What an update does and says is compared with libvirt's in test_xml_oracle.c; here is what libvirt cannot
 * tell: all or nothing, and netd's own refusals.
 */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NET(b) "<network><name>n</name>" b "</network>"
#define HOSTS                                                                                        \
	NET("<ip address='10.0.0.1' prefix='24'><dhcp><host name='a' ip='10.0.0.2'/><host name='b' " \
	    "ip='10.0.0.3'/></dhcp></ip>")

static struct netdef *parse(const char *xml)
{
	struct netdef *d = NULL;

	assert_int_equal(netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, NULL), 0);
	return d;
}

static char *dump(const struct netdef *d)
{
	struct nd_buf out = { 0 };
	char *text;

	netdef_format(d, &out);
	text = strdup(nd_buf_string(&out));
	nd_buf_done(&out);
	return text;
}

static const struct {
	const char *base;
	int section, command, parent;
	const char *xml;
	int code;
	const char *message;
} refusals[] = {
	{ HOSTS, 0, NETDEF_COMMAND_MODIFY, -1, "<host/>", ND_UNSUPPORTED,
	  "can't update unrecognized section of network" },
	{ HOSTS, 77, NETDEF_COMMAND_MODIFY, -1, "<host/>", ND_UNSUPPORTED,
	  "can't update unrecognized section of network" },
	{ HOSTS, NETDEF_SECTION_DHCP_HOST, 0, -1, "<host/>", ND_UNSUPPORTED,
	  "unrecognized network update command code 0" },
	{ HOSTS, NETDEF_SECTION_DHCP_HOST, 9, -1, "<host/>", ND_UNSUPPORTED,
	  "unrecognized network update command code 9" },
	{ HOSTS, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_ADD_LAST, -1, "<host name='z' ip='10.0.0.9'>",
	  ND_PARSE, "Premature end of data in tag host line 1" },
	{ HOSTS, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_ADD_LAST, -1, "", ND_PARSE, "Document is empty" },
	{ HOSTS, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_ADD_LAST, -1,
	  "<!DOCTYPE a><host name='z' ip='10.0.0.9'/>", ND_INVALID,
	  "a document type declaration (DOCTYPE) is not accepted" },
	{ HOSTS, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_MODIFY, -1, "<host name='a' ip='10.0.0.3'/>",
	  ND_INVALID, "there is more than one host with ip '10.0.0.3' in network 'n'" },
	{ HOSTS, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_ADD_LAST, -1, "<host name='z' ip='10.0.0.1'/>",
	  ND_INVALID, "host ip '10.0.0.1' in network 'n' is the bridge's own address" },
	{ HOSTS, NETDEF_SECTION_FORWARD_INTERFACE, NETDEF_COMMAND_ADD_LAST, -1, "<interface dev='e'/>",
	  ND_INVALID, "forward dev not allowed for network 'n' with forward mode='none'" },
};

static void test_refusals_change_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct netdef *d = parse(refusals[i].base);
		nd_autofree char *before = dump(d), *after = NULL;
		struct nd_error e = ND_ERROR_INIT;
		int err = netdef_update(d, (enum netdef_section)refusals[i].section,
					(enum netdef_command)refusals[i].command, refusals[i].parent,
					refusals[i].xml, &e);

		assert_int_equal(err, refusals[i].code);
		assert_string_equal(nd_error_text(&e), refusals[i].message);
		after = dump(d);
		assert_string_equal(before, after);
		assert_int_equal(netdef_update(d, (enum netdef_section)refusals[i].section,
					       (enum netdef_command)refusals[i].command, refusals[i].parent,
					       refusals[i].xml, NULL),
				 err);
		netdef_free(d);
	}
}

/* Records that take another's place or leave: no memory lost, no flag left behind. */
static void test_sequence(void **state)
{
	struct netdef *d = parse(NET("<ip address='10.0.0.1' prefix='24'/>"));
	char xml[100];

	for (unsigned i = 2; i < 40; i++) {
		snprintf(xml, sizeof xml, "<host name='h%u' ip='10.0.0.%u'/>", i, i);
		assert_int_equal(netdef_update(d, NETDEF_SECTION_DHCP_HOST,
					       i % 2 ? NETDEF_COMMAND_ADD_FIRST : NETDEF_COMMAND_ADD_LAST, -1,
					       xml, NULL),
				 0);
	}
	assert_int_equal(d->ips[0].host_cnt, 38);
	assert_string_equal(d->ips[0].hosts[0].name, "h39");
	assert_string_equal(d->ips[0].hosts[37].name, "h38");
	assert_true(d->ips[0].dhcp);
	for (unsigned i = 2; i < 40; i++) {
		snprintf(xml, sizeof xml, "<host ip='10.0.0.%u'/>", i);
		assert_int_equal(
			netdef_update(d, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_DELETE, 0, xml, NULL), 0);
	}
	assert_int_equal(d->ips[0].host_cnt, 0);
	assert_false(d->ips[0].dhcp);
	assert_int_equal(netdef_update(d, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_DELETE, 0, xml, NULL),
			 ND_STATE);
	netdef_free(d);
}

static void test_texts(void **state)
{
	static const struct {
		enum netdef_metadata type;
		const char *good, *bad, *why;
	} texts[] = {
		{ NETDEF_METADATA_TITLE, "A <title>", "two\nlines", "metadata title can't contain newlines" },
		{ NETDEF_METADATA_DESCRIPTION, "two\nlines & a\ttab", "\a",
		  "text holds a control character or is not UTF-8" },
		{ NETDEF_METADATA_DESCRIPTION, "x", "\xff",
		  "text holds a control character or is not UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct netdef *d = parse(NET("")), *again;
		struct nd_error e = ND_ERROR_INIT;
		nd_autofree char *xml = NULL, *got = NULL;

		assert_int_equal(netdef_metadata_get(d, texts[i].type, NULL, &got, NULL), ND_NOT_FOUND);
		assert_int_equal(netdef_metadata_set(d, texts[i].type, texts[i].good, NULL, NULL, NULL), 0);
		assert_int_equal(netdef_metadata_set(d, texts[i].type, texts[i].bad, NULL, NULL, &e),
				 ND_INVALID);
		assert_string_equal(nd_error_text(&e), texts[i].why);
		xml = dump(d);
		again = parse(xml);
		assert_int_equal(netdef_metadata_get(again, texts[i].type, NULL, &got, NULL), 0);
		assert_string_equal(got, texts[i].good);
		assert_int_equal(netdef_metadata_set(again, texts[i].type, "", NULL, NULL, NULL), 0);
		assert_int_equal(netdef_metadata_set(again, texts[i].type, NULL, NULL, NULL, NULL), 0);
		free(take_ptr(got));
		assert_int_equal(netdef_metadata_get(again, texts[i].type, NULL, &got, NULL), ND_NOT_FOUND);
		netdef_free(d);
		netdef_free(again);
	}
}

static void assert_element(const struct netdef *d, const char *uri, const char *want)
{
	nd_autofree char *got = NULL;
	int err = netdef_metadata_get(d, NETDEF_METADATA_ELEMENT, uri, &got, NULL);

	assert_int_equal(err, want ? 0 : ND_NOT_FOUND);
	if (want)
		assert_string_equal(got, want);
}

static void test_elements(void **state)
{
	struct netdef *d = parse(NET("<metadata><b:x xmlns:b='urn:b'>kept</b:x></metadata>"));
	nd_autofree char *xml = NULL;

	assert_element(d, "urn:b", "<x>kept</x>");
	assert_element(d, "urn:a", NULL);
	assert_int_equal(
		netdef_metadata_set(d, NETDEF_METADATA_ELEMENT, "<v p='1'><w/></v>", "a", "urn:a", NULL), 0);
	assert_element(d, "urn:a", "<v p=\"1\">\n  <w/>\n</v>");
	xml = dump(d);
	assert_non_null(strstr(
		xml, "  <metadata>\n    <b:x xmlns:b=\"urn:b\">kept</b:x>\n"
		     "    <a:v xmlns:a=\"urn:a\" p=\"1\">\n      <a:w/>\n    </a:v>\n  </metadata>\n"));
	assert_int_equal(netdef_metadata_set(d, NETDEF_METADATA_ELEMENT, "<z/>", "a", "urn:a", NULL), 0);
	assert_element(d, "urn:a", "<z/>");
	assert_int_equal(netdef_metadata_set(d, NETDEF_METADATA_ELEMENT, NULL, NULL, "urn:b", NULL), 0);
	assert_element(d, "urn:b", NULL);
	assert_int_equal(netdef_metadata_set(d, NETDEF_METADATA_ELEMENT, NULL, NULL, "urn:b", NULL), 0);
	assert_int_equal(netdef_metadata_set(d, NETDEF_METADATA_ELEMENT, NULL, NULL, "urn:a", NULL), 0);
	assert_null(netdef_rare(d)->metadata);
	netdef_free(d);
}

static void test_bad_elements(void **state)
{
	static const struct {
		const char *value, *key, *uri;
		int code;
	} bad[] = {
		{ "<a/>", "k", NULL, ND_INVALID },      { "<a/>", NULL, "urn:a", ND_INVALID },
		{ "<a", "k", "urn:a", ND_PARSE },       { "<a/><b/>", "k", "urn:a", ND_PARSE },
		{ "text", "k", "urn:a", ND_PARSE },     { "", "k", "urn:a", ND_PARSE },
		{ "<a/>", "a b", "urn:a", ND_INVALID }, { "<a/>", "xml", "urn:a", ND_INVALID },
		{ "<a/>", "k", "", ND_INVALID },        { "</x><y>", "k", "urn:a", ND_PARSE },
		{ "<a/>", "", "urn:a", ND_INVALID },
	};
	struct netdef *d = parse(NET("<metadata><k:x xmlns:k='urn:k'>kept</k:x></metadata>"));
	nd_autofree char *before = dump(d), *after = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(netdef_metadata_set(d, NETDEF_METADATA_ELEMENT, bad[i].value, bad[i].key,
						     bad[i].uri, NULL),
				 bad[i].code);
	after = dump(d);
	assert_string_equal(before, after);
	netdef_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals_change_nothing),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_bad_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the commands that need more than one call: net-define-as, net-edit, net-apply, monitor. */
#include "base/file.h"
#include "base/mem.h"
#include "cli/edit.h"
#include "tests/cli/run-line.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NETWORK "{\"parameters\":{\"network\":{\"name\":\"lab\",\"active\":true}}}"
#define DEFINED "{\"parameters\":{\"network\":{\"name\":\"lab\"},\"warnings\":[]}}"
#define XML(s)  "{\"parameters\":{\"xml\":\"" s "\"}}"
#define REFUSED                                                                                             \
	"{\"error\":\"io.netd.Invalid\",\"parameters\":{\"message\":\"x\",\"text\":\"line 2: <mtu>: no -- " \
	"good\","                                                                                           \
	"\"frames\":[],\"also\":[]}}"

/* net-define-as */

static const struct {
	const char *line, *xml;
} define_as[] = {
	{ "net-define-as lab --print-xml",
	  "<network xmlns:netd='urn:netd:network:1'>\n"
	  "  <name>lab</name>\n"
	  "  <forward mode='nat'/>\n"
	  "  <ip address='192.168.122.1' netmask='255.255.255.0' netd:subnet='auto'>\n"
	  "    <dhcp>\n"
	  "      <range start='192.168.122.2' end='192.168.122.254'/>\n"
	  "    </dhcp>\n"
	  "  </ip>\n"
	  "</network>\n\n" },
	{ "net-define-as 'a&b' --mode isolated --subnet 10.1.0.0/16 --dhcp none --bridge br9 --domain d.test "
	  "--mtu 9000 --autostart boot --print-xml",
	  "<network xmlns:netd='urn:netd:network:1'>\n"
	  "  <name>a&amp;b</name>\n"
	  "  <bridge name='br9'/>\n"
	  "  <mtu size='9000'/>\n"
	  "  <domain name='d.test'/>\n"
	  "  <ip address='10.1.0.1' netmask='255.255.0.0'/>\n"
	  "  <netd:autostart mode='boot'/>\n"
	  "</network>\n\n" },
	{ "net-define-as lab --subnet 10.1.0.254/24 --print-xml",
	  "<network>\n"
	  "  <name>lab</name>\n"
	  "  <forward mode='nat'/>\n"
	  "  <ip address='10.1.0.254' netmask='255.255.255.0'>\n"
	  "    <dhcp>\n"
	  "      <range start='10.1.0.1' end='10.1.0.253'/>\n"
	  "    </dhcp>\n"
	  "  </ip>\n"
	  "</network>\n\n" },
	{ "net-define-as lab --mode route --subnet fd00:1::1/64 --print-xml",
	  "<network>\n"
	  "  <name>lab</name>\n"
	  "  <forward mode='route'/>\n"
	  "  <ip family='ipv6' address='fd00:1::1' prefix='64'/>\n"
	  "</network>\n\n" },
	{ "net-define-as lab --subnet 10.1.0.1/24 --dhcp 10.1.0.50-10.1.0.60 --print-xml",
	  "<network>\n"
	  "  <name>lab</name>\n"
	  "  <forward mode='nat'/>\n"
	  "  <ip address='10.1.0.1' netmask='255.255.255.0'>\n"
	  "    <dhcp>\n"
	  "      <range start='10.1.0.50' end='10.1.0.60'/>\n"
	  "    </dhcp>\n"
	  "  </ip>\n"
	  "</network>\n\n" },
	{ "net-define-as lab --mode bridge --bridge br0 --print-xml", "<network>\n"
								      "  <name>lab</name>\n"
								      "  <forward mode='bridge'/>\n"
								      "  <bridge name='br0'/>\n"
								      "</network>\n\n" },
};

static void test_define_as(void **state)
{
	static const struct stub_row row = { DEFINED };
	struct run r;

	for (size_t i = 0; i < ARRAY_LEN(define_as); i++) {
		r = run_line(define_as[i].line, NULL, 0, false);
		assert_string_equal(r.err, "");
		assert_string_equal(r.out, define_as[i].xml);
		run_done(&r);
	}
	r = run_line("net-define-as lab --mode bridge --bridge br0", &row, 1, false);
	assert_string_equal(r.out, "Network lab defined\n\n");
	assert_non_null(strstr(r.calls, "io.netd.DefineNetwork"));
	assert_non_null(strstr(r.calls, "<bridge name='br0'/>"));
	run_done(&r);
}

/* net-update, net-desc, net-metadata */

#define VALUE(s) "{\"parameters\":{\"value\":\"" s "\"}}"
#define MISSING                                                                                            \
	"{\"error\":\"io.netd.NotFound\",\"parameters\":{\"message\":\"x\",\"text\":\"Requested metadata " \
	"element is not "                                                                                  \
	"present\",\"frames\":[],\"also\":[]}}"

static const struct {
	const char *line, *reply, *call, *out, *err;
	int status;
} changes[] = {
	{ "net-update lab add ip-dhcp-host \"<host mac='52:54:00:00:00:01' ip='10.7.0.5'/>\" --live --config",
	  NETWORK,
	  "UpdateNetwork\",\"parameters\":{\"name\":\"lab\",\"command\":\"add\",\"section\":\"ip-dhcp-host\","
	  "\"xml\":"
	  "\"<host mac='52:54:00:00:00:01' ip='10.7.0.5'/>\",\"live\":true,\"config\":true}",
	  "Updated network lab persistent config and live state\n", "", 0 },
	{ "net-update --network lab --command delete --section dns-txt --xml <txt/> --parent-index 2 "
	  "--config",
	  NETWORK, "\"parentIndex\":2,\"config\":true}", "Updated network lab persistent config\n", "", 0 },
	{ "net-update lab modify portgroup <portgroup/>", NETWORK, "UpdateNetwork",
	  "Updated network lab live state\n", "", 0 },
	{ "net-update lab foo bar x", NULL, NULL, "", "error: unrecognized command name 'foo'\n", 2 },
	{ "net-update lab add bar x", NULL, NULL, "", "error: unrecognized section name 'bar'\n", 2 },
	{ "net-update lab add ip /no/such", NULL, NULL, "",
	  "error: Failed to update network lab: Failed to open file '/no/such': No such file or directory\n",
	  4 },
	{ "net-update lab add ip <ip/> --live --current", NULL, NULL, "",
	  "error: Options --current and --live are mutually exclusive\n", 2 },
	{ "net-update lab add ip <ip/>", REFUSED, "UpdateNetwork", "",
	  "error: Failed to update network lab: line 2: <mtu>: no -- good\n", 3 },
	{ "net-desc lab", VALUE("What it is\\nfor"),
	  "GetMetadata\",\"parameters\":{\"name\":\"lab\",\"type\":\"description\"}", "What it is\nfor\n", "",
	  0 },
	{ "net-desc lab --title --config", MISSING, "\"type\":\"title\",\"config\":true}",
	  "No title for network: lab\n", "", 0 },
	{ "net-desc lab", MISSING, "GetMetadata", "No description for network: lab\n", "", 0 },
	{ "net-desc lab The new one", NETWORK,
	  "SetMetadata\",\"parameters\":{\"name\":\"lab\",\"type\":\"description\",\"value\":\"The new "
	  "one\"}",
	  "Network description updated successfully\n", "", 0 },
	{ "net-desc lab --title --new-desc ''", NETWORK,
	  "SetMetadata\",\"parameters\":{\"name\":\"lab\",\"type\":\"title\"}}",
	  "Network title updated successfully\n", "", 0 },
	{ "net-desc lab --title a", REFUSED, "SetMetadata", "",
	  "error: Failed to set new network title: line 2: <mtu>: no -- good\n", 3 },
	{ "net-metadata lab urn:x", VALUE("<a/>"),
	  "GetMetadata\",\"parameters\":{\"name\":\"lab\",\"type\":\"element\",\"uri\":\"urn:x\"}",
	  "<a/>\n\n", "", 0 },
	{ "net-metadata lab urn:x", MISSING, "GetMetadata", "",
	  "error: Requested metadata element is not present\n", 4 },
	{ "net-metadata lab urn:x --key k --set <a/> --live", NETWORK,
	  "\"type\":\"element\",\"uri\":\"urn:x\",\"live\":true,\"value\":\"<a/>\",\"key\":\"k\"}",
	  "Metadata modified\n\n", "", 0 },
	{ "net-metadata lab urn:x --remove", NETWORK, "\"type\":\"element\",\"uri\":\"urn:x\"}",
	  "Metadata removed\n\n", "", 0 },
	{ "net-metadata lab urn:x --set <a/>", NULL, NULL, "",
	  "error: namespace key is required when modifying metadata\n", 2 },
	{ "net-metadata lab urn:x --edit --remove", NULL, NULL, "",
	  "error: Options --set, --remove and --edit are mutually exclusive\n", 2 },
};

#define PORT                                                                                    \
	"{\"parameters\":{\"port\":{\"uuid\":\"u1\",\"network\":\"lab\",\"networkUuid\":\"U\"," \
	"\"interface\":\"vnet0\"}}}"

static void test_ports(void **state)
{
	static const struct stub_row list = {
		"{\"parameters\":{\"ports\":[{\"uuid\":\"u1\"},{\"uuid\":\"u2\"}]}}"
	};
	static const struct stub_row end[] = { { PORT }, { "{}" } };
	struct run r = run_line("net-port-list lab", &list, 1, false);

	assert_string_equal(r.out, " UUID\n-------\n u1\n u2\n\n");
	run_done(&r);
	r = run_line("net-port-list lab --uuid", &list, 1, false);
	assert_string_equal(r.out, "u1\nu2\n\n");
	run_done(&r);
	r = run_line("net-port-delete lab u1", end, 2, false);
	assert_string_equal(r.out, "Network port u1 deleted\n\n");
	assert_non_null(strstr(r.calls, "io.netd.Detach\",\"parameters\":{\"port\":\"u1\"}"));
	run_done(&r);
	r = run_line("net-port-delete other u1", end, 1, false);
	assert_string_equal(r.err,
			    "error: failed to get network port 'u1': network 'other' has no such port\n");
	assert_int_equal(r.status, nd_code_exit_status(ND_NOT_FOUND));
	run_done(&r);
}

static void test_port_documents(void **state)
{
	static const struct stub_row made = {
		"{\"parameters\":{\"port\":{\"uuid\":\"u1\"},\"warnings\":[{\"line\":1,\"element\":\"foo\","
		"\"text\":\"unknown element, not kept\"}]}}"
	};
	static const struct stub_row refused = {
		"{\"error\":\"io.netd.Invalid\",\"parameters\":{\"text\":\"network port has no uuid\"}}"
	};
	static const struct stub_row dump[] = { { PORT },
						{ "{\"parameters\":{\"xml\":\"<networkport/>\\n\"}}" } };
	char file[] = "/tmp/nd-port-XXXXXX", line[100], want[300];
	int fd = mkstemp(file);
	struct run r;

	assert_true(fd >= 0 && write(fd, "<x/>", 4) == 4);
	close(fd);
	snprintf(line, sizeof(line), "net-port-create lab %s", file);
	r = run_line(line, &made, 1, false);
	snprintf(want, sizeof(want), "Network port u1 created from %s\n\n", file);
	assert_string_equal(r.out, want);
	snprintf(want, sizeof(want), "warning: %s: line 1: <foo>: unknown element, not kept\n", file);
	assert_string_equal(r.err, want);
	assert_non_null(strstr(r.calls, "{\"network\":\"lab\",\"xml\":\"<x/>\",\"validate\":false}"));
	run_done(&r);
	snprintf(line, sizeof(line), "net-port-create lab %s --validate", file);
	r = run_line(line, &refused, 1, false);
	snprintf(want, sizeof(want),
		 "error: Failed to create network port from %s: network port has no uuid\n", file);
	assert_string_equal(r.err, want);
	assert_non_null(strstr(r.calls, "\"validate\":true"));
	run_done(&r);
	unlink(file);
	r = run_line("net-port-dumpxml lab u1", dump, 2, false);
	assert_string_equal(r.out, "<networkport/>\n\n");
	run_done(&r);
}

static void test_changes(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct stub_row row = { changes[i].reply };
		struct run r = run_line(changes[i].line, &row, changes[i].reply ? 1 : 0, false);

		assert_string_equal(r.err, changes[i].err);
		assert_string_equal(r.out, changes[i].out);
		assert_int_equal(r.status, changes[i].status);
		if (changes[i].call && !strstr(r.calls, changes[i].call))
			fail_msg("%s: %s", changes[i].line, r.calls);
		run_done(&r);
	}
}

static void test_edited_texts(void **state)
{
	static const struct stub_row set[] = { { VALUE("old") }, { NETWORK } };
	static const struct stub_row add[] = { { MISSING }, { NETWORK } };
	struct run r;

	unsetenv("VISUAL");
	setenv("EDITOR", "true", 1);
	r = run_line("net-desc lab --edit", set, 1, false);
	assert_string_equal(r.out, "Network description not changed\n");
	run_done(&r);
	setenv("EDITOR", "sh -c 'echo new >\"$1\"' sh", 1);
	r = run_line("net-desc lab --edit --title", set, 2, false);
	assert_string_equal(r.out, "Network title updated successfully\n");
	assert_non_null(strstr(r.calls, "\"value\":\"new\""));
	run_done(&r);
	r = run_line("net-metadata lab urn:x --edit --key k", add, 2, true);
	assert_string_equal(r.out, "{\n  \"changed\": true\n}\n");
	assert_non_null(strstr(r.calls, "\"value\":\"new\",\"key\":\"k\""));
	run_done(&r);
}

/* net-edit, with an editor that is a script */

static void test_edit(void **state)
{
	static const struct stub_row same[] = { { NETWORK }, { XML("<a/>\\n") } };
	static const struct stub_row changed[] = {
		{ NETWORK }, { XML("<a/>\\n") }, { XML("<a/>\\n") }, { DEFINED }
	};
	static const struct stub_row raced[] = { { NETWORK }, { XML("<a/>\\n") }, { XML("<c/>\\n") } };
	static const struct stub_row refused[] = {
		{ NETWORK }, { XML("<a/>\\n") }, { XML("<a/>\\n") }, { REFUSED }
	};
	struct run r;

	unsetenv("VISUAL");
	setenv("EDITOR", "true", 1);
	r = run_line("net-edit lab", same, 2, false);
	assert_string_equal(r.out, "Network lab XML configuration not changed.\n\n");
	run_done(&r);
	setenv("EDITOR", "false", 1);
	r = run_line("net-edit lab", same, 2, false);
	assert_string_equal(r.err, "error: the editor 'false' ended with status 1\n");
	assert_int_equal(r.status, nd_code_exit_status(ND_STATE));
	run_done(&r);
	setenv("VISUAL", "sed -i s/a/b/", 1);
	r = run_line("net-edit lab", changed, 4, false);
	assert_string_equal(r.err, "");
	assert_string_equal(r.out, "Network lab XML configuration edited.\n\n");
	assert_non_null(strstr(r.calls, "\"xml\":\"<b/>\\n\""));
	run_done(&r);
	r = run_line("net-edit lab", changed, 4, true);
	assert_non_null(strstr(r.out, "\"changed\": true"));
	run_done(&r);
	r = run_line("net-edit lab", raced, 3, false);
	assert_string_equal(r.err, "error: the XML configuration was changed by another user\n");
	run_done(&r);
	/* nobody can be asked whether to try again */
	r = run_line("net-edit lab", refused, 4, false);
	assert_string_equal(r.err, "error: line 2: <mtu>: no -- good\n");
	assert_int_equal(r.status, nd_code_exit_status(ND_INVALID));
	run_done(&r);
}

static void test_notes(void **state)
{
	static const char xml[] = "<network>\n  <mtu/>\n</network>\n";
	struct nd_error e = ND_ERROR_INIT;
	nd_autofree char *noted = NULL, *plain = NULL, *first = NULL;

	nd_fail(&e, ND_INVALID, "line 2: <mtu>: no -- good");
	noted = edit_with_note(xml, &e);
	assert_string_equal(noted,
			    "<network>\n<!-- netdctl: line 2: <mtu>: no  - good -->\n  <mtu/>\n</network>\n");
	plain = edit_without_note(noted);
	assert_string_equal(plain, xml);
	nd_error_reset(&e);
	nd_fail(&e, ND_EXISTS, "taken");
	first = edit_with_note(xml, &e);
	assert_string_equal(first, "<!-- netdctl: taken -->\n<network>\n  <mtu/>\n</network>\n");
}

/* net-apply */

#define PLAN(new, live, start, fields, guests)                                                              \
	"{\"parameters\":{\"plan\":{\"name\":\"lab\",\"new\":" new ",\"active\":true,\"config\":\"none\","  \
								   "\"live\":\"" live "\",\"start\":" start \
								   ",\"fields\":[" fields                   \
								   "],\"guests\":[" guests "]}}}"

struct folder {
	char dir[32], a[48], b[48];
};

static int folder_setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/netd-apply-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->a, sizeof(f->a), "%s/a.xml", f->dir);
	snprintf(f->b, sizeof(f->b), "%s/b.xml", f->dir);
	nd_file_write(f->a, "<a/>", 4, 0600, false, NULL);
	nd_file_write(f->b, "<b/>", 4, 0600, false, NULL);
	*state = f;
	return 0;
}

static int folder_teardown(void **state)
{
	struct folder *f = *state;

	unlink(f->a);
	unlink(f->b);
	rmdir(f->dir);
	free(f);
	return 0;
}

static const char none_plan[] = PLAN("false", "none", "false", "", "");
static const char live_plan[] = PLAN("false", "live", "false", "\"ip/dhcp/host\"", "");
static const char restart_plan[] =
	PLAN("false", "restart", "false", "\"mtu@size\",\"ip\"", "\"vm1\",\"vnet3\"");
static const char new_plan[] = PLAN("true", "none", "true", "", "");

static void test_apply(void **state)
{
	struct folder *f = *state;
	const struct stub_row live[] = { { live_plan }, { new_plan }, { NETWORK }, { NETWORK }, { NETWORK } };
	const struct stub_row restart[] = { { none_plan }, { restart_plan }, { NETWORK }, { NETWORK } };
	nd_autofree char *line = NULL, *expected = NULL, *forced = NULL;
	struct run r;

	assert_true(asprintf(&line, "net-apply %s", f->dir) > 0);
	r = run_line(line, live, 5, false);
	assert_true(asprintf(&expected,
			     " Network   Change          Fields         Guests cut off   File\n"
			     "-------------------------------------------------------------------------------"
			     "----------\n"
			     " lab       change live     ip/dhcp/host   -                %s\n"
			     " lab       define, start   -              -                %s\n"
			     "\n"
			     "Network lab applied from %s\n"
			     "Network lab applied from %s\n\n",
			     f->a, f->b, f->a, f->b) > 0);
	assert_string_equal(r.err, "");
	assert_string_equal(r.out, expected);
	assert_non_null(strstr(r.calls, "io.netd.StartNetwork"));
	run_done(&r);
	/* what needs a restart is refused before anything is done */
	r = run_line(line, restart, 2, false);
	assert_int_equal(r.status, nd_code_exit_status(ND_STATE));
	assert_non_null(
		strstr(r.err, "b.xml: network 'lab' can change so only by a restart; nothing was changed"));
	assert_non_null(strstr(r.out, "restart   mtu@size, ip   vm1, vnet3       "));
	assert_null(strstr(r.calls, "ApplyNetwork"));
	run_done(&r);
	assert_true(asprintf(&forced, "net-apply --restart %s %s", f->a, f->b) > 0);
	r = run_line(forced, restart, 4, false);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.calls, "{\"xml\":\"<b/>\",\"restart\":true}"));
	run_done(&r);
}

static void test_apply_dry_run(void **state)
{
	struct folder *f = *state;
	const struct stub_row plans[] = { { live_plan }, { restart_plan } };
	const struct stub_row refused[] = { { live_plan }, { REFUSED } };
	nd_autofree char *line = NULL;
	struct run r;

	assert_true(asprintf(&line, "net-apply --dry-run %s", f->dir) > 0);
	r = run_line(line, plans, 2, false);
	assert_int_equal(r.status, 0);
	assert_null(strstr(r.out, "applied"));
	run_done(&r);
	/* one bad document, and not even a plan is printed */
	r = run_line(line, refused, 2, false);
	assert_int_equal(r.status, nd_code_exit_status(ND_INVALID));
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "b.xml: line 2"));
	run_done(&r);
}

/* monitor */

#define EVENT(n, text)                                                  \
	"{\"parameters\":{\"event\":{\"sequence\":" n                   \
	",\"time\":1795236365123456,\"kind\":\"repaired\",\"network\":" \
	"\"lab\",\"text\":\"" text "\"}},\"continues\":true}\0"
static const char first_life[] =
	"{\"parameters\":{\"epoch\":7,\"last\":4,\"lost\":2},\"continues\":true}\0" EVENT("3", "a")
		EVENT("4", "b");

static void test_monitor(void **state)
{
	const struct stub_row row = { first_life, 0, sizeof(first_life) - 1 };
	struct run r = run_line("monitor --since 1 --count 2", &row, 1, false);

	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "2 events are lost: netd does not keep them any more\n"
				   "3 2026-11-21 04:46:05.123+0000 repaired network lab: a\n"
				   "4 2026-11-21 04:46:05.123+0000 repaired network lab: b\n");
	assert_string_equal(r.calls,
			    "{\"method\":\"io.netd.Monitor\",\"parameters\":{\"after\":1},\"more\":true}\n");
	run_done(&r);
	r = run_line("monitor --since=1 --count 1", &row, 1, true);
	assert_non_null(strstr(r.out, "{\"epoch\":7,\"last\":4,\"lost\":2}\n{\"event\":{\"sequence\":3,"));
	run_done(&r);
	/* who was never there is not waited for */
	r = run_line("monitor", NULL, 0, false);
	assert_int_equal(r.status, nd_code_exit_status(ND_SYSTEM));
	run_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_define_as),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_port_documents),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_edited_texts),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_notes),
		cmocka_unit_test_setup_teardown(test_apply, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_apply_dry_run, folder_setup, folder_teardown),
		cmocka_unit_test(test_monitor),
	};

	setenv("NETD_SOCKET", "/nonexistent/sock", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

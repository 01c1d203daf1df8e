// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: tests of libvirt-publish, with a virsh that is a script
 *
 * It keeps networks as files and answers the few commands that netdctl uses as virsh does. --watch and a real
 * libvirtd are in tests/e2e.
 */
#include "base/addr.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/cli/run-line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define UUID "41a96616-58b0-4567-8e54-309e6dc85c19"
#define NETWORK(active, bridge)                                                                   \
	"{\"parameters\":{\"network\":{\"name\":\"lab\",\"uuid\":\"" UUID "\",\"active\":" active \
	",\"bridge\":\"" bridge "\"}}}"
#define MISSING                                                                                            \
	"{\"error\":\"io.netd.NotFound\",\"parameters\":{\"message\":\"x\",\"text\":\"Network not found: " \
	"no "                                                                                              \
	"network with matching name 'lab'\",\"frames\":[],\"also\":[]}}"
#define LAB                                                                               \
	"<network>\n"                                                                     \
	"  <name>lab</name>\n"                                                            \
	"  <uuid>%s</uuid>\n"                                                             \
	"  <metadata>\n"                                                                  \
	"    <netd:published xmlns:netd='urn:netd:libvirt-publish:1' uuid='" UUID "'/>\n" \
	"  </metadata>\n"                                                                 \
	"  <forward mode='bridge'/>\n"                                                    \
	"  <bridge name='%s'/>\n"                                                         \
	"</network>\n"

static const char script[] =
	"#!/bin/sh\n"
	"cd \"$(dirname \"$0\")\" || exit 9\n"
	"[ \"$1 $2 $3\" = '--quiet --connect test:///x' ] || { echo \"error: bad head $*\" >&2; exit 1; }\n"
	"shift 3\n"
	"echo \"$*\" >>calls\n"
	"if [ -e fail ]; then printf 'error: failed to connect\\nerror: no %s here\\n' \"$1\" >&2; exit 1; "
	"fi\n"
	"n=${2#--network=}\n"
	"case $1 in\n"
	"net-list) for f in *.xml; do f=${f%.xml}; case \"$*\" in\n"
	"  *--autostart*) [ -e $f.autostart ] && echo \"$f\" ;;\n"
	"  *--all*) [ -e $f.xml ] && echo \"$f\" ;;\n"
	"  *) [ -e $f.active ] && echo \"$f\" ;;\n"
	"  esac; done; echo ;;\n"
	"net-define) cat \"$2\" >lab.xml; echo 'Network lab defined from /dev/stdin' ;;\n"
	"net-dumpxml) cat \"$n.xml\" ;;\n"
	"net-start) touch \"$n.active\" ;;\n"
	"net-autostart) touch \"$n.autostart\" ;;\n"
	"net-destroy) rm \"$n.active\" ;;\n"
	"net-undefine) rm -f \"$n.xml\" \"$n.autostart\" ;;\n"
	"*) exit 3 ;;\n"
	"esac\n"
	"exit 0\n";

static char dir[] = "/tmp/netd-virsh-XXXXXX";

static char *path_of(const char *name)
{
	static char path[100];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(nd_file_write(path_of(name), text, strlen(text), 0755, false, NULL), 0);
}

static bool has(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

/* Heap; "" where there is no such file. */
static char *content(const char *name)
{
	char *text = NULL;

	return nd_file_read(path_of(name), 65536, &text, NULL, NULL) == 0 ? text : strdup("");
}

/* What virsh was told to change, a line each; the questions left out. */
static void assert_changes(const char *want)
{
	nd_autofree char *calls = content("calls");
	struct nd_buf changes = { 0 };

	for (char *line = strtok(calls, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, "net-list", 8) != 0 && strncmp(line, "net-dumpxml", 11) != 0)
			nd_buf_printf(&changes, "%s\n", line);
	assert_string_equal(nd_buf_string(&changes), want);
	nd_buf_done(&changes);
	unlink(path_of("calls"));
}

/* reply NULL: netd is not asked. */
static void assert_run(const char *line, const char *reply, int status, const char *out, const char *err)
{
	struct stub_row row = { reply };
	struct run r = run_line(line, &row, reply ? 1 : 0, false);

	assert_string_equal(r.err, err);
	assert_string_equal(r.out, out);
	assert_int_equal(r.status, status);
	run_done(&r);
}

#define PUBLISH "libvirt-publish lab --connect test:///x"

static void assert_defined(const char *bridge)
{
	struct nd_uuid netd, own;
	char uuid[ND_UUID_STRLEN], want[1000];
	nd_autofree char *xml = content("lab.xml");

	assert_int_equal(nd_uuid_from_string(UUID, &netd), 0);
	nd_uuid_from_name(&netd, "urn:netd:libvirt-publish:1", strlen("urn:netd:libvirt-publish:1"), &own);
	snprintf(want, sizeof want, LAB, nd_uuid_to_string(&own, uuid), bridge);
	assert_string_equal(xml, want);
}

static void test_publish(void **state)
{
	assert_run(PUBLISH, NETWORK("true", "virbr0"), 0, "Network lab published to test:///x\n\n", "");
	assert_changes("net-define /dev/stdin\nnet-start --network=lab\nnet-autostart --network=lab\n");
	assert_defined("virbr0");
	assert_true(has("lab.active") && has("lab.autostart"));
	assert_run(PUBLISH, NETWORK("true", "virbr0"), 0,
		   "Network lab was published to test:///x already\n\n", "");
	assert_changes("");
	/* What somebody changed there. */
	unlink(path_of("lab.active"));
	assert_run(PUBLISH, NETWORK("true", "virbr0"), 0, "Network lab published to test:///x\n\n", "");
	assert_changes("net-start --network=lab\n");
	/* Another bridge. */
	assert_run(PUBLISH, NETWORK("true", "virbr7"), 0, "Network lab published to test:///x\n\n", "");
	assert_changes("net-destroy --network=lab\nnet-undefine --network=lab\nnet-define /dev/stdin\n"
		       "net-start --network=lab\nnet-autostart --network=lab\n");
	assert_defined("virbr7");
	assert_run(PUBLISH " --remove", NULL, 0, "Network lab removed from test:///x\n\n", "");
	assert_changes("net-destroy --network=lab\nnet-undefine --network=lab\n");
	assert_false(has("lab.xml"));
	assert_run(PUBLISH " --remove", NULL, 0, "Network lab was removed from test:///x already\n\n", "");
	assert_changes("");
}

#define FAILED "error: Failed to publish network lab: "
#define AT     FAILED "libvirt at test:///x: "

static void test_not_ours(void **state)
{
	static const char foreign[] = "<network><name>lab</name><bridge name='virbr0'/></network>";
	static const char netds[] = "<network><name>lab</name><uuid>" UUID "</uuid></network>";
	static const char refusal[] =
		AT "a network of that name is there which netdctl did not make; it is left as it is\n";
	nd_autofree char *xml = NULL;

	put("lab.xml", foreign);
	assert_run(PUBLISH, NETWORK("true", "virbr0"), 5, "", refusal);
	assert_run(PUBLISH " --remove", NULL, 5, "", refusal);
	assert_changes("");
	xml = content("lab.xml");
	assert_string_equal(xml, foreign);
	put("lab.xml", netds);
	assert_run(PUBLISH, NETWORK("true", "virbr0"), 5, "",
		   AT "it asks netd for networks itself: nothing is to be published\n");
	unlink(path_of("lab.xml"));
	unlink(path_of("calls"));
}

static void test_refusals(void **state)
{
	nd_autofree char *path = strdup(getenv("PATH"));

	assert_run(PUBLISH, MISSING, 4, "",
		   "error: failed to get network 'lab': Network not found: no network with matching name "
		   "'lab'\n");
	assert_run(PUBLISH, NETWORK("false", "virbr%d"), 8, "", FAILED "network 'lab' is not active\n");
	assert_run(PUBLISH, NETWORK("true", ""), 10, "",
		   FAILED "network 'lab' has no bridge that guests could be plugged into\n");
	assert_run(PUBLISH " --remove --watch", NULL, CLI_STATUS_USAGE, "",
		   "error: --remove and --watch exclude each other\n");
	put("fail", "");
	assert_run(PUBLISH, NETWORK("true", "virbr0"), 8, "", AT "failed to connect: no net-list here\n");
	unlink(path_of("fail"));
	setenv("PATH", "/nonexistent", 1);
	assert_run(PUBLISH, NETWORK("true", "virbr0"), 4, "",
		   AT "virsh is not installed (package libvirt-clients): it is what talks to libvirt\n");
	setenv("PATH", path, 1);
	unlink(path_of("calls"));
}

static void test_json(void **state)
{
	struct stub_row row = { NETWORK("true", "virbr0") };
	struct run r = run_line(PUBLISH, &row, 1, true);

	assert_string_equal(r.out, "{\"network\":\"lab\",\"connect\":\"test:///x\",\"state\":\"published\","
				   "\"bridge\":\"virbr0\",\"changed\":true}\n");
	assert_int_equal(r.status, 0);
	run_done(&r);
	assert_run(PUBLISH " --remove", NULL, 0, "Network lab removed from test:///x\n\n", "");
}

static int setup(void **state)
{
	nd_autofree char *path = NULL;

	if (!mkdtemp(dir) || asprintf(&path, "%s:%s", dir, getenv("PATH")) < 0)
		return -1;
	put("virsh", script);
	return setenv("PATH", path, 1);
}

static int teardown(void **state)
{
	char command[100];

	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

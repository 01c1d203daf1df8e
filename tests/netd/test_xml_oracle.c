// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the definitions beside libvirt itself
 *
 * virsh with libvirt's test driver, which needs no daemon, reads the same documents and makes the same
 * updates. What both accept must be dumped in the same bytes; what both refuse must be refused in the same
 * words. Where netd means to differ a row says how:
 *
 *   STRICTER  netd refuses what libvirt accepts, because it would fail or mislead later
 *   WORDS     both refuse, in other words
 *
 * and everywhere: STP is off unless said, and netd's own namespace, which libvirt does not know. The test
 * driver does not know dnsmasq's either, and does not check what the network driver checks (tests of
 * netdef_check).
 *
 * One virsh does all of a table. Without virsh the test is skipped.
 */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define UUID        "<uuid>41a96616-58b0-4567-8e54-309e6dc85c19</uuid>"
#define IP(b)       "<ip address='192.168.1.1' prefix='24'>" b "</ip>"
#define IP6(b)      "<ip family='ipv6' address='fd00::1' prefix='64'>" b "</ip>"
#define DHCP(b)     IP("<dhcp>" b "</dhcp>")
#define DHCP6(b)    IP6("<dhcp>" b "</dhcp>")
#define RANGE       "<range start='192.168.1.2' end='192.168.1.3'/>"
#define NAT(b)      "<forward mode='nat'>" b "</forward>" IP("")
#define POOL(b)     "<forward mode='passthrough'>" b "</forward>"
#define HOSTDEV(b)  "<forward mode='hostdev'>" b "</forward>"
#define DNS(b)      "<dns>" b "</dns>"
#define ROUTE(a)    IP("") IP6("") "<route " a "/>"
#define PORT(a, b)  "<virtualport " a ">" b "</virtualport>"
#define GROUP(a, b) "<portgroup " a ">" b "</portgroup>"
#define GUID        "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"

enum {
	STRICTER = 1,
	WORDS = 2,
};

struct doc {
	const char *body, *attributes;
	unsigned differs;
};

static const struct doc docs[] = {
#include "tests/netd/xml-oracle-docs.h"
};

static const struct change {
	const char *base; /* body of the network */
	const char *command, *section, *xml;
	int parent;
	unsigned differs;
} changes[] = {
#include "tests/netd/xml-oracle-updates.h"
};

static char dir[] = "/tmp/netd-oracle-XXXXXX";
static struct nd_buf script, answers;

static void put_file(const char *kind, size_t i, const char *text)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s-%zu", dir, kind, i);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void document(struct nd_buf *out, const char *body, const char *attributes)
{
	nd_buf_printf(out, "<network %s><name>n</name>" UUID "%s</network>", attributes ? attributes : "",
		      body);
}

/* Each row's answer is what stands between its marker and the next. */
static void add_doc(size_t i, const struct doc *d)
{
	struct nd_buf xml = { 0 };

	document(&xml, d->body, d->attributes);
	put_file("doc", i, nd_buf_string(&xml));
	nd_buf_done(&xml);
	nd_buf_printf(&script, "echo MARK%zu.\nnet-define %s/doc-%zu\nnet-dumpxml n\nnet-undefine n\n", i,
		      dir, i);
}

static void add_change(size_t i, const struct change *c)
{
	struct nd_buf xml = { 0 };
	char parent[40] = "";

	document(&xml, c->base, NULL);
	put_file("base", i, nd_buf_string(&xml));
	put_file("change", i, c->xml);
	nd_buf_done(&xml);
	if (c->parent >= 0)
		snprintf(parent, sizeof parent, "--parent-index %d", c->parent);
	nd_buf_printf(&script,
		      "net-define %s/base-%zu\necho MARK%zu.\nnet-update n %s %s %s/change-%zu --config %s\n"
		      "net-dumpxml n\nnet-undefine n\n",
		      dir, i, i, c->command, c->section, dir, i, parent);
}

static void run_virsh(void)
{
	char command[200], part[4096];
	size_t n;
	FILE *out;

	put_file("script", 0, nd_buf_string(&script));
	snprintf(command, sizeof command, "virsh -q -c test:///default <%s/script-0 2>&1", dir);
	out = popen(command, "re");
	assert_non_null(out);
	answers.max = 16 * 1024 * 1024;
	while ((n = fread(part, 1, sizeof part, out)) > 0)
		nd_buf_append(&answers, part, n);
	pclose(out);
	assert_false(answers.bad);
}

/* Heap: the answer's part between two strings, or NULL. */
static char *between(const char *text, const char *from, const char *to)
{
	const char *start = strstr(text, from), *end = start ? strstr(start + strlen(from), to) : NULL;

	return end ? strndup(start + strlen(from), (size_t)(end - start) - strlen(from)) : NULL;
}

static char *answer(size_t i)
{
	char from[40];
	const char *at, *end;

	snprintf(from, sizeof from, "MARK%zu.\n", i);
	at = strstr(nd_buf_string(&answers), from);
	if (!at)
		fail_msg("virsh says nothing of row %zu", i);
	at += strlen(from);
	end = strstr(at, "\nMARK");
	return end ? strndup(at, (size_t)(end - at)) : strdup(at);
}

/* libvirt's message without its second line and without what the error's code puts before it. */
static char *refusal(const char *answer_text)
{
	static const char *const prefixes[] = { "XML error: ", "unsupported configuration: ",
						"internal error: ", "Requested operation is not valid: ",
						"Operation not supported: " };
	const char *first = strstr(answer_text, "error: Failed to "),
		   *text = first ? strstr(first, "\nerror: ") : NULL;

	text = text ? text + strlen("\nerror: ") : answer_text;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return strndup(text + strlen(prefixes[i]), strcspn(text + strlen(prefixes[i]), "\n"));
	return strndup(text, strcspn(text, "\n"));
}

/* libvirt's dump, with STP as netd has it. said: the document asks for it. */
static char *dump_of(const char *answer_text, bool said)
{
	char *body = between(answer_text, "<network", "</network>\n"),
	     *stp = body ? strstr(body, "stp='on'") : NULL;
	struct nd_buf out = { 0 };
	char *text;

	if (stp && !said) {
		nd_buf_append(&out, body, (size_t)(stp - body));
		nd_buf_append_string(&out, "stp='off'");
		nd_buf_append_string(&out, stp + strlen("stp='on'"));
	} else if (body) {
		nd_buf_append_string(&out, body);
	}
	text = body ? strdup(nd_buf_string(&out)) : NULL;
	nd_buf_done(&out);
	free(body);
	return text;
}

static char *own_dump(const struct netdef *d)
{
	struct nd_buf out = { 0 };
	char *text;

	netdef_format(d, &out);
	text = between(nd_buf_string(&out), "<network", "</network>\n");
	nd_buf_done(&out);
	return text;
}

static unsigned bad_cnt;

static void differ(const char *what, const char *row, const char *ours, const char *theirs)
{
	print_error("%s: %s\n  netd:    %s\n  libvirt: %s\n", what, row, ours ? ours : "-",
		    theirs ? theirs : "-");
	bad_cnt++;
}

/* d is NULL where netd refused, with e. */
static void compare(const char *row, unsigned differs, const char *theirs_text, const struct netdef *d,
		    const struct nd_error *e, bool refused_by_libvirt, bool stp)
{
	nd_autofree char *theirs = refused_by_libvirt ? refusal(theirs_text) : dump_of(theirs_text, stp);
	nd_autofree char *ours = d ? own_dump(d) : strdup(nd_error_text(e));

	if (!d && !refused_by_libvirt) {
		if (!(differs & STRICTER))
			differ("refused by netd only", row, ours, theirs);
	} else if (d && refused_by_libvirt) {
		differ("refused by libvirt only", row, ours, theirs);
	} else if (!theirs || strcmp(ours, theirs) != 0) {
		if (d || !(differs & WORDS))
			differ(d ? "dumps differ" : "words differ", row, ours, theirs);
	} else if (differs) {
		differ("no difference any more", row, ours, theirs);
	}
}

static void test_documents(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(docs); i++)
		add_doc(i, &docs[i]);
	run_virsh();
	for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
		nd_autofree char *theirs = answer(i);
		struct nd_buf xml = { 0 };
		struct nd_error e = ND_ERROR_INIT;
		struct netdef *d = NULL;

		document(&xml, docs[i].body, docs[i].attributes);
		if (netdef_parse(nd_buf_string(&xml), xml.len, NULL, NULL, NULL, &d, &e) == 0 &&
		    netdef_check(d, &e) < 0 && e.code != ND_UNSUPPORTED) {
			netdef_free(d);
			d = NULL;
		}
		compare(docs[i].body, docs[i].differs, theirs, d, &e,
			strstr(theirs, "error: Failed to define") != NULL,
			strstr(docs[i].body, "stp=") && !strstr(docs[i].body, "stp='off'"));
		nd_buf_done(&xml);
		netdef_free(d);
	}
	assert_int_equal(bad_cnt, 0);
}

static void test_updates(void **state)
{
	nd_buf_reset(&script);
	nd_buf_reset(&answers);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		add_change(i, &changes[i]);
	run_virsh();
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct change *c = &changes[i];
		nd_autofree char *theirs = answer(i);
		struct nd_buf xml = { 0 }, row = { 0 };
		struct nd_error e = ND_ERROR_INIT;
		struct netdef *d = NULL;
		int err;

		document(&xml, c->base, NULL);
		nd_buf_printf(&row, "%s %s %s in %s", c->command, c->section, c->xml, c->base);
		assert_int_equal(netdef_parse(nd_buf_string(&xml), xml.len, NULL, NULL, NULL, &d, &e), 0);
		err = netdef_update(d, (enum netdef_section)netdef_section_from_string(c->section),
				    (enum netdef_command)netdef_command_from_string(c->command), c->parent,
				    c->xml, &e);
		compare(nd_buf_string(&row), c->differs, theirs, err < 0 ? NULL : d, &e,
			strstr(theirs, "error: Failed to update") != NULL, false);
		nd_buf_done(&xml);
		nd_buf_done(&row);
		netdef_free(d);
	}
	assert_int_equal(bad_cnt, 0);
}

static int setup(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	nd_buf_done(&script);
	nd_buf_done(&answers);
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_updates),
	};

	if (system("virsh --version >/dev/null 2>&1") != 0) {
		fprintf(stderr, "virsh (libvirt-clients) is not installed\n");
		return 77;
	}
	script.max = 4 * 1024 * 1024;
	return cmocka_run_group_tests(tests, setup, teardown);
}

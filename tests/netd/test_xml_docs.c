// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: docs/libvirt-xml.md says of every element and attribute whether netd keeps it and puts it in force
 *
 * It is made here from the table of elements, and compared; with NETD_UPDATE_DOCS=1 it is written.
 */
#include "base/file.h"
#include "netd/xml/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define DOCUMENT DOCS_DIR "/libvirt-xml.md"

static const char head[] =
	"# Elements and attributes\n"
	"\n"
	"Made from netd's table of elements; `NETD_UPDATE_DOCS=1` with `tests/netd/test_xml_docs` writes "
	"it.\n"
	"\n"
	"What stands here is read, checked, kept and shown in libvirt's way; anything else in a definition "
	"is\n"
	"left out with a warning, or refused with `--validate`. *In force* says whether a network that asks "
	"for\n"
	"it starts: where it is *no*, or another value than the one named, `net-start` refuses it with the\n"
	"element's name. *Change* says what a change of a running network takes: nothing more (*live*), or "
	"a\n"
	"restart, in which its guests stay plugged in. `netd:` is netd's own namespace, which libvirt "
	"ignores.\n";

static const char *const changes[] = {
	[NETDEF_CHANGE_NONE] = "",
	[NETDEF_CHANGE_LIVE] = "live",
	[NETDEF_CHANGE_RESTART] = "restart",
	[NETDEF_CHANGE_RECREATE] = "restart",
};

/* An element that is refused as a whole takes what is in it along. */
static bool refused_above(const struct row *r)
{
	for (const struct row *up = row_parent(r); up; up = row_parent(up))
		if (up->flags & ROW_NOT_YET)
			return true;
	return false;
}

static void put_in_force(struct nd_buf *out, const struct row *r)
{
	if (r->kind == ROW_SILENT)
		nd_buf_append_string(out, "read and dropped: it has no meaning in a definition");
	else if (refused_above(r))
		nd_buf_append_string(out, "no");
	else if (!(r->flags & ROW_NOT_YET))
		nd_buf_append_string(out, "yes");
	else if (r->supported)
		nd_buf_printf(out, "supported %s", r->supported);
	else if (r->harmless)
		nd_buf_printf(out, "only `%s`", r->harmless);
	else
		nd_buf_append_string(out, "no");
}

/* In Markdown's table: "<" of a text would be taken for HTML. */
static void put_row(struct nd_buf *out, const struct row *r)
{
	struct nd_buf force = { .max = 1000 };

	put_in_force(&force, r);
	nd_buf_printf(out, "| `%s` | ", r->path);
	for (const char *p = nd_buf_string(&force); *p; p++)
		nd_buf_printf(out, *p == '<' ? "&lt;" : "%c", *p);
	nd_buf_printf(out, " | %s |\n",
		      r->kind == ROW_ATTR || r->kind == ROW_TEXT || r->kind == ROW_LIST ||
				      r->kind == ROW_VERBATIM
			      ? changes[r->change]
			      : "");
	nd_buf_done(&force);
}

static void test_document(void **state)
{
	struct nd_buf text = { .max = 256 * 1024 };
	nd_autofree char *file = NULL;

	nd_buf_append_string(&text, head);
	for (const struct row *r = rows; r < rows + row_cnt; r++) {
		if (!row_parent(r))
			nd_buf_printf(&text, "\n## <%s>\n\n| | in force | change |\n|---|---|---|\n",
				      r->path);
		else if (r->kind != ROW_REFUSED)
			put_row(&text, r);
	}
	assert_false(text.bad);
	if (getenv("NETD_UPDATE_DOCS"))
		nd_file_write(DOCUMENT, (char *)text.p, text.len, 0644, false, NULL);
	assert_int_equal(nd_file_read(DOCUMENT, 256 * 1024, &file, NULL, NULL), 0);
	if (strcmp(file, nd_buf_string(&text)) != 0)
		print_error("docs/libvirt-xml.md is not what the rows say: run this test with "
			    "NETD_UPDATE_DOCS=1\n");
	assert_string_equal(file, nd_buf_string(&text));
	nd_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_document) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: docs/json.md says for every command what --json prints
 *
 * It is made here from the command rows and the methods' rows, and compared; with NETD_UPDATE_DOCS=1 it is
 * written. What commands put together themselves is checked against their rows.
 */
#include "base/file.h"
#include "base/mem.h"
#include "tests/cli/run-line.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RECORDS_MAX 32

static const char head[] = "# netdctl --json\n\n"
			   "With `--json` a command prints one JSON object, on several lines; those marked "
			   "*lines* print one for each\n"
			   "thing that happens, on a line each. `?` marks a field that may be missing, `[]` "
			   "a list. Fields may be added\n"
			   "with new versions; none changes its name or type.\n\n"
			   "An error is one line of JSON on standard error: `error`, its name, and "
			   "`parameters`: `message`, `text`,\n"
			   "`frames`, `also`, and where there are any `errno`, `errnoName` and `kernel`. "
			   "docs/io.netd.varlink has the\n"
			   "names; netdctl(1) has the exit statuses.\n";

struct records { /* those to be explained, in the order of their first use */
	const struct api_record *list[RECORDS_MAX];
	size_t cnt;
};

static void use(struct records *r, const struct api_record *record)
{
	for (size_t i = 0; i < r->cnt; i++)
		if (r->list[i] == record)
			return;
	assert_true(r->cnt < RECORDS_MAX);
	r->list[r->cnt++] = record;
}

static void describe(struct nd_buf *out, const struct api_field *f, size_t cnt, struct records *records)
{
	static const char *const types[] = {
		[API_BOOL] = "bool", [API_INT] = "int", [API_STRING] = "string"
	};

	if (cnt == 0)
		nd_buf_append_string(out, "- nothing: `{}`\n");
	for (size_t i = 0; i < cnt; i++) {
		nd_buf_printf(out, "- `%s`: %s%s%s%s%s\n", f[i].name, f[i].flags & API_OPTIONAL ? "?" : "",
			      f[i].flags & API_ARRAY ? "[]" : "",
			      f[i].type == API_RECORD ? f[i].record->name : types[f[i].type],
			      f[i].text ? ", " : "", f[i].text ? f[i].text : "");
		if (f[i].type == API_RECORD)
			use(records, f[i].record);
	}
}

static void describe_command(struct nd_buf *out, const struct cli_command *cmd, struct records *records)
{
	const struct api_signature *m = cmd->method ? api_signature_find(&api_netd, cmd->method) : NULL;

	nd_buf_printf(out, "\n## %s\n\n", cmd->name);
	if (cmd->run_raw) {
		nd_buf_append_string(out, "Nothing: what it becomes prints what it likes.\n");
		return;
	}
	assert_true((m != NULL) != (cmd->record != NULL));
	nd_buf_printf(out, "%s%s%s%s\n\n", m ? "The reply of " : "An object of", m ? cmd->method : "",
		      cmd->lines ? ", *lines*" : "", ":");
	if (m)
		describe(out, m->out, m->out_cnt, records);
	else
		describe(out, cmd->record->fields, cmd->record->field_cnt, records);
}

static void test_document(void **state)
{
	struct nd_buf text = { .max = 1024 * 1024 };
	struct records records = { .cnt = 0 };
	nd_autofree char *file = NULL;

	nd_buf_append_string(&text, head);
	for (size_t i = 0; i < cli_command_cnt; i++)
		describe_command(&text, &cli_commands[i], &records);
	nd_buf_append_string(&text, "\n# Types\n");
	for (size_t i = 0; i < records.cnt; i++) { /* grows meanwhile */
		nd_buf_printf(&text, "\n## %s\n\n%s%s", records.list[i]->name, records.list[i]->text,
			      *records.list[i]->text ? "\n\n" : "");
		describe(&text, records.list[i]->fields, records.list[i]->field_cnt, &records);
	}
	assert_false(text.bad);
	if (getenv("NETD_UPDATE_DOCS"))
		nd_file_write(DOCS_DIR "/json.md", text.p, text.len, 0644, false, NULL);
	assert_int_equal(nd_file_read(DOCS_DIR "/json.md", 1024 * 1024, &file, NULL, NULL), 0);
	if (strcmp(file, nd_buf_string(&text)) != 0)
		print_error("docs/json.md is not what the rows say: run this test with NETD_UPDATE_DOCS=1\n");
	assert_string_equal(file, nd_buf_string(&text));
	nd_buf_done(&text);
}

#define PLAN(live)                                                                             \
	"{\"name\":\"lab\",\"new\":false,\"active\":true,\"config\":\"none\",\"live\":\"" live \
	"\",\"start\":false,"                                                                  \
	"\"fields\":[\"mtu@size\"],\"guests\":[\"vm1\"]}"

static const struct {
	const char *line, *reply;
} own[] = {
	/* what is no method's reply */
	{ "help", NULL },
	{ "help --json net-list", NULL },
	{ "completion bash", NULL },
	{ "completion zsh", NULL },
	{ "quit", NULL },
	{ "net-desc lab", "{\"parameters\":{\"value\":\"x\"}}" },
	{ "net-desc lab x", "{\"parameters\":{\"network\":{\"name\":\"lab\"}}}" },
	{ "net-apply --dry-run /dev/null", "{\"parameters\":{\"plan\":" PLAN("live") "}}" },
	{ "net-event --event repaired", "{\"parameters\":{\"event\":{\"sequence\":1,\"time\":1,\"kind\":"
					"\"repaired\"}},\"continues\":true}" },
};

static void test_own(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		struct stub_row row = { own[i].reply };
		struct run r = run_line(own[i].line, &row, own[i].reply ? 1 : 0, true);
		nd_autofree char *name = strndup(own[i].line, strcspn(own[i].line, " "));
		const struct api_record *record = cli_command_find(name)->record;
		const char *bad = NULL;
		json_t *o = json_loads(r.out, 0, NULL);

		assert_string_equal(r.err, "");
		assert_int_equal(r.status, 0);
		assert_non_null(o);
		if (!api_fields_check(record->fields, record->field_cnt, o, &bad))
			fail_msg("%s: %s", own[i].line, bad);
		json_decref(o);
		run_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: rows well-formed, parameters checked, errors the same after a journey as JSON. */
#include "base/file.h"
#include "base/mem.h"
#include "netd/api/api-proto.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Varlink: names of types and methods begin with a capital, fields with a letter; letters and digits only. */
static void assert_name(const char *name, bool capital)
{
	assert_true(capital ? isupper((unsigned char)name[0]) : islower((unsigned char)name[0]));
	for (; *name; name++)
		assert_true(isalnum((unsigned char)*name));
}

static void assert_fields(const struct api_field *f, size_t cnt)
{
	assert_true((f == NULL) == (cnt == 0));
	for (size_t i = 0; i < cnt; i++) {
		assert_name(f[i].name, false);
		assert_true(f[i].type < API_TYPE_CNT_);
		assert_int_equal(f[i].type == API_RECORD, f[i].record != NULL);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(f[i].name, f[j].name);
		if (f[i].record)
			assert_fields(f[i].record->fields, f[i].record->field_cnt);
	}
}

static void assert_interface(const struct api_interface *itf)
{
	for (size_t i = 0; i < itf->method_cnt; i++) {
		const struct api_signature *m = &itf->methods[i];

		assert_name(m->name, true);
		assert_true(strlen(m->text) > 0);
		assert_ptr_equal(api_signature_find(itf, m->name), m);
		assert_fields(m->in, m->in_cnt);
		assert_fields(m->out, m->out_cnt);
		assert_true(m->access >= API_ACCESS_OBSERVER && m->access <= API_ACCESS_ADMIN);
		/* descriptors never ride on a stream */
		assert_false(m->fds && m->more);
		assert_int_equal(m->errors >> ND_CODE_CNT, 0);
	}
	for (size_t i = 0; i < itf->record_cnt; i++)
		assert_name(itf->records[i]->name, true);
}

static void test_rows(void **state)
{
	assert_interface(&api_netd);
	assert_interface(&api_service);
	assert_int_equal(api_netd.method_cnt, API_METHOD_CNT_);
	assert_null(api_signature_find(&api_netd, "attach"));
	for (int i = 0; i < API_FILTER_CNT_; i++)
		assert_int_equal(api_filter_from_string(api_filter_to_string(i)), i);
	assert_int_equal(api_filter_from_string("nothing"), -1);
}

/* Every record a method names is described. */
static void test_records_listed(void **state)
{
	for (size_t i = 0; i < api_netd.method_cnt; i++) {
		const struct api_signature *m = &api_netd.methods[i];

		for (size_t j = 0; j < m->out_cnt; j++) {
			bool found = m->out[j].type != API_RECORD;

			for (size_t r = 0; r < api_netd.record_cnt; r++)
				found = found || api_netd.records[r] == m->out[j].record;
			assert_true(found);
		}
	}
}

static void test_description_is_documented(void **state)
{
	struct nd_buf text = { .max = 1024 * 1024 };
	nd_autofree char *file = NULL;
	size_t len;

	api_describe(&api_netd, &text);
	assert_false(text.bad);
	if (getenv("NETD_UPDATE_DOCS"))
		nd_file_write(DOCS_DIR "/io.netd.varlink", text.p, text.len, 0644, false, NULL);
	assert_int_equal(nd_file_read(DOCS_DIR "/io.netd.varlink", 1024 * 1024, &file, &len, NULL), 0);
	if (strcmp(file, nd_buf_string(&text)) != 0)
		print_error("docs/io.netd.varlink is not what the rows say: run this test with "
			    "NETD_UPDATE_DOCS=1\n");
	assert_string_equal(file, nd_buf_string(&text));
	nd_buf_done(&text);
}

static const struct api_field inner_fields[] = { { "n", API_INT } };
static const struct api_record inner = { "Inner", "", inner_fields, 1 };
static const struct api_field fields[] = {
	{ "s", API_STRING },
	{ "n", API_INT, NULL, API_OPTIONAL },
	{ "b", API_BOOL, NULL, API_OPTIONAL },
	{ "list", API_STRING, NULL, API_OPTIONAL | API_ARRAY },
	{ "r", API_RECORD, NULL, API_OPTIONAL, &inner },
};
static const struct {
	const char *json, *bad; /* NULL: fits */
} checks[] = {
	{ "{\"s\":\"\"}", NULL },
	{ "{\"s\":\"a\",\"n\":-5,\"b\":false,\"list\":[\"x\"],\"r\":{\"n\":1}}", NULL },
	{ "{\"s\":\"a\",\"n\":null,\"list\":[]}", NULL },
	{ "{}", "s" },
	{ "{\"s\":null}", "s" },
	{ "{\"s\":1}", "s" },
	{ "{\"s\":\"a\",\"n\":1.5}", "n" },
	{ "{\"s\":\"a\",\"n\":9007199254740991}", NULL },
	{ "{\"s\":\"a\",\"n\":9007199254740992}", "n" },
	{ "{\"s\":\"a\",\"n\":-9007199254740992}", "n" },
	{ "{\"s\":\"a\",\"b\":0}", "b" },
	{ "{\"s\":\"a\",\"list\":\"x\"}", "list" },
	{ "{\"s\":\"a\",\"list\":[1]}", "list" },
	{ "{\"s\":\"a\",\"list\":[null]}", "list" },
	{ "{\"s\":\"a\",\"r\":{}}", "r" },
	{ "{\"s\":\"a\",\"r\":{\"n\":1,\"m\":1}}", "r" },
	{ "{\"s\":\"a\",\"x\":null}", "x" },
	{ "[]", "parameters" },
};

static void test_checks(void **state)
{
	const char *bad = NULL;

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		json_t *v = json_loads(checks[i].json, 0, NULL);

		assert_int_equal(api_fields_check(fields, ARRAY_LEN(fields), v, &bad), checks[i].bad == NULL);
		if (checks[i].bad)
			assert_string_equal(bad, checks[i].bad);
		json_decref(v);
	}
	assert_false(api_fields_check(fields, ARRAY_LEN(fields), NULL, &bad));
	assert_string_equal(bad, "s");
	assert_true(api_fields_check(NULL, 0, NULL, NULL));
	assert_true(api_fields_check(NULL, 0, json_null(), NULL));
}

static void assert_travels(const struct nd_error *e)
{
	char was[ND_ERROR_STORE * 2], is[ND_ERROR_STORE * 2];
	struct nd_error back = ND_ERROR_INIT;
	json_t *o = api_error_encode(e);

	assert_non_null(o);
	assert_true(api_fields_check(api_error_record.fields, api_error_record.field_cnt, o, NULL));
	assert_int_equal(api_error_decode(nd_code_api_name(e->code), o, &back), e->code);
	nd_error_format(e, was, sizeof(was));
	nd_error_format(&back, is, sizeof(is));
	assert_string_equal(is, was);
	assert_string_equal(api_get_string(o, "message"), was);
	assert_int_equal(back.code, e->code);
	assert_int_equal(back.sys, e->sys);
	json_decref(o);
}

static void test_errors_travel(void **state)
{
	struct nd_error e, sub;

	for (int code = -1; code > -ND_CODE_CNT; code--) {
		e = ND_ERROR_INIT;
		nd_fail(&e, code, "text %d", code);
		assert_travels(&e);
	}
	e = ND_ERROR_INIT;
	nd_fail_sys(&e, EBUSY, "the kernel's text", "set mtu");
	assert_travels(&e);
	nd_wrap(&e, "bridge '%s'", "virbr1");
	nd_wrap(&e, "network '%s'", "lan");
	sub = ND_ERROR_INIT;
	nd_fail_sys(&sub, ENODEV, NULL, "delete");
	nd_also(&e, &sub);
	assert_travels(&e);
	/* the code is the daemon's, whatever the errno suggests */
	e = ND_ERROR_INIT;
	nd_fail_sys(&e, EBUSY, NULL, "text");
	e.code = ND_SYSTEM;
	assert_travels(&e);
	/* no text of its own */
	e = ND_ERROR_INIT;
	nd_fail_sys(&e, EINVAL, NULL, "%s", "");
	assert_travels(&e);
}

static const struct {
	const char *name, *params, *message;
	int code;
} foreign[] = {
	{ "org.varlink.service.MethodNotFound", "{\"method\":\"io.netd.X\"}",
	  "the daemon does not know the method 'io.netd.X'", ND_NOT_FOUND },
	{ "org.varlink.service.InvalidParameter", "{\"parameter\":\"mac\"}",
	  "the daemon does not accept parameter 'mac'", ND_INVALID },
	{ "org.varlink.service.InvalidParameter", "null", "the daemon does not accept parameter ''",
	  ND_INVALID },
	{ "org.varlink.service.ExpectedMore", "{}", "the method needs a call with 'more'", ND_INVALID },
	{ "org.varlink.service.Else", "{}", "the daemon answered with error org.varlink.service.Else",
	  ND_INTERNAL },
	{ "io.netd.Future", "{\"text\":\"x\"}", "the daemon answered with error io.netd.Future",
	  ND_INTERNAL },
	{ "io.netd.Busy", "{}", "the daemon answered with error io.netd.Busy", ND_INTERNAL },
	{ "io.netd.Busy", "{\"text\":\"x\",\"frames\":[1,null],\"also\":7,\"errno\":\"x\"}", NULL, ND_BUSY },
};

static void test_foreign_errors(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		struct nd_error e = ND_ERROR_INIT;
		json_t *params = json_loads(foreign[i].params, JSON_DECODE_ANY, NULL);
		char line[ND_ERROR_STORE * 2];

		assert_int_equal(api_error_decode(foreign[i].name, params, &e), foreign[i].code);
		assert_int_equal(e.code, foreign[i].code);
		nd_error_format(&e, line, sizeof(line));
		if (foreign[i].message)
			assert_string_equal(line, foreign[i].message);
		json_decref(params);
	}
}

static void test_bad_text(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	json_t *o;

	nd_fail(&e, ND_INVALID, "name 'a\xff\xc3' is bad");
	o = api_error_encode(&e);
	assert_non_null(o);
	assert_string_equal(api_get_string(o, "text"), "name 'a\?\?' is bad");
	json_decref(o);
}

static void test_frames(void **state)
{
	struct nd_buf out = { .max = 64 };
	json_t *small = json_pack("{s:i}", "a", 1),
	       *large = json_pack("{s:s}", "text",
				  "0123456789012345678901234567890123456789"
				  "01234567890123456789");
	json_t *back = NULL;

	assert_int_equal(api_frame_append(&out, small, NULL), 0);
	assert_int_equal(out.len, 8);
	assert_memory_equal(out.p, "{\"a\":1}", 8);
	assert_int_equal(api_frame_append(&out, large, NULL), ND_LIMIT);
	assert_int_equal(out.len, 8); /* as before, and still good */
	assert_int_equal(api_frame_append(&out, small, NULL), 0);
	assert_int_equal(api_frame_parse((const char *)out.p, 7, &back, NULL), 0);
	assert_true(json_equal(small, back));
	json_decref(back);
	assert_int_equal(api_frame_parse("[1]", 3, &back, NULL), ND_PARSE);
	assert_int_equal(api_frame_parse("{\"a\":1,\"a\":2}", 13, &back, NULL), ND_PARSE);
	assert_int_equal(api_frame_parse("{", 1, &back, NULL), ND_PARSE);
	assert_int_equal(api_frame_parse("{\"\xff\":1}", 7, &back, NULL), ND_PARSE);
	json_decref(small);
	json_decref(large);
	nd_buf_done(&out);
}

/* Frames are encoded without jansson's encoder; its text is the measure. */
static void test_encoding_is_janssons(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"a\":[],\"b\":{},\"c\":null,\"d\":true,\"e\":false}",
		"{\"n\":[0,-1,1,9007199254740992,-9223372036854775808,9223372036854775807,0.5,-1e300]}",
		"{\"s\":\"\",\"t\":\"plain\",\"u\":\"\\\"\\\\/\\b\\f\\n\\r\\t\"}",
		"{\"v\":\"\\u0000\\u0001\\u001f\\u007f\"}",
		"{\"w\":\"\\u00e9\\u20ac\\ud83d\\ude00\",\"k\\\"\\n\":[{\"x\":[[1,\"two\",[3]]]},2]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *v = json_loads(texts[i], JSON_ALLOW_NUL, NULL);
		char *theirs = json_dumps(v, JSON_COMPACT);
		struct nd_buf ours = { .max = 4096 };

		assert_non_null(v);
		assert_int_equal(api_frame_append(&ours, v, NULL), 0);
		assert_string_equal((const char *)ours.p, theirs);
		assert_int_equal(ours.len, strlen(theirs) + 1);
		nd_buf_done(&ours);
		free(theirs);
		json_decref(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_records_listed),
		cmocka_unit_test(test_description_is_documented),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_errors_travel),
		cmocka_unit_test(test_foreign_errors),
		cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_encoding_is_janssons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

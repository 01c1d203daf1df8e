// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: from a frame to a method, and every refusal on the way. */
#include "base/mem.h"
#include "tests/netd/api-harness.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct harness *h = malloc(sizeof(*h));

	harness_init(h);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	harness_done(*state);
	free(*state);
	return 0;
}

static const struct refusal {
	const char *call, *error, *field, *value;
	bool closed;
} refusals[] = {
	{ "{\"method\":\"test.api.Nothing\"}", "org.varlink.service.MethodNotFound", "method",
	  "test.api.Nothing" },
	{ "{\"method\":\"test.apis.Echo\"}", "org.varlink.service.InterfaceNotFound", "interface",
	  "test.apis" },
	{ "{\"method\":\"Echo\"}", "org.varlink.service.InterfaceNotFound", "interface", "" },
	{ "{\"method\":\"\"}", "org.varlink.service.InterfaceNotFound", "interface", "" },
	{ "{\"method\":\"test.api.Echo\"}", "org.varlink.service.InvalidParameter", "parameter", "text" },
	{ "{\"method\":\"test.api.Echo\",\"parameters\":null}", "org.varlink.service.InvalidParameter",
	  "parameter", "text" },
	{ "{\"method\":\"test.api.Echo\",\"parameters\":[]}", "org.varlink.service.InvalidParameter",
	  "parameter", "parameters" },
	{ "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":1}}",
	  "org.varlink.service.InvalidParameter", "parameter", "text" },
	{ "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":\"a\",\"more\":1}}",
	  "org.varlink.service.InvalidParameter", "parameter", "more" },
	{ "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":\"a\"},\"upgrade\":true}",
	  "org.varlink.service.InvalidParameter", "parameter", "upgrade" },
	{ "{\"method\":\"test.api.Open\",\"parameters\":{\"count\":9007199254740992}}",
	  "org.varlink.service.InvalidParameter", "parameter", "count" },
	{ "{\"method\":\"test.api.Stream\"}", "org.varlink.service.ExpectedMore" },
	{ "{\"method\":\"test.api.Admin\"}", "io.netd.Denied", "text",
	  "uid 1001 may not call test.api.Admin" },
	{ "{\"method\":1}", "io.netd.Protocol", "text", "a message has no method", true },
	{ "{}", "io.netd.Protocol", "text", "a message has no method", true },
	{ "[]", "io.netd.Parse", "text", "a message is not a JSON object", true },
	{ "", "io.netd.Parse", NULL, NULL, true },
	{ "{\"method\":\"test.api.Echo\",", "io.netd.Parse", NULL, NULL, true },
	{ "{\"method\":\"test.api.Echo\",\"method\":\"test.api.Open\"}", "io.netd.Parse", NULL, NULL, true },
};

static void test_refusals(void **state)
{
	struct harness *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct harness_client cl = harness_connect(h, ACCESS_OBSERVER);
		json_t *reply;

		harness_call(&cl, r->call);
		harness_turn(h, 2);
		reply = harness_reply(&cl);
		assert_non_null(reply);
		assert_string_equal(api_get_string(reply, "error"), r->error);
		if (r->field)
			assert_string_equal(api_get_string(json_object_get(reply, "parameters"), r->field),
					    r->value);
		json_decref(reply);
		assert_null(harness_reply(&cl));
		assert_int_equal(cl.eof, r->closed);
		harness_disconnect(&cl);
		harness_turn(h, 2);
		assert_int_equal(conn_set_count(h->set), 0);
	}
	assert_int_equal(h->echo_cnt, 0);
}

/* Who may nothing learns why with the first call, and that is all. */
static void test_no_access(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_NONE);
	json_t *reply;

	harness_call(&cl, "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":\"a\"}}");
	harness_call(&cl, "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":\"a\"}}");
	harness_turn(h, 2);
	reply = harness_reply(&cl);
	assert_string_equal(api_get_string(reply, "error"), "io.netd.Denied");
	assert_string_equal(api_get_string(json_object_get(reply, "parameters"), "message"),
			    "uid 1001 may not call test.api.Echo");
	json_decref(reply);
	assert_null(harness_reply(&cl));
	assert_true(cl.eof);
	assert_int_equal(h->echo_cnt, 0);
	harness_disconnect(&cl);
}

static void test_oneway(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	json_t *reply;

	harness_call(&cl, "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":\"a\"},\"oneway\":true}");
	harness_call(&cl, "{\"method\":\"test.api.Nothing\",\"oneway\":true}");
	harness_call(&cl, "{\"method\":\"test.api.Open\",\"parameters\":{\"count\":2},\"oneway\":true}");
	harness_call(&cl, "{\"method\":\"test.api.Admin\"}");
	harness_turn(h, 4);
	assert_int_equal(h->echo_cnt, 1);
	reply = harness_reply(&cl);
	assert_non_null(reply);
	assert_null(json_object_get(reply, "error"));
	json_decref(reply);
	assert_null(harness_reply(&cl));
	assert_int_equal(cl.fd_cnt, 0);
	harness_disconnect(&cl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_access, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oneway, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

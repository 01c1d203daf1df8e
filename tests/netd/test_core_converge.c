// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the walk over rows: order, what is undone, which error is told. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/converge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Three rows; the object is a log. Upper case: undo, '!': a flush. */
struct object {
	char log[64];
	bool there[3];
	char fail[8]; /* letters of calls that fail; '1': the flush of row b */
};
static struct object *flushed; /* flush gets no object */

static int call(struct object *o, char letter, struct nd_error *e)
{
	size_t len = strlen(o->log);

	o->log[len] = letter;
	o->log[len + 1] = '\0';
	return strchr(o->fail, letter) ? nd_fail(e, letter == 'b' ? ND_BUSY : ND_SYSTEM, "%c failed", letter)
				       : 0;
}

#define ROW(n, make, unmake)                                                                    \
	static enum resource_state check_##make(const struct core *c, const void *obj)          \
	{                                                                                       \
		return ((const struct object *)obj)->there[n] ? RESOURCE_OK : RESOURCE_MISSING; \
	}                                                                                       \
	static int apply_##make(struct core *c, void *obj, struct nd_error *e)                  \
	{                                                                                       \
		return call(obj, #make[0], e);                                                  \
	}                                                                                       \
	static int undo_##make(struct core *c, void *obj, struct nd_error *e)                   \
	{                                                                                       \
		return call(obj, #unmake[0], e);                                                \
	}
ROW(0, a, A)
ROW(1, b, B)
ROW(2, c, C)

static int flush(struct core *c, struct nd_error *e)
{
	return call(flushed, strchr(flushed->log, 'B') ? '2' : '1', e);
}

static const struct resource rows[] = {
	{ "a", check_a, apply_a, undo_a, NULL },
	{ "b", check_b, apply_b, undo_b, flush },
	{ "c", check_c, apply_c, undo_c, NULL },
};

static const struct {
	enum converge_goal goal;
	const char *there, *fail;
	const char *log, *message;
	unsigned applied;
} cases[] = {
	{ CONVERGE_START, "", "", "ab1c", "", 7 },
	{ CONVERGE_START, "abc", "", "", "", 0 },
	{ CONVERGE_START, "b", "", "ac", "", 5 },
	{ CONVERGE_START, "", "a", "aA", "a failed", 1 },
	{ CONVERGE_START, "", "b", "abB2A", "b failed", 3 },
	{ CONVERGE_START, "", "1", "ab1B2A", "1 failed", 3 },
	{ CONVERGE_START, "", "c", "ab1cCB2A", "c failed", 7 },
	/* what was there before is not undone */
	{ CONVERGE_START, "a", "c", "b1cCB2", "c failed", 6 },
	/* the first cause, and what failed beside it */
	{ CONVERGE_START, "", "cCA", "ab1cCB2A", "c failed; also: C failed; also: A failed", 7 },
	{ CONVERGE_START, "", "b2", "abB2A", "b failed; also: 2 failed", 3 },
	{ CONVERGE_START, "", "bB", "abBA", "b failed; also: B failed", 3 },
	{ CONVERGE_REPAIR, "ac", "", "b1", "", 2 },
	{ CONVERGE_REPAIR, "", "b", "ab", "b failed", 3 },
	{ CONVERGE_STOP, "", "", "CB2A", "", 0 },
	{ CONVERGE_STOP, "abc", "", "CB2A", "", 0 },
	{ CONVERGE_STOP, "", "C2", "CB2A", "C failed; also: 2 failed", 0 },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct object o = { .log = "" };
		struct nd_error e = ND_ERROR_INIT;
		unsigned applied = 99;
		char message[500] = "";

		flushed = &o;
		nd_strcpy(o.fail, sizeof(o.fail), cases[i].fail);
		for (const char *p = cases[i].there; *p; p++)
			o.there[*p - 'a'] = true;
		int r = converge(NULL, rows, ARRAY_LEN(rows), &o, cases[i].goal, &applied, &e);
		if (e.code)
			nd_error_format(&e, message, sizeof(message));
		assert_string_equal(o.log, cases[i].log);
		assert_string_equal(message, cases[i].message);
		assert_int_equal(r, e.code);
		assert_int_equal(r != 0, cases[i].message[0] != '\0');
		assert_int_equal(applied, cases[i].applied);
		/* the same when nobody wants to know */
		o.log[0] = '\0';
		assert_int_equal(converge(NULL, rows, ARRAY_LEN(rows), &o, cases[i].goal, NULL, NULL), r);
		assert_string_equal(o.log, cases[i].log);
	}
}

static void test_real_rows(void **state)
{
	assert_true(network_row_cnt <= CONVERGE_ROWS_MAX && port_row_cnt <= CONVERGE_ROWS_MAX);
	for (size_t i = 0; i < network_row_cnt; i++)
		assert_true(network_rows[i].name && network_rows[i].check && network_rows[i].apply);
	for (size_t i = 0; i < port_row_cnt; i++)
		assert_true(port_rows[i].name && port_rows[i].check && port_rows[i].apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_real_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

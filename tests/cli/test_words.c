// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: lines into words. */
#include "base/mem.h"
#include "cli/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	const char *line, *words[5]; /* words[0] NULL with bad unset: none */
	bool bad;
} rows[] = {
	{ "", { NULL } },
	{ "  \t\r\n", { NULL } },
	{ "# net-list", { NULL } },
	{ "net-list", { "net-list" } },
	{ " net-info\tlab \n", { "net-info", "lab" } },
	{ "a b#c #d", { "a", "b#c" } },
	{ "a '' \"\"", { "a", "", "" } },
	{ "'a b' \"c d\" e\\ f", { "a b", "c d", "e f" } },
	{ "x'y'\"z\"w", { "xyzw" } },
	{ "'\\' \"\\\"\\\\\\n\"", { "\\", "\"\\\\n" } },
	{ "'#' \\#", { "#", "#" } },
	{ "a b c d", { "a", "b", "c", "d" } },
	{ "'a", .bad = true },
	{ "b \"a\\\"", .bad = true },
	{ "a\\", .bad = true },
};

static void test_rows(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		nd_autofree char **words = NULL;
		int cnt = -1, r = words_split(rows[i].line, &words, &cnt, &e);

		if (rows[i].bad) {
			assert_int_equal(r, ND_INVALID);
			assert_null(words);
			continue;
		}
		assert_int_equal(r, 0);
		for (int w = 0; w < cnt; w++) {
			assert_non_null(rows[i].words[w]);
			assert_string_equal(words[w], rows[i].words[w]);
		}
		assert_null(rows[i].words[cnt]);
		assert_null(words[cnt]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

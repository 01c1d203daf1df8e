// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: log lines: one write each, what is sanitised, the journal's prefix, the rate limit. */
#include "base/log.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Standard error goes into a packet-mode pipe while a test logs: one read(2) is one write(2). */
struct capture {
	int saved, read_fd;
	char text[4096];
};

static void capture_begin(struct capture *c)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);
	c->saved = dup(STDERR_FILENO);
	c->read_fd = fds[0];
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
}

/* The next line, "" when there is none. */
static const char *capture_line(struct capture *c)
{
	ssize_t n = read(c->read_fd, c->text, sizeof(c->text) - 1);

	c->text[n > 0 ? n : 0] = '\0';
	return c->text;
}

static void capture_end(struct capture *c)
{
	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	close(c->read_fd);
}

static void test_plain_line(void **state)
{
	struct capture c;
	int kept;

	capture_begin(&c);
	nd_log_init("netd", ND_LOG_INFO);
	errno = ENOENT;
	nd_log(ND_LOG_INFO, "hello %d", 1);
	nd_log(ND_LOG_DEBUG, "not this");
	nd_log(ND_LOG_ERR, "second");
	kept = errno;
	dup2(c.saved, STDERR_FILENO);
	assert_int_equal(kept, ENOENT);
	assert_string_equal(capture_line(&c), "netd: hello 1\n");
	assert_string_equal(capture_line(&c), "netd: second\n");
	assert_string_equal(capture_line(&c), "");
	capture_end(&c);
	assert_true(nd_log_wants(ND_LOG_INFO));
	assert_false(nd_log_wants(ND_LOG_DEBUG));
}

static void test_sanitised(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "tab\tnl\nesc\x1b[0m del\x7f", "tab?nl?esc?[0m del?" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "c1 \xc2\x9b", "c1 ??" },
		{ "lone \x80 \xff", "lone ? ?" },
		{ "overlong \xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "overlong ?? ??? ????" },
		{ "surrogate \xed\xa0\x80 high \xf4\x90\x80\x80", "surrogate ??? high ????" },
		{ "cut \xe2\x82", "cut ??" },
	};
	struct capture c;

	nd_log_init("netd", ND_LOG_INFO);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char want[128];

		snprintf(want, sizeof(want), "netd: %s\n", rows[i].out);
		capture_begin(&c);
		nd_log(ND_LOG_INFO, "%s", rows[i].in);
		capture_line(&c);
		capture_end(&c);
		assert_string_equal(c.text, want);
	}
}

static void test_long_line(void **state)
{
	char big[5000];
	struct capture c;
	size_t len;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	capture_begin(&c);
	nd_log(ND_LOG_INFO, "%s", big);
	capture_line(&c);
	capture_end(&c);
	len = strlen(c.text);
	assert_true(len > 1000 && len <= 2048);
	assert_string_equal(c.text + len - 5, "x...\n");
}

static void test_error_line(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct capture c;

	nd_fail_sys(&e, EIO, NULL, "write");
	capture_begin(&c);
	nd_log_error(ND_LOG_WARNING, &e, "lease of %s", "blue");
	nd_log_error(ND_LOG_DEBUG, &e, "not this");
	capture_line(&c);
	capture_end(&c);
	assert_string_equal(c.text, "netd: lease of blue: write: Input/output error (EIO)\n");
}

static void test_journal_prefix(void **state)
{
	struct capture c;
	struct stat st;
	char stream[64];

	capture_begin(&c);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	nd_log_init("netd", ND_LOG_INFO);
	nd_log(ND_LOG_WARNING, "x");
	capture_line(&c);
	capture_end(&c);
	assert_string_equal(c.text, "<4>x\n");
	/* Inherited, but our standard error is something else. */
	setenv("JOURNAL_STREAM", "0:1", 1);
	nd_log_init("netd", ND_LOG_INFO);
	capture_begin(&c);
	nd_log(ND_LOG_WARNING, "x");
	capture_line(&c);
	capture_end(&c);
	assert_string_equal(c.text, "netd: x\n");
	unsetenv("JOURNAL_STREAM");
}

static void test_level_words(void **state)
{
	static const struct {
		const char *word;
		enum nd_log_level level;
	} rows[] = {
		{ "error", ND_LOG_ERR }, { "warning", ND_LOG_WARNING }, { "notice", ND_LOG_NOTICE },
		{ "info", ND_LOG_INFO }, { "debug", ND_LOG_DEBUG },
	};
	enum nd_log_level level = ND_LOG_ERR;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(nd_log_level_from_string(rows[i].word, &level), 0);
		assert_int_equal(level, rows[i].level);
	}
	assert_int_equal(nd_log_level_from_string("loud", &level), ND_INVALID);
	assert_int_equal(nd_log_level_from_string("", &level), ND_INVALID);
	assert_int_equal(level, ND_LOG_DEBUG);
}

static void test_ratelimit(void **state)
{
	struct nd_ratelimit r = { 0 };
	unsigned held = 99;

	assert_true(nd_ratelimit_pass(&r, 5000, 1000, 2, &held));
	assert_int_equal(held, 0);
	assert_true(nd_ratelimit_pass(&r, 5001, 1000, 2, &held));
	assert_false(nd_ratelimit_pass(&r, 5002, 1000, 2, &held));
	assert_false(nd_ratelimit_pass(&r, 5999, 1000, 2, NULL));
	assert_true(nd_ratelimit_pass(&r, 6000, 1000, 2, &held));
	assert_int_equal(held, 2);
	assert_true(nd_ratelimit_pass(&r, 6001, 1000, 2, &held));
	assert_int_equal(held, 0);
}

static void test_clocks(void **state)
{
	uint64_t a = nd_now_ms(), b = nd_now_ms();

	assert_true(a > 0 && b >= a);
	assert_true(nd_wall_s() > 1600000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_line),     cmocka_unit_test(test_sanitised),
		cmocka_unit_test(test_long_line),      cmocka_unit_test(test_error_line),
		cmocka_unit_test(test_journal_prefix), cmocka_unit_test(test_level_words),
		cmocka_unit_test(test_ratelimit),      cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: log lines
 *
 * A line is put together on the stack and leaves in one write(2) to stderr, so lines of several threads
 * never mix and nothing allocates. What does not fit is cut with "...". Every byte that is
 * not printable text becomes '?': control characters, the C1 controls (which a terminal obeys too) and broken
 * UTF-8, because host names and client ids come from guests.
 *
 * The journal reads a "<N>" before each line as its priority (sd-daemon(3)). Whether stderr is the
 * journal's is asked once, by comparing $JOURNAL_STREAM with the descriptor (systemd.exec(5)).
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN 2048 /* bytes of one line, its newline included: the longest error and a context fit */

static const char *const level_names[] = {
	[ND_LOG_ERR] = "error", [ND_LOG_WARNING] = "warning", [ND_LOG_NOTICE] = "notice",
	[ND_LOG_INFO] = "info", [ND_LOG_DEBUG] = "debug",
};

/* Written once by nd_log_init() before there are threads; the level may be changed later. */
static const char *log_program = "netd";
static bool log_journal;
static atomic_int log_max = ND_LOG_INFO;

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

void nd_log_init(const char *program, enum nd_log_level max)
{
	log_program = program;
	log_journal = stderr_is_journal();
	atomic_store(&log_max, (int)max);
}

int nd_log_level_from_string(const char *word, enum nd_log_level *ret)
{
	int level = nd_strtab_from_string(level_names, ARRAY_LEN(level_names), word);

	if (level < 0)
		return ND_INVALID;
	*ret = (enum nd_log_level)level;
	return 0;
}

bool nd_log_wants(enum nd_log_level level)
{
	return (int)level <= atomic_load_explicit(&log_max, memory_order_relaxed);
}

/*
 * The length of the well-formed UTF-8 sequence at s (Unicode 15, table 3-7) that is no control character, or 0.
 * s ends with a NUL, which no sequence contains: nothing is read beyond it.
 */
static size_t text_len(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (s[0] == 0xc2 || s[0] == 0xe0)
		low = 0xa0; /* after 0xc2: C1 controls; after 0xe0: overlong */
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

static void sanitise(char *s)
{
	while (*s) {
		size_t n = text_len((unsigned char *)s);

		if (n == 0) {
			*s = '?';
			n = 1;
		}
		s += n;
	}
}

__attribute__((format(printf, 2, 0))) static void line(enum nd_log_level level, const char *fmt, va_list ap)
{
	static const char cut[] = "...\n";
	char buf[LINE_MAX_LEN];
	size_t len;
	int n;

	if (log_journal)
		n = snprintf(buf, sizeof(buf), "<%d>", (int)level);
	else
		n = snprintf(buf, sizeof(buf), "%.64s: ", log_program);
	len = (size_t)n;
	n = vsnprintf(buf + len, sizeof(buf) - len, fmt, ap);
	if (n < 0)
		return;
	sanitise(buf + len);
	len += (size_t)n;
	if (len < sizeof(buf) - 1) {
		buf[len++] = '\n';
	} else {
		len = sizeof(buf) - 1;
		memcpy(buf + len - (sizeof(cut) - 1), cut, sizeof(cut) - 1);
	}
	while (write(STDERR_FILENO, buf, len) < 0 && errno == EINTR) {
	}
}

void nd_log(enum nd_log_level level, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!nd_log_wants(level))
		return;
	va_start(ap, fmt);
	line(level, fmt, ap);
	va_end(ap);
	errno = saved;
}

void nd_log_error(enum nd_log_level level, const struct nd_error *e, const char *fmt, ...)
{
	char context[256], text[LINE_MAX_LEN - sizeof(context) - 80];
	va_list ap;

	if (!nd_log_wants(level))
		return;
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	nd_error_format(e, text, sizeof(text));
	nd_log(level, "%s: %s", context, text);
}

bool nd_ratelimit_pass(struct nd_ratelimit *r, uint64_t now_ms, uint64_t interval_ms, unsigned burst,
		       unsigned *ret_suppressed)
{
	if (now_ms - r->window_ms >= interval_ms) {
		r->window_ms = now_ms;
		r->cnt = 0;
	}
	if (r->cnt >= burst) {
		r->suppressed++;
		return false;
	}
	r->cnt++;
	if (ret_suppressed)
		*ret_suppressed = r->suppressed;
	r->suppressed = 0;
	return true;
}

uint64_t nd_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t nd_wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec;
}

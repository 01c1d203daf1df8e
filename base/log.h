/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_LOG_H
#define ND_BASE_LOG_H
/*
 * Log lines go to stderr: with a "<N>" priority prefix when stderr is the journal's stream
 * ($JOURNAL_STREAM), else "netd: …". Control characters in arguments are shown as '?', since names
 * come from guests. Thread-safe (one write(2) a line). Library code logs at debug only.
 */
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

enum nd_log_level {
	ND_LOG_ERR = 3,
	ND_LOG_WARNING = 4,
	ND_LOG_NOTICE = 5,
	ND_LOG_INFO = 6,
	ND_LOG_DEBUG = 7
};

void nd_log_init(const char *program /* borrowed for ever */, enum nd_log_level max);
/* Return: 0, or ND_INVALID for a word that is none of error warning notice info debug. */
int nd_log_level_from_string(const char *word, enum nd_log_level *ret);
bool nd_log_wants(enum nd_log_level level);
void nd_log(enum nd_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "<context>: <whole error>" */
void nd_log_error(enum nd_log_level level, const struct nd_error *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Token bucket: at most `burst` lines in each interval_ms; zero-initialised state is valid. */
struct nd_ratelimit {
	uint64_t window_ms;
	unsigned cnt, suppressed;
};
/* Return: whether to log now; *ret_suppressed (may be NULL) gets how many were held back before this one. */
bool nd_ratelimit_pass(struct nd_ratelimit *r, uint64_t now_ms, uint64_t interval_ms, unsigned burst,
		       unsigned *ret_suppressed);
/* CLOCK_BOOTTIME in ms: what every `now_ms` in netd means. */
uint64_t nd_now_ms(void);
uint64_t nd_wall_s(void);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_WORDS_H
#define ND_CLI_WORDS_H
/* A line into words, as a shell does without its expansions. */
#include "base/error.h"

/*
 * Blanks and tabs separate; '…' is literal; in "…" a backslash takes '"' and itself; outside, it takes any
 * character; '#' at a word's begin ends the line. *ret: NULL-ended, one heap block (free), possibly of no
 * words. Return: 0; ND_INVALID: a quote without its end, or a backslash at the line's end; ND_MEMORY.
 */
int words_split(const char *line, char ***ret, int *ret_cnt, struct nd_error *e);
#endif

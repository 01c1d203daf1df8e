// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a line into words
 *
 * No word is longer than the line, and there are at most half as many words as characters, so one block holds
 * the pointers and, behind them, the text.
 */
#include "cli/words.h"
#include "base/mem.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A quoted part, s behind the quote. Return: behind its end, or NULL: there is none. */
static const char *take_quoted(const char *s, char quote, char **to)
{
	for (; *s && *s != quote; s++) {
		if (quote == '"' && *s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		*(*to)++ = *s;
	}
	return *s ? s + 1 : NULL;
}

/* One word at s into *to, with its NUL. Return: behind it, or NULL with the error. */
static const char *take_word(const char *s, char **to, struct nd_error *e)
{
	while (*s && !is_blank(*s)) {
		if (*s == '\'' || *s == '"') {
			char quote = *s;

			s = take_quoted(s + 1, quote, to);
			if (!s) {
				nd_fail(e, ND_INVALID, "a quote (%c) has no end", quote);
				return NULL;
			}
			continue;
		}
		if (*s == '\\' && !*++s) {
			nd_fail(e, ND_INVALID, "a backslash at the end of the line");
			return NULL;
		}
		*(*to)++ = *s++;
	}
	*(*to)++ = '\0';
	return s;
}

int words_split(const char *line, char ***ret, int *ret_cnt, struct nd_error *e)
{
	size_t len = strlen(line), max = len / 2 + 2;
	char **words = malloc(max * sizeof(*words) + len + 2), *to;
	int cnt = 0;

	if (!words)
		return nd_fail(e, ND_MEMORY, "a line of words");
	to = (char *)(words + max);
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line || *line == '#')
			break;
		words[cnt++] = to;
		line = take_word(line, &to, e);
		if (!line) {
			free(words);
			return e ? e->code : ND_INVALID;
		}
	}
	words[cnt] = NULL;
	*ret = words;
	*ret_cnt = cnt;
	return 0;
}

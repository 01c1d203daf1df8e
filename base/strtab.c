// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: enum <-> string
 *
 * Tables are a handful of words, so a lookup is a walk. A NULL entry is a value without a word: it is
 * never found and reads as out of range.
 */
#include "base/strtab.h"

#include <string.h>

const char *nd_strtab_to_string(const char *const *tab, size_t cnt, int value)
{
	return value >= 0 && (size_t)value < cnt ? tab[value] : NULL;
}

int nd_strtab_from_string(const char *const *tab, size_t cnt, const char *word)
{
	for (size_t i = 0; word && i < cnt; i++)
		if (tab[i] && strcmp(tab[i], word) == 0)
			return (int)i;
	return -1;
}

bool nd_strcpy(char *dst, size_t size, const char *src)
{
	return nd_strcpyn(dst, size, src, strlen(src));
}

bool nd_strcpyn(char *dst, size_t size, const char *src, size_t src_len)
{
	size_t n = src_len < size ? src_len : size - 1;

	if (size == 0)
		return false;
	if (n > 0)
		memcpy(dst, src, n);
	dst[n] = '\0';
	return n == src_len;
}

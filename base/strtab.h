/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_STRTAB_H
#define ND_BASE_STRTAB_H
/*
 * Enum <-> string. The table is indexed by the enum's value, from 0:
 *   static const char *const network_state_names[] = { [NETWORK_INACTIVE] = "inactive", … };
 *   ND_STRTAB(network_state, network_state_names);
 * gives network_state_to_string(int) (NULL when out of range) and network_state_from_string(const char *)
 * (-1 when unknown). Each table has a totality test.
 */
#include "base/mem.h"
#include <stdbool.h>
#include <stddef.h>

const char *nd_strtab_to_string(const char *const *tab, size_t cnt, int value);
int nd_strtab_from_string(const char *const *tab, size_t cnt, const char *word);

#define ND_STRTAB(prefix, tab)                                        \
	const char *prefix##_to_string(int v)                         \
	{                                                             \
		return nd_strtab_to_string(tab, ARRAY_LEN(tab), v);   \
	}                                                             \
	int prefix##_from_string(const char *s)                       \
	{                                                             \
		return nd_strtab_from_string(tab, ARRAY_LEN(tab), s); \
	}
#define ND_STRTAB_DECLARE(prefix)              \
	const char *prefix##_to_string(int v); \
	int prefix##_from_string(const char *s)

/* Bounded copies. Return: false when src did not fit (dst then holds the cut text, terminated). */
bool nd_strcpy(char *dst, size_t size, const char *src);
bool nd_strcpyn(char *dst, size_t size, const char *src, size_t src_len);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_XPATH_H
#define ND_CLI_XPATH_H
/* What an XPath expression finds in a document, as virsh's --xpath prints it. */
#include "base/error.h"
#include <stdbool.h>

/*
 * The nodes that expression finds, each with what is below it and a newline; with wrap as the children of one
 * element <nodes>. *ret: heap, "" where there are none. Prefixes declared on the document's root can be used.
 * Return: 0, ND_PARSE, ND_INVALID: not an expression, or one whose result are no nodes; ND_MEMORY.
 */
int xpath_find(const char *xml, const char *expression, bool wrap, char **ret, struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_INPUT_H
#define ND_CLI_INPUT_H
/* What is given as a file on the command line. */
#include "base/error.h"

/*
 * All of a file of any kind, a pipe (/dev/fd/63) as well; "-" is standard input. *ret: heap. Return: 0;
 * ND_NOT_FOUND; ND_SYSTEM; ND_LIMIT: more than anything that netd takes; ND_MEMORY.
 */
int input_read(const char *file, char **ret, struct nd_error *e);
#endif

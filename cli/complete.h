/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_COMPLETE_H
#define ND_CLI_COMPLETE_H
/* What a command line being typed can go on with, from the command rows and from netd. */
#include "cli/cli.h"

/*
 * Calls fn for each word that can stand behind these cnt and begins with prefix (both borrowed, fn's word
 * valid for the call). Asks netd for networks and ports; where it cannot be reached there are none.
 */
void complete(struct cli *cli, int cnt, char *const *words, const char *prefix,
	      void (*fn)(void *arg, const char *word), void *arg);
#endif

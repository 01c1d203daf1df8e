/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_SHELL_H
#define ND_CLI_SHELL_H
/* netdctl on a terminal without a command. */
#include "cli/cli.h"

/*
 * Reads lines from standard input with editing, history and completion, and runs them, until "quit" or the end.
 * Return: exit status of the last one that failed, or 0.
 */
int shell_run(struct cli *cli);
#endif

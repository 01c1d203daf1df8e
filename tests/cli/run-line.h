/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_CLI_RUN_LINE_H
#define ND_TESTS_CLI_RUN_LINE_H
/* Command lines against a daemon of a few replies. */
#include "cli/cli.h"
#include "tests/cli/stub-server.h"

struct run {
	int status;
	char *out, *err;
	char calls[8192]; /* what was called, one a line */
};
void run_done(struct run *r);
/*
 * The lines as typed on standard input, against a daemon of these replies (cnt 0: none is called). A first
 * line "-q" is --quiet.
 */
struct run run_line(const char *line, const struct stub_row *replies, size_t cnt, bool json);
#endif

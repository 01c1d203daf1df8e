/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_OUTPUT_H
#define ND_CLI_OUTPUT_H
/* Tables and values as virsh prints them. */
#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A table gathers its cells, then prints: a leading blank, columns left-aligned with three blanks between,
 * header and a line of dashes first.
 */
struct table;
/* header: cnt texts, borrowed for the table's life. NULL on ENOMEM. */
struct table *table_new(const char *const *header, size_t cnt);
void table_free(struct table *t);
/*
 * The next cell, row by row: copied; NULL or "" is shown as "-". Control characters are shown as '?'. ENOMEM
 * shows in table_print.
 */
void table_add(struct table *t, const char *cell);
int table_print(struct table *t, FILE *out, bool header /* and dashes */, struct nd_error *e);

#define OUTPUT_TIME_LEN 40
/* Local time "2026-11-21 04:46:05"; "never" for a negative one. */
const char *output_time(long long seconds, char buf[OUTPUT_TIME_LEN]);
/* "2026-11-21 04:46:05.123+0000", as virsh's --timestamp. */
const char *output_timestamp(long long microseconds, char buf[OUTPUT_TIME_LEN]);
/*
 * "Label:          value", virsh's 15 columns and a blank. NULL or "": no line. Control characters are shown
 * as '?'.
 */
void output_line(FILE *out, const char *label, const char *value);
void output_text(FILE *out, const char *text); /* with control characters shown as '?' */
#endif

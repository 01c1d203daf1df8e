// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: tables and values as virsh prints them
 *
 * Scripts that cut virsh's output into columns go on working: the same blanks, dashes, labels and empty lines
 * (tools/vsh-table.c, tools/virsh-network.c of libvirt). Column widths are counted in characters, not bytes.
 * Names and host names may come from guests, so control characters never reach the terminal.
 */
#include "cli/output.h"
#include "base/mem.h"

#include <time.h>

struct table {
	const char *const *header;
	size_t column_cnt;
	char **cell;
	size_t cell_cnt, cell_max;
	bool bad;
};

struct table *table_new(const char *const *header, size_t cnt)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->header = header;
	t->column_cnt = cnt;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->cell_cnt; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

void table_add(struct table *t, const char *cell)
{
	char *copy;

	if (t->cell_cnt == t->cell_max) {
		size_t max = t->cell_max ? t->cell_max * 2 : 64;
		char **bigger = reallocarray(t->cell, max, sizeof(*bigger));

		if (!bigger) {
			t->bad = true;
			return;
		}
		t->cell = bigger;
		t->cell_max = max;
	}
	copy = strdup(cell && *cell ? cell : "-");
	if (!copy) {
		t->bad = true;
		return;
	}
	for (char *p = copy; *p; p++)
		if (is_control(*p))
			*p = '?';
	t->cell[t->cell_cnt++] = copy;
}

/* Characters of UTF-8 text. */
static size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *cell_at(const struct table *t, size_t row, size_t column)
{
	return row == 0 ? t->header[column] : t->cell[(row - 1) * t->column_cnt + column];
}

int table_print(struct table *t, FILE *out, bool header, struct nd_error *e)
{
	nd_autofree size_t *width = calloc(t->column_cnt, sizeof(*width));
	size_t rows = t->cell_cnt / t->column_cnt + 1, first = header ? 0 : 1;

	if (!width || t->bad)
		return nd_fail(e, ND_MEMORY, "a table");
	for (size_t r = first; r < rows; r++)
		for (size_t c = 0; c < t->column_cnt; c++) {
			size_t w = text_width(cell_at(t, r, c));

			width[c] = w > width[c] ? w : width[c];
		}
	for (size_t r = first; r < rows; r++) {
		for (size_t c = 0; c < t->column_cnt; c++) {
			const char *s = cell_at(t, r, c);
			size_t pad = c + 1 < t->column_cnt ? width[c] - text_width(s) + 2 : 0;

			fprintf(out, " %s%*s", s, (int)pad, "");
		}
		fputc('\n', out);
		for (size_t c = 0; r == 0 && c < t->column_cnt; c++)
			for (size_t i = 0; i < width[c] + 3; i++)
				fputc('-', out);
		if (r == 0)
			fputc('\n', out);
	}
	return 0;
}

const char *output_time(long long seconds, char buf[OUTPUT_TIME_LEN])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds < 0 || !localtime_r(&t, &tm) ||
	    strftime(buf, OUTPUT_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return strcpy(buf, "never");
	return buf;
}

const char *output_timestamp(long long microseconds, char buf[OUTPUT_TIME_LEN])
{
	time_t t = (time_t)(microseconds / 1000000);
	struct tm tm;
	size_t len;

	if (!gmtime_r(&t, &tm))
		return strcpy(buf, "-");
	len = strftime(buf, OUTPUT_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf + len, OUTPUT_TIME_LEN - len, ".%03d+0000", (int)(microseconds / 1000 % 1000));
	return buf;
}

void output_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(is_control(*text) ? '?' : *text, out);
}

void output_line(FILE *out, const char *label, const char *value)
{
	char with_colon[32];

	if (!value || !*value)
		return;
	snprintf(with_colon, sizeof(with_colon), "%s:", label);
	fprintf(out, "%-15s ", with_colon);
	output_text(out, value);
	fputc('\n', out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: files of the command line, read whole. */
#include "cli/input.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>

#define INPUT_MAX (512 * 1024) /* more than netd takes: it says what is wrong with one that is too long */

static int read_stream(FILE *in, const char *file, char **ret, struct nd_error *e)
{
	struct nd_buf b = { .max = INPUT_MAX };
	char part[4096];
	size_t n;
	int r = 0;

	while ((n = fread(part, 1, sizeof(part), in)) > 0)
		nd_buf_append(&b, part, n);
	if (ferror(in))
		r = nd_fail_sys(e, errno, NULL, "Failed to read file '%s'", file);
	else if (b.bad)
		r = nd_fail(e, ND_LIMIT, "file '%s' has more than %d bytes", file, INPUT_MAX);
	else if (!(*ret = strdup(nd_buf_string(&b))))
		r = nd_fail(e, ND_MEMORY, "file '%s'", file);
	nd_buf_done(&b);
	return r;
}

int input_read(const char *file, char **ret, struct nd_error *e)
{
	FILE *in;
	int r;

	if (strcmp(file, "-") == 0)
		return read_stream(stdin, "-", ret, e);
	in = fopen(file, "re");
	if (!in && errno == ENOENT)
		return nd_fail(e, ND_NOT_FOUND, "Failed to open file '%s': No such file or directory", file);
	if (!in)
		return nd_fail_sys(e, errno, NULL, "Failed to open file '%s'", file);
	r = read_stream(in, file, ret, e);
	fclose(in);
	return r;
}

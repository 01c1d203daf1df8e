/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cli/run-line.h"

#include <string.h>

void run_done(struct run *r)
{
	free(r->out);
	free(r->err);
}

struct run run_line(const char *line, const struct stub_row *replies, size_t cnt, bool json)
{
	struct stub_server s;
	struct run r = { 0 };
	size_t len;
	struct cli cli = { .json = json, .quiet = strncmp(line, "-q\n", 3) == 0 };
	FILE *in = fmemopen((void *)(line + (cli.quiet ? 3 : 0)), strlen(line) - (cli.quiet ? 3 : 0), "r");

	cli.out = open_memstream(&r.out, &len);
	cli.err = open_memstream(&r.err, &len);
	if (cnt > 0) {
		stub_server_start(&s, replies, cnt);
		cli.socket = s.path;
	}
	r.status = cli_run_lines(&cli, in);
	cli_done(&cli);
	fclose(in);
	fclose(cli.out);
	fclose(cli.err);
	if (cnt > 0)
		stub_server_end(&s, r.calls, sizeof(r.calls));
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: netdctl. Options before the command are its own, those behind it the command's. */
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/shell.h"

#include <signal.h>

static int usage(FILE *out)
{
	fprintf(out, "usage: netdctl [--socket PATH] [--json] [--quiet] [COMMAND [ARGUMENT]...]; see "
		     "'netdctl help'\n");
	return CLI_STATUS_USAGE;
}

/* "--socket P" or "--socket=P" at argv[*i]. Return: P; NULL: something else, or P is missing. */
static const char *socket_option(int argc, char **argv, int *i)
{
	static const char name[] = "--socket";
	size_t len = sizeof(name) - 1;

	if (strncmp(argv[*i], name, len) != 0)
		return NULL;
	if (argv[*i][len] == '=')
		return argv[*i] + len + 1;
	return argv[*i][len] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

int main(int argc, char **argv)
{
	struct cli cli = { .out = stdout, .err = stderr };
	char *const help[] = { "help", NULL }, *const version[] = { "version", NULL };
	int i, status;

	/* A closed pipe behind us ends us as it ends any command. */
	signal(SIGPIPE, SIG_DFL);
	nd_log_init("netdctl", ND_LOG_WARNING);
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *path = socket_option(argc, argv, &i);

		if (path)
			cli.socket = path;
		else if (strcmp(argv[i], "--json") == 0)
			cli.json = true;
		else if (strcmp(argv[i], "--quiet") == 0 || strcmp(argv[i], "-q") == 0)
			cli.quiet = true;
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return cli_run(&cli, 1, (char **)help);
		else if (strcmp(argv[i], "--version") == 0)
			return cli_run(&cli, 1, (char **)version);
		else
			return usage(stderr);
	}
	if (i < argc)
		status = cli_run(&cli, argc - i, argv + i);
	else
		status = isatty(STDIN_FILENO) ? shell_run(&cli) : cli_run_lines(&cli, stdin);
	cli_done(&cli);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("netdctl: standard output");
		return nd_code_exit_status(ND_SYSTEM);
	}
	return status;
}

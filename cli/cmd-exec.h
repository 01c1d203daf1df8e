/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_CMD_EXEC_H
#define ND_CLI_CMD_EXEC_H

#define CMD_EXEC_USAGE                                                                                       \
	"netdctl exec --network NETWORK[,mac=MAC][,name=PORT][,portgroup=GROUP][,queues=N]... [--] COMMAND " \
	"[ARGUMENT]..."
/*
 * Attaches to each --network, puts the open queues into COMMAND's command line (cli/placeholder.h) and environment, and becomes COMMAND. argv[0] is the
 * command's own name ("exec"). socket: netd's, NULL: the default.
 * Return: only when it failed, after writing why to stderr: the exit status, 125 for netd's own errors and wrong usage, 126 when COMMAND cannot be run,
 * 127 when there is none.
 */
int cmd_exec(const char *socket, int argc, char **argv);
#endif

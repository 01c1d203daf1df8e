/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_CLI_H
#define ND_CLI_CLI_H
/*
 * netdctl's commands as rows, and what they share. A command is one row in commands.c and one function in
 * cmd-*.c; help, the reading of arguments, and the test of the manual page walk the rows.
 */
#include "base/error.h"
#include "cli/client.h"
#include <stdbool.h>
#include <stdio.h>

#define CLI_STATUS_USAGE 2 /* the others: nd_code_exit_status */
#define CLI_OPTIONS_MAX  8 /* per command */
#define CLI_WORDS_MAX    2

struct cli {
	const char *socket; /* --socket; NULL: client_open's default */
	bool json;
	FILE *out, *err;
	struct client *client; /* opened with the first call */
};

struct cli_option {
	const char *name;  /* "--all" */
	const char *value; /* what it is followed by: "NETWORK"; NULL: nothing */
	const char *text;
};
struct cli_args { /* by the row's order */
	bool set[CLI_OPTIONS_MAX];
	const char *value[CLI_OPTIONS_MAX]; /* NULL unless set and one with a value */
	const char *word[CLI_WORDS_MAX];    /* NULL: not given */
};
struct cli_command {
	const char *name;
	const char *words; /* "NETWORK [MAC]": those in brackets may be left out; "" none */
	const char *text;
	const struct cli_option *options;
	size_t option_cnt;
	/* Return: exit status. Everything has been printed. */
	int (*run)(struct cli *cli, const struct cli_args *args);
	/* Instead of run, where the command reads its own arguments; argv[0] is its name. */
	int (*run_raw)(struct cli *cli, int argc, char **argv);
};
extern const struct cli_command cli_commands[];
extern const size_t cli_command_cnt;

const struct cli_command *cli_command_find(const char *name); /* NULL: none */
/*
 * Reads arguments by the row. argv[0]: the command's name. Strings are borrowed from argv. Return: 0, or
 * ND_INVALID with what is wrong and the usage.
 */
int cli_args_parse(const struct cli_command *cmd, int argc, char **argv, struct cli_args *ret,
		   struct nd_error *e);
/* Finds, reads, runs. Return: exit status. */
int cli_run(struct cli *cli, int argc, char **argv);
/*
 * A command a line, '#' comments; goes on after failures. prompt: NULL none. Return: exit status of the last
 * one that failed, or 0.
 */
int cli_run_lines(struct cli *cli, FILE *in, const char *prompt);
void cli_done(struct cli *cli); /* the connection */
/* "net-dhcp-leases NETWORK [MAC] [--x]" without a newline. */
void cli_usage(const struct cli_command *cmd, FILE *out);

/* One line on err: "error: …", or the error as JSON. Return: its exit status. */
int cli_error(struct cli *cli, const struct nd_error *e);
/* The connection, opened when there is none that works. NULL: failed, error printed, *ret_status set. */
struct client *cli_client(struct cli *cli, int *ret_status);
/*
 * One call; params `taken`. Return: 0 and *ret (the caller's; ret may be NULL), or the exit status of a
 * printed error.
 */
int cli_call(struct cli *cli, const char *method, json_t *params, json_t **ret);
/* The reply as JSON, for --json. Return: 0 */
int cli_print_json(struct cli *cli, const json_t *reply);

/* cmd-network.c */
int cmd_net_list(struct cli *cli, const struct cli_args *args);
int cmd_net_info(struct cli *cli, const struct cli_args *args);
int cmd_net_dumpxml(struct cli *cli, const struct cli_args *args);
int cmd_net_define(struct cli *cli, const struct cli_args *args);
int cmd_net_create(struct cli *cli, const struct cli_args *args);
int cmd_net_start(struct cli *cli, const struct cli_args *args);
int cmd_net_destroy(struct cli *cli, const struct cli_args *args);
int cmd_net_undefine(struct cli *cli, const struct cli_args *args);
int cmd_net_autostart(struct cli *cli, const struct cli_args *args);
int cmd_net_dhcp_leases(struct cli *cli, const struct cli_args *args);
/* cmd-port.c */
int cmd_port_list(struct cli *cli, const struct cli_args *args);
int cmd_port_info(struct cli *cli, const struct cli_args *args);
int cmd_port_detach(struct cli *cli, const struct cli_args *args);
/* cmd-event.c */
int cmd_net_event(struct cli *cli, const struct cli_args *args);
/* cmd-daemon.c */
int cmd_reload(struct cli *cli, const struct cli_args *args);
int cmd_version(struct cli *cli, const struct cli_args *args);
int cmd_help(struct cli *cli, const struct cli_args *args);

/* The options of the rows, by index into cli_args. */
enum {
	NET_LIST_ALL,
	NET_LIST_INACTIVE,
	NET_LIST_NAME,
	NET_LIST_UUID,
	NET_LIST_PERSISTENT,
	NET_LIST_TRANSIENT,
	NET_LIST_AUTOSTART
};
enum { NET_DUMPXML_INACTIVE };
enum { NET_DESTROY_FORCE };
enum { NET_AUTOSTART_DISABLE, NET_AUTOSTART_ON_ATTACH };
enum {
	NET_EVENT_ALL,
	NET_EVENT_EVENT,
	NET_EVENT_LOOP,
	NET_EVENT_COUNT,
	NET_EVENT_TIMEOUT,
	NET_EVENT_TIMESTAMP,
	NET_EVENT_AFTER
};
enum { PORT_LIST_NETWORK };
#endif

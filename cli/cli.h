/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_CLI_H
#define ND_CLI_CLI_H
/*
 * netdctl's commands as rows, and what they share. A command is one row in commands.c and one function in
 * cmd-*.c; the reading of arguments, help, completion, docs/json.md and the test of the manual page walk the
 * rows.
 */
#include "base/error.h"
#include "cli/client.h"
#include "cli/output.h"
#include "netd/api/api-proto.h"
#include <stdbool.h>
#include <stdio.h>

#define CLI_STATUS_USAGE 2  /* the others: nd_code_exit_status */
#define CLI_STATUS_FOUND 18 /* doctor, explain: something does not work */
#define CLI_OPTIONS_MAX  12 /* per command */
#define CLI_WORDS_MAX    4

struct cli_command;
struct cli_args;
struct cli {
	const char *socket; /* --socket; NULL: client_open's default */
	bool json;
	bool quiet; /* --quiet: results only: no headers, no messages */
	bool quit;  /* no more lines are read */
	FILE *out, *err;
	struct client *client; /* opened with the first call */
	/* Of the command that runs: what its errors are headed with; '*' is its first word. NULL: nothing. */
	const char *failure;
	const struct cli_command *command;
	const struct cli_args *args;
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
	char **rest; /* all that were given for a last word with "...", NULL-ended; heap */
	int rest_cnt;
	bool json; /* --json behind the command */
};
struct cli_command {
	const char *name;
	/*
	 * "NETWORK [MAC]": those in brackets may be left out; "FILE...": one or more; "" none. A word can be
	 * given as an option with its name in small letters, too (--network NETWORK), as virsh has it.
	 */
	const char *words;
	const char *text;
	const struct cli_option *options;
	size_t option_cnt;
	/* Return: exit status. Everything has been printed. */
	int (*run)(struct cli *cli, const struct cli_args *args);
	/* Instead of run, where the command reads its own arguments; argv[0] is its name. */
	int (*run_raw)(struct cli *cli, int argc, char **argv);
	const char *failure;             /* as in struct cli */
	const char *method;              /* --json prints this method's reply */
	const struct api_record *record; /* or, where method is NULL, an object of these fields */
	bool lines; /* --json prints such an object for each thing that happens, a line each */
	bool plain; /* no empty line behind what it prints */
};
extern const struct cli_command cli_commands[];
extern const size_t cli_command_cnt;

const struct cli_command *cli_command_find(const char *name); /* NULL: none */

struct cli_word {
	char name[24];   /* "NETWORK" */
	char option[24]; /* "--network" */
	bool optional, many;
};
/* The i-th word of the row. Return: false when there are not so many. */
bool cli_word_at(const struct cli_command *cmd, int i, struct cli_word *ret);

/* Where the values of a word or option come from, for completion. */
enum cli_source {
	CLI_FROM_NOWHERE,
	CLI_FROM_NETWORKS,
	CLI_FROM_PORTS,
	CLI_FROM_FILES,
	CLI_FROM_COMMANDS,
	CLI_FROM_LIST,
};
struct cli_value {
	const char *command; /* NULL: any */
	const char *value;   /* as in words and options */
	enum cli_source source;
	const char *list; /* of CLI_FROM_LIST: words with blanks between */
};
extern const struct cli_value cli_values[];
extern const size_t cli_value_cnt;
const struct cli_value *cli_value_find(const struct cli_command *cmd, const char *value); /* never NULL */

/*
 * Reads arguments by the row. argv[0]: the command's name. Strings are borrowed from argv. Return: 0, or
 * ND_INVALID with what is wrong. In either case cli_args_done.
 */
int cli_args_parse(const struct cli_command *cmd, int argc, char **argv, struct cli_args *ret,
		   struct nd_error *e);
void cli_args_done(struct cli_args *args);
/* Finds, reads, runs. Return: exit status. */
int cli_run(struct cli *cli, int argc, char **argv);
/* The same for a line as typed. */
int cli_run_line(struct cli *cli, const char *line);
/* A command a line, '#' comments; goes on after failures. Return: status of the last one that failed, or 0. */
int cli_run_lines(struct cli *cli, FILE *in);
void cli_done(struct cli *cli); /* the connection */
/* "net-dhcp-leases NETWORK [MAC] [--x]" without a newline. */
void cli_usage(const struct cli_command *cmd, FILE *out);

/* One line on err: "error: …", or the error as JSON. Return: its exit status. */
int cli_error(struct cli *cli, const struct nd_error *e);
/* What tells that something was done; nothing with --quiet. */
void cli_say(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* t: taken; NULL: there was no memory for it. Return: exit status */
int cli_table(struct cli *cli, struct table *t);
/* The connection, opened when there is none that works. */
int cli_connect(struct cli *cli, struct client **ret, struct nd_error *e);
/* The same. NULL: failed, error printed, *ret_status set. */
struct client *cli_client(struct cli *cli, int *ret_status);
/* One call; params `taken`. Return: 0 and *ret (the caller's; ret may be NULL), or the error. */
int cli_try(struct cli *cli, const char *method, json_t *params, json_t **ret, struct nd_error *e);
/* Puts what was being done around a call's error, by the command's row, and prints it. Return: exit status */
int cli_failed(struct cli *cli, struct nd_error *e);
/* cli_try, then cli_failed. Return: 0 or the exit status */
int cli_call(struct cli *cli, const char *method, json_t *params, json_t **ret);
/* The reply as JSON, for --json. Return: 0 */
int cli_print_json(struct cli *cli, const json_t *reply);
/*
 * An option's number within min and max; *ret is left as it is where it was not given. Return: false after
 * printing the error.
 */
bool cli_number(struct cli *cli, const struct cli_args *args, int option, long long min, long long max,
		long long *ret);
/* A string of a reply, "" where there is none. */
const char *cli_text(const json_t *object, const char *name);

/* cmd-network.c */
int cmd_net_list(struct cli *cli, const struct cli_args *args);
int cmd_net_info(struct cli *cli, const struct cli_args *args);
int cmd_net_name(struct cli *cli, const struct cli_args *args);
int cmd_net_uuid(struct cli *cli, const struct cli_args *args);
int cmd_net_dumpxml(struct cli *cli, const struct cli_args *args);
int cmd_net_start(struct cli *cli, const struct cli_args *args);
int cmd_net_destroy(struct cli *cli, const struct cli_args *args);
int cmd_net_undefine(struct cli *cli, const struct cli_args *args);
int cmd_net_autostart(struct cli *cli, const struct cli_args *args);
int cmd_net_dhcp_leases(struct cli *cli, const struct cli_args *args);
int cmd_lease_release(struct cli *cli, const struct cli_args *args);
/* cmd-define.c */
int cmd_net_define(struct cli *cli, const struct cli_args *args);
int cmd_net_create(struct cli *cli, const struct cli_args *args);
int cmd_net_edit(struct cli *cli, const struct cli_args *args);
int cmd_net_apply(struct cli *cli, const struct cli_args *args);
/* cmd-define-as.c */
int cmd_net_define_as(struct cli *cli, const struct cli_args *args);
/* cmd-change.c */
int cmd_net_update(struct cli *cli, const struct cli_args *args);
int cmd_net_desc(struct cli *cli, const struct cli_args *args);
int cmd_net_metadata(struct cli *cli, const struct cli_args *args);
/* cmd-port.c */
int cmd_net_port_list(struct cli *cli, const struct cli_args *args);
int cmd_net_port_create(struct cli *cli, const struct cli_args *args);
int cmd_net_port_dumpxml(struct cli *cli, const struct cli_args *args);
int cmd_net_port_delete(struct cli *cli, const struct cli_args *args);
int cmd_port_list(struct cli *cli, const struct cli_args *args);
int cmd_port_info(struct cli *cli, const struct cli_args *args);
int cmd_port_detach(struct cli *cli, const struct cli_args *args);
/* cmd-wait.c */
int cmd_port_wait(struct cli *cli, const struct cli_args *args);
/* cmd-forward.c */
int cmd_forward_add(struct cli *cli, const struct cli_args *args);
int cmd_forward_remove(struct cli *cli, const struct cli_args *args);
int cmd_forward_list(struct cli *cli, const struct cli_args *args);
/* cmd-bandwidth.c */
int cmd_port_bandwidth(struct cli *cli, const struct cli_args *args);
/* cmd-event.c */
int cmd_net_event(struct cli *cli, const struct cli_args *args);
int cmd_monitor(struct cli *cli, const struct cli_args *args);
/* cmd-daemon.c */
int cmd_reload(struct cli *cli, const struct cli_args *args);
int cmd_counters(struct cli *cli, const struct cli_args *args);
int cmd_version(struct cli *cli, const struct cli_args *args);
int cmd_help(struct cli *cli, const struct cli_args *args);
int cmd_quit(struct cli *cli, const struct cli_args *args);
/* cmd-libvirt.c */
int cmd_libvirt_publish(struct cli *cli, const struct cli_args *args);
/* cmd-doctor.c */
int cmd_doctor(struct cli *cli, const struct cli_args *args);
int cmd_explain(struct cli *cli, const struct cli_args *args);
/* cmd-hostbridge.c */
int cmd_host_bridge_create(struct cli *cli, const struct cli_args *args);
int cmd_host_bridge_confirm(struct cli *cli, const struct cli_args *args);
int cmd_host_bridge_remove(struct cli *cli, const struct cli_args *args);
int cmd_host_bridge_list(struct cli *cli, const struct cli_args *args);
/* cmd-completion.c */
int cmd_completion(struct cli *cli, const struct cli_args *args);

/* The options of the rows, by index into cli_args. */
enum {
	NET_LIST_ALL,
	NET_LIST_INACTIVE,
	NET_LIST_PERSISTENT,
	NET_LIST_TRANSIENT,
	NET_LIST_AUTOSTART,
	NET_LIST_NO_AUTOSTART,
	NET_LIST_UUID,
	NET_LIST_NAME,
	NET_LIST_TABLE,
};
enum {
	HOST_BRIDGE_CREATE_PORT,
	HOST_BRIDGE_CREATE_CONFIRM,
	HOST_BRIDGE_CREATE_DRY_RUN,
	HOST_BRIDGE_CREATE_NO_PERSIST,
};
enum { NET_INFO_DETAILS };
enum { DOCTOR_FIX };
enum { EXPLAIN_FROM, EXPLAIN_TO, EXPLAIN_PROTO };
enum { NET_DUMPXML_INACTIVE, NET_DUMPXML_XPATH, NET_DUMPXML_WRAP };
enum { NET_DEFINE_VALIDATE };
enum {
	NET_DEFINE_AS_MODE,
	NET_DEFINE_AS_SUBNET,
	NET_DEFINE_AS_DHCP,
	NET_DEFINE_AS_BRIDGE,
	NET_DEFINE_AS_DEV,
	NET_DEFINE_AS_DOMAIN,
	NET_DEFINE_AS_MTU,
	NET_DEFINE_AS_AUTOSTART,
	NET_DEFINE_AS_PRINT_XML,
};
enum { NET_APPLY_DRY_RUN, NET_APPLY_RESTART };
enum { TARGET_LIVE, TARGET_CONFIG, TARGET_CURRENT, TARGET_CNT_ }; /* the first ones of the next three */
enum { NET_UPDATE_PARENT = TARGET_CNT_ };
enum { NET_DESC_TITLE = TARGET_CNT_, NET_DESC_EDIT };
enum { NET_METADATA_KEY = TARGET_CNT_, NET_METADATA_SET, NET_METADATA_REMOVE, NET_METADATA_EDIT };
enum { NET_DESTROY_FORCE };
enum { NET_AUTOSTART_DISABLE, NET_AUTOSTART_ON_ATTACH };
enum {
	NET_EVENT_ALL,
	NET_EVENT_NETWORK,
	NET_EVENT_EVENT,
	NET_EVENT_LOOP,
	NET_EVENT_COUNT,
	NET_EVENT_TIMEOUT,
	NET_EVENT_TIMESTAMP,
	NET_EVENT_AFTER,
	NET_EVENT_LIST,
};
enum { MONITOR_SINCE, MONITOR_COUNT };
enum { NET_PORT_CREATE_VALIDATE };
enum { NET_PORT_LIST_UUID, NET_PORT_LIST_TABLE };
enum { PORT_BANDWIDTH_INBOUND, PORT_BANDWIDTH_OUTBOUND };
enum { PORT_LIST_NETWORK, PORT_LIST_NAME };
enum { PORT_WAIT_IP, PORT_WAIT_TIMEOUT };
enum { FORWARD_LIVE, FORWARD_CONFIG };
enum { LIBVIRT_PUBLISH_CONNECT, LIBVIRT_PUBLISH_REMOVE, LIBVIRT_PUBLISH_WATCH };
#endif

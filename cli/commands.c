// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: netdctl's command rows
 *
 * Names, options and messages are virsh's where virsh has them, so that fingers and scripts find what they
 * know. docs/netdctl.1 is compared with these rows by a test.
 */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cmd-exec.h"

#define OPTIONS(o) o, ARRAY_LEN(o)

static const struct cli_option net_list_options[] = {
	[NET_LIST_ALL] = { "--all", NULL, "inactive ones, too" },
	[NET_LIST_INACTIVE] = { "--inactive", NULL, "only inactive ones" },
	[NET_LIST_NAME] = { "--name", NULL, "names only, one a line" },
	[NET_LIST_UUID] = { "--uuid", NULL, "UUIDs only, one a line" },
	[NET_LIST_PERSISTENT] = { "--persistent", NULL, "only those with a definition on disk" },
	[NET_LIST_TRANSIENT] = { "--transient", NULL, "only those without" },
	[NET_LIST_AUTOSTART] = { "--autostart", NULL, "only those that start by themselves" },
};
static const struct cli_option net_dumpxml_options[] = {
	[NET_DUMPXML_INACTIVE] = { "--inactive", NULL, "what the next start uses, not what runs" },
};
static const struct cli_option net_destroy_options[] = {
	[NET_DESTROY_FORCE] = { "--force", NULL, "even with ports: their guests lose the network" },
};
static const struct cli_option net_autostart_options[] = {
	[NET_AUTOSTART_DISABLE] = { "--disable", NULL, "do not start it by itself" },
	[NET_AUTOSTART_ON_ATTACH] = { "--on-attach", NULL, "start it when the first guest wants a port" },
};
static const struct cli_option net_event_options[] = {
	[NET_EVENT_ALL] = { "--all", NULL, "events of every kind; also without --event" },
	[NET_EVENT_EVENT] = { "--event", "KIND", "only of this kind; 'lifecycle' is virsh's four kinds" },
	[NET_EVENT_LOOP] = { "--loop", NULL, "until interrupted; also without --count and --timeout" },
	[NET_EVENT_COUNT] = { "--count", "NUMBER", "end after so many" },
	[NET_EVENT_TIMEOUT] = { "--timeout", "SECONDS", "end after so long" },
	[NET_EVENT_TIMESTAMP] = { "--timestamp", NULL, "with date and time" },
	[NET_EVENT_AFTER] = { "--after", "SEQUENCE", "first those since this one that netd still has" },
};
static const struct cli_option port_list_options[] = {
	[PORT_LIST_NETWORK] = { "--network", "NETWORK", "only those of this network" },
};

static int run_exec(struct cli *cli, int argc, char **argv)
{
	return cmd_exec(cli->socket, argc, argv);
}

const struct cli_command cli_commands[] = {
	{ "net-list", "", "list networks: the active ones", OPTIONS(net_list_options), cmd_net_list },
	{ "net-info", "NETWORK", "what there is to know about a network", .run = cmd_net_info },
	{ "net-dumpxml", "NETWORK", "a network's XML", OPTIONS(net_dumpxml_options), cmd_net_dumpxml },
	{ "net-define", "FILE", "define a network or change its definition, from XML ('-': standard input)",
	  .run = cmd_net_define },
	{ "net-create", "FILE", "start a network from XML without keeping it ('-': standard input)",
	  .run = cmd_net_create },
	{ "net-start", "NETWORK", "start a defined network", .run = cmd_net_start },
	{ "net-destroy", "NETWORK", "stop a network", OPTIONS(net_destroy_options), cmd_net_destroy },
	{ "net-undefine", "NETWORK",
	  "remove a network's definition; if it runs, it goes on until it is stopped",
	  .run = cmd_net_undefine },
	{ "net-autostart", "NETWORK", "start a network when netd starts", OPTIONS(net_autostart_options),
	  cmd_net_autostart },
	{ "net-dhcp-leases", "NETWORK [MAC]", "the DHCP leases of a network, or of one MAC on it",
	  .run = cmd_net_dhcp_leases },
	{ "net-event", "", "show events as they happen", OPTIONS(net_event_options), cmd_net_event },
	{ "port-list", "", "list ports", OPTIONS(port_list_options), cmd_port_list },
	{ "port-info", "PORT", "what there is to know about a port: by UUID, name, interface or MAC",
	  .run = cmd_port_info },
	{ "port-detach", "PORT", "end a port: its guest loses the network", .run = cmd_port_detach },
	{ "exec", "COMMAND [ARGUMENT]...",
	  "attach to networks, then become COMMAND with the open TAP devices in its command line",
	  .run_raw = run_exec },
	{ "reload", "", "read the definitions' files again", .run = cmd_reload },
	{ "version", "", "versions of netdctl and netd", .run = cmd_version },
	{ "help", "[COMMAND]", "all commands, or one", .run = cmd_help },
};
const size_t cli_command_cnt = ARRAY_LEN(cli_commands);

const struct cli_command *cli_command_find(const char *name)
{
	for (size_t i = 0; i < cli_command_cnt; i++)
		if (strcmp(cli_commands[i].name, name) == 0)
			return &cli_commands[i];
	return NULL;
}

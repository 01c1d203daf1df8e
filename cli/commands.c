// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: netdctl's command rows
 *
 * Names, options and messages are virsh's where virsh has them, so that fingers and scripts find what they
 * know. docs/netdctl.1 is compared with these rows by a test; docs/json.md and the shells' completion are
 * made from them.
 */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cmd-exec.h"

#define OPTIONS(o) o, ARRAY_LEN(o)
#define FIELDS(f)  f, ARRAY_LEN(f)

static const struct cli_option net_list_options[] = {
	[NET_LIST_ALL] = { "--all", NULL, "inactive ones, too" },
	[NET_LIST_INACTIVE] = { "--inactive", NULL, "only inactive ones" },
	[NET_LIST_PERSISTENT] = { "--persistent", NULL, "only those with a definition on disk" },
	[NET_LIST_TRANSIENT] = { "--transient", NULL, "only those without" },
	[NET_LIST_AUTOSTART] = { "--autostart", NULL, "only those that start by themselves" },
	[NET_LIST_NO_AUTOSTART] = { "--no-autostart", NULL, "only those that do not" },
	[NET_LIST_UUID] = { "--uuid", NULL, "UUIDs only, one a line" },
	[NET_LIST_NAME] = { "--name", NULL, "names only, one a line" },
	[NET_LIST_TABLE] = { "--table", NULL, "a table, as without options" },
};
static const struct cli_option net_info_options[] = {
	[NET_INFO_DETAILS] = { "--details", NULL, "more than virsh tells: subnets, ranges, ports" },
};
static const struct cli_option net_dumpxml_options[] = {
	[NET_DUMPXML_INACTIVE] = { "--inactive", NULL, "what the next start uses, not what runs" },
	[NET_DUMPXML_XPATH] = { "--xpath", "EXPRESSION", "only the nodes that it finds" },
	[NET_DUMPXML_WRAP] = { "--wrap", NULL, "put these into one root element, <nodes>" },
};
static const struct cli_option net_define_options[] = {
	[NET_DEFINE_VALIDATE] = { "--validate", NULL, "refuse what would only be a warning" },
};
static const struct cli_option net_define_as_options[] = {
	[NET_DEFINE_AS_MODE] = { "--mode", "MODE",
				 "nat (when missing), isolated, route, open, bridge, or with --dev macvtap, "
				 "private, vepa, passthrough" },
	[NET_DEFINE_AS_SUBNET] = { "--subnet", "SUBNET",
				   "auto (when missing): netd chooses; or ADDRESS/LENGTH of the bridge" },
	[NET_DEFINE_AS_DHCP] = { "--dhcp", "DHCP",
				 "auto (when missing): the whole subnet; FIRST-LAST; or none" },
	[NET_DEFINE_AS_BRIDGE] = { "--bridge", "BRIDGE", "the bridge's name; of --mode bridge the host's" },
	[NET_DEFINE_AS_DEV] = { "--dev", "DEV",
				"of the macvtap modes the host's interface, or several: eth0,eth1" },
	[NET_DEFINE_AS_DOMAIN] = { "--domain", "DOMAIN", "the guests' DNS domain" },
	[NET_DEFINE_AS_MTU] = { "--mtu", "BYTES", "of the bridge and its guests" },
	[NET_DEFINE_AS_AUTOSTART] = { "--autostart", "WHEN", "no, boot or on-attach" },
	[NET_DEFINE_AS_PRINT_XML] = { "--print-xml", NULL, "print the XML and define nothing" },
};
static const struct cli_option net_apply_options[] = {
	[NET_APPLY_DRY_RUN] = { "--dry-run", NULL, "print the plan and change nothing" },
	[NET_APPLY_RESTART] = { "--restart", NULL, "restart networks where a change needs it" },
};
#define TARGETS                                                                              \
	[TARGET_LIVE] = { "--live", NULL, "change what runs" },                              \
	[TARGET_CONFIG] = { "--config", NULL, "change the definition, for the next start" }, \
	[TARGET_CURRENT] = { "--current", NULL, "what runs, else the definition; as without options" }
static const struct cli_option net_update_options[] = {
	TARGETS,
	[NET_UPDATE_PARENT] = { "--parent-index", "NUMBER", "which ip element, from 0" },
};
static const struct cli_option net_desc_options[] = {
	TARGETS,
	[NET_DESC_TITLE] = { "--title", NULL, "the title, not the description" },
	[NET_DESC_EDIT] = { "--edit", NULL, "change it with an editor" },
};
static const struct cli_option net_metadata_options[] = {
	TARGETS,
	[NET_METADATA_KEY] = { "--key", "KEY", "prefix that a set element gets" },
	[NET_METADATA_SET] = { "--set", "XML", "the element" },
	[NET_METADATA_REMOVE] = { "--remove", NULL, "remove the element" },
	[NET_METADATA_EDIT] = { "--edit", NULL, "change it with an editor" },
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
	[NET_EVENT_NETWORK] = { "--network", "NETWORK", "only those of this network" },
	[NET_EVENT_EVENT] = { "--event", "KIND",
			      "only of this kind, and only the first; 'lifecycle' is virsh's four kinds" },
	[NET_EVENT_LOOP] = { "--loop", NULL, "until interrupted; also without --event and --timeout" },
	[NET_EVENT_COUNT] = { "--count", "NUMBER", "end after so many" },
	[NET_EVENT_TIMEOUT] = { "--timeout", "SECONDS", "end after so long" },
	[NET_EVENT_TIMESTAMP] = { "--timestamp", NULL, "with date and time" },
	[NET_EVENT_AFTER] = { "--after", "SEQUENCE", "first those since this one that netd still has" },
	[NET_EVENT_LIST] = { "--list", NULL, "the kinds there are" },
};
static const struct cli_option monitor_options[] = {
	[MONITOR_SINCE] = { "--since", "SEQUENCE", "first those since this one that netd still has" },
	[MONITOR_COUNT] = { "--count", "NUMBER", "end after so many" },
};
static const struct cli_option net_port_create_options[] = {
	[NET_PORT_CREATE_VALIDATE] = { "--validate", NULL, "refuse what would only be a warning" },
};
static const struct cli_option net_port_list_options[] = {
	[NET_PORT_LIST_UUID] = { "--uuid", NULL, "UUIDs only, one a line" },
	[NET_PORT_LIST_TABLE] = { "--table", NULL, "a table, as without options" },
};
static const struct cli_option port_bandwidth_options[] = {
	[PORT_BANDWIDTH_INBOUND] = { "--inbound", "AVERAGE,PEAK,BURST,FLOOR",
				     "set it towards the guest: kB/s, kB/s, KiB, kB/s; 0: no limit" },
	[PORT_BANDWIDTH_OUTBOUND] = { "--outbound", "AVERAGE,PEAK,BURST", "set it from the guest" },
};
static const struct cli_option port_list_options[] = {
	[PORT_LIST_NETWORK] = { "--network", "NETWORK", "only those of this network" },
	[PORT_LIST_NAME] = { "--name", NULL, "names only, one a line; the interface where there is none" },
};

static const struct cli_option port_wait_options[] = {
	[PORT_WAIT_IP] = { "--ip", NULL, "until it has an address, too" },
	[PORT_WAIT_TIMEOUT] = { "--timeout", "SECONDS", "no longer than this" },
};

static const struct cli_option forward_options[] = {
	[FORWARD_LIVE] = { "--live", NULL, "only what runs" },
	[FORWARD_CONFIG] = { "--config", NULL, "only the definition; without either: both" },
};
static const struct cli_option libvirt_publish_options[] = {
	[LIBVIRT_PUBLISH_CONNECT] = { "--connect", "URI", "of the libvirt daemon, else qemu:///system" },
	[LIBVIRT_PUBLISH_REMOVE] = { "--remove", NULL, "take it away there" },
	[LIBVIRT_PUBLISH_WATCH] = { "--watch", NULL,
				    "stay, and follow what becomes of the network until a signal comes" },
};
static const struct cli_option doctor_options[] = {
	[DOCTOR_FIX] = { "--fix", NULL,
			 "first make again what netd itself claims: settings, devices, rules" },
};
static const struct cli_option explain_options[] = {
	[EXPLAIN_FROM] = { "--from", "END", "outside, host, a port, or an address" },
	[EXPLAIN_TO] = { "--to", "END[:PORT]", "outside, host, a port, or an address" },
	[EXPLAIN_PROTO] = { "--proto", "PROTOCOL", "tcp (when there is a port), udp or icmp: ping" },
};
static const struct cli_option host_bridge_create_options[] = {
	[HOST_BRIDGE_CREATE_PORT] = { "--port", "NIC", "the NIC that becomes its port" },
	[HOST_BRIDGE_CREATE_CONFIRM] = { "--confirm", "SECONDS",
					 "take it back unless host-bridge-confirm comes within that" },
	[HOST_BRIDGE_CREATE_DRY_RUN] = { "--dry-run", NULL, "print steps and files, and change nothing" },
	[HOST_BRIDGE_CREATE_NO_PERSIST] = { "--no-persist", NULL,
					    "write no files: it does not survive a reboot" },
};
static const struct cli_option exec_options[] = {
	{ "--network", "NETWORK", "attach to it; once for each device" },
};

static int run_exec(struct cli *cli, int argc, char **argv)
{
	return cmd_exec(cli->socket, argc, argv);
}

/* What --json prints where it is not a method's reply. */

static const struct api_field edit_fields[] = {
	{ "changed", API_BOOL, "whether the editor left something else" },
	{ "name", API_STRING, "of the network afterwards" },
};
static const struct api_record edit = { "Edit", "", FIELDS(edit_fields) };
static const struct api_field text_fields[] = {
	{ "changed", API_BOOL },
	{ "value", API_STRING, "where it was asked for and there is one", API_OPTIONAL },
};
static const struct api_record text = { "Text", "", FIELDS(text_fields) };
static const struct api_field apply_fields[] = {
	{ "plans", API_RECORD, "one for each file, in their order", API_ARRAY, &api_plan_record },
	{ "applied", API_BOOL, "false with --dry-run" },
};
static const struct api_record apply = { "Apply", "", FIELDS(apply_fields) };
static const struct api_field publication_fields[] = {
	{ "network", API_STRING, "its name, in libvirt as well" },
	{ "connect", API_STRING, "URI of the libvirt daemon" },
	{ "state", API_STRING, "there: published, stopped or removed" },
	{ "bridge", API_STRING, "of netd's network, empty where none is known" },
	{ "changed", API_BOOL, "false: it was so already" },
};
static const struct api_record publication = { "Publication", "", FIELDS(publication_fields) };
static const struct api_field help_option_fields[] = {
	{ "name", API_STRING },
	{ "value", API_STRING, "what it is followed by", API_OPTIONAL },
	{ "text", API_STRING },
};
static const struct api_record help_option = { "HelpOption", "", FIELDS(help_option_fields) };
static const struct api_field help_command_fields[] = {
	{ "name", API_STRING },
	{ "words", API_STRING },
	{ "text", API_STRING },
	{ "options", API_RECORD, NULL, API_ARRAY, &help_option },
};
static const struct api_record help_command = { "HelpCommand", "", FIELDS(help_command_fields) };
static const struct api_field help_fields[] = {
	{ "commands", API_RECORD, NULL, API_ARRAY, &help_command },
};
static const struct api_record help = { "Help", "", FIELDS(help_fields) };
static const struct api_field completion_fields[] = { { "script", API_STRING } };
static const struct api_record completion = { "Completion", "", FIELDS(completion_fields) };
static const struct api_record nothing = { "Nothing", "", NULL, 0 };

const struct cli_command cli_commands[] = {
	{ "net-list", "", "list networks: the active ones", OPTIONS(net_list_options), cmd_net_list,
	  .failure = "Failed to list networks", .method = "ListNetworks" },
	{ "net-info", "NETWORK", "what there is to know about a network", OPTIONS(net_info_options),
	  cmd_net_info, .method = "GetNetwork" },
	{ "net-name", "NETWORK", "the name that belongs to a UUID", .run = cmd_net_name,
	  .failure = "failed to get network '*'", .method = "GetNetwork" },
	{ "net-uuid", "NETWORK", "the UUID that belongs to a name", .run = cmd_net_uuid,
	  .failure = "failed to get network '*'", .method = "GetNetwork" },
	{ "net-dumpxml", "NETWORK", "a network's XML", OPTIONS(net_dumpxml_options), cmd_net_dumpxml,
	  .method = "DumpNetwork" },
	{ "net-define", "FILE", "define a network or change its definition, from XML ('-': standard input)",
	  OPTIONS(net_define_options), cmd_net_define, .failure = "Failed to define network from *",
	  .method = "DefineNetwork" },
	{ "net-define-as", "NAME", "define a network without a file", OPTIONS(net_define_as_options),
	  cmd_net_define_as, .failure = "Failed to define network *", .method = "DefineNetwork" },
	{ "net-create", "FILE", "start a network from XML without keeping it ('-': standard input)",
	  OPTIONS(net_define_options), cmd_net_create, .failure = "Failed to create network from *",
	  .method = "CreateNetwork" },
	{ "net-edit", "NETWORK", "change a network's definition with an editor", .run = cmd_net_edit,
	  .record = &edit },
	{ "net-apply", "FILE|DIR...", "make networks what files say they are, with a plan first",
	  OPTIONS(net_apply_options), cmd_net_apply, .record = &apply },
	{ "net-update", "NETWORK COMMAND SECTION XML",
	  "add, delete or change one element of a network, also while it runs", OPTIONS(net_update_options),
	  cmd_net_update, .failure = "Failed to update network *", .method = "UpdateNetwork" },
	{ "net-desc", "NETWORK [NEW-DESC]...", "show or set a network's description or title",
	  OPTIONS(net_desc_options), cmd_net_desc, .record = &text },
	{ "net-metadata", "NETWORK URI", "show, set or remove a network's metadata element of a namespace",
	  OPTIONS(net_metadata_options), cmd_net_metadata, .record = &text },
	{ "net-start", "NETWORK", "start a defined network", .run = cmd_net_start,
	  .failure = "Failed to start network *", .method = "StartNetwork" },
	{ "net-destroy", "NETWORK", "stop a network", OPTIONS(net_destroy_options), cmd_net_destroy,
	  .failure = "Failed to destroy network *", .method = "DestroyNetwork" },
	{ "net-undefine", "NETWORK",
	  "remove a network's definition; if it runs, it goes on until it is stopped",
	  .run = cmd_net_undefine, .failure = "Failed to undefine network *", .method = "UndefineNetwork" },
	{ "net-autostart", "NETWORK", "start a network when netd starts", OPTIONS(net_autostart_options),
	  cmd_net_autostart, .failure = "failed to mark network * as autostarted", .method = "SetAutostart" },
	{ "net-dhcp-leases", "NETWORK [MAC]", "the DHCP leases of a network, or of one MAC on it",
	  .run = cmd_net_dhcp_leases, .failure = "Failed to get leases info for *", .method = "ListLeases" },
	{ "lease-release", "NETWORK LEASE", "end the lease of an address, or those of a MAC",
	  .run = cmd_lease_release, .failure = "Failed to release a lease of network *",
	  .method = "ReleaseLease" },
	{ "net-event", "", "show events as they happen", OPTIONS(net_event_options), cmd_net_event,
	  .record = &api_event_record, .lines = true },
	{ "monitor", "", "show every event with its number, across restarts of netd",
	  OPTIONS(monitor_options), cmd_monitor, .method = "Monitor", .lines = true, .plain = true },
	{ "net-port-list", "NETWORK", "list a network's ports by UUID", OPTIONS(net_port_list_options),
	  cmd_net_port_list, .failure = "Failed to list network ports", .method = "ListPorts" },
	{ "net-port-create", "NETWORK FILE",
	  "announce a port for a device that another program makes, from XML ('-': standard input)",
	  OPTIONS(net_port_create_options), cmd_net_port_create, .method = "CreatePort" },
	{ "net-port-dumpxml", "NETWORK PORT", "a port's XML", .run = cmd_net_port_dumpxml,
	  .method = "DumpPort" },
	{ "net-port-delete", "NETWORK PORT", "end a port of a network: its guest loses the network",
	  .run = cmd_net_port_delete, .method = "Detach" },
	{ "port-list", "", "list ports", OPTIONS(port_list_options), cmd_port_list, .method = "ListPorts" },
	{ "port-info", "PORT", "what there is to know about a port: by UUID, name, interface or MAC",
	  .run = cmd_port_info, .method = "GetPort" },
	{ "port-wait", "PORT", "wait until a port is there, and show its address", OPTIONS(port_wait_options),
	  cmd_port_wait, .failure = "Failed to wait for port *", .method = "GetPort" },
	{ "port-bandwidth", "PORT", "show or set how fast a port's frames may go",
	  OPTIONS(port_bandwidth_options), cmd_port_bandwidth, .method = "GetPortBandwidth" },
	{ "port-detach", "PORT", "end a port: its guest loses the network", .run = cmd_port_detach,
	  .method = "Detach" },
	{ "forward-add", "NETWORK FORWARD...",
	  "publish a port of the host: [tcp|udp] [ADDRESS:]PORT[-PORT] GUEST[:PORT]",
	  OPTIONS(forward_options), cmd_forward_add, .failure = "Failed to publish a port of network *",
	  .method = "AddForward" },
	{ "forward-remove", "NETWORK FORWARD...", "publish it no more: [tcp|udp] [ADDRESS:]PORT[-PORT]",
	  OPTIONS(forward_options), cmd_forward_remove,
	  .failure = "Failed to remove a published port of network *", .method = "RemoveForward" },
	{ "forward-list", "[NETWORK]", "published ports, where they go, and whether they work",
	  .run = cmd_forward_list, .method = "ListForwards" },
	{ "exec", "COMMAND [ARGUMENT]...",
	  "attach to networks, then become COMMAND with the open TAP devices in its command line",
	  OPTIONS(exec_options), .run_raw = run_exec },
	{ "libvirt-publish", "NETWORK", "make a network one of a monolithic libvirtd's, too",
	  OPTIONS(libvirt_publish_options), cmd_libvirt_publish, .failure = "Failed to publish network *",
	  .record = &publication, .lines = true },
	{ "doctor", "[NETWORK]", "look for what is wrong with the host and networks, and what mends it",
	  OPTIONS(doctor_options), cmd_doctor, .method = "Doctor" },
	{ "explain", "", "which rule of whom decides on a packet's way through this host",
	  OPTIONS(explain_options), cmd_explain, .method = "Explain" },
	{ "host-bridge-create", "BRIDGE", "put a NIC of this host into a new bridge, for guests on its LAN",
	  OPTIONS(host_bridge_create_options), cmd_host_bridge_create,
	  .failure = "Failed to create host bridge *", .method = "CreateHostBridge" },
	{ "host-bridge-confirm", "BRIDGE", "say that a new host bridge stays", .run = cmd_host_bridge_confirm,
	  .failure = "Failed to confirm host bridge *", .method = "ConfirmHostBridge" },
	{ "host-bridge-remove", "BRIDGE", "give the NIC back what its host bridge has",
	  .run = cmd_host_bridge_remove, .failure = "Failed to remove host bridge *",
	  .method = "RemoveHostBridge" },
	{ "host-bridge-list", "", "list host bridges", .run = cmd_host_bridge_list,
	  .method = "ListHostBridges" },
	{ "reload", "", "read the definitions' files again", .run = cmd_reload, .method = "Reload" },
	{ "counters", "", "what the DHCP server received, answered and dropped, by reason",
	  .run = cmd_counters, .method = "GetCounters" },
	{ "completion", "SHELL", "what makes bash or zsh complete netdctl's command lines",
	  .run = cmd_completion, .record = &completion, .plain = true },
	{ "version", "", "versions of netdctl and netd", .run = cmd_version, .method = "GetVersion",
	  .plain = true },
	{ "help", "[COMMAND]", "all commands, or one", .run = cmd_help, .record = &help, .plain = true },
	{ "quit", "", "end the interactive shell", .run = cmd_quit, .record = &nothing, .plain = true },
};
const size_t cli_command_cnt = ARRAY_LEN(cli_commands);

const struct cli_command *cli_command_find(const char *name)
{
	for (size_t i = 0; i < cli_command_cnt; i++)
		if (strcmp(cli_commands[i].name, name) == 0)
			return &cli_commands[i];
	return NULL;
}

/* A command's own row stands before the one for any. */
const struct cli_value cli_values[] = {
	{ NULL, "NETWORK", CLI_FROM_NETWORKS, NULL },
	{ NULL, "PORT", CLI_FROM_PORTS, NULL },
	{ NULL, "FILE", CLI_FROM_FILES, NULL },
	{ NULL, "FILE|DIR", CLI_FROM_FILES, NULL },
	{ "exec", "COMMAND", CLI_FROM_FILES, NULL },
	{ "exec", "ARGUMENT", CLI_FROM_FILES, NULL },
	{ "net-update", "COMMAND", CLI_FROM_LIST, "add add-first add-last delete modify" },
	{ "net-update", "SECTION", CLI_FROM_LIST,
	  "bridge domain ip ip-dhcp-host ip-dhcp-range forward forward-interface forward-pf portgroup "
	  "dns-host "
	  "dns-txt dns-srv" },
	{ "net-update", "XML", CLI_FROM_FILES, NULL },
	{ NULL, "COMMAND", CLI_FROM_COMMANDS, NULL },
	{ NULL, "SHELL", CLI_FROM_LIST, "bash zsh" },
	{ NULL, "MODE", CLI_FROM_LIST, "nat isolated route open bridge macvtap private vepa passthrough" },
	{ NULL, "SUBNET", CLI_FROM_LIST, "auto" },
	{ NULL, "DHCP", CLI_FROM_LIST, "auto none" },
	{ NULL, "WHEN", CLI_FROM_LIST, "no boot on-attach" },
	{ NULL, "PROTOCOL", CLI_FROM_LIST, "tcp udp icmp" },
	{ NULL, "END", CLI_FROM_PORTS, NULL },
	{ NULL, "END[:PORT]", CLI_FROM_PORTS, NULL },
	{ NULL, "KIND", CLI_FROM_LIST,
	  "lifecycle network-defined network-undefined network-changed network-metadata network-started "
	  "network-stopped network-degraded network-recovered network-subnet port-expected port-attached "
	  "port-ended port-tampered lease-added lease-renewed "
	  "lease-released lease-refused dhcp-notice repaired repair-failed sysctl-set worker-started "
	  "worker-died dns-started dns-stopped dns-died definition-broken forward-taken foreign-drop "
	  "foreign-cleared foreign-accept" },
};
const size_t cli_value_cnt = ARRAY_LEN(cli_values);

const struct cli_value *cli_value_find(const struct cli_command *cmd, const char *value)
{
	static const struct cli_value none = { NULL, "", CLI_FROM_NOWHERE, NULL };

	for (size_t i = 0; i < cli_value_cnt; i++)
		if (strcmp(cli_values[i].value, value) == 0 &&
		    (!cli_values[i].command || strcmp(cli_values[i].command, cmd->name) == 0))
			return &cli_values[i];
	return &none;
}

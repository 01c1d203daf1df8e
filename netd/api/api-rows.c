// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the interface io.netd as rows
 *
 * One row per method, one per field. The daemon checks calls against them, netdctl and the description served
 * by GetInterfaceDescription are made from them, and docs/io.netd.varlink is a copy of that description which
 * a test compares. The interface grows only: a new field is optional or an output, and no row changes its
 * name or type.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/api/api-proto.h"

#include <assert.h>

#define ERR(code) (1u << -(code))
#define FIELDS(f) f, ARRAY_LEN(f)

static const char *const filter_names[] = {
	[API_FILTER_ACTIVE] = "active",         [API_FILTER_INACTIVE] = "inactive",
	[API_FILTER_PERSISTENT] = "persistent", [API_FILTER_TRANSIENT] = "transient",
	[API_FILTER_AUTOSTART] = "autostart",   [API_FILTER_NO_AUTOSTART] = "no-autostart",
};
static_assert(ARRAY_LEN(filter_names) == API_FILTER_CNT_, "one word per filter");
ND_STRTAB(api_filter, filter_names)

static const struct api_field range_fields[] = {
	{ "start", API_STRING },
	{ "end", API_STRING },
};
static const struct api_record range_record = { "Range", "First and last address, both included.",
						FIELDS(range_fields) };

static const struct api_field network_fields[] = {
	{ "name", API_STRING },
	{ "uuid", API_STRING },
	{ "title", API_STRING, NULL, API_OPTIONAL },
	{ "state", API_STRING, "inactive, active or degraded" },
	{ "degraded", API_STRING, "why it is degraded", API_OPTIONAL },
	{ "active", API_BOOL, "not inactive" },
	{ "persistent", API_BOOL, "has a definition on disk" },
	{ "autostart", API_STRING, "no, boot or on-attach" },
	{ "bridge", API_STRING, "the running one, else the defined name", API_OPTIONAL },
	{ "ifindex", API_INT, "of the running bridge", API_OPTIONAL },
	{ "forward", API_STRING, "isolated or nat" },
	{ "subnets", API_STRING, "the bridge's addresses, with the prefix length", API_ARRAY },
	{ "subnetChosen", API_BOOL, "whether netd may choose the subnet", 0 },
	{ "subnetPreferred", API_STRING, "what the definition prefers, where another one had to be chosen",
	  API_OPTIONAL },
	{ "dhcpRanges", API_RECORD, "addresses given out", API_ARRAY, &range_record },
	{ "domain", API_STRING, NULL, API_OPTIONAL },
	{ "mtu", API_INT, "given, or that of the way out; missing: 1500", API_OPTIONAL },
	{ "returnRoutes", API_STRING,
	  "prefixes that routers outside need a route for to this host; netd cannot check", API_OPTIONAL },
	{ "mac", API_STRING, "the bridge's", API_OPTIONAL },
	{ "ports", API_INT, "netd's own" },
	{ "foreignPorts", API_INT, "links in the bridge that others put there" },
	{ "foreignFirewall", API_STRING,
	  "what other firewalls of the host drop of its traffic, and what lets it pass", API_OPTIONAL },
};
static const struct api_record network_record = {
	"Network",
	"A network. While it is active the fields are those of what runs, else of its definition.",
	FIELDS(network_fields),
};

static const struct api_field counter_fields[] = {
	{ "name", API_STRING, "drop-... is a reason why frames were dropped" },
	{ "value", API_INT },
};
static const struct api_record counter_record = { "Counter", "A number that only grows.",
						  FIELDS(counter_fields) };

static const struct api_field port_fields[] = {
	{ "uuid", API_STRING },
	{ "name", API_STRING, NULL, API_OPTIONAL },
	{ "network", API_STRING },
	{ "networkUuid", API_STRING },
	{ "mac", API_STRING, "the guest's" },
	{ "interface", API_STRING, "the TAP or macvtap device; missing while one is expected", API_OPTIONAL },
	{ "ifindex", API_INT, NULL, API_OPTIONAL },
	{ "lowerDevice", API_STRING, "the host's interface that its macvtap is on", API_OPTIONAL },
	{ "address", API_STRING, "of its lease", API_OPTIONAL },
	{ "state", API_STRING, "attached, quarantined or expected" },
	{ "external", API_BOOL, "the device is another program's, which announced the port" },
	{ "owner", API_STRING, "the guest's name, as that program said", API_OPTIONAL },
	{ "mtu", API_INT },
	{ "queues", API_INT, "0: the other program's affair" },
	{ "vnetHeader", API_BOOL },
	{ "macGuard", API_BOOL, "frames from other MACs are dropped" },
	{ "ownerUid", API_INT, "who attached it" },
	{ "ownerPid", API_INT },
	{ "since", API_INT, "seconds since 1970" },
	{ "drops", API_INT, "packets its guards dropped; only in GetPort", API_OPTIONAL },
	{ "dropReasons", API_RECORD,
	  "the same by reason: mac, ip4, arp, ip6, dhcp-server, router, broadcast, multicast, connections, "
	  "egress, neighbours",
	  API_ARRAY | API_OPTIONAL, &counter_record },
};
static const struct api_record port_record = { "Port", "A guest's place on a network, with its TAP device.",
					       FIELDS(port_fields) };

static const struct api_field rate_fields[] = {
	{ "average", API_INT, "1000 bytes per second; 0: no limit" },
	{ "peak", API_INT, "1000 bytes per second, at which a burst goes; 0: average", API_OPTIONAL },
	{ "burst", API_INT, "1024 bytes that may go at once after a pause; 0: what the rate needs",
	  API_OPTIONAL },
	{ "floor", API_INT, "1000 bytes per second of its network's inbound that it always has; only inbound",
	  API_OPTIONAL },
};
static const struct api_record rate_record = { "Rate", "A limit in one direction, in libvirt's units.",
					       FIELDS(rate_fields) };

static const struct api_field lease_fields[] = {
	{ "expiry", API_INT, "seconds since 1970; missing: never", API_OPTIONAL },
	{ "mac", API_STRING },
	{ "address", API_STRING },
	{ "prefix", API_INT, "length of the subnet's prefix", API_OPTIONAL },
	{ "state", API_STRING, "bound or declined" },
	{ "hostname", API_STRING, NULL, API_OPTIONAL },
	{ "clientId", API_STRING, "as the client sent it, in hexadecimal pairs with ':' between",
	  API_OPTIONAL },
	{ "port", API_STRING, "uuid of the port it belongs to", API_OPTIONAL },
};
static const struct api_record lease_record = { "Lease", "A DHCP lease.", FIELDS(lease_fields) };

static const struct api_field warning_fields[] = {
	{ "line", API_INT },
	{ "element", API_STRING },
	{ "text", API_STRING },
};
static const struct api_record warning_record = {
	"Warning", "Something in a definition that was read over: it has no effect here.",
	FIELDS(warning_fields)
};

static const struct api_field event_fields[] = {
	{ "sequence", API_INT, "from 1, without holes" },
	{ "time", API_INT, "microseconds since 1970" },
	{ "kind", API_STRING, "see docs/events.md" },
	{ "network", API_STRING, NULL, API_OPTIONAL },
	{ "networkUuid", API_STRING, NULL, API_OPTIONAL },
	{ "port", API_STRING, NULL, API_OPTIONAL },
	{ "interface", API_STRING, NULL, API_OPTIONAL },
	{ "mac", API_STRING, NULL, API_OPTIONAL },
	{ "address", API_STRING, NULL, API_OPTIONAL },
	{ "text", API_STRING, "the sentence for people", API_OPTIONAL },
};
const struct api_record api_event_record = { "Event", "Something that happened.", FIELDS(event_fields) };

static const struct api_field plan_fields[] = {
	{ "name", API_STRING },
	{ "new", API_BOOL, "not defined yet" },
	{ "active", API_BOOL },
	{ "config", API_STRING, "what changes of the definition; as live" },
	{ "live", API_STRING,
	  "how what runs changes: none, not at all; live, at once; restart, only by one; recreate, by one "
	  "that "
	  "moves ports to another bridge" },
	{ "start", API_BOOL, "is not running, and the document says that it starts with netd" },
	{ "fields", API_STRING, "what differs", API_ARRAY },
	{ "guests", API_STRING, "ports that a restart cuts off for a moment: name, else interface",
	  API_ARRAY },
};
const struct api_record api_plan_record = { "Plan", "What applying a document would do.",
					    FIELDS(plan_fields) };

static const struct api_field forward_fields[] = {
	{ "network", API_STRING },
	{ "protocol", API_STRING, "tcp or udp" },
	{ "address", API_STRING, "of the host; missing: all but loopback", API_OPTIONAL },
	{ "port", API_INT },
	{ "portEnd", API_INT, "the last one; port where there is only one" },
	{ "guest", API_STRING, "port name, MAC or address" },
	{ "guestPort", API_INT, "where port goes; the others follow" },
	{ "guestAddress", API_STRING, "what the guest has now", API_OPTIONAL },
	{ "state", API_STRING,
	  "active, waiting (the guest has no address yet), taken (by somebody else), inactive" },
	{ "reason", API_STRING, "by whom it is taken", API_OPTIONAL },
};
static const struct api_record forward_record = { "Forward", "A port of the host published to a guest.",
						  FIELDS(forward_fields) };

static const struct api_field check_fields[] = {
	{ "name", API_STRING, "of the check" },
	{ "network", API_STRING, "missing: it is about the host", API_OPTIONAL },
	{ "result", API_STRING, "ok, warning or failed" },
	{ "text", API_STRING, "what was found, and its cause" },
	{ "command", API_STRING, "what mends it", API_OPTIONAL },
	{ "fixed", API_BOOL, "it was not so before: netd mended it" },
};
static const struct api_record check_record = { "Check", "One thing that was looked at.",
						FIELDS(check_fields) };

static const struct api_field stage_fields[] = {
	{ "stage", API_STRING, "bridge, prerouting, output, routing, forward, host, postrouting or answers" },
	{ "verdict", API_STRING, "pass, drop, reject or unsure" },
	{ "text", API_STRING, "the rule, route or reason that decides" },
};
static const struct api_record stage_record = { "Stage", "What decides at one point of a packet's way.",
						FIELDS(stage_fields) };

static const struct api_field host_bridge_fields[] = {
	{ "name", API_STRING },
	{ "port", API_STRING, "the NIC in it" },
	{ "state", API_STRING, "changing, unconfirmed, active, removing, or absent: its link is not there" },
	{ "mac", API_STRING, "the NIC's, and the bridge's", API_OPTIONAL },
	{ "left", API_INT, "seconds until it is taken back, unless it is confirmed", API_OPTIONAL },
	{ "manager", API_STRING,
	  "what configures the NIC at boot: systemd-networkd, NetworkManager, ifupdown or none",
	  API_OPTIONAL },
	{ "files", API_STRING, "that bring it back at boot, once it is active", API_ARRAY },
	{ "notes", API_STRING, "what an administrator should know: sentences", API_ARRAY },
};
static const struct api_record host_bridge_record = { "HostBridge",
						      "A bridge that netd put a NIC of the host into.",
						      FIELDS(host_bridge_fields) };
static const struct api_field host_file_fields[] = {
	{ "path", API_STRING },
	{ "text", API_STRING, "what it becomes" },
	{ "replaces", API_STRING, "what it is; missing: there is none", API_OPTIONAL },
};
static const struct api_record host_file_record = { "HostFile", "A file of the host's network configuration.",
						    FIELDS(host_file_fields) };

static const struct api_record *const netd_records[] = {
	&check_record,       &stage_record,     &range_record,     &network_record,  &port_record,
	&lease_record,       &warning_record,   &api_event_record, &api_plan_record, &counter_record,
	&host_bridge_record, &host_file_record, &forward_record,   &rate_record,
};

static const struct api_field out_version[] = {
	{ "version", API_STRING },
};
static const struct api_field in_filter[] = {
	{ "filter", API_STRING, NULL, API_ARRAY | API_OPTIONAL },
};
static const struct api_field out_networks[] = {
	{ "networks", API_RECORD, NULL, API_ARRAY, &network_record },
};
static const struct api_field in_name[] = {
	{ "name", API_STRING },
};
static const struct api_field out_network[] = {
	{ "network", API_RECORD, NULL, 0, &network_record },
};
static const struct api_field in_dump[] = {
	{ "name", API_STRING },
	{ "inactive", API_BOOL, NULL, API_OPTIONAL },
};
static const struct api_field out_xml[] = {
	{ "xml", API_STRING },
};
static const struct api_field in_define[] = {
	{ "xml", API_STRING },
	{ "validate", API_BOOL, "refuse what would only be a warning", API_OPTIONAL },
};
static const struct api_field in_xml[] = {
	{ "xml", API_STRING },
};
static const struct api_field in_update[] = {
	{ "name", API_STRING },
	{ "command", API_STRING, "add-first, add-last, delete or modify" },
	{ "section", API_STRING,
	  "bridge, domain, ip, ip-dhcp-host, ip-dhcp-range, forward, forward-interface, forward-pf, "
	  "portgroup, "
	  "dns-host, dns-txt or dns-srv" },
	{ "parentIndex", API_INT, "which ip element, from 0; missing: the one that fits", API_OPTIONAL },
	{ "xml", API_STRING, "the element alone" },
	{ "live", API_BOOL, "change what runs", API_OPTIONAL },
	{ "config", API_BOOL, "change the definition; with neither: what runs, else the definition",
	  API_OPTIONAL },
};
static const struct api_field in_add_forward[] = {
	{ "network", API_STRING },
	{ "protocol", API_STRING, "tcp or udp; missing: tcp", API_OPTIONAL },
	{ "address", API_STRING, "of the host; missing: all but loopback", API_OPTIONAL },
	{ "port", API_INT },
	{ "portEnd", API_INT, "the last one of a range", API_OPTIONAL },
	{ "guest", API_STRING, "port name, MAC or address" },
	{ "guestPort", API_INT, "missing: port", API_OPTIONAL },
	{ "live", API_BOOL, "change what runs", API_OPTIONAL },
	{ "config", API_BOOL, "change the definition; with neither: both, those that there are",
	  API_OPTIONAL },
};
static const struct api_field in_remove_forward[] = {
	{ "network", API_STRING },
	{ "protocol", API_STRING, "tcp or udp; missing: tcp", API_OPTIONAL },
	{ "address", API_STRING, "as it was published", API_OPTIONAL },
	{ "port", API_INT },
	{ "portEnd", API_INT, NULL, API_OPTIONAL },
	{ "guest", API_STRING, "to be sure", API_OPTIONAL },
	{ "live", API_BOOL, NULL, API_OPTIONAL },
	{ "config", API_BOOL, NULL, API_OPTIONAL },
};
static const struct api_field in_list_forwards[] = {
	{ "network", API_STRING, "missing: of all networks", API_OPTIONAL },
};
static const struct api_field out_forwards[] = {
	{ "forwards", API_RECORD, NULL, API_ARRAY, &forward_record },
};
static const struct api_field in_get_metadata[] = {
	{ "name", API_STRING },
	{ "type", API_STRING, "description, title or element" },
	{ "uri", API_STRING, "the element's namespace", API_OPTIONAL },
	{ "live", API_BOOL, NULL, API_OPTIONAL },
	{ "config", API_BOOL, NULL, API_OPTIONAL },
};
static const struct api_field out_metadata[] = {
	{ "value", API_STRING },
};
static const struct api_field in_set_metadata[] = {
	{ "name", API_STRING },
	{ "type", API_STRING, "description, title or element" },
	{ "value", API_STRING, "missing: it is removed", API_OPTIONAL },
	{ "key", API_STRING, "prefix that the element gets", API_OPTIONAL },
	{ "uri", API_STRING, "the element's namespace", API_OPTIONAL },
	{ "live", API_BOOL, NULL, API_OPTIONAL },
	{ "config", API_BOOL, NULL, API_OPTIONAL },
};
static const struct api_field out_plan[] = {
	{ "plan", API_RECORD, NULL, 0, &api_plan_record },
};
static const struct api_field in_apply[] = {
	{ "xml", API_STRING },
	{ "restart", API_BOOL, "where a change needs it; else such a change is refused", API_OPTIONAL },
};
static const struct api_field out_defined[] = {
	{ "network", API_RECORD, NULL, 0, &network_record },
	{ "warnings", API_RECORD, NULL, API_ARRAY, &warning_record },
};
static const struct api_field in_destroy[] = {
	{ "name", API_STRING },
	{ "force", API_BOOL, NULL, API_OPTIONAL },
};
static const struct api_field in_autostart[] = {
	{ "name", API_STRING },
	{ "mode", API_STRING },
};
static const struct api_field in_leases[] = {
	{ "name", API_STRING },
	{ "mac", API_STRING, NULL, API_OPTIONAL },
};
static const struct api_field in_release[] = {
	{ "name", API_STRING },
	{ "lease", API_STRING, "its address, or the MAC of who has it" },
};
static const struct api_field out_leases[] = {
	{ "leases", API_RECORD, NULL, API_ARRAY, &lease_record },
};
static const struct api_field in_ports[] = {
	{ "network", API_STRING, NULL, API_OPTIONAL },
};
static const struct api_field out_ports[] = {
	{ "ports", API_RECORD, NULL, API_ARRAY, &port_record },
};
static const struct api_field in_port[] = {
	{ "port", API_STRING },
};
static const struct api_field out_port[] = {
	{ "port", API_RECORD, NULL, 0, &port_record },
};
static const struct api_field in_create_port[] = {
	{ "network", API_STRING },
	{ "xml", API_STRING, "<networkport>" },
	{ "validate", API_BOOL, "refuse what would only be a warning", API_OPTIONAL },
	{ "reclaim", API_BOOL, "the device is plugged in already, and the document says where",
	  API_OPTIONAL },
};
static const struct api_field out_create_port[] = {
	{ "port", API_RECORD, NULL, 0, &port_record },
	{ "warnings", API_RECORD, NULL, API_ARRAY, &warning_record },
};
static const struct api_field in_port_bandwidth[] = {
	{ "port", API_STRING },
	{ "inbound", API_RECORD, "towards the guest; missing: stays", API_OPTIONAL, &rate_record },
	{ "outbound", API_RECORD, "from the guest; missing: stays", API_OPTIONAL, &rate_record },
};
static const struct api_field out_port_bandwidth[] = {
	{ "inbound", API_RECORD, "towards the guest", 0, &rate_record },
	{ "outbound", API_RECORD, "from the guest", 0, &rate_record },
	{ "own", API_BOOL, "the port's, not its portgroup's" },
	{ "inForce", API_BOOL, "the kernel has all as it should; else the rates are the kernel's" },
	{ "queue", API_STRING, "kind of the qdisc in which frames wait", API_OPTIONAL },
};
static const struct api_field in_attach[] = {
	{ "network", API_STRING },
	{ "name", API_STRING, "the port's: the same name is the same port again", API_OPTIONAL },
	{ "mac", API_STRING, "the guest's; chosen when missing", API_OPTIONAL },
	{ "interfaceName", API_STRING, "the TAP device's; chosen when missing", API_OPTIONAL },
	{ "portgroup", API_STRING, "the network's default one, or none, when missing", API_OPTIONAL },
	{ "queues", API_INT, "1 when missing", API_OPTIONAL },
	{ "vnetHeader", API_BOOL, "true when missing", API_OPTIONAL },
	{ "macGuard", API_BOOL, "true when missing; false where the guest's MAC is not known here",
	  API_OPTIONAL },
};
static const struct api_field out_attach[] = {
	{ "port", API_RECORD, NULL, 0, &port_record },
	{ "tapFileDescriptors", API_INT, "one per queue", API_ARRAY },
	{ "vhostFileDescriptors", API_INT, "none, or one per queue", API_ARRAY },
};
static const struct api_field in_monitor[] = {
	{ "after", API_INT, "the last event already known; missing: only new ones", API_OPTIONAL },
	{ "epoch", API_INT, "of that number; where it is not this daemon's, all it has are sent",
	  API_OPTIONAL },
};
static const struct api_field out_monitor[] = {
	{ "epoch", API_INT, "this daemon's: numbers begin again with another", API_OPTIONAL },
	{ "last", API_INT, "number of the newest event", API_OPTIONAL },
	{ "lost", API_INT, "events that are kept no more", API_OPTIONAL },
	{ "event", API_RECORD, NULL, API_OPTIONAL, &api_event_record },
};
static const struct api_field out_counters[] = {
	{ "networks", API_INT },
	{ "activeNetworks", API_INT },
	{ "ports", API_INT },
	{ "lastEvent", API_INT },
	{ "dhcp", API_RECORD, "of the DHCP server since netd started", API_ARRAY, &counter_record },
};
static const struct api_field out_reload[] = {
	{ "broken", API_INT },
};

static const struct api_field in_doctor[] = {
	{ "network", API_STRING, "only this one, and the host", API_OPTIONAL },
	{ "fix", API_BOOL, "first make again what netd itself claims", API_OPTIONAL },
};
static const struct api_field out_doctor[] = {
	{ "checks", API_RECORD, NULL, API_ARRAY, &check_record },
	{ "failed", API_INT, "how many failed" },
};
static const struct api_field in_explain[] = {
	{ "from", API_STRING, "outside, host, a port (uuid, name, interface, MAC) or an address" },
	{ "to", API_STRING, "outside, host, a port or an address" },
	{ "protocol", API_STRING, "tcp, udp or icmp (ping); missing: tcp with a port, else icmp",
	  API_OPTIONAL },
	{ "port", API_INT, "of to", API_OPTIONAL },
};
static const struct api_field out_explain[] = {
	{ "stages", API_RECORD, "in the order of the way", API_ARRAY, &stage_record },
	{ "verdict", API_STRING, "pass, drop, reject or unsure" },
	{ "text", API_STRING, "the sentence" },
};

static const struct api_field in_create_host_bridge[] = {
	{ "name", API_STRING, "of the bridge" },
	{ "port", API_STRING, "the NIC" },
	{ "confirm", API_INT, "seconds for ConfirmHostBridge to come; 0 or missing: it is not needed",
	  API_OPTIONAL },
	{ "dryRun", API_BOOL, "only say what would be done", API_OPTIONAL },
	{ "persist", API_BOOL, "write it down for the next boot; missing: true", API_OPTIONAL },
};
static const struct api_field out_create_host_bridge[] = {
	{ "hostBridge", API_RECORD, NULL, 0, &host_bridge_record },
	{ "steps", API_STRING, "what was done, or would be, in this order", API_ARRAY },
	{ "files", API_RECORD, "what is written when it stays", API_ARRAY, &host_file_record },
	{ "gateways", API_STRING, "that have to answer, one of each family", API_ARRAY },
};
static const struct api_field out_host_bridge[] = {
	{ "hostBridge", API_RECORD, NULL, 0, &host_bridge_record },
};
static const struct api_field out_host_bridges[] = {
	{ "hostBridges", API_RECORD, NULL, API_ARRAY, &host_bridge_record },
};

static const struct api_signature netd_methods[] = {
	[API_GET_VERSION] = {
		.name = "GetVersion",
		.text = "The daemon's version.",
		.out = FIELDS(out_version), .access = API_ACCESS_OBSERVER,
	},
	[API_LIST_NETWORKS] = {
		.name = "ListNetworks",
		.text = "All networks, or those for which every word of filter holds: active, inactive, "
			"persistent, transient, autostart, no-autostart.",
		.in = FIELDS(in_filter), .out = FIELDS(out_networks), .access = API_ACCESS_OBSERVER,
	},
	[API_GET_NETWORK] = {
		.name = "GetNetwork",
		.text = "One network. Wherever a network is named, it is by uuid or name.",
		.in = FIELDS(in_name), .out = FIELDS(out_network), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_DUMP_NETWORK] = {
		.name = "DumpNetwork",
		.text = "A network's XML: of what runs, or with inactive of what the next start uses.",
		.in = FIELDS(in_dump), .out = FIELDS(out_xml), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_DEFINE_NETWORK] = {
		.name = "DefineNetwork",
		.text = "Makes or replaces a persistent definition. What runs goes on as it is.",
		.in = FIELDS(in_define), .out = FIELDS(out_defined), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_PARSE) | ERR(ND_INVALID) | ERR(ND_UNSUPPORTED) | ERR(ND_EXISTS) |
			  ERR(ND_BUSY),
	},
	[API_CREATE_NETWORK] = {
		.name = "CreateNetwork",
		.text = "Starts a network from XML without keeping the definition.",
		.in = FIELDS(in_define), .out = FIELDS(out_defined), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_PARSE) | ERR(ND_INVALID) | ERR(ND_UNSUPPORTED) | ERR(ND_EXISTS) |
			  ERR(ND_BUSY) | ERR(ND_STATE) | ERR(ND_CONFLICT),
	},
	[API_START_NETWORK] = {
		.name = "StartNetwork",
		.text = "Starts a defined network.",
		.in = FIELDS(in_name), .out = FIELDS(out_network), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_EXISTS) | ERR(ND_BUSY) | ERR(ND_STATE) |
			  ERR(ND_CONFLICT),
	},
	[API_DESTROY_NETWORK] = {
		.name = "DestroyNetwork",
		.text = "Stops a network. One with ports is left alone unless force.",
		.in = FIELDS(in_destroy), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_BUSY) | ERR(ND_STATE),
	},
	[API_UNDEFINE_NETWORK] = {
		.name = "UndefineNetwork",
		.text = "Removes a definition. A running network becomes transient.",
		.in = FIELDS(in_name), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_BUSY) | ERR(ND_STATE),
	},
	[API_SET_AUTOSTART] = {
		.name = "SetAutostart",
		.text = "When a network starts by itself. mode: no, boot, on-attach.",
		.in = FIELDS(in_autostart), .out = FIELDS(out_network), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_BUSY) | ERR(ND_STATE),
	},
	[API_LIST_LEASES] = {
		.name = "ListLeases",
		.text = "A network's DHCP leases, by address; or those of one MAC.",
		.in = FIELDS(in_leases), .out = FIELDS(out_leases), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_RELEASE_LEASE] = {
		.name = "ReleaseLease",
		.text = "Ends the lease of an address, or those of a MAC, as if their time were over; an address that was set aside "
			"is free again. The guest is not told: it asks again when it renews. The leases that were.",
		.in = FIELDS(in_release), .out = FIELDS(out_leases), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_INVALID),
	},
	[API_LIST_PORTS] = {
		.name = "ListPorts",
		.text = "All ports, or those of one network.",
		.in = FIELDS(in_ports), .out = FIELDS(out_ports), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_GET_PORT] = {
		.name = "GetPort",
		.text = "One port. Wherever a port is named, it is by uuid, name, interface or MAC.",
		.in = FIELDS(in_port), .out = FIELDS(out_port), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_ATTACH] = {
		.name = "Attach",
		.text = "Makes a port with a TAP device and gives its open queues. The descriptors "
			"come beside the reply; the reply names them by index. The device lives as "
			"long as one of them is open.",
		.in = FIELDS(in_attach), .out = FIELDS(out_attach), .access = API_ACCESS_ADMIN, .fds = true,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_EXISTS) | ERR(ND_STATE) | ERR(ND_LIMIT) |
			  ERR(ND_CONFLICT),
	},
	[API_CREATE_PORT] = {
		.name = "CreatePort",
		.text = "Announces a port for a device that another program makes, as libvirt's "
			"<networkport>. The port's <plug>, in DumpPort, says where the device belongs; netd "
			"knows it by its MAC address, and never changes it.",
		.in = FIELDS(in_create_port), .out = FIELDS(out_create_port), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_EXISTS) | ERR(ND_STATE) | ERR(ND_LIMIT) |
			  ERR(ND_CONFLICT) | ERR(ND_PARSE) | ERR(ND_UNSUPPORTED),
	},
	[API_DUMP_PORT] = {
		.name = "DumpPort",
		.text = "A port as <networkport>.",
		.in = FIELDS(in_port), .out = FIELDS(out_xml), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_DETACH] = {
		.name = "Detach",
		.text = "Ends a port. Its device is taken out of the network; whoever holds it keeps "
			"a dead link. Another program's device is left as it is.",
		.in = FIELDS(in_port), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_MONITOR] = {
		.name = "Monitor",
		.text = "Events as they happen, after those that are still kept since the one "
			"numbered after. The first reply has no event: it says the last number given "
			"out, how many since after are kept no more, and to which epoch numbers belong.",
		.in = FIELDS(in_monitor), .out = FIELDS(out_monitor), .access = API_ACCESS_OBSERVER,
		.more = API_MORE_MUST, .errors = ERR(ND_OVERRUN),
	},
	[API_GET_COUNTERS] = {
		.name = "GetCounters",
		.text = "How much there is of everything.",
		.out = FIELDS(out_counters), .access = API_ACCESS_OBSERVER,
	},
	[API_RELOAD] = {
		.name = "Reload",
		.text = "Reads the definitions' files again. broken: how many could not be taken; "
			"events name them.",
		.out = FIELDS(out_reload), .access = API_ACCESS_ADMIN,
	},
	[API_UPDATE_NETWORK] = {
		.name = "UpdateNetwork",
		.text = "Adds, deletes or changes one element of a network, all or nothing. What "
			"only a restart can change of what runs is refused.",
		.in = FIELDS(in_update), .out = FIELDS(out_network), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_PARSE) | ERR(ND_INVALID) | ERR(ND_UNSUPPORTED) |
			  ERR(ND_BUSY) | ERR(ND_STATE) | ERR(ND_CONFLICT),
	},
	[API_GET_METADATA] = {
		.name = "GetMetadata",
		.text = "A network's title, description, or metadata element of a namespace.",
		.in = FIELDS(in_get_metadata), .out = FIELDS(out_metadata), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_INVALID) | ERR(ND_STATE),
	},
	[API_SET_METADATA] = {
		.name = "SetMetadata",
		.text = "Sets or removes a network's title, description, or metadata element of a "
			"namespace.",
		.in = FIELDS(in_set_metadata), .out = FIELDS(out_network), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_PARSE) | ERR(ND_INVALID) | ERR(ND_BUSY) | ERR(ND_STATE),
	},
	[API_PLAN_NETWORK] = {
		.name = "PlanNetwork",
		.text = "What ApplyNetwork of this document would change. Changes nothing.",
		.in = FIELDS(in_xml), .out = FIELDS(out_plan), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_PARSE) | ERR(ND_INVALID) | ERR(ND_UNSUPPORTED) | ERR(ND_EXISTS) |
			  ERR(ND_CONFLICT),
	},
	[API_APPLY_NETWORK] = {
		.name = "ApplyNetwork",
		.text = "Defines a network and changes what runs to match, all or nothing.",
		.in = FIELDS(in_apply), .out = FIELDS(out_network), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_PARSE) | ERR(ND_INVALID) | ERR(ND_UNSUPPORTED) | ERR(ND_EXISTS) |
			  ERR(ND_BUSY) | ERR(ND_STATE) | ERR(ND_CONFLICT),
	},
	[API_ADD_FORWARD] = {
		.name = "AddForward",
		.text = "Publishes a port or range of the host to a guest, at once.",
		.in = FIELDS(in_add_forward), .out = FIELDS(out_network), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_EXISTS) | ERR(ND_BUSY) | ERR(ND_INVALID) |
			  ERR(ND_UNSUPPORTED) | ERR(ND_STATE),
	},
	[API_REMOVE_FORWARD] = {
		.name = "RemoveForward",
		.text = "Publishes it no more, and ends its connections.",
		.in = FIELDS(in_remove_forward), .out = FIELDS(out_network), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_BUSY) | ERR(ND_INVALID) | ERR(ND_STATE),
	},
	[API_LIST_FORWARDS] = {
		.name = "ListForwards",
		.text = "The published ports, and what has become of each.",
		.in = FIELDS(in_list_forwards), .out = FIELDS(out_forwards), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_DOCTOR] = {
		.name = "Doctor",
		.text = "Looks for what is wrong with the host and with active networks. DHCP is "
			"tried with a guest of netd's own for a moment; it takes no lease.",
		.in = FIELDS(in_doctor), .out = FIELDS(out_doctor), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_EXPLAIN] = {
		.name = "Explain",
		.text = "What happens to a packet on its way through this host: which rule of whom "
			"decides at each stage. Nothing is sent.",
		.in = FIELDS(in_explain), .out = FIELDS(out_explain), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_INVALID),
	},
	[API_GET_PORT_BANDWIDTH] = {
		.name = "GetPortBandwidth",
		.text = "How fast a port's frames may go, as the kernel has it now.",
		.in = FIELDS(in_port), .out = FIELDS(out_port_bandwidth), .access = API_ACCESS_OBSERVER,
		.errors = ERR(ND_NOT_FOUND),
	},
	[API_SET_PORT_BANDWIDTH] = {
		.name = "SetPortBandwidth",
		.text = "Gives a port limits of its own, at once, in place of its portgroup's. They "
			"end with the port. The reply is GetPortBandwidth's.",
		.in = FIELDS(in_port_bandwidth), .out = FIELDS(out_port_bandwidth),
		.access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_INVALID) | ERR(ND_STATE) | ERR(ND_LIMIT) |
			  ERR(ND_UNSUPPORTED),
	},
	[API_CREATE_HOST_BRIDGE] = {
		.name = "CreateHostBridge",
		.text = "Puts a NIC of the host into a new bridge, which gets its MAC, addresses, routes and "
			"rules. All is as before when the gateway does not answer, or nobody confirms in time.",
		.in = FIELDS(in_create_host_bridge), .out = FIELDS(out_create_host_bridge),
		.access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_EXISTS) | ERR(ND_INVALID) | ERR(ND_UNSUPPORTED) |
			  ERR(ND_STATE) | ERR(ND_BUSY) | ERR(ND_TIMEOUT) | ERR(ND_SYSTEM),
	},
	[API_CONFIRM_HOST_BRIDGE] = {
		.name = "ConfirmHostBridge",
		.text = "A host bridge stays, and its files are written.",
		.in = FIELDS(in_name), .out = FIELDS(out_host_bridge), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_STATE) | ERR(ND_BUSY),
	},
	[API_REMOVE_HOST_BRIDGE] = {
		.name = "RemoveHostBridge",
		.text = "Gives the NIC what its host bridge has, and removes that and its files. One with "
			"guests is left alone.",
		.in = FIELDS(in_name), .out = FIELDS(out_host_bridge), .access = API_ACCESS_ADMIN,
		.errors = ERR(ND_NOT_FOUND) | ERR(ND_BUSY) | ERR(ND_STATE) | ERR(ND_SYSTEM),
	},
	[API_LIST_HOST_BRIDGES] = {
		.name = "ListHostBridges",
		.text = "All host bridges.",
		.out = FIELDS(out_host_bridges), .access = API_ACCESS_OBSERVER,
	},
};
static_assert(ARRAY_LEN(netd_methods) == API_METHOD_CNT_, "one row per method");

const struct api_interface api_netd = {
	.name = API_INTERFACE,
	.text = "Virtual networks for virtual machines: bridges, NAT, DHCP and TAP devices.",
	.records = netd_records,
	ARRAY_LEN(netd_records),
	.methods = netd_methods,
	ARRAY_LEN(netd_methods),
};

/* https://varlink.org/Service, with ExpectedMore as systemd has it */
static const struct api_field out_info[] = {
	{ "vendor", API_STRING },
	{ "product", API_STRING },
	{ "version", API_STRING },
	{ "url", API_STRING },
	{ "interfaces", API_STRING, NULL, API_ARRAY },
};
static const struct api_field in_description[] = {
	{ "interface", API_STRING },
};
static const struct api_field out_description[] = {
	{ "description", API_STRING },
};
static const struct api_signature service_methods[] = {
	[API_GET_INFO] = { .name = "GetInfo",
			   .text = "What runs here, and its interfaces.",
			   .out = FIELDS(out_info),
			   .access = API_ACCESS_OBSERVER },
	[API_GET_INTERFACE_DESCRIPTION] = { .name = "GetInterfaceDescription",
					    .text = "The description of one interface.",
					    .in = FIELDS(in_description),
					    .out = FIELDS(out_description),
					    .access = API_ACCESS_OBSERVER },
};
static_assert(ARRAY_LEN(service_methods) == API_SERVICE_CNT_, "one row per method");

static const struct api_field in_method[] = {
	{ "method", API_STRING },
};
static const struct api_field in_parameter[] = {
	{ "parameter", API_STRING },
};
static const struct api_record interface_not_found = { "InterfaceNotFound", "", FIELDS(in_description) };
static const struct api_record method_not_found = { "MethodNotFound", "", FIELDS(in_method) };
static const struct api_record invalid_parameter = { "InvalidParameter", "", FIELDS(in_parameter) };
static const struct api_record expected_more = { "ExpectedMore", "", NULL, 0 };
static const struct api_record *const service_errors[] = {
	[API_SERVICE_INTERFACE_NOT_FOUND] = &interface_not_found,
	[API_SERVICE_METHOD_NOT_FOUND] = &method_not_found,
	[API_SERVICE_INVALID_PARAMETER] = &invalid_parameter,
	[API_SERVICE_EXPECTED_MORE] = &expected_more,
};
static_assert(ARRAY_LEN(service_errors) == API_SERVICE_ERROR_CNT_, "one row per error");

const struct api_interface api_service = {
	.name = API_SERVICE_INTERFACE,
	.text = "What every Varlink service offers.",
	.methods = service_methods,
	ARRAY_LEN(service_methods),
	.errors = service_errors,
	ARRAY_LEN(service_errors),
};

static const struct api_field error_fields[] = {
	{ "message", API_STRING },
	{ "text", API_STRING },
	{ "errno", API_INT, NULL, API_OPTIONAL },
	{ "errnoName", API_STRING, NULL, API_OPTIONAL },
	{ "kernel", API_STRING, NULL, API_OPTIONAL },
	{ "frames", API_STRING, NULL, API_ARRAY },
	{ "also", API_STRING, NULL, API_ARRAY },
};
const struct api_record api_error_record = {
	"Error",
	"All errors say the same. message: the whole line, made of frames (what was being done, outermost "
	"first), text, "
	"errno with its name, kernel (what the kernel said beside it), and also (what failed while "
	"undoing).",
	FIELDS(error_fields),
};

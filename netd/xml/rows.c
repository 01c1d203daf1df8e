// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the elements and attributes of a network definition
 *
 * One row is one feature. Parser, formatter, copy, free, diff, size and netdef_supported() know no element by
 * name; a row gives them where the value lies, how it reads and writes, what it may be, what changing it
 * costs a running network and whether netd puts it in force.
 *
 * Order is libvirt's dump order. A row that netd only keeps and shows has NOT_YET: to implement the feature,
 * take it away, and what netd-network(5) says of it. Its harmless value, where it has one, asks for nothing.
 *
 * Texts are libvirt's where it has one (its prefix, the error code's name, left out), so that people and
 * tools find what they know.
 *
 * The change class is what a running network needs when the field changes: NONE nothing, LIVE an update in
 * place, RESTART stop and start, RECREATE another network. A bridge's MAC and its addresses are in guests'
 * routes and ARP caches: RESTART. Its name is where their ports are: RECREATE.
 */
#include "netd/xml/rows.h"
#include "netd/xml/portdef.h"

#include <assert.h>

#define NET ROW_NAME_MARK

static const char *const onoff_names[] = { "off", "on" };
static const char *const noyes_names[] = { "no", "yes" };
static const char *const yesno_names[] = { [NETDEF_NO] = "no", [NETDEF_YES] = "yes" };
static const char *const mode_names[] = {
	[NETDEF_FORWARD_NONE] = NULL,         [NETDEF_FORWARD_NAT] = "nat",
	[NETDEF_FORWARD_ROUTE] = "route",     [NETDEF_FORWARD_OPEN] = "open",
	[NETDEF_FORWARD_BRIDGE] = "bridge",   [NETDEF_FORWARD_PRIVATE] = "private",
	[NETDEF_FORWARD_VEPA] = "vepa",       [NETDEF_FORWARD_PASSTHROUGH] = "passthrough",
	[NETDEF_FORWARD_HOSTDEV] = "hostdev",
};
static const char *const boot_names[] = {
	[NETDEF_BOOT_BIOS] = "bios",
	[NETDEF_BOOT_X64_UEFI] = "x64-uefi",
	[NETDEF_BOOT_ARM64_UEFI] = "arm64-uefi",
	[NETDEF_BOOT_X64_HTTP] = "x64-http",
	[NETDEF_BOOT_ARM64_HTTP] = "arm64-http",
	[NETDEF_BOOT_IPXE] = "ipxe",
};
static const char *const family_names[] = { [NETDEF_FAMILY_IPV4] = "ipv4", [NETDEF_FAMILY_IPV6] = "ipv6" };
static const char *const subnet_names[] = { NULL, "auto" };
static const char *const pci_names[] = { "pci" };
static const char *const driver_names[] = { [NETDEF_DRIVER_KVM] = "kvm", [NETDEF_DRIVER_VFIO] = "vfio" };
static const char *const mac_table_names[] = {
	[NETDEF_MAC_TABLE_KERNEL] = "kernel",
	[NETDEF_MAC_TABLE_LIBVIRT] = "libvirt",
};
static const char *const native_names[] = {
	[NETDEF_NATIVE_TAGGED] = "tagged",
	[NETDEF_NATIVE_UNTAGGED] = "untagged",
};
static const char *const virtualport_names[] = {
	[NETDEF_VIRTUALPORT_8021QBG] = "802.1Qbg",
	[NETDEF_VIRTUALPORT_8021QBH] = "802.1Qbh",
	[NETDEF_VIRTUALPORT_OPENVSWITCH] = "openvswitch",
	[NETDEF_VIRTUALPORT_MIDONET] = "midonet",
};
static const char *const autostart_names[] = {
	[NETDEF_AUTOSTART_NO] = "no",
	[NETDEF_AUTOSTART_BOOT] = "boot",
	[NETDEF_AUTOSTART_ON_ATTACH] = "on-attach",
};
static const char *const plug_names[] = {
	[PORTDEF_PLUG_NONE] = "none",       [PORTDEF_PLUG_NETWORK] = "network",
	[PORTDEF_PLUG_BRIDGE] = "bridge",   [PORTDEF_PLUG_DIRECT] = "direct",
	[PORTDEF_PLUG_PCI] = "hostdev-pci",
};
static const char *const direct_names[] = {
	[PORTDEF_DIRECT_VEPA] = "vepa",
	[PORTDEF_DIRECT_PRIVATE] = "private",
	[PORTDEF_DIRECT_BRIDGE] = "bridge",
	[PORTDEF_DIRECT_PASSTHROUGH] = "passthrough",
};
static const char *const unit_names[] = {
	[NETDEF_UNIT_MINUTES] = "minutes",
	[NETDEF_UNIT_SECONDS] = "seconds",
	[NETDEF_UNIT_HOURS] = "hours",
};
static const char *const host_access_names[] = {
	[NETDEF_HOST_ACCESS_ALL] = "all",
	[NETDEF_HOST_ACCESS_SERVICES] = "services",
	[NETDEF_HOST_ACCESS_NONE] = "none",
};
static const char *const egress_names[] = {
	[NETDEF_EGRESS_ANY] = "any",
	[NETDEF_EGRESS_INTERNET_ONLY] = "internet-only",
	[NETDEF_EGRESS_LIST] = "list",
	[NETDEF_EGRESS_NONE] = "none",
};
static const char *const protocol_names[] = { [NETDEF_PROTOCOL_TCP] = "tcp", [NETDEF_PROTOCOL_UDP] = "udp" };
ND_STRTAB(netdef_autostart, autostart_names)
ND_STRTAB(netdef_host_access, host_access_names)
ND_STRTAB(netdef_egress_policy, egress_names)
ND_STRTAB(netdef_protocol, protocol_names)
ND_STRTAB(netdef_unit, unit_names)

#define WORDS(name) static const struct row_words name = { name##_names, ARRAY_LEN(name##_names) }
WORDS(onoff);
WORDS(noyes);
WORDS(yesno);
WORDS(mode);
WORDS(family);
WORDS(boot);
WORDS(subnet);
WORDS(pci);
WORDS(driver);
WORDS(mac_table);
WORDS(native);
WORDS(virtualport);
WORDS(autostart);
WORDS(unit);
WORDS(host_access);
WORDS(egress);
WORDS(protocol);
WORDS(plug);
WORDS(direct);

const struct row_ns row_namespaces[] = {
	{ "netd", NETD_XML_NS },
	{ "dnsmasq", "http://libvirt.org/schemas/network/dnsmasq/1.0" },
};
const size_t row_namespace_cnt = ARRAY_LEN(row_namespaces);

static bool is_virtual(const void *obj)
{
	const struct netdef *d = obj;

	return netdef_forward_is_virtual(d->forward);
}

/* libvirt's way: BOOTP is shown where there is DHCP to carry it. */
static bool has_dhcp(const void *obj)
{
	const struct netdef_ip *ip = obj;

	return ip->range_cnt > 0 || ip->host_cnt > 0;
}

static bool is_hostdev(const void *obj)
{
	const struct netdef *d = obj;

	return d->forward == NETDEF_FORWARD_HOSTDEV;
}

/* Without access the bridge has no address: guests' routes and ARP caches know the difference. */
static enum netdef_change host_access_change(const void *a, const void *b)
{
	bool none_a = netdef_rare(a)->host_access == NETDEF_HOST_ACCESS_NONE,
	     none_b = netdef_rare(b)->host_access == NETDEF_HOST_ACCESS_NONE;

	return none_a != none_b ? NETDEF_CHANGE_RESTART : NETDEF_CHANGE_LIVE;
}

static bool is_plug_bridge(const void *obj)
{
	const struct portdef *p = obj;

	return p->plug == PORTDEF_PLUG_NETWORK || p->plug == PORTDEF_PLUG_BRIDGE;
}

static bool is_plug_direct(const void *obj)
{
	return ((const struct portdef *)obj)->plug == PORTDEF_PLUG_DIRECT;
}

static bool is_plug_pci(const void *obj)
{
	return ((const struct portdef *)obj)->plug == PORTDEF_PLUG_PCI;
}

#define FIELD(obj, member) .offset = offsetof(obj, member), .size = sizeof(((obj *)0)->member)
#define LIST(obj, member, cnt_) \
	.offset = offsetof(obj, member), .with = offsetof(obj, cnt_), .size = sizeof(*((obj *)0)->member)
#define GIVEN(obj, member) .present = offsetof(obj, member) + 1
#define D(member)          FIELD(struct netdef, member)
#define RARE(member)       FIELD(struct netdef_rare, member)
#define R                  ROW_RARE
#define REQ                ROW_REQUIRED
#define NOT_YET            ROW_NOT_YET
#define LIVE               .change = NETDEF_CHANGE_LIVE
#define RESTART            .change = NETDEF_CHANGE_RESTART
#define RECREATE           .change = NETDEF_CHANGE_RECREATE

/* "network" and what stands behind it: "/name", or "port/name" for the other document. */
#define ROW(p, k, ...)                                              \
	{                                                           \
		.path = "network" p, .kind = ROW_##k, ##__VA_ARGS__ \
	}
#define ELEMENT(p, ...)    ROW(p, ELEMENT, ##__VA_ARGS__)
#define MANY(p, n, ...)    ROW(p, LIST, .max = (n), ##__VA_ARGS__)
#define TEXT(p, t, ...)    ROW(p, TEXT, .type = &row_type_##t, ##__VA_ARGS__)
#define ATTR(p, t, ...)    ROW(p, ATTR, .type = &row_type_##t, ##__VA_ARGS__)
#define CONTENT(p, t, ...) ROW(p "@text()", CONTENT, .type = &row_type_##t, ##__VA_ARGS__)
#define VERBATIM(p, ...)   ROW(p, VERBATIM, .type = &row_type_verbatim, ##__VA_ARGS__)
#define SILENT(p)          ROW(p, SILENT)
#define REFUSED(p, text)   ROW(p, REFUSED, .bad = (text))

#define LEASE_ROWS(p, obj)                                                                        \
	ELEMENT(p),                                                                               \
		ATTR(p "@expiry", expiry, FIELD(obj, lease_s), .with = offsetof(obj, lease_unit), \
		     .max = UINT32_MAX, .flags = REQ, LIVE),                                      \
		ATTR(p "@unit", unit, FIELD(obj, lease_unit), .with = offsetof(obj, lease_s),     \
		     .words = &unit, .def = "minutes")

#define RATE(p, obj, m, f, name)                                        \
	ATTR(p "@" #name, rate, FIELD(obj, m.name), .flags = (f),       \
	     .bad = "could not convert bandwidth " #name " value '%v'", \
	     .missing = "Missing mandatory average or floor attributes", LIVE)
#define DIRECTION_ROWS(p, obj, m, f, floor_text)                                                     \
	ELEMENT(p, .twice = "Only one child <%e> element allowed"), REFUSED(p "@floor", floor_text), \
		RATE(p, obj, m, (f) | REQ, average), RATE(p, obj, m, f, peak), RATE(p, obj, m, f, burst)
/* Floors belong to ports; a class is given to a port when it is plugged in. */
#define BANDWIDTH_ROWS(p, obj, m, f)                                                             \
	ELEMENT(p, .flags = (f)),                                                                \
		REFUSED(p "@classID",                                                            \
			"classID attribute not supported on <bandwidth> in this usage context"), \
		DIRECTION_ROWS(p "/inbound", obj, m.inbound, f,                                  \
			       "floor attribute is not supported for this config"),              \
		DIRECTION_ROWS(p "/outbound", obj, m.outbound, f,                                \
			       "'floor' attribute allowed only in <inbound> element")

#define VLAN_ROWS(p, obj, m, f)                                                                              \
	ELEMENT(p, FIELD(obj, m), .flags = (f), .end = netdef_vlan_end),                                     \
		ATTR(p "@trunk", word, FIELD(obj, m.trunk), .flags = (f), .words = &yesno,                   \
		     .bad = "invalid \"trunk='%v'\" in <vlan> - must be yes or no", RESTART),                \
		MANY(p "/tag", NETDEF_TAGS_MAX, LIST(obj, m.tags, m.tag_cnt), .flags = (f) | REQ,            \
		     .missing =                                                                              \
			     "missing tag id - each <vlan> must have at least one <tag id='n'/> subelement", \
		     RESTART),                                                                               \
		ATTR(p "/tag@id", number, FIELD(struct netdef_tag, id), .max = 4095,                         \
		     .flags = REQ | ROW_PRINT,                                                               \
		     .missing = "Missing required attribute 'id' in element 'tag'",                          \
		     .bad_range = "vlan tag id %v too large (maximum 4095)", RESTART),                       \
		ATTR(p "/tag@nativeMode", word, FIELD(struct netdef_tag, native), .words = &native, RESTART)

#define VIRTUALPORT_NUMBER(p, obj, m, f, name, max_, range)                                           \
	ATTR(p "@" #name, number, FIELD(obj, m.name), GIVEN(obj, m.name##_given), .max = (max_),      \
	     .flags = (f) | ROW_HEX, .bad = "cannot parse value of %a parameter", .bad_range = range, \
	     RESTART)
#define VIRTUALPORT_UUID(p, obj, m, f, name)                                                  \
	ATTR(p "@" #name, uuid, FIELD(obj, m.name), GIVEN(obj, m.name##_given), .flags = (f), \
	     .bad = "cannot parse %a parameter as a uuid", RESTART)
#define VIRTUALPORT_ROWS(p, obj, m, f, type_flags, rule)                                                     \
	ELEMENT(p, FIELD(obj, m), .flags = (f) | NOT_YET, .end = rule),                                      \
		ATTR(p "@type", word, FIELD(obj, m.type), .flags = (f) | (type_flags),                       \
		     .words = &virtualport, .missing = "missing required virtualport type",                  \
		     .bad = "unknown virtualport type %v", RESTART),                                         \
		ELEMENT(p "/parameters"),                                                                    \
		VIRTUALPORT_NUMBER(p "/parameters", obj, m, f, managerid, 0xff, "value of %a out of range"), \
		VIRTUALPORT_NUMBER(p "/parameters", obj, m, f, typeid, 0xffffff,                             \
				   "value for %a out of range"),                                             \
		VIRTUALPORT_NUMBER(p "/parameters", obj, m, f, typeidversion, 0xff,                          \
				   "value of %a out of range"),                                              \
		VIRTUALPORT_UUID(p "/parameters", obj, m, f, instanceid),                                    \
		VIRTUALPORT_UUID(p "/parameters", obj, m, f, interfaceid),                                   \
		ATTR(p "/parameters@profileid", string, FIELD(obj, m.profileid), .max = ROW_VALUE_MAX,       \
		     .flags = (f) | ROW_DROP_EMPTY, RESTART)

#define GUARD(p, obj, m, f, name) \
	ATTR(p "@" #name, word, FIELD(obj, m.name), .flags = (f), .words = &yesno, LIVE)
#define GUARD_NUMBER(p, obj, m, f, name, max_) \
	ATTR(p "@" #name, number, FIELD(obj, m.name), .flags = (f), .max = (max_), LIVE)
/* In a portgroup, also an element without attributes says something: the defaults in place of the network's. */
#define GUARD_ROWS(p, obj, m, f)                                                             \
	ELEMENT(p, GIVEN(obj, m.given), .flags = (f), LIVE), GUARD(p, obj, m, f, mac),       \
		GUARD(p, obj, m, f, ip), GUARD(p, obj, m, f, dhcp), GUARD(p, obj, m, f, ra), \
		GUARD_NUMBER(p, obj, m, f, broadcast, NETDEF_PER_SECOND_MAX),                \
		GUARD_NUMBER(p, obj, m, f, multicast, NETDEF_PER_SECOND_MAX),                \
		GUARD_NUMBER(p, obj, m, f, connections, UINT32_MAX)
#define EGRESS_ROWS(p, obj, m, f)                                                                       \
	ELEMENT(p, FIELD(obj, m), .flags = (f), .end = netdef_egress_end),                              \
		ATTR(p "@policy", word, FIELD(obj, m.egress), .words = &egress, .flags = (f) | REQ,     \
		     .bad = "'%v' is not one of 'any', 'internet-only', 'list', 'none'", LIVE),         \
		MANY(p "/netd:allow", NETDEF_RECORDS_MAX, LIST(obj, m.rules, m.rule_cnt), .flags = (f), \
		     .done = netdef_allow_done, LIVE),                                                  \
		ATTR(p "/netd:allow@address", network, FIELD(struct netdef_egress_rule, address),       \
		     .flags = REQ, LIVE),                                                               \
		ATTR(p "/netd:allow@protocol", word, FIELD(struct netdef_egress_rule, protocol),        \
		     .words = &protocol, .bad = "'%v' is not one of 'tcp', 'udp'", LIVE),               \
		ATTR(p "/netd:allow@port", number, FIELD(struct netdef_egress_rule, port), .min = 1,    \
		     .max = 65535, LIVE),                                                               \
		ATTR(p "/netd:allow@end", number, FIELD(struct netdef_egress_rule, port_end), .min = 1, \
		     .max = 65535, LIVE)
#define FORWARD_NUMBER(name, member, ...)                                                                  \
	ATTR("/netd:forward@" #name, number, FIELD(struct netdef_publish, member), .min = 1, .max = 65535, \
	     LIVE, ##__VA_ARGS__)

#define PCI(name, digits_, max_, text)                                                                    \
	ATTR("/forward/address@" #name, number, FIELD(struct netdef_pci, name), .max = (max_),            \
	     .digits = (digits_), .flags = ROW_HEX | ROW_PRINT, .bad_range = "Invalid PCI address " text, \
	     RESTART)
#define P(member) FIELD(struct portdef, member)
#define PORT_RATE(element, m, name, ...)                                     \
	ATTR("port/bandwidth/" element "@" #name, rate, P(bandwidth.m.name), \
	     .bad = "could not convert bandwidth " #name " value '%v'", ##__VA_ARGS__)
#define PORT_DIRECTION(element, m)                                                                  \
	ELEMENT("port/bandwidth/" element, P(bandwidth.m), .done = portdef_##m##_done,              \
		.twice = "Only one child <%e> element allowed"),                                    \
		PORT_RATE(element, m, average, GIVEN(struct portdef, bandwidth.m##_average_given)), \
		PORT_RATE(element, m, peak)
#define PORT_PCI(name, digits_, max_, text)                                                       \
	ATTR("port/plug/address@" #name, number, P(pci.name), .max = (max_), .digits = (digits_), \
	     .flags = ROW_HEX | ROW_PRINT, .when = is_plug_pci, .bad_range = "Invalid PCI address " text)
#define SRV_STRING(name, ...)                                                                       \
	ATTR("/dns/srv@" #name, string, FIELD(struct netdef_srv, name), .max = ROW_VALUE_MAX, LIVE, \
	     ##__VA_ARGS__)
#define SRV_NUMBER(name, min_, text)                                                                 \
	ATTR("/dns/srv@" #name, number, FIELD(struct netdef_srv, name), .min = (min_), .max = 65535, \
	     .bad = text " DNS SRV %a attribute for service '%k' in network '" NET "'", LIVE)
#define ALNUM        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define INVALID_CHAR "invalid character in %a attribute '%v' in DNS SRV record of network '" NET "'"

/* clang-format off */
const struct row rows[] = {
	ELEMENT("", .size = sizeof(struct netdef)),
	SILENT("@connections"),
	ATTR("@ipv6", word, D(ipv6), .words = &noyes, .bad = "Invalid ipv6 setting '%v' in network '" NET "'", LIVE),
	ATTR("@trustGuestRxFilters", word, D(trust_rx_filters), .words = &yesno, .flags = NOT_YET, .harmless = "no", LIVE),
	TEXT("/name", name, D(name), .flags = REQ, .missing = "missing name information", RECREATE),
	TEXT("/uuid", uuid, D(uuid), GIVEN(struct netdef, uuid_set), .bad = "malformed uuid element", RECREATE),
	TEXT("/title", string, RARE(title), .max = ROW_VALUE_MAX, .flags = R | ROW_DROP_EMPTY),
	TEXT("/description", string, RARE(description), .max = NETDEF_TEXT_MAX, .flags = R | ROW_MULTILINE | ROW_DROP_EMPTY),
	VERBATIM("/metadata", RARE(metadata), .flags = R),

	ELEMENT("/forward", .end = netdef_forward_end),
	ATTR("/forward@dev", uplink, RARE(forward_dev), .flags = R, LIVE),
	ATTR("/forward@mode", word, D(forward), .words = &mode, .def = "nat", .flags = NOT_YET, .harmless = "nat|route|open|bridge|private|vepa|passthrough",
	     .supported = "are nat, route, open, bridge, private, vepa, passthrough and isolated (no <forward>)", .bad = "unknown forwarding type '%v'", RESTART),
	ATTR("/forward@managed", word, RARE(managed), .words = &noyes, .flags = R | ROW_PRINT | NOT_YET, .harmless = "no",
	     .when = is_hostdev, RESTART),
	ELEMENT("/forward/driver"),
	ATTR("/forward/driver@name", word, RARE(driver), .words = &driver, .flags = R | NOT_YET,
	     .bad = "Unknown forward <driver name='%v'/> in network " NET, RESTART),
	ELEMENT("/forward/nat", .done = netdef_nat_done,
		.twice = "Only one <nat> element is allowed in <forward> of network " NET),
	ATTR("/forward/nat@ipv6", word, RARE(nat_ipv6), .words = &yesno, .flags = R, LIVE),
	ELEMENT("/forward/nat/address", .done = netdef_nat_address_done,
		.twice = "Only one <address> element is allowed in <nat> in <forward> in network " NET),
	ATTR("/forward/nat/address@start", ip, RARE(nat_start), .flags = R | REQ,
	     .missing = "missing 'start' attribute in <address> element in <nat> in <forward> in network " NET,
	     .bad = "Bad ipv4 start address '%v' in <nat> in <forward> in network '" NET "'", LIVE),
	ATTR("/forward/nat/address@end", ip, RARE(nat_end), .flags = R | REQ,
	     .missing = "missing 'end' attribute in <address> element in <nat> in <forward> in network " NET,
	     .bad = "Bad ipv4 end address '%v' in <nat> in <forward> in network '" NET "'", LIVE),
	ELEMENT("/forward/nat/port", .done = netdef_nat_port_done,
		.twice = "Only one <port> element is allowed in <nat> in <forward> in network " NET),
	ATTR("/forward/nat/port@start", number, RARE(nat_port_start), .min = 1, .max = 65535, .flags = R | REQ,
	     .missing = "Missing or invalid 'start' attribute in <port> in <nat> in <forward> in network " NET,
	     .bad = "Missing or invalid 'start' attribute in <port> in <nat> in <forward> in network " NET, LIVE),
	ATTR("/forward/nat/port@end", number, RARE(nat_port_end), .min = 1, .max = 65535, .flags = R | REQ,
	     .missing = "Missing or invalid 'end' attribute in <port> in <nat> in <forward> in network " NET,
	     .bad = "Missing or invalid 'end' attribute in <port> in <nat> in <forward> in network " NET, LIVE),
	ELEMENT("/forward/pf", .flags = NOT_YET, .twice = "Only one <pf> element is allowed in <forward> of network " NET),
	ATTR("/forward/pf@dev", ifname, RARE(pf), .flags = R | REQ | ROW_NOT_EMPTY,
	     .missing = "Missing required dev attribute in <pf> element of network '" NET "'", RESTART),
	SILENT("/forward/pf@connections"),
	MANY("/forward/interface", NETDEF_UPLINKS_MAX, LIST(struct netdef_rare, uplinks, uplink_cnt), .flags = R, LIVE),
	ATTR("/forward/interface@dev", ifname, FIELD(struct netdef_uplink, dev), .flags = REQ | ROW_ALWAYS | ROW_NOT_EMPTY,
	     .missing = "Missing required dev attribute in <forward> <interface> element of network " NET, LIVE),
	SILENT("/forward/interface@connections"),
	MANY("/forward/address", NETDEF_UPLINKS_MAX, LIST(struct netdef_rare, pcis, pci_cnt), .flags = R | NOT_YET, RESTART),
	ATTR("/forward/address@type", constant, .words = &pci, .flags = REQ, .missing = "missing address type in network " NET,
	     .bad = "unknown address type '%v' in network " NET),
	PCI(domain, 4, 0xffff, "domain='%v', must be <= 0xFFFF"),
	PCI(bus, 2, 0xff, "bus='%v', must be <= 0xFF"),
	PCI(slot, 2, 0x1f, "slot='%v', must be <= 0x1F"),
	PCI(function, 1, 7, "function=%v, must be <= 7"),
	SILENT("/forward/address@connections"),

	ELEMENT("/bridge"),
	ATTR("/bridge@name", ifname, D(bridge), RECREATE),
	ATTR("/bridge@zone", string, RARE(zone), .max = ROW_VALUE_MAX, .flags = R | ROW_DROP_EMPTY, RESTART),
	ATTR("/bridge@stp", word, D(stp), .words = &onoff, .def = "off", .flags = ROW_PRINT, .when = is_virtual, LIVE),
	ATTR("/bridge@delay", number, D(delay_s), .max = 65535, .flags = ROW_PRINT, .when = is_virtual,
	     .bad = "Invalid delay value in network '" NET "'", LIVE),
	ATTR("/bridge@macTableManager", word, D(mac_table), .words = &mac_table,
	     .bad = "Invalid macTableManager setting '%v' in network '" NET "'", RESTART),

	ELEMENT("/mtu"),
	ATTR("/mtu@size", number, D(mtu), .min = 68, .max = 65535, /* ETH_MIN_MTU, ETH_MAX_MTU */
	     .bad = "Invalid mtu size '%v' in network '" NET "'", LIVE),
	ELEMENT("/mac"),
	ATTR("/mac@address", mac, D(mac), GIVEN(struct netdef, mac_set),
	     .bad = "Invalid bridge mac address '%v' in network '" NET "'",
	     .bad_range = "Invalid multicast bridge mac address '%v' in network '" NET "'", RESTART),
	ELEMENT("/domain"),
	ATTR("/domain@name", host_name, D(domain), .max = 253, .flags = ROW_DROP_EMPTY, LIVE), /* RFC 1035 2.3.4, as text */
	ATTR("/domain@localOnly", word, D(domain_local_only), .words = &yesno, LIVE),
	ELEMENT("/dns"),
	ATTR("/dns@enable", word, D(dns_enable), GIVEN(struct netdef, dns_enable_set), .words = &noyes, .absent = 1, LIVE),
	ATTR("/dns@forwardPlainNames", word, D(forward_plain_names), .words = &yesno, LIVE),
	MANY("/dns/forwarder", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, forwarders, forwarder_cnt), .flags = R,
	     .done = netdef_forwarder_done, LIVE),
	ATTR("/dns/forwarder@domain", string, FIELD(struct netdef_forwarder, domain), .max = ROW_VALUE_MAX, LIVE),
	ATTR("/dns/forwarder@addr", ip, FIELD(struct netdef_forwarder, addr),
	     .bad = "Invalid forwarder IP address '%v' in network '" NET "'", LIVE),
	MANY("/dns/txt", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, txts, txt_cnt), .flags = R, LIVE),
	ATTR("/dns/txt@name", string, FIELD(struct netdef_txt, name), .max = ROW_VALUE_MAX, .flags = REQ | ROW_ALWAYS,
	     .chars = "^ ,", .missing = "missing required name attribute in DNS TXT record of network " NET,
	     .bad = "prohibited character in DNS TXT record name '%v' of network " NET, LIVE),
	ATTR("/dns/txt@value", string, FIELD(struct netdef_txt, value), .max = ROW_VALUE_MAX, .flags = REQ,
	     .missing = "missing required value attribute in DNS TXT record named '%k' of network " NET, LIVE),
	MANY("/dns/srv", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, srvs, srv_cnt), .flags = R,
	     .done = netdef_srv_done, LIVE),
	SRV_STRING(service, .flags = REQ, .chars = ALNUM "_-", .bad = INVALID_CHAR,
		   .missing = "missing required service attribute in DNS SRV record of network '" NET "'"),
	SRV_STRING(protocol, .flags = REQ, .chars = ALNUM "_-", .bad = INVALID_CHAR,
		   .missing = "missing required protocol attribute in DNS SRV record '%k' of network '" NET "'"),
	SRV_STRING(domain),
	SRV_STRING(target),
	SRV_NUMBER(port, 1, "invalid"),
	SRV_NUMBER(priority, 0, "Invalid"),
	SRV_NUMBER(weight, 0, "invalid"),
	MANY("/dns/host", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, dns_hosts, dns_host_cnt), .flags = R, LIVE),
	ATTR("/dns/host@ip", ip, FIELD(struct netdef_dns_host, ip), .flags = REQ,
	     .missing = "Missing IP address in network '" NET "' DNS HOST record",
	     .bad = "Invalid IP address in network '" NET "' DNS HOST record", LIVE),
	MANY("/dns/host/hostname", NETDEF_RECORDS_MAX, LIST(struct netdef_dns_host, names, name_cnt), .flags = REQ,
	     .missing = "Missing hostname in network '" NET "' DNS HOST record", LIVE),
	CONTENT("/dns/host/hostname", string, FIELD(struct netdef_hostname, name), .max = ROW_VALUE_MAX, .flags = ROW_NOT_EMPTY,
		.bad = "Missing hostname in network '" NET "' DNS HOST record", LIVE),

	VLAN_ROWS("/vlan", struct netdef_rare, vlan, R),
	BANDWIDTH_ROWS("/bandwidth", struct netdef_rare, bandwidth, R),
	ELEMENT("/port"),
	ATTR("/port@isolated", word, D(isolated), .words = &yesno, LIVE),

	MANY("/ip", NETDEF_IPS_MAX, LIST(struct netdef, ips, ip_cnt), .flags = ROW_OPEN, .done = netdef_ip_done,
	     .end = netdef_ip_end, RESTART),
	ATTR("/ip@family", family, FIELD(struct netdef_ip, family), .with = offsetof(struct netdef_ip, address.ip),
	     .words = &family, .bad = "Unrecognized family '%v' in network '" NET "'"),
	ATTR("/ip@address", ip, FIELD(struct netdef_ip, address.ip), .flags = REQ,
	     .missing = "Missing required address attribute in network '" NET "'",
	     .bad = "Invalid address '%v' in network '" NET "'", RESTART),
	ATTR("/ip@netmask", netmask, FIELD(struct netdef_ip, address), GIVEN(struct netdef_ip, netmask_given), .min = 1,
	     .bad = "Invalid netmask '%v' in network '" NET "'", RESTART),
	ATTR("/ip@prefix", prefix, FIELD(struct netdef_ip, address), GIVEN(struct netdef_ip, prefix_given), RESTART),
	ATTR("/ip@localPtr", word, FIELD(struct netdef_ip, local_ptr), .words = &yesno, LIVE),
	ATTR("/ip@netd:subnet", word, FIELD(struct netdef_ip, subnet_auto), .words = &subnet, .bad = "'%v' is not 'auto'"),
	ELEMENT("/ip/tftp"),
	ATTR("/ip/tftp@root", string, FIELD(struct netdef_ip, tftp_root), .max = ROW_VALUE_MAX, .flags = ROW_DROP_EMPTY, LIVE),
	ELEMENT("/ip/dhcp"),
	MANY("/ip/dhcp/range", NETDEF_RANGES_MAX, LIST(struct netdef_ip, ranges, range_cnt), GIVEN(struct netdef_ip, dhcp), LIVE),
	ATTR("/ip/dhcp/range@start", ip, FIELD(struct netdef_range, start), .flags = REQ | ROW_ALWAYS,
	     .missing = "Missing 'start' attribute in dhcp range for network '" NET "'",
	     .bad = "Cannot parse socket address '%v': Name or service not known", LIVE),
	ATTR("/ip/dhcp/range@end", ip, FIELD(struct netdef_range, end), .flags = REQ | ROW_ALWAYS,
	     .missing = "Missing 'end' attribute in dhcp range for network '" NET "'",
	     .bad = "Cannot parse socket address '%v': Name or service not known", LIVE),
	LEASE_ROWS("/ip/dhcp/range/lease", struct netdef_range),
	MANY("/ip/dhcp/host", NETDEF_HOSTS_MAX, LIST(struct netdef_ip, hosts, host_cnt), GIVEN(struct netdef_ip, dhcp), LIVE),
	ATTR("/ip/dhcp/host@mac", mac, FIELD(struct netdef_host, mac), GIVEN(struct netdef_host, has_mac),
	     .bad = "Cannot parse MAC address '%v' in network '" NET "'",
	     .bad_range = "expected unicast mac address, found multicast '%v' in network '" NET "'", LIVE),
	ATTR("/ip/dhcp/host@id", string, FIELD(struct netdef_host, id), .max = ROW_VALUE_MAX, .chars = "0123456789abcdefABCDEF:",
	     .flags = NOT_YET, .bad = "Invalid character '%c' in id '%v' of network '" NET "'", LIVE),
	ATTR("/ip/dhcp/host@netd:clientId", string, FIELD(struct netdef_host, client_id), .max = 764, /* 255 bytes */
	     .chars = "0123456789abcdefABCDEF:", .bad = "Invalid character '%c' in clientId '%v' of network '" NET "'", LIVE),
	ATTR("/ip/dhcp/host@name", host_name, FIELD(struct netdef_host, name), .max = 63, /* DHCP_HOSTNAME_MAX - 1 */
	     .bad = "Cannot use host name '%v' in network '" NET "'", LIVE),
	ATTR("/ip/dhcp/host@ip", ip, FIELD(struct netdef_host, ip), .flags = REQ,
	     .missing = "Missing IP address in static host definition for network '" NET "'",
	     .bad = "Invalid IP address in static host definition for network '" NET "'", LIVE),
	LEASE_ROWS("/ip/dhcp/host/lease", struct netdef_host),
	ELEMENT("/ip/dhcp/bootp"),
	ATTR("/ip/dhcp/bootp@file", string, FIELD(struct netdef_ip, bootp_file), .max = 254, /* DHCP_BOOT_FILE_MAX - 1 */
	     .when = has_dhcp, LIVE),
	ATTR("/ip/dhcp/bootp@server", ip, FIELD(struct netdef_ip, bootp_server), .when = has_dhcp,
	     .bad = "Cannot parse socket address '%v': Name or service not known", LIVE),
	MANY("/ip/dhcp/netd:boot", NETDEF_BOOTS_MAX, LIST(struct netdef_ip, boots, boot_cnt), LIVE),
	ATTR("/ip/dhcp/netd:boot@arch", word, FIELD(struct netdef_boot_file, arch), .words = &boot, .flags = REQ,
	     .bad = "'%v' is not one of 'bios', 'x64-uefi', 'arm64-uefi', 'x64-http', 'arm64-http', 'ipxe'", LIVE),
	ATTR("/ip/dhcp/netd:boot@file", string, FIELD(struct netdef_boot_file, file), .max = 254, .flags = REQ | ROW_NOT_EMPTY,
	     LIVE),

	MANY("/route", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, routes, route_cnt), .flags = R,
	     .done = netdef_route_done, LIVE),
	ATTR("/route@family", family, FIELD(struct netdef_route, family), .with = offsetof(struct netdef_route, address.ip),
	     .words = &family, .bad = NET ": Unrecognized family '%v' in route definition"),
	ATTR("/route@address", ip, FIELD(struct netdef_route, address.ip), .flags = REQ,
	     .missing = NET ": Missing required address attribute in route definition",
	     .bad = NET ": Bad network address '%v' in route definition", LIVE),
	ATTR("/route@netmask", netmask, FIELD(struct netdef_route, address), GIVEN(struct netdef_route, netmask_given),
	     .bad = NET ": Bad netmask address '%v' in route definition", LIVE),
	ATTR("/route@prefix", route_prefix, FIELD(struct netdef_route, address), GIVEN(struct netdef_route, prefix_given), LIVE),
	ATTR("/route@gateway", ip, FIELD(struct netdef_route, gateway), .flags = REQ,
	     .missing = NET ": Missing required gateway attribute in route definition",
	     .bad = NET ": Bad gateway address '%v' in route definition", LIVE),
	ATTR("/route@metric", number, FIELD(struct netdef_route, metric), GIVEN(struct netdef_route, metric_given), .min = 1,
	     .max = UINT32_MAX, .bad_range = "Invalid value for attribute 'metric' in element 'route': Zero is not permitted", LIVE),
	VIRTUALPORT_ROWS("/virtualport", struct netdef_rare, virtualport, R, REQ, netdef_virtualport_end),
	MANY("/portgroup", NETDEF_PORTGROUPS_MAX, LIST(struct netdef_rare, portgroups, portgroup_cnt), .flags = R | ROW_OPEN, LIVE),
	ATTR("/portgroup@name", string, FIELD(struct netdef_portgroup, name), .max = ROW_VALUE_MAX,
	     .flags = REQ | ROW_ALWAYS | ROW_NOT_EMPTY, .missing = "Missing required name attribute in portgroup",
	     .bad = "Missing required name attribute in portgroup", LIVE),
	ATTR("/portgroup@default", word, FIELD(struct netdef_portgroup, is_default), .words = &noyes, LIVE),
	ATTR("/portgroup@trustGuestRxFilters", word, FIELD(struct netdef_portgroup, trust_rx_filters), .words = &yesno,
	     .flags = NOT_YET, .harmless = "no", LIVE),
	VLAN_ROWS("/portgroup/vlan", struct netdef_portgroup, vlan, 0),
	VIRTUALPORT_ROWS("/portgroup/virtualport", struct netdef_portgroup, virtualport, 0, 0, netdef_virtualport_end),
	BANDWIDTH_ROWS("/portgroup/bandwidth", struct netdef_portgroup, bandwidth, 0),
	GUARD_ROWS("/portgroup/netd:guards", struct netdef_portgroup, policy.guards, 0),
	EGRESS_ROWS("/portgroup/netd:egress", struct netdef_portgroup, policy, 0),
	ELEMENT("/dnsmasq:options"), /* Terraform's provider writes it empty into every network */
	MANY("/dnsmasq:options/dnsmasq:option", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, options, option_cnt),
	     .flags = R, LIVE),
	ATTR("/dnsmasq:options/dnsmasq:option@value", string, FIELD(struct netdef_option, value), .max = ROW_VALUE_MAX,
	     .flags = REQ, .missing = "No dnsmasq options value specified", LIVE),

	ELEMENT("/netd:hostAccess"),
	ATTR("/netd:hostAccess@mode", word, RARE(host_access), .words = &host_access, .flags = R | REQ,
	     .bad = "'%v' is not one of 'all', 'services', 'none'", .change_of = host_access_change),
	MANY("/netd:source", NETDEF_SOURCES_MAX, LIST(struct netdef_rare, sources, source_cnt), .flags = R, LIVE),
	ATTR("/netd:source@address", ip, FIELD(struct netdef_source, address), .flags = REQ, LIVE),
	MANY("/netd:accept", NETDEF_ACCEPTS_MAX, LIST(struct netdef_rare, accepts, accept_cnt), .flags = R, LIVE),
	ATTR("/netd:accept@network", name, FIELD(struct netdef_accept, network), .flags = REQ, LIVE),
	GUARD_ROWS("/netd:guards", struct netdef_rare, policy.guards, R),
	EGRESS_ROWS("/netd:egress", struct netdef_rare, policy, R),
	MANY("/netd:address", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, allowed, allowed_cnt), .flags = R, LIVE),
	ATTR("/netd:address@guest", guest, FIELD(struct netdef_allowed, guest), .flags = REQ, LIVE),
	ATTR("/netd:address@address", network, FIELD(struct netdef_allowed, address), .flags = REQ, LIVE),
	MANY("/netd:forward", NETDEF_RECORDS_MAX, LIST(struct netdef_rare, publishes, publish_cnt), .flags = R,
	     .done = netdef_publish_done, LIVE),
	ATTR("/netd:forward@protocol", word, FIELD(struct netdef_publish, protocol), .words = &protocol, .def = "tcp",
	     .bad = "'%v' is not one of 'tcp', 'udp'", LIVE),
	ATTR("/netd:forward@address", ip, FIELD(struct netdef_publish, address), LIVE),
	FORWARD_NUMBER(port, port, .flags = REQ),
	FORWARD_NUMBER(end, port_end),
	ATTR("/netd:forward@guest", guest_or_ip, FIELD(struct netdef_publish, guest), .flags = REQ, LIVE),
	FORWARD_NUMBER(guestPort, guest_port),
	ELEMENT("/netd:autostart"),
	ATTR("/netd:autostart@mode", word, D(autostart), GIVEN(struct netdef, autostart_set), .words = &autostart, .flags = REQ,
	     .bad = "'%v' is not one of 'no', 'boot', 'on-attach'"),

	/* A document of its own: <networkport>, one port of a network. */
	ELEMENT("port", .size = sizeof(struct portdef)),
	TEXT("port/uuid", uuid, P(uuid), GIVEN(struct portdef, uuid_given), .flags = REQ, .missing = "network port has no uuid",
	     .bad = "Unable to parse UUID '%v'"),
	ELEMENT("port/owner", .flags = REQ, .missing = "network port has no owner name"),
	TEXT("port/owner/name", string, P(owner_name), .max = ROW_VALUE_MAX, .flags = REQ | ROW_NOT_EMPTY,
	     .missing = "network port has no owner name", .bad = "network port has no owner name"),
	TEXT("port/owner/uuid", uuid, P(owner_uuid), GIVEN(struct portdef, owner_uuid_given), .flags = REQ,
	     .missing = "network port has no owner UUID", .bad = "Unable to parse UUID '%v'"),
	TEXT("port/group", string, P(group), .max = 63, /* struct port's portgroup */ .flags = ROW_DROP_EMPTY),
	ELEMENT("port/mac", .flags = REQ, .missing = "network port has no mac"),
	ATTR("port/mac@address", mac, P(mac), GIVEN(struct portdef, mac_given), .flags = REQ, .missing = "network port has no mac",
	     .bad = "Unable to parse MAC '%v'", .bad_range = "expected unicast mac address, found multicast '%v'"),
	VIRTUALPORT_ROWS("port/virtualport", struct portdef, virtualport, 0, 0, netdef_virtualport_end),
	ELEMENT("port/bandwidth", GIVEN(struct portdef, bandwidth.given), .flags = ROW_OPEN, .end = portdef_bandwidth_end),
	ATTR("port/bandwidth@classID", number, P(class_id), .max = UINT32_MAX, .bad = "Unable to parse class id '%v'"),
	PORT_DIRECTION("inbound", inbound),
	ATTR("port/bandwidth/inbound@floor", rate, P(bandwidth.floor), .bad = "could not convert bandwidth floor value '%v'"),
	PORT_RATE("inbound", inbound, burst),
	PORT_DIRECTION("outbound", outbound),
	REFUSED("port/bandwidth/outbound@floor", "'floor' attribute allowed only in <inbound> element"),
	PORT_RATE("outbound", outbound, burst),
	VLAN_ROWS("port/vlan", struct portdef, vlan, 0),
	ELEMENT("port/port"),
	ATTR("port/port@isolated", word, P(isolated), .words = &yesno),
	ELEMENT("port/rxfilters"),
	ATTR("port/rxfilters@trustGuest", word, P(trust_rx_filters), .words = &yesno),
	ELEMENT("port/plug", .end = portdef_plug_end),
	ATTR("port/plug@type", word, P(plug), .words = &plug),
	ATTR("port/plug@bridge", ifname, P(bridge), .when = is_plug_bridge),
	ATTR("port/plug@macTableManager", word, P(mac_table), .words = &mac_table, .when = is_plug_bridge,
	     .bad = "Invalid macTableManager setting '%v' in network port"),
	ATTR("port/plug@dev", ifname, P(dev), .when = is_plug_direct),
	ATTR("port/plug@mode", word, P(mode), .words = &direct, .flags = ROW_PRINT, .when = is_plug_direct,
	     .bad = "Invalid mode setting '%v' in network port"),
	ATTR("port/plug@managed", word, P(managed), .words = &yesno, .when = is_plug_pci),
	ELEMENT("port/plug/driver"),
	ATTR("port/plug/driver@name", word, P(driver), .words = &driver, .when = is_plug_pci,
	     .bad = "Missing network port driver name"),
	ELEMENT("port/plug/address", .done = portdef_address_done),
	PORT_PCI(domain, 4, 0xffff, "domain='%v', must be <= 0xFFFF"),
	PORT_PCI(bus, 2, 0xff, "bus='%v', must be <= 0xFF"),
	PORT_PCI(slot, 2, 0x1f, "slot='%v', must be <= 0x1F"),
	PORT_PCI(function, 1, 7, "function=%v, must be <= 7"),
};
/* clang-format on */
const size_t row_cnt = ARRAY_LEN(rows);
static_assert(ARRAY_LEN(rows) <= ROWS_MAX, "counters per row are arrays of ROWS_MAX");

static bool below(const char *parent, size_t parent_len, const char *path)
{
	return strncmp(parent, path, parent_len) == 0 && (path[parent_len] == '/' || path[parent_len] == '@');
}

const struct row *row_end(const struct row *r)
{
	size_t len = strlen(r->path);
	const struct row *end = r + 1;

	while (end < rows + row_cnt && below(r->path, len, end->path))
		end++;
	return end;
}

const char *row_name(const struct row *r)
{
	size_t at = strlen(r->path);

	while (at > 0 && r->path[at - 1] != '/' && r->path[at - 1] != '@')
		at--;
	return r->path + at;
}

bool row_is_attr(const struct row *r)
{
	const char *name = row_name(r);

	return name > r->path && name[-1] == '@';
}

bool row_is_child(const struct row *parent, const struct row *r)
{
	size_t len = strlen(parent->path);

	return below(parent->path, len, r->path) && row_name(r) == r->path + len + 1;
}

const struct row *row_find_child(const struct row *parent, const char *name, bool attr)
{
	size_t len = strlen(parent->path);

	for (const struct row *r = parent + 1; r < rows + row_cnt && below(parent->path, len, r->path); r++)
		if (r->path[len] == (attr ? '@' : '/') && strcmp(r->path + len + 1, name) == 0)
			return r;
	return NULL;
}

const struct row *row_parent(const struct row *r)
{
	for (const struct row *p = r; p-- > rows;)
		if (row_is_child(p, r))
			return p;
	return NULL;
}

const struct row *row_find(const char *path)
{
	for (size_t i = 0; i < row_cnt; i++)
		if (strcmp(rows[i].path, path) == 0)
			return &rows[i];
	return NULL;
}

const struct row *row_text(const struct row *element)
{
	if (element->kind == ROW_TEXT)
		return element;
	return element + 1 < rows + row_cnt && element[1].kind == ROW_CONTENT ? element + 1 : NULL;
}

static void put_key(struct nd_buf *out, const struct row *r, const void *obj)
{
	char scratch[ROW_SCRATCH_LEN];
	const struct row *key = row_parent(r) ? row_parent(r) + 1 : r;

	if (obj && key->type && key->type->given(key, obj))
		nd_buf_append_string(out, key->type->format(key, obj, scratch));
}

/* The first character that the row does not let in. */
static void put_culprit(struct nd_buf *out, const struct row *r, const char *value)
{
	if (r->chars && value && value[strspn(value, r->chars)])
		nd_buf_append(out, value + strspn(value, r->chars), 1);
}

int row_fail(struct nd_error *e, int code, const char *template, const struct row *r, const void *obj,
	     const char *value)
{
	struct nd_buf out = { .max = 4096 };
	const struct row *element = row_is_attr(r) ? row_parent(r) : r;

	for (const char *p = template; *p; p++) {
		if (*p != '%') {
			nd_buf_append(&out, p, 1);
			continue;
		}
		switch (*++p) {
		case 'v': nd_buf_append_string(&out, value ? value : ""); break;
		case 'e': nd_buf_append_string(&out, row_name(element)); break;
		case 'a': nd_buf_append_string(&out, row_name(r)); break;
		case 'k': put_key(&out, r, obj); break;
		case 'c': put_culprit(&out, r, value); break;
		default: nd_buf_append_string(&out, "%"); break;
		}
	}
	nd_fail(e, code, "%s", nd_buf_string(&out));
	nd_buf_done(&out);
	return code;
}

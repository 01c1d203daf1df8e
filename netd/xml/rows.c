// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the elements and attributes of a network definition
 *
 * One row is one feature. Parser, formatter, copy, free, diff and size know no element by name; a row gives
 * them where the value lies, how it reads and writes, what it may be and what changing it costs a running
 * network.
 *
 * Order is libvirt's dump order. A row that libvirt knows and netd does not do yet is a LATER row: to
 * implement the feature, give the row a kind, a type and a field, and netd-network(5) its paragraph. A LATER
 * row with a default accepts just that value, so that what libvirt itself dumps is not refused for saying the
 * obvious.
 *
 * The change class is what a running network needs when the field changes: NONE nothing, LIVE an update in
 * place, RESTART stop and start. A bridge's name, its MAC and its addresses are in guests' routes and ARP
 * caches: RESTART.
 */
#include "netd/xml/rows.h"

#include <assert.h>

static const char *const onoff_names[] = { "off", "on" };
static const char *const yesno_names[] = { "no", "yes" };
static const char *const mode_names[] = { [NETDEF_FORWARD_NONE] = NULL, [NETDEF_FORWARD_NAT] = "nat" };
static const char *const mode_later[] = { "route", "open",        "bridge",  "private",
					  "vepa",  "passthrough", "hostdev", NULL };
static const char *const family_names[] = { NULL, "ipv4" };
static const char *const family_later[] = { "ipv6", NULL };
static const char *const subnet_names[] = { NULL, "auto" };
static const char *const autostart_names[] = {
	[NETDEF_AUTOSTART_NO] = "no",
	[NETDEF_AUTOSTART_BOOT] = "boot",
	[NETDEF_AUTOSTART_ON_ATTACH] = "on-attach",
};
static const char *const unit_names[] = {
	[NETDEF_UNIT_MINUTES] = "minutes",
	[NETDEF_UNIT_SECONDS] = "seconds",
	[NETDEF_UNIT_HOURS] = "hours",
};
ND_STRTAB(netdef_autostart, autostart_names)
ND_STRTAB(netdef_unit, unit_names)

#define WORDS(tab) .names = (tab), .cnt = ARRAY_LEN(tab)
static const struct row_words onoff = { WORDS(onoff_names) };
static const struct row_words yesno = { WORDS(yesno_names) };
static const struct row_words mode = {
	WORDS(mode_names),
	.later = mode_later,
	.supported = "nat and isolated (no <forward>)",
	.unknown = "unknown forwarding type",
};
static const struct row_words family = {
	WORDS(family_names),
	.later = family_later,
	.supported = "ipv4",
	.unknown = "Unrecognized family",
};
static const struct row_words subnet = { WORDS(subnet_names) };
static const struct row_words autostart = { WORDS(autostart_names) };
static const struct row_words unit = { WORDS(unit_names) };

const struct row_ns row_namespaces[] = {
	{ "netd", NETD_XML_NS },
	{ "dnsmasq", "http://libvirt.org/schemas/network/dnsmasq/1.0" },
};
const size_t row_namespace_cnt = ARRAY_LEN(row_namespaces);

/* The subnet length: at most one of the two ways to write it, the class's where there is none. */
static int ip_done(void *obj, struct nd_error *e)
{
	struct netdef_ip *ip = obj;
	char text[ND_IP_STRLEN];

	if (ip->address.ip.family != AF_INET)
		return nd_fail(e, ND_INVALID, "%s family specified for non-IPv4 address '%s'",
			       ip->family_given ? "ipv4" : "no", nd_ip_to_string(&ip->address.ip, text));
	if (ip->prefix_given && ip->netmask_given)
		return nd_fail(e, ND_INVALID, "IP address cannot have both a prefix and a netmask");
	if (!ip->prefix_given && !ip->netmask_given)
		ip->address.len = netdef_classful_len(&ip->address.ip);
	return 0;
}

#define FIELD(obj, member) .offset = offsetof(obj, member), .size = sizeof(((obj *)0)->member)
#define LIST(obj, member, cnt_) \
	.offset = offsetof(obj, member), .with = offsetof(obj, cnt_), .size = sizeof(*((obj *)0)->member)
#define GIVEN(obj, member) .present = offsetof(obj, member) + 1
#define LIVE               .change = NETDEF_CHANGE_LIVE
#define RESTART            .change = NETDEF_CHANGE_RESTART

#define ELEMENT(p, ...)                                                 \
	{                                                               \
		.path = "network" p, .kind = ROW_ELEMENT, ##__VA_ARGS__ \
	}
#define MANY(p, n, ...)                                                          \
	{                                                                        \
		.path = "network" p, .kind = ROW_LIST, .max = (n), ##__VA_ARGS__ \
	}
#define TEXT(p, t, ...)                                                                     \
	{                                                                                   \
		.path = "network" p, .kind = ROW_TEXT, .type = &row_type_##t, ##__VA_ARGS__ \
	}
#define ATTR(p, t, ...)                                                                     \
	{                                                                                   \
		.path = "network" p, .kind = ROW_ATTR, .type = &row_type_##t, ##__VA_ARGS__ \
	}
#define SILENT(p)                                       \
	{                                               \
		.path = "network" p, .kind = ROW_SILENT \
	}
#define NOT_KEPT(p)                                       \
	{                                                 \
		.path = "network" p, .kind = ROW_NOT_KEPT \
	}
#define LATER(p)                                       \
	{                                              \
		.path = "network" p, .kind = ROW_LATER \
	}
#define LATER_UNLESS(p, v)                                         \
	{                                                          \
		.path = "network" p, .kind = ROW_LATER, .def = (v) \
	}
#define LATER_DEFAULT(p, v)                                                               \
	{                                                                                 \
		.path = "network" p, .kind = ROW_LATER, .def = (v), .flags = ROW_REQUIRED \
	}

#define LEASE_ROWS(p, obj)                                                                        \
	ELEMENT(p),                                                                               \
		ATTR(p "@expiry", expiry, FIELD(obj, lease_s), .with = offsetof(obj, lease_unit), \
		     .flags = ROW_REQUIRED, .max = UINT32_MAX, LIVE),                             \
		ATTR(p "@unit", unit, FIELD(obj, lease_unit), .with = offsetof(obj, lease_s),     \
		     .words = &unit, .def = "minutes")

/* clang-format off */
const struct row rows[] = {
	ELEMENT(""),
	SILENT("@connections"),
	LATER_UNLESS("@ipv6", "no"),
	LATER_UNLESS("@trustGuestRxFilters", "no"),
	TEXT("/name", name, FIELD(struct netdef, name), .flags = ROW_REQUIRED, .missing = "missing name information", RESTART),
	TEXT("/uuid", uuid, FIELD(struct netdef, uuid), GIVEN(struct netdef, uuid_set), RESTART),
	NOT_KEPT("/title"),
	NOT_KEPT("/description"),
	NOT_KEPT("/metadata"),

	ELEMENT("/forward"),
	LATER("/forward@dev"),
	ATTR("/forward@mode", word, FIELD(struct netdef, forward), .words = &mode, .def = "nat", RESTART),
	LATER_UNLESS("/forward@managed", "no"),
	LATER("/forward/driver"),
	ELEMENT("/forward/nat"),
	LATER_UNLESS("/forward/nat@ipv6", "no"),
	LATER("/forward/nat/address"),
	ELEMENT("/forward/nat/port"),
	LATER_DEFAULT("/forward/nat/port@start", "1024"),
	LATER_DEFAULT("/forward/nat/port@end", "65535"),
	LATER("/forward/pf"),
	LATER("/forward/interface"),
	LATER("/forward/address"),

	ELEMENT("/bridge"),
	ATTR("/bridge@name", ifname, FIELD(struct netdef, bridge), RESTART),
	LATER("/bridge@zone"),
	ATTR("/bridge@stp", word, FIELD(struct netdef, stp), .words = &onoff, .def = "off", .flags = ROW_PRINT, LIVE),
	ATTR("/bridge@delay", number, FIELD(struct netdef, delay_s), .max = 65535, .flags = ROW_PRINT, LIVE),
	LATER_UNLESS("/bridge@macTableManager", "kernel"),

	ELEMENT("/mtu"),
	ATTR("/mtu@size", number, FIELD(struct netdef, mtu), .min = 68, .max = 65535, LIVE), /* ETH_MIN_MTU, ETH_MAX_MTU */
	ELEMENT("/mac"),
	ATTR("/mac@address", mac, FIELD(struct netdef, mac), GIVEN(struct netdef, mac_set), RESTART),
	ELEMENT("/domain"),
	ATTR("/domain@name", host_name, FIELD(struct netdef, domain), .max = 253, LIVE), /* RFC 1035 2.3.4, as text */
	LATER_UNLESS("/domain@localOnly", "no"),
	ELEMENT("/dns"),
	ATTR("/dns@enable", word, FIELD(struct netdef, dns_enable), GIVEN(struct netdef, dns_enable_set), .words = &yesno,
	     .absent = 1, LIVE),
	LATER_UNLESS("/dns@forwardPlainNames", "yes"),
	LATER("/dns/forwarder"),
	LATER("/dns/txt"),
	LATER("/dns/srv"),
	LATER("/dns/host"),
	LATER("/vlan"),
	LATER("/bandwidth"),
	ELEMENT("/port"),
	LATER_UNLESS("/port@isolated", "no"),

	MANY("/ip", NETDEF_IPS_MAX, LIST(struct netdef, ips, ip_cnt), .flags = ROW_OPEN, .done = ip_done, RESTART),
	ATTR("/ip@family", word, FIELD(struct netdef_ip, family_given), .words = &family),
	ATTR("/ip@address", ip, FIELD(struct netdef_ip, address.ip), .flags = ROW_REQUIRED,
	     .missing = "Missing required address attribute", RESTART),
	ATTR("/ip@netmask", netmask, FIELD(struct netdef_ip, address), GIVEN(struct netdef_ip, netmask_given), RESTART),
	ATTR("/ip@prefix", prefix, FIELD(struct netdef_ip, address), GIVEN(struct netdef_ip, prefix_given), RESTART),
	LATER_UNLESS("/ip@localPtr", "no"),
	ATTR("/ip@netd:subnet", word, FIELD(struct netdef_ip, subnet_auto), .words = &subnet),
	LATER("/ip/tftp"),
	ELEMENT("/ip/dhcp"),
	MANY("/ip/dhcp/range", NETDEF_RANGES_MAX, LIST(struct netdef_ip, ranges, range_cnt), GIVEN(struct netdef_ip, dhcp), LIVE),
	ATTR("/ip/dhcp/range@start", ip, FIELD(struct netdef_range, start), .flags = ROW_REQUIRED,
	     .missing = "Missing 'start' attribute in dhcp range", LIVE),
	ATTR("/ip/dhcp/range@end", ip, FIELD(struct netdef_range, end), .flags = ROW_REQUIRED,
	     .missing = "Missing 'end' attribute in dhcp range", LIVE),
	LEASE_ROWS("/ip/dhcp/range/lease", struct netdef_range),
	MANY("/ip/dhcp/host", NETDEF_HOSTS_MAX, LIST(struct netdef_ip, hosts, host_cnt), GIVEN(struct netdef_ip, dhcp), LIVE),
	ATTR("/ip/dhcp/host@mac", mac, FIELD(struct netdef_host, mac), GIVEN(struct netdef_host, has_mac), LIVE),
	LATER("/ip/dhcp/host@id"),
	ATTR("/ip/dhcp/host@name", host_name, FIELD(struct netdef_host, name), .max = 63, LIVE), /* DHCP_HOSTNAME_MAX - 1 */
	ATTR("/ip/dhcp/host@ip", ip, FIELD(struct netdef_host, ip), .flags = ROW_REQUIRED,
	     .missing = "Missing IP address in static host definition", LIVE),
	LEASE_ROWS("/ip/dhcp/host/lease", struct netdef_host),
	LATER("/ip/dhcp/bootp"),
	LATER("/route"),
	LATER("/virtualport"),
	LATER("/portgroup"),
	ELEMENT("/dnsmasq:options"), /* Terraform's provider writes it empty into every network */
	LATER("/dnsmasq:options/dnsmasq:option"),

	ELEMENT("/netd:autostart"),
	ATTR("/netd:autostart@mode", word, FIELD(struct netdef, autostart), GIVEN(struct netdef, autostart_set),
	     .words = &autostart, .flags = ROW_REQUIRED),
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

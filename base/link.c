/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: records of links, addresses and routes
 *
 * Turns rtnetlink messages into compact records by tables: one row says where an attribute's value goes and which getter
 * puts it there, so a new field is a row. A parse runs for each of thousands of events: it allocates nothing and looks at
 * each attribute once. Attributes that are absent leave the record's zero; one of a wrong length is a broken message (ND_PARSE).
 *
 * The requests below are RTM_SETLINK or RTM_DELLINK with one attribute each; what needs more than one thing changed at once
 * (a bridge, a TAP) builds its own message in its own folder.
 * Source: Documentation/netlink/specs/rt-link.yaml, rt-addr.yaml, rt-route.yaml.
 */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "base/link.h"
#include "base/mem.h"
#include "base/strtab.h"

#define ALIAS_PREFIX "netd:"

/* A getter puts an attribute's value into a field. Return: false when the attribute is too short. */
struct attr_row {
	bool (*get)(const struct nlattr *attr, void *field);
	size_t offset;
};

static bool get_raw(const struct nlattr *attr, void *field, size_t len)
{
	if ((size_t)nla_len(attr) < len)
		return false;
	memcpy(field, nla_data(attr), len);
	return true;
}

static bool get_u32(const struct nlattr *attr, void *field)
{
	return get_raw(attr, field, sizeof(uint32_t));
}

static bool get_flag_u8(const struct nlattr *attr, void *field)
{
	uint8_t v = 0;
	bool ok = get_raw(attr, &v, sizeof(v));

	*(bool *)field = v != 0;
	return ok;
}

static bool get_off_u8(const struct nlattr *attr, void *field)
{
	uint8_t v = 1;
	bool ok = get_raw(attr, &v, sizeof(v));

	*(bool *)field = v == 0;
	return ok;
}

static bool get_flag_u32(const struct nlattr *attr, void *field)
{
	uint32_t v = 0;
	bool ok = get_raw(attr, &v, sizeof(v));

	*(bool *)field = v != 0;
	return ok;
}

static bool get_u32_as_u16(const struct nlattr *attr, void *field)
{
	uint32_t v = 0;
	bool ok = get_raw(attr, &v, sizeof(v));

	*(uint16_t *)field = v > UINT16_MAX ? UINT16_MAX : (uint16_t)v;
	return ok;
}

/* Tunnels have hardware addresses of other lengths: not a MAC, so none. */
static bool get_mac(const struct nlattr *attr, void *field)
{
	return nla_len(attr) != sizeof(struct nd_mac) || get_raw(attr, field, sizeof(struct nd_mac));
}

static bool get_name(const struct nlattr *attr, void *field)
{
	return nd_strcpyn(field, ND_IFNAMSIZ, nla_data(attr), strnlen(nla_data(attr), nla_len(attr)));
}

/* The address family is the message's: the caller has put it into the field. */
static bool get_ip(const struct nlattr *attr, void *field)
{
	struct nd_ip *ip = field;

	return get_raw(attr, ip->b, ip->family == AF_INET ? 4 : 16);
}

/* rows: indexed by attribute type. Return: 0 or ND_PARSE. */
static int parse_attrs(struct nlattr *first, int len, const struct attr_row *rows, size_t row_cnt, void *ret,
		       struct nd_error *e)
{
	struct nlattr *attr;
	int left;

	nla_for_each_attr(attr, first, len, left)
	{
		size_t type = nla_type(attr);

		if (type < row_cnt && rows[type].get &&
		    !rows[type].get(attr, (char *)ret + rows[type].offset))
			return nd_fail(e, ND_PARSE, "rtnetlink attribute %zu has length %d", type,
				       nla_len(attr));
	}
	return 0;
}

static int parse_nested(struct nlattr *nest, const struct attr_row *rows, size_t row_cnt, void *ret,
			struct nd_error *e)
{
	return parse_attrs(nla_data(nest), nla_len(nest), rows, row_cnt, ret, e);
}

/* The attributes after a header of header_len bytes. Return: false when the message is too short for it or of another type. */
static bool open_message(const struct nlmsghdr *msg, uint16_t type_new, uint16_t type_del, size_t header_len)
{
	return (msg->nlmsg_type == type_new || msg->nlmsg_type == type_del) &&
	       msg->nlmsg_len >= NLMSG_HDRLEN + header_len;
}

const char *nd_alias_format(const struct nd_uuid *network, const struct nd_uuid *port,
			    char buf[ND_ALIAS_STRLEN])
{
	char *p = buf + strlen(ALIAS_PREFIX);

	memcpy(buf, ALIAS_PREFIX, sizeof(ALIAS_PREFIX));
	nd_uuid_to_string(network, p);
	if (port) {
		p += ND_UUID_STRLEN - 1;
		*p++ = ':';
		nd_uuid_to_string(port, p);
	}
	return buf;
}

/* Exactly 36 characters, so that the end of one uuid is where the format says. */
static bool parse_alias_uuid(const char *s, struct nd_uuid *ret)
{
	char buf[ND_UUID_STRLEN];

	if (strnlen(s, ND_UUID_STRLEN - 1) != ND_UUID_STRLEN - 1)
		return false;
	memcpy(buf, s, ND_UUID_STRLEN - 1);
	buf[ND_UUID_STRLEN - 1] = '\0';
	return buf[8] == '-' && nd_uuid_from_string(buf, ret) == 0;
}

int nd_alias_parse(const char *alias, struct nd_uuid *ret_network, struct nd_uuid *ret_port)
{
	const char *p = alias + strlen(ALIAS_PREFIX);
	struct nd_uuid network, port = { { 0 } };

	if (strncmp(alias, ALIAS_PREFIX, strlen(ALIAS_PREFIX)) != 0 || !parse_alias_uuid(p, &network))
		return ND_INVALID;
	p += ND_UUID_STRLEN - 1;
	if (*p == ':') {
		if (!parse_alias_uuid(p + 1, &port))
			return ND_INVALID;
		p += ND_UUID_STRLEN;
	}
	if (*p)
		return ND_INVALID;
	*ret_network = network;
	*ret_port = port;
	return 0;
}

/* What the outer rows find; the nested parts are read when the kind is known, in whatever order they came. */
struct link_scan {
	struct nd_link link;
	struct nlattr *info;
};
struct info_scan {
	struct nlattr *data, *slave_data;
	uint8_t kind;
	bool slave_of_bridge;
};

static bool get_alias(const struct nlattr *attr, void *field)
{
	struct nd_link *l = field;
	char buf[ND_ALIAS_STRLEN];

	if (nd_strcpyn(buf, sizeof(buf), nla_data(attr), strnlen(nla_data(attr), nla_len(attr))))
		l->has_alias = nd_alias_parse(buf, &l->alias_network, &l->alias_port) == 0;
	return true;
}

static bool attr_is(const struct nlattr *attr, const char *word)
{
	size_t len = strlen(word);

	return (size_t)nla_len(attr) >= len && strnlen(nla_data(attr), nla_len(attr)) == len &&
	       memcmp(nla_data(attr), word, len) == 0;
}

static bool get_htb(const struct nlattr *attr, void *field)
{
	*(bool *)field = attr_is(attr, "htb");
	return true;
}

static bool get_nest(const struct nlattr *attr, void *field)
{
	*(struct nlattr **)field = (struct nlattr *)attr;
	return true;
}

static bool get_kind(const struct nlattr *attr, void *field)
{
	static const char *const names[] = {
		[ND_LINK_BRIDGE] = "bridge",   [ND_LINK_TUN] = "tun", [ND_LINK_VETH] = "veth",
		[ND_LINK_MACVTAP] = "macvtap", [ND_LINK_IFB] = "ifb",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] && attr_is(attr, names[i]))
			*(uint8_t *)field = (uint8_t)i;
	return true;
}

static bool get_slave_kind(const struct nlattr *attr, void *field)
{
	*(bool *)field = attr_is(attr, "bridge");
	return true;
}

static const struct attr_row link_rows[] = {
	[IFLA_ADDRESS] = { get_mac, offsetof(struct link_scan, link.mac) },
	[IFLA_IFNAME] = { get_name, offsetof(struct link_scan, link.name) },
	[IFLA_MTU] = { get_u32, offsetof(struct link_scan, link.mtu) },
	[IFLA_LINK] = { get_u32, offsetof(struct link_scan, link.lower) },
	[IFLA_MASTER] = { get_u32, offsetof(struct link_scan, link.master) },
	[IFLA_LINKINFO] = { get_nest, offsetof(struct link_scan, info) },
	[IFLA_IFALIAS] = { get_alias, offsetof(struct link_scan, link) },
	[IFLA_GROUP] = { get_u32, offsetof(struct link_scan, link.group) },
	[IFLA_QDISC] = { get_htb, offsetof(struct link_scan, link.htb) },
	[IFLA_CARRIER] = { get_flag_u8, offsetof(struct link_scan, link.carrier) },
};
static const struct attr_row info_rows[] = {
	[IFLA_INFO_KIND] = { get_kind, offsetof(struct info_scan, kind) },
	[IFLA_INFO_DATA] = { get_nest, offsetof(struct info_scan, data) },
	[IFLA_INFO_SLAVE_KIND] = { get_slave_kind, offsetof(struct info_scan, slave_of_bridge) },
	[IFLA_INFO_SLAVE_DATA] = { get_nest, offsetof(struct info_scan, slave_data) },
};
static const struct attr_row bridge_rows[] = {
	[IFLA_BR_FORWARD_DELAY] = { get_u32, offsetof(struct nd_link, br_forward_delay_cs) },
	[IFLA_BR_STP_STATE] = { get_flag_u32, offsetof(struct nd_link, br_stp) },
	[IFLA_BR_VLAN_FILTERING] = { get_flag_u8, offsetof(struct nd_link, br_vlan_filtering) },
};
static const struct attr_row bridge_port_rows[] = {
	[IFLA_BRPORT_LEARNING] = { get_off_u8, offsetof(struct nd_link, br_learning_off) },
	[IFLA_BRPORT_UNICAST_FLOOD] = { get_off_u8, offsetof(struct nd_link, br_flood_off) },
	[IFLA_BRPORT_ISOLATED] = { get_flag_u8, offsetof(struct nd_link, br_isolated_port) },
};
static const struct attr_row tun_rows[] = {
	[IFLA_TUN_OWNER] = { get_u32, offsetof(struct nd_link, tun_owner) },
	[IFLA_TUN_VNET_HDR] = { get_flag_u8, offsetof(struct nd_link, tun_vnet_hdr) },
	[IFLA_TUN_PERSIST] = { get_flag_u8, offsetof(struct nd_link, tun_persist) },
	[IFLA_TUN_MULTI_QUEUE] = { get_flag_u8, offsetof(struct nd_link, tun_multi_queue) },
	[IFLA_TUN_NUM_QUEUES] = { get_u32_as_u16, offsetof(struct nd_link, tun_queues) },
	[IFLA_TUN_NUM_DISABLED_QUEUES] = { get_u32_as_u16, offsetof(struct nd_link, tun_disabled_queues) },
};
static const struct attr_row macvtap_rows[] = {
	[IFLA_MACVLAN_MODE] = { get_u32, offsetof(struct nd_link, macvtap_mode) },
};
/* Indexed by enum nd_link_kind: the rows of its IFLA_INFO_DATA. */
static const struct {
	const struct attr_row *rows;
	size_t cnt;
} kind_rows[] = {
	[ND_LINK_BRIDGE] = { bridge_rows, ARRAY_LEN(bridge_rows) },
	[ND_LINK_TUN] = { tun_rows, ARRAY_LEN(tun_rows) },
	[ND_LINK_MACVTAP] = { macvtap_rows, ARRAY_LEN(macvtap_rows) },
	[ND_LINK_IFB] = { NULL, 0 },
};

static int parse_link_info(struct nlattr *info, struct nd_link *l, struct nd_error *e)
{
	struct info_scan s = { 0 };
	int rc = parse_nested(info, info_rows, ARRAY_LEN(info_rows), &s, e);

	l->kind = s.kind;
	if (!rc && s.data && kind_rows[s.kind].rows)
		rc = parse_nested(s.data, kind_rows[s.kind].rows, kind_rows[s.kind].cnt, l, e);
	if (!rc && s.slave_data && s.slave_of_bridge)
		rc = parse_nested(s.slave_data, bridge_port_rows, ARRAY_LEN(bridge_port_rows), l, e);
	return rc;
}

int nd_link_parse(const struct nlmsghdr *msg, struct nd_link *ret, struct nd_error *e)
{
	const struct ifinfomsg *ifi = NLMSG_DATA(msg);
	struct link_scan s = { .link = { .tun_owner = UINT32_MAX } };
	int rc;

	if (!open_message(msg, RTM_NEWLINK, RTM_DELLINK, sizeof(*ifi)))
		return nd_fail(e, ND_PARSE, "not a link message");
	/* The bridge sends a message of its own family for each port, beside the AF_UNSPEC one, which has all that this has. */
	if (ifi->ifi_family != AF_UNSPEC)
		return ND_UNSUPPORTED;
	s.link.ifindex = ifi->ifi_index;
	s.link.flags = ifi->ifi_flags;
	rc = parse_attrs(nlmsg_attrdata(msg, sizeof(*ifi)), nlmsg_attrlen(msg, sizeof(*ifi)), link_rows,
			 ARRAY_LEN(link_rows), &s, e);
	if (!rc && s.info)
		rc = parse_link_info(s.info, &s.link, e);
	if (!rc && !s.link.name[0])
		rc = nd_fail(e, ND_PARSE, "link %d has no name", s.link.ifindex);
	if (!rc && s.link.ifindex <= 0)
		rc = nd_fail(e, ND_PARSE, "link '%s' has the index %d", s.link.name, s.link.ifindex);
	if (!rc)
		*ret = s.link;
	return rc;
}

/* IFA_LOCAL is the interface's own address where both are there; IFA_ADDRESS is then the peer's. */
struct address_scan {
	struct nd_ip local, address;
	uint32_t flags;
};

static const struct attr_row address_rows[] = {
	[IFA_ADDRESS] = { get_ip, offsetof(struct address_scan, address) },
	[IFA_LOCAL] = { get_ip, offsetof(struct address_scan, local) },
	[IFA_FLAGS] = { get_u32, offsetof(struct address_scan, flags) },
};

static bool is_ip_zero(const struct nd_ip *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip->b, zero, sizeof(zero)) == 0;
}

static int check_prefix_len(unsigned char family, unsigned char len, struct nd_error *e)
{
	if (len <= (family == AF_INET ? 32 : 128))
		return 0;
	return nd_fail(e, ND_PARSE, "prefix length %u", len);
}

int nd_address_parse(const struct nlmsghdr *msg, struct nd_address *ret, struct nd_error *e)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(msg);
	struct address_scan s;
	int rc;

	if (!open_message(msg, RTM_NEWADDR, RTM_DELADDR, sizeof(*ifa)))
		return nd_fail(e, ND_PARSE, "not an address message");
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return ND_UNSUPPORTED;
	s = (struct address_scan){ .local.family = ifa->ifa_family,
				   .address.family = ifa->ifa_family,
				   .flags = ifa->ifa_flags };
	rc = check_prefix_len(ifa->ifa_family, ifa->ifa_prefixlen, e);
	if (!rc)
		rc = parse_attrs(nlmsg_attrdata(msg, sizeof(*ifa)), nlmsg_attrlen(msg, sizeof(*ifa)),
				 address_rows, ARRAY_LEN(address_rows), &s, e);
	if (rc)
		return rc;
	*ret = (struct nd_address){ .ifindex = (int)ifa->ifa_index,
				    .prefix.ip = is_ip_zero(&s.local) ? s.address : s.local,
				    .prefix.len = ifa->ifa_prefixlen,
				    .flags = s.flags,
				    .scope = ifa->ifa_scope };
	return 0;
}

/* RTA_VIA: a gateway of another family than the route's (IPv4 through an IPv6 next hop). */
static bool get_via(const struct nlattr *attr, void *field)
{
	const struct rtvia *via = nla_data(attr);
	struct nd_ip *ip = field;
	size_t len = nla_len(attr);

	if (len < sizeof(*via))
		return false;
	len -= sizeof(*via);
	if ((via->rtvia_family != AF_INET || len != 4) && (via->rtvia_family != AF_INET6 || len != 16))
		return false;
	ip->family = (uint8_t)via->rtvia_family;
	memcpy(ip->b, via->rtvia_addr, len);
	return true;
}

static const struct attr_row route_rows[] = {
	[RTA_DST] = { get_ip, offsetof(struct nd_route, dst.ip) },
	[RTA_OIF] = { get_u32, offsetof(struct nd_route, oif) },
	[RTA_GATEWAY] = { get_ip, offsetof(struct nd_route, gateway) },
	[RTA_PRIORITY] = { get_u32, offsetof(struct nd_route, metric) },
	[RTA_TABLE] = { get_u32, offsetof(struct nd_route, table) },
	[RTA_VIA] = { get_via, offsetof(struct nd_route, gateway) },
};

int nd_route_parse(const struct nlmsghdr *msg, struct nd_route *ret, struct nd_error *e)
{
	const struct rtmsg *rtm = NLMSG_DATA(msg);
	struct nd_route r;
	int rc;

	if (!open_message(msg, RTM_NEWROUTE, RTM_DELROUTE, sizeof(*rtm)))
		return nd_fail(e, ND_PARSE, "not a route message");
	/* Cloned ones are what the kernel learned for single destinations, not configuration. */
	if ((rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) || rtm->rtm_flags & RTM_F_CLONED)
		return ND_UNSUPPORTED;
	r = (struct nd_route){ .dst.ip.family = rtm->rtm_family,
			       .dst.len = rtm->rtm_dst_len,
			       .table = rtm->rtm_table,
			       .gateway.family = rtm->rtm_family,
			       .protocol = rtm->rtm_protocol,
			       .type = rtm->rtm_type,
			       .scope = rtm->rtm_scope,
			       .nh_flags = rtm->rtm_flags & 0xff };
	rc = check_prefix_len(rtm->rtm_family, rtm->rtm_dst_len, e);
	if (!rc)
		rc = parse_attrs(nlmsg_attrdata(msg, sizeof(*rtm)), nlmsg_attrlen(msg, sizeof(*rtm)),
				 route_rows, ARRAY_LEN(route_rows), &r, e);
	if (rc)
		return rc;
	if (is_ip_zero(&r.gateway))
		r.gateway.family = 0;
	*ret = r;
	return 0;
}

static const struct attr_row netconf_rows[] = {
	[NETCONFA_IFINDEX] = { get_u32, offsetof(struct nd_netconf, ifindex) },
	[NETCONFA_FORWARDING] = { get_u32, offsetof(struct nd_netconf, forwarding) },
};

int nd_netconf_parse(const struct nlmsghdr *msg, struct nd_netconf *ret, struct nd_error *e)
{
	const struct netconfmsg *ncm = NLMSG_DATA(msg);
	struct nd_netconf n;
	int rc;

	if (!open_message(msg, RTM_NEWNETCONF, RTM_NEWNETCONF, sizeof(*ncm)))
		return nd_fail(e, ND_PARSE, "not a netconf message");
	if (ncm->ncm_family != AF_INET && ncm->ncm_family != AF_INET6)
		return ND_UNSUPPORTED;
	n = (struct nd_netconf){ .family = ncm->ncm_family, .forwarding = -1 };
	rc = parse_attrs(nlmsg_attrdata(msg, sizeof(*ncm)), nlmsg_attrlen(msg, sizeof(*ncm)), netconf_rows,
			 ARRAY_LEN(netconf_rows), &n, e);
	if (!rc)
		*ret = n;
	return rc;
}

/* One request with its family header. header: copied. Return: NULL on ENOMEM. */
static struct nl_msg *new_request(int type, int flags, const void *header, size_t header_len)
{
	struct nl_msg *req = nlmsg_alloc_simple(type, flags);

	if (req && nlmsg_append(req, (void *)header, header_len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(req);
		return NULL;
	}
	return req;
}

/* A caller's typed function behind the untyped reply. */
struct dump {
	int (*link)(const struct nd_link *l, void *arg);
	int (*address)(const struct nd_address *a, void *arg);
	int (*route)(const struct nd_route *r, void *arg);
	void *arg;
};

static int dump_on_link(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	const struct dump *d = arg;
	struct nd_link l;
	int rc = nd_link_parse(msg, &l, e);

	return rc == ND_UNSUPPORTED ? 0 : rc ? rc : d->link(&l, d->arg);
}

static int dump_on_address(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	const struct dump *d = arg;
	struct nd_address a;
	int rc = nd_address_parse(msg, &a, e);

	return rc == ND_UNSUPPORTED ? 0 : rc ? rc : d->address(&a, d->arg);
}

static int dump_on_route(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	const struct dump *d = arg;
	struct nd_route r;
	int rc = nd_route_parse(msg, &r, e);

	return rc == ND_UNSUPPORTED ? 0 : rc ? rc : d->route(&r, d->arg);
}

/* A callback of the caller's has no error argument: where it ends the dump, the error says at least that. */
static int run_dump(struct nd_nl *nl, struct nl_msg *req, nd_nl_reply_fn on_reply, const struct dump *d,
		    const char *what, struct nd_error *e)
{
	int rc = nd_nl_call(nl, req, on_reply, (void *)d, e);

	if (rc && e) {
		if (!e->code)
			nd_fail(e, rc, "stopped by its reader");
		nd_wrap(e, "dump of %s", what);
	}
	return rc;
}

static struct nl_msg *put_u32_or_free(struct nl_msg *req, int type, uint32_t v)
{
	if (req && nla_put_u32(req, type, v) < 0) {
		nlmsg_free(req);
		return NULL;
	}
	return req;
}

int nd_link_dump(struct nd_nl *nl, int (*fn)(const struct nd_link *, void *), void *arg, struct nd_error *e)
{
	const struct dump d = { .link = fn, .arg = arg };
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *req = new_request(RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi));

	/* Counters are most of a link's bytes, and nobody here reads them. */
	req = put_u32_or_free(req, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return run_dump(nl, req, dump_on_link, &d, "links", e);
}

int nd_address_dump(struct nd_nl *nl, int (*fn)(const struct nd_address *, void *), void *arg,
		    struct nd_error *e)
{
	const struct dump d = { .address = fn, .arg = arg };
	const struct ifaddrmsg ifa = { .ifa_family = AF_UNSPEC };

	return run_dump(nl, new_request(RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa)), dump_on_address, &d,
			"addresses", e);
}

int nd_route_dump(struct nd_nl *nl, int (*fn)(const struct nd_route *, void *), void *arg, struct nd_error *e)
{
	const struct dump d = { .route = fn, .arg = arg };
	const struct rtmsg rtm = { .rtm_family = AF_UNSPEC };

	return run_dump(nl, new_request(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm)), dump_on_route, &d,
			"routes", e);
}

static int get_on_link(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	return nd_link_parse(msg, arg, e);
}

/* req: taken. what: names the link in the error. */
static int get_link(struct nd_nl *nl, struct nl_msg *req, const char *what, struct nd_link *ret,
		    struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	int rc;

	req = put_u32_or_free(req, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	rc = nd_nl_call(nl, req, get_on_link, ret, &sub);
	if (!rc)
		return 0;
	if (sub.sys == ENODEV)
		return nd_fail(e, ND_NOT_FOUND, "there is no link %s", what);
	nd_wrap(&sub, "link %s", what);
	if (e)
		nd_error_copy(e, &sub);
	return rc;
}

int nd_link_get(struct nd_nl *nl, int ifindex, struct nd_link *ret, struct nd_error *e)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	char what[16];

	snprintf(what, sizeof(what), "%d", ifindex);
	return get_link(nl, new_request(RTM_GETLINK, 0, &ifi, sizeof(ifi)), what, ret, e);
}

int nd_link_get_by_name(struct nd_nl *nl, const char *name, struct nd_link *ret, struct nd_error *e)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *req = new_request(RTM_GETLINK, 0, &ifi, sizeof(ifi));
	char what[ND_IFNAMSIZ + 2];

	if (req && nla_put_string(req, IFLA_IFNAME, name) < 0) {
		nlmsg_free(req);
		req = NULL;
	}
	snprintf(what, sizeof(what), "'%s'", name);
	return get_link(nl, req, what, ret, e);
}

/* what: the noun for the error. */
static int set_link(struct nd_nl *nl, struct nl_msg *req, const char *what, struct nd_error *e)
{
	int rc = nd_nl_call(nl, req, NULL, NULL, e);

	if (rc && e)
		nd_wrap(e, "set %s", what);
	return rc;
}

static struct nl_msg *new_setlink(int ifindex)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };

	return new_request(RTM_SETLINK, 0, &ifi, sizeof(ifi));
}

int nd_link_set_group(struct nd_nl *nl, int ifindex, uint32_t group, struct nd_error *e)
{
	return set_link(nl, put_u32_or_free(new_setlink(ifindex), IFLA_GROUP, group), "group", e);
}

int nd_link_set_up(struct nd_nl *nl, int ifindex, bool up, struct nd_error *e)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				       .ifi_index = ifindex,
				       .ifi_change = IFF_UP,
				       .ifi_flags = up ? IFF_UP : 0 };

	return set_link(nl, new_request(RTM_SETLINK, 0, &ifi, sizeof(ifi)), up ? "up" : "down", e);
}

int nd_link_set_name(struct nd_nl *nl, int ifindex, const char *name, struct nd_error *e)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	int rc = nd_link_set_up(nl, ifindex, false, e);

	if (rc < 0)
		return rc;
	struct nl_msg *req = new_request(RTM_SETLINK, 0, &ifi, sizeof(ifi));
	if (req && nla_put_string(req, IFLA_IFNAME, name) < 0) {
		nlmsg_free(req);
		req = NULL;
	}
	return set_link(nl, req, "name", e);
}

/* Absent is success: it may have gone between the caller's look and now. */
static int delete_links(struct nd_nl *nl, struct nl_msg *req, const char *what, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	int rc = nd_nl_call(nl, req, NULL, NULL, &sub);

	if (!rc || sub.sys == ENODEV)
		return 0;
	if (e) {
		nd_error_copy(e, &sub);
		nd_wrap(e, "delete %s", what);
	}
	return rc;
}

int nd_link_delete(struct nd_nl *nl, int ifindex, struct nd_error *e)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };

	return delete_links(nl, new_request(RTM_DELLINK, 0, &ifi, sizeof(ifi)), "link", e);
}

int nd_link_delete_group(struct nd_nl *nl, uint32_t group, struct nd_error *e)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *req = new_request(RTM_DELLINK, 0, &ifi, sizeof(ifi));

	return delete_links(nl, put_u32_or_free(req, IFLA_GROUP, group), "group of links", e);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the types of what is known by a number: UUIDs, MACs, interfaces, IP addresses, subnet lengths
 *
 * As types.c. Netmask and prefix are two ways to write one length; their types work on the one field that
 * netd keeps, and remember which way it was.
 */
#include "netd/xml/rows.h"

/* What the kernel takes (dev_valid_name), with at most one %d where a number will stand. */
bool netdef_ifname_valid(const char *s)
{
	unsigned templates = 0;

	if (!*s || strlen(s) >= ND_IFNAMSIZ || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (const char *p = s; *p; p++) {
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '/' || *p == ':')
			return false;
		if (*p == '%' && (*++p != 'd' || ++templates > 1))
			return false;
	}
	return true;
}

bool netdef_is_host_address(const struct nd_ip *ip)
{
	static const struct nd_ip loopback6 = { .family = AF_INET6, .b = { [15] = 1 } },
				  none6 = { .family = AF_INET6 };
	uint32_t ip4 = nd_ip_to_ip4(ip);

	if (ip->family == AF_INET6)
		return ip->b[0] != 0xff && !nd_ip_equal(ip, &none6) && !nd_ip_equal(ip, &loopback6);
	/* 0.0.0.0/8, 127.0.0.0/8, and 224.0.0.0 to the end. */
	return ip->family == AF_INET && ip4 >> 24 != 0 && ip4 >> 24 != 127 && ip4 < 0xe0000000;
}

uint8_t netdef_classful_len(const struct nd_ip *ip)
{
	if (ip->family == AF_INET6)
		return 64;
	if (ip->b[0] < 128)
		return 8;
	if (ip->b[0] < 192)
		return 16;
	return ip->b[0] < 224 ? 24 : 0;
}

/* Fixed-size fields with a flag that says whether they are set: UUID, MAC. */

static bool flagged_given(const struct row *r, const void *obj)
{
	return row_is_present(r, obj);
}

static bool flagged_equal(const struct row *r, const void *a, const void *b)
{
	bool given = flagged_given(r, a);

	return given == flagged_given(r, b) &&
	       (!given || memcmp(row_field_const(r, a), row_field_const(r, b), r->size) == 0);
}

static int uuid_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	if (nd_uuid_from_string(value, row_field(r, obj)) < 0 || nd_uuid_is_zero(row_field(r, obj)))
		return ROW_BAD;
	row_set_present(r, obj);
	return 0;
}

static const char *uuid_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return nd_uuid_to_string(row_field_const(r, obj), scratch);
}

const struct row_type row_type_uuid = {
	.parse = uuid_parse,
	.given = flagged_given,
	.format = uuid_format,
	.equal = flagged_equal,
};

static int mac_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	struct nd_mac mac;

	if (nd_mac_from_string(value, &mac) < 0 || nd_mac_is_zero(&mac))
		return ROW_BAD;
	if (nd_mac_is_multicast(&mac))
		return ROW_BAD_RANGE;
	memcpy(row_field(r, obj), &mac, sizeof mac);
	row_set_present(r, obj);
	return 0;
}

static const char *mac_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return nd_mac_to_string(row_field_const(r, obj), scratch);
}

const struct row_type row_type_mac = {
	.parse = mac_parse,
	.given = flagged_given,
	.format = mac_format,
	.equal = flagged_equal,
};

/* Interface name, in place. */

static int ifname_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	if (!*value && !(r->flags & ROW_NOT_EMPTY)) /* libvirt: as if not given */
		return 0;
	if (!netdef_ifname_valid(value))
		return ROW_BAD;
	nd_strcpy(row_field(r, obj), r->size, value);
	return 0;
}

static bool ifname_given(const struct row *r, const void *obj)
{
	return *(const char *)row_field_const(r, obj) != '\0';
}

static const char *ifname_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return row_field_const(r, obj);
}

static bool ifname_equal(const struct row *r, const void *a, const void *b)
{
	return strcmp(row_field_const(r, a), row_field_const(r, b)) == 0;
}

const struct row_type row_type_ifname = {
	.expected = "an interface name (at most 15 characters without blanks, '/' and ':'; one %d for a free "
		    "number)",
	.parse = ifname_parse,
	.given = ifname_given,
	.format = ifname_format,
	.equal = ifname_equal,
};

/*
 * forward@dev, which says again what the first <interface> says. It is held in a field of its own until the
 * end of <forward>, where the two are brought together.
 */
static bool uplink_given(const struct row *r, const void *obj)
{
	return netdef_rare(obj)->uplink_cnt > 0;
}

static const char *uplink_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return uplink_given(r, obj) ? netdef_rare(obj)->uplinks[0].dev : "";
}

static bool uplink_equal(const struct row *r, const void *a, const void *b)
{
	return strcmp(uplink_format(r, a, NULL), uplink_format(r, b, NULL)) == 0;
}

const struct row_type row_type_uplink = {
	.expected = "an interface name",
	.parse = ifname_parse,
	.given = uplink_given,
	.format = uplink_format,
	.equal = uplink_equal,
};

/* IP address. */

static int ip_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	return nd_ip_from_string(value, row_field(r, obj)) < 0 ? ROW_BAD : 0;
}

static bool ip_given(const struct row *r, const void *obj)
{
	const struct nd_ip *ip = row_field_const(r, obj);

	return ip->family != 0;
}

static const char *ip_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return nd_ip_to_string(row_field_const(r, obj), scratch);
}

static bool ip_equal(const struct row *r, const void *a, const void *b)
{
	return nd_ip_equal(row_field_const(r, a), row_field_const(r, b));
}

const struct row_type row_type_ip = {
	.parse = ip_parse,
	.given = ip_given,
	.format = ip_format,
	.equal = ip_equal,
};

/* A network: ADDRESS/LENGTH, of an address alone all of its bits. */

static int network_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	struct nd_prefix prefix, network;

	if (nd_prefix_from_string(value, &prefix) < 0)
		return ROW_BAD;
	network = nd_prefix_network(&prefix);
	if (!nd_prefix_equal(&network, &prefix))
		return ROW_BAD_RANGE;
	memcpy(row_field(r, obj), &prefix, sizeof prefix);
	return 0;
}

static bool network_given(const struct row *r, const void *obj)
{
	const struct nd_prefix *prefix = row_field_const(r, obj);

	return prefix->ip.family != 0;
}

static const char *network_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return nd_prefix_to_string(row_field_const(r, obj), scratch);
}

static bool network_equal(const struct row *r, const void *a, const void *b)
{
	return nd_prefix_equal(row_field_const(r, a), row_field_const(r, b));
}

const struct row_type row_type_network = {
	.expected = "a network's address, alone or with the length of its prefix (10.1.0.0/16)",
	.parse = network_parse,
	.given = network_given,
	.format = network_format,
	.equal = network_equal,
};

/* Subnet length, written as netmask or prefix; the field is the whole struct nd_prefix. */

static int netmask_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	struct nd_prefix *p = row_field(r, obj);
	struct nd_ip mask;
	int len;

	if (nd_ip_from_string(value, &mask) < 0 || mask.family != AF_INET)
		return ROW_BAD;
	len = nd_ip4_mask_len(nd_ip_to_ip4(&mask));
	if (len < (int)r->min)
		return ROW_BAD;
	p->len = (uint8_t)len;
	row_set_present(r, obj);
	return 0;
}

static const char *netmask_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	const struct nd_prefix *p = row_field_const(r, obj);

	return nd_ip4_to_string(nd_ip4_mask(p->len), scratch);
}

/* How the length is written makes no difference; it is reported for the way that is in use. */
static bool length_equal(const struct row *r, const void *a, const void *b)
{
	const struct nd_prefix *x = row_field_const(r, a), *y = row_field_const(r, b);

	return x->len == y->len || !(r->type->given(r, a) || r->type->given(r, b));
}

const struct row_type row_type_netmask = {
	.parse = netmask_parse,
	.given = flagged_given,
	.format = netmask_format,
	.equal = length_equal,
};

static int prefix_read(const struct row *r, void *obj, const char *value, uint8_t *ret)
{
	const struct nd_prefix *p = row_field(r, obj);
	uint64_t len = 0;
	int bad = netdef_number(value, false, p->ip.family == AF_INET6 ? 128 : 32, &len);

	*ret = (uint8_t)len;
	return bad;
}

/* libvirt: prefix='0' is as if not given. */
static int prefix_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	struct nd_prefix *p = row_field(r, obj);
	uint8_t len;
	int bad = prefix_read(r, obj, value, &len);

	if (bad == ROW_BAD_RANGE)
		return nd_fail(e, ND_INVALID, "Invalid %s prefix '%s' in network '" ROW_NAME_MARK "'",
			       p->ip.family == AF_INET6 ? "IPv6" : "IPv4", value);
	if (bad || len == 0)
		return bad;
	p->len = len;
	row_set_present(r, obj);
	return 0;
}

/* Also where the definition was not parsed and says neither, and the class would give another length. */
static bool prefix_given(const struct row *r, const void *obj)
{
	const struct netdef_ip *ip = obj;

	return ip->prefix_given ||
	       (!ip->netmask_given && ip->address.len != netdef_classful_len(&ip->address.ip));
}

static const char *prefix_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	const struct nd_prefix *p = row_field_const(r, obj);

	snprintf(scratch, ROW_SCRATCH_LEN, "%u", p->len);
	return scratch;
}

const struct row_type row_type_prefix = {
	.number = true,
	.parse = prefix_parse,
	.given = prefix_given,
	.format = prefix_format,
	.equal = length_equal,
};

/* A route's: 0 is a length. */
static int route_prefix_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	struct nd_prefix *p = row_field(r, obj);
	uint8_t len;
	int bad = prefix_read(r, obj, value, &len);

	if (bad == ROW_BAD_RANGE)
		return nd_fail(e, ND_INVALID,
			       ROW_NAME_MARK
			       ": Invalid prefix %s specified in route definition, must be 0 - %d",
			       value, p->ip.family == AF_INET6 ? 128 : 32);
	if (bad)
		return bad;
	p->len = len;
	row_set_present(r, obj);
	return 0;
}

const struct row_type row_type_route_prefix = {
	.number = true,
	.parse = route_prefix_parse,
	.given = flagged_given,
	.format = prefix_format,
	.equal = length_equal,
};

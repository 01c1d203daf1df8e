// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the types of a definition's values
 *
 * A type reads and writes one field of a row's object: text to field, whether it is dumped, field to text,
 * equality. Types hold no state and know no element. Where libvirt's schema spreads one value over two
 * attributes (address and netmask or prefix; expiry and unit), the types of both work on the one field that
 * netd keeps.
 */
#include "netd/xml/rows.h"

#include <ctype.h>
#include <inttypes.h>

#define NAME_LONGEST \
	200 /* the definition's file name is NAME.xml, and a temporary name beside it: NAME_MAX is 255 */

const char *netdef_name_why(const char *s)
{
	if (!s || !*s)
		return "missing name information";
	if (strchr(s, '/'))
		return "invalid char in name: /";
	if (*s == '.')
		return "invalid char in name: a leading '.'";
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "invalid char in name: a control character";
	return strlen(s) <= NAME_LONGEST ? NULL : "name is longer than 200 bytes";
}

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

/* Goes into DHCP options and the DNS helper's configuration: nothing but what a name is made of. */
bool netdef_host_name_valid(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len <= max && isalnum((unsigned char)*s) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == len;
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

const char *netdef_clip(const char *s, size_t len, char buf[NETDEF_CLIP_LEN])
{
	size_t n = len < NETDEF_CLIP_LEN ? len : NETDEF_CLIP_LEN - 4;

	/* Never in the middle of a UTF-8 character: the text ends up in JSON. */
	while (n < len && n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i], next = i + 1 < n ? (unsigned char)s[i + 1] : 0;

		buf[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
		if (c == 0xc2 && next < 0xa0 && next >= 0x80) /* U+0080 to U+009F: terminals obey them */
			buf[i] = buf[i + 1] = '?', i++;
	}
	memcpy(buf + n, n < len ? "..." : "", n < len ? 4 : 1);
	return buf;
}

/* A whole decimal number without sign, or a hexadecimal one after 0x. Return: 0, ROW_BAD or ROW_BAD_RANGE. */
static int parse_number(const char *s, bool hex, uint64_t max, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;
	unsigned base = 10;

	if (hex && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s || strspn(s, base == 16 ? "0123456789abcdefABCDEF" : "0123456789") != strlen(s))
		return ROW_BAD;
	for (; *s; s++) {
		unsigned digit = (unsigned)(strchr(digits, tolower((unsigned char)*s)) - digits);

		if (v > (max - digit) / base || digit > max)
			return ROW_BAD_RANGE;
		v = v * base + digit;
	}
	*ret = v;
	return 0;
}

/* Strings on the heap. */

static int string_set(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	char **field = row_field(r, obj);

	free(*field);
	*field = strdup(value);
	return *field ? 0 : nd_fail(e, ND_MEMORY, "value of %zu bytes", strlen(value));
}

static bool string_given(const struct row *r, const void *obj)
{
	return *(char *const *)row_field_const(r, obj) != NULL;
}

static const char *string_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return *(char *const *)row_field_const(r, obj);
}

static bool string_equal(const struct row *r, const void *a, const void *b)
{
	const char *x = string_format(r, a, NULL), *y = string_format(r, b, NULL);

	return x && y ? strcmp(x, y) == 0 : x == y;
}

/* For both outcomes of a mistaken string: the row's text where it has one. */
static int string_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	if (!*value && (r->flags & ROW_DROP_EMPTY))
		return 0;
	if (!*value && (r->flags & ROW_NOT_EMPTY))
		return ROW_BAD;
	if (r->chars && r->chars[0] == '^' && strpbrk(value, r->chars + 1))
		return ROW_BAD;
	if (r->chars && r->chars[0] != '^' && value[strspn(value, r->chars)])
		return ROW_BAD;
	if (strlen(value) > r->max)
		return nd_fail(e, ND_INVALID, "value of %zu bytes is longer than %u", strlen(value), r->max);
	return string_set(r, obj, value, e);
}

const struct row_type row_type_string = {
	.heap = true,
	.parse = string_parse,
	.given = string_given,
	.format = string_format,
	.equal = string_equal,
};

/* Set by the parser, which has the bytes of the document. */
static int verbatim_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	return string_set(r, obj, value, e);
}

const struct row_type row_type_verbatim = {
	.heap = true,
	.parse = verbatim_parse,
	.given = string_given,
	.format = string_format,
	.equal = string_equal,
};

static int name_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	const char *why = netdef_name_why(value);

	return why ? nd_fail(e, ND_INVALID, "%s", why) : string_set(r, obj, value, e);
}

const struct row_type row_type_name = {
	.heap = true,
	.parse = name_parse,
	.given = string_given,
	.format = string_format,
	.equal = string_equal,
};

static int host_name_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	if (!*value && (r->flags & ROW_DROP_EMPTY))
		return 0;
	if (!netdef_host_name_valid(value, r->max) && r->bad)
		return ROW_BAD;
	if (!netdef_host_name_valid(value, r->max))
		return nd_fail(
			e, ND_INVALID,
			"'%s' is not a host or domain name (at most %u letters, digits, '.', '-', '_', "
			"beginning with a letter or digit)",
			value, r->max);
	return string_set(r, obj, value, e);
}

const struct row_type row_type_host_name = {
	.heap = true,
	.parse = host_name_parse,
	.given = string_given,
	.format = string_format,
	.equal = string_equal,
};

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
	int bad = parse_number(value, false, p->ip.family == AF_INET6 ? 128 : 32, &len);

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

/* Numbers: uint32_t with bounds. */

static int number_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	uint64_t v;
	int bad = parse_number(value, r->flags & ROW_HEX, r->max, &v);

	if (bad || v < r->min)
		return bad ? bad : ROW_BAD_RANGE;
	*(uint32_t *)row_field(r, obj) = (uint32_t)v;
	row_set_present(r, obj);
	return 0;
}

static uint32_t number_get(const struct row *r, const void *obj)
{
	return *(const uint32_t *)row_field_const(r, obj);
}

static bool number_given(const struct row *r, const void *obj)
{
	return r->present ? row_is_present(r, obj) : number_get(r, obj) != r->absent;
}

static const char *number_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	if (r->digits)
		snprintf(scratch, ROW_SCRATCH_LEN, "0x%0*x", r->digits, number_get(r, obj));
	else
		snprintf(scratch, ROW_SCRATCH_LEN, "%u", number_get(r, obj));
	return scratch;
}

static bool number_equal(const struct row *r, const void *a, const void *b)
{
	return number_get(r, a) == number_get(r, b) && number_given(r, a) == number_given(r, b);
}

const struct row_type row_type_number = {
	.number = true,
	.parse = number_parse,
	.given = number_given,
	.format = number_format,
	.equal = number_equal,
};

/* 64 bits; 0 is not given. */

static uint64_t rate_get(const struct row *r, const void *obj)
{
	return *(const uint64_t *)row_field_const(r, obj);
}

static int rate_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	return parse_number(value, false, UINT64_MAX, row_field(r, obj));
}

static bool rate_given(const struct row *r, const void *obj)
{
	return rate_get(r, obj) != 0;
}

static const char *rate_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	snprintf(scratch, ROW_SCRATCH_LEN, "%" PRIu64, rate_get(r, obj));
	return scratch;
}

static bool rate_equal(const struct row *r, const void *a, const void *b)
{
	return rate_get(r, a) == rate_get(r, b);
}

const struct row_type row_type_rate = {
	.number = true,
	.parse = rate_parse,
	.given = rate_given,
	.format = rate_format,
	.equal = rate_equal,
};

/* Words: an enum, or in one byte a bool or a small enum. */

static int word_get(const struct row *r, const void *obj)
{
	const void *field = row_field_const(r, obj);

	return r->size == 1 ? *(const uint8_t *)field : *(const int *)field;
}

static void word_set(const struct row *r, void *obj, int v)
{
	if (r->size == 1)
		*(uint8_t *)row_field(r, obj) = (uint8_t)v;
	else
		*(int *)row_field(r, obj) = v;
	row_set_present(r, obj);
}

static int word_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	int v = nd_strtab_from_string(r->words->names, r->words->cnt, value);

	if (v < 0)
		return ROW_BAD;
	word_set(r, obj, v);
	return 0;
}

static bool word_given(const struct row *r, const void *obj)
{
	return row_is_present(r, obj) || word_get(r, obj) != (int)r->absent;
}

static const char *word_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	const char *word = nd_strtab_to_string(r->words->names, r->words->cnt, word_get(r, obj));

	return word ? word : "";
}

static bool word_equal(const struct row *r, const void *a, const void *b)
{
	return word_get(r, a) == word_get(r, b);
}

const struct row_type row_type_word = {
	.parse = word_parse,
	.given = word_given,
	.format = word_format,
	.equal = word_equal,
};

/* family=: what was written, and of an IPv6 address always, since it must be. */

static int family_of(const struct row *r, const void *obj)
{
	const struct nd_ip *ip = row_with_const(r, obj);

	return ip->family == AF_INET6 ? NETDEF_FAMILY_IPV6 : word_get(r, obj);
}

static bool family_given(const struct row *r, const void *obj)
{
	return family_of(r, obj) != NETDEF_FAMILY_UNSAID;
}

static const char *family_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return r->words->names[family_of(r, obj)];
}

/* The address is compared; to write its family changes nothing. */
static bool family_equal(const struct row *r, const void *a, const void *b)
{
	return true;
}

const struct row_type row_type_family = {
	.parse = word_parse,
	.given = family_given,
	.format = family_format,
	.equal = family_equal,
};

/* The one value there is. */

static int constant_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	return strcmp(value, r->words->names[0]) == 0 ? 0 : ROW_BAD;
}

static bool constant_given(const struct row *r, const void *obj)
{
	return true;
}

static const char *constant_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	return r->words->names[0];
}

static bool constant_equal(const struct row *r, const void *a, const void *b)
{
	return true;
}

const struct row_type row_type_constant = {
	.parse = constant_parse,
	.given = constant_given,
	.format = constant_format,
	.equal = constant_equal,
};

/*
 * Lease time: expiry counts in unit. The field of expiry is lease_s, with is the unit's; for unit it is the
 * other way round. expiry is read first (table order) and left in units; unit, which has a default, turns it
 * into seconds.
 */
#define LEASE_MIN_S 120 /* libvirt's and dnsmasq's */

static uint32_t unit_seconds(int unit)
{
	static const uint32_t seconds[] = {
		[NETDEF_UNIT_MINUTES] = 60,
		[NETDEF_UNIT_SECONDS] = 1,
		[NETDEF_UNIT_HOURS] = 3600,
	};

	return seconds[unit];
}

/* The unit to write lease_s in: seconds where the one asked for does not divide it. */
static int lease_unit(uint32_t lease_s, int unit)
{
	return lease_s % unit_seconds(unit) ? NETDEF_UNIT_SECONDS : unit;
}

static bool expiry_given(const struct row *r, const void *obj)
{
	return number_get(r, obj) != 0;
}

static const char *expiry_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	uint32_t lease_s = number_get(r, obj);
	enum netdef_unit unit = *(const enum netdef_unit *)((const char *)obj + r->with);

	if (lease_s == UINT32_MAX)
		return "0";
	snprintf(scratch, ROW_SCRATCH_LEN, "%u", lease_s / unit_seconds(lease_unit(lease_s, (int)unit)));
	return scratch;
}

const struct row_type row_type_expiry = {
	.number = true,
	.parse = number_parse,
	.given = expiry_given,
	.format = expiry_format,
	.equal = number_equal,
};

static int unit_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	uint32_t *lease_s = (uint32_t *)((char *)obj + r->with);
	int err = word_parse(r, obj, value, e);
	uint64_t s;

	if (err)
		return err;
	s = (uint64_t)*lease_s * unit_seconds(word_get(r, obj));
	if (s == 0)
		s = UINT32_MAX;
	else if (s < LEASE_MIN_S)
		return nd_fail(e, ND_INVALID, "The minimum lease time should be greater than 2 minutes");
	else if (s >= UINT32_MAX) /* DHCP's 32 bits, all ones is infinite: RFC 2131 section 3.3 */
		return nd_fail(e, ND_INVALID, "a lease time of %u %s is too long; 0 is infinite", *lease_s,
			       value);
	*lease_s = (uint32_t)s;
	return 0;
}

static bool unit_given(const struct row *r, const void *obj)
{
	uint32_t lease_s = *(const uint32_t *)((const char *)obj + r->with);

	return lease_s != 0 && lease_s != UINT32_MAX;
}

static const char *unit_format(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN])
{
	uint32_t lease_s = *(const uint32_t *)((const char *)obj + r->with);

	return r->words->names[lease_unit(lease_s, word_get(r, obj))];
}

/* The time is compared by expiry; a unit alone changes nothing. */
static bool unit_equal(const struct row *r, const void *a, const void *b)
{
	return true;
}

const struct row_type row_type_unit = {
	.parse = unit_parse,
	.given = unit_given,
	.format = unit_format,
	.equal = unit_equal,
};

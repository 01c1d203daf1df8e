// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the types of a definition's values
 *
 * A type reads and writes one field of a row's object: text to field, whether it is dumped, field to text,
 * equality. Types hold no state and know no element. Where libvirt's schema spreads one value over two
 * attributes (expiry and unit), the types of both work on the one field that netd keeps. Those of addresses
 * and names of interfaces are in types-address.c.
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

/* Goes into DHCP options and the DNS helper's configuration: nothing but what a name is made of. */
bool netdef_host_name_valid(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len <= max && isalnum((unsigned char)*s) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == len;
}

size_t netdef_client_id(const char *s, uint8_t ret[255])
{
	size_t cnt = 0;

	for (;; s++) {
		unsigned digits = 0, v = 0;

		for (; isxdigit((unsigned char)*s) && digits < 3; s++, digits++)
			v = v << 4 |
			    (unsigned)(isdigit((unsigned char)*s) ? *s - '0' : (*s | 0x20) - 'a' + 10);
		if (digits < 1 || digits > 2 || cnt == 255 || (*s && *s != ':'))
			return 0;
		ret[cnt++] = (uint8_t)v;
		if (!*s)
			return cnt;
	}
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

int netdef_number(const char *s, bool hex, uint64_t max, uint64_t *ret)
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

/* A guest, by what it has in this network. */

#define PORT_NAME_LONGEST 63

int netdef_guest_kind(const char *s, struct nd_mac *ret_mac, struct nd_ip *ret_ip)
{
	struct nd_mac mac;
	struct nd_ip ip;

	if (nd_mac_from_string(s, &mac) == 0 && !nd_mac_is_zero(&mac) && !nd_mac_is_multicast(&mac)) {
		if (ret_mac)
			*ret_mac = mac;
		return NETDEF_GUEST_MAC;
	}
	if (nd_ip_from_string(s, &ip) == 0) {
		if (ret_ip)
			*ret_ip = ip;
		return NETDEF_GUEST_ADDRESS;
	}
	return netdef_host_name_valid(s, PORT_NAME_LONGEST) ? NETDEF_GUEST_NAME : -1;
}

static int guest_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	int kind = netdef_guest_kind(value, NULL, NULL);

	if (kind < 0 || (kind == NETDEF_GUEST_ADDRESS && r->type == &row_type_guest))
		return ROW_BAD;
	return string_set(r, obj, value, e);
}

const struct row_type row_type_guest = {
	.expected = "a port's name or a guest's MAC address",
	.heap = true,
	.parse = guest_parse,
	.given = string_given,
	.format = string_format,
	.equal = string_equal,
};

const struct row_type row_type_guest_or_ip = {
	.expected = "a port's name, or a guest's MAC or IP address",
	.heap = true,
	.parse = guest_parse,
	.given = string_given,
	.format = string_format,
	.equal = string_equal,
};

/* Numbers: uint32_t with bounds. */

static int number_parse(const struct row *r, void *obj, const char *value, struct nd_error *e)
{
	uint64_t v;
	int bad = netdef_number(value, r->flags & ROW_HEX, r->max, &v);

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
	int bad = netdef_number(value, false, UINT64_MAX, row_field(r, obj));

	if (!bad)
		row_set_present(r, obj);
	return bad;
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

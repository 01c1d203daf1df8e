// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: addresses
 *
 * Parsers take the whole string or nothing, accept no blanks and write their result only on success. Formats
 * are the canonical ones: MAC and UUID in lower case, IPv6 after RFC 5952 (inet_ntop(3)).
 * An address without a family (all zero) formats as "" and is equal only to another such.
 */
#include "base/addr.h"
#include "base/mem.h"
#include "base/strtab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Two hex digits at s; -1 when they are none. Does not read past a NUL. */
static int hex_byte(const char *s)
{
	int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

	return low < 0 ? -1 : high << 4 | low;
}

int nd_mac_from_string(const char *s, struct nd_mac *ret)
{
	struct nd_mac m;
	char separator = '\0';

	for (size_t i = 0; i < sizeof(m.b); i++) {
		int v;

		if (i == 1)
			separator = *s;
		if (i > 0 && (*s != separator || (*s != ':' && *s != '-')))
			return ND_INVALID;
		s += i > 0;
		v = hex_byte(s);
		if (v < 0)
			return ND_INVALID;
		m.b[i] = (uint8_t)v;
		s += 2;
	}
	if (*s)
		return ND_INVALID;
	*ret = m;
	return 0;
}

const char *nd_mac_to_string(const struct nd_mac *m, char buf[ND_MAC_STRLEN])
{
	static const char digits[] = "0123456789abcdef";
	char *to = buf;

	for (size_t i = 0; i < sizeof(m->b); i++) {
		*to++ = digits[m->b[i] >> 4];
		*to++ = digits[m->b[i] & 15];
		*to++ = ':';
	}
	to[-1] = '\0';
	return buf;
}

bool nd_mac_equal(const struct nd_mac *a, const struct nd_mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool nd_mac_is_zero(const struct nd_mac *m)
{
	static const struct nd_mac zero;

	return nd_mac_equal(m, &zero);
}

bool nd_mac_is_multicast(const struct nd_mac *m)
{
	return m->b[0] & 1;
}

/* Dashes stand before the bytes 4, 6, 8 and 10, or not at all (RFC 9562 section 4). */
static bool uuid_dash_before(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

int nd_uuid_from_string(const char *s, struct nd_uuid *ret)
{
	struct nd_uuid u;

	for (size_t i = 0; i < sizeof(u.b); i++) {
		int v;

		if (uuid_dash_before(i) && *s == '-')
			s++;
		v = hex_byte(s);
		if (v < 0)
			return ND_INVALID;
		u.b[i] = (uint8_t)v;
		s += 2;
	}
	if (*s)
		return ND_INVALID;
	*ret = u;
	return 0;
}

const char *nd_uuid_to_string(const struct nd_uuid *u, char buf[ND_UUID_STRLEN])
{
	static const char digits[] = "0123456789abcdef";
	char *to = buf;

	for (size_t i = 0; i < sizeof(u->b); i++) {
		if (uuid_dash_before(i))
			*to++ = '-';
		*to++ = digits[u->b[i] >> 4];
		*to++ = digits[u->b[i] & 15];
	}
	*to = '\0';
	return buf;
}

bool nd_uuid_equal(const struct nd_uuid *a, const struct nd_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool nd_uuid_is_zero(const struct nd_uuid *u)
{
	static const struct nd_uuid zero;

	return nd_uuid_equal(u, &zero);
}

static void uuid_set_version(struct nd_uuid *u, unsigned version)
{
	u->b[6] = (uint8_t)((u->b[6] & 0x0f) | version << 4);
	u->b[8] = (uint8_t)((u->b[8] & 0x3f) | 0x80);
}

void nd_uuid_random(struct nd_uuid *ret)
{
	ssize_t n;

	do
		n = getrandom(ret->b, sizeof(ret->b), 0);
	while (n < 0 && errno == EINTR);
	/* So few bytes come whole or, where the call is forbidden, not at all. A UUID that is not random would
	 * make two networks one, silently. */
	if (n != (ssize_t)sizeof(ret->b))
		abort();
	uuid_set_version(ret, 4);
}

static uint64_t fnv1a(uint64_t h, const void *p, size_t len)
{
	for (const uint8_t *at = p; len > 0; at++, len--)
		h = (h ^ *at) * 0x100000001b3u;
	return h;
}

void nd_uuid_from_name(const struct nd_uuid *space, const void *name, size_t len, struct nd_uuid *ret)
{
	/* FNV-1a's offset basis, and the same with another first half. Never to be changed: UUIDs are on disk. */
	static const uint64_t start[2] = { 0xcbf29ce484222325u, 0x9e3779b984222325u };
	struct nd_uuid u;

	for (size_t half = 0; half < 2; half++) {
		uint64_t h = fnv1a(fnv1a(start[half], space->b, sizeof(space->b)), name, len);

		for (size_t i = 0; i < 8; i++)
			u.b[half * 8 + i] = (uint8_t)(h >> (56 - 8 * i));
	}
	uuid_set_version(&u, 8);
	*ret = u;
}

/* 0 for a family that is neither, so that nothing of such an address is compared or copied. */
static unsigned family_bits(int family)
{
	return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

int nd_ip_from_string(const char *s, struct nd_ip *ret)
{
	struct nd_ip ip = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, s, ip.b) != 1)
		return ND_INVALID;
	*ret = ip;
	return 0;
}

const char *nd_ip_to_string(const struct nd_ip *ip, char buf[ND_IP_STRLEN])
{
	if (!inet_ntop(ip->family, ip->b, buf, ND_IP_STRLEN))
		buf[0] = '\0';
	return buf;
}

/* Whether the first bits agree. */
static bool bits_equal(const struct nd_ip *a, const struct nd_ip *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a->b, b->b, whole) != 0)
		return false;
	return rest == 0 || ((a->b[whole] ^ b->b[whole]) >> (8 - rest)) == 0;
}

bool nd_ip_equal(const struct nd_ip *a, const struct nd_ip *b)
{
	return a->family == b->family && bits_equal(a, b, family_bits(a->family));
}

struct nd_ip nd_ip_from_ip4(uint32_t ip4)
{
	struct nd_ip ip = { .family = AF_INET };
	uint32_t be = htonl(ip4);

	memcpy(ip.b, &be, sizeof(be));
	return ip;
}

uint32_t nd_ip_to_ip4(const struct nd_ip *ip)
{
	uint32_t be;

	if (ip->family != AF_INET)
		return 0;
	memcpy(&be, ip->b, sizeof(be));
	return ntohl(be);
}

const char *nd_ip4_to_string(uint32_t ip4, char buf[ND_IP_STRLEN])
{
	struct nd_ip ip = nd_ip_from_ip4(ip4);

	return nd_ip_to_string(&ip, buf);
}

/* Plain decimal without sign, blank or leading zero, at most max. */
static int prefix_len_from_string(const char *s, unsigned max, uint8_t *ret)
{
	unsigned v = 0;

	if (!*s || (s[0] == '0' && s[1]))
		return ND_INVALID;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return ND_INVALID;
		v = v * 10 + (unsigned)(*s - '0');
		if (v > max)
			return ND_INVALID;
	}
	*ret = (uint8_t)v;
	return 0;
}

int nd_prefix_from_string(const char *s, struct nd_prefix *ret)
{
	const char *slash = strchr(s, '/');
	char addr[ND_IP_STRLEN];
	struct nd_prefix p;

	if (!nd_strcpyn(addr, sizeof(addr), s, slash ? (size_t)(slash - s) : strlen(s)))
		return ND_INVALID;
	if (nd_ip_from_string(addr, &p.ip) < 0)
		return ND_INVALID;
	p.len = (uint8_t)family_bits(p.ip.family);
	if (slash && prefix_len_from_string(slash + 1, p.len, &p.len) < 0)
		return ND_INVALID;
	*ret = p;
	return 0;
}

const char *nd_prefix_to_string(const struct nd_prefix *p, char buf[ND_PREFIX_STRLEN])
{
	char addr[ND_IP_STRLEN];

	nd_ip_to_string(&p->ip, addr);
	if (!*addr)
		buf[0] = '\0';
	else
		snprintf(buf, ND_PREFIX_STRLEN, "%s/%u", addr, p->len);
	return buf;
}

bool nd_prefix_equal(const struct nd_prefix *a, const struct nd_prefix *b)
{
	return a->len == b->len && nd_ip_equal(&a->ip, &b->ip);
}

/* The length, held to what the family has. */
static unsigned prefix_bits(const struct nd_prefix *p)
{
	unsigned max = family_bits(p->ip.family);

	return p->len < max ? p->len : max;
}

bool nd_prefix_contains_ip(const struct nd_prefix *p, const struct nd_ip *ip)
{
	return family_bits(ip->family) && p->ip.family == ip->family &&
	       bits_equal(&p->ip, ip, prefix_bits(p));
}

bool nd_prefix_contains(const struct nd_prefix *outer, const struct nd_prefix *inner)
{
	return outer->len <= inner->len && nd_prefix_contains_ip(outer, &inner->ip);
}

bool nd_prefix_overlaps(const struct nd_prefix *a, const struct nd_prefix *b)
{
	return nd_prefix_contains(a, b) || nd_prefix_contains(b, a);
}

struct nd_prefix nd_prefix_network(const struct nd_prefix *p)
{
	unsigned bits = prefix_bits(p), whole = bits / 8;
	struct nd_prefix net = { .ip.family = p->ip.family, .len = p->len };

	memcpy(net.ip.b, p->ip.b, whole);
	if (bits % 8)
		net.ip.b[whole] = (uint8_t)(p->ip.b[whole] & 0xff00 >> bits % 8);
	return net;
}

int nd_ip4_mask_len(uint32_t mask)
{
	uint32_t rest = ~mask;

	if (rest & (rest + 1))
		return -1;
	return mask ? 32 - __builtin_popcount(rest) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_ADDR_H
#define ND_BASE_ADDR_H
/*
 * MAC, IP address, prefix, range, UUID: parse, format, compare. IPv4 alone is `uint32_t x_ip4` in host byte order
 * (so that ranges are plain arithmetic); struct nd_ip holds either family in network byte order.
 */
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ND_IFNAMSIZ 16 /* with the NUL, linux/if.h IFNAMSIZ */

struct nd_mac {
	uint8_t b[6];
};
#define ND_MAC_STRLEN 18
struct nd_uuid {
	uint8_t b[16];
};
#define ND_UUID_STRLEN 37
struct nd_ip {
	uint8_t family; /* AF_INET, AF_INET6; 0: none */
	uint8_t b[16];  /* network order; IPv4 in the first four */
};
#define ND_IP_STRLEN 46
struct nd_prefix {
	struct nd_ip ip; /* host bits may be set: an interface address */
	uint8_t len;     /* 0-32, 0-128 */
};
#define ND_PREFIX_STRLEN 50

/* from_string: whole string, no blanks. Return 0 or ND_INVALID; *ret only written on success. */
int nd_mac_from_string(const char *s, struct nd_mac *ret); /* aa:bb:cc:dd:ee:ff; also '-' */
const char *nd_mac_to_string(const struct nd_mac *m, char buf[ND_MAC_STRLEN]);
bool nd_mac_equal(const struct nd_mac *a, const struct nd_mac *b);
bool nd_mac_is_zero(const struct nd_mac *m);
bool nd_mac_is_multicast(const struct nd_mac *m);

int nd_uuid_from_string(const char *s, struct nd_uuid *ret); /* 32 hex digits, dashes optional, any case */
const char *nd_uuid_to_string(const struct nd_uuid *u, char buf[ND_UUID_STRLEN]);
bool nd_uuid_equal(const struct nd_uuid *a, const struct nd_uuid *b);
bool nd_uuid_is_zero(const struct nd_uuid *u);
void nd_uuid_random(struct nd_uuid *ret); /* version 4 */
/* A name-based UUID (RFC 9562 version 8, two seeded 64-bit FNV-1a): the same for the same space and name, for ever. */
void nd_uuid_from_name(const struct nd_uuid *space, const void *name, size_t len, struct nd_uuid *ret);

int nd_ip_from_string(const char *s, struct nd_ip *ret);
const char *nd_ip_to_string(const struct nd_ip *ip, char buf[ND_IP_STRLEN]);
bool nd_ip_equal(const struct nd_ip *a, const struct nd_ip *b);
struct nd_ip nd_ip_from_ip4(uint32_t ip4);
uint32_t nd_ip_to_ip4(const struct nd_ip *ip); /* 0 when not IPv4 */
const char *nd_ip4_to_string(uint32_t ip4, char buf[ND_IP_STRLEN]);

int nd_prefix_from_string(const char *s, struct nd_prefix *ret); /* A/len; without /len the full length */
const char *nd_prefix_to_string(const struct nd_prefix *p, char buf[ND_PREFIX_STRLEN]);
bool nd_prefix_equal(const struct nd_prefix *a, const struct nd_prefix *b); /* host bits count */
bool nd_prefix_contains_ip(const struct nd_prefix *p, const struct nd_ip *ip);
bool nd_prefix_contains(const struct nd_prefix *outer, const struct nd_prefix *inner); /* equal counts */
bool nd_prefix_overlaps(const struct nd_prefix *a, const struct nd_prefix *b);
struct nd_prefix nd_prefix_network(const struct nd_prefix *p); /* host bits cleared */
static inline uint32_t nd_ip4_mask(unsigned len)
{
	return len == 0 ? 0 : ~0u << (32 - len);
}
/* 0-32, or -1 for a mask with holes. */
int nd_ip4_mask_len(uint32_t mask);
#endif

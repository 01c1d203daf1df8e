/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: see frame.h
 */
#include "tests/netns/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

static void put(struct frame *f, const void *p, size_t len)
{
	memcpy(f->b + f->len, p, len);
	f->len += len;
}

static void put8(struct frame *f, uint8_t v)
{
	put(f, &v, 1);
}

static void put16(struct frame *f, uint16_t v)
{
	v = htons(v);
	put(f, &v, 2);
}

static void set16(struct frame *f, size_t at, uint16_t v)
{
	v = htons(v);
	memcpy(f->b + at, &v, 2);
}

static void put_mac(struct frame *f, uint8_t last)
{
	put(f, (const uint8_t[]){ 2, 0, 0, 0, 0, last }, 6);
}

static void put_zeros(struct frame *f, size_t len)
{
	memset(f->b + f->len, 0, len);
	f->len += len;
}

static void put_ip(struct frame *f, int family, const char *text)
{
	uint8_t b[16] = { 0 };

	if (text)
		inet_pton(family, text, b);
	put(f, b, family == AF_INET ? 4 : 16);
}

static uint32_t sum(const uint8_t *p, size_t len, uint32_t v)
{
	for (size_t i = 0; i < len; i++)
		v += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	return v;
}

static uint16_t folded(uint32_t v)
{
	while (v >> 16)
		v = (v & 0xffff) + (v >> 16);
	return (uint16_t)~v;
}

static void put_destination(struct frame *f, const struct frame_spec *s)
{
	if (s->eth_dst == 0)
		put(f, "\xff\xff\xff\xff\xff\xff", 6);
	else if (s->eth_dst == 0xff && s->ethertype == ETH_P_IPV6)
		put(f, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, 6);
	else if (s->eth_dst == 0xff)
		put(f, (const uint8_t[]){ 1, 0, 0x5e, 0, 0, 1 }, 6);
	else
		put_mac(f, s->eth_dst);
}

/* Return: where the length behind SNAP's place is to be written, 0 without. */
static size_t put_ether(struct frame *f, const struct frame_spec *s)
{
	static const struct {
		uint16_t tags[2], vlan;
		bool snap;
	} rows[] = {
		[WRAP_NONE] = { .vlan = 0 },
		[WRAP_8021Q] = { { ETH_P_8021Q }, 5, false },
		[WRAP_8021AD] = { { ETH_P_8021AD }, 5, false },
		[WRAP_PRIORITY] = { { ETH_P_8021Q }, 0, false },
		[WRAP_AD_Q] = { { ETH_P_8021AD, ETH_P_8021Q }, 5, false },
		[WRAP_TWO_PRIORITIES] = { { ETH_P_8021AD, ETH_P_8021Q }, 0, false },
		[WRAP_SNAP] = { .snap = true },
		[WRAP_Q_SNAP] = { { ETH_P_8021Q }, 0, true },
	};
	size_t at = 0;

	put_destination(f, s);
	put_mac(f, s->eth_src);
	for (unsigned i = 0; i < 2 && rows[s->wrap].tags[i]; i++) {
		put16(f, rows[s->wrap].tags[i]);
		put16(f, rows[s->wrap].vlan);
	}
	if (rows[s->wrap].snap) {
		at = f->len;
		put_zeros(f, 2);
		put(f, "\xaa\xaa\x03\0\0\0", 6);
	}
	put16(f, s->ethertype);
	return at;
}

static void put_arp(struct frame *f, const struct frame_spec *s, uint32_t cookie)
{
	put(f, "\0\1\x08\0\6\4", 6);
	put16(f, s->arp_op);
	put_mac(f, s->arp_mac);
	put_ip(f, AF_INET, s->src);
	put(f, &cookie, 4);
	put_zeros(f, 2);
	put_ip(f, AF_INET, s->dst);
}

/* Return: where its checksum is. */
static size_t put_payload(struct frame *f, const struct frame_spec *s, uint32_t cookie)
{
	size_t at = f->len, checksum = at + 2;

	if (s->protocol == IPPROTO_UDP) {
		put16(f, s->sport);
		put16(f, s->dport);
		put16(f, 12);
		checksum = f->len;
		put_zeros(f, 2);
	} else {
		put8(f, s->type);
		put_zeros(f, 7);
		put_ip(f, AF_INET6, s->target);
	}
	put(f, &cookie, 4);
	return checksum;
}

static void put_ip4(struct frame *f, const struct frame_spec *s, uint32_t cookie)
{
	size_t at = f->len, payload, checksum;

	put(f, "\x45", 2);
	put_zeros(f, 2);
	put(f, &cookie, 2);
	put16(f, s->extension == EXT_FIRST_FRAGMENT ? 0x2000 : s->extension == EXT_LATER_FRAGMENT ? 2 : 0);
	put8(f, 1);
	put8(f, s->protocol);
	put_zeros(f, 2);
	put_ip(f, AF_INET, s->src);
	put_ip(f, AF_INET, s->dst);
	payload = f->len;
	checksum = put_payload(f, s, cookie);
	if (s->protocol != IPPROTO_UDP) /* UDP may be without */
		set16(f, checksum, folded(sum(f->b + payload, f->len - payload, 0)));
	set16(f, at + 2, (uint16_t)(f->len - at));
	set16(f, at + 10, folded(sum(f->b + at, 20, 0)));
}

/* Headers before the payload; next: where the number of the following one goes. Return: where the last one's is. */
static size_t put_extensions(struct frame *f, enum frame_extension extension, size_t next)
{
	static const struct {
		uint8_t numbers[2];
		uint16_t fragment;
	} rows[] = {
		[EXT_NONE] = { .fragment = 0 },
		[EXT_HOP_BY_HOP] = { { IPPROTO_HOPOPTS }, 0 },
		[EXT_DESTINATION] = { { IPPROTO_DSTOPTS }, 0 },
		[EXT_BOTH] = { { IPPROTO_HOPOPTS, IPPROTO_DSTOPTS }, 0 },
		[EXT_FIRST_FRAGMENT] = { { IPPROTO_FRAGMENT }, 1 },
		[EXT_LATER_FRAGMENT] = { { IPPROTO_FRAGMENT }, 16 },
		[EXT_ATOMIC] = { { IPPROTO_FRAGMENT }, 0 },
	};

	for (unsigned i = 0; i < 2 && (i == 0 || rows[extension].numbers[i]) && extension; i++) {
		f->b[next] = rows[extension].numbers[i];
		next = f->len;
		if (rows[extension].numbers[i] == IPPROTO_FRAGMENT) {
			put_zeros(f, 2);
			put16(f, rows[extension].fragment);
			put(f, "\1\2\3\4", 4);
		} else {
			put(f, "\0\0\1\4\0\0\0\0", 8); /* PadN */
		}
	}
	return next;
}

static void put_ip6(struct frame *f, const struct frame_spec *s, uint32_t cookie)
{
	size_t at = f->len, payload, checksum;

	put(f, "\x60\0\0\0", 4);
	put_zeros(f, 3);
	put8(f, 255);
	put_ip(f, AF_INET6, s->src);
	put_ip(f, AF_INET6, s->dst);
	f->b[put_extensions(f, s->extension, at + 6)] = s->protocol;
	payload = f->len;
	checksum = put_payload(f, s, cookie);
	set16(f, at + 4, (uint16_t)(f->len - at - 40));
	set16(f, checksum,
	      folded(sum(f->b + payload, f->len - payload,
			 sum(f->b + at + 8, 32, s->protocol + (uint32_t)(f->len - payload)))));
}

void frame_build(struct frame *f, const struct frame_spec *spec, uint32_t cookie)
{
	size_t snap;

	memset(f, 0, sizeof(*f));
	snap = put_ether(f, spec);
	if (spec->ethertype == ETH_P_ARP)
		put_arp(f, spec, cookie);
	else if (spec->ethertype == ETH_P_IP)
		put_ip4(f, spec, cookie);
	else
		put_ip6(f, spec, cookie);
	if (snap)
		set16(f, snap, (uint16_t)(f->len - snap - 2));
	else if (f->len < 60)
		put_zeros(f, 60 - f->len);
}

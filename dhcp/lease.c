// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: lease records and identities
 *
 * A record reaches us from three sides that are not trusted: the worker (it parses guests' packets), a database row
 * (the file may be damaged) and the control channel. dhcp_lease_check() is the one gate; nothing else looks at the lengths
 * and the strings again. Called by the engine on load, by netd on each proposal and by the store on each row.
 *
 * The identity's hash is FNV-1a without a seed, on purpose: it chooses an address, and the choice has to be the same after
 * a restart. Hash maps use nd_hash_bytes(), which is seeded.
 */
#include "dhcp/lease.h"
#include "dhcp/option.h"
#include <string.h>

#define HTYPE_ETHERNET 1
#define IDENTITY_HEAD  48 /* bytes of a long client identifier that are kept as they are */

/* Length rule of each kind of identity; index is enum dhcp_identity_kind. */
static const struct {
	uint8_t min, max;
} identity_len[] = {
	[DHCP_IDENTITY_PORT] = { sizeof(struct nd_uuid), sizeof(struct nd_uuid) },
	[DHCP_IDENTITY_CLIENT_ID] = { 1, DHCP_IDENTITY_MAX },
	[DHCP_IDENTITY_HARDWARE] = { 1 + sizeof(struct nd_mac), 1 + sizeof(struct nd_mac) },
};

bool dhcp_identity_equal(const struct dhcp_identity *a, const struct dhcp_identity *b)
{
	return a->kind == b->kind && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

uint32_t dhcp_identity_hash(const struct dhcp_identity *id)
{
	uint32_t h = 2166136261u; /* FNV-1a, 32 bits: offset basis and prime */

	h = (h ^ id->kind) * 16777619u;
	for (size_t i = 0; i < id->len && i < sizeof(id->bytes); i++)
		h = (h ^ id->bytes[i]) * 16777619u;
	/* FNV's low bits hardly mix its last byte, and MACs differ just there: finish as MurmurHash3 does. */
	h = (h ^ (h >> 16)) * 0x85ebca6bu;
	h = (h ^ (h >> 13)) * 0xc2b2ae35u;
	return h ^ (h >> 16);
}

void dhcp_identity_from_client_id(const uint8_t *p, size_t len, struct dhcp_identity *ret)
{
	static const struct nd_uuid space = { .b = "netd client-id" };
	struct nd_uuid name;

	*ret = (struct dhcp_identity){ .kind = DHCP_IDENTITY_CLIENT_ID };
	if (len <= DHCP_IDENTITY_MAX) {
		ret->len = (uint8_t)len;
		memcpy(ret->bytes, p, len);
		return;
	}
	nd_uuid_from_name(&space, p, len, &name);
	ret->len = DHCP_IDENTITY_MAX;
	memcpy(ret->bytes, p, IDENTITY_HEAD);
	memcpy(ret->bytes + IDENTITY_HEAD, name.b, sizeof(name.b));
}

void dhcp_identity_from_mac(const struct nd_mac *mac, struct dhcp_identity *ret)
{
	*ret = (struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 1 + sizeof(mac->b) };
	ret->bytes[0] = HTYPE_ETHERNET;
	memcpy(ret->bytes + 1, mac->b, sizeof(mac->b));
}

static int identity_check(const struct dhcp_identity *id, const char *what, struct nd_error *e)
{
	if (id->kind < DHCP_IDENTITY_PORT || id->kind > DHCP_IDENTITY_HARDWARE)
		return nd_fail(e, ND_INVALID, "%s of unknown kind %u", what, id->kind);
	if (id->len < identity_len[id->kind].min || id->len > identity_len[id->kind].max)
		return nd_fail(e, ND_INVALID, "%s of kind %u has %u bytes", what, id->kind, id->len);
	return 0;
}

static int hostname_check(const char *name, struct nd_error *e)
{
	char clean[DHCP_HOSTNAME_MAX];
	size_t len = strnlen(name, DHCP_HOSTNAME_MAX);

	if (len == DHCP_HOSTNAME_MAX)
		return nd_fail(e, ND_INVALID, "host name is not terminated");
	if (len == 0)
		return 0;
	if (!dhcp_hostname_clean((const uint8_t *)name, len, clean) || strcmp(name, clean) != 0)
		return nd_fail(e, ND_INVALID, "host name is not one label of letters, digits and hyphens");
	return 0;
}

int dhcp_lease_check(const struct dhcp_lease *l, struct nd_error *e)
{
	int r;

	if (nd_uuid_is_zero(&l->network))
		return nd_fail(e, ND_INVALID, "lease names no network");
	/* 0/8, 224/4 and above are nobody's address (RFC 6890). */
	if (l->ip4 >> 24 == 0 || l->ip4 >> 28 >= 0xe)
		return nd_fail(e, ND_INVALID, "lease of no host address (0x%08x)", l->ip4);
	if (l->state > DHCP_LEASE_DECLINED)
		return nd_fail(e, ND_INVALID, "lease of unknown state %u", l->state);
	r = identity_check(&l->identity, "identity", e);
	if (r)
		return r;
	if (l->identity.kind == DHCP_IDENTITY_PORT &&
	    memcmp(l->identity.bytes, l->port.b, sizeof(l->port.b)) != 0)
		return nd_fail(e, ND_INVALID, "lease of one port with the identity of another");
	if (l->client_id.len) {
		r = identity_check(&l->client_id, "client identifier", e);
		if (r)
			return r;
		if (l->client_id.kind != DHCP_IDENTITY_CLIENT_ID)
			return nd_fail(e, ND_INVALID, "client identifier of kind %u", l->client_id.kind);
	}
	if (nd_mac_is_multicast(&l->mac))
		return nd_fail(e, ND_INVALID, "lease of a multicast MAC address");
	return hostname_check(l->hostname, e);
}

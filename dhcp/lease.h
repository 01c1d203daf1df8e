/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_LEASE_H
#define ND_DHCP_LEASE_H
/*
 * DOC: one lease, as it is proposed by the worker, stored by netd, and given back at start
 *
 * A lease belongs to an identity on a network. The identity is the port where the frame came from a netd port with its own MAC: two clones of an
 * image, with one client-id, are two ports and get two addresses. Else the client identifier (option 61), else htype + chaddr (RFC 2131 §4.2); but where
 * an address is reserved for a MAC, that MAC is who it is, whatever client identifiers firmware and system of the machine send.
 */
#include "base/addr.h"
#include "base/error.h"

enum dhcp_identity_kind { DHCP_IDENTITY_PORT = 1, DHCP_IDENTITY_CLIENT_ID = 2, DHCP_IDENTITY_HARDWARE = 3 };
#define DHCP_IDENTITY_MAX \
	64 /* a longer client-id (≤ 255) is kept as its first 48 bytes + 16 of a name-based uuid of the whole */
struct dhcp_identity {
	uint8_t kind;
	uint8_t len;
	uint8_t bytes[DHCP_IDENTITY_MAX]; /* PORT: the port's uuid; HARDWARE: htype, MAC */
};
enum dhcp_lease_state {
	DHCP_LEASE_BOUND,
	DHCP_LEASE_DECLINED, /* a client found it in use, or a probe did: not given to anyone until expiry */
};
#define DHCP_HOSTNAME_MAX 64 /* with NUL: one label, RFC 1035 §2.3.4 */
struct dhcp_lease {
	struct nd_uuid network;
	struct nd_uuid port; /* zero: not a netd port */
	uint32_t ip4;
	uint8_t state; /* enum dhcp_lease_state */
	struct dhcp_identity identity;
	struct nd_mac mac;
	char hostname[DHCP_HOSTNAME_MAX]; /* sanitised; "" none */
	struct dhcp_identity client_id;   /* option 61 as sent, for display; len 0: none */
	uint64_t
		expiry_s; /* seconds since 1970, by a clock that is not set when the wall clock is; UINT64_MAX: infinite */
};
/* Everything from a worker or a database row is checked with this: lengths, kinds, terminated and printable strings. 0 or ND_INVALID. */
int dhcp_lease_check(const struct dhcp_lease *l, struct nd_error *e);
bool dhcp_identity_equal(const struct dhcp_identity *a, const struct dhcp_identity *b);
uint32_t dhcp_identity_hash(const struct dhcp_identity *id);
/* Client identifier of any length (1-255) → bounded identity. */
void dhcp_identity_from_client_id(const uint8_t *p, size_t len, struct dhcp_identity *ret);
void dhcp_identity_from_mac(const struct nd_mac *mac, struct dhcp_identity *ret);
#endif

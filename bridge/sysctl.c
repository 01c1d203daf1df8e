/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: kernel settings: host-wide ones are claimed, a bridge's own are written
 *
 * A claim is counted; the first one reads the kernel's value, and writes ours where it differs, so that a host which forwards already
 * is not touched. The last release leaves the value as it is. Forwarding has many users and no owner: between our first claim
 * and our last release another may have come to rely on it (libvirt, Docker, an administrator who saw it on), and turning it off cuts
 * their traffic, while leaving it on is what each of them does too. What forwards for netd is the nftables table, and that goes.
 *
 * The settings of a bridge are rows, written once when it starts: 0.004 ms each, 0.015 ms where IPv6 is turned off. They vanish
 * with the link. A kernel without IPv6 has no such files: then IPv6 is off as wanted, or it is an error of the network that wants it.
 * Source: Documentation/networking/ip-sysctl.rst.
 */
#include <assert.h>

#include "base/file.h"
#include "base/mem.h"
#include "bridge/bridge.h"

#define KEY_MAX 64 /* "net/ipv6/conf/" + a name + "/disable_ipv6" is 43 at most */

static const struct {
	const char *key, *value;
} claim_rows[] = {
	[BRIDGE_SYSCTL_IP4_FORWARD] = { "net/ipv4/ip_forward", "1" },
};
static_assert(ARRAY_LEN(claim_rows) == BRIDGE_SYSCTL_CNT_, "one row per sysctl");

struct bridge_sysctls {
	unsigned claims[BRIDGE_SYSCTL_CNT_];
};

struct bridge_sysctls *bridge_sysctls_new(void)
{
	return calloc(1, sizeof(struct bridge_sysctls));
}

void bridge_sysctls_free(struct bridge_sysctls *s)
{
	free(s);
}

const char *bridge_sysctl_key(enum bridge_sysctl which)
{
	return claim_rows[which].key;
}

int bridge_sysctl_claim(struct bridge_sysctls *s, enum bridge_sysctl which, bool *ret_changed,
			struct nd_error *e)
{
	const char *key = claim_rows[which].key, *value = claim_rows[which].value;
	char have[16];
	bool changed = false;
	int rc = 0;

	if (s->claims[which] == 0) {
		rc = nd_sysctl_read(key, have, sizeof(have), e);
		changed = !rc && strcmp(have, value) != 0;
		if (changed)
			rc = nd_sysctl_write(key, value, e);
	}
	if (rc)
		return rc;
	s->claims[which]++;
	*ret_changed = changed;
	return 0;
}

void bridge_sysctl_release(struct bridge_sysctls *s, enum bridge_sysctl which)
{
	if (s->claims[which] > 0)
		s->claims[which]--;
}

/*
 * Router advertisements would come from guests only, and would give the host addresses and routes of a guest's choice. On a network without
 * IPv6 the bridge would still answer on its link-local address; so there is none.
 */
static const struct {
	bool ipv6; /* for which networks */
	const char *name, *value;
} link_rows[] = {
	{ false, "disable_ipv6", "1" },
	{ true, "disable_ipv6", "0" },
	{ true, "accept_ra", "0" },
	{ true, "autoconf", "0" },
};

int bridge_sysctl_link(const char *ifname, bool ipv6, struct nd_error *e)
{
	char key[KEY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(link_rows); i++) {
		struct nd_error sub = ND_ERROR_INIT;
		int rc;

		if (link_rows[i].ipv6 != ipv6)
			continue;
		snprintf(key, sizeof(key), "net/ipv6/conf/%s/%s", ifname, link_rows[i].name);
		rc = nd_sysctl_write(key, link_rows[i].value, &sub);
		if (!rc || (rc == ND_NOT_FOUND && !ipv6))
			continue;
		if (e)
			nd_error_copy(e, &sub);
		return rc;
	}
	return 0;
}

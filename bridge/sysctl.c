/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: kernel settings: host-wide ones are claimed, a bridge's own are written
 *
 * A claim is counted; the first one reads the kernel's value, and writes ours where it differs, so that a host which forwards already
 * is not touched. The last release leaves the value as it is. Forwarding has many users and no owner: between our first claim
 * and our last release another may have come to rely on it (libvirt, Docker, an administrator who saw it on), and turning it off cuts
 * their traffic, while leaving it on is what each of them does too. What forwards for netd is the nftables table, and that goes. Only a start that
 * fails takes back what it wrote itself. What others turn off while it is claimed is told by the kernel (RTM_NEWNETCONF) and written again.
 *
 * The settings of a bridge are rows, written once when it starts: 0.004 ms each, 0.015 ms where IPv6 is turned off. They vanish
 * with the link. A kernel without IPv6 has no such files: then IPv6 is off as wanted, or it is an error of the network that wants it.
 * Source: Documentation/networking/ip-sysctl.rst.
 */
#include <assert.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "bridge/bridge.h"

#define KEY_MAX 64 /* "net/ipv6/conf/" + a name + "/disable_ipv6" is 43 at most */

static const struct {
	const char *key, *value;
} claim_rows[] = {
	[BRIDGE_SYSCTL_IP4_FORWARD] = { "net/ipv4/ip_forward", "1" },
	[BRIDGE_SYSCTL_IP6_FORWARD] = { "net/ipv6/conf/all/forwarding", "1" },
};
static_assert(ARRAY_LEN(claim_rows) == BRIDGE_SYSCTL_CNT_, "one row per sysctl");

#define VALUE_LEN   16
#define UPLINKS_MAX 16 /* links whose accept_ra can be put back */

struct bridge_sysctls {
	struct {
		unsigned claims;
		bool lost;
		char was[VALUE_LEN]; /* before what was written since the last settle; "": nothing was */
	} claim[BRIDGE_SYSCTL_CNT_];
	char uplinks[UPLINKS_MAX][ND_IFNAMSIZ]; /* whose accept_ra was written since the last settle */
	unsigned uplink_cnt;
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

static int write_claimed(struct bridge_sysctls *s, enum bridge_sysctl which, bool *ret_changed,
			 struct nd_error *e)
{
	const char *key = claim_rows[which].key, *value = claim_rows[which].value;
	char have[VALUE_LEN];
	int rc = nd_sysctl_read(key, have, sizeof(have), e);
	bool changed = !rc && strcmp(have, value) != 0;

	if (changed)
		rc = nd_sysctl_write(key, value, e);
	if (rc)
		return rc;
	nd_strcpy(s->claim[which].was, sizeof(s->claim[which].was), changed ? have : "");
	s->claim[which].lost = false;
	*ret_changed = changed;
	return 0;
}

int bridge_sysctl_claim(struct bridge_sysctls *s, enum bridge_sysctl which, bool *ret_changed,
			struct nd_error *e)
{
	bool changed = false;
	int rc = 0;

	if (!bridge_sysctl_holds(s, which))
		rc = write_claimed(s, which, &changed, e);
	if (rc)
		return rc;
	s->claim[which].claims++;
	*ret_changed = changed;
	return 0;
}

void bridge_sysctl_release(struct bridge_sysctls *s, enum bridge_sysctl which)
{
	if (s->claim[which].claims > 0)
		s->claim[which].claims--;
}

static void ra_key(char key[KEY_MAX], const char *ifname)
{
	snprintf(key, KEY_MAX, "net/ipv6/conf/%s/accept_ra", ifname);
}

void bridge_sysctl_take_back(struct bridge_sysctls *s, enum bridge_sysctl which)
{
	char key[KEY_MAX];

	bridge_sysctl_release(s, which);
	if (s->claim[which].claims > 0)
		return;
	if (s->claim[which].was[0])
		nd_sysctl_write(claim_rows[which].key, s->claim[which].was, NULL);
	s->claim[which].was[0] = '\0';
	for (unsigned i = 0; which == BRIDGE_SYSCTL_IP6_FORWARD && i < s->uplink_cnt; i++) {
		ra_key(key, s->uplinks[i]);
		nd_sysctl_write(key, "1", NULL);
	}
	if (which == BRIDGE_SYSCTL_IP6_FORWARD)
		s->uplink_cnt = 0;
}

void bridge_sysctls_settle(struct bridge_sysctls *s)
{
	for (unsigned i = 0; i < BRIDGE_SYSCTL_CNT_; i++)
		s->claim[i].was[0] = '\0';
	s->uplink_cnt = 0;
}

bool bridge_sysctl_lost(struct bridge_sysctls *s, enum bridge_sysctl which)
{
	s->claim[which].lost = s->claim[which].claims > 0;
	return s->claim[which].lost;
}

bool bridge_sysctl_holds(const struct bridge_sysctls *s, enum bridge_sysctl which)
{
	return s->claim[which].claims > 0 && !s->claim[which].lost;
}

int bridge_sysctl_mend(struct bridge_sysctls *s, enum bridge_sysctl which, bool *ret_changed,
		       struct nd_error *e)
{
	int rc;

	*ret_changed = false;
	rc = write_claimed(s, which, ret_changed, e);
	s->claim[which].was[0] = '\0'; /* others need it as it is now */
	return rc;
}

int bridge_sysctl_keep_ra(struct bridge_sysctls *s, const char *ifname, bool *ret_changed, struct nd_error *e)
{
	char key[KEY_MAX], have[VALUE_LEN];
	int rc;

	ra_key(key, ifname);
	*ret_changed = false;
	rc = nd_sysctl_read(key, have, sizeof(have), e);
	if (rc || strcmp(have, "1") != 0)
		return rc;
	rc = nd_sysctl_write(key, "2", e);
	if (rc)
		return rc;
	*ret_changed = true;
	if (s->uplink_cnt < UPLINKS_MAX)
		nd_strcpy(s->uplinks[s->uplink_cnt++], ND_IFNAMSIZ, ifname);
	return 0;
}

/*
 * Router advertisements would come from guests only, and would give the host addresses and routes of a guest's choice. On a network without
 * IPv6 the bridge would still answer on its link-local address; so there is none. With strict ARP a guest cannot find out by asking which
 * addresses the host has elsewhere (arp_ignore), and what the host asks for carries an address that a guest on this subnet can answer to (arp_announce).
 */
static const struct {
	enum { LINK_IP6, LINK_NO_IP6, LINK_ARP } on; /* for which networks */
	const char *family, *name, *value;
} link_rows[] = {
	{ LINK_NO_IP6, "ipv6", "disable_ipv6", "1" }, { LINK_IP6, "ipv6", "disable_ipv6", "0" },
	{ LINK_IP6, "ipv6", "accept_ra", "0" },       { LINK_IP6, "ipv6", "autoconf", "0" },
	{ LINK_ARP, "ipv4", "arp_ignore", "1" },      { LINK_ARP, "ipv4", "arp_announce", "2" },
};

static int write_link(const char *family, const char *ifname, const char *name, const char *value,
		      bool required, struct nd_error *e)
{
	char key[KEY_MAX];
	struct nd_error sub = ND_ERROR_INIT;
	int rc;

	snprintf(key, sizeof(key), "net/%s/conf/%s/%s", family, ifname, name);
	rc = nd_sysctl_write(key, value, &sub);
	if (!rc || (rc == ND_NOT_FOUND && !required))
		return 0;
	if (e)
		nd_error_copy(e, &sub);
	return rc;
}

int bridge_sysctl_link(const char *ifname, bool ipv6, bool strict_arp, struct nd_error *e)
{
	const bool on[] = { [LINK_IP6] = ipv6, [LINK_NO_IP6] = !ipv6, [LINK_ARP] = strict_arp };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(link_rows) && !rc; i++)
		if (on[link_rows[i].on])
			rc = write_link(link_rows[i].family, ifname, link_rows[i].name, link_rows[i].value,
					link_rows[i].on == LINK_IP6, e);
	return rc;
}

int bridge_sysctl_route_localnet(const char *ifname, bool on, struct nd_error *e)
{
	return write_link("ipv4", ifname, "route_localnet", on ? "1" : "0", true, e);
}

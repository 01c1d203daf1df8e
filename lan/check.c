// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: which NICs cannot be put into a bridge, why, and what to do instead
 *
 * One row per reason, in the order in which they are told. What the kernel would refuse too is refused here before anything is changed, in words that help.
 */
#include "base/mem.h"
#include "lan/private.h"
#include <linux/if.h>
#include <linux/if_arp.h>
#include <sys/stat.h>

struct check {
	int code;
	bool (*refuses)(const struct lan_snapshot *s, const char *sysfs);
	const char *text; /* %s: the NIC; then what `about` gives */
	const char *(*about)(const struct lan_snapshot *s);
};

static bool in_sysfs(const struct lan_snapshot *s, const char *sysfs, const char *file)
{
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s/class/net/%s/%s", sysfs, s->name, file);
	return stat(path, &st) == 0;
}

static bool is_loopback(const struct lan_snapshot *s, const char *sysfs)
{
	return s->flags & IFF_LOOPBACK;
}

static bool is_made_by_netd(const struct lan_snapshot *s, const char *sysfs)
{
	return s->is_netd;
}

static bool is_bridge(const struct lan_snapshot *s, const char *sysfs)
{
	return !strcmp(s->kind, "bridge") || !strcmp(s->kind, "openvswitch");
}

static bool is_wifi(const struct lan_snapshot *s, const char *sysfs)
{
	return in_sysfs(s, sysfs, "wireless") || in_sysfs(s, sysfs, "phy80211");
}

static bool has_no_ethernet(const struct lan_snapshot *s, const char *sysfs)
{
	return s->hw_type != ARPHRD_ETHER || s->flags & (IFF_POINTOPOINT | IFF_NOARP);
}

static bool is_upper_of_another(const struct lan_snapshot *s, const char *sysfs)
{
	return !strcmp(s->kind, "macvlan") || !strcmp(s->kind, "macvtap") || !strcmp(s->kind, "ipvlan") ||
	       !strcmp(s->kind, "ipvtap");
}

static bool is_tap(const struct lan_snapshot *s, const char *sysfs)
{
	return !strcmp(s->kind, "tun");
}

static bool is_port_of_netd(const struct lan_snapshot *s, const char *sysfs)
{
	return s->master != 0;
}

static bool has_uppers(const struct lan_snapshot *s, const char *sysfs)
{
	return s->upper[0] != '\0';
}

static bool is_down(const struct lan_snapshot *s, const char *sysfs)
{
	return !(s->flags & IFF_UP);
}

static bool has_no_carrier(const struct lan_snapshot *s, const char *sysfs)
{
	return !(s->flags & IFF_LOWER_UP);
}

static const char *about_kind(const struct lan_snapshot *s)
{
	return s->kind[0] ? s->kind : "of another link type, or point-to-point";
}

static const char *about_master(const struct lan_snapshot *s)
{
	return s->master_name[0] ? s->master_name : "another link";
}

static const char *about_upper(const struct lan_snapshot *s)
{
	return s->upper;
}

static const struct check checks[] = {
	{ ND_UNSUPPORTED, is_loopback, "'%s' is the loopback: it reaches no LAN", NULL },
	{ ND_UNSUPPORTED, is_made_by_netd,
	  "'%s' is netd's own, of one of its networks: guests reach the LAN by a physical NIC", NULL },
	{ ND_STATE, is_bridge,
	  "'%s' is a bridge already: use it as it is, with <forward mode='bridge'/> <bridge name='%s'/>",
	  NULL },
	{ ND_UNSUPPORTED, is_wifi,
	  "'%s' is a Wi-Fi NIC: an access point drops frames of MAC addresses other than the NIC's own, so "
	  "no guest would reach the LAN (macvtap fails for the "
	  "same reason); give guests a network with <forward mode='nat'/> or mode='route'",
	  NULL },
	{ ND_UNSUPPORTED, has_no_ethernet,
	  "'%s' does not carry Ethernet frames with ARP (%s): only Ethernet can be bridged; use <forward "
	  "mode='nat'/> or mode='route'",
	  about_kind },
	{ ND_UNSUPPORTED, is_upper_of_another,
	  "'%s' is a %s, which takes frames of its own MAC address only: use the NIC below it", about_kind },
	{ ND_UNSUPPORTED, is_tap, "'%s' is a TAP device, some program's or guest's, not a NIC", NULL },
	{ ND_BUSY, is_port_of_netd,
	  "'%s' is part of '%s': use that; a bridge as it is, with <forward mode='bridge'/>, of a bond or "
	  "team the bond itself",
	  about_master },
	{ ND_BUSY, has_uppers,
	  "'%s' has '%s' (macvlan, macvtap or ipvlan) on it, and the kernel gives a NIC's frames to one "
	  "taker: end it first, or put guests on the NIC by "
	  "<forward mode='bridge'> with <interface dev='…'/>",
	  about_upper },
	{ ND_STATE, is_down, "'%s' is down: nothing can be checked; set it up first (ip link set '%s' up)",
	  NULL },
	{ ND_STATE, has_no_carrier, "'%s' has no carrier: is the cable plugged in?", NULL },
};

int lan_check(const struct lan_snapshot *s, const char *bridge, const char *sysfs, struct nd_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		const struct check *c = &checks[i];
		if (!c->refuses(s, sysfs))
			continue;
		char text[512];
		lan_fill(text, sizeof text, c->text, s->name, c->about ? c->about(s) : s->name);
		return nd_fail(e, c->code, "%s", text);
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: bridges: attribute rows, their difference, and the requests that mend it
 *
 * One row is one attribute: its bit in enum bridge_diff, its noun, when it differs, how it is put into a request. bridge_diff asks the
 * rows, bridge_apply sends one RTM_NEWLINK with those that differ. So a new attribute is a row, a bit and a field.
 *
 * Making a bridge takes three requests, 0.09 ms in all, of which the second is a look-up (0.004 ms): sending them in one batch gained
 * nothing that could be measured, and the later ones would hit a foreign link of that name when the first is refused.
 * 1. create, with what makes it recognisable as ours when we die right after it: name, MAC and group;
 * 2. ask for its record, which gives the ifindex, and the difference that is left;
 * 3. alias, MTU, up. The kernel drops an alias in 1. An MTU in 1 would not count as set by the user, and then the bridge takes
 *    on the smallest MTU of its ports (net/bridge/br_if.c br_mtu_auto_adjust).
 * Hence the rule for what is ours: a bridge with our network's alias, or without alias but with our group and MAC. Any other
 * link of that name is foreign and never touched.
 *
 * Limits: an MTU that equals the one the bridge has already is not sent, so it does not count as set by the user either: a port with
 * a smaller one changes it once, and the repair that follows makes it stick. A bridge that was taken down has lost its IPv6
 * addresses: after bridge_apply comes bridge_address_apply.
 * A kernel built without VLAN filtering answers EOPNOTSUPP, and some took the attribute in silence: so it is looked at afterwards.
 * Source: Documentation/networking/bridge.rst; include/uapi/linux/if_link.h IFLA_BR_*.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/mem.h"
#include "bridge/bridge.h"

/* The kernel's bounds with STP on (net/bridge/br_private_stp.h); what lies outside is moved to the nearest one, as the kernel itself does
 * with the delay it finds when STP is turned on. */
#define DELAY_MIN_S  2
#define DELAY_MAX_S  30
#define CS_PER_S     100
#define RETIRED_NAME "dead-%d"

static uint32_t delay_cs(const struct bridge_config *want)
{
	uint32_t s = want->forward_delay_s;

	return (s < DELAY_MIN_S ? DELAY_MIN_S : s > DELAY_MAX_S ? DELAY_MAX_S : s) * CS_PER_S;
}

static bool differs_mac(const struct bridge_config *want, const struct nd_link *have)
{
	return !nd_mac_equal(&want->mac, &have->mac);
}

static int put_mac(struct nl_msg *msg, const struct bridge_config *want)
{
	return nla_put(msg, IFLA_ADDRESS, sizeof(want->mac.b), want->mac.b);
}

static bool differs_mtu(const struct bridge_config *want, const struct nd_link *have)
{
	return want->mtu && want->mtu != have->mtu;
}

static int put_mtu(struct nl_msg *msg, const struct bridge_config *want)
{
	return nla_put_u32(msg, IFLA_MTU, want->mtu);
}

static bool differs_stp(const struct bridge_config *want, const struct nd_link *have)
{
	return want->stp != have->br_stp;
}

static int put_stp(struct nl_msg *msg, const struct bridge_config *want)
{
	return nla_put_u32(msg, IFLA_BR_STP_STATE, want->stp);
}

static bool differs_delay(const struct bridge_config *want, const struct nd_link *have)
{
	return want->stp && delay_cs(want) != have->br_forward_delay_cs;
}

static int put_delay(struct nl_msg *msg, const struct bridge_config *want)
{
	return want->stp ? nla_put_u32(msg, IFLA_BR_FORWARD_DELAY, delay_cs(want)) : 0;
}

/* Never turned off: frames without a tag pass a filtering bridge as any other. */
static bool differs_vlan(const struct bridge_config *want, const struct nd_link *have)
{
	return want->vlan_filtering && !have->br_vlan_filtering;
}

static int put_vlan(struct nl_msg *msg, const struct bridge_config *want)
{
	return want->vlan_filtering ? nla_put_u8(msg, IFLA_BR_VLAN_FILTERING, 1) : 0;
}

static bool differs_alias(const struct bridge_config *want, const struct nd_link *have)
{
	struct nd_uuid network, port;

	return !have->has_alias || nd_alias_parse(want->alias, &network, &port) ||
	       !nd_uuid_equal(&network, &have->alias_network) || !nd_uuid_equal(&port, &have->alias_port);
}

static int put_alias(struct nl_msg *msg, const struct bridge_config *want)
{
	return nla_put_string(msg, IFLA_IFALIAS, want->alias);
}

static bool differs_group(const struct bridge_config *want, const struct nd_link *have)
{
	return have->group != ND_GROUP_LIVE;
}

static int put_group(struct nl_msg *msg, const struct bridge_config *want)
{
	return nla_put_u32(msg, IFLA_GROUP, ND_GROUP_LIVE);
}

static bool differs_up(const struct bridge_config *want, const struct nd_link *have)
{
	return !(have->flags & IFF_UP);
}

static int put_up(struct nl_msg *msg, const struct bridge_config *want)
{
	struct ifinfomsg *ifi = nlmsg_data(nlmsg_hdr(msg));

	ifi->ifi_flags |= IFF_UP;
	ifi->ifi_change |= IFF_UP;
	return 0;
}

static const struct bridge_row {
	unsigned bit; /* enum bridge_diff */
	const char *noun;
	bool in_create;
	bool nested; /* lies in IFLA_INFO_DATA */
	bool (*differs)(const struct bridge_config *want, const struct nd_link *have);
	int (*put)(struct nl_msg *msg, const struct bridge_config *want); /* 0 or negative: no room */
} rows[] = {
	{ BRIDGE_MAC, "MAC address", true, false, differs_mac, put_mac },
	{ BRIDGE_MTU, "MTU", false, false, differs_mtu, put_mtu },
	{ BRIDGE_GROUP, "group", true, false, differs_group, put_group },
	{ BRIDGE_ALIAS, "alias", false, false, differs_alias, put_alias },
	{ BRIDGE_DOWN, "up", false, false, differs_up, put_up },
	{ BRIDGE_DELAY, "forward delay", true, true, differs_delay, put_delay },
	{ BRIDGE_STP, "STP", true, true, differs_stp, put_stp },
	{ BRIDGE_VLAN, "VLAN filtering", true, true, differs_vlan, put_vlan },
};

static bool is_ours(const struct bridge_config *want, const struct nd_link *have)
{
	struct nd_uuid network, port;

	if (have->kind != ND_LINK_BRIDGE)
		return false;
	if (!have->has_alias)
		return have->group == ND_GROUP_LIVE && nd_mac_equal(&want->mac, &have->mac);
	return nd_alias_parse(want->alias, &network, &port) == 0 &&
	       nd_uuid_equal(&network, &have->alias_network);
}

unsigned bridge_diff(const struct bridge_config *want, const struct nd_link *have)
{
	unsigned diff = BRIDGE_SAME;

	if (!have)
		return BRIDGE_MISSING;
	if (!is_ours(want, have))
		return BRIDGE_FOREIGN;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].differs(want, have))
			diff |= rows[i].bit;
	return diff;
}

static int put_rows(struct nl_msg *msg, const struct bridge_config *want, unsigned bits, bool nested)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].bit & bits && rows[i].nested == nested && rows[i].put(msg, want) < 0)
			return -1;
	return 0;
}

/*
 * Frames to 01:80:c2:00:00:0x pass no rule of ours before the bridge learns from them: with another guest's source MAC one would take over its traffic.
 * Kernels since 5.0, the oldest with this option, are older than what else is needed.
 */
static int put_learning(struct nl_msg *msg)
{
	static const struct br_boolopt_multi no_learning = { .optval = 1u << BR_BOOLOPT_NO_LL_LEARN,
							     .optmask = 1u << BR_BOOLOPT_NO_LL_LEARN };

	return nla_put(msg, IFLA_BR_MULTI_BOOLOPT, sizeof(no_learning), &no_learning);
}

static int put_info(struct nl_msg *msg, const struct bridge_config *want, unsigned bits)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;

	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "bridge") < 0)
		return -1;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || put_rows(msg, want, bits, true) < 0 || put_learning(msg) < 0)
		return -1;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return 0;
}

/* An RTM_NEWLINK with the rows of bits. ifindex 0: by name, creating. Return: NULL on ENOMEM. */
static struct nl_msg *new_request(const struct bridge_config *want, int ifindex, unsigned bits)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, ifindex ? 0 : NLM_F_CREATE | NLM_F_EXCL);
	bool info = !ifindex;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		info = info || (rows[i].nested && rows[i].bit & bits);
	if (msg && nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) == 0 &&
	    (ifindex || nla_put_string(msg, IFLA_IFNAME, want->name) == 0) &&
	    put_rows(msg, want, bits, false) == 0 && (!info || put_info(msg, want, bits) == 0))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* "set MTU, alias": which of them the kernel refused is in its own text, where it has one. */
static int wrap_rows(struct nd_error *e, unsigned bits)
{
	char names[80] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].bit & bits && len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "",
						rows[i].noun);
	return nd_wrap(e, "set %s", names);
}

/* Without the bits for it the attribute is refused as a whole, or taken in silence, as the kernel is old or new. */
static int fail_vlan(struct nd_error *e)
{
	return nd_fail(e, ND_UNSUPPORTED,
		       "bridges of this kernel do not filter VLANs: it is built without "
		       "CONFIG_BRIDGE_VLAN_FILTERING");
}

/* bits: what was asked for; sub: the kernel's answer. */
static int refused(const struct bridge_config *want, unsigned bits, struct nd_error *sub, struct nd_error *e)
{
	if (want->vlan_filtering && bits & BRIDGE_VLAN && sub->sys == EOPNOTSUPP)
		return fail_vlan(e);
	if (e)
		nd_error_copy(e, sub);
	return sub->code;
}

static int change(struct nd_nl *nl, const struct bridge_config *want, int ifindex, unsigned bits,
		  struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	int rc = bits ? nd_nl_call(nl, new_request(want, ifindex, bits), NULL, NULL, &sub) : 0;

	if (!rc)
		return 0;
	wrap_rows(&sub, bits);
	return refused(want, bits, &sub, e);
}

static int fail_foreign(struct nd_error *e)
{
	return nd_fail(e, ND_EXISTS, "there is a link of this name that is not netd's");
}

/* By name: it is ours since a moment ago, and its index may not be known. */
static void undo_create(struct nd_nl *nl, const char *name, struct nd_error *e)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELLINK, 0);
	struct nd_error sub = ND_ERROR_INIT;

	if (msg && (nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0 ||
		    nla_put_string(msg, IFLA_IFNAME, name) < 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	if (nd_nl_call(nl, msg, NULL, NULL, &sub) == 0 || sub.sys == ENODEV)
		return;
	nd_wrap(&sub, "delete it again");
	nd_also(e, &sub);
}

static int check_vlan(struct nd_nl *nl, const struct bridge_config *want, int ifindex, struct nd_error *e)
{
	struct nd_link have;
	int rc = want->vlan_filtering ? nd_link_get(nl, ifindex, &have, e) : 0;

	if (rc || !want->vlan_filtering || have.br_vlan_filtering)
		return rc;
	return fail_vlan(e);
}

/* What the look-up after the creation leaves to be set. */
static int complete(struct nd_nl *nl, const struct bridge_config *want, int *ret_ifindex, struct nd_error *e)
{
	struct nd_link have;
	unsigned diff;
	int rc = nd_link_get_by_name(nl, want->name, &have, e);

	if (rc)
		return rc;
	diff = bridge_diff(want, &have);
	if (diff & BRIDGE_FOREIGN)
		return fail_foreign(e);
	rc = change(nl, want, have.ifindex, diff, e);
	if (!rc)
		rc = check_vlan(nl, want, have.ifindex, e);
	if (!rc)
		*ret_ifindex = have.ifindex;
	return rc;
}

/* A link that is there although the caller's record is not (its event has not been read yet) is looked at like any other. */
static int create(struct nd_nl *nl, const struct bridge_config *want, int *ret_ifindex, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	unsigned bits = 0;
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		bits |= rows[i].in_create ? rows[i].bit : 0;
	rc = nd_nl_call(nl, new_request(want, 0, bits), NULL, NULL, &sub);
	if (rc == ND_EXISTS)
		return complete(nl, want, ret_ifindex, e);
	if (rc) {
		nd_wrap(&sub, "create");
		return refused(want, bits, &sub, e);
	}
	rc = complete(nl, want, ret_ifindex, e);
	if (rc)
		undo_create(nl, want->name, e);
	return rc;
}

int bridge_apply(struct nd_nl *nl, const struct bridge_config *want, const struct nd_link *have,
		 int *ret_ifindex, struct nd_error *e)
{
	unsigned diff = bridge_diff(want, have);
	int rc;

	if (diff & BRIDGE_MISSING)
		return create(nl, want, ret_ifindex, e);
	if (diff & BRIDGE_FOREIGN)
		return fail_foreign(e);
	rc = change(nl, want, have->ifindex, diff, e);
	if (!rc && diff & BRIDGE_VLAN)
		rc = check_vlan(nl, want, have->ifindex, e);
	if (!rc)
		*ret_ifindex = have->ifindex;
	return rc;
}

/* Down, alias cleared (length 0), group DEAD. */
static struct nl_msg *new_retire(int ifindex)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex, .ifi_change = IFF_UP };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, 0);

	if (msg && nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO) == 0 &&
	    nla_put_u32(msg, IFLA_GROUP, ND_GROUP_DEAD) == 0 && nla_put(msg, IFLA_IFALIAS, 0, NULL) == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static struct nl_msg *new_rename(int ifindex)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, 0);
	char name[ND_IFNAMSIZ];

	snprintf(name, sizeof(name), RETIRED_NAME, ifindex);
	if (msg && nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO) == 0 &&
	    nla_put_string(msg, IFLA_IFNAME, name) == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* Two requests, since before 6.2 the kernel renames no link that is up. The first one decides; both can be repeated. */
int bridge_retire(struct nd_nl *nl, int ifindex, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	int rc = nd_nl_call(nl, new_retire(ifindex), NULL, NULL, &sub);

	if (!rc)
		rc = nd_nl_call(nl, new_rename(ifindex), NULL, NULL, &sub);
	if (!rc || sub.sys == ENODEV)
		return 0;
	nd_wrap(&sub, "retire");
	if (e)
		nd_error_copy(e, &sub);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: opening, comparing, restoring and draining a TAP
 *
 * What a TAP must be like is one table: a row compares one attribute of the wanted config with the kernel's record, and puts it into an
 * RTM_NEWLINK. tap_diff walks the rows to compare, tap_restore sends those that differ, tap_open sends all.
 *
 * Opening, in this order:
 *   1. open + TUNSETIFF: the device exists, down, outside any bridge
 *   2. TUNSETOWNER 0, while it is down: no event, and without an owner every local user could attach to a multi-queue TAP
 *   3. further queues; then the kernel's count of them must be ours
 *   4. one sendmsg: the two preparations below, then RTM_NEWLINK with MAC, MTU, group, alias, master and up together
 * So no frame passes before the device is complete. What only a port of a bridge can be given (isolation, VLANs, learning) goes in messages after
 * that one, and then the last of them brings it up. The device is not persistent: closing the files is the whole undo, in every step. That
 * last close takes some 17 ms (rcu_barrier), so a caller who knows that a bridge is full should not come here.
 *
 * The preparations cost 1.5 us each and save more, but only before the link is up, so they cannot be part of the third message:
 *   - no IPv6 address generation: no link-local address, duplicate detection and router solicitation on a link where the host has no business
 *     speaking; no events for them; and the guest does not hear them
 *   - root qdisc noqueue: a TAP has a ring of its own, and a queue before it only adds work to each packet. With the kernel's default, a
 *     multi-queue TAP going up allocates 256 of them, 6.5 MiB in 2-17 ms; without, it takes as long as a single-queue one
 */
#include "tap/tap.h"

#include "base/mem.h"
#include "base/strtab.h"
#include "tap/tun.h"

#include <assert.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <string.h>

#define TAP_OWNER_UID     0
#define VLAN_DEFAULT      1   /* IFLA_BR_VLAN_DEFAULT_PVID as the kernel sets it */
#define VLANS_PER_MESSAGE 256 /* 8 bytes each in the page that libnl allocates */

struct tap_attr {
	enum tap_diff bit;
	const char *noun; /* for the error */
	bool (*same)(const struct tap_config *want, const struct nd_link *have);
	int (*put)(struct nl_msg *msg, const struct tap_config *want); /* NULL: not rtnetlink's */
	bool port; /* the bridge's, thus only once it is a port */
};

static bool mac_same(const struct tap_config *want, const struct nd_link *have)
{
	return nd_mac_equal(&want->mac, &have->mac);
}

static int mac_put(struct nl_msg *msg, const struct tap_config *want)
{
	return nla_put(msg, IFLA_ADDRESS, sizeof(want->mac.b), want->mac.b);
}

static bool mtu_same(const struct tap_config *want, const struct nd_link *have)
{
	return want->mtu == 0 || want->mtu == have->mtu;
}

static int mtu_put(struct nl_msg *msg, const struct tap_config *want)
{
	return want->mtu ? nla_put_u32(msg, IFLA_MTU, want->mtu) : 0;
}

static bool group_same(const struct tap_config *want, const struct nd_link *have)
{
	return have->group == ND_GROUP_LIVE;
}

static int group_put(struct nl_msg *msg, const struct tap_config *want)
{
	return nla_put_u32(msg, IFLA_GROUP, ND_GROUP_LIVE);
}

/* The record holds the alias parsed, so the wanted one is parsed too. */
static bool alias_same(const struct tap_config *want, const struct nd_link *have)
{
	struct nd_uuid network, port;

	if (!want->alias[0])
		return true;
	return have->has_alias && nd_alias_parse(want->alias, &network, &port) == 0 &&
	       nd_uuid_equal(&network, &have->alias_network) && nd_uuid_equal(&port, &have->alias_port);
}

static int alias_put(struct nl_msg *msg, const struct tap_config *want)
{
	return want->alias[0] ? nla_put_string(msg, IFLA_IFALIAS, want->alias) : 0;
}

static bool master_same(const struct tap_config *want, const struct nd_link *have)
{
	return want->master == have->master;
}

static int master_put(struct nl_msg *msg, const struct tap_config *want)
{
	return nla_put_u32(msg, IFLA_MASTER, (uint32_t)want->master);
}

static bool up_same(const struct tap_config *want, const struct nd_link *have)
{
	return have->flags & IFF_UP;
}

static int up_put(struct nl_msg *msg, const struct tap_config *want)
{
	struct ifinfomsg *info = nlmsg_data(nlmsg_hdr(msg));

	info->ifi_flags |= IFF_UP;
	info->ifi_change |= IFF_UP;
	return 0;
}

static bool owner_same(const struct tap_config *want, const struct nd_link *have)
{
	return have->tun_owner == TAP_OWNER_UID;
}

static bool persist_same(const struct tap_config *want, const struct nd_link *have)
{
	return !have->tun_persist;
}

/* Plugged into another bridge, or none, it has not been given them: TAP_MASTER says so. */
static bool isolated_same(const struct tap_config *want, const struct nd_link *have)
{
	return !want->master || have->master != want->master || want->isolated == have->br_isolated_port;
}

static int isolated_put(struct nl_msg *msg, const struct tap_config *want)
{
	return nla_put_u8(msg, IFLA_BRPORT_ISOLATED, want->isolated);
}

static bool learning_same(const struct tap_config *want, const struct nd_link *have)
{
	return !want->master || have->master != want->master ||
	       (want->fixed_guest == have->br_learning_off && want->fixed_guest == have->br_flood_off);
}

static int learning_put(struct nl_msg *msg, const struct tap_config *want)
{
	int rc = nla_put_u8(msg, IFLA_BRPORT_LEARNING, !want->fixed_guest);

	return rc < 0 ? rc : nla_put_u8(msg, IFLA_BRPORT_UNICAST_FLOOD, !want->fixed_guest);
}

/* The kernel works through a message in an order of its own, which suits us: MAC, MTU, group, alias, master, up. */
static const struct tap_attr attrs[] = {
	{ TAP_MAC, "MAC", mac_same, mac_put },
	{ TAP_MTU, "MTU", mtu_same, mtu_put },
	{ TAP_GROUP, "group", group_same, group_put },
	{ TAP_ALIAS, "alias", alias_same, alias_put },
	{ TAP_MASTER, "master", master_same, master_put },
	{ TAP_DOWN, "up", up_same, up_put },
	{ TAP_OWNER, "owner", owner_same, NULL },
	{ TAP_PERSIST, "persist", persist_same, NULL },
	{ TAP_ISOLATED, "isolated", isolated_same, isolated_put, true },
	{ TAP_LEARNING, "learning", learning_same, learning_put, true },
};
static_assert(1 << ARRAY_LEN(attrs) == TAP_LEARNING << 1, "one row for each bit of enum tap_diff");
#define TAP_PORT ((unsigned)(TAP_ISOLATED | TAP_LEARNING))
#define TAP_ALL  (~0u & ~TAP_PORT)

unsigned tap_diff(const struct tap_config *want, const struct nd_link *have)
{
	unsigned diff = TAP_SAME;

	for (size_t i = 0; i < ARRAY_LEN(attrs); i++)
		if (!attrs[i].same(want, have))
			diff |= attrs[i].bit;
	return diff;
}

/* index > 0: with index 0 and a group, RTM_NEWLINK would change every link of that group. */
static struct nl_msg *link_message(int ifindex)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST);

	assert(ifindex > 0);
	if (msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_rows(struct nl_msg *msg, const struct tap_config *want, unsigned bits, bool port)
{
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++)
		if ((bits & attrs[i].bit) && attrs[i].put && attrs[i].port == port &&
		    attrs[i].put(msg, want) < 0)
			return -1;
	return 0;
}

/* IFLA_LINKINFO { IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA { rows } } */
static int put_port_rows(struct nl_msg *msg, const struct tap_config *want, unsigned bits)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;

	if (!info || nla_put_string(msg, IFLA_INFO_SLAVE_KIND, "bridge") < 0)
		return -1;
	data = nla_nest_start(msg, IFLA_INFO_SLAVE_DATA);
	if (!data || put_rows(msg, want, bits, true) < 0)
		return -1;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return 0;
}

/* The rows of `bits` in one message; NULL: out of memory. */
static struct nl_msg *attr_message(int ifindex, const struct tap_config *want, unsigned bits)
{
	struct nl_msg *msg = link_message(ifindex);

	if (msg && (put_rows(msg, want, bits, false) < 0 ||
		    (bits & TAP_PORT && put_port_rows(msg, want, bits) < 0))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/* IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_ADDR_GEN_MODE } } */
static struct nl_msg *no_address_message(int ifindex)
{
	struct nl_msg *msg = link_message(ifindex);
	if (!msg)
		return NULL;

	struct nlattr *spec = nla_nest_start(msg, IFLA_AF_SPEC);
	struct nlattr *inet6 = spec ? nla_nest_start(msg, AF_INET6) : NULL;
	if (!inet6 || nla_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, inet6);
	nla_nest_end(msg, spec);
	return msg;
}

static struct nl_msg *no_queue_message(int ifindex)
{
	struct tcmsg tc = { .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWQDISC, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);

	if (msg && (nlmsg_append(msg, &tc, sizeof(tc), NLMSG_ALIGNTO) < 0 ||
		    nla_put_string(msg, TCA_KIND, "noqueue") < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* RTM_SETLINK or RTM_DELLINK of family AF_BRIDGE: IFLA_AF_SPEC { IFLA_BRIDGE_VLAN_INFO … } */
static struct nl_msg *vlan_message(int type, int ifindex, const struct tap_vlan *vlans, size_t cnt)
{
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE, .ifi_index = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST);
	struct nlattr *spec;
	bool ok = msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) == 0 &&
		  (spec = nla_nest_start(msg, IFLA_AF_SPEC));

	for (size_t i = 0; ok && i < cnt; i++) {
		struct bridge_vlan_info v = { .vid = vlans[i].id };

		v.flags = (uint16_t)((vlans[i].pvid ? BRIDGE_VLAN_INFO_PVID : 0) |
				     (vlans[i].untagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0));
		ok = nla_put(msg, IFLA_BRIDGE_VLAN_INFO, sizeof(v), &v) == 0;
	}
	if (ok) {
		nla_nest_end(msg, spec);
		return msg;
	}
	nlmsg_free(msg);
	return NULL;
}

/* The one that a bridge gives each port goes first. */
static int send_vlans(struct nd_nl *nl, int ifindex, const struct tap_config *want, struct nd_error *e)
{
	static const struct tap_vlan given = { .id = VLAN_DEFAULT };
	int rc = want->vlan_cnt ? nd_nl_call(nl, vlan_message(RTM_DELLINK, ifindex, &given, 1), NULL, NULL, e)
				: 0;

	for (size_t i = 0; rc == 0 && i < want->vlan_cnt; i += VLANS_PER_MESSAGE) {
		size_t cnt = want->vlan_cnt - i;

		if (cnt > VLANS_PER_MESSAGE)
			cnt = VLANS_PER_MESSAGE;
		rc = nd_nl_call(nl, vlan_message(RTM_SETLINK, ifindex, want->vlans + i, cnt), NULL, NULL, e);
	}
	if (rc < 0)
		nd_wrap(e, "set VLANs");
	return rc;
}

/* bridge fdb replace MAC dev TAP master static */
static int send_guest(struct nd_nl *nl, int ifindex, const struct tap_config *want, struct nd_error *e)
{
	struct ndmsg nd = { .ndm_family = AF_BRIDGE,
			    .ndm_ifindex = ifindex,
			    .ndm_state = NUD_NOARP,
			    .ndm_flags = NTF_MASTER };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
	int rc;

	if (msg && (nlmsg_append(msg, &nd, sizeof(nd), NLMSG_ALIGNTO) < 0 ||
		    nla_put(msg, NDA_LLADDR, sizeof(want->guest.b), want->guest.b) < 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rc = nd_nl_call(nl, msg, NULL, NULL, e);
	if (rc < 0)
		nd_wrap(e, "tell the bridge the guest's MAC");
	return rc;
}

/* What a new port of the bridge is to be given that others are not. */
static unsigned port_bits(const struct tap_config *want)
{
	if (!want->master)
		return 0;
	return (want->isolated ? TAP_ISOLATED : 0u) | (want->fixed_guest ? TAP_LEARNING : 0u);
}

static bool is_special(const struct tap_config *want)
{
	return want->master && (port_bits(want) || want->vlan_cnt);
}

/* Names in the error what was being set: "set MAC, master: …" */
static void wrap_bits(struct nd_error *e, unsigned bits)
{
	char text[80] = "";
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(attrs); i++)
		if ((bits & attrs[i].bit) && attrs[i].put && used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
						 attrs[i].noun);
	nd_wrap(e, "set %s", text);
}

static int send_attrs(struct nd_nl *nl, int ifindex, const struct tap_config *want, unsigned bits,
		      struct nd_error *e)
{
	int rc = nd_nl_call(nl, attr_message(ifindex, want, bits), NULL, NULL, e);
	if (rc < 0)
		wrap_bits(e, bits);
	return rc;
}

/* After the message that made it a port, and left it down: what it is as one, and up. */
static int finish_port(struct nd_nl *nl, int ifindex, const struct tap_config *want, struct nd_error *e)
{
	int rc = send_vlans(nl, ifindex, want, e);

	if (rc == 0)
		rc = send_attrs(nl, ifindex, want, port_bits(want) | TAP_DOWN, e);
	if (rc == 0 && want->fixed_guest)
		rc = send_guest(nl, ifindex, want, e);
	return rc;
}

/*
 * Kernels without IPv6 or without qdiscs refuse a preparation, which must not matter: they are for speed alone. A batch goes on after
 * a failure but reports only the first one, so the last message is then sent again by itself; it sets values, and may well be repeated.
 */
static int configure(struct nd_nl *nl, int ifindex, const struct tap_config *want, struct nd_error *e)
{
	const unsigned bits = is_special(want) ? TAP_ALL & ~(unsigned)TAP_DOWN : TAP_ALL;
	struct nl_msg *batch[] = { no_address_message(ifindex), no_queue_message(ifindex),
				   attr_message(ifindex, want, bits) };
	const size_t last = ARRAY_LEN(batch) - 1;
	struct nd_error sub = ND_ERROR_INIT;
	size_t failed = 0;

	int rc = nd_nl_batch(nl, batch, ARRAY_LEN(batch), &failed, &sub);
	if (rc < 0 && failed < last) {
		rc = send_attrs(nl, ifindex, want, bits, e);
	} else if (rc < 0) {
		wrap_bits(&sub, bits);
		if (e)
			nd_error_copy(e, &sub);
	}
	return rc == 0 && is_special(want) ? finish_port(nl, ifindex, want, e) : rc;
}

/*
 * Until the owner was set, any local user who may open /dev/net/tun could attach to a multi-queue TAP and would get a share of
 * the guest's frames. From here on nobody can, so counting once is enough.
 */
static int check_queues(struct nd_nl *nl, int ifindex, uint16_t queue_cnt, struct nd_error *e)
{
	struct nd_link link;

	int rc = nd_link_get(nl, ifindex, &link, e);
	if (rc < 0) {
		nd_wrap(e, "count the queues");
		return rc;
	}
	unsigned cnt = (unsigned)link.tun_queues + link.tun_disabled_queues;
	if (cnt != queue_cnt)
		return nd_fail(e, ND_BUSY, "another process attached to it: %u queues, %u are ours", cnt,
			       queue_cnt);
	return 0;
}

static int open_queues(struct nd_nl *nl, const struct tap_config *want, struct tap_handle *h,
		       struct nd_error *e)
{
	unsigned flags = (want->vnet_hdr ? TUN_VNET_HDR : 0) | (want->queue_cnt > 1 ? TUN_MULTI_QUEUE : 0);

	int rc = tun_attach(want->name, flags | TUN_NEW, &h->fds[0], e);
	if (rc < 0)
		return rc;
	h->fd_cnt = 1;
	rc = tun_set_owner(h->fds[0], TAP_OWNER_UID, e);
	if (rc < 0)
		return rc;
	rc = tun_ifindex(nd_nl_fd(nl), want->name, &h->ifindex, e);
	if (rc < 0 || want->queue_cnt == 1)
		return rc;
	for (; h->fd_cnt < want->queue_cnt; h->fd_cnt++) {
		rc = tun_attach(want->name, flags, &h->fds[h->fd_cnt], e);
		if (rc < 0) {
			nd_wrap(e, "queue %u of %u", h->fd_cnt + 1u, want->queue_cnt);
			return rc;
		}
	}
	return check_queues(nl, h->ifindex, want->queue_cnt, e);
}

int tap_open(struct nd_nl *nl, const struct tap_config *want, struct tap_handle *ret, struct nd_error *e)
{
	struct tap_handle h;
	int rc;

	h.fd_cnt = 0;
	if (want->queue_cnt < 1 || want->queue_cnt > TAP_QUEUES_MAX)
		rc = nd_fail(e, ND_INVALID, "%u queues: must be 1 to %d", want->queue_cnt, TAP_QUEUES_MAX);
	else
		rc = open_queues(nl, want, &h, e);
	if (rc == 0)
		rc = configure(nl, h.ifindex, want, e);
	if (rc < 0) {
		tap_handle_close(&h);
		nd_wrap(e, "tap '%s'", want->name);
		return rc;
	}
	nd_strcpy(ret->name, sizeof(ret->name), want->name);
	ret->ifindex = h.ifindex;
	ret->fd_cnt = h.fd_cnt;
	memcpy(ret->fds, h.fds, h.fd_cnt * sizeof(h.fds[0]));
	return 0;
}

void tap_handle_close(struct tap_handle *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < h->fd_cnt; i++)
		nd_closep(&h->fds[i]);
	h->fd_cnt = 0;
}

int tap_restore(struct nd_nl *nl, int ifindex, const struct tap_config *want, unsigned diff,
		struct nd_error *e)
{
	unsigned bits = diff & ~(unsigned)(TAP_OWNER | TAP_PERSIST);
	bool special = diff & TAP_MASTER && is_special(want);
	int rc = 0;

	if (!bits)
		return 0;
	if (special) { /* down, so that no frame passes before it is complete */
		bits &= ~(TAP_PORT | (unsigned)TAP_DOWN);
		rc = nd_link_set_up(nl, ifindex, false, e);
	}
	if (rc == 0)
		rc = send_attrs(nl, ifindex, want, bits, e);
	if (rc == 0 && special)
		rc = finish_port(nl, ifindex, want, e);
	else if (rc == 0 && diff & TAP_LEARNING && want->fixed_guest)
		rc = send_guest(nl, ifindex, want, e);
	if (rc < 0)
		nd_wrap(e, "tap '%s'", want->name);
	return rc;
}

int tap_drain(struct nd_nl *nl, int ifindex, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	struct nl_msg *msg = link_message(ifindex);

	if (msg && (nla_put_u32(msg, IFLA_MASTER, 0) < 0 || nla_put_u8(msg, IFLA_CARRIER, 0) < 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	int rc = nd_nl_call(nl, msg, NULL, NULL, &sub);
	if (rc == 0 || sub.sys == ENODEV)
		return 0;
	nd_wrap(&sub, "drain the tap with index %d", ifindex);
	if (e)
		nd_error_copy(e, &sub);
	return rc;
}

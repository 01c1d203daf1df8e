/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the fake kernel's records as rtnetlink messages: the attributes base/link.c reads, and no others.
 */
#include <assert.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>

#include "base/mem.h"
#include "tests/fake/kernel.h"

static struct nl_msg *new_message(int type, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	assert(msg && nlmsg_append(msg, (void *)header, len, NLMSG_ALIGNTO) == 0);
	return msg;
}

static void put_tun(struct nl_msg *msg, const struct nd_link *l)
{
	if (l->tun_owner != UINT32_MAX)
		nla_put_u32(msg, IFLA_TUN_OWNER, l->tun_owner);
	nla_put_u8(msg, IFLA_TUN_VNET_HDR, l->tun_vnet_hdr);
	nla_put_u8(msg, IFLA_TUN_PERSIST, l->tun_persist);
	nla_put_u8(msg, IFLA_TUN_MULTI_QUEUE, l->tun_multi_queue);
	nla_put_u32(msg, IFLA_TUN_NUM_QUEUES, l->tun_queues);
	nla_put_u32(msg, IFLA_TUN_NUM_DISABLED_QUEUES, l->tun_disabled_queues);
}

static void put_bridge(struct nl_msg *msg, const struct nd_link *l)
{
	nla_put_u32(msg, IFLA_BR_FORWARD_DELAY, l->br_forward_delay_cs);
	nla_put_u32(msg, IFLA_BR_STP_STATE, l->br_stp);
	nla_put_u8(msg, IFLA_BR_VLAN_FILTERING, l->br_vlan_filtering);
}

static const struct {
	const char *name;
	void (*put)(struct nl_msg *msg, const struct nd_link *l); /* NULL: no IFLA_INFO_DATA */
} kinds[] = {
	[ND_LINK_OTHER] = { NULL, NULL },        [ND_LINK_BRIDGE] = { "bridge", put_bridge },
	[ND_LINK_TUN] = { "tun", put_tun },      [ND_LINK_VETH] = { "veth", NULL },
	[ND_LINK_MACVTAP] = { "macvtap", NULL }, [ND_LINK_IFB] = { "ifb", NULL },
};

const char *fake_kind_name(int kind)
{
	return kinds[kind].name;
}

static void put_link_info(struct nl_msg *msg, const struct nd_link *l)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;

	if (kinds[l->kind].name)
		nla_put_string(msg, IFLA_INFO_KIND, kinds[l->kind].name);
	if (kinds[l->kind].put) {
		data = nla_nest_start(msg, IFLA_INFO_DATA);
		kinds[l->kind].put(msg, l);
		nla_nest_end(msg, data);
	}
	if (l->master) {
		nla_put_string(msg, IFLA_INFO_SLAVE_KIND, "bridge");
		data = nla_nest_start(msg, IFLA_INFO_SLAVE_DATA);
		nla_put_u8(msg, IFLA_BRPORT_ISOLATED, l->br_isolated_port);
		nla_put_u8(msg, IFLA_BRPORT_LEARNING, !l->br_learning_off);
		nla_put_u8(msg, IFLA_BRPORT_UNICAST_FLOOD, !l->br_flood_off);
		nla_nest_end(msg, data);
	}
	nla_nest_end(msg, info);
}

struct nl_msg *fake_link_message(int type, const struct nd_link *l)
{
	const struct ifinfomsg ifi = { .ifi_index = l->ifindex, .ifi_flags = l->flags };
	static const struct nd_uuid none;
	struct nl_msg *msg = new_message(type, &ifi, sizeof(ifi));
	char alias[ND_ALIAS_STRLEN];

	nla_put_string(msg, IFLA_IFNAME, l->name);
	nla_put_u32(msg, IFLA_MTU, l->mtu);
	nla_put_u32(msg, IFLA_GROUP, l->group);
	nla_put_u8(msg, IFLA_CARRIER, l->carrier);
	nla_put(msg, IFLA_ADDRESS, sizeof(l->mac.b), l->mac.b);
	if (l->master)
		nla_put_u32(msg, IFLA_MASTER, (uint32_t)l->master);
	if (l->has_alias)
		nla_put_string(msg, IFLA_IFALIAS,
			       nd_alias_format(&l->alias_network,
					       nd_uuid_equal(&l->alias_port, &none) ? NULL : &l->alias_port,
					       alias));
	put_link_info(msg, l);
	return msg;
}

static int ip_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

struct nl_msg *fake_address_message(int type, const struct nd_address *a)
{
	const struct ifaddrmsg ifa = { .ifa_family = a->prefix.ip.family,
				       .ifa_prefixlen = a->prefix.len,
				       .ifa_flags = (uint8_t)a->flags,
				       .ifa_scope = a->scope,
				       .ifa_index = (uint32_t)a->ifindex };
	struct nl_msg *msg = new_message(type, &ifa, sizeof(ifa));

	nla_put(msg, IFA_ADDRESS, ip_len(ifa.ifa_family), a->prefix.ip.b);
	if (ifa.ifa_family == AF_INET)
		nla_put(msg, IFA_LOCAL, 4, a->prefix.ip.b);
	nla_put_u32(msg, IFA_FLAGS, a->flags);
	return msg;
}

struct nl_msg *fake_route_message(int type, const struct nd_route *r)
{
	const struct rtmsg rtm = { .rtm_family = r->dst.ip.family,
				   .rtm_dst_len = r->dst.len,
				   .rtm_table = (uint8_t)(r->table > 255 ? RT_TABLE_COMPAT : r->table),
				   .rtm_protocol = r->protocol,
				   .rtm_scope = r->scope,
				   .rtm_type = r->type,
				   .rtm_flags = r->nh_flags };
	struct nl_msg *msg = new_message(type, &rtm, sizeof(rtm));

	nla_put_u32(msg, RTA_TABLE, r->table);
	if (r->dst.len)
		nla_put(msg, RTA_DST, ip_len(rtm.rtm_family), r->dst.ip.b);
	if (r->oif)
		nla_put_u32(msg, RTA_OIF, (uint32_t)r->oif);
	if (r->gateway.family)
		nla_put(msg, RTA_GATEWAY, ip_len(r->gateway.family), r->gateway.b);
	if (r->metric)
		nla_put_u32(msg, RTA_PRIORITY, r->metric);
	return msg;
}

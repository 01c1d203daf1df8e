/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the requests of NETLINK_ROUTE that netd makes, answered from the fake kernel's state
 *
 * As in the kernel: an alias in a creating RTM_NEWLINK is dropped; a group is deleted by one request. Not as in the kernel: a refused
 * change leaves nothing half done.
 */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <stdarg.h>

#include "base/mem.h"
#include "base/strtab.h"
#include "tests/fake/kernel.h"

#define DUMP_FLAGS(f) (((f)&NLM_F_DUMP) == NLM_F_DUMP)

/* One request while it is answered. text: the kernel's words for a failure. */
struct call {
	const struct nlmsghdr *msg;
	nd_nl_reply_fn on_reply;
	void *arg;
	struct nd_error *e;
	const char *text;
	int code; /* what on_reply returned */
};

/* Each row changes l, a copy, by one attribute, or refuses. */
static int set_mtu(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	uint32_t mtu = nla_get_u32(attr);

	if (mtu < FAKE_MTU_MIN || mtu > FAKE_MTU_MAX) {
		c->text = mtu < FAKE_MTU_MIN ? "mtu less than device minimum"
					     : "mtu greater than device maximum";
		return -EINVAL;
	}
	l->mtu = mtu;
	return 0;
}

static int set_mac(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	struct nd_mac mac;

	if (nla_len(attr) != sizeof(mac.b))
		return -EINVAL;
	memcpy(mac.b, nla_data(attr), sizeof(mac.b));
	if (nd_mac_is_zero(&mac) || nd_mac_is_multicast(&mac))
		return -EADDRNOTAVAIL;
	l->mac = mac;
	return 0;
}

static int set_name(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	const struct nd_link *other = fake_link_find(nla_get_string(attr));

	if (other && other->ifindex != l->ifindex)
		return -EEXIST;
	return nd_strcpy(l->name, sizeof(l->name), nla_get_string(attr)) ? 0 : -ERANGE;
}

static int set_group(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	l->group = nla_get_u32(attr);
	return 0;
}

/* The record has no room for an alias that is not netd's form. */
static int set_alias(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	l->has_alias = nla_len(attr) > 0 &&
		       nd_alias_parse(nla_get_string(attr), &l->alias_network, &l->alias_port) == 0;
	return 0;
}

static int set_master(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	int master = (int)nla_get_u32(attr);
	const struct nd_link *bridge = master ? fake_link_by_index(master) : NULL;

	if (master && (!bridge || l->flags & IFF_LOOPBACK))
		return -EINVAL;
	if (master && bridge->kind != ND_LINK_BRIDGE)
		return -EOPNOTSUPP;
	if (master && l->kind == ND_LINK_BRIDGE) {
		c->text = "Can not enslave a bridge to a bridge";
		return -ELOOP;
	}
	if (master && master != l->master && fake_link_ports(master) >= FAKE_BRIDGE_PORTS_MAX)
		return -EXFULL;
	if (master != l->master)
		l->br_isolated_port = l->br_learning_off = l->br_flood_off = false;
	l->master = master;
	return 0;
}

static int set_carrier(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	if (l->kind != ND_LINK_TUN)
		return -EOPNOTSUPP;
	l->carrier = nla_get_u8(attr) != 0;
	return 0;
}

static int set_bridge_data(struct nd_link *l, struct nlattr *data)
{
	struct nlattr *tb[IFLA_BR_MAX + 1];

	if (nla_parse_nested(tb, IFLA_BR_MAX, data, NULL) < 0)
		return -EINVAL;
	if (tb[IFLA_BR_FORWARD_DELAY]) {
		uint32_t delay = nla_get_u32(tb[IFLA_BR_FORWARD_DELAY]);

		if (l->br_stp && (delay < 200 || delay > 3000))
			return -ERANGE;
		l->br_forward_delay_cs = delay;
	}
	if (tb[IFLA_BR_VLAN_FILTERING] && !fake_kernel.vlan_filtering &&
	    nla_get_u8(tb[IFLA_BR_VLAN_FILTERING]))
		return -EOPNOTSUPP;
	if (tb[IFLA_BR_VLAN_FILTERING])
		l->br_vlan_filtering = nla_get_u8(tb[IFLA_BR_VLAN_FILTERING]) != 0;
	if (tb[IFLA_BR_STP_STATE])
		l->br_stp = nla_get_u32(tb[IFLA_BR_STP_STATE]) != 0;
	if (l->br_stp && l->br_forward_delay_cs < 200)
		l->br_forward_delay_cs = 200;
	if (l->br_stp && l->br_forward_delay_cs > 3000)
		l->br_forward_delay_cs = 3000;
	return 0;
}

static int set_port_data(struct nd_link *l, struct nlattr *data)
{
	struct nlattr *tb[IFLA_BRPORT_MAX + 1];

	if (!l->master || nla_parse_nested(tb, IFLA_BRPORT_MAX, data, NULL) < 0)
		return -EINVAL;
	if (tb[IFLA_BRPORT_ISOLATED])
		l->br_isolated_port = nla_get_u8(tb[IFLA_BRPORT_ISOLATED]) != 0;
	if (tb[IFLA_BRPORT_LEARNING])
		l->br_learning_off = nla_get_u8(tb[IFLA_BRPORT_LEARNING]) == 0;
	if (tb[IFLA_BRPORT_UNICAST_FLOOD])
		l->br_flood_off = nla_get_u8(tb[IFLA_BRPORT_UNICAST_FLOOD]) == 0;
	return 0;
}

static int set_info(struct call *c, struct nd_link *l, struct nlattr *attr)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (nla_parse_nested(tb, IFLA_INFO_MAX, attr, NULL) < 0)
		return -EINVAL;
	if (tb[IFLA_INFO_KIND] && (!fake_kind_name(l->kind) ||
				   strcmp(nla_get_string(tb[IFLA_INFO_KIND]), fake_kind_name(l->kind)) != 0))
		return -EOPNOTSUPP;
	if (tb[IFLA_INFO_SLAVE_DATA])
		return set_port_data(l, tb[IFLA_INFO_SLAVE_DATA]);
	if (tb[IFLA_INFO_DATA])
		return l->kind == ND_LINK_BRIDGE ? set_bridge_data(l, tb[IFLA_INFO_DATA]) : -EOPNOTSUPP;
	return 0;
}

static const struct {
	int type;
	bool when_created; /* looked at in a creating RTM_NEWLINK */
	int (*set)(struct call *c, struct nd_link *l, struct nlattr *attr);
} setters[] = {
	{ IFLA_LINKINFO, true, set_info }, { IFLA_ADDRESS, true, set_mac },
	{ IFLA_MTU, true, set_mtu },       { IFLA_GROUP, true, set_group },
	{ IFLA_IFNAME, true, set_name },   { IFLA_IFALIAS, false, set_alias },
	{ IFLA_MASTER, true, set_master }, { IFLA_CARRIER, false, set_carrier },
};

static int set_all(struct call *c, struct nd_link *l, struct nlattr **tb, bool create)
{
	const struct ifinfomsg *ifi = nlmsg_data(c->msg);
	uint32_t change = ifi->ifi_change ? ifi->ifi_change : ifi->ifi_flags;

	for (size_t i = 0; i < ARRAY_LEN(setters); i++) {
		int rc = 0;

		if (tb[setters[i].type] && (!create || setters[i].when_created))
			rc = setters[i].set(c, l, tb[setters[i].type]);
		if (rc)
			return rc;
	}
	l->flags = (l->flags & ~change) | (ifi->ifi_flags & change);
	return 0;
}

static int change_link(struct call *c, struct nd_link *l, struct nlattr **tb)
{
	struct nd_link was = *l, now = *l;
	int rc = set_all(c, &now, tb, false);

	if (rc)
		return rc;
	*l = now;
	if (was.master && was.master != now.master)
		fake_link_refresh_master(was.master);
	if (was.flags & ~now.flags & IFF_UP)
		fake_link_on_down(l);
	fake_link_changed(l->ifindex);
	if (now.flags & ~was.flags & IFF_UP)
		fake_link_on_up(l);
	return 0;
}

static int create_link(struct call *c, struct nlattr **tb)
{
	const struct ifinfomsg *ifi = nlmsg_data(c->msg);
	struct nlattr *info[IFLA_INFO_MAX + 1] = { NULL };
	struct nd_link l = { .kind = ND_LINK_BRIDGE,
			     .ifindex = ifi->ifi_index,
			     .flags = IFF_BROADCAST | IFF_MULTICAST,
			     .mtu = FAKE_MTU_DEFAULT,
			     .tun_owner = UINT32_MAX,
			     .mac = { { 0x02, 0, 0, 0, 0, (uint8_t)fake_kernel.next_ifindex } },
			     .br_forward_delay_cs = FAKE_DELAY_DEFAULT_CS };
	int rc;

	if (tb[IFLA_LINKINFO])
		nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL);
	if (!info[IFLA_INFO_KIND] || strcmp(nla_get_string(info[IFLA_INFO_KIND]), "bridge") != 0) {
		c->text = "Unknown device type";
		return -EOPNOTSUPP;
	}
	rc = set_all(c, &l, tb, true);
	if (!rc && !l.name[0])
		rc = -EINVAL;
	if (rc)
		return rc;
	rc = fake_link_add(&l);
	return rc < 0 ? rc : 0;
}

/* By index, else by name. */
static struct nd_link *target_link(const struct nlmsghdr *msg, struct nlattr **tb)
{
	const struct ifinfomsg *ifi = nlmsg_data(msg);

	if (ifi->ifi_index > 0)
		return fake_link_by_index(ifi->ifi_index);
	return tb[IFLA_IFNAME] ? fake_link_find(nla_get_string(tb[IFLA_IFNAME])) : NULL;
}

static int parse_link_request(struct call *c, struct nlattr **tb)
{
	return nlmsg_parse((struct nlmsghdr *)c->msg, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) < 0
		       ? -EINVAL
		       : 0;
}

static int on_newlink(struct call *c)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct nd_link *l;

	if (parse_link_request(c, tb))
		return -EINVAL;
	l = target_link(c->msg, tb);
	if (l && c->msg->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	if (l)
		return change_link(c, l, tb);
	return c->msg->nlmsg_flags & NLM_F_CREATE ? create_link(c, tb) : -ENODEV;
}

__attribute__((format(printf, 2, 3))) static void log_bridge(const struct nd_link *l, const char *fmt, ...)
{
	char *log = fake_kernel.bridge_log;
	size_t used = strlen(log), size = sizeof(fake_kernel.bridge_log);
	va_list ap;

	used += (size_t)snprintf(log + used, size - used, "%s: ", l->name);
	va_start(ap, fmt);
	vsnprintf(log + used, size - used, fmt, ap);
	va_end(ap);
}

/* RTM_SETLINK and RTM_DELLINK of family AF_BRIDGE. */
static int change_vlans(struct call *c, bool add)
{
	struct nlattr *tb[IFLA_MAX + 1], *attr;
	struct nd_link *l;
	int left;

	if (parse_link_request(c, tb))
		return -EINVAL;
	l = target_link(c->msg, tb);
	if (!l || !tb[IFLA_AF_SPEC])
		return -ENODEV;
	if (!fake_kernel.vlan_filtering || !l->master)
		return -EOPNOTSUPP;
	nla_for_each_nested(attr, tb[IFLA_AF_SPEC], left)
	{
		const struct bridge_vlan_info *v = nla_data(attr);

		log_bridge(l, "%svlan %u%s%s\n", add ? "" : "no ", v->vid,
			   v->flags & BRIDGE_VLAN_INFO_PVID ? " pvid" : "",
			   v->flags & BRIDGE_VLAN_INFO_UNTAGGED ? " untagged" : "");
	}
	return 0;
}

static bool is_bridge_family(const struct nlmsghdr *msg)
{
	const struct ifinfomsg *ifi = nlmsg_data(msg);

	return ifi->ifi_family == AF_BRIDGE;
}

static int on_newneigh(struct call *c)
{
	const struct ndmsg *nd = nlmsg_data(c->msg);
	struct nlattr *tb[NDA_MAX + 1];
	struct nd_link *l = fake_link_by_index(nd->ndm_ifindex);
	struct nd_mac mac;
	char text[ND_MAC_STRLEN];

	if (nlmsg_parse((struct nlmsghdr *)c->msg, sizeof(*nd), tb, NDA_MAX, NULL) < 0 || !tb[NDA_LLADDR])
		return -EINVAL;
	if (!l || !l->master)
		return -ENODEV;
	memcpy(mac.b, nla_data(tb[NDA_LLADDR]), sizeof(mac.b));
	log_bridge(l, "fdb %s\n", nd_mac_to_string(&mac, text));
	return 0;
}

static int on_setlink(struct call *c)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct nd_link *l;

	if (is_bridge_family(c->msg))
		return change_vlans(c, true);

	if (parse_link_request(c, tb))
		return -EINVAL;
	l = target_link(c->msg, tb);
	return l ? change_link(c, l, tb) : -ENODEV;
}

static int delete_group(uint32_t group)
{
	bool found = false;

	if (group == 0)
		return -EPERM;
	for (size_t i = fake_kernel.link_cnt; i-- > 0;)
		if (i < fake_kernel.link_cnt && fake_kernel.links[i]->group == group) {
			fake_link_del(fake_kernel.links[i]->ifindex);
			found = true;
		}
	return found ? 0 : -ENODEV;
}

static int on_dellink(struct call *c)
{
	const struct ifinfomsg *ifi = nlmsg_data(c->msg);
	struct nlattr *tb[IFLA_MAX + 1];
	struct nd_link *l;

	if (is_bridge_family(c->msg))
		return change_vlans(c, false);
	if (parse_link_request(c, tb))
		return -EINVAL;
	if (ifi->ifi_index <= 0 && !tb[IFLA_IFNAME] && tb[IFLA_GROUP])
		return delete_group(nla_get_u32(tb[IFLA_GROUP]));
	l = target_link(c->msg, tb);
	if (!l)
		return -ENODEV;
	if (l->flags & IFF_LOOPBACK)
		return -EOPNOTSUPP;
	fake_link_del(l->ifindex);
	return 0;
}

/* msg: taken. */
static void reply(struct call *c, struct nl_msg *msg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);

	hdr->nlmsg_seq = c->msg->nlmsg_seq;
	hdr->nlmsg_pid = c->msg->nlmsg_pid;
	if (c->on_reply && !c->code)
		c->code = c->on_reply(hdr, c->arg, c->e);
	nlmsg_free(msg);
}

static int on_getlink(struct call *c)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct nd_link *l;

	if (parse_link_request(c, tb))
		return -EINVAL;
	for (size_t i = 0; DUMP_FLAGS(c->msg->nlmsg_flags) && i < fake_kernel.link_cnt; i++)
		reply(c, fake_link_message(RTM_NEWLINK, fake_kernel.links[i]));
	if (DUMP_FLAGS(c->msg->nlmsg_flags))
		return 0;
	l = target_link(c->msg, tb);
	if (!l)
		return -ENODEV;
	reply(c, fake_link_message(RTM_NEWLINK, l));
	return 0;
}

static int on_newaddr(struct call *c)
{
	struct nd_address a, *have;

	if (nd_address_parse(c->msg, &a, NULL))
		return -EINVAL;
	if (a.prefix.ip.family == AF_INET6 && a.prefix.ip.b[0] == 0xfe && (a.prefix.ip.b[1] & 0xc0) == 0x80)
		a.scope = RT_SCOPE_LINK;
	have = fake_address_find(&a);
	if (!have)
		return fake_address_add(&a);
	if (!(c->msg->nlmsg_flags & NLM_F_REPLACE))
		return -EEXIST;
	fake_address_announce(have);
	return 0;
}

static int on_deladdr(struct call *c)
{
	struct nd_address a;

	if (nd_address_parse(c->msg, &a, NULL))
		return -EINVAL;
	return fake_link_by_index(a.ifindex) ? fake_address_del(&a) : -ENODEV;
}

static int on_getaddr(struct call *c)
{
	for (size_t i = 0; i < fake_kernel.address_cnt; i++)
		reply(c, fake_address_message(RTM_NEWADDR, &fake_kernel.addresses[i]));
	return 0;
}

static int on_newroute(struct call *c)
{
	struct nd_route r;

	if (nd_route_parse(c->msg, &r, NULL))
		return -EINVAL;
	if (r.oif && !fake_link_by_index(r.oif))
		return -ENODEV;
	return fake_route_add(&r);
}

static int on_delroute(struct call *c)
{
	struct nd_route r;

	return nd_route_parse(c->msg, &r, NULL) ? -EINVAL : fake_route_del(&r);
}

static int on_getroute(struct call *c)
{
	for (size_t i = 0; i < fake_kernel.route_cnt; i++)
		reply(c, fake_route_message(RTM_NEWROUTE, &fake_kernel.routes[i]));
	return 0;
}

/* Queueing disciplines are taken and not kept. */
static int on_newqdisc(struct call *c)
{
	const struct tcmsg *tc = nlmsg_data(c->msg);

	return fake_link_by_index(tc->tcm_ifindex) ? 0 : -ENODEV;
}

static const struct {
	uint16_t type;
	const char *name;
	int (*handle)(struct call *c); /* 0 or a negative errno */
} requests[] = {
	{ RTM_NEWLINK, "RTM_NEWLINK", on_newlink },    { RTM_SETLINK, "RTM_SETLINK", on_setlink },
	{ RTM_DELLINK, "RTM_DELLINK", on_dellink },    { RTM_GETLINK, "RTM_GETLINK", on_getlink },
	{ RTM_NEWADDR, "RTM_NEWADDR", on_newaddr },    { RTM_DELADDR, "RTM_DELADDR", on_deladdr },
	{ RTM_GETADDR, "RTM_GETADDR", on_getaddr },    { RTM_NEWROUTE, "RTM_NEWROUTE", on_newroute },
	{ RTM_DELROUTE, "RTM_DELROUTE", on_delroute }, { RTM_GETROUTE, "RTM_GETROUTE", on_getroute },
	{ RTM_NEWQDISC, "RTM_NEWQDISC", on_newqdisc }, { RTM_NEWNEIGH, "RTM_NEWNEIGH", on_newneigh },
};

int fake_request_answer(const struct nlmsghdr *msg, nd_nl_reply_fn on_reply, void *arg, struct nd_error *e)
{
	struct call c = { .msg = msg, .on_reply = on_reply, .arg = arg, .e = e };
	const char *name = "netlink request";
	int (*handle)(struct call *) = NULL;
	int err;

	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		if (requests[i].type == msg->nlmsg_type) {
			name = requests[i].name;
			handle = requests[i].handle;
		}
	if (!fake_fail_now(name, &err, &c.text)) {
		fake_event_cause(msg);
		err = handle ? -handle(&c) : EOPNOTSUPP;
		fake_event_cause(NULL);
	}
	return err ? nd_fail_sys(e, err, c.text, "%s", "") : c.code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what the kernel has of one NIC
 *
 * Dumps are filtered by the kernel where it does that (addresses, routes, next hops and neighbours of one link), so that a host with a full routing table does
 * not pay for it. What is left out: the local table's own routes, which come with the addresses; clones of routes; routes that go by a next hop object, which
 * follow it.
 *
 * Settings below /proc/sys are read where they differ from what a new link gets (conf/default).
 */
#include "base/file.h"
#include "base/link.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "lan/private.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>

/* Not those that say what a router is (the host's own choice per link stays as it is: forwarding), nor the MTU, nor what is moved by itself. */
const char *const lan_sysctl_rows[] = {
	"net/ipv4/conf/%s/accept_local",
	"net/ipv4/conf/%s/accept_redirects",
	"net/ipv4/conf/%s/accept_source_route",
	"net/ipv4/conf/%s/arp_accept",
	"net/ipv4/conf/%s/arp_announce",
	"net/ipv4/conf/%s/arp_evict_nocarrier",
	"net/ipv4/conf/%s/arp_filter",
	"net/ipv4/conf/%s/arp_ignore",
	"net/ipv4/conf/%s/arp_notify",
	"net/ipv4/conf/%s/drop_gratuitous_arp",
	"net/ipv4/conf/%s/forwarding",
	"net/ipv4/conf/%s/ignore_routes_with_linkdown",
	"net/ipv4/conf/%s/log_martians",
	"net/ipv4/conf/%s/promote_secondaries",
	"net/ipv4/conf/%s/proxy_arp",
	"net/ipv4/conf/%s/route_localnet",
	"net/ipv4/conf/%s/rp_filter",
	"net/ipv4/conf/%s/secure_redirects",
	"net/ipv4/conf/%s/send_redirects",
	"net/ipv4/conf/%s/shared_media",
	"net/ipv4/conf/%s/src_valid_mark",
	"net/ipv6/conf/%s/disable_ipv6",
	"net/ipv6/conf/%s/forwarding",
	"net/ipv6/conf/%s/accept_ra",
	"net/ipv6/conf/%s/accept_ra_defrtr",
	"net/ipv6/conf/%s/accept_ra_from_local",
	"net/ipv6/conf/%s/accept_ra_min_hop_limit",
	"net/ipv6/conf/%s/accept_ra_min_lft",
	"net/ipv6/conf/%s/accept_ra_mtu",
	"net/ipv6/conf/%s/accept_ra_pinfo",
	"net/ipv6/conf/%s/accept_ra_rt_info_max_plen",
	"net/ipv6/conf/%s/accept_ra_rt_info_min_plen",
	"net/ipv6/conf/%s/accept_ra_rtr_pref",
	"net/ipv6/conf/%s/accept_redirects",
	"net/ipv6/conf/%s/accept_source_route",
	"net/ipv6/conf/%s/accept_untracked_na",
	"net/ipv6/conf/%s/autoconf",
	"net/ipv6/conf/%s/dad_transmits",
	"net/ipv6/conf/%s/hop_limit",
	"net/ipv6/conf/%s/ignore_routes_with_linkdown",
	"net/ipv6/conf/%s/max_addresses",
	"net/ipv6/conf/%s/ndisc_notify",
	"net/ipv6/conf/%s/optimistic_dad",
	"net/ipv6/conf/%s/proxy_ndp",
	"net/ipv6/conf/%s/ra_defrtr_metric",
	"net/ipv6/conf/%s/router_solicitations",
	"net/ipv6/conf/%s/suppress_frag_ndisc",
	"net/ipv6/conf/%s/temp_prefered_lft",
	"net/ipv6/conf/%s/temp_valid_lft",
	"net/ipv6/conf/%s/use_oif_addrs_only",
	"net/ipv6/conf/%s/use_optimistic",
	"net/ipv6/conf/%s/use_tempaddr",
};
const size_t lan_sysctl_row_cnt = ARRAY_LEN(lan_sysctl_rows);

void lan_fill(char *buf, size_t size, const char *text, const char *first, const char *second)
{
	const char *at = strstr(text, "%s"), *next = at ? strstr(at + 2, "%s") : NULL;
	if (!at)
		snprintf(buf, size, "%s", text);
	else if (!next || !second)
		snprintf(buf, size, "%.*s%s%s", (int)(at - text), text, first, at + 2);
	else
		snprintf(buf, size, "%.*s%s%.*s%s%s", (int)(at - text), text, first, (int)(next - at - 2),
			 at + 2, second, next + 2);
}

void lan_snapshot_free(struct lan_snapshot *s)
{
	if (!s)
		return;
	lan_messages_done(&s->addresses);
	lan_messages_done(&s->routes);
	lan_messages_done(&s->nexthops);
	lan_messages_done(&s->rules);
	lan_messages_done(&s->neighbours);
	free(s->sysctls);
	free(s);
}

static void copy_text(char *dst, size_t size, const struct nlattr *a)
{
	if (a)
		nd_strcpyn(dst, size, nla_data(a), strnlen(nla_data(a), (size_t)nla_len(a)));
}

static void read_kind(const struct nlattr *info, char *kind, size_t size)
{
	if (info)
		copy_text(kind, size, nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND));
}

static bool is_upper(const char *kind)
{
	return !strcmp(kind, "macvlan") || !strcmp(kind, "macvtap") || !strcmp(kind, "ipvlan") ||
	       !strcmp(kind, "ipvtap");
}

static struct nlattr *link_attr(const struct nlmsghdr *msg, int type)
{
	return nlmsg_find_attr((struct nlmsghdr *)msg, sizeof(struct ifinfomsg), type);
}

static void note_port(struct lan_snapshot *s, const char *name)
{
	size_t at = strlen(s->port_names);
	snprintf(s->port_names + at, sizeof s->port_names - at, "%s%s", at ? ", " : "", name);
	s->port_cnt++;
}

/* Any link: it may be the NIC's upper or, of a bridge, its port. */
static int on_any_link(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct lan_snapshot *s = arg;
	const struct ifinfomsg *ifi = NLMSG_DATA(msg);
	const struct nlattr *lower = link_attr(msg, IFLA_LINK), *master = link_attr(msg, IFLA_MASTER);
	char kind[sizeof s->kind] = "", name[ND_IFNAMSIZ] = "";
	if (msg->nlmsg_type != RTM_NEWLINK || ifi->ifi_family != AF_UNSPEC)
		return 0;
	if (ifi->ifi_index >= s->free_ifindex)
		s->free_ifindex = ifi->ifi_index + 1;
	copy_text(name, sizeof name, link_attr(msg, IFLA_IFNAME));
	read_kind(link_attr(msg, IFLA_LINKINFO), kind, sizeof kind);
	if (lower && (int)nla_get_u32(lower) == s->ifindex && is_upper(kind) && !s->upper[0]) {
		nd_strcpy(s->upper, sizeof s->upper, name);
		nd_strcpy(s->upper_kind, sizeof s->upper_kind, kind);
	}
	if (master && (int)nla_get_u32(master) == s->ifindex)
		note_port(s, name);
	if (ifi->ifi_index == s->master)
		nd_strcpy(s->master_name, sizeof s->master_name, name);
	return 0;
}

static int on_link(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct lan_snapshot *s = arg;
	const struct ifinfomsg *ifi = NLMSG_DATA(msg);
	const struct nlattr *a;
	struct nd_link l;
	int r = nd_link_parse(msg, &l, e);
	if (r < 0)
		return r;
	s->ifindex = l.ifindex;
	s->master = l.master;
	s->flags = l.flags;
	s->mtu = l.mtu;
	s->mac = l.mac;
	s->hw_type = ifi->ifi_type;
	s->is_netd = l.has_alias || l.group == ND_GROUP_LIVE || l.group == ND_GROUP_DEAD;
	nd_strcpy(s->name, sizeof s->name, l.name);
	read_kind(link_attr(msg, IFLA_LINKINFO), s->kind, sizeof s->kind);
	a = link_attr(msg, IFLA_IFALIAS);
	copy_text(s->alias, sizeof s->alias, a);
	return 0;
}

static int read_links(struct nd_nl *nl, const char *ifname, struct lan_snapshot *s, struct nd_error *e)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *one = nlmsg_alloc_simple(RTM_GETLINK, 0),
		      *all = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP);
	struct nd_error failed = ND_ERROR_INIT;
	int r = !one || !all || nlmsg_append(one, &ifi, sizeof ifi, NLMSG_ALIGNTO) < 0 ||
		nla_put_string(one, IFLA_IFNAME, ifname) < 0 ||
		nlmsg_append(all, &ifi, sizeof ifi, NLMSG_ALIGNTO) < 0;
	if (r) {
		nlmsg_free(one);
		nlmsg_free(all);
		return nd_fail(e, ND_MEMORY, "links");
	}
	r = nd_nl_call(nl, one, on_link, s, &failed);
	if (r < 0 || !s->ifindex) {
		nlmsg_free(all);
		if (failed.sys == ENODEV || r == 0)
			return nd_fail(e, ND_NOT_FOUND, "there is no interface '%s'", ifname);
		nd_error_copy(e, &failed);
		return nd_wrap_code(e, r, "interface '%s'", ifname);
	}
	r = nd_nl_call(nl, all, on_any_link, s, e);
	return r < 0 ? nd_wrap_code(e, r, "links") : 0;
}

/* ---- what is on it ---- */

struct reading {
	struct lan_snapshot *s;
	struct lan_messages *into;
	bool (*wanted)(const struct lan_snapshot *s, const struct lan_message *m);
};

static bool address_wanted(const struct lan_snapshot *s, const struct lan_message *m)
{
	return ((const struct ifaddrmsg *)m->data)->ifa_index == (unsigned)s->ifindex;
}

static bool uses_link(const struct lan_snapshot *s, const struct lan_message *m)
{
	const struct nlattr *oif = lan_message_attr(m, RTA_OIF), *multi = lan_message_attr(m, RTA_MULTIPATH);
	if (oif && nla_len(oif) >= 4 && (int)nla_get_u32(oif) == s->ifindex)
		return true;
	for (int left = multi ? nla_len(multi) : 0, at = 0; left >= (int)sizeof(struct rtnexthop);) {
		const struct rtnexthop *hop = (const void *)((const char *)nla_data(multi) + at);
		if (hop->rtnh_len < sizeof *hop)
			break;
		if (hop->rtnh_ifindex == s->ifindex)
			return true;
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
		at += (int)RTNH_ALIGN(hop->rtnh_len);
	}
	return false;
}

static bool route_wanted(const struct lan_snapshot *s, const struct lan_message *m)
{
	const struct rtmsg *h = (const void *)m->data;
	const struct nlattr *table = lan_message_attr(m, RTA_TABLE);
	uint32_t id = table && nla_len(table) >= 4 ? nla_get_u32(table) : h->rtm_table;
	if (h->rtm_flags & RTM_F_CLONED || (id == RT_TABLE_LOCAL && h->rtm_protocol == RTPROT_KERNEL))
		return false;
	return !lan_message_attr(m, RTA_NH_ID) && uses_link(s, m);
}

static bool nexthop_wanted(const struct lan_snapshot *s, const struct lan_message *m)
{
	const struct nlattr *oif = lan_message_attr(m, NHA_OIF);
	return oif && nla_len(oif) >= 4 && (int)nla_get_u32(oif) == s->ifindex;
}

static bool names_link(const struct lan_snapshot *s, const struct nlattr *a)
{
	char name[ND_IFNAMSIZ] = "";
	copy_text(name, sizeof name, a);
	return a && !strcmp(name, s->name);
}

static bool rule_wanted(const struct lan_snapshot *s, const struct lan_message *m)
{
	return names_link(s, lan_message_attr(m, FRA_IIFNAME)) ||
	       names_link(s, lan_message_attr(m, FRA_OIFNAME));
}

static bool neighbour_wanted(const struct lan_snapshot *s, const struct lan_message *m)
{
	const struct ndmsg *h = (const void *)m->data;
	return h->ndm_ifindex == s->ifindex && lan_message_attr(m, NDA_LLADDR) &&
	       lan_message_attr(m, NDA_DST) &&
	       h->ndm_state & (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE);
}

static int on_message(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct reading *g = arg;
	if (lan_messages_add(g->into, msg, e) < 0)
		return e ? e->code : ND_MEMORY;
	struct lan_message *m = &g->into->list[g->into->cnt - 1];
	if (!g->wanted(g->s, m)) { /* one that comes twice, of a dump begun again, does no harm */
		free(m->data);
		g->into->cnt--;
	}
	return 0;
}

struct dump {
	uint16_t type;
	int family;
	size_t header;
	int filter, index_at; /* attribute with the link's index; byte of the header with it; -1: none */
	size_t into;
	bool (*wanted)(const struct lan_snapshot *s, const struct lan_message *m);
	bool may_lack; /* kernels without it */
};
#define INTO(list) offsetof(struct lan_snapshot, list)
static const struct dump dumps[] = {
	{ RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg), -1, offsetof(struct ifaddrmsg, ifa_index),
	  INTO(addresses), address_wanted, false },
	{ RTM_GETADDR, AF_INET6, sizeof(struct ifaddrmsg), -1, offsetof(struct ifaddrmsg, ifa_index),
	  INTO(addresses), address_wanted, true },
	{ RTM_GETROUTE, AF_INET, sizeof(struct rtmsg), RTA_OIF, -1, INTO(routes), route_wanted, false },
	{ RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg), RTA_OIF, -1, INTO(routes), route_wanted, true },
	{ RTM_GETNEXTHOP, AF_UNSPEC, sizeof(struct nhmsg), NHA_OIF, -1, INTO(nexthops), nexthop_wanted,
	  true },
	{ RTM_GETRULE, AF_INET, sizeof(struct fib_rule_hdr), -1, -1, INTO(rules), rule_wanted, true },
	{ RTM_GETRULE, AF_INET6, sizeof(struct fib_rule_hdr), -1, -1, INTO(rules), rule_wanted, true },
	{ RTM_GETNEIGH, AF_INET, sizeof(struct ndmsg), NDA_IFINDEX, -1, INTO(neighbours), neighbour_wanted,
	  true },
	{ RTM_GETNEIGH, AF_INET6, sizeof(struct ndmsg), NDA_IFINDEX, -1, INTO(neighbours), neighbour_wanted,
	  true },
};

static int read_dump(struct nd_nl *nl, const struct dump *d, struct lan_snapshot *s, struct nd_error *e)
{
	struct nl_msg *msg = nlmsg_alloc_simple(d->type, NLM_F_DUMP);
	uint8_t header[32] = { (uint8_t)d->family };
	struct nd_error failed = ND_ERROR_INIT;
	struct reading g = { s, (struct lan_messages *)((char *)s + d->into), d->wanted };
	if (d->index_at >= 0)
		memcpy(header + d->index_at, &s->ifindex, sizeof s->ifindex);
	if (!msg || nlmsg_append(msg, header, d->header, NLMSG_ALIGNTO) < 0 ||
	    (d->filter >= 0 && nla_put_u32(msg, d->filter, (uint32_t)s->ifindex) < 0)) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "dump");
	}
	int r = nd_nl_call(nl, msg, on_message, &g, &failed);
	if (r == 0 || (d->may_lack && (failed.sys == EOPNOTSUPP || failed.sys == EAFNOSUPPORT)))
		return 0;
	if (failed.sys == ENOENT) /* a filter that finds no table */
		return 0;
	nd_error_copy(e, &failed);
	return nd_wrap_code(e, r, "what '%s' has (%u)", s->name, d->type);
}

/* ---- settings ---- */

static void read_key(const char *row, const char *name, char *buf, size_t size)
{
	char key[96];
	lan_fill(key, sizeof key, row, name, NULL);
	if (nd_sysctl_read(key, buf, size, NULL) < 0)
		buf[0] = '\0';
}

static int read_sysctls(struct lan_snapshot *s, struct nd_error *e)
{
	s->sysctls = calloc(lan_sysctl_row_cnt, sizeof *s->sysctls);
	if (!s->sysctls)
		return nd_fail(e, ND_MEMORY, "settings");
	for (size_t i = 0; i < lan_sysctl_row_cnt; i++) {
		char normal[64];
		read_key(lan_sysctl_rows[i], s->name, s->sysctls[i], sizeof s->sysctls[i]);
		read_key(lan_sysctl_rows[i], "default", normal, sizeof normal);
		if (!strcmp(normal, s->sysctls[i]))
			s->sysctls[i][0] = '\0';
	}
	read_key("net/ipv6/conf/%s/addr_gen_mode", s->name, s->addr_gen_mode, sizeof s->addr_gen_mode);
	read_key("net/ipv6/conf/%s/stable_secret", s->name, s->stable_secret, sizeof s->stable_secret);
	return 0;
}

static bool ends(const struct lan_message *m)
{
	const struct nlattr *a = lan_message_attr(m, IFA_CACHEINFO);
	const struct ifa_cacheinfo *c = a ? nla_data(a) : NULL;
	return !lan_message_is_ip6(m) && a && nla_len(a) >= (int)sizeof *c && c->ifa_valid != UINT32_MAX;
}

int lan_snapshot_take(struct nd_nl *nl, const char *ifname, struct lan_snapshot **ret, struct nd_error *e)
{
	nd_cleanup(lan_snapshot_freep) struct lan_snapshot *s = calloc(1, sizeof *s);
	if (!s)
		return nd_fail(e, ND_MEMORY, "interface '%s'", ifname);
	int r = read_links(nl, ifname, s, e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(dumps); i++)
		r = read_dump(nl, &dumps[i], s, e);
	if (r == 0)
		r = read_sysctls(s, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->addresses.cnt; i++)
		s->dynamic |= ends(&s->addresses.list[i]);
	*ret = take_ptr(s);
	return 0;
}

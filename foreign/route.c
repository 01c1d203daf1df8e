// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: how the host routes an address (see route.h). Source: uapi linux/rtnetlink.h. */
#include "foreign/route.h"
#include "base/mem.h"
#include "base/strtab.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>

static void take_ip(struct nd_ip *ip, uint8_t family, const struct nlattr *a)
{
	size_t len = family == AF_INET6 ? 16 : 4;

	if (!a || (size_t)nla_len(a) < len)
		return;
	ip->family = family;
	memcpy(ip->b, nla_data(a), len);
}

static int on_route(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct foreign_route *r = arg;
	struct nlattr *tb[RTA_MAX + 1], *metrics[RTAX_MAX + 1];
	const struct rtmsg *rt = nlmsg_data(msg);

	if (msg->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)msg, sizeof(*rt), tb, RTA_MAX, NULL) < 0)
		return 0;
	r->type = rt->rtm_type;
	r->table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rt->rtm_table;
	if (tb[RTA_OIF])
		r->oifindex = (int)nla_get_u32(tb[RTA_OIF]);
	if (r->oifindex && !if_indextoname((unsigned)r->oifindex, r->oif))
		r->oif[0] = '\0';
	take_ip(&r->gateway, rt->rtm_family, tb[RTA_GATEWAY]);
	take_ip(&r->prefsrc, rt->rtm_family, tb[RTA_PREFSRC]);
	if (tb[RTA_METRICS] && nla_parse_nested(metrics, RTAX_MAX, tb[RTA_METRICS], NULL) == 0 &&
	    metrics[RTAX_MTU])
		r->mtu = nla_get_u32(metrics[RTAX_MTU]);
	return 0;
}

int foreign_route_get(struct nd_nl *nl, const struct nd_ip *to, const struct nd_ip *from, const char *iif,
		      struct foreign_route *ret, struct nd_error *e)
{
	size_t len = to->family == AF_INET6 ? 16 : 4;
	struct rtmsg rt = { .rtm_family = to->family, .rtm_dst_len = (uint8_t)(len * 8) };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	struct nd_error failed = ND_ERROR_INIT;
	char text[ND_IP_STRLEN];
	unsigned index = iif[0] ? if_nametoindex(iif) : 0;

	*ret = (struct foreign_route){ .type = 0 };
	if (from->family)
		rt.rtm_src_len = rt.rtm_dst_len;
	if (!msg || nlmsg_append(msg, &rt, sizeof(rt), NLMSG_ALIGNTO) < 0 ||
	    nla_put(msg, RTA_DST, (int)len, to->b) < 0 ||
	    (from->family && nla_put(msg, RTA_SRC, (int)len, from->b) < 0) ||
	    (index && nla_put_u32(msg, RTA_IIF, index) < 0)) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "route");
	}
	if (nd_nl_call(nl, msg, on_route, ret, &failed) == 0 && ret->type)
		return 0;
	if (failed.sys == ENETUNREACH || failed.sys == EHOSTUNREACH || failed.sys == EACCES || !failed.sys)
		return nd_fail(e, ND_NOT_FOUND, "no route to %s", nd_ip_to_string(to, text));
	if (e)
		nd_error_copy(e, &failed);
	return nd_wrap_code(e, failed.code, "route to %s", nd_ip_to_string(to, text));
}

static bool routes_type(void *arg, const struct nd_ip *ip, uint32_t *ret_rtn)
{
	struct nd_ip none = { .family = 0 };
	struct foreign_route r;

	if (ip->family == AF_INET && ip->b[0] >= 224 && ip->b[0] < 240) {
		*ret_rtn = RTN_MULTICAST;
		return true;
	}
	if (foreign_route_get(arg, ip, &none, "", &r, NULL) < 0)
		return false;
	*ret_rtn = r.type;
	return true;
}

static bool routes_oif(void *arg, const struct nd_ip *ip, const char *iif, int *ret_ifindex,
		       char ret_name[ND_IFNAMSIZ])
{
	struct nd_ip none = { .family = 0 };
	struct foreign_route r;

	*ret_ifindex = 0;
	ret_name[0] = '\0';
	if (foreign_route_get(arg, ip, &none, iif, &r, NULL) < 0)
		return true; /* none */
	*ret_ifindex = r.oifindex;
	nd_strcpy(ret_name, ND_IFNAMSIZ, r.oif);
	return true;
}

struct foreign_routes foreign_routes(struct nd_nl *nl)
{
	return (struct foreign_routes){ .type = routes_type, .oif = routes_oif, .arg = nl };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: static routes through a guest
 *
 * Compare, sweep, add, as with addresses. The routes of a bridge are known by its index and by ND_ROUTE_PROTOCOL; those that others lead over it
 * stay. They go with the bridge, and the kernel drops IPv4 ones with a bridge that is taken down, without a word. NLM_F_EXCL: a route to the same
 * place with the same metric is somebody's, and is not replaced.
 * Source: rtnetlink(7).
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "base/mem.h"
#include "bridge/bridge.h"

static bool is_same(const struct bridge_route *want, const struct nd_route *have)
{
	return nd_prefix_equal(&want->dst, &have->dst) && nd_ip_equal(&want->gateway, &have->gateway) &&
	       want->metric == have->metric && have->table == RT_TABLE_MAIN;
}

static bool holds(const struct nd_route *have, size_t have_cnt, const struct bridge_route *want)
{
	for (size_t i = 0; i < have_cnt; i++)
		if (is_same(want, &have[i]))
			return true;
	return false;
}

static bool is_stray(const struct bridge_config *want, const struct nd_route *have)
{
	for (size_t i = 0; i < want->route_cnt; i++)
		if (is_same(&want->routes[i], have))
			return false;
	return true;
}

/* Return: NULL on ENOMEM. */
static struct nl_msg *new_request(int type, int flags, int ifindex, const struct bridge_route *r,
				  uint32_t table)
{
	size_t len = r->dst.ip.family == AF_INET ? 4 : 16;
	const struct rtmsg rtm = { .rtm_family = r->dst.ip.family,
				   .rtm_dst_len = r->dst.len,
				   .rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC,
				   .rtm_protocol = ND_ROUTE_PROTOCOL,
				   .rtm_scope = RT_SCOPE_UNIVERSE,
				   .rtm_type = RTN_UNICAST };
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)&rtm, sizeof(rtm), NLMSG_ALIGNTO) == 0 &&
	    nla_put(msg, RTA_DST, (int)len, r->dst.ip.b) == 0 &&
	    nla_put(msg, RTA_GATEWAY, (int)len, r->gateway.b) == 0 &&
	    nla_put_u32(msg, RTA_OIF, (uint32_t)ifindex) == 0 &&
	    nla_put_u32(msg, RTA_PRIORITY, r->metric) == 0 && nla_put_u32(msg, RTA_TABLE, table) == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int wrap(struct nd_error *e, const char *verb, const struct bridge_route *r)
{
	char dst[ND_PREFIX_STRLEN], gateway[ND_IP_STRLEN];

	return nd_wrap(e, "%s route %s via %s", verb, nd_prefix_to_string(&r->dst, dst),
		       nd_ip_to_string(&r->gateway, gateway));
}

/* One that is gone already is as good. */
static int delete_stray(struct nd_nl *nl, int ifindex, const struct nd_route *have, struct nd_error *e)
{
	const struct bridge_route r = { .dst = have->dst, .gateway = have->gateway, .metric = have->metric };
	struct nd_error sub = ND_ERROR_INIT;
	int rc = nd_nl_call(nl, new_request(RTM_DELROUTE, 0, ifindex, &r, have->table), NULL, NULL, &sub);

	if (!rc || sub.sys == ESRCH)
		return 0;
	wrap(&sub, "delete", &r);
	if (e)
		nd_error_copy(e, &sub);
	return rc;
}

bool bridge_route_same(const struct bridge_config *want, const struct nd_route *have, size_t have_cnt)
{
	for (size_t i = 0; i < have_cnt; i++)
		if (is_stray(want, &have[i]))
			return false;
	for (size_t i = 0; i < want->route_cnt; i++)
		if (!holds(have, have_cnt, &want->routes[i]))
			return false;
	return true;
}

int bridge_route_apply(struct nd_nl *nl, int ifindex, const struct bridge_config *want,
		       const struct nd_route *have, size_t have_cnt, struct nd_error *e)
{
	int rc;

	for (size_t i = 0; i < have_cnt; i++) {
		rc = is_stray(want, &have[i]) ? delete_stray(nl, ifindex, &have[i], e) : 0;
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < want->route_cnt; i++) {
		if (holds(have, have_cnt, &want->routes[i]))
			continue;
		rc = nd_nl_call(nl,
				new_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ifindex,
					    &want->routes[i], RT_TABLE_MAIN),
				NULL, NULL, e);
		if (rc) {
			wrap(e, "add", &want->routes[i]);
			return rc;
		}
	}
	return 0;
}

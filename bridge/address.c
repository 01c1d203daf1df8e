/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the addresses of a bridge: compare, sweep, add
 *
 * Strays go first, then what is missing comes, one request each (0.02 ms). With the primary IPv4 address of a subnet the kernel
 * deletes its secondaries too (unless promote_secondaries is set), and ours may be one of them: after a stray IPv4 address all of ours are
 * sent again, which changes nothing where they are still there (NLM_F_REPLACE).
 * What is not of AF_INET or global AF_INET6 scope is the kernel's: the link-local address stays.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "base/mem.h"
#include "bridge/bridge.h"

#define IP4_BROADCAST_LEN_MAX 30 /* RFC 3021: a /31 has no broadcast address, nor has a /32 */

static bool holds(const struct nd_address *have, size_t have_cnt, const struct nd_prefix *prefix)
{
	for (size_t i = 0; i < have_cnt; i++)
		if (nd_prefix_equal(&have[i].prefix, prefix))
			return true;
	return false;
}

static bool is_stray(const struct bridge_config *want, const struct nd_address *a)
{
	if (a->prefix.ip.family == AF_INET6 && a->scope == RT_SCOPE_LINK)
		return false;
	for (size_t i = 0; i < want->address_cnt; i++)
		if (nd_prefix_equal(&want->addresses[i], &a->prefix))
			return false;
	return true;
}

static int put_broadcast(struct nl_msg *msg, const struct nd_prefix *p)
{
	struct nd_ip broadcast = nd_ip_from_ip4(nd_ip_to_ip4(&p->ip) | ~nd_ip4_mask(p->len));

	return p->len > IP4_BROADCAST_LEN_MAX ? 0 : nla_put(msg, IFA_BROADCAST, 4, broadcast.b);
}

/* Return: NULL on ENOMEM. */
static struct nl_msg *new_request(int type, int flags, int ifindex, const struct nd_prefix *p)
{
	bool ip4 = p->ip.family == AF_INET;
	const struct ifaddrmsg ifa = { .ifa_family = p->ip.family,
				       .ifa_prefixlen = p->len,
				       .ifa_flags = ip4 ? 0 : IFA_F_NODAD,
				       .ifa_scope = RT_SCOPE_UNIVERSE,
				       .ifa_index = (uint32_t)ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)&ifa, sizeof(ifa), NLMSG_ALIGNTO) == 0 &&
	    nla_put(msg, IFA_LOCAL, ip4 ? 4 : 16, p->ip.b) == 0 &&
	    nla_put(msg, IFA_ADDRESS, ip4 ? 4 : 16, p->ip.b) == 0 &&
	    (!ip4 || type != RTM_NEWADDR || put_broadcast(msg, p) == 0))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int add(struct nd_nl *nl, int ifindex, const struct nd_prefix *p, struct nd_error *e)
{
	char text[ND_PREFIX_STRLEN];
	int rc = nd_nl_call(nl, new_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, p), NULL,
			    NULL, e);

	if (rc)
		nd_wrap(e, "add address %s", nd_prefix_to_string(p, text));
	return rc;
}

/* Gone already is success: the caller's records may be older than the kernel's. */
static int delete_address(struct nd_nl *nl, int ifindex, const struct nd_prefix *p, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	char text[ND_PREFIX_STRLEN];
	int rc = nd_nl_call(nl, new_request(RTM_DELADDR, 0, ifindex, p), NULL, NULL, &sub);

	if (!rc || sub.sys == EADDRNOTAVAIL)
		return 0;
	nd_wrap(&sub, "delete address %s", nd_prefix_to_string(p, text));
	if (e)
		nd_error_copy(e, &sub);
	return rc;
}

/* lacking: the family of which addresses may be missing. */
static bool same_but(const struct bridge_config *want, const struct nd_address *have, size_t have_cnt,
		     int lacking)
{
	for (size_t i = 0; i < have_cnt; i++)
		if (is_stray(want, &have[i]))
			return false;
	for (size_t i = 0; i < want->address_cnt; i++)
		if (want->addresses[i].ip.family != lacking && !holds(have, have_cnt, &want->addresses[i]))
			return false;
	return true;
}

bool bridge_address_same(const struct bridge_config *want, const struct nd_address *have, size_t have_cnt)
{
	return same_but(want, have, have_cnt, AF_UNSPEC);
}

bool bridge_address_pending(const struct bridge_config *want, const struct nd_address *have, size_t have_cnt)
{
	return same_but(want, have, have_cnt, AF_INET6);
}

int bridge_address_apply(struct nd_nl *nl, int ifindex, const struct bridge_config *want,
			 const struct nd_address *have, size_t have_cnt, struct nd_error *e)
{
	bool again_ip4 = false;
	int rc = 0;

	for (size_t i = 0; !rc && i < have_cnt; i++)
		if (is_stray(want, &have[i])) {
			rc = delete_address(nl, ifindex, &have[i].prefix, e);
			again_ip4 = again_ip4 || have[i].prefix.ip.family == AF_INET;
		}
	for (size_t i = 0; !rc && i < want->address_cnt; i++) {
		const struct nd_prefix *p = &want->addresses[i];

		if (!holds(have, have_cnt, p) || (again_ip4 && p->ip.family == AF_INET))
			rc = add(nl, ifindex, p, e);
	}
	return rc;
}

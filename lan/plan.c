// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: which steps, in which order; pure
 *
 * The order keeps connections alive: each address is on two links for some microseconds and on none at no time.
 *
 * - The NIC goes into the bridge while that is down, and the bridge comes up with a port that has carrier: then its queue is active at once. The other way
 *   round it would be a turn of the kernel's link watcher later.
 * - From there frames come in by the bridge; the addresses are local still, on the NIC, so they are answered. Frames go out by the NIC's routes, and by the
 *   bridge's as soon as they are there.
 * - Addresses, then routes (those to links before those to gateways, which need them), next hop objects, rules come to the new link; then rules, routes,
 *   addresses leave the old one. IPv6 addresses come without detection of duplicates.
 * - Routes are appended beside the old ones, never put in their place: two links may have a route of the same prefix and metric. The exception is a multipath
 *   route of IPv6, whose next hops the kernel would merge: it is replaced.
 *
 * The undo of a step is done with the same rules, last step first, so the way back is as smooth.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "lan/private.h"
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <stdarg.h>

#define GEN_MODE_NONE "1" /* IN6_ADDR_GEN_MODE_NONE */

void lan_steps_clear(struct lan_record *r)
{
	for (size_t i = 0; i < r->step_cnt; i++) {
		free(r->steps[i].what);
		lan_op_done(&r->steps[i].make);
		lan_op_done(&r->steps[i].undo);
	}
	free(r->steps);
	r->steps = NULL;
	r->step_cnt = 0;
}

/* make, undo: taken; may be NULL. */
int lan_step_add(struct lan_record *r, struct lan_op *make, struct lan_op *undo, struct nd_error *e,
		 const char *fmt, ...)
{
	struct lan_step step = { .make = make ? *make : (struct lan_op){ 0 },
				 .undo = undo ? *undo : (struct lan_op){ 0 } };
	struct lan_step *steps = r->steps;
	va_list ap;
	va_start(ap, fmt);
	int len = vasprintf(&step.what, fmt, ap);
	va_end(ap);
	if ((r->step_cnt & (r->step_cnt - 1)) == 0) /* grows at powers of two */
		steps = realloc(r->steps, (r->step_cnt ? 2 * r->step_cnt : 1) * sizeof *steps);
	if (steps)
		r->steps = steps;
	if (len >= 0 && steps) {
		r->steps[r->step_cnt++] = step;
		return 0;
	}
	if (len >= 0)
		free(step.what);
	lan_op_done(&step.make);
	lan_op_done(&step.undo);
	return nd_fail(e, ND_MEMORY, "steps");
}

int lan_note(struct lan_record *r, struct nd_error *e, const char *fmt, ...)
{
	size_t cnt = 0;
	va_list ap;
	while (r->notes && r->notes[cnt])
		cnt++;
	char **notes = realloc(r->notes, (cnt + 2) * sizeof *notes);
	if (!notes)
		return nd_fail(e, ND_MEMORY, "notes");
	r->notes = notes;
	va_start(ap, fmt);
	int len = vasprintf(&notes[cnt], fmt, ap);
	va_end(ap);
	notes[len < 0 ? cnt : cnt + 1] = NULL;
	return len < 0 ? nd_fail(e, ND_MEMORY, "notes") : 0;
}

/* ---- links ---- */

static struct nl_msg *link_message(uint16_t type, uint16_t flags, int ifindex, unsigned up)
{
	struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC, .ifi_index = ifindex, .ifi_flags = up, .ifi_change = up
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	if (msg && nlmsg_append(msg, &ifi, sizeof ifi, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static struct nl_msg *checked(struct nl_msg *msg, bool bad)
{
	if (!bad)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* With a MAC and an MTU of its own, so that ports that come and go do not change them; without STP, which a switch may take for an attack. */
static struct nl_msg *bridge_message(const struct lan_snapshot *s, const struct lan_record *r)
{
	struct nl_msg *msg = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, r->bridge_index, 0);
	struct nlattr *info, *data;
	if (!msg)
		return NULL;
	bool bad = nla_put_string(msg, IFLA_IFNAME, r->bridge) < 0 ||
		   nla_put(msg, IFLA_ADDRESS, sizeof s->mac.b, s->mac.b) < 0 ||
		   nla_put_u32(msg, IFLA_MTU, s->mtu) < 0;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	bad |= !info || nla_put_string(msg, IFLA_INFO_KIND, "bridge") < 0;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	bad |= !data || nla_put_u32(msg, IFLA_BR_FORWARD_DELAY, 0) < 0 ||
	       nla_put_u32(msg, IFLA_BR_STP_STATE, 0) < 0;
	if (!bad) {
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
	}
	return checked(msg, bad);
}

static struct nl_msg *master_message(int ifindex, int master)
{
	struct nl_msg *msg = link_message(RTM_SETLINK, 0, ifindex, 0);
	return msg ? checked(msg, nla_put_u32(msg, IFLA_MASTER, (uint32_t)master) < 0) : NULL;
}

static struct nl_msg *alias_message(int ifindex)
{
	struct nl_msg *msg = link_message(RTM_SETLINK, 0, ifindex, 0);
	return msg ? checked(msg, nla_put_string(msg, IFLA_IFALIAS, LAN_ALIAS) < 0) : NULL;
}

static int add_link(struct lan_record *r, struct nl_msg *make, struct nl_msg *undo, bool has_undo,
		    struct nd_error *e, const char *what)
{
	struct lan_op to = { 0 }, back = { 0 };
	if (lan_op_from_msg(&to, make, e) < 0) {
		nlmsg_free(undo);
		return ND_MEMORY;
	}
	if (has_undo && lan_op_from_msg(&back, undo, e) < 0) {
		lan_op_done(&to);
		return ND_MEMORY;
	}
	return lan_step_add(r, &to, &back, e, "%s", what);
}

/* was NULL: not to be undone. */
static int add_sysctl(struct lan_record *r, const char *row, const char *ifname, const char *value,
		      const char *was, struct nd_error *e)
{
	struct lan_op make = { 0 }, undo = { 0 };
	char key[96];
	lan_fill(key, sizeof key, row, ifname, NULL);
	if (lan_op_text(&make, LAN_OP_SYSCTL, key, value, e) < 0 ||
	    (was && lan_op_text(&undo, LAN_OP_SYSCTL, key, was, e) < 0)) {
		lan_op_done(&make);
		return ND_MEMORY;
	}
	int err = lan_step_add(r, &make, &undo, e, "%s = %s", key, value);
	if (err == 0)
		r->steps[r->step_cnt - 1].optional = true; /* a kernel may lack it */
	return err;
}

/* ---- what is moved ---- */

struct move {
	struct lan_record *r;
	struct lan_place from, to;
	struct nd_error *e;
};

static int add_request(struct move *v, const struct lan_message *m, enum lan_verb make, enum lan_verb undo,
		       const struct lan_place *where, const char *verb)
{
	struct lan_op to = { 0 }, back = { 0 };
	if (lan_message_request(m, make, &v->from, where, &to, v->e) < 0 ||
	    lan_message_request(m, undo, &v->from, where, &back, v->e) < 0) {
		lan_op_done(&to);
		return ND_MEMORY;
	}
	return lan_step_add(v->r, &to, &back, v->e, "%s%s %s", m->text, verb, where->name);
}

/* Make without an undo, or the other way round. */
static int add_half(struct move *v, const struct lan_message *m, enum lan_verb verb,
		    const struct lan_place *where, bool is_undo)
{
	struct lan_op op;
	if (lan_message_request(m, verb, &v->from, where, &op, v->e) < 0)
		return ND_MEMORY;
	return lan_step_add(v->r, is_undo ? NULL : &op, is_undo ? &op : NULL, v->e, "%s on %s", m->text,
			    where->name);
}

static int addresses_come(struct move *v, const struct lan_messages *all)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < all->cnt; i++)
		r = add_request(v, &all->list[i], LAN_ADD_QUIET, LAN_DELETE, &v->to, " on");
	for (size_t i = 0; r == 0 && i < all->cnt; i++)
		if (lan_message_is_ip6(&all->list[i]))
			r = add_half(v, &all->list[i], LAN_REPLACE, &v->to, false);
	return r;
}

/* Last ones first: the kernel takes a primary's secondaries with it. The flag that kept duplicates from being looked for goes last on the way back. */
static int addresses_leave(struct move *v, const struct lan_messages *all)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < all->cnt; i++)
		if (lan_message_is_ip6(&all->list[i]))
			r = add_half(v, &all->list[i], LAN_REPLACE, &v->from, true);
	for (size_t i = all->cnt; r == 0 && i-- > 0;)
		r = add_request(v, &all->list[i], LAN_DELETE, LAN_ADD_QUIET, &v->from, " off");
	return r;
}

static int neighbours_come(struct move *v, const struct lan_messages *all)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < all->cnt; i++) {
		r = add_half(v, &all->list[i], LAN_ADD, &v->to, false);
		if (r == 0)
			v->r->steps[v->r->step_cnt - 1].optional = true;
	}
	return r;
}

/* 0 links, 1 what needs them. */
static int route_rank(const struct lan_message *m)
{
	return lan_message_attr(m, RTA_GATEWAY) || lan_message_attr(m, RTA_VIA) ||
	       lan_message_is_multipath(m);
}

static bool is_merged(const struct lan_message *m)
{
	return lan_message_is_ip6(m) && lan_message_is_multipath(m);
}

static int route_comes(struct move *v, const struct lan_message *m)
{
	struct lan_op to = { 0 }, back = { 0 };
	if (!is_merged(m))
		return add_request(v, m, LAN_ADD, LAN_DELETE, &v->to, " on");
	if (lan_message_request(m, LAN_REPLACE, &v->from, &v->to, &to, v->e) < 0 ||
	    lan_message_request(m, LAN_REPLACE, &v->from, &v->from, &back, v->e) < 0) {
		lan_op_done(&to);
		return ND_MEMORY;
	}
	return lan_step_add(v->r, &to, &back, v->e, "%s on %s", m->text, v->to.name);
}

static int routes_come(struct move *v, const struct lan_messages *all)
{
	int r = 0;
	for (int rank = 0; rank < 2; rank++)
		for (size_t i = 0; r == 0 && i < all->cnt; i++)
			if (route_rank(&all->list[i]) == rank)
				r = route_comes(v, &all->list[i]);
	return r;
}

static int nexthops_come(struct move *v, const struct lan_messages *all)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < all->cnt; i++) {
		struct lan_op to = { 0 }, back = { 0 };
		if (lan_message_request(&all->list[i], LAN_REPLACE, &v->from, &v->to, &to, v->e) < 0 ||
		    lan_message_request(&all->list[i], LAN_REPLACE, &v->from, &v->from, &back, v->e) < 0) {
			lan_op_done(&to);
			return ND_MEMORY;
		}
		r = lan_step_add(v->r, &to, &back, v->e, "%s on %s", all->list[i].text, v->to.name);
	}
	return r;
}

/* Backwards, so that the undo puts the kernel's own order back. */
static int leave(struct move *v, const struct lan_messages *all, bool merged_stay)
{
	int r = 0;
	for (int rank = 1; rank >= 0; rank--)
		for (size_t i = all->cnt; r == 0 && i-- > 0;) {
			const struct lan_message *m = &all->list[i];
			bool route = m->type == RTM_NEWROUTE;
			if ((route ? route_rank(m) : 0) != rank || (merged_stay && route && is_merged(m)))
				continue;
			r = add_request(v, m, LAN_DELETE, LAN_ADD, &v->from, " off");
		}
	return r;
}

static int rules_come(struct move *v, const struct lan_messages *all)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < all->cnt; i++)
		r = add_request(v, &all->list[i], LAN_ADD, LAN_DELETE, &v->to, " on");
	return r;
}

static int plan_move(struct move *v, const struct lan_snapshot *s)
{
	int r = addresses_come(v, &s->addresses);
	if (r == 0)
		r = neighbours_come(v, &s->neighbours);
	if (r == 0)
		r = routes_come(v, &s->routes);
	if (r == 0)
		r = nexthops_come(v, &s->nexthops);
	if (r == 0)
		r = rules_come(v, &s->rules);
	if (r == 0)
		r = leave(v, &s->rules, false);
	if (r == 0)
		r = leave(v, &s->routes, true);
	return r == 0 ? addresses_leave(v, &s->addresses) : r;
}

/* ---- gateways ---- */

static bool attr_to_ip(const struct lan_message *m, int type, struct nd_ip *ret)
{
	const struct nlattr *a = lan_message_attr(m, type);
	int len = lan_message_is_ip6(m) ? 16 : 4;
	if (!a || nla_len(a) < len)
		return false;
	*ret = (struct nd_ip){ .family = m->data[0] };
	memcpy(ret->b, nla_data(a), (size_t)len);
	return true;
}

static bool is_link_local(const struct nd_ip *ip)
{
	return ip->family == AF_INET6 && ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

/* From an address of the same network, else any of the family; IPv6: a link-local one, which every router answers. */
static struct nd_ip source_for(const struct lan_snapshot *s, const struct nd_ip *gateway)
{
	struct nd_ip best = { 0 };
	int best_rank = 0;
	for (size_t i = 0; i < s->addresses.cnt; i++) {
		const struct lan_message *m = &s->addresses.list[i];
		struct nd_prefix p = { .len = ((const struct ifaddrmsg *)m->data)->ifa_prefixlen };
		if (!attr_to_ip(m, IFA_LOCAL, &p.ip) && !attr_to_ip(m, IFA_ADDRESS, &p.ip))
			continue;
		if (p.ip.family != gateway->family)
			continue;
		int rank = is_link_local(&p.ip) ? 3 : nd_prefix_contains_ip(&p, gateway) ? 2 : 1;
		if (rank > best_rank) {
			best = p.ip;
			best_rank = rank;
		}
	}
	return best;
}

static void add_gateway(struct lan_record *r, const struct lan_snapshot *s, const struct nd_ip *ip)
{
	for (size_t i = 0; i < r->gateway_cnt; i++)
		if (nd_ip_equal(&r->gateways[i].ip, ip))
			return;
	if (r->gateway_cnt < LAN_GATEWAYS_MAX)
		r->gateways[r->gateway_cnt++] = (struct lan_gateway){ *ip, source_for(s, ip) };
}

static void add_hops(struct lan_record *r, const struct lan_snapshot *s, const struct lan_message *m)
{
	const struct nlattr *multi = lan_message_attr(m, RTA_MULTIPATH);
	for (int left = multi ? nla_len(multi) : 0, at = 0; left >= (int)sizeof(struct rtnexthop);) {
		const struct rtnexthop *hop = (const void *)((const char *)nla_data(multi) + at);
		if (hop->rtnh_len < sizeof *hop || hop->rtnh_len > left)
			return;
		const struct nlattr *gw = nla_find((const struct nlattr *)(hop + 1),
						   hop->rtnh_len - (int)sizeof *hop, RTA_GATEWAY);
		struct nd_ip ip = { .family = m->data[0] };
		if (gw && hop->rtnh_ifindex == s->ifindex &&
		    nla_len(gw) >= (ip.family == AF_INET6 ? 16 : 4)) {
			memcpy(ip.b, nla_data(gw), ip.family == AF_INET6 ? 16 : 4);
			add_gateway(r, s, &ip);
		}
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
		at += (int)RTNH_ALIGN(hop->rtnh_len);
	}
}

static void plan_gateways(const struct lan_snapshot *s, struct lan_record *r)
{
	struct nd_ip ip;
	for (size_t i = 0; i < s->routes.cnt; i++) {
		const struct lan_message *m = &s->routes.list[i];
		const struct rtmsg *h = (const void *)m->data;
		if (h->rtm_dst_len || h->rtm_type != RTN_UNICAST)
			continue;
		if (attr_to_ip(m, RTA_GATEWAY, &ip))
			add_gateway(r, s, &ip);
		add_hops(r, s, m);
	}
	for (size_t i = 0; i < s->nexthops.cnt; i++)
		if (attr_to_ip(&s->nexthops.list[i], NHA_GATEWAY, &ip))
			add_gateway(r, s, &ip);
}

/* ---- the whole ---- */

static int plan_settings(const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < lan_sysctl_row_cnt; i++)
		if (s->sysctls[i][0])
			err = add_sysctl(r, lan_sysctl_rows[i], r->bridge, s->sysctls[i], NULL, e);
	if (err == 0 && s->stable_secret[0])
		err = add_sysctl(r, "net/ipv6/conf/%s/stable_secret", r->bridge, s->stable_secret, NULL, e);
	/* Neither makes a link-local address of its own now: the bridge gets the NIC's, the NIC has none to have. */
	if (err == 0 && s->addr_gen_mode[0])
		err = add_sysctl(r, "net/ipv6/conf/%s/addr_gen_mode", r->bridge, GEN_MODE_NONE, NULL, e);
	if (err == 0 && s->addr_gen_mode[0])
		err = add_sysctl(r, "net/ipv6/conf/%s/addr_gen_mode", s->name, GEN_MODE_NONE,
				 s->addr_gen_mode, e);
	return err;
}

int lan_plan_create(const struct lan_snapshot *s, const char *bridge, struct lan_record *r,
		    struct nd_error *e)
{
	nd_strcpy(r->bridge, sizeof r->bridge, bridge);
	nd_strcpy(r->port, sizeof r->port, s->name);
	r->port_index = s->ifindex;
	r->bridge_index = s->free_ifindex;
	r->mac = s->mac;
	plan_gateways(s, r);
	struct move v = { r, { s->ifindex, s->name }, { r->bridge_index, r->bridge }, e };
	int err = add_link(r, bridge_message(s, r), link_message(RTM_DELLINK, 0, r->bridge_index, 0), true, e,
			   "bridge");
	if (err == 0)
		err = add_link(r, alias_message(r->bridge_index), NULL, false, e, "alias of the bridge");
	if (err == 0)
		err = plan_settings(s, r, e);
	if (err == 0)
		err = add_link(r, master_message(s->ifindex, r->bridge_index), master_message(s->ifindex, 0),
			       true, e, "the NIC into the bridge");
	if (err == 0)
		err = add_link(r, link_message(RTM_NEWLINK, 0, r->bridge_index, IFF_UP), NULL, false, e,
			       "bridge up");
	if (err == 0)
		err = plan_move(&v, s);
	if (err == 0 && s->addr_gen_mode[0])
		err = add_sysctl(r, "net/ipv6/conf/%s/addr_gen_mode", r->bridge, s->addr_gen_mode, NULL, e);
	return err;
}

int lan_plan_remove(const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	struct move v = { r, { s->ifindex, s->name }, { r->port_index, r->port }, e };
	lan_steps_clear(r);
	int err = plan_move(&v, s);
	if (err == 0)
		err = add_link(r, master_message(r->port_index, 0), master_message(r->port_index, s->ifindex),
			       true, e, "the NIC out of the bridge");
	if (err == 0 && s->addr_gen_mode[0])
		err = add_sysctl(r, "net/ipv6/conf/%s/addr_gen_mode", r->port, s->addr_gen_mode,
				 GEN_MODE_NONE, e);
	return err;
}

int lan_plan_follow(const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	struct move v = { r, { s->ifindex, s->name }, { r->bridge_index, r->bridge }, e };
	lan_steps_clear(r);
	return plan_move(&v, s);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a device receives, through an ifb of its own
 *
 * An ingress qdisc with one u32 filter that matches everything and redirects it (mirred) to the ifb; the ifb gives it back to the device after its
 * queue. One ifb a device: a shared one would make all guests wait for one lock and one CPU, and needs a way to tell them apart. An ifb costs
 * 0.1 ms and about 30 KiB, and only where a guest's sending is limited.
 *
 * The ifb is recognised by its name, which has the device's ifindex in it, and by netd's group. Filters of others in the ingress qdisc stay.
 * Source: net/sched/act_mirred.c, drivers/net/ifb.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include "base/mem.h"
#include "shape/tree.h"

/* After what an administrator puts there by hand (small numbers), before tc's own choice (0xc000). */
#define FILTER_PRIO    0x6e64u
#define INGRESS_HANDLE TC_H_MAKE(TC_H_INGRESS, 0)
#define INGRESS_FILTER TC_H_MAKE(TC_H_INGRESS, TC_H_MIN_INGRESS) /* of ingress and of clsact alike */
#define RETIRED_NAME   "dead-%d"

const char *shape_ifb_name(int ifindex, char buf[ND_IFNAMSIZ])
{
	snprintf(buf, ND_IFNAMSIZ, "nds%d", ifindex);
	return buf;
}

/* ---- reading ---- */

static bool attr_struct(const struct nlattr *attr, void *ret, size_t size)
{
	if (!attr || (size_t)nla_len(attr) < size)
		return false;
	memcpy(ret, nla_data(attr), size);
	return true;
}

/* The ifindex an u32 filter's first action redirects to. 0: it does not. */
static int redirect_target(struct nlattr *actions)
{
	struct nlattr *all[2], *action[TCA_ACT_MAX + 1], *mirred[TCA_MIRRED_MAX + 1];
	struct tc_mirred parms;

	if (!actions || nla_parse_nested(all, 1, actions, NULL) < 0 || !all[1] ||
	    nla_parse_nested(action, TCA_ACT_MAX, all[1], NULL) < 0 || !action[TCA_ACT_OPTIONS] ||
	    nla_parse_nested(mirred, TCA_MIRRED_MAX, action[TCA_ACT_OPTIONS], NULL) < 0 ||
	    !attr_struct(mirred[TCA_MIRRED_PARMS], &parms, sizeof(parms)))
		return 0;
	return parms.eaction == TCA_EGRESS_REDIR ? (int)parms.ifindex : 0;
}

#define ONE_KEY offsetof(struct u32_selector, keys[1])

/* Whether it takes every frame. */
static bool takes_all(const struct nlattr *attr)
{
	struct u32_selector have;
	struct tc_u32_sel head;

	if (!attr_struct(attr, &have, ONE_KEY))
		return false;
	memcpy(&head, have.head, sizeof(head));
	return head.nkeys == 1 && !have.keys[0].mask && !have.keys[0].val;
}

static int on_filter(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct redirect *r = arg;
	struct nlattr *tb[TCA_MAX + 1], *u32[TCA_U32_MAX + 1];
	const struct tcmsg *tcm = NLMSG_DATA(msg);

	if (msg->nlmsg_type != RTM_NEWTFILTER || msg->nlmsg_len < NLMSG_HDRLEN + sizeof(*tcm) ||
	    nlmsg_parse((struct nlmsghdr *)msg, sizeof(*tcm), tb, TCA_MAX, NULL) < 0)
		return nd_fail(e, ND_PARSE, "traffic control message");
	if (TC_H_MAJ(tcm->tcm_info) >> 16 != FILTER_PRIO) {
		r->others = true;
		return 0;
	}
	if (!tb[TCA_OPTIONS] || nla_parse_nested(u32, TCA_U32_MAX, tb[TCA_OPTIONS], NULL) < 0 ||
	    !u32[TCA_U32_SEL])
		return 0; /* its hash table */
	r->filter = true;
	r->target = takes_all(u32[TCA_U32_SEL]) ? redirect_target(u32[TCA_U32_ACT]) : 0;
	return 0;
}

/* A clsact is never netd's, and may have filters at its other side. */
static int on_qdisc(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct redirect *r = arg;
	const struct nlattr *kind =
		msg->nlmsg_len >= NLMSG_HDRLEN + sizeof(struct tcmsg)
			? nlmsg_find_attr((struct nlmsghdr *)msg, sizeof(struct tcmsg), TCA_KIND)
			: NULL;

	r->qdisc = true;
	r->others = !kind || nla_strcmp(kind, "ingress") != 0;
	return 0;
}

int redirect_read(struct nd_nl *nl, int ifindex, struct redirect *ret, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	int rc;

	*ret = (struct redirect){ .target = 0 };
	rc = nd_nl_call(nl, tree_request(RTM_GETQDISC, NLM_F_ECHO, ifindex, TC_H_INGRESS, 0, 0), on_qdisc,
			ret, &failed);
	if (rc && failed.sys == ENOENT)
		return 0;
	if (!rc && ret->qdisc)
		rc = nd_nl_call(nl, tree_request(RTM_GETTFILTER, NLM_F_DUMP, ifindex, INGRESS_FILTER, 0, 0),
				on_filter, ret, &failed);
	if (rc && e)
		nd_error_copy(e, &failed);
	return rc ? nd_wrap_code(e, rc, "read the redirection") : 0;
}

/* ---- writing ---- */

static struct nl_msg *new_ingress(int ifindex)
{
	struct nl_msg *msg = tree_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_INGRESS,
					  INGRESS_HANDLE, 0);

	if (msg && nla_put_string(msg, TCA_KIND, "ingress") == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static bool put_mirred(struct nl_msg *msg, int ifb)
{
	const struct tc_mirred parms = { .action = TC_ACT_STOLEN,
					 .eaction = TCA_EGRESS_REDIR,
					 .ifindex = (uint32_t)ifb };
	struct nlattr *all = nla_nest_start(msg, TCA_U32_ACT), *one, *options;

	one = all ? nla_nest_start(msg, 1) : NULL;
	if (!one || nla_put_string(msg, TCA_ACT_KIND, "mirred") < 0)
		return false;
	options = nla_nest_start(msg, TCA_ACT_OPTIONS);
	if (!options || nla_put(msg, TCA_MIRRED_PARMS, sizeof(parms), &parms) < 0)
		return false;
	nla_nest_end(msg, options);
	nla_nest_end(msg, one);
	nla_nest_end(msg, all);
	return true;
}

static struct nl_msg *filter_request(int type, int flags, int ifindex, uint32_t handle)
{
	return tree_request(type, flags, ifindex, INGRESS_FILTER, handle,
			    TC_H_MAKE(FILTER_PRIO << 16, htons(ETH_P_ALL)));
}

static struct nl_msg *new_filter(int ifindex, int ifb)
{
	const struct tc_u32_sel head = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
	struct u32_selector all = { .head = { 0 } };
	struct nl_msg *msg = filter_request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, 0);
	struct nlattr *options = NULL;

	memcpy(all.head, &head, sizeof(head));
	if (msg && nla_put_string(msg, TCA_KIND, "u32") == 0 &&
	    (options = nla_nest_start(msg, TCA_OPTIONS)) != NULL &&
	    nla_put(msg, TCA_U32_SEL, ONE_KEY, &all) == 0 && put_mirred(msg, ifb)) {
		nla_nest_end(msg, options);
		return msg;
	}
	nlmsg_free(msg);
	return NULL;
}

static int call_unless(struct nd_nl *nl, struct nl_msg *msg, int harmless, const char *what,
		       struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	int rc = nd_nl_call(nl, msg, NULL, NULL, &failed);

	if (!rc || failed.sys == harmless)
		return 0;
	if (failed.sys == ENOENT && !harmless)
		return nd_fail(e, ND_UNSUPPORTED, "this kernel has no %s", what);
	if (e)
		nd_error_copy(e, &failed);
	return nd_wrap_code(e, rc, "%s", what);
}

static int remove_redirection(struct nd_nl *nl, int ifindex, const struct redirect *have, struct nd_error *e)
{
	if (have->qdisc && !have->others)
		return call_unless(nl,
				   tree_request(RTM_DELQDISC, 0, ifindex, TC_H_INGRESS, INGRESS_HANDLE, 0),
				   ENOENT, "delete the ingress qdisc", e);
	return have->filter ? call_unless(nl, filter_request(RTM_DELTFILTER, 0, ifindex, 0), ENOENT,
					  "delete the redirection", e)
			    : 0;
}

int redirect_apply(struct nd_nl *nl, int ifindex, int ifb, const struct redirect *have, struct nd_error *e)
{
	int rc = 0;

	if (!ifb) /* an ingress qdisc without anything is not ours */
		return have->filter ? remove_redirection(nl, ifindex, have, e) : 0;
	if (have->target == ifb)
		return 0;
	if (have->filter)
		rc = call_unless(nl, filter_request(RTM_DELTFILTER, 0, ifindex, 0), ENOENT,
				 "delete the redirection", e);
	if (!rc && !have->qdisc)
		rc = call_unless(nl, new_ingress(ifindex), 0, "ingress qdisc (CONFIG_NET_SCH_INGRESS)", e);
	return rc ? rc
		  : call_unless(nl, new_filter(ifindex, ifb), 0,
				"u32 filter with a redirection (CONFIG_NET_CLS_U32, CONFIG_NET_ACT_MIRRED)",
				e);
}

/* ---- the ifb ---- */

int redirect_ifb_find(struct nd_nl *nl, int ifindex, struct nd_link *ret, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	char name[ND_IFNAMSIZ];
	int rc = nd_link_get_by_name(nl, shape_ifb_name(ifindex, name), ret, &failed);

	if (rc == ND_NOT_FOUND) {
		*ret = (struct nd_link){ .ifindex = 0 };
		return 0;
	}
	if (rc) {
		if (e)
			nd_error_copy(e, &failed);
		return nd_wrap_code(e, rc, "link '%s'", name);
	}
	if (ret->kind != ND_LINK_IFB || (ret->group != ND_GROUP_LIVE && !ret->has_alias))
		return nd_fail(e, ND_EXISTS, "link '%s': there is one of this name that is not netd's", name);
	return 0;
}

/* ifindex 0: made, by the name. */
static struct nl_msg *new_ifb(int ifindex, const char *name, const char *alias)
{
	struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC, .ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, ifindex ? 0 : NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info = NULL;
	bool ok = msg && nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) == 0 &&
		  nla_put_u32(msg, IFLA_GROUP, ND_GROUP_LIVE) == 0;

	if (ok && ifindex)
		ok = nla_put_string(msg, IFLA_IFALIAS, alias) == 0;
	else if (ok)
		ok = nla_put_string(msg, IFLA_IFNAME, name) == 0 &&
		     (info = nla_nest_start(msg, IFLA_LINKINFO)) != NULL &&
		     nla_put_string(msg, IFLA_INFO_KIND, "ifb") == 0;
	if (ok && info)
		nla_nest_end(msg, info);
	if (ok)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static bool ifb_same(const struct nd_link *have, const char *alias)
{
	struct nd_uuid network, port;

	return have->flags & IFF_UP && have->group == ND_GROUP_LIVE && have->has_alias &&
	       nd_alias_parse(alias, &network, &port) == 0 && nd_uuid_equal(&network, &have->alias_network) &&
	       nd_uuid_equal(&port, &have->alias_port);
}

/* The kernel drops an alias in the creating request. */
int redirect_ifb_make(struct nd_nl *nl, int ifindex, const char *alias, const struct nd_link *have,
		      int *ret_ifb, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	struct nd_link made = *have;
	char name[ND_IFNAMSIZ];
	int rc = 0;

	shape_ifb_name(ifindex, name);
	if (!made.ifindex) {
		rc = nd_nl_call(nl, new_ifb(0, name, alias), NULL, NULL, &failed);
		if (failed.sys == EOPNOTSUPP)
			return nd_fail(e, ND_UNSUPPORTED, "this kernel has no ifb devices (CONFIG_IFB)");
		if (!rc)
			rc = redirect_ifb_find(nl, ifindex, &made, &failed);
	}
	if (!rc && !ifb_same(&made, alias))
		rc = nd_nl_call(nl, new_ifb(made.ifindex, name, alias), NULL, NULL, &failed);
	if (!rc) {
		*ret_ifb = made.ifindex;
		return 0;
	}
	if (e)
		nd_error_copy(e, &failed);
	return nd_wrap_code(e, rc, "ifb '%s'", name);
}

/* Out of use at once, under another name, and marked for whoever deletes it. */
int redirect_ifb_retire(struct nd_nl *nl, int ifb, struct nd_error *e)
{
	char name[ND_IFNAMSIZ];
	int rc = nd_link_set_group(nl, ifb, ND_GROUP_DEAD, e);

	snprintf(name, sizeof(name), RETIRED_NAME, ifb);
	if (!rc)
		rc = nd_link_set_name(nl, ifb, name, e);
	return rc ? nd_wrap_code(e, rc, "retire the ifb") : 0;
}

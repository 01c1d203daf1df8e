// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: both directions of a device, put together (see shape.h)
 *
 * Reading gives what is there of all parts; comparing is pure; applying goes by the difference, then reads again. The order is such that a frame is
 * never lost to a half-made path: the ifb is complete before frames are redirected to it, and no frame is when it goes.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include "base/mem.h"
#include "base/strtab.h"
#include "shape/tree.h"

/* All that is wanted, or all that is there. */
struct parts {
	struct tree out, in;
	struct redirect redirect;
	struct nd_link ifb; /* ifindex 0: none */
};

bool shape_wanted(const struct shape_config *want)
{
	return want->out.average || want->in.average;
}

static void parts_done(struct parts *p)
{
	tree_done(&p->out);
	tree_done(&p->in);
}

static int plan(const struct shape_config *want, struct parts *ret, struct nd_error *e)
{
	*ret = (struct parts){ .ifb = { .ifindex = 0 } };
	if (tree_plan(&want->out, want, &ret->out, e) < 0)
		return nd_wrap_code(e, ND_INVALID, "towards guests");
	if (tree_plan(&want->in, NULL, &ret->in, e) < 0)
		return nd_wrap_code(e, ND_INVALID, "from guests");
	return 0;
}

static int read_parts(struct nd_nl *nl, int ifindex, struct parts *ret, struct nd_error *e)
{
	int rc;

	*ret = (struct parts){ .ifb = { .ifindex = 0 } };
	rc = tree_read(nl, ifindex, &ret->out, e);
	if (!rc)
		rc = redirect_read(nl, ifindex, &ret->redirect, e);
	if (!rc)
		rc = redirect_ifb_find(nl, ifindex, &ret->ifb, e);
	if (!rc && ret->ifb.ifindex)
		rc = tree_read(nl, ret->ifb.ifindex, &ret->in, e);
	if (rc)
		parts_done(ret);
	return rc;
}

static bool parts_same(const struct parts *want, const struct parts *have)
{
	bool redirected = have->ifb.ifindex && have->redirect.target == have->ifb.ifindex &&
			  have->ifb.flags & IFF_UP && have->ifb.group == ND_GROUP_LIVE;

	if (!tree_same(&want->out, &have->out))
		return false;
	if (!want->in.ours)
		return !have->ifb.ifindex && !have->redirect.filter;
	return redirected && tree_same(&want->in, &have->in);
}

static int apply_in(struct nd_nl *nl, int ifindex, const char *alias, const struct parts *want,
		    const struct parts *have, int *ret_retired, struct nd_error *e)
{
	int ifb = have->ifb.ifindex, rc;

	if (!want->in.ours) {
		rc = redirect_apply(nl, ifindex, 0, &have->redirect, e);
		if (!rc && ifb)
			rc = redirect_ifb_retire(nl, ifb, e);
		*ret_retired = rc ? 0 : ifb;
		return rc;
	}
	rc = redirect_ifb_make(nl, ifindex, alias, &have->ifb, &ifb, e);
	if (!rc && !tree_same(&want->in, &have->in))
		rc = tree_apply(nl, ifb, &want->in, &have->in, e);
	return rc ? rc : redirect_apply(nl, ifindex, ifb, &have->redirect, e);
}

static int apply(struct nd_nl *nl, int ifindex, const char *alias, const struct parts *want,
		 const struct parts *have, int *ret_retired, struct nd_error *e)
{
	int rc = 0;

	if (!tree_same(&want->out, &have->out))
		rc = tree_apply(nl, ifindex, &want->out, &have->out, e);
	if (rc)
		return nd_wrap_code(e, rc, "towards guests");
	rc = apply_in(nl, ifindex, alias, want, have, ret_retired, e);
	return rc ? nd_wrap_code(e, rc, "from guests") : 0;
}

/* What the kernel took is not always what it was given. */
static int verify(struct nd_nl *nl, int ifindex, const struct parts *want, struct nd_error *e)
{
	struct parts have;
	int rc = read_parts(nl, ifindex, &have, e);

	if (rc)
		return rc;
	if (!parts_same(want, &have))
		rc = nd_fail(e, ND_SYSTEM, "the kernel has other limits than it was given");
	parts_done(&have);
	return rc;
}

/* The kernel's word for a device that is gone is ENODEV, in every one of these requests. */
static int say_gone(struct nd_error *e, int rc)
{
	if (e && e->sys == ENODEV)
		e->code = ND_NOT_FOUND;
	return e ? e->code : rc;
}

/* Its ifb outlives a device. */
static int retire_orphan(struct nd_nl *nl, int ifindex, int *ret_retired, struct nd_error *e)
{
	struct nd_link ifb;
	int rc = redirect_ifb_find(nl, ifindex, &ifb, e);

	if (!rc && ifb.ifindex) {
		rc = redirect_ifb_retire(nl, ifb.ifindex, e);
		*ret_retired = rc ? 0 : ifb.ifindex;
	}
	return rc;
}

int shape_apply(struct nd_nl *nl, int ifindex, const struct shape_config *want, int *ret_retired,
		struct nd_error *e)
{
	struct nd_error local = ND_ERROR_INIT;
	struct parts planned, have;
	int rc;

	*ret_retired = 0;
	if (!e)
		e = &local;
	rc = plan(want, &planned, e);
	if (!rc)
		rc = read_parts(nl, ifindex, &have, e);
	if (!rc) {
		if (!parts_same(&planned, &have)) {
			rc = apply(nl, ifindex, want->alias, &planned, &have, ret_retired, e);
			if (!rc)
				rc = verify(nl, ifindex, &planned, e);
		}
		parts_done(&have);
	}
	parts_done(&planned);
	if (rc && say_gone(e, rc) == ND_NOT_FOUND && !shape_wanted(want)) {
		nd_error_reset(e);
		rc = retire_orphan(nl, ifindex, ret_retired, e);
	}
	return rc ? e->code : 0;
}

static int read_state(struct nd_nl *nl, int ifindex, const struct parts *planned, struct shape_state *ret,
		      struct nd_error *e)
{
	struct parts have;
	struct shape_state s = { .same = false };
	int rc = read_parts(nl, ifindex, &have, e);

	if (rc)
		return rc;
	s.same = parts_same(planned, &have);
	s.ifb = have.ifb.ifindex;
	tree_rate(&have.out, &s.out);
	if (s.ifb && have.redirect.target == s.ifb)
		tree_rate(&have.in, &s.in);
	rc = have.out.ours ? tree_queue_kind(nl, ifindex, &have.out, s.queue, e)
			   : tree_queue_kind(nl, s.ifb, &have.in, s.queue, e);
	parts_done(&have);
	if (!rc)
		*ret = s;
	return rc;
}

int shape_read(struct nd_nl *nl, int ifindex, const struct shape_config *want, struct shape_state *ret,
	       struct nd_error *e)
{
	struct nd_error local = ND_ERROR_INIT;
	struct parts planned;
	int rc;

	if (!e)
		e = &local;
	rc = plan(want, &planned, e);
	if (!rc)
		rc = read_state(nl, ifindex, &planned, ret, e);
	parts_done(&planned);
	return rc ? say_gone(e, rc) : 0;
}

bool shape_event(const struct nlmsghdr *msg, int *ret_ifindex)
{
	const struct tcmsg *tcm = NLMSG_DATA(msg);

	if (msg->nlmsg_type < RTM_NEWQDISC || msg->nlmsg_type > RTM_GETTFILTER ||
	    msg->nlmsg_len < NLMSG_HDRLEN + sizeof(*tcm))
		return false;
	*ret_ifindex = tcm->tcm_ifindex;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: doing and undoing a record's steps
 *
 * Every request may be repeated: to add what is there and to delete what is gone is success, since after a kill nobody knows how far the steps had come. Two
 * things are not: a bridge that is there already when it is to be made, and a NIC that is gone when something is to come back to it.
 */
#include "base/file.h"
#include "base/link.h"
#include "base/mem.h"
#include "lan/private.h"
#include <errno.h>
#include <time.h>

uint64_t lan_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static const struct {
	uint16_t type;
	int errs[5]; /* 0-ended: what says that it is so already */
} settled[] = {
	{ RTM_NEWADDR, { EEXIST } },
	{ RTM_NEWROUTE, { EEXIST } },
	{ RTM_NEWRULE, { EEXIST } },
	{ RTM_NEWNEIGH, { EEXIST } },
	{ RTM_DELADDR, { EADDRNOTAVAIL, ENODEV } },
	{ RTM_DELROUTE, { ESRCH, ENODEV, ENOENT, EINVAL } }, /* EINVAL: a next hop on a link that is gone */
	{ RTM_DELRULE, { ENOENT } },
	{ RTM_DELLINK, { ENODEV } },
};

static bool is_settled(const struct lan_op *op, int err)
{
	for (size_t i = 0; i < ARRAY_LEN(settled); i++)
		for (size_t k = 0; settled[i].type == op->type && settled[i].errs[k]; k++)
			if (settled[i].errs[k] == err)
				return true;
	return false;
}

static int run_netlink(struct nd_nl *nl, const struct lan_op *op, uint64_t elapsed_s, struct nd_error *e)
{
	struct lan_op aged = *op;
	struct nd_error failed = ND_ERROR_INIT;
	struct nl_msg *msg = nlmsg_alloc_size(NLMSG_HDRLEN + op->len + NLMSG_ALIGNTO);
	struct nlmsghdr *hdr = msg ? nlmsg_put(msg, 0, 0, op->type, (int)op->len, op->flags) : NULL;
	if (!hdr) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "netlink request");
	}
	memcpy(nlmsg_data(hdr), op->data, op->len);
	aged.data = nlmsg_data(hdr);
	lan_op_age(&aged, elapsed_s);
	int r = nd_nl_call(nl, msg, NULL, NULL, &failed);
	if (r == 0 || is_settled(op, failed.sys))
		return 0;
	nd_error_copy(e, &failed);
	return r;
}

/* A kill before the first step: what has the index now may be somebody else's. */
static bool is_other_bridge(struct nd_nl *nl, const struct lan_record *r)
{
	struct nd_link l;
	return nd_link_get(nl, r->bridge_index, &l, NULL) < 0 || l.kind != ND_LINK_BRIDGE ||
	       strcmp(l.name, r->bridge) != 0 || !nd_mac_equal(&l.mac, &r->mac);
}

static int run_op(struct nd_nl *nl, const struct lan_record *r, const struct lan_op *op, uint64_t elapsed_s,
		  struct nd_error *e)
{
	if (op->kind == LAN_OP_NETLINK && op->type == RTM_DELLINK && is_other_bridge(nl, r))
		return 0;
	switch (op->kind) {
	case LAN_OP_NONE: return 0;
	case LAN_OP_NETLINK: return run_netlink(nl, op, elapsed_s, e);
	case LAN_OP_SYSCTL: return nd_sysctl_write(op->key, (const char *)op->data, e);
	case LAN_OP_DNS: return lan_dns_set(op->key, (const char *)op->data, e);
	}
	return nd_fail(e, ND_INTERNAL, "step of kind %d", (int)op->kind);
}

static uint64_t elapsed_s(const struct lan_record *r)
{
	uint64_t now = lan_now_ms();
	return now > r->taken_ms ? (now - r->taken_ms) / 1000 : 0;
}

int lan_undo(struct nd_nl *nl, const struct lan_record *r, struct nd_error *e)
{
	struct nd_error first = ND_ERROR_INIT;
	uint64_t elapsed = elapsed_s(r);
	for (size_t i = r->step_cnt; i-- > 0;) {
		struct nd_error failed = ND_ERROR_INIT;
		if (run_op(nl, r, &r->steps[i].undo, elapsed, &failed) == 0 || r->steps[i].optional)
			continue;
		nd_wrap(&failed, "back: %s", r->steps[i].what);
		if (first.code)
			nd_also(&first, &failed);
		else
			nd_error_copy(&first, &failed);
	}
	if (first.code && e) {
		if (e->code)
			nd_also(e, &first);
		else
			nd_error_copy(e, &first);
	}
	return first.code;
}

int lan_apply(struct nd_nl *nl, const struct lan_record *r, struct nd_error *e)
{
	uint64_t elapsed = elapsed_s(r);
	for (size_t i = 0; i < r->step_cnt; i++) {
		struct nd_error failed = ND_ERROR_INIT;
		if (run_op(nl, r, &r->steps[i].make, elapsed, &failed) == 0 || r->steps[i].optional)
			continue;
		nd_wrap(&failed, "%s", r->steps[i].what);
		/* A bridge that was there already is not ours to delete, and nothing has been changed yet. */
		if (i > 0)
			lan_undo(nl, r, &failed);
		nd_error_copy(e, &failed);
		return failed.code;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: TAPs and macvtaps as ports have them (see device.h)
 *
 * A TAP goes with its last file. A macvtap stays: holders.c is told of each that is made, and deletes it when nobody has it any more.
 */
#include "netd/core/device.h"
#include "base/log.h"
#include "netd/core/holders.h"
#include "netd/core/mirror.h"
#include "netd/core/plan.h"
#include "netd/core/reaper.h"
#include "tap/macvtap.h"
#include <errno.h>

static int open_tap(struct core *c, const struct port *p, struct tap_handle *ret, struct nd_error *e)
{
	struct tap_config want;
	plan_tap(p, &want);
	return tap_open(c->nl, &want, ret, e);
}

static void close_files(struct core *c, struct tap_handle *h)
{
	for (size_t i = 0; i < h->fd_cnt; i++)
		reaper_close(c->reaper, h->fds[i]);
	h->fd_cnt = 0;
}

static unsigned diff_tap(const struct core *c, const struct port *p, const struct nd_link *have)
{
	struct tap_config want;
	plan_tap(p, &want);
	return tap_diff(&want, have);
}

static int put_back_tap(struct core *c, const struct port *p, unsigned diff, struct nd_error *e)
{
	struct tap_config want;
	pid_t holder;
	int fd;
	plan_tap(p, &want);
	if (tap_restore(c->nl, p->ifindex, &want, diff, e) < 0)
		return e->code;
	if (!(diff & (TAP_OWNER | TAP_PERSIST)))
		return 0;
	if (tap_reclaim(c->nl, p->ifindex, p->ifname, p->owner_pid, &holder, &fd, e) < 0)
		return e->code;
	if (fd >= 0) /* its holder is gone: with this the device goes */
		reaper_close(c->reaper, fd);
	return 0;
}

static int drain_tap(struct core *c, const struct port *p, struct nd_error *e)
{
	return tap_drain(c->nl, p->ifindex, e);
}

/* The lower device may be gone from the mirror already; its macvtaps follow. */
static void plan(const struct core *c, const struct port *p, struct macvtap_config *ret)
{
	const struct nd_link *lower = mirror_link(c->mirror, p->lower);
	plan_macvtap(p, lower ? lower->mtu : 0, ret);
}

static int open_macvtap(struct core *c, const struct port *p, struct tap_handle *ret, struct nd_error *e)
{
	struct macvtap_config want;
	plan(c, p, &want);
	if (macvtap_open(c->nl, holders_nodes(c->holders), &want, ret, e) < 0)
		return e->code;
	if (holders_watch(c->holders, ret->name, ret->ifindex, p->owner_pid, p->queue_cnt, e) == 0)
		return 0;
	tap_handle_close(ret);
	nd_link_delete(c->nl, ret->ifindex, NULL);
	return e->code;
}

static void discard_macvtap(struct core *c, struct tap_handle *h)
{
	struct nd_error e = ND_ERROR_INIT;
	tap_handle_close(h);
	holders_forget(c->holders, h->ifindex);
	if (nd_link_delete(c->nl, h->ifindex, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "macvtap '%s'", h->name);
}

static unsigned diff_macvtap(const struct core *c, const struct port *p, const struct nd_link *have)
{
	struct macvtap_config want;
	plan(c, p, &want);
	return macvtap_diff(&want, have);
}

static int put_back_macvtap(struct core *c, const struct port *p, unsigned diff, struct nd_error *e)
{
	struct macvtap_config want;
	plan(c, p, &want);
	return macvtap_restore(c->nl, p->ifindex, &want, diff, e);
}

static int drain_macvtap(struct core *c, const struct port *p, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	if (nd_link_set_up(c->nl, p->ifindex, false, &failed) == 0 || failed.sys == ENODEV)
		return 0;
	nd_error_copy(e, &failed);
	return e->code;
}

static const struct device_kind kinds[] = {
	[PORT_DEVICE_TAP] = { "TAP", true, open_tap, close_files, diff_tap, put_back_tap, drain_tap },
	[PORT_DEVICE_MACVTAP] = { "macvtap", false, open_macvtap, discard_macvtap, diff_macvtap,
				  put_back_macvtap, drain_macvtap },
};

const struct device_kind *device_of(const struct port *p)
{
	return &kinds[p->device];
}

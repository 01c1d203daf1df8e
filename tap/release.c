/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the end of a TAP that outlived its holder
 *
 * A holder may make its TAP persistent and exit. Nobody has a file of it then to put that back with, and whoever the holder made its owner may
 * open it again by name. netd attaches itself instead: where that works for a single-queue TAP nobody else holds it, since EBUSY is the answer
 * otherwise, and nobody can begin to. A multi-queue TAP lets anyone with the right in; there the kernel's count of queues tells.
 *
 * The attach must not change the device: TUNSETIFF takes over the virtio header's flag from who comes last.
 */
#include "tap/tap.h"

#include "base/mem.h"
#include "tap/tun.h"

#include <errno.h>

static int attach_free(struct nd_nl *nl, const struct nd_link *l, int *ret_fd, struct nd_error *e)
{
	unsigned flags = (l->tun_vnet_hdr ? TUN_VNET_HDR : 0) | (l->tun_multi_queue ? TUN_MULTI_QUEUE : 0);
	int ifindex;

	if (l->tun_multi_queue && (l->tun_queues || l->tun_disabled_queues))
		return nd_fail(e, ND_BUSY, "somebody holds it");
	nd_autoclose int fd = -1;
	int rc = tun_attach(l->name, flags, &fd, e);
	if (rc < 0)
		return rc;
	/* Between asking and attaching, the name may have become another's. */
	rc = tun_ifindex(nd_nl_fd(nl), l->name, &ifindex, e);
	if (rc < 0)
		return rc;
	if (ifindex != l->ifindex)
		return nd_fail_sys(e, ENODEV, NULL, "attach");
	*ret_fd = take_fd(fd);
	return 0;
}

int tap_release(struct nd_nl *nl, int ifindex, int *ret_fd, struct nd_error *e)
{
	struct nd_link l;
	int fd = -1;

	int rc = nd_link_get(nl, ifindex, &l, e);
	if (rc < 0) {
		nd_wrap(e, "tap with index %d", ifindex);
		return rc;
	}
	if (l.kind != ND_LINK_TUN)
		return nd_fail(e, ND_INVALID, "link '%s': not a tap", l.name);
	rc = attach_free(nl, &l, &fd, e);
	if (rc == 0)
		rc = tun_set_owner(fd, 0, e);
	if (rc == 0)
		rc = tun_set_persist(fd, false, e);
	if (rc < 0) {
		nd_closep(&fd);
		nd_wrap(e, "tap '%s'", l.name);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

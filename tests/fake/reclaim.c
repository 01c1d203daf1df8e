/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: tap_reclaim for the fake kernel: the holder is whom the test named.
 */
#include "tap/tap.h"

#include "tests/fake/fake.h"
#include "tests/fake/tun.h"

static pid_t holder;

static void reset(void)
{
	holder = 0;
}

void fake_tun_holder(pid_t pid)
{
	fake_on_reset(reset);
	holder = pid;
}

int tap_reclaim(struct nd_nl *nl, int ifindex, const char *name, pid_t holder_hint, pid_t *ret_pid,
		int *ret_fd, struct nd_error *e)
{
	struct nd_link *l = fake_link_find(name);
	const char *text;
	int err;

	*ret_fd = -1;
	*ret_pid = 0;
	if (!holder && tap_release(nl, ifindex, ret_fd, NULL) == 0)
		return 0;
	if (!holder || !l) {
		nd_fail(e, ND_NOT_FOUND, "no process seems to hold it");
		nd_wrap(e, "tap '%s'", name);
		return ND_NOT_FOUND;
	}
	if (fake_fail_now("pidfd_getfd", &err, &text)) {
		int rc = nd_fail_sys(e, err, text, "borrow a file descriptor of process %d", (int)holder);
		nd_wrap(e, "tap '%s'", name);
		return rc;
	}
	l->tun_owner = 0;
	l->tun_persist = false;
	fake_link_changed(l->ifindex);
	*ret_pid = holder;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_TUN_H
#define ND_TESTS_FAKE_TUN_H
/*
 * DOC: fake TAP files
 *
 * tests/fake/tun.c stands in for tap/tun.c: devices are links of the fake kernel (fake.h), and each queue is a real descriptor, so that
 * code and tests can pass, duplicate and close it. tests/fake/reclaim.c stands in for tap/reclaim.c, whose way leads through the real /proc. What a
 * holder does to its device, a test does to the link's record, followed by fake_link_changed.
 */
#include <sys/types.h>

/* The kernel notices closed descriptors at once, the fake only here and in its own calls: devices without queues go, with their events, unless persistent. */
void fake_tun_sync(void);
/* At the next TUNSETOWNER, a stranger has been faster and holds one more queue of that device. */
void fake_tun_steal_queue(void);
/* Who holds every TAP, for tap_reclaim; 0, as after fake_reset: nobody can be found. */
void fake_tun_holder(pid_t pid);
/* Descriptors of that device that are still open somewhere. */
unsigned fake_tun_queue_count(int ifindex);
#endif

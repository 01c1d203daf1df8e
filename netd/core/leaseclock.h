/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_LEASECLOCK_H
#define ND_CORE_LEASECLOCK_H
/*
 * DOC: the clock that leases end by
 *
 * A lease is a length of time (RFC 2131 §3.3), and a host's wall clock may be set at any moment. So the ends of leases, in the store and in the worker, are
 * told by a clock of their own: seconds since 1970 as the wall had them when the store was begun, and since then only those that went by
 * (CLOCK_BOOTTIME). Setting the wall clock moves nothing but `wall_delta_s`, which is what listings add to it. No row is ever rewritten.
 *
 * What is kept of it is one setting of the store: the boot and the clock's offset in it, the wall clock's lead, and the clock itself. In the same boot it goes
 * on exactly. After another one only the wall clock can say how long that took; it is believed as far as it is not behind the last time kept: a
 * machine that comes up in 1970 would else give its leases half a century.
 */
#include "base/addr.h"

struct lease_clock {
	int64_t offset_s;     /* the clock = CLOCK_BOOTTIME + this */
	int64_t wall_delta_s; /* the wall clock = the clock + this, when it was looked at last */
	char boot[ND_UUID_STRLEN];
};
#define LEASE_CLOCK_TEXT   128
#define LEASE_CLOCK_SLEW_S 2 /* smaller differences are rounding, or a wall clock that is being slewed */

/* saved: what lease_clock_format gave; NULL or unreadable: none, and the clock is the wall's. boot_id: of this boot, "" not known. */
void lease_clock_start(struct lease_clock *k, const char *saved, const char *boot_id, uint64_t boot_s,
		       uint64_t wall_s);
uint64_t lease_clock_now(const struct lease_clock *k, uint64_t boot_s);
/* Looks at the wall clock. Return: by how much it was set since the last time; 0: it was not. */
int64_t lease_clock_look(struct lease_clock *k, uint64_t boot_s, uint64_t wall_s);
/* A time of the clock as the wall's; UINT64_MAX stays. */
uint64_t lease_clock_to_wall(const struct lease_clock *k, uint64_t at_s);
void lease_clock_format(const struct lease_clock *k, uint64_t boot_s, char ret[LEASE_CLOCK_TEXT]);
#endif

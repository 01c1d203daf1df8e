// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the clock that leases end by (see leaseclock.h). Pure: who asks says what the clocks show.
 */
#include "netd/core/leaseclock.h"
#include "base/strtab.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t not_negative(int64_t v)
{
	return v > 0 ? (uint64_t)v : 0;
}

void lease_clock_start(struct lease_clock *k, const char *saved, const char *boot_id, uint64_t boot_s,
		       uint64_t wall_s)
{
	int64_t offset_s, delta_s, now_s = (int64_t)wall_s;
	char boot[ND_UUID_STRLEN];
	uint64_t last_s;
	bool known = saved && sscanf(saved, "%36s %" SCNd64 " %" SCNd64 " %" SCNu64, boot, &offset_s,
				     &delta_s, &last_s) == 4;

	if (known && boot_id[0] && strcmp(boot, boot_id) == 0)
		now_s = (int64_t)boot_s + offset_s;
	else if (known)
		now_s = (int64_t)wall_s - delta_s;
	/* It never goes back: a lease that has ended has ended. */
	if (known && now_s < (int64_t)last_s)
		now_s = (int64_t)last_s;
	k->offset_s = now_s - (int64_t)boot_s;
	k->wall_delta_s = (int64_t)wall_s - now_s;
	nd_strcpy(k->boot, sizeof k->boot, boot_id);
}

uint64_t lease_clock_now(const struct lease_clock *k, uint64_t boot_s)
{
	return not_negative((int64_t)boot_s + k->offset_s);
}

int64_t lease_clock_look(struct lease_clock *k, uint64_t boot_s, uint64_t wall_s)
{
	int64_t delta_s = (int64_t)wall_s - (int64_t)lease_clock_now(k, boot_s),
		by_s = delta_s - k->wall_delta_s;

	if (by_s > -LEASE_CLOCK_SLEW_S && by_s < LEASE_CLOCK_SLEW_S)
		return 0;
	k->wall_delta_s = delta_s;
	return by_s;
}

uint64_t lease_clock_to_wall(const struct lease_clock *k, uint64_t at_s)
{
	return at_s == UINT64_MAX ? at_s : not_negative((int64_t)at_s + k->wall_delta_s);
}

void lease_clock_format(const struct lease_clock *k, uint64_t boot_s, char ret[LEASE_CLOCK_TEXT])
{
	snprintf(ret, LEASE_CLOCK_TEXT, "%s %" PRId64 " %" PRId64 " %" PRIu64, k->boot[0] ? k->boot : "-",
		 k->offset_s, k->wall_delta_s, lease_clock_now(k, boot_s));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the states of networks and ports, one row per (state, event).
 *
 * Refusal texts are libvirt's, since scripts match them. Pure: no object is touched.
 */
#include "netd/core/lifecycle.h"
#include "base/strtab.h"

static const char *const network_states[] = {
	[NETWORK_INACTIVE] = "inactive",
	[NETWORK_ACTIVE] = "active",
	[NETWORK_DEGRADED] = "degraded",
};
ND_STRTAB(network_state, network_states)

static const char *const port_states[] = {
	[PORT_ATTACHED] = "attached",
	[PORT_QUARANTINED] = "quarantined",
	[PORT_EXPECTED] = "expected",
};
ND_STRTAB(port_state, port_states)

static const struct {
	enum network_state next;
	const char *refusal; /* NULL: allowed */
} network_table[3][4] = {
	[NETWORK_INACTIVE] = {
		[NETWORK_EVENT_START] = { NETWORK_ACTIVE, NULL },
		[NETWORK_EVENT_STOP] = { NETWORK_INACTIVE, "network is not active" },
		[NETWORK_EVENT_FAULT] = { NETWORK_INACTIVE, NULL },
		[NETWORK_EVENT_CLEARED] = { NETWORK_INACTIVE, NULL },
	},
	[NETWORK_ACTIVE] = {
		[NETWORK_EVENT_START] = { NETWORK_ACTIVE, "network is already active" },
		[NETWORK_EVENT_STOP] = { NETWORK_INACTIVE, NULL },
		[NETWORK_EVENT_FAULT] = { NETWORK_DEGRADED, NULL },
		[NETWORK_EVENT_CLEARED] = { NETWORK_ACTIVE, NULL },
	},
	[NETWORK_DEGRADED] = {
		[NETWORK_EVENT_START] = { NETWORK_DEGRADED, "network is already active" },
		[NETWORK_EVENT_STOP] = { NETWORK_INACTIVE, NULL },
		[NETWORK_EVENT_FAULT] = { NETWORK_DEGRADED, NULL },
		[NETWORK_EVENT_CLEARED] = { NETWORK_ACTIVE, NULL },
	},
};

int lifecycle_network(enum network_state now, enum network_event ev, enum network_state *ret_next,
		      struct nd_error *e)
{
	if (network_table[now][ev].refusal)
		return nd_fail(e, ND_STATE, "%s", network_table[now][ev].refusal);
	*ret_next = network_table[now][ev].next;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_LIFECYCLE_H
#define ND_CORE_LIFECYCLE_H
/* State tables of networks and ports: (state, event) → next state, or the text of the refusal. Pure. */
#include "base/error.h"

enum network_state { NETWORK_INACTIVE, NETWORK_ACTIVE, NETWORK_DEGRADED };
const char *network_state_to_string(int v); /* "inactive" "active" "degraded" */
int network_state_from_string(const char *s);
enum network_event { NETWORK_EVENT_START, NETWORK_EVENT_STOP, NETWORK_EVENT_FAULT, NETWORK_EVENT_CLEARED };
/* Return: 0 and *ret_next, or ND_STATE with libvirt's text ("network is already active", "network is not active"). */
int lifecycle_network(enum network_state now, enum network_event ev, enum network_state *ret_next,
		      struct nd_error *e);

enum port_state {
	PORT_ATTACHED,
	PORT_QUARANTINED,
	PORT_EXPECTED, /* an external port without a device */
};
const char *port_state_to_string(int v); /* "attached" "quarantined" "expected" */
int port_state_from_string(const char *s);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_ATTACH_H
#define ND_CLI_ATTACH_H
/*
 * One Attach call, as `netdctl exec` and netd-bridge-helper make it.
 */
#include "base/error.h"
#include "cli/client.h"
#include "cli/placeholder.h"
#include <stdbool.h>

/*
 * what: borrowed. *ret gets the port's MAC, its interface and its queues' descriptors (CLOEXEC, the caller's to close: attach_close), but no MTU; it is written
 * on success only. Return: 0; the daemon's error; ND_PROTOCOL: a reply without what was asked for. Frames name the network.
 */
int attach_call(struct client *c, const struct network_option *what, bool vnet_header,
		struct placeholder_network *ret, struct nd_error *e);
/* The network's MTU, through GetNetwork. */
int attach_mtu(struct client *c, const struct network_option *what, unsigned *ret, struct nd_error *e);
/* Closes the descriptors; with the last of them the device goes. Accepts a zeroed one. */
void attach_close(struct placeholder_network *n);
#endif

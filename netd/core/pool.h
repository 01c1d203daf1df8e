/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_POOL_H
#define ND_CORE_POOL_H
/*
 * DOC: the devices that a network makes macvtaps on
 * They are the host's, and may come and go. How many ports use one is counted from the ports: there is no count to go wrong.
 */
#include "netd/core/converge.h"
#include "netd/core/core.h"
#include "netd/core/model.h"

/* The network's ports on that device, external ones with those that are only expected. */
unsigned pool_users(const struct network *n, const char *dev);
/*
 * The device with the fewest ports of those that are there, the first of several; in passthrough mode, one without any, of whatever network.
 * p: gets its name and index. Return: 0; ND_LIMIT: passthrough, and all are in use; ND_STATE: none is there.
 */
int pool_choose(const struct core *c, const struct network *n, struct port *p, struct nd_error *e);
/* The devices' names: "eth0, eth1". Return: buf. */
const char *pool_names(const struct network *n, char *buf, size_t size);
bool pool_has(const struct network *n, const char *dev);

/* Row of networks: see converge.h. A start needs one device at least; a network that runs, all of them. */
enum resource_state pool_check(const struct core *c, const void *obj);
int pool_make(struct core *c, void *obj, struct nd_error *e);
#endif

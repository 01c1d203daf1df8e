/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_DEVICE_H
#define ND_CORE_DEVICE_H
/*
 * DOC: the devices that netd makes for ports
 * One row per kind; nothing else in the core asks for the kind. Not of external ports, whose devices are others'.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

struct device_kind {
	const char *noun;
	bool rules; /* its frames pass the bridge family's chains: it has guards and counters there */
	/* As p says, under the name p->ifname. Return: as tap_open. */
	int (*open)(struct core *c, const struct port *p, struct tap_handle *ret, struct nd_error *e);
	/* What was opened, and has not been handed out, goes. */
	void (*discard)(struct core *c, struct tap_handle *h);
	/* Return: enum tap_diff bits, in which have differs from what p wants. */
	unsigned (*diff)(const struct core *c, const struct port *p, const struct nd_link *have);
	int (*put_back)(struct core *c, const struct port *p, unsigned diff, struct nd_error *e);
	/* It carries nothing any more; its holder's files stay valid. Absent is success. */
	int (*drain)(struct core *c, const struct port *p, struct nd_error *e);
};
const struct device_kind *device_of(const struct port *p);
#endif

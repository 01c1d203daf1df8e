// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a port is made of, besides the device that attach opens
 *
 * The device row only puts back: a device is made by attach, which hands its fds out, and ends with its last fd. An external port's device is another's,
 * and while it has none, there is nothing to name in rules.
 */
#include "base/mem.h"
#include "nat/nat.h"
#include "netd/core/converge.h"
#include "netd/core/device.h"
#include "netd/core/guard.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"
#include "netd/core/names.h"
#include "netd/core/plan.h"
#include "netd/core/policy.h"
#include "netd/core/records.h"
#include "netd/core/shaping.h"
#include "netd/core/supervisor.h"
#include "tap/tap.h"

/* A device that is not in the mirror is not seen yet, or gone, which its own event ends. A quarantined one stays drained. */
static unsigned device_difference(const struct core *c, const struct port *p)
{
	const struct nd_link *have = mirror_link(c->mirror, p->ifindex);
	if (!have || p->external || p->state != PORT_ATTACHED)
		return TAP_SAME;
	return device_of(p)->diff(c, p, have);
}

static enum resource_state device_check(const struct core *c, const void *obj)
{
	return device_difference(c, obj) == TAP_SAME ? RESOURCE_OK : RESOURCE_MISSING;
}

static int device_put_back(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	const struct device_kind *kind = device_of(p);
	return kind->put_back(c, p, device_difference(c, p), e) < 0
		       ? nd_wrap(e, "%s '%s'", kind->noun, p->ifname)
		       : 0;
}

static enum resource_state nat_check(const struct core *c, const void *obj)
{
	const struct port *p = obj;
	struct elements want = { .cnt = 0 };
	policy_port(p, &want);
	bool ok = elements_equal(&p->elements, &want) && elements_hold(c->nat, &want);
	elements_done(&want);
	return ok ? RESOURCE_OK : RESOURCE_MISSING;
}

static int nat_make(struct core *c, void *obj, struct nd_error *e)
{
	return guard_put(c, obj, e);
}

static int nat_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	int r = elements_put(c->nat, &p->elements, NULL, e);
	elements_done(&p->elements);
	return r;
}

static int nat_flush(struct core *c, struct nd_error *e)
{
	return nat_commit(c->nat, e) < 0 ? nd_wrap(e, "nftables") : 0;
}

static enum resource_state dhcp_check(const struct core *c, const void *obj)
{
	const struct port *p = obj;
	return p->worker_generation == supervisor_generation(c->supervisor) ? RESOURCE_OK : RESOURCE_MISSING;
}

static int dhcp_make(struct core *c, void *obj, struct nd_error *e)
{
	supervisor_port_set(c->supervisor, obj);
	return 0;
}

static int dhcp_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	supervisor_port_del(c->supervisor, p);
	p->worker_generation = 0;
	return 0;
}

static enum resource_state record_check(const struct core *c, const void *obj)
{
	return ((const struct port *)obj)->recorded ? RESOURCE_OK : RESOURCE_MISSING;
}

static int record_make(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	p->recorded = true;
	p->recorded = records_port_write(c, p, e) == 0;
	return p->recorded ? 0 : e->code;
}

static int record_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	p->recorded = false;
	records_port_remove(c, p);
	return 0;
}

const struct resource port_rows[] = {
	{ "device", device_check, device_put_back, NULL, NULL },
	{ "nft elements", nat_check, nat_make, nat_unmake, nat_flush },
	{ "DHCP binding", dhcp_check, dhcp_make, dhcp_unmake, NULL },
	{ "bandwidth", shaping_port_check, shaping_port_make, shaping_port_unmake, NULL },
	{ "name", names_port_check, names_port_make, names_port_unmake, NULL },
	{ "record", record_check, record_make, record_unmake, NULL },
};
const size_t port_row_cnt = ARRAY_LEN(port_rows);

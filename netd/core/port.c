// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the end of ports, and the guard against their holders (see port.h).
 *
 * Whoever holds a TAP's fd can change its MAC, owner and persistence without a capability. A changed MAC takes another guest's traffic, so it is put
 * back as soon as the kernel tells. A holder that goes on, or whose owner or persistence cannot be put back, gets its port drained: out of the bridge,
 * carrier off. A device that was made persistent is released once nobody holds it.
 */
#include "netd/core/port.h"
#include "base/log.h"
#include "base/mem.h"
#include "nat/nat.h"
#include "netd/core/bind.h"
#include "netd/core/converge.h"
#include "netd/core/device.h"
#include "netd/core/event.h"
#include "netd/core/guard.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "netd/core/plan.h"
#include "netd/core/reaper.h"
#include "netd/core/records.h"
#include "tap/tap.h"
#include <errno.h>

#define TAMPER_WINDOW_MS 1000
#define TAMPER_MAX       20

void port_end(struct core *c, struct port *p, const char *why)
{
	struct nd_error e = ND_ERROR_INIT;
	guard_port_ended(c, p);
	if (converge(c, port_rows, port_row_cnt, p, CONVERGE_STOP, NULL, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "end of port '%s'", p->ifname);
	if (p->external)
		bind_release(c, p);
	events_say(c->events, EVENT_PORT_ENDED, NULL, p, "ended: %s", why);
	/* Between adoption and the filling of the worker its address is not known here. */
	if (p->ip4 || (p->network->plan && p->network->plan->dhcp))
		leases_port_ended(c->leases, &p->network->uuid, &p->identity);
	model_port_remove(c->model, p);
	model_port_free(p);
}

static const struct {
	unsigned bit;
	const char *what;
} tap_words[] = {
	{ TAP_MAC, "MAC address" },    { TAP_MTU, "MTU" },
	{ TAP_MASTER, "bridge" },      { TAP_GROUP, "group" },
	{ TAP_ALIAS, "alias" },        { TAP_DOWN, "state" },
	{ TAP_OWNER, "owner" },        { TAP_PERSIST, "persistence" },
	{ TAP_ISOLATED, "isolation" }, { TAP_LEARNING, "learning" },
	{ TAP_MODE, "mode" },
};

static void describe(unsigned diff, char *buf, size_t size)
{
	size_t used = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(tap_words); i++) {
		if (diff & tap_words[i].bit && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
						 tap_words[i].what);
	}
}

static void quarantine(struct core *c, struct port *p, const char *why)
{
	struct nd_error e = ND_ERROR_INIT;
	p->state = PORT_QUARANTINED;
	if (device_of(p)->drain(c, p, &e) < 0)
		nd_log_error(ND_LOG_ERR, &e, "quarantine of %s '%s'", device_of(p)->noun, p->ifname);
	p->recorded = true;
	p->recorded = records_port_write(c, p, NULL) == 0;
	events_say(
		c->events, EVENT_PORT_TAMPERED, NULL, p,
		"its holder (pid %d, uid %u) changed the device %s: it is taken out of the bridge until it "
		"is attached again",
		(int)p->owner_pid, (unsigned)p->owner_uid, why);
}

/* Return: whether it is still to be put back. */
static bool tamper_count(struct core *c, struct port *p)
{
	uint64_t now = nd_now_ms();
	if (now - p->tamper_window_ms > TAMPER_WINDOW_MS) {
		p->tamper_window_ms = now;
		p->tamper_cnt = 0;
	}
	if (++p->tamper_cnt <= TAMPER_MAX)
		return true;
	char why[64];
	snprintf(why, sizeof why, "more than %d times in a second", TAMPER_MAX);
	quarantine(c, p, why);
	return false;
}

bool port_release(struct core *c, int ifindex)
{
	const struct nd_link *have = mirror_link(c->mirror, ifindex);
	struct nd_error e = ND_ERROR_INIT;
	int fd;
	if (!have || !have->tun_persist)
		return true;
	if (tap_release(c->nl, ifindex, &fd, &e) < 0)
		return e.code == ND_NOT_FOUND || e.sys == ENODEV;
	reaper_close(c->reaper, fd);
	return true;
}

/* A quarantined device is put back no more, but must not outlive its holder. */
static bool quarantined_repair(struct core *c, struct port *p)
{
	bool released = port_release(c, p->ifindex);
	p->repair_fails = !released;
	return released;
}

/* An owner or persistence that stays lets the holder outlive its port: what is not put back at the second try is quarantined. */
static bool must_quarantine(struct core *c, struct port *p, unsigned diff, unsigned applied,
			    const struct nd_error *e)
{
	bool tap_failed = applied == 1u; /* the first row, and the walk ended there */
	if (!(diff & (TAP_OWNER | TAP_PERSIST)) || !tap_failed || e->sys == ENODEV || p->repair_fails == 0)
		return false;
	char text[sizeof(((struct event *)0)->text)], why[sizeof text + 64];
	nd_error_format(e, text, sizeof text);
	snprintf(why, sizeof why, "and that cannot be put back (%s)", text);
	quarantine(c, p, why);
	return true;
}

/* A device in the middle of a change of its surroundings (its bridge is just being deleted) fails once: only a second failure is told. */
static bool repair_failed(struct core *c, struct port *p, const struct nd_error *e)
{
	char text[sizeof(((struct event *)0)->text)];
	if (e->sys == ENODEV) /* it is closing; its end is on the way */
		return true;
	nd_error_format(e, text, sizeof text);
	if (++p->repair_fails == 2)
		events_say(c->events, EVENT_REPAIR_FAILED, NULL, p, "%s", text);
	return false;
}

static void tell_repaired(struct core *c, struct port *p, unsigned diff, bool tampered)
{
	char what[128];
	describe(diff, what, sizeof what);
	if (tampered)
		events_say(c->events, EVENT_PORT_TAMPERED, NULL, p,
			   "somebody changed the device's %s (holder: pid %d, uid %u); it is put back", what,
			   (int)p->owner_pid, (unsigned)p->owner_uid);
	else if (diff)
		events_say(c->events, EVENT_REPAIRED, NULL, p, "%s %s: its %s was changed; it is put back",
			   device_of(p)->noun, p->ifname, what);
}

bool port_repair(struct core *c, struct port *p)
{
	struct nd_error e = ND_ERROR_INIT;
	const struct nd_link *have = mirror_link(c->mirror, p->ifindex);
	unsigned diff = TAP_SAME, applied;
	if (have && !p->external && p->state == PORT_ATTACHED)
		diff = device_of(p)->diff(c, p, have);
	bool tampered = diff & (TAP_MAC | TAP_OWNER | TAP_PERSIST);
	if (tampered && !tamper_count(c, p))
		return quarantined_repair(c, p);
	if (converge(c, port_rows, port_row_cnt, p, CONVERGE_REPAIR, &applied, &e) < 0)
		return must_quarantine(c, p, diff, applied, &e) ? quarantined_repair(c, p)
								: repair_failed(c, p, &e);
	if (p->state == PORT_QUARANTINED)
		return quarantined_repair(c, p);
	p->repair_fails = 0;
	tell_repaired(c, p, diff, tampered);
	return true;
}

int port_drops(struct core *c, const struct port *p, uint64_t ret[NAT_DROP_CNT_], struct nd_error *e)
{
	if (!p->elements.cnt) /* of no device yet */
		return nd_fail(e, ND_NOT_FOUND, "no guards");
	return nat_port_drops(c->nat, &p->elements.p[0].port, ret, e) < 0 ? nd_wrap(e, "port '%s'", p->ifname)
									  : 0;
}

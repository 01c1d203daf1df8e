// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the methods on a port's bandwidth, in libvirt's units: what `virsh domiftune` shows and sets
 */
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/external.h"
#include "netd/core/shaping.h"

/* with_floor: an inbound one. */
static json_t *rate_record(const struct netdef_rate *r, uint64_t floor, bool with_floor)
{
	struct out b = out_new();

	out_int(&b, "average", (long long)r->average);
	out_int(&b, "peak", (long long)r->peak);
	out_int(&b, "burst", (long long)r->burst);
	if (with_floor)
		out_int(&b, "floor", (long long)floor);
	return out_take(&b);
}

static void answer(struct call *call, const struct port *p)
{
	struct nd_error e = ND_ERROR_INIT;
	struct shaping_view v;
	struct out b;

	if (shaping_port_read(call_arg(call), p, &v, &e) < 0) {
		call_fail(call, &e);
		return;
	}
	b = out_new();
	out_object(&b, "inbound", rate_record(&v.bandwidth.inbound, v.bandwidth.floor, true));
	out_object(&b, "outbound", rate_record(&v.bandwidth.outbound, 0, false));
	out_bool(&b, "own", v.own);
	out_bool(&b, "inForce", v.in_force);
	out_string(&b, "queue", v.queue);
	call_reply_new(call, out_take(&b));
}

void method_get_port_bandwidth(struct call *call, const json_t *in)
{
	struct port *p = methods_find_port(call, api_get_string(in, "port"));

	if (p)
		answer(call, p);
}

static int take_number(const json_t *rate, const char *direction, const char *name, uint64_t *ret,
		       struct nd_error *e)
{
	long long v = api_get_int(rate, name, 0);

	if (v < 0)
		return nd_fail(e, ND_INVALID, "%s: %s: %lld is below 0", direction, name, v);
	*ret = (uint64_t)v;
	return 0;
}

/* A direction that is given is taken as a whole. floor: NULL: there is none in this direction. */
static int take_rate(const json_t *in, const char *direction, struct netdef_rate *ret, uint64_t *floor,
		     struct nd_error *e)
{
	const json_t *rate = json_object_get(in, direction);
	uint64_t least = 0;

	if (!json_is_object(rate))
		return 0;
	if (take_number(rate, direction, "average", &ret->average, e) < 0 ||
	    take_number(rate, direction, "peak", &ret->peak, e) < 0 ||
	    take_number(rate, direction, "burst", &ret->burst, e) < 0 ||
	    take_number(rate, direction, "floor", &least, e) < 0)
		return e->code;
	if (!ret->average && (ret->peak || ret->burst))
		return nd_fail(e, ND_INVALID, "%s: a peak or burst needs an average", direction);
	if (least && !floor)
		return nd_fail(e, ND_INVALID, "'floor' attribute allowed only in <inbound> element");
	if (floor)
		*floor = least;
	return 0;
}

void method_set_port_bandwidth(struct call *call, const json_t *in)
{
	struct port *p = methods_find_port(call, api_get_string(in, "port"));
	struct nd_error e = ND_ERROR_INIT;
	struct portdef_bandwidth b;

	if (!p)
		return;
	external_bandwidth(p, &b);
	if (take_rate(in, "inbound", &b.inbound, &b.floor, &e) == 0 &&
	    take_rate(in, "outbound", &b.outbound, NULL, &e) == 0 &&
	    external_set_bandwidth(call_arg(call), p, &b, &e) == 0) {
		answer(call, p);
		return;
	}
	nd_wrap(&e, "port '%s'", p->name[0] ? p->name : p->ifname);
	call_fail(call, &e);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the procedures on ports
 *
 * A port belongs to its network: one that is looked up by another network's uuid is not there.
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/attach.h"
#include "netd/core/external.h"
#include "netd/libvirt/procs.h"

#define LISTED_MAX 16384 /* ports of a network; REMOTE_NETWORK_PORT_LIST_MAX */

static void put_port(struct nd_buf *b, const struct port *p)
{
	xdr_put_network(b, p->network->name, &p->network->uuid);
	xdr_put_uuid(b, &p->uuid);
}

/* NULL: none, and the call is answered and gone. */
static struct port *find_port(struct proc_call *call, const struct network *n, const struct nd_uuid *uuid)
{
	struct port *p = model_port_by_uuid(call->core->model, uuid);
	char text[ND_UUID_STRLEN];

	if (p && p->network == n)
		return p;
	proc_fail(call, LIBVIRT_NO_NETWORK_PORT, "Network port with UUID %s does not exist",
		  nd_uuid_to_string(uuid, text));
	return NULL;
}

/* If not, the call is answered and gone. */
static bool check_active(struct proc_call *call, const struct network *n)
{
	if (n->state == NETWORK_INACTIVE)
		proc_fail(call, LIBVIRT_OPERATION_INVALID, "network '%s' is not active", n->name);
	return n->state != NETWORK_INACTIVE;
}

void proc_list_all_ports(struct proc_call *call, struct network *n)
{
	bool wanted = call->in[1].i != 0;
	const struct port *p;
	struct nd_buf *b;

	if (!check_active(call, n))
		return;
	if (wanted && n->port_cnt > LISTED_MAX) {
		proc_fail(call, LIBVIRT_RPC, "Too many network ports '%u' for limit '%d'", n->port_cnt,
			  LISTED_MAX);
		return;
	}
	b = proc_reply_begin(call);
	if (b) {
		xdr_put_uint(b, wanted ? n->port_cnt : 0);
		nd_list_foreach(p, &n->ports, siblings) {
			if (wanted)
				put_port(b, p);
		}
		xdr_put_uint(b, n->port_cnt);
	}
	proc_reply_end(call);
}

void proc_port_by_uuid(struct proc_call *call, struct network *n)
{
	const struct port *p;
	struct nd_buf *b;

	if (!check_active(call, n))
		return;
	p = find_port(call, n, &call->in[1].uuid);
	if (!p)
		return;
	b = proc_reply_begin(call);
	if (b)
		put_port(b, p);
	proc_reply_end(call);
}

/* ---- making ---- */

enum { CREATE_RECLAIM = 1, CREATE_VALIDATE = 2 };

static void keep_first(void *arg, const struct netdef_warning *w)
{
	struct netdef_warning *first = arg;

	if (!first->line)
		*first = *w;
}

/* With VALIDATE, what would be left out is an error. If it is one, the call is answered and gone. */
static bool check_document(struct proc_call *call)
{
	const char *xml = call->in[1].s;
	struct netdef_warning first = { 0 };
	struct portdef *def = NULL;

	if (!(call->in[2].u & CREATE_VALIDATE) ||
	    portdef_parse(xml, strlen(xml), false, keep_first, &first, &def, NULL) < 0)
		return true; /* the core says why */
	portdef_free(def);
	if (first.line)
		proc_fail(call, LIBVIRT_XML_INVALID_SCHEMA, "line %d: <%s>: %s", first.line, first.element,
			  first.text);
	return !first.line;
}

void proc_port_create_xml(struct proc_call *call, struct network *n)
{
	const struct external_request req = {
		.xml = call->in[1].s,
		.len = strlen(call->in[1].s),
		.reclaim = call->in[2].u & CREATE_RECLAIM,
		.uid = call->session->identity.uid,
		.pid = call->session->identity.pid,
	};
	struct nd_error e = ND_ERROR_INIT;
	struct port *p = NULL;
	struct nd_buf *b;

	/* One that starts when it is used does so now. */
	if ((n->autostart != NETDEF_AUTOSTART_ON_ATTACH && !check_active(call, n)) || !check_document(call))
		return;
	if (external_create(call->core, n, &req, &p, &e) < 0) {
		proc_fail_core(call, &e);
		return;
	}
	b = proc_reply_begin(call);
	if (b)
		put_port(b, p);
	proc_reply_end(call);
}

/* ---- one port ---- */

/* The port that the first value names, of an active network; NULL: none, and the call is answered and gone. */
static struct port *active_port(struct proc_call *call, const struct network *n)
{
	return check_active(call, n) ? find_port(call, n, &call->in[0].port.uuid) : NULL;
}

void proc_port_xml(struct proc_call *call, struct network *n)
{
	const struct port *p = active_port(call, n);
	struct nd_buf xml = { .max = XDR_STRING_MAX };
	struct nd_error e = ND_ERROR_INIT;

	if (!p)
		return;
	if (external_format(p, &xml, &e) < 0)
		proc_fail_core(call, &e);
	else if (xml.bad)
		proc_fail(call, LIBVIRT_NO_MEMORY, "the port's document");
	else
		proc_reply_string(call, nd_buf_string(&xml));
	nd_buf_done(&xml);
}

/* libvirt's parameters and where their values lie, in the order it gives them in. */
static const struct parameter {
	const char *name;
	size_t value, given; /* offsets in struct portdef_bandwidth */
} parameters[] = {
#define AT(field) offsetof(struct portdef_bandwidth, field)
	{ "inbound.average", AT(inbound.average), AT(inbound_given) },
	{ "inbound.peak", AT(inbound.peak), AT(inbound_given) },
	{ "inbound.floor", AT(floor), AT(inbound_given) },
	{ "inbound.burst", AT(inbound.burst), AT(inbound_given) },
	{ "outbound.average", AT(outbound.average), AT(outbound_given) },
	{ "outbound.peak", AT(outbound.peak), AT(outbound_given) },
	{ "outbound.burst", AT(outbound.burst), AT(outbound_given) },
#undef AT
};

static bool parameter_given(const struct parameter *row, const struct portdef_bandwidth *b)
{
	return *(const bool *)((const char *)b + row->given);
}

static uint64_t *parameter_value(const struct parameter *row, struct portdef_bandwidth *b)
{
	return (uint64_t *)((char *)b + row->value);
}

void proc_port_get_parameters(struct proc_call *call, struct network *n)
{
	const struct port *p = active_port(call, n);
	struct portdef_bandwidth bandwidth;
	struct nd_buf *b;
	uint32_t cnt = 0;

	if (!p)
		return;
	external_bandwidth(p, &bandwidth);
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
		cnt += parameter_given(&parameters[i], &bandwidth);
	b = proc_reply_begin(call);
	if (b) {
		xdr_put_uint(b, cnt);
		for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
			uint64_t v = *parameter_value(&parameters[i], &bandwidth);

			if (parameter_given(&parameters[i], &bandwidth))
				xdr_put_param_uint(b, parameters[i].name,
						   v < UINT32_MAX ? (uint32_t)v : UINT32_MAX);
		}
		xdr_put_int(b, (int32_t)cnt);
	}
	proc_reply_end(call);
}

/* All of the bandwidth is said anew; what is not among the parameters is no more. Unknown ones are left out, as in libvirt. */
void proc_port_set_parameters(struct proc_call *call, struct network *n)
{
	const struct xdr_params *in = &call->in[1].params;
	struct port *p = active_port(call, n);
	struct portdef_bandwidth bandwidth = { .given = true };
	struct nd_error e = ND_ERROR_INIT;

	if (!p)
		return;
	for (size_t i = 0; i < in->cnt; i++)
		for (size_t row = 0; row < ARRAY_LEN(parameters); row++)
			if (in->list[i].type == XDR_PARAM_UINT &&
			    strcmp(in->list[i].name, parameters[row].name) == 0)
				*parameter_value(&parameters[row], &bandwidth) = in->list[i].bits;
	if (external_set_bandwidth(call->core, p, &bandwidth, &e) < 0)
		proc_fail_core(call, &e);
	else
		proc_reply_void(call);
}

void proc_port_delete(struct proc_call *call, struct network *n)
{
	struct nd_error e = ND_ERROR_INIT;
	struct port *p = active_port(call, n);

	if (!p)
		return;
	if (attach_end(call->core, p, &e) < 0)
		proc_fail_core(call, &e);
	else
		proc_reply_void(call);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the procedures on ports
 *
 * A port belongs to its network: one that is looked up by another network's uuid is not there.
 */
#include "base/mem.h"
#include "netd/core/attach.h"
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

void proc_port_delete(struct proc_call *call, struct network *n)
{
	struct nd_error e = ND_ERROR_INIT;
	struct port *p;

	if (!check_active(call, n))
		return;
	p = find_port(call, n, &call->in[0].port.uuid);
	if (!p)
		return;
	if (attach_end(call->core, p, &e) < 0)
		proc_fail_core(call, &e);
	else
		proc_reply_void(call);
}

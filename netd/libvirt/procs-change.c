// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the procedures that change a part of a network
 *
 * Numbers of commands, sections, kinds of metadata and targets are libvirt's on both sides. The arguments live as long as the call.
 */
#include "netd/libvirt/needs.h"
#include "netd/libvirt/procs.h"

static void on_changed(void *arg, struct network *n, const struct nd_error *e)
{
	if (e->code)
		proc_fail_core(arg, e);
	else
		proc_reply_void(arg);
}

void proc_network_update(struct proc_call *call, struct network *n)
{
	const struct change_update u = {
		.command = call->in[1].i,
		.section = call->in[2].i,
		.parent = call->in[3].i,
		.xml = call->in[4].s,
		.targets = call->in[5].u,
	};

	if (change_update)
		change_update(call->core, n, &u, (struct network_done){ on_changed, call });
	else
		proc_fail(call, LIBVIRT_NO_SUPPORT, "%s", call->row->api);
}

void proc_network_set_metadata(struct proc_call *call, struct network *n)
{
	const struct change_metadata m = {
		.type = (enum change_metadata_type)call->in[1].i,
		.value = call->in[2].s,
		.key = call->in[3].s,
		.uri = call->in[4].s,
		.targets = call->in[5].u,
	};

	if (call->in[1].i < CHANGE_DESCRIPTION || call->in[1].i > CHANGE_ELEMENT)
		proc_fail(call, LIBVIRT_INVALID_ARG, "unknown metadata type %d", call->in[1].i);
	else if (change_metadata)
		change_metadata(call->core, n, &m, (struct network_done){ on_changed, call });
	else
		proc_fail(call, LIBVIRT_NO_SUPPORT, "%s", call->row->api);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the procedures that change a part of a network
 *
 * Numbers of commands, sections, kinds of metadata and targets are libvirt's on both sides. The arguments
 * live as long as the call.
 */
#include "base/mem.h"
#include "netd/core/change.h"
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

	change_update(call->core, n, &u, (struct network_done){ on_changed, call, proc_again });
}

/* If not, the call is answered and gone. */
static bool check_type(struct proc_call *call)
{
	int32_t type = call->in[1].i;
	bool ok = type >= CHANGE_DESCRIPTION && type <= CHANGE_ELEMENT;

	if (!ok)
		proc_fail(call, LIBVIRT_INVALID_ARG, "unknown metadata type %d", type);
	return ok;
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

	if (check_type(call))
		change_metadata(call->core, n, &m, (struct network_done){ on_changed, call, proc_again });
}

void proc_network_get_metadata(struct proc_call *call, struct network *n)
{
	nd_autofree char *text = NULL;
	struct nd_error e = ND_ERROR_INIT;

	if (!check_type(call))
		return;
	if (change_metadata_get(n, (enum change_metadata_type)call->in[1].i, call->in[2].s, call->in[3].u,
				&text, &e) < 0)
		proc_fail_core(call, &e);
	else
		proc_reply_string(call, text);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_PROCS_H
#define ND_LIBVIRT_PROCS_H
/*
 * The procedures of the remote program: one row each. A new one is a row in procs.c and its function in
 * procs-*.c.
 */
#include "netd/libvirt/call.h"

#define PROC_LAST 453 /* the highest number libvirt has given out, and what this table's length is */

enum proc_flag {
	PROC_WRITE = 1,       /* changes something: refused to read-only clients */
	PROC_BEFORE_AUTH = 2, /* may come first */
	PROC_BEFORE_OPEN = 4, /* may come before OPEN */
	/*
	 * Failures have codes of their own where a definition is read, a part of it is changed, or a text of
	 * it is asked for.
	 */
	PROC_DEFINITION = 8,
	PROC_UPDATE = 16,
	PROC_METADATA = 32,
	PROC_PORT = 64, /* as PROC_DEFINITION, of a port */
};
struct proc_row {
	const char *name;     /* libvirt's, without REMOTE_PROC_; NULL: not in the table */
	const char *in, *out; /* signatures, xdr.h */
	/*
	 * n: the network that the first value names (N, P), found by its uuid; else NULL. NULL: known, not
	 * supported yet.
	 */
	void (*call)(struct proc_call *call, struct network *n);
	unsigned flags;
	const char *api;      /* the function of libvirt's library, which texts name */
	uint32_t known_flags; /* of a signature that ends in u: all else in that value is refused */
};
/* Rows up to PROC_LAST; NULL beyond it. */
const struct proc_row *proc_row(uint32_t number);

enum {
	PROC_AUTH_LIST = 66,
	PROC_EVENT_LIFECYCLE = 315,
	PROC_EVENT_METADATA_CHANGE = 446,
};

/*
 * Decodes the call's arguments, checks them as far as its row says, and calls its function. The call is
 * answered and gone, or will be.
 */
void proc_dispatch(struct proc_call *call, struct nd_reader body);
/* Calls its function anew, as if it came now, unless its client is gone. arg: the call; it is not answered. */
void proc_again(void *arg);
/* The network that ref names, by its uuid. NULL: none, and the call is answered and gone. */
struct network *proc_network(struct proc_call *call, const struct xdr_network *ref);
/* Of a session's end. */
void procs_event_forget(struct libvirt_session *s);

/* procs-connect.c */
void proc_open(struct proc_call *call, struct network *n);
void proc_close(struct proc_call *call, struct network *n);
void proc_get_type(struct proc_call *call, struct network *n);
void proc_supports_feature(struct proc_call *call, struct network *n);
void proc_auth_list(struct proc_call *call, struct network *n);
void proc_auth_polkit(struct proc_call *call, struct network *n);
void proc_auth_sasl(struct proc_call *call, struct network *n);
void proc_get_uri(struct proc_call *call, struct network *n);
void proc_get_lib_version(struct proc_call *call, struct network *n);
void proc_is_secure(struct proc_call *call, struct network *n);
void proc_close_callback_register(struct proc_call *call, struct network *n);
void proc_close_callback_unregister(struct proc_call *call, struct network *n);
void proc_set_identity(struct proc_call *call, struct network *n);
void proc_count_none(struct proc_call *call, struct network *n);
void proc_list_none(struct proc_call *call, struct network *n);
/* procs-network.c */
void proc_num_of_networks(struct proc_call *call, struct network *n);
void proc_list_networks(struct proc_call *call, struct network *n);
void proc_num_of_defined_networks(struct proc_call *call, struct network *n);
void proc_list_defined_networks(struct proc_call *call, struct network *n);
void proc_list_all_networks(struct proc_call *call, struct network *n);
void proc_network_by_name(struct proc_call *call, struct network *n);
void proc_network_by_uuid(struct proc_call *call, struct network *n);
void proc_network_define(struct proc_call *call, struct network *n);
void proc_network_create_xml(struct proc_call *call, struct network *n);
void proc_network_create(struct proc_call *call, struct network *n);
void proc_network_destroy(struct proc_call *call, struct network *n);
void proc_network_undefine(struct proc_call *call, struct network *n);
void proc_network_xml(struct proc_call *call, struct network *n);
void proc_network_get_autostart(struct proc_call *call, struct network *n);
void proc_network_set_autostart(struct proc_call *call, struct network *n);
void proc_network_bridge(struct proc_call *call, struct network *n);
void proc_network_is_active(struct proc_call *call, struct network *n);
void proc_network_is_persistent(struct proc_call *call, struct network *n);
void proc_network_leases(struct proc_call *call, struct network *n);
/* procs-change.c */
void proc_network_update(struct proc_call *call, struct network *n);
void proc_network_set_metadata(struct proc_call *call, struct network *n);
void proc_network_get_metadata(struct proc_call *call, struct network *n);
/* procs-port.c */
void proc_list_all_ports(struct proc_call *call, struct network *n);
void proc_port_by_uuid(struct proc_call *call, struct network *n);
void proc_port_create_xml(struct proc_call *call, struct network *n);
void proc_port_get_parameters(struct proc_call *call, struct network *n);
void proc_port_set_parameters(struct proc_call *call, struct network *n);
void proc_port_xml(struct proc_call *call, struct network *n);
void proc_port_delete(struct proc_call *call, struct network *n);
/* procs-event.c */
void proc_event_register(struct proc_call *call, struct network *n);
void proc_event_deregister(struct proc_call *call, struct network *n);
void procs_on_event(struct event_subscriber *sub, const struct event *ev);
#endif

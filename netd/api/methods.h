/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_API_METHODS_H
#define ND_API_METHODS_H
/*
 * The methods of io.netd and org.varlink.service, and how the core's objects look in JSON. call_arg is the
 * struct core.
 */
#include "netd/api/call.h"
#include "netd/core/core.h"
#include "netd/core/model.h"

extern const struct call_table methods_tables[];
extern const size_t methods_table_cnt;

/* An object being built; after a failed allocation `bad` stays set. */
struct out {
	json_t *o;
	bool bad;
};
struct out out_new(void);
void out_string(struct out *b, const char *key, const char *s); /* NULL or "": left out */
void out_int(struct out *b, const char *key, long long v);
void out_bool(struct out *b, const char *key, bool v);
void out_object(struct out *b, const char *key, json_t *v /* taken */); /* NULL: ENOMEM */
json_t *out_take(struct out *b);                                        /* NULL after a failure */

json_t *methods_network(const struct network *n); /* io.netd Network, or NULL on ENOMEM */
/* A network_done of a call whose reply is the network, or the error; arg: the call. */
void methods_on_network(void *arg, struct network *n, const struct nd_error *e);
json_t *methods_port(const struct port *p); /* io.netd Port */
/* By name or uuid. On failure (NULL) the call has been answered. */
struct network *methods_find_network(struct call *call, const char *key);
/* By uuid, name, interface or MAC. On failure (NULL) the call has been answered. */
struct port *methods_find_port(struct call *call, const char *key);
/* A MAC parameter; NULL is fine (*ret_set false). Return: false when the call has been answered. */
bool methods_mac(struct call *call, const char *word, struct nd_mac *ret, bool *ret_set);

void method_get_version(struct call *call, const json_t *in);
void method_get_counters(struct call *call, const json_t *in);
void method_reload(struct call *call, const json_t *in);
void method_get_info(struct call *call, const json_t *in);
void method_get_interface_description(struct call *call, const json_t *in);
/* methods-network.c */
void method_list_networks(struct call *call, const json_t *in);
void method_get_network(struct call *call, const json_t *in);
void method_dump_network(struct call *call, const json_t *in);
void method_define_network(struct call *call, const json_t *in);
void method_create_network(struct call *call, const json_t *in);
void method_start_network(struct call *call, const json_t *in);
void method_destroy_network(struct call *call, const json_t *in);
void method_undefine_network(struct call *call, const json_t *in);
void method_set_autostart(struct call *call, const json_t *in);
void method_list_leases(struct call *call, const json_t *in);
void method_release_lease(struct call *call, const json_t *in);
/* methods-change.c */
void method_update_network(struct call *call, const json_t *in);
void method_get_metadata(struct call *call, const json_t *in);
void method_set_metadata(struct call *call, const json_t *in);
void method_plan_network(struct call *call, const json_t *in);
void method_apply_network(struct call *call, const json_t *in);
/* methods-port.c */
void method_list_ports(struct call *call, const json_t *in);
void method_get_port(struct call *call, const json_t *in);
void method_attach(struct call *call, const json_t *in);
void method_create_port(struct call *call, const json_t *in);
void method_dump_port(struct call *call, const json_t *in);
void method_detach(struct call *call, const json_t *in);
/* methods-forward.c */
void method_add_forward(struct call *call, const json_t *in);
void method_remove_forward(struct call *call, const json_t *in);
void method_list_forwards(struct call *call, const json_t *in);
/* methods-bandwidth.c */
void method_get_port_bandwidth(struct call *call, const json_t *in);
void method_set_port_bandwidth(struct call *call, const json_t *in);
/* methods-hostbridge.c */
void method_create_host_bridge(struct call *call, const json_t *in);
void method_confirm_host_bridge(struct call *call, const json_t *in);
void method_remove_host_bridge(struct call *call, const json_t *in);
void method_list_host_bridges(struct call *call, const json_t *in);
/* methods-event.c */
void method_monitor(struct call *call, const json_t *in);
/* methods-doctor.c */
void method_doctor(struct call *call, const json_t *in);
void method_explain(struct call *call, const json_t *in);
#endif

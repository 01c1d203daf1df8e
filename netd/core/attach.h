/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_ATTACH_H
#define ND_CORE_ATTACH_H
/*
 * DOC: attaching a guest
 * Wakes the network (autostart on-attach), makes the port and its TAP, and gives the open fds out. netd keeps none.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

struct attach_request {
	const char *network; /* name or uuid */
	const char *name;    /* port name, NULL or "" none */
	bool mac_set;
	struct nd_mac mac;     /* unicast */
	const char *portgroup; /* of the network; NULL or "": its default one, or none */
	const char *ifname;    /* wanted TAP name, NULL: vnet%d */
	uint16_t queue_cnt;    /* 1 … TAP_QUEUES_MAX */
	bool vnet_hdr;
	bool mac_guard; /* false: the VMM gives the guest a MAC netd does not know (QEMU's bridge helper) */
	uid_t uid;
	pid_t pid;
};
/* port borrowed; fds (cnt of them) are the callee's to send and close. On failure port NULL, cnt 0. */
struct attach_done {
	void (*fn)(void *arg, struct port *port, int *fds, size_t cnt, const struct nd_error *e);
	void *arg;
};
void attach(struct core *c, const struct attach_request *req, struct attach_done done);
/* An inactive network with autostart=on-attach starts now. ND_STATE: it is inactive and has not; or what the start failed with. */
int attach_wake(struct core *c, struct network *n, struct nd_error *e);
/* Whether name can be a port's: ND_INVALID with what is wrong. */
int attach_check_name(const char *name, struct nd_error *e);
/* Ends a port: its device is drained (never deleted under its holder) and forgotten; an external port's is left as it is. */
int attach_end(struct core *c, struct port *p, struct nd_error *e);
#endif

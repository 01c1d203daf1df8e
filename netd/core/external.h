/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_EXTERNAL_H
#define ND_CORE_EXTERNAL_H
/*
 * DOC: ports as <networkport>
 *
 * A program that makes its guests' devices itself, as libvirt's QEMU driver does, announces each to its network, is told where to plug the device in,
 * and deletes the port when the guest is gone. The port lives until then, or until its network ends: its device may come and go (bind.h). Every port,
 * netd's own too, can be written as such a document, and has a bandwidth.
 */
#include "base/bytes.h"
#include "netd/core/core.h"
#include "netd/core/model.h"

struct external_request {
	const char *xml; /* <networkport>, len bytes, borrowed */
	size_t len;
	bool reclaim; /* the device is plugged in already and the document says where: the port's loss is made good */
	bool validate;                                           /* what would be a warning is an error */
	void (*warn)(void *arg, const struct netdef_warning *w); /* may be NULL */
	void *arg;
	uid_t uid;
	pid_t pid;
};
/*
 * Makes the port; an inactive network with autostart=on-attach is started. *ret: borrowed.
 * Return: 0; ND_PARSE, ND_INVALID the document; ND_STATE the network is not active, or its bandwidth does not suffice for the floor; ND_EXISTS uuid or
 * MAC address taken; ND_UNSUPPORTED; ND_LIMIT; ND_MEMORY; or why the network does not start. Texts are libvirt's where it has them.
 */
int external_create(struct core *c, struct network *n, const struct external_request *req, struct port **ret,
		    struct nd_error *e);
/* Appends p's <networkport>. One of netd's own has its name as the owner's, and its uuid. Return: 0, ND_MEMORY. */
int external_format(const struct port *p, struct nd_buf *out, struct nd_error *e);
/*
 * p's bandwidth from now on, put in force by p's rows. b: given and class ids are not looked at. Return: 0; ND_UNSUPPORTED, ND_STATE a floor that
 * cannot be, p is as it was; or what putting it in force failed with.
 */
int external_set_bandwidth(struct core *c, struct port *p, const struct portdef_bandwidth *b,
			   struct nd_error *e);
/* What p is to have: its own where one was given, else its portgroup's. */
void external_bandwidth(const struct port *p, struct portdef_bandwidth *ret);
/* The portgroup p is in: the one its definition names, without one the default. NULL: none. Borrowed from the network's live definition. */
const struct netdef_portgroup *external_portgroup(const struct port *p);
/* Sets identity and name of p, which has its definition and is in no model, for network n. */
void external_identify(const struct core *c, const struct network *n, struct port *p);
#endif

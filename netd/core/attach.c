// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: attaching a guest (see attach.h).
 *
 * Everything is done before the fds leave: the device, its nft elements, the worker's knowledge of it, the record. A port's uuid is derived from its
 * network and its name, or its MAC where it has no name: a guest that comes back is the same port, and its lease is still its own.
 */
#include "netd/core/attach.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/choose.h"
#include "netd/core/converge.h"
#include "netd/core/device.h"
#include "netd/core/event.h"
#include "netd/core/holders.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "netd/core/monitor.h"
#include "netd/core/network.h"
#include "netd/core/plan.h"
#include "netd/core/pool.h"
#include "netd/core/port.h"
#include "netd/core/reaper.h"
#include <ctype.h>
#include <errno.h>

#define BRIDGE_PORTS_MAX \
	1023 /* the kernel's BR_MAX_PORTS (1 << 10), port numbers from 1: net/bridge/br_private.h */
#define CLOSING_MAX    64 /* they are gone within 0.2 s */
#define TAP_NAME_TRIES 64 /* names another program may take between our choice and the kernel's */

int attach_check_name(const char *name, struct nd_error *e)
{
	if (strlen(name) >= PORT_NAME_MAX)
		return nd_fail(e, ND_INVALID, "port name '%.20s...' is longer than %d characters", name,
			       PORT_NAME_MAX - 1);
	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return nd_fail(e, ND_INVALID,
				       "port name '%s': only letters, digits, '-', '_' and '.' are allowed",
				       name);
	}
	if (!isalnum((unsigned char)name[0]))
		return nd_fail(e, ND_INVALID, "port name '%s' must start with a letter or digit", name);
	return 0;
}

static int check_ifname(const struct core *c, const char *ifname, struct nd_error *e)
{
	size_t len = strlen(ifname);
	if (len == 0 || len >= ND_IFNAMSIZ || strpbrk(ifname, "/:% \t\n") || !strcmp(ifname, ".") ||
	    !strcmp(ifname, ".."))
		return nd_fail(e, ND_INVALID, "'%.20s' cannot be an interface name", ifname);
	if (mirror_link_by_name(c->mirror, ifname))
		return nd_fail(e, ND_EXISTS, "interface '%s' exists already", ifname);
	return 0;
}

/* The TAP's own MAC is the guest's with fe first (plan.c): a bridge keeps frames to that one for itself. libvirt refuses it too. */
static int check_mac(const struct nd_mac *mac, struct nd_error *e)
{
	char text[ND_MAC_STRLEN];
	if (nd_mac_is_multicast(mac) || nd_mac_is_zero(mac))
		return nd_fail(e, ND_INVALID, "the MAC address must be a unicast one");
	if (mac->b[0] == 0xfe)
		return nd_fail(e, ND_INVALID,
			       "MAC address %s cannot be a guest's: its TAP would have the same; MACs that "
			       "begin with fe are the TAPs'",
			       nd_mac_to_string(mac, text));
	return 0;
}

static int check_request(const struct core *c, const struct attach_request *req, struct nd_error *e)
{
	if (req->queue_cnt < 1 || req->queue_cnt > TAP_QUEUES_MAX)
		return nd_fail(e, ND_INVALID, "queues must be 1 to %d", TAP_QUEUES_MAX);
	if (req->mac_set && check_mac(&req->mac, e) < 0)
		return e->code;
	if (req->name && *req->name && attach_check_name(req->name, e) < 0)
		return e->code;
	return req->ifname ? check_ifname(c, req->ifname, e) : 0;
}

static void on_woken(void *arg, struct network *n, const struct nd_error *e)
{
	nd_error_copy(arg, e);
}

int attach_wake(struct core *c, struct network *n, struct nd_error *e)
{
	if (n->state != NETWORK_INACTIVE)
		return 0;
	if (n->autostart != NETDEF_AUTOSTART_ON_ATTACH)
		return nd_fail(e, ND_STATE, "network '%s' is not active; start it with: netdctl net-start %s",
			       n->name, n->name);
	network_start(c, n, (struct network_done){ on_woken, e }); /* a start never waits */
	return e->code;
}

static void choose_uuid(const struct network *n, const struct attach_request *req, struct nd_uuid *ret)
{
	struct nd_uuid random;
	if (req->name && *req->name) {
		nd_uuid_from_name(&n->uuid, req->name, strlen(req->name), ret);
	} else if (req->mac_set) {
		nd_uuid_from_name(&n->uuid, req->mac.b, sizeof req->mac.b, ret);
	} else {
		nd_uuid_random(&random);
		nd_uuid_from_name(&n->uuid, random.b, sizeof random.b, ret);
	}
}

static int refuse_taken(const struct core *c, const struct network *n, const struct nd_uuid *uuid,
			const struct attach_request *req, struct nd_error *e)
{
	const struct port *p = model_port_by_uuid(c->model, uuid), *other;
	char mac[ND_MAC_STRLEN];
	if (p)
		return nd_fail(e, ND_BUSY,
			       "port '%s' is attached already: interface %s, held by pid %d (uid %u)",
			       p->name[0] ? p->name : nd_mac_to_string(&p->mac, mac), p->ifname,
			       (int)p->owner_pid, (unsigned)p->owner_uid);
	nd_list_foreach(other, &n->ports, siblings) {
		if (req->mac_set && nd_mac_equal(&other->mac, &req->mac))
			return nd_fail(e, ND_EXISTS,
				       "MAC address %s is that of another port: interface %s, held by pid %d "
				       "(uid %u)",
				       nd_mac_to_string(&req->mac, mac),
				       other->ifname[0] ? other->ifname : "none yet", (int)other->owner_pid,
				       (unsigned)other->owner_uid);
		if (req->name && *req->name && !strcmp(other->name, req->name))
			return nd_fail(e, ND_EXISTS, "port name '%s' is that of another program's port",
				       req->name);
	}
	return 0;
}

/* Asked before the device is made: to take one away again costs 17 ms. */
static int check_room(const struct core *c, const struct network *n, struct nd_error *e)
{
	if (reaper_backlog(c->reaper) > CLOSING_MAX)
		return nd_fail(
			e, ND_LIMIT,
			"more than %d devices of clients that went away are still being closed; try again",
			CLOSING_MAX);
	if (n->plan->pool || n->port_cnt + n->foreign_ports < BRIDGE_PORTS_MAX)
		return 0;
	return nd_fail(e, ND_LIMIT, "bridge '%s' is full: %u ports", n->bridge,
		       n->port_cnt + n->foreign_ports);
}

/* libvirt takes a name that is none for no portgroup; a guest whose VLAN is a typing error had better not start. */
static int check_portgroup(const struct network *n, const char *portgroup, struct nd_error *e)
{
	if (!portgroup || (network_plan_group(n->plan, portgroup) &&
			   strlen(portgroup) < sizeof(((struct port *)0)->portgroup)))
		return 0;
	return nd_fail(e, ND_NOT_FOUND, "it has no portgroup '%.64s'", portgroup);
}

static int choose_macvtap(const struct core *c, const struct network *n, const struct attach_request *req,
			  struct port *p, struct nd_error *e)
{
	if (!req->mac_set && !req->mac_guard)
		return nd_fail(e, ND_UNSUPPORTED,
			       "a macvtap takes in frames to its own MAC address only: the guest's must be "
			       "given");
	p->device = PORT_DEVICE_MACVTAP;
	return pool_choose(c, n, p, e);
}

static struct port *new_port(struct core *c, struct network *n, const struct attach_request *req,
			     struct nd_error *e)
{
	struct nd_uuid uuid;
	choose_uuid(n, req, &uuid);
	if (check_portgroup(n, req->portgroup, e) < 0 || check_room(c, n, e) < 0 ||
	    refuse_taken(c, n, &uuid, req, e) < 0)
		return NULL;
	struct port *p = model_port_new(&uuid);
	if (!p) {
		nd_fail(e, ND_MEMORY, "port");
		return NULL;
	}
	p->network = n;
	nd_strcpy(p->name, sizeof p->name, req->name ? req->name : "");
	nd_strcpy(p->portgroup, sizeof p->portgroup, req->portgroup ? req->portgroup : "");
	p->queue_cnt = req->queue_cnt;
	p->vnet_hdr = req->vnet_hdr;
	p->mac_guard = req->mac_guard;
	p->owner_uid = req->uid;
	p->owner_pid = req->pid;
	p->since_s = nd_wall_s();
	p->state = PORT_ATTACHED;
	if (req->mac_set)
		p->mac = req->mac;
	else
		choose_port_mac(n, &uuid, &p->mac);
	if (choose_mark(c, &p->mark, e) < 0 || (n->plan->pool && choose_macvtap(c, n, req, p, e) < 0)) {
		model_port_free(p);
		return NULL;
	}
	return p;
}

static int open_device(struct core *c, struct port *p, const char *ifname, struct tap_handle *ret,
		       struct nd_error *e)
{
	for (int tries = 0;; tries++) {
		struct nd_error failed = ND_ERROR_INIT;
		if (ifname)
			nd_strcpy(p->ifname, sizeof p->ifname, ifname);
		else
			choose_tap_name(c, p->ifname);
		int r = device_of(p)->open(c, p, ret, &failed);
		if (r == 0) {
			p->ifindex = ret->ifindex;
			return 0;
		}
		if (r != ND_EXISTS || ifname || tries == TAP_NAME_TRIES) {
			nd_error_copy(e, &failed);
			return r;
		}
	}
}

static int make(struct core *c, struct network *n, const struct attach_request *req, struct port **ret,
		struct tap_handle *tap, struct nd_error *e)
{
	if (!n->ifindex && !n->plan->pool)
		return nd_fail(e, ND_STATE, "its bridge '%s' is not there", n->bridge);
	struct port *p = new_port(c, n, req, e);
	if (!p)
		return e->code;
	if (open_device(c, p, req->ifname, tap, e) < 0) {
		model_port_free(p);
		return e->code;
	}
	if (model_port_add(c->model, n, p) < 0) {
		nd_fail(e, ND_MEMORY, "port");
	} else if (converge(c, port_rows, port_row_cnt, p, CONVERGE_START, NULL, e) < 0) {
		model_port_remove(c->model, p);
	} else {
		*ret = p;
		return 0;
	}
	device_of(p)->discard(c, tap);
	model_port_free(p);
	return e->code;
}

void attach(struct core *c, const struct attach_request *req, struct attach_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct tap_handle tap = { .fd_cnt = 0 };
	struct port *p = NULL;
	holders_sync(c->holders);
	monitor_sync(c); /* a guest that comes back finds its old port ended */
	struct network *n = model_network_find(c->model, req->network);
	if (!n)
		model_network_absent(c->model, req->network, &e);
	else if (check_request(c, req, &e) == 0 && attach_wake(c, n, &e) == 0 &&
		 make(c, n, req, &p, &tap, &e) < 0)
		nd_wrap(&e, "network '%s'", n->name);
	if (e.code) {
		done.fn(done.arg, NULL, NULL, 0, &e);
		return;
	}
	leases_port_back(c->leases, &p->identity);
	done.fn(done.arg, p, tap.fds, tap.fd_cnt, &e);
	p = model_port_by_ifindex(c->model, tap.ifindex); /* done may have ended it */
	if (p)
		events_say(c->events, EVENT_PORT_ATTACHED, NULL, p, "attached as %s by pid %d (uid %u)",
			   p->ifname, (int)req->pid, (unsigned)req->uid);
}

int attach_end(struct core *c, struct port *p, struct nd_error *e)
{
	if (p->external) {
		port_end(c, p, "it was deleted");
		return 0;
	}
	const struct device_kind *kind = device_of(p);
	int r = kind->drain(c, p, e) < 0 ? nd_wrap(e, "%s '%s'", kind->noun, p->ifname) : 0;
	port_end(c, p, "it was detached");
	return r;
}

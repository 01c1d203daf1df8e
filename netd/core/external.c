// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: ports as <networkport> (see external.h).
 *
 * What a document leaves out comes from its portgroup and network, as in libvirt's networkAllocatePort. Where netd means to differ:
 *
 * - A reclaimed port is told the bridge the network has now, not the one it had: a program that plugs its device in again finds it.
 * - A MAC address that begins with fe, or is zero, is refused: the bridge would keep the guest's frames.
 * - Two external ports of one network may have one MAC address (a guest's old port that nobody deleted); leases are the first one's.
 */
#include "netd/core/external.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/attach.h"
#include "netd/core/bind.h"
#include "netd/core/choose.h"
#include "netd/core/converge.h"
#include "netd/core/event.h"
#include "netd/core/leases.h"
#include "netd/core/monitor.h"
#include "netd/core/pool.h"

#define CLASS_ID_MIN 3 /* 1 and 2 are the network's own */

/* ---- from the network ---- */

static const struct netdef_portgroup *find_portgroup(const struct netdef *live, const char *name)
{
	const struct netdef_rare *x = netdef_rare(live);
	for (size_t i = 0; i < x->portgroup_cnt; i++) {
		const struct netdef_portgroup *g = &x->portgroups[i];
		if (name ? !strcmp(g->name, name) : g->is_default)
			return g;
	}
	return NULL;
}

const struct netdef_portgroup *external_portgroup(const struct port *p)
{
	return p->network->live ? find_portgroup(p->network->live, p->portgroup[0] ? p->portgroup : NULL)
				: NULL;
}

static void from_group(const struct netdef_portgroup *g, struct portdef_bandwidth *ret)
{
	*ret = (struct portdef_bandwidth){
		.inbound = g->bandwidth.inbound,
		.outbound = g->bandwidth.outbound,
		.inbound_given = g->bandwidth.inbound.average > 0,
		.outbound_given = g->bandwidth.outbound.average > 0,
	};
	ret->given = ret->inbound_given || ret->outbound_given;
}

void external_bandwidth(const struct port *p, struct portdef_bandwidth *ret)
{
	const struct netdef_portgroup *g = external_portgroup(p);
	*ret = (struct portdef_bandwidth){ .given = false };
	if (p->def)
		*ret = p->def->bandwidth;
	else if (g)
		from_group(g, ret);
}

static uint8_t first_said(uint8_t a, uint8_t b, uint8_t c)
{
	return a != NETDEF_UNSAID ? a : b != NETDEF_UNSAID ? b : c;
}

/* What def leaves out. */
static int inherit(struct portdef *def, const struct netdef *live, struct nd_error *e)
{
	static const struct netdef_portgroup no_group;
	const struct netdef_rare *x = netdef_rare(live);
	const struct netdef_portgroup *g = find_portgroup(live, def->group);
	if (!g)
		g = &no_group;
	if (!def->bandwidth.given)
		from_group(g, &def->bandwidth);
	def->trust_rx_filters =
		first_said(def->trust_rx_filters, g->trust_rx_filters, live->trust_rx_filters);
	def->isolated = first_said(def->isolated, live->isolated, NETDEF_UNSAID);
	bool ok = true;
	if (def->vlan.tag_cnt == 0)
		ok = portdef_vlan_copy(&def->vlan, g->vlan.tag_cnt ? &g->vlan : &x->vlan);
	if (ok && !portdef_virtualport_given(&def->virtualport))
		ok = portdef_virtualport_copy(&def->virtualport, portdef_virtualport_given(&g->virtualport)
									 ? &g->virtualport
									 : &x->virtualport);
	return ok ? 0 : nd_fail(e, ND_MEMORY, "port");
}

/* ---- where it is plugged in ---- */

/* What each forward mode gives a port, and which virtualports it can have; words: how the refusal calls the mode. */
static const struct plug_row {
	enum portdef_plug plug;
	enum portdef_direct mode;
	unsigned virtualports; /* bits of enum netdef_virtualport_type */
	const char *words;
} plug_rows[] = {
#define BIT(t) (1u << (NETDEF_VIRTUALPORT_##t))
#define VIRTUAL                                                  \
	{                                                        \
		PORTDEF_PLUG_NETWORK, 0, 0, "uses IP forwarding" \
	}
#define DIRECT(m)                                                                     \
	{                                                                             \
		PORTDEF_PLUG_DIRECT, PORTDEF_DIRECT_##m, BIT(8021QBG) | BIT(8021QBH), \
			"uses a macvtap device"                                       \
	}
	[NETDEF_FORWARD_NONE] = VIRTUAL,
	[NETDEF_FORWARD_NAT] = VIRTUAL,
	[NETDEF_FORWARD_ROUTE] = VIRTUAL,
	[NETDEF_FORWARD_OPEN] = VIRTUAL,
	[NETDEF_FORWARD_BRIDGE] = DIRECT(BRIDGE),
	[NETDEF_FORWARD_PRIVATE] = DIRECT(PRIVATE),
	[NETDEF_FORWARD_VEPA] = DIRECT(VEPA),
	[NETDEF_FORWARD_PASSTHROUGH] = DIRECT(PASSTHROUGH),
	[NETDEF_FORWARD_HOSTDEV] = { PORTDEF_PLUG_PCI, 0, BIT(8021QBG) | BIT(8021QBH),
				     "uses an SR-IOV Virtual Function via PCI passthrough" },
};
static const struct plug_row host_bridge_row = { PORTDEF_PLUG_BRIDGE, 0, BIT(OPENVSWITCH),
						 "uses a bridge device" };

static const struct plug_row *plug_row(const struct netdef *live)
{
	return live->forward == NETDEF_FORWARD_BRIDGE && live->bridge[0] ? &host_bridge_row
									 : &plug_rows[live->forward];
}

static const char *virtualport_word(const struct netdef_virtualport *v)
{
	static const char *const words[] = {
		[NETDEF_VIRTUALPORT_NONE] = "none",        [NETDEF_VIRTUALPORT_8021QBG] = "802.1Qbg",
		[NETDEF_VIRTUALPORT_8021QBH] = "802.1Qbh", [NETDEF_VIRTUALPORT_OPENVSWITCH] = "openvswitch",
		[NETDEF_VIRTUALPORT_MIDONET] = "midonet",
	};
	return words[v->type];
}

/* The least used of the network's devices; one nobody uses, where it cannot be shared. */
static int choose_dev(const struct network *n, struct portdef *def, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	bool alone = n->live->forward == NETDEF_FORWARD_PASSTHROUGH ||
		     (n->live->forward == NETDEF_FORWARD_PRIVATE &&
		      def->virtualport.type == NETDEF_VIRTUALPORT_8021QBH);
	unsigned least = UINT32_MAX;
	if (x->uplink_cnt == 0)
		return nd_fail(
			e, ND_INVALID,
			"network '%s' uses a direct mode, but has no forward dev and no interface pool",
			n->name);
	for (size_t i = 0; i < x->uplink_cnt; i++) {
		unsigned users = pool_users(n, x->uplinks[i].dev);
		if (users >= least)
			continue;
		least = users;
		nd_strcpy(def->dev, sizeof def->dev, x->uplinks[i].dev);
	}
	if (alone && least > 0)
		return nd_fail(e, ND_INVALID,
			       "network '%s' requires exclusive access to interfaces, but none are available",
			       n->name);
	return 0;
}

static void plug_into_bridge(const struct network *n, struct portdef *def)
{
	nd_strcpy(def->bridge, sizeof def->bridge, n->live->bridge);
	def->mac_table = n->live->mac_table;
}

static int allocate(const struct network *n, struct portdef *def, struct nd_error *e)
{
	const struct plug_row *row = plug_row(n->live);
	if (inherit(def, n->live, e) < 0)
		return e->code;
	if (portdef_virtualport_given(&def->virtualport) &&
	    !(row->virtualports & 1u << def->virtualport.type))
		return nd_fail(e, ND_UNSUPPORTED,
			       "<virtualport type='%s'> not supported for network '%s' which %s",
			       virtualport_word(&def->virtualport), n->name, row->words);
	def->plug = row->plug;
	def->mode = row->mode;
	switch (row->plug) {
	case PORTDEF_PLUG_NETWORK:
	case PORTDEF_PLUG_BRIDGE: plug_into_bridge(n, def); break;
	case PORTDEF_PLUG_DIRECT: return choose_dev(n, def, e);
	case PORTDEF_PLUG_NONE:
	case PORTDEF_PLUG_PCI:
		return nd_fail(e, ND_UNSUPPORTED, "network '%s' %s: not supported by this netd yet", n->name,
			       row->words);
	}
	return 0;
}

/* The document says where it is plugged in: whether that is one of the network's places. */
static int reclaim(const struct network *n, struct portdef *def, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	char uuid[ND_UUID_STRLEN];
	switch ((enum portdef_plug)def->plug) {
	case PORTDEF_PLUG_NETWORK:
	case PORTDEF_PLUG_BRIDGE:
		if (!n->live->bridge[0])
			return nd_fail(e, ND_INVALID,
				       "Unexpectedly got a network port without a network bridge");
		plug_into_bridge(n, def);
		return 0;
	case PORTDEF_PLUG_DIRECT:
		for (size_t i = 0; i < x->uplink_cnt; i++) {
			if (!strcmp(x->uplinks[i].dev, def->dev))
				return 0;
		}
		return nd_fail(e, ND_INVALID,
			       "network '%s' doesn't have dev='%s' in use by network port '%s'", n->name,
			       def->dev, nd_uuid_to_string(&def->uuid, uuid));
	case PORTDEF_PLUG_NONE:
	case PORTDEF_PLUG_PCI: break;
	}
	return nd_fail(e, ND_INVALID,
		       "network '%s' doesn't have PCI device %04x:%02x:%02x.%x in use by network port",
		       n->name, def->pci.domain, def->pci.bus, def->pci.slot, def->pci.function);
}

/* ---- floors ---- */

static uint64_t floor_of(const struct port *p)
{
	return p->def ? p->def->bandwidth.floor : 0;
}

/* self: whose old floor does not count, or NULL. */
static int check_floor(const struct network *n, const struct port *self, const struct nd_mac *mac,
		       uint64_t floor, struct nd_error *e)
{
	const struct netdef_rate *in = &netdef_rare(n->live)->bandwidth.inbound;
	uint64_t sum = floor, most = in->peak ? in->peak : in->average;
	char text[ND_MAC_STRLEN];
	const struct port *p;
	nd_mac_to_string(mac, text);
	if (floor == 0)
		return 0;
	if (!netdef_forward_is_virtual(n->live->forward))
		return nd_fail(e, ND_UNSUPPORTED,
			       "Invalid use of 'floor' on interface with MAC address %s - 'floor' is only "
			       "supported for interface type 'network' with forward type 'nat', 'route', "
			       "'open' or none",
			       text);
	if (!in->average)
		return nd_fail(
			e, ND_UNSUPPORTED,
			"Invalid use of 'floor' on interface with MAC address %s - network '%s' has no "
			"inbound QoS set",
			text, n->name);
	nd_list_foreach(p, &n->ports, siblings) {
		uint64_t other = p == self ? 0 : floor_of(p);
		sum = sum + other < sum ? UINT64_MAX : sum + other;
	}
	if (sum <= most)
		return 0;
	return nd_fail(e, ND_STATE,
		       "Cannot plug '%s' interface into '%s' because new combined inbound floor=%llu would "
		       "overcommit %s=%llu on network '%s'",
		       text, n->bridge, (unsigned long long)sum, in->peak ? "peak" : "average",
		       (unsigned long long)most, n->name);
}

static bool class_taken(const struct network *n, uint32_t id)
{
	const struct port *p;
	nd_list_foreach(p, &n->ports, siblings) {
		if (p->def && p->def->class_id == id)
			return true;
	}
	return false;
}

/* One for a port with a floor, which keeps the one it has; none for others. */
static void choose_class(const struct network *n, struct portdef *def)
{
	uint32_t id = CLASS_ID_MIN;
	if (!def->bandwidth.floor) {
		def->class_id = 0;
		return;
	}
	if (def->class_id)
		return;
	while (class_taken(n, id))
		id++;
	def->class_id = id;
}

/* ---- making it ---- */

static int check_plug(const struct portdef *def, bool wants_reclaim, struct nd_error *e)
{
	if (def->plug == PORTDEF_PLUG_NONE && wants_reclaim)
		return nd_fail(e, ND_INVALID, "Port reclaim requested but plug type is none");
	if (def->plug != PORTDEF_PLUG_NONE && !wants_reclaim)
		return nd_fail(e, ND_INVALID, "Port reclaim not requested but plug type is not none");
	return 0;
}

static int check_identity(const struct core *c, const struct network *n, const struct portdef *def,
			  struct nd_error *e)
{
	char uuid[ND_UUID_STRLEN], mac[ND_MAC_STRLEN];
	const struct port *p;
	if (def->mac.b[0] == 0xfe || nd_mac_is_zero(&def->mac))
		return nd_fail(e, ND_INVALID, "MAC address %s cannot be a guest's",
			       nd_mac_to_string(&def->mac, mac));
	if (model_port_by_uuid(c->model, &def->uuid))
		return nd_fail(e, ND_EXISTS, "Network port with UUID %s already exists",
			       nd_uuid_to_string(&def->uuid, uuid));
	nd_list_foreach(p, &n->ports, siblings) {
		if (!p->external && nd_mac_equal(&p->mac, &def->mac))
			return nd_fail(e, ND_EXISTS,
				       "MAC address %s is that of another port: interface %s, held by pid %d "
				       "(uid %u)",
				       nd_mac_to_string(&def->mac, mac), p->ifname, (int)p->owner_pid,
				       (unsigned)p->owner_uid);
	}
	return 0;
}

void external_identify(const struct core *c, const struct network *n, struct port *p)
{
	const struct port *other;
	const char *name = p->def->owner_name;
	nd_uuid_from_name(&n->uuid, p->mac.b, sizeof p->mac.b, &p->identity);
	if (model_port_by_identity(c->model, &p->identity))
		p->identity = p->uuid;
	nd_strcpy(p->portgroup, sizeof p->portgroup, p->def->group ? p->def->group : "");
	p->name[0] = '\0';
	if (attach_check_name(name, NULL) < 0)
		return;
	nd_list_foreach(other, &n->ports, siblings) {
		if (!strcmp(other->name, name))
			return; /* the guest's second device on this network */
	}
	nd_strcpy(p->name, sizeof p->name, name);
}

/* def: taken on success. */
static struct port *new_port(struct core *c, const struct network *n, const struct external_request *req,
			     struct portdef *def, struct nd_error *e)
{
	uint32_t mark;
	if (choose_mark(c, &mark, e) < 0)
		return NULL;
	struct port *p = model_port_new(&def->uuid);
	if (!p) {
		nd_fail(e, ND_MEMORY, "port");
		return NULL;
	}
	p->external = true;
	p->state = PORT_EXPECTED;
	p->def = def;
	p->mac = def->mac;
	p->mac_guard = def->trust_rx_filters != NETDEF_YES;
	p->mark = mark;
	p->owner_uid = req->uid;
	p->owner_pid = req->pid;
	p->since_s = nd_wall_s();
	external_identify(c, n, p);
	return p;
}

/* p: taken. */
static int publish(struct core *c, struct network *n, struct port *p, struct nd_error *e)
{
	if (model_port_add(c->model, n, p) < 0) {
		model_port_free(p);
		return nd_fail(e, ND_MEMORY, "port");
	}
	if (converge(c, port_rows, port_row_cnt, p, CONVERGE_START, NULL, e) == 0)
		return 0;
	model_port_remove(c->model, p);
	model_port_free(p);
	return e->code;
}

static int make(struct core *c, struct network *n, const struct external_request *req, struct portdef **def,
		struct port **ret, struct nd_error *e)
{
	if (check_plug(*def, req->reclaim, e) < 0 || check_identity(c, n, *def, e) < 0 ||
	    (req->reclaim ? reclaim : allocate)(n, *def, e) < 0 ||
	    check_floor(n, NULL, &(*def)->mac, (*def)->bandwidth.floor, e) < 0)
		return e->code;
	choose_class(n, *def);
	struct port *p = new_port(c, n, req, *def, e);
	if (!p)
		return e->code;
	*def = NULL;
	*ret = p;
	return publish(c, n, p, e);
}

int external_create(struct core *c, struct network *n, const struct external_request *req, struct port **ret,
		    struct nd_error *e)
{
	struct portdef *def = NULL;
	struct port *p = NULL;
	monitor_sync(c);
	if (portdef_parse(req->xml, req->len, req->validate, req->warn, req->arg, &def, e) < 0)
		return nd_wrap(e, "network '%s'", n->name);
	int r = attach_wake(c, n, e);
	if (r == 0) {
		r = make(c, n, req, &def, &p, e);
		if (r < 0)
			nd_wrap(e, "network '%s'", n->name);
	}
	portdef_free(def);
	if (r < 0)
		return r;
	leases_port_back(c->leases, &p->identity);
	events_say(c->events, EVENT_PORT_EXPECTED, NULL, p, "announced for guest '%s' by pid %d (uid %u)",
		   p->def->owner_name, (int)req->pid, (unsigned)req->uid);
	bind_find(c, p);
	*ret = p;
	return 0;
}

/* ---- as a document ---- */

/* Of a port that attach made. NULL: ENOMEM. */
static struct portdef *describe(const struct port *p)
{
	struct portdef *def = portdef_new();
	struct nd_error e = ND_ERROR_INIT;
	if (!def)
		return NULL;
	def->uuid = def->owner_uuid = p->uuid;
	def->uuid_given = def->owner_uuid_given = def->mac_given = true;
	def->mac = p->mac;
	def->owner_name = strdup(p->name[0] ? p->name : p->ifname);
	def->group = p->portgroup[0] ? strdup(p->portgroup) : NULL;
	bool ok = def->owner_name != NULL;
	if (ok && p->network->live) { /* a restart that failed leaves ports on a network that does not run */
		ok = inherit(def, p->network->live, &e) == 0;
		def->plug = PORTDEF_PLUG_NETWORK;
		plug_into_bridge(p->network, def);
	}
	if (ok)
		return def;
	portdef_free(def);
	return NULL;
}

int external_format(const struct port *p, struct nd_buf *out, struct nd_error *e)
{
	struct portdef *def = p->def ? p->def : describe(p);
	if (!def)
		return nd_fail(e, ND_MEMORY, "port");
	portdef_format(def, out);
	if (def != p->def)
		portdef_free(def);
	return 0;
}

/* ---- bandwidth ---- */

/* libvirt's: a direction without a rate is none. */
static struct portdef_bandwidth tidy(const struct portdef_bandwidth *b)
{
	struct portdef_bandwidth t = { .given = true };
	t.inbound_given = b->inbound.average || b->floor;
	t.outbound_given = b->outbound.average > 0;
	if (t.inbound_given) {
		t.inbound = b->inbound;
		t.floor = b->floor;
	}
	if (t.outbound_given)
		t.outbound = b->outbound;
	return t;
}

static int put_in_force(struct core *c, struct port *p, struct nd_error *e)
{
	p->recorded = false;
	return converge(c, port_rows, port_row_cnt, p, CONVERGE_REPAIR, NULL, e);
}

int external_set_bandwidth(struct core *c, struct port *p, const struct portdef_bandwidth *b,
			   struct nd_error *e)
{
	struct portdef_bandwidth now = tidy(b);
	struct nd_error failed = ND_ERROR_INIT;
	if (!p->network->live)
		return nd_fail(e, ND_STATE, "network '%s' is not active", p->network->name);
	if (!p->external && p->device == PORT_DEVICE_MACVTAP)
		return nd_fail(e, ND_UNSUPPORTED, "bandwidth of a macvtap: not supported by this netd");
	if (check_floor(p->network, p, &p->mac, now.floor, e) < 0)
		return e->code;
	if (!p->def && !(p->def = describe(p)))
		return nd_fail(e, ND_MEMORY, "port");
	struct portdef_bandwidth was = p->def->bandwidth;
	uint32_t was_class = p->def->class_id;
	p->def->bandwidth = now;
	choose_class(p->network, p->def);
	if (put_in_force(c, p, e) == 0)
		return 0;
	p->def->bandwidth = was;
	p->def->class_id = was_class;
	if (put_in_force(c, p, &failed) < 0)
		nd_also(e, &failed);
	return e->code;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_MODEL_H
#define ND_CORE_MODEL_H
/*
 * DOC: networks and ports, and their indexes. Data, no verbs.
 *
 * A network has a config (the persistent definition: what the next start uses; NULL for a transient one) and, while active, a live
 * definition with everything that was chosen (bridge name, MAC, subnet). Both are owned by it. Ports hang off their network.
 */
#include "base/addr.h"
#include "base/link.h"
#include "base/map.h"
#include "bridge/bridge.h"
#include "nat/nat.h"
#include "netd/core/elements.h"
#include "netd/core/lifecycle.h"
#include "netd/xml/netdef.h"
#include "netd/xml/portdef.h"
#include "shape/shape.h"
#include "tap/tap.h"
#include <sys/types.h>

/* What the kernel has of bandwidth limits on a device, as this run knows: all zero on one that was just made. */
struct shaping {
	bool unsure; /* it must be read: adopted, or somebody changed it */
	bool lost;   /* that somebody did */
	struct shape_rate out, in;
	struct shape_floor *floors; /* heap */
	size_t floor_cnt;
};
struct network_plan;
struct nameserver;
struct network {
	struct nd_map_node by_uuid, by_name, by_id;
	struct nd_map_node by_bridge; /* while bridge[0], and it is netd's own */
	struct nd_list
		plugged;      /* model.plugged, while it uses a bridge that is not netd's; or model.pooled */
	struct nd_list all;   /* model.networks */
	struct nd_list dirty; /* repair's list */
	struct nd_uuid uuid;
	char *name;
	uint32_t id; /* netd's number, never 0, never reused within a run */
	enum network_state state;
	char *degraded; /* why, heap; NULL unless degraded */
	char *foreign;  /* what other firewalls drop of its traffic, heap; NULL: nothing that is known */
	struct netdef *config;     /* NULL: transient */
	struct netdef *live;       /* NULL: inactive */
	struct network_plan *plan; /* of live; NULL: inactive */
	enum netdef_autostart autostart;
	char bridge[ND_IFNAMSIZ];      /* of the live definition; "" inactive */
	int ifindex;                   /* of the bridge; 0 none */
	struct shaping shaping;        /* of the bridge */
	struct nameserver *nameserver; /* names.c's; NULL: none */
	bool dns_serves;               /* one answers at the bridge's address */
	uint32_t worker_generation;    /* generation of the worker that knows it; 0 none */
	bool worker_filled;            /* that worker has its leases and serves it */
	char *dhcp_failed;             /* why its leases could not be read, heap; NULL: they could */
	unsigned sysctls;              /* claimed: bits 1 << enum bridge_sysctl */
	unsigned sysctls_fresh;        /* of those, by a start that is not over */
	bool link_sysctl_done, recorded;
	uint64_t addresses_ms;        /* when they were set last, on the monotonic clock */
	struct nd_prefix last_subnet; /* automatic subnet chosen at an earlier start; family 0: none */
	bool busy;                    /* a change waits for the disk */
	unsigned repair_fails;
	struct elements published; /* the published ports in force */
	uint32_t published_for;    /* publish.c's: what was asked for then */
	struct nd_list ports;      /* struct port.siblings */
	uint32_t port_cnt;
	uint32_t foreign_ports; /* links in the bridge that are no port's */
};

enum port_device { PORT_DEVICE_TAP, PORT_DEVICE_MACVTAP };

#define PORT_NAME_MAX 64 /* with NUL; letters, digits, '-', '_', '.' */
struct port {
	struct nd_map_node by_uuid, by_identity, by_ifindex, by_mark;
	struct nd_list siblings; /* network.ports */
	struct nd_list dirty;
	struct network *network;
	struct elements elements; /* what it has in the nft tables */
	struct nd_uuid
		uuid; /* from the network and the name, else the MAC: a guest that comes back is the same port */
	/*
	 * Whose its leases are (struct dhcp_lease's port): its uuid. Of an external port from the network and the guest's MAC, since libvirt gives a guest
	 * another port at each start.
	 */
	struct nd_uuid identity;
	enum port_state state;
	/*
	 * The device is another program's, which announced the port: netd knows it by its MAC address, applies to it what is the network's, and never
	 * changes it. Expected while no such device is in the bridge; then ifindex and ifname are empty.
	 */
	bool external;
	struct portdef
		*def; /* heap; of every external port, of others where something was said of it, else NULL */
	char name[PORT_NAME_MAX]; /* "" none */
	char portgroup[64];       /* "": the network's default one, if it has one */
	struct nd_mac mac;        /* the guest's */
	struct shaping shaping;   /* of its device, unless external */
	uint32_t mark;
	uint32_t ip4; /* its lease's address, 0 none yet */
	int ifindex;  /* 0: an external port without a device */
	char ifname[ND_IFNAMSIZ];
	enum port_device device; /* its kind, unless external */
	int lower;               /* of a macvtap: ifindex of what it is on */
	char dev[ND_IFNAMSIZ];   /* and that one's name in the network's pool; else "" */
	uint16_t queue_cnt;      /* 0: external, its own affair */
	bool vnet_hdr;
	bool mac_guard;  /* only frames from `mac` come in; off where the guest's MAC is its VMM's secret */
	uid_t owner_uid; /* peer that attached it */
	pid_t owner_pid;
	uint64_t since_s; /* wall clock */
	uint32_t worker_generation;
	bool recorded;
	bool named; /* names.c has been told */
	uint64_t tamper_window_ms;
	unsigned tamper_cnt;
	unsigned repair_fails;
};

struct model {
	struct nd_map networks_by_uuid, networks_by_name, networks_by_id, networks_by_bridge;
	struct nd_map ports_by_uuid, ports_by_identity, ports_by_ifindex, ports_by_mark;
	struct nd_list networks;
	struct nd_list plugged;  /* networks on bridges that others made */
	struct nd_list pooled;   /* networks of macvtaps */
	uint32_t accepting_cnt;  /* active networks that let guests of others in */
	struct nd_list defining; /* definitions that wait for the disk; network.c's */
	struct nd_list waiting;  /* changes that wait for one of those; network.c's */
	uint32_t waiting_cnt;
	struct nd_list broken; /* files of definitions that could not be taken */
	uint32_t network_cnt, active_cnt, port_cnt;
	uint32_t next_id, next_mark, next_tap; /* where the next search for a free number starts */
};
void model_init(struct model *m);
void model_done(struct model *m); /* frees all networks and ports */

struct network *model_network_new(const struct nd_uuid *uuid, const char *name);
void model_network_free(struct network *n);                /* not in the model, no ports */
int model_network_add(struct model *m, struct network *n); /* 0 or ND_MEMORY; keys are free (checked) */
void model_network_remove(struct model *m, struct network *n);
bool model_network_set_bridge(struct model *m, struct network *n, const char *bridge /* "" none */);
/* The same for a bridge that others made, which any number of networks may use. */
void model_network_plug(struct model *m, struct network *n, const char *bridge);
/* Without a bridge, on devices of the host's. */
void model_network_pool(struct model *m, struct network *n);
struct network *model_network_by_uuid(const struct model *m, const struct nd_uuid *uuid);
struct network *model_network_by_name(const struct model *m, const char *name);
struct network *model_network_by_id(const struct model *m, uint32_t id);
struct network *model_network_by_bridge(const struct model *m, const char *bridge);
/* UUID if it parses as one and is known, else name: virsh's order. */
struct network *model_network_find(const struct model *m, const char *key);

/*
 * The file of a network of that name could not be taken, and why (both copied); with no memory for it, the network is just absent. Known
 * until it is forgotten (name NULL: all), as when a definition takes the file's place.
 */
void model_broken_put(struct model *m, const char *name, const char *why);
void model_broken_forget(struct model *m, const char *name);
const char *model_broken_find(const struct model *m,
			      const char *name); /* why; NULL: its file is not known as broken */
/* key names no network: ND_NOT_FOUND in libvirt's words, and what is wrong with its file, if that is why. */
int model_network_absent(const struct model *m, const char *key, struct nd_error *e);

struct port *model_port_new(const struct nd_uuid *uuid); /* its identity is uuid, too */
void model_port_free(struct port *p);
int model_port_add(struct model *m, struct network *n,
		   struct port *p); /* takes identity, ifindex, mark from p */
/* Another device of an external port, or (0, "") none. Return: false on ENOMEM, then it has none. */
bool model_port_set_device(struct model *m, struct port *p, int ifindex, const char *ifname);
void model_port_remove(struct model *m, struct port *p);
struct port *model_port_by_uuid(const struct model *m, const struct nd_uuid *uuid);
struct port *model_port_by_identity(const struct model *m, const struct nd_uuid *identity);
struct port *model_port_by_ifindex(const struct model *m, int ifindex); /* not 0 */
struct port *model_port_by_mark(const struct model *m, uint32_t mark);
/* uuid, then port name, then interface name, then MAC; names are looked up linearly. NULL: none. */
struct port *model_port_find(const struct model *m, const char *key);
#endif

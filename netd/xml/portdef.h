/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_XML_PORTDEF_H
#define ND_XML_PORTDEF_H
/*
 * DOC: a network's port as plain data
 *
 * libvirt's <networkport>, all of it: what a program that makes a guest's device itself (libvirt's QEMU
 * driver) tells the network of it, and what it is told back: the <plug>. Its elements are rows of the table
 * that the network's are (rows.c), with the bounds of netdef.h.
 */
#include "netd/xml/netdef.h"

enum portdef_plug {
	PORTDEF_PLUG_NONE,    /* not plugged in yet; not dumped */
	PORTDEF_PLUG_NETWORK, /* a bridge of the network's own */
	PORTDEF_PLUG_BRIDGE,  /* a bridge of the host's */
	PORTDEF_PLUG_DIRECT,  /* macvtap on dev */
	PORTDEF_PLUG_PCI,     /* a PCI device for the guest */
};
enum portdef_direct { /* with libvirt's numbers: the first is what is meant without one */
		      PORTDEF_DIRECT_VEPA,
		      PORTDEF_DIRECT_PRIVATE,
		      PORTDEF_DIRECT_BRIDGE,
		      PORTDEF_DIRECT_PASSTHROUGH,
};
struct portdef_bandwidth {
	bool given; /* dumped, also without a direction */
	bool inbound_given, outbound_given, inbound_average_given, outbound_average_given;
	struct netdef_rate inbound, outbound; /* as the guest sees it; average 0: no limit */
	uint64_t floor;                       /* inbound, 1000 bytes/s that it always has; 0: none */
};
struct portdef {
	struct nd_uuid uuid, owner_uuid; /* the owner is a domain of the program's */
	bool uuid_given, owner_uuid_given, mac_given;
	struct nd_mac mac; /* the guest's */
	char *owner_name;  /* heap; NULL only in a half-built one */
	char *group;       /* heap: name of a portgroup, which need not exist; NULL: the default one */
	struct netdef_virtualport virtualport;
	struct portdef_bandwidth bandwidth;
	uint32_t class_id; /* of its floor, 3 or more; 0: none */
	struct netdef_vlan vlan;
	uint8_t isolated, trust_rx_filters; /* enum netdef_yesno */
	uint8_t plug;                       /* enum portdef_plug; below: what belongs to it */
	char bridge[ND_IFNAMSIZ];           /* NETWORK, BRIDGE */
	uint8_t mac_table;                  /* NETWORK, BRIDGE: enum netdef_mac_table */
	char dev[ND_IFNAMSIZ];              /* DIRECT */
	uint8_t mode;                       /* DIRECT: enum portdef_direct */
	uint8_t managed;                    /* PCI: enum netdef_yesno */
	uint8_t driver;                     /* PCI: enum netdef_driver */
	bool pci_given;
	struct netdef_pci pci; /* PCI */
};

/* All zero. Return: NULL on ENOMEM. Caller frees. */
struct portdef *portdef_new(void);
/*
 * xml, warn, arg: as netdef_parse_flags(). validate: what would be a warning is an error. *ret: caller frees.
 * Return: 0; ND_PARSE; ND_INVALID, in libvirt's words; ND_MEMORY.
 */
int portdef_parse(const char *xml, size_t len, bool validate,
		  void (*warn)(void *arg, const struct netdef_warning *w), void *arg, struct portdef **ret,
		  struct nd_error *e);
/* Appends the document as libvirt dumps it. p has all that must be there: uuid, owner, MAC. */
void portdef_format(const struct portdef *p, struct nd_buf *out);
void portdef_free(struct portdef *p); /* NULL-safe */
/* Copies (vlan, virtualport) for a portdef from a network's definition. *dst: zeroed. Return: false on ENOMEM. */
bool portdef_vlan_copy(struct netdef_vlan *dst, const struct netdef_vlan *src);
bool portdef_virtualport_copy(struct netdef_virtualport *dst, const struct netdef_virtualport *src);
/* Whether it says anything. */
bool portdef_virtualport_given(const struct netdef_virtualport *v);
#endif

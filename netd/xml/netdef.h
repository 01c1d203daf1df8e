/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_XML_NETDEF_H
#define ND_XML_NETDEF_H
/*
 * DOC: a network definition as plain data
 *
 * libvirt's network XML, the elements netd gives effect to, and netd's own additions in the namespace urn:netd:network:1 (prefix netd). Every element and
 * attribute is one row in rows.c (path, type, offset, range, default, change class); parse, format and diff walk the same rows.
 * Input is bounded: NETDEF_XML_MAX bytes, depth 16, no DTD, no entities besides the five built in, no network.
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "base/error.h"

#define NETDEF_XML_MAX  (256 * 1024)
#define NETDEF_NAME_MAX 256
#define NETDEF_IPS_MAX  16
#define NETD_XML_NS     "urn:netd:network:1"

enum netdef_forward { NETDEF_FORWARD_NONE, NETDEF_FORWARD_NAT };
const char *netdef_forward_to_string(int v); /* "isolated" for NONE, "nat" */
int netdef_forward_from_string(const char *s);
enum netdef_autostart { NETDEF_AUTOSTART_NO, NETDEF_AUTOSTART_BOOT, NETDEF_AUTOSTART_ON_ATTACH };
const char *netdef_autostart_to_string(int v); /* "no" "boot" "on-attach" */
int netdef_autostart_from_string(const char *s);

struct netdef_range {
	struct nd_ip start, end;
	uint32_t lease_s; /* 0: default (not given); UINT32_MAX: infinite. XML: <lease expiry= unit=> */
};
struct netdef_host {
	bool has_mac;
	struct nd_mac mac;
	char *name; /* heap or NULL */
	struct nd_ip ip;
	uint32_t lease_s;
};
struct netdef_ip {
	struct nd_prefix address; /* the bridge's own address with the subnet's length */
	bool prefix_given,
		netmask_given; /* how the XML said it; format says it the same way (neither: classful) */
	bool subnet_auto; /* netd:subnet='auto': address is the preferred one, netd may choose another /24 */
	bool dhcp;        /* has ranges or hosts */
	struct netdef_range *ranges;
	size_t range_cnt;
	struct netdef_host *hosts;
	size_t host_cnt;
};
struct netdef {
	char *name;
	struct nd_uuid uuid;
	bool uuid_set;
	enum netdef_forward forward;
	char bridge[ND_IFNAMSIZ]; /* "" not given; may hold one %d */
	bool stp; /* default off here: a port forwards at once (libvirt's XML default is on; see docs) */
	uint32_t delay_s;
	bool mac_set;
	struct nd_mac mac;
	uint32_t mtu;    /* 0: not given */
	char *domain;    /* NULL */
	bool dns_enable; /* default true */
	struct netdef_ip *ips;
	size_t ip_cnt;
	bool autostart_set; /* <netd:autostart mode=> given */
	enum netdef_autostart autostart;
};
struct netdef_warning {
	int line;
	char element[64];
	char text[128];
};
/* file: name used in messages ("networks/lan.xml"), may be NULL. Errors say file, line, element and what was expected: "networks/lan.xml: line 7: <ip>: attribute
 * 'address': '300.1.1.1' is not an IPv4 or IPv6 address". Structure, types and ranges only; netdef_check does the rest. warn may be NULL; called per unknown element or attribute. */
int netdef_parse(const char *xml, size_t len, const char *file,
		 void (*warn)(void *arg, const struct netdef_warning *w), void *arg, struct netdef **ret,
		 struct nd_error *e);
/* Cross-field rules, with libvirt's text where libvirt has the rule: nat without <ip>; range inside subnet, not reversed, not network/broadcast; one dhcp per family; host ip; name without '/'; MAC unicast; … */
int netdef_check(const struct netdef *d, struct nd_error *e);
/* Appends the document in libvirt's order and form (2-space indent, single quotes, final newline). */
void netdef_format(const struct netdef *d, struct nd_buf *out);
struct netdef *netdef_copy(const struct netdef *d); /* NULL on ENOMEM */
void netdef_free(struct netdef *d);
enum netdef_change { NETDEF_CHANGE_NONE, NETDEF_CHANGE_LIVE, NETDEF_CHANGE_RESTART };
/* The worst change class of the fields that differ; names of the differing rows appended to what (comma separated), may be NULL. */
enum netdef_change netdef_diff(const struct netdef *a, const struct netdef *b, struct nd_buf *what);
/* Heap bytes it uses (for the memory bench). */
size_t netdef_size(const struct netdef *d);
#endif

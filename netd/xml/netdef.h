/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_XML_NETDEF_H
#define ND_XML_NETDEF_H
/*
 * DOC: a network definition as plain data
 *
 * libvirt's network XML, the elements netd gives effect to, and netd's own additions in the namespace
 * urn:netd:network:1 (prefix netd). Every element and attribute is one row in rows.c (path, type, offset,
 * range, default, change class); parse, format, copy, free and diff walk the same rows. netd-network(5) is
 * the users' side.
 *
 * Input is bounded: NETDEF_XML_MAX bytes, depth 16, no DTD, no entities besides the five built in, no
 * encoding but UTF-8, no network. What libvirt knows and netd does not do yet is refused (ND_UNSUPPORTED),
 * unless it asks for what is the default anyway; what neither knows is left out, with a warning.
 *
 * netd's additions, both optional; the namespace is declared on <network> only where one of them is used:
 *   <netd:autostart mode='no|boot|on-attach'/>
 *	in <network>, last: when the network is started by itself: never, with the daemon, or when the first
 *	port is attached. libvirt keeps its own autostart flag outside the definition.
 *   netd:subnet='auto'
 *	on <ip>: the address is the preferred one; at a start netd may take another subnet of the same
 *	length, where this one collides with the host's.
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "base/error.h"

#define NETDEF_XML_MAX    (256 * 1024)
#define NETDEF_NAME_MAX   256 /* bytes, with the NUL; netdef_name_why() allows fewer */
#define NETDEF_IPS_MAX    16
#define NETDEF_RANGES_MAX 64
#define NETDEF_HOSTS_MAX  65536
#define NETD_XML_NS       "urn:netd:network:1"

enum netdef_forward { NETDEF_FORWARD_NONE, NETDEF_FORWARD_NAT };
const char *netdef_forward_to_string(int v); /* "isolated" for NONE, "nat" */
int netdef_forward_from_string(const char *s);
enum netdef_autostart { NETDEF_AUTOSTART_NO, NETDEF_AUTOSTART_BOOT, NETDEF_AUTOSTART_ON_ATTACH };
const char *netdef_autostart_to_string(int v); /* "no" "boot" "on-attach" */
int netdef_autostart_from_string(const char *s);
/* How <lease unit=> is written; the time itself is always in lease_s. */
enum netdef_unit { NETDEF_UNIT_MINUTES, NETDEF_UNIT_SECONDS, NETDEF_UNIT_HOURS };
const char *netdef_unit_to_string(int v);
int netdef_unit_from_string(const char *s);

struct netdef_range {
	struct nd_ip start, end; /* both included */
	uint32_t lease_s; /* 0: default (not given); UINT32_MAX: infinite. XML: <lease expiry= unit=> */
	enum netdef_unit lease_unit;
};
struct netdef_host {
	bool has_mac;
	struct nd_mac mac;
	char *name; /* heap or NULL; at most 63 bytes of letters, digits, '.', '-', '_' */
	struct nd_ip ip;
	uint32_t lease_s; /* as in a range */
	enum netdef_unit lease_unit;
};
struct netdef_ip {
	struct nd_prefix address; /* the bridge's own address with the subnet's length */
	bool family_given;        /* family= was written; format writes it again */
	bool prefix_given,
		netmask_given; /* how the XML said it; format says it the same way (neither: classful) */
	bool subnet_auto; /* netd:subnet='auto': address is the preferred one, netd may choose another subnet */
	bool dhcp;        /* has ranges or hosts */
	struct netdef_range *ranges;
	size_t range_cnt;
	struct netdef_host *hosts;
	size_t host_cnt;
};
struct netdef {
	char *name; /* heap; NULL only in a half-built one */
	struct nd_uuid uuid;
	bool uuid_set;
	enum netdef_forward forward;
	char bridge[ND_IFNAMSIZ]; /* "" not given; may hold one %d */
	bool stp;         /* default off here: a port forwards at once (libvirt's XML default is on) */
	uint32_t delay_s; /* forward delay, seconds; the kernel's own bounds apply with STP on */
	bool mac_set;
	struct nd_mac mac;
	uint32_t mtu;        /* bytes, 68-65535; 0: not given */
	char *domain;        /* heap; NULL: not given */
	bool dns_enable;     /* default true */
	bool dns_enable_set; /* enable= was written; format writes it again */
	struct netdef_ip *ips;
	size_t ip_cnt;
	bool autostart_set; /* <netd:autostart mode=> given */
	enum netdef_autostart autostart;
};
struct netdef_warning {
	int line;         /* from 1 */
	char element[64]; /* its name, without brackets: "ip" */
	char text[128];   /* "unknown attribute 'foo', not kept" */
};

/* A definition with all defaults, to be filled by hand. Return: NULL on ENOMEM. Caller frees. */
struct netdef *netdef_new(void);
/*
 * xml: len bytes, borrowed, need not be terminated. file: name used in messages ("networks/lan.xml"), may be
 * NULL: then the network's name stands there if the document has one. warn may be NULL; called per unknown
 * element or attribute (after 32 of them once more, saying that the rest is not told), the warning is
 * borrowed. Structure, types and ranges only; netdef_check does the rest. Thread-safe. *ret: caller frees.
 * Return: 0; ND_PARSE not well-formed, with libxml2's text; ND_INVALID; ND_UNSUPPORTED known to libvirt, not
 * done here; ND_MEMORY. Errors say file, line, element and what was expected: "networks/lan.xml: line 7:
 * <ip>: attribute 'address': '300.1.1.1' is not an IPv4 or IPv6 address".
 */
int netdef_parse(const char *xml, size_t len, const char *file,
		 void (*warn)(void *arg, const struct netdef_warning *w), void *arg, struct netdef **ret,
		 struct nd_error *e);
/*
 * Cross-field rules, with libvirt's text where libvirt has the rule: nat without <ip>; range inside subnet,
 * not reversed, not network/broadcast; one dhcp per family; host ip inside the subnet and reserved once, one
 * host per MAC; name without '/'; MAC unicast; a definition that, written out, could not be read again. Pure.
 * Return: 0, ND_INVALID, ND_MEMORY.
 */
int netdef_check(const struct netdef *d, struct nd_error *e);
/*
 * Whether s can be a network's name: 1 to 200 bytes, no '/', no control character, no leading '.' (it is the
 * definition file's name too). Return: NULL, or what is wrong with it in libvirt's words (a literal).
 */
const char *netdef_name_why(const char *s);
/* Appends the document in libvirt's order and form (2-space indent, single quotes, final newline). */
void netdef_format(const struct netdef *d, struct nd_buf *out);
struct netdef *netdef_copy(const struct netdef *d); /* NULL on ENOMEM */
void netdef_free(struct netdef *d);                 /* NULL-safe */
enum netdef_change { NETDEF_CHANGE_NONE, NETDEF_CHANGE_LIVE, NETDEF_CHANGE_RESTART };
/*
 * The worst change class of the fields that differ (NONE: nothing differs, or nothing that a running network
 * notices); the paths of the differing rows below <network> are appended to what ("mtu@size, ip/dhcp/host"),
 * in document order, may be NULL. A list whose length differs is named as such, its items are not compared.
 */
enum netdef_change netdef_diff(const struct netdef *a, const struct netdef *b, struct nd_buf *what);
/* Heap bytes it uses (for the memory bench). */
size_t netdef_size(const struct netdef *d);
#endif

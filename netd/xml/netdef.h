/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_XML_NETDEF_H
#define ND_XML_NETDEF_H
/*
 * DOC: a network definition as plain data
 *
 * libvirt's network XML, all of it, and netd's own additions in the namespace urn:netd:network:1 (prefix
 * netd). Every element and attribute is one row in rows.c (path, type, offset, range, default, change class,
 * whether it is in force); parse, format, copy, free, diff and netdef_supported() walk the same rows.
 * netd-network(5) is the users' side.
 *
 * Input is bounded: NETDEF_XML_MAX bytes, depth 16, no DTD, no entities besides the five built in, no
 * encoding but UTF-8, no network. What libvirt knows and netd does not do yet is kept and shown; who starts a
 * network asks netdef_supported() first. What neither knows is left out, with a warning.
 *
 * netd's additions, all optional; the namespace is declared on <network> only where one of them is used:
 *   <netd:autostart mode='no|boot|on-attach'/>
 *	in <network>, last: when the network is started by itself: never, with the daemon, or when the first
 *	port is attached. libvirt keeps its own autostart flag outside the definition.
 *   netd:subnet='auto'
 *	on <ip>: the address is the preferred one; at a start netd may take another subnet of the same
 *	length, where this one collides with the host's.
 *   netd:clientId='ff:00:11:22'
 *	on a <host> of an IPv4 <dhcp>: the reservation is for the guest that sends this client identifier.
 *   <netd:boot arch='bios|x64-uefi|arm64-uefi|x64-http|arm64-http|ipxe' file='ipxe.efi'/>
 *	in an IPv4 <dhcp>: the boot file for firmware of this kind, in place of <bootp>'s.
 *   <netd:hostAccess mode='all|services|none'/>
 *	what of the host the guests reach; none: the bridge has no address at all.
 *   <netd:source address='203.0.113.5'/>
 *	the address that forwarded guests are translated to, instead of the egress interface's.
 *   <netd:accept network='other'/>
 *	guests of that network may open connections to this one's.
 *   <netd:guards mac='yes' ip='yes' dhcp='yes' ra='yes' broadcast='100' multicast='100' connections='5000'/>
 *   <netd:egress policy='any|internet-only|list|none'>
 *     <netd:allow address='10.1.0.0/16' protocol='tcp' port='443' end='444'/>
 *   </netd:egress>
 *	in <network> or <portgroup>: what is checked of frames from each port, and where they may go. In a
 *	portgroup each of the two elements takes the place of the network's as a whole.
 *   <netd:address guest='web' address='10.1.2.3/32'/>
 *	an address that the guest (port name or MAC) may use besides what it was given.
 *   <netd:forward protocol='tcp' address='192.0.2.1' port='8080' end='8089' guest='web' guestPort='80'/>
 *	ports of the host published to a guest, by port name, MAC or address.
 *
 * Dumps differ from libvirt's where netd's do: the namespace above, and STP, which is off here unless the
 * definition says on.
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "base/error.h"

#define NETDEF_XML_MAX        (256 * 1024)
#define NETDEF_NAME_MAX       256  /* bytes, with the NUL; netdef_name_why() allows fewer */
#define NETDEF_TEXT_MAX       8192 /* a description, bytes */
#define NETDEF_IPS_MAX        16
#define NETDEF_RANGES_MAX     64
#define NETDEF_HOSTS_MAX      65536
#define NETDEF_RECORDS_MAX    4096 /* of one kind: DNS records, routes, options, host names of one address */
#define NETDEF_UPLINKS_MAX    256  /* forward interfaces or addresses */
#define NETDEF_PORTGROUPS_MAX 256
#define NETDEF_TAGS_MAX       4096
#define NETDEF_BOOTS_MAX      6 /* one an arch */
#define NETDEF_SOURCES_MAX    2 /* one a family */
#define NETDEF_ACCEPTS_MAX    256
#define NETDEF_FORWARD_PORTS  1024    /* of one <netd:forward>: each is an element in the kernel */
#define NETDEF_PER_SECOND_MAX 1000000 /* frames: beyond, the kernel's nanoseconds are too coarse */
#define NETD_XML_NS           "urn:netd:network:1"

/* In libvirt's order. */
enum netdef_forward {
	NETDEF_FORWARD_NONE,
	NETDEF_FORWARD_NAT,
	NETDEF_FORWARD_ROUTE,
	NETDEF_FORWARD_OPEN,
	NETDEF_FORWARD_BRIDGE,
	NETDEF_FORWARD_PRIVATE,
	NETDEF_FORWARD_VEPA,
	NETDEF_FORWARD_PASSTHROUGH,
	NETDEF_FORWARD_HOSTDEV,
};
const char *netdef_forward_to_string(int v); /* "isolated" for NONE, "nat", "route" … */
int netdef_forward_from_string(const char *s);
/* Whether a network of that mode has a bridge of its own: isolated, nat, route, open. */
bool netdef_forward_is_virtual(enum netdef_forward mode);
enum netdef_autostart { NETDEF_AUTOSTART_NO, NETDEF_AUTOSTART_BOOT, NETDEF_AUTOSTART_ON_ATTACH };
const char *netdef_autostart_to_string(int v); /* "no" "boot" "on-attach" */
int netdef_autostart_from_string(const char *s);
/* How <lease unit=> is written; the time itself is always in lease_s. */
enum netdef_unit { NETDEF_UNIT_MINUTES, NETDEF_UNIT_SECONDS, NETDEF_UNIT_HOURS };
/* Bytes of a client identifier as written: "ff:00:11" (a digit alone counts as one: "1:52"). Return: how many, 0: it is none. */
size_t netdef_client_id(const char *s, uint8_t ret[255]);
const char *netdef_unit_to_string(int v);
int netdef_unit_from_string(const char *s);

/* Small words are kept in bytes; 0 is always "not given". */
enum netdef_yesno { NETDEF_UNSAID, NETDEF_NO, NETDEF_YES };
enum netdef_boot { /* as dhcp/config.h's */
		   NETDEF_BOOT_UNSAID,
		   NETDEF_BOOT_BIOS,
		   NETDEF_BOOT_X64_UEFI,
		   NETDEF_BOOT_ARM64_UEFI,
		   NETDEF_BOOT_X64_HTTP,
		   NETDEF_BOOT_ARM64_HTTP,
		   NETDEF_BOOT_IPXE,
		   NETDEF_BOOT_CNT_,
};
enum netdef_family { NETDEF_FAMILY_UNSAID, NETDEF_FAMILY_IPV4, NETDEF_FAMILY_IPV6 }; /* family= as written */
enum netdef_mac_table { NETDEF_MAC_TABLE_UNSAID, NETDEF_MAC_TABLE_KERNEL, NETDEF_MAC_TABLE_LIBVIRT };
enum netdef_native { NETDEF_NATIVE_NONE, NETDEF_NATIVE_TAGGED, NETDEF_NATIVE_UNTAGGED };
enum netdef_driver { NETDEF_DRIVER_DEFAULT, NETDEF_DRIVER_KVM, NETDEF_DRIVER_VFIO };
enum netdef_virtualport_type {
	NETDEF_VIRTUALPORT_NONE,
	NETDEF_VIRTUALPORT_8021QBG,
	NETDEF_VIRTUALPORT_8021QBH,
	NETDEF_VIRTUALPORT_OPENVSWITCH,
	NETDEF_VIRTUALPORT_MIDONET,
};

struct netdef_range {
	struct nd_ip start, end; /* both included */
	uint32_t lease_s; /* 0: default (not given); UINT32_MAX: infinite. XML: <lease expiry= unit=> */
	enum netdef_unit lease_unit;
};
struct netdef_host {
	bool has_mac;
	struct nd_mac mac;
	char *name;      /* heap or NULL; at most 63 bytes of letters, digits, '.', '-', '_' */
	char *id;        /* heap or NULL; DHCPv6 identity: hexadecimal digits and ':' */
	char *client_id; /* heap or NULL; DHCPv4's: bytes as pairs of hexadecimal digits, ':' between them */
	struct nd_ip ip;
	uint32_t lease_s; /* as in a range */
	enum netdef_unit lease_unit;
};
struct netdef_boot_file {
	uint8_t arch; /* enum netdef_boot */
	char *file;   /* heap; at most 254 bytes */
};
struct netdef_ip {
	struct nd_prefix address; /* the bridge's own address with the subnet's length */
	uint8_t family;           /* enum netdef_family: family= as written; format writes it again */
	uint8_t local_ptr;        /* enum netdef_yesno */
	bool prefix_given,
		netmask_given; /* how the XML said it; format says it the same way (neither: classful, /64) */
	bool subnet_auto; /* netd:subnet='auto': address is the preferred one, netd may choose another subnet */
	bool dhcp;        /* has ranges or hosts */
	struct netdef_range *ranges;
	size_t range_cnt;
	struct netdef_host *hosts;
	size_t host_cnt;
	char *tftp_root;                /* heap or NULL: no TFTP; IPv4 only */
	char *bootp_file;               /* heap or NULL: no BOOTP; only beside ranges or hosts, IPv4 only */
	struct nd_ip bootp_server;      /* family 0: this host */
	struct netdef_boot_file *boots; /* only beside ranges or hosts, IPv4 only; one of each arch */
	size_t boot_cnt;
};
struct netdef_uplink {
	char dev[ND_IFNAMSIZ];
};
struct netdef_pci {
	uint32_t domain, bus, slot, function;
};
struct netdef_forwarder {
	char *domain;      /* heap or NULL: all names */
	struct nd_ip addr; /* family 0: the host's resolvers */
};
struct netdef_txt {
	char *name, *value; /* heap */
};
struct netdef_srv {
	char *service, *protocol;        /* heap */
	char *domain, *target;           /* heap or NULL */
	uint32_t port, priority, weight; /* 0: not given */
};
struct netdef_hostname {
	char *name; /* heap */
};
struct netdef_dns_host {
	struct nd_ip ip;
	struct netdef_hostname *names;
	size_t name_cnt; /* 1 or more */
};
struct netdef_route {
	struct nd_prefix address;         /* a network address */
	uint8_t family;                   /* enum netdef_family, as written */
	bool prefix_given, netmask_given; /* neither: the default route, length 0 */
	bool metric_given;
	struct nd_ip gateway;
	uint32_t metric; /* 1 or more; 0 without metric_given: 1 */
};
struct netdef_rate {
	uint64_t average, peak; /* 1000 bytes/s; 0: not given, average 0: no limit in this direction */
	uint64_t burst;         /* KiB; 0: not given */
};
struct netdef_bandwidth {
	struct netdef_rate inbound, outbound; /* as guests see it: inbound is towards them */
};
struct netdef_tag {
	uint32_t id;    /* 0-4095 */
	uint8_t native; /* enum netdef_native */
};
struct netdef_vlan {
	uint8_t trunk; /* enum netdef_yesno: YES or UNSAID; YES with more than one tag */
	struct netdef_tag *tags;
	size_t tag_cnt; /* 0: no VLAN */
};
struct netdef_virtualport {
	uint8_t type; /* enum netdef_virtualport_type */
	bool managerid_given, typeid_given, typeidversion_given, instanceid_given, interfaceid_given;
	uint32_t managerid, typeid, typeidversion;
	struct nd_uuid instanceid, interfaceid;
	char *profileid; /* heap or NULL */
};
/* netd's own: what the ports of a network or portgroup may send. */
struct netdef_guards {
	bool given; /* a portgroup's, where given, stand in place of the network's */
	uint8_t mac, ip, dhcp,
		ra; /* enum netdef_yesno; UNSAID: on, and ip on where netd serves the addresses */
	uint32_t broadcast, multicast; /* frames per second, at most NETDEF_PER_SECOND_MAX; 0: any */
	uint32_t connections;          /* tracked ones held open at a time; 0: any */
};
enum netdef_egress_policy {
	NETDEF_EGRESS_UNSAID, /* the network's; there: any */
	NETDEF_EGRESS_ANY,
	NETDEF_EGRESS_INTERNET_ONLY,
	NETDEF_EGRESS_LIST,
	NETDEF_EGRESS_NONE,
};
const char *netdef_egress_policy_to_string(int v); /* NULL for UNSAID; "any" "internet-only" "list" "none" */
int netdef_egress_policy_from_string(const char *s);
enum netdef_protocol { NETDEF_PROTOCOL_UNSAID, NETDEF_PROTOCOL_TCP, NETDEF_PROTOCOL_UDP };
const char *netdef_protocol_to_string(int v); /* NULL for UNSAID; "tcp" "udp" */
int netdef_protocol_from_string(const char *s);
struct netdef_egress_rule {
	struct nd_prefix address; /* a network address; length 0: all of its family */
	uint8_t protocol;         /* enum netdef_protocol; UNSAID: any, then no ports */
	uint32_t port, port_end;  /* 0: any; port_end 0: port */
};
struct netdef_policy {
	struct netdef_guards guards;
	uint8_t egress;                   /* enum netdef_egress_policy */
	struct netdef_egress_rule *rules; /* with LIST */
	size_t rule_cnt;
};
/* A published port or range, to the same number of ports of a guest. */
struct netdef_publish {
	uint8_t protocol;        /* enum netdef_protocol, tcp when not given */
	struct nd_ip address;    /* of the host, never ::1; family 0: all but loopback */
	uint32_t port, port_end; /* port_end 0: port; at most NETDEF_FORWARD_PORTS of them */
	char *guest;             /* heap: port name, MAC or address, see netdef_guest_kind() */
	uint32_t guest_port;     /* of port; the others follow; 0: port */
};
/* An address or prefix that a guest may use besides what it was given. */
struct netdef_allowed {
	char *guest;              /* heap: port name or MAC */
	struct nd_prefix address; /* a network address */
};
struct netdef_accept {
	char *network; /* heap: name of a network whose guests may open connections to this one's */
};
enum netdef_host_access {
	NETDEF_HOST_ACCESS_UNSAID, /* SERVICES where isolated, else ALL */
	NETDEF_HOST_ACCESS_ALL,
	NETDEF_HOST_ACCESS_SERVICES,
	NETDEF_HOST_ACCESS_NONE,
};
const char *netdef_host_access_to_string(int v); /* NULL for UNSAID; "all" "services" "none" */
int netdef_host_access_from_string(const char *s);
struct netdef_source {
	struct nd_ip address; /* what this network's guests are translated to, one a family */
};
struct netdef_portgroup {
	char *name; /* heap */
	bool is_default;
	uint8_t trust_rx_filters; /* enum netdef_yesno */
	struct netdef_vlan vlan;
	struct netdef_virtualport virtualport;
	struct netdef_bandwidth bandwidth;
	struct netdef_policy policy;
};
struct netdef_option {
	char *value; /* heap: a line for dnsmasq */
};
/* What few networks use, out of the way of the many that do not. All zero: not given. */
struct netdef_rare {
	char *title, *description; /* heap */
	char *metadata; /* heap: the element as it is dumped, without indentation and newline around it */
	char *zone;     /* heap: firewalld's */
	char forward_dev[ND_IFNAMSIZ]; /* only while parsing: what it says is uplinks[0] */
	char pf[ND_IFNAMSIZ];
	struct netdef_uplink *uplinks; /* forward interfaces, the first is forward@dev too */
	size_t uplink_cnt;
	struct netdef_pci *pcis; /* forward addresses */
	size_t pci_cnt;
	bool managed;     /* hostdev: libvirt detaches and reattaches the devices */
	uint8_t driver;   /* enum netdef_driver */
	uint8_t nat_ipv6; /* enum netdef_yesno */
	struct nd_ip nat_start, nat_end;
	uint32_t nat_port_start, nat_port_end;
	struct netdef_forwarder *forwarders;
	size_t forwarder_cnt;
	struct netdef_txt *txts;
	size_t txt_cnt;
	struct netdef_srv *srvs;
	size_t srv_cnt;
	struct netdef_dns_host *dns_hosts;
	size_t dns_host_cnt;
	struct netdef_vlan vlan;
	struct netdef_bandwidth bandwidth;
	struct netdef_virtualport virtualport;
	struct netdef_route *routes;
	size_t route_cnt;
	struct netdef_portgroup *portgroups;
	size_t portgroup_cnt;
	struct netdef_option *options; /* dnsmasq:option */
	size_t option_cnt;
	uint8_t host_access; /* enum netdef_host_access */
	struct netdef_policy policy;
	struct netdef_source *sources;
	size_t source_cnt;
	struct netdef_accept *accepts;
	size_t accept_cnt;
	struct netdef_allowed *allowed;
	size_t allowed_cnt;
	struct netdef_publish *publishes;
	size_t publish_cnt;
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
	bool ipv6;           /* guests may speak IPv6 to each other without an IPv6 <ip> */
	uint8_t trust_rx_filters, domain_local_only, forward_plain_names, isolated; /* enum netdef_yesno */
	uint8_t mac_table;        /* enum netdef_mac_table */
	struct netdef_rare *rare; /* heap or NULL; read through netdef_rare() */
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
/* The rare part for reading: never NULL, all zero where d has none. Borrowed from d. */
const struct netdef_rare *netdef_rare(const struct netdef *d);

#define NETDEF_PARSE_VALIDATE 1u /* what would be a warning is an error: ND_INVALID, with libvirt's words */
/*
 * xml: len bytes, borrowed, need not be terminated. file: name used in messages ("networks/lan.xml"), may be
 * NULL: then the network's name stands there if the document has one. warn may be NULL; called per unknown
 * element or attribute (after 32 of them once more, saying that the rest is not told), the warning is
 * borrowed. Structure, types and ranges only; netdef_check does the rest. Thread-safe. *ret: caller frees.
 * Return: 0; ND_PARSE not well-formed, with libxml2's text; ND_INVALID; ND_MEMORY. Errors say file, line,
 * element and, in libvirt's words where it has them, what is wrong: "networks/lan.xml: line 7: <ip>: Invalid
 * address '300.1.1.1' in network 'lan'".
 */
int netdef_parse_flags(const char *xml, size_t len, unsigned flags, const char *file,
		       void (*warn)(void *arg, const struct netdef_warning *w), void *arg,
		       struct netdef **ret, struct nd_error *e);
/* The same without flags. */
int netdef_parse(const char *xml, size_t len, const char *file,
		 void (*warn)(void *arg, const struct netdef_warning *w), void *arg, struct netdef **ret,
		 struct nd_error *e);
/*
 * Cross-field rules, with libvirt's text where libvirt has the rule: what a forward mode needs and excludes;
 * range inside subnet, not reversed, not network/broadcast; one dhcp per family; host ip inside the subnet
 * and reserved once, one host per MAC; routes' gateways inside a subnet; portgroups and VLANs; netd's own
 * elements, where the mode can have them, each address and published port once; name without '/'; MAC unicast; a definition that, written out, could not be read again. Pure. Return: 0, ND_INVALID,
 * ND_MEMORY.
 */
int netdef_check(const struct netdef *d, struct nd_error *e);
/*
 * Whether netd puts in force all that d asks for; to be asked before a network is started. Pure.
 * Return: 0; ND_UNSUPPORTED naming the first element that it does not: "<forward mode='route'>: not supported
 * by this netd yet; supported are nat and isolated (no <forward>)".
 */
int netdef_supported(const struct netdef *d, struct nd_error *e);
/*
 * Whether s can be a network's name: 1 to 200 bytes, no '/', no control character, no leading '.' (it is the
 * definition file's name too). Return: NULL, or what is wrong with it in libvirt's words (a literal).
 */
const char *netdef_name_why(const char *s);
/* Appends the document in libvirt's order and form (2-space indent, single quotes, final newline). */
void netdef_format(const struct netdef *d, struct nd_buf *out);
struct netdef *netdef_copy(const struct netdef *d); /* NULL on ENOMEM */
void netdef_free(struct netdef *d);                 /* NULL-safe */
/* RECREATE: another identity or another bridge; ports cannot stay on it. */
enum netdef_change {
	NETDEF_CHANGE_NONE,
	NETDEF_CHANGE_LIVE,
	NETDEF_CHANGE_RESTART,
	NETDEF_CHANGE_RECREATE,
};
/*
 * The worst change class of the fields that differ (NONE: nothing differs, or nothing that a running network
 * notices); the paths of the differing rows below <network> are appended to what ("mtu@size, ip/dhcp/host"),
 * in document order, may be NULL. A list whose length differs is named as such, its items are not compared.
 */
enum netdef_change netdef_diff(const struct netdef *a, const struct netdef *b, struct nd_buf *what);
/* Heap bytes it uses (for the memory bench). */
size_t netdef_size(const struct netdef *d);

/* Sections and commands of net-update, with libvirt's numbers; 0 of either is none. */
enum netdef_section {
	NETDEF_SECTION_NONE,
	NETDEF_SECTION_BRIDGE,
	NETDEF_SECTION_DOMAIN,
	NETDEF_SECTION_IP,
	NETDEF_SECTION_DHCP_HOST,
	NETDEF_SECTION_DHCP_RANGE,
	NETDEF_SECTION_FORWARD,
	NETDEF_SECTION_FORWARD_INTERFACE,
	NETDEF_SECTION_FORWARD_PF,
	NETDEF_SECTION_PORTGROUP,
	NETDEF_SECTION_DNS_HOST,
	NETDEF_SECTION_DNS_TXT,
	NETDEF_SECTION_DNS_SRV,
};
const char *netdef_section_to_string(int v); /* virsh's: "none" "bridge" … "ip-dhcp-host" … */
int netdef_section_from_string(const char *s);
enum netdef_command {
	NETDEF_COMMAND_NONE,
	NETDEF_COMMAND_MODIFY,
	NETDEF_COMMAND_DELETE,
	NETDEF_COMMAND_ADD_LAST,
	NETDEF_COMMAND_ADD_FIRST,
};
const char *netdef_command_to_string(int v);   /* "none" "modify" "delete" "add-last" "add-first" */
int netdef_command_from_string(const char *s); /* "add" is add-last */
/*
 * One change of one record, as libvirt's net-update: xml is the record's element alone, terminated, borrowed.
 * parent: which <ip>, from 0, for the dhcp sections; -1: the first with DHCP, else the first IPv4, else the
 * first IPv6 one. The result is checked (netdef_check); d is changed wholly or not at all. Stricter than
 * libvirt in one thing: a deletion by MAC does not take a reservation that has none.
 * Return: 0; ND_UNSUPPORTED section or command not for updates; ND_STATE no such record, or it is there
 * already; ND_INVALID, ND_PARSE, ND_MEMORY. Texts are libvirt's.
 */
int netdef_update(struct netdef *d, enum netdef_section section, enum netdef_command command, int parent,
		  const char *xml, struct nd_error *e);

/* How a guest is named in <netd:forward> and, but for its address, in <netd:address>. */
enum netdef_guest { NETDEF_GUEST_NAME, NETDEF_GUEST_MAC, NETDEF_GUEST_ADDRESS };
/*
 * What s is: a MAC, an address, or else a port's name (at most 63 letters, digits, '-', '_', '.', beginning
 * with a letter or digit; a name that reads as one of the others is never taken for a name). ret_mac and
 * ret_ip, written where it is one, may be NULL. Return: enum netdef_guest; -1: none of them.
 */
int netdef_guest_kind(const char *s, struct nd_mac *ret_mac, struct nd_ip *ret_ip);
/*
 * Adds *p, copied (protocol UNSAID: tcp), last. The result is checked (netdef_check); d is changed wholly or
 * not at all. Return: 0; ND_EXISTS one of its ports is published already, naming the guest; ND_INVALID;
 * ND_MEMORY.
 */
int netdef_publish_add(struct netdef *d, const struct netdef_publish *p, struct nd_error *e);
/*
 * Removes the published port or range with p's protocol (UNSAID: tcp), address, port and port_end, and guest
 * where p has one; guest_port is not looked at. Return: 0; ND_NOT_FOUND, d is as it was.
 */
int netdef_publish_remove(struct netdef *d, const struct netdef_publish *p, struct nd_error *e);

/* With libvirt's numbers. */
enum netdef_metadata { NETDEF_METADATA_DESCRIPTION, NETDEF_METADATA_TITLE, NETDEF_METADATA_ELEMENT };
/*
 * uri: the element's namespace, for ELEMENT (NULL otherwise). *ret: caller frees; an element is written as
 * libvirt gives it: alone, its own namespace taken off.
 * Return: 0; ND_NOT_FOUND; ND_INVALID no uri; ND_MEMORY.
 */
int netdef_metadata_get(const struct netdef *d, enum netdef_metadata type, const char *uri, char **ret,
			struct nd_error *e);
/*
 * value: the text or element, copied; NULL (for texts also ""): removed. key, uri: prefix and namespace that
 * the element gets, for ELEMENT with a value both needed. d is changed wholly or not at all.
 * Return: 0, also where there was nothing to remove; ND_INVALID; ND_PARSE; ND_MEMORY.
 */
int netdef_metadata_set(struct netdef *d, enum netdef_metadata type, const char *value, const char *key,
			const char *uri, struct nd_error *e);
#endif

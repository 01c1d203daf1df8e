/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_CONFIG_H
#define ND_DHCP_CONFIG_H
/* What the DHCP server knows of a network and of a port. Plain data; netd/core fills it, dhcp/message carries it, dhcp/engine copies it. */
#include "base/addr.h"
#include "dhcp/lease.h"

#define DHCP_LEASE_DEFAULT_S 3600u /* as dnsmasq and libvirt */
#define DHCP_LEASE_MIN_S     120u
#define DHCP_LEASE_INFINITE  UINT32_MAX
#define DHCP_RANGES_MAX      64
#define DHCP_HOSTS_MAX       65536
#define DHCP_DNS_MAX         3
#define DHCP_DOMAIN_MAX      254
#define DHCP_ROUTES_MAX      27  /* with the default route in one option (RFC 3442: 9 bytes each at most) */
#define DHCP_BOOT_FILE_MAX   255 /* with NUL: what one option holds */

struct dhcp_range {
	uint32_t first_ip4, last_ip4; /* inclusive, first <= last, inside the subnet */
	uint32_t lease_s;             /* 0: the network's */
};
struct dhcp_host { /* a reservation */
	bool has_mac;
	struct nd_mac mac;
	char name
		[DHCP_HOSTNAME_MAX]; /* "" none; with no MAC and no client-id it matches the host name (or port name) */
	struct dhcp_identity client_id; /* len 0: none */
	uint32_t ip4;
	uint32_t lease_s; /* 0: the network's */
};
struct dhcp_route { /* for guests: option 121 */
	uint32_t ip4;
	uint8_t prefix_len;
	uint32_t gateway_ip4;
};
enum dhcp_boot_kind {                /* who loads a boot file */
		      DHCP_BOOT_ANY, /* who has no file of its own */
		      DHCP_BOOT_BIOS,
		      DHCP_BOOT_X64_UEFI,
		      DHCP_BOOT_ARM64_UEFI,
		      DHCP_BOOT_X64_HTTP,
		      DHCP_BOOT_ARM64_HTTP,
		      DHCP_BOOT_IPXE, /* on whatever machine */
		      DHCP_BOOT_CNT_
};
struct dhcp_boot {
	uint8_t kind;                  /* enum dhcp_boot_kind; at most one of each */
	char file[DHCP_BOOT_FILE_MAX]; /* a TFTP server's path, or a URL */
};
struct dhcp_network {
	uint32_t id; /* netd's number for it, never 0, never reused within a run */
	struct nd_uuid uuid;
	int ifindex;              /* of the bridge; may change when the bridge is made again */
	struct nd_mac server_mac; /* the bridge's: Ethernet source of replies */
	uint32_t address_ip4;     /* the server's: server identifier, source address */
	uint8_t prefix_len;
	uint32_t router_ip4; /* option 3; 0: none (isolated) */
	uint32_t dns_ip4[DHCP_DNS_MAX];
	uint8_t dns_cnt;
	char domain[DHCP_DOMAIN_MAX];
	uint16_t mtu;     /* option 26; 0: none */
	uint32_t lease_s; /* default lease time */
	bool probe; /* ARP-probe an address never leased before; false where every port is netd's and guarded */
	const struct dhcp_range *ranges; /* borrowed by calls; copied by the engine */
	uint32_t range_cnt;
	const struct dhcp_host *hosts;
	uint32_t host_cnt;
	const struct dhcp_route *routes; /* at most DHCP_ROUTES_MAX */
	uint32_t route_cnt;
	const struct dhcp_boot *boots;
	uint32_t boot_cnt;
	uint32_t next_server_ip4; /* where boot files are, where there are some; 0: not said */
};
struct dhcp_port {
	uint32_t mark; /* the frame's mark: NAT_MARK_BASE | number */
	uint32_t network_id;
	struct nd_uuid uuid;
	struct nd_mac mac;
	char name[DHCP_HOSTNAME_MAX]; /* "" none */
};
#endif

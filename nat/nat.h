/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_NAT_NAT_H
#define ND_NAT_NAT_H
/*
 * DOC: the nftables tables "inet netd" and "bridge netd"
 *
 * Static chains and rules (the skeleton), and per network and port only elements of hash sets and maps, so
 * that a packet's cost does not depend on how many networks there are. `struct nat` holds one write socket
 * for its whole life (ownership is by netlink port), another for events, and a view of the elements the
 * kernel holds, kept by our own commits, by scans, and by events. Callers queue with nat_put and send all in
 * one transaction with nat_commit.
 *
 * Source: uapi linux/netfilter/nf_tables.h, nft(8).
 */
#include "base/addr.h"
#include "base/error.h"
#include <sys/types.h>

/* What of a network's traffic is forwarded, per family. */
enum nat_forward {
	NAT_FORWARD_ISOLATED, /* nothing; answered with port unreachable */
	NAT_FORWARD_NAT,      /* out with another source, answers and what is published in */
	NAT_FORWARD_ROUTE,    /* both ways with addresses as they are */
	NAT_FORWARD_OPEN,     /* netd has no rule on it; of one family: on neither */
};
/* What of the host the guests of a network reach. */
enum nat_host {
	NAT_HOST_ALL,
	NAT_HOST_SERVICES, /* answers, DHCP, DNS, TFTP, ICMP echo and what IPv6 needs of ICMPv6 */
	NAT_HOST_NONE,
};

/*
 * DHCP frames from ports: mark = NAT_MARK_BASE | port number (1 … NAT_PORT_MAX); from ports of others
 * NAT_MARK_FOREIGN.
 */
#define NAT_MARK_BASE    0x4e000000u
#define NAT_MARK_MASK    0xff000000u
#define NAT_MARK_FOREIGN 0x4effffffu
#define NAT_PORT_MAX     0xfffffeu

/* The source that NAT gives: an address range and, for TCP and UDP, a port range. */
struct nat_source {
	struct nd_ip first, last;       /* family 0: masquerade */
	uint16_t port_first, port_last; /* 0: 1024 … 65535 */
};
struct nat_network {
	char bridge[ND_IFNAMSIZ];
	enum nat_forward forward4, forward6;
	enum nat_host host;
	bool dhcp;      /* the kernel must not answer DHCP on it */
	bool uplinked;  /* forwarded to and from its NAT_UPLINKs and its own guests only */
	bool isolated;  /* its guests do not reach each other, here: by way of the host; not OPEN ones */
	bool clamp_mss; /* TCP's segment size follows the route's MTU, both ways */
	struct nat_source source4, source6; /* with NAT_FORWARD_NAT of the family */
};
/* An interface that the network is forwarded through; with `uplinked` there, the only ones. */
struct nat_uplink {
	char bridge[ND_IFNAMSIZ];
	char uplink[ND_IFNAMSIZ];
};
/* Guests of `from` may open connections to guests of `to`, not translated. */
struct nat_peer {
	char from[ND_IFNAMSIZ];
	char to[ND_IFNAMSIZ];
};
enum nat_egress {
	NAT_EGRESS_ANY,
	NAT_EGRESS_INTERNET, /* not private, shared, link-local (metadata), multicast or special addresses, not the host; but
			      * netd's DHCP and DNS */
	NAT_EGRESS_LIST, /* its NAT_EGRESS_RULEs, netd's DHCP and DNS, and answers */
	NAT_EGRESS_NONE, /* netd's DHCP, and answers */
};
struct nat_port {
	char name[ND_IFNAMSIZ]; /* TAP */
	char bridge[ND_IFNAMSIZ];
	uint32_t mark;
	struct nd_mac mac; /* the only source MAC allowed … */
	bool mac_guard;    /* … when true */
	bool ip4_guard; /* IPv4 and ARP: only from its NAT_ADDRESSes of that family, and 0.0.0.0 for DHCP and probes */
	bool ip6_guard; /* IPv6 and ND: the same, :: for duplicate detection, and link-local addresses but the bridge's; never a NAT_GATEWAY */
	bool dhcp_guard; /* it may not answer DHCP and DHCPv6 */
	bool ra_guard;   /* it may not send router advertisements or redirects */
	struct nd_mac
		gateway_mac; /* the bridge's, whose link-local address is nobody else's; zero: not guarded */
	uint32_t broadcast_pps, multicast_pps; /* frames per second from it, bursts of a second; 0: any */
	uint32_t connection_max; /* tracked connections that it may hold open at a time; 0: any */
	enum nat_egress egress;
};
/* A source that the port may use. Host prefixes are a hash lookup; others cost an interval lookup. */
struct nat_address {
	char port[ND_IFNAMSIZ];
	struct nd_prefix prefix;
};
/* A destination allowed by NAT_EGRESS_LIST. */
struct nat_egress_rule {
	uint32_t mark;                  /* the port's */
	struct nd_prefix prefix;        /* len 0 of a family: all of it */
	uint8_t protocol;               /* IPPROTO_TCP, IPPROTO_UDP; 0: any, then no ports */
	uint16_t port_first, port_last; /* 0: any */
};
/*
 * One published port: what comes for host:port goes to guest:guest_port. From outside, from the host itself, and from guests, those of the
 * same bridge with the bridge's address as source (else the answer would not come back here).
 */
struct nat_publish {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct nd_ip
		host; /* family 0: every address of the host's own of the guest's family, but not loopback ones */
	uint16_t port;
	struct nd_ip guest; /* same family */
	uint16_t guest_port;
	char bridge[ND_IFNAMSIZ]; /* the guest's */
};
enum nat_kind {
	NAT_NETWORK,
	NAT_UPLINK,
	NAT_PEER,
	NAT_PORT,
	NAT_ADDRESS,
	NAT_GATEWAY, /* address: never the port's, though one of its prefixes holds it. IPv6, len 128 */
	NAT_EGRESS_RULE,
	NAT_PUBLISH,
};
/* Plain data of fixed size: what an object needs is a list of these. */
struct nat_config {
	enum nat_kind kind;
	union {
		struct nat_network network;
		struct nat_uplink uplink;
		struct nat_peer peer;
		struct nat_port port;
		struct nat_address address;
		struct nat_egress_rule egress_rule;
		struct nat_publish publish;
	};
};
/* Why a frame or packet of a port was dropped. */
enum nat_drop {
	NAT_DROP_MAC,
	NAT_DROP_IP4,
	NAT_DROP_ARP,
	NAT_DROP_IP6,
	NAT_DROP_DHCP_SERVER,
	NAT_DROP_ROUTER,
	NAT_DROP_BROADCAST,
	NAT_DROP_MULTICAST,
	NAT_DROP_CONNECTIONS,
	NAT_DROP_EGRESS,
	NAT_DROP_NEIGHBOURS, /* egress policy, between guests of one network */
	NAT_DROP_CNT_
};
const char *nat_drop_to_string(int v); /* "mac" "ip4" "arp" "ip6" "dhcp-server" "router" … */

struct nat;
/*
 * Opens the sockets; touches nothing. owner: nat_open tries the table flags owner + persist; without them on
 * a kernel that has not both. CAP_NET_ADMIN of the network namespace.
 */
int nat_new(bool owner, struct nat **ret, struct nd_error *e);
void nat_free(struct nat *t); /* closes; the tables stay (persist, or unowned) */
/*
 * Start-up, once, before any other call: reads both tables if they exist (taking them over when orphaned) and
 * builds the view. A table that is not exactly our skeleton with the wanted flags (compared object by object)
 * is rebuilt by the next commit that follows a nat_put, in one transaction. ND_BUSY: another process owns a
 * table. Whether the kernel knows the flags is tried (some ms) unless a table shows it.
 */
int nat_open(struct nat *t, struct nd_error *e);
bool nat_owned(const struct nat *t); /* the kernel accepted owner + persist */
/* The netlink port of the write socket: events bear it when the change was ours. */
uint32_t nat_netlink_port(const struct nat *t);
/* Whether the skeleton and every element of cfg stand in the view. Pure, O(1). */
bool nat_holds(const struct nat *t, const struct nat_config *cfg);
/*
 * Queues the change was → want; either may be NULL (new; gone). Copied. Deleting what the view lacks is
 * skipped, adding what it has too, and what is undone before the commit costs nothing. ND_MEMORY: nothing was
 * queued.
 */
int nat_put(struct nat *t, const struct nat_config *was, const struct nat_config *want, struct nd_error *e);
/*
 * One transaction for all that is queued (and the skeleton when it is missing). Nothing queued: no system
 * call. On failure the queue is dropped, the view is as before and the error names the rule or element by its
 * label. When the refusal shows that the view was behind (others changed the tables and the event is unread),
 * the tables are read and the transaction is tried once more, restoring what they took.
 */
int nat_commit(struct nat *t, struct nd_error *e);
/*
 * Adoption: nat_sweep_begin, nat_claim for each wanted config, nat_sweep queues the deletion of all elements
 * nobody claimed.
 */
void nat_sweep_begin(struct nat *t);
void nat_claim(struct nat *t, const struct nat_config *cfg);
int nat_sweep(struct nat *t, size_t *ret_cnt, struct nd_error *e);
/*
 * Packets of the port dropped by each reason since its guards were set, from the kernel; 0 for guards that it has not. port: as it was put.
 * A system call for each guard.
 */
int nat_port_drops(struct nat *t, const struct nat_port *port, uint64_t ret[NAT_DROP_CNT_],
		   struct nd_error *e);

/*
 * Watching. Register nat_fd for reading; nat_on_readable reads what is there. Our own commits do not make it
 * readable. Elements that others took stay queued, and those they added are queued for deletion, so the next
 * nat_commit mends both; a skeleton that does not stand is queued by any nat_put with a want.
 */
struct nat_change {
	bool lost;     /* someone else took or changed something of ours: repair (the view is corrected) */
	pid_t pid;     /* who did it; 0: unknown, as it is outside of the initial pid namespace */
	char comm[17]; /* its command name, from NEWGEN */
	char what[64]; /* "table inet netd", "set nat4", … */
};
int nat_fd(const struct nat *t);
int nat_on_readable(struct nat *t, struct nat_change *ret,
		    struct nd_error *e); /* ND_OVERRUN was handled by a rescan: ret->lost tells */
#endif

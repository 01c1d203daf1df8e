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

enum nat_forward { NAT_FORWARD_ISOLATED, NAT_FORWARD_NAT };

/*
 * DHCP frames from ports: mark = NAT_MARK_BASE | port number (1 … NAT_PORT_MAX); from ports of others
 * NAT_MARK_FOREIGN.
 */
#define NAT_MARK_BASE    0x4e000000u
#define NAT_MARK_MASK    0xff000000u
#define NAT_MARK_FOREIGN 0x4effffffu
#define NAT_PORT_MAX     0xfffffeu

struct nat_network {
	char bridge[ND_IFNAMSIZ];
	enum nat_forward forward;
	bool dhcp; /* the kernel must not answer DHCP on it */
};
struct nat_port {
	char name[ND_IFNAMSIZ]; /* TAP */
	uint32_t mark;
	struct nd_mac mac; /* the only source MAC allowed … */
	bool mac_guard;    /* … when true */
};
enum nat_kind { NAT_NETWORK, NAT_PORT };
struct nat_config {
	enum nat_kind kind;
	union {
		struct nat_network network;
		struct nat_port port;
	};
};

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
 * Packets that the port's guard dropped since it was set, from the kernel. ND_NOT_FOUND: the port has no
 * guard.
 */
int nat_port_drops(struct nat *t, const char *name, uint64_t *ret, struct nd_error *e);

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

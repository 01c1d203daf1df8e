/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LAN_LAN_H
#define ND_LAN_LAN_H
/*
 * DOC: a physical NIC becomes the port of a bridge, and the host goes on through the bridge
 *
 * What the kernel has of a NIC (addresses, routes of every table, nexthop objects, policy rules that name it, neighbours, its settings) is read as whole
 * netlink messages, and moved to the bridge by a list of steps, each with its undo. The list is one struct lan_record, which is on disk and synced before its
 * first step is done: whoever finds it there knows how to go back, after a kill -9 too. Steps may be done or undone any number of times.
 *
 * Everything here blocks (netlink, files, D-Bus), knows no thread, and has no state of its own: netd runs it on a thread. The probe does not block.
 * Needs CAP_NET_ADMIN; the probe CAP_NET_RAW. Times are milliseconds of CLOCK_BOOTTIME.
 */
#include "base/addr.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/netlink.h"
#include "base/strtab.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAN_ALIAS \
	"netd-host-bridge" /* IFLA_IFALIAS of the bridges made here; not of nd_alias_format's form */
#define LAN_GATEWAYS_MAX 8

enum lan_manager {
	LAN_MANAGER_NONE,
	LAN_MANAGER_NETWORKD,
	LAN_MANAGER_NETWORK_MANAGER,
	LAN_MANAGER_IFUPDOWN,
};
ND_STRTAB_DECLARE(lan_manager); /* "none", "systemd-networkd", … */

enum lan_phase {
	LAN_CHANGING, /* steps are being done, or the gateway is being asked: whoever finds this goes back */
	LAN_WAITING,  /* for the confirmation, until deadline_ms */
	LAN_ACTIVE,   /* stays */
	LAN_REMOVING, /* steps of the way back are being done: whoever finds this does them again, to the end */
};
ND_STRTAB_DECLARE(lan_phase);

/* One thing to do. */
struct lan_op {
	enum { LAN_OP_NONE, LAN_OP_NETLINK, LAN_OP_SYSCTL, LAN_OP_DNS } kind;
	uint16_t type, flags; /* netlink: RTM_…, NLM_F_… beside REQUEST and ACK */
	char *key;            /* sysctl: as nd_sysctl_write's; owned */
	uint8_t *data;        /* netlink: family header and attributes; else a NUL-terminated value; owned */
	size_t len;           /* bytes; of a text without its NUL */
};
struct lan_step {
	char *what;    /* for people: "address 192.0.2.1/24 on br0"; owned */
	bool optional; /* its failure changes nothing for anybody: told to nobody */
	struct lan_op make, undo;
};
struct lan_file {
	char *path;  /* absolute; owned */
	char *text;  /* what it becomes; owned */
	char *was;   /* what it was; NULL: it did not exist; owned */
	mode_t mode; /* of a new one */
};
struct lan_gateway {
	struct nd_ip ip, source; /* source: the address we ask from; family 0: none known */
};

struct lan_record {
	char bridge[ND_IFNAMSIZ], port[ND_IFNAMSIZ];
	int bridge_index, port_index;
	struct nd_mac mac; /* of both */
	enum lan_phase phase;
	uint64_t taken_ms;    /* when the messages in steps were read: lifetimes in them count from there */
	uint64_t deadline_ms; /* LAN_WAITING */
	char boot[ND_UUID_STRLEN]; /* the kernel's boot id: of another boot, steps and times mean nothing */
	struct lan_step *steps;
	size_t step_cnt;
	struct lan_gateway gateways[LAN_GATEWAYS_MAX];
	size_t gateway_cnt;
	enum lan_manager manager;
	bool persist; /* files are written when it stays, and were written when it is active */
	struct lan_file *files;
	size_t file_cnt;
	char **notes; /* sentences for people, NULL-ended; may be NULL */
};
void lan_record_free(struct lan_record *r); /* NULL-safe */
/* Adds the note "before text"; nothing where there is no memory. */
void lan_record_note(struct lan_record *r, const char *before, const char *text);
ND_DEFINE_CLEANUP(struct lan_record *, lan_record_free)

struct lan_request {
	const char *bridge, *port; /* borrowed */
	bool persist;
	const char *root; /* folder that /etc and /run are looked for in; "" : the host's */
};

uint64_t lan_now_ms(void);
/* Of this boot: /proc/sys/kernel/random/boot_id. */
int lan_boot_id(char ret[ND_UUID_STRLEN], struct nd_error *e);

/*
 * Reads the NIC, refuses what cannot work, and plans. Changes nothing. *ret: the caller's, phase LAN_CHANGING. Return: 0; ND_NOT_FOUND: no such NIC; ND_EXISTS:
 * the bridge's name is taken; ND_UNSUPPORTED, ND_STATE or ND_BUSY: refused, the text says why and what to do instead; ND_INVALID: a name.
 */
int lan_create_plan(struct nd_nl *nl, const struct lan_request *req, struct lan_record **ret,
		    struct nd_error *e);
/* Does all steps; on failure undoes those, and says so in e's also where that failed too. r must be saved. */
int lan_apply(struct nd_nl *nl, const struct lan_record *r, struct nd_error *e);
/* Undoes all steps, last first, whichever of them were done, going on after failures. Return: the first failure. */
int lan_undo(struct nd_nl *nl, const struct lan_record *r, struct nd_error *e);
/*
 * Plans the way back from what the bridge has now: on success r's steps are those, and its phase is LAN_REMOVING. Return: 0; ND_BUSY, naming them, when
 * others are in the bridge; ND_NOT_FOUND when bridge or port are gone.
 */
int lan_remove_plan(struct nd_nl *nl, struct lan_record *r, struct nd_error *e);
/*
 * What a DHCP client that does not know of the bridge has put on the port again, is moved to the bridge. *ret_moved: how many addresses.
 */
int lan_follow(struct nd_nl *nl, const struct lan_record *r, size_t *ret_moved, struct nd_error *e);

/* The record's file, dir/BRIDGE.json: written synced; removed; all of them read. */
int lan_record_save(const char *dir, const struct lan_record *r, struct nd_error *e);
int lan_record_drop(const char *dir, const struct lan_record *r, struct nd_error *e);
/* fn takes r. A file that does not parse is given to broken, with why. */
int lan_record_each(const char *dir, void (*fn)(struct lan_record *r, void *arg),
		    void (*broken)(const struct nd_error *why, void *arg), void *arg, struct nd_error *e);
/* The same as text; *ret is the caller's. */
int lan_record_format(const struct lan_record *r, char **ret, struct nd_error *e);
int lan_record_parse(const char *text, size_t len, struct lan_record **ret, struct nd_error *e);

/* ---- persistence ---- */
/* Writes r's files, all or none. One that is not any more as it was when it was planned gives ND_CONFLICT. */
int lan_files_write(const struct lan_record *r, struct nd_error *e);
/* Takes them back. One that somebody has changed since stays, and is named in e: ND_CONFLICT; the others are taken back all the same. */
int lan_files_restore(const struct lan_record *r, struct nd_error *e);

/* ---- the gateway ---- */
/*
 * A packet socket on the bridge that hears ARP and ICMPv6, non-blocking; the caller closes it. Ask once, then again after some 200 ms until each family is
 * answered or time is up.
 */
struct lan_probe {
	int fd, ifindex;
	struct nd_mac mac;
	const struct lan_gateway *gateways; /* borrowed */
	size_t gateway_cnt;
	bool answered[LAN_GATEWAYS_MAX];
};
int lan_probe_open(struct lan_probe *p, const struct lan_record *r /* borrowed until closed */,
		   struct nd_error *e);
void lan_probe_close(struct lan_probe *p);
/* Sends one question for each that has not answered. A frame that cannot be sent is as one that is lost. */
void lan_probe_ask(struct lan_probe *p);
/* Reads what is there. Return: whether of each family that has a gateway one has answered (true where there is no gateway at all). */
bool lan_probe_read(struct lan_probe *p);
/* The frames, for tests too. size: at least 128. Return: length, 0: not to be asked. */
size_t lan_probe_question(const struct nd_mac *mac, const struct lan_gateway *g, uint8_t *frame, size_t size);
bool lan_probe_is_answer(const struct lan_gateway *g, const uint8_t *frame, size_t len);
#endif

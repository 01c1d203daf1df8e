/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LAN_PRIVATE_H
#define ND_LAN_PRIVATE_H
/* What lan/'s files share. */
#include "base/map.h"
#include "lan/lan.h"
#include <linux/rtnetlink.h>

/* ---- message.c: the kernel's messages, kept whole and said again of another link ---- */

struct lan_message { /* RTM_NEWADDR, NEWROUTE, NEWNEXTHOP, NEWRULE or NEWNEIGH as dumped */
	uint16_t type;
	uint8_t *data; /* family header and attributes; owned */
	size_t len;
	char text[112]; /* for people */
};
struct lan_messages {
	struct lan_message *list;
	size_t cnt, size;
};
void lan_messages_done(struct lan_messages *all);
int lan_messages_add(struct lan_messages *all, const struct nlmsghdr *msg, struct nd_error *e);
struct nlattr *lan_message_attr(const struct lan_message *m, int type); /* NULL: none */

struct lan_place { /* a link, by what messages call it */
	int ifindex;
	const char *name;
};
enum lan_verb { LAN_ADD, LAN_ADD_QUIET /* IPv6 address: without DAD */, LAN_REPLACE, LAN_DELETE };
/* Makes *ret the request that does verb with m, where `from` is `to`. */
int lan_message_request(const struct lan_message *m, enum lan_verb verb, const struct lan_place *from,
			const struct lan_place *to, struct lan_op *ret, struct nd_error *e);
/* Lifetimes in a request, this much later. */
void lan_op_age(struct lan_op *op, uint64_t elapsed_s);
/* A link request from its parts, as libnl built it; msg is taken. */
int lan_op_from_msg(struct lan_op *ret, struct nl_msg *msg, struct nd_error *e);
int lan_op_text(struct lan_op *ret, int kind, const char *key, const char *value, struct nd_error *e);
void lan_op_done(struct lan_op *op);
bool lan_message_is_ip6(const struct lan_message *m);
bool lan_message_is_multipath(const struct lan_message *m);

/* ---- snapshot.c ---- */

struct lan_sysctl {
	const char *name; /* "ipv6 accept_ra"; family and key */
	char value[64];
};
struct lan_snapshot {
	int ifindex, master, free_ifindex;
	char name[ND_IFNAMSIZ];
	uint32_t flags, mtu;
	uint16_t hw_type; /* ARPHRD_… */
	struct nd_mac mac;
	char kind[32];                 /* IFLA_INFO_KIND: "" physical */
	char alias[64];                /* cut */
	char master_name[ND_IFNAMSIZ]; /* "": no master */
	bool is_netd;                  /* made by netd for a network */
	char upper[ND_IFNAMSIZ];       /* a macvlan, macvtap or ipvlan on it, "" none */
	char upper_kind[32];
	char port_names[256]; /* links in it, with ", " between; "" none */
	int port_cnt;
	struct lan_messages addresses, routes, nexthops, rules, neighbours;
	char (*sysctls)[64]; /* by lan_sysctl_rows; "" : as the default, or absent */
	char addr_gen_mode[8];
	char stable_secret[64];
	bool dynamic; /* an IPv4 address that ends: a DHCP client's */
};
void lan_snapshot_free(struct lan_snapshot *s);
ND_DEFINE_CLEANUP(struct lan_snapshot *, lan_snapshot_free)
int lan_snapshot_take(struct nd_nl *nl, const char *ifname, struct lan_snapshot **ret, struct nd_error *e);
extern const char *const lan_sysctl_rows[]; /* "ipv4/conf/%s/rp_filter" … */
extern const size_t lan_sysctl_row_cnt;

/* Puts first, then second (may be NULL) in the place of the "%s" of a table's text. */
void lan_fill(char *buf, size_t size, const char *text, const char *first, const char *second);

/* ---- check.c ---- */
/* sysfs: root of "class/net/…", normally "/sys". */
int lan_check(const struct lan_snapshot *s, const char *bridge, const char *sysfs, struct nd_error *e);

/* ---- plan.c; pure ---- */
int lan_plan_create(const struct lan_snapshot *s, const char *bridge, struct lan_record *r,
		    struct nd_error *e);
/* s: of the bridge. */
int lan_plan_remove(const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e);
/* s: of the port; the steps go to the bridge that is there. */
int lan_plan_follow(const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e);
int lan_note(struct lan_record *r, struct nd_error *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int lan_step_add(struct lan_record *r, struct lan_op *make, struct lan_op *undo, struct nd_error *e,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void lan_steps_clear(struct lan_record *r);

/* ---- dns.c ---- */
/* The link's own servers at systemd-resolved, as text for lan_dns_set. *ret NULL: no resolved, or nothing to move. */
int lan_dns_get(int ifindex, char **ret, struct nd_error *e);
/* text: as from lan_dns_get, or "" : the link's settings go back to none. */
int lan_dns_set(const char *ifindex, const char *text, struct nd_error *e);

/* ---- persist*.c ---- */
struct lan_persist { /* one network manager's way to write it down */
	enum lan_manager manager;
	/* Whether it manages the port. */
	bool (*manages)(const char *root, const struct lan_record *r);
	/* Adds files (and notes) to r. */
	int (*plan)(const char *root, const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e);
	const char *dynamic_note; /* how its DHCP client comes to the bridge before the next start */
};
extern const struct lan_persist lan_persist_networkd, lan_persist_network_manager, lan_persist_ifupdown;
int lan_persist_plan(const char *root, const struct lan_snapshot *s, struct lan_record *r,
		     struct nd_error *e);
/* Its text: taken. */
int lan_file_add(struct lan_record *r, const char *root, const char *path, char *text, mode_t mode,
		 struct nd_error *e);
/* An INI file's text without the sections named in drop (NULL-ended), behind head. *ret: the caller's. */
int lan_ini_rewrite(const char *text, const char *head, const char *const *drop, bool keep_named, char **ret,
		    struct nd_error *e);
/* Value of key in a file of KEY=VALUE lines; false: none. section NULL: any. */
bool lan_ini_value(const char *text, const char *section, const char *key, char *ret, size_t size);
char *lan_read(const char *root, const char *path); /* NULL: cannot be read */
#endif

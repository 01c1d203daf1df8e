/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DNS_DNS_H
#define ND_DNS_DNS_H
/*
 * DOC: DNS for a network, by dnsmasq
 *
 * What dnsmasq reads is made here as text, from plain structs (pure), and dnsmasq is started, found again and told here. Who needs one, when,
 * and what becomes of one that died is for the caller.
 *
 * A server has a folder of its own: conf, hosts, pid (written before dnsmasq is executed) and log (what it said last before it ended). What
 * changes while it serves, names of guests and the host's resolvers, is in files that dnsmasq reads again on SIGHUP; for the rest it is started
 * again. It never serves DHCP, and takes no inotify instance: of those a user has 128 by default.
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "base/error.h"
#include <sys/types.h>

#define DNS_PATH_MAX      512 /* with NUL */
#define DNS_RESOLVERS_MAX 8
#define DNS_ZONES_MAX     128 /* of one prefix: one bit below a whole octet */
#define DNS_ZONE_LEN      80  /* with NUL: 32 nibbles and dots, ip6.arpa */
#define DNS_CONFIG_MAX    (4 * 1024 * 1024)

/* ---- text; pure ---- */

struct dns_forwarder {
	const char *domain; /* NULL: all names */
	struct nd_ip ip;    /* family 0: as if there were none for the domain */
};
struct dns_txt {
	const char *name, *value;
};
struct dns_srv {
	const char *service, *protocol;
	const char *domain, *target;     /* NULL: none */
	uint16_t port, priority, weight; /* meaningful with a target */
};
/* All borrowed. Strings with a control character are refused, whoever let them in. */
struct dns_config {
	const char *network; /* its name, for people who look into the file */
	const char *bridge;
	bool serve;         /* DNS; else TFTP alone */
	const char *domain; /* NULL: none */
	bool local_only;    /* names of the domain are asked for nowhere else */
	bool no_plain;      /* nor are names without a dot */
	const char *hosts_file;
	const char *servers_file; /* the host's resolvers; NULL: not asked */
	const char *tftp_root;    /* NULL: no TFTP */
	const struct dns_forwarder *forwarders;
	size_t forwarder_cnt;
	const struct dns_txt *txts;
	size_t txt_cnt;
	const struct dns_srv *srvs;
	size_t srv_cnt;
	const struct nd_prefix *local_ptr; /* subnets whose addresses are asked for nowhere else */
	size_t local_ptr_cnt;
	const char *const *options; /* lines that dns_option_check lets in */
	size_t option_cnt;
};
/* Appends the configuration file. ND_INVALID, ND_MEMORY. */
int dns_config_text(const struct dns_config *c, struct nd_buf *out, struct nd_error *e);

/* Whether a line for dnsmasq is one that netd passes on. ND_UNSUPPORTED: names it, and says why where that is known; ND_INVALID: broken. */
int dns_option_check(const char *line, struct nd_error *e);

struct dns_name {
	struct nd_ip ip;
	const char *name; /* borrowed */
};
/*
 * Appends the hosts file. Lines as they come: of an address asked for, the first is the answer. A name without a dot also gets the domain (NULL:
 * none), and that form first.
 */
void dns_hosts_text(const struct dns_name *names, size_t cnt, const char *domain, struct nd_buf *out);
/* Appends the file of the host's resolvers. */
void dns_servers_text(const struct nd_ip *ips, size_t cnt, struct nd_buf *out);

/* The zones of a prefix's addresses, "77.10.in-addr.arpa", in order. More than one where it does not end at an octet or nibble. Return: how many. */
size_t dns_reverse_zones(const struct nd_prefix *p, char ret[DNS_ZONES_MAX][DNS_ZONE_LEN]);

/* Nameservers of a resolv.conf, loopback ones too. Return: how many. */
size_t dns_resolvers_parse(const char *text, struct nd_ip ret[DNS_RESOLVERS_MAX]);

#define DNS_RESOLV_CONF      "/etc/resolv.conf"
#define DNS_RESOLVED_SERVERS "/run/systemd/resolve/resolv.conf"
/* Whom the host asks: resolv.conf, and behind systemd-resolved's stub those that it asks. Return: how many; files that are not there have none. */
size_t dns_resolvers_read(struct nd_ip ret[DNS_RESOLVERS_MAX]);

/* ---- processes ---- */

struct dns_launch {
	const char *dnsmasq; /* executable */
	const char *dir;     /* of this server, absolute; there is a conf in it */
	uid_t uid;
	gid_t gid; /* both -1: keep */
};
struct dns_process {
	pid_t pid;
	int fd; /* pidfd; readable when it has ended. The owner's */
};
/* Starts one by way of dns_launch_main. When it is spawned it does not serve yet, and may still fail; then log says why. */
int dns_launch(const struct dns_launch *l, struct dns_process *ret, struct nd_error *e);
/* One that an earlier netd started with that folder: its pid, start time and arguments say so. ND_NOT_FOUND. */
int dns_find(const char *dir, struct dns_process *ret, struct nd_error *e);
/* Any signal; one that has ended is left alone. */
void dns_signal(const struct dns_process *p, int sig);
void dns_process_close(struct dns_process *p); /* the descriptor; NULL-safe, twice too */
/* Why it ended, as it said it; "" nothing. Return: buf. */
const char *dns_last_words(const char *dir, char *buf, size_t size);
/* Removes the folder and the files in it; absent is fine. */
void dns_dir_remove(const char *dir);

/* `netd --worker dns`: limits itself and executes dnsmasq; where that fails, ends. */
void dns_launch_main(int argc, char **argv) __attribute__((noreturn));

/* ---- systemd-resolved; blocking ---- */

struct dns_link {
	int ifindex;
	struct nd_ip servers[2]; /* family 0: none */
	size_t server_cnt;
	const char *const
		*domains; /* names of these, and no others, are asked of it; none: it is forgotten */
	size_t domain_cnt;
};
/* ND_NOT_FOUND: it does not run, or there is no system bus. */
int dns_resolved_set(const struct dns_link *l, struct nd_error *e);
#endif

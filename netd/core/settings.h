/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_SETTINGS_H
#define ND_CORE_SETTINGS_H
/*
 * The daemon's own settings: command line, then CONFIG/netd.conf ("key = value" lines, '#' comments), then defaults. One row per key
 * in settings.c: name, type, range, default, text; netd.conf(5) is checked against the rows.
 */
#include "base/error.h"
#include "base/log.h"
#include <stdbool.h>
#include <sys/types.h>

#define NETD_SYSCONFDIR_DEFAULT "/etc/netd"
#define NETD_STATEDIR_DEFAULT   "/var/lib/netd"
#define NETD_RUNDIR_DEFAULT     "/run/netd"

/* Firewalls of others that drop what networks need. */
enum settings_foreign { SETTINGS_FOREIGN_OFF, SETTINGS_FOREIGN_REPORT, SETTINGS_FOREIGN_AUTO };

struct settings {
	char *config_dir, *state_dir, *run_dir; /* heap */
	enum nd_log_level log_level;
	bool nft_table_owner;   /* nft_table_owner = auto | no */
	unsigned lease_grace_s; /* lease_grace = 60: a port's lease after the port's end */
	char *group;            /* group = netd: who administers, besides root */
	char *dhcp_user;        /* dhcp_user = netd-dhcp: the worker's identity; nobody when absent */
	bool arp_probe;         /* arp_probe = yes */
	char *dnsmasq;          /* dnsmasq = /usr/sbin/dnsmasq */
	char *dns_user;         /* dns_user = netd-dns: whom it runs as; nobody when absent */
	unsigned dns_linger_s;  /* dns_linger = 60: after the last port's end */
	enum settings_foreign foreign_firewall; /* foreign_firewall = report */
};
void settings_init(struct settings *s);
void settings_done(struct settings *s);
/* Reads path; an absent file is fine. Errors name file, line, key and what was expected. */
int settings_read(struct settings *s, const char *path, struct nd_error *e);
#endif

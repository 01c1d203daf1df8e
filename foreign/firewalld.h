/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_FIREWALLD_H
#define ND_FOREIGN_FIREWALLD_H
/*
 * DOC: firewalld, over D-Bus
 *
 * A bridge belongs to one zone; without one it is the default zone's, which forwards nothing. netd binds its bridges at
 * run time only: firewalld's files are the administrator's. A reload keeps such bindings, a restart loses them. Calls
 * block for at most five seconds, and never start a firewalld that does not run.
 *
 * Source: firewalld.dbus(5).
 */
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

#define FOREIGN_ZONE "netd" /* the zone that netd installs */

/* Whether it runs: its name on the system bus has an owner. */
bool foreign_firewalld_runs(void);
/* ret: "" none of its own. Return: 0, ND_NOT_FOUND where it does not run, ND_SYSTEM with its words. */
int foreign_firewalld_zone_of(const char *ifname, char *ret, size_t size, struct nd_error *e);
/* Moves the interface into the zone. ND_INVALID: there is no such zone. */
int foreign_firewalld_bind(const char *zone, const char *ifname, struct nd_error *e);
int foreign_firewalld_unbind(const char *zone, const char *ifname, struct nd_error *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_NAMES_HOST_H
#define ND_CORE_NAMES_HOST_H
/*
 * DOC: name servers of networks and the host's own resolver
 * Whom the host asks, for those of the networks that ask them too; and systemd-resolved, where it runs, told whose names a network's server
 * knows. That is asked and told on a thread of its own: a bus may take its time.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

struct names_host;
/* dir: where the file of resolvers is kept, copied. ND_MEMORY. */
int names_host_new(struct core *c, const char *dir, struct names_host **ret, struct nd_error *e);
void names_host_free(struct names_host *h); /* NULL-safe */
#define NAMES_HOST_CHANGED 1u               /* the file of resolvers is another one */
#define NAMES_HOST_CAME    2u               /* systemd-resolved is there, and was not the last time */
/* Looks at the host's files, and reads them where they are not as the last time. Return: bits; 0: all is as it was. */
unsigned names_host_look(struct names_host *h);
/* Active network: names of its domain, and its addresses, are asked of its server (on), or no more. */
void names_host_tell(struct names_host *h, const struct network *n, bool on);
#endif

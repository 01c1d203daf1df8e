/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_PLACEHOLDER_H
#define ND_CLI_PLACEHOLDER_H
/*
 * DOC: the words of `netdctl exec`: what --network takes, and what is put into the command line
 * Pure; needs base only.
 */
#include "base/addr.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

#define NETWORK_QUEUES_MAX 64 /* as the daemon's: TAP_QUEUES_MAX */

/* --network NETWORK[,mac=MAC][,name=PORT][,portgroup=GROUP][,queues=N] */
struct network_option {
	char *network;   /* name or uuid; heap */
	char *name;      /* the port's; heap, NULL: none */
	char *portgroup; /* heap, NULL: the default one */
	bool mac_set;
	struct nd_mac mac; /* unicast */
	bool mac_unknown;  /* the guest gets a MAC of its VMM's: no MAC guard */
	unsigned queues;   /* 1 to NETWORK_QUEUES_MAX; 1 when not given */
};
/* Return: 0, ND_INVALID with the text and the offending word, or ND_MEMORY; *ret is written on success only, and then the caller's. */
int network_option_parse(const char *text, struct network_option *ret, struct nd_error *e);
void network_option_done(struct network_option *o); /* accepts a zeroed one */

/* What an attached network has to offer to a command line. */
struct placeholder_network {
	int fds[NETWORK_QUEUES_MAX]; /* borrowed */
	size_t fd_cnt;               /* one per queue; at least 1 */
	char mac[ND_MAC_STRLEN];     /* the guest's */
	char ifname[ND_IFNAMSIZ];    /* the TAP's */
	unsigned mtu;
};
/*
 * Copies arg, with placeholders replaced: %{fd} the file descriptor (one queue only), %{fds:} and %{fds,} all of them with ':' or ',' between,
 * %{mac}, %{ifname}, %{q} the number of queues, %{2q} twice that, %{mtu}. They mean the first network, and %{K.fd} and so on the
 * K-th, counted from 1. %%{ gives %{. Any other '%' stays.
 * networks: cnt of them, at least one. *ret: heap, the caller's.
 * Return: 0; ND_INVALID: unknown or unfinished placeholder, no such network, or %{fd} of one with several queues; ND_MEMORY.
 */
int placeholder_expand(const char *arg, const struct placeholder_network *networks, size_t cnt, char **ret,
		       struct nd_error *e);
#endif

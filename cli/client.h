/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_CLIENT_H
#define ND_CLI_CLIENT_H
/*
 * DOC: the blocking client
 *
 * One connection to netd, one call at a time. Methods are named without their interface ("Attach").
 * Parameters are `taken` (NULL: none), a reply is the caller's (json_decref). Errors are the daemon's own, or
 * what kept us from hearing it. After ND_PROTOCOL, ND_SYSTEM from the socket, or a stream that ended early,
 * the connection is of no more use and every further call says so.
 */
#include "base/error.h"
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct client;
/*
 * Set by a signal's handler (installed without SA_RESTART) to end the wait for a stream's next reply. Cleared
 * by whom it interrupted.
 */
extern volatile sig_atomic_t client_interrupted;
/* path NULL: $NETD_SOCKET, else the default. The error says which path, why, and what to do about it. */
int client_open(const char *path, struct client **ret, struct nd_error *e);
void client_close(struct client *c);        /* NULL-safe */
bool client_broken(const struct client *c); /* of no more use */

/* Return: 0 and the reply's parameters in *ret (never NULL; ret may be NULL), or the daemon's error. */
int client_call(struct client *c, const char *method, json_t *params, json_t **ret, struct nd_error *e);
/*
 * The same for a reply with file descriptors. fds: room for fd_max (at most ND_SOCK_FDS_MAX); *ret_fd_cnt of
 * them are the caller's (CLOEXEC). The JSON's "…FileDescriptors" are indexes into fds. On failure none is
 * open. Fewer than the JSON names: ND_PROTOCOL.
 */
int client_call_fds(struct client *c, const char *method, json_t *params, json_t **ret, int *fds,
		    size_t fd_max, size_t *ret_fd_cnt, struct nd_error *e);
/*
 * A stream of replies ("more"): fn for each, with its parameters borrowed, until fn returns anything but 0,
 * the stream ends, or timeout_ms passed since the call (-1: never). Return: 0 when it ended or fn ended it;
 * ND_TIMEOUT when the time was up; ND_STATE when client_interrupted was set; the daemon's error. The
 * connection is of no more use afterwards unless the daemon ended the stream.
 */
int client_stream(struct client *c, const char *method, json_t *params, int timeout_ms,
		  int (*fn)(void *arg, const json_t *reply), void *arg, struct nd_error *e);
#endif

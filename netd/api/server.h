/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_API_SERVER_H
#define ND_API_SERVER_H
/* The Varlink server on RUN/netd.sock: listen, accept, limits. */
#include "netd/core/core.h"

struct api_server;
/* listen_fd: taken; a listening non-blocking UNIX stream socket (our own or systemd's). */
int api_server_new(struct core *c, int listen_fd, struct api_server **ret, struct nd_error *e);
/* Closes all connections; pending replies are dropped. NULL-safe. */
void api_server_free(struct api_server *s);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_SERVER_H
#define ND_LIBVIRT_SERVER_H
/* libvirt's wire protocol on virtnetworkd's sockets: listen, accept, limits. */
#include "netd/core/core.h"
#include <stdbool.h>

#define LIBVIRT_SOCKET_DIR_DEFAULT "/run/libvirt"

struct libvirt_server;
/*
 * dir: an absolute path, made if it is absent; copied. Listens there on virtnetworkd-sock (its peers'
 * credentials decide), -sock-ro (anyone, reading only) and -admin-sock (refused with a sentence). NULL: on
 * none, only on what libvirt_server_take gives. Return: 0; ND_BUSY where a living daemon has one of them,
 * which is left alone; what nd_sock_listen and nd_dir_make fail with.
 */
int libvirt_server_new(struct core *c, const char *dir, struct libvirt_server **ret, struct nd_error *e);
/* Whether a socket that systemd passed is one of these, by its name. */
bool libvirt_server_wants(int fd);
/* fd: taken, a listening socket for which libvirt_server_wants. Its file is systemd's and stays. */
int libvirt_server_take(struct libvirt_server *s, int fd, struct nd_error *e);
/*
 * Closes all connections; answers still to come are dropped. Removes the sockets' files that it made.
 * NULL-safe.
 */
void libvirt_server_free(struct libvirt_server *s);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_ACCESS_H
#define ND_CORE_ACCESS_H
/* Who may do what: root and the members of the group of the settings are admin; nobody else yet. */
#include "base/sock.h"
#include "netd/core/settings.h"

enum access_level { ACCESS_NONE, ACCESS_OBSERVER, ACCESS_USER, ACCESS_ADMIN };
/* fd: the connection (for SO_PEERGROUPS). */
enum access_level access_of_peer(const struct settings *s, int fd, const struct nd_peer *peer);
/* what: in words, for the text. Return: 0, or ND_DENIED: "uid 1001 may not …: that is for root and members of group 'netd'; an administrator
 * allows it with: usermod -aG netd USER". */
int access_require(const struct settings *s, enum access_level have, enum access_level need,
		   const struct nd_peer *peer, const char *what, struct nd_error *e);
#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: who may do what. Peer credentials decide, taken when the connection was made.
 */
#include "netd/core/access.h"
#include "base/sandbox.h"

enum access_level access_of_peer(const struct settings *s, int fd, const struct nd_peer *peer)
{
	gid_t gid;
	if (peer->uid == 0)
		return ACCESS_ADMIN;
	if (nd_group_find(s->group, &gid, NULL) == 0 && nd_sock_peer_in_group(fd, peer, gid))
		return ACCESS_ADMIN;
	return ACCESS_NONE;
}

int access_require(const struct settings *s, enum access_level have, enum access_level need,
		   const struct nd_peer *peer, const char *what, struct nd_error *e)
{
	if (have >= need)
		return 0;
	return nd_fail(e, ND_DENIED,
		       "uid %u may not %s: that is for root and members of group '%s'; "
		       "an administrator allows it with: usermod -aG %s USER",
		       (unsigned)peer->uid, what, s->group, s->group);
}

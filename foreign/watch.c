// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: see watch.h. Source: uapi linux/netfilter/nf_tables.h (NFT_MSG_NEWGEN), linux/filter.h. */
#include "foreign/watch.h"
#include "foreign/private.h"
#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>

#define READS_MAX 1024 /* a turn; the rest keeps the socket readable */

struct foreign_watch {
	int fd;
};

/* Classic BPF loads in network order; netlink headers are in the host's. */
static int watch_filter(int fd, uint32_t own_port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN), 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(own_port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog prog = { .len = ARRAY_LEN(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

int foreign_watch_new(uint32_t own_port, struct foreign_watch **ret, struct nd_error *e)
{
	nd_autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTABLES;
	struct foreign_watch *w;

	if (fd < 0 || bind(fd, (void *)&any, sizeof(any)) < 0 || watch_filter(fd, own_port) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return nd_fail_sys(e, errno, NULL, "events of nf_tables");
	w = calloc(1, sizeof(*w));
	if (!w)
		return nd_fail(e, ND_MEMORY, "events of nf_tables");
	w->fd = take_fd(fd);
	*ret = w;
	return 0;
}

void foreign_watch_free(struct foreign_watch *w)
{
	if (w)
		close(w->fd);
	free(w);
}

int foreign_watch_fd(const struct foreign_watch *w)
{
	return w->fd;
}

bool foreign_watch_read(struct foreign_watch *w)
{
	char buf[256];
	bool any = false;

	for (int i = 0; i < READS_MAX; i++) {
		if (recv(w->fd, buf, sizeof(buf), MSG_TRUNC) >= 0 || errno == ENOBUFS)
			any = true;
		else if (errno != EINTR)
			break;
	}
	return any;
}

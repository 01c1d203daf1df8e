/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: who touches our tables
 *
 * The kernel sends the messages of a transaction and then NEWGEN, which names the process. All bear the
 * netlink port of the socket that asked for it, so a socket filter keeps our own from ever being delivered: a
 * commit does not wake the loop. What exactly changed is not worked out from events: the caller reads the
 * tables back, since foreign changes are rare and a scan cannot be wrong.
 *
 * Source: uapi linux/netfilter/nf_tables.h (NFT_MSG_NEWGEN), linux/netfilter/nfnetlink.h.
 */
#include "nat/watch.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "nat/batch.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#define RCVBUF_BYTES  (8 << 20)
#define DATAGRAM_LEN  (64u << 10)
#define DATAGRAMS_MAX 4096 /* a turn; the rest keeps the socket readable */

struct nat_watch {
	int fd;
	uint32_t own_port;
	struct nat_digest digest;
	char *buf; /* DATAGRAM_LEN bytes */
};

/* What an event is about, and the attribute that names it; 0: the table's own name says it. */
static const struct {
	uint8_t from, to; /* message types */
	const char *noun;
	uint16_t name_attr;
} event_rows[] = {
	{ NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NULL, 0 },
	{ NFT_MSG_NEWCHAIN, NFT_MSG_DELCHAIN, "chain", NFTA_CHAIN_NAME },
	{ NFT_MSG_NEWRULE, NFT_MSG_DELRULE, "rule of chain", NFTA_RULE_CHAIN },
	{ NFT_MSG_NEWSET, NFT_MSG_DELSET, "set", NFTA_SET_NAME },
	{ NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM, "element of set", NFTA_SET_ELEM_LIST_SET },
	{ NFT_MSG_NEWOBJ, NFT_MSG_DELOBJ, "object", NFTA_OBJ_NAME },
	{ NFT_MSG_NEWFLOWTABLE, NFT_MSG_DELFLOWTABLE, "flowtable", NFTA_FLOWTABLE_NAME },
};

/* The string attribute of that type, or NULL. */
static const char *event_string(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == type)
			return mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0 ? NULL : mnl_attr_get_str(a);
	}
	return NULL;
}

static void feed_object(struct nat_digest *d, const struct nlmsghdr *h, uint8_t type)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	const char *table = event_string(h, NFTA_TABLE_NAME), *name;
	const struct nat_table_row *row = NULL;

	for (unsigned i = 0; i < NAT_TABLE_CNT; i++)
		if (nat_table_rows[i].family == g->nfgen_family)
			row = &nat_table_rows[i];
	if (!row || !table || strcmp(table, NAT_TABLE_NAME) != 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(event_rows); i++) {
		if (type != event_rows[i].from && type != event_rows[i].to)
			continue;
		/* A whole table says more than what went with it. */
		if (!d->open.touched || (!event_rows[i].noun && !d->open_table)) {
			name = event_rows[i].noun ? event_string(h, event_rows[i].name_attr) : NULL;
			snprintf(d->open.what, sizeof(d->open.what), "%s%s%s",
				 name ? event_rows[i].noun : row->label, name ? " " : "", name ? name : "");
		}
		d->open.touched = true;
		d->open_table |= !event_rows[i].noun;
	}
}

/*
 * NEWGEN gives a process's number in the initial pid namespace (task_pid_nr, net/netfilter/nf_tables_api.c), which is a stranger's elsewhere. The
 * initial one's inode is fixed (PROC_PID_INIT_INO, include/linux/proc_ns.h).
 */
static bool pids_are_ours(void)
{
	char ns[32];
	ssize_t len = readlink("/proc/self/ns/pid", ns, sizeof(ns) - 1);

	if (len < 0)
		return false;
	ns[len] = '\0';
	return strcmp(ns, "pid:[4026531836]") == 0;
}

/* The end of a transaction. The culprit is the first that touched something. */
static void feed_generation(struct nat_digest *d, const struct nlmsghdr *h)
{
	const struct nlattr *a;

	if (d->open.touched && !d->done.touched) {
		d->done = d->open;
		mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		{
			if (mnl_attr_get_type(a) == NFTA_GEN_PROC_PID &&
			    mnl_attr_validate(a, MNL_TYPE_U32) == 0 && pids_are_ours())
				d->done.pid = (pid_t)ntohl(mnl_attr_get_u32(a));
			else if (mnl_attr_get_type(a) == NFTA_GEN_PROC_NAME &&
				 mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
				nd_strcpy(d->done.comm, sizeof(d->done.comm), mnl_attr_get_str(a));
		}
	}
	d->open = (struct nat_event){ .touched = false };
	d->open_table = false;
}

void nat_digest_feed(struct nat_digest *d, const void *p, size_t len, uint32_t own_port)
{
	int left = (int)len;

	for (const struct nlmsghdr *h = p; nat_message_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		uint8_t type = h->nlmsg_type & 0xff;

		if (h->nlmsg_pid == own_port || h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		    mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
			continue;
		if (type == NFT_MSG_NEWGEN)
			feed_generation(d, h);
		else
			feed_object(d, h, type);
	}
}

/*
 * Drops datagrams of our own transactions in the kernel. A datagram never mixes transactions, so its first
 * message tells.
 */
static int watch_filter(struct nat_watch *w)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(w->own_port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog prog = { .len = ARRAY_LEN(code), .filter = code };

	return setsockopt(w->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int watch_open(struct nat_watch *w)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTABLES, rcvbuf = RCVBUF_BYTES;

	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (w->fd < 0 || bind(w->fd, (void *)&addr, sizeof(addr)) < 0 || watch_filter(w) < 0 ||
	    setsockopt(w->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	if (setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)) < 0)
		setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	return 0;
}

int nat_watch_new(uint32_t own_port, struct nat_watch **ret, struct nd_error *e)
{
	struct nat_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return nd_fail(e, ND_MEMORY, "nftables event socket");
	w->fd = -1;
	w->own_port = own_port;
	w->buf = malloc(DATAGRAM_LEN);
	r = w->buf ? watch_open(w) : -ENOMEM;
	if (r < 0) {
		nat_watch_free(w);
		return nd_fail_sys(e, -r, NULL, "nftables event socket");
	}
	*ret = w;
	return 0;
}

void nat_watch_free(struct nat_watch *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	free(w->buf);
	free(w);
}

int nat_watch_fd(const struct nat_watch *w)
{
	return w->fd;
}

int nat_watch_read(struct nat_watch *w, struct nat_event *ret, struct nd_error *e)
{
	bool overrun = false;
	int err = 0;

	for (unsigned i = 0; i < DATAGRAMS_MAX && !err; i++) {
		ssize_t n = recv(w->fd, w->buf, DATAGRAM_LEN, 0);

		if (n >= 0) {
			nat_digest_feed(&w->digest, w->buf, (size_t)n, w->own_port);
		} else if (errno == ENOBUFS) {
			/* The end of the open transaction may be among what was lost. */
			w->digest.open = (struct nat_event){ .touched = false };
			overrun = true;
		} else if (errno != EINTR) {
			err = errno;
		}
	}
	if (err && err != EAGAIN)
		return nd_fail_sys(e, err, NULL, "read nftables events");
	*ret = w->digest.done;
	w->digest.done = (struct nat_event){ .touched = false };
	if (overrun)
		return nd_fail(e, ND_OVERRUN, "nftables events were lost");
	return 0;
}

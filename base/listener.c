// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: listening sockets (see listener.h).
 *
 * The kernel filters by state. A UDP socket that waits for anyone is in TCP_CLOSE, one that is connected in TCP_ESTABLISHED.
 */
#include "base/listener.h"
#include "base/mem.h"
#include "base/netlink.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_zero(const struct nd_ip *ip)
{
	static const uint8_t zero[16];
	return memcmp(ip->b, zero, ip->family == AF_INET ? 4 : 16) == 0;
}

static bool is_loopback(const struct nd_ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };
	return ip->family == AF_INET ? ip->b[0] == 127 : memcmp(ip->b, one, 16) == 0;
}

struct reading {
	struct nd_listeners *l;
	uint8_t protocol;
};

static int on_socket(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct reading *r = arg;
	struct nd_listeners *l = r->l;
	const struct inet_diag_msg *d = nlmsg_data(msg);
	const struct nlattr *only6;
	if (nlmsg_datalen(msg) < (int)sizeof *d)
		return nd_fail(e, ND_PARSE, "a socket's record is too short");
	if (l->cnt == l->size) {
		size_t size = l->size ? l->size * 2 : 32;
		struct nd_listener *p = realloc(l->p, size * sizeof *p);
		if (!p)
			return nd_fail(e, ND_MEMORY, "listening sockets");
		l->p = p;
		l->size = size;
	}
	struct nd_listener *s = &l->p[l->cnt++];
	*s = (struct nd_listener){ .protocol = r->protocol,
				   .ip.family = d->idiag_family,
				   .port = ntohs(d->id.idiag_sport),
				   .inode = d->idiag_inode };
	memcpy(s->ip.b, d->id.idiag_src, d->idiag_family == AF_INET ? 4 : 16);
	s->any = is_zero(&s->ip);
	only6 = nlmsg_find_attr((struct nlmsghdr *)msg, sizeof *d, INET_DIAG_SKV6ONLY);
	s->only6 = only6 && nla_len(only6) >= 1 && nla_get_u8(only6);
	return 0;
}

static int dump(struct nd_nl *nl, uint8_t family, uint8_t protocol, struct nd_listeners *l,
		struct nd_error *e)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_states = 1u << (protocol == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE),
	};
	struct nl_msg *msg = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP);
	struct reading r = { l, protocol };
	if (msg && nlmsg_append(msg, &req, sizeof req, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return nd_nl_call(nl, msg, on_socket, &r, e) < 0 ? nd_wrap(e, "listening sockets") : 0;
}

int nd_listeners_read(struct nd_listeners *ret, struct nd_error *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct nd_nl *nl;
	int r = 0;
	*ret = (struct nd_listeners){ .cnt = 0 };
	if (nd_nl_new(NETLINK_SOCK_DIAG, &nl, e) < 0)
		return nd_wrap_code(e, ND_SYSTEM, "listening sockets");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(families) * ARRAY_LEN(protocols); i++)
		r = dump(nl, families[i / 2], protocols[i % 2], ret, e);
	nd_nl_free(nl);
	if (r < 0)
		nd_listeners_done(ret);
	return r;
}

void nd_listeners_done(struct nd_listeners *l)
{
	if (!l)
		return;
	free(l->p);
	*l = (struct nd_listeners){ .cnt = 0 };
}

static bool hears(const struct nd_listener *s, const struct nd_ip *ip)
{
	if (s->any)
		return s->ip.family == ip->family || (s->ip.family == AF_INET6 && !s->only6);
	return s->ip.family == ip->family && (is_zero(ip) ? !is_loopback(&s->ip) : nd_ip_equal(&s->ip, ip));
}

const struct nd_listener *nd_listeners_find(const struct nd_listeners *l, uint8_t protocol,
					    const struct nd_ip *ip, uint16_t port)
{
	for (size_t i = 0; i < l->cnt; i++) {
		const struct nd_listener *s = &l->p[i];
		if (s->protocol == protocol && s->port == port && hears(s, ip))
			return s;
	}
	return NULL;
}

/* Whether the process has that socket open. */
static bool has_socket(const char *pid, const char *target)
{
	char path[64], link[64];
	bool found = false;
	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	DIR *dir = opendir(path);
	for (struct dirent *d; dir && !found && (d = readdir(dir));) {
		ssize_t len = readlinkat(dirfd(dir), d->d_name, link, sizeof link - 1);
		link[len > 0 ? len : 0] = '\0';
		found = !strcmp(link, target);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void process_name(const char *pid, char ret[17])
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
	FILE *f = fopen(path, "re");
	if (!f || !fgets(ret, 17, f))
		strcpy(ret, "?");
	if (f)
		fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
	for (char *p = ret; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
}

const char *nd_listener_holder(const struct nd_listener *l, char buf[ND_HOLDER_LEN])
{
	char target[32], name[17];
	DIR *proc = opendir("/proc");
	snprintf(buf, ND_HOLDER_LEN, "a process that cannot be seen");
	snprintf(target, sizeof target, "socket:[%u]", l->inode);
	for (struct dirent *d; proc && (d = readdir(proc));) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9' || !has_socket(d->d_name, target))
			continue;
		process_name(d->d_name, name);
		snprintf(buf, ND_HOLDER_LEN, "%s (pid %.20s)", name, d->d_name);
		break;
	}
	if (proc)
		closedir(proc);
	return buf;
}

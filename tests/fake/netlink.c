/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: a fake of base/netlink.c: the handles and their event queues
 *
 * An executable that compiles it has no real netlink socket. Behind nd_nl_fd is an eventfd, readable while an event is queued.
 * Messages are real ones, one a datagram: what reads them is base/link.c. An event bears the port and sequence number of the
 * request that caused it, as in the kernel.
 */
#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>

#include "base/mem.h"
#include "tests/fake/kernel.h"

struct queued {
	struct queued *next;
	uint64_t msg[]; /* struct nlmsghdr and what follows, aligned for it */
};
struct nd_nl {
	struct nd_nl *next;
	int fd;
	uint32_t port, seq;
	uint64_t groups; /* bit: RTNLGRP_… */
	struct queued *head, **tail;
	bool overrun;
};

static struct nd_nl *handles;
static uint32_t next_port;
static const struct nlmsghdr *cause;

void fake_event_cause(const struct nlmsghdr *request)
{
	cause = request;
}

/* An eventfd: written once, read once. */
static void set_readable(struct nd_nl *nl, bool readable)
{
	uint64_t v = 1;
	ssize_t n = readable ? write(nl->fd, &v, sizeof(v)) : read(nl->fd, &v, sizeof(v));

	assert(n == sizeof(v));
	(void)n;
}

static void queue_event(struct nd_nl *nl, const struct nlmsghdr *msg)
{
	struct queued *q = fake_grow(NULL, 1, sizeof(*q) + NLMSG_ALIGN(msg->nlmsg_len));

	memcpy(q->msg, msg, msg->nlmsg_len);
	q->next = NULL;
	if (!nl->head)
		set_readable(nl, true);
	*nl->tail = q;
	nl->tail = &q->next;
}

static struct queued *unqueue_event(struct nd_nl *nl)
{
	struct queued *q = nl->head;

	if (!q)
		return NULL;
	nl->head = q->next;
	if (!nl->head) {
		nl->tail = &nl->head;
		set_readable(nl, false);
	}
	return q;
}

/* msg: taken. */
void fake_event_raise(int group, struct nl_msg *msg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);

	hdr->nlmsg_pid = cause ? cause->nlmsg_pid : 0;
	hdr->nlmsg_seq = cause ? cause->nlmsg_seq : 0;
	for (struct nd_nl *nl = handles; nl; nl = nl->next)
		if (nl->groups & 1ull << group && !nl->overrun)
			queue_event(nl, hdr);
	nlmsg_free(msg);
}

int nd_nl_new(int protocol, struct nd_nl **ret, struct nd_error *e)
{
	struct nd_nl *nl;
	const char *text;
	int err;

	fake_kernel_ready();
	if (fake_fail_now("netlink socket", &err, &text))
		return nd_fail_sys(e, err, text, "netlink socket");
	if (protocol != NETLINK_ROUTE)
		return nd_fail_sys(e, EPROTONOSUPPORT, NULL, "netlink socket");
	nl = fake_grow(NULL, 1, sizeof(*nl));
	*nl = (struct nd_nl){ .next = handles,
			      .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
			      .port = ++next_port };
	assert(nl->fd >= 0);
	nl->tail = &nl->head;
	handles = nl;
	*ret = nl;
	return 0;
}

static void drop_queue(struct nd_nl *nl)
{
	while (nl->head)
		free(unqueue_event(nl));
	if (nl->overrun)
		set_readable(nl, false);
	nl->overrun = false;
}

void nd_nl_free(struct nd_nl *nl)
{
	if (!nl)
		return;
	for (struct nd_nl **p = &handles; *p; p = &(*p)->next)
		if (*p == nl) {
			*p = nl->next;
			break;
		}
	drop_queue(nl);
	close(nl->fd);
	free(nl);
}

int nd_nl_fd(const struct nd_nl *nl)
{
	return nl->fd;
}

uint32_t nd_nl_port(const struct nd_nl *nl)
{
	return nl->port;
}

static int answer(struct nd_nl *nl, struct nl_msg *req, nd_nl_reply_fn on_reply, void *arg,
		  struct nd_error *e)
{
	struct nlmsghdr *hdr = nlmsg_hdr(req);

	hdr->nlmsg_seq = ++nl->seq;
	hdr->nlmsg_pid = nl->port;
	return fake_request_answer(hdr, on_reply, arg, e);
}

int nd_nl_call(struct nd_nl *nl, struct nl_msg *req, nd_nl_reply_fn on_reply, void *arg, struct nd_error *e)
{
	int rc;

	if (!req)
		return nd_fail(e, ND_MEMORY, "netlink request");
	rc = answer(nl, req, on_reply, arg, e);
	nlmsg_free(req);
	return rc;
}

int nd_nl_batch(struct nd_nl *nl, struct nl_msg **reqs, size_t cnt, size_t *ret_failed, struct nd_error *e)
{
	bool built = true;
	size_t failed = 0;
	int code = 0;

	for (size_t i = 0; i < cnt; i++)
		built = built && reqs[i];
	if (!built)
		code = nd_fail(e, ND_MEMORY, "netlink request");
	for (size_t i = 0; built && i < cnt; i++) {
		int rc = answer(nl, reqs[i], NULL, NULL, code ? NULL : e);

		if (rc && !code) {
			code = rc;
			failed = i;
		}
	}
	for (size_t i = 0; i < cnt; i++)
		nlmsg_free(reqs[i]);
	if (code && ret_failed)
		*ret_failed = failed;
	return code;
}

int nd_nl_subscribe(struct nd_nl *nl, const int *groups, struct nd_error *e)
{
	const char *text;
	int err;

	if (fake_fail_now("subscribe", &err, &text))
		return nd_fail_sys(e, err, text, "subscribe to netlink group %d", *groups);
	for (; *groups; groups++)
		nl->groups |= 1ull << *groups;
	return 0;
}

int nd_nl_receive(struct nd_nl *nl, size_t max_datagrams, nd_nl_reply_fn on_event, void *arg,
		  struct nd_error *e)
{
	int rc = 0;

	if (nl->overrun) {
		drop_queue(nl);
		return nd_fail(e, ND_OVERRUN, "events were lost");
	}
	for (size_t cnt = 0; !rc && (!max_datagrams || cnt < max_datagrams); cnt++) {
		struct queued *q = unqueue_event(nl);

		if (!q)
			break;
		rc = on_event((const struct nlmsghdr *)q->msg, arg, e);
		free(q);
	}
	return rc;
}

void fake_overrun(void)
{
	for (struct nd_nl *nl = handles; nl; nl = nl->next) {
		if (!nl->groups || nl->overrun)
			continue;
		drop_queue(nl);
		nl->overrun = true;
		set_readable(nl, true);
	}
}

void fake_event_drop_all(void)
{
	for (struct nd_nl *nl = handles; nl; nl = nl->next)
		drop_queue(nl);
}

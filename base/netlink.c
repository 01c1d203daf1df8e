/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: netlink sockets
 *
 * Owns the socket, the sequence numbers and one receive buffer per handle. A handle is either for requests or, after
 * nd_nl_subscribe, for events only: a reply is never looked for among events. nd_nl_call and nd_nl_batch send, then read until
 * each request has its ACK (or, for a dump, its NLMSG_DONE). Callers are single-threaded per handle, and callbacks must not use
 * the handle that calls them, since message pointers lead into its buffer.
 *
 * Why not libnl's nl_send/nl_recvmsgs: they fold errno values together and drop the extended ACK, which is where the kernel
 * says in words what it did not like. The TLVs follow the echoed header of the request (NETLINK_CAP_ACK keeps its payload out).
 *
 * Limits: rtnetlink and nfnetlink answer within the send, so an answer that has not come after ANSWER_TIMEOUT_S is lost.
 * A dump that changes of others interrupt (NLM_F_DUMP_INTR) is started again, DUMP_ATTEMPTS times in all, and its last pass is
 * taken as it is: what changed meanwhile comes as an event too, and a host that changes all the time must not stop us.
 * Source: Documentation/userspace-api/netlink/intro.rst.
 */
#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/mem.h"
#include "base/netlink.h"

#define RECEIVE_SIZE          (64 * 1024) /* a dump's datagram is at most 32 KiB (af_netlink.c netlink_dump) */
#define REQUEST_RCVBUF        (1024 * 1024) /* room for a whole batch's ACKs: each costs about 800 bytes there */
#define EVENT_RCVBUF          (8 * 1024 * 1024) /* about 4,000 links made in one go */
#define ANSWER_TIMEOUT_S      10
#define DUMP_ATTEMPTS         3
#define BATCH_MAX             64      /* requests in one sendmsg */
#define OVERRUN_DATAGRAMS_MAX 1000000 /* a bound for the loop that empties an overrun socket */

struct nd_nl {
	int fd;
	uint32_t port, seq;
	bool busy; /* a callback runs: the buffer is in use */
	uint8_t *buf;
};

/* What is left to be answered: [first_seq, first_seq + cnt). */
struct answer {
	uint32_t first_seq;
	size_t cnt, done;
	bool dump, interrupted;
	struct nl_msg **reqs;
	size_t failed; /* index of the first that failed */
	int code;      /* its code; 0: none */
	nd_nl_reply_fn on_reply;
	void *arg;
	struct nd_error *e;
};

static int set_option(int fd, int option, struct nd_error *e)
{
	const int on = 1;

	if (setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on)) < 0)
		return nd_fail_sys(e, errno, NULL, "netlink socket option %d", option);
	return 0;
}

/* SO_RCVBUFFORCE needs CAP_NET_ADMIN; without it the sysctl rmem_max bounds what SO_RCVBUF gives. */
static void set_receive_buffer(int fd, int size)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int open_socket(struct nd_nl *nl, int protocol, struct nd_error *e)
{
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	const struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	struct sockaddr_nl local = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(local);
	int rc;

	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (nl->fd < 0)
		return nd_fail_sys(e, errno, NULL, "netlink socket");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		rc = set_option(nl->fd, options[i], e);
		if (rc)
			return rc;
	}
	set_receive_buffer(nl->fd, REQUEST_RCVBUF);
	if (setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    bind(nl->fd, (struct sockaddr *)&local, sizeof(local)) < 0 ||
	    getsockname(nl->fd, (struct sockaddr *)&local, &len) < 0)
		return nd_fail_sys(e, errno, NULL, "bind netlink socket");
	nl->port = local.nl_pid;
	return 0;
}

int nd_nl_new(int protocol, struct nd_nl **ret, struct nd_error *e)
{
	struct nd_nl *nl = calloc(1, sizeof(*nl));
	int rc;

	if (!nl)
		return nd_fail(e, ND_MEMORY, "netlink socket");
	nl->fd = -1;
	nl->buf = malloc(RECEIVE_SIZE);
	rc = nl->buf ? open_socket(nl, protocol, e) : nd_fail(e, ND_MEMORY, "netlink socket");
	if (rc) {
		nd_nl_free(nl);
		return rc;
	}
	*ret = nl;
	return 0;
}

void nd_nl_free(struct nd_nl *nl)
{
	if (!nl)
		return;
	if (nl->fd >= 0)
		close(nl->fd);
	free(nl->buf);
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

/*
 * One datagram from the kernel. Anybody with CAP_NET_ADMIN may send to our port: only what comes from port 0 counts.
 * Return: its length, 0 for one to be skipped, or a negative errno.
 */
static ssize_t receive_datagram(struct nd_nl *nl, int flags)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = nl->buf, .iov_len = RECEIVE_SIZE };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n;

	do {
		n = recvmsg(nl->fd, &msg, flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0;
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

/* Where the kernel has no words, the attribute's number at the offset it gives is better than nothing. */
static void describe_offset(struct nl_msg *req, uint32_t offset, char *buf, size_t size)
{
	struct nlmsghdr *hdr = nlmsg_hdr(req);
	struct nlattr attr;

	if (offset < NLMSG_HDRLEN || offset > hdr->nlmsg_len || hdr->nlmsg_len - offset < sizeof(attr))
		return;
	memcpy(&attr, (const uint8_t *)hdr + offset, sizeof(attr));
	snprintf(buf, size, "attribute %u at byte %u of the request", attr.nla_type & NLA_TYPE_MASK, offset);
}

/* tlvs: the attributes of an extended ACK. Return: the kernel's text, in the receive buffer or in buf, or NULL. */
static const char *find_kernel_text(const uint8_t *tlvs, size_t len, struct nl_msg *req, char *buf,
				    size_t size)
{
	struct nlattr *attr;
	int left;

	buf[0] = '\0';
	nla_for_each_attr(attr, (struct nlattr *)tlvs, (int)len, left)
	{
		switch (nla_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			if (nla_len(attr) > 0 && memchr(nla_data(attr), '\0', nla_len(attr)))
				return nla_data(attr);
			break;
		case NLMSGERR_ATTR_OFFS:
			if (nla_len(attr) >= (int)sizeof(uint32_t) && !*buf)
				describe_offset(req, nla_get_u32(attr), buf, size);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (nla_len(attr) >= (int)sizeof(uint32_t))
				snprintf(buf, size, "attribute %u is missing", nla_get_u32(attr));
			break;
		}
	}
	return *buf ? buf : NULL;
}

static int fail_from_kernel(struct nd_error *e, int err, const struct nlmsghdr *msg, size_t fixed_len,
			    struct nl_msg *req)
{
	const char *text = NULL;
	char buf[64];

	if (msg->nlmsg_flags & NLM_F_ACK_TLVS && msg->nlmsg_len > NLMSG_HDRLEN + fixed_len)
		text = find_kernel_text((const uint8_t *)msg + NLMSG_HDRLEN + fixed_len,
					msg->nlmsg_len - NLMSG_HDRLEN - fixed_len, req, buf, sizeof(buf));
	return nd_fail_sys(e, err, text, "%s", "");
}

/* NLMSG_ERROR (an ACK has error 0) or a dump's NLMSG_DONE: the answer to request i. */
static void take_end(struct answer *a, size_t i, const struct nlmsghdr *msg)
{
	size_t fixed_len = msg->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	int error = 0;

	a->done++;
	if (msg->nlmsg_len >= NLMSG_HDRLEN + sizeof(error))
		memcpy(&error, NLMSG_DATA(msg), sizeof(error));
	if (error >= 0 || a->code)
		return;
	a->failed = i;
	a->code = fail_from_kernel(a->e, -error, msg, NLMSG_ALIGN(fixed_len), a->reqs[i]);
}

/* A callback's failure does not end the reading: what is queued belongs to this call, and an unread dump makes the next one EBUSY. */
static void take_message(struct nd_nl *nl, struct answer *a, const struct nlmsghdr *msg)
{
	size_t i = msg->nlmsg_seq - a->first_seq;

	if (i >= a->cnt || msg->nlmsg_pid != nl->port)
		return;
	if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	if (msg->nlmsg_type == NLMSG_ERROR || msg->nlmsg_type == NLMSG_DONE) {
		take_end(a, i, msg);
	} else if (msg->nlmsg_type >= NLMSG_MIN_TYPE && a->on_reply && !a->code) {
		nl->busy = true;
		a->code = a->on_reply(msg, a->arg, a->e);
		nl->busy = false;
		a->failed = i;
	}
}

static int receive_answers(struct nd_nl *nl, struct answer *a)
{
	while (a->done < a->cnt) {
		ssize_t n = receive_datagram(nl, 0);
		int left = (int)n;

		if (n == -EAGAIN)
			return nd_fail(a->code ? NULL : a->e, ND_TIMEOUT, "the kernel did not answer");
		if (n < 0)
			return nd_fail_sys(a->code ? NULL : a->e, (int)-n, NULL, "receive");
		for (struct nlmsghdr *msg = (struct nlmsghdr *)nl->buf; nlmsg_ok(msg, left);
		     msg = nlmsg_next(msg, &left))
			take_message(nl, a, msg);
	}
	return a->code;
}

static int send_requests(struct nd_nl *nl, struct nl_msg **reqs, size_t cnt, bool dump, struct nd_error *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov[BATCH_MAX];
	struct msghdr msg = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = iov, .msg_iovlen = cnt
	};
	ssize_t n;

	for (size_t i = 0; i < cnt; i++) {
		struct nlmsghdr *hdr = nlmsg_hdr(reqs[i]);

		hdr->nlmsg_seq = ++nl->seq;
		hdr->nlmsg_pid = nl->port;
		hdr->nlmsg_flags |= NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK);
		iov[i] = (struct iovec){ .iov_base = hdr, .iov_len = NLMSG_ALIGN(hdr->nlmsg_len) };
	}
	do {
		n = sendmsg(nl->fd, &msg, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? nd_fail_sys(e, errno, NULL, "send") : 0;
}

static int exchange(struct nd_nl *nl, struct answer *a)
{
	int rc;

	assert(!nl->busy);
	a->first_seq = nl->seq + 1;
	rc = send_requests(nl, a->reqs, a->cnt, a->dump, a->e);
	return rc ? rc : receive_answers(nl, a);
}

int nd_nl_call(struct nd_nl *nl, struct nl_msg *req, nd_nl_reply_fn on_reply, void *arg, struct nd_error *e)
{
	int attempt = 0, rc;
	struct answer a;

	if (!req)
		return nd_fail(e, ND_MEMORY, "netlink request");
	do {
		a = (struct answer){ .cnt = 1, .reqs = &req, .on_reply = on_reply, .arg = arg, .e = e };
		a.dump = (nlmsg_hdr(req)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
		rc = exchange(nl, &a);
	} while (!rc && a.dump && a.interrupted && ++attempt < DUMP_ATTEMPTS);
	nlmsg_free(req);
	return rc;
}

/* All or none goes out: a message that could not be built must not leave its neighbours half done. */
static int check_built(struct nl_msg **reqs, size_t cnt, struct nd_error *e)
{
	for (size_t i = 0; i < cnt; i++)
		if (!reqs[i])
			return nd_fail(e, ND_MEMORY, "netlink request");
	return 0;
}

int nd_nl_batch(struct nd_nl *nl, struct nl_msg **reqs, size_t cnt, size_t *ret_failed, struct nd_error *e)
{
	int code = check_built(reqs, cnt, e);
	size_t failed = 0, step;
	bool sent = !code;

	for (size_t at = 0; sent && at < cnt; at += step) {
		struct answer a = { .reqs = reqs + at, .e = code ? NULL : e };
		int rc;

		step = cnt - at < BATCH_MAX ? cnt - at : BATCH_MAX;
		a.cnt = step;
		rc = exchange(nl, &a);
		if (rc && !code) {
			code = rc;
			failed = at + a.failed;
		}
		sent = rc == a.code; /* not so: the socket failed, not a request */
	}
	for (size_t i = 0; i < cnt; i++)
		nlmsg_free(reqs[i]);
	if (code && ret_failed)
		*ret_failed = failed;
	return code;
}

int nd_nl_subscribe(struct nd_nl *nl, const int *groups, struct nd_error *e)
{
	set_receive_buffer(nl->fd, EVENT_RCVBUF);
	for (; *groups; groups++)
		if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups, sizeof(*groups)) < 0)
			return nd_fail_sys(e, errno, NULL, "subscribe to netlink group %d", *groups);
	return 0;
}

/*
 * Events were dropped. The kernel drops all further ones until the queue is empty, and what is still in it is older than the
 * caller's coming dump: read afterwards, it would bring back what has been deleted since.
 */
static int drain_overrun(struct nd_nl *nl, struct nd_error *e)
{
	for (unsigned i = 0; i < OVERRUN_DATAGRAMS_MAX; i++) {
		ssize_t n = receive_datagram(nl, MSG_DONTWAIT);

		if (n == -EAGAIN)
			break;
		if (n < 0 && n != -ENOBUFS && n != -EMSGSIZE)
			return nd_fail_sys(e, (int)-n, NULL, "receive events");
	}
	return nd_fail(e, ND_OVERRUN, "events were lost");
}

int nd_nl_receive(struct nd_nl *nl, size_t max_datagrams, nd_nl_reply_fn on_event, void *arg,
		  struct nd_error *e)
{
	int rc = 0;

	assert(!nl->busy);
	for (size_t cnt = 0; !rc && (!max_datagrams || cnt < max_datagrams); cnt++) {
		ssize_t n = receive_datagram(nl, MSG_DONTWAIT);
		int left = (int)n;

		if (n == -EAGAIN)
			break;
		if (n == -ENOBUFS || n == -EMSGSIZE)
			return drain_overrun(nl, e);
		if (n < 0)
			return nd_fail_sys(e, (int)-n, NULL, "receive events");
		nl->busy = true;
		for (struct nlmsghdr *msg = (struct nlmsghdr *)nl->buf; !rc && nlmsg_ok(msg, left);
		     msg = nlmsg_next(msg, &left))
			if (msg->nlmsg_type >= NLMSG_MIN_TYPE)
				rc = on_event(msg, arg, e);
		nl->busy = false;
	}
	return rc;
}

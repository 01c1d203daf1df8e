/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: /dev/net/tun of the fake kernel
 *
 * A queue's descriptor is one end of a socket pair. The other end stays here and hangs up when the last duplicate is closed; the inode number
 * tells which queue a descriptor is, whatever its number has become.
 */
#include "tap/tun.h"

#include "base/mem.h"
#include "base/strtab.h"
#include "tests/fake/fake.h"
#include "tests/fake/tun.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define QUEUES_MAX 256 /* of all devices together */

static struct queue {
	int ifindex;
	int end; /* our end */
	ino_t ino;
} queues[QUEUES_MAX];
static size_t queue_cnt;
static bool steal;

static void queue_drop(size_t i)
{
	close(queues[i].end);
	queues[i] = queues[--queue_cnt];
}

static void reset(void)
{
	while (queue_cnt)
		queue_drop(queue_cnt - 1);
	steal = false;
}

static int fail(const char *call, const char *doing, struct nd_error *e)
{
	const char *text;
	int err;

	fake_on_reset(reset);
	return fake_fail_now(call, &err, &text) ? nd_fail_sys(e, err, text, "%s", doing) : 0;
}

static void device_close(int ifindex)
{
	struct nd_link *l = fake_link_by_index(ifindex);
	if (!l)
		return;
	if (l->tun_queues > 1) {
		l->tun_queues--;
	} else if (!l->tun_persist) {
		fake_link_del(ifindex);
		return;
	} else {
		l->tun_queues = 0;
		l->carrier = false;
	}
	fake_link_changed(ifindex);
}

void fake_tun_sync(void)
{
	for (size_t i = queue_cnt; i-- > 0;) {
		struct pollfd p = { .fd = queues[i].end, .events = POLLIN };

		if (poll(&p, 1, 0) == 1 && p.revents & POLLHUP) {
			int ifindex = queues[i].ifindex;
			queue_drop(i);
			device_close(ifindex);
		}
	}
}

void fake_tun_steal_queue(void)
{
	fake_on_reset(reset);
	steal = true;
}

unsigned fake_tun_queue_count(int ifindex)
{
	unsigned cnt = 0;

	fake_tun_sync();
	for (size_t i = 0; i < queue_cnt; i++)
		cnt += queues[i].ifindex == ifindex;
	return cnt;
}

/* NULL: no TAP, or its device is gone. */
static struct nd_link *device_of(int fd)
{
	struct stat st;

	fake_tun_sync();
	if (fstat(fd, &st) < 0)
		return NULL;
	for (size_t i = 0; i < queue_cnt; i++)
		if (queues[i].ino == st.st_ino)
			return fake_link_by_index(queues[i].ifindex);
	return NULL;
}

static int queue_add(int ifindex)
{
	struct stat st;
	int pair[2];

	assert(queue_cnt < QUEUES_MAX);
	int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	assert(rc == 0);
	rc = fstat(pair[0], &st);
	assert(rc == 0);
	queues[queue_cnt++] = (struct queue){ ifindex, pair[1], st.st_ino };
	return pair[0];
}

static int device_add(const char *name, unsigned flags)
{
	struct nd_link l = { .kind = ND_LINK_TUN, .mtu = 1500, .tun_owner = UINT32_MAX, .tun_queues = 1 };

	nd_strcpy(l.name, sizeof(l.name), name);
	l.mac = (struct nd_mac){ { 0x02, 0, 0, 0, 0, (uint8_t)queue_cnt } };
	l.flags = IFF_BROADCAST | IFF_MULTICAST;
	l.tun_vnet_hdr = flags & TUN_VNET_HDR;
	l.tun_multi_queue = flags & TUN_MULTI_QUEUE;
	return fake_link_add(&l);
}

/* TUNSETIFF. Return: the ifindex, or a negative errno. */
static int attach(const char *name, unsigned flags)
{
	struct nd_link *l = fake_link_find(name);

	if (!l)
		return device_add(name, flags);
	if (flags & TUN_NEW)
		return -EBUSY;
	if (l->kind != ND_LINK_TUN || l->tun_multi_queue != !!(flags & TUN_MULTI_QUEUE))
		return -EINVAL;
	if (l->tun_queues && !l->tun_multi_queue)
		return -EBUSY;
	l->tun_queues++;
	fake_link_changed(l->ifindex);
	return l->ifindex;
}

int tun_attach(const char *name, unsigned flags, int *ret_fd, struct nd_error *e)
{
	const char *doing = flags & TUN_NEW ? "create" : "attach a queue", *text = NULL;
	int err = 0;

	fake_tun_sync();
	int rc = fail("open", "open /dev/net/tun", e);
	if (rc < 0)
		return rc;
	if (!fake_fail_now("TUNSETIFF", &err, &text)) {
		rc = attach(name, flags);
		err = rc < 0 ? -rc : 0;
	}
	if (err == EBUSY && flags & TUN_NEW)
		return nd_fail(e, ND_EXISTS, "an interface of this name exists");
	if (err)
		return nd_fail_sys(e, err, text, "%s", doing);
	*ret_fd = queue_add(rc);
	return 0;
}

int tun_set_flags(int fd, unsigned flags, struct nd_error *e)
{
	return fail("tun_set_flags", "set the queue's flags", e);
}

int tun_set_owner(int fd, uid_t owner, struct nd_error *e)
{
	struct nd_link *l = device_of(fd);
	char doing[32];

	snprintf(doing, sizeof(doing), "set owner %u", owner);
	int rc = fail("TUNSETOWNER", doing, e);
	if (rc < 0)
		return rc;
	if (!l)
		return nd_fail_sys(e, EBADFD, NULL, "%s", doing);
	l->tun_owner = owner;
	l->tun_queues = (uint16_t)(l->tun_queues + steal);
	steal = false;
	if (l->flags & IFF_UP)
		fake_link_changed(l->ifindex);
	return 0;
}

int tun_set_persist(int fd, bool on, struct nd_error *e)
{
	struct nd_link *l = device_of(fd);
	const char *doing = on ? "set persist on" : "set persist off";

	int rc = fail("TUNSETPERSIST", doing, e);
	if (rc < 0)
		return rc;
	if (!l)
		return nd_fail_sys(e, EBADFD, NULL, "%s", doing);
	l->tun_persist = on;
	if (l->flags & IFF_UP)
		fake_link_changed(l->ifindex);
	return 0;
}

int tun_ifindex(int sock, const char *name, int *ret_ifindex, struct nd_error *e)
{
	int rc = fail("SIOCGIFINDEX", "read the index", e);
	if (rc < 0)
		return rc;

	fake_tun_sync();
	const struct nd_link *l = fake_link_find(name);
	if (!l)
		return nd_fail_sys(e, ENODEV, NULL, "read the index");
	*ret_ifindex = l->ifindex;
	return 0;
}

bool tun_is(int fd, const char *name)
{
	const struct nd_link *l = device_of(fd);

	return l && strcmp(l->name, name) == 0;
}

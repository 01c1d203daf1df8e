/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: /dev/net/tun
 *
 * Every ioctl on a TAP's file is here, and nothing else. What rtnetlink can do as well (MAC, MTU, master, group, alias, up) is
 * not done here: one RTM_NEWLINK is cheaper than the ioctls it replaces, and tells the kernel's reason when it fails.
 *
 * Offloads (TUNSETOFFLOAD), the virtio header's size (TUNSETVNETHDRSZ), the send buffer and O_NONBLOCK are left as the kernel has them: every
 * VMM sets its own, and needs no capability for it.
 *
 * The ifindex is read with SIOCGIFINDEX (0.3 us). TUNSETIFINDEX would save that call, but then netd had to choose numbers that nobody
 * else in the namespace takes.
 */
#include "tap/tun.h"

#include "base/addr.h"
#include "base/mem.h"
#include "base/strtab.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TUN_PATH  "/dev/net/tun"
#define TUN_MAJOR 10  /* MISC_MAJOR, include/uapi/linux/major.h */
#define TUN_MINOR 200 /* Documentation/admin-guide/devices.txt */

static_assert(IFNAMSIZ == ND_IFNAMSIZ, "interface names have one length");

/* '%' is refused because the kernel would make up a number for it, and the empty name because it would make up all of it. */
static int request_name(struct ifreq *req, const char *name, struct nd_error *e)
{
	memset(req, 0, sizeof(*req));
	if (!name[0] || strchr(name, '%') || !nd_strcpy(req->ifr_name, sizeof(req->ifr_name), name))
		return nd_fail(e, ND_INVALID, "'%s' cannot be an interface's name", name);
	return 0;
}

static unsigned iff_flags(unsigned flags)
{
	return IFF_TAP | IFF_NO_PI | (flags & TUN_VNET_HDR ? IFF_VNET_HDR : 0) |
	       (flags & TUN_MULTI_QUEUE ? IFF_MULTI_QUEUE : 0);
}

int tun_attach(const char *name, unsigned flags, int *ret_fd, struct nd_error *e)
{
	struct ifreq req;
	int rc = request_name(&req, name, e);
	if (rc < 0)
		return rc;

	nd_autoclose int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "open " TUN_PATH);

	/* IFF_TUN_EXCL: without it, TUNSETIFF attaches to somebody else's free TAP of that name. */
	req.ifr_flags = (short)(iff_flags(flags) | (flags & TUN_NEW ? IFF_TUN_EXCL : 0));
	if (ioctl(fd, TUNSETIFF, &req) < 0) {
		if ((flags & TUN_NEW) && (errno == EBUSY || errno == EEXIST))
			return nd_fail(e, ND_EXISTS, "an interface of this name exists");
		return nd_fail_sys(e, errno, NULL, "%s", flags & TUN_NEW ? "create" : "attach a queue");
	}
	*ret_fd = take_fd(fd);
	return 0;
}

int tun_set_flags(int fd, unsigned flags, struct nd_error *e)
{
	struct ifreq req;

	memset(&req, 0, sizeof(req));
	req.ifr_flags = (short)iff_flags(flags);
	if (ioctl(fd, TUNSETIFF, &req) < 0)
		return nd_fail_sys(e, errno, NULL, "set the queue's flags");
	return 0;
}

int tun_set_owner(int fd, uid_t owner, struct nd_error *e)
{
	if (ioctl(fd, TUNSETOWNER, (unsigned long)owner) < 0)
		return nd_fail_sys(e, errno, NULL, "set owner %u", owner);
	return 0;
}

int tun_set_persist(int fd, bool on, struct nd_error *e)
{
	if (ioctl(fd, TUNSETPERSIST, (unsigned long)on) < 0)
		return nd_fail_sys(e, errno, NULL, "set persist %s", on ? "on" : "off");
	return 0;
}

int tun_ifindex(int sock, const char *name, int *ret_ifindex, struct nd_error *e)
{
	struct ifreq req;
	int rc = request_name(&req, name, e);
	if (rc < 0)
		return rc;
	if (ioctl(sock, SIOCGIFINDEX, &req) < 0)
		return nd_fail_sys(e, errno, NULL, "read the index");
	*ret_ifindex = req.ifr_ifindex;
	return 0;
}

/* TUNGETDEVNETNS tells one namespace's "tap0" from another's. */
static bool same_namespace(int fd)
{
	struct stat device, own;
	nd_autoclose int ns = ioctl(fd, TUNGETDEVNETNS);

	return ns >= 0 && fstat(ns, &device) == 0 && stat("/proc/thread-self/ns/net", &own) == 0 &&
	       device.st_dev == own.st_dev && device.st_ino == own.st_ino;
}

bool tun_is(int fd, const char *name)
{
	struct stat st;
	struct ifreq req;

	/* First the device number: on another file, the same ioctl numbers may do anything. */
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(TUN_MAJOR, TUN_MINOR))
		return false;
	memset(&req, 0, sizeof(req));
	if (ioctl(fd, TUNGETIFF, &req) < 0 || strncmp(req.ifr_name, name, sizeof(req.ifr_name)) != 0)
		return false;
	return same_namespace(fd);
}

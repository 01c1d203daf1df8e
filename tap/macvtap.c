/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: making, comparing and restoring a macvtap, and who holds it
 *
 * Making, in this order:
 *   1. RTM_NEWLINK: the device, down, with the group that tells it is ours
 *   2. no IPv6 address generation: the host has no business speaking there, least of all with the guest's MAC
 *   3. the character device is opened once per queue
 *   4. RTM_NEWLINK: MAC (again: a passthrough device begins with its lower device's), MTU, alias, up
 * The kernel takes a lower device's MAC back when its last passthrough macvtap goes.
 *
 * Which character device is this macvtap's is read from sysfs, which shows the network namespace it was mounted in. The name in /dev alone says too
 * little: interfaces of two namespaces may have one index, and devtmpfs, which knows no namespaces, makes one node for both.
 */
#include "tap/macvtap.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "tap/tun.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PROC_PATH_LEN 64 /* bytes of "/proc/PID/fd" */

/* ---- the node ---- */

static int read_device(const char *name, int ifindex, dev_t *ret, struct nd_error *e)
{
	char path[MACVTAP_PATH_MAX];
	nd_autofree char *text = NULL;
	unsigned maj, min;
	size_t len;

	snprintf(path, sizeof(path), "/sys/class/net/%s/macvtap/tap%d/dev", name, ifindex);
	if (nd_file_read(path, 64, &text, &len, NULL) < 0)
		return nd_fail(e, ND_NOT_FOUND, "'%s' is not there", path);
	if (sscanf(text, "%u:%u", &maj, &min) != 2)
		return nd_fail(e, ND_PARSE, "'%s' is no device number", path);
	*ret = makedev(maj, min);
	return 0;
}

static bool is_node(const char *path, dev_t dev)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == dev;
}

static int make_node(const char *dir, const char *path, dev_t dev, struct nd_error *e)
{
	if (is_node(path, dev))
		return 0;
	if (nd_dir_make(dir, 0700, e) < 0)
		return e ? (int)e->code : ND_SYSTEM;
	unlink(path); /* of an earlier device with that index */
	if (mknod(path, S_IFCHR | 0600, dev) < 0)
		return nd_fail_sys(
			e, errno, NULL,
			"/dev has no node of it (devtmpfs makes them), and making one as %s, which "
			"needs CAP_MKNOD",
			path);
	return 0;
}

int macvtap_node(const char *node_dir, const char *name, int ifindex, char ret_path[MACVTAP_PATH_MAX],
		 dev_t *ret_dev, struct nd_error *e)
{
	char path[MACVTAP_PATH_MAX];
	dev_t dev = 0;

	int rc = read_device(name, ifindex, &dev, e);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "/dev/tap%d", ifindex);
	if (!is_node(path, dev)) {
		if (snprintf(path, sizeof(path), "%s/tap%d", node_dir, ifindex) >= (int)sizeof(path))
			return nd_fail(e, ND_INVALID, "'%.40s...' is too long", node_dir);
		rc = make_node(node_dir, path, dev, e);
		if (rc < 0)
			return rc;
	}
	nd_strcpy(ret_path, MACVTAP_PATH_MAX, path);
	*ret_dev = dev;
	return 0;
}

void macvtap_node_remove(const char *node_dir, int ifindex)
{
	char path[MACVTAP_PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/tap%d", node_dir, ifindex) < (int)sizeof(path))
		unlink(path);
}

/* ---- the device ---- */

static struct nl_msg *link_message(int ifindex, int flags)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | flags);

	if (msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* IFLA_LINKINFO { IFLA_INFO_KIND, IFLA_INFO_DATA { IFLA_MACVLAN_MODE } } */
static bool put_mode(struct nl_msg *msg, enum macvtap_mode mode)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;

	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "macvtap") < 0)
		return false;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || nla_put_u32(msg, IFLA_MACVLAN_MODE, mode) < 0)
		return false;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return true;
}

static struct nl_msg *create_message(const struct macvtap_config *want)
{
	struct nl_msg *msg = link_message(0, NLM_F_CREATE | NLM_F_EXCL);

	if (msg && (nla_put_u32(msg, IFLA_LINK, (uint32_t)want->lower) < 0 ||
		    nla_put_string(msg, IFLA_IFNAME, want->name) < 0 ||
		    nla_put(msg, IFLA_ADDRESS, sizeof(want->mac.b), want->mac.b) < 0 ||
		    nla_put_u32(msg, IFLA_GROUP, ND_GROUP_LIVE) < 0 || !put_mode(msg, want->mode))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/* IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_ADDR_GEN_MODE } } */
static struct nl_msg *no_address_message(int ifindex)
{
	struct nl_msg *msg = link_message(ifindex, 0);
	struct nlattr *spec = msg ? nla_nest_start(msg, IFLA_AF_SPEC) : NULL;
	struct nlattr *inet6 = spec ? nla_nest_start(msg, AF_INET6) : NULL;

	if (!inet6 || nla_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, inet6);
	nla_nest_end(msg, spec);
	return msg;
}

static struct nl_msg *attr_message(int ifindex, const struct macvtap_config *want, unsigned bits)
{
	struct nl_msg *msg = link_message(ifindex, 0);

	assert(ifindex > 0); /* with 0 and a group, it would be for every link of that group */
	if (msg &&
	    ((bits & TAP_MAC && nla_put(msg, IFLA_ADDRESS, sizeof(want->mac.b), want->mac.b) < 0) ||
	     (bits & TAP_MTU && want->mtu && nla_put_u32(msg, IFLA_MTU, want->mtu) < 0) ||
	     (bits & TAP_GROUP && nla_put_u32(msg, IFLA_GROUP, ND_GROUP_LIVE) < 0) ||
	     (bits & TAP_ALIAS && want->alias[0] && nla_put_string(msg, IFLA_IFALIAS, want->alias) < 0) ||
	     (bits & TAP_MODE && !put_mode(msg, want->mode)))) {
		nlmsg_free(msg);
		return NULL;
	}
	if (msg && bits & TAP_DOWN) {
		struct ifinfomsg *info = nlmsg_data(nlmsg_hdr(msg));
		info->ifi_flags |= IFF_UP;
		info->ifi_change |= IFF_UP;
	}
	return msg;
}

/* What the kernel's EINVAL and EBUSY are about here, it does not say. */
static int create(struct nd_nl *nl, const struct macvtap_config *want, int *ret_ifindex, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	struct nd_error *to = e ? e : &sub;

	int rc = nd_nl_call(nl, create_message(want), NULL, NULL, to);
	if (rc < 0 && to->sys == EEXIST) {
		nd_error_reset(to);
		return nd_fail(to, ND_EXISTS, "an interface of this name exists");
	}
	if (rc < 0 && (to->sys == EBUSY || (to->sys == EINVAL && want->mode == MACVTAP_PASSTHROUGH))) {
		nd_error_reset(to);
		return nd_fail(
			to, ND_BUSY,
			"the device below is a bridge's or bond's port, or used by a macvtap that does "
			"not share it");
	}
	if (rc < 0)
		return nd_wrap(to, "create");
	return tun_ifindex(nd_nl_fd(nl), want->name, ret_ifindex, e);
}

static int open_queues(const char *node_dir, const struct macvtap_config *want, struct tap_handle *h,
		       struct nd_error *e)
{
	unsigned flags = (want->vnet_hdr ? TUN_VNET_HDR : 0) | (want->queue_cnt > 1 ? TUN_MULTI_QUEUE : 0);
	char path[MACVTAP_PATH_MAX];
	dev_t dev;

	int rc = macvtap_node(node_dir, want->name, h->ifindex, path, &dev, e);
	while (rc == 0 && h->fd_cnt < want->queue_cnt) {
		int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return nd_fail_sys(e, errno, NULL, "open %s", path);
		h->fds[h->fd_cnt++] = fd;
		rc = tun_set_flags(fd, flags, e);
	}
	return rc;
}

/* Kernels without IPv6 refuse what is about it. */
static int configure(struct nd_nl *nl, int ifindex, const struct macvtap_config *want, struct nd_error *e)
{
	int rc = nd_nl_call(nl, attr_message(ifindex, want, TAP_MAC | TAP_MTU | TAP_ALIAS | TAP_DOWN), NULL,
			    NULL, e);

	return rc < 0 ? nd_wrap(e, "set MAC, MTU, alias, up") : 0;
}

int macvtap_open(struct nd_nl *nl, const char *node_dir, const struct macvtap_config *want,
		 struct tap_handle *ret, struct nd_error *e)
{
	struct tap_handle h = { .ifindex = 0, .fd_cnt = 0 };
	int rc;

	if (want->queue_cnt < 1 || want->queue_cnt > TAP_QUEUES_MAX)
		rc = nd_fail(e, ND_INVALID, "%u queues: must be 1 to %d", want->queue_cnt, TAP_QUEUES_MAX);
	else
		rc = create(nl, want, &h.ifindex, e);
	if (rc == 0) {
		nd_nl_call(nl, no_address_message(h.ifindex), NULL, NULL, NULL);
		rc = open_queues(node_dir, want, &h, e);
	}
	if (rc == 0)
		rc = configure(nl, h.ifindex, want, e);
	if (rc < 0) {
		tap_handle_close(&h);
		if (h.ifindex) {
			nd_link_delete(nl, h.ifindex, NULL);
			macvtap_node_remove(node_dir, h.ifindex);
		}
		nd_wrap(e, "macvtap '%s'", want->name);
		return rc;
	}
	nd_strcpy(h.name, sizeof(h.name), want->name);
	*ret = h;
	return 0;
}

static bool alias_same(const struct macvtap_config *want, const struct nd_link *have)
{
	struct nd_uuid network, port;

	if (!want->alias[0])
		return true;
	return have->has_alias && nd_alias_parse(want->alias, &network, &port) == 0 &&
	       nd_uuid_equal(&network, &have->alias_network) && nd_uuid_equal(&port, &have->alias_port);
}

unsigned macvtap_diff(const struct macvtap_config *want, const struct nd_link *have)
{
	const struct {
		unsigned bit;
		bool same;
	} rows[] = {
		{ TAP_MAC, nd_mac_equal(&want->mac, &have->mac) },
		{ TAP_MTU, want->mtu == 0 || want->mtu == have->mtu },
		{ TAP_GROUP, have->group == ND_GROUP_LIVE },
		{ TAP_ALIAS, alias_same(want, have) },
		{ TAP_DOWN, have->flags & IFF_UP },
		{ TAP_MODE, have->macvtap_mode == (uint32_t)want->mode },
	};
	unsigned diff = TAP_SAME;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		diff |= rows[i].same ? 0 : rows[i].bit;
	return diff;
}

int macvtap_restore(struct nd_nl *nl, int ifindex, const struct macvtap_config *want, unsigned diff,
		    struct nd_error *e)
{
	if (!diff)
		return 0;
	int rc = nd_nl_call(nl, attr_message(ifindex, want, diff), NULL, NULL, e);
	return rc < 0 ? nd_wrap(e, "macvtap '%s': put back", want->name) : 0;
}

/* ---- who holds it ---- */

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool all_held(const struct macvtap_file *files, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (!files[i].held)
			return false;
	return true;
}

/* Sockets, pipes and anonymous inodes are most of what there is: they are told by the link's first byte, without a stat. */
static void look_into(int pid, struct macvtap_file *files, size_t cnt)
{
	char path[PROC_PATH_LEN], first;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	nd_cleanup(closedirp) DIR *fds = opendir(path);
	for (struct dirent *d; fds && (d = readdir(fds));) {
		if (readlinkat(dirfd(fds), d->d_name, &first, 1) != 1 || first != '/' ||
		    fstatat(dirfd(fds), d->d_name, &st, 0) < 0 || !S_ISCHR(st.st_mode))
			continue;
		for (size_t i = 0; i < cnt; i++)
			files[i].held |= files[i].dev == st.st_rdev;
	}
}

void macvtap_held(struct macvtap_file *files, size_t cnt, bool only_hints)
{
	for (size_t i = 0; i < cnt; i++)
		if (!files[i].held && files[i].hint > 0)
			look_into((int)files[i].hint, files, cnt);
	if (only_hints || all_held(files, cnt))
		return;
	nd_cleanup(closedirp) DIR *proc = opendir("/proc");
	for (struct dirent *d; proc && !all_held(files, cnt) && (d = readdir(proc));)
		if (isdigit((unsigned char)d->d_name[0]))
			look_into(atoi(d->d_name), files, cnt);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the end of macvtaps (see holders.h)
 *
 * The kernel neither deletes a macvtap with its last file nor tells of that on netlink. But each open file goes by its character device's node, and
 * inotify tells when one is closed for good (IN_CLOSE_WRITE: by its last descriptor, in whatever process): no process is watched, nothing is polled. For
 * a device with one queue that is the end, unless the process that it was given to has it open all the same: then somebody else, who may open the node,
 * has closed it. Of one with several queues the others may be open still, so the open files of all processes are looked through.
 *
 * Descriptors in flight in an unread socket are not seen then. They are of concern after a restart, when a reply may not have been read yet: so
 * what nobody seems to hold is looked for twice.
 */
#include "netd/core/holders.h"
#include "base/link.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/model.h"
#include "netd/core/port.h"
#include "netd/core/settings.h"
#include "tap/macvtap.h"
#include <errno.h>
#include <ev.h>
#include <sys/inotify.h>

#define SECOND_LOOK_S 1.0
#define EVENTS_SIZE   4096 /* bytes: some hundred */

struct held_device {
	struct nd_list all;
	int ifindex, wd;
	dev_t dev;
	pid_t hint;
	uint16_t queue_cnt;
	bool suspect, lost;
};
struct holders {
	struct core *c;
	int fd;
	struct ev_io readable;
	struct ev_timer again;
	struct nd_list devices;
	char nodes[MACVTAP_PATH_MAX];
};

static void on_readable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	holders_sync(container_of(w, struct holders, readable));
}

static void on_again(struct ev_loop *loop, struct ev_timer *w, int revents);

int holders_new(struct core *c, struct holders **ret, struct nd_error *e)
{
	struct holders *h = calloc(1, sizeof *h);
	if (!h)
		return nd_fail(e, ND_MEMORY, "macvtaps");
	h->c = c;
	nd_list_init(&h->devices);
	ev_init(&h->again, on_again);
	ev_timer_set(&h->again, SECOND_LOOK_S, 0.);
	h->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (h->fd < 0) {
		free(h);
		return nd_fail_sys(e, errno, NULL, "watch of macvtaps");
	}
	snprintf(h->nodes, sizeof h->nodes, "%s/macvtap", c->settings->run_dir);
	ev_io_init(&h->readable, on_readable, h->fd, EV_READ);
	ev_io_start(c->loop, &h->readable);
	ev_unref(c->loop);
	*ret = h;
	return 0;
}

static void drop(struct held_device *d)
{
	nd_list_remove(&d->all);
	free(d);
}

void holders_free(struct holders *h)
{
	if (!h)
		return;
	while (!nd_list_empty(&h->devices))
		drop(container_of(h->devices.next, struct held_device, all));
	ev_ref(h->c->loop);
	ev_io_stop(h->c->loop, &h->readable);
	ev_timer_stop(h->c->loop, &h->again);
	close(h->fd);
	free(h);
}

const char *holders_nodes(const struct holders *h)
{
	return h->nodes;
}

int holders_watch(struct holders *h, const char *name, int ifindex, pid_t hint, uint16_t queue_cnt,
		  struct nd_error *e)
{
	char path[MACVTAP_PATH_MAX];
	struct held_device *d = calloc(1, sizeof *d);
	if (!d)
		return nd_fail(e, ND_MEMORY, "macvtap '%s'", name);
	*d = (struct held_device){ .ifindex = ifindex, .hint = hint, .queue_cnt = queue_cnt };
	if (macvtap_node(h->nodes, name, ifindex, path, &d->dev, e) == 0) {
		d->wd = inotify_add_watch(h->fd, path, IN_CLOSE_WRITE);
		if (d->wd < 0)
			nd_fail_sys(e, errno, NULL, "watch %s", path);
	}
	if (e->code) {
		free(d);
		return nd_wrap(e, "macvtap '%s'", name);
	}
	nd_list_append(&h->devices, &d->all);
	return 0;
}

static struct held_device *find(const struct holders *h, int ifindex, int wd)
{
	struct held_device *d;
	nd_list_foreach(d, &h->devices, all) {
		if (ifindex ? d->ifindex == ifindex : d->wd == wd)
			return d;
	}
	return NULL;
}

void holders_forget(struct holders *h, int ifindex)
{
	struct held_device *d = find(h, ifindex, 0);
	if (!d)
		return;
	inotify_rm_watch(h->fd, d->wd); /* fails where the node is gone, and the watch with it */
	macvtap_node_remove(h->nodes, ifindex);
	drop(d);
}

static void end(struct holders *h, struct held_device *d)
{
	struct nd_error e = ND_ERROR_INIT;
	struct port *p = model_port_by_ifindex(h->c->model, d->ifindex);
	int ifindex = d->ifindex;
	if (p)
		port_end(h->c, p, "its last descriptor was closed");
	holders_forget(h, ifindex);
	if (nd_link_delete(h->c->nl, ifindex, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "macvtap with index %d", ifindex);
}

static void look(struct holders *h, struct held_device *d)
{
	struct macvtap_file file = { .dev = d->dev, .hint = d->hint };
	macvtap_held(&file, 1, d->queue_cnt == 1);
	if (!file.held)
		end(h, d);
}

void holders_sync(struct holders *h)
{
	char buf[EVENTS_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t len;
	while ((len = read(h->fd, buf, sizeof buf)) > 0) {
		for (char *at = buf; at < buf + len;) {
			const struct inotify_event *ev = (const struct inotify_event *)at;
			struct held_device *d = find(h, 0, ev->wd);
			if (ev->mask & IN_Q_OVERFLOW)
				holders_check(h);
			else if (d && ev->mask & IN_CLOSE_WRITE)
				look(h, d);
			at += sizeof *ev + ev->len;
		}
	}
}

/* Marks as lost, of the suspects or of all, those that no process has. One walk over the processes for all of them. */
static void look_for_all(struct holders *h, bool suspects)
{
	struct held_device *d;
	size_t cnt = 0, i = 0;
	nd_list_foreach(d, &h->devices, all) {
		d->lost = false;
		cnt++;
	}
	nd_autofree struct macvtap_file *files = calloc(cnt + 1, sizeof *files);
	if (!files)
		return;
	nd_list_foreach(d, &h->devices, all) {
		if (!suspects || d->suspect)
			files[i++] = (struct macvtap_file){ .dev = d->dev, .hint = d->hint };
	}
	macvtap_held(files, i, false);
	i = 0;
	nd_list_foreach(d, &h->devices, all) {
		if (!suspects || d->suspect)
			d->lost = !files[i++].held;
	}
}

void holders_check(struct holders *h)
{
	struct held_device *d;
	if (nd_list_empty(&h->devices))
		return;
	look_for_all(h, false);
	nd_list_foreach(d, &h->devices, all) {
		d->suspect = d->lost;
		if (d->lost && !ev_is_active(&h->again))
			ev_timer_start(h->c->loop, &h->again);
	}
}

static void on_again(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct holders *h = container_of(w, struct holders, again);
	struct held_device *d, *next;
	ev_timer_stop(loop, w);
	ev_timer_set(w, SECOND_LOOK_S, 0.);
	look_for_all(h, true);
	nd_list_foreach_safe(d, next, &h->devices, all) {
		bool over = d->suspect && d->lost;
		d->suspect = false;
		if (over)
			end(h, d);
	}
}

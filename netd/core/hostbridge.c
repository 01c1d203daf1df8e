// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: making, confirming and removing host bridges (see hostbridge.h)
 *
 * A work item owns the record while the thread has it; the loop has it otherwise. The order on disk is: the record (changing), the steps, the record again
 * (unconfirmed, with its deadline), then the network manager's files, the record (active). Files come last: a host that is reset before comes up as it was.
 */
#include "netd/core/hostbridge.h"
#include "base/file.h"
#include "base/link.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/disk.h"
#include "netd/core/event.h"
#include "netd/core/mirror.h"
#include "netd/core/settings.h"
#include <ev.h>
#include <stdarg.h>

#define ASK_EVERY_S 0.2
#define ASK_MAX     25  /* times: 5 s */
#define SETTLE_S    0.5 /* a DHCP client sets an address, then its routes */

struct hostbridge {
	struct nd_list link;
	struct hostbridges *all;
	char bridge[ND_IFNAMSIZ], port[ND_IFNAMSIZ];
	struct lan_record *record; /* NULL: a work item has it */
	unsigned confirm_s, asked;
	int why_code; /* it is taken back */
	char why[200];
	struct lan_probe probe;
	struct ev_io answer;
	struct ev_timer ask, deadline, settle;
	struct hostbridge_done done; /* of the verb under way; fn NULL: none */
};
struct hostbridges {
	struct core *c;
	char dir[1024];
	struct nd_list list;
};

/* On the thread; takes and gives back w->record. */
struct work {
	struct disk_job job;
	struct hostbridges *h;
	struct hostbridge *hb; /* NULL: of a dry run, or of following */
	struct lan_record *record;
	char bridge[ND_IFNAMSIZ], port[ND_IFNAMSIZ], dir[1024];
	bool dry_run, persist;
	size_t moved;
	int (*what)(struct work *w, struct nd_nl *nl, struct nd_error *e);
	void (*then)(struct work *w, const struct nd_error *e); /* on the loop */
	struct hostbridge_done done;                            /* of a dry run */
};

static struct hostbridge *find(const struct hostbridges *h, const char *bridge)
{
	struct hostbridge *hb;
	nd_list_foreach(hb, &h->list, link) {
		if (!strcmp(hb->bridge, bridge))
			return hb;
	}
	return NULL;
}

__attribute__((format(printf, 3, 4))) static void say(struct hostbridge *hb, enum event_kind kind,
						      const char *fmt, ...)
{
	struct event ev = { .kind = kind };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof ev.text, fmt, ap);
	va_end(ap);
	nd_strcpy(ev.ifname, sizeof ev.ifname, hb->bridge);
	events_emit(hb->all->c->events, &ev);
}

static void answer(struct hostbridge *hb, const struct nd_error *e)
{
	struct hostbridge_done done = hb->done;
	hb->done = (struct hostbridge_done){ 0 };
	if (done.fn)
		done.fn(done.arg, e ? NULL : hb->record, e);
}

static void stop_watchers(struct hostbridge *hb)
{
	struct ev_loop *loop = hb->all->c->loop;
	ev_io_stop(loop, &hb->answer);
	ev_timer_stop(loop, &hb->ask);
	ev_timer_stop(loop, &hb->deadline);
	ev_timer_stop(loop, &hb->settle);
	lan_probe_close(&hb->probe);
}

static void forget(struct hostbridge *hb)
{
	stop_watchers(hb);
	nd_list_remove(&hb->link);
	lan_record_free(hb->record);
	free(hb);
}

/* ---- on the thread ---- */

static int work_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	struct work *w = container_of(j, struct work, job);
	struct nd_error failed = ND_ERROR_INIT;
	struct nd_nl *nl = NULL;
	int r = nd_nl_new(NETLINK_ROUTE, &nl, &failed);
	if (r == 0)
		r = w->what(w, nl, &failed);
	nd_nl_free(nl);
	nd_error_copy(e, &failed);
	return r;
}

static int do_create(struct work *w, struct nd_nl *nl, struct nd_error *e)
{
	const struct lan_request req = { w->bridge, w->port, w->persist, "" };
	if (lan_create_plan(nl, &req, &w->record, e) < 0)
		return e->code;
	if (w->dry_run)
		return 0;
	if (lan_record_save(w->dir, w->record, e) < 0)
		return nd_wrap(e, "record");
	if (lan_apply(nl, w->record, e) == 0)
		return 0;
	lan_record_drop(w->dir, w->record, NULL);
	return e->code;
}

static int do_wait(struct work *w, struct nd_nl *nl, struct nd_error *e)
{
	return lan_record_save(w->dir, w->record, e);
}

/* The administrator has said that it stays: where the files cannot be written, it stays until the next boot, and says so. */
static int do_stay(struct work *w, struct nd_nl *nl, struct nd_error *e)
{
	struct lan_record *r = w->record;
	struct nd_error failed = ND_ERROR_INIT;
	char text[ND_ERROR_STORE];
	if (r->persist && lan_files_write(r, &failed) < 0) {
		nd_error_format(&failed, text, sizeof text);
		lan_record_note(r, "it does not survive a reboot: ", text);
		r->persist = false;
	}
	r->phase = LAN_ACTIVE;
	r->deadline_ms = 0;
	return lan_record_save(w->dir, r, e);
}

static int do_undo(struct work *w, struct nd_nl *nl, struct nd_error *e)
{
	int r = lan_undo(nl, w->record, e);
	struct nd_error failed = ND_ERROR_INIT;
	if (lan_record_drop(w->dir, w->record, &failed) < 0 && r == 0) {
		nd_error_copy(e, &failed);
		r = failed.code;
	}
	return r;
}

/* The rest of the way back, once its steps are done. */
static void finish_removal(const char *dir, struct lan_record *r)
{
	struct nd_error failed = ND_ERROR_INIT;
	char text[ND_ERROR_STORE];
	nd_strv_free(r->notes); /* those were about the bridge while it is there */
	r->notes = NULL;
	if (r->persist && lan_files_restore(r, &failed) < 0) {
		nd_error_format(&failed, text, sizeof text);
		lan_record_note(r, "", text);
	}
	nd_error_reset(&failed);
	if (lan_record_drop(dir, r, &failed) < 0)
		nd_log_error(ND_LOG_WARNING, &failed, "host bridge %s", r->bridge);
}

static int do_remove(struct work *w, struct nd_nl *nl, struct nd_error *e)
{
	struct lan_record *r = w->record;
	bool waiting = r->phase == LAN_WAITING;
	if (lan_remove_plan(nl, r, e) < 0)
		return e->code;
	if (waiting)
		r->persist = false; /* nothing was written yet */
	int err = lan_record_save(w->dir, r, e);
	if (err == 0)
		err = lan_apply(nl, r, e);
	if (err == 0) {
		finish_removal(w->dir, r);
		return 0;
	}
	r->phase = LAN_ACTIVE;
	lan_record_save(w->dir, r, NULL);
	return err;
}

static int do_follow(struct work *w, struct nd_nl *nl, struct nd_error *e)
{
	return lan_follow(nl, w->record, &w->moved, e);
}

/* ---- on the loop ---- */

static void work_done(struct disk_job *j, const struct nd_error *e)
{
	struct work *w = container_of(j, struct work, job);
	if (w->hb)
		w->hb->record = take_ptr(w->record);
	w->then(w, e && e->code ? e : NULL);
	lan_record_free(w->record);
	free(w);
}

static struct work *work_new(struct hostbridges *h, struct hostbridge *hb)
{
	struct work *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->job.run = work_run;
	w->job.done = work_done;
	w->h = h;
	w->hb = hb;
	nd_strcpy(w->dir, sizeof w->dir, h->dir);
	return w;
}

static void push(struct hostbridge *hb, struct work *w,
		 int (*what)(struct work *w, struct nd_nl *nl, struct nd_error *e),
		 void (*then)(struct work *w, const struct nd_error *e))
{
	w->what = what;
	w->then = then;
	if (hb)
		w->record = take_ptr(hb->record);
	disk_push_file(w->h->c->disk, &w->job);
}

static void on_undone(struct work *w, const struct nd_error *e)
{
	struct hostbridge *hb = w->hb;
	struct nd_error told = ND_ERROR_INIT;
	if (e)
		nd_log_error(ND_LOG_ERR, e, "host bridge %s: not all of the way back could be done",
			     hb->bridge);
	say(hb, EVENT_HOST_BRIDGE_ROLLED_BACK, "%s has what it had before: %s", hb->port, hb->why);
	nd_fail(&told, hb->why_code, "%s; %s has what it had before", hb->why, hb->port);
	nd_also(&told, e);
	answer(hb, &told);
	forget(hb);
}

/* Whoever waits for an answer gets it when all is as before. Without memory for that the record stays on disk, and the next start does it. */
static void roll_back(struct hostbridge *hb, int code, const char *why)
{
	struct work *w = work_new(hb->all, hb);
	stop_watchers(hb);
	hb->why_code = code;
	nd_strcpy(hb->why, sizeof hb->why, why);
	if (w)
		push(hb, w, do_undo, on_undone);
}

static void on_deadline(struct ev_loop *loop, struct ev_timer *t, int revents)
{
	struct hostbridge *hb = container_of(t, struct hostbridge, deadline);
	uint64_t now = lan_now_ms();
	if (!hb->record)
		return;                      /* a confirmation came first and is being done */
	if (now < hb->record->deadline_ms) { /* the loop's clock is another */
		ev_timer_set(t, (double)(hb->record->deadline_ms - now) / 1000, 0.);
		ev_timer_start(loop, t);
		return;
	}
	roll_back(hb, ND_TIMEOUT, "it was not confirmed in time");
}

static void start_deadline(struct hostbridge *hb)
{
	uint64_t now = lan_now_ms(), at = hb->record->deadline_ms;
	ev_timer_set(&hb->deadline, at > now ? (double)(at - now) / 1000 : 0., 0.);
	ev_timer_start(hb->all->c->loop, &hb->deadline);
}

static void on_waiting(struct work *w, const struct nd_error *e)
{
	struct hostbridge *hb = w->hb;
	if (e) {
		roll_back(hb, e->code, "its record could not be written");
		return;
	}
	say(hb, EVENT_HOST_BRIDGE_CREATED, "%s is in %s; it is taken back unless it is confirmed within %u s",
	    hb->port, hb->bridge, hb->confirm_s);
	start_deadline(hb);
	answer(hb, NULL);
}

static void on_stays(struct work *w, const struct nd_error *e)
{
	struct hostbridge *hb = w->hb;
	if (e) /* the record on disk says otherwise: what it says has to come true */
		start_deadline(hb);
	else
		say(hb, EVENT_HOST_BRIDGE_CONFIRMED, "%s stays%s", hb->bridge,
		    hb->record->persist && hb->record->file_cnt ? ", after a reboot too"
								: "; it does not survive a reboot");
	answer(hb, e);
}

static void on_made_to_stay(struct work *w, const struct nd_error *e)
{
	struct hostbridge *hb = w->hb;
	if (e) {
		roll_back(hb, e->code, "its record could not be written");
		return;
	}
	say(hb, EVENT_HOST_BRIDGE_CREATED, "%s is in %s", hb->port, hb->bridge);
	on_stays(w, NULL);
}

static void on_works(struct hostbridge *hb)
{
	struct work *w = work_new(hb->all, hb);
	stop_watchers(hb);
	if (!w) {
		roll_back(hb, ND_MEMORY, "out of memory");
		return;
	}
	if (hb->confirm_s) {
		hb->record->phase = LAN_WAITING;
		hb->record->deadline_ms = lan_now_ms() + (uint64_t)hb->confirm_s * 1000;
		push(hb, w, do_wait, on_waiting);
	} else {
		push(hb, w, do_stay, on_made_to_stay);
	}
}

/* ---- the gateway ---- */

static void silent_gateways(const struct lan_probe *p, char *buf, size_t size)
{
	size_t at = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < p->gateway_cnt && at < size; i++) {
		char ip[ND_IP_STRLEN];
		if (!p->answered[i])
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "",
					       nd_ip_to_string(&p->gateways[i].ip, ip));
	}
}

static void on_ask(struct ev_loop *loop, struct ev_timer *t, int revents)
{
	struct hostbridge *hb = container_of(t, struct hostbridge, ask);
	char silent[128], why[200];
	if (hb->asked++ < ASK_MAX) {
		lan_probe_ask(&hb->probe);
		return;
	}
	silent_gateways(&hb->probe, silent, sizeof silent);
	snprintf(why, sizeof why, "the gateway (%s) did not answer on the bridge within %g s", silent,
		 ASK_EVERY_S * ASK_MAX);
	roll_back(hb, ND_TIMEOUT, why);
}

static void on_answer(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct hostbridge *hb = container_of(w, struct hostbridge, answer);
	if (lan_probe_read(&hb->probe))
		on_works(hb);
}

static void on_created(struct work *w, const struct nd_error *e)
{
	struct hostbridge *hb = w->hb;
	struct nd_error failed = ND_ERROR_INIT;
	if (e) {
		struct nd_error copy = *e;
		answer(hb, &copy);
		forget(hb);
		return;
	}
	if (hb->record->gateway_cnt == 0) {
		on_works(hb);
		return;
	}
	if (lan_probe_open(&hb->probe, hb->record, &failed) < 0) {
		nd_log_error(ND_LOG_ERR, &failed, "host bridge %s", hb->bridge);
		roll_back(hb, failed.code, "the gateway cannot be asked");
		return;
	}
	ev_io_set(&hb->answer, hb->probe.fd, EV_READ);
	ev_io_start(hb->all->c->loop, &hb->answer);
	ev_timer_set(&hb->ask, 0., ASK_EVERY_S);
	ev_timer_start(hb->all->c->loop, &hb->ask);
}

/* ---- following a DHCP client ---- */

static void on_followed(struct work *w, const struct nd_error *e)
{
	struct hostbridge *hb = find(w->h, w->bridge);
	if (e)
		nd_log_error(ND_LOG_WARNING, e, "host bridge %s: what came to %s could not be moved",
			     w->bridge, w->port);
	else if (w->moved && hb)
		say(hb, EVENT_REPAIRED, "%zu addresses that somebody set on %s were moved to %s", w->moved,
		    w->port, w->bridge);
}

static void on_settled(struct ev_loop *loop, struct ev_timer *t, int revents)
{
	struct hostbridge *hb = container_of(t, struct hostbridge, settle);
	struct work *w = hb->record ? work_new(hb->all, NULL) : NULL;
	if (w)
		w->record = calloc(1, sizeof *w->record);
	if (!w || !w->record) {
		free(w);
		return;
	}
	nd_strcpy(w->bridge, sizeof w->bridge, hb->bridge);
	nd_strcpy(w->port, sizeof w->port, hb->port);
	nd_strcpy(w->record->bridge, sizeof w->record->bridge, hb->bridge);
	nd_strcpy(w->record->port, sizeof w->record->port, hb->port);
	const struct nd_link *l = mirror_link_by_name(hb->all->c->mirror, hb->bridge);
	w->record->bridge_index = l ? l->ifindex : hb->record->bridge_index;
	push(NULL, w, do_follow, on_followed);
}

static bool is_made(const struct hostbridge *hb)
{
	return hb->record && (hb->record->phase == LAN_WAITING || hb->record->phase == LAN_ACTIVE);
}

void hostbridge_on_address(struct core *c, int ifindex)
{
	const struct nd_link *l = c->hostbridges ? mirror_link(c->mirror, ifindex) : NULL;
	const struct nd_address *have;
	struct hostbridge *hb;
	if (!l || !l->master || mirror_addresses(c->mirror, ifindex, &have) == 0)
		return;
	nd_list_foreach(hb, &c->hostbridges->list, link) {
		if (is_made(hb) && !strcmp(hb->port, l->name)) {
			ev_timer_stop(c->loop, &hb->settle);
			ev_timer_set(&hb->settle, SETTLE_S, 0.);
			ev_timer_start(c->loop, &hb->settle);
		}
	}
}

/* ---- verbs ---- */

static struct hostbridge *hostbridge_new(struct hostbridges *h, const char *bridge, const char *port)
{
	struct hostbridge *hb = calloc(1, sizeof *hb);
	if (!hb)
		return NULL;
	hb->all = h;
	hb->probe.fd = -1;
	nd_strcpy(hb->bridge, sizeof hb->bridge, bridge);
	nd_strcpy(hb->port, sizeof hb->port, port);
	ev_init(&hb->answer, on_answer);
	ev_init(&hb->ask, on_ask);
	ev_init(&hb->deadline, on_deadline);
	ev_init(&hb->settle, on_settled);
	nd_list_append(&h->list, &hb->link);
	return hb;
}

static void refuse(struct hostbridge_done done, int code, const char *text, const char *name)
{
	struct nd_error e = ND_ERROR_INIT;
	nd_fail(&e, code, "%s", text);
	nd_wrap(&e, "host bridge '%s'", name);
	done.fn(done.arg, NULL, &e);
}

static void on_dry_run(struct work *w, const struct nd_error *e)
{
	w->done.fn(w->done.arg, e ? NULL : w->record, e);
}

void hostbridge_create(struct core *c, const struct hostbridge_request *req, struct hostbridge_done done)
{
	struct hostbridges *h = c->hostbridges;
	struct hostbridge *hb = NULL;
	if (strlen(req->bridge) >= ND_IFNAMSIZ || strlen(req->port) >= ND_IFNAMSIZ) {
		refuse(done, ND_INVALID, "an interface's name has at most 15 characters", req->bridge);
		return;
	}
	if (find(h, req->bridge)) {
		refuse(done, ND_EXISTS, "there is one of this name; host-bridge-list shows it", req->bridge);
		return;
	}
	struct work *w = work_new(h, NULL);
	if (w && !req->dry_run)
		w->hb = hb = hostbridge_new(h, req->bridge, req->port);
	if (!w || (!req->dry_run && !hb)) {
		free(w);
		refuse(done, ND_MEMORY, "out of memory", req->bridge);
		return;
	}
	nd_strcpy(w->bridge, sizeof w->bridge, req->bridge);
	nd_strcpy(w->port, sizeof w->port, req->port);
	w->dry_run = req->dry_run;
	w->persist = req->persist;
	w->done = done;
	if (hb) {
		hb->done = done;
		hb->confirm_s = req->confirm_s;
	}
	push(NULL, w, do_create, req->dry_run ? on_dry_run : on_created);
}

/* A bridge that nobody is changing, and what a verb needs. NULL: refused. */
static struct work *begin(struct core *c, const char *bridge, struct hostbridge_done done)
{
	struct hostbridge *hb = find(c->hostbridges, bridge);
	if (!hb) {
		refuse(done, ND_NOT_FOUND, "netd made no such bridge; host-bridge-list shows them", bridge);
		return NULL;
	}
	if (!is_made(hb) || hb->done.fn) {
		refuse(done, ND_BUSY, "it is being changed", bridge);
		return NULL;
	}
	struct work *w = work_new(c->hostbridges, hb);
	if (!w)
		refuse(done, ND_MEMORY, "out of memory", bridge);
	else
		hb->done = done;
	return w;
}

void hostbridge_confirm(struct core *c, const char *bridge, struct hostbridge_done done)
{
	const struct hostbridge *hb = find(c->hostbridges, bridge);
	if (hb && hb->record && hb->record->phase == LAN_ACTIVE) {
		refuse(done, ND_STATE, "it is confirmed already", bridge);
		return;
	}
	struct work *w = begin(c, bridge, done);
	if (!w)
		return;
	ev_timer_stop(c->loop, &w->hb->deadline);
	push(w->hb, w, do_stay, on_stays);
}

static void on_removed(struct work *w, const struct nd_error *e)
{
	struct hostbridge *hb = w->hb;
	if (e) {
		answer(hb, e);
		if (hb->record->phase == LAN_WAITING)
			start_deadline(hb);
		return;
	}
	say(hb, EVENT_HOST_BRIDGE_REMOVED, "%s has its addresses and routes again", hb->port);
	answer(hb, NULL);
	forget(hb);
}

void hostbridge_remove(struct core *c, const char *bridge, struct hostbridge_done done)
{
	struct work *w = begin(c, bridge, done);
	if (!w)
		return;
	ev_timer_stop(c->loop, &w->hb->deadline);
	push(w->hb, w, do_remove, on_removed);
}

void hostbridge_each(struct core *c, void (*fn)(const struct hostbridge_info *i, void *arg), void *arg)
{
	struct hostbridge *hb;
	uint64_t now = lan_now_ms();
	nd_list_foreach(hb, &c->hostbridges->list, link) {
		const struct lan_record *r = hb->record;
		struct hostbridge_info i = { .bridge = hb->bridge, .port = hb->port, .record = r };
		i.state = lan_phase_to_string(r ? (int)r->phase : LAN_CHANGING);
		if (r && r->phase == LAN_ACTIVE && !mirror_link_by_name(c->mirror, hb->bridge))
			i.state = "absent";
		if (r && r->phase == LAN_WAITING)
			i.left_s = r->deadline_ms > now ? (unsigned)((r->deadline_ms - now) / 1000) + 1 : 1;
		fn(&i, arg);
	}
}

/* ---- start and end ---- */

struct recovery {
	struct hostbridges *h;
	struct nd_nl *nl;
	char boot[ND_UUID_STRLEN];
};

static void go_back(struct recovery *v, struct lan_record *r, const char *why)
{
	struct nd_error e = ND_ERROR_INIT;
	struct hostbridge *hb = hostbridge_new(v->h, r->bridge, r->port);
	if (lan_undo(v->nl, r, &e) < 0)
		nd_log_error(ND_LOG_ERR, &e, "host bridge %s", r->bridge);
	lan_record_drop(v->h->dir, r, NULL);
	if (hb) {
		say(hb, EVENT_HOST_BRIDGE_ROLLED_BACK, "%s has what it had before: %s", r->port, why);
		forget(hb);
	}
	lan_record_free(r);
}

static void go_on_removing(struct recovery *v, struct lan_record *r)
{
	struct nd_error e = ND_ERROR_INIT;
	if (lan_apply(v->nl, r, &e) < 0) {
		nd_log_error(ND_LOG_ERR, &e, "host bridge %s", r->bridge);
		r->phase = LAN_ACTIVE;
		lan_record_save(v->h->dir, r, NULL);
		return;
	}
	finish_removal(v->h->dir, r);
}

static void on_record(struct lan_record *r, void *arg)
{
	struct recovery *v = arg;
	bool other_boot = strcmp(r->boot, v->boot) != 0;
	if (other_boot && (r->phase == LAN_CHANGING || r->phase == LAN_WAITING)) {
		lan_record_drop(v->h->dir, r, NULL); /* the boot has done it */
		lan_record_free(r);
		return;
	}
	if (other_boot)
		r->phase = LAN_ACTIVE;
	if (r->phase == LAN_CHANGING || (r->phase == LAN_WAITING && r->deadline_ms <= lan_now_ms())) {
		go_back(v, r,
			r->phase == LAN_CHANGING ? "netd ended in the middle of it"
						 : "it was not confirmed in time");
		return;
	}
	if (r->phase == LAN_REMOVING)
		go_on_removing(v, r);
	struct hostbridge *hb = r->phase == LAN_REMOVING ? NULL : hostbridge_new(v->h, r->bridge, r->port);
	if (hb)
		hb->record = r;
	else
		lan_record_free(r);
}

static void on_broken(const struct nd_error *why, void *arg)
{
	nd_log_error(ND_LOG_ERR, why, "record of a host bridge");
}

int hostbridges_new(struct core *c, struct hostbridges **ret, struct nd_error *e)
{
	struct hostbridges *h = calloc(1, sizeof *h);
	struct recovery v = { .h = h, .nl = c->nl };
	if (!h)
		return nd_fail(e, ND_MEMORY, "host bridges");
	h->c = c;
	nd_list_init(&h->list);
	snprintf(h->dir, sizeof h->dir, "%s/host-bridges", c->settings->state_dir);
	*ret = h;
	int r = lan_boot_id(v.boot, e);
	return r < 0 ? r : lan_record_each(h->dir, on_record, on_broken, &v, e);
}

void hostbridges_start(struct hostbridges *h)
{
	struct hostbridge *hb;
	nd_list_foreach(hb, &h->list, link) {
		const struct nd_link *l = mirror_link_by_name(h->c->mirror, hb->port);
		if (hb->record && hb->record->phase == LAN_WAITING)
			start_deadline(hb);
		if (l)
			hostbridge_on_address(h->c, l->ifindex);
	}
}

/* Nobody would hear the gateway's answer: it goes back now, since nobody knows when the next netd comes. */
static void undo_at_end(struct hostbridge *hb)
{
	struct nd_error e = ND_ERROR_INIT;
	if (lan_undo(hb->all->c->nl, hb->record, &e) < 0)
		nd_log_error(ND_LOG_ERR, &e, "host bridge %s", hb->bridge);
	lan_record_drop(hb->all->dir, hb->record, NULL);
	say(hb, EVENT_HOST_BRIDGE_ROLLED_BACK,
	    "%s has what it had before: netd ended before the gateway answered", hb->port);
}

void hostbridges_free(struct hostbridges *h)
{
	struct hostbridge *hb, *next;
	struct nd_error e = ND_ERROR_INIT;
	if (!h)
		return;
	nd_fail(&e, ND_STATE, "netd ends");
	nd_list_foreach_safe(hb, next, &h->list, link) {
		if (hb->record && hb->record->phase == LAN_CHANGING)
			undo_at_end(hb);
		answer(hb, &e);
		forget(hb);
	}
	free(h);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: living with the host's other firewalls (see foreign.h) */
#include "netd/core/foreign.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "foreign/firewalld.h"
#include "foreign/watch.h"
#include "nat/nat.h"
#include "netd/core/event.h"
#include "netd/core/settings.h"
#include <ev.h>
#include <netinet/in.h>

#include <linux/netfilter.h>

#define DELAY_S     0.15 /* a reload of others is several transactions */
#define INTERVAL_S  1.0  /* between two looks, at least */
#define SHARE       20   /* and so many times what the last one took */
#define NOTE_MAX    700
#define ACCEPTS_MAX 256
#define NETD_TABLE  "netd"

struct foreign {
	struct core *c;
	struct nd_jobs *jobs;
	struct nd_nl *nl; /* the thread's */
	struct ev_async wake;
	struct ev_io events;
	struct ev_timer timer;
	struct foreign_watch *watch;
	struct event_subscriber networks;
	bool running, again;
	double began, last, took;
	bool cleaned; /* what an earlier run may have left is gone */
	bool legacy_told;
	struct bound *bound; /* bridges in zones of firewalld, by us */
	size_t bound_cnt;
};
struct bound {
	char bridge[ND_IFNAMSIZ], zone[64];
};
struct note {
	char text[NOTE_MAX]; /* "" nothing is dropped */
};
struct check_job {
	struct foreign_job j;
	struct foreign *f;
	enum settings_foreign mode;
	bool first; /* of this daemon: what an earlier one bound is not known */
	struct probe_net *nets;
	struct note *notes; /* one per net */
	size_t cnt;
	struct bound *bound; /* as it was, then as it is */
	size_t bound_cnt;
	size_t changed;
	char how[160];
	char legacy[96];
	struct nd_error failed; /* what of auto did not work */
};

/* ---- on the thread ---- */

/* A chain that decides several needs of one family is named once, with all that lets them pass. */
static void note_drops(struct note *note, const struct probe_drop *drops, size_t cnt)
{
	size_t used = strlen(note->text);
	for (size_t i = 0; i < cnt && used + 1 < sizeof note->text; i++) {
		bool chain = false, fix = false;
		int n = 0;
		for (size_t k = 0; k < i; k++) {
			chain |= drops[k].base == drops[i].base && drops[k].family == drops[i].family;
			fix |= !strcmp(drops[k].fix, drops[i].fix);
		}
		if (!chain)
			n = snprintf(note->text + used, sizeof note->text - used, "%s%s; to let it pass: %s",
				     used ? ". " : "", drops[i].text, drops[i].fix);
		else if (!fix)
			n = snprintf(note->text + used, sizeof note->text - used, "; %s", drops[i].fix);
		used += n < 0 ? 0 : (size_t)n;
	}
}

struct accepts {
	struct foreign_accept want[ACCEPTS_MAX];
	const struct foreign_chain *places[ACCEPTS_MAX];
	size_t cnt;
};

static bool is_bound(const struct check_job *j, const char *bridge)
{
	for (size_t i = 0; i < j->bound_cnt; i++) {
		if (!strcmp(j->bound[i].bridge, bridge))
			return true;
	}
	return false;
}

static void note_bound(struct check_job *j, const char *bridge, const char *zone)
{
	struct bound *more =
		is_bound(j, bridge) ? NULL : realloc(j->bound, (j->bound_cnt + 1) * sizeof *more);
	if (!more)
		return;
	j->bound = more;
	j->bound[j->bound_cnt] = (struct bound){ .zone = "" };
	nd_strcpy(j->bound[j->bound_cnt].bridge, ND_IFNAMSIZ, bridge);
	nd_strcpy(j->bound[j->bound_cnt++].zone, sizeof more->zone, zone);
}

static void bind_zone(struct check_job *j, const struct probe_net *n, const char *zone, struct nd_error *ret)
{
	char have[64];
	struct nd_error e = ND_ERROR_INIT;
	if (foreign_firewalld_zone_of(n->bridge, have, sizeof have, &e) == 0 && !strcmp(have, zone) &&
	    is_bound(j, n->bridge))
		return;
	if (!e.code && strcmp(have, zone) && foreign_firewalld_bind(zone, n->bridge, &e) == 0) {
		j->changed++;
		snprintf(j->how, sizeof j->how, "%s is in firewalld's zone '%s'", n->bridge, zone);
	}
	if (e.code) {
		nd_error_copy(ret, &e);
		nd_wrap(ret, "firewalld's zone '%s' for %s", zone, n->bridge);
		return;
	}
	note_bound(j, n->bridge, zone);
}

/* Of networks that run no more, and what only auto wants. */
static void unbind_zones(struct check_job *j)
{
	for (size_t i = 0; i < j->bound_cnt;) {
		bool wanted = false;
		char have[64];
		for (size_t k = 0; k < j->cnt; k++)
			wanted |= !strcmp(j->nets[k].bridge, j->bound[i].bridge) &&
				  (j->nets[k].zone[0] || j->mode == SETTINGS_FOREIGN_AUTO);
		if (wanted) {
			i++;
			continue;
		}
		if (foreign_firewalld_zone_of(j->bound[i].bridge, have, sizeof have, NULL) == 0 &&
		    !strcmp(have, j->bound[i].zone))
			foreign_firewalld_unbind(have, j->bound[i].bridge, NULL);
		snprintf(j->how, sizeof j->how, "%s is in firewalld's zone '%s' no more", j->bound[i].bridge,
			 j->bound[i].zone);
		j->bound[i] = j->bound[--j->bound_cnt];
		j->changed++;
	}
}

/* What each drop that would be there without our accepts asks for. */
static void collect(struct check_job *j, const struct foreign_ruleset *rs, struct nd_nl *nl,
		    struct accepts *a)
{
	struct probe_drop drops[PROBE_DROPS_MAX];
	for (size_t i = 0; i < j->cnt; i++) {
		size_t cnt = probe_network(rs, nl, &j->nets[i], drops);
		for (size_t k = 0; k < cnt; k++) {
			const struct foreign_chain *place = foreign_place_find(rs, drops[k].base);
			if (drops[k].owner == FOREIGN_OWNER_FIREWALLD && !j->nets[i].zone[0])
				bind_zone(j, &j->nets[i], FOREIGN_ZONE, &j->failed);
			if (!place || a->cnt == ACCEPTS_MAX)
				continue;
			a->want[a->cnt] = drops[k].accept;
			a->places[a->cnt++] = place;
		}
	}
}

static int adjust(struct check_job *j, struct foreign_ruleset *rs, struct nd_nl *nl)
{
	nd_autofree struct accepts *a = calloc(1, sizeof *a);
	struct nd_error e = ND_ERROR_INIT;
	size_t changed = 0;
	if (!a)
		return ND_MEMORY;
	rs->without = FOREIGN_TAG;
	if (j->mode == SETTINGS_FOREIGN_AUTO)
		collect(j, rs, nl, a);
	rs->without = NULL;
	if (foreign_place_apply(rs, a->want, a->places, a->cnt, &changed, &e) < 0 && !j->failed.code)
		nd_error_copy(&j->failed, &e);
	if (changed)
		snprintf(j->how, sizeof j->how,
			 "%zu rules with the comment '%s…' were %s in chains for such rules", changed,
			 FOREIGN_TAG, a->cnt ? "set" : "removed");
	j->changed += changed;
	return 0;
}

/* <bridge zone=>: in any mode, and where it cannot be the network says so. */
static void bind_defined(struct check_job *j)
{
	for (size_t i = 0; i < j->cnt; i++) {
		struct nd_error e = ND_ERROR_INIT;
		if (!j->nets[i].zone[0])
			continue;
		bind_zone(j, &j->nets[i], j->nets[i].zone, &e);
		if (e.code)
			nd_error_format(&e, j->notes[i].text, sizeof j->notes[i].text);
	}
}

/* An earlier daemon's bindings: into netd's own zone nobody else puts a bridge. */
static void adopt_zones(struct check_job *j, const struct foreign_ruleset *rs)
{
	char have[64];
	if (!j->first || !foreign_table_find(rs, NFPROTO_INET, "firewalld", false))
		return;
	for (size_t i = 0; i < j->cnt; i++) {
		if (foreign_firewalld_zone_of(j->nets[i].bridge, have, sizeof have, NULL) == 0 &&
		    !strcmp(have, FOREIGN_ZONE))
			note_bound(j, j->nets[i].bridge, have);
	}
}

/* Where nobody else has a chain there is nothing to ask. */
static bool others_filter(const struct foreign_ruleset *rs)
{
	for (const struct foreign_chain *c = rs->bases; c; c = c->next_base) {
		if (strcmp(c->table->name, NETD_TABLE))
			return true;
	}
	return false;
}

static int check_run(struct foreign_job *job, struct nd_nl *nl, struct nd_error *e)
{
	struct check_job *j = container_of(job, struct check_job, j);
	struct probe_drop drops[PROBE_DROPS_MAX];
	struct foreign_ruleset *rs = NULL;
	int r = foreign_read(NETD_TABLE, &rs, e);
	if (r < 0)
		return r;
	adopt_zones(j, rs);
	bind_defined(j);
	if (others_filter(rs))
		adjust(j, rs, nl);
	unbind_zones(j);
	if (j->changed) {
		foreign_ruleset_free(rs);
		rs = NULL;
		r = foreign_read(NETD_TABLE, &rs, e);
	}
	if (r == 0)
		nd_strcpy(j->legacy, sizeof j->legacy, rs->legacy_unread);
	bool ask = r == 0 && j->mode != SETTINGS_FOREIGN_OFF && others_filter(rs);
	for (size_t i = 0; ask && i < j->cnt; i++)
		note_drops(&j->notes[i], drops, probe_network(rs, nl, &j->nets[i], drops));
	foreign_ruleset_free(rs);
	return r;
}

static int job_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	struct foreign *f = ctx;
	struct foreign_job *j = container_of(job, struct foreign_job, job);
	return j->run(j, f->nl, e);
}

static const struct nd_job_ops job_ops = { NULL, job_run, NULL, NULL };

/* ---- on the loop ---- */

static void tell(struct foreign *f, struct network *n, const char *text)
{
	const char *was = n->foreign ? n->foreign : "";
	if (!strcmp(was, text))
		return;
	if (*text)
		events_say(f->c->events, EVENT_FOREIGN_DROP, n, NULL, "%s", text);
	else
		events_say(f->c->events, EVENT_FOREIGN_CLEARED, n, NULL,
			   "no firewall of others drops its traffic any more");
	free(n->foreign);
	n->foreign = *text ? strdup(text) : NULL;
}

static void job_free(struct check_job *j)
{
	free(j->nets);
	free(j->notes);
	free(j->bound);
	free(j);
}

static void start_timer(struct foreign *f)
{
	double gap = f->took * SHARE > INTERVAL_S ? f->took * SHARE : INTERVAL_S;
	double wait = f->last + gap - ev_now(f->c->loop);
	if (f->running) {
		f->again = true;
		return;
	}
	if (ev_is_active(&f->timer))
		return;
	ev_timer_set(&f->timer, wait > DELAY_S ? wait : DELAY_S, 0.);
	ev_timer_start(f->c->loop, &f->timer);
}

static void check_done(struct nd_job *job, const struct nd_error *e)
{
	struct check_job *j = container_of(job, struct check_job, j.job);
	struct foreign *f = j->f;
	struct nd_error failed = ND_ERROR_INIT;
	f->running = false;
	f->last = ev_now(f->c->loop);
	f->took = f->last - f->began;
	f->cleaned |= !e->code;
	free(f->bound);
	f->bound = take_ptr(j->bound);
	f->bound_cnt = j->bound_cnt;
	nd_error_copy(&failed, e->code ? e : &j->failed);
	if (failed.code)
		nd_log_error(ND_LOG_WARNING, &failed, "other firewalls");
	if (j->legacy[0] && !f->legacy_told)
		nd_log(ND_LOG_WARNING, "rules of legacy iptables cannot be read: %s", j->legacy);
	f->legacy_told = j->legacy[0] != '\0';
	if (j->changed)
		events_say(f->c->events, EVENT_FOREIGN_ACCEPT, NULL, NULL, "%s", j->how);
	for (size_t i = 0; !e->code && i < j->cnt; i++) {
		struct network *n = model_network_by_uuid(f->c->model, &j->nets[i].uuid);
		if (n && n->live)
			tell(f, n, j->notes[i].text);
	}
	job_free(j);
	if (f->again)
		start_timer(f);
	f->again = false;
}

struct probe_net *foreign_snapshot(const struct core *c, const struct network *only, size_t *ret_cnt)
{
	struct probe_net *nets = calloc(c->model->active_cnt + 1, sizeof *nets);
	const struct network *n;
	*ret_cnt = 0;
	if (!nets)
		return NULL;
	nd_list_foreach(n, &c->model->networks, all) {
		if (n->plan && n->bridge[0] && (!only || n == only) && *ret_cnt < c->model->active_cnt)
			probe_net_take(n, &nets[(*ret_cnt)++]);
	}
	return nets;
}

static void start_check(struct foreign *f)
{
	struct check_job *j = calloc(1, sizeof *j);
	if (!j)
		return;
	j->j.job.done = check_done;
	j->j.run = check_run;
	j->f = f;
	j->mode = f->c->settings->foreign_firewall;
	j->first = !f->cleaned;
	j->nets = foreign_snapshot(f->c, NULL, &j->cnt);
	j->notes = calloc(j->cnt + 1, sizeof *j->notes);
	j->bound = f->bound_cnt ? calloc(f->bound_cnt, sizeof *j->bound) : NULL;
	if (!j->nets || !j->notes || (f->bound_cnt && !j->bound)) {
		job_free(j);
		return;
	}
	if (f->bound_cnt)
		memcpy(j->bound, f->bound, f->bound_cnt * sizeof *j->bound);
	j->bound_cnt = f->bound_cnt;
	f->running = true;
	f->began = ev_now(f->c->loop);
	foreign_push(f, &j->j);
}

static void on_timer(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	start_check(container_of(w, struct foreign, timer));
}

void foreign_check(struct foreign *f)
{
	bool zones = f && f->bound_cnt;
	struct network *n;
	if (!f)
		return;
	nd_list_foreach(n, &f->c->model->networks, all)
		zones |= n->live && netdef_rare(n->live)->zone;
	/* off: what there was to clean is gone, and nobody asks for a zone */
	if (f->c->settings->foreign_firewall != SETTINGS_FOREIGN_OFF || zones || !f->cleaned)
		start_timer(f);
}

static void on_events(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct foreign *f = container_of(w, struct foreign, events);
	if (foreign_watch_read(f->watch))
		foreign_check(f);
}

static void on_network(struct event_subscriber *s, const struct event *ev)
{
	if (ev->kind == EVENT_NETWORK_STARTED || ev->kind == EVENT_NETWORK_STOPPED)
		foreign_check(container_of(s, struct foreign, networks));
}

static void on_wake(struct ev_loop *loop, struct ev_async *w, int revents)
{
	nd_jobs_collect(container_of(w, struct foreign, wake)->jobs);
}

static void wake(void *arg)
{
	struct foreign *f = arg;
	ev_async_send(f->c->loop, &f->wake);
}

void foreign_push(struct foreign *f, struct foreign_job *j)
{
	nd_jobs_push(f->jobs, &j->job);
}

int foreign_new(struct core *c, struct foreign **ret, struct nd_error *e)
{
	struct foreign *f = calloc(1, sizeof *f);
	if (!f)
		return nd_fail(e, ND_MEMORY, "other firewalls");
	f->c = c;
	ev_async_init(&f->wake, on_wake);
	ev_async_start(c->loop, &f->wake);
	ev_unref(c->loop);
	ev_init(&f->timer, on_timer);
	ev_init(&f->events, on_events);
	f->networks.fn = on_network;
	if (nd_nl_new(NETLINK_ROUTE, &f->nl, e) < 0 ||
	    nd_jobs_new("netd-foreign", &job_ops, f, 1, wake, f, &f->jobs, e) < 0 ||
	    foreign_watch_new(nat_netlink_port(c->nat), &f->watch, e) < 0) {
		int r = nd_wrap(e, "other firewalls");
		foreign_free(f);
		return r;
	}
	ev_io_set(&f->events, foreign_watch_fd(f->watch), EV_READ);
	ev_io_start(c->loop, &f->events);
	events_subscribe(c->events, &f->networks);
	*ret = f;
	foreign_check(f);
	return 0;
}

void foreign_free(struct foreign *f)
{
	if (!f)
		return;
	events_unsubscribe(&f->networks);
	ev_io_stop(f->c->loop, &f->events);
	ev_timer_stop(f->c->loop, &f->timer);
	f->again = false;
	nd_jobs_free(f->jobs);
	ev_timer_stop(f->c->loop, &f->timer);
	foreign_watch_free(f->watch);
	nd_nl_free(f->nl);
	ev_ref(f->c->loop);
	ev_async_stop(f->c->loop, &f->wake);
	free(f->bound);
	free(f);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: see names-host.h
 *
 * The files are looked at by their state, not watched: an inotify instance would be one of the few that a user has, for what changes a few times a day.
 */
#include "netd/core/names-host.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "dns/dns.h"
#include "netd/core/names.h"
#include "netd/core/plan.h"
#include <ev.h>
#include <sys/stat.h>

struct seen {
	struct timespec changed;
	ino_t inode;
	off_t size;
};
enum file { RESOLV_CONF, RESOLVED, FILE_CNT_ };
struct names_host {
	struct core *c;
	char path[DNS_PATH_MAX]; /* the file of resolvers */
	char *text;              /* what it says, heap; NULL: not written yet */
	struct seen seen[FILE_CNT_];
	struct nd_jobs *jobs; /* made when the first has something to say */
	struct ev_async wake;
	volatile bool ending;
};

bool names_own_address(const struct core *c, const struct nd_ip *ip)
{
	const struct network *n;
	nd_list_foreach(n, &c->model->networks, all) {
		for (size_t i = 0; n->plan && i < n->plan->bridge.address_cnt; i++) {
			if (nd_ip_equal(&n->plan->addresses[i].ip, ip))
				return true;
		}
	}
	return false;
}

/* Return: whether they are others now, and written. */
static bool read_resolvers(struct names_host *h)
{
	struct nd_ip ips[DNS_RESOLVERS_MAX];
	struct nd_buf text = { .max = 4096 };
	struct nd_error e = ND_ERROR_INIT;
	size_t cnt = dns_resolvers_read(ips), kept = 0;
	for (size_t i = 0; i < cnt; i++) {
		/* systemd-resolved lists those it was told of by us, too. */
		if (!names_own_address(h->c, &ips[i]))
			ips[kept++] = ips[i];
	}
	dns_servers_text(ips, kept, &text);
	bool changed = !h->text || strcmp(h->text, nd_buf_string(&text)) != 0;
	if (changed && nd_file_write(h->path, nd_buf_string(&text), text.len, 0644, false, &e) < 0) {
		nd_log_error(ND_LOG_WARNING, &e, "the host's resolvers");
		changed = false;
	} else if (changed) {
		free(h->text);
		h->text = strdup(nd_buf_string(&text));
	}
	nd_buf_done(&text);
	return changed;
}

/* Return: whether one of the files is another one than before. */
static bool files_changed(struct names_host *h)
{
	static const char *const paths[FILE_CNT_] = {
		[RESOLV_CONF] = DNS_RESOLV_CONF, [RESOLVED] = DNS_RESOLVED_SERVERS
	};
	bool changed = false;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct seen *was = &h->seen[i];
		struct stat st;
		if (stat(paths[i], &st) < 0)
			memset(&st, 0, sizeof st);
		changed |= st.st_ino != was->inode || st.st_size != was->size ||
			   st.st_mtim.tv_sec != was->changed.tv_sec ||
			   st.st_mtim.tv_nsec != was->changed.tv_nsec;
		*was = (struct seen){ .changed = st.st_mtim, .inode = st.st_ino, .size = st.st_size };
	}
	return changed;
}

unsigned names_host_look(struct names_host *h)
{
	bool was = h->seen[RESOLVED].inode != 0;
	if (!files_changed(h) && h->text)
		return 0;
	/* It writes its file anew at each thing that it is told: only its coming is told. */
	return (read_resolvers(h) ? NAMES_HOST_CHANGED : 0) |
	       (!was && h->seen[RESOLVED].inode ? NAMES_HOST_CAME : 0);
}

/* ---- systemd-resolved ---- */

#define DOMAINS_MAX \
	8 /* more zones than that are not worth it: who asks for addresses can do with the server's own */
struct tell_job {
	struct nd_job j;
	struct dns_link link;
	const char *domains[DOMAINS_MAX];
	char text[DOMAINS_MAX][DNS_ZONE_LEN];
	char domain[256];
	char network[64];
};

static int tell_run(void *ctx, struct nd_job *job, struct nd_error *e)
{
	const struct names_host *h = ctx;
	return h->ending ? 0 : dns_resolved_set(&container_of(job, struct tell_job, j)->link, e);
}

static const struct nd_job_ops tell_ops = { NULL, tell_run, NULL, NULL };

static void tell_done(struct nd_job *job, const struct nd_error *e)
{
	struct tell_job *t = container_of(job, struct tell_job, j);
	/* A link that is gone has been forgotten. */
	if (e->code && e->code != ND_NOT_FOUND && t->link.domain_cnt)
		nd_log_error(ND_LOG_WARNING, e, "network '%s': names for this host", t->network);
	free(t);
}

static void on_wake(struct ev_loop *loop, struct ev_async *w, int revents)
{
	nd_jobs_collect(container_of(w, struct names_host, wake)->jobs);
}

static void wake(void *arg)
{
	struct names_host *h = arg;
	ev_async_send(h->c->loop, &h->wake);
}

static void link_of(const struct network *n, struct tell_job *t)
{
	char zones[DNS_ZONES_MAX][DNS_ZONE_LEN];
	nd_strcpy(t->domain, sizeof t->domain, n->live->domain);
	t->domains[t->link.domain_cnt++] = t->domain;
	for (size_t i = 0; i < n->plan->bridge.address_cnt; i++) {
		size_t cnt = dns_reverse_zones(&n->plan->addresses[i], zones);
		if (t->link.server_cnt < ARRAY_LEN(t->link.servers))
			t->link.servers[t->link.server_cnt++] = n->plan->addresses[i].ip;
		for (size_t k = 0; k < cnt && cnt + t->link.domain_cnt - k <= DOMAINS_MAX; k++) {
			char *text = t->text[t->link.domain_cnt];
			nd_strcpy(text, DNS_ZONE_LEN, zones[k]);
			t->domains[t->link.domain_cnt++] = text;
		}
	}
}

void names_host_tell(struct names_host *h, const struct network *n, bool on)
{
	struct tell_job *t = NULL;
	if (h->jobs || nd_jobs_new("netd-names", &tell_ops, h, 1, wake, h, &h->jobs, NULL) == 0)
		t = calloc(1, sizeof *t);
	if (!t)
		return;
	t->j.done = tell_done;
	t->link = (struct dns_link){ .ifindex = n->ifindex, .domains = t->domains };
	nd_strcpy(t->network, sizeof t->network, n->name);
	if (on)
		link_of(n, t);
	nd_jobs_push(h->jobs, &t->j);
}

int names_host_new(struct core *c, const char *dir, struct names_host **ret, struct nd_error *e)
{
	struct names_host *h = calloc(1, sizeof *h);
	if (!h)
		return nd_fail(e, ND_MEMORY, "names");
	h->c = c;
	snprintf(h->path, sizeof h->path, "%s/servers", dir);
	ev_async_init(&h->wake, on_wake);
	ev_async_start(c->loop, &h->wake);
	ev_unref(c->loop);
	*ret = h;
	return 0;
}

void names_host_free(struct names_host *h)
{
	if (!h)
		return;
	h->ending = true;
	nd_jobs_free(h->jobs);
	ev_ref(h->c->loop);
	ev_async_stop(h->c->loop, &h->wake);
	free(h->text);
	free(h);
}

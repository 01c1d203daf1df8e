// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: spawning, watching and filling the DHCP worker (see supervisor.h).
 *
 * A network is told in three steps: without an interface (the worker knows it, serves nothing), its leases, and again with the interface. The
 * worker starts with nothing; every object whose generation is older than the worker's is told by repair.
 */
#include "netd/core/supervisor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/strtab.h"
#include "dns/dns.h"
#include "netd/core/disk.h"
#include "netd/core/event.h"
#include "netd/core/guard.h"
#include "netd/core/leases.h"
#include "netd/core/names.h"
#include "netd/core/repair.h"
#include "netd/core/settings.h"
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <sys/wait.h>

#define RESTART_MS     50  /* after a worker that lived */
#define RESTART_MAX_MS 900 /* and at most, for one that dies at once: back within a second */
#define LIVED_MS       5000
#define READ_MAX       64 /* messages per loop turn */
#define PING_S         3.0
#define PINGS_MISSED \
	2 /* unanswered: the worker hangs. One alone may mean that this process was held up itself */

struct supervisor {
	struct core *c;
	struct ev_io readable, writable;
	struct ev_child child;
	struct ev_timer restart, ping;
	uint32_t pinged, ponged;      /* numbers of the last ones */
	bool hung;                    /* killed since it answered no ping */
	struct dhcp_control *control; /* NULL: no worker */
	int packet_fd, arp_fd, send_fd;
	pid_t pid;
	uint32_t generation;
	uint64_t started_ms;
	unsigned restart_ms;
	struct plan_host host;
	struct dhcp_counters total, current;
};

static void worker_start(struct supervisor *s);

/* ---- the host's resolvers ---- */

static void add_resolver(struct plan_host *host, const struct nd_ip *ip)
{
	uint32_t ip4 = nd_ip_to_ip4(ip);
	if (host->resolver_cnt < DHCP_DNS_MAX && ip4 >> 24 != 127 && ip4 != 0)
		host->resolver_ip4[host->resolver_cnt++] = ip4;
}

/* systemd-resolved's own list of upstreams where resolv.conf names only its stub. */
static void read_resolvers(struct plan_host *host)
{
	static const char *const paths[] = { DNS_RESOLV_CONF, DNS_RESOLVED_SERVERS };
	host->resolver_cnt = 0;
	for (size_t i = 0; i < ARRAY_LEN(paths) && !host->resolver_cnt; i++) {
		nd_autofree char *text = NULL;
		struct nd_ip ips[DNS_RESOLVERS_MAX];
		size_t len;
		if (nd_file_read(paths[i], 64 * 1024, &text, &len, NULL) < 0)
			continue;
		for (size_t k = 0, cnt = dns_resolvers_parse(text, ips); k < cnt; k++)
			add_resolver(host, &ips[k]);
	}
}

/* systemd-resolved lists the name servers of networks, too: those are not for the guests of another. */
static struct plan_host host_of_guests(const struct supervisor *s)
{
	struct plan_host host = s->host;
	host.resolver_cnt = 0;
	for (size_t i = 0; i < s->host.resolver_cnt; i++) {
		struct nd_ip ip = nd_ip_from_ip4(s->host.resolver_ip4[i]);
		if (!names_own_address(s->c, &ip))
			host.resolver_ip4[host.resolver_cnt++] = s->host.resolver_ip4[i];
	}
	return host;
}

/* ---- what the worker says ---- */

static void on_ready(void *arg)
{
	struct supervisor *s = arg;
	events_say(s->c->events, EVENT_WORKER_STARTED, NULL, NULL, "DHCP worker %d serves (generation %u)",
		   (int)s->pid, s->generation);
}

static void on_send(void *arg, int ifindex, const uint8_t *frame, size_t len)
{
	struct supervisor *s = arg;
	leases_on_frame(s->c->leases, ifindex, frame, len);
}

static void on_propose(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
		       const uint8_t *ack, size_t len)
{
	struct supervisor *s = arg;
	leases_on_proposal(s->c->leases, s->generation, id, lease, ifindex, ack, len);
}

static void on_release(void *arg, const struct dhcp_lease *lease)
{
	struct supervisor *s = arg;
	leases_on_release(s->c->leases, lease);
}

static void on_notice(void *arg, uint32_t network_id, const char *text)
{
	struct supervisor *s = arg;
	events_say(s->c->events, EVENT_DHCP_NOTICE, model_network_by_id(s->c->model, network_id), NULL, "%s",
		   text);
}

/* struct dhcp_counters is uint64_t throughout. */
static void counters_add(struct dhcp_counters *sum, const struct dhcp_counters *more)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)more;
	for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
		to[i] += from[i];
}

static void on_counters(void *arg, const struct dhcp_counters *counters)
{
	struct supervisor *s = arg;
	s->current = *counters;
}

static void on_pong(void *arg, uint32_t number)
{
	struct supervisor *s = arg;
	s->ponged = number;
}

static const struct dhcp_control_ops control_ops = {
	.ready = on_ready,
	.send = on_send,
	.propose = on_propose,
	.release = on_release,
	.notice = on_notice,
	.counters = on_counters,
	.pong = on_pong,
};

/* ---- life ---- */

static void watch_writable(struct supervisor *s)
{
	if (!s->control)
		return;
	if (dhcp_control_wants_write(s->control))
		ev_io_start(s->c->loop, &s->writable);
	else
		ev_io_stop(s->c->loop, &s->writable);
}

/* Whatever went wrong with the channel, a new worker is the remedy. */
static void worker_end(struct supervisor *s, const struct nd_error *why)
{
	if (!s->control)
		return;
	ev_io_stop(s->c->loop, &s->readable);
	ev_io_stop(s->c->loop, &s->writable);
	dhcp_control_free(s->control);
	s->control = NULL;
	counters_add(&s->total, &s->current);
	s->current = (struct dhcp_counters){ 0 };
	ev_timer_stop(s->c->loop, &s->ping);
	s->generation++; /* nobody is known to the next one */
	if (why)
		nd_log_error(ND_LOG_WARNING, why, "DHCP worker %d", (int)s->pid);
	if (s->pid > 0)
		kill(s->pid, SIGKILL);
	bool lived = nd_now_ms() - s->started_ms >= LIVED_MS;
	s->restart_ms = lived                                ? RESTART_MS
			: s->restart_ms * 2 > RESTART_MAX_MS ? RESTART_MAX_MS
							     : s->restart_ms * 2;
	ev_timer_set(&s->restart, s->restart_ms / 1000.0, 0.);
	ev_timer_start(s->c->loop, &s->restart);
}

static void on_readable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct supervisor *s = container_of(w, struct supervisor, readable);
	struct nd_error e = ND_ERROR_INIT;
	int r = dhcp_control_on_readable(s->control, READ_MAX, &e);
	if (r < 0)
		worker_end(s, r == ND_NOT_FOUND ? NULL : &e);
	else
		watch_writable(s);
}

static void on_writable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct supervisor *s = container_of(w, struct supervisor, writable);
	struct nd_error e = ND_ERROR_INIT;
	if (dhcp_control_on_writable(s->control, &e) < 0)
		worker_end(s, &e);
	else
		watch_writable(s);
}

/* A stopped worker closes nothing: only its silence tells. It must end before another takes its sockets' frames. */
static void on_ping(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct supervisor *s = container_of(w, struct supervisor, ping);
	struct nd_error e = ND_ERROR_INIT;
	if (s->pinged - s->ponged >= PINGS_MISSED) {
		s->hung = true;
		worker_end(s, NULL);
		return;
	}
	if (dhcp_control_ping(s->control, ++s->pinged, &e) < 0)
		worker_end(s, &e);
	else
		watch_writable(s);
}

static void on_child(struct ev_loop *loop, struct ev_child *w, int revents)
{
	struct supervisor *s = container_of(w, struct supervisor, child);
	int status = w->rstatus;
	ev_child_stop(loop, w);
	if (s->hung)
		events_say(s->c->events, EVENT_WORKER_DIED, NULL, NULL,
			   "DHCP worker %d did not answer for %.0f s and was killed; a new one is started",
			   (int)s->pid, PING_S * PINGS_MISSED);
	else
		events_say(s->c->events, EVENT_WORKER_DIED, NULL, NULL,
			   "DHCP worker %d %s %d; a new one is started", (int)s->pid,
			   WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
			   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	s->hung = false;
	s->pid = 0;
	worker_end(s, NULL);
}

static void on_restart(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct supervisor *s = container_of(w, struct supervisor, restart);
	if (s->pid >
	    0) { /* killed, and not gone yet: closing its packet sockets takes the kernel some time */
		ev_timer_set(&s->restart, RESTART_MS / 1000.0, 0.);
		ev_timer_start(loop, &s->restart);
		return;
	}
	worker_start(s);
}

static int worker_spawn(struct supervisor *s, int *ret_fd, struct nd_error *e)
{
	char root[512], uid_text[16], gid_text[16], mark[16], offset[24];
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	int pair[2];
	const struct settings *set = s->c->settings;
	if (geteuid() == 0 && nd_user_find(set->dhcp_user, &uid, &gid, NULL) < 0 &&
	    nd_user_find("nobody", &uid, &gid, e) < 0)
		return nd_wrap(e, "DHCP worker's user '%s'", set->dhcp_user);
	snprintf(root, sizeof root, "%s/empty", set->run_dir);
	snprintf(uid_text, sizeof uid_text, "%d", (int)uid);
	snprintf(gid_text, sizeof gid_text, "%d", (int)gid);
	snprintf(mark, sizeof mark, "%u", NAT_MARK_FOREIGN);
	snprintf(offset, sizeof offset, "%lld", (long long)leases_clock_offset_s(s->c->leases));
	if (nd_sock_seqpacket_pair(pair, e) < 0)
		return nd_wrap(e, "DHCP worker's channel");
	const char *const argv[] = { "netd",  "--worker",       "dhcp",  "--root", root,
				     "--uid", uid_text,         "--gid", gid_text, "--foreign-mark",
				     mark,    "--clock-offset", offset,  NULL };
	const int fds[] = { pair[1], s->packet_fd, s->arp_fd };
	struct nd_spawn spawn = {
		.path = "/proc/self/exe", .argv = argv, .fds = fds, .fd_cnt = 3, .die_with_parent = true
	};
	int r = nd_spawn(&spawn, &s->pid, e);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	*ret_fd = pair[0];
	return 0;
}

static int worker_try(struct supervisor *s, struct nd_error *e)
{
	int fd = -1;
	if (worker_spawn(s, &fd, e) < 0)
		return nd_wrap(e, "start the DHCP worker");
	ev_child_set(&s->child, s->pid, 0);
	ev_child_start(s->c->loop, &s->child);
	s->started_ms = nd_now_ms();
	if (dhcp_control_new(fd, &control_ops, s, &s->control, e) < 0)
		return nd_wrap(e, "talk to the DHCP worker");
	ev_io_set(&s->readable, fd, EV_READ);
	ev_io_set(&s->writable, fd, EV_WRITE);
	ev_io_start(s->c->loop, &s->readable);
	watch_writable(s);
	s->pinged = s->ponged = 0;
	ev_timer_again(s->c->loop, &s->ping);
	return 0;
}

static void worker_start(struct supervisor *s)
{
	struct nd_error e = ND_ERROR_INIT;
	read_resolvers(&s->host);
	if (worker_try(s, &e) < 0) {
		nd_log_error(ND_LOG_ERR, &e, "DHCP is down");
		ev_timer_set(&s->restart, RESTART_MAX_MS / 1000.0, 0.);
		ev_timer_start(s->c->loop, &s->restart);
		return;
	}
	if (s->c->repair)
		repair_mark_all(s->c, "the DHCP worker was started again");
}

int supervisor_new(struct core *c, struct supervisor **ret, struct nd_error *e)
{
	struct supervisor *s = calloc(1, sizeof *s);
	if (!s)
		return nd_fail(e, ND_MEMORY, "supervisor of the DHCP worker");
	*s = (struct supervisor){ .c = c,
				  .generation = 1,
				  .restart_ms = RESTART_MS,
				  .packet_fd = -1,
				  .arp_fd = -1,
				  .send_fd = -1 };
	s->host.arp_probe = c->settings->arp_probe;
	ev_init(&s->readable, on_readable);
	ev_init(&s->writable, on_writable);
	ev_init(&s->child, on_child);
	ev_init(&s->restart, on_restart);
	ev_timer_init(&s->ping, on_ping, 0., PING_S);
	if (dhcp_socket_open(NAT_MARK_BASE, NAT_MARK_MASK, &s->packet_fd, &s->arp_fd, e) < 0 ||
	    dhcp_socket_open_send(&s->send_fd, e) < 0) {
		int r = nd_wrap(e, "DHCP");
		supervisor_free(s);
		return r;
	}
	worker_start(s);
	*ret = s;
	return 0;
}

void supervisor_free(struct supervisor *s)
{
	if (!s)
		return;
	ev_io_stop(s->c->loop, &s->readable);
	ev_io_stop(s->c->loop, &s->writable);
	ev_child_stop(s->c->loop, &s->child);
	ev_timer_stop(s->c->loop, &s->restart);
	ev_timer_stop(s->c->loop, &s->ping);
	dhcp_control_free(s->control); /* its end of stream ends the worker */
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	nd_closep(&s->packet_fd);
	nd_closep(&s->arp_fd);
	nd_closep(&s->send_fd);
	free(s);
}

uint32_t supervisor_generation(const struct supervisor *s)
{
	return s->generation;
}

const struct plan_host *supervisor_host(const struct supervisor *s)
{
	return &s->host;
}

static const struct {
	const char *name;
	size_t offset;
} counter_rows[] = {
	{ "received", offsetof(struct dhcp_counters, received) },
	{ "discover", offsetof(struct dhcp_counters, discover) },
	{ "request", offsetof(struct dhcp_counters, request) },
	{ "decline", offsetof(struct dhcp_counters, decline) },
	{ "release", offsetof(struct dhcp_counters, release) },
	{ "inform", offsetof(struct dhcp_counters, inform) },
	{ "bootp", offsetof(struct dhcp_counters, bootp) },
	{ "offer", offsetof(struct dhcp_counters, offer) },
	{ "ack", offsetof(struct dhcp_counters, ack) },
	{ "nak", offsetof(struct dhcp_counters, nak) },
	{ "probe", offsetof(struct dhcp_counters, probe) },
	{ "conflict", offsetof(struct dhcp_counters, conflict) },
};

bool supervisor_counter(const struct supervisor *s, size_t i, char name[SUPERVISOR_COUNTER_NAME],
			uint64_t *ret)
{
	size_t offset;
	if (i < ARRAY_LEN(counter_rows)) {
		nd_strcpy(name, SUPERVISOR_COUNTER_NAME, counter_rows[i].name);
		offset = counter_rows[i].offset;
	} else if (i < ARRAY_LEN(counter_rows) + DHCP_DROP_CNT_) {
		size_t drop = i - ARRAY_LEN(counter_rows);
		snprintf(name, SUPERVISOR_COUNTER_NAME, "drop-%s", dhcp_drop_to_string((int)drop));
		offset = offsetof(struct dhcp_counters, drop) + drop * sizeof(uint64_t);
	} else {
		return false;
	}
	*ret = 0;
	if (s)
		*ret = *(const uint64_t *)((const char *)&s->total + offset) +
		       *(const uint64_t *)((const char *)&s->current + offset);
	return true;
}

/* ---- telling it ---- */

/* A send that fails means a full queue or a dead peer: start over. Only a signal here, since the channel may be in the middle of a
 * read; the end of the child does the rest. */
static void sent(struct supervisor *s, int r, const struct nd_error *e)
{
	if (r < 0) {
		nd_log_error(ND_LOG_WARNING, e, "DHCP worker %d", (int)s->pid);
		if (s->pid > 0)
			kill(s->pid, SIGKILL);
	} else {
		watch_writable(s);
	}
}

struct fill_job {
	struct disk_job j;
	struct supervisor *s;
	uint32_t generation, network_id;
	struct nd_uuid uuid;
	struct dhcp_lease *leases;
	size_t cnt, size;
};

static int fill_one(const struct dhcp_lease *l, void *arg)
{
	struct fill_job *f = arg;
	if (f->cnt == f->size) {
		size_t size = f->size ? f->size * 2 : 16;
		struct dhcp_lease *p = realloc(f->leases, size * sizeof *p);
		if (!p)
			return ND_MEMORY;
		f->leases = p;
		f->size = size;
	}
	f->leases[f->cnt++] = *l;
	return 0;
}

static int fill_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	struct fill_job *f = container_of(j, struct fill_job, j);
	return dhcp_store_each(store, &f->uuid, fill_one, f, NULL, e);
}

static int send_network(struct supervisor *s, const struct network *n, bool serve, struct nd_error *e)
{
	struct dhcp_network d;
	const struct plan_host host = host_of_guests(s);
	int r = plan_dhcp(n, &host, &d, e);
	if (r < 0)
		return r;
	if (!serve)
		d.ifindex = 0;
	r = dhcp_control_network_set(s->control, &d, e);
	plan_dhcp_done(&d);
	return r;
}

static int send_filled(struct supervisor *s, struct network *n, const struct fill_job *f, struct nd_error *e)
{
	int r = send_network(s, n, false, e);
	for (size_t i = 0; r == 0 && i < f->cnt; i++) {
		r = dhcp_control_lease_load(s->control, &f->leases[i], e);
		struct port *p = model_port_by_identity(s->c->model, &f->leases[i].port);
		if (p && f->leases[i].state == DHCP_LEASE_BOUND &&
		    f->leases[i].expiry_s > leases_now_s(s->c->leases))
			guard_set_address(s->c, p, f->leases[i].ip4);
	}
	return r < 0 ? r : send_network(s, n, true, e);
}

/*
 * Serving without knowing the leases could give one address twice: the network is degraded until they are read. Repair hears of the first failure only, and
 * then tries again by its own clock.
 */
static void fill_failed(struct supervisor *s, struct network *n, const struct fill_job *f,
			const struct nd_error *failed)
{
	char text[256];
	if (!n || f->generation != n->worker_generation)
		return;
	n->worker_generation = 0;
	if (n->dhcp_failed)
		return;
	nd_error_format(failed, text, sizeof text);
	n->dhcp_failed = strdup(text);
	repair_mark_network(s->c, n, "its leases could not be read");
}

static void fill_done(struct disk_job *j, const struct nd_error *failed)
{
	struct fill_job *f = container_of(j, struct fill_job, j);
	struct supervisor *s = f->s;
	struct network *n = model_network_by_id(s->c->model, f->network_id);
	struct nd_error e = ND_ERROR_INIT;
	if (failed->code) {
		fill_failed(s, n, f, failed);
	} else if (n && n->live && s->control && f->generation == s->generation) {
		sent(s, send_filled(s, n, f, &e), &e);
		n->worker_filled = true;
		if (n->dhcp_failed)
			repair_mark_network(s->c, n, "its leases could be read");
		free(n->dhcp_failed);
		n->dhcp_failed = NULL;
	}
	free(f->leases);
	free(f);
}

void supervisor_network_set(struct supervisor *s, struct network *n)
{
	struct nd_error e = ND_ERROR_INIT;
	bool known = n->worker_generation == s->generation;
	n->worker_generation = s->control ? s->generation : 0; /* 0: the next worker's repair tells it */
	if (!s->control || !n->plan->dhcp)
		return;
	if (known) {
		if (n->worker_filled) /* else what comes after its leases says how it is by then */
			sent(s, send_network(s, n, true, &e), &e);
		return;
	}
	n->worker_filled = false;
	struct fill_job *f = calloc(1, sizeof *f);
	if (!f) {
		n->worker_generation = 0;
		return;
	}
	*f = (struct fill_job){ .j = { .run = fill_run, .done = fill_done },
				.s = s,
				.generation = s->generation,
				.network_id = n->id,
				.uuid = n->uuid };
	disk_push_store(s->c->disk, &f->j);
}

void supervisor_network_del(struct supervisor *s, const struct network *n)
{
	struct nd_error e = ND_ERROR_INIT;
	if (s->control && n->worker_generation == s->generation)
		sent(s, dhcp_control_network_del(s->control, n->id, &e), &e);
}

void supervisor_port_set(struct supervisor *s, struct port *p)
{
	struct nd_error e = ND_ERROR_INIT;
	struct dhcp_port d;
	p->worker_generation = s->control ? s->generation : 0;
	if (!s->control || !p->network->plan || !p->network->plan->dhcp)
		return;
	plan_dhcp_port(p, &d);
	sent(s, dhcp_control_port_set(s->control, &d, &e), &e);
	/* From now on the network is to probe. It goes on doing so when the port has ended: that costs 100 ms a lease. */
	if (!p->mac_guard)
		supervisor_network_set(s, p->network);
}

void supervisor_port_del(struct supervisor *s, const struct port *p)
{
	struct nd_error e = ND_ERROR_INIT;
	if (s->control && p->worker_generation == s->generation)
		sent(s, dhcp_control_port_del(s->control, p->mark, &e), &e);
}

void supervisor_stored(struct supervisor *s, uint32_t generation, uint64_t id, bool stored)
{
	struct nd_error e = ND_ERROR_INIT;
	if (!s->control || generation != s->generation)
		return;
	sent(s, stored ? dhcp_control_stored(s->control, id, &e) : dhcp_control_refused(s->control, id, &e),
	     &e);
}

void supervisor_lease_free(struct supervisor *s, const struct nd_uuid *network, uint32_t ip4)
{
	struct nd_error e = ND_ERROR_INIT;
	if (s->control)
		sent(s, dhcp_control_lease_free(s->control, network, ip4, &e), &e);
}

int supervisor_send(struct supervisor *s, int ifindex, const uint8_t *frame, size_t len, struct nd_error *e)
{
	return dhcp_socket_send(s->send_fd, ifindex, frame, len, e);
}

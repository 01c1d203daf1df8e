// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the life of name servers (see names.h)
 *
 * A server is off, queued, starting, serving or paused. What happens to its network only says that something changed; a moment later
 * the server is settled: queued or left to linger by whether there are ports, and its hosts file written where names are others than before.
 * Writing is paced by what it costs. Queued ones are started a few at a time, by a tick that looks once at who listens on this host, for all of them: where
 * port 53 is somebody else's none is started, and one serves when it listens. Whatever fails is tried again with growing pauses.
 *
 * A process on its way out is a thing of its own: its server may be gone, or wait for it. It is asked to go, so that it ends its own children, and killed
 * when it does not.
 */
#include "netd/core/names.h"
#include "base/file.h"
#include "base/listener.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/strtab.h"
#include "dns/dns.h"
#include "netd/core/event.h"
#include "netd/core/leases.h"
#include "netd/core/names-host.h"
#include "netd/core/names-text.h"
#include "netd/core/plan.h"
#include "netd/core/repair.h"
#include "netd/core/settings.h"
#include "netd/core/supervisor.h"
#include <ev.h>
#include <netinet/in.h>
#include <signal.h>
#include <unistd.h>

#define TICK_S       0.02
#define STARTING_MAX 8     /* at a time */
#define START_MS     10000 /* to listen, at most */
#define LEAVE_S      2.0   /* to end, at most */
#define LIVED_MS     5000
#define PAUSE_MS     100 /* before the next try; doubles */
#define PAUSE_MAX_MS 5000
#define WRITE_GAP_S  0.2 /* between two hosts files of a network … */
#define WRITE_SHARE  20  /* … and so many times what the last one took */
#define HOSTS_MAX    (64 * 1024 * 1024)
#define RESOLV_S     2. /* how often the host's resolvers are looked at */
#define PORT_DNS     53
#define PORT_TFTP    69

struct names {
	struct core *c;
	char dir[DNS_PATH_MAX / 2];
	struct nd_list servers, leaving;
	struct ev_timer tick;
	struct ev_timer resolv; /* while any runs */
	struct names_host *host;
	uid_t uid;
	gid_t gid;
};
enum server_state { SERVER_OFF, SERVER_QUEUED, SERVER_STARTING, SERVER_SERVING, SERVER_PAUSED };
struct nameserver {
	struct nd_list link; /* names.servers */
	struct names *s;
	struct network *n;
	enum server_state state;
	char dir[DNS_PATH_MAX];
	char *config;               /* text; heap */
	char *hosts;                /* as written last, heap; NULL: never */
	char *fault;                /* why there is none, heap; NULL: none is needed, or one serves */
	struct dns_process process; /* starting and serving */
	struct ev_io ended;         /* the process */
	struct ev_timer settle, linger, pause, expire;
	uint64_t since_ms; /* start of the process */
	double written;    /* loop's time */
	double took;
	unsigned fails;
	bool names_differ;
	bool loading; /* the leases that were given before: until then the file is left as it is */
	bool told;    /* systemd-resolved asks it */
	struct names_guests guests;
};
struct leaving {
	struct nd_list link;
	struct names *s;
	struct nd_uuid network;
	struct dns_process process;
	struct ev_io ended;
	struct ev_timer kill;
};

/* ---- processes on their way out ---- */

static void leaving_free(struct leaving *l)
{
	ev_io_stop(l->s->c->loop, &l->ended);
	ev_timer_stop(l->s->c->loop, &l->kill);
	dns_process_close(&l->process);
	nd_list_remove(&l->link);
	free(l);
}

static void on_left(struct ev_loop *loop, struct ev_io *w, int revents)
{
	leaving_free(container_of(w, struct leaving, ended));
}

static void on_kill(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	dns_signal(&container_of(w, struct leaving, kill)->process, SIGKILL);
}

/* p: taken. */
static void let_go(struct names *s, const struct nd_uuid *network, struct dns_process *p)
{
	struct leaving *l = calloc(1, sizeof *l);
	dns_signal(p, l ? SIGTERM : SIGKILL);
	if (!l) {
		dns_process_close(p);
		return;
	}
	*l = (struct leaving){ .s = s, .network = *network, .process = *p };
	p->fd = -1;
	nd_list_append(&s->leaving, &l->link);
	ev_io_init(&l->ended, on_left, l->process.fd, EV_READ);
	ev_io_start(s->c->loop, &l->ended);
	ev_timer_init(&l->kill, on_kill, LEAVE_S, 0.);
	ev_timer_start(s->c->loop, &l->kill);
}

static bool is_leaving(const struct names *s, const struct nd_uuid *network)
{
	const struct leaving *l;
	nd_list_foreach(l, &s->leaving, link) {
		if (nd_uuid_equal(&l->network, network))
			return true;
	}
	return false;
}

/* ---- what others are told ---- */

/* DHCP names it to guests. */
static void set_serves(struct nameserver *ns, bool serves)
{
	struct network *n = ns->n;
	bool was = n->dns_serves;
	n->dns_serves = serves && n->plan && n->plan->dns;
	if (n->dns_serves != was && n->plan && n->plan->dhcp && n->worker_generation)
		supervisor_network_set(ns->s->c->supervisor, n);
}

/* why NULL: there is none. */
static void set_fault(struct nameserver *ns, const char *why)
{
	bool same = why ? ns->fault && !strcmp(ns->fault, why) : !ns->fault;
	if (why)
		set_serves(ns, false);
	if (same)
		return;
	free(ns->fault);
	ns->fault = why ? strdup(why) : NULL;
	repair_mark_network(ns->s->c, ns->n, "its name server");
}

int names_fault(const struct network *n, struct nd_error *e)
{
	if (!n->nameserver || !n->nameserver->fault)
		return 0;
	nd_fail(e, ND_SYSTEM, "%s", n->nameserver->fault);
	return nd_wrap(e, "dns");
}

/* ---- files ---- */

static int write_file(const char *dir, const char *name, const char *text, struct nd_error *e)
{
	char path[DNS_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return nd_file_write(path, text, strlen(text), 0644, false, e);
}

static void arm_expiry(struct nameserver *ns, uint64_t next_s)
{
	uint64_t now = nd_wall_s();
	ev_timer_stop(ns->s->c->loop, &ns->expire);
	if (next_s == UINT64_MAX)
		return;
	/* Looked at again at least daily: the host's clock may be set. */
	ev_timer_set(&ns->expire,
		     next_s <= now          ? 1.
		     : next_s - now > 86400 ? 86400.
					    : (double)(next_s - now) + 1.,
		     0.);
	ev_timer_start(ns->s->c->loop, &ns->expire);
}

/* Return: whether the file is another one now. */
static bool write_hosts(struct nameserver *ns)
{
	struct nd_buf text = { .max = HOSTS_MAX };
	struct nd_error e = ND_ERROR_INIT;
	uint64_t next;
	bool changed = false;
	ns->names_differ = false;
	if (names_hosts_text(ns->n, &ns->guests, nd_wall_s(), &text, &next) < 0) {
		nd_log(ND_LOG_WARNING, "network '%s': no memory for its names", ns->n->name);
	} else if (!ns->hosts || strcmp(ns->hosts, nd_buf_string(&text))) {
		if (write_file(ns->dir, "hosts", nd_buf_string(&text), &e) < 0)
			nd_log_error(ND_LOG_WARNING, &e, "network '%s': names", ns->n->name);
		free(ns->hosts);
		ns->hosts = e.code ? NULL : strdup(nd_buf_string(&text));
		changed = !e.code;
	}
	arm_expiry(ns, next);
	nd_buf_done(&text);
	return changed;
}

static bool follows_host(const struct nameserver *ns)
{
	return strstr(ns->config, "\nservers-file=") != NULL;
}

/* on: it is asked by the host, too; else no more. */
static void tell_host(struct nameserver *ns, bool on)
{
	if (on ? !ns->n->plan->dns || !ns->n->live->domain : !ns->told)
		return;
	ns->told = on;
	names_host_tell(ns->s->host, ns->n, on);
}

static void on_resolv(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct names *s = container_of(w, struct names, resolv);
	struct nameserver *ns;
	bool running = false;
	nd_list_foreach(ns, &s->servers, link)
		running |= ns->state != SERVER_OFF;
	if (!running)
		ev_timer_stop(loop, w);
	unsigned state = running ? names_host_look(s->host) : 0;
	nd_list_foreach(ns, &s->servers, link) {
		if (state & NAMES_HOST_CHANGED && ns->state == SERVER_SERVING && follows_host(ns))
			dns_signal(&ns->process, SIGHUP);
		if (state & NAMES_HOST_CAME && ns->told)
			names_host_tell(s->host, ns->n, true);
	}
}

/* ---- start and end of a process ---- */

static void tick_on(struct names *s)
{
	if (!ev_is_active(&s->tick))
		ev_timer_again(s->c->loop, &s->tick);
}

static void queue(struct nameserver *ns)
{
	ns->state = SERVER_QUEUED;
	tick_on(ns->s);
}

static void settle_soon(struct nameserver *ns)
{
	struct ev_loop *loop = ns->s->c->loop;
	double gap = ns->took * WRITE_SHARE > WRITE_GAP_S ? ns->took * WRITE_SHARE : WRITE_GAP_S;
	double wait = ns->state == SERVER_OFF ? 0. : ns->written + gap - ev_now(loop);
	if (ev_is_active(&ns->settle))
		return;
	ev_timer_set(&ns->settle, wait > 0. ? wait : 0., 0.);
	ev_timer_start(loop, &ns->settle);
}

static void pause_it(struct nameserver *ns)
{
	unsigned ms = PAUSE_MS << (ns->fails < 6 ? ns->fails : 6);
	ns->fails++;
	ns->state = SERVER_PAUSED;
	ev_timer_stop(ns->s->c->loop, &ns->pause);
	ev_timer_set(&ns->pause, (ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms) / 1000., 0.);
	ev_timer_start(ns->s->c->loop, &ns->pause);
}

static void on_pause(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	queue(container_of(w, struct nameserver, pause));
}

static void fail(struct nameserver *ns, const struct nd_error *e)
{
	char text[400];
	nd_error_format(e, text, sizeof text);
	set_fault(ns, text);
	pause_it(ns);
}

static void forget_process(struct nameserver *ns)
{
	ev_io_stop(ns->s->c->loop, &ns->ended);
	dns_process_close(&ns->process);
}

static void on_ended(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct nameserver *ns = container_of(w, struct nameserver, ended);
	bool started = ns->state == SERVER_SERVING;
	char words[300];
	dns_last_words(ns->dir, words, sizeof words);
	if (!words[0])
		snprintf(words, sizeof words, "dnsmasq %d ended", (int)ns->process.pid);
	if (started && nd_now_ms() - ns->since_ms >= LIVED_MS)
		ns->fails = 0;
	if (started)
		events_say(ns->s->c->events, EVENT_DNS_DIED, ns->n, NULL, "%s; it is started again", words);
	forget_process(ns);
	if (!started || ns->fails > 1)
		set_fault(ns, words);
	pause_it(ns);
}

static void take_process(struct nameserver *ns, const struct dns_process *p, enum server_state state)
{
	ns->process = *p;
	ns->state = state;
	ns->since_ms = nd_now_ms();
	ev_io_set(&ns->ended, p->fd, EV_READ);
	ev_io_start(ns->s->c->loop, &ns->ended);
	if (!ev_is_active(&ns->s->resolv))
		ev_timer_again(ns->s->c->loop, &ns->s->resolv);
}

static void drop_process(struct nameserver *ns)
{
	ev_io_stop(ns->s->c->loop, &ns->ended);
	if (ns->process.fd >= 0)
		let_go(ns->s, &ns->n->uuid, &ns->process);
}

static void turn_off(struct nameserver *ns, const char *why)
{
	bool served = ns->state == SERVER_SERVING;
	struct ev_loop *loop = ns->s->c->loop;
	drop_process(ns);
	ns->state = SERVER_OFF;
	ns->fails = 0;
	ev_timer_stop(loop, &ns->pause);
	ev_timer_stop(loop, &ns->linger);
	ev_timer_stop(loop, &ns->expire);
	set_serves(ns, false);
	tell_host(ns, false);
	if (served)
		events_say(ns->s->c->events, EVENT_DNS_STOPPED, ns->n, NULL, "dnsmasq is stopped: %s", why);
}

/* ---- the tick ---- */

static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP };

static size_t protocol_cnt(const struct network_plan *p)
{
	return p->dns ? 2 : 1; /* TFTP has but UDP */
}

static uint16_t port_of(const struct network_plan *p)
{
	return p->dns ? PORT_DNS : PORT_TFTP;
}

static int check_port(const struct nameserver *ns, const struct nd_listeners *l, struct nd_error *e)
{
	const struct network_plan *p = ns->n->plan;
	char holder[ND_HOLDER_LEN], ip[ND_IP_STRLEN];
	for (size_t i = 0; i < p->bridge.address_cnt; i++) {
		for (size_t k = 0; k < protocol_cnt(p); k++) {
			const struct nd_ip *at = &p->addresses[i].ip;
			const struct nd_listener *x = nd_listeners_find(l, protocols[k], at, port_of(p));
			if (x)
				return nd_fail(e, ND_BUSY, "port %u of %s is taken by %s", port_of(p),
					       nd_ip_to_string(at, ip), nd_listener_holder(x, holder));
		}
	}
	return 0;
}

/* Nobody else did when it was started. */
static bool listens(const struct nameserver *ns, const struct nd_listeners *l)
{
	const struct network_plan *p = ns->n->plan;
	for (size_t i = 0; i < p->bridge.address_cnt; i++) {
		for (size_t k = 0; k < protocol_cnt(p); k++) {
			const struct nd_listener *x =
				nd_listeners_find(l, protocols[k], &p->addresses[i].ip, port_of(p));
			if (!x || x->any)
				return false;
		}
	}
	return true;
}

static int check_program(const struct names *s, struct nd_error *e)
{
	const char *path = s->c->settings->dnsmasq;
	return access(path, X_OK) == 0
		       ? 0
		       : nd_fail(e, ND_NOT_FOUND, "there is no %s: install dnsmasq, or name it in netd.conf",
				 path);
}

static int make_files(struct nameserver *ns, struct nd_error *e)
{
	if (nd_dir_make(ns->dir, 0755, e) < 0 || write_file(ns->dir, "conf", ns->config, e) < 0)
		return e->code;
	free(ns->hosts);
	ns->hosts = NULL;
	write_hosts(ns);
	return ns->hosts ? 0 : nd_fail(e, ND_SYSTEM, "its hosts file cannot be written");
}

/* One that was started before netd was killed, and had not written its pid by the time it was looked for. */
static bool found_late(struct nameserver *ns)
{
	struct dns_process p;
	if (dns_find(ns->dir, &p, NULL) < 0)
		return false;
	let_go(ns->s, &ns->n->uuid, &p);
	return true;
}

/* Return: whether one is starting now. */
static bool start(struct nameserver *ns, const struct nd_listeners *l)
{
	struct names *s = ns->s;
	struct nd_error e = ND_ERROR_INIT;
	const struct dns_launch launch = {
		.dnsmasq = s->c->settings->dnsmasq, .dir = ns->dir, .uid = s->uid, .gid = s->gid
	};
	struct dns_process p;
	if (is_leaving(s, &ns->n->uuid) || found_late(ns))
		return false;
	if (!ev_is_active(&s->resolv))
		names_host_look(s->host);
	if (check_program(s, &e) < 0 || check_port(ns, l, &e) < 0 || make_files(ns, &e) < 0 ||
	    dns_launch(&launch, &p, &e) < 0) {
		fail(ns, &e);
		return false;
	}
	take_process(ns, &p, SERVER_STARTING);
	return true;
}

static void look_at_start(struct nameserver *ns, const struct nd_listeners *l)
{
	if (listens(ns, l)) {
		ns->state = SERVER_SERVING;
		events_say(ns->s->c->events, EVENT_DNS_STARTED, ns->n, NULL, "dnsmasq %d serves on %s",
			   (int)ns->process.pid, ns->n->bridge);
		set_fault(ns, NULL);
		set_serves(ns, true);
		tell_host(ns, true);
		/* What changed while it started may or may not have been read. */
		dns_signal(&ns->process, SIGHUP);
	} else if (nd_now_ms() - ns->since_ms > START_MS) {
		struct nd_error e = ND_ERROR_INIT;
		nd_fail(&e, ND_TIMEOUT, "dnsmasq %d does not listen after %d s", (int)ns->process.pid,
			START_MS / 1000);
		drop_process(ns);
		fail(ns, &e);
	}
}

static void on_tick(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct names *s = container_of(w, struct names, tick);
	struct nd_listeners l = { .cnt = 0 };
	struct nd_error e = ND_ERROR_INIT;
	struct nameserver *ns, *next;
	unsigned starting = 0, queued = 0;
	if (nd_listeners_read(&l, &e) < 0) {
		nd_log_error(ND_LOG_DEBUG, &e, "who listens");
		return;
	}
	nd_list_foreach_safe(ns, next, &s->servers, link) {
		if (ns->state == SERVER_STARTING)
			look_at_start(ns, &l);
		starting += ns->state == SERVER_STARTING;
	}
	nd_list_foreach_safe(ns, next, &s->servers, link) {
		if (ns->state == SERVER_QUEUED && starting < STARTING_MAX)
			starting += start(ns, &l);
		queued += ns->state == SERVER_QUEUED;
	}
	nd_listeners_done(&l);
	if (!queued && !starting)
		ev_timer_stop(loop, w);
}

/* ---- what changes ---- */

static void on_linger(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct nameserver *ns = container_of(w, struct nameserver, linger);
	turn_off(ns, "the network has had no port for a while");
	set_fault(ns, NULL);
}

static bool is_wanted(const struct network *n)
{
	return n->port_cnt + n->foreign_ports > 0;
}

static void on_settle(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct nameserver *ns = container_of(w, struct nameserver, settle);
	if (is_wanted(ns->n)) {
		ev_timer_stop(loop, &ns->linger);
		if (ns->state == SERVER_OFF)
			queue(ns);
	} else if (ns->state != SERVER_OFF && !ev_is_active(&ns->linger)) {
		ev_timer_set(&ns->linger, ns->s->c->settings->dns_linger_s, 0.);
		ev_timer_start(loop, &ns->linger);
	}
	if (!ns->names_differ || ns->loading || (ns->state != SERVER_STARTING && ns->state != SERVER_SERVING))
		return;
	uint64_t begin = nd_now_ms();
	/* One that starts has its handler of the signal only later, and is told when it serves. */
	if (write_hosts(ns) && ns->state == SERVER_SERVING)
		dns_signal(&ns->process, SIGHUP);
	ns->written = ev_now(loop);
	ns->took = (double)(nd_now_ms() - begin) / 1000.;
}

static void on_expire(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct nameserver *ns = container_of(w, struct nameserver, expire);
	ns->names_differ = true;
	settle_soon(ns);
}

void names_changed(struct core *c, struct network *n)
{
	if (!n->nameserver)
		return;
	n->nameserver->names_differ = true;
	settle_soon(n->nameserver);
}

void names_guest(struct core *c, struct network *n, const struct dhcp_lease *lease)
{
	if (n->nameserver &&
	    names_guests_put(&n->nameserver->guests, lease->ip4, lease->hostname, lease->expiry_s))
		names_changed(c, n);
}

void names_guest_gone(struct core *c, struct network *n, uint32_t ip4)
{
	if (n->nameserver && names_guests_put(&n->nameserver->guests, ip4, "", 0))
		names_changed(c, n);
}

/* ---- rows ---- */

struct loading {
	struct core *c;
	struct nd_uuid network;
};

static void load_guests(void *arg, const struct dhcp_lease *leases, size_t cnt, const struct nd_error *e)
{
	struct loading *l = arg;
	struct network *n = model_network_by_uuid(l->c->model, &l->network);
	for (size_t i = 0; n && i < cnt; i++)
		names_guest(l->c, n, &leases[i]);
	if (n && n->nameserver) {
		n->nameserver->loading = false;
		names_changed(l->c, n);
	}
	free(l);
}

/* Those that were given before there was anybody to tell. */
static void ask_for_guests(struct core *c, struct network *n)
{
	struct loading *l = n->plan->dhcp ? malloc(sizeof *l) : NULL;
	if (!l)
		return;
	*l = (struct loading){ .c = c, .network = n->uuid };
	n->nameserver->loading = true;
	leases_list(c, n, NULL, (struct leases_done){ load_guests, l });
}

static struct nameserver *server_new(struct names *s, struct network *n)
{
	struct nameserver *ns = calloc(1, sizeof *ns);
	char uuid[ND_UUID_STRLEN];
	if (!ns)
		return NULL;
	ns->s = s;
	ns->n = n;
	ns->process.fd = -1;
	snprintf(ns->dir, sizeof ns->dir, "%s/%s", s->dir, nd_uuid_to_string(&n->uuid, uuid));
	ev_init(&ns->ended, on_ended);
	ev_init(&ns->settle, on_settle);
	ev_init(&ns->linger, on_linger);
	ev_init(&ns->pause, on_pause);
	ev_init(&ns->expire, on_expire);
	names_guests_init(&ns->guests);
	nd_list_append(&s->servers, &ns->link);
	n->nameserver = ns;
	return ns;
}

/* What it runs is left as it is. */
static void server_free(struct nameserver *ns)
{
	struct ev_loop *loop = ns->s->c->loop;
	forget_process(ns);
	ev_timer_stop(loop, &ns->settle);
	ev_timer_stop(loop, &ns->linger);
	ev_timer_stop(loop, &ns->pause);
	ev_timer_stop(loop, &ns->expire);
	names_guests_done(&ns->guests);
	nd_list_remove(&ns->link);
	ns->n->nameserver = NULL;
	free(ns->config);
	free(ns->hosts);
	free(ns->fault);
	free(ns);
}

/* A server of an earlier netd goes on where it has the configuration that it would be given now. */
static void adopt_process(struct nameserver *ns)
{
	char path[DNS_PATH_MAX + 32];
	nd_autofree char *text = NULL;
	size_t len;
	struct dns_process p;
	if (dns_find(ns->dir, &p, NULL) < 0)
		return;
	snprintf(path, sizeof path, "%s/conf", ns->dir);
	if (nd_file_read(path, DNS_CONFIG_MAX, &text, &len, NULL) < 0 || strcmp(text, ns->config)) {
		let_go(ns->s, &ns->n->uuid, &p);
		return;
	}
	take_process(ns, &p, SERVER_SERVING);
	set_serves(ns, true);
	tell_host(ns, true);
}

static char *config_of(const struct core *c, const struct network *n, struct nd_error *e)
{
	struct nd_buf text = { .max = DNS_CONFIG_MAX };
	char uuid[ND_UUID_STRLEN], dir[DNS_PATH_MAX], servers[DNS_PATH_MAX];
	char *ret = NULL;
	snprintf(dir, sizeof dir, "%s/%s", c->names->dir, nd_uuid_to_string(&n->uuid, uuid));
	snprintf(servers, sizeof servers, "%s/servers", c->names->dir);
	if (names_config_text(n, dir, servers, &text, e) == 0) {
		ret = strdup(nd_buf_string(&text));
		if (!ret)
			nd_fail(e, ND_MEMORY, "configuration of dnsmasq");
	}
	nd_buf_done(&text);
	return ret;
}

enum resource_state names_network_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	nd_autofree char *config = NULL;
	if (!c->names || !n->plan->names)
		return n->nameserver ? RESOURCE_MISSING : RESOURCE_OK;
	config = n->nameserver ? config_of(c, n, NULL) : NULL;
	return config && !strcmp(config, n->nameserver->config) ? RESOURCE_OK : RESOURCE_MISSING;
}

int names_network_make(struct core *c, void *obj, struct nd_error *e)
{
	struct network *n = obj;
	struct nameserver *ns = n->nameserver;
	if (!n->plan->names)
		return names_network_unmake(c, n, e);
	nd_autofree char *config = config_of(c, n, e);
	if (!config)
		return e->code;
	bool fresh = !ns;
	if (fresh)
		ns = server_new(c->names, n);
	if (!ns)
		return nd_fail(e, ND_MEMORY, "name server");
	free(ns->config);
	ns->config = take_ptr(config);
	if (fresh) {
		adopt_process(ns);
		ask_for_guests(c, n);
	} else if (ns->state == SERVER_STARTING || ns->state == SERVER_SERVING) {
		drop_process(ns);
		queue(ns);
	}
	names_changed(c, n);
	return 0;
}

int names_network_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct nameserver *ns = ((struct network *)obj)->nameserver;
	char dir[DNS_PATH_MAX];
	if (!ns)
		return 0;
	turn_off(ns, "nobody needs it any more");
	nd_strcpy(dir, sizeof dir, ns->dir);
	server_free(ns);
	dns_dir_remove(dir);
	return 0;
}

enum resource_state names_port_check(const struct core *c, const void *obj)
{
	return ((const struct port *)obj)->named ? RESOURCE_OK : RESOURCE_MISSING;
}

int names_port_make(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	p->named = true;
	names_changed(c, p->network);
	return 0;
}

/* It is in the model still: the network is settled after that. */
int names_port_unmake(struct core *c, void *obj, struct nd_error *e)
{
	struct port *p = obj;
	p->named = false;
	names_changed(c, p->network);
	return 0;
}

void names_sweep(struct core *c)
{
	struct names *s = c->names;
	char **dirs = NULL, dir[DNS_PATH_MAX];
	struct nd_uuid uuid;
	if (!s || nd_dir_list(s->dir, NULL, &dirs, NULL) < 0)
		return;
	for (char **name = dirs; *name; name++) {
		struct dns_process p;
		const struct network *n = nd_uuid_from_string(*name, &uuid) == 0
						  ? model_network_by_uuid(c->model, &uuid)
						  : NULL;
		snprintf(dir, sizeof dir, "%s/%.64s", s->dir, *name);
		if ((n && n->nameserver) || !strcmp(*name, "servers"))
			continue;
		if (dns_find(dir, &p, NULL) == 0)
			let_go(s, &uuid, &p);
		dns_dir_remove(dir);
	}
	nd_strv_free(dirs);
}

/* ---- life ---- */

static void find_user(struct names *s)
{
	s->uid = (uid_t)-1;
	s->gid = (gid_t)-1;
	if (geteuid() == 0 && nd_user_find(s->c->settings->dns_user, &s->uid, &s->gid, NULL) < 0)
		nd_user_find("nobody", &s->uid, &s->gid, NULL);
}

int names_new(struct core *c, struct names **ret, struct nd_error *e)
{
	struct names *s = calloc(1, sizeof *s);
	if (!s)
		return nd_fail(e, ND_MEMORY, "names");
	s->c = c;
	nd_list_init(&s->servers);
	nd_list_init(&s->leaving);
	ev_timer_init(&s->tick, on_tick, 0., TICK_S);
	ev_timer_init(&s->resolv, on_resolv, 0., RESOLV_S);
	find_user(s);
	*ret = s;
	if (snprintf(s->dir, sizeof s->dir, "%s/dns", c->settings->run_dir) >= (int)sizeof s->dir)
		return nd_fail(e, ND_INVALID, "the run folder's name is too long");
	if (nd_dir_make(s->dir, 0755, e) < 0)
		return e->code;
	return names_host_new(c, s->dir, &s->host, e);
}

void names_free(struct names *s)
{
	if (!s)
		return;
	names_host_free(s->host);
	ev_timer_stop(s->c->loop, &s->tick);
	ev_timer_stop(s->c->loop, &s->resolv);
	while (!nd_list_empty(&s->servers))
		server_free(container_of(s->servers.next, struct nameserver, link));
	while (!nd_list_empty(&s->leaving)) {
		struct leaving *l = container_of(s->leaving.next, struct leaving, link);
		dns_signal(&l->process, SIGKILL);
		leaving_free(l);
	}
	s->c->names = NULL;
	free(s);
}

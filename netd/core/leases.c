// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: leases between worker and store (see leases.h).
 *
 * What the worker proposes is not believed: the network must be active and its DHCP subnet must hold the address, a port must be of that network, and the frame
 * must be one a server of that network sends. Only then is it queued for the disk; its ACK leaves when the transaction is synced (RFC 2131 §3.1 step 4:
 * the binding is committed to persistent storage before the DHCPACK).
 */
#include "netd/core/leases.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/disk.h"
#include "netd/core/event.h"
#include "netd/core/guard.h"
#include "netd/core/leaseclock.h"
#include "netd/core/mirror.h"
#include "netd/core/names.h"
#include "netd/core/settings.h"
#include "netd/core/supervisor.h"
#include <errno.h>
#include <ev.h>
#include <sys/timerfd.h>

#define PENDING_MAX       65536   /* proposals waiting for the disk: more are refused at once */
#define RENEW_MIN_S       2       /* a lease that ends sooner is over */
#define EXPIRE_INTERVAL_S 3600.   /* how often long-expired rows are dropped … */
#define EXPIRE_KEEP_S     604800u /* … a week after: a guest that returns gets its address back */

struct grace {
	struct nd_list link;
	struct nd_map_node by_port;
	struct nd_uuid network, port;
	uint64_t due_ms;
};
struct leases {
	struct core *c;
	struct nd_list graces;     /* ordered by due_ms: the period is one */
	struct nd_map grace_ports; /* the same, by port */
	struct ev_timer grace, expire, clock_look;
	struct ev_io clock_set; /* of a timer descriptor that tells when the wall clock is set */
	struct lease_clock clock;
	size_t pending;
	struct nd_ratelimit bad_frames;
};

struct lease_job {
	struct disk_job j;
	struct leases *owner;
	struct dhcp_lease lease;
	uint32_t generation;
	uint64_t id;
	int ifindex;
	struct dhcp_lease before; /* what the store has of it when it cannot be put there */
	char text[200];           /* why */
	size_t len;
	uint8_t ack[];
};

/* ---- proposals ---- */

static const struct netdef_ip *subnet_of(const struct network *n, uint32_t ip4)
{
	struct nd_ip ip = nd_ip_from_ip4(ip4);
	for (size_t i = 0; n->live && i < n->live->ip_cnt; i++) {
		if (n->live->ips[i].dhcp && nd_prefix_contains_ip(&n->live->ips[i].address, &ip))
			return &n->live->ips[i];
	}
	return NULL;
}

static int check_frame(const struct network *n, const struct netdef_ip *ip, const uint8_t *frame, size_t len,
		       struct nd_error *e)
{
	return dhcp_frame_is_server(frame, len, &n->live->mac, nd_ip_to_ip4(&ip->address.ip), e);
}

/* Not the bridge's own, the subnet's, or its broadcast address. */
static bool for_guests(const struct netdef_ip *ip, uint32_t ip4)
{
	uint32_t host = ~nd_ip4_mask(ip->address.len);
	return ip4 != nd_ip_to_ip4(&ip->address.ip) &&
	       (ip->address.len > 30 || ((ip4 & host) != 0 && (ip4 & host) != host));
}

static int check_proposal(const struct leases *l, const struct dhcp_lease *lease, int ifindex,
			  const uint8_t *ack, size_t len, struct nd_error *e)
{
	const struct network *n = model_network_by_uuid(l->c->model, &lease->network);
	const struct netdef_ip *ip = n ? subnet_of(n, lease->ip4) : NULL;
	const struct port *p = model_port_by_identity(l->c->model, &lease->port);
	if (!ip)
		return nd_fail(e, ND_PROTOCOL, "the address is in no active network's DHCP subnet");
	if (!for_guests(ip, lease->ip4))
		return nd_fail(e, ND_PROTOCOL, "the address cannot be a guest's");
	if (p ? p->network != n : !nd_uuid_is_zero(&lease->port))
		return nd_fail(e, ND_PROTOCOL, "the port is not of that network");
	if (ack && ifindex != n->ifindex)
		return nd_fail(e, ND_PROTOCOL, "the answer is for another interface");
	return ack ? check_frame(n, ip, ack, len, e) : 0;
}

static void tell_stored(struct leases *l, const struct lease_job *j, const struct port *p, bool renewed)
{
	const struct network *n = model_network_by_uuid(l->c->model, &j->lease.network);
	struct event ev = { .kind = renewed ? EVENT_LEASE_RENEWED : EVENT_LEASE_ADDED,
			    .network_uuid = j->lease.network };
	char mac[ND_MAC_STRLEN];
	if (p) {
		nd_strcpy(ev.port, sizeof ev.port, p->name);
		nd_strcpy(ev.ifname, sizeof ev.ifname, p->ifname);
	}
	if (n)
		nd_strcpy(ev.network, sizeof ev.network, n->name);
	nd_mac_to_string(&j->lease.mac, ev.mac);
	nd_ip4_to_string(j->lease.ip4, ev.address);
	snprintf(ev.text, sizeof ev.text, "%s %s %s%s%s", ev.address,
		 ev.kind == EVENT_LEASE_ADDED ? "leased to" : "renewed by",
		 nd_mac_to_string(&j->lease.mac, mac), j->lease.hostname[0] ? " " : "", j->lease.hostname);
	events_emit(l->c->events, &ev);
}

/* Unless the bridge went while the disk worked. A guest that hears nothing asks again. */
static void send_answer(struct leases *l, const struct lease_job *j)
{
	const struct network *n = model_network_by_uuid(l->c->model, &j->lease.network);
	struct nd_error e = ND_ERROR_INIT;
	if (j->len && n && n->ifindex == j->ifindex &&
	    supervisor_send(l->c->supervisor, j->ifindex, j->ack, j->len, &e) < 0)
		nd_log_error(ND_LOG_DEBUG, &e, "send a DHCP answer");
}

static void stored(struct leases *l, const struct lease_job *j)
{
	struct port *p = model_port_by_identity(l->c->model, &j->lease.port);
	bool bound = j->lease.state == DHCP_LEASE_BOUND, renewed = p && p->ip4 == j->lease.ip4;
	if (p && bound)
		guard_set_address(l->c, p, j->lease.ip4);
	send_answer(l, j);
	if (bound)
		tell_stored(l, j, p, renewed);
	struct network *n = model_network_by_uuid(l->c->model, &j->lease.network);
	if (n && bound)
		names_guest(l->c, n, &j->lease);
}

static int put_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	return dhcp_store_put(store, &container_of(j, struct lease_job, j)->lease, e);
}

static int find_run(struct dhcp_store *store, struct disk_job *dj, struct nd_error *e)
{
	struct lease_job *j = container_of(dj, struct lease_job, j);
	return dhcp_store_find(store, &j->lease.network, j->lease.ip4, &j->before, e);
}

/* The seconds that the client has of its lease as it is stored; 0: it has none. */
static uint32_t left_of(const struct leases *l, const struct lease_job *j)
{
	const struct dhcp_lease *had = &j->before;
	uint64_t now_s = leases_now_s(l);
	if (had->state != DHCP_LEASE_BOUND || !dhcp_identity_equal(&had->identity, &j->lease.identity) ||
	    had->expiry_s <= now_s + RENEW_MIN_S)
		return 0;
	return had->expiry_s - now_s < UINT32_MAX ? (uint32_t)(had->expiry_s - now_s) : DHCP_LEASE_INFINITE;
}

/*
 * What could not be stored: a client that has the address by a lease that is stored may keep it to that one's end, and is told so; who has none gets none.
 * Nothing that is not on the disk is acknowledged.
 */
static void find_done(struct disk_job *dj, const struct nd_error *e)
{
	struct lease_job *j = container_of(dj, struct lease_job, j);
	struct leases *l = j->owner;
	const struct network *n = model_network_by_uuid(l->c->model, &j->lease.network);
	uint32_t left_s = e->code ? 0 : left_of(l, j);
	char ip[ND_IP_STRLEN];
	nd_ip4_to_string(j->lease.ip4, ip);
	if (left_s && dhcp_frame_shorten(j->ack, j->len, left_s, NULL) == 0) {
		send_answer(l, j);
		events_say(l->c->events, EVENT_LEASE_REFUSED, n, NULL,
			   "lease of %s is renewed for the %u s it has on disk alone: %s", ip, left_s,
			   j->text);
	} else {
		events_say(l->c->events, EVENT_LEASE_REFUSED, n, NULL,
			   "lease of %s is not stored and not given: %s", ip, j->text);
	}
	free(j);
}

static void put_failed(struct leases *l, struct lease_job *j, const struct nd_error *e)
{
	nd_error_format(e, j->text, sizeof j->text);
	j->j = (struct disk_job){ .run = find_run, .done = find_done };
	disk_push_store(l->c->disk, &j->j);
}

static void put_done(struct disk_job *dj, const struct nd_error *e)
{
	struct lease_job *j = container_of(dj, struct lease_job, j);
	struct leases *l = j->owner;
	l->pending--;
	if (e->code == 0)
		stored(l, j);
	supervisor_stored(l->c->supervisor, j->generation, j->id, e->code == 0);
	if (e->code) {
		put_failed(l, j, e);
		return;
	}
	/* Its port ended while the lease was on its way to the disk. */
	if (!nd_uuid_is_zero(&j->lease.port) && !model_port_by_identity(l->c->model, &j->lease.port))
		leases_port_ended(l, &j->lease.network, &j->lease.port);
	free(j);
}

void leases_on_proposal(struct leases *l, uint32_t generation, uint64_t id, const struct dhcp_lease *lease,
			int ifindex, const uint8_t *ack, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	struct lease_job *j = NULL;
	if (!ack)
		len = 0;
	if (check_proposal(l, lease, ifindex, ack, len, &e) < 0) {
		if (nd_ratelimit_pass(&l->bad_frames, nd_now_ms(), 10000, 5, NULL))
			nd_log_error(ND_LOG_WARNING, &e, "proposal of the DHCP worker");
	} else if (l->pending < PENDING_MAX) {
		j = calloc(1, sizeof *j + len);
	}
	if (!j) {
		supervisor_stored(l->c->supervisor, generation, id, false);
		return;
	}
	j->j = (struct disk_job){ .run = put_run, .done = put_done };
	j->owner = l;
	j->lease = *lease;
	j->generation = generation;
	j->id = id;
	j->ifindex = ifindex;
	j->len = len;
	if (len)
		memcpy(j->ack, ack, len);
	l->pending++;
	disk_push_store(l->c->disk, &j->j);
}

/* Offers, NAKs, probes: nothing to store. */
void leases_on_frame(struct leases *l, int ifindex, const uint8_t *frame, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	const struct nd_link *link = mirror_link(l->c->mirror, ifindex);
	const struct network *n = link ? model_network_by_uuid(l->c->model, &link->alias_network) : NULL;
	int r = nd_fail(&e, ND_PROTOCOL, "no active network with DHCP is on it");
	for (size_t i = 0; n && n->live && n->ifindex == ifindex && r < 0 && i < n->live->ip_cnt; i++) {
		if (!n->live->ips[i].dhcp)
			continue;
		nd_error_reset(&e);
		r = check_frame(n, &n->live->ips[i], frame, len, &e);
	}
	if (r == 0)
		r = supervisor_send(l->c->supervisor, ifindex, frame, len, &e);
	if (r < 0 && nd_ratelimit_pass(&l->bad_frames, nd_now_ms(), 10000, 5, NULL))
		nd_log_error(ND_LOG_WARNING, &e, "frame of the DHCP worker for link %d", ifindex);
}

/* ---- the end of leases ---- */

struct end_job {
	struct disk_job j;
	struct leases *owner;
	struct nd_uuid network, port;
	uint32_t ip4; /* of a port: found by the thread */
	uint64_t before_s;
};

static void end_done(struct disk_job *dj, const struct nd_error *e)
{
	struct end_job *j = container_of(dj, struct end_job, j);
	struct core *c = j->owner->c;
	if (e->code) {
		nd_log_error(ND_LOG_WARNING, e, "end a lease");
	} else if (j->ip4) {
		struct network *n = model_network_by_uuid(c->model, &j->network);
		struct event ev = { .kind = EVENT_LEASE_RELEASED, .network_uuid = j->network };
		supervisor_lease_free(c->supervisor, &j->network, j->ip4);
		if (n)
			names_guest_gone(c, n, j->ip4);
		nd_strcpy(ev.network, sizeof ev.network, n ? n->name : "");
		nd_ip4_to_string(j->ip4, ev.address);
		snprintf(ev.text, sizeof ev.text, "%s is free again", ev.address);
		events_emit(c->events, &ev);
	}
	free(j);
}

static int end_ip4_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	struct end_job *end = container_of(j, struct end_job, j);
	return dhcp_store_delete(store, &end->network, end->ip4, e);
}

static int end_port_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	struct end_job *end = container_of(j, struct end_job, j);
	return dhcp_store_delete_port(store, &end->network, &end->port, &end->ip4, e);
}

static int end_network_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	return dhcp_store_delete_network(store, &container_of(j, struct end_job, j)->network, e);
}

static int end_expired_run(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	return dhcp_store_delete_expired(store, container_of(j, struct end_job, j)->before_s, e);
}

static void push_end(struct leases *l, const struct end_job *what,
		     int (*run)(struct dhcp_store *, struct disk_job *, struct nd_error *))
{
	struct end_job *j = malloc(sizeof *j);
	if (!j)
		return; /* it expires */
	*j = *what;
	j->j = (struct disk_job){ .run = run, .done = end_done };
	j->owner = l;
	disk_push_store(l->c->disk, &j->j);
}

void leases_on_release(struct leases *l, const struct dhcp_lease *lease)
{
	const struct network *n = model_network_by_uuid(l->c->model, &lease->network);
	struct port *p = model_port_by_identity(l->c->model, &lease->port);
	if (!n || !subnet_of(n, lease->ip4))
		return;
	if (p && p->ip4 == lease->ip4)
		guard_set_address(l->c, p, 0);
	push_end(l, &(struct end_job){ .network = lease->network, .ip4 = lease->ip4 }, end_ip4_run);
}

void leases_network_gone(struct leases *l, const struct nd_uuid *network)
{
	push_end(l, &(struct end_job){ .network = *network }, end_network_run);
}

/* ---- grace ---- */

static void grace_arm(struct leases *l)
{
	ev_timer_stop(l->c->loop, &l->grace);
	if (nd_list_empty(&l->graces))
		return;
	struct grace *first = container_of(l->graces.next, struct grace, link);
	uint64_t now = nd_now_ms();
	ev_timer_set(&l->grace, first->due_ms > now ? (double)(first->due_ms - now) / 1000. : 0., 0.);
	ev_timer_start(l->c->loop, &l->grace);
}

static bool grace_port_equal(const struct nd_map_node *node, const void *key)
{
	return nd_uuid_equal(&container_of(node, struct grace, by_port)->port, key);
}

static struct grace *grace_find(const struct leases *l, const struct nd_uuid *port)
{
	struct nd_map_node *x = nd_map_find(&l->grace_ports, port, nd_hash_bytes(port->b, sizeof port->b));
	return x ? container_of(x, struct grace, by_port) : NULL;
}

static void grace_free(struct leases *l, struct grace *g)
{
	nd_map_remove(&l->grace_ports, &g->by_port);
	nd_list_remove(&g->link);
	free(g);
}

static void on_grace(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct leases *l = container_of(w, struct leases, grace);
	uint64_t now = nd_now_ms();
	struct grace *g, *next;
	nd_list_foreach_safe(g, next, &l->graces, link) {
		if (g->due_ms > now)
			break;
		push_end(l, &(struct end_job){ .network = g->network, .port = g->port }, end_port_run);
		grace_free(l, g);
	}
	grace_arm(l);
}

void leases_port_ended(struct leases *l, const struct nd_uuid *network, const struct nd_uuid *port)
{
	struct grace *g = grace_find(l, port);
	if (g)
		return;
	g = calloc(1, sizeof *g);
	if (!g)
		return; /* the lease runs to its expiry */
	g->network = *network;
	g->port = *port;
	g->due_ms = nd_now_ms() + l->c->settings->lease_grace_s * 1000u;
	if (!nd_map_insert(&l->grace_ports, &g->by_port, nd_hash_bytes(port->b, sizeof port->b))) {
		free(g);
		return;
	}
	bool first = nd_list_empty(&l->graces);
	nd_list_append(&l->graces, &g->link);
	if (first)
		grace_arm(l);
}

void leases_port_back(struct leases *l, const struct nd_uuid *port)
{
	struct grace *g = grace_find(l, port);
	if (g)
		grace_free(l, g);
}

static void on_expire(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct leases *l = container_of(w, struct leases, expire);
	uint64_t now_s = leases_now_s(l);
	if (now_s > EXPIRE_KEEP_S)
		push_end(l, &(struct end_job){ .before_s = now_s - EXPIRE_KEEP_S }, end_expired_run);
}

/* ---- the clock ---- */

#define CLOCK_KEY    "clock"
#define CLOCK_LOOK_S 3600. /* a wall clock that is slewed is never told to have been set */

uint64_t leases_now_s(const struct leases *l)
{
	return lease_clock_now(&l->clock, nd_now_ms() / 1000);
}

int64_t leases_clock_offset_s(const struct leases *l)
{
	return l->clock.offset_s;
}

static void clock_save(struct leases *l)
{
	char text[LEASE_CLOCK_TEXT];
	lease_clock_format(&l->clock, nd_now_ms() / 1000, text);
	disk_setting(l->c->disk, CLOCK_KEY, text);
}

static void on_clock_look(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct leases *l = container_of(w, struct leases, clock_look);
	lease_clock_look(&l->clock, nd_now_ms() / 1000, nd_wall_s());
	clock_save(l);
}

static bool clock_watch(int fd)
{
	/* As far away as any: it is only waited for being cancelled. */
	struct itimerspec far = { .it_value.tv_sec = INT32_MAX };
	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) == 0;
}

static void on_clock_set(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct leases *l = container_of(w, struct leases, clock_set);
	uint64_t cnt;
	if (read(w->fd, &cnt, sizeof cnt) < 0 && errno == EAGAIN)
		return;
	int64_t by_s = lease_clock_look(&l->clock, nd_now_ms() / 1000, nd_wall_s());
	if (by_s)
		nd_log(ND_LOG_NOTICE, "the wall clock was set by %+lld s: leases last as long as before",
		       (long long)by_s);
	clock_save(l);
	if (!clock_watch(w->fd))
		ev_io_stop(loop, w); /* the hourly look remains */
}

void leases_clock_load(struct leases *l)
{
	nd_autofree char *saved = NULL, *boot = NULL;
	size_t len;
	dhcp_store_setting_get(disk_store_at_start(l->c->disk), CLOCK_KEY, &saved, NULL);
	if (nd_file_read("/proc/sys/kernel/random/boot_id", 64, &boot, &len, NULL) == 0)
		boot[strcspn(boot, "\n")] = '\0';
	lease_clock_start(&l->clock, saved, boot ? boot : "", nd_now_ms() / 1000, nd_wall_s());
	ev_timer_set(&l->clock_look, 1.,
		     CLOCK_LOOK_S); /* the store is not ours to write before the loop runs */
	ev_timer_start(l->c->loop, &l->clock_look);
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0)
		return;
	ev_io_set(&l->clock_set, fd, EV_READ);
	if (clock_watch(fd))
		ev_io_start(l->c->loop, &l->clock_set);
}

struct leases *leases_new(struct core *c)
{
	struct leases *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->c = c;
	nd_list_init(&l->graces);
	nd_map_init(&l->grace_ports, grace_port_equal);
	lease_clock_start(&l->clock, NULL, "", nd_now_ms() / 1000, nd_wall_s());
	ev_init(&l->clock_look, on_clock_look);
	ev_io_init(&l->clock_set, on_clock_set, -1, EV_READ);
	ev_init(&l->grace, on_grace);
	ev_timer_init(&l->expire, on_expire, EXPIRE_INTERVAL_S, EXPIRE_INTERVAL_S);
	ev_timer_start(c->loop, &l->expire);
	return l;
}

void leases_free(struct leases *l)
{
	struct grace *g, *next;
	if (!l)
		return;
	ev_timer_stop(l->c->loop, &l->grace);
	ev_timer_stop(l->c->loop, &l->expire);
	ev_timer_stop(l->c->loop, &l->clock_look);
	ev_io_stop(l->c->loop, &l->clock_set);
	if (l->clock_set.fd >= 0)
		close(l->clock_set.fd);
	nd_list_foreach_safe(g, next, &l->graces, link)
		grace_free(l, g);
	nd_map_done(&l->grace_ports);
	free(l);
}

/* ---- listing ---- */

struct list_job {
	struct disk_job j;
	struct nd_uuid network;
	struct core *c;
	bool filter;
	struct nd_mac mac;
	uint32_t ip4; /* to be released; 0: any */
	uint64_t now_s;
	struct leases_done done;
	struct dhcp_lease *leases;
	size_t cnt, size;
};

static int list_add(struct list_job *j, const struct dhcp_lease *lease)
{
	if (j->cnt == j->size) {
		size_t size = j->size ? j->size * 2 : 32;
		struct dhcp_lease *p = realloc(j->leases, size * sizeof *p);
		if (!p)
			return ND_MEMORY;
		j->leases = p;
		j->size = size;
	}
	j->leases[j->cnt++] = *lease;
	return 0;
}

static int list_one(const struct dhcp_lease *lease, void *arg)
{
	struct list_job *j = arg;
	if (lease->state != DHCP_LEASE_BOUND || lease->expiry_s <= j->now_s ||
	    (j->filter && !nd_mac_equal(&lease->mac, &j->mac)))
		return 0;
	return list_add(j, lease);
}

static int list_run(struct dhcp_store *store, struct disk_job *dj, struct nd_error *e)
{
	struct list_job *j = container_of(dj, struct list_job, j);
	return dhcp_store_each(store, &j->network, list_one, j, NULL, e);
}

static int by_address(const void *a, const void *b)
{
	uint32_t x = ((const struct dhcp_lease *)a)->ip4, y = ((const struct dhcp_lease *)b)->ip4;
	return x < y ? -1 : x > y;
}

static void list_done(struct disk_job *dj, const struct nd_error *e)
{
	struct list_job *j = container_of(dj, struct list_job, j);
	for (size_t i = 0; i < j->cnt; i++)
		j->leases[i].expiry_s = lease_clock_to_wall(&j->c->leases->clock, j->leases[i].expiry_s);
	if (j->cnt)
		qsort(j->leases, j->cnt, sizeof *j->leases, by_address);
	j->done.fn(j->done.arg, j->leases, e->code ? 0 : j->cnt, e);
	free(j->leases);
	free(j);
}

void leases_list(struct core *c, const struct network *n, const struct nd_mac *mac, struct leases_done done)
{
	struct list_job *j = calloc(1, sizeof *j);
	if (!j) {
		struct nd_error e = ND_ERROR_INIT;
		nd_fail(&e, ND_MEMORY, "list leases");
		done.fn(done.arg, NULL, 0, &e);
		return;
	}
	*j = (struct list_job){ .j = { .run = list_run, .done = list_done },
				.network = n->uuid,
				.c = c,
				.now_s = leases_now_s(c->leases),
				.done = done };
	if (mac) {
		j->filter = true;
		j->mac = *mac;
	}
	disk_push_store(c->disk, &j->j);
}

/* ---- releasing ---- */

static int release_one(const struct dhcp_lease *lease, void *arg)
{
	struct list_job *j = arg;
	if ((j->ip4 && lease->ip4 != j->ip4) || (j->filter && !nd_mac_equal(&lease->mac, &j->mac)))
		return 0;
	return list_add(j, lease);
}

static int release_run(struct dhcp_store *store, struct disk_job *dj, struct nd_error *e)
{
	struct list_job *j = container_of(dj, struct list_job, j);
	int r = dhcp_store_each(store, &j->network, release_one, j, NULL, e);
	for (size_t i = 0; r == 0 && i < j->cnt; i++)
		r = dhcp_store_delete(store, &j->network, j->leases[i].ip4, e);
	if (r == 0 && j->cnt == 0)
		return nd_fail(e, ND_NOT_FOUND, "no such lease");
	return r;
}

static void released(struct core *c, const struct dhcp_lease *lease)
{
	struct network *n = model_network_by_uuid(c->model, &lease->network);
	struct port *p = model_port_by_identity(c->model, &lease->port);
	struct event ev = { .kind = EVENT_LEASE_RELEASED, .network_uuid = lease->network };
	supervisor_lease_free(c->supervisor, &lease->network, lease->ip4);
	if (p && p->network == n && p->ip4 == lease->ip4 && lease->state == DHCP_LEASE_BOUND)
		guard_set_address(c, p, 0);
	nd_strcpy(ev.network, sizeof ev.network, n ? n->name : "");
	nd_strcpy(ev.port, sizeof ev.port, p ? p->name : "");
	nd_ip4_to_string(lease->ip4, ev.address);
	nd_mac_to_string(&lease->mac, ev.mac);
	snprintf(ev.text, sizeof ev.text, "%s was taken from %s", ev.address, ev.mac);
	events_emit(c->events, &ev);
}

static void release_done(struct disk_job *dj, const struct nd_error *e)
{
	struct list_job *j = container_of(dj, struct list_job, j);
	for (size_t i = 0; e->code == 0 && i < j->cnt; i++)
		released(j->c, &j->leases[i]);
	list_done(dj, e);
}

void leases_release(struct core *c, const struct network *n, uint32_t ip4, const struct nd_mac *mac,
		    struct leases_done done)
{
	struct list_job *j = calloc(1, sizeof *j);
	if (!j) {
		struct nd_error e = ND_ERROR_INIT;
		nd_fail(&e, ND_MEMORY, "release leases");
		done.fn(done.arg, NULL, 0, &e);
		return;
	}
	*j = (struct list_job){ .j = { .run = release_run, .done = release_done },
				.network = n->uuid,
				.c = c,
				.ip4 = ip4,
				.filter = mac,
				.done = done };
	if (mac)
		j->mac = *mac;
	disk_push_store(c->disk, &j->j);
}

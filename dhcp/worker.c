// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the DHCP worker
 *
 * `netd --worker dhcp`: the process that parses what guests send. It hosts the engine, which decides; this file only carries: frames from the
 * packet sockets and netd's messages into the engine, the engine's outputs into records for netd. It sends no frame itself.
 *
 * Life cycle: read options, make everything that needs a system call (loop, engine, buffers, seed, clock offset), enter the sandbox, serve, end when netd
 * closes its end. Signals that stop a daemon are ignored: the end of the channel is the one that counts. A broken channel or a lack of memory ends the
 * process with status 1; netd starts another and tells it everything again.
 *
 * A turn of the loop takes in at most RX_TURN batches of frames, and what came out of it leaves in as few datagrams as possible. While more than OUT_HIGH bytes
 * wait for netd, no frame is taken in: the sockets' own buffers drop what is too much, and clients ask again.
 */
#include "dhcp/worker.h"
#include "base/log.h"
#include "base/mem.h"
#include "dhcp/dhcp.h"
#include "dhcp/message.h"
#include "dhcp/socket.h"
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>

#define RX_TURN           4          /* batches of DHCP_RX_BATCH frames before netd is heard again */
#define CONTROL_TURN      16         /* datagrams from netd before frames are taken in again */
#define OUT_HIGH          (1u << 20) /* bytes waiting for netd that stop the intake */
#define COUNTERS_INTERVAL 5.0        /* seconds */

/* ---- the host of the engine ---- */

struct worker {
	struct ev_loop *loop;
	struct ev_io control_read, control_write, dhcp, arp;
	struct ev_timer deadline, counters;
	struct ev_prepare turn_end;
	struct dhcp_engine *engine;
	struct dhcp_output output;
	struct dhcp_outbox out;
	struct dhcp_rx *rx;
	uint64_t deadline_ms;        /* UINT64_MAX: none */
	bool ready;                  /* netd's version came */
	bool netd_has_more;          /* no frames meanwhile */
	struct dhcp_network network; /* on its way, from BEGIN to COMMIT; id 0: none */
	struct dhcp_range *ranges;
	struct dhcp_host *hosts;
	struct dhcp_route *routes;
	struct dhcp_boot *boots;
	uint32_t range_got, host_got, route_got, boot_got;
	struct dhcp_counters counters_sent;
	int status;
	uint8_t in[DHCP_DATAGRAM_MAX];
};

static void stop(struct worker *w, int status)
{
	w->status = status;
	ev_break(w->loop, EVBREAK_ALL);
}

static void stop_failed(struct worker *w, const struct nd_error *e, const char *doing)
{
	if (e->code == ND_NOT_FOUND) { /* netd is gone, which is the regular end */
		stop(w, 0);
		return;
	}
	nd_log_error(ND_LOG_ERR, e, "DHCP worker: %s", doing);
	stop(w, 1);
}

/* ---- engine → netd ---- */

/* Return: NULL when it cannot be queued; the worker then ends, since netd and engine would disagree. */
static struct nd_writer *begin(struct worker *w, enum dhcp_message_kind kind, size_t body_len)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_writer *ret = NULL;
	if (dhcp_outbox_begin(&w->out, kind, body_len, &ret, &e) < 0) {
		stop_failed(w, &e, "message to netd");
		return NULL;
	}
	return ret;
}

static void on_send(void *arg, int ifindex, const uint8_t *frame, size_t len)
{
	struct nd_writer *out = begin(arg, DHCP_MESSAGE_SEND, 4 + len);
	if (!out)
		return;
	nd_write_be32(out, (uint32_t)ifindex);
	nd_write_bytes(out, frame, len);
}

static void on_propose(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
		       const uint8_t *ack, size_t len)
{
	struct nd_writer *out =
		begin(arg, DHCP_MESSAGE_PROPOSE, 8 + 4 + DHCP_WIRE_LEASE_LEN + (ack ? len : 0));
	if (!out)
		return;
	nd_write_be64(out, id);
	nd_write_be32(out, (uint32_t)ifindex);
	dhcp_wire_put_lease(out, lease);
	if (ack)
		nd_write_bytes(out, ack, len);
}

static void on_release(void *arg, const struct dhcp_lease *lease)
{
	struct nd_writer *out = begin(arg, DHCP_MESSAGE_RELEASE, DHCP_WIRE_LEASE_LEN);
	if (out)
		dhcp_wire_put_lease(out, lease);
}

/* Texts hold names that guests chose; netd takes printable ASCII only. */
static void on_notice(void *arg, uint32_t network_id, const char *text)
{
	size_t len = strnlen(text, DHCP_NOTICE_MAX - 1);
	if (len == 0)
		return;
	struct nd_writer *out = begin(arg, DHCP_MESSAGE_NOTICE, 4 + len + 1);
	if (!out)
		return;
	nd_write_be32(out, network_id);
	for (size_t i = 0; i < len; i++)
		nd_write_u8(out, text[i] < ' ' || text[i] > '~' ? '?' : (uint8_t)text[i]);
	nd_write_u8(out, 0);
}

static void on_counters(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
	struct worker *w = timer->data;
	const struct dhcp_counters *now = dhcp_engine_counters(w->engine);
	if (memcmp(now, &w->counters_sent, sizeof(*now)) == 0)
		return;
	struct nd_writer *out = begin(w, DHCP_MESSAGE_COUNTERS, DHCP_WIRE_COUNTERS_LEN);
	if (!out)
		return;
	dhcp_wire_put_counters(out, now);
	w->counters_sent = *now;
}

/* ---- frames, time, netd → engine ---- */

static void set_deadline(struct worker *w, uint64_t deadline_ms, uint64_t now_ms)
{
	if (deadline_ms == w->deadline_ms)
		return;
	w->deadline_ms = deadline_ms;
	ev_timer_stop(w->loop, &w->deadline);
	if (deadline_ms == UINT64_MAX)
		return;
	uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	ev_timer_set(&w->deadline, (double)wait_ms / 1000.0, 0.0);
	ev_timer_start(w->loop, &w->deadline);
}

static void input(struct worker *w, const struct dhcp_input *in, uint64_t now_ms)
{
	set_deadline(w, dhcp_engine_input(w->engine, in, now_ms, &w->output), now_ms);
}

static void on_deadline(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
	struct worker *w = timer->data;
	w->deadline_ms = UINT64_MAX; /* the timer has run out: the same deadline is to be set again */
	input(w, &(struct dhcp_input){ .kind = DHCP_INPUT_TICK }, nd_now_ms());
}

static bool takes_frames(const struct worker *w)
{
	return w->ready && !w->netd_has_more && w->out.len <= OUT_HIGH;
}

/* Counters are sent some seconds after they may have changed; an idle worker has no timer. */
static void want_counters(struct worker *w)
{
	if (ev_is_active(&w->counters))
		return;
	ev_timer_set(&w->counters, COUNTERS_INTERVAL, 0.0);
	ev_timer_start(w->loop, &w->counters);
}

static void on_frames(struct ev_loop *loop, struct ev_io *io, int revents)
{
	struct worker *w = io->data;
	struct nd_error e = ND_ERROR_INIT;
	int cnt = DHCP_RX_BATCH;
	for (int batch = 0; batch < RX_TURN && cnt == DHCP_RX_BATCH && takes_frames(w); batch++) {
		cnt = dhcp_rx_receive(w->rx, io->fd, &e);
		if (cnt < 0) {
			stop_failed(w, &e, "packet socket");
			return;
		}
		uint64_t now_ms = nd_now_ms();
		for (int i = 0; i < cnt; i++) {
			struct dhcp_rx_frame f = dhcp_rx_get(w->rx, (size_t)i);
			struct dhcp_input in = { .kind = io == &w->arp ? DHCP_INPUT_ARP : DHCP_INPUT_FRAME,
						 .ifindex = f.ifindex,
						 .mark = f.mark,
						 .checksum_unverified = f.checksum_unverified,
						 .frame = f.bytes,
						 .len = f.len };
			input(w, &in, now_ms);
		}
	}
	want_counters(w);
}

/* ---- messages from netd ---- */

static void network_forget(struct worker *w)
{
	free(w->ranges);
	free(w->hosts);
	free(w->routes);
	free(w->boots);
	w->ranges = NULL;
	w->hosts = NULL;
	w->routes = NULL;
	w->boots = NULL;
	w->range_got = w->host_got = w->route_got = w->boot_got = 0;
	w->network.id = 0;
}

static int take_hello(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	int r = dhcp_message_hello_check(body, e);
	if (r == 0)
		w->ready = true;
	return r;
}

static int take_network_begin(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	network_forget(w);
	dhcp_wire_get_network(body, &w->network);
	struct dhcp_network *n = &w->network;
	if (n->id == 0 || n->range_cnt > DHCP_RANGES_MAX || n->host_cnt > DHCP_HOSTS_MAX ||
	    n->dns_cnt > DHCP_DNS_MAX || n->route_cnt > DHCP_ROUTES_MAX || n->boot_cnt > DHCP_BOOT_CNT_)
		return nd_fail(e, ND_PROTOCOL, "network %u: counts", n->id);
	w->ranges = calloc(n->range_cnt + 1, sizeof(*w->ranges));
	w->hosts = calloc(n->host_cnt + 1, sizeof(*w->hosts));
	w->routes = calloc(n->route_cnt + 1, sizeof(*w->routes));
	w->boots = calloc(n->boot_cnt + 1, sizeof(*w->boots));
	if (!w->ranges || !w->hosts || !w->routes || !w->boots)
		return nd_fail(e, ND_MEMORY, "network %u", n->id);
	return 0;
}

static int take_network_ranges(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	for (; nd_reader_left(body) > 0; w->range_got++) {
		if (w->network.id == 0 || w->range_got == w->network.range_cnt)
			return nd_fail(e, ND_PROTOCOL, "more ranges than announced");
		dhcp_wire_get_range(body, &w->ranges[w->range_got]);
	}
	return 0;
}

static int take_network_hosts(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	for (; nd_reader_left(body) > 0; w->host_got++) {
		if (w->network.id == 0 || w->host_got == w->network.host_cnt)
			return nd_fail(e, ND_PROTOCOL, "more reservations than announced");
		dhcp_wire_get_host(body, &w->hosts[w->host_got]);
	}
	return 0;
}

static int take_network_routes(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	for (; nd_reader_left(body) > 0; w->route_got++) {
		if (w->network.id == 0 || w->route_got == w->network.route_cnt)
			return nd_fail(e, ND_PROTOCOL, "more routes than announced");
		dhcp_wire_get_route(body, &w->routes[w->route_got]);
	}
	return 0;
}

static int take_network_boots(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	for (; nd_reader_left(body) > 0; w->boot_got++) {
		if (w->network.id == 0 || w->boot_got == w->network.boot_cnt)
			return nd_fail(e, ND_PROTOCOL, "more boot files than announced");
		dhcp_wire_get_boot(body, &w->boots[w->boot_got]);
	}
	return 0;
}

/* What the engine refuses is told as the network's trouble; the other networks go on. */
static void report_refusal(struct worker *w, uint32_t network_id, struct nd_error *e)
{
	char text[DHCP_NOTICE_MAX];
	nd_error_format(e, text, sizeof(text));
	on_notice(w, network_id, text);
}

static int take_network_commit(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	struct nd_error refused = ND_ERROR_INIT;
	struct dhcp_network *n = &w->network;
	uint32_t id = nd_read_be32(body);
	if (id == 0 || id != n->id || w->range_got != n->range_cnt || w->host_got != n->host_cnt ||
	    w->route_got != n->route_cnt || w->boot_got != n->boot_cnt)
		return nd_fail(e, ND_PROTOCOL, "network %u: parts are missing", id);
	n->ranges = w->ranges;
	n->hosts = w->hosts;
	n->routes = w->routes;
	n->boots = w->boots;
	if (dhcp_engine_network_set(w->engine, n, &refused) < 0)
		report_refusal(w, id, &refused);
	network_forget(w);
	return 0;
}

static int take_network_del(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	dhcp_engine_network_del(w->engine, nd_read_be32(body));
	return 0;
}

static int take_port_set(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	struct nd_error refused = ND_ERROR_INIT;
	struct dhcp_port port;
	dhcp_wire_get_port(body, &port);
	if (dhcp_engine_port_set(w->engine, &port, &refused) < 0)
		report_refusal(w, port.network_id, &refused);
	return 0;
}

static int take_port_del(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	dhcp_engine_port_del(w->engine, nd_read_be32(body));
	return 0;
}

static int take_lease_load(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	struct dhcp_lease lease;
	dhcp_wire_get_lease(body, &lease);
	int r = dhcp_lease_check(&lease, e);
	if (r < 0)
		return r;
	return dhcp_engine_lease_load(w->engine, &lease, nd_now_ms(), e);
}

static int take_lease_free(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	struct nd_uuid network;
	nd_read_copy(body, network.b, sizeof(network.b));
	dhcp_engine_lease_free(w->engine, &network, nd_read_be32(body));
	return 0;
}

static int take_ping(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	struct nd_writer *out = begin(w, DHCP_MESSAGE_PONG, 4);
	if (out)
		nd_write_be32(out, nd_read_be32(body));
	return 0;
}

static int take_stored(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	input(w, &(struct dhcp_input){ .kind = DHCP_INPUT_STORED, .id = nd_read_be64(body) }, nd_now_ms());
	want_counters(w);
	return 0;
}

static int take_refused(struct worker *w, struct nd_reader *body, struct nd_error *e)
{
	input(w, &(struct dhcp_input){ .kind = DHCP_INPUT_REFUSED, .id = nd_read_be64(body) }, nd_now_ms());
	return 0;
}

static int (*const takers[DHCP_MESSAGE_CNT_])(struct worker *, struct nd_reader *, struct nd_error *) = {
	[DHCP_MESSAGE_HELLO] = take_hello,
	[DHCP_MESSAGE_NETWORK_BEGIN] = take_network_begin,
	[DHCP_MESSAGE_NETWORK_RANGES] = take_network_ranges,
	[DHCP_MESSAGE_NETWORK_HOSTS] = take_network_hosts,
	[DHCP_MESSAGE_NETWORK_ROUTES] = take_network_routes,
	[DHCP_MESSAGE_NETWORK_BOOTS] = take_network_boots,
	[DHCP_MESSAGE_NETWORK_COMMIT] = take_network_commit,
	[DHCP_MESSAGE_NETWORK_DEL] = take_network_del,
	[DHCP_MESSAGE_PORT_SET] = take_port_set,
	[DHCP_MESSAGE_PORT_DEL] = take_port_del,
	[DHCP_MESSAGE_LEASE_LOAD] = take_lease_load,
	[DHCP_MESSAGE_LEASE_FREE] = take_lease_free,
	[DHCP_MESSAGE_PING] = take_ping,
	[DHCP_MESSAGE_STORED] = take_stored,
	[DHCP_MESSAGE_REFUSED] = take_refused,
};

static int take_datagram(struct worker *w, size_t len, struct nd_error *e)
{
	struct nd_reader datagram = nd_reader(w->in, len);
	struct dhcp_message m;
	int r = dhcp_message_open(&datagram, &w->netd_has_more, e);
	if (r < 0)
		return r;
	while ((r = dhcp_message_next(&datagram, DHCP_SIDE_NETD, &m, e)) > 0) {
		if (w->ready == (m.kind == DHCP_MESSAGE_HELLO))
			return nd_fail(e, ND_PROTOCOL, "hello must come first and once");
		r = takers[m.kind](w, &m.body, e);
		if (r < 0)
			return nd_wrap(e, "record '%s'", dhcp_message_kind_to_string(m.kind));
	}
	return r;
}

static void on_control(struct ev_loop *loop, struct ev_io *io, int revents)
{
	struct worker *w = io->data;
	struct nd_error e = ND_ERROR_INIT;
	ssize_t n = 1;
	for (int i = 0; i < CONTROL_TURN && n > 0; i++) {
		n = dhcp_message_receive(io->fd, w->in, sizeof(w->in), &e);
		if (n < 0 || (n > 0 && take_datagram(w, (size_t)n, &e) < 0)) {
			stop_failed(w, &e, "message from netd");
			return;
		}
	}
}

/* ---- the loop ---- */

static void set_active(struct ev_loop *loop, struct ev_io *io, bool on)
{
	if (on)
		ev_io_start(loop, io);
	else
		ev_io_stop(loop, io);
}

static void on_turn_end(struct ev_loop *loop, struct ev_prepare *prepare, int revents)
{
	struct worker *w = prepare->data;
	struct nd_error e = ND_ERROR_INIT;
	if (dhcp_outbox_flush(&w->out, DHCP_WORKER_CONTROL_FD, &e) < 0) {
		stop_failed(w, &e, "message to netd");
		return;
	}
	set_active(loop, &w->control_write, !dhcp_outbox_is_empty(&w->out));
	set_active(loop, &w->dhcp, takes_frames(w));
	set_active(loop, &w->arp, takes_frames(w));
}

/* Only wakes the loop: the turn's end sends. */
static void on_control_writable(struct ev_loop *loop, struct ev_io *io, int revents)
{
}

static void init_watchers(struct worker *w)
{
	ev_io_init(&w->control_read, on_control, DHCP_WORKER_CONTROL_FD, EV_READ);
	ev_io_init(&w->control_write, on_control_writable, DHCP_WORKER_CONTROL_FD, EV_WRITE);
	ev_io_init(&w->dhcp, on_frames, DHCP_WORKER_DHCP_FD, EV_READ);
	ev_io_init(&w->arp, on_frames, DHCP_WORKER_ARP_FD, EV_READ);
	ev_timer_init(&w->deadline, on_deadline, 0.0, 0.0);
	ev_timer_init(&w->counters, on_counters, 0.0, 0.0);
	ev_prepare_init(&w->turn_end, on_turn_end);
	w->control_read.data = w->dhcp.data = w->arp.data = w;
	w->deadline.data = w->counters.data = w->turn_end.data = w;
	/* netd before guests: what it says of a network holds for the frames that wait. */
	ev_set_priority(&w->control_read, EV_MAXPRI);
	ev_io_start(w->loop, &w->control_read);
	ev_prepare_start(w->loop, &w->turn_end);
}

static void worker_free(struct worker *w)
{
	if (!w)
		return;
	network_forget(w);
	dhcp_outbox_done(&w->out);
	dhcp_rx_free(w->rx);
	dhcp_engine_free(w->engine);
	if (w->loop)
		ev_loop_destroy(w->loop);
	free(w);
}
ND_DEFINE_CLEANUP(struct worker *, worker_free)

static int worker_new(const struct dhcp_worker_options *o, struct worker **ret, struct nd_error *e)
{
	uint64_t seed;
	nd_cleanup(worker_freep) struct worker *w = calloc(1, sizeof(*w));
	if (!w)
		return nd_fail(e, ND_MEMORY, "worker");
	dhcp_outbox_init(&w->out);
	w->deadline_ms = UINT64_MAX;
	w->output = (struct dhcp_output){
		.arg = w, .send = on_send, .propose = on_propose, .release = on_release, .notice = on_notice
	};
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return nd_fail_sys(e, errno, NULL, "getrandom");
	w->engine = dhcp_engine_new(o->foreign_mark, o->clock_offset_s, seed);
	w->rx = dhcp_rx_new();
	w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!w->engine || !w->rx || !w->loop)
		return nd_fail(e, ND_MEMORY, "worker");
	init_watchers(w);
	int r = dhcp_outbox_put_hello(&w->out, e);
	if (r < 0)
		return r;
	*ret = take_ptr(w);
	return 0;
}

static void ignore_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
}

int dhcp_worker_main(int argc, char **argv)
{
	struct nd_error e = ND_ERROR_INIT;
	struct dhcp_worker_options options;
	nd_cleanup(worker_freep) struct worker *w = NULL;
	if (dhcp_worker_options_parse(argc, argv, &options, &e) < 0) {
		nd_log_error(ND_LOG_ERR, &e, "DHCP worker");
		return 2;
	}
	(void)prctl(PR_SET_NAME, "netd-dhcp");
	ignore_signals();
	if (worker_new(&options, &w, &e) < 0 || dhcp_worker_sandbox(&options, &e) < 0) {
		nd_log_error(ND_LOG_ERR, &e, "DHCP worker");
		return 1;
	}
	ev_run(w->loop, 0);
	/* The daemon's exit handlers have no business in the sandbox. */
	_exit(w->status);
}

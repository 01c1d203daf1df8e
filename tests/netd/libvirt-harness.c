// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: see libvirt-harness.h. The fakes stand in for network.c, leases.c and attach.c, whose objects are then
 * not linked.
 */
#include "tests/netd/libvirt-harness.h"
#include "base/log.h"
#include "base/mem.h"
#include "netd/core/attach.h"
#include "netd/core/change.h"
#include "netd/core/external.h"
#include "netd/core/leases.h"
#include "netd/core/network.h"

#include <assert.h>
#include <sys/socket.h>

static struct lv *lv_of(struct core *c)
{
	return container_of(c, struct lv, core);
}

/* ---- verbs ---- */

typedef void (*network_fn)(void *arg, struct network *n, const struct nd_error *e);

static void end(struct lv_later *l, struct network *n, struct nd_error *e)
{
	((network_fn)l->done)(l->arg, e->code ? NULL : n, e);
}

static void begin(struct core *c, struct lv_later l)
{
	struct lv *lv = lv_of(c);
	struct nd_error e = ND_ERROR_INIT;

	lv->verb_cnt++;
	if (lv->later) {
		assert(lv->waiting_cnt < LV_LATER_MAX);
		lv->waiting[lv->waiting_cnt++] = l;
		return;
	}
	if (lv->fail)
		nd_fail(&e, lv->fail, "%s", lv->cause ? lv->cause : "as asked");
	l.fn(lv, &l, &e);
}

void lv_finish_later(struct lv *lv)
{
	for (size_t i = 0; i < lv->waiting_cnt; i++) {
		struct nd_error e = ND_ERROR_INIT;

		if (lv->fail)
			nd_fail(&e, lv->fail, "%s", lv->cause ? lv->cause : "as asked");
		lv->waiting[i].fn(lv, &lv->waiting[i], &e);
	}
	lv->waiting_cnt = 0;
}

static struct network *find(struct lv *lv, const struct lv_later *l)
{
	return model_network_by_uuid(&lv->model, &l->uuid);
}

static void finish_define(struct lv *lv, struct lv_later *l, struct nd_error *e)
{
	struct network *n = model_network_by_name(&lv->model, l->def->name);

	if (!n && !e->code) {
		if (!l->def->uuid_set)
			nd_uuid_random(&l->def->uuid);
		n = model_network_new(&l->def->uuid, l->def->name);
		assert(n && model_network_add(&lv->model, n) == 0);
	}
	if (!e->code) {
		netdef_free(n->config);
		n->config = take_ptr(l->def);
		events_say(lv->core.events, EVENT_NETWORK_DEFINED, n, NULL, "defined");
	}
	netdef_free(l->def);
	end(l, n, e);
}

void network_define(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *def;

	if (netdef_parse(xml, len, NULL, warn, done.arg, &def, &e) < 0)
		done.fn(done.arg, NULL, &e);
	else
		begin(c, (struct lv_later){ .fn = finish_define,
					    .done = (void (*)(void))done.fn,
					    .arg = done.arg,
					    .def = def });
}

void network_create(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done)
{
	network_define(c, xml, len, warn, done);
}

static void finish_start(struct lv *lv, struct lv_later *l, struct nd_error *e)
{
	struct network *n = find(lv, l);

	if (!n) {
		nd_fail(e, ND_NOT_FOUND, "gone");
	} else if (!e->code && n->state != NETWORK_INACTIVE) {
		nd_fail(e, ND_STATE, "network is already active");
		nd_wrap(e, "network '%s'", n->name);
	} else if (!e->code) {
		n->state = NETWORK_ACTIVE;
		n->live = netdef_copy(n->config);
		events_say(lv->core.events, EVENT_NETWORK_STARTED, n, NULL, "started");
	}
	end(l, n, e);
}

static void finish_destroy(struct lv *lv, struct lv_later *l, struct nd_error *e)
{
	struct network *n = find(lv, l);

	if (n && !e->code) {
		n->state = NETWORK_INACTIVE;
		netdef_free(take_ptr(n->live));
		events_say(lv->core.events, EVENT_NETWORK_STOPPED, n, NULL, "stopped");
	}
	end(l, n, e);
}

static void finish_undefine(struct lv *lv, struct lv_later *l, struct nd_error *e)
{
	struct network *n = find(lv, l);

	if (n && !e->code) {
		events_say(lv->core.events, EVENT_NETWORK_UNDEFINED, n, NULL, "undefined");
		model_network_remove(&lv->model, n);
		model_network_free(n);
	}
	end(l, NULL, e);
}

static void finish_autostart(struct lv *lv, struct lv_later *l, struct nd_error *e)
{
	struct network *n = find(lv, l);

	if (n && !e->code)
		n->autostart = (enum netdef_autostart)l->number;
	end(l, n, e);
}

static void begin_on(struct core *c, const struct network *n,
		     void (*fn)(struct lv *, struct lv_later *, struct nd_error *), int number,
		     struct network_done done)
{
	begin(c, (struct lv_later){ .fn = fn,
				    .done = (void (*)(void))done.fn,
				    .arg = done.arg,
				    .uuid = n->uuid,
				    .number = number });
}

void network_start(struct core *c, struct network *n, struct network_done done)
{
	begin_on(c, n, finish_start, 0, done);
}

void network_destroy(struct core *c, struct network *n, bool force, struct network_done done)
{
	lv_of(c)->forced = force;
	begin_on(c, n, finish_destroy, 0, done);
}

void network_undefine(struct core *c, struct network *n, struct network_done done)
{
	begin_on(c, n, finish_undefine, 0, done);
}

void network_set_autostart(struct core *c, struct network *n, enum netdef_autostart mode,
			   struct network_done done)
{
	begin_on(c, n, finish_autostart, (int)mode, done);
}

void network_format(const struct network *n, bool inactive, struct nd_buf *out)
{
	netdef_format(inactive || !n->live ? n->config : n->live, out);
}

static void finish_change(struct lv *lv, struct lv_later *l, struct nd_error *e)
{
	end(l, find(lv, l), e);
}

void change_update(struct core *c, struct network *n, const struct change_update *u, struct network_done done)
{
	struct lv *lv = lv_of(c);

	snprintf(lv->told, sizeof lv->told, "%d %d %d %u %s", u->command, u->section, u->parent, u->targets,
		 u->xml);
	begin_on(c, n, finish_change, 0, done);
}

void change_metadata(struct core *c, struct network *n, const struct change_metadata *m,
		     struct network_done done)
{
	struct lv *lv = lv_of(c);

	snprintf(lv->told, sizeof lv->told, "%d %u %s %s %s", (int)m->type, m->targets,
		 m->value ? m->value : "-", m->key ? m->key : "-", m->uri ? m->uri : "-");
	begin_on(c, n, finish_change, 0, done);
}

int change_metadata_get(const struct network *n, enum change_metadata_type type, const char *uri,
			unsigned targets, char **ret, struct nd_error *e)
{
	if (type == CHANGE_TITLE)
		return nd_fail(e, ND_NOT_FOUND, "Requested metadata element is not present");
	*ret = strdup(uri ? uri : "text");
	return *ret ? 0 : nd_fail(e, ND_MEMORY, "text");
}

static void finish_leases(struct lv *lv, struct lv_later *l, struct nd_error *e)
{
	((void (*)(void *, const struct dhcp_lease *, size_t, const struct nd_error *))l->done)(
		l->arg, lv->leases, e->code ? 0 : lv->lease_cnt, e);
}

void leases_list(struct core *c, const struct network *n, const struct nd_mac *mac, struct leases_done done)
{
	begin(c, (struct lv_later){ .fn = finish_leases,
				    .done = (void (*)(void))done.fn,
				    .arg = done.arg,
				    .uuid = n->uuid });
}

int attach_end(struct core *c, struct port *p, struct nd_error *e)
{
	model_port_remove(c->model, p);
	model_port_free(p);
	return 0;
}

int external_create(struct core *c, struct network *n, const struct external_request *req, struct port **ret,
		    struct nd_error *e)
{
	struct portdef *def = NULL;
	struct port *p;

	if (portdef_parse(req->xml, req->len, req->validate, req->warn, req->arg, &def, e) < 0)
		return nd_wrap(e, "network '%s'", n->name);
	if (model_port_by_uuid(c->model, &def->uuid)) {
		portdef_free(def);
		return nd_fail(e, ND_EXISTS, "Network port with UUID X already exists");
	}
	p = model_port_new(&def->uuid);
	if (!p)
		abort();
	p->def = def;
	p->external = true;
	p->mark = n->port_cnt + 1;
	if (req->reclaim)
		p->state = PORT_EXPECTED;
	if (model_port_add(c->model, n, p) < 0)
		abort();
	*ret = p;
	return 0;
}

int external_format(const struct port *p, struct nd_buf *out, struct nd_error *e)
{
	portdef_format(p->def, out);
	return 0;
}

int external_set_bandwidth(struct core *c, struct port *p, const struct portdef_bandwidth *b,
			   struct nd_error *e)
{
	if (b->floor)
		return nd_fail(e, ND_UNSUPPORTED, "Invalid use of 'floor' on interface");
	p->def->bandwidth = *b;
	p->def->bandwidth.inbound_given = b->inbound.average > 0;
	p->def->bandwidth.outbound_given = b->outbound.average > 0;
	return 0;
}

void external_bandwidth(const struct port *p, struct portdef_bandwidth *ret)
{
	*ret = p->def->bandwidth;
}

/* ---- life ---- */

void lv_init(struct lv *lv)
{
	*lv = (struct lv){ .waiting_cnt = 0 };
	nd_log_init("netd", ND_LOG_ERR);
	model_init(&lv->model);
	settings_init(&lv->settings);
	lv->core = (struct core){ .loop = ev_loop_new(EVFLAG_AUTO),
				  .model = &lv->model,
				  .settings = &lv->settings,
				  .events = events_new() };
	lv->set = rpc_set_new(lv->core.loop, &libvirt_session_ops);
	assert(lv->set && lv->core.events);
}

void lv_done(struct lv *lv)
{
	rpc_set_free(lv->set);
	lv_finish_later(lv);
	model_done(&lv->model);
	events_free(lv->core.events);
	settings_done(&lv->settings);
	ev_loop_destroy(lv->core.loop);
}

void lv_turn(struct lv *lv, int turns)
{
	while (turns-- > 0)
		ev_run(lv->core.loop, EVRUN_NOWAIT);
}

/* ---- clients ---- */

struct lv_client lv_connect(struct lv *lv, enum session_socket socket, enum access_level level)
{
	struct session_peer peer = { .cred = { .uid = 1001, .pid = 4711 }, .level = level, .socket = socket };
	struct libvirt_session *s = libvirt_session_new(&lv->core, &peer);
	struct rpc_conn *conn;
	int pair[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	conn = rpc_conn_new(lv->set, pair[1], peer.cred.uid, s, session_request_max(&peer));
	assert(conn);
	libvirt_session_start(s, conn);
	return (struct lv_client){ .lv = lv,
				   .session = s,
				   .fd = pair[0],
				   .in.max = 64 << 20,
				   .out.max = 64 << 20,
				   .last.max = 64 << 20 };
}

struct lv_client lv_open(struct lv *lv, enum session_socket socket)
{
	struct lv_client cl = lv_connect(lv, socket, ACCESS_ADMIN);
	struct rpc_header h;
	struct nd_reader body;
	struct nd_buf *b;

	lv_call_begin(&cl, 66);
	lv_send(&cl);
	b = lv_call_begin(&cl, 1);
	xdr_put_string_or_none(b, "network:///system");
	xdr_put_uint(b, 0);
	lv_send(&cl);
	lv_turn(lv, 3);
	for (int i = 0; i < 2; i++)
		assert(lv_receive(&cl, &h, &body) && h.status == RPC_OK);
	return cl;
}

void lv_disconnect(struct lv_client *cl)
{
	nd_closep(&cl->fd);
	cl->fd = -1;
	nd_buf_done(&cl->in);
	nd_buf_done(&cl->out);
	nd_buf_done(&cl->last);
}

size_t lv_write(struct lv_client *cl, const void *p, size_t len)
{
	ssize_t n = len ? send(cl->fd, p, len, MSG_NOSIGNAL) : 0;

	return n > 0 ? (size_t)n : 0;
}

struct nd_buf *lv_begin(struct lv_client *cl, const struct rpc_header *h)
{
	const uint32_t words[] = { 0, h->prog, h->vers, h->proc, h->type, h->serial, h->status };

	nd_buf_reset(&cl->out);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		xdr_put_uint(&cl->out, words[i]);
	return &cl->out;
}

struct nd_buf *lv_call_begin(struct lv_client *cl, uint32_t proc)
{
	return lv_begin(cl, &(struct rpc_header){ .prog = LIBVIRT_PROGRAM,
						  .vers = LIBVIRT_VERSION,
						  .proc = proc,
						  .type = RPC_CALL,
						  .serial = ++cl->serial });
}

void lv_send(struct lv_client *cl)
{
	struct nd_writer w = nd_writer(cl->out.p, cl->out.len);

	nd_write_be32(&w, (uint32_t)cl->out.len);
	assert(lv_write(cl, cl->out.p, cl->out.len) == cl->out.len);
}

static void read_all(struct lv_client *cl)
{
	static char buf[65536];
	bool again = false;
	ssize_t n;

	while (!again && !cl->eof) {
		n = nd_sock_recv(cl->fd, buf, sizeof buf, NULL, 0, NULL, &again, NULL);
		if (n > 0)
			nd_buf_append(&cl->in, buf, (size_t)n);
		else if (!again)
			cl->eof = true;
	}
}

bool lv_receive(struct lv_client *cl, struct rpc_header *ret, struct nd_reader *body)
{
	struct nd_reader r;
	size_t len;

	read_all(cl);
	r = nd_reader(cl->in.p, cl->in.len);
	len = nd_read_be32(&r);
	if (r.bad || len > cl->in.len)
		return false;
	assert(len >= RPC_HEADER_LEN && len <= RPC_REPLY_MAX);
	nd_buf_reset(&cl->last);
	nd_buf_append(&cl->last, cl->in.p, len);
	nd_buf_consume(&cl->in, len);
	r = nd_reader(cl->last.p, len);
	nd_read_skip(&r, 4);
	ret->prog = nd_read_be32(&r);
	ret->vers = nd_read_be32(&r);
	ret->proc = nd_read_be32(&r);
	ret->type = nd_read_be32(&r);
	ret->serial = nd_read_be32(&r);
	ret->status = nd_read_be32(&r);
	*body = nd_read_sub(&r, nd_reader_left(&r));
	return true;
}

static void skip(struct nd_reader *r, char letter);

static void skip_each(struct nd_reader *r, const char *letters)
{
	for (; *letters; letters++)
		skip(r, *letters);
}

/* Items of the lists, by letter. */
static const struct {
	char letter;
	const char *item;
} lists[] = { { 'I', "i" }, { 't', "s" }, { 'n', "N" }, { 'o', "P" }, { 'p', "siu" }, { 'l', "shiSSsuSS" } };

static void skip(struct nd_reader *r, char letter)
{
	uint32_t cnt;

	switch (letter) {
	case 'i':
	case 'u': nd_read_skip(r, 4); return;
	case 'h':
	case 'H': nd_read_skip(r, 8); return;
	case 's':
		cnt = nd_read_be32(r);
		nd_read_skip(r, ((size_t)cnt + 3) & ~(size_t)3);
		return;
	case 'S':
		cnt = nd_read_be32(r);
		if (cnt == 1)
			skip(r, 's');
		else if (cnt)
			r->bad = true;
		return;
	case 'U': nd_read_skip(r, 16); return;
	case 'N': skip_each(r, "sU"); return;
	case 'P': skip_each(r, "NU"); return;
	default: break;
	}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (lists[i].letter != letter)
			continue;
		for (cnt = nd_read_be32(r); cnt > 0 && !r->bad; cnt--)
			skip_each(r, lists[i].item);
		return;
	}
	r->bad = true;
}

bool lv_body_fits(struct nd_reader body, const char *signature)
{
	skip_each(&body, signature);
	return !body.bad && nd_reader_left(&body) == 0;
}

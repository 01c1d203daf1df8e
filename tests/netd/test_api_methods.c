// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: server and methods over a real socket, with the core's verbs replaced by ones that only take notes.
 * Model, definitions and events are the real
 * ones. Every reply is checked against its row.
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/sock.h"
#include "base/strtab.h"
#include "netd/api/methods.h"
#include "netd/api/server.h"
#include "netd/core/attach.h"
#include "netd/core/change.h"
#include "netd/core/doctor.h"
#include "netd/core/event.h"
#include "netd/core/explain.h"
#include "netd/core/external.h"
#include "netd/core/leases.h"
#include "netd/core/network.h"
#include "netd/core/port.h"
#include "netd/core/publish.h"
#include "netd/core/shaping.h"
#include "netd/core/supervisor.h"

#include <ev.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#define LAB_UUID "3e3fce45-4f53-4fa7-bb32-11f34168b82b"
#define LAB_XML                                                                                     \
	"<network><name>lab</name><uuid>" LAB_UUID "</uuid><forward mode='nat'/><mtu size='1400'/>" \
	"<domain name='lab.test'/><ip address='10.7.0.1' netmask='255.255.255.0'><dhcp><range "     \
	"start='10.7.0.2'"                                                                          \
	" end='10.7.0.9'/></dhcp></ip></network>"
#define ODD_XML "<network><name>x</name><odd/></network>"
#define IDLE_XML                                                                              \
	"<network><name>idle</name><uuid>00000000-0000-4000-8000-000000000001</uuid><bridge " \
	"name='brx'/></network>"

static struct network_done pending; /* of a start that waits for the disk */
static struct attach_request attached;
static enum access_level peer_level = ACCESS_ADMIN;

/* The core's verbs */

enum access_level access_of_peer(const struct settings *s, int fd, const struct nd_peer *peer)
{
	return peer_level;
}

int access_require(const struct settings *s, enum access_level have, enum access_level need,
		   const struct nd_peer *peer, const char *what, struct nd_error *e)
{
	return have >= need ? 0 : nd_fail(e, ND_DENIED, "may not %s", what);
}

static void define_or_create(struct core *c, void (*warn)(void *arg, const struct netdef_warning *w),
			     struct network_done done)
{
	struct netdef_warning w = { .line = 7, .element = "dns", .text = "not known" };

	warn(done.arg, &w);
	done.fn(done.arg, model_network_by_name(c->model, "lab"), NULL);
}

void network_define(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done)
{
	define_or_create(c, warn, done);
}

void network_create(struct core *c, const char *xml, size_t len,
		    void (*warn)(void *arg, const struct netdef_warning *w), struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef_warning w = { .line = 1, .element = "x", .text = "y" };

	warn(done.arg, &w);
	nd_fail(&e, ND_PARSE, "line 1");
	done.fn(done.arg, NULL, &e);
}

void network_start(struct core *c, struct network *n, struct network_done done)
{
	pending = done;
}

void network_destroy(struct core *c, struct network *n, bool force, struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;

	if (!force)
		nd_fail(&e, ND_BUSY, "it has 1 live port: vm1");
	done.fn(done.arg, NULL, &e);
}

void network_undefine(struct core *c, struct network *n, struct network_done done)
{
	done.fn(done.arg, NULL, NULL);
}

void network_set_autostart(struct core *c, struct network *n, enum netdef_autostart mode,
			   struct network_done done)
{
	n->autostart = mode;
	done.fn(done.arg, n, NULL);
}

size_t network_reload(struct core *c)
{
	return 3;
}

void network_format(const struct network *n, bool inactive, struct nd_buf *out)
{
	nd_buf_append_string(out, inactive ? "<inactive/>" : "<live/>");
}

/* Plans by what the document says of itself; applying works where a restart is allowed. */
int change_plan(struct core *c, const char *xml, size_t len, struct change_plan *ret, struct nd_error *e)
{
	if (strstr(xml, "10.9."))
		return nd_fail(e, ND_CONFLICT, "taken");
	*ret = (struct change_plan){ .is_new = strstr(xml, "<name>new") != NULL };
	if (ret->is_new)
		return 0;
	ret->config = NETDEF_CHANGE_LIVE;
	ret->live = NETDEF_CHANGE_RESTART;
	ret->fields = strdup("mtu@size, ip/dhcp/host");
	return 0;
}

void change_plan_done(struct change_plan *p)
{
	free(p->fields);
}

void change_apply(struct core *c, const char *xml, size_t len, bool restart, struct network_done done)
{
	struct nd_error e = ND_ERROR_INIT;

	if (!restart)
		nd_fail(&e, ND_STATE, "mtu@size can change only by a restart of the network");
	done.fn(done.arg, restart ? model_network_by_name(c->model, "lab") : NULL, &e);
}

static struct change_update updated;
static char changed[256];

void change_update(struct core *c, struct network *n, const struct change_update *u, struct network_done done)
{
	updated = *u;
	done.fn(done.arg, n, NULL);
}

void change_metadata(struct core *c, struct network *n, const struct change_metadata *m,
		     struct network_done done)
{
	snprintf(changed, sizeof(changed), "%d %s %s %s %u", m->type, m->value ? m->value : "-",
		 m->key ? m->key : "-", m->uri ? m->uri : "-", m->targets);
	done.fn(done.arg, n, NULL);
}

int change_metadata_get(const struct network *n, enum change_metadata_type type, const char *uri,
			unsigned targets, char **ret, struct nd_error *e)
{
	if (type == CHANGE_TITLE)
		return nd_fail(e, ND_NOT_FOUND, "no title");
	*ret = strdup(type == CHANGE_ELEMENT ? uri : "Lab");
	return 0;
}

static char published[256];

void change_publish(struct core *c, struct network *n, const struct change_publish *p,
		    struct network_done done)
{
	char ip[ND_IP_STRLEN] = "-";
	struct nd_error e = ND_ERROR_INIT;

	if (p->publish->address.family)
		nd_ip_to_string(&p->publish->address, ip);
	snprintf(published, sizeof(published), "%s %s %s:%u-%u %s:%u %u", p->remove ? "remove" : "add",
		 netdef_protocol_to_string(p->publish->protocol), ip, p->publish->port, p->publish->port_end,
		 p->publish->guest ? p->publish->guest : "-", p->publish->guest_port, p->targets);
	if (p->publish->port == 22)
		nd_fail(&e, ND_BUSY, "TCP port 22 is taken by sshd (pid 7)");
	done.fn(done.arg, e.code ? NULL : n, &e);
}

const char *publish_state_to_string(int v)
{
	return v == PUBLISH_TAKEN ? "taken" : "active";
}

void publish_each(struct core *c, const struct network *n,
		  void (*fn)(void *arg, const struct publish_status *s), void *arg)
{
	struct netdef_publish p = { .port = 80, .guest = (char *)"web" };
	struct publish_status s = { .publish = &p, .state = PUBLISH_TAKEN, .why = "by nginx" };

	fn(arg, &s);
}

const char *doctor_result_kind_to_string(int v)
{
	return v == DOCTOR_FAILED ? "failed" : "ok";
}

void doctor(struct core *c, const struct network *only, bool fix, struct doctor_done done)
{
	struct doctor_result r[2] = {
		{ .name = "tun", .kind = DOCTOR_OK, .text = "opens", .fixed = fix },
		{ .name = "dhcp",
		  .network = "lab",
		  .kind = DOCTOR_FAILED,
		  .text = "no offer",
		  .command = "x" },
	};
	struct nd_error none = ND_ERROR_INIT;

	done.fn(done.arg, r, only ? 2 : 1, &none);
}

const char *explain_verdict_to_string(int v)
{
	return v == EXPLAIN_DROP ? "drop" : "pass";
}

void explain(struct core *c, const struct explain_request *req, struct explain_done done)
{
	struct explain_result r = { .stages = { { "forward", EXPLAIN_DROP, "policy drop" } },
				    .cnt = 1,
				    .verdict = EXPLAIN_DROP };
	struct nd_error e = ND_ERROR_INIT;

	snprintf(r.text, sizeof(r.text), "%s to %s, %u, %u", req->from, req->to, req->proto, req->port);
	if (strcmp(req->from, "none") == 0)
		nd_fail(&e, ND_NOT_FOUND, "'none' is no port");
	done.fn(done.arg, e.code ? NULL : &r, &e);
}

void leases_list(struct core *c, const struct network *n, const struct nd_mac *mac, struct leases_done done)
{
	struct dhcp_lease l[2] = {
		{ .ip4 = 0x0a070002, .state = DHCP_LEASE_BOUND, .hostname = "guest", .expiry_s = 1795236365 },
		{ .ip4 = 0x0a070003, .state = DHCP_LEASE_DECLINED, .expiry_s = UINT64_MAX },
	};

	l[0].client_id.len = 2;
	l[0].client_id.bytes[0] = 1;
	l[0].client_id.bytes[1] = 0xab;
	done.fn(done.arg, l, mac ? 1 : 2, NULL);
}

void leases_release(struct core *c, const struct network *n, uint32_t ip4, const struct nd_mac *mac,
		    struct leases_done done)
{
	struct dhcp_lease l = { .ip4 = ip4, .state = DHCP_LEASE_BOUND, .expiry_s = UINT64_MAX };
	struct nd_error e = ND_ERROR_INIT;

	if (mac)
		l.mac = *mac;
	else if (ip4 != 0x0a070002)
		nd_fail(&e, ND_NOT_FOUND, "no such lease");
	done.fn(done.arg, &l, e.code ? 0 : 1, &e);
}

void attach(struct core *c, const struct attach_request *req, struct attach_done done)
{
	struct network *n = model_network_by_name(c->model, "lab");
	struct nd_error e = ND_ERROR_INIT;
	int fds[TAP_QUEUES_MAX];

	attached = *req;
	if (strcmp(req->network, "lab") != 0) {
		nd_fail(&e, ND_NOT_FOUND, "none");
		done.fn(done.arg, NULL, NULL, 0, &e);
		return;
	}
	for (int i = 0; i < req->queue_cnt; i++)
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	done.fn(done.arg, container_of(n->ports.next, struct port, siblings), fds, req->queue_cnt, NULL);
}

int attach_end(struct core *c, struct port *p, struct nd_error *e)
{
	return 0;
}

int external_create(struct core *c, struct network *n, const struct external_request *req, struct port **ret,
		    struct nd_error *e)
{
	struct netdef_warning w = { .line = 7, .element = "foo", .text = "not known" };

	if (req->validate)
		return nd_fail(e, ND_INVALID, "network port has no uuid");
	req->warn(req->arg, &w);
	*ret = container_of(n->ports.next, struct port, siblings);
	return 0;
}

int external_format(const struct port *p, struct nd_buf *out, struct nd_error *e)
{
	nd_buf_append_string(out, "<networkport/>");
	return 0;
}

bool supervisor_counter(const struct supervisor *s, size_t i, char name[SUPERVISOR_COUNTER_NAME],
			uint64_t *ret)
{
	nd_strcpy(name, SUPERVISOR_COUNTER_NAME, "drop-checksum");
	*ret = 3;
	return i == 0;
}

void external_bandwidth(const struct port *p, struct portdef_bandwidth *ret)
{
	*ret = (struct portdef_bandwidth){ .inbound = { .average = 7 },
					   .outbound = { .average = 8, .peak = 9 } };
}

static struct portdef_bandwidth bandwidth_set;

int external_set_bandwidth(struct core *c, struct port *p, const struct portdef_bandwidth *want,
			   struct nd_error *e)
{
	if (want->floor > 100)
		return nd_fail(e, ND_LIMIT, "too much");
	bandwidth_set = *want;
	bandwidth_set.given = true;
	return 0;
}

int shaping_port_read(struct core *c, const struct port *p, struct shaping_view *ret, struct nd_error *e)
{
	*ret = (struct shaping_view){
		.bandwidth = bandwidth_set, .own = bandwidth_set.given, .in_force = true, .queue = "bfifo"
	};
	if (!bandwidth_set.given)
		external_bandwidth(p, &ret->bandwidth);
	return 0;
}

int port_drops(struct core *c, const struct port *p, uint64_t ret[NAT_DROP_CNT_], struct nd_error *e)
{
	memset(ret, 0, NAT_DROP_CNT_ * sizeof(ret[0]));
	ret[NAT_DROP_MAC] = 3;
	ret[NAT_DROP_ARP] = 2;
	return 0;
}

/* The server and one client */

struct fixture {
	struct settings settings;
	struct model model;
	struct core core;
	struct api_server *server;
	char dir[32], path[48];
	int fd;
	int fds[8];
	size_t fd_cnt;
	struct nd_buf in;
};

static struct network *add_network(struct fixture *f, const char *xml)
{
	struct netdef *d = NULL;
	struct network *n;

	assert_int_equal(netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, NULL), 0);
	n = model_network_new(&d->uuid, d->name);
	n->config = d;
	assert_int_equal(model_network_add(&f->model, n), 0);
	return n;
}

static void fill_model(struct fixture *f)
{
	struct nd_uuid uuid = { { 1 } };
	struct network *lab = add_network(f, LAB_XML);
	struct port *p = model_port_new(&uuid);

	add_network(f, IDLE_XML);
	lab->live = netdef_copy(lab->config);
	lab->state = NETWORK_ACTIVE;
	lab->ifindex = 7;
	assert_true(model_network_set_bridge(&f->model, lab, "virbr3"));
	nd_mac_from_string("52:54:00:00:00:01", &p->mac);
	strcpy(p->name, "vm1");
	strcpy(p->ifname, "vnet0");
	p->ifindex = 9;
	p->mark = NAT_MARK_BASE | 1;
	p->queue_cnt = 1;
	p->vnet_hdr = true;
	p->ip4 = 0x0a070002;
	assert_int_equal(model_port_add(&f->model, lab, p), 0);
}

static int connect_client(struct fixture *f)
{
	int fd;

	assert_int_equal(nd_sock_connect(f->path, &fd, NULL), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int listener;

	bandwidth_set = (struct portdef_bandwidth){ .given = false };
	strcpy(f->dir, "/tmp/netd-api-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	peer_level = ACCESS_ADMIN;
	pending = (struct network_done){ NULL };
	model_init(&f->model);
	model_broken_put(&f->model, "torn", "torn.xml: line 1");
	f->core = (struct core){ .loop = ev_loop_new(EVFLAG_AUTO),
				 .settings = &f->settings,
				 .model = &f->model,
				 .events = events_new() };
	fill_model(f);
	assert_int_equal(nd_sock_listen(f->path, 0600, (gid_t)-1, 16, &listener, NULL), 0);
	assert_int_equal(api_server_new(&f->core, listener, &f->server, NULL), 0);
	f->fd = connect_client(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	api_server_free(f->server);
	nd_buf_done(&f->in);
	events_free(f->core.events);
	ev_loop_destroy(f->core.loop);
	model_done(&f->model);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void turn(struct fixture *f, int cnt)
{
	while (cnt-- > 0)
		ev_run(f->core.loop, EVRUN_NOWAIT);
}

/* The next frame of the connection, or NULL. */
static json_t *receive(struct fixture *f)
{
	char buf[65536];
	const uint8_t *end;
	json_t *reply = NULL;
	bool again;
	size_t got;
	ssize_t n = nd_sock_recv(f->fd, buf, sizeof(buf), f->fds, ARRAY_LEN(f->fds), &got, &again, NULL);

	if (n > 0)
		nd_buf_append(&f->in, buf, (size_t)n);
	if (got)
		f->fd_cnt = got;
	end = f->in.len ? memchr(f->in.p, 0, f->in.len) : NULL;
	if (!end)
		return NULL;
	assert_int_equal(api_frame_parse((const char *)f->in.p, (size_t)(end - f->in.p), &reply, NULL), 0);
	nd_buf_consume(&f->in, (size_t)(end - f->in.p) + 1);
	return reply;
}

static void send_call(struct fixture *f, const char *method, const char *params, bool more)
{
	nd_autofree char *text = NULL;
	int len = asprintf(&text, "{\"method\":\"%s\",\"parameters\":%s%s}", method, params,
			   more ? ",\"more\":true" : "");

	assert_int_equal(send(f->fd, text, (size_t)len + 1, MSG_NOSIGNAL), len + 1);
	turn(f, 2);
}

static json_t *call(struct fixture *f, const char *method, const char *params)
{
	char full[64];

	snprintf(full, sizeof(full), API_INTERFACE ".%s", method);
	send_call(f, full, params, false);
	return receive(f);
}

static void check_out(const char *method, const json_t *reply)
{
	const struct api_signature *m = api_signature_find(&api_netd, method);
	const char *bad = NULL;

	assert_non_null(m);
	if (!api_fields_check(m->out, m->out_cnt, json_object_get(reply, "parameters"), &bad))
		fail_msg("%s: reply's %s does not fit the row", method, bad);
}

static const struct {
	const char *method, *params;
	const char *part; /* JSON that the reply contains; or the error's name */
	const char *text; /* the error's text */
} rows[] = {
	{ "GetVersion", "{}", "\"version\":\"" NETD_VERSION "\"", NULL },
	{ "ListNetworks", "{}", "\"name\":\"idle\"", NULL },
	{ "ListNetworks", "{\"filter\":[\"inactive\",\"persistent\"]}",
	  "{\"networks\":[{\"name\":\"idle\",\"uuid\":\"00000000-0000-4000-8000-000000000001\",\"state\":"
	  "\"inactive\","
	  "\"active\":false,\"persistent\":true,\"autostart\":\"no\",\"bridge\":\"brx\",\"forward\":"
	  "\"isolated\","
	  "\"subnets\":[],\"subnetChosen\":false,\"dhcpRanges\":[],\"ports\":0,\"foreignPorts\":0}]}",
	  NULL },
	{ "ListNetworks", "{\"filter\":[\"transient\"]}", "{\"networks\":[]}", NULL },
	{ "ListNetworks", "{\"filter\":[\"odd\"]}", "org.varlink.service.InvalidParameter", NULL },
	{ "GetNetwork", "{\"name\":\"lab\"}",
	  "{\"name\":\"lab\",\"uuid\":\"" LAB_UUID
	  "\",\"state\":\"active\",\"active\":true,\"persistent\":true,"
	  "\"autostart\":\"no\",\"bridge\":\"virbr3\",\"ifindex\":7,\"forward\":\"nat\",\"subnets\":[\"10.7."
	  "0.1/24\"],"
	  "\"subnetChosen\":false,\"dhcpRanges\":[{\"start\":\"10.7.0.2\",\"end\":\"10.7.0.9\"}],"
	  "\"domain\":\"lab.test\",\"mtu\":1400,\"ports\":1,\"foreignPorts\":0}",
	  NULL },
	{ "GetNetwork", "{\"name\":\"" LAB_UUID "\"}", "\"name\":\"lab\"", NULL },
	{ "GetNetwork", "{\"name\":\"none\"}", "io.netd.NotFound",
	  "Network not found: no network with matching name 'none'" },
	{ "StartNetwork", "{\"name\":\"torn\"}", "io.netd.NotFound",
	  "Network not found: no network with matching name 'torn': its definition is broken: torn.xml: line "
	  "1" },
	{ "DumpNetwork", "{\"name\":\"lab\"}", "\"xml\":\"<live/>\"", NULL },
	{ "DumpNetwork", "{\"name\":\"lab\",\"inactive\":true}", "\"xml\":\"<inactive/>\"", NULL },
	{ "DefineNetwork", "{\"xml\":\"\"}",
	  "\"warnings\":[{\"line\":7,\"element\":\"dns\",\"text\":\"not known\"}]", NULL },
	{ "CreateNetwork", "{\"xml\":\"\"}", "io.netd.Parse", "line 1" },
	{ "CreatePort", "{\"network\":\"lab\",\"xml\":\"\"}",
	  "\"warnings\":[{\"line\":7,\"element\":\"foo\",\"text\":\"not known\"}]", NULL },
	{ "CreatePort", "{\"network\":\"lab\",\"xml\":\"\",\"validate\":true}", "io.netd.Invalid",
	  "network port has no uuid" },
	{ "CreatePort", "{\"network\":\"none\",\"xml\":\"\"}", "io.netd.NotFound",
	  "Network not found: no network with matching name 'none'" },
	{ "DumpPort", "{\"port\":\"vm1\"}", "{\"xml\":\"<networkport/>\"}", NULL },
	{ "DumpPort", "{\"port\":\"none\"}", "io.netd.NotFound",
	  "port 'none': no port has this uuid, name, interface or MAC" },
	{ "DestroyNetwork", "{\"name\":\"lab\"}", "io.netd.Busy", "it has 1 live port: vm1" },
	{ "DestroyNetwork", "{\"name\":\"lab\",\"force\":true}", "{}", NULL },
	{ "UndefineNetwork", "{\"name\":\"idle\"}", "{}", NULL },
	{ "SetAutostart", "{\"name\":\"idle\",\"mode\":\"on-attach\"}", "\"autostart\":\"on-attach\"", NULL },
	{ "SetAutostart", "{\"name\":\"idle\",\"mode\":\"maybe\"}", "org.varlink.service.InvalidParameter",
	  NULL },
	{ "ListLeases", "{\"name\":\"lab\"}",
	  "{\"leases\":[{\"expiry\":1795236365,\"mac\":\"00:00:00:00:00:00\",\"address\":\"10.7.0.2\","
	  "\"prefix\":24,"
	  "\"state\":\"bound\",\"hostname\":\"guest\",\"clientId\":\"01:ab\"},{\"mac\":\"00:00:00:00:00:00\","
	  "\"address\":\"10.7.0.3\",\"prefix\":24,\"state\":\"declined\"}]}",
	  NULL },
	{ "ReleaseLease", "{\"name\":\"lab\",\"lease\":\"10.7.0.2\"}", "\"address\":\"10.7.0.2\"", NULL },
	{ "ReleaseLease", "{\"name\":\"lab\",\"lease\":\"52:54:00:00:00:07\"}",
	  "\"mac\":\"52:54:00:00:00:07\"", NULL },
	{ "ReleaseLease", "{\"name\":\"lab\",\"lease\":\"10.7.0.9\"}", "io.netd.NotFound", "no such lease" },
	{ "ReleaseLease", "{\"name\":\"lab\",\"lease\":\"fd00::1\"}", "io.netd.Invalid",
	  "'fd00::1' is neither an IPv4 nor a MAC address" },
	{ "ReleaseLease", "{\"name\":\"none\",\"lease\":\"10.7.0.9\"}", "io.netd.NotFound",
	  "Network not found: no network with matching name 'none'" },
	{ "ListLeases", "{\"name\":\"lab\",\"mac\":\"x\"}", "io.netd.Invalid",
	  "mac: 'x' is not a MAC address" },
	{ "ListLeases", "{\"name\":\"lab\",\"mac\":\"01:00:00:00:00:00\"}", "io.netd.Invalid",
	  "mac: '01:00:00:00:00:00' is not a unicast address" },
	{ "ListPorts", "{}", "\"interface\":\"vnet0\"", NULL },
	{ "ListPorts", "{\"network\":\"idle\"}", "{\"ports\":[]}", NULL },
	{ "ListPorts", "{\"network\":\"none\"}", "io.netd.NotFound",
	  "Network not found: no network with matching name 'none'" },
	{ "GetPort", "{\"port\":\"52:54:00:00:00:01\"}",
	  "\"drops\":5,\"dropReasons\":[{\"name\":\"mac\",\"value\":3},{\"name\":\"arp\",\"value\":2}]}",
	  NULL },
	{ "GetPort", "{\"port\":\"vm1\"}",
	  "\"address\":\"10.7.0.2\",\"state\":\"attached\",\"external\":false,\"mtu\":1400", NULL },
	{ "GetPort", "{\"port\":\"vm2\"}", "io.netd.NotFound",
	  "port 'vm2': no port has this uuid, name, interface or MAC" },
	{ "GetPortBandwidth", "{\"port\":\"vm1\"}",
	  "{\"inbound\":{\"average\":7,\"peak\":0,\"burst\":0,\"floor\":0},\"outbound\":{\"average\":8,"
	  "\"peak\":9,"
	  "\"burst\":0},\"own\":false,\"inForce\":true,\"queue\":\"bfifo\"}",
	  NULL },
	{ "SetPortBandwidth",
	  "{\"port\":\"vm1\",\"inbound\":{\"average\":1,\"peak\":2,\"burst\":3,\"floor\":4}}",
	  "{\"inbound\":{\"average\":1,\"peak\":2,\"burst\":3,\"floor\":4},\"outbound\":{\"average\":8,"
	  "\"peak\":9,"
	  "\"burst\":0},\"own\":true,",
	  NULL },
	{ "SetPortBandwidth", "{\"port\":\"vm1\",\"outbound\":{\"average\":0}}",
	  "\"outbound\":{\"average\":0,\"peak\":0,\"burst\":0}", NULL },
	{ "SetPortBandwidth", "{\"port\":\"vm1\",\"outbound\":{\"average\":1,\"floor\":1}}",
	  "io.netd.Invalid", "'floor' attribute allowed only in <inbound> element" },
	{ "SetPortBandwidth", "{\"port\":\"vm1\",\"inbound\":{\"average\":0,\"peak\":1}}", "io.netd.Invalid",
	  "inbound: a peak or burst needs an average" },
	{ "SetPortBandwidth", "{\"port\":\"vm1\",\"inbound\":{\"average\":-1}}", "io.netd.Invalid",
	  "inbound: average: -1 is below 0" },
	{ "SetPortBandwidth", "{\"port\":\"vm1\",\"inbound\":{\"average\":0,\"floor\":101}}", "io.netd.Limit",
	  "too much" },
	{ "SetPortBandwidth", "{\"port\":\"none\"}", "io.netd.NotFound",
	  "port 'none': no port has this uuid, name, interface or MAC" },
	{ "Detach", "{\"port\":\"vm1\"}", "{}", NULL },
	{ "Attach", "{\"network\":\"lab\",\"queues\":0}", "io.netd.Invalid",
	  "queues: 0 is not within 1 and 64" },
	{ "Attach", "{\"network\":\"none\"}", "io.netd.NotFound", "none" },
	{ "Doctor", "{\"fix\":true}",
	  "{\"checks\":[{\"name\":\"tun\",\"result\":\"ok\",\"text\":\"opens\",\"fixed\":true}],\"failed\":"
	  "0}",
	  NULL },
	{ "Doctor", "{\"network\":\"lab\"}",
	  "{\"name\":\"dhcp\",\"network\":\"lab\",\"result\":\"failed\",\"text\":\"no "
	  "offer\",\"command\":\"x\","
	  "\"fixed\":false}],\"failed\":1}",
	  NULL },
	{ "Doctor", "{\"network\":\"none\"}", "io.netd.NotFound", NULL },
	{ "Explain", "{\"from\":\"vm1\",\"to\":\"1.1.1.1\",\"port\":443}",
	  "{\"stages\":[{\"stage\":\"forward\",\"verdict\":\"drop\",\"text\":\"policy drop\"}],"
	  "\"verdict\":\"drop\",\"text\":\"vm1 to 1.1.1.1, 6, 443\"}",
	  NULL },
	{ "Explain", "{\"from\":\"vm1\",\"to\":\"host\"}", "\"text\":\"vm1 to host, 1, 0\"", NULL },
	{ "Explain", "{\"from\":\"none\",\"to\":\"host\"}", "io.netd.NotFound", "'none' is no port" },
	{ "Explain", "{\"from\":\"a\",\"to\":\"b\",\"protocol\":\"sctp\"}", "io.netd.Invalid",
	  "protocol: 'sctp' is not tcp, udp or icmp" },
	{ "Explain", "{\"from\":\"a\",\"to\":\"b\",\"protocol\":\"udp\"}", "io.netd.Invalid",
	  "port: tcp and udp want one within 1 and 65535, icmp none" },
	{ "GetCounters", "{}", "{\"networks\":2,\"activeNetworks\":", NULL },
	{ "Reload", "{}", "{\"broken\":3}", NULL },
	{ "ListNetworks", "{\"filter\":[\"no-autostart\",\"active\"]}", "\"name\":\"lab\"", NULL },
	{ "DefineNetwork", "{\"xml\":\"" ODD_XML "\",\"validate\":true}", "io.netd.Invalid",
	  "XML document failed to validate against schema: unknown element" },
	{ "DefineNetwork", "{\"xml\":\"" ODD_XML "\"}", "\"name\":\"lab\"", NULL },
	{ "DefineNetwork", "{\"xml\":\"<network><name>x</name></network>\",\"validate\":true}",
	  "\"name\":\"lab\"", NULL },
	{ "CreateNetwork", "{\"xml\":\"<\",\"validate\":true}", "io.netd.Parse", NULL },
	{ "PlanNetwork", "{\"xml\":\"<network><name>lab</name></network>\"}",
	  "{\"plan\":{\"name\":\"lab\",\"new\":false,\"active\":true,\"config\":\"live\",\"live\":"
	  "\"restart\","
	  "\"start\":false,\"fields\":[\"mtu@size\",\"ip/dhcp/host\"],\"guests\":[\"vm1\"]}}",
	  NULL },
	{ "PlanNetwork",
	  "{\"xml\":\"<network xmlns:netd='urn:netd:network:1'><name>new</name>"
	  "<netd:autostart mode='boot'/></network>\"}",
	  "{\"plan\":{\"name\":\"new\",\"new\":true,\"active\":false,\"config\":\"none\",\"live\":\"none\","
	  "\"start\":true,\"fields\":[],\"guests\":[]}}",
	  NULL },
	{ "PlanNetwork",
	  "{\"xml\":\"<network><name>x</name><ip address='10.9.0.1' prefix='24'/></network>\"}",
	  "io.netd.Conflict", "taken" },
	{ "PlanNetwork", "{\"xml\":\"\"}", "io.netd.Parse", NULL },
	{ "UpdateNetwork",
	  "{\"name\":\"lab\",\"command\":\"add\",\"section\":\"ip-dhcp-host\",\"xml\":\"<host/"
	  ">\",\"live\":true}",
	  "\"name\":\"lab\"", NULL },
	{ "UpdateNetwork", "{\"name\":\"lab\",\"command\":\"none\",\"section\":\"ip\",\"xml\":\"\"}",
	  "org.varlink.service.InvalidParameter", NULL },
	{ "UpdateNetwork", "{\"name\":\"lab\",\"command\":\"add\",\"section\":\"odd\",\"xml\":\"\"}",
	  "org.varlink.service.InvalidParameter", NULL },
	{ "UpdateNetwork", "{\"name\":\"none\",\"command\":\"add\",\"section\":\"ip\",\"xml\":\"\"}",
	  "io.netd.NotFound", "Network not found: no network with matching name 'none'" },
	{ "GetMetadata", "{\"name\":\"lab\",\"type\":\"description\"}", "{\"value\":\"Lab\"}", NULL },
	{ "GetMetadata", "{\"name\":\"lab\",\"type\":\"title\"}", "io.netd.NotFound", "no title" },
	{ "GetMetadata", "{\"name\":\"lab\",\"type\":\"element\",\"uri\":\"urn:x\"}", "{\"value\":\"urn:x\"}",
	  NULL },
	{ "GetMetadata", "{\"name\":\"lab\",\"type\":\"odd\"}", "org.varlink.service.InvalidParameter",
	  NULL },
	{ "SetMetadata", "{\"name\":\"lab\",\"type\":\"odd\"}", "org.varlink.service.InvalidParameter",
	  NULL },
	{ "SetMetadata",
	  "{\"name\":\"lab\",\"type\":\"element\",\"value\":\"<a/>\",\"key\":\"k\",\"uri\":\"urn:x\","
	  "\"live\":true,\"config\":true}",
	  "\"name\":\"lab\"", NULL },
	{ "ApplyNetwork", "{\"xml\":\"\"}", "io.netd.State",
	  "mtu@size can change only by a restart of the network" },
	{ "ApplyNetwork", "{\"xml\":\"\",\"restart\":true}", "\"name\":\"lab\"", NULL },
	{ "AddForward", "{\"network\":\"lab\",\"port\":22,\"guest\":\"web\"}", "io.netd.Busy",
	  "TCP port 22 is taken by sshd (pid 7)" },
	{ "AddForward", "{\"network\":\"lab\",\"port\":0,\"guest\":\"web\"}",
	  "org.varlink.service.InvalidParameter", NULL },
	{ "AddForward", "{\"network\":\"lab\",\"port\":65536,\"guest\":\"web\"}",
	  "org.varlink.service.InvalidParameter", NULL },
	{ "AddForward", "{\"network\":\"lab\",\"protocol\":\"icmp\",\"port\":1,\"guest\":\"web\"}",
	  "org.varlink.service.InvalidParameter", NULL },
	{ "AddForward", "{\"network\":\"lab\",\"address\":\"here\",\"port\":1,\"guest\":\"web\"}",
	  "org.varlink.service.InvalidParameter", NULL },
	{ "AddForward", "{\"network\":\"none\",\"port\":1,\"guest\":\"web\"}", "io.netd.NotFound", NULL },
	{ "ListForwards", "{}",
	  "{\"forwards\":[{\"network\":\"lab\",\"protocol\":\"tcp\",\"port\":80,\"portEnd\":80,\"guest\":"
	  "\"web\",\"guestPort\":80,\"state\":\"taken\",\"reason\":\"by nginx\"}",
	  NULL },
	{ "ListForwards", "{\"network\":\"none\"}", "io.netd.NotFound", NULL },
	{ "RemoveForward",
	  "{\"network\":\"lab\",\"protocol\":\"udp\",\"address\":\"::2\",\"port\":53,\"config\":true}",
	  "\"name\":\"lab\"", NULL },
};

static void test_rows(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *reply = call(f, rows[i].method, rows[i].params), *params;
		nd_autofree char *text = NULL;
		const char *error;

		assert_non_null(reply);
		params = json_object_get(reply, "parameters");
		error = api_get_string(reply, "error");
		text = params ? json_dumps(params, JSON_COMPACT) : strdup("{}");
		if (error)
			assert_string_equal(error, rows[i].part);
		else
			check_out(rows[i].method, reply);
		if (!error && !strstr(text, rows[i].part))
			fail_msg("%s %s: %s", rows[i].method, rows[i].params, text);
		if (rows[i].text)
			assert_string_equal(api_get_string(params, "text"), rows[i].text);
		json_decref(reply);
	}
}

static void test_changes(void **state)
{
	test_rows(state);
	assert_int_equal(updated.command, NETDEF_COMMAND_ADD_LAST);
	assert_int_equal(updated.section, NETDEF_SECTION_DHCP_HOST);
	assert_int_equal(updated.parent, -1);
	assert_int_equal(updated.targets, CHANGE_LIVE);
	assert_string_equal(changed, "2 <a/> k urn:x 3");
	assert_string_equal(published, "remove udp ::2:53-0 -:0 2");
}

static void test_start_waits_for_the_disk(void **state)
{
	struct fixture *f = *state;
	struct nd_error e = ND_ERROR_INIT;
	json_t *reply = call(f, "StartNetwork", "{\"name\":\"idle\"}");

	assert_null(reply);
	assert_non_null(pending.fn);
	pending.fn(pending.arg, model_network_by_name(&f->model, "idle"), &e);
	reply = receive(f);
	assert_non_null(reply);
	check_out("StartNetwork", reply);
	json_decref(reply);
	/* once more, and nobody is there any longer when it is done */
	assert_null(call(f, "StartNetwork", "{\"name\":\"idle\"}"));
	api_server_free(take_ptr(f->server));
	nd_fail(&e, ND_CONFLICT, "10.7.0.0/24 is taken");
	pending.fn(pending.arg, NULL, &e);
}

static void test_attach(void **state)
{
	struct fixture *f = *state;
	json_t *reply =
		call(f, "Attach",
		     "{\"network\":\"lab\",\"name\":\"vm1\",\"mac\":\"52:54:00:00:00:07\",\"queues\":3,"
		     "\"vnetHeader\":false}");
	const json_t *params = json_object_get(reply, "parameters");

	assert_non_null(reply);
	check_out("Attach", reply);
	assert_int_equal(f->fd_cnt, 3);
	assert_int_equal(json_array_size(json_object_get(params, "tapFileDescriptors")), 3);
	assert_int_equal(json_array_size(json_object_get(params, "vhostFileDescriptors")), 0);
	assert_true(attached.mac_set);
	assert_int_equal(attached.mac.b[5], 7);
	assert_int_equal(attached.uid, getuid());
	assert_int_equal(attached.pid, getpid());
	assert_false(attached.vnet_hdr);
	for (size_t i = 0; i < f->fd_cnt; i++)
		close(f->fds[i]);
	json_decref(reply);
}

static long long next_number(struct fixture *f, const char *object, const char *name)
{
	json_t *reply = receive(f);
	const json_t *params = json_object_get(reply, "parameters");
	long long n;

	assert_non_null(reply);
	assert_true(api_get_bool(reply, "continues", false));
	check_out("Monitor", reply);
	n = api_get_int(object ? json_object_get(params, object) : params, name, -1);
	json_decref(reply);
	return n;
}

static void say(struct fixture *f)
{
	events_say(f->core.events, EVENT_NETWORK_STARTED, model_network_by_name(&f->model, "lab"), NULL,
		   "said");
}

static void test_monitor(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < EVENT_RING + 10; i++)
		say(f);
	send_call(f, "io.netd.Monitor", "{\"after\":3}", true);
	assert_int_equal(next_number(f, NULL, "lost"), 7);
	for (int i = 0; i < EVENT_RING; i++) {
		assert_int_equal(next_number(f, "event", "sequence"), 11 + i);
		turn(f, 1);
	}
	assert_null(receive(f));
	say(f);
	turn(f, 1);
	assert_int_equal(next_number(f, "event", "sequence"), EVENT_RING + 11);
	/* a number of another daemon's: all there is */
	close(f->fd);
	turn(f, 2);
	f->fd = connect_client(f);
	send_call(f, "io.netd.Monitor", "{\"after\":500,\"epoch\":1}", true);
	assert_int_equal(next_number(f, NULL, "lost"), 11);
	assert_int_equal(next_number(f, "event", "sequence"), 12);
	f->in.len = 0;
	close(f->fd);
	turn(f, 2);
	f->fd = connect_client(f);
	send_call(f, "io.netd.Monitor", "{}", true);
	assert_int_equal(next_number(f, NULL, "epoch"), (long long)events_epoch(f->core.events));
	/* without 'after': only what comes */
	close(f->fd);
	turn(f, 2);
	say(f);
	f->fd = connect_client(f);
	send_call(f, "io.netd.Monitor", "{}", true);
	assert_int_equal(next_number(f, NULL, "last"), EVENT_RING + 12);
	assert_null(receive(f));
	/* one that reads nothing is cut and lets go of the ring */
	for (int i = 0; i < 20000; i++)
		say(f);
	turn(f, 2);
	api_server_free(take_ptr(f->server));
	say(f);
}

static void test_service(void **state)
{
	struct fixture *f = *state;
	json_t *reply;

	send_call(f, "org.varlink.service.GetInfo", "{}", false);
	reply = receive(f);
	assert_int_equal(json_array_size(json_object_get(json_object_get(reply, "parameters"), "interfaces")),
			 2);
	json_decref(reply);
	send_call(f, "org.varlink.service.GetInterfaceDescription", "{\"interface\":\"io.netd\"}", false);
	reply = receive(f);
	assert_non_null(strstr(api_get_string(json_object_get(reply, "parameters"), "description"),
			       "\nmethod Attach("));
	json_decref(reply);
	send_call(f, "org.varlink.service.GetInterfaceDescription", "{\"interface\":\"io\"}", false);
	reply = receive(f);
	assert_string_equal(api_get_string(reply, "error"), "org.varlink.service.InterfaceNotFound");
	json_decref(reply);
}

/* One who is no administrator has so many; with no place left at all the reason is the answer. */
static void test_full_house(void **state)
{
	struct fixture *f = *state;
	int fds[1100], cnt = 0, own = f->fd;
	struct nd_error e = ND_ERROR_INIT;
	char buf[1024];
	bool again;
	ssize_t n;

	turn(f, 1);
	for (int pass = 0; pass < 2; pass++) {
		peer_level = pass == 0 ? ACCESS_NONE : ACCESS_ADMIN;
		do {
			fds[cnt] = connect_client(f);
			turn(f, 1);
			n = nd_sock_recv(fds[cnt], buf, sizeof(buf), NULL, 0, NULL, &again, &e);
			cnt++;
		} while (again && cnt < (int)ARRAY_LEN(fds));
		assert_true(n > 0);
		assert_non_null(strstr(buf, "io.netd.Limit"));
		assert_int_equal(cnt, pass == 0 ? 128 : 1025); /* with ours, and without the refused ones */
	}
	while (cnt-- > 0)
		close(fds[cnt]);
	turn(f, 3);
	f->fd = own;
	json_decref(call(f, "GetVersion", "{}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_waits_for_the_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_monitor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_service, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_house, setup, teardown),
	};
	struct rlimit files = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &files);
	nd_log_init("test", ND_LOG_ERR); /* events are logged, and there are many */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

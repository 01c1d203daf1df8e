// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what happens to a packet, stage by stage (see explain.h) */
#include "netd/core/explain.h"
#include "base/file.h"
#include "base/link.h"
#include "base/mem.h"
#include "foreign/route.h"
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdarg.h>

static const char *const verdict_names[EXPLAIN_VERDICT_CNT_] = {
	[EXPLAIN_PASS] = "pass",
	[EXPLAIN_DROP] = "drop",
	[EXPLAIN_REJECT] = "reject",
	[EXPLAIN_UNSURE] = "unsure",
};
ND_STRTAB(explain_verdict, verdict_names)

enum end_kind { END_OUTSIDE, END_HOST, END_GUEST, END_ADDRESS };
struct end {
	enum end_kind kind;
	struct nd_ip ip;          /* family 0: not known yet */
	char name[80];            /* for people */
	char ifname[ND_IFNAMSIZ]; /* of a port of netd's */
	int ifindex;
	struct nd_mac mac;
	bool has_net;
	struct probe_net net; /* of a guest */
};
struct explain_job {
	struct foreign_job j;
	struct explain_done done;
	struct end from, to;
	uint8_t proto;
	uint16_t port;
	struct explain_result *r;
	struct foreign_ruleset *rs;
	struct nd_nl *nl;
	struct foreign_routes routes;
	struct foreign_packet p;
	bool unsure;
};

/* ---- saying ---- */

static void say(struct explain_job *x, const char *name, enum explain_verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void say(struct explain_job *x, const char *name, enum explain_verdict verdict, const char *fmt, ...)
{
	struct explain_stage *s;
	va_list ap;
	if (x->r->cnt == EXPLAIN_STAGES_MAX)
		return;
	s = &x->r->stages[x->r->cnt++];
	s->name = name;
	s->verdict = verdict;
	va_start(ap, fmt);
	vsnprintf(s->text, sizeof s->text, fmt, ap);
	va_end(ap);
}

static void conclude(struct explain_job *x, enum explain_verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void conclude(struct explain_job *x, enum explain_verdict verdict, const char *fmt, ...)
{
	const char *proto = x->proto == IPPROTO_TCP ? "tcp" : x->proto == IPPROTO_UDP ? "udp" : "ping";
	char port[16] = "", why[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	if (x->port)
		snprintf(port, sizeof port, " port %u", x->port);
	x->r->verdict = verdict == EXPLAIN_PASS && x->unsure ? EXPLAIN_UNSURE : verdict;
	snprintf(x->r->text, sizeof x->r->text, "%s from %s to %s%s %s: %s", proto, x->from.name, x->to.name,
		 port,
		 verdict == EXPLAIN_PASS   ? (x->unsure ? "may pass" : "passes")
		 : verdict == EXPLAIN_DROP ? "is dropped"
					   : "is rejected",
		 why);
}

static enum explain_verdict verdict_of(enum foreign_outcome o)
{
	return o == FOREIGN_ACCEPT ? EXPLAIN_PASS : o == FOREIGN_DROP ? EXPLAIN_DROP : EXPLAIN_REJECT;
}

/* A hook's chains. Return: whether the packet goes on. */
static bool hook(struct explain_job *x, const char *name, enum foreign_layer layer, unsigned number)
{
	struct foreign_decision d;
	char text[400];
	foreign_decide(x->rs, layer, number, false, &x->p, &x->routes, &d);
	for (size_t i = 0; i < d.step_cnt; i++) {
		const struct foreign_step *s = &d.steps[i];
		if (s->rule || s->outcome != FOREIGN_ACCEPT)
			say(x, name, verdict_of(s->outcome), "%s%s", probe_step_text(s, text, sizeof text),
			    s->translated ? " (translates)" : "");
	}
	for (size_t i = 0; i < d.uncertain_cnt; i++) {
		struct foreign_step s = { .chain = d.uncertain[i]->chain, .rule = d.uncertain[i] };
		say(x, name, EXPLAIN_UNSURE, "may match: %s", probe_step_text(&s, text, sizeof text));
	}
	x->unsure |= d.outcome == FOREIGN_ACCEPT ? d.uncertain_cnt > 0 && !d.certain : !d.certain;
	if (d.outcome == FOREIGN_ACCEPT) {
		if (!d.step_cnt)
			say(x, name, EXPLAIN_PASS, "no chain");
		else if (!x->r->cnt || x->r->stages[x->r->cnt - 1].name != name)
			say(x, name, EXPLAIN_PASS, "%zu %s, and no rule decides", d.step_cnt,
			    d.step_cnt == 1 ? "chain" : "chains");
		return true;
	}
	conclude(x, verdict_of(d.outcome), "%s",
		 probe_step_text(&d.steps[d.step_cnt - 1], text, sizeof text));
	return false;
}

/* ---- the stages ---- */

static bool port_isolated(struct explain_job *x, const struct end *e)
{
	struct nd_link link;
	return e->ifindex && nd_link_get(x->nl, e->ifindex, &link, NULL) == 0 && link.br_isolated_port;
}

/* From guest to guest of the same bridge: routing never sees it. */
static void within_bridge(struct explain_job *x)
{
	memcpy(x->p.physout, x->to.ifname, sizeof x->p.physout);
	memcpy(x->p.oif, x->from.net.bridge, sizeof x->p.oif);
	if (port_isolated(x, &x->from) && port_isolated(x, &x->to)) {
		say(x, "bridge", EXPLAIN_DROP, "both ports of %s are isolated", x->from.net.bridge);
		conclude(x, EXPLAIN_DROP, "guests of network '%s' are isolated from each other",
			 x->from.net.name);
		return;
	}
	if (!hook(x, "bridge", FOREIGN_BRIDGE, NF_INET_FORWARD) ||
	    !hook(x, "bridge", FOREIGN_BRIDGE, NF_INET_POST_ROUTING))
		return;
	conclude(x, EXPLAIN_PASS, "it stays within the bridge %s", x->from.net.bridge);
}

static bool bridge_in(struct explain_job *x)
{
	struct nd_link bridge;
	if (x->from.kind != END_GUEST || !x->from.ifname[0])
		return true;
	memcpy(x->p.physin, x->from.ifname, sizeof x->p.physin);
	x->p.ether_saddr = x->from.mac;
	if (x->to.kind == END_GUEST && x->to.has_net && nd_uuid_equal(&x->from.net.uuid, &x->to.net.uuid))
		x->p.ether_daddr = x->to.mac;
	else if (nd_link_get(x->nl, x->from.net.ifindex, &bridge, NULL) == 0)
		x->p.ether_daddr = bridge.mac;
	return hook(x, "bridge", FOREIGN_BRIDGE, NF_INET_PRE_ROUTING);
}

/* Return: false when it ends here. */
static bool route(struct explain_job *x, struct foreign_route *r)
{
	struct nd_ip none = { .family = 0 };
	struct nd_error e = ND_ERROR_INIT;
	char text[300], ip[ND_IP_STRLEN], via[ND_IP_STRLEN];
	bool own = x->from.kind == END_HOST;
	if (!x->p.daddr.family) {
		say(x, "routing", EXPLAIN_UNSURE,
		    "the destination was translated to one that is not known here");
		conclude(x, EXPLAIN_UNSURE, "where it is translated to is not known");
		return false;
	}
	if (foreign_route_get(x->nl, &x->p.daddr, own ? &none : &x->p.saddr, own ? "" : x->p.iif, r, &e) <
		    0 ||
	    r->type == RTN_UNREACHABLE || r->type == RTN_BLACKHOLE || r->type == RTN_PROHIBIT) {
		nd_error_format(&e, text, sizeof text);
		say(x, "routing", EXPLAIN_REJECT, "%s", e.code ? text : "an unreachable route");
		conclude(x, EXPLAIN_REJECT, "the host has no route to %s", nd_ip_to_string(&x->p.daddr, ip));
		return false;
	}
	if (r->type == RTN_LOCAL)
		say(x, "routing", EXPLAIN_PASS, "%s is the host's own address",
		    nd_ip_to_string(&x->p.daddr, ip));
	else if (r->gateway.family)
		say(x, "routing", EXPLAIN_PASS, "%s is reached by %s over %s",
		    nd_ip_to_string(&x->p.daddr, ip), nd_ip_to_string(&r->gateway, via), r->oif);
	else
		say(x, "routing", EXPLAIN_PASS, "%s is reached directly over %s",
		    nd_ip_to_string(&x->p.daddr, ip), r->oif);
	return true;
}

/* The way back of a connection that was let out: what passed one way may be dropped the other. */
static bool answers(struct explain_job *x)
{
	struct foreign_packet back = x->p, forth = x->p;
	memcpy(back.iif, forth.oif, sizeof back.iif);
	memcpy(back.oif, forth.iif, sizeof back.oif);
	back.iifindex = forth.oifindex;
	back.oifindex = forth.iifindex;
	back.saddr = forth.daddr;
	back.daddr = forth.saddr;
	back.sport = forth.dport;
	back.dport = forth.sport;
	back.ct = (forth.ct & ~FOREIGN_CT_NEW) | FOREIGN_CT_ESTABLISHED;
	back.reply = true;
	back.physin[0] = back.physout[0] = '\0';
	back.ether_saddr = (struct nd_mac){ { 0 } };
	back.icmp_type = 0;
	x->p = back;
	bool passes = hook(x, "answers", FOREIGN_IP, NF_INET_FORWARD);
	x->p = forth;
	return passes;
}

static void forward(struct explain_job *x, const struct foreign_route *r)
{
	char ip[ND_IP_STRLEN];
	memcpy(x->p.oif, r->oif, sizeof x->p.oif);
	x->p.oifindex = r->oifindex;
	if (x->from.kind != END_HOST) {
		const char *family =
			x->p.family == AF_INET6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward";
		char value[8] = "1";
		nd_sysctl_read(family, value, sizeof value, NULL);
		if (value[0] == '0') {
			say(x, "forward", EXPLAIN_DROP, "%s is 0", family);
			conclude(x, EXPLAIN_DROP, "the host does not forward (%s)", family);
			return;
		}
		if (!hook(x, "forward", FOREIGN_IP, NF_INET_FORWARD))
			return;
	}
	if (!hook(x, "postrouting", FOREIGN_IP, NF_INET_POST_ROUTING))
		return;
	if (x->from.kind != END_HOST && !answers(x))
		return;
	conclude(x, EXPLAIN_PASS, "it leaves by %s to %s%s", r->oif, nd_ip_to_string(&x->p.daddr, ip),
		 x->p.ct & FOREIGN_CT_SNAT ? ", with a source of the host's" : "");
}

static void walk(struct explain_job *x)
{
	struct foreign_route r;
	char ip[ND_IP_STRLEN];
	if (!bridge_in(x))
		return;
	if (x->from.has_net && x->to.has_net && nd_uuid_equal(&x->from.net.uuid, &x->to.net.uuid) &&
	    x->to.kind == END_GUEST) {
		within_bridge(x);
		return;
	}
	if (!hook(x, x->from.kind == END_HOST ? "output" : "prerouting", FOREIGN_IP,
		  x->from.kind == END_HOST ? NF_INET_LOCAL_OUT : NF_INET_PRE_ROUTING) ||
	    !route(x, &r))
		return;
	if (r.type != RTN_LOCAL) {
		forward(x, &r);
		return;
	}
	if (hook(x, "host", FOREIGN_IP, NF_INET_LOCAL_IN))
		conclude(x, EXPLAIN_PASS, "it is given to the host, at %s", nd_ip_to_string(&x->p.daddr, ip));
}

/* ---- on the thread ---- */

static const struct nd_ip outside4 = { AF_INET, { 1, 1, 1, 1 } };
static const struct nd_ip outside6 = { AF_INET6, { 0x26, 0x06, 0x47, 0, 0x47, 0, [15] = 0x11 } };

/* What was left open: where packets from there come in, and addresses. */
static int complete(struct explain_job *x, struct nd_error *e)
{
	uint8_t family = x->to.ip.family ? x->to.ip.family : x->from.ip.family ? x->from.ip.family : AF_INET;
	struct nd_ip none = { .family = 0 }, outside = family == AF_INET6 ? outside6 : outside4;
	struct foreign_route r = { .oifindex = 0 };
	if (x->from.kind == END_OUTSIDE)
		x->from.ip = outside;
	if (x->to.kind == END_OUTSIDE)
		x->to.ip = outside;
	if (x->to.kind == END_HOST && x->from.has_net)
		x->to.ip = family == AF_INET6 ? x->from.net.address6.ip : x->from.net.address4.ip;
	if (x->to.kind == END_HOST && !x->to.ip.family &&
	    foreign_route_get(x->nl, &outside, &none, "", &r, e) == 0)
		x->to.ip = r.prefsrc;
	if (e->code)
		return nd_wrap(e, "the host's own address");
	if (x->from.kind == END_HOST && foreign_route_get(x->nl, &x->to.ip, &none, "", &r, NULL) == 0)
		x->from.ip = r.prefsrc;
	else if (!x->from.has_net && foreign_route_get(x->nl, &x->from.ip, &none, "", &r, e) < 0)
		return nd_wrap(e, "where packets from %s come in", x->from.name);
	if (x->to.ip.family != family || (x->from.ip.family && x->from.ip.family != family))
		return nd_fail(e, ND_INVALID, "one of the two has no address of the other's family");
	x->p = (struct foreign_packet){ .family = family,
					.saddr = x->from.ip,
					.daddr = x->to.ip,
					.proto = x->proto,
					.ct = FOREIGN_CT_NEW };
	if (x->proto == IPPROTO_ICMP) {
		x->p.proto = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		x->p.icmp_type = family == AF_INET6 ? 128 : 8; /* echo request */
	} else {
		x->p.sport = 40000;
		x->p.dport = x->port;
	}
	if (x->from.kind != END_HOST) {
		memcpy(x->p.iif, x->from.has_net ? x->from.net.bridge : r.oif, sizeof x->p.iif);
		x->p.iifindex = x->from.has_net ? x->from.net.ifindex : r.oifindex;
	}
	return 0;
}

static int explain_run(struct foreign_job *job, struct nd_nl *nl, struct nd_error *e)
{
	struct explain_job *x = container_of(job, struct explain_job, j);
	x->nl = nl;
	x->routes = foreign_routes(nl);
	if (complete(x, e) < 0 || foreign_read(NULL, &x->rs, e) < 0)
		return e->code;
	walk(x);
	foreign_ruleset_free(x->rs);
	return 0;
}

/* ---- on the loop ---- */

static void explain_end(struct nd_job *job, const struct nd_error *e)
{
	struct explain_job *x = container_of(job, struct explain_job, j.job);
	x->done.fn(x->done.arg, e->code ? NULL : x->r, e);
	free(x->r);
	free(x);
}

/* The network whose subnet holds the address. */
static const struct network *network_of(const struct core *c, const struct nd_ip *ip, struct probe_net *ret)
{
	const struct network *n;
	nd_list_foreach(n, &c->model->networks, all) {
		if (!n->plan || !n->bridge[0])
			continue;
		probe_net_take(n, ret);
		if ((ret->address4.ip.family && nd_prefix_contains_ip(&ret->address4, ip)) ||
		    (ret->address6.ip.family && nd_prefix_contains_ip(&ret->address6, ip)))
			return n;
	}
	return NULL;
}

static void take_port(struct end *ret, const struct port *p)
{
	ret->kind = END_GUEST;
	ret->mac = p->mac;
	ret->ifindex = p->ifindex;
	memcpy(ret->ifname, p->ifname, sizeof ret->ifname);
}

static int read_address(const struct core *c, const char *word, struct end *ret)
{
	const struct network *n;
	const struct port *p;
	bool own;
	if (nd_ip_from_string(word, &ret->ip) < 0)
		return ND_INVALID;
	ret->kind = END_ADDRESS;
	n = network_of(c, &ret->ip, &ret->net);
	own = n &&
	      (nd_ip_equal(&ret->ip, &ret->net.address4.ip) || nd_ip_equal(&ret->ip, &ret->net.address6.ip));
	ret->has_net = n && !own;
	if (!ret->has_net)
		return 0;
	ret->kind = END_GUEST;
	nd_list_foreach(p, &n->ports, siblings) {
		if (p->ip4 && p->ip4 == nd_ip_to_ip4(&ret->ip))
			take_port(ret, p);
	}
	return 0;
}

static int read_end(const struct core *c, const char *word, struct end *ret, struct nd_error *e)
{
	const struct port *p;
	char ip[ND_IP_STRLEN];
	*ret = (struct end){ .kind = END_OUTSIDE };
	snprintf(ret->name, sizeof ret->name, "%.60s", word);
	if (!strcmp(word, "outside"))
		return 0;
	if (!strcmp(word, "host")) {
		ret->kind = END_HOST;
		return 0;
	}
	if (read_address(c, word, ret) == 0)
		return 0;
	p = model_port_find(c->model, word);
	if (!p)
		return nd_fail(e, ND_NOT_FOUND,
			       "'%s' is no address, no port's uuid, name, interface or MAC, and neither "
			       "'outside' nor 'host'",
			       word);
	if (!p->ip4)
		return nd_fail(e, ND_INVALID, "port '%s' has no address yet; give its address instead", word);
	take_port(ret, p);
	ret->ip = nd_ip_from_ip4(p->ip4);
	ret->has_net = true;
	probe_net_take(p->network, &ret->net);
	snprintf(ret->name, sizeof ret->name, "%.40s (%s)", p->name[0] ? p->name : p->ifname,
		 nd_ip_to_string(&ret->ip, ip));
	return 0;
}

void explain(struct core *c, const struct explain_request *req, struct explain_done done)
{
	struct explain_job *x = calloc(1, sizeof *x);
	struct nd_error e = ND_ERROR_INIT;
	if (x)
		x->r = calloc(1, sizeof *x->r);
	if (!x || !x->r) {
		nd_fail(&e, ND_MEMORY, "explain");
	} else if (read_end(c, req->from, &x->from, &e) == 0) {
		read_end(c, req->to, &x->to, &e);
	}
	if (!e.code && x->from.kind == x->to.kind &&
	    (x->from.kind == END_OUTSIDE || x->from.kind == END_HOST))
		nd_fail(&e, ND_INVALID, "from and to are both '%s'", req->from);
	if (e.code) {
		done.fn(done.arg, NULL, &e);
		if (x)
			free(x->r);
		free(x);
		return;
	}
	x->j.job.done = explain_end;
	x->j.run = explain_run;
	x->done = done;
	x->proto = req->proto;
	x->port = req->port;
	foreign_push(c->foreign, &x->j);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: published ports (see publish.h).
 *
 * The list is worked out anew whenever the network is looked at, and compared by its hash with what it was worked out for last. Only ports that do not
 * stand yet are compared with the host's sockets: one that a process binds later is the process's loss, as with any forwarding.
 */
#include "netd/core/publish.h"
#include "base/listener.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "bridge/bridge.h"
#include "netd/core/connections.h"
#include "netd/core/event.h"
#include "netd/core/policy.h"
#include <netinet/in.h>

static const char *const state_names[] = {
	[PUBLISH_INACTIVE] = "inactive",
	[PUBLISH_ACTIVE] = "active",
	[PUBLISH_WAITING] = "waiting",
	[PUBLISH_TAKEN] = "taken",
};
const char *publish_state_to_string(int v)
{
	return nd_strtab_to_string(state_names, ARRAY_LEN(state_names), v);
}

static const int families[] = { AF_INET, AF_INET6 };

static uint8_t protocol_of(const struct netdef_publish *p)
{
	return p->protocol == NETDEF_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}

static uint32_t last_port(const struct netdef_publish *p)
{
	return p->port_end ? p->port_end : p->port;
}

static void add(const struct network *n, const struct netdef_publish *p, const struct nd_ip *guest,
		uint32_t port, struct elements *ret)
{
	struct nat_config cfg;
	memset(&cfg, 0, sizeof cfg); /* they are compared as bytes */
	cfg.kind = NAT_PUBLISH;
	cfg.publish.protocol = protocol_of(p);
	cfg.publish.host = p->address;
	cfg.publish.port = (uint16_t)port;
	cfg.publish.guest = *guest;
	cfg.publish.guest_port = (uint16_t)((p->guest_port ? p->guest_port : p->port) + (port - p->port));
	nd_strcpy(cfg.publish.bridge, sizeof cfg.publish.bridge, n->bridge);
	elements_add(ret, &cfg);
}

/* Return: whether the guest has an address of that family, and the host's side is of it. */
static bool resolve(const struct network *n, const struct netdef_publish *p, int family, struct nd_ip *ret)
{
	return (!p->address.family || p->address.family == family) &&
	       policy_guest_address(n, p->guest, family, ret);
}

static void add_all(const struct network *n, const struct netdef_publish *p, struct elements *ret)
{
	struct nd_ip guest;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (!resolve(n, p, families[i], &guest))
			continue;
		for (uint32_t port = p->port; port <= last_port(p); port++)
			add(n, p, &guest, port, ret);
	}
}

static void wanted(const struct network *n, struct elements *ret)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	for (size_t i = 0; i < x->publish_cnt; i++)
		add_all(n, &x->publishes[i], ret);
}

static uint32_t hash_of(const struct elements *l)
{
	return nd_hash_bytes(l->p, l->cnt * sizeof l->p[0]) | 1; /* 0: never worked out */
}

enum resource_state publish_check(const struct core *c, const struct network *n)
{
	struct elements want = { .cnt = 0 };
	bool ok;
	if (netdef_rare(n->live)->publish_cnt == 0 && n->published.cnt == 0)
		return RESOURCE_OK;
	wanted(n, &want);
	ok = hash_of(&want) == n->published_for && elements_hold(c->nat, &n->published);
	elements_done(&want);
	return ok ? RESOURCE_OK : RESOURCE_MISSING;
}

/* ---- who else has it ---- */

static bool same_place(const struct nat_publish *a, const struct nat_publish *b)
{
	return a->protocol == b->protocol && a->port == b->port && a->guest.family == b->guest.family &&
	       (!a->host.family || !b->host.family || nd_ip_equal(&a->host, &b->host));
}

static const struct network *other_network(const struct core *c, const struct network *n,
					   const struct nat_publish *p)
{
	const struct network *other;
	nd_list_foreach(other, &c->model->networks, all) {
		for (size_t i = 0; other != n && i < other->published.cnt; i++) {
			if (same_place(&other->published.p[i].publish, p))
				return other;
		}
	}
	return NULL;
}

/* l: NULL where they could not be read: then nobody listens that we know of. */
static int refused(const struct core *c, const struct network *n, const struct nd_listeners *l,
		   const struct nat_publish *p, struct nd_error *e)
{
	const struct network *other = other_network(c, n, p);
	struct nd_ip any = { .family = p->guest.family };
	const struct nd_listener *s =
		l ? nd_listeners_find(l, p->protocol, p->host.family ? &p->host : &any, p->port) : NULL;
	const char *protocol = p->protocol == IPPROTO_UDP ? "UDP" : "TCP";
	char holder[ND_HOLDER_LEN];
	if (other)
		return nd_fail(e, ND_EXISTS, "%s port %u is published by network '%s'", protocol,
			       (unsigned)p->port, other->name);
	if (s)
		return nd_fail(e, ND_BUSY, "%s port %u is taken by %s", protocol, (unsigned)p->port,
			       nd_listener_holder(s, holder));
	return 0;
}

static struct nd_listeners *read_listeners(struct nd_listeners *buf)
{
	struct nd_error e = ND_ERROR_INIT;
	if (nd_listeners_read(buf, &e) == 0)
		return buf;
	nd_log_error(ND_LOG_WARNING, &e, "published ports");
	return NULL;
}

int publish_refused(struct core *c, const struct network *n, const struct netdef_publish *p,
		    struct nd_error *e)
{
	struct nd_listeners buf = { .cnt = 0 }, *l = read_listeners(&buf);
	int r = 0;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct nat_publish one = { .protocol = protocol_of(p),
					   .host = p->address,
					   .guest.family = (uint8_t)families[i] };
		if (p->address.family && p->address.family != families[i])
			continue;
		for (uint32_t port = p->port; r == 0 && port <= last_port(p); port++) {
			one.port = (uint16_t)port;
			r = refused(c, n, l, &one, e);
		}
	}
	nd_listeners_done(l);
	return r;
}

/* Those of want that are free. What stands already is. */
static void keep_free(struct core *c, const struct network *n, const struct elements *want,
		      struct elements *ret)
{
	struct nd_listeners buf = { .cnt = 0 }, *l = NULL;
	bool asked = false;
	for (size_t i = 0; i < want->cnt; i++) {
		struct nd_error e = ND_ERROR_INIT;
		if (!nat_holds(c->nat, &want->p[i])) {
			if (!asked)
				l = read_listeners(&buf);
			asked = true;
			if (refused(c, n, l, &want->p[i].publish, &e) < 0) {
				events_say(c->events, EVENT_FORWARD_TAKEN, n, NULL, "not published: %s",
					   nd_error_text(&e));
				continue;
			}
		}
		elements_add(ret, &want->p[i]);
	}
	ret->bad |= want->bad;
	nd_listeners_done(l);
}

/* ---- in force ---- */

static bool has(const struct elements *l, const struct nat_config *cfg)
{
	for (size_t i = 0; i < l->cnt; i++) {
		if (elements_same(&l->p[i], cfg))
			return true;
	}
	return false;
}

/* What is in both lists at the beginning is not looked at again: most changes are at the end. */
static void end_connections(struct core *c, const struct elements *was, const struct elements *now)
{
	size_t i = 0;
	while (i < was->cnt && i < now->cnt && elements_same(&was->p[i], &now->p[i]))
		i++;
	for (; i < was->cnt; i++) {
		const struct nat_publish *p = &was->p[i].publish;
		if (!has(now, &was->p[i]))
			connections_end(c->connections,
					&(struct nat_connections){ .protocol = p->protocol,
								   .orig_dst = p->host,
								   .orig_dst_port = p->port,
								   .reply_src = p->guest,
								   .reply_src_port = p->guest_port,
								   .translated = true });
	}
}

static bool is_loopback(const struct elements *l)
{
	for (size_t i = 0; i < l->cnt; i++) {
		const struct nd_ip *host = &l->p[i].publish.host;
		if (host->family == AF_INET && host->b[0] == 127)
			return true;
	}
	return false;
}

static void replace(struct core *c, struct network *n, struct elements *now, uint32_t hash)
{
	end_connections(c, &n->published, now);
	elements_done(&n->published);
	n->published = *now;
	n->published_for = hash;
}

int publish_apply(struct core *c, struct network *n, struct nd_error *e)
{
	struct elements want = { .cnt = 0 }, now = { .cnt = 0 };
	wanted(n, &want);
	keep_free(c, n, &want, &now);
	int r = elements_put(c->nat, &n->published, &now, e);
	if (r == 0 && is_loopback(&now))
		r = bridge_sysctl_route_localnet(n->bridge, true, e);
	if (r == 0 && !is_loopback(&now) && is_loopback(&n->published))
		r = bridge_sysctl_route_localnet(n->bridge, false, e);
	if (r == 0)
		replace(c, n, &now, hash_of(&want));
	else
		elements_done(&now);
	elements_done(&want);
	return r;
}

int publish_undo(struct core *c, struct network *n, struct nd_error *e)
{
	struct elements none = { .cnt = 0 };
	int r = elements_put(c->nat, &n->published, NULL, e);
	replace(c, n, &none, 0);
	return r;
}

/* ---- shown ---- */

static void find_state(struct core *c, const struct network *n, struct publish_status *s)
{
	struct elements l = { .cnt = 0 };
	struct nd_error e = ND_ERROR_INIT;
	s->state = n->live ? PUBLISH_WAITING : PUBLISH_INACTIVE;
	for (size_t i = 0; n->live && !s->guest.family && i < ARRAY_LEN(families); i++)
		resolve(n, s->publish, families[i], &s->guest);
	if (!s->guest.family)
		return;
	add_all(n, s->publish, &l);
	if (elements_hold(c->nat, &l)) {
		s->state = PUBLISH_ACTIVE;
	} else if (publish_refused(c, n, s->publish, &e) < 0) {
		s->state = PUBLISH_TAKEN;
		nd_strcpy(s->why, sizeof s->why, nd_error_text(&e));
	}
	elements_done(&l);
}

void publish_each(struct core *c, const struct network *n,
		  void (*fn)(void *arg, const struct publish_status *s), void *arg)
{
	const struct netdef_rare *x = netdef_rare(n->live ? n->live : n->config);
	for (size_t i = 0; i < x->publish_cnt; i++) {
		struct publish_status s = { .publish = &x->publishes[i] };
		find_state(c, n, &s);
		fn(arg, &s);
	}
}

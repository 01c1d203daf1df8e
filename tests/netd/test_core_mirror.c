// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the mirror follows the kernel, and what collides with a subnet. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/mirror.h"
#include "tests/fake/fake.h"
#include "tests/fake/kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
	struct mirror *m;
	struct nd_nl *nl, *events;
	struct mirror_change last;
};

#define OK(call)                                                      \
	do {                                                          \
		struct nd_error e = ND_ERROR_INIT;                    \
		if (call != 0)                                        \
			fail_msg("%s: %s", #call, nd_error_text(&e)); \
	} while (0)

static int setup(void **state)
{
	static const int groups[] = { RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  0 };
	struct fixture *f = calloc(1, sizeof(*f));

	fake_reset();
	f->m = mirror_new();
	OK(nd_nl_new(NETLINK_ROUTE, &f->nl, &e));
	OK(nd_nl_new(NETLINK_ROUTE, &f->events, &e));
	OK(nd_nl_subscribe(f->events, groups, &e));
	OK(mirror_load(f->m, f->nl, &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mirror_free(f->m);
	nd_nl_free(f->nl);
	nd_nl_free(f->events);
	free(f);
	return 0;
}

static int on_event(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct fixture *f = arg;

	return mirror_update(f->m, msg, &f->last, e);
}

static void follow(struct fixture *f)
{
	OK(nd_nl_receive(f->events, 0, on_event, f, &e));
}

static struct nd_prefix prefix(const char *text)
{
	struct nd_prefix p;

	assert_int_equal(nd_prefix_from_string(text, &p), 0);
	return p;
}

static int add_link(const char *name, bool up)
{
	struct nd_link l = { .kind = ND_LINK_VETH, .flags = up ? IFF_UP : 0, .carrier = true };

	nd_strcpy(l.name, sizeof(l.name), name);
	return fake_link_add(&l);
}

static void add_address(int ifindex, const char *text)
{
	struct nd_address a = { .ifindex = ifindex, .prefix = prefix(text) };

	assert_int_equal(fake_address_add(&a), 0);
}

static void del_address(int ifindex, const char *text)
{
	struct nd_address a = { .ifindex = ifindex, .prefix = prefix(text) };

	assert_int_equal(fake_address_del(&a), 0);
}

static struct nd_route route(const char *dst, int oif, const char *gateway)
{
	struct nd_route r = { .dst = prefix(dst),
			      .table = RT_TABLE_MAIN,
			      .oif = oif,
			      .type = RTN_UNICAST,
			      .scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK };

	if (gateway)
		assert_int_equal(nd_ip_from_string(gateway, &r.gateway), 0);
	return r;
}

/* "", or the collision: "address 10.0.0.1/32 eth0" */
static const char *say(bool found, const struct mirror_collision *c)
{
	static const char *const kinds[] = { "none", "address", "connected", "route" };
	static char text[100];
	char p[ND_PREFIX_STRLEN];

	text[0] = '\0';
	if (found)
		snprintf(text, sizeof(text), "%s %s %s", kinds[c->kind], nd_prefix_to_string(&c->prefix, p),
			 c->ifname);
	return text;
}

static const char *refuses(struct fixture *f, const char *subnet, int own)
{
	struct mirror_collision c;
	struct nd_prefix p = prefix(subnet);

	follow(f);
	return say(mirror_refuses(f->m, &p, own, &c), &c);
}

static const char *overlaps(struct fixture *f, const char *subnet, int own)
{
	struct mirror_collision c;
	struct nd_prefix p = prefix(subnet);

	follow(f);
	return say(mirror_overlaps(f->m, &p, own, &c), &c);
}

static void test_links(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true);

	follow(f);
	assert_true(f->last.what == MIRROR_LINK && !f->last.had && !f->last.gone && f->last.ifindex == i);
	assert_int_equal(mirror_link_by_name(f->m, "eth0")->ifindex, i);
	strcpy(fake_link_find("eth0")->name, "lan0");
	fake_link_changed(i);
	follow(f);
	assert_true(f->last.had);
	assert_string_equal(f->last.was.name, "eth0");
	assert_string_equal(f->last.link.name, "lan0");
	assert_null(mirror_link_by_name(f->m, "eth0"));
	assert_string_equal(mirror_link(f->m, i)->name, "lan0");
	add_address(i, "10.0.0.1/24");
	follow(f);
	fake_link_del(i);
	follow(f);
	assert_true(f->last.gone && f->last.had);
	assert_string_equal(f->last.link.name, "lan0");
	assert_null(mirror_link(f->m, i));
	assert_null(mirror_link_by_name(f->m, "lan0"));
	assert_string_equal(overlaps(f, "10.0.0.0/24", 0), "");
	/* its own deletion told twice, and an address of a link nobody knows */
	struct nd_link gone = { .ifindex = i, .name = "lan0", .kind = ND_LINK_VETH };
	fake_event_raise(RTNLGRP_LINK, fake_link_message(RTM_DELLINK, &gone));
	struct nd_address stray = { .ifindex = 77, .prefix = prefix("10.0.0.1/24") };
	fake_event_raise(RTNLGRP_IPV4_IFADDR, fake_address_message(RTM_NEWADDR, &stray));
	assert_string_equal(overlaps(f, "10.0.0.0/24", 0), "");
}

static void test_addresses(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true);
	const struct nd_address *have;

	add_address(i, "10.0.0.1/24");
	add_address(i, "10.0.0.2/24");
	add_address(i, "fd00::1/64");
	follow(f);
	assert_int_equal(mirror_addresses(f->m, i, &have), 3);
	del_address(i, "10.0.0.2/24");
	follow(f);
	assert_int_equal(mirror_addresses(f->m, i, &have), 2);
	assert_int_equal(mirror_addresses(f->m, 99, &have), 0);
	assert_null(have);
}

static void test_explicit(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true);

	add_address(i, "10.0.0.5/24");
	assert_string_equal(refuses(f, "10.0.0.0/24", 0), "connected 10.0.0.0/24 eth0");
	assert_string_equal(refuses(f, "10.0.0.0/8", 0), "connected 10.0.0.0/24 eth0");
	assert_string_equal(refuses(f, "10.0.0.0/29", 0), "address 10.0.0.5/32 eth0");
	assert_string_equal(refuses(f, "10.0.0.64/26", 0), ""); /* inside a wider one: legal */
	assert_string_equal(refuses(f, "10.0.1.0/24", 0), "");
	assert_string_equal(refuses(f, "10.0.0.0/24", i), ""); /* its own */
	struct nd_route r = route("192.168.50.0/24", i, "10.0.0.1");
	fake_route_add(&r);
	assert_string_equal(refuses(f, "192.168.50.0/24", 0), ""); /* not connected */
	assert_string_equal(overlaps(f, "192.168.50.0/24", 0), "route 192.168.50.0/24 eth0");
}

static void test_automatic(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true);
	struct nd_route r = route("0.0.0.0/0", i, "10.0.0.1");

	fake_route_add(&r);
	assert_string_equal(overlaps(f, "192.168.122.0/24", 0), "");
	r = route("192.168.0.0/16", i, "10.0.0.1");
	fake_route_add(&r);
	assert_string_equal(overlaps(f, "192.168.122.0/24", 0), "route 192.168.0.0/16 eth0");
	fake_route_del(&r);
	r = route("192.168.122.128/25", 0, NULL);
	r.type = RTN_BLACKHOLE; /* without an interface */
	r.scope = RT_SCOPE_UNIVERSE;
	fake_route_add(&r);
	assert_string_equal(overlaps(f, "192.168.122.0/24", 0), "route 192.168.122.128/25 ");
	fake_route_del(&r);
	r = route("192.168.122.0/24", i, NULL);
	r.table = RT_TABLE_LOCAL;
	r.type = RTN_LOCAL;
	fake_route_add(&r);
	r = route("192.168.122.255/32", i, NULL);
	r.type = RTN_BROADCAST;
	fake_route_add(&r);
	assert_string_equal(overlaps(f, "192.168.122.0/24", 0), "");
	r = route("192.168.122.7/32", i, "10.0.0.1");
	r.table = 4000; /* any other table counts */
	fake_route_add(&r);
	assert_string_equal(overlaps(f, "192.168.122.0/24", 0), "route 192.168.122.7/32 eth0");
	assert_string_equal(overlaps(f, "192.168.122.0/24", i), "");
}

/* The kernel does not tell of the routes that go with a link that goes down, and tells when they come again. */
static void test_link_down(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true);
	struct nd_link *l = fake_link_find("eth0");
	struct nd_route r = route("172.16.0.0/12", i, "10.0.0.1");

	add_address(i, "10.0.0.5/24");
	fake_route_add(&r);
	assert_string_equal(overlaps(f, "172.20.0.0/24", 0), "route 172.16.0.0/12 eth0");
	l->flags = 0;
	fake_link_on_down(l);
	fake_link_changed(i);
	assert_string_equal(overlaps(f, "172.20.0.0/24", 0), "");
	assert_string_equal(overlaps(f, "10.0.0.128/25", 0),
			    "connected 10.0.0.0/24 eth0"); /* the address is there */
	del_address(i, "10.0.0.5/24");
	assert_string_equal(overlaps(f, "10.0.0.128/25", 0), "");
	add_address(i, "10.0.0.5/24");
	l->flags = IFF_UP;
	fake_link_changed(i);
	fake_link_on_up(l);
	assert_string_equal(refuses(f, "10.0.0.0/24", 0), "connected 10.0.0.0/24 eth0");
}

static void test_dead(void **state)
{
	struct fixture *f = *state;
	int i = add_link("virbr0", true);
	struct nd_link *l = fake_link_find("virbr0");

	add_address(i, "10.0.0.1/24");
	assert_string_not_equal(refuses(f, "10.0.0.0/24", 0), "");
	l->group = ND_GROUP_DEAD;
	fake_link_changed(i);
	assert_string_equal(refuses(f, "10.0.0.0/24", 0), "");
	assert_string_equal(overlaps(f, "10.0.0.0/24", 0), "");
	l->group = ND_GROUP_REAPED; /* the reaper has it in hand */
	fake_link_changed(i);
	assert_string_equal(refuses(f, "10.0.0.0/24", 0), "");
	assert_string_equal(overlaps(f, "10.0.0.0/24", 0), "");
}

/* What two entries say in common stays until both are gone. */
static void test_shared(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", false), j = add_link("eth1", true);
	struct nd_route r = route("10.8.0.0/16", j, "10.0.0.1"), s = r, t = r;

	add_address(i, "10.0.0.1/24");
	add_address(i, "10.0.0.2/24");
	del_address(i, "10.0.0.2/24");
	assert_string_equal(overlaps(f, "10.0.0.128/25", 0), "connected 10.0.0.0/24 eth0");
	add_address(i, "10.0.0.1/16");
	del_address(i, "10.0.0.1/16");
	assert_string_equal(overlaps(f, "10.0.0.0/30", 0), "connected 10.0.0.0/24 eth0");
	s.table = 100;
	t.metric = 600;
	fake_route_add(&r);
	fake_route_add(&s);
	fake_route_add(&t);
	fake_route_del(&s);
	fake_route_del(&r);
	assert_string_equal(overlaps(f, "10.8.0.0/24", 0), "route 10.8.0.0/16 eth1");
	fake_route_del(&t);
	assert_string_equal(overlaps(f, "10.8.0.0/24", 0), "");
}

/* A replaced route is told as the new one alone. */
static void test_replaced_route(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true), j = add_link("eth1", true);
	struct nd_route was = route("10.8.0.0/16", i, NULL), now = route("10.8.0.0/16", j, "10.0.0.1");

	fake_route_add(&was);
	assert_string_equal(refuses(f, "10.8.0.0/16", 0), "connected 10.8.0.0/16 eth0");
	struct nl_msg *msg = fake_route_message(RTM_NEWROUTE, &now);
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REPLACE;
	fake_event_raise(RTNLGRP_IPV4_ROUTE, msg);
	assert_string_equal(refuses(f, "10.8.0.0/16", 0), "");
	assert_string_equal(overlaps(f, "10.8.0.0/16", 0), "route 10.8.0.0/16 eth1");
	fake_event_raise(RTNLGRP_IPV4_ROUTE, fake_route_message(RTM_DELROUTE, &now));
	assert_string_equal(overlaps(f, "10.8.0.0/16", 0), "");
}

static void test_ip6(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true);

	add_address(i, "2001:db8:0:1::5/64");
	add_address(i, "fe80::1/64");
	assert_string_equal(refuses(f, "2001:db8:0:1::/64", 0), "connected 2001:db8:0:1::/64 eth0");
	assert_string_equal(refuses(f, "2001:db8::/32", 0), "connected 2001:db8:0:1::/64 eth0");
	assert_string_equal(refuses(f, "2001:db8:0:1::/120", 0), "address 2001:db8:0:1::5/128 eth0");
	assert_string_equal(refuses(f, "2001:db8:0:1:8000::/65", 0), ""); /* inside a wider one: legal */
	assert_string_equal(overlaps(f, "2001:db8:0:1:8000::/65", 0), "connected 2001:db8:0:1::/64 eth0");
	assert_string_equal(refuses(f, "2001:db8:0:2::/64", 0), "");
	assert_string_equal(overlaps(f, "2001:db8:0:2::/64", 0), "");
	assert_string_equal(overlaps(f, "fe80::/64", 0), "");
	assert_string_equal(refuses(f, "2001:db8:0:1::/64", i), "");
	del_address(i, "2001:db8:0:1::5/64");
	assert_string_equal(overlaps(f, "2001:db8:0:1::/64", 0), "");
}

/* The way out of the host, and whether router advertisements made it. */
static void test_egress(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true), j = add_link("eth1", true);
	struct nd_route a = route("0.0.0.0/0", i, "10.0.0.1"), b = route("0.0.0.0/0", j, "10.1.0.1"),
			c = route("::/0", j, "fe80::9");
	struct nd_address dynamic = { .ifindex = i, .prefix = prefix("2001:db8::7/64") };

	assert_null(mirror_egress(f->m));
	a.metric = 100;
	b.metric = 600;
	c.metric = 1024;
	c.protocol = RTPROT_RA;
	fake_route_add(&c);
	follow(f);
	assert_string_equal(mirror_egress(f->m)->name, "eth1"); /* IPv6's, where IPv4 has none */
	assert_true(mirror_lives_from_ra(f->m, j) && !mirror_lives_from_ra(f->m, i));
	fake_route_add(&b);
	fake_route_add(&a);
	follow(f);
	assert_string_equal(mirror_egress(f->m)->name, "eth0");
	fake_route_del(&a);
	follow(f);
	assert_string_equal(mirror_egress(f->m)->name, "eth1");
	b.table = 100;
	fake_route_add(&b); /* another table is somebody's policy */
	fake_route_del(&c);
	follow(f);
	assert_false(mirror_lives_from_ra(f->m, j));
	struct nl_msg *msg = fake_address_message(RTM_NEWADDR, &dynamic);
	fake_event_raise(RTNLGRP_IPV6_IFADDR, msg);
	follow(f);
	assert_true(mirror_lives_from_ra(f->m, i));
}

/* netd's own routes are kept whole; whose place another takes is gone. */
static void test_own_routes(void **state)
{
	struct fixture *f = *state;
	int i = add_link("virbr0", true), j = add_link("eth0", true);
	struct nd_route r = route("10.8.0.0/16", i, "10.0.0.2"), other = route("10.8.0.0/16", j, "10.9.0.1");
	const struct nd_route *have;
	struct mirror_collision why;

	r.protocol = ND_ROUTE_PROTOCOL;
	r.metric = other.metric = 1;
	fake_route_add(&r);
	follow(f);
	assert_int_equal(mirror_routes(f->m, i, &have), 1);
	assert_true(nd_ip_equal(&have[0].gateway, &r.gateway) && have[0].metric == 1);
	assert_true(mirror_has_route(f->m, &r.dst, 1, 0, &why) && why.kind == COLLISION_ROUTE);
	assert_string_equal(why.ifname, "virbr0");
	assert_false(mirror_has_route(f->m, &r.dst, 1, i, &why));
	assert_false(mirror_has_route(f->m, &r.dst, 2, 0, &why));
	struct nl_msg *msg = fake_route_message(RTM_NEWROUTE, &other);
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REPLACE;
	fake_event_raise(RTNLGRP_IPV4_ROUTE, msg);
	follow(f);
	assert_int_equal(mirror_routes(f->m, i, &have), 0);
	fake_route_del(&r);
	fake_route_add(&r);
	follow(f);
	assert_int_equal(mirror_routes(f->m, i, &have), 1);
	struct nd_link *l = fake_link_find("virbr0");
	l->flags = 0;
	fake_link_on_down(l);
	fake_link_changed(i);
	follow(f);
	assert_int_equal(mirror_routes(f->m, i, &have), 0);
	assert_int_equal(mirror_routes(f->m, 99, &have), 0);
}

static void test_load_again(void **state)
{
	struct fixture *f = *state;
	int i = add_link("eth0", true);
	struct nd_error failed = ND_ERROR_INIT;

	add_address(i, "10.0.0.5/24");
	fake_overrun();
	assert_int_equal(nd_nl_receive(f->events, 0, on_event, f, &failed), ND_OVERRUN);
	assert_null(mirror_link(f->m, i));
	OK(mirror_load(f->m, f->nl, &e));
	OK(mirror_load(f->m, f->nl, &e));
	assert_non_null(mirror_link(f->m, i));
	assert_string_equal(refuses(f, "10.0.0.0/24", 0), "connected 10.0.0.0/24 eth0");
	del_address(i, "10.0.0.5/24");
	assert_string_equal(overlaps(f, "10.0.0.0/24", 0), "");
	for (unsigned n = 1; n <= 3; n++) {
		nd_error_reset(&failed);
		fake_fail_at(n, ENOBUFS, NULL);
		assert_true(mirror_load(f->m, f->nl, &failed) < 0);
		assert_non_null(fake_failed_call());
	}
	OK(mirror_load(f->m, f->nl, &e));
}

/* ---- against a search through everything ---- */

#define NETS  10000
#define STEPS 30000
#define LINKS 40

static struct naive {
	bool there, address;
	struct nd_prefix prefix; /* address: with host bits */
	int ifindex;
	bool connected;
	uint32_t table;
} nets[NETS];

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

static struct nd_prefix random_prefix(bool host)
{
	static const uint32_t blocks[] = { 0x0a000000, 0xac100000, 0xc0a80000, 0x0a000000 };
	uint8_t len = (uint8_t)(8 + random_below(host ? 24 : 25));
	uint32_t ip4 = blocks[random_below(4)] | random_below(256) << 8 | random_below(8) << random_below(6);

	return (struct nd_prefix){ .ip = nd_ip_from_ip4(host ? ip4 : ip4 & nd_ip4_mask(len)), .len = len };
}

static void tell(struct fixture *f, const struct naive *n, bool there)
{
	struct nl_msg *msg;

	if (n->address) {
		struct nd_address a = { .ifindex = n->ifindex, .prefix = n->prefix };

		msg = fake_address_message(there ? RTM_NEWADDR : RTM_DELADDR, &a);
	} else {
		struct nd_route r = { .dst = n->prefix,
				      .table = n->table,
				      .oif = n->ifindex,
				      .type = RTN_UNICAST,
				      .scope = n->connected ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE };

		if (!n->connected)
			r.gateway = nd_ip_from_ip4(0x01020304);
		msg = fake_route_message(there ? RTM_NEWROUTE : RTM_DELROUTE, &r);
	}
	OK(mirror_update(f->m, nlmsg_hdr(msg), &f->last, &e));
	nlmsg_free(msg);
}

/* The kernel has no two of a kind. */
static bool is_double(const struct naive *n)
{
	for (const struct naive *o = nets; o < nets + NETS; o++)
		if (o->there && o->address == n->address && nd_prefix_equal(&o->prefix, &n->prefix) &&
		    (n->address ? o->ifindex == n->ifindex : o->table == n->table))
			return true;
	return false;
}

static void change_one(struct fixture *f)
{
	struct naive *n = &nets[random_below(NETS)];

	if (n->there) {
		n->there = false;
		tell(f, n, false);
		return;
	}
	*n = (struct naive){ .address = random_below(2),
			     .ifindex = 2 + (int)random_below(LINKS),
			     .connected = random_below(2),
			     .table = random_below(4) ? RT_TABLE_MAIN : 100 };
	n->prefix = random_prefix(n->address);
	if (is_double(n))
		return;
	n->there = true;
	tell(f, n, true);
}

static bool inside(const struct nd_prefix *outer, uint32_t ip4, uint8_t len)
{
	return len >= outer->len && ((ip4 ^ nd_ip_to_ip4(&outer->ip)) & nd_ip4_mask(outer->len)) == 0;
}

static bool naive_refuses(const struct naive *n, const struct nd_prefix *subnet)
{
	uint32_t ip4 = nd_ip_to_ip4(&n->prefix.ip);

	if (n->address && inside(subnet, ip4, 32))
		return true;
	return (n->address || n->connected) && inside(subnet, ip4, n->prefix.len);
}

static bool naive_overlaps(const struct naive *n, const struct nd_prefix *subnet)
{
	return inside(subnet, nd_ip_to_ip4(&n->prefix.ip), n->prefix.len) ||
	       inside(&n->prefix, nd_ip_to_ip4(&subnet->ip), subnet->len);
}

static void compare_one(struct fixture *f)
{
	struct nd_prefix subnet = random_prefix(false);
	int own = random_below(3) ? 0 : 2 + (int)random_below(LINKS);
	bool refused = false, overlapped = false;
	struct mirror_collision c;
	char text[ND_PREFIX_STRLEN];

	for (const struct naive *n = nets; n < nets + NETS; n++) {
		if (!n->there || n->ifindex == own || n->ifindex == 2) /* 2 is dead */
			continue;
		refused = refused || naive_refuses(n, &subnet);
		overlapped = overlapped || naive_overlaps(n, &subnet);
	}
	nd_prefix_to_string(&subnet, text);
	if (mirror_refuses(f->m, &subnet, own, &c) != refused)
		fail_msg("%s, own %d: refused %d", text, own, refused);
	if (mirror_overlaps(f->m, &subnet, own, &c) != overlapped)
		fail_msg("%s, own %d: overlaps %d", text, own, overlapped);
}

static void test_like_naive_search(void **state)
{
	struct fixture *f = *state;
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("SEED=%llu\n", (unsigned long long)seed);
	random_state = seed;
	memset(nets, 0, sizeof(nets));
	for (int i = 0; i < LINKS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "eth%d", i);
		assert_int_equal(add_link(name, true), i + 2);
	}
	fake_link_find("eth0")->group = ND_GROUP_DEAD;
	fake_link_changed(2);
	follow(f);
	for (int i = 0; i < STEPS; i++) {
		change_one(f);
		if (i % 16 == 0)
			compare_one(f);
	}
	/* a link that goes takes its own with it */
	for (int i = 10; i < 20; i++) {
		fake_link_del(i);
		for (struct naive *n = nets; n < nets + NETS; n++)
			n->there = n->there && n->ifindex != i;
	}
	follow(f);
	for (int i = 0; i < 200; i++)
		compare_one(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_explicit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_automatic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced_route, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ip6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_egress, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_like_naive_search, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

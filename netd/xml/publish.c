// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: published ports
 *
 * What one <netd:forward> may say, which of them cannot both be, and one added or removed by itself.
 *
 * Two of one protocol collide where they have a port in common and one address. One without an address stands
 * for all of the host's but loopback, of the family of its guest (both, where that is a port or MAC); beside
 * one with an address it may stand: the kernel looks the address up first.
 *
 * ::1 cannot be published: a packet from ::1 never leaves the host's loopback, and IPv6 has no route_localnet
 * to let it.
 */
#include "netd/xml/rows.h"

#define PORT_LARGEST 65535u

static uint32_t last_port(const struct netdef_publish *p)
{
	return p->port_end ? p->port_end : p->port;
}

static int protocol_of(const struct netdef_publish *p)
{
	return p->protocol ? p->protocol : NETDEF_PROTOCOL_TCP;
}

const char *netdef_publish_to_string(const struct netdef_publish *p, char buf[NETDEF_PUBLISH_STRLEN])
{
	const char *protocol = netdef_protocol_to_string(protocol_of(p));
	char range[32] = "", address[ND_IP_STRLEN] = "";

	if (last_port(p) != p->port)
		snprintf(range, sizeof range, " to %u", p->port_end);
	if (p->address.family)
		nd_ip_to_string(&p->address, address);
	snprintf(buf, NETDEF_PUBLISH_STRLEN, "%s port%s %u%s%s%s", protocol ? protocol : "?",
		 range[0] ? "s" : "", p->port, range, address[0] ? " of " : "", address);
	return buf;
}

static int check_ports(const struct netdef_publish *p, struct nd_error *e)
{
	uint32_t last = last_port(p), more = last - p->port;
	uint32_t guest_port = p->guest_port ? p->guest_port : p->port;

	if (p->port == 0 || p->port > PORT_LARGEST || last > PORT_LARGEST || guest_port > PORT_LARGEST)
		return nd_fail(e, ND_INVALID, "a port is from 1 to %u", PORT_LARGEST);
	if (last < p->port)
		return nd_fail(e, ND_INVALID, "ports %u to %u are reversed", p->port, last);
	if (more >= NETDEF_FORWARD_PORTS)
		return nd_fail(e, ND_INVALID, "ports %u to %u are more than %d", p->port, last,
			       NETDEF_FORWARD_PORTS);
	if (guest_port > PORT_LARGEST - more)
		return nd_fail(e, ND_INVALID, "%u ports from guestPort='%u' on end after %u", more + 1,
			       guest_port, PORT_LARGEST);
	return 0;
}

/* Of the host. IPv4's loopback is let in: route_localnet makes it work. */
static int check_address(const struct nd_ip *ip, struct nd_error *e)
{
	static const struct nd_ip loopback6 = { .family = AF_INET6, .b = { [15] = 1 } };
	bool loopback4 = nd_ip_to_ip4(ip) >> 24 == 127;
	char text[ND_IP_STRLEN];

	if (nd_ip_equal(ip, &loopback6))
		return nd_fail(
			e, ND_INVALID,
			"::1 cannot be published: a packet from ::1 never leaves the host's loopback, "
			"and IPv6 has no route_localnet; without address= all but loopback is published");
	if (!netdef_is_host_address(ip) && !loopback4)
		return nd_fail(e, ND_INVALID,
			       "'%s' is no address of a host; without address= all but loopback is published",
			       nd_ip_to_string(ip, text));
	return 0;
}

int netdef_publish_check(const struct netdef_publish *p, struct nd_error *e)
{
	struct nd_ip guest;
	int kind = p->guest ? netdef_guest_kind(p->guest, NULL, &guest) : -1, err = check_ports(p, e);

	if (err == 0 && !netdef_protocol_to_string(protocol_of(p)))
		err = nd_fail(e, ND_INVALID, "protocol is tcp or udp");
	if (err == 0 && kind < 0)
		err = nd_fail(e, ND_INVALID, "guest is a port's name, or a guest's MAC or IP address");
	if (err == 0 && p->address.family)
		err = check_address(&p->address, e);
	if (err == 0 && p->address.family && kind == NETDEF_GUEST_ADDRESS &&
	    p->address.family != guest.family)
		err = nd_fail(e, ND_INVALID, "address and guest '%s' are of different families", p->guest);
	return err;
}

enum { IPV4, IPV6, FAMILIES };

/* Whether connections of that family come to it. */
static bool has_family(const struct netdef_publish *p, int family)
{
	int af = family == IPV4 ? AF_INET : AF_INET6;
	struct nd_ip guest;

	if (p->address.family)
		return p->address.family == af;
	return netdef_guest_kind(p->guest, NULL, &guest) != NETDEF_GUEST_ADDRESS || guest.family == af;
}

/* By which two may collide at all; then by first port, and in the definition's order where that is the same. */
static int group_order(const struct netdef_publish *a, const struct netdef_publish *b)
{
	if (protocol_of(a) != protocol_of(b))
		return protocol_of(a) - protocol_of(b);
	if (a->address.family != b->address.family)
		return a->address.family - b->address.family;
	return memcmp(a->address.b, b->address.b, a->address.family == AF_INET6 ? 16 : 4);
}

static int by_port(const void *a, const void *b)
{
	const struct netdef_publish *x = *(const struct netdef_publish *const *)a,
				    *y = *(const struct netdef_publish *const *)b;
	int order = group_order(x, y);

	if (order)
		return order;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return x < y ? -1 : 1;
}

/* Those before the first that collides have no port in common: the last of them is the one that reaches it. */
static bool find_overlap(const struct netdef_publish **sorted, size_t cnt,
			 const struct netdef_publish *ret[2])
{
	const struct netdef_publish *last[FAMILIES] = { NULL };

	for (size_t i = 0; i < cnt; i++) {
		const struct netdef_publish *p = sorted[i];

		for (int f = 0; f < FAMILIES; f++) {
			const struct netdef_publish *was = last[f];

			if (!has_family(p, f))
				continue;
			if (was && group_order(was, p) == 0 && p->port <= last_port(was)) {
				ret[0] = was < p ? was : p;
				ret[1] = was < p ? p : was;
				return true;
			}
			last[f] = p;
		}
	}
	return false;
}

int netdef_publish_overlap(const struct netdef *d, const struct netdef_publish *ret[2], struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	nd_autofree const struct netdef_publish **sorted = NULL;

	if (x->publish_cnt < 2)
		return 0;
	sorted = calloc(x->publish_cnt, sizeof(*sorted));
	if (!sorted)
		return nd_fail(e, ND_MEMORY, "order of %zu published ports", x->publish_cnt);
	for (size_t i = 0; i < x->publish_cnt; i++)
		sorted[i] = &x->publishes[i];
	qsort(sorted, x->publish_cnt, sizeof(*sorted), by_port);
	return find_overlap(sorted, x->publish_cnt, ret) ? ND_EXISTS : 0;
}

static const struct row *publish_row(void)
{
	return row_find("network/netd:forward");
}

/* The copy with *p, checked. */
static int add_to_copy(struct netdef *copy, const struct netdef_publish *p, struct nd_error *e)
{
	struct netdef_publish item = *p;
	const struct netdef_publish *both[2];
	char text[NETDEF_PUBLISH_STRLEN];
	int err = netdef_publish_check(p, e);

	if (err < 0)
		return nd_wrap(e, "<netd:forward>"), err;
	item.protocol = (uint8_t)protocol_of(p);
	item.guest = strdup(p->guest);
	if (!item.guest)
		return nd_fail(e, ND_MEMORY, "published port");
	err = row_list_put(publish_row(), copy, netdef_rare(copy)->publish_cnt, &item, e);
	if (err < 0) {
		free(item.guest);
		return err;
	}
	err = netdef_publish_overlap(copy, both, e);
	if (err == ND_EXISTS)
		return nd_fail(e, ND_EXISTS, "network '%s' publishes %s to '%s' already", copy->name,
			       netdef_publish_to_string(both[0], text), both[0]->guest);
	return err < 0 ? err : netdef_check(copy, e);
}

int netdef_publish_add(struct netdef *d, const struct netdef_publish *p, struct nd_error *e)
{
	struct netdef *copy = netdef_copy(d), swap;
	int err = copy ? add_to_copy(copy, p, e) : nd_fail(e, ND_MEMORY, "definition");

	if (err == 0) {
		swap = *d;
		*d = *copy;
		*copy = swap;
	}
	netdef_free(copy);
	return err;
}

static bool same(const struct netdef_publish *given, const struct netdef_publish *have)
{
	return group_order(given, have) == 0 && given->port == have->port &&
	       last_port(given) == last_port(have) &&
	       (!given->guest || strcmp(given->guest, have->guest) == 0);
}

int netdef_publish_remove(struct netdef *d, const struct netdef_publish *p, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	char text[NETDEF_PUBLISH_STRLEN];

	for (size_t i = 0; i < x->publish_cnt; i++) {
		if (!same(p, &x->publishes[i]))
			continue;
		row_list_take(publish_row(), d, i, NULL);
		return 0;
	}
	return nd_fail(e, ND_NOT_FOUND, "network '%s' does not publish %s%s%s%s", d->name,
		       netdef_publish_to_string(p, text), p->guest ? " to '" : "", p->guest ? p->guest : "",
		       p->guest ? "'" : "");
}

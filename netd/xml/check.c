// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what a definition's parts must be to each other
 *
 * The parser has seen to structure, types and ranges of single values; here is what needs two of them. Where
 * libvirt has the rule, the text is libvirt's, so that people and tools find what they know. A definition
 * that did not come from the parser is checked too: names and MACs go through the same functions as there.
 *
 * Stricter than libvirt, because the mistake would otherwise show only at a start, or never: a reservation
 * must lie in the subnet and be the only one for its address and MAC; the bridge's address must be one a host
 * can have. What the forward mode needs and excludes is in check-mode.c,
 * netd's own elements in check-netd.c.
 */
#include "netd/xml/rows.h"

#define RANGE_LARGEST 65535 /* libvirt's bound */
#define RANGE6_SAME   14    /* bytes that the ends of an IPv6 range share: libvirt's way to have that bound */
/* An automatic subnet is searched for in 192.168.0.0/16 first, and must hold the bridge and a guest. */
#define AUTO_LEN_MIN 16
#define AUTO_LEN_MAX 30

static int check_identity(const struct netdef *d, struct nd_error *e)
{
	const char *why = netdef_name_why(d->name);

	if (why)
		return nd_fail(e, ND_INVALID, "%s", why);
	if (d->bridge[0] && !netdef_ifname_valid(d->bridge))
		return nd_fail(e, ND_INVALID, "bridge name '%s' is not an interface name", d->bridge);
	if (d->mac_set && (nd_mac_is_multicast(&d->mac) || nd_mac_is_zero(&d->mac))) {
		char mac[ND_MAC_STRLEN];

		return nd_fail(e, ND_INVALID, "Invalid multicast bridge mac address '%s' in network '%s'",
			       nd_mac_to_string(&d->mac, mac), d->name);
	}
	if (d->domain && !netdef_host_name_valid(d->domain, 253))
		return nd_fail(e, ND_INVALID, "domain '%s' is not a domain name", d->domain);
	return 0;
}

/* The subnet's first and last address: network and broadcast, except in a /31 or /32, which have neither. */
struct subnet {
	uint32_t first, last;
	bool ends; /* these two are not for hosts */
	char text[ND_PREFIX_STRLEN];
};

static struct subnet subnet_of(const struct netdef_ip *ip)
{
	uint32_t mask = nd_ip4_mask(ip->address.len), address = nd_ip_to_ip4(&ip->address.ip);
	struct subnet s = { .first = address & mask, .last = address | ~mask, .ends = ip->address.len < 31 };

	nd_prefix_to_string(&ip->address, s.text);
	return s;
}

static bool for_hosts(const struct subnet *s, uint32_t ip4)
{
	return ip4 >= s->first && ip4 <= s->last && !(s->ends && (ip4 == s->first || ip4 == s->last));
}

static int check_address(const struct netdef *d, const struct netdef_ip *ip, const struct subnet *s,
			 struct nd_error *e)
{
	uint32_t ip4 = nd_ip_to_ip4(&ip->address.ip);
	char text[ND_IP_STRLEN];

	nd_ip_to_string(&ip->address.ip, text);
	if (!netdef_is_host_address(&ip->address.ip))
		return nd_fail(e, ND_INVALID,
			       "Invalid address '%s' in network '%s': not a unicast host address", text,
			       d->name);
	if (ip->address.len == 0 || ip->address.len > 32)
		return nd_fail(e, ND_INVALID, "Invalid IPv4 prefix '%u' in network '%s'", ip->address.len,
			       d->name);
	if (!for_hosts(s, ip4))
		return nd_fail(e, ND_INVALID,
			       "Invalid address '%s' in network '%s': it is the %s address of %s", text,
			       d->name, ip4 == s->first ? "network" : "broadcast", s->text);
	if (ip->subnet_auto && (ip->address.len < AUTO_LEN_MIN || ip->address.len > AUTO_LEN_MAX))
		return nd_fail(e, ND_INVALID,
			       "netd:subnet='auto' in network '%s' needs a subnet from /%d to /%d, not %s",
			       d->name, AUTO_LEN_MIN, AUTO_LEN_MAX, s->text);
	return 0;
}

static int check_range(const struct netdef_range *r, const struct subnet *s, struct nd_error *e)
{
	uint32_t start = nd_ip_to_ip4(&r->start), end = nd_ip_to_ip4(&r->end);
	char a[ND_IP_STRLEN], b[ND_IP_STRLEN];

	nd_ip_to_string(&r->start, a);
	nd_ip_to_string(&r->end, b);
	if (r->start.family != AF_INET || r->end.family != AF_INET)
		return nd_fail(e, ND_INVALID, "mismatch of address family in range %s - %s", a, b);
	if (start > end)
		return nd_fail(e, ND_INVALID, "range %s - %s is reversed ", a, b);
	if (start < s->first || end > s->last)
		return nd_fail(e, ND_INVALID, "range %s - %s is not entirely within network %s", a, b,
			       s->text);
	if (s->ends && start == s->first)
		return nd_fail(e, ND_INVALID, "start of range %s - %s in network %s is the network address",
			       a, b, s->text);
	if (s->ends && end == s->last)
		return nd_fail(e, ND_INVALID, "end of range %s - %s in network %s is the broadcast address",
			       a, b, s->text);
	if (end - start >= RANGE_LARGEST)
		return nd_fail(e, ND_INVALID, "range %s - %s is too large (> %d)", a, b, RANGE_LARGEST);
	return 0;
}

static int check_host(const struct netdef *d, const struct netdef_ip *ip, const struct netdef_host *h,
		      const struct subnet *s, struct nd_error *e)
{
	char text[ND_IP_STRLEN], mac[ND_MAC_STRLEN], shown[NETDEF_CLIP_LEN];
	uint8_t bytes[255];

	nd_ip_to_string(&h->ip, text);
	if (h->ip.family != AF_INET)
		return nd_fail(e, ND_INVALID, "Invalid IP address in static host definition for network '%s'",
			       d->name);
	if (!h->has_mac && !h->name && !h->client_id)
		return nd_fail(e, ND_INVALID,
			       "Static host definition in IPv4 network '%s' must have mac or name attribute",
			       d->name);
	if (h->client_id && !netdef_client_id(h->client_id, bytes))
		return nd_fail(e, ND_INVALID,
			       "clientId '%s' in network '%s' is not hexadecimal bytes with ':' between them",
			       netdef_clip(h->client_id, strlen(h->client_id), shown), d->name);
	if (h->has_mac && (nd_mac_is_multicast(&h->mac) || nd_mac_is_zero(&h->mac)))
		return nd_fail(e, ND_INVALID,
			       "expected unicast mac address, found multicast '%s' in network '%s'",
			       nd_mac_to_string(&h->mac, mac), d->name);
	if (h->name && !netdef_host_name_valid(h->name, 63))
		return nd_fail(e, ND_INVALID, "Cannot use host name '%s' in network '%s'", h->name, d->name);
	if (!for_hosts(s, nd_ip_to_ip4(&h->ip)))
		return nd_fail(e, ND_INVALID,
			       "host ip '%s' in network '%s' is not a host address within network %s", text,
			       d->name, s->text);
	if (nd_ip_equal(&h->ip, &ip->address.ip))
		return nd_fail(e, ND_INVALID, "host ip '%s' in network '%s' is the bridge's own address",
			       text, d->name);
	return 0;
}

static int by_ip(const void *a, const void *b)
{
	const struct netdef_host *x = *(const struct netdef_host *const *)a,
				 *y = *(const struct netdef_host *const *)b;

	return memcmp(x->ip.b, y->ip.b, sizeof x->ip.b);
}

/* Those without a MAC first. */
static int by_mac(const void *a, const void *b)
{
	const struct netdef_host *x = *(const struct netdef_host *const *)a,
				 *y = *(const struct netdef_host *const *)b;

	if (x->has_mac != y->has_mac)
		return x->has_mac ? 1 : -1;
	return x->has_mac ? memcmp(x->mac.b, y->mac.b, sizeof x->mac.b) : 0;
}

/* Two reservations of one address, or two for one MAC: which one wins would be chance. */
static int check_unique(const struct netdef *d, const struct netdef_ip *ip, struct nd_error *e)
{
	nd_autofree const struct netdef_host **sorted = NULL;
	char ip_text[ND_IP_STRLEN], mac[ND_MAC_STRLEN];

	if (ip->host_cnt < 2)
		return 0;
	sorted = calloc(ip->host_cnt, sizeof(*sorted));
	if (!sorted)
		return nd_fail(e, ND_MEMORY, "order of %zu hosts", ip->host_cnt);
	for (size_t i = 0; i < ip->host_cnt; i++)
		sorted[i] = &ip->hosts[i];
	qsort(sorted, ip->host_cnt, sizeof(*sorted), by_ip);
	for (size_t i = 1; i < ip->host_cnt; i++)
		if (by_ip(&sorted[i - 1], &sorted[i]) == 0)
			return nd_fail(e, ND_INVALID,
				       "there is more than one host with ip '%s' in network '%s'",
				       nd_ip_to_string(&sorted[i]->ip, ip_text), d->name);
	qsort(sorted, ip->host_cnt, sizeof(*sorted), by_mac);
	for (size_t i = 1; i < ip->host_cnt; i++)
		if (sorted[i]->has_mac && by_mac(&sorted[i - 1], &sorted[i]) == 0)
			return nd_fail(e, ND_INVALID,
				       "there is more than one host with mac '%s' in network '%s'",
				       nd_mac_to_string(&sorted[i]->mac, mac), d->name);
	return 0;
}

static int check_range6(const struct netdef_ip *ip, const struct netdef_range *r, struct nd_error *e)
{
	char a[ND_IP_STRLEN], b[ND_IP_STRLEN], network[ND_PREFIX_STRLEN];

	nd_ip_to_string(&r->start, a);
	nd_ip_to_string(&r->end, b);
	if (r->start.family != AF_INET6 || r->end.family != AF_INET6)
		return nd_fail(e, ND_INVALID, "mismatch of address family in range %s - %s", a, b);
	if (memcmp(r->end.b, r->start.b, sizeof r->end.b) < 0)
		return nd_fail(e, ND_INVALID, "range %s - %s start larger than end", a, b);
	if (!nd_prefix_contains_ip(&ip->address, &r->start) || !nd_prefix_contains_ip(&ip->address, &r->end))
		return nd_fail(e, ND_INVALID, "range %s - %s is not entirely within network %s", a, b,
			       nd_prefix_to_string(&ip->address, network));
	if (memcmp(r->start.b, r->end.b, RANGE6_SAME) != 0)
		return nd_fail(e, ND_INVALID, "range %s - %s is too large (> %d)", a, b, RANGE_LARGEST);
	return 0;
}

static int check_host6(const struct netdef *d, const struct netdef_ip *ip, const struct netdef_host *h,
		       struct nd_error *e)
{
	char text[ND_IP_STRLEN], mac[ND_MAC_STRLEN], network[ND_PREFIX_STRLEN];

	nd_ip_to_string(&h->ip, text);
	if (h->ip.family != AF_INET6)
		return nd_fail(e, ND_INVALID, "Invalid IP address in static host definition for network '%s'",
			       d->name);
	if (h->has_mac)
		return nd_fail(
			e, ND_INVALID,
			"Invalid to specify MAC address '%s' in network '%s' IPv6 static host definition",
			nd_mac_to_string(&h->mac, mac), d->name);
	if (!h->id && !h->name)
		return nd_fail(e, ND_INVALID,
			       "Static host definition in IPv6 network '%s' must have id or name attribute",
			       d->name);
	if (!nd_prefix_contains_ip(&ip->address, &h->ip))
		return nd_fail(e, ND_INVALID,
			       "host ip '%s' in network '%s' is not a host address within network %s", text,
			       d->name, nd_prefix_to_string(&ip->address, network));
	if (nd_ip_equal(&h->ip, &ip->address.ip))
		return nd_fail(e, ND_INVALID, "host ip '%s' in network '%s' is the bridge's own address",
			       text, d->name);
	return 0;
}

static int check_address6(const struct netdef *d, const struct netdef_ip *ip, struct nd_error *e)
{
	char text[ND_IP_STRLEN];

	nd_ip_to_string(&ip->address.ip, text);
	if (!netdef_is_host_address(&ip->address.ip))
		return nd_fail(e, ND_INVALID,
			       "Invalid address '%s' in network '%s': not a unicast host address", text,
			       d->name);
	if (ip->address.len == 0 || ip->address.len > 128)
		return nd_fail(e, ND_INVALID, "Invalid IPv6 prefix '%u' in network '%s'", ip->address.len,
			       d->name);
	if (ip->subnet_auto)
		return nd_fail(e, ND_INVALID,
			       "netd:subnet='auto' in network '%s' is for an IPv4 address, not %s", d->name,
			       text);
	return 0;
}

static int check_ip6(const struct netdef *d, const struct netdef_ip *ip, struct nd_error *e)
{
	int err = check_address6(d, ip, e);

	for (size_t i = 0; i < ip->range_cnt && err == 0; i++)
		err = check_range6(ip, &ip->ranges[i], e);
	for (size_t i = 0; i < ip->host_cnt && err == 0; i++)
		err = check_host6(d, ip, &ip->hosts[i], e);
	return err < 0 ? err : check_unique(d, ip, e);
}

/* Two files for one kind of firmware: which one is loaded would be chance. */
static int check_boots(const struct netdef *d, const struct netdef_ip *ip, struct nd_error *e)
{
	unsigned seen = 0;

	for (size_t i = 0; i < ip->boot_cnt; i++) {
		if (seen & 1u << ip->boots[i].arch)
			return nd_fail(e, ND_INVALID,
				       "there is more than one <netd:boot> of an arch in network '%s'",
				       d->name);
		seen |= 1u << ip->boots[i].arch;
	}
	return 0;
}

static int check_ip4(const struct netdef *d, const struct netdef_ip *ip, struct nd_error *e)
{
	struct subnet s = subnet_of(ip);
	int err = check_address(d, ip, &s, e);

	for (size_t i = 0; i < ip->range_cnt && err == 0; i++)
		err = check_range(&ip->ranges[i], &s, e);
	for (size_t i = 0; i < ip->host_cnt && err == 0; i++)
		err = check_host(d, ip, &ip->hosts[i], &s, e);
	if (err == 0)
		err = check_boots(d, ip, e);
	return err < 0 ? err : check_unique(d, ip, e);
}

static int check_ip(const struct netdef *d, const struct netdef_ip *ip, struct nd_error *e)
{
	return ip->address.ip.family == AF_INET6 ? check_ip6(d, ip, e) : check_ip4(d, ip, e);
}

static int check_among_ips(const struct netdef *d, struct nd_error *e)
{
	unsigned dhcp4 = 0, dhcp6 = 0, automatic = 0;
	char text[ND_IP_STRLEN];

	for (size_t i = 0; i < d->ip_cnt; i++) {
		const struct netdef_ip *ip = &d->ips[i];
		bool dhcp = ip->range_cnt > 0 || ip->host_cnt > 0, v6 = ip->address.ip.family == AF_INET6;

		dhcp4 += dhcp && !v6;
		dhcp6 += dhcp && v6;
		automatic += ip->subnet_auto;
		for (size_t j = 0; j < i; j++)
			if (nd_ip_equal(&ip->address.ip, &d->ips[j].address.ip))
				return nd_fail(e, ND_INVALID,
					       "address '%s' is given more than once in network '%s'",
					       nd_ip_to_string(&ip->address.ip, text), d->name);
	}
	if (dhcp4 > 1 || dhcp6 > 1) {
		const char *family = dhcp4 > 1 ? "IPv4" : "IPv6";

		return nd_fail(e, ND_INVALID,
			       "Multiple %s dhcp sections found -- dhcp is supported only for a single "
			       "%s address on each network",
			       family, family);
	}
	if (automatic > 1)
		return nd_fail(e, ND_INVALID, "netd:subnet='auto' is given more than once in network '%s'",
			       d->name);
	return 0;
}

/*
 * Indentation and escapes can make a document longer than the one it was read from; it is stored that way and
 * must be readable. No byte of memory becomes more than 8 of text, so small definitions need not be written
 * to know.
 */
static int check_length(const struct netdef *d, struct nd_error *e)
{
	struct nd_buf out = { .max = NETDEF_XML_MAX };
	bool bad;

	if (netdef_size(d) < NETDEF_XML_MAX / 8)
		return 0;
	netdef_format(d, &out);
	bad = out.bad;
	nd_buf_done(&out);
	if (bad)
		return nd_fail(e, ND_INVALID,
			       "definition of network '%s' is longer than %d bytes when written out", d->name,
			       NETDEF_XML_MAX);
	return 0;
}

int netdef_check(const struct netdef *d, struct nd_error *e)
{
	int err = check_identity(d, e);

	if (err == 0)
		err = netdef_check_mode(d, e);
	if (err == 0)
		err = check_among_ips(d, e);
	for (size_t i = 0; i < d->ip_cnt && err == 0; i++)
		err = check_ip(d, &d->ips[i], e);
	if (err == 0)
		err = netdef_check_links(d, e);
	if (err == 0)
		err = netdef_check_netd(d, e);
	if (err == 0)
		err = check_length(d, e);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: whether others' rules drop what a network needs (see probe.h) */
#include "netd/core/probe.h"
#include "base/listener.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "foreign/firewalld.h"
#include "foreign/route.h"
#include "netd/core/plan.h"
#include <ctype.h>
#include <netinet/in.h>

#include <linux/netfilter.h>

/* Somewhere in the internet; nothing is sent there. */
static const struct nd_ip outside4 = { AF_INET, { 1, 1, 1, 1 } };
static const struct nd_ip outside6 = { AF_INET6, { 0x26, 0x06, 0x47, 0, 0x47, 0, [14] = 0x11, [15] = 0x11 } };

static void take_addresses(const struct network *n, struct probe_net *ret)
{
	for (size_t i = 0; i < n->plan->bridge.address_cnt; i++) {
		const struct nd_prefix *p = &n->plan->addresses[i];
		struct nd_prefix *to = p->ip.family == AF_INET6 ? &ret->address6 : &ret->address4;
		if (!to->ip.family)
			*to = *p;
	}
}

/* The address of a published port's guest: its own word, or that of the port it names. */
static struct nd_ip guest_address(const struct network *n, const char *guest)
{
	struct nd_ip ip = { .family = 0 };
	struct nd_mac mac;
	const struct port *p;
	netdef_guest_kind(guest, &mac, &ip);
	nd_list_foreach(p, &n->ports, siblings) {
		char text[ND_MAC_STRLEN];
		if (!ip.family && p->ip4 &&
		    (!strcmp(p->name, guest) || !strcasecmp(nd_mac_to_string(&p->mac, text), guest)))
			ip = nd_ip_from_ip4(p->ip4);
	}
	return ip;
}

static void take_published(const struct network *n, const struct netdef_rare *r, struct probe_net *ret)
{
	for (size_t i = 0; i < r->publish_cnt && ret->published_cnt < PROBE_PUBLISH_MAX; i++) {
		const struct netdef_publish *p = &r->publishes[i];
		struct nd_ip guest = guest_address(n, p->guest);
		if (guest.family)
			ret->published[ret->published_cnt++] = (struct probe_published){
				.protocol = p->protocol == NETDEF_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP,
				.guest = guest,
				.port = (uint16_t)(p->guest_port ? p->guest_port : p->port),
			};
	}
}

void probe_net_take(const struct network *n, struct probe_net *ret)
{
	const struct netdef_rare *r = netdef_rare(n->live);
	*ret = (struct probe_net){ .uuid = n->uuid, .ifindex = n->ifindex, .mtu = n->live->mtu };
	nd_strcpy(ret->name, sizeof ret->name, n->name);
	nd_strcpy(ret->bridge, sizeof ret->bridge, n->bridge);
	ret->out = n->live->forward == NETDEF_FORWARD_NAT || n->live->forward == NETDEF_FORWARD_ROUTE;
	ret->open = n->live->forward == NETDEF_FORWARD_OPEN;
	ret->in = n->live->forward == NETDEF_FORWARD_ROUTE;
	ret->nat4 = n->live->forward == NETDEF_FORWARD_NAT;
	ret->nat6 = ret->nat4 && r->nat_ipv6 == NETDEF_YES;
	ret->in |= ret->nat4 && !ret->nat6; /* then IPv6 is routed */
	ret->dhcp = n->plan->dhcp;
	take_addresses(n, ret);
	for (size_t i = 0; i < r->uplink_cnt && i < PROBE_UPLINKS_MAX; i++)
		nd_strcpy(ret->uplinks[ret->uplink_cnt++], ND_IFNAMSIZ, r->uplinks[i].dev);
	take_published(n, r, ret);
	if (r->zone)
		nd_strcpy(ret->zone, sizeof ret->zone, r->zone);
}

struct nd_ip probe_guest(const struct probe_net *n, uint8_t family)
{
	struct nd_prefix p = family == AF_INET6 ? n->address6 : n->address4, net = nd_prefix_network(&p);
	size_t last = family == AF_INET6 ? 15 : 3;
	if (!p.ip.family)
		return p.ip;
	net.ip.b[last] |= 9;
	if (nd_ip_equal(&net.ip, &p.ip))
		net.ip.b[last] ^= 1;
	return net.ip;
}

const char *probe_step_text(const struct foreign_step *s, char *buf, size_t size)
{
	char table[96], rule[256];
	enum foreign_owner owner = foreign_chain_owner(s->rule ? s->rule->chain : s->chain);
	const struct foreign_chain *c = s->rule ? s->rule->chain : s->chain;
	if (owner == FOREIGN_OWNER_OTHER)
		owner = foreign_chain_owner(s->chain);
	const char *name = foreign_owner_to_string((int)owner);
	foreign_table_label(c->table, table, sizeof table);
	if (!s->rule)
		snprintf(buf, size, "%s%s%s, chain %s: policy %s", name, *name ? "'s " : "", table, c->name,
			 c->policy == NF_DROP ? "drop" : "accept");
	else if (s->rule->handle)
		snprintf(buf, size, "%s%s%s, chain %s, rule %u (handle %llu): %s", name, *name ? "'s " : "",
			 table, c->name, s->rule->position, (unsigned long long)s->rule->handle,
			 foreign_rule_text(s->rule, rule, sizeof rule));
	else
		snprintf(buf, size, "%s%s%s, chain %s, rule %u: %s", name, *name ? "'s " : "", table, c->name,
			 s->rule->position, foreign_rule_text(s->rule, rule, sizeof rule));
	return buf;
}

/* ---- what lets it pass ---- */

static const char *nft_family(uint8_t family)
{
	return family == NFPROTO_INET ? "inet" : family == NFPROTO_IPV6 ? "ip6" : "ip";
}

static void fix_text(struct probe_drop *d, const struct probe_net *n)
{
	const struct foreign_accept *a = &d->accept;
	const char *tool = d->family == AF_INET6 ? "ip6tables" : "iptables";
	const char *dir = a->iif[0] && !strcmp(a->iif, n->bridge) ? "-i" : "-o";
	const char *state = a->answers ? " -m conntrack --ctstate RELATED,ESTABLISHED,DNAT" : "";
	const char *chain = d->base->name;
	switch (d->owner) {
	case FOREIGN_OWNER_DOCKER: chain = "DOCKER-USER"; break;
	case FOREIGN_OWNER_UFW:
		if (a->input)
			snprintf(d->fix, sizeof d->fix, "ufw allow in on %s to any port 53", n->bridge);
		else
			snprintf(d->fix, sizeof d->fix, "ufw route allow %s on %s",
				 dir[1] == 'i' ? "in" : "out", n->bridge);
		return;
	case FOREIGN_OWNER_FIREWALLD:
		snprintf(d->fix, sizeof d->fix, "firewall-cmd --zone=%s --change-interface=%s",
			 n->zone[0] ? n->zone : FOREIGN_ZONE, n->bridge);
		return;
	case FOREIGN_OWNER_OTHER:
	case FOREIGN_OWNER_NETD:
	case FOREIGN_OWNER_LIBVIRT:
	case FOREIGN_OWNER_CNT_: break;
	}
	if (d->base->table->legacy || isupper((unsigned char)chain[0]))
		snprintf(d->fix, sizeof d->fix, "%s%s -I %s %s %s%s -j ACCEPT", tool,
			 d->base->table->legacy ? "-legacy" : "", chain, dir, n->bridge, state);
	else
		snprintf(d->fix, sizeof d->fix, "nft insert rule %s %s %s %s \"%s\"%s accept",
			 nft_family(d->base->table->family), d->base->table->name, chain,
			 dir[1] == 'i' ? "iifname" : "oifname", n->bridge,
			 a->answers ? " ct state established,related" : "");
}

/* ---- the needs ---- */

struct probe {
	const struct foreign_ruleset *rs;
	struct foreign_routes routes;
	struct nd_nl *nl;
	const struct probe_net *net;
	struct probe_drop *ret;
	size_t cnt;
	uint8_t family;
	struct nd_ip guest, bridge, outside;
	char uplink[ND_IFNAMSIZ];
	int uplink_index;
};
/* Fills p and a. Return: false where the network has no such need. */
typedef bool (*need_fn)(const struct probe *pr, struct foreign_packet *p, struct foreign_accept *a);

static void between(const struct probe *pr, bool out, struct foreign_packet *p, struct foreign_accept *a)
{
	nd_strcpy(p->iif, sizeof p->iif, out ? pr->net->bridge : pr->uplink);
	nd_strcpy(p->oif, sizeof p->oif, out ? pr->uplink : pr->net->bridge);
	p->iifindex = out ? pr->net->ifindex : pr->uplink_index;
	p->oifindex = out ? pr->uplink_index : pr->net->ifindex;
	p->saddr = out ? pr->guest : pr->outside;
	p->daddr = out ? pr->outside : pr->guest;
	p->proto = IPPROTO_TCP;
	p->sport = out ? 40000 : 443;
	p->dport = out ? 443 : 40000;
	nd_strcpy(a->iif, sizeof a->iif, p->iif);
	nd_strcpy(a->oif, sizeof a->oif, p->oif);
}

static bool need_out(const struct probe *pr, struct foreign_packet *p, struct foreign_accept *a)
{
	between(pr, true, p, a);
	p->ct = FOREIGN_CT_NEW;
	return pr->net->out && pr->uplink[0];
}

static bool translated(const struct probe *pr)
{
	return pr->family == AF_INET6 ? pr->net->nat6 : pr->net->nat4;
}

static bool need_answers(const struct probe *pr, struct foreign_packet *p, struct foreign_accept *a)
{
	between(pr, false, p, a);
	p->ct = FOREIGN_CT_ESTABLISHED | (translated(pr) ? FOREIGN_CT_SNAT : 0);
	p->reply = true;
	a->answers = true;
	return pr->net->out && pr->uplink[0];
}

static bool need_in(const struct probe *pr, struct foreign_packet *p, struct foreign_accept *a)
{
	between(pr, false, p, a);
	p->ct = FOREIGN_CT_NEW;
	p->sport = 40000;
	p->dport = 443;
	return pr->net->in && !translated(pr) && pr->uplink[0];
}

static bool need_published(const struct probe *pr, struct foreign_packet *p, struct foreign_accept *a)
{
	between(pr, false, p, a);
	for (size_t i = 0; i < pr->net->published_cnt; i++) {
		const struct probe_published *one = &pr->net->published[i];
		if (one->guest.family != pr->family)
			continue;
		p->ct = FOREIGN_CT_NEW | FOREIGN_CT_DNAT;
		p->proto = one->protocol;
		p->sport = 40000;
		p->dport = one->port;
		p->daddr = one->guest;
		a->answers = true; /* translated ones, too */
		return pr->uplink[0] != '\0';
	}
	return false;
}

/* Somebody answers DNS on the bridge's address. */
static bool dns_served(const struct nd_ip *ip)
{
	struct nd_listeners l = { .cnt = 0 };
	bool served = nd_listeners_read(&l, NULL) == 0 && nd_listeners_find(&l, IPPROTO_UDP, ip, 53);
	nd_listeners_done(&l);
	return served;
}

static bool need_dns(const struct probe *pr, struct foreign_packet *p, struct foreign_accept *a)
{
	nd_strcpy(p->iif, sizeof p->iif, pr->net->bridge);
	p->iifindex = pr->net->ifindex;
	p->saddr = pr->guest;
	p->daddr = pr->bridge;
	p->proto = IPPROTO_UDP;
	p->sport = 40000;
	p->dport = 53;
	p->ct = FOREIGN_CT_NEW;
	nd_strcpy(a->iif, sizeof a->iif, pr->net->bridge);
	a->input = true;
	a->udp_port = 53;
	return pr->family == AF_INET && pr->net->dhcp && dns_served(&pr->bridge);
}

static const struct need {
	const char *what;
	need_fn describe;
	unsigned hooks[4]; /* in the order of the way; NF_INET_NUMHOOKS ends */
} need_rows[] = {
	{ "from guests to the outside",
	  need_out,
	  { NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING, NF_INET_NUMHOOKS } },
	{ "of answers to guests",
	  need_answers,
	  { NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING, NF_INET_NUMHOOKS } },
	{ "from outside to guests",
	  need_in,
	  { NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING, NF_INET_NUMHOOKS } },
	{ "to published ports", need_published, { NF_INET_FORWARD, NF_INET_POST_ROUTING, NF_INET_NUMHOOKS } },
	{ "of guests' DNS requests to the host",
	  need_dns,
	  { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_NUMHOOKS } },
};

static void add_drop(struct probe *pr, const struct need *need, const struct foreign_decision *d,
		     const struct foreign_accept *a)
{
	const struct foreign_step *s = &d->steps[d->step_cnt - 1];
	struct probe_drop *to = &pr->ret[pr->cnt];
	char step[300];
	if (pr->cnt == PROBE_DROPS_MAX)
		return;
	pr->cnt++;
	*to = (struct probe_drop){ .what = need->what,
				   .family = pr->family,
				   .certain = d->certain,
				   .base = s->chain,
				   .accept = *a };
	to->owner = foreign_chain_owner(s->chain);
	snprintf(to->text, sizeof to->text, "IPv%d %s %s %s by %s", pr->family == AF_INET6 ? 6 : 4,
		 need->what, d->certain ? "is" : "may be",
		 d->outcome == FOREIGN_REJECTED ? "rejected" : "dropped",
		 probe_step_text(s, step, sizeof step));
	fix_text(to, pr->net);
}

static void probe_need(struct probe *pr, const struct need *need)
{
	struct foreign_packet p = { .family = pr->family };
	struct foreign_accept a = { .family = pr->family };
	struct foreign_decision d;
	nd_strcpy(a.network, sizeof a.network, pr->net->name);
	if (!need->describe(pr, &p, &a))
		return;
	for (size_t i = 0; need->hooks[i] != NF_INET_NUMHOOKS; i++) {
		struct foreign_packet here = p;
		foreign_decide(pr->rs, FOREIGN_IP, need->hooks[i], true, &here, &pr->routes, &d);
		if (d.outcome == FOREIGN_ACCEPT)
			continue;
		add_drop(pr, need, &d, &a);
		return;
	}
}

/* Which way the network's guests go out: that of a configured uplink, or the host's. */
static void find_uplink(struct probe *pr)
{
	struct foreign_route route;
	struct nd_ip none = { .family = 0 };
	pr->uplink[0] = '\0';
	if (pr->net->uplink_cnt) {
		nd_strcpy(pr->uplink, sizeof pr->uplink, pr->net->uplinks[0]);
	} else if (foreign_route_get(pr->nl, &pr->outside, &none, "", &route, NULL) == 0) {
		nd_strcpy(pr->uplink, sizeof pr->uplink, route.oif);
		pr->uplink_index = route.oifindex;
	}
}

size_t probe_network(const struct foreign_ruleset *rs, struct nd_nl *nl, const struct probe_net *n,
		     struct probe_drop *ret)
{
	struct probe pr = { .rs = rs, .routes = foreign_routes(nl), .nl = nl, .net = n, .ret = ret };
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		pr.family = families[f];
		pr.guest = probe_guest(n, pr.family);
		if (!pr.guest.family)
			continue;
		pr.bridge = pr.family == AF_INET6 ? n->address6.ip : n->address4.ip;
		pr.outside = pr.family == AF_INET6 ? outside6 : outside4;
		pr.uplink_index = 0;
		find_uplink(&pr);
		for (size_t i = 0; i < ARRAY_LEN(need_rows); i++)
			probe_need(&pr, &need_rows[i]);
	}
	return pr.cnt;
}

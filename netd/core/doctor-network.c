// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: doctor's checks of a network (see doctor.h)
 *
 * DHCP is asked as a guest asks it: a veth is put into the bridge for a moment, and a DISCOVER from a MAC of the local range goes through it. Only an
 * offer is awaited, so that no address is leased. Source: RFC 2131 §2, §3.1; RFC 1035 §4.1.
 */
#include "base/bytes.h"
#include "base/file.h"
#include "base/link.h"
#include "base/mem.h"
#include "dhcp/frame.h"
#include "foreign/route.h"
#include "netd/core/doctor.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <time.h>

#define DHCP_TRIES   3
#define DHCP_WAIT_MS 1000
#define DNS_WAIT_MS  1500
#define MTU_DEFAULT  1500

static void check_bridge(struct doctor_job *d)
{
	struct nd_link link;
	size_t i = (size_t)(d->net - d->nets);
	const char *degraded = i < ARRAY_LEN(d->degraded) ? d->degraded[i] : "";
	if (!d->net->bridge[0] && degraded[0]) /* macvtaps */
		doctor_say(d, DOCTOR_FAILED, NULL, "degraded: %s", degraded);
	else if (!d->net->bridge[0])
		doctor_say(d, DOCTOR_OK, NULL, "its interfaces are there");
	else if (nd_link_get_by_name(d->nl, d->net->bridge, &link, NULL) < 0)
		doctor_say(d, DOCTOR_FAILED, "netdctl doctor --fix", "the bridge %s is not there",
			   d->net->bridge);
	else if (!(link.flags & IFF_UP))
		doctor_say(d, DOCTOR_FAILED, "netdctl doctor --fix", "the bridge %s is down", d->net->bridge);
	else if (degraded[0])
		doctor_say(d, DOCTOR_FAILED, "netdctl doctor --fix", "degraded: %s", degraded);
	else
		doctor_say(d, DOCTOR_OK, NULL, "%s is up", d->net->bridge);
}

/* ---- the way out ---- */

static void check_uplink(struct doctor_job *d)
{
	static const struct nd_ip outside = { AF_INET, { 1, 1, 1, 1 } };
	struct nd_ip none = { .family = 0 };
	struct foreign_route r;
	struct nd_link link;
	if (!d->net->out) {
		doctor_say(d, DOCTOR_OK, NULL,
			   d->net->open ? "netd has no rule on what is forwarded"
					: "nothing of it is forwarded");
		return;
	}
	for (size_t i = 0; i < d->net->uplink_cnt; i++) {
		char command[64];
		snprintf(command, sizeof command, "ip link set %s up", d->net->uplinks[i]);
		if (nd_link_get_by_name(d->nl, d->net->uplinks[i], &link, NULL) < 0)
			doctor_say(d, DOCTOR_FAILED, NULL, "its uplink %s is not there", d->net->uplinks[i]);
		else if (!(link.flags & IFF_UP) || !link.carrier)
			doctor_say(d, DOCTOR_FAILED, command, "its uplink %s is down or has no carrier",
				   d->net->uplinks[i]);
		else
			doctor_say(d, DOCTOR_OK, NULL, "its uplink %s is up", d->net->uplinks[i]);
	}
	if (d->net->uplink_cnt)
		return;
	if (foreign_route_get(d->nl, &outside, &none, "", &r, NULL) < 0 || r.type != RTN_UNICAST)
		doctor_say(d, DOCTOR_FAILED, "ip route add default via GATEWAY",
			   "the host has no default route: guests reach no more than it does");
	else
		doctor_say(d, DOCTOR_OK, NULL, "the host's default route leaves by %s", r.oif);
}

static void check_mtu(struct doctor_job *d)
{
	static const struct nd_ip outside = { AF_INET, { 1, 1, 1, 1 } };
	struct nd_ip none = { .family = 0 };
	struct foreign_route r = { .oifindex = 0 };
	uint32_t own = d->net->mtu ? d->net->mtu : MTU_DEFAULT;
	struct nd_link link;
	char command[160];
	bool known;
	if (d->net->uplink_cnt)
		known = nd_link_get_by_name(d->nl, d->net->uplinks[0], &link, NULL) == 0;
	else
		known = d->net->out && foreign_route_get(d->nl, &outside, &none, "", &r, NULL) == 0 &&
			nd_link_get(d->nl, r.oifindex, &link, NULL) == 0;
	if (!known || !d->net->out) {
		doctor_say(d, DOCTOR_OK, NULL, "%u bytes", own);
		return;
	}
	uint32_t up = r.mtu && r.mtu < link.mtu ? r.mtu : link.mtu;
	snprintf(command, sizeof command, "netdctl net-edit %s   (<mtu size='%u'/>)", d->net->name, up);
	if (own > up)
		doctor_say(d, DOCTOR_WARNING, command,
			   "%u bytes, but %u on the uplink %s: large packets depend on ICMP that firewalls "
			   "often drop",
			   own, up, link.name);
	else
		doctor_say(d, DOCTOR_OK, NULL, "%u bytes, %u on the uplink %s", own, up, link.name);
}

/* ---- its subnet ---- */

struct collision {
	const struct doctor_job *d;
	const struct nd_prefix *subnet;
	char text[200];
};

static int on_route(const struct nd_route *r, void *arg)
{
	struct collision *c = arg;
	char prefix[ND_PREFIX_STRLEN], name[IF_NAMESIZE] = "?";
	if (r->dst.len == 0 || r->table == RT_TABLE_LOCAL || r->oif == c->d->net->ifindex ||
	    r->dst.ip.family != c->subnet->ip.family || r->type == RTN_MULTICAST ||
	    r->type == RTN_BROADCAST || !nd_prefix_overlaps(&r->dst, c->subnet))
		return 0;
	/* a wider route is legal, and loses against the bridge's own */
	if (r->dst.len < c->subnet->len && r->table == RT_TABLE_MAIN)
		return 0;
	if_indextoname((unsigned)r->oif, name);
	snprintf(c->text, sizeof c->text, "%s is also routed to %s (table %u)",
		 nd_prefix_to_string(&r->dst, prefix), name, r->table);
	return 0;
}

static void check_subnet(struct doctor_job *d)
{
	const struct nd_prefix *both[] = { &d->net->address4, &d->net->address6 };
	char text[ND_PREFIX_STRLEN];
	bool bad = false;
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct collision c = { .d = d, .subnet = both[i] };
		if (!both[i]->ip.family)
			continue;
		nd_route_dump(d->nl, on_route, &c, NULL);
		if (!c.text[0])
			continue;
		bad = true;
		doctor_say(d, DOCTOR_FAILED, NULL,
			   "the subnet of %s collides: %s. A VPN that came up later? Give the network "
			   "another subnet",
			   nd_prefix_to_string(both[i], text), c.text);
	}
	if (!bad)
		doctor_say(d, DOCTOR_OK, NULL, "no other route leads to its subnet");
}

static void check_firewall(struct doctor_job *d)
{
	struct probe_drop drops[PROBE_DROPS_MAX];
	size_t cnt = d->rs ? probe_network(d->rs, d->nl, d->net, drops) : 0;
	for (size_t i = 0; i < cnt; i++)
		doctor_say(d, drops[i].certain ? DOCTOR_FAILED : DOCTOR_WARNING, drops[i].fix, "%s",
			   drops[i].text);
	if (!d->rs)
		doctor_say(d, DOCTOR_WARNING, NULL, "other firewalls could not be looked at: %s",
			   d->rs_failed);
	else if (!cnt)
		doctor_say(d, DOCTOR_OK, NULL, "no other firewall drops what it needs");
}

/* ---- DHCP ---- */

struct veth {
	char near[ND_IFNAMSIZ], far[ND_IFNAMSIZ];
	struct nd_mac mac;
	int far_index;
};

static void random_names(struct veth *v)
{
	struct nd_uuid random;
	nd_uuid_random(&random);
	snprintf(v->near, sizeof v->near, "ndtry%02x%02x%02xa", random.b[0], random.b[1], random.b[2]);
	snprintf(v->far, sizeof v->far, "ndtry%02x%02x%02xb", random.b[0], random.b[1], random.b[2]);
	memcpy(v->mac.b, random.b + 9, 6);
	v->mac.b[0] = 0x02; /* locally administered, unicast */
}

static int link_up(struct nd_nl *nl, int ifindex, struct nd_error *e)
{
	struct ifinfomsg info = { .ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST);
	if (msg && nlmsg_append(msg, &info, sizeof info, NLMSG_ALIGNTO) == 0)
		return nd_nl_call(nl, msg, NULL, NULL, e);
	nlmsg_free(msg);
	return nd_fail(e, ND_MEMORY, "link");
}

static void delete_veth(struct doctor_job *d, const struct veth *v)
{
	struct ifinfomsg info = { .ifi_index = v->far_index };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELLINK, NLM_F_REQUEST);
	if (msg && v->far_index && nlmsg_append(msg, &info, sizeof info, NLMSG_ALIGNTO) == 0)
		nd_nl_call(d->nl, msg, NULL, NULL, NULL);
	else
		nlmsg_free(msg);
}

static int make_veth(struct doctor_job *d, struct veth *v, struct nd_error *e)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *linkinfo, *data, *peer;
	random_names(v);
	if (!msg || nlmsg_append(msg, &info, sizeof info, NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, v->near) < 0 ||
	    nla_put_u32(msg, IFLA_MASTER, (uint32_t)d->net->ifindex) < 0 ||
	    !(linkinfo = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, "veth") < 0 ||
	    !(data = nla_nest_start(msg, IFLA_INFO_DATA)) || !(peer = nla_nest_start(msg, VETH_INFO_PEER)) ||
	    nlmsg_append(msg, &info, sizeof info, NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, v->far) < 0 || nla_put(msg, IFLA_ADDRESS, 6, v->mac.b) < 0) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "veth");
	}
	nla_nest_end(msg, peer);
	nla_nest_end(msg, data);
	nla_nest_end(msg, linkinfo);
	if (nd_nl_call(d->nl, msg, NULL, NULL, e) < 0)
		return nd_wrap(e, "veth for a trial");
	v->far_index = (int)if_nametoindex(v->far);
	/* the far end has no business with the host's own IPv6 */
	char key[64];
	snprintf(key, sizeof key, "net/ipv6/conf/%s/disable_ipv6", v->far);
	nd_sysctl_write(key, "1", NULL);
	/* up only now: without its peer a veth cannot be */
	if (link_up(d->nl, v->far_index, e) < 0 || link_up(d->nl, (int)if_nametoindex(v->near), e) < 0) {
		delete_veth(d, v);
		return nd_wrap(e, "veth for a trial");
	}
	return 0;
}

static uint16_t ip_checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Return: the frame's length. */
static size_t build_discover(const struct veth *v, uint32_t xid, uint8_t *buf, size_t size)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const size_t payload = DHCP_PAYLOAD_MIN, udp = 8 + payload, ip = 20 + udp;
	struct nd_writer w = nd_writer(buf, size);
	nd_write_bytes(&w, all, 6);
	nd_write_bytes(&w, v->mac.b, 6);
	nd_write_be16(&w, ETH_P_IP);
	nd_write_be16(&w, 0x4500);
	nd_write_be16(&w, (uint16_t)ip);
	nd_write_be32(&w, 0);
	nd_write_be16(&w, 0x4011); /* TTL 64, UDP */
	nd_write_be16(&w, 0);
	nd_write_be32(&w, 0);
	nd_write_be32(&w, DHCP_IP4_BROADCAST);
	nd_write_be16_at(&w, 24, ip_checksum(buf + 14, 20));
	nd_write_be16(&w, DHCP_PORT_CLIENT);
	nd_write_be16(&w, DHCP_PORT_SERVER);
	nd_write_be16(&w, (uint16_t)udp);
	nd_write_be16(&w, 0); /* no checksum */
	nd_write_be32(&w, (uint32_t)DHCP_BOOTREQUEST << 24 | DHCP_HTYPE_ETHERNET << 16 | 6 << 8);
	nd_write_be32(&w, xid);
	nd_write_be16(&w, 0);
	nd_write_be16(&w, DHCP_FLAG_BROADCAST);
	nd_write_zero(&w, 16);
	nd_write_bytes(&w, v->mac.b, 6);
	nd_write_zero(&w, 10 + DHCP_SNAME_LEN + DHCP_FILE_LEN);
	nd_write_be32(&w, DHCP_COOKIE);
	nd_write_be32(&w, (uint32_t)DHCP_OPTION_TYPE << 24 | 1 << 16 | 1 << 8 | 0xff); /* DISCOVER, end */
	nd_write_zero(&w, 14 + ip - w.pos);
	return w.bad ? 0 : w.pos;
}

/* An answer to xid with an address. */
static bool is_offer(const uint8_t *p, size_t len, uint32_t xid, struct nd_ip *ret)
{
	struct nd_reader r = nd_reader(p, len);
	nd_read_skip(&r, 12);
	if (nd_read_be16(&r) != ETH_P_IP)
		return false;
	nd_read_skip(&r, 20 + 8);
	if (nd_read_u8(&r) != DHCP_BOOTREPLY)
		return false;
	nd_read_skip(&r, 3);
	if (nd_read_be32(&r) != xid)
		return false;
	nd_read_skip(&r, 8);
	*ret = nd_ip_from_ip4(nd_read_be32(&r));
	return !r.bad;
}

static bool await_offer(int fd, uint32_t xid, struct nd_ip *ret)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec begin, now;
	uint8_t buf[2048];
	int left = DHCP_WAIT_MS;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (left > 0 && poll(&p, 1, left) > 0) {
		ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
		if (n > 0 && is_offer(buf, (size_t)n, xid, ret))
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = DHCP_WAIT_MS -
		       (int)((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000);
	}
	return false;
}

static bool discover(const struct veth *v, struct nd_ip *ret, struct nd_error *e)
{
	nd_autoclose int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = v->far_index };
	uint8_t frame[512];
	uint32_t xid;
	memcpy(&xid, v->mac.b + 2, 4);
	size_t len = build_discover(v, xid, frame, sizeof frame);
	if (fd < 0 || bind(fd, (void *)&at, sizeof at) < 0) {
		nd_fail_sys(e, errno, NULL, "packet socket");
		return false;
	}
	for (int i = 0; i < DHCP_TRIES; i++) {
		if (send(fd, frame, len, 0) < 0 && errno != ENETDOWN) {
			nd_fail_sys(e, errno, NULL, "send a DISCOVER");
			return false;
		}
		if (await_offer(fd, xid, ret))
			return true;
	}
	return false;
}

static void check_dhcp(struct doctor_job *d)
{
	struct nd_error e = ND_ERROR_INIT;
	struct veth v = { .far_index = 0 };
	struct nd_ip offered;
	char text[300];
	bool got;
	if (!d->net->dhcp) {
		doctor_say(d, DOCTOR_OK, NULL, "it has none");
		return;
	}
	if (make_veth(d, &v, &e) < 0) {
		nd_error_format(&e, text, sizeof text);
		doctor_say(d, DOCTOR_WARNING, NULL, "not tried: %s", text);
		return;
	}
	got = discover(&v, &offered, &e);
	delete_veth(d, &v);
	if (got) {
		doctor_say(d, DOCTOR_OK, NULL, "a DISCOVER was answered with an offer of %s",
			   nd_ip_to_string(&offered, text));
		return;
	}
	nd_error_format(&e, text, sizeof text);
	doctor_say(d, DOCTOR_FAILED, "netdctl counters", "a DISCOVER got no offer%s%s",
		   e.code ? ": " : " in 3 s", e.code ? text : "");
}

/* ---- DNS ---- */

/* Whether somebody answers a question for the root's name servers, whatever he says. */
static bool dns_answers(const struct nd_ip *ip)
{
	static const uint8_t question[] = { 0x6e, 0x64, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1 };
	nd_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t answer[512];
	memcpy(&to.sin_addr, ip->b, 4);
	return fd >= 0 && connect(fd, (void *)&to, sizeof to) == 0 &&
	       send(fd, question, sizeof question, 0) > 0 && poll(&p, 1, DNS_WAIT_MS) > 0 &&
	       recv(fd, answer, sizeof answer, 0) > 2 && answer[0] == question[0] && answer[1] == question[1];
}

static void check_dns(struct doctor_job *d)
{
	char text[ND_IP_STRLEN], command[96];
	if (!d->net->dhcp || (!d->net->out && !d->net->open)) {
		doctor_say(d, DOCTOR_OK, NULL, "no resolver is handed out");
		return;
	}
	if (!d->resolver_cnt)
		doctor_say(d, DOCTOR_WARNING, NULL,
			   "the host has no resolver that guests could reach, and none is handed out");
	for (size_t i = 0; i < d->resolver_cnt; i++) {
		nd_ip_to_string(&d->resolvers[i], text);
		snprintf(command, sizeof command, "dig @%s . NS", text);
		if (d->resolver_state[i] == RESOLVER_UNASKED) /* once, not for each network */
			d->resolver_state[i] =
				dns_answers(&d->resolvers[i]) ? RESOLVER_ANSWERS : RESOLVER_SILENT;
		if (d->resolver_state[i] == RESOLVER_ANSWERS)
			doctor_say(d, DOCTOR_OK, NULL,
				   "the host's resolver %s, which guests depend on, answers", text);
		else
			doctor_say(d, DOCTOR_WARNING, command,
				   "the host's resolver %s, which guests depend on, does not answer", text);
	}
}

const struct doctor_check doctor_network_checks[] = {
	{ "bridge", "it is as defined", check_bridge },
	{ "uplink", "there is a way out", check_uplink },
	{ "mtu", "packets fit", check_mtu },
	{ "subnet", "its addresses are nobody else's", check_subnet },
	{ "firewall", "no other firewall is in the way", check_firewall },
	{ "dhcp", "guests get an address", check_dhcp },
	{ "dns", "guests' resolvers answer", check_dns },
};
const size_t doctor_network_check_cnt = ARRAY_LEN(doctor_network_checks);

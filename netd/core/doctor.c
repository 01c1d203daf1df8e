// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what is wrong with the host: the checks' frame, and those of the host (see doctor.h) */
#include "netd/core/doctor.h"
#include "base/file.h"
#include "base/link.h"
#include "base/listener.h"
#include "base/mem.h"
#include "foreign/route.h"
#include "nat/nat.h"
#include "netd/core/repair.h"
#include "netd/core/settings.h"
#include "netd/core/supervisor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/capability.h>

#define RESULTS_MAX 4096
#define TRIAL_LINK  "netd-trial"

static const char *const kind_names[DOCTOR_RESULT_CNT_] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARNING] = "warning",
	[DOCTOR_FAILED] = "failed",
};
ND_STRTAB(doctor_result_kind, kind_names)

void doctor_say(struct doctor_job *d, enum doctor_result_kind kind, const char *command, const char *fmt, ...)
{
	struct doctor_result *r;
	va_list ap;
	if (d->result_cnt == RESULTS_MAX)
		return;
	r = realloc(d->results, (d->result_cnt + 1) * sizeof *r);
	if (!r)
		return;
	d->results = r;
	r += d->result_cnt++;
	*r = (struct doctor_result){ .name = d->name, .kind = kind };
	if (d->net)
		nd_strcpy(r->network, sizeof r->network, d->net->name);
	nd_strcpy(r->command, sizeof r->command, command ? command : "");
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof r->text, fmt, ap);
	va_end(ap);
}

int doctor_sysctl(const char *key)
{
	char value[16];
	return nd_sysctl_read(key, value, sizeof value, NULL) < 0 ? -1 : (int)strtol(value, NULL, 10);
}

/* ---- the kernel ---- */

static void check_tun(struct doctor_job *d)
{
	nd_autoclose int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		doctor_say(d, DOCTOR_OK, NULL, "/dev/net/tun opens");
	else
		doctor_say(d, DOCTOR_FAILED, errno == ENOENT ? "modprobe tun" : NULL, "/dev/net/tun: %s",
			   strerror(errno));
}

static void check_capabilities(struct doctor_job *d)
{
	static const struct {
		cap_value_t cap;
		const char *name, *what;
	} rows[] = {
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "nothing can be made" },
		{ CAP_NET_RAW, "CAP_NET_RAW", "no DHCP" },
		{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "who holds a port is not named" },
	};
	cap_t caps = cap_get_proc();
	bool all = caps != NULL;
	for (size_t i = 0; caps && i < ARRAY_LEN(rows); i++) {
		cap_flag_value_t v = CAP_CLEAR;
		if (cap_get_flag(caps, rows[i].cap, CAP_EFFECTIVE, &v) == 0 && v == CAP_SET)
			continue;
		all = false;
		doctor_say(d, i < 2 ? DOCTOR_FAILED : DOCTOR_WARNING, NULL, "netd has not %s: %s",
			   rows[i].name, rows[i].what);
	}
	cap_free(caps);
	if (all)
		doctor_say(d, DOCTOR_OK, NULL, "netd has what it needs");
}

static void check_nft(struct doctor_job *d)
{
	if (!d->rs)
		doctor_say(d, DOCTOR_FAILED, NULL, "%s", d->rs_failed);
	else if (d->rs->legacy_unread[0])
		doctor_say(d, DOCTOR_WARNING, "apt install iptables",
			   "rules of legacy iptables stand beside nftables' and cannot be read: %s",
			   d->rs->legacy_unread);
	else
		doctor_say(d, DOCTOR_OK, NULL, "%s",
			   d->nft_owned ? "netd's tables belong to it: others' flush leaves them alone"
					: "netd's tables have no owner flag (this kernel has none, or "
					  "nft_table_owner = no): what a flush takes, netd puts back");
}

static struct nl_msg *trial_bridge(bool vlan)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *linkinfo, *data;
	if (!msg || nlmsg_append(msg, &info, sizeof info, NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, TRIAL_LINK) < 0 ||
	    !(linkinfo = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, "bridge") < 0 ||
	    !(data = nla_nest_start(msg, IFLA_INFO_DATA)) ||
	    (vlan && nla_put_u8(msg, IFLA_BR_VLAN_FILTERING, 1) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, data);
	nla_nest_end(msg, linkinfo);
	return msg;
}

static int trial_qdisc(struct doctor_job *d, int ifindex, struct nd_error *e)
{
	struct tcmsg tc = { .tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT, .tcm_handle = 0x10000 };
	struct tc_htb_glob glob = { .version = 3, .rate2quantum = 10 };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWQDISC, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *options;
	if (!msg || nlmsg_append(msg, &tc, sizeof tc, NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, TCA_KIND, "htb") < 0 || !(options = nla_nest_start(msg, TCA_OPTIONS)) ||
	    nla_put(msg, TCA_HTB_INIT, sizeof glob, &glob) < 0) {
		nlmsg_free(msg);
		return nd_fail(e, ND_MEMORY, "htb");
	}
	nla_nest_end(msg, options);
	return nd_nl_call(d->nl, msg, NULL, NULL, e);
}

static void delete_link(struct nd_nl *nl, int ifindex)
{
	struct ifinfomsg info = { .ifi_index = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELLINK, NLM_F_REQUEST);
	if (msg && nlmsg_append(msg, &info, sizeof info, NLMSG_ALIGNTO) == 0)
		nd_nl_call(nl, msg, NULL, NULL, NULL);
	else
		nlmsg_free(msg);
}

/* A bridge that is there for a moment tells what no version does. Return: its index; 0: it cannot be made. */
static int make_trial(struct doctor_job *d, bool *ret_vlan)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_link link;
	char text[300];
	*ret_vlan = nd_nl_call(d->nl, trial_bridge(true), NULL, NULL, NULL) == 0;
	if ((*ret_vlan || nd_nl_call(d->nl, trial_bridge(false), NULL, NULL, &e) == 0) &&
	    nd_link_get_by_name(d->nl, TRIAL_LINK, &link, &e) == 0)
		return link.ifindex;
	nd_error_format(&e, text, sizeof text);
	doctor_say(d, DOCTOR_FAILED, "modprobe bridge", "a bridge cannot be made: %s", text);
	return 0;
}

static void check_kernel(struct doctor_job *d)
{
	struct nd_error e = ND_ERROR_INIT;
	bool vlan, htb;
	int ifindex = make_trial(d, &vlan);
	if (!ifindex)
		return;
	htb = trial_qdisc(d, ifindex, &e) == 0;
	delete_link(d->nl, ifindex);
	if (!vlan)
		doctor_say(d, DOCTOR_WARNING, NULL,
			   "this kernel's bridges have no vlan_filtering: networks with VLANs cannot be "
			   "started");
	if (!htb)
		doctor_say(d, DOCTOR_WARNING, "modprobe sch_htb",
			   "no qdisc htb: networks with bandwidth limits cannot be started");
	if (vlan && htb)
		doctor_say(d, DOCTOR_OK, NULL, "bridges, vlan_filtering and the qdisc htb");
}

/* ---- kernel settings ---- */

static bool any_out(const struct doctor_job *d, uint8_t family)
{
	bool any = false;
	for (size_t i = 0; i < d->cnt; i++)
		any |= d->nets[i].out &&
		       (family == AF_INET6 ? d->nets[i].address6 : d->nets[i].address4).ip.family;
	return any;
}

static void need_sysctl(struct doctor_job *d, const char *key, const char *why)
{
	char command[96];
	bool fixed = false;
	snprintf(command, sizeof command, "sysctl -w %s=1", key);
	for (char *s = command; *s; s++)
		*s = *s == '/' ? '.' : *s;
	if (doctor_sysctl(key) < 1 && d->fix)
		fixed = nd_sysctl_write(key, "1", NULL) == 0;
	if (doctor_sysctl(key) >= 1)
		doctor_say(d, DOCTOR_OK, NULL, "%s is 1%s", key, fixed ? " again" : "");
	else
		doctor_say(d, DOCTOR_FAILED, command, "%s is 0: %s", key, why);
	if (d->result_cnt)
		d->results[d->result_cnt - 1].fixed = fixed;
}

static void check_forwarding(struct doctor_job *d)
{
	if (any_out(d, AF_INET))
		need_sysctl(d, "net/ipv4/ip_forward", "guests reach nothing outside");
	if (any_out(d, AF_INET6))
		need_sysctl(d, "net/ipv6/conf/all/forwarding", "guests reach nothing outside by IPv6");
	if (!any_out(d, AF_INET) && !any_out(d, AF_INET6))
		doctor_say(d, DOCTOR_OK, NULL, "no active network is forwarded");
}

/* An uplink whose address came by router advertisement loses it when the host forwards. */
static void check_accept_ra(struct doctor_job *d)
{
	static const struct nd_ip outside = { AF_INET6, { 0x26, 0x06, 0x47, 0, 0x47, 0, [15] = 0x11 } };
	struct nd_ip none = { .family = 0 };
	struct foreign_route r;
	char key[80], command[96];
	if (doctor_sysctl("net/ipv6/conf/all/forwarding") < 1 ||
	    foreign_route_get(d->nl, &outside, &none, "", &r, NULL) < 0) {
		doctor_say(d, DOCTOR_OK, NULL, "the host does not forward IPv6, or has no way out by it");
		return;
	}
	snprintf(key, sizeof key, "net/ipv6/conf/%s/accept_ra", r.oif);
	snprintf(command, sizeof command, "sysctl -w net.ipv6.conf.%s.accept_ra=2", r.oif);
	if (doctor_sysctl(key) == 1)
		doctor_say(d, DOCTOR_WARNING, command,
			   "%s takes no router advertisements while the host forwards: its IPv6 way out may "
			   "expire",
			   r.oif);
	else
		doctor_say(d, DOCTOR_OK, NULL, "the way out by IPv6, %s, does not depend on it", r.oif);
}

static void check_rp_filter(struct doctor_job *d)
{
	int all = doctor_sysctl("net/ipv4/conf/all/rp_filter");
	bool found = false;
	for (size_t i = 0; i < d->cnt; i++) {
		for (size_t k = 0; k < d->nets[i].uplink_cnt; k++) {
			char key[80], command[96];
			int own;
			snprintf(key, sizeof key, "net/ipv4/conf/%s/rp_filter", d->nets[i].uplinks[k]);
			own = doctor_sysctl(key);
			if ((own > all ? own : all) != 1)
				continue;
			found = true;
			snprintf(command, sizeof command, "sysctl -w net.ipv4.conf.%s.rp_filter=2",
				 d->nets[i].uplinks[k]);
			doctor_say(d, DOCTOR_WARNING, command,
				   "strict reverse path filtering on %s: answers are dropped where the "
				   "host's route to "
				   "their sender is another interface",
				   d->nets[i].uplinks[k]);
		}
	}
	if (!found)
		doctor_say(d, DOCTOR_OK, NULL,
			   "no strict reverse path filtering on an uplink that a network names");
}

static void check_brnf(struct doctor_job *d)
{
	if (doctor_sysctl("net/bridge/bridge-nf-call-iptables") == 1)
		doctor_say(d, DOCTOR_WARNING, "sysctl -w net.bridge.bridge-nf-call-iptables=0",
			   "br_netfilter sends frames within a bridge through the IP rules, too: other "
			   "firewalls may drop "
			   "them, and a guest does not reach its own published port");
	else
		doctor_say(d, DOCTOR_OK, NULL, "frames within a bridge do not pass the IP rules");
}

static void check_ipv6(struct doctor_job *d)
{
	bool wanted = false;
	for (size_t i = 0; i < d->cnt; i++)
		wanted |= d->nets[i].address6.ip.family != 0;
	int all = doctor_sysctl("net/ipv6/conf/all/disable_ipv6");
	if (wanted && all != 0)
		doctor_say(d, DOCTOR_FAILED, "sysctl -w net.ipv6.conf.all.disable_ipv6=0",
			   all < 0 ? "this kernel has no IPv6, and networks want it"
				   : "IPv6 is off on this host, and networks want it");
	else
		doctor_say(d, DOCTOR_OK, NULL, wanted ? "IPv6 is on" : "no active network has IPv6");
}

/* ---- services ---- */

static void check_port53(struct doctor_job *d)
{
	struct nd_listeners l = { .cnt = 0 };
	struct nd_ip any = { .family = AF_INET };
	const struct nd_listener *who;
	char holder[ND_HOLDER_LEN];
	if (nd_listeners_read(&l, NULL) < 0)
		return;
	who = nd_listeners_find(&l, IPPROTO_UDP, &any, 53);
	if (who)
		doctor_say(d, who->any ? DOCTOR_WARNING : DOCTOR_OK, NULL, "UDP port 53 is held by %s%s",
			   nd_listener_holder(who, holder),
			   who->any ? ", on every address: it answers guests that ask the bridge's address"
				    : "");
	else
		doctor_say(d, DOCTOR_OK, NULL, "nobody holds UDP port 53 on addresses that guests see");
	nd_listeners_done(&l);
}

static void check_macs(struct doctor_job *d)
{
	if (d->duplicate[0])
		doctor_say(d, DOCTOR_FAILED, NULL, "%s", d->duplicate);
	else
		doctor_say(d, DOCTOR_OK, NULL, "no two ports of a network have one MAC");
}

static const struct doctor_check host_checks[] = {
	{ "tun", "TAP devices can be made", check_tun },
	{ "capabilities", "netd may do what it does", check_capabilities },
	{ "nftables", "rules can be read, and survive a flush", check_nft },
	{ "kernel", "bridges, VLANs, bandwidth", check_kernel },
	{ "forwarding", "the host forwards", check_forwarding },
	{ "accept-ra", "the host keeps its own IPv6", check_accept_ra },
	{ "rp-filter", "answers are not taken for spoofed", check_rp_filter },
	{ "br-netfilter", "frames within a bridge stay there", check_brnf },
	{ "ipv6", "IPv6 is on where it is wanted", check_ipv6 },
	{ "port-53", "who answers DNS on this host", check_port53 },
	{ "macs", "no two guests are one", check_macs },
};

/* ---- the frame ---- */

static int doctor_run(struct foreign_job *job, struct nd_nl *nl, struct nd_error *e)
{
	struct doctor_job *d = container_of(job, struct doctor_job, j);
	struct nd_error failed = ND_ERROR_INIT;
	d->nl = nl;
	if (foreign_read("netd", &d->rs, &failed) < 0)
		nd_error_format(&failed, d->rs_failed, sizeof d->rs_failed);
	for (size_t i = 0; i < ARRAY_LEN(host_checks); i++) {
		d->name = host_checks[i].name;
		host_checks[i].run(d);
	}
	for (size_t n = 0; n < d->cnt; n++) {
		d->net = &d->nets[n];
		for (size_t i = 0; i < doctor_network_check_cnt; i++) {
			d->name = doctor_network_checks[i].name;
			doctor_network_checks[i].run(d);
		}
	}
	foreign_ruleset_free(d->rs);
	return 0;
}

static void doctor_end(struct nd_job *job, const struct nd_error *e)
{
	struct doctor_job *d = container_of(job, struct doctor_job, j.job);
	d->done.fn(d->done.arg, d->results, d->result_cnt, e);
	free(d->nets);
	free(d->results);
	free(d);
}

static void find_duplicates(const struct core *c, struct doctor_job *d)
{
	const struct network *n;
	const struct port *a, *b;
	nd_list_foreach(n, &c->model->networks, all) {
		nd_list_foreach(a, &n->ports, siblings) {
			nd_list_foreach(b, &n->ports, siblings) {
				if (a != b && nd_mac_equal(&a->mac, &b->mac))
					snprintf(d->duplicate, sizeof d->duplicate,
						 "ports %s and %s of network '%.60s' have the same MAC: "
						 "frames go to either",
						 a->ifname, b->ifname, n->name);
			}
		}
	}
}

static void take_host(const struct core *c, struct doctor_job *d)
{
	const struct plan_host *host = supervisor_host(c->supervisor);
	d->nft_owned = nat_owned(c->nat);
	for (size_t i = 0; i < host->resolver_cnt && d->resolver_cnt < DOCTOR_RESOLVERS_MAX; i++)
		d->resolvers[d->resolver_cnt++] = nd_ip_from_ip4(host->resolver_ip4[i]);
	if (c->model->port_cnt <= 4096)
		find_duplicates(c, d);
}

static void take_degraded(const struct core *c, struct doctor_job *d)
{
	for (size_t i = 0; i < d->cnt && i < ARRAY_LEN(d->degraded); i++) {
		const struct network *n = model_network_by_uuid(c->model, &d->nets[i].uuid);
		if (n && n->degraded)
			nd_strcpy(d->degraded[i], sizeof d->degraded[i], n->degraded);
	}
}

void doctor(struct core *c, const struct network *only, bool fix, struct doctor_done done)
{
	struct doctor_job *d = calloc(1, sizeof *d);
	struct nd_error e = ND_ERROR_INIT;
	if (d)
		d->nets = foreign_snapshot(c, only, &d->cnt);
	if (!d || !d->nets) {
		free(d);
		nd_fail(&e, ND_MEMORY, "doctor");
		done.fn(done.arg, NULL, 0, &e);
		return;
	}
	d->j.job.done = doctor_end;
	d->j.run = doctor_run;
	d->done = done;
	d->fix = fix;
	if (fix) {
		repair_mark_all(c, "doctor was asked to mend");
		repair_now(c);
		foreign_check(c->foreign);
	}
	take_host(c, d);
	take_degraded(c, d);
	foreign_push(c->foreign, &d->j);
}

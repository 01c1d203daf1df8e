// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the timed calls of the benches
 *
 * Each mode times a call to netd and, in turn with it, the bare kernel calls that no program could do without (the floor), in the same namespace and in the
 * same run; samples go to standard output as JSON in microseconds, "netd" and "floor". What they mean is the driver's (run).
 *
 *   calls net-start SOCKET SAMPLES       StartNetwork of a NAT + DHCP network  | bridge, up, address, nft batch
 *   calls attach SOCKET NETWORK SAMPLES PORTS   Attach, with PORTS there before | open, TUNSETIFF, header, offloads, alias + master + up
 *   calls helper HELPER BRIDGE SAMPLES OTHER OTHERBRIDGE   two bridge helpers' whole runs in turn: fork, exec, descriptor received
 *   calls fill SOCKET FIRST COUNT        CreateNetwork bench<i> in 10.x.y.0/24
 *   calls hold SOCKET COUNT              one port on each of bench0…; waits for end of input, then prints how many descriptors still are TAPs
 *   calls ready SOCKET MS                until the socket answers ListPorts; prints how many ports it named
 */
#include "base/link.h"
#include "base/mem.h"
#include "base/netlink.h"
#include "base/sock.h"
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#define REPLY_MAX (4 << 20)
#define SETTLE_US 60000 /* after a deletion: 20-40 ms of RTNL in netd's deleting thread */

static void die(const char *what)
{
	fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_error(const char *what, const struct nd_error *e)
{
	char text[1024];
	nd_error_format(e, text, sizeof text);
	fprintf(stderr, "calls: %s: %s\n", what, text);
	exit(1);
}

static double now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

struct samples {
	double *us;
	size_t cnt, size;
};

static void add_sample(struct samples *s, double us)
{
	if (s->cnt == s->size) {
		s->size = s->size ? s->size * 2 : 64;
		s->us = realloc(s->us, s->size * sizeof *s->us);
		if (!s->us)
			die("samples");
	}
	s->us[s->cnt++] = us;
}

static void print_samples(const char *name, const struct samples *s, const char *end)
{
	printf("\"%s\":[", name);
	for (size_t i = 0; i < s->cnt; i++)
		printf("%s%.2f", i ? "," : "", s->us[i]);
	printf("]%s", end);
}

static void print_pair(const struct samples *netd, const struct samples *floor_calls)
{
	printf("{");
	print_samples("netd", netd, ",");
	print_samples("floor", floor_calls, "}\n");
}

/* ---- Varlink ---- */

static char reply[REPLY_MAX];

/* One call; the reply is in reply, *fd (may be NULL) is the first descriptor beside it. Return: false when netd answered with an error. */
static bool call_try(int sock, const char *request, int *fd)
{
	struct nd_error e = ND_ERROR_INIT;
	size_t used = 0, fd_cnt;
	int fds[ND_SOCK_FDS_MAX];
	if (nd_sock_send(sock, request, strlen(request) + 1, NULL, 0, &e) <= 0)
		die_error("send", &e);
	do {
		bool again;
		ssize_t n = nd_sock_recv(sock, reply + used, REPLY_MAX - used, fds, ND_SOCK_FDS_MAX, &fd_cnt,
					 &again, &e);
		if (n < 0)
			die_error("receive", &e);
		if (n == 0)
			return false;
		for (size_t i = 0; i < fd_cnt; i++) {
			if (fd && i == 0)
				*fd = fds[0];
			else
				close(fds[i]);
		}
		used += (size_t)n;
	} while (reply[used - 1] != '\0');
	return strncmp(reply, "{\"error\"", 8) != 0;
}

static void call(int sock, const char *request, int *fd)
{
	if (call_try(sock, request, fd))
		return;
	fprintf(stderr, "calls: %s\n  -> %s\n", request, reply);
	exit(1);
}

static int open_socket(const char *path)
{
	struct nd_error e = ND_ERROR_INIT;
	int fd;
	if (nd_sock_connect(path, &fd, &e) < 0)
		die_error("connect", &e);
	return fd;
}

static void network_call(int sock, const char *method, const char *name, unsigned number)
{
	char request[1024];
	snprintf(request, sizeof request,
		 "{\"method\":\"io.netd.%s\",\"parameters\":{\"xml\":\"<network><name>%s</name><forward "
		 "mode='nat'/>"
		 "<ip address='10.%u.%u.1' netmask='255.255.255.0'><dhcp><range start='10.%u.%u.2' "
		 "end='10.%u.%u.254'/>"
		 "</dhcp></ip></network>\"}}",
		 method, name, number / 250, number % 250, number / 250, number % 250, number / 250,
		 number % 250);
	call(sock, request, NULL);
}

/* ---- the floor of net-start ---- */

struct floor_state {
	struct nd_nl *nl;
	struct mnl_socket *nft;
	uint32_t seq;
};

static void floor_open(struct floor_state *f)
{
	struct nd_error e = ND_ERROR_INIT;
	if (nd_nl_new(NETLINK_ROUTE, &f->nl, &e) < 0)
		die_error("rtnetlink", &e);
	f->nft = mnl_socket_open(NETLINK_NETFILTER);
	if (!f->nft || mnl_socket_bind(f->nft, 0, MNL_SOCKET_AUTOPID) < 0)
		die("nfnetlink");
}

static void batch_send(struct floor_state *f, struct mnl_nlmsg_batch *b)
{
	char buf[8192];
	if (mnl_socket_sendto(f->nft, mnl_nlmsg_batch_head(b), mnl_nlmsg_batch_size(b)) < 0)
		die("nft send");
	ssize_t n = mnl_socket_recvfrom(f->nft, buf, sizeof buf);
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	if (n < (ssize_t)sizeof *h || h->nlmsg_type != NLMSG_ERROR ||
	    ((const struct nlmsgerr *)NLMSG_DATA(h))->error)
		die("nft batch was refused");
}

static struct nlmsghdr *nft_message(struct floor_state *f, struct mnl_nlmsg_batch *b, uint16_t type,
				    uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(b), type, NFPROTO_INET, NLM_F_REQUEST | flags,
				     ++f->seq);
}

static void batch_mark(struct floor_state *f, struct mnl_nlmsg_batch *b, bool begin)
{
	if (begin)
		nftnl_batch_begin(mnl_nlmsg_batch_current(b), ++f->seq);
	else
		nftnl_batch_end(mnl_nlmsg_batch_current(b), ++f->seq);
	mnl_nlmsg_batch_next(b);
}

static const char *const floor_sets[] = { "a", "b", "c" };

/* A table with three sets of interface names, as many as a NAT network has elements in. */
static void floor_table(struct floor_state *f)
{
	char buf[8192];
	struct mnl_nlmsg_batch *b = mnl_nlmsg_batch_start(buf, sizeof buf);
	batch_mark(f, b, true);
	struct nftnl_table *t = nftnl_table_alloc();
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, "floor");
	nftnl_table_nlmsg_build_payload(nft_message(f, b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK), t);
	mnl_nlmsg_batch_next(b);
	nftnl_table_free(t);
	for (size_t i = 0; i < ARRAY_LEN(floor_sets); i++) {
		struct nftnl_set *s = nftnl_set_alloc();
		nftnl_set_set_str(s, NFTNL_SET_TABLE, "floor");
		nftnl_set_set_str(s, NFTNL_SET_NAME, floor_sets[i]);
		nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
		nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, 41);
		nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, IFNAMSIZ);
		nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)i + 1);
		nftnl_set_nlmsg_build_payload(nft_message(f, b, NFT_MSG_NEWSET, NLM_F_CREATE), s);
		mnl_nlmsg_batch_next(b);
		nftnl_set_free(s);
	}
	batch_mark(f, b, false);
	batch_send(f, b);
	mnl_nlmsg_batch_stop(b);
}

static void floor_elements(struct floor_state *f, uint16_t type, const char *ifname)
{
	char buf[8192], key[IFNAMSIZ] = "";
	memcpy(key, ifname, strlen(ifname));
	struct mnl_nlmsg_batch *b = mnl_nlmsg_batch_start(buf, sizeof buf);
	batch_mark(f, b, true);
	for (size_t i = 0; i < ARRAY_LEN(floor_sets); i++) {
		struct nftnl_set *s = nftnl_set_alloc();
		struct nftnl_set_elem *el = nftnl_set_elem_alloc();
		nftnl_set_set_str(s, NFTNL_SET_TABLE, "floor");
		nftnl_set_set_str(s, NFTNL_SET_NAME, floor_sets[i]);
		nftnl_set_elem_set(el, NFTNL_SET_ELEM_KEY, key, sizeof key);
		nftnl_set_elem_add(s, el);
		bool last = i + 1 == ARRAY_LEN(floor_sets);
		nftnl_set_elems_nlmsg_build_payload(
			nft_message(f, b, type,
				    (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0) | (last ? NLM_F_ACK : 0)),
			s);
		mnl_nlmsg_batch_next(b);
		nftnl_set_free(s);
	}
	batch_mark(f, b, false);
	batch_send(f, b);
	mnl_nlmsg_batch_stop(b);
}

static void rtnl(struct floor_state *f, struct nl_msg *m)
{
	struct nd_error e = ND_ERROR_INIT;
	if (nd_nl_call(f->nl, m, NULL, NULL, &e) < 0)
		die_error("rtnetlink", &e);
}

static struct nl_msg *link_message(int ifindex, uint16_t flags, unsigned up)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex, .ifi_flags = up, .ifi_change = up };
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | flags);
	if (!m || nlmsg_append(m, &ifi, sizeof ifi, NLMSG_ALIGNTO) < 0)
		die("message");
	return m;
}

static int floor_bridge(struct floor_state *f, const char *name, uint32_t ip4)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 9, 9, 9 };
	struct nl_msg *m = link_message(0, NLM_F_CREATE | NLM_F_EXCL, 0);
	nla_put_string(m, IFLA_IFNAME, name);
	nla_put(m, IFLA_ADDRESS, sizeof mac, mac);
	struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, "bridge");
	nla_nest_end(m, info);
	rtnl(f, m);
	int ifindex = (int)if_nametoindex(name);
	struct ifaddrmsg ifa = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = (unsigned)ifindex };
	m = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
	nlmsg_append(m, &ifa, sizeof ifa, NLMSG_ALIGNTO);
	uint32_t be = htonl(ip4);
	nla_put(m, IFA_LOCAL, 4, &be);
	nla_put(m, IFA_ADDRESS, 4, &be);
	rtnl(f, m);
	rtnl(f, link_message(ifindex, 0, IFF_UP));
	return ifindex;
}

static int mode_net_start(const char *path, unsigned samples)
{
	struct floor_state f = { .seq = 1 };
	struct samples netd = { 0 }, bare = { 0 };
	struct nd_error e = ND_ERROR_INIT;
	int sock = open_socket(path);
	floor_open(&f);
	floor_table(&f);
	network_call(sock, "DefineNetwork", "benchstart", 60000);
	for (unsigned i = 0; i <= samples; i++) { /* the first of each warms up */
		double t0 = now_us();
		call(sock, "{\"method\":\"io.netd.StartNetwork\",\"parameters\":{\"name\":\"benchstart\"}}",
		     NULL);
		double t1 = now_us();
		call(sock, "{\"method\":\"io.netd.DestroyNetwork\",\"parameters\":{\"name\":\"benchstart\"}}",
		     NULL);
		usleep(SETTLE_US);
		double t2 = now_us();
		int ifindex = floor_bridge(&f, "floor0", 0x0af7f701);
		floor_elements(&f, NFT_MSG_NEWSETELEM, "floor0");
		double t3 = now_us();
		if (nd_link_delete(f.nl, ifindex, &e) < 0)
			die_error("delete", &e);
		floor_elements(&f, NFT_MSG_DELSETELEM, "floor0");
		usleep(SETTLE_US / 2);
		if (i > 0) {
			add_sample(&netd, t1 - t0);
			add_sample(&bare, t3 - t2);
		}
	}
	call(sock, "{\"method\":\"io.netd.UndefineNetwork\",\"parameters\":{\"name\":\"benchstart\"}}", NULL);
	print_pair(&netd, &bare);
	return 0;
}

/* ---- attach ---- */

static int floor_tap(struct floor_state *f, int master)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), hdr = 12;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &hdr) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
		die("tap");
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		die("tap");
	struct nl_msg *m = link_message((int)if_nametoindex(ifr.ifr_name), 0, IFF_UP);
	nla_put_string(m, IFLA_IFALIAS, "netd:00000000-0000-0000-0000-000000000001");
	nla_put_u32(m, IFLA_MASTER, (uint32_t)master);
	rtnl(f, m);
	return fd;
}

static int netd_tap(int sock, const char *network)
{
	char request[256];
	int fd = -1;
	snprintf(request, sizeof request,
		 "{\"method\":\"io.netd.Attach\",\"parameters\":{\"network\":\"%s\"}}", network);
	call(sock, request, &fd);
	if (fd < 0) {
		fprintf(stderr, "calls: no descriptor came\n");
		exit(1);
	}
	return fd;
}

static int mode_attach(const char *path, const char *network, unsigned samples, unsigned ports)
{
	struct floor_state f = { .seq = 1 };
	struct samples netd = { 0 }, bare = { 0 };
	int sock = open_socket(path);
	floor_open(&f);
	int master = floor_bridge(&f, "floor1", 0x0af7f801);
	for (unsigned i = 1; i < ports; i++) { /* held until we end */
		netd_tap(sock, network);
		floor_tap(&f, master);
	}
	for (unsigned i = 0; i <= samples; i++) {
		double t0 = now_us();
		int fd = netd_tap(sock, network);
		double t1 = now_us();
		close(fd);
		usleep(3000);
		double t2 = now_us();
		fd = floor_tap(&f, master);
		double t3 = now_us();
		close(fd);
		usleep(3000);
		if (i > 0) {
			add_sample(&netd, t1 - t0);
			add_sample(&bare, t3 - t2);
		}
	}
	if (nd_link_delete(f.nl, master, NULL) < 0)
		die("delete");
	print_pair(&netd, &bare);
	return 0;
}

/* ---- bridge helpers ---- */

static int run_helper(const char *helper, const char *bridge)
{
	int pair[2], fds[4], status;
	char br[128], fdarg[32], byte;
	size_t fd_cnt = 0;
	bool again;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("socketpair");
	snprintf(br, sizeof br, "--br=%s", bridge);
	snprintf(fdarg, sizeof fdarg, "--fd=%d", pair[1]);
	pid_t pid = vfork();
	if (pid == 0) {
		execl(helper, helper, "--use-vnet", fdarg, br, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	ssize_t n = nd_sock_recv(pair[0], &byte, 1, fds, 4, &fd_cnt, &again, NULL);
	waitpid(pid, &status, 0);
	close(pair[0]);
	if (n != 1 || fd_cnt != 1 || status != 0) {
		fprintf(stderr, "calls: %s failed\n", helper);
		exit(1);
	}
	return fds[0];
}

static double time_helper(const char *helper, const char *bridge)
{
	double t0 = now_us();
	int fd = run_helper(helper, bridge);
	double t1 = now_us();
	close(fd);
	usleep(3000);
	return t1 - t0;
}

static int mode_helper(const char *helper, const char *bridge, unsigned samples, const char *other,
		       const char *other_bridge)
{
	struct samples netd = { 0 }, bare = { 0 };
	for (unsigned i = 0; i <= samples; i++) {
		double ours = time_helper(helper, bridge), theirs = time_helper(other, other_bridge);
		if (i > 0) {
			add_sample(&netd, ours);
			add_sample(&bare, theirs);
		}
	}
	print_pair(&netd, &bare);
	return 0;
}

/* ---- populations ---- */

static int mode_fill(const char *path, unsigned first, unsigned count)
{
	int sock = open_socket(path);
	char name[32];
	for (unsigned i = first; i < first + count; i++) {
		snprintf(name, sizeof name, "bench%u", i);
		network_call(sock, "CreateNetwork", name, i);
	}
	return 0;
}

static int mode_hold(const char *path, unsigned count)
{
	int sock = open_socket(path), *fds = calloc(count, sizeof *fds);
	unsigned alive = 0;
	char name[32], byte;
	if (!fds)
		die("hold");
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof name, "bench%u", i);
		fds[i] = netd_tap(sock, name);
	}
	close(sock);
	printf("held %u\n", count);
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	for (unsigned i = 0; i < count; i++) {
		struct ifreq ifr;
		alive += ioctl(fds[i], TUNGETIFF, &ifr) == 0;
	}
	printf("alive %u\n", alive);
	return alive == count ? 0 : 1;
}

static unsigned count_in_reply(const char *what)
{
	unsigned cnt = 0;
	for (const char *p = reply; (p = strstr(p, what)); p++)
		cnt++;
	return cnt;
}

static int mode_ready(const char *path, unsigned ms)
{
	double until = now_us() + ms * 1e3;
	while (now_us() < until) {
		int fd;
		if (nd_sock_connect(path, &fd, NULL) == 0) {
			if (call_try(fd, "{\"method\":\"io.netd.ListPorts\",\"parameters\":{}}", NULL)) {
				printf("ready %u\n", count_in_reply("\"ownerPid\":"));
				return 0;
			}
			close(fd);
		}
		usleep(500);
	}
	fprintf(stderr, "calls: %s did not answer in %u ms\n", path, ms);
	return 1;
}

int main(int argc, char **argv)
{
	static const char usage[] = "see the head of calls.c\n";
	const char *mode = argc > 2 ? argv[1] : "";
	unsigned a = argc > 3 ? (unsigned)atoi(argv[3]) : 0, b = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
	if (!strcmp(mode, "net-start") && argc == 4)
		return mode_net_start(argv[2], a);
	if (!strcmp(mode, "attach") && argc == 6)
		return mode_attach(argv[2], argv[3], b, (unsigned)atoi(argv[5]));
	if (!strcmp(mode, "helper") && argc == 7)
		return mode_helper(argv[2], argv[3], b, argv[5], argv[6]);
	if (!strcmp(mode, "fill") && argc == 5)
		return mode_fill(argv[2], a, b);
	if (!strcmp(mode, "hold") && argc == 4)
		return mode_hold(argv[2], a);
	if (!strcmp(mode, "ready") && argc == 4)
		return mode_ready(argv[2], a);
	fputs(usage, stderr);
	return 2;
}

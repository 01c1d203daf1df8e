// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rulesets as nft(8) and iptables(8) really make them, read back, and what they decide of described packets.
 * Each row: a script, a packet, and what comes of it with the rule that decided.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "base/strtab.h"
#include "foreign/decide.h"
#include "foreign/route.h"
#include "foreign/watch.h"
#include <linux/netfilter.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

struct packet {
	const char *iif, *oif, *saddr, *daddr;
	uint8_t proto;
	uint16_t dport;
	uint32_t ct;
	unsigned hook;
	uint32_t mark;
};
#define NEW FOREIGN_CT_NEW
#define EST FOREIGN_CT_ESTABLISHED
#define FWD NF_INET_FORWARD
#define IN  NF_INET_LOCAL_IN
#define PRE NF_INET_PRE_ROUTING
#define OUT                                                                          \
	{                                                                            \
		"br0", "up0", "192.168.122.5", "1.1.1.1", IPPROTO_TCP, 443, NEW, FWD \
	}
#define BACK                                                                           \
	{                                                                              \
		"up0", "br0", "1.1.1.1", "192.168.122.5", IPPROTO_TCP, 40000, EST, FWD \
	}

struct row {
	const char *name, *script;
	struct packet p;
	enum foreign_outcome outcome;
	bool uncertain;
	const char *says; /* within the deciding rule's text, or "policy"; NULL: not asked */
	const char *owner;
};
static const char docker[] =
	"iptables -w -P FORWARD DROP; iptables -N DOCKER; iptables -N DOCKER-ISOLATION-STAGE-1;"
	"iptables -N DOCKER-ISOLATION-STAGE-2; iptables -N DOCKER-USER;"
	"iptables -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2;"
	"iptables -A DOCKER-ISOLATION-STAGE-1 -j RETURN;"
	"iptables -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP; iptables -A DOCKER-ISOLATION-STAGE-2 -j "
	"RETURN;"
	"iptables -A DOCKER-USER -j RETURN;"
	"iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -j DOCKER-ISOLATION-STAGE-1;"
	"iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT;"
	"iptables -A FORWARD -o docker0 -j DOCKER; iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT;"
	"iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT;";
#define NFT(chain_rules)                                                                                   \
	"nft -f - <<'X'\ntable inet t {\n set nets { type ipv4_addr; flags interval; elements = { "        \
	"10.0.0.0/8, 192.168.0.0/16 } }\n"                                                                 \
	" set pairs { type ifname . ipv4_addr; flags interval; elements = { \"br0\" . 192.168.122.0/24 } " \
	"}\n"                                                                                              \
	" set ports { type inet_service; flags interval; elements = { 80, 400-500 } }\n"                   \
	" map v { type ifname : verdict; elements = { \"br0\" : drop, \"br1\" : accept } }\n"              \
	" chain f { type filter hook forward priority 0; policy accept; " chain_rules " }\n}\nX\n"

static const struct row rows[] = {
	{ "docker out", docker, OUT, FOREIGN_DROP, false, "policy", "Docker" },
	{ "docker back", docker, BACK, FOREIGN_DROP, false, "policy", "Docker" },
	{ "docker's own",
	  docker,
	  { "docker0", "up0", "172.17.0.2", "1.1.1.1", IPPROTO_TCP, 443, NEW, FWD },
	  FOREIGN_ACCEPT,
	  false,
	  NULL,
	  NULL },
	{ "docker, our accept",
	  "sh -c \"$DOCKER\"; iptables -I DOCKER-USER -i br0 -m comment --comment 'netd lan' -j ACCEPT", OUT,
	  FOREIGN_ACCEPT, false, NULL, NULL },
	{ "set of intervals", NFT("ip saddr @nets tcp dport 443 drop;"), OUT, FOREIGN_DROP, false, "@nets",
	  "" },
	{ "not in it", NFT("ip daddr @nets drop;"), OUT, FOREIGN_ACCEPT, false, NULL, NULL },
	{ "ports", NFT("tcp dport @ports reject;"), OUT, FOREIGN_REJECTED, false, "th dport @ports reject",
	  "" },
	{ "anonymous set", NFT("tcp dport { 22, 443 } ct state new drop;"), OUT, FOREIGN_DROP, false,
	  "{ 22, 443 }", "" },
	{ "anonymous set, else", NFT("tcp dport { 22, 80 } drop;"), OUT, FOREIGN_ACCEPT, false, NULL, NULL },
	{ "concatenation", NFT("iifname . ip saddr @pairs drop;"), OUT, FOREIGN_DROP, false, "@pairs", "" },
	{ "concatenation, else", NFT("oifname . ip daddr @pairs drop;"), OUT, FOREIGN_ACCEPT, false, NULL,
	  NULL },
	{ "verdict map", NFT("iifname vmap @v;"), OUT, FOREIGN_DROP, false, "iifname vmap @v", "" },
	{ "verdict map, else", NFT("oifname vmap @v; drop;"), OUT, FOREIGN_DROP, false, "drop", "" },
	{ "inverted", NFT("iifname != \"br1\" ct state != established counter drop comment \"no guests\";"),
	  OUT, FOREIGN_DROP, false, "comment \"no guests\"", "" },
	{ "established", NFT("ct state established,related accept; drop;"), BACK, FOREIGN_ACCEPT, false, NULL,
	  NULL },
	{ "prefix", NFT("ip saddr 192.168.122.0/25 drop;"), OUT, FOREIGN_DROP, false, "192.168.122.0/25",
	  "" },
	{ "range", NFT("ip saddr 192.168.122.1-192.168.122.9 tcp dport 440-450 drop;"), OUT, FOREIGN_DROP,
	  false, NULL, "" },
	{ "wildcard name", NFT("iifname \"br*\" drop;"), OUT, FOREIGN_DROP, false, "\"br*\"", "" },
	{ "mark",
	  NFT("meta mark & 0xff == 0x1 accept; drop;"),
	  { "br0", "up0", "10.0.0.1", "1.1.1.1", IPPROTO_UDP, 5, NEW, FWD, 0x301 },
	  FOREIGN_ACCEPT,
	  false,
	  NULL,
	  NULL },
	{ "limit", NFT("limit rate 5/second accept; drop;"), OUT, FOREIGN_DROP, true, "drop", "" },
	{ "a set that learns",
	  "nft -f - <<'X'\ntable inet t { set seen { type ipv4_addr; flags dynamic; size 16; }; chain f { "
	  "type filter hook forward priority 0; add @seen { ip saddr } drop; }; }\nX\n",
	  OUT, FOREIGN_DROP, false, "drop", "" },
	{ "elements with a limit",
	  "nft -f - <<'X'\ntable inet t { set names { type ifname; flags "
	  "dynamic; size 9; elements = { \"br0\" ct count over 5 }; }; chain f { type filter hook forward "
	  "priority 0; iifname @names drop; }; }\nX\n",
	  OUT, FOREIGN_ACCEPT, true, NULL, NULL },
	{ "elements that count",
	  "nft -f - <<'X'\ntable inet t { set names { type ifname; counter; elements = { \"br0\" }; }; chain "
	  "f { type filter hook forward priority 0; iifname @names drop; }; }\nX\n",
	  OUT, FOREIGN_DROP, false, "drop", "" },
	{ "packet type", NFT("meta pkttype { broadcast, multicast } drop; accept;"), OUT, FOREIGN_ACCEPT,
	  false, NULL, NULL },
	{ "limit drops", NFT("limit rate over 5/second drop;"), OUT, FOREIGN_ACCEPT, true, NULL, NULL },
	{ "jump and return",
	  "nft -f - <<'X'\ntable inet t { chain a { tcp dport 443 return; accept; }\n chain f { type filter "
	  "hook forward priority 0; jump a; drop; }\n}\nX\n",
	  OUT, FOREIGN_DROP, false, "drop", "" },
	{ "goto",
	  "nft -f - <<'X'\ntable inet t { chain a { tcp dport 80 drop; }\n chain f { type filter hook "
	  "forward priority 0; goto a; drop; }\n}\nX\n",
	  OUT, FOREIGN_ACCEPT, false, NULL, NULL },
	{ "an accept ends only its own chain",
	  "nft -f - <<'X'\ntable inet a { chain f { type filter hook forward priority -10; accept; }; }\n"
	  "table ip b { chain f { type filter hook forward priority 10; drop; }; }\nX\n",
	  OUT, FOREIGN_DROP, false, "drop", "" },
	{ "another family",
	  "nft add table ip6 t; nft 'add chain ip6 t f { type filter hook forward priority 0; policy drop; "
	  "}'",
	  OUT, FOREIGN_ACCEPT, false, NULL, NULL },
	{ "xt matches",
	  "iptables -A FORWARD -p tcp -m multiport --dports 80,400:500 -m conntrack --ctstate NEW -m iprange "
	  "--src-range 192.168.122.1-192.168.122.9 -j REJECT",
	  OUT, FOREIGN_REJECTED, false, "dport 80,400:500 ct state new ip saddr 192.168.122.1-192.168.122.9",
	  "" },
	{ "xt unknown", "iptables -A FORWARD -m statistic --mode random --probability 0.5 -j DROP", OUT,
	  FOREIGN_ACCEPT, true, NULL, NULL },
	{ "local address",
	  "ip link add d0 type bridge; ip addr add 10.9.9.1/24 dev d0; ip link set d0 up; iptables -A INPUT "
	  "-m addrtype --dst-type LOCAL -i br0 -j DROP",
	  { "br0", "", "10.0.0.1", "10.9.9.1", IPPROTO_UDP, 53, NEW, IN },
	  FOREIGN_DROP,
	  false,
	  "type local",
	  "" },
	{ "fib",
	  "ip link add d0 type bridge; ip addr add 10.9.9.1/24 dev d0; ip link set d0 up;"
	  "nft -f - <<'X'\ntable inet t { chain f { type filter hook input priority 0; fib daddr type != "
	  "local drop; fib saddr . iif oif missing drop; }; }\nX\n",
	  { "d0", "", "10.9.9.7", "10.9.9.1", IPPROTO_UDP, 53, NEW, IN },
	  FOREIGN_ACCEPT,
	  false,
	  NULL,
	  NULL },
	{ "strict reverse path",
	  "ip link add d0 type bridge; ip addr add 10.9.9.1/24 dev d0; ip link set d0 up;"
	  "nft -f - <<'X'\ntable inet t { chain f { type filter hook input priority 0; fib saddr . iif oif "
	  "missing drop; }; }\nX\n",
	  { "br0", "", "10.9.9.7", "10.9.9.1", IPPROTO_UDP, 53, NEW, IN },
	  FOREIGN_DROP,
	  false,
	  "fib saddr",
	  "" },
};

static void shell(const char *script)
{
	nd_autofree char *text = NULL;

	setenv("DOCKER", docker, 1);
	assert_true(asprintf(&text, "{ %s\n} >/dev/null", script) > 0);
	assert_int_equal(system(text), 0);
}

static void describe(const struct packet *p, struct foreign_packet *ret)
{
	*ret = (struct foreign_packet){ .family = AF_INET,
					.proto = p->proto,
					.dport = p->dport,
					.sport = 40000,
					.ct = p->ct,
					.mark = p->mark };
	nd_strcpy(ret->iif, sizeof(ret->iif), p->iif);
	nd_strcpy(ret->oif, sizeof(ret->oif), p->oif);
	assert_int_equal(nd_ip_from_string(p->saddr, &ret->saddr), 0);
	assert_int_equal(nd_ip_from_string(p->daddr, &ret->daddr), 0);
}

static struct foreign_ruleset *read_rules(void)
{
	struct foreign_ruleset *rs = NULL;
	struct nd_error e = ND_ERROR_INIT;
	char text[512];

	if (foreign_read(NULL, &rs, &e) < 0) {
		nd_error_format(&e, text, sizeof(text));
		fail_msg("%s", text);
	}
	return rs;
}

static void run_row(const struct row *r)
{
	struct foreign_decision d;
	struct foreign_ruleset *rs;
	struct foreign_routes routes;
	struct foreign_packet p;
	struct nd_nl *nl = NULL;
	char text[512] = "policy";
	const struct foreign_step *s;

	shell(r->script);
	rs = read_rules();
	assert_int_equal(nd_nl_new(NETLINK_ROUTE, &nl, NULL), 0);
	routes = foreign_routes(nl);
	describe(&r->p, &p);
	foreign_decide(rs, FOREIGN_IP, r->p.hook, false, &p, &routes, &d);
	s = d.step_cnt ? &d.steps[d.step_cnt - 1] : NULL;
	if (s && s->rule)
		foreign_rule_text(s->rule, text, sizeof(text));
	if (d.outcome != r->outcome ||
	    (!d.certain || (d.outcome == FOREIGN_ACCEPT && d.uncertain_cnt)) != r->uncertain)
		fail_msg("%s: outcome %d, certain %d, %zu uncertain, by: %s", r->name, d.outcome, d.certain,
			 d.uncertain_cnt, text);
	if (r->says && !strstr(text, r->says))
		fail_msg("%s: decided by '%s'", r->name, text);
	if (r->owner)
		assert_string_equal(foreign_owner_to_string((int)foreign_chain_owner(s->chain)), r->owner);
	nd_nl_free(nl);
	foreign_ruleset_free(rs);
	shell("iptables -P FORWARD ACCEPT; nft flush ruleset; ip link del d0 2>/dev/null || true");
}

static void test_decisions(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		run_row(&rows[i]);
}

/* A destination that NAT changes goes on to where it leads. */
static void test_dnat(void **state)
{
	struct packet in = { "up0", "", "1.1.1.1", "198.51.100.2", IPPROTO_TCP, 8080, NEW, PRE };
	struct foreign_ruleset *rs;
	struct foreign_decision d;
	struct foreign_packet p;
	char ip[ND_IP_STRLEN];

	shell("nft -f - <<'X'\ntable ip t { map m { type inet_proto . inet_service : ipv4_addr . "
	      "inet_service; elements = { tcp . 8080 : 10.0.0.5 . 80 }; }\n"
	      "chain p { type nat hook prerouting priority -100; dnat ip to meta l4proto . th dport map @m; "
	      "}; }\nX\n");
	rs = read_rules();
	describe(&in, &p);
	foreign_decide(rs, FOREIGN_IP, PRE, false, &p, NULL, &d);
	assert_int_equal(d.outcome, FOREIGN_ACCEPT);
	assert_true(d.steps[0].translated);
	assert_string_equal(nd_ip_to_string(&p.daddr, ip), "10.0.0.5");
	assert_int_equal(p.dport, 80);
	assert_true(p.ct & FOREIGN_CT_DNAT);
	foreign_ruleset_free(rs);
	shell("nft flush ruleset");
}

/* Legacy iptables' rules count as nf_tables' do. */
static void test_legacy(void **state)
{
	struct packet out = OUT, http = OUT;
	struct foreign_ruleset *rs;
	struct foreign_decision d;
	struct foreign_packet p;
	char text[512], label[64];

	if (access("/usr/sbin/iptables-legacy", X_OK) != 0)
		skip();
	shell("iptables-legacy -A FORWARD -i br0 -p tcp -m tcp --dport 443 -m comment --comment 'no web' -j "
	      "DROP");
	rs = read_rules();
	assert_string_equal(rs->legacy_unread, "");
	describe(&out, &p);
	foreign_decide(rs, FOREIGN_IP, FWD, false, &p, NULL, &d);
	assert_int_equal(d.outcome, FOREIGN_DROP);
	assert_string_equal(
		foreign_rule_text(d.steps[d.step_cnt - 1].rule, text, sizeof(text)),
		"-A FORWARD -i br0 -p tcp -m tcp --dport 443 -m comment --comment \"no web\" -j DROP");
	assert_string_equal(foreign_table_label(d.steps[d.step_cnt - 1].chain->table, label, sizeof(label)),
			    "iptables-legacy table filter");
	http.dport = 80;
	describe(&http, &p);
	foreign_decide(rs, FOREIGN_IP, FWD, false, &p, NULL, &d);
	assert_int_equal(d.outcome, FOREIGN_ACCEPT);
	foreign_ruleset_free(rs);
	shell("iptables-legacy -F FORWARD");
}

static void test_watch(void **state)
{
	struct foreign_watch *w = NULL;
	struct pollfd p;

	assert_int_equal(foreign_watch_new(1, &w, NULL), 0);
	p = (struct pollfd){ .fd = foreign_watch_fd(w), .events = POLLIN };
	assert_false(foreign_watch_read(w));
	shell("nft add table inet x");
	assert_int_equal(poll(&p, 1, 1000), 1);
	assert_true(foreign_watch_read(w));
	assert_false(foreign_watch_read(w));
	foreign_watch_free(w);
	shell("nft flush ruleset");
}

/* All of it is read in milliseconds also where there is much. */
static void test_large(void **state)
{
	struct foreign_ruleset *rs;

	shell("{ echo 'table inet big { set s { type ipv4_addr; elements = {'; for i in $(seq 0 4999); do "
	      "echo \"10.0.$((i/256)).$((i%256)),\"; done;"
	      "echo '}; }; chain c {'; for i in $(seq 1 2000); do echo \"ip saddr 10.1.1.1 tcp dport "
	      "$i drop\"; done; echo '}; }'; } | nft -f -");
	rs = read_rules();
	assert_int_equal(
		foreign_set_find(rs, foreign_table_find(rs, NFPROTO_INET, "big", false), "s")->elem_cnt,
		5000);
	assert_int_equal(
		foreign_chain_find(rs, foreign_table_find(rs, NFPROTO_INET, "big", false), "c")->rule_cnt,
		2000);
	foreign_ruleset_free(rs);
	shell("nft flush ruleset");
}

static int setup(void **state)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	return system("ip link set lo up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions), cmocka_unit_test(test_dnat),  cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_watch),     cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

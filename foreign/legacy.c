// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: legacy iptables' tables
 *
 * A kernel with xtables of its own runs them beside nf_tables, and nfnetlink does not show them. The names of
 * those in use stand in /proc/net/ip_tables_names; iptables-legacy-save(8) reads them. It is asked only then,
 * since merely asking makes the kernel build the tables. Matches that are not read here may match.
 */
#include "base/file.h"
#include "base/spawn.h"
#include "base/strtab.h"
#include "foreign/private.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define OUTPUT_MAX (8u << 20)
#define WAIT_MS    5000
#define WORDS_MAX  96

/* A table's base chains: hooks and priorities. Source: linux/netfilter_ipv4.h (enum nf_ip_hook_priorities). */
static const struct {
	const char *table, *chain;
	uint32_t hook;
	int32_t priority;
	bool nat;
} base_rows[] = {
	{ "raw", "PREROUTING", NF_INET_PRE_ROUTING, -300, false },
	{ "raw", "OUTPUT", NF_INET_LOCAL_OUT, -300, false },
	{ "mangle", "PREROUTING", NF_INET_PRE_ROUTING, -150, false },
	{ "mangle", "INPUT", NF_INET_LOCAL_IN, -150, false },
	{ "mangle", "FORWARD", NF_INET_FORWARD, -150, false },
	{ "mangle", "OUTPUT", NF_INET_LOCAL_OUT, -150, false },
	{ "mangle", "POSTROUTING", NF_INET_POST_ROUTING, -150, false },
	{ "nat", "PREROUTING", NF_INET_PRE_ROUTING, -100, true },
	{ "nat", "INPUT", NF_INET_LOCAL_IN, 100, true },
	{ "nat", "OUTPUT", NF_INET_LOCAL_OUT, -100, true },
	{ "nat", "POSTROUTING", NF_INET_POST_ROUTING, 100, true },
	{ "filter", "INPUT", NF_INET_LOCAL_IN, 0, false },
	{ "filter", "FORWARD", NF_INET_FORWARD, 0, false },
	{ "filter", "OUTPUT", NF_INET_LOCAL_OUT, 0, false },
	{ "security", "INPUT", NF_INET_LOCAL_IN, 50, false },
	{ "security", "FORWARD", NF_INET_FORWARD, 50, false },
	{ "security", "OUTPUT", NF_INET_LOCAL_OUT, 50, false },
};

struct line {
	struct foreign_ruleset *rs;
	struct foreign_table *t;
	struct foreign_rule *r;
	char *words[WORDS_MAX];
	size_t cnt, at;
	bool invert;
	uint8_t family;
};

static struct foreign_expr *add(struct line *l, enum foreign_kind kind)
{
	struct foreign_expr *x = &l->r->exprs[l->r->expr_cnt++];

	*x = (struct foreign_expr){ .kind = kind, .name = "xt", .sreg = -1, .dreg = -1, .base = UINT32_MAX };
	return x;
}

static struct foreign_match *add_match(struct line *l, enum foreign_match_kind kind)
{
	struct foreign_match *m = foreign_alloc(l->rs, sizeof(*m));
	struct foreign_expr *x = add(l, m ? FOREIGN_MATCH : FOREIGN_UNKNOWN);

	if (m) {
		m->kind = kind;
		m->invert = l->invert;
		x->match = m;
	}
	return m;
}

static bool opt_ifname(struct line *l, const char *v, uint32_t a)
{
	struct foreign_match *m = add_match(l, FOREIGN_MATCH_IFNAME);

	if (m) {
		m->a = a;
		nd_strcpy(m->name, sizeof(m->name), v);
	}
	return true;
}

static bool opt_address(struct line *l, const char *v, uint32_t a)
{
	struct foreign_match *m;
	struct nd_prefix p, net;
	size_t bits;

	if (nd_prefix_from_string(v, &p) < 0)
		return false;
	m = add_match(l, FOREIGN_MATCH_ADDRESSES);
	if (!m)
		return true;
	net = nd_prefix_network(&p);
	m->a = a;
	m->lo = m->hi = net.ip;
	bits = net.ip.family == AF_INET6 ? 128 : 32;
	for (size_t i = p.len; i < bits; i++)
		m->hi.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return true;
}

static bool opt_proto(struct line *l, const char *v, uint32_t a)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} rows[] = { { "tcp", IPPROTO_TCP },          { "udp", IPPROTO_UDP },       { "icmp", IPPROTO_ICMP },
		     { "sctp", IPPROTO_SCTP },        { "esp", IPPROTO_ESP },       { "ah", IPPROTO_AH },
		     { "ipv6-icmp", IPPROTO_ICMPV6 }, { "icmpv6", IPPROTO_ICMPV6 }, { "gre", IPPROTO_GRE } };
	struct foreign_match *m;
	uint32_t proto = (uint32_t)strtoul(v, NULL, 10);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, v) == 0)
			proto = rows[i].proto;
	m = proto ? add_match(l, FOREIGN_MATCH_PROTO) : NULL;
	if (m)
		m->a = proto;
	return proto != 0;
}

/* "80", "80:90", "22,80:90" */
static bool opt_ports(struct line *l, const char *v, uint32_t a)
{
	struct foreign_match *m = add_match(l, FOREIGN_MATCH_PORTS);

	while (m && *v && m->port_cnt < FOREIGN_PORTS_MAX) {
		char *end;
		unsigned long lo = strtoul(v, &end, 10), hi = lo;

		if (*end == ':')
			hi = end[1] && end[1] != ',' ? strtoul(end + 1, &end, 10) : (end++, UINT16_MAX);
		m->ports[m->port_cnt][0] = (uint16_t)lo;
		m->ports[m->port_cnt++][1] = (uint16_t)hi;
		v = *end == ',' ? end + 1 : end + strlen(end);
	}
	if (m)
		m->a = a;
	return true;
}

static bool opt_state(struct line *l, const char *v, uint32_t a)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} rows[] = { { "NEW", FOREIGN_CT_NEW },
		     { "ESTABLISHED", FOREIGN_CT_ESTABLISHED },
		     { "RELATED", FOREIGN_CT_RELATED },
		     { "INVALID", FOREIGN_CT_INVALID },
		     { "UNTRACKED", FOREIGN_CT_UNTRACKED },
		     { "DNAT", FOREIGN_CT_DNAT },
		     { "SNAT", FOREIGN_CT_SNAT } };
	struct foreign_match *m = add_match(l, FOREIGN_MATCH_CTSTATE);

	for (size_t i = 0; m && i < ARRAY_LEN(rows); i++) {
		const char *found = strstr(v, rows[i].name);
		size_t len = strlen(rows[i].name);

		if (found && (found == v || found[-1] == ',') && (!found[len] || found[len] == ','))
			m->a |= rows[i].bit;
	}
	return true;
}

static bool opt_type(struct line *l, const char *v, uint32_t a)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} rows[] = { { "UNICAST", 1u << 1 },
		     { "LOCAL", 1u << 2 },
		     { "BROADCAST", 1u << 3 },
		     { "MULTICAST", 1u << 5 } };
	struct foreign_match *m = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, v) == 0)
			m = add_match(l, FOREIGN_MATCH_ADDRTYPE);
	for (size_t i = 0; m && i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, v) == 0)
			*(a ? &m->b : &m->a) = rows[i].bit;
	return m != NULL;
}

static bool opt_mark(struct line *l, const char *v, uint32_t a)
{
	struct foreign_match *m = add_match(l, FOREIGN_MATCH_MARK);
	char *end;

	if (m) {
		m->a = (uint32_t)strtoul(v, &end, 0);
		m->b = *end == '/' ? (uint32_t)strtoul(end + 1, NULL, 0) : UINT32_MAX;
	}
	return true;
}

static bool opt_physdev(struct line *l, const char *v, uint32_t a)
{
	struct foreign_match *m = add_match(l, FOREIGN_MATCH_PHYSDEV);

	if (m)
		nd_strcpy(a ? m->name2 : m->name, ND_IFNAMSIZ, v);
	return true;
}

static bool opt_comment(struct line *l, const char *v, uint32_t a)
{
	l->r->comment = foreign_string(l->rs, v, strlen(v));
	return true;
}

static bool opt_none(struct line *l, const char *v, uint32_t a)
{
	return true;
}

static bool opt_target(struct line *l, const char *v, uint32_t verdict)
{
	static const struct {
		const char *name;
		int verdict;
	} rows[] = { { "ACCEPT", NF_ACCEPT }, { "DROP", NF_DROP }, { "RETURN", NFT_RETURN } };
	struct foreign_expr *x = add(l, FOREIGN_VERDICT);
	char full[48];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, v) == 0) {
			x->verdict = rows[i].verdict;
			return true;
		}
	x->target = foreign_chain_find(l->rs, l->t, v);
	x->verdict = (int)verdict;
	if (x->target)
		return true;
	snprintf(full, sizeof(full), "xt target %s", v);
	x->name = foreign_string(l->rs, full, strlen(full));
	if (!foreign_xt_target(x, v))
		x->kind = FOREIGN_UNKNOWN;
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct line *l, const char *value, uint32_t a);
	uint32_t a;
} option_rows[] = {
	{ "-i", opt_ifname, 0 },
	{ "-o", opt_ifname, 1 },
	{ "-s", opt_address, 0 },
	{ "-d", opt_address, 1 },
	{ "-p", opt_proto, 0 },
	{ "-m", opt_none, 0 },
	{ "--sport", opt_ports, 1 },
	{ "--dport", opt_ports, 2 },
	{ "--sports", opt_ports, 1 },
	{ "--dports", opt_ports, 2 },
	{ "--ports", opt_ports, 3 },
	{ "--ctstate", opt_state, 0 },
	{ "--state", opt_state, 0 },
	{ "--src-type", opt_type, 0 },
	{ "--dst-type", opt_type, 1 },
	{ "--mark", opt_mark, 0 },
	{ "--physdev-in", opt_physdev, 0 },
	{ "--physdev-out", opt_physdev, 1 },
	{ "--comment", opt_comment, 0 },
	{ "-j", opt_target, (uint32_t)NFT_JUMP },
	{ "-g", opt_target, (uint32_t)NFT_GOTO },
};

static void read_option(struct line *l)
{
	const char *name = l->words[l->at++];

	for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
		if (strcmp(option_rows[i].name, name) != 0)
			continue;
		if (l->at < l->cnt && option_rows[i].read(l, l->words[l->at], option_rows[i].a)) {
			l->at++;
			return;
		}
		break;
	}
	add(l, FOREIGN_UNKNOWN)->name = foreign_string(l->rs, name, strlen(name));
	while (l->at < l->cnt && l->words[l->at][0] != '-' && strcmp(l->words[l->at], "!") != 0)
		l->at++;
}

/* Blanks part words; quotes hold some together. */
static void split(struct line *l, char *s)
{
	l->cnt = l->at = 0;
	while (*s && l->cnt < WORDS_MAX) {
		char *to;
		bool quoted = false;

		while (*s == ' ')
			s++;
		if (!*s)
			break;
		l->words[l->cnt++] = to = s;
		for (; *s && (quoted || *s != ' '); s++) {
			if (*s == '"')
				quoted = !quoted;
			else
				*to++ = *s == '\\' && s[1] ? *++s : *s;
		}
		if (*s)
			s++;
		*to = '\0';
	}
}

/* "[12:3456] -A CHAIN …" */
static void read_rule(struct line *l, char *s)
{
	const char *text = strstr(s, "-A ");
	struct foreign_chain *c;
	unsigned long long packets = 0;
	const char *line_text;

	if (!text || !l->t)
		return;
	line_text = foreign_string(l->rs, text, strlen(text));
	if (*s == '[')
		packets = strtoull(s + 1, NULL, 10);
	split(l, s + (text - s));
	c = l->cnt >= 2 ? foreign_chain_find(l->rs, l->t, l->words[1]) : NULL;
	l->r = c ? foreign_rule_add(l->rs, c) : NULL;
	if (!l->r)
		return;
	l->r->text = line_text;
	l->r->packets = packets;
	l->r->counted = *s == '[';
	l->r->exprs = foreign_alloc(l->rs, l->cnt * sizeof(*l->r->exprs));
	for (l->at = 2; l->r->exprs && l->at < l->cnt;) {
		l->invert = strcmp(l->words[l->at], "!") == 0;
		if (l->invert && ++l->at >= l->cnt)
			break;
		read_option(l);
	}
}

/* ":FORWARD DROP [0:0]" */
static void read_chain(struct line *l, const char *s)
{
	char name[FOREIGN_NAME_MAX], policy[16];
	struct foreign_chain *c;

	if (!l->t || sscanf(s, ":%127s %15s", name, policy) != 2)
		return;
	c = foreign_chain_add(l->rs, l->t, name);
	for (size_t i = 0; c && i < ARRAY_LEN(base_rows); i++) {
		if (strcmp(base_rows[i].table, l->t->name) != 0 || strcmp(base_rows[i].chain, name) != 0)
			continue;
		c->base = true;
		c->hook = base_rows[i].hook;
		c->priority = base_rows[i].priority;
		c->nat = base_rows[i].nat;
		c->policy = strcmp(policy, "DROP") == 0 ? NF_DROP : NF_ACCEPT;
	}
}

void foreign_legacy_parse(struct foreign_ruleset *rs, uint8_t family, char *text)
{
	struct line l = { .rs = rs, .family = family };

	for (char *s = text, *next; s; s = next) {
		next = strchr(s, '\n');
		if (next)
			*next++ = '\0';
		if (*s == '*')
			l.t = foreign_table_add(rs, family, s + 1, true);
		else if (*s == ':')
			read_chain(&l, s);
		else if (*s == '-' || *s == '[')
			read_rule(&l, s);
	}
}

/* Reads until the end, WAIT_MS long at most. Return: heap, or NULL. */
static char *read_pipe(int fd)
{
	size_t used = 0, room = 64 << 10;
	char *buf = malloc(room);

	while (buf) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, WAIT_MS) > 0 ? read(fd, buf + used, room - used - 1) : -1;

		if (n <= 0) {
			buf[used] = '\0';
			if (n == 0)
				return buf;
			break;
		}
		used += (size_t)n;
		if (used + 1 == room) {
			char *more = room < OUTPUT_MAX ? realloc(buf, room * 2) : NULL;

			if (!more)
				break;
			buf = more;
			room *= 2;
		}
	}
	free(buf);
	return NULL;
}

static char *run_save(const char *path, struct nd_error *e)
{
	const char *const argv[] = { path, "-c", "-f", "/proc/self/fd/3", NULL };
	const char *const envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int fds[2], status = 0;
	char *text = NULL;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		nd_fail_sys(e, errno, NULL, "pipe");
		return NULL;
	}
	if (nd_spawn(
		    &(struct nd_spawn){
			    .path = path, .argv = argv, .envp = envp, .fds = &fds[1], .fd_cnt = 1 },
		    &pid, e) == 0) {
		close(take_fd(fds[1]));
		text = read_pipe(fds[0]);
		if (!text)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		/* a loop that reaps all children may have taken the status: the last line tells, too */
		if (text && (status != 0 || !strstr(text, "\nCOMMIT"))) {
			free(text);
			text = NULL;
		}
		if (!text)
			nd_fail(e, ND_SYSTEM, "%s failed", path);
	}
	nd_closep(&fds[0]);
	nd_closep(&fds[1]);
	return text;
}

static const struct {
	const char *names, *save[2];
	uint8_t family;
} family_rows[] = {
	{ "/proc/thread-self/net/ip_tables_names",
	  { "/usr/sbin/iptables-legacy-save", "/sbin/iptables-legacy-save" },
	  NFPROTO_IPV4 },
	{ "/proc/thread-self/net/ip6_tables_names",
	  { "/usr/sbin/ip6tables-legacy-save", "/sbin/ip6tables-legacy-save" },
	  NFPROTO_IPV6 },
};

void foreign_legacy_read(struct foreign_ruleset *rs)
{
	for (size_t i = 0; i < ARRAY_LEN(family_rows); i++) {
		nd_autofree char *names = NULL, *text = NULL;
		struct nd_error e = ND_ERROR_INIT;
		size_t len = 0;

		if (nd_file_read(family_rows[i].names, 4096, &names, &len, NULL) < 0 || len == 0)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(family_rows[i].save) && !text; k++)
			if (access(family_rows[i].save[k], X_OK) == 0)
				text = run_save(family_rows[i].save[k], &e);
		if (text)
			foreign_legacy_parse(rs, family_rows[i].family, text);
		else
			snprintf(rs->legacy_unread, sizeof(rs->legacy_unread), "%s",
				 e.code ? nd_error_text(&e) : "iptables-legacy-save(8) is not installed");
	}
}

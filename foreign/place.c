// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: netd's accepts where other firewalls want such rules (see place.h) */
#include "foreign/place.h"
#include "base/spawn.h"
#include "foreign/private.h"
#include <ctype.h>
#include <errno.h>
#include <sys/wait.h>

#define WORDS_MAX 24

static const struct {
	const char *chain;
	uint8_t family; /* NFPROTO_ */
	uint32_t hook;
} place_rows[] = {
	{ "DOCKER-USER", NFPROTO_IPV4, NF_INET_FORWARD },
	{ "DOCKER-USER", NFPROTO_IPV6, NF_INET_FORWARD },
	{ "ufw-user-forward", NFPROTO_IPV4, NF_INET_FORWARD },
	{ "ufw6-user-forward", NFPROTO_IPV6, NF_INET_FORWARD },
	{ "ufw-user-input", NFPROTO_IPV4, NF_INET_LOCAL_IN },
	{ "ufw6-user-input", NFPROTO_IPV6, NF_INET_LOCAL_IN },
};

/* Whether a packet can get from one chain to the other. */
static bool reaches(const struct foreign_chain *from, const struct foreign_chain *to, unsigned depth)
{
	if (from == to)
		return true;
	for (const struct foreign_rule *r = from->rules; depth < 6 && r; r = r->next)
		for (size_t i = 0; i < r->expr_cnt; i++)
			if (r->exprs[i].target && reaches(r->exprs[i].target, to, depth + 1))
				return true;
	return false;
}

const struct foreign_chain *foreign_place_find(const struct foreign_ruleset *rs,
					       const struct foreign_chain *base)
{
	for (size_t i = 0; i < ARRAY_LEN(place_rows); i++) {
		const struct foreign_chain *c;

		if (place_rows[i].family != base->table->family || place_rows[i].hook != base->hook)
			continue;
		c = foreign_chain_find(rs, base->table, place_rows[i].chain);
		if (c && reaches(base, c, 0))
			return c;
	}
	return NULL;
}

/* iptables(8) of the backend that made the chain. */
static const char *tool_of(const struct foreign_chain *c)
{
	static const char *const tools[2][2] = {
		{ "/usr/sbin/iptables-nft", "/usr/sbin/iptables-legacy" },
		{ "/usr/sbin/ip6tables-nft", "/usr/sbin/ip6tables-legacy" },
	};

	return tools[c->table->family == NFPROTO_IPV6][c->table->legacy];
}

static int run(const char *const *argv, struct nd_error *e)
{
	const char *const envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int status = 0;
	pid_t pid;

	if (nd_spawn(&(struct nd_spawn){ .path = argv[0], .argv = argv, .envp = envp }, &pid, e) < 0)
		return nd_wrap_code(e, ND_SYSTEM, "%s", argv[0]);
	/* where a loop reaps all children the status is lost, and the next reading tells whether it worked */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return nd_fail(e, ND_SYSTEM, "%s %s %s: exit status %d", argv[0], argv[3], argv[4],
			       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

/* The rule's name in full: what tells two of them apart. */
static void comment_of(const struct foreign_accept *a, char buf[160])
{
	char name[sizeof(a->network)];
	size_t i;

	for (i = 0; a->network[i] && i + 1 < sizeof(name); i++)
		name[i] = isalnum((unsigned char)a->network[i]) || strchr("-_.", a->network[i])
				  ? a->network[i]
				  : '_';
	name[i] = '\0';
	snprintf(buf, 160, FOREIGN_TAG "%s%s%s%s%s%s", name, a->iif[0] ? " from " : "", a->iif,
		 a->oif[0] ? " to " : "", a->oif, a->answers ? " answers" : "");
}

static void build(const struct foreign_accept *a, const struct foreign_chain *c, const char *verb,
		  const char *comment, char port[8], const char *argv[WORDS_MAX])
{
	size_t n = 0;

	argv[n++] = tool_of(c);
	argv[n++] = "-t";
	argv[n++] = c->table->name;
	argv[n++] = verb;
	argv[n++] = c->name;
	if (a->iif[0]) {
		argv[n++] = "-i";
		argv[n++] = a->iif;
	}
	if (a->oif[0]) {
		argv[n++] = "-o";
		argv[n++] = a->oif;
	}
	if (a->udp_port) {
		snprintf(port, 8, "%u", a->udp_port);
		argv[n++] = "-p";
		argv[n++] = "udp";
		argv[n++] = "--dport";
		argv[n++] = port;
	}
	if (a->answers) {
		argv[n++] = "-m";
		argv[n++] = "conntrack";
		argv[n++] = "--ctstate";
		argv[n++] = "RELATED,ESTABLISHED,DNAT";
	}
	argv[n++] = "-m";
	argv[n++] = "comment";
	argv[n++] = "--comment";
	argv[n++] = comment;
	argv[n++] = "-j";
	argv[n++] = "ACCEPT";
	argv[n] = NULL;
}

static bool stands(const struct foreign_chain *c, const char *comment)
{
	for (const struct foreign_rule *r = c->rules; r; r = r->next)
		if (r->comment && strcmp(r->comment, comment) == 0)
			return true;
	return false;
}

/* By number, from the last: the others keep theirs. */
static int remove_unwanted(const struct foreign_chain *c, const struct foreign_accept *want,
			   const struct foreign_chain *const *places, size_t cnt, size_t *changed,
			   struct nd_error *e)
{
	for (uint32_t at = c->rule_cnt; at > 0; at--) {
		const struct foreign_rule *r = c->rules;
		char comment[160], number[16];
		bool wanted = false;

		for (uint32_t i = 1; r && i < at; i++)
			r = r->next;
		if (!r || !r->comment || strncmp(r->comment, FOREIGN_TAG, strlen(FOREIGN_TAG)) != 0)
			continue;
		for (size_t i = 0; i < cnt; i++) {
			comment_of(&want[i], comment);
			wanted |= places[i] == c && strcmp(comment, r->comment) == 0;
		}
		if (wanted)
			continue;
		snprintf(number, sizeof(number), "%u", at);
		if (run((const char *[]){ tool_of(c), "-t", c->table->name, "-D", c->name, number, NULL },
			e) < 0)
			return ND_SYSTEM;
		++*changed;
	}
	return 0;
}

int foreign_place_apply(const struct foreign_ruleset *rs, const struct foreign_accept *want,
			const struct foreign_chain *const *places, size_t cnt, size_t *ret_changed,
			struct nd_error *e)
{
	const char *argv[WORDS_MAX];
	char comment[160], port[8];
	int r = 0;

	*ret_changed = 0;
	for (const struct foreign_table *t = rs->tables; t; t = t->next)
		for (const struct foreign_chain *c = t->chains; c; c = c->next) {
			bool place = false;

			for (size_t i = 0; i < ARRAY_LEN(place_rows); i++)
				place |= place_rows[i].family == t->family &&
					 strcmp(place_rows[i].chain, c->name) == 0;
			if (place && remove_unwanted(c, want, places, cnt, ret_changed, e) < 0)
				r = ND_SYSTEM;
		}
	for (size_t i = 0; i < cnt; i++) {
		if (!places[i])
			continue;
		comment_of(&want[i], comment);
		if (stands(places[i], comment))
			continue;
		build(&want[i], places[i], "-I", comment, port, argv);
		if (run(argv, e) < 0)
			r = ND_SYSTEM;
		else
			++*ret_changed;
	}
	return r;
}

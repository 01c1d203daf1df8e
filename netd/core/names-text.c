// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: see names-text.h */
#include "netd/core/names-text.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "dns/dns.h"
#include "netd/core/plan.h"
#include <ctype.h>
#include <strings.h>

#define NAME_MAX_LEN 253 /* RFC 1035 section 2.3.4, as text */

/* ---- guests ---- */

static bool guest_equal(const struct nd_map_node *node, const void *key)
{
	return container_of(node, struct names_guest, by_ip4)->ip4 == *(const uint32_t *)key;
}

void names_guests_init(struct names_guests *g)
{
	nd_list_init(&g->list);
	nd_map_init(&g->map, guest_equal);
}

static void guest_free(struct names_guests *g, struct names_guest *x)
{
	nd_map_remove(&g->map, &x->by_ip4);
	nd_list_remove(&x->link);
	free(x);
}

void names_guests_done(struct names_guests *g)
{
	struct names_guest *x, *next;
	nd_list_foreach_safe(x, next, &g->list, link)
		guest_free(g, x);
	nd_map_done(&g->map);
}

/* What every host looks up on its own, and believes. */
static bool is_magic(const char *name)
{
	static const char *const magic[] = { "localhost", "wpad", "isatap" };
	for (size_t i = 0; i < ARRAY_LEN(magic); i++) {
		if (!strcasecmp(name, magic[i]))
			return true;
	}
	return false;
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);
	if (!len || len > NAME_MAX_LEN || !isalnum((unsigned char)name[0]) || name[len - 1] == '.')
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	}
	return true;
}

static uint32_t ip4_hash(uint32_t ip4)
{
	return nd_hash_bytes(&ip4, sizeof ip4);
}

bool names_guests_put(struct names_guests *g, uint32_t ip4, const char *name, uint64_t expiry_s)
{
	struct nd_map_node *node = nd_map_find(&g->map, &ip4, ip4_hash(ip4));
	struct names_guest *x = node ? container_of(node, struct names_guest, by_ip4) : NULL;
	size_t len = strcspn(name, "."); /* guests like to say their domain, too */
	char label[64];
	bool fit = nd_strcpyn(label, sizeof label, name, len) && is_name(label) && !is_magic(label);
	if (x && fit && !strcmp(x->name, label)) {
		x->expiry_s = expiry_s;
		return false;
	}
	if (x)
		guest_free(g, x);
	if (!fit)
		return x != NULL;
	struct names_guest *more = malloc(sizeof *more + len + 1);
	if (!more)
		return x != NULL;
	more->ip4 = ip4;
	more->expiry_s = expiry_s;
	nd_strcpy(more->name, len + 1, label);
	if (!nd_map_insert(&g->map, &more->by_ip4, ip4_hash(ip4))) {
		free(more);
		return x != NULL;
	}
	nd_list_append(&g->list, &more->link);
	return true;
}

/* ---- configuration ---- */

/* The arrays that a definition's are translated into, freed together. */
struct lists {
	struct dns_forwarder *forwarders;
	struct dns_txt *txts;
	struct dns_srv *srvs;
	struct nd_prefix *subnets;
	const char **options;
};

static bool lists_new(const struct netdef *live, struct lists *l)
{
	const struct netdef_rare *x = netdef_rare(live);
	l->forwarders = calloc(x->forwarder_cnt + 1, sizeof *l->forwarders);
	l->txts = calloc(x->txt_cnt + 1, sizeof *l->txts);
	l->srvs = calloc(x->srv_cnt + 1, sizeof *l->srvs);
	l->subnets = calloc(live->ip_cnt + 1, sizeof *l->subnets);
	l->options = calloc(x->option_cnt + 1, sizeof *l->options);
	return l->forwarders && l->txts && l->srvs && l->subnets && l->options;
}

static void lists_done(struct lists *l)
{
	free(l->forwarders);
	free(l->txts);
	free(l->srvs);
	free(l->subnets);
	free(l->options);
}

static void fill_records(const struct netdef_rare *x, struct lists *l, struct dns_config *cfg)
{
	for (size_t i = 0; i < x->txt_cnt; i++)
		l->txts[cfg->txt_cnt++] =
			(struct dns_txt){ .name = x->txts[i].name, .value = x->txts[i].value };
	for (size_t i = 0; i < x->srv_cnt; i++) {
		const struct netdef_srv *s = &x->srvs[i];
		l->srvs[cfg->srv_cnt++] = (struct dns_srv){ .service = s->service,
							    .protocol = s->protocol,
							    .domain = s->domain,
							    .target = s->target,
							    .port = (uint16_t)s->port,
							    .priority = (uint16_t)s->priority,
							    .weight = (uint16_t)s->weight };
	}
	for (size_t i = 0; i < x->option_cnt; i++)
		l->options[cfg->option_cnt++] = x->options[i].value;
}

/* Return: whether one of them is for all names: then the host's resolvers are not asked. */
static bool fill_forwarders(const struct netdef_rare *x, struct lists *l, struct dns_config *cfg)
{
	bool all = false;
	for (size_t i = 0; i < x->forwarder_cnt; i++) {
		const struct netdef_forwarder *f = &x->forwarders[i];
		l->forwarders[cfg->forwarder_cnt++] =
			(struct dns_forwarder){ .domain = f->domain, .ip = f->addr };
		all |= !f->domain;
	}
	return all;
}

static void fill_subnets(const struct netdef *live, struct lists *l, struct dns_config *cfg)
{
	for (size_t i = 0; i < live->ip_cnt; i++) {
		const struct netdef_ip *ip = &live->ips[i];
		if (ip->local_ptr == NETDEF_YES)
			l->subnets[cfg->local_ptr_cnt++] = ip->address;
		if (ip->tftp_root && !cfg->tftp_root)
			cfg->tftp_root = ip->tftp_root;
	}
}

int names_config_text(const struct network *n, const char *dir, const char *servers_file, struct nd_buf *out,
		      struct nd_error *e)
{
	const struct netdef *live = n->live;
	char hosts[DNS_PATH_MAX];
	struct lists l;
	struct dns_config cfg = { .network = n->name,
				  .bridge = n->bridge,
				  .serve = n->plan->dns,
				  .domain = live->domain,
				  .local_only = live->domain_local_only == NETDEF_YES,
				  .no_plain = live->forward_plain_names == NETDEF_NO,
				  .hosts_file = hosts };
	int r = ND_MEMORY;
	snprintf(hosts, sizeof hosts, "%s/hosts", dir);
	if (lists_new(live, &l)) {
		fill_records(netdef_rare(live), &l, &cfg);
		fill_subnets(live, &l, &cfg);
		if (!fill_forwarders(netdef_rare(live), &l, &cfg) && n->plan->resolves)
			cfg.servers_file = servers_file;
		cfg.forwarders = l.forwarders;
		cfg.txts = l.txts;
		cfg.srvs = l.srvs;
		cfg.local_ptr = l.subnets;
		cfg.options = l.options;
		r = dns_config_text(&cfg, out, e);
	} else {
		nd_fail(e, ND_MEMORY, "configuration of dnsmasq");
	}
	lists_done(&l);
	return r;
}

/* ---- hosts ---- */

struct taken {
	struct nd_map_node node;
	const char *name; /* borrowed */
	size_t len;       /* without the domain */
};
struct hosts {
	const char *domain;
	struct nd_map map;
	struct taken *taken; /* room for all */
	struct dns_name *names;
	size_t cnt;
};

static bool taken_equal(const struct nd_map_node *node, const void *key)
{
	const struct taken *a = container_of(node, struct taken, node), *b = key;
	return a->len == b->len && !strncasecmp(a->name, b->name, a->len);
}

/* "web" and "web.lab.example" are one name in lab.example. */
static size_t short_len(const struct hosts *h, const char *name)
{
	size_t len = strlen(name), tail = h->domain ? strlen(h->domain) : 0;
	bool inside = tail && len > tail + 1 && name[len - tail - 1] == '.' &&
		      !strcasecmp(name + len - tail, h->domain);
	return inside ? len - tail - 1 : len;
}

static uint32_t name_hash(const char *name, size_t len)
{
	char lower[NAME_MAX_LEN + 1];
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	return nd_hash_bytes(lower, len);
}

static void put(struct hosts *h, const struct nd_ip *ip, const char *name, bool many)
{
	struct taken *t = &h->taken[h->cnt];
	if (!is_name(name))
		return;
	*t = (struct taken){ .name = name, .len = short_len(h, name) };
	uint32_t hash = name_hash(name, t->len);
	bool taken = nd_map_find(&h->map, t, hash);
	/* A name in the definition may have several addresses. */
	if ((taken && !many) || (!taken && !nd_map_insert(&h->map, &t->node, hash)))
		return;
	h->names[h->cnt++] = (struct dns_name){ .ip = *ip, .name = name };
}

static void put_definition(struct hosts *h, const struct netdef *live)
{
	const struct netdef_rare *x = netdef_rare(live);
	for (size_t i = 0; i < x->dns_host_cnt; i++) {
		for (size_t k = 0; k < x->dns_hosts[i].name_cnt; k++)
			put(h, &x->dns_hosts[i].ip, x->dns_hosts[i].names[k].name, true);
	}
	for (size_t i = 0; i < live->ip_cnt; i++) {
		for (size_t k = 0; k < live->ips[i].host_cnt; k++) {
			const struct netdef_host *r = &live->ips[i].hosts[k];
			if (r->name && r->ip.family)
				put(h, &r->ip, r->name, true);
		}
	}
}

static void put_guests(struct hosts *h, const struct network *n, const struct names_guests *g, uint64_t now_s,
		       uint64_t *ret_next_s)
{
	const struct port *p;
	const struct names_guest *x;
	struct nd_ip ip;
	nd_list_foreach(p, &n->ports, siblings) {
		ip = nd_ip_from_ip4(p->ip4);
		if (p->ip4 && p->name[0])
			put(h, &ip, p->name, false);
	}
	nd_list_foreach(x, &g->list, link) {
		ip = nd_ip_from_ip4(x->ip4);
		if (x->expiry_s <= now_s)
			continue;
		put(h, &ip, x->name, false);
		if (x->expiry_s < *ret_next_s)
			*ret_next_s = x->expiry_s;
	}
}

static size_t count_names(const struct network *n, const struct names_guests *g)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	const struct names_guest *guest;
	size_t cnt = n->port_cnt;
	for (size_t i = 0; i < x->dns_host_cnt; i++)
		cnt += x->dns_hosts[i].name_cnt;
	for (size_t i = 0; i < n->live->ip_cnt; i++)
		cnt += n->live->ips[i].host_cnt;
	nd_list_foreach(guest, &g->list, link)
		cnt++;
	return cnt;
}

int names_hosts_text(const struct network *n, const struct names_guests *g, uint64_t now_s,
		     struct nd_buf *out, uint64_t *ret_next_s)
{
	struct hosts h = { .domain = n->live->domain };
	size_t room = count_names(n, g) + 1;
	int r = ND_MEMORY;
	*ret_next_s = UINT64_MAX;
	nd_map_init(&h.map, taken_equal);
	h.taken = calloc(room, sizeof *h.taken);
	h.names = calloc(room, sizeof *h.names);
	if (h.taken && h.names) {
		put_definition(&h, n->live);
		put_guests(&h, n, g, now_s, ret_next_s);
		dns_hosts_text(h.names, h.cnt, h.domain, out);
		r = out->bad ? ND_MEMORY : 0;
	}
	nd_map_done(&h.map);
	free(h.taken);
	free(h.names);
	return r;
}

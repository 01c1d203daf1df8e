// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: one record added, changed or taken out, as net-update does
 *
 * The record is read by the rows of its element into a list of its own, compared with the records that are
 * there, and put into a copy of the definition; the copy is checked and takes the definition's place.
 * Sections differ in what makes two records the same, and in libvirt's texts; both are in a row per section.
 */
#include "netd/xml/rows.h"

static const char *const section_names[] = {
	[NETDEF_SECTION_NONE] = "none",
	[NETDEF_SECTION_BRIDGE] = "bridge",
	[NETDEF_SECTION_DOMAIN] = "domain",
	[NETDEF_SECTION_IP] = "ip",
	[NETDEF_SECTION_DHCP_HOST] = "ip-dhcp-host",
	[NETDEF_SECTION_DHCP_RANGE] = "ip-dhcp-range",
	[NETDEF_SECTION_FORWARD] = "forward",
	[NETDEF_SECTION_FORWARD_INTERFACE] = "forward-interface",
	[NETDEF_SECTION_FORWARD_PF] = "forward-pf",
	[NETDEF_SECTION_PORTGROUP] = "portgroup",
	[NETDEF_SECTION_DNS_HOST] = "dns-host",
	[NETDEF_SECTION_DNS_TXT] = "dns-txt",
	[NETDEF_SECTION_DNS_SRV] = "dns-srv",
};
static const char *const command_names[] = {
	[NETDEF_COMMAND_NONE] = "none",           [NETDEF_COMMAND_MODIFY] = "modify",
	[NETDEF_COMMAND_DELETE] = "delete",       [NETDEF_COMMAND_ADD_LAST] = "add-last",
	[NETDEF_COMMAND_ADD_FIRST] = "add-first",
};
ND_STRTAB(netdef_section, section_names)

const char *netdef_command_to_string(int v)
{
	return nd_strtab_to_string(command_names, ARRAY_LEN(command_names), v);
}

int netdef_command_from_string(const char *s)
{
	if (strcmp(s, "add") == 0)
		return NETDEF_COMMAND_ADD_LAST;
	return nd_strtab_from_string(command_names, ARRAY_LEN(command_names), s);
}

#define FIELDS    3
#define FIELD_LEN (ROW_VALUE_MAX + 1)
#define NO_MATCH  SIZE_MAX
#define INSERT(c) ((c) == NETDEF_COMMAND_ADD_FIRST || (c) == NETDEF_COMMAND_ADD_LAST)

/* What is needed of one call, filled as it goes. */
struct update {
	const struct section *section;
	enum netdef_command command;
	struct netdef *d; /* the copy that is changed */
	void *obj;        /* what has the list: d or one of its ips */
	const void *item; /* what was given */
	size_t found,
		matches; /* index of the last, for a modification the first, match; how many there are */
};

/*
 * Texts are templates: %n the network's name, %1 to %3 what fields gives of the record. Without root the
 * section is not for updates, and no_modify is what libvirt calls it.
 */
struct section {
	const char *root; /* path of the record's row */
	bool in_ip;
	const char *no_modify; /* NULL: records may be modified */
	const char *exists, *absent, *many, *absent_modify;
	bool (*same)(const struct update *u, const void *have);
	void (*fields)(const void *item, char field[FIELDS][FIELD_LEN]);
	int (*guard)(const struct update *u, struct nd_error *e); /* before an addition or modification */
};

static bool string_equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* What is given must be the same. */
static bool string_matches(const char *given, const char *have)
{
	return !given || string_equal(given, have);
}

/* A deletion: all that is given; else: anything by which a guest could be known. */
static bool host_same(const struct update *u, const void *have)
{
	const struct netdef_host *h = u->item, *o = have;
	bool mac = h->has_mac && o->has_mac && nd_mac_equal(&h->mac, &o->mac);
	bool ip = h->ip.family && nd_ip_equal(&h->ip, &o->ip);

	if (u->command == NETDEF_COMMAND_DELETE)
		return (!h->has_mac || mac) && string_matches(h->name, o->name) &&
		       string_matches(h->id, o->id) && string_matches(h->client_id, o->client_id) &&
		       (!h->ip.family || ip);
	return mac || ip || string_equal(h->name, o->name) || string_equal(h->client_id, o->client_id);
}

static void host_fields(const void *item, char field[FIELDS][FIELD_LEN])
{
	const struct netdef_host *h = item;

	nd_strcpy(field[0], FIELD_LEN, "unknown");
	if (h->has_mac)
		nd_mac_to_string(&h->mac, field[0]);
	nd_strcpy(field[1], FIELD_LEN, h->name ? h->name : "(null)");
	nd_ip_to_string(&h->ip, field[2]);
}

/* Among those of a family one <ip> may have DHCP, and its records are of that family. */
static int family_guard(const struct update *u, const struct nd_ip *given, const char *text,
			struct nd_error *e)
{
	const struct netdef_ip *ip = u->obj;

	if (given->family != ip->address.ip.family)
		return nd_fail(e, ND_STATE, "%s", text);
	for (size_t i = 0; INSERT(u->command) && i < u->d->ip_cnt; i++) {
		const struct netdef_ip *other = &u->d->ips[i];

		if (other != ip && other->address.ip.family == ip->address.ip.family && other->dhcp)
			return nd_fail(e, ND_STATE,
				       "dhcp is supported only for a single %s address on each network",
				       given->family == AF_INET ? "IPv4" : "IPv6");
	}
	return 0;
}

static int host_guard(const struct update *u, struct nd_error *e)
{
	const struct netdef_host *h = u->item;

	return family_guard(u, &h->ip,
			    "the address family of a host entry IP must match the address family of the dhcp "
			    "element's parent",
			    e);
}

static bool range_same(const struct update *u, const void *have)
{
	const struct netdef_range *r = u->item, *o = have;

	return nd_ip_equal(&r->start, &o->start) && nd_ip_equal(&r->end, &o->end);
}

static void range_fields(const void *item, char field[FIELDS][FIELD_LEN])
{
	const struct netdef_range *r = item;

	nd_ip_to_string(&r->start, field[0]);
	nd_ip_to_string(&r->end, field[1]);
}

static int range_guard(const struct update *u, struct nd_error *e)
{
	const struct netdef_range *r = u->item;

	return family_guard(u, &r->start,
			    "the address family of a dhcp range must match the address family of the dhcp "
			    "element's parent",
			    e);
}

static bool uplink_same(const struct update *u, const void *have)
{
	const struct netdef_uplink *i = u->item, *o = have;

	return strcmp(i->dev, o->dev) == 0;
}

static void uplink_fields(const void *item, char field[FIELDS][FIELD_LEN])
{
	const struct netdef_uplink *i = item;

	nd_strcpy(field[0], FIELD_LEN, i->dev);
}

static bool portgroup_same(const struct update *u, const void *have)
{
	const struct netdef_portgroup *p = u->item, *o = have;

	return strcmp(p->name, o->name) == 0;
}

static void portgroup_fields(const void *item, char field[FIELDS][FIELD_LEN])
{
	const struct netdef_portgroup *p = item;

	nd_strcpy(field[0], FIELD_LEN, p->name);
}

static int portgroup_guard(const struct update *u, struct nd_error *e)
{
	const struct netdef_portgroup *p = u->item;
	const struct netdef_rare *x = netdef_rare(u->d);

	for (size_t i = 0; p->is_default && i < x->portgroup_cnt; i++)
		if (x->portgroups[i].is_default && i != u->found)
			return nd_fail(e, ND_STATE,
				       "a different portgroup entry in network '%s' is already set as the "
				       "default. Only one default is allowed.",
				       u->d->name);
	return 0;
}

/* Added by address, since many addresses may have one name; taken out by either. */
static bool dns_host_same(const struct update *u, const void *have)
{
	const struct netdef_dns_host *h = u->item, *o = have;

	if (h->ip.family && nd_ip_equal(&h->ip, &o->ip))
		return true;
	for (size_t i = 0; u->command == NETDEF_COMMAND_DELETE && i < h->name_cnt; i++)
		for (size_t j = 0; j < o->name_cnt; j++)
			if (string_equal(h->names[i].name, o->names[j].name))
				return true;
	return false;
}

static bool txt_same(const struct update *u, const void *have)
{
	const struct netdef_txt *t = u->item, *o = have;

	return string_equal(t->name, o->name);
}

static void txt_fields(const void *item, char field[FIELDS][FIELD_LEN])
{
	const struct netdef_txt *t = item;

	nd_strcpy(field[0], FIELD_LEN, t->name);
}

static bool srv_same(const struct update *u, const void *have)
{
	const struct netdef_srv *s = u->item, *o = have;

	return string_matches(s->domain, o->domain) && string_matches(s->service, o->service) &&
	       string_matches(s->protocol, o->protocol) && string_matches(s->target, o->target);
}

static const struct section sections[] = {
	[NETDEF_SECTION_BRIDGE] = { .no_modify = "bridge" },
	[NETDEF_SECTION_DOMAIN] = { .no_modify = "domain" },
	[NETDEF_SECTION_IP] = { .no_modify = "ip" },
	[NETDEF_SECTION_DHCP_HOST] = {
		.root = "network/ip/dhcp/host",
		.in_ip = true,
		.exists = "there is an existing dhcp host entry in network '%n' that matches \"<host mac='%1' name='%2' "
			  "ip='%3'/>\"",
		.absent = "couldn't locate a matching dhcp host entry in network '%n'",
		.absent_modify = "couldn't locate an existing dhcp host entry with \"mac='%1'\" \"name='%2'\" \"ip='%3'\" "
				 "in network '%n'",
		.same = host_same,
		.fields = host_fields,
		.guard = host_guard,
	},
	[NETDEF_SECTION_DHCP_RANGE] = {
		.root = "network/ip/dhcp/range",
		.in_ip = true,
		.no_modify = "dhcp ranges cannot be modified, only added or deleted",
		.exists = "there is an existing dhcp range entry in network '%n' that matches \"<range start='%1' "
			  "end='%2'/>\"",
		.absent = "couldn't locate a matching dhcp range entry in network '%n'",
		.same = range_same,
		.fields = range_fields,
		.guard = range_guard,
	},
	[NETDEF_SECTION_FORWARD] = { .no_modify = "forward" },
	[NETDEF_SECTION_FORWARD_INTERFACE] = {
		.root = "network/forward/interface",
		.no_modify = "forward interface entries cannot be modified, only added or deleted",
		.exists = "there is an existing interface entry in network '%n' that matches \"<interface dev='%1'>\"",
		.absent = "couldn't find an interface entry in network '%n' matching <interface dev='%1'>",
		.same = uplink_same,
		.fields = uplink_fields,
	},
	[NETDEF_SECTION_FORWARD_PF] = { .no_modify = "forward pf" },
	[NETDEF_SECTION_PORTGROUP] = {
		.root = "network/portgroup",
		.exists = "there is an existing portgroup entry in network '%n' that matches \"<portgroup name='%1'>\"",
		.absent = "couldn't find a portgroup entry in network '%n' matching <portgroup name='%1'>",
		.same = portgroup_same,
		.fields = portgroup_fields,
		.guard = portgroup_guard,
	},
	[NETDEF_SECTION_DNS_HOST] = {
		.root = "network/dns/host",
		.no_modify = "DNS HOST records cannot be modified, only added or deleted",
		.exists = "there is already at least one DNS HOST record with a matching field in network %n",
		.absent = "couldn't locate a matching DNS HOST record in network %n",
		.many = "multiple matching DNS HOST records were found in network %n",
		.same = dns_host_same,
	},
	[NETDEF_SECTION_DNS_TXT] = {
		.root = "network/dns/txt",
		.no_modify = "DNS TXT records cannot be modified, only added or deleted",
		.exists = "there is already a DNS TXT record with name '%1' in network %n",
		.absent = "couldn't locate a matching DNS TXT record in network %n",
		.same = txt_same,
		.fields = txt_fields,
	},
	[NETDEF_SECTION_DNS_SRV] = {
		.root = "network/dns/srv",
		.no_modify = "DNS SRV records cannot be modified, only added or deleted",
		.exists = "there is already at least one DNS SRV record matching all specified fields in network %n",
		.absent = "couldn't locate a matching DNS SRV record in network %n",
		.many = "multiple DNS SRV records matching all specified fields were found in network %n",
		.same = srv_same,
	},
};

static int fail_text(const struct update *u, const char *template, struct nd_error *e)
{
	char field[FIELDS][FIELD_LEN] = { "" };
	struct nd_buf text = { .max = 8192 };

	if (u->section->fields)
		u->section->fields(u->item, field);
	for (const char *p = template; *p; p++) {
		if (p[0] == '%' && p[1] == 'n')
			nd_buf_append_string(&text, u->d->name);
		else if (p[0] == '%' && p[1] >= '1' && p[1] <= '0' + FIELDS)
			nd_buf_append_string(&text, field[p[1] - '1']);
		else {
			nd_buf_append(&text, p, 1);
			continue;
		}
		p++;
	}
	nd_fail(e, ND_STATE, "%s", nd_buf_string(&text));
	nd_buf_done(&text);
	return ND_STATE;
}

/* The <ip> that is meant. Return: NULL with e set. */
static struct netdef_ip *choose_ip(struct netdef *d, int parent, struct nd_error *e)
{
	if (parent >= 0) {
		if ((size_t)parent < d->ip_cnt)
			return &d->ips[parent];
		nd_fail(e, ND_STATE,
			"couldn't update dhcp host entry - no <ip> element found at index %d in network '%s'",
			parent, d->name);
		return NULL;
	}
	for (size_t i = 0; i < d->ip_cnt; i++)
		if (d->ips[i].dhcp)
			return &d->ips[i];
	for (size_t i = 0; i < d->ip_cnt; i++)
		if (d->ips[i].address.ip.family == AF_INET)
			return &d->ips[i];
	if (d->ip_cnt > 0)
		return &d->ips[0];
	nd_fail(e, ND_STATE, "couldn't update dhcp host entry - no <ip> element found in network '%s'",
		d->name);
	return NULL;
}

static void find(struct update *u, const struct row *r)
{
	u->found = NO_MATCH;
	for (size_t i = 0; i < row_list_cnt(r, u->obj); i++) {
		if (!u->section->same(u, row_list_item(r, u->obj, i)))
			continue;
		if (u->found == NO_MATCH)
			u->found = i;
		u->matches++;
	}
}

static int judge(const struct update *u, struct nd_error *e)
{
	const struct section *s = u->section;
	bool modify = u->command == NETDEF_COMMAND_MODIFY;

	if (INSERT(u->command) && u->matches)
		return fail_text(u, s->exists, e);
	if (!INSERT(u->command) && !u->matches)
		return fail_text(u, modify && s->absent_modify ? s->absent_modify : s->absent, e);
	if (u->command == NETDEF_COMMAND_DELETE && u->matches > 1 && s->many)
		return fail_text(u, s->many, e);
	return 0;
}

/* from: the object whose list has the one record given. */
static int apply(struct update *u, const struct row *r, void *from, struct nd_error *e)
{
	nd_autofree void *moved = calloc(1, r->size);
	size_t at = u->command == NETDEF_COMMAND_ADD_LAST ? row_list_cnt(r, u->obj) : 0;
	int err = 0;

	if (!moved)
		return nd_fail(e, ND_MEMORY, "record");
	if (u->command != NETDEF_COMMAND_DELETE && u->section->guard)
		err = u->section->guard(u, e);
	if (err == 0)
		err = judge(u, e);
	if (err < 0)
		return err;
	if (!INSERT(u->command))
		row_list_take(r, u->obj, u->found, NULL);
	if (u->command == NETDEF_COMMAND_DELETE)
		return 0;
	row_list_take(r, from, 0, moved);
	err = row_list_put(r, u->obj, u->command == NETDEF_COMMAND_MODIFY ? u->found : at, moved, e);
	if (err < 0)
		row_item_done(r, moved);
	return err;
}

/* A half-built definition with one <ip> of the same kind, for the record to be read into. */
static struct netdef *scratch_new(const struct update *u)
{
	struct netdef *scratch = netdef_new();

	if (!scratch || !u->section->in_ip)
		return scratch;
	scratch->ips = calloc(1, sizeof *scratch->ips);
	if (!scratch->ips) {
		netdef_free(scratch);
		return NULL;
	}
	scratch->ip_cnt = 1;
	return scratch;
}

static int update_copy(struct update *u, int parent, const char *xml, struct nd_error *e)
{
	const struct row *r = row_find(u->section->root);
	struct netdef *scratch = scratch_new(u);
	void *from = scratch && u->section->in_ip ? (void *)scratch->ips : scratch;
	int err = scratch ? netdef_parse_record(xml, r, from, u->command == NETDEF_COMMAND_DELETE, u->d->name,
						e)
			  : nd_fail(e, ND_MEMORY, "record");

	u->obj = u->section->in_ip ? NULL : u->d;
	if (err == 0 && u->section->in_ip && !(u->obj = choose_ip(u->d, parent, e)))
		err = ND_STATE;
	if (err == 0) {
		u->item = row_list_item(r, from, 0);
		find(u, r);
		err = apply(u, r, from, e);
	}
	if (err == 0 && u->section->in_ip) {
		struct netdef_ip *ip = u->obj;

		ip->dhcp = ip->range_cnt > 0 || ip->host_cnt > 0;
	}
	netdef_free(scratch);
	return err < 0 ? err : netdef_check(u->d, e);
}

/* Whether there is such an update at all. */
static int check_known(const struct netdef *d, unsigned section, unsigned command, struct nd_error *e)
{
	const struct section *s = section < ARRAY_LEN(sections) ? &sections[section] : NULL;

	if (section == NETDEF_SECTION_NONE || !s)
		return nd_fail(e, ND_UNSUPPORTED, "can't update unrecognized section of network");
	if (!s->root)
		return nd_fail(e, ND_UNSUPPORTED, "can't update '%s' section of network '%s'", s->no_modify,
			       d->name);
	if (command == NETDEF_COMMAND_NONE || command >= ARRAY_LEN(command_names))
		return nd_fail(e, ND_UNSUPPORTED, "unrecognized network update command code %u", command);
	if (command == NETDEF_COMMAND_MODIFY && s->no_modify)
		return nd_fail(e, ND_UNSUPPORTED, "%s", s->no_modify);
	return 0;
}

int netdef_update(struct netdef *d, enum netdef_section section, enum netdef_command command, int parent,
		  const char *xml, struct nd_error *e)
{
	struct update u = { .command = command };
	struct netdef swap;
	int err = check_known(d, section, command, e);

	if (err < 0)
		return err;
	u.section = &sections[section];
	u.d = netdef_copy(d);
	if (!u.d)
		return nd_fail(e, ND_MEMORY, "definition");
	err = update_copy(&u, parent, xml, e);
	if (err == 0) {
		swap = *d;
		*d = *u.d;
		*u.d = swap;
	}
	netdef_free(u.d);
	return err;
}

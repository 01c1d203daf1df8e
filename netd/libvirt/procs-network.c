// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the procedures on networks
 *
 * Each is a call of the core and a translation. Two of libvirt's ways are not the core's: net-destroy
 * disconnects guests without being asked twice, and autostart is yes or no, where netd knows "at boot" and
 * "when a guest is attached": both are yes to clients, yes leaves the second as it is.
 */
#include "base/log.h"
#include "base/mem.h"
#include "netd/core/leases.h"
#include "netd/core/network.h"
#include "netd/core/pool.h"
#include "netd/libvirt/procs.h"

#define LISTED_MAX    16384 /* networks; REMOTE_NETWORK_LIST_MAX */
#define LEASES_MAX    65536 /* REMOTE_NETWORK_DHCP_LEASES_MAX */
#define XML_INACTIVE  1u
#define LEASE_IPV4    0
#define CLIENT_ID_LEN (3 * DHCP_IDENTITY_MAX)

static bool is_active(const struct network *n)
{
	return n->state != NETWORK_INACTIVE;
}

static bool is_inactive(const struct network *n)
{
	return n->state == NETWORK_INACTIVE;
}

static bool is_persistent(const struct network *n)
{
	return n->config != NULL;
}

static bool is_transient(const struct network *n)
{
	return n->config == NULL;
}

static bool is_autostart(const struct network *n)
{
	return n->autostart != NETDEF_AUTOSTART_NO;
}

static bool is_not_autostart(const struct network *n)
{
	return n->autostart == NETDEF_AUTOSTART_NO;
}

/* ---- listing ---- */

typedef bool (*network_test)(const struct network *n);

static size_t count(const struct core *c, network_test passes)
{
	const struct network *n;
	size_t cnt = 0;

	nd_list_foreach(n, &c->model->networks, all)
		cnt += passes(n);
	return cnt;
}

/* Names of at most in[0] of those that pass. */
static void reply_names(struct proc_call *call, network_test passes)
{
	int32_t max = call->in[0].i;
	const struct network *n;
	struct nd_buf *b;
	size_t cnt;

	if (max < 0 || max > LISTED_MAX) {
		proc_fail(call, LIBVIRT_RPC, "Too many networks '%d' for limit '%d'", max, LISTED_MAX);
		return;
	}
	cnt = count(call->core, passes);
	if (cnt > (size_t)max)
		cnt = (size_t)max;
	b = proc_reply_begin(call);
	if (b)
		xdr_put_uint(b, (uint32_t)cnt);
	nd_list_foreach(n, &call->core->model->networks, all) {
		if (!b || cnt == 0)
			break;
		if (!passes(n))
			continue;
		xdr_put_string(b, n->name);
		cnt--;
	}
	proc_reply_end(call);
}

void proc_num_of_networks(struct proc_call *call, struct network *n)
{
	proc_reply_int(call, (int32_t)count(call->core, is_active));
}

void proc_list_networks(struct proc_call *call, struct network *n)
{
	reply_names(call, is_active);
}

void proc_num_of_defined_networks(struct proc_call *call, struct network *n)
{
	proc_reply_int(call, (int32_t)count(call->core, is_inactive));
}

void proc_list_defined_networks(struct proc_call *call, struct network *n)
{
	reply_names(call, is_inactive);
}

/* libvirt's flags come in pairs: one of a pair filters, both or none do not. */
static const struct {
	uint32_t flag;
	network_test passes;
	int pair;
} list_flags[] = {
	{ 1, is_inactive, 0 },  { 2, is_active, 0 },     { 4, is_persistent, 1 },
	{ 8, is_transient, 1 }, { 16, is_autostart, 2 }, { 32, is_not_autostart, 2 },
};
#define LIST_PAIRS 3

static bool is_listed(const struct network *n, uint32_t flags)
{
	bool asked[LIST_PAIRS] = { false }, passed[LIST_PAIRS] = { false };

	for (size_t i = 0; i < ARRAY_LEN(list_flags); i++) {
		if (!(flags & list_flags[i].flag))
			continue;
		asked[list_flags[i].pair] = true;
		if (list_flags[i].passes(n))
			passed[list_flags[i].pair] = true;
	}
	for (int i = 0; i < LIST_PAIRS; i++)
		if (asked[i] && !passed[i])
			return false;
	return true;
}

void proc_list_all_networks(struct proc_call *call, struct network *n)
{
	bool wanted = call->in[0].i != 0;
	uint32_t flags = call->in[1].u, cnt = 0;
	const struct network *other;
	struct nd_buf *b;

	nd_list_foreach(other, &call->core->model->networks, all)
		cnt += is_listed(other, flags);
	if (wanted && cnt > LISTED_MAX) {
		proc_fail(call, LIBVIRT_RPC, "Too many networks '%u' for limit '%d'", cnt, LISTED_MAX);
		return;
	}
	b = proc_reply_begin(call);
	if (b) {
		xdr_put_uint(b, wanted ? cnt : 0);
		nd_list_foreach(other, &call->core->model->networks, all) {
			if (wanted && is_listed(other, flags))
				xdr_put_network(b, other->name, &other->uuid);
		}
		xdr_put_uint(b, cnt);
	}
	proc_reply_end(call);
}

void proc_network_by_name(struct proc_call *call, struct network *n)
{
	const struct network *found = model_network_by_name(call->core->model, call->in[0].s);
	const char *why = found ? NULL : model_broken_find(call->core->model, call->in[0].s);

	if (found)
		proc_reply_network(call, found);
	else
		proc_fail(call, LIBVIRT_NO_NETWORK, "no network with matching name '%.300s'%s%s",
			  call->in[0].s, why ? ": its definition is broken: " : "", why ? why : "");
}

void proc_network_by_uuid(struct proc_call *call, struct network *n)
{
	const struct network *found = model_network_by_uuid(call->core->model, &call->in[0].uuid);
	char uuid[ND_UUID_STRLEN];

	if (found)
		proc_reply_network(call, found);
	else
		proc_fail(call, LIBVIRT_NO_NETWORK, "no network with matching uuid '%s'",
			  nd_uuid_to_string(&call->in[0].uuid, uuid));
}

/* ---- changing ---- */

static void on_network(void *arg, struct network *n, const struct nd_error *e)
{
	struct proc_call *call = arg;

	if (e->code)
		proc_fail_core(call, e);
	else if (n)
		proc_reply_network(call, n);
	else
		proc_fail(call, LIBVIRT_INTERNAL, "the network is gone");
}

static void on_void(void *arg, struct network *n, const struct nd_error *e)
{
	if (e->code)
		proc_fail_core(arg, e);
	else
		proc_reply_void(arg);
}

/* The protocol has no room for warnings. */
static void on_warning(void *arg, const struct netdef_warning *w)
{
	const struct proc_call *call = arg;

	if (call->session)
		nd_log(ND_LOG_NOTICE, "definition from pid %d: line %d: <%s>: %s",
		       (int)call->session->peer.cred.pid, w->line, w->element, w->text);
}

static void keep_first(void *arg, const struct netdef_warning *w)
{
	struct netdef_warning *first = arg;

	if (!first->line)
		*first = *w;
}

/*
 * The core lets a definition without uuid replace the one of its name, as people expect of files. libvirt
 * gives it a new uuid, so that it is another network of a name that is taken; its clients rely on that.
 * Return: whether to go on. If not, the call is answered and gone.
 */
static bool check_identity(struct proc_call *call, const struct netdef *def, bool creating)
{
	const struct network *of_name = model_network_by_name(call->core->model, def->name);
	const struct network *of_uuid =
		def->uuid_set ? model_network_by_uuid(call->core->model, &def->uuid) : NULL;
	char uuid[ND_UUID_STRLEN];

	if (of_uuid && of_uuid != of_name)
		proc_fail(call, LIBVIRT_OPERATION_FAILED, "network '%s' is already defined with uuid %s",
			  of_uuid->name, nd_uuid_to_string(&of_uuid->uuid, uuid));
	else if (of_name && !of_uuid)
		proc_fail(call, LIBVIRT_OPERATION_FAILED, "network '%s' already exists with uuid %s",
			  def->name, nd_uuid_to_string(&of_name->uuid, uuid));
	else if (of_name && creating && is_active(of_name))
		proc_fail(call, LIBVIRT_OPERATION_INVALID, "network is already active as '%s'", def->name);
	else
		return true;
	return false;
}

/*
 * What libvirt refuses and the core would not. With VALIDATE, what would be left out is an error. Return: as
 * check_identity's.
 */
static bool check_definition(struct proc_call *call, bool creating)
{
	const char *xml = call->in[0].s;
	bool validate = strchr(call->row->in, 'u') && call->in[1].u != 0, ok;
	struct netdef_warning first = { 0 };
	struct netdef *def = NULL;

	if (netdef_parse(xml, strlen(xml), NULL, keep_first, &first, &def, NULL) < 0)
		return true; /* the core says why */
	ok = !validate || !first.line;
	if (!ok)
		proc_fail(call, LIBVIRT_XML_INVALID_SCHEMA, "line %d: <%s>: %s", first.line, first.element,
			  first.text);
	else
		ok = check_identity(call, def, creating);
	netdef_free(def);
	return ok;
}

void proc_network_define(struct proc_call *call, struct network *n)
{
	const char *xml = call->in[0].s;

	if (check_definition(call, false))
		network_define(call->core, xml, strlen(xml), on_warning,
			       (struct network_done){ on_network, call, proc_again });
}

void proc_network_create_xml(struct proc_call *call, struct network *n)
{
	const char *xml = call->in[0].s;

	if (check_definition(call, true))
		network_create(call->core, xml, strlen(xml), on_warning,
			       (struct network_done){ on_network, call, proc_again });
}

void proc_network_create(struct proc_call *call, struct network *n)
{
	network_start(call->core, n, (struct network_done){ on_void, call, proc_again });
}

/* Guests are disconnected, as libvirt does; it is netdctl that asks for --force. */
void proc_network_destroy(struct proc_call *call, struct network *n)
{
	if (is_inactive(n))
		proc_fail(call, LIBVIRT_OPERATION_INVALID, "network '%s' is not active", n->name);
	else
		network_destroy(call->core, n, true, (struct network_done){ on_void, call, proc_again });
}

void proc_network_undefine(struct proc_call *call, struct network *n)
{
	network_undefine(call->core, n, (struct network_done){ on_void, call, proc_again });
}

void proc_network_set_autostart(struct proc_call *call, struct network *n)
{
	bool wanted = call->in[1].i != 0;

	if (is_persistent(n) && is_autostart(n) == wanted)
		proc_reply_void(call);
	else
		network_set_autostart(call->core, n, wanted ? NETDEF_AUTOSTART_BOOT : NETDEF_AUTOSTART_NO,
				      (struct network_done){ on_void, call, proc_again });
}

/* ---- asking ---- */

/* libvirt puts how many ports there are behind the namespaces of a running network's root element. */
static void put_connections(struct nd_buf *out, const char *xml, uint32_t ports)
{
	size_t at = strlen("<network");

	while (strncmp(xml + at, " xmlns", strlen(" xmlns")) == 0)
		at += 1 + strcspn(xml + at + 1, " >");
	nd_buf_append(out, xml, at);
	if (ports)
		nd_buf_printf(out, " connections='%u'", ports);
	nd_buf_append_string(out, xml + at);
}

/* And how many use each interface of its pool; the definition was written just before, so its elements look like this and no other way. */
static void put_interfaces(struct nd_buf *out, const char *xml, const struct network *n)
{
	const struct netdef_rare *x = netdef_rare(n->live);

	for (size_t i = 0; i < x->uplink_cnt; i++) {
		char element[ND_IFNAMSIZ + sizeof("<interface dev=''")];
		unsigned users = pool_users(n, x->uplinks[i].dev);
		int len = snprintf(element, sizeof(element), "<interface dev='%s'", x->uplinks[i].dev);
		const char *at = users ? strstr(xml, element) : NULL;

		if (!at)
			continue;
		nd_buf_append(out, xml, (size_t)(at - xml) + (size_t)len);
		nd_buf_printf(out, " connections='%u'", users);
		xml = at + len;
	}
	nd_buf_append_string(out, xml);
}

/*
 * As libvirt would show it: it counts the ports, and has autostart beside the definition; a definition that
 * comes back without leaves that as it is. "When a guest is attached" is netd's own and stays to be seen.
 */
void proc_network_xml(struct proc_call *call, struct network *n)
{
	bool live = n->live && !(call->in[1].u & XML_INACTIVE && n->config);
	struct nd_buf plain = { .max = XDR_STRING_MAX }, used = { .max = XDR_STRING_MAX },
		      xml = { .max = XDR_STRING_MAX };
	struct netdef *shown = netdef_copy(live ? n->live : n->config);

	if (shown && shown->autostart != NETDEF_AUTOSTART_ON_ATTACH) {
		shown->autostart = NETDEF_AUTOSTART_NO;
		shown->autostart_set = false;
	}
	if (shown)
		netdef_format(shown, &plain);
	if (shown && !plain.bad && live)
		put_interfaces(&used, nd_buf_string(&plain), n);
	else if (shown && !plain.bad)
		nd_buf_append_string(&used, nd_buf_string(&plain));
	if (shown && !plain.bad && !used.bad)
		put_connections(&xml, nd_buf_string(&used), live ? n->port_cnt : 0);
	if (!shown)
		proc_fail(call, LIBVIRT_NO_MEMORY, "definition");
	else if (plain.bad || used.bad || xml.bad)
		proc_fail(call, LIBVIRT_RPC, "the definition of network '%s' is too long", n->name);
	else
		proc_reply_string(call, nd_buf_string(&xml));
	netdef_free(shown);
	nd_buf_done(&plain);
	nd_buf_done(&used);
	nd_buf_done(&xml);
}

void proc_network_get_autostart(struct proc_call *call, struct network *n)
{
	proc_reply_int(call, is_autostart(n));
}

void proc_network_is_active(struct proc_call *call, struct network *n)
{
	proc_reply_int(call, is_active(n));
}

void proc_network_is_persistent(struct proc_call *call, struct network *n)
{
	proc_reply_int(call, is_persistent(n));
}

static const char *bridge_of(const struct network *n)
{
	return n->bridge[0] ? n->bridge : n->config ? n->config->bridge : "";
}

void proc_network_bridge(struct proc_call *call, struct network *n)
{
	if (bridge_of(n)[0])
		proc_reply_string(call, bridge_of(n));
	else
		proc_fail(call, LIBVIRT_INTERNAL, "network '%s' does not have a bridge name.", n->name);
}

/* ---- leases ---- */

static const struct netdef_ip *ip_of_lease(const struct network *n, const struct dhcp_lease *l)
{
	const struct netdef *def = n->live ? n->live : n->config;
	struct nd_ip ip = nd_ip_from_ip4(l->ip4);

	for (size_t i = 0; i < def->ip_cnt; i++)
		if (nd_prefix_contains_ip(&def->ips[i].address, &ip))
			return &def->ips[i];
	return NULL;
}

/* "01:52:54:…"; NULL: it sent none. */
static const char *client_id(const struct dhcp_lease *l, char buf[CLIENT_ID_LEN])
{
	for (size_t i = 0; i < l->client_id.len; i++)
		snprintf(buf + 3 * i, CLIENT_ID_LEN - 3 * i, "%02x%s", l->client_id.bytes[i],
			 i + 1 < l->client_id.len ? ":" : "");
	return l->client_id.len ? buf : NULL;
}

static void put_lease(struct nd_buf *b, const struct network *n, const struct dhcp_lease *l)
{
	char mac[ND_MAC_STRLEN], ip[ND_IP_STRLEN], id[CLIENT_ID_LEN];
	const struct netdef_ip *of = ip_of_lease(n, l);

	xdr_put_string(b, bridge_of(n));
	xdr_put_hyper(b, l->expiry_s == UINT64_MAX ? 0 : (int64_t)l->expiry_s);
	xdr_put_int(b, LEASE_IPV4);
	xdr_put_string_or_none(b, nd_mac_to_string(&l->mac, mac));
	xdr_put_string_or_none(b, NULL); /* iaid: of DHCPv6 */
	xdr_put_string(b, nd_ip4_to_string(l->ip4, ip));
	xdr_put_uint(b, of ? of->address.len : 0);
	xdr_put_string_or_none(b, l->hostname[0] ? l->hostname : NULL);
	xdr_put_string_or_none(b, client_id(l, id));
}

static void on_leases(void *arg, const struct dhcp_lease *leases, size_t cnt, const struct nd_error *e)
{
	struct proc_call *call = arg;
	bool wanted = call->in[2].i != 0;
	struct network *n;
	struct nd_buf *b;

	if (e->code) {
		proc_fail_core(call, e);
		return;
	}
	n = proc_network(call, &call->in[0].network); /* the disk took its time: it may be gone */
	if (!n)
		return;
	if (cnt > LEASES_MAX) {
		proc_fail(call, LIBVIRT_RPC, "Too many leases '%zu' for limit '%d'", cnt, LEASES_MAX);
		return;
	}
	b = proc_reply_begin(call);
	if (b) {
		xdr_put_uint(b, wanted ? (uint32_t)cnt : 0);
		for (size_t i = 0; wanted && i < cnt; i++)
			put_lease(b, n, &leases[i]);
		xdr_put_uint(b, (uint32_t)cnt);
	}
	proc_reply_end(call);
}

void proc_network_leases(struct proc_call *call, struct network *n)
{
	const char *text = call->in[1].s;
	struct nd_mac mac;

	if (text && nd_mac_from_string(text, &mac) < 0) {
		proc_fail(call, LIBVIRT_INVALID_MAC, "%.100s", text);
		return;
	}
	leases_list(call->core, n, text ? &mac : NULL, (struct leases_done){ on_leases, call });
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the methods on networks and leases
 *
 * The changing ones end in methods_on_network, with what the core's verb gave: at once, or when the disk has it.
 * Parameters stay valid until then, since the call keeps them.
 */
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/leases.h"
#include "netd/core/network.h"
#include "netd/core/plan.h"

#define XML_MAX (8 * 1024 * 1024) /* of a document we wrote; escaped it still fits API_REPLY_MAX */

/* Records */

static json_t *subnets(const struct netdef *def)
{
	char buf[ND_PREFIX_STRLEN];
	json_t *list = json_array();
	int bad = 0;

	for (size_t i = 0; i < def->ip_cnt; i++)
		bad |= json_array_append_new(list,
					     json_string(nd_prefix_to_string(&def->ips[i].address, buf)));
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *range(const struct netdef_range *r)
{
	char buf[ND_IP_STRLEN];
	struct out b = out_new();

	out_string(&b, "start", nd_ip_to_string(&r->start, buf));
	out_string(&b, "end", nd_ip_to_string(&r->end, buf));
	return out_take(&b);
}

static json_t *ranges(const struct netdef *def)
{
	json_t *list = json_array();
	int bad = 0;

	for (size_t i = 0; i < def->ip_cnt; i++)
		for (size_t j = 0; j < def->ips[i].range_cnt; j++)
			bad |= json_array_append_new(list, range(&def->ips[i].ranges[j]));
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}

/* The live definition shows what was chosen; that netd chose, and instead of what, stands in the other one. */
static void put_choice(struct out *b, const struct network *n)
{
	char buf[ND_PREFIX_STRLEN];
	bool chosen = false;

	for (size_t i = 0; n->config && i < n->config->ip_cnt; i++) {
		const struct netdef_ip *ip = &n->config->ips[i];

		if (!ip->subnet_auto)
			continue;
		chosen = true;
		if (n->live && i < n->live->ip_cnt &&
		    !nd_prefix_equal(&ip->address, &n->live->ips[i].address))
			out_string(b, "subnetPreferred", nd_prefix_to_string(&ip->address, buf));
	}
	out_bool(b, "subnetChosen", chosen);
}

static void put_definition(struct out *b, const struct network *n, const struct netdef *def)
{
	char buf[ND_MAC_STRLEN], routes[256];

	out_string(b, "forward", netdef_forward_to_string(def->forward));
	out_object(b, "subnets", subnets(def));
	put_choice(b, n);
	out_object(b, "dhcpRanges", ranges(def));
	out_string(b, "domain", def->domain);
	if (n->plan ? n->plan->mtu : def->mtu)
		out_int(b, "mtu", n->plan ? n->plan->mtu : def->mtu);
	if (n->plan && network_plan_return_routes(n->plan, routes, sizeof(routes)))
		out_string(b, "returnRoutes", routes);
	if (def->mac_set)
		out_string(b, "mac", nd_mac_to_string(&def->mac, buf));
}

json_t *methods_network(const struct network *n)
{
	const struct netdef *def = n->live ? n->live : n->config;
	char buf[ND_UUID_STRLEN];
	struct out b = out_new();

	out_string(&b, "name", n->name);
	out_string(&b, "uuid", nd_uuid_to_string(&n->uuid, buf));
	out_string(&b, "title", netdef_rare(def)->title);
	out_string(&b, "state", network_state_to_string(n->state));
	out_string(&b, "degraded", n->degraded);
	out_bool(&b, "active", n->state != NETWORK_INACTIVE);
	out_bool(&b, "persistent", n->config != NULL);
	out_string(&b, "autostart", netdef_autostart_to_string(n->autostart));
	out_string(&b, "bridge", n->bridge[0] ? n->bridge : def->bridge);
	if (n->ifindex > 0)
		out_int(&b, "ifindex", n->ifindex);
	put_definition(&b, n, def);
	out_int(&b, "ports", n->port_cnt);
	out_int(&b, "foreignPorts", n->foreign_ports);
	out_string(&b, "foreignFirewall", n->foreign);
	return out_take(&b);
}

static json_t *network_reply(const struct network *n)
{
	struct out b = out_new();

	out_object(&b, "network", methods_network(n));
	return out_take(&b);
}

/* Reading */

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

static bool is_no_autostart(const struct network *n)
{
	return n->autostart == NETDEF_AUTOSTART_NO;
}

static bool (*const filters[])(const struct network *n) = {
	[API_FILTER_ACTIVE] = is_active,         [API_FILTER_INACTIVE] = is_inactive,
	[API_FILTER_PERSISTENT] = is_persistent, [API_FILTER_TRANSIENT] = is_transient,
	[API_FILTER_AUTOSTART] = is_autostart,   [API_FILTER_NO_AUTOSTART] = is_no_autostart,
};
_Static_assert(ARRAY_LEN(filters) == API_FILTER_CNT_, "one function per word");

static bool passes(const struct network *n, unsigned filter)
{
	for (int i = 0; i < API_FILTER_CNT_; i++)
		if ((filter & 1u << i) && !filters[i](n))
			return false;
	return true;
}

void method_list_networks(struct call *call, const json_t *in)
{
	struct core *c = call_arg(call);
	const json_t *words = json_object_get(in, "filter");
	json_t *list;
	struct out b;
	struct network *n;
	unsigned filter = 0;

	for (size_t i = 0; i < json_array_size(words); i++) {
		int f = api_filter_from_string(json_string_value(json_array_get(words, i)));

		if (f < 0) {
			call_fail_parameter(call, "filter");
			return;
		}
		filter |= 1u << f;
	}
	b = out_new();
	list = json_array();
	nd_list_foreach(n, &c->model->networks, all)
		if (passes(n, filter) && json_array_append_new(list, methods_network(n)) < 0)
			b.bad = true;
	out_object(&b, "networks", list);
	call_reply_new(call, out_take(&b));
}

void method_get_network(struct call *call, const json_t *in)
{
	struct network *n = methods_find_network(call, api_get_string(in, "name"));

	if (n)
		call_reply_new(call, network_reply(n));
}

void method_dump_network(struct call *call, const json_t *in)
{
	struct network *n = methods_find_network(call, api_get_string(in, "name"));
	struct nd_buf xml = { .max = XML_MAX };
	struct out b;

	if (!n)
		return;
	b = out_new();
	network_format(n, api_get_bool(in, "inactive", false), &xml);
	out_string(&b, "xml", nd_buf_string(&xml));
	b.bad = b.bad || xml.bad;
	nd_buf_done(&xml);
	call_reply_new(call, out_take(&b));
}

/* Changing */

void methods_on_network(void *arg, struct network *n, const struct nd_error *e)
{
	struct call *call = arg;

	if (e && e->code)
		call_fail(call, e);
	else
		call_reply_new(call, network_reply(n));
}

/* Where the network may be gone when it worked. */
static void on_done(void *arg, struct network *n, const struct nd_error *e)
{
	struct call *call = arg;

	if (e && e->code)
		call_fail(call, e);
	else
		call_reply(call, NULL);
}

struct definition { /* of DefineNetwork and CreateNetwork, until the core is done */
	struct call *call;
	json_t *warnings;
	bool bad;
};

static void on_warning(void *arg, const struct netdef_warning *w)
{
	struct definition *d = arg;
	struct out b = out_new();

	out_int(&b, "line", w->line);
	out_object(&b, "element", api_string(w->element));
	out_object(&b, "text", api_string(w->text));
	if (json_array_append_new(d->warnings, out_take(&b)) < 0)
		d->bad = true;
}

static void on_defined(void *arg, struct network *n, const struct nd_error *e)
{
	struct definition *d = arg;
	struct call *call = d->call;
	json_t *warnings = d->warnings;
	bool bad = d->bad;
	struct out b;

	free(d);
	if (e && e->code) {
		json_decref(warnings);
		call_fail(call, e);
		return;
	}
	b = out_new();
	b.bad = b.bad || bad;
	out_object(&b, "network", methods_network(n));
	out_object(&b, "warnings", warnings);
	call_reply_new(call, out_take(&b));
}

static void define_again(void *arg)
{
	struct definition *d = arg;
	struct call *call = d->call;

	json_decref(d->warnings);
	free(d);
	call_again(call);
}

/* Whether the document is without what would be a warning; if not, the call has been answered. */
static bool validate(struct call *call, const json_t *xml)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *def = NULL;

	if (netdef_parse_flags(json_string_value(xml), json_string_length(xml), NETDEF_PARSE_VALIDATE, NULL,
			       NULL, NULL, &def, &e) < 0)
		call_fail(call, &e);
	netdef_free(def);
	return !e.code;
}

static void define(struct call *call, const json_t *in,
		   void (*verb)(struct core *c, const char *xml, size_t len,
				void (*warn)(void *arg, const struct netdef_warning *w),
				struct network_done done))
{
	const json_t *xml = json_object_get(in, "xml");
	struct definition *d;

	if (api_get_bool(in, "validate", false) && !validate(call, xml))
		return;
	d = calloc(1, sizeof(*d));
	if (!d) {
		call_reply_new(call, NULL);
		return;
	}
	d->call = call;
	d->warnings = json_array();
	verb(call_arg(call), json_string_value(xml), json_string_length(xml), on_warning,
	     (struct network_done){ on_defined, d, define_again });
}

void method_define_network(struct call *call, const json_t *in)
{
	define(call, in, network_define);
}

void method_create_network(struct call *call, const json_t *in)
{
	define(call, in, network_create);
}

void method_start_network(struct call *call, const json_t *in)
{
	struct network *n = methods_find_network(call, api_get_string(in, "name"));

	if (n)
		network_start(call_arg(call), n,
			      (struct network_done){ methods_on_network, call, call_again });
}

void method_destroy_network(struct call *call, const json_t *in)
{
	struct network *n = methods_find_network(call, api_get_string(in, "name"));

	if (n)
		network_destroy(call_arg(call), n, api_get_bool(in, "force", false),
				(struct network_done){ on_done, call, call_again });
}

void method_undefine_network(struct call *call, const json_t *in)
{
	struct network *n = methods_find_network(call, api_get_string(in, "name"));

	if (n)
		network_undefine(call_arg(call), n, (struct network_done){ on_done, call, call_again });
}

void method_set_autostart(struct call *call, const json_t *in)
{
	int mode = netdef_autostart_from_string(api_get_string(in, "mode"));
	struct network *n;

	if (mode < 0) {
		call_fail_parameter(call, "mode");
		return;
	}
	n = methods_find_network(call, api_get_string(in, "name"));
	if (n)
		network_set_autostart(call_arg(call), n, (enum netdef_autostart)mode,
				      (struct network_done){ methods_on_network, call, call_again });
}

/* Leases */

static const char *const lease_states[] = {
	[DHCP_LEASE_BOUND] = "bound",
	[DHCP_LEASE_DECLINED] = "declined",
};

struct listing { /* of ListLeases: the network may be gone when the store answers */
	struct call *call;
	int prefix_len; /* of the subnet with DHCP; -1: none */
};

static void put_client_id(struct out *b, const struct dhcp_identity *id)
{
	char hex[DHCP_IDENTITY_MAX * 3 + 1] = "";

	for (size_t i = 0; i < id->len && i < DHCP_IDENTITY_MAX; i++)
		snprintf(hex + i * 3, 4, "%02x:", id->bytes[i]);
	if (hex[0])
		hex[strlen(hex) - 1] = '\0';
	out_string(b, "clientId", hex);
}

static json_t *lease_record(const struct dhcp_lease *l, int prefix_len)
{
	char mac[ND_MAC_STRLEN], ip[ND_IP_STRLEN], uuid[ND_UUID_STRLEN];
	struct out b = out_new();

	if (l->expiry_s != UINT64_MAX)
		out_int(&b, "expiry", (long long)l->expiry_s);
	out_string(&b, "mac", nd_mac_to_string(&l->mac, mac));
	out_string(&b, "address", nd_ip4_to_string(l->ip4, ip));
	if (prefix_len >= 0)
		out_int(&b, "prefix", prefix_len);
	out_string(&b, "state", lease_states[l->state < ARRAY_LEN(lease_states) ? l->state : 0]);
	out_string(&b, "hostname", l->hostname);
	put_client_id(&b, &l->client_id);
	if (!nd_uuid_is_zero(&l->port))
		out_string(&b, "port", nd_uuid_to_string(&l->port, uuid));
	return out_take(&b);
}

static void on_leases(void *arg, const struct dhcp_lease *leases, size_t cnt, const struct nd_error *e)
{
	struct listing *l = arg;
	struct call *call = l->call;
	int prefix_len = l->prefix_len;
	json_t *list;
	struct out b;

	free(l);
	if (e && e->code) {
		call_fail(call, e);
		return;
	}
	b = out_new();
	list = json_array();
	for (size_t i = 0; i < cnt; i++)
		if (json_array_append_new(list, lease_record(&leases[i], prefix_len)) < 0)
			b.bad = true;
	out_object(&b, "leases", list);
	call_reply_new(call, out_take(&b));
}

/* At most one IPv4 subnet of a network has DHCP (netdef_check). */
static int dhcp_prefix_len(const struct network *n)
{
	const struct netdef *def = n->live ? n->live : n->config;

	for (size_t i = 0; i < def->ip_cnt; i++)
		if (def->ips[i].dhcp && def->ips[i].address.ip.family == AF_INET)
			return def->ips[i].address.len;
	return -1;
}

void method_list_leases(struct call *call, const json_t *in)
{
	struct network *n;
	struct listing *l;
	struct nd_mac mac;
	bool mac_set;

	if (!methods_mac(call, api_get_string(in, "mac"), &mac, &mac_set))
		return;
	n = methods_find_network(call, api_get_string(in, "name"));
	if (!n)
		return;
	l = malloc(sizeof(*l));
	if (!l) {
		call_reply_new(call, NULL);
		return;
	}
	*l = (struct listing){ call, dhcp_prefix_len(n) };
	leases_list(call_arg(call), n, mac_set ? &mac : NULL, (struct leases_done){ on_leases, l });
}

void method_release_lease(struct call *call, const json_t *in)
{
	const char *which = api_get_string(in, "lease");
	struct nd_error e = ND_ERROR_INIT;
	struct network *n;
	struct listing *l;
	struct nd_mac mac;
	struct nd_ip ip;
	bool by_mac = nd_mac_from_string(which, &mac) == 0;

	if (!by_mac && (nd_ip_from_string(which, &ip) < 0 || ip.family != AF_INET)) {
		nd_fail(&e, ND_INVALID, "'%s' is neither an IPv4 nor a MAC address", which);
		call_fail(call, &e);
		return;
	}
	n = methods_find_network(call, api_get_string(in, "name"));
	if (!n)
		return;
	l = malloc(sizeof(*l));
	if (!l) {
		call_reply_new(call, NULL);
		return;
	}
	*l = (struct listing){ call, dhcp_prefix_len(n) };
	leases_release(call_arg(call), n, by_mac ? 0 : nd_ip_to_ip4(&ip), by_mac ? &mac : NULL,
		       (struct leases_done){ on_leases, l });
}

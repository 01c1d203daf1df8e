// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: net-define-as: the common network without a file
 *
 * Only words become XML here; what may be combined with what is netd's to say, as for any document. The one
 * thing worked out is the range of DHCP: with "auto" it is what of the subnet lies above the bridge's
 * address, or below it where that is more.
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "cli/cli.h"

/* Preferred where netd chooses: where it collides with the host's, another is taken at the start. */
#define SUBNET_PREFERRED "192.168.122.1/24"
#define NAMESPACE        " xmlns:netd='urn:netd:network:1'"

struct request {
	const char *name, *mode, *bridge, *devs, *domain, *autostart; /* devs: parted by ',' or NULL */
	long long mtu;
	bool has_ip, subnet_auto;
	struct nd_prefix address; /* of the bridge */
	bool has_dhcp;
	struct nd_ip first, last;
};

static void append_escaped(struct nd_buf *out, const char *s)
{
	static const struct {
		char c;
		const char *text;
	} rows[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '\'', "&apos;" } };

	for (; *s; s++) {
		const char *text = NULL;

		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (rows[i].c == *s)
				text = rows[i].text;
		if (text)
			nd_buf_append_string(out, text);
		else
			nd_buf_append(out, s, 1);
	}
}

/* "  <bridge name='br0'/>\n" from "bridge name", s, "/>"; nothing where s is NULL. */
static void append_attribute(struct nd_buf *out, const char *head, const char *s, const char *tail)
{
	if (!s)
		return;
	nd_buf_printf(out, "  <%s='", head);
	append_escaped(out, s);
	nd_buf_printf(out, "'%s\n", tail);
}

static void append_ip(struct nd_buf *out, const struct request *r)
{
	char a[ND_IP_STRLEN], b[ND_IP_STRLEN];
	bool v4 = r->address.ip.family == AF_INET;

	if (!r->has_ip)
		return;
	nd_buf_printf(out, "  <ip%s address='%s' ", v4 ? "" : " family='ipv6'",
		      nd_ip_to_string(&r->address.ip, a));
	if (v4)
		nd_buf_printf(out, "netmask='%s'", nd_ip4_to_string(nd_ip4_mask(r->address.len), b));
	else
		nd_buf_printf(out, "prefix='%u'", r->address.len);
	nd_buf_printf(out, "%s%s>\n", r->subnet_auto ? " netd:subnet='auto'" : "", r->has_dhcp ? "" : "/");
	if (!r->has_dhcp)
		return;
	nd_buf_printf(out, "    <dhcp>\n      <range start='%s' end='%s'/>\n    </dhcp>\n  </ip>\n",
		      nd_ip_to_string(&r->first, a), nd_ip_to_string(&r->last, b));
}

static void append_devs(struct nd_buf *out, const char *devs)
{
	char name[64];

	for (const char *at = devs; *at; at += strspn(at, ",")) {
		size_t len = strcspn(at, ",");

		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		append_attribute(out, "  interface dev", name, "/>");
		at += len;
	}
	nd_buf_append_string(out, "  </forward>\n");
}

static void build_xml(struct nd_buf *out, const struct request *r)
{
	bool isolated = strcmp(r->mode, "isolated") == 0;
	char mtu[24];

	snprintf(mtu, sizeof(mtu), "%lld", r->mtu);
	nd_buf_printf(out, "<network%s>\n  <name>", r->subnet_auto || r->autostart ? NAMESPACE : "");
	append_escaped(out, r->name);
	nd_buf_append_string(out, "</name>\n");
	append_attribute(out, "forward mode", isolated ? NULL : r->mode, r->devs ? ">" : "/>");
	if (r->devs)
		append_devs(out, r->devs);
	append_attribute(out, "bridge name", r->bridge, "/>");
	append_attribute(out, "mtu size", r->mtu ? mtu : NULL, "/>");
	append_attribute(out, "domain name", r->domain, "/>");
	append_ip(out, r);
	append_attribute(out, "netd:autostart mode", r->autostart, "/>");
	nd_buf_append_string(out, "</network>\n");
}

/* The subnet's first and last address but its own and the broadcast address. */
static void usable(const struct nd_prefix *p, uint32_t *ret_first, uint32_t *ret_last)
{
	uint32_t network = nd_ip_to_ip4(&p->ip) & nd_ip4_mask(p->len);

	*ret_first = network + 1;
	*ret_last = (network | ~nd_ip4_mask(p->len)) - 1;
}

/* "auto", or ADDRESS/LENGTH; the subnet's own address stands for its first. */
static int read_subnet(const char *word, struct request *r, struct nd_error *e)
{
	struct nd_prefix network;
	uint32_t first, last;

	r->subnet_auto = strcmp(word, "auto") == 0;
	r->has_ip = true;
	if (nd_prefix_from_string(r->subnet_auto ? SUBNET_PREFERRED : word, &r->address) < 0)
		return nd_fail(e, ND_INVALID, "--subnet: '%s' is neither 'auto' nor ADDRESS/LENGTH", word);
	if (!strchr(word, '/') && !r->subnet_auto)
		return nd_fail(e, ND_INVALID, "--subnet: '%s' has no length, as in %s/24", word, word);
	network = nd_prefix_network(&r->address);
	if (r->address.ip.family == AF_INET && r->address.len <= 30 &&
	    nd_ip_equal(&network.ip, &r->address.ip)) {
		usable(&r->address, &first, &last);
		r->address.ip = nd_ip_from_ip4(first);
	}
	return 0;
}

static int whole_range(struct request *r, struct nd_error *e)
{
	char text[ND_PREFIX_STRLEN];
	uint32_t first, last, own = nd_ip_to_ip4(&r->address.ip);

	if (r->address.ip.family != AF_INET)
		return 0;
	if (r->address.len > 30)
		return nd_fail(e, ND_INVALID, "--subnet: %s has no address for a guest; see --dhcp none",
			       nd_prefix_to_string(&r->address, text));
	usable(&r->address, &first, &last);
	if (own - first > last - own)
		last = own - 1;
	else
		first = own + 1;
	r->has_dhcp = true;
	r->first = nd_ip_from_ip4(first);
	r->last = nd_ip_from_ip4(last);
	return 0;
}

/* "auto", "none", or FIRST-LAST. */
static int read_dhcp(const char *word, struct request *r, struct nd_error *e)
{
	const char *dash = strchr(word, '-');
	char first[ND_IP_STRLEN];

	if (strcmp(word, "none") == 0)
		return 0;
	if (strcmp(word, "auto") == 0)
		return whole_range(r, e);
	snprintf(first, sizeof(first), "%.*s", (int)(dash ? dash - word : 0), word);
	if (!dash || nd_ip_from_string(first, &r->first) < 0 || nd_ip_from_string(dash + 1, &r->last) < 0)
		return nd_fail(e, ND_INVALID, "--dhcp: '%s' is neither 'auto', 'none' nor FIRST-LAST", word);
	r->has_dhcp = true;
	return 0;
}

static bool is_macvtap(const char *mode)
{
	static const char *const modes[] = { "macvtap", "private", "vepa", "passthrough" };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(mode, modes[i]) == 0)
			return true;
	return false;
}

/* libvirt's word for macvtaps that reach each other is the one for a bridge of the host's, too: which of them it is, only the rest tells. */
static int read_macvtap(const struct cli_args *args, struct request *r, struct nd_error *e)
{
	r->devs = args->value[NET_DEFINE_AS_DEV];
	if (!is_macvtap(r->mode))
		return nd_fail(e, ND_INVALID,
			       "--dev is for the modes macvtap, private, vepa and passthrough");
	if (!r->devs || !r->devs[0])
		return nd_fail(e, ND_INVALID, "--mode %s needs --dev, the host's interface", r->mode);
	if (args->value[NET_DEFINE_AS_SUBNET] || args->value[NET_DEFINE_AS_DHCP] || r->bridge)
		return nd_fail(e, ND_INVALID, "--mode %s takes neither --subnet, --dhcp nor --bridge",
			       r->mode);
	if (strcmp(r->mode, "macvtap") == 0)
		r->mode = "bridge";
	return 0;
}

static int read_request(const struct cli_args *args, struct request *r, struct nd_error *e)
{
	const char *mode = args->value[NET_DEFINE_AS_MODE], *subnet = args->value[NET_DEFINE_AS_SUBNET];
	const char *dhcp = args->value[NET_DEFINE_AS_DHCP];

	r->name = args->word[0];
	r->mode = mode ? mode : "nat";
	r->bridge = args->value[NET_DEFINE_AS_BRIDGE];
	r->domain = args->value[NET_DEFINE_AS_DOMAIN];
	r->autostart = args->value[NET_DEFINE_AS_AUTOSTART];
	if (is_macvtap(r->mode) || args->value[NET_DEFINE_AS_DEV])
		return read_macvtap(args, r, e);
	/* The host's bridge has its addresses from elsewhere. */
	if (strcmp(r->mode, "bridge") != 0) {
		if (read_subnet(subnet ? subnet : "auto", r, e) < 0)
			return e->code;
		return read_dhcp(dhcp ? dhcp : "auto", r, e);
	}
	if (!r->bridge)
		return nd_fail(e, ND_INVALID, "--mode bridge needs --bridge, the host's bridge");
	if (subnet || dhcp)
		return nd_fail(e, ND_INVALID, "--mode bridge takes neither --subnet nor --dhcp");
	return 0;
}

static int define(struct cli *cli, const char *xml)
{
	json_t *params = json_pack("{s:s}", "xml", xml), *reply = NULL;
	struct nd_error e = ND_ERROR_INIT;
	int status;

	if (!params) {
		nd_fail(&e, ND_PARSE, "the options are not UTF-8 text");
		return cli_failed(cli, &e);
	}
	status = cli_call(cli, "DefineNetwork", params, &reply);
	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		cli_say(cli, "Network %s defined\n", cli_text(json_object_get(reply, "network"), "name"));
	json_decref(reply);
	return 0;
}

static int print_xml(struct cli *cli, const char *xml)
{
	json_t *shown;

	if (!cli->json) {
		fputs(xml, cli->out);
		return 0;
	}
	shown = json_pack("{s:s}", "xml", xml);
	cli_print_json(cli, shown);
	json_decref(shown);
	return 0;
}

int cmd_net_define_as(struct cli *cli, const struct cli_args *args)
{
	struct request r = { 0 };
	struct nd_error e = ND_ERROR_INIT;
	struct nd_buf xml = { .max = 0 };
	int status;

	if (!cli_number(cli, args, NET_DEFINE_AS_MTU, 68, 65535, &r.mtu))
		return CLI_STATUS_USAGE;
	if (read_request(args, &r, &e) < 0) {
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	build_xml(&xml, &r);
	status = args->set[NET_DEFINE_AS_PRINT_XML] ? print_xml(cli, nd_buf_string(&xml))
						    : define(cli, nd_buf_string(&xml));
	nd_buf_done(&xml);
	return status;
}

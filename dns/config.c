// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what dnsmasq reads, as text
 *
 * no-resolv and no-poll: dnsmasq watches no resolv.conf, which would take an inotify instance of each; netd watches for all, and writes the
 * servers file. no-hosts: the host's own /etc/hosts is none of the guests' business.
 *
 * bind-dynamic, not bind-interfaces: only then does dnsmasq look at the interface that a question came in by, and does not answer guests of other
 * networks, or the world, at an address of the bridge (CVE-2012-3411). The price is that each looks through the links when an address changes.
 */
#include "base/mem.h"
#include "dns/dns.h"
#include <string.h>

static bool printable(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static int check(const char *what, const char *s, struct nd_error *e)
{
	return printable(s) ? 0 : nd_fail(e, ND_INVALID, "%s: it has a control character", what);
}

/* Within quotes dnsmasq takes a comma as it is. */
static void put_quoted(struct nd_buf *out, const char *s)
{
	nd_buf_append(out, "\"", 1);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			nd_buf_append(out, "\\", 1);
		nd_buf_append(out, s, 1);
	}
	nd_buf_append(out, "\"", 1);
}

/* no-dhcp-interface is for more than DHCP, which is not served without a range anyway: it takes TFTP away, too. */
static void put_frame(const struct dns_config *c, struct nd_buf *out)
{
	nd_buf_printf(out,
		      "# Of network '%s', by netd, which writes this file anew: see netd-network(5).\n"
		      "keep-in-foreground\npid-file=\ninterface=%s\nexcept-interface=lo\nbind-dynamic\n"
		      "no-resolv\nno-poll\nno-hosts\nstrict-order\n",
		      c->network, c->bridge);
	if (!c->serve)
		nd_buf_append_string(out, "port=0\n");
	if (c->tftp_root)
		nd_buf_printf(out, "enable-tftp\ntftp-no-fail\ntftp-root=%s\n", c->tftp_root);
	else
		nd_buf_printf(out, "no-dhcp-interface=%s\n", c->bridge);
}

static int put_forwarders(const struct dns_config *c, struct nd_buf *out, struct nd_error *e)
{
	char text[ND_IP_STRLEN];

	for (size_t i = 0; i < c->forwarder_cnt; i++) {
		const struct dns_forwarder *f = &c->forwarders[i];

		if (check("<forwarder>", f->domain, e) < 0)
			return e ? e->code : ND_INVALID;
		nd_buf_append_string(out, "server=");
		if (f->domain)
			nd_buf_printf(out, "/%s/", f->domain);
		nd_buf_printf(out, "%s\n", f->ip.family ? nd_ip_to_string(&f->ip, text) : "#");
	}
	return 0;
}

static int put_txts(const struct dns_config *c, struct nd_buf *out, struct nd_error *e)
{
	for (size_t i = 0; i < c->txt_cnt; i++) {
		const struct dns_txt *t = &c->txts[i];

		if (check("<txt>", t->name, e) < 0 || check("<txt>", t->value, e) < 0)
			return ND_INVALID;
		nd_buf_printf(out, "txt-record=%s,", t->name);
		put_quoted(out, t->value);
		nd_buf_append_string(out, "\n");
	}
	return 0;
}

static int put_srvs(const struct dns_config *c, struct nd_buf *out, struct nd_error *e)
{
	for (size_t i = 0; i < c->srv_cnt; i++) {
		const struct dns_srv *s = &c->srvs[i];

		if (check("<srv>", s->service, e) < 0 || check("<srv>", s->protocol, e) < 0 ||
		    check("<srv>", s->domain, e) < 0 || check("<srv>", s->target, e) < 0)
			return ND_INVALID;
		nd_buf_printf(out, "srv-host=_%s._%s", s->service, s->protocol);
		if (s->domain)
			nd_buf_printf(out, ".%s", s->domain);
		if (s->target)
			nd_buf_printf(out, ",%s,%u,%u,%u", s->target, s->port, s->priority, s->weight);
		nd_buf_append_string(out, "\n");
	}
	return 0;
}

static void put_local(const struct dns_config *c, struct nd_buf *out)
{
	char zones[DNS_ZONES_MAX][DNS_ZONE_LEN];

	if (c->domain)
		nd_buf_printf(out, "domain=%s\n", c->domain);
	if (c->domain && c->local_only)
		nd_buf_printf(out, "local=/%s/\n", c->domain);
	if (c->no_plain)
		nd_buf_append_string(out, "domain-needed\nlocal=//\n");
	for (size_t i = 0; i < c->local_ptr_cnt; i++) {
		size_t cnt = dns_reverse_zones(&c->local_ptr[i], zones);

		for (size_t k = 0; k < cnt; k++)
			nd_buf_printf(out, "local=/%s/\n", zones[k]);
	}
}

static int put_names(const struct dns_config *c, struct nd_buf *out, struct nd_error *e)
{
	nd_buf_printf(out, "addn-hosts=%s\n", c->hosts_file);
	if (c->servers_file)
		nd_buf_printf(out, "servers-file=%s\n", c->servers_file);
	put_local(c, out);
	if (put_forwarders(c, out, e) < 0 || put_txts(c, out, e) < 0)
		return ND_INVALID;
	return put_srvs(c, out, e);
}

int dns_config_text(const struct dns_config *c, struct nd_buf *out, struct nd_error *e)
{
	if (check("<tftp>", c->tftp_root, e) < 0 || check("<domain>", c->domain, e) < 0)
		return ND_INVALID;
	put_frame(c, out);
	if (c->serve && put_names(c, out, e) < 0)
		return ND_INVALID;
	for (size_t i = 0; c->serve && i < c->option_cnt; i++) {
		int r = dns_option_check(c->options[i], e);

		if (r < 0)
			return r;
		nd_buf_printf(out, "%s\n", c->options[i]);
	}
	return out->bad ? nd_fail(e, ND_MEMORY, "configuration of dnsmasq") : 0;
}

void dns_hosts_text(const struct dns_name *names, size_t cnt, const char *domain, struct nd_buf *out)
{
	char ip[ND_IP_STRLEN];

	for (size_t i = 0; i < cnt; i++) {
		nd_buf_append_string(out, nd_ip_to_string(&names[i].ip, ip));
		if (domain && !strchr(names[i].name, '.'))
			nd_buf_printf(out, " %s.%s", names[i].name, domain);
		nd_buf_printf(out, " %s\n", names[i].name);
	}
}

void dns_servers_text(const struct nd_ip *ips, size_t cnt, struct nd_buf *out)
{
	char text[ND_IP_STRLEN];

	for (size_t i = 0; i < cnt; i++)
		nd_buf_printf(out, "server=%s\n", nd_ip_to_string(&ips[i], text));
}

/* ---- reverse zones ---- */

static size_t put_label4(char *to, size_t size, const uint8_t *b, size_t labels)
{
	size_t used = 0;

	for (size_t i = labels; i-- > 0 && used < size;)
		used += (size_t)snprintf(to + used, size - used, "%u.", b[i]);
	return used;
}

static size_t put_label6(char *to, size_t size, const uint8_t *b, size_t labels)
{
	size_t used = 0;

	for (size_t i = labels; i-- > 0 && used < size;)
		used += (size_t)snprintf(to + used, size - used, "%x.",
					 i % 2 ? b[i / 2] & 15 : b[i / 2] >> 4);
	return used;
}

/* Whole labels, and in the last of them all values that the prefix lets it have. */
size_t dns_reverse_zones(const struct nd_prefix *p, char ret[DNS_ZONES_MAX][DNS_ZONE_LEN])
{
	struct nd_prefix net = nd_prefix_network(p);
	bool ip4 = net.ip.family == AF_INET;
	unsigned bits = ip4 ? 8 : 4, max = ip4 ? 4 : 32, labels = (net.len + bits - 1u) / bits;

	if (labels == 0 || labels > max)
		return 0;
	unsigned cnt = 1u << (labels * bits - net.len), at = labels - 1;
	for (unsigned i = 0; i < cnt; i++) {
		uint8_t b[16];
		size_t used;

		memcpy(b, net.ip.b, sizeof(b));
		if (ip4)
			b[at] = (uint8_t)(b[at] + i);
		else
			b[at / 2] = (uint8_t)(b[at / 2] + (at % 2 ? i : i << 4));
		used = ip4 ? put_label4(ret[i], DNS_ZONE_LEN, b, labels)
			   : put_label6(ret[i], DNS_ZONE_LEN, b, labels);
		snprintf(ret[i] + used, DNS_ZONE_LEN - used, ip4 ? "in-addr.arpa" : "ip6.arpa");
	}
	return cnt;
}

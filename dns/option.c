// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: which of dnsmasq's options a definition may give
 *
 * A list of what is let in, since dnsmasq has options that run scripts, read and write files, listen elsewhere and serve DHCP. An option that is not in
 * the table is refused by its name, with the reason where many will ask for it. Values are dnsmasq's affair: it refuses what it does not
 * understand, and says so.
 */
#include "base/mem.h"
#include "dns/dns.h"
#include <string.h>

#define NAME_MAX_LEN 48

static const char *const let_in[] = {
	"add-cpe-id",
	"address",
	"alias",
	"all-servers",
	"bogus-nxdomain",
	"bogus-priv",
	"caa-record",
	"cache-size",
	"cname",
	"dns-forward-max",
	"dns-loop-detect",
	"dns-rr",
	"domain-needed",
	"edns-packet-max",
	"fast-dns-retry",
	"filter-A",
	"filter-AAAA",
	"filterwin2k",
	"host-record",
	"ignore-address",
	"local",
	"local-ttl",
	"localise-queries",
	"log-queries",
	"max-cache-ttl",
	"max-ttl",
	"min-cache-ttl",
	"mx-host",
	"mx-target",
	"naptr-record",
	"neg-ttl",
	"no-negcache",
	"no-round-robin",
	"port-limit",
	"ptr-record",
	"rebind-domain-ok",
	"rebind-localhost-ok",
	"rev-server",
	"selfmx",
	"localmx",
	"server",
	"srv-host",
	"stop-dns-rebind",
	"strict-order",
	"strip-mac",
	"strip-subnet",
	"synth-domain",
	"txt-record",
	"use-stale-cache",
};

/* By how they begin. */
static const struct {
	const char *prefix, *why;
} refused[] = {
	{ "dhcp-", "netd serves DHCP itself" },
	{ "enable-ra", "netd sends router advertisements itself" },
	{ "ra-param", "netd sends router advertisements itself" },
	{ "tftp-", "<tftp> in <ip> says what is served" },
	{ "enable-tftp", "<tftp> in <ip> says what is served" },
	{ "interface", "it serves the network's bridge" },
	{ "except-interface", "it serves the network's bridge" },
	{ "listen-address", "it serves the network's bridge" },
	{ "bind-", "it serves the network's bridge" },
	{ "port", "it serves DNS on port 53" },
	{ "conf-", "no other files are read" },
	{ "addn-hosts", "no other files are read; <host> in <dns> names addresses" },
	{ "hostsdir", "no other files are read; <host> in <dns> names addresses" },
	{ "resolv-file", "the host's resolvers are asked, or those of <forwarder>" },
	{ "servers-file", "the host's resolvers are asked, or those of <forwarder>" },
	{ "domain", "<domain> names it" },
	{ "user", "netd says whom it runs as" },
	{ "group", "netd says whom it runs as" },
};

static bool is_let_in(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(let_in); i++)
		if (strcmp(let_in[i], name) == 0)
			return true;
	return false;
}

static int refuse(const char *name, struct nd_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strncmp(refused[i].prefix, name, strlen(refused[i].prefix)) == 0)
			return nd_fail(e, ND_UNSUPPORTED, "'%s' is not passed on to dnsmasq: %s", name,
				       refused[i].why);
	return nd_fail(e, ND_UNSUPPORTED, "'%s' is not among the options that are passed on to dnsmasq",
		       name);
}

int dns_option_check(const char *line, struct nd_error *e)
{
	char name[NAME_MAX_LEN];
	size_t len = strcspn(line, "= \t");
	int r = 0;

	for (const char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 && *p != '\t')
			r = nd_fail(e, ND_INVALID, "it has a control character");
	if (r == 0 && (len == 0 || len >= sizeof(name)))
		r = nd_fail(e, ND_INVALID, "'%.*s' is no option of dnsmasq", NAME_MAX_LEN, line);
	if (r == 0) {
		memcpy(name, line, len);
		name[len] = '\0';
		r = is_let_in(name) ? 0 : refuse(name, e);
	}
	return r < 0 ? nd_wrap_code(e, r, "<dnsmasq:option>") : 0;
}

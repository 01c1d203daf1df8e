// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: telling systemd-resolved whose names are asked for where
 *
 * Its servers and domains are a link's, so they go with the bridge. The domains are routing ones: names in them, and no others, go to the
 * network's server, which is nobody's default. Source: org.freedesktop.resolve1(5).
 */
#include "base/mem.h"
#include "dns/dns.h"
#include <errno.h>
#include <systemd/sd-bus.h>

#define NAME       "org.freedesktop.resolve1"
#define PATH       "/org/freedesktop/resolve1"
#define MANAGER    "org.freedesktop.resolve1.Manager"
#define TIMEOUT_US 2000000

static void bus_closep(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

static int put_servers(sd_bus_message *m, const struct dns_link *l)
{
	int r = sd_bus_message_open_container(m, 'a', "(iay)");

	for (size_t i = 0; r >= 0 && i < l->server_cnt; i++) {
		const struct nd_ip *ip = &l->servers[i];

		r = sd_bus_message_open_container(m, 'r', "iay");
		if (r >= 0)
			r = sd_bus_message_append(m, "i", ip->family);
		if (r >= 0)
			r = sd_bus_message_append_array(m, 'y', ip->b, ip->family == AF_INET ? 4 : 16);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_domains(sd_bus_message *m, const struct dns_link *l)
{
	int r = sd_bus_message_open_container(m, 'a', "(sb)");

	for (size_t i = 0; r >= 0 && i < l->domain_cnt; i++)
		r = sd_bus_message_append(m, "(sb)", l->domains[i], 1);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_no_default(sd_bus_message *m, const struct dns_link *l)
{
	return sd_bus_message_append(m, "b", 0);
}

static int put_nothing(sd_bus_message *m, const struct dns_link *l)
{
	return 0;
}

static const struct call {
	const char *method;
	int (*put)(sd_bus_message *m, const struct dns_link *l);
} set_calls[] = {
	{ "SetLinkDNS", put_servers },
	{ "SetLinkDomains", put_domains },
	{ "SetLinkDefaultRoute", put_no_default },
}, revert_call = { "RevertLink", put_nothing };

static int call(sd_bus *bus, const struct call *c, const struct dns_link *l, struct nd_error *e)
{
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus_error failed = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_new_method_call(bus, &m, NAME, PATH, MANAGER, c->method);

	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, false);
	if (r >= 0)
		r = sd_bus_message_append(m, "i", l->ifindex);
	if (r >= 0)
		r = c->put(m, l);
	if (r >= 0)
		r = sd_bus_call(bus, m, TIMEOUT_US, &failed, &reply);
	if (r < 0 && sd_bus_error_has_name(&failed, SD_BUS_ERROR_SERVICE_UNKNOWN))
		r = nd_fail(e, ND_NOT_FOUND, "systemd-resolved does not run");
	else if (r < 0)
		r = nd_fail_sys(e, -r, failed.message, "systemd-resolved: %s", c->method);
	else
		r = 0;
	sd_bus_error_free(&failed);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(m);
	return r;
}

int dns_resolved_set(const struct dns_link *l, struct nd_error *e)
{
	nd_cleanup(bus_closep) sd_bus *bus = NULL;
	int r = sd_bus_open_system(&bus);

	if (r < 0)
		return nd_fail(e, ND_NOT_FOUND, "there is no system bus");
	if (l->domain_cnt == 0)
		return call(bus, &revert_call, l, e);
	r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(set_calls); i++)
		r = call(bus, &set_calls[i], l, e);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a link's DNS servers at systemd-resolved, over D-Bus
 *
 * Where resolved does not run, names are not looked up per link (resolv.conf), and there is nothing to move. D-Bus answers within CALL_US or not at all: names
 * that do not resolve for a while are worth less than a half-moved NIC. The text is "SERVER SERVER…|DOMAIN DOMAIN…", a domain with '~' before it for routing only.
 * Links that systemd-networkd manages are its own: resolved refuses to set them, and what it had stays with the NIC.
 * Source: org.freedesktop.resolve1(5).
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "lan/private.h"
#include <systemd/sd-bus.h>

#define CALL_US     1000000
#define SERVICE     "org.freedesktop.resolve1"
#define MANAGER     "/org/freedesktop/resolve1", "org.freedesktop.resolve1.Manager"
#define ENTRIES_MAX 64

static void bus_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

/* Not started for this: a resolved that does not run resolves nothing. */
static sd_bus *open_bus(void)
{
	sd_bus *bus = NULL;
	int has = 0;
	sd_bus_message *reply = NULL;
	if (sd_bus_open_system(&bus) < 0)
		return NULL;
	sd_bus_set_method_call_timeout(bus, CALL_US);
	if (sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			       "NameHasOwner", NULL, &reply, "s", SERVICE) < 0 ||
	    sd_bus_message_read(reply, "b", &has) < 0)
		has = 0;
	sd_bus_message_unref(reply);
	if (has)
		return bus;
	sd_bus_flush_close_unref(bus);
	return NULL;
}

static void read_servers(sd_bus_message *m, struct nd_buf *out)
{
	int family;
	const void *bytes;
	size_t len;
	if (sd_bus_message_enter_container(m, 'a', "(iay)") < 0)
		return;
	while (sd_bus_message_enter_container(m, 'r', "iay") > 0) {
		struct nd_ip ip = { 0 };
		char text[ND_IP_STRLEN];
		if (sd_bus_message_read(m, "i", &family) < 0 ||
		    sd_bus_message_read_array(m, 'y', &bytes, &len) < 0)
			return;
		ip.family = (uint8_t)family;
		if (len == (family == AF_INET6 ? 16 : 4)) {
			memcpy(ip.b, bytes, len);
			nd_buf_printf(out, "%s%s", out->len ? " " : "", nd_ip_to_string(&ip, text));
		}
		sd_bus_message_exit_container(m);
	}
}

static void read_domains(sd_bus_message *m, struct nd_buf *out)
{
	const char *name;
	int routing, cnt = 0;
	if (sd_bus_message_enter_container(m, 'a', "(sb)") < 0)
		return;
	while (sd_bus_message_read(m, "(sb)", &name, &routing) > 0)
		nd_buf_printf(out, "%s%s%s", cnt++ ? " " : "", routing ? "~" : "", name);
}

int lan_dns_get(int ifindex, char **ret, struct nd_error *e)
{
	nd_cleanup(bus_close) sd_bus *bus = open_bus();
	sd_bus_message *reply = NULL, *servers = NULL, *domains = NULL;
	struct nd_buf text = { .max = 16384 };
	const char *path;
	*ret = NULL;
	if (!bus || sd_bus_call_method(bus, SERVICE, MANAGER, "GetLink", NULL, &reply, "i", ifindex) < 0)
		return 0;
	if (sd_bus_message_read(reply, "o", &path) > 0 &&
	    sd_bus_get_property(bus, SERVICE, path, "org.freedesktop.resolve1.Link", "DNS", NULL, &servers,
				"a(iay)") >= 0 &&
	    sd_bus_get_property(bus, SERVICE, path, "org.freedesktop.resolve1.Link", "Domains", NULL,
				&domains, "a(sb)") >= 0) {
		read_servers(servers, &text);
		size_t len = text.len;
		nd_buf_append_string(&text, "|");
		read_domains(domains, &text);
		if (!text.bad && (len || text.len > len + 1))
			*ret = strdup(nd_buf_string(&text));
	}
	sd_bus_message_unref(servers);
	sd_bus_message_unref(domains);
	sd_bus_message_unref(reply);
	nd_buf_done(&text);
	return 0;
}

static int call_servers(sd_bus *bus, int ifindex, char *words, sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	char *save = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, SERVICE, MANAGER, "SetLinkDNS");
	if (r >= 0)
		r = sd_bus_message_append(m, "i", ifindex);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(iay)");
	for (char *w = strtok_r(words, " ", &save); r >= 0 && w; w = strtok_r(NULL, " ", &save)) {
		struct nd_ip ip;
		if (nd_ip_from_string(w, &ip) < 0)
			continue;
		r = sd_bus_message_open_container(m, 'r', "iay");
		if (r >= 0)
			r = sd_bus_message_append(m, "i", (int)ip.family);
		if (r >= 0)
			r = sd_bus_message_append_array(m, 'y', ip.b, ip.family == AF_INET6 ? 16 : 4);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_call(bus, m, CALL_US, error, NULL);
	sd_bus_message_unref(m);
	return r;
}

static int call_domains(sd_bus *bus, int ifindex, char *words, sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	char *save = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, SERVICE, MANAGER, "SetLinkDomains");
	if (r >= 0)
		r = sd_bus_message_append(m, "i", ifindex);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sb)");
	for (char *w = strtok_r(words, " ", &save); r >= 0 && w; w = strtok_r(NULL, " ", &save))
		r = sd_bus_message_append(m, "(sb)", w + (*w == '~'), *w == '~');
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_call(bus, m, CALL_US, error, NULL);
	sd_bus_message_unref(m);
	return r;
}

int lan_dns_set(const char *ifindex, const char *text, struct nd_error *e)
{
	nd_cleanup(bus_close) sd_bus *bus = open_bus();
	nd_autofree char *copy = strdup(text);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int index = atoi(ifindex), r;
	if (!bus)
		return nd_fail(e, ND_STATE, "systemd-resolved does not run");
	if (!copy)
		return nd_fail(e, ND_MEMORY, "DNS");
	char *domains = strchr(copy, '|');
	if (domains)
		*domains++ = '\0';
	if (!domains)
		r = sd_bus_call_method(bus, SERVICE, MANAGER, "RevertLink", &error, NULL, "i", index);
	else if ((r = call_servers(bus, index, copy, &error)) >= 0)
		r = call_domains(bus, index, domains, &error);
	if (r < 0)
		nd_fail_sys(e, -r, error.message, "systemd-resolved");
	sd_bus_error_free(&error);
	return r < 0 ? ND_SYSTEM : 0;
}

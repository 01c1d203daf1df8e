// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: firewalld, over D-Bus (see firewalld.h) */
#include "foreign/firewalld.h"
#include "base/mem.h"
#include <errno.h>
#include <systemd/sd-bus.h>

#define NAME       "org.fedoraproject.FirewallD1"
#define PATH       "/org/fedoraproject/FirewallD1"
#define ZONE       "org.fedoraproject.FirewallD1.zone"
#define TIMEOUT_US 5000000

static void bus_closep(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

static int bus_open(sd_bus **ret, struct nd_error *e)
{
	int r = sd_bus_open_system(ret);

	if (r < 0)
		return nd_fail_sys(e, -r, NULL, "system bus");
	sd_bus_set_method_call_timeout(*ret, TIMEOUT_US);
	return 0;
}

bool foreign_firewalld_runs(void)
{
	nd_cleanup(bus_closep) sd_bus *bus = NULL;
	sd_bus_message *reply = NULL;
	int owned = 0;

	if (bus_open(&bus, NULL) < 0)
		return false;
	if (sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			       "NameHasOwner", NULL, &reply, "s", NAME) >= 0)
		sd_bus_message_read(reply, "b", &owned);
	sd_bus_message_unref(reply);
	return owned;
}

/* zone NULL: a method of the interface's name alone. *ret: the string it answers with, cut. */
static int call(const char *method, const char *zone, const char *ifname, char *ret, size_t size,
		struct nd_error *e)
{
	nd_cleanup(bus_closep) sd_bus *bus = NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus_error failed = SD_BUS_ERROR_NULL;
	const char *text = "";
	int r = bus_open(&bus, e);

	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(bus, &m, NAME, PATH, ZONE, method);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, false);
	if (r >= 0 && zone)
		r = sd_bus_message_append(m, "s", zone);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", ifname);
	if (r >= 0)
		r = sd_bus_call(bus, m, TIMEOUT_US, &failed, &reply);
	if (r >= 0 && ret && sd_bus_message_read(reply, "s", &text) >= 0)
		snprintf(ret, size, "%s", text);
	if (r < 0 && sd_bus_error_has_name(&failed, SD_BUS_ERROR_SERVICE_UNKNOWN))
		r = nd_fail(e, ND_NOT_FOUND, "firewalld does not run");
	else if (r < 0 && failed.message && strncmp(failed.message, "INVALID_ZONE", 12) == 0)
		r = nd_fail(e, ND_INVALID, "firewalld has no zone '%s'", zone ? zone : "");
	else if (r < 0)
		r = nd_fail_sys(e, -r, failed.message, "firewalld");
	else
		r = 0;
	sd_bus_error_free(&failed);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(m);
	return r;
}

int foreign_firewalld_zone_of(const char *ifname, char *ret, size_t size, struct nd_error *e)
{
	ret[0] = '\0';
	return call("getZoneOfInterface", NULL, ifname, ret, size, e);
}

int foreign_firewalld_bind(const char *zone, const char *ifname, struct nd_error *e)
{
	return call("changeZoneOfInterface", zone, ifname, NULL, 0, e);
}

int foreign_firewalld_unbind(const char *zone, const char *ifname, struct nd_error *e)
{
	return call("removeInterface", zone, ifname, NULL, 0, e);
}

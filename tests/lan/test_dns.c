// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a link's DNS servers are read from and set at systemd-resolved: a stand-in for it, on a bus of the test's own
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "base/mem.h"
#include "lan/private.h"

static char folder[] = "/tmp/netd-test.XXXXXX";
static pid_t bus_pid, service_pid;
static char seen[64]; /* the file where the service writes what it is told */

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	va_list ap;
	FILE *f = fopen(seen, "a");
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

static int on_get_link(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	return sd_bus_reply_method_return(m, "o", "/org/freedesktop/resolve1/link/_35");
}

static int on_set_dns(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	int ifindex, family;
	const void *bytes;
	size_t len;
	sd_bus_message_read(m, "i", &ifindex);
	tell("dns %d", ifindex);
	sd_bus_message_enter_container(m, 'a', "(iay)");
	while (sd_bus_message_enter_container(m, 'r', "iay") > 0) {
		sd_bus_message_read(m, "i", &family);
		sd_bus_message_read_array(m, 'y', &bytes, &len);
		tell(" %d/%zu", family, len);
		sd_bus_message_exit_container(m);
	}
	tell("\n");
	return sd_bus_reply_method_return(m, "");
}

static int on_set_domains(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	int ifindex, routing;
	const char *name;
	sd_bus_message_read(m, "i", &ifindex);
	tell("domains %d", ifindex);
	sd_bus_message_enter_container(m, 'a', "(sb)");
	while (sd_bus_message_read(m, "(sb)", &name, &routing) > 0)
		tell(" %s/%d", name, routing);
	tell("\n");
	return sd_bus_reply_method_return(m, "");
}

static int on_revert(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	int ifindex;
	sd_bus_message_read(m, "i", &ifindex);
	if (ifindex == 9)
		return sd_bus_error_setf(error, "org.freedesktop.resolve1.LinkBusy", "Link 9 is managed.");
	tell("revert %d\n", ifindex);
	return sd_bus_reply_method_return(m, "");
}

static int dns_property(sd_bus *bus, const char *path, const char *itf, const char *name, sd_bus_message *m,
			void *arg, sd_bus_error *error)
{
	static const uint8_t four[4] = { 192, 0, 2, 53 }, six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 0x53 };
	sd_bus_message_open_container(m, 'a', "(iay)");
	for (int i = 0; i < 2; i++) {
		sd_bus_message_open_container(m, 'r', "iay");
		sd_bus_message_append(m, "i", i ? AF_INET6 : AF_INET);
		sd_bus_message_append_array(m, 'y', i ? six : four, i ? 16 : 4);
		sd_bus_message_close_container(m);
	}
	return sd_bus_message_close_container(m);
}

static int domains_property(sd_bus *bus, const char *path, const char *itf, const char *name,
			    sd_bus_message *m, void *arg, sd_bus_error *error)
{
	return sd_bus_message_append(m, "a(sb)", 2, "example.org", 0, "example.net", 1);
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("GetLink", "i", "o", on_get_link, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetLinkDNS", "ia(iay)", "", on_set_dns, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetLinkDomains", "ia(sb)", "", on_set_domains, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RevertLink", "i", "", on_revert, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable link_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("DNS", "a(iay)", dns_property, 0, 0),
	SD_BUS_PROPERTY("Domains", "a(sb)", domains_property, 0, 0),
	SD_BUS_VTABLE_END,
};

static void serve(int ready)
{
	sd_bus *bus;
	if (sd_bus_open_system(&bus) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/resolve1",
				     "org.freedesktop.resolve1.Manager", manager, NULL) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/resolve1/link/_35",
				     "org.freedesktop.resolve1.Link", link_vtable, NULL) < 0 ||
	    sd_bus_request_name(bus, "org.freedesktop.resolve1", 0) < 0 || write(ready, "x", 1) != 1)
		_exit(1);
	alarm(20); /* whatever becomes of the test */
	for (;;)
		if (sd_bus_process(bus, NULL) == 0)
			sd_bus_wait(bus, UINT64_MAX);
}

static void assert_seen(const char *want)
{
	char text[256] = "";
	FILE *f = fopen(seen, "r");
	if (f) {
		text[fread(text, 1, sizeof text - 1, f)] = '\0';
		fclose(f);
	}
	assert_string_equal(text, want);
}

static void test_none(void **state)
{
	char *text = folder;
	assert_int_equal(lan_dns_get(5, &text, NULL), 0);
	assert_null(text);
	assert_int_equal(lan_dns_set("5", "192.0.2.1|", NULL), ND_STATE);
}

static void test_moved(void **state)
{
	nd_autofree char *text = NULL;
	struct nd_error e = ND_ERROR_INIT;
	int fds[2];
	char x;
	assert_int_equal(pipe(fds), 0);
	service_pid = fork();
	if (service_pid == 0)
		serve(fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &x, 1), 1);
	close(fds[0]);
	assert_int_equal(lan_dns_get(5, &text, &e), 0);
	assert_string_equal(text, "192.0.2.53 2001:db8::53|example.org ~example.net");
	assert_int_equal(lan_dns_set("7", text, &e), 0);
	assert_int_equal(lan_dns_set("5", "", &e), 0);
	assert_seen("dns 7 2/4 10/16\ndomains 7 example.org/0 example.net/1\nrevert 5\n");
	assert_int_equal(lan_dns_set("9", "", &e), ND_SYSTEM);
	assert_non_null(strstr(nd_error_kernel(&e), "Link 9 is managed"));
}

static int setup(void **state)
{
	char address[96], line[400], path[64];
	if (!mkdtemp(folder))
		return -1;
	snprintf(address, sizeof address, "unix:path=%s/bus", folder);
	snprintf(seen, sizeof seen, "%s/seen", folder);
	snprintf(path, sizeof path, "%s/conf", folder);
	FILE *f = fopen(path, "w");
	fprintf(f,
		"<busconfig><type>system</type><listen>%s</listen><auth>EXTERNAL</auth><policy "
		"context='default'>"
		"<allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/><allow "
		"user='*'/></policy></busconfig>\n",
		address);
	fclose(f);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	snprintf(line, sizeof line, "--config-file=%s", path);
	bus_pid = fork();
	if (bus_pid == 0) {
		execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", line, NULL);
		_exit(127);
	}
	snprintf(path, sizeof path, "%s/bus", folder);
	for (int i = 0; i < 200 && access(path, F_OK) < 0; i++)
		usleep(10000);
	return access(path, F_OK);
}

static int teardown(void **state)
{
	char line[96];
	if (service_pid > 0) {
		kill(service_pid, SIGKILL);
		waitpid(service_pid, NULL, 0);
	}
	kill(bus_pid, SIGKILL);
	waitpid(bus_pid, NULL, 0);
	snprintf(line, sizeof line, "rm -r '%s'", folder);
	return system(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_none), cmocka_unit_test(test_moved) };
	return cmocka_run_group_tests(tests, setup, teardown);
}

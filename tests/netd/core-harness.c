// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: see core-harness.h. Start and stop follow netd/main.c. */
#include "tests/netd/core-harness.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "bridge/bridge.h"
#include "nat/nat.h"
#include "netd/core/adopt.h"
#include "netd/core/connections.h"
#include "netd/core/disk.h"
#include "netd/core/holders.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "netd/core/monitor.h"
#include "netd/core/reaper.h"
#include "netd/core/records.h"
#include "netd/core/repair.h"

#include <ev.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>

#define TURNS 12 /* more than the longest chain of wake-ups takes */

void core_assert_ok(int rc, const struct nd_error *e)
{
	char text[ND_ERROR_STORE + 200];

	if (rc == 0 && e->code == 0)
		return;
	nd_error_format(e, text, sizeof(text));
	fail_msg("%d: %s", rc, text);
}

static void on_event(struct event_subscriber *s, const struct event *ev)
{
	struct core_harness *h = container_of(s, struct core_harness, sub);

	h->told_len += (size_t)snprintf(h->told + h->told_len, sizeof(h->told) - h->told_len, "%s %s: %s\n",
					event_kind_to_string(ev->kind), ev->network, ev->text);
	assert_true(h->told_len < sizeof(h->told));
}

static char *dir(const struct core_harness *h, const char *name)
{
	return strdup(core_path(h, "%s", name));
}

static void read_settings(struct core_harness *h)
{
	settings_init(&h->settings);
	free(h->settings.config_dir);
	free(h->settings.state_dir);
	free(h->settings.run_dir);
	h->settings.config_dir = dir(h, "etc");
	h->settings.state_dir = dir(h, "var");
	h->settings.run_dir = dir(h, "run");
	h->settings.lease_grace_s = 0;
}

void core_start(struct core_harness *h)
{
	struct core *c = &h->c;
	char *warning = NULL;

	read_settings(h);
	*c = (struct core){ .loop = ev_default_loop(EVFLAG_NOENV),
			    .settings = &h->settings,
			    .model = &h->model };
	model_init(&h->model);
	c->events = events_new();
	c->mirror = mirror_new();
	c->sysctls = bridge_sysctls_new();
	c->leases = leases_new(c);
	h->sub = (struct event_subscriber){ .fn = on_event };
	events_subscribe(c->events, &h->sub);
	CORE_OK(records_dirs_make(c, &e));
	CORE_OK(records_open(h->settings.run_dir, &c->records, &e));
	CORE_OK(disk_new(c->loop, h->settings.state_dir, &c->disk, &warning, &e));
	assert_null(warning);
	CORE_OK(nd_nl_new(NETLINK_ROUTE, &c->nl, &e));
	CORE_OK(reaper_new(c->loop, &c->reaper, &e));
	CORE_OK(nat_new(true, &c->nat, &e));
	CORE_OK(nat_open(c->nat, &e));
	CORE_OK(holders_new(c, &c->holders, &e));
	CORE_OK(connections_new(c->loop, &c->connections, &e));
	CORE_OK(monitor_new(c, &c->monitor, &e));
	CORE_OK(supervisor_new(c, &c->supervisor, &e));
	CORE_OK(repair_new(c, &c->repair, &e));
	CORE_OK(adopt(c, &e));
	monitor_start(c->monitor);
}

void core_stop(struct core_harness *h)
{
	struct core *c = &h->c;

	disk_free(c->disk);
	monitor_free(c->monitor);
	repair_free(c->repair);
	supervisor_free(c->supervisor);
	reaper_free(c->reaper);
	holders_free(c->holders);
	connections_free(c->connections);
	leases_free(c->leases);
	records_close(c->records);
	nat_free(c->nat);
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++) { /* orphaned when its owner's socket is closed */
		fake_nft_table((enum nat_table)i)->flags &= NAT_TABLE_F_PERSIST;
		fake_nft_table((enum nat_table)i)->owner = 0;
	}
	nd_nl_free(c->nl);
	model_done(c->model);
	bridge_sysctls_free(c->sysctls);
	mirror_free(c->mirror);
	events_free(c->events);
	ev_loop_destroy(c->loop);
	settings_done(&h->settings);
}

int core_setup(void **state)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, 0 };
	struct core_harness *h = calloc(1, sizeof(*h));

	nd_log_init("test", ND_LOG_ERR);
	fake_reset();
	nd_strcpy(h->root, sizeof(h->root), "/tmp/nd-core-XXXXXX");
	assert_non_null(mkdtemp(h->root));
	nd_sysctl_root(h->root);
	CORE_OK(nd_dir_make(core_path(h, "net/ipv4"), 0755, &e));
	core_write(h, "0\n", "net/ipv4/ip_forward");
	CORE_OK(nd_nl_new(NETLINK_ROUTE, &h->watch, &e));
	CORE_OK(nd_nl_subscribe(h->watch, groups, &e));
	core_start(h);
	core_turn(h);
	core_forget(h);
	*state = h;
	return 0;
}

int core_teardown(void **state)
{
	struct core_harness *h = *state;
	char command[128];

	core_stop(h);
	nd_nl_free(h->watch);
	snprintf(command, sizeof(command), "rm -rf '%s'", h->root);
	free(h);
	return system(command);
}

void core_turn_once(struct core_harness *h)
{
	fake_tun_sync();
	ev_run(h->c.loop, EVRUN_NOWAIT);
}

void core_turn(struct core_harness *h)
{
	for (int i = 0; i < TURNS; i++)
		core_turn_once(h);
}

void core_wait(struct core_harness *h, unsigned ms)
{
	uint64_t end = nd_now_ms() + ms;

	do {
		core_turn(h);
		usleep(5000);
	} while (nd_now_ms() < end);
	core_turn(h);
}

static int count(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	++*(unsigned *)arg;
	return 0;
}

unsigned core_changes(struct core_harness *h)
{
	unsigned cnt = 0;

	CORE_OK(nd_nl_receive(h->watch, 0, count, &cnt, &e));
	return cnt;
}

void core_forget(struct core_harness *h)
{
	core_changes(h);
	fake_worker_forget();
	h->told_len = 0;
	h->told[0] = '\0';
}

unsigned core_told_count(const struct core_harness *h, const char *words)
{
	unsigned cnt = 0;

	for (const char *p = strstr(h->told, words); p; p = strstr(p + 1, words))
		cnt++;
	return cnt;
}

bool core_told(const struct core_harness *h, const char *words)
{
	return core_told_count(h, words) > 0;
}

__attribute__((format(printf, 2, 0))) static const char *path_of(const struct core_harness *h,
								 const char *fmt, va_list ap)
{
	static char path[512];
	int len = snprintf(path, sizeof(path), "%s/", h->root);

	vsnprintf(path + len, sizeof(path) - (size_t)len, fmt, ap);
	return path;
}

const char *core_path(const struct core_harness *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *path = path_of(h, fmt, ap);
	va_end(ap);
	return path;
}

void core_write(const struct core_harness *h, const char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	CORE_OK(nd_file_write(path_of(h, fmt, ap), text, strlen(text), 0600, false, &e));
	va_end(ap);
}

bool core_exists(const struct core_harness *h, const char *fmt, ...)
{
	struct stat st;
	va_list ap;

	va_start(ap, fmt);
	bool there = stat(path_of(h, fmt, ap), &st) == 0;
	va_end(ap);
	return there;
}

/* ---- networks ---- */

static void on_done(void *arg, struct network *n, const struct nd_error *e)
{
	struct outcome *o = arg;

	o->calls++;
	o->n = n;
	nd_error_copy(&o->e, e);
	if (e->code) {
		assert_null(n);
		nd_error_format(e, o->text, sizeof(o->text));
	}
}

struct network_done core_done(struct outcome *o)
{
	*o = (struct outcome){ .calls = 0 };
	return (struct network_done){ on_done, o };
}

const char *core_xml(const char *name, const char *bridge, const char *address, const char *more)
{
	static char texts[4][4096];
	static unsigned next;
	char *text = texts[next++ % 4], ip[512] = "", br[64] = "";

	if (address[0])
		snprintf(ip, sizeof(ip), "<ip address='%s' netmask='255.255.255.0'/>", address);
	if (bridge[0])
		snprintf(br, sizeof(br), "<bridge name='%s'/>", bridge);
	int len = snprintf(text, sizeof(texts[0]),
			   "<network xmlns:netd='urn:netd:network:1'><name>%s</name>%s%s%s</network>", name,
			   br, ip, more);
	assert_true((size_t)len < sizeof(texts[0]));
	return text;
}

static struct network *ended(const struct outcome *o)
{
	if (o->calls != 1 || o->e.code)
		fail_msg("%u calls: %s", o->calls, o->text);
	return o->n;
}

struct network *core_define(struct core_harness *h, const char *xml)
{
	struct outcome o;

	network_define(&h->c, xml, strlen(xml), NULL, core_done(&o));
	core_turn(h);
	return ended(&o);
}

struct network *core_create(struct core_harness *h, const char *xml)
{
	struct outcome o;

	network_create(&h->c, xml, strlen(xml), NULL, core_done(&o));
	struct network *n = ended(&o);
	core_turn(h);
	return n;
}

void core_start_network(struct core_harness *h, struct network *n)
{
	struct outcome o;

	network_start(&h->c, n, core_done(&o));
	assert_ptr_equal(ended(&o), n);
	core_turn(h);
}

void core_destroy(struct core_harness *h, struct network *n, bool force)
{
	struct outcome o;

	network_destroy(&h->c, n, force, core_done(&o));
	ended(&o);
	core_turn(h);
}

/* ---- ports ---- */

static void on_attached(void *arg, struct port *p, int *fds, size_t cnt, const struct nd_error *e)
{
	struct attached *a = arg;

	a->calls++;
	a->p = p;
	a->fd_cnt = cnt;
	if (cnt)
		memcpy(a->fds, fds, cnt * sizeof(fds[0]));
	nd_error_copy(&a->e, e);
	if (e->code)
		nd_error_format(e, a->text, sizeof(a->text));
}

void core_attach(struct core_harness *h, const char *network, const char *name, const char *mac,
		 struct attached *ret)
{
	struct attach_request req = { .network = network,
				      .name = name,
				      .queue_cnt = 1,
				      .vnet_hdr = true,
				      .mac_guard = true,
				      .uid = 1001,
				      .pid = 4242 };

	if (mac) {
		req.mac_set = true;
		assert_int_equal(nd_mac_from_string(mac, &req.mac), 0);
	}
	core_attach_request(h, &req, ret);
}

void core_attach_request(struct core_harness *h, const struct attach_request *req, struct attached *ret)
{
	*ret = (struct attached){ .calls = 0 };
	attach(&h->c, req, (struct attach_done){ on_attached, ret });
	assert_int_equal(ret->calls, 1);
}

void core_close(struct attached *a)
{
	for (size_t i = 0; i < a->fd_cnt; i++)
		close(a->fds[i]);
	a->fd_cnt = 0;
}

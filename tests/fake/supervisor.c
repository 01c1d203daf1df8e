// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: supervisor.h for tests of the core (see tests/fake/supervisor.h).
 */
#include "tests/fake/supervisor.h"

#include "base/mem.h"
#include "netd/core/repair.h"
#include "netd/core/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>

struct supervisor {
	struct core *c;
	struct plan_host host;
	uint32_t generation;
	bool deaf;
};

static char told[65536];
static size_t told_len;

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	told_len += (size_t)vsnprintf(told + told_len, sizeof(told) - told_len, fmt, ap);
	va_end(ap);
	assert(told_len < sizeof(told));
}

const char *fake_worker_told(void)
{
	return told;
}

void fake_worker_forget(void)
{
	told_len = 0;
	told[0] = '\0';
}

void fake_worker_restart(struct supervisor *s)
{
	s->generation++;
	repair_mark_all(s->c, "the DHCP worker was started again");
}

void fake_worker_deaf(struct supervisor *s, bool deaf)
{
	s->deaf = deaf;
}

int supervisor_new(struct core *c, struct supervisor **ret, struct nd_error *e)
{
	struct supervisor *s = calloc(1, sizeof(*s));

	assert(s);
	*s = (struct supervisor){ .c = c, .generation = 1, .host.arp_probe = c->settings->arp_probe };
	fake_worker_forget();
	*ret = s;
	return 0;
}

void supervisor_free(struct supervisor *s)
{
	free(s);
}

uint32_t supervisor_generation(const struct supervisor *s)
{
	return s->generation;
}

const struct plan_host *supervisor_host(const struct supervisor *s)
{
	return &s->host;
}

bool supervisor_counter(const struct supervisor *s, size_t i, char name[SUPERVISOR_COUNTER_NAME],
			uint64_t *ret)
{
	return false;
}

void supervisor_network_set(struct supervisor *s, struct network *n)
{
	n->worker_generation = s->generation;
	if (n->plan->dhcp)
		tell("network %s\n", n->name);
}

void supervisor_network_del(struct supervisor *s, const struct network *n)
{
	if (n->worker_generation == s->generation)
		tell("no network %s\n", n->name);
}

void supervisor_port_set(struct supervisor *s, struct port *p)
{
	char mac[ND_MAC_STRLEN];

	p->worker_generation = s->generation;
	tell("port %s\n", nd_mac_to_string(&p->mac, mac));
}

void supervisor_port_del(struct supervisor *s, const struct port *p)
{
	char mac[ND_MAC_STRLEN];

	if (p->worker_generation == s->generation)
		tell("no port %s\n", nd_mac_to_string(&p->mac, mac));
}

void supervisor_stored(struct supervisor *s, uint32_t generation, uint64_t id, bool stored)
{
	if (generation == s->generation)
		tell("%s %llu\n", stored ? "stored" : "refused", (unsigned long long)id);
}

void supervisor_lease_free(struct supervisor *s, const struct nd_uuid *network, uint32_t ip4)
{
	char ip[ND_IP_STRLEN];

	tell("free %s\n", nd_ip4_to_string(ip4, ip));
}

int supervisor_send(struct supervisor *s, int ifindex, const uint8_t *frame, size_t len, struct nd_error *e)
{
	if (s->deaf)
		return nd_fail_sys(e, ENETDOWN, NULL, "send a frame");
	tell("send %d %zu\n", ifindex, len);
	return 0;
}

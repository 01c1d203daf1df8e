// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: pools of devices for macvtaps (see pool.h)
 */
#include "netd/core/pool.h"
#include "base/strtab.h"
#include "netd/core/mirror.h"
#include "netd/core/plan.h"

static bool uses(const struct port *p, const char *dev)
{
	if (p->external)
		return p->def && p->def->plug == PORTDEF_PLUG_DIRECT && !strcmp(p->def->dev, dev);
	return p->device == PORT_DEVICE_MACVTAP && !strcmp(p->dev, dev);
}

unsigned pool_users(const struct network *n, const char *dev)
{
	const struct port *p;
	unsigned cnt = 0;
	nd_list_foreach(p, &n->ports, siblings)
		cnt += uses(p, dev);
	return cnt;
}

static unsigned all_users(const struct core *c, const char *dev)
{
	const struct network *n;
	unsigned cnt = 0;
	nd_list_foreach(n, &c->model->networks, all)
		cnt += pool_users(n, dev);
	return cnt;
}

int pool_choose(const struct core *c, const struct network *n, struct port *p, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	bool alone = n->live->forward == NETDEF_FORWARD_PASSTHROUGH;
	unsigned least = UINT32_MAX;
	char names[256];
	for (size_t i = 0; i < x->uplink_cnt; i++) {
		const char *dev = x->uplinks[i].dev;
		const struct nd_link *l = mirror_link_by_name(c->mirror, dev);
		unsigned users = alone ? all_users(c, dev) : pool_users(n, dev);
		if (!l || users >= least)
			continue;
		least = users;
		p->lower = l->ifindex;
		nd_strcpy(p->dev, sizeof p->dev, dev);
	}
	if (least == UINT32_MAX)
		return nd_fail(e, ND_STATE, "none of its interfaces (%s) is there",
			       pool_names(n, names, sizeof names));
	if (alone && least > 0)
		return nd_fail(
			e, ND_LIMIT,
			"requires exclusive access to interfaces, but none are available: in use are %s",
			pool_names(n, names, sizeof names));
	return 0;
}

const char *pool_names(const struct network *n, char *buf, size_t size)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	size_t used = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < x->uplink_cnt && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", x->uplinks[i].dev);
	return buf;
}

bool pool_has(const struct network *n, const char *dev)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	for (size_t i = 0; i < x->uplink_cnt; i++) {
		if (!strcmp(x->uplinks[i].dev, dev))
			return true;
	}
	return false;
}

/* *ret_missing (may be NULL): the first that is not there. */
static size_t count_present(const struct core *c, const struct network *n, const char **ret_missing)
{
	const struct netdef_rare *x = netdef_rare(n->live);
	size_t cnt = 0;
	for (size_t i = 0; i < x->uplink_cnt; i++) {
		if (mirror_link_by_name(c->mirror, x->uplinks[i].dev))
			cnt++;
		else if (ret_missing && !*ret_missing)
			*ret_missing = x->uplinks[i].dev;
	}
	return cnt;
}

enum resource_state pool_check(const struct core *c, const void *obj)
{
	const struct network *n = obj;
	bool all = !n->plan->pool || count_present(c, n, NULL) == netdef_rare(n->live)->uplink_cnt;
	return all ? RESOURCE_OK : RESOURCE_MISSING;
}

int pool_make(struct core *c, void *obj, struct nd_error *e)
{
	const struct network *n = obj;
	const char *missing = NULL;
	size_t present = count_present(c, n, &missing);
	char names[256];
	if (!present)
		return nd_fail(e, ND_NOT_FOUND, "none of its interfaces (%s) is there",
			       pool_names(n, names, sizeof names));
	if (missing && n->state != NETWORK_INACTIVE)
		return nd_fail(e, ND_NOT_FOUND, "interface '%s' is not there", missing);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the handle
 *
 * nat_put() changes what the view wants, nat_commit() sends the difference. The skeleton goes along whenever
 * it does not stand: then both tables are dropped, built and filled in the same transaction, so packets never
 * meet half a ruleset.
 *
 * The view can be behind: an event may still be unread when we commit. A refusal that means so (ENOENT: not
 * there to be deleted; EEXIST, EBUSY: there already with other data) makes the commit read the tables and try
 * once more. What it finds missing stays wanted and goes along; that it was lost is told by the next
 * nat_on_readable(), whose event is on its way.
 *
 * Ownership: the kernel gives an owned, persistent table away when its owner's socket closes; the first to
 * send NEWTABLE with both flags has it. A table whose flags are not those we want is not ours to keep: it is
 * rebuilt like one whose rules differ.
 */
#include "nat/nat.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "nat/batch.h"
#include "nat/plan.h"
#include "nat/scan.h"
#include "nat/watch.h"
#include <errno.h>

#define SCAN_TRIES 8 /* while others keep changing the tables */

struct nat {
	struct nat_batch *batch;
	struct nat_watch *watch;
	bool owner;     /* wished for */
	uint32_t flags; /* of the tables we make: both, or none */
	struct nat_scan_table table[NAT_TABLE_CNT];
	struct nat_view view;
	bool build;                                           /* the skeleton is queued */
	bool stale;                                           /* a scan failed: the view cannot be trusted */
	bool lost;                                            /* found by a scan, not told yet */
	char what[sizeof(((struct nat_change *)NULL)->what)]; /* what was lost, where no event says it */
	struct nat_op *ops;
	size_t op_max;
};

int nat_new(bool owner, struct nat **ret, struct nd_error *e)
{
	struct nat *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return nd_fail(e, ND_MEMORY, "nftables");
	t->owner = owner;
	nat_view_init(&t->view);
	r = nat_batch_new(&t->batch, e);
	if (r == 0)
		r = nat_watch_new(nat_batch_port(t->batch), &t->watch, e);
	if (r < 0) {
		nat_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void nat_free(struct nat *t)
{
	if (!t)
		return;
	nat_watch_free(t->watch);
	nat_batch_free(t->batch);
	nat_view_done(&t->view);
	free(t->ops);
	free(t);
}

struct scan_arg {
	struct nat *t;
	bool adopt;
};

static int on_scanned(const struct nat_elem *elem, void *arg, struct nd_error *e)
{
	struct scan_arg *a = arg;

	if (!nat_view_scanned(&a->t->view, elem, a->adopt))
		return nd_fail(e, ND_MEMORY, "nftables view");
	return 0;
}

static int scan_tables(struct nat *t, bool adopt, struct nat_scan_table table[NAT_TABLE_CNT],
		       struct nd_error *e)
{
	struct scan_arg arg = { t, adopt };
	struct nd_error sub;
	int r = ND_OVERRUN;

	for (unsigned i = 0; r == ND_OVERRUN && i < SCAN_TRIES; i++) {
		nd_error_reset(&sub);
		nat_view_scan_begin(&t->view);
		r = nat_scan(t->batch, table, on_scanned, &arg, &sub);
	}
	t->stale = r < 0;
	if (r < 0) {
		nd_error_copy(e, &sub);
		return r;
	}
	nat_view_scan_end(&t->view);
	return 0;
}

/* Rules alone do not make a table ours: a dormant one, or one that belongs to nobody, has other flags. */
static void check_flags(const struct nat *t, struct nat_scan_table table[NAT_TABLE_CNT])
{
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++)
		table[i].intact = table[i].intact && table[i].flags == t->flags;
}

static void note_lost(struct nat *t, const char *what)
{
	if (!t->lost)
		nd_strcpy(t->what, sizeof(t->what), what);
	t->lost = true;
}

/* Corrects the view after something may have changed under it. */
static int rescan(struct nat *t, struct nd_error *e)
{
	struct nat_scan_table table[NAT_TABLE_CNT];
	char label[NAT_LABEL_LEN];
	int r = scan_tables(t, false, table, e);

	if (r < 0)
		return r;
	check_flags(t, table);
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++) {
		if (t->table[i].intact && !table[i].intact)
			note_lost(t, nat_table_rows[i].label);
		t->table[i] = table[i];
	}
	if (t->view.disturbed)
		note_lost(t, nat_elem_label(&t->view.first, label));
	return 0;
}

/* What flags our tables have. A persistent table shows that the kernel knows them; otherwise it is tried. */
static int choose_flags(struct nat *t, struct nd_error *e)
{
	bool known = false;
	int r = 0;

	for (unsigned i = 0; i < NAT_TABLE_CNT; i++)
		known |= (t->table[i].flags & NAT_TABLE_F_PERSIST) != 0;
	if (t->owner && !known)
		r = nat_batch_probe(t->batch, NAT_TABLE_F_BOTH, &known, e);
	t->flags = t->owner && known ? NAT_TABLE_F_BOTH : 0;
	return r;
}

/* Tables whose owner is gone become ours; one that is somebody's is an error. */
static int take_tables(struct nat *t, struct nd_error *e)
{
	struct nat_op ops[NAT_TABLE_CNT];
	size_t cnt = 0;
	int r;

	for (unsigned i = 0; i < NAT_TABLE_CNT; i++) {
		struct nat_scan_table *s = &t->table[i];

		if (s->exists && s->flags & NAT_TABLE_F_OWNER)
			return nd_fail(e, ND_BUSY, "%s: owned by another process (netlink port %u)",
				       nat_table_rows[i].label, s->owner);
		if (s->exists && s->flags == NAT_TABLE_F_PERSIST && t->flags == NAT_TABLE_F_BOTH) {
			ops[cnt++] = (struct nat_op){ .kind = NAT_OP_TAKE, .table = (enum nat_table)i };
			s->flags = t->flags;
		}
	}
	if (!cnt)
		return 0;
	r = nat_batch_commit(t->batch, ops, cnt, t->flags, e);
	return r < 0 ? nd_wrap(e, "take over") : 0;
}

int nat_open(struct nat *t, struct nd_error *e)
{
	int r = scan_tables(t, true, t->table, e);

	if (r == 0)
		r = choose_flags(t, e);
	if (r == 0)
		r = take_tables(t, e);
	if (r < 0)
		return r;
	check_flags(t, t->table);
	/* What a broken-off scan saw and the last one did not is not wanted. */
	nat_view_reset(&t->view);
	return 0;
}

bool nat_owned(const struct nat *t)
{
	return t->flags == NAT_TABLE_F_BOTH;
}

uint32_t nat_netlink_port(const struct nat *t)
{
	return nat_batch_port(t->batch);
}

static bool skeleton_stands(const struct nat *t)
{
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++)
		if (!t->table[i].intact)
			return false;
	return true;
}

bool nat_holds(const struct nat *t, const struct nat_config *cfg)
{
	struct nat_elem elems[NAT_CONFIG_ELEMS];
	size_t cnt = nat_plan_elems(cfg, elems);

	if (!skeleton_stands(t))
		return false;
	for (size_t i = 0; i < cnt; i++)
		if (!nat_view_has(&t->view, &elems[i]))
			return false;
	return true;
}

static const struct nat_elem *same_key(const struct nat_elem *elems, size_t cnt, const struct nat_elem *elem)
{
	for (size_t i = 0; i < cnt; i++)
		if (memcmp(&elems[i], elem, NAT_ELEM_KEY_BYTES) == 0)
			return &elems[i];
	return NULL;
}

int nat_put(struct nat *t, const struct nat_config *was, const struct nat_config *want, struct nd_error *e)
{
	struct nat_elem old[NAT_CONFIG_ELEMS], new[NAT_CONFIG_ELEMS];
	size_t old_cnt = was ? nat_plan_elems(was, old) : 0, new_cnt = want ? nat_plan_elems(want, new) : 0;

	for (size_t i = 0; i < new_cnt; i++) {
		if (nat_view_want(&t->view, &new[i]))
			continue;
		/* Back to before; elements that exist need no memory. */
		while (i-- > 0) {
			const struct nat_elem *before = same_key(old, old_cnt, &new[i]);

			if (before)
				nat_view_want(&t->view, before);
			else
				nat_view_unwant(&t->view, &new[i]);
		}
		return nd_fail(e, ND_MEMORY, "nftables element");
	}
	for (size_t i = 0; i < old_cnt; i++)
		if (!same_key(new, new_cnt, &old[i]))
			nat_view_unwant(&t->view, &old[i]);
	t->build |= want && !skeleton_stands(t);
	return 0;
}

static struct nat_op *ops_room(struct nat *t, size_t cnt)
{
	struct nat_op *ops;

	if (cnt <= t->op_max)
		return t->ops;
	ops = realloc(t->ops, cnt * sizeof(*ops));
	if (!ops)
		return NULL;
	t->op_max = cnt;
	return t->ops = ops;
}

static int commit_once(struct nat *t, struct nd_error *e)
{
	bool rebuilt[NAT_TABLE_CNT];
	struct nat_op *ops;
	size_t cnt = 0;
	int r;

	for (unsigned i = 0; i < NAT_TABLE_CNT; i++)
		rebuilt[i] = !t->table[i].intact;
	ops = ops_room(t, 2 * NAT_TABLE_CNT + nat_view_plan_max(&t->view, rebuilt));
	if (!ops)
		return nd_fail(e, ND_MEMORY, "nftables transaction");
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++) {
		if (rebuilt[i] && t->table[i].exists)
			ops[cnt++] = (struct nat_op){ .kind = NAT_OP_DROP, .table = (enum nat_table)i };
		if (rebuilt[i])
			ops[cnt++] = (struct nat_op){ .kind = NAT_OP_BUILD, .table = (enum nat_table)i };
	}
	cnt += nat_view_plan(&t->view, rebuilt, ops + cnt);
	r = cnt ? nat_batch_commit(t->batch, ops, cnt, t->flags, e) : 0;
	if (r < 0)
		return r;
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++)
		t->table[i] = (struct nat_scan_table){ true, t->flags, 0, true };
	nat_view_committed(&t->view);
	return 0;
}

int nat_commit(struct nat *t, struct nd_error *e)
{
	struct nd_error sub = ND_ERROR_INIT;
	int r;

	if (!t->view.queue_cnt && !t->build)
		return 0;
	r = t->stale ? rescan(t, &sub) : 0;
	if (r == 0)
		r = commit_once(t, &sub);
	if (r < 0 && (sub.sys == ENOENT || sub.sys == EEXIST || sub.sys == EBUSY)) {
		nd_error_reset(&sub);
		r = rescan(t, &sub);
		if (r == 0)
			r = commit_once(t, &sub);
	}
	t->build = false;
	if (r == 0)
		return 0;
	nat_view_reset(&t->view);
	nd_error_copy(e, &sub);
	return r;
}

void nat_sweep_begin(struct nat *t)
{
	nat_view_sweep_begin(&t->view);
}

void nat_claim(struct nat *t, const struct nat_config *cfg)
{
	struct nat_elem elems[NAT_CONFIG_ELEMS];
	size_t cnt = nat_plan_elems(cfg, elems);

	for (size_t i = 0; i < cnt; i++)
		nat_view_claim(&t->view, &elems[i]);
}

int nat_sweep(struct nat *t, size_t *ret_cnt, struct nd_error *e)
{
	*ret_cnt = nat_view_sweep(&t->view);
	return 0;
}

static const char *const drop_names[NAT_DROP_CNT_] = {
	[NAT_DROP_MAC] = "mac",
	[NAT_DROP_IP4] = "ip4",
	[NAT_DROP_ARP] = "arp",
	[NAT_DROP_IP6] = "ip6",
	[NAT_DROP_DHCP_SERVER] = "dhcp-server",
	[NAT_DROP_ROUTER] = "router",
	[NAT_DROP_BROADCAST] = "broadcast",
	[NAT_DROP_MULTICAST] = "multicast",
	[NAT_DROP_CONNECTIONS] = "connections",
	[NAT_DROP_EGRESS] = "egress",
	[NAT_DROP_NEIGHBOURS] = "neighbours",
};
const char *nat_drop_to_string(int v)
{
	return nd_strtab_to_string(drop_names, ARRAY_LEN(drop_names), v);
}

/* Which of the port's elements counts which reason. */
static const enum nat_set drop_sets[NAT_DROP_CNT_] = {
	[NAT_DROP_MAC] = NAT_SET_GUARDED,
	[NAT_DROP_IP4] = NAT_SET_IP4_GUARDED,
	[NAT_DROP_ARP] = NAT_SET_ARP_GUARDED,
	[NAT_DROP_IP6] = NAT_SET_IP6_GUARDED,
	[NAT_DROP_DHCP_SERVER] = NAT_SET_DHCP_GUARDED,
	[NAT_DROP_ROUTER] = NAT_SET_ROUTER_GUARDED,
	[NAT_DROP_BROADCAST] = NAT_SET_BROADCAST_DROP,
	[NAT_DROP_MULTICAST] = NAT_SET_MULTICAST_DROP,
	[NAT_DROP_CONNECTIONS] = NAT_SET_CONNECTION_DROP,
	[NAT_DROP_EGRESS] = NAT_SET_EGRESS_DROP,
	[NAT_DROP_NEIGHBOURS] = NAT_SET_BRIDGED_DROP,
};

int nat_port_drops(struct nat *t, const struct nat_port *port, uint64_t ret[NAT_DROP_CNT_],
		   struct nd_error *e)
{
	struct nat_config cfg = { .kind = NAT_PORT, .port = *port };
	struct nat_elem elems[NAT_CONFIG_ELEMS];
	size_t cnt = nat_plan_elems(&cfg, elems);

	memset(ret, 0, NAT_DROP_CNT_ * sizeof(ret[0]));
	for (size_t i = 0; i < cnt; i++)
		for (unsigned d = 0; d < NAT_DROP_CNT_; d++) {
			struct nd_error sub = ND_ERROR_INIT;

			if (elems[i].set != drop_sets[d] ||
			    nat_scan_packets(t->batch, &elems[i], &ret[d], &sub) == 0 ||
			    sub.code == ND_NOT_FOUND)
				continue;
			if (e)
				nd_error_copy(e, &sub);
			return sub.code;
		}
	return 0;
}

int nat_fd(const struct nat *t)
{
	return nat_watch_fd(t->watch);
}

int nat_on_readable(struct nat *t, struct nat_change *ret, struct nd_error *e)
{
	struct nat_event event = { .touched = false };
	struct nd_error sub = ND_ERROR_INIT;
	int r = nat_watch_read(t->watch, &event, &sub);

	if (r < 0 && r != ND_OVERRUN) {
		nd_error_copy(e, &sub);
		return r;
	}
	if (event.touched || r == ND_OVERRUN || t->stale) {
		r = rescan(t, e);
		if (r < 0)
			return r;
	}
	*ret = (struct nat_change){ .lost = t->lost, .pid = event.pid };
	nd_strcpy(ret->comm, sizeof(ret->comm), event.comm);
	nd_strcpy(ret->what, sizeof(ret->what), event.touched ? event.what : t->what);
	t->lost = false;
	t->what[0] = '\0';
	return 0;
}

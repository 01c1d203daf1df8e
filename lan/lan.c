// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: records, and the operations of lan.h made of reading, checking and planning
 */
#include "lan/lan.h"
#include "base/file.h"
#include "base/link.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "lan/private.h"
#include <ctype.h>

#define SYSFS "/sys"

static const char *const manager_names[] = {
	[LAN_MANAGER_NONE] = "none",
	[LAN_MANAGER_NETWORKD] = "systemd-networkd",
	[LAN_MANAGER_NETWORK_MANAGER] = "NetworkManager",
	[LAN_MANAGER_IFUPDOWN] = "ifupdown",
};
ND_STRTAB(lan_manager, manager_names)

static const char *const phase_names[] = {
	[LAN_CHANGING] = "changing",
	[LAN_WAITING] = "unconfirmed",
	[LAN_ACTIVE] = "active",
	[LAN_REMOVING] = "removing",
};
ND_STRTAB(lan_phase, phase_names)

void lan_record_free(struct lan_record *r)
{
	if (!r)
		return;
	lan_steps_clear(r);
	for (size_t i = 0; i < r->file_cnt; i++) {
		free(r->files[i].path);
		free(r->files[i].text);
		free(r->files[i].was);
	}
	free(r->files);
	nd_strv_free(r->notes);
	free(r);
}

void lan_record_note(struct lan_record *r, const char *before, const char *text)
{
	lan_note(r, NULL, "%s%s", before, text);
}

int lan_boot_id(char ret[ND_UUID_STRLEN], struct nd_error *e)
{
	nd_autofree char *text = NULL;
	size_t len;
	if (nd_file_read("/proc/sys/kernel/random/boot_id", 64, &text, &len, e) < 0)
		return e ? e->code : ND_SYSTEM;
	nd_strcpyn(ret, ND_UUID_STRLEN, text, strcspn(text, "\n"));
	return 0;
}

/* As the kernel's dev_valid_name, and nothing that would need quoting in anybody's configuration. */
static int check_name(const char *name, struct nd_error *e)
{
	size_t len = strlen(name);
	bool good = len > 0 && len < ND_IFNAMSIZ && strcmp(name, ".") && strcmp(name, "..");
	for (size_t i = 0; good && i < len; i++)
		good = isalnum((unsigned char)name[i]) || (i > 0 && strchr("-_.", name[i]));
	if (good)
		return 0;
	return nd_fail(e, ND_INVALID,
		       "'%s' is no name for a bridge: at most 15 letters, digits, '-', '_' and '.'", name);
}

static int check_free(struct nd_nl *nl, const char *bridge, struct nd_error *e)
{
	struct nd_error absent = ND_ERROR_INIT;
	struct nd_link l;
	int r = nd_link_get_by_name(nl, bridge, &l, &absent);
	if (r == ND_NOT_FOUND)
		return 0;
	if (r < 0) {
		nd_error_copy(e, &absent);
		return r;
	}
	return nd_fail(e, ND_EXISTS, "there is an interface '%s' already%s", bridge,
		       l.kind == ND_LINK_BRIDGE ? ", a bridge: use it as it is, with <forward mode='bridge'/>"
						: "");
}

static int plan_dns(const struct lan_snapshot *s, int to, struct lan_record *r, struct nd_error *e)
{
	nd_autofree char *text = NULL;
	struct lan_op make = { 0 }, undo = { 0 }, off = { 0 }, on = { 0 };
	char from_index[12], to_index[12];
	if (lan_dns_get(s->ifindex, &text, e) < 0)
		return e ? e->code : ND_SYSTEM;
	if (!text)
		return 0;
	snprintf(from_index, sizeof from_index, "%d", s->ifindex);
	snprintf(to_index, sizeof to_index, "%d", to);
	int err = lan_op_text(&make, LAN_OP_DNS, to_index, text, e);
	if (err == 0 && (err = lan_op_text(&undo, LAN_OP_DNS, to_index, "", e)) < 0)
		lan_op_done(&make);
	if (err == 0)
		err = lan_step_add(r, &make, &undo, e, "DNS servers");
	if (err == 0)
		r->steps[r->step_cnt - 1].optional = true;
	/* Those that a manager set are its own to take away. */
	if (err == 0 && lan_op_text(&off, LAN_OP_DNS, from_index, "", e) == 0 &&
	    lan_op_text(&on, LAN_OP_DNS, from_index, text, e) == 0)
		err = lan_step_add(r, &off, &on, e, "DNS servers off %s", s->name);
	if (err == 0)
		r->steps[r->step_cnt - 1].optional = true;
	return err;
}

static int plan_notes(const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	if (r->gateway_cnt == 0)
		return lan_note(
			r, e,
			"there is no default route by %s: nothing tells whether the bridge works but you",
			s->name);
	return 0;
}

static int plan(struct nd_nl *nl, const struct lan_request *req, struct lan_record *r, struct nd_error *e)
{
	nd_cleanup(lan_snapshot_freep) struct lan_snapshot *s = NULL;
	if (check_name(req->bridge, e) < 0 || lan_snapshot_take(nl, req->port, &s, e) < 0 ||
	    lan_check(s, req->bridge, SYSFS, e) < 0 || check_free(nl, req->bridge, e) < 0)
		return e->code;
	r->taken_ms = lan_now_ms();
	r->persist = req->persist;
	if (lan_boot_id(r->boot, e) < 0 || lan_plan_create(s, req->bridge, r, e) < 0 ||
	    plan_dns(s, r->bridge_index, r, e) < 0 || plan_notes(s, r, e) < 0)
		return e->code;
	return lan_persist_plan(req->root, s, r, e);
}

int lan_create_plan(struct nd_nl *nl, const struct lan_request *req, struct lan_record **ret,
		    struct nd_error *e)
{
	nd_cleanup(lan_record_freep) struct lan_record *r = calloc(1, sizeof *r);
	struct nd_error failed = ND_ERROR_INIT;
	if (!r)
		return nd_fail(e, ND_MEMORY, "host bridge");
	int err = plan(nl, req, r, &failed);
	if (err < 0) {
		nd_error_copy(e, &failed);
		return err;
	}
	*ret = take_ptr(r);
	return 0;
}

/* The port may have another index than it had: of another boot, or it was pulled out and put back. */
static int find_port(struct nd_nl *nl, struct lan_record *r, struct nd_error *e)
{
	struct nd_link l;
	if (nd_link_get_by_name(nl, r->port, &l, e) < 0)
		return nd_wrap(e, "the bridge's NIC '%s'", r->port);
	r->port_index = l.ifindex;
	return 0;
}

/* Whether others than the port are in it. */
static int check_alone(const struct lan_snapshot *s, const struct lan_record *r, struct nd_error *e)
{
	if (s->port_cnt == 0 || (s->port_cnt == 1 && !strcmp(s->port_names, r->port)))
		return 0;
	return nd_fail(e, ND_BUSY,
		       "besides '%s' there are others in it: %s; stop their networks and guests first",
		       r->port, s->port_names);
}

static int plan_back(struct nd_nl *nl, struct lan_record *r, struct nd_error *e)
{
	nd_cleanup(lan_snapshot_freep) struct lan_snapshot *s = NULL;
	struct lan_op gone;
	if (lan_snapshot_take(nl, r->bridge, &s, e) < 0)
		return e->code;
	if (strcmp(s->kind, "bridge"))
		return nd_fail(e, ND_STATE, "'%s' is no bridge any more", r->bridge);
	if (check_alone(s, r, e) < 0 || find_port(nl, r, e) < 0)
		return e->code;
	r->bridge_index = s->ifindex;
	r->mac = s->mac;
	r->taken_ms = lan_now_ms();
	if (lan_boot_id(r->boot, e) < 0 || lan_plan_remove(s, r, e) < 0 ||
	    plan_dns(s, r->port_index, r, e) < 0)
		return e->code;
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELLINK, 0);
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = s->ifindex };
	if (msg && nlmsg_append(msg, &ifi, sizeof ifi, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return lan_op_from_msg(&gone, msg, e) < 0 ? e->code : lan_step_add(r, &gone, NULL, e, "bridge");
}

int lan_remove_plan(struct nd_nl *nl, struct lan_record *r, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	int err = plan_back(nl, r, &failed);
	if (err < 0) {
		nd_error_copy(e, &failed);
		return err;
	}
	r->phase = LAN_REMOVING;
	return 0;
}

int lan_follow(struct nd_nl *nl, const struct lan_record *r, size_t *ret_moved, struct nd_error *e)
{
	nd_cleanup(lan_snapshot_freep) struct lan_snapshot *s = NULL;
	nd_cleanup(lan_record_freep) struct lan_record *now = calloc(1, sizeof *now);
	struct nd_error failed = ND_ERROR_INIT;
	*ret_moved = 0;
	if (!now)
		return nd_fail(e, ND_MEMORY, "host bridge");
	int err = lan_snapshot_take(nl, r->port, &s, &failed);
	if (err == 0 && s->master == r->bridge_index && s->addresses.cnt > 0) {
		nd_strcpy(now->bridge, sizeof now->bridge, r->bridge);
		now->bridge_index = r->bridge_index;
		now->taken_ms = lan_now_ms();
		err = lan_plan_follow(s, now, &failed);
		if (err == 0)
			err = lan_apply(nl, now, &failed);
		if (err == 0)
			*ret_moved = s->addresses.cnt;
	}
	nd_error_copy(e, &failed);
	return err;
}

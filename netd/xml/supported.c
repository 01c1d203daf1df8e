// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what of a definition netd does not put in force yet
 *
 * A walk over what a definition says, in document order, up to the first row marked ROW_NOT_YET whose value
 * asks for something. Definitions are kept and shown with all that libvirt knows, but no network is started
 * that would be less than its definition promises.
 */
#include "netd/xml/rows.h"

static int refuse(const struct row *r, const char *value, struct nd_error *e)
{
	const char *name = row_name(row_is_attr(r) ? row_parent(r) : r);
	char shown[NETDEF_CLIP_LEN];

	if (r->supported)
		nd_fail(e, ND_UNSUPPORTED, "not supported by this netd yet; supported %s", r->supported);
	else if (r->harmless)
		nd_fail(e, ND_UNSUPPORTED, "not supported by this netd yet; supported is '%s'", r->harmless);
	else
		nd_fail(e, ND_UNSUPPORTED, "not supported by this netd yet");
	if (value)
		return nd_wrap_code(e, ND_UNSUPPORTED, "<%s %s='%s'>", name, row_name(r),
				    netdef_clip(value, strlen(value), shown));
	return nd_wrap_code(e, ND_UNSUPPORTED, "<%s>", name);
}

/* Whether value is one of those in list, parted by '|'. */
static bool is_listed(const char *list, const char *value)
{
	size_t len = strlen(value);

	for (const char *p = list; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
		if (strcspn(p, "|") == len && strncmp(p, value, len) == 0)
			return true;
	return false;
}

static int check_row(const struct row *r, const void *obj, struct nd_error *e)
{
	char scratch[ROW_SCRATCH_LEN];
	const char *value;

	if (!(r->flags & ROW_NOT_YET) || !row_given(r, obj))
		return 0;
	if (!r->type)
		return refuse(r, NULL, e);
	value = r->type->format(r, obj, scratch);
	return r->harmless && is_listed(r->harmless, value) ? 0 : refuse(r, value, e);
}

static int check_object(const struct row *element, const void *obj, struct nd_error *e)
{
	int err = 0;

	for (const struct row *r = element + 1, *end = row_end(element); r < end && err == 0;) {
		err = check_row(r, obj, e);
		for (size_t i = 0; r->kind == ROW_LIST && i < row_list_cnt(r, obj) && err == 0; i++)
			err = check_object(r, row_list_item(r, obj, i), e);
		r = r->kind == ROW_LIST ? row_end(r) : r + 1;
	}
	return err;
}

/* Guests on macvtaps pass no bridge of the host's, and their frames have no tags that netd could give them. */
static int check_macvtap(const struct netdef *d, struct nd_error *e)
{
	const struct netdef_rare *x = netdef_rare(d);
	const char *mode = netdef_forward_to_string(d->forward);
	bool vlan = x->vlan.tag_cnt > 0;

	for (size_t i = 0; i < x->portgroup_cnt; i++)
		vlan = vlan || x->portgroups[i].vlan.tag_cnt > 0;
	if (d->forward == NETDEF_FORWARD_HOSTDEV)
		return 0;
	if (x->uplink_cnt == 0)
		return nd_fail(
			e, ND_UNSUPPORTED,
			"network '%s' uses a direct mode, but has no forward dev and no interface pool",
			d->name);
	if (vlan)
		return nd_fail(e, ND_UNSUPPORTED,
			       "<vlan> with <forward mode='%s'>: not supported by this netd; list a VLAN "
			       "interface (eth0.10) instead",
			       mode);
	if (d->isolated == NETDEF_YES)
		return nd_fail(e, ND_UNSUPPORTED,
			       "<port isolated='yes'> with <forward mode='%s'>: not supported by this netd; "
			       "mode='private' keeps guests apart",
			       mode);
	return 0;
}

/* What one row alone does not tell. */
static int check_together(const struct netdef *d, struct nd_error *e)
{
	int err = netdef_forward_is_virtual(d->forward) || d->bridge[0] ? 0 : check_macvtap(d, e);

	if (err < 0)
		return err;
	for (size_t i = 0; i < d->ip_cnt; i++) {
		const struct netdef_ip *ip = &d->ips[i];

		if (ip->address.ip.family == AF_INET6 && (ip->dhcp || ip->subnet_auto))
			return nd_fail(e, ND_UNSUPPORTED,
				       "<ip family='ipv6'>: %s: not supported by this netd yet",
				       ip->dhcp ? "<dhcp>" : "netd:subnet='auto'");
	}
	return 0;
}

int netdef_supported(const struct netdef *d, struct nd_error *e)
{
	int err = check_object(rows, d, e);

	return err ? err : check_together(d, e);
}

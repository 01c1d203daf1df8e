// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: <networkport>, by the rows' machinery
 *
 * Its rows' root is another one than the network's, and so is the object their fields lie in; the rest is the
 * same parser and formatter. Here are the rules that need more than a row, and what the core needs to fill a
 * port in from its network.
 */
#include "netd/xml/portdef.h"
#include "netd/xml/rows.h"

static const struct row *root(void)
{
	return row_find("networkport");
}

/* An average of 0 is none, but may be said. */
static int check_direction(struct netdef_rate *rate, bool average_given, uint64_t floor, struct nd_error *e)
{
	if (!average_given && !floor)
		return nd_fail(e, ND_INVALID, "Missing mandatory average or floor attributes");
	if (!average_given && (rate->peak || rate->burst))
		return nd_fail(e, ND_INVALID, "'peak' and 'burst' require 'average' attribute");
	if (!rate->average && !floor)
		rate->peak = rate->burst = 0;
	return 0;
}

ROW_RULE(portdef_inbound_done)
{
	struct portdef_bandwidth *b = &((struct portdef *)obj)->bandwidth;

	b->inbound_given = true;
	return check_direction(&b->inbound, b->inbound_average_given, b->floor, e);
}

ROW_RULE(portdef_outbound_done)
{
	struct portdef_bandwidth *b = &((struct portdef *)obj)->bandwidth;

	b->outbound_given = true;
	return check_direction(&b->outbound, b->outbound_average_given, 0, e);
}

/* Without a direction in it, it is as not there. */
ROW_RULE(portdef_bandwidth_end)
{
	struct portdef *p = obj;

	p->bandwidth.given = p->bandwidth.inbound_given || p->bandwidth.outbound_given;
	if (!p->bandwidth.given)
		p->class_id = 0;
	return 0;
}

ROW_RULE(portdef_plug_end)
{
	const struct portdef *p = obj;

	switch ((enum portdef_plug)p->plug) {
	case PORTDEF_PLUG_NONE: break;
	case PORTDEF_PLUG_NETWORK:
	case PORTDEF_PLUG_BRIDGE:
		if (!p->bridge[0])
			return nd_fail(e, ND_INVALID, "Missing network port bridge name");
		break;
	case PORTDEF_PLUG_DIRECT:
		if (!p->dev[0])
			return nd_fail(e, ND_INVALID, "Missing network port link device name");
		break;
	case PORTDEF_PLUG_PCI:
		if (!p->pci_given)
			return nd_fail(e, ND_INVALID, "Missing network port PCI address");
		break;
	}
	return 0;
}

ROW_RULE(portdef_address_done)
{
	((struct portdef *)obj)->pci_given = true;
	return 0;
}

struct portdef *portdef_new(void)
{
	return calloc(1, sizeof(struct portdef));
}

int portdef_parse(const char *xml, size_t len, bool validate,
		  void (*warn)(void *arg, const struct netdef_warning *w), void *arg, struct portdef **ret,
		  struct nd_error *e)
{
	struct portdef *p = portdef_new();
	int r = netdef_parse_document(xml, len, validate ? NETDEF_PARSE_VALIDATE : 0, root(), p, warn, arg,
				      e);

	if (r < 0)
		portdef_free(p);
	else
		*ret = p;
	return r;
}

void portdef_format(const struct portdef *p, struct nd_buf *out)
{
	netdef_format_document(root(), p, out);
}

void portdef_free(struct portdef *p)
{
	if (p)
		row_item_done(root(), p);
	free(p);
}

bool portdef_vlan_copy(struct netdef_vlan *dst, const struct netdef_vlan *src)
{
	*dst = (struct netdef_vlan){ .trunk = src->trunk };
	if (src->tag_cnt == 0)
		return true;
	dst->tags = calloc(src->tag_cnt, sizeof *dst->tags);
	if (!dst->tags)
		return false;
	memcpy(dst->tags, src->tags, src->tag_cnt * sizeof *dst->tags);
	dst->tag_cnt = src->tag_cnt;
	return true;
}

bool portdef_virtualport_copy(struct netdef_virtualport *dst, const struct netdef_virtualport *src)
{
	*dst = *src;
	dst->profileid = src->profileid ? strdup(src->profileid) : NULL;
	return dst->profileid || !src->profileid;
}

bool portdef_virtualport_given(const struct netdef_virtualport *v)
{
	return v->type != NETDEF_VIRTUALPORT_NONE || v->managerid_given || v->typeid_given ||
	       v->typeidversion_given || v->instanceid_given || v->interfaceid_given || v->profileid;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: the sets and maps, a row each
 *
 * Hash sets, so that a lookup and a change cost the same however many elements there are; intervals of
 * concatenations only where prefixes or lists ask for them, which the kernel copies whole at each change.
 * What an element does besides matching is in the row: a map's value, a counter, a rate or a number of
 * connections above which it matches. The last two are expressions of each element and not of the set.
 */
#include "base/mem.h"
#include "nat/rules.h"
#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <stdio.h>
#include <string.h>

/* nft's type numbers (include/datatype.h there); a concatenation is the numbers side by side, 6 bits each. */
#define TYPE_IP4            7u
#define TYPE_IP6            8u
#define TYPE_ETHERADDR      9u
#define TYPE_PROTOCOL       12u
#define TYPE_SERVICE        13u
#define TYPE_MARK           19u
#define TYPE_IFNAME         41u
#define CONCAT(x, y)        ((x) << 6 | (y))
#define CONCAT3(x, y, z)    CONCAT(CONCAT(x, y), z)
#define CONCAT4(w, x, y, z) CONCAT(CONCAT3(w, x, y), z)
#define BYTEORDER_HOST      1u /* enum byteorder there */

#define IFNAME 16 /* bytes of fields */
#define ETHER  6
#define IP4    4
#define IP6    16
#define MARK   4
#define PROTO  1
#define PORT   2

#define INET(...)                           \
	{                                   \
		NAT_TABLE_INET, __VA_ARGS__ \
	}
#define BRIDGE(...)                           \
	{                                     \
		NAT_TABLE_BRIDGE, __VA_ARGS__ \
	}
#define INTERFACE      \
	TYPE_IFNAME,   \
	{              \
		IFNAME \
	}
#define INTERFACES                        \
	CONCAT(TYPE_IFNAME, TYPE_IFNAME), \
	{                                 \
		IFNAME, IFNAME            \
	}
#define VALUE(type, len) .data = NAT_DATA_VALUE, .data_type = (type), .data_len = (len)
#define NUMBER       \
	TYPE_MARK,   \
	{            \
		MARK \
	}

const struct nat_set_row nat_set_rows[NAT_SET_CNT] = {
	[NAT_SET_SAME_BRIDGE] = INET("same_bridge", INTERFACES),
	[NAT_SET_BRIDGES] = INET("bridges", INTERFACE),
	[NAT_SET_NAT4] = INET("nat4", INTERFACE),
	[NAT_SET_NAT6] = INET("nat6", INTERFACE),
	[NAT_SET_ROUTE4] = INET("route4", INTERFACE),
	[NAT_SET_ROUTE6] = INET("route6", INTERFACE),
	[NAT_SET_PEERS] = INET("peers", INTERFACES),
	[NAT_SET_UPLINKED] = INET("uplinked", INTERFACE),
	[NAT_SET_UPLINKS] = INET("uplinks", INTERFACES),
	[NAT_SET_ISOLATED] = INET("isolated", INTERFACE),
	[NAT_SET_CLAMP_MSS] = INET("clamp_mss", INTERFACE),
	[NAT_SET_SOURCE4] = INET("source4", INTERFACE, VALUE(TYPE_IP4, 8), .data_interval = true),
	[NAT_SET_SOURCE6] = INET("source6", INTERFACE, VALUE(TYPE_IP6, 32), .data_interval = true),
	[NAT_SET_SOURCE_PORT_FIRST] = INET("source_port_first", INTERFACE, VALUE(TYPE_SERVICE, 2)),
	[NAT_SET_SOURCE_PORT_LAST] = INET("source_port_last", INTERFACE, VALUE(TYPE_SERVICE, 2)),
	[NAT_SET_DHCP] = INET("dhcp", INTERFACE),
	[NAT_SET_HOST_LIMITED] = INET("host_limited", INTERFACE),
	[NAT_SET_HOST_NONE] = INET("host_none", INTERFACE),

	[NAT_SET_PUBLISH4] = INET("publish4", CONCAT3(TYPE_PROTOCOL, TYPE_IP4, TYPE_SERVICE),
				  { PROTO, IP4, PORT }, VALUE(CONCAT(TYPE_IP4, TYPE_SERVICE), 8)),
	[NAT_SET_PUBLISH6] = INET("publish6", CONCAT3(TYPE_PROTOCOL, TYPE_IP6, TYPE_SERVICE),
				  { PROTO, IP6, PORT }, VALUE(CONCAT(TYPE_IP6, TYPE_SERVICE), 20)),
	[NAT_SET_PUBLISH4_ANY] = INET("publish4_any", CONCAT(TYPE_PROTOCOL, TYPE_SERVICE), { PROTO, PORT },
				      VALUE(CONCAT(TYPE_IP4, TYPE_SERVICE), 8)),
	[NAT_SET_PUBLISH6_ANY] = INET("publish6_any", CONCAT(TYPE_PROTOCOL, TYPE_SERVICE), { PROTO, PORT },
				      VALUE(CONCAT(TYPE_IP6, TYPE_SERVICE), 20)),

	[NAT_SET_CONNECTION_MAX] = INET("connection_max", NUMBER, .data = NAT_DATA_CONNECTIONS),
	[NAT_SET_CONNECTION_DROP] = INET("connection_drop", NUMBER, .data = NAT_DATA_COUNTER),
	[NAT_SET_EGRESS_DROP] = INET("egress_drop", NUMBER, .data = NAT_DATA_COUNTER),
	[NAT_SET_EGRESS_INTERNET] = INET("egress_internet", NUMBER),
	[NAT_SET_EGRESS_LIST] = INET("egress_list", NUMBER),
	[NAT_SET_EGRESS_ALLOW4] =
		INET("egress_allow4", CONCAT4(TYPE_MARK, TYPE_IP4, TYPE_PROTOCOL, TYPE_SERVICE),
		     { MARK, IP4, PROTO, PORT }, .interval = true),
	[NAT_SET_EGRESS_ALLOW6] =
		INET("egress_allow6", CONCAT4(TYPE_MARK, TYPE_IP6, TYPE_PROTOCOL, TYPE_SERVICE),
		     { MARK, IP6, PROTO, PORT }, .interval = true),

	[NAT_SET_PORT_MAC] = BRIDGE("port_mac", CONCAT(TYPE_IFNAME, TYPE_ETHERADDR), { IFNAME, ETHER }),
	[NAT_SET_GUARDED] = BRIDGE("guarded", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_PORT_IP4] = BRIDGE("port_ip4", CONCAT(TYPE_IFNAME, TYPE_IP4), { IFNAME, IP4 }),
	[NAT_SET_PORT_NET4] =
		BRIDGE("port_net4", CONCAT(TYPE_IFNAME, TYPE_IP4), { IFNAME, IP4 }, .interval = true),
	[NAT_SET_IP4_GUARDED] = BRIDGE("ip4_guarded", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_ARP_GUARDED] = BRIDGE("arp_guarded", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_PORT_IP6] = BRIDGE("port_ip6", CONCAT(TYPE_IFNAME, TYPE_IP6), { IFNAME, IP6 }),
	[NAT_SET_PORT_NET6] =
		BRIDGE("port_net6", CONCAT(TYPE_IFNAME, TYPE_IP6), { IFNAME, IP6 }, .interval = true),
	[NAT_SET_IP6_GUARDED] = BRIDGE("ip6_guarded", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_GATEWAY6] = BRIDGE("gateway6", CONCAT(TYPE_IFNAME, TYPE_IP6), { IFNAME, IP6 }),
	[NAT_SET_DHCP_GUARDED] = BRIDGE("dhcp_guarded", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_ROUTER_GUARDED] = BRIDGE("router_guarded", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_BROADCAST_RATE] = BRIDGE("broadcast_rate", INTERFACE, .data = NAT_DATA_RATE),
	[NAT_SET_BROADCAST_DROP] = BRIDGE("broadcast_drop", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_MULTICAST_RATE] = BRIDGE("multicast_rate", INTERFACE, .data = NAT_DATA_RATE),
	[NAT_SET_MULTICAST_DROP] = BRIDGE("multicast_drop", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_PORT_POLICY] = BRIDGE("port_policy", INTERFACE, VALUE(TYPE_MARK, 4)),
	[NAT_SET_BRIDGED_DROP] = BRIDGE("bridged_drop", INTERFACE, .data = NAT_DATA_COUNTER),
	[NAT_SET_PORT_MARK] = BRIDGE("port_mark", INTERFACE, VALUE(TYPE_MARK, 4)),
};

static uint8_t padded(uint8_t len)
{
	return (uint8_t)((len + 3) & ~3);
}

static uint8_t one_key_len(const struct nat_set_row *row)
{
	uint8_t len = 0;

	for (unsigned i = 0; i < NAT_FIELDS_MAX; i++)
		len = (uint8_t)(len + padded(row->fields[i]));
	return len;
}

uint8_t nat_set_key_len(enum nat_set set)
{
	uint8_t len = one_key_len(&nat_set_rows[set]);

	return nat_set_rows[set].interval ? (uint8_t)(2 * len) : len;
}

uint8_t nat_set_data_len(enum nat_set set)
{
	switch (nat_set_rows[set].data) {
	case NAT_DATA_VALUE: return nat_set_rows[set].data_len;
	case NAT_DATA_RATE:
	case NAT_DATA_CONNECTIONS: return sizeof(uint32_t);
	default: return 0;
	}
}

/* One field as nft(8) would write it. */
static void field_format(uint32_t type, const uint8_t *p, char *buf, size_t size)
{
	uint32_t mark;

	switch (type) {
	case TYPE_IFNAME: snprintf(buf, size, "%.*s", IFNAME, (const char *)p); return;
	case TYPE_IP4: inet_ntop(AF_INET, p, buf, (socklen_t)size); return;
	case TYPE_IP6: inet_ntop(AF_INET6, p, buf, (socklen_t)size); return;
	case TYPE_ETHERADDR:
		snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4], p[5]);
		return;
	case TYPE_PROTOCOL: snprintf(buf, size, "%u", p[0]); return;
	case TYPE_SERVICE: snprintf(buf, size, "%u", (unsigned)(p[0] << 8 | p[1])); return;
	default: memcpy(&mark, p, sizeof(mark)); snprintf(buf, size, "0x%08x", mark);
	}
}

static unsigned field_cnt(const struct nat_set_row *row)
{
	unsigned cnt = 0;

	while (cnt < NAT_FIELDS_MAX && row->fields[cnt])
		cnt++;
	return cnt;
}

/* Return: the byte behind the key. */
static const uint8_t *key_format(const struct nat_set_row *row, const uint8_t *p, char *buf, size_t size)
{
	unsigned cnt = field_cnt(row);
	size_t used = 0;

	for (unsigned i = 0; i < cnt && used < size; i++) {
		char text[INET6_ADDRSTRLEN];

		field_format(row->key_type >> (6 * (cnt - 1 - i)) & 63, p, text, sizeof(text));
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? " . " : "", text);
		p += padded(row->fields[i]);
	}
	return p;
}

const char *nat_elem_label(const struct nat_elem *elem, char buf[NAT_LABEL_LEN])
{
	const struct nat_set_row *row = &nat_set_rows[elem->set];
	char first[80], last[80] = "";
	const uint8_t *end = key_format(row, elem->key, first, sizeof(first));

	if (row->interval)
		key_format(row, end, last, sizeof(last));
	snprintf(buf, NAT_LABEL_LEN, "element %s%s%s of %s %s of %s", first, *last ? " - " : "", last,
		 row->data == NAT_DATA_VALUE ? "map" : "set", row->name, nat_table_rows[row->table].label);
	return buf;
}

/* nft(8) reads from it how to list names and marks: in host order, while concatenations have none. */
static bool byteorder_put(struct nftnl_set *s, const struct nat_set_row *row)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(64);

	if (!u)
		return false;
	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER,
			    row->key_type == TYPE_IFNAME || row->key_type == TYPE_MARK ? BYTEORDER_HOST : 0);
	if (row->data == NAT_DATA_VALUE)
		nftnl_udata_put_u32(u, NFTNL_UDATA_SET_DATABYTEORDER,
				    row->data_type == TYPE_MARK ? BYTEORDER_HOST : 0);
	if (row->data_interval)
		nftnl_udata_put_u32(u, NFTNL_UDATA_SET_DATA_INTERVAL, true);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
	return true;
}

static uint32_t flags_of(const struct nat_set_row *row)
{
	return (row->data == NAT_DATA_VALUE ? NFT_SET_MAP : 0) |
	       (row->interval ? NFT_SET_INTERVAL | NFT_SET_CONCAT : 0);
}

/* The kernel wants to know the fields of an interval's key. */
static void fields_put(struct nftnl_set *s, const struct nat_set_row *row)
{
	uint8_t lens[NAT_FIELDS_MAX];
	uint32_t cnt = field_cnt(row);

	for (uint32_t i = 0; i < cnt; i++)
		lens[i] = padded(row->fields[i]);
	nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, lens, cnt);
}

struct nftnl_set *nat_set_build(enum nat_set set)
{
	const struct nat_set_row *row = &nat_set_rows[set];
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_expr *counter = row->data == NAT_DATA_COUNTER ? nftnl_expr_alloc("counter") : NULL;

	if (!s || (row->data == NAT_DATA_COUNTER && !counter) || !byteorder_put(s, row)) {
		nftnl_set_free(s);
		nftnl_expr_free(counter);
		return NULL;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, NAT_TABLE_NAME);
	nftnl_set_set_str(s, NFTNL_SET_NAME, row->name);
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, nat_table_rows[row->table].family);
	nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)set + 1);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags_of(row));
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, row->key_type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, one_key_len(row));
	if (row->data == NAT_DATA_VALUE) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, row->data_type);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, row->data_len);
	}
	if (row->interval)
		fields_put(s, row);
	if (counter)
		nftnl_set_add_expr(s, counter);
	return s;
}

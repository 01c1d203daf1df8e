// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the option rows
 *
 * To add an option, add its code in option.h, its field in dhcp_asked or dhcp_answer, and a row here. Length rules are RFC 2132's, but
 * for strings of length 0, which some clients send where the RFC wants one byte at least: they count as not sent.
 */
#include "dhcp/option.h"
#include "base/mem.h"
#include <assert.h>

#define FQDN_HEAD      3    /* flags and two result codes (RFC 4702 §2) */
#define FQDN_E         0x04 /* name in DNS wire form */
#define VALUE_MAX      255  /* one option's length byte */
#define OPTION_HEAD    2    /* code and length */
#define OVERLOAD_WHOLE 3

/* ---- reading ---- */

static bool is_label_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool dhcp_hostname_clean(const uint8_t *p, size_t len, char ret[DHCP_HOSTNAME_MAX])
{
	size_t n = 0;

	while (n < len && p[n] != '.' && p[n] != '\0') {
		if (!is_label_char(p[n]) || n + 1 >= DHCP_HOSTNAME_MAX)
			return false;
		n++;
	}
	if (n == 0 || p[0] == '-' || p[n - 1] == '-')
		return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

static uint32_t view_be32(const struct dhcp_view *v)
{
	struct nd_reader r = nd_reader(v->p, v->len);

	return nd_read_be32(&r);
}

static bool decode_type(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->type = v->p[0];
	return true;
}

static bool decode_requested(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->has_requested = true;
	ret->requested_ip4 = view_be32(v);
	return true;
}

static bool decode_server(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->has_server = true;
	ret->server_ip4 = view_be32(v);
	return true;
}

static bool decode_lease(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->lease_s = view_be32(v);
	return true;
}

static bool decode_max_size(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	struct nd_reader r = nd_reader(v->p, v->len);

	ret->size_max = nd_read_be16(&r);
	return true;
}

static bool decode_parameters(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->parameters = *v;
	return true;
}

static bool decode_vendor_class(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->vendor_class = *v;
	return true;
}

static bool decode_client_id(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->client_id = *v;
	return true;
}

static bool decode_relay_info(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->relay_info = *v;
	return true;
}

/* An unusable name is no reason to refuse an address: it is only forgotten. */
static bool decode_host_name(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	dhcp_hostname_clean(v->p, v->len, ret->hostname);
	return true;
}

/* RFC 4702 §2: flags, two obsolete bytes, then a name: DNS wire form (E) or plain text, either may lack its end. */
static bool decode_fqdn(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	struct nd_reader r = nd_reader(v->p, v->len);
	uint8_t flags = nd_read_u8(&r);
	size_t len;

	nd_read_skip(&r, FQDN_HEAD - 1);
	len = nd_reader_left(&r);
	if (flags & FQDN_E && len) {
		uint8_t label_len = nd_read_u8(&r);

		/* A compression pointer (0xc0) has no meaning here and is longer than any label. */
		if (label_len > nd_reader_left(&r))
			return false;
		len = label_len;
	}
	if (len)
		dhcp_hostname_clean(nd_read_view(&r, len), len, ret->hostname);
	return true;
}

/* ---- writing ---- */

static void write_ip4(struct nd_writer *w, uint32_t ip4)
{
	if (ip4)
		nd_write_be32(w, ip4);
}

static void write_string(struct nd_writer *w, const char *s)
{
	if (s)
		nd_write_bytes(w, s, strnlen(s, VALUE_MAX));
}

static void encode_mask(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_ip4(w, nd_ip4_mask(a->prefix_len));
}

static void encode_router(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_ip4(w, a->router_ip4);
}

static void encode_dns(const struct dhcp_answer *a, struct nd_writer *w)
{
	for (size_t i = 0; i < a->dns_cnt; i++)
		write_ip4(w, a->dns_ip4[i]);
}

static void encode_host_name(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_string(w, a->hostname);
}

static void encode_domain(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_string(w, a->domain);
}

static void encode_mtu(const struct dhcp_answer *a, struct nd_writer *w)
{
	if (a->mtu)
		nd_write_be16(w, a->mtu);
}

static void encode_broadcast(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_ip4(w, a->broadcast_ip4);
}

static void encode_lease(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_ip4(w, a->lease_s);
}

static void encode_type(const struct dhcp_answer *a, struct nd_writer *w)
{
	nd_write_u8(w, a->type);
}

static void encode_server(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_ip4(w, a->server_ip4);
}

static void encode_message(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_string(w, a->message);
}

static void encode_t1(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_ip4(w, a->t1_s);
}

static void encode_t2(const struct dhcp_answer *a, struct nd_writer *w)
{
	write_ip4(w, a->t2_s);
}

static void encode_client_id(const struct dhcp_answer *a, struct nd_writer *w)
{
	nd_write_bytes(w, a->client_id.p, a->client_id.len);
}

static void encode_relay_info(const struct dhcp_answer *a, struct nd_writer *w)
{
	nd_write_bytes(w, a->relay_info.p, a->relay_info.len);
}

/* clang-format off */
const struct dhcp_option dhcp_options[] = {
	{ DHCP_OPTION_TYPE, DHCP_PLACE_FIRST, 1, 1, 1, "message-type", decode_type, encode_type, "2132 §9.6" },
	{ DHCP_OPTION_SERVER_ID, DHCP_PLACE_FIRST, 4, 4, 1, "server-id", decode_server, encode_server, "2132 §9.7" },
	{ DHCP_OPTION_LEASE_TIME, DHCP_PLACE_REST, 4, 4, 1, "lease-time", decode_lease, encode_lease, "2132 §9.2" },
	{ DHCP_OPTION_T1, DHCP_PLACE_REST, 4, 4, 1, "renewal-time", NULL, encode_t1, "2132 §9.11" },
	{ DHCP_OPTION_T2, DHCP_PLACE_REST, 4, 4, 1, "rebinding-time", NULL, encode_t2, "2132 §9.12" },
	{ DHCP_OPTION_MASK, DHCP_PLACE_REST, 4, 4, 1, "subnet-mask", NULL, encode_mask, "2132 §3.3" },
	{ DHCP_OPTION_ROUTER, DHCP_PLACE_ASKED, 4, 252, 4, "router", NULL, encode_router, "2132 §3.5" },
	{ DHCP_OPTION_DNS, DHCP_PLACE_ASKED, 4, 252, 4, "dns-server", NULL, encode_dns, "2132 §3.8" },
	{ DHCP_OPTION_HOST_NAME, DHCP_PLACE_ASKED, 0, 255, 1, "host-name", decode_host_name, encode_host_name, "2132 §3.14" },
	{ DHCP_OPTION_DOMAIN, DHCP_PLACE_ASKED, 1, 255, 1, "domain-name", NULL, encode_domain, "2132 §3.17" },
	{ DHCP_OPTION_MTU, DHCP_PLACE_ASKED, 2, 2, 1, "interface-mtu", NULL, encode_mtu, "2132 §5.1" },
	{ DHCP_OPTION_BROADCAST, DHCP_PLACE_ASKED, 4, 4, 1, "broadcast", NULL, encode_broadcast, "2132 §5.3" },
	{ DHCP_OPTION_REQUESTED_IP, DHCP_PLACE_NONE, 4, 4, 1, "requested-ip", decode_requested, NULL, "2132 §9.1" },
	{ DHCP_OPTION_OVERLOAD, DHCP_PLACE_NONE, 1, 1, 1, "overload", NULL, NULL, "2132 §9.3" },
	{ DHCP_OPTION_PARAMETERS, DHCP_PLACE_NONE, 1, 255, 1, "parameter-list", decode_parameters, NULL, "2132 §9.8" },
	{ DHCP_OPTION_MESSAGE, DHCP_PLACE_REST, 1, 255, 1, "message", NULL, encode_message, "2132 §9.9" },
	{ DHCP_OPTION_MAX_SIZE, DHCP_PLACE_NONE, 2, 2, 1, "max-size", decode_max_size, NULL, "2132 §9.10" },
	{ DHCP_OPTION_VENDOR_CLASS, DHCP_PLACE_NONE, 0, 255, 1, "vendor-class", decode_vendor_class, NULL, "2132 §9.13" },
	{ DHCP_OPTION_CLIENT_ID, DHCP_PLACE_REST, 1, 255, 1, "client-id", decode_client_id, encode_client_id, "6842 §3" },
	{ DHCP_OPTION_FQDN, DHCP_PLACE_NONE, 3, 255, 1, "client-fqdn", decode_fqdn, NULL, "4702 §2" },
	{ DHCP_OPTION_RELAY_INFO, DHCP_PLACE_LAST, 2, 255, 1, "relay-info", decode_relay_info, encode_relay_info, "3046 §2.2" },
};
/* clang-format on */
const size_t dhcp_option_cnt = ARRAY_LEN(dhcp_options);
static_assert(ARRAY_LEN(dhcp_options) == DHCP_OPTION_CNT, "row count");

const struct dhcp_option *dhcp_option_find(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(dhcp_options); i++)
		if (dhcp_options[i].code == code)
			return &dhcp_options[i];
	return NULL;
}

bool dhcp_option_decode(const struct dhcp_option *o, const struct dhcp_view *v, struct dhcp_asked *asked)
{
	if (!o->decode)
		return true;
	if (v->len < o->len_min || v->len > o->len_max || v->len % o->len_unit)
		return false;
	return o->decode(v, asked);
}

/* ---- laying a reply out ---- */

struct item {
	const struct dhcp_option *o;
	uint16_t at, len; /* value in plan.values */
	int8_t area;      /* -1: left out */
};
struct plan {
	struct item item[DHCP_OPTION_CNT];
	size_t cnt;
	uint8_t values[DHCP_OPTION_CNT * VALUE_MAX];
	struct nd_writer w;
};

static bool plan_has(const struct plan *p, const struct dhcp_option *o)
{
	for (size_t i = 0; i < p->cnt; i++)
		if (p->item[i].o == o)
			return true;
	return false;
}

static void plan_add(struct plan *p, const struct dhcp_option *o, const struct dhcp_answer *a)
{
	struct item *it = &p->item[p->cnt];
	size_t at = p->w.pos;

	if (plan_has(p, o))
		return;
	o->encode(a, &p->w);
	if (p->w.pos == at)
		return;
	*it = (struct item){ .o = o, .at = (uint16_t)at, .len = (uint16_t)(p->w.pos - at), .area = -1 };
	p->cnt++;
}

static void plan_add_place(struct plan *p, enum dhcp_option_place place, const struct dhcp_answer *a)
{
	for (size_t i = 0; i < ARRAY_LEN(dhcp_options); i++)
		if (dhcp_options[i].place == place)
			plan_add(p, &dhcp_options[i], a);
}

static void plan_add_asked(struct plan *p, const struct dhcp_view *list, const struct dhcp_answer *a)
{
	if (!list->p) {
		plan_add_place(p, DHCP_PLACE_REST, a);
		plan_add_place(p, DHCP_PLACE_ASKED, a);
		return;
	}
	for (size_t i = 0; i < list->len; i++) {
		const struct dhcp_option *o = dhcp_option_find(list->p[i]);

		if (!o || (o->place != DHCP_PLACE_ASKED && o->place != DHCP_PLACE_REST))
			continue;
		/* RFC 2132 §3.3: where both are sent, the mask MUST come first. */
		if (o->code == DHCP_OPTION_ROUTER)
			plan_add(p, dhcp_option_find(DHCP_OPTION_MASK), a);
		plan_add(p, o, a);
	}
	plan_add_place(p, DHCP_PLACE_REST, a);
}

/* Gives each item of a kind the first area that has room. Return: false when one found none. */
static bool plan_place(struct plan *p, bool optional, size_t left[DHCP_AREA_CNT])
{
	bool all = true;

	for (size_t i = 0; i < p->cnt; i++) {
		struct item *it = &p->item[i];

		if ((it->o->place == DHCP_PLACE_ASKED) != optional)
			continue;
		for (int8_t k = 0; k < DHCP_AREA_CNT && it->area < 0; k++) {
			if (left[k] >= it->len + (size_t)OPTION_HEAD) {
				left[k] -= it->len + (size_t)OPTION_HEAD;
				it->area = k;
			}
		}
		all = all && it->area >= 0;
	}
	return all;
}

static size_t plan_len(const struct plan *p)
{
	return p->w.pos + p->cnt * OPTION_HEAD + 1; /* and END */
}

static void plan_write_area(const struct plan *p, int area, uint8_t overload, struct dhcp_areas *to)
{
	struct nd_writer w = nd_writer(to->p[area], to->size[area]);

	for (size_t i = 0; i < p->cnt; i++) {
		const struct item *it = &p->item[i];

		if (it->area != area)
			continue;
		nd_write_u8(&w, it->o->code);
		nd_write_u8(&w, (uint8_t)it->len);
		nd_write_bytes(&w, p->values + it->at, it->len);
	}
	if (overload) {
		nd_write_u8(&w, DHCP_OPTION_OVERLOAD);
		nd_write_u8(&w, 1);
		nd_write_u8(&w, overload);
	}
	if (w.pos == 0)
		return;
	nd_write_u8(&w, DHCP_OPTION_END);
	assert(!w.bad);
	to->used[area] = w.pos;
}

bool dhcp_options_write(const struct dhcp_answer *a, const struct dhcp_view *parameters,
			struct dhcp_areas *areas)
{
	struct plan p = { .cnt = 0 };
	size_t left[DHCP_AREA_CNT];
	uint8_t overload = 0;

	p.w = nd_writer(p.values, sizeof(p.values));
	plan_add_place(&p, DHCP_PLACE_FIRST, a);
	plan_add_asked(&p, parameters, a);
	plan_add_place(&p, DHCP_PLACE_LAST, a);

	for (size_t k = 0; k < DHCP_AREA_CNT; k++)
		left[k] = areas->size[k] - 1; /* END */
	if (plan_len(&p) > areas->size[0])
		left[0] -= OVERLOAD_WHOLE;
	if (!plan_place(&p, false, left))
		return false;
	plan_place(&p, true, left);
	for (size_t i = 0; i < p.cnt; i++) {
		if (p.item[i].area == 1)
			overload |= DHCP_OVERLOAD_FILE;
		else if (p.item[i].area == 2)
			overload |= DHCP_OVERLOAD_SNAME;
	}
	memset(areas->used, 0, sizeof(areas->used));
	plan_write_area(&p, 0, overload, areas);
	plan_write_area(&p, 1, 0, areas);
	plan_write_area(&p, 2, 0, areas);
	return true;
}

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
#define MACHINE_ID_LEN 17 /* type and a uuid (RFC 4578 §2.3) */

/* PXE 2.1, table 2-1: discovery control (6) with bit 3, "a boot file name is there: load it, ask nobody", and the end. */
static const uint8_t pxe_options[] = { 6, 1, 8, 255 };

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
	ret->has_type = true;
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

static bool decode_rapid_commit(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->rapid_commit = true;
	return true;
}

static bool decode_arch(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->arch = *v;
	return true;
}

/* Firmware is told it back as it came (PXE 2.1, section 2.2.1); of another length it has no meaning. */
static bool decode_machine_id(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	if (v->len == MACHINE_ID_LEN)
		ret->machine_id = *v;
	return true;
}

/* iPXE sends its name as it is; RFC 3004 §4 wants a length before each class. */
static bool decode_user_class(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	static const char ipxe[] = "iPXE";
	struct nd_reader r = nd_reader(v->p, v->len);

	if (v->len == strlen(ipxe) && memcmp(v->p, ipxe, v->len) == 0)
		ret->is_ipxe = true;
	while (!ret->is_ipxe && nd_reader_left(&r)) {
		uint8_t len = nd_read_u8(&r);
		const uint8_t *p = nd_read_view(&r, len);

		if (r.bad)
			break;
		ret->is_ipxe = len == strlen(ipxe) && memcmp(p, ipxe, len) == 0;
	}
	return true;
}

static bool decode_ipxe(const struct dhcp_view *v, struct dhcp_asked *ret)
{
	ret->is_ipxe = true;
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

static bool write_ip4(struct nd_writer *w, uint32_t ip4)
{
	if (ip4)
		nd_write_be32(w, ip4);
	return ip4 != 0;
}

static bool write_string(struct nd_writer *w, const char *s)
{
	if (!s || !s[0])
		return false;
	nd_write_bytes(w, s, strnlen(s, VALUE_MAX));
	return true;
}

static bool write_view(struct nd_writer *w, const struct dhcp_view *v)
{
	nd_write_bytes(w, v->p, v->len);
	return v->len > 0;
}

/* With a NUL, which RFC 2132 §2 only suffers: boot ROMs exist that look for it. */
static bool write_terminated(struct nd_writer *w, const char *s)
{
	if (!s)
		return false;
	nd_write_bytes(w, s, strnlen(s, VALUE_MAX - 1));
	nd_write_u8(w, 0);
	return true;
}

static bool encode_mask(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_ip4(w, nd_ip4_mask(a->prefix_len));
}

static bool encode_router(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_ip4(w, a->router_ip4);
}

static bool encode_dns(const struct dhcp_answer *a, struct nd_writer *w)
{
	bool any = false;

	for (size_t i = 0; i < a->dns_cnt; i++)
		any |= write_ip4(w, a->dns_ip4[i]);
	return any;
}

static bool encode_host_name(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_string(w, a->hostname);
}

static bool encode_domain(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_string(w, a->domain);
}

static bool encode_mtu(const struct dhcp_answer *a, struct nd_writer *w)
{
	if (a->mtu)
		nd_write_be16(w, a->mtu);
	return a->mtu != 0;
}

static bool encode_broadcast(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_ip4(w, a->broadcast_ip4);
}

static bool encode_vendor_options(const struct dhcp_answer *a, struct nd_writer *w)
{
	if (a->boot_pxe)
		nd_write_bytes(w, pxe_options, sizeof(pxe_options));
	return a->boot_pxe;
}

static bool encode_lease(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_ip4(w, a->lease_s);
}

static bool encode_type(const struct dhcp_answer *a, struct nd_writer *w)
{
	if (a->type)
		nd_write_u8(w, a->type);
	return a->type != 0;
}

static bool encode_server(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_ip4(w, a->server_ip4);
}

static bool encode_message(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_string(w, a->message);
}

static bool encode_t1(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_ip4(w, a->t1_s);
}

static bool encode_t2(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_ip4(w, a->t2_s);
}

static bool encode_vendor_class(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_string(w, a->boot_class);
}

static bool encode_client_id(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_view(w, &a->client_id);
}

static bool encode_tftp_server(const struct dhcp_answer *a, struct nd_writer *w)
{
	char text[ND_IP_STRLEN];

	return write_terminated(w, a->next_server_ip4 ? nd_ip4_to_string(a->next_server_ip4, text) : NULL);
}

static bool encode_boot_file(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_terminated(w, a->boot_file);
}

static bool encode_rapid_commit(const struct dhcp_answer *a, struct nd_writer *w)
{
	return a->rapid_commit;
}

static bool encode_relay_info(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_view(w, &a->relay_info);
}

static bool encode_machine_id(const struct dhcp_answer *a, struct nd_writer *w)
{
	return write_view(w, &a->machine_id);
}

/* RFC 3397 §2: names in DNS wire form; one needs no compression. A name that is none is left out, and so is one too long. */
static bool encode_search(const struct dhcp_answer *a, struct nd_writer *w)
{
	const char *p = a->domain;
	size_t at = w->pos;

	while (p && *p) {
		size_t len = strcspn(p, ".");

		if (len == 0 || len > DHCP_HOSTNAME_MAX - 1) {
			w->pos = at;
			return false;
		}
		nd_write_u8(w, (uint8_t)len);
		nd_write_bytes(w, p, len);
		p += len + (p[len] == '.');
	}
	if (w->pos == at)
		return false;
	nd_write_u8(w, 0);
	return true;
}

static void write_route(struct nd_writer *w, uint32_t ip4, uint8_t len, uint32_t gateway_ip4)
{
	nd_write_u8(w, len);
	for (int at = 0; at < (len + 7) / 8; at++) /* only what the mask covers of it */
		nd_write_u8(w, (uint8_t)(ip4 >> (24 - 8 * at)));
	nd_write_be32(w, gateway_ip4);
}

/*
 * RFC 3442. Who takes it MUST ignore the router, so the default route stands here, too. The router is sent all the same, though the RFC says that it
 * SHOULD NOT be: clients ask for this option that have nothing to carry it out.
 */
static bool encode_routes(const struct dhcp_answer *a, struct nd_writer *w)
{
	size_t at = w->pos;

	if (!a->route_cnt)
		return false;
	for (uint32_t i = 0; i < a->route_cnt; i++)
		if (a->routes[i].gateway_ip4 != a->client_ip4)
			write_route(w, a->routes[i].ip4, a->routes[i].prefix_len, a->routes[i].gateway_ip4);
	if (a->router_ip4)
		write_route(w, 0, 0, a->router_ip4);
	return w->pos > at;
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
	{ DHCP_OPTION_VENDOR_OPTIONS, DHCP_PLACE_REST, 0, 255, 1, "vendor-options", NULL, encode_vendor_options, "2132 §8.4" },
	{ DHCP_OPTION_REQUESTED_IP, DHCP_PLACE_NONE, 4, 4, 1, "requested-ip", decode_requested, NULL, "2132 §9.1" },
	{ DHCP_OPTION_OVERLOAD, DHCP_PLACE_NONE, 1, 1, 1, "overload", NULL, NULL, "2132 §9.3" },
	{ DHCP_OPTION_PARAMETERS, DHCP_PLACE_NONE, 1, 255, 1, "parameter-list", decode_parameters, NULL, "2132 §9.8" },
	{ DHCP_OPTION_MESSAGE, DHCP_PLACE_REST, 1, 255, 1, "message", NULL, encode_message, "2132 §9.9" },
	{ DHCP_OPTION_MAX_SIZE, DHCP_PLACE_NONE, 2, 2, 1, "max-size", decode_max_size, NULL, "2132 §9.10" },
	{ DHCP_OPTION_VENDOR_CLASS, DHCP_PLACE_REST, 0, 255, 1, "vendor-class", decode_vendor_class, encode_vendor_class, "2132 §9.13" },
	{ DHCP_OPTION_CLIENT_ID, DHCP_PLACE_REST, 1, 255, 1, "client-id", decode_client_id, encode_client_id, "6842 §3" },
	{ DHCP_OPTION_TFTP_SERVER, DHCP_PLACE_LISTED, 0, 255, 1, "tftp-server", NULL, encode_tftp_server, "2132 §9.4" },
	{ DHCP_OPTION_BOOT_FILE, DHCP_PLACE_LISTED, 0, 255, 1, "boot-file", NULL, encode_boot_file, "2132 §9.5" },
	{ DHCP_OPTION_USER_CLASS, DHCP_PLACE_NONE, 0, 255, 1, "user-class", decode_user_class, NULL, "3004 §4" },
	{ DHCP_OPTION_RAPID_COMMIT, DHCP_PLACE_REST, 0, 0, 1, "rapid-commit", decode_rapid_commit, encode_rapid_commit, "4039 §4" },
	{ DHCP_OPTION_FQDN, DHCP_PLACE_NONE, 3, 255, 1, "client-fqdn", decode_fqdn, NULL, "4702 §2" },
	{ DHCP_OPTION_ARCH, DHCP_PLACE_NONE, 2, 254, 2, "architecture", decode_arch, NULL, "4578 §2.1" },
	{ DHCP_OPTION_MACHINE_ID, DHCP_PLACE_REST, 0, 255, 1, "machine-id", decode_machine_id, encode_machine_id, "4578 §2.3" },
	{ DHCP_OPTION_SEARCH, DHCP_PLACE_LISTED, 0, 255, 1, "domain-search", NULL, encode_search, "3397 §2" },
	{ DHCP_OPTION_ROUTES, DHCP_PLACE_LISTED, 5, 255, 1, "classless-routes", NULL, encode_routes, "3442" },
	{ DHCP_OPTION_IPXE, DHCP_PLACE_NONE, 0, 255, 1, "ipxe", decode_ipxe, NULL, "iPXE" },
	{ DHCP_OPTION_ROUTES_MS, DHCP_PLACE_LISTED, 5, 255, 1, "classless-routes-ms", NULL, encode_routes, "MS-DHCPE" },
	{ DHCP_OPTION_RELAY_INFO, DHCP_PLACE_LAST, 2, 255, 1, "relay-info", decode_relay_info, encode_relay_info, "3046 §2.2" },
};
/* clang-format on */
const size_t dhcp_option_cnt = ARRAY_LEN(dhcp_options);
static_assert(ARRAY_LEN(dhcp_options) == DHCP_OPTION_CNT, "row count");

/* Row and one of each code: looked up for each option of each packet. */
static const uint8_t row_of[256] = {
	[DHCP_OPTION_TYPE] = 1,
	[DHCP_OPTION_SERVER_ID] = 2,
	[DHCP_OPTION_LEASE_TIME] = 3,
	[DHCP_OPTION_T1] = 4,
	[DHCP_OPTION_T2] = 5,
	[DHCP_OPTION_MASK] = 6,
	[DHCP_OPTION_ROUTER] = 7,
	[DHCP_OPTION_DNS] = 8,
	[DHCP_OPTION_HOST_NAME] = 9,
	[DHCP_OPTION_DOMAIN] = 10,
	[DHCP_OPTION_MTU] = 11,
	[DHCP_OPTION_BROADCAST] = 12,
	[DHCP_OPTION_VENDOR_OPTIONS] = 13,
	[DHCP_OPTION_REQUESTED_IP] = 14,
	[DHCP_OPTION_OVERLOAD] = 15,
	[DHCP_OPTION_PARAMETERS] = 16,
	[DHCP_OPTION_MESSAGE] = 17,
	[DHCP_OPTION_MAX_SIZE] = 18,
	[DHCP_OPTION_VENDOR_CLASS] = 19,
	[DHCP_OPTION_CLIENT_ID] = 20,
	[DHCP_OPTION_TFTP_SERVER] = 21,
	[DHCP_OPTION_BOOT_FILE] = 22,
	[DHCP_OPTION_USER_CLASS] = 23,
	[DHCP_OPTION_RAPID_COMMIT] = 24,
	[DHCP_OPTION_FQDN] = 25,
	[DHCP_OPTION_ARCH] = 26,
	[DHCP_OPTION_MACHINE_ID] = 27,
	[DHCP_OPTION_SEARCH] = 28,
	[DHCP_OPTION_ROUTES] = 29,
	[DHCP_OPTION_IPXE] = 30,
	[DHCP_OPTION_ROUTES_MS] = 31,
	[DHCP_OPTION_RELAY_INFO] = 32,
};

const struct dhcp_option *dhcp_option_find(uint8_t code)
{
	return row_of[code] ? &dhcp_options[row_of[code] - 1] : NULL;
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
	bool optional;    /* gives way where there is no room */
	int8_t area;      /* -1: left out */
};
struct plan {
	struct item item[DHCP_OPTION_CNT];
	size_t cnt;
	uint64_t has; /* bit of each row that has been looked at */
	uint8_t values[DHCP_OPTION_CNT * VALUE_MAX];
	struct nd_writer w;
};

static_assert(DHCP_OPTION_CNT <= 64, "a bit for each row");

static void plan_add(struct plan *p, const struct dhcp_option *o, bool optional, const struct dhcp_answer *a)
{
	uint64_t bit = UINT64_C(1) << (o - dhcp_options);
	size_t at = p->w.pos;

	if (p->has & bit)
		return;
	p->has |= bit;
	if (!o->encode(a, &p->w))
		return;
	p->item[p->cnt++] = (struct item){
		.o = o, .at = (uint16_t)at, .len = (uint16_t)(p->w.pos - at), .optional = optional, .area = -1
	};
}

static void plan_add_place(struct plan *p, enum dhcp_option_place place, const struct dhcp_answer *a)
{
	for (size_t i = 0; i < ARRAY_LEN(dhcp_options); i++)
		if (dhcp_options[i].place == place)
			plan_add(p, &dhcp_options[i], place == DHCP_PLACE_ASKED, a);
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

		if (!o || o->place == DHCP_PLACE_NONE || o->place == DHCP_PLACE_FIRST ||
		    o->place == DHCP_PLACE_LAST)
			continue;
		/* RFC 2132 §3.3: where both are sent, the mask MUST come first. */
		if (o->code == DHCP_OPTION_ROUTER)
			plan_add(p, dhcp_option_find(DHCP_OPTION_MASK), false, a);
		plan_add(p, o, o->place != DHCP_PLACE_REST, a);
	}
	plan_add_place(p, DHCP_PLACE_REST, a);
}

/* Gives each item of a kind the first area that has room. Return: false when one found none. */
static bool plan_place(struct plan *p, bool optional, size_t left[DHCP_AREA_CNT])
{
	bool all = true;

	for (size_t i = 0; i < p->cnt; i++) {
		struct item *it = &p->item[i];

		if (it->optional != optional)
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
	size_t left[DHCP_AREA_CNT];
	uint8_t overload = 0;
	struct plan p; /* some KiB, most of which is never looked at */

	p.cnt = 0;
	p.has = 0;
	p.w = nd_writer(p.values, sizeof(p.values));
	plan_add_place(&p, DHCP_PLACE_FIRST, a);
	if (a->boot_file && areas->size[1])
		plan_add(&p, dhcp_option_find(DHCP_OPTION_BOOT_FILE), false, a);
	plan_add_asked(&p, parameters, a);
	plan_add_place(&p, DHCP_PLACE_LAST, a);

	for (size_t k = 0; k < DHCP_AREA_CNT; k++)
		left[k] = areas->size[k] ? areas->size[k] - 1 : 0; /* END */
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

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: BOOTP messages
 *
 * Options stand in up to three areas: after the cookie, and in the file and sname fields where option 52 says so, which are
 * then read in that order (RFC 3396 §5). A first walk checks every length and notes where each known option starts; only one that came
 * in parts is copied together, by a second walk. Values are views into the receive buffer otherwise.
 *
 * A repeated option is one in parts, always: reading the first of two message types, as some servers do, lets a packet mean one thing to a
 * filter and another to us. The END mark may be missing at the end of an area; a length that runs over it may not.
 */
#include "dhcp/packet.h"
#include "base/mem.h"
#include <assert.h>

struct part { /* what the first walk found of one option */
	struct dhcp_view first;
	size_t len;
	unsigned cnt;
};
struct areas {
	struct nd_reader r[DHCP_AREA_CNT];
	unsigned cnt;
};

/* Next option of an area that is not padding. Return: false at its end, or with r->bad at an overrun. */
static bool option_next(struct nd_reader *r, uint8_t *ret_code, struct dhcp_view *ret)
{
	while (nd_reader_left(r)) {
		uint8_t code = nd_read_u8(r);

		if (code == DHCP_OPTION_PAD)
			continue;
		if (code == DHCP_OPTION_END)
			return false;
		*ret_code = code;
		ret->len = nd_read_u8(r);
		ret->p = nd_read_view(r, ret->len);
		return !r->bad;
	}
	return false;
}

/* Notes the parts of known options in all areas. Option 52 counts only after the cookie. Return: false on an overrun. */
static bool areas_scan(struct areas *a, const uint8_t *file, const uint8_t *sname,
		       struct part part[DHCP_OPTION_CNT])
{
	for (unsigned i = 0; i < a->cnt; i++) {
		struct nd_reader r = a->r[i];
		struct dhcp_view v = { NULL, 0 };
		uint8_t code;

		while (option_next(&r, &code, &v)) {
			const struct dhcp_option *o = dhcp_option_find(code);
			struct part *p = o ? &part[o - dhcp_options] : NULL;

			if (!p)
				continue;
			if (p->cnt++ == 0)
				p->first = v;
			p->len += v.len;
			if (code != DHCP_OPTION_OVERLOAD || i > 0)
				continue;
			if (p->cnt > 1 || v.len != 1 || v.p[0] < 1 || v.p[0] > 3)
				return false;
			if (v.p[0] & DHCP_OVERLOAD_FILE)
				a->r[a->cnt++] = nd_reader(file, DHCP_FILE_LEN);
			if (v.p[0] & DHCP_OVERLOAD_SNAME)
				a->r[a->cnt++] = nd_reader(sname, DHCP_SNAME_LEN);
		}
		if (r.bad)
			return false;
	}
	return true;
}

static void parts_join(const struct areas *a, uint8_t want, struct nd_writer *w)
{
	for (unsigned i = 0; i < a->cnt; i++) {
		struct nd_reader r = a->r[i];
		struct dhcp_view v;
		uint8_t code;

		while (option_next(&r, &code, &v))
			if (code == want)
				nd_write_bytes(w, v.p, v.len);
	}
}

static bool options_parse(struct nd_reader *main, const uint8_t *file, const uint8_t *sname,
			  struct dhcp_packet *ret)
{
	struct areas a = { .r = { *main }, .cnt = 1 };
	struct nd_writer w = nd_writer(ret->joined, sizeof(ret->joined));
	struct part part[DHCP_OPTION_CNT] = { 0 };

	if (!areas_scan(&a, file, sname, part))
		return false;
	for (size_t i = 0; i < dhcp_option_cnt; i++) {
		struct dhcp_view v = part[i].first;

		if (part[i].cnt == 0)
			continue;
		if (part[i].cnt > 1) {
			v.p = ret->joined + w.pos;
			v.len = (uint16_t)part[i].len;
			parts_join(&a, dhcp_options[i].code, &w);
		}
		if (w.bad || !dhcp_option_decode(&dhcp_options[i], &v, &ret->asked))
			return false;
	}
	return true;
}

int dhcp_packet_parse(const uint8_t *p, size_t len, struct dhcp_packet *ret)
{
	struct nd_reader r = nd_reader(p, len);
	uint8_t op = nd_read_u8(&r), htype = nd_read_u8(&r), hlen = nd_read_u8(&r);
	const uint8_t *sname, *file;
	uint32_t cookie;

	memset(&ret->asked, 0, sizeof(ret->asked));
	nd_read_skip(&r, 1); /* hops */
	ret->xid = nd_read_be32(&r);
	ret->secs = nd_read_be16(&r);
	ret->flags = nd_read_be16(&r);
	ret->ciaddr = nd_read_be32(&r);
	nd_read_skip(&r, 8); /* yiaddr and siaddr are the server's to fill in */
	ret->giaddr = nd_read_be32(&r);
	nd_read_copy(&r, ret->chaddr.b, sizeof(ret->chaddr.b));
	nd_read_skip(&r, DHCP_CHADDR_LEN - sizeof(ret->chaddr.b));
	sname = nd_read_view(&r, DHCP_SNAME_LEN);
	file = nd_read_view(&r, DHCP_FILE_LEN);
	if (r.bad)
		return DHCP_DROP_SHORT;
	if (op != DHCP_BOOTREQUEST || htype != DHCP_HTYPE_ETHERNET || hlen != sizeof(ret->chaddr.b))
		return DHCP_DROP_BOOTP;
	if (nd_mac_is_zero(&ret->chaddr) || nd_mac_is_multicast(&ret->chaddr))
		return DHCP_DROP_CHADDR;
	cookie = nd_read_be32(&r);
	/* A vendor area of zeroes: BOOTP as in RFC 951, without options. */
	if (cookie == 0 && !r.bad)
		return DHCP_KEEP;
	if (cookie != DHCP_COOKIE)
		return DHCP_DROP_COOKIE;
	if (!options_parse(&r, file, sname, ret))
		return DHCP_DROP_OPTION;
	return ret->asked.type || !ret->asked.has_type ? DHCP_KEEP : DHCP_DROP_NO_TYPE;
}

/* Bytes of UDP payload the client takes: option 57 is the datagram's length, IP header included (RFC 2132 §9.10). */
static size_t payload_limit(const struct dhcp_packet *req, size_t size)
{
	size_t limit = req->asked.size_max;

	if (!req->asked.type)
		return DHCP_BOOTP_MAX < size ? DHCP_BOOTP_MAX : size;
	if (limit < DHCP_DATAGRAM_MIN)
		limit = DHCP_DATAGRAM_MIN;
	if (limit > DHCP_DATAGRAM_MAX)
		limit = DHCP_DATAGRAM_MAX;
	limit -= DHCP_IP_UDP_LEN;
	return limit < size ? limit : size;
}

size_t dhcp_packet_build(const struct dhcp_packet *req, const struct dhcp_reply_header *h,
			 const struct dhcp_answer *a, uint8_t *buf, size_t size)
{
	uint8_t options[DHCP_DATAGRAM_MAX], file[DHCP_FILE_LEN] = { 0 }, sname[DHCP_SNAME_LEN] = { 0 };
	size_t limit = payload_limit(req, size);
	struct dhcp_areas areas = { .p = { options, file, sname },
				    .size = { limit - DHCP_HEADER_LEN, DHCP_FILE_LEN, DHCP_SNAME_LEN } };
	struct nd_writer w = nd_writer(buf, limit);
	size_t file_len = a->boot_file ? strlen(a->boot_file) : 0;

	assert(limit >= DHCP_PAYLOAD_MIN);
	if (file_len && file_len < DHCP_FILE_LEN) {
		memcpy(file, a->boot_file, file_len);
		areas.size[1] = 0;
	}
	if (!req->asked.type)
		areas.size[1] = areas.size[2] = 0; /* overload is DHCP's */
	if (!dhcp_options_write(a, &req->asked.parameters, &areas))
		return 0;
	nd_write_u8(&w, DHCP_BOOTREPLY);
	nd_write_u8(&w, DHCP_HTYPE_ETHERNET);
	nd_write_u8(&w, sizeof(req->chaddr.b));
	nd_write_u8(&w, 0); /* hops */
	nd_write_be32(&w, req->xid);
	nd_write_be16(&w, 0); /* secs */
	nd_write_be16(&w, h->flags);
	nd_write_be32(&w, h->ciaddr);
	nd_write_be32(&w, h->yiaddr);
	nd_write_be32(&w, a->next_server_ip4);
	nd_write_be32(&w, req->giaddr);
	nd_write_bytes(&w, req->chaddr.b, sizeof(req->chaddr.b));
	nd_write_zero(&w, DHCP_CHADDR_LEN - sizeof(req->chaddr.b));
	nd_write_bytes(&w, sname, sizeof(sname));
	nd_write_bytes(&w, file, sizeof(file));
	nd_write_be32(&w, DHCP_COOKIE);
	nd_write_bytes(&w, options, areas.used[0]);
	if (w.pos < DHCP_PAYLOAD_MIN)
		nd_write_zero(&w, DHCP_PAYLOAD_MIN - w.pos);
	assert(!w.bad);
	return w.pos;
}

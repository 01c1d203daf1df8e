// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "tests/dhcp/harness.h"

static void put_option(struct nd_writer *w, uint8_t code, const void *p, size_t len)
{
	nd_write_u8(w, code);
	nd_write_u8(w, (uint8_t)len);
	nd_write_bytes(w, p, len);
}

static void put_number(struct nd_writer *w, uint8_t code, uint32_t v, size_t len)
{
	if (!v)
		return;
	nd_write_u8(w, code);
	nd_write_u8(w, (uint8_t)len);
	if (len == 1)
		nd_write_u8(w, (uint8_t)v);
	else if (len == 2)
		nd_write_be16(w, (uint16_t)v);
	else
		nd_write_be32(w, v);
}

static void put_string(struct nd_writer *w, uint8_t code, const char *s)
{
	if (s)
		put_option(w, code, s, strlen(s));
}

size_t ask_frame(const struct ask *a, uint8_t *buf)
{
	struct nd_writer w = nd_writer(buf + DHCP_FRAME_HEADER, DHCP_FRAME_MAX - DHCP_FRAME_HEADER);
	struct dhcp_addressee to = { .src = nd_mac_is_zero(&a->src) ? a->mac : a->src,
				     .dst = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
				     .src_ip4 = a->giaddr ? a->giaddr : a->ciaddr,
				     .dst_ip4 = a->dst_ip4 ? a->dst_ip4 : DHCP_IP4_BROADCAST,
				     .dst_port = DHCP_PORT_SERVER };

	nd_write_u8(&w, 1);
	nd_write_u8(&w, 1);
	nd_write_u8(&w, 6);
	nd_write_u8(&w, a->giaddr ? 1 : 0);
	nd_write_be32(&w, a->xid);
	nd_write_be16(&w, 0);
	nd_write_be16(&w, a->flags);
	nd_write_be32(&w, a->ciaddr);
	nd_write_zero(&w, 8);
	nd_write_be32(&w, a->giaddr);
	nd_write_bytes(&w, a->mac.b, 6);
	nd_write_zero(&w, 10 + 64 + 128);
	nd_write_be32(&w, DHCP_COOKIE);
	put_number(&w, DHCP_OPTION_TYPE, a->type, 1);
	put_string(&w, DHCP_OPTION_CLIENT_ID, a->client_id);
	put_number(&w, DHCP_OPTION_REQUESTED_IP, a->requested, 4);
	put_number(&w, DHCP_OPTION_SERVER_ID, a->server, 4);
	put_number(&w, DHCP_OPTION_LEASE_TIME, a->lease_s, 4);
	put_number(&w, DHCP_OPTION_MAX_SIZE, a->size_max, 2);
	put_string(&w, DHCP_OPTION_HOST_NAME, a->hostname);
	put_string(&w, DHCP_OPTION_PARAMETERS, a->parameters);
	nd_write_bytes(&w, a->raw, a->raw_len);
	nd_write_u8(&w, DHCP_OPTION_END);
	assert_false(w.bad);
	return dhcp_frame_build(&to, buf, w.pos);
}

static void note_option(struct answer *a, uint8_t code, struct nd_reader *r)
{
	uint8_t len = nd_read_u8(r);
	const uint8_t *p = nd_read_view(r, len);

	assert_false(r->bad);
	assert_true(a->order_cnt < sizeof(a->order));
	a->order[a->order_cnt++] = code;
	memcpy(a->option[code], p, len);
	a->option_len[code] = len;
}

static void walk(struct answer *a, struct nd_reader r)
{
	while (nd_reader_left(&r)) {
		uint8_t code = nd_read_u8(&r);

		if (code == DHCP_OPTION_END)
			return;
		if (code != DHCP_OPTION_PAD)
			note_option(a, code, &r);
	}
	fail_msg("area without END");
}

static uint32_t number(const struct answer *a, uint8_t code)
{
	uint32_t v = 0;

	for (size_t i = 0; i < a->option_len[code] && i < 4; i++)
		v = v << 8 | a->option[code][i];
	return v;
}

static uint32_t words(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

/* Independent of frame.c: one's complement sums over header and pseudo-header are all ones. */
static void check_sums(const uint8_t *f, size_t len)
{
	uint32_t ip = words(f + 14, 20), udp = words(f + 26, 8) + 17 + (uint32_t)(len - 34);

	assert_int_equal((ip & 0xffff) + (ip >> 16), 0xffff);
	udp += words(f + 34, len - 34);
	udp = (udp & 0xffff) + (udp >> 16);
	assert_int_equal((udp & 0xffff) + (udp >> 16), 0xffff);
	assert_int_not_equal(f[40] << 8 | f[41], 0);
}

void answer_parse(const uint8_t *f, size_t len, struct answer *a)
{
	struct nd_reader r = nd_reader(f, len);
	const uint8_t *sname, *file;

	memset(a, 0, sizeof(*a));
	assert_true(len >= 342 && len <= DHCP_FRAME_MAX);
	check_sums(f, len);
	nd_read_copy(&r, a->dst.b, 6);
	nd_read_skip(&r, 6);
	assert_int_equal(nd_read_be16(&r), 0x0800);
	assert_int_equal(nd_read_u8(&r), 0x45);
	nd_read_skip(&r, 1);
	assert_int_equal(nd_read_be16(&r), len - 14);
	nd_read_skip(&r, 4);
	assert_int_equal(nd_read_be16(&r), 64 << 8 | 17);
	nd_read_skip(&r, 2);
	a->src_ip4 = nd_read_be32(&r);
	a->dst_ip4 = nd_read_be32(&r);
	assert_int_equal(nd_read_be16(&r), 67);
	a->dst_port = nd_read_be16(&r);
	assert_int_equal(nd_read_be16(&r), len - 34);
	nd_read_skip(&r, 2);
	a->payload_len = nd_reader_left(&r);
	assert_int_equal(nd_read_be32(&r), 0x02010600);
	a->xid = nd_read_be32(&r);
	nd_read_skip(&r, 2);
	a->flags = nd_read_be16(&r);
	a->ciaddr = nd_read_be32(&r);
	a->yiaddr = nd_read_be32(&r);
	nd_read_skip(&r, 4);
	a->giaddr = nd_read_be32(&r);
	nd_read_skip(&r, 16);
	sname = nd_read_view(&r, 64);
	file = nd_read_view(&r, 128);
	assert_int_equal(nd_read_be32(&r), DHCP_COOKIE);
	walk(a, r);
	if (number(a, DHCP_OPTION_OVERLOAD) & 1)
		walk(a, nd_reader(file, 128));
	if (number(a, DHCP_OPTION_OVERLOAD) & 2)
		walk(a, nd_reader(sname, 64));
	a->type = (uint8_t)number(a, DHCP_OPTION_TYPE);
	a->mask = number(a, DHCP_OPTION_MASK);
	a->server = number(a, DHCP_OPTION_SERVER_ID);
	a->router = number(a, DHCP_OPTION_ROUTER);
	a->lease_s = number(a, DHCP_OPTION_LEASE_TIME);
	a->t1_s = number(a, DHCP_OPTION_T1);
	a->t2_s = number(a, DHCP_OPTION_T2);
}

static struct out *out_new(struct host *h, int kind)
{
	static struct out spill;
	struct out *o = h->out_cnt < T_OUTS ? &h->out[h->out_cnt] : &spill;

	h->out_cnt++;
	o->kind = kind;
	o->len = 0;
	return o;
}

static void on_send(void *arg, int ifindex, const uint8_t *frame, size_t len)
{
	struct out *o = out_new(arg, OUT_SEND);

	assert_true(len <= sizeof(o->frame));
	o->ifindex = ifindex;
	o->len = len;
	memcpy(o->frame, frame, len);
}

static void on_propose(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
		       const uint8_t *ack, size_t len)
{
	struct out *o = out_new(arg, OUT_PROPOSE);

	assert_int_equal(dhcp_lease_check(lease, NULL), 0);
	assert_true(len <= sizeof(o->frame));
	o->id = id;
	o->lease = *lease;
	o->ifindex = ifindex;
	o->len = len;
	if (len)
		memcpy(o->frame, ack, len);
}

static void on_release(void *arg, const struct dhcp_lease *lease)
{
	assert_int_equal(dhcp_lease_check(lease, NULL), 0);
	out_new(arg, OUT_RELEASE)->lease = *lease;
}

static void on_notice(void *arg, uint32_t network_id, const char *text)
{
	struct out *o = out_new(arg, OUT_NOTICE);

	snprintf(o->text, sizeof(o->text), "%s", text);
}

struct nd_mac mac_of(unsigned n)
{
	return (struct nd_mac){ { 0x52, 0x54, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

struct nd_uuid port_uuid(unsigned n)
{
	return (struct nd_uuid){ { 0xaa, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n } };
}

struct dhcp_network host_network(void)
{
	static const struct dhcp_range range = { T_NET + 100, T_NET + 199, 0 };

	return (struct dhcp_network){ .id = 1,
				      .uuid = { { 1 } },
				      .ifindex = T_IFINDEX,
				      .server_mac = { { 0x52, 0x54, 0, 0xff, 0, 1 } },
				      .address_ip4 = T_SERVER,
				      .prefix_len = 24,
				      .router_ip4 = T_SERVER,
				      .dns_ip4 = { T_SERVER },
				      .dns_cnt = 1,
				      .domain = "lab.test",
				      .lease_s = 3600,
				      .ranges = &range,
				      .range_cnt = 1 };
}

void host_init(struct host *h)
{
	memset(h, 0, sizeof(*h));
	h->now_ms = 1000000;
	h->deadline_ms = UINT64_MAX;
	h->g = dhcp_engine_new(T_FOREIGN, T_WALL_S, 0);
	assert_non_null(h->g);
}

void host_done(struct host *h)
{
	dhcp_engine_free(h->g);
}

void host_port(struct host *h, unsigned n)
{
	struct dhcp_port p = {
		.mark = T_MARK + n - 1, .network_id = 1, .uuid = port_uuid(n), .mac = mac_of(n)
	};

	snprintf(p.name, sizeof(p.name), "vm%u", n);
	assert_int_equal(dhcp_engine_port_set(h->g, &p, NULL), 0);
}

void host_input(struct host *h, const struct dhcp_input *in)
{
	const struct dhcp_output out = { h, on_send, on_propose, on_release, on_notice };

	h->out_cnt = 0;
	h->deadline_ms = dhcp_engine_input(h->g, in, h->now_ms, &out);
}

void host_ask(struct host *h, uint32_t mark, const struct ask *a)
{
	uint8_t frame[DHCP_FRAME_MAX];
	struct dhcp_input in = {
		.kind = DHCP_INPUT_FRAME, .ifindex = T_IFINDEX, .mark = mark, .frame = frame
	};

	in.len = ask_frame(a, frame);
	host_input(h, &in);
}

void host_tick(struct host *h, uint64_t later_ms)
{
	struct dhcp_input in = { .kind = DHCP_INPUT_TICK };

	h->now_ms += later_ms;
	host_input(h, &in);
}

void host_stored(struct host *h, uint64_t id)
{
	struct dhcp_input in = { .kind = DHCP_INPUT_STORED, .id = id };

	host_input(h, &in);
}

void host_arp(struct host *h, const struct nd_mac *sender, uint32_t sender_ip4, uint32_t target_ip4,
	      bool is_reply)
{
	uint8_t frame[DHCP_ARP_LEN];
	struct dhcp_input in = { .kind = DHCP_INPUT_ARP, .ifindex = T_IFINDEX, .frame = frame };

	in.len = dhcp_arp_probe_build(sender, target_ip4, frame);
	frame[21] = is_reply ? 2 : 1;
	for (int i = 0; i < 4; i++)
		frame[28 + i] = (uint8_t)(sender_ip4 >> (24 - 8 * i));
	host_input(h, &in);
}

const struct out *host_out(const struct host *h, int kind)
{
	for (size_t i = 0; i < h->out_cnt && i < T_OUTS; i++)
		if ((int)h->out[i].kind == kind)
			return &h->out[i];
	return NULL;
}

void host_expect(const struct host *h, uint8_t type, struct answer *ret)
{
	const struct out *o = host_out(h, OUT_SEND);
	size_t cnt = 0;

	if (!o)
		o = host_out(h, OUT_PROPOSE);
	for (size_t i = 0; i < h->out_cnt && i < T_OUTS; i++)
		cnt += h->out[i].kind == OUT_SEND || h->out[i].kind == OUT_PROPOSE;
	assert_int_equal(cnt, 1);
	assert_int_equal(o->ifindex, T_IFINDEX);
	answer_parse(o->frame, o->len, ret);
	assert_int_equal(ret->type, type);
	assert_int_equal(ret->server, T_SERVER);
	assert_int_equal(ret->src_ip4, T_SERVER);
}

void host_expect_drop(const struct host *h, int drop)
{
	assert_null(host_out(h, OUT_SEND));
	assert_null(host_out(h, OUT_PROPOSE));
	assert_null(host_out(h, OUT_RELEASE));
	assert_true(dhcp_engine_counters(h->g)->drop[drop] > 0);
}

uint32_t host_bind(struct host *h, uint32_t mark, const struct ask *who)
{
	struct ask a = *who;
	struct answer got;

	a.type = DHCP_DISCOVER;
	host_ask(h, mark, &a);
	host_expect(h, DHCP_OFFER, &got);
	a.type = DHCP_REQUEST;
	a.requested = got.yiaddr;
	a.server = T_SERVER;
	host_ask(h, mark, &a);
	host_expect(h, DHCP_ACK, &got);
	assert_int_equal(got.yiaddr, a.requested);
	host_stored(h, host_out(h, OUT_PROPOSE)->id);
	assert_int_equal(h->out_cnt, 0);
	return got.yiaddr;
}

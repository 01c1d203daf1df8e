/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_DHCP_HARNESS_H
#define ND_TESTS_DHCP_HARNESS_H
/* A DHCP client that speaks in frames, and a host of the engine that notes what comes out. */
#include "dhcp/engine.h"
#include "dhcp/frame.h"

#define T_FOREIGN 0x4e440000u
#define T_MARK    0x4e440001u /* of port 1; port n has T_MARK + n - 1 */
#define T_IFINDEX 7
#define T_NET     0xc0a87a00u /* 192.168.122.0/24 */
#define T_SERVER  (T_NET + 1)
#define T_WALL_S  1700000000 /* at now_ms 0 */
#define T_OUTS    32

struct ask { /* a request to be; zero: not sent */
	uint8_t type;
	struct nd_mac mac;
	struct nd_mac src; /* zero: mac */
	uint32_t xid, ciaddr, giaddr, dst_ip4 /* 0: broadcast */;
	uint16_t flags;
	uint32_t requested, server, lease_s;
	uint16_t size_max;
	const char *hostname;
	const char *client_id;  /* its bytes are the string's */
	const char *parameters; /* likewise */
	const uint8_t *raw;     /* more options, as bytes */
	size_t raw_len;
};
/* Return: the frame's length, checksums complete. buf: DHCP_FRAME_MAX. */
size_t ask_frame(const struct ask *a, uint8_t *buf);

struct answer { /* a reply taken apart */
	struct nd_mac dst;
	uint32_t dst_ip4, src_ip4;
	uint16_t dst_port, flags;
	uint8_t type;
	uint32_t xid, ciaddr, yiaddr, giaddr, mask, server, router, lease_s, t1_s, t2_s;
	size_t payload_len;
	uint8_t order[64]; /* option codes in order of appearance, all areas */
	size_t order_cnt;
	uint8_t option[256][256]; /* by code */
	size_t option_len[256];
};
/* Asserts that the frame is well-formed, checksums included. */
void answer_parse(const uint8_t *frame, size_t len, struct answer *ret);

struct out {
	enum { OUT_SEND, OUT_PROPOSE, OUT_RELEASE, OUT_NOTICE } kind;
	uint64_t id;
	int ifindex;
	struct dhcp_lease lease;
	uint8_t frame[DHCP_FRAME_MAX];
	size_t len;
	char text[256];
};
struct host {
	struct dhcp_engine *g;
	uint64_t now_ms, deadline_ms;
	struct out out[T_OUTS];
	size_t out_cnt; /* of the last input; more than T_OUTS are counted, not kept */
};
void host_init(struct host *h);
void host_done(struct host *h);
/* The network 192.168.122.0/24, .100 to .199, as changed by the caller before it is set. */
struct dhcp_network host_network(void);
void host_port(struct host *h, unsigned n); /* port n of network 1, with mac_of(n), name "vm<n>" */
struct nd_mac mac_of(unsigned n);           /* 52:54:00:00:00:nn */
struct nd_uuid port_uuid(unsigned n);

void host_input(struct host *h, const struct dhcp_input *in);
void host_ask(struct host *h, uint32_t mark, const struct ask *a);
void host_tick(struct host *h, uint64_t later_ms);
void host_stored(struct host *h, uint64_t id);
void host_arp(struct host *h, const struct nd_mac *sender, uint32_t sender_ip4, uint32_t target_ip4,
	      bool is_reply);
/* The last input's first output of this kind, or NULL. */
const struct out *host_out(const struct host *h, int kind);
/* Asserts that the last input gave exactly one frame of this type, sent (OFFER, NAK) or proposed (ACK). */
void host_expect(const struct host *h, uint8_t type, struct answer *ret);
/* Asserts that nothing came out and that this reason was counted last. */
void host_expect_drop(const struct host *h, int drop);
/* DISCOVER, OFFER, REQUEST, ACK, stored. Return: the address. */
uint32_t host_bind(struct host *h, uint32_t mark, const struct ask *who);
#endif

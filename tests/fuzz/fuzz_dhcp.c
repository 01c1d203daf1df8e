// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: any sequence of frames, answers and changes for the DHCP engine
 *
 * Input: records, one byte of kind and then what belongs to it. Two networks, four ports, a few leases and reservations are there before. Kinds:
 *   0  frame as it is: flags (1 byte: bit 0 second network, bits 1-3 port or foreign), length (2 bytes), bytes
 *   1  DHCP message: flags as above, length (2 bytes), the UDP payload from op on; headers and checksums are ours
 *   2  ARP frame: flags, length (2 bytes), bytes
 *   3  time: milliseconds (3 bytes)
 *   4  stored, 5  refused: which of the proposals not answered (1 byte)
 *   6  lease freed: last byte of the address
 *   7  network set anew: variant (1 byte)
 *   8  lease loaded: last byte of the address, identity (1 byte), state and life (1 byte)
 *   9  port gone or back: which (1 byte)
 * Each output must be one that netd takes: a lease that passes dhcp_lease_check, a frame that is the server's or a probe; and no address or identity may
 * have two proposals under way.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "dhcp/engine.h"
#include "dhcp/frame.h"

#define FOREIGN     0x4e440000u
#define NET_BASE    0x0a000000u
#define PORTS       4
#define WAITING_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct run {
	struct dhcp_engine *g;
	struct dhcp_output out;
	uint64_t now_ms, last_id;
	struct {
		uint64_t id;
		struct dhcp_lease lease;
	} waiting[WAITING_MAX];
	size_t waiting_cnt;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_dhcp: %s\n", what);
	abort();
}

static void on_send(void *arg, int ifindex, const uint8_t *frame, size_t len)
{
	struct dhcp_frame f;
	struct dhcp_arp a;

	must(ifindex == 10 || ifindex == 11, "sends on an interface that is not the network's");
	must(len >= DHCP_ARP_LEN && len <= DHCP_FRAME_MAX, "length of a frame");
	if (len == DHCP_ARP_LEN) {
		must(dhcp_arp_parse(frame, len, &a) == DHCP_KEEP && !a.is_reply && a.sender_ip4 == 0,
		     "probe");
		return;
	}
	/* To a client's port it is refused as not to a server's, after all other checks. */
	must(dhcp_frame_parse(frame, len, false, &f) == (frame[37] == 67 ? DHCP_KEEP : DHCP_DROP_UDP),
	     "frame");
	must(frame[35] == 67 && (frame[37] == 67 || frame[37] == 68), "ports");
}

static void on_propose(void *arg, uint64_t id, const struct dhcp_lease *lease, int ifindex,
		       const uint8_t *ack, size_t len)
{
	struct run *r = arg;

	must(dhcp_lease_check(lease, NULL) == 0, "proposes a lease that netd refuses");
	must(id > r->last_id, "ids of proposals do not rise");
	r->last_id = id;
	if (ack)
		on_send(arg, ifindex, ack, len);
	for (size_t i = 0; i < r->waiting_cnt; i++) {
		const struct dhcp_lease *l = &r->waiting[i].lease;

		if (!nd_uuid_equal(&l->network, &lease->network))
			continue;
		must(l->ip4 != lease->ip4, "two proposals for one address");
		must(l->state || lease->state || !dhcp_identity_equal(&l->identity, &lease->identity),
		     "two proposals for one identity");
	}
	must(r->waiting_cnt < WAITING_MAX, "more proposals than addresses");
	r->waiting[r->waiting_cnt].id = id;
	r->waiting[r->waiting_cnt++].lease = *lease;
}

static void on_release(void *arg, const struct dhcp_lease *lease)
{
	must(dhcp_lease_check(lease, NULL) == 0, "releases a lease that netd refuses");
}

static void on_notice(void *arg, uint32_t network_id, const char *text)
{
	must((network_id == 1 || network_id == 2) && text[0] && strlen(text) < 256, "notice");
}

static void input(struct run *r, struct dhcp_input *in)
{
	uint64_t next = dhcp_engine_input(r->g, in, r->now_ms, &r->out);

	must(next > r->now_ms, "the next deadline has passed");
}

static struct nd_mac port_mac(unsigned n)
{
	return (struct nd_mac){ { 0x52, 0x54, 0, 0, 0, (uint8_t)(n + 1) } };
}

/* Variants change range, probing, reservations, routes and boot files. */
static void network_set(struct run *r, uint32_t id, unsigned variant)
{
	uint32_t base = NET_BASE + id * 256;
	struct dhcp_range range = { base + 100, base + (variant & 1 ? 104 : 112), variant & 2 ? 60 : 0 };
	struct dhcp_host hosts[] = {
		{ .has_mac = true, .mac = port_mac(0), .name = "zero.lab", .ip4 = base + 103 },
		{ .name = "web", .ip4 = base + 20 }
	};
	struct dhcp_route route = { 0xc0000200, 24, base + 104 };
	struct dhcp_boot boots[] = { { DHCP_BOOT_ANY, "any.0" }, { DHCP_BOOT_IPXE, "http://x/ipxe" } };
	struct dhcp_network n = { .id = id,
				  .uuid = { { (uint8_t)id } },
				  .ifindex = 9 + (int)id,
				  .server_mac = { { 2, 0, 0, 0, 0, 1 } },
				  .address_ip4 = base + 1,
				  .prefix_len = 24,
				  .router_ip4 = base + 1,
				  .dns_ip4 = { base + 1 },
				  .dns_cnt = 1,
				  .domain = "lab.test",
				  .mtu = 1400,
				  .probe = variant & 4,
				  .ranges = &range,
				  .range_cnt = 1,
				  .hosts = hosts,
				  .host_cnt = variant >> 3 & 3 };

	if (n.host_cnt > ARRAY_LEN(hosts))
		n.host_cnt = ARRAY_LEN(hosts);
	if (variant & 32) {
		n.routes = &route;
		n.boots = boots;
		n.route_cnt = 1;
		n.boot_cnt = ARRAY_LEN(boots);
		n.next_server_ip4 = base + 1;
	}
	must(dhcp_engine_network_set(r->g, &n, NULL) == 0, "network_set");
}

static void port_set(struct run *r, unsigned n)
{
	struct dhcp_port p = { .mark = FOREIGN + 1 + n,
			       .network_id = n < 3 ? 1 : 2,
			       .uuid = { { 0xaa, (uint8_t)n } },
			       .mac = port_mac(n) };

	snprintf(p.name, sizeof(p.name), "vm%u", n);
	must(dhcp_engine_port_set(r->g, &p, NULL) == 0, "port_set");
}

static void lease_load(struct run *r, uint8_t at, uint8_t who, uint8_t how)
{
	struct dhcp_lease l = { .network = { { 1 } },
				.ip4 = NET_BASE + 256 + at,
				.state = how & 1,
				.mac = port_mac(who),
				.identity = { DHCP_IDENTITY_CLIENT_ID, 1, { who } } };

	if (l.mac.b[0] & 1)
		return;
	if (who < PORTS) {
		l.port = (struct nd_uuid){ { 0xaa, who } };
		l.identity = (struct dhcp_identity){ DHCP_IDENTITY_PORT, 16, { 0xaa, who } };
	}
	l.expiry_s = how & 2 ? UINT64_MAX : 1000u + how;
	must(dhcp_engine_lease_load(r->g, &l, r->now_ms, NULL) == 0, "lease_load");
}

static void frame_input(struct run *r, struct nd_reader *in, int kind, bool headers)
{
	uint8_t buf[DHCP_FRAME_MAX], flags = nd_read_u8(in);
	size_t len = nd_read_be16(in), left = nd_reader_left(in), room = sizeof(buf) - DHCP_FRAME_HEADER;
	unsigned who = flags >> 1 & 7;
	struct dhcp_addressee to = { .src = port_mac(who), .dst_port = DHCP_PORT_SERVER };
	struct dhcp_input i = { .kind = kind,
				.ifindex = 10 + (flags & 1),
				.mark = who < 6 ? FOREIGN + who : 0,
				.frame = buf,
				.checksum_unverified = flags >> 4 & 1 };

	len = len < left ? len : left;
	len = len < room ? len : room;
	nd_read_copy(in, buf + (headers ? DHCP_FRAME_HEADER : 0), len);
	to.dst_ip4 = flags >> 5 & 1 ? NET_BASE + 256u * (1 + (flags & 1)) + 1 : DHCP_IP4_BROADCAST;
	/* The Ethernet source is the one in chaddr, unless flagged: most of what follows is behind that check. */
	if (headers && len >= 34 && !(flags >> 6 & 1))
		memcpy(to.src.b, buf + DHCP_FRAME_HEADER + 28, sizeof(to.src.b));
	i.len = headers ? dhcp_frame_build(&to, buf, len) : len;
	input(r, &i);
}

static void answer(struct run *r, uint8_t which, int kind)
{
	struct dhcp_input i = { .kind = kind };

	if (r->waiting_cnt == 0)
		return;
	which %= (uint8_t)r->waiting_cnt;
	i.id = r->waiting[which].id;
	r->waiting[which] = r->waiting[--r->waiting_cnt];
	input(r, &i);
}

/* A network that is set anew may forget what is under way: so do we. */
static void change(struct run *r, uint8_t variant)
{
	network_set(r, 1 + (variant >> 7), variant & 0x7f);
	while (r->waiting_cnt)
		answer(r, 0, variant & 0x40 ? DHCP_INPUT_STORED : DHCP_INPUT_REFUSED);
}

static void step(struct run *r, struct nd_reader *in)
{
	uint8_t kind = nd_read_u8(in), a;
	struct dhcp_input tick = { .kind = DHCP_INPUT_TICK };

	switch (kind % 10) {
	case 0:
	case 1: frame_input(r, in, DHCP_INPUT_FRAME, kind % 10 == 1); break;
	case 2: frame_input(r, in, DHCP_INPUT_ARP, false); break;
	case 3:
		r->now_ms += (uint64_t)nd_read_u8(in) << 16;
		r->now_ms += nd_read_be16(in);
		input(r, &tick);
		break;
	case 4: answer(r, nd_read_u8(in), DHCP_INPUT_STORED); break;
	case 5: answer(r, nd_read_u8(in), DHCP_INPUT_REFUSED); break;
	case 6:
		dhcp_engine_lease_free(r->g, &(struct nd_uuid){ { 1 } }, NET_BASE + 256 + nd_read_u8(in));
		break;
	case 7: change(r, nd_read_u8(in)); break;
	case 8:
		a = nd_read_u8(in);
		kind = nd_read_u8(in);
		lease_load(r, a, kind, nd_read_u8(in));
		break;
	case 9:
		a = nd_read_u8(in);
		if (a & 4)
			port_set(r, a & 3);
		else
			dhcp_engine_port_del(r->g, FOREIGN + 1 + (a & 3));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nd_reader in = nd_reader(data, len);
	struct run r = { .now_ms = 1000, .g = dhcp_engine_new(FOREIGN, 1000, 1) };

	must(r.g != NULL, "memory");
	r.out = (struct dhcp_output){ &r, on_send, on_propose, on_release, on_notice };
	network_set(&r, 1, 0x0c);
	network_set(&r, 2, 0x10);
	for (unsigned n = 0; n < PORTS; n++)
		port_set(&r, n);
	lease_load(&r, 110, 1, 0xf0);
	lease_load(&r, 111, 0x80, 0x02);
	lease_load(&r, 112, 0x81, 0xf1);
	while (nd_reader_left(&in))
		step(&r, &in);
	dhcp_engine_free(r.g);
	return 0;
}

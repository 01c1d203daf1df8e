/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_EXCHANGE_H
#define ND_DHCP_EXCHANGE_H
/*
 * DOC: the engine's inside: its state, and one message being served
 *
 * engine.c owns the state and the inputs, exchange.c says who sent a frame and whether it is served at all, serve.c answers the messages, and
 * binding.c moves bindings from state to state. Private to these four.
 */
#include "base/log.h"
#include "base/map.h"
#include "dhcp/engine.h"
#include "dhcp/pool.h"
#include "dhcp/reply.h"

#define DHCP_OFFER_MS      60000u /* an offer stands for a minute */
#define DHCP_DECLINED_S    3600u  /* an address found in use is set aside for an hour */
#define DHCP_HOUR_MS       3600000u
#define DHCP_PORT_DECLINES 8  /* an hour: a port that says more is not served with addresses */
#define DHCP_PORT_FRAME_MS 20 /* one frame's share of a port's time: 50 a second */
#define DHCP_PORT_BURST    100
#define DHCP_NETWORK_HOURLY \
	64 /* an hour: declines and conflicts of foreign clients; new clients behind a port */
#define DHCP_UNSTORED_MAX 4096 /* offers, probes and first leases under way, per network */
#define DHCP_PROBES_MAX   8192 /* probes under way in all networks: each holds a copy of its DISCOVER */
#define DHCP_NOTICE_MS    60000u
#define DHCP_HIGH_PERCENT 90 /* of a pool taken: told, and again after it was below DHCP_LOW_PERCENT */
#define DHCP_LOW_PERCENT  80
#define DHCP_USAGE_MS     10000u /* how often it is looked at while it is told */

/* Events in the running hour. Zero is a valid state. */
struct dhcp_hourly {
	uint64_t since_ms;
	uint32_t cnt;
};

enum dhcp_notice_kind {
	DHCP_NOTICE_FULL,
	DHCP_NOTICE_HIGH,
	DHCP_NOTICE_CONFLICT,
	DHCP_NOTICE_CLONE,
	DHCP_NOTICE_RATE,
	DHCP_NOTICE_CNT_
};

struct dhcp_net {
	struct nd_map_node by_id, by_uuid, by_ifindex;
	bool has_ifindex; /* stands in by_ifindex */
	struct dhcp_engine *engine;
	struct dhcp_network config; /* ranges and hosts are the pool's; routes and boots its own */
	struct dhcp_pool pool;
	uint32_t unstored_cnt; /* bindings no lease of which is stored: PROBING, OFFERED, PROPOSED */
	bool is_high;          /* was above DHCP_HIGH_PERCENT, and not below DHCP_LOW_PERCENT since */
	uint64_t usage_ms;     /* when that was looked at last */
	struct dhcp_hourly declines;
	struct nd_ratelimit notice[DHCP_NOTICE_CNT_];
};
struct dhcp_member { /* a port */
	struct nd_map_node by_mark, by_name, by_mac;
	bool has_name, has_mac; /* stands in by_name, in by_mac */
	struct dhcp_port config;
	char name_key[DHCP_HOSTNAME_MAX];
	char hostname[DHCP_HOSTNAME_MAX]; /* its name, where that is a host name */
	struct dhcp_hourly declines;
	struct dhcp_hourly strangers; /* new clients behind it */
	uint64_t busy_until_ms;       /* its frames so far fill its time until then */
};
struct dhcp_engine {
	uint32_t foreign_mark;
	int64_t wall_offset_s;
	uint64_t random;   /* xorshift state; 0: none */
	uint64_t proposal; /* id of the last one */
	struct nd_map net_by_id, net_by_uuid, net_by_ifindex, member_by_mark;
	struct nd_map member_by_name, member_by_mac; /* by network and key; two may be alike for a moment */
	struct nd_map proposals;                     /* bindings by proposal */
	struct nd_list offers, probes;               /* bindings, soonest deadline first */
	uint32_t probe_cnt;
	struct dhcp_counters counters;
	uint8_t frame[DHCP_FRAME_MAX]; /* the reply being built */
};

/* One input's time and way out. */
struct dhcp_turn {
	struct dhcp_engine *g;
	const struct dhcp_output *out;
	uint64_t now_ms, now_s; /* boot time; wall clock */
};
/* A message with what was found out about its sender. Points into itself: never copied. */
struct dhcp_exchange {
	const struct dhcp_turn *t;
	struct dhcp_net *net;
	struct dhcp_member *member; /* NULL: foreign */
	const uint8_t *bytes;       /* the frame */
	size_t len;
	uint32_t mark;
	struct dhcp_frame frame;
	struct dhcp_packet packet;
	struct dhcp_identity identity, client_id;
	struct nd_uuid port; /* zero: the identity is no port's */
	struct dhcp_who who;
};
struct dhcp_saved { /* the DISCOVER of a probe, in one piece with its frame */
	size_t len;
	uint32_t xid, mark;
	uint8_t frame[];
};

static inline struct dhcp_net *dhcp_net_of(struct dhcp_pool *p)
{
	return container_of(p, struct dhcp_net, pool);
}

/* ---- engine.c ---- */
struct dhcp_net *dhcp_engine_find_ifindex(const struct dhcp_engine *g, int ifindex);
struct dhcp_member *dhcp_engine_find_member(const struct dhcp_engine *g, uint32_t mark);
/* Whether a port of this network has this MAC. */
bool dhcp_engine_has_port_mac(const struct dhcp_engine *g, uint32_t network_id, const struct nd_mac *mac);
/* Whether a port of this network has this name. */
bool dhcp_engine_has_port_name(const struct dhcp_engine *g, uint32_t network_id, const char *name);

/* ---- exchange.c ---- */
/* Whether a frame of this mark is within its port's rate, and counts it. Foreign marks have none. */
bool dhcp_exchange_rate_pass(const struct dhcp_turn *t, uint32_t mark);
/* Parses and identifies. in's frame is borrowed by ret. Return: DHCP_KEEP or an enum dhcp_drop. */
int dhcp_exchange_open(struct dhcp_exchange *ret, const struct dhcp_turn *t, const struct dhcp_input *in);
bool dhcp_exchange_on_subnet(const struct dhcp_exchange *x, uint32_t ip4);
/* Sends OFFER, NAK or the ACK of an INFORM, and counts it. Return: DHCP_KEEP, or DHCP_DROP_OPTION when it does not fit. */
int dhcp_exchange_reply(const struct dhcp_exchange *x, const struct dhcp_reply *r);
/* Tells netd, at most once a minute for a network and kind. */
void dhcp_turn_notice(const struct dhcp_turn *t, struct dhcp_net *net, enum dhcp_notice_kind kind,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Counts one more. Return: false when the hour has its max already; then it is not counted. */
bool dhcp_hourly_add(struct dhcp_hourly *h, uint64_t now_ms, uint32_t max);
bool dhcp_hourly_is_full(const struct dhcp_hourly *h, uint64_t now_ms, uint32_t max);

/* ---- serve.c ---- */
/* Answers an open exchange. Return: DHCP_KEEP or an enum dhcp_drop. */
int dhcp_serve(struct dhcp_exchange *x);
/* The probe of b is over and nobody answered: its DISCOVER gets an OFFER. */
void dhcp_serve_probed(const struct dhcp_turn *t, struct dhcp_binding *b);
/* Somebody else has the address that b is probing: it is set aside and the client gets another. */
void dhcp_serve_conflict(const struct dhcp_turn *t, struct dhcp_binding *b, const struct nd_mac *holder);

/* ---- binding.c ---- */
void dhcp_binding_forget(struct dhcp_pool *p, struct dhcp_binding *b); /* for dhcp_pool_init() */
/* Holds b back for a probe. saved: taken. */
void dhcp_binding_probe(const struct dhcp_turn *t, struct dhcp_binding *b, struct dhcp_saved *saved);
void dhcp_binding_offer(const struct dhcp_turn *t, struct dhcp_binding *b);
/* The offer was not taken: a binding without a lease goes, another is what it was. */
void dhcp_binding_withdraw(struct dhcp_binding *b);
/* Under way to the store from here; lease.expiry_s becomes expiry_s. Return: the proposal's id, 0: no memory, nothing changed. */
uint64_t dhcp_binding_propose(const struct dhcp_turn *t, struct dhcp_binding *b, uint64_t expiry_s);
void dhcp_binding_stored(struct dhcp_engine *g, uint64_t id);  /* an unknown id is ignored: */
void dhcp_binding_refused(struct dhcp_engine *g, uint64_t id); /* its binding was forgotten meanwhile */
/* Found in use by somebody else: belongs to nobody for an hour. Proposed to the store. */
void dhcp_binding_set_aside(const struct dhcp_turn *t, struct dhcp_binding *b);
void dhcp_binding_release(const struct dhcp_turn *t, struct dhcp_binding *b); /* BOUND; expired from now on */
/* netd deleted the lease. */
void dhcp_binding_freed(struct dhcp_binding *b);
#endif

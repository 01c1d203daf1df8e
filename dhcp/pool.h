/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_POOL_H
#define ND_DHCP_POOL_H
/*
 * DOC: who holds which address of one network
 *
 * A binding ties one address to one identity, from the first offer until it is forgotten; an address has at most one, and so has an
 * identity (an address set aside has none). Past its expiry a binding stays as the identity's previous lease, until its address is needed. What
 * the pool does not know: time (it is told), frames, proposals' outcomes; the engine moves a binding from state to state.
 * An idle network costs nothing here but its ranges; the bitmap of taken addresses comes with the first binding.
 */
#include "base/map.h"
#include "dhcp/reserve.h"

#define DHCP_POOL_SIZE_MAX (1u << 22) /* addresses in all ranges of a network: half a MiB of bitmap */
#define DHCP_NEVER         UINT64_MAX

enum dhcp_binding_state {
	DHCP_BINDING_PROBING,  /* asked for by ARP, the client has heard nothing */
	DHCP_BINDING_OFFERED,  /* in memory only */
	DHCP_BINDING_PROPOSED, /* first lease under way to the store */
	DHCP_BINDING_BOUND,    /* stored; the address may also be offered or under renewal */
	DHCP_BINDING_DECLINED, /* set aside until its expiry */
};
struct dhcp_saved; /* the engine's copy of a message */
struct dhcp_binding {
	struct nd_map_node by_ip, by_identity, by_client_id; /* the pool's */
	struct nd_map_node by_proposal;                      /* the engine's, while proposal is set */
	struct nd_list timer; /* the engine's: offers or probes, in order of deadline */
	struct dhcp_pool *pool;
	struct dhcp_saved *request; /* PROBING: the DISCOVER to answer; heap, freed with the binding */
	uint64_t deadline_ms;       /* of timer, now_ms terms */
	uint64_t proposal;          /* id under way; 0: none */
	uint64_t stored_expiry_s;   /* BOUND: what the store has while lease.expiry_s is proposed */
	uint64_t free_at_s;         /* wall clock: the address may go to another then; DHCP_NEVER */
	uint32_t heap_at;           /* place in the pool's heap */
	uint32_t mark;              /* of the port that asked last; 0: loaded */
	uint32_t
		replaced_ip4; /* where the identity's stored lease is while this one is none yet; 0: nowhere */
	uint8_t state;        /* enum dhcp_binding_state */
	bool has_identity, has_client_id; /* stands in the pool's map */
	bool offered;                     /* an offer is out: on the engine's list of offers */
	bool fresh;                       /* no lease of this address was known before */
	bool counted;                     /* the engine counts it as unstored */
	struct dhcp_lease lease;
};

struct dhcp_pool_range {
	uint32_t first_ip4, last_ip4, lease_s;
	uint32_t index; /* of first_ip4 in the bitmap */
};
struct dhcp_pool {
	uint32_t server_ip4, network_ip4, broadcast_ip4;
	uint32_t lease_s;
	struct dhcp_pool_range *range; /* sorted, without overlaps */
	uint32_t range_cnt;
	uint32_t size, free_cnt; /* addresses in ranges; of them neither bound nor kept back */
	uint32_t kept_cnt;       /* of them kept back; counted with the bitmap */
	uint64_t *taken;         /* bitmap of size bits; NULL until the first binding */
	struct dhcp_reserves reserves;
	struct nd_map by_ip, by_identity, by_client_id;
	struct dhcp_binding **heap; /* all bindings by free_at_s */
	uint32_t heap_cnt, heap_size;
	void (*forget)(struct dhcp_pool *p, struct dhcp_binding *b);
};

/* forget: called before a binding is freed, to take it off the lists that are not the pool's. */
void dhcp_pool_init(struct dhcp_pool *p, void (*forget)(struct dhcp_pool *p, struct dhcp_binding *b));
void dhcp_pool_done(struct dhcp_pool *p);
/*
 * Takes over address, ranges, reservations and lease time; bindings that do not fit any more are forgotten. Overlapping ranges are
 * merged, the one that starts first wins.
 * Return: 0, ND_INVALID (a range ends before it starts), ND_LIMIT (too many addresses), ND_MEMORY; the pool is as before then.
 */
int dhcp_pool_configure(struct dhcp_pool *p, const struct dhcp_network *n, struct nd_error *e);

struct dhcp_binding *dhcp_pool_find_ip(const struct dhcp_pool *p, uint32_t ip4);
struct dhcp_binding *dhcp_pool_find_identity(const struct dhcp_pool *p, const struct dhcp_identity *id);
/* The binding of a port that sent this client identifier, first come. */
struct dhcp_binding *dhcp_pool_find_client_id(const struct dhcp_pool *p,
					      const struct dhcp_identity *client_id);

/* Whether this client may have this address: it is reserved for it, or it is in a range, kept back for nobody, and the client
 * has no reservation that it could have instead. Says nothing about who holds it now. */
bool dhcp_pool_may_hold(const struct dhcp_pool *p, const struct dhcp_who *who, uint32_t ip4, uint64_t now_s);
/* Whether the address is one that this pool gives out at all. */
bool dhcp_pool_is_ours(const struct dhcp_pool *p, uint32_t ip4);
/*
 * The address for a DISCOVER: the reservation; the identity's current or previous lease; the one it asks for (0: none), if free; one
 * chosen by the identity's hash, or the next free one; the one that expired first. A binding made here is OFFERED and fresh or not; one
 * that was there is as it was. The caller has seen to it that the identity has nothing under way.
 * Return: NULL when there is none (or no memory).
 */
struct dhcp_binding *dhcp_pool_pick(struct dhcp_pool *p, const struct dhcp_who *who, uint32_t requested_ip4,
				    uint64_t now_s);
/* This very address, if the client may hold it and nobody else does. Return: NULL if not. */
struct dhcp_binding *dhcp_pool_claim(struct dhcp_pool *p, const struct dhcp_who *who, uint32_t ip4,
				     uint64_t now_s);
/* A lease from the store, copied, as a BOUND or DECLINED binding in place of what was there for its address and its identity. Return: NULL when it
 * does not fit the network or there is no memory. */
struct dhcp_binding *dhcp_pool_load(struct dhcp_pool *p, const struct dhcp_lease *l);
void dhcp_pool_remove(struct dhcp_pool *p, struct dhcp_binding *b);

/* Settles when the address may go to another; to be called after each change of state, offered, proposal or lease.expiry_s. */
void dhcp_pool_schedule(struct dhcp_binding *b);
/* What becomes of the lease at b->replaced_ip4: it goes since b has been stored in its place, or b has come to nothing and it is the
 * identity's again. */
void dhcp_pool_settle(struct dhcp_pool *p, struct dhcp_binding *b, bool stored);
/* The binding loses its identity: it becomes an address set aside. */
void dhcp_pool_disown(struct dhcp_pool *p, struct dhcp_binding *b);
/* Replaces lease.client_id and keeps the index of ports' client identifiers. */
void dhcp_pool_set_client_id(struct dhcp_pool *p, struct dhcp_binding *b,
			     const struct dhcp_identity *client_id);
/* Whether leases and offers take at least so much of what everybody may have. Looks at as many previous leases as lie above that, no more. */
bool dhcp_pool_is_above(const struct dhcp_pool *p, unsigned percent, uint64_t now_s);
/* Lease time of an address, seconds or DHCP_LEASE_INFINITE. host: the client's reservation or NULL. */
uint32_t dhcp_pool_lease_s(const struct dhcp_pool *p, const struct dhcp_host *host, uint32_t ip4);
#endif

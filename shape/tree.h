/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_SHAPE_TREE_H
#define ND_SHAPE_TREE_H
/*
 * DOC: an HTB at a device's root as data: wanted, read, compared, applied. Private to shape/.
 */
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>

#include "shape/shape.h"

/* "nd": tells netd's from others'. Leaves have 7000 and their class's minor as their handle. */
#define TREE_HANDLE    0x6e640000u
#define TREE_TOP       1 /* all of it; a leaf unless shared */
#define TREE_REST      2 /* shared: what has no floor */
#define TREE_KIND_SIZE 16

struct tree_class {
	uint16_t minor, parent;   /* parent 0: the root */
	bool leaf;                /* frames wait in it; read: it has a leaf of ours */
	uint64_t rate, ceil;      /* bytes/s */
	uint32_t buffer, cbuffer; /* ticks of 64 ns that burst bytes take at rate and at ceil */
	uint32_t quantum;         /* bytes; leaves only */
};
struct tree_filter {
	uint16_t minor; /* the class of frames to mac */
	struct nd_mac mac;
	uint32_t handle; /* read */
	bool odd;        /* read: none of ours */
};
struct tree {
	bool ours; /* there is one of netd's; wanted: there shall be */
	uint16_t default_minor;
	struct tree_class *classes; /* heap, by ascending minor */
	size_t class_cnt, class_size;
	struct tree_filter *filters; /* heap */
	size_t filter_cnt, filter_size;
};

/* plan.c, pure. *ret is written always, to be ended with tree_done. Return: 0, ND_INVALID, ND_MEMORY. */
int tree_plan(const struct shape_rate *rate, const struct shape_config *want /* NULL: not shared */,
	      struct tree *ret, struct nd_error *e);
void tree_done(struct tree *t);
int tree_add_class(struct tree *t, const struct tree_class *cl);
int tree_add_filter(struct tree *t, const struct tree_filter *f);
const struct tree_class *tree_class(const struct tree *t, uint16_t minor); /* NULL: none */
bool tree_same(const struct tree *want, const struct tree *have);
bool tree_class_same(const struct tree_class *a, const struct tree_class *b);
/* want: the filter is (minor and MAC) in have. NULL: it is not. */
const struct tree_filter *tree_filter(const struct tree *t, const struct tree_filter *f);
/* What it lets through, in an administrator's terms. */
void tree_rate(const struct tree *t, struct shape_rate *ret);
uint32_t tree_queue_bytes(const struct tree_class *cl);

/* An u32 selector with its keys: the kernel's struct has an array without a bound at its end. */
struct u32_selector {
	uint8_t head[sizeof(struct tc_u32_sel)];
	struct tc_u32_key keys[2];
};

/* tree.c: rtnetlink. */
int tree_read(struct nd_nl *nl, int ifindex, struct tree *ret, struct nd_error *e);
/* have: what tree_read gave. */
int tree_apply(struct nd_nl *nl, int ifindex, const struct tree *want, const struct tree *have,
	       struct nd_error *e);
/* Kind of the top leaf. "" when none. */
int tree_queue_kind(struct nd_nl *nl, int ifindex, const struct tree *have, char ret[TREE_KIND_SIZE],
		    struct nd_error *e);
/* A request with a struct tcmsg. NULL on ENOMEM. */
struct nl_msg *tree_request(int type, int flags, int ifindex, uint32_t parent, uint32_t handle,
			    uint32_t info);

/* redirect.c: what comes in goes through the ifb. */
struct redirect {
	int target;         /* ifindex the filter redirects to; 0: none, or a link that is gone */
	bool filter;        /* ours is there */
	bool qdisc, others; /* an ingress qdisc; filters that are not ours */
};
int redirect_read(struct nd_nl *nl, int ifindex, struct redirect *ret, struct nd_error *e);
/* ifb: ifindex of the target, 0: no redirection. */
int redirect_apply(struct nd_nl *nl, int ifindex, int ifb, const struct redirect *have, struct nd_error *e);
/* The ifb of a device. *ret zeroed when there is none. ND_EXISTS: the name is somebody else's. */
int redirect_ifb_find(struct nd_nl *nl, int ifindex, struct nd_link *ret, struct nd_error *e);
/* Makes it, or mends what *have is (ifindex 0: there is none); up. */
int redirect_ifb_make(struct nd_nl *nl, int ifindex, const char *alias, const struct nd_link *have,
		      int *ret_ifb, struct nd_error *e);
int redirect_ifb_retire(struct nd_nl *nl, int ifb, struct nd_error *e);
#endif

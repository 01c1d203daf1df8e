// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: HTB trees read from and written to the kernel
 *
 * Reading is one RTM_GETQDISC of the root (with NLM_F_ECHO: a dump would give those of all devices), and dumps of the device's classes and of the root's
 * filters. Writing goes from the old tree to the new one: filters that are not wanted, then classes, then those that are missing or differ.
 * A class that is changed keeps what is queued in it. HTB cannot change its default class: then the tree is made anew.
 *
 * Frames wait in fq_codel where the kernel has it (a guest's flows do not wait for each other), else in a queue of tree_queue_bytes: libvirt uses sfq,
 * which neither bounds the delay nor is in every kernel.
 * Source: include/uapi/linux/pkt_sched.h TCA_HTB_*, pkt_cls.h TCA_U32_*.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "shape/tree.h"

#define FILTER_PRIO  1u
#define R2Q          10 /* HTB's own; every leaf says its quantum */
#define HTB_VERSION  3
#define QUEUE_BEST   "fq_codel"
#define QUEUE_SIMPLE "bfifo"
/* Away from what administrators take (1:) and the kernel chooses (8000: and up). */
#define LEAF(minor)  ((0x7000u | (minor)) << 16)
#define CLASS(minor) (TREE_HANDLE | (minor))

/* This kernel has no fq_codel: found out once, since asking may have it look for a module. */
static bool no_best;

struct nl_msg *tree_request(int type, int flags, int ifindex, uint32_t parent, uint32_t handle, uint32_t info)
{
	struct tcmsg tcm = { .tcm_family = AF_UNSPEC,
			     .tcm_ifindex = ifindex,
			     .tcm_parent = parent,
			     .tcm_handle = handle,
			     .tcm_info = info };
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, &tcm, sizeof(tcm), NLMSG_ALIGNTO) == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* ---- reading ---- */

struct reading {
	struct tree *t;
	char kind[TREE_KIND_SIZE];
};

/* The attributes of a traffic control message. Return: false: it is broken, or of another type. */
static bool parse_message(const struct nlmsghdr *msg, int type, const struct tcmsg **tcm,
			  struct nlattr *tb[TCA_MAX + 1])
{
	if (msg->nlmsg_type != type || msg->nlmsg_len < NLMSG_HDRLEN + sizeof(**tcm))
		return false;
	*tcm = NLMSG_DATA(msg);
	return nlmsg_parse((struct nlmsghdr *)msg, sizeof(**tcm), tb, TCA_MAX, NULL) >= 0;
}

static bool attr_struct(const struct nlattr *attr, void *ret, size_t size)
{
	if (!attr || (size_t)nla_len(attr) < size)
		return false;
	memcpy(ret, nla_data(attr), size);
	return true;
}

static bool attr_is(const struct nlattr *attr, const char *word)
{
	return attr && (size_t)nla_len(attr) > strlen(word) &&
	       memcmp(nla_data(attr), word, strlen(word) + 1) == 0;
}

static int broken(struct nd_error *e)
{
	return nd_fail(e, ND_PARSE, "traffic control message");
}

static int on_root(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct reading *r = arg;
	const struct tcmsg *tcm;
	struct nlattr *tb[TCA_MAX + 1], *htb[TCA_HTB_MAX + 1];
	struct tc_htb_glob glob;

	if (!parse_message(msg, RTM_NEWQDISC, &tcm, tb))
		return broken(e);
	if (tb[TCA_KIND])
		nd_strcpyn(r->kind, sizeof(r->kind), nla_data(tb[TCA_KIND]),
			   strnlen(nla_data(tb[TCA_KIND]), nla_len(tb[TCA_KIND])));
	if (tcm->tcm_handle != TREE_HANDLE || !attr_is(tb[TCA_KIND], "htb"))
		return 0;
	if (!tb[TCA_OPTIONS] || nla_parse_nested(htb, TCA_HTB_MAX, tb[TCA_OPTIONS], NULL) < 0 ||
	    !attr_struct(htb[TCA_HTB_INIT], &glob, sizeof(glob)))
		return broken(e);
	r->t->ours = true;
	r->t->default_minor = (uint16_t)glob.defcls;
	return 0;
}

static uint64_t wide(const struct nlattr *attr, uint32_t narrow)
{
	uint64_t v = 0;

	return attr_struct(attr, &v, sizeof(v)) ? v : narrow;
}

static int on_class(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct reading *r = arg;
	const struct tcmsg *tcm;
	struct nlattr *tb[TCA_MAX + 1], *htb[TCA_HTB_MAX + 1];
	struct tc_htb_opt opt;
	struct tree_class cl;

	if (!parse_message(msg, RTM_NEWTCLASS, &tcm, tb))
		return broken(e);
	if (TC_H_MAJ(tcm->tcm_handle) != TREE_HANDLE || !attr_is(tb[TCA_KIND], "htb"))
		return 0; /* fq_codel shows its flows as classes */
	if (!tb[TCA_OPTIONS] || nla_parse_nested(htb, TCA_HTB_MAX, tb[TCA_OPTIONS], NULL) < 0 ||
	    !attr_struct(htb[TCA_HTB_PARMS], &opt, sizeof(opt)))
		return broken(e);
	cl = (struct tree_class){
		.minor = (uint16_t)TC_H_MIN(tcm->tcm_handle),
		.parent = tcm->tcm_parent == TC_H_ROOT ? 0 : (uint16_t)TC_H_MIN(tcm->tcm_parent),
		.rate = wide(htb[TCA_HTB_RATE64], opt.rate.rate),
		.ceil = wide(htb[TCA_HTB_CEIL64], opt.ceil.rate),
		.buffer = opt.buffer,
		.cbuffer = opt.cbuffer,
		.quantum = opt.quantum,
		.leaf = tcm->tcm_info == LEAF(TC_H_MIN(tcm->tcm_handle)),
	};
	return tree_add_class(r->t, &cl) < 0 ? nd_fail(e, ND_MEMORY, "classes") : 0;
}

/* The destination MAC lies before the network header. */
static void mac_selector(const struct nd_mac *mac, struct u32_selector *ret)
{
	const struct tc_u32_sel head = { .flags = TC_U32_TERMINAL, .nkeys = 2 };
	uint32_t high, low = 0;

	memcpy(&high, mac->b, 4);
	memcpy(&low, mac->b + 4, 2);
	*ret = (struct u32_selector){
		.keys = { { .val = high, .mask = 0xffffffffu, .off = -14 },
			  { .val = low, .mask = htonl(0xffff0000u), .off = -10 } },
	};
	memcpy(ret->head, &head, sizeof(head));
}

static bool parse_selector(const struct nlattr *attr, struct nd_mac *ret)
{
	struct u32_selector have, want;
	struct tc_u32_sel head;

	if (!attr_struct(attr, &have, sizeof(have)))
		return false;
	memcpy(&head, have.head, sizeof(head));
	memcpy(ret->b, &have.keys[0].val, 4);
	memcpy(ret->b + 4, &have.keys[1].val, 2);
	mac_selector(ret, &want);
	for (int i = 0; i < 2; i++)
		if (have.keys[i].val != want.keys[i].val || have.keys[i].mask != want.keys[i].mask ||
		    have.keys[i].off != want.keys[i].off || have.keys[i].offmask)
			return false;
	return head.nkeys == 2 && head.flags & TC_U32_TERMINAL;
}

static int on_filter(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct reading *r = arg;
	const struct tcmsg *tcm;
	struct nlattr *tb[TCA_MAX + 1], *u32[TCA_U32_MAX + 1] = { NULL };
	struct tree_filter f = { .odd = true };
	uint32_t classid = 0;

	if (!parse_message(msg, RTM_NEWTFILTER, &tcm, tb))
		return broken(e);
	if (tb[TCA_OPTIONS] && attr_is(tb[TCA_KIND], "u32") &&
	    nla_parse_nested(u32, TCA_U32_MAX, tb[TCA_OPTIONS], NULL) < 0)
		return broken(e);
	if (TC_H_MAJ(tcm->tcm_info) >> 16 != FILTER_PRIO || !u32[TCA_U32_SEL])
		return 0; /* somebody else's, or a hash table */
	f.handle = tcm->tcm_handle;
	if (attr_struct(u32[TCA_U32_CLASSID], &classid, sizeof(classid)) &&
	    TC_H_MAJ(classid) == TREE_HANDLE && parse_selector(u32[TCA_U32_SEL], &f.mac)) {
		f.odd = false;
		f.minor = (uint16_t)TC_H_MIN(classid);
	}
	return tree_add_filter(r->t, &f) < 0 ? nd_fail(e, ND_MEMORY, "filters") : 0;
}

int tree_read(struct nd_nl *nl, int ifindex, struct tree *ret, struct nd_error *e)
{
	struct reading r = { .t = ret };
	int rc;

	*ret = (struct tree){ .ours = false };
	rc = nd_nl_call(nl, tree_request(RTM_GETQDISC, NLM_F_ECHO, ifindex, TC_H_ROOT, 0, 0), on_root, &r, e);
	if (!rc && ret->ours)
		rc = nd_nl_call(nl, tree_request(RTM_GETTCLASS, NLM_F_DUMP, ifindex, 0, 0, 0), on_class, &r,
				e);
	if (!rc && ret->ours)
		rc = nd_nl_call(nl, tree_request(RTM_GETTFILTER, NLM_F_DUMP, ifindex, TREE_HANDLE, 0, 0),
				on_filter, &r, e);
	if (!rc)
		return 0;
	tree_done(ret);
	return nd_wrap_code(e, rc, "read the rate limits");
}

static int on_kind(const struct nlmsghdr *msg, void *arg, struct nd_error *e)
{
	struct tree t;
	struct reading r = { .t = &t };
	int rc = on_root(msg, &r, e);

	memcpy(arg, r.kind, sizeof(r.kind));
	return rc;
}

int tree_queue_kind(struct nd_nl *nl, int ifindex, const struct tree *have, char ret[TREE_KIND_SIZE],
		    struct nd_error *e)
{
	ret[0] = '\0';
	if (!have->ours)
		return 0;
	return nd_nl_call(nl,
			  tree_request(RTM_GETQDISC, NLM_F_ECHO, ifindex, CLASS(have->default_minor), 0, 0),
			  on_kind, ret, e);
}

/* ---- writing ---- */

static struct nl_msg *finish(struct nl_msg *msg, bool ok)
{
	if (ok)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static struct nl_msg *new_root(int ifindex, uint16_t default_minor)
{
	struct tc_htb_glob glob = { .version = HTB_VERSION, .rate2quantum = R2Q, .defcls = default_minor };
	struct nl_msg *msg =
		tree_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex, TC_H_ROOT, TREE_HANDLE, 0);
	struct nlattr *options = NULL;
	bool ok = msg && nla_put_string(msg, TCA_KIND, "htb") == 0 &&
		  (options = nla_nest_start(msg, TCA_OPTIONS)) != NULL &&
		  nla_put(msg, TCA_HTB_INIT, sizeof(glob), &glob) == 0;

	if (ok)
		nla_nest_end(msg, options);
	return finish(msg, ok);
}

static void rate_spec(struct tc_ratespec *spec, uint64_t rate)
{
	spec->linklayer = TC_LINKLAYER_ETHERNET; /* else the kernel wants a table of times */
	spec->rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

static bool put_wide(struct nl_msg *msg, int type, uint64_t rate)
{
	return rate <= UINT32_MAX || nla_put_u64(msg, type, rate) == 0;
}

static struct nl_msg *new_class(int ifindex, const struct tree_class *cl)
{
	struct tc_htb_opt opt = { .buffer = cl->buffer, .cbuffer = cl->cbuffer, .quantum = cl->quantum };
	struct nl_msg *msg = tree_request(RTM_NEWTCLASS, NLM_F_CREATE | NLM_F_REPLACE, ifindex,
					  cl->parent ? CLASS(cl->parent) : TC_H_ROOT, CLASS(cl->minor), 0);
	struct nlattr *options = NULL;
	bool ok;

	rate_spec(&opt.rate, cl->rate);
	rate_spec(&opt.ceil, cl->ceil);
	ok = msg && nla_put_string(msg, TCA_KIND, "htb") == 0 &&
	     (options = nla_nest_start(msg, TCA_OPTIONS)) != NULL &&
	     put_wide(msg, TCA_HTB_RATE64, cl->rate) && put_wide(msg, TCA_HTB_CEIL64, cl->ceil) &&
	     nla_put(msg, TCA_HTB_PARMS, sizeof(opt), &opt) == 0;
	if (ok)
		nla_nest_end(msg, options);
	return finish(msg, ok);
}

static struct nl_msg *new_leaf(int ifindex, const struct tree_class *cl, const char *kind)
{
	struct tc_fifo_qopt fifo = { .limit = tree_queue_bytes(cl) };
	struct nl_msg *msg = tree_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex,
					  CLASS(cl->minor), LEAF(cl->minor), 0);

	return finish(msg, msg && nla_put_string(msg, TCA_KIND, kind) == 0 &&
				   (strcmp(kind, QUEUE_SIMPLE) != 0 ||
				    nla_put(msg, TCA_OPTIONS, sizeof(fifo), &fifo) == 0));
}

static int make_leaf(struct nd_nl *nl, int ifindex, const struct tree_class *cl, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;

	if (!no_best && nd_nl_call(nl, new_leaf(ifindex, cl, QUEUE_BEST), NULL, NULL, &failed) == 0)
		return 0;
	/* EINVAL: the leaf is there already, and of the other kind. */
	if (!no_best && failed.sys != ENOENT && failed.sys != EINVAL) {
		if (e)
			nd_error_copy(e, &failed);
		return failed.code;
	}
	no_best = no_best || failed.sys == ENOENT;
	return nd_nl_call(nl, new_leaf(ifindex, cl, QUEUE_SIMPLE), NULL, NULL, e);
}

static struct nl_msg *new_filter(int ifindex, const struct tree_filter *f)
{
	struct u32_selector sel;
	struct nl_msg *msg = tree_request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, TREE_HANDLE, 0,
					  TC_H_MAKE(FILTER_PRIO << 16, htons(ETH_P_ALL)));
	struct nlattr *options = NULL;
	bool ok;

	mac_selector(&f->mac, &sel);
	ok = msg && nla_put_string(msg, TCA_KIND, "u32") == 0 &&
	     (options = nla_nest_start(msg, TCA_OPTIONS)) != NULL &&
	     nla_put_u32(msg, TCA_U32_CLASSID, CLASS(f->minor)) == 0 &&
	     nla_put(msg, TCA_U32_SEL, sizeof(sel), &sel) == 0;
	if (ok)
		nla_nest_end(msg, options);
	return finish(msg, ok);
}

/* Gone is as good as deleted. */
static int call_delete(struct nd_nl *nl, struct nl_msg *msg, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;

	if (nd_nl_call(nl, msg, NULL, NULL, &failed) == 0 || failed.sys == ENOENT)
		return 0;
	if (e)
		nd_error_copy(e, &failed);
	return failed.code;
}

static int delete_root(struct nd_nl *nl, int ifindex, struct nd_error *e)
{
	return call_delete(nl, tree_request(RTM_DELQDISC, 0, ifindex, TC_H_ROOT, TREE_HANDLE, 0), e);
}

/* Not only deleted: a TAP would get the kernel's default queue then, where tap/ had made it noqueue. */
static int remove_tree(struct nd_nl *nl, int ifindex, struct nd_error *e)
{
	struct nl_msg *msg =
		tree_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex, TC_H_ROOT, 0, 0);

	msg = finish(msg, msg && nla_put_string(msg, TCA_KIND, "noqueue") == 0);
	return nd_nl_call(nl, msg, NULL, NULL, NULL) == 0 ? 0 : delete_root(nl, ifindex, e);
}

static int drop_surplus(struct nd_nl *nl, int ifindex, const struct tree *want, const struct tree *have,
			struct nd_error *e)
{
	const uint32_t info = TC_H_MAKE(FILTER_PRIO << 16, htons(ETH_P_ALL));

	for (size_t i = 0; i < have->filter_cnt; i++) {
		const struct tree_filter *f = &have->filters[i];

		if ((f->odd || !tree_filter(want, f)) &&
		    call_delete(nl, tree_request(RTM_DELTFILTER, 0, ifindex, TREE_HANDLE, f->handle, info),
				e) < 0)
			return nd_wrap_code(e, ND_SYSTEM, "delete a filter");
	}
	for (size_t i = have->class_cnt; i-- > 0;) {
		uint16_t minor = have->classes[i].minor;

		if (!tree_class(want, minor) &&
		    call_delete(nl, tree_request(RTM_DELTCLASS, 0, ifindex, 0, CLASS(minor), 0), e) < 0)
			return nd_wrap_code(e, ND_SYSTEM, "delete class %x", minor);
	}
	return 0;
}

/* A changed rate wants another length of the queue, too. */
static int put_class(struct nd_nl *nl, int ifindex, const struct tree_class *cl,
		     const struct tree_class *have, struct nd_error *e)
{
	int rc;

	if (have && tree_class_same(cl, have))
		return 0;
	rc = nd_nl_call(nl, new_class(ifindex, cl), NULL, NULL, e);
	if (rc)
		return nd_wrap_code(e, rc, "class %x", cl->minor);
	if (!cl->leaf)
		return 0;
	rc = make_leaf(nl, ifindex, cl, e);
	return rc ? nd_wrap_code(e, rc, "queue of class %x", cl->minor) : 0;
}

static int make_root(struct nd_nl *nl, int ifindex, const struct tree *want, struct nd_error *e)
{
	struct nd_error failed = ND_ERROR_INIT;
	int rc = nd_nl_call(nl, new_root(ifindex, want->default_minor), NULL, NULL, &failed);

	if (!rc)
		return 0;
	if (failed.sys == ENOENT)
		return nd_fail(e, ND_UNSUPPORTED, "this kernel has no HTB (CONFIG_NET_SCH_HTB)");
	if (e)
		nd_error_copy(e, &failed);
	return nd_wrap_code(e, rc, "root");
}

/* HTB changes neither its default class nor a class's parent. */
static bool must_rebuild(const struct tree *want, const struct tree *have)
{
	bool moved = want->default_minor != have->default_minor;

	for (size_t i = 0; i < have->class_cnt; i++) {
		const struct tree_class *cl = tree_class(want, have->classes[i].minor);

		moved = moved || (cl && cl->parent != have->classes[i].parent);
	}
	return have->ours && moved;
}

static int write_tree(struct nd_nl *nl, int ifindex, const struct tree *want, const struct tree *have,
		      struct nd_error *e)
{
	static const struct tree none;
	int rc = 0;

	if (!want->ours)
		return have->ours ? remove_tree(nl, ifindex, e) : 0;
	if (must_rebuild(want, have)) {
		rc = delete_root(nl, ifindex, e);
		have = &none;
	}
	if (!rc)
		rc = have->ours ? drop_surplus(nl, ifindex, want, have, e) : make_root(nl, ifindex, want, e);
	for (size_t i = 0; i < want->class_cnt && !rc; i++)
		rc = put_class(nl, ifindex, &want->classes[i], tree_class(have, want->classes[i].minor), e);
	for (size_t i = 0; i < want->filter_cnt && !rc; i++)
		if (!tree_filter(have, &want->filters[i]) &&
		    (rc = nd_nl_call(nl, new_filter(ifindex, &want->filters[i]), NULL, NULL, e)))
			nd_wrap_code(e, rc, "filter");
	return rc;
}

int tree_apply(struct nd_nl *nl, int ifindex, const struct tree *want, const struct tree *have,
	       struct nd_error *e)
{
	int rc = write_tree(nl, ifindex, want, have, e);

	return rc ? nd_wrap_code(e, rc, "set the rate") : 0;
}

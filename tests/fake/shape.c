/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DOC: see shape.h. */
#include <linux/rtnetlink.h>

#include "base/mem.h"
#include "base/strtab.h"
#include "tests/fake/kernel.h"
#include "tests/fake/shape.h"

#define DEVICES 16

static struct {
	struct fake_shape devices[DEVICES];
	unsigned applied, read;
} fake;

static void reset(void)
{
	fake = (typeof(fake)){ .applied = 0 };
}

static struct fake_shape *find(int ifindex)
{
	for (size_t i = 0; i < DEVICES; i++)
		if (fake.devices[i].ifindex == ifindex)
			return &fake.devices[i];
	return NULL;
}

const struct fake_shape *fake_shape_of(int ifindex)
{
	return find(ifindex);
}

void fake_shape_lose(int ifindex)
{
	struct fake_shape *s = find(ifindex);

	if (s)
		s->ifindex = 0;
}

void fake_shape_event(int ifindex)
{
	struct tcmsg tcm = { .tcm_ifindex = ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELQDISC, 0);

	nlmsg_append(msg, &tcm, sizeof(tcm), NLMSG_ALIGNTO);
	fake_event_raise(RTNLGRP_TC, msg);
}

unsigned fake_shape_applied(void)
{
	return fake.applied;
}

unsigned fake_shape_read(void)
{
	return fake.read;
}

bool shape_wanted(const struct shape_config *want)
{
	return want->out.average || want->in.average;
}

int shape_apply(struct nd_nl *nl, int ifindex, const struct shape_config *want, int *ret_retired,
		struct nd_error *e)
{
	struct fake_shape *s = find(ifindex);
	const char *text = NULL;
	int err = 0;

	fake_on_reset(reset);
	fake.applied++;
	*ret_retired = 0;
	if (fake_fail_now("shape_apply", &err, &text))
		return nd_fail_sys(e, err, text, "set the rate");
	if (!shape_wanted(want)) {
		fake_shape_lose(ifindex);
		return 0;
	}
	if (!fake_link_by_index(ifindex))
		return nd_fail(e, ND_NOT_FOUND, "no such device");
	if (want->out.average > 1ull << 50)
		return nd_fail(e, ND_INVALID, "a rate or burst is above");
	s = s ? s : find(0);
	*s = (struct fake_shape){ .ifindex = ifindex, .config = *want };
	for (size_t i = 0; i < want->floor_cnt; i++)
		s->floors[i] = want->floors[i];
	s->config.floors = NULL;
	return 0;
}

static bool same_rate(const struct shape_rate *a, const struct shape_rate *b)
{
	return a->average == b->average && a->peak == b->peak && a->burst == b->burst;
}

int shape_read(struct nd_nl *nl, int ifindex, const struct shape_config *want, struct shape_state *ret,
	       struct nd_error *e)
{
	static const struct fake_shape none;
	const struct fake_shape *s = find(ifindex) ? find(ifindex) : &none;

	fake.read++;
	*ret = (struct shape_state){ .out = s->config.out, .in = s->config.in };
	ret->same = same_rate(&s->config.out, &want->out) && same_rate(&s->config.in, &want->in) &&
		    s->config.floor_cnt == want->floor_cnt;
	nd_strcpy(ret->queue, sizeof(ret->queue), s->ifindex ? "bfifo" : "");
	return 0;
}

bool shape_event(const struct nlmsghdr *msg, int *ret_ifindex)
{
	if (msg->nlmsg_type != RTM_DELQDISC)
		return false;
	*ret_ifindex = ((const struct tcmsg *)NLMSG_DATA(msg))->tcm_ifindex;
	return true;
}

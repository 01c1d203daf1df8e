// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: nat/conntrack.c without a kernel: what was asked to end is remembered.
 */
#include "tests/fake/conntrack.h"
#include "base/mem.h"
#include "tests/fake/fake.h"

#include <assert.h>

static struct nat_connections asked[256];
static size_t asked_cnt;

static void reset(void)
{
	asked_cnt = 0;
}

const struct nat_connections *fake_conntrack_asked(size_t *ret_cnt)
{
	*ret_cnt = asked_cnt;
	return asked;
}

int nat_conntrack_new(struct nat_conntrack **ret, struct nd_error *e)
{
	static char one;

	fake_on_reset(reset);
	*ret = (struct nat_conntrack *)&one;
	return 0;
}

void nat_conntrack_free(struct nat_conntrack *t)
{
}

int nat_conntrack_delete(struct nat_conntrack *t, const struct nat_connections *what, size_t cnt,
			 size_t *ret_cnt, struct nd_error *e)
{
	assert(asked_cnt + cnt <= ARRAY_LEN(asked));
	memcpy(asked + asked_cnt, what, cnt * sizeof(*what));
	asked_cnt += cnt;
	if (ret_cnt)
		*ret_cnt = cnt;
	return 0;
}

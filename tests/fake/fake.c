/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: what all fakes share: the call counter, the one failure to come, the list of resets.
 */
#include <assert.h>

#include "base/mem.h"
#include "tests/fake/fake.h"

#define RESETS_MAX 8

static struct {
	unsigned calls;
	unsigned fail_at; /* in calls; 0: none */
	int err;
	const char *text, *failed;
	void (*resets[RESETS_MAX])(void);
	size_t reset_cnt;
} fake;

bool fake_fail_now(const char *what, int *ret_errno, const char **ret_text)
{
	if (++fake.calls != fake.fail_at)
		return false;
	fake.failed = what;
	*ret_errno = fake.err;
	if (ret_text)
		*ret_text = fake.text;
	return true;
}

void fake_fail_at(unsigned n, int err, const char *text)
{
	fake.fail_at = n ? fake.calls + n : 0;
	fake.err = err;
	fake.text = text;
	fake.failed = NULL;
}

const char *fake_failed_call(void)
{
	return fake.failed;
}

unsigned fake_call_count(void)
{
	return fake.calls;
}

void fake_on_reset(void (*fn)(void))
{
	for (size_t i = 0; i < fake.reset_cnt; i++)
		if (fake.resets[i] == fn)
			return;
	assert(fake.reset_cnt < RESETS_MAX);
	fake.resets[fake.reset_cnt++] = fn;
}

void fake_reset(void)
{
	fake.calls = 0;
	fake_fail_at(0, 0, NULL);
	for (size_t i = 0; i < fake.reset_cnt; i++)
		fake.resets[i]();
}

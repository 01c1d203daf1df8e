// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: every (state, event) has its next state, or its refusal in libvirt's words. */
#include "base/mem.h"
#include "netd/core/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NONE 99 /* refused: *ret_next stays */

static const struct {
	enum network_state now;
	enum network_event ev;
	int next;
	const char *refusal;
} rows[] = {
	{ NETWORK_INACTIVE, NETWORK_EVENT_START, NETWORK_ACTIVE, NULL },
	{ NETWORK_INACTIVE, NETWORK_EVENT_STOP, NONE, "network is not active" },
	{ NETWORK_INACTIVE, NETWORK_EVENT_FAULT, NETWORK_INACTIVE, NULL },
	{ NETWORK_INACTIVE, NETWORK_EVENT_CLEARED, NETWORK_INACTIVE, NULL },
	{ NETWORK_ACTIVE, NETWORK_EVENT_START, NONE, "network is already active" },
	{ NETWORK_ACTIVE, NETWORK_EVENT_STOP, NETWORK_INACTIVE, NULL },
	{ NETWORK_ACTIVE, NETWORK_EVENT_FAULT, NETWORK_DEGRADED, NULL },
	{ NETWORK_ACTIVE, NETWORK_EVENT_CLEARED, NETWORK_ACTIVE, NULL },
	{ NETWORK_DEGRADED, NETWORK_EVENT_START, NONE, "network is already active" },
	{ NETWORK_DEGRADED, NETWORK_EVENT_STOP, NETWORK_INACTIVE, NULL },
	{ NETWORK_DEGRADED, NETWORK_EVENT_FAULT, NETWORK_DEGRADED, NULL },
	{ NETWORK_DEGRADED, NETWORK_EVENT_CLEARED, NETWORK_ACTIVE, NULL },
};

static void test_table(void **state)
{
	assert_int_equal(ARRAY_LEN(rows), 3 * 4);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		enum network_state next = (enum network_state)NONE;
		int r = lifecycle_network(rows[i].now, rows[i].ev, &next, &e);

		assert_int_equal(next, rows[i].next);
		assert_int_equal(r, rows[i].refusal ? ND_STATE : 0);
		assert_string_equal(nd_error_text(&e), rows[i].refusal ? rows[i].refusal : "");
	}
}

static void test_names(void **state)
{
	for (int i = NETWORK_INACTIVE; i <= NETWORK_DEGRADED; i++)
		assert_int_equal(network_state_from_string(network_state_to_string(i)), i);
	assert_null(network_state_to_string(NETWORK_DEGRADED + 1));
	for (int i = PORT_ATTACHED; i <= PORT_EXPECTED; i++)
		assert_int_equal(port_state_from_string(port_state_to_string(i)), i);
	assert_null(port_state_to_string(PORT_EXPECTED + 1));
	assert_int_equal(port_state_from_string("gone"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

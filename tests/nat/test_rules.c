/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/rules: the rows build, their labels are unique, and a fingerprint tells every change. */
#include "base/mem.h"
#include "nat/rules.h"

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_labels(void **state)
{
	for (size_t i = 0; i < nat_rule_cnt(); i++) {
		assert_non_null((*nat_rule_at(i)).label);
		/* NFTNL_UDATA_COMMENT_MAXLEN with the NUL. */
		assert_true(strlen((*nat_rule_at(i)).label) < 128);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal((*nat_rule_at(i)).label, (*nat_rule_at(j)).label);
	}
}

static void test_prints(void **state)
{
	uint64_t inet = nat_table_print(NAT_TABLE_INET), bridge = nat_table_print(NAT_TABLE_BRIDGE);

	assert_true(inet && bridge && inet != bridge);
	assert_true(inet == nat_table_print(NAT_TABLE_INET));
	assert_int_equal(nat_table_use(NAT_TABLE_INET) + nat_table_use(NAT_TABLE_BRIDGE),
			 (uint32_t)NAT_SET_CNT + NAT_CHAIN_CNT);
}

static void test_rule_print(void **state)
{
	for (size_t i = 0; i < nat_rule_cnt(); i++) {
		struct nat_rule_row shorter = (*nat_rule_at(i));
		struct nftnl_rule *r = nat_rule_build(nat_rule_at(i)), *other;
		unsigned words = 0;

		while (words < NAT_RULE_WORDS && shorter.words[words].kind != NAT_WORD_END)
			words++;
		shorter.words[words - 1].kind = NAT_WORD_END;
		other = nat_rule_build(&shorter);
		assert_true(nat_rule_print(r, 0) == nat_rule_print(r, 0));
		assert_true(nat_rule_print(r, 0) != nat_rule_print(r, 1));
		assert_true(nat_rule_print(r, 0) != nat_rule_print(other, 0));
		nftnl_rule_free(r);
		nftnl_rule_free(other);
	}
}

static void test_chain_print(void **state)
{
	struct nftnl_chain *c = nat_chain_build(NAT_CHAIN_FORWARD);
	uint64_t print = nat_chain_print(c);

	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, 1);
	assert_true(print != nat_chain_print(c));
	nftnl_chain_free(c);
	assert_int_equal(nat_chain_find(NAT_TABLE_INET, "to_guest"), NAT_CHAIN_TO_GUEST);
	assert_int_equal(nat_chain_find(NAT_TABLE_BRIDGE, "to_guest"), NAT_CHAIN_CNT);
}

static void test_set_print(void **state)
{
	for (unsigned i = 0; i < NAT_SET_CNT; i++) {
		struct nftnl_set *s = nat_set_build((enum nat_set)i);
		uint64_t print = nat_set_print(s);

		nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, 64);
		assert_true(print != nat_set_print(s));
		nftnl_set_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),     cmocka_unit_test(test_prints),
		cmocka_unit_test(test_rule_print), cmocka_unit_test(test_chain_print),
		cmocka_unit_test(test_set_print),
	};
	return cmocka_run_group_tests_name("nat/rules", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Decisions on rules built by hand: what is not known, jumps that may be taken, and rules that are passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "foreign/decide.h"
#include "foreign/private.h"

static struct foreign_ruleset *rs;
static struct foreign_table *table;

static struct foreign_chain *chain(const char *name, int32_t priority, int policy)
{
	struct foreign_chain *c = foreign_chain_add(rs, table, name);

	c->base = priority != INT32_MAX;
	c->hook = NF_INET_FORWARD;
	c->priority = priority;
	c->policy = policy;
	return c;
}

/* match: an expression that may match, or NULL */
static struct foreign_rule *rule(struct foreign_chain *c, const char *match, int verdict,
				 struct foreign_chain *target)
{
	struct foreign_rule *r = foreign_rule_add(rs, c);

	r->exprs = foreign_alloc(rs, 2 * sizeof(*r->exprs));
	if (match)
		r->exprs[r->expr_cnt++] = (struct foreign_expr){
			.kind = FOREIGN_UNKNOWN, .name = match, .sreg = -1, .dreg = -1
		};
	r->exprs[r->expr_cnt++] = (struct foreign_expr){
		.kind = FOREIGN_VERDICT, .verdict = verdict, .target = target, .sreg = -1, .dreg = -1
	};
	return r;
}

static struct foreign_decision decide(void)
{
	struct foreign_packet p = { .family = AF_INET, .ct = FOREIGN_CT_NEW, .proto = IPPROTO_TCP };
	struct foreign_decision d;

	foreign_sort(rs);
	foreign_decide(rs, FOREIGN_IP, NF_INET_FORWARD, true, &p, NULL, &d);
	return d;
}

static int setup(void **state)
{
	rs = foreign_ruleset_new();
	table = rs ? foreign_table_add(rs, NFPROTO_INET, "t", false) : NULL;
	return table ? 0 : -1;
}

static int teardown(void **state)
{
	foreign_ruleset_free(rs);
	return 0;
}

static void test_maybe_accept_before_drop(void **state)
{
	struct foreign_decision d;
	struct foreign_chain *c = chain("f", 0, NF_DROP);

	rule(c, "limit", NF_ACCEPT, NULL);
	d = decide();
	assert_int_equal(d.outcome, FOREIGN_DROP);
	assert_false(d.certain);
	assert_int_equal(d.uncertain_cnt, 1);
}

/* What may have accepted in another base chain changes nothing of a drop in this one. */
static void test_maybe_accept_elsewhere(void **state)
{
	struct foreign_decision d;
	struct foreign_chain *a = chain("a", -10, NF_ACCEPT), *b = chain("b", 10, NF_ACCEPT);

	rule(a, "limit", NF_ACCEPT, NULL);
	rule(b, NULL, NF_DROP, NULL);
	d = decide();
	assert_int_equal(d.outcome, FOREIGN_DROP);
	assert_true(d.certain);
	assert_int_equal(d.step_cnt, 2);
}

static void test_maybe_drop(void **state)
{
	struct foreign_decision d;

	rule(chain("f", 0, NF_ACCEPT), "quota", NF_DROP, NULL);
	d = decide();
	assert_int_equal(d.outcome, FOREIGN_ACCEPT);
	assert_false(d.certain);
}

static void test_maybe_jump(void **state)
{
	struct foreign_decision d;
	struct foreign_chain *inner = chain("inner", INT32_MAX, NF_ACCEPT), *c = chain("f", 0, NF_ACCEPT);
	struct foreign_rule *drop = rule(inner, NULL, NF_DROP, NULL);

	rule(c, "limit", NFT_JUMP, inner);
	d = decide();
	assert_int_equal(d.outcome, FOREIGN_ACCEPT);
	assert_false(d.certain);
	assert_ptr_equal(d.uncertain[0], drop);
}

/* What a program decides is not known here. */
static void test_queue(void **state)
{
	struct foreign_decision d;
	struct foreign_chain *c = chain("f", 0, NF_DROP);
	struct foreign_rule *queue = rule(c, NULL, NF_QUEUE, NULL);

	d = decide();
	assert_int_equal(d.outcome, FOREIGN_ACCEPT);
	assert_false(d.certain);
	assert_ptr_equal(d.uncertain[0], queue);
}

static void test_jump_circle(void **state)
{
	struct foreign_chain *a = chain("a", INT32_MAX, NF_ACCEPT), *c = chain("f", 0, NF_DROP);

	rule(a, NULL, NFT_JUMP, a); /* the kernel has no such ruleset; a reader in a hurry could */
	rule(c, NULL, NFT_JUMP, a);
	assert_int_equal(decide().outcome, FOREIGN_DROP);
}

static void test_without(void **state)
{
	struct foreign_chain *c = chain("f", 0, NF_DROP);

	rule(c, NULL, NF_ACCEPT, NULL)->comment = "netd: lab";
	assert_int_equal(decide().outcome, FOREIGN_ACCEPT);
	rs->bases = NULL;
	rs->without = "netd: ";
	assert_int_equal(decide().outcome, FOREIGN_DROP);
}

static void test_own_tables_are_left_out(void **state)
{
	table->name = "netd";
	chain("f", 0, NF_DROP);
	assert_int_equal(decide().outcome, FOREIGN_ACCEPT);
}

static void test_owners(void **state)
{
	struct foreign_chain *f = chain("FORWARD", 0, NF_DROP),
			     *to = chain("LIBVIRT_FWI", INT32_MAX, NF_ACCEPT),
			     *ufw = chain("ufw-before-forward", INT32_MAX, NF_ACCEPT);

	assert_int_equal(foreign_chain_owner(f), FOREIGN_OWNER_OTHER);
	rule(f, NULL, NFT_JUMP, to);
	assert_int_equal(foreign_chain_owner(f), FOREIGN_OWNER_OTHER); /* libvirt sets no policy */
	assert_int_equal(foreign_chain_owner(to), FOREIGN_OWNER_LIBVIRT);
	rule(f, NULL, NFT_JUMP, ufw);
	assert_int_equal(foreign_chain_owner(f), FOREIGN_OWNER_UFW);
	for (int i = 0; i < FOREIGN_OWNER_CNT_; i++)
		assert_non_null(foreign_owner_to_string(i));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_maybe_accept_before_drop),
		TEST(test_maybe_accept_elsewhere),
		TEST(test_maybe_drop),
		TEST(test_maybe_jump),
		TEST(test_queue),
		TEST(test_jump_circle),
		TEST(test_without),
		TEST(test_own_tables_are_left_out),
		TEST(test_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

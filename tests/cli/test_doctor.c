// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: doctor and explain: their tables, statuses, and how the ends of a way are written. */
#include "base/mem.h"
#include "tests/cli/run-line.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CHECKS                                                                                          \
	"{\"parameters\":{\"checks\":["                                                                 \
	"{\"name\":\"tun\",\"result\":\"ok\",\"text\":\"it opens\",\"fixed\":false},"                   \
	"{\"name\":\"forwarding\",\"result\":\"ok\",\"text\":\"is 1 again\",\"fixed\":true},"           \
	"{\"name\":\"firewall\",\"network\":\"lab\",\"result\":\"failed\",\"text\":\"dropped\\u001b\"," \
	"\"command\":\"iptables -I X\",\"fixed\":false}],\"failed\":1}}"
#define SOUND                                                                                                \
	"{\"parameters\":{\"checks\":[{\"name\":\"tun\",\"result\":\"ok\",\"text\":\"x\",\"fixed\":false}]," \
	"\"failed\":0}}"
#define STAGES                                                                                            \
	"{\"parameters\":{\"stages\":[{\"stage\":\"forward\",\"verdict\":\"drop\",\"text\":\"policy\"}]," \
	"\"verdict\":\"drop\",\"text\":\"it is dropped\"}}"
#define PASSES "{\"parameters\":{\"stages\":[],\"verdict\":\"pass\",\"text\":\"it passes\"}}"

static void test_doctor(void **state)
{
	static const struct stub_row checks = { CHECKS }, sound = { SOUND };
	struct run r = run_line("doctor lab --fix", &checks, 1, false);

	assert_int_equal(r.status, CLI_STATUS_FOUND);
	assert_string_equal(r.out, " ok       tun            it opens\n"
				   " ok       forwarding     is 1 again (mended)\n"
				   " failed   firewall       lab: dropped?\n"
				   "                      -> iptables -I X\n");
	assert_non_null(strstr(r.calls, "\"parameters\":{\"network\":\"lab\",\"fix\":true}"));
	run_done(&r);
	r = run_line("-q\ndoctor", &checks, 1, false);
	assert_null(strstr(r.out, "tun"));
	assert_non_null(strstr(r.out, "firewall"));
	run_done(&r);
	r = run_line("doctor", &sound, 1, false);
	assert_int_equal(r.status, 0);
	run_done(&r);
}

static const struct {
	const char *line, *parameters;
} ends[] = {
	{ "explain --from vm1 --to 1.1.1.1:443", "{\"from\":\"vm1\",\"to\":\"1.1.1.1\",\"port\":443}" },
	{ "explain --from vm1 --to outside --proto icmp",
	  "{\"from\":\"vm1\",\"to\":\"outside\",\"protocol\":\"icmp\"}" },
	{ "explain --from vm1 --to [2001:db8::1]:53 --proto udp",
	  "{\"from\":\"vm1\",\"to\":\"2001:db8::1\",\"port\":53,\"protocol\":\"udp\"}" },
	{ "explain --from outside --to 2001:db8::1", "{\"from\":\"outside\",\"to\":\"2001:db8::1\"}" },
	{ "explain --from outside --to 52:54:00:00:00:01",
	  "{\"from\":\"outside\",\"to\":\"52:54:00:00:00:01\"}" },
	{ "explain --from outside --to web:80x", "{\"from\":\"outside\",\"to\":\"web:80x\"}" },
};

static void test_explain(void **state)
{
	static const struct stub_row drops = { STAGES }, passes = { PASSES };
	struct run r = run_line("explain --from a --to b", &drops, 1, false);

	assert_int_equal(r.status, CLI_STATUS_FOUND);
	assert_string_equal(r.out, " forward      drop    policy\nit is dropped\n");
	run_done(&r);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		r = run_line(ends[i].line, &passes, 1, false);
		assert_int_equal(r.status, 0);
		if (!strstr(r.calls, ends[i].parameters))
			fail_msg("%s: %s", ends[i].line, r.calls);
		run_done(&r);
	}
	r = run_line("explain --from a", NULL, 0, false);
	assert_int_equal(r.status, CLI_STATUS_USAGE);
	assert_string_equal(r.err, "error: explain wants --from and --to\n");
	run_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doctor),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

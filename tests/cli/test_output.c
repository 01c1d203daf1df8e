// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: tables as virsh prints them, to the byte. */
#include "base/mem.h"
#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect_table(const char *const *header, size_t columns, const char *const *cells, size_t cnt,
			 const char *expected)
{
	nd_autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct table *t = table_new(header, columns);

	for (size_t i = 0; i < cnt; i++)
		table_add(t, cells[i]);
	assert_int_equal(table_print(t, out, true, NULL), 0);
	fclose(out);
	table_free(t);
	assert_string_equal(text, expected);
}

static void test_net_list(void **state)
{
	static const char *const header[] = { "Name", "State", "Autostart", "Persistent" };
	static const char *const cells[] = { "default", "active", "no", "yes" };

	expect_table(header, 4, cells, 4,
		     " Name      State    Autostart   Persistent\n"
		     "--------------------------------------------\n"
		     " default   active   no          yes\n");
	expect_table(header, 4, NULL, 0,
		     " Name   State   Autostart   Persistent\n"
		     "----------------------------------------\n");
}

static void test_leases(void **state)
{
	static const char *const header[] = { "Expiry Time", "MAC address", "Protocol",
					      "IP address",  "Hostname",    "Client ID or DUID" };
	static const char *const cells[] = {
		"2026-11-21 04:46:05", "52:54:00:77:00:01", "ipv4",
		"10.7.0.13/24",        "myguest",           "01:52:54:00:77:00:01"
	};

	expect_table(header, 6, cells, 6,
		     " Expiry Time           MAC address         Protocol   IP address     Hostname   Client "
		     "ID or DUID\n"
		     "---------------------------------------------------------------------------------------"
		     "---------------\n"
		     " 2026-11-21 04:46:05   52:54:00:77:00:01   ipv4       10.7.0.13/24   myguest    "
		     "01:52:54:00:77:00:01\n");
}

/* Widths are of characters; what would move the cursor is not printed; what is missing is a dash. */
static void test_odd_cells(void **state)
{
	static const char *const header[] = { "A", "B" };
	static const char *const cells[] = { "\xc3\xa4\xc3\xb6", "x", "e\x1b[2J", NULL, "", "y\n" };

	expect_table(header, 2, cells, 6,
		     " A       B\n"
		     "-------------\n"
		     " \xc3\xa4\xc3\xb6      x\n"
		     " e?[2J   -\n"
		     " -       y?\n");
}

static void test_lines(void **state)
{
	nd_autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	output_line(out, "Name", "default");
	output_line(out, "Bridge", "");
	output_line(out, "Bridge", NULL);
	output_line(out, "Autostart",
		    "a\x7f"
		    "b");
	fclose(out);
	assert_string_equal(text, "Name:           default\nAutostart:      a?b\n");
}

static void test_times(void **state)
{
	char buf[OUTPUT_TIME_LEN];

	setenv("TZ", "UTC", 1);
	assert_string_equal(output_time(1795236365, buf), "2026-11-21 04:46:05");
	assert_string_equal(output_time(-1, buf), "never");
	assert_string_equal(output_timestamp(1795236365123456, buf), "2026-11-21 04:46:05.123+0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net_list),  cmocka_unit_test(test_leases),
		cmocka_unit_test(test_odd_cells), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what a line being typed is completed to, in the shell of netdctl and by the scripts for other shells. */
#include "base/mem.h"
#include "cli/complete.h"
#include "cli/words.h"
#include "tests/cli/run-line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char networks[] =
	"{\"parameters\":{\"networks\":[{\"name\":\"lab\",\"uuid\":\"u\"},{\"name\":\"lan\"}]}}";
static const char ports[] =
	"{\"parameters\":{\"ports\":[{\"name\":\"vm1\",\"interface\":\"vnet0\"},{\"interface\":\"vnet1\"}]}}";

/* The line up to the last blank is words, what follows is the prefix. */
static const struct {
	const char *line, *reply, *expected;
} rows[] = {
	{ "net-de", NULL, "net-define net-define-as net-desc net-destroy " },
	{ "net-start ", networks, "lab lan " },
	{ "net-start la", networks, "lab lan " },
	{ "net-start --network lab", networks, "lab " },
	{ "net-start lab ", NULL, "" },
	{ "net-start lab --", NULL, "--json " },
	{ "net-autostart --o", NULL, "--on-attach " },
	{ "port-info v", ports, "vm1 vnet1 " },
	{ "port-list --network ", networks, "lab lan " },
	{ "net-dhcp-leases lab ", NULL, "" },
	{ "net-event --event network-s", NULL, "network-started network-stopped network-subnet " },
	{ "net-event --event lifecycle --network ", networks, "lab lan " },
	{ "net-define-as x --mode is", NULL, "isolated " },
	{ "net-update lab a", NULL, "add add-first add-last " },
	{ "net-update lab add ip", NULL, "ip ip-dhcp-host ip-dhcp-range " },
	{ "net-update lab --section dns", NULL, "dns-host dns-txt dns-srv " },
	{ "completion ", NULL, "bash zsh " },
	{ "help mon", NULL, "monitor " },
	{ "net-define /dev/nul", NULL, "/dev/null " },
	{ "net-apply /dev/null /dev/nul", NULL, "/dev/null " },
	{ "nonsense ", NULL, "" },
};

static void collect(void *arg, const char *word)
{
	nd_buf_printf(arg, "%s ", word);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *blank = strrchr(rows[i].line, ' '), *prefix = blank ? blank + 1 : rows[i].line;
		nd_autofree char *before = strndup(rows[i].line, (size_t)(prefix - rows[i].line));
		nd_autofree char **words = NULL;
		struct stub_row row = { rows[i].reply };
		struct nd_buf found = { .max = 0 };
		struct stub_server s;
		struct cli cli = { .socket = "/nonexistent" };
		char log[1024];
		int cnt;

		if (rows[i].reply) {
			stub_server_start(&s, &row, 1);
			cli.socket = s.path;
		}
		assert_int_equal(words_split(before, &words, &cnt, NULL), 0);
		complete(&cli, cnt, words, prefix, collect, &found);
		cli_done(&cli);
		assert_string_equal(nd_buf_string(&found), rows[i].expected);
		if (rows[i].reply)
			stub_server_end(&s, log, sizeof(log));
		nd_buf_done(&found);
	}
}

/* Without a daemon there are no networks, and no message in the middle of a line. */
static void test_no_daemon(void **state)
{
	struct cli cli = { .socket = "/nonexistent" };
	struct nd_buf found = { .max = 0 };
	char *words[] = { "net-start", NULL };

	complete(&cli, 1, words, "", collect, &found);
	assert_int_equal(found.len, 0);
}

/* Every command and option is in both scripts; bash, and zsh where there is one, can read theirs. */
static void test_scripts(void **state)
{
	static const char *const shells[] = { "bash", "zsh" };

	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		nd_autofree char *line = NULL, *check = NULL;
		struct run r;
		FILE *in;

		assert_true(asprintf(&line, "completion %s", shells[s]) > 0);
		r = run_line(line, NULL, 0, false);
		assert_int_equal(r.status, 0);
		for (size_t i = 0; i < cli_command_cnt; i++) {
			assert_non_null(strstr(r.out, cli_commands[i].name));
			for (size_t o = 0; o < cli_commands[i].option_cnt; o++)
				assert_non_null(strstr(r.out, cli_commands[i].options[o].name));
		}
		assert_true(asprintf(&check, "! command -v %s >/dev/null || %s -n /dev/stdin", shells[s],
				     shells[s]) > 0);
		in = popen(check, "w");
		fputs(r.out, in);
		assert_int_equal(pclose(in), 0);
		run_done(&r);
	}
}

/* The bash script at work, with a netdctl that only knows its networks. */
static void test_bash(void **state)
{
	static const char tail[] = "netdctl() { printf 'lab\\nlan 2\\n'; }\n"
				   "COMP_WORDS=(netdctl --json net-start la); COMP_CWORD=3; _netdctl\n"
				   "printf '[%s]' \"${COMPREPLY[@]}\"\n"
				   "COMP_WORDS=(netdctl net-define-as x --mode r); COMP_CWORD=4; _netdctl\n"
				   "printf '[%s]' \"${COMPREPLY[@]}\"\n"
				   "COMP_WORDS=(netdctl net-autostart --d); COMP_CWORD=2; _netdctl\n"
				   "printf '[%s]' \"${COMPREPLY[@]}\"\n"
				   "COMP_WORDS=(netdctl net-un); COMP_CWORD=1; _netdctl\n"
				   "printf '[%s]' \"${COMPREPLY[@]}\"\n";
	char path[] = "/tmp/netd-complete-XXXXXX", out[256];
	struct run r = run_line("completion bash", NULL, 0, false);
	nd_autofree char *command = NULL;
	size_t len;
	FILE *p;

	p = fdopen(mkstemp(path), "w");
	fprintf(p, "%s%s", r.out, tail);
	fclose(p);
	assert_true(asprintf(&command, "bash %s", path) > 0);
	p = popen(command, "r");
	len = fread(out, 1, sizeof(out) - 1, p);
	out[len] = '\0';
	assert_int_equal(pclose(p), 0);
	unlink(path);
	assert_string_equal(out, "[lab][lan 2][route][--disable][net-undefine]");
	run_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_daemon),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_bash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

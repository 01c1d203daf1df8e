// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the interactive shell
 *
 * libedit reads the lines. What was typed is kept in $XDG_STATE_HOME/netd/history (~/.local/state without
 * it), readable by its owner alone; where that cannot be written, the shell works all the same. TAB completes
 * from the same rows as everything else: as far as the candidates agree, and lists them where they do not.
 */
#include "cli/shell.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/complete.h"
#include "cli/words.h"

#include <histedit.h>
#include <signal.h>
#include <sys/stat.h>

#define HISTORY_MAX 1000 /* lines */

struct shell {
	struct cli *cli;
	EditLine *el;
	History *history;
	char *file; /* of the history; NULL: none */
};

static char *prompt(EditLine *el)
{
	static char text[] = "netdctl # ";

	return text;
}

/* History */

static char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	nd_autofree char *dir = NULL;
	char *path = NULL;
	int n;

	if (state && *state == '/')
		n = asprintf(&dir, "%s/netd", state);
	else if (home && *home == '/')
		n = asprintf(&dir, "%s/.local/state/netd", home);
	else
		return NULL;
	if (n < 0 || nd_dir_make(dir, 0700, NULL) < 0 || asprintf(&path, "%s/history", dir) < 0)
		return NULL;
	return path;
}

static void history_load(struct shell *sh)
{
	HistEvent ev;

	history(sh->history, &ev, H_SETSIZE, HISTORY_MAX);
	history(sh->history, &ev, H_SETUNIQUE, 1);
	sh->file = history_path();
	if (sh->file)
		history(sh->history, &ev, H_LOAD, sh->file);
}

static void history_save(const struct shell *sh)
{
	mode_t was = umask(0077);
	HistEvent ev;

	if (sh->file)
		history(sh->history, &ev, H_SAVE, sh->file);
	umask(was);
}

static void history_add(struct shell *sh, const char *line)
{
	HistEvent ev;

	if (line[strspn(line, " \t\r\n")])
		history(sh->history, &ev, H_ENTER, line);
}

/* Completion */

struct candidates {
	char **list;
	size_t cnt;
};

static void add_candidate(void *arg, const char *word)
{
	struct candidates *c = arg;
	char **bigger = reallocarray(c->list, c->cnt + 1, sizeof(*bigger));

	if (!bigger)
		return;
	c->list = bigger;
	c->list[c->cnt] = strdup(word);
	c->cnt += c->list[c->cnt] != NULL;
}

/* How many bytes all of them share at their beginning. */
static size_t common_len(const struct candidates *c)
{
	size_t len = strlen(c->list[0]);

	for (size_t i = 1; i < c->cnt; i++)
		for (size_t at = 0; at < len; at++)
			if (c->list[i][at] != c->list[0][at])
				len = at;
	return len;
}

static void insert(EditLine *el, const char *text, size_t len, bool done)
{
	nd_autofree char *copy = NULL;

	if (asprintf(&copy, "%.*s%s", (int)len, text, done && text[len - 1] != '/' ? " " : "") >= 0)
		el_insertstr(el, copy);
}

static unsigned char offer(struct shell *sh, const struct candidates *c, size_t typed)
{
	size_t len;

	if (c->cnt == 0)
		return CC_REFRESH_BEEP;
	len = common_len(c);
	if (len > typed || c->cnt == 1) {
		insert(sh->el, c->list[0] + typed, len - typed, c->cnt == 1);
		return CC_REFRESH;
	}
	fputc('\n', sh->cli->out);
	for (size_t i = 0; i < c->cnt; i++)
		fprintf(sh->cli->out, "%s%s", i > 0 ? "  " : "", c->list[i]);
	fputc('\n', sh->cli->out);
	fflush(sh->cli->out);
	return CC_REDISPLAY;
}

static unsigned char on_tab(EditLine *el, int ch)
{
	const LineInfo *li = el_line(el);
	nd_autofree char *line = strndup(li->buffer, (size_t)(li->cursor - li->buffer));
	nd_autofree char **words = NULL;
	struct candidates c = { 0 };
	struct shell *sh;
	const char *prefix = "";
	unsigned char r;
	int cnt;

	el_get(el, EL_CLIENTDATA, &sh);
	/* In the middle of a quoted word there is nothing to offer. */
	if (!line || words_split(line, &words, &cnt, NULL) < 0)
		return CC_REFRESH_BEEP;
	if (cnt > 0 && *line && line[strlen(line) - 1] != ' ')
		prefix = words[--cnt];
	complete(sh->cli, cnt, words, prefix, add_candidate, &c);
	r = offer(sh, &c, strlen(prefix));
	for (size_t i = 0; i < c.cnt; i++)
		free(c.list[i]);
	free(c.list);
	return r;
}

/* The loop */

static bool shell_open(struct shell *sh, struct cli *cli)
{
	*sh = (struct shell){ .cli = cli };
	sh->el = el_init("netdctl", stdin, cli->out, cli->err);
	sh->history = history_init();
	if (!sh->el || !sh->history)
		return false;
	history_load(sh);
	el_set(sh->el, EL_PROMPT, prompt);
	el_set(sh->el, EL_EDITOR, "emacs");
	el_set(sh->el, EL_SIGNAL, 1);
	el_set(sh->el, EL_HIST, history, sh->history);
	el_set(sh->el, EL_CLIENTDATA, sh);
	/* The wide variant keeps the names' pointers; the other one keeps copies that nothing ever frees. */
	el_wset(sh->el, EL_ADDFN, L"netdctl-complete", L"complete the word", on_tab);
	el_set(sh->el, EL_BIND, "^I", "netdctl-complete", NULL);
	el_source(sh->el, NULL);
	return true;
}

static void shell_close(struct shell *sh)
{
	if (sh->history) {
		history_save(sh);
		history_end(sh->history);
	}
	if (sh->el)
		el_end(sh->el);
	free(sh->file);
}

/* At the prompt Ctrl-C throws the line away; just before a command waits, it ends that wait all the same. */
static void on_sigint(int sig)
{
	client_interrupted = 1;
}

int shell_run(struct cli *cli)
{
	struct sigaction ours = { .sa_handler = on_sigint };
	struct shell sh;
	const char *line;
	int status = 0, r, len;

	if (!shell_open(&sh, cli)) {
		shell_close(&sh);
		return cli_run_lines(cli, stdin);
	}
	sigaction(SIGINT, &ours, NULL);
	cli_say(cli, "netdctl " NETD_VERSION ": 'help' lists the commands, 'quit' or Ctrl-D ends\n\n");
	while (!cli->quit && (line = el_gets(sh.el, &len))) {
		client_interrupted = 0;
		history_add(&sh, line);
		r = cli_run_line(cli, line);
		if (r != 0)
			status = r;
		fflush(cli->out);
	}
	shell_close(&sh);
	return status;
}

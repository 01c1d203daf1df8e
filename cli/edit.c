// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: editing
 *
 * The editor's command may have options of its own ("emacs -nw"), so a shell splits it; the file's name is
 * handed over as a parameter and never read as shell text. The temporary file is the caller's alone (0600)
 * and gone when the editor is.
 */
#include "cli/edit.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define TEXT_MAX  (512 * 1024) /* more than netd takes: it says what is wrong with one that is too long */
#define NOTE_HEAD "<!-- netdctl: "
#define NOTE_TAIL " -->"

static const char *editor(void)
{
	static const char *const names[] = { "VISUAL", "EDITOR" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *word = getenv(names[i]);

		if (word && *word)
			return word;
	}
	return "vi";
}

static int run_editor(const char *path, struct nd_error *e)
{
	const char *command = editor();
	nd_autofree char *script = NULL;
	int status = 0;
	pid_t pid;

	if (asprintf(&script, "%s \"$1\"", command) < 0)
		return nd_fail(e, ND_MEMORY, "the editor's command");
	pid = fork();
	if (pid < 0)
		return nd_fail_sys(e, errno, NULL, "run the editor '%s'", command);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", script, "sh", path, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 0;
	if (WIFSIGNALED(status))
		return nd_fail(e, ND_STATE, "the editor '%s' was ended by signal %d", command,
			       WTERMSIG(status));
	return nd_fail(e, ND_STATE, "the editor '%s' ended with status %d", command, WEXITSTATUS(status));
}

static int write_all(int fd, const char *text, struct nd_error *e)
{
	size_t len = strlen(text), at = 0;
	ssize_t n;

	while (at < len) {
		n = write(fd, text + at, len - at);
		if (n < 0)
			return nd_fail_sys(e, errno, NULL, "write a temporary file");
		at += (size_t)n;
	}
	return 0;
}

int edit_text(const char *text, const char *suffix, char **ret, struct nd_error *e)
{
	const char *dir = getenv("TMPDIR");
	nd_autofree char *path = NULL;
	int fd, r;

	if (asprintf(&path, "%s/netdctl-XXXXXX%s", dir && *dir ? dir : "/tmp", suffix) < 0)
		return nd_fail(e, ND_MEMORY, "a temporary file");
	fd = mkostemps(path, (int)strlen(suffix), O_CLOEXEC);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "make a temporary file '%s'", path);
	r = write_all(fd, text, e);
	close(fd);
	if (r == 0)
		r = run_editor(path, e);
	if (r == 0)
		r = nd_file_read(path, TEXT_MAX, ret, NULL, e);
	unlink(path);
	return r;
}

/* Notes */

/* A comment holds no "--" and is one line. */
static void append_note(struct nd_buf *out, const struct nd_error *why)
{
	char line[ND_ERROR_STORE * 2];

	nd_error_format(why, line, sizeof(line));
	for (char *p = line; *p; p++)
		if (*p == '\n' || (*p == '-' && (p[1] == '-' || !p[1])))
			*p = ' ';
	nd_buf_printf(out, "%s%s%s\n", NOTE_HEAD, line, NOTE_TAIL);
}

/* "line 7:" of the error's frames and text: 7; 1 where none is named. */
static long line_of(const struct nd_error *why)
{
	char line[ND_ERROR_STORE * 2];
	const char *at;
	long n;

	nd_error_format(why, line, sizeof(line));
	at = strstr(line, "line ");
	n = at ? strtol(at + strlen("line "), NULL, 10) : 1;
	return n > 0 ? n : 1;
}

static char *take_text(struct nd_buf *b)
{
	char *text = b->bad ? NULL : strdup(nd_buf_string(b));

	nd_buf_done(b);
	return text;
}

char *edit_with_note(const char *xml, const struct nd_error *why)
{
	struct nd_buf out = { .max = TEXT_MAX * 2 };
	const char *p = xml;

	for (long line = line_of(why); line > 1 && strchr(p, '\n'); line--)
		p = strchr(p, '\n') + 1;
	nd_buf_append(&out, xml, (size_t)(p - xml));
	append_note(&out, why);
	nd_buf_append_string(&out, p);
	return take_text(&out);
}

char *edit_without_note(const char *xml)
{
	struct nd_buf out = { .max = TEXT_MAX * 2 };

	for (const char *p = xml, *next; *p; p = next) {
		next = strchr(p, '\n');
		next = next ? next + 1 : p + strlen(p);
		if (strncmp(p, NOTE_HEAD, strlen(NOTE_HEAD)) != 0)
			nd_buf_append(&out, p, (size_t)(next - p));
	}
	return take_text(&out);
}

enum edit_answer edit_ask(struct cli *cli)
{
	char line[64];

	if (!isatty(STDIN_FILENO))
		return EDIT_THROW_AWAY;
	for (;;) {
		fprintf(cli->out, "Failed. Try again? [y,n,f,?]: ");
		fflush(cli->out);
		if (!fgets(line, sizeof(line), stdin))
			return EDIT_THROW_AWAY;
		switch (line[0]) {
		case 'y': return EDIT_AGAIN;
		case 'n': return EDIT_THROW_AWAY;
		case 'f': return EDIT_FORCE;
		case '?':
			fprintf(cli->out, "y - yes, start editor again\n"
					  "n - no, throw away my changes\n"
					  "f - force, try to redefine again\n"
					  "? - print this help\n");
		}
	}
}

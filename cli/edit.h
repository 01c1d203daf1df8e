/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_EDIT_H
#define ND_CLI_EDIT_H
/* A person's editor on a piece of text, and the question what to do when netd does not want the result. */
#include "cli/cli.h"

/*
 * $VISUAL, else $EDITOR, else vi, on a temporary file that ends in suffix (".xml"). *ret: what it left, heap.
 * Return: 0; ND_SYSTEM: no file could be made or no editor run; ND_STATE: the editor failed; ND_LIMIT.
 */
int edit_text(const char *text, const char *suffix, char **ret, struct nd_error *e);
/*
 * The document with why it was refused as a comment above the line that the reason names ("line 7"), else
 * above the first. Heap; NULL on ENOMEM. edit_without_note: the same document without such comments.
 */
char *edit_with_note(const char *xml, const struct nd_error *why);
char *edit_without_note(const char *xml);

enum edit_answer { EDIT_AGAIN, EDIT_THROW_AWAY, EDIT_FORCE };
/* virsh's "Failed. Try again? [y,n,f,?]:"; where nobody can be asked, EDIT_THROW_AWAY. */
enum edit_answer edit_ask(struct cli *cli);
#endif

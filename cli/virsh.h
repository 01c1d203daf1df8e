/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CLI_VIRSH_H
#define ND_CLI_VIRSH_H
/*
 * libvirt's virsh as a child process: how netdctl talks to a libvirt daemon. It is a client that every host
 * with such a daemon has, in the daemon's own version; linking libvirt would be a dependency of all others.
 */
#include "base/error.h"

#define VIRSH_WORDS_MAX 12

/*
 * Runs "virsh --quiet --connect URI WORDS…" to its end. uri, words (NULL-ended, at most VIRSH_WORDS_MAX):
 * borrowed. input: its standard input, NULL: none. *ret_out: its standard output, heap; ret_out may be NULL.
 * Blocking. Return: 0; ND_NOT_FOUND virsh is not installed; ND_STATE it failed, with all that it said on
 * standard error as the text, in one line; ND_LIMIT it said more than can be read; ND_SYSTEM, ND_MEMORY.
 */
int virsh_run(const char *uri, const char *const *words, const char *input, char **ret_out,
	      struct nd_error *e);
#endif

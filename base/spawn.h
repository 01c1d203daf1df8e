/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_SPAWN_H
#define ND_BASE_SPAWN_H
/* fork + exec with exactly these descriptors; between the two only async-signal-safe calls. */
#include "base/error.h"
#include <sys/types.h>

struct nd_spawn {
	const char *path;        /* executable, borrowed; "/proc/self/exe" for ourselves */
	const char *const *argv; /* NULL-ended, borrowed */
	const char *const *envp; /* NULL-ended; NULL: empty environment */
	const int *fds;       /* fds[i] becomes descriptor 3+i in the child; all others above 2 are closed */
	size_t fd_cnt;        /* at most 16 */
	bool die_with_parent; /* PR_SET_PDEATHSIG SIGKILL, when the calling thread ends */
};
/* stdin and stdout are /dev/null, stderr is kept, signals are reset. An exec failure is reported here (a CLOEXEC pipe tells).
 * ND_INVALID: too many descriptors; else ND_SYSTEM with errno, and no child is left. Blocks until the child has exec'd. */
int nd_spawn(const struct nd_spawn *s, pid_t *ret_pid, struct nd_error *e);
#endif

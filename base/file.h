/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_FILE_H
#define ND_BASE_FILE_H
/* Files: bounded read, atomic write, lock, /proc/sys. Every error names the path. */
#include "base/bytes.h"
#include "base/error.h"
#include <sys/types.h>

/* Whole regular file (or /proc file) of at most max bytes into *ret (heap, NUL-terminated, caller frees). ND_NOT_FOUND when absent,
 * ND_LIMIT when larger. */
int nd_file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct nd_error *e);
/* Write to a temporary beside it, fsync if sync, rename, fsync the folder if sync. On failure the old file stands and no temporary is left;
 * only when no more than the folder's fsync failed does the new one stand.
 * Blocks on the disk when sync: never from the loop except on tmpfs with sync false. */
int nd_file_write(const char *path, const void *p, size_t len, mode_t mode, bool sync, struct nd_error *e);
int nd_file_remove(const char *path, bool sync, struct nd_error *e); /* absent is success */
int nd_dir_make(const char *path, mode_t mode, struct nd_error *e);  /* with parents; existing is success */
/* Names (no dot files) ending in suffix (or all, NULL), sorted; *ret is a NULL-ended heap array of heap strings. Absent folder: empty. */
int nd_dir_list(const char *path, const char *suffix, char ***ret, struct nd_error *e);
void nd_strv_free(char **v);
/* Removes the temporaries that nd_file_write left there when its process was killed. Absent folder: nothing to do. */
int nd_dir_sweep(const char *path, struct nd_error *e);
/* Opens for reading and writing a regular file itself, created 0600 when absent. more: O_APPEND or 0. ND_INVALID for a link, FIFO, folder, device. Never waits. */
int nd_file_open(const char *path, int more, int *ret_fd, struct nd_error *e);
/* Opens (nd_file_open) and takes an flock; ND_BUSY with the holder's pid from the file when held. Our pid is written into it. */
int nd_file_lock(const char *path, int *ret_fd, struct nd_error *e);
/* /proc/sys: key like "net/ipv4/ip_forward". Root is "/proc/sys", settable for tests. value has no newline.
 * ND_NOT_FOUND: this kernel has no such key, or the interface in it is gone. ND_INVALID: the key would lead out of the root. */
void nd_sysctl_root(const char *root /* borrowed for ever */);
int nd_sysctl_read(const char *key, char *buf, size_t size, struct nd_error *e); /* newline stripped */
int nd_sysctl_write(const char *key, const char *value, struct nd_error *e);
#endif

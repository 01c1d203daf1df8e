// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: files
 *
 * Small files only: definitions, records, sysctls. A file is replaced by writing ".<name>~XXXXXX" beside it
 * and renaming, so a reader sees the old or the new one, whole; a folder listing skips names that begin
 * with a dot, so what a crash leaves behind is never taken for a file of ours, and nd_dir_sweep removes it.
 * No editor's or copying tool's temporary has such a name.
 *
 * Everything here blocks; only the daemon's disk thread asks for fsync.
 */
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP   4096
#define TMP_TAIL    "~XXXXXX"
#define PARENT_MODE 0755

static const char *sysctl_root = "/proc/sys";

/* ENOENT has a code of its own here: for a file, absence is an answer. */
static int fail_path(struct nd_error *e, int err, const char *verb, const char *path)
{
	bool first = e && e->code == 0;
	int code = nd_fail_sys(e, err, NULL, "%s %s", verb, path);

	if (err != ENOENT)
		return code;
	if (first)
		e->code = ND_NOT_FOUND;
	return ND_NOT_FOUND;
}

static int fail_too_long(struct nd_error *e, const char *path)
{
	return nd_fail_sys(e, ENAMETOOLONG, NULL, "%s", path);
}

/* Everything up to the end into b, or up to b->max. Return: 0 or an errno. */
static int read_all(int fd, struct nd_buf *b)
{
	for (;;) {
		size_t left = b->max - b->len, step = left < READ_STEP ? left : READ_STEP;
		void *to = nd_buf_reserve(b, step);
		ssize_t n;

		if (!to)
			return ENOMEM;
		n = step ? read(fd, to, step) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return 0;
		b->len += (size_t)n;
	}
}

/* O_NONBLOCK: a FIFO put in a file's place must not hang us; a regular file ignores it. */
static int open_regular(const char *path, int *ret_fd, struct nd_error *e)
{
	nd_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fail_path(e, errno, "open", path);
	if (fstat(fd, &st) < 0)
		return fail_path(e, errno, "stat", path);
	if (!S_ISREG(st.st_mode))
		return nd_fail(e, ND_INVALID, "read %s: not a regular file", path);
	*ret_fd = take_fd(fd);
	return 0;
}

int nd_file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	/* One byte more than wanted, to tell a full file from a longer one. */
	struct nd_buf b = { .max = max < SIZE_MAX / 4 ? max + 1 : SIZE_MAX / 4 };
	int r = open_regular(path, &fd, e);

	if (r < 0)
		return r;
	r = read_all(fd, &b);
	if (r != 0) {
		nd_buf_done(&b);
		return fail_path(e, r, "read", path);
	}
	if (b.len > max) {
		nd_buf_done(&b);
		return nd_fail(e, ND_LIMIT, "read %s: larger than %zu bytes", path, max);
	}
	b.p[b.len] = '\0'; /* nd_buf keeps room for it */
	*ret = (char *)b.p;
	if (ret_len)
		*ret_len = b.len;
	return 0;
}

/* Return: 0 or an errno. */
static int write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The folder of path: "." where it names none, "/" for a file in the root. */
static bool dir_of(const char *path, char *dir, size_t size)
{
	const char *slash = strrchr(path, '/');
	int n;

	if (!slash)
		n = snprintf(dir, size, ".");
	else
		n = snprintf(dir, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return n >= 0 && (size_t)n < size;
}

static int sync_dir_of(const char *path, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	char dir[PATH_MAX];

	if (!dir_of(path, dir, sizeof(dir)))
		return fail_too_long(e, path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_path(e, errno, "open folder", dir);
	if (fsync(fd) < 0)
		return fail_path(e, errno, "sync folder", dir);
	return 0;
}

/* Fills the temporary. A late write error may show only in close(2): quota, network file systems. */
static int fill_temporary(int fd, const void *p, size_t len, mode_t mode, bool sync)
{
	int r = fchmod(fd, mode) < 0 ? errno : write_all(fd, p, len);

	if (r == 0 && sync && fsync(fd) < 0)
		r = errno;
	if (close(fd) < 0 && r == 0)
		r = errno;
	return r;
}

int nd_file_write(const char *path, const void *p, size_t len, mode_t mode, bool sync, struct nd_error *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char tmp[PATH_MAX];
	int fd, r, n;

	n = snprintf(tmp, sizeof(tmp), "%.*s.%s" TMP_TAIL, (int)(name - path), path, name);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return fail_too_long(e, path);
	fd = mkostemp(tmp, O_CLOEXEC); /* O_EXCL, 0600 */
	if (fd < 0)
		return fail_path(e, errno, "create a temporary file for", path);
	r = fill_temporary(fd, p, len, mode, sync);
	if (r == 0 && rename(tmp, path) < 0)
		r = errno;
	if (r != 0) {
		unlink(tmp);
		return fail_path(e, r, "write", path);
	}
	return sync ? sync_dir_of(path, e) : 0;
}

int nd_file_remove(const char *path, bool sync, struct nd_error *e)
{
	if (unlink(path) < 0) {
		if (errno == ENOENT)
			return 0;
		return fail_path(e, errno, "remove", path);
	}
	return sync ? sync_dir_of(path, e) : 0;
}

/* One folder. exact: its mode shall not depend on our umask. */
static int make_one(const char *path, mode_t mode, bool exact, struct nd_error *e)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		if (exact && chmod(path, mode) < 0)
			return fail_path(e, errno, "set the mode of folder", path);
		return 0;
	}
	if (errno != EEXIST)
		return fail_path(e, errno, "make folder", path);
	if (stat(path, &st) < 0)
		return fail_path(e, errno, "make folder", path);
	return S_ISDIR(st.st_mode) ? 0 : fail_path(e, ENOTDIR, "make folder", path);
}

int nd_dir_make(const char *path, mode_t mode, struct nd_error *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return fail_too_long(e, path);
	memcpy(part, path, len + 1);
	for (char *slash = strchr(part + (len > 0), '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = slash[1] ? make_one(part, PARENT_MODE, false, e) : 0;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return make_one(path, mode, true, e);
}

void nd_strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool name_wanted(const char *name, const char *suffix)
{
	size_t len = strlen(name), tail = suffix ? strlen(suffix) : 0;

	return name[0] != '.' && len >= tail && (!suffix || strcmp(name + len - tail, suffix) == 0);
}

/* v stays NULL-ended after each step. Return: 0 or an errno. */
static int collect_names(DIR *d, const char *suffix, char ***v, size_t *cnt)
{
	size_t room = 0;

	for (;;) {
		struct dirent *entry;

		if (*cnt + 1 >= room) {
			char **more = reallocarray(*v, room ? room * 2 : 16, sizeof(*more));

			if (!more)
				return ENOMEM;
			*v = more;
			room = room ? room * 2 : 16;
			more[*cnt] = NULL;
		}
		errno = 0;
		entry = readdir(d);
		if (!entry)
			return errno;
		if (!name_wanted(entry->d_name, suffix))
			continue;
		(*v)[*cnt] = strdup(entry->d_name);
		if (!(*v)[*cnt])
			return ENOMEM;
		(*v)[++*cnt] = NULL;
	}
}

int nd_dir_list(const char *path, const char *suffix, char ***ret, struct nd_error *e)
{
	DIR *d = opendir(path);
	char **v = NULL;
	size_t cnt = 0;
	int r = 0;

	if (d) {
		r = collect_names(d, suffix, &v, &cnt);
		closedir(d);
	} else if (errno == ENOENT) {
		v = calloc(1, sizeof(*v));
		r = v ? 0 : ENOMEM;
	} else {
		r = errno;
	}
	if (r != 0) {
		nd_strv_free(v);
		return fail_path(e, r, "list", path);
	}
	qsort(v, cnt, sizeof(*v), compare_names);
	*ret = v;
	return 0;
}

static bool is_temporary(const char *name)
{
	size_t len = strlen(name), tail = strlen(TMP_TAIL);

	return name[0] == '.' && len > tail && name[len - tail] == '~' &&
	       !strpbrk(name + len - tail + 1, "~.");
}

/* Return: 0 or an errno. A folder of such a name is not ours. */
static int sweep(DIR *d)
{
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(d);
		if (!entry)
			return errno;
		if (is_temporary(entry->d_name) && unlinkat(dirfd(d), entry->d_name, 0) < 0 &&
		    errno != ENOENT && errno != EISDIR)
			return errno;
	}
}

int nd_dir_sweep(const char *path, struct nd_error *e)
{
	DIR *d = opendir(path);
	int r;

	if (!d)
		return errno == ENOENT ? 0 : fail_path(e, errno, "sweep", path);
	r = sweep(d);
	closedir(d);
	return r ? fail_path(e, r, "sweep", path) : 0;
}

static int fail_locked(int fd, const char *path, struct nd_error *e)
{
	char text[16] = "";
	long pid = 0;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		pid = strtol(text, NULL, 10);
	/* The holder may be between taking the lock and writing its number. */
	if (pid <= 0)
		return nd_fail(e, ND_BUSY, "lock %s: held by another process", path);
	return nd_fail(e, ND_BUSY, "lock %s: held by pid %ld", path, pid);
}

int nd_file_open(const char *path, int more, int *ret_fd, struct nd_error *e)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
	nd_autoclose int fd = open(path, flags | more, 0600);
	struct stat st;

	if (fd < 0 && errno != ELOOP && errno != EISDIR)
		return fail_path(e, errno, "open", path);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return fail_path(e, errno, "stat", path);
	if (fd < 0 || !S_ISREG(st.st_mode))
		return nd_fail(e, ND_INVALID, "open %s: not a regular file", path);
	*ret_fd = take_fd(fd);
	return 0;
}

int nd_file_lock(const char *path, int *ret_fd, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	char text[16];
	int n, r;

	r = nd_file_open(path, 0, &fd, e);
	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return fail_locked(fd, path, e);
		return fail_path(e, errno, "lock", path);
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return fail_path(e, errno, "write", path);
	*ret_fd = take_fd(fd);
	return 0;
}

void nd_sysctl_root(const char *root)
{
	sysctl_root = root;
}

/* Keys are built from interface names; none may lead out of the root. */
static int sysctl_path(const char *key, char *path, size_t size, struct nd_error *e)
{
	int n;

	if (!*key || *key == '/' || strstr(key, "../") || strstr(key, "//"))
		return nd_fail(e, ND_INVALID, "sysctl '%s': not a key", key);
	n = snprintf(path, size, "%s/%s", sysctl_root, key);
	return n < 0 || (size_t)n >= size ? fail_too_long(e, key) : 0;
}

int nd_sysctl_read(const char *key, char *buf, size_t size, struct nd_error *e)
{
	nd_autofree char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int r = sysctl_path(key, path, sizeof(path), e);

	if (r == 0)
		r = nd_file_read(path, size, &text, &len, e);
	if (r < 0)
		return r;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len >= size)
		return nd_fail(e, ND_LIMIT, "read %s: longer than %zu bytes", path, size);
	memcpy(buf, text, len);
	buf[len] = '\0';
	return 0;
}

int nd_sysctl_write(const char *key, const char *value, struct nd_error *e)
{
	nd_autoclose int fd = -1;
	char path[PATH_MAX];
	size_t len = strlen(value);
	ssize_t n;
	int r = sysctl_path(key, path, sizeof(path), e);

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return fail_path(e, errno, "open", path);
	/* In one piece: the kernel takes each write(2) as a whole value. */
	do
		n = write(fd, value, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return nd_fail_sys(e, errno, NULL, "write '%s' to %s", value, path);
	if ((size_t)n != len)
		return nd_fail(e, ND_SYSTEM, "write '%s' to %s: cut short", value, path);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The lease store on a disk that fills up: a small tmpfs in a mount namespace of its own. */
#include "base/mem.h"
#include "dhcp/dhcp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mount.h>

#include <cmocka.h>

static char dir[] = "/tmp/netd-full-XXXXXX";
static char path[64], filler[64];

static int disk_make(void **state)
{
	assert_non_null(mkdtemp(dir));
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", dir, "tmpfs", 0, "size=512k") < 0) {
		print_message("SKIP: cannot mount a tmpfs\n");
		rmdir(dir);
		exit(77);
	}
	snprintf(path, sizeof(path), "%s/netd.db", dir);
	snprintf(filler, sizeof(filler), "%s/filler", dir);
	return 0;
}

static int disk_drop(void **state)
{
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void fill(void)
{
	static const char block[4096];
	int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static struct dhcp_lease lease(uint32_t n)
{
	struct dhcp_lease l;
	memset(&l, 0, sizeof(l));
	l.network.b[0] = 1;
	l.ip4 = 0x0a000000 + n;
	l.identity = (struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 7 };
	memcpy(l.identity.bytes + 3, &n, sizeof(n));
	l.expiry_s = 1000;
	return l;
}

static int count(const struct dhcp_lease *l, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

static size_t stored(struct dhcp_store *s)
{
	size_t cnt = 0, corrupt;
	assert_int_equal(dhcp_store_each(s, NULL, count, &cnt, &corrupt, NULL), 0);
	assert_int_equal(corrupt, 0);
	return cnt;
}

/* Batches of ten until one does not fit. Return: how many batches did. */
static size_t put_until_full(struct dhcp_store *s, uint32_t first, struct nd_error *e)
{
	for (size_t batch = 0; batch < 1000; batch++) {
		int r = dhcp_store_begin(s, e);
		for (uint32_t i = 0; r == 0 && i < 10; i++) {
			struct dhcp_lease l = lease(first + (uint32_t)batch * 10 + i);
			r = dhcp_store_put(s, &l, e);
		}
		if (r == 0)
			r = dhcp_store_commit(s, e);
		if (r == 0)
			continue;
		dhcp_store_abort(s);
		return batch;
	}
	fail_msg("the disk never became full");
	return 0;
}

static void a_full_disk_undoes_the_batch(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct dhcp_store *s = NULL;
	char text[ND_ERROR_STORE];
	struct dhcp_lease l = lease(0xffff);
	assert_int_equal(dhcp_store_open(path, &s, &e), 0);
	assert_int_equal(dhcp_store_put(s, &l, &e), 0);
	fill();
	size_t batches = put_until_full(s, 1, &e);
	assert_int_equal(e.code, ND_SYSTEM);
	assert_int_equal(e.sys, ENOSPC);
	nd_error_format(&e, text, sizeof(text));
	print_message("%s\n", text);
	assert_non_null(strstr(text, path));
	assert_non_null(strstr(text, "ENOSPC"));
	assert_int_equal(stored(s), 1 + batches * 10);

	/* Nothing is broken: it goes on once there is room, and what was told as stored is there after a restart. */
	assert_int_equal(unlink(filler), 0);
	nd_error_reset(&e);
	l = lease(0xfffe);
	assert_int_equal(dhcp_store_put(s, &l, &e), 0);
	dhcp_store_close(s);
	assert_int_equal(dhcp_store_open(path, &s, &e), 0);
	assert_int_equal(stored(s), 2 + batches * 10);
	dhcp_store_close(s);
}

static void opening_on_a_full_disk(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct dhcp_store *s = NULL;
	assert_int_equal(unlink(path), 0);
	fill();
	assert_int_equal(dhcp_store_open(path, &s, &e), ND_SYSTEM);
	assert_int_equal(e.sys, ENOSPC);
	assert_null(s);
	assert_int_equal(unlink(filler), 0);
	nd_error_reset(&e);
	assert_int_equal(dhcp_store_open(path, &s, &e), 0);
	dhcp_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_undoes_the_batch),
		cmocka_unit_test(opening_on_a_full_disk),
	};
	return cmocka_run_group_tests(tests, disk_make, disk_drop);
}

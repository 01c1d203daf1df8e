// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: files of network managers: found, planned, written all or none, taken back unless changed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "lan/private.h"

static char root[] = "/tmp/netd-test.XXXXXX";

static void put(const char *path, const char *text)
{
	char full[256], dir[256];

	snprintf(full, sizeof full, "%s%s", root, path);
	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(full, '/') - full), full);
	assert_int_equal(nd_dir_make(dir, 0755, NULL), 0);
	assert_int_equal(nd_file_write(full, text, strlen(text), 0644, false, NULL), 0);
}

static void assert_file(const char *path, const char *want)
{
	nd_autofree char *text = lan_read(root, path);

	if (!want)
		assert_null(text);
	else
		assert_string_equal(text, want);
}

static struct lan_record *record(void)
{
	struct lan_record *r = calloc(1, sizeof *r);

	*r = (struct lan_record){ .bridge = "br0", .port = "eth0", .port_index = 2, .persist = true };
	return r;
}

static const struct lan_snapshot snapshot = { .ifindex = 2, .name = "eth0", .mtu = 1500 };

static void test_ini(void **state)
{
	static const char text[] =
		"; c\n[Match]\nName=x\n[Network]\nDHCP = yes\n#Address=1\nAddress=2\n\n[Route]\nGateway=3";
	static const char *const list[] = { "match", NULL };
	char value[16];
	char *out;

	assert_int_equal(lan_ini_rewrite(text, "head\n", list, false, &out, NULL), 0);
	assert_string_equal(out,
			    "head\n\n[Network]\nDHCP = yes\n#Address=1\nAddress=2\n\n[Route]\nGateway=3\n");
	free(out);
	assert_int_equal(lan_ini_rewrite(text, "", list, true, &out, NULL), 0);
	assert_string_equal(out, "\n[Match]\nName=x\n");
	free(out);
	assert_true(lan_ini_value(text, "Network", "DHCP", value, sizeof value));
	assert_string_equal(value, "yes");
	assert_true(lan_ini_value(text, NULL, "Gateway", value, sizeof value));
	assert_false(lan_ini_value(text, "Route", "DHCP", value, sizeof value));
}

static void test_nobody(void **state)
{
	nd_cleanup(lan_record_freep) struct lan_record *r = record();

	assert_int_equal(lan_persist_plan("/nonexistent", &snapshot, r, NULL), 0);
	assert_int_equal(r->manager, LAN_MANAGER_NONE);
	assert_int_equal(r->file_cnt, 0);
	assert_non_null(strstr(r->notes[0], "does not survive a reboot"));
}

/* A file that sorts before ours would win. */
static void test_order(void **state)
{
	nd_cleanup(lan_record_freep) struct lan_record *r = record();
	struct nd_error e = ND_ERROR_INIT;

	put("/run/systemd/netif/links/2", "NETWORK_FILE=/etc/systemd/network/00-eth0.network\n");
	put("/etc/systemd/network/00-eth0.network", "[Match]\nName=eth0\n");
	assert_int_equal(lan_persist_plan(root, &snapshot, r, &e), ND_UNSUPPORTED);
	assert_non_null(strstr(nd_error_text(&e), "--no-persist"));
	r->persist = false;
	assert_int_equal(lan_persist_plan(root, &snapshot, r, NULL), 0);
	assert_int_equal(r->file_cnt, 0);
	put("/run/systemd/netif/links/2", "NETWORK_FILE=/x.network\nADMIN_STATE=unmanaged\n");
}

static void test_written(void **state)
{
	nd_cleanup(lan_record_freep) struct lan_record *r = record();
	struct nd_error e = ND_ERROR_INIT;

	put("/a", "old");
	assert_int_equal(lan_file_add(r, root, "/a", strdup("new"), 0644, &e), 0);
	assert_int_equal(lan_file_add(r, root, "/d/b", strdup("b"), 0600, &e), 0);
	assert_int_equal(lan_files_write(r, &e), 0);
	assert_file("/a", "new");
	assert_file("/d/b", "b");
	assert_int_equal(lan_files_write(r, &e), 0); /* again */
	put("/d/b", "mine");
	assert_int_equal(lan_files_restore(r, &e), ND_CONFLICT);
	assert_file("/a", "old");
	assert_file("/d/b", "mine");
	nd_error_reset(&e);
	assert_int_equal(lan_files_write(r, &e), ND_CONFLICT); /* none is touched */
	assert_file("/a", "old");
	nd_error_reset(&e);
	/* one that cannot be written: the folder's name is a file's */
	nd_file_remove(r->files[1].path, false, NULL);
	assert_int_equal(lan_file_add(r, root, "/a/c", strdup("c"), 0644, &e), 0);
	assert_true(lan_files_write(r, &e) < 0);
	assert_file("/a", "old");
	assert_file("/d/b", NULL);
}

static int setup(void **state)
{
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char line[128];

	snprintf(line, sizeof line, "rm -r '%s'", root);
	return system(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ini),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

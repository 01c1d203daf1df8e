// SPDX-License-Identifier: GPL-2.0-or-later
/* The lease store: what is kept, what goes, and what it makes of a file that something else wrote. A full disk is tried in tests/netns/test_store_full.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "dhcp/dhcp.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct nd_uuid net_a = { { 0xaa } }, net_b = { { 0xbb } };
static const struct nd_uuid port_1 = { { 1 } }, port_2 = { { 2 } };

struct env {
	char dir[64];
	char path[96];
	struct dhcp_store *s;
};

static void reopen(struct env *v)
{
	dhcp_store_close(take_ptr(v->s));
	assert_int_equal(dhcp_store_open(v->path, &v->s, NULL), 0);
}

static int setup(void **state)
{
	struct env *v = calloc(1, sizeof(*v));
	assert_non_null(v);
	strcpy(v->dir, "/tmp/netd-store-XXXXXX");
	assert_non_null(mkdtemp(v->dir));
	snprintf(v->path, sizeof(v->path), "%s/netd.db", v->dir);
	reopen(v);
	*state = v;
	return 0;
}

static int teardown(void **state)
{
	struct env *v = *state;
	char **names = NULL;
	dhcp_store_close(v->s);
	assert_int_equal(nd_dir_list(v->dir, NULL, &names, NULL), 0);
	for (char **n = names; *n; n++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", v->dir, *n);
		assert_int_equal(unlink(path), 0);
	}
	nd_strv_free(names);
	assert_int_equal(rmdir(v->dir), 0);
	free(v);
	return 0;
}

static struct dhcp_lease lease(const struct nd_uuid *network, uint32_t host, uint8_t mac)
{
	struct dhcp_lease l;
	memset(&l, 0, sizeof(l));
	l.network = *network;
	l.ip4 = 0xc0a87a00 + host;
	l.identity =
		(struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 7, .bytes = { 1, 2, mac } };
	l.mac = (struct nd_mac){ { 2, mac } };
	l.expiry_s = 1000 + host;
	return l;
}

static struct dhcp_lease port_lease(const struct nd_uuid *network, uint32_t host, const struct nd_uuid *port)
{
	struct dhcp_lease l = lease(network, host, 0);
	l.port = *port;
	l.identity = (struct dhcp_identity){ .kind = DHCP_IDENTITY_PORT, .len = 16 };
	memcpy(l.identity.bytes, port->b, 16);
	return l;
}

static void put(struct env *v, struct dhcp_lease l)
{
	assert_int_equal(dhcp_store_put(v->s, &l, NULL), 0);
}

struct list {
	struct dhcp_lease l[16];
	size_t cnt, stop_at, corrupt;
};

static int collect(const struct dhcp_lease *l, void *arg)
{
	struct list *list = arg;
	assert_true(list->cnt < ARRAY_LEN(list->l));
	list->l[list->cnt++] = *l;
	return list->cnt == list->stop_at;
}

static struct list all(struct env *v, const struct nd_uuid *network)
{
	struct list list = { 0 };
	assert_int_equal(dhcp_store_each(v->s, network, collect, &list, &list.corrupt, NULL), 0);
	return list;
}

/* "1 5 9": the host parts of what is stored, network a then b. */
static const char *hosts(struct env *v)
{
	static char text[128];
	struct list list = all(v, NULL);
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < list.cnt; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? " " : "",
					list.l[i].ip4 & 0xff);
	return text;
}

static void sql(struct env *v, const char *text)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(v->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
}

/* ---- what is kept ---- */

static void found(void **state)
{
	struct env *v = *state;
	struct dhcp_lease one = lease(&net_a, 5, 5), got;
	assert_int_equal(dhcp_store_put(v->s, &one, NULL), 0);
	assert_int_equal(dhcp_store_find(v->s, &net_a, one.ip4, &got, NULL), 0);
	assert_true(dhcp_identity_equal(&got.identity, &one.identity));
	assert_true(got.expiry_s == one.expiry_s);
	assert_int_equal(dhcp_store_find(v->s, &net_a, one.ip4 + 1, &got, NULL), ND_NOT_FOUND);
	assert_int_equal(dhcp_store_find(v->s, &net_b, one.ip4, &got, NULL), ND_NOT_FOUND);
}

static void round_trip(void **state)
{
	struct env *v = *state;
	struct dhcp_lease full = port_lease(&net_a, 5, &port_1), bare = lease(&net_a, 6, 6);
	strcpy(full.hostname, "web-1");
	full.client_id = (struct dhcp_identity){ .kind = DHCP_IDENTITY_CLIENT_ID, .len = DHCP_IDENTITY_MAX };
	memset(full.client_id.bytes, 0xcc, DHCP_IDENTITY_MAX);
	full.expiry_s = UINT64_MAX;
	bare.state = DHCP_LEASE_DECLINED;
	bare.ip4 = 0xdfffff06; /* above INT32_MAX */
	bare.expiry_s = INT64_MAX;
	put(v, full);
	put(v, bare);
	reopen(v);
	struct list list = all(v, &net_a);
	assert_int_equal(list.cnt, 2);
	assert_int_equal(list.corrupt, 0);
	assert_memory_equal(&list.l[0], &full, sizeof(full));
	assert_memory_equal(&list.l[1], &bare, sizeof(bare));
}

static void the_file_is_private(void **state)
{
	struct env *v = *state;
	struct stat st;
	char wal[128];
	put(v, lease(&net_a, 1, 1));
	assert_int_equal(stat(v->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(wal, sizeof(wal), "%s-wal", v->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void one_lease_per_address_and_identity(void **state)
{
	struct env *v = *state;
	put(v, lease(&net_a, 1, 1));
	put(v, lease(&net_a, 2, 1)); /* the same client elsewhere: the older goes */
	assert_string_equal(hosts(v), "2");
	put(v, lease(&net_a, 2, 7)); /* another client on that address */
	assert_string_equal(hosts(v), "2");
	assert_int_equal(all(v, NULL).l[0].mac.b[1], 7);
	put(v, lease(&net_b, 3, 7)); /* networks are apart */
	assert_string_equal(hosts(v), "2 3");
}

static void renewals(void **state)
{
	struct env *v = *state;
	struct dhcp_lease l = lease(&net_a, 1, 1);
	put(v, l);
	l.expiry_s = 5000;
	strcpy(l.hostname, "new");
	put(v, l);
	struct list list = all(v, NULL);
	assert_int_equal(list.cnt, 1);
	assert_memory_equal(&list.l[0], &l, sizeof(l));
	l.expiry_s = UINT64_MAX;
	memset(l.hostname, 0, sizeof(l.hostname));
	put(v, l);
	list = all(v, NULL);
	assert_memory_equal(&list.l[0], &l, sizeof(l));
}

static void declined_addresses_stay(void **state)
{
	struct env *v = *state;
	struct dhcp_lease l = lease(&net_a, 1, 1);
	put(v, l);
	l.state = DHCP_LEASE_DECLINED;
	put(v, l);
	l = lease(&net_a, 2, 1);
	put(v, l); /* the one who declined gets another */
	assert_string_equal(hosts(v), "1 2");
	l.state = DHCP_LEASE_DECLINED;
	put(v, l); /* and declines that, too */
	put(v, lease(&net_a, 3, 1));
	assert_string_equal(hosts(v), "1 2 3");
	put(v, lease(&net_a, 2, 9)); /* given again after its time */
	assert_int_equal(all(v, NULL).l[1].state, DHCP_LEASE_BOUND);
}

static void refused_leases(void **state)
{
	struct env *v = *state;
	struct dhcp_lease l = lease(&net_a, 1, 1);
	l.identity.len = 0;
	assert_int_equal(dhcp_store_put(v->s, &l, NULL), ND_INVALID);
	l = lease(&net_a, 1, 1);
	l.expiry_s = (uint64_t)INT64_MAX + 1;
	assert_int_equal(dhcp_store_put(v->s, &l, NULL), ND_INVALID);
	assert_string_equal(hosts(v), "");
}

/* ---- what goes ---- */

static void deletes(void **state)
{
	struct env *v = *state;
	struct dhcp_lease infinite = lease(&net_b, 9, 9);
	infinite.expiry_s = UINT64_MAX;
	for (uint8_t i = 1; i <= 4; i++)
		put(v, lease(&net_a, i, i));
	put(v, lease(&net_b, 8, 8));
	put(v, infinite);
	assert_int_equal(dhcp_store_delete(v->s, &net_a, 0xc0a87a02, NULL), 0);
	assert_string_equal(hosts(v), "1 3 4 8 9");
	assert_int_equal(dhcp_store_delete(v->s, &net_a, 0xc0a87a02, NULL), 0); /* absent is success */
	assert_int_equal(dhcp_store_delete_expired(v->s, 1003, NULL), 0);
	assert_string_equal(hosts(v), "3 4 8 9");
	assert_int_equal(dhcp_store_delete_network(v->s, &net_a, NULL), 0);
	assert_string_equal(hosts(v), "8 9");
	assert_int_equal(dhcp_store_delete_expired(v->s, UINT64_MAX, NULL), 0);
	assert_string_equal(hosts(v), "9");
}

static void a_ports_leases(void **state)
{
	struct env *v = *state;
	struct dhcp_lease declined = port_lease(&net_a, 4, &port_1);
	struct dhcp_lease nested = lease(&net_a, 5, 5);
	uint32_t ip4 = 77;
	declined.state = DHCP_LEASE_DECLINED;
	nested.port = port_1;
	put(v, port_lease(&net_a, 1, &port_1));
	put(v, port_lease(&net_a, 2, &port_2));
	put(v, port_lease(&net_b, 3, &port_1));
	put(v, declined);
	put(v, lease(&net_a, 6, 6));
	assert_int_equal(dhcp_store_delete_port(v->s, &net_a, &port_1, &ip4, NULL), 0);
	assert_int_equal(ip4, 0xc0a87a01);
	assert_string_equal(hosts(v), "2 4 6 3");
	assert_int_equal(dhcp_store_delete_port(v->s, &net_a, &port_1, &ip4, NULL), 0);
	assert_int_equal(ip4, 0);
	put(v, port_lease(&net_a, 1, &port_1));
	put(v, nested);
	assert_int_equal(dhcp_store_delete_port(v->s, &net_a, &port_1, &ip4, NULL), 0);
	assert_true(ip4 == 0xc0a87a01 || ip4 == 0xc0a87a05);
	assert_string_equal(hosts(v), "2 4 6 3");
}

/* ---- transactions ---- */

static void transactions(void **state)
{
	struct env *v = *state;
	struct nd_error e = ND_ERROR_INIT;
	assert_int_equal(dhcp_store_begin(v->s, NULL), 0);
	put(v, lease(&net_a, 1, 1));
	assert_int_equal(dhcp_store_commit(v->s, NULL), 0);
	assert_int_equal(dhcp_store_begin(v->s, NULL), 0);
	put(v, lease(&net_a, 2, 2));
	dhcp_store_abort(v->s);
	dhcp_store_abort(v->s); /* nothing to undo */
	assert_string_equal(hosts(v), "1");
	assert_int_equal(dhcp_store_commit(v->s, &e), ND_SYSTEM);
	assert_int_equal(dhcp_store_begin(v->s, NULL), 0);
	put(v, lease(&net_a, 3, 3));
	dhcp_store_close(take_ptr(v->s)); /* an open transaction is lost */
	reopen(v);
	assert_string_equal(hosts(v), "1");
}

static void a_killed_process(void **state)
{
	struct env *v = *state;
	int status;
	dhcp_store_close(take_ptr(v->s));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct dhcp_lease one = lease(&net_a, 1, 1), two = lease(&net_a, 2, 2);
		bool ok = dhcp_store_open(v->path, &v->s, NULL) == 0 && dhcp_store_begin(v->s, NULL) == 0 &&
			  dhcp_store_put(v->s, &one, NULL) == 0 && dhcp_store_commit(v->s, NULL) == 0 &&
			  dhcp_store_begin(v->s, NULL) == 0 && dhcp_store_put(v->s, &two, NULL) == 0;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	reopen(v);
	assert_string_equal(hosts(v), "1");
}

static void walking(void **state)
{
	struct env *v = *state;
	struct list list = { .stop_at = 2 };
	for (uint8_t i = 1; i <= 4; i++)
		put(v, lease(i % 2 ? &net_a : &net_b, i, i));
	assert_int_equal(dhcp_store_each(v->s, NULL, collect, &list, NULL, NULL), 0);
	assert_int_equal(list.cnt, 2);
	list = all(v, &net_b);
	assert_int_equal(list.cnt, 2);
	assert_int_equal(list.l[0].ip4 & 0xff, 2);
	assert_int_equal(list.l[1].ip4 & 0xff, 4);
}

/* ---- files that something else wrote ---- */

static void corrupt_rows_are_skipped(void **state)
{
	static const char *const bad[] = {
		"network = x'00'",
		"network = 'text'",
		"ip4 = -1",
		"ip4 = 4294967296",
		"ip4 = 'x'",
		"ip4 = 0",
		"identity = x''",
		"identity = x'0301'",
		"identity = zeroblob(66)",
		"identity = zeroblob(1000)",
		"identity = 5",
		"port = x'01'",
		"port = 'p'",
		"state = 2",
		"state = 300",
		"state = 'b'",
		"mac = x'0102'",
		"mac = x'ffffffffffff'",
		"mac = 1.5",
		"hostname = x'61'",
		"hostname = 'a b'",
		"hostname = char(10)",
		"hostname = printf('%.64c', 'a')",
		"hostname = 'a' || char(0)",
		"client_id = x''",
		"client_id = x'02'",
		"client_id = x'0101'",
		"client_id = zeroblob(67)",
		"expiry = -1",
		"expiry = 'never'",
		"expiry = 1e300",
	};
	struct env *v = *state;
	put(v, lease(&net_a, 1, 1));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[256];
		put(v, lease(&net_a, 2, 2));
		snprintf(text, sizeof(text), "UPDATE leases SET %s WHERE ip4 = %u", bad[i], 0xc0a87a02);
		sql(v, text);
		struct list list = all(v, NULL);
		if (list.cnt != 1 || list.corrupt != 1)
			fail_msg("%s: %zu good, %zu corrupt", bad[i], list.cnt, list.corrupt);
		assert_int_equal(list.l[0].ip4 & 0xff, 1);
		snprintf(text, sizeof(text), "DELETE FROM leases WHERE mac <> x'020100000000' OR ip4 <> %u",
			 0xc0a87a01);
		sql(v, text);
	}
}

static void write_file(const char *path, const void *p, size_t len)
{
	assert_int_equal(nd_file_write(path, p, len, 0600, false, NULL), 0);
}

static void no_database_is_moved_aside(void **state)
{
	struct env *v = *state;
	struct dhcp_store *none = NULL;
	char moved[2][160], wal[128], text[1000];
	struct stat st;
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 2; i++) { /* the second within the same second */
		struct nd_error e = ND_ERROR_INIT;
		dhcp_store_close(take_ptr(v->s));
		write_file(v->path, text, sizeof(text));
		snprintf(wal, sizeof(wal), "%s-wal", v->path);
		write_file(wal, "old log", 7);
		assert_int_equal(dhcp_store_open(v->path, &none, &e), ND_PARSE);
		assert_null(none);
		assert_int_equal(dhcp_store_quarantine(v->path, moved[i], sizeof(moved[i]), NULL), 0);
		assert_int_equal(stat(moved[i], &st), 0);
		assert_int_equal(st.st_size, sizeof(text));
		reopen(v);
		put(v, lease(&net_a, 1, 1));
		assert_string_equal(hosts(v), "1");
	}
	assert_string_not_equal(moved[0], moved[1]);
	assert_int_equal(dhcp_store_quarantine(v->path, moved[0], 10, NULL), ND_LIMIT);
}

static void another_version_is_left_alone(void **state)
{
	struct env *v = *state;
	struct dhcp_store *none = NULL;
	put(v, lease(&net_a, 1, 1));
	dhcp_store_close(take_ptr(v->s));
	sql(v, "PRAGMA user_version = 99");
	assert_int_equal(dhcp_store_open(v->path, &none, NULL), ND_UNSUPPORTED);
	sql(v, "PRAGMA user_version = 1");
	reopen(v);
	assert_string_equal(hosts(v), "1");
}

static void foreign_tables(void **state)
{
	struct env *v = *state;
	struct dhcp_store *none = NULL;
	dhcp_store_close(take_ptr(v->s));
	sql(v, "DROP TABLE leases");
	assert_int_equal(dhcp_store_open(v->path, &none, NULL), ND_PARSE);
	sql(v, "CREATE TABLE leases (network, ip4)");
	assert_int_equal(dhcp_store_open(v->path, &none, NULL), ND_PARSE);
	sql(v, "PRAGMA user_version = 0");
	assert_int_equal(dhcp_store_open(v->path, &none, NULL), ND_PARSE);
}

static int any(const struct dhcp_lease *l, void *arg)
{
	return 0;
}

/* Whatever is broken, it is told by ND_PARSE or by skipped rows, and what is read has passed the check. */
static void torn_and_flipped_files(void **state)
{
	struct env *v = *state;
	nd_autofree char *good = NULL;
	size_t len, damaged = 0;
	unsigned seed = 20240607;
	assert_int_equal(dhcp_store_begin(v->s, NULL), 0);
	for (uint32_t i = 1; i < 250; i++) {
		struct dhcp_lease l = lease(&net_a, i, (uint8_t)i);
		put(v, l);
	}
	assert_int_equal(dhcp_store_commit(v->s, NULL), 0);
	dhcp_store_close(take_ptr(v->s));
	assert_int_equal(nd_file_read(v->path, 1 << 20, &good, &len, NULL), 0);
	print_message("seed %u, %zu bytes\n", seed, len);
	for (int round = 0; round < 150; round++) {
		struct nd_error e = ND_ERROR_INIT;
		nd_autofree char *bad = malloc(len);
		size_t bad_len = len;
		assert_non_null(bad);
		memcpy(bad, good, len);
		if (round % 5 == 0)
			bad_len = (size_t)rand_r(&seed) % len;
		for (int i = 0; round % 5 && i < 8; i++)
			bad[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
		write_file(v->path, bad, bad_len);
		struct dhcp_store *s = NULL;
		size_t corrupt = 0;
		int r = dhcp_store_open(v->path, &s, &e);
		if (r == 0)
			r = dhcp_store_each(s, NULL, any, NULL, &corrupt, &e);
		dhcp_store_close(s);
		assert_true(r == 0 || r == ND_PARSE || r == ND_UNSUPPORTED);
		damaged += r != 0 || corrupt > 0;
	}
	assert_true(damaged > 0);
}

static void places_that_do_not_open(void **state)
{
	struct env *v = *state;
	struct dhcp_store *none = NULL;
	struct nd_error e = ND_ERROR_INIT;
	char path[128];
	assert_int_equal(dhcp_store_open("/nonexistent/netd.db", &none, &e), ND_SYSTEM);
	nd_error_reset(&e);
	snprintf(path, sizeof(path), "%s/link", v->dir);
	assert_int_equal(symlink(v->path, path), 0);
	assert_int_equal(dhcp_store_open(path, &none, &e), ND_SYSTEM);
	nd_error_reset(&e);
	assert_int_equal(dhcp_store_open(v->dir, &none, &e), ND_SYSTEM);
	assert_null(none);
	dhcp_store_close(NULL);
}

/* ---- settings ---- */

static void settings(void **state)
{
	struct env *v = *state;
	nd_autofree char *value = NULL;
	char *none = NULL;
	assert_int_equal(dhcp_store_setting_get(v->s, "subnet:1", &none, NULL), ND_NOT_FOUND);
	assert_int_equal(dhcp_store_setting_put(v->s, "subnet:1", "10.0.0.1/24", NULL), 0);
	assert_int_equal(dhcp_store_setting_put(v->s, "subnet:1", "192.168.123.1/24", NULL), 0);
	assert_int_equal(dhcp_store_setting_put(v->s, "subnet:2", "", NULL), 0);
	reopen(v);
	assert_int_equal(dhcp_store_setting_get(v->s, "subnet:1", &value, NULL), 0);
	assert_string_equal(value, "192.168.123.1/24");
	assert_int_equal(dhcp_store_setting_put(v->s, "subnet:1", NULL, NULL), 0);
	assert_int_equal(dhcp_store_setting_get(v->s, "subnet:1", &none, NULL), ND_NOT_FOUND);
	assert_null(none);
	assert_int_equal(dhcp_store_setting_get(v->s, "subnet:2", &none, NULL), 0);
	assert_string_equal(none, "");
	free(none);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(round_trip),
		TEST(found),
		TEST(the_file_is_private),
		TEST(one_lease_per_address_and_identity),
		TEST(renewals),
		TEST(declined_addresses_stay),
		TEST(refused_leases),
		TEST(deletes),
		TEST(a_ports_leases),
		TEST(transactions),
		TEST(a_killed_process),
		TEST(walking),
		TEST(corrupt_rows_are_skipped),
		TEST(no_database_is_moved_aside),
		TEST(another_version_is_left_alone),
		TEST(foreign_tables),
		TEST(torn_and_flipped_files),
		TEST(places_that_do_not_open),
		TEST(settings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

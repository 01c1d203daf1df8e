// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: any bytes as the lease database
 *
 * Input: a byte that says how the rest damages a good database:
 *   0  it is the file itself
 *   1  patches of the file: offset (2 bytes), value (1 byte)
 *   2  it is the write-ahead log beside the file
 *   3  rows for the table: nine values each, every one a type and what belongs to it
 * Opening must end in a store or in one of the codes dhcp.h promises, and every lease that is read must pass dhcp_lease_check.
 */
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "dhcp/dhcp.h"

#include <sqlite3.h>

#define COLUMN_CNT 9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char dir[] = "/tmp/netd-fuzz-store-XXXXXX";
static char path[64], wal[80], shm[80];
static char *good;
static size_t good_len;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_store: %s\n", what);
	abort();
}

static void remove_files(void)
{
	unlink(path);
	unlink(wal);
	unlink(shm);
}

static void clean(void)
{
	remove_files();
	rmdir(dir);
	free(good);
}

static void make_good(void)
{
	struct dhcp_store *s = NULL;

	must(mkdtemp(dir) != NULL, "temporary folder");
	snprintf(path, sizeof(path), "%s/netd.db", dir);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(shm, sizeof(shm), "%s-shm", path);
	must(dhcp_store_open(path, &s, NULL) == 0 && dhcp_store_begin(s, NULL) == 0, "new store");
	for (uint8_t i = 1; i < 100; i++) {
		struct dhcp_lease l = { .network = { { 1 } }, .ip4 = 0x0a000000u + i, .expiry_s = 1000 };
		l.identity =
			(struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 7, .bytes = { 1, i } };
		must(dhcp_store_put(s, &l, NULL) == 0, "lease");
	}
	must(dhcp_store_setting_put(s, "key", "value", NULL) == 0, "setting");
	must(dhcp_store_commit(s, NULL) == 0, "commit");
	dhcp_store_close(s);
	must(nd_file_read(path, 1 << 20, &good, &good_len, NULL) == 0, "read the file");
	atexit(clean);
}

static void write_file(const char *to, const void *p, size_t len)
{
	must(nd_file_write(to, p, len, 0600, false, NULL) == 0, "write a file");
}

static void patch(struct nd_reader *in)
{
	nd_autofree char *bad = malloc(good_len);

	must(bad != NULL, "memory");
	memcpy(bad, good, good_len);
	while (nd_reader_left(in) >= 3) {
		size_t at = nd_read_be16(in);
		bad[at % good_len] = (char)nd_read_u8(in);
	}
	write_file(path, bad, good_len);
}

static void bind_value(sqlite3_stmt *st, int at, struct nd_reader *in)
{
	uint8_t type = nd_read_u8(in) % 4;
	size_t n;

	switch (type) {
	case 0: sqlite3_bind_null(st, at); return;
	case 1: sqlite3_bind_int64(st, at, (int64_t)nd_read_be64(in)); return;
	}
	n = nd_read_u8(in);
	if (n > nd_reader_left(in))
		n = nd_reader_left(in);
	const void *p = n ? (const void *)nd_read_view(in, n) : "";
	if (type == 2)
		sqlite3_bind_blob(st, at, p, (int)n, SQLITE_TRANSIENT);
	else
		sqlite3_bind_text(st, at, p, (int)n, SQLITE_TRANSIENT);
}

/* Rows that the table's own constraints refuse are none. */
static void insert_rows(struct nd_reader *in)
{
	static const char text[] =
		"INSERT OR REPLACE INTO leases (network, ip4, identity, port, state, mac, hostname,"
		" client_id, expiry) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	write_file(path, good, good_len);
	must(sqlite3_open(path, &db) == SQLITE_OK, "open with SQLite");
	must(sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK, "prepare");
	for (int row = 0; row < 32 && nd_reader_left(in) > 0; row++) {
		for (int i = 1; i <= COLUMN_CNT; i++)
			bind_value(st, i, in);
		(void)sqlite3_step(st);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static int check(const struct dhcp_lease *l, void *arg)
{
	must(dhcp_lease_check(l, NULL) == 0, "lease");
	return 0;
}

static bool is_promised(int r)
{
	return r == 0 || r == ND_PARSE || r == ND_UNSUPPORTED || r == ND_SYSTEM;
}

static void use(void)
{
	struct nd_error e = ND_ERROR_INIT;
	struct dhcp_store *s = NULL;
	size_t corrupt = 0;
	char *value = NULL;
	uint32_t ip4;

	int r = dhcp_store_open(path, &s, &e);
	must(is_promised(r) && r == e.code, "open");
	if (r < 0)
		return;
	r = dhcp_store_each(s, NULL, check, NULL, &corrupt, &e);
	must(is_promised(r) && r == e.code, "each");
	if (dhcp_store_setting_get(s, "key", &value, NULL) == 0)
		free(value);
	(void)dhcp_store_delete_port(s, &(struct nd_uuid){ { 1 } }, &(struct nd_uuid){ { 2 } }, &ip4, NULL);
	(void)dhcp_store_delete_expired(s, 2000, NULL);
	dhcp_store_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nd_reader in = nd_reader(data, len);

	if (!good)
		make_good();
	remove_files();
	uint8_t how = nd_read_u8(&in) % 4;
	size_t left = nd_reader_left(&in);
	switch (how) {
	case 0: write_file(path, len ? data + 1 : data, left); break;
	case 1: patch(&in); break;
	case 2:
		write_file(path, good, good_len);
		write_file(wal, data + 1, left);
		break;
	case 3: insert_rows(&in); break;
	}
	use();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the lease store
 *
 * Leases in SQLite, and a small table of netd's own choices. Blocking; knows no thread: the caller has one that may wait for a disk. A lease is durable
 * when the commit it was put in has returned 0 (WAL with synchronous=FULL syncs the log in every commit), which is what the ACK waits for (RFC 2131 §3.1 step 4).
 *
 * Rows: one per (network, address). An identity holds one bound lease on a network; declined addresses keep the identity of whoever declined them and
 * are outside of that rule. An infinite lease's expiry is NULL. Renewals change no indexed column and are tried first, since they are nearly all there is.
 *
 * A file is untrusted: it may be torn, from another version, or damaged. A row that does not pass dhcp_lease_check is skipped and counted. A file that is no
 * database, or whose pages contradict each other, is ND_PARSE; the caller moves it aside with dhcp_store_quarantine and opens a new one.
 *
 * Source: sqlite.org/wal.html, sqlite.org/pragma.html, sqlite.org/security.html.
 */
#include "base/mem.h"
#include "dhcp/dhcp.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <time.h>

#define SCHEMA_VERSION  1
#define BUSY_TIMEOUT_MS 2000 /* somebody looks into the file with another tool */
#define QUARANTINE_MAX  100  /* names tried within one second */

enum statement {
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_RENEW,
	STMT_PUT,
	STMT_DELETE,
	STMT_DELETE_PORT,
	STMT_DELETE_NETWORK,
	STMT_DELETE_EXPIRED,
	STMT_EACH,
	STMT_EACH_OF_NETWORK,
	STMT_FIND,
	STMT_SETTING_PUT,
	STMT_SETTING_DELETE,
	STMT_SETTING_GET,
	STMT_CNT_
};

#define LEASE_COLUMNS "network, ip4, identity, port, state, mac, hostname, client_id, expiry"

static const char *const sql[] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
	[STMT_ROLLBACK] = "ROLLBACK",
	[STMT_RENEW] = "UPDATE leases SET mac = ?6, hostname = ?7, client_id = ?8, expiry = ?9"
		       " WHERE network = ?1 AND ip4 = ?2 AND identity = ?3 AND port IS ?4 AND state = ?5",
	[STMT_PUT] = "INSERT OR REPLACE INTO leases (" LEASE_COLUMNS
		     ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[STMT_DELETE] = "DELETE FROM leases WHERE network = ?1 AND ip4 = ?2",
	[STMT_DELETE_PORT] =
		"DELETE FROM leases WHERE network = ?1 AND port = ?2 AND state = 0 RETURNING ip4",
	[STMT_DELETE_NETWORK] = "DELETE FROM leases WHERE network = ?1",
	[STMT_DELETE_EXPIRED] = "DELETE FROM leases WHERE expiry < ?1",
	[STMT_EACH] = "SELECT " LEASE_COLUMNS " FROM leases",
	[STMT_EACH_OF_NETWORK] = "SELECT " LEASE_COLUMNS " FROM leases WHERE network = ?1",
	[STMT_FIND] = "SELECT " LEASE_COLUMNS " FROM leases WHERE network = ?1 AND ip4 = ?2",
	[STMT_SETTING_PUT] = "INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)",
	[STMT_SETTING_DELETE] = "DELETE FROM settings WHERE key = ?1",
	[STMT_SETTING_GET] = "SELECT value FROM settings WHERE key = ?1",
};
static_assert(ARRAY_LEN(sql) == STMT_CNT_, "one text per statement");

static const char *const schema =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE leases ("
	" network BLOB NOT NULL,"
	" ip4 INTEGER NOT NULL,"
	" identity BLOB NOT NULL," /* kind, then bytes */
	" port BLOB,"              /* NULL: not a netd port */
	" state INTEGER NOT NULL,"
	" mac BLOB NOT NULL,"
	" hostname TEXT NOT NULL,"
	" client_id BLOB," /* kind, then bytes; NULL: none */
	" expiry INTEGER," /* NULL: infinite */
	" PRIMARY KEY (network, ip4)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX leases_identity ON leases (network, identity) WHERE state = 0;"
	"CREATE INDEX leases_port ON leases (network, port) WHERE port IS NOT NULL;"
	"CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version = 1;"
	"COMMIT;";
static_assert(SCHEMA_VERSION == 1, "the schema sets the version");

static const char *const pragmas = "PRAGMA trusted_schema = OFF;"
				   "PRAGMA cell_size_check = ON;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA cache_size = -512;" /* KiB */
				   "PRAGMA mmap_size = 0;"
				   "PRAGMA journal_size_limit = 4194304;";

struct dhcp_store {
	sqlite3 *db;
	sqlite3_stmt *stmt[STMT_CNT_];
	char path[];
};

/* ---- errors ---- */

/* What SQLite says is kept beside the errno it saw. A full disk has no errno of its own in some paths. */
static int fail(const struct dhcp_store *s, struct nd_error *e, const char *doing)
{
	int code = sqlite3_errcode(s->db);
	int err = sqlite3_system_errno(s->db);
	const char *text = sqlite3_errmsg(s->db);
	switch (code) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT: return nd_fail(e, ND_PARSE, "%s: %s: %s", s->path, doing, text);
	case SQLITE_NOMEM: return nd_fail(e, ND_MEMORY, "%s: %s", s->path, doing);
	case SQLITE_FULL: return nd_fail_sys(e, ENOSPC, text, "%s: %s", s->path, doing);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return nd_fail(e, ND_BUSY, "%s: %s: %s", s->path, doing, text);
	case SQLITE_READONLY: return nd_fail_sys(e, EROFS, text, "%s: %s", s->path, doing);
	}
	return nd_fail_sys(e, err ? err : EIO, text, "%s: %s", s->path, doing);
}

/* ---- life cycle ---- */

/* SQLite would create it readable for all; its -wal and -shm get the same mode. */
static int create_private(const char *path, struct nd_error *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "%s: open", path);
	close(fd);
	return 0;
}

static int set_pragmas(struct dhcp_store *s, struct nd_error *e)
{
	if (sqlite3_exec(s->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return fail(s, e, "open");
	return 0;
}

static int read_version(struct dhcp_store *s, int *ret, struct nd_error *e)
{
	sqlite3_stmt *st = NULL;
	int r = 0;
	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		r = fail(s, e, "read version");
	else
		*ret = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return r;
}

/* SQLITE_ERROR is said of a text that does not fit the tables. The texts are right, so the tables are not ours. */
static int fail_tables(const struct dhcp_store *s, struct nd_error *e, const char *doing)
{
	if (sqlite3_errcode(s->db) != SQLITE_ERROR)
		return fail(s, e, doing);
	return nd_fail(e, ND_PARSE, "%s: not netd's tables: %s", s->path, sqlite3_errmsg(s->db));
}

static int prepare_schema(struct dhcp_store *s, struct nd_error *e)
{
	int version = 0;
	int r = read_version(s, &version, e);
	if (r < 0)
		return r;
	if (version == SCHEMA_VERSION)
		return 0;
	if (version != 0)
		return nd_fail(e, ND_UNSUPPORTED,
			       "%s: written by another version of netd (format %d, ours is %d)", s->path,
			       version, SCHEMA_VERSION);
	if (sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return fail_tables(s, e, "create tables");
	return 0;
}

static int prepare_statements(struct dhcp_store *s, struct nd_error *e)
{
	for (size_t i = 0; i < STMT_CNT_; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL) !=
		    SQLITE_OK)
			return fail_tables(s, e, "prepare");
	return 0;
}

ND_DEFINE_CLEANUP(struct dhcp_store *, dhcp_store_close)

int dhcp_store_open(const char *path, struct dhcp_store **ret, struct nd_error *e)
{
	int r = create_private(path, e);
	if (r < 0)
		return r;
	size_t size = strlen(path) + 1;
	nd_cleanup(dhcp_store_closep) struct dhcp_store *s = calloc(1, sizeof(*s) + size);
	if (!s)
		return nd_fail(e, ND_MEMORY, "%s", path);
	memcpy(s->path, path, size);
	int rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (!s->db)
		return nd_fail(e, ND_MEMORY, "%s", path);
	if (rc != SQLITE_OK)
		return fail(s, e, "open");
	sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	r = set_pragmas(s, e);
	if (r == 0)
		r = prepare_schema(s, e);
	if (r == 0)
		r = prepare_statements(s, e);
	if (r == 0)
		*ret = take_ptr(s);
	return r;
}

void dhcp_store_close(struct dhcp_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STMT_CNT_; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	free(s);
}

static int move_aside(const char *path, const char *new_path, const char *suffix, struct nd_error *e)
{
	nd_autofree char *from = NULL, *to = NULL;
	if (asprintf(&from, "%s%s", path, suffix) < 0 || asprintf(&to, "%s%s", new_path, suffix) < 0)
		return nd_fail(e, ND_MEMORY, "%s", path);
	if (rename(from, to) < 0 && errno != ENOENT)
		return nd_fail_sys(e, errno, NULL, "%s: rename to %s", from, to);
	return 0;
}

int dhcp_store_quarantine(const char *path, char *ret_new, size_t size, struct nd_error *e)
{
	time_t now = time(NULL);
	int r = 0;
	for (int i = 0; i < QUARANTINE_MAX; i++) {
		int n = i == 0 ? snprintf(ret_new, size, "%s.corrupt-%" PRId64, path, (int64_t)now)
			       : snprintf(ret_new, size, "%s.corrupt-%" PRId64 "-%d", path, (int64_t)now, i);
		if (n < 0 || (size_t)n >= size)
			return nd_fail(e, ND_LIMIT, "%s: path too long", path);
		if (access(ret_new, F_OK) == 0)
			continue;
		/* The log first: a new file must never meet the old one's. */
		static const char *const suffixes[] = { "-wal", "-shm", "" };
		for (size_t k = 0; k < ARRAY_LEN(suffixes) && r == 0; k++)
			r = move_aside(path, ret_new, suffixes[k], e);
		return r;
	}
	return nd_fail(e, ND_EXISTS, "%s.corrupt-%" PRId64, path, (int64_t)now);
}

/* ---- statements ---- */

/* Runs one that gives no row, and makes it ready for its next use. */
static int run(struct dhcp_store *s, enum statement which, const char *doing, struct nd_error *e)
{
	sqlite3_stmt *st = s->stmt[which];
	int r = 0;
	if (sqlite3_step(st) != SQLITE_DONE)
		r = fail(s, e, doing);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

int dhcp_store_begin(struct dhcp_store *s, struct nd_error *e)
{
	return run(s, STMT_BEGIN, "begin", e);
}

int dhcp_store_commit(struct dhcp_store *s, struct nd_error *e)
{
	return run(s, STMT_COMMIT, "commit", e);
}

void dhcp_store_abort(struct dhcp_store *s)
{
	/* A full disk makes SQLite roll back by itself. */
	if (!sqlite3_get_autocommit(s->db))
		(void)run(s, STMT_ROLLBACK, "rollback", NULL);
}

/* ---- leases ---- */

struct identity_column {
	uint8_t bytes[1 + DHCP_IDENTITY_MAX];
	int len;
};

static struct identity_column to_column(const struct dhcp_identity *id)
{
	struct identity_column c = { .len = 1 + id->len };
	c.bytes[0] = id->kind;
	memcpy(c.bytes + 1, id->bytes, id->len);
	return c;
}

/* The columns of LEASE_COLUMNS as ?1…?9, or as many of them as the statement has. */
static void bind_lease(sqlite3_stmt *st, const struct dhcp_lease *l)
{
	struct identity_column identity = to_column(&l->identity);
	struct identity_column client_id = to_column(&l->client_id);
	sqlite3_bind_blob(st, 1, l->network.b, sizeof(l->network.b), SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, l->ip4);
	sqlite3_bind_blob(st, 3, identity.bytes, identity.len, SQLITE_TRANSIENT);
	if (sqlite3_bind_parameter_count(st) < 9)
		return;
	if (!nd_uuid_is_zero(&l->port))
		sqlite3_bind_blob(st, 4, l->port.b, sizeof(l->port.b), SQLITE_STATIC);
	sqlite3_bind_int(st, 5, l->state);
	sqlite3_bind_blob(st, 6, l->mac.b, sizeof(l->mac.b), SQLITE_STATIC);
	sqlite3_bind_text(st, 7, l->hostname, -1, SQLITE_STATIC);
	if (l->client_id.len)
		sqlite3_bind_blob(st, 8, client_id.bytes, client_id.len, SQLITE_TRANSIENT);
	if (l->expiry_s != UINT64_MAX)
		sqlite3_bind_int64(st, 9, (int64_t)l->expiry_s);
}

/* REPLACE takes away the row of the address and, by the index over bound leases, that of the identity. */
int dhcp_store_put(struct dhcp_store *s, const struct dhcp_lease *l, struct nd_error *e)
{
	int r = dhcp_lease_check(l, e);
	if (r < 0)
		return r;
	if (l->expiry_s > INT64_MAX && l->expiry_s != UINT64_MAX)
		return nd_fail(e, ND_INVALID, "lease expires at %" PRIu64, l->expiry_s);
	bind_lease(s->stmt[STMT_RENEW], l);
	r = run(s, STMT_RENEW, "renew lease", e);
	if (r < 0 || sqlite3_changes(s->db) > 0)
		return r;
	bind_lease(s->stmt[STMT_PUT], l);
	return run(s, STMT_PUT, "put lease", e);
}

static void bind_uuid(sqlite3_stmt *st, int at, const struct nd_uuid *u)
{
	sqlite3_bind_blob(st, at, u->b, sizeof(u->b), SQLITE_STATIC);
}

int dhcp_store_delete(struct dhcp_store *s, const struct nd_uuid *network, uint32_t ip4, struct nd_error *e)
{
	bind_uuid(s->stmt[STMT_DELETE], 1, network);
	sqlite3_bind_int64(s->stmt[STMT_DELETE], 2, ip4);
	return run(s, STMT_DELETE, "delete lease", e);
}

int dhcp_store_delete_port(struct dhcp_store *s, const struct nd_uuid *network, const struct nd_uuid *port,
			   uint32_t *ret_ip4, struct nd_error *e)
{
	sqlite3_stmt *st = s->stmt[STMT_DELETE_PORT];
	uint32_t ip4 = 0;
	int rc, r = 0;
	bind_uuid(st, 1, network);
	bind_uuid(st, 2, port);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		ip4 = (uint32_t)sqlite3_column_int64(st, 0);
	if (rc != SQLITE_DONE)
		r = fail(s, e, "delete a port's leases");
	else
		*ret_ip4 = ip4;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

int dhcp_store_delete_network(struct dhcp_store *s, const struct nd_uuid *network, struct nd_error *e)
{
	bind_uuid(s->stmt[STMT_DELETE_NETWORK], 1, network);
	return run(s, STMT_DELETE_NETWORK, "delete a network's leases", e);
}

int dhcp_store_delete_expired(struct dhcp_store *s, uint64_t before_s, struct nd_error *e)
{
	int64_t before = before_s > INT64_MAX ? INT64_MAX : (int64_t)before_s;
	sqlite3_bind_int64(s->stmt[STMT_DELETE_EXPIRED], 1, before);
	return run(s, STMT_DELETE_EXPIRED, "delete expired leases", e);
}

/* ---- reading rows ---- */

/* The type is asked for first: the calls that fetch a value may convert it. */
static bool read_blob(sqlite3_stmt *st, int at, void *ret, size_t len)
{
	if (sqlite3_column_type(st, at) != SQLITE_BLOB || (size_t)sqlite3_column_bytes(st, at) != len)
		return false;
	memcpy(ret, sqlite3_column_blob(st, at), len);
	return true;
}

static bool read_integer(sqlite3_stmt *st, int at, int64_t max, uint64_t *ret)
{
	if (sqlite3_column_type(st, at) != SQLITE_INTEGER)
		return false;
	int64_t v = sqlite3_column_int64(st, at);
	if (v < 0 || v > max)
		return false;
	*ret = (uint64_t)v;
	return true;
}

static bool read_identity(sqlite3_stmt *st, int at, struct dhcp_identity *ret)
{
	if (sqlite3_column_type(st, at) != SQLITE_BLOB)
		return false;
	int len = sqlite3_column_bytes(st, at);
	if (len < 2 || len > 1 + DHCP_IDENTITY_MAX)
		return false;
	const uint8_t *p = sqlite3_column_blob(st, at);
	ret->kind = p[0];
	ret->len = (uint8_t)(len - 1);
	memcpy(ret->bytes, p + 1, ret->len);
	return true;
}

static bool read_string(sqlite3_stmt *st, int at, char *ret, size_t size)
{
	if (sqlite3_column_type(st, at) != SQLITE_TEXT)
		return false;
	const void *p = sqlite3_column_text(st, at);
	size_t len = (size_t)sqlite3_column_bytes(st, at);
	if (!p || len >= size || memchr(p, 0, len))
		return false;
	memcpy(ret, p, len);
	ret[len] = '\0';
	return true;
}

static bool is_null(sqlite3_stmt *st, int at)
{
	return sqlite3_column_type(st, at) == SQLITE_NULL;
}

/* Column by column in the order of LEASE_COLUMNS. Return: false for a row that is not one of ours. */
static bool read_lease(sqlite3_stmt *st, struct dhcp_lease *ret)
{
	struct dhcp_lease l = { .expiry_s = UINT64_MAX };
	uint64_t ip4, state;
	if (!read_blob(st, 0, l.network.b, sizeof(l.network.b)) || !read_integer(st, 1, UINT32_MAX, &ip4) ||
	    !read_identity(st, 2, &l.identity) ||
	    (!is_null(st, 3) && !read_blob(st, 3, l.port.b, sizeof(l.port.b))) ||
	    !read_integer(st, 4, UINT8_MAX, &state) || !read_blob(st, 5, l.mac.b, sizeof(l.mac.b)) ||
	    !read_string(st, 6, l.hostname, sizeof(l.hostname)) ||
	    (!is_null(st, 7) && !read_identity(st, 7, &l.client_id)) ||
	    (!is_null(st, 8) && !read_integer(st, 8, INT64_MAX, &l.expiry_s)))
		return false;
	l.ip4 = (uint32_t)ip4;
	l.state = (uint8_t)state;
	if (dhcp_lease_check(&l, NULL) < 0)
		return false;
	*ret = l;
	return true;
}

int dhcp_store_each(struct dhcp_store *s, const struct nd_uuid *network,
		    int (*fn)(const struct dhcp_lease *l, void *arg), void *arg, size_t *ret_corrupt,
		    struct nd_error *e)
{
	sqlite3_stmt *st = s->stmt[network ? STMT_EACH_OF_NETWORK : STMT_EACH];
	struct dhcp_lease l;
	size_t corrupt = 0;
	int rc = SQLITE_DONE, r = 0, go_on = 0;
	if (network)
		bind_uuid(st, 1, network);
	while (go_on == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (read_lease(st, &l))
			go_on = fn(&l, arg);
		else
			corrupt++;
	}
	if (go_on == 0 && rc != SQLITE_DONE)
		r = fail(s, e, "read leases");
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (ret_corrupt)
		*ret_corrupt = corrupt;
	return r;
}

int dhcp_store_find(struct dhcp_store *s, const struct nd_uuid *network, uint32_t ip4, struct dhcp_lease *ret,
		    struct nd_error *e)
{
	sqlite3_stmt *st = s->stmt[STMT_FIND];
	int rc, r = 0;
	bind_uuid(st, 1, network);
	sqlite3_bind_int64(st, 2, ip4);
	rc = sqlite3_step(st);
	if (rc == SQLITE_DONE)
		r = nd_fail(e, ND_NOT_FOUND, "no lease of the address");
	else if (rc != SQLITE_ROW)
		r = fail(s, e, "read lease");
	else if (!read_lease(st, ret))
		r = nd_fail(e, ND_PARSE, "the address's lease is damaged");
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

/* ---- settings ---- */

int dhcp_store_setting_put(struct dhcp_store *s, const char *key, const char *value, struct nd_error *e)
{
	enum statement which = value ? STMT_SETTING_PUT : STMT_SETTING_DELETE;
	sqlite3_bind_text(s->stmt[which], 1, key, -1, SQLITE_STATIC);
	if (value)
		sqlite3_bind_text(s->stmt[which], 2, value, -1, SQLITE_STATIC);
	return run(s, which, value ? "put setting" : "delete setting", e);
}

int dhcp_store_setting_get(struct dhcp_store *s, const char *key, char **ret, struct nd_error *e)
{
	sqlite3_stmt *st = s->stmt[STMT_SETTING_GET];
	char *value = NULL;
	int r = 0;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	int rc = sqlite3_step(st);
	if (rc == SQLITE_DONE)
		r = nd_fail(e, ND_NOT_FOUND, "%s: no setting '%s'", s->path, key);
	else if (rc != SQLITE_ROW)
		r = fail(s, e, "get setting");
	else {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		value = strdup(text ? text : "");
		r = value ? 0 : nd_fail(e, ND_MEMORY, "setting '%s'", key);
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (r == 0)
		*ret = value;
	return r;
}

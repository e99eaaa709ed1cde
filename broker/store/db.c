/* SPDX-License-Identifier: ISC */
#include "broker/store/db.h"

#include <stdlib.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 5000

/*
 * What makes a database of each version out of one of the version before;
 * a new one goes through all of them.  One that was released stays as it is.
 *
 * floors: for a deleted sandbox, the latest valid_after of any certificate
 * issued for its id.  boot: of which boot of the machine the ticks are.
 * Times are Unix seconds, ticks those of struct moment.
 */
static const char *const versions[] = {
	"CREATE TABLE sandboxes ("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  provider TEXT NOT NULL,"
	"  owner TEXT NOT NULL,"
	"  state TEXT NOT NULL,"
	"  isolation INTEGER NOT NULL,"
	"  created_at INTEGER NOT NULL,"
	"  expires_at INTEGER NOT NULL,"
	"  issued_after INTEGER NOT NULL,"
	"  last_valid_after INTEGER NOT NULL DEFAULT 0"
	") WITHOUT ROWID;"
	"CREATE INDEX sandboxes_owner ON sandboxes(owner, id);"
	"CREATE INDEX sandboxes_end ON sandboxes(expires_at)"
	"  WHERE expires_at > 0;"
	"CREATE TABLE labels ("
	"  sandbox_id TEXT NOT NULL"
	"    REFERENCES sandboxes(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL,"
	"  value TEXT NOT NULL,"
	"  PRIMARY KEY (sandbox_id, key)"
	") WITHOUT ROWID;"
	"CREATE INDEX labels_value ON labels(key, value, sandbox_id);"
	"CREATE TABLE certificates ("
	"  serial INTEGER PRIMARY KEY NOT NULL," /* bits of the u64 */
	"  sandbox_id TEXT NOT NULL"
	"    REFERENCES sandboxes(id) ON DELETE CASCADE,"
	"  caller TEXT NOT NULL,"
	"  key_id TEXT NOT NULL,"
	"  valid_after INTEGER NOT NULL,"
	"  valid_before INTEGER NOT NULL,"
	"  issued_at INTEGER NOT NULL"
	");"
	"CREATE INDEX certificates_sandbox ON certificates(sandbox_id);"
	"CREATE INDEX certificates_end ON certificates(valid_before);"
	"CREATE TABLE floors ("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  last_valid_after INTEGER NOT NULL"
	") WITHOUT ROWID;",
	"ALTER TABLE sandboxes ADD COLUMN incarnation INTEGER NOT NULL DEFAULT "
	"0;"
	"ALTER TABLE sandboxes ADD COLUMN held INTEGER NOT NULL DEFAULT 0;",
	"DROP INDEX certificates_sandbox;"
	"CREATE INDEX certificates_sandbox"
	"  ON certificates(sandbox_id, valid_before);"
	"ALTER TABLE sandboxes ADD COLUMN person TEXT NOT NULL DEFAULT '';"
	"UPDATE sandboxes SET person = owner;"
	"CREATE INDEX sandboxes_person ON sandboxes(person);"
	"ALTER TABLE sandboxes ADD COLUMN end_ticks INTEGER NOT NULL DEFAULT "
	"0;"
	"CREATE INDEX sandboxes_deleting ON sandboxes(id)"
	"  WHERE state = 'deleting';"
	"CREATE INDEX floors_end ON floors(last_valid_after);"
	"CREATE TABLE boot ("
	"  only INTEGER PRIMARY KEY CHECK (only = 1),"
	"  id TEXT NOT NULL,"
	"  ticks INTEGER NOT NULL"
	");",
	"ALTER TABLE sandboxes ADD COLUMN tied INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX sandboxes_tied ON sandboxes(tied) WHERE tied = 1;",
	"CREATE TABLE shares ("
	"  sandbox_id TEXT NOT NULL"
	"    REFERENCES sandboxes(id) ON DELETE CASCADE,"
	"  is_group INTEGER NOT NULL,"
	"  holder INTEGER NOT NULL," /* uid or gid */
	"  name TEXT NOT NULL,"
	"  verbs TEXT NOT NULL,"
	"  PRIMARY KEY (sandbox_id, is_group, holder)"
	") WITHOUT ROWID;"
	"CREATE INDEX shares_holder ON shares(holder, is_group, sandbox_id);",
	/* nth: how many its person has had.  A row's number is its rowid. */
	"CREATE TABLE events ("
	"  number INTEGER PRIMARY KEY NOT NULL,"
	"  time INTEGER NOT NULL,"
	"  kind TEXT NOT NULL,"
	"  sandbox_id TEXT NOT NULL,"
	"  incarnation INTEGER NOT NULL,"
	"  owner TEXT NOT NULL,"
	"  person TEXT NOT NULL,"
	"  cause TEXT NOT NULL,"
	"  actor TEXT NOT NULL,"
	"  detail TEXT NOT NULL,"
	"  nth INTEGER NOT NULL"
	");"
	"CREATE INDEX events_person ON events(person);"
	"ALTER TABLE sandboxes ADD COLUMN refused_at INTEGER NOT NULL DEFAULT "
	"0;",
	"ALTER TABLE sandboxes ADD COLUMN auto_stop INTEGER NOT NULL DEFAULT "
	"0;"
	"ALTER TABLE sandboxes ADD COLUMN look_ticks INTEGER NOT NULL DEFAULT "
	"0;"
	"ALTER TABLE sandboxes ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;"
	"UPDATE sandboxes SET look_ticks = 1 WHERE expires_at > 0;"
	"CREATE INDEX sandboxes_look ON sandboxes(look_ticks)"
	"  WHERE look_ticks > 0;",
	"CREATE INDEX sandboxes_provider ON sandboxes(provider, id);",
};

#define VERSIONS ((int)(sizeof(versions) / sizeof(versions[0])))

static const char settings[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;";

static const char *const sql_of[] = {
#define STATEMENT_SQL(name, sql) sql,
	STATEMENTS(STATEMENT_SQL)
#undef STATEMENT_SQL
};

enum sbx_err
db_fail(struct store *store, struct sbx_why *why)
{
	int code = sqlite3_errcode(store->db);

	if (sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_FOREIGNKEY)
		return sbx_fail(why, SBX_NOT_FOUND, "no such sandbox");
	if (code == SQLITE_CONSTRAINT)
		return sbx_fail(why, SBX_EXISTS, "already exists");
	return sbx_fail(why, code == SQLITE_NOMEM ? SBX_NOMEM : SBX_UNAVAILABLE,
	    "the broker's database: %s", sqlite3_errmsg(store->db));
}

sqlite3_stmt *
db_bound(struct store *store, enum statement which, const char *first)
{
	sqlite3_stmt *st = store->st[which];

	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	if (first != NULL)
		(void)sqlite3_bind_text(st, 1, first, -1, SQLITE_TRANSIENT);
	return st;
}

void
db_bind_text(sqlite3_stmt *st, int at, const char *text)
{
	if (text != NULL)
		(void)sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
}

void
db_bind_u64(sqlite3_stmt *st, int at, uint64_t value)
{
	(void)sqlite3_bind_int64(st, at, (sqlite3_int64)value);
}

void
db_column_text(sqlite3_stmt *st, int column, char *ret, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	(void)snprintf(ret, size, "%s", text == NULL ? "" : text);
}

enum sbx_err
db_run(struct store *store, sqlite3_stmt *st, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	if (sqlite3_step(st) != SQLITE_DONE)
		err = db_fail(store, why);
	(void)sqlite3_reset(st);
	return err;
}

enum sbx_err
db_number(struct store *store, sqlite3_stmt *st, uint64_t fallback,
    uint64_t *ret, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		*ret = (uint64_t)sqlite3_column_int64(st, 0);
		break;
	case SQLITE_DONE:
		*ret = fallback;
		break;
	default:
		err = db_fail(store, why);
	}
	(void)sqlite3_reset(st);
	return err;
}

static enum sbx_err
run_plain(struct store *store, enum statement which, struct sbx_why *why)
{
	return db_run(store, db_bound(store, which, NULL), why);
}

enum sbx_err
db_begin(struct store *store, struct sbx_why *why)
{
	(void)pthread_mutex_lock(&store->mutex);
	return run_plain(store, ST_BEGIN, why);
}

enum sbx_err
db_end(struct store *store, enum sbx_err err, struct sbx_why *why)
{
	if (err == SBX_OK)
		err = run_plain(store, ST_COMMIT, why);
	/* If this fails too, the next BEGIN will say what is wrong. */
	if (err != SBX_OK && sqlite3_get_autocommit(store->db) == 0)
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	if (err != SBX_OK)
		memset(store->room, 0, sizeof(store->room));
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

/*
 * Writing together.
 */

struct writing {
	struct gather_part part;
	db_job *job;
	void *context;
	enum sbx_err err;
	struct sbx_why *why;
};

static struct writing *
writing_of(struct gather_part *part)
{
	return (struct writing *)part;
}

static void
write_alone(struct store *store, struct writing *w)
{
	w->err = db_begin(store, w->why);
	if (w->err == SBX_OK)
		w->err = w->job(store, w->context, w->why);
	w->err = db_end(store, w->err, w->why);
}

/* False, and nothing is written: one of them spoils it for the others. */
static bool
write_at_once(struct store *store, struct gather_part *first)
{
	enum sbx_err err = db_begin(store, NULL);

	for (struct gather_part *p = first; p != NULL && err == SBX_OK;
	     p = p->next) {
		struct writing *w = writing_of(p);
		int before = sqlite3_total_changes(store->db);

		w->err = w->job(store, w->context, w->why);
		/* One that was refused before it wrote anything does not. */
		if (w->err != SBX_OK &&
		    sqlite3_total_changes(store->db) != before)
			err = w->err;
	}
	return db_end(store, err, NULL) == SBX_OK;
}

static void
write_all(void *context, struct gather_part *first)
{
	struct store *store = context;

	if (first->next != NULL && write_at_once(store, first))
		return;
	for (struct gather_part *p = first; p != NULL; p = p->next)
		write_alone(store, writing_of(p));
}

enum sbx_err
db_write(struct store *store, db_job *job, void *context, struct sbx_why *why)
{
	struct writing w = { .job = job, .context = context, .why = why };

	gather_do(&store->writers, &w.part, write_all, store);
	return w.err;
}

/*
 * Opening.
 */

static bool
run_text(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static enum sbx_err
prepare_schema(struct store *store, const char *path, struct sbx_why *why)
{
	sqlite3_stmt *st = NULL;
	char mark[sizeof("PRAGMA user_version = ") + 12];
	int version = -1;

	if (!run_text(store, settings) || !run_text(store, "BEGIN IMMEDIATE"))
		return db_fail(store, why);
	if (sqlite3_prepare_v2(
		store->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	if (version < 0)
		return db_fail(store, why);
	if (version > VERSIONS)
		return sbx_fail(why, SBX_CONFIG,
		    "%s was written by a newer sandboxd (schema %d, this one "
		    "knows %d): install that version again",
		    path, version, VERSIONS);
	(void)snprintf(
	    mark, sizeof(mark), "PRAGMA user_version = %d", VERSIONS);
	for (; version < VERSIONS; version++) {
		if (!run_text(store, versions[version]))
			return db_fail(store, why);
	}
	return run_text(store, mark) && run_text(store, "COMMIT")
	    ? SBX_OK
	    : db_fail(store, why);
}

static enum sbx_err
prepare_statements(struct store *store, struct sbx_why *why)
{
	for (int i = 0; i < ST_COUNT_OF_THEM; i++) {
		if (sqlite3_prepare_v3(store->db, sql_of[i], -1,
			SQLITE_PREPARE_PERSISTENT, &store->st[i],
			NULL) != SQLITE_OK)
			return db_fail(store, why);
	}
	return SBX_OK;
}

static enum sbx_err
open_connection(const char *path, struct store **ret, struct sbx_why *why)
{
	struct store *store = calloc(1, sizeof(*store));
	enum sbx_err err = SBX_OK;

	if (store == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_init(&store->mutex, NULL);
	gather_init(&store->writers);
	store->events_max = STORE_EVENTS_MAX;
	if (sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		err = sbx_fail(why, SBX_IO, "%s: %s", path,
		    store->db == NULL ? "out of memory"
				      : sqlite3_errmsg(store->db));
	if (err == SBX_OK) {
		(void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
		err = prepare_schema(store, path, why);
	}
	if (err == SBX_OK)
		err = prepare_statements(store, why);
	if (err != SBX_OK) {
		store_close(store);
		return err;
	}
	*ret = store;
	return SBX_OK;
}

enum sbx_err
store_open(const char *path, struct store **ret, struct sbx_why *why)
{
	struct store *store = NULL;
	enum sbx_err err = open_connection(path, &store, why);

	if (err == SBX_OK)
		err = open_connection(path, &store->reader, why);
	if (err != SBX_OK) {
		store_close(store);
		return err;
	}
	*ret = store;
	return SBX_OK;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	store_close(store->reader);
	for (int i = 0; i < ST_COUNT_OF_THEM; i++)
		(void)sqlite3_finalize(store->st[i]);
	(void)sqlite3_close(store->db);
	gather_destroy(&store->writers);
	(void)pthread_mutex_destroy(&store->mutex);
	free(store);
}

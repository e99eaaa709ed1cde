#include "broker/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

#define BUSY_TIMEOUT_MS 5000

/*
 * floors: for a deleted sandbox, the latest valid_after of any certificate
 * issued for its id.  Times are Unix seconds.
 */
static const char schema[] =
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
    ") WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

static const char settings[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;";

#define COLUMNS                                                           \
	"id, provider, owner, state, isolation, created_at, expires_at, " \
	"issued_after"

#define PAGE                                                          \
	"AND (?3 IS NULL OR state = ?3) "                             \
	"AND (?4 IS NULL OR EXISTS (SELECT 1 FROM labels AS l WHERE " \
	"l.sandbox_id = s.id AND l.key = ?4 AND l.value = ?5)) "      \
	"ORDER BY id LIMIT ?6"

#define STATEMENTS(X)                                                         \
	X(BEGIN, "BEGIN IMMEDIATE")                                           \
	X(COMMIT, "COMMIT")                                                   \
	X(ROLLBACK, "ROLLBACK")                                               \
	X(COUNT, "SELECT count(*) FROM sandboxes WHERE owner = ?1")           \
	X(FLOOR, "SELECT last_valid_after FROM floors WHERE id = ?1")         \
	X(ADD,                                                                \
	    "INSERT INTO sandboxes (" COLUMNS                                 \
	    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                      \
	X(ADD_LABEL, "INSERT INTO labels VALUES (?1, ?2, ?3)")                \
	X(GET, "SELECT " COLUMNS " FROM sandboxes WHERE id = ?1")             \
	X(LABELS,                                                             \
	    "SELECT key, value FROM labels WHERE sandbox_id = ?1 "            \
	    "ORDER BY key")                                                   \
	X(LIST, "SELECT " COLUMNS " FROM sandboxes AS s WHERE id > ?1 " PAGE) \
	X(LIST_OWNED,                                                         \
	    "SELECT " COLUMNS " FROM sandboxes AS s WHERE id > ?1 "           \
	    "AND owner = ?2 " PAGE)                                           \
	X(SET_STATE,                                                          \
	    "UPDATE sandboxes SET state = ?2, isolation = ?3 WHERE id = ?1")  \
	X(RAISE_FLOOR,                                                        \
	    "INSERT INTO floors SELECT id, last_valid_after FROM sandboxes "  \
	    "WHERE id = ?1 AND last_valid_after > 0 "                         \
	    "ON CONFLICT (id) DO UPDATE SET last_valid_after = "              \
	    "max(last_valid_after, excluded.last_valid_after)")               \
	X(REMOVE, "DELETE FROM sandboxes WHERE id = ?1")                      \
	X(ENDED,                                                              \
	    "SELECT id FROM sandboxes WHERE expires_at > 0 "                  \
	    "AND expires_at <= ?1 AND id > ?3 ORDER BY id LIMIT ?2")          \
	X(ADD_CERTIFICATE,                                                    \
	    "INSERT INTO certificates VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")   \
	X(VALID_CERTIFICATES,                                                 \
	    "SELECT CASE WHEN count(*) < ?3 THEN 0 ELSE min(valid_before) "   \
	    "END FROM certificates WHERE sandbox_id = ?1 "                    \
	    "AND valid_before > ?2")                                          \
	X(TRIM_CERTIFICATES,                                                  \
	    "DELETE FROM certificates WHERE serial IN (SELECT serial FROM "   \
	    "certificates WHERE sandbox_id = ?1 ORDER BY valid_before DESC "  \
	    "LIMIT -1 OFFSET ?2)")                                            \
	X(RAISE_LAST,                                                         \
	    "UPDATE sandboxes SET last_valid_after = "                        \
	    "max(last_valid_after, ?2) WHERE id = ?1")                        \
	X(PRUNE_CERTIFICATES,                                                 \
	    "DELETE FROM certificates WHERE valid_before < ?1")               \
	X(PRUNE_FLOORS, "DELETE FROM floors WHERE last_valid_after < ?1")

enum statement {
#define STATEMENT_ENUM(name, sql) ST_##name,
	STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
	    ST_COUNT_OF_THEM
};

static const char *const sql_of[] = {
#define STATEMENT_SQL(name, sql) sql,
	STATEMENTS(STATEMENT_SQL)
#undef STATEMENT_SQL
};

static const char *const state_names[] = {
#define SANDBOX_STATE_NAME(value, name) name,
	SANDBOX_STATES(SANDBOX_STATE_NAME)
#undef SANDBOX_STATE_NAME
};

struct store {
	sqlite3 *db;
	pthread_mutex_t mutex;
	sqlite3_stmt *st[ST_COUNT_OF_THEM];
};

const char *
sandbox_state_name(enum sandbox_state state)
{
	return state_names[(unsigned)state < SANDBOX_STATE_COUNT
		? (size_t)state
		: SANDBOX_FAILED];
}

bool
sandbox_state_find(const char *name, enum sandbox_state *ret_state)
{
	for (int i = 0; i < SANDBOX_STATE_COUNT; i++) {
		if (strcmp(state_names[i], name) == 0) {
			*ret_state = (enum sandbox_state)i;
			return true;
		}
	}
	return false;
}

/*
 * Statements: bound by position, stepped, reset.  A reset statement holds no
 * lock, so every path out of a function ends with one.
 */

static enum sbx_err
fail_sqlite(struct store *store, struct sbx_why *why)
{
	int code = sqlite3_errcode(store->db);

	if (sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_FOREIGNKEY)
		return sbx_fail(why, SBX_NOT_FOUND, "no such sandbox");
	if (code == SQLITE_CONSTRAINT)
		return sbx_fail(why, SBX_EXISTS, "already exists");
	return sbx_fail(why, code == SQLITE_NOMEM ? SBX_NOMEM : SBX_UNAVAILABLE,
	    "the broker's database: %s", sqlite3_errmsg(store->db));
}

static sqlite3_stmt *
bound(struct store *store, enum statement which, const char *first)
{
	sqlite3_stmt *st = store->st[which];

	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	if (first != NULL)
		(void)sqlite3_bind_text(st, 1, first, -1, SQLITE_TRANSIENT);
	return st;
}

static void
bind_text(sqlite3_stmt *st, int at, const char *text)
{
	if (text != NULL)
		(void)sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
}

static void
bind_u64(sqlite3_stmt *st, int at, uint64_t value)
{
	(void)sqlite3_bind_int64(st, at, (sqlite3_int64)value);
}

/* A statement that yields no row. */
static enum sbx_err
run(struct store *store, sqlite3_stmt *st, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	if (sqlite3_step(st) != SQLITE_DONE)
		err = fail_sqlite(store, why);
	(void)sqlite3_reset(st);
	return err;
}

static enum sbx_err
run_plain(struct store *store, enum statement which, struct sbx_why *why)
{
	return run(store, bound(store, which, NULL), why);
}

/* Commit, or roll back when err says that something failed. */
static enum sbx_err
finish(struct store *store, enum sbx_err err, struct sbx_why *why)
{
	if (err == SBX_OK)
		err = run_plain(store, ST_COMMIT, why);
	if (err != SBX_OK && sqlite3_get_autocommit(store->db) == 0 &&
	    run_plain(store, ST_ROLLBACK, NULL) != SBX_OK)
		return err; /* the next BEGIN will say what is wrong */
	return err;
}

/* One number, or fallback when there is no row. */
static enum sbx_err
one_number(struct store *store, sqlite3_stmt *st, uint64_t fallback,
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
		err = fail_sqlite(store, why);
	}
	(void)sqlite3_reset(st);
	return err;
}

static void
column_text(sqlite3_stmt *st, int column, char *ret, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	(void)snprintf(ret, size, "%s", text == NULL ? "" : text);
}

static void
read_row(sqlite3_stmt *st, struct sandbox *ret)
{
	char state[32];

	memset(ret, 0, sizeof(*ret));
	column_text(st, 0, ret->id, sizeof(ret->id));
	column_text(st, 1, ret->provider, sizeof(ret->provider));
	column_text(st, 2, ret->owner, sizeof(ret->owner));
	column_text(st, 3, state, sizeof(state));
	if (!sandbox_state_find(state, &ret->state))
		ret->state = SANDBOX_FAILED;
	ret->isolation = sqlite3_column_int(st, 4) == ISOLATION_NAMESPACES
	    ? ISOLATION_NAMESPACES
	    : ISOLATION_NONE;
	ret->created_at = (uint64_t)sqlite3_column_int64(st, 5);
	ret->expires_at = (uint64_t)sqlite3_column_int64(st, 6);
	ret->issued_after = (uint64_t)sqlite3_column_int64(st, 7);
}

static enum sbx_err
read_labels(struct store *store, struct sandbox *sandbox, struct sbx_why *why)
{
	sqlite3_stmt *st = bound(store, ST_LABELS, sandbox->id);
	enum sbx_err err = SBX_OK;
	int code;

	while ((code = sqlite3_step(st)) == SQLITE_ROW &&
	    sandbox->label_count < STORE_LABELS_MAX) {
		struct label *l = &sandbox->label[sandbox->label_count++];

		column_text(st, 0, l->key, sizeof(l->key));
		column_text(st, 1, l->value, sizeof(l->value));
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		err = fail_sqlite(store, why);
	(void)sqlite3_reset(st);
	return err;
}

/*
 * Opening.
 */

static enum sbx_err
prepare_schema(struct store *store, const char *path, struct sbx_why *why)
{
	sqlite3_stmt *st = NULL;
	int version = -1;

	if (sqlite3_exec(store->db, settings, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
		SQLITE_OK)
		return fail_sqlite(store, why);
	if (sqlite3_prepare_v2(
		store->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	if (version < 0)
		return fail_sqlite(store, why);
	if (version > STORE_VERSION)
		return sbx_fail(why, SBX_CONFIG,
		    "%s was written by a newer sandboxd (schema %d, this one "
		    "knows %d): install that version again",
		    path, version, STORE_VERSION);
	if (version == 0 &&
	    sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return fail_sqlite(store, why);
	if (sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return fail_sqlite(store, why);
	return SBX_OK;
}

static enum sbx_err
prepare_statements(struct store *store, struct sbx_why *why)
{
	for (int i = 0; i < ST_COUNT_OF_THEM; i++) {
		if (sqlite3_prepare_v3(store->db, sql_of[i], -1,
			SQLITE_PREPARE_PERSISTENT, &store->st[i],
			NULL) != SQLITE_OK)
			return fail_sqlite(store, why);
	}
	return SBX_OK;
}

enum sbx_err
store_open(const char *path, struct store **ret, struct sbx_why *why)
{
	struct store *store = calloc(1, sizeof(*store));
	enum sbx_err err = SBX_OK;

	if (store == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_init(&store->mutex, NULL);
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

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	for (int i = 0; i < ST_COUNT_OF_THEM; i++)
		(void)sqlite3_finalize(store->st[i]);
	(void)sqlite3_close(store->db);
	(void)pthread_mutex_destroy(&store->mutex);
	free(store);
}

/*
 * Sandboxes.
 */

static enum sbx_err get(struct store *store, const char *id,
    struct sandbox *ret, struct sbx_why *why);

static enum sbx_err
taken(struct store *store, const struct sandbox *s, struct sbx_why *why)
{
	struct sandbox other;

	if (get(store, s->id, &other, NULL) == SBX_OK &&
	    strcmp(other.owner, s->owner) != 0)
		return sbx_fail(why, SBX_EXISTS,
		    "'%s' is taken by another user: choose another id", s->id);
	return sbx_fail(why, SBX_EXISTS, "sandbox '%s' already exists", s->id);
}

static enum sbx_err
insert(struct store *store, const struct sandbox *s, struct sbx_why *why)
{
	sqlite3_stmt *st = bound(store, ST_ADD, s->id);
	enum sbx_err err;

	bind_text(st, 2, s->provider);
	bind_text(st, 3, s->owner);
	bind_text(st, 4, sandbox_state_name(s->state));
	bind_u64(st, 5, s->isolation);
	bind_u64(st, 6, s->created_at);
	bind_u64(st, 7, s->expires_at);
	bind_u64(st, 8, s->issued_after);
	err = run(store, st, why);
	for (size_t i = 0; i < s->label_count && err == SBX_OK; i++) {
		st = bound(store, ST_ADD_LABEL, s->id);
		bind_text(st, 2, s->label[i].key);
		bind_text(st, 3, s->label[i].value);
		err = run(store, st, why);
	}
	return err == SBX_EXISTS ? taken(store, s, why) : err;
}

static enum sbx_err
add(struct store *store, struct sandbox *sandbox, uint64_t max,
    struct sbx_why *why)
{
	uint64_t count = 0, floor = 0;
	enum sbx_err err = one_number(
	    store, bound(store, ST_COUNT, sandbox->owner), 0, &count, why);

	if (err == SBX_OK && count >= max)
		return sbx_fail(why, SBX_REFUSED,
		    "%s has %llu sandboxes, the limit: delete some",
		    sandbox->owner, (unsigned long long)count);
	if (err == SBX_OK)
		err = one_number(
		    store, bound(store, ST_FLOOR, sandbox->id), 0, &floor, why);
	if (err != SBX_OK)
		return err;
	sandbox->issued_after = floor == 0 ? 0 : floor + 1;
	return insert(store, sandbox, why);
}

enum sbx_err
store_add(struct store *store, struct sandbox *sandbox, uint64_t max_per_owner,
    struct sbx_why *why)
{
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	err = run_plain(store, ST_BEGIN, why);
	if (err == SBX_OK)
		err =
		    finish(store, add(store, sandbox, max_per_owner, why), why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

static enum sbx_err
get(struct store *store, const char *id, struct sandbox *ret,
    struct sbx_why *why)
{
	sqlite3_stmt *st = bound(store, ST_GET, id);
	int code = sqlite3_step(st);
	enum sbx_err err = SBX_OK;

	if (code == SQLITE_ROW)
		read_row(st, ret);
	else if (code == SQLITE_DONE)
		err = sbx_fail(
		    why, SBX_NOT_FOUND, "there is no sandbox '%s'", id);
	else
		err = fail_sqlite(store, why);
	(void)sqlite3_reset(st);
	return err != SBX_OK ? err : read_labels(store, ret, why);
}

enum sbx_err
store_get(struct store *store, const char *id, struct sandbox *ret,
    struct sbx_why *why)
{
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	err = get(store, id, ret, why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

static enum sbx_err
list(struct store *store, const struct store_filter *filter,
    struct sandbox *rows, size_t limit, size_t *ret_count, struct sbx_why *why)
{
	sqlite3_stmt *st = bound(store,
	    filter->owner == NULL ? ST_LIST : ST_LIST_OWNED, filter->after);
	enum sbx_err err = SBX_OK;
	size_t count = 0;
	int code = SQLITE_DONE;

	if (filter->owner != NULL)
		bind_text(st, 2, filter->owner);
	if (filter->state >= 0)
		bind_text(st, 3,
		    sandbox_state_name((enum sandbox_state)filter->state));
	bind_text(st, 4, filter->label_key);
	bind_text(st, 5, filter->label_value);
	bind_u64(st, 6, limit);
	while (count < limit && (code = sqlite3_step(st)) == SQLITE_ROW)
		read_row(st, &rows[count++]);
	if (count < limit && code != SQLITE_DONE)
		err = fail_sqlite(store, why);
	(void)sqlite3_reset(st);
	for (size_t i = 0; i < count && err == SBX_OK; i++)
		err = read_labels(store, &rows[i], why);
	*ret_count = count;
	return err;
}

enum sbx_err
store_list(struct store *store, const struct store_filter *filter,
    struct sandbox **ret, size_t *ret_count, struct sbx_why *why)
{
	size_t limit =
	    filter->limit < STORE_PAGE_MAX ? filter->limit : STORE_PAGE_MAX;
	cleanup_free struct sandbox *rows =
	    calloc(limit == 0 ? 1 : limit, sizeof(*rows));
	enum sbx_err err;

	if (rows == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_lock(&store->mutex);
	err = list(store, filter, rows, limit, ret_count, why);
	(void)pthread_mutex_unlock(&store->mutex);
	if (err == SBX_OK)
		*ret = steal_ptr(&rows);
	return err;
}

enum sbx_err
store_set_state(struct store *store, const char *id, enum sandbox_state state,
    enum isolation isolation, struct sbx_why *why)
{
	sqlite3_stmt *st;
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	st = bound(store, ST_SET_STATE, id);
	bind_text(st, 2, sandbox_state_name(state));
	bind_u64(st, 3, isolation);
	err = run(store, st, why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

enum sbx_err
store_remove(struct store *store, const char *id, struct sbx_why *why)
{
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	err = run_plain(store, ST_BEGIN, why);
	if (err == SBX_OK) {
		err = run(store, bound(store, ST_RAISE_FLOOR, id), why);
		if (err == SBX_OK)
			err = run(store, bound(store, ST_REMOVE, id), why);
		err = finish(store, err, why);
	}
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

enum sbx_err
store_expired(struct store *store, uint64_t now, const char *after,
    size_t limit, char (**ret)[NAME_ID_MAX + 1], size_t *ret_count,
    struct sbx_why *why)
{
	cleanup_free char(*ids)[NAME_ID_MAX + 1] =
	    calloc(limit + 1, sizeof(*ids));
	enum sbx_err err = SBX_OK;
	size_t count = 0;
	sqlite3_stmt *st;
	int code = SQLITE_DONE;

	if (ids == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_lock(&store->mutex);
	st = bound(store, ST_ENDED, NULL);
	bind_u64(st, 1, now);
	bind_u64(st, 2, limit);
	bind_text(st, 3, after);
	while (count < limit && (code = sqlite3_step(st)) == SQLITE_ROW)
		column_text(st, 0, ids[count++], sizeof(*ids));
	if (count < limit && code != SQLITE_DONE)
		err = fail_sqlite(store, why);
	(void)sqlite3_reset(st);
	(void)pthread_mutex_unlock(&store->mutex);
	if (err != SBX_OK)
		return err;
	*ret_count = count;
	*ret = steal_ptr(&ids);
	return SBX_OK;
}

/*
 * Certificates.
 */

static enum sbx_err
add_certificate(
    struct store *store, const struct certificate *c, struct sbx_why *why)
{
	sqlite3_stmt *st = bound(store, ST_ADD_CERTIFICATE, NULL);
	enum sbx_err err;

	bind_u64(st, 1, c->serial);
	bind_text(st, 2, c->id);
	bind_text(st, 3, c->caller);
	bind_text(st, 4, c->key_id);
	bind_u64(st, 5, c->valid_after);
	bind_u64(st, 6, c->valid_before);
	bind_u64(st, 7, c->issued_at);
	err = run(store, st, why);
	if (err != SBX_OK)
		return err;
	st = bound(store, ST_TRIM_CERTIFICATES, c->id);
	bind_u64(st, 2, STORE_CERTIFICATES_KEPT);
	err = run(store, st, why);
	if (err != SBX_OK)
		return err;
	st = bound(store, ST_RAISE_LAST, c->id);
	bind_u64(st, 2, c->valid_after);
	return run(store, st, why);
}

enum sbx_err
store_certificates_full(struct store *store, const char *id, uint64_t now,
    uint64_t *ret_free_at, struct sbx_why *why)
{
	sqlite3_stmt *st;
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	st = bound(store, ST_VALID_CERTIFICATES, id);
	bind_u64(st, 2, now);
	bind_u64(st, 3, STORE_CERTIFICATES_MAX);
	err = one_number(store, st, 0, ret_free_at, why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

enum sbx_err
store_add_certificate(struct store *store,
    const struct certificate *certificate, struct sbx_why *why)
{
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	err = run_plain(store, ST_BEGIN, why);
	if (err == SBX_OK)
		err = finish(
		    store, add_certificate(store, certificate, why), why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

enum sbx_err
store_prune(struct store *store, uint64_t before, struct sbx_why *why)
{
	sqlite3_stmt *st;
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	err = run_plain(store, ST_BEGIN, why);
	if (err == SBX_OK) {
		st = bound(store, ST_PRUNE_CERTIFICATES, NULL);
		bind_u64(st, 1, before);
		err = run(store, st, why);
		if (err == SBX_OK) {
			st = bound(store, ST_PRUNE_FLOORS, NULL);
			bind_u64(st, 1, before);
			err = run(store, st, why);
		}
		err = finish(store, err, why);
	}
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

/* SPDX-License-Identifier: ISC */
/*
 * The database below the store: its schema, its statements and what they are
 * run with.  For the store's own files only.
 *
 * A statement is bound by position, stepped, reset.  One that is reset holds
 * no lock, so every path out of a function ends with that.
 */
#ifndef SBX_BROKER_STORE_DB_H
#define SBX_BROKER_STORE_DB_H

#include <pthread.h>
#include <sqlite3.h>

#include "broker/gather.h"
#include "broker/store/store.h"

#define COLUMNS                                                           \
	"id, provider, owner, state, isolation, created_at, expires_at, " \
	"issued_after, incarnation, held, person, end_ticks, tied, "      \
	"refused_at, auto_stop, look_ticks, warned"

#define PAGE                                                          \
	"AND CASE WHEN ?3 IS NULL THEN state <> 'deleting' "          \
	"ELSE state = ?3 END "                                        \
	"AND (?4 IS NULL OR EXISTS (SELECT 1 FROM labels AS l WHERE " \
	"l.sandbox_id = s.id AND l.key = ?4 AND l.value = ?5)) "      \
	"AND (?9 IS NULL OR provider = ?9) "                          \
	"ORDER BY id LIMIT ?6"

#define STATEMENTS(X)                                                          \
	X(BEGIN, "BEGIN IMMEDIATE")                                            \
	X(COMMIT, "COMMIT")                                                    \
	X(COUNT, "SELECT count(*) FROM sandboxes WHERE person = ?1")           \
	X(FLOOR, "SELECT last_valid_after FROM floors WHERE id = ?1")          \
	X(ADD,                                                                 \
	    "INSERT INTO sandboxes (" COLUMNS                                  \
	    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "    \
	    "?13, ?14, ?15, ?16, ?17)")                                        \
	X(ADD_LABEL, "INSERT INTO labels VALUES (?1, ?2, ?3)")                 \
	X(GET, "SELECT " COLUMNS " FROM sandboxes WHERE id = ?1")              \
	X(LABELS,                                                              \
	    "SELECT key, value FROM labels WHERE sandbox_id = ?1 "             \
	    "ORDER BY key")                                                    \
	X(LIST, "SELECT " COLUMNS " FROM sandboxes AS s WHERE id > ?1 " PAGE)  \
	X(LIST_OWNED,                                                          \
	    "SELECT " COLUMNS " FROM sandboxes AS s WHERE id IN ("             \
	    "SELECT id FROM sandboxes WHERE owner = ?2 AND id > ?1 UNION "     \
	    "SELECT id FROM sandboxes WHERE provider IN "                      \
	    "(SELECT value FROM json_each(?10)) AND id > ?1 UNION "            \
	    "SELECT sandbox_id FROM shares WHERE holder = ?7 "                 \
	    "AND is_group = 0 AND sandbox_id > ?1 UNION "                      \
	    "SELECT sandbox_id FROM shares JOIN json_each(?8) AS g "           \
	    "ON holder = g.value AND is_group = 1 AND sandbox_id > ?1) " PAGE) \
	X(SHARES,                                                              \
	    "SELECT is_group, holder, name, verbs FROM shares "                \
	    "WHERE sandbox_id = ?1 ORDER BY name, is_group")                   \
	X(COUNT_SHARES, "SELECT count(*) FROM shares WHERE sandbox_id = ?1")   \
	X(SHARE, "INSERT OR REPLACE INTO shares VALUES (?1, ?2, ?3, ?4, ?5)")  \
	X(UNSHARE,                                                             \
	    "DELETE FROM shares WHERE sandbox_id = ?1 AND is_group = ?2 "      \
	    "AND holder = ?3")                                                 \
	X(SET_STATE,                                                           \
	    "UPDATE sandboxes SET state = ?2, isolation = ?3, look_ticks = "   \
	    "CASE WHEN ?2 = 'running' AND auto_stop > 0 THEN 1 "               \
	    "ELSE look_ticks END WHERE id = ?1 "                               \
	    "AND state <> 'deleting'")                                         \
	X(SET_HELD, "UPDATE sandboxes SET held = ?2 WHERE id = ?1")            \
	X(SET_TERMS,                                                           \
	    "UPDATE sandboxes SET expires_at = ?2, end_ticks = ?3, "           \
	    "auto_stop = ?4, look_ticks = ?5, warned = ?6 WHERE id = ?1")      \
	X(UNTIE,                                                               \
	    "UPDATE sandboxes SET tied = 0 WHERE id = ?1 "                     \
	    "AND state <> 'deleting'")                                         \
	X(END_TIED,                                                            \
	    "UPDATE sandboxes SET state = 'deleting' WHERE id = ?1 "           \
	    "AND incarnation = ?2 AND tied = 1")                               \
	X(END_ALL_TIED,                                                        \
	    "UPDATE sandboxes SET state = 'deleting' WHERE tied = 1")          \
	X(SET_REFUSED, "UPDATE sandboxes SET refused_at = ?2 WHERE id = ?1")   \
	X(RAISE_FLOOR,                                                         \
	    "INSERT INTO floors SELECT id, last_valid_after FROM sandboxes "   \
	    "WHERE id = ?1 AND last_valid_after > 0 "                          \
	    "ON CONFLICT (id) DO UPDATE SET last_valid_after = "               \
	    "max(last_valid_after, excluded.last_valid_after)")                \
	X(REMOVE, "DELETE FROM sandboxes WHERE id = ?1")                       \
	X(ENDED,                                                               \
	    "SELECT id, person FROM sandboxes WHERE expires_at > 0 "           \
	    "AND expires_at <= ?1 AND end_ticks <= ?4 AND id > ?3 UNION "      \
	    "SELECT id, person FROM sandboxes INDEXED BY sandboxes_deleting "  \
	    "WHERE state = 'deleting' AND id > ?3 ORDER BY id LIMIT ?2")       \
	X(DUE,                                                                 \
	    "SELECT id, person FROM sandboxes WHERE look_ticks > 0 "           \
	    "AND look_ticks <= ?4 AND id > ?3 AND state <> 'deleting' "        \
	    "ORDER BY id LIMIT ?2")                                            \
	X(NEXT_LOOK,                                                           \
	    "SELECT look_ticks - ?1 FROM sandboxes WHERE look_ticks > 0 "      \
	    "AND look_ticks > ?1 AND state <> 'deleting' "                     \
	    "ORDER BY look_ticks LIMIT 1")                                     \
	X(NEXT_END,                                                            \
	    "SELECT max(expires_at - ?1, end_ticks - ?2) FROM sandboxes "      \
	    "WHERE expires_at > 0 AND (expires_at > ?1 OR end_ticks > ?2) "    \
	    "AND state <> 'deleting' ORDER BY expires_at LIMIT 1")             \
	X(BOOT, "SELECT ticks FROM boot WHERE id = ?1 AND ticks <= ?2")        \
	X(SET_BOOT, "INSERT OR REPLACE INTO boot VALUES (1, ?1, ?2)")          \
	X(COUNT_ANEW,                                                          \
	    "UPDATE sandboxes SET look_ticks = 1, end_ticks = ?1 + "           \
	    "min(max(expires_at - ?2, ?3), max(expires_at - created_at, ?3)) " \
	    "WHERE expires_at > 0")                                            \
	X(ADD_CERTIFICATE,                                                     \
	    "INSERT INTO certificates VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")    \
	X(VALID_CERTIFICATES,                                                  \
	    "SELECT count(*) FROM certificates WHERE sandbox_id = ?1 "         \
	    "AND valid_before > ?2")                                           \
	X(FIRST_END,                                                           \
	    "SELECT min(valid_before) FROM certificates "                      \
	    "WHERE sandbox_id = ?1 AND valid_before > ?2")                     \
	X(LIST_LIVE,                                                           \
	    "SELECT serial, key_id, valid_after, valid_before "                \
	    "FROM certificates WHERE sandbox_id = ?1 AND valid_before > ?2 "   \
	    "ORDER BY valid_before DESC LIMIT ?3")                             \
	X(NEXT_CALLER,                                                         \
	    "SELECT min(caller) FROM certificates WHERE sandbox_id = ?1 "      \
	    "AND valid_before > ?2 AND caller > ?3")                           \
	X(REVOKE,                                                              \
	    "UPDATE certificates SET valid_before = ?2 WHERE sandbox_id = ?1 " \
	    "AND valid_before > ?2 AND caller = ?3")                           \
	X(TRIM_CERTIFICATES,                                                   \
	    "DELETE FROM certificates WHERE serial IN (SELECT serial FROM "    \
	    "certificates WHERE sandbox_id = ?1 ORDER BY valid_before DESC "   \
	    "LIMIT -1 OFFSET ?2)")                                             \
	X(RAISE_LAST,                                                          \
	    "UPDATE sandboxes SET last_valid_after = ?2 "                      \
	    "WHERE id = ?1 AND last_valid_after < ?2")                         \
	X(PRUNE_CERTIFICATES,                                                  \
	    "DELETE FROM certificates WHERE valid_before < ?1")                \
	X(PRUNE_FLOORS, "DELETE FROM floors WHERE last_valid_after < ?1")      \
	X(ADD_EVENT,                                                           \
	    "INSERT INTO events (time, kind, sandbox_id, incarnation, owner, " \
	    "person, cause, actor, detail, nth) VALUES (?1, ?2, ?3, ?4, ?5, "  \
	    "?6, ?7, ?8, ?9, 1 + coalesce((SELECT nth FROM events WHERE "      \
	    "person = ?6 ORDER BY number DESC LIMIT 1), 0)) RETURNING nth")    \
	X(TRIM_EVENTS,                                                         \
	    "DELETE FROM events WHERE number IN (SELECT number FROM events "   \
	    "WHERE person = ?1 ORDER BY number LIMIT ?2) AND nth <= ?3")       \
	X(EVENTS_FIRST, "SELECT min(number) FROM events")                      \
	X(EVENTS_LAST, "SELECT max(number) FROM events")                       \
	X(EVENTS,                                                              \
	    "SELECT number, time, kind, sandbox_id, incarnation, owner, "      \
	    "person, cause, actor, detail FROM events WHERE number > ?1 AND "  \
	    "number <= ?2 AND (?3 IS NULL OR sandbox_id = ?3) "                \
	    "ORDER BY number LIMIT ?4")                                        \
	X(EVENTS_OLD,                                                          \
	    "SELECT count(*) FROM events WHERE number < ?2 AND time < ?1")     \
	X(PRUNE_EVENTS, "DELETE FROM events WHERE number < ?2 AND time < ?1")

enum statement {
#define STATEMENT_ENUM(name, sql) ST_##name,
	STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
	    ST_COUNT_OF_THEM
};

/*
 * How many certificates a sandbox may still have before they must be counted
 * again.  Those of another sandbox may be in its place: then they are counted.
 */
#define ROOMS 1024

struct room {
	char id[NAME_ID_MAX + 1];
	uint64_t left;
};

struct store {
	sqlite3 *db;
	pthread_mutex_t mutex;
	sqlite3_stmt *st[ST_COUNT_OF_THEM];
	/*
	 * Another connection, for what only reads: it waits for nobody's
	 * flush, and sees nothing that is not on disk.  NULL in itself.
	 */
	struct store *reader;
	struct gather writers;
	struct room room[ROOMS]; /* under the mutex */
	uint64_t events_max;	 /* of a person */
};

/* What SQLite says of the last call. */
enum sbx_err db_fail(struct store *store, struct sbx_why *why) MUST_USE;

/* Reset, without values but for the first, unless that is NULL. */
sqlite3_stmt *
db_bound(struct store *store, enum statement which, const char *first) MUST_USE;
void db_bind_text(sqlite3_stmt *st, int at, const char *text); /* NULL: none */
void db_bind_u64(sqlite3_stmt *st, int at, uint64_t value);
void db_column_text(sqlite3_stmt *st, int column, char *ret, size_t size);

/* A statement that yields no row. */
enum sbx_err
db_run(struct store *store, sqlite3_stmt *st, struct sbx_why *why) MUST_USE;
/* One number, or fallback when there is no row. */
enum sbx_err db_number(struct store *store, sqlite3_stmt *st, uint64_t fallback,
    uint64_t *ret, struct sbx_why *why) MUST_USE;

/*
 * Take the mutex and begin to write.  Whatever comes of it, db_end with the
 * result: it commits, or rolls back what failed, and frees the mutex.
 */
enum sbx_err db_begin(struct store *store, struct sbx_why *why) MUST_USE;
enum sbx_err
db_end(struct store *store, enum sbx_err err, struct sbx_why *why) MUST_USE;

/* What is written; run in a transaction, with the mutex held. */
typedef enum sbx_err
db_job(struct store *store, void *context, struct sbx_why *why);

/*
 * Run job, and return when what it wrote is on disk.  Jobs of several callers
 * share a transaction and its flush; when one that has written something
 * fails, or the flush does, each is run once more in one of its own.
 */
enum sbx_err db_write(struct store *store, db_job *job, void *context,
    struct sbx_why *why) MUST_USE;
/* A row for the event, unless that is NULL, in the transaction that has begun.
 */
enum sbx_err db_add_event(
    struct store *store, struct event *event, struct sbx_why *why) MUST_USE;
/* db_end with that. */
enum sbx_err db_end_event(struct store *store, enum sbx_err err,
    struct event *event, struct sbx_why *why) MUST_USE;

#endif

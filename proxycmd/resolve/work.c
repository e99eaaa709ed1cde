/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/work.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certs/check.h"
#include "common/text.h"
#include "net/reply.h"
#include "net/start.h"
#include "net/wait_line.h"
#include "proxycmd/fdpass.h"
#include "proxycmd/hosts.h"
#include "proxycmd/second_pass.h"
#include "proxycmd/resolve/answer.h"
#include "proxycmd/resolve/cache.h"
#include "proxycmd/resolve/kex.h"
#include "proxycmd/resolve/key.h"
#include "proxycmd/resolve/list.h"
#include "proxycmd/resolve/patience.h"
#include "proxycmd/resolve/trusted.h"

#define LOCK_SECONDS 60 /* above what one request may take by default */
#define PATH_LEN (NAME_ID_MAX + 64)
#define STATE_LEN 32
#define RUNNING "running"

/*
 * The key in the cache stays while its certificate lives: another ssh may
 * just be reading the two files, and must not find halves of two pairs.
 */
static enum sbx_err
find_key(const struct work *work, const struct settings *settings,
    const struct session *old, struct login_key *ret, struct sbx_why *why)
{
	const char *alias = work->alias->text;
	char path[2 * PATHS_MAX];

	if (settings->public_key[0] != '\0')
		return login_key_own(settings->public_key, ret, why);
	if (old != NULL && session_is_valid(old, work->now) &&
	    snprintf(path, sizeof(path), "%s/%s/" CACHE_KEY, work->cache,
		alias) < (int)sizeof(path) &&
	    login_key_keep(path, alias, geteuid(), ret, NULL) == SBX_OK)
		return SBX_OK;
	return login_key_make(alias, ret, why);
}

static enum sbx_err
ask(struct client *client, const struct work *work, const struct wish *wish,
    const struct login_key *key, struct json_object **ret, struct sbx_why *why)
{
	cleanup_object struct json_object *body = json_object_new_object();
	cleanup_buf struct buf line = BUF_INIT(2 * KEY_BLOB_MAX);
	char path[PATH_LEN];

	key_put_line(buf_view(&key->blob), NULL, &line);
	if (body == NULL || buf_error(&line) != SBX_OK ||
	    json_object_object_add(body, "public_key",
		json_object_new_string(buf_text(&line))) != 0 ||
	    wish_put(wish, body) != SBX_OK)
		return SBX_NOMEM;
	(void)snprintf(
	    path, sizeof(path), "/v1/sandboxes/%s/ssh", work->alias->id);
	return client_call(
	    client, "POST", path, body, /* extra= */ 0, ret, why);
}

static enum sbx_err
keep(const struct work *work, const struct place *place,
    const struct login_key *key, const struct answer *answer,
    const char *broker, bool shell_tried, struct sbx_why *why)
{
	cleanup_buf struct buf anew = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf session = BUF_INIT(SESSION_FILE_MAX);
	struct credentials credentials = {
		.key = buf_view(&key->private_key),
		.link = key->link[0] == '\0' ? NULL : key->link,
		.public_key = buf_view(&key->public_line),
		.certificate = buf_view(&answer->certificate),
		.known_hosts = buf_view(&answer->known_hosts),
		.now = work->now,
	};
	struct session stored = answer->session;

	stored.file[SESSION_KEY] =
	    credentials.key.len > 0 || credentials.link != NULL;
	stored.file[SESSION_PUBLIC_KEY] = credentials.public_key.len > 0;
	stored.file[SESSION_CERT] = credentials.certificate.len > 0;
	stored.file[SESSION_KNOWN_HOSTS] = credentials.known_hosts.len > 0;
	stored.file[SESSION_HOSTS] = true;
	stored.shell_tried = shell_tried;
	(void)snprintf(stored.broker, sizeof(stored.broker), "%s", broker);
	(void)snprintf(
	    stored.origin, sizeof(stored.origin), "%s", work->origin);
	session_put(&stored, &session);
	credentials.session = buf_view(&session);
	if (work->anew)
		login_key_put_certified(key, buf_view(&answer->certificate),
		    work->alias->text, &anew);
	if (buf_error(&anew) == SBX_OK)
		credentials.anew = buf_view(&anew);
	return buf_error(&session) != SBX_OK
	    ? buf_error(&session)
	    : place_put(place, &credentials, why);
}

/* Only where no byte of the connection leaves this machine. */
static bool
may_choose_kex(const struct work *work, const struct settings *settings,
    const struct session *session)
{
	return session_is_local(session) &&
	    settings->local_kex == LOCAL_KEX_FAST &&
	    kex_is_ours(work->caller, work->alias->text);
}

/* What ssh_config includes. */
static enum sbx_err
update(const struct work *work, const struct place *place, struct sbx_why *why)
{
	enum sbx_err err =
	    second_pass_note(place->cache_fd, work->paths->home, why);

	return err != SBX_OK
	    ? err
	    : hosts_update(work->cache, place->cache_fd, work->now, why);
}

/* What the broker takes for a bad value came from us, and to us from there. */
static enum sbx_err
whose_fault(
    const struct work *work, const struct settings *settings, enum sbx_err err)
{
	if (err != SBX_BAD_VALUE)
		return err;
	if (work->ttl != 0 || work->wish != NULL)
		return SBX_USAGE;
	return settings->ttl != 0 ? SBX_CONFIG : err;
}

/* One round trip: a certificate, the host keys and the endpoints. */
static enum sbx_err
fetch(struct client *client, const struct work *work, const struct place *place,
    const struct session *old, struct sbx_why *why)
{
	cleanup_login_key struct login_key key = LOGIN_KEY_INIT;
	cleanup_object struct json_object *object = NULL;
	cleanup_answer struct answer answer = { .certificate = { 0 } };
	struct ca_set trusted;
	struct wish wish;
	struct question question = {
		.alias = work->alias,
		.wish = &wish,
		.broker = client->networked ? client->base : NULL,
	};
	enum sbx_err err = wish_read(place->cache_fd, &wish, why);

	if (err == SBX_OK)
		err = find_key(work, &client->settings, old, &key, why);
	if (err != SBX_OK)
		return err;
	if (work->ttl != 0)
		wish.ttl = work->ttl;
	if (wish.ttl == 0)
		wish.ttl = client->settings.ttl;
	question.ttl = wish.ttl;
	if (client->settings.broker.trusted_ca[0] != '\0') {
		err = trusted_read(&client->settings.broker, &trusted, why);
		question.trusted = &trusted;
	}
	patience_apply(work->patience, client);
	if (err == SBX_OK)
		err = ask(client, work, &wish, &key, &object, why);
	if (err != SBX_OK)
		return whose_fault(work, &client->settings, err);
	question.public_key = buf_view(&key.blob);
	question.now = (uint64_t)time(NULL);
	question.clock = client->clock;
	err = answer_judge(object, &question, &answer, why);
	if (err == SBX_OK)
		answer.session.local_kex =
		    may_choose_kex(work, &client->settings, &answer.session);
	if (err == SBX_OK)
		err = keep(work, place, &key, &answer, client->place,
		    shell_is_exposed(work->shell) ||
			(old != NULL && old->shell_tried),
		    why);
	if (err != SBX_OK)
		return err;
	place_prune(place, work->now, HOSTS_KEEP);
	list_in_passing(client, place->cache_fd,
	    list_suffix(client, work->suffix), work->now);
	return update(work, place, why);
}

/* Its place in the cache goes; its line in the list stays if it is there. */
static enum sbx_err
drop(const struct work *work, const struct place *place, bool there,
    struct sbx_why *why)
{
	bool cached = place_drop(place);
	bool listed = list_set(place->cache_fd, work->alias, there);

	return cached || listed ? update(work, place, why) : SBX_OK;
}

/* err, a sandbox that is gone being forgotten. */
static enum sbx_err
forget_gone(
    const struct work *work, const struct place *place, enum sbx_err err)
{
	/* The message is about the sandbox, whatever becomes of the list. */
	if (err == SBX_NOT_FOUND &&
	    drop(work, place, /* there= */ false, NULL) != SBX_OK)
		return err;
	return err;
}

/*
 * A life so short that it is never fresh was asked for as it is: it lasts
 * while it lasts, and is not traded for a longer one.
 */
static bool
is_brief(const struct work *work, const struct place *place)
{
	cleanup_buf struct buf line = BUF_INIT(ANSWER_CERT_LEN);
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	char path[NAME_ALIAS_MAX + sizeof("/" CACHE_CERT)];
	struct cert cert;
	struct view text, first;

	(void)snprintf(path, sizeof(path), "%s/" CACHE_CERT, work->alias->text);
	if (file_read(place->cache_fd, path, &line, NULL) != SBX_OK)
		return false;
	text = buf_view(&line);
	return text_next_line(&text, &first) &&
	    cert_parse_line(first, &blob, &cert) == SBX_OK &&
	    cert.valid_before - cert.valid_after <=
	    CHECK_SKEW_DEFAULT + SESSION_MARGIN;
}

static bool
is_of_origin(const struct work *work, const struct session *old)
{
	return strcmp(old->origin, work->origin) == 0;
}

/* Of the settings alone; false if they cannot be read. */
static bool
find_broker(const struct work *work, struct settings *ret_settings,
    char ret_place[static FIELD_TEXT])
{
	bool known = settings_read(work->paths, work->config, ret_settings,
			 NULL) == SBX_OK &&
	    settings_choose(ret_settings, work->alias->text, NULL) == SBX_OK;

	if (known)
		client_put_place(work->paths, ret_settings, ret_place);
	sodium_memzero(
	    ret_settings->broker.token, sizeof(ret_settings->broker.token));
	return known;
}

/*
 * Are they from the broker that is to be asked now?  Yes if that cannot be
 * read: a mistake in the configuration is no reason to let go of them.  But
 * SANDBOX_BROKER means another one, or that one, mistaken or not.
 */
static bool
is_of_broker(const struct work *work, const struct session *old)
{
	const char *named = getenv("SANDBOX_BROKER");
	char place[FIELD_TEXT];
	struct settings settings;

	if (find_broker(work, &settings, place))
		return strcmp(place, old->broker) == 0;
	return named == NULL || *named == '\0' ||
	    strcmp(named, old->broker) == 0;
}

/*
 * Renewal failed, but what was there is good for a while yet: unless the
 * broker gave an answer, and the answer was no.
 */
static bool
may_go_on(const struct work *work, const struct session *old, enum sbx_err err)
{
	return err != SBX_NOT_FOUND && err != SBX_REFUSED && work->ttl == 0 &&
	    !old->single_use && session_is_valid(old, work->now) &&
	    is_of_broker(work, old);
}

static void
warn_of_end(
    const struct session *old, const struct sbx_why *cause, struct sbx_why *ret)
{
	time_t end = (time_t)old->not_after;
	struct tm tm;
	char until[32] = "";

	if (localtime_r(&end, &tm) != NULL)
		(void)strftime(until, sizeof(until), "%H:%M:%S", &tm);
	(void)snprintf(ret->text, sizeof(ret->text),
	    "%s: the certificate ends at %s and cannot be renewed: %.380s",
	    old->id, until, cause->text);
}

/*
 * The broker that knows it.  The configuration is not read before: a mistake
 * in it is no reason to let go of credentials that still live.
 */
static enum sbx_err
open_client(const struct work *work, struct client *ret, struct sbx_why *why)
{
	struct alias alias = *work->alias;
	enum sbx_err err = patience_check(work->patience, why);

	if (err == SBX_OK)
		err = client_open_alias(work->paths, work->config, work->suffix,
		    NULL, &alias, ret, why);
	if (err == SBX_OK)
		patience_apply(work->patience, ret);
	return err != SBX_OK ? err : client_check_provider(ret, &alias, why);
}

static enum sbx_err
open_and_fetch(const struct work *work, const struct place *place,
    const struct session *old, struct sbx_why *why)
{
	cleanup_client struct client client = { .token = "" };
	enum sbx_err err = open_client(work, &client, why);

	return err != SBX_OK ? err : fetch(&client, work, place, old, why);
}

/* What the broker says of a sandbox in short, without a new certificate. */
struct told {
	char incarnation[NAME_ID_MAX + 1];
	char state[STATE_LEN];
};

static enum sbx_err
ask_state(struct client *client, const struct work *work, struct told *ret,
    struct sbx_why *why)
{
	static const struct reply_field fields[] = {
		{ "incarnation", REPLY_TEXT, true,
		    offsetof(struct told, incarnation), NAME_ID_MAX + 1, 0, 0 },
		{ "state", REPLY_TEXT, false, offsetof(struct told, state),
		    STATE_LEN, 0, 0 },
	};
	cleanup_object struct json_object *object = NULL;
	char path[PATH_LEN];
	enum sbx_err err;

	*ret = (struct told){ "", "" };
	(void)snprintf(path, sizeof(path), "/v1/sandboxes/%s", work->alias->id);
	err = client_call(
	    client, "GET", path, NULL, /* extra= */ 0, &object, why);
	return err != SBX_OK
	    ? err
	    : reply_read(
		  object, fields, sizeof(fields) / sizeof(fields[0]), ret, why);
}

/* May they be used as they are, if that sandbox is still there? */
static bool
is_good(const struct work *work, const struct place *place,
    const struct session *old)
{
	if (work->ttl != 0)
		return false;
	return session_is_fresh(old, work->now, work->origin) ||
	    (session_is_valid(old, work->now) && !old->single_use &&
		is_of_origin(work, old) && is_brief(work, place));
}

/*
 * Its sockets are gone: was it only stopped, or is it another one by now?
 * Nothing is written, and no lock taken, for one that sleeps.
 */
static enum sbx_err
is_same(const struct work *work, const struct session *old, bool *ret,
    struct sbx_why *why)
{
	cleanup_client struct client client = { .token = "" };
	struct told told;
	enum sbx_err err = open_client(work, &client, why);

	if (err == SBX_OK)
		err = ask_state(&client, work, &told, why);
	*ret = err == SBX_OK && *told.incarnation != '\0' &&
	    strcmp(told.incarnation, old->incarnation) == 0 &&
	    strcmp(told.state, RUNNING) != 0;
	patience_end(work->patience, err, why);
	/* To be forgotten, by whoever has the lock. */
	return err == SBX_NOT_FOUND ? SBX_OK : err;
}

/* Under the lock: somebody may have done it before us. */
static enum sbx_err
renew(const struct work *work, struct place *place, struct sbx_why *why)
{
	struct session old;
	bool found;
	enum sbx_err err = place_lock(place,
	    patience_lock(work->patience, LOCK_SECONDS), NULL, NULL, why);

	if (err != SBX_OK)
		return err;
	found = session_find(work->cache, work->alias, &old) == SBX_OK;
	if (found && is_good(work, place, &old) && session_is_there(&old))
		return SBX_OK;
	err = open_and_fetch(work, place, found ? &old : NULL, why);
	patience_end(work->patience, err, why);
	return forget_gone(work, place, err);
}

/*
 * Before ssh reads hosts.conf: what the shell prints would end up where it
 * waits for the descriptor.
 */
static void
see_to_shell(const struct work *work, struct sbx_why *warning)
{
	struct shell_finding finding;
	char says[SHELL_SAYS];

	if (!shell_is_exposed(work->shell) || fdpass_is_off(work->cache, NULL))
		return;
	shell_judge(work->shell, work->paths->home, &finding);
	if (finding.verdict == SHELL_QUIET)
		return;
	shell_put(work->shell, &finding, says);
	if (!finding.relay ||
	    fdpass_switch_off(work->cache, work->shell, &finding, work->now,
		warning) != SBX_OK)
		(void)snprintf(warning->text, sizeof(warning->text),
		    "%.300s: ssh does not get through that: see sandbox-proxy "
		    "doctor",
		    says);
}

/* In a session that needs nothing else. */
static enum sbx_err
note_shell(const struct work *work, struct place *place, struct sbx_why *why)
{
	struct session session;
	enum sbx_err err = place_lock(place, LOCK_SECONDS, NULL, NULL, why);

	if (err != SBX_OK ||
	    session_find(work->cache, work->alias, &session) != SBX_OK)
		return err;
	session.shell_tried = true;
	return place_put_session(place, &session, why);
}

static enum sbx_err
prepare(const struct work *work, struct place *place, struct sbx_why *warning,
    struct sbx_why *why)
{
	struct session old;
	bool found, same = false, tried;
	enum sbx_err err = SBX_OK;

	(void)hosts_heal(work->cache, work->now);
	found = session_find(work->cache, work->alias, &old) == SBX_OK;
	tried = !shell_is_exposed(work->shell) ||
	    (found && old.shell_tried && is_good(work, place, &old));
	if (!tried)
		see_to_shell(work, warning);
	if (found && is_good(work, place, &old)) {
		same = session_is_there(&old);
		if (!same)
			err = is_same(work, &old, &same, why);
	}
	if (err == SBX_OK && !same)
		err = renew(work, place, why);
	else if (err == SBX_OK && !tried)
		err = note_shell(work, place, why);
	if (err != SBX_OK && found && may_go_on(work, &old, err)) {
		/* What is of another origin connect will ask for again. */
		if (!work->quiet || is_of_origin(work, &old))
			warn_of_end(&old, why, warning);
		return SBX_OK;
	}
	return err;
}

enum sbx_err
work_prepare(
    const struct work *work, struct sbx_why *warning, struct sbx_why *why)
{
	cleanup_place struct place place = PLACE_INIT;
	struct patience patience;
	struct settings settings;
	char broker[FIELD_TEXT];
	struct work own = *work;
	enum sbx_err err = place_open(work->cache, work->alias, &place, why);

	if (err == SBX_OK && work->wish != NULL)
		err = wish_write(work->wish, place.cache_fd, why);
	if (err != SBX_OK)
		return err;
	/* Without settings there is nobody to wait for. */
	if (find_broker(work, &settings, broker)) {
		patience_begin(&patience, work, &settings, broker, &place);
		own.patience = &patience;
	}
	return prepare(&own, &place, warning, why);
}

enum sbx_err
work_renew(
    const struct work *work, struct sbx_why *warning, struct sbx_why *why)
{
	cleanup_place struct place place = PLACE_INIT;
	struct patience patience;
	struct settings settings;
	char broker[FIELD_TEXT];
	struct work own = *work;
	struct sbx_why cause = { "" };
	struct stamp before, after;
	struct session old;
	bool found;
	enum sbx_err err = place_open(work->cache, work->alias, &place, why);

	(void)warning;
	if (err != SBX_OK)
		return err;
	before = place_stamp(&place);
	own.anew = true;
	if (find_broker(work, &settings, broker)) {
		patience_begin(&patience, work, &settings, broker, &place);
		own.patience = &patience;
	}
	err = place_lock(
	    &place, patience_lock(own.patience, LOCK_SECONDS), NULL, NULL, why);
	if (err != SBX_OK)
		return err;
	after = place_stamp(&place);
	/* Somebody who held the lock before us has done it. */
	if (!stamp_eq(&before, &after))
		return SBX_OK;
	found = session_find(work->cache, work->alias, &old) == SBX_OK;
	err = open_and_fetch(&own, &place, found ? &old : NULL, &cause);
	patience_end(own.patience, err, &cause);
	if (err == SBX_OK || err == SBX_NOT_FOUND) {
		*why = cause;
		return forget_gone(work, &place, err);
	}
	return sbx_fail(why, err,
	    "%s has another host key by now, and the broker cannot be asked "
	    "whether it was made anew: %.300s",
	    work->alias->id, sbx_why_text(&cause, err));
}

/*
 * Until it runs the cache says that it does not, so that whoever comes
 * meanwhile waits here instead of at a socket where nobody answers yet.  A
 * broker that cannot be asked changes nothing: what it said last may be so.
 */
static enum sbx_err
start(struct client *client, const struct work *work, const struct place *place,
    struct session *old, uint64_t wait, struct sbx_why *why)
{
	cleanup_object struct json_object *object = NULL;
	bool was_running = old != NULL && old->running;
	enum sbx_err err = SBX_OK;

	if (was_running) {
		old->running = false;
		err = place_put_session(place, old, why);
	}
	if (err == SBX_OK)
		err = client_start(client, work->alias->id, /* wake= */ true,
		    wait, &object, why);
	if (was_running && err != SBX_OK && err != SBX_TIMEOUT) {
		old->running = true;
		/* What failed before is what is told. */
		if (place_put_session(place, old, NULL) != SBX_OK)
			return err;
	}
	return err;
}

/* [ssh] wake = no: whoever starts it waits for that, connecting does not. */
static enum sbx_err
check_awake(struct client *client, const struct work *work,
    const struct settings *settings, bool *ret_running, struct sbx_why *why)
{
	const char *id = work->alias->id;
	struct told told;
	enum sbx_err err;

	*ret_running = false;
	if (settings->wake)
		return SBX_OK;
	err = ask_state(client, work, &told, why);
	*ret_running = err == SBX_OK && strcmp(told.state, RUNNING) == 0;
	if (err != SBX_OK || *ret_running ||
	    strcmp(told.state, "starting") == 0 ||
	    strcmp(told.state, "creating") == 0)
		return err;
	return sbx_fail(why, SBX_STATE,
	    "%s is %s, and with [ssh] wake = no connecting does not start it: "
	    "sandboxctl start %s",
	    id, told.state, id);
}

enum sbx_err
work_wake(const struct work *work, struct sbx_why *warning, struct sbx_why *why)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_client struct client client = { .token = "" };
	cleanup_wait_line struct wait_line line = { .fd = -1 };
	struct settings settings;
	struct stamp before, after;
	struct session old;
	uint64_t passed;
	bool found, running = false;
	enum sbx_err err = place_open(work->cache, work->alias, &place, why);

	(void)warning;
	if (err != SBX_OK)
		return err;
	wait_line_begin(&line, STDERR_FILENO, "starting", work->alias->id,
	    "sandbox-ssh", /* last_words= */ NULL);
	before = place_stamp(&place);
	err = settings_read(work->paths, work->config, &settings, why);
	if (err == SBX_OK)
		err = place_lock(&place, (unsigned)settings.wait,
		    wait_line_step, &line, why);
	if (err != SBX_OK)
		return err;
	found = session_find(work->cache, work->alias, &old) == SBX_OK;
	after = place_stamp(&place);
	/* Somebody who held the lock before us has done it. */
	if (found && old.running && !stamp_eq(&before, &after) &&
	    session_is_valid(&old, work->now) && is_of_origin(work, &old))
		return SBX_OK;
	err = open_client(work, &client, why);
	client.progress = wait_line_step;
	client.progress_context = &line;
	passed = wait_line_passed(&line);
	/* What waiting for the lock has cost is not to be had again. */
	if (err == SBX_OK)
		err = check_awake(&client, work, &settings, &running, why);
	if (err == SBX_OK && !running)
		err = start(&client, work, &place, found ? &old : NULL,
		    settings.wait > passed ? settings.wait - passed : 1, why);
	if (err == SBX_OK)
		err = fetch(&client, work, &place, found ? &old : NULL, why);
	return forget_gone(work, &place, err);
}

enum sbx_err
work_hosts(
    const struct work *work, struct sbx_why *warning, struct sbx_why *why)
{
	cleanup_place struct place place = PLACE_INIT;
	struct settings settings;
	enum sbx_err err, first = place_open(work->cache, NULL, &place, why);

	if (first == SBX_OK)
		first =
		    settings_read(work->paths, work->config, &settings, why);
	if (first != SBX_OK)
		return first;
	/* One that is down does not hide the others. */
	for (size_t i = 0; i <= settings.domain_count; i++) {
		struct sbx_why own = { "" };
		const char *suffix = i < settings.domain_count
		    ? settings.domain[i].suffix
		    : work->suffix;

		err = list_refresh(work, place.cache_fd, suffix, warning, &own);
		if (err == SBX_OK || first != SBX_OK)
			continue;
		first = err;
		if (why != NULL)
			*why = own;
	}
	err = update(work, &place, first == SBX_OK ? why : NULL);
	return first != SBX_OK ? first : err;
}

static enum sbx_err
lock_and_drop(const struct work *work, bool there, struct sbx_why *why)
{
	cleanup_place struct place place = PLACE_INIT;
	enum sbx_err err = place_open(work->cache, work->alias, &place, why);

	if (err == SBX_OK)
		err = place_lock(&place, LOCK_SECONDS, NULL, NULL, why);
	return err != SBX_OK ? err : drop(work, &place, there, why);
}

enum sbx_err
work_meet(const struct work *work, struct sbx_why *warning, struct sbx_why *why)
{
	(void)warning;
	return lock_and_drop(work, /* there= */ true, why);
}

enum sbx_err
work_forget(
    const struct work *work, struct sbx_why *warning, struct sbx_why *why)
{
	(void)warning;
	return lock_and_drop(work, /* there= */ false, why);
}

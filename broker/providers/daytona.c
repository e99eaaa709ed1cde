/* SPDX-License-Identifier: ISC */
/*
 * Daytona, REST v0.  Its gateway takes a token for a user name; one token of
 * a sandbox is good at a time, since making one ends those before it, so it is
 * kept, and shared by everybody (record).
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/providers/record.h"
#include "certs/key.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "net/api.h"
#include "net/reply.h"

#define NAME "daytona"
#define POLL_MS 1000
#define REQUEST_SECONDS 10
#define RENEW_BEFORE 300 /* seconds of a token's life */
#define NAME_LEN 512
#define PATH_LEN 512

/* The published key of the gateway of app.daytona.io. */
#define PUBLIC_GATEWAY "ssh.app.daytona.io"
#define PUBLIC_HOST_KEY                                                    \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM9Fx4ppJ0ehZyJkC8dYxsgN7aXg" \
	"F+74ry9M5h2rHVJg"

/* One call of a provider's, with all that it asks. */
struct daytona {
	const struct provider_context *context;
	struct provider_context *fresh; /* with another key, or NULL */
	struct api api;
	char organization[FIELD_TEXT + 40];
	const char *headers[3];
};

static void
daytona_free(struct daytona *d)
{
	if (d->fresh != NULL)
		sodium_memzero(d->fresh->key, sizeof(d->fresh->key));
	free(d->fresh);
}

#define cleanup_daytona __attribute__((cleanup(daytona_free)))

static void
free_object(struct json_object **object)
{
	(void)json_object_put(*object);
}

#define cleanup_object __attribute__((cleanup(free_object)))

static enum sbx_err
begin(const struct provider_context *context, unsigned seconds,
    struct daytona *ret, struct sbx_why *why)
{
	const struct daytona_settings *s = &context->daytona;

	*ret = (struct daytona){ .context = context,
		.headers = { "X-Daytona-Source: sandbox-ssh" },
		.api = { .who = NAME,
		    .base = s->api_url,
		    .bearer = context->key,
		    .ca_file = *s->ca_file == '\0' ? NULL : s->ca_file,
		    .timeout = REQUEST_SECONDS,
		    .deadline = api_now() + (uint64_t)seconds * 1000 } };
	ret->api.headers = ret->headers;
	if (*s->organization != '\0') {
		(void)snprintf(ret->organization, sizeof(ret->organization),
		    "X-Daytona-Organization-ID: %s", s->organization);
		ret->headers[1] = ret->organization;
	}
	if (*context->key == '\0')
		return sbx_fail(
		    why, SBX_CONFIG, "[%s]: %s", NAME, context->no_key.text);
	return SBX_OK;
}

/* Is there another key by now, as when a JWT was renewed? */
static bool
renew_key(struct daytona *d)
{
	if (d->fresh != NULL)
		return false;
	d->fresh = malloc(sizeof(*d->fresh));
	if (d->fresh == NULL)
		return false;
	*d->fresh = *d->context;
	provider_take_key(&provider_daytona, d->fresh);
	d->api.bearer = d->fresh->key;
	return strcmp(d->fresh->key, d->context->key) != 0;
}

static enum sbx_err
call(struct daytona *d, const struct api_call *call, struct json_object **ret,
    struct sbx_why *why)
{
	enum sbx_err err = api_call(&d->api, call, ret, why);

	if (err == SBX_CONFIG && renew_key(d))
		err = api_call(&d->api, call, ret, why);
	return err;
}

/*
 * What a state of theirs means.  One that is not here may be of a newer
 * Daytona: it is not running, and what to do it tells when it is asked to
 * start.
 */
static const struct {
	const char *name;
	enum provider_state state;
} states[] = {
	{ "started", PROVIDER_RUNNING },
	{ "stopped", PROVIDER_STOPPED },
	{ "archived", PROVIDER_STOPPED },
	{ "paused", PROVIDER_STOPPED },
	{ "stopping", PROVIDER_STOPPING },
	{ "archiving", PROVIDER_STOPPING },
	{ "pausing", PROVIDER_STOPPING },
	{ "creating", PROVIDER_STARTING },
	{ "pending_build", PROVIDER_STARTING },
	{ "building_snapshot", PROVIDER_STARTING },
	{ "pulling_snapshot", PROVIDER_STARTING },
	{ "restoring", PROVIDER_STARTING },
	{ "starting", PROVIDER_STARTING },
	{ "resuming", PROVIDER_STARTING },
	{ "resizing", PROVIDER_STARTING },
	{ "snapshotting", PROVIDER_STARTING },
	{ "forking", PROVIDER_STARTING },
	{ "error", PROVIDER_FAILED },
	{ "build_failed", PROVIDER_FAILED },
	{ "destroying", PROVIDER_GONE },
	{ "destroyed", PROVIDER_GONE },
};

/* A Sandbox of theirs, as far as it concerns us. */
struct sandbox {
	char id[RECORD_NATIVE_LEN];
	char name[NAME_LEN];
	char state[64];
	char created_at[64];
	bool recoverable;
	uint64_t auto_stop; /* minutes */
	enum provider_state means;
	char reason[PROVIDER_REASON_LEN];
	size_t label_count;
	struct label label[STORE_LABELS_MAX];
};

#define MEMBER(m) offsetof(struct sandbox, m)
#define TEXT(json, m, optional)                               \
	{                                                     \
		json, REPLY_TEXT, optional, MEMBER(m),        \
		    sizeof(((struct sandbox *)NULL)->m), 0, 0 \
	}

static const struct reply_field sandbox_fields[] = {
	TEXT("id", id, false),
	TEXT("name", name, true),
	TEXT("state", state, false),
	TEXT("createdAt", created_at, true),
	{ "recoverable", REPLY_BOOL, true, MEMBER(recoverable), 0, 0, 0 },
};

/* Minus one, or something new, is not an interval. */
static const struct reply_field interval_field = { "autoStopInterval",
	REPLY_UINT, true, MEMBER(auto_stop), 0, 525600, 0 };

/* Its beginning, without what a line cannot hold. */
static void
cut_text(struct json_object *object, const char *name, char *ret, size_t size)
{
	struct json_object *value = NULL;
	const char *text = "";

	(void)json_object_object_get_ex(object, name, &value);
	if (json_object_is_type(value, json_type_string))
		text = json_object_get_string(value);
	(void)snprintf(ret, size, "%s", text);
	for (char *c = ret; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
}

/* Those that fit; others are the platform's own business. */
static void
take_labels(struct json_object *object, struct sandbox *ret)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._/-";
	struct json_object *labels = NULL;

	(void)json_object_object_get_ex(object, "labels", &labels);
	if (!json_object_is_type(labels, json_type_object))
		return;
	json_object_object_foreach(labels, key, value)
	{
		struct label *label = &ret->label[ret->label_count];
		size_t len = strlen(key);

		if (ret->label_count == STORE_LABELS_MAX || len == 0 ||
		    len > STORE_LABEL_KEY_MAX || strspn(key, allowed) != len ||
		    !json_object_is_type(value, json_type_string) ||
		    json_object_get_string_len(value) > STORE_LABEL_VALUE_MAX)
			continue;
		(void)snprintf(label->key, sizeof(label->key), "%s", key);
		cut_text(labels, key, label->value, sizeof(label->value));
		ret->label_count++;
	}
}

static enum sbx_err
read_sandbox(
    struct json_object *object, struct sandbox *ret, struct sbx_why *why)
{
	struct sbx_why own = { "" };
	enum sbx_err err = SBX_PROTOCOL;
	size_t i = 0;

	memset(ret, 0, sizeof(*ret));
	if (json_object_is_type(object, json_type_object))
		err = reply_read(object, sandbox_fields,
		    sizeof(sandbox_fields) / sizeof(sandbox_fields[0]), ret,
		    &own);
	if (err != SBX_OK)
		return sbx_fail(why, SBX_PROTOCOL,
		    NAME " tells of a sandbox in a way unknown here: %s",
		    sbx_why_text(&own, err));
	if (reply_read(object, &interval_field, 1, ret, NULL) != SBX_OK)
		ret->auto_stop = 0;
	while (i < sizeof(states) / sizeof(states[0]) &&
	    strcmp(states[i].name, ret->state) != 0)
		i++;
	ret->means = PROVIDER_STOPPED;
	if (i < sizeof(states) / sizeof(states[0]))
		ret->means = states[i].state;
	else
		(void)snprintf(ret->reason, sizeof(ret->reason),
		    "its state is '%s', unknown here", ret->state);
	if (ret->means == PROVIDER_FAILED)
		cut_text(
		    object, "errorReason", ret->reason, sizeof(ret->reason));
	take_labels(object, ret);
	return SBX_OK;
}

/* "/sandbox/ID" and what follows. */
static void
put_path(const char *key, const char *tail, char ret[static PATH_LEN])
{
	cleanup_buf struct buf path = BUF_INIT(PATH_LEN - 1);

	buf_put_text(&path, "/sandbox/");
	api_put_escaped(&path, key);
	buf_put_text(&path, tail);
	(void)snprintf(ret, PATH_LEN, "%s", buf_text(&path));
}

/* A call about one, whose answer nobody needs. */
static enum sbx_err
act(struct daytona *d, const char *method, const char *key, const char *tail,
    struct sbx_why *why)
{
	char path[PATH_LEN];

	put_path(key, tail, path);
	return call(
	    d, &(struct api_call){ method, path, NULL, true }, NULL, why);
}

/* key: their id, or a name. */
static enum sbx_err
get(struct daytona *d, const char *key, struct sandbox *ret,
    struct sbx_why *why)
{
	cleanup_object struct json_object *object = NULL;
	char path[PATH_LEN];
	enum sbx_err err;

	put_path(key, "", path);
	err = call(
	    d, &(struct api_call){ "GET", path, NULL, true }, &object, why);
	return err != SBX_OK ? err : read_sandbox(object, ret, why);
}

static void
put_status(const struct sandbox *s, struct provider_status *ret)
{
	*ret = (struct provider_status){ .state = s->means,
		.isolation = ISOLATION_PLATFORM };
	memcpy(ret->reason, s->reason, sizeof(ret->reason));
}

/*
 * Waiting.
 */

static enum sbx_err
fail_state(const struct sandbox *s, const char *id, struct sbx_why *why)
{
	if (s->means == PROVIDER_GONE)
		return sbx_fail(
		    why, SBX_NOT_FOUND, "%s is gone from " NAME, id);
	return sbx_fail(why, SBX_STATE, NAME ": %s is in state '%s'%s%s", id,
	    s->state, *s->reason == '\0' ? "" : ": ", s->reason);
}

/* What to do about the state it is in; *ret_done: nothing more. */
typedef enum sbx_err step(struct daytona *d, const struct sandbox *s,
    const char *id, bool *asked, bool *ret_done, struct sbx_why *why);

/* Somebody else may be at it: another look tells what came of it. */
static enum sbx_err
ask_once(struct daytona *d, const struct sandbox *s, const char *tail,
    bool *asked, struct sbx_why *why)
{
	enum sbx_err err;

	if (*asked)
		return SBX_OK;
	err = act(d, "POST", s->id, tail, why);
	*asked = err == SBX_OK;
	return err == SBX_STATE ? SBX_OK : err;
}

static enum sbx_err
to_start(struct daytona *d, const struct sandbox *s, const char *id,
    bool *asked, bool *ret_done, struct sbx_why *why)
{
	switch (s->means) {
	case PROVIDER_RUNNING:
		*ret_done = true;
		return SBX_OK;
	case PROVIDER_STOPPED:
		return ask_once(d, s, "/start", asked, why);
	case PROVIDER_FAILED:
		if (s->recoverable && !*asked)
			return ask_once(d, s, "/recover", asked, why);
		return fail_state(s, id, why);
	case PROVIDER_GONE:
		return fail_state(s, id, why);
	default:
		return SBX_OK;
	}
}

static enum sbx_err
to_stop(struct daytona *d, const struct sandbox *s, const char *id, bool *asked,
    bool *ret_done, struct sbx_why *why)
{
	(void)id;
	switch (s->means) {
	case PROVIDER_RUNNING:
		return ask_once(d, s, "/stop?force=false", asked, why);
	case PROVIDER_STARTING:
	case PROVIDER_STOPPING:
		return SBX_OK;
	default:
		*ret_done = true;
		return SBX_OK;
	}
}

static enum sbx_err
await(struct daytona *d, const char *native, const char *id, step *take,
    struct sbx_why *why)
{
	bool asked = false, done = false;

	for (;;) {
		struct sandbox s;
		enum sbx_err err = get(d, native, &s, why);

		if (err == SBX_OK)
			err = take(d, &s, id, &asked, &done, why);
		if (err != SBX_OK || done)
			return err;
		if (!api_pause(&d->api, POLL_MS))
			return sbx_fail(why, SBX_TIMEOUT,
			    NAME ": %s is still in state '%s'", id, s.state);
	}
}

static enum sbx_err find(struct daytona *d, const char *id,
    struct record *record, struct sandbox *ret, struct sbx_why *why);

/*
 * From the record of what we call it to that of what it is called there: it
 * may have several names here, and has one token.
 */
static enum sbx_err
follow(const struct provider_context *context, struct record *record,
    struct sbx_why *why)
{
	char native[RECORD_NATIVE_LEN];
	enum sbx_err err;

	if (strcmp(record->native, record->id) == 0)
		return SBX_OK;
	memcpy(native, record->native, sizeof(native));
	record_close(record);
	err = record_open(context, NAME, native, record, why);
	memcpy(record->native, native, sizeof(native));
	return err;
}

/* Begin to ask about one, which may only have been listed so far. */
static enum sbx_err
open_one(const struct provider_context *context, const char *id,
    unsigned seconds, struct daytona *d, struct record *record,
    struct sbx_why *why)
{
	struct sandbox s;
	enum sbx_err err = begin(context, seconds, d, why);

	if (err == SBX_OK)
		err = record_open(context, NAME, id, record, why);
	if (err == SBX_OK && *record->native == '\0')
		err = find(d, id, record, &s, why);
	return err != SBX_OK ? err : follow(d->context, record, why);
}

static enum sbx_err
daytona_start(const struct provider_context *context, const char *id,
    const struct provider_audience *audience, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	char native[RECORD_NATIVE_LEN];
	enum sbx_err err = open_one(context, id, 290, &d, &record, why);

	(void)audience;
	if (err != SBX_OK)
		return err;
	/* Not while we wait: others may want their token. */
	memcpy(native, record.native, sizeof(native));
	record_close(&record);
	return await(&d, native, id, to_start, why);
}

static enum sbx_err
daytona_stop(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	enum sbx_err err = open_one(context, id, 55, &d, &record, why);

	if (err == SBX_OK)
		err = await(&d, record.native, id, to_stop, why);
	return err;
}

/* One that is not known was never made: a namesake there is another's. */
static enum sbx_err
daytona_kill(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	struct sandbox s = { .means = PROVIDER_STOPPING };
	enum sbx_err err = record_open(context, NAME, id, &record, why);

	if (err != SBX_OK || *record.native == '\0')
		return err;
	err = begin(context, 55, &d, why);
	if (err == SBX_OK)
		err = follow(context, &record, why);
	if (err != SBX_OK)
		return err;
	/* Before it is gone: what fails here goes with it. */
	if (act(&d, "DELETE", record.native, "/ssh-access", why) == SBX_OK)
		*record.user = '\0';
	err = act(&d, "DELETE", record.native, "", why);
	while (err == SBX_OK && s.means != PROVIDER_GONE &&
	    (err = get(&d, record.native, &s, why)) == SBX_OK &&
	    s.means != PROVIDER_GONE) {
		if (!api_pause(&d.api, POLL_MS))
			return sbx_fail(why, SBX_TIMEOUT,
			    NAME ": %s is still in state '%s'", id, s.state);
	}
	if (err != SBX_OK && err != SBX_NOT_FOUND)
		return err;
	record_remove(&record);
	record_close(&record);
	err = record_open(context, NAME, id, &record, why);
	record_remove(&record);
	return err;
}

/*
 * Finding.
 */

static uint64_t
incarnation_of(const char *native)
{
	uint64_t ret;
	uint8_t hash[crypto_generichash_BYTES_MIN];

	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)native,
	    strlen(native), NULL, 0);
	memcpy(&ret, hash, sizeof(ret));
	return ret == 0 ? 1 : ret;
}

/* Unix time; 0: it has none that we can read. */
static uint64_t
time_of(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t t = end == NULL ? 0 : timegm(&tm);

	return t > 0 ? (uint64_t)t : 0;
}

static enum sbx_err
put_found(const struct sandbox *s, const char *id, struct provider_found *ret,
    struct sbx_why *why)
{
	if (id == NULL)
		id = name_is_id(VIEW_STR(s->name)) ? s->name : s->id;
	if (!name_is_id(VIEW_STR(id)) || !name_is_id(VIEW_STR(s->id)))
		return sbx_fail(why, SBX_PROTOCOL,
		    NAME " has a sandbox with an id unknown here: '%.80s'",
		    s->id);
	memset(ret, 0, sizeof(*ret));
	(void)snprintf(ret->id, sizeof(ret->id), "%s", id);
	ret->incarnation = incarnation_of(s->id);
	ret->created_at = time_of(s->created_at);
	put_status(s, &ret->status);
	ret->label_count = s->label_count;
	memcpy(ret->label, s->label, sizeof(ret->label));
	return SBX_OK;
}

/* Which have a label; one is enough, two are too many. */
struct labelled {
	struct sandbox first;
	size_t count;
	char names[2 * 80];
};

static enum sbx_err
take_labelled(void *context, struct json_object *item, struct sbx_why *why)
{
	struct labelled *l = context;
	struct sandbox s;
	enum sbx_err err = read_sandbox(item, &s, why);
	size_t used = strlen(l->names);

	if (err != SBX_OK || s.means == PROVIDER_GONE)
		return err;
	if (l->count++ == 0)
		l->first = s;
	(void)snprintf(l->names + used, sizeof(l->names) - used, "%s%.70s",
	    used == 0 ? "" : " and ", s.name);
	return SBX_OK;
}

static enum sbx_err
find_labelled(
    struct daytona *d, const char *id, struct sandbox *ret, struct sbx_why *why)
{
	cleanup_buf struct buf path = BUF_INIT(4096);
	cleanup_object struct json_object *labels = json_object_new_object();
	cleanup_free struct labelled *l = calloc(1, sizeof(*l));
	struct api_pages pages = { .items = "items",
		.cursor = "cursor",
		.next = "nextCursor",
		.max = 100,
		.take = take_labelled,
		.context = l };
	const char *key = d->context->daytona.label;
	enum sbx_err err;

	if (labels == NULL || l == NULL)
		return SBX_NOMEM;
	(void)json_object_object_add(labels, key, json_object_new_string(id));
	buf_put_text(&path, "/sandbox?limit=50&labels=");
	api_put_escaped(&path,
	    json_object_to_json_string_ext(labels, JSON_C_TO_STRING_PLAIN));
	pages.path = buf_text(&path);
	err = api_pages(&d->api, &pages, why);
	if (err != SBX_OK)
		return err;
	if (l->count > 1)
		return sbx_fail(why, SBX_STATE,
		    NAME ": %s are labelled %s=%s: use one of these names",
		    l->names, key, id);
	if (l->count == 0)
		return sbx_fail(
		    why, SBX_NOT_FOUND, NAME " has no sandbox '%s'", id);
	*ret = l->first;
	return SBX_OK;
}

/* By id, name or label; the record then says which it is. */
static enum sbx_err
find(struct daytona *d, const char *id, struct record *record,
    struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err = get(d, id, ret, why);

	if (err == SBX_NOT_FOUND && *d->context->daytona.label != '\0')
		err = find_labelled(d, id, ret, why);
	if (err == SBX_OK && ret->means == PROVIDER_GONE)
		err = fail_state(ret, id, why);
	if (err != SBX_OK || strcmp(record->native, ret->id) == 0)
		return err;
	memcpy(record->native, ret->id, sizeof(record->native));
	return record_write(record, why);
}

static enum sbx_err
daytona_adopt(const struct provider_context *context, const char *id,
    struct provider_found *ret, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	struct sandbox s;
	enum sbx_err err = begin(context, 12, &d, why);

	if (err == SBX_OK)
		err = record_open(context, NAME, id, &record, why);
	if (err == SBX_OK)
		err = find(&d, id, &record, &s, why);
	if (err == SBX_NOT_FOUND)
		record_remove(&record);
	return err != SBX_OK ? err : put_found(&s, id, ret, why);
}

static enum sbx_err
take_page(
    struct json_object *object, struct provider_page *ret, struct sbx_why *why)
{
	static const struct reply_field field = { "nextCursor", REPLY_TEXT,
		true, 0, PROVIDER_CURSOR_LEN, 0, 0 };
	struct json_object *items = NULL;
	size_t count;

	if (object != NULL)
		(void)json_object_object_get_ex(object, "items", &items);
	if (!json_object_is_type(items, json_type_array))
		return sbx_fail(
		    why, SBX_PROTOCOL, NAME ": a list has no \"items\"");
	count = json_object_array_length(items);
	for (size_t i = 0; i < count && ret->count < PROVIDER_PAGE; i++) {
		struct sandbox s;

		/* One that we cannot read does not hide the others. */
		if (read_sandbox(json_object_array_get_idx(items, i), &s,
			NULL) == SBX_OK &&
		    s.means != PROVIDER_GONE &&
		    put_found(&s, NULL, &ret->found[ret->count], NULL) ==
			SBX_OK)
			ret->count++;
	}
	return reply_read(object, &field, 1, ret->next, why);
}

static enum sbx_err
daytona_list(const struct provider_context *context, const char *cursor,
    struct provider_page *ret, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_object struct json_object *object = NULL;
	cleanup_buf struct buf path = BUF_INIT(4096);
	enum sbx_err err = begin(context, 12, &d, why);

	buf_printf(&path, "/sandbox?limit=%d", PROVIDER_PAGE);
	if (*cursor != '\0') {
		buf_put_text(&path, "&cursor=");
		api_put_escaped(&path, cursor);
	}
	if (err == SBX_OK)
		err = call(&d,
		    &(struct api_call){ "GET", buf_text(&path), NULL, true },
		    &object, why);
	return err != SBX_OK ? err : take_page(object, ret, why);
}

static enum sbx_err
daytona_inspect(const struct provider_context *context, const char *id,
    struct provider_status *ret, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	struct sandbox s;
	enum sbx_err err = open_one(context, id, 12, &d, &record, why);

	if (err == SBX_OK)
		err = get(&d, record.native, &s, why);
	if (err == SBX_NOT_FOUND) {
		*ret = (struct provider_status){ .state = PROVIDER_GONE,
			.isolation = ISOLATION_PLATFORM };
		return SBX_OK;
	}
	if (err != SBX_OK)
		return err;
	put_status(&s, ret);
	if (record.auto_stop == s.auto_stop * 60)
		return SBX_OK;
	record.auto_stop = s.auto_stop * 60;
	return record_write(&record, why);
}

/*
 * Making.
 */

static uint64_t
minutes(uint64_t seconds)
{
	return (seconds + 59) / 60;
}

static struct json_object *
wish_json(
    const struct daytona_settings *settings, const struct provider_spec *spec)
{
	struct json_object *o = json_object_new_object();
	struct json_object *labels = json_object_new_object();

	(void)json_object_object_add(
	    o, "name", json_object_new_string(spec->id));
	for (size_t i = 0; i < spec->label_count; i++)
		(void)json_object_object_add(labels, spec->label[i].key,
		    json_object_new_string(spec->label[i].value));
	(void)json_object_object_add(o, "labels", labels);
	if (*settings->snapshot != '\0')
		(void)json_object_object_add(
		    o, "snapshot", json_object_new_string(settings->snapshot));
	if (*settings->target != '\0')
		(void)json_object_object_add(
		    o, "target", json_object_new_string(settings->target));
	(void)json_object_object_add(o, "autoStopInterval",
	    json_object_new_uint64(minutes(settings->auto_stop)));
	if (spec->ephemeral)
		(void)json_object_object_add(
		    o, "autoDeleteInterval", json_object_new_int(0));
	return o;
}

static enum sbx_err
set_ttl(struct daytona *d, const char *native, uint64_t seconds,
    struct sbx_why *why)
{
	char tail[32];

	(void)snprintf(tail, sizeof(tail), "/ttl/%llu",
	    (unsigned long long)minutes(seconds));
	return act(d, "POST", native, tail, why);
}

static enum sbx_err
daytona_create(const struct provider_context *context,
    const struct provider_spec *spec, struct provider_status *ret,
    struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	cleanup_object struct json_object *body =
	    wish_json(&context->daytona, spec);
	cleanup_object struct json_object *object = NULL;
	struct sandbox s;
	enum sbx_err err = begin(context, 110, &d, why);

	if (*spec->root != '\0')
		return sbx_fail(why, SBX_USAGE,
		    NAME " makes sandboxes of snapshots: a root of one's own "
			 "is of provider 'local'");
	if (spec->network.full)
		return sbx_fail(why, SBX_USAGE,
		    NAME " gives its sandboxes the network that it has for "
			 "them: --network is of provider 'local'");
	if (err == SBX_OK)
		err = record_open(context, NAME, spec->id, &record, why);
	if (err == SBX_OK)
		err = call(&d,
		    &(struct api_call){ "POST", "/sandbox", body, false },
		    &object, why);
	if (err == SBX_STATE && get(&d, spec->id, &s, NULL) == SBX_OK)
		return sbx_fail(why, SBX_EXISTS,
		    NAME " has a sandbox '%s' already", spec->id);
	if (err == SBX_OK)
		err = read_sandbox(object, &s, why);
	if (err != SBX_OK)
		return err;
	memcpy(record.native, s.id, sizeof(record.native));
	err = record_write(&record, why);
	/* Should nobody of us be there to remove it when its time comes. */
	if (err == SBX_OK && spec->lifetime > 0)
		err = set_ttl(&d, s.id, spec->lifetime + 60, why);
	put_status(&s, ret);
	ret->ephemeral = spec->ephemeral;
	return err;
}

static enum sbx_err
daytona_set_end(const struct provider_context *context, const char *id,
    uint64_t seconds, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	enum sbx_err err = open_one(context, id, 12, &d, &record, why);

	return err != SBX_OK
	    ? err
	    : set_ttl(&d, record.native, seconds == 0 ? 0 : seconds + 60, why);
}

/*
 * Getting in.
 */

struct access {
	char token[PROVIDER_USER_LEN];
	char command[1024];
	char expires_at[64];
	char created_at[64];
};

#define ACCESS(json, m, optional)                                       \
	{                                                               \
		json, REPLY_TEXT, optional, offsetof(struct access, m), \
		    sizeof(((struct access *)NULL)->m), 0, 0            \
	}

static const struct reply_field access_fields[] = {
	ACCESS("token", token, false),
	ACCESS("sshCommand", command, false),
	ACCESS("expiresAt", expires_at, true),
	ACCESS("createdAt", created_at, true),
};

/* "ssh [-p PORT] TOKEN@HOST [-p PORT]" into an endpoint. */
static enum sbx_err
read_command(const struct access *access, char ret[static PROVIDER_LINE],
    struct sbx_why *why)
{
	static const char of_hosts[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789.:-";
	struct view rest = VIEW_STR(access->command), word;
	size_t token = strlen(access->token);
	char host[256] = "", text[16] = "22";
	uint64_t port = 0;
	bool ok = text_next_word(&rest, &word) && view_eq_str(word, "ssh");

	while (ok && text_next_word(&rest, &word)) {
		if (view_eq_str(word, "-p"))
			ok = text_next_word(&rest, &word) &&
			    text_copy(word, text, sizeof(text)) == SBX_OK;
		else
			ok = *host == '\0' && word.len > token + 1 &&
			    memcmp(word.p, access->token, token) == 0 &&
			    word.p[token] == '@' &&
			    text_copy(
				VIEW(word.p + token + 1, word.len - token - 1),
				host, sizeof(host)) == SBX_OK;
	}
	if (!ok || *host == '\0' || strspn(host, of_hosts) != strlen(host) ||
	    text_uint(text, 1, 65535, &port) != SBX_OK)
		return sbx_fail(why, SBX_PROTOCOL,
		    NAME " says how to get in by a command unknown here");
	(void)snprintf(ret, PROVIDER_LINE,
	    strchr(host, ':') == NULL ? "tcp://%s:%s" : "tcp://[%s]:%s", host,
	    text);
	return SBX_OK;
}

/* Counted by our clock: only how long it is good is taken from theirs. */
static uint64_t
end_of(const struct access *access, uint64_t asked)
{
	uint64_t from = time_of(access->created_at),
		 to = time_of(access->expires_at);
	uint64_t span = from != 0 && to > from ? to - from : asked;

	return (uint64_t)time(NULL) + (span < asked ? span : asked);
}

static enum sbx_err
make_token(struct daytona *d, struct record *record, struct sbx_why *why)
{
	static const char of_tokens[] = "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789._~-";
	cleanup_object struct json_object *object = NULL;
	uint64_t asked = minutes(d->context->daytona.token_ttl);
	struct access access = { 0 };
	char path[PATH_LEN], tail[48];
	enum sbx_err err;

	(void)snprintf(tail, sizeof(tail), "/ssh-access?expiresInMinutes=%llu",
	    (unsigned long long)asked);
	put_path(record->native, tail, path);
	err = call(
	    d, &(struct api_call){ "POST", path, NULL, true }, &object, why);
	if (err != SBX_OK)
		return err;
	if (object == NULL ||
	    reply_read(object, access_fields,
		sizeof(access_fields) / sizeof(access_fields[0]), &access,
		NULL) != SBX_OK ||
	    *access.token == '\0' ||
	    strspn(access.token, of_tokens) != strlen(access.token))
		err = sbx_fail(why, SBX_PROTOCOL,
		    NAME " gives SSH access in a way unknown here");
	else
		err = read_command(&access, record->endpoint, why);
	if (err == SBX_OK) {
		memcpy(record->user, access.token, sizeof(record->user));
		record->expires_at = end_of(&access, asked * 60);
		err = record_write(record, why);
	}
	sodium_memzero(&access, sizeof(access));
	return err;
}

/* The lines that are configured; of the public gateway, those published. */
static enum sbx_err
put_host_keys(const struct daytona_settings *settings,
    struct provider_access *ret, struct sbx_why *why)
{
	const char *lines = settings->host_key, *endpoint = ret->endpoint[0];

	if (*lines == '\0' &&
	    strncmp(endpoint, "tcp://" PUBLIC_GATEWAY ":",
		strlen("tcp://" PUBLIC_GATEWAY ":")) == 0)
		lines = PUBLIC_HOST_KEY;
	if (*lines == '\0')
		return sbx_fail(why, SBX_CONFIG,
		    "the host key of the gateway at %s is not known: set "
		    "host_key in [" NAME "] of sandboxd.conf",
		    endpoint + strlen("tcp://"));
	while (*lines != '\0') {
		cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
		size_t len = strcspn(lines, ",");
		struct public_key key;
		char line[PROVIDER_LINE];

		while (*lines == ' ') {
			lines++;
			len--;
		}
		if (ret->host_key_count == PROVIDER_HOST_KEYS ||
		    text_copy(VIEW(lines, len), line, sizeof(line)) != SBX_OK ||
		    key_parse_line(VIEW_STR(line), &blob, &key) != SBX_OK)
			return sbx_fail(why, SBX_CONFIG,
			    "host_key in [" NAME "] of sandboxd.conf is not "
			    "one to %d lines TYPE BASE64 with commas between",
			    PROVIDER_HOST_KEYS);
		memcpy(
		    ret->host_key[ret->host_key_count++], line, sizeof(line));
		lines += len + (lines[len] == ',');
	}
	return SBX_OK;
}

/* It shall not stop by itself while somebody logs in. */
static void
touch(struct daytona *d, const char *native)
{
	cleanup_object struct json_object *body = json_object_new_object();
	char path[PATH_LEN];

	put_path(native, "/last-activity", path);
	if (call(d, &(struct api_call){ "POST", path, body, true }, NULL,
		NULL) != SBX_OK)
		return;
}

static enum sbx_err
daytona_credentials(const struct provider_context *context, const char *id,
    const char *refused, struct provider_access *ret, struct sbx_why *why)
{
	cleanup_daytona struct daytona d = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	struct provider_access access = { .endpoint_count = 1 };
	uint64_t now = (uint64_t)time(NULL);
	enum sbx_err err = open_one(context, id, 12, &d, &record, why);
	bool usable, old;

	if (err != SBX_OK)
		return err;
	usable = *record.user != '\0' && strcmp(record.user, refused) != 0 &&
	    record.expires_at > now;
	old = usable && record.expires_at - now < RENEW_BEFORE;
	if (!usable || old) {
		err = make_token(&d, &record, why);
		/* What is left of it is better than nothing. */
		if (err != SBX_OK && !old)
			return err;
	}
	touch(&d, record.native);
	memcpy(access.user, record.user, sizeof(access.user));
	memcpy(access.endpoint[0], record.endpoint, PROVIDER_LINE);
	/* Until then it cannot have stopped by itself. */
	access.expires_at = record.expires_at;
	if (record.auto_stop != 0 && now + record.auto_stop < access.expires_at)
		access.expires_at = now + record.auto_stop;
	err = put_host_keys(&context->daytona, &access, why);
	if (err == SBX_OK)
		*ret = access;
	return err;
}

static const struct key_source *
daytona_key(const struct provider_context *context)
{
	return &context->daytona.key;
}

/* Of its gateway. */
static const char *const lacks[] = { "remote forwarding (-R)",
	"agent forwarding (-A)", "a terminal for commands (-t)",
	"environment variables (SendEnv)", "standard error of commands",
	"exit statuses, most of the time", NULL };

const struct provider provider_daytona = {
	.name = NAME,
	.lacks = lacks,
	.key = daytona_key,
	.create = daytona_create,
	.start = daytona_start,
	.stop = daytona_stop,
	.kill = daytona_kill,
	.inspect = daytona_inspect,
	.credentials = daytona_credentials,
	.adopt = daytona_adopt,
	.list = daytona_list,
	.set_end = daytona_set_end,
};

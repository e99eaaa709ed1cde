/* SPDX-License-Identifier: ISC */
#include "broker/helper/provider_call.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

enum op {
	OP_CREATE,
	OP_START,
	OP_ADMIT,
	OP_QUIT,
	OP_STOP,
	OP_KILL,
	OP_INSPECT,
	OP_USAGE,
	OP_SESSIONS,
	OP_TELL,
	OP_CREDENTIALS,
	OP_ADOPT,
	OP_LIST,
	OP_SET_END,
	OP_SWEEP,
	OP_COUNT
};

/*
 * Seconds that each may take.  Then its child ends by itself, so that the
 * next call for that sandbox does not meet it; GRACE later http gives up.
 */
#define GRACE 5

static const unsigned timeouts[OP_COUNT] = {
	[OP_CREATE] = 120,
	[OP_START] = 300,
	[OP_ADMIT] = 60,
	[OP_QUIT] = 15,
	[OP_STOP] = 60,
	[OP_KILL] = 60,
	[OP_INSPECT] = 15,
	[OP_USAGE] = 15,
	[OP_SESSIONS] = 15,
	[OP_TELL] = 15,
	[OP_CREDENTIALS] = 15,
	[OP_ADOPT] = 15,
	[OP_LIST] = 15,
	[OP_SET_END] = 15,
	[OP_SWEEP] = 10, /* shorter than the supervisor waits for us */
};

#define TEXT_MAX (PROVIDER_BATCH * (NAME_ID_MAX + 1) + 1)

_Static_assert(TEXT_MAX >= PROVIDER_TEXT, "a text for terminals must fit");
_Static_assert(TEXT_MAX >= PROVIDER_CURSOR_LEN, "a cursor must fit");

/* One request as the provider process sees it. */
struct asked {
	const struct provider_context *context;
	const struct provider *provider;
	struct provider_spec spec;
	struct provider_audience audience;
	bool end;
	char text[TEXT_MAX]; /* of OP_TELL; ids; a refused user; a cursor */
	int *ret_fd;	     /* goes along with the answer */
};

static void
read_line(struct wire *w, char *ret, size_t size)
{
	struct view v = wire_string(w, size - 1);

	if (text_copy(v, ret, size) != SBX_OK)
		wire_fail(w, SBX_BAD_VALUE);
}

/*
 * In the provider process.
 */

static void
put_status(const struct provider_status *status, struct buf *answer)
{
	buf_put_u32(answer, status->state);
	buf_put_u32(answer, status->isolation);
	buf_put_u32(answer, status->refusal.err);
	buf_put_u64(answer, status->refusal.when);
	buf_put_u32(answer, status->full);
	buf_put_u32(answer, status->ephemeral);
	buf_put_cstring(answer, status->root);
	buf_put_u32(answer, status->network);
	buf_put_u32(answer, status->limited);
	buf_put_cstring(answer, status->reason);
}

static enum sbx_err
do_create(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	struct provider_status status = { 0 };
	enum sbx_err err =
	    a->provider->create(a->context, &a->spec, &status, why);

	put_status(&status, answer);
	return err;
}

static enum sbx_err
do_start(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	(void)answer;
	return a->provider->start(a->context, a->spec.id, &a->audience, why);
}

static enum sbx_err
do_admit(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	(void)answer;
	if (a->provider->admit == NULL)
		return sbx_fail(why, SBX_STATE,
		    "sandboxes of provider '%s' cannot be shared",
		    a->provider->name);
	return a->provider->admit(
	    a->context, a->spec.id, &a->audience, a->end, why);
}

/* Who cannot be asked is stopped. */
static enum sbx_err
do_quit(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	struct view words = VIEW_STR(a->text), word;
	char id[NAME_ID_MAX + 1];

	(void)answer;
	if (a->provider->quit == NULL)
		return SBX_OK;
	while (text_next_word(&words, &word)) {
		if (!name_is_id(word) ||
		    text_copy(word, id, sizeof(id)) != SBX_OK)
			return sbx_fail(why, SBX_PROTOCOL, "no id");
		(void)!a->provider->quit(a->context, id, NULL);
	}
	return SBX_OK;
}

static enum sbx_err
do_stop(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	(void)answer;
	return a->provider->stop(a->context, a->spec.id, why);
}

static enum sbx_err
do_kill(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	(void)answer;
	return a->provider->kill(a->context, a->spec.id, why);
}

static enum sbx_err
do_inspect(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	struct provider_status status = { 0 };
	enum sbx_err err =
	    a->provider->inspect(a->context, a->spec.id, &status, why);

	put_status(&status, answer);
	return err;
}

static enum sbx_err
do_usage(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	struct provider_usage usage = { { { false } } };
	enum sbx_err err = SBX_OK;

	if (a->provider->usage != NULL)
		err = a->provider->usage(a->context, a->spec.id, &usage, why);
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		buf_put_u32(answer, usage.of[i].known);
		buf_put_u32(answer, usage.of[i].by);
		buf_put_u64(answer, usage.of[i].max);
		buf_put_u64(answer, usage.of[i].used);
	}
	return err;
}

void
provider_access_put(const struct provider_access *access, struct buf *ret)
{
	buf_put_cstring(ret, access->user);
	buf_put_u64(ret, access->expires_at);
	buf_put_u32(ret, (uint32_t)access->host_key_count);
	for (size_t i = 0; i < access->host_key_count; i++)
		buf_put_cstring(ret, access->host_key[i]);
	buf_put_u32(ret, (uint32_t)access->endpoint_count);
	for (size_t i = 0; i < access->endpoint_count; i++)
		buf_put_cstring(ret, access->endpoint[i]);
}

static enum sbx_err
do_sessions(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	struct provider_sessions sessions = { .known = false };
	enum sbx_err err = SBX_OK;

	if (a->provider->sessions != NULL)
		err = a->provider->sessions(
		    a->context, a->spec.id, &sessions, why);
	buf_put_u32(answer, sessions.known);
	buf_put_u64(answer, sessions.idle);
	buf_put_u32(answer, (uint32_t)sessions.count);
	for (size_t i = 0; i < sessions.count; i++) {
		const struct provider_session *s = &sessions.of[i];

		buf_put_u64(answer, s->age);
		buf_put_u64(answer, s->idle);
		buf_put_u64(answer, s->serial);
		buf_put_cstring(answer, s->key_id);
		buf_put_cstring(answer, s->terminals);
		buf_put_cstring(answer, s->from);
	}
	return err;
}

static enum sbx_err
do_tell(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	(void)answer;
	if (a->provider->tell == NULL)
		return SBX_OK;
	return a->provider->tell(a->context, a->spec.id, a->text, why);
}

static enum sbx_err
do_credentials(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	struct provider_access access = { 0 };
	enum sbx_err err;

	/* First: whatever changes from here on is seen there. */
	if (a->provider->watch != NULL)
		*a->ret_fd = a->provider->watch(a->context, a->spec.id);
	err = a->provider->credentials(
	    a->context, a->spec.id, a->text, &access, why);
	if (err == SBX_OK)
		provider_access_put(&access, answer);
	return err;
}

static void
put_labels(size_t count, const struct label *label, struct buf *ret)
{
	buf_put_u32(ret, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		buf_put_cstring(ret, label[i].key);
		buf_put_cstring(ret, label[i].value);
	}
}

static void
put_found(const struct provider_found *found, struct buf *answer)
{
	buf_put_cstring(answer, found->id);
	buf_put_u64(answer, found->incarnation);
	buf_put_u64(answer, found->created_at);
	put_status(&found->status, answer);
	put_labels(found->label_count, found->label, answer);
}

static enum sbx_err
do_adopt(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	struct provider_found found = { 0 };
	enum sbx_err err;

	if (a->provider->adopt == NULL)
		return sbx_fail(why, SBX_NOT_FOUND,
		    "%s has no sandboxes of others", a->provider->name);
	err = a->provider->adopt(a->context, a->spec.id, &found, why);
	put_found(&found, answer);
	return err;
}

/* So much of an answer is for labels, of which the last may be left out. */
#define LABELS_ROOM (HELPER_MESSAGE_MAX / 2)

static enum sbx_err
do_list(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	cleanup_free struct provider_page *page = calloc(1, sizeof(*page));
	enum sbx_err err;

	if (page == NULL)
		return SBX_NOMEM;
	if (a->provider->list == NULL)
		return sbx_fail(why, SBX_NOT_FOUND,
		    "%s has no sandboxes of others", a->provider->name);
	err = a->provider->list(a->context, a->text, page, why);
	buf_put_cstring(answer, page->next);
	buf_put_u32(answer, (uint32_t)page->count);
	for (size_t i = 0; i < page->count; i++) {
		if (answer->len > LABELS_ROOM)
			page->found[i].label_count = 0;
		put_found(&page->found[i], answer);
	}
	return err;
}

static enum sbx_err
do_set_end(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	(void)answer;
	return a->provider->set_end == NULL
	    ? SBX_OK
	    : a->provider->set_end(
		  a->context, a->spec.id, a->spec.lifetime, why);
}

static enum sbx_err
do_sweep(const struct asked *a, struct buf *answer, struct sbx_why *why)
{
	(void)answer;
	return a->provider->sweep == NULL ? SBX_OK
					  : a->provider->sweep(a->context, why);
}

static enum sbx_err (*const jobs[OP_COUNT])(
    const struct asked *, struct buf *, struct sbx_why *) = {
	[OP_CREATE] = do_create,
	[OP_START] = do_start,
	[OP_ADMIT] = do_admit,
	[OP_QUIT] = do_quit,
	[OP_STOP] = do_stop,
	[OP_KILL] = do_kill,
	[OP_INSPECT] = do_inspect,
	[OP_USAGE] = do_usage,
	[OP_SESSIONS] = do_sessions,
	[OP_TELL] = do_tell,
	[OP_CREDENTIALS] = do_credentials,
	[OP_ADOPT] = do_adopt,
	[OP_LIST] = do_list,
	[OP_SET_END] = do_set_end,
	[OP_SWEEP] = do_sweep,
};

static size_t
read_labels(struct wire *w, struct label *ret)
{
	size_t count = wire_u32(w);

	if (count > STORE_LABELS_MAX)
		wire_fail(w, SBX_TOO_LARGE);
	for (size_t i = 0; i < count && wire_error(w) == SBX_OK; i++) {
		read_line(w, ret[i].key, sizeof(ret[i].key));
		read_line(w, ret[i].value, sizeof(ret[i].value));
	}
	return count;
}

static void
read_network(struct wire *w, struct provider_network *ret)
{
	ret->full = wire_u32(w) != 0;
	ret->allow_count = wire_u32(w);
	if (ret->allow_count > PROVIDER_ALLOW_MAX)
		wire_fail(w, SBX_TOO_LARGE);
	for (size_t i = 0; i < ret->allow_count && wire_error(w) == SBX_OK; i++)
		read_line(w, ret->allow[i], PROVIDER_ALLOW_LEN);
}

static void
put_network(const struct provider_network *network, struct buf *ret)
{
	buf_put_u32(ret, network->full);
	buf_put_u32(ret, (uint32_t)network->allow_count);
	for (size_t i = 0; i < network->allow_count; i++)
		buf_put_cstring(ret, network->allow[i]);
}

static void
read_audience(struct wire *w, struct provider_audience *ret)
{
	ret->count = wire_u32(w);
	if (ret->count > PROVIDER_AUDIENCE_MAX)
		wire_fail(w, SBX_TOO_LARGE);
	for (size_t i = 0; i < ret->count && wire_error(w) == SBX_OK; i++) {
		ret->member[i].group = wire_u32(w) != 0;
		ret->member[i].id = wire_u32(w);
	}
}

enum sbx_err
provider_job(void *context, struct view request, struct buf *answer,
    int *ret_fd, struct sbx_why *why)
{
	struct asked asked = { .context = context, .ret_fd = ret_fd };
	struct wire w = wire_of(request);
	uint32_t op = wire_u32(&w);
	struct view provider = wire_string(&w, NAME_ID_MAX);
	struct view id = wire_string(&w, NAME_ID_MAX);
	char name[NAME_ID_MAX + 1];
	struct view text;

	asked.spec.issued_after = wire_u64(&w);
	asked.spec.incarnation = wire_u64(&w);
	asked.spec.owner = wire_u64(&w);
	asked.spec.ephemeral = wire_u32(&w) != 0;
	read_line(&w, asked.spec.root, sizeof(asked.spec.root));
	read_network(&w, &asked.spec.network);
	asked.spec.lifetime = wire_u64(&w);
	asked.spec.label_count = read_labels(&w, asked.spec.label);
	text = wire_string(&w, TEXT_MAX - 1);
	asked.end = wire_u32(&w) != 0;
	read_audience(&w, &asked.audience);
	if (wire_end(&w) != SBX_OK || op >= OP_COUNT || !name_is_id(id) ||
	    text_copy(id, asked.spec.id, sizeof(asked.spec.id)) != SBX_OK ||
	    text_copy(provider, name, sizeof(name)) != SBX_OK ||
	    text_copy(text, asked.text, sizeof(asked.text)) != SBX_OK)
		return sbx_fail(
		    why, SBX_PROTOCOL, "malformed request to a provider");
	asked.provider = provider_find(name);
	if (asked.provider == NULL)
		return sbx_fail(
		    why, SBX_USAGE, "there is no provider '%s'", name);
	(void)alarm(timeouts[op]);
	return jobs[op](&asked, answer, why);
}

/*
 * In http.
 */

/* What goes with some of the calls. */
struct ask {
	struct provider_spec spec;
	struct provider_audience audience;
	bool end;
	const char *text;
};

static enum sbx_err
ask(const int *fd, enum op op, const char *provider, const struct ask *what,
    struct buf *answer, int *ret_fd, struct sbx_why *why)
{
	cleanup_buf struct buf request = BUF_INIT(HELPER_MESSAGE_MAX);
	const struct provider_audience *audience = &what->audience;
	size_t at = provider_index(provider);

	if (at == PROVIDERS_MAX)
		return sbx_fail(
		    why, SBX_USAGE, "there is no provider '%s'", provider);
	if (fd[at] < 0)
		return sbx_fail(why, SBX_CONFIG,
		    "provider '%s' has no key: set api_key_file in [%s] of "
		    "sandboxd.conf",
		    provider, provider);
	buf_put_u32(&request, op);
	buf_put_cstring(&request, provider);
	buf_put_cstring(&request, what->spec.id);
	buf_put_u64(&request, what->spec.issued_after);
	buf_put_u64(&request, what->spec.incarnation);
	buf_put_u64(&request, what->spec.owner);
	buf_put_u32(&request, what->spec.ephemeral);
	buf_put_cstring(&request, what->spec.root);
	put_network(&what->spec.network, &request);
	buf_put_u64(&request, what->spec.lifetime);
	put_labels(what->spec.label_count, what->spec.label, &request);
	buf_put_cstring(&request, what->text);
	buf_put_u32(&request, what->end);
	buf_put_u32(&request, (uint32_t)audience->count);
	for (size_t i = 0; i < audience->count; i++) {
		buf_put_u32(&request, audience->member[i].group);
		buf_put_u32(&request, audience->member[i].id);
	}
	if (buf_error(&request) != SBX_OK)
		return buf_error(&request);
	return helper_call(fd[at], buf_view(&request), timeouts[op] + GRACE,
	    answer, ret_fd, why);
}

/* what: the rest of it; its id is set here. */
static enum sbx_err
ask_about(const int *fd, enum op op, const char *provider, const char *id,
    struct ask *what, struct buf *answer, int *ret_fd, struct sbx_why *why)
{
	if (text_copy(VIEW_STR(id), what->spec.id, sizeof(what->spec.id)) !=
	    SBX_OK)
		return sbx_fail(why, SBX_BAD_NAME, "the id is too long");
	return ask(fd, op, provider, what, answer, ret_fd, why);
}

static enum sbx_err
ask_text(const int *fd, enum op op, const char *provider, const char *id,
    const char *text, struct buf *answer, int *ret_fd, struct sbx_why *why)
{
	struct ask what = { .text = text };

	return ask_about(fd, op, provider, id, &what, answer, ret_fd, why);
}

static enum sbx_err
ask_id(const int *fd, enum op op, const char *provider, const char *id,
    struct buf *answer, int *ret_fd, struct sbx_why *why)
{
	return ask_text(fd, op, provider, id, "", answer, ret_fd, why);
}

static enum sbx_err
malformed(struct sbx_why *why)
{
	return sbx_fail(why, SBX_PROTOCOL, "malformed answer of a provider");
}

static void
take_status(struct wire *w, struct provider_status *ret)
{
	uint32_t state = wire_u32(w), isolation = wire_u32(w);
	uint32_t refusal = wire_u32(w);

	ret->refusal.when = wire_u64(w);
	ret->full = wire_u32(w);
	ret->ephemeral = wire_u32(w) != 0;
	read_line(w, ret->root, sizeof(ret->root));
	ret->network = wire_u32(w) != 0;
	ret->limited = wire_u32(w) != 0;
	read_line(w, ret->reason, sizeof(ret->reason));
	if (state >= PROVIDER_STATES || isolation >= ISOLATION_COUNT ||
	    refusal >= SBX_ERR_COUNT || ret->full > PROVIDER_FULL_MAX)
		wire_fail(w, SBX_BAD_VALUE);
	ret->state = (enum provider_state)state;
	ret->isolation = (enum isolation)isolation;
	ret->refusal.err = (enum sbx_err)refusal;
}

static enum sbx_err
read_status(
    struct view answer, struct provider_status *ret, struct sbx_why *why)
{
	struct wire w = wire_of(answer);
	struct provider_status status = { 0 };

	take_status(&w, &status);
	if (wire_end(&w) != SBX_OK)
		return malformed(why);
	*ret = status;
	return SBX_OK;
}

static void
take_found(struct wire *w, struct provider_found *ret)
{
	read_line(w, ret->id, sizeof(ret->id));
	ret->incarnation = wire_u64(w);
	ret->created_at = wire_u64(w);
	take_status(w, &ret->status);
	ret->label_count = read_labels(w, ret->label);
	if (!name_is_id(VIEW_STR(ret->id)))
		wire_fail(w, SBX_BAD_NAME);
}

enum sbx_err
provider_call_create(const int *fd, const char *provider,
    const struct provider_spec *spec, struct provider_status *ret,
    struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	const struct ask what = { .spec = *spec, .text = "" };
	enum sbx_err err =
	    ask(fd, OP_CREATE, provider, &what, &answer, NULL, why);

	return err != SBX_OK ? err : read_status(buf_view(&answer), ret, why);
}

static enum sbx_err
call_plain(const int *fd, enum op op, const char *provider, const char *id,
    struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);

	return ask_id(fd, op, provider, id, &answer, NULL, why);
}

static enum sbx_err
call_with(const int *fd, enum op op, const char *provider, const char *id,
    const struct provider_audience *audience, bool end, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	struct ask what = { .audience = *audience, .end = end, .text = "" };

	return ask_about(fd, op, provider, id, &what, &answer, NULL, why);
}

enum sbx_err
provider_call_start(const int *fd, const char *provider, const char *id,
    const struct provider_audience *audience, struct sbx_why *why)
{
	return call_with(
	    fd, OP_START, provider, id, audience, /* end= */ false, why);
}

enum sbx_err
provider_call_admit(const int *fd, const char *provider, const char *id,
    const struct provider_audience *audience, bool end, struct sbx_why *why)
{
	return call_with(fd, OP_ADMIT, provider, id, audience, end, why);
}

void
provider_call_quit(
    const int *fd, const char *provider, const char *const *ids, size_t count)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	cleanup_buf struct buf list = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s ", ids[i]);
	/* Every request has an id. */
	if (count > 0 && buf_error(&list) == SBX_OK)
		(void)!ask_text(fd, OP_QUIT, provider, ids[0], buf_text(&list),
		    &answer, NULL, NULL);
}

enum sbx_err
provider_call_stop(
    const int *fd, const char *provider, const char *id, struct sbx_why *why)
{
	return call_plain(fd, OP_STOP, provider, id, why);
}

enum sbx_err
provider_call_kill(
    const int *fd, const char *provider, const char *id, struct sbx_why *why)
{
	return call_plain(fd, OP_KILL, provider, id, why);
}

enum sbx_err
provider_call_inspect(const int *fd, const char *provider, const char *id,
    struct provider_status *ret, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	enum sbx_err err =
	    ask_id(fd, OP_INSPECT, provider, id, &answer, NULL, why);

	return err != SBX_OK ? err : read_status(buf_view(&answer), ret, why);
}

enum sbx_err
provider_call_sweep(const int *fd, const char *provider, struct sbx_why *why)
{
	/* Every request has an id. */
	return call_plain(fd, OP_SWEEP, provider, "all", why);
}

enum sbx_err
provider_call_tell(const int *fd, const char *provider, const char *id,
    const char *text, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);

	return ask_text(fd, OP_TELL, provider, id, text, &answer, NULL, why);
}

enum sbx_err
provider_call_sessions(const int *fd, const char *provider, const char *id,
    struct provider_sessions *ret, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	enum sbx_err err =
	    ask_id(fd, OP_SESSIONS, provider, id, &answer, NULL, why);
	struct wire w;

	if (err != SBX_OK)
		return err;
	w = wire_of(buf_view(&answer));
	ret->known = wire_u32(&w) != 0;
	ret->idle = wire_u64(&w);
	ret->count = wire_u32(&w);
	if (ret->count > PROVIDER_SESSIONS)
		wire_fail(&w, SBX_TOO_LARGE);
	for (size_t i = 0; i < ret->count && wire_error(&w) == SBX_OK; i++) {
		struct provider_session *s = &ret->of[i];

		s->age = wire_u64(&w);
		s->idle = wire_u64(&w);
		s->serial = wire_u64(&w);
		read_line(&w, s->key_id, sizeof(s->key_id));
		read_line(&w, s->terminals, sizeof(s->terminals));
		read_line(&w, s->from, sizeof(s->from));
	}
	return wire_end(&w) == SBX_OK ? SBX_OK : malformed(why);
}

enum sbx_err
provider_call_usage(const int *fd, const char *provider, const char *id,
    struct provider_usage *ret, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	enum sbx_err err =
	    ask_id(fd, OP_USAGE, provider, id, &answer, NULL, why);
	struct provider_usage usage;
	struct wire w;

	if (err != SBX_OK)
		return err;
	w = wire_of(buf_view(&answer));
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		uint32_t by;

		usage.of[i].known = wire_u32(&w) != 0;
		by = wire_u32(&w);
		if (by >= LIMITED_COUNT)
			wire_fail(&w, SBX_BAD_VALUE);
		usage.of[i].by = (enum limited)by;
		usage.of[i].max = wire_u64(&w);
		usage.of[i].used = wire_u64(&w);
	}
	if (wire_end(&w) != SBX_OK)
		return malformed(why);
	*ret = usage;
	return SBX_OK;
}

static size_t
read_lines(struct wire *w, char (*ret)[PROVIDER_LINE], size_t max)
{
	size_t count = wire_u32(w);

	if (count > max)
		wire_fail(w, SBX_TOO_LARGE);
	for (size_t i = 0; i < count && wire_error(w) == SBX_OK; i++)
		read_line(w, ret[i], PROVIDER_LINE);
	return count;
}

enum sbx_err
provider_access_read(struct view bytes, struct provider_access *ret)
{
	struct wire w = wire_of(bytes);

	read_line(&w, ret->user, sizeof(ret->user));
	ret->expires_at = wire_u64(&w);
	ret->host_key_count = read_lines(&w, ret->host_key, PROVIDER_HOST_KEYS);
	ret->endpoint_count = read_lines(&w, ret->endpoint, PROVIDER_ENDPOINTS);
	return wire_end(&w);
}

enum sbx_err
provider_call_credentials(const int *fd, const char *provider, const char *id,
    const char *refused, struct provider_access *ret, int *ret_watch,
    struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	cleanup_close int watch = -1;
	enum sbx_err err = ask_text(
	    fd, OP_CREDENTIALS, provider, id, refused, &answer, &watch, why);

	if (err != SBX_OK)
		return err;
	if (provider_access_read(buf_view(&answer), ret) != SBX_OK)
		return malformed(why);
	*ret_watch = steal_fd(&watch);
	return SBX_OK;
}

enum sbx_err
provider_call_adopt(const int *fd, const char *provider, const char *id,
    struct provider_found *ret, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	struct provider_found found = { 0 };
	enum sbx_err err =
	    ask_id(fd, OP_ADOPT, provider, id, &answer, NULL, why);
	struct wire w;

	if (err != SBX_OK)
		return err;
	w = wire_of(buf_view(&answer));
	take_found(&w, &found);
	if (wire_end(&w) != SBX_OK)
		return malformed(why);
	*ret = found;
	return SBX_OK;
}

enum sbx_err
provider_call_list(const int *fd, const char *provider, const char *cursor,
    struct provider_page *ret, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	enum sbx_err err =
	    ask_text(fd, OP_LIST, provider, "all", cursor, &answer, NULL, why);
	struct wire w;

	if (err != SBX_OK)
		return err;
	w = wire_of(buf_view(&answer));
	read_line(&w, ret->next, sizeof(ret->next));
	ret->count = wire_u32(&w);
	if (ret->count > PROVIDER_PAGE)
		wire_fail(&w, SBX_TOO_LARGE);
	for (size_t i = 0; i < ret->count && wire_error(&w) == SBX_OK; i++)
		take_found(&w, &ret->found[i]);
	return wire_end(&w) == SBX_OK ? SBX_OK : malformed(why);
}

enum sbx_err
provider_call_set_end(const int *fd, const char *provider, const char *id,
    uint64_t seconds, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	struct ask what = { .spec = { .lifetime = seconds }, .text = "" };

	return ask_about(
	    fd, OP_SET_END, provider, id, &what, &answer, NULL, why);
}

/* SPDX-License-Identifier: ISC */
#include "broker/front/answer.h"

#include "broker/helper/signer.h"
#include "common/text.h"

#define NO_ISOLATION_NOTICE                                                  \
	"THIS SANDBOX IS NOT ISOLATED: it is a plain process of the host, "  \
	"because namespaces are forbidden here or isolation = none is set. " \
	"Run nothing in it that you would not run on the host itself."

void
answer_put_text(struct json_object *o, const char *name, const char *text)
{
	(void)json_object_object_add(o, name, json_object_new_string(text));
}

void
answer_put_u64(struct json_object *o, const char *name, uint64_t value)
{
	(void)json_object_object_add(o, name, json_object_new_uint64(value));
}

static const char *const isolations[ISOLATION_COUNT] = {
	[ISOLATION_NONE] = "none",
	[ISOLATION_NAMESPACES] = "namespaces",
	[ISOLATION_PLATFORM] = "platform",
};

/* Which it is only its provider knows, once it has made it. */
const char *
answer_isolation(const struct sandbox *s)
{
	if (s->state == SANDBOX_CREATING)
		return "unknown";
	return isolations[s->isolation];
}

static struct json_object *
refusal_json(const struct refusal *refusal)
{
	struct json_object *o = json_object_new_object();

	answer_put_u64(o, "time", refusal->when);
	answer_put_text(o, "code", sbx_err_name(refusal->err));
	answer_put_text(o, "detail", sbx_err_text(refusal->err));
	return o;
}

/* No member for one that was made before there were any. */
void
answer_put_incarnation(struct json_object *o, uint64_t incarnation)
{
	char text[SIGNER_SERIAL_LEN];

	if (incarnation == 0)
		return;
	signer_put_serial(incarnation, text);
	answer_put_text(o, "incarnation", text);
}

static struct json_object *
verbs_json(unsigned verbs)
{
	struct json_object *a = json_object_new_array();

	for (int i = 0; i < ACCESS_VERB_COUNT; i++) {
		if ((verbs & ACCESS_BIT(i)) != 0)
			(void)json_object_array_add(a,
			    json_object_new_string(
				access_verb_name((enum access_verb)i)));
	}
	return a;
}

/* What ssh cannot do there. */
static void
put_lacks(struct json_object *o, const struct sandbox *s)
{
	const struct provider *provider = provider_find(s->provider);
	struct json_object *lacks;

	if (provider == NULL || provider->lacks == NULL)
		return;
	lacks = json_object_new_array();
	for (size_t i = 0; provider->lacks[i] != NULL; i++)
		(void)json_object_array_add(
		    lacks, json_object_new_string(provider->lacks[i]));
	(void)json_object_object_add(o, "lacks", lacks);
}

struct json_object *
answer_json(const struct sandbox *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *labels = json_object_new_object();

	answer_put_text(o, "id", s->id);
	answer_put_incarnation(o, s->incarnation);
	answer_put_text(o, "provider", s->provider);
	answer_put_text(o, "state", sandbox_state_name(s->state));
	(void)json_object_object_add(
	    o, "held", json_object_new_boolean(s->held));
	(void)json_object_object_add(
	    o, "session", json_object_new_boolean(s->tied));
	answer_put_text(o, "isolation", answer_isolation(s));
	if (s->isolation == ISOLATION_NONE && s->state != SANDBOX_CREATING)
		answer_put_text(o, "notice", NO_ISOLATION_NOTICE);
	answer_put_text(o, "owner", s->owner);
	(void)json_object_object_add(o, "verbs", verbs_json(s->verbs));
	answer_put_u64(o, "created_at", s->created_at);
	answer_put_u64(o, "expires_at", s->expires_at);
	if (s->auto_stop != 0) {
		char text[TEXT_DURATION_LEN];

		text_put_duration(s->auto_stop, text);
		answer_put_text(o, "auto_stop", text);
	}
	for (size_t i = 0; i < s->label_count; i++)
		answer_put_text(labels, s->label[i].key, s->label[i].value);
	(void)json_object_object_add(o, "labels", labels);
	if (s->ephemeral)
		(void)json_object_object_add(
		    o, "ephemeral", json_object_new_boolean(true));
	if (s->network)
		answer_put_text(o, "network", s->limited ? "allow" : "full");
	if (*s->root != '\0')
		answer_put_text(o, "root", s->root);
	put_lacks(o, s);
	if (*s->reason != '\0')
		answer_put_text(o, "reason", s->reason);
	if (s->full > 0)
		answer_put_u64(o, "full", s->full);
	if (s->refusal.err != SBX_OK)
		(void)json_object_object_add(
		    o, "last_refusal", refusal_json(&s->refusal));
	return o;
}

static const char *const resources[RESOURCE_COUNT] = {
#define PROVIDER_RESOURCE_NAME(value, name) [RESOURCE_##value] = name,
	PROVIDER_RESOURCES(PROVIDER_RESOURCE_NAME)
#undef PROVIDER_RESOURCE_NAME
};

static const char *const limited[LIMITED_COUNT] = {
	[LIMITED_NOT] = "none",
	[LIMITED_EXACTLY] = "kernel",
	[LIMITED_EACH] = "process",
	[LIMITED_MEASURED] = "measured",
};

void
answer_put_limits(
    struct json_object *sandbox, const struct provider_usage *usage)
{
	struct json_object *limits = json_object_new_object();

	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		const struct provider_limit *limit = &usage->of[i];
		struct json_object *o;

		if (!limit->known)
			continue;
		o = json_object_new_object();
		answer_put_u64(o, "max", limit->max);
		if (limit->used != PROVIDER_UNKNOWN)
			answer_put_u64(o, "used", limit->used);
		answer_put_text(o, "enforced", limited[limit->by]);
		(void)json_object_object_add(limits, resources[i], o);
	}
	(void)json_object_object_add(sandbox, "limits", limits);
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
put_known(struct json_object *o, const char *name, const char *text)
{
	if (*text != '\0')
		answer_put_text(o, name, text);
}

static void
put_serial(struct json_object *o, uint64_t serial)
{
	char text[SIGNER_SERIAL_LEN];

	signer_put_serial(serial, text);
	answer_put_text(o, "serial", text);
}

void
answer_put_sessions(struct json_object *object, const struct sandbox *of,
    const struct provider_sessions *sessions, uint64_t now)
{
	struct json_object *list;

	if (!sessions->known)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < sessions->count; i++) {
		const struct provider_session *s = &sessions->of[i];
		struct json_object *o = json_object_new_object();

		put_known(o, "key_id", s->key_id);
		if (s->serial != 0)
			put_serial(o, s->serial);
		answer_put_u64(o, "since", now > s->age ? now - s->age : 0);
		put_known(o, "from", s->from);
		put_known(o, "terminals", s->terminals);
		if (s->idle != PROVIDER_UNKNOWN)
			answer_put_u64(o, "idle", s->idle);
		(void)json_object_array_add(list, o);
	}
	(void)json_object_object_add(object, "sessions", list);
	if (of->auto_stop != 0 && sessions->count == 0)
		answer_put_u64(object, "stops_at",
		    now + of->auto_stop -
			smaller(sessions->idle, of->auto_stop));
}

void
answer_put_certificates(struct json_object *sandbox,
    const struct store_live *live, size_t max, uint64_t all)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < max && i < all; i++) {
		struct json_object *o = json_object_new_object();

		answer_put_text(o, "key_id", live[i].key_id);
		put_serial(o, live[i].serial);
		answer_put_u64(o, "valid_after", live[i].valid_after);
		answer_put_u64(o, "expires_at", live[i].valid_before);
		(void)json_object_array_add(list, o);
	}
	(void)json_object_object_add(sandbox, "certificates", list);
	answer_put_u64(sandbox, "certificate_count", all);
}

void
answer_put_shares(
    struct json_object *sandbox, const struct share *shares, size_t count)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		const struct share *s = &shares[i];
		struct json_object *o = json_object_new_object();

		answer_put_text(o, s->group ? "group" : "user", s->name);
		(void)json_object_object_add(
		    o, "verbs", verbs_json(access_verbs(s->verbs)));
		(void)json_object_array_add(a, o);
	}
	(void)json_object_object_add(sandbox, "shares", a);
}

enum sbx_err
answer_sandbox(struct answer *ret, unsigned status, const struct sandbox *s)
{
	ret->status = status;
	ret->body = answer_json(s);
	return SBX_OK;
}

/* Codes that are not here say something about the request: 400. */
static const struct {
	enum sbx_err err;
	unsigned status;
} statuses[] = {
	{ SBX_USAGE, 422 },
	{ SBX_NOT_FOUND, 404 },
	{ SBX_EXISTS, 409 },
	{ SBX_STATE, 409 },
	{ SBX_REFUSED, 403 },
	{ SBX_TOO_LARGE, 413 },
	{ SBX_UNAVAILABLE, 503 },
	{ SBX_TIMEOUT, 504 },
	{ SBX_PROTOCOL, 502 },
	{ SBX_CONFIG, 500 },
	{ SBX_NOMEM, 500 },
	{ SBX_IO, 500 },
	{ SBX_UNREADABLE, 500 },
	{ SBX_PROGRAM, 500 },
	{ SBX_UNTRUSTED, 500 },
	{ SBX_INTERNAL, 500 },
};

static unsigned
status_of(enum sbx_err err)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].err == err)
			return statuses[i].status;
	}
	return 400;
}

struct answer
answer_problem_with(
    unsigned status, enum sbx_err err, const struct sbx_why *why)
{
	struct answer answer = { .status = status };

	answer.body = json_object_new_object();
	answer_put_text(answer.body, "type", "about:blank");
	answer_put_text(answer.body, "title", sbx_err_text(err));
	answer_put_u64(answer.body, "status", status);
	answer_put_text(answer.body, "detail", sbx_why_text(why, err));
	answer_put_text(answer.body, "code", sbx_err_name(err));
	return answer;
}

struct answer
answer_problem(enum sbx_err err, const struct sbx_why *why)
{
	return answer_problem_with(status_of(err), err, why);
}

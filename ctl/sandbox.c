/* SPDX-License-Identifier: ISC */
#include "ctl/sandbox.h"

#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/limits.h"
#include "ctl/shares.h"
#include "ctl/visits.h"
#include "net/refused.h"
#include "net/reply.h"

#define TEXT(m)                                                     \
	{                                                           \
#m, REPLY_TEXT, false, offsetof(struct sandbox, m), \
		    sizeof(((struct sandbox *)0)->m), 0, 0          \
	}
#define TIME(m)                                                        \
	{                                                              \
#m, REPLY_UINT, false, offsetof(struct sandbox, m), 0, \
		    INT64_MAX, 0                                       \
	}

static const struct reply_field fields[] = {
	TEXT(id),
	TEXT(provider),
	TEXT(state),
	TEXT(isolation),
	TEXT(owner),
	TIME(created_at),
	TIME(expires_at),
	{ "held", REPLY_BOOL, true, offsetof(struct sandbox, held), 0, 0, 0 },
	{ "network", REPLY_TEXT, true, offsetof(struct sandbox, network),
	    sizeof(((struct sandbox *)0)->network), 0, 0 },
	{ "root", REPLY_TEXT, true, offsetof(struct sandbox, root),
	    sizeof(((struct sandbox *)0)->root), 0, 0 },
	{ "ephemeral", REPLY_BOOL, true, offsetof(struct sandbox, ephemeral), 0,
	    0, 0 },
	{ "session", REPLY_BOOL, true, offsetof(struct sandbox, session), 0, 0,
	    0 },
};

static void
read_verbs(struct json_object *object, struct sandbox *ret)
{
	cleanup_buf struct buf words = BUF_INIT(sizeof(ret->verbs) - 1);
	struct json_object *verbs = NULL;

	(void)json_object_object_get_ex(object, "verbs", &verbs);
	shares_put_words(verbs, &words);
	if (buf_error(&words) == SBX_OK)
		(void)snprintf(
		    ret->verbs, sizeof(ret->verbs), "%s", buf_text(&words));
}

enum sbx_err
sandbox_read(
    struct json_object *object, struct sandbox *ret, struct sbx_why *why)
{
	struct sbx_why what = { "" };
	enum sbx_err err;

	ret->held = ret->ephemeral = ret->session = false;
	ret->verbs[0] = '\0';
	ret->root[0] = ret->network[0] = '\0';
	if (!json_object_is_type(object, json_type_object))
		return sbx_fail(
		    why, SBX_PROTOCOL, "the broker's answer is not a sandbox");
	err = reply_read(
	    object, fields, sizeof(fields) / sizeof(fields[0]), ret, &what);
	if (err != SBX_OK)
		return sbx_fail(why, err,
		    "the broker's answer is not a sandbox: %s", what.text);
	read_verbs(object, ret);
	return SBX_OK;
}

void
sandbox_put_span(uint64_t from, uint64_t to, char ret[static SANDBOX_TIME_LEN])
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	uint64_t span = to > from ? to - from : 0;
	size_t i = 0;

	while (units[i].seconds > 1 && span < units[i].seconds)
		i++;
	(void)snprintf(ret, SANDBOX_TIME_LEN, "%" PRIu64 "%c",
	    span / units[i].seconds, units[i].letter);
}

void
sandbox_put_expiry(
    uint64_t expires_at, uint64_t now, char ret[static SANDBOX_TIME_LEN])
{
	if (expires_at == 0 || expires_at <= now)
		(void)snprintf(ret, SANDBOX_TIME_LEN, "%s",
		    expires_at == 0 ? "never" : "over");
	else
		sandbox_put_span(now, expires_at, ret);
}

static void
print_text(const char *name, const char *text)
{
	cleanup_buf struct buf line = BUF_INIT(16384);

	buf_printf(&line, "%s: ", name);
	text_escape(VIEW_STR(text), 2048, /* quote= */ false, &line);
	(void)puts(buf_text(&line));
}

static void
print_time(const char *name, uint64_t when, const char *span)
{
	char text[TEXT_TIME_LEN];

	text_put_time(when, text);
	(void)printf("%s: %s (%s)\n", name, text, span);
}

/* From inside the sandbox: a reason that we know, or no line. */
static void
print_refusal(struct json_object *object, uint64_t now)
{
	struct refusal told;
	char span[SANDBOX_TIME_LEN];

	if (!refused_read(object, &told))
		return;
	sandbox_put_span(told.when, now, span);
	print_time("last_refusal", told.when, span);
	print_text("refused_because", sbx_err_text(told.err));
}

/* Of platforms: why it failed, and what ssh cannot do there. */
static void
print_more(struct json_object *object)
{
	struct json_object *reason = NULL, *lacks = NULL;

	(void)json_object_object_get_ex(object, "reason", &reason);
	(void)json_object_object_get_ex(object, "lacks", &lacks);
	if (json_object_is_type(reason, json_type_string))
		print_text("reason", json_object_get_string(reason));
	if (!json_object_is_type(lacks, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(lacks); i++)
		print_text("lacks",
		    json_object_get_string(
			json_object_array_get_idx(lacks, i)));
}

void
sandbox_print(
    const struct sandbox *sandbox, struct json_object *object, uint64_t now)
{
	struct json_object *labels = NULL;
	char span[SANDBOX_TIME_LEN];
	uint64_t full;

	print_text("id", sandbox->id);
	print_text("state", sandbox->state);
	if (sandbox->held)
		print_text("held", "yes");
	if (sandbox->ephemeral)
		print_text("ephemeral", "yes");
	if (sandbox->session)
		print_text("session", "yes");
	if (*sandbox->network != '\0')
		print_text("network", sandbox->network);
	if (*sandbox->root != '\0')
		print_text("root", sandbox->root);
	print_text("provider", sandbox->provider);
	print_text("isolation", sandbox->isolation);
	print_more(object);
	print_text("owner", sandbox->owner);
	if (*sandbox->verbs != '\0')
		print_text("you_may", sandbox->verbs);
	shares_print("shared_with: ", object);
	sandbox_put_span(sandbox->created_at, now, span);
	print_time("created", sandbox->created_at, span);
	sandbox_put_expiry(sandbox->expires_at, now, span);
	if (sandbox->expires_at == 0)
		print_text("expires", span);
	else
		print_time("expires", sandbox->expires_at, span);
	if (refused_full(object, &full))
		(void)printf("full: %llu connections, the limit\n",
		    (unsigned long long)full);
	print_refusal(object, now);
	visits_print(object, strcmp(sandbox->state, "running") == 0, now);
	limits_print(object);
	(void)json_object_object_get_ex(object, "labels", &labels);
	if (!json_object_is_type(labels, json_type_object))
		return;
	json_object_object_foreach(labels, key, value)
	{
		char text[512];

		(void)snprintf(text, sizeof(text), "%s=%s", key,
		    json_object_get_string(value));
		print_text("label", text);
	}
}

const char *
sandbox_json(struct json_object *object)
{
	return json_object_to_json_string_ext(
	    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* DEL and C1 are in texts only, since elsewhere JSON is ASCII. */
void
sandbox_put_escaped(const char *json, FILE *out)
{
	for (; *json != '\0'; json++) {
		unsigned char c = (unsigned char)json[0];
		unsigned char next = (unsigned char)json[1];

		if (c == 0x7f) {
			(void)fputs("\\u007f", out);
		} else if (c == 0xc2 && next < 0xa0) {
			(void)fprintf(out, "\\u%04x", next);
			json++;
		} else {
			(void)putc(c, out);
		}
	}
}

void
sandbox_put_json(struct json_object *object, FILE *out)
{
	sandbox_put_escaped(sandbox_json(object), out);
	(void)putc('\n', out);
}

void
sandbox_print_json(struct json_object *object)
{
	sandbox_put_json(object, stdout);
}

static void
print_report(const struct sandbox *sandbox, const char *name)
{
	cleanup_buf struct buf line = BUF_INIT(1024);

	text_escape(
	    VIEW_STR(sandbox->id), NAME_ID_MAX, /* quote= */ true, &line);
	buf_put_text(&line, " ");
	text_escape(
	    VIEW_STR(sandbox->state), SANDBOX_WORD, /* quote= */ true, &line);
	if (name != NULL)
		buf_printf(&line, ": ssh %s", name);
	(void)puts(buf_text(&line));
}

void
sandbox_warn(const struct sandbox *sandbox)
{
	if (strcmp(sandbox->isolation, "none") != 0)
		return;
	log_error("WARNING: %s is NOT ISOLATED: namespaces cannot be used "
		  "here, so what runs in it can reach everything that its "
		  "user can on this machine",
	    sandbox->id);
}

int
sandbox_report(struct json_object *object, bool json, const char *name)
{
	struct sbx_why why = { "" };
	struct sandbox sandbox;
	enum sbx_err err = sandbox_read(object, &sandbox, &why);

	if (err != SBX_OK)
		return ctl_failure(err, &why);
	if (json)
		sandbox_print_json(object);
	else
		print_report(&sandbox, name);
	return opt_flush();
}

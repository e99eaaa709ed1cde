/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/health.h"

#include <inttypes.h>
#include <time.h>

#include "common/text.h"
#include "net/refused.h"
#include "net/reply.h"
#include "proxycmd/resolve/key.h"
#include "proxycmd/resolve/list.h"
#include "proxycmd/resolve/trusted.h"

#define STATE_LEN 32

static void
put(struct buf *ret, const char *key, const char *value)
{
	buf_printf(ret, "%s=", key);
	text_escape(VIEW_STR(value), SBX_WHY_MAX, /* quote= */ false, ret);
	buf_put_text(ret, "\n");
}

static int64_t
monotonic_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *
token_source(const struct settings_broker *broker)
{
	if (broker->token[0] != '\0')
		return "SANDBOX_TOKEN";
	if (broker->token_file[0] != '\0')
		return broker->token_file;
	return broker->token_command[0] != '\0' ? broker->token_command
						: "none";
}

/* The file by itself, so that its fault is not taken for the broker's. */
static bool
put_token(const struct settings_broker *broker, struct buf *ret)
{
	cleanup_close int fd = -1;
	struct sbx_why why = { "" };
	const char *source = token_source(broker);

	put(ret, "token", source);
	if (source != broker->token_file ||
	    file_open_trusted(
		source, getuid(), /* forbidden= */ 077, &fd, &why) == SBX_OK)
		return true;
	put(ret, "token_error", why.text);
	return false;
}

static void
put_domains(const struct settings *settings, struct buf *ret)
{
	for (size_t i = 0; i < settings->domain_count; i++) {
		const struct settings_broker *domain = &settings->domain[i];
		struct sbx_why why = { "" };

		if (settings_check_domain(domain, &why) == SBX_OK)
			put(ret, "domain", domain->suffix);
		else
			put(ret, "domain_error", why.text);
	}
}

static void
put_trusted(const struct settings_broker *broker, struct buf *ret)
{
	struct ca_set set;
	struct sbx_why why = { "" };
	enum sbx_err err = SBX_OK;

	if (*broker->trusted_ca != '\0')
		err = trusted_read(broker, &set, &why);
	if (err != SBX_OK)
		put(ret, "file_error", sbx_why_text(&why, err));
}

/*
 * What is only read when credentials are fetched, and so may have been broken
 * long before anybody sees it.
 */
static void
put_files(
    const struct work *work, const struct settings *settings, struct buf *ret)
{
	cleanup_login_key struct login_key key = LOGIN_KEY_INIT;
	struct sbx_why why = { "" };
	enum sbx_err err = SBX_OK;

	if (*settings->public_key != '\0')
		err = login_key_own(settings->public_key, &key, &why);
	if (err != SBX_OK)
		put(ret, "file_error", sbx_why_text(&why, err));
	put_trusted(&settings->broker, ret);
	for (size_t i = 0; work->alias == NULL && i < settings->domain_count;
	     i++)
		put_trusted(&settings->domain[i], ret);
}

/* What ssh cannot do there, each of it a text. */
static void
put_lacks(struct json_object *sandbox, struct buf *ret)
{
	struct json_object *lacks = NULL, *lack;
	cleanup_buf struct buf all = BUF_INIT(4096);

	(void)json_object_object_get_ex(sandbox, "lacks", &lacks);
	if (!json_object_is_type(lacks, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(lacks); i++) {
		lack = json_object_array_get_idx(lacks, i);
		buf_printf(&all, "%s%s", i == 0 ? "" : ", ",
		    json_object_get_string(lack));
	}
	put(ret, "lacks", buf_text(&all));
}

/* What the cache says may be of long ago; no word if there is no answer. */
static void
put_state(struct client *client, const char *id, struct buf *ret)
{
	struct said {
		char state[STATE_LEN];
		bool held;
	} said = { .held = false };
	static const struct reply_field fields[] = {
		{ "state", REPLY_TEXT, false, offsetof(struct said, state),
		    STATE_LEN, 0, 0 },
		{ "held", REPLY_BOOL, true, offsetof(struct said, held), 0, 0,
		    0 },
	};
	cleanup_object struct json_object *sandbox = NULL;
	char path[NAME_ID_MAX + 64];
	struct refusal refusal;
	uint64_t full;

	(void)snprintf(path, sizeof(path), "/v1/sandboxes/%s", id);
	if (client_call(client, "GET", path, NULL, /* extra= */ 0, &sandbox,
		NULL) != SBX_OK)
		return;
	if (reply_read(sandbox, fields, sizeof(fields) / sizeof(fields[0]),
		&said, NULL) == SBX_OK)
		put(ret, "state", said.state);
	if (said.held)
		buf_put_text(ret, "held=yes\n");
	put_lacks(sandbox, ret);
	if (refused_full(sandbox, &full))
		buf_printf(ret, "full=%" PRIu64 "\n", full);
	if (refused_read(sandbox, &refusal))
		buf_printf(ret, "refused=%" PRIu64 " %s\n", refusal.when,
		    sbx_err_name(refusal.err));
}

static void
put_answer(struct client *client, const struct alias *alias, struct buf *ret)
{
	struct said {
		uint64_t clock;
		char warning[SBX_WHY_MAX];
	} said = { .warning = "" };
	static const struct reply_field fields[] = {
		{ "time", REPLY_UINT, false, offsetof(struct said, clock), 0,
		    INT64_MAX, 0 },
		{ "warning", REPLY_TEXT, true, offsetof(struct said, warning),
		    SBX_WHY_MAX, 0, 0 },
	};
	cleanup_object struct json_object *health = NULL;
	cleanup_object struct json_object *list = NULL;
	struct sbx_why why = { "" };
	int64_t start = monotonic_ms();
	enum sbx_err err = client_call(client, "GET", "/v1/health", NULL,
	    /* extra= */ 0, &health, &why);

	if (err == SBX_OK)
		err = reply_read(health, fields,
		    sizeof(fields) / sizeof(fields[0]), &said, &why);
	if (err != SBX_OK) {
		put(ret, "broker_error", sbx_why_text(&why, err));
		return;
	}
	buf_printf(ret, "broker_ms=%" PRId64 "\n", monotonic_ms() - start);
	buf_printf(ret, "broker_time=%" PRIu64 "\n", said.clock);
	if (*said.warning != '\0')
		put(ret, "broker_warns", said.warning);
	err = client_call(client, "GET", "/v1/sandboxes?limit=1", NULL,
	    /* extra= */ 0, &list, &why);
	if (err != SBX_OK)
		put(ret, "access_error", sbx_why_text(&why, err));
	else if (alias != NULL)
		put_state(client, alias->id, ret);
}

void
health_put(const struct work *work, struct buf *ret)
{
	const char *name = work->alias == NULL ? "" : work->alias->text;
	cleanup_client struct client client = { .token = "" };
	struct settings settings;
	struct sbx_why why = { "" };
	enum sbx_err err =
	    settings_read(work->paths, work->config, &settings, &why);

	if (err == SBX_OK && work->alias == NULL)
		put_domains(&settings, ret);
	if (err == SBX_OK)
		err = settings_choose(&settings, name, &why);
	if (err != SBX_OK) {
		put(ret, "config_error", sbx_why_text(&why, err));
		return;
	}
	put_files(work, &settings, ret);
	if (!put_token(&settings.broker, ret))
		return;
	err = client_open_for(work->paths, work->config, name, &client, &why);
	if (err != SBX_OK) {
		put(ret, "broker_error", sbx_why_text(&why, err));
		return;
	}
	buf_put_text(ret, "broker=");
	if (client.socket[0] != '\0')
		buf_put_text(ret, "unix:");
	buf_printf(ret, "%s\n",
	    client.socket[0] != '\0' ? client.socket : client.base);
	if (client.other[0] != '\0')
		buf_printf(ret, "other_broker=unix:%s\n", client.other);
	put_answer(&client, work->alias, ret);
}

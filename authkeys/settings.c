/* SPDX-License-Identifier: ISC */
#include "authkeys/settings.h"

#include <string.h>

#include "authkeys/chain.h"
#include "authkeys/safepath.h"
#include "common/text.h"

#define ID_FILE_PREFIX "file:"

/* Nobody but root may write what decides over logins. */
#define FORBIDDEN_MODE 022

static bool
names_file(const char *sandbox_id)
{
	return strncmp(sandbox_id, ID_FILE_PREFIX, strlen(ID_FILE_PREFIX)) == 0;
}

/* char[FIELD_TEXT]: an id, or file:PATH. */
static enum sbx_err
field_id_source(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	if (!names_file(text))
		err = name_check_id(text, why);
	else if (text[strlen(ID_FILE_PREFIX)] != '/')
		err = sbx_fail(why, SBX_BAD_VALUE,
		    "%s = '%.80s' does not name an absolute path", field->name,
		    text);
	return err != SBX_OK ? err : field_text(field, text, object, why);
}

/* struct field_list: account names; a pattern would match nobody. */
static enum sbx_err
field_users(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	if (strpbrk(text, "*?!") != NULL)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s = '%.80s': name each account, there are no patterns",
		    field->name, text);
	return field_words(field, text, object, why);
}

/* char[FIELD_TEXT]: a command for chain_run. */
static enum sbx_err
field_then(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	enum sbx_err err = chain_check(text, why);

	return err != SBX_OK ? err : field_text(field, text, object, why);
}

/* In the order of enum gate_single_use. */
static const char *const single_use[] = { "marked", "always", "never", NULL };

#define AT(member) offsetof(struct gate_settings, member)

static const struct conf_key keys[] = {
	{ "",
	    { "sandbox_id", field_id_source, AT(sandbox_id), 0, 0, NULL,
		"id of this sandbox, or file:PATH", NULL } },
	{ "",
	    { "trusted_ca", field_path, AT(trusted_ca), 0, 0, NULL,
		"file of the CA public keys that are trusted", NULL } },
	{ "",
	    { "login_users", field_users, AT(login_users), 0, 0, NULL,
		"accounts that may be logged in to", NULL } },
	{ "",
	    { "max_ttl", field_duration, AT(max_ttl), 1, CHECK_TTL_MAX, "24h",
		"longest life of a certificate", NULL } },
	{ "",
	    { "clock_skew", field_duration, AT(clock_skew), 0,
		GATE_CLOCK_SKEW_MAX, "60s",
		"how far ahead the CA's clock may be", NULL } },
	{ "",
	    { "issued_after", field_uint, AT(issued_after), 0, 0, "0",
		"refuse certificates valid from before this Unix time",
		NULL } },
	{ "",
	    { "permit", field_permit, AT(permit), 0, 0, PERMIT_DEFAULT_WORDS,
		"what a certificate may grant at most", NULL } },
	{ "",
	    { "single_use", field_choice, AT(single_use), 0, 0, "marked",
		"which certificates let in one connection only", single_use } },
	{ "",
	    { "state_dir", field_path, AT(state_dir), 0, 0, NULL,
		"folder of what the gate must remember", NULL } },
	{ "",
	    { "then", field_then, AT(then), 0, 0, NULL,
		"command that is asked about plain keys", NULL } },
	{ "",
	    { "then_timeout", field_duration, AT(then_timeout), 1,
		CHAIN_TIMEOUT_MAX, "3s", "how long that may take", NULL } },
	{ "",
	    { "revoked", field_path, AT(revoked), 0, 0, NULL,
		"signed list of what was revoked", NULL } },
	{ "",
	    { "revoked_max_age", field_duration, AT(revoked_max_age), 1, 0,
		"24h", "how old that list may be", NULL } },
	{ "",
	    { "last_refusal", field_path, AT(last_refusal), 0, 0, NULL,
		"file that tells what was refused last", NULL } },
};

const struct conf_table gate_settings_table = { .keys = keys,
	.count = sizeof(keys) / sizeof(keys[0]) };

/* The keys that have no default, and those that need another. */
static enum sbx_err
check_complete(
    const char *name, const struct gate_settings *settings, struct sbx_why *why)
{
	const char *missing = NULL;

	if (settings->sandbox_id[0] == '\0')
		missing = "sandbox_id";
	else if (settings->trusted_ca[0] == '\0')
		missing = "trusted_ca";
	else if (settings->login_users.count == 0)
		missing = "login_users";
	else if (settings->single_use == GATE_SINGLE_USE_ALWAYS &&
	    settings->state_dir[0] == '\0')
		missing = "single_use = always, but state_dir";
	if (missing == NULL)
		return SBX_OK;
	return sbx_fail(why, SBX_CONFIG,
	    "%s: %s is not set: see sandbox-authkeys.conf(5)", name, missing);
}

static enum sbx_err
start(struct gate_settings *ret, struct sbx_why *why)
{
	*ret = (struct gate_settings){ .sandbox_id = "" };
	return conf_defaults(&gate_settings_table, ret, why);
}

enum sbx_err
gate_settings_parse(const char *name, const char *text,
    struct gate_settings *ret, struct sbx_why *why)
{
	enum sbx_err err = start(ret, why);

	if (err == SBX_OK)
		err = conf_parse(&gate_settings_table, name, text, ret, why);
	return err != SBX_OK ? err : check_complete(name, ret, why);
}

/* One that is missing, unreadable or too large is a fault of the configuration.
 */
static enum sbx_err
as_config(enum sbx_err err)
{
	return err == SBX_NOT_FOUND || err == SBX_UNREADABLE ||
		err == SBX_TOO_LARGE
	    ? SBX_CONFIG
	    : err;
}

static enum sbx_err
read_file(const char *path, uid_t owner, struct buf *ret, struct sbx_why *why)
{
	enum sbx_err err =
	    safepath_check_above(path, owner, /* sticky= */ true, why);

	if (err == SBX_OK)
		err = file_read_trusted(path, owner, FORBIDDEN_MODE, ret, why);
	return as_config(err);
}

static enum sbx_err
read_id(struct gate_settings *settings, uid_t owner, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(GATE_ID_FILE_MAX);
	struct view id = VIEW_STR(settings->sandbox_id);

	if (names_file(settings->sandbox_id)) {
		const char *path =
		    settings->sandbox_id + strlen(ID_FILE_PREFIX);
		enum sbx_err err = read_file(path, owner, &text, why);

		if (err != SBX_OK)
			return err;
		id = buf_view(&text);
		if (id.len > 0 && id.p[id.len - 1] == '\n')
			id.len--;
		if (!name_is_id(id))
			return sbx_fail(why, SBX_CONFIG,
			    "%s does not hold a sandbox id in one line", path);
	}
	return text_copy(id, settings->id, sizeof(settings->id));
}

static enum sbx_err
read_trusted(struct gate_settings *settings, uid_t owner, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(GATE_CA_FILE_MAX);
	enum sbx_err err = read_file(settings->trusted_ca, owner, &text, why);

	if (err != SBX_OK)
		return err;
	return ca_set_parse(
	    settings->trusted_ca, buf_view(&text), &settings->trusted, why);
}

enum sbx_err
gate_settings_read(const char *path, uid_t owner, struct gate_settings *ret,
    struct sbx_why *why)
{
	enum sbx_err err = start(ret, why);

	if (err == SBX_OK)
		err =
		    safepath_check_above(path, owner, /* sticky= */ true, why);
	if (err == SBX_OK)
		err = conf_read(&gate_settings_table, path, owner,
		    FORBIDDEN_MODE, ret, why);
	err = as_config(err);
	if (err == SBX_OK)
		err = check_complete(path, ret, why);
	if (err == SBX_OK)
		err = read_id(ret, owner, why);
	return err != SBX_OK ? err : read_trusted(ret, owner, why);
}

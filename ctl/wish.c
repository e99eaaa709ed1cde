/* SPDX-License-Identifier: ISC */
#include "ctl/wish.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "ctl/resolve.h"

#define CREATE_SECONDS 120 /* a first start may have much to set up */

enum sbx_err
wish_lifetime(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	struct lifetime *ret =
	    (struct lifetime *)(void *)((char *)object + field->offset);
	struct field seconds = *field;

	seconds.offset = offsetof(struct lifetime, seconds);
	ret->session = strcmp(text, "session") == 0;
	return ret->session ? SBX_OK : field_duration(&seconds, text, ret, why);
}

enum sbx_err
wish_pause(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	struct pause *ret =
	    (struct pause *)(void *)((char *)object + field->offset);
	struct field seconds = *field;

	seconds.offset = offsetof(struct pause, seconds);
	ret->given = true;
	return field_duration(&seconds, text, ret, why);
}

static bool
add_text(struct json_object *object, const char *key, const char *text)
{
	return json_object_object_add(
		   object, key, json_object_new_string(text)) == 0;
}

static bool
add_labels(struct json_object *body, const struct label_list *list)
{
	struct json_object *labels = json_object_new_object();

	if (labels == NULL ||
	    json_object_object_add(body, "labels", labels) != 0)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		char key[LABEL_TEXT];
		const char *equals = strchr(list->text[i], '=');

		if (text_copy(
			VIEW(list->text[i], (size_t)(equals - list->text[i])),
			key, sizeof(key)) != SBX_OK ||
		    !add_text(labels, key, equals + 1))
			return false;
	}
	return true;
}

/*
 * The name that ssh knows it by.  What is cached of an earlier one of that name
 * is not its own.
 */
static void
note(const struct broker *broker, const char *id, const char *domain,
    struct alias *ret)
{
	struct alias alias = broker->alias;
	int len = 0;

	ret->text[0] = '\0';
	if (!name_is_id(VIEW_STR(id)))
		return;
	if (*alias.text == '\0')
		len = snprintf(alias.text, sizeof(alias.text), "%s.%s", id,
		    *domain == '\0' ? NAME_SUFFIX_DEFAULT : domain);
	if (len >= (int)sizeof(alias.text))
		return;
	memcpy(alias.id, id, strlen(id) + 1);
	resolve_note(&broker->paths, &alias, /* there= */ true);
	*ret = alias;
}

/* Where the broker finds it, whatever folder it is in itself. */
static enum sbx_err
find_root(const char *typed, char ret[static PATHS_MAX], struct sbx_why *why)
{
	char here[PATHS_MAX] = "";

	ret[0] = '\0';
	if (*typed == '\0')
		return SBX_OK;
	if (*typed != '/' && getcwd(here, sizeof(here)) == NULL)
		return sbx_fail(why, SBX_USAGE,
		    "--root %s: the working folder is not known: %s", typed,
		    strerror(errno));
	if (snprintf(ret, PATHS_MAX, "%s%s%s", here, *here == '\0' ? "" : "/",
		typed) >= PATHS_MAX)
		return sbx_fail(why, SBX_USAGE,
		    "--root %.80s: the path is too long", typed);
	return SBX_OK;
}

#define ALLOW "allow="
#define ALLOW_FILE_MAX 65536

/* Its lines, without comments; the broker says what is wrong with one. */
static enum sbx_err
add_allowed(struct json_object *body, const char *file, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(ALLOW_FILE_MAX);
	cleanup_close int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct json_object *lines = json_object_new_array();
	struct view cursor, line;

	if (lines == NULL || json_object_object_add(body, "allow", lines) != 0)
		return SBX_NOMEM;
	if (fd < 0 || file_read_fd(fd, &text) != SBX_OK)
		return sbx_fail(why, SBX_UNREADABLE, "cannot read %s: %s", file,
		    fd < 0 ? strerror(errno) : "it is too large");
	cursor = buf_view(&text);
	while (text_next_line(&cursor, &line)) {
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (json_object_array_add(lines,
			json_object_new_string_len(
			    (const char *)line.p, (int)line.len)) != 0)
			return SBX_NOMEM;
	}
	if (json_object_array_length(lines) == 0)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s allows nothing: that is --network none", file);
	return SBX_OK;
}

static enum sbx_err
add_network(struct json_object *body, const char *wanted, struct sbx_why *why)
{
	bool allow = strncmp(wanted, ALLOW, strlen(ALLOW)) == 0;

	if (*wanted == '\0')
		return SBX_OK;
	if (!allow && strcmp(wanted, "full") != 0 &&
	    strcmp(wanted, "none") != 0)
		return sbx_fail(why, SBX_USAGE,
		    "--network %.80s is neither none, full nor allow=FILE",
		    wanted);
	if (!add_text(body, "network", allow ? "full" : wanted))
		return SBX_NOMEM;
	return allow ? add_allowed(body, wanted + strlen(ALLOW), why) : SBX_OK;
}

enum sbx_err
wish_create(struct broker *broker, const char *name, const struct wish *wish,
    struct made *ret, struct sbx_why *why)
{
	cleanup_object struct json_object *body = json_object_new_object();
	const struct alias *alias = &broker->alias;
	char timeout[TEXT_DURATION_LEN], auto_stop[TEXT_DURATION_LEN];
	char root[PATHS_MAX];
	enum sbx_err err;

	err = name == NULL ? ctl_open(broker, wish->domain, why)
			   : ctl_open_name(broker, name, wish->domain, why);
	if (err != SBX_OK)
		return err;
	err = find_root(wish->root, root, why);
	if (err != SBX_OK)
		return err;
	text_put_duration(wish->timeout.seconds, timeout);
	text_put_duration(wish->auto_stop.seconds, auto_stop);
	if (body == NULL ||
	    (name != NULL && !add_text(body, "id", alias->id)) ||
	    (*alias->provider != '\0' &&
		!add_text(body, "provider", alias->provider)) ||
	    (wish->timeout.seconds != 0 &&
		!add_text(body, "timeout", timeout)) ||
	    (wish->auto_stop.given &&
		!add_text(body, "auto_stop", auto_stop)) ||
	    (wish->timeout.session &&
		json_object_object_add(
		    body, "session", json_object_new_boolean(true)) != 0) ||
	    (*root != '\0' && !add_text(body, "root", root)) ||
	    (wish->ephemeral &&
		json_object_object_add(
		    body, "ephemeral", json_object_new_boolean(true)) != 0) ||
	    (wish->labels.count != 0 && !add_labels(body, &wish->labels)))
		return SBX_NOMEM;
	err = add_network(body, wish->network, why);
	if (err != SBX_OK)
		return err;
	ctl_wait_begin(broker, "creating", name == NULL ? "a sandbox" : name);
	err = wish->timeout.session
	    ? client_open_stream(&broker->client, "POST", "/v1/sandboxes", body,
		  CREATE_SECONDS, &ret->object, &ret->stream, why)
	    : client_call(&broker->client, "POST", "/v1/sandboxes", body,
		  CREATE_SECONDS, &ret->object, why);
	ctl_wait_end(broker);
	if (err == SBX_OK)
		err = sandbox_read(ret->object, &ret->sandbox, why);
	if (err == SBX_OK)
		note(broker, ret->sandbox.id, wish->domain, &ret->alias);
	return err;
}

void
made_free(struct made *made)
{
	(void)json_object_put(made->object);
	made->object = NULL;
	http_close(made->stream);
	made->stream = NULL;
}

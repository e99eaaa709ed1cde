/* SPDX-License-Identifier: ISC */
#include "broker/front/handlers.h"

#include <string.h>

#include "broker/front/body.h"
#include "broker/life/issue.h"
#include "broker/helper/signer.h"
#include "common/limits.h"

#define PERMIT_WORDS_MAX 16

struct ssh_body {
	char public_key[sizeof(((struct issue_wish *)NULL)->public_key)];
	char ttl[32];
	char permit[PERMIT_WORDS_MAX][32];
	size_t permit_count;
	bool single_use;
	char source_address[ISSUE_SOURCE_MAX];
	char force_command[ISSUE_COMMAND_MAX];
	char refused_user[PROVIDER_USER_LEN];
};

#define SSH(name) offsetof(struct ssh_body, name)
#define SSH_TEXT(name, optional)                                  \
	{                                                         \
#name, REPLY_TEXT, optional, SSH(name),           \
		    sizeof(((struct ssh_body *)NULL)->name), 0, 0 \
	}

static const struct reply_field ssh_fields[] = {
	SSH_TEXT(public_key, false),
	SSH_TEXT(ttl, true),
	{ "permit", REPLY_TEXTS, true, SSH(permit), 32, PERMIT_WORDS_MAX,
	    SSH(permit_count) },
	{ "single_use", REPLY_BOOL, true, SSH(single_use), 0, 0, 0 },
	SSH_TEXT(source_address, true),
	SSH_TEXT(force_command, true),
	SSH_TEXT(refused_user, true),
};

static const struct body_table ssh_table = { ssh_fields,
	sizeof(ssh_fields) / sizeof(ssh_fields[0]), NULL };

/* permit_count SIZE_MAX: the member was not there. */
static enum sbx_err
permit_of(const struct ssh_body *body, unsigned *ret, struct sbx_why *why)
{
	*ret = body->permit_count == SIZE_MAX ? PERMIT_DEFAULT : 0;
	if (body->permit_count == SIZE_MAX)
		return SBX_OK;
	for (size_t i = 0; i < body->permit_count; i++) {
		unsigned bit = permit_of_word(body->permit[i]);

		if (bit == 0)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "\"permit\": '%s' cannot be permitted",
			    body->permit[i]);
		*ret |= bit;
	}
	return SBX_OK;
}

static enum sbx_err
read_ssh_wish(const struct broker *b, const struct call *call,
    struct issue_wish *ret, struct sbx_why *why)
{
	struct ssh_body body = { .permit_count = SIZE_MAX };
	enum sbx_err err =
	    body_read(call->body, &ssh_table, &body, NULL, NULL, why);

	if (err == SBX_OK)
		err = permit_of(&body, &ret->permit, why);
	if (err != SBX_OK)
		return err;
	ret->ttl = LIMITS_TTL_DEFAULT < b->settings->max_ttl
	    ? LIMITS_TTL_DEFAULT
	    : b->settings->max_ttl;
	if (*body.ttl != '\0')
		err = body_duration(
		    "ttl", body.ttl, b->settings->max_ttl, &ret->ttl, why);
	ret->single_use = body.single_use;
	memcpy(ret->public_key, body.public_key, sizeof(ret->public_key));
	memcpy(ret->source_address, body.source_address,
	    sizeof(ret->source_address));
	memcpy(
	    ret->force_command, body.force_command, sizeof(ret->force_command));
	memcpy(ret->refused_user, body.refused_user, sizeof(ret->refused_user));
	return err;
}

static struct json_object *
json_of_lines(const char (*lines)[PROVIDER_LINE], size_t count)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		(void)json_object_array_add(
		    a, json_object_new_string(lines[i]));
	return a;
}

static struct json_object *
json_of_issued(const struct issued *issued)
{
	const struct sandbox *s = &issued->sandbox;
	const struct provider_access *access = &issued->access;
	struct json_object *o = json_object_new_object();
	char serial[SIGNER_SERIAL_LEN];

	answer_put_text(o, "id", s->id);
	answer_put_incarnation(o, s->incarnation);
	answer_put_text(o, "state", sandbox_state_name(s->state));
	answer_put_text(o, "user", access->user);
	answer_put_text(o, "isolation", answer_isolation(s));
	if (issued->certificate.len > 0) {
		signer_put_serial(issued->serial, serial);
		answer_put_text(
		    o, "certificate", buf_text(&issued->certificate));
		answer_put_text(o, "serial", serial);
	}
	answer_put_u64(o, "expires_at", issued->valid_before);
	(void)json_object_object_add(o, "host_keys",
	    json_of_lines(access->host_key, access->host_key_count));
	(void)json_object_object_add(o, "endpoints",
	    json_of_lines(access->endpoint, access->endpoint_count));
	return o;
}

enum sbx_err
handle_ssh(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct issue_wish wish = { 0 };
	struct issued issued = { 0 };
	enum sbx_err err = read_ssh_wish(b, call, &wish, why);

	if (err == SBX_OK)
		err = issue_ssh(b, &call->caller, id, &wish, &issued, why);
	if (issued.too_many)
		ret->status = 429;
	if (err == SBX_OK) {
		ret->status = 200;
		ret->body = json_of_issued(&issued);
	}
	buf_free(&issued.certificate);
	return err;
}

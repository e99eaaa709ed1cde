/* SPDX-License-Identifier: ISC */
#include "authkeys/request.h"

#include <string.h>

#include "common/text.h"

/* Lengths first: nothing is looked at, let alone copied, before. */
static enum sbx_err
check_sizes(
    const char *user, const char *type, const char *key, struct sbx_why *why)
{
	const struct {
		const char *what;
		size_t len, max;
	} words[] = {
		{ "user name", strlen(user), REQUEST_USER_MAX },
		{ "key type", strlen(type), KEY_TYPE_MAX },
		{ "key", strlen(key), REQUEST_KEY_MAX },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].len == 0)
			return sbx_fail(
			    why, SBX_TRUNCATED, "%s is empty", words[i].what);
		if (words[i].len > words[i].max)
			return sbx_fail(why, SBX_TOO_LARGE,
			    "%s is longer than %zu bytes", words[i].what,
			    words[i].max);
	}
	return SBX_OK;
}

/* Every key and certificate starts with the name of its type. */
static enum sbx_err
judge_type(struct request *request, const char *type)
{
	struct wire w = wire_of(buf_view(&request->blob));
	struct view name = wire_string(&w, KEY_TYPE_MAX);

	if (wire_error(&w) != SBX_OK)
		return wire_error(&w);
	if (!view_eq_str(name, type))
		return SBX_TYPE_MISMATCH;
	request->certificate = key_kind_of_cert(name) != NULL;
	if (!request->certificate && key_kind_of(name) == NULL)
		return SBX_KEY_TYPE;
	return SBX_OK;
}

enum sbx_err
request_parse(const char *user, const char *type, const char *key,
    struct request *ret, struct sbx_why *why)
{
	enum sbx_err err;

	*ret =
	    (struct request){ .user = user, .blob = BUF_INIT(CERT_BLOB_MAX) };
	err = check_sizes(user, type, key, why);
	if (err == SBX_OK)
		err = text_base64_decode(VIEW_STR(key), &ret->blob);
	return err != SBX_OK ? err : judge_type(ret, type);
}

enum sbx_err
request_set_connection(
    struct request *request, const char *connection, struct sbx_why *why)
{
	/* The zone of a link-local address is none of a range's. */
	size_t len = strcspn(connection, " %");

	if (len == 0 || strlen(connection) > REQUEST_CONNECTION_MAX ||
	    text_copy(VIEW(connection, len), request->peer,
		sizeof(request->peer)) != SBX_OK)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "the connection does not begin with an address: is it "
		    "sshd's %%C?");
	return SBX_OK;
}

void
request_free(struct request *request)
{
	if (request != NULL)
		buf_free(&request->blob);
}

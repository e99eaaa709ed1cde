/* SPDX-License-Identifier: ISC */
#include "net/refused.h"

#include "net/reply.h"

#define CODE_LEN 32

struct told {
	uint64_t time;
	char code[CODE_LEN];
};

static const struct reply_field fields[] = {
	{ "time", REPLY_UINT, false, offsetof(struct told, time), 0, INT64_MAX,
	    0 },
	{ "code", REPLY_TEXT, false, offsetof(struct told, code), CODE_LEN, 0,
	    0 },
};

bool
refused_read(struct json_object *sandbox, struct refusal *ret)
{
	struct json_object *refusal;
	struct told told;

	if (!json_object_object_get_ex(sandbox, "last_refusal", &refusal) ||
	    reply_read(refusal, fields, sizeof(fields) / sizeof(fields[0]),
		&told, NULL) != SBX_OK)
		return false;
	ret->when = told.time;
	return sbx_err_find(told.code, &ret->err) && ret->err != SBX_OK;
}

bool
refused_full(struct json_object *sandbox, uint64_t *ret)
{
	static const struct reply_field field = { "full", REPLY_UINT, false, 0,
		1, UINT16_MAX, 0 };

	return reply_read(sandbox, &field, 1, ret, NULL) == SBX_OK;
}

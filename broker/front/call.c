/* SPDX-License-Identifier: ISC */
#include "broker/front/call.h"

#include <string.h>

#include "common/text.h"

const char *
call_query(const struct call *call, const char *name)
{
	for (size_t i = 0; i < call->query_count; i++) {
		if (strcmp(call->query[i].name, name) == 0)
			return call->query[i].value;
	}
	return NULL;
}

enum sbx_err
call_query_uint(const struct call *call, const char *name, uint64_t min,
    uint64_t max, uint64_t fallback, uint64_t *ret, struct sbx_why *why)
{
	const char *text = call_query(call, name);

	*ret = fallback;
	if (text == NULL || text_uint(text, min, max, ret) == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s=%.80s is not a number from %llu to %llu", name, text,
	    (unsigned long long)min, (unsigned long long)max);
}

static bool
is_word_of(const char *words, const char *word)
{
	struct view cursor = VIEW_STR(words), found;

	while (text_next_word(&cursor, &found)) {
		if (view_eq_str(found, word))
			return true;
	}
	return false;
}

enum sbx_err
call_check_query(
    const struct call *call, const char *names, struct sbx_why *why)
{
	for (size_t i = 0; i < call->query_count; i++) {
		const char *name = call->query[i].name;

		if (!is_word_of(names, name))
			return sbx_fail(why, SBX_BAD_VALUE,
			    "unknown parameter '%s' in the query", name);
		if (call_query(call, name) != call->query[i].value)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "parameter '%s' stands twice in the query", name);
	}
	return SBX_OK;
}

/* SPDX-License-Identifier: ISC */
#include "tests/unit/cases.h"

#include <string.h>

#include "common/refusal.h"
#include "net/refused.h"

static const struct line {
	const char *name;
	const char *text; /* padded to 63 bytes, unless it is longer */
	const char *end;
	enum sbx_err want;
	enum sbx_err err;
	uint64_t when;
} lines[] = {
	{ "expired", "1790000000 expired", "\n", SBX_OK, SBX_EXPIRED,
	    1790000000 },
	{ "at the beginning", "0 key-weak", "\n", SBX_OK, SBX_KEY_WEAK, 0 },
	{ "the latest time", "9223372036854775807 revoked", "\n", SBX_OK,
	    SBX_REVOKED, INT64_MAX },
	{ "later than that", "9223372036854775808 revoked", "\n", SBX_BAD_VALUE,
	    0, 0 },
	{ "blanks in front", "  5 expired", "\n", SBX_OK, SBX_EXPIRED, 5 },
	{ "no error", "1790000000 ok", "\n", SBX_BAD_VALUE, 0, 0 },
	{ "unknown reason", "1790000000 \033[2J", "\n", SBX_BAD_VALUE, 0, 0 },
	{ "three words", "1790000000 expired now", "\n", SBX_BAD_VALUE, 0, 0 },
	{ "no reason", "1790000000", "\n", SBX_BAD_VALUE, 0, 0 },
	{ "no time", "expired", "\n", SBX_BAD_VALUE, 0, 0 },
	{ "a sign", "-5 expired", "\n", SBX_BAD_VALUE, 0, 0 },
	{ "nothing", "", "\n", SBX_BAD_VALUE, 0, 0 },
	{ "no newline", "5 expired", " ", SBX_BAD_VALUE, 0, 0 },
	{ "too short", "5 expired", "", SBX_BAD_VALUE, 0, 0 },
	{ "too long", "5 expired", " \n", SBX_BAD_VALUE, 0, 0 },
	{ "two lines", "5 expired", "\n\n", SBX_BAD_VALUE, 0, 0 },
};

static void
test_line(void **state)
{
	const struct line *row = *state;
	struct refusal refusal = { SBX_OK, 7 };
	char text[2 * REFUSAL_LEN];

	(void)snprintf(text, sizeof(text), "%-63s%s", row->text, row->end);
	assert_int_equal(
	    refusal_parse(VIEW(text, strlen(text)), &refusal), row->want);
	assert_int_equal(refusal.err, row->err);
	assert_int_equal(refusal.when, row->want == SBX_OK ? row->when : 7);
}

/* NUL is a byte like others, and not a blank. */
static void
test_nul(void **state)
{
	char text[REFUSAL_LEN] = "5 expired";
	struct refusal refusal;

	(void)state;
	text[REFUSAL_LEN - 1] = '\n';
	assert_int_equal(
	    refusal_parse(VIEW(text, sizeof(text)), &refusal), SBX_BAD_VALUE);
}

static void
test_every_reason(void **state)
{
	(void)state;
	for (int err = SBX_OK + 1; err < SBX_ERR_COUNT; err++) {
		const struct refusal refusal = { (enum sbx_err)err, INT64_MAX };
		cleanup_buf struct buf line = BUF_INIT(REFUSAL_LEN);
		struct refusal back;

		refusal_put(&refusal, &line);
		assert_int_equal(buf_error(&line), SBX_OK);
		assert_int_equal(refusal_parse(buf_view(&line), &back), SBX_OK);
		assert_int_equal(back.err, err);
		assert_int_equal(back.when, INT64_MAX);
	}
}

/* As the broker passes it on. */
static const struct told {
	const char *name;
	const char *json;
	enum sbx_err err; /* SBX_OK: none */
} told[] = {
	{ "told", "{\"last_refusal\":{\"time\":5,\"code\":\"expired\"}}",
	    SBX_EXPIRED },
	{ "told with more",
	    "{\"last_refusal\":{\"time\":5,\"code\":\"expired\","
	    "\"detail\":\"x\"}}",
	    SBX_EXPIRED },
	{ "not told", "{}", SBX_OK },
	{ "told null", "{\"last_refusal\":null}", SBX_OK },
	{ "told a text", "{\"last_refusal\":\"expired\"}", SBX_OK },
	{ "told no time", "{\"last_refusal\":{\"code\":\"expired\"}}", SBX_OK },
	{ "told no reason", "{\"last_refusal\":{\"time\":5}}", SBX_OK },
	{ "told a time below 0",
	    "{\"last_refusal\":{\"time\":-5,\"code\":\"expired\"}}", SBX_OK },
	{ "told no error", "{\"last_refusal\":{\"time\":5,\"code\":\"ok\"}}",
	    SBX_OK },
	{ "told what we do not know",
	    "{\"last_refusal\":{\"time\":5,\"code\":\"other\"}}", SBX_OK },
	{ "told too much",
	    "{\"last_refusal\":{\"time\":5,\"code\":"
	    "\"expired-expired-expired-expired-expired\"}}",
	    SBX_OK },
};

static void
test_told(void **state)
{
	const struct told *row = *state;
	struct json_object *sandbox = json_tokener_parse(row->json);
	struct refusal refusal = { SBX_OK, 0 };

	assert_int_equal(refused_read(sandbox, &refusal), row->err != SBX_OK);
	if (row->err != SBX_OK) {
		assert_int_equal(refusal.err, row->err);
		assert_int_equal(refusal.when, 5);
	}
	(void)json_object_put(sandbox);
}

int
main(void)
{
	CASE_ROWS(lines, test_line);
	CASE(test_nul);
	CASE(test_every_reason);
	CASE_ROWS(told, test_told);
	return cases_run("refusal");
}

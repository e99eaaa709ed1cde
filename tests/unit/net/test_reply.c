/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tests/unit/cases.h"
#include "common/buf.h"
#include "net/reply.h"

struct answer {
	char text[8];
	uint64_t number;
	bool flag;
	char list[2][8];
	size_t list_count;
	char extra[8];
};

#define MEMBER(m) offsetof(struct answer, m)

static const struct reply_field fields[] = {
	{ "text", REPLY_TEXT, false, MEMBER(text), 8, 0, 0 },
	{ "number", REPLY_UINT, true, MEMBER(number), 0, 100, 0 },
	{ "flag", REPLY_BOOL, true, MEMBER(flag), 0, 0, 0 },
	{ "list", REPLY_TEXTS, true, MEMBER(list), 8, 2, MEMBER(list_count) },
	{ "extra", REPLY_TEXT, true, MEMBER(extra), 8, 0, 0 },
};

struct row {
	const char *name;
	const char *text;
	size_t len;
	enum sbx_err want;
	const char *why; /* part of it; NULL: whatever */
};

#define ROW(name, text, want, why)                      \
	{                                               \
		name, text, sizeof(text) - 1, want, why \
	}
#define GOOD(name, text) ROW(name, text, SBX_OK, NULL)
#define BAD(name, text, why) ROW(name, text, SBX_PROTOCOL, why)

#define OPEN16 "[[[[[[[[[[[[[[[["
#define SHUT16 "]]]]]]]]]]]]]]]]"

static const struct row rows[] = {
	GOOD("only what must be there", "{\"text\":\"a\"}"),
	GOOD("everything",
	    "{\"text\":\"a\",\"number\":100,\"flag\":true,"
	    "\"list\":[\"b\",\"c\"],\"extra\":\"d\"}"),
	GOOD("blanks around it", " \n{\"text\" : \"a\"}\r\n "),
	GOOD("members nobody named", "{\"text\":\"a\",\"new\":{\"x\":[1]}}"),
	GOOD("null for an optional one", "{\"text\":\"a\",\"flag\":null}"),
	GOOD("colons and quotes in texts", "{\"text\":\"a:\\\":\"}"),
	GOOD("text as long as its room", "{\"text\":\"1234567\"}"),
	GOOD("same name in two objects", "{\"text\":\"a\",\"o\":{\"text\":1}}"),
	BAD("nothing", "", "not JSON"),
	BAD("cut short", "{\"text\":\"a\"", "not JSON"),
	BAD("cut in a text", "{\"text\":\"a", "not JSON"),
	BAD("HTML", "<html>no</html>", "not JSON"),
	BAD("an array", "[1]", "not a JSON object"),
	BAD("null", "null", NULL),
	BAD("bytes after it", "{\"text\":\"a\"}x", "not JSON"),
	BAD("two objects", "{\"text\":\"a\"}{}", "not JSON"),
	BAD("single quotes", "{'text':'a'}", "not JSON"),
	BAD("a comment", "{/* */\"text\":\"a\"}", "not JSON"),
	BAD("comma at the end", "{\"text\":\"a\",}", "not JSON"),
	BAD("NUL byte", "{\"text\":\"a\0\"}", "NUL"),
	BAD("NUL after it", "{\"text\":\"a\"}\0", "NUL"),
	BAD("escaped NUL", "{\"text\":\"a\\u0000b\"}", "\\u0000"),
	BAD("escaped NUL in a name", "{\"text\":\"a\",\"x\\u0000\":1}",
	    "\\u0000"),
	BAD("twice in one object", "{\"text\":\"a\",\"text\":\"b\"}", "twice"),
	BAD("twice further down", "{\"text\":\"a\",\"o\":[{\"x\":1,\"x\":2}]}",
	    "twice"),
	BAD("twice, written otherwise", "{\"text\":\"a\",\"te\\u0078t\":\"b\"}",
	    "twice"),
	BAD("too deep", "{\"text\":\"a\",\"x\":" OPEN16 SHUT16 "}", "not JSON"),
	BAD("not UTF-8", "{\"text\":\"\xff\"}", "not JSON"),
	BAD("a member is missing", "{\"number\":1}", "\"text\" is missing"),
	BAD("null for it", "{\"text\":null}", "\"text\" is missing"),
	BAD("a number for a text", "{\"text\":1}", "not a text"),
	BAD("longer than its room", "{\"text\":\"12345678\"}", "too long"),
	BAD("newline in a text", "{\"text\":\"a\\nb\"}", "control"),
	BAD("escape in a text", "{\"text\":\"\\u001b[2J\"}", "control"),
	BAD("DEL in a text", "{\"text\":\"\\u007f\"}", "control"),
	BAD("C1 in a text", "{\"text\":\"\\u009b2J\"}", "control"),
	BAD("C1 as it is", "{\"text\":\"a\xc2\x80\"}", "control"),
	GOOD("what follows C1", "{\"text\":\"\xc2\xa0\"}"),
	GOOD("bytes like C1's", "{\"text\":\"\xc3\x9b\"}"),
	BAD("a text for a number", "{\"text\":\"a\",\"number\":\"1\"}",
	    "not a number"),
	BAD("negative", "{\"text\":\"a\",\"number\":-1}", "not a number"),
	BAD("with a fraction", "{\"text\":\"a\",\"number\":1.5}",
	    "not a number"),
	BAD("above its limit", "{\"text\":\"a\",\"number\":101}", "too large"),
	BAD("above 2^64", "{\"text\":\"a\",\"number\":99999999999999999999}",
	    "too large"),
	BAD("1 for true", "{\"text\":\"a\",\"flag\":1}", "neither"),
	BAD("a text for a list", "{\"text\":\"a\",\"list\":\"b\"}",
	    "not an array"),
	BAD("too many", "{\"text\":\"a\",\"list\":[\"\",\"\",\"\"]}",
	    "too many"),
	BAD("a list of others", "{\"text\":\"a\",\"list\":[{}]}", "not a text"),
	BAD("null in a list", "{\"text\":\"a\",\"list\":[null]}", "not a text"),
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct json_object *object = NULL;
	struct sbx_why why = { "" };
	struct answer answer = { .list_count = 0 };
	enum sbx_err err = reply_parse(row->text, row->len, &object, &why);

	if (err == SBX_OK)
		err = reply_read(object, fields, FIELDS, &answer, &why);
	(void)json_object_put(object);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	if (row->why != NULL && strstr(why.text, row->why) == NULL)
		fail_msg("'%s' does not say '%s'", why.text, row->why);
}

static void
test_values(void **state)
{
	static const char text[] =
	    "{\"text\":\"a:\\\"\",\"number\":7,\"flag\":true,"
	    "\"list\":[\"b\",\"cc\"],\"extra\":null}";
	struct json_object *object = NULL;
	struct answer answer = { .extra = "kept" };

	(void)state;
	assert_int_equal(
	    reply_parse(text, sizeof(text) - 1, &object, NULL), SBX_OK);
	assert_int_equal(
	    reply_read(object, fields, FIELDS, &answer, NULL), SBX_OK);
	(void)json_object_put(object);
	assert_string_equal(answer.text, "a:\"");
	assert_int_equal(answer.number, 7);
	assert_true(answer.flag);
	assert_int_equal(answer.list_count, 2);
	assert_string_equal(answer.list[0], "b");
	assert_string_equal(answer.list[1], "cc");
	assert_string_equal(answer.extra, "kept");
}

/* Small as text, large in memory: refused before it is parsed. */
static void
test_nested(void **state)
{
	static const char *const kinds[] = { "{},", "[]," };

	(void)state;
	for (size_t kind = 0; kind < 2; kind++) {
		for (size_t n = REPLY_NESTED_MAX - 2; n < REPLY_NESTED_MAX;
		     n++) {
			cleanup_buf struct buf text = BUF_INIT(1 << 20);
			struct json_object *object = NULL;
			struct sbx_why why = { "" };
			enum sbx_err err;

			buf_put_text(&text, "{\"a\":[");
			for (size_t i = 0; i < n; i++)
				buf_put_text(&text, kinds[kind]);
			text.len--;
			buf_put_text(&text, "]}");
			err = reply_parse(
			    buf_text(&text), text.len, &object, &why);
			assert_int_equal(err,
			    n + 2 > REPLY_NESTED_MAX ? SBX_TOO_LARGE : SBX_OK);
			(void)json_object_put(object);
		}
	}
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(test_values);
	CASE(test_nested);
	return cases_run("reply");
}

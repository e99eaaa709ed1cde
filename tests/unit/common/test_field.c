/* SPDX-License-Identifier: ISC */
#include "common/field.h"

#include <string.h>

#include "tests/unit/cases.h"

struct settings {
	char text[FIELD_TEXT];
	uint64_t number;
	bool flag;
	int choice;
	struct field_list list;
};

static const char *const choices[] = { "auto", "always", "never", NULL };

#define FIELD(fn, member)                                   \
	{                                                   \
		.name = "key", .parse = fn,                 \
		.offset = offsetof(struct settings, member) \
	}

static const struct field text_field = FIELD(field_text, text);
static const struct field path_field = FIELD(field_path, text);
static const struct field bool_field = FIELD(field_bool, flag);
static const struct field list_field = FIELD(field_words, list);
static const struct field uint_field = { .name = "key",
	.parse = field_uint,
	.offset = offsetof(struct settings, number),
	.min = 1,
	.max = 300 };
static const struct field free_field = FIELD(field_uint, number);
static const struct field ttl_field = { .name = "key",
	.parse = field_duration,
	.offset = offsetof(struct settings, number),
	.min = 60,
	.max = 86400 };
static const struct field minutes_field = { .name = "key",
	.parse = field_minutes,
	.offset = offsetof(struct settings, number),
	.min = 60,
	.max = 86400 };
static const struct field choice_field = { .name = "key",
	.parse = field_choice,
	.offset = offsetof(struct settings, choice),
	.choices = choices };

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X500 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50

static const struct {
	const char *name;
	const struct field *field;
	const char *text;
	const char *why; /* part of the message; NULL: accepted */
	uint64_t number;
	const char *string;
} rows[] = {
	{ "text", &text_field, "a b", NULL, 0, "a b" },
	{ "text is empty", &text_field, "", "key is empty", 0, "" },
	{ "text of 511 bytes", &text_field, X500 "01234567890", NULL, 0,
	    X500 "01234567890" },
	{ "text of 512 bytes", &text_field, X500 "012345678901",
	    "longer than 511 bytes", 0, "" },
	{ "path", &path_field, "/etc/x", NULL, 0, "/etc/x" },
	{ "path is relative", &path_field, "etc/x", "'etc/x'", 0, "" },
	{ "path is empty", &path_field, "", "absolute path", 0, "" },
	{ "path with tilde", &path_field, "~/x", "absolute path", 0, "" },
	{ "path of 512 bytes", &path_field, "/" X500 "01234567890", "longer", 0,
	    "" },
	{ "number at its minimum", &uint_field, "1", NULL, 1, "" },
	{ "number at its maximum", &uint_field, "300", NULL, 300, "" },
	{ "number too small", &uint_field, "0", "from 1 to 300", 0, "" },
	{ "number too large", &uint_field, "301", "from 1 to 300", 0, "" },
	{ "number is a word", &uint_field, "ten", "'ten'", 0, "" },
	{ "number without limit", &free_field, "9223372036854775807", NULL,
	    INT64_MAX, "" },
	{ "number of 64 bits", &free_field, "9223372036854775808",
	    "is not a number", 0, "" },
	{ "duration", &ttl_field, "60m", NULL, 3600, "" },
	{ "duration too short", &ttl_field, "59s", "range 1m to 24h", 0, "" },
	{ "duration too long", &ttl_field, "25h", "range 1m to 24h", 0, "" },
	{ "duration without unit", &ttl_field, "60", "like 90s", 0, "" },
	{ "minutes", &minutes_field, "90", NULL, 5400, "" },
	{ "minutes as a duration", &minutes_field, "2h", NULL, 7200, "" },
	{ "no minutes", &minutes_field, "0", "'0' is not in the range 1m to", 0,
	    "" },
	{ "too many minutes", &minutes_field, "1441", "range 1m to 24h", 0,
	    "" },
	{ "minutes that overflow", &minutes_field, "307445734561825861",
	    "not a duration", 0, "" },
	{ "minutes too long a duration", &minutes_field, "25h",
	    "'25h' is not in the range 1m to 24h", 0, "" },
	{ "first choice", &choice_field, "auto", NULL, 0, "" },
	{ "last choice", &choice_field, "never", NULL, 2, "" },
	{ "no choice", &choice_field, "maybe", "auto, always, never", 0, "" },
	{ "start of a choice", &choice_field, "al", "none of", 0, "" },
	{ "empty choice", &choice_field, "", "none of", 0, "" },
};

static void
test_row(void **state)
{
	const __typeof__(rows[0]) *row = *state;
	struct settings s = { .text = "" };
	struct sbx_why why = { "" };
	enum sbx_err err = row->field->parse(row->field, row->text, &s, &why);

	assert_int_equal(err, row->why == NULL ? SBX_OK : SBX_BAD_VALUE);
	if (row->why != NULL)
		assert_non_null(strstr(why.text, row->why));
	assert_string_equal(s.text, row->string);
	assert_int_equal(
	    row->field == &choice_field ? (uint64_t)s.choice : s.number,
	    row->number);
}

static const struct {
	const char *name;
	const char *text;
	enum sbx_err want;
	bool value;
} bool_rows[] = {
	{ "yes", "yes", SBX_OK, true },
	{ "no", "no", SBX_OK, false },
	{ "an option without value", NULL, SBX_OK, true },
	{ "true is not yes", "true", SBX_BAD_VALUE, false },
	{ "1 is not yes", "1", SBX_BAD_VALUE, false },
	{ "Yes is not yes", "Yes", SBX_BAD_VALUE, false },
	{ "empty is not yes", "", SBX_BAD_VALUE, false },
};

static void
test_bool(void **state)
{
	const __typeof__(bool_rows[0]) *row = *state;
	struct settings s = { .flag = !row->value };

	assert_int_equal(
	    bool_field.parse(&bool_field, row->text, &s, NULL), row->want);
	assert_int_equal(
	    s.flag, row->want == SBX_OK ? row->value : !row->value);
}

static void
words_add_up(void **state)
{
	struct settings s = { .text = "" };

	(void)state;
	assert_int_equal(
	    field_words(&list_field, " a,b \tc,, ", &s, NULL), SBX_OK);
	assert_int_equal(field_words(&list_field, "", &s, NULL), SBX_OK);
	assert_int_equal(field_words(&list_field, "d", &s, NULL), SBX_OK);
	assert_int_equal(s.list.count, 4);
	assert_string_equal(s.list.word[0], "a");
	assert_string_equal(s.list.word[2], "c");
	assert_string_equal(s.list.word[3], "d");
}

static void
words_replace_the_default(void **state)
{
	struct field field = list_field;
	struct settings s = { .text = "" };

	(void)state;
	field.def = "root admin";
	assert_int_equal(field_defaults(&field, &s, NULL), SBX_OK);
	assert_int_equal(s.list.count, 2);
	assert_int_equal(field_words(&field, "sandbox", &s, NULL), SBX_OK);
	assert_int_equal(field_words(&field, "dev", &s, NULL), SBX_OK);
	assert_int_equal(s.list.count, 2);
	assert_string_equal(s.list.word[0], "sandbox");
	assert_string_equal(s.list.word[1], "dev");
}

static void
words_have_limits(void **state)
{
	struct settings s = { .text = "" };
	char text[2 * FIELD_LIST_MAX + 1];
	char word[FIELD_WORD + 1];

	(void)state;
	for (size_t i = 0; i < FIELD_LIST_MAX; i++) {
		text[2 * i] = 'w';
		text[2 * i + 1] = ' ';
	}
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(field_words(&list_field, text, &s, NULL), SBX_OK);
	assert_int_equal(s.list.count, FIELD_LIST_MAX);
	assert_int_equal(
	    field_words(&list_field, "x", &s, NULL), SBX_BAD_VALUE);
	s.list.count = 0;
	memset(word, 'x', FIELD_WORD);
	word[FIELD_WORD] = '\0';
	assert_int_equal(
	    field_words(&list_field, word, &s, NULL), SBX_BAD_VALUE);
	assert_int_equal(field_words(&list_field, word + 1, &s, NULL), SBX_OK);
}

static void
defaults_go_through_the_parser(void **state)
{
	struct field field = ttl_field;
	struct settings s = { .number = 7 };
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(field_defaults(&field, &s, &why), SBX_OK);
	assert_int_equal(s.number, 7);
	field.def = "60m";
	assert_int_equal(field_defaults(&field, &s, &why), SBX_OK);
	assert_int_equal(s.number, 3600);
	field.def = "60";
	assert_int_equal(field_defaults(&field, &s, &why), SBX_BAD_VALUE);
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE_ROWS(bool_rows, test_bool);
	CASE(words_add_up);
	CASE(words_replace_the_default);
	CASE(words_have_limits);
	CASE(defaults_go_through_the_parser);
	return cases_run("field");
}

/* SPDX-License-Identifier: ISC */
#include "common/text.h"

#include <string.h>

#include "tests/unit/cases.h"

#define BIN(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

static const struct {
	const char *name;
	struct view text;
	enum sbx_err want;
	struct view bytes;
} decode_rows[] = {
	{ "base64 nothing", BIN(""), SBX_OK, BIN("") },
	{ "base64 no memory at all", { NULL, 0 }, SBX_OK, BIN("") },
	{ "base64 one byte", BIN("QQ=="), SBX_OK, BIN("A") },
	{ "base64 two bytes", BIN("QUI="), SBX_OK, BIN("AB") },
	{ "base64 three bytes", BIN("QUJD"), SBX_OK, BIN("ABC") },
	{ "base64 both special letters", BIN("+/+/"), SBX_OK,
	    BIN("\373\377\277") },
	{ "base64 padding missing", BIN("QQ"), SBX_ENCODING, BIN("") },
	{ "base64 half the padding", BIN("QQ="), SBX_ENCODING, BIN("") },
	{ "base64 padding too long", BIN("QUI=="), SBX_ENCODING, BIN("") },
	{ "base64 a block of padding", BIN("QUJD===="), SBX_ENCODING, BIN("") },
	{ "base64 only padding", BIN("===="), SBX_ENCODING, BIN("") },
	{ "base64 three of padding", BIN("Q==="), SBX_ENCODING, BIN("") },
	{ "base64 trailing bits", BIN("QR=="), SBX_ENCODING, BIN("") },
	{ "base64 trailing bits of two", BIN("QUJ="), SBX_ENCODING, BIN("") },
	{ "base64 newline at the end", BIN("QUI=\n"), SBX_ENCODING, BIN("") },
	{ "base64 newline inside", BIN("QU\nJDQUI"), SBX_ENCODING, BIN("") },
	{ "base64 space", BIN("QU I"), SBX_ENCODING, BIN("") },
	{ "base64 NUL inside", BIN("QU\0I"), SBX_ENCODING, BIN("") },
	{ "base64 URL alphabet", BIN("-_-_"), SBX_ENCODING, BIN("") },
	{ "base64 text after padding", BIN("QQ==QQ=="), SBX_ENCODING, BIN("") },
	{ "base64 not ASCII", BIN("QU\303\244"), SBX_ENCODING, BIN("") },
	{ "base64 of bytes above ASCII", BIN("\200\200\377\377"), SBX_ENCODING,
	    BIN("") },
};

static void
test_decode(void **state)
{
	const __typeof__(decode_rows[0]) *row = *state;
	cleanup_buf struct buf b = BUF_INIT(100);

	buf_put_text(&b, "<");
	assert_int_equal(text_base64_decode(row->text, &b), row->want);
	/* appended, or as it was before; text in any case */
	assert_int_equal(b.len, 1 + row->bytes.len);
	assert_int_equal(b.p[b.len], '\0');
	assert_memory_equal(b.p + 1, row->bytes.p, row->bytes.len);
}

static void
base64_beyond_the_cap(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(2);

	(void)state;
	assert_int_equal(
	    text_base64_decode(VIEW_STR("QUJD"), &b), SBX_TOO_LARGE);
}

/* Of all bytes, only those of the alphabet decode. */
static void
base64_alphabet(void **state)
{
	int good = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		cleanup_buf struct buf b = BUF_INIT(3);
		uint8_t text[4] = { 'Q', (uint8_t)c, 'J', 'D' };

		good += text_base64_decode(VIEW(text, 4), &b) == SBX_OK;
	}
	assert_int_equal(good, 64);
}

static void
base64_there_and_back(void **state)
{
	uint8_t bytes[70];

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		cleanup_buf struct buf text = BUF_INIT(200),
				       back = BUF_INIT(200);

		memset(bytes, (int)(len * 37), sizeof(bytes));
		text_base64_encode(VIEW(bytes, len), &text);
		assert_int_equal(buf_error(&text), SBX_OK);
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		assert_int_equal(
		    text_base64_decode(buf_view(&text), &back), SBX_OK);
		assert_true(view_eq(buf_view(&back), VIEW(bytes, len)));
	}
}

static const struct {
	const char *name;
	const char *text;
	uint64_t min, max;
	enum sbx_err want;
	uint64_t value;
} uint_rows[] = {
	{ "number 0", "0", 0, 9, SBX_OK, 0 },
	{ "number at its minimum", "3", 3, 9, SBX_OK, 3 },
	{ "number at its maximum", "9", 3, 9, SBX_OK, 9 },
	{ "number below", "2", 3, 9, SBX_BAD_VALUE, 0 },
	{ "number above", "10", 3, 9, SBX_BAD_VALUE, 0 },
	{ "number of 64 bits", "18446744073709551615", 0, UINT64_MAX, SBX_OK,
	    UINT64_MAX },
	{ "number of 64 bits and one", "18446744073709551616", 0, UINT64_MAX,
	    SBX_BAD_VALUE, 0 },
	{ "number that wraps twice", "99999999999999999999999", 0, UINT64_MAX,
	    SBX_BAD_VALUE, 0 },
	{ "number is empty", "", 0, 9, SBX_BAD_VALUE, 0 },
	{ "number is negative", "-1", 0, UINT64_MAX, SBX_BAD_VALUE, 0 },
	{ "number with plus", "+1", 0, 9, SBX_BAD_VALUE, 0 },
	{ "number with blank before", " 1", 0, 9, SBX_BAD_VALUE, 0 },
	{ "number with blank after", "1 ", 0, 9, SBX_BAD_VALUE, 0 },
	{ "number in hexadecimal", "0x10", 0, 99, SBX_BAD_VALUE, 0 },
	{ "number with leading zeros", "007", 0, 9, SBX_OK, 7 },
	{ "number is a word", "one", 0, 9, SBX_BAD_VALUE, 0 },
	{ "number with high byte", "\2611", 0, 9, SBX_BAD_VALUE, 0 },
};

static void
test_uint(void **state)
{
	const __typeof__(uint_rows[0]) *row = *state;
	uint64_t value = 77;

	assert_int_equal(
	    text_uint(row->text, row->min, row->max, &value), row->want);
	assert_int_equal(value, row->want == SBX_OK ? row->value : 77);
}

static const struct {
	const char *name;
	const char *text;
	enum sbx_err want;
	uint64_t seconds;
} duration_rows[] = {
	{ "duration in seconds", "90s", SBX_OK, 90 },
	{ "duration in minutes", "60m", SBX_OK, 3600 },
	{ "duration in hours", "24h", SBX_OK, 86400 },
	{ "duration in days", "7d", SBX_OK, 604800 },
	{ "duration of nothing", "0s", SBX_OK, 0 },
	{ "duration of nothing without unit", "0", SBX_OK, 0 },
	{ "duration without unit", "60", SBX_BAD_VALUE, 0 },
	{ "duration of one digit without unit", "6", SBX_BAD_VALUE, 0 },
	{ "duration without number", "m", SBX_BAD_VALUE, 0 },
	{ "duration is empty", "", SBX_BAD_VALUE, 0 },
	{ "duration in weeks", "1w", SBX_BAD_VALUE, 0 },
	{ "duration in capitals", "1M", SBX_BAD_VALUE, 0 },
	{ "duration in two units", "1h30m", SBX_BAD_VALUE, 0 },
	{ "duration with a fraction", "1.5h", SBX_BAD_VALUE, 0 },
	{ "duration with blank", "1 h", SBX_BAD_VALUE, 0 },
	{ "duration is negative", "-1h", SBX_BAD_VALUE, 0 },
	{ "duration of many days", "106751991167300d", SBX_OK,
	    106751991167300 * UINT64_C(86400) },
	{ "duration beyond 63 bits", "106751991167301d", SBX_BAD_VALUE, 0 },
	{ "duration of many digits", "00000000000000000000001s", SBX_BAD_VALUE,
	    0 },
};

static void
test_duration(void **state)
{
	const __typeof__(duration_rows[0]) *row = *state;
	uint64_t seconds = 77;

	assert_int_equal(text_duration(row->text, &seconds), row->want);
	assert_int_equal(seconds, row->want == SBX_OK ? row->seconds : 77);
}

static const struct {
	const char *name;
	uint64_t seconds;
	const char *want;
} put_duration_rows[] = {
	{ "prints nothing", 0, "0s" },
	{ "prints seconds", 90, "90s" },
	{ "prints minutes", 120, "2m" },
	{ "prints hours", 3600, "1h" },
	{ "prints a day", 86400, "24h" },
	{ "prints days", 172800, "2d" },
	{ "prints an odd number", 86401, "86401s" },
	{ "prints the largest", UINT64_MAX, "18446744073709551615s" },
};

static void
test_put_duration(void **state)
{
	const __typeof__(put_duration_rows[0]) *row = *state;
	char text[TEXT_DURATION_LEN];

	text_put_duration(row->seconds, text);
	assert_string_equal(text, row->want);
}

static const struct {
	const char *name;
	struct view text;
	size_t max;
	bool quote;
	const char *want;
} escape_rows[] = {
	{ "escape leaves text", BIN("a b~!"), 99, false, "a b~!" },
	{ "escape control characters", BIN("\33[2J\r\n\t\177"), 99, false,
	    "\\x1b[2J\\x0d\\x0a\\x09\\x7f" },
	{ "escape the backslash", BIN("\\x41"), 99, false, "\\x5cx41" },
	{ "escape UTF-8", BIN("\303\244"), 99, false, "\\xc3\\xa4" },
	{ "escape C1 controls", BIN("\233"), 99, false, "\\x9b" },
	{ "escape NUL", BIN("a\0b"), 99, false, "a\\x00b" },
	{ "escape leaves quotes", BIN("\"a\""), 99, false, "\"a\"" },
	{ "escape for one value", BIN("a \"b\""), 99, true,
	    "a\\x20\\x22b\\x22" },
	{ "escape cuts", BIN("abcdef"), 3, false, "abc..." },
	{ "escape fits exactly", BIN("abc"), 3, false, "abc" },
	{ "escape cuts to nothing", BIN("abc"), 0, false, "..." },
};

static void
test_escape(void **state)
{
	const __typeof__(escape_rows[0]) *row = *state;
	cleanup_buf struct buf b = BUF_INIT(200);

	text_escape(row->text, row->max, row->quote, &b);
	assert_string_equal(buf_text(&b), row->want);
}

static const struct {
	const char *name;
	struct view text;
	const char *want; /* lines between '|' */
} line_rows[] = {
	{ "no lines", BIN(""), "" },
	{ "one line", BIN("a\n"), "a|" },
	{ "last line without end", BIN("a\nb"), "a|b|" },
	{ "empty lines", BIN("\n\na\n"), "||a|" },
	{ "carriage return stays", BIN("a\r\n"), "a\r|" },
};

static void
test_lines(void **state)
{
	const __typeof__(line_rows[0]) *row = *state;
	cleanup_buf struct buf b = BUF_INIT(100);
	struct view cursor = row->text, line;

	while (text_next_line(&cursor, &line)) {
		buf_put_view(&b, line);
		buf_put_text(&b, "|");
	}
	assert_string_equal(buf_text(&b), row->want);
}

static const struct {
	const char *name;
	struct view text;
	const char *want; /* words between '|' */
} word_rows[] = {
	{ "no words", BIN(""), "" },
	{ "only blanks", BIN(" \t "), "" },
	{ "one word", BIN("a"), "a|" },
	{ "words and tabs", BIN(" a\t\tbc d "), "a|bc|d|" },
	{ "other white space is no blank", BIN("a\vb\nc"), "a\vb\nc|" },
};

static void
test_words(void **state)
{
	const __typeof__(word_rows[0]) *row = *state;
	cleanup_buf struct buf b = BUF_INIT(100);
	struct view cursor = row->text, word;

	while (text_next_word(&cursor, &word)) {
		buf_put_view(&b, word);
		buf_put_text(&b, "|");
	}
	assert_string_equal(buf_text(&b), row->want);
}

static const struct {
	const char *name;
	struct view text;
	enum sbx_err want;
} copy_rows[] = {
	{ "copy of nothing", BIN(""), SBX_OK },
	{ "copy that fits exactly", BIN("abc"), SBX_OK },
	{ "copy one byte too long", BIN("abcd"), SBX_TOO_LARGE },
	{ "copy with NUL", BIN("a\0b"), SBX_BAD_VALUE },
};

static void
test_copy(void **state)
{
	const __typeof__(copy_rows[0]) *row = *state;
	char copy[4] = "old";

	assert_int_equal(text_copy(row->text, copy, sizeof(copy)), row->want);
	if (row->want == SBX_OK)
		assert_string_equal(copy, (const char *)row->text.p);
	else
		assert_string_equal(copy, "old");
}

static void
copy_of_an_empty_view(void **state)
{
	char copy[4] = "old";

	(void)state;
	assert_int_equal(text_copy(VIEW(NULL, 0), copy, sizeof(copy)), SBX_OK);
	assert_string_equal(copy, "");
}

int
main(void)
{
	CASE_ROWS(decode_rows, test_decode);
	CASE(base64_beyond_the_cap);
	CASE(base64_alphabet);
	CASE(base64_there_and_back);
	CASE_ROWS(uint_rows, test_uint);
	CASE_ROWS(duration_rows, test_duration);
	CASE_ROWS(put_duration_rows, test_put_duration);
	CASE_ROWS(escape_rows, test_escape);
	CASE_ROWS(line_rows, test_lines);
	CASE_ROWS(word_rows, test_words);
	CASE_ROWS(copy_rows, test_copy);
	CASE(copy_of_an_empty_view);
	return cases_run("text");
}

/* SPDX-License-Identifier: ISC */
#include "common/name.h"

#include <string.h>

#include "tests/unit/cases.h"

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define BIN(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

static const struct {
	const char *name;
	struct view text;
	bool want;
} id_rows[] = {
	{ "id of a run", BIN("run-1234"), true },
	{ "id of one letter", BIN("a"), true },
	{ "id of one digit", BIN("0"), true },
	{ "id with underscore", BIN("a_b"), true },
	{ "id ending in underscore", BIN("a_"), true },
	{ "id of 63 bytes", BIN(X60 "abc"), true },
	{ "id of 64 bytes", BIN(X60 "abcd"), false },
	{ "id is empty", BIN(""), false },
	{ "id starting with -", BIN("-a"), false },
	{ "id starting with _", BIN("_a"), false },
	{ "id ending in -", BIN("a-"), false },
	{ "id in capitals", BIN("Run"), false },
	{ "id with dot", BIN("a.b"), false },
	{ "id with slash", BIN("a/b"), false },
	{ "id goes up", BIN(".."), false },
	{ "id with star", BIN("a*"), false },
	{ "id with comma", BIN("a,b"), false },
	{ "id with quote", BIN("a'b"), false },
	{ "id with NUL", BIN("a\0b"), false },
	{ "id with NUL at its end", BIN("a\0"), false },
	{ "id with newline", BIN("a\n"), false },
	{ "id with space", BIN("a b"), false },
	{ "id in UTF-8", BIN("\303\244"), false },
	{ "id with percent", BIN("%h"), false },
};

static void
test_id(void **state)
{
	const __typeof__(id_rows[0]) *row = *state;

	assert_int_equal(name_is_id(row->text), row->want);
}

static void
why_says_what_an_id_is(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(name_check_id("a", &why), SBX_OK);
	assert_string_equal(why.text, "");
	assert_int_equal(name_check_id("A", NULL), SBX_BAD_NAME);
	assert_int_equal(name_check_id("../x", &why), SBX_BAD_NAME);
	assert_non_null(strstr(why.text, "'../x'"));
	assert_non_null(strstr(why.text, "a-z 0-9 _ -"));
}

static const struct {
	const char *name;
	const char *suffix;
	bool want;
} suffix_rows[] = {
	{ "suffix", "sandbox", true },
	{ "suffix of two labels", "sandbox.example", true },
	{ "suffix is empty", "", false },
	{ "suffix starts with dot", ".sandbox", false },
	{ "suffix ends with dot", "sandbox.", false },
	{ "suffix with two dots", "a..b", false },
	{ "suffix in capitals", "Sandbox", false },
	{ "suffix with star", "*", false },
	{ "suffix with slash", "a/b", false },
};

static void
test_suffix(void **state)
{
	const __typeof__(suffix_rows[0]) *row = *state;

	assert_int_equal(name_is_suffix(row->suffix), row->want);
}

static const struct {
	const char *name;
	const char *text;
	const char *suffix;
	const char *id; /* NULL: refused */
	const char *provider;
} alias_rows[] = {
	{ "alias", "run-1.sandbox", "sandbox", "run-1", "" },
	{ "alias with provider", "a.local.sandbox", "sandbox", "a", "local" },
	{ "alias with another suffix", "a.sb.example", "sb.example", "a", "" },
	{ "alias with provider and another suffix", "a.local.sb.example",
	    "sb.example", "a", "local" },
	{ "alias named like the suffix", "sandbox.sandbox", "sandbox",
	    "sandbox", "" },
	{ "alias of 63 bytes", X60 "abc.sandbox", "sandbox", X60 "abc", "" },
	{ "alias of 64 bytes", X60 "abcd.sandbox", "sandbox", NULL, "" },
	{ "alias of 300 bytes", X60 X60 X60 X60 X60 ".sandbox", "sandbox", NULL,
	    "" },
	{ "alias is empty", "", "sandbox", NULL, "" },
	{ "alias is the suffix", "sandbox", "sandbox", NULL, "" },
	{ "alias is dot and suffix", ".sandbox", "sandbox", NULL, "" },
	{ "alias without suffix", "run-1", "sandbox", NULL, "" },
	{ "alias with a longer suffix", "a.xsandbox", "sandbox", NULL, "" },
	{ "alias with a suffix glued on", "asandbox", "sandbox", NULL, "" },
	{ "alias with something after", "a.sandbox.org", "sandbox", NULL, "" },
	{ "alias of a host on the internet", "foo.example.com", "sandbox", NULL,
	    "" },
	{ "alias with dot at its end", "a.sandbox.", "sandbox", NULL, "" },
	{ "alias with two dots", "a..sandbox", "sandbox", NULL, "" },
	{ "alias with empty provider", "a..local.sandbox", "sandbox", NULL,
	    "" },
	{ "alias with empty id", ".local.sandbox", "sandbox", NULL, "" },
	{ "alias of three labels", "a.b.c.sandbox", "sandbox", NULL, "" },
	{ "alias with bad provider", "a.b-.sandbox", "sandbox", NULL, "" },
	{ "alias goes up", "../x.sandbox", "sandbox", NULL, "" },
	{ "alias is all dots", "....sandbox", "sandbox", NULL, "" },
	{ "alias with slash", "a/b.sandbox", "sandbox", NULL, "" },
	{ "alias with star", "a*.sandbox", "sandbox", NULL, "" },
	{ "alias with hash", "#x.sandbox", "sandbox", NULL, "" },
	{ "alias with leading dash", "-x.sandbox", "sandbox", NULL, "" },
	{ "alias with token", "%h.sandbox", "sandbox", NULL, "" },
	{ "alias with equals sign", "a=b.sandbox", "sandbox", NULL, "" },
	{ "alias in UTF-8", "\303\244.sandbox", "sandbox", NULL, "" },
	{ "alias in capitals", "Run.sandbox", "sandbox", NULL, "" },
	{ "alias with capital suffix", "a.Sandbox", "sandbox", NULL, "" },
	{ "alias with newline", "a\n.sandbox", "sandbox", NULL, "" },
	{ "alias with newline after", "a.sandbox\n", "sandbox", NULL, "" },
};

/* What it says to write is not refused itself. */
static void
check_advice(const char *text, const char *suffix)
{
	const char *advice = strstr(text, ": write ");
	struct alias alias;

	assert_non_null(advice);
	advice += strlen(": write ");
	if (strncmp(advice, "ID.", 3) != 0)
		assert_int_equal(
		    name_parse_alias(advice, suffix, &alias, NULL), SBX_OK);
}

static void
test_alias(void **state)
{
	const __typeof__(alias_rows[0]) *row = *state;
	struct sbx_why why = { "" };
	struct alias alias = { "untouched", "", "" };
	enum sbx_err err =
	    name_parse_alias(row->text, row->suffix, &alias, &why);

	assert_int_equal(err, row->id == NULL ? SBX_BAD_NAME : SBX_OK);
	if (err != SBX_OK) {
		assert_string_equal(alias.text, "untouched");
		assert_non_null(strstr(why.text, "not a sandbox name"));
		check_advice(why.text, row->suffix);
		return;
	}
	assert_string_equal(alias.text, row->text);
	assert_string_equal(alias.id, row->id);
	assert_string_equal(alias.provider, row->provider);
}

static const struct {
	const char *name;
	const char *text;
	const char *id; /* NULL: refused */
	const char *middle;
} long_rows[] = {
	{ "long alias without a middle", "a.sandbox", "a", "" },
	{ "long alias with one label", "a.prod.sandbox", "a", "prod" },
	{ "long alias with two", "a.eu.prod.sandbox", "a", "eu.prod" },
	{ "long alias with an empty label", "a.eu..sandbox", NULL, "" },
	{ "long alias with a bad label", "a.eu.-x.sandbox", NULL, "" },
	{ "long alias that goes up", "a.../..sandbox", NULL, "" },
	{ "long alias of another suffix", "a.eu.prod", NULL, "" },
	{ "long alias of 300 bytes", "a." X60 "." X60 "." X60 "." X60 "." X60,
	    NULL, "" },
};

static void
test_long(void **state)
{
	const __typeof__(long_rows[0]) *row = *state;
	struct alias alias = { "untouched", "", "" };

	assert_int_equal(
	    name_parse_long_alias(row->text, "sandbox", &alias, NULL),
	    row->id == NULL ? SBX_BAD_NAME : SBX_OK);
	if (row->id == NULL) {
		assert_string_equal(alias.text, "untouched");
		return;
	}
	assert_string_equal(alias.text, row->text);
	assert_string_equal(alias.id, row->id);
	assert_string_equal(alias.provider, row->middle);
}

int
main(void)
{
	CASE_ROWS(id_rows, test_id);
	CASE(why_says_what_an_id_is);
	CASE_ROWS(suffix_rows, test_suffix);
	CASE_ROWS(alias_rows, test_alias);
	CASE_ROWS(long_rows, test_long);
	return cases_run("name");
}

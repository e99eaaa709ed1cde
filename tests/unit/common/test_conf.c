/* SPDX-License-Identifier: ISC */
#include "common/conf.h"

#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/unit/cases.h"

struct box {
	char label[FIELD_TEXT];
	char url[FIELD_TEXT];
	uint64_t ttl;
};

#define BOXES 3

struct settings {
	struct box box[BOXES];
	size_t box_count;
	char url[FIELD_TEXT];
	char command[FIELD_TEXT];
	uint64_t ttl;
	uint64_t top;
	struct field_list users;
};

#define AT(member) offsetof(struct settings, member)

static const struct conf_key keys[] = {
	{ "", { .name = "top", .parse = field_uint, .offset = AT(top) } },
	{ "broker", { .name = "url", .parse = field_text, .offset = AT(url) } },
	{ "broker",
	    { .name = "command", .parse = field_text, .offset = AT(command) } },
	{ "ssh",
	    { .name = "ttl",
		.parse = field_duration,
		.offset = AT(ttl),
		.min = 1,
		.max = 86400,
		.def = "60m" } },
	{ "ssh",
	    { .name = "users",
		.parse = field_words,
		.offset = AT(users),
		.def = "sandbox" } },
};

#define BOX(member) offsetof(struct box, member)

static const struct field box_keys[] = {
	{ .name = "url", .parse = field_text, .offset = BOX(url) },
	{ .name = "ttl",
	    .parse = field_duration,
	    .offset = BOX(ttl),
	    .def = "1m" },
};

static const struct conf_list lists[] = {
	{ .section = "box",
	    .label = { .name = "box",
		.parse = field_path,
		.offset = BOX(label) },
	    .keys = box_keys,
	    .count = LENGTH(box_keys),
	    .offset = AT(box),
	    .size = sizeof(struct box),
	    .max = BOXES,
	    .used = AT(box_count) },
};

static const struct conf_table table = { keys, LENGTH(keys), lists,
	LENGTH(lists) };

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

static const struct {
	const char *name;
	const char *text;
	const char *url;
	const char *command;
	uint64_t ttl;
} good_rows[] = {
	{ "empty file", "", "", "", 3600 },
	{ "only comments", "# a\n; b\n\n  # c\n\t; d\n", "", "", 3600 },
	{ "two sections", "[broker]\nurl = u\n[ssh]\nttl = 5m\n", "u", "",
	    300 },
	{ "no blanks around =", "[broker]\nurl=u\n", "u", "", 3600 },
	{ "no newline at the end", "[broker]\nurl = u", "u", "", 3600 },
	{ "blanks at the end", "[broker] \nurl = u \t\n", "u", "", 3600 },
	{ "lines of Windows", "[broker]\r\nurl = u\r\n", "u", "", 3600 },
	{ "byte order mark", "\357\273\277[broker]\nurl = u\n", "u", "", 3600 },
	{ "section that comes again",
	    "[broker]\nurl = u\n[ssh]\n[broker]\ncommand = c\n", "u", "c",
	    3600 },
	{ "= in a value", "[broker]\nurl = a=b\n", "a=b", "", 3600 },
	{ "colon in a value", "[broker]\nurl = unix:/x\n", "unix:/x", "",
	    3600 },
	{ "# and ; inside words", "[broker]\nurl = a#b;c\n", "a#b;c", "",
	    3600 },
	{ "value with quotes is taken as it stands",
	    "[broker]\ncommand = sh -c 'a; b'\n", "", "sh -c 'a; b'", 3600 },
	{ "value like a section", "[broker]\nurl = [ssh]\n", "[ssh]", "",
	    3600 },
	{ "value in UTF-8", "[broker]\nurl = /\303\244\n", "/\303\244", "",
	    3600 },
	{ "long comment is no line", "[broker]\n#" X1000 X1000 "url = evil\n",
	    "", "", 3600 },
#if HAVE_DECL_INI_MAX_LINE
	{ "long line", "[broker]\ncommand = " X100 X100 X100 X100 "\n", "",
	    X100 X100 X100 X100, 3600 },
#endif
};

static void
test_good(void **state)
{
	const __typeof__(good_rows[0]) *row = *state;
	struct settings s = { .url = "" };
	struct sbx_why why = { "" };

	assert_int_equal(conf_defaults(&table, &s, &why), SBX_OK);
	if (conf_parse(&table, "f", row->text, &s, &why) != SBX_OK)
		fail_msg("%s", why.text);
	assert_string_equal(s.url, row->url);
	assert_string_equal(s.command, row->command);
	assert_int_equal(s.ttl, row->ttl);
}

static const struct {
	const char *name;
	const char *text;
	const char *why; /* starts with */
} bad_rows[] = {
	{ "unknown key", "[broker]\nurl = u\nulr = v\n",
	    "f:3: unknown key 'ulr' in [broker]" },
	{ "unknown key at the top", "url = u\n", "f:1: unknown key 'url'" },
	{ "key of another section", "[ssh]\nurl = u\n",
	    "f:2: unknown key 'url' in [ssh]" },
	{ "key in capitals", "[broker]\nURL = u\n", "f:2: unknown key 'URL'" },
	{ "unknown section with a key", "\n[brokr]\nurl = u\n",
	    "f:2: unknown section '[brokr]'" },
	{ "unknown section without keys", "[brokr]\n",
	    "f:1: unknown section '[brokr]'" },
	{ "section longer than libinih's limit", "[" X100 "]\nurl = u\n",
	    "f:1: unknown section" },
	{ "section without name", "[]\nurl = u\n", "f:1: a section is" },
	{ "section with blanks", "[ broker ]\n", "f:1: unknown section" },
	{ "section without end", "[broker\nurl = u\n", "f:1: a section is" },
	{ "section with something after", "[broker] url = u\n",
	    "f:1: a section is" },
	{ "section with a comment", "[broker] # here\n", "f:1: a section is" },
	{ "section twice on a line", "[broker][ssh]\n", "f:1: a section is" },
	{ "key set twice", "[broker]\nurl = a\n# x\nurl = b\n",
	    "f:4: url is set twice" },
	{ "key set twice in two parts",
	    "[broker]\nurl = a\n[ssh]\n[broker]\nurl = b\n",
	    "f:5: url is set twice" },
	{ "label of an unknown section", "[brokr \"/a\"]\n",
	    "f:1: unknown section" },
	{ "label of a section that has none", "[broker \"/a\"]\nurl = u\n",
	    "f:1: unknown section" },
	{ "section without its label", "[box]\nurl = u\n",
	    "f:1: unknown section" },
	{ "label without quotes", "[box /a]\n", "f:1: unknown section" },
	{ "label without its second quote", "[box \"/a]\n",
	    "f:1: unknown section" },
	{ "label that is empty", "[box \"\"]\n", "f:1: unknown section" },
	{ "label with a quote", "[box \"/a\"b\"]\n", "f:1: unknown section" },
	{ "label after two blanks", "[box  \"/a\"]\n", "f:1: unknown section" },
	{ "label with a bracket", "[box \"/a]\"]\n", "f:1: a section is" },
	{ "malformed label", "[box \"a\"]\n", "f:1: box = 'a' is not" },
	{ "label set twice", "[box \"/a\"]\n[box \"/b\"]\n[box \"/a\"]\n",
	    "f:3: section [box \"/a\"] stands twice" },
	{ "too many labels",
	    "[box \"/a\"]\n[box \"/b\"]\n[box \"/c\"]\n[box \"/d\"]\n",
	    "f:4: more than 3" },
	{ "unknown key below a label", "[box \"/a\"]\nulr = u\n",
	    "f:2: unknown key 'ulr' in [box \"/a\"]" },
	{ "key of the section before a label",
	    "[broker]\n[box \"/a\"]\ncommand = u\n",
	    "f:3: unknown key 'command' in [box \"/a\"]" },
	{ "key set twice below a label", "[box \"/a\"]\nurl = u\nurl = u\n",
	    "f:3: url is set twice" },
	{ "malformed value below a label", "[box \"/a\"]\nttl = 5\n",
	    "f:2: ttl = '5' is not" },
	{ "malformed value", "[ssh]\nttl = 60\n", "f:2: ttl = '60' is not" },
	{ "value out of range", "[ssh]\nttl = 2d\n", "f:2: ttl = '2d' is not" },
	{ "empty value", "[broker]\nurl =\n", "f:2: url is empty" },
	{ "no value", "[broker]\nurl\n", "f:2: 'url' is neither" },
	{ "no key", "[broker]\n= u\n", "f:2: '= u' is neither" },
	{ "colon instead of =", "[broker]\nurl: u\n",
	    "f:2: 'url: u' is neither" },
	{ "colon before =", "[broker]\nurl: u = v\n", "f:2: 'url: u = v' is" },
	{ "indented line would add to the value above",
	    "[broker]\nurl = u\n  v\n", "f:3: '  v' is indented" },
	{ "indented key would add to the value above",
	    "[broker]\nurl = u\n\tcommand = c\n",
	    "f:3: '\tcommand = c' is indented" },
	{ "indented first key", "[broker]\n url = u\n",
	    "f:2: ' url = u' is indented" },
	{ "comment after a value", "[broker]\nurl = u ; x\n",
	    "f:2: '; x': put the comment" },
	{ "comment with # after a value", "[broker]\nurl = u\t# x\n",
	    "f:2: '# x': put the comment" },
	{ "comment instead of a value", "[broker]\nurl = # x\n",
	    "f:2: '# x': put the comment" },
	{ "comment before =", "[broker]\nurl ;= x\n",
	    "f:2: ';= x': put the comment" },
	{ "carriage return inside", "[broker]\nurl = a\rttl = b\n",
	    "f:2: 'url = a\rttl = b' holds a control character" },
	{ "escape character", "[broker]\nurl = \33[2J\n", "f:2: " },
	{ "byte order mark inside", "[broker]\n\357\273\277url = u\n",
	    "f:2: unknown key" },
	{ "long line would be cut and its rest be a key",
	    "[broker]\ncommand = " X1000 X100 "\nurl = u\n",
	    "f:2: line is longer than" },
	{ "long line of which the rest is a key",
	    "[broker]\nurl = " X1000 X10 X10 "url = evil\n",
	    "f:2: line is longer than" },
	{ "first of two errors", "[broker]\nbad\nttl = 1\n", "f:2: 'bad'" },
	{ "error after long comments", "#" X1000 "\n#" X1000 "\nbad\n",
	    "f:3: 'bad'" },
};

static void
test_bad(void **state)
{
	const __typeof__(bad_rows[0]) *row = *state;
	struct settings s = { .url = "" };
	struct sbx_why why = { "" };

	assert_int_equal(
	    conf_parse(&table, "f", row->text, &s, &why), SBX_CONFIG);
	why.text[strlen(row->why)] = '\0';
	assert_string_equal(why.text, row->why);
}

static void
line_at_its_limit(void **state)
{
	char text[CONF_LINE_MAX + 20];
	struct settings s = { .url = "" };
	struct sbx_why why = { "" };
	size_t limit = HAVE_DECL_INI_MAX_LINE ? CONF_LINE_MAX - 1 : 199;

	(void)state;
	/* many blanks, so that the value itself is short */
	memset(text, ' ', sizeof(text));
	memcpy(text, "top =", 5);
	memcpy(text + limit - 1, "7\n", 3);
	assert_int_equal(conf_parse(&table, "f", text, &s, &why), SBX_OK);
	assert_int_equal(s.top, 7);
	memcpy(text + limit - 1, "77\n", 4);
	assert_int_equal(conf_parse(&table, "f", text, &s, &why), SBX_CONFIG);
}

static void
words_of_the_file_replace_the_default(void **state)
{
	struct settings s = { .url = "" };

	(void)state;
	assert_int_equal(conf_defaults(&table, &s, NULL), SBX_OK);
	assert_int_equal(s.users.count, 1);
	assert_int_equal(
	    conf_parse(&table, "f", "[ssh]\nusers = dev, ops\n", &s, NULL),
	    SBX_OK);
	assert_int_equal(s.users.count, 2);
	assert_string_equal(s.users.word[0], "dev");
}

/* A second file adds to what the first one said, label by label. */
static void
labelled_sections(void **state)
{
	struct settings s = { .url = "" };
	struct sbx_why why = { "" };

	(void)state;
	if (conf_parse(&table, "f",
		"[box \"/a\"]\nurl = one\n[broker]\nurl = u\n"
		"[box \"/" X100 "\"]\nurl = two\nttl = 5m\n",
		&s, &why) != SBX_OK ||
	    conf_parse(&table, "g",
		"[box \"/b\"]\nurl = three\n[box \"/a\"]\nttl = 2m\n", &s,
		&why) != SBX_OK)
		fail_msg("%s", why.text);
	assert_string_equal(s.url, "u");
	assert_int_equal(s.box_count, 3);
	assert_string_equal(s.box[0].label, "/a");
	assert_string_equal(s.box[0].url, "one");
	assert_int_equal(s.box[0].ttl, 120);
	assert_string_equal(s.box[1].label, "/" X100);
	assert_string_equal(s.box[1].url, "two");
	assert_int_equal(s.box[1].ttl, 300);
	assert_string_equal(s.box[2].label, "/b");
	assert_string_equal(s.box[2].url, "three");
	assert_int_equal(s.box[2].ttl, 60);
}

static void
table_has_a_limit(void **state)
{
	struct conf_table many = { .keys = keys, .count = CONF_KEYS_MAX + 1 };
	struct settings s = { .url = "" };

	(void)state;
	assert_int_equal(conf_parse(&many, "f", "", &s, NULL), SBX_INTERNAL);
}

/* conf_read over a file with these bytes. */
static enum sbx_err
read_file(struct view bytes, mode_t mode, struct sbx_why *why)
{
	char path[] = "/tmp/test_conf.XXXXXX";
	cleanup_close int fd = mkstemp(path);
	struct settings s = { .url = "" };
	enum sbx_err err;

	assert_true(fd >= 0);
	assert_int_equal(file_write_fd(fd, bytes), SBX_OK);
	assert_int_equal(fchmod(fd, mode), 0);
	err = conf_read(&table, path, getuid(), 022, &s, why);
	if (err == SBX_OK)
		assert_string_equal(s.url, "u");
	else
		assert_non_null(strstr(why->text, path));
	assert_int_equal(unlink(path), 0);
	return err;
}

static void
file_is_read(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(
	    read_file(VIEW_STR("[broker]\nurl = u\n"), 0600, &why), SBX_OK);
}

static void
file_with_nul_is_refused(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(
	    read_file(VIEW("[broker]\nurl = u\n\0x", 19), 0600, &why),
	    SBX_CONFIG);
}

static void
file_that_others_can_write_is_refused(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(read_file(VIEW_STR("[broker]\nurl = u\n"), 0620, &why),
	    SBX_UNTRUSTED);
}

static void
file_that_is_too_large_is_refused(void **state)
{
	static char text[CONF_FILE_MAX + 1];
	struct sbx_why why = { "" };

	(void)state;
	memset(text, '\n', sizeof(text));
	assert_int_equal(
	    read_file(VIEW(text, sizeof(text)), 0600, &why), SBX_CONFIG);
}

static void
file_that_is_missing(void **state)
{
	struct settings s = { .url = "" };
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(
	    conf_read(&table, "/nonexistent/f", getuid(), 022, &s, &why),
	    SBX_NOT_FOUND);
}

int
main(void)
{
	CASE_ROWS(good_rows, test_good);
	CASE_ROWS(bad_rows, test_bad);
	CASE(line_at_its_limit);
	CASE(words_of_the_file_replace_the_default);
	CASE(labelled_sections);
	CASE(table_has_a_limit);
	CASE(file_is_read);
	CASE(file_with_nul_is_refused);
	CASE(file_that_others_can_write_is_refused);
	CASE(file_that_is_too_large_is_refused);
	CASE(file_that_is_missing);
	return cases_run("conf");
}

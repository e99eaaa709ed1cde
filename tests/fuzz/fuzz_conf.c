/* SPDX-License-Identifier: ISC */
/*
 * Configuration files.  A refusal names file and line; what is accepted is
 * within the limits of its row, and of labelled sections there are no more
 * than fit, each with a name of its own and what its keys say.
 */
#include <string.h>

#include "common/conf.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

#define ITEMS 3

struct item {
	char name[FIELD_TEXT];
	char path[FIELD_TEXT];
	uint64_t number;
	struct field_list list;
};

struct settings {
	char text[FIELD_TEXT];
	char path[FIELD_TEXT];
	uint64_t number;
	uint64_t ttl;
	bool flag;
	int choice;
	struct field_list list;
	struct item item[ITEMS];
	size_t item_count;
	struct item other[ITEMS];
	size_t other_count;
	uint8_t beyond; /* of the arrays */
};

static const char *const choices[] = { "one", "two", NULL };

#define ROW(section, key, fn, member, ...)                           \
	{                                                            \
		section,                                             \
		{                                                    \
			.name = key, .parse = fn,                    \
			.offset = offsetof(struct settings, member), \
			__VA_ARGS__                                  \
		}                                                    \
	}

static const struct conf_key keys[] = {
	ROW("", "text", field_text, text, .def = "t"),
	ROW("a", "path", field_path, path, .def = "/p"),
	ROW("a", "number", field_uint, number, .min = 1, .max = 300),
	ROW("a", "ttl", field_duration, ttl, .max = 86400, .def = "60m"),
	ROW("b", "flag", field_bool, flag, .def = "no"),
	ROW("b", "choice", field_choice, choice, .choices = choices),
	ROW("b", "list", field_words, list, .def = "x y"),
};

#define ITEM(key, fn, member, ...)                                   \
	{                                                            \
		.name = key, .parse = fn,                            \
		.offset = offsetof(struct item, member), __VA_ARGS__ \
	}

static const struct field item_keys[] = {
	ITEM("path", field_path, path, .def = "/p"),
	ITEM("number", field_uint, number, .min = 1, .max = 300, .def = "7"),
	ITEM("list", field_words, list),
};

#define LIST(title, array)                                         \
	{                                                          \
		.section = title,                                  \
		.label = { .name = "label",                        \
			.parse = field_text,                       \
			.offset = offsetof(struct item, name) },   \
		.keys = item_keys,                                 \
		.count = sizeof(item_keys) / sizeof(item_keys[0]), \
		.offset = offsetof(struct settings, array),        \
		.size = sizeof(struct item), .max = ITEMS,         \
		.used = offsetof(struct settings, array##_count),  \
	}

static const struct conf_list lists[] = {
	LIST("item", item),
	LIST("b", other), /* called like a section without labels */
};

static const struct conf_table table = { .keys = keys,
	.count = sizeof(keys) / sizeof(keys[0]),
	.lists = lists,
	.list_count = sizeof(lists) / sizeof(lists[0]) };

static void
check_items(const struct item *item, size_t count)
{
	FUZZ_ASSERT(count <= ITEMS);
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(item[i].name[0] != '\0');
		FUZZ_ASSERT(strpbrk(item[i].name, "\"\\\n") == NULL);
		FUZZ_ASSERT(item[i].path[0] == '/');
		FUZZ_ASSERT(strlen(item[i].path) < FIELD_TEXT);
		FUZZ_ASSERT(item[i].number >= 1 && item[i].number <= 300);
		FUZZ_ASSERT(item[i].list.count <= FIELD_LIST_MAX);
		for (size_t other = 0; other < i; other++)
			FUZZ_ASSERT(
			    strcmp(item[i].name, item[other].name) != 0);
	}
}

/* Every section that was taken is an element, and none stood twice. */
static size_t
count_sections(const char *text, const char *start)
{
	struct view rest = VIEW_STR(text), line;
	size_t len = strlen(start), count = 0;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		rest = VIEW_STR(text + 3);
	while (text_next_line(&rest, &line))
		count += line.len > len && memcmp(line.p, start, len) == 0;
	return count;
}

/* A second file over the first: it says the same, and adds no element. */
static void
read_again(const char *text, const struct settings *first)
{
	static struct settings s;
	struct sbx_why why = { "" };

	memcpy(&s, first, sizeof(s));
	if (conf_parse(&table, "f", text, &s, &why) != SBX_OK) {
		/* Words add up, and may be too many at last. */
		FUZZ_ASSERT(strncmp(why.text, "f:", 2) == 0);
		return;
	}
	FUZZ_ASSERT(s.item_count == first->item_count);
	FUZZ_ASSERT(s.other_count == first->other_count);
	for (size_t i = 0; i < s.item_count; i++)
		FUZZ_ASSERT(s.item[i].number == first->item[i].number);
	check_items(s.item, s.item_count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct settings s;
	cleanup_buf struct buf text = BUF_INIT(CONF_FILE_MAX);
	struct sbx_why why = { "" };

	buf_put(&text, bytes, size);
	if (buf_error(&text) != SBX_OK)
		return 0;
	memset(&s, 0, sizeof(s));
	FUZZ_ASSERT(conf_defaults(&table, &s, &why) == SBX_OK);
	s.number = 1;
	s.beyond = 0xa5;
	if (conf_parse(&table, "f", buf_text(&text), &s, &why) != SBX_OK) {
		FUZZ_ASSERT(strncmp(why.text, "f:", 2) == 0);
		return 0;
	}
	FUZZ_ASSERT(s.text[0] != '\0' && strlen(s.text) < FIELD_TEXT);
	FUZZ_ASSERT(s.path[0] == '/' && strlen(s.path) < FIELD_TEXT);
	FUZZ_ASSERT(s.number >= 1 && s.number <= 300);
	FUZZ_ASSERT(s.ttl <= 86400);
	FUZZ_ASSERT(s.choice == 0 || s.choice == 1);
	FUZZ_ASSERT(s.list.count <= FIELD_LIST_MAX);
	FUZZ_ASSERT(s.beyond == 0xa5);
	check_items(s.item, s.item_count);
	check_items(s.other, s.other_count);
	FUZZ_ASSERT(
	    s.item_count == count_sections(buf_text(&text), "[item \""));
	FUZZ_ASSERT(s.other_count == count_sections(buf_text(&text), "[b \""));
	read_again(buf_text(&text), &s);
	return 0;
}

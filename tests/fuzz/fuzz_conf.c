/*
 * Configuration files.  A refusal names file and line; what is accepted is
 * within the limits of its row.
 */
#include <string.h>

#include "common/conf.h"
#include "tests/fuzz/fuzz.h"

struct settings {
	char text[FIELD_TEXT];
	char path[FIELD_TEXT];
	uint64_t number;
	uint64_t ttl;
	bool flag;
	int choice;
	struct field_list list;
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

static const struct conf_table table = { .keys = keys,
	.count = sizeof(keys) / sizeof(keys[0]) };

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
	return 0;
}

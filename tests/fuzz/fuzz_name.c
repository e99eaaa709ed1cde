/* SPDX-License-Identifier: ISC */
/*
 * Names and small texts that people and ssh hand us.  An alias that is
 * accepted can stand in a path, a URL and a principal.
 */
#include <string.h>

#include "common/name.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

static void
try_alias(const char *text)
{
	struct alias alias;
	struct sbx_why why = { "" };

	if (name_parse_alias(text, NAME_SUFFIX_DEFAULT, &alias, &why) !=
	    SBX_OK) {
		FUZZ_ASSERT(why.text[0] != '\0');
		return;
	}
	FUZZ_ASSERT(strcmp(alias.text, text) == 0);
	FUZZ_ASSERT(name_is_id(VIEW_STR(alias.id)));
	FUZZ_ASSERT(
	    alias.provider[0] == '\0' || name_is_id(VIEW_STR(alias.provider)));
	FUZZ_ASSERT(strpbrk(text, "/\\'\"`$%*?#=;&|<>(){}[]~! \t\r\n") == NULL);
	FUZZ_ASSERT(strstr(text, "..") == NULL);
	FUZZ_ASSERT(text[0] != '-' && text[0] != '.');
}

/* Base64 has one form only: what decodes encodes to the same text. */
static void
try_base64(struct view text)
{
	cleanup_buf struct buf bytes = BUF_INIT(65536), again = BUF_INIT(65536);

	if (text_base64_decode(text, &bytes) != SBX_OK)
		return;
	text_base64_encode(buf_view(&bytes), &again);
	FUZZ_ASSERT(buf_error(&again) == SBX_OK);
	FUZZ_ASSERT(view_eq(buf_view(&again), text));
}

static void
try_duration(const char *text)
{
	char again[TEXT_DURATION_LEN];
	uint64_t seconds, same;

	if (text_duration(text, &seconds) != SBX_OK)
		return;
	text_put_duration(seconds, again);
	/* Numbers of more digits than are read come of days only. */
	if (text_duration(again, &same) == SBX_OK)
		FUZZ_ASSERT(same == seconds);
}

static void
try_escape(struct view text)
{
	cleanup_buf struct buf b = BUF_INIT(5 * 65536);

	text_escape(text, 65536, /* quote= */ true, &b);
	for (size_t i = 0; i < b.len; i++)
		FUZZ_ASSERT(b.p[i] > 0x20 && b.p[i] < 0x7f && b.p[i] != '"');
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT(65536);
	struct view input = VIEW(bytes, size);

	buf_put(&text, bytes, size);
	if (buf_error(&text) != SBX_OK)
		return 0;
	try_alias(buf_text(&text));
	try_duration(buf_text(&text));
	try_base64(input);
	try_escape(input);
	if (name_is_id(input))
		FUZZ_ASSERT(memchr(bytes, '\0', size) == NULL);
	return 0;
}

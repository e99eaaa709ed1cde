/* SPDX-License-Identifier: ISC */
#include "common/text.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

enum sbx_err
text_base64_decode(struct view text, struct buf *ret)
{
	size_t room = text.len / 4 * 3, used = 0;
	const char *end = NULL;
	uint8_t *out;

	if (text.len == 0)
		return buf_error(ret);
	if (text.len % 4 != 0)
		return SBX_ENCODING;
	/* libsodium 1.0.18 takes most bytes above ASCII for an "A". */
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] >= 0x80)
			return SBX_ENCODING;
	}
	out = buf_grow(ret, room);
	if (out == NULL)
		return buf_error(ret);
	if (sodium_base642bin(out, room, (const char *)text.p, text.len, NULL,
		&used, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    end != (const char *)text.p + text.len) {
		ret->len -= room;
		ret->p[ret->len] = '\0';
		return SBX_ENCODING;
	}
	ret->len -= room - used;
	ret->p[ret->len] = '\0';
	return SBX_OK;
}

void
text_base64_encode(struct view bytes, struct buf *ret)
{
	size_t size = sodium_base64_ENCODED_LEN(
	    bytes.len, sodium_base64_VARIANT_ORIGINAL);
	uint8_t *out = buf_grow(ret, size - 1);

	if (out != NULL)
		sodium_bin2base64((char *)out, size, bytes.p, bytes.len,
		    sodium_base64_VARIANT_ORIGINAL);
}

enum sbx_err
text_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (*text == '\0')
		return SBX_BAD_VALUE;
	for (const char *c = text; *c != '\0'; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (*c < '0' || *c > '9' || value > (UINT64_MAX - digit) / 10)
			return SBX_BAD_VALUE;
		value = value * 10 + digit;
	}
	if (value < min || value > max)
		return SBX_BAD_VALUE;
	*ret = value;
	return SBX_OK;
}

static const struct {
	char letter;
	uint64_t seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

#define UNITS (sizeof(units) / sizeof(units[0]))

enum sbx_err
text_duration(const char *text, uint64_t *ret_seconds)
{
	char digits[16];
	size_t len = strlen(text);
	uint64_t value;

	if (strcmp(text, "0") == 0) {
		*ret_seconds = 0;
		return SBX_OK;
	}
	if (len < 2 || len > sizeof(digits))
		return SBX_BAD_VALUE;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	for (size_t i = 0; i < UNITS; i++) {
		if (units[i].letter != text[len - 1])
			continue;
		if (text_uint(digits, 0, INT64_MAX / units[i].seconds,
			&value) != SBX_OK)
			return SBX_BAD_VALUE;
		*ret_seconds = value * units[i].seconds;
		return SBX_OK;
	}
	return SBX_BAD_VALUE;
}

void
text_put_duration(uint64_t seconds, char ret[static TEXT_DURATION_LEN])
{
	/* A single day is 24h in all that people read. */
	size_t i = seconds == 86400 ? 1 : 0;

	while (i < UNITS - 1 &&
	    (seconds < units[i].seconds || seconds % units[i].seconds != 0))
		i++;
	(void)snprintf(ret, TEXT_DURATION_LEN, "%llu%c",
	    (unsigned long long)(seconds / units[i].seconds), units[i].letter);
}

void
text_put_time(uint64_t when, char ret[static TEXT_TIME_LEN])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(ret, TEXT_TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		ret[0] = '\0';
}

void
text_escape(struct view text, size_t max, bool quote, struct buf *ret)
{
	for (size_t i = 0; i < text.len && i < max; i++) {
		uint8_t c = text.p[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '\\';

		if (quote && (c == ' ' || c == '"'))
			plain = false;
		if (plain)
			buf_put_u8(ret, c);
		else
			buf_printf(ret, "\\x%02x", c);
	}
	if (text.len > max)
		buf_put_text(ret, "...");
}

bool
text_next_line(struct view *cursor, struct view *ret_line)
{
	const uint8_t *newline;

	if (cursor->len == 0)
		return false;
	newline = memchr(cursor->p, '\n', cursor->len);
	ret_line->p = cursor->p;
	ret_line->len =
	    newline == NULL ? cursor->len : (size_t)(newline - cursor->p);
	cursor->p += ret_line->len + (newline != NULL);
	cursor->len -= ret_line->len + (newline != NULL);
	return true;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool
text_next_word(struct view *cursor, struct view *ret_word)
{
	while (cursor->len > 0 && is_blank(cursor->p[0])) {
		cursor->p++;
		cursor->len--;
	}
	*ret_word = VIEW(cursor->p, 0);
	while (cursor->len > 0 && !is_blank(cursor->p[0])) {
		cursor->p++;
		cursor->len--;
		ret_word->len++;
	}
	return ret_word->len > 0;
}

enum sbx_err
text_copy(struct view v, char *ret, size_t size)
{
	if (v.len >= size)
		return SBX_TOO_LARGE;
	if (v.len > 0 && memchr(v.p, '\0', v.len) != NULL)
		return SBX_BAD_VALUE;
	if (v.len > 0)
		memcpy(ret, v.p, v.len);
	ret[v.len] = '\0';
	return SBX_OK;
}

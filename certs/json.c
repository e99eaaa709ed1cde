/* SPDX-License-Identifier: ISC */
#include "certs/json.h"

#include <string.h>

#define NOT_UTF8 0xfffd

/* The forms of RFC 3629: lead byte, bits of it that count, smallest value. */
static const struct {
	uint8_t mask, lead;
	size_t len;
	uint32_t min;
} forms[] = {
	{ 0x80, 0x00, 1, 0x00 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static bool
is_scalar(uint32_t code, uint32_t min)
{
	return code >= min && code <= 0x10ffff &&
	    (code < 0xd800 || code > 0xdfff);
}

/* The character at the front of *text, which is cut off. */
static uint32_t
next_character(struct view *text)
{
	uint32_t code = NOT_UTF8;
	size_t used = 1;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint32_t value;
		size_t n = 1;

		if ((text->p[0] & forms[i].mask) != forms[i].lead)
			continue;
		value = text->p[0] & (uint8_t)~forms[i].mask;
		for (; n < forms[i].len && n < text->len &&
		     (text->p[n] & 0xc0) == 0x80;
		     n++)
			value = value << 6 | (text->p[n] & 0x3f);
		if (n == forms[i].len && is_scalar(value, forms[i].min)) {
			code = value;
			used = n;
		}
	}
	*text = VIEW(text->p + used, text->len - used);
	return code;
}

void
json_put_string(struct buf *ret, struct view text)
{
	buf_put_u8(ret, '"');
	while (text.len > 0) {
		uint32_t code = next_character(&text);

		if (code == '"' || code == '\\')
			buf_printf(ret, "\\%c", (int)code);
		else if (code >= 0x20 && code < 0x7f)
			buf_put_u8(ret, (uint8_t)code);
		else if (code < 0x10000)
			buf_printf(ret, "\\u%04x", code);
		else /* a surrogate pair */
			buf_printf(ret, "\\u%04x\\u%04x",
			    0xd800 + ((code - 0x10000) >> 10),
			    0xdc00 + (code & 0x3ff));
	}
	buf_put_u8(ret, '"');
}

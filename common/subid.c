/* SPDX-License-Identifier: ISC */
#include "common/subid.h"

#include <string.h>

#include "common/text.h"

static struct view
next_field(struct view *rest)
{
	const uint8_t *colon =
	    rest->len == 0 ? NULL : memchr(rest->p, ':', rest->len);
	struct view field = *rest;

	if (colon != NULL)
		field.len = (size_t)(colon - rest->p);
	rest->p += field.len + (colon != NULL);
	rest->len -= field.len + (colon != NULL);
	return field;
}

static bool
field_number(struct view field, uint64_t *ret)
{
	char text[24];

	return text_copy(field, text, sizeof(text)) == SBX_OK &&
	    text_uint(text, 0, UINT32_MAX, ret) == SBX_OK;
}

bool
subid_next(struct view *text, struct subid *ret)
{
	struct view line;

	while (text_next_line(text, &line)) {
		struct subid subid = { .name = next_field(&line) };

		if (subid.name.len > 0 && subid.name.p[0] != '#' &&
		    field_number(next_field(&line), &subid.start) &&
		    field_number(line, &subid.count) &&
		    subid.start + subid.count <= UINT32_MAX) {
			*ret = subid;
			return true;
		}
	}
	return false;
}

bool
subid_next_account(struct view *text, struct subid *ret)
{
	struct view line;

	while (text_next_line(text, &line)) {
		struct subid subid = { .name = next_field(&line), .count = 1 };

		(void)next_field(&line);
		if (subid.name.len > 0 &&
		    field_number(next_field(&line), &subid.start)) {
			*ret = subid;
			return true;
		}
	}
	return false;
}

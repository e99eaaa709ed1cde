/* SPDX-License-Identifier: ISC */
#include "common/wire.h"

#include <string.h>

bool
view_eq(struct view a, struct view b)
{
	return view_cmp(a, b) == 0;
}

bool
view_eq_str(struct view v, const char *s)
{
	return view_eq(v, VIEW_STR(s));
}

int
view_cmp(struct view a, struct view b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.p, b.p, common);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

struct wire
wire_of(struct view bytes)
{
	return (struct wire){ bytes.p, bytes.len, SBX_OK };
}

static const uint8_t *
take(struct wire *w, size_t n)
{
	const uint8_t *p = w->p;

	if (w->err == SBX_OK && n > w->left)
		w->err = SBX_TRUNCATED;
	if (w->err != SBX_OK)
		return NULL;
	w->p += n;
	w->left -= n;
	return p;
}

static uint64_t
take_number(struct wire *w, size_t n)
{
	const uint8_t *p = take(w, n);
	uint64_t value = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		value = value << 8 | p[i];
	return value;
}

uint8_t
wire_u8(struct wire *w)
{
	return (uint8_t)take_number(w, 1);
}

uint32_t
wire_u32(struct wire *w)
{
	return (uint32_t)take_number(w, 4);
}

uint64_t
wire_u64(struct wire *w)
{
	return take_number(w, 8);
}

struct view
wire_bytes(struct wire *w, size_t n)
{
	const uint8_t *p = take(w, n);

	return (struct view){ p, p == NULL ? 0 : n };
}

struct view
wire_string(struct wire *w, size_t max)
{
	uint32_t len = wire_u32(w);

	if (len > w->left)
		wire_fail(w, SBX_TRUNCATED);
	else if (len > max)
		wire_fail(w, SBX_TOO_LARGE);
	return wire_bytes(w, len);
}

struct wire
wire_nested(struct wire *w, size_t max)
{
	struct wire inner = wire_of(wire_string(w, max));

	inner.err = w->err;
	return inner;
}

void
wire_fail(struct wire *w, enum sbx_err err)
{
	if (w->err == SBX_OK)
		w->err = err;
}

bool
wire_more(const struct wire *w)
{
	return w->err == SBX_OK && w->left > 0;
}

enum sbx_err
wire_error(const struct wire *w)
{
	return w->err;
}

enum sbx_err
wire_end(const struct wire *w)
{
	if (w->err == SBX_OK && w->left > 0)
		return SBX_TRAILING;
	return w->err;
}

/* SPDX-License-Identifier: ISC */
#include "common/buf.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
buf_free(struct buf *b)
{
	if (b == NULL)
		return;
	if (b->p != NULL)
		sodium_memzero(b->p, b->size);
	free(b->p);
	*b = BUF_INIT(b->cap);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->err = SBX_OK;
	if (b->p != NULL)
		b->p[0] = '\0';
}

/* Never realloc: it would leave a copy of the old bytes behind. */
static void
resize(struct buf *b, size_t size)
{
	uint8_t *p = malloc(size);

	if (p == NULL) {
		buf_fail(b, SBX_NOMEM);
		return;
	}
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		sodium_memzero(b->p, b->size);
		free(b->p);
	}
	b->p = p;
	b->size = size;
}

uint8_t *
buf_grow(struct buf *b, size_t n)
{
	size_t size = b->size == 0 ? 256 : b->size;
	uint8_t *room;

	if (b->err == SBX_OK && n > b->cap - b->len)
		buf_fail(b, SBX_TOO_LARGE);
	if (b->err != SBX_OK)
		return NULL;
	while (size < b->len + n + 1)
		size *= 2;
	if (size != b->size)
		resize(b, size);
	if (b->err != SBX_OK)
		return NULL;
	room = b->p + b->len;
	b->len += n;
	b->p[b->len] = '\0';
	return room;
}

void
buf_put(struct buf *b, const void *bytes, size_t n)
{
	uint8_t *room = buf_grow(b, n);

	if (room != NULL && n > 0)
		memcpy(room, bytes, n);
}

void
buf_put_view(struct buf *b, struct view v)
{
	buf_put(b, v.p, v.len);
}

static void
put_number(struct buf *b, uint64_t value, size_t n)
{
	uint8_t *room = buf_grow(b, n);

	for (size_t i = 0; room != NULL && i < n; i++)
		room[i] = (uint8_t)(value >> 8 * (n - 1 - i));
}

void
buf_put_u8(struct buf *b, uint8_t value)
{
	put_number(b, value, 1);
}

void
buf_put_u32(struct buf *b, uint32_t value)
{
	put_number(b, value, 4);
}

void
buf_put_u64(struct buf *b, uint64_t value)
{
	put_number(b, value, 8);
}

void
buf_put_string(struct buf *b, struct view v)
{
	if (v.len > UINT32_MAX) {
		buf_fail(b, SBX_TOO_LARGE);
		return;
	}
	buf_put_u32(b, (uint32_t)v.len);
	buf_put_view(b, v);
}

void
buf_put_cstring(struct buf *b, const char *s)
{
	buf_put_string(b, VIEW_STR(s));
}

void
buf_put_text(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int need;
	char *room;

	va_start(ap, fmt);
	need = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (need < 0) {
		buf_fail(b, SBX_INTERNAL);
		return;
	}
	/* buf_grow keeps one byte more, for the NUL that vsnprintf writes. */
	room = (char *)buf_grow(b, (size_t)need);
	if (room == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(room, (size_t)need + 1, fmt, ap);
	va_end(ap);
}

void
buf_fail(struct buf *b, enum sbx_err err)
{
	if (b->err == SBX_OK)
		b->err = err;
}

enum sbx_err
buf_error(const struct buf *b)
{
	return b->err;
}

struct view
buf_view(const struct buf *b)
{
	return (struct view){ b->p, b->len };
}

const char *
buf_text(const struct buf *b)
{
	return b->p == NULL ? "" : (const char *)b->p;
}

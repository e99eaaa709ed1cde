/* SPDX-License-Identifier: ISC */
/*
 * A growing buffer with a cap and a sticky error.
 *
 * Put everything, then judge once with buf_error().  After an error nothing
 * is added any more.  The bytes are wiped when the buffer grows and when it
 * is freed, so it may hold secrets.  After the bytes there is always a NUL
 * that does not count, so text can be used as a C string (buf_text).
 */
#ifndef SBX_BUF_H
#define SBX_BUF_H

#include "common/err.h"
#include "common/wire.h"

struct buf {
	uint8_t *p;
	size_t len;
	size_t size;
	size_t cap;
	enum sbx_err err;
};

/* An empty buffer that never holds more than cap bytes (SBX_TOO_LARGE). */
#define BUF_INIT(max) ((struct buf){ .cap = (max) })

void buf_free(struct buf *b);  /* NULL allowed; wipes; leaves it empty */
void buf_reset(struct buf *b); /* empty again, error forgotten, same cap */
#define cleanup_buf __attribute__((cleanup(buf_free)))

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_put_view(struct buf *b, struct view v);
void buf_put_u8(struct buf *b, uint8_t value);
void buf_put_u32(struct buf *b, uint32_t value);
void buf_put_u64(struct buf *b, uint64_t value);
/* As an SSH string: length, then the bytes. */
void buf_put_string(struct buf *b, struct view v);
void buf_put_cstring(struct buf *b, const char *s);
/* Text without its NUL. */
void buf_put_text(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Room for n bytes that the caller fills in; NULL after an error. */
uint8_t *buf_grow(struct buf *b, size_t n) MUST_USE;
/* Poison the buffer, unless it already is. */
void buf_fail(struct buf *b, enum sbx_err err);

enum sbx_err buf_error(const struct buf *b) MUST_USE;
struct view buf_view(const struct buf *b) MUST_USE;
/* Never NULL; valid until the next put. */
const char *buf_text(const struct buf *b) MUST_USE;

#endif

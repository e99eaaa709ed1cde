/* SPDX-License-Identifier: ISC */
/*
 * Reading SSH's binary encoding (RFC 4251, section 5) from hostile bytes.
 *
 * A reader can only shrink, and its error is sticky: read all the fields,
 * then judge once with wire_end().  After an error every read yields zero or
 * an empty view, so no decision may be taken on a value before wire_end()
 * (or wire_error()) said SBX_OK.  Views point into the bytes that the reader
 * was made over and live as long as they do.  Nothing is allocated.
 */
#ifndef SBX_WIRE_H
#define SBX_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct view {
	const uint8_t *p;
	size_t len;
};

struct wire {
	const uint8_t *p;
	size_t left;
	enum sbx_err err;
};

#define VIEW(ptr, length) ((struct view){ (const uint8_t *)(ptr), (length) })
/* A view of a string literal or a char array that ends with its one NUL. */
#define VIEW_STR(s) VIEW((s), strlen(s))

bool view_eq(struct view a, struct view b) MUST_USE;
bool view_eq_str(struct view v, const char *s) MUST_USE;
/* <0, 0, >0 as memcmp, a shorter prefix first. */
int view_cmp(struct view a, struct view b) MUST_USE;

struct wire wire_of(struct view bytes);
uint8_t wire_u8(struct wire *w);
uint32_t wire_u32(struct wire *w);
uint64_t wire_u64(struct wire *w);
/* n bytes as they stand. */
struct view wire_bytes(struct wire *w, size_t n);
/* A string: its length as u32, then that many bytes; at most max. */
struct view wire_string(struct wire *w, size_t max);
/* A reader over a nested string; it inherits an error of w. */
struct wire wire_nested(struct wire *w, size_t max);
/* Poison the reader, unless it already is. */
void wire_fail(struct wire *w, enum sbx_err err);
/* Bytes remain and nothing went wrong. */
bool wire_more(const struct wire *w) MUST_USE;
enum sbx_err wire_error(const struct wire *w) MUST_USE;
/* SBX_OK only if all was well and nothing is left (SBX_TRAILING). */
enum sbx_err wire_end(const struct wire *w) MUST_USE;

#endif

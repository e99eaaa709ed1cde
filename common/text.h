/* SPDX-License-Identifier: ISC */
/*
 * Small text formats: base64, hexadecimal, numbers, durations, lines, and
 * making text from outside safe to print.
 */
#ifndef SBX_TEXT_H
#define SBX_TEXT_H

#include <stdint.h>
#include <time.h>

#include "common/buf.h"

/*
 * Canonical base64 (RFC 4648, section 4): padded, no white space, no bits
 * after the end.  Anything else is SBX_ENCODING.
 */
enum sbx_err text_base64_decode(struct view text, struct buf *ret) MUST_USE;
void text_base64_encode(struct view bytes, struct buf *ret);

/* Decimal digits only, min <= value <= max; otherwise SBX_BAD_VALUE. */
enum sbx_err
text_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret) MUST_USE;

/* "90s", "60m", "24h", "7d" to seconds; a bare number is SBX_BAD_VALUE. */
enum sbx_err text_duration(const char *text, uint64_t *ret_seconds) MUST_USE;
/* The shortest of those forms, 3600 gives "1h"; but a day is "24h". */
#define TEXT_DURATION_LEN 24
void text_put_duration(uint64_t seconds, char ret[static TEXT_DURATION_LEN]);
/* "2026-11-21T09:30:00Z"; "" for a time without such a form. */
#define TEXT_TIME_LEN 40
void text_put_time(uint64_t when, char ret[static TEXT_TIME_LEN]);

/*
 * Text from outside for a terminal or a log: printable ASCII as it is,
 * everything else and the backslash as \xHH, cut with "..." after max bytes
 * of input.  With quote, '"' and white space are escaped too, so that the
 * result can be one value of a key=value line.
 */
void text_escape(struct view text, size_t max, bool quote, struct buf *ret);

/*
 * Walk lines: *cursor shrinks, *ret_line is the next one without its "\n".
 * False at the end.  A last line without "\n" counts; a "\r" stays.
 */
bool text_next_line(struct view *cursor, struct view *ret_line) MUST_USE;
/* Walk words between spaces and tabs. */
bool text_next_word(struct view *cursor, struct view *ret_word) MUST_USE;

/* A copy with a NUL, or SBX_BAD_VALUE (a NUL inside) or SBX_TOO_LARGE. */
enum sbx_err text_copy(struct view v, char *ret, size_t size) MUST_USE;

#endif

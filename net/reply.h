/* SPDX-License-Identifier: ISC */
/*
 * JSON from outside into a C structure, by a table of fields: the names, the
 * types, the limits.  Members that no row names are ignored (newer brokers
 * may send more); a row that is not optional must be there.
 */
#ifndef SBX_NET_REPLY_H
#define SBX_NET_REPLY_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define REPLY_DEPTH_MAX 16
/* Objects and arrays, of which two bytes of text become nearly a kilobyte. */
#define REPLY_NESTED_MAX 16384

enum reply_type {
	REPLY_TEXT,  /* char[size] at offset; no control characters, no NUL */
	REPLY_UINT,  /* uint64_t at offset, up to max */
	REPLY_BOOL,  /* bool at offset */
	REPLY_TEXTS, /* char[max][size] at offset, size_t count at count */
};

struct reply_field {
	const char *name;
	enum reply_type type;
	bool optional; /* absent or null: left as it was */
	size_t offset;
	size_t size;
	uint64_t max;
	size_t count; /* offset of the count of REPLY_TEXTS */
};

/*
 * One JSON object out of text.  Depth, NUL bytes, duplicate keys and bytes
 * after the object are judged here: SBX_PROTOCOL with why, or SBX_TOO_LARGE.
 * The caller frees it with json_object_put().
 */
enum sbx_err reply_parse(const char *text, size_t len, struct json_object **ret,
    struct sbx_why *why) MUST_USE;
/* SBX_PROTOCOL, why naming the member. */
enum sbx_err
reply_read(struct json_object *object, const struct reply_field *fields,
    size_t count, void *ret, struct sbx_why *why) MUST_USE;

#endif

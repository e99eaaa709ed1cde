/* SPDX-License-Identifier: ISC */
/*
 * Request bodies: strict JSON by a table of fields.  What nobody asked for
 * is an error here, unlike in answers (net/reply.h), so that a member with a
 * typing mistake never passes silently.
 */
#ifndef SBX_BROKER_BODY_H
#define SBX_BROKER_BODY_H

#include "broker/store/store.h"
#include "net/reply.h"

#define BODY_MAX 65536

struct body_table {
	const struct reply_field *fields;
	size_t count;
	const char *labels; /* name of a member {"key": "value"}, or NULL */
};

/*
 * An empty body is an empty object.  SBX_BAD_VALUE, why naming the member.
 * ret_labels has room for STORE_LABELS_MAX; both may be NULL when the table
 * names no labels.
 */
enum sbx_err body_read(struct view text, const struct body_table *table,
    void *ret, struct label *ret_labels, size_t *ret_label_count,
    struct sbx_why *why) MUST_USE;

/* "key=value" as in the label parameter of a list. */
enum sbx_err
label_parse(const char *text, struct label *ret, struct sbx_why *why) MUST_USE;

/* A duration from 1 second to max; name is that of the member. */
enum sbx_err body_duration(const char *name, const char *text, uint64_t max,
    uint64_t *ret, struct sbx_why *why) MUST_USE;
/* The same, and it may be 0. */
enum sbx_err body_pause(const char *name, const char *text, uint64_t max,
    uint64_t *ret, struct sbx_why *why) MUST_USE;

#endif

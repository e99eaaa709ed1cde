/* SPDX-License-Identifier: ISC */
/*
 * The one operand that a command works on: a file's name, or "-" for
 * standard input.
 */
#ifndef SBX_CERTS_OPERAND_H
#define SBX_CERTS_OPERAND_H

#include "common/buf.h"
#include "common/field.h"

#define OPERAND_MAX 262144 /* bytes of a file that is only data */

/* An option that can be given several times: its words, in argv. */
#define ARGUMENTS_MAX 64

struct arguments {
	size_t count;
	const char *arg[ARGUMENTS_MAX];
};

field_parser field_arguments; /* struct arguments; adds up */

/* The operand is "-". */
bool operand_is_stdin(const char *operand) MUST_USE;
/* Its name in messages. */
const char *operand_name(const char *operand) MUST_USE;
/* All of it; links are followed, as whoever typed the name expects. */
enum sbx_err operand_read(
    const char *operand, struct buf *ret, struct sbx_why *why) MUST_USE;
/*
 * Its only line that is neither empty nor a "#" comment, in text, which gets
 * all of it; SBX_BAD_VALUE if there is none or another one.
 */
enum sbx_err operand_read_line(const char *operand, struct buf *text,
    struct view *ret, struct sbx_why *why) MUST_USE;
/* Empty or a "#" comment. */
bool operand_skips(struct view line) MUST_USE;
/*
 * Replace the file, or write to standard output; failure says what cannot be
 * done, "cannot write the line".  The buffer's own error counts first.
 */
enum sbx_err operand_write(const char *operand, const struct buf *bytes,
    const char *failure, struct sbx_why *why) MUST_USE;

#endif

/* SPDX-License-Identifier: ISC */
/*
 * One setting is one row: its name, how its text is parsed, where the value
 * goes, its range, its default and its help.  Configuration files (conf) and
 * command lines (opt) are both tables of these, and defaults go through the
 * same parser as the user's text.
 */
#ifndef SBX_FIELD_H
#define SBX_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct field;

/* Parse text into the member of *object at field->offset. */
typedef enum sbx_err field_parser(const struct field *field, const char *text,
    void *object, struct sbx_why *why);

struct field {
	const char *name;
	field_parser *parse;
	size_t offset;
	uint64_t min, max; /* of numbers and durations; max 0: no limit */
	const char *def;   /* NULL: none */
	const char *help;  /* a few words, no full stop */
	const char *const *choices; /* for field_choice, ends with NULL */
};

/* Texts: char member[FIELD_TEXT]. */
#define FIELD_TEXT 512
/* A list of words: struct field_list member. */
#define FIELD_LIST_MAX 64
#define FIELD_WORD 128

struct field_list {
	size_t count;
	char word[FIELD_LIST_MAX][FIELD_WORD];
	bool is_default; /* the first words that are set replace these */
};

field_parser field_text;     /* char[FIELD_TEXT], not empty */
field_parser field_path;     /* char[FIELD_TEXT], absolute */
field_parser field_uint;     /* uint64_t, min..max */
field_parser field_duration; /* uint64_t seconds, min..max */
field_parser field_minutes;  /* the same; a bare number means minutes */
field_parser field_bool;     /* bool: yes or no (NULL text: true) */
field_parser field_choice;   /* int: index into choices */
field_parser field_words; /* struct field_list: words between blanks or commas;
			     adds up, but not to the default */

/* "1m to 24h", for messages and --help; "" of what has no range. */
#define FIELD_RANGE_LEN 64
void
field_put_range(const struct field *field, char ret[static FIELD_RANGE_LEN]);

/* Give every field that has one its default. */
enum sbx_err field_defaults(
    const struct field *field, void *object, struct sbx_why *why) MUST_USE;

#endif

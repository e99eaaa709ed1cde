/* SPDX-License-Identifier: ISC */
/*
 * Configuration files: INI, read with libinih, judged by a table.
 *
 *	# a comment is a line of its own; so is one with ";"
 *	[section]
 *	key = value
 *
 *	[section "label"]
 *	key = value
 *
 * Anything else is an error that names file and line: an unknown section or
 * key, a key or a label set twice, a malformed value, a comment after a value,
 * an indented line, a control character, a line of more than CONF_LINE_MAX - 1
 * bytes (199 where libinih's limit is fixed).
 */
#ifndef SBX_CONF_H
#define SBX_CONF_H

#include "common/field.h"
#include "common/file.h"

#define CONF_FILE_MAX 65536
#define CONF_LINE_MAX 1024
#define CONF_KEYS_MAX 64
#define CONF_ELEMENTS_MAX 32 /* of one kind of labelled section */

struct conf_key {
	const char *section; /* "" before the first [section] */
	struct field field;
};

/*
 * [section "label"], as often as there are labels: each fills in one element
 * of an array in the settings.
 */
struct conf_list {
	const char *section;
	struct field label;	  /* into an element, which it names: a text */
	const struct field *keys; /* into an element */
	size_t count;
	size_t offset, size; /* of the array; of one element */
	size_t max;	     /* elements, at most CONF_ELEMENTS_MAX */
	size_t used;	     /* offset of their number, a size_t */
};

struct conf_table {
	const struct conf_key *keys;
	size_t count;
	const struct conf_list *lists;
	size_t list_count;
};

/* Give every key its default; a new element gets those of its keys. */
enum sbx_err conf_defaults(const struct conf_table *table, void *settings,
    struct sbx_why *why) MUST_USE;
/*
 * Read the file over what settings holds.  It must be a file that only root
 * or owner can write (see file_open_trusted, which also says what forbidden
 * is).  SBX_NOT_FOUND if there is none; SBX_CONFIG for what it says.
 */
enum sbx_err
conf_read(const struct conf_table *table, const char *path, uid_t owner,
    mode_t forbidden, void *settings, struct sbx_why *why) MUST_USE;
/* The same over text that was read elsewhere; name stands in messages. */
enum sbx_err conf_parse(const struct conf_table *table, const char *name,
    const char *text, void *settings, struct sbx_why *why) MUST_USE;

#endif

/* SPDX-License-Identifier: ISC */
/*
 * One Include line in the text of an ssh_config(5) file.
 */
#ifndef SBX_INCLUDE_LINE_H
#define SBX_INCLUDE_LINE_H

#include "common/buf.h"

struct include_place {
	size_t offset;	  /* of the line in the text */
	size_t len;	  /* with its line ending */
	size_t number;	  /* of the line, from 1 */
	struct view line; /* as it is there, without its newline */
	/* The Host or Match that it stands below; empty: for every host. */
	struct view block;
};

/*
 * Find the line (given without its ending and what it is indented by),
 * preferably where it holds for every host: before the first Host or Match,
 * or below "Host *" or "Match all".
 */
bool include_line_find(
    struct view text, const char *line, struct include_place *ret) MUST_USE;
/* The text with the line before everything else. */
void include_line_add(struct view text, const char *line, struct buf *ret);
/*
 * The text of a file that did not exist: it says so, which makes it differ
 * from one that was empty.
 */
void include_line_begin(const char *line, struct buf *ret);
/* Is this what is left of such a file once the line is gone? */
bool include_line_is_end(struct view text) MUST_USE;
/* The text without what was found. */
void include_line_remove(
    struct view text, const struct include_place *place, struct buf *ret);

#endif

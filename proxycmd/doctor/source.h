/* SPDX-License-Identifier: ISC */
/*
 * Where what ssh(1) does comes from: the lines of a person's ssh_config(5)
 * that count for a host.  ssh itself is the judge of Host and Match: its
 * debug output says which of them hold.
 */
#ifndef SBX_DOCTOR_SOURCE_H
#define SBX_DOCTOR_SOURCE_H

#include "common/buf.h"

#define SOURCE_LIST_MAX (1024 * 1024)
#define SOURCE_VALUE 160

struct source {
	char option[64]; /* in lower case, by the name that it has today */
	char value[SOURCE_VALUE];
	char place[256]; /* "FILE:LINE" */
};

/*
 * The lines that hold, in the order in which ssh reads them: of most options
 * the first counts.  trace is what "ssh -vvv -G" said; config the file it was
 * given, or "" for the usual ones.
 */
void source_list(const struct buf *trace, const char *config, const char *home,
    struct buf *ret);

/* The nth line with that option, from 0; its case does not matter. */
bool source_find_nth(const struct buf *list, const char *option, size_t n,
    struct source *ret) MUST_USE;

#endif

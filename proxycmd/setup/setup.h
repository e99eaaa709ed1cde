/* SPDX-License-Identifier: ISC */
/*
 * sandbox-proxy setup: one Include line in the user's ssh_config(5) file,
 * put in and taken out without changing anything else.
 */
#ifndef SBX_SETUP_H
#define SBX_SETUP_H

#include "common/buf.h"

#define SETUP_FILE_MAX (4 * 1024 * 1024) /* with the line in it */
#define SETUP_REPORT_MAX 16384

struct setup_request {
	const char *file;    /* ~/.ssh/config */
	const char *snippet; /* what gets included */
	bool remove;
	bool dry_run;
};

/*
 * What was done, or with dry_run what would be, as text to print.  The file
 * is replaced whole or not at all and keeps mode and owner; a symbolic link
 * stays one.  A file that setup made is removed when nothing was added to it;
 * any other is as it was before, byte for byte, if that is nothing too.  A
 * line that holds for some hosts only is none of ours: remove refuses it.  Root
 * is not led through folders and links of others (SBX_UNTRUSTED).  Where the
 * file cannot be written (SBX_IO), why has the line.
 */
enum sbx_err setup_run(const struct setup_request *request,
    struct buf *ret_report, struct sbx_why *why) MUST_USE;

/*
 * Does the file have the line, but only below a Host or Match that is not for
 * every host?  That is *ret_block then.
 */
bool setup_is_below(
    const char *file, const char *snippet, struct buf *ret_block) MUST_USE;

#endif

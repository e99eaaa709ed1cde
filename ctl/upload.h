/* SPDX-License-Identifier: ISC */
/* What is in a folder, into a sandbox's workspace. */
#ifndef SBX_CTL_UPLOAD_H
#define SBX_CTL_UPLOAD_H

#include "common/err.h"

/* Is it a folder that can be read? */
enum sbx_err upload_check(const char *folder, struct sbx_why *why) MUST_USE;
/*
 * By tar(1), modes and symbolic links as they are, through this ssh, whose
 * last word becomes the command.  It says itself what went wrong in it.
 */
enum sbx_err
upload_run(const char *folder, const char *ssh[], struct sbx_why *why) MUST_USE;

#endif
